//! Bulk loading: households go straight into new segments and blocks, without passing through operations.

use std::collections::BTreeMap;
use std::rc::Rc;

use rustc_hash::FxHashMap;

use super::enter::{Checked, Entered, death_of};
use super::initial::{DatedValue, Initial};
use super::references::add_references;
use super::rows::change;
use super::{LogKind, WriteTransaction, append_all};
use crate::format::columns::{ColumnSegment, Row};
use crate::format::dossier::{DossierBlockBuilder, DossierError};
use crate::format::fact::{self, FactKey, KEY_BYTES};
use crate::format::hot::{self, HotSegment, Presence, birth_code};
use crate::format::household::{self, BLOCK_HOUSEHOLDS, HouseholdRecord};
use crate::format::locator::{self, BLOCK_LOCATORS, Locator, SEGMENT_ROWS_MAX, SegmentKey};
use crate::format::reference::Reference;
use crate::kernel::bulk::{BulkFact, BulkHousehold, BulkPerson, BulkValue};
use crate::kernel::catalogue::builtin;
use crate::kernel::error::{ReadError, WriteError, malformed};
use crate::kernel::fact::Records;
use crate::kernel::history::{HouseholdHistory, Memo, PersonHistory, number_value};
use crate::kernel::log::LoggedOperation;
use crate::kernel::operation::{Refusal, Subject};
use crate::kernel::profile::Profile;
use crate::kernel::state::{Content, FactRecord, sex_value};
use crate::kernel::tables;
use crate::types::{HouseholdNumber, Identifier, Month, PersonNumber, UnitNumber, Value};

/// What a bulk load entered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BulkSummary {
    /// Persons.
    pub people: u64,
    /// Households.
    pub households: u64,
}

/// A segment that still takes rows.
struct Open {
    hot: HotSegment,
    columns: ColumnSegment,
    hot_bytes: usize,
    column_bytes: usize,
}

/// A bulk load within a transaction.
///
/// Full segments, dossiers and blocks go to their tables as they fill. In memory stay the last segment of every
/// commune, 16 bytes a person for the index of identifiers (for a provisional one twice as much), 16 bytes a
/// household for theirs, 12 bytes for each reference from a person to a person, and the dated facts.
pub struct BulkLoader<'t, 's> {
    transaction: &'t mut WriteTransaction<'s>,
    open: BTreeMap<u16, Open>,
    ids: Vec<(u64, u32)>,
    household_ids: Vec<(u64, u32)>,
    facts: Vec<([u8; KEY_BYTES], Vec<u8>)>,
    locators: Vec<u8>,
    locator_block: u32,
    records: Vec<Option<HouseholdRecord>>,
    household_block: u32,
    rows: BTreeMap<(u32, u16), u32>,
    references: Vec<Reference>,
    dossiers: DossierBlockBuilder,
    codes: FxHashMap<Profile, u32>,
    /// The provisional identifiers of the load, given and made.
    provisional: FxHashMap<u64, u32>,
    digest: blake3::Hasher,
    people: u64,
    households: u64,
    /// A household was entered in part, so that the load cannot be finished.
    broken: bool,
}

impl std::fmt::Debug for BulkLoader<'_, '_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("BulkLoader")
            .field("people", &self.people)
            .finish_non_exhaustive()
    }
}

/// The bytes that a row without changes takes, about: identifier, day, runs, profile indexes, birth.
const HOT_ROW_BYTES: usize = 4;
const COLUMN_ROW_BYTES: usize = 6;

impl<'s> WriteTransaction<'s> {
    /// Begins a bulk load, for more than a few ten thousand people. Operations of the same transaction come before
    /// it; after it the transaction can only be committed. Other writers wait until then.
    pub fn bulk(&mut self) -> Result<BulkLoader<'_, 's>, WriteError> {
        self.check_unsealed()?;
        self.check_alone()?;
        // Until the load is finished, nothing else may be done and nothing be committed.
        self.poisoned = true;
        self.kind = LogKind::Bulk;
        let (locator_block, _) = locator::place_of(self.overlay.head.persons + 1);
        let (household_block, _) = household::place_of(self.overlay.head.households + 1);
        let mut loader = BulkLoader {
            open: BTreeMap::new(),
            ids: Vec::new(),
            household_ids: Vec::new(),
            facts: Vec::new(),
            locators: Vec::new(),
            locator_block,
            records: Vec::new(),
            household_block,
            rows: BTreeMap::new(),
            references: Vec::new(),
            dossiers: DossierBlockBuilder::new(),
            codes: FxHashMap::default(),
            provisional: FxHashMap::default(),
            digest: blake3::Hasher::new(),
            people: 0,
            households: 0,
            broken: false,
            transaction: self,
        };
        loader.take_over_blocks()?;
        Ok(loader)
    }
}

