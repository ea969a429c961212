//! Whose records ever named a person, however they came to: against the histories of all people.

use ansinh::kernel::bulk::{BulkFact, BulkHousehold, BulkPerson, BulkValue};
use ansinh::kernel::operation::{Destination, InitialFact, Operation};
use ansinh::kernel::{Store, StoreOptions};
use ansinh::types::{Dossier, HouseholdNumber, PersonNumber, Sequence, Sex, UnitNumber, Value};

use crate::check::{
    self, REFERENCE, apply, birth, compare_references, compare_values, insert, month, new_person, record,
    write,
};

/// A household of a guardian and three children; one child's guardian stands in a column, one's is dated, and one's is
/// somebody of another household.
fn family(id: &str, other: u32) -> BulkHousehold {
    let child = |value, from: Option<&str>| BulkPerson {
        identifier: None,
        birth: birth("2015-03-17"),
        sex: Sex::Male,
        from: month("2026-01"),
        facts: vec![BulkFact {
            attribute: REFERENCE,
            value,
            from: from.map(month),
            until: None,
            document: String::new(),
        }],
        dossier: Dossier::default(),
        moves: Vec::new(),
    };
    let mut guardian = child(BulkValue::Member(1), None);
    guardian.facts.clear();
    let mut twice = child(BulkValue::Member(0), Some("2026-03"));
    twice.facts.push(BulkFact {
        from: Some(month("2026-05")),
        ..twice.facts[0].clone()
    });
    BulkHousehold {
        id: Some(id.parse().unwrap()),
        commune: "00004".parse().unwrap(),
        from: month("2026-01"),
        head: Some(0),
        facts: Vec::new(),
        people: vec![
            guardian,
            child(BulkValue::Member(0), None),
            twice,
            child(BulkValue::Value(Value::Person(PersonNumber(other))), None),
        ],
        moves: Vec::new(),
    }
}

fn compare(store: &Store) {
    let view = store.begin_read().unwrap();
    compare_references(&view, |target, attribute| {
        view.ever_referring(target, attribute).unwrap()
    });
}

#[test]
fn loads_and_operations_keep_the_index() {
    let folder = tempfile::tempdir().unwrap();
    let store = check::store(&folder);
    let first = write(&store, |transaction| {
        insert(
            transaction,
            new_person(birth("1950-03-17"), Destination::Unit(UnitNumber(1)), "2020-01"),
        )
    });
    for round in 0..3_u32 {
        write(&store, |transaction| {
            // An operation before the load, in the same transaction.
            let mut child = new_person(birth("2019-01-01"), Destination::Unit(UnitNumber(1)), "2020-01");
            child.facts.push(InitialFact {
                attribute: REFERENCE,
                value: Value::Person(first),
                from: (round == 1).then(|| month("2021-01")),
                until: None,
                document: String::new(),
            });
            insert(transaction, child);
            let mut loader = transaction.bulk().unwrap();
            for at in 0..400 {
                // Many name the first person of all, more than a block has room for.
                loader
                    .add(&family(&format!("H-{round}-{at}"), 1 + at % 2 * (at / 7)))
                    .unwrap();
            }
            loader.finish().unwrap();
        });
        compare(&store);
        write(&store, |transaction| {
            let household = family(&format!("E-{round}"), 2);
            transaction.enter_household(&household).unwrap();
            let people = transaction.view().counts().unwrap().people as u32;
            for number in (3..people).step_by(11) {
                let target = PersonNumber(1 + number * 7_919 % people);
                if target.get() != number {
                    let from = month("2026-02").plus((number % 5) as i32).unwrap();
                    record(
                        transaction,
                        PersonNumber(number),
                        REFERENCE,
                        Value::Person(target),
                        from,
                        None,
                    );
                }
            }
        });
        compare(&store);
    }
    compare_values(&store, &[month("2026-01"), month("2026-05")]);
    store.close().unwrap();
    let store = Store::open(&folder.path().join("registry"), StoreOptions::default()).unwrap();
    compare(&store);
    let sizes = store.begin_read().unwrap().table_sizes().unwrap();
    let references = sizes.iter().find(|size| size.name == "references").unwrap();
    assert!(
        references.entries > 10 && references.stored_bytes < 40_000,
        "{references:?}"
    );
}

