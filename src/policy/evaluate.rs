//! From a person's two states to an outcome: who is entitled, to how much, and what of it is chosen.

use super::case::Case;
use super::explain::{
    AmountExplanation, Choice, ConditionExplanation, Explanation, ParameterRead, ProgrammeExplanation, Read,
    StateExplanation,
};
use super::expr::eval::{Asked, Evaluator};
use super::expr::range::{Bound, Fault, Range, Truth};
use super::month::MonthPolicy;
use super::outcome::{Basis, Line, LineKind, LineReason, Outcome, Reason, Status};
use super::pack::{Clause, Combination, ProgrammeRule, Stop};
use crate::kernel::catalogue::{EnrolmentState, SubjectKind, builtin};
use crate::types::{AttributeNumber, Decimal, Dong, ProgrammeNumber, Value};

/// The least and the greatest amount; the greatest is `None` without upper limit.
type Amount = (Dong, Option<Dong>);

const NOTHING: Amount = (Dong::ZERO, Some(Dong::ZERO));

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Enrolment {
    NotNeeded,
    Unknown,
    None,
    Active,
    Suspended,
}

/// A programme in one state of a person.
struct Assessment {
    enrolment: Enrolment,
    conditions: Result<Truth, Fault>,
    excluded_by: Option<AttributeNumber>,
    qualifies: Result<Truth, Fault>,
    entitled: Result<Truth, Fault>,
    /// The amount if entitled; nothing if certainly not.
    amount: Result<Amount, Fault>,
    unknown: Vec<AttributeNumber>,
    explanation: Option<StateExplanation>,
}

/// What a programme gives for the month, before it is combined with others.
struct Candidate {
    programme: ProgrammeNumber,
    amount: Amount,
    paid_basis: Basis,
    held_basis: Basis,
    unknown: Vec<AttributeNumber>,
    fault: Option<Fault>,
}

struct Judged<'a> {
    number: ProgrammeNumber,
    rule: &'a ProgrammeRule,
    now: Option<Assessment>,
    before: Option<Assessment>,
    candidate: Candidate,
}

impl MonthPolicy {
    /// The outcome of a person's month: `now` is the state at the end of the month, `None` if the person is then
    /// dead or gone; `before` is the state at the end of the month before, `None` if not yet born or there.
    ///
    /// A programme whose conditions hold at the end of the month pays by that state. Otherwise, where it stops
    /// in the month after and the conditions held at the end of the month before, it pays by that state; but a
    /// suspension stops at once.
    pub fn evaluate(&self, now: Option<&Case<'_>>, before: Option<&Case<'_>>) -> Outcome {
        let judged = self.judge(now, before, false);
        self.outcome(&judged, now.is_some(), before.is_some())
    }

    /// The outcome, and everything that led to it.
    pub fn explain(&self, now: Option<&Case<'_>>, before: Option<&Case<'_>>) -> Explanation {
        let judged = self.judge(now, before, true);
        let outcome = self.outcome(&judged, now.is_some(), before.is_some());
        let programmes = judged
            .into_iter()
            .map(|programme| self.explain_programme(programme, &outcome))
            .collect();
        Explanation {
            month: self.month(),
            law_known_on: self.law_known_on(),
            programmes,
            outcome,
        }
    }

