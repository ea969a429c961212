//! The rows of a segment as one policy sees them: what runs and comparisons share.

use rustc_hash::FxHashMap;

use super::cells::Cells;
use super::worker::Job;
use crate::format::hot::Indexes;
use crate::format::locator::SegmentKey;
use crate::kernel::ReadError;
use crate::kernel::near::Near;
use crate::kernel::scan::{Life, RowStates, SegmentScan, Stay, birth_month};
use crate::policy::{Asked, Bands, Cell, CellState, Filled};
use crate::query::surroundings::Surroundings;

/// The outcomes of a segment by position, in the order in which rows first have them.
#[derive(Default)]
pub(super) struct Dictionary {
    /// By outcome: the round in which it last got a position, and the position.
    positions: Vec<(u32, u16)>,
    round: u32,
    outcomes: Vec<Option<u32>>,
    absent: Option<u16>,
}

impl Dictionary {
    /// Forgets the positions of the segment before.
    pub(super) fn begin(&mut self) {
        self.round += 1;
        self.outcomes.clear();
        self.absent = None;
    }

    fn push(&mut self, outcome: Option<u32>) -> u16 {
        self.outcomes.push(outcome);
        self.outcomes.len() as u16 - 1
    }

    /// The position of an outcome.
    #[inline]
    fn of(&mut self, outcome: u32) -> u16 {
        let place = outcome as usize;
        if place >= self.positions.len() {
            self.positions.resize(place + 1, (0, 0));
        }
        if self.positions[place].0 != self.round {
            let position = self.push(Some(outcome));
            self.positions[place] = (self.round, position);
        }
        self.positions[place].1
    }

    /// The position of an outcome, or of rows that are not in scope.
    #[inline]
    pub(super) fn position(&mut self, outcome: u32) -> u16 {
        if outcome == ABSENT {
            self.absent()
        } else {
            self.of(outcome)
        }
    }

    /// The position of rows that are not in scope.
    fn absent(&mut self) -> u16 {
        if let Some(position) = self.absent {
            return position;
        }
        let position = self.push(None);
        self.absent = Some(position);
        position
    }

    /// The outcomes by position; `None` for rows not in scope.
    pub(super) fn outcomes(&self) -> &[Option<u32>] {
        &self.outcomes
    }
}

/// One policy's sight of a segment: after [`Sight::take`] every row has its outcome.
pub(super) struct Sight<'a> {
    job: &'a Job<'a>,
    pub(super) cells: Cells<'a>,
    pub(super) dictionary: Dictionary,
    /// The position of each row of the segment at hand, once [`Sight::place_all`] gave them.
    pub(super) positions: Vec<u16>,
    /// The outcome of each row of the segment at hand, or `ABSENT`.
    pub(super) outcomes: Vec<u32>,
    known: Known,
    /// The classes of the persons and the households of the segment at hand, by index.
    persons: Vec<u32>,
    households: Vec<u32>,
    /// By life of the segment at hand, where its known outcomes begin.
    starts: Vec<u32>,
    surroundings: Surroundings<'a>,
    /// By row of the segment at hand, whether an earlier run of the campaign paid it; empty where there is none.
    paid_before: Vec<bool>,
    /// The number of the outcome of whoever was paid by an earlier run of the campaign.
    already: Option<u32>,
    /// The codes of an earlier run, unpacked.
    codes: Vec<u32>,
    pub(super) one_by_one: u64,
}

/// What is known so far of the outcomes of lives: for each that differs to the policy a list of outcomes, one for each
/// band.
struct Known {
    bands: usize,
    /// The number of each two places that occurred, those at the end of the month and of the month before.
    places: FxHashMap<Places, u32>,
    /// The two that were asked for last, which are mostly those that are asked for next.
    last_places: Option<(Places, usize)>,
    /// Where the outcomes begin of those whose states at both ends are alike: by the number of places, the class of
    /// the person, and that of the household; `NEW` where none are known.
    steady: Vec<Vec<Vec<u32>>>,
    /// Where they begin of others.
    changed: FxHashMap<Ends, u32>,
    /// The states of each list of outcomes, in their order.
    ends: Vec<Ends>,
    outcomes: Vec<u32>,
}

