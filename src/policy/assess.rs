//! One programme for one person: whether they are entitled to it in a state, and what the month comes to.

use super::case::Case;
use super::explain::{AmountExplanation, ClauseAt, ClausePart, ConditionExplanation, StateExplanation};
use super::expr::check::AttributeIndex;
use super::expr::eval::{Asked, Evaluator};
use super::expr::range::{Bound, Fault, Range, Truth};
use super::month::MonthPolicy;
use super::outcome::{Basis, Reason};
use super::pack::{Clause, Event, Excluder, ProgrammeRule, Start, Stop};
use crate::kernel::catalogue::EnrolmentState;
use crate::types::{AttributeNumber, Decimal, Dong, ProgrammeNumber, Rounding, Value};

/// The least and the greatest amount; the greatest is `None` without upper limit.
pub(super) type Amount = (Dong, Option<Dong>);

pub(super) const NOTHING: Amount = (Dong::ZERO, Some(Dong::ZERO));

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Enrolment {
    NotNeeded,
    Unknown,
    None,
    Active,
    Suspended,
}

/// What excludes from a programme.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum ExcludedBy {
    Attribute(AttributeNumber),
    Programme(ProgrammeNumber),
}

/// A programme in one state of a person, without the amount.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Standing {
    pub enrolment: Enrolment,
    pub conditions: Result<Truth, Fault>,
    pub excluded_by: Option<ExcludedBy>,
    pub qualifies: Result<Truth, Fault>,
    pub entitled: Result<Truth, Fault>,
    /// It is not known whether there is a fault in what decides.
    pub may_fault: bool,
}

/// A programme in one state of a person.
struct Assessment {
    standing: Standing,
    /// The amount if entitled; nothing if certainly not.
    amount: Result<Amount, Fault>,
    unknown: Vec<AttributeNumber>,
    /// It depends on what each person has of their own, and the case is that of a whole cell.
    untold: bool,
    explanation: Option<StateExplanation>,
}

/// What a programme gives for the month, before it is combined with others.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Candidate {
    pub amount: Amount,
    pub paid_basis: Basis,
    pub held_basis: Basis,
    pub unknown: Vec<AttributeNumber>,
    pub fault: Option<Fault>,
}

/// A programme for one person's month.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Judged {
    /// Its place in the pack.
    pub place: usize,
    pub number: ProgrammeNumber,
    pub now: Option<Standing>,
    pub before: Option<Standing>,
    pub candidate: Candidate,
    /// Why the programme by itself gives nothing: for a person who is there at the end of the month, and for one who
    /// died in it.
    pub reasons: [Option<Reason>; 2],
    /// It has to be judged for each person by itself.
    pub untold: bool,
}

impl Judged {
    /// Whether the programme may give something, or exclude from others.
    pub fn may_give(&self) -> bool {
        let states = [self.now, self.before];
        let mut states = states.into_iter().flatten();
        self.candidate.fault.is_some() || states.any(|state| state.entitled != Ok(Truth::False))
    }
}

/// How a programme came to what it is, at the end of the month and at the end of the month before.
pub(super) type Traces = (Option<StateExplanation>, Option<StateExplanation>);

/// Tells of the programmes that exclude from the one being judged, by their places in the pack: their standings at the
/// end of the month and of the month before. `None` if a programme does not exist in the month.
pub(super) type Others<'o> = &'o dyn Fn(usize) -> Option<(Option<Standing>, Option<Standing>)>;

/// A person at the end of the month and at the end of the month before.
#[derive(Clone, Copy)]
pub(super) struct Person<'a> {
    pub now: Option<&'a Case<'a>>,
    pub before: Option<&'a Case<'a>>,
}

impl Person<'_> {
    /// Whether the person died in the month.
    pub fn dies(self) -> bool {
        self.now.is_some_and(|now| now.dies)
    }
}