impl BulkLoader<'_, '_> {
    /// Blocks that are already begun are continued.
    fn take_over_blocks(&mut self) -> Result<(), WriteError> {
        let overlay = &mut self.transaction.overlay;
        let tables = &self.transaction.view.tables;
        let block = self.locator_block;
        self.locators = tables
            .locators
            .get(block)?
            .map_or_else(Vec::new, |bytes| bytes.value().to_vec());
        let pending = overlay
            .locators
            .extract_if(.., |person, _| locator::place_of(*person).0 == block);
        for (person, at) in pending {
            locator::set(&mut self.locators, locator::place_of(person).1, at);
        }
        let block = self.household_block;
        if let Some(bytes) = tables.households.get(block)? {
            self.records = household::decode(bytes.value()).map_err(malformed("households", block))?;
        }
        let pending = overlay
            .households
            .extract_if(.., |number, _| household::place_of(*number).0 == block);
        for (number, record) in pending {
            put_record(&mut self.records, number, record);
        }
        Ok(())
    }

    /// Enters a household, or a person without one. What is refused leaves the load as it was. An identifier that
    /// occurs twice in the load is found by [`BulkLoader::finish`].
    pub fn add(&mut self, household: &BulkHousehold) -> Result<Entered, WriteError> {
        if self.broken {
            return Err(WriteError::Poisoned);
        }
        let checked = self.transaction.check_household(household)?;
        let head = &self.transaction.overlay.head;
        let first = u64::from(head.persons) + 1;
        let last = first + household.people.len() as u64 - u64::from(!household.people.is_empty());
        if last > u64::from(u32::MAX) {
            return Err(Refusal::Limit {
                what: "persons",
                found: last,
                max: u64::from(u32::MAX),
            }
            .into());
        }
        let identifiers = self.identifiers(household, first as u32)?;
        // Everything was checked. An error from here on leaves a part of the household behind.
        self.broken = true;
        let memo = Memo::default();
        let number = match household.id {
            Some(id) => Some(self.add_household(household, &checked, id, first as u32, &memo)?),
            None => None,
        };
        let mut people = Vec::with_capacity(household.people.len());
        for (at, (person, identifier)) in household.people.iter().zip(identifiers).enumerate() {
            let person_number = PersonNumber(first as u32 + at as u32);
            self.add_person(
                household,
                &checked,
                person,
                (person_number, identifier),
                first as u32,
                number,
                &memo,
            )?;
            people.push(person_number);
        }
        self.broken = false;
        Ok(Entered {
            household: number,
            people,
        })
    }

    /// The identifiers of a household's people, provisional ones made where none is given. Refuses a provisional
    /// one that somebody of the load has.
    fn identifiers(&self, household: &BulkHousehold, first: u32) -> Result<Vec<Identifier>, WriteError> {
        let given: Vec<Identifier> = household
            .people
            .iter()
            .filter_map(|person| person.identifier)
            .collect();
        for identifier in &given {
            if let Some(&holder) = self.provisional.get(&identifier.key()) {
                return Err(Refusal::IdentifierTaken {
                    identifier: identifier.masked(),
                    holder: PersonNumber(holder),
                }
                .into());
            }
        }
        let is_free =
            |made: Identifier| !self.provisional.contains_key(&made.key()) && !given.contains(&made);
        let numbers = (first..).map(PersonNumber);
        let identifiers = household.people.iter().zip(numbers).map(|(person, number)| {
            person
                .identifier
                .map_or_else(|| self.transaction.provisional_among(number, is_free), Ok)
        });
        identifiers.collect()
    }

    fn code(&mut self, profile: &Profile) -> u32 {
        if let Some(&code) = self.codes.get(profile) {
            return code;
        }
        let code = self.transaction.profile_code(profile);
        self.codes.insert(profile.clone(), code);
        code
    }

