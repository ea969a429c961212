use super::*;
use crate::kernel::catalogue::ValueError;
use crate::kernel::operation::{Answer, Field, Refusal};
use crate::types::{HouseholdId, Identifier, Month, Sequence, Sex, Value};

const AT: Instant = Instant::from_unix_millis(1_780_272_000_000);

fn registry() -> (tempfile::TempDir, Registry) {
    let folder = tempfile::tempdir().unwrap();
    let registry = Registry::create(folder.path().join("a.ansinh"), &Pack::vietnam(), AT).unwrap();
    (folder, registry)
}

fn write(registry: &Registry) -> Transaction<'_> {
    registry.begin_write(Author::new("lan", "test"), AT).unwrap()
}

fn month(number: i32) -> Month {
    Month::new(2026, number).unwrap()
}

fn person(id: &str) -> Person {
    let born: Date = "1950-03-17".parse().unwrap();
    Person::new("Nguyễn Văn A", born, Sex::Male)
        .id(id.parse::<Identifier>().unwrap())
        .from(month(1))
}

fn household(id: &str) -> HouseholdId {
    id.parse().unwrap()
}

fn in_00004(id: &str) -> Person {
    person(id)
        .household(household("H-1"))
        .commune("00004".parse().unwrap())
}

#[test]
fn a_new_registry_has_the_pack_and_the_communes() {
    let (_folder, registry) = registry();
    let view = registry.begin_read().unwrap();
    assert_eq!(view.units().len(), 3_321);
    assert_eq!(view.policy().unwrap().pack().hash(), Pack::vietnam().hash());
    let first = view.log_entry(Sequence(1)).unwrap().unwrap();
    assert_eq!(
        (first.author.as_str(), first.reason.as_str()),
        ("ansinh", "registry created")
    );
    assert_eq!(first.instant, AT);
    assert_eq!(view.newest(), Sequence(1));
    assert!(
        view.month_policy(month(6), Date::last_of(month(6)))
            .unwrap()
            .programmes()
            .count()
            > 0
    );
}

#[test]
fn a_registry_that_cannot_begin_leaves_no_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.ansinh");
    let mut units: Vec<_> = crate::gazetteer::vietnam().into_iter().take(2).collect();
    units[1] = UnitDeclaration {
        names: Vec::new(),
        ..units[0].clone()
    };
    let options = RegistryOptions {
        units,
        ..RegistryOptions::default()
    };
    let error = Registry::create_with(&path, &Pack::vietnam(), AT, options).unwrap_err();
    assert!(
        matches!(error.refusal(), Some(Refusal::UnitUnfit { .. })),
        "{error}"
    );
    assert!(!path.exists());
}

#[test]
fn it_is_there_after_closing_and_opening() {
    let (_folder, registry) = registry();
    let path = registry.path().to_owned();
    let mut tx = write(&registry);
    tx.insert(&in_00004("001050000017").fact("disability", "severe"))
        .unwrap();
    tx.commit().unwrap();
    registry.close().unwrap();
    let registry = Registry::open_read_only(&path).unwrap();
    let view = registry.begin_read().unwrap();
    let id: Identifier = "001050000017".parse().unwrap();
    let found = view.person_by_id(id, month(6)).unwrap().unwrap();
    assert_eq!(found.asked.household, Some(household("H-1")));
    assert_eq!(found.asked.commune, Some("00004".parse().unwrap()));
    assert!(found.others.is_empty() && found.asked.disagreements().is_empty());
    let disability = view
        .catalogue()
        .attribute(crate::kernel::catalogue::SubjectKind::Person, "disability")
        .unwrap();
    assert_eq!(
        found.asked.state.values.get(&disability.number),
        Some(&disability.parse("severe").unwrap())
    );
    assert!(registry.begin_write(Author::new("lan", "no"), AT).is_err());
    assert!(
        view.person_by_id(id, AsOf::new(month(6), Sequence(1)))
            .unwrap()
            .is_none()
    );
}

