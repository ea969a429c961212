//! Named limits, wherever they could be passed.

use ansinh::kernel::catalogue::{CATALOGUE_VALUES_MAX, VALUES_MAX};
use ansinh::kernel::operation::{Destination, MEMBERS_MAX, Operation, Refusal};
use ansinh::kernel::{Store, StoreOptions, WriteError};

use ansinh::types::{UnitNumber, Value};

use crate::check::{self, KEPT, apply, birth, household, insert, month, new_person, record, write};

#[test]
fn insertions_fill_a_household_to_its_limit_and_no_further() {
    let folder = tempfile::tempdir().unwrap();
    let store = check::store(&folder);
    let mut transaction = store.begin_write(check::author(), check::AT).unwrap();
    let number = household(&mut transaction, "H-1", 1, "2026-01");
    let person = new_person(birth("1950-03-17"), Destination::Household(number), "2026-01");
    for _ in 0..MEMBERS_MAX {
        insert(&mut transaction, person.clone());
    }
    let error = transaction
        .apply(&Operation::InsertPerson(Box::new(person)))
        .unwrap_err();
    assert!(
        matches!(
            error,
            WriteError::Refused(Refusal::Limit {
                found: 1_001,
                max: 1_000,
                ..
            })
        ),
        "{error}"
    );
}

#[test]
fn a_unit_does_not_end_over_people_whose_row_no_longer_shows_that_they_lived_there() {
    let folder = tempfile::tempdir().unwrap();
    let store = check::store(&folder);
    let person = write(&store, |transaction| {
        let lives = Destination::Unit(UnitNumber(1));
        insert(transaction, new_person(birth("1950-03-17"), lives, "2020-03"))
    });
    write(&store, |transaction| {
        let to = Destination::Unit(UnitNumber(2));
        let from = month("2020-06");
        apply(transaction, &Operation::MovePerson { person, to, from });
        for at in 0..20_u16 {
            let from = month("2021-01").plus(i32::from(at)).unwrap();
            record(transaction, person, KEPT, Value::Enum(at), from, None);
        }
    });
    write(&store, |transaction| {
        let end = |last| Operation::EndUnit {
            unit: UnitNumber(1),
            last: month(last),
            successor: None,
        };
        let error = transaction.apply(&end("2020-04")).unwrap_err();
        assert!(
            matches!(
                error,
                WriteError::Refused(Refusal::UnitInhabited { people: 1, .. })
            ),
            "{error}"
        );
        apply(transaction, &end("2020-05"));
    });
}

#[test]
fn more_documents_than_a_dossier_holds_are_refused_with_the_person() {
    let folder = tempfile::tempdir().unwrap();
    let store = check::store(&folder);
    let mut transaction = store.begin_write(check::author(), check::AT).unwrap();
    let mut person = new_person(birth("1950-03-17"), Destination::Unit(UnitNumber(1)), "2020-03");
    person.dossier.documents = vec![(KEPT.get(), "112/QĐ-UBND".repeat(2_000))];
    let error = transaction
        .apply(&Operation::InsertPerson(Box::new(person.clone())))
        .unwrap_err();
    assert!(
        matches!(error, WriteError::Refused(Refusal::Limit { .. })),
        "{error}"
    );
    person.dossier.documents.clear();
    assert_eq!(insert(&mut transaction, person).get(), 1);
    transaction.commit().unwrap();
}

#[test]
fn a_catalogue_that_could_not_be_read_again_is_not_adopted() {
    let folder = tempfile::tempdir().unwrap();
    let store = check::store(&folder);
    let mut declared = check::declaration();
    let like = declared.attributes[0].clone();
    for attribute in 0..CATALOGUE_VALUES_MAX / VALUES_MAX {
        let mut more = like.clone();
        more.name = format!("more_{attribute}");
        more.values = (0..VALUES_MAX).map(|value| format!("value_{value}")).collect();
        declared.attributes.push(more);
    }
    let mut transaction = store.begin_write(check::author(), check::AT).unwrap();
    let error = transaction.adopt("test", b"too much", &declared).unwrap_err();
    assert!(
        error.to_string().contains("named values of all attributes"),
        "{error}"
    );
    declared.attributes.pop();
    transaction.adopt("test", b"as much as fits", &declared).unwrap();
    transaction.commit().unwrap();
    store.close().unwrap();
    let store = Store::open(&folder.path().join("registry"), StoreOptions::default()).unwrap();
    let catalogue_len = store.begin_read().unwrap().catalogue().attributes().count();
    assert_eq!(catalogue_len, declared.attributes.len());
}
