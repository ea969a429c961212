//! Questions about the people of one segment after the other: what lies near what was asked last is at hand.
//!
//! A guardian mostly lives where the children live, and a household in one stretch of rows. So a reader that goes through
//! the segments is mostly told by the ties of the segment at hand, and reads nothing else. Where a row is loose, the facts
//! are asked: the columns of the segment are then kept, and what is not near is looked up as everywhere else.

use std::ops::Range;

use redb::{AccessGuard, ReadableTableMetadata};

use super::catalogue::{OnExpiry, builtin};
use super::error::{ReadError, malformed};
use super::fact::{Records, value_in};
use super::scan::{CodedState, SegmentScan};
use super::state::FactRecord;
use super::tables::Tables;
use super::view::View;
use crate::format::columns;
use crate::format::fact::FactKey;
use crate::format::locator::SegmentKey;
use crate::format::reference::Reference;
use crate::format::ties::{Tie, Ties};
use crate::kernel::operation::Subject;
use crate::types::{AttributeNumber, HouseholdNumber, Month, PersonNumber, Sequence, Value};

/// The two ends of months that a run asks about: that of the month, and that of the month before.
pub type Ends = [Option<Month>; 2];

/// Reads about people, best in the order in which their segments stand.
pub struct Near<'a> {
    view: &'a View,
    ends: Ends,
    known: Sequence,
    /// Whether records were ever merged.
    merged: bool,
    at_hand: Option<AtHand>,
    /// The segment of the person who was asked for last by row.
    asked: Option<SegmentKey>,
    /// The ties of the segment that was asked about last.
    ties: Option<(SegmentKey, Ties)>,
}

/// The columns of a segment.
struct AtHand {
    segment: SegmentKey,
    columns: AccessGuard<'static, &'static [u8]>,
    persons: Vec<PersonNumber>,
    /// Persons with their rows, ascending, unless the rows themselves ascend; empty until somebody asks.
    rows: Vec<(PersonNumber, u16)>,
    ascending: bool,
}

impl std::fmt::Debug for Near<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Near")
            .field("ends", &self.ends)
            .finish_non_exhaustive()
    }
}

impl<'a> Near<'a> {
    /// A reader of the ends of two months, as known at a sequence.
    pub fn new(view: &'a View, ends: Ends, known: Sequence) -> Result<Self, ReadError> {
        Ok(Self {
            view,
            ends,
            known,
            merged: !view.tables.merged.is_empty()?,
            at_hand: None,
            asked: None,
            ties: None,
        })
    }

    /// The rows of the household of a row, or that row for somebody without; `None` if rows do not tell.
    ///
    /// Who of them is there at an end of month, their states say. It holds at an end at which the row's own person is.
    pub fn household_rows(
        &mut self,
        scan: &SegmentScan<'_>,
        row: u16,
    ) -> Result<Option<Range<u16>>, ReadError> {
        Ok(self.ties(scan)?.and_then(|ties| ties.household(row)))
    }

    /// The rows whose persons name that of a row under an attribute, those of people who are not there included; `None`
    /// if rows do not tell.
    pub fn referring_rows(
        &mut self,
        scan: &SegmentScan<'_>,
        row: u16,
        attribute: AttributeNumber,
    ) -> Result<Option<&[Tie]>, ReadError> {
        Ok(self.ties(scan)?.and_then(|ties| ties.referrers(row, attribute)))
    }

    /// The row of whomever a row's person names under an attribute, if anybody; `None` if rows do not tell.
    pub fn named_row(
        &mut self,
        scan: &SegmentScan<'_>,
        row: u16,
        attribute: AttributeNumber,
    ) -> Result<Option<Option<u16>>, ReadError> {
        Ok(self.ties(scan)?.and_then(|ties| ties.named(row, attribute)))
    }