impl MonthPolicy {
    /// Judges one programme. With `tracing` everything is evaluated, also what changes nothing.
    pub(super) fn judge_one(
        &self,
        place: usize,
        person: Person<'_>,
        others: Others<'_>,
        tracing: bool,
    ) -> (Judged, Traces) {
        let rule = &self.pack().programmes[place];
        let existed = self.month().previous().is_some_and(|month| {
            let existed = |rule: &ProgrammeRule| rule.exists(month, self.law_known_on());
            // A programme goes on from those whose decisions count in it.
            existed(rule) || self.continued(rule).any(existed)
        });
        let looks_back = rule.stop == Stop::MonthAfter
            || rule.start == Start::MonthAfter
            || rule.once == Some(Event::Death);
        let now_of = |other| others(other).and_then(|(now, _)| now);
        let before_of = |other| others(other).and_then(|(_, before)| before);
        // Who lives has no death to be paid for; only an explanation tells how things stand.
        let dies = person.dies();
        let lives = rule.once == Some(Event::Death) && person.now.is_some() && !dies;
        let asked = tracing || !lives;
        let now = person.now.filter(|_| asked);
        let now = now.map(|case| self.assess(place, case, &now_of, tracing));
        let before = person.before.filter(|_| asked && existed && looks_back);
        let before = before.map(|case| self.assess(place, case, &before_of, tracing));
        let candidate = self.candidate(rule, dies, now.as_ref(), before.as_ref());
        let untold = [&now, &before].into_iter().flatten().any(|state| state.untold);
        let judged = Judged {
            place,
            number: self.policy.bound.programmes[place],
            now: now.as_ref().filter(|_| !lives).map(|state| state.standing),
            before: before.as_ref().filter(|_| !lives).map(|state| state.standing),
            candidate,
            reasons: [None; 2],
            untold,
        };
        let judged = Judged {
            reasons: [true, false].map(|is_there| self.reason(&judged, is_there)),
            ..judged
        };
        let traces = (
            now.and_then(|state| state.explanation),
            before.and_then(|state| state.explanation),
        );
        (judged, traces)
    }

    /// The programmes whose decisions count in one.
    fn continued(&self, rule: &ProgrammeRule) -> impl Iterator<Item = &ProgrammeRule> {
        let earlier = rule.earlier.clone();
        let programmes = self.pack().programmes.iter();
        programmes.filter(move |other| {
            other
                .enrolment
                .is_some_and(|enrolment| earlier.contains(&enrolment))
        })
    }