    fn put_fact(&mut self, subject: Subject, fact: &DatedValue) {
        let (kind, number) = subject.key();
        let recorded = self.transaction.sequence();
        let key = FactKey {
            kind,
            number,
            attribute: fact.attribute,
            from: fact.from,
            recorded,
        };
        let bytes = fact::encode(Some((fact.value, fact.until, fact.document.as_str())));
        self.facts.push((key.encode(), bytes));
    }

    fn add_household(
        &mut self,
        household: &BulkHousehold,
        checked: &Checked,
        id: crate::types::HouseholdId,
        first: u32,
        memo: &Memo,
    ) -> Result<HouseholdNumber, WriteError> {
        let number = self.transaction.overlay.head.households + 1;
        let recorded = self.transaction.sequence();
        let facts = household
            .facts
            .iter()
            .map(|fact| dated_value(fact, household.from, first));
        let catalogue = self.transaction.snapshot().catalogue();
        let Initial {
            mut profile,
            values,
            mut dated,
            documents,
        } = Initial::split(catalogue, household.from, facts);
        // A household has no column but its profile, and no dossier: numbers and documents need records.
        for (attribute, value) in values {
            dated.push(DatedValue {
                attribute,
                value,
                from: household.from,
                until: None,
                document: String::new(),
            });
        }
        for (attribute, document) in documents {
            let attribute = crate::types::AttributeNumber(attribute);
            if let Some(value) = profile.get(attribute) {
                profile.set(attribute, None);
                dated.push(DatedValue {
                    attribute,
                    value,
                    from: household.from,
                    until: None,
                    document,
                });
            } else if let Some(fact) = dated.iter_mut().find(|fact| fact.attribute == attribute) {
                fact.document = document;
            }
        }
        let own = |attribute, value: u64, from| DatedValue {
            attribute,
            value: number_value(value),
            from,
            until: None,
            document: String::new(),
        };
        if !checked.moves.is_empty() {
            dated.push(own(
                builtin::RESIDENCE,
                u64::from(checked.unit.get()),
                household.from,
            ));
            for &(from, unit) in &checked.moves {
                dated.push(own(builtin::RESIDENCE, u64::from(unit.get()), from));
            }
        }
        let mut head = household.head.map_or(0, |at| first + u32::from(at));
        if let Some(at) = household.head {
            let from = household.people[usize::from(at)].from;
            if from > household.from {
                dated.push(own(builtin::HEAD, u64::from(head), from));
                head = 0;
            }
        }
        self.remember(household, checked, number, &profile, &dated, memo);
        for fact in &dated {
            self.put_fact(Subject::Household(HouseholdNumber(number)), fact);
        }
        let record = HouseholdRecord {
            id,
            first_person: first,
            people: household.people.len() as u32,
            head,
            profile: self.code(&profile),
            unit: checked.unit.get(),
            began: household.from,
            recorded,
        };
        self.household_ids.push((id.packed(), number));
        self.transaction.overlay.head.households = number;
        self.households += 1;
        let (block, _) = household::place_of(number);
        if block != self.household_block {
            self.flush_households()?;
            self.household_block = block;
        }
        put_record(&mut self.records, number, record);
        debug_assert!(self.records.len() <= BLOCK_HOUSEHOLDS);
        Ok(HouseholdNumber(number))
    }

