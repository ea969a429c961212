//! Reading: the tables at a snapshot, and over them what a transaction has changed.

use std::collections::BTreeSet;

use super::catalogue::{Attribute, Catalogue, builtin};
use super::error::{ReadError, malformed};
use super::fact::{Records, value_in};
use super::history::{HouseholdHistory, PersonHistory, number_value, residence_in};
use super::operation::Subject;
use super::overlay::{HotChanges, Overlay};
use super::profile::Profile;
use super::state::{Content, FactRecord};
use super::tables::{self, collect};
use super::unit_index::{NOWHERE, UnitIndex};
use super::view::View;
use crate::format::columns::{self, ColumnSegment, Original};
use crate::format::dossier::DossierBlock;
use crate::format::fact::{self, FactKey};
use crate::format::hot::{BIRTH_MONTH_UNKNOWN, HotRow, HotSegment};
use crate::format::household::{self, HouseholdRecord};
use crate::format::locator::{self, Located, Locator, SegmentKey};
use crate::format::reference::{self, Reference};
use crate::types::Dossier;
use crate::types::{
    AttributeNumber, BirthDate, HouseholdId, HouseholdNumber, Identifier, Month, PersonNumber, Sequence,
    UnitNumber, Value,
};

/// A view, or a view with the changes of a transaction over it.
#[derive(Clone, Copy)]
pub(crate) struct Snapshot<'a> {
    pub(crate) view: &'a View,
    pub(crate) overlay: Option<&'a Overlay>,
}

impl Subject {
    /// The kind and number under which facts are kept.
    pub(crate) const fn key(self) -> (u8, u32) {
        match self {
            Self::Person(number) => (0, number.get()),
            Self::Household(number) => (1, number.get()),
            Self::Commune(number) => (2, number.get() as u32),
        }
    }
}