    fn assess(
        &self,
        place: usize,
        case: &Case<'_>,
        others: &dyn Fn(usize) -> Option<Standing>,
        tracing: bool,
    ) -> Assessment {
        let rule = &self.pack().programmes[place];
        let mut evaluator = Evaluator::new(self.context(), case, tracing);
        let mut explained = Vec::new();
        let enrolment = self.enrolment(rule, case, &mut evaluator);
        let conditions = self.conditions(place, &mut evaluator, &mut explained);
        let mut qualifies = conditions;
        let (mut excluded_by, mut first_is_sure) = (None, true);
        for (number, exclusion) in rule.exclusions.iter().enumerate() {
            let at = ClauseAt {
                programme: place,
                part: ClausePart::Exclusion(number),
            };
            if qualifies == Ok(Truth::False) && !tracing {
                break;
            }
            let (truth, by) = match &exclusion.excluder {
                Excluder::Condition { clause, by } => {
                    let truth =
                        self.clause(at, clause, Some(&exclusion.cite), &mut evaluator, &mut explained);
                    (truth, ExcludedBy::Attribute(self.number_of(*by)))
                }
                Excluder::Programme { programme, text } => {
                    let standing = others(*programme);
                    let truth = standing.map_or(Ok(Truth::False), |standing| standing.entitled);
                    if truth == Ok(Truth::Undetermined) {
                        evaluator.unknown.extend(self.enrolment_of(*programme));
                        evaluator.may_fault |= standing.is_some_and(|standing| standing.may_fault);
                    }
                    if tracing {
                        explained.push(ConditionExplanation {
                            at,
                            text: format!("entitled to {text}"),
                            excludes_by: Some(exclusion.cite.clone()),
                            widens_by: None,
                            truth,
                            reads: Vec::new(),
                            parameters: Vec::new(),
                        });
                    }
                    (
                        truth,
                        ExcludedBy::Programme(self.policy.bound.programmes[*programme]),
                    )
                }
            };
            if truth == Ok(Truth::True) && excluded_by.is_none() {
                excluded_by = Some((by, first_is_sure));
            }
            first_is_sure &= sure(truth);
            qualifies = both(qualifies, truth.map(|truth| !truth));
        }
        let enrolled = match enrolment {
            Enrolment::NotNeeded | Enrolment::Active => Truth::True,
            Enrolment::Unknown => Truth::Undetermined,
            Enrolment::None | Enrolment::Suspended => Truth::False,
        };
        let entitled = both(Ok(enrolled), qualifies);
        // A fault that there may be would also take away what the month before gives.
        let may_fault = std::mem::take(&mut evaluator.may_fault) && entitled == Ok(Truth::Undetermined);
        let (mut amount, mut is_exact) = (Ok(NOTHING), true);
        if !matches!(entitled, Ok(Truth::False)) {
            let range = evaluator.number(&rule.amount.number);
            // What lies below zero is cut off only of a range: for somebody of it the amount is a fault.
            is_exact = range.is_ok_and(Range::is_exact);
            amount = range.and_then(amount_of);
            // What may be a fault is not certain.
            if evaluator.may_fault || may_fault {
                amount = amount.map(|(_, most)| (Dong::ZERO, most));
            }
        }
        let explanation = tracing.then(|| StateExplanation {
            enrolment: rule.enrolment.map(|index| self.enrolment_read(index, case)),
            earlier: rule
                .earlier
                .iter()
                .map(|&index| self.enrolment_read(index, case))
                .collect(),
            conditions: explained,
            qualifies,
            entitled,
            amount: (entitled != Ok(Truth::False)).then(|| {
                let (reads, parameters) = self.asked(&mut evaluator);
                AmountExplanation {
                    text: rule.amount.text.clone(),
                    amount,
                    working: self.working(&rule.amount.number, case),
                    reads,
                    parameters,
                }
            }),
        });
        let settled = sure(conditions)
            && sure(qualifies)
            && sure(entitled)
            && excluded_by.is_none_or(|(_, is_sure)| is_sure)
            && !evaluator.may_fault
            && is_exact
            && amount.is_ok();
        let mut unknown = evaluator.unknown;
        if entitled == Ok(Truth::False) {
            unknown.clear();
        }
        Assessment {
            standing: Standing {
                enrolment,
                conditions,
                excluded_by: excluded_by.map(|(by, _)| by),
                qualifies,
                entitled,
                may_fault,
            },
            amount,
            unknown,
            untold: evaluator.untold && !settled,
            explanation,
        }
    }

    /// Whether the conditions hold, or a provincial one in force.
    fn conditions(
        &self,
        place: usize,
        evaluator: &mut Evaluator<'_>,
        explained: &mut Vec<ConditionExplanation>,
    ) -> Result<Truth, Fault> {
        let rule = &self.pack().programmes[place];
        let of_part = |part| ClauseAt {
            programme: place,
            part,
        };
        let tracing = evaluator.tracing();
        let mark = evaluator.unknown.len();
        let mut conditions = Ok(Truth::True);
        for at in 0..rule.conditions.len() {
            // Explanations keep the order of the text.
            let at = if tracing { at } else { rule.order[at] };
            let (clause, at) = (&rule.conditions[at], of_part(ClausePart::Condition(at)));
            conditions = both(conditions, self.clause(at, clause, None, evaluator, explained));
            if conditions == Ok(Truth::False) && !tracing {
                break;
            }
        }
        // What is unknown but changes nothing leaves no trace, whatever was judged before it was settled.
        if conditions == Ok(Truth::False) {
            evaluator.unknown.truncate(mark);
            evaluator.may_fault = false;
        }
        for (number, widening) in rule.provincial.iter().enumerate() {
            let here = widening
                .area
                .contains(evaluator.case.province, evaluator.case.former_province);
            if !here || !self.chooses(widening) || conditions == Ok(Truth::True) && !tracing {
                continue;
            }
            let at = of_part(ClausePart::Provincial(number));
            let truth = self.clause(at, &widening.clause, None, evaluator, explained);
            if let Some(last) = explained.last_mut().filter(|_| tracing) {
                last.widens_by = Some(widening.cite.clone());
            }
            conditions = either(conditions, truth);
        }
        if conditions == Ok(Truth::True) {
            evaluator.unknown.truncate(mark);
            evaluator.may_fault = false;
        }
        conditions
    }

