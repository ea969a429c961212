//! Random histories of a small registry.
//!
//! A history is a list of small descriptions. They name people, households, units and facts by index, so that
//! what is left of a failing case stays readable and stays meaningful when operations before it are taken away.
//! [`operation`] turns a description into the operation that it means in the registry as it then is.

use std::fmt;

use ansinh::kernel::catalogue::{
    Attribute, AttributeDeclaration, Catalogue, Declaration, Keeping, OnExpiry, ProgrammeDeclaration,
    SubjectKind, ValueKind, builtin,
};
use ansinh::kernel::operation::{Decision, Destination, InitialFact, NewPerson, Operation, Subject};
use ansinh::kernel::state::{Content, FactRecord};
use ansinh::kernel::units::{UnitDeclaration, UnitKind, UnitName};
use ansinh::types::Dossier;
use ansinh::types::{
    AttributeNumber, BirthDate, CommuneCode, Date, Dong, HouseholdId, HouseholdNumber, Identifier, Month,
    PersonNumber, PersonalId, ProgrammeNumber, ProvisionalId, Sex, UnitNumber, Value,
};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

use crate::model::Model;

/// Beyond this many people no more are inserted.
const PEOPLE_MAX: usize = 14;
/// Beyond this many units no more are added.
const UNITS_MAX: usize = 8;
/// An index that names nothing that exists.
const NOBODY: u8 = u8::MAX;
/// The months between which nearly everything happens: from July 2025, so many of them.
pub const MONTHS: i16 = 18;
/// Months far from those, counted from July 2025; the outermost are the calendar's first and last.
pub const FAR: [i16; 5] = [-2706, -300, -4, 40, 4493];
/// How many personal IDs, household IDs and commune codes occur.
const IDENTIFIERS: u8 = 6;
const HOUSEHOLD_IDS: u8 = 9;
const COMMUNE_CODES: u8 = 5;
const BIRTHS: [&str; 7] = [
    "1950-03-17",
    "1990",
    "2010-05",
    "2025-09-10",
    "2025-12",
    "2026",
    "1800-01-01",
];
const NAMES: [&str; 3] = ["Nguyễn Văn An", "Trần Thị Bình", ""];
const DOCUMENTS: [&str; 3] = ["", "112/QĐ-UBND 2026-03-05", "7/QĐ-UBND 2025-08-01"];

/// A month, counted from July 2025; what lies outside the calendar is its first or last month.
pub fn month(offset: i16) -> Month {
    let base = Month::new(2025, 7).expect("July 2025 is in the calendar");
    let outermost = if offset < 0 { Month::MIN } else { Month::MAX };
    base.plus(i32::from(offset)).unwrap_or(outermost)
}

/// A transaction.
#[derive(Debug, Clone)]
pub struct Turn {
    /// The declaration that it adopts first.
    pub adopt: Option<usize>,
    /// What it then changes.
    pub changes: Vec<Change>,
    /// How it ends.
    pub ending: Ending,
}

/// The transactions of a history, after the one that adopts the first declaration and adds the first units.
#[derive(Clone)]
pub struct History(pub Vec<Turn>);

/// One line a change, so that what is left of a failing history can be read at a glance.
impl fmt::Debug for History {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for turn in &self.0 {
            write!(f, "\n  transaction, {:?}", turn.ending)?;
            if let Some(version) = turn.adopt {
                write!(f, "\n    adopts declaration {version}")?;
            }
            for change in &turn.changes {
                write!(f, "\n    {change:?}")?;
            }
        }
        Ok(())
    }
}

/// How a transaction ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// Committed.
    Commit,
    /// Committed; then the file is closed and opened again.
    CommitAndClose,
    /// Committed; then the store is dropped without being closed, and the file opened again.
    CommitAndDrop,
    /// Aborted.
    Abort,
    /// Dropped without a word.
    Drop,
}

/// Where somebody lives.
#[derive(Debug, Clone, Copy)]
pub enum Place {
    /// In a household.
    Household(u8),
    /// In a household that begins, with this ID and in this unit.
    NewHousehold { id: u8, unit: u8 },
    /// In a unit.
    Unit(u8),
    /// Nowhere.
    Away,
}

/// An ID.
#[derive(Debug, Clone, Copy)]
pub enum Id {
    /// The personal ID with this index.
    Personal(u8),
    /// The provisional ID that the registry gave, or would have given, to a person.
    ProvisionalOf(u8),
}

