//! Random registries go out and come in again.

use ansinh::kernel::WriteError;
use ansinh::kernel::catalogue::{Attribute, SubjectKind, ValueKind};
use ansinh::kernel::operation::{Answer, Decision, Destination, Operation, Refusal, Subject};
use ansinh::kernel::{Author, View, WriteTransaction};
use ansinh::types::{
    Date, Dong, Dossier, HouseholdNumber, Identifier, Month, PersonNumber, PersonalId, ProgrammeNumber,
    Sequence, Sex, UnitNumber, Value,
};
use proptest::prelude::*;

use crate::same::{assert_same, month, months};
use crate::{Registry, UNITS, instant, options};

const CASES: u32 = 4;
/// Transactions on top of a synthetic population, and changes in each.
const TURNS: usize = 3;
const CHANGES: usize = 220;
const DOCUMENTS: [&str; 5] = ["", "112/QĐ-UBND 2026-03-05", "a; b [c] \\ d", "]", "\\;[ "];

struct Dice(u64);

impl Dice {
    /// A number below `count`; splitmix64.
    fn below(&mut self, count: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % count as u64) as usize
    }

    fn person(&mut self, view: &View) -> PersonNumber {
        // Few people, so that changes meet.
        let people = view.counts().unwrap().people.min(60) as usize;
        PersonNumber(self.below(people) as u32 + 1)
    }

    fn household(&mut self, view: &View) -> HouseholdNumber {
        let households = view.counts().unwrap().households.min(20) as usize;
        HouseholdNumber(self.below(households.max(1)) as u32 + 1)
    }

    fn unit(&mut self) -> UnitNumber {
        UnitNumber(self.below(UNITS) as u16 + 1)
    }

    fn month(&mut self) -> Month {
        month("2025-05").plus(self.below(20) as i32).unwrap()
    }

    fn document(&mut self) -> String {
        DOCUMENTS[self.below(DOCUMENTS.len())].to_owned()
    }

    fn value(&mut self, view: &View, attribute: &Attribute) -> Value {
        if self.below(12) == 0 {
            return Value::Unknown;
        }
        match attribute.kind {
            ValueKind::Bool => Value::Bool(self.below(2) == 0),
            ValueKind::Enum => Value::Enum(attribute.values[self.below(attribute.values.len())].number),
            ValueKind::Integer { min, max } => {
                Value::Integer(min + self.below((max - min).min(100) as usize + 1) as i64)
            }
            ValueKind::Date => Value::Date("2026-02-28".parse::<Date>().unwrap()),
            ValueKind::Money => Value::Money(Dong::new(self.below(1_000_000) as i64)),
            ValueKind::Person => Value::Person(self.person(view)),
        }
    }

    fn subject(&mut self, view: &View) -> (Subject, SubjectKind) {
        match self.below(8) {
            0 => (Subject::Commune(self.unit()), SubjectKind::Commune),
            1 | 2 => (Subject::Household(self.household(view)), SubjectKind::Household),
            _ => (Subject::Person(self.person(view)), SubjectKind::Person),
        }
    }

    fn destination(&mut self, view: &View) -> Destination {
        match self.below(6) {
            0 => Destination::Away,
            1 => Destination::Unit(self.unit()),
            2 => Destination::NewHousehold(self.household_id(), self.unit()),
            _ => Destination::Household(self.household(view)),
        }
    }

    fn household_id(&mut self) -> ansinh::types::HouseholdId {
        format!("NEW-{}", self.below(40)).parse().unwrap()
    }

    fn operation(&mut self, view: &View) -> Operation {
        let (person, from) = (self.person(view), self.month());
        match self.below(26) {
            0..=8 => self.fact(view),
            9 => {
                let date = Date::new(from, self.below(28) as u8 + 1).unwrap();
                let document = self.document();
                Operation::RecordDeath {
                    person,
                    date,
                    document,
                }
            }
            10 => Operation::RetractDeath { person },
            11 | 12 => Operation::MovePerson {
                person,
                to: self.destination(view),
                from,
            },
            13 => Operation::MoveHousehold {
                household: self.household(view),
                unit: self.unit(),
                from,
            },
            14 => {
                let household = self.household(view);
                let state = view.household(household, from, Sequence::NEWEST).unwrap();
                let mut members = state.map_or_else(Vec::new, |state| state.members);
                members.truncate(2);
                let head = members.first().copied().filter(|_| self.below(2) == 0);
                Operation::SplitHousehold {
                    household,
                    members,
                    id: self.household_id(),
                    head,
                    from,
                }
            }
            15 => Operation::MergeHouseholds {
                household: self.household(view),
                into: self.household(view),
                from,
            },
            16 | 17 => {
                let household = self.household(view);
                let state = view.household(household, from, Sequence::NEWEST).unwrap();
                let members = state.map_or_else(Vec::new, |state| state.members);
                let head = members.get(self.below(members.len().max(1))).copied();
                Operation::ChangeHead {
                    household,
                    head: head.unwrap_or(person),
                    from,
                }
            }
            18 | 19 => {
                let id = PersonalId::from_number(500_000_000_000 + self.below(30) as u64).unwrap();
                Operation::AssignIdentifier {
                    person,
                    identifier: Identifier::Personal(id),
                }
            }
            20 => Operation::CorrectSex {
                person,
                sex: [Sex::Male, Sex::Female][self.below(2)],
            },
            21 => {
                let births = ["1950-03-17", "1971", "2008-02"];
                Operation::CorrectBirth {
                    person,
                    birth: births[self.below(3)].parse().unwrap(),
                }
            }
            22 => Operation::CorrectDossier {
                person,
                dossier: Dossier {
                    name: "Nguyễn \"Văn\", An ".to_owned(),
                    address: "thôn 1\nxóm 2".to_owned(),
                    account: " ;12".to_owned(),
                    documents: Vec::new(),
                },
            },
            23 => Operation::MarkEnteredInError { person },
            24 => Operation::MergePerson {
                duplicate: person,
                into: self.person(view),
            },
            _ => {
                let programmes = view.catalogue().programmes().count();
                let decisions = [
                    Decision::Enrol,
                    Decision::Suspend,
                    Decision::Resume,
                    Decision::End,
                ];
                Operation::Decide {
                    person,
                    programme: ProgrammeNumber(self.below(programmes) as u16 + 1),
                    decision: decisions[self.below(4)],
                    from,
                    document: self.document(),
                }
            }
        }
    }

    fn fact(&mut self, view: &View) -> Operation {
        let (subject, kind) = self.subject(view);
        let attributes: Vec<&Attribute> = view
            .catalogue()
            .attributes()
            .filter(|attribute| attribute.subject == kind && !attribute.retired)
            .collect();
        let attribute = attributes[self.below(attributes.len())];
        let from = self.month();
        let until = (self.below(3) == 0).then(|| from.plus(self.below(6) as i32).unwrap());
        match self.below(6) {
            0 => Operation::Retract {
                subject,
                attribute: attribute.number,
                from,
            },
            1 => Operation::EndFact {
                subject,
                attribute: attribute.number,
                last: from,
            },
            _ => Operation::Record {
                subject,
                attribute: attribute.number,
                value: self.value(view, attribute),
                from,
                until,
                document: self.document(),
            },
        }
    }
}

