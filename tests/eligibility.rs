//! Conditions asked of everyone, against the same asked of one person at a time.

mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use ansinh::gazetteer;
use ansinh::kernel::bulk::{BulkFact, BulkHousehold, BulkPerson, BulkValue};
use ansinh::kernel::catalogue::SubjectKind;
use ansinh::kernel::medium::MemoryMedium;
use ansinh::kernel::operation::{Operation, Subject};
use ansinh::kernel::units::UnitDeclaration;
use ansinh::kernel::{Store, StoreOptions, WriteError};
use ansinh::policy::{Pack, Truth};
use ansinh::query::{Count, Field, QueryError};
use ansinh::registry::{AsOf, Find, Home, Person, Registry, RegistryError, RegistryView, Transaction};
use ansinh::types::{
    AttributeNumber, BirthDate, Dossier, HouseholdId, Month, PersonNumber, Sequence, Sex, Value,
};

use common::changes::{Dice, change};
use common::{AT, attribute, author, begin, date, load, month};

/// A registry in memory: a synthetic population in some units that exist since a month, changed at random.
fn changed(since: &str, people: u64, seed: u64, transactions: usize) -> (Registry, Vec<Sequence>) {
    let all = gazetteer::vietnam();
    let mut units: Vec<UnitDeclaration> = all.iter().step_by(400).take(6).cloned().collect();
    for unit in &mut units {
        unit.from = month(since);
        unit.names.truncate(1);
        unit.names[0].from = unit.from;
    }
    let medium = Box::new(MemoryMedium::new());
    let store = Store::create_on(medium, Path::new("memory"), StoreOptions::default()).unwrap();
    begin(&store, &Pack::vietnam(), &units);
    load(&store, &units, people, seed);
    let spare: Vec<UnitDeclaration> = all.into_iter().skip(200).take(8).collect();
    let sequences = change(&store, &mut Dice(seed), &spare, transactions, 150);
    (Registry::over(store), sequences)
}

/// A random condition in the words of the pack of Vietnam.
fn condition(dice: &mut Dice, depth: u64) -> String {
    if depth > 0 {
        let inner = |dice: &mut Dice| condition(dice, depth - 1);
        match dice.roll(9) {
            0 | 1 => return format!("({} and {})", inner(dice), inner(dice)),
            2 => return format!("({} or {})", inner(dice), inner(dice)),
            3 => return format!("not ({})", inner(dice)),
            4 => {
                let (a, b, c) = (inner(dice), inner(dice), inner(dice));
                return format!("case {{ {a} => {b}, else {c} }}");
            }
            _ => {}
        }
    }
    leaf(dice)
}

fn one<'a>(dice: &mut Dice, texts: &[&'a str]) -> &'a str {
    texts[dice.roll(texts.len() as u64) as usize]
}

fn leaf(dice: &mut Dice) -> String {
    let sign = one(dice, &[">=", "<", "==", "!="]);
    match dice.roll(12) {
        0 => format!("age {sign} {}", dice.roll(95)),
        1 => format!("age_months {sign} {}", dice.roll(900)),
        2 => format!("age * 2 + 1 > {}", dice.roll(150)),
        3 => format!("sex == {}", one(dice, &["male", "female"])),
        4 => one(
            dice,
            &[
                "disability in [severe, extremely_severe]",
                "disability == light",
                "pension == none",
                "pension != social_insurance",
                "care == orphan_both",
                "channel == account",
            ],
        )
        .to_owned(),
        5 => one(
            dice,
            &["hiv", "studying", "single_parent", "pregnant", "in_facility"],
        )
        .to_owned(),
        6 | 7 => one(
            dice,
            &[
                "household.poverty == poor",
                "household.poverty != not_poor",
                "household.difficult_village == as_commune",
                "commune.difficult",
            ],
        )
        .to_owned(),
        8 => format!("unemployment_insurance_months {sign} {}", dice.roll(40)),
        9 => one(
            dice,
            &[
                "province in [01, 22, 38]",
                "province == 01",
                "former_province in [30, 31]",
            ],
        )
        .to_owned(),
        10 => one(
            dice,
            &[
                "enrolment.disability == active",
                "enrolment.social_pension in [active, suspended]",
                "verification == matched",
                "param.base_level > 500000",
            ],
        )
        .to_owned(),
        _ => one(
            dice,
            &[
                "household.count(age < 16) >= 2",
                "household.any(disability == severe)",
                "household.all(age >= 18 or studying)",
                "dependants.count(age < 16) >= 1",
                "guardian.any(age >= 60)",
                "household.count(sex == female) > 1",
            ],
        )
        .to_owned(),
    }
}

