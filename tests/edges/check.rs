//! A small registry, and the comparison of every row of every segment with what the facts say.

use std::collections::{BTreeMap, BTreeSet};

use ansinh::kernel::catalogue::{
    AttributeDeclaration, Declaration, Keeping, OnExpiry, SubjectKind, ValueKind,
};
use ansinh::kernel::operation::{Answer, Destination, NewPerson, Operation, Subject};
use ansinh::kernel::profile::Profile;
use ansinh::kernel::scan::{CodedState, RowStates, SegmentScan, birth_month};
use ansinh::kernel::state::{Content, PersonState};
use ansinh::kernel::units::{UnitDeclaration, UnitKind, UnitName};
use ansinh::kernel::{Author, Store, StoreOptions, View, WriteTransaction};
use ansinh::types::{
    AttributeNumber, BirthDate, Dossier, HouseholdId, HouseholdNumber, Identifier, Instant, Month,
    PersonNumber, Sequence, Sex, UnitNumber, Value,
};

use crate::ties;

pub const AT: Instant = Instant::from_unix_millis(1_780_272_000_000);
/// Categorical, of persons, in profiles; kept, unknown and absent after the last month.
pub const KEPT: AttributeNumber = AttributeNumber(64);
pub const UNKNOWN: AttributeNumber = AttributeNumber(65);
pub const ABSENT: AttributeNumber = AttributeNumber(66);
/// Categorical, of persons, in a column.
pub const COLUMN: AttributeNumber = AttributeNumber(67);
/// A reference, of persons.
pub const REFERENCE: AttributeNumber = AttributeNumber(69);
/// Categorical, of households.
pub const POVERTY: AttributeNumber = AttributeNumber(70);
/// A whole number from 0 to 1,000, of persons, in profiles.
pub const SCORE: AttributeNumber = AttributeNumber(71);
/// Values of every enum.
pub const VALUES: u16 = 40;

pub fn month(text: &str) -> Month {
    text.parse().unwrap()
}

pub fn birth(text: &str) -> BirthDate {
    text.parse().unwrap()
}

pub fn declaration() -> Declaration {
    let attribute = |name: &str, subject, kind, on_expiry, keeping| AttributeDeclaration {
        name: name.into(),
        renamed_from: None,
        subject,
        kind,
        values: if kind == ValueKind::Enum {
            (0..VALUES).map(|value| format!("v{value}")).collect()
        } else {
            Vec::new()
        },
        absent: None,
        on_expiry,
        keeping,
    };
    let person = SubjectKind::Person;
    let number = ValueKind::Integer { min: 0, max: 1000 };
    Declaration {
        attributes: vec![
            attribute("keeps", person, ValueKind::Enum, OnExpiry::Keep, Keeping::Profile),
            attribute(
                "doubts",
                person,
                ValueKind::Enum,
                OnExpiry::Unknown,
                Keeping::Profile,
            ),
            attribute(
                "lapses",
                person,
                ValueKind::Enum,
                OnExpiry::Absent,
                Keeping::Profile,
            ),
            attribute(
                "channel",
                person,
                ValueKind::Enum,
                OnExpiry::Keep,
                Keeping::Column,
            ),
            attribute("months", person, number, OnExpiry::Keep, Keeping::Column),
            attribute(
                "guardian",
                person,
                ValueKind::Person,
                OnExpiry::Keep,
                Keeping::Column,
            ),
            attribute(
                "poverty",
                SubjectKind::Household,
                ValueKind::Enum,
                OnExpiry::Absent,
                Keeping::Profile,
            ),
            attribute("score", person, number, OnExpiry::Absent, Keeping::Profile),
        ],
        programmes: Vec::new(),
    }
}

pub fn unit(code: &str, from: &str) -> UnitDeclaration {
    UnitDeclaration {
        code: code.parse().unwrap(),
        from: month(from),
        province: "01".parse().unwrap(),
        former_province: "01".parse().unwrap(),
        names: vec![UnitName {
            from: month(from),
            name: format!("Xã {code}"),
            kind: UnitKind::Commune,
            province_name: "Tỉnh".into(),
        }],
    }
}

