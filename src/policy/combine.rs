//! How the benefits of one person are combined: from what each programme gives to the lines of the month.

use super::assess::{Candidate, Judged};
use super::explain::{Competitor, GroupExplanation, MemberChoice, MemberExplanation};
use super::outcome::{Line, LineKind, LineReason};
use super::pack::{Combination, Group, Member, PackData};
use crate::types::{AttributeNumber, Dong, ProgrammeNumber};

/// An amount, or no upper limit, which is greater than all amounts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
struct Worth {
    limitless: bool,
    dong: i128,
}

impl Worth {
    fn of(amount: Option<Dong>) -> Self {
        Self {
            limitless: amount.is_none(),
            dong: amount.map_or(0, |amount| amount.get().into()),
        }
    }

    /// The amount, as far as it fits.
    fn to_dong(self) -> Dong {
        Dong::new(i64::try_from(self.dong).unwrap_or(i64::MAX))
    }

    fn and(self, other: Self) -> Self {
        Self {
            limitless: self.limitless || other.limitless,
            dong: self.dong + other.dong,
        }
    }
}

/// What a group pays of what its programmes would give: the total and the programmes, by their places in the list of
/// those judged.
#[derive(Debug, Clone, Default)]
struct Chosen {
    worth: Worth,
    programmes: Vec<usize>,
    /// The exception of the group itself that was applied, by its place.
    exception: Option<usize>,
}

impl Chosen {
    fn with(mut self, other: &Self) -> Self {
        self.worth = self.worth.and(other.worth);
        self.programmes.extend(&other.programmes);
        self
    }
}

/// The lines of a month, in the pack's order; of one programme paid before held before error.
pub(super) fn lines(pack: &PackData, judged: &[&Judged]) -> Vec<Line> {
    let gives = |judged: &&&Judged| judged.candidate.amount.1 != Some(Dong::ZERO);
    let giving: Vec<&Judged> = judged.iter().filter(gives).copied().collect();
    let faulty = || {
        judged
            .iter()
            .filter(|programme| programme.candidate.fault.is_some())
    };
    let mut lines = Vec::new();
    if giving.is_empty() && faulty().next().is_none() {
        return lines;
    }
    if !giving.is_empty() {
        let combiner = Combiner {
            pack,
            judged: &giving,
        };
        for (place, group) in pack.groups.iter().enumerate() {
            if group.within.is_none() {
                combiner.pay(place, &mut lines);
            }
        }
    }
    for programme in faulty() {
        if let Some(fault) = programme.candidate.fault {
            lines.push(Line {
                programme: programme.number,
                kind: LineKind::Error,
                amount: Dong::ZERO,
                basis: programme.candidate.paid_basis,
                reason: LineReason::Fault(fault),
            });
        }
    }
    let place = |line: &Line| {
        judged
            .iter()
            .position(|programme| programme.number == line.programme)
    };
    lines.sort_by_cached_key(|line| (place(line), line.kind));
    lines
}

/// How each outermost group came to what it pays; groups in which nothing competes are left out.
pub(super) fn explain(pack: &PackData, judged: &[&Judged]) -> Vec<GroupExplanation> {
    let outermost = (0..pack.groups.len()).filter(|&place| pack.groups[place].within.is_none());
    outermost
        .filter_map(|place| Combiner { pack, judged }.explain(place))
        .collect()
}

struct Combiner<'a> {
    pack: &'a PackData,
    judged: &'a [&'a Judged],
}

