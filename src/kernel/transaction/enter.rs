//! Whole households: checked as one, and entered by operations.

use super::WriteTransaction;
use crate::kernel::bulk::{BulkFact, BulkHousehold, BulkPerson, BulkValue};
use crate::kernel::catalogue::{SubjectKind, builtin};
use crate::kernel::error::WriteError;
use crate::kernel::operation::{
    Answer, Destination, InitialFact, MEMBERS_MAX, NewPerson, OPERATIONS_MAX, Operation, Refusal, Subject,
};
use crate::types::{Date, HouseholdNumber, Identifier, Month, PersonNumber, Sequence, UnitNumber, Value};

/// What was entered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entered {
    /// The household; `None` for a person without.
    pub household: Option<HouseholdNumber>,
    /// The people, in the order in which they were given.
    pub people: Vec<PersonNumber>,
}

/// A household that passed every check.
pub(super) struct Checked {
    pub(super) unit: UnitNumber,
    pub(super) moves: Vec<(Month, UnitNumber)>,
}

/// The death among the facts of a person.
pub(super) fn death_of(person: &BulkPerson) -> Option<(Date, &str)> {
    person
        .facts
        .iter()
        .find(|fact| fact.attribute == builtin::DEATH)
        .and_then(|fact| match fact.value {
            BulkValue::Value(Value::Date(date)) => Some((date, fact.document.as_str())),
            _ => None,
        })
}