    /// Puts the history of a household where the timelines of its people will look for it.
    fn remember(
        &self,
        household: &BulkHousehold,
        checked: &Checked,
        number: u32,
        profile: &Profile,
        dated: &[DatedValue],
        memo: &Memo,
    ) {
        let recorded = self.transaction.sequence();
        let mut records: Vec<FactRecord> = dated.iter().map(|fact| fact_record(fact, recorded)).collect();
        let plain = |attribute, value| FactRecord {
            attribute,
            from: household.from,
            recorded,
            content: Content::Value {
                value,
                until: None,
                document: String::new(),
            },
        };
        if checked.moves.is_empty() {
            records.push(plain(
                builtin::RESIDENCE,
                number_value(u64::from(checked.unit.get())),
            ));
        }
        records.extend(profile.iter().map(|(attribute, value)| plain(attribute, value)));
        memo.put(
            number,
            Rc::new(HouseholdHistory {
                recorded,
                records: Records::new(records),
            }),
        );
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "one person of a household that is being entered"
    )]
    fn add_person(
        &mut self,
        household: &BulkHousehold,
        checked: &Checked,
        person: &BulkPerson,
        (number, identifier): (PersonNumber, Identifier),
        first: u32,
        household_number: Option<HouseholdNumber>,
        memo: &Memo,
    ) -> Result<(), WriteError> {
        let recorded = self.transaction.sequence();
        let facts = person
            .facts
            .iter()
            .filter(|fact| fact.attribute != builtin::DEATH)
            .map(|fact| dated_value(fact, person.from, first));
        let catalogue = self.transaction.snapshot().catalogue();
        let Initial {
            mut profile,
            values,
            mut dated,
            documents,
        } = Initial::split(catalogue, person.from, facts);
        profile.set(builtin::SEX, Some(sex_value(person.sex)));
        if let Some((date, document)) = death_of(person) {
            let (attribute, from, document) = (builtin::DEATH, date.month(), document.to_owned());
            dated.push(DatedValue {
                attribute,
                value: Value::Date(date),
                from,
                until: None,
                document,
            });
        }
        let dated_values = dated.iter().map(|fact| (fact.attribute, fact.value));
        for (attribute, value) in values.iter().copied().chain(dated_values) {
            self.references
                .extend(Reference::from_value(number, attribute, value));
        }
        for fact in &dated {
            self.put_fact(Subject::Person(number), fact);
        }
        let row = Row {
            person: number.get(),
            household: household_number.map_or(0, HouseholdNumber::get),
            identifier,
            birth_day: person.birth.day().unwrap_or(0),
            began: person.from,
            recorded,
            values,
        };
        self.enter_rows(household, checked, person, row, &profile, &dated, memo)?;
        if self.transaction.snapshot().holder(identifier)?.is_some() {
            self.transaction.give_identifier(identifier, number)?;
        } else {
            self.ids.push((identifier.key(), number.get()));
        }
        if matches!(identifier, Identifier::Provisional(_)) {
            self.provisional.insert(identifier.key(), number.get());
        }
        self.people += 1;
        self.transaction.overlay.head.persons = number.get();
        self.add_dossier(number, person, documents)
    }

    fn add_dossier(
        &mut self,
        number: PersonNumber,
        person: &BulkPerson,
        documents: Vec<(u16, String)>,
    ) -> Result<(), WriteError> {
        let wrong = |error: DossierError| ReadError::Inconsistent(format!("dossier of {number}: {error}"));
        if documents.is_empty() {
            self.dossiers.push(number, &person.dossier).map_err(wrong)?;
        } else {
            let mut dossier = person.dossier.clone();
            dossier.documents.extend(documents);
            self.dossiers.push(number, &dossier).map_err(wrong)?;
        }
        self.flush_dossiers()
    }

    /// Enters the rows of a person: one for every unit of the timeline.
    #[expect(
        clippy::too_many_arguments,
        reason = "one person of a household that is being entered"
    )]
    fn enter_rows(
        &mut self,
        household: &BulkHousehold,
        checked: &Checked,
        person: &BulkPerson,
        row: Row,
        profile: &Profile,
        dated: &[DatedValue],
        memo: &Memo,
    ) -> Result<(), WriteError> {
        let number = row.person;
        let unit = checked.unit;
        // Where the household has its profile by column alone and nothing of the person is dated, one version says all.
        let household_plain = checked.moves.is_empty()
            && household
                .facts
                .iter()
                .all(|fact| fact.from.is_none() && fact.until.is_none());
        let single = self
            .transaction
            .snapshot()
            .units()
            .get(unit)
            .is_some_and(|unit| unit.end.is_none());
        if dated.is_empty() && household_plain && single {
            let household_profile = match row.household {
                0 => Profile::default(),
                _ => self.plain_household_profile(household),
            };
            let (code, household_code) = (self.code(profile), self.code(&household_profile));
            let birth = birth_code(person.birth);
            let at = self.push_row(unit.get(), row, code, household_code, birth)?;
            let from = person.from;
            if let Some(open) = self.open.get_mut(&unit.get())
                && from != open.hot.base.max(person.birth.earliest_month())
            {
                let version = hot::Version {
                    from,
                    presence: Presence::Present,
                    person: code,
                    household: household_code,
                };
                let recorded = self.transaction.sequence();
                open.put_change(at.row, change(vec![version], recorded));
            }
            return self.put_locator(number, at);
        }
        let history = self.history(&row, unit, person, profile, dated);
        let timeline = history.timeline(self.transaction.snapshot(), memo)?;
        let codes = (
            self.code(&timeline.final_person),
            self.code(&timeline.final_household),
        );
        let mut units = vec![unit];
        for other in timeline.stretches.iter().filter_map(|stretch| stretch.unit) {
            if !units.contains(&other) {
                units.push(other);
            }
        }
        for (place, &unit) in units.iter().enumerate() {
            let birth = birth_code(timeline.birth);
            let at = self.push_row(unit.get(), row.clone(), codes.0, codes.1, birth)?;
            let versions = self.transaction.versions(unit.get(), &timeline);
            if let Some(open) = self.open.get_mut(&unit.get()) {
                let first = open.hot.base.max(timeline.birth.earliest_month());
                let plain = matches!(versions[..], [hot::Version { from, presence: Presence::Present, .. }] if from == first);
                if !plain {
                    open.put_change(at.row, change(versions, timeline.last));
                }
            }
            if units.len() > 1 {
                let key = (number, unit.get());
                self.rows
                    .insert(key, u32::from(at.segment.index()) << 16 | u32::from(at.row));
            }
            if place == 0 {
                self.put_locator(number, at)?;
            }
        }
        Ok(())
    }

    fn plain_household_profile(&self, household: &BulkHousehold) -> Profile {
        let kept = |fact: &&BulkFact| self.transaction.keeps_in_profile(fact.attribute);
        let facts = household.facts.iter().filter(kept);
        facts
            .filter_map(|fact| match fact.value {
                BulkValue::Value(value) => Some((fact.attribute, value)),
                BulkValue::Member(_) => None,
            })
            .collect()
    }

    fn history(
        &self,
        row: &Row,
        unit: UnitNumber,
        person: &BulkPerson,
        profile: &Profile,
        dated: &[DatedValue],
    ) -> PersonHistory {
        let recorded = self.transaction.sequence();
        let mut records: Vec<FactRecord> = dated.iter().map(|fact| fact_record(fact, recorded)).collect();
        let mut plain = |attribute, from, value| {
            let content = Content::Value {
                value,
                until: None,
                document: String::new(),
            };
            records.push(FactRecord {
                attribute,
                from,
                recorded,
                content,
            });
        };
        plain(builtin::BIRTH, Month::MIN, Value::Birth(person.birth));
        plain(
            builtin::IDENTIFIER,
            Month::MIN,
            number_value(row.identifier.key()),
        );
        plain(
            builtin::HOUSEHOLD,
            row.began,
            number_value(u64::from(row.household)),
        );
        if row.household == 0 {
            plain(builtin::RESIDENCE, row.began, number_value(u64::from(unit.get())));
        }
        for (attribute, value) in profile.iter() {
            let from = if attribute == builtin::SEX {
                Month::MIN
            } else {
                row.began
            };
            plain(attribute, from, value);
        }
        let number = PersonNumber(row.person);
        PersonHistory {
            number,
            recorded,
            records: Records::new(records),
        }
    }

    fn put_locator(&mut self, person: u32, at: Locator) -> Result<(), WriteError> {
        let (block, place) = locator::place_of(person);
        if block != self.locator_block {
            self.flush_locators()?;
            self.locator_block = block;
        }
        locator::set(&mut self.locators, place, at);
        debug_assert!(place < BLOCK_LOCATORS);
        Ok(())
    }

    fn push_row(
        &mut self,
        unit: u16,
        row: Row,
        person: u32,
        household: u32,
        birth: u16,
    ) -> Result<Locator, WriteError> {
        if self.open.get(&unit).is_some_and(Open::is_full) {
            self.flush_segment(unit)?;
        }
        let index = match self.transaction.overlay.last_segments.get(&unit) {
            Some(&index) if self.open.contains_key(&unit) => index,
            _ => self.begin_segment(unit)?,
        };
        let Some(open) = self.open.get_mut(&unit) else {
            return Err(ReadError::Inconsistent(format!("no segment of unit {unit} is open")).into());
        };
        let place = open.columns.rows.len() as u16;
        open.hot_bytes += HOT_ROW_BYTES;
        open.column_bytes += COLUMN_ROW_BYTES
            + if row.values.is_empty() {
                0
            } else {
                4 * row.values.len()
            };
        if place == 0 || row.household != open.columns.rows[usize::from(place) - 1].household {
            open.column_bytes += 4;
        }
        open.hot.newest = open.hot.newest.max(row.recorded);
        open.hot.persons.push(person);
        open.hot.households.push(household);
        open.hot.births.push(birth);
        open.columns.rows.push(row);
        Ok(Locator {
            segment: SegmentKey::new(unit, index),
            row: place,
        })
    }

    fn begin_segment(&mut self, unit: u16) -> Result<u16, WriteError> {
        let index = self.transaction.next_segment(unit)?;
        let declared = self.transaction.snapshot().units().get(UnitNumber(unit));
        let base = declared.map_or(Month::MIN, |unit| unit.declared.from);
        self.transaction.overlay.last_segments.insert(unit, index);
        self.open.insert(
            unit,
            Open {
                hot: HotSegment::new(unit, base),
                columns: ColumnSegment::default(),
                hot_bytes: 160,
                column_bytes: 64,
            },
        );
        Ok(index)
    }

    fn flush_segment(&mut self, unit: u16) -> Result<(), WriteError> {
        let Some(open) = self.open.remove(&unit) else {
            return Ok(());
        };
        let index = self
            .transaction
            .overlay
            .last_segments
            .get(&unit)
            .copied()
            .unwrap_or(0);
        let key = SegmentKey::new(unit, index).number();
        let (hot, columns) = (open.hot.encode(), open.columns.encode());
        self.digest
            .update(&key.to_le_bytes())
            .update(&hot)
            .update(&columns);
        let transaction = &self.transaction.transaction;
        transaction.open_table(tables::HOT)?.insert(key, hot.as_slice())?;
        transaction
            .open_table(tables::COLUMNS)?
            .insert(key, columns.as_slice())?;
        Ok(())
    }

    fn flush_dossiers(&mut self) -> Result<(), WriteError> {
        const BLOCKS_AT_ONCE: usize = 64;
        if self.dossiers.finished_blocks() < BLOCKS_AT_ONCE {
            return Ok(());
        }
        let blocks = self.dossiers.take_finished();
        self.write_dossiers(&blocks)
    }

    fn write_dossiers(&mut self, blocks: &[(PersonNumber, Vec<u8>)]) -> Result<(), WriteError> {
        for (first, bytes) in blocks {
            self.digest.update(&first.get().to_le_bytes()).update(bytes);
        }
        let mut table = self.transaction.transaction.open_table(tables::DOSSIERS)?;
        append_all(
            &mut table,
            blocks
                .iter()
                .map(|(first, bytes)| (first.get(), bytes.as_slice())),
        )
    }

    fn flush_locators(&mut self) -> Result<(), WriteError> {
        if !self.locators.is_empty() {
            let mut table = self.transaction.transaction.open_table(tables::LOCATORS)?;
            table.insert(self.locator_block, self.locators.as_slice())?;
        }
        self.locators.clear();
        Ok(())
    }

    fn flush_households(&mut self) -> Result<(), WriteError> {
        if !self.records.is_empty() {
            let bytes = household::encode(&self.records);
            self.digest
                .update(&self.household_block.to_le_bytes())
                .update(&bytes);
            let mut table = self.transaction.transaction.open_table(tables::HOUSEHOLDS)?;
            table.insert(self.household_block, bytes.as_slice())?;
        }
        self.records.clear();
        Ok(())
    }

    /// Writes the indexes and what is still open. The transaction can then be committed.
    pub fn finish(mut self) -> Result<BulkSummary, WriteError> {
        if self.broken {
            return Err(WriteError::Poisoned);
        }
        let units: Vec<u16> = self.open.keys().copied().collect();
        for unit in units {
            self.flush_segment(unit)?;
        }
        self.flush_locators()?;
        self.flush_households()?;
        let blocks = std::mem::take(&mut self.dossiers).finish();
        self.write_dossiers(&blocks)?;
        self.write_facts_and_rows()?;
        self.write_ids()?;
        let digest = *self.digest.finalize().as_bytes();
        let (people, households) = (self.people, self.households);
        let logged = LoggedOperation::Bulk {
            people,
            households,
            digest,
        };
        self.transaction.payloads.push(logged.encode());
        self.transaction.poisoned = false;
        self.transaction.sealed = true;
        Ok(BulkSummary {
            people: self.people,
            households: self.households,
        })
    }

    fn write_facts_and_rows(&mut self) -> Result<(), WriteError> {
        let mut facts = std::mem::take(&mut self.facts);
        facts.sort_unstable();
        let mut table = self.transaction.transaction.open_table(tables::FACTS)?;
        for (key, bytes) in &facts {
            self.digest.update(key).update(bytes);
            table.insert(key, bytes.as_slice())?;
        }
        let mut table = self.transaction.transaction.open_table(tables::ROWS)?;
        for (&(person, unit), &place) in &self.rows {
            table.insert(&tables::row_key(person, unit), place)?;
        }
        let mut references = std::mem::take(&mut self.references);
        references.sort_unstable();
        references.dedup();
        add_references(
            &mut self.transaction.transaction.open_table(tables::REFERENCES)?,
            &references,
        )
    }

    fn write_ids(&mut self) -> Result<(), WriteError> {
        let mut ids = std::mem::take(&mut self.ids);
        ids.sort_unstable();
        if let Some(pair) = ids.windows(2).find(|pair| pair[0].0 == pair[1].0) {
            let identifier = crate::types::Identifier::from_key(pair[0].0);
            let identifier = identifier.map_or_else(String::new, crate::types::Identifier::masked);
            return Err(Refusal::IdentifierTaken {
                identifier,
                holder: PersonNumber(pair[0].1),
            }
            .into());
        }
        let mut households = std::mem::take(&mut self.household_ids);
        households.sort_unstable();
        if let Some(pair) = households.windows(2).find(|pair| pair[0].0 == pair[1].0) {
            let id = crate::types::HouseholdId::from_packed(pair[0].0);
            let id = id.unwrap_or(crate::types::HouseholdId::NONE);
            return Err(Refusal::HouseholdIdTaken {
                id,
                holder: HouseholdNumber(pair[0].1),
            }
            .into());
        }
        let transaction = &self.transaction.transaction;
        let mut table = transaction.open_table(tables::IDS)?;
        if redb::ReadableTableMetadata::is_empty(&table)? {
            let mut cursor = table.upper_bound_mut(std::ops::Bound::<&[u8; 5]>::Unbounded)?;
            for &(key, person) in &ids {
                cursor.insert_before(&tables::id_key(key), person)?;
            }
            cursor.close()?;
        } else {
            for &(key, person) in &ids {
                table.insert(&tables::id_key(key), person)?;
            }
        }
        let mut table = transaction.open_table(tables::HOUSEHOLD_IDS)?;
        if redb::ReadableTableMetadata::is_empty(&table)? {
            let mut cursor = table.upper_bound_mut(std::ops::Bound::<u64>::Unbounded)?;
            for &(id, household) in &households {
                cursor.insert_before(id, household)?;
            }
            cursor.close()?;
        } else {
            for &(id, household) in &households {
                table.insert(id, household)?;
            }
        }
        Ok(())
    }
}

