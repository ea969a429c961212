//! A worker of a run: takes segments, counts outcomes, encodes.

use std::collections::BTreeMap;

use rustc_hash::FxHashMap;

use super::campaign::Earlier;
use super::sight::Sight;
use crate::format::ledger::LedgerBody;
use crate::format::locator::SegmentKey;
use crate::format::totals::{self, CommuneTotals};
use crate::kernel::scan::SegmentScan;
use crate::kernel::{ReadError, View};
use crate::policy::{LineKind, MonthPolicy, Outcome, Status};
use crate::query::crew::TakesSegments;
use crate::query::ground::Ground;
use crate::types::{AttributeNumber, Month, Sequence, Total, UnitNumber, Value};

/// How many counts of a position are kept side by side.
const LANES: usize = 4;

/// What all workers of a run share.
pub(super) struct Job<'a> {
    pub(super) view: &'a View,
    pub(super) policy: &'a MonthPolicy,
    pub(super) ground: &'a Ground,
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
    pub(super) outcomes: Vec<Outcome>,
    pub(super) totals: BTreeMap<UnitNumber, CommuneTotals>,
    pub(super) held: Total,
    /// People in scope, counted by rows and not by outcomes.
    pub(super) people: u64,
    pub(super) cells: u64,
    pub(super) one_by_one: u64,
}

/// A worker.
pub(super) struct Worker<'a> {
    job: &'a Job<'a>,
    sight: Sight<'a>,
    /// By position of the segment at hand: its rows, in lanes, and whether what is paid to them is broken down by channel.
    counts: Vec<u32>,
    pays: Vec<bool>,
    channels: FxHashMap<u32, u16>,
    /// The channel of each person index of the segment at hand.
    channel_of_index: Vec<u16>,
    paid_by_channel: FxHashMap<(u16, u16), u32>,
    found: Found,
}

impl<'a> Worker<'a> {
    pub(super) fn new(job: &'a Job<'a>) -> Result<Self, ReadError> {
        Ok(Self {
            job,
            sight: Sight::new(job)?,
            counts: Vec::new(),
            pays: Vec::new(),
            channels: FxHashMap::default(),
            channel_of_index: Vec::new(),
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
        })
    }

    /// Counts the rows of each position, and those that are paid by channel too.
    fn tally(&mut self, scan: &SegmentScan<'_>) -> Result<(), ReadError> {
        let outcomes = self.sight.dictionary.outcomes();
        self.paid_by_channel.clear();
        self.pays.clear();
        let cells = &mut self.sight.cells;
        let has_channels = self.job.channel.is_some();
        self.pays.extend(outcomes.iter().map(|outcome| {
            has_channels && outcome.is_some_and(|outcome| cells.sums(outcome).0 != Total::ZERO)
        }));
        self.counts.clear();
        self.counts.resize(outcomes.len() * LANES, 0);
        // Neighbours mostly have the same position: each lane counts by itself, so that none waits for the one before.
        let mut lanes = self.sight.positions.chunks_exact(LANES);
        for positions in &mut lanes {
            for (lane, &position) in positions.iter().enumerate() {
                self.counts[usize::from(position) * LANES + lane] += 1;
            }
        }
        for &position in lanes.remainder() {
            self.counts[usize::from(position) * LANES] += 1;
        }
        if self.pays.contains(&true) {
            self.tally_channels(scan)?;
        }
        Ok(())
    }

