//! Operations on households, and moves.

use std::collections::BTreeSet;

use super::WriteTransaction;
use crate::format::household::HouseholdRecord;
use crate::kernel::catalogue::builtin;
use crate::kernel::error::{ReadError, WriteError};
use crate::kernel::history::{HouseholdHistory, in_force, number_value};
use crate::kernel::operation::{Answer, Destination, MEMBERS_MAX, Refusal, Subject};
use crate::kernel::snapshot::Documents;
use crate::kernel::state::Content;
use crate::types::{HouseholdId, HouseholdNumber, Month, PersonNumber, Sequence, UnitNumber};

impl WriteTransaction<'_> {
    /// Refuses a household ID that is in use.
    pub(super) fn check_household_id(&self, id: HouseholdId) -> Result<(), WriteError> {
        match self.snapshot().household_of(id)? {
            Some(holder) => Err(Refusal::HouseholdIdTaken { id, holder }.into()),
            None if self.snapshot().households() == u32::MAX => {
                let max = u64::from(u32::MAX);
                Err(Refusal::Limit {
                    what: "households",
                    found: max + 1,
                    max,
                }
                .into())
            }
            None => Ok(()),
        }
    }

    fn open_household(&self, household: HouseholdNumber) -> Result<HouseholdHistory, WriteError> {
        let history = self.snapshot().household_history(household)?;
        history.ok_or_else(|| Refusal::NoHousehold(household).into())
    }

    pub(super) fn make_empty_household(
        &mut self,
        id: HouseholdId,
        unit: UnitNumber,
        from: Month,
    ) -> Result<Answer, WriteError> {
        self.check_in_force(unit, from)?;
        self.check_household_id(id)?;
        // Whoever is inserted next, if into this household, extends the stretch of numbers that begins here.
        let first = PersonNumber(self.snapshot().persons().saturating_add(1));
        let household = self.make_household(id, unit, from, first);
        if let Some(record) = self.overlay.households.get_mut(&household.get()) {
            record.people = 0;
        }
        Ok(Answer::HouseholdCreated(household))
    }

    /// Makes a new person one of those who were ever members.
    pub(super) fn join(&mut self, household: HouseholdNumber, person: PersonNumber) -> Result<(), ReadError> {
        let sequence = self.sequence();
        if let Some(record) = self.overlay.households.get_mut(&household.get())
            && record.recorded == sequence
            && record.first_person.checked_add(record.people) == Some(person.get())
        {
            record.people += 1;
            return Ok(());
        }
        self.put_member(household, person)
    }

    /// Adds someone to those who were ever members and did not come with the household.
    fn put_member(&mut self, household: HouseholdNumber, person: PersonNumber) -> Result<(), ReadError> {
        self.overlay.members.insert((household.get(), person.get()));
        let record = self.snapshot().household_record(household)?;
        // One of the people who came with it is enough: their ties tell of them all or of none.
        if let Some(record) = record.filter(|record| record.people > 0) {
            self.overlay.loosened.push(PersonNumber(record.first_person));
        }
        Ok(())
    }

    /// Makes a household that begins with one person. The ID and the unit were checked.
    pub(super) fn make_household(
        &mut self,
        id: HouseholdId,
        unit: UnitNumber,
        began: Month,
        first: PersonNumber,
    ) -> HouseholdNumber {
        let number = self.snapshot().households() + 1;
        let recorded = self.sequence();
        self.overlay.head.households = number;
        self.overlay.household_ids.insert(id.packed(), number);
        let record = HouseholdRecord {
            id,
            first_person: first.get(),
            people: 1,
            head: 0,
            profile: 0,
            unit: unit.get(),
            began,
            recorded,
            has_facts: false,
        };
        self.overlay.households.insert(number, record);
        HouseholdNumber(number)
    }

    /// Adds someone to those who were ever members.
    fn add_member(&mut self, household: HouseholdNumber, person: PersonNumber) -> Result<(), WriteError> {
        let members = self.snapshot().ever_members(household)?;
        if members.binary_search(&person).is_ok() {
            return Ok(());
        }
        if members.len() >= MEMBERS_MAX {
            let (found, max) = (members.len() as u64 + 1, MEMBERS_MAX as u64);
            return Err(Refusal::Limit {
                what: "people who were ever members of a household",
                found,
                max,
            }
            .into());
        }
        Ok(self.put_member(household, person)?)
    }

    /// Records the household, or none, of which a person is a member from a month on.
    fn put_membership(
        &mut self,
        person: PersonNumber,
        household: Option<HouseholdNumber>,
        from: Month,
    ) -> Result<(), WriteError> {
        let history = self.open_person(person, Documents::Without)?;
        let number = household.map_or(0, HouseholdNumber::get);
        let content = Some((number_value(u64::from(number)), None, String::new()));
        self.put_fact(
            Subject::Person(person),
            builtin::HOUSEHOLD,
            from,
            content,
            &history.records,
        );
        Ok(())
    }

    pub(super) fn move_person(
        &mut self,
        person: PersonNumber,
        to: Destination,
        from: Month,
    ) -> Result<Answer, WriteError> {
        let history = self.open_person(person, Documents::Without)?;
        let (household, unit) = self.destination(to, from)?;
        let household = match to {
            Destination::NewHousehold(id, unit) => Some(self.make_household(id, unit, from, person)),
            Destination::Household(_) => {
                if let Some(household) = household {
                    self.add_member(household, person)?;
                }
                household
            }
            Destination::Unit(_) | Destination::Away => None,
        };
        self.put_membership(person, household, from)?;
        if household.is_none() {
            let unit = number_value(unit.map_or(0, |unit| u64::from(unit.get())));
            let content = Some((unit, None, String::new()));
            self.put_fact(
                Subject::Person(person),
                builtin::RESIDENCE,
                from,
                content,
                &history.records,
            );
        }
        self.refresh(Subject::Person(person))?;
        Ok(match (to, household) {
            (Destination::NewHousehold(..), Some(household)) => Answer::HouseholdCreated(household),
            _ => Answer::Done,
        })
    }

    pub(super) fn move_household(
        &mut self,
        household: HouseholdNumber,
        unit: UnitNumber,
        from: Month,
    ) -> Result<Answer, WriteError> {
        let history = self.open_household(household)?;
        self.check_in_force(unit, from)?;
        let content = Some((number_value(u64::from(unit.get())), None, String::new()));
        self.put_fact(
            Subject::Household(household),
            builtin::RESIDENCE,
            from,
            content,
            &history.records,
        );
        self.refresh(Subject::Household(household))?;
        Ok(Answer::Done)
    }

    /// Refuses someone who is not a member of a household in a month.
    fn check_member(
        &self,
        person: PersonNumber,
        household: HouseholdNumber,
        month: Month,
    ) -> Result<(), WriteError> {
        let history = self.open_person(person, Documents::Without)?;
        if history.household(month, Sequence::NEWEST) == Some(household) {
            return Ok(());
        }
        Err(Refusal::NotMember {
            person,
            household,
            month,
        }
        .into())
    }

    pub(super) fn split_household(
        &mut self,
        household: HouseholdNumber,
        members: &[PersonNumber],
        id: HouseholdId,
        head: Option<PersonNumber>,
        from: Month,
    ) -> Result<Answer, WriteError> {
        if members.len() > MEMBERS_MAX {
            let (found, max) = (members.len() as u64, MEMBERS_MAX as u64);
            return Err(Refusal::Limit {
                what: "people who leave a household",
                found,
                max,
            }
            .into());
        }
        let members: BTreeSet<PersonNumber> = members.iter().copied().collect();
        let Some(&first) = members.first() else {
            return Err(Refusal::NobodyLeaves.into());
        };
        let history = self.open_household(household)?;
        self.check_household_id(id)?;
        for &person in &members {
            self.check_member(person, household, from)?;
        }
        if let Some(head) = head.filter(|head| !members.contains(head)) {
            return Err(Refusal::NotMember {
                person: head,
                household,
                month: from,
            }
            .into());
        }
        let recorded_unit = history.residence(from, Sequence::NEWEST);
        let unit = recorded_unit
            .and_then(|unit| self.snapshot().units().follow(unit, from, Sequence::NEWEST))
            .ok_or(Refusal::HouseholdNowhere {
                household,
                month: from,
            })?;
        let inherited: Vec<_> = history
            .records
            .by_attribute()
            .filter(|(attribute, _)| {
                self.snapshot()
                    .catalogue()
                    .attribute_by_number(*attribute)
                    .is_some()
            })
            .filter_map(|(attribute, records)| Some((attribute, in_force(records, from)?.content.clone())))
            .collect();

        let new = self.make_household(id, unit, from, first);
        for &person in &members {
            self.put_member(new, person)?;
            self.put_membership(person, Some(new), from)?;
        }
        let subject = Subject::Household(new);
        for (attribute, content) in inherited {
            if let Content::Value {
                value,
                until,
                document,
            } = content
            {
                self.put_new_fact(subject, attribute, from, Some((value, until, document)));
            }
        }
        if let Some(head) = head {
            let content = Some((number_value(u64::from(head.get())), None, String::new()));
            self.put_new_fact(subject, builtin::HEAD, from, content);
        }
        self.refresh(subject)?;
        Ok(Answer::HouseholdCreated(new))
    }

    pub(super) fn merge_households(
        &mut self,
        household: HouseholdNumber,
        into: HouseholdNumber,
        from: Month,
    ) -> Result<Answer, WriteError> {
        if household == into {
            let relation = "merged into";
            return Err(Refusal::Itself {
                what: household.to_string(),
                relation,
            }
            .into());
        }
        self.open_household(household)?;
        self.destination(Destination::Household(into), from)?;
        let mut moving = Vec::new();
        for person in self.snapshot().ever_members(household)? {
            let history = self.snapshot().person_history(person, Documents::Without)?;
            let joins = history.is_some_and(|history| {
                !history.is_closed() && history.household(from, Sequence::NEWEST) == Some(household)
            });
            if joins {
                moving.push(person);
            }
        }
        let members = self.snapshot().ever_members(into)?;
        let joining = moving
            .iter()
            .filter(|person| members.binary_search(person).is_err());
        let together = members.len() + joining.count();
        if together > MEMBERS_MAX {
            let (found, max) = (together as u64, MEMBERS_MAX as u64);
            return Err(Refusal::Limit {
                what: "people who were ever members of a household",
                found,
                max,
            }
            .into());
        }
        for person in moving {
            self.add_member(into, person)?;
            self.put_membership(person, Some(into), from)?;
        }
        self.refresh(Subject::Household(into))?;
        Ok(Answer::Done)
    }

    pub(super) fn change_head(
        &mut self,
        household: HouseholdNumber,
        head: PersonNumber,
        from: Month,
    ) -> Result<Answer, WriteError> {
        let history = self.open_household(household)?;
        self.check_member(head, household, from)?;
        if history.head(from, Sequence::NEWEST) == Some(head) {
            return Ok(Answer::Unchanged);
        }
        let content = Some((number_value(u64::from(head.get())), None, String::new()));
        self.put_fact(
            Subject::Household(household),
            builtin::HEAD,
            from,
            content,
            &history.records,
        );
        Ok(Answer::Done)
    }
}