    fn judge(&self, now: Option<&Case<'_>>, before: Option<&Case<'_>>, tracing: bool) -> Vec<Judged<'_>> {
        let month_before = self.month().previous();
        self.programmes
            .iter()
            .map(|&index| {
                let rule = &self.pack().programmes[index];
                let number = self.policy.bound.programmes[index];
                let existed = month_before.is_some_and(|month| rule.exists_in(month));
                let before = before.filter(|_| existed && rule.stop == Stop::MonthAfter);
                let now = now.map(|case| self.assess(rule, case, tracing));
                let before = before.map(|case| self.assess(rule, case, tracing));
                let enrolment = rule.enrolment.map(|enrolment| self.number_of(enrolment));
                let candidate = candidate(number, enrolment, now.as_ref(), before.as_ref());
                Judged {
                    number,
                    rule,
                    now,
                    before,
                    candidate,
                }
            })
            .collect()
    }

    fn assess(&self, rule: &ProgrammeRule, case: &Case<'_>, tracing: bool) -> Assessment {
        let mut evaluator = Evaluator::new(&self.policy.bound.attributes, &self.parameters, case, tracing);
        let mut explained = Vec::new();
        let enrolment = self.enrolment(rule, case, &mut evaluator);
        let mut conditions = Ok(Truth::True);
        for clause in &rule.conditions {
            let truth = self.clause(clause, None, &mut evaluator, &mut explained);
            conditions = both(conditions, truth);
            if conditions == Ok(Truth::False) && !tracing {
                break;
            }
        }
        let mut qualifies = conditions;
        let mut excluded_by = None;
        for exclusion in &rule.exclusions {
            if qualifies == Ok(Truth::False) && !tracing {
                break;
            }
            let truth = self.clause(
                &exclusion.clause,
                Some(&exclusion.cite),
                &mut evaluator,
                &mut explained,
            );
            if truth == Ok(Truth::True) && excluded_by.is_none() {
                excluded_by = Some(self.number_of(exclusion.by));
            }
            qualifies = both(qualifies, truth.map(|truth| !truth));
        }
        let enrolled = match enrolment {
            Enrolment::NotNeeded | Enrolment::Active => Truth::True,
            Enrolment::Unknown => Truth::Undetermined,
            Enrolment::None | Enrolment::Suspended => Truth::False,
        };
        let entitled = both(Ok(enrolled), qualifies);
        let mut amount = Ok(NOTHING);
        if !matches!(entitled, Ok(Truth::False)) {
            amount = evaluator.number(&rule.amount.number).and_then(amount_of);
        } else if !tracing {
            evaluator.unknown.clear();
        }
        let explanation = tracing.then(|| StateExplanation {
            enrolment: rule.enrolment.map(|index| {
                let number = self.number_of(index);
                let bound = &self.policy.bound.attributes[index];
                let value = case.person.get(number).unwrap_or(bound.attribute.absent);
                self.read(Asked::Attribute(index, value), case)
            }),
            conditions: explained,
            qualifies,
            entitled,
            amount: (entitled != Ok(Truth::False)).then(|| {
                let (reads, parameters) = self.asked(&mut evaluator);
                AmountExplanation {
                    text: rule.amount.text.clone(),
                    amount,
                    reads,
                    parameters,
                }
            }),
        });
        let mut unknown = evaluator.unknown;
        if entitled == Ok(Truth::False) {
            unknown.clear();
        }
        Assessment {
            enrolment,
            conditions,
            excluded_by,
            qualifies,
            entitled,
            amount,
            unknown,
            explanation,
        }
    }

    fn enrolment(&self, rule: &ProgrammeRule, case: &Case<'_>, evaluator: &mut Evaluator<'_>) -> Enrolment {
        const ACTIVE: u16 = EnrolmentState::Active as u16;
        const SUSPENDED: u16 = EnrolmentState::Suspended as u16;
        let Some(index) = rule.enrolment else {
            return Enrolment::NotNeeded;
        };
        let number = self.number_of(index);
        match case.person.get(number) {
            Some(Value::Enum(ACTIVE)) => Enrolment::Active,
            Some(Value::Enum(SUSPENDED)) => Enrolment::Suspended,
            Some(Value::Unknown) => {
                evaluator.unknown.push(number);
                Enrolment::Unknown
            }
            _ => Enrolment::None,
        }
    }

    fn clause(
        &self,
        clause: &Clause,
        excludes_by: Option<&String>,
        evaluator: &mut Evaluator<'_>,
        explained: &mut Vec<ConditionExplanation>,
    ) -> Result<Truth, Fault> {
        let truth = evaluator.condition(&clause.condition);
        if evaluator.tracing() {
            let (reads, parameters) = self.asked(evaluator);
            explained.push(ConditionExplanation {
                text: clause.text.clone(),
                excludes_by: excludes_by.cloned(),
                truth,
                reads,
                parameters,
            });
        }
        truth
    }

    /// What the evaluator recorded since it was last asked.
    fn asked(&self, evaluator: &mut Evaluator<'_>) -> (Vec<Read>, Vec<ParameterRead>) {
        let asked = evaluator.asked.replace(Vec::new()).unwrap_or_default();
        let mut reads = Vec::new();
        let mut parameters = Vec::new();
        for item in asked {
            if let Asked::Parameter(index) = item {
                let parameter = &self.pack().parameters[index];
                if let Some(value) = parameter.value_for(self.month(), self.law_known_on()) {
                    parameters.push(ParameterRead {
                        name: parameter.name.clone(),
                        value: value.clone(),
                    });
                }
            } else {
                reads.push(self.read(item, evaluator.case));
            }
        }
        (reads, parameters)
    }

    fn read(&self, asked: Asked, case: &Case<'_>) -> Read {
        const MONTHS: i32 = 12;
        let age = |name: &str, min: i32, max: i32| Read {
            subject: SubjectKind::Person,
            attribute: Some(builtin::BIRTH),
            name: name.to_owned(),
            value: if min == max {
                Value::Integer(min.into())
            } else {
                Value::Unknown
            },
            text: if min == max {
                min.to_string()
            } else {
                format!("{min} to {max}")
            },
        };
        match asked {
            Asked::Attribute(index, value) => {
                let attribute = &self.policy.bound.attributes[index].attribute;
                Read {
                    subject: attribute.subject,
                    attribute: Some(attribute.number),
                    name: self.pack().scope.written(index),
                    value,
                    text: attribute.text(value),
                }
            }
            Asked::Age => age(
                "age",
                case.age.min.div_euclid(MONTHS),
                case.age.max.div_euclid(MONTHS),
            ),
            Asked::AgeMonths => age("age_months", case.age.min, case.age.max),
            Asked::Province { former } => {
                let code = if former {
                    case.former_province
                } else {
                    case.province
                };
                Read {
                    subject: SubjectKind::Commune,
                    attribute: None,
                    name: if former { "former_province" } else { "province" }.to_owned(),
                    value: Value::Integer(code.number().into()),
                    text: code.to_string(),
                }
            }
            Asked::Parameter(index) => Read {
                subject: SubjectKind::Commune,
                attribute: None,
                name: format!("param.{}", self.pack().parameters[index].name),
                value: Value::Unknown,
                text: self.parameters[index].map_or_else(|| "unknown".to_owned(), |value| value.to_string()),
            },
        }
    }

    fn outcome(&self, judged: &[Judged<'_>], now_present: bool, before_present: bool) -> Outcome {
        let mut lines = Vec::new();
        for (index, group) in self.pack().groups.iter().enumerate() {
            let candidates = || {
                judged
                    .iter()
                    .filter(|programme| programme.rule.group == index)
                    .map(|programme| &programme.candidate)
            };
            match group.combination {
                Combination::Sum => {
                    for candidate in candidates() {
                        pay(std::slice::from_ref(&candidate), &mut lines);
                    }
                }
                Combination::Highest => pay(&candidates().collect::<Vec<_>>(), &mut lines),
            }
            for candidate in candidates() {
                if let Some(fault) = candidate.fault {
                    lines.push(Line {
                        programme: candidate.programme,
                        kind: LineKind::Error,
                        amount: Dong::ZERO,
                        basis: candidate.paid_basis,
                        reason: LineReason::Fault(fault),
                    });
                }
            }
        }
        let place = |line: &Line| {
            judged
                .iter()
                .position(|programme| programme.number == line.programme)
        };
        lines.sort_by_key(|line| (place(line), line.kind));
        let (status, reason) = status(&lines).unwrap_or_else(|| {
            let reason = if now_present || before_present {
                zero_reason(judged, now_present)
            } else {
                Reason::NotPresent
            };
            (Status::Zero, reason)
        });
        Outcome {
            status,
            lines,
            reason,
        }
    }

    fn explain_programme(&self, judged: Judged<'_>, outcome: &Outcome) -> ProgrammeExplanation {
        let rule = judged.rule;
        let group = &self.pack().groups[rule.group];
        let choice = self.choice(&judged, outcome);
        ProgrammeExplanation {
            number: judged.number,
            id: rule.id.clone(),
            title_vi: rule.title_vi.clone(),
            title_en: rule.title_en.clone(),
            cite: rule.cite.clone(),
            confidence: rule.confidence,
            payees: rule.payees.clone(),
            group: group.name.clone(),
            combination: group.combination,
            group_cite: group.cite.clone(),
            end_of_month: judged.now.and_then(|state| state.explanation),
            end_of_month_before: judged.before.and_then(|state| state.explanation),
            choice,
        }
    }

    fn choice(&self, judged: &Judged<'_>, outcome: &Outcome) -> Choice {
        let has = |kind| outcome.lines_of(kind).any(|line| line.programme == judged.number);
        if let Some(fault) = judged.candidate.fault {
            return Choice::Fault(fault);
        }
        match (has(LineKind::Paid), has(LineKind::Held)) {
            (true, true) => return Choice::PaidAndHeld,
            (true, false) => return Choice::Paid,
            (false, true) => return Choice::Held,
            (false, false) => {}
        }
        let in_group = |programme: ProgrammeNumber| {
            let mut rules = self.programmes().filter(|known| known.number == programme);
            rules.any(|known| known.rule.group == judged.rule.group)
        };
        let chosen = outcome
            .lines
            .iter()
            .find(|line| line.kind != LineKind::Error && in_group(line.programme));
        match chosen {
            Some(line) if judged.candidate.amount != NOTHING => Choice::LowerThan(line.programme),
            _ => Choice::NotEntitled,
        }
    }
}

