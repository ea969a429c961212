//! Households entered as one, by operations and in bulk: what is refused leaves nothing.

use ansinh::kernel::bulk::{BulkFact, BulkHousehold, BulkPerson, BulkValue};
use ansinh::kernel::catalogue::builtin;
use ansinh::kernel::operation::{Destination, Operation, Refusal};
use ansinh::kernel::{WriteError, WriteTransaction};
use ansinh::types::{
    Dossier, HouseholdId, HouseholdNumber, PersonNumber, ProvisionalId, Sequence, Sex, UnitNumber, Value,
};

use crate::check::{self, birth, identifier, insert, month, new_person, write};

fn person(id: Option<&str>) -> BulkPerson {
    BulkPerson {
        identifier: id.map(identifier),
        birth: birth("1950-03-17"),
        sex: Sex::Female,
        from: month("2026-01"),
        facts: Vec::new(),
        dossier: Dossier::default(),
        moves: Vec::new(),
    }
}

fn family(id: &str, people: Vec<BulkPerson>) -> BulkHousehold {
    BulkHousehold {
        id: Some(id.parse().unwrap()),
        commune: "00004".parse().unwrap(),
        from: month("2026-01"),
        head: Some(0),
        facts: Vec::new(),
        people,
        moves: Vec::new(),
    }
}

fn death(date: &str) -> BulkFact {
    BulkFact {
        attribute: builtin::DEATH,
        value: BulkValue::Value(Value::Date(date.parse().unwrap())),
        from: None,
        until: None,
        document: String::new(),
    }
}

/// Enters a household that is refused, commits the rest, and expects that nothing of it is there.
fn refused(household: &BulkHousehold, bulk: bool) -> Refusal {
    let folder = tempfile::tempdir().unwrap();
    let store = check::store(&folder);
    let mut transaction = store.begin_write(check::author(), check::AT).unwrap();
    let good = family("H-GOOD", vec![person(Some("001150000099"))]);
    let error = if bulk {
        let mut loader = transaction.bulk().unwrap();
        let error = loader.add(household).unwrap_err();
        loader.add(&good).unwrap();
        loader.finish().unwrap();
        error
    } else {
        let error = transaction.enter_household(household).unwrap_err();
        transaction.enter_household(&good).unwrap();
        error
    };
    transaction.commit().unwrap();
    let view = store.begin_read().unwrap();
    let counts = view.counts().unwrap();
    assert_eq!((counts.people, counts.households), (1, 1), "{error}");
    match error {
        WriteError::Refused(refusal) => refusal,
        error => panic!("{error}"),
    }
}

#[test]
fn an_identifier_twice_in_one_household_leaves_nothing() {
    let twice = family(
        "H-1",
        vec![person(Some("001150000011")), person(Some("001150000011"))],
    );
    for bulk in [false, true] {
        let refusal = refused(&twice, bulk);
        assert!(!refusal.to_string().contains("001150000011"), "{refusal}");
    }
}

#[test]
fn a_death_before_the_birth_leaves_nothing() {
    let mut dead = person(Some("001150000011"));
    dead.facts.push(death("1949-12-31"));
    for bulk in [false, true] {
        let refusal = refused(&family("H-1", vec![person(None), dead.clone()]), bulk);
        assert!(matches!(refusal, Refusal::BeforeBirth { .. }), "{refusal}");
    }
}

#[test]
fn two_deaths_leave_nothing() {
    let mut dead = person(Some("001150000011"));
    dead.facts.push(death("2026-02-03"));
    dead.facts.push(BulkFact {
        from: Some(month("2026-05")),
        ..death("2026-05-03")
    });
    for bulk in [false, true] {
        let refusal = refused(&family("H-1", vec![dead.clone()]), bulk);
        assert!(matches!(refusal, Refusal::GivenTwice { .. }), "{refusal}");
    }
}

#[test]
fn a_home_that_ends_before_a_member_comes_leaves_nothing() {
    let mut late = family("H-1", vec![person(None)]);
    late.from = month("2025-01");
    for bulk in [false, true] {
        let folder = tempfile::tempdir().unwrap();
        let store = check::store(&folder);
        write(&store, |transaction| {
            let end = Operation::EndUnit {
                unit: UnitNumber(1),
                last: month("2025-06"),
                successor: None,
            };
            check::apply(transaction, &end);
        });
        let mut transaction = store.begin_write(check::author(), check::AT).unwrap();
        let error = if bulk {
            let mut loader = transaction.bulk().unwrap();
            let error = loader.add(&late).unwrap_err();
            loader.finish().unwrap();
            error
        } else {
            transaction.enter_household(&late).unwrap_err()
        };
        assert!(matches!(error, WriteError::Refused(_)), "{error}");
        transaction.commit().unwrap();
        let counts = store.begin_read().unwrap().counts().unwrap();
        assert_eq!((counts.people, counts.households), (0, 0), "bulk {bulk}");
    }
}

