//! Views: the registry as it was at one moment.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::{Mutex, RwLock};

use super::catalogue::{Attribute, Catalogue, OnExpiry, builtin};
use super::error::{ReadError, malformed};
use super::fact::Records;
use super::history::Memo;
use super::operation::Subject;
use super::profile::Profile;
use super::profiles::{Passing, ProfileClasses, Profiles};
use super::scan::SegmentScan;
use super::snapshot::{Documents, Snapshot};
use super::state::{CommuneState, FactRecord, HouseholdState, PersonState};
use super::tables::{Head, Tables};
use super::unit_index::UnitIndex;
use super::units::Unit;
use crate::format::fact::FactKey;
use crate::format::index::IndexBlock;
use crate::format::locator::{Locator, SegmentKey};
use crate::format::ties::Ties;
use crate::types::Dossier;
use crate::types::{
    AttributeNumber, CommuneCode, HouseholdId, HouseholdNumber, Identifier, Month, PersonNumber, Sequence,
    UnitNumber, Value,
};

/// The registry as it was when the view was taken. It can be shared by threads.
pub struct View {
    pub(crate) tables: Tables,
    pub(crate) head: Head,
    pub(crate) catalogue: Arc<Catalogue>,
    pub(crate) units: Arc<UnitIndex>,
    pub(crate) profiles: Arc<RwLock<Profiles>>,
    pub(crate) passing: Mutex<Passing>,
}

/// How much a registry holds, what was ended or entered in error included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counts {
    /// Persons ever entered.
    pub people: u64,
    /// Households ever made.
    pub households: u64,
    /// Units ever added.
    pub units: u64,
}

impl std::fmt::Debug for View {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("View")
            .field("newest", &self.head.newest)
            .finish_non_exhaustive()
    }
}

impl View {
    pub(crate) fn new(
        tables: Tables,
        head: Head,
        catalogue: Arc<Catalogue>,
        units: Arc<UnitIndex>,
        profiles: Arc<RwLock<Profiles>>,
    ) -> Self {
        let passing = Mutex::new(Passing::new());
        Self {
            tables,
            head,
            catalogue,
            units,
            profiles,
            passing,
        }
    }

