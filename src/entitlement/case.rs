//! One person's case, read from everything on record: for explanations, and for rules that ask for numbers.

use std::collections::BTreeMap;

use crate::kernel::catalogue::{Attribute, Catalogue};
use crate::kernel::profile::Profile;
use crate::kernel::{ReadError, View};
use crate::policy::{Age, Case, MonthPolicy};
use crate::types::{AttributeNumber, Month, PersonNumber, ProvinceCode, Sequence, Value};

/// The state of one person at the end of a month, with everything that an evaluation may ask.
#[derive(Debug, Clone)]
pub(super) struct OwnCase {
    age: Age,
    person: Profile,
    household: Option<Profile>,
    commune: Profile,
    province: ProvinceCode,
    former_province: ProvinceCode,
    numbers: Profile,
}

impl OwnCase {
    /// The case that the evaluator takes.
    pub(super) fn case(&self) -> Case<'_> {
        Case {
            age: self.age,
            person: &self.person,
            household: self.household.as_ref(),
            commune: &self.commune,
            province: self.province,
            former_province: self.former_province,
            numbers: &self.numbers,
        }
    }
}

fn all_values(
    values: &BTreeMap<AttributeNumber, Value>,
) -> impl Iterator<Item = (AttributeNumber, Value)> + '_ {
    values.iter().map(|(&attribute, &value)| (attribute, value))
}

fn categorical(catalogue: &Catalogue, values: &BTreeMap<AttributeNumber, Value>) -> Profile {
    let kept = |attribute: &AttributeNumber| {
        catalogue
            .attribute_by_number(*attribute)
            .is_some_and(Attribute::is_categorical)
    };
    all_values(values)
        .filter(|(attribute, _)| kept(attribute))
        .collect()
}

/// The case of a person at the end of a month; `None` if dead or not present then.
fn case_at(
    view: &View,
    policy: &MonthPolicy,
    person: PersonNumber,
    month: Month,
    known: Sequence,
) -> Result<Option<OwnCase>, ReadError> {
    let state = view.person(person, month, known)?;
    let Some(state) = state.filter(|state| state.present && state.death.is_none()) else {
        return Ok(None);
    };
    let Some(unit) = state.unit.and_then(|unit| view.unit(unit)) else {
        return Ok(None);
    };
    let household = match state.household {
        Some(household) => view.household_values(household, month, known)?,
        None => None,
    };
    let commune = view.commune_values(unit.number, month, known)?;
    let numbers = all_values(&state.values)
        .chain(household.iter().flat_map(all_values))
        .chain(all_values(&commune))
        .collect();
    let age = Age::at_end_of(month, state.birth, policy.unknown_birth_month());
    Ok(Some(OwnCase {
        age,
        person: state
            .profile(view.catalogue())
            .iter()
            .chain(categorical(view.catalogue(), &state.values).iter())
            .collect(),
        household: household.map(|values| categorical(view.catalogue(), &values)),
        commune: categorical(view.catalogue(), &commune),
        province: unit.declared.province,
        former_province: unit.declared.former_province,
        numbers,
    }))
}

/// The cases of a person at the end of a month and of the month before.
pub(super) fn states(
    view: &View,
    policy: &MonthPolicy,
    person: PersonNumber,
    month: Month,
    known: Sequence,
) -> Result<(Option<OwnCase>, Option<OwnCase>), ReadError> {
    let now = case_at(view, policy, person, month, known)?;
    let before = match month.previous() {
        Some(before) => case_at(view, policy, person, before, known)?,
        None => None,
    };
    Ok((now, before))
}