impl Combiner<'_> {
    fn candidate(&self, at: usize) -> &Candidate {
        &self.judged[at].candidate
    }

    /// Pays what is certain whatever the unknown may be; holds what could be owed beyond it.
    fn pay(&self, group: usize, lines: &mut Vec<Line>) {
        let stands_here =
            |judged: &&Judged| self.pack.outermost(self.pack.programmes[judged.place].group) == group;
        if !self.judged.iter().any(stands_here) {
            return;
        }
        let possible = self.choose(group, &|candidate| Worth::of(candidate.amount.1));
        if possible.programmes.is_empty() {
            return;
        }
        let certain = self.choose(group, &|candidate| Worth::of(Some(candidate.amount.0)));
        for &at in &certain.programmes {
            let candidate = self.candidate(at);
            lines.push(Line {
                programme: self.judged[at].number,
                kind: LineKind::Paid,
                amount: candidate.amount.0,
                basis: candidate.paid_basis,
                reason: LineReason::Entitled,
            });
        }
        if possible.worth > certain.worth {
            self.hold(group, &certain, &possible, lines);
        }
    }

    fn hold(&self, group: usize, certain: &Chosen, possible: &Chosen, lines: &mut Vec<Line>) {
        // What is paid of programmes that the greatest total would not pay is part of that total.
        let mut credit: i128 = certain
            .programmes
            .iter()
            .filter(|at| !possible.programmes.contains(at))
            .map(|&at| i128::from(self.candidate(at).amount.0.get()))
            .sum();
        if possible.worth.limitless {
            credit = 0;
        }
        for &at in &possible.programmes {
            let candidate = self.candidate(at);
            let Some(max) = candidate.amount.1 else {
                let reason = LineReason::UnknownWithoutLimit(self.unknown(group, at, certain.worth));
                lines.push(self.held(at, Dong::ZERO, reason));
                continue;
            };
            let paid = if certain.programmes.contains(&at) {
                candidate.amount.0.get()
            } else {
                0
            };
            let beyond = i128::from(max.get()) - i128::from(paid);
            let owed = beyond - credit.min(beyond);
            credit -= beyond - owed;
            if let Some(amount) = i64::try_from(owed).ok().filter(|&amount| amount > 0) {
                let reason = LineReason::Unknown(self.unknown(group, at, certain.worth));
                lines.push(self.held(at, Dong::new(amount), reason));
            }
        }
    }

    fn held(&self, at: usize, amount: Dong, reason: LineReason) -> Line {
        Line {
            programme: self.judged[at].number,
            kind: LineKind::Held,
            amount,
            basis: self.candidate(at).held_basis,
            reason,
        }
    }

    /// What a held amount depends on: where programmes compete, also on what the others that may be more depend on.
    fn unknown(&self, group: usize, at: usize, certain: Worth) -> Vec<AttributeNumber> {
        let competes = self.pack.groups[group].combination != Combination::Sum;
        let mut unknown = self.candidate(at).unknown.clone();
        for judged in self.judged {
            let stands_here = self.pack.outermost(self.pack.programmes[judged.place].group) == group;
            if competes && stands_here && Worth::of(judged.candidate.amount.1) > certain {
                unknown.extend(&judged.candidate.unknown);
            }
        }
        unknown.sort_unstable();
        unknown.dedup();
        unknown
    }

    /// What competes in a group, and what its rule chooses; `None` if nothing does.
    fn explain(&self, group: usize) -> Option<GroupExplanation> {
        let rule = &self.pack.groups[group];
        let certainly = self.members(group, &|candidate| Worth::of(Some(candidate.amount.0)));
        let possibly = self.members(group, &|candidate| Worth::of(candidate.amount.1));
        let (certain, possible) = (combine(rule, certainly.clone()), combine(rule, possibly.clone()));
        let exception = certain.exception.or(possible.exception);
        let explained: Vec<MemberExplanation> = possibly
            .iter()
            .filter_map(|(member, most)| {
                let least = certainly.iter().find(|(known, _)| known == member);
                let is_in = |chosen: &Chosen| most.programmes.iter().any(|at| chosen.programmes.contains(at));
                let at_least = |chosen: &Chosen| {
                    least.is_some_and(|(_, least)| {
                        least.programmes.iter().any(|at| chosen.programmes.contains(at))
                    })
                };
                Some(MemberExplanation {
                    what: match *member {
                        Member::Programme(place) => Competitor::Programme(self.number_of(place)?),
                        Member::Group(inner) => Competitor::Group(self.explain(inner)?),
                    },
                    least: least.map_or(Dong::ZERO, |(_, least)| least.worth.to_dong()),
                    most: (!most.worth.limitless).then(|| most.worth.to_dong()),
                    choice: if at_least(&certain) {
                        MemberChoice::Chosen
                    } else if is_in(&possible) {
                        MemberChoice::Possible
                    } else {
                        MemberChoice::NotChosen
                    },
                })
            })
            .collect();
        (!explained.is_empty()).then(|| GroupExplanation {
            name: rule.name.clone(),
            combination: rule.combination,
            cite: rule.cite.clone(),
            confidence: rule.confidence,
            members: explained,
            exception: exception.map(|place| rule.exceptions[place].cite.clone()),
        })
    }

    /// The number of a programme that is judged, by its place in the pack.
    fn number_of(&self, place: usize) -> Option<ProgrammeNumber> {
        let judged = self.judged.iter().find(|judged| judged.place == place);
        judged.map(|judged| judged.number)
    }

    /// What a group pays if each programme gives what `worth` says: never less for more.
    fn choose(&self, group: usize, worth: &dyn Fn(&Candidate) -> Worth) -> Chosen {
        combine(&self.pack.groups[group], self.members(group, worth))
    }

    /// What competes in a group: its programmes, then the groups within it.
    fn members(&self, group: usize, worth: &dyn Fn(&Candidate) -> Worth) -> Vec<(Member, Chosen)> {
        let mut members: Vec<(Member, Chosen)> = Vec::new();
        for (at, judged) in self.judged.iter().enumerate() {
            let found = worth(&judged.candidate);
            if self.pack.programmes[judged.place].group == group && found > Worth::default() {
                let chosen = Chosen {
                    worth: found,
                    programmes: vec![at],
                    exception: None,
                };
                members.push((Member::Programme(judged.place), chosen));
            }
        }
        for (inner, within) in self.pack.groups.iter().enumerate() {
            if within.within == Some(group) {
                let chosen = self.choose(inner, worth);
                if chosen.worth > Worth::default() {
                    members.push((Member::Group(inner), chosen));
                }
            }
        }
        members
    }
}