#[test]
fn corrections_retractions_and_mergers_only_add() {
    let folder = tempfile::tempdir().unwrap();
    let store = check::store(&folder);
    let home = Destination::Unit(UnitNumber(1));
    let people: Vec<PersonNumber> = write(&store, |transaction| {
        (0..5)
            .map(|_| insert(transaction, new_person(birth("1990-03-17"), home, "2020-01")))
            .collect()
    });
    let [mother, father, aunt, child, other] = people[..] else {
        panic!()
    };
    let name = |who: PersonNumber, from: &str| Operation::Record {
        subject: child.into(),
        attribute: REFERENCE,
        value: Value::Person(who),
        from: month(from),
        until: None,
        document: String::new(),
    };
    let referring = |who: PersonNumber| {
        let view = store.begin_read().unwrap();
        view.ever_referring(who, REFERENCE).unwrap()
    };
    write(&store, |transaction| {
        // What the same transaction takes back was never so.
        apply(transaction, &name(aunt, "2021-01"));
        assert_eq!(transaction.ever_referring(aunt, REFERENCE).unwrap(), [child]);
        apply(transaction, &name(mother, "2021-01"));
        assert_eq!(transaction.ever_referring(aunt, REFERENCE).unwrap(), []);
        assert_eq!(transaction.ever_referring(mother, REFERENCE).unwrap(), [child]);
        assert_eq!(transaction.view().ever_referring(mother, REFERENCE).unwrap(), []);
    });
    assert_eq!((referring(mother), referring(aunt)), (vec![child], vec![]));
    write(&store, |transaction| {
        apply(transaction, &name(father, "2021-01"));
        apply(transaction, &name(mother, "2022-01"));
        let subject = child.into();
        let (attribute, from) = (REFERENCE, month("2022-01"));
        apply(
            transaction,
            &Operation::Retract {
                subject,
                attribute,
                from,
            },
        );
    });
    assert_eq!((referring(mother), referring(father)), (vec![child], vec![child]));
    write(&store, |transaction| {
        let (duplicate, into) = (father, other);
        apply(transaction, &Operation::MergePerson { duplicate, into });
    });
    assert_eq!((referring(father), referring(other)), (vec![child], vec![]));
    assert_eq!(store.begin_read().unwrap().merged_into(other).unwrap(), [father]);
    // Dropping a transaction drops what it noted.
    let mut dropped = store.begin_write(check::author(), check::AT).unwrap();
    apply(&mut dropped, &name(aunt, "2023-01"));
    dropped.abort();
    assert_eq!(referring(aunt), []);
    compare(&store);
    let view = store.begin_read().unwrap();
    let now = view.value_of(child.into(), REFERENCE, month("2024-01"), Sequence::NEWEST);
    assert_eq!(now.unwrap(), Some(Value::Person(father)));
}

#[test]
fn whoever_was_a_member_is_listed() {
    let folder = tempfile::tempdir().unwrap();
    let store = check::store(&folder);
    let joined = write(&store, |transaction| {
        let (household, unit) = (check::household(transaction, "H-1", 1, "2020-01"), UnitNumber(2));
        let member = insert(
            transaction,
            new_person(birth("1950-03-17"), Destination::Household(household), "2020-01"),
        );
        let (person, to, from) = (member, Destination::Unit(unit), month("2021-01"));
        apply(transaction, &Operation::MovePerson { person, to, from });
        let mut loader = transaction.bulk().unwrap();
        let people = loader.add(&family("H-2", 1)).unwrap().people;
        loader.finish().unwrap();
        [vec![member], people].concat()
    });
    let view = store.begin_read().unwrap();
    assert_eq!(view.ever_members(HouseholdNumber(1)).unwrap(), joined[..1]);
    assert_eq!(view.ever_members(HouseholdNumber(2)).unwrap(), joined[1..]);
    assert_eq!(view.ever_members(HouseholdNumber(3)).unwrap(), []);
    let state = view.household(HouseholdNumber(1), month("2021-01"), Sequence::NEWEST);
    assert_eq!(state.unwrap().unwrap().members, []);
}
