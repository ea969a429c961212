//! Histories of persons and households, their states by month, and the timeline that segments show.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::rc::Rc;

use rustc_hash::FxBuildHasher;

use super::catalogue::{Catalogue, OnExpiry, builtin};
use super::error::ReadError;
use super::fact::{Records, deciding, value_in};
use super::profile::Profile;
use super::snapshot::{Snapshot, no_household};
use super::state::{Content, FactRecord, PersonState, profile_of};
use super::unit_index::UnitIndex;
use crate::types::{
    AttributeNumber, BirthDate, Date, HouseholdNumber, Identifier, Month, PersonNumber, Sequence, Sex,
    UnitNumber, Value,
};

/// Everything recorded of one person.
#[derive(Debug, Clone)]
pub(crate) struct PersonHistory {
    pub(crate) number: PersonNumber,
    /// The transaction that inserted the person.
    pub(crate) recorded: Sequence,
    pub(crate) records: Records,
}

/// Everything recorded of one household.
#[derive(Debug, Clone)]
pub(crate) struct HouseholdHistory {
    pub(crate) recorded: Sequence,
    pub(crate) records: Records,
}

/// Histories of households already read for one question.
#[derive(Default)]
pub(crate) struct Memo {
    households: RefCell<HashMap<u32, Rc<HouseholdHistory>, FxBuildHasher>>,
    /// The profiles of households, as known now, by household and month: its people ask for the same ones.
    profiles: RefCell<HashMap<(u32, Month), Profile, FxBuildHasher>>,
    /// Nobody else of a household will be asked about, so its history is not worth keeping.
    of_one: bool,
}

impl Memo {
    /// For a question about one person in one month.
    pub(crate) fn of_one() -> Self {
        Self {
            of_one: true,
            ..Self::default()
        }
    }

    /// The unit in which a household lives in a month, as it was recorded.
    fn residence(
        &self,
        snapshot: Snapshot<'_>,
        number: HouseholdNumber,
        month: Month,
        known: Sequence,
    ) -> Result<Option<UnitNumber>, ReadError> {
        if self.of_one {
            return snapshot.household_residence(number, month, known);
        }
        Ok(self.household(snapshot, number)?.residence(month, known))
    }

    /// Adds a history that is not stored yet.
    pub(crate) fn put(&self, number: u32, history: Rc<HouseholdHistory>) {
        self.households.borrow_mut().insert(number, history);
    }

    /// The history of a household.
    pub(crate) fn household(
        &self,
        snapshot: Snapshot<'_>,
        number: HouseholdNumber,
    ) -> Result<Rc<HouseholdHistory>, ReadError> {
        if let Some(history) = self.households.borrow().get(&number.get()) {
            return Ok(Rc::clone(history));
        }
        let history = snapshot.household_history(number)?;
        let history = Rc::new(history.ok_or_else(|| no_household(number))?);
        self.households
            .borrow_mut()
            .insert(number.get(), Rc::clone(&history));
        Ok(history)
    }

    /// The profile of a household in a month, as known now.
    pub(crate) fn profile(
        &self,
        snapshot: Snapshot<'_>,
        number: HouseholdNumber,
        month: Month,
    ) -> Result<Profile, ReadError> {
        let key = (number.get(), month);
        if let Some(profile) = self.profiles.borrow().get(&key) {
            return Ok(profile.clone());
        }
        let history = self.household(snapshot, number)?;
        let values = history.values(month, Sequence::NEWEST, snapshot.catalogue());
        let profile = profile_of(&values, snapshot.catalogue());
        self.profiles.borrow_mut().insert(key, profile.clone());
        Ok(profile)
    }
}

/// A number kept as a value of one of the kernel's own attributes; 0 is none.
pub(crate) const fn number_value(number: u64) -> Value {
    Value::Integer(number as i64)
}

fn number_of(value: Option<Value>) -> Option<u64> {
    match value {
        Some(Value::Integer(number)) if number > 0 => Some(number as u64),
        _ => None,
    }
}

/// The values of declared attributes that hold in a month.
pub(crate) fn declared_values(
    records: &Records,
    month: Month,
    known: Sequence,
    catalogue: &Catalogue,
) -> BTreeMap<AttributeNumber, Value> {
    records
        .by_attribute()
        .filter_map(|(number, records)| {
            let attribute = catalogue.attribute_by_number(number)?;
            Some((number, value_in(records, month, known, attribute.on_expiry)?))
        })
        .collect()
}

/// The unit of the record of residence that decides.
pub(crate) fn residence_in(records: &[FactRecord], month: Month, known: Sequence) -> Option<UnitNumber> {
    number_of(value_in(records, month, known, OnExpiry::Keep)).map(|number| UnitNumber(number as u16))
}

impl HouseholdHistory {
    /// The unit in which the household lives in a month, as it was recorded.
    pub(crate) fn residence(&self, month: Month, known: Sequence) -> Option<UnitNumber> {
        residence_in(self.records.of(builtin::RESIDENCE), month, known)
    }