/// The classes of two places, those at the end of the month and of the month before.
type Places = (Option<u32>, Option<u32>);

/// The states of a person at the end of the month and of the month before, and whether the person died in the month.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Ends {
    now: CellState,
    before: CellState,
    dies: bool,
}

/// Set in the numbers that stand for no outcome that is known: of cells that depend on what each person has of their own,
/// the rest tells what decides.
const OPEN: u32 = 1 << 31;
const UNSET: u32 = u32::MAX;
/// The outcome of rows that are not in scope.
pub(super) const ABSENT: u32 = OPEN - 1;
/// Where the outcomes begin of lives that are not in scope: all of them are `ABSENT`.
const ABSENT_START: u32 = 0;
/// Where no outcomes are known.
const NEW: u32 = u32::MAX;
/// So many outcomes of lives are numbered by one worker, all bands of age counted.
const OUTCOMES_MAX: usize = NEW as usize;

impl Known {
    fn new(bands: usize) -> Self {
        let nobody = Ends {
            now: CellState::NONE,
            before: CellState::NONE,
            dies: false,
        };
        Self {
            bands,
            places: FxHashMap::default(),
            last_places: None,
            steady: Vec::new(),
            changed: FxHashMap::default(),
            ends: vec![nobody],
            outcomes: vec![ABSENT; bands],
        }
    }

    /// A list of outcomes none of which is known.
    fn push(&mut self, ends: Ends) -> Result<u32, ReadError> {
        let begins = self.outcomes.len();
        let start = u32::try_from(begins)
            .ok()
            .filter(|_| begins + self.bands <= OUTCOMES_MAX);
        let start = start.ok_or(ReadError::TooManyKinds {
            most: OUTCOMES_MAX / self.bands.max(1),
        })?;
        self.outcomes.resize(begins + self.bands, UNSET);
        self.outcomes[begins + usize::from(Bands::UNBORN)] = ABSENT;
        self.ends.push(ends);
        Ok(start)
    }

    /// The number of two places, those at the end of the month and of the month before.
    #[inline]
    fn places(&mut self, now: Option<u32>, before: Option<u32>) -> usize {
        match self.last_places {
            Some((last, number)) if last == (now, before) => number,
            _ => self.other_places(now, before),
        }
    }

    #[cold]
    fn other_places(&mut self, now: Option<u32>, before: Option<u32>) -> usize {
        let next = self.places.len() as u32;
        let number = *self.places.entry((now, before)).or_insert(next) as usize;
        if number == self.steady.len() {
            self.steady.push(Vec::new());
        }
        self.last_places = Some(((now, before), number));
        number
    }

    /// Where the outcomes begin of a person and a household of these classes, in the places of this number.
    #[inline]
    fn steady(
        &mut self,
        (places, now, before): (usize, u32, Option<u32>),
        person: u32,
        household: u32,
    ) -> Result<u32, ReadError> {
        let of_places = &self.steady[places];
        let known = of_places
            .get(person as usize)
            .and_then(|of_person| of_person.get(household as usize));
        match known {
            Some(&start) if start != NEW => Ok(start),
            _ => self.new_steady((places, now, before), person, household),
        }
    }

    #[cold]
    fn new_steady(
        &mut self,
        (places, now, before): (usize, u32, Option<u32>),
        person: u32,
        household: u32,
    ) -> Result<u32, ReadError> {
        let state = |place| CellState {
            place,
            person,
            household,
        };
        let start = self.push(Ends {
            now: state(now),
            before: before.map_or(CellState::NONE, state),
            dies: false,
        })?;
        let of_places = &mut self.steady[places];
        let (person, household) = (person as usize, household as usize);
        if of_places.len() <= person {
            of_places.resize(person + 1, Vec::new());
        }
        let of_person = &mut of_places[person];
        if of_person.len() <= household {
            of_person.resize(household + 1, NEW);
        }
        of_person[household] = start;
        Ok(start)
    }