impl Open {
    fn is_full(&self) -> bool {
        self.hot.rows() >= SEGMENT_ROWS_MAX
            || self.hot_bytes + HOT_ROW_BYTES > hot::FILL_BYTES
            || self.column_bytes + COLUMN_ROW_BYTES + 8 > crate::format::columns::FILL_BYTES
    }

    fn put_change(&mut self, row: u16, change: hot::Change) {
        self.hot_bytes += hot::CHANGE_BYTES + hot::VERSION_BYTES * change.versions.len();
        self.hot.changes.insert(row, change);
    }
}

fn put_record(records: &mut Vec<Option<HouseholdRecord>>, number: u32, record: HouseholdRecord) {
    let (_, place) = household::place_of(number);
    if records.len() <= place {
        records.resize(place + 1, None);
    }
    records[place] = Some(record);
}

/// A fact of a record that begins in `began`, of a household whose first person has the number `first`.
fn dated_value(fact: &BulkFact, began: Month, first: u32) -> DatedValue {
    DatedValue {
        attribute: fact.attribute,
        value: match fact.value {
            BulkValue::Value(value) => value,
            BulkValue::Member(at) => Value::Person(PersonNumber(first + u32::from(at))),
        },
        from: fact.from.unwrap_or(began),
        until: fact.until,
        document: fact.document.clone(),
    }
}

fn fact_record(fact: &DatedValue, recorded: crate::types::Sequence) -> FactRecord {
    FactRecord {
        attribute: fact.attribute,
        from: fact.from,
        recorded,
        content: Content::Value {
            value: fact.value,
            until: fact.until,
            document: fact.document.clone(),
        },
    }
}
