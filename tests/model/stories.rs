//! Stories whose answers were worked out by hand, so that the model can be trusted; and a look at what the random
//! histories reach.

use std::collections::BTreeMap;

use ansinh::kernel::catalogue::SubjectKind;
use ansinh::kernel::operation::{Answer, Decision, Destination, Field, NewPerson, Operation, Subject};
use ansinh::kernel::state::{Content, PersonState};
use ansinh::types::Dossier;
use ansinh::types::{
    AttributeNumber, Date, HouseholdNumber, Identifier, Month, PersonNumber, ProgrammeNumber, Sequence, Sex,
    UnitNumber, Value,
};
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;

use crate::generate::{self, Change, Ending};
use crate::model::{Model, Outcome};

const NEWEST: Sequence = Sequence::NEWEST;

/// A registry to which stories are told, one operation a transaction.
struct Story(Model);

impl Story {
    /// The first declaration, and units 1, 2 and 3 with codes of their own; transaction 1.
    fn new() -> Self {
        let mut model = Model::new().draft();
        model.adopt(&generate::declaration(0)).unwrap();
        for change in generate::first_units() {
            let operation = generate::operation(&model, &change).unwrap();
            assert!(matches!(model.apply(&operation), Ok(Answer::UnitCreated(_))));
        }
        Self(model)
    }

    fn apply(&mut self, operation: &Operation) -> Outcome {
        self.0 = self.0.draft();
        self.0.apply(operation)
    }

    /// Applies an operation that must be accepted; gives its transaction.
    fn tell(&mut self, operation: &Operation) -> Sequence {
        let answer = self.apply(operation);
        assert!(answer.is_ok(), "{operation:?}: {answer:?}");
        self.0.sequence
    }

    fn insert(&mut self, lives: Destination, from: &str) -> PersonNumber {
        match self.apply(&Operation::InsertPerson(Box::new(new_person(lives, from)))) {
            Ok(Answer::PersonCreated(number)) => number,
            other => panic!("{other:?}"),
        }
    }

    fn move_person(&mut self, person: PersonNumber, to: Destination, from: &str) -> Sequence {
        self.tell(&Operation::MovePerson {
            person,
            to,
            from: month(from),
        })
    }

    fn attribute(&self, kind: SubjectKind, name: &str) -> AttributeNumber {
        self.0.catalogue().attribute(kind, name).unwrap().number
    }

    fn record(
        &mut self,
        subject: Subject,
        attribute: AttributeNumber,
        value: Value,
        from: &str,
        until: Option<&str>,
    ) -> Sequence {
        self.tell(&Operation::Record {
            subject,
            attribute,
            value,
            from: month(from),
            until: until.map(month),
            document: String::new(),
        })
    }

    fn person(&self, number: PersonNumber, in_month: &str, known: Sequence) -> PersonState {
        self.0.person(number, month(in_month), known).unwrap()
    }

    fn value(
        &self,
        number: PersonNumber,
        attribute: AttributeNumber,
        in_month: &str,
        known: Sequence,
    ) -> Option<Value> {
        self.person(number, in_month, known)
            .values
            .get(&attribute)
            .copied()
    }
}

fn month(text: &str) -> Month {
    text.parse().unwrap()
}

fn new_person(lives: Destination, from: &str) -> NewPerson {
    NewPerson {
        identifier: None,
        birth: "1950-03-17".parse().unwrap(),
        sex: Sex::Female,
        lives,
        from: month(from),
        facts: Vec::new(),
        dossier: Dossier {
            name: "Trần Thị Bình".to_owned(),
            ..Dossier::default()
        },
    }
}

fn new_household(id: &str, unit: u16) -> Destination {
    Destination::NewHousehold(id.parse().unwrap(), UnitNumber(unit))
}

fn end_unit(unit: u16, last: &str, successor: Option<u16>) -> Operation {
    Operation::EndUnit {
        unit: UnitNumber(unit),
        last: month(last),
        successor: successor.map(UnitNumber),
    }
}

