//! The rows of a segment as one policy sees them: what runs and comparisons share.

use rustc_hash::FxHashMap;

use super::cells::Cells;
use super::surroundings::Surroundings;
use super::worker::Job;
use crate::format::hot::BIRTH_MONTH_UNKNOWN;
use crate::format::locator::SegmentKey;
use crate::kernel::ReadError;
use crate::kernel::near::Near;
use crate::kernel::scan::{SegmentScan, SpecialRow, birth_month};
use crate::policy::{Bands, Cell, CellState};

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
    known: Known,
    /// Where the known outcomes of each person index with each household index of the segment at hand begin.
    starts: Vec<u32>,
    surroundings: Surroundings<'a>,
    /// By row of the segment at hand, whether an earlier run of the campaign paid it; empty where there is none.
    paid_before: Vec<bool>,
    /// The number of the outcome of whoever was paid by an earlier run of the campaign.
    already: Option<u32>,
    /// The codes of an earlier run, unpacked.
    codes: Vec<u32>,
    /// People in scope of all segments so far, counted by rows and not by outcomes.
    pub(super) people: u64,
    pub(super) one_by_one: u64,
}

/// What is known so far of plain rows: for each place, person and household a list of outcomes, one for each band.
struct Known {
    bands: usize,
    starts: FxHashMap<Plain, u32>,
    outcomes: Vec<u32>,
}

/// Classes of the plain rows that differ only in age: the place at the end of the month and of the month before, the
/// person, the household.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Plain {
    now: u32,
    before: u32,
    person: u32,
    household: u32,
}

const UNSET: u32 = u32::MAX;
/// The outcome of cells that depend on what each person has of their own.
const EACH_OWN: u32 = u32::MAX - 1;
/// So many outcomes of plain rows are numbered by one worker, all bands of age counted.
const OUTCOMES_MAX: usize = EACH_OWN as usize;

impl Known {
    /// Where the outcomes of plain rows begin.
    fn start(&mut self, plain: Plain) -> Result<u32, ReadError> {
        if let Some(&known) = self.starts.get(&plain) {
            return Ok(known);
        }
        let begins = self.outcomes.len();
        let start = u32::try_from(begins)
            .ok()
            .filter(|_| begins + self.bands <= OUTCOMES_MAX);
        let start = start.ok_or(ReadError::TooManyKinds {
            most: OUTCOMES_MAX / self.bands.max(1),
        })?;
        self.outcomes.resize(begins + self.bands, UNSET);
        self.starts.insert(plain, start);
        Ok(start)
    }
}