/// What is so of everyone, one at a time.
fn one_by_one(view: &RegistryView, find: &Find<'_>) -> BTreeMap<PersonNumber, Truth> {
    view.people()
        .filter_map(|person| Some((person, find.truth_of(person).unwrap()?)))
        .collect()
}

fn those(truths: &BTreeMap<PersonNumber, Truth>, wanted: Truth) -> BTreeSet<PersonNumber> {
    let found = truths.iter().filter(|(_, truth)| **truth == wanted);
    found.map(|(&person, _)| person).collect()
}

/// What came of a question.
struct Compared {
    matching: u64,
    others: u64,
    /// Whether the index named the segments, and left some of those out in which somebody might be.
    by_index: bool,
}

/// Compares one question with the same asked of one person at a time.
fn compare(view: &RegistryView, text: &str, at: Month, known: Sequence, workers: usize) -> Compared {
    let find = view
        .find(text)
        .unwrap_or_else(|error| panic!("{text}: {error}"))
        .month(at)
        .data_as_of(known)
        .workers(workers);
    let what = format!("{text} in {at} as of {known} with {workers} workers");
    let expected = one_by_one(view, &find);
    let (yes, open) = (
        those(&expected, Truth::True),
        those(&expected, Truth::Undetermined),
    );
    let count = Count {
        matching: yes.len() as u64,
        undetermined: open.len() as u64,
        error: 0,
    };
    assert_eq!(find.count().unwrap(), count, "{what}");
    let found = find.people(usize::MAX).unwrap();
    assert_eq!(found.count, count, "{what}");
    assert_eq!(found.people.len() as u64, count.matching, "{what}");
    assert_eq!(
        found.people.iter().copied().collect::<BTreeSet<_>>(),
        yes,
        "{what}"
    );
    let some = find.people(3).unwrap().people;
    assert_eq!(some[..], found.people[..found.people.len().min(3)], "{what}");
    let undetermined = find.undetermined(usize::MAX).unwrap().people;
    assert_eq!(undetermined.into_iter().collect::<BTreeSet<_>>(), open, "{what}");
    let plan = find.plan().unwrap();
    assert!(
        plan.skipped_by_place + plan.skipped_by_profile <= plan.segments,
        "{plan:?}"
    );
    assert!(
        plan.read() <= plan.opened && plan.opened + plan.skipped_by_place <= plan.segments,
        "{plan:?}"
    );
    if !plan.by_index {
        assert_eq!(plan.opened + plan.skipped_by_place, plan.segments, "{plan:?}");
    }
    if count.matching + count.undetermined > 0 {
        assert!(plan.read() > 0, "{what}: {plan:?}");
    }
    Compared {
        matching: count.matching,
        others: expected.len() as u64 - count.matching,
        by_index: plan.by_index && plan.opened + plan.skipped_by_place < plan.segments,
    }
}

#[test]
fn everyone_is_found_as_one_by_one() {
    let (mut some, mut nobody) = (0, 0);
    for (since, seed) in [("2025-07", 5), ("1990-01", 6), ("2025-07", 7)] {
        let (registry, sequences) = changed(since, 700, seed, 5);
        let view = registry.begin_read().unwrap();
        let mut dice = Dice(seed * 1000);
        for round in 0..24 {
            let text = condition(&mut dice, 3);
            let at = month("2025-04").plus(dice.roll(26) as i32).unwrap();
            let known = match round % 4 {
                0 => sequences[dice.roll(sequences.len() as u64) as usize],
                _ => Sequence::NEWEST,
            };
            let compared = compare(&view, &text, at, known, [1, 2, 5][round % 3]);
            some += u64::from(compared.matching > 0 && compared.others > 0);
            nobody += u64::from(compared.matching == 0);
        }
    }
    assert!(
        some > 20,
        "{some} questions told people apart, {nobody} found nobody"
    );
}

