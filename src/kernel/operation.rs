//! Operations: every change that a transaction can make, what it answers, and why it is refused.
//!
//! An operation is also what the log's payload holds, so its form is part of the file format.

use bincode::{Decode, Encode};
use thiserror::Error;

use super::catalogue::{AdoptError, ValueError};
use super::units::{UnitDeclaration, UnitName};
use crate::types::Dossier;
use crate::types::{
    AttributeNumber, BirthDate, CommuneCode, Date, HouseholdId, HouseholdNumber, Identifier, Month,
    PersonNumber, ProgrammeNumber, Sex, UnitNumber, Value,
};

/// The longest document text of a fact (decision number and date), in bytes.
pub const DOCUMENT_BYTES_MAX: usize = 120;
/// The greatest number of documents of values that a person's record begins with.
pub const DOCUMENTS_MAX: usize = 64;
/// The longest name, address or account of a person, in bytes.
pub const DOSSIER_TEXT_BYTES_MAX: usize = 400;
/// The greatest number of operations in one transaction; larger loads are bulk loads.
pub const OPERATIONS_MAX: usize = 100_000;
/// The greatest number of people that one household ever had.
pub const MEMBERS_MAX: usize = 1_000;

/// What a fact is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
pub enum Subject {
    /// A person.
    Person(PersonNumber),
    /// A household.
    Household(HouseholdNumber),
    /// A unit (commune) for the time in which it exists.
    Commune(UnitNumber),
}

impl From<PersonNumber> for Subject {
    fn from(person: PersonNumber) -> Self {
        Self::Person(person)
    }
}

impl From<HouseholdNumber> for Subject {
    fn from(household: HouseholdNumber) -> Self {
        Self::Household(household)
    }
}

impl From<UnitNumber> for Subject {
    fn from(unit: UnitNumber) -> Self {
        Self::Commune(unit)
    }
}

/// A value given with a new person or household.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct InitialFact {
    /// The attribute.
    pub attribute: AttributeNumber,
    /// The value.
    pub value: Value,
    /// The first month in which it holds; `None` for since the record began.
    pub from: Option<Month>,
    /// The last month in which it holds, if any.
    pub until: Option<Month>,
    /// The document that it rests on; may be empty.
    pub document: String,
}

/// Where a person lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub enum Destination {
    /// In a household that the registry has, wherever that lives.
    Household(HouseholdNumber),
    /// In a household that begins with this person, in a unit.
    NewHousehold(HouseholdId, UnitNumber),
    /// In a unit, without a household.
    Unit(UnitNumber),
    /// Not in the country, or not known where: in no unit and in no household. The month given with it is the first in
    /// which the person no longer belongs to the people of any unit. Where the month of leaving still counts, as the
    /// month of death does, that is the month after.
    Away,
}

/// A new person.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct NewPerson {
    /// The personal or provisional ID; without one the registry gives a provisional ID.
    pub identifier: Option<Identifier>,
    /// Birth date.
    pub birth: BirthDate,
    /// Sex.
    pub sex: Sex,
    /// Where the person lives from the month `from` on.
    pub lives: Destination,
    /// The month from which the record begins.
    pub from: Month,
    /// Facts; at most one for an attribute and a month.
    pub facts: Vec<InitialFact>,
    /// Name, address, account.
    pub dossier: Dossier,
}