impl<'a> Snapshot<'a> {
    /// The catalogue.
    pub(crate) fn catalogue(self) -> &'a Catalogue {
        self.overlay
            .and_then(|overlay| overlay.catalogue.as_deref())
            .unwrap_or(&self.view.catalogue)
    }

    /// The units.
    pub(crate) fn units(self) -> &'a UnitIndex {
        self.overlay
            .and_then(|overlay| overlay.units.as_ref())
            .unwrap_or(&self.view.units)
    }

    /// How many persons were ever entered.
    pub(crate) fn persons(self) -> u32 {
        self.overlay
            .map_or(self.view.head.persons, |overlay| overlay.head.persons)
    }

    /// How many households were ever made.
    pub(crate) fn households(self) -> u32 {
        self.overlay
            .map_or(self.view.head.households, |overlay| overlay.head.households)
    }

    /// The profile of a code.
    pub(crate) fn profile(self, code: u32) -> Result<Profile, ReadError> {
        let committed = self.view.head.profiles;
        let profile = match self.overlay {
            Some(overlay) if code >= committed => overlay.profiles.get((code - committed) as usize).cloned(),
            _ => self.view.profiles.read().get(code),
        };
        profile.ok_or_else(|| ReadError::Inconsistent(format!("profile code {code} is not stored")))
    }

    /// Who was given an identifier last.
    pub(crate) fn holder(self, identifier: Identifier) -> Result<Option<PersonNumber>, ReadError> {
        if let Some(&person) = self
            .overlay
            .and_then(|overlay| overlay.ids.get(&identifier.key()))
        {
            return Ok(Some(PersonNumber(person)));
        }
        let found = tables::indexed(&self.view.tables.ids, "ids", identifier.key())?;
        Ok(found.map(PersonNumber))
    }

    /// Who was given an identifier after a person was inserted with it or without: sequences and persons.
    pub(crate) fn later_holders(
        self,
        identifier: Identifier,
    ) -> Result<Vec<(Sequence, PersonNumber)>, ReadError> {
        let key = identifier.key();
        let (first, last) = (tables::holder_key(key, 0), tables::holder_key(key, u64::MAX));
        let mut holders = collect(
            self.view.tables.id_holders.range::<&[u8; 11]>(&first..=&last)?,
            |key, person| {
                let mut sequence = [0; 8];
                sequence[2..].copy_from_slice(&key[5..]);
                Ok((Sequence(u64::from_be_bytes(sequence)), PersonNumber(person)))
            },
        )?;
        if let Some(overlay) = self.overlay {
            let newer = overlay.id_holders.range((key, 0)..=(key, u64::MAX));
            holders.extend(newer.map(|(&(_, sequence), &person)| (Sequence(sequence), PersonNumber(person))));
            holders.sort_by_key(|&(sequence, _)| sequence);
        }
        Ok(holders)
    }

    /// The household of an outside ID.
    pub(crate) fn household_of(self, id: HouseholdId) -> Result<Option<HouseholdNumber>, ReadError> {
        if let Some(&household) = self
            .overlay
            .and_then(|overlay| overlay.household_ids.get(&id.packed()))
        {
            return Ok(Some(HouseholdNumber(household)));
        }
        let found = tables::indexed(&self.view.tables.household_ids, "household_ids", id.packed())?;
        Ok(found.map(HouseholdNumber))
    }

    /// Where the first row of a person is.
    pub(crate) fn locator(self, person: PersonNumber) -> Result<Option<Locator>, ReadError> {
        Ok(self.located(person)?.map(|found| found.at))
    }

    /// Where the first row of a person is, and whether there are committed facts.
    pub(crate) fn located(self, person: PersonNumber) -> Result<Option<Located>, ReadError> {
        if let Some(&at) = self
            .overlay
            .and_then(|overlay| overlay.locators.get(&person.get()))
        {
            return Ok(Some(Located { at, has_facts: false }));
        }
        let (block, place) = locator::place_of(person.get());
        match self.view.tables.locators.get(block)? {
            Some(bytes) => locator::get(bytes.value(), place).map_err(malformed("persons", block)),
            None => Ok(None),
        }
    }

    /// Where every row of a person is.
    pub(crate) fn rows(self, person: PersonNumber) -> Result<BTreeSet<Locator>, ReadError> {
        match self.locator(person)? {
            Some(first) => self.rows_beside(first, person),
            None => Ok(BTreeSet::new()),
        }
    }

    /// The first row of a person, and where every other one is.
    pub(crate) fn rows_beside(
        self,
        first: Locator,
        person: PersonNumber,
    ) -> Result<BTreeSet<Locator>, ReadError> {
        let number = person.get();
        let mut rows = BTreeSet::from([first]);
        let (first, last) = (tables::row_key(number, 0), tables::row_key(number, u16::MAX));
        let stored = collect(
            self.view.tables.rows.range::<&[u8; 6]>(&first..=&last)?,
            |key, place| {
                let unit = u16::from_be_bytes([key[4], key[5]]);
                Ok(Locator {
                    segment: SegmentKey::new(unit, (place >> 16) as u16),
                    row: place as u16,
                })
            },
        )?;
        rows.extend(stored);
        if let Some(overlay) = self.overlay {
            let newer = overlay.rows.range((number, 0)..=(number, u16::MAX));
            rows.extend(newer.map(|(&(_, unit), &(index, row))| Locator {
                segment: SegmentKey::new(unit, index),
                row,
            }));
        }
        Ok(rows)
    }

    /// A hot segment, decoded.
    pub(crate) fn hot(self, segment: SegmentKey) -> Result<Option<HotSegment>, ReadError> {
        match self.overlay.and_then(|overlay| overlay.hot.get(&segment)) {
            Some(HotChanges::Whole(hot)) => Ok(Some(hot.clone())),
            Some(changes) => self.view.changed_hot(segment, changes).map(Some),
            None => self.view.stored_hot(segment),
        }
    }

    /// A column segment, decoded.
    pub(crate) fn columns(self, segment: SegmentKey) -> Result<Option<ColumnSegment>, ReadError> {
        if let Some(columns) = self.overlay.and_then(|overlay| overlay.columns.get(&segment)) {
            return Ok(Some(columns.clone()));
        }
        let number = segment.number();
        let stored = self.view.tables.columns.get(number)?;
        stored
            .map(|bytes| ColumnSegment::decode(bytes.value()).map_err(malformed("columns", number)))
            .transpose()
    }

    /// What the first row of a person shows.
    pub(crate) fn row_shown(self, person: PersonNumber) -> Result<Option<super::view::RowShown>, ReadError> {
        let Some(at) = self.locator(person)? else {
            return Ok(None);
        };
        let number = at.segment.number();
        let bytes = self.view.tables.hot.get(number)?.ok_or_else(|| no_row(at))?;
        let hot = HotRow::read(bytes.value(), usize::from(at.row)).map_err(malformed("hot", number))?;
        let hot = hot.ok_or_else(|| no_row(at))?;
        Ok(Some(super::view::RowShown {
            unit: crate::types::UnitNumber(at.segment.unit()),
            person: hot.person,
            household: hot.household,
            birth: hot.birth,
        }))
    }

    /// The profile code and the birth code of a row.
    pub(crate) fn hot_row(self, at: Locator) -> Result<(u32, u16), ReadError> {
        let row = usize::from(at.row);
        match self.overlay.and_then(|overlay| overlay.hot.get(&at.segment)) {
            Some(HotChanges::Whole(hot)) => {
                return match (hot.persons.get(row), hot.births.get(row)) {
                    (Some(&person), Some(&birth)) => Ok((person, birth)),
                    _ => Err(no_row(at)),
                };
            }
            Some(HotChanges::Rows(rows)) => {
                if let Some(shown) = rows.get(&at.row) {
                    return Ok((shown.person, shown.birth));
                }
            }
            None => {}
        }
        let number = at.segment.number();
        let bytes = self.view.tables.hot.get(number)?.ok_or_else(|| no_row(at))?;
        let hot = HotRow::read(bytes.value(), row)
            .map_err(malformed("hot", number))?
            .ok_or_else(|| no_row(at))?;
        Ok((hot.person, hot.birth))
    }

    /// A row of a column segment.
    pub(crate) fn column_row(self, at: Locator) -> Result<columns::Row, ReadError> {
        let row = usize::from(at.row);
        if let Some(columns) = self.overlay.and_then(|overlay| overlay.columns.get(&at.segment)) {
            return columns.rows.get(row).cloned().ok_or_else(|| no_row(at));
        }
        let number = at.segment.number();
        let bytes = self.view.tables.columns.get(number)?.ok_or_else(|| no_row(at))?;
        columns::row(bytes.value(), row)
            .map_err(malformed("columns", number))?
            .ok_or_else(|| no_row(at))
    }

    /// The records of facts of a subject, without those that only columns hold. `committed` says whether there may be
    /// any in the table.
    fn facts(self, subject: Subject, committed: bool) -> Result<Vec<FactRecord>, ReadError> {
        let (kind, number) = subject.key();
        let mut records = Vec::new();
        self.add_facts(&mut records, subject, FactKey::range_of(kind, number), committed)?;
        Ok(records)
    }

    /// The records of facts of a subject with keys from one to another.
    pub(crate) fn facts_between(
        self,
        subject: Subject,
        range: (FactKey, FactKey),
    ) -> Result<Vec<FactRecord>, ReadError> {
        let committed = match subject {
            Subject::Person(person) => self.located(person)?.is_some_and(|found| found.has_facts),
            Subject::Household(household) => self
                .household_record(household)?
                .is_some_and(|record| record.has_facts),
            Subject::Commune(_) => true,
        };
        let mut records = Vec::new();
        self.add_facts(&mut records, subject, range, committed)?;
        Ok(records)
    }

    fn add_facts(
        self,
        records: &mut Vec<FactRecord>,
        subject: Subject,
        (first, last): (FactKey, FactKey),
        committed: bool,
    ) -> Result<(), ReadError> {
        if committed {
            // The end is found by reading on, because a range with an end costs a second search.
            let start = first.encode();
            for entry in self.view.tables.facts.range::<&[u8; fact::KEY_BYTES]>(&start..)? {
                let (key, value) = entry?;
                let wrong = |error| malformed("facts", format!("{subject:?}"))(error);
                let key = FactKey::decode(*key.value()).map_err(wrong)?;
                if key > last {
                    break;
                }
                if self
                    .overlay
                    .is_some_and(|overlay| overlay.facts.contains_key(&key))
                {
                    continue;
                }
                records.push(fact_record(key, fact::decode(value.value()).map_err(wrong)?));
            }
        }
        if let Some(overlay) = self.overlay {
            let newer = overlay.facts.range(first..=last);
            records.extend(newer.map(|(&key, content)| fact_record(key, content.clone())));
        }
        Ok(())
    }

    /// The committed records of every unit that has any, by unit.
    pub(crate) fn all_commune_facts(
        self,
    ) -> Result<Vec<(crate::types::UnitNumber, Vec<FactRecord>)>, ReadError> {
        let (first, _) = FactKey::range_of(Subject::Commune(crate::types::UnitNumber(0)).key().0, 0);
        let start = first.encode();
        let mut units: Vec<(crate::types::UnitNumber, Vec<FactRecord>)> = Vec::new();
        for entry in self.view.tables.facts.range::<&[u8; fact::KEY_BYTES]>(&start..)? {
            let (key, value) = entry?;
            let wrong = || malformed("facts", "of communes");
            let key = FactKey::decode(*key.value()).map_err(wrong())?;
            let unit = crate::types::UnitNumber(key.number as u16);
            let record = fact_record(key, fact::decode(value.value()).map_err(wrong())?);
            match units.last_mut() {
                Some((last, records)) if *last == unit => records.push(record),
                _ => units.push((unit, vec![record])),
            }
        }
        Ok(units)
    }

    /// A household as its record began.
    pub(crate) fn household_record(
        self,
        household: HouseholdNumber,
    ) -> Result<Option<HouseholdRecord>, ReadError> {
        if let Some(record) = self
            .overlay
            .and_then(|overlay| overlay.households.get(&household.get()))
        {
            return Ok(Some(record.clone()));
        }
        let (block, place) = household::place_of(household.get());
        let Some(bytes) = self.view.tables.households.get(block)? else {
            return Ok(None);
        };
        household::record(bytes.value(), place).map_err(malformed("households", block))
    }

    /// Everyone who was ever a member of a household, by number.
    pub(crate) fn ever_members(self, household: HouseholdNumber) -> Result<Vec<PersonNumber>, ReadError> {
        let Some(record) = self.household_record(household)? else {
            return Ok(Vec::new());
        };
        let number = household.get();
        let mut members: BTreeSet<u32> =
            (record.first_person..record.first_person.saturating_add(record.people)).collect();
        let (first, last) = (tables::pair_key(number, 0), tables::pair_key(number, u32::MAX));
        members.extend(collect(
            self.view.tables.members.range::<&[u8; 8]>(&first..=&last)?,
            |key, ()| Ok(tables::second_of_pair(*key)),
        )?);
        if let Some(overlay) = self.overlay {
            let newer = overlay.members.range((number, 0)..=(number, u32::MAX));
            members.extend(newer.map(|&(_, person)| person));
        }
        Ok(members.into_iter().map(PersonNumber).collect())
    }

    /// Everyone who was ever merged into a person, by number.
    pub(crate) fn ever_merged(self, person: PersonNumber) -> Result<Vec<PersonNumber>, ReadError> {
        let number = person.get();
        let (first, last) = (tables::pair_key(number, 0), tables::pair_key(number, u32::MAX));
        let stored = collect(
            self.view.tables.merged.range::<&[u8; 8]>(&first..=&last)?,
            |key, ()| Ok(tables::second_of_pair(*key)),
        )?;
        let mut merged: BTreeSet<u32> = stored.into_iter().collect();
        if let Some(overlay) = self.overlay {
            merged.extend(
                overlay
                    .merged
                    .range((number, 0)..=(number, u32::MAX))
                    .map(|&(_, other)| other),
            );
        }
        Ok(merged.into_iter().map(PersonNumber).collect())
    }

    /// Everyone whose record of an attribute ever named a person, by number.
    pub(crate) fn ever_referring(
        self,
        target: PersonNumber,
        attribute: AttributeNumber,
    ) -> Result<Vec<PersonNumber>, ReadError> {
        let reference = |referrer| Reference {
            attribute,
            target,
            referrer: PersonNumber(referrer),
        };
        let last = reference(u32::MAX).key();
        let mut found = Vec::new();
        // Backwards from the last block that may hold one, to the first that begins before them all.
        for entry in self
            .view
            .tables
            .references
            .range::<&[u8; reference::KEY_BYTES]>(..=&last)?
            .rev()
        {
            let (key, bytes) = entry?;
            let first = Reference::of_key(*key.value());
            if first.attribute != attribute {
                break;
            }
            let wrong = |error| malformed("references", format!("{first:?}"))(error);
            found.extend(reference::referrers(first, bytes.value(), target).map_err(wrong)?);
            if first.target < target {
                break;
            }
        }
        if let Some(overlay) = self.overlay {
            let newer = overlay.references.range(reference(0)..=reference(u32::MAX));
            found.extend(newer.map(|reference| reference.referrer));
        }
        found.sort_unstable();
        found.dedup();
        Ok(found)
    }

    /// The value on record of one declared attribute of a subject: the one that its whole state has. Only the
    /// attribute's own records are read, and where there is none, the column or the profile.
    pub(crate) fn value_of(
        self,
        subject: Subject,
        attribute: AttributeNumber,
        month: Month,
        known: Sequence,
    ) -> Result<Option<Value>, ReadError> {
        let Some(declared) = self.catalogue().attribute_by_number(attribute) else {
            return Ok(None);
        };
        let (kind, number) = subject.key();
        let range = FactKey::range_of_attribute(kind, number, attribute);
        let (mut records, mut household) = (Vec::new(), None);
        if let Subject::Household(number) = subject {
            household = self.household_record(number)?;
            let has_facts = household.as_ref().is_some_and(|record| record.has_facts);
            self.add_facts(&mut records, subject, range, has_facts)?;
        } else {
            records = self.facts_between(subject, range)?;
        }
        if !records.is_empty() {
            let records = Records::new(records);
            return Ok(value_in(records.all(), month, known, declared.on_expiry));
        }
        let original = match (subject, household) {
            (Subject::Person(person), _) => self.original_of_person(person, declared)?,
            (_, Some(record)) => Some(Original {
                began: record.began,
                recorded: record.recorded,
                value: self.profile(record.profile)?.get(attribute),
            }),
            (_, None) => None,
        };
        Ok(original
            .filter(|original| original.recorded <= known && original.began <= month)
            .and_then(|original| original.value))
    }

    /// The value of a declared attribute with which a person's record began, if no fact says otherwise.
    fn original_of_person(
        self,
        person: PersonNumber,
        declared: &Attribute,
    ) -> Result<Option<Original>, ReadError> {
        if person.get() == 0 || person.get() > self.persons() {
            return Ok(None);
        }
        let Some(at) = self.locator(person)? else {
            return Ok(None);
        };
        let in_profile = if declared.in_profile() {
            let value = self.profile(self.hot_row(at)?.0)?.get(declared.number);
            if value.is_none() {
                return Ok(None);
            }
            value
        } else {
            None
        };
        let number = at.segment.number();
        let in_overlay = self.overlay.and_then(|overlay| overlay.columns.get(&at.segment));
        let found = if in_overlay.is_some() {
            let row = self.column_row(at)?;
            let mut values = row.values.iter();
            let value = values.find(|(attribute, _)| *attribute == declared.number);
            Original {
                began: row.began,
                recorded: row.recorded,
                value: value.map(|&(_, value)| value),
            }
        } else {
            let bytes = self.view.tables.columns.get(number)?.ok_or_else(|| no_row(at))?;
            columns::original(bytes.value(), usize::from(at.row), declared.number)
                .map_err(malformed("columns", number))?
                .ok_or_else(|| no_row(at))?
        };
        Ok(Some(Original {
            value: in_profile.or(found.value),
            ..found
        }))
    }

    /// The dossier of a person; empty if none was given.
    pub(crate) fn dossier(self, person: PersonNumber) -> Result<Dossier, ReadError> {
        if let Some(dossier) = self
            .overlay
            .and_then(|overlay| overlay.dossiers.get(&person.get()))
        {
            return Ok(dossier.clone());
        }
        let Some(entry) = self.view.tables.dossiers.range(person.get()..)?.next() else {
            return Ok(Dossier::default());
        };
        let (key, bytes) = entry?;
        let wrong = || malformed("dossiers", key.value());
        let block = DossierBlock::decode(bytes.value()).map_err(wrong())?;
        Ok(block.get(person).map_err(wrong())?.unwrap_or_default())
    }

    /// Everything recorded of a person; `None` if there is no such person.
    ///
    /// Values that have held since the record began and never changed stand in columns; they are given as records
    /// here, with their documents if `documents` asks for them.
    pub(crate) fn person_history(
        self,
        person: PersonNumber,
        documents: Documents,
    ) -> Result<Option<PersonHistory>, ReadError> {
        if person.get() == 0 || person.get() > self.persons() {
            return Ok(None);
        }
        let Some(Located { at, has_facts }) = self.located(person)? else {
            return Ok(None);
        };
        let row = self.column_row(at)?;
        if row.person != person.get() {
            return Err(ReadError::Inconsistent(format!(
                "the row of {person} is that of person {}",
                row.person
            )));
        }
        let (profile, birth) = self.hot_row(at)?;
        let mut records = self.facts(Subject::Person(person), has_facts)?;
        records.reserve(OWN_RECORDS + row.values.len());
        let mut recorded: Vec<AttributeNumber> = records.iter().map(|record| record.attribute).collect();
        recorded.sort_unstable();
        recorded.dedup();
        let mut known = match documents {
            Documents::With => Some(self.dossier(person)?.documents),
            Documents::Of(_) | Documents::Without => None,
        };
        // The birth column shows the newest birth date. Once one was corrected, the first one stands in a fact too.
        let birth = if recorded.binary_search(&builtin::BIRTH).is_ok() {
            None
        } else {
            let wrong = || ReadError::Inconsistent(format!("{person} has a birth date that does not exist"));
            Some(birth_date(birth, row.birth_day).ok_or_else(wrong)?)
        };
        let mut original = |attribute: AttributeNumber, from: Month, value: Value| {
            if recorded.binary_search(&attribute).is_err() {
                if documents == Documents::Of(attribute) && known.is_none() {
                    known = Some(self.dossier(person)?.documents);
                }
                let mut known = known.iter().flatten();
                let document = known
                    .find(|(number, _)| *number == attribute.get())
                    .map_or_else(String::new, |(_, text)| text.clone());
                let content = Content::Value {
                    value,
                    until: None,
                    document,
                };
                records.push(FactRecord {
                    attribute,
                    from,
                    recorded: row.recorded,
                    content,
                });
            }
            Ok::<_, ReadError>(())
        };
        if let Some(birth) = birth {
            original(builtin::BIRTH, Month::MIN, Value::Birth(birth))?;
        }
        original(
            builtin::IDENTIFIER,
            Month::MIN,
            number_value(row.identifier.key()),
        )?;
        original(
            builtin::HOUSEHOLD,
            row.began,
            number_value(u64::from(row.household)),
        )?;
        if row.household == 0 {
            let unit = if at.segment.unit() == NOWHERE {
                0
            } else {
                at.segment.unit()
            };
            original(builtin::RESIDENCE, row.began, number_value(u64::from(unit)))?;
        }
        for (attribute, value) in self.profile(profile)?.iter() {
            let from = if attribute == builtin::SEX {
                Month::MIN
            } else {
                row.began
            };
            original(attribute, from, value)?;
        }
        for &(attribute, value) in &row.values {
            original(attribute, row.began, value)?;
        }
        let records = Records::new(records);
        Ok(Some(PersonHistory {
            number: person,
            recorded: row.recorded,
            records,
        }))
    }

    /// Everything recorded of a household; `None` if there is no such household.
    pub(crate) fn household_history(
        self,
        household: HouseholdNumber,
    ) -> Result<Option<HouseholdHistory>, ReadError> {
        let Some(record) = self.household_record(household)? else {
            return Ok(None);
        };
        let mut records = self.facts(Subject::Household(household), record.has_facts)?;
        let mut recorded: Vec<AttributeNumber> = records.iter().map(|record| record.attribute).collect();
        recorded.sort_unstable();
        recorded.dedup();
        let mut original = |attribute: AttributeNumber, value: Value| {
            if recorded.binary_search(&attribute).is_err() {
                let content = Content::Value {
                    value,
                    until: None,
                    document: String::new(),
                };
                records.push(FactRecord {
                    attribute,
                    from: record.began,
                    recorded: record.recorded,
                    content,
                });
            }
        };
        original(builtin::RESIDENCE, number_value(u64::from(record.unit)));
        if record.head != 0 {
            original(builtin::HEAD, number_value(u64::from(record.head)));
        }
        for (attribute, value) in self.profile(record.profile)?.iter() {
            original(attribute, value);
        }
        Ok(Some(HouseholdHistory {
            recorded: record.recorded,
            records: Records::new(records),
        }))
    }

    /// The unit in which a household lives in a month, as it was recorded: what its history says, without reading the
    /// rest of it.
    pub(crate) fn household_residence(
        self,
        household: HouseholdNumber,
        month: Month,
        known: Sequence,
    ) -> Result<Option<UnitNumber>, ReadError> {
        let record = self
            .household_record(household)?
            .ok_or_else(|| no_household(household))?;
        let (subject, mut records) = (Subject::Household(household), Vec::new());
        let (kind, number) = subject.key();
        let range = FactKey::range_of_attribute(kind, number, builtin::RESIDENCE);
        self.add_facts(&mut records, subject, range, record.has_facts)?;
        if records.is_empty() {
            let holds = record.recorded <= known && record.began <= month && record.unit > 0;
            return Ok(holds.then_some(UnitNumber(record.unit)));
        }
        Ok(residence_in(Records::new(records).all(), month, known))
    }

    /// Everything recorded of a unit.
    pub(crate) fn commune_records(self, unit: crate::types::UnitNumber) -> Result<Records, ReadError> {
        Ok(Records::new(self.facts(Subject::Commune(unit), true)?))
    }
}