    /// The attribute of a programme's enrolments.
    fn enrolment_of(&self, place: usize) -> Option<AttributeNumber> {
        let enrolment = self.pack().programmes[place].enrolment;
        enrolment.map(|index| self.number_of(index))
    }

    fn enrolment(&self, rule: &ProgrammeRule, case: &Case<'_>, evaluator: &mut Evaluator<'_>) -> Enrolment {
        let Some(index) = rule.enrolment else {
            return Enrolment::NotNeeded;
        };
        let mark = evaluator.unknown.len();
        let own = self.enrolment_in(index, case, evaluator);
        if own != Enrolment::None {
            return own;
        }
        // An earlier decision counts while there is none in this programme itself.
        let ended = Some(Value::Enum(EnrolmentState::Ended as u16));
        if case.person.get(self.number_of(index)) == ended {
            return own;
        }
        let mut found = own;
        for &index in &rule.earlier {
            let earlier = self.enrolment_in(index, case, evaluator);
            found = match (found, earlier) {
                (Enrolment::Active, _) | (_, Enrolment::Active) => Enrolment::Active,
                (Enrolment::Unknown, _) | (_, Enrolment::Unknown) => Enrolment::Unknown,
                (Enrolment::Suspended, _) | (_, Enrolment::Suspended) => Enrolment::Suspended,
                _ => found,
            };
        }
        if found != Enrolment::Unknown {
            evaluator.unknown.truncate(mark);
        }
        found
    }

    fn enrolment_in(
        &self,
        index: AttributeIndex,
        case: &Case<'_>,
        evaluator: &mut Evaluator<'_>,
    ) -> Enrolment {
        const ACTIVE: u16 = EnrolmentState::Active as u16;
        const SUSPENDED: u16 = EnrolmentState::Suspended as u16;
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

    fn enrolment_read(&self, index: AttributeIndex, case: &Case<'_>) -> super::explain::Read {
        let bound = &self.policy.bound.attributes[index];
        let recorded = case.person.get(bound.attribute.number);
        let value = recorded.unwrap_or(bound.attribute.absent);
        self.read(&Asked::Attribute(index, value), case)
    }

    fn clause(
        &self,
        at: ClauseAt,
        clause: &Clause,
        excludes_by: Option<&String>,
        evaluator: &mut Evaluator<'_>,
        explained: &mut Vec<ConditionExplanation>,
    ) -> Result<Truth, Fault> {
        let truth = evaluator.condition(&clause.condition);
        if evaluator.tracing() {
            let (reads, parameters) = self.asked(evaluator);
            explained.push(ConditionExplanation {
                at,
                text: clause.text.clone(),
                excludes_by: excludes_by.cloned(),
                widens_by: None,
                truth,
                reads,
                parameters,
            });
        }
        truth
    }

    /// What a programme gives for the month, from its two states. For a person who `dies` in the month the first of them
    /// is the state at death, which counts as the state at its end does.
    fn candidate(
        &self,
        rule: &ProgrammeRule,
        dies: bool,
        now: Option<&Assessment>,
        before: Option<&Assessment>,
    ) -> Candidate {
        let enrolment = rule.enrolment.map(|index| self.number_of(index));
        let mut candidate = match rule.once {
            Some(Event::Death) if !dies => Candidate::nothing(),
            // Death too is a condition lost.
            None if rule.stop == Stop::AtOnce => candidate(enrolment, now.filter(|_| !dies), None),
            _ => candidate(enrolment, now, before),
        };
        if rule.start == Start::MonthAfter {
            candidate.begin_after(before);
        }
        candidate.unknown.sort_unstable();
        candidate.unknown.dedup();
        candidate
    }
}

impl Candidate {
    const fn nothing() -> Self {
        Self {
            amount: NOTHING,
            paid_basis: Basis::EndOfMonth,
            held_basis: Basis::EndOfMonth,
            unknown: Vec::new(),
            fault: None,
        }
    }