/// `and` of two results: what is certainly false settles it, even beside a fault.
fn both(a: Result<Truth, Fault>, b: Result<Truth, Fault>) -> Result<Truth, Fault> {
    match (a, b) {
        (Ok(Truth::False), _) | (_, Ok(Truth::False)) => Ok(Truth::False),
        (Err(fault), _) | (_, Err(fault)) => Err(fault),
        (Ok(a), Ok(b)) => Ok(a.min(b)),
    }
}

/// An amount is whole and not negative. Where only its range is known, what lies below zero is cut off.
fn amount_of(range: Range) -> Result<Amount, Fault> {
    let exact = range.is_exact();
    let min = match range.min {
        Bound::At(number) if exact || !number.is_negative() => dong(number)?,
        _ => Dong::ZERO,
    };
    let max = match range.max {
        Bound::At(number) => Some(dong(number)?),
        _ => None,
    };
    Ok((min, max))
}

fn dong(number: Decimal) -> Result<Dong, Fault> {
    if number.is_negative() {
        return Err(Fault::Negative);
    }
    number.to_dong().ok_or_else(|| {
        let whole = number.rounded_to(Decimal::from(1)) == Some(number);
        if whole { Fault::Overflow } else { Fault::Fraction }
    })
}

fn greater(a: Option<Dong>, b: Option<Dong>) -> Option<Dong> {
    Some(a?.max(b?))
}

