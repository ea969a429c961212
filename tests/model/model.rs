//! The registry in memory, as plainly as it can be said: lists of records, and functions that scan them.
//!
//! Nothing here is fast, shared or stored. Each function is the meaning of one read or one operation, so that
//! the kernel can be compared with it. Where more than one meaning was possible, it has this one:
//!
//! - What an operation names is looked up first, then whether the record is closed, then whether everything fits,
//!   and only then whether it is so already. But what is inserted, added, ended, marked or merged a second time is
//!   answered as such, whatever has become of the rest since.
//! - A move always makes a record, even to where the person or household is. Only `ChangeHead` makes none then.
//! - A household lives nowhere before its first residence, and after its unit has ended without a successor.
//! - A head, or a member who splits off, need not be present, only a member whose record is not closed.
//! - A household that splits off takes facts over with their documents, those of retired attributes too. One that
//!   begins with a person has no head.
//! - Under a retired attribute nothing is recorded, retracted, ended or decided; what stands is still read, and
//!   expires as the newest catalogue says.
//! - A fact, a move or a corrected birth date may contradict the birth date; an insertion or a death may not.
//! - An initial fact may begin before the record does.
//! - The successors of a unit never lead back to it.
//! - A death of the same date is the same death, whatever its document.

use std::collections::BTreeMap;

use ansinh::kernel::catalogue::{
    AdoptError, Adoption, Catalogue, Declaration, EnrolmentState, OnExpiry, SubjectKind,
};
use ansinh::kernel::operation::{
    Answer, Decision, Destination, Field, InitialFact, NewPerson, Operation, Subject,
};
use ansinh::kernel::state::{CommuneState, Content, FactRecord, HouseholdState, PersonState};
use ansinh::kernel::units::{UnitDeclaration, UnitEnd, UnitName};
use ansinh::types::Dossier;
use ansinh::types::{
    AttributeNumber, BirthDate, CommuneCode, Date, HouseholdId, HouseholdNumber, Identifier, Month,
    PersonNumber, ProgrammeNumber, ProvisionalId, Sequence, Sex, UnitNumber, Value,
};

/// An operation that is refused, with a reason for whoever reads a failed test. When several reasons apply,
/// which of them is told is not part of the meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refused(pub &'static str);

/// What an operation comes to.
pub type Outcome = Result<Answer, Refused>;

/// One record of something that holds from a month on; `what` is `None` in a retraction.
#[derive(Debug, Clone)]
struct Record<T> {
    from: Month,
    recorded: Sequence,
    what: Option<T>,
}

/// What a fact says.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Said {
    value: Value,
    until: Option<Month>,
    document: String,
}

type Facts = BTreeMap<AttributeNumber, Vec<Record<Said>>>;

/// Adds a record. Of two in one transaction with the same first month the later takes the place of the former.
fn put<T>(records: &mut Vec<Record<T>>, from: Month, recorded: Sequence, what: Option<T>) {
    records.retain(|record| (record.from, record.recorded) != (from, recorded));
    records.push(Record { from, recorded, what });
}

/// The record that decides in a month, as known: that of the greatest first month not after the month; of several
/// with that first month the last one; where that is a retraction, the first month before it is asked.
fn resolve<T>(records: &[Record<T>], month: Month, known: Sequence) -> Option<&Record<T>> {
    let candidates: Vec<&Record<T>> = records
        .iter()
        .filter(|record| record.recorded <= known && record.from <= month)
        .collect();
    let mut first_months: Vec<Month> = candidates.iter().map(|record| record.from).collect();
    first_months.sort_unstable();
    first_months.dedup();
    first_months.into_iter().rev().find_map(|first| {
        let last = candidates.iter().rfind(|record| record.from == first)?;
        last.what.is_some().then_some(*last)
    })
}

/// What was said last by a sequence, of something that holds for all months.
fn as_known<T: Clone>(said: &[(Sequence, T)], known: Sequence) -> Option<T> {
    let last = said.iter().rfind(|(recorded, _)| *recorded <= known);
    last.map(|(_, what)| what.clone())
}

#[derive(Debug, Clone)]
struct Person {
    recorded: Sequence,
    births: Vec<(Sequence, BirthDate)>,
    sexes: Vec<(Sequence, Sex)>,
    dossiers: Vec<(Sequence, Dossier)>,
    deaths: Vec<(Sequence, Option<Date>)>,
    entered_in_error: Option<Sequence>,
    merged_into: Option<(Sequence, PersonNumber)>,
    membership: Vec<Record<Option<HouseholdNumber>>>,
    residence: Vec<Record<Option<UnitNumber>>>,
    facts: Facts,
}

#[derive(Debug, Clone)]
struct Household {
    id: HouseholdId,
    recorded: Sequence,
    residence: Vec<Record<UnitNumber>>,
    head: Vec<Record<PersonNumber>>,
    facts: Facts,
}

#[derive(Debug, Clone)]
struct Unit {
    declared: UnitDeclaration,
    recorded: Sequence,
    end: Option<UnitEnd>,
    renames: Vec<UnitName>,
    facts: Facts,
}

impl Person {
    fn birth(&self) -> BirthDate {
        as_known(&self.births, Sequence::NEWEST).expect("an insertion gives a birth date")
    }

    fn is_closed(&self) -> bool {
        self.entered_in_error.is_some() || self.merged_into.is_some()
    }

    fn member_of(&self, month: Month, known: Sequence) -> Option<HouseholdNumber> {
        resolve(&self.membership, month, known)?.what?
    }
}