    /// The head on record.
    pub(crate) fn head(&self, month: Month, known: Sequence) -> Option<PersonNumber> {
        let records = self.records.of(builtin::HEAD);
        number_of(value_in(records, month, known, OnExpiry::Keep)).map(|number| PersonNumber(number as u32))
    }

    /// The values of declared attributes.
    pub(crate) fn values(
        &self,
        month: Month,
        known: Sequence,
        catalogue: &Catalogue,
    ) -> BTreeMap<AttributeNumber, Value> {
        declared_values(&self.records, month, known, catalogue)
    }
}

/// A stretch of a person's life as segments show it, from a month on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Stretch {
    pub(crate) from: Month,
    /// The unit, as it was recorded, of which the person is one of the people; `None` if absent.
    pub(crate) unit: Option<UnitNumber>,
    /// The person dies in this month.
    pub(crate) dies: bool,
    pub(crate) person: Profile,
    pub(crate) household: Profile,
}

/// A person's life as segments show it, as known now.
#[derive(Debug, Clone)]
pub(crate) struct Timeline {
    pub(crate) stretches: Vec<Stretch>,
    /// The last sequence that recorded anything that shows in it.
    pub(crate) last: Sequence,
    /// The profiles after every boundary, whether or not the person is present.
    pub(crate) final_person: Profile,
    pub(crate) final_household: Profile,
    pub(crate) birth: BirthDate,
}

impl PersonHistory {
    fn held(&self, attribute: AttributeNumber, month: Month, known: Sequence) -> Option<Value> {
        value_in(self.records.of(attribute), month, known, OnExpiry::Keep)
    }

    /// The birth date, as known.
    pub(crate) fn birth(&self, known: Sequence) -> Result<BirthDate, ReadError> {
        match self.held(builtin::BIRTH, Month::MAX, known) {
            Some(Value::Birth(birth)) => Ok(birth),
            _ => Err(ReadError::Inconsistent(format!(
                "{} has no birth date",
                self.number
            ))),
        }
    }

    /// The sex, as known.
    pub(crate) fn sex(&self, known: Sequence) -> Result<Sex, ReadError> {
        match self.held(builtin::SEX, Month::MAX, known) {
            Some(Value::Enum(0)) => Ok(Sex::Male),
            Some(Value::Enum(1)) => Ok(Sex::Female),
            _ => Err(ReadError::Inconsistent(format!("{} has no sex", self.number))),
        }
    }

    /// The current identifier, as known.
    pub(crate) fn identifier(&self, known: Sequence) -> Result<Identifier, ReadError> {
        match self.held(builtin::IDENTIFIER, Month::MAX, known) {
            Some(Value::Integer(key)) => Identifier::from_key(key as u64),
            _ => None,
        }
        .ok_or_else(|| ReadError::Inconsistent(format!("{} has no identifier", self.number)))
    }

    /// Whether the record is known to have been entered in error.
    pub(crate) fn entered_in_error(&self, known: Sequence) -> bool {
        self.held(builtin::ENTERED_IN_ERROR, Month::MAX, known) == Some(Value::Bool(true))
    }

    /// The record into which this one is known to have been merged.
    pub(crate) fn merged_into(&self, known: Sequence) -> Option<PersonNumber> {
        number_of(self.held(builtin::MERGED_INTO, Month::MAX, known))
            .map(|number| PersonNumber(number as u32))
    }

    /// The date of death on record, whenever it is.
    pub(crate) fn death(&self, known: Sequence) -> Option<Date> {
        match self.held(builtin::DEATH, Month::MAX, known) {
            Some(Value::Date(date)) => Some(date),
            _ => None,
        }
    }

    /// The household of which the person is a member in a month.
    pub(crate) fn household(&self, month: Month, known: Sequence) -> Option<HouseholdNumber> {
        number_of(self.held(builtin::HOUSEHOLD, month, known)).map(|number| HouseholdNumber(number as u32))
    }

    /// The unit in which the person lives in a month, as it was recorded.
    pub(crate) fn residence(
        &self,
        snapshot: Snapshot<'_>,
        memo: &Memo,
        month: Month,
        known: Sequence,
    ) -> Result<Option<UnitNumber>, ReadError> {
        match self.household(month, known) {
            Some(household) => memo.residence(snapshot, household, month, known),
            None => Ok(residence_in(self.records.of(builtin::RESIDENCE), month, known)),
        }
    }