    pub(crate) const fn snapshot(&self) -> Snapshot<'_> {
        Snapshot {
            view: self,
            overlay: None,
        }
    }

    /// The sequence of the last transaction that the view shows.
    pub const fn newest(&self) -> Sequence {
        Sequence(self.head.newest)
    }

    /// The catalogue of attributes and programmes.
    pub fn catalogue(&self) -> &Catalogue {
        &self.catalogue
    }

    /// The sequence of the transaction that last changed the catalogue.
    pub(crate) const fn catalogue_changed(&self) -> u64 {
        self.head.catalogue
    }

    /// The hash of the pack that was adopted last; `None` before the first.
    pub fn pack(&self) -> Option<[u8; 32]> {
        (self.head.pack != [0; 32]).then_some(self.head.pack)
    }

    /// The text of a pack that was ever adopted, by its hash.
    pub fn pack_text(&self, hash: &[u8; 32]) -> Result<Option<Vec<u8>>, ReadError> {
        Ok(self.tables.packs.get(hash)?.map(|text| text.value().to_vec()))
    }

    /// The units, by number, those that no longer exist included.
    pub fn units(&self) -> &[Unit] {
        self.units.all()
    }

    /// The unit with this number.
    pub fn unit(&self, number: UnitNumber) -> Option<&Unit> {
        self.units.get(number)
    }

    /// How much was ever entered.
    #[allow(clippy::unnecessary_wraps)]
    pub fn counts(&self) -> Result<Counts, ReadError> {
        Ok(Counts {
            people: u64::from(self.head.persons),
            households: u64::from(self.head.households),
            units: u64::from(self.head.units),
        })
    }

    /// The number of every person ever entered, ascending.
    pub fn people(&self) -> impl Iterator<Item = PersonNumber> + use<> {
        (1..=self.head.persons).map(PersonNumber)
    }

    /// The number of every household ever made, ascending.
    pub fn households(&self) -> impl Iterator<Item = HouseholdNumber> + use<> {
        (1..=self.head.households).map(HouseholdNumber)
    }

    /// The person to whom an identifier was given last, as known. A former identifier still leads to its person.
    pub fn find_person(&self, id: Identifier, known: Sequence) -> Result<Option<PersonNumber>, ReadError> {
        let snapshot = self.snapshot();
        let newest = snapshot.holder(id)?;
        if known >= self.newest() {
            return Ok(newest);
        }
        let later = snapshot.later_holders(id)?;
        if !later.is_empty() {
            let given = later.iter().rev().find(|(sequence, _)| *sequence <= known);
            return Ok(given.map(|&(_, person)| person));
        }
        let Some(person) = newest else { return Ok(None) };
        let Some(at) = snapshot.locator(person)? else {
            return Ok(None);
        };
        Ok((snapshot.column_row(at)?.recorded <= known).then_some(person))
    }

    /// Every identifier that leads to a person now, former ones included, in the order of their keys.
    pub fn identifiers(
        &self,
    ) -> Result<impl Iterator<Item = Result<(Identifier, PersonNumber), ReadError>> + use<'_>, ReadError>
    {
        let blocks = self.tables.ids.range::<u64>(..)?;
        let entries = blocks.map(|block| {
            let (key, bytes) = block?;
            let key = key.value();
            let block = IndexBlock::read(bytes.value());
            block
                .and_then(|block| block.entries(key))
                .map_err(malformed("ids", key))
        });
        Ok(entries.flat_map(|block: Result<_, ReadError>| {
            let (held, error) = match block {
                Ok(held) => (held, None),
                Err(error) => (Vec::new(), Some(Err(error))),
            };
            let held = held.into_iter().map(|(key, person)| {
                let wrong = || ReadError::Inconsistent(format!("the index of IDs has the key {key}"));
                Ok((Identifier::from_key(key).ok_or_else(wrong)?, PersonNumber(person)))
            });
            held.chain(error)
        }))
    }

    /// The household of an outside ID, as known.
    pub fn find_household(
        &self,
        id: HouseholdId,
        known: Sequence,
    ) -> Result<Option<HouseholdNumber>, ReadError> {
        let snapshot = self.snapshot();
        let Some(household) = snapshot.household_of(id)? else {
            return Ok(None);
        };
        let record = snapshot.household_record(household)?;
        Ok(record
            .filter(|record| record.recorded <= known)
            .map(|_| household))
    }

    /// The unit that has a code in a month, as known.
    #[allow(clippy::unnecessary_wraps)]
    pub fn find_unit(
        &self,
        code: CommuneCode,
        month: Month,
        known: Sequence,
    ) -> Result<Option<UnitNumber>, ReadError> {
        Ok(self.units.find(code, month, known))
    }

    /// The unit that those of a unit belong to in a month, as known: mergers are followed.
    pub fn follow(&self, unit: UnitNumber, month: Month, known: Sequence) -> Option<UnitNumber> {
        self.units.follow(unit, month, known)
    }

    /// A person at the end of a month, as known; `None` if not inserted by then.
    pub fn person(
        &self,
        number: PersonNumber,
        month: Month,
        known: Sequence,
    ) -> Result<Option<PersonState>, ReadError> {
        match self.snapshot().person_history(number, Documents::Without)? {
            Some(history) => history.state(self.snapshot(), &Memo::of_one(), month, known),
            None => Ok(None),
        }
    }

    /// The profiles and the birth date that a person's first row shows: one look-up in the index of persons and one
    /// row of a hot segment. `None` if there is no such person.
    pub fn row_of(&self, number: PersonNumber) -> Result<Option<RowShown>, ReadError> {
        self.snapshot().row_shown(number)
    }

    /// Name, address, account and documents of a person; empty if none were given.
    pub fn dossier(&self, number: PersonNumber) -> Result<Dossier, ReadError> {
        self.snapshot().dossier(number)
    }

    /// Everyone whose record was ever merged into a person's.
    pub fn merged_into(&self, number: PersonNumber) -> Result<Vec<PersonNumber>, ReadError> {
        self.snapshot().ever_merged(number)
    }

    /// The record into which a record was merged, as known; `None` if it stands for itself.
    pub fn merger_of(
        &self,
        number: PersonNumber,
        known: Sequence,
    ) -> Result<Option<PersonNumber>, ReadError> {
        let subject = Subject::Person(number);
        let (kind, key) = subject.key();
        let range = FactKey::range_of_attribute(kind, key, builtin::MERGED_INTO);
        let records = Records::new(self.snapshot().facts_between(subject, range)?);
        let value = super::fact::value_in(records.all(), Month::MAX, known, OnExpiry::Keep);
        Ok(match value {
            Some(Value::Integer(into)) if into > 0 => Some(PersonNumber(into as u32)),
            _ => None,
        })
    }

    /// The record that stands for a record after every merger that was known: the record itself if there was none.
    pub fn stands_for(&self, number: PersonNumber, known: Sequence) -> Result<PersonNumber, ReadError> {
        let mut stays = number;
        while let Some(into) = self.merger_of(stays, known)? {
            stays = into;
        }
        Ok(stays)
    }

    /// Every record that is of one person with this one, through any number of mergers, as known. The record itself comes
    /// first.
    pub fn records_of(&self, number: PersonNumber, known: Sequence) -> Result<Vec<PersonNumber>, ReadError> {
        let mut records = vec![number];
        let mut stays = number;
        while let Some(into) = self.merger_of(stays, known)? {
            records.push(into);
            stays = into;
        }
        let mut open = vec![stays];
        while let Some(into) = open.pop() {
            for merged in self.merged_into(into)? {
                if self.merger_of(merged, known)? == Some(into) {
                    open.push(merged);
                    if !records.contains(&merged) {
                        records.push(merged);
                    }
                }
            }
        }
        Ok(records)
    }

    /// Every merger of two records: the record that stays, and the one that was merged into it, by their numbers. A
    /// record is merged once at most, and a merger is never undone.
    pub fn mergers(&self) -> Result<Vec<(PersonNumber, PersonNumber)>, ReadError> {
        super::tables::collect(self.tables.merged.range::<&[u8; 8]>(..)?, |key, ()| {
            let into = super::tables::first_of_pair(*key);
            Ok((
                PersonNumber(into),
                PersonNumber(super::tables::second_of_pair(*key)),
            ))
        })
    }

    /// Where every row of a person is, one for each unit in which the person ever lived. A row keeps its place.
    pub fn rows_of(&self, number: PersonNumber) -> Result<Vec<Locator>, ReadError> {
        Ok(self.snapshot().rows(number)?.into_iter().collect())
    }

    /// A household at the end of a month, as known; `None` if not made by then.
    pub fn household(
        &self,
        number: HouseholdNumber,
        month: Month,
        known: Sequence,
    ) -> Result<Option<HouseholdState>, ReadError> {
        let (snapshot, memo) = (self.snapshot(), Memo::default());
        let Some(record) = snapshot
            .household_record(number)?
            .filter(|record| record.recorded <= known)
        else {
            return Ok(None);
        };
        let history = memo.household(snapshot, number)?;
        let mut members = Vec::new();
        for person in snapshot.ever_members(number)? {
            let Some(person_history) = snapshot.person_history(person, Documents::Without)? else {
                continue;
            };
            if person_history.household(month, known) == Some(number)
                && person_history
                    .state(snapshot, &memo, month, known)?
                    .is_some_and(|state| state.present)
            {
                members.push(person);
            }
        }
        let residence = history.residence(month, known);
        Ok(Some(HouseholdState {
            number,
            id: record.id,
            unit: residence.and_then(|unit| self.units.follow(unit, month, known)),
            head: history.head(month, known),
            members,
            values: history.values(month, known, &self.catalogue),
        }))
    }

    /// The values on record of a household's attributes at the end of a month; `None` if not made by then.
    pub fn household_values(
        &self,
        number: HouseholdNumber,
        month: Month,
        known: Sequence,
    ) -> Result<
        Option<std::collections::BTreeMap<crate::types::AttributeNumber, crate::types::Value>>,
        ReadError,
    > {
        let history = self
            .snapshot()
            .household_history(number)?
            .filter(|history| history.recorded <= known);
        Ok(history.map(|history| history.values(month, known, &self.catalogue)))
    }

    /// What the records of one attribute, in order, come to at the end of a month: the value, `None` if nothing is
    /// on record, and the record that decides.
    pub fn resolve(
        &self,
        attribute: crate::types::AttributeNumber,
        records: &[FactRecord],
        month: Month,
        known: Sequence,
    ) -> (Option<crate::types::Value>, Option<FactRecord>) {
        let on_expiry = self
            .catalogue
            .attribute_by_number(attribute)
            .map(|attribute| attribute.on_expiry);
        let on_expiry = on_expiry.unwrap_or(super::catalogue::OnExpiry::Keep);
        let value = super::fact::value_in(records, month, known, on_expiry);
        (value, super::fact::deciding(records, month, known).cloned())
    }

    /// The value on record of one attribute of a subject at the end of a month, as known: what
    /// [`PersonState::values`], [`HouseholdState::values`] or [`CommuneState::values`] has under the attribute, without
    /// reading the rest. `None` if nothing is on record, if the subject was not recorded by then, and for an attribute
    /// that is not declared.
    ///
    /// It costs one search in the facts, and where the attribute has none, one row of the person's segment.
    pub fn value_of(
        &self,
        subject: Subject,
        attribute: crate::types::AttributeNumber,
        month: Month,
        known: Sequence,
    ) -> Result<Option<crate::types::Value>, ReadError> {
        self.snapshot().value_of(subject, attribute, month, known)
    }

    /// Everyone whose record of an attribute ever named a person, ascending: whether that still holds, or was corrected,
    /// withdrawn or recorded for other months, their facts say (see [`View::value_of`]). A record that names a person
    /// who was merged into another goes on naming the old number: ask for the numbers of [`View::records_of`] too.
    pub fn ever_referring(
        &self,
        target: PersonNumber,
        attribute: crate::types::AttributeNumber,
    ) -> Result<Vec<PersonNumber>, ReadError> {
        self.snapshot().ever_referring(target, attribute)
    }

    /// Everyone who was ever a member of a household, ascending; empty if there is no such household. Who is one in a
    /// month, their states say.
    pub fn ever_members(&self, number: HouseholdNumber) -> Result<Vec<PersonNumber>, ReadError> {
        self.snapshot().ever_members(number)
    }

    /// The outside ID of a household.
    pub fn household_id(&self, number: HouseholdNumber) -> Result<Option<HouseholdId>, ReadError> {
        Ok(self.snapshot().household_record(number)?.map(|record| record.id))
    }

    /// A unit at the end of a month, as known, with the people of it; `None` if not recorded by then.
    pub fn commune(
        &self,
        number: UnitNumber,
        month: Month,
        known: Sequence,
    ) -> Result<Option<CommuneState>, ReadError> {
        if self.unit(number).is_none_or(|unit| unit.recorded > known) {
            return Ok(None);
        }
        let mut residents = Vec::new();
        for unit in self.units.feeding(number, month, known) {
            for segment in self.segments_of(unit)? {
                let bytes = self.segment(segment)?;
                let scan = SegmentScan::new(self, segment, &bytes, month, known)?;
                residents.extend(scan.present()?);
            }
        }
        residents.sort_unstable();
        Ok(Some(CommuneState {
            unit: number,
            values: self.commune_values(number, month, known)?,
            residents,
        }))
    }

    /// The values on record of a unit's attributes.
    pub fn commune_values(
        &self,
        number: UnitNumber,
        month: Month,
        known: Sequence,
    ) -> Result<std::collections::BTreeMap<crate::types::AttributeNumber, crate::types::Value>, ReadError>
    {
        let records = self.snapshot().commune_records(number)?;
        Ok(records
            .by_attribute()
            .filter_map(|(attribute, records)| {
                let on_expiry = self.catalogue.attribute_by_number(attribute)?.on_expiry;
                Some((
                    attribute,
                    super::fact::value_in(records, month, known, on_expiry)?,
                ))
            })
            .collect())
    }

    /// The categorical values of a unit that policies ask about.
    pub fn commune_profile(
        &self,
        number: UnitNumber,
        month: Month,
        known: Sequence,
    ) -> Result<Profile, ReadError> {
        Ok(super::state::profile_of(
            &self.commune_values(number, month, known)?,
            &self.catalogue,
        ))
    }

    /// The categorical values of every unit that has any record, at the ends of several months: one pass over the
    /// facts of all units.
    pub fn commune_profiles(
        &self,
        months: &[Month],
        known: Sequence,
    ) -> Result<Vec<HashMap<UnitNumber, Profile>>, ReadError> {
        let mut profiles = vec![HashMap::new(); months.len()];
        let all = self.snapshot().all_commune_facts()?;
        for (unit, records) in all {
            let records = Records::new(records);
            for (profiles, &month) in profiles.iter_mut().zip(months) {
                let values = super::history::declared_values(&records, month, known, &self.catalogue);
                profiles.insert(unit, super::state::profile_of(&values, &self.catalogue));
            }
        }
        Ok(profiles)
    }

    /// Every record of a subject's declared attributes, by attribute, valid-from month and sequence.
    pub fn history(&self, subject: Subject) -> Result<Vec<FactRecord>, ReadError> {
        let mut records = self.full_history(subject)?;
        records.retain(|record| self.catalogue.attribute_by_number(record.attribute).is_some());
        Ok(records)
    }

    /// Every record of a subject, those of the kernel's own attributes included (see
    /// [`super::catalogue::builtin`]).
    pub fn full_history(&self, subject: Subject) -> Result<Vec<FactRecord>, ReadError> {
        let snapshot = self.snapshot();
        let records = match subject {
            Subject::Person(person) => snapshot
                .person_history(person, Documents::With)?
                .map(|history| history.records),
            Subject::Household(household) => snapshot
                .household_history(household)?
                .map(|history| history.records),
            Subject::Commune(unit) => Some(snapshot.commune_records(unit)?),
        };
        Ok(records.map_or_else(Vec::new, |records| records.all().to_vec()))
    }

    /// The profile of a code that a segment names.
    pub fn profile(&self, code: u32) -> Result<Profile, ReadError> {
        if let Some(profile) = self.passing.lock().get(code) {
            return Ok(profile);
        }
        self.snapshot().profile(code)
    }

    /// The segments of a unit, in order.
    pub fn segments_of(&self, unit: UnitNumber) -> Result<Vec<SegmentKey>, ReadError> {
        let (first, last) = (
            SegmentKey::new(unit.get(), 0),
            SegmentKey::new(unit.get(), u16::MAX),
        );
        self.segment_range(first.number(), last.number())
    }

    /// Every segment of every unit, in order.
    pub fn segments(&self) -> Result<Vec<SegmentKey>, ReadError> {
        self.segment_range(0, SegmentKey::new(super::unit_index::NOWHERE, 0).number() - 1)
    }

    pub(crate) fn last_segment_of(&self, unit: u16) -> Result<Option<SegmentKey>, ReadError> {
        let (first, last) = (SegmentKey::new(unit, 0), SegmentKey::new(unit, u16::MAX));
        match self.tables.hot.range(first.number()..=last.number())?.next_back() {
            Some(entry) => Ok(Some(SegmentKey::from_number(entry?.0.value()))),
            None => Ok(None),
        }
    }

    fn segment_range(&self, first: u32, last: u32) -> Result<Vec<SegmentKey>, ReadError> {
        super::tables::collect(self.tables.hot.range(first..=last)?, |key, _| {
            Ok(SegmentKey::from_number(key))
        })
    }

    /// The bytes of a hot segment, held in the page cache for as long as they are.
    pub fn segment(&self, key: SegmentKey) -> Result<SegmentBytes, ReadError> {
        let bytes = self.tables.hot.get(key.number())?;
        bytes.map(SegmentBytes).ok_or_else(|| {
            ReadError::Inconsistent(format!(
                "segment {} of unit {} is not stored",
                key.index(),
                key.unit()
            ))
        })
    }

    /// Shows every hot segment from one to another, both included, in order. Each page is read once.
    pub fn each_segment(
        &self,
        (first, last): (SegmentKey, SegmentKey),
        visit: &mut dyn FnMut(SegmentKey, &SegmentBytes) -> Result<(), ReadError>,
    ) -> Result<(), ReadError> {
        if first == last {
            // One search instead of two.
            let bytes = self.tables.hot.get(first.number())?.map(SegmentBytes);
            return bytes.map_or(Ok(()), |bytes| visit(first, &bytes));
        }
        for entry in self.tables.hot.range(first.number()..=last.number())? {
            let (key, bytes) = entry?;
            visit(SegmentKey::from_number(key.value()), &SegmentBytes(bytes))?;
        }
        Ok(())
    }

    /// How many profiles have a code; the codes are the numbers below it.
    pub const fn profile_count(&self) -> u32 {
        self.head.profiles
    }

    /// The classes of profiles, of persons and households alike, that some attributes tell apart.
    pub fn profile_classes(&self, attributes: &[AttributeNumber]) -> ProfileClasses {
        self.profiles.read().classes(self.head.profiles, attributes)
    }

    /// The persons of the rows of a segment.
    pub fn segment_persons(&self, key: SegmentKey) -> Result<Vec<PersonNumber>, ReadError> {
        let bytes = self.tables.columns.get(key.number())?.ok_or_else(|| {
            ReadError::Inconsistent(format!(
                "columns of segment {} of unit {} are not stored",
                key.index(),
                key.unit()
            ))
        })?;
        let persons =
            crate::format::columns::persons(bytes.value()).map_err(malformed("columns", key.number()))?;
        Ok(persons.into_iter().map(PersonNumber).collect())
    }

    /// Which rows of a segment belong together, as far as rows tell.
    pub fn ties(&self, key: SegmentKey) -> Result<Ties, ReadError> {
        let bytes = self.tables.ties.get(key.number())?.ok_or_else(|| {
            ReadError::Inconsistent(format!(
                "ties of segment {} of unit {} are not stored",
                key.index(),
                key.unit()
            ))
        })?;
        Ties::decode(bytes.value()).map_err(malformed("ties", key.number()))
    }

    /// Whether the newest value of an attribute stands in profiles.
    pub fn in_profile(&self, attribute: crate::types::AttributeNumber) -> bool {
        self.catalogue
            .attribute_by_number(attribute)
            .is_some_and(Attribute::in_profile)
    }
}

/// What a person's first row shows: the newest state, changes of coming months included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RowShown {
    /// The unit to which the row was entered.
    pub unit: UnitNumber,
    /// The code of the person's profile.
    pub person: u32,
    /// The code of the household's profile.
    pub household: u32,
    /// The birth column's number; see [`super::scan::birth_month`].
    pub birth: u16,
}

/// The bytes of a hot segment in the page cache.
pub struct SegmentBytes(redb::AccessGuard<'static, &'static [u8]>);

impl SegmentBytes {
    /// The bytes.
    pub fn bytes(&self) -> &[u8] {
        self.0.value()
    }
}

impl std::fmt::Debug for SegmentBytes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SegmentBytes")
            .field("len", &self.bytes().len())
            .finish()
    }
}