/// A value, to be read by the type of the attribute.
#[derive(Debug, Clone, Copy)]
pub enum Worth {
    /// The one with this index.
    Nth(u8),
    /// Unknown.
    Unknown,
    /// One that fits no attribute of that type.
    Misfit,
}

/// A kind of subject, with an index.
#[derive(Debug, Clone, Copy)]
pub enum About {
    Person(u8),
    Household(u8),
    Commune(u8),
}

/// A subject, an attribute and a first month.
#[derive(Debug, Clone, Copy)]
pub enum Fact {
    /// These.
    At { about: About, attribute: u8, from: i16 },
    /// Those of the record with this index among all that exist.
    Recorded(u8),
}

/// A fact of a new person.
#[derive(Debug, Clone, Copy)]
pub struct Initial {
    attribute: u8,
    worth: Worth,
    from: Option<i16>,
    until: Option<i16>,
    document: &'static str,
}

/// A change, described.
#[derive(Debug, Clone)]
pub enum Change {
    AddUnit {
        code: u8,
        from: i16,
        name: &'static str,
    },
    RenameUnit {
        unit: u8,
        from: i16,
    },
    EndUnit {
        unit: u8,
        last: i16,
        successor: Option<u8>,
    },
    Insert {
        id: Option<Id>,
        birth: &'static str,
        sex: Sex,
        name: &'static str,
        lives: Place,
        from: i16,
        facts: Vec<Initial>,
    },
    Assign {
        person: u8,
        id: Id,
    },
    CorrectBirth {
        person: u8,
        birth: &'static str,
    },
    CorrectSex {
        person: u8,
        sex: Sex,
    },
    CorrectDossier {
        person: u8,
        name: &'static str,
    },
    MarkEnteredInError {
        person: u8,
    },
    MergePerson {
        duplicate: u8,
        into: u8,
    },
    Move {
        person: u8,
        to: Place,
        from: i16,
    },
    MakeHousehold {
        id: u8,
        unit: u8,
        from: i16,
    },
    MoveHousehold {
        household: u8,
        unit: u8,
        from: i16,
    },
    /// The members and the head are indexes among those who belong to the household in that month.
    Split {
        household: u8,
        members: Vec<u8>,
        id: u8,
        head: Option<u8>,
        from: i16,
    },
    MergeHouseholds {
        household: u8,
        into: u8,
        from: i16,
    },
    /// The head is an index among those who belong to the household in that month.
    NewHead {
        household: u8,
        head: u8,
        from: i16,
    },
    Record {
        fact: Fact,
        worth: Worth,
        until: Option<i16>,
        document: &'static str,
    },
    /// Records once more what was recorded last.
    RecordAgain {
        fact: u8,
    },
    Retract {
        fact: Fact,
    },
    /// The last month is so many months after the first month of the fact.
    EndFact {
        fact: Fact,
        after: i16,
    },
    Death {
        person: u8,
        month: i16,
        day: u8,
    },
    RetractDeath {
        person: u8,
    },
    Decide {
        person: u8,
        programme: u8,
        decision: Decision,
        from: i16,
        document: &'static str,
    },
}

fn attribute(
    subject: SubjectKind,
    name: &str,
    kind: ValueKind,
    values: &[&str],
    on_expiry: OnExpiry,
) -> AttributeDeclaration {
    AttributeDeclaration {
        name: name.to_owned(),
        renamed_from: None,
        subject,
        kind,
        values: values.iter().map(|&value| value.to_owned()).collect(),
        absent: values.first().map(|&value| value.to_owned()),
        on_expiry,
        keeping: Keeping::Profile,
    }
}

fn programme(name: &str, needs_decision: bool) -> ProgrammeDeclaration {
    ProgrammeDeclaration {
        name: name.to_owned(),
        title_vi: format!("Chế độ {name}"),
        title_en: format!("Programme {name}"),
        needs_decision,
    }
}

/// How many declarations there are.
pub const DECLARATIONS: usize = 4;