/// What a programme gives for the month, from its two states.
fn candidate(
    programme: ProgrammeNumber,
    enrolment: Option<AttributeNumber>,
    now: Option<&Assessment>,
    before: Option<&Assessment>,
) -> Candidate {
    let mut candidate = Candidate {
        programme,
        amount: NOTHING,
        paid_basis: Basis::EndOfMonth,
        held_basis: Basis::EndOfMonth,
        unknown: Vec::new(),
        fault: None,
    };
    let entitled = now.map_or(Ok(Truth::False), |now| now.entitled);
    let result = match (entitled, now) {
        (Err(fault), _) => Err(fault),
        (Ok(Truth::True), Some(now)) => now.amount.inspect(|_| candidate.unknown.clone_from(&now.unknown)),
        (Ok(Truth::Undetermined), Some(now)) => {
            candidate.unknown.clone_from(&now.unknown);
            let fallback = fallback(enrolment, Some(now), before, &mut candidate.unknown);
            now.amount.and_then(|amount| {
                let fallback = fallback?;
                candidate.paid_basis = Basis::EndOfMonthBefore;
                if greater(amount.1, fallback.1) != amount.1 {
                    candidate.held_basis = Basis::EndOfMonthBefore;
                }
                Ok((amount.0.min(fallback.0), greater(amount.1, fallback.1)))
            })
        }
        _ => {
            candidate.paid_basis = Basis::EndOfMonthBefore;
            candidate.held_basis = Basis::EndOfMonthBefore;
            fallback(enrolment, now, before, &mut candidate.unknown)
        }
    };
    match result {
        Ok(amount) => candidate.amount = amount,
        Err(fault) => candidate.fault = Some(fault),
    }
    candidate.unknown.sort_unstable();
    candidate.unknown.dedup();
    candidate
}

/// What the state at the end of the month before gives for this month.
fn fallback(
    enrolment: Option<AttributeNumber>,
    now: Option<&Assessment>,
    before: Option<&Assessment>,
    unknown: &mut Vec<AttributeNumber>,
) -> Result<Amount, Fault> {
    let Some(before) = before else {
        return Ok(NOTHING);
    };
    let enrolled_now = now.map_or(Enrolment::NotNeeded, |now| now.enrolment);
    if enrolled_now == Enrolment::Suspended || before.entitled == Ok(Truth::False) {
        return Ok(NOTHING);
    }
    let (min, max) = before.amount?;
    unknown.extend(&before.unknown);
    // The enrolment may be suspended, which would stop at once.
    let may_be_suspended = enrolled_now == Enrolment::Unknown;
    if may_be_suspended {
        unknown.extend(enrolment);
    }
    let certain = before.entitled? == Truth::True && !may_be_suspended;
    Ok((if certain { min } else { Dong::ZERO }, max))
}