impl Unit {
    fn exists_in(&self, month: Month, known: Sequence) -> bool {
        let ended = self
            .end
            .is_some_and(|end| end.recorded <= known && month > end.last);
        self.recorded <= known && self.declared.from <= month && !ended
    }
}

/// Everybody and everything in one month, as known at one sequence; each list in the order of the numbers, with
/// `None` for what is not known yet.
#[derive(Debug, Clone)]
pub struct Picture {
    /// The people.
    pub people: Vec<Option<PersonState>>,
    /// The households.
    pub households: Vec<Option<HouseholdState>>,
    /// The units.
    pub communes: Vec<Option<CommuneState>>,
}

/// A registry.
#[derive(Debug, Clone)]
pub struct Model {
    /// The transaction under way, or else the last one.
    pub sequence: Sequence,
    catalogue: Catalogue,
    people: Vec<Person>,
    households: Vec<Household>,
    units: Vec<Unit>,
    given: Vec<(Sequence, Identifier, PersonNumber)>,
}

/// Reads.
impl Model {
    /// A registry without anything.
    pub fn new() -> Self {
        Self {
            sequence: Sequence::ZERO,
            catalogue: Catalogue::default(),
            people: Vec::new(),
            households: Vec::new(),
            units: Vec::new(),
            given: Vec::new(),
        }
    }

    /// The registry as the next transaction finds it.
    pub fn draft(&self) -> Self {
        let mut draft = self.clone();
        draft.sequence.0 += 1;
        draft
    }

    pub fn catalogue(&self) -> &Catalogue {
        &self.catalogue
    }

    pub fn people_numbers(&self) -> impl Iterator<Item = PersonNumber> + use<> {
        (1..=self.people.len() as u32).map(PersonNumber)
    }

    pub fn household_numbers(&self) -> impl Iterator<Item = HouseholdNumber> + use<> {
        (1..=self.households.len() as u32).map(HouseholdNumber)
    }

    pub fn unit_numbers(&self) -> impl Iterator<Item = UnitNumber> + use<> {
        (1..=self.units.len() as u16).map(UnitNumber)
    }

    /// Everything that facts can be about.
    pub fn subjects(&self) -> Vec<Subject> {
        let people = self.people_numbers().map(Subject::Person);
        let households = self.household_numbers().map(Subject::Household);
        let units = self.unit_numbers().map(Subject::Commune);
        people.chain(households).chain(units).collect()
    }

    /// The person to whom an ID was last given, whether or not it is still that person's current ID.
    pub fn find_person(&self, identifier: Identifier, known: Sequence) -> Option<PersonNumber> {
        let last = self
            .given
            .iter()
            .rfind(|(recorded, id, _)| *recorded <= known && *id == identifier);
        last.map(|(_, _, person)| *person)
    }

    pub fn find_household(&self, id: HouseholdId, known: Sequence) -> Option<HouseholdNumber> {
        self.household_numbers().find(|number| {
            let household = &self.households[number.0 as usize - 1];
            household.id == id && household.recorded <= known
        })
    }

    pub fn find_unit(&self, code: CommuneCode, month: Month, known: Sequence) -> Option<UnitNumber> {
        self.unit_numbers().find(|number| {
            let unit = &self.units[number.0 as usize - 1];
            unit.declared.code == code && unit.exists_in(month, known)
        })
    }

    pub fn picture(&self, month: Month, known: Sequence) -> Picture {
        let people: Vec<_> = self
            .people_numbers()
            .map(|number| self.person(number, month, known))
            .collect();
        let present: Vec<&PersonState> = people.iter().flatten().filter(|person| person.present).collect();
        let households = self
            .household_numbers()
            .map(|number| self.household(number, month, known, &present))
            .collect();
        let communes = self
            .unit_numbers()
            .map(|number| self.commune(number, month, known, &present))
            .collect();
        Picture {
            people,
            households,
            communes,
        }
    }

    pub fn person(&self, number: PersonNumber, month: Month, known: Sequence) -> Option<PersonState> {
        let person = self.people.get((number.0 as usize).checked_sub(1)?)?;
        if person.recorded > known {
            return None;
        }
        let birth = as_known(&person.births, known)?;
        let death = as_known(&person.deaths, known).flatten();
        let entered_in_error = person.entered_in_error.is_some_and(|recorded| recorded <= known);
        let merged_into = person
            .merged_into
            .filter(|(recorded, _)| *recorded <= known)
            .map(|(_, into)| into);
        let household = person.member_of(month, known);
        let unit = match household {
            Some(household) => self.home_of(household, month, known),
            None => resolve(&person.residence, month, known)
                .and_then(|record| record.what.flatten())
                .and_then(|unit| self.follow(unit, month, known)),
        };
        let born = birth.earliest_month() <= month;
        let alive = death.is_none_or(|date| month <= date.month());
        Some(PersonState {
            number,
            identifier: self.identifier_of(number, known)?,
            birth,
            sex: as_known(&person.sexes, known)?,
            entered_in_error,
            merged_into,
            death: death.filter(|date| date.month() <= month),
            household,
            unit,
            present: born && alive && unit.is_some() && !entered_in_error && merged_into.is_none(),
            values: self.values(&person.facts, month, known),
        })
    }