impl<'a> Sight<'a> {
    pub(super) fn new(job: &'a Job<'a>) -> Result<Self, ReadError> {
        let near = Near::new(job.view, [Some(job.month), job.month.previous()], job.known)?;
        let others = job.ground.others.as_deref();
        let mut cells = Cells::new(job.view, job.policy, job.ground, (job.month, job.known));
        let already = job.earlier.map(|earlier| earlier.outcome().clone());
        Ok(Self {
            job,
            surroundings: Surroundings::new(job.view, job.policy, others, near),
            already: already.map(|outcome| cells.number_of(outcome)),
            cells,
            dictionary: Dictionary::default(),
            positions: Vec::new(),
            known: Known {
                bands: job.ground.bands.count(),
                starts: FxHashMap::default(),
                outcomes: Vec::new(),
            },
            starts: Vec::new(),
            paid_before: Vec::new(),
            codes: Vec::new(),
            people: 0,
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
        let mut persons = Vec::with_capacity(hot.person_codes.len());
        for &code in &hot.person_codes {
            persons.push(self.cells.person_class(code)?);
        }
        let mut households = Vec::with_capacity(hot.household_codes.len());
        for &code in &hot.household_codes {
            households.push(self.cells.household_class(code)?);
        }
        self.starts.clear();
        self.starts.resize(persons.len() * households.len(), UNSET);
        let places = self.places_of(scan);
        let mut row = 0;
        for special in scan.special() {
            self.plain_rows(
                scan,
                (&persons, &households),
                places,
                row..usize::from(special.row),
            )?;
            let position = self.special(special, scan)?;
            self.positions.push(position);
            row = usize::from(special.row) + 1;
        }
        self.plain_rows(scan, (&persons, &households), places, row..hot.rows())
    }

    /// Looks rows up that their columns tell all about.
    fn plain_rows(
        &mut self,
        scan: &SegmentScan<'_>,
        (persons, households): (&[u32], &[u32]),
        (place_now, place_before): (Option<u32>, Option<u32>),
        rows: std::ops::Range<usize>,
    ) -> Result<(), ReadError> {
        let hot = scan.hot();
        let (by_month, by_year) = (
            self.job.ground.bands.by_birth_month(true),
            self.job.ground.bands.by_birth_month(false),
        );
        for row in rows {
            let birth = hot.birth(row);
            let band = if birth & BIRTH_MONTH_UNKNOWN == 0 {
                by_month.get(usize::from(birth))
            } else {
                by_year.get(usize::from(birth & !BIRTH_MONTH_UNKNOWN))
            };
            let in_scope = place_now.zip(band.copied().filter(|&band| band != Bands::UNBORN));
            let Some((place, band)) = in_scope else {
                let position = self.dictionary.absent();
                self.positions.push(position);
                continue;
            };
            self.people += 1;
            if self.paid_before.get(row) == Some(&true) {
                let position = self.already_paid();
                self.positions.push(position);
                continue;
            }
            let (p, h) = (hot.persons.get(row), hot.households.get(row));
            let pair = p * households.len() + h;
            let mut start = self.starts[pair];
            if start == UNSET {
                start = self.known.start(Plain {
                    now: place,
                    before: place_before.unwrap_or(UNSET),
                    person: persons[p],
                    household: households[h],
                })?;
                self.starts[pair] = start;
            }
            let at = start as usize + usize::from(band);
            let mut outcome = self.known.outcomes[at];
            if outcome >= EACH_OWN {
                let now = CellState {
                    place,
                    person: persons[p],
                    household: households[h],
                };
                let before = place_before.map_or(CellState::NONE, |place| CellState { place, ..now });
                let cell = Cell { now, before, band };
                let filled = if outcome == EACH_OWN {
                    None
                } else {
                    self.cells.outcome(cell)
                };
                self.known.outcomes[at] = filled.unwrap_or(EACH_OWN);
                outcome = match filled {
                    Some(outcome) => outcome,
                    None => self.one_by_one(cell, scan, row)?,
                };
            }
            let position = self.dictionary.of(outcome);
            self.positions.push(position);
        }
        Ok(())
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
        let person = self.surroundings.person(scan, row)?;
        self.cells.outcome_of(cell, person, scan, &mut self.surroundings)
    }

    /// The position of whoever was paid by an earlier run of the campaign.
    fn already_paid(&mut self) -> u16 {
        match self.already {
            Some(outcome) => self.dictionary.of(outcome),
            None => self.dictionary.absent(),
        }
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

    fn special(&mut self, special: &SpecialRow, scan: &SegmentScan<'_>) -> Result<u16, ReadError> {
        if !special.in_scope {
            return Ok(self.dictionary.absent());
        }
        self.people += 1;
        if self.special_was_paid(scan, usize::from(special.row))? {
            return Ok(self.already_paid());
        }
        let now = self.cells.state(special.now, true)?;
        let before = self.cells.state(special.before, false)?;
        // Without a state the person was entered and died within one month, or died before anything was known.
        let band = special.now.or(special.before).map_or(Bands::UNBORN, |state| {
            let (month, month_known) = birth_month(state.birth);
            self.job.ground.bands.by_birth_month(month_known)[usize::from(month.index())]
        });
        let cell = Cell { now, before, band };
        let outcome = match self.cells.outcome(cell) {
            Some(outcome) => outcome,
            None => self.one_by_one(cell, scan, usize::from(special.row))?,
        };
        Ok(self.dictionary.of(outcome))
    }
}
