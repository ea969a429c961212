//! The explanation of one person's month.

use thiserror::Error;

use super::campaign::{self, Earlier};
use super::case::{Around, CaseReader};
use super::header::RunHeader;
use super::run::{outcomes, runs};
use crate::kernel::catalogue::SubjectKind;
use crate::kernel::operation::Subject;
use crate::kernel::state::{Content, FactRecord, PersonState};
use crate::kernel::{ReadError, View};
use crate::policy::{Explanation, MonthPolicy, Outcome, Policy, PolicyError};
use crate::types::{AttributeNumber, Date, Month, PersonNumber, Sequence, Value};

/// What a month was determined, or would be determined, to be for a person.
#[derive(Debug, Clone)]
pub struct PersonExplanation {
    /// The person at the end of the month.
    pub person: PersonState,
    /// The month.
    pub month: Month,
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
    /// The recorded values that were read, with what stands behind them.
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

/// The run that stands for a month, or for a campaign in it, and has a person in its scope: its place among the runs,
/// and the code of what it determined.
pub(crate) fn determining(
    view: &View,
    runs: &[RunHeader],
    campaign: Option<&str>,
    person: PersonNumber,
    month: Month,
) -> Result<Option<(usize, u32)>, ReadError> {
    for (place, run) in runs.iter().enumerate() {
        if run.month == month
            && run.stands_for(campaign)
            && let Some(code) = view.run_code(run.number, person)?
        {
            return Ok(Some((place, code)));
        }
    }
    Ok(None)
}

fn outcome_of(view: &View, run: &RunHeader, code: u32) -> Result<Outcome, ReadError> {
    let outcome = outcomes(view, run)?.into_iter().nth(code as usize - 1);
    outcome
        .ok_or_else(|| ReadError::Inconsistent(format!("run {} has no outcome of code {code}", run.number)))
}

/// The run of a campaign that paid a person before: one of those that the campaign's run in this month took into account
/// or, without a run, of those that stand. Somebody who is not there in the month is in no run, and not asked about.
fn paid_before(
    view: &View,
    policy: &MonthPolicy,
    (runs, run): (&[RunHeader], Option<&RunHeader>),
    state: &PersonState,
) -> Result<Option<(PaidBefore, Outcome)>, ReadError> {
    let about = match run {
        Some(run) => run.campaign.clone(),
        None => campaign::about(view, policy, runs, None),
    };
    let (Some(about), Some(outcome)) = (about.filter(|_| state.present), policy.already_paid()) else {
        return Ok(None);
    };
    let earlier = Earlier::read(view, &about, runs, outcome)?;
    for record in campaign::records_of(view, state.number, about.mergers_known)? {
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
    let asked = Asked {
        person,
        month,
        campaign: None,
    };
    asked.explain(view, policy, law_known_on, data_as_of)
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
    let asked = Asked {
        person,
        month,
        campaign: Some(campaign),
    };
    asked.explain(view, policy, law_known_on, data_as_of)
}

/// Whose month is asked about, or whose campaign.
struct Asked<'a> {
    person: PersonNumber,
    month: Month,
    campaign: Option<&'a str>,
}

impl Asked<'_> {
    fn explain(
        &self,
        view: &View,
        policy: &Policy,
        law_known_on: Option<Date>,
        data_as_of: Sequence,
    ) -> Result<PersonExplanation, ExplainError> {
        let &Self {
            person,
            month,
            campaign,
        } = self;
        let runs = runs(view)?;
        let by_run =
            determining(view, &runs, campaign, person, month)?.map(|(place, code)| (&runs[place], code));
        let (law_known_on, known) = match by_run {
            Some((run, _)) => (run.law_known_on, run.data_as_of),
            None => (law_known_on.unwrap_or_else(|| Date::last_of(month)), data_as_of),
        };
        let month_policy = match campaign {
            None => policy.for_month(month, law_known_on)?,
            Some(name) => policy.for_campaign(month, law_known_on, name)?,
        };
        let state = view
            .person(person, month, known)?
            .ok_or(ExplainError::NoPerson(person, known))?;
        let mut explanation = explain_by(view, &month_policy, &state, known)?;
        let before = paid_before(view, &month_policy, (&runs, by_run.map(|(run, _)| run)), &state)?;
        let paid_before = before.map(|(before, outcome)| {
            explanation.outcome = outcome;
            before
        });
        let values = values_behind(view, &month_policy, &state, month, known)?;
        let (outcome, determined) = match by_run {
            None => (explanation.outcome.clone(), Determined::WouldBe),
            Some((run, code)) => {
                let (outcome, run) = (outcome_of(view, run, code)?, Box::new(run.clone()));
                let determined = if outcome == explanation.outcome {
                    Determined::ByRun(run)
                } else {
                    let evaluated = Box::new(explanation.outcome.clone());
                    Determined::ByRunOtherwise { run, evaluated }
                };
                (outcome, determined)
            }
        };
        Ok(PersonExplanation {
            person: state,
            month,
            law_known_on,
            data_as_of: known,
            determined,
            outcome,
            explanation,
            values,
            paid_before,
        })
    }
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

/// The records behind the attributes that the month's policy reads of a person, household and commune.
fn values_behind(
    view: &View,
    policy: &MonthPolicy,
    state: &PersonState,
    month: Month,
    known: Sequence,
) -> Result<Vec<ValueBehind>, ReadError> {
    let reads = policy.reads();
    let mut behind = Vec::new();
    let mut add =
        |subject: Subject, kind: SubjectKind, attributes: &[AttributeNumber]| -> Result<(), ReadError> {
            let history = view.history(subject)?;
            for &attribute in attributes {
                let of_kind = view
                    .catalogue()
                    .attribute_by_number(attribute)
                    .is_some_and(|known| known.subject == kind);
                if !of_kind {
                    continue;
                }
                let records: Vec<FactRecord> = history
                    .iter()
                    .filter(|record| record.attribute == attribute)
                    .cloned()
                    .collect();
                let (value, record) = view.resolve(attribute, &records, month, known);
                behind.push(ValueBehind {
                    subject: kind,
                    attribute,
                    month,
                    value,
                    record,
                });
            }
            Ok(())
        };
    let person = Subject::Person(state.number);
    add(person, SubjectKind::Person, &reads.person)?;
    add(person, SubjectKind::Person, &reads.own)?;
    if let Some(household) = state.household {
        add(
            Subject::Household(household),
            SubjectKind::Household,
            &reads.household,
        )?;
        add(Subject::Household(household), SubjectKind::Household, &reads.own)?;
    }
    if let Some(unit) = state.unit {
        add(Subject::Commune(unit), SubjectKind::Commune, &reads.commune)?;
        add(Subject::Commune(unit), SubjectKind::Commune, &reads.own)?;
    }
    Ok(behind)
}

impl ValueBehind {
    /// The document of the record, if it names one.
    pub fn document(&self) -> Option<&str> {
        match &self.record.as_ref()?.content {
            Content::Value { document, .. } if !document.is_empty() => Some(document),
            _ => None,
        }
    }
}
