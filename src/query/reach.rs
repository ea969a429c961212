//! Which segments a search opens: those of all places where somebody may match or, where few profiles may, those in
//! which the index of occurrences has them.

use std::ops::RangeInclusive;

use rustc_hash::FxHashMap;

use super::classes::Classes;
use crate::format::locator::SegmentKey;
use crate::kernel::{ReadError, View, Whose};
use crate::types::{Month, UnitNumber};

/// What a search in the index costs, about, in nanoseconds; an entry that is read on from there; and the opening of a
/// segment, of which the front is read.
const SEARCH_NANOS: u64 = 1_000;
const ENTRY_NANOS: u64 = 25;
const SEGMENT_NANOS: u64 = 3_000;
/// Asking the index may cost this part of what it may spare, because it may turn out to spare nothing.
const ASKING_PART: u64 = 32;
/// And in any case as much as nobody notices.
const ASKING_NANOS: u64 = 200_000;
/// Where there are fewer units than this, the segments of one are shared out too.
const UNITS_MANY: usize = 512;
/// The segments of such a part of a unit.
const SEGMENTS_OF_PART: u16 = 16;

/// The segments to open, in parts to be shared out.
pub(super) struct Reach {
    /// First and last segment of each part, both included, ascending.
    pub(super) ranges: Vec<(SegmentKey, SegmentKey)>,
    /// Whether the index named them.
    pub(super) by_index: bool,
}

/// The units in which somebody may match, by number.
pub(super) struct Units {
    possible: Vec<bool>,
    count: usize,
}

impl Units {
    /// Those of a view of which `possible` is so.
    pub(super) fn of(view: &View, mut possible: impl FnMut(UnitNumber) -> bool) -> Self {
        // Units are numbered from 1 without a gap.
        let units = view.units().iter().map(|unit| unit.number);
        let possible: Vec<bool> = std::iter::once(false).chain(units.map(&mut possible)).collect();
        Self {
            count: possible.iter().filter(|&&possible| possible).count(),
            possible,
        }
    }

    /// Whether somebody of this unit may match.
    pub(super) fn has(&self, unit: u16) -> bool {
        self.possible.get(usize::from(unit)).copied().unwrap_or(false)
    }

    fn all(&self) -> impl Iterator<Item = u16> + '_ {
        (0..)
            .zip(&self.possible)
            .filter(|(_, possible)| **possible)
            .map(|(unit, _)| unit)
    }
}

impl Reach {
    /// Every segment of some units.
    pub(super) fn all(view: &View, units: &Units, workers: usize) -> Result<Self, ReadError> {
        let mut ranges = Vec::new();
        for unit in units.all() {
            if units.count >= UNITS_MANY || workers == 1 {
                ranges.push(all_of(unit));
                continue;
            }
            let Some(last) = view.last_segment_of(unit)? else {
                continue;
            };
            for first in (0..=last.index()).step_by(usize::from(SEGMENTS_OF_PART)) {
                let end = first.saturating_add(SEGMENTS_OF_PART - 1).min(last.index());
                ranges.push((SegmentKey::new(unit, first), SegmentKey::new(unit, end)));
            }
        }
        Ok(Self {
            ranges,
            by_index: false,
        })
    }

    /// The segments of some units in which somebody may match in a month, as known now; `None` if the index spares too little, or it
    /// would take too long to tell.
    pub(super) fn by_index(
        view: &View,
        units: &Units,
        month: Month,
        (persons, households): (&Classes, &Classes),
    ) -> Result<Option<Self>, ReadError> {
        let sides = [(Whose::Persons, persons), (Whose::Households, households)];
        let sides = sides.into_iter().filter(|(_, classes)| !classes.all_possible());
        let mut sides: Vec<(Whose, Vec<RangeInclusive<u32>>)> = sides
            .map(|(whose, classes)| (whose, classes.possible_codes(view)))
            .collect();
        sides.sort_by_key(|(_, codes)| codes.len());
        let in_all = view.segment_count()? * units.count as u64 / (view.units().len() as u64).max(1);
        let mut found: Option<Segments> = None;
        for (whose, codes) in sides {
            // The first side must leave half of the segments out, and the other then spares what the first has left.
            let (worth, most) = match &found {
                None => (in_all, in_all.div_ceil(2)),
                Some(found) => (found.count, u64::MAX),
            };
            let nanos = (worth * SEGMENT_NANOS / ASKING_PART).max(ASKING_NANOS);
            if let Some(segments) = Segments::having(view, units, (whose, &codes), nanos, most)? {
                found = Some(match found {
                    None => segments,
                    Some(before) => before.and(&segments),
                });
            }
        }
        let Some(mut found) = found else { return Ok(None) };
        view.each_by_facts(month, &mut |segment| {
            if units.has(segment.unit()) {
                found.insert(segment);
            }
            true
        })?;
        Ok(Some(Self {
            ranges: found.ranges(),
            by_index: true,
        }))
    }
}