#[test]
fn a_household_that_exists_is_joined_where_it_lives() {
    let (_folder, registry) = registry();
    let mut tx = write(&registry);
    let first = tx.insert(&in_00004("001050000017")).unwrap();
    let second = tx.insert(&in_00004("001050000018")).unwrap();
    let third = tx
        .insert(&person("001050000019").household(household("H-1")))
        .unwrap();
    let elsewhere = person("001050000020")
        .household(household("H-1"))
        .commune("00008".parse().unwrap());
    let error = tx.insert(&elsewhere).unwrap_err();
    assert!(
        matches!(error.refusal(), Some(Refusal::HouseholdElsewhere { .. })),
        "{error}"
    );
    assert!(
        error.to_string().contains("00004") && error.to_string().contains("00008"),
        "{error}"
    );
    let unknown = person("001050000021").household(household("H-2"));
    assert!(matches!(
        tx.insert(&unknown),
        Err(RegistryError::NoHousehold { .. })
    ));
    assert!(matches!(
        tx.insert(&person("001050000022")),
        Err(RegistryError::Homeless { .. })
    ));
    tx.commit().unwrap();
    let view = registry.begin_read().unwrap();
    let found = view.household_by_id(household("H-1"), month(6)).unwrap().unwrap();
    assert_eq!(found.state.members, [first, second, third]);
    let commune = view.commune_by_code("00004".parse().unwrap(), month(6)).unwrap();
    assert_eq!(commune.state.residents, [first, second, third]);
}

#[test]
fn inserting_again_answers_who_is_there() {
    let (_folder, registry) = registry();
    let mut tx = write(&registry);
    let first = tx.insert(&in_00004("001050000017")).unwrap();
    assert_eq!(tx.insert(&in_00004("001050000017")).unwrap(), first);
    tx.move_household(household("H-1"), "00008".parse().unwrap(), month(2))
        .unwrap();
    assert_eq!(
        tx.insert(&in_00004("001050000017").from(month(3))).unwrap(),
        first
    );
    let born: Date = "1951-03-17".parse().unwrap();
    let other = Person::new("Nguyễn Văn A", born, Sex::Male)
        .id("001050000017".parse::<Identifier>().unwrap())
        .away();
    let error = tx.insert(&other).unwrap_err();
    assert!(
        matches!(
            error,
            RegistryError::PersonDiffers {
                field: Field::BirthDate,
                ..
            }
        ),
        "{error}"
    );
    let answer = tx.insert_or_answer(&other).unwrap();
    assert_eq!(
        answer,
        Answer::PersonExistsWithDifferent {
            person: first,
            field: Field::BirthDate
        }
    );
}

#[test]
fn names_that_are_not_there_are_told_with_the_nearest() {
    let (_folder, registry) = registry();
    let mut tx = write(&registry);
    let a = tx.insert(&in_00004("001050000017")).unwrap();
    let error = tx.record(a, "disabilty", "severe", month(3)).unwrap_err();
    assert!(matches!(
        error,
        RegistryError::Value(ValueError::UnknownAttribute { .. })
    ));
    assert!(
        error.to_string().contains("did you mean \"disability\"?"),
        "{error}"
    );
    let error = tx.record(a, "disability", "sever", month(3)).unwrap_err();
    assert!(error.to_string().contains("did you mean \"severe\"?"), "{error}");
    let error = tx.enrol(a, "disabilty", month(3), "").unwrap_err();
    assert!(
        error.to_string().contains("did you mean \"disability\"?"),
        "{error}"
    );
    let error = tx
        .commune("00004".parse().unwrap(), Month::new(2020, 1).unwrap())
        .unwrap_err();
    assert!(error.to_string().contains("from 2025-07 on"), "{error}");
    let error = tx.commune("99999".parse().unwrap(), month(1)).unwrap_err();
    assert!(error.to_string().contains("99999"), "{error}");
    let error = tx.record(a, "guardian", "001050000099", month(3)).unwrap_err();
    assert!(matches!(error, RegistryError::Reference { .. }), "{error}");
    assert!(error.to_string().contains("001******099"), "{error}");
}

#[test]
fn references_are_given_by_id_or_by_number() {
    let (_folder, registry) = registry();
    let mut tx = write(&registry);
    let a = tx.insert(&in_00004("001050000017")).unwrap();
    let b = tx.insert(&in_00004("001050000018")).unwrap();
    assert_eq!(
        tx.record(b, "guardian", "001050000017", month(3)).unwrap(),
        Answer::Done
    );
    assert_eq!(tx.record(b, "guardian", a, month(3)).unwrap(), Answer::Unchanged);
    assert_eq!(
        tx.record(b, "guardian", "unknown", month(4)).unwrap(),
        Answer::Done
    );
}