impl WriteTransaction<'_> {
    /// Enters a household, or a person without one, by ordinary operations. What is refused leaves the transaction
    /// as it was. [`BulkPerson::moves`] are not entered here: their households may still be to come.
    pub fn enter_household(&mut self, household: &BulkHousehold) -> Result<Entered, WriteError> {
        self.check_unsealed()?;
        let checked = self.check_household(household)?;
        self.check_provisional(household)?;
        self.check_operations(household)?;
        // Everything was checked. What is refused nevertheless comes after some of it was entered, so nothing of the
        // transaction may be committed.
        self.enter_checked(household, &checked)
            .inspect_err(|_| self.poisoned = true)
    }

    /// Refuses a household that takes more operations than the transaction has left.
    fn check_operations(&self, household: &BulkHousehold) -> Result<(), WriteError> {
        let later = |person: &BulkPerson| {
            let later = |fact: &&BulkFact| {
                matches!(fact.value, BulkValue::Member(_)) || fact.attribute == builtin::DEATH
            };
            person.facts.iter().filter(later).count()
        };
        let own = usize::from(household.id.is_some())
            + household.facts.len()
            + usize::from(household.head.is_some())
            + household.moves.len();
        let operations = household
            .people
            .iter()
            .map(|person| 1 + later(person))
            .sum::<usize>()
            + own;
        let found = self.payloads.len() + operations;
        if found <= OPERATIONS_MAX {
            return Ok(());
        }
        Err(Refusal::Limit {
            what: "operations in one transaction",
            found: found as u64,
            max: OPERATIONS_MAX as u64,
        }
        .into())
    }

    fn enter_checked(&mut self, household: &BulkHousehold, checked: &Checked) -> Result<Entered, WriteError> {
        let number = match household.id {
            Some(id) => {
                let made = Operation::MakeHousehold {
                    id,
                    unit: checked.unit,
                    from: household.from,
                };
                match self.apply(&made)? {
                    Answer::HouseholdCreated(number) => Some(number),
                    _ => None,
                }
            }
            None => None,
        };
        // The moves come first, because a member may come when the first home has ended already.
        if let Some(household) = number {
            for &(from, unit) in &checked.moves {
                self.apply(&Operation::MoveHousehold {
                    household,
                    unit,
                    from,
                })?;
            }
        }
        let lives = number.map_or(Destination::Unit(checked.unit), Destination::Household);
        let mut people = Vec::with_capacity(household.people.len());
        for person in &household.people {
            let answer = self.apply(&Operation::InsertPerson(Box::new(new_person(person, lives))))?;
            if let Answer::PersonCreated(number) = answer {
                people.push(number);
            }
        }
        if people.len() != household.people.len() {
            return Err(unfit(household, "one of its people is in the registry already"));
        }
        for (person, &number) in household.people.iter().zip(&people) {
            self.enter_later_facts(person, number, &people)?;
        }
        if let Some(number) = number {
            self.enter_household_facts(household, number, &people)?;
        }
        Ok(Entered {
            household: number,
            people,
        })
    }

    /// Facts that could not be given with the insertion: references to people of the household, and death.
    fn enter_later_facts(
        &mut self,
        person: &BulkPerson,
        number: PersonNumber,
        people: &[PersonNumber],
    ) -> Result<(), WriteError> {
        for fact in &person.facts {
            let BulkValue::Member(at) = fact.value else {
                continue;
            };
            self.apply(&Operation::Record {
                subject: Subject::Person(number),
                attribute: fact.attribute,
                value: Value::Person(people[usize::from(at)]),
                from: fact.from.unwrap_or(person.from),
                until: fact.until,
                document: fact.document.clone(),
            })?;
        }
        if let Some((date, document)) = death_of(person) {
            self.apply(&Operation::RecordDeath {
                person: number,
                date,
                document: document.to_owned(),
            })?;
        }
        Ok(())
    }

    fn enter_household_facts(
        &mut self,
        household: &BulkHousehold,
        number: HouseholdNumber,
        people: &[PersonNumber],
    ) -> Result<(), WriteError> {
        for fact in &household.facts {
            let value = match fact.value {
                BulkValue::Value(value) => value,
                BulkValue::Member(at) => Value::Person(people[usize::from(at)]),
            };
            self.apply(&Operation::Record {
                subject: Subject::Household(number),
                attribute: fact.attribute,
                value,
                from: fact.from.unwrap_or(household.from),
                until: fact.until,
                document: fact.document.clone(),
            })?;
        }
        if let Some(at) = household.head {
            let head = people[usize::from(at)];
            let from = household.people[usize::from(at)].from.max(household.from);
            self.apply(&Operation::ChangeHead {
                household: number,
                head,
                from,
            })?;
        }
        Ok(())
    }

    /// Refuses a household to whose people no provisional ID could be given.
    fn check_provisional(&self, household: &BulkHousehold) -> Result<(), WriteError> {
        for (at, person) in household.people.iter().enumerate() {
            if person.identifier.is_none() {
                let number = self.snapshot().persons().saturating_add(1 + at as u32);
                self.provisional(PersonNumber(number))?;
            }
        }
        Ok(())
    }

    /// Refuses a household of which anything could not be entered, but for want of numbers or provisional IDs.
    pub(super) fn check_household(&self, household: &BulkHousehold) -> Result<Checked, WriteError> {
        let unit_in = |month: Month| {
            let known = Sequence::NEWEST;
            self.snapshot().units().find(household.commune, month, known)
        };
        let Some(unit) = unit_in(household.from) else {
            return Err(self.no_such_unit(household.commune, household.from));
        };
        match household.id {
            Some(id) => self.check_household_id(id)?,
            None if household.people.len() == 1
                && household.facts.is_empty()
                && household.moves.is_empty() => {}
            None => {
                return Err(unfit(
                    household,
                    "without a household ID it can be one person only, without facts",
                ));
            }
        }
        if household.people.len() > MEMBERS_MAX {
            let (found, max) = (household.people.len() as u64, MEMBERS_MAX as u64);
            return Err(Refusal::Limit {
                what: "people of a household",
                found,
                max,
            }
            .into());
        }
        if household
            .head
            .is_some_and(|head| usize::from(head) >= household.people.len())
        {
            return Err(unfit(household, "its head is none of its people"));
        }
        let mut moves = Vec::with_capacity(household.moves.len());
        for &(from, commune) in &household.moves {
            let unit = self.snapshot().units().find(commune, from, Sequence::NEWEST);
            moves.push((from, unit.ok_or_else(|| self.no_such_unit(commune, from))?));
        }
        if !moves.is_sorted_by(|a, b| a.0 < b.0)
            || moves.first().is_some_and(|(from, _)| *from <= household.from)
        {
            return Err(unfit(
                household,
                "its moves are not in ascending order after its first month",
            ));
        }
        self.check_facts(
            household,
            SubjectKind::Household,
            &household.facts,
            household.from,
            None,
        )?;
        let checked = Checked { unit, moves };
        let mut given: Vec<Identifier> = Vec::with_capacity(household.people.len());
        for (at, person) in household.people.iter().enumerate() {
            self.check_person(household, person, at)?;
            self.check_home(household, &checked, person.from)?;
            given.extend(person.identifier);
        }
        given.sort_unstable();
        if let Some(twice) = given.windows(2).find(|pair| pair[0] == pair[1]) {
            let problem = format!("two of its people have the ID {}", twice[0].masked());
            return Err(unfit(household, problem));
        }
        Ok(checked)
    }

    /// Refuses a month in which a household, or a person without one, would live in a unit that has ended.
    fn check_home(
        &self,
        household: &BulkHousehold,
        checked: &Checked,
        month: Month,
    ) -> Result<(), WriteError> {
        if household.id.is_none() {
            return self.check_in_force(checked.unit, month);
        }
        let moved = checked.moves.iter().rev().find(|(from, _)| *from <= month);
        let home = moved.map_or(checked.unit, |&(_, unit)| unit);
        if self
            .snapshot()
            .units()
            .follow(home, month, Sequence::NEWEST)
            .is_some()
        {
            return Ok(());
        }
        let problem =
            format!("it lives nowhere in {month}, when a member comes: its commune has ended; move it first");
        Err(unfit(household, problem))
    }

    pub(super) fn no_such_unit(&self, code: crate::types::CommuneCode, month: Month) -> WriteError {
        if let Some(unit) = self.snapshot().units().of_code(code).next() {
            let last = unit.end.map(|end| end.last);
            Refusal::UnitNotInForce {
                code,
                month,
                from: unit.declared.from,
                last,
            }
            .into()
        } else {
            let problem = "there is no unit of this code; check the code, or add the unit first".to_owned();
            Refusal::UnitUnfit { code, problem }.into()
        }
    }

    fn check_person(
        &self,
        household: &BulkHousehold,
        person: &BulkPerson,
        at: usize,
    ) -> Result<(), WriteError> {
        if !person.moves.is_empty() {
            return Err(unfit(
                household,
                "moves of single people are entered by operations of their own",
            ));
        }
        if person.from < household.from {
            let problem = format!(
                "a member's record begins in {}, before that of the household in {}",
                person.from, household.from
            );
            return Err(unfit(household, problem));
        }
        if let Some(identifier) = person.identifier
            && let Some(holder) = self.in_the_way(identifier)?
        {
            return Err(Refusal::IdentifierTaken {
                identifier: identifier.masked(),
                holder,
            }
            .into());
        }
        if person.from < person.birth.earliest_month() {
            return Err(Refusal::BeforeBirth {
                month: person.from,
                birth: person.birth,
            }
            .into());
        }
        let documents = person
            .facts
            .iter()
            .filter(|fact| !fact.document.is_empty())
            .count();
        Self::check_dossier(&person.dossier, documents)?;
        let birth = Some(person.birth.earliest_month());
        self.check_facts(
            household,
            SubjectKind::Person,
            &person.facts,
            person.from,
            Some((at, birth)),
        )
    }

    /// Refuses facts that do not fit. `own` is the place of the person they are about, and the birth month.
    fn check_facts(
        &self,
        household: &BulkHousehold,
        kind: SubjectKind,
        facts: &[BulkFact],
        began: Month,
        own: Option<(usize, Option<Month>)>,
    ) -> Result<(), WriteError> {
        let from_of = |fact: &BulkFact| match fact.value {
            BulkValue::Value(Value::Date(date))
                if kind == SubjectKind::Person && fact.attribute == builtin::DEATH =>
            {
                fact.from.unwrap_or(date.month())
            }
            _ => fact.from.unwrap_or(began),
        };
        for (place, fact) in facts.iter().enumerate() {
            let from = from_of(fact);
            Self::check_document(&fact.document)?;
            if let Some(until) = fact.until.filter(|&until| until < from) {
                return Err(Refusal::EndsBeforeStart { from, until }.into());
            }
            if own.is_some_and(|(_, birth)| birth.is_some_and(|birth| from < birth)) {
                let birth = own
                    .and_then(|(at, _)| household.people.get(at))
                    .map(|person| person.birth);
                if let Some(birth) = birth {
                    return Err(Refusal::BeforeBirth { month: from, birth }.into());
                }
            }
            // Somebody dies once, whatever the months.
            let twice = |other: &BulkFact| {
                other.attribute == fact.attribute
                    && (from_of(other) == from || fact.attribute == builtin::DEATH)
            };
            if facts[..place].iter().any(twice) {
                let named = self.snapshot().catalogue().attribute_by_number(fact.attribute);
                let attribute = named.map_or_else(|| fact.attribute.to_string(), |known| known.name.clone());
                return Err(Refusal::GivenTwice { attribute }.into());
            }
            if kind == SubjectKind::Person && fact.attribute == builtin::DEATH {
                let BulkValue::Value(Value::Date(date)) = fact.value else {
                    return Err(unfit(household, "a death is a whole date"));
                };
                if fact.from.is_some_and(|from| from != date.month()) || fact.until.is_some() {
                    return Err(unfit(
                        household,
                        "a death holds from its own month on, without a last month",
                    ));
                }
                continue;
            }
            let value = match fact.value {
                BulkValue::Value(value) => value,
                BulkValue::Member(at) if usize::from(at) >= household.people.len() => {
                    return Err(unfit(
                        household,
                        "a fact refers to someone who is not among its people",
                    ));
                }
                BulkValue::Member(at) if own.is_some_and(|(own, _)| own == usize::from(at)) => {
                    let what = format!("person {} of household {}", at + 1, shown(household));
                    return Err(Refusal::Itself {
                        what,
                        relation: "a person reference to",
                    }
                    .into());
                }
                BulkValue::Member(_) => {
                    let attribute = self.snapshot().catalogue().attribute_by_number(fact.attribute);
                    if attribute.is_some_and(|a| a.kind != crate::kernel::catalogue::ValueKind::Person) {
                        return Err(unfit(household, "a fact that is no reference refers to a person"));
                    }
                    Value::Unknown
                }
            };
            self.check_value(None, kind, fact.attribute, value)?;
        }
        Ok(())
    }
}

fn shown(household: &BulkHousehold) -> String {
    household
        .id
        .map_or_else(|| "without ID".to_owned(), |id| id.to_string())
}

fn unfit(household: &BulkHousehold, problem: impl Into<String>) -> WriteError {
    Refusal::HouseholdUnfit {
        household: shown(household),
        problem: problem.into(),
    }
    .into()
}

fn new_person(person: &BulkPerson, lives: Destination) -> NewPerson {
    let facts = person
        .facts
        .iter()
        .filter(|fact| fact.attribute != builtin::DEATH);
    let facts = facts.filter_map(|fact| match fact.value {
        BulkValue::Value(value) => Some(InitialFact {
            attribute: fact.attribute,
            value,
            from: fact.from,
            until: fact.until,
            document: fact.document.clone(),
        }),
        BulkValue::Member(_) => None,
    });
    NewPerson {
        identifier: person.identifier,
        birth: person.birth,
        sex: person.sex,
        lives,
        from: person.from,
        facts: facts.collect(),
        dossier: person.dossier.clone(),
    }
}
