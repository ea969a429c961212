//! The boundaries of the law, through the registry: people are entered by operations, months are run, and the line
//! of the ledger is what the law says in the month before, in the month itself and in the month after.
//!
//! Every line that is asked for comes from a committed run, which is voided afterwards so that the month can be run
//! again. `explain` must agree with it, as long as the run stands and as what would be.

mod common;

use std::path::Path;

use ansinh::entitlement::{Determined, RunRequest, Scope, explain, outcomes, void};
use ansinh::gazetteer;
use ansinh::kernel::bulk::{BulkFact, BulkHousehold, BulkPerson, BulkValue};
use ansinh::kernel::catalogue::{SubjectKind, enrolment_attribute_name};
use ansinh::kernel::medium::MemoryMedium;
use ansinh::kernel::operation::{Answer, Decision, Destination, NewPerson, Operation, Subject};
use ansinh::kernel::units::UnitDeclaration;
use ansinh::kernel::{Store, StoreOptions};
use ansinh::policy::{Pack, Policy};
use ansinh::types::{
    BirthDate, Date, Dossier, HouseholdId, HouseholdNumber, Month, PersonNumber, ProvinceCode, Sequence, Sex,
    UnitNumber,
};

use common::{AT, attribute, author, begin, date, month, run, text};

/// The line of somebody who is not among the people of the month.
const NOBODY: &str = "not in scope";
/// The month in which communes and records begin, unless the person is born later: the first of the base level of
/// 500,000.
const BEGINNING: &str = "2024-07";

/// An especially difficult commune, and two that are not.
const DIFFICULT: UnitNumber = UnitNumber(1);
const PLAIN: UnitNumber = UnitNumber(2);
const OTHER: UnitNumber = UnitNumber(3);

/// How people come into the registry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Entry {
    /// By one operation after the other, so that facts are changes of a person that was there before.
    Operations,
    /// With all that holds since the record began, as by a bulk load: nothing has changed yet.
    Whole,
}

struct Scene {
    store: Store,
    policy: Policy,
    entry: Entry,
}

/// Communes of a province that has set no levels of its own.
fn units() -> Vec<UnitDeclaration> {
    let national: ProvinceCode = "40".parse().unwrap();
    let mut units: Vec<UnitDeclaration> = gazetteer::vietnam()
        .into_iter()
        .filter(|unit| unit.province == national)
        .take(3)
        .collect();
    for unit in &mut units {
        unit.from = month(BEGINNING);
        unit.names.truncate(1);
        unit.names[0].from = unit.from;
    }
    units
}

/// The month in which the record of somebody of this birth date begins.
fn beginning(birth: &str) -> Month {
    let birth: BirthDate = birth.parse().unwrap();
    month(BEGINNING).max(birth.earliest_month())
}

impl Scene {
    /// Registries that differ in how people come into them; what the law says is the same.
    fn each() -> [Self; 2] {
        [Entry::Operations, Entry::Whole].map(Self::with)
    }

    fn new() -> Self {
        Self::with(Entry::Operations)
    }

    fn with(entry: Entry) -> Self {
        let medium = Box::new(MemoryMedium::new());
        let store = Store::create_on(medium, Path::new("memory"), StoreOptions::default()).unwrap();
        let policy = begin(&store, &Pack::vietnam(), &units());
        let scene = Self { store, policy, entry };
        scene.record(DIFFICULT, "difficult", "true", BEGINNING);
        scene
    }

    /// Makes a change in a transaction of its own.
    fn apply(&self, operation: &Operation) -> Answer {
        let mut transaction = self.store.begin_write(author(), AT).unwrap();
        let answer = transaction.apply(operation).unwrap();
        assert!(answer.changed(), "{operation:?} changes nothing");
        transaction.commit().unwrap();
        answer
    }

    fn newest(&self) -> Sequence {
        self.store.begin_read().unwrap().newest()
    }

    fn new_household_id(&self) -> HouseholdId {
        let households = self.store.begin_read().unwrap().counts().unwrap().households;
        format!("H-{households}").parse().unwrap()
    }

    /// A person with a household of their own.
    fn person(&self, birth: &str, unit: UnitNumber) -> PersonNumber {
        let id = self.new_household_id();
        self.person_in(birth, Destination::NewHousehold(id, unit))
    }

    fn person_in(&self, birth: &str, lives: Destination) -> PersonNumber {
        let answer = self.apply(&Operation::InsertPerson(Box::new(NewPerson {
            identifier: None,
            birth: birth.parse().unwrap(),
            sex: Sex::Female,
            lives,
            from: beginning(birth),
            facts: Vec::new(),
            dossier: Dossier::default(),
        })));
        match answer {
            Answer::PersonCreated(person) => person,
            other => panic!("{other:?}"),
        }
    }

    fn household(&self, person: PersonNumber, in_month: &str) -> HouseholdNumber {
        let view = self.store.begin_read().unwrap();
        let state = view.person(person, month(in_month), Sequence::NEWEST).unwrap();
        state.unwrap().household.unwrap()
    }