/// A change.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum Operation {
    /// Adds an administrative unit.
    AddUnit(UnitDeclaration),
    /// Gives a unit another name or kind from a month on.
    RenameUnit {
        /// The unit.
        unit: UnitNumber,
        /// What it is called, and since when; later than every name that it has.
        name: UnitName,
    },
    /// Ends a unit. With a successor everyone who lives there belongs to the successor from the month after;
    /// without one nobody may live there any more.
    EndUnit {
        /// The unit.
        unit: UnitNumber,
        /// Its last month.
        last: Month,
        /// The unit that takes its place.
        successor: Option<UnitNumber>,
    },
    /// Makes a household without members yet.
    MakeHousehold {
        /// The outside ID.
        id: HouseholdId,
        /// The unit in which it lives.
        unit: UnitNumber,
        /// The month from which its record begins.
        from: Month,
    },
    /// Inserts a person. Repeating it answers `Exists` or `ExistsWithDifferent`, if it carries an ID.
    InsertPerson(Box<NewPerson>),
    /// Gives a person an ID, the first or a corrected one. Earlier ones go on leading to the person.
    ///
    /// The ID of a record that was entered in error, or that was merged into this person's, goes over to this person;
    /// that record has a provisional ID from then on. The same holds where a person is inserted with the ID of a record
    /// that was entered in error.
    AssignIdentifier {
        /// The person.
        person: PersonNumber,
        /// The ID that holds from now on.
        identifier: Identifier,
    },
    /// Corrects the birth date, for all months.
    CorrectBirth {
        /// The person.
        person: PersonNumber,
        /// The right date.
        birth: BirthDate,
    },
    /// Corrects the sex, for all months.
    CorrectSex {
        /// The person.
        person: PersonNumber,
        /// The right sex.
        sex: Sex,
    },
    /// Replaces name, address, account and documents.
    CorrectDossier {
        /// The person.
        person: PersonNumber,
        /// The new dossier.
        dossier: Dossier,
    },
    /// Marks a record as entered in error: it leaves every later run.
    MarkEnteredInError {
        /// The person.
        person: PersonNumber,
    },
    /// Two records are of one person: one is merged into the other and leaves every later run.
    MergePerson {
        /// The record that is left.
        duplicate: PersonNumber,
        /// The record that stays.
        into: PersonNumber,
    },
    /// A person lives elsewhere from a month on.
    MovePerson {
        /// The person.
        person: PersonNumber,
        /// Where to.
        to: Destination,
        /// The first month there.
        from: Month,
    },
    /// A household lives in another unit from a month on, with everyone in it.
    MoveHousehold {
        /// The household.
        household: HouseholdNumber,
        /// The unit.
        unit: UnitNumber,
        /// The first month there.
        from: Month,
    },
    /// Some members form a household of their own from a month on, in the same unit. It takes over the facts
    /// of the old household that are in force in that month, with their last months.
    SplitHousehold {
        /// The household that they leave.
        household: HouseholdNumber,
        /// Who leaves: members in that month, at least one.
        members: Vec<PersonNumber>,
        /// The outside ID of the new household.
        id: HouseholdId,
        /// The head of the new household, one of those who leave.
        head: Option<PersonNumber>,
        /// The first month.
        from: Month,
    },
    /// All members of one household belong to another from a month on.
    MergeHouseholds {
        /// The household that is left.
        household: HouseholdNumber,
        /// The household that they join.
        into: HouseholdNumber,
        /// The first month.
        from: Month,
    },
    /// Another member is the head from a month on.
    ChangeHead {
        /// The household.
        household: HouseholdNumber,
        /// A member in that month.
        head: PersonNumber,
        /// The first month.
        from: Month,
    },
    /// Records a fact.
    Record {
        /// What it is about.
        subject: Subject,
        /// The attribute; not one of the kernel's own.
        attribute: AttributeNumber,
        /// The value.
        value: Value,
        /// The first month in which it holds.
        from: Month,
        /// The last month in which it holds, if any.
        until: Option<Month>,
        /// The document that it rests on; may be empty.
        document: String,
    },
    /// Withdraws what was recorded with this valid-from month: resolution goes on to the month before it.
    Retract {
        /// What the fact is about.
        subject: Subject,
        /// The attribute; not one of the kernel's own.
        attribute: AttributeNumber,
        /// The valid-from month of the fact.
        from: Month,
    },
    /// Gives the fact in force in a month that month as its last.
    EndFact {
        /// What the fact is about.
        subject: Subject,
        /// The attribute; not one of the kernel's own.
        attribute: AttributeNumber,
        /// The last month in which it holds.
        last: Month,
    },
    /// Records a death, or corrects its date.
    RecordDeath {
        /// The person.
        person: PersonNumber,
        /// The date.
        date: Date,
        /// The document that it rests on; may be empty.
        document: String,
    },
    /// Withdraws a death that was recorded by mistake.
    RetractDeath {
        /// The person.
        person: PersonNumber,
    },
    /// Changes an enrolment by a decision.
    Decide {
        /// The person.
        person: PersonNumber,
        /// The programme.
        programme: ProgrammeNumber,
        /// What is decided.
        decision: Decision,
        /// The month from which it holds.
        from: Month,
        /// The decision's number and date; may be empty.
        document: String,
    },
}