/// A declaration. The first is adopted before everything else; those after it retire, add, rename and revive.
pub fn declaration(version: usize) -> Declaration {
    use OnExpiry::{Absent, Keep, Unknown};
    use SubjectKind::{Commune, Household, Person};
    let months = ValueKind::Integer { min: 0, max: 400 };
    let rate = ValueKind::Integer { min: -100, max: 100 };
    let severity: &[&str] = match version {
        1 => &["none", "partial", "extreme"],
        _ => &["none", "severe", "extreme"],
    };
    let in_column = |mut attribute: AttributeDeclaration| {
        attribute.keeping = Keeping::Column;
        attribute
    };
    let bank: &[&str] = &["cash", "bank"];
    let mut attributes = vec![
        attribute(Person, "disability", ValueKind::Enum, severity, Keep),
        attribute(Person, "pension", ValueKind::Bool, &[], Unknown),
        attribute(Person, "months", months, &[], Absent),
        in_column(attribute(Person, "guardian", ValueKind::Person, &[], Keep)),
        in_column(attribute(Person, "registered", ValueKind::Date, &[], Unknown)),
        in_column(attribute(Person, "channel", ValueKind::Enum, bank, Keep)),
        in_column(attribute(Person, "distance", rate, &[], Absent)),
        attribute(
            Household,
            "poverty",
            ValueKind::Enum,
            &["none", "near", "poor"],
            Unknown,
        ),
        in_column(attribute(Household, "income", ValueKind::Money, &[], Keep)),
        in_column(attribute(Household, "keeper", ValueKind::Person, &[], Absent)),
        attribute(Household, "rooms", rate, &[], Keep),
        attribute(Commune, "difficult", ValueKind::Bool, &[], Keep),
        attribute(
            Commune,
            "region",
            ValueKind::Enum,
            &["lowland", "highland"],
            Absent,
        ),
        attribute(Commune, "rate", rate, &[], Unknown),
    ];
    let mut programmes = vec![
        programme("allowance", true),
        programme("care", true),
        programme("gift", false),
    ];
    match version {
        1 => {
            attributes.retain(|attribute| attribute.name != "pension");
            programmes.retain(|programme| programme.name != "care");
        }
        2 => {
            attributes.retain(|attribute| attribute.name != "poverty" && attribute.name != "rate");
            let renamed = attributes.iter_mut().find(|attribute| attribute.name == "months");
            let renamed = renamed.expect("the first declaration has this attribute");
            "contribution_months".clone_into(&mut renamed.name);
            renamed.renamed_from = Some("months".to_owned());
        }
        3 => {
            attributes.insert(2, attribute(Person, "pensioner", ValueKind::Bool, &[], Absent));
            programmes.push(programme("meals", true));
        }
        _ => {}
    }
    Declaration {
        attributes,
        programmes,
    }
}

/// The units that are added before everything else.
pub fn first_units() -> [Change; 3] {
    [(0, -3000), (1, -60), (2, 0)].map(|(code, from)| Change::AddUnit {
        code,
        from,
        name: "old",
    })
}

pub fn personal_id(index: u8) -> Identifier {
    let id = PersonalId::from_number(1_150_000_000 + u64::from(index));
    Identifier::Personal(id.expect("twelve digits"))
}

fn provisional_id(number: u64) -> Identifier {
    Identifier::Provisional(ProvisionalId::from_number(number).expect("ten digits"))
}

fn household_id(index: u8) -> HouseholdId {
    format!("H{index:02}").parse().expect("a household ID")
}

fn commune_code(index: u8) -> CommuneCode {
    format!("{:05}", 4 + 3 * u32::from(index))
        .parse()
        .expect("a commune code")
}

/// Every personal ID that occurs.
pub fn personal_ids() -> impl Iterator<Item = Identifier> {
    (0..IDENTIFIERS).map(personal_id)
}

/// Every household ID that occurs.
pub fn household_ids() -> impl Iterator<Item = HouseholdId> {
    (0..HOUSEHOLD_IDS).map(household_id)
}

/// Every commune code that occurs.
pub fn commune_codes() -> impl Iterator<Item = CommuneCode> {
    (0..COMMUNE_CODES).map(commune_code)
}

/// The number that an index names among so many; [`NOBODY`] names the one after the last.
fn nth(index: u8, count: usize) -> usize {
    if index == NOBODY || count == 0 {
        count + 1
    } else {
        usize::from(index) % count + 1
    }
}

fn person(model: &Model, index: u8) -> PersonNumber {
    PersonNumber(nth(index, model.people_numbers().count()) as u32)
}

fn household(model: &Model, index: u8) -> HouseholdNumber {
    HouseholdNumber(nth(index, model.household_numbers().count()) as u32)
}

fn unit(model: &Model, index: u8) -> UnitNumber {
    UnitNumber(nth(index, model.unit_numbers().count()) as u16)
}