    fn fact(&self, subject: Subject, name: &str, value: &str, from: &str, until: Option<&str>) {
        let kind = match subject {
            Subject::Person(_) => SubjectKind::Person,
            Subject::Household(_) => SubjectKind::Household,
            Subject::Commune(_) => SubjectKind::Commune,
        };
        let view = self.store.begin_read().unwrap();
        let attribute = attribute(view.catalogue(), kind, name);
        self.apply(&Operation::Record {
            subject,
            attribute: attribute.number,
            value: attribute.parse(value).unwrap(),
            from: month(from),
            until: until.map(month),
            document: "7/QĐ-UBND 2024-07-01".to_owned(),
        });
    }

    fn record(&self, subject: impl Into<Subject>, name: &str, value: &str, from: &str) {
        self.fact(subject.into(), name, value, from, None);
    }

    fn decide(&self, person: PersonNumber, programme: &str, decision: Decision, from: &str) {
        let view = self.store.begin_read().unwrap();
        self.apply(&Operation::Decide {
            person,
            programme: view.catalogue().programme(programme).unwrap().number,
            decision,
            from: month(from),
            document: "112/QĐ-UBND 2026-03-05".to_owned(),
        });
    }

    fn enrol(&self, person: PersonNumber, programme: &str, from: &str) {
        self.decide(person, programme, Decision::Enrol, from);
    }

    fn die(&self, person: PersonNumber, day: &str) {
        self.apply(&Operation::RecordDeath {
            person,
            date: date(day),
            document: String::new(),
        });
    }

    /// A person with a household of their own and with these facts and this enrolment since the record began.
    fn enter(
        &self,
        birth: &str,
        unit: UnitNumber,
        facts: &[(&str, &str)],
        poverty: Option<&str>,
        programme: &str,
    ) -> PersonNumber {
        if self.entry == Entry::Whole {
            return self.enter_whole(birth, unit, facts, poverty, programme);
        }
        let person = self.person(birth, unit);
        let from = beginning(birth).to_string();
        for (name, value) in facts {
            self.record(person, name, value, &from);
        }
        if let Some(poverty) = poverty {
            self.record(self.household(person, &from), "poverty", poverty, &from);
        }
        self.enrol(person, programme, &from);
        person
    }

    fn enter_whole(
        &self,
        birth: &str,
        unit: UnitNumber,
        facts: &[(&str, &str)],
        poverty: Option<&str>,
        programme: &str,
    ) -> PersonNumber {
        let view = self.store.begin_read().unwrap();
        let fact = |kind, name: &str, value: &str| {
            let attribute = attribute(view.catalogue(), kind, name);
            BulkFact {
                attribute: attribute.number,
                value: BulkValue::Value(attribute.parse(value).unwrap()),
                from: None,
                until: None,
                document: String::new(),
            }
        };
        let enrolment = enrolment_attribute_name(programme);
        let own = facts.iter().copied().chain([(enrolment.as_str(), "active")]);
        let person = BulkPerson {
            identifier: None,
            birth: birth.parse().unwrap(),
            sex: Sex::Female,
            from: beginning(birth),
            facts: own
                .map(|(name, value)| fact(SubjectKind::Person, name, value))
                .collect(),
            dossier: Dossier::default(),
            moves: Vec::new(),
        };
        let poverty = poverty.map(|poverty| fact(SubjectKind::Household, "poverty", poverty));
        let household = BulkHousehold {
            id: Some(self.new_household_id()),
            commune: view.unit(unit).unwrap().declared.code,
            from: beginning(birth),
            head: Some(0),
            facts: poverty.into_iter().collect(),
            people: vec![person],
            moves: Vec::new(),
        };
        let mut transaction = self.store.begin_write(author(), AT).unwrap();
        let entered = transaction.enter_household(&household).unwrap();
        transaction.commit().unwrap();
        entered.people[0]
    }

    /// An adult with a severe disability who has received the allowance since the record began.
    fn disabled(&self) -> PersonNumber {
        let facts = [("disability", "severe")];
        self.enter("1990-05-17", PLAIN, &facts, None, "disability")
    }

    /// A small child of a poor household in a unit, who receives the allowance of children under three.
    fn small_child(&self, unit: UnitNumber) -> PersonNumber {
        self.enter("2024-09-09", unit, &[], Some("poor"), "child_under_3")
    }

    /// An elderly person without support, of a poor household, who receives the allowance.
    fn elderly(&self) -> PersonNumber {
        let facts = [("without_support", "true")];
        self.enter("1961-02-03", PLAIN, &facts, Some("poor"), "elderly_poor")
    }

