//! A pack of another country: the engine knows nothing of Vietnam but what its pack and its units say.

use std::collections::BTreeMap;

use ansinh::entitlement::{Determined, RunAnswer, RunHeader, RunRequest, RunStatus};
use ansinh::kernel::Author;
use ansinh::kernel::units::{UnitDeclaration, UnitKind, UnitName};
use ansinh::policy::{LineKind, Pack};
use ansinh::registry::{Person, Registry, RegistryOptions};
use ansinh::types::{Date, Instant, Month, PersonNumber, Sex};

const TEXT: &str = include_str!("packs/template_country.toml");
const AT: Instant = Instant::from_unix_millis(1_780_272_000_000);

fn pack() -> Pack {
    Pack::parse("template_country.toml", TEXT).unwrap_or_else(|errors| panic!("{errors}"))
}

fn month(text: &str) -> Month {
    text.parse().unwrap()
}

#[test]
fn the_examples_of_another_country_hold() {
    let pack = pack();
    let results = pack.run_examples();
    assert!(results.len() >= 30);
    for result in &results {
        assert!(
            result.passed,
            "line {}, {}: expected {}, found {}",
            result.line, result.title, result.expected, result.found
        );
    }
    for programme in pack.programmes() {
        let named =
            |result: &&ansinh::policy::ExampleResult| result.expected.contains(&format!("{} ", programme.id));
        assert!(
            results.iter().filter(named).count() >= 2,
            "{} has too few examples",
            programme.id
        );
    }
}

/// Two districts of one province, which exist since 1990.
fn units() -> Vec<UnitDeclaration> {
    let unit = |code: &str, name: &str| UnitDeclaration {
        code: code.parse().unwrap(),
        from: month("1990-01"),
        province: "01".parse().unwrap(),
        former_province: "01".parse().unwrap(),
        names: vec![UnitName {
            from: month("1990-01"),
            name: name.to_owned(),
            kind: UnitKind::Commune,
            province_name: "Template Province".to_owned(),
        }],
    };
    vec![unit("00001", "North"), unit("00002", "South")]
}

/// A person of the registry, with what each of three months comes to.
struct Resident {
    name: &'static str,
    birth: &'static str,
    household: &'static str,
    commune: &'static str,
    facts: &'static [(&'static str, &'static str)],
    expected: [&'static str; 3],
}

const MONTHS: [&str; 3] = ["2016-11", "2016-12", "2017-01"];

const RESIDENTS: [Resident; 7] = [
    Resident {
        name: "single parent",
        birth: "1985-04-02",
        household: "H-1",
        commune: "00001",
        facts: &[
            ("role", "first_parent"),
            ("fortnight_salary", "50000"),
            ("salary", "100000"),
        ],
        expected: [
            "housing_allowance 22500, parenting_allowance 60000",
            "basic_income 60000, parenting_allowance 60000",
            "basic_income 60000",
        ],
    },
    Resident {
        name: "child who turns eight in January 2017",
        birth: "2009-01-09",
        household: "H-1",
        commune: "00001",
        facts: &[("role", "child")],
        expected: ["", "", ""],
    },
    Resident {
        name: "first of two parents",
        birth: "1980-02-02",
        household: "H-2",
        commune: "00002",
        facts: &[("role", "first_parent")],
        expected: [
            "basic_income_without_salary 60000, housing_allowance 10000, parenting_allowance 60000 held",
            "basic_income 60000, parenting_allowance 60000 held",
            "basic_income 60000, parenting_allowance 60000 held",
        ],
    },
    Resident {
        name: "second parent, whose wages of two weeks are not known",
        birth: "1982-02-02",
        household: "H-2",
        commune: "00002",
        facts: &[
            ("role", "second_parent"),
            ("salary", "180000"),
            ("fortnight_salary", "unknown"),
        ],
        expected: ["", "basic_income 60000", "basic_income 60000"],
    },
    Resident {
        name: "child of two",
        birth: "2014-08-01",
        household: "H-2",
        commune: "00002",
        facts: &[("role", "child")],
        expected: ["", "", ""],
    },
    Resident {
        name: "pensioner of sixty-one",
        birth: "1955-10-30",
        household: "H-3",
        commune: "00002",
        facts: &[],
        expected: [
            "basic_income_without_salary 60000, pension 100",
            "basic_income 60000, pension 100",
            "basic_income 60000",
        ],
    },
    Resident {
        name: "somebody who turns eighteen in December 2016",
        birth: "1998-12-24",
        household: "H-3",
        commune: "00002",
        facts: &[("salary", "5000")],
        expected: ["", "basic_income 60000", "basic_income 60000"],
    },
];

fn fill(registry: &Registry) -> BTreeMap<&'static str, PersonNumber> {
    let from = month("2016-01");
    let mut people = BTreeMap::new();
    let mut transaction = registry.begin_write(Author::new("clerk", "census"), AT).unwrap();
    for resident in &RESIDENTS {
        let birth: Date = resident.birth.parse().unwrap();
        let person = Person::new(resident.name, birth, Sex::Female)
            .household(resident.household.parse().unwrap())
            .commune(resident.commune.parse().unwrap())
            .from(from);
        let number = transaction.insert(&person).unwrap();
        for (attribute, value) in resident.facts {
            transaction.record(number, attribute, *value, from).unwrap();
        }
        people.insert(resident.name, number);
    }
    for (household, rent) in [("H-1", "90000"), ("H-2", "40000")] {
        let household = transaction.household(household.parse().unwrap()).unwrap();
        transaction.record(household, "rent", rent, from).unwrap();
    }
    transaction.commit().unwrap();
    people
}

