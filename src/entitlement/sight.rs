//! The rows of a segment as one policy sees them: what runs and comparisons share.

use super::cells::Cells;
use super::worker::Job;
use crate::format::hot::BIRTH_MONTH_UNKNOWN;
use crate::format::locator::SegmentKey;
use crate::kernel::ReadError;
use crate::kernel::scan::{SegmentScan, SpecialRow, birth_month};
use crate::policy::{Bands, Cell, CellState};
use crate::types::PersonNumber;

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
    /// Positions by person index, household index and band of the segment at hand; `UNSET` where not looked up yet.
    table: Vec<u16>,
    /// The persons of the segment at hand, once somebody asked.
    persons: Option<Vec<PersonNumber>>,
    /// People in scope of all segments so far, counted by rows and not by outcomes.
    pub(super) people: u64,
    pub(super) one_by_one: u64,
}

const UNSET: u16 = u16::MAX;
/// The position of cells that depend on what each person has of their own.
const EACH_OWN: u16 = u16::MAX - 1;
/// The most cells of a segment's own table. A segment has up to a thousand rows and, where they have changed often,
/// many times as many profiles; beyond this the cells are looked up one by one.
const TABLE_CELLS_MAX: usize = 1 << 20;

impl<'a> Sight<'a> {
    pub(super) fn new(job: &'a Job<'a>) -> Self {
        Self {
            job,
            cells: Cells::new(
                job.view,
                job.policy,
                job.bands,
                job.places,
                (job.month, job.known),
            ),
            dictionary: Dictionary::default(),
            positions: Vec::new(),
            table: Vec::new(),
            persons: None,
            people: 0,
            one_by_one: 0,
        }
    }

    /// Looks every row of a segment up.
    pub(super) fn take(&mut self, scan: &SegmentScan<'_>, segment: SegmentKey) -> Result<(), ReadError> {
        self.dictionary.begin();
        self.positions.clear();
        self.persons = None;
        let hot = scan.hot();
        let (household_count, bands) = (hot.household_codes.len(), self.job.bands.count());
        let mut persons = Vec::with_capacity(hot.person_codes.len());
        for &code in &hot.person_codes {
            persons.push(self.cells.person_class(code)?);
        }
        let mut households = Vec::with_capacity(household_count);
        for &code in &hot.household_codes {
            households.push(self.cells.household_class(code)?);
        }
        let cells = persons.len() * household_count * bands;
        let is_dense = cells <= TABLE_CELLS_MAX;
        self.table.clear();
        self.table.resize(if is_dense { cells } else { 0 }, UNSET);
        let (place_now, place_before) = self.places_of(scan);
        let (known, year_only) = (
            self.job.bands.by_birth_month(true),
            self.job.bands.by_birth_month(false),
        );
        let mut special = scan.special().iter().peekable();
        for row in 0..hot.rows() {
            if let Some(special) = special.next_if(|special| usize::from(special.row) == row) {
                let position = self.special(special, segment)?;
                self.positions.push(position);
                continue;
            }
            let birth = hot.birth(row);
            let band = if birth & BIRTH_MONTH_UNKNOWN == 0 {
                known.get(usize::from(birth))
            } else {
                year_only.get(usize::from(birth & !BIRTH_MONTH_UNKNOWN))
            };
            let in_scope = place_now.zip(band.copied().filter(|&band| band != Bands::UNBORN));
            let Some((place, band)) = in_scope else {
                let position = self.dictionary.absent();
                self.positions.push(position);
                continue;
            };
            let (p, h) = (hot.persons.get(row), hot.households.get(row));
            let at = (p * household_count + h) * bands + usize::from(band);
            let mut position = self.table.get(at).copied().unwrap_or(UNSET);
            if position == UNSET || position == EACH_OWN {
                let now = CellState {
                    place,
                    person: persons[p],
                    household: households[h],
                };
                let before = place_before.map_or(CellState::NONE, |place| CellState { place, ..now });
                let cell = Cell { now, before, band };
                let outcome = if position == EACH_OWN {
                    None
                } else {
                    self.cells.outcome(cell)
                };
                position = if let Some(outcome) = outcome {
                    let position = self.dictionary.of(outcome);
                    if is_dense {
                        self.table[at] = position;
                    }
                    position
                } else {
                    if is_dense {
                        self.table[at] = EACH_OWN;
                    }
                    self.one_by_one(cell, segment, row)?
                };
            }
            self.people += 1;
            self.positions.push(position);
        }
        Ok(())
    }

    /// The classes of the segment's place for plain rows, at the end of the month and of the month before.
    fn places_of(&self, scan: &SegmentScan<'_>) -> (Option<u32>, Option<u32>) {
        let places = self.job.places;
        let now = scan.unit().and_then(|unit| places.now(unit));
        let before = scan.unit_before().and_then(|unit| places.before(unit));
        let class = |class| self.cells.place_class(class);
        (
            now.filter(|_| scan.plain_in_scope()).map(class),
            before.filter(|_| scan.plain_had_before()).map(class),
        )
    }

    /// The position of the outcome of the person of a row, which depends on what the person has of their own.
    fn one_by_one(&mut self, cell: Cell, segment: SegmentKey, row: usize) -> Result<u16, ReadError> {
        if self.persons.is_none() {
            self.persons = Some(self.job.view.segment_persons(segment)?);
        }
        let person = self
            .persons
            .as_ref()
            .and_then(|persons| persons.get(row))
            .copied();
        let missing = || ReadError::Inconsistent(format!("row {row} of {segment:?} has no person"));
        let outcome = self.cells.outcome_of(cell, person.ok_or_else(missing)?)?;
        self.one_by_one += 1;
        Ok(self.dictionary.of(outcome))
    }

    fn special(&mut self, special: &SpecialRow, segment: SegmentKey) -> Result<u16, ReadError> {
        if !special.in_scope {
            return Ok(self.dictionary.absent());
        }
        let now = self.cells.state(special.now, true)?;
        let before = self.cells.state(special.before, false)?;
        // Without a state the person was entered and died within one month, or died before anything was known.
        let band = special.now.or(special.before).map_or(Bands::UNBORN, |state| {
            let (month, month_known) = birth_month(state.birth);
            self.job.bands.by_birth_month(month_known)[usize::from(month.index())]
        });
        let cell = Cell { now, before, band };
        let position = match self.cells.outcome(cell) {
            Some(outcome) => self.dictionary.of(outcome),
            None => self.one_by_one(cell, segment, usize::from(special.row))?,
        };
        self.people += 1;
        Ok(position)
    }
}
