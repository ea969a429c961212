//! What a run came to in one commune: people by status, sums by programme and by payment channel.
//!
//! ```text
//! 0      u8      version, 1
//! 1      6 x     varint: people, paid, paid with something held, zero, held, error
//!        varint  number of programme lines; each, in ascending order of programme and kind:
//!                varint programme; u8 kind (0 paid, 1 held, 2 error); varint people; i128 sum in đồng
//!        varint  number of channel lines; each, in ascending order of channel:
//!                varint channel; varint people paid; i128 sum in đồng
//! ```
//!
//! The statuses other than "paid with something held", which is part of "paid", add up to the people; a block in
//! which they do not is not read, and none is written.

use std::collections::BTreeMap;

use thiserror::Error;

use super::bytes::{Reader, Writer};
use super::error::{Expected, FormatError};
use crate::types::{ProgrammeNumber, Total};

const VERSION: u8 = 1;
/// The fewest bytes of a line of either kind; it bounds how many lines given bytes can hold.
const LINE_BYTES_MIN: usize = 18;

/// What became of a benefit line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum LineKind {
    /// Determined and to be paid.
    Paid = 0,
    /// Held, because something that it depends on is unknown.
    Held = 1,
    /// Not determined, because the calculation failed.
    Error = 2,
}

/// People and the sum of their amounts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tally {
    /// The number of people.
    pub people: u64,
    /// The sum, in đồng.
    pub sum: Total,
}

/// How many people have which status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct StatusCounts {
    /// The people in scope.
    pub people: u64,
    /// Those who are paid something.
    pub paid: u64,
    /// Of those paid, the ones of whom something else is held.
    pub paid_with_held: u64,
    /// Those who are due nothing.
    pub zero: u64,
    /// Those of whom something is held, and who are paid nothing.
    pub held: u64,
    /// Those whose calculation failed.
    pub error: u64,
}

/// The totals of one commune in a run.
///
/// ```
/// use ansinh::format::totals::{CommuneTotals, LineKind, StatusCounts};
/// use ansinh::types::{Dong, ProgrammeNumber};
/// let mut totals = CommuneTotals {
///     status: StatusCounts { people: 3, paid: 1, zero: 2, ..StatusCounts::default() },
///     ..CommuneTotals::default()
/// };
/// totals.add_line(ProgrammeNumber(4), LineKind::Paid, 1, Dong::new(540_000));
/// let mut both = CommuneTotals::decode(&totals.encode())?;
/// both.add(&totals).expect("counts are small");
/// assert_eq!(both.status.people, 6);
/// # Ok::<(), ansinh::format::FormatError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CommuneTotals {
    /// People by status.
    pub status: StatusCounts,
    /// Lines by programme and kind.
    pub programmes: BTreeMap<(ProgrammeNumber, LineKind), Tally>,
    /// People paid and sums by payment channel (a value of the channel attribute).
    pub channels: BTreeMap<u16, Tally>,
}

/// Why two totals cannot be added.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error(
    "a sum of totals exceeds what its number holds: the totals are not those of a real run, verify the file"
)]
pub struct TotalsOverflow;

impl LineKind {
    const fn from_number(number: u8) -> Option<Self> {
        match number {
            0 => Some(Self::Paid),
            1 => Some(Self::Held),
            2 => Some(Self::Error),
            _ => None,
        }
    }
}

impl Tally {
    fn checked_add(self, other: Self) -> Option<Self> {
        Some(Self {
            people: self.people.checked_add(other.people)?,
            sum: Total::new(self.sum.get().checked_add(other.sum.get())?),
        })
    }
}

impl StatusCounts {
    /// Whether the statuses add up to the people in scope.
    pub fn balances(&self) -> bool {
        let sum = [self.paid, self.zero, self.held, self.error]
            .into_iter()
            .try_fold(0, u64::checked_add);
        sum == Some(self.people) && self.paid_with_held <= self.paid
    }

    const fn in_order(&self) -> [u64; 6] {
        [
            self.people,
            self.paid,
            self.paid_with_held,
            self.zero,
            self.held,
            self.error,
        ]
    }

