//! Operations on facts: record, retract, end, death and decisions.

use std::rc::Rc;

use super::WriteTransaction;
use crate::format::fact::{FactContent, FactKey};
use crate::kernel::catalogue::{
    Attribute, ENROLMENT_STATES, EnrolmentState, SubjectKind, ValueError, builtin,
};
use crate::kernel::error::WriteError;
use crate::kernel::fact::{Records, deciding, value_in};
use crate::kernel::history::{HouseholdHistory, Memo, PersonHistory, in_force};
use crate::kernel::operation::{Answer, DOCUMENT_BYTES_MAX, Decision, Refusal, Subject};
use crate::kernel::snapshot::Documents;
use crate::kernel::state::{Content, FactRecord};
use crate::types::{
    AttributeNumber, Date, HouseholdNumber, Month, PersonNumber, ProgrammeNumber, Sequence, UnitNumber, Value,
};

const fn kind_of(subject: Subject) -> (SubjectKind, &'static str) {
    match subject {
        Subject::Person(_) => (SubjectKind::Person, "person"),
        Subject::Household(_) => (SubjectKind::Household, "household"),
        Subject::Commune(_) => (SubjectKind::Commune, "commune"),
    }
}

fn name_of(subject: Subject) -> String {
    match subject {
        Subject::Person(number) => number.to_string(),
        Subject::Household(number) => number.to_string(),
        Subject::Commune(number) => number.to_string(),
    }
}

/// A subject that takes changes, with everything recorded of it.
enum Opened {
    Person(PersonHistory),
    Household(HouseholdNumber, HouseholdHistory),
    Commune(UnitNumber, Records),
}

impl Opened {
    const fn subject(&self) -> Subject {
        match self {
            Self::Person(history) => Subject::Person(history.number),
            Self::Household(number, _) => Subject::Household(*number),
            Self::Commune(number, _) => Subject::Commune(*number),
        }
    }

    const fn records(&self) -> &Records {
        match self {
            Self::Person(PersonHistory { records, .. })
            | Self::Household(_, HouseholdHistory { records, .. })
            | Self::Commune(_, records) => records,
        }
    }

    const fn records_mut(&mut self) -> &mut Records {
        match self {
            Self::Person(PersonHistory { records, .. })
            | Self::Household(_, HouseholdHistory { records, .. })
            | Self::Commune(_, records) => records,
        }
    }
}