    /// Where the outcomes begin of any ends.
    fn changed(&mut self, ends: Ends) -> Result<u32, ReadError> {
        if let Some(&start) = self.changed.get(&ends) {
            return Ok(start);
        }
        let start = self.push(ends)?;
        self.changed.insert(ends, start);
        Ok(start)
    }

    /// The states of the list of outcomes that begins here.
    fn ends_at(&self, start: u32) -> Ends {
        self.ends[start as usize / self.bands]
    }
}

impl<'a> Sight<'a> {
    pub(super) fn new(job: &'a Job<'a>) -> Result<Self, ReadError> {
        let near = Near::new(job.view, [Some(job.month), job.month.previous()], job.known)?;
        let reads = job.policy.reads().others.as_deref();
        let others = reads.zip(job.ground.others.as_deref());
        let mut cells = Cells::new(job.view, job.policy, job.ground, (job.month, job.known));
        let already = job.earlier.map(|earlier| earlier.outcome().clone());
        Ok(Self {
            job,
            surroundings: Surroundings::new(job.view, job.policy, others, near),
            already: already.map(|outcome| cells.number_of(outcome)),
            cells,
            dictionary: Dictionary::default(),
            positions: Vec::new(),
            outcomes: Vec::new(),
            known: Known::new(job.ground.bands.count()),
            persons: Vec::new(),
            households: Vec::new(),
            starts: Vec::new(),
            paid_before: Vec::new(),
            codes: Vec::new(),
            one_by_one: 0,
        })
    }

    /// Looks every row of a segment up.
    pub(super) fn take(&mut self, scan: &SegmentScan<'_>, segment: SegmentKey) -> Result<(), ReadError> {
        let hot = scan.hot();
        if let Some(earlier) = self.job.earlier {
            let (view, rows) = (self.job.view, hot.rows());
            earlier.mark(view, segment, rows, &mut self.paid_before, &mut self.codes)?;
        }
        self.find_starts(scan)?;
        let mut open = self.look_up(scan);
        for special in scan.special() {
            let row = usize::from(special.row);
            self.outcomes[row] = self.special(row, special.states, scan)?;
            open |= self.outcomes[row];
        }
        if self.job.earlier.is_some() {
            self.leave_out_paid(scan)?;
        }
        if open & OPEN != 0 {
            for row in 0..self.outcomes.len() {
                if self.outcomes[row] & OPEN != 0 {
                    self.outcomes[row] = self.settle(scan, row)?;
                }
            }
        }
        Ok(())
    }

    /// Gives every row the position of its outcome.
    pub(super) fn place_all(&mut self) {
        let outcomes = std::mem::take(&mut self.outcomes);
        self.place(&outcomes);
        self.outcomes = outcomes;
    }

    /// The outcome that most rows have; of several the one that a row has first.
    pub(super) fn most_frequent(&mut self, outcomes: &[u32], counts: &mut Vec<u32>) -> u32 {
        self.place(outcomes);
        counts.clear();
        counts.resize(self.dictionary.outcomes().len(), 0);
        for &position in &self.positions {
            counts[usize::from(position)] += 1;
        }
        let most = counts.iter().zip(self.dictionary.outcomes()).rev();
        let most = most.max_by_key(|(count, _)| **count);
        most.and_then(|(_, outcome)| *outcome).unwrap_or(ABSENT)
    }

    fn place(&mut self, outcomes: &[u32]) {
        self.dictionary.begin();
        let dictionary = &mut self.dictionary;
        // Neighbours mostly have the same.
        let (mut last, mut position) = (UNSET, 0);
        let positions = outcomes.iter().map(|&outcome| {
            if outcome != last {
                last = outcome;
                position = dictionary.position(outcome);
            }
            position
        });
        self.positions.clear();
        self.positions.extend(positions);
    }

