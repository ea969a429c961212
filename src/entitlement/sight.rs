//! The rows of a segment as one policy sees them: what runs and comparisons share.

use rustc_hash::FxHashMap;

use super::cells::Cells;
use super::worker::Job;
use crate::format::hot::Indexes;
use crate::format::locator::SegmentKey;
use crate::kernel::ReadError;
use crate::kernel::near::Near;
use crate::kernel::scan::{SegmentScan, SpecialRow, birth_month};
use crate::policy::{Bands, Cell, CellState};
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
    fn begin(&mut self) {
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

/// One policy's sight of a segment: after [`Sight::take`] every row has the position of its outcome.
pub(super) struct Sight<'a> {
    job: &'a Job<'a>,
    pub(super) cells: Cells<'a>,
    pub(super) dictionary: Dictionary,
    /// The position of each row of the segment at hand.
    pub(super) positions: Vec<u16>,
    /// The outcome of each row of the segment at hand, or `ABSENT`.
    outcomes: Vec<u32>,
    known: Known,
    /// The classes of the persons and the households of the segment at hand, by index.
    persons: Vec<u32>,
    households: Vec<u32>,
    /// Of each row of the segment at hand, person index and household index as one number.
    pairs: Vec<u32>,
    /// Where the known outcomes of each person index with each household index of the segment at hand begin.
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

/// The classes of what a segment's columns hold.
#[derive(Clone, Copy)]
struct Classes<'c> {
    /// By person index.
    persons: &'c [u32],
    /// By household index.
    households: &'c [u32],
    /// The place, if plain rows are in scope; and the place before, if they were there.
    now: Option<u32>,
    before: Option<u32>,
    /// The number of both.
    places: u32,
}

/// What is known so far of plain rows: for each place, person and household a list of outcomes, one for each band.
struct Known {
    bands: usize,
    places: FxHashMap<(Option<u32>, Option<u32>), u32>,
    starts: FxHashMap<Plain, u32>,
    outcomes: Vec<u32>,
}

/// Classes of the plain rows that differ only in age: the places at both ends, the person, the household.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Plain {
    places: u32,
    person: u32,
    household: u32,
}

const UNSET: u32 = u32::MAX;
/// The outcome of cells that depend on what each person has of their own.
const EACH_OWN: u32 = u32::MAX - 1;
/// The outcome of rows that are not in scope.
const ABSENT: u32 = u32::MAX - 2;
/// Where the outcomes begin of what was not met before: none of them is known.
const UNKNOWN_START: u32 = 0;
/// So many outcomes of plain rows are numbered by one worker, all bands of age counted.
const OUTCOMES_MAX: usize = ABSENT as usize;

impl Known {
    fn new(bands: usize) -> Result<Self, ReadError> {
        let mut known = Self {
            bands,
            places: FxHashMap::default(),
            starts: FxHashMap::default(),
            outcomes: Vec::new(),
        };
        known.push()?;
        Ok(known)
    }

    /// A list of outcomes none of which is known.
    fn push(&mut self) -> Result<u32, ReadError> {
        let begins = self.outcomes.len();
        let start = u32::try_from(begins)
            .ok()
            .filter(|_| begins + self.bands <= OUTCOMES_MAX);
        let start = start.ok_or(ReadError::TooManyKinds {
            most: OUTCOMES_MAX / self.bands.max(1),
        })?;
        self.outcomes.resize(begins + self.bands, UNSET);
        self.outcomes[begins + usize::from(Bands::UNBORN)] = ABSENT;
        Ok(start)
    }

    /// Where the outcomes begin of plain rows with these person and household indexes.
    fn start(&mut self, classes: Classes<'_>, pair: usize) -> Result<u32, ReadError> {
        let width = classes.households.len();
        let plain = Plain {
            places: classes.places,
            person: classes.persons[pair / width],
            household: classes.households[pair % width],
        };
        if let Some(&start) = self.starts.get(&plain) {
            return Ok(start);
        }
        let start = self.push()?;
        self.starts.insert(plain, start);
        Ok(start)
    }