    /// Counts the rows that are paid by position and channel.
    fn tally_channels(&mut self, scan: &SegmentScan<'_>) -> Result<(), ReadError> {
        let hot = scan.hot();
        let mut by_index = std::mem::take(&mut self.channel_of_index);
        by_index.clear();
        for &code in &hot.person_codes {
            by_index.push(self.channel_of(code)?);
        }
        let positions = std::mem::take(&mut self.sight.positions);
        let mut special = scan.special().iter().peekable();
        let mut last = (u16::MAX, u16::MAX, 0);
        for (row, &position) in positions.iter().enumerate() {
            if !self.pays[usize::from(position)] {
                continue;
            }
            while special
                .next_if(|special| usize::from(special.row) < row)
                .is_some()
            {}
            let own = special.next_if(|special| usize::from(special.row) == row);
            let channel = match own.and_then(|special| special.now.or(special.before)) {
                Some(state) => self.channel_of(state.person)?,
                None => by_index[hot.persons.get(row)],
            };
            // Neighbours often have the same; they are added together.
            if (position, channel) == (last.0, last.1) {
                last.2 += 1;
            } else {
                self.add_to_channel(last);
                last = (position, channel, 1);
            }
        }
        self.add_to_channel(last);
        (self.channel_of_index, self.sight.positions) = (by_index, positions);
        Ok(())
    }

    fn add_to_channel(&mut self, (position, channel, rows): (u16, u16, u32)) {
        if rows > 0 {
            *self.paid_by_channel.entry((position, channel)).or_default() += rows;
        }
    }

    /// The channel by which people with a profile are paid.
    fn channel_of(&mut self, code: u32) -> Result<u16, ReadError> {
        let Some((attribute, absent)) = self.job.channel else {
            return Ok(u16::MAX);
        };
        if let Some(&channel) = self.channels.get(&code) {
            return Ok(channel);
        }
        let channel = match self.job.view.profile(code)?.get(attribute) {
            Some(Value::Enum(channel)) => channel,
            _ => absent,
        };
        self.channels.insert(code, channel);
        Ok(channel)
    }

    /// Adds the segment's counts to the totals of its unit.
    fn count(&mut self, scan: &SegmentScan<'_>) -> Result<(), ReadError> {
        let outcomes = self.sight.dictionary.outcomes();
        let (cells, counts) = (&mut self.sight.cells, &self.counts);
        if !outcomes.iter().any(Option::is_some) {
            return Ok(());
        }
        let unit = scan.unit().ok_or_else(|| {
            ReadError::Inconsistent("rows are in scope of a unit that no longer exists".to_owned())
        })?;
        let totals = self.found.totals.entry(unit).or_default();
        for (&outcome, lanes) in outcomes.iter().zip(counts.chunks_exact(LANES)) {
            let count = lanes.iter().map(|&count| u64::from(count)).sum();
            let (Some(outcome), count @ 1..) = (outcome, count) else {
                continue;
            };
            self.found.people += count;
            add_outcome(totals, cells.get(outcome), count);
            let held = cells.sums(outcome).1;
            self.found.held.add(Total::new(held.get() * i128::from(count)));
        }
        for (&(position, channel), &count) in &self.paid_by_channel {
            let Some(outcome) = outcomes[usize::from(position)] else {
                continue;
            };
            let tally = totals.channels.entry(channel).or_default();
            tally.people += u64::from(count);
            tally
                .sum
                .add(Total::new(cells.sums(outcome).0.get() * i128::from(count)));
        }
        Ok(())
    }
}

impl TakesSegments for Worker<'_> {
    type Found = Found;

    fn take(&mut self, segment: SegmentKey) -> Result<(), ReadError> {
        let bytes = self.job.view.segment(segment)?;
        let scan = SegmentScan::new(self.job.view, segment, &bytes, self.job.month, self.job.known)?;
        self.sight.take(&scan, segment)?;
        self.tally(&scan)?;
        self.count(&scan)?;
        let outcomes = self.sight.dictionary.outcomes();
        self.found.blocks.push(Block {
            segment,
            body: LedgerBody::encode(&self.sight.positions, outcomes.len(), &[]),
            outcomes: outcomes.to_vec(),
        });
        Ok(())
    }

    fn finish(mut self) -> Found {
        self.found.one_by_one = self.sight.one_by_one;
        self.found.cells = self.sight.cells.filled();
        self.found.outcomes = self.sight.cells.into_outcomes();
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