#[test]
fn a_life_in_the_registry() {
    let (_folder, registry) = registry();
    let mut tx = write(&registry);
    let a = tx.insert(&in_00004("001050000017")).unwrap();
    let b = tx.insert(&in_00004("001050000018")).unwrap();
    let fact = Fact::new("poverty", "poor", month(1))
        .until(month(12))
        .document("QĐ 7");
    let home = tx.household(household("H-1")).unwrap();
    tx.record_fact(home, &fact).unwrap();
    tx.enrol(a, "disability", month(2), "112/QĐ").unwrap();
    tx.suspend(a, "disability", month(3), "113/QĐ").unwrap();
    tx.resume(a, "disability", month(4), "114/QĐ").unwrap();
    tx.end_enrolment(a, "disability", month(5), "115/QĐ").unwrap();
    tx.record(a, "disability", "severe", month(2)).unwrap();
    tx.end(a, "disability", month(4)).unwrap();
    tx.retract(a, "disability", month(2)).unwrap();
    tx.split_household(household("H-1"), &[b], household("H-2"), Some(b), month(3))
        .unwrap();
    tx.merge_households(household("H-2"), household("H-1"), month(4))
        .unwrap();
    tx.change_head(household("H-1"), b, month(4)).unwrap();
    tx.move_person(a, Home::Commune("00008".parse().unwrap()), month(5))
        .unwrap();
    tx.record_death(b, "2026-05-03".parse().unwrap(), "KT 3").unwrap();
    tx.assign_id(a, "001050000030".parse::<Identifier>().unwrap())
        .unwrap();
    tx.correct_sex(a, Sex::Female).unwrap();
    let duplicate = tx.insert(&person("001050000040").away()).unwrap();
    tx.merge(duplicate, a).unwrap();
    let mistake = tx.insert(&person("001050000041").away()).unwrap();
    tx.mark_entered_in_error(mistake).unwrap();
    let sequence = tx.commit().unwrap();

    let view = registry.begin_read().unwrap();
    let old: Identifier = "001050000017".parse().unwrap();
    let found = view.person_by_id(old, month(6)).unwrap().unwrap();
    assert_eq!(found.asked.state.identifier.to_string(), "001050000030");
    assert_eq!(found.asked.commune, Some("00008".parse().unwrap()));
    assert_eq!(found.asked.disagreements().len(), 1);
    let merged: Vec<_> = found.others.iter().map(|record| record.state.number).collect();
    assert_eq!(merged, [duplicate]);
    let other: Identifier = "001050000040".parse().unwrap();
    let from_the_other_side = view.person_by_id(other, month(6)).unwrap().unwrap();
    assert_eq!(from_the_other_side.asked.state.number, duplicate);
    assert_eq!(from_the_other_side.others[0].state.number, a);
    let old_home = view.household_by_id(household("H-1"), month(6)).unwrap().unwrap();
    assert_eq!((old_home.state.head, old_home.state.members.len()), (Some(b), 0));
    assert_eq!(view.log_operations(sequence).unwrap().len(), 21);
    assert_eq!(view.verify_log().unwrap().sequence, sequence);
}

#[test]
fn an_aborted_transaction_leaves_nothing() {
    let (_folder, registry) = registry();
    let mut tx = write(&registry);
    tx.insert(&in_00004("001050000017")).unwrap();
    tx.abort();
    assert_eq!(registry.begin_read().unwrap().counts().unwrap().people, 0);
}

#[test]
fn a_pack_adopted_later_is_the_one_in_force() {
    let (_folder, registry) = registry();
    let before = registry.begin_read().unwrap();
    let text = Pack::vietnam()
        .source_text()
        .replace("version = \"2\"", "version = \"3\"");
    let second = Pack::vietnam().with_text("second.toml", &text).unwrap();
    let mut tx = write(&registry);
    tx.adopt(&second).unwrap();
    tx.commit().unwrap();
    assert_eq!(
        registry.begin_read().unwrap().policy().unwrap().pack().version(),
        "3"
    );
    assert_eq!(before.policy().unwrap().pack().version(), "2");
    let after = registry.begin_read().unwrap();
    let first = after.policy_by_hash(&Pack::vietnam().hash()).unwrap();
    assert_eq!(first.pack().version(), "2");
    assert!(matches!(
        after.policy_by_hash(&[7; 32]),
        Err(RegistryError::NoSuchPack { .. })
    ));
}

#[test]
fn a_store_without_a_pack_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::create(&folder.path().join("a.ansinh"), StoreOptions::default()).unwrap();
    let registry = Registry::over(store);
    assert!(matches!(
        registry.begin_read().unwrap().policy(),
        Err(RegistryError::NoPack)
    ));
}

#[test]
fn values_are_given_in_their_own_types() {
    let amount = crate::types::Dong::new(5);
    assert_eq!(Given::from(amount), Given::Value(Value::Money(amount)));
    assert_eq!(Given::from(true), Given::Value(Value::Bool(true)));
    assert_eq!(Given::from(7), Given::Value(Value::Integer(7)));
    assert_eq!(Given::from(String::from("x")), Given::from("x"));
}

/// A pack by which each person is owed what is recorded, so that no two outcomes are equal.
const EACH_THEIR_OWN: &str = r#"
[pack]
id = "own"
version = "1"
title = { vi = "Thử", en = "Test" }

