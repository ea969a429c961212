//! Operations on persons.

use super::WriteTransaction;
use super::initial::{DatedValue, Initial};
use crate::format::hot::birth_code;
use crate::kernel::catalogue::{SubjectKind, builtin};
use crate::kernel::error::{ReadError, WriteError};
use crate::kernel::history::{PersonHistory, number_value};
use crate::kernel::operation::{
    Answer, DOCUMENTS_MAX, DOSSIER_TEXT_BYTES_MAX, Destination, Field, InitialFact, MEMBERS_MAX, NewPerson,
    Refusal, Subject,
};
use crate::kernel::snapshot::Documents;
use crate::kernel::state::sex_value;
use crate::kernel::unit_index::NOWHERE;
use crate::types::Dossier;
use crate::types::{
    BirthDate, HouseholdNumber, Identifier, Month, PersonNumber, ProvisionalId, Sequence, Sex, Value,
};

impl WriteTransaction<'_> {
    /// A person whose record takes changes, or the refusal.
    pub(super) fn open_person(
        &self,
        person: PersonNumber,
        documents: Documents,
    ) -> Result<PersonHistory, WriteError> {
        let history = self
            .snapshot()
            .person_history(person, documents)?
            .ok_or(Refusal::NoPerson(person))?;
        if let Some(into) = history.merged_into(Sequence::NEWEST) {
            let state = format!("was merged into {into}");
            return Err(Refusal::RecordClosed {
                person,
                state,
                advice: "change that record instead",
            }
            .into());
        }
        if history.entered_in_error(Sequence::NEWEST) {
            let state = "was entered in error".to_owned();
            let advice = "insert the person again if the record was right after all";
            return Err(Refusal::RecordClosed {
                person,
                state,
                advice,
            }
            .into());
        }
        Ok(history)
    }

    /// Refuses a dossier that is too large, `more` being the documents that its facts add.
    pub(super) fn check_dossier(dossier: &Dossier, more: usize) -> Result<(), WriteError> {
        let documents = dossier.documents.len() + more;
        if documents > DOCUMENTS_MAX {
            let (found, max) = (documents as u64, DOCUMENTS_MAX as u64);
            return Err(Refusal::Limit {
                what: "documents of a person's first values",
                found,
                max,
            }
            .into());
        }
        for (_, document) in &dossier.documents {
            Self::check_document(document)?;
        }
        for (what, text) in [
            ("bytes of a name", &dossier.name),
            ("bytes of an address", &dossier.address),
            ("bytes of an account", &dossier.account),
        ] {
            if text.len() > DOSSIER_TEXT_BYTES_MAX {
                let (found, max) = (text.len() as u64, DOSSIER_TEXT_BYTES_MAX as u64);
                return Err(Refusal::Limit { what, found, max }.into());
            }
        }
        Ok(())
    }

    /// What is there already under the identifier of a person to be inserted.
    fn existing(&self, new: &NewPerson, identifier: Identifier) -> Result<Option<Answer>, WriteError> {
        let Some(person) = self.snapshot().holder(identifier)? else {
            return Ok(None);
        };
        let history = self.snapshot().person_history(person, Documents::Without)?;
        let history = history.ok_or(Refusal::NoPerson(person))?;
        let known = Sequence::NEWEST;
        if history.entered_in_error(known) {
            // A record entered in error keeps its past, but not the ID of a real person.
            return Ok(None);
        }
        if history.identifier(known)? != identifier {
            let identifier = identifier.masked();
            return Err(Refusal::IdentifierTaken {
                identifier,
                holder: person,
            }
            .into());
        }
        let field = if history.birth(known)? != new.birth {
            Field::BirthDate
        } else if history.sex(known)? != new.sex {
            Field::Sex
        } else if self.snapshot().dossier(person)?.name != new.dossier.name {
            Field::Name
        } else {
            return Ok(Some(Answer::PersonExists(person)));
        };
        Ok(Some(Answer::PersonExistsWithDifferent { person, field }))
    }

    /// Who stands in the way of a new person with an identifier: its holder, unless that record was entered in error.
    pub(super) fn in_the_way(&self, identifier: Identifier) -> Result<Option<PersonNumber>, WriteError> {
        let Some(holder) = self.snapshot().holder(identifier)? else {
            return Ok(None);
        };
        let history = self.snapshot().person_history(holder, Documents::Without)?;
        let in_error = history.is_some_and(|history| history.entered_in_error(Sequence::NEWEST));
        Ok((!in_error).then_some(holder))
    }

    /// Lets an identifier lead to a person from now on. As known before, it goes on leading to whoever had it.
    ///
    /// A closed record whose current identifier it was gets a provisional one, so that current identifiers are unique.
    /// Only the search for that can refuse, before anything is changed.
    pub(super) fn give_identifier(
        &mut self,
        identifier: Identifier,
        person: PersonNumber,
    ) -> Result<(), WriteError> {
        if let Some(before) = self
            .snapshot()
            .holder(identifier)?
            .filter(|&before| before != person)
            && let Some(history) = self.snapshot().person_history(before, Documents::Without)?
            && history.identifier(Sequence::NEWEST)? == identifier
        {
            let own = self.provisional(before)?;
            let content = Some((number_value(own.key()), None, String::new()));
            let subject = Subject::Person(before);
            self.put_fact(
                subject,
                builtin::IDENTIFIER,
                Month::MIN,
                content,
                &history.records,
            );
            self.lead(own, before)?;
            self.refresh(subject)?;
        }
        Ok(self.lead(identifier, person)?)
    }

    /// Writes to whom an identifier leads from now on, and first to whom it led since that person was inserted.
    fn lead(&mut self, identifier: Identifier, person: PersonNumber) -> Result<(), ReadError> {
        let (key, sequence) = (identifier.key(), self.sequence().get());
        if let Some(before) = self.snapshot().holder(identifier)?
            && self.snapshot().later_holders(identifier)?.is_empty()
            && let Some(at) = self.snapshot().locator(before)?
        {
            let recorded = self.snapshot().column_row(at)?.recorded;
            self.overlay
                .id_holders
                .insert((key, recorded.get()), before.get());
        }
        self.overlay.id_holders.insert((key, sequence), person.get());
        self.overlay.ids.insert(key, person.get());
        Ok(())
    }

    /// Refuses initial facts that do not fit.
    pub(super) fn check_initial(
        &self,
        facts: &[InitialFact],
        began: Month,
        birth: BirthDate,
    ) -> Result<(), WriteError> {
        let mut seen = std::collections::BTreeSet::new();
        for fact in facts {
            self.check_value(None, SubjectKind::Person, fact.attribute, fact.value)?;
            Self::check_document(&fact.document)?;
            let from = fact.from.unwrap_or(began);
            if from < birth.earliest_month() {
                return Err(Refusal::BeforeBirth { month: from, birth }.into());
            }
            if let Some(until) = fact.until.filter(|&until| until < from) {
                return Err(Refusal::EndsBeforeStart { from, until }.into());
            }
            if !seen.insert((fact.attribute, from)) {
                let named = self.snapshot().catalogue().attribute_by_number(fact.attribute);
                let attribute = named.map_or_else(String::new, |attribute| attribute.name.clone());
                return Err(Refusal::GivenTwice { attribute }.into());
            }
        }
        Ok(())
    }

    /// A provisional ID for a person.
    pub(super) fn provisional(&self, person: PersonNumber) -> Result<Identifier, WriteError> {
        self.provisional_among(person, |_| true)
    }

    /// A provisional ID for a person, one of those that are free by other accounts too.
    pub(super) fn provisional_among(
        &self,
        person: PersonNumber,
        is_free: impl Fn(Identifier) -> bool,
    ) -> Result<Identifier, WriteError> {
        // Numbers that a caller gave by hand may be in the way; the number space is wider than person numbers.
        let candidates = [0_u64, 1 << 32, 2 << 32].map(|offset| offset + u64::from(person.get()));
        for id in candidates.into_iter().filter_map(ProvisionalId::from_number) {
            let holder = self.snapshot().holder(id.into())?;
            if is_free(id.into()) && holder.is_none_or(|holder| holder == person) {
                return Ok(id.into());
            }
        }
        let max = ProvisionalId::LIMIT;
        Err(Refusal::Limit {
            what: "provisional IDs",
            found: max + 1,
            max,
        }
        .into())
    }

    pub(super) fn insert_person(&mut self, new: &NewPerson) -> Result<Answer, WriteError> {
        if let Some(identifier) = new.identifier
            && let Some(answer) = self.existing(new, identifier)?
        {
            return Ok(answer);
        }
        let documents = new.facts.iter().filter(|fact| !fact.document.is_empty()).count();
        Self::check_dossier(&new.dossier, documents)?;
        let began = new.from;
        if began < new.birth.earliest_month() {
            return Err(Refusal::BeforeBirth {
                month: began,
                birth: new.birth,
            }
            .into());
        }
        self.check_initial(&new.facts, began, new.birth)?;
        let (household, unit) = self.destination(new.lives, began)?;
        if let Destination::Household(household) = new.lives {
            let found = self.snapshot().ever_members(household)?.len() as u64 + 1;
            let max = MEMBERS_MAX as u64;
            if found > max {
                let what = "people who were ever members of a household";
                return Err(Refusal::Limit { what, found, max }.into());
            }
        }
        let number = self.snapshot().persons().checked_add(1).ok_or(Refusal::Limit {
            what: "persons",
            found: u64::from(u32::MAX) + 1,
            max: u64::from(u32::MAX),
        })?;
        let person = PersonNumber(number);
        let identifier = match new.identifier {
            Some(identifier) => identifier,
            None => self.provisional(person)?,
        };

        // Whoever else the identifier led to is seen to first: nothing is changed before the last refusal.
        if self.snapshot().holder(identifier)?.is_some() {
            self.give_identifier(identifier, person)?;
        } else {
            self.overlay.ids.insert(identifier.key(), number);
        }
        self.overlay.head.persons = number;
        let household = match new.lives {
            Destination::NewHousehold(id, unit) => Some(self.make_household(id, unit, began, person)),
            _ => household,
        };
        if let (Destination::Household(_), Some(household)) = (new.lives, household) {
            self.join(household, person)?;
        }
        let facts = new.facts.iter().map(|fact| DatedValue {
            attribute: fact.attribute,
            value: fact.value,
            from: fact.from.unwrap_or(began),
            until: fact.until,
            document: fact.document.clone(),
        });
        let initial = Initial::split(self.snapshot().catalogue(), began, facts);
        let Initial {
            mut profile,
            values,
            dated,
            documents,
        } = initial;
        profile.set(builtin::SEX, Some(sex_value(new.sex)));
        let mut dossier = new.dossier.clone();
        dossier.documents.extend(documents);
        for fact in dated {
            let content = Some((fact.value, fact.until, fact.document));
            self.put_new_fact(Subject::Person(person), fact.attribute, fact.from, content);
        }
        for &(attribute, value) in &values {
            self.note_reference(Subject::Person(person), attribute, Some(value));
        }
        let row = crate::format::columns::Row {
            person: number,
            household: household.map_or(0, HouseholdNumber::get),
            identifier,
            birth_day: new.birth.day().unwrap_or(0),
            began,
            recorded: self.sequence(),
            values,
        };
        let code = self.profile_code(&profile);
        let unit = unit.map_or(NOWHERE, crate::types::UnitNumber::get);
        let at = self.append_row(unit, row, code, birth_code(new.birth))?;
        self.overlay.locators.insert(number, at);
        self.overlay.dossiers.insert(number, dossier);
        self.refresh(Subject::Person(person))?;
        Ok(Answer::PersonCreated(person))
    }

    /// Where someone who goes to a destination will live: refuses what cannot be.
    pub(super) fn destination(
        &self,
        to: Destination,
        from: Month,
    ) -> Result<(Option<HouseholdNumber>, Option<crate::types::UnitNumber>), WriteError> {
        match to {
            Destination::Household(household) => {
                let history = self.snapshot().household_history(household)?;
                let history = history.ok_or(Refusal::NoHousehold(household))?;
                let unit = history
                    .residence(from, Sequence::NEWEST)
                    .filter(|&unit| {
                        self.snapshot()
                            .units()
                            .follow(unit, from, Sequence::NEWEST)
                            .is_some()
                    })
                    .ok_or(Refusal::HouseholdNowhere {
                        household,
                        month: from,
                    })?;
                Ok((Some(household), Some(unit)))
            }
            Destination::NewHousehold(id, unit) => {
                self.check_in_force(unit, from)?;
                self.check_household_id(id)?;
                Ok((None, Some(unit)))
            }
            Destination::Unit(unit) => {
                self.check_in_force(unit, from)?;
                Ok((None, Some(unit)))
            }
            Destination::Away => Ok((None, None)),
        }
    }

    pub(super) fn assign_identifier(
        &mut self,
        person: PersonNumber,
        identifier: Identifier,
    ) -> Result<Answer, WriteError> {
        let history = self.open_person(person, Documents::Without)?;
        if history.identifier(Sequence::NEWEST)? == identifier {
            return Ok(Answer::Unchanged);
        }
        if let Some(holder) = self.in_the_way(identifier)?
            && let Some(other) = self.snapshot().person_history(holder, Documents::Without)?
        {
            let known = Sequence::NEWEST;
            // The ID of a record that was merged into this one is this person's own.
            let own = holder == person || other.merged_into(known) == Some(person);
            if !own && other.identifier(known)? == identifier {
                let identifier = identifier.masked();
                return Err(Refusal::IdentifierTaken { identifier, holder }.into());
            }
        }
        self.give_identifier(identifier, person)?;
        let key = identifier.key();
        let content = Some((number_value(key), None, String::new()));
        self.put_fact(
            Subject::Person(person),
            builtin::IDENTIFIER,
            Month::MIN,
            content,
            &history.records,
        );
        self.refresh(Subject::Person(person))?;
        Ok(Answer::Done)
    }

    pub(super) fn correct_birth(
        &mut self,
        person: PersonNumber,
        birth: BirthDate,
    ) -> Result<Answer, WriteError> {
        let history = self.open_person(person, Documents::Without)?;
        if history.birth(Sequence::NEWEST)? == birth {
            return Ok(Answer::Unchanged);
        }
        let content = Some((Value::Birth(birth), None, String::new()));
        self.put_fact(
            Subject::Person(person),
            builtin::BIRTH,
            Month::MIN,
            content,
            &history.records,
        );
        self.refresh(Subject::Person(person))?;
        Ok(Answer::Done)
    }

    pub(super) fn correct_sex(&mut self, person: PersonNumber, sex: Sex) -> Result<Answer, WriteError> {
        let history = self.open_person(person, Documents::Without)?;
        if history.sex(Sequence::NEWEST)? == sex {
            return Ok(Answer::Unchanged);
        }
        let content = Some((sex_value(sex), None, String::new()));
        self.put_fact(
            Subject::Person(person),
            builtin::SEX,
            Month::MIN,
            content,
            &history.records,
        );
        self.refresh(Subject::Person(person))?;
        Ok(Answer::Done)
    }

    pub(super) fn correct_dossier(
        &mut self,
        person: PersonNumber,
        new: &Dossier,
    ) -> Result<Answer, WriteError> {
        self.open_person(person, Documents::Without)?;
        Self::check_dossier(new, 0)?;
        let mut dossier = self.snapshot().dossier(person)?;
        if (&dossier.name, &dossier.address, &dossier.account) == (&new.name, &new.address, &new.account) {
            return Ok(Answer::Unchanged);
        }
        dossier.name.clone_from(&new.name);
        dossier.address.clone_from(&new.address);
        dossier.account.clone_from(&new.account);
        self.overlay.dossiers.insert(person.get(), dossier);
        Ok(Answer::Done)
    }

    pub(super) fn mark_entered_in_error(&mut self, person: PersonNumber) -> Result<Answer, WriteError> {
        let history = self.snapshot().person_history(person, Documents::Without)?;
        if history.is_some_and(|history| history.entered_in_error(Sequence::NEWEST)) {
            return Ok(Answer::Unchanged);
        }
        let history = self.open_person(person, Documents::Without)?;
        let content = Some((Value::Bool(true), None, String::new()));
        let attribute = builtin::ENTERED_IN_ERROR;
        self.put_fact(
            Subject::Person(person),
            attribute,
            Month::MIN,
            content,
            &history.records,
        );
        self.refresh(Subject::Person(person))?;
        Ok(Answer::Done)
    }

    pub(super) fn merge_person(
        &mut self,
        duplicate: PersonNumber,
        into: PersonNumber,
    ) -> Result<Answer, WriteError> {
        if duplicate == into {
            let relation = "merged into";
            return Err(Refusal::Itself {
                what: duplicate.to_string(),
                relation,
            }
            .into());
        }
        let history = self.snapshot().person_history(duplicate, Documents::Without)?;
        if history.is_some_and(|history| history.merged_into(Sequence::NEWEST) == Some(into)) {
            return Ok(Answer::Unchanged);
        }
        let history = self.open_person(duplicate, Documents::Without)?;
        self.open_person(into, Documents::Without)?;
        let content = Some((number_value(u64::from(into.get())), None, String::new()));
        let attribute = builtin::MERGED_INTO;
        self.put_fact(
            Subject::Person(duplicate),
            attribute,
            Month::MIN,
            content,
            &history.records,
        );
        self.overlay.merged.insert((into.get(), duplicate.get()));
        // Whoever named the duplicate refers to the other from now on.
        self.overlay.loosened.extend([into, duplicate]);
        self.refresh(Subject::Person(duplicate))?;
        Ok(Answer::Done)
    }
}
