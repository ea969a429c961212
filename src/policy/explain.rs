//! Explanations: what the evaluator met on the way to an outcome.

use super::expr::range::{Fault, Truth};
use super::outcome::Outcome;
use super::pack::{Combination, Payee};
use super::parameter::{Confidence, ParameterValue};
use crate::kernel::catalogue::SubjectKind;
use crate::types::{AttributeNumber, Date, Dong, Month, ProgrammeNumber, Value};

/// How one person's month came out as it did. It comes from the evaluator that makes the outcome.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation {
    /// The month.
    pub month: Month,
    /// The day whose knowledge of the law was used.
    pub law_known_on: Date,
    /// Every programme that exists in the month, in the pack's order.
    pub programmes: Vec<ProgrammeExplanation>,
    /// The outcome, equal to that of the evaluation.
    pub outcome: Outcome,
}

/// What one programme contributed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProgrammeExplanation {
    /// Its number.
    pub number: ProgrammeNumber,
    /// Its identifier.
    pub id: String,
    /// Its title in Vietnamese.
    pub title_vi: String,
    /// Its title in English.
    pub title_en: String,
    /// Its legal source.
    pub cite: String,
    /// How well it is sourced.
    pub confidence: Confidence,
    /// Who is paid: the first of these that is recorded.
    pub payees: Vec<Payee>,
    /// The combination group.
    pub group: String,
    /// The rule of the group.
    pub combination: Combination,
    /// The legal source of that rule.
    pub group_cite: String,
    /// The state at the end of the month; `None` if the person was then dead or gone.
    pub end_of_month: Option<StateExplanation>,
    /// The state at the end of the month before; `None` if the person was then not yet there.
    pub end_of_month_before: Option<StateExplanation>,
    /// Whether it was chosen, and why.
    pub choice: Choice,
}

/// What became of a programme.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Choice {
    /// It gives nothing by itself.
    NotEntitled,
    /// It is paid.
    Paid,
    /// It is paid, and more is held.
    PaidAndHeld,
    /// It is held.
    Held,
    /// It could not be worked out.
    Fault(Fault),
    /// Only the highest of its group is paid, and that is another.
    LowerThan(ProgrammeNumber),
}

/// A programme in one state of the person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StateExplanation {
    /// The enrolment as recorded; `None` if no decision is needed.
    pub enrolment: Option<Read>,
    /// The conditions, then the exclusions.
    pub conditions: Vec<ConditionExplanation>,
    /// Whether all conditions hold and nothing excludes.
    pub qualifies: Result<Truth, Fault>,
    /// Whether the person qualifies and a decision is in force where one is needed.
    pub entitled: Result<Truth, Fault>,
    /// The amount; `None` if the person is certainly not entitled.
    pub amount: Option<AmountExplanation>,
}

/// A condition or an exclusion.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConditionExplanation {
    /// Its text in the pack.
    pub text: String,
    /// For an exclusion, its legal source; an exclusion must not hold.
    pub excludes_by: Option<String>,
    /// Whether it holds.
    pub truth: Result<Truth, Fault>,
    /// What it read.
    pub reads: Vec<Read>,
    /// The parameters that it used.
    pub parameters: Vec<ParameterRead>,
}

/// How an amount was worked out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AmountExplanation {
    /// Its text in the pack.
    pub text: String,
    /// The least and the greatest amount, equal if it is certain; the greatest is `None` without upper limit.
    pub amount: Result<(Dong, Option<Dong>), Fault>,
    /// What it read.
    pub reads: Vec<Read>,
    /// The parameters that it used.
    pub parameters: Vec<ParameterRead>,
}

/// A fact that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Read {
    /// What the fact is about.
    pub subject: SubjectKind,
    /// The attribute; the attribute of birth for an age. `None` for the province.
    pub attribute: Option<AttributeNumber>,
    /// The name in expressions.
    pub name: String,
    /// The value; for an age its years or months, or unknown if only a range is known.
    pub value: Value,
    /// The value as text.
    pub text: String,
}

/// A parameter that was used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParameterRead {
    /// The name in expressions, without `param.`.
    pub name: String,
    /// The value in force, with its dates, source and confidence.
    pub value: ParameterValue,
}
