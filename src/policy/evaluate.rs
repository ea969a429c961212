//! From a person's two states to an outcome: what each programme gives, and what of it is chosen.

use super::assess::{Enrolment, ExcludedBy, Judged, NOTHING, Person, Standing, Traces};
use super::case::Case;
use super::combine;
use super::explain::{Choice, Explanation, ProgrammeExplanation};
use super::expr::range::Truth;
use super::month::MonthPolicy;
use super::outcome::{Line, LineKind, LineReason, Outcome, Reason, Status};
use super::pack::Event;
use crate::types::ProgrammeNumber;

impl MonthPolicy {
    /// The outcome of a person's month: `now` is the state at the end of the month, or at death in it, `None` if not
    /// there; `before` is the state at the end of the month before, `None` if not yet born or there.
    ///
    /// A programme whose conditions hold at the end of the month, or at death in it, pays by that state. Otherwise, where
    /// it stops in the month after and the conditions held at the end of the month before, it pays by that state; but a
    /// suspension stops at once. What is paid once on a death is paid in its month, by the same rule.
    pub fn evaluate(&self, now: Option<&Case<'_>>, before: Option<&Case<'_>>) -> Outcome {
        let (judged, _) = self.judge(Person { now, before }, false);
        self.outcome(
            &judged.iter().collect::<Vec<_>>(),
            now.is_some_and(|now| !now.dies),
            now.or(before).is_some(),
        )
    }

    /// The outcome, and everything that led to it.
    pub fn explain(&self, now: Option<&Case<'_>>, before: Option<&Case<'_>>) -> Explanation {
        let (judged, traces) = self.judge(Person { now, before }, true);
        let all: Vec<&Judged> = judged.iter().collect();
        let outcome = self.outcome(&all, now.is_some_and(|now| !now.dies), now.or(before).is_some());
        let programmes = judged
            .iter()
            .zip(traces)
            .map(|(programme, traces)| self.explain_programme(programme, traces, &outcome))
            .collect();
        let groups = combine::explain(self.pack(), &all);
        Explanation {
            groups,
            month: self.month(),
            law_known_on: self.law_known_on(),
            programmes,
            outcome,
        }
    }

    /// Judges every programme, in the pack's order.
    pub(super) fn judge(&self, person: Person<'_>, tracing: bool) -> (Vec<Judged>, Vec<Traces>) {
        let mut all: Vec<Option<(Judged, Traces)>> = Vec::new();
        all.resize_with(self.pack().programmes.len(), || None);
        for &place in self.settled() {
            let others = |other: usize| {
                let (judged, _) = all[other].as_ref()?;
                Some((judged.now, judged.before))
            };
            let judged = self.judge_one(place, person, &others, tracing);
            all[place] = Some(judged);
        }
        self.paying()
            .iter()
            .filter_map(|&place| all[place].take())
            .unzip()
    }

