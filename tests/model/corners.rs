//! Corners that random histories seldom reach, played to the kernel and to the model in three ways: a transaction for
//! each change, one transaction for all, and a transaction for each with the file closed and opened in between.

use ansinh::kernel::operation::Decision;
use ansinh::types::Sex;
use proptest::test_runner::TestCaseResult;

use crate::Session;
use crate::generate::{About, Change, Ending, Fact, Id, Place, Turn, Worth};

fn turn(changes: &[Change], ending: Ending) -> Turn {
    Turn {
        adopt: None,
        changes: changes.to_vec(),
        ending,
    }
}

fn play(changes: &[Change]) -> TestCaseResult {
    let each = |ending| move |change: &Change| turn(std::slice::from_ref(change), ending);
    let ways: [Vec<Turn>; 3] = [
        changes.iter().map(each(Ending::Commit)).collect(),
        vec![turn(changes, Ending::Abort), turn(changes, Ending::CommitAndDrop)],
        changes.iter().map(each(Ending::CommitAndClose)).collect(),
    ];
    for turns in ways {
        let mut session = Session::begin()?;
        for turn in &turns {
            session.play(turn)?;
        }
        session.compare_everything()?;
    }
    Ok(())
}

fn insert(id: Option<Id>, lives: Place, from: i16) -> Change {
    Change::Insert {
        id,
        birth: "1950-03-17",
        sex: Sex::Female,
        name: "Trần Thị Bình",
        lives,
        from,
        facts: Vec::new(),
    }
}

fn record(about: About, attribute: u8, worth: Worth, from: i16, until: Option<i16>) -> Change {
    Change::Record {
        fact: Fact::At {
            about,
            attribute,
            from,
        },
        worth,
        until,
        document: "112/QĐ-UBND 2026-03-05",
    }
}

#[test]
fn units_hand_on_their_people_one_after_another_and_never_in_a_circle() -> TestCaseResult {
    let end = |unit, last, successor| Change::EndUnit {
        unit,
        last,
        successor,
    };
    play(&[
        insert(None, Place::Unit(0), 0),
        insert(None, Place::NewHousehold { id: 0, unit: 1 }, 2),
        end(0, 5, Some(1)),
        end(1, 3, Some(0)),
        end(1, 3, None),
        end(1, 3, Some(2)),
        end(1, 3, Some(2)),
        end(2, 8, None),
        Change::Move {
            person: 0,
            to: Place::Away,
            from: 9,
        },
        Change::Death {
            person: 1,
            month: 8,
            day: 28,
        },
        end(2, 7, None),
        end(2, 8, None),
        Change::AddUnit {
            code: 0,
            from: 3,
            name: "new",
        },
        Change::AddUnit {
            code: 0,
            from: 6,
            name: "new",
        },
        // The household's home has ended without a successor, so nobody can move there.
        insert(None, Place::Household(0), 10),
    ])
}

#[test]
fn enrolments_go_from_state_to_state() -> TestCaseResult {
    let decide = |decision, from| Change::Decide {
        person: 0,
        programme: 0,
        decision,
        from,
        document: "",
    };
    play(&[
        insert(None, Place::Unit(0), 0),
        decide(Decision::Resume, 1),
        decide(Decision::Enrol, 1),
        decide(Decision::Enrol, 2),
        decide(Decision::Suspend, 3),
        decide(Decision::Enrol, 4),
        decide(Decision::Resume, 5),
        decide(Decision::End, 6),
        decide(Decision::Suspend, 7),
        decide(Decision::Enrol, 8),
        decide(Decision::End, 0),
        decide(Decision::End, 3),
        decide(Decision::End, 4),
    ])
}