/// The person whom an index names among the members of a household; [`NOBODY`] is the first person of all.
fn member(model: &Model, index: u8, members: &[PersonNumber]) -> PersonNumber {
    match members.get(usize::from(index) % members.len().max(1)) {
        Some(member) if index != NOBODY => *member,
        _ => person(model, 0),
    }
}

/// An ID. Provisional IDs whose turn is still to come are left out: only the registry gives those.
fn identifier(model: &Model, id: Id) -> Identifier {
    const FAR: u64 = 9_000_000_000;
    let people = model.people_numbers().count();
    match id {
        Id::Personal(index) => personal_id(index),
        Id::ProvisionalOf(NOBODY) => provisional_id(FAR),
        Id::ProvisionalOf(_) if people == 0 => provisional_id(FAR),
        Id::ProvisionalOf(index) => provisional_id(nth(index, people) as u64),
    }
}

fn destination(model: &Model, place: Place) -> Destination {
    match place {
        Place::Household(index) => Destination::Household(household(model, index)),
        Place::NewHousehold { id, unit: index } => {
            Destination::NewHousehold(household_id(id), unit(model, index))
        }
        Place::Unit(index) => Destination::Unit(unit(model, index)),
        Place::Away => Destination::Away,
    }
}

/// The attribute that an index names among those of a kind of subject. The greatest indexes name an attribute of
/// another kind of subject, one of the kernel's own, and one that does not exist.
fn attribute_number(catalogue: &Catalogue, kind: SubjectKind, index: u8) -> AttributeNumber {
    let of_kind: Vec<&Attribute> = catalogue
        .attributes()
        .filter(|known| known.subject == kind)
        .collect();
    let other = catalogue.attributes().find(|known| known.subject != kind);
    match (index, other) {
        (NOBODY, _) => AttributeNumber(60_000),
        (254, _) => builtin::HOUSEHOLD,
        (253, Some(other)) => other.number,
        _ => of_kind
            .get(usize::from(index) % of_kind.len().max(1))
            .map_or(AttributeNumber(60_000), |known| known.number),
    }
}

fn value(model: &Model, attribute: AttributeNumber, worth: Worth) -> Value {
    let known = model.catalogue().attribute_by_number(attribute);
    let nth_value = match worth {
        Worth::Unknown => return Value::Unknown,
        Worth::Nth(index) => Some(index),
        Worth::Misfit => None,
    };
    match (known.map(|known| known.kind), nth_value) {
        (Some(ValueKind::Bool), Some(index)) => Value::Bool(index % 2 == 1),
        (Some(ValueKind::Enum), Some(index)) => {
            let count = known.map_or(1, |known| known.values.len());
            Value::Enum(u16::from(index) % count as u16)
        }
        (Some(ValueKind::Enum), None) => Value::Enum(900),
        (Some(ValueKind::Integer { max, .. }), Some(index)) => Value::Integer(max - i64::from(index)),
        (Some(ValueKind::Integer { max, .. }), None) => Value::Integer(max + 1),
        (Some(ValueKind::Date), Some(index)) => Value::Date(Date::last_of(month(i16::from(index)))),
        (Some(ValueKind::Money), Some(index)) => Value::Money(Dong::new(i64::from(index) * 500_000)),
        (Some(ValueKind::Money), None) => Value::Money(Dong::new(-1)),
        (Some(ValueKind::Person), Some(index)) => Value::Person(person(model, index)),
        (Some(ValueKind::Person), None) => Value::Person(person(model, NOBODY)),
        _ => Value::Integer(5),
    }
}

fn subject(model: &Model, about: About) -> (Subject, SubjectKind) {
    match about {
        About::Person(index) => (Subject::Person(person(model, index)), SubjectKind::Person),
        About::Household(index) => (
            Subject::Household(household(model, index)),
            SubjectKind::Household,
        ),
        About::Commune(index) => (Subject::Commune(unit(model, index)), SubjectKind::Commune),
    }
}

/// Every record of every fact.
fn records(model: &Model) -> Vec<(Subject, FactRecord)> {
    let of_subject = |subject| {
        let history = model.history(subject).into_iter();
        history.map(move |record| (subject, record))
    };
    model.subjects().into_iter().flat_map(of_subject).collect()
}