    /// What the programmes together come to for somebody who is there at the end of the month (`is_there`), or was there
    /// at its end, at death in it, or at the end of the month before (`was_there`).
    pub(super) fn outcome(&self, judged: &[&Judged], is_there: bool, was_there: bool) -> Outcome {
        // Most people are owed nothing by any programme, and then nothing has to be chosen.
        let gives = |judged: &&Judged| judged.candidate.amount != NOTHING || judged.candidate.fault.is_some();
        let lines = if judged.iter().any(gives) {
            combine::lines(self.pack(), judged)
        } else {
            Vec::new()
        };
        let (status, reason) = status(&lines).unwrap_or_else(|| {
            let reason = if was_there {
                Self::zero_reason(judged, is_there)
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

    fn explain_programme(&self, judged: &Judged, traces: Traces, outcome: &Outcome) -> ProgrammeExplanation {
        let rule = &self.pack().programmes[judged.place];
        let group = &self.pack().groups[rule.group];
        ProgrammeExplanation {
            number: judged.number,
            id: rule.id.clone(),
            title_vi: rule.title_vi.clone(),
            title_en: rule.title_en.clone(),
            cite: rule.cite.clone(),
            confidence: rule.confidence,
            once: rule.once,
            payees: rule.payees.clone(),
            group: group.name.clone(),
            combination: group.combination,
            group_cite: group.cite.clone(),
            end_of_month: traces.0,
            end_of_month_before: traces.1,
            choice: self.choice(judged, outcome),
        }
    }

    fn choice(&self, judged: &Judged, outcome: &Outcome) -> Choice {
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
        let outermost = |place: usize| self.pack().outermost(self.pack().programmes[place].group);
        let in_group = |programme: ProgrammeNumber| {
            let mut places = self.paying().iter();
            places.any(|&place| {
                self.policy.bound.programmes[place] == programme
                    && outermost(place) == outermost(judged.place)
            })
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

    /// The primary reason why nothing is owed. What is paid on a death is no reason of other months.
    fn zero_reason(judged: &[&Judged], is_there: bool) -> Reason {
        let reasons = judged
            .iter()
            .filter_map(|programme| programme.reasons[usize::from(!is_there)]);
        // Of equal ranks the first is kept.
        reasons
            .min_by_key(|&reason| rank(reason))
            .unwrap_or(Reason::NoProgramme)
    }

    /// Whether a reason why nothing is owed comes before any that a programme could have of which it is certain that it
    /// gives nothing and not known why: at first that there is no decision.
    pub(super) fn comes_before(&self, reason: Reason, programme: &Judged) -> bool {
        let mut states = [programme.now, programme.before].into_iter().flatten();
        if states.any(|state| state.enrolment == Enrolment::Suspended) {
            return false;
        }
        let not_enrolled = Reason::NotEnrolled(programme.number);
        let place = |number| {
            let mut places = self.paying().iter();
            places.position(|&place| self.policy.bound.programmes[place] == number)
        };
        rank(reason) < rank(not_enrolled)
            || rank(reason) == rank(not_enrolled)
                && reason
                    .programme()
                    .is_some_and(|first| place(first) < place(programme.number))
    }

    /// The first reason, in the order of [`Reason`], why a programme by itself gives nothing: by the state at the end of
    /// the month, or for a person who died in it at death.
    pub(super) fn reason(&self, judged: &Judged, is_there: bool) -> Option<Reason> {
        let number = judged.number;
        if is_there && self.pack().programmes[judged.place].once == Some(Event::Death) {
            return None;
        }
        let state = if is_there {
            judged.now
        } else {
            judged.now.or(judged.before)
        }?;
        let may = state.qualifies != Ok(Truth::False);
        let entitled = |state: &Standing| state.entitled.is_ok_and(|truth| truth != Truth::False);
        let decided = matches!(state.enrolment, Enrolment::Active | Enrolment::Suspended);
        if state.enrolment == Enrolment::Suspended && may {
            return Some(Reason::Suspended(number));
        }
        let was = judged.before.is_some_and(|before| entitled(&before));
        let is = judged.now.is_some_and(|now| entitled(&now));
        if self.begins_after(judged.place) && is && !was {
            return Some(Reason::BeginsNextMonth(number));
        }
        if entitled(&state) {
            return Some(Reason::NothingDue(number));
        }
        if state.enrolment == Enrolment::None && state.qualifies == Ok(Truth::True) {
            return Some(Reason::NotEnrolled(number));
        }
        if let Some(by) = state.excluded_by
            && decided
            && state.conditions == Ok(Truth::True)
        {
            return Some(match by {
                ExcludedBy::Attribute(by) => Reason::Excluded(number, by),
                ExcludedBy::Programme(by) => Reason::ExcludedByProgramme(number, by),
            });
        }
        if decided && !may {
            return Some(Reason::NoLongerQualifies(number));
        }
        let open = state.enrolment == Enrolment::None && state.qualifies == Ok(Truth::Undetermined);
        open.then_some(Reason::MayQualify(number))
    }
}

/// The order in which an office would look at reasons why nothing is owed.
fn rank(reason: Reason) -> u8 {
    match reason {
        Reason::Suspended(_) => 0,
        Reason::BeginsNextMonth(_) => 1,
        Reason::NothingDue(_) => 2,
        Reason::NotEnrolled(_) => 3,
        Reason::Excluded(..) | Reason::ExcludedByProgramme(..) => 4,
        Reason::NoLongerQualifies(_) => 5,
        Reason::MayQualify(_) => 6,
        _ => 7,
    }
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