    /// Runs a month and reads the lines of these people: from the ledger, as explained by the run, and, when it is
    /// voided, as it would be. All must be the same.
    fn lines(&self, people: &[PersonNumber], request: &RunRequest) -> Vec<String> {
        let header = run(&self.store, &self.policy, request);
        let view = self.store.begin_read().unwrap();
        let known = header.data_as_of;
        let dictionary = outcomes(&view, &header).unwrap();
        let mut in_scope = 0;
        for person in view.people() {
            let state = view.person(person, request.month, known).unwrap();
            in_scope += u64::from(state.is_some_and(|state| state.present));
        }
        assert_eq!(header.people, in_scope, "people in scope of {}", request.month);
        let mut lines = Vec::new();
        for &person in people {
            let Some(code) = view.run_code(header.number, person).unwrap() else {
                lines.push(NOBODY.to_owned());
                continue;
            };
            let outcome = &dictionary[code as usize - 1];
            let by_run = explain(&view, &self.policy, person, request.month, None, Sequence::NEWEST).unwrap();
            assert!(
                matches!(&by_run.determined, Determined::ByRun(run) if run.number == header.number),
                "{person} in {}: {:?}",
                request.month,
                by_run.determined
            );
            assert_eq!(&by_run.outcome, outcome);
            assert_eq!(by_run.law_known_on, request.law_known_on);
            lines.push(text(view.catalogue(), outcome));
        }
        void(&self.store, request.month, Scope::Country, author(), AT).unwrap();
        let view = self.store.begin_read().unwrap();
        for (&person, line) in people.iter().zip(&lines).filter(|(_, line)| *line != NOBODY) {
            let law = Some(request.law_known_on);
            let would_be = explain(&view, &self.policy, person, request.month, law, known).unwrap();
            assert!(matches!(would_be.determined, Determined::WouldBe));
            assert_eq!(&text(view.catalogue(), &would_be.outcome), line);
        }
        lines
    }

    fn line(&self, person: PersonNumber, in_month: &str) -> String {
        self.line_known_at(person, in_month, Sequence::NEWEST)
    }

    fn line_known_at(&self, person: PersonNumber, in_month: &str, data_as_of: Sequence) -> String {
        let request = RunRequest {
            data_as_of,
            ..RunRequest::monthly(month(in_month))
        };
        self.lines(&[person], &request).remove(0)
    }

    /// The line of each month.
    #[track_caller]
    fn assert(&self, person: PersonNumber, expected: &[(&str, &str)]) {
        for (in_month, line) in expected {
            assert_eq!(self.line(person, in_month), *line, "{person} in {in_month}");
        }
    }
}