/// Makes a change, unless the registry refuses it. Tells whether it was made.
fn attempt(transaction: &mut WriteTransaction<'_>, operation: &Operation) -> bool {
    match transaction.apply(operation) {
        Ok(answer) => answer != Answer::Unchanged,
        Err(WriteError::Refused(Refusal::Limit { .. })) => panic!("a limit"),
        Err(WriteError::Refused(_)) => false,
        Err(error) => panic!("{error}"),
    }
}

/// A population with random changes on top.
fn changed(people: u64, seed: u64) -> Registry {
    let registry = Registry::populated(people, seed);
    let mut dice = Dice(seed);
    for turn in 0..TURNS {
        let view = registry.store.begin_read().unwrap();
        let author = Author::new("clerk 00004", "random changes");
        let mut transaction = registry.store.begin_write(author, instant()).unwrap();
        let made = (0..CHANGES)
            .filter(|_| attempt(&mut transaction, &dice.operation(&view)))
            .count();
        assert!(made > CHANGES / 4, "only {made} of {CHANGES} changes were made");
        if turn == 1 {
            let merged = Operation::EndUnit {
                unit: UnitNumber(2),
                last: month("2026-04"),
                successor: Some(UnitNumber(3)),
            };
            assert!(attempt(&mut transaction, &merged));
        }
        transaction.commit().unwrap();
    }
    registry
}

/// A new registry with the units of another as they are now.
fn empty_like(original: &Registry) -> Registry {
    let registry = Registry::empty();
    let view = original.store.begin_read().unwrap();
    let author = Author::new("admin", "the same units");
    let mut transaction = registry.store.begin_write(author, instant()).unwrap();
    for unit in view.units() {
        if let Some(end) = unit.end {
            let ended = Operation::EndUnit {
                unit: unit.number,
                last: end.last,
                successor: end.successor,
            };
            transaction.apply(&ended).unwrap();
        }
    }
    transaction.commit().unwrap();
    registry
}

fn goes_out_and_in(people: u64, seed: u64, bulk_min: u64) {
    let original = changed(people, seed);
    let (summary, file) = original.export();
    assert_eq!(summary.left_out, 0);
    let copy = empty_like(&original);
    let mut options = options();
    options.bulk_min = bulk_min;
    let (report, _) = copy.import_with(&file, &options);
    assert_eq!(report.rejects, [], "seed {seed}");
    assert_eq!(report.accepted, original.size().1);
    assert_eq!((report.rejected, report.existing), (0, 0));
    assert_eq!(report.bulk, people >= bulk_min);
    let (one, other) = (
        original.store.begin_read().unwrap(),
        copy.store.begin_read().unwrap(),
    );
    assert_same(&one, &other, &months("2025-06", "2027-01"));
    let (again, _) = copy.export();
    assert_eq!(again, summary);

    let again = copy.import(&file);
    assert_eq!(again.existing, summary.people, "{:?}", again.rejects);
    assert_eq!((again.accepted, again.rejected, again.sequence), (0, 0, None));
}

/// A few cases, unless the environment asks for more. A population does not shrink, so little is spent on it.
fn config() -> ProptestConfig {
    let from_environment = ProptestConfig::default();
    let cases = match std::env::var_os("PROPTEST_CASES") {
        Some(_) => from_environment.cases,
        None => CASES,
    };
    ProptestConfig {
        cases,
        max_shrink_iters: 4,
        failure_persistence: None,
        ..from_environment
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn what_goes_out_comes_in_with_the_same_answers(seed in any::<u32>(), people in 300_u64..700, bulk in any::<bool>()) {
        goes_out_and_in(people, u64::from(seed), if bulk { 100 } else { 20_000 });
    }
}

#[test]
fn two_thousand_people_go_out_and_in() {
    goes_out_and_in(2_000, 11, 20_000);
    goes_out_and_in(2_000, 12, 1_000);
}