#[test]
fn each_part_of_the_language_is_found_as_one_by_one() {
    let (registry, sequences) = changed("2025-07", 900, 11, 6);
    let view = registry.begin_read().unwrap();
    let newest = Sequence::NEWEST;
    for text in [
        "true",
        "false",
        "age >= 0",
        "age > 200",
        "disability == severe",
        "hiv",
        "hiv or age < 0",
        "age >= 80 and pension == none",
        "household.poverty == poor and age < 16",
        "household.count(age < 16) >= 2",
        "household.count(age < 16) >= 0",
        "dependants.any(disability == severe)",
        "province == 01 and hiv",
        "verification == matched and disability != none",
    ] {
        compare(&view, text, month("2026-06"), newest, 2);
        compare(&view, text, month("2025-12"), sequences[2], 2);
    }
    for at in ["2021-08", "2025-06", "2031-05"] {
        compare(&view, "age >= 1 and disability != none", month(at), newest, 3);
    }
}

/// An attribute of persons, and some of its values.
fn named<const N: usize>(store: &Store, name: &str, values: [&str; N]) -> (AttributeNumber, [Value; N]) {
    let view = store.begin_read().unwrap();
    let attribute = attribute(view.catalogue(), SubjectKind::Person, name);
    let value = |name: &str| {
        let found = attribute.values.iter().find(|value| value.name == name);
        Value::Enum(found.unwrap().number)
    };
    (attribute.number, values.map(value))
}

/// Loads so many people more in bulk, some of whom have what is rare; units that ended take nobody. Answers who they are.
fn load_more(store: &Store, units: &[UnitDeclaration], people: usize) -> Vec<PersonNumber> {
    let (disability, [severest]) = named(store, "disability", ["extremely_severe"]);
    let (care, [orphan]) = named(store, "care", ["orphan_both"]);
    let mut transaction = store.begin_write(author(), AT).unwrap();
    let mut loader = transaction.bulk().unwrap();
    let mut entered = Vec::new();
    for number in 0..people {
        let fact = |attribute, value, from: Option<&str>| BulkFact {
            attribute,
            value: BulkValue::Value(value),
            from: from.map(month),
            until: None,
            document: String::new(),
        };
        let person = BulkPerson {
            identifier: None,
            birth: BirthDate::from(date(&format!("{}-03-17", 1940 + number % 80))),
            sex: Sex::Female,
            from: month("2020-01"),
            facts: match number % 100 {
                11 => vec![fact(care, orphan, None)],
                47 => vec![fact(disability, severest, Some("2025-09"))],
                _ => Vec::new(),
            },
            dossier: Dossier::default(),
            moves: Vec::new(),
        };
        let household = BulkHousehold {
            id: Some(format!("MORE-{number}").parse().unwrap()),
            // Neighbours are loaded to one commune.
            commune: units[number / 100 % units.len()].code,
            from: month("2020-01"),
            head: Some(0),
            facts: Vec::new(),
            people: vec![person],
            moves: Vec::new(),
        };
        match loader.add(&household) {
            Ok(new) => entered.extend(new.people),
            Err(WriteError::Refused(_)) => {}
            Err(error) => panic!("{error}"),
        }
    }
    assert!(entered.len() > people / 3, "{} people entered", entered.len());
    loader.finish().unwrap();
    transaction.commit().unwrap();
    entered
}

/// Records that an attribute of a person had a value in one month only, and then two others in turn for so long that
/// segments keep nothing of it.
fn live_through(store: &Store, person: PersonNumber, name: &str, from: Month, values: [&str; 3]) {
    let (attribute, [first, second, third]) = named(store, name, values);
    let mut transaction = store.begin_write(author(), AT).unwrap();
    for months in 0..24 {
        let record = Operation::Record {
            subject: Subject::Person(person),
            attribute,
            value: if months == 0 {
                first
            } else {
                [second, third][months as usize % 2]
            },
            from: from.plus(months).unwrap(),
            until: None,
            document: String::new(),
        };
        transaction.apply(&record).unwrap();
    }
    transaction.commit().unwrap();
}