/// Applies a group's rule to what its members would pay. Of equals the first is chosen.
fn combine(rule: &Group, mut members: Vec<(Member, Chosen)>) -> Chosen {
    let all = |members: Vec<(Member, Chosen)>| {
        members
            .into_iter()
            .fold(Chosen::default(), |sum, (_, chosen)| sum.with(&chosen))
    };
    match rule.combination {
        Combination::Sum => all(members),
        Combination::AtMost(most) => {
            members.sort_by_key(|(_, chosen)| std::cmp::Reverse(chosen.worth));
            members.truncate(usize::from(most));
            all(members)
        }
        Combination::Highest => {
            let mut best = highest(members.iter().map(|(_, chosen)| chosen))
                .cloned()
                .unwrap_or_default();
            best.exception = None;
            for (place, exception) in rule.exceptions.iter().enumerate() {
                let besides = members.iter().find(|(member, _)| *member == exception.pays);
                let beside = members
                    .iter()
                    .filter(|(member, _)| exception.beside.contains(member) && *member != exception.pays);
                let beside = highest(beside.map(|(_, chosen)| chosen));
                if let (Some((_, besides)), Some(beside)) = (besides, beside) {
                    let both = beside.clone().with(besides);
                    if both.worth > best.worth {
                        best = both;
                        best.exception = Some(place);
                    }
                }
            }
            best
        }
    }
}

fn highest<'c>(all: impl Iterator<Item = &'c Chosen>) -> Option<&'c Chosen> {
    all.fold(None, |best: Option<&Chosen>, chosen| match best {
        Some(best) if best.worth >= chosen.worth => Some(best),
        _ => Some(chosen),
    })
}