fn fact(model: &Model, fact: Fact) -> (Subject, AttributeNumber, Month) {
    match fact {
        Fact::At {
            about,
            attribute,
            from,
        } => {
            let (subject, kind) = subject(model, about);
            (
                subject,
                attribute_number(model.catalogue(), kind, attribute),
                month(from),
            )
        }
        Fact::Recorded(index) => {
            let records = records(model);
            match records.get(usize::from(index) % records.len().max(1)) {
                Some((subject, record)) => (*subject, record.attribute, record.from),
                None => (
                    Subject::Person(person(model, 0)),
                    AttributeNumber(60_000),
                    month(0),
                ),
            }
        }
    }
}

fn dossier(name: &str) -> Dossier {
    Dossier {
        name: name.to_owned(),
        address: "thôn 1".to_owned(),
        ..Dossier::default()
    }
}

fn birth(text: &str) -> BirthDate {
    text.parse().expect("a birth date")
}

/// The operation that a description means; `None` if it means none here: the registry has grown large enough, or
/// the meaning of the operation is not laid down.
pub fn operation(model: &Model, change: &Change) -> Option<Operation> {
    match change {
        Change::AddUnit { .. } | Change::RenameUnit { .. } | Change::EndUnit { .. } => {
            unit_operation(model, change)
        }
        Change::Insert { .. } => insertion(model, change),
        Change::MakeHousehold { .. }
        | Change::MoveHousehold { .. }
        | Change::Split { .. }
        | Change::MergeHouseholds { .. }
        | Change::NewHead { .. } => Some(household_operation(model, change)),
        Change::Record { .. }
        | Change::RecordAgain { .. }
        | Change::Retract { .. }
        | Change::EndFact { .. } => fact_operation(model, change),
        _ => person_operation(model, change),
    }
}

fn unit_operation(model: &Model, change: &Change) -> Option<Operation> {
    match *change {
        Change::AddUnit { code, from, name } => {
            let from = month(from);
            let declared = UnitDeclaration {
                code: commune_code(code),
                from,
                province: "01".parse().expect("a province code"),
                former_province: "25".parse().expect("a province code"),
                names: vec![unit_name(from, name)],
            };
            // Whether a unit that has been renamed is still the one that was declared is not laid down.
            let renamed = model.unit_numbers().any(|number| {
                model
                    .unit(number)
                    .is_some_and(|(known, renames, _)| *known == declared && !renames.is_empty())
            });
            let full = model.unit_numbers().count() >= UNITS_MAX;
            (!renamed && !full).then_some(Operation::AddUnit(declared))
        }
        Change::RenameUnit { unit: index, from } => {
            let number = unit(model, index);
            let from = month(from);
            let known = model.unit(number);
            // Whether a unit can get a name for months in which it no longer exists is not laid down.
            let after_its_end = known.is_some_and(|(_, _, last)| last.is_some_and(|last| last < from));
            // Each name is another one, since a name given twice is not laid down either.
            let name = format!("name {}", known.map_or(0, |(_, renames, _)| renames.len()) + 1);
            (!after_its_end).then(|| Operation::RenameUnit {
                unit: number,
                name: unit_name(from, &name),
            })
        }
        Change::EndUnit {
            unit: index,
            last,
            successor,
        } => Some(Operation::EndUnit {
            unit: unit(model, index),
            last: month(last),
            successor: successor.map(|index| unit(model, index)),
        }),
        _ => None,
    }
}

fn unit_name(from: Month, name: &str) -> UnitName {
    UnitName {
        from,
        name: format!("Xã {name}"),
        kind: UnitKind::Commune,
        province_name: "Thành phố Hà Nội".to_owned(),
    }
}

fn insertion(model: &Model, change: &Change) -> Option<Operation> {
    let Change::Insert {
        id,
        birth: born,
        sex,
        name,
        lives,
        from,
        facts,
    } = change
    else {
        return None;
    };
    let initial = |initial: &Initial| {
        let attribute = attribute_number(model.catalogue(), SubjectKind::Person, initial.attribute);
        InitialFact {
            attribute,
            value: value(model, attribute, initial.worth),
            from: initial.from.map(month),
            until: initial.until.map(month),
            document: initial.document.to_owned(),
        }
    };
    let new = NewPerson {
        identifier: id.map(|id| identifier(model, id)),
        birth: birth(born),
        sex: *sex,
        lives: destination(model, *lives),
        from: month(*from),
        facts: facts.iter().map(initial).collect(),
        dossier: dossier(name),
    };
    let full = model.people_numbers().count() >= PEOPLE_MAX;
    (!full).then(|| Operation::InsertPerson(Box::new(new)))
}