    /// Finds where the outcomes of each life begin.
    fn find_starts(&mut self, scan: &SegmentScan<'_>) -> Result<(), ReadError> {
        let hot = scan.hot();
        self.cells.person_classes(&hot.person_codes, &mut self.persons)?;
        self.cells
            .household_classes(&hot.household_codes, &mut self.households)?;
        self.starts.clear();
        // All pairs are in the same places.
        let life = scan.life_of_pair(0);
        match life.now.filter(|_| life.in_scope) {
            Some(now) => {
                let (now, before) = (self.class_of(now, true)?, life.before);
                let before = before.map(|before| self.class_of(before, false)).transpose()?;
                let places = (self.known.places(Some(now), before), now, before);
                for pair in &hot.pairs {
                    let person = self.persons[usize::from(pair.person)];
                    let household = self.households[usize::from(pair.household)];
                    self.starts.push(self.known.steady(places, person, household)?);
                }
            }
            None => self.starts.resize(hot.pairs.len(), ABSENT_START),
        }
        for life in scan.courses() {
            // Most changes are of another month: what was shown at the end of both is then a pair like any other.
            let as_pair = life.now.filter(|now| *life == scan.life_of_pair(now.pair));
            let start = match as_pair {
                Some(now) => self.starts[usize::from(now.pair)],
                None => self.start_of(scan, life)?,
            };
            self.starts.push(start);
        }
        Ok(())
    }

    fn class_of(&self, stay: Stay, now: bool) -> Result<u32, ReadError> {
        let places = &self.job.ground.places;
        let class = if now {
            places.now(stay.unit)
        } else {
            places.before(stay.unit)
        };
        let class = class.ok_or_else(|| ReadError::Inconsistent(format!("{} is not stored", stay.unit)))?;
        Ok(self.cells.place_class(class))
    }

    /// Where the outcomes of a course begin.
    fn start_of(&mut self, scan: &SegmentScan<'_>, life: &Life) -> Result<u32, ReadError> {
        let (true, Some(now)) = (life.in_scope, life.now) else {
            return Ok(ABSENT_START);
        };
        let classes = |stay: Stay| {
            let pair = scan.hot().pairs[usize::from(stay.pair)];
            (
                self.persons[usize::from(pair.person)],
                self.households[usize::from(pair.household)],
            )
        };
        let (of_now, of_before) = (classes(now), life.before.map(classes));
        let place = self.class_of(now, true)?;
        let before = life
            .before
            .map(|before| self.class_of(before, false))
            .transpose()?;
        if !life.dies && of_before.is_none_or(|of_before| of_before == of_now) {
            let places = (self.known.places(Some(place), before), place, before);
            return self.known.steady(places, of_now.0, of_now.1);
        }
        let state = |place, (person, household)| CellState {
            place,
            person,
            household,
        };
        self.known.changed(Ends {
            now: state(place, of_now),
            before: before
                .zip(of_before)
                .map_or(CellState::NONE, |(place, classes)| state(place, classes)),
            dies: life.dies,
        })
    }

    /// Looks every row up by its life and its birth; answers whether there are such that are not known, by `OPEN`.
    fn look_up(&mut self, scan: &SegmentScan<'_>) -> u32 {
        let hot = scan.hot();
        let births = hot.births().as_chunks::<2>().0;
        let band_of_birth = &self.job.ground.band_of_birth;
        let known = self.known.outcomes.as_slice();
        let outcome = |start: u32, birth: [u8; 2]| {
            let band = band_of_birth[usize::from(u16::from_le_bytes(birth))];
            known[start as usize + usize::from(band)]
        };
        // One length for all columns, so that the loops check it once.
        let rows = births.len();
        self.outcomes.resize(rows, ABSENT);
        let outcomes = &mut self.outcomes[..rows];
        let mut open = 0;
        // A loop for each width of the lives: the rows are where the time goes.
        match hot.lives {
            Indexes::Narrow(lives) => {
                // As many places as a byte has values, so that none needs to be checked.
                let mut starts = [ABSENT_START; 256];
                for (place, &start) in starts.iter_mut().zip(&self.starts) {
                    *place = start;
                }
                let lives = &lives[..rows];
                for row in 0..rows {
                    let outcome = outcome(starts[usize::from(lives[row])], births[row]);
                    outcomes[row] = outcome;
                    open |= outcome;
                }
            }
            Indexes::Wide(lives) => {
                let starts = self.starts.as_slice();
                let lives = &lives.as_chunks::<2>().0[..rows];
                for row in 0..rows {
                    let life = usize::from(u16::from_le_bytes(lives[row]));
                    let outcome = outcome(starts[life], births[row]);
                    outcomes[row] = outcome;
                    open |= outcome;
                }
            }
        }
        open
    }