#[test]
fn a_late_correction_changes_only_what_is_known_from_then_on() {
    let mut story = Story::new();
    let person = story.insert(Destination::Unit(UnitNumber(1)), "2025-07");
    let disability = story.attribute(SubjectKind::Person, "disability");
    let subject = Subject::Person(person);
    let first = story.record(subject, disability, Value::Enum(1), "2026-01", None);
    let corrected = story.record(subject, disability, Value::Enum(2), "2026-01", None);
    assert_eq!(story.value(person, disability, "2025-12", NEWEST), None);
    assert_eq!(
        story.value(person, disability, "2026-03", first),
        Some(Value::Enum(1))
    );
    assert_eq!(
        story.value(person, disability, "2026-03", corrected),
        Some(Value::Enum(2))
    );

    let born = story.tell(&Operation::CorrectBirth {
        person,
        birth: "1949".parse().unwrap(),
    });
    assert_eq!(
        story.person(person, "2025-07", corrected).birth.to_string(),
        "1950-03-17"
    );
    assert_eq!(story.person(person, "2025-07", born).birth.to_string(), "1949");
}

#[test]
fn a_retraction_gives_way_to_the_month_before() {
    let mut story = Story::new();
    let person = story.insert(Destination::Away, "2025-07");
    let months = story.attribute(SubjectKind::Person, "months");
    let subject = Subject::Person(person);
    story.record(subject, months, Value::Integer(10), "2025-08", None);
    story.record(subject, months, Value::Integer(20), "2025-10", None);
    let corrected = story.record(subject, months, Value::Integer(25), "2025-10", None);
    let retract = Operation::Retract {
        subject,
        attribute: months,
        from: month("2025-10"),
    };
    let retracted = story.tell(&retract);
    assert_eq!(
        story.value(person, months, "2025-11", corrected),
        Some(Value::Integer(25))
    );
    assert_eq!(
        story.value(person, months, "2025-11", retracted),
        Some(Value::Integer(10)),
        "the record of 20 under the one that was withdrawn does not come back"
    );
    assert!(story.apply(&retract).is_err(), "it is withdrawn already");
    let again = story.record(subject, months, Value::Integer(25), "2025-10", None);
    assert_eq!(
        story.value(person, months, "2025-11", again),
        Some(Value::Integer(25))
    );
    let history = story.0.history(subject);
    let told: Vec<(String, bool)> = history
        .iter()
        .map(|record| (record.from.to_string(), record.content == Content::Retracted))
        .collect();
    let from = |month: &str, retracted| (month.to_owned(), retracted);
    assert_eq!(
        told,
        [
            from("2025-08", false),
            from("2025-10", false),
            from("2025-10", false),
            from("2025-10", true),
            from("2025-10", false)
        ]
    );
}

#[test]
fn of_two_records_in_one_transaction_only_the_last_is_kept() {
    let mut story = Story::new();
    let person = story.insert(Destination::Away, "2025-07");
    let subject = Subject::Person(person);
    let pension = story.attribute(SubjectKind::Person, "pension");
    story.record(subject, pension, Value::Bool(true), "2025-09", None);
    let record = |value| Operation::Record {
        subject,
        attribute: pension,
        value,
        from: month("2025-09"),
        until: None,
        document: String::new(),
    };
    assert_eq!(story.0.apply(&record(Value::Bool(true))), Ok(Answer::Unchanged));
    assert_eq!(story.0.apply(&record(Value::Unknown)), Ok(Answer::Done));
    assert_eq!(story.0.history(subject).len(), 1);
    assert_eq!(
        story.value(person, pension, "2025-09", NEWEST),
        Some(Value::Unknown)
    );
}