fn person_operation(model: &Model, change: &Change) -> Option<Operation> {
    let person = |index| person(model, index);
    Some(match *change {
        Change::Assign { person: index, id } => Operation::AssignIdentifier {
            person: person(index),
            identifier: identifier(model, id),
        },
        Change::CorrectBirth {
            person: index,
            birth: born,
        } => Operation::CorrectBirth {
            person: person(index),
            birth: birth(born),
        },
        Change::CorrectSex { person: index, sex } => Operation::CorrectSex {
            person: person(index),
            sex,
        },
        Change::CorrectDossier { person: index, name } => Operation::CorrectDossier {
            person: person(index),
            dossier: dossier(name),
        },
        Change::MarkEnteredInError { person: index } => Operation::MarkEnteredInError {
            person: person(index),
        },
        Change::MergePerson { duplicate, into } => Operation::MergePerson {
            duplicate: person(duplicate),
            into: person(into),
        },
        Change::Move {
            person: index,
            to,
            from,
        } => Operation::MovePerson {
            person: person(index),
            to: destination(model, to),
            from: month(from),
        },
        Change::Death {
            person: index,
            month: of,
            day,
        } => Operation::RecordDeath {
            person: person(index),
            date: Date::new(month(of), day).expect("a day that every month has"),
            document: String::new(),
        },
        Change::RetractDeath { person: index } => Operation::RetractDeath {
            person: person(index),
        },
        Change::Decide {
            person: index,
            programme,
            decision,
            from,
            document,
        } => Operation::Decide {
            person: person(index),
            programme: ProgrammeNumber(nth(programme, model.catalogue().programmes().count()) as u16),
            decision,
            from: month(from),
            document: document.to_owned(),
        },
        _ => return None,
    })
}

fn household_operation(model: &Model, change: &Change) -> Operation {
    match change {
        Change::Split {
            household: index,
            members,
            id,
            head,
            from,
        } => {
            let old = household(model, *index);
            let there = model.membership(old, month(*from));
            Operation::SplitHousehold {
                household: old,
                members: members
                    .iter()
                    .map(|index| member(model, *index, &there))
                    .collect(),
                id: household_id(*id),
                head: head.map(|index| member(model, index, &there)),
                from: month(*from),
            }
        }
        Change::MergeHouseholds {
            household: index,
            into,
            from,
        } => Operation::MergeHouseholds {
            household: household(model, *index),
            into: household(model, *into),
            from: month(*from),
        },
        Change::NewHead {
            household: index,
            head,
            from,
        } => {
            let household = household(model, *index);
            Operation::ChangeHead {
                household,
                head: member(model, *head, &model.membership(household, month(*from))),
                from: month(*from),
            }
        }
        Change::MakeHousehold { id, unit: to, from } => Operation::MakeHousehold {
            id: household_id(*id),
            unit: unit(model, *to),
            from: month(*from),
        },
        Change::MoveHousehold {
            household: index,
            unit: to,
            from,
        } => Operation::MoveHousehold {
            household: household(model, *index),
            unit: unit(model, *to),
            from: month(*from),
        },
        _ => unreachable!("{change:?} is not about a household"),
    }
}

fn fact_operation(model: &Model, change: &Change) -> Option<Operation> {
    Some(match *change {
        Change::Record {
            fact: of,
            worth,
            until,
            document,
        } => {
            let (subject, attribute, from) = fact(model, of);
            Operation::Record {
                subject,
                attribute,
                value: value(model, attribute, worth),
                from,
                until: until.map(month),
                document: document.to_owned(),
            }
        }
        Change::RecordAgain { fact: index } => {
            let records = records(model);
            let (subject, record) = records.get(usize::from(index) % records.len().max(1))?;
            let Content::Value {
                value,
                until,
                document,
            } = record.content.clone()
            else {
                return None;
            };
            Operation::Record {
                subject: *subject,
                attribute: record.attribute,
                value,
                from: record.from,
                until,
                document,
            }
        }
        Change::Retract { fact: of } => {
            let (subject, attribute, from) = fact(model, of);
            Operation::Retract {
                subject,
                attribute,
                from,
            }
        }
        Change::EndFact { fact: of, after } => {
            let (subject, attribute, from) = fact(model, of);
            Operation::EndFact {
                subject,
                attribute,
                last: from.plus(i32::from(after)).unwrap_or(from),
            }
        }
        _ => return None,
    })
}

/// Of anything, mostly the first few, so that much happens to the same.
fn index() -> impl Strategy<Value = u8> + Clone {
    prop_oneof![24 => 0_u8..3, 16 => 0_u8..12, 1 => Just(NOBODY)]
}