#[test]
fn who_is_rare_is_found_by_the_index_as_one_by_one() {
    let all = gazetteer::vietnam();
    let mut units: Vec<UnitDeclaration> = all.iter().step_by(80).take(24).cloned().collect();
    for unit in &mut units {
        unit.from = month("1990-01");
        unit.names.truncate(1);
        unit.names[0].from = unit.from;
    }
    let medium = Box::new(MemoryMedium::new());
    let store = Store::create_on(medium, Path::new("memory"), StoreOptions::default()).unwrap();
    begin(&store, &Pack::vietnam(), &units);
    load(&store, &units, 900, 31);
    let mut dice = Dice(31);
    let mut sequences = vec![store.begin_read().unwrap().newest()];
    let spare: Vec<UnitDeclaration> = all.into_iter().skip(200).take(8).collect();
    sequences.extend(change(&store, &mut dice, &spare, 3, 120));
    // A second load, of other people, and changes after it.
    let more = load_more(&store, &units, 600);
    // These are not among those who are changed at random.
    let quiet: Vec<PersonNumber> = more
        .iter()
        .copied()
        .filter(|person| person.get() % 10 == 5)
        .collect();
    let (light, care) = (["light", "none"], ["abandoned", "has_care"]);
    for (person, name, from, [rare, second, third]) in [
        (
            quiet[0],
            "disability",
            "2023-01",
            ["extremely_severe", light[0], light[1]],
        ),
        (
            quiet[5],
            "care",
            "2023-05",
            ["other_article_5_1", care[0], care[1]],
        ),
        (quiet[15], "care", "2023-02", ["orphan_both", care[0], care[1]]),
    ] {
        live_through(&store, person, name, month(from), [rare, second, third]);
    }
    sequences.extend(change(&store, &mut dice, &[], 2, 120));
    let registry = Registry::over(store);
    let view = registry.begin_read().unwrap();
    view.verify_occurrences().unwrap();
    let (mut by_index, mut found) = (0, 0);
    for text in [
        "disability == extremely_severe",
        "care == orphan_both",
        "care == other_article_5_1",
        "hiv and age >= 0",
        "pregnant",
        "enrolment.merit_hero == active",
        "enrolment.merit_heroic_mother in [active, suspended]",
        "household.poverty == poor",
        "household.poverty == poor and disability == extremely_severe",
        "household.poverty == near_poor and studying and hiv",
        "in_facility and province in [01, 22, 38]",
        "care == orphan_both and household.count(age < 16) >= 2",
        "not (disability != extremely_severe)",
    ] {
        for at in [
            "2023-01", "2023-02", "2023-05", "2024-06", "2025-06", "2025-12", "2026-06", "2026-12",
        ] {
            let compared = compare(&view, text, month(at), Sequence::NEWEST, 2);
            by_index += u64::from(compared.by_index);
            found += u64::from(compared.by_index && compared.matching > 0);
        }
        let known = sequences[dice.roll(sequences.len() as u64 - 1) as usize];
        let compared = compare(&view, text, month("2025-12"), known, 1);
        assert!(!compared.by_index, "the index knows nothing of earlier sequences");
    }
    assert!(
        by_index > 40 && found > 10,
        "{by_index} by index, {found} of them found somebody"
    );
    for (text, at, person) in [
        ("disability == extremely_severe", "2023-01", quiet[0]),
        ("care == other_article_5_1", "2023-05", quiet[5]),
        ("care == orphan_both", "2023-02", quiet[15]),
    ] {
        let find = view.find(text).unwrap().month(month(at));
        assert!(find.plan().unwrap().by_index);
        assert!(find.people(100).unwrap().people.contains(&person), "{text}");
    }
}

fn by(find: &Find<'_>, view: &RegistryView, name: &str) -> BTreeMap<String, (u64, u64)> {
    let parts = find.by(&view.field(name).unwrap()).unwrap();
    parts
        .into_iter()
        .map(|part| (part.key, (part.count.matching, part.count.undetermined)))
        .collect()
}

#[test]
fn counts_by_a_field_are_counts_of_narrower_conditions() {
    let (registry, _) = changed("2025-07", 900, 21, 5);
    let view = registry.begin_read().unwrap();
    let at = month("2026-03");
    let find = |text: &str| view.find(text).unwrap().month(at);
    let text = "age >= 10 and disability != light";
    let whole = find(text).count().unwrap();
    assert!(whole.matching > 100);
    for name in [
        "province",
        "commune",
        "sex",
        "age",
        "disability",
        "household.poverty",
        "commune.difficult",
        "studying",
        "enrolment.disability",
    ] {
        let parts = find(text).by(&view.field(name).unwrap()).unwrap();
        let mut sum = Count::default();
        for part in &parts {
            sum.add(part.count);
        }
        assert_eq!(sum, whole, "{name}");
        let keys: BTreeSet<&String> = parts.iter().map(|part| &part.key).collect();
        assert_eq!(keys.len(), parts.len(), "{name} has every value once");
        for workers in [1, 4] {
            let again = find(text)
                .workers(workers)
                .by(&view.field(name).unwrap())
                .unwrap();
            assert_eq!(again, parts, "{name} with {workers} workers");
        }
    }
    for (name, values) in [
        ("sex", vec!["male", "female"]),
        ("disability", vec!["none", "severe", "extremely_severe"]),
        ("household.poverty", vec!["not_poor", "near_poor", "poor"]),
        ("province", vec!["01", "22"]),
    ] {
        let parts = by(&find(text), &view, name);
        for value in values {
            let narrower = find(&format!("{text} and {name} == {value}")).count().unwrap();
            let part = parts.get(value).copied().unwrap_or_default();
            assert_eq!(part.0, narrower.matching, "{name} {value}");
        }
    }
    let ages = by(&find("age >= 10 and age < 13"), &view, "age");
    for age in ages.keys() {
        assert!(["10", "11", "12"].contains(&age.as_str()), "{ages:?}");
    }
}