#[test]
fn a_fact_expires_as_its_attribute_declares() {
    let mut story = Story::new();
    let person = story.insert(Destination::Away, "2025-07");
    let subject = Subject::Person(person);
    let values = [
        ("disability", Value::Enum(1), Some(Value::Enum(1))),
        ("pension", Value::Bool(true), Some(Value::Unknown)),
        ("months", Value::Integer(7), None),
    ];
    for (name, value, after) in values {
        let attribute = story.attribute(SubjectKind::Person, name);
        story.record(subject, attribute, value, "2025-07", None);
        story.record(subject, attribute, value, "2025-08", Some("2025-10"));
        assert_eq!(
            story.value(person, attribute, "2025-10", NEWEST),
            Some(value),
            "{name}"
        );
        assert_eq!(
            story.value(person, attribute, "2025-11", NEWEST),
            after,
            "{name}: the record of July does not come back"
        );
        let end = |last| Operation::EndFact {
            subject,
            attribute,
            last: month(last),
        };
        assert!(
            story.apply(&end("2025-11")).is_err(),
            "{name} is not in force then"
        );
        assert_eq!(story.apply(&end("2025-10")), Ok(Answer::Unchanged));
        let ended = story.tell(&end("2025-09"));
        assert_eq!(story.value(person, attribute, "2025-10", NEWEST), after, "{name}");
        let before = Sequence(ended.0 - 1);
        assert_eq!(
            story.value(person, attribute, "2025-10", before),
            Some(value),
            "{name}"
        );
    }
}

#[test]
fn a_move_recorded_later_for_earlier_months_leaves_later_moves_alone() {
    let mut story = Story::new();
    let person = story.insert(Destination::Unit(UnitNumber(1)), "2025-07");
    let first = story.move_person(person, Destination::Unit(UnitNumber(2)), "2026-01");
    let late = story.move_person(person, new_household("H1", 3), "2025-10");
    let unit = |in_month, known| story.person(person, in_month, known).unit;
    assert_eq!(unit("2025-06", NEWEST), None);
    assert_eq!(unit("2025-09", NEWEST), Some(UnitNumber(1)));
    assert_eq!(unit("2025-10", first), Some(UnitNumber(1)));
    assert_eq!(unit("2025-10", late), Some(UnitNumber(3)));
    assert_eq!(unit("2026-01", late), Some(UnitNumber(2)));
    assert_eq!(story.person(person, "2026-01", late).household, None);
    let picture = story.0.picture(month("2025-12"), late);
    assert_eq!(picture.households[0].as_ref().unwrap().members, [person]);
    assert_eq!(picture.communes[2].as_ref().unwrap().residents, [person]);
    assert!(story.0.picture(month("2025-12"), first).households[0].is_none());
}

#[test]
fn members_live_where_their_household_lives() {
    let mut story = Story::new();
    let first = story.insert(new_household("H1", 1), "2025-07");
    let household = HouseholdNumber(1);
    let second = story.insert(Destination::Household(household), "2025-09");
    let too_early = new_person(Destination::Household(household), "2025-06");
    assert!(
        story
            .apply(&Operation::InsertPerson(Box::new(too_early)))
            .is_err()
    );
    story.tell(&Operation::MoveHousehold {
        household,
        unit: UnitNumber(2),
        from: month("2025-11"),
    });
    assert_eq!(story.person(second, "2025-08", NEWEST).unit, None);
    assert_eq!(story.person(second, "2025-10", NEWEST).unit, Some(UnitNumber(1)));
    assert_eq!(story.person(second, "2025-11", NEWEST).unit, Some(UnitNumber(2)));

    let poverty = story.attribute(SubjectKind::Household, "poverty");
    let income = story.attribute(SubjectKind::Household, "income");
    let old = Subject::Household(household);
    story.record(old, poverty, Value::Enum(2), "2025-07", Some("2026-12"));
    story.record(old, income, Value::Unknown, "2025-07", Some("2025-12"));
    let split = |members: &[PersonNumber], head| Operation::SplitHousehold {
        household,
        members: members.to_vec(),
        id: "H2".parse().unwrap(),
        head,
        from: month("2026-01"),
    };
    assert!(story.apply(&split(&[], None)).is_err());
    assert!(story.apply(&split(&[second], Some(first))).is_err());
    let made = story.apply(&split(&[second, second], Some(second)));
    assert_eq!(made, Ok(Answer::HouseholdCreated(HouseholdNumber(2))));
    let history = story.0.history(Subject::Household(HouseholdNumber(2)));
    assert_eq!(history.len(), 1, "the income had ended");
    assert_eq!(
        (history[0].attribute, history[0].from),
        (poverty, month("2026-01"))
    );
    let picture = story.0.picture(month("2026-01"), NEWEST);
    let new = picture.households[1].as_ref().unwrap();
    assert_eq!((new.unit, new.head), (Some(UnitNumber(2)), Some(second)));
    assert_eq!(new.members, [second]);
    assert_eq!(picture.households[0].as_ref().unwrap().members, [first]);

    story.tell(&Operation::MergeHouseholds {
        household,
        into: HouseholdNumber(2),
        from: month("2026-03"),
    });
    let picture = story.0.picture(month("2026-03"), NEWEST);
    assert_eq!(picture.households[1].as_ref().unwrap().members, [first, second]);
    let earlier = story.0.picture(month("2026-02"), NEWEST);
    assert_eq!(earlier.households[0].as_ref().unwrap().members, [first]);
}