    fn household(
        &self,
        number: HouseholdNumber,
        month: Month,
        known: Sequence,
        present: &[&PersonState],
    ) -> Option<HouseholdState> {
        let household = &self.households[number.0 as usize - 1];
        let members = present.iter().filter(|person| person.household == Some(number));
        (household.recorded <= known).then(|| HouseholdState {
            number,
            id: household.id,
            unit: self.home_of(number, month, known),
            head: resolve(&household.head, month, known).and_then(|record| record.what),
            members: members.map(|person| person.number).collect(),
            values: self.values(&household.facts, month, known),
        })
    }

    fn commune(
        &self,
        number: UnitNumber,
        month: Month,
        known: Sequence,
        present: &[&PersonState],
    ) -> Option<CommuneState> {
        let unit = &self.units[number.0 as usize - 1];
        let residents = present.iter().filter(|person| person.unit == Some(number));
        (unit.recorded <= known).then(|| CommuneState {
            unit: number,
            values: self.values(&unit.facts, month, known),
            residents: residents.map(|person| person.number).collect(),
        })
    }

    /// Every record of the declared attributes, by attribute, first month and sequence.
    pub fn history(&self, subject: Subject) -> Vec<FactRecord> {
        let mut history = Vec::new();
        for (attribute, records) in self.facts(subject).into_iter().flatten() {
            let mut records: Vec<&Record<Said>> = records.iter().collect();
            records.sort_by_key(|record| (record.from, record.recorded));
            history.extend(records.into_iter().map(|record| FactRecord {
                attribute: *attribute,
                from: record.from,
                recorded: record.recorded,
                content: match record.what.clone() {
                    Some(said) => Content::Value {
                        value: said.value,
                        until: said.until,
                        document: said.document,
                    },
                    None => Content::Retracted,
                },
            }));
        }
        history
    }

    /// Whose membership resolves to a household, as newest known: present or not, closed or not.
    pub fn membership(&self, household: HouseholdNumber, month: Month) -> Vec<PersonNumber> {
        self.people_numbers()
            .filter(|number| {
                let person = &self.people[number.0 as usize - 1];
                person.member_of(month, Sequence::NEWEST) == Some(household)
            })
            .collect()
    }

    /// What was declared of a unit, the names that it got later, and its last month.
    pub fn unit(&self, number: UnitNumber) -> Option<(&UnitDeclaration, &[UnitName], Option<Month>)> {
        let unit = self.units.get((number.0 as usize).checked_sub(1)?)?;
        Some((&unit.declared, &unit.renames, unit.end.map(|end| end.last)))
    }

    fn facts(&self, subject: Subject) -> Option<&Facts> {
        match subject {
            Subject::Person(number) => {
                let person = self.people.get((number.0 as usize).checked_sub(1)?)?;
                Some(&person.facts)
            }
            Subject::Household(number) => {
                let household = self.households.get((number.0 as usize).checked_sub(1)?)?;
                Some(&household.facts)
            }
            Subject::Commune(number) => {
                let unit = self.units.get((number.0 as usize).checked_sub(1)?)?;
                Some(&unit.facts)
            }
        }
    }

    fn facts_mut(&mut self, subject: Subject) -> &mut Facts {
        match subject {
            Subject::Person(number) => &mut self.people[number.0 as usize - 1].facts,
            Subject::Household(number) => &mut self.households[number.0 as usize - 1].facts,
            Subject::Commune(number) => &mut self.units[number.0 as usize - 1].facts,
        }
    }

    fn values(&self, facts: &Facts, month: Month, known: Sequence) -> BTreeMap<AttributeNumber, Value> {
        let mut values = BTreeMap::new();
        for (attribute, records) in facts {
            if let Some(value) = self.value(*attribute, records, month, known) {
                values.insert(*attribute, value);
            }
        }
        values
    }

    /// The value on record in a month; after its last month, what the attribute declares for that.
    fn value(
        &self,
        attribute: AttributeNumber,
        records: &[Record<Said>],
        month: Month,
        known: Sequence,
    ) -> Option<Value> {
        let said = resolve(records, month, known)?.what.as_ref()?;
        if said.until.is_none_or(|until| month <= until) {
            return Some(said.value);
        }
        match self.catalogue.attribute_by_number(attribute)?.on_expiry {
            OnExpiry::Keep => Some(said.value),
            OnExpiry::Unknown => Some(Value::Unknown),
            OnExpiry::Absent => None,
        }
    }

    fn identifier_of(&self, person: PersonNumber, known: Sequence) -> Option<Identifier> {
        let last = self
            .given
            .iter()
            .rfind(|(recorded, _, holder)| *recorded <= known && *holder == person);
        last.map(|(_, identifier, _)| *identifier)
    }

    /// Whose current ID this is.
    fn holder(&self, identifier: Identifier) -> Option<PersonNumber> {
        // A record entered in error does not keep the ID of a real person.
        let in_error = |number: &PersonNumber| self.people[number.0 as usize - 1].entered_in_error.is_some();
        self.people_numbers().find(|number| {
            !in_error(number) && self.identifier_of(*number, Sequence::NEWEST) == Some(identifier)
        })
    }

    /// Where a household lives.
    fn home_of(&self, household: HouseholdNumber, month: Month, known: Sequence) -> Option<UnitNumber> {
        let household = &self.households[household.0 as usize - 1];
        let unit = resolve(&household.residence, month, known)?.what?;
        self.follow(unit, month, known)
    }