#[test]
fn ids_pass_from_one_person_to_another() -> TestCaseResult {
    let assign = |person, id| Change::Assign { person, id };
    let personal = |index| Some(Id::Personal(index));
    play(&[
        insert(personal(0), Place::Away, 0),
        insert(None, Place::Away, 0),
        assign(1, Id::Personal(0)),
        assign(0, Id::Personal(1)),
        insert(personal(0), Place::Away, 0),
        assign(1, Id::Personal(0)),
        assign(1, Id::Personal(2)),
        insert(personal(0), Place::Away, 0),
        insert(personal(2), Place::Away, 0),
        assign(0, Id::ProvisionalOf(1)),
        assign(0, Id::ProvisionalOf(1)),
        Change::MarkEnteredInError { person: 0 },
        assign(1, Id::ProvisionalOf(1)),
        insert(Some(Id::ProvisionalOf(1)), Place::Away, 0),
    ])
}

#[test]
fn households_split_and_merge_around_closed_records_and_later_moves() -> TestCaseResult {
    let split = |members: &[u8], id, head, from| Change::Split {
        household: 0,
        members: members.to_vec(),
        id,
        head,
        from,
    };
    let merge = |household, into, from| Change::MergeHouseholds {
        household,
        into,
        from,
    };
    let household = About::Household(0);
    play(&[
        insert(None, Place::NewHousehold { id: 0, unit: 0 }, 0),
        insert(None, Place::Household(0), 1),
        insert(None, Place::Household(0), 2),
        insert(None, Place::Household(0), 2),
        record(household, 0, Worth::Nth(2), 0, Some(9)),
        record(household, 1, Worth::Nth(3), 0, Some(3)),
        record(household, 2, Worth::Nth(0), 6, None),
        Change::Move {
            person: 1,
            to: Place::Unit(1),
            from: 8,
        },
        Change::MarkEnteredInError { person: 2 },
        split(&[2], 1, None, 4),
        split(&[1, 3, 1], 1, Some(3), 4),
        merge(0, 1, 3),
        merge(0, 1, 5),
        merge(1, 0, 6),
        Change::MoveHousehold {
            household: 1,
            unit: 2,
            from: 4,
        },
        split(&[0, 1], 2, None, 7),
        split(&[0, 1], 1, None, 7),
    ])
}

#[test]
fn the_first_and_the_last_month_are_months_like_others() -> TestCaseResult {
    const FIRST: i16 = -2706;
    const LAST: i16 = 4493;
    let person = About::Person(0);
    let shift = |person, to, from| Change::Move { person, to, from };
    play(&[
        insert(None, Place::NewHousehold { id: 0, unit: 0 }, 0),
        record(person, 0, Worth::Nth(1), FIRST, Some(LAST)),
        record(person, 1, Worth::Nth(1), FIRST, Some(FIRST)),
        record(person, 1, Worth::Nth(0), LAST, Some(LAST)),
        shift(0, Place::Unit(0), FIRST),
        shift(0, Place::Away, LAST),
        Change::Death {
            person: 0,
            month: LAST,
            day: 1,
        },
        Change::Death {
            person: 0,
            month: FIRST,
            day: 1,
        },
        Change::CorrectBirth {
            person: 0,
            birth: "1800-01-01",
        },
        Change::Death {
            person: 0,
            month: FIRST,
            day: 1,
        },
        Change::EndUnit {
            unit: 0,
            last: FIRST,
            successor: None,
        },
    ])
}

#[test]
fn what_was_known_of_a_unit_before_its_merger_is_still_known() -> TestCaseResult {
    play(&[
        insert(None, Place::Unit(0), 0),
        insert(None, Place::NewHousehold { id: 1, unit: 0 }, 0),
        insert(None, Place::NewHousehold { id: 0, unit: 0 }, 0),
        Change::EndUnit {
            unit: 1,
            last: 13,
            successor: None,
        },
        Change::EndUnit {
            unit: 0,
            last: 0,
            successor: Some(1),
        },
        Change::MergeHouseholds {
            household: 0,
            into: 1,
            from: 0,
        },
    ])
}