#[test]
fn merged_units_hand_their_people_on() {
    let mut story = Story::new();
    let person = story.insert(Destination::Unit(UnitNumber(1)), "2025-07");
    let before = story.0.sequence;
    assert!(
        story.apply(&end_unit(1, "2025-12", None)).is_err(),
        "somebody lives there"
    );
    assert!(story.apply(&end_unit(1, "2025-12", Some(1))).is_err());
    assert!(
        story.apply(&end_unit(3, "2025-06", None)).is_err(),
        "it begins in July"
    );
    let ended = story.tell(&end_unit(1, "2025-12", Some(2)));
    assert_eq!(
        story.apply(&end_unit(1, "2025-12", Some(2))),
        Ok(Answer::Unchanged)
    );
    assert!(story.apply(&end_unit(1, "2026-01", Some(2))).is_err());
    let unit = |story: &Story, in_month, known| story.person(person, in_month, known).unit;
    assert_eq!(unit(&story, "2025-12", ended), Some(UnitNumber(1)));
    assert_eq!(unit(&story, "2026-01", ended), Some(UnitNumber(2)));
    assert_eq!(unit(&story, "2026-01", before), Some(UnitNumber(1)));

    // The second unit ends before the first and would be followed by it: nobody could say where people live.
    assert!(story.apply(&end_unit(2, "2025-10", Some(1))).is_err());
    assert!(
        story.apply(&end_unit(2, "2026-05", None)).is_err(),
        "the person lives there"
    );
    story.tell(&end_unit(2, "2026-05", Some(3)));
    assert_eq!(unit(&story, "2026-06", NEWEST), Some(UnitNumber(3)));
    story.move_person(person, Destination::Away, "2026-08");
    assert!(
        story.apply(&end_unit(3, "2026-06", None)).is_err(),
        "not yet in July"
    );
    story.tell(&end_unit(3, "2026-07", None));
    assert_eq!(unit(&story, "2026-07", NEWEST), Some(UnitNumber(3)));
    assert_eq!(unit(&story, "2026-08", NEWEST), None);
}

#[test]
fn the_dead_are_present_in_the_month_of_their_death_and_no_longer() {
    let mut story = Story::new();
    let person = story.insert(Destination::Unit(UnitNumber(1)), "2025-07");
    let alive = story.0.sequence;
    let death = |date: &str| Operation::RecordDeath {
        person,
        date: date.parse().unwrap(),
        document: String::new(),
    };
    assert!(
        story.apply(&death("1950-02-28")).is_err(),
        "before the month of birth"
    );
    let first = story.tell(&death("2026-02-10"));
    assert_eq!(story.apply(&death("2026-02-10")), Ok(Answer::Unchanged));
    let state = |story: &Story, in_month, known| {
        let person = story.person(person, in_month, known);
        (person.death.map(Date::month), person.present)
    };
    let february = Some(month("2026-02"));
    assert_eq!(state(&story, "2026-01", first), (None, true));
    assert_eq!(state(&story, "2026-02", first), (february, true));
    assert_eq!(state(&story, "2026-03", first), (february, false));
    assert_eq!(state(&story, "2026-03", alive), (None, true));
    let corrected = story.tell(&death("2026-04-01"));
    assert_eq!(state(&story, "2026-03", corrected), (None, true));
    assert_eq!(state(&story, "2026-03", first), (february, false));
    let retract = Operation::RetractDeath { person };
    story.tell(&retract);
    assert_eq!(state(&story, "2026-05", NEWEST), (None, true));
    assert!(story.apply(&retract).is_err());
}