    /// The unit to which those belong in a month who were recorded as living in `unit`.
    fn follow(&self, mut unit: UnitNumber, month: Month, known: Sequence) -> Option<UnitNumber> {
        loop {
            match self.units[unit.0 as usize - 1].end {
                Some(end) if end.recorded <= known && month > end.last => unit = end.successor?,
                _ => return Some(unit),
            }
        }
    }
}

/// What operations require.
impl Model {
    fn require(holds: bool, otherwise: &'static str) -> Result<(), Refused> {
        if holds { Ok(()) } else { Err(Refused(otherwise)) }
    }

    fn existing_person(&self, number: PersonNumber) -> Result<&Person, Refused> {
        let index = (number.0 as usize).checked_sub(1);
        index
            .and_then(|index| self.people.get(index))
            .ok_or(Refused("no such person"))
    }

    fn open_person(&self, number: PersonNumber) -> Result<&Person, Refused> {
        let person = self.existing_person(number)?;
        Self::require(!person.is_closed(), "the record is closed")?;
        Ok(person)
    }

    /// For changes to a person who was found open.
    fn change(&mut self, number: PersonNumber) -> &mut Person {
        &mut self.people[number.0 as usize - 1]
    }

    fn existing_household(&self, number: HouseholdNumber) -> Result<&Household, Refused> {
        let index = (number.0 as usize).checked_sub(1);
        index
            .and_then(|index| self.households.get(index))
            .ok_or(Refused("no such household"))
    }

    fn existing_unit(&self, number: UnitNumber) -> Result<&Unit, Refused> {
        let index = (number.0 as usize).checked_sub(1);
        index
            .and_then(|index| self.units.get(index))
            .ok_or(Refused("no such unit"))
    }

    fn unit_in_force(&self, number: UnitNumber, month: Month) -> Result<(), Refused> {
        let unit = self.existing_unit(number)?;
        Self::require(
            unit.exists_in(month, Sequence::NEWEST),
            "the unit does not exist in that month",
        )
    }

    fn household_lives_somewhere(
        &self,
        number: HouseholdNumber,
        month: Month,
    ) -> Result<UnitNumber, Refused> {
        self.existing_household(number)?;
        self.home_of(number, month, Sequence::NEWEST)
            .ok_or(Refused("the household lives nowhere in that month"))
    }

    fn household_id_is_free(&self, id: HouseholdId) -> Result<(), Refused> {
        let holder = self.find_household(id, Sequence::NEWEST);
        Self::require(holder.is_none(), "the household ID is in use")
    }

    fn destination_fits(&self, to: Destination, month: Month) -> Result<(), Refused> {
        match to {
            Destination::Household(household) => self.household_lives_somewhere(household, month).map(|_| ()),
            Destination::NewHousehold(id, unit) => {
                self.household_id_is_free(id)?;
                self.unit_in_force(unit, month)
            }
            Destination::Unit(unit) => self.unit_in_force(unit, month),
            Destination::Away => Ok(()),
        }
    }

    fn subject_takes_facts(&self, subject: Subject) -> Result<SubjectKind, Refused> {
        match subject {
            Subject::Person(number) => self.open_person(number).map(|_| SubjectKind::Person),
            Subject::Household(number) => self.existing_household(number).map(|_| SubjectKind::Household),
            Subject::Commune(number) => self.existing_unit(number).map(|_| SubjectKind::Commune),
        }
    }

    fn attribute_fits(&self, kind: SubjectKind, attribute: AttributeNumber) -> Result<(), Refused> {
        let known = self.catalogue.attribute_by_number(attribute);
        let declared = known.filter(|known| known.subject == kind);
        let declared = declared.ok_or(Refused("no such attribute for that kind of subject"))?;
        Self::require(!declared.retired, "the attribute is retired")
    }

    /// What holds for every value that is recorded; `person` is whom the fact is about, if it is about a person.
    fn value_fits(
        &self,
        person: Option<PersonNumber>,
        attribute: AttributeNumber,
        value: Value,
        from: Month,
        until: Option<Month>,
    ) -> Result<(), Refused> {
        let declared = self.catalogue.attribute_by_number(attribute);
        Self::require(
            declared.is_some_and(|declared| declared.admits(value)),
            "the value does not fit the attribute",
        )?;
        Self::require(
            until.is_none_or(|until| from <= until),
            "the last month is before the first",
        )?;
        if let Value::Person(referred) = value {
            Self::require(person != Some(referred), "a person refers to themselves")?;
            self.existing_person(referred)?;
        }
        Ok(())
    }
}

/// Operations: each checks everything first, so that a refusal leaves the model as it was.
impl Model {
    pub fn adopt(&mut self, declaration: &Declaration) -> Result<Adoption, AdoptError> {
        let (catalogue, adoption) = self.catalogue.adopt(declaration)?;
        self.catalogue = catalogue;
        Ok(adoption)
    }