fn take_provisional(transaction: &mut WriteTransaction<'_>, number: u64) {
    let mut person = new_person(birth("1950-03-17"), Destination::Away, "2026-01");
    person.identifier = Some(ProvisionalId::from_number(number).unwrap().into());
    insert(transaction, person);
}

#[test]
fn a_household_refused_for_want_of_an_identifier_leaves_nothing() {
    for bulk in [false, true] {
        let folder = tempfile::tempdir().unwrap();
        let store = check::store(&folder);
        write(&store, |transaction| {
            // The second person of the household is the fifth of the registry, and all of their numbers are taken.
            for offset in 0..3 {
                take_provisional(transaction, (offset << 32) + 5);
            }
        });
        let mut transaction = store.begin_write(check::author(), check::AT).unwrap();
        let household = family("H-1", vec![person(None), person(None)]);
        let error = if bulk {
            let mut loader = transaction.bulk().unwrap();
            let error = loader.add(&household).unwrap_err();
            loader.finish().unwrap();
            error
        } else {
            transaction.enter_household(&household).unwrap_err()
        };
        assert!(
            matches!(error, WriteError::Refused(Refusal::Limit { .. })),
            "{error}"
        );
        transaction.commit().unwrap();
        let counts = store.begin_read().unwrap().counts().unwrap();
        assert_eq!((counts.people, counts.households), (3, 0), "bulk {bulk}");
    }
}

#[test]
fn provisional_identifiers_given_in_a_load_do_not_clash_with_those_that_it_makes() {
    let folder = tempfile::tempdir().unwrap();
    let store = check::store(&folder);
    let mut given = person(None);
    given.identifier = Some(ProvisionalId::from_number(2).unwrap().into());
    write(&store, |transaction| {
        let mut loader = transaction.bulk().unwrap();
        loader.add(&family("H-1", vec![given, person(None)])).unwrap();
        loader.finish().unwrap();
    });
    let view = store.begin_read().unwrap();
    let state = |number| {
        view.person(PersonNumber(number), month("2026-01"), Sequence::NEWEST)
            .unwrap()
            .unwrap()
    };
    for number in [1, 2] {
        let found = view
            .find_person(state(number).identifier, Sequence::NEWEST)
            .unwrap();
        assert_eq!(found, Some(PersonNumber(number)));
    }
}

#[test]
fn a_load_after_operations_and_operations_after_a_load_agree() {
    let folder = tempfile::tempdir().unwrap();
    let store = check::store(&folder);
    let months: Vec<_> = [
        "2019-12", "2025-12", "2026-01", "2026-02", "2026-05", "2026-06", "2026-07",
    ]
    .map(month)
    .to_vec();
    for round in 0..3 {
        write(&store, |transaction| {
            let lives = Destination::Unit(UnitNumber(1));
            insert(transaction, new_person(birth("1950-03-17"), lives, "2026-01"));
            let first = check::household(transaction, &format!("H-OP-{round}"), 1, "2026-01");
            insert(
                transaction,
                new_person(birth("1990-03-17"), Destination::Household(first), "2026-02"),
            );
            let mut loader = transaction.bulk().unwrap();
            for at in 0..300 {
                let mut people = vec![person(None), person(None), person(None)];
                people[1].from = month("2026-02");
                people[2].facts.push(death("2026-05-04"));
                people[0].facts.push(BulkFact {
                    attribute: check::SCORE,
                    value: BulkValue::Value(Value::Integer(i64::from(at % 50))),
                    from: (at % 4 == 0).then(|| month("2026-05")),
                    until: (at % 6 == 0).then(|| month("2026-06")),
                    document: String::new(),
                });
                let mut household = family(&format!("H-{round}-{at}"), people);
                household.facts.push(BulkFact {
                    attribute: check::POVERTY,
                    value: BulkValue::Value(Value::Enum(at % check::VALUES)),
                    from: (at % 3 == 0).then(|| month("2026-06")),
                    until: (at % 5 == 0).then(|| month("2026-06")),
                    document: String::new(),
                });
                if at % 7 == 0 {
                    household.moves.push((month("2026-06"), "00008".parse().unwrap()));
                }
                loader.add(&household).unwrap();
            }
            loader.finish().unwrap();
        });
        write(&store, |transaction| {
            let people = transaction.view().counts().unwrap().people as u32;
            for number in (1..=people).step_by(17).map(PersonNumber) {
                let to = Destination::Unit(UnitNumber(2 + round));
                let from = month("2026-02");
                check::apply(
                    transaction,
                    &Operation::MovePerson {
                        person: number,
                        to,
                        from,
                    },
                );
                let back = Destination::Household(HouseholdNumber(1 + number.get() % 200));
                let from = month("2026-06");
                check::apply(
                    transaction,
                    &Operation::MovePerson {
                        person: number,
                        to: back,
                        from,
                    },
                );
            }
        });
    }
    check::compare(&store, &months);
    store.close().unwrap();
    let path = folder.path().join("registry");
    let store = ansinh::kernel::Store::open(&path, ansinh::kernel::StoreOptions::default()).unwrap();
    check::compare(&store, &months[3..5]);
    check::compare_values(&store, &months[3..5]);
    let view = store.begin_read().unwrap();
    let id: HouseholdId = "H-2-299".parse().unwrap();
    assert_eq!(
        view.find_household(id, Sequence::NEWEST).unwrap(),
        Some(HouseholdNumber(view.counts().unwrap().households as u32))
    );
}

