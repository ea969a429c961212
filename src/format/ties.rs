//! Ties: which rows of a segment belong together, beside the hot segment of the same key.
//!
//! A household mostly stands in one stretch of rows, and a child beside its guardian, and neither ever changes. So what a
//! run asks about the people around a person is mostly told by rows alone. A row is *loose* if it is not: then the facts
//! are asked.
//!
//! ```text
//!  0  version u8 = 1, zero u8, rows u16
//!  4  households   a varint for each stretch of rows: how many rows it has, at least 1, until they are all
//!     loose        varint number; for each varint: row less (the one before + 1); the first: row
//!     attributes   varint number; each, ascending: attribute u16, varint number of targets, at least 1; then each target:
//!                  head varint   row less (the target before + 1), the first: row; << 2 | referrers - 1, at most 3
//!                  more varint   referrers - 4, only where the head's two lowest bits are 3
//!                  referrers     zigzag of the first row less the target's; then varints: each less (the one before + 1)
//! ```

use std::ops::Range;

use super::bytes::{Reader, Writer};
use super::error::{Expected, FormatError};
use super::locator::SEGMENT_ROWS_MAX;
use crate::types::AttributeNumber;

const VERSION: u8 = 1;
const HEADER_BYTES: usize = 4;
/// A head with this in its two lowest bits is followed by how many more referrers there are than it could tell.
const MORE: u64 = 3;

/// That the person of one row names that of another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tie {
    /// The attribute under which the target is named.
    pub attribute: AttributeNumber,
    /// The row of whoever is named.
    pub target: u16,
    /// The row whose person names.
    pub referrer: u16,
}

/// The ties of a segment.
///
/// Of a row that is not loose this holds, as it has ever been: its household is the people of its stretch and nobody else,
/// if none of these is loose; whoever named its person is one of those listed; and whom its person names is listed, and
/// nobody else. A row of somebody without a household is a stretch of its own.
///
/// ```
/// use ansinh::format::ties::{Tie, Ties};
/// use ansinh::types::AttributeNumber;
/// let mut ties = Ties::default();
/// ties.push_household(3);
/// ties.push_household(1);
/// let guardian = AttributeNumber(70);
/// ties.tie(Tie { attribute: guardian, target: 0, referrer: 2 });
/// assert_eq!(ties.household(1), Some(0..3));
/// assert_eq!(ties.referrers(0, guardian), Some(&ties.ties()[..]));
/// assert_eq!(ties.named(2, guardian), Some(Some(0)));
/// ties.loosen(2);
/// assert_eq!((ties.household(1), ties.referrers(0, guardian)), (None, None));
/// assert_eq!(Ties::decode(&ties.encode())?, ties);
/// # Ok::<(), ansinh::format::FormatError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Ties {
    /// Where each stretch ends, ascending.
    ends: Vec<u16>,
    /// Rows, ascending.
    loose: Vec<u16>,
    /// In order.
    list: Vec<Tie>,
}

impl Ties {
    /// How many rows there are.
    pub fn rows(&self) -> u16 {
        self.ends.last().copied().unwrap_or(0)
    }

    /// Appends the rows of a household, at least one, or the row of somebody without.
    pub fn push_household(&mut self, rows: u16) {
        self.ends.push(self.rows() + rows);
    }

    /// Marks a row as loose; false if it was.
    pub fn loosen(&mut self, row: u16) -> bool {
        match self.loose.binary_search(&row) {
            Ok(_) => false,
            Err(at) => {
                self.loose.insert(at, row);
                true
            }
        }
    }

    /// Adds a tie between two of its rows.
    pub fn tie(&mut self, tie: Tie) {
        if let Err(at) = self.list.binary_search(&tie) {
            self.list.insert(at, tie);
        }
    }

    /// All ties, in order.
    pub fn ties(&self) -> &[Tie] {
        &self.list
    }

    /// Whether a row is loose.
    pub fn is_loose(&self, row: u16) -> bool {
        self.loose.binary_search(&row).is_ok()
    }