    /// The ties of a segment, unless something shows in it that was recorded after the sequence asked for.
    fn ties(&mut self, scan: &SegmentScan<'_>) -> Result<Option<&Ties>, ReadError> {
        let (segment, hot) = (scan.key(), scan.hot());
        if hot.newest > self.known {
            return Ok(None);
        }
        let known = self.ties.take().filter(|(known, _)| *known == segment);
        let ties = match known {
            Some(known) => known,
            None => (segment, self.view.ties(segment)?),
        };
        if usize::from(ties.1.rows()) != hot.rows() {
            return Err(ReadError::Inconsistent(format!(
                "segment {} of unit {} has {} rows and ties of {}",
                segment.index(),
                segment.unit(),
                hot.rows(),
                ties.1.rows()
            )));
        }
        Ok(Some(&self.ties.insert(ties).1))
    }

    /// The person of a row of a segment; `None` if there are fewer rows.
    pub fn person(&mut self, segment: SegmentKey, row: usize) -> Result<Option<PersonNumber>, ReadError> {
        // Of most segments somebody asks for one person. Of others it pays to read all.
        if self.asked.replace(segment) == Some(segment) {
            return Ok(self.persons(segment)?.get(row).copied());
        }
        let columns = columns_of(&self.view.tables, segment)?;
        let person = columns::person(columns.value(), row).map_err(malformed("columns", segment.number()))?;
        Ok(person.map(PersonNumber))
    }

    /// The person of each row of a segment, which is then the one at hand.
    pub fn persons(&mut self, segment: SegmentKey) -> Result<&[PersonNumber], ReadError> {
        let known = self.at_hand.take().filter(|at_hand| at_hand.segment == segment);
        let at_hand = match known {
            Some(at_hand) => at_hand,
            None => AtHand::read(&self.view.tables, segment)?,
        };
        Ok(&self.at_hand.insert(at_hand).persons)
    }

    /// The states of a person at both ends. `scan` is that of the segment at hand.
    pub fn states(
        &mut self,
        person: PersonNumber,
        scan: &SegmentScan<'_>,
    ) -> Result<[Option<CodedState>; 2], ReadError> {
        if self
            .at_hand
            .as_ref()
            .is_some_and(|at_hand| at_hand.segment == scan.key())
            && let Some(row) = self.row_of(person)
        {
            return Ok(scan.states(row));
        }
        match (self.view.snapshot().locator(person)?, self.ends[0]) {
            (Some(at), Some(month)) => {
                let bytes = self.view.segment(at.segment)?;
                SegmentScan::states_of(self.view, at, &bytes, month, self.known)
            }
            _ => Ok([None; 2]),
        }
    }

    fn row_of(&mut self, person: PersonNumber) -> Option<u16> {
        self.at_hand.as_mut().and_then(|at_hand| at_hand.row_of(person))
    }

    /// Everyone whose record of an attribute ever named a person, or somebody who was merged into the person: with whom
    /// they named, ascending.
    pub fn ever_referring(
        &self,
        target: PersonNumber,
        attribute: AttributeNumber,
    ) -> Result<Vec<Reference>, ReadError> {
        let mut found = Vec::new();
        if self.merged {
            for record in self.view.records_of(target, self.known)? {
                self.referring(record, attribute, &mut found)?;
            }
        } else {
            self.referring(target, attribute, &mut found)?;
        }
        found.sort_unstable_by_key(|reference| (reference.referrer, reference.target));
        Ok(found)
    }

    fn referring(
        &self,
        target: PersonNumber,
        attribute: AttributeNumber,
        found: &mut Vec<Reference>,
    ) -> Result<(), ReadError> {
        let reference = |referrer| Reference {
            attribute,
            target,
            referrer,
        };
        let referrers = self.view.ever_referring(target, attribute)?;
        found.extend(referrers.into_iter().map(reference));
        Ok(())
    }

