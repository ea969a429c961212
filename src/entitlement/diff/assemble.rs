//! From pairs of outcomes to what is said of people.

use std::collections::BTreeMap;

use rustc_hash::FxHashMap;

use super::compare::{Counted, Found, Row};
use super::{
    Change, CommonLine, Diff, DiffError, DiffRequest, LineText, Lines, Moves, Newly, ProgrammeDiff,
    Programmes, ProvinceDiff, Side, Trial, name_of,
};
use crate::format::totals::{StatusCounts, Tally};
use crate::kernel::{ReadError, View};
use crate::policy::{LineKind, LineReason, Outcome, Status};
use crate::types::{AttributeNumber, Dong, PersonNumber, ProvinceCode, Total, UnitNumber};

/// People whose lines change alike, and the first rows of them.
#[derive(Default)]
struct Alike {
    people: u64,
    difference: Total,
    examples: Vec<Row>,
}

struct Assembly<'a> {
    trials: [&'a Trial; 2],
    programmes: Programmes,
    sides: [Side; 2],
    moves: Moves,
    provinces: BTreeMap<ProvinceCode, ProvinceDiff>,
    changes: FxHashMap<[Vec<CommonLine>; 2], Alike>,
    held: u64,
    error: u64,
    attributes: BTreeMap<AttributeNumber, u64>,
    /// By place: people held and in error.
    newly: BTreeMap<usize, (u64, u64)>,
}

/// Adds up what the workers found.
pub(super) fn assemble(
    view: &View,
    trials: [&Trial; 2],
    programmes: Programmes,
    request: &DiffRequest,
    found: Vec<Found>,
) -> Result<Diff, DiffError> {
    let mut assembly = Assembly {
        trials,
        programmes,
        sides: trials.map(side),
        moves: Moves::default(),
        provinces: BTreeMap::new(),
        changes: FxHashMap::default(),
        held: 0,
        error: 0,
        attributes: BTreeMap::new(),
        newly: BTreeMap::new(),
    };
    let mut people = 0;
    for found in found {
        people += found.people;
        for (&province, &unit) in &found.units {
            let known = assembly.provinces.entry(province);
            known.or_insert_with(|| province_of(view, request, province, unit));
        }
        assembly.add(&found);
    }
    let moves = assembly.moves;
    let sum = moves.unchanged + moves.gained.people + moves.lost.people + moves.otherwise;
    if sum != people || assembly.sides.iter().any(|side| !side.status.balances()) {
        return Err(DiffError::Unbalanced {
            month: request.month,
            people,
            sum,
        });
    }
    assembly.told(view, request, people)
}

fn side(trial: &Trial) -> Side {
    let pack = trial.policy.pack();
    Side {
        pack: name_of(pack),
        hash: pack.hash(),
        status: StatusCounts::default(),
        amount: Total::ZERO,
        amount_held: Total::ZERO,
        one_by_one: 0,
    }
}

fn province_of(view: &View, request: &DiffRequest, code: ProvinceCode, unit: UnitNumber) -> ProvinceDiff {
    let name = view.unit(unit).map(|unit| unit.name_in(request.month));
    ProvinceDiff {
        code,
        name: name.map_or_else(String::new, |name| name.province_name.clone()),
        people: 0,
        before: Tally::default(),
        after: Tally::default(),
        moves: Moves::default(),
    }
}