    /// Gives those whom an earlier run of the campaign paid what such people are given, whatever else they would have.
    fn leave_out_paid(&mut self, scan: &SegmentScan<'_>) -> Result<(), ReadError> {
        let already = self.already.unwrap_or(ABSENT);
        for row in 0..self.outcomes.len() {
            if self.outcomes[row] != ABSENT && self.was_paid(scan, row)? {
                self.outcomes[row] = already;
            }
        }
        Ok(())
    }

    /// The outcome of a row in scope of which it is not known yet, or depends on what the person has of their own.
    #[cold]
    #[inline(never)]
    fn settle(&mut self, scan: &SegmentScan<'_>, row: usize) -> Result<u32, ReadError> {
        let hot = scan.hot();
        let band = self.job.ground.band_of_birth[usize::from(hot.birth(row))];
        let start = self.starts[hot.lives.get(row)];
        let at = start as usize + usize::from(band);
        let known = self.known.outcomes[at];
        if known & OPEN == 0 {
            return Ok(known);
        }
        let Ends { now, before, dies } = self.known.ends_at(start);
        let cell = Cell {
            now,
            before,
            band,
            dies,
        };
        let asked = if known == UNSET {
            match self.cells.work_out(cell) {
                Filled::Outcome(outcome) => {
                    self.known.outcomes[at] = outcome;
                    return Ok(outcome);
                }
                Filled::EachOwn(asked) => {
                    self.known.outcomes[at] = OPEN | asked.number();
                    asked
                }
            }
        } else {
            Asked::of_number(known & !OPEN)
        };
        self.one_by_one((cell, asked), scan, row)
    }

    /// The outcome of the person of a row, which depends on what the person has of their own.
    fn one_by_one(
        &mut self,
        cell: (Cell, Asked),
        scan: &SegmentScan<'_>,
        row: usize,
    ) -> Result<u32, ReadError> {
        self.one_by_one += 1;
        self.cells.outcome_of(cell, (scan, row), &mut self.surroundings)
    }

    /// Whether an earlier run of the campaign paid the person of a row. Whoever has a course may have lived in another
    /// unit then, and so have the line in another segment.
    fn was_paid(&mut self, scan: &SegmentScan<'_>, row: usize) -> Result<bool, ReadError> {
        let Some(earlier) = self.job.earlier else {
            return Ok(false);
        };
        if self.paid_before.get(row) == Some(&true) {
            return Ok(true);
        }
        if scan.hot().course_of(row).is_none() {
            return Ok(false);
        }
        let person = self.surroundings.person(scan, row)?;
        earlier.paid_elsewhere(self.job.view, person, scan.key())
    }

    /// The outcome of a row that is told by the facts.
    fn special(&mut self, row: usize, states: RowStates, scan: &SegmentScan<'_>) -> Result<u32, ReadError> {
        if !states.in_scope {
            return Ok(ABSENT);
        }
        if self.was_paid(scan, row)? {
            return Ok(self.already.unwrap_or(ABSENT));
        }
        let now = self.cells.state(states.now, true)?;
        let before = self.cells.state(states.before, false)?;
        // Without a state the person died before anything was known.
        let band = states.now.or(states.before).map_or(Bands::UNBORN, |state| {
            let (month, month_known) = birth_month(state.birth);
            self.job.ground.bands.by_birth_month(month_known)[usize::from(month.index())]
        });
        let cell = Cell {
            now,
            before,
            band,
            dies: states.dies,
        };
        match self.cells.fill(cell) {
            Filled::Outcome(outcome) => Ok(outcome),
            Filled::EachOwn(asked) => self.one_by_one((cell, asked), scan, row),
        }
    }
}
