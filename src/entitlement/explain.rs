//! The explanation of one person's month.

use std::collections::BTreeMap;

use thiserror::Error;

use super::campaign::{self, Earlier};
use super::header::{RunBrief, RunHeader};
use super::run::{outcome, runs};
use crate::kernel::catalogue::{SubjectKind, builtin};
use crate::kernel::operation::Subject;
use crate::kernel::state::{Content, FactRecord, PersonState};
use crate::kernel::{ReadError, View};
use crate::policy::{Explanation, MonthPolicy, Outcome, Policy, PolicyError};
use crate::query::case::{Around, CaseReader};
use crate::types::{AttributeNumber, Date, Instant, Month, PersonNumber, Sequence, Value};

/// What a month was determined, or would be determined, to be for a person.
#[derive(Debug, Clone)]
pub struct PersonExplanation {
    /// The person at the end of the month.
    pub person: PersonState,
    /// The month.
    pub month: Month,
    /// The law that was applied: [`Words`](crate::policy::words::Words) writes the explanation with its titles.
    pub policy: Policy,
    /// The law as known on this day.
    pub law_known_on: Date,
    /// The data as known at this sequence.
    pub data_as_of: Sequence,
    /// Whether a run determined it.
    pub determined: Determined,
    /// The outcome: of the run if there is one, otherwise as it would be.
    pub outcome: Outcome,
    /// How the policy comes to it.
    pub explanation: Explanation,
    /// What is recorded of everything that the month's programmes read, with what stands behind it: at the end of the
    /// month, then at the end of the month before where something else holds there. The birth date, the household and
    /// the place of residence are among it.
    pub values: Vec<ValueBehind>,
    /// Of a campaign: the run that paid the person before. The conditions are explained all the same.
    pub paid_before: Option<PaidBefore>,
}

/// A campaign run that paid a person before.
#[derive(Debug, Clone)]
pub struct PaidBefore {
    /// The run. It may have been voided since.
    pub run: Box<RunHeader>,
    /// The record that it paid: the person's own, or another of the same person that was merged.
    pub record: PersonNumber,
}

/// Whether a run determined an outcome.
#[derive(Debug, Clone)]
pub enum Determined {
    /// No run of this month has the person in its scope: this is what would be.
    WouldBe,
    /// A run determined it, and evaluating the facts and the law as they were known agrees.
    ByRun(Box<RunHeader>),
    /// A run determined it, and evaluating the facts and the law as they were known gives another outcome.
    ByRunOtherwise {
        /// The run.
        run: Box<RunHeader>,
        /// What the evaluation gives.
        evaluated: Box<Outcome>,
    },
}

/// A value that was read, and the record behind it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ValueBehind {
    /// What it is about.
    pub subject: SubjectKind,
    /// The attribute.
    pub attribute: AttributeNumber,
    /// The month at whose end it held.
    pub month: Month,
    /// The value; `None` without a record.
    pub value: Option<Value>,
    /// The record.
    pub record: Option<FactRecord>,
    /// Who recorded it; `None` without a record.
    pub recording: Option<Recording>,
}

/// The transaction that recorded something, as the log tells of it. For what was bulk-loaded it is the load.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recording {
    /// Its number.
    pub sequence: Sequence,
    /// When.
    pub at: Instant,
    /// Who.
    pub author: String,
    /// Why.
    pub reason: String,
}

/// Why nothing can be explained.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ExplainError {
    /// The registry could not be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The policy has no values for the month.
    #[error(transparent)]
    Policy(#[from] PolicyError),
    /// No such person, as known.
    #[error("{0} is not in the registry, as known at {1}")]
    NoPerson(PersonNumber, Sequence),
}

/// The run that stands for a month, or for a campaign in it, and has a person in its scope, with what it determined. It
/// reads the headers of that month's runs and one block of a dictionary.
pub fn determined(
    view: &View,
    campaign: Option<&str>,
    person: PersonNumber,
    month: Month,
) -> Result<Option<(RunHeader, Outcome)>, ReadError> {
    for (number, header) in view.runs_of(month)? {
        if !RunBrief::decode(number, &header)?.stands_for(campaign) {
            continue;
        }
        if let Some(code) = view.run_code(number, person)? {
            let run = RunHeader::decode(number, &header)?;
            return Ok(Some((run, outcome(view, number, code)?)));
        }
    }
    Ok(None)
}

