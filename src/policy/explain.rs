//! Explanations: what the evaluator met on the way to an outcome.

use super::case::Case;
use super::expr::check::{ParameterIndex, TableIndex};
use super::expr::eval::{Asked, Evaluator, Found, GroupAsked, GroupNode};
use super::expr::range::{Fault, Truth};
use super::month::MonthPolicy;
use super::outcome::Outcome;
use super::pack::{Combination, Event, Payee};
use super::parameter::{Area, Confidence, ParameterValue, Unit};
use crate::kernel::catalogue::{SubjectKind, builtin};
use crate::types::{
    AttributeNumber, Date, Decimal, Dong, Month, PersonNumber, ProgrammeNumber, Rounding, Value,
};

/// How one person's month came out as it did. It comes from the evaluator that makes the outcome.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation {
    /// The month.
    pub month: Month,
    /// The day whose knowledge of the law was used.
    pub law_known_on: Date,
    /// Every programme that exists in the month, in the pack's order.
    pub programmes: Vec<ProgrammeExplanation>,
    /// How what the programmes give is combined: each outermost group in which something competes.
    pub groups: Vec<GroupExplanation>,
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
    /// What it is paid once for; `None` if it is paid each month.
    pub once: Option<Event>,
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
    /// The rule of its group, or of one around it, chose something else, of which this is the first: see
    /// [`Explanation::outdone`].
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

/// A combination group, and what competed in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupExplanation {
    /// Its name in the pack.
    pub name: String,
    /// Its rule.
    pub combination: Combination,
    /// The legal source of the rule.
    pub cite: String,
    /// How well it is sourced.
    pub confidence: Confidence,
    /// What would be given, in the pack's order; the groups within it last.
    pub members: Vec<MemberExplanation>,
    /// The legal source of the exception from "only the highest" that was applied.
    pub exception: Option<String>,
}

/// Why a programme that would give something is not paid: the rule of a group chose something else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outdone<'e> {
    /// The group whose rule decided. The programme stands in it or in a group within it.
    pub group: &'e GroupExplanation,
    /// What the rule chose instead: programmes, and groups with their totals.
    pub by: Vec<&'e MemberExplanation>,
}

impl Explanation {
    /// Which group's rule passed a programme over, and for what; `None` if none did.
    pub fn outdone(&self, programme: ProgrammeNumber) -> Option<Outdone<'_>> {
        self.groups.iter().find_map(|group| group.outdone(programme))
    }
}

impl GroupExplanation {
    fn outdone(&self, programme: ProgrammeNumber) -> Option<Outdone<'_>> {
        let holds = |member: &&MemberExplanation| member.programmes().contains(&programme);
        let member = self.members.iter().find(holds)?;
        if member.choice != MemberChoice::NotChosen {
            return match &member.what {
                Competitor::Programme(_) => None,
                Competitor::Group(inner) => inner.outdone(programme),
            };
        }
        let chosen = |choice| self.members.iter().filter(move |member| member.choice == choice);
        let mut by: Vec<&MemberExplanation> = chosen(MemberChoice::Chosen).collect();
        if by.is_empty() {
            by.extend(chosen(MemberChoice::Possible));
        }
        (!by.is_empty()).then_some(Outdone { group: self, by })
    }
}

impl MemberExplanation {
    /// Every programme in it.
    fn programmes(&self) -> Vec<ProgrammeNumber> {
        match &self.what {
            Competitor::Programme(number) => vec![*number],
            Competitor::Group(inner) => inner.members.iter().flat_map(Self::programmes).collect(),
        }
    }

    /// The programmes that stand for it if it is chosen, with the most that each could give; `None` without upper limit.
    pub fn chosen_programmes(&self) -> Vec<(ProgrammeNumber, Option<Dong>)> {
        match &self.what {
            Competitor::Programme(number) => vec![(*number, self.most)],
            Competitor::Group(inner) => inner
                .members
                .iter()
                .filter(|member| member.choice != MemberChoice::NotChosen)
                .flat_map(Self::chosen_programmes)
                .collect(),
        }
    }
}