    pub fn apply(&mut self, operation: &Operation) -> Outcome {
        match operation {
            Operation::AddUnit(declaration) => self.add_unit(declaration),
            Operation::RenameUnit { unit, name } => self.rename_unit(*unit, name),
            Operation::EndUnit {
                unit,
                last,
                successor,
            } => self.end_unit(*unit, *last, *successor),
            Operation::MakeHousehold { id, unit, from } => {
                self.household_id_is_free(*id)?;
                self.unit_in_force(*unit, *from)?;
                Ok(Answer::HouseholdCreated(self.new_household(*id, *unit, *from)))
            }
            Operation::InsertPerson(new) => self.insert_person(new),
            Operation::AssignIdentifier { person, identifier } => {
                self.assign_identifier(*person, *identifier)
            }
            Operation::CorrectBirth { person, birth } => self.correct_birth(*person, *birth),
            Operation::CorrectSex { person, sex } => self.correct_sex(*person, *sex),
            Operation::CorrectDossier { person, dossier } => self.correct_dossier(*person, dossier),
            Operation::MarkEnteredInError { person } => self.mark_entered_in_error(*person),
            Operation::MergePerson { duplicate, into } => self.merge_person(*duplicate, *into),
            Operation::MovePerson { person, to, from } => self.move_person(*person, *to, *from),
            Operation::MoveHousehold {
                household,
                unit,
                from,
            } => self.move_household(*household, *unit, *from),
            Operation::SplitHousehold {
                household,
                members,
                id,
                head,
                from,
            } => self.split_household(*household, members, *id, *head, *from),
            Operation::MergeHouseholds {
                household,
                into,
                from,
            } => self.merge_households(*household, *into, *from),
            Operation::ChangeHead {
                household,
                head,
                from,
            } => self.change_head(*household, *head, *from),
            Operation::Record {
                subject,
                attribute,
                value,
                from,
                until,
                document,
            } => {
                let said = Said {
                    value: *value,
                    until: *until,
                    document: document.clone(),
                };
                self.record(*subject, *attribute, *from, said)
            }
            Operation::Retract {
                subject,
                attribute,
                from,
            } => self.retract(*subject, *attribute, *from),
            Operation::EndFact {
                subject,
                attribute,
                last,
            } => self.end_fact(*subject, *attribute, *last),
            Operation::RecordDeath { person, date, .. } => self.record_death(*person, *date),
            Operation::RetractDeath { person } => self.retract_death(*person),
            Operation::Decide {
                person,
                programme,
                decision,
                from,
                document,
            } => self.decide(*person, *programme, *decision, *from, document),
        }
    }

    fn add_unit(&mut self, declaration: &UnitDeclaration) -> Outcome {
        if let Some(same) = self.units.iter().position(|unit| unit.declared == *declaration) {
            return Ok(Answer::UnitExists(UnitNumber(same as u16 + 1)));
        }
        let overlaps = self.units.iter().any(|unit| {
            unit.declared.code == declaration.code && unit.end.is_none_or(|end| declaration.from <= end.last)
        });
        Self::require(!overlaps, "the code is in use in these months")?;
        self.units.push(Unit {
            declared: declaration.clone(),
            recorded: self.sequence,
            end: None,
            renames: Vec::new(),
            facts: Facts::new(),
        });
        Ok(Answer::UnitCreated(UnitNumber(self.units.len() as u16)))
    }

    fn rename_unit(&mut self, number: UnitNumber, name: &UnitName) -> Outcome {
        let unit = self.existing_unit(number)?;
        let later = unit
            .declared
            .names
            .iter()
            .chain(&unit.renames)
            .all(|earlier| earlier.from < name.from);
        Self::require(later, "the unit has a later name")?;
        self.units[number.0 as usize - 1].renames.push(name.clone());
        Ok(Answer::Done)
    }

    fn end_unit(&mut self, number: UnitNumber, last: Month, successor: Option<UnitNumber>) -> Outcome {
        let unit = self.existing_unit(number)?;
        if let Some(end) = unit.end {
            Self::require(
                (end.last, end.successor) == (last, successor),
                "the unit has another end already",
            )?;
            return Ok(Answer::Unchanged);
        }
        Self::require(unit.declared.from <= last, "the unit would end before it begins")?;
        match successor {
            Some(successor) => {
                Self::require(successor != number, "a unit cannot succeed itself")?;
                self.unit_in_force(successor, last.next())?;
                Self::require(
                    !self.leads_to(successor, number),
                    "the successor's own successors lead back to the unit",
                )?;
            }
            None => Self::require(!self.is_inhabited_after(number, last), "people live there after")?,
        }
        self.units[number.0 as usize - 1].end = Some(UnitEnd {
            last,
            successor,
            recorded: self.sequence,
        });
        Ok(Answer::Done)
    }

    /// Whether a unit's successors, one after the other, come to a unit.
    fn leads_to(&self, from: UnitNumber, to: UnitNumber) -> bool {
        let mut unit = Some(from);
        while let Some(number) = unit {
            if number == to {
                return true;
            }
            unit = self.units[number.0 as usize - 1]
                .end
                .and_then(|end| end.successor);
        }
        false
    }

    /// Whether anybody is present in a unit in a month after `last`. Somebody begins to be present in a unit only in
    /// a month in which a record begins, a person is born or another unit has just ended.
    fn is_inhabited_after(&self, unit: UnitNumber, last: Month) -> bool {
        let mut months = vec![last.next()];
        for person in &self.people {
            months.push(person.birth().earliest_month());
            months.extend(person.membership.iter().map(|record| record.from));
            months.extend(person.residence.iter().map(|record| record.from));
        }
        for household in &self.households {
            months.extend(household.residence.iter().map(|record| record.from));
        }
        months.extend(
            self.units
                .iter()
                .filter_map(|unit| unit.end)
                .map(|end| end.last.next()),
        );
        months.into_iter().filter(|month| *month > last).any(|month| {
            self.people_numbers()
                .filter_map(|number| self.person(number, month, Sequence::NEWEST))
                .any(|person| person.present && person.unit == Some(unit))
        })
    }

