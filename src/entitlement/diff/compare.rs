//! A worker of a comparison: counts the pairs of outcomes that two packs give to the same rows.

use rustc_hash::FxHashMap;

use super::Programmes;
use crate::entitlement::sight::Sight;
use crate::entitlement::worker::Job;
use crate::format::locator::SegmentKey;
use crate::kernel::scan::SegmentScan;
use crate::kernel::{ReadError, SegmentBytes};
use crate::policy::{LineKind, Outcome};
use crate::query::crew::TakesSegments;
use crate::types::{ProvinceCode, Total, UnitNumber};

/// A row of the file.
pub(super) type Row = (SegmentKey, u16);

/// Two outcomes, by the worker's numbers.
pub(super) struct Pair {
    pub(super) before: u32,
    pub(super) after: u32,
    /// Whether their lines are the same.
    pub(super) is_same: bool,
    /// The first rows that have them, if their lines differ.
    pub(super) examples: Vec<Row>,
}

/// An outcome with what it pays and holds.
pub(super) struct Counted {
    pub(super) outcome: Outcome,
    pub(super) paid: Total,
    pub(super) held: Total,
}

impl From<Outcome> for Counted {
    fn from(outcome: Outcome) -> Self {
        let sum = |kind| outcome.lines_of(kind).map(|line| line.amount).sum();
        Self {
            paid: sum(LineKind::Paid),
            held: sum(LineKind::Held),
            outcome,
        }
    }
}

/// What a worker found.
pub(super) struct Found {
    pub(super) pairs: Vec<Pair>,
    /// People by province and pair.
    pub(super) counts: FxHashMap<(ProvinceCode, u32), u64>,
    /// The outcomes of the first and of the second pack.
    pub(super) outcomes: [Vec<Counted>; 2],
    pub(super) one_by_one: [u64; 2],
    /// People in scope, counted by rows and not by pairs.
    pub(super) people: u64,
    /// A unit of each province.
    pub(super) units: FxHashMap<ProvinceCode, UnitNumber>,
}

/// A worker.
pub(super) struct Comparer<'a> {
    job: &'a Job<'a>,
    programmes: &'a Programmes,
    before: Sight<'a>,
    after: Sight<'a>,
    examples_max: usize,
    /// Rows of the segment at hand by both positions: for every two, and for those that occur.
    table: Vec<u32>,
    rows: Vec<((u16, u16), u64)>,
    people: u64,
    numbers: FxHashMap<(u32, u32), u32>,
    pairs: Vec<Pair>,
    counts: FxHashMap<(ProvinceCode, u32), u64>,
    units: FxHashMap<ProvinceCode, UnitNumber>,
}

impl<'a> Comparer<'a> {
    pub(super) fn new(
        before: &'a Job<'a>,
        after: &'a Job<'a>,
        programmes: &'a Programmes,
        examples_max: usize,
    ) -> Result<Self, ReadError> {
        Ok(Self {
            job: before,
            programmes,
            before: Sight::new(before)?,
            after: Sight::new(after)?,
            examples_max,
            table: Vec::new(),
            rows: Vec::new(),
            people: 0,
            numbers: FxHashMap::default(),
            pairs: Vec::new(),
            counts: FxHashMap::default(),
            units: FxHashMap::default(),
        })
    }

    /// Counts the rows of the segment at hand by both positions.
    fn pair_up(&mut self) {
        let width = self.after.dictionary.outcomes().len();
        self.table.clear();
        self.table
            .resize(self.before.dictionary.outcomes().len() * width, 0);
        for (&first, &second) in self.before.positions.iter().zip(&self.after.positions) {
            self.table[usize::from(first) * width + usize::from(second)] += 1;
        }
        self.rows.clear();
        for (at, &count) in self.table.iter().enumerate().filter(|&(_, &count)| count > 0) {
            self.rows
                .push((((at / width) as u16, (at % width) as u16), u64::from(count)));
        }
    }

    /// The number of a pair of outcomes.
    fn pair(&mut self, before: u32, after: u32) -> u32 {
        if let Some(&number) = self.numbers.get(&(before, after)) {
            return number;
        }
        let was = self.programmes.lines(0, self.before.cells.get(before));
        let is = self.programmes.lines(1, self.after.cells.get(after));
        let number = self.pairs.len() as u32;
        self.pairs.push(Pair {
            before,
            after,
            is_same: was == is,
            examples: Vec::new(),
        });
        self.numbers.insert((before, after), number);
        number
    }

    /// Counts the rows of each two positions for the province, and looks for examples of pairs that have too few.
    fn count(&mut self, province: ProvinceCode, segment: SegmentKey) -> Result<(), ReadError> {
        let rows = std::mem::take(&mut self.rows);
        let mut wanted: FxHashMap<(u16, u16), u32> = FxHashMap::default();
        for &((first, second), count) in &rows {
            let before = self.before.dictionary.outcomes()[usize::from(first)];
            let after = self.after.dictionary.outcomes()[usize::from(second)];
            let (before, after) = match (before, after) {
                (None, None) => continue,
                (Some(before), Some(after)) => {
                    self.people += count;
                    (before, after)
                }
                // Who is in scope does not hang on the law.
                _ => {
                    let problem = format!("rows of {segment:?} are in scope by one of two packs alone");
                    return Err(ReadError::Inconsistent(problem));
                }
            };
            let number = self.pair(before, after);
            *self.counts.entry((province, number)).or_default() += count;
            let pair = &self.pairs[number as usize];
            if !pair.is_same && pair.examples.len() < self.examples_max {
                wanted.insert((first, second), number);
            }
        }
        self.rows = rows;
        if !wanted.is_empty() {
            self.find_examples(segment, &wanted);
        }
        Ok(())
    }

    fn find_examples(&mut self, segment: SegmentKey, wanted: &FxHashMap<(u16, u16), u32>) {
        let positions = self.before.positions.iter().zip(&self.after.positions);
        for (row, (&first, &second)) in positions.enumerate() {
            let Some(&number) = wanted.get(&(first, second)) else {
                continue;
            };
            let examples = &mut self.pairs[number as usize].examples;
            if examples.len() < self.examples_max {
                examples.push((segment, row as u16));
            }
        }
    }
}

impl TakesSegments for Comparer<'_> {
    type Found = Found;

    fn take(&mut self, segment: SegmentKey, bytes: &SegmentBytes) -> Result<(), ReadError> {
        let view = self.job.view;
        let scan = SegmentScan::new(view, segment, bytes, self.job.month, self.job.known)?;
        for sight in [&mut self.before, &mut self.after] {
            sight.take(&scan, segment)?;
            sight.place_all();
        }
        let nobody = |sight: &Sight<'_>| sight.dictionary.outcomes().iter().all(Option::is_none);
        if nobody(&self.before) && nobody(&self.after) {
            return Ok(());
        }
        let unit = scan.unit().and_then(|unit| view.unit(unit)).ok_or_else(|| {
            ReadError::Inconsistent("rows are in scope of a unit that no longer exists".to_owned())
        })?;
        self.pair_up();
        let province = unit.declared.province;
        self.units.entry(province).or_insert(unit.number);
        self.count(province, segment)
    }

    fn finish(self) -> Found {
        Found {
            pairs: self.pairs,
            counts: self.counts,
            people: self.people,
            one_by_one: [self.before.one_by_one, self.after.one_by_one],
            outcomes: [self.before.cells, self.after.cells]
                .map(|cells| cells.into_outcomes().into_iter().map(Counted::from).collect()),
            units: self.units,
        }
    }
}