    /// The rows of the household of a row; `None` if the facts have to be asked.
    pub fn household(&self, row: u16) -> Option<Range<u16>> {
        let at = self.ends.partition_point(|&end| end <= row);
        let end = *self.ends.get(at)?;
        let start = at.checked_sub(1).map_or(0, |before| self.ends[before]);
        let loose = self.loose.partition_point(|&loose| loose < start);
        let tied = self.loose.get(loose).is_none_or(|&loose| loose >= end);
        tied.then_some(start..end)
    }

    /// The ties by which rows name a row under an attribute; `None` if the facts have to be asked.
    pub fn referrers(&self, row: u16, attribute: AttributeNumber) -> Option<&[Tie]> {
        let start = self
            .list
            .partition_point(|tie| (tie.attribute, tie.target) < (attribute, row));
        let named = &self.list[start..];
        let count = named.partition_point(|tie| (tie.attribute, tie.target) == (attribute, row));
        let named = &named[..count];
        let mut rows = std::iter::once(row).chain(named.iter().map(|tie| tie.referrer));
        (row < self.rows() && !rows.any(|row| self.is_loose(row))).then_some(named)
    }

    /// The row that a row names under an attribute, if any; `None` if the facts have to be asked.
    pub fn named(&self, row: u16, attribute: AttributeNumber) -> Option<Option<u16>> {
        let start = self.list.partition_point(|tie| tie.attribute < attribute);
        let mut of_attribute = self.list[start..]
            .iter()
            .take_while(|tie| tie.attribute == attribute);
        let named = of_attribute.find(|tie| tie.referrer == row).map(|tie| tie.target);
        let mut rows = std::iter::once(row).chain(named);
        (row < self.rows() && !rows.any(|row| self.is_loose(row))).then_some(named)
    }

    /// The bytes of the ties.
    pub fn encode(&self) -> Vec<u8> {
        let expected = HEADER_BYTES + self.ends.len() + self.loose.len() + self.list.len() * 2;
        let mut out = Vec::with_capacity(expected + 16);
        out.put_u8(VERSION);
        out.put_u8(0);
        out.put_u16(self.rows());
        let mut before = 0;
        for &end in &self.ends {
            out.put_varint(u64::from(end - before));
            before = end;
        }
        out.put_varint(self.loose.len() as u64);
        let mut next = 0;
        for &row in &self.loose {
            out.put_varint(u64::from(row - next));
            next = row + 1;
        }
        let attributes = || self.list.chunk_by(|a, b| a.attribute == b.attribute);
        out.put_varint(attributes().count() as u64);
        for ties in attributes() {
            let targets = || ties.chunk_by(|a, b| a.target == b.target);
            out.put_u16(ties[0].attribute.get());
            out.put_varint(targets().count() as u64);
            let mut next = 0;
            for ties in targets() {
                let (target, others) = (ties[0].target, ties.len() as u64 - 1);
                out.put_varint(u64::from(target - next) << 2 | others.min(MORE));
                if let Some(more) = others.checked_sub(MORE) {
                    out.put_varint(more);
                }
                out.put_zigzag(i64::from(ties[0].referrer) - i64::from(target));
                for pair in ties.windows(2) {
                    out.put_varint(u64::from(pair[1].referrer - pair[0].referrer - 1));
                }
                next = target + 1;
            }
        }
        out
    }