pub fn author() -> Author {
    Author::new("clerk 00004", "test")
}

/// A store with the declaration adopted and four units that exist from 2020-01 on.
pub fn store(folder: &tempfile::TempDir) -> Store {
    let store = Store::create(&folder.path().join("registry"), StoreOptions::default()).unwrap();
    write(&store, |transaction| {
        transaction.adopt("test", b"test", &declaration()).unwrap();
        for code in ["00004", "00008", "00025", "00070"] {
            apply(transaction, &Operation::AddUnit(unit(code, "2020-01")));
        }
    });
    store
}

pub fn write<T>(store: &Store, change: impl FnOnce(&mut WriteTransaction<'_>) -> T) -> T {
    let mut transaction = store.begin_write(author(), AT).unwrap();
    let answer = change(&mut transaction);
    transaction.commit().unwrap();
    answer
}

pub fn apply(transaction: &mut WriteTransaction<'_>, operation: &Operation) -> Answer {
    transaction.apply(operation).unwrap()
}

pub fn new_person(birth: BirthDate, lives: Destination, from: &str) -> NewPerson {
    NewPerson {
        identifier: None,
        birth,
        sex: Sex::Female,
        lives,
        from: month(from),
        facts: Vec::new(),
        dossier: Dossier::default(),
    }
}

pub fn insert(transaction: &mut WriteTransaction<'_>, person: NewPerson) -> PersonNumber {
    match apply(transaction, &Operation::InsertPerson(Box::new(person))) {
        Answer::PersonCreated(number) => number,
        other => panic!("{other:?}"),
    }
}

pub fn household(transaction: &mut WriteTransaction<'_>, id: &str, unit: u16, from: &str) -> HouseholdNumber {
    let made = Operation::MakeHousehold {
        id: id.parse::<HouseholdId>().unwrap(),
        unit: UnitNumber(unit),
        from: month(from),
    };
    match apply(transaction, &made) {
        Answer::HouseholdCreated(number) => number,
        other => panic!("{other:?}"),
    }
}

pub fn record(
    transaction: &mut WriteTransaction<'_>,
    subject: impl Into<Subject>,
    attribute: AttributeNumber,
    value: Value,
    from: Month,
    until: Option<Month>,
) {
    let fact = Operation::Record {
        subject: subject.into(),
        attribute,
        value,
        from,
        until,
        document: String::new(),
    };
    apply(transaction, &fact);
}

pub fn identifier(text: &str) -> Identifier {
    text.parse().unwrap()
}

/// The unit, the profiles of the person and of the household, and the birth date.
type Shown = (UnitNumber, Profile, Profile, BirthDate);

/// What the facts say of a person at the end of a month: where present and, if alive then, the profiles.
fn by_facts(
    view: &View,
    person: PersonNumber,
    month: Month,
    known: Sequence,
) -> (Option<UnitNumber>, Option<Shown>) {
    let Some(state) = view
        .person(person, month, known)
        .unwrap()
        .filter(|state| state.present)
    else {
        return (None, None);
    };
    let unit = state.unit.unwrap();
    if state.death.is_some() {
        return (Some(unit), None);
    }
    let own = |values: &BTreeMap<AttributeNumber, Value>| -> Profile {
        let kept = values.iter().filter(|(number, _)| view.in_profile(**number));
        kept.map(|(&number, &value)| (number, value)).collect()
    };
    let household = match state.household {
        Some(household) => own(&view.household_values(household, month, known).unwrap().unwrap()),
        None => Profile::default(),
    };
    let profile = state.profile(view.catalogue());
    (Some(unit), Some((unit, profile, household, state.birth)))
}

fn coded(view: &View, state: CodedState) -> (UnitNumber, Profile, Profile, Month) {
    let (person, household) = (
        view.profile(state.person).unwrap(),
        view.profile(state.household).unwrap(),
    );
    (state.unit, person, household, birth_month(state.birth).0)
}

/// Compares every row of every segment with the facts, in these months, at every sequence, and the index of occurrences
/// with the segments.
pub fn compare(store: &Store, months: &[Month]) {
    let view = store.begin_read().unwrap();
    view.verify_occurrences().unwrap();
    let newest = view.newest().get();
    for known in (0..=newest).map(Sequence).chain([Sequence::NEWEST]) {
        for &month in months {
            compare_month(&view, month, known);
        }
    }
}

/// Compares whose records ever named each person with what the whole histories of all people hold.
pub fn compare_references(
    view: &View,
    ever_referring: impl Fn(PersonNumber, AttributeNumber) -> Vec<PersonNumber>,
) {
    let mut expected: BTreeMap<(PersonNumber, AttributeNumber), BTreeSet<PersonNumber>> = BTreeMap::new();
    for person in view.people() {
        for record in view.full_history(person.into()).unwrap() {
            if let Content::Value {
                value: Value::Person(target),
                ..
            } = record.content
            {
                let of_target = expected.entry((target, record.attribute)).or_default();
                of_target.insert(person);
            }
        }
    }
    assert!(!expected.is_empty(), "nobody refers to anybody");
    for target in view.people() {
        for attribute in [REFERENCE, KEPT] {
            let named = expected.remove(&(target, attribute)).unwrap_or_default();
            let found = ever_referring(target, attribute);
            assert!(
                found.iter().eq(named.iter()),
                "{target}: {found:?}, not {named:?}"
            );
        }
    }
    assert!(expected.is_empty(), "{expected:?}");
}

/// Compares every value of every person read by itself with the whole state.
pub fn compare_values(store: &Store, months: &[Month]) {
    let view = store.begin_read().unwrap();
    for known in (0..=view.newest().get()).map(Sequence).chain([Sequence::NEWEST]) {
        for (&month, person) in months
            .iter()
            .flat_map(|month| view.people().map(move |person| (month, person)))
        {
            let state = view.person(person, month, known).unwrap();
            for attribute in view.catalogue().attributes().map(|attribute| attribute.number) {
                let found = view.value_of(person.into(), attribute, month, known).unwrap();
                let expected = state.as_ref().and_then(|state| state.values.get(&attribute));
                assert_eq!(
                    found.as_ref(),
                    expected,
                    "{attribute} of {person} in {month} at {known}"
                );
            }
        }
    }
}

fn compare_month(view: &View, month: Month, known: Sequence) {
    let mut bearing: BTreeMap<PersonNumber, UnitNumber> = BTreeMap::new();
    let people: Vec<Option<PersonState>> = view
        .people()
        .map(|person| view.person(person, month, known).unwrap())
        .collect();
    ties::Everyone(&people).compare_ties(view, month, known).unwrap();
    for key in view.segments().unwrap() {
        let bytes = view.segment(key).unwrap();
        let scan = SegmentScan::new(view, key, &bytes, month, known).unwrap();
        let persons = view.segment_persons(key).unwrap();
        for (row, &person) in persons.iter().enumerate() {
            let about = format!("{person} in {month} at {known}, row {row} of unit {}", key.unit());
            let RowStates {
                in_scope,
                now,
                dies,
                before,
            } = scan.row(row);
            // The state at death is no state at the end of the month.
            let now = now.filter(|_| !dies);
            assert_eq!(scan.states(row as u16), [now, before], "{about}");
            if !in_scope {
                continue;
            }
            assert_eq!(
                bearing.insert(person, scan.unit().unwrap()),
                None,
                "two rows of {about}"
            );
            let shown = |state: Shown| (state.0, state.1, state.2, state.3.earliest_month());
            let expected = by_facts(view, person, month, known);
            assert_eq!(Some(scan.unit().unwrap()), expected.0, "{about}");
            assert_eq!(
                now.map(|now| coded(view, now)),
                expected.1.map(shown),
                "now: {about}"
            );
            let expected = month
                .previous()
                .and_then(|before| by_facts(view, person, before, known).1);
            assert_eq!(
                before.map(|before| coded(view, before)),
                expected.map(shown),
                "before: {about}"
            );
        }
    }
    for person in view.people() {
        let expected = by_facts(view, person, month, known).0;
        assert_eq!(
            bearing.get(&person).copied(),
            expected,
            "{person} in {month} at {known}"
        );
    }
}
