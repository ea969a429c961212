//! The index of occurrences: in which segments the code of a profile occurs or ever occurred.
//!
//! It is only ever added to, so it may name a segment that a code has left, never leave one out that has it. What a
//! segment's rows show of the distant past may stand in facts alone; such segments are entered under a code of their own.

use std::ops::RangeInclusive;

use redb::{ReadableTable, ReadableTableMetadata, Table};

use super::error::{ReadError, WriteError, malformed};
use super::view::View;
use crate::format::FormatError;
use crate::format::hot::HotHead;
use crate::format::locator::SegmentKey;
use crate::types::Month;

/// Whose profiles have a code: some codes are those of persons, some those of households, some of both.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Whose {
    /// Those of persons.
    Persons,
    /// Those of households.
    Households,
}

/// The first of the codes under which segments stand of which a row is answered by the facts before some month, with a
/// profile that the segment does not list: one code for each month, below the codes of profiles that last only as long as
/// a view, above all others.
const BY_FACTS: u32 = (1 << 31) - 1 - Month::MAX.index() as u32;

/// That a code occurs in a segment: bit 63 tells households from persons, 31 bits of code, 32 bits of segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Occurrence(u64);

impl Occurrence {
    pub(crate) fn new(whose: Whose, code: u32, segment: SegmentKey) -> Self {
        let households = u64::from(whose == Whose::Households) << 63;
        Self(households | u64::from(code) << 32 | u64::from(segment.number()))
    }

    /// That a row of a segment is answered by the facts before a month.
    pub(crate) fn by_facts(before: Month, segment: SegmentKey) -> Self {
        Self::new(Whose::Persons, BY_FACTS + u32::from(before.index()), segment)
    }

    /// The key in the table.
    pub(crate) const fn key(self) -> u64 {
        self.0
    }
}

/// Notes every code of a segment, whose front is read into a head that is used again.
pub(crate) fn note_segment(
    key: SegmentKey,
    bytes: &[u8],
    head: &mut HotHead,
    occurrences: &mut Vec<Occurrence>,
) -> Result<(), FormatError> {
    let by_facts = head.answered_from(bytes)?;
    let lists = [
        (Whose::Persons, &head.person_codes),
        (Whose::Households, &head.household_codes),
    ];
    for (whose, codes) in lists {
        occurrences.extend(codes.iter().map(|&code| Occurrence::new(whose, code, key)));
    }
    occurrences.extend(by_facts.map(|before| Occurrence::by_facts(before, key)));
    Ok(())
}

/// The codes of a segment that is about to be written which it has not as it is stored: what it has there is noted.
pub(crate) fn new_of_segment(
    view: &View,
    key: SegmentKey,
    bytes: &[u8],
) -> Result<Vec<Occurrence>, ReadError> {
    let wrong = |error| malformed("hot", key.number())(error);
    let (mut head, mut noted) = (HotHead::default(), Vec::new());
    note_segment(key, bytes, &mut head, &mut noted).map_err(wrong)?;
    if let Some(stored) = view.tables.hot.get(key.number())? {
        let mut known = Vec::with_capacity(noted.len());
        note_segment(key, stored.value(), &mut head, &mut known).map_err(wrong)?;
        known.sort_unstable();
        noted.retain(|occurrence| known.binary_search(occurrence).is_err());
    }
    Ok(noted)
}

/// Adds occurrences, in ascending order, those that the table has already included.
pub(crate) fn add<'o>(
    table: &mut Table<'_, u64, ()>,
    added: impl IntoIterator<Item = &'o Occurrence>,
) -> Result<(), WriteError> {
    for occurrence in added {
        if table.get(occurrence.key())?.is_none() {
            table.insert(occurrence.key(), ())?;
        }
    }
    Ok(())
}

impl View {
    /// How many hot segments there are.
    pub fn segment_count(&self) -> Result<u64, ReadError> {
        Ok(self.tables.hot.len()?)
    }

    /// Shows every segment in which a code of some occurs, or ever occurred: by code, and for each in order, as long as
    /// `visit` wants to see more.
    ///
    /// It tells what segments show as known now. What was known before a later transaction, the facts tell, with
    /// profiles that may stand nowhere else.
    pub fn each_occurrence(
        &self,
        whose: Whose,
        codes: RangeInclusive<u32>,
        visit: &mut dyn FnMut(SegmentKey) -> bool,
    ) -> Result<(), ReadError> {
        let first = Occurrence::new(whose, *codes.start(), SegmentKey::from_number(0));
        let last = Occurrence::new(whose, *codes.end(), SegmentKey::from_number(u32::MAX));
        // The end is found by reading on, because a range with an end costs a second search.
        for entry in self.tables.occurrences.range(first.key()..)? {
            let key = entry?.0.value();
            if key > last.key() || !visit(SegmentKey::from_number(key as u32)) {
                break;
            }
        }
        Ok(())
    }

    /// Shows every segment of which a row may be answered by the facts in a month, with a profile that no segment need
    /// list.
    pub fn each_by_facts(
        &self,
        month: Month,
        visit: &mut dyn FnMut(SegmentKey) -> bool,
    ) -> Result<(), ReadError> {
        let after = BY_FACTS + u32::from(month.index()) + 1;
        self.each_occurrence(
            Whose::Persons,
            after..=BY_FACTS + u32::from(Month::MAX.index()),
            visit,
        )
    }

    /// Checks that the index leaves out no profile that a segment shows. Every hot segment is read for it.
    pub fn verify_occurrences(&self) -> Result<(), ReadError> {
        let (mut head, mut noted) = (HotHead::default(), Vec::new());
        for entry in self.tables.hot.range(0_u32..)? {
            let (key, bytes) = entry?;
            let key = SegmentKey::from_number(key.value());
            noted.clear();
            note_segment(key, bytes.value(), &mut head, &mut noted)
                .map_err(malformed("hot", key.number()))?;
            for &occurrence in &noted {
                if self.tables.occurrences.get(occurrence.key())?.is_none()
                    && !self.reaches(occurrence, key)?
                {
                    let (index, unit) = (key.index(), key.unit());
                    return Err(ReadError::Inconsistent(format!(
                        "the index of occurrences leaves out {occurrence:?} of segment {index} of unit {unit}"
                    )));
                }
            }
        }
        Ok(())
    }

    /// Whether an entry says of a segment that the facts answer before a later month than another entry would.
    fn reaches(&self, occurrence: Occurrence, segment: SegmentKey) -> Result<bool, ReadError> {
        let mut found = false;
        let before = (occurrence.key() >> 32) as u32;
        if (BY_FACTS..1 << 31).contains(&before) {
            let last = BY_FACTS + u32::from(Month::MAX.index());
            self.each_occurrence(Whose::Persons, before..=last, &mut |known| {
                found |= known == segment;
                !found
            })?;
        }
        Ok(found)
    }
}
