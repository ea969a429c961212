//! What a search asks: conditions of the pack, joined.

use std::borrow::Cow;

use crate::kernel::catalogue::EnrolmentState;
use crate::policy::expr::check::{AttributeIndex, Condition};
use crate::policy::expr::eval::Evaluator;
use crate::policy::expr::range::{Fault, Truth};
use crate::policy::pack::{Excluder, Exclusion, PackData, ProgrammeRule, Widening};
use crate::policy::parameter::Area;
use crate::types::{Date, Month};

/// The greatest number of conditions of one formula. Programmes that exclude each other in chains would write each
/// other out; what lies beyond is left open.
const LEAVES_MAX: usize = 2_000;

/// Conditions, joined. It is evaluated like an expression of the language, by its evaluator.
#[derive(Debug, Clone)]
pub(super) enum Formula<'a> {
    Is(Cow<'a, Condition>),
    /// It may hold or not, whatever is known.
    Open,
    Not(Box<Formula<'a>>),
    All(Vec<Formula<'a>>),
    Any(Vec<Formula<'a>>),
}

impl<'a> Formula<'a> {
    pub const fn is(condition: &'a Condition) -> Self {
        Self::Is(Cow::Borrowed(condition))
    }

    pub const fn owned(condition: Condition) -> Self {
        Self::Is(Cow::Owned(condition))
    }

    pub fn negated(self) -> Self {
        Self::Not(Box::new(self))
    }

    pub const fn never() -> Self {
        Self::Any(Vec::new())
    }

    pub const fn always() -> Self {
        Self::All(Vec::new())
    }

    pub fn evaluate(&self, evaluator: &mut Evaluator<'_>) -> Result<Truth, Fault> {
        let mark = evaluator.unknown.len();
        let truth = match self {
            Self::Is(condition) => evaluator.condition(condition),
            Self::Open => Ok(Truth::Undetermined),
            Self::Not(inner) => inner.evaluate(evaluator).map(|truth| !truth),
            Self::All(items) => joined(items, evaluator, Truth::False),
            Self::Any(items) => joined(items, evaluator, Truth::True),
        };
        if matches!(truth, Ok(Truth::True | Truth::False)) {
            evaluator.unknown.truncate(mark);
        }
        truth
    }

    /// Shows every condition in it.
    pub fn each<'f>(&'f self, visit: &mut dyn FnMut(&'f Condition)) {
        match self {
            Self::Is(condition) => visit(condition),
            Self::Open => {}
            Self::Not(inner) => inner.each(visit),
            Self::All(items) | Self::Any(items) => {
                for item in items {
                    item.each(visit);
                }
            }
        }
    }
}

fn joined(items: &[Formula<'_>], evaluator: &mut Evaluator<'_>, settling: Truth) -> Result<Truth, Fault> {
    let mut truth = !settling;
    let mut fault = None;
    for item in items {
        match item.evaluate(evaluator) {
            Ok(found) if found == settling => return Ok(settling),
            Ok(Truth::Undetermined) => truth = Truth::Undetermined,
            Ok(_) => {}
            Err(found) => fault = fault.or(Some(found)),
        }
    }
    fault.map_or(Ok(truth), Err)
}

/// The months and the days of the law for which something is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Window {
    pub from: Month,
    pub until: Month,
    pub known_from: Date,
}

impl Window {
    /// Where a programme exists, as far as the pack promises its figures.
    pub fn of(pack: &PackData, rule: &ProgrammeRule) -> Self {
        let until = rule.until.unwrap_or(Month::MAX);
        let promised = pack.horizon.filter(|&horizon| horizon <= until);
        Self {
            from: promised.map_or(rule.from, |horizon| horizon.max(rule.from)),
            until,
            known_from: promised.map_or(rule.known_from, |horizon| {
                rule.known_from.max(Date::first_of(horizon))
            }),
        }
    }

    /// Where any programme exists.
    pub fn of_all(pack: &PackData) -> Self {
        let windows = || pack.programmes.iter().map(|rule| Self::of(pack, rule));
        Self {
            from: windows().map(|window| window.from).min().unwrap_or(Month::MIN),
            until: windows().map(|window| window.until).max().unwrap_or(Month::MAX),
            known_from: windows()
                .map(|window| window.known_from)
                .min()
                .unwrap_or(Date::first_of(Month::MIN)),
        }
    }

    fn covers(self, other: Self) -> bool {
        self.from <= other.from && self.until >= other.until && self.known_from <= other.known_from
    }

    pub fn meets(self, from: Month, until: Month) -> bool {
        self.from <= until && from <= self.until
    }
}

/// That the person lives in an area.
pub(super) fn here<'a>(area: Area) -> Formula<'a> {
    let (former, code) = match area {
        Area::Province(code) => (false, code),
        Area::Former(code) => (true, code),
    };
    Formula::owned(Condition::ProvinceIn {
        former,
        codes: vec![code],
    })
}

/// That all national conditions of a programme hold.
pub(super) fn national(rule: &ProgrammeRule) -> Formula<'_> {
    Formula::All(
        rule.conditions
            .iter()
            .map(|clause| Formula::is(&clause.condition))
            .collect(),
    )
}

/// That a provincial condition holds where it does, in a month of the window in which it may not be in force.
pub(super) fn widening(widening: &Widening, window: Window) -> Formula<'_> {
    let dates = widening.dates;
    let until = dates.until.unwrap_or(Month::MAX);
    if !window.meets(dates.from, until) {
        return Formula::never();
    }
    let in_force = Window {
        from: dates.from,
        until,
        known_from: dates.known_from,
    };
    let mut all = vec![here(widening.area), Formula::is(&widening.clause.condition)];
    if !in_force.covers(window) {
        all.push(Formula::Open);
    }
    Formula::All(all)
}

/// That the conditions of a programme hold, or a provincial one.
pub(super) fn conditions(rule: &ProgrammeRule, window: Window) -> Formula<'_> {
    if rule.provincial.is_empty() {
        return national(rule);
    }
    let wider = rule.provincial.iter().map(|wider| widening(wider, window));
    Formula::Any([national(rule)].into_iter().chain(wider).collect())
}