[birth]
unknown_month = "undetermined"
source = "none"
confidence = "S1"

[person.owed]
title = { vi = "Số phải trả", en = "What is owed" }
type = "money"
absent = 0

[group.all]
rule = "sum"
cite = "none"
confidence = "S1"

[[programme]]
id = "own"
title = { vi = "Khoản riêng", en = "Own amount" }
cite = "none"
confidence = "S1"
months = { from = "2020-01" }
decision = false
stop = "at_once"
payee = ["self"]
group = "all"
condition = "owed > 0"
amount = "owed"
"#;

#[test]
fn every_outcome_of_a_long_dictionary_is_found_by_its_code() {
    // More than two blocks of the dictionary, the last one not full.
    const PEOPLE: i64 = 150;
    let folder = tempfile::tempdir().unwrap();
    let pack = Pack::parse("own.toml", EACH_THEIR_OWN).unwrap();
    let options = RegistryOptions {
        units: crate::gazetteer::vietnam(),
        ..RegistryOptions::default()
    };
    let registry = Registry::create_with(folder.path().join("a.ansinh"), &pack, AT, options).unwrap();
    let mut tx = write(&registry);
    let mut people = Vec::new();
    for number in 1..=PEOPLE {
        let born: Date = "1950-03-17".parse().unwrap();
        let person = Person::new("Nguyễn Văn A", born, Sex::Male)
            .from(month(1))
            .commune("00004".parse().unwrap());
        let person = tx.insert(&person).unwrap();
        tx.record(person, "owed", number.to_string().as_str(), month(2))
            .unwrap();
        people.push((person, number));
    }
    tx.commit().unwrap();
    let request = crate::entitlement::RunRequest::monthly(month(6));
    registry
        .run(&request, Author::new("lan", "June"), AT, &|_, _| {})
        .unwrap();
    let view = registry.begin_read().unwrap();
    let run = view
        .run_of(month(6), crate::entitlement::Scope::Country)
        .unwrap()
        .unwrap();
    assert_eq!(
        crate::entitlement::outcomes(&view, &run).unwrap().len(),
        people.len()
    );
    for (person, owed) in people {
        let explained = view.explain(person, month(6)).unwrap();
        assert!(matches!(
            explained.determined,
            crate::entitlement::Determined::ByRun(_)
        ));
        assert_eq!(explained.outcome.lines[0].amount.get(), owed, "{person}");
    }
    assert_eq!(view.runs_of(month(6)).unwrap().len(), 1);
    assert_eq!(view.runs_of(month(7)).unwrap().len(), 0);
}

#[test]
fn an_explanation_tells_who_recorded_each_value_and_when() {
    let (_folder, registry) = registry();
    let mut tx = write(&registry);
    let person = tx.insert(&in_00004("001050000017")).unwrap();
    tx.commit().unwrap();
    let later = Instant::from_unix_millis(1_780_358_400_000);
    let hoa = Author::new("hoa", "decision 7");
    let mut tx = registry.begin_write(hoa, later).unwrap();
    tx.enrol(person, "social_pension", month(3), "7/QĐ-UBND").unwrap();
    tx.commit().unwrap();
    let view = registry.begin_read().unwrap();
    let explained = view.explain(person, month(3)).unwrap();
    let of = |name: &str, in_month: Month| {
        let number = match name {
            "birth" => crate::kernel::catalogue::builtin::BIRTH,
            name => {
                let kind = crate::kernel::catalogue::SubjectKind::Person;
                view.catalogue().attribute(kind, name).unwrap().number
            }
        };
        let mut values = explained.values.iter();
        values.find(|behind| behind.attribute == number && behind.month == in_month)
    };
    let decision = of("enrolment.social_pension", month(3)).unwrap();
    let recording = decision.recording.as_ref().unwrap();
    assert_eq!(
        (
            recording.sequence,
            recording.at,
            recording.author.as_str(),
            recording.reason.as_str()
        ),
        (Sequence(3), later, "hoa", "decision 7")
    );
    assert_eq!((decision.since(), decision.until()), (Some(month(3)), None));
    assert_eq!(decision.document(), Some("7/QĐ-UBND"));
    let before = of("enrolment.social_pension", month(2)).unwrap();
    assert_eq!(
        (before.value, &before.record, &before.recording),
        (None, &None, &None)
    );
    let birth = of("birth", month(3)).unwrap();
    assert_eq!(birth.recording.as_ref().unwrap().author, "lan");
    assert_eq!(birth.since(), None);
    assert!(
        of("birth", month(2)).is_none(),
        "it was the same in the month before"
    );
}
