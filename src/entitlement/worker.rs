//! A worker of a run: takes segments, counts outcomes, encodes.

use std::collections::BTreeMap;

use rustc_hash::FxHashMap;

use super::campaign::Earlier;
use super::cells::ByCode;
use super::sight::{ABSENT, Sight};
use crate::format::ledger::{LedgerBody, Others};
use crate::format::locator::SegmentKey;
use crate::format::totals::{self, CommuneTotals};
use crate::kernel::scan::{ScanRoom, SegmentScan};
use crate::kernel::{ReadError, SegmentBytes, View};
use crate::policy::{LineKind, MonthPolicy, Outcome, Status};
use crate::query::crew::TakesSegments;
use crate::query::ground::Ground;
use crate::types::{AttributeNumber, Month, Sequence, Total, UnitNumber, Value};

/// So many rows are counted in 16 bits at once.
const COUNTED_AT_ONCE: usize = u16::MAX as usize;

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

/// The encoded rows of segments, one after the other; the codes are the worker's own.
#[derive(Default)]
pub(super) struct Blocks {
    bodies: Vec<u8>,
    outcomes: Vec<Option<u32>>,
    ends: Vec<BlockEnd>,
}

/// Where the block of a segment ends.
struct BlockEnd {
    segment: SegmentKey,
    body: usize,
    outcomes: usize,
}

/// The encoded rows of a segment.
pub(super) struct Block<'b> {
    pub(super) segment: SegmentKey,
    pub(super) body: &'b [u8],
    /// The worker's outcome of each position of the segment's dictionary; `None` for rows not in scope.
    pub(super) outcomes: &'b [Option<u32>],
}

impl Blocks {
    /// The blocks, in the order in which they were encoded.
    pub(super) fn iter(&self) -> impl Iterator<Item = Block<'_>> {
        let (mut body, mut outcomes) = (0, 0);
        self.ends.iter().map(move |end| {
            let block = Block {
                segment: end.segment,
                body: &self.bodies[body..end.body],
                outcomes: &self.outcomes[outcomes..end.outcomes],
            };
            (body, outcomes) = (end.body, end.outcomes);
            block
        })
    }
}

/// What a worker found.
pub(super) struct Found {
    pub(super) blocks: Blocks,
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
    /// The outcome that most rows of the segment before had.
    most: u32,
    /// The rows of the segment at hand that have another outcome than most, and their positions.
    others: Others,
    /// By position of the segment at hand: its rows, and whether what is paid to them is broken down by channel.
    counts: Vec<u32>,
    pays: Vec<bool>,
    channels: Channels,
    of_unit: OfUnit,
    /// The memory of the scan before.
    room: ScanRoom,
    found: Found,
}

/// What the segments of a unit came to so far.
#[derive(Default)]
struct OfUnit {
    unit: Option<UnitNumber>,
    /// Rows by outcome; and the outcomes that have any.
    rows: Vec<u64>,
    touched: Vec<u32>,
    /// Rows by outcome and channel.
    by_channel: FxHashMap<(u32, u16), u64>,
}

/// By which channels people are paid.
#[derive(Default)]
struct Channels {
    /// The channels that occurred; they are numbered so.
    met: Vec<u16>,
    /// The number of the channel by code of the person's profile.
    numbers: ByCode,
    /// By person's code and by life of the segment at hand, the number.
    of_person: Vec<u32>,
    of_life: Vec<u32>,
    /// The rows that are told by the facts, in order, with the number.
    of_special: Vec<(u16, u32)>,
    /// Of the segment at hand, rows by position and number.
    rows: Vec<u32>,
}

impl<'a> Worker<'a> {
    pub(super) fn new(job: &'a Job<'a>) -> Result<Self, ReadError> {
        Ok(Self {
            job,
            sight: Sight::new(job)?,
            most: ABSENT,
            others: Others::default(),
            counts: Vec::new(),
            pays: Vec::new(),
            channels: Channels::default(),
            of_unit: OfUnit::default(),
            room: ScanRoom::default(),
            found: Found {
                blocks: Blocks::default(),
                outcomes: Vec::new(),
                totals: BTreeMap::new(),
                held: Total::ZERO,
                people: 0,
                cells: 0,
                one_by_one: 0,
            },
        })
    }

    /// Sets those rows apart that have another outcome than most, and gives outcomes their positions in the order in
    /// which rows first have them; answers the position of most.
    fn set_apart(&mut self) -> u16 {
        let outcomes = std::mem::take(&mut self.sight.outcomes);
        let of_most = self.set_apart_of(&outcomes);
        self.sight.outcomes = outcomes;
        of_most
    }

