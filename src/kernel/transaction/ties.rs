//! Ties of segments: kept right by marking whatever they no longer tell.

use redb::{ReadableTable, Table};

use super::WriteTransaction;
use crate::format::columns::Row;
use crate::format::locator::{self, Locator, SegmentKey};
use crate::format::ties::Ties;
use crate::kernel::catalogue::{ValueKind, builtin};
use crate::kernel::error::{WriteError, malformed};
use crate::kernel::operation::Subject;
use crate::kernel::tables;
use crate::types::{AttributeNumber, HouseholdNumber, PersonNumber};

type Blocks<'t> = Table<'t, u32, &'static [u8]>;

impl WriteTransaction<'_> {
    /// Whether ties rest on an attribute of persons: on where somebody belongs, and on whom somebody names.
    pub(super) fn ties_show(&self, attribute: AttributeNumber) -> bool {
        if matches!(attribute, builtin::HOUSEHOLD | builtin::RESIDENCE) {
            return true;
        }
        let declared = self.snapshot().catalogue().attribute_by_number(attribute);
        declared.is_some_and(|declared| declared.kind == ValueKind::Person)
    }

    /// Remembers that ties no longer tell all of a person of whom this attribute is being recorded, if they rest on it.
    pub(super) fn note_loose(&mut self, subject: Subject, attribute: AttributeNumber) {
        if let Subject::Person(person) = subject
            && self.ties_show(attribute)
        {
            self.overlay.loosened.push(person);
        }
    }

    /// Writes the ties of rows that were added, and marks those of the persons of whom they no longer tell all. The
    /// locators must be written.
    pub(super) fn write_ties(&self) -> Result<(), WriteError> {
        let overlay = &self.overlay;
        if overlay.loosened.is_empty() && overlay.columns.is_empty() {
            return Ok(());
        }
        let locators = self.transaction.open_table(tables::LOCATORS)?;
        let mut persons = overlay.loosened.clone();
        persons.sort_unstable();
        persons.dedup();
        let mut loosened = Vec::with_capacity(persons.len());
        for block in persons.chunk_by(|a, b| locator::place_of(a.get()).0 == locator::place_of(b.get()).0) {
            locators_of(&locators, block, &mut loosened)?;
        }
        loosened.sort_unstable();
        let mut segments: Vec<SegmentKey> = overlay.columns.keys().copied().collect();
        segments.extend(loosened.iter().map(|at| at.segment));
        segments.sort_unstable();
        segments.dedup();
        let mut table = self.transaction.open_table(tables::TIES)?;
        for segment in segments {
            let stored = match table.get(segment.number())? {
                Some(bytes) => {
                    let wrong = malformed("ties", segment.number());
                    Some(Ties::decode(bytes.value()).map_err(wrong)?)
                }
                None => None,
            };
            let mut ties = stored.clone().unwrap_or_default();
            self.tie_added(segment, &locators, &mut ties)?;
            let start = loosened.partition_point(|at| at.segment < segment);
            let here = loosened[start..].iter().take_while(|at| at.segment == segment);
            for at in here {
                ties.loosen(at.row);
            }
            if stored.as_ref() != Some(&ties) {
                table.insert(segment.number(), ties.encode().as_slice())?;
            }
        }
        Ok(())
    }

    /// Adds the rows that a segment has since this transaction.
    fn tie_added(
        &self,
        segment: SegmentKey,
        locators: &Blocks<'_>,
        ties: &mut Ties,
    ) -> Result<(), WriteError> {
        let columns = self.overlay.columns.get(&segment);
        let rows = columns.map_or(&[][..], |columns| columns.rows.as_slice());
        for row in rows.iter().skip(usize::from(ties.rows())) {
            let at = Locator {
                segment,
                row: ties.rows(),
            };
            ties.push_household(1);
            if !self.stands_alone(row, at, locators)? {
                ties.loosen(at.row);
            }
        }
        Ok(())
    }

    /// Whether a row that was added is the main one of somebody who came without others and names nobody.
    fn stands_alone(&self, row: &Row, at: Locator, locators: &Blocks<'_>) -> Result<bool, WriteError> {
        let mut main = Vec::new();
        locators_of(locators, &[PersonNumber(row.person)], &mut main)?;
        if main != [at] || row.values.iter().any(|&(attribute, _)| self.ties_show(attribute)) {
            return Ok(false);
        }
        if row.household == 0 {
            return Ok(true);
        }
        let record = self.snapshot().household_record(HouseholdNumber(row.household))?;
        Ok(record.is_some_and(|record| (record.first_person, record.people) == (row.person, 1)))
    }
}

/// Appends where the main rows are of persons of one block.
fn locators_of(
    locators: &Blocks<'_>,
    persons: &[PersonNumber],
    found: &mut Vec<Locator>,
) -> Result<(), WriteError> {
    let Some(first) = persons.first() else {
        return Ok(());
    };
    let (block, _) = locator::place_of(first.get());
    let Some(bytes) = locators.get(block)? else {
        return Ok(());
    };
    for person in persons {
        let (_, place) = locator::place_of(person.get());
        let at = locator::get(bytes.value(), place).map_err(malformed("persons", block))?;
        found.extend(at.map(|located| located.at));
    }
    Ok(())
}