    fn insert_person(&mut self, new: &NewPerson) -> Outcome {
        let mut taken_from = None;
        if let Some(identifier) = new.identifier {
            if let Some(holder) = self.holder(identifier) {
                return Ok(self.compare_with(holder, new));
            }
            let former = self.find_person(identifier, Sequence::NEWEST);
            let in_error =
                former.is_none_or(|former| self.people[former.0 as usize - 1].entered_in_error.is_some());
            Self::require(in_error, "the ID was somebody's")?;
            taken_from = former;
        }
        let earliest = new.birth.earliest_month();
        Self::require(earliest <= new.from, "the record begins before the birth")?;
        self.destination_fits(new.lives, new.from)?;
        self.initial_facts_fit(new)?;

        let number = PersonNumber(self.people.len() as u32 + 1);
        let identifier = new.identifier.unwrap_or_else(|| {
            let provisional = ProvisionalId::from_number(u64::from(number.0));
            Identifier::Provisional(provisional.expect("person numbers are small"))
        });
        if let Some(before) = taken_from {
            self.leave_identifier(before, identifier);
        }
        self.given.push((self.sequence, identifier, number));
        self.people.push(Person {
            recorded: self.sequence,
            births: vec![(self.sequence, new.birth)],
            sexes: vec![(self.sequence, new.sex)],
            dossiers: vec![(self.sequence, new.dossier.clone())],
            deaths: Vec::new(),
            entered_in_error: None,
            merged_into: None,
            membership: Vec::new(),
            residence: Vec::new(),
            facts: Facts::new(),
        });
        self.settle(number, new.lives, new.from);
        for fact in &new.facts {
            let said = Said {
                value: fact.value,
                until: fact.until,
                document: fact.document.clone(),
            };
            let from = fact.from.unwrap_or(new.from);
            self.write(Subject::Person(number), fact.attribute, from, Some(said));
        }
        Ok(Answer::PersonCreated(number))
    }

    /// A person whose ID is given again: the first field that differs, or that none does.
    fn compare_with(&self, person: PersonNumber, new: &NewPerson) -> Answer {
        let known = &self.people[person.0 as usize - 1];
        let sex = as_known(&known.sexes, Sequence::NEWEST);
        let name = as_known(&known.dossiers, Sequence::NEWEST).map(|dossier| dossier.name);
        let field = if known.birth() != new.birth {
            Field::BirthDate
        } else if sex != Some(new.sex) {
            Field::Sex
        } else if name.as_ref() != Some(&new.dossier.name) {
            Field::Name
        } else {
            return Answer::PersonExists(person);
        };
        Answer::PersonExistsWithDifferent { person, field }
    }

    fn initial_facts_fit(&self, new: &NewPerson) -> Result<(), Refused> {
        let first_month = |fact: &InitialFact| fact.from.unwrap_or(new.from);
        for (index, fact) in new.facts.iter().enumerate() {
            let from = first_month(fact);
            self.attribute_fits(SubjectKind::Person, fact.attribute)?;
            self.value_fits(None, fact.attribute, fact.value, from, fact.until)?;
            Self::require(
                new.birth.earliest_month() <= from,
                "a fact begins before the birth",
            )?;
            let twice = new.facts[..index]
                .iter()
                .any(|other| other.attribute == fact.attribute && first_month(other) == from);
            Self::require(!twice, "an attribute is given twice for a month")?;
        }
        Ok(())
    }

    /// A closed record whose ID goes to another has a provisional ID from then on.
    fn leave_identifier(&mut self, person: PersonNumber, identifier: Identifier) {
        if self.identifier_of(person, Sequence::NEWEST) != Some(identifier) {
            return;
        }
        let free = |own: &Identifier| {
            let holder = self.find_person(*own, Sequence::NEWEST);
            holder.is_none_or(|holder| holder == person)
        };
        let own = (0..3_u64)
            .filter_map(|offset| ProvisionalId::from_number((offset << 32) + u64::from(person.0)))
            .map(Identifier::Provisional)
            .find(free)
            .expect("few provisional IDs are given by hand");
        self.given.push((self.sequence, own, person));
    }

    fn assign_identifier(&mut self, person: PersonNumber, identifier: Identifier) -> Outcome {
        self.open_person(person)?;
        match self.holder(identifier) {
            Some(holder) if holder == person => Ok(Answer::Unchanged),
            Some(holder)
                if self.people[holder.0 as usize - 1]
                    .merged_into
                    .is_none_or(|(_, into)| into != person) =>
            {
                Err(Refused("the ID is another's"))
            }
            _ => {
                if let Some(before) = self.find_person(identifier, Sequence::NEWEST) {
                    self.leave_identifier(before, identifier);
                }
                self.given.push((self.sequence, identifier, person));
                Ok(Answer::Done)
            }
        }
    }

    fn correct_birth(&mut self, person: PersonNumber, birth: BirthDate) -> Outcome {
        if self.open_person(person)?.birth() == birth {
            return Ok(Answer::Unchanged);
        }
        let sequence = self.sequence;
        self.change(person).births.push((sequence, birth));
        Ok(Answer::Done)
    }

    fn correct_sex(&mut self, person: PersonNumber, sex: Sex) -> Outcome {
        if as_known(&self.open_person(person)?.sexes, Sequence::NEWEST) == Some(sex) {
            return Ok(Answer::Unchanged);
        }
        let sequence = self.sequence;
        self.change(person).sexes.push((sequence, sex));
        Ok(Answer::Done)
    }