fn near() -> impl Strategy<Value = i16> + Clone {
    prop_oneof![24 => 0..MONTHS, 1 => select(&FAR[1..4])]
}

fn near_or_far() -> impl Strategy<Value = i16> + Clone {
    prop_oneof![24 => 0..MONTHS, 1 => select(&FAR[..])]
}

fn place() -> impl Strategy<Value = Place> + Clone {
    prop_oneof![
        4 => index().prop_map(Place::Household),
        2 => (0..HOUSEHOLD_IDS, index()).prop_map(|(id, unit)| Place::NewHousehold { id, unit }),
        2 => index().prop_map(Place::Unit),
        1 => Just(Place::Away),
    ]
}

fn id() -> impl Strategy<Value = Id> + Clone {
    prop_oneof![
        5 => (0..IDENTIFIERS).prop_map(Id::Personal),
        1 => index().prop_map(Id::ProvisionalOf),
    ]
}

fn worth() -> impl Strategy<Value = Worth> + Clone {
    prop_oneof![
        20 => (0_u8..6).prop_map(Worth::Nth),
        2 => Just(Worth::Unknown),
        1 => Just(Worth::Misfit),
    ]
}

fn attribute_index() -> impl Strategy<Value = u8> + Clone {
    prop_oneof![40 => 0_u8..12, 1 => 253_u8..=NOBODY]
}

fn about() -> impl Strategy<Value = About> + Clone {
    prop_oneof![
        4 => index().prop_map(About::Person),
        4 => index().prop_map(About::Household),
        2 => index().prop_map(About::Commune),
    ]
}

fn a_fact(recorded: u32) -> impl Strategy<Value = Fact> + Clone {
    prop_oneof![
        3 => (about(), attribute_index(), near_or_far())
            .prop_map(|(about, attribute, from)| Fact::At { about, attribute, from }),
        recorded => (0_u8..200).prop_map(Fact::Recorded),
    ]
}

fn sex() -> impl Strategy<Value = Sex> + Clone {
    select(&[Sex::Male, Sex::Female][..])
}

fn insert() -> impl Strategy<Value = Change> + Clone {
    let initial = (
        attribute_index(),
        worth(),
        option::weighted(0.3, near_or_far()),
        option::weighted(0.3, near_or_far()),
        select(&DOCUMENTS[..]),
    )
        .prop_map(|(attribute, worth, from, until, document)| Initial {
            attribute,
            worth,
            from,
            until,
            document,
        });
    (
        option::weighted(0.7, id()),
        prop_oneof![4 => select(&BIRTHS[..2]), 1 => select(&BIRTHS[..])],
        sex(),
        select(&NAMES[..]),
        place(),
        prop_oneof![20 => 0_i16..8, 1 => select(&FAR[..])],
        vec(initial, 0..3),
    )
        .prop_map(|(id, birth, sex, name, lives, from, facts)| Change::Insert {
            id,
            birth,
            sex,
            name,
            lives,
            from,
            facts,
        })
}

fn unit_change() -> impl Strategy<Value = Change> + Clone {
    prop_oneof![
        2 => (0..COMMUNE_CODES, select(&[-60_i16, 0, 3, 8, 12][..]), select(&["old", "new"][..]))
            .prop_map(|(code, from, name)| Change::AddUnit { code, from, name }),
        1 => (index(), near()).prop_map(|(unit, from)| Change::RenameUnit { unit, from }),
        2 => (index(), near(), option::weighted(0.6, index()))
            .prop_map(|(unit, last, successor)| Change::EndUnit { unit, last, successor }),
    ]
}