/// Three people of one household: one of whom all is known, one whose disability is unknown, and one who dies in June.
fn few() -> Registry {
    let medium = Box::new(MemoryMedium::new());
    let store = Store::create_on(medium, Path::new("memory"), StoreOptions::default()).unwrap();
    let registry = Registry::over(store);
    let mut transaction = registry.begin_write(author(), AT).unwrap();
    transaction.adopt(&Pack::vietnam()).unwrap();
    // Cao Bằng has no figures of its own.
    let mut units = gazetteer::vietnam();
    units.retain(|unit| unit.province.number() == 4);
    let commune = units[0].code;
    for unit in units {
        transaction.add_unit(unit).unwrap();
    }
    let march = month("2026-03");
    for (name, born) in [("A", "1945-03-17"), ("B", "1990-05-17"), ("C", "2020-05-17")] {
        let person = Person::new(name, date(born), Sex::Female)
            .household("HN-1".parse().unwrap())
            .commune(commune)
            .from(march);
        let person = transaction.insert(&person).unwrap();
        match name {
            "B" => transaction
                .record(person, "disability", "unknown", march)
                .map(|_| ()),
            "C" => transaction
                .record_death(person, date("2026-06-15"), "")
                .map(|_| ()),
            _ => Ok(()),
        }
        .unwrap();
    }
    transaction.commit().unwrap();
    registry
}

#[test]
fn what_is_unknown_is_undetermined_and_the_dead_are_not_asked_about() {
    let registry = few();
    let view = registry.begin_read().unwrap();
    let count = |text: &str, at: &str| {
        let count = view.find(text).unwrap().month(month(at)).count().unwrap();
        (count.matching, count.undetermined)
    };
    assert_eq!(count("true", "2026-05"), (3, 0));
    assert_eq!(
        count("true", "2026-06"),
        (2, 0),
        "who dies in the month is not there at its end"
    );
    assert_eq!(count("true", "2026-02"), (0, 0), "nobody is recorded yet");
    assert_eq!(count("disability == severe", "2026-05"), (0, 1));
    assert_eq!(count("disability != severe", "2026-05"), (2, 1));
    assert_eq!(count("disability == severe or age >= 30", "2026-05"), (2, 0));
    assert_eq!(count("household.any(disability == severe)", "2026-05"), (0, 3));
    assert_eq!(count("household.count(age < 18) == 1", "2026-05"), (3, 0));
    assert_eq!(count("household.count(age < 18) == 1", "2026-06"), (0, 0));
    let parts = by(
        &view.find("true").unwrap().month(month("2026-05")),
        &view,
        "disability",
    );
    assert_eq!(
        parts.into_iter().collect::<Vec<_>>(),
        [("none".to_owned(), (2, 0)), ("unknown".to_owned(), (1, 0))]
    );
    let asked = view.find("true").unwrap();
    assert_eq!(
        asked.asked_month(),
        month("2026-06"),
        "the month of the newest transaction"
    );
    assert_eq!(asked.asked_law(), date("2026-06-30"));
    let people = asked.people(1).unwrap();
    assert_eq!((people.people.len(), people.count.matching), (1, 2));
}

