//! What reads answer: the state of a subject in a month, as known at a sequence.

use std::collections::BTreeMap;

use super::catalogue::Attribute;
use super::profile::Profile;
use crate::types::{
    AttributeNumber, BirthDate, Date, HouseholdId, HouseholdNumber, Identifier, Month, PersonNumber,
    Sequence, Sex, UnitNumber, Value,
};

/// One record of a fact, as it was made. Nothing is overwritten: a later record with the same valid-from month
/// takes its place in every answer from its sequence on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FactRecord {
    /// The attribute.
    pub attribute: AttributeNumber,
    /// The first month in which it holds.
    pub from: Month,
    /// The transaction that recorded it.
    pub recorded: Sequence,
    /// What was recorded.
    pub content: Content,
}

/// What a record says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// A value.
    Value {
        /// The value.
        value: Value,
        /// The last month in which it holds, if any.
        until: Option<Month>,
        /// The document that it rests on; may be empty.
        document: String,
    },
    /// The record with this valid-from month is withdrawn: resolution goes on to the month before it.
    Retracted,
}

/// A person at the end of a month, as known at a sequence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PersonState {
    /// The person's number.
    pub number: PersonNumber,
    /// The current ID, as known.
    pub identifier: Identifier,
    /// The birth date, as known.
    pub birth: BirthDate,
    /// The sex, as known.
    pub sex: Sex,
    /// Whether the record is known to have been entered in error.
    pub entered_in_error: bool,
    /// The record into which this one is known to have been merged.
    pub merged_into: Option<PersonNumber>,
    /// The date of death, if it lies in the month or before it.
    pub death: Option<Date>,
    /// The household of which the person is a member.
    pub household: Option<HouseholdNumber>,
    /// The unit in which the person lives: the household's, or the person's own. Mergers of units are followed.
    pub unit: Option<UnitNumber>,
    /// Whether the person belongs to the people of that unit in the month: born, not dead before the month,
    /// living in a unit, and not entered in error or merged into another.
    pub present: bool,
    /// The values on record of the declared attributes. What is not listed has no record: its absent value
    /// holds.
    pub values: BTreeMap<AttributeNumber, Value>,
}

/// A household at the end of a month, as known at a sequence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HouseholdState {
    /// The household's number.
    pub number: HouseholdNumber,
    /// Its outside ID.
    pub id: HouseholdId,
    /// The unit in which it lives, mergers followed; `None` before its record begins.
    pub unit: Option<UnitNumber>,
    /// The head on record, whether or not still a member.
    pub head: Option<PersonNumber>,
    /// The members who are present in the month, by number.
    pub members: Vec<PersonNumber>,
    /// The values on record of the declared attributes.
    pub values: BTreeMap<AttributeNumber, Value>,
}

/// A unit at the end of a month, as known at a sequence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommuneState {
    /// The unit's number.
    pub unit: UnitNumber,
    /// The values on record of the declared attributes.
    pub values: BTreeMap<AttributeNumber, Value>,
    /// The people who are present in the month, by number.
    pub residents: Vec<PersonNumber>,
}

impl PersonState {
    /// The categorical values that policies ask about, with the sex.
    pub fn profile(&self, catalogue: &super::catalogue::Catalogue) -> Profile {
        let sex = (super::catalogue::builtin::SEX, sex_value(self.sex));
        profile_of(&self.values, catalogue).iter().chain([sex]).collect()
    }
}

/// The categorical values that policies ask about.
pub(crate) fn profile_of(
    values: &BTreeMap<AttributeNumber, Value>,
    catalogue: &super::catalogue::Catalogue,
) -> Profile {
    values
        .iter()
        .filter(|(number, _)| {
            catalogue
                .attribute_by_number(**number)
                .is_some_and(Attribute::in_profile)
        })
        .map(|(number, value)| (*number, *value))
        .collect()
}

/// The value of [`super::catalogue::builtin::SEX`] in profiles.
pub(crate) const fn sex_value(sex: Sex) -> Value {
    Value::Enum(match sex {
        Sex::Male => 0,
        Sex::Female => 1,
    })
}