/// A birthday, and the line in the month before it, in its month and in the month after.
struct Birthday {
    years: i32,
    programme: &'static str,
    facts: &'static [(&'static str, &'static str)],
    poverty: &'static str,
    lines: [&'static str; 3],
}

const LOST_5_7: &str = "zero no_longer_qualifies child_under_3";
const LOST_5_1: &str = "zero no_longer_qualifies child_without_care";
const BIRTHDAYS: [Birthday; 13] = [
    Birthday {
        years: 3,
        programme: "child_under_3",
        facts: &[],
        poverty: "near_poor",
        lines: [
            "paid child_under_3 750000",
            "paid child_under_3 750000 (month before)",
            LOST_5_7,
        ],
    },
    Birthday {
        years: 4,
        programme: "child_without_care",
        facts: &[("care", "orphan_both")],
        poverty: "not_poor",
        lines: [
            "paid child_without_care 1250000",
            "paid child_without_care 750000",
            "paid child_without_care 750000",
        ],
    },
    Birthday {
        years: 16,
        programme: "child_without_care",
        facts: &[("care", "abandoned")],
        poverty: "poor",
        lines: [
            "paid child_without_care 750000",
            "paid child_without_care 750000 (month before)",
            LOST_5_1,
        ],
    },
    Birthday {
        years: 16,
        programme: "disability",
        facts: &[("disability", "severe")],
        poverty: "not_poor",
        lines: [
            "paid disability 1000000",
            "paid disability 750000",
            "paid disability 750000",
        ],
    },
    Birthday {
        years: 16,
        programme: "disability",
        facts: &[("disability", "extremely_severe")],
        poverty: "not_poor",
        lines: [
            "paid disability 1250000",
            "paid disability 1000000",
            "paid disability 1000000",
        ],
    },
    Birthday {
        years: 60,
        programme: "disability",
        facts: &[("disability", "severe")],
        poverty: "not_poor",
        lines: [
            "paid disability 750000",
            "paid disability 1000000",
            "paid disability 1000000",
        ],
    },
    Birthday {
        years: 60,
        programme: "disability",
        facts: &[("disability", "extremely_severe")],
        poverty: "not_poor",
        lines: [
            "paid disability 1000000",
            "paid disability 1250000",
            "paid disability 1250000",
        ],
    },
    Birthday {
        years: 60,
        programme: "elderly_poor",
        facts: &[("without_support", "true")],
        poverty: "poor",
        lines: [
            "zero no_longer_qualifies elderly_poor",
            "paid elderly_poor 750000",
            "paid elderly_poor 750000",
        ],
    },
    Birthday {
        years: 70,
        programme: "social_pension",
        facts: &[],
        poverty: "poor",
        lines: [
            "zero no_longer_qualifies social_pension",
            "paid social_pension 500000",
            "paid social_pension 500000",
        ],
    },
    Birthday {
        years: 70,
        programme: "social_pension",
        facts: &[],
        poverty: "not_poor",
        lines: ["zero no_longer_qualifies social_pension"; 3],
    },
    Birthday {
        years: 75,
        programme: "social_pension",
        facts: &[],
        poverty: "not_poor",
        lines: [
            "zero no_longer_qualifies social_pension",
            "paid social_pension 500000",
            "paid social_pension 500000",
        ],
    },
    Birthday {
        years: 80,
        programme: "elderly_poor",
        facts: &[("without_support", "true")],
        poverty: "poor",
        lines: [
            "paid elderly_poor 750000",
            "paid elderly_poor 1000000",
            "paid elderly_poor 1000000",
        ],
    },
    // Since July 2025 no right begins or ends at eighty for the social pension.
    Birthday {
        years: 80,
        programme: "social_pension",
        facts: &[],
        poverty: "not_poor",
        lines: ["paid social_pension 500000"; 3],
    },
];

impl Birthday {
    /// A person whose birth date is `born` of the right year.
    fn enter(&self, scene: &Scene, year: i32, born: &str) -> PersonNumber {
        let birth = format!("{}{born}", year - self.years);
        scene.enter(&birth, DIFFICULT, self.facts, Some(self.poverty), self.programme)
    }
}

fn assert_birthdays(year: i32, births: &[&str], months: [&str; 3]) {
    for scene in Scene::each() {
        let mut people = Vec::new();
        let mut expected = Vec::new();
        for birthday in &BIRTHDAYS {
            for born in births {
                people.push(birthday.enter(&scene, year, born));
                let what = format!("{} at {} born {born:?}", birthday.programme, birthday.years);
                expected.push((what, birthday.lines));
            }
        }
        for (place, in_month) in months.into_iter().enumerate() {
            let lines = scene.lines(&people, &RunRequest::monthly(month(in_month)));
            for ((what, expected), line) in expected.iter().zip(lines) {
                assert_eq!(line, expected[place], "{what}, in {in_month}, {:?}", scene.entry);
            }
        }
    }
}

#[test]
fn a_birthday_counts_from_its_month_whatever_the_day_and_without_a_day() {
    assert_birthdays(
        2026,
        &["-05-01", "-05-31", "-05"],
        ["2026-04", "2026-05", "2026-06"],
    );
}

#[test]
fn a_birth_date_without_month_counts_as_january() {
    assert_birthdays(2026, &[""], ["2025-12", "2026-01", "2026-02"]);
}

#[test]
fn a_birthday_on_the_leap_day_counts_from_february() {
    let scene = Scene::new();
    let person = scene.person("1956-02-29", PLAIN);
    scene.record(
        scene.household(person, BEGINNING),
        "poverty",
        "near_poor",
        BEGINNING,
    );
    scene.enrol(person, "social_pension", BEGINNING);
    scene.assert(
        person,
        &[
            ("2026-01", "zero no_longer_qualifies social_pension"),
            ("2026-02", "paid social_pension 500000"),
        ],
    );
}

#[test]
fn a_right_begins_with_the_month_of_the_decision() {
    let scene = Scene::new();
    let person = scene.person("1951-03-31", PLAIN);
    scene.enrol(person, "social_pension", "2026-05");
    scene.assert(
        person,
        &[
            ("2026-02", "zero no_programme"),
            ("2026-03", "zero not_enrolled social_pension"),
            ("2026-04", "zero not_enrolled social_pension"),
            ("2026-05", "paid social_pension 500000"),
            ("2026-06", "paid social_pension 500000"),
        ],
    );
}

#[test]
fn the_social_pension_begins_with_july_2025() {
    let scene = Scene::new();
    let person = scene.person("1940-01-01", PLAIN);
    scene.enrol(person, "social_pension", BEGINNING);
    scene.assert(
        person,
        &[
            ("2025-06", "zero not_enrolled elderly_80"),
            ("2025-07", "paid social_pension 500000"),
            ("2025-08", "paid social_pension 500000"),
        ],
    );
}

#[test]
fn a_newborn_is_in_scope_from_the_month_of_birth() {
    let scene = Scene::new();
    let child = scene.person("2026-06-29", DIFFICULT);
    scene.record(scene.household(child, "2026-06"), "poverty", "poor", "2026-06");
    scene.enrol(child, "child_under_3", "2026-06");
    scene.assert(
        child,
        &[
            ("2026-05", NOBODY),
            ("2026-06", "paid child_under_3 750000"),
            ("2026-07", "paid child_under_3 750000"),
        ],
    );
    let within = scene.person("2026-06-03", DIFFICULT);
    scene.die(within, "2026-06-20");
    scene.assert(
        within,
        &[
            ("2026-05", NOBODY),
            ("2026-06", "zero no_programme"),
            ("2026-07", NOBODY),
        ],
    );
}

/// What was granted in the month of a death is owed for it, with the funeral; an end because of the death takes nothing.
#[test]
fn what_is_granted_in_the_month_of_a_death_counts() {
    for scene in Scene::each() {
        let granted = scene.person("1990-05-17", PLAIN);
        scene.record(granted, "disability", "severe", BEGINNING);
        scene.enrol(granted, "disability", "2026-05");
        scene.die(granted, "2026-05-20");
        let paid = "paid disability 750000 + paid funeral 10000000";
        scene.assert(
            granted,
            &[
                ("2026-04", "zero not_enrolled disability"),
                ("2026-05", paid),
                ("2026-06", NOBODY),
            ],
        );
        let ended = scene.disabled();
        scene.die(ended, "2026-05-20");
        scene.decide(ended, "disability", Decision::End, "2026-05");
        let by_the_month_before =
            "paid disability 750000 (month before) + paid funeral 10000000 (month before)";
        scene.assert(ended, &[("2026-05", by_the_month_before), ("2026-06", NOBODY)]);
    }
}

/// Three years in the first month of the record: there is no month before by which that month could be paid.
#[test]
fn a_record_counts_from_its_first_month_and_not_before() {
    for scene in Scene::each() {
        let enter = |birth| scene.enter(birth, DIFFICULT, &[], Some("poor"), "child_under_3");
        let (first, second) = (enter("2021-07-15"), enter("2021-08-15"));
        let lost = "zero no_longer_qualifies child_under_3";
        scene.assert(
            first,
            &[("2024-06", NOBODY), ("2024-07", lost), ("2024-08", lost)],
        );
        scene.assert(
            second,
            &[
                ("2024-06", NOBODY),
                ("2024-07", "paid child_under_3 750000"),
                ("2024-08", "paid child_under_3 750000 (month before)"),
                ("2024-09", lost),
            ],
        );
    }
}

#[test]
fn a_fact_that_is_recorded_now_and_holds_from_next_month_counts_from_then() {
    let scene = Scene::new();
    let person = scene.person("1990-05-17", PLAIN);
    scene.enrol(person, "disability", BEGINNING);
    assert_eq!(
        scene.line(person, "2026-06"),
        "zero no_longer_qualifies disability"
    );
    scene.record(person, "disability", "severe", "2026-07");
    scene.assert(
        person,
        &[
            ("2026-06", "zero no_longer_qualifies disability"),
            ("2026-07", "paid disability 750000"),
            ("2026-08", "paid disability 750000"),
        ],
    );
}

#[test]
fn a_condition_lost_in_the_month_still_pays_it_in_full() {
    for scene in Scene::each() {
        let lighter = scene.disabled();
        scene.record(lighter, "disability", "light", "2026-05");
        scene.assert(
            lighter,
            &[
                ("2026-04", "paid disability 750000"),
                ("2026-05", "paid disability 750000 (month before)"),
                ("2026-06", "zero no_longer_qualifies disability"),
            ],
        );
        let richer = scene.elderly();
        scene.record(
            scene.household(richer, "2026-05"),
            "poverty",
            "not_poor",
            "2026-05",
        );
        scene.assert(
            richer,
            &[
                ("2026-04", "paid elderly_poor 750000"),
                ("2026-05", "paid elderly_poor 750000 (month before)"),
                ("2026-06", "zero no_longer_qualifies elderly_poor"),
            ],
        );
        let pensioner = scene.disabled();
        scene.record(pensioner, "pension", "pension", "2026-05");
        scene.assert(
            pensioner,
            &[
                ("2026-05", "paid disability 750000 (month before)"),
                ("2026-06", "zero excluded disability"),
            ],
        );
    }
}

#[test]
fn a_changed_degree_counts_from_its_month() {
    for scene in Scene::each() {
        let (up, down) = (scene.disabled(), scene.disabled());
        scene.record(up, "disability", "extremely_severe", "2026-05");
        scene.record(down, "disability", "extremely_severe", "2025-09");
        scene.record(down, "disability", "severe", "2026-05");
        scene.assert(
            up,
            &[
                ("2026-04", "paid disability 750000"),
                ("2026-05", "paid disability 1000000"),
            ],
        );
        scene.assert(
            down,
            &[
                ("2025-08", "paid disability 750000"),
                ("2025-09", "paid disability 1000000"),
                ("2026-04", "paid disability 1000000"),
                ("2026-05", "paid disability 750000"),
            ],
        );
    }
}

#[test]
fn a_review_of_poverty_that_ran_out_holds_the_amount_from_the_second_month() {
    let scene = Scene::new();
    let person = scene.person("1961-02-03", PLAIN);
    scene.record(person, "without_support", "true", BEGINNING);
    let household = scene.household(person, BEGINNING);
    scene.fact(household.into(), "poverty", "poor", BEGINNING, Some("2025-12"));
    scene.enrol(person, "elderly_poor", BEGINNING);
    scene.assert(
        person,
        &[
            ("2025-12", "paid elderly_poor 750000"),
            ("2026-01", "paid elderly_poor 750000 (month before)"),
            ("2026-02", "held elderly_poor 750000"),
        ],
    );
    scene.record(household, "poverty", "poor", "2026-01");
    scene.assert(
        person,
        &[
            ("2026-01", "paid elderly_poor 750000"),
            ("2026-02", "paid elderly_poor 750000"),
        ],
    );
}

#[test]
fn the_month_of_death_is_paid_in_full_and_no_more() {
    for scene in Scene::each() {
        for day in ["2026-05-01", "2026-05-31"] {
            let person = scene.disabled();
            scene.die(person, day);
            scene.assert(
                person,
                &[
                    ("2026-04", "paid disability 750000"),
                    ("2026-05", "paid disability 750000 + paid funeral 10000000"),
                    ("2026-06", NOBODY),
                ],
            );
        }
        let mistaken = scene.disabled();
        scene.die(mistaken, "2026-05-09");
        scene.apply(&Operation::RetractDeath { person: mistaken });
        scene.assert(
            mistaken,
            &[
                ("2026-05", "paid disability 750000"),
                ("2026-06", "paid disability 750000"),
            ],
        );
    }
}

#[test]
fn an_enrolment_is_suspended_at_once_resumed_at_once_and_ended_after_the_month() {
    let scene = Scene::new();
    let person = scene.person("1990-05-17", PLAIN);
    scene.record(person, "disability", "severe", BEGINNING);
    for (decision, from) in [
        (Decision::Enrol, "2025-10"),
        (Decision::Suspend, "2025-12"),
        (Decision::Resume, "2026-02"),
        (Decision::End, "2026-04"),
    ] {
        scene.decide(person, "disability", decision, from);
    }
    scene.assert(
        person,
        &[
            ("2025-09", "zero not_enrolled disability"),
            ("2025-10", "paid disability 750000"),
            ("2025-11", "paid disability 750000"),
            ("2025-12", "zero suspended disability"),
            ("2026-01", "zero suspended disability"),
            ("2026-02", "paid disability 750000"),
            ("2026-03", "paid disability 750000"),
            ("2026-04", "paid disability 750000 (month before)"),
            ("2026-05", "zero not_enrolled disability"),
        ],
    );
    scene.enrol(person, "disability", "2026-05");
    assert_eq!(scene.line(person, "2026-05"), "paid disability 750000");
}

/// The unit in whose totals the only person who is paid stands.
fn paying_unit(scene: &Scene, in_month: &str) -> UnitNumber {
    let view = scene.store.begin_read().unwrap();
    let request = RunRequest::monthly(month(in_month));
    let prepared = common::prepared(&view, &scene.policy, &request);
    let mut paying = prepared
        .totals
        .iter()
        .filter(|(_, totals)| totals.status.paid > 0);
    let (unit, totals) = paying.next().unwrap();
    assert_eq!(totals.status.paid, 1);
    assert!(paying.next().is_none());
    *unit
}

#[test]
fn who_leaves_a_difficult_commune_in_the_month_is_still_paid_where_they_live_now() {
    let moves: [fn(&Scene, PersonNumber); 3] = [
        |scene, person| {
            let household = scene.household(person, "2026-05");
            let (unit, from) = (PLAIN, month("2026-05"));
            scene.apply(&Operation::MoveHousehold {
                household,
                unit,
                from,
            });
        },
        |scene, person| {
            let to = Destination::NewHousehold("H-NEW".parse().unwrap(), PLAIN);
            let from = month("2026-05");
            scene.apply(&Operation::MovePerson { person, to, from });
            scene.record(scene.household(person, "2026-05"), "poverty", "poor", "2026-05");
        },
        |scene, _| {
            scene.apply(&Operation::EndUnit {
                unit: DIFFICULT,
                last: month("2026-04"),
                successor: Some(PLAIN),
            });
        },
    ];
    for leave in moves {
        for scene in Scene::each() {
            let child = scene.small_child(DIFFICULT);
            leave(&scene, child);
            scene.assert(
                child,
                &[
                    ("2026-04", "paid child_under_3 750000"),
                    ("2026-05", "paid child_under_3 750000 (month before)"),
                    ("2026-06", "zero no_longer_qualifies child_under_3"),
                ],
            );
            assert_eq!(paying_unit(&scene, "2026-04"), DIFFICULT);
            assert_eq!(paying_unit(&scene, "2026-05"), PLAIN);
        }
    }
}

#[test]
fn who_comes_to_a_difficult_commune_is_paid_from_that_month() {
    for scene in Scene::each() {
        let child = scene.small_child(OTHER);
        let household = scene.household(child, "2026-05");
        scene.apply(&Operation::MoveHousehold {
            household,
            unit: DIFFICULT,
            from: month("2026-05"),
        });
        scene.assert(
            child,
            &[
                ("2026-04", "zero no_longer_qualifies child_under_3"),
                ("2026-05", "paid child_under_3 750000"),
            ],
        );
        // A move onward and back within one month leaves what was.
        scene.apply(&Operation::MoveHousehold {
            household,
            unit: PLAIN,
            from: month("2026-06"),
        });
        scene.apply(&Operation::MoveHousehold {
            household,
            unit: DIFFICULT,
            from: month("2026-06"),
        });
        scene.assert(child, &[("2026-06", "paid child_under_3 750000")]);
    }
}

#[test]
fn a_commune_that_is_no_longer_difficult_pays_its_last_month() {
    for scene in Scene::each() {
        let child = scene.small_child(DIFFICULT);
        scene.record(DIFFICULT, "difficult", "false", "2026-05");
        scene.assert(
            child,
            &[
                ("2026-04", "paid child_under_3 750000"),
                ("2026-05", "paid child_under_3 750000 (month before)"),
                ("2026-06", "zero no_longer_qualifies child_under_3"),
            ],
        );
    }
}

#[test]
fn both_halves_of_a_split_household_keep_its_poverty_until_they_are_reviewed() {
    for scene in Scene::each() {
        let stays = scene.elderly();
        let old = scene.household(stays, BEGINNING);
        let leaves = scene.person_in("1960-11-11", Destination::Household(old));
        scene.record(leaves, "without_support", "true", BEGINNING);
        scene.enrol(leaves, "elderly_poor", BEGINNING);
        scene.apply(&Operation::SplitHousehold {
            household: old,
            members: vec![leaves],
            id: "H-NEW".parse().unwrap(),
            head: Some(leaves),
            from: month("2026-03"),
        });
        let new = scene.household(leaves, "2026-03");
        assert_ne!(new, old);
        scene.record(new, "poverty", "near_poor", "2026-05");
        for in_month in ["2026-02", "2026-03", "2026-04", "2026-05", "2026-06"] {
            assert_eq!(
                scene.line(stays, in_month),
                "paid elderly_poor 750000",
                "{in_month}"
            );
        }
        scene.assert(
            leaves,
            &[
                ("2026-02", "paid elderly_poor 750000"),
                ("2026-03", "paid elderly_poor 750000"),
                ("2026-04", "paid elderly_poor 750000"),
                ("2026-05", "paid elderly_poor 750000 (month before)"),
                ("2026-06", "zero no_longer_qualifies elderly_poor"),
            ],
        );
    }
}

#[test]
fn who_joins_a_household_that_is_not_poor_is_paid_the_month_and_no_more() {
    for scene in Scene::each() {
        let person = scene.elderly();
        let host = scene.person("1985-01-01", PLAIN);
        scene.apply(&Operation::MergeHouseholds {
            household: scene.household(person, BEGINNING),
            into: scene.household(host, BEGINNING),
            from: month("2026-05"),
        });
        scene.assert(
            person,
            &[
                ("2026-04", "paid elderly_poor 750000"),
                ("2026-05", "paid elderly_poor 750000 (month before)"),
                ("2026-06", "zero no_longer_qualifies elderly_poor"),
            ],
        );
    }
}

#[test]
fn merged_and_erroneous_records_leave_every_later_run() {
    for scene in Scene::each() {
        let (stays, duplicate, error) = (scene.disabled(), scene.disabled(), scene.disabled());
        let before = scene.newest();
        let april = RunRequest::monthly(month("2026-04"));
        let run_before = run(&scene.store, &scene.policy, &april);
        scene.apply(&Operation::MergePerson {
            duplicate,
            into: stays,
        });
        scene.apply(&Operation::MarkEnteredInError { person: error });
        let paid = "paid disability 750000";
        for in_month in ["2026-03", "2026-05"] {
            assert_eq!(scene.line(stays, in_month), paid);
            assert_eq!(scene.line(duplicate, in_month), NOBODY);
            assert_eq!(scene.line(error, in_month), NOBODY);
            // By what was known then, all three were people.
            assert_eq!(scene.line_known_at(duplicate, in_month, before), paid);
            assert_eq!(scene.line_known_at(error, in_month, before), paid);
        }
        // The run that was made before goes on saying what it determined.
        let view = scene.store.begin_read().unwrap();
        assert_eq!(run_before.people, 3);
        for person in [stays, duplicate, error] {
            let then = explain(&view, &scene.policy, person, april.month, None, Sequence::NEWEST).unwrap();
            assert!(matches!(then.determined, Determined::ByRun(_)));
            assert_eq!(text(view.catalogue(), &then.outcome), paid);
        }
    }
}

/// A reference to a record that was merged leads to the one that stands for it, through any number of mergers: two
/// children are due 500,000 each, whichever record of their mother they name.
#[test]
fn children_of_records_that_were_merged_one_after_the_other_count() {
    for scene in Scene::each() {
        let mother = || scene.person("1990-05-17", PLAIN);
        let (stays, between, first) = (mother(), mother(), mother());
        scene.record(stays, "single_parent", "true", BEGINNING);
        let household = scene.household(stays, BEGINNING);
        scene.record(household, "poverty", "poor", BEGINNING);
        scene.enrol(stays, "single_parent", BEGINNING);
        for guardian in [first, between] {
            let child = scene.person("2020-03-01", PLAIN);
            let view = scene.store.begin_read().unwrap();
            let attribute = attribute(view.catalogue(), SubjectKind::Person, "guardian").number;
            scene.apply(&Operation::Record {
                subject: child.into(),
                attribute,
                value: ansinh::types::Value::Person(guardian),
                from: month(BEGINNING),
                until: None,
                document: String::new(),
            });
        }
        for (duplicate, into) in [(first, between), (between, stays)] {
            scene.apply(&Operation::MergePerson { duplicate, into });
        }
        let paid = "paid single_parent 500000 + paid single_parent_second 500000";
        scene.assert(stays, &[("2026-05", paid), ("2026-06", paid)]);
    }
}

#[test]
fn what_is_recorded_late_counts_for_runs_by_the_data_known_then() {
    for scene in Scene::each() {
        let person = scene.person("1990-05-17", PLAIN);
        scene.enrol(person, "disability", BEGINNING);
        let dead = scene.disabled();
        let born = scene.person("1961-12-12", PLAIN);
        scene.enrol(born, "social_pension", BEGINNING);
        let before = scene.newest();
        scene.record(person, "disability", "severe", "2026-02");
        scene.die(dead, "2026-02-14");
        scene.apply(&Operation::CorrectBirth {
            person: born,
            birth: "1951-02-12".parse().unwrap(),
        });
        let after = scene.newest();
        let view = scene.store.begin_read().unwrap();
        let disability = attribute(view.catalogue(), SubjectKind::Person, "disability").number;
        scene.apply(&Operation::Retract {
            subject: person.into(),
            attribute: disability,
            from: month("2026-02"),
        });
        scene.apply(&Operation::RetractDeath { person: dead });
        let (none, paid) = ("zero no_longer_qualifies disability", "paid disability 750000");
        for (in_month, known, own, dying, older) in [
            (
                "2026-01",
                before,
                none,
                paid,
                "zero no_longer_qualifies social_pension",
            ),
            (
                "2026-02",
                before,
                none,
                paid,
                "zero no_longer_qualifies social_pension",
            ),
            (
                "2026-03",
                before,
                none,
                paid,
                "zero no_longer_qualifies social_pension",
            ),
            (
                "2026-01",
                after,
                none,
                paid,
                "zero no_longer_qualifies social_pension",
            ),
            (
                "2026-02",
                after,
                paid,
                "paid disability 750000 + paid funeral 10000000",
                "paid social_pension 500000",
            ),
            ("2026-03", after, paid, NOBODY, "paid social_pension 500000"),
            (
                "2026-02",
                Sequence::NEWEST,
                none,
                paid,
                "paid social_pension 500000",
            ),
            (
                "2026-03",
                Sequence::NEWEST,
                none,
                paid,
                "paid social_pension 500000",
            ),
        ] {
            let request = RunRequest {
                data_as_of: known,
                ..RunRequest::monthly(month(in_month))
            };
            let lines = scene.lines(&[person, dead, born], &request);
            assert_eq!(lines, [own, dying, older], "{in_month} as known at {known}");
        }
    }
}

#[test]
fn months_from_july_2026_are_by_the_law_known_on_the_day() {
    for scene in Scene::each() {
        let disabled = scene.disabled();
        let pensioner = scene.person("1940-01-01", PLAIN);
        scene.enrol(pensioner, "social_pension", "2025-07");
        let (old, new) = (
            ["paid disability 750000", "paid social_pension 500000"],
            ["paid disability 810000", "paid social_pension 540000"],
        );
        for (in_month, known_on, expected) in [
            ("2026-08", "2026-08-10", old),
            ("2026-08", "2026-10-10", new),
            ("2026-08", "2026-10-04", old),
            ("2026-08", "2026-10-05", new),
            ("2026-07", "2026-07-31", old),
            ("2026-07", "2026-10-05", new),
            ("2026-06", "2026-10-10", old),
        ] {
            let request = RunRequest {
                law_known_on: date(known_on),
                ..RunRequest::monthly(month(in_month))
            };
            let lines = scene.lines(&[disabled, pensioner], &request);
            assert_eq!(lines, expected, "{in_month} by the law known on {known_on}");
        }
        let last: Date = RunRequest::monthly(month("2026-10")).law_known_on;
        assert_eq!(last, date("2026-10-31"));
        assert_eq!(scene.line(disabled, "2026-09"), old[0]);
        assert_eq!(scene.line(disabled, "2026-10"), new[0]);
    }
}

#[test]
fn the_higher_of_two_is_paid_and_the_lower_takes_its_place_when_that_ends() {
    for scene in Scene::each() {
        let person = scene.disabled();
        let birth = "1950-01-01".parse().unwrap();
        scene.apply(&Operation::CorrectBirth { person, birth });
        scene.enrol(person, "social_pension", "2025-07");
        scene.record(person, "disability", "none", "2026-05");
        scene.assert(
            person,
            &[
                ("2026-04", "paid disability 1000000"),
                ("2026-05", "paid disability 1000000 (month before)"),
                ("2026-06", "paid social_pension 500000"),
            ],
        );
    }
}

#[test]
fn who_lives_nowhere_is_not_in_scope() {
    for scene in Scene::each() {
        let person = scene.disabled();
        scene.apply(&Operation::MovePerson {
            person,
            to: Destination::Away,
            from: month("2026-05"),
        });
        scene.apply(&Operation::MovePerson {
            person,
            to: Destination::Unit(OTHER),
            from: month("2026-07"),
        });
        scene.assert(
            person,
            &[
                ("2026-04", "paid disability 750000"),
                ("2026-05", NOBODY),
                ("2026-06", NOBODY),
                ("2026-07", "paid disability 750000"),
            ],
        );
    }
}