/// That the person has the decision that a programme needs.
pub(super) fn enrolled<'a>(rule: &ProgrammeRule) -> Formula<'a> {
    let among = |index: AttributeIndex, state: EnrolmentState| {
        Formula::owned(Condition::EnumIn(index, vec![state as u16]))
    };
    let Some(own) = rule.enrolment else {
        return Formula::always();
    };
    let active = among(own, EnrolmentState::Active);
    if rule.earlier.is_empty() {
        return active;
    }
    let earlier = rule
        .earlier
        .iter()
        .map(|&index| among(index, EnrolmentState::Active));
    let by_earlier = vec![among(own, EnrolmentState::None), Formula::Any(earlier.collect())];
    Formula::Any(vec![active, Formula::All(by_earlier)])
}

/// Writes out who is entitled to what.
pub(super) struct Writer<'a> {
    pack: &'a PackData,
    leaves: usize,
}

impl<'a> Writer<'a> {
    pub const fn new(pack: &'a PackData) -> Self {
        Self { pack, leaves: 0 }
    }

    /// That a person is entitled to a programme.
    pub fn entitled(&mut self, place: usize, window: Window) -> Formula<'a> {
        let rule = &self.pack.programmes[place];
        self.leaves += 1 + rule.conditions.len() + rule.provincial.len() + rule.exclusions.len();
        if self.leaves > LEAVES_MAX {
            return Formula::Open;
        }
        let mut all = vec![enrolled(rule), conditions(rule, window)];
        for exclusion in &rule.exclusions {
            all.push(self.excluded(exclusion, window).negated());
        }
        Formula::All(all)
    }

    /// That an exclusion holds.
    pub fn excluded(&mut self, exclusion: &'a Exclusion, window: Window) -> Formula<'a> {
        match &exclusion.excluder {
            Excluder::Condition { clause, .. } => Formula::is(&clause.condition),
            Excluder::Programme { programme, .. } => {
                let other = Window::of(self.pack, &self.pack.programmes[*programme]);
                if !window.meets(other.from, other.until) {
                    return Formula::never();
                }
                let entitled = self.entitled(*programme, window);
                if other.covers(window) {
                    entitled
                } else {
                    Formula::All(vec![Formula::Open, entitled])
                }
            }
        }
    }
}