    fn correct_dossier(&mut self, person: PersonNumber, dossier: &Dossier) -> Outcome {
        if as_known(&self.open_person(person)?.dossiers, Sequence::NEWEST).as_ref() == Some(dossier) {
            return Ok(Answer::Unchanged);
        }
        let sequence = self.sequence;
        self.change(person).dossiers.push((sequence, dossier.clone()));
        Ok(Answer::Done)
    }

    fn mark_entered_in_error(&mut self, person: PersonNumber) -> Outcome {
        if self.existing_person(person)?.entered_in_error.is_some() {
            return Ok(Answer::Unchanged);
        }
        self.open_person(person)?;
        self.change(person).entered_in_error = Some(self.sequence);
        Ok(Answer::Done)
    }

    fn merge_person(&mut self, duplicate: PersonNumber, into: PersonNumber) -> Outcome {
        let merged = self.existing_person(duplicate)?.merged_into;
        if merged.is_some_and(|(_, other)| other == into) {
            return Ok(Answer::Unchanged);
        }
        self.open_person(duplicate)?;
        Self::require(duplicate != into, "a person cannot be merged into themselves")?;
        self.open_person(into)?;
        self.change(duplicate).merged_into = Some((self.sequence, into));
        Ok(Answer::Done)
    }

    fn move_person(&mut self, person: PersonNumber, to: Destination, from: Month) -> Outcome {
        self.open_person(person)?;
        self.destination_fits(to, from)?;
        self.settle(person, to, from);
        Ok(Answer::Done)
    }

    /// Records where a person lives from a month on.
    fn settle(&mut self, person: PersonNumber, to: Destination, from: Month) {
        let sequence = self.sequence;
        let (household, unit) = match to {
            Destination::Household(household) => (Some(household), None),
            Destination::NewHousehold(id, unit) => (Some(self.new_household(id, unit, from)), None),
            Destination::Unit(unit) => (None, Some(unit)),
            Destination::Away => (None, None),
        };
        let person = self.change(person);
        put(&mut person.membership, from, sequence, Some(household));
        if household.is_none() {
            put(&mut person.residence, from, sequence, Some(unit));
        }
    }

    fn new_household(&mut self, id: HouseholdId, unit: UnitNumber, from: Month) -> HouseholdNumber {
        self.households.push(Household {
            id,
            recorded: self.sequence,
            residence: vec![Record {
                from,
                recorded: self.sequence,
                what: Some(unit),
            }],
            head: Vec::new(),
            facts: Facts::new(),
        });
        HouseholdNumber(self.households.len() as u32)
    }

    fn move_household(&mut self, household: HouseholdNumber, unit: UnitNumber, from: Month) -> Outcome {
        self.existing_household(household)?;
        self.unit_in_force(unit, from)?;
        let sequence = self.sequence;
        let household = &mut self.households[household.0 as usize - 1];
        put(&mut household.residence, from, sequence, Some(unit));
        Ok(Answer::Done)
    }

    fn split_household(
        &mut self,
        old: HouseholdNumber,
        members: &[PersonNumber],
        id: HouseholdId,
        head: Option<PersonNumber>,
        from: Month,
    ) -> Outcome {
        let unit = self.household_lives_somewhere(old, from)?;
        Self::require(!members.is_empty(), "nobody leaves")?;
        self.household_id_is_free(id)?;
        for member in members {
            let belongs = self.open_person(*member)?.member_of(from, Sequence::NEWEST) == Some(old);
            Self::require(belongs, "not a member of the household")?;
        }
        Self::require(
            head.is_none_or(|head| members.contains(&head)),
            "the head does not leave with the others",
        )?;

        let sequence = self.sequence;
        let taken_over = self.facts_in_force(Subject::Household(old), from);
        let new = self.new_household(id, unit, from);
        for (attribute, said) in taken_over {
            self.write(Subject::Household(new), attribute, from, Some(said));
        }
        if let Some(head) = head {
            let household = &mut self.households[new.0 as usize - 1];
            put(&mut household.head, from, sequence, Some(head));
        }
        for member in members {
            put(
                &mut self.change(*member).membership,
                from,
                sequence,
                Some(Some(new)),
            );
        }
        Ok(Answer::HouseholdCreated(new))
    }

    /// The records that decide in a month, as newest known, and have not ended before it.
    fn facts_in_force(&self, subject: Subject, month: Month) -> Vec<(AttributeNumber, Said)> {
        let mut in_force = Vec::new();
        for (attribute, records) in self.facts(subject).into_iter().flatten() {
            let said = resolve(records, month, Sequence::NEWEST).and_then(|record| record.what.clone());
            if let Some(said) = said.filter(|said| said.until.is_none_or(|until| month <= until)) {
                in_force.push((*attribute, said));
            }
        }
        in_force
    }

    fn merge_households(
        &mut self,
        household: HouseholdNumber,
        into: HouseholdNumber,
        from: Month,
    ) -> Outcome {
        self.existing_household(household)?;
        Self::require(household != into, "a household cannot be merged with itself")?;
        self.household_lives_somewhere(into, from)?;
        let sequence = self.sequence;
        for member in self.membership(household, from) {
            let person = self.change(member);
            if !person.is_closed() {
                put(&mut person.membership, from, sequence, Some(Some(into)));
            }
        }
        Ok(Answer::Done)
    }