/// The run of a campaign that paid a person before: one of those that the campaign's run in this month took into account
/// or, without a run, of those that stand. Somebody who is not there in the month is in no run, and not asked about.
fn paid_before(
    view: &View,
    policy: &MonthPolicy,
    run: Option<&RunHeader>,
    state: &PersonState,
) -> Result<Option<(PaidBefore, Outcome)>, ReadError> {
    let Some(outcome) = policy.already_paid().filter(|_| state.present) else {
        return Ok(None);
    };
    let runs = runs(view)?;
    let about = match run {
        Some(run) => run.campaign.clone(),
        None => campaign::about(view, policy, &runs, None),
    };
    let Some(about) = about else {
        return Ok(None);
    };
    let earlier = Earlier::read(view, &about, &runs, outcome)?;
    for record in view.records_of(state.number, about.mergers_known)? {
        if let Some(number) = earlier.paid_by(view, record)? {
            let run = runs.iter().find(|run| run.number == number).cloned();
            let run = run.ok_or_else(|| ReadError::Inconsistent(format!("run {number} has no header")))?;
            let run = Box::new(run);
            return Ok(Some((PaidBefore { run, record }, earlier.outcome().clone())));
        }
    }
    Ok(None)
}

/// Explains what a month is for a person.
///
/// If a run of the month has the person in its scope, its outcome is given, and the conditions are evaluated again
/// from the law and the facts as they were known to it. Otherwise the explanation says what would be: by the law
/// known on `law_known_on` (the last day of the month if `None`) and the data known at `data_as_of`.
pub fn explain(
    view: &View,
    policy: &Policy,
    person: PersonNumber,
    month: Month,
    law_known_on: Option<Date>,
    data_as_of: Sequence,
) -> Result<PersonExplanation, ExplainError> {
    let by_run = determined(view, None, person, month)?;
    let (law_known_on, known) = as_known(by_run.as_ref(), month, law_known_on, data_as_of);
    let month_policy = policy.for_month(month, law_known_on)?;
    explain_in(view, &month_policy, person, known, by_run)
}

/// Explains what a campaign is for a person in a month, as [`explain`] explains the month itself. Somebody whom the
/// campaign paid before is due nothing; [`PersonExplanation::paid_before`] then names the run.
pub fn explain_campaign(
    view: &View,
    policy: &Policy,
    campaign: &str,
    person: PersonNumber,
    month: Month,
    law_known_on: Option<Date>,
    data_as_of: Sequence,
) -> Result<PersonExplanation, ExplainError> {
    let by_run = determined(view, Some(campaign), person, month)?;
    let (law_known_on, known) = as_known(by_run.as_ref(), month, law_known_on, data_as_of);
    let month_policy = policy.for_campaign(month, law_known_on, campaign)?;
    explain_in(view, &month_policy, person, known, by_run)
}

/// The law date and the data by which a month is explained: those of the run if there is one.
pub(crate) fn as_known(
    by_run: Option<&(RunHeader, Outcome)>,
    month: Month,
    law_known_on: Option<Date>,
    data_as_of: Sequence,
) -> (Date, Sequence) {
    match by_run {
        Some((run, _)) => (run.law_known_on, run.data_as_of),
        None => (law_known_on.unwrap_or_else(|| Date::last_of(month)), data_as_of),
    }
}

/// As [`explain`] and [`explain_campaign`], by the policy of the month and what [`determined`] gave: the policy and
/// `known` have to be the law and the data of the run if there is one.
pub fn explain_in(
    view: &View,
    policy: &MonthPolicy,
    person: PersonNumber,
    known: Sequence,
    by_run: Option<(RunHeader, Outcome)>,
) -> Result<PersonExplanation, ExplainError> {
    let month = policy.month();
    let state = view
        .person(person, month, known)?
        .ok_or(ExplainError::NoPerson(person, known))?;
    let mut explanation = explain_by(view, policy, &state, known)?;
    let before = paid_before(view, policy, by_run.as_ref().map(|(run, _)| run), &state)?;
    let paid_before = before.map(|(before, outcome)| {
        explanation.outcome = outcome;
        before
    });
    let values = values_behind(view, policy, &state, known)?;
    let (outcome, determined) = match by_run {
        None => (explanation.outcome.clone(), Determined::WouldBe),
        Some((run, outcome)) if outcome == explanation.outcome => (outcome, Determined::ByRun(Box::new(run))),
        Some((run, outcome)) => {
            let evaluated = Box::new(explanation.outcome.clone());
            let run = Box::new(run);
            (outcome, Determined::ByRunOtherwise { run, evaluated })
        }
    };
    Ok(PersonExplanation {
        person: state,
        month,
        policy: policy.policy().clone(),
        law_known_on: policy.law_known_on(),
        data_as_of: known,
        determined,
        outcome,
        explanation,
        values,
        paid_before,
    })
}