impl Assembly<'_> {
    fn add(&mut self, found: &Found) {
        let [before, after] = &found.outcomes;
        let mut people = vec![0; found.pairs.len()];
        for (&(province, number), &count) in &found.counts {
            let pair = &found.pairs[number as usize];
            people[number as usize] += count;
            let (was, is) = (&before[pair.before as usize], &after[pair.after as usize]);
            if let Some(province) = self.provinces.get_mut(&province) {
                province.people += count;
                add_paid(&mut province.before, was.paid, count);
                add_paid(&mut province.after, is.paid, count);
                province.moves.add(pair.is_same, was.paid, is.paid, count);
            }
        }
        for (pair, &count) in found.pairs.iter().zip(&people) {
            let (was, is) = (&before[pair.before as usize], &after[pair.after as usize]);
            self.sides[0].add(was, count);
            self.sides[1].add(is, count);
            self.moves.add(pair.is_same, was.paid, is.paid, count);
            let lines = [
                self.programmes.lines(0, &was.outcome),
                self.programmes.lines(1, &is.outcome),
            ];
            add_lines(&mut self.programmes.list, &lines, count);
            self.add_newly(&was.outcome, &is.outcome, &lines[1], count);
            if !pair.is_same {
                let alike = self.changes.entry(lines).or_default();
                alike.people += count;
                let difference = is.paid.get() - was.paid.get();
                alike.difference.add(Total::new(difference * i128::from(count)));
                alike.examples.extend(&pair.examples);
            }
        }
        for (side, one_by_one) in self.sides.iter_mut().zip(found.one_by_one) {
            side.one_by_one += one_by_one;
        }
    }

    /// Counts who is held or in error by the second pack and was not by the first.
    fn add_newly(&mut self, was: &Outcome, is: &Outcome, lines: &[CommonLine], count: u64) {
        let has = |outcome: &Outcome, kind| outcome.lines_of(kind).next().is_some();
        let newly = |kind| has(is, kind) && !has(was, kind);
        let (held, error) = (newly(LineKind::Held), newly(LineKind::Error));
        for &(place, kind, _) in lines {
            let counts = self.newly.entry(place).or_default();
            match kind {
                LineKind::Held if held => counts.0 += count,
                LineKind::Error if error => counts.1 += count,
                _ => {}
            }
        }
        if error {
            self.error += count;
        }
        if !held {
            return;
        }
        self.held += count;
        let mut unknown: Vec<AttributeNumber> = Vec::new();
        for line in is.lines_of(LineKind::Held) {
            if let LineReason::Unknown(of_line) | LineReason::UnknownWithoutLimit(of_line) = &line.reason {
                unknown.extend(of_line);
            }
        }
        unknown.sort_unstable();
        unknown.dedup();
        for attribute in unknown {
            *self.attributes.entry(attribute).or_default() += count;
        }
    }

    fn newly(&self) -> Newly {
        let attributes = self.attributes.iter();
        let name = |number: &AttributeNumber| self.trials[1].attribute_name(*number);
        let mut attributes: Vec<(String, u64)> = attributes
            .map(|(number, &people)| (name(number), people))
            .collect();
        attributes.sort_by_key(|&(_, people)| std::cmp::Reverse(people));
        let programmes = self.newly.iter().filter(|&(_, &counts)| counts != (0, 0));
        let id = |place: usize| self.programmes.list[place].id.clone();
        let mut programmes: Vec<(String, u64, u64)> = programmes
            .map(|(&place, &(held, error))| (id(place), held, error))
            .collect();
        programmes.sort_by_key(|&(_, held, error)| std::cmp::Reverse(held + error));
        Newly {
            held: self.held,
            error: self.error,
            attributes,
            programmes,
        }
    }

    fn told(mut self, view: &View, request: &DiffRequest, people: u64) -> Result<Diff, DiffError> {
        let newly = self.newly();
        let mut changes: Vec<_> = std::mem::take(&mut self.changes).into_iter().collect();
        let changes_in_all = changes.len();
        // Of groups that are equally large, the one whose lines come first: the answer is the same every time.
        changes.sort_unstable_by(|(lines, alike), (other_lines, other)| {
            other
                .people
                .cmp(&alike.people)
                .then_with(|| lines.cmp(other_lines))
        });
        changes.truncate(request.changes_max);
        let changes: Result<Vec<Change>, ReadError> = changes
            .into_iter()
            .map(|(lines, alike)| self.change(view, request, lines, alike))
            .collect();
        let changes = changes?;
        let [before, after] = self.sides;
        Ok(Diff {
            month: request.month,
            law_known_on: request.law_known_on,
            data_as_of: view.newest(),
            people,
            before,
            after,
            moves: self.moves,
            programmes: self.programmes.list,
            provinces: self.provinces.into_values().collect(),
            changes,
            changes_in_all,
            newly,
        })
    }

    fn change(
        &self,
        view: &View,
        request: &DiffRequest,
        lines: [Vec<CommonLine>; 2],
        mut alike: Alike,
    ) -> Result<Change, ReadError> {
        let text = |&(place, kind, amount): &CommonLine| LineText {
            programme: self.programmes.list[place].id.clone(),
            kind,
            amount,
        };
        let [before, after] = lines.map(|lines| lines.iter().map(text).collect());
        alike.examples.sort_unstable();
        alike.examples.truncate(request.examples_max);
        let examples: Result<Vec<PersonNumber>, ReadError> = alike
            .examples
            .iter()
            .map(|&(segment, row)| {
                let persons = view.segment_persons(segment)?;
                let missing = || ReadError::Inconsistent(format!("row {row} of {segment:?} has no person"));
                persons.get(usize::from(row)).copied().ok_or_else(missing)
            })
            .collect();
        Ok(Change {
            before,
            after,
            people: alike.people,
            difference: alike.difference,
            examples: examples?,
        })
    }
}