    const fn from_order([people, paid, paid_with_held, zero, held, error]: [u64; 6]) -> Self {
        Self {
            people,
            paid,
            paid_with_held,
            zero,
            held,
            error,
        }
    }

    fn checked_add(&self, other: &Self) -> Option<Self> {
        let mut sums = self.in_order();
        for (sum, count) in sums.iter_mut().zip(other.in_order()) {
            *sum = sum.checked_add(count)?;
        }
        Some(Self::from_order(sums))
    }
}

/// Adds the tallies of `from` to `to`; `None` if one overflows.
fn add_tallies<K: Ord + Copy>(to: &mut BTreeMap<K, Tally>, from: &BTreeMap<K, Tally>) -> Option<()> {
    for (&key, &tally) in from {
        let sum = to.entry(key).or_default();
        *sum = sum.checked_add(tally)?;
    }
    Some(())
}

impl CommuneTotals {
    /// Adds a line of `people` people who have the same amount.
    pub fn add_line(
        &mut self,
        programme: ProgrammeNumber,
        kind: LineKind,
        people: u64,
        amount: crate::types::Dong,
    ) {
        let tally = self.programmes.entry((programme, kind)).or_default();
        tally.people += people;
        tally.sum.add_times(amount, people);
    }

    /// Adds the totals of another commune. On overflow nothing is changed.
    pub fn add(&mut self, other: &Self) -> Result<(), TotalsOverflow> {
        let mut sum = self.clone();
        sum.status = sum.status.checked_add(&other.status).ok_or(TotalsOverflow)?;
        add_tallies(&mut sum.programmes, &other.programmes).ok_or(TotalsOverflow)?;
        add_tallies(&mut sum.channels, &other.channels).ok_or(TotalsOverflow)?;
        *self = sum;
        Ok(())
    }

    /// The bytes of the totals.
    ///
    /// # Panics
    ///
    /// If the statuses do not add up to the people in scope: such totals must never be written.
    pub fn encode(&self) -> Vec<u8> {
        assert!(
            self.status.balances(),
            "statuses do not add up: {:?}",
            self.status
        );
        let mut out = Vec::with_capacity(16 + 24 * (self.programmes.len() + self.channels.len()));
        out.push(VERSION);
        for count in self.status.in_order() {
            out.put_varint(count);
        }
        out.put_varint(self.programmes.len() as u64);
        for (&(programme, kind), tally) in &self.programmes {
            out.put_varint(u64::from(programme.get()));
            out.push(kind as u8);
            put_tally(&mut out, tally);
        }
        out.put_varint(self.channels.len() as u64);
        for (&channel, tally) in &self.channels {
            out.put_varint(u64::from(channel));
            put_tally(&mut out, tally);
        }
        out
    }

    /// Reads totals.
    pub fn decode(bytes: &[u8]) -> Result<Self, FormatError> {
        let mut reader = Reader::new(bytes);
        reader.version(VERSION, "totals version")?;
        let mut counts = [0; 6];
        for count in &mut counts {
            *count = reader.varint("people by status")?;
        }
        let status = StatusCounts::from_order(counts);
        if !status.balances() {
            let expected = Expected::Words("paid, zero, held and error that add up to the people");
            return Err(FormatError::new("people by status", 1, status.people, expected));
        }
        let programmes = decode_lines(&mut reader, |reader| {
            let programme = reader.varint_max(u64::from(u16::MAX), "programme number")? as u16;
            let at = reader.at();
            let kind = reader.u8("line kind")?;
            let kind = LineKind::from_number(kind)
                .ok_or_else(|| FormatError::new("line kind", at, u64::from(kind), Expected::AtMost(2)))?;
            Ok((ProgrammeNumber(programme), kind))
        })?;
        let channels = decode_lines(&mut reader, |reader| {
            Ok(reader.varint_max(u64::from(u16::MAX), "channel")? as u16)
        })?;
        reader.end("totals")?;
        Ok(Self {
            status,
            programmes,
            channels,
        })
    }
}