    fn set_apart_of(&mut self, outcomes: &[u32]) -> u16 {
        // What most had in the segment before, most mostly have again. What is written must not depend on that segment.
        let mut count = rows_with(outcomes, self.most);
        if !is_majority(count, outcomes.len()) {
            self.most = self.sight.most_frequent(outcomes, &mut self.counts);
            count = rows_with(outcomes, self.most);
        }
        let most = self.most;
        let others = outcomes.len() - count as usize;
        self.others.find(outcomes, most, others);

        let dictionary = &mut self.sight.dictionary;
        dictionary.begin();
        self.counts.clear();
        let mut of_most = None;
        let mut last = (ABSENT, u16::MAX);
        for (at, (&row, position)) in self
            .others
            .rows
            .iter()
            .zip(&mut self.others.positions)
            .enumerate()
        {
            if of_most.is_none() && usize::from(row) != at {
                of_most = Some(dictionary.position(most));
            }
            let outcome = outcomes[usize::from(row)];
            // Neighbours often have the same.
            if outcome != last.0 || last.1 == u16::MAX {
                last = (outcome, dictionary.position(outcome));
            }
            *position = last.1;
            if self.counts.len() <= usize::from(last.1) {
                self.counts.resize(usize::from(last.1) + 1, 0);
            }
            self.counts[usize::from(last.1)] += 1;
        }
        if outcomes.is_empty() {
            return 0;
        }
        let of_most = of_most.unwrap_or_else(|| dictionary.position(most));
        self.counts.resize(dictionary.outcomes().len(), 0);
        self.counts[usize::from(of_most)] = count;
        of_most
    }

    /// Counts the rows that are paid, by position and channel.
    fn tally_channels(&mut self, scan: &SegmentScan<'_>, most: u16) -> Result<(), ReadError> {
        let outcomes = self.sight.dictionary.outcomes();
        let cells = &mut self.sight.cells;
        self.channels.rows.clear();
        self.pays.clear();
        if self.job.channel.is_none() {
            return Ok(());
        }
        let pays =
            |outcome: &Option<u32>| outcome.is_some_and(|outcome| cells.sums(outcome).0 != Total::ZERO);
        self.pays.extend(outcomes.iter().map(pays));
        if !self.pays.contains(&true) {
            return Ok(());
        }
        self.channels.begin(self.job, scan, self.pays.len())?;
        let (pays, others) = (&self.pays, &self.others);
        if pays.get(usize::from(most)) == Some(&true) {
            let mut others = others.rows.iter().zip(&others.positions).peekable();
            for row in 0..scan.hot().rows() {
                let other = others.next_if(|(other, _)| usize::from(**other) == row);
                let position = other.map_or(most, |(_, &position)| position);
                if pays[usize::from(position)] {
                    self.channels.count(scan, row, position);
                }
            }
            return Ok(());
        }
        for (&row, &position) in others.rows.iter().zip(&others.positions) {
            if pays[usize::from(position)] {
                self.channels.count(scan, usize::from(row), position);
            }
        }
        Ok(())
    }

    /// Adds the segment's counts to those of its unit.
    fn count(&mut self, scan: &SegmentScan<'_>) -> Result<(), ReadError> {
        let outcomes = self.sight.dictionary.outcomes();
        if !outcomes.iter().any(Option::is_some) {
            return Ok(());
        }
        let unit = scan.unit().ok_or_else(|| {
            ReadError::Inconsistent("rows are in scope of a unit that no longer exists".to_owned())
        })?;
        if self.of_unit.unit != Some(unit) {
            self.flush();
            self.of_unit.unit = Some(unit);
        }
        let outcomes = self.sight.dictionary.outcomes();
        let of_unit = &mut self.of_unit;
        for (&outcome, &count) in outcomes.iter().zip(&self.counts) {
            let (Some(outcome), count @ 1..) = (outcome, u64::from(count)) else {
                continue;
            };
            self.found.people += count;
            let place = outcome as usize;
            if of_unit.rows.len() <= place {
                of_unit.rows.resize(place + 1, 0);
            }
            if of_unit.rows[place] == 0 {
                of_unit.touched.push(outcome);
            }
            of_unit.rows[place] += count;
        }
        for (number, &channel) in self.channels.met.iter().enumerate() {
            let rows = self.channels.rows.chunks_exact(self.channels.met.len());
            for (&outcome, rows) in outcomes.iter().zip(rows) {
                if let (Some(outcome), count @ 1..) = (outcome, rows[number]) {
                    *of_unit.by_channel.entry((outcome, channel)).or_default() += u64::from(count);
                }
            }
        }
        Ok(())
    }

    /// Adds what the segments of the unit at hand came to, to its totals.
    fn flush(&mut self) {
        let Some(unit) = self.of_unit.unit.take() else {
            return;
        };
        let totals = self.found.totals.entry(unit).or_default();
        let cells = &mut self.sight.cells;
        for outcome in self.of_unit.touched.drain(..) {
            let count = std::mem::take(&mut self.of_unit.rows[outcome as usize]);
            add_outcome(totals, cells.get(outcome), count);
            let held = cells.sums(outcome).1;
            self.found.held.add(Total::new(held.get() * i128::from(count)));
        }
        for ((outcome, channel), count) in self.of_unit.by_channel.drain() {
            let tally = totals.channels.entry(channel).or_default();
            tally.people += count;
            tally
                .sum
                .add(Total::new(cells.sums(outcome).0.get() * i128::from(count)));
        }
    }
}