    fn change_head(&mut self, household: HouseholdNumber, head: PersonNumber, from: Month) -> Outcome {
        let current = resolve(&self.existing_household(household)?.head, from, Sequence::NEWEST)
            .and_then(|record| record.what);
        let belongs = self.open_person(head)?.member_of(from, Sequence::NEWEST) == Some(household);
        Self::require(belongs, "not a member of the household")?;
        if current == Some(head) {
            return Ok(Answer::Unchanged);
        }
        let sequence = self.sequence;
        let household = &mut self.households[household.0 as usize - 1];
        put(&mut household.head, from, sequence, Some(head));
        Ok(Answer::Done)
    }

    fn write(&mut self, subject: Subject, attribute: AttributeNumber, from: Month, said: Option<Said>) {
        let sequence = self.sequence;
        let records = self.facts_mut(subject).entry(attribute).or_default();
        put(records, from, sequence, said);
    }

    /// What was last said with exactly this first month; `None` if nothing was, or it was withdrawn.
    fn last_said(&self, subject: Subject, attribute: AttributeNumber, from: Month) -> Option<&Said> {
        let records = self.facts(subject)?.get(&attribute)?;
        records.iter().rfind(|record| record.from == from)?.what.as_ref()
    }

    fn record(&mut self, subject: Subject, attribute: AttributeNumber, from: Month, said: Said) -> Outcome {
        let kind = self.subject_takes_facts(subject)?;
        self.attribute_fits(kind, attribute)?;
        let person = match subject {
            Subject::Person(person) => Some(person),
            Subject::Household(_) | Subject::Commune(_) => None,
        };
        self.value_fits(person, attribute, said.value, from, said.until)?;
        if self.last_said(subject, attribute, from) == Some(&said) {
            return Ok(Answer::Unchanged);
        }
        self.write(subject, attribute, from, Some(said));
        Ok(Answer::Done)
    }

    fn retract(&mut self, subject: Subject, attribute: AttributeNumber, from: Month) -> Outcome {
        let kind = self.subject_takes_facts(subject)?;
        self.attribute_fits(kind, attribute)?;
        let said = self.last_said(subject, attribute, from);
        Self::require(said.is_some(), "nothing is recorded with that first month")?;
        self.write(subject, attribute, from, None);
        Ok(Answer::Done)
    }

    fn end_fact(&mut self, subject: Subject, attribute: AttributeNumber, last: Month) -> Outcome {
        let kind = self.subject_takes_facts(subject)?;
        self.attribute_fits(kind, attribute)?;
        let in_force = self
            .facts(subject)
            .and_then(|facts| facts.get(&attribute))
            .and_then(|records| resolve(records, last, Sequence::NEWEST))
            .and_then(|record| record.what.clone().map(|said| (record.from, said)))
            .filter(|(_, said)| said.until.is_none_or(|until| last <= until));
        let (from, mut said) = in_force.ok_or(Refused("nothing is in force in that month"))?;
        if said.until == Some(last) {
            return Ok(Answer::Unchanged);
        }
        said.until = Some(last);
        self.write(subject, attribute, from, Some(said));
        Ok(Answer::Done)
    }

    fn record_death(&mut self, person: PersonNumber, date: Date) -> Outcome {
        let known = self.open_person(person)?;
        Self::require(
            known.birth().earliest_month() <= date.month(),
            "the death is before the birth",
        )?;
        if as_known(&known.deaths, Sequence::NEWEST).flatten() == Some(date) {
            return Ok(Answer::Unchanged);
        }
        let sequence = self.sequence;
        self.change(person).deaths.push((sequence, Some(date)));
        Ok(Answer::Done)
    }

    fn retract_death(&mut self, person: PersonNumber) -> Outcome {
        let death = as_known(&self.open_person(person)?.deaths, Sequence::NEWEST).flatten();
        Self::require(death.is_some(), "no death is recorded")?;
        let sequence = self.sequence;
        self.change(person).deaths.push((sequence, None));
        Ok(Answer::Done)
    }

    fn decide(
        &mut self,
        person: PersonNumber,
        programme: ProgrammeNumber,
        decision: Decision,
        from: Month,
        document: &str,
    ) -> Outcome {
        use EnrolmentState::{Active, Ended, None as Never, Suspended};
        let facts = &self.open_person(person)?.facts;
        let programme = self.catalogue.programme_by_number(programme);
        let programme = programme.ok_or(Refused("no such programme"))?;
        let enrolment = programme
            .enrolment
            .ok_or(Refused("the programme needs no decision"))?;
        self.attribute_fits(SubjectKind::Person, enrolment)?;
        let records = facts.get(&enrolment).map_or(&[][..], Vec::as_slice);
        let state = self
            .value(enrolment, records, from, Sequence::NEWEST)
            .unwrap_or(Value::Enum(Never as u16));
        let (before, after): (&[EnrolmentState], _) = match decision {
            Decision::Enrol => (&[Never, Ended], Active),
            Decision::Suspend => (&[Active], Suspended),
            Decision::Resume => (&[Suspended], Active),
            Decision::End => (&[Active, Suspended], Ended),
        };
        if state == Value::Enum(after as u16) {
            return Ok(Answer::Unchanged);
        }
        let expected = before.iter().any(|before| state == Value::Enum(*before as u16));
        Self::require(expected, "the enrolment is in another state")?;
        let said = Said {
            value: Value::Enum(after as u16),
            until: None,
            document: document.to_owned(),
        };
        self.write(Subject::Person(person), enrolment, from, Some(said));
        Ok(Answer::Done)
    }
}
