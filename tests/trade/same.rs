//! Whether two registries give the same answers, people and households named by their IDs.

use std::collections::BTreeMap;

use ansinh::kernel::View;
use ansinh::kernel::operation::Subject;
use ansinh::kernel::state::Content;
use ansinh::types::{AttributeNumber, HouseholdNumber, Identifier, Month, PersonNumber, Sequence, Value};

const KNOWN: Sequence = Sequence::NEWEST;

pub fn month(text: &str) -> Month {
    text.parse().unwrap()
}

/// Every month from `first` to `last`.
pub fn months(first: &str, last: &str) -> Vec<Month> {
    let last = month(last);
    std::iter::successors(Some(month(first)), |month| {
        Some(month.next()).filter(|next| *next <= last)
    })
    .collect()
}

fn identifier(view: &View, person: PersonNumber) -> Identifier {
    view.person(person, Month::MAX, KNOWN)
        .unwrap()
        .unwrap()
        .identifier
}

fn named(view: &View, values: &BTreeMap<AttributeNumber, Value>) -> Vec<(u16, String)> {
    let text = |value: &Value| match value {
        Value::Person(person) => identifier(view, *person).to_string(),
        value => format!("{value:?}"),
    };
    values
        .iter()
        .map(|(attribute, value)| (attribute.get(), text(value)))
        .collect()
}

/// What a view says of a person in a month.
fn person(view: &View, number: PersonNumber, month: Month) -> String {
    let state = view.person(number, month, KNOWN).unwrap().unwrap();
    format!(
        "{:?}",
        (
            (state.identifier, state.birth, state.sex, state.entered_in_error),
            state.merged_into.map(|other| identifier(view, other)),
            state.death,
            state.household.map(|number| view.household_id(number).unwrap()),
            (state.unit, state.present),
            named(view, &state.values),
        )
    )
}

fn sorted(view: &View, people: &[PersonNumber]) -> Vec<Identifier> {
    let mut identifiers: Vec<_> = people.iter().map(|&number| identifier(view, number)).collect();
    identifiers.sort_unstable();
    identifiers
}

fn household(view: &View, number: HouseholdNumber, month: Month) -> String {
    let state = view.household(number, month, KNOWN).unwrap().unwrap();
    format!(
        "{:?}",
        (
            state.id,
            state.unit,
            state.head.map(|head| identifier(view, head)),
            sorted(view, &state.members),
            named(view, &state.values),
        )
    )
}

/// The records of a subject that count now, from a month on: attribute, months, value and document.
fn facts(view: &View, subject: Subject, first: Month) -> Vec<String> {
    let records = view.history(subject).unwrap();
    let mut newest = BTreeMap::new();
    for record in records.into_iter().filter(|record| record.from >= first) {
        newest.insert((record.attribute, record.from), record.content);
    }
    newest
        .into_iter()
        .filter_map(|((attribute, from), content)| match content {
            Content::Value {
                value,
                until,
                document,
            } => {
                let value = named(view, &[(attribute, value)].into_iter().collect());
                Some(format!("{from} {until:?} {value:?} {document:?}"))
            }
            Content::Retracted => None,
        })
        .collect()
}

/// Asserts that two registries give the same answers in these months, as known now. Of a person, months before the
/// birth are not compared.
pub fn assert_same(one: &View, other: &View, months: &[Month]) {
    let (counts, others) = (one.counts().unwrap(), other.counts().unwrap());
    assert_eq!(counts.people, others.people);
    assert_eq!(counts.households, others.households);
    for number in one.people() {
        let id = identifier(one, number);
        let twin = other
            .find_person(id, KNOWN)
            .unwrap()
            .unwrap_or_else(|| panic!("{id} is missing"));
        let born = one.person(number, Month::MAX, KNOWN).unwrap().unwrap().birth;
        for &month in months.iter().filter(|month| **month >= born.earliest_month()) {
            assert_eq!(
                person(one, number, month),
                person(other, twin, month),
                "{id} in {month}"
            );
        }
        let (mine, theirs) = (one.dossier(number).unwrap(), other.dossier(twin).unwrap());
        assert_eq!(
            (mine.name, mine.address, mine.account),
            (theirs.name, theirs.address, theirs.account)
        );
        let after = born.earliest_month().next();
        assert_eq!(
            facts(one, Subject::Person(number), after),
            facts(other, Subject::Person(twin), after),
            "facts of {id}"
        );
    }
    let leads = |view: &View| -> Vec<(Identifier, Identifier)> {
        let all = view.identifiers().unwrap().map(Result::unwrap);
        all.map(|(given, number)| (given, identifier(view, number)))
            .collect()
    };
    assert_eq!(leads(one), leads(other));
    for number in one.households() {
        let id = one.household_id(number).unwrap().unwrap();
        let twin = other.find_household(id, KNOWN).unwrap().unwrap();
        for &month in months {
            assert_eq!(
                household(one, number, month),
                household(other, twin, month),
                "household {id} in {month}"
            );
        }
        assert_eq!(
            facts(one, Subject::Household(number), Month::MIN),
            facts(other, Subject::Household(twin), Month::MIN),
            "facts of {id}"
        );
    }
    for unit in one.units() {
        for &month in months {
            let (a, b) = (
                one.commune(unit.number, month, KNOWN).unwrap().unwrap(),
                other.commune(unit.number, month, KNOWN).unwrap().unwrap(),
            );
            assert_eq!(a.values, b.values);
            assert_eq!(sorted(one, &a.residents), sorted(other, &b.residents));
        }
    }
}