fn put_tally(out: &mut Vec<u8>, tally: &Tally) {
    out.put_varint(tally.people);
    out.put_i128(tally.sum.get());
}

/// Reads a counted list of tallies whose keys ascend.
fn decode_lines<'a, K: Ord>(
    reader: &mut Reader<'a>,
    mut key: impl FnMut(&mut Reader<'a>) -> Result<K, FormatError>,
) -> Result<BTreeMap<K, Tally>, FormatError> {
    let max = reader.remaining() / LINE_BYTES_MIN;
    let count = reader.varint_max(max as u64, "number of lines")?;
    let mut lines = BTreeMap::new();
    for _ in 0..count {
        let at = reader.at();
        let key = key(reader)?;
        let tally = Tally {
            people: reader.varint("people of a line")?,
            sum: Total::new(reader.i128("sum of a line")?),
        };
        if lines.last_key_value().is_some_and(|(last, _)| *last >= key) {
            let expected = Expected::Words("lines in ascending order");
            return Err(FormatError::new(
                "line of totals",
                at,
                lines.len() as u64,
                expected,
            ));
        }
        lines.insert(key, tally);
    }
    Ok(lines)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::types::Dong;

    fn totals() -> impl Strategy<Value = CommuneTotals> {
        let tally = (0..1_u64 << 40, any::<i64>()).prop_map(|(people, sum)| Tally {
            people,
            sum: Total::new(i128::from(sum) << 20),
        });
        let kind = (0_u8..3).prop_map(|kind| LineKind::from_number(kind).unwrap());
        let programme = (any::<u16>().prop_map(ProgrammeNumber), kind);
        let counts = prop::array::uniform4(0..1_u64 << 40);
        let programmes = prop::collection::btree_map(programme, tally.clone(), 0..6);
        let channels = prop::collection::btree_map(any::<u16>(), tally, 0..6);
        (counts, programmes, channels).prop_map(|([paid, zero, held, error], programmes, channels)| {
            CommuneTotals {
                status: StatusCounts {
                    people: paid + zero + held + error,
                    paid,
                    paid_with_held: paid / 3,
                    zero,
                    held,
                    error,
                },
                programmes,
                channels,
            }
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn totals_come_back_or_are_refused(totals in totals(), at in any::<prop::sample::Index>(), flip in 1_u8..) {
            let mut bytes = totals.encode();
            prop_assert_eq!(CommuneTotals::decode(&bytes).unwrap(), totals.clone());
            let at = at.index(bytes.len());
            prop_assert!(CommuneTotals::decode(&bytes[..at]).is_err());
            bytes[at] ^= flip;
            if let Ok(found) = CommuneTotals::decode(&bytes) {
                prop_assert_ne!(found.encode(), totals.encode());
                prop_assert_eq!(found.encode(), bytes);
            }
        }

        #[test]
        fn sums_do_not_depend_on_the_order(a in totals(), b in totals()) {
            let mut ab = a.clone();
            ab.add(&b).unwrap();
            let mut ba = b.clone();
            ba.add(&a).unwrap();
            prop_assert_eq!(&ab, &ba);
            prop_assert_eq!(ab.status.people, a.status.people + b.status.people);
            let sum = |totals: &CommuneTotals| totals.programmes.values().map(|tally| tally.sum.get()).sum::<i128>();
            prop_assert_eq!(sum(&ab), sum(&a) + sum(&b));
        }
    }

    #[test]
    fn an_overflow_changes_nothing() {
        let mut totals = CommuneTotals::default();
        totals.add_line(ProgrammeNumber(1), LineKind::Held, 2, Dong::new(3));
        totals.channels.insert(
            1,
            Tally {
                people: 1,
                sum: Total::new(i128::MAX),
            },
        );
        let before = totals.clone();
        assert_eq!(totals.add(&before), Err(TotalsOverflow));
        assert_eq!(totals, before);
    }

    #[test]
    fn statuses_must_add_up() {
        let mut bytes = CommuneTotals::default().encode();
        bytes[1] = 1;
        assert_eq!(
            CommuneTotals::decode(&bytes).unwrap_err().what,
            "people by status"
        );
    }
}