impl WriteTransaction<'_> {
    /// The declared attribute of a subject, or the refusal.
    fn attribute_of(&self, subject: Subject, number: AttributeNumber) -> Result<&Attribute, WriteError> {
        let (kind, name) = kind_of(subject);
        let found = self.snapshot().catalogue().attribute_by_number(number);
        found
            .filter(|attribute| attribute.subject == kind)
            .ok_or_else(|| {
                Refusal::NoAttribute {
                    attribute: number,
                    subject: name,
                }
                .into()
            })
    }

    /// Everything recorded of a subject that takes changes of an attribute, or the refusal.
    fn open_subject(&self, subject: Subject, attribute: AttributeNumber) -> Result<Opened, WriteError> {
        match subject {
            Subject::Person(person) => {
                let history = self.open_person(person, Documents::Of(attribute))?;
                Ok(Opened::Person(history))
            }
            Subject::Household(household) => {
                let history = self.snapshot().household_history(household)?;
                let history = history.ok_or(Refusal::NoHousehold(household))?;
                Ok(Opened::Household(household, history))
            }
            Subject::Commune(unit) => {
                self.known_unit(unit)?;
                Ok(Opened::Commune(unit, self.snapshot().commune_records(unit)?))
            }
        }
    }

    /// Writes a record of a subject, of whose attribute the documents are known.
    fn put_of(&mut self, opened: &mut Opened, attribute: AttributeNumber, from: Month, content: FactContent) {
        let record = FactRecord {
            attribute,
            from,
            recorded: self.sequence(),
            content: content
                .as_ref()
                .map_or(Content::Retracted, |(value, until, document)| Content::Value {
                    value: *value,
                    until: *until,
                    document: document.clone(),
                }),
        };
        self.put_fact(opened.subject(), attribute, from, content, opened.records());
        opened.records_mut().put(record);
    }

    /// As [`WriteTransaction::refresh`], of a subject of whom everything is known already.
    fn refresh_opened(&mut self, opened: Opened) -> Result<(), WriteError> {
        let memo = Memo::default();
        match opened {
            Opened::Person(history) => self.refresh_history(&history, &memo),
            Opened::Household(number, history) => {
                memo.put(number.get(), Rc::new(history));
                self.refresh_members(number, &memo)
            }
            // The values of a commune are read when they are asked for; no row shows them.
            Opened::Commune(..) => Ok(()),
        }
    }

    /// Refuses a value that does not fit an attribute of a subject, a retired attribute, and bad references.
    pub(super) fn check_value(
        &self,
        subject: Option<Subject>,
        kind: SubjectKind,
        number: AttributeNumber,
        value: Value,
    ) -> Result<(), WriteError> {
        let found = self.snapshot().catalogue().attribute_by_number(number);
        let attribute = found
            .filter(|attribute| attribute.subject == kind)
            .ok_or_else(|| {
                let subject = match kind {
                    SubjectKind::Person => "person",
                    SubjectKind::Household => "household",
                    SubjectKind::Commune => "commune",
                };
                Refusal::NoAttribute {
                    attribute: number,
                    subject,
                }
            })?;
        if attribute.retired {
            return Err(Refusal::Value(ValueError::Retired {
                name: attribute.name.clone(),
            })
            .into());
        }
        if !attribute.admits(value) {
            return Err(Refusal::Value(attribute.unfit(&attribute.text(value))).into());
        }
        if let Value::Person(person) = value {
            if subject == Some(Subject::Person(person)) {
                let attribute = attribute.name.clone();
                return Err(Refusal::OwnReference { attribute }.into());
            }
            if person.get() == 0 || person.get() > self.snapshot().persons() {
                return Err(Refusal::NoPerson(person).into());
            }
        }
        Ok(())
    }

    /// Refuses a retired attribute.
    fn check_not_retired(&self, number: AttributeNumber) -> Result<(), WriteError> {
        match self.snapshot().catalogue().attribute_by_number(number) {
            Some(attribute) if attribute.retired => Err(Refusal::Value(ValueError::Retired {
                name: attribute.name.clone(),
            })
            .into()),
            _ => Ok(()),
        }
    }

    /// Refuses a document that is too long.
    pub(super) fn check_document(document: &str) -> Result<(), WriteError> {
        if document.len() > DOCUMENT_BYTES_MAX {
            let (found, max) = (document.len() as u64, DOCUMENT_BYTES_MAX as u64);
            return Err(Refusal::Limit {
                what: "bytes of a document",
                found,
                max,
            }
            .into());
        }
        Ok(())
    }

    pub(super) fn record_fact(
        &mut self,
        subject: Subject,
        attribute: AttributeNumber,
        value: Value,
        from: Month,
        until: Option<Month>,
        document: &str,
    ) -> Result<Answer, WriteError> {
        self.attribute_of(subject, attribute)?;
        let mut opened = self.open_subject(subject, attribute)?;
        self.check_value(Some(subject), kind_of(subject).0, attribute, value)?;
        Self::check_document(document)?;
        if let Some(until) = until.filter(|&until| until < from) {
            return Err(Refusal::EndsBeforeStart { from, until }.into());
        }
        let recorded = Content::Value {
            value,
            until,
            document: document.to_owned(),
        };
        let same = |record: &FactRecord| record.from == from && record.content == recorded;
        if deciding(opened.records().of(attribute), from, Sequence::NEWEST).is_some_and(same) {
            return Ok(Answer::Unchanged);
        }
        let content = Some((value, until, document.to_owned()));
        self.put_of(&mut opened, attribute, from, content);
        self.refresh_opened(opened)?;
        Ok(Answer::Done)
    }

    pub(super) fn retract_fact(
        &mut self,
        subject: Subject,
        attribute: AttributeNumber,
        from: Month,
    ) -> Result<Answer, WriteError> {
        let name = self.attribute_of(subject, attribute)?.name.clone();
        self.check_not_retired(attribute)?;
        let mut opened = self.open_subject(subject, attribute)?;
        let decides = deciding(opened.records().of(attribute), from, Sequence::NEWEST);
        if decides.is_none_or(|record| record.from != from) {
            let when = format!("valid from {from}");
            return Err(Refusal::NoFact {
                subject: name_of(subject),
                attribute: name,
                when,
            }
            .into());
        }
        self.put_of(&mut opened, attribute, from, None);
        self.refresh_opened(opened)?;
        Ok(Answer::Done)
    }

    pub(super) fn end_fact(
        &mut self,
        subject: Subject,
        attribute: AttributeNumber,
        last: Month,
    ) -> Result<Answer, WriteError> {
        let name = self.attribute_of(subject, attribute)?.name.clone();
        self.check_not_retired(attribute)?;
        let mut opened = self.open_subject(subject, attribute)?;
        let Some(record) = in_force(opened.records().of(attribute), last) else {
            let when = format!("in force in {last}");
            return Err(Refusal::NoFact {
                subject: name_of(subject),
                attribute: name,
                when,
            }
            .into());
        };
        let (from, content) = (record.from, record.content.clone());
        let Content::Value {
            value,
            until,
            document,
        } = content
        else {
            return Ok(Answer::Unchanged);
        };
        if until == Some(last) {
            return Ok(Answer::Unchanged);
        }
        self.put_of(&mut opened, attribute, from, Some((value, Some(last), document)));
        self.refresh_opened(opened)?;
        Ok(Answer::Done)
    }

    /// Writes a record, and before the first change of a value that only a column holds, that value.
    ///
    /// `records` are those of the subject before the change, with the documents of this attribute.
    pub(super) fn put_fact(
        &mut self,
        subject: Subject,
        attribute: AttributeNumber,
        from: Month,
        content: FactContent,
        records: &Records,
    ) {
        let (kind, number) = subject.key();
        let recorded = self.sequence();
        self.replace_reference(subject, attribute, from, records);
        self.note_reference(subject, attribute, content.as_ref().map(|(value, ..)| *value));
        self.note_loose(subject, attribute);
        for record in records.of(attribute) {
            let key = FactKey {
                kind,
                number,
                attribute,
                from: record.from,
                recorded: record.recorded,
            };
            let Content::Value {
                value,
                until,
                document,
            } = &record.content
            else {
                continue;
            };
            // A record of this very sequence and month is replaced below; all others are kept. Those that the
            // table has already are written again as they are, which only happens for the one or two of an
            // attribute.
            self.overlay
                .facts
                .entry(key)
                .or_insert_with(|| Some((*value, *until, document.clone())));
        }
        self.overlay.facts.insert(
            FactKey {
                kind,
                number,
                attribute,
                from,
                recorded,
            },
            content,
        );
    }

    pub(super) fn record_death(
        &mut self,
        person: PersonNumber,
        date: Date,
        document: &str,
    ) -> Result<Answer, WriteError> {
        let history = self.open_person(person, Documents::Of(builtin::DEATH))?;
        Self::check_document(document)?;
        let birth = history.birth(Sequence::NEWEST)?;
        if date.month() < birth.earliest_month() {
            return Err(Refusal::BeforeBirth {
                month: date.month(),
                birth,
            }
            .into());
        }
        let known = history.death(Sequence::NEWEST);
        if known == Some(date) {
            return Ok(Answer::Unchanged);
        }
        let mut opened = Opened::Person(history);
        if let Some(known) = known.filter(|known| known.month() != date.month()) {
            self.put_of(&mut opened, builtin::DEATH, known.month(), None);
        }
        let content = Some((Value::Date(date), None, document.to_owned()));
        self.put_of(&mut opened, builtin::DEATH, date.month(), content);
        self.refresh_opened(opened)?;
        Ok(Answer::Done)
    }

    pub(super) fn retract_death(&mut self, person: PersonNumber) -> Result<Answer, WriteError> {
        let history = self.open_person(person, Documents::Of(builtin::DEATH))?;
        let Some(known) = history.death(Sequence::NEWEST) else {
            let (attribute, when) = ("death".to_owned(), "on record".to_owned());
            return Err(Refusal::NoFact {
                subject: name_of(Subject::Person(person)),
                attribute,
                when,
            }
            .into());
        };
        let mut opened = Opened::Person(history);
        self.put_of(&mut opened, builtin::DEATH, known.month(), None);
        self.refresh_opened(opened)?;
        Ok(Answer::Done)
    }

    pub(super) fn decide(
        &mut self,
        person: PersonNumber,
        programme: ProgrammeNumber,
        decision: Decision,
        from: Month,
        document: &str,
    ) -> Result<Answer, WriteError> {
        let catalogue = self.snapshot().catalogue();
        let declared = catalogue.programme_by_number(programme);
        let documents = declared
            .and_then(|declared| declared.enrolment)
            .map_or(Documents::Without, Documents::Of);
        let history = self.open_person(person, documents)?;
        Self::check_document(document)?;
        let declared = declared.ok_or(Refusal::NoProgramme(programme))?;
        let name = declared.name.clone();
        let attribute = declared
            .enrolment
            .ok_or_else(|| Refusal::NoEnrolment(name.clone()))?;
        self.check_not_retired(attribute)?;
        let on_expiry = crate::kernel::catalogue::OnExpiry::Absent;
        let state = match value_in(history.records.of(attribute), from, Sequence::NEWEST, on_expiry) {
            Some(Value::Enum(1)) => Some(EnrolmentState::Active),
            Some(Value::Enum(2)) => Some(EnrolmentState::Suspended),
            Some(Value::Enum(3)) => Some(EnrolmentState::Ended),
            Some(Value::Unknown) => None,
            _ => Some(EnrolmentState::None),
        };
        let (target, allowed, expected): (EnrolmentState, &[EnrolmentState], _) = match decision {
            Decision::Enrol => (
                EnrolmentState::Active,
                &[EnrolmentState::None, EnrolmentState::Ended],
                "none or ended",
            ),
            Decision::Suspend => (EnrolmentState::Suspended, &[EnrolmentState::Active], "active"),
            Decision::Resume => (EnrolmentState::Active, &[EnrolmentState::Suspended], "suspended"),
            Decision::End => (
                EnrolmentState::Ended,
                &[EnrolmentState::Active, EnrolmentState::Suspended],
                "active or suspended",
            ),
        };
        if state == Some(target) {
            return Ok(Answer::Unchanged);
        }
        if state.is_none_or(|state| !allowed.contains(&state)) {
            let found = state.map_or("unknown", |state| ENROLMENT_STATES[state as usize]);
            return Err(Refusal::EnrolmentState {
                person,
                programme: name,
                found,
                expected,
                month: from,
            }
            .into());
        }
        let content = Some((Value::Enum(target as u16), None, document.to_owned()));
        let mut opened = Opened::Person(history);
        self.put_of(&mut opened, attribute, from, content);
        self.refresh_opened(opened)?;
        Ok(Answer::Done)
    }
}