impl View {
    /// A hot segment as it is stored, decoded.
    pub(crate) fn stored_hot(&self, segment: SegmentKey) -> Result<Option<HotSegment>, ReadError> {
        let number = segment.number();
        let stored = self.tables.hot.get(number)?;
        stored
            .map(|bytes| HotSegment::decode(bytes.value()).map_err(malformed("hot", number)))
            .transpose()
    }

    /// A stored hot segment with changes of its rows.
    pub(crate) fn changed_hot(
        &self,
        segment: SegmentKey,
        changes: &HotChanges,
    ) -> Result<HotSegment, ReadError> {
        let mut hot = self.stored_hot(segment)?.ok_or_else(|| no_segment(segment))?;
        if changes.apply(&mut hot) {
            return Ok(hot);
        }
        let (index, unit) = (segment.index(), segment.unit());
        Err(ReadError::Inconsistent(format!(
            "segment {index} of unit {unit} lacks a row that the index of persons names"
        )))
    }
}

/// A segment that should be there is not.
pub(crate) fn no_segment(segment: SegmentKey) -> ReadError {
    let (index, unit) = (segment.index(), segment.unit());
    ReadError::Inconsistent(format!("segment {index} of unit {unit} is not stored"))
}

/// About how many records a person has beside the values of columns: the kernel's own, and the profile's.
const OWN_RECORDS: usize = 12;

