//! Rows with long and strange histories, in every month and at every sequence.

use ansinh::kernel::operation::{Destination, InitialFact, Operation, Subject};
use ansinh::types::{Month, UnitNumber, Value};

use crate::check::{
    self, ABSENT, COLUMN, KEPT, POVERTY, REFERENCE, SCORE, UNKNOWN, VALUES, apply, birth, compare, household,
    insert, month, new_person, record, write,
};

fn months(from: &str, count: i32) -> Vec<Month> {
    (0..count).map(|at| month(from).plus(at).unwrap()).collect()
}

fn value(number: i32) -> Value {
    Value::Enum((number.unsigned_abs() % u32::from(VALUES)) as u16)
}

#[test]
fn more_versions_than_a_row_keeps() {
    let folder = tempfile::tempdir().unwrap();
    let store = check::store(&folder);
    let person = write(&store, |transaction| {
        let home = household(transaction, "H-1", 1, "2020-06");
        let other = Destination::Household(home);
        insert(transaction, new_person(birth("1990-01-01"), other, "2020-06"));
        insert(transaction, new_person(birth("1950-03-17"), other, "2020-06"))
    });
    // Backwards, forwards, and over each other.
    for at in [
        0, 1, 2, 3, 24, 23, 22, 21, 20, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19,
    ] {
        let from = month("2020-07").plus(at).unwrap();
        write(&store, |transaction| {
            let until = (at % 3 == 0).then(|| from.plus(2).unwrap());
            record(
                transaction,
                person,
                [KEPT, UNKNOWN, ABSENT][at as usize % 3],
                value(at),
                from,
                until,
            );
            if at % 2 == 0 {
                record(
                    transaction,
                    person,
                    SCORE,
                    Value::Integer(i64::from(at * 40)),
                    from,
                    until,
                );
            }
            if at % 4 == 0 {
                let home = ansinh::types::HouseholdNumber(1);
                record(transaction, home, POVERTY, value(at), from, until);
            }
            if at % 5 == 0 {
                let unit = UnitNumber(1 + (at / 5 % 3) as u16);
                let to = if at % 10 == 0 {
                    Destination::Unit(unit)
                } else {
                    Destination::Away
                };
                apply(transaction, &Operation::MovePerson { person, to, from });
            }
        });
    }
    compare(&store, &months("2020-04", 34));
    check::compare_values(&store, &months("2020-06", 5));
}

#[test]
fn an_integer_in_profiles_is_corrected_back_and_forth() {
    let folder = tempfile::tempdir().unwrap();
    let store = check::store(&folder);
    let score = |number: i64| Value::Integer(number);
    let person = write(&store, |transaction| {
        let mut new = new_person(birth("1950-03-17"), Destination::Unit(UnitNumber(1)), "2021-03");
        new.facts.push(InitialFact {
            attribute: SCORE,
            value: score(80),
            from: None,
            until: None,
            document: "a certificate".to_owned(),
        });
        insert(transaction, new)
    });
    let shown = || {
        let view = store.begin_read().unwrap();
        let row = view.row_of(person).unwrap().unwrap();
        view.profile(row.person).unwrap().get(SCORE)
    };
    assert_eq!(shown(), Some(score(80)));
    for (value, from) in [
        (score(81), "2021-03"),
        (score(1_000), "2021-06"),
        (score(80), "2021-06"),
        (Value::Unknown, "2021-05"),
        (score(0), "2021-06"),
    ] {
        write(&store, |transaction| {
            record(transaction, person, SCORE, value, month(from), None);
        });
    }
    assert_eq!(shown(), Some(score(0)));
    write(&store, |transaction| {
        let (subject, attribute, from) = (person.into(), SCORE, month("2021-06"));
        apply(
            transaction,
            &Operation::Retract {
                subject,
                attribute,
                from,
            },
        );
    });
    assert_eq!(shown(), Some(Value::Unknown));
    write(&store, |transaction| {
        let (subject, attribute, last) = (person.into(), SCORE, month("2021-05"));
        apply(
            transaction,
            &Operation::EndFact {
                subject,
                attribute,
                last,
            },
        );
        let too_great = Operation::Record {
            subject,
            attribute,
            value: score(1_001),
            from: last,
            until: None,
            document: String::new(),
        };
        assert!(transaction.apply(&too_great).is_err());
    });
    assert_eq!(shown(), None, "absent after its last month");
    let view = store.begin_read().unwrap();
    let at = |text: &str, known: u64| {
        let known = ansinh::types::Sequence(known);
        view.value_of(person.into(), SCORE, month(text), known).unwrap()
    };
    assert_eq!(
        (at("2021-02", 9), at("2021-03", 2), at("2021-03", 3)),
        (None, Some(score(80)), Some(score(81)))
    );
    assert_eq!(
        (at("2021-06", 4), at("2021-06", 5), at("2021-06", 7)),
        (Some(score(1_000)), Some(score(80)), Some(score(0)))
    );
    compare(&store, &months("2021-01", 8));
    check::compare_values(&store, &months("2021-01", 8));
}

