//! Runs where there is nobody, in the first and the last month, and of provinces whose communes merged.

use ansinh::entitlement::{Preparation, RunError, RunRequest, Scope, prepare};
use ansinh::kernel::operation::{Destination, Operation};
use ansinh::kernel::{Store, StoreOptions};
use ansinh::policy::{Pack, Policy};
use ansinh::types::{Month, PersonNumber, Sequence, UnitNumber};

use crate::check::{self, apply, birth, insert, month, new_person, unit, write};

fn begin(folder: &tempfile::TempDir) -> (Store, Policy) {
    let store = Store::create(&folder.path().join("registry"), StoreOptions::default()).unwrap();
    let pack = Pack::vietnam();
    write(&store, |transaction| {
        let text = pack.to_bytes();
        transaction.adopt(pack.id(), &text, &pack.declaration()).unwrap();
        for (code, province) in [("00004", "01"), ("00008", "02")] {
            let mut declared = unit(code, "2020-01");
            declared.province = province.parse().unwrap();
            apply(transaction, &Operation::AddUnit(declared));
        }
    });
    let policy = pack.bind(store.begin_read().unwrap().catalogue()).unwrap();
    (store, policy)
}

fn people(store: &Store, policy: &Policy, request: &RunRequest) -> Result<u64, RunError> {
    match prepare(&store.begin_read().unwrap(), policy, request, &|_, _| {})? {
        Preparation::Ready(prepared) => {
            let header = prepared.header;
            assert_eq!(
                header.paid + header.zero + header.held + header.error,
                header.people
            );
            Ok(header.people)
        }
        Preparation::Exists(run) => panic!("run {} exists", run.number),
    }
}

#[test]
fn nobody_is_in_scope_before_anybody_is_known() {
    let folder = tempfile::tempdir().unwrap();
    let (store, policy) = begin(&folder);
    let june = RunRequest::monthly(month("2026-06"));
    assert_eq!(people(&store, &policy, &june).unwrap(), 0);
    write(&store, |transaction| {
        let lives = Destination::Unit(UnitNumber(1));
        insert(transaction, new_person(birth("1940-03-17"), lives, "2020-01"));
    });
    assert_eq!(people(&store, &policy, &june).unwrap(), 1);
    for (known, expected) in [(0, 0), (1, 0), (2, 1)] {
        let request = RunRequest {
            data_as_of: Sequence(known),
            ..june.clone()
        };
        assert_eq!(
            people(&store, &policy, &request).unwrap(),
            expected,
            "as known at {known}"
        );
    }
    for month in [Month::MIN, Month::MAX] {
        match people(&store, &policy, &RunRequest::monthly(month)) {
            Ok(found) => assert_eq!(found, u64::from(month == Month::MAX)),
            Err(error) => assert!(matches!(error, RunError::Policy(_)), "{error}"),
        }
    }
}

#[test]
fn people_of_a_merged_commune_are_in_the_scope_of_its_successor_s_province() {
    let folder = tempfile::tempdir().unwrap();
    let (store, policy) = begin(&folder);
    write(&store, |transaction| {
        let lives = Destination::Unit(UnitNumber(1));
        let person = insert(transaction, new_person(birth("1940-03-17"), lives, "2020-01"));
        assert_eq!(person, PersonNumber(1));
        insert(transaction, new_person(birth("1940-03-17"), lives, "2026-06"));
        let end = Operation::EndUnit {
            unit: UnitNumber(1),
            last: month("2026-06"),
            successor: Some(UnitNumber(2)),
        };
        apply(transaction, &end);
    });
    for (when, province, expected) in [
        ("2026-05", 1, 1),
        ("2026-06", 1, 2),
        ("2026-06", 2, 0),
        ("2026-07", 1, 0),
        ("2026-07", 2, 2),
    ] {
        let request = RunRequest {
            scope: Scope::Province(province),
            ..RunRequest::monthly(month(when))
        };
        let found = people(&store, &policy, &request).unwrap();
        assert_eq!(found, expected, "province {province} in {when}");
    }
    let nowhere = RunRequest {
        scope: Scope::Province(3),
        ..RunRequest::monthly(month("2026-06"))
    };
    let error = people(&store, &policy, &nowhere).unwrap_err();
    assert!(matches!(error, RunError::NoSuchProvince(3)), "{error}");
    store.close().unwrap();
    let path = folder.path().join("registry");
    let store = Store::open_read_only(&path, StoreOptions::default()).unwrap();
    assert_eq!(
        people(&store, &policy, &RunRequest::monthly(month("2026-07"))).unwrap(),
        2
    );
    let refused = store.begin_write(check::author(), check::AT).unwrap_err();
    assert!(refused.to_string().contains("reading only"), "{refused}");
}