#[test]
fn ids_lead_to_whom_they_were_last_given() {
    let mut story = Story::new();
    let personal = generate::personal_id;
    let new = |index| {
        let mut new = new_person(Destination::Away, "2025-07");
        new.identifier = Some(personal(index));
        new
    };
    let insert = |new: NewPerson| Operation::InsertPerson(Box::new(new));
    let first = PersonNumber(1);
    assert_eq!(story.apply(&insert(new(0))), Ok(Answer::PersonCreated(first)));
    assert_eq!(story.apply(&insert(new(0))), Ok(Answer::PersonExists(first)));
    let mut other = new(0);
    other.sex = Sex::Male;
    other.dossier.name.clear();
    let differs = Answer::PersonExistsWithDifferent {
        person: first,
        field: Field::Sex,
    };
    assert_eq!(story.apply(&insert(other)), Ok(differs));
    let second = story.insert(Destination::Away, "2025-07");
    let assign = |person, index| Operation::AssignIdentifier {
        person,
        identifier: personal(index),
    };
    assert!(
        story.apply(&assign(second, 0)).is_err(),
        "the first person's current ID"
    );
    let corrected = story.tell(&assign(first, 1));
    assert!(
        story.apply(&insert(new(0))).is_err(),
        "the first person's former ID"
    );
    let taken = story.tell(&assign(second, 0));
    assert_eq!(story.0.find_person(personal(0), corrected), Some(first));
    assert_eq!(story.0.find_person(personal(0), taken), Some(second));
    assert_eq!(story.0.find_person(personal(1), Sequence(1)), None);
    let provisional: Identifier = "TM0000000002".parse().unwrap();
    assert_eq!(story.person(second, "2025-07", corrected).identifier, provisional);
    assert_eq!(story.person(second, "2025-07", taken).identifier, personal(0));
    assert_eq!(story.0.find_person(provisional, NEWEST), Some(second));
}

#[test]
fn a_closed_record_takes_no_more_changes() {
    let mut story = Story::new();
    let duplicate = story.insert(Destination::Unit(UnitNumber(1)), "2025-07");
    let into = story.insert(Destination::Unit(UnitNumber(1)), "2025-07");
    let merge = Operation::MergePerson { duplicate, into };
    let before = story.0.sequence;
    story.tell(&merge);
    assert_eq!(story.apply(&merge), Ok(Answer::Unchanged));
    assert!(story.person(duplicate, "2025-07", before).present);
    let merged = story.person(duplicate, "2025-07", NEWEST);
    assert_eq!((merged.present, merged.merged_into), (false, Some(into)));
    let back = Operation::MergePerson {
        duplicate: into,
        into: duplicate,
    };
    assert!(story.apply(&back).is_err());
    assert!(
        story
            .apply(&Operation::MarkEnteredInError { person: duplicate })
            .is_err()
    );
    let mark = Operation::MarkEnteredInError { person: into };
    story.tell(&mark);
    assert_eq!(story.apply(&mark), Ok(Answer::Unchanged));
    let sex = Operation::CorrectSex {
        person: into,
        sex: Sex::Female,
    };
    assert!(story.apply(&sex).is_err());
}