fn times(amount: Total, count: u64) -> Total {
    Total::new(amount.get() * i128::from(count))
}

fn add_tally(tally: &mut Tally, amount: Total, count: u64) {
    tally.people += count;
    tally.sum.add(times(amount, count));
}

/// Counts people who are paid an amount, unless it is nothing.
fn add_paid(tally: &mut Tally, paid: Total, count: u64) {
    if paid != Total::ZERO {
        add_tally(tally, paid, count);
    }
}

/// The first is more than the second: by how much.
fn beyond(more: Total, less: Total) -> Option<Total> {
    (more.get() > less.get()).then(|| Total::new(more.get() - less.get()))
}

impl Moves {
    fn add(&mut self, is_same: bool, before: Total, after: Total, count: u64) {
        if let Some(gain) = beyond(after, before) {
            add_tally(&mut self.gained, gain, count);
        } else if let Some(loss) = beyond(before, after) {
            add_tally(&mut self.lost, loss, count);
        } else if is_same {
            self.unchanged += count;
        } else {
            self.otherwise += count;
        }
    }
}

impl Side {
    fn add(&mut self, counted: &Counted, count: u64) {
        let status = &mut self.status;
        status.people += count;
        match counted.outcome.status {
            Status::Error => status.error += count,
            Status::Paid => status.paid += count,
            Status::Held => status.held += count,
            Status::Zero => status.zero += count,
        }
        if counted.outcome.paid_with_held() {
            status.paid_with_held += count;
        }
        self.amount.add(times(counted.paid, count));
        self.amount_held.add(times(counted.held, count));
    }
}

fn add_lines(programmes: &mut [ProgrammeDiff], [before, after]: &[Vec<CommonLine>; 2], count: u64) {
    let add = |lines: &mut Lines, kind, amount: Dong| match kind {
        LineKind::Paid => add_tally(&mut lines.paid, Total::new(amount.get().into()), count),
        LineKind::Held => add_tally(&mut lines.held, Total::new(amount.get().into()), count),
        LineKind::Error => lines.error += count,
    };
    for &(place, kind, amount) in before {
        add(&mut programmes[place].before, kind, amount);
    }
    for &(place, kind, amount) in after {
        add(&mut programmes[place].after, kind, amount);
    }
    let paid = |lines: &[CommonLine], place: usize| -> Total {
        let lines = lines
            .iter()
            .filter(|line| line.0 == place && line.1 == LineKind::Paid);
        lines.map(|line| line.2).sum()
    };
    let mut places: Vec<usize> = before.iter().chain(after).map(|line| line.0).collect();
    places.sort_unstable();
    places.dedup();
    for place in places {
        let (was, is) = (paid(before, place), paid(after, place));
        if let Some(gain) = beyond(is, was) {
            add_tally(&mut programmes[place].gained, gain, count);
        } else if let Some(loss) = beyond(was, is) {
            add_tally(&mut programmes[place].lost, loss, count);
        }
    }
}