    /// Pays only as far as the person was entitled at the end of the month before.
    fn begin_after(&mut self, before: Option<&Assessment>) {
        match before.map_or(Ok(Truth::False), |before| before.standing.entitled) {
            Ok(Truth::True) => {}
            Ok(Truth::False) => *self = Self::nothing(),
            Ok(Truth::Undetermined) => {
                self.amount.0 = Dong::ZERO;
                self.unknown
                    .extend(before.iter().flat_map(|before| &before.unknown));
            }
            Err(fault) => {
                if self.amount != NOTHING {
                    self.fault = self.fault.or(Some(fault));
                }
                self.amount = NOTHING;
            }
        }
    }
}

fn sure(truth: Result<Truth, Fault>) -> bool {
    truth.is_ok_and(|truth| truth != Truth::Undetermined)
}

/// `and` of two results: what is certainly false settles it, even beside a fault. Of two faults the same one is kept
/// whatever their order.
fn both(a: Result<Truth, Fault>, b: Result<Truth, Fault>) -> Result<Truth, Fault> {
    match (a, b) {
        (Ok(Truth::False), _) | (_, Ok(Truth::False)) => Ok(Truth::False),
        (Err(a), Err(b)) => Err(a.min(b)),
        (Err(fault), _) | (_, Err(fault)) => Err(fault),
        (Ok(a), Ok(b)) => Ok(a.min(b)),
    }
}

/// `or` of two results: what is certainly true settles it, even beside a fault.
fn either(a: Result<Truth, Fault>, b: Result<Truth, Fault>) -> Result<Truth, Fault> {
    match (a, b) {
        (Ok(Truth::True), _) | (_, Ok(Truth::True)) => Ok(Truth::True),
        (Err(a), Err(b)) => Err(a.min(b)),
        (Err(fault), _) | (_, Err(fault)) => Err(fault),
        (Ok(a), Ok(b)) => Ok(a.max(b)),
    }
}

/// An amount is whole and not negative. Where only its range is known, what lies below zero is cut off.
pub(super) fn amount_of(range: Range) -> Result<Amount, Fault> {
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
        let whole = number.rounded_to(Decimal::from(1), Rounding::Down) == Some(number);
        if whole { Fault::Overflow } else { Fault::Fraction }
    })
}

fn greater(a: Option<Dong>, b: Option<Dong>) -> Option<Dong> {
    Some(a?.max(b?))
}

/// What two states give by the rule of conditions lost and met.
fn candidate(
    enrolment: Option<AttributeNumber>,
    now: Option<&Assessment>,
    before: Option<&Assessment>,
) -> Candidate {
    let mut candidate = Candidate::nothing();
    let entitled = now.map_or(Ok(Truth::False), |now| now.standing.entitled);
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
    let enrolled_now = now.map_or(Enrolment::NotNeeded, |now| now.standing.enrolment);
    if enrolled_now == Enrolment::Suspended || before.standing.entitled == Ok(Truth::False) {
        return Ok(NOTHING);
    }
    let (min, max) = before.amount?;
    unknown.extend(&before.unknown);
    // The enrolment may be suspended, which would stop at once.
    let may_be_suspended = enrolled_now == Enrolment::Unknown;
    if may_be_suspended {
        unknown.extend(enrolment);
    }
    let certain = before.standing.entitled? == Truth::True && !may_be_suspended;
    Ok((if certain { min } else { Dong::ZERO }, max))
}