/// A person of a given provisional ID, with a name by which the dossier is known.
fn provisional(number: u64) -> BulkPerson {
    let mut person = person(None);
    person.identifier = Some(ProvisionalId::from_number(number).unwrap().into());
    person.dossier.name = format!("Số {number}");
    person
}

#[test]
fn what_is_refused_of_a_batch_leaves_the_others_with_numbers_and_dossiers() {
    let folder = tempfile::tempdir().unwrap();
    let store = check::store(&folder);
    write(&store, |transaction| {
        let mut loader = transaction.bulk().unwrap();
        let batches = |index: usize| -> Vec<Vec<u64>> {
            match index {
                0 => vec![vec![700_001, 700_002]],
                // The second household repeats an ID of the batch before, the third one of its own batch.
                _ => vec![
                    vec![700_003],
                    vec![700_004, 700_001],
                    vec![700_003, 700_005],
                    vec![700_006, 700_007],
                ],
            }
        };
        let mut refused = Vec::new();
        loader
            .add_batches(
                2,
                2,
                |index, batch| {
                    let mut own = family("H-TWICE", vec![provisional(9), provisional(9)]);
                    own.id = Some(format!("H-TWICE-{index}").parse().unwrap());
                    assert!(matches!(batch.add(&own), Err(WriteError::Refused(_))));
                    for (at, numbers) in batches(index).into_iter().enumerate() {
                        let people = numbers.into_iter().map(provisional).collect();
                        batch.add(&family(&format!("H-{index}-{at}"), people))?;
                    }
                    Ok::<usize, WriteError>(index)
                },
                |index, entered| {
                    let positions = entered.refused.iter().map(|(at, refusal)| {
                        assert!(matches!(refusal, Refusal::IdentifierTaken { .. }), "{refusal}");
                        *at
                    });
                    refused.push((index, entered.people, entered.households, positions.collect()));
                    Ok(())
                },
            )
            .unwrap();
        let expected: [(usize, u64, u64, Vec<usize>); 2] = [(0, 2, 1, vec![]), (1, 3, 2, vec![1, 2])];
        assert_eq!(refused, expected);
        loader
            .add(&family("H-AFTER", vec![provisional(700_008)]))
            .unwrap();
        assert_eq!(loader.finish().unwrap().people, 6);
    });
    let view = store.begin_read().unwrap();
    let found: Vec<(String, Option<u32>)> = (1..=6)
        .map(PersonNumber)
        .map(|person| {
            let name = view.dossier(person).unwrap().name;
            let state = view
                .person(person, month("2026-01"), Sequence::NEWEST)
                .unwrap()
                .unwrap();
            (name, state.household.map(HouseholdNumber::get))
        })
        .collect();
    let names = ["700001", "700002", "700003", "700006", "700007", "700008"];
    let households = [1, 1, 2, 3, 3, 4];
    let expected: Vec<_> = names
        .iter()
        .zip(households)
        .map(|(number, household)| (format!("Số {number}"), Some(household)))
        .collect();
    assert_eq!(found, expected);
    check::compare(&store, &[month("2026-01")]);
}