fn run(registry: &Registry, in_month: Month) -> RunHeader {
    let request = RunRequest {
        status: RunStatus::Final,
        ..RunRequest::monthly(in_month)
    };
    match registry
        .run(&request, Author::new("treasury", "month"), AT, &|_, _| {})
        .unwrap()
    {
        RunAnswer::Created(header) => *header,
        RunAnswer::Exists(header) => panic!("run {} exists already", header.number),
    }
}

#[test]
fn a_registry_of_another_country_runs_its_months() {
    let folder = tempfile::tempdir().unwrap();
    let options = RegistryOptions {
        units: units(),
        ..RegistryOptions::default()
    };
    let path = folder.path().join("template.ansinh");
    let registry = Registry::create_with(&path, &pack(), AT, options).unwrap();
    let people = fill(&registry);
    for (at, in_month) in MONTHS.into_iter().enumerate() {
        let in_month = month(in_month);
        let header = run(&registry, in_month);
        assert_eq!(header.people, RESIDENTS.len() as u64);
        let view = registry.begin_read().unwrap();
        let (mut paid, mut held) = (0, 0);
        for resident in &RESIDENTS {
            let explained = view.explain(people[resident.name], in_month).unwrap();
            assert!(
                matches!(explained.determined, Determined::ByRun(_)),
                "{} in {in_month}: {:?}",
                resident.name,
                explained.determined
            );
            let mut lines = Vec::new();
            for line in &explained.outcome.lines {
                let programme = view.catalogue().programme_by_number(line.programme).unwrap();
                let held_mark = if line.kind == LineKind::Held { " held" } else { "" };
                lines.push(format!("{} {}{held_mark}", programme.name, line.amount.get()));
                match line.kind {
                    LineKind::Paid => paid += i128::from(line.amount.get()),
                    LineKind::Held => held += i128::from(line.amount.get()),
                    LineKind::Error => panic!("{} in {in_month}", resident.name),
                }
            }
            assert_eq!(
                lines.join(", "),
                resident.expected[at],
                "{} in {in_month}",
                resident.name
            );
        }
        assert_eq!((header.amount, header.amount_held), (paid, held), "{in_month}");
    }
    registry.close().unwrap();
}