#[test]
fn decisions_follow_one_another() {
    let mut story = Story::new();
    let person = story.insert(Destination::Away, "2025-07");
    let decide = |decision, from| Operation::Decide {
        person,
        programme: ProgrammeNumber(1),
        decision,
        from: month(from),
        document: String::new(),
    };
    assert!(story.apply(&decide(Decision::Suspend, "2025-08")).is_err());
    story.tell(&decide(Decision::Enrol, "2025-08"));
    assert_eq!(
        story.apply(&decide(Decision::Enrol, "2025-09")),
        Ok(Answer::Unchanged)
    );
    story.tell(&decide(Decision::Suspend, "2025-10"));
    assert_eq!(
        story.apply(&decide(Decision::Suspend, "2025-11")),
        Ok(Answer::Unchanged)
    );
    assert!(
        story.apply(&decide(Decision::Resume, "2025-07")).is_err(),
        "no enrolment yet"
    );
    story.tell(&decide(Decision::Resume, "2025-12"));
    story.tell(&decide(Decision::End, "2026-02"));
    let enrolment = story.attribute(SubjectKind::Person, "enrolment.allowance");
    let states = ["2025-07", "2025-08", "2025-10", "2025-12", "2026-02"]
        .map(|month| story.value(person, enrolment, month, NEWEST));
    let state = |number| Some(Value::Enum(number));
    assert_eq!(states, [None, state(1), state(2), state(1), state(3)]);
    story.tell(&decide(Decision::Enrol, "2026-03"));
    let gift = Operation::Decide {
        person,
        programme: ProgrammeNumber(3),
        decision: Decision::Enrol,
        from: month("2026-03"),
        document: String::new(),
    };
    assert!(story.apply(&gift).is_err(), "it needs no decision");
}

/// The random histories must reach what they are meant to test: each kind of change accepted and refused.
#[test]
fn histories_reach_every_change_and_every_answer() {
    const HISTORIES: usize = 500;
    const EACH_MIN: usize = 3;
    let mut runner = TestRunner::deterministic();
    let mut met: BTreeMap<(String, &str), usize> = BTreeMap::new();
    for _ in 0..HISTORIES {
        let history = generate::history().new_tree(&mut runner).unwrap().current();
        let mut model = Story::new().0;
        for turn in &history.0 {
            let mut draft = model.draft();
            if let Some(version) = turn.adopt {
                draft.adopt(&generate::declaration(version)).unwrap();
            }
            for change in &turn.changes {
                if let Some(operation) = generate::operation(&draft, change) {
                    let answer = answer_name(&draft.apply(&operation));
                    *met.entry((change_name(change), answer)).or_default() += 1;
                }
            }
            if !matches!(turn.ending, Ending::Abort | Ending::Drop) {
                model = draft;
            }
        }
    }
    let changes = [
        "AddUnit",
        "Assign",
        "NewHead",
        "CorrectBirth",
        "CorrectDossier",
        "CorrectSex",
        "Death",
        "Decide",
        "EndFact",
        "EndUnit",
        "Insert",
        "MakeHousehold",
        "MarkEnteredInError",
        "MergeHouseholds",
        "MergePerson",
        "Move",
        "MoveHousehold",
        "Record",
        "RecordAgain",
        "RenameUnit",
        "Retract",
        "RetractDeath",
        "Split",
    ];
    let unchanged = [
        "Assign",
        "NewHead",
        "CorrectBirth",
        "CorrectDossier",
        "CorrectSex",
        "Death",
        "Decide",
        "EndFact",
        "MarkEnteredInError",
        "RecordAgain",
    ];
    let count = |change: &str, answer| met.get(&(change.to_owned(), answer)).copied().unwrap_or(0);
    for change in changes {
        assert!(
            count(change, "done") >= EACH_MIN,
            "{change} was seldom done: {met:#?}"
        );
        assert!(
            count(change, "refused") >= EACH_MIN,
            "{change} was seldom refused: {met:#?}"
        );
    }
    for change in unchanged {
        assert!(count(change, "unchanged") >= EACH_MIN, "{change}: {met:#?}");
    }
    for answer in ["exists", "differs"] {
        assert!(count("Insert", answer) >= EACH_MIN, "{answer}: {met:#?}");
    }
}

fn change_name(change: &Change) -> String {
    let text = format!("{change:?}");
    text.split(' ').next().unwrap_or_default().to_owned()
}

fn answer_name(outcome: &Outcome) -> &'static str {
    match outcome {
        Ok(Answer::Unchanged) => "unchanged",
        Ok(Answer::PersonExists(_) | Answer::UnitExists(_)) => "exists",
        Ok(Answer::PersonExistsWithDifferent { .. }) => "differs",
        Ok(_) => "done",
        Err(_) => "refused",
    }
}