/// How many rows have an outcome.
fn rows_with(outcomes: &[u32], wanted: u32) -> u32 {
    let same = |outcome: &u32| u16::from(*outcome == wanted);
    let parts = outcomes.chunks(COUNTED_AT_ONCE);
    parts
        .map(|rows| u32::from(rows.iter().map(same).sum::<u16>()))
        .sum()
}

/// Whether so many of all rows are more than any other outcome can have.
const fn is_majority(count: u32, rows: usize) -> bool {
    count as usize * 2 > rows
}

impl Channels {
    /// Begins a segment with so many positions: notes the channel of each life, and of the rows that are told by the facts.
    fn begin(&mut self, job: &Job<'_>, scan: &SegmentScan<'_>, positions: usize) -> Result<(), ReadError> {
        let hot = scan.hot();
        self.of_person.clear();
        for &code in &hot.person_codes {
            let number = self.of_code(job, Some(code))?;
            self.of_person.push(number);
        }
        self.of_life.clear();
        for pair in &hot.pairs {
            self.of_life.push(self.of_person[usize::from(pair.person)]);
        }
        let unknown = self.of_code(job, None)?;
        for life in scan.courses() {
            let stay = life.now.or(life.before);
            let number = stay.map(|stay| self.of_life[usize::from(stay.pair)]);
            self.of_life.push(number.unwrap_or(unknown));
        }
        self.of_special.clear();
        for special in scan.special() {
            let state = special.states.now.or(special.states.before);
            let number = self.of_code(job, state.map(|state| state.person))?;
            self.of_special.push((special.row, number));
        }
        self.rows.clear();
        self.rows.resize(positions * self.met.len(), 0);
        Ok(())
    }

    /// Counts a row of a position.
    #[inline]
    fn count(&mut self, scan: &SegmentScan<'_>, row: usize, position: u16) {
        let number = if self.of_special.is_empty() {
            self.of_life[scan.hot().lives.get(row)]
        } else {
            let special = self
                .of_special
                .binary_search_by_key(&row, |&(row, _)| usize::from(row));
            special.map_or_else(
                |_| self.of_life[scan.hot().lives.get(row)],
                |at| self.of_special[at].1,
            )
        };
        self.rows[usize::from(position) * self.met.len() + number as usize] += 1;
    }

    /// The number of the channel by which people with a profile are paid.
    #[inline]
    fn of_code(&mut self, job: &Job<'_>, code: Option<u32>) -> Result<u32, ReadError> {
        match code.and_then(|code| self.numbers.get(code)) {
            Some(number) => Ok(number),
            None => self.number(job, code),
        }
    }

    /// As [`Channels::of_code`], where it was not met yet.
    #[cold]
    fn number(&mut self, job: &Job<'_>, code: Option<u32>) -> Result<u32, ReadError> {
        let channel = match (job.channel, code) {
            (Some((attribute, absent)), Some(code)) => match job.view.profile(code)?.get(attribute) {
                Some(Value::Enum(channel)) => channel,
                _ => absent,
            },
            (channel, _) => channel.map_or(u16::MAX, |(_, absent)| absent),
        };
        let known = self.met.iter().position(|&met| met == channel);
        let number = known.unwrap_or_else(|| {
            self.met.push(channel);
            self.met.len() - 1
        }) as u32;
        if let Some(code) = code {
            self.numbers.put(code, number);
        }
        Ok(number)
    }
}

impl TakesSegments for Worker<'_> {
    type Found = Found;

    fn take(&mut self, segment: SegmentKey, bytes: &SegmentBytes) -> Result<(), ReadError> {
        let at = (self.job.month, self.job.known);
        let scan = SegmentScan::new_in(self.job.view, segment, bytes, at, std::mem::take(&mut self.room))?;
        self.sight.take(&scan, segment)?;
        let most = self.set_apart();
        self.tally_channels(&scan, most)?;
        self.count(&scan)?;
        let outcomes = self.sight.dictionary.outcomes();
        let blocks = &mut self.found.blocks;
        blocks.outcomes.extend_from_slice(outcomes);
        LedgerBody::encode_others(
            &mut blocks.bodies,
            (scan.hot().rows(), outcomes.len()),
            most,
            &mut self.others,
        );
        blocks.ends.push(BlockEnd {
            segment,
            body: blocks.bodies.len(),
            outcomes: blocks.outcomes.len(),
        });
        self.room = scan.into_room();
        Ok(())
    }

    fn finish(mut self) -> Found {
        self.flush();
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_more_than_half_is_most_without_a_look_at_the_others() {
        let most = |outcomes: &[u32], wanted| is_majority(rows_with(outcomes, wanted), outcomes.len());
        assert!(most(&[1, 1, 2], 1));
        assert!(!most(&[1, 1, 2, 2], 1), "the other has as many");
        assert!(!most(&[1, 1, 2, 2, 2], 1));
        assert!(!most(&[], 1));
    }
}