    /// The value of an attribute of a person at both ends; `None` without a record.
    pub fn values(
        &mut self,
        person: PersonNumber,
        attribute: AttributeNumber,
    ) -> Result<[Option<Value>; 2], ReadError> {
        let (ends, known) = (self.ends, self.known);
        let Some(declared) = self.view.catalogue.attribute_by_number(attribute) else {
            return Ok([None; 2]);
        };
        let on_expiry = declared.on_expiry;
        let in_profile = declared.in_profile();
        let records = self.records(person, attribute)?;
        if !records.is_empty() {
            let records = Records::new(records);
            return Ok(ends.map(|end| value_in(records.all(), end?, known, on_expiry)));
        }
        let row = if in_profile { None } else { self.row_of(person) };
        let (Some(row), Some(at_hand)) = (row, &self.at_hand) else {
            let value = |end: Option<Month>| match end {
                Some(end) => self.view.value_of(person.into(), attribute, end, known),
                None => Ok(None),
            };
            return Ok([value(ends[0])?, value(ends[1])?]);
        };
        let original = columns::original(at_hand.columns.value(), usize::from(row), attribute)
            .map_err(malformed("columns", at_hand.segment.number()))?;
        Ok(ends.map(|end| {
            let original =
                original.filter(|original| original.recorded <= known && Some(original.began) <= end)?;
            original.value
        }))
    }

    /// The household of which a person is a member at both ends.
    pub fn households(&mut self, person: PersonNumber) -> Result<[Option<HouseholdNumber>; 2], ReadError> {
        let (ends, known) = (self.ends, self.known);
        let number = |number: u32| (number != 0).then_some(HouseholdNumber(number));
        let records = self.records(person, builtin::HOUSEHOLD)?;
        if !records.is_empty() {
            let records = Records::new(records);
            return Ok(
                ends.map(|end| match value_in(records.all(), end?, known, OnExpiry::Keep) {
                    Some(Value::Integer(household)) => number(household as u32),
                    _ => None,
                }),
            );
        }
        let row = match (self.row_of(person), &self.at_hand) {
            (Some(row), Some(at_hand)) => columns::row(at_hand.columns.value(), usize::from(row))
                .map_err(malformed("columns", at_hand.segment.number()))?,
            _ => match self.view.snapshot().locator(person)? {
                Some(at) => Some(self.view.snapshot().column_row(at)?),
                None => None,
            },
        };
        Ok(ends.map(|end| {
            let row = row
                .as_ref()
                .filter(|row| row.recorded <= known && Some(row.began) <= end)?;
            number(row.household)
        }))
    }

    /// The record that stands for a record after every merger that was known.
    pub fn stands_for(&self, person: PersonNumber) -> Result<PersonNumber, ReadError> {
        if self.merged {
            self.view.stands_for(person, self.known)
        } else {
            Ok(person)
        }
    }

    fn records(
        &self,
        person: PersonNumber,
        attribute: AttributeNumber,
    ) -> Result<Vec<FactRecord>, ReadError> {
        let (kind, number) = Subject::Person(person).key();
        let range = FactKey::range_of_attribute(kind, number, attribute);
        self.view.snapshot().facts_between(person.into(), range)
    }
}

fn columns_of(
    tables: &Tables,
    segment: SegmentKey,
) -> Result<AccessGuard<'static, &'static [u8]>, ReadError> {
    tables.columns.get(segment.number())?.ok_or_else(|| {
        ReadError::Inconsistent(format!(
            "columns of segment {} of unit {} are not stored",
            segment.index(),
            segment.unit()
        ))
    })
}

impl AtHand {
    fn read(tables: &Tables, segment: SegmentKey) -> Result<Self, ReadError> {
        let columns = columns_of(tables, segment)?;
        let persons = columns::persons(columns.value()).map_err(malformed("columns", segment.number()))?;
        Ok(Self {
            segment,
            columns,
            ascending: persons.is_sorted(),
            persons: persons.into_iter().map(PersonNumber).collect(),
            rows: Vec::new(),
        })
    }

    fn row_of(&mut self, person: PersonNumber) -> Option<u16> {
        if self.ascending {
            return self.persons.binary_search(&person).ok().map(|row| row as u16);
        }
        if self.rows.is_empty() {
            self.rows.extend(self.persons.iter().copied().zip(0..));
            self.rows.sort_unstable();
        }
        let found = self.rows.binary_search_by_key(&person, |&(person, _)| person);
        found.ok().map(|at| self.rows[at].1)
    }
}