/// Whether a history is to have the documents of values that stand in columns. They are in the dossier, which
/// costs a decompression.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Documents {
    /// Of every attribute.
    With,
    /// Of this attribute, whose first change writes them with the value.
    Of(AttributeNumber),
    Without,
}

fn fact_record(key: FactKey, content: fact::FactContent) -> FactRecord {
    let content = content.map_or(Content::Retracted, |(value, until, document)| Content::Value {
        value,
        until,
        document,
    });
    FactRecord {
        attribute: key.attribute,
        from: key.from,
        recorded: key.recorded,
        content,
    }
}

/// The birth date that the birth column and the day column hold together.
pub(crate) fn birth_date(code: u16, day: u8) -> Option<BirthDate> {
    let month = Month::from_index(code & !BIRTH_MONTH_UNKNOWN)?;
    BirthDate::from_parts(month, code & BIRTH_MONTH_UNKNOWN == 0, day)
}

/// A person is a member of a household that there is not.
pub(crate) fn no_household(number: HouseholdNumber) -> ReadError {
    ReadError::Inconsistent(format!("a person is a member of {number}, which is not stored"))
}

fn no_row(at: Locator) -> ReadError {
    ReadError::Inconsistent(format!(
        "row {} of segment {} of unit {} is not stored",
        at.row,
        at.segment.index(),
        at.segment.unit()
    ))
}