    /// The person at the end of a month, as known; `None` if not inserted by then.
    pub(crate) fn state(
        &self,
        snapshot: Snapshot<'_>,
        memo: &Memo,
        month: Month,
        known: Sequence,
    ) -> Result<Option<PersonState>, ReadError> {
        if self.recorded > known {
            return Ok(None);
        }
        let birth = self.birth(known)?;
        let entered_in_error = self.entered_in_error(known);
        let merged_into = self.merged_into(known);
        let death = self.death(known).filter(|date| date.month() <= month);
        let residence = self.residence(snapshot, memo, month, known)?;
        let unit = residence.and_then(|unit| snapshot.units().follow(unit, month, known));
        let present = unit.is_some()
            && month >= birth.earliest_month()
            && death.is_none_or(|date| date.month() == month)
            && !entered_in_error
            && merged_into.is_none();
        Ok(Some(PersonState {
            number: self.number,
            identifier: self.identifier(known)?,
            birth,
            sex: self.sex(known)?,
            entered_in_error,
            merged_into,
            death,
            household: self.household(month, known),
            unit,
            present,
            values: declared_values(&self.records, month, known, snapshot.catalogue()),
        }))
    }

    /// The timeline that segments show.
    pub(crate) fn timeline(&self, snapshot: Snapshot<'_>, memo: &Memo) -> Result<Timeline, ReadError> {
        let known = Sequence::NEWEST;
        let birth = self.birth(known)?;
        let mut last = self.records.newest().max(self.recorded);
        let mut boundaries: BTreeSet<Month> = self.records.boundaries().collect();
        boundaries.insert(birth.earliest_month());
        boundaries.extend(self.death(known).map(|date| date.month().next()));
        let ends = add_unit_ends(
            &mut boundaries,
            snapshot.units(),
            self.records.of(builtin::RESIDENCE),
        );
        last = last.max(ends);
        for record in self.records.of(builtin::HOUSEHOLD) {
            let Content::Value { value, .. } = record.content else {
                continue;
            };
            let Some(household) = number_of(Some(value)) else {
                continue;
            };
            let history = memo.household(snapshot, HouseholdNumber(household as u32))?;
            boundaries.extend(history.records.boundaries());
            let ends = add_unit_ends(
                &mut boundaries,
                snapshot.units(),
                history.records.of(builtin::RESIDENCE),
            );
            last = last.max(history.records.newest()).max(history.recorded).max(ends);
        }
        let mut stretches: Vec<Stretch> = Vec::new();
        let (mut final_person, mut final_household) = (Profile::default(), Profile::default());
        for from in boundaries {
            let state = self.state(snapshot, memo, from, known)?;
            let Some(state) = state else { continue };
            let unit = if state.present {
                self.residence(snapshot, memo, from, known)?
            } else {
                None
            };
            let household = match state.household {
                Some(household) => memo.profile(snapshot, household, from)?,
                None => Profile::default(),
            };
            let stretch = Stretch {
                from,
                unit,
                dies: unit.is_some() && state.death.is_some(),
                person: state.profile(snapshot.catalogue()),
                household,
            };
            final_person.clone_from(&stretch.person);
            final_household.clone_from(&stretch.household);
            let same = |before: &Stretch| {
                if stretch.unit.is_none() {
                    return before.unit.is_none();
                }
                Stretch {
                    from: before.from,
                    ..stretch.clone()
                } == *before
            };
            if stretches
                .last()
                .map_or(stretch.unit.is_some(), |before| !same(before))
            {
                stretches.push(stretch);
            }
        }
        Ok(Timeline {
            stretches,
            last,
            final_person,
            final_household,
            birth,
        })
    }

    /// Whether the record takes no more changes.
    pub(crate) fn is_closed(&self) -> bool {
        self.entered_in_error(Sequence::NEWEST) || self.merged_into(Sequence::NEWEST).is_some()
    }
}

/// Adds the months after which the units of residence records, and those that follow them, no longer exist. Gives
/// the last sequence that recorded an end on a way that leads nowhere: by what was known before it, whoever lived
/// there is somewhere still.
fn add_unit_ends(boundaries: &mut BTreeSet<Month>, units: &UnitIndex, residences: &[FactRecord]) -> Sequence {
    let mut last = Sequence(0);
    for record in residences {
        let Content::Value { value, .. } = record.content else {
            continue;
        };
        let mut on_this_way = Sequence(0);
        let mut next = number_of(Some(value)).map(|unit| UnitNumber(unit as u16));
        for _ in 0..=units.len() {
            let Some(end) = next.and_then(|unit| units.get(unit)).and_then(|unit| unit.end) else {
                break;
            };
            boundaries.insert(end.last.next());
            on_this_way = on_this_way.max(end.recorded);
            if end.successor.is_none() {
                last = last.max(on_this_way);
            }
            next = end.successor;
        }
    }
    last
}

/// The record of declared or own attribute in force in a month, as known now: not expired.
pub(crate) fn in_force(records: &[FactRecord], month: Month) -> Option<&FactRecord> {
    deciding(records, month, Sequence::NEWEST).filter(|record| match record.content {
        Content::Value { until, .. } => until.is_none_or(|last| month <= last),
        Content::Retracted => false,
    })
}