#[test]
fn figures_are_those_of_the_month_and_of_the_day() {
    let registry = few();
    let view = registry.begin_read().unwrap();
    let count = |text: &str, day: Option<&str>| {
        let find = view.find(text).unwrap().month(month("2026-07"));
        let find = match day {
            Some(day) => find.law_known_on(date(day)),
            None => find,
        };
        find.count().unwrap().matching
    };
    // The decree that came into force in October gives 540,000 from July.
    assert_eq!(count("param.base_level == 500000", None), 2);
    assert_eq!(count("param.base_level == 500000", Some("2026-12-31")), 0);
    assert_eq!(count("param.base_level == 540000", Some("2026-12-31")), 2);
}

#[test]
fn what_cannot_be_asked_says_why() {
    let registry = few();
    let view = registry.begin_read().unwrap();
    let error = |text: &str| view.find(text).unwrap_err().to_string();
    let text = error("age >= 75 and pention == none");
    assert!(
        text.contains('^') && text.contains("did you mean \"pension\"?"),
        "{text}"
    );
    assert!(error("age +").contains('^'));
    assert!(error("age").contains('^'), "a number is no condition");
    assert!(error("").contains("expression"));
    let refused = |found: Result<Count, RegistryError>| match found.unwrap_err() {
        RegistryError::Query(error) => *error,
        other => panic!("{other}"),
    };
    let find = || view.find("true").unwrap();
    assert!(matches!(
        refused(find().workers(0).count()),
        QueryError::Workers { found: 0 }
    ));
    let later = find().data_as_of(Sequence(99)).count();
    assert!(matches!(refused(later), QueryError::Later { .. }));
    let field = |name: &str| Field::named(name, view.catalogue()).unwrap_err().to_string();
    assert!(field("povince").contains("did you mean \"province\"?"));
    assert!(field("household.povert").contains("household.poverty"));
    assert!(field("guardian").contains("too many values"));
    let before = find().month(month("1950-01")).count().unwrap_err();
    assert!(!before.to_string().is_empty());
    assert_eq!(
        view.find("household.any(hiv) or disability == light")
            .unwrap()
            .attributes()
            .unwrap(),
        ["disability", "hiv"]
    );
    let record = view.person_record(PersonNumber(1), AsOf::from(month("2026-06")));
    assert!(record.unwrap().is_some());
}

/// Somebody whose first record says that they live nowhere has their main row among those of nobody's unit. Once they
/// have come, whoever is around must see them, from another segment of the commune too.
#[test]
fn who_came_from_nowhere_is_seen_by_those_around() {
    let medium = Box::new(MemoryMedium::new());
    let store = Store::create_on(medium, Path::new("memory"), StoreOptions::default()).unwrap();
    let mut units: Vec<UnitDeclaration> = gazetteer::vietnam().into_iter().take(1).collect();
    units[0].from = month("1990-01");
    units[0].names.truncate(1);
    units[0].names[0].from = units[0].from;
    begin(&store, &Pack::vietnam(), &units);
    let registry = Registry::over(store);
    let (january, february) = (month("2026-01"), month("2026-02"));
    let family: HouseholdId = "HN-1".parse().unwrap();
    let mut transaction = registry.begin_write(author(), AT).unwrap();
    let child = Person::new("A", date("2018-03-17"), Sex::Female)
        .household(family)
        .commune(units[0].code)
        .from(january);
    let child = transaction.insert(&child).unwrap();
    transaction.commit().unwrap();
    // The commune gets further segments, so that whoever comes later has a row in another one than the child.
    load_more(registry.store(), &units, 3_000);
    let mut transaction = registry.begin_write(author(), AT).unwrap();
    let arrive = |transaction: &mut Transaction<'_>, name: &str, to: Home| {
        let person = Person::new(name, date("1955-05-17"), Sex::Male)
            .away()
            .from(january);
        let person = transaction.insert(&person).unwrap();
        transaction.move_person(person, to, february).unwrap();
        person
    };
    arrive(&mut transaction, "B", Home::Household(family));
    let guardian = arrive(&mut transaction, "C", Home::Commune(units[0].code));
    transaction
        .record(child, "guardian", Value::Person(guardian), february)
        .unwrap();
    transaction.commit().unwrap();

    let view = registry.begin_read().unwrap();
    for (text, at_least) in [
        ("household.count(age >= 0) == 2", 2),
        ("household.any(age >= 60)", 2),
        ("guardian.any(age >= 60)", 1),
        ("dependants.count(age < 16) == 1", 1),
    ] {
        for workers in [1, 8] {
            let compared = compare(&view, text, month("2026-06"), Sequence::NEWEST, workers);
            assert!(compared.matching >= at_least, "{text}: {}", compared.matching);
        }
    }
}