/// Every segment that a unit may have.
pub(super) fn all_of(unit: u16) -> (SegmentKey, SegmentKey) {
    (SegmentKey::new(unit, 0), SegmentKey::new(unit, u16::MAX))
}

/// A set of segments, as bits: the segments of a unit are mostly in one word.
#[derive(Default)]
struct Segments {
    words: FxHashMap<u32, u64>,
    count: u64,
}

impl Segments {
    /// The segments of some units in which some codes are, unless more than `most` are found, or looking would take more
    /// than so many nanoseconds, about.
    fn having(
        view: &View,
        units: &Units,
        (whose, codes): (Whose, &[RangeInclusive<u32>]),
        nanos: u64,
        most: u64,
    ) -> Result<Option<Self>, ReadError> {
        let mut segments = Self::default();
        let mut left = nanos.checked_sub(codes.len() as u64 * SEARCH_NANOS);
        for range in codes {
            if left.is_none() {
                return Ok(None);
            }
            view.each_occurrence(whose, range.clone(), &mut |segment| {
                left = left.and_then(|left| left.checked_sub(ENTRY_NANOS));
                if units.has(segment.unit()) {
                    segments.insert(segment);
                }
                if segments.count > most {
                    left = None;
                }
                left.is_some()
            })?;
        }
        Ok(left.map(|_| segments))
    }

    fn insert(&mut self, segment: SegmentKey) {
        let word = self.words.entry(segment.number() / u64::BITS).or_default();
        let bit = 1 << (segment.number() % u64::BITS);
        self.count += u64::from(*word & bit == 0);
        *word |= bit;
    }

    /// The segments that are in both.
    fn and(mut self, other: &Self) -> Self {
        self.words.retain(|word, bits| {
            *bits &= other.words.get(word).copied().unwrap_or(0);
            *bits != 0
        });
        self.count = self.words.values().map(|bits| u64::from(bits.count_ones())).sum();
        self
    }

    /// Stretches of neighbours, ascending.
    fn ranges(self) -> Vec<(SegmentKey, SegmentKey)> {
        let mut words: Vec<(u32, u64)> = self.words.into_iter().collect();
        words.sort_unstable_by_key(|&(word, _)| word);
        let mut ranges: Vec<(u32, u32)> = Vec::new();
        for (word, mut bits) in words {
            while bits != 0 {
                let number = word * u64::BITS + bits.trailing_zeros();
                bits &= bits - 1;
                match ranges.last_mut() {
                    Some((first, last))
                        if *last + 1 == number && number - *first < u32::from(SEGMENTS_OF_PART) =>
                    {
                        *last = number;
                    }
                    _ => ranges.push((number, number)),
                }
            }
        }
        let key = SegmentKey::from_number;
        ranges
            .into_iter()
            .map(|(first, last)| (key(first), key(last)))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    fn set(numbers: &BTreeSet<u32>) -> Segments {
        let mut segments = Segments::default();
        for &number in numbers {
            segments.insert(SegmentKey::from_number(number));
            segments.insert(SegmentKey::from_number(number));
        }
        segments
    }

    proptest! {
        #[test]
        fn sets_of_segments_are_sets(
            some in proptest::collection::btree_set(prop_oneof![0_u32..300, 65_400_u32..65_700, Just(u32::MAX)], 0..200),
            others in proptest::collection::btree_set(prop_oneof![0_u32..300, 65_400_u32..65_700, Just(u32::MAX)], 0..200),
        ) {
            for (segments, expected) in [
                (set(&some), some.clone()),
                (set(&some).and(&set(&others)), &some & &others),
            ] {
                prop_assert_eq!(segments.count, expected.len() as u64);
                let ranges = segments.ranges();
                let listed: Vec<u32> = ranges
                    .iter()
                    .flat_map(|(first, last)| first.number()..=last.number())
                    .collect();
                prop_assert_eq!(listed, expected.into_iter().collect::<Vec<_>>());
            }
        }
    }
}
