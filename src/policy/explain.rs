//! Explanations: what the evaluator met on the way to an outcome.

use super::case::Case;
use super::expr::check::{ParameterIndex, TableIndex};
use super::expr::eval::{Asked, Evaluator};
use super::expr::range::{Fault, Truth};
use super::month::MonthPolicy;
use super::outcome::Outcome;
use super::pack::{Combination, Payee};
use super::parameter::{Area, Confidence, ParameterValue, Unit};
use crate::kernel::catalogue::{SubjectKind, builtin};
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
    /// The enrolments in earlier programmes, which count where there is none in this one.
    pub earlier: Vec<Read>,
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
    /// For a provincial condition, its legal source; who meets it qualifies even if the others do not hold.
    pub widens_by: Option<String>,
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
    /// The attribute; the attribute of birth for an age. `None` for the province, and for a group of people.
    pub attribute: Option<AttributeNumber>,
    /// The name in expressions.
    pub name: String,
    /// The value; for an age its years or months, or unknown if only a range is known.
    pub value: Value,
    /// The value as text.
    pub text: String,
}

/// A figure that was used: a parameter, or a row of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParameterRead {
    /// The name in expressions, for example `param.base_level` or `table.merit(martyr_1)`.
    pub name: String,
    /// The title in Vietnamese.
    pub title_vi: String,
    /// The title in English.
    pub title_en: String,
    /// What it measures.
    pub unit: Unit,
    /// The value in force, with its dates, source and confidence.
    pub value: ParameterValue,
    /// The area that set it, if it is not the national one.
    pub area: Option<Area>,
}

impl MonthPolicy {
    /// What the evaluator recorded since it was last asked.
    pub(super) fn asked(&self, evaluator: &mut Evaluator<'_>) -> (Vec<Read>, Vec<ParameterRead>) {
        let asked = evaluator.asked.replace(Vec::new()).unwrap_or_default();
        let mut reads = Vec::new();
        let mut parameters = Vec::new();
        for item in asked {
            match item {
                Asked::Parameter(index) => parameters.extend(self.parameter_read(index, evaluator.case)),
                Asked::Row(table, row) => parameters.extend(self.row_read(table, &row)),
                other => reads.push(self.read(&other, evaluator.case)),
            }
        }
        (reads, parameters)
    }

    fn parameter_read(&self, index: ParameterIndex, case: &Case<'_>) -> Option<ParameterRead> {
        let parameter = &self.pack().parameters[index];
        let (value, area) = parameter.value_in(
            self.month(),
            self.law_known_on(),
            case.province,
            case.former_province,
        )?;
        Some(ParameterRead {
            name: format!("param.{}", parameter.name),
            title_vi: parameter.title_vi.clone(),
            title_en: parameter.title_en.clone(),
            unit: parameter.unit,
            value: value.clone(),
            area,
        })
    }

    fn row_read(&self, index: TableIndex, row: &[i64]) -> Option<ParameterRead> {
        let table = &self.pack().tables[index];
        let edition = table.edition_for(self.month(), self.law_known_on())?;
        Some(ParameterRead {
            name: table.written(row),
            title_vi: table.title_vi.clone(),
            title_en: table.title_en.clone(),
            unit: table.unit,
            value: ParameterValue {
                value: *edition.values.get(row)?,
                dates: edition.dates,
                source: edition.source.clone(),
                confidence: edition.confidence,
            },
            area: None,
        })
    }

    /// A fact as it was read.
    pub(super) fn read(&self, asked: &Asked, case: &Case<'_>) -> Read {
        match asked {
            Asked::Attribute(index, value) => {
                let attribute = &self.policy.bound.attributes[*index].attribute;
                Read {
                    subject: attribute.subject,
                    attribute: Some(attribute.number),
                    name: self.pack().scope.written(*index),
                    value: *value,
                    text: attribute.text(*value),
                }
            }
            Asked::Age => age_read("age", years(case.age.min), years(case.age.max)),
            Asked::AgeMonths => age_read("age_months", case.age.min, case.age.max),
            Asked::Province { former } => {
                let code = if *former {
                    case.former_province
                } else {
                    case.province
                };
                Read {
                    subject: SubjectKind::Commune,
                    attribute: None,
                    name: if *former { "former_province" } else { "province" }.to_owned(),
                    value: Value::Integer(code.number().into()),
                    text: code.to_string(),
                }
            }
            Asked::Group(text, found) => Read {
                subject: SubjectKind::Person,
                attribute: None,
                name: text.to_string(),
                value: Value::Unknown,
                text: found.clone(),
            },
            Asked::Parameter(_) | Asked::Row(..) => {
                unreachable!("figures are told apart from facts before this is asked")
            }
        }
    }
}

fn years(months: i32) -> i32 {
    const MONTHS: i32 = 12;
    months.div_euclid(MONTHS)
}

fn age_read(name: &str, min: i32, max: i32) -> Read {
    let known = min == max;
    Read {
        subject: SubjectKind::Person,
        attribute: Some(builtin::BIRTH),
        name: name.to_owned(),
        value: if known {
            Value::Integer(min.into())
        } else {
            Value::Unknown
        },
        text: if known {
            min.to_string()
        } else {
            format!("{min} to {max}")
        },
    }
}