/// Pays the highest certain amount among candidates, of equals the first; holds what could be owed beyond it.
fn pay(candidates: &[&Candidate], lines: &mut Vec<Line>) {
    let first_greatest = |better: &dyn Fn(&Candidate, &Candidate) -> bool| {
        let mut best: Option<&Candidate> = None;
        for candidate in candidates {
            if best.is_none_or(|best| better(candidate, best)) {
                best = Some(candidate);
            }
        }
        best
    };
    let beyond = |a: Option<Dong>, b: Option<Dong>| b.is_some_and(|b| a.is_none_or(|a| a > b));
    let Some(paid) = first_greatest(&|a, b| a.amount.0 > b.amount.0) else {
        return;
    };
    let certain = paid.amount.0;
    if certain > Dong::ZERO {
        lines.push(Line {
            programme: paid.programme,
            kind: LineKind::Paid,
            amount: certain,
            basis: paid.paid_basis,
            reason: LineReason::Entitled,
        });
    }
    let Some(held) = first_greatest(&|a, b| beyond(a.amount.1, b.amount.1)) else {
        return;
    };
    if !beyond(held.amount.1, Some(certain)) {
        return;
    }
    let open = candidates
        .iter()
        .filter(|candidate| beyond(candidate.amount.1, Some(certain)));
    let mut unknown: Vec<AttributeNumber> = open
        .flat_map(|candidate| candidate.unknown.iter().copied())
        .collect();
    unknown.sort_unstable();
    unknown.dedup();
    let (amount, reason) = match held.amount.1 {
        Some(max) => (Dong::new(max.get() - certain.get()), LineReason::Unknown(unknown)),
        None => (Dong::ZERO, LineReason::UnknownWithoutLimit(unknown)),
    };
    lines.push(Line {
        programme: held.programme,
        kind: LineKind::Held,
        amount,
        basis: held.held_basis,
        reason,
    });
}

/// The status that lines give; `None` without lines.
fn status(lines: &[Line]) -> Option<(Status, Reason)> {
    let fault = lines.iter().find_map(|line| match line.reason {
        LineReason::Fault(fault) => Some(fault),
        _ => None,
    });
    if let Some(fault) = fault {
        return Some((Status::Error, Reason::Fault(fault)));
    }
    let kind = lines.iter().map(|line| line.kind).min()?;
    Some(if kind == LineKind::Paid {
        (Status::Paid, Reason::Entitled)
    } else {
        (Status::Held, Reason::Undetermined)
    })
}

/// The primary reason why nothing is owed, by the state at the end of the month, or of the month before for a
/// person who is then dead or gone. The order is that of [`Reason`].
fn zero_reason(judged: &[Judged<'_>], now_present: bool) -> Reason {
    let states = || {
        judged.iter().filter_map(|programme| {
            let state = if now_present {
                &programme.now
            } else {
                &programme.before
            };
            state.as_ref().map(|state| (programme.number, state))
        })
    };
    let first = |applies: &dyn Fn(&Assessment) -> bool| {
        states()
            .find(|(_, state)| applies(state))
            .map(|(number, _)| number)
    };
    let decided = |state: &Assessment| matches!(state.enrolment, Enrolment::Active | Enrolment::Suspended);
    let excluded = || {
        states().find_map(|(number, state)| {
            let by = state
                .excluded_by
                .filter(|_| decided(state) && state.conditions == Ok(Truth::True))?;
            Some(Reason::Excluded(number, by))
        })
    };
    let may = |state: &Assessment| state.qualifies != Ok(Truth::False);
    first(&|state| state.enrolment == Enrolment::Suspended && may(state))
        .map(Reason::Suspended)
        .or_else(|| {
            first(&|state| state.entitled.is_ok_and(|truth| truth != Truth::False)).map(Reason::NothingDue)
        })
        .or_else(|| {
            first(&|state| state.enrolment == Enrolment::None && state.qualifies == Ok(Truth::True))
                .map(Reason::NotEnrolled)
        })
        .or_else(excluded)
        .or_else(|| first(&|state| decided(state) && !may(state)).map(Reason::NoLongerQualifies))
        .or_else(|| {
            first(&|state| state.enrolment == Enrolment::None && state.qualifies == Ok(Truth::Undetermined))
                .map(Reason::MayQualify)
        })
        .unwrap_or(Reason::NoProgramme)
}