/// Explains by everything on record. Somebody who is neither present nor died in the month is in no run of it.
fn explain_by(
    view: &View,
    policy: &MonthPolicy,
    state: &PersonState,
    known: Sequence,
) -> Result<Explanation, ReadError> {
    if !state.present {
        return Ok(policy.explain(None, None));
    }
    let month = policy.month();
    let reader = CaseReader::new(view, policy, month, known);
    let earlier = month
        .previous()
        .map(|month| CaseReader::new(view, policy, month, known));
    let (own, own_before) = (
        Around::new(&reader, state.number),
        Around::new(earlier.as_ref().unwrap_or(&reader), state.number),
    );
    let now = reader.of_state(state)?;
    let before = match &earlier {
        Some(earlier) => earlier.read(state.number)?,
        None => None,
    };
    let (now, before) = (
        now.as_ref().map(|case| case.case(&own)),
        before.as_ref().map(|case| case.case(&own_before)),
    );
    let explanation = policy.explain(now.as_ref(), before.as_ref());
    reader.take_problem()?;
    if let Some(earlier) = &earlier {
        earlier.take_problem()?;
    }
    Ok(explanation)
}

/// The records behind what the month's policy reads of a person, household and commune.
fn values_behind(
    view: &View,
    policy: &MonthPolicy,
    state: &PersonState,
    known: Sequence,
) -> Result<Vec<ValueBehind>, ReadError> {
    let reads = policy.reads();
    let mut behind = Behind {
        view,
        months: (policy.month(), policy.month().previous()),
        known,
        found: Vec::new(),
        log: BTreeMap::new(),
    };
    let person = [builtin::BIRTH, builtin::HOUSEHOLD];
    let person = person.iter().chain(&reads.person).chain(&reads.own);
    let person_residence = state.household.is_none().then_some(&builtin::RESIDENCE);
    behind.add(
        Subject::Person(state.number),
        SubjectKind::Person,
        person.chain(person_residence),
    )?;
    if let Some(household) = state.household {
        let attributes = [builtin::RESIDENCE];
        let attributes = attributes.iter().chain(&reads.household).chain(&reads.own);
        behind.add(Subject::Household(household), SubjectKind::Household, attributes)?;
    }
    if let Some(unit) = state.unit {
        let attributes = reads.commune.iter().chain(&reads.own);
        behind.add(Subject::Commune(unit), SubjectKind::Commune, attributes)?;
    }
    // What held at the end of the month before is of interest only where it was something else.
    let mut found = behind.found;
    found.sort_by_key(|behind| std::cmp::Reverse(behind.month));
    Ok(found)
}

/// Collects the records behind values.
struct Behind<'a> {
    view: &'a View,
    months: (Month, Option<Month>),
    known: Sequence,
    found: Vec<ValueBehind>,
    /// The log records that were read.
    log: BTreeMap<Sequence, Option<Recording>>,
}

impl Behind<'_> {
    fn add<'n>(
        &mut self,
        subject: Subject,
        kind: SubjectKind,
        attributes: impl Iterator<Item = &'n AttributeNumber>,
    ) -> Result<(), ReadError> {
        let history = self.view.full_history(subject)?;
        for &attribute in attributes {
            let declared = self.view.catalogue().attribute_by_number(attribute);
            if declared.is_some_and(|declared| declared.subject != kind) {
                continue;
            }
            let records: Vec<FactRecord> = history
                .iter()
                .filter(|record| record.attribute == attribute)
                .cloned()
                .collect();
            let mut resolve = |month| -> Result<ValueBehind, ReadError> {
                let (value, record) = self.view.resolve(attribute, &records, month, self.known);
                let recording = match &record {
                    Some(record) => recording(self.view, record.recorded, &mut self.log)?,
                    None => None,
                };
                Ok(ValueBehind {
                    subject: kind,
                    attribute,
                    month,
                    value,
                    record,
                    recording,
                })
            };
            let (month, before) = self.months;
            let now = resolve(month)?;
            let before = before.map(resolve).transpose()?;
            let before = before.filter(|before| (before.value, &before.record) != (now.value, &now.record));
            self.found.push(now);
            self.found.extend(before);
        }
        Ok(())
    }
}

fn recording(
    view: &View,
    sequence: Sequence,
    read: &mut BTreeMap<Sequence, Option<Recording>>,
) -> Result<Option<Recording>, ReadError> {
    if let Some(recording) = read.get(&sequence) {
        return Ok(recording.clone());
    }
    let recording = view.log_entry(sequence)?.map(|entry| Recording {
        sequence,
        at: entry.instant,
        author: entry.author,
        reason: entry.reason,
    });
    read.insert(sequence, recording.clone());
    Ok(recording)
}

impl ValueBehind {
    /// The first month for which the record holds; `None` without a record, or if it holds from the beginning.
    pub fn since(&self) -> Option<Month> {
        let from = self.record.as_ref()?.from;
        (from != Month::MIN).then_some(from)
    }

    /// The last month for which the record holds, if it has one.
    pub fn until(&self) -> Option<Month> {
        match self.record.as_ref()?.content {
            Content::Value { until, .. } => until,
            Content::Retracted => None,
        }
    }

    /// The document of the record, if it names one.
    pub fn document(&self) -> Option<&str> {
        match &self.record.as_ref()?.content {
            Content::Value { document, .. } if !document.is_empty() => Some(document),
            _ => None,
        }
    }
}
