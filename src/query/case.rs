//! One person's case, read from everything on record: for explanations, and for rules that ask for what each person
//! has of their own.

use std::cell::{OnceCell, RefCell};
use std::collections::BTreeMap;

use crate::kernel::catalogue::{Catalogue, SubjectKind};
use crate::kernel::operation::Subject;
use crate::kernel::profile::Profile;
use crate::kernel::state::PersonState;
use crate::kernel::{ReadError, View};
use crate::policy::{Age, Case, CaseGroup, MonthPolicy, Own};
use crate::types::{AttributeNumber, Month, PersonNumber, ProvinceCode, Sequence, UnitNumber, Value};

/// Reads cases at the end of one month.
pub(crate) struct CaseReader<'a> {
    pub(crate) view: &'a View,
    pub(crate) policy: &'a MonthPolicy,
    pub(crate) month: Month,
    pub(crate) known: Sequence,
    /// The first error met while a policy asked; what it was answered then means nothing.
    problem: RefCell<Option<ReadError>>,
}

/// The state of one person at the end of a month.
pub(crate) struct PersonCase {
    number: PersonNumber,
    age: Age,
    person: Profile,
    household: Option<Profile>,
    commune: Profile,
    province: ProvinceCode,
    former_province: ProvinceCode,
    dies: bool,
}

impl PersonCase {
    /// The case that the evaluator takes.
    pub(crate) fn case<'c>(&'c self, own: &'c dyn Own) -> Case<'c> {
        Case {
            dies: self.dies,
            age: self.age,
            person: &self.person,
            household: self.household.as_ref(),
            commune: &self.commune,
            province: self.province,
            former_province: self.former_province,
            own: Some(own),
        }
    }
}

fn in_profiles(catalogue: &Catalogue, values: &BTreeMap<AttributeNumber, Value>) -> Profile {
    let kept = |attribute: AttributeNumber| {
        catalogue
            .attribute_by_number(attribute)
            .is_some_and(crate::kernel::catalogue::Attribute::in_profile)
    };
    values
        .iter()
        .map(|(&attribute, &value)| (attribute, value))
        .filter(|(attribute, _)| kept(*attribute))
        .collect()
}

impl<'a> CaseReader<'a> {
    pub(crate) fn new(view: &'a View, policy: &'a MonthPolicy, month: Month, known: Sequence) -> Self {
        Self {
            view,
            policy,
            month,
            known,
            problem: RefCell::new(None),
        }
    }

    /// The case of a person; `None` if dead or not present at the end of the month.
    pub(crate) fn read(&self, person: PersonNumber) -> Result<Option<PersonCase>, ReadError> {
        match self.view.person(person, self.month, self.known)? {
            Some(state) if state.death.is_none() => self.of_state(&state),
            _ => Ok(None),
        }
    }

    /// As [`CaseReader::read`], of a state that was read, that of somebody who died in the month included.
    pub(crate) fn of_state(&self, state: &PersonState) -> Result<Option<PersonCase>, ReadError> {
        let catalogue = self.view.catalogue();
        let unit = state.unit.and_then(|unit| self.view.unit(unit));
        let Some(unit) = unit.filter(|_| state.present) else {
            return Ok(None);
        };
        let household = match state.household {
            Some(household) => self.view.household_values(household, self.month, self.known)?,
            None => None,
        };
        let commune = self.view.commune_values(unit.number, self.month, self.known)?;
        Ok(Some(PersonCase {
            number: state.number,
            age: Age::at_end_of(self.month, state.birth, self.policy.unknown_birth_month()),
            person: state.profile(catalogue),
            household: household.map(|values| in_profiles(catalogue, &values)),
            commune: in_profiles(catalogue, &commune),
            province: unit.declared.province,
            former_province: unit.declared.former_province,
            dies: state.death.is_some(),
        }))
    }

    /// The error that was met, if any.
    pub(crate) fn take_problem(&self) -> Result<(), ReadError> {
        self.problem.borrow_mut().take().map_or(Ok(()), Err)
    }