    /// The ties that these bytes hold.
    pub fn decode(bytes: &[u8]) -> Result<Self, FormatError> {
        let mut reader = Reader::new(bytes);
        reader.version(VERSION, "ties version")?;
        let at = reader.at();
        let zero = u64::from(reader.u8("ties flags")?);
        if zero != 0 {
            return Err(FormatError::new("ties flags", at, zero, Expected::Exactly(0)));
        }
        let at = reader.at();
        let rows = reader.u16("row count")?;
        if usize::from(rows) > SEGMENT_ROWS_MAX {
            let most = Expected::AtMost(SEGMENT_ROWS_MAX as u64);
            return Err(FormatError::new("row count", at, u64::from(rows), most));
        }
        let mut new = Self::default();
        // Every household, loose row and tie takes a byte or more.
        let left = reader.remaining().min(usize::from(rows));
        new.ends.reserve_exact(left);
        let mut end = 0;
        while end < rows {
            let at = reader.at();
            let length = reader.varint("rows of a household")?;
            if length == 0 || length > u64::from(rows - end) {
                let expected = Expected::Words("1 to the rows that are left");
                return Err(FormatError::new("rows of a household", at, length, expected));
            }
            end += length as u16;
            new.ends.push(end);
        }
        let count = reader.varint_max(u64::from(rows), "loose rows")?;
        let mut next = 0;
        for _ in 0..count {
            let row = row_after(&mut reader, next, rows, "loose row")?;
            new.loose.push(row);
            next = row + 1;
        }
        new.list.reserve_exact(reader.remaining() / 2);
        let mut least = 0;
        for _ in 0..reader.varint_max(u64::from(u16::MAX) + 1, "attribute count")? {
            let at = reader.at();
            let attribute = reader.u16("attribute")?;
            if u32::from(attribute) < least {
                let least = Expected::AtLeast(u64::from(least));
                return Err(FormatError::new("attribute", at, u64::from(attribute), least));
            }
            least = u32::from(attribute) + 1;
            new.targets(&mut reader, AttributeNumber(attribute), rows)?;
        }
        reader.end("ties")?;
        Ok(new)
    }

    /// Reads who is named under an attribute, and by whom.
    fn targets(
        &mut self,
        reader: &mut Reader<'_>,
        attribute: AttributeNumber,
        rows: u16,
    ) -> Result<(), FormatError> {
        let at = reader.at();
        let count = reader.varint_max(u64::from(rows), "targets")?;
        if count == 0 {
            return Err(FormatError::new("targets", at, 0, Expected::AtLeast(1)));
        }
        let mut next = 0;
        for _ in 0..count {
            let at = reader.at();
            let head = reader.varint("target")?;
            let target = row_at(u64::from(next) + (head >> 2), rows, "target", at)?;
            next = target + 1;
            let more = match head & MORE {
                MORE => MORE + reader.varint_max(u64::from(rows), "referrers")?,
                few => few,
            };
            let at = reader.at();
            // What lies before the first row becomes too great a number.
            let first = u64::from(target).wrapping_add_signed(reader.zigzag("referrer")?);
            let mut referrer = row_at(first, rows, "referrer", at)?;
            self.list.push(Tie {
                attribute,
                target,
                referrer,
            });
            for _ in 0..more {
                referrer = row_after(reader, referrer + 1, rows, "referrer")?;
                self.list.push(Tie {
                    attribute,
                    target,
                    referrer,
                });
            }
        }
        Ok(())
    }
}

/// The row of a number.
#[inline]
fn row_at(row: u64, rows: u16, what: &'static str, at: usize) -> Result<u16, FormatError> {
    if row < u64::from(rows) {
        Ok(row as u16)
    } else {
        Err(FormatError::new(
            what,
            at,
            row,
            Expected::Words("a row of the segment"),
        ))
    }
}

