//! A worker of a run: takes segments, looks outcomes up, counts, encodes.

use std::collections::BTreeMap;

use rustc_hash::FxHashMap;

use super::campaign::Earlier;
use super::cells::{Cells, Counted};
use super::places::Places;
use crate::format::ledger::LedgerBody;
use crate::format::locator::SegmentKey;
use crate::format::totals::{self, CommuneTotals};
use crate::kernel::scan::{SegmentScan, SpecialRow};
use crate::kernel::{ReadError, View};
use crate::policy::{Bands, Cell, CellState, LineKind, MonthPolicy, Outcome, Status};
use crate::types::{AttributeNumber, Month, PersonNumber, Sequence, Total, UnitNumber, Value};

/// What all workers of a run share.
pub(super) struct Job<'a> {
    pub(super) view: &'a View,
    pub(super) policy: &'a MonthPolicy,
    pub(super) bands: &'a Bands,
    pub(super) places: &'a Places,
    pub(super) month: Month,
    pub(super) known: Sequence,
    /// The attribute by which what is paid is broken down, and the value that holds without a record.
    pub(super) channel: Option<(AttributeNumber, u16)>,
    /// The runs that may have paid somebody before, of a campaign that has such.
    pub(super) earlier: Option<&'a Earlier>,
}

/// The encoded rows of a segment; the codes are the worker's own.
pub(super) struct Block {
    pub(super) segment: SegmentKey,
    pub(super) body: Vec<u8>,
    /// The worker's outcome of each position of the segment's dictionary; `None` for rows not in scope.
    pub(super) outcomes: Vec<Option<u32>>,
}

/// What a worker found.
pub(super) struct Found {
    pub(super) blocks: Vec<Block>,
    pub(super) outcomes: Vec<Counted>,
    pub(super) totals: BTreeMap<UnitNumber, CommuneTotals>,
    pub(super) held: Total,
    /// People in scope, counted by rows and not by outcomes.
    pub(super) people: u64,
    pub(super) cells: u64,
    pub(super) one_by_one: u64,
}

/// The positions of a segment's dictionary by the worker's outcome numbers.
#[derive(Default)]
struct Dictionary {
    positions: Vec<(u32, u16)>,
    round: u32,
    outcomes: Vec<Option<u32>>,
    counts: Vec<u32>,
    absent: Option<u16>,
}

impl Dictionary {
    fn begin(&mut self) {
        self.round += 1;
        self.outcomes.clear();
        self.counts.clear();
        self.absent = None;
    }

    fn push(&mut self, outcome: Option<u32>) -> u16 {
        self.outcomes.push(outcome);
        self.counts.push(0);
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
}

/// A worker.
pub(super) struct Worker<'a> {
    job: &'a Job<'a>,
    cells: Cells<'a>,
    dictionary: Dictionary,
    /// Positions by person index, household index and band of the segment at hand; `UNSET` where not looked up yet.
    table: Vec<u16>,
    locals: Vec<u16>,
    /// The persons of the segment at hand, once somebody asked.
    persons: Option<Vec<PersonNumber>>,
    /// By row of the segment at hand, whether an earlier run of the campaign paid it; empty where there is none.
    paid_before: Vec<bool>,
    /// The codes of an earlier run, unpacked.
    codes: Vec<u32>,
    channels: FxHashMap<u32, u16>,
    paid_by_channel: FxHashMap<(u16, u16), u32>,
    found: Found,
}

const UNSET: u16 = u16::MAX;
/// The position of cells that depend on what each person has of their own.
const EACH_OWN: u16 = u16::MAX - 1;
/// The most cells of a segment's own table. A segment has up to a thousand rows and, where they have changed often,
/// many times as many profiles; beyond this the cells are looked up one by one.
const TABLE_CELLS_MAX: usize = 1 << 20;