    /// The number of two places, those at the end of the month and of the month before.
    fn places(&mut self, now: Option<u32>, before: Option<u32>) -> u32 {
        let next = self.places.len() as u32;
        *self.places.entry((now, before)).or_insert(next)
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
            known: Known::new(job.ground.bands.count())?,
            persons: Vec::new(),
            households: Vec::new(),
            pairs: Vec::new(),
            starts: Vec::new(),
            paid_before: Vec::new(),
            codes: Vec::new(),
            one_by_one: 0,
        })
    }

    /// Looks every row of a segment up.
    pub(super) fn take(&mut self, scan: &SegmentScan<'_>, segment: SegmentKey) -> Result<(), ReadError> {
        self.dictionary.begin();
        self.positions.clear();
        let hot = scan.hot();
        if let Some(earlier) = self.job.earlier {
            let (view, rows) = (self.job.view, hot.rows());
            earlier.mark(view, segment, rows, &mut self.paid_before, &mut self.codes)?;
        }
        let (mut persons, mut households) = (
            std::mem::take(&mut self.persons),
            std::mem::take(&mut self.households),
        );
        self.cells.person_classes(&hot.person_codes, &mut persons)?;
        self.cells
            .household_classes(&hot.household_codes, &mut households)?;
        self.starts.clear();
        self.starts
            .resize(persons.len() * households.len(), UNKNOWN_START);
        let (now, before) = self.places_of(scan);
        let classes = Classes {
            persons: &persons,
            households: &households,
            now,
            before,
            places: self.known.places(now, before),
        };
        if now.is_some() {
            self.look_up(scan, classes)?;
        } else {
            self.outcomes.clear();
            self.outcomes.resize(hot.rows(), ABSENT);
        }
        for special in scan.special() {
            let outcome = self.special(special, scan, classes)?;
            self.outcomes[usize::from(special.row)] = outcome;
        }
        if self.job.earlier.is_some() {
            self.leave_out_paid();
        }
        for row in 0..self.outcomes.len() {
            if self.outcomes[row] >= EACH_OWN {
                self.outcomes[row] = self.settle(scan, classes, row)?;
            }
        }
        (self.persons, self.households) = (persons, households);
        self.place_all();
        Ok(())
    }

    /// Gives every row the position of its outcome. Neighbours mostly have the same.
    fn place_all(&mut self) {
        let dictionary = &mut self.dictionary;
        let (mut last, mut position) = (UNSET, 0);
        let positions = self.outcomes.iter().map(|&outcome| {
            if outcome != last {
                last = outcome;
                position = match outcome {
                    ABSENT => dictionary.absent(),
                    outcome => dictionary.of(outcome),
                };
            }
            position
        });
        self.positions.clear();
        self.positions.extend(positions);
    }

    /// Looks every row up as if its columns told all about it.
    fn look_up(&mut self, scan: &SegmentScan<'_>, classes: Classes<'_>) -> Result<(), ReadError> {
        let hot = scan.hot();
        self.pairs.clear();
        let width = classes.households.len();
        // A loop for each width of the columns: the rows are where the time goes.
        match (hot.persons, hot.households) {
            (Indexes::Narrow(persons), Indexes::Narrow(households)) => {
                self.pairs
                    .extend(pairs(narrow(persons), narrow(households), width));
            }
            (Indexes::Wide(persons), Indexes::Narrow(households)) => {
                self.pairs.extend(pairs(wide(persons), narrow(households), width));
            }
            (Indexes::Narrow(persons), Indexes::Wide(households)) => {
                self.pairs.extend(pairs(narrow(persons), wide(households), width));
            }
            (Indexes::Wide(persons), Indexes::Wide(households)) => {
                self.pairs.extend(pairs(wide(persons), wide(households), width));
            }
        }
        for &pair in &self.pairs {
            if self.starts[pair as usize] == UNKNOWN_START {
                self.starts[pair as usize] = self.known.start(classes, pair as usize)?;
            }
        }
        let band_of_birth = &self.job.ground.band_of_birth;
        let (starts, known) = (self.starts.as_slice(), self.known.outcomes.as_slice());
        let births = hot.births().as_chunks::<2>().0;
        let outcomes = births.iter().zip(&self.pairs).map(|(birth, &pair)| {
            let band = band_of_birth[usize::from(u16::from_le_bytes(*birth))];
            known[starts[pair as usize] as usize + usize::from(band)]
        });
        self.outcomes.clear();
        self.outcomes.extend(outcomes);
        Ok(())
    }

    /// Gives those whom an earlier run of the campaign paid what such people are given, whatever else they would have.
    fn leave_out_paid(&mut self) {
        let already = self.already.unwrap_or(ABSENT);
        for (outcome, &paid) in self.outcomes.iter_mut().zip(&self.paid_before) {
            if paid && *outcome != ABSENT {
                *outcome = already;
            }
        }
    }

    /// The outcome of a plain row in scope of which it is not known yet, or depends on what the person has of their own.
    #[cold]
    #[inline(never)]
    fn settle(&mut self, scan: &SegmentScan<'_>, classes: Classes<'_>, row: usize) -> Result<u32, ReadError> {
        let hot = scan.hot();
        let (person, household) = (hot.persons.get(row), hot.households.get(row));
        let band = self.job.ground.band_of_birth[usize::from(hot.birth(row))];
        let now = CellState {
            place: classes.now.unwrap_or(UNSET),
            person: classes.persons[person],
            household: classes.households[household],
        };
        let pair = person * classes.households.len() + household;
        let at = self.starts[pair] as usize + usize::from(band);
        let known = self.known.outcomes[at];
        if known < EACH_OWN {
            return Ok(known);
        }
        let before = classes
            .before
            .map_or(CellState::NONE, |place| CellState { place, ..now });
        let cell = Cell {
            now,
            before,
            band,
            dies: false,
        };
        if known == UNSET
            && let Some(outcome) = self.cells.outcome(cell)
        {
            self.known.outcomes[at] = outcome;
            return Ok(outcome);
        }
        self.known.outcomes[at] = EACH_OWN;
        self.one_by_one(cell, scan, row)
    }

    /// The classes of the segment's place for plain rows, at the end of the month and of the month before.
    fn places_of(&self, scan: &SegmentScan<'_>) -> (Option<u32>, Option<u32>) {
        let places = &self.job.ground.places;
        let now = scan.unit().and_then(|unit| places.now(unit));
        let before = scan.unit_before().and_then(|unit| places.before(unit));
        let class = |class| self.cells.place_class(class);
        (
            now.filter(|_| scan.plain_in_scope()).map(class),
            before.filter(|_| scan.plain_had_before()).map(class),
        )
    }

    /// The outcome of the person of a row, which depends on what the person has of their own.
    fn one_by_one(&mut self, cell: Cell, scan: &SegmentScan<'_>, row: usize) -> Result<u32, ReadError> {
        self.one_by_one += 1;
        self.cells.outcome_of(cell, (scan, row), &mut self.surroundings)
    }

    /// Whether an earlier run of the campaign paid the person of a row that is not plain: such a person may have lived
    /// in another unit then, and so have the line in another segment.
    fn special_was_paid(&mut self, scan: &SegmentScan<'_>, row: usize) -> Result<bool, ReadError> {
        let Some(earlier) = self.job.earlier else {
            return Ok(false);
        };
        if self.paid_before.get(row) == Some(&true) {
            return Ok(true);
        }
        let person = self.surroundings.person(scan, row)?;
        earlier.paid_elsewhere(self.job.view, person, scan.key())
    }

    /// Where the outcome is kept of a row that is not plain only because of what changes in other months.
    fn steady(
        &mut self,
        special: &SpecialRow,
        scan: &SegmentScan<'_>,
        classes: Classes<'_>,
    ) -> Result<Option<usize>, ReadError> {
        let there = classes.now.and(classes.before).and(special.steady);
        let Some((person, household)) = there else {
            return Ok(None);
        };
        let (person, household) = (usize::from(person), usize::from(household));
        let pair = person * classes.households.len() + household;
        if self.starts[pair] == UNKNOWN_START {
            self.starts[pair] = self.known.start(classes, pair)?;
        }
        let birth = scan.hot().birth(usize::from(special.row));
        let band = self.job.ground.band_of_birth[usize::from(birth)];
        Ok((band != Bands::UNBORN).then_some(self.starts[pair] as usize + usize::from(band)))
    }

    /// The outcome of a row that is not plain.
    fn special(
        &mut self,
        special: &SpecialRow,
        scan: &SegmentScan<'_>,
        classes: Classes<'_>,
    ) -> Result<u32, ReadError> {
        if !special.in_scope {
            return Ok(ABSENT);
        }
        if self.special_was_paid(scan, usize::from(special.row))? {
            return Ok(self.already.unwrap_or(ABSENT));
        }
        let steady = self.steady(special, scan, classes)?;
        if let Some(at) = steady
            && self.known.outcomes[at] < EACH_OWN
        {
            return Ok(self.known.outcomes[at]);
        }
        let now = self.cells.state(special.now, true)?;
        let before = self.cells.state(special.before, false)?;
        // Without a state the person died before anything was known.
        let band = special.now.or(special.before).map_or(Bands::UNBORN, |state| {
            let (month, month_known) = birth_month(state.birth);
            self.job.ground.bands.by_birth_month(month_known)[usize::from(month.index())]
        });
        let cell = Cell {
            now,
            before,
            band,
            dies: special.dies,
        };
        let filled = self.cells.outcome(cell);
        if let (Some(at), Some(outcome)) = (steady, filled) {
            self.known.outcomes[at] = outcome;
        }
        let outcome = match filled {
            Some(outcome) => outcome,
            None => self.one_by_one(cell, scan, usize::from(special.row))?,
        };
        Ok(outcome)
    }
}

/// The indexes of a column of one byte each.
fn narrow(bytes: &[u8]) -> impl Iterator<Item = usize> {
    bytes.iter().map(|&byte| usize::from(byte))
}

/// The indexes of a column of two bytes each.
fn wide(bytes: &[u8]) -> impl Iterator<Item = usize> {
    bytes
        .chunks_exact(2)
        .map(|index| usize::from(u16::from_le_bytes([index[0], index[1]])))
}

/// Person index and household index as one number.
fn pairs(
    persons: impl Iterator<Item = usize>,
    households: impl Iterator<Item = usize>,
    width: usize,
) -> impl Iterator<Item = u32> {
    persons
        .zip(households)
        .map(move |(person, household)| (person * width + household) as u32)
}