/// Reads how far a row lies after the first one that it may be.
#[inline]
fn row_after(reader: &mut Reader<'_>, least: u16, rows: u16, what: &'static str) -> Result<u16, FormatError> {
    let at = reader.at();
    let distance = reader.varint(what)?;
    row_at(u64::from(least).saturating_add(distance), rows, what, at)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn tie(attribute: u16, target: u16, referrer: u16) -> Tie {
        Tie {
            attribute: AttributeNumber(attribute),
            target,
            referrer,
        }
    }

    fn ties(households: &[u16], loose: &[u16], all: &[(u16, u16, u16)]) -> Ties {
        let mut new = Ties::default();
        for &rows in households {
            new.push_household(rows);
        }
        for &(attribute, target, referrer) in all {
            new.tie(tie(attribute, target % new.rows(), referrer % new.rows()));
        }
        for &row in loose {
            new.loosen(row % new.rows());
        }
        new
    }

    #[test]
    fn a_family_takes_few_bytes() {
        let mut families = Ties::default();
        for family in 0..200 {
            families.push_household(4);
            for child in 2..4 {
                families.tie(tie(70, family * 4, family * 4 + child));
            }
        }
        let bytes = families.encode();
        assert_eq!(Ties::decode(&bytes).unwrap(), families);
        assert!(bytes.len() <= 4 * 200 + 16, "{}", bytes.len());
    }

    #[test]
    fn what_is_loose_is_not_told() {
        let all = ties(
            &[3, 2, 1],
            &[4],
            &[(70, 0, 2), (70, 0, 4), (70, 3, 2), (71, 0, 1)],
        );
        let of = |attribute| AttributeNumber(attribute);
        assert_eq!(all.household(0), Some(0..3));
        assert_eq!(all.household(2), Some(0..3));
        assert_eq!(all.household(3), None);
        assert_eq!(all.household(5), Some(5..6));
        assert_eq!(all.household(6), None);
        assert_eq!(all.referrers(0, of(70)), None, "one of them is loose");
        assert_eq!(all.referrers(0, of(71)), Some(&[tie(71, 0, 1)][..]));
        assert_eq!(all.referrers(3, of(70)), Some(&[tie(70, 3, 2)][..]));
        assert_eq!(all.referrers(5, of(70)), Some(&[][..]));
        assert_eq!(all.referrers(4, of(70)), None);
        assert_eq!(all.referrers(6, of(70)), None);
        assert_eq!(all.named(2, of(70)), Some(Some(0)));
        assert_eq!(all.named(2, of(71)), Some(None));
        assert_eq!(all.named(4, of(70)), None);
        assert_eq!(all.named(6, of(70)), None);
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let good: &[u8] = &[1, 0, 3, 0, 2, 1, 1, 1, 1, 70, 0, 1, 4, 2];
        assert_eq!(Ties::decode(good).unwrap(), ties(&[2, 1], &[1], &[(70, 1, 2)]));
        let refused: [&[u8]; 14] = [
            &[],
            &[2, 0, 0, 0, 0, 0],
            &[1, 1, 0, 0, 0, 0],
            &[1, 0, 3, 0, 2],
            &[1, 0, 3, 0, 2, 0, 1, 0, 0],
            &[1, 0, 3, 0, 4, 0, 0],
            &[1, 0, 3, 0, 3, 1, 3, 0],
            &[1, 0, 3, 0, 3, 4, 0, 0, 0, 0, 0],
            &[1, 0, 3, 0, 3, 0, 1, 70, 0, 0],
            &[1, 0, 3, 0, 3, 0, 1, 70, 0, 1, 12, 0],
            &[1, 0, 3, 0, 3, 0, 1, 70, 0, 1, 0, 1],
            &[1, 0, 3, 0, 3, 0, 1, 70, 0, 1, 1, 2, 2],
            &[1, 0, 3, 0, 3, 0, 2, 70, 0, 1, 0, 2, 70, 0, 1, 0, 2],
            &[1, 0, 3, 0, 3, 0, 0, 0],
        ];
        for bytes in refused {
            assert!(Ties::decode(bytes).is_err(), "{bytes:?}");
        }
    }

    fn any_ties() -> impl Strategy<Value = Ties> {
        let households = proptest::collection::vec(1_u16..6, 1..160);
        let loose = proptest::collection::vec(any::<u16>(), 0..30);
        let one = (64_u16..67, any::<u16>(), any::<u16>());
        let near = (Just(70_u16), 0_u16..300, 0_u16..300);
        let all = proptest::collection::vec(prop_oneof![one, near], 0..300);
        (households, loose, all).prop_map(|(households, loose, all)| ties(&households, &loose, &all))
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn ties_come_back(ties in any_ties()) {
            prop_assert_eq!(Ties::decode(&ties.encode()).unwrap(), ties);
        }

        #[test]
        fn damage_never_panics(
            ties in any_ties(),
            at in any::<usize>(),
            byte in any::<u8>(),
            cut in any::<usize>(),
        ) {
            let mut bytes = ties.encode();
            let len = bytes.len();
            bytes[at % len] = byte;
            if cut % 3 == 0 {
                bytes.truncate(cut % len);
            }
            if let Ok(read) = Ties::decode(&bytes) {
                prop_assert!(read.ties().is_sorted_by(|a, b| a < b));
                prop_assert_eq!(read.encode(), bytes);
            }
        }
    }
}