#[test]
fn facts_before_the_record_and_births_after_the_base() {
    let folder = tempfile::tempdir().unwrap();
    let store = check::store(&folder);
    let unit = Destination::Unit(UnitNumber(1));
    let (old, young, dies) = write(&store, |transaction| {
        let mut first = new_person(birth("1950-03-17"), unit, "2021-03");
        first.facts = [KEPT, UNKNOWN, ABSENT, COLUMN]
            .map(|attribute| InitialFact {
                attribute,
                value: Value::Enum(3),
                from: None,
                until: None,
                document: String::new(),
            })
            .to_vec();
        let old = insert(transaction, first);
        let young = insert(transaction, new_person(birth("2020-12-30"), unit, "2020-12"));
        let dies = insert(transaction, new_person(birth("2021-01-01"), unit, "2021-01"));
        (old, young, dies)
    });
    write(&store, |transaction| {
        for attribute in [KEPT, ABSENT, COLUMN] {
            record(
                transaction,
                old,
                attribute,
                Value::Enum(7),
                month("1999-12"),
                Some(month("2021-01")),
            );
        }
        record(
            transaction,
            old,
            REFERENCE,
            Value::Person(young),
            month("2020-12"),
            None,
        );
    });
    write(&store, |transaction| {
        let date = "2021-01-31".parse().unwrap();
        let document = String::new();
        apply(
            transaction,
            &Operation::RecordDeath {
                person: dies,
                date,
                document,
            },
        );
        let (to, from) = (unit, month("2020-02"));
        apply(
            transaction,
            &Operation::MovePerson {
                person: old,
                to,
                from,
            },
        );
    });
    write(&store, |transaction| {
        apply(
            transaction,
            &Operation::CorrectBirth {
                person: young,
                birth: birth("2021-02-02"),
            },
        );
        apply(
            transaction,
            &Operation::CorrectBirth {
                person: old,
                birth: birth("1951"),
            },
        );
        let attribute = KEPT;
        apply(
            transaction,
            &Operation::Retract {
                subject: Subject::Person(old),
                attribute,
                from: month("2021-03"),
            },
        );
        apply(transaction, &Operation::RetractDeath { person: dies });
    });
    write(&store, |transaction| {
        let date = "2021-04-30".parse().unwrap();
        let document = String::new();
        apply(
            transaction,
            &Operation::RecordDeath {
                person: dies,
                date,
                document,
            },
        );
    });
    compare(&store, &months("2019-11", 20));
    compare(&store, &[Month::MIN, Month::MIN.next(), Month::MAX]);
}