/// What competed in a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemberExplanation {
    /// What it is.
    pub what: Competitor,
    /// What it would certainly give.
    pub least: Dong,
    /// What it could give; `None` without upper limit.
    pub most: Option<Dong>,
    /// What the group chose. Within another group the whole may still not be chosen there.
    pub choice: MemberChoice,
}

/// A programme, or a group within a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Competitor {
    /// A programme.
    Programme(ProgrammeNumber),
    /// A group, whose total competes as one.
    Group(GroupExplanation),
}

/// What a group chose of a member.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MemberChoice {
    /// It is chosen.
    Chosen,
    /// It is chosen only if something unknown turns out so.
    Possible,
    /// Others are chosen.
    NotChosen,
}

/// The place of a clause in a pack.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ClauseAt {
    /// The programme's place.
    pub programme: usize,
    pub part: ClausePart,
}

/// Which clause of a programme.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ClausePart {
    Condition(usize),
    Provincial(usize),
    Exclusion(usize),
}

/// A condition or an exclusion.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConditionExplanation {
    pub(crate) at: ClauseAt,
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
    /// How it was worked out; `None` if it is not certain.
    pub working: Option<Working>,
    /// What it read.
    pub reads: Vec<Read>,
    /// The parameters that it used.
    pub parameters: Vec<ParameterRead>,
}

/// A number, and how it was worked out: with the arms of its cases that applied, definitions written out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Working {
    /// The number.
    pub value: Decimal,
    /// Whether it is an amount in đồng.
    pub is_money: bool,
    /// How it came about.
    pub step: Step,
}

/// A step of a calculation.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Step {
    /// It stands in the rule.
    Constant,
    /// A figure, by its name in [`AmountExplanation::parameters`].
    Figure(String),
    /// A fact, by its name in [`AmountExplanation::reads`].
    Fact(String),
    /// A sum; `true` before what is subtracted. Terms that are zero are left out.
    Sum(Vec<(bool, Working)>),
    /// A product.
    Product(Vec<Working>),
    /// The least of these.
    Least(Vec<Working>),
    /// The greatest of these.
    Greatest(Vec<Working>),
    /// A number brought to a multiple of a step.
    Rounded {
        /// The number.
        number: Box<Working>,
        /// What it was divided by.
        divisor: Option<Box<Working>>,
        /// The step.
        step: Decimal,
        /// In which direction.
        rounding: Rounding,
    },
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
    /// The value; for an age its years or months, for a group of people its truth or whole number. Unknown if it is not
    /// certain.
    pub value: Value,
    /// The value as text.
    pub text: String,
    /// For a group of people, who was met in it.
    pub group: Option<GroupRead>,
}

/// A group of people that was asked about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupRead {
    /// How many were met, alive and present.
    pub size: usize,
    /// Those for whom it certainly holds or, of a sum, who give something.
    pub people: Vec<PersonNumber>,
    /// Whether it is recorded as unknown who belongs to it.
    pub unsure: bool,
    pub(crate) node: GroupNode,
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
                    group: None,
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
                    group: None,
                }
            }
            Asked::Group(asked) => group_read(asked),
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
        group: None,
    }
}

fn group_read(asked: &GroupAsked) -> Read {
    let (value, text) = match asked.found {
        Found::Truth(truth) => (
            match truth {
                Truth::True => Value::Bool(true),
                Truth::False => Value::Bool(false),
                Truth::Undetermined => Value::Unknown,
            },
            truth.to_string(),
        ),
        Found::Number(range) => {
            let whole = range.exactly().and_then(Decimal::to_integer);
            (whole.map_or(Value::Unknown, Value::Integer), range.to_string())
        }
    };
    Read {
        subject: SubjectKind::Person,
        attribute: None,
        name: asked.text.to_string(),
        value,
        text,
        group: Some(GroupRead {
            size: asked.visited.size,
            people: asked.visited.people.clone(),
            unsure: asked.visited.unsure,
            node: asked.node.clone(),
        }),
    }
}