fn person_change() -> impl Strategy<Value = Change> + Clone {
    let decision = prop_oneof![
        2 => Just(Decision::Enrol),
        1 => Just(Decision::Suspend),
        1 => Just(Decision::Resume),
        1 => Just(Decision::End),
    ];
    let enrolled = prop_oneof![3 => 0_u8..2, 1 => index()];
    let day_month = prop_oneof![1 => near_or_far(), 1 => select(&[4_i16, 9][..])];
    let programme = prop_oneof![20 => 0_u8..2, 3 => 0_u8..4, 1 => Just(NOBODY)];
    prop_oneof![
        8 => (index(), place(), near_or_far()).prop_map(|(person, to, from)| Change::Move { person, to, from }),
        4 => (index(), id()).prop_map(|(person, id)| Change::Assign { person, id }),
        2 => (index(), select(&BIRTHS[..]))
            .prop_map(|(person, birth)| Change::CorrectBirth { person, birth }),
        1 => (index(), sex()).prop_map(|(person, sex)| Change::CorrectSex { person, sex }),
        1 => (index(), select(&NAMES[..]))
            .prop_map(|(person, name)| Change::CorrectDossier { person, name }),
        1 => index().prop_map(|person| Change::MarkEnteredInError { person }),
        1 => (index(), index()).prop_map(|(duplicate, into)| Change::MergePerson { duplicate, into }),
        4 => (index(), day_month, select(&[1_u8, 28][..]))
            .prop_map(|(person, month, day)| Change::Death { person, month, day }),
        2 => index().prop_map(|person| Change::RetractDeath { person }),
        7 => (enrolled, programme, decision, near_or_far(), select(&DOCUMENTS[..])).prop_map(
            |(person, programme, decision, from, document)| Change::Decide {
                person,
                programme,
                decision,
                from,
                document,
            }
        ),
    ]
}

fn household_change() -> impl Strategy<Value = Change> + Clone {
    prop_oneof![
        1 => (0..HOUSEHOLD_IDS, index(), near()).prop_map(|(id, unit, from)| Change::MakeHousehold { id, unit, from }),
        3 => (index(), index(), near())
            .prop_map(|(household, unit, from)| Change::MoveHousehold { household, unit, from }),
        3 => (index(), vec(index(), 0..4), 0..HOUSEHOLD_IDS, option::of(index()), near()).prop_map(
            |(household, members, id, head, from)| Change::Split {
                household,
                members,
                id,
                head,
                from,
            }
        ),
        2 => (index(), index(), near())
            .prop_map(|(household, into, from)| Change::MergeHouseholds { household, into, from }),
        2 => (index(), index(), near())
            .prop_map(|(household, head, from)| Change::NewHead { household, head, from }),
    ]
}

fn fact_change() -> impl Strategy<Value = Change> + Clone {
    let until = option::weighted(0.4, near_or_far());
    prop_oneof![
        6 => (a_fact(1), worth(), until, select(&DOCUMENTS[..])).prop_map(
            |(fact, worth, until, document)| Change::Record {
                fact,
                worth,
                until,
                document,
            }
        ),
        1 => (0_u8..200).prop_map(|fact| Change::RecordAgain { fact }),
        2 => a_fact(9).prop_map(|fact| Change::Retract { fact }),
        2 => (a_fact(9), -1_i16..8).prop_map(|(fact, after)| Change::EndFact { fact, after }),
    ]
}

fn turn() -> impl Strategy<Value = Turn> {
    let change = prop_oneof![
        3 => insert(),
        3 => unit_change(),
        9 => person_change(),
        6 => household_change(),
        10 => fact_change(),
    ];
    let ending = prop_oneof![
        12 => Just(Ending::Commit),
        2 => Just(Ending::CommitAndClose),
        1 => Just(Ending::CommitAndDrop),
        2 => Just(Ending::Abort),
        1 => Just(Ending::Drop),
    ];
    (
        option::weighted(0.12, 0..DECLARATIONS),
        vec(change, 0..12),
        ending,
    )
        .prop_map(|(adopt, changes, ending)| Turn {
            adopt,
            changes,
            ending,
        })
}

/// An insertion that is refused only if its household ID or its commune does not serve.
fn settler() -> impl Strategy<Value = Change> + Clone {
    let lives = prop_oneof![
        3 => (0_u8..5, 0_u8..2).prop_map(|(id, unit)| Place::NewHousehold { id, unit }),
        3 => index().prop_map(Place::Household),
        1 => (0_u8..2).prop_map(Place::Unit),
    ];
    (lives, select(&BIRTHS[..2]), sex(), 0_i16..4).prop_map(|(lives, birth, sex, from)| Change::Insert {
        id: None,
        birth,
        sex,
        name: NAMES[0],
        lives,
        from,
        facts: Vec::new(),
    })
}

/// A history. Its first transaction settles a few people, so that there is somebody to make changes to.
pub fn history() -> impl Strategy<Value = History> {
    (vec(settler(), 2..10), vec(turn(), 1..14)).prop_map(|(changes, mut turns)| {
        let settling = Turn {
            adopt: None,
            changes,
            ending: Ending::Commit,
        };
        turns.insert(0, settling);
        History(turns)
    })
}