/// What a decision does to an enrolment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Encode, Decode)]
pub enum Decision {
    /// Starts it: before, there is none or an ended one.
    Enrol,
    /// Suspends it: before, it is active.
    Suspend,
    /// Resumes it: before, it is suspended.
    Resume,
    /// Ends it: before, it is active or suspended.
    End,
}

/// What an operation did. An operation may be repeated: what is already so is answered as such.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Answer {
    /// A person was inserted.
    PersonCreated(PersonNumber),
    /// The person is there already, just so.
    PersonExists(PersonNumber),
    /// A person with this ID is there, but differs in a field. Nothing was changed.
    PersonExistsWithDifferent {
        /// The person that is there.
        person: PersonNumber,
        /// The field that differs.
        field: Field,
    },
    /// A household was made.
    HouseholdCreated(HouseholdNumber),
    /// A unit was added.
    UnitCreated(UnitNumber),
    /// The unit is there already, just so.
    UnitExists(UnitNumber),
    /// The change was made.
    Done,
    /// It was so already; nothing was changed.
    Unchanged,
}

/// A field by which an existing person differs from one that is inserted again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Field {
    /// The birth date.
    BirthDate,
    /// The sex.
    Sex,
    /// The name.
    Name,
}

/// Why an operation is refused. The transaction is as it was before the operation.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Refusal {
    /// No such person.
    #[error("{0} is not in the registry; look the person up by ID first")]
    NoPerson(PersonNumber),
    /// No such household.
    #[error("{0} is not in the registry; look the household up by ID first")]
    NoHousehold(HouseholdNumber),
    /// No such unit.
    #[error("{0} is not in the registry; add the unit first")]
    NoUnit(UnitNumber),
    /// No such programme.
    #[error("{0} is not in the catalogue; adopt a pack that declares it")]
    NoProgramme(ProgrammeNumber),
    /// The programme needs no decision, so there are no enrolments.
    #[error("programme {0:?} needs no decision, so there is nothing to enrol in")]
    NoEnrolment(String),
    /// No attribute of this number for this kind of subject.
    #[error("{attribute} is no attribute of a {subject} in the catalogue")]
    NoAttribute {
        /// The number.
        attribute: AttributeNumber,
        /// `person`, `household` or `commune`.
        subject: &'static str,
    },
    /// The value does not fit.
    #[error(transparent)]
    Value(#[from] ValueError),
    /// The ID belongs to another.
    #[error("ID {identifier} belongs to {holder}; correct or merge that record first")]
    IdentifierTaken {
        /// The ID, masked.
        identifier: String,
        /// Who has it.
        holder: PersonNumber,
    },
    /// The household ID is in use.
    #[error("household ID {id} belongs to {holder}; choose another ID, or move the people there")]
    HouseholdIdTaken {
        /// The ID.
        id: HouseholdId,
        /// The household that has it.
        holder: HouseholdNumber,
    },
    /// The unit does not exist in the month.
    #[error("commune {code} does not exist in {month}; it exists from {from}{}", until(.last.as_ref()))]
    UnitNotInForce {
        /// The code.
        code: CommuneCode,
        /// The month asked for.
        month: Month,
        /// Its first month.
        from: Month,
        /// Its last month, if it has one.
        last: Option<Month>,
    },
    /// A unit of this code exists in overlapping months.
    #[error("commune {code} exists already from {from} as {holder}; end that unit first")]
    UnitCodeTaken {
        /// The code.
        code: CommuneCode,
        /// Its first month.
        from: Month,
        /// The unit that has it.
        holder: UnitNumber,
    },
    /// Units and names: what is wrong.
    #[error("unit {code}: {problem}")]
    UnitUnfit {
        /// The code.
        code: CommuneCode,
        /// What is wrong and what was expected.
        problem: String,
    },
    /// People would be left in a unit that ends without a successor.
    #[error("{people} people still live in {code} after {last}; move them first, or name the successor")]
    UnitInhabited {
        /// The code.
        code: CommuneCode,
        /// Its last month.
        last: Month,
        /// How many.
        people: u64,
    },
    /// The household lives nowhere in that month: its record begins later.
    #[error(
        "{household} lives nowhere in {month}; record where it lived then with a move, or choose a later month"
    )]
    HouseholdNowhere {
        /// The household.
        household: HouseholdNumber,
        /// The month.
        month: Month,
    },
    /// A person given with a household and another commune: a household cannot live in two.
    #[error(
        "household {id} lives in commune {found} in {month}, not in {expected}: a household lives in one commune; move it, or give the person another household"
    )]
    HouseholdElsewhere {
        /// The household's outside ID.
        id: HouseholdId,
        /// Where it lives.
        found: CommuneCode,
        /// Where it was said to live.
        expected: CommuneCode,
        /// The month.
        month: Month,
    },
    /// Not a member of the household in that month.
    #[error("{person} is not a member of {household} in {month}")]
    NotMember {
        /// The person.
        person: PersonNumber,
        /// The household.
        household: HouseholdNumber,
        /// The month.
        month: Month,
    },
    /// A household with itself, or a person with themselves.
    #[error("{what} cannot be {relation} itself")]
    Itself {
        /// The person or household.
        what: String,
        /// The relation.
        relation: &'static str,
    },
    /// A fact of a person that refers to the same person.
    #[error("{attribute:?} of a person cannot be the person themselves; give the ID of somebody else")]
    OwnReference {
        /// The attribute.
        attribute: String,
    },
    /// The record was marked as entered in error, or merged, so it takes no more changes.
    #[error("{person} {state}; {advice}")]
    RecordClosed {
        /// The person.
        person: PersonNumber,
        /// `was entered in error` or `was merged into person #n`.
        state: String,
        /// What to do instead.
        advice: &'static str,
    },
    /// Nothing to retract or to end.
    #[error("{subject} has no fact of {attribute:?} {when}; see its history for what is recorded")]
    NoFact {
        /// What it would be about.
        subject: String,
        /// The attribute.
        attribute: String,
        /// `valid from 2026-03` or `in force in 2026-03`.
        when: String,
    },
    /// A last month before the first.
    #[error("the last month {until} is before the first month {from}; correct one of them")]
    EndsBeforeStart {
        /// The first month.
        from: Month,
        /// The last month.
        until: Month,
    },
    /// A month before the birth.
    #[error("{month} is before the birth of the person ({birth}); check the month and the birth date")]
    BeforeBirth {
        /// The month given.
        month: Month,
        /// The birth date.
        birth: BirthDate,
    },
    /// The enrolment is in another state than the decision needs.
    #[error("the enrolment of {person} in {programme:?} is {found} in {month}; expected {expected}")]
    EnrolmentState {
        /// The person.
        person: PersonNumber,
        /// The programme.
        programme: String,
        /// The state in that month.
        found: &'static str,
        /// The states from which the decision can be made.
        expected: &'static str,
        /// The month.
        month: Month,
    },
    /// Two facts of one attribute with one valid-from month in one new record.
    #[error("{attribute:?} is given twice for the same first month; give each month once")]
    GivenTwice {
        /// The attribute.
        attribute: String,
    },
    /// A household of a bulk load that contradicts itself.
    #[error("household {household}: {problem}")]
    HouseholdUnfit {
        /// The outside ID, or `without ID`.
        household: String,
        /// What is wrong and what was expected.
        problem: String,
    },
    /// A split without anyone.
    #[error("a household splits off at least one member; none was named")]
    NobodyLeaves,
    /// A named limit.
    #[error("{what}: found {found}, at most {max} fit; give less")]
    Limit {
        /// What.
        what: &'static str,
        /// How many were found.
        found: u64,
        /// The limit.
        max: u64,
    },
    /// A pack that the catalogue cannot adopt.
    #[error(transparent)]
    Adopt(#[from] AdoptError),
}

fn until(last: Option<&Month>) -> String {
    last.map_or_else(String::new, |last| format!(" until {last}"))
}