    fn note<T: Default>(&self, result: Result<T, ReadError>) -> T {
        result.unwrap_or_else(|problem| {
            self.problem.borrow_mut().get_or_insert(problem);
            T::default()
        })
    }
}

/// What a person has of their own, read when it is asked for.
pub(crate) struct Around<'a> {
    reader: &'a CaseReader<'a>,
    person: PersonNumber,
    /// The household and the unit, once somebody asked for something of them.
    home: OnceCell<(Option<crate::types::HouseholdNumber>, Option<UnitNumber>)>,
}

impl<'a> Around<'a> {
    pub(crate) const fn new(reader: &'a CaseReader<'a>, person: PersonNumber) -> Self {
        Self {
            reader,
            person,
            home: OnceCell::new(),
        }
    }

    fn home(&self) -> (Option<crate::types::HouseholdNumber>, Option<UnitNumber>) {
        *self.home.get_or_init(|| {
            let reader = self.reader;
            let state = reader.note(reader.view.person(self.person, reader.month, reader.known));
            state.map_or((None, None), |state| (state.household, state.unit))
        })
    }

    fn value_of(&self, subject: Subject, attribute: AttributeNumber) -> Option<Value> {
        let reader = self.reader;
        reader.note(
            reader
                .view
                .value_of(subject, attribute, reader.month, reader.known),
        )
    }

    /// The people of a group, whether or not present; `None` if it is recorded as unknown who they are.
    fn people(&self, group: CaseGroup) -> Option<Vec<PersonNumber>> {
        let reader = self.reader;
        let view = reader.view;
        match group {
            CaseGroup::Household => {
                let Some(household) = self.home().0 else {
                    return Some(vec![self.person]);
                };
                let state = reader.note(view.household(household, reader.month, reader.known));
                Some(state.map_or_else(Vec::new, |state| state.members))
            }
            CaseGroup::Reference(attribute) => match self.value_of(self.person.into(), attribute) {
                Some(Value::Person(person)) => Some(vec![self.stands_for(person)]),
                Some(Value::Unknown) => None,
                _ => Some(Vec::new()),
            },
            CaseGroup::Dependants(attribute) => {
                let mut found = Vec::new();
                // References to a record that was merged into this one go on naming the old number.
                for target in reader.note(view.records_of(self.person, reader.known)) {
                    for person in reader.note(view.ever_referring(target, attribute)) {
                        if self.value_of(person.into(), attribute) == Some(Value::Person(target)) {
                            found.push(person);
                        }
                    }
                }
                found.sort_unstable();
                found.dedup();
                Some(found)
            }
        }
    }

    /// The record that stands for a record after every merger that was known.
    fn stands_for(&self, person: PersonNumber) -> PersonNumber {
        let reader = self.reader;
        let stays = reader.view.stands_for(person, reader.known).map(Some);
        reader.note(stays).unwrap_or(person)
    }
}

impl Own for Around<'_> {
    fn person(&self) -> Option<PersonNumber> {
        Some(self.person)
    }

    fn value(&self, attribute: AttributeNumber) -> Option<Value> {
        let known = self.reader.view.catalogue().attribute_by_number(attribute)?;
        let subject = match known.subject {
            SubjectKind::Person => Some(Subject::Person(self.person)),
            SubjectKind::Household => self.home().0.map(Subject::Household),
            SubjectKind::Commune => self.home().1.map(Subject::Commune),
        };
        self.value_of(subject?, attribute)
    }

    fn visit(&self, group: CaseGroup, visit: &mut dyn FnMut(&Case<'_>)) -> bool {
        let Some(people) = self.people(group) else {
            return false;
        };
        for person in people {
            if let Some(case) = self.reader.note(self.reader.read(person)) {
                let own = Around::new(self.reader, case.number);
                visit(&case.case(&own));
            }
        }
        true
    }
}