impl<'a> Worker<'a> {
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
            table: Vec::new(),
            locals: Vec::new(),
            persons: None,
            paid_before: Vec::new(),
            codes: Vec::new(),
            channels: FxHashMap::default(),
            paid_by_channel: FxHashMap::default(),
            found: Found {
                blocks: Vec::new(),
                outcomes: Vec::new(),
                totals: BTreeMap::new(),
                held: Total::ZERO,
                people: 0,
                cells: 0,
                one_by_one: 0,
            },
        }
    }

    /// Takes one segment.
    pub(super) fn take(&mut self, segment: SegmentKey) -> Result<(), ReadError> {
        let bytes = self.job.view.segment(segment)?;
        let scan = SegmentScan::new(self.job.view, segment, &bytes, self.job.month, self.job.known)?;
        self.dictionary.begin();
        self.locals.clear();
        self.paid_by_channel.clear();
        self.persons = None;
        if let Some(earlier) = self.job.earlier {
            let rows = scan.hot().rows();
            earlier.mark(
                self.job.view,
                segment,
                rows,
                &mut self.paid_before,
                &mut self.codes,
            )?;
        }
        self.rows(&scan, segment)?;
        self.count(&scan)?;
        let distinct = self.dictionary.outcomes.len();
        let body = LedgerBody::encode(&self.locals, distinct, &[]);
        self.found.blocks.push(Block {
            segment,
            body,
            outcomes: self.dictionary.outcomes.clone(),
        });
        Ok(())
    }

    fn rows(&mut self, scan: &SegmentScan<'_>, segment: SegmentKey) -> Result<(), ReadError> {
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
        let place_now = scan
            .unit()
            .and_then(|unit| self.job.places.now(unit))
            .filter(|_| scan.plain_in_scope())
            .map(|class| self.cells.place_class(class));
        let place_before = scan
            .unit_before()
            .and_then(|unit| self.job.places.before(unit))
            .filter(|_| scan.plain_had_before())
            .map(|class| self.cells.place_class(class));
        let (known, year_only) = (
            self.job.bands.by_birth_month(true),
            self.job.bands.by_birth_month(false),
        );
        let mut special = scan.special().iter().peekable();
        for row in 0..hot.rows() {
            if let Some(special) = special.next_if(|special| usize::from(special.row) == row) {
                let newest = hot.person_codes[hot.persons.get(row)];
                let position = self.special(special, newest, segment)?;
                self.locals.push(position);
                continue;
            }
            let birth = hot.birth(row);
            let band = if birth & crate::format::hot::BIRTH_MONTH_UNKNOWN == 0 {
                known.get(usize::from(birth))
            } else {
                year_only.get(usize::from(birth & !crate::format::hot::BIRTH_MONTH_UNKNOWN))
            };
            let (Some(place), Some(&band)) = (place_now, band) else {
                let position = self.dictionary.absent();
                self.locals.push(position);
                continue;
            };
            if band == Bands::UNBORN {
                let position = self.dictionary.absent();
                self.locals.push(position);
                continue;
            }
            let (p, h) = (hot.persons.get(row), hot.households.get(row));
            if self.paid_before.get(row) == Some(&true) {
                let position = self.already_paid();
                self.enter(position, hot.person_codes[p])?;
                continue;
            }
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
            self.enter(position, hot.person_codes[p])?;
        }
        Ok(())
    }

    /// The position of the outcome of the person of a row, which depends on what the person has of their own.
    fn one_by_one(&mut self, cell: Cell, segment: SegmentKey, row: usize) -> Result<u16, ReadError> {
        let person = self.person_of(segment, row)?;
        let outcome = self.cells.outcome_of(cell, person)?;
        self.found.one_by_one += 1;
        Ok(self.dictionary.of(outcome))
    }

    /// The person of a row of the segment at hand.
    fn person_of(&mut self, segment: SegmentKey, row: usize) -> Result<PersonNumber, ReadError> {
        if self.persons.is_none() {
            self.persons = Some(self.job.view.segment_persons(segment)?);
        }
        let person = self.persons.as_ref().and_then(|persons| persons.get(row));
        let missing = || ReadError::Inconsistent(format!("row {row} of {segment:?} has no person"));
        person.copied().ok_or_else(missing)
    }

    /// The position of the outcome of whoever was paid by an earlier run of the campaign.
    fn already_paid(&mut self) -> u16 {
        let outcome = self.job.earlier.map(|earlier| earlier.outcome().clone());
        match outcome {
            Some(outcome) => {
                let number = self.cells.number_of(outcome);
                self.dictionary.of(number)
            }
            None => self.dictionary.absent(),
        }
    }

    /// Whether an earlier run of the campaign paid the person of a row that is not plain: such a person may have lived
    /// in another unit then, and so have the line in another segment.
    fn special_was_paid(&mut self, segment: SegmentKey, row: usize) -> Result<bool, ReadError> {
        let Some(earlier) = self.job.earlier else {
            return Ok(false);
        };
        if self.paid_before.get(row) == Some(&true) {
            return Ok(true);
        }
        let person = self.person_of(segment, row)?;
        earlier.paid_elsewhere(self.job.view, person, segment)
    }

    /// Counts a row in scope.
    fn enter(&mut self, position: u16, person_code: u32) -> Result<(), ReadError> {
        self.locals.push(position);
        self.tally(position, person_code)
    }

    fn tally(&mut self, position: u16, person_code: u32) -> Result<(), ReadError> {
        self.found.people += 1;
        self.dictionary.counts[usize::from(position)] += 1;
        let outcome = self.dictionary.outcomes[usize::from(position)];
        if outcome.is_some_and(|outcome| self.cells.sums(outcome).0 != Total::ZERO)
            && let Some((attribute, absent)) = self.job.channel
        {
            let channel = if let Some(&channel) = self.channels.get(&person_code) {
                channel
            } else {
                let channel = match self.job.view.profile(person_code)?.get(attribute) {
                    Some(Value::Enum(channel)) => channel,
                    _ => absent,
                };
                self.channels.insert(person_code, channel);
                channel
            };
            *self.paid_by_channel.entry((position, channel)).or_default() += 1;
        }
        Ok(())
    }

    fn special(&mut self, special: &SpecialRow, newest: u32, segment: SegmentKey) -> Result<u16, ReadError> {
        if !special.in_scope {
            return Ok(self.dictionary.absent());
        }
        if self.special_was_paid(segment, usize::from(special.row))? {
            let position = self.already_paid();
            self.tally(position, newest)?;
            return Ok(position);
        }
        let now = self.cells.state(special.now, true)?;
        let before = self.cells.state(special.before, false)?;
        let state = special.now.or(special.before);
        // Without a state the person was entered and died within one month, or died before anything was known.
        let band = state.map_or(Bands::UNBORN, |state| {
            let (month, month_known) = crate::kernel::scan::birth_month(state.birth);
            self.job.bands.by_birth_month(month_known)[usize::from(month.index())]
        });
        let cell = Cell { now, before, band };
        let position = match self.cells.outcome(cell) {
            Some(outcome) => self.dictionary.of(outcome),
            None => self.one_by_one(cell, segment, usize::from(special.row))?,
        };
        self.tally(position, state.map_or(newest, |state| state.person))?;
        Ok(position)
    }

    /// Adds the segment's counts to the totals of its unit.
    fn count(&mut self, scan: &SegmentScan<'_>) -> Result<(), ReadError> {
        let people: u32 = self.dictionary.counts.iter().sum();
        if people == 0 {
            return Ok(());
        }
        let unit = scan.unit().ok_or_else(|| {
            ReadError::Inconsistent("rows are in scope of a unit that no longer exists".to_owned())
        })?;
        let totals = self.found.totals.entry(unit).or_default();
        for (&outcome, &count) in self.dictionary.outcomes.iter().zip(&self.dictionary.counts) {
            let (Some(outcome), count @ 1..) = (outcome, u64::from(count)) else {
                continue;
            };
            add_outcome(totals, self.cells.get(outcome), count);
            let held = self.cells.sums(outcome).1;
            self.found.held.add(Total::new(held.get() * i128::from(count)));
        }
        for (&(position, channel), &count) in &self.paid_by_channel {
            let Some(outcome) = self.dictionary.outcomes[usize::from(position)] else {
                continue;
            };
            let tally = totals.channels.entry(channel).or_default();
            tally.people += u64::from(count);
            tally
                .sum
                .add(Total::new(self.cells.sums(outcome).0.get() * i128::from(count)));
        }
        Ok(())
    }

    pub(super) fn finish(mut self) -> Found {
        self.found.cells = self.cells.filled();
        self.found.outcomes = self.cells.into_outcomes();
        self.found
    }
}

fn add_outcome(totals: &mut CommuneTotals, outcome: &Outcome, count: u64) {
    let status = &mut totals.status;
    status.people += count;
    match outcome.status {
        Status::Error => status.error += count,
        Status::Paid => status.paid += count,
        Status::Held => status.held += count,
        Status::Zero => status.zero += count,
    }
    if outcome.paid_with_held() {
        status.paid_with_held += count;
    }
    for line in &outcome.lines {
        let kind = match line.kind {
            LineKind::Paid => totals::LineKind::Paid,
            LineKind::Held => totals::LineKind::Held,
            LineKind::Error => totals::LineKind::Error,
        };
        totals.add_line(line.programme, kind, count, line.amount);
    }
}