#[test]
fn units_that_merge_while_people_move() {
    let folder = tempfile::tempdir().unwrap();
    let store = check::store(&folder);
    let people = write(&store, |transaction| {
        (1..=4_u16)
            .map(|unit| {
                let lives = Destination::Unit(UnitNumber(unit));
                insert(transaction, new_person(birth("1950-03-17"), lives, "2020-03"))
            })
            .collect::<Vec<_>>()
    });
    let end = |unit, last, successor| Operation::EndUnit {
        unit: UnitNumber(unit),
        last: month(last),
        successor: Some(UnitNumber(successor)),
    };
    let go = |person: usize, unit, from| Operation::MovePerson {
        person: people[person],
        to: Destination::Unit(UnitNumber(unit)),
        from: month(from),
    };
    for operation in [
        go(0, 2, "2020-06"),
        end(2, "2020-08", 3),
        go(0, 3, "2020-09"),
        go(1, 2, "2020-05"),
        go(2, 1, "2020-09"),
        end(3, "2020-10", 4),
        go(2, 2, "2020-07"),
        go(3, 3, "2020-10"),
        go(3, 4, "2020-11"),
        go(1, 1, "2021-01"),
    ] {
        write(&store, |transaction| apply(transaction, &operation));
    }
    compare(&store, &months("2019-12", 16));
}

#[test]
fn attributes_adopted_later_renamed_and_retired() {
    let folder = tempfile::tempdir().unwrap();
    let store = check::store(&folder);
    let person = write(&store, |transaction| {
        let lives = Destination::Unit(UnitNumber(1));
        insert(transaction, new_person(birth("1950-03-17"), lives, "2020-03"))
    });
    write(&store, |transaction| {
        record(transaction, person, KEPT, Value::Enum(1), month("2020-03"), None);
        record(
            transaction,
            person,
            ABSENT,
            Value::Enum(2),
            month("2020-04"),
            Some(month("2020-05")),
        );
    });
    write(&store, |transaction| {
        let mut declared = check::declaration();
        declared.attributes[0].name = "renamed".into();
        declared.attributes[0].renamed_from = Some("keeps".into());
        let retired = declared.attributes.remove(2);
        let mut added = retired;
        added.name = "added".into();
        declared.attributes.push(added);
        transaction.adopt("test", b"second", &declared).unwrap();
    });
    let added = store
        .begin_read()
        .unwrap()
        .catalogue()
        .attribute(ansinh::kernel::catalogue::SubjectKind::Person, "added")
        .unwrap()
        .number;
    write(&store, |transaction| {
        record(
            transaction,
            person,
            added,
            Value::Enum(4),
            month("2020-02"),
            Some(month("2020-06")),
        );
        record(transaction, person, KEPT, Value::Unknown, month("2020-06"), None);
    });
    compare(&store, &months("2020-01", 10));
}

#[test]
fn more_profiles_than_a_byte_counts() {
    let folder = tempfile::tempdir().unwrap();
    let store = check::store(&folder);
    let initial = |attribute, number: u16| InitialFact {
        attribute,
        value: Value::Enum(number % VALUES),
        from: None,
        until: None,
        document: String::new(),
    };
    let people: Vec<_> = write(&store, |transaction| {
        (0..700_u16)
            .map(|at| {
                let id = format!("H-{at}");
                let lives = Destination::NewHousehold(id.parse().unwrap(), UnitNumber(1));
                let mut person = new_person(birth("1950-03-17"), lives, "2020-03");
                person.facts = vec![
                    initial(KEPT, at),
                    initial(UNKNOWN, at / VALUES),
                    initial(COLUMN, at),
                ];
                insert(transaction, person)
            })
            .collect()
    });
    for round in 0..6_u16 {
        write(&store, |transaction| {
            for (at, &person) in (0_u16..).zip(&people).filter(|(at, _)| at % 5 == round % 5) {
                let from = month("2020-04").plus(i32::from(round)).unwrap();
                record(
                    transaction,
                    person,
                    ABSENT,
                    value(i32::from(at)),
                    from,
                    Some(from),
                );
                let home = ansinh::types::HouseholdNumber(u32::from(at) + 1);
                record(
                    transaction,
                    home,
                    POVERTY,
                    value(i32::from(at + round)),
                    from,
                    None,
                );
            }
        });
    }
    compare(&store, &[month("2020-03"), month("2020-05"), month("2020-12")]);
}
