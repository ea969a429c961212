//! Hot segments: what a run reads of every person, and nothing else.
//!
//! ```text
//!  0  version u8 = 1
//!  1  flags u8: bit 0 person indexes are two bytes wide, bit 1 household indexes, bit 2 lives
//!  2  rows u16
//!  4  unit u16
//!  6  base u16                  the month before which no row is present unless it says so
//!  8  newest u48                the greatest sequence that recorded anything that this segment shows
//! 14  person codes u16, household codes u16, pairs u16, courses u16
//! 22  person dictionary         ascending profile codes, varint distances
//!     household dictionary      likewise
//!     pairs                     for each, the index of its person code (u8 | u16); then of its household code
//!     pairs shown               for each course, the pair that the columns show (u8 | u16)
//!     life column               rows × (u8 | u16): below the number of pairs, that pair ever since; otherwise a course
//!     birth column              rows × u16: bit 15 the month is unknown (January stands), else month index
//!     courses                   each: head u8 (bits 0-4 number of versions, bit 5 an earlier month follows, bit 6 the
//!                               first version holds from the beginning), [months before this u16 are answered from
//!                               facts], then the versions, each:
//!                               head u8 (bits 0-1 presence: 0 absent, 1 present, 2 dies in the month, 3 elsewhere;
//!                               bit 2 the pair is that of the version before),
//!                               from (nothing from the beginning; zigzag distance to base where no version with a
//!                               month is before it; otherwise varint distance to that one),
//!                               [unit u16 if elsewhere], [pair varint unless absent or as before]
//!     last recorded             of the rows with a course: runs of the distance to `newest`
//! ```
//!
//! What is to be known of a row beside its birth month is its *life*: who it shows, from which month on. Nearly all rows
//! of a segment share a hundred lives, so a life is settled once for a month and every row looks its own up. A *pair* is
//! the simplest life: a person code and a household code, present from the later of the segment's base and the birth
//! month on, and so since it was recorded. A *course* is any other: its versions by month; it is absent before the first.
//! The columns of a row show the newest state, changes of coming months included.

use std::collections::BTreeMap;

use rustc_hash::FxHashMap;

pub use view::{Course, Courses, HotHead, HotRoom, HotRow, HotView, Indexes, Pair, Shown};

use super::bytes::Writer;
use super::error::FormatError;
use super::locator::SEGMENT_ROWS_MAX;
use crate::types::{BirthDate, Month, Sequence};

mod view;

#[cfg(test)]
mod tests;

const VERSION: u8 = 1;
const HEADER_BYTES: usize = 22;
const WIDE_PERSONS: u8 = 1;
const WIDE_HOUSEHOLDS: u8 = 2;
const WIDE_LIVES: u8 = 4;
const COUNT: u8 = 0x1f;
const EARLIER: u8 = 0x20;
const BEGINNING: u8 = 0x40;
const PRESENCE: u8 = 0x03;
const SAME_PAIR: u8 = 0x04;
/// The greatest number of versions kept of one row; before the oldest, facts answer.
pub const VERSIONS_MAX: usize = 16;
const _: () = assert!(VERSIONS_MAX <= COUNT as usize);
/// Lives are numbered in 16 bits: the columns of each row and its versions may each be a pair of their own.
const LIVES_MAX: usize = 1 << 16;
const _: () = assert!(SEGMENT_ROWS_MAX * (VERSIONS_MAX + 2) <= LIVES_MAX);
/// A new segment is begun when the encoded bytes would pass this: a 4 KiB leaf page of a table with 4-byte keys
/// holds 4,084, and the rest is left for changes to come.
pub const FILL_BYTES: usize = 3_940;
/// What a segment takes, about, with so many rows, pairs, courses, and versions of courses.
pub const fn estimate(rows: usize, pairs: usize, courses: usize, versions: usize) -> usize {
    let lives = if pairs + courses > 256 { 2 } else { 1 };
    HEADER_BYTES + rows * (lives + 2) + pairs * PAIR_BYTES + courses * COURSE_BYTES + versions * VERSION_BYTES
}

/// What a pair takes, with the codes that no other has, about.
const PAIR_BYTES: usize = 4;
/// What a course takes beside its versions, about: the pair shown, and its head.
const COURSE_BYTES: usize = 2;
/// What a version takes, about.
const VERSION_BYTES: usize = 4;
/// Bit of the birth column that says that the month is unknown.
pub const BIRTH_MONTH_UNKNOWN: u16 = 0x8000;

/// Whether and where a row's person is present.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Presence {
    /// Nowhere.
    Absent,
    /// In the unit of the segment.
    Present,
    /// In the unit of the segment, and dies in this month. There is no state at its end.
    Dies,
    /// In another unit, where another row bears the outcome.
    Elsewhere(u16),
}

/// The state of a row from a month on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Version {
    /// The first month.
    pub from: Month,
    /// Whether the person is present.
    pub presence: Presence,
    /// Profile code of the person; 0 if absent.
    pub person: u32,
    /// Profile code of the household; 0 if absent.
    pub household: u32,
}

/// What there is to know of a row beyond its columns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The sequence that last recorded something that shows in this row: as known before it, facts answer.
    pub last: Sequence,
    /// Months before this one are answered from facts.
    pub earlier: Option<Month>,
    /// The versions, by month.
    pub versions: Vec<Version>,
}

/// A hot segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HotSegment {
    /// The unit to which its rows were entered.
    pub unit: u16,
    /// The month before which no row is present unless its change says so.
    pub base: Month,
    /// The greatest sequence that recorded anything that it shows.
    pub newest: Sequence,
    /// Profile codes of the persons.
    pub persons: Vec<u32>,
    /// Profile codes of the households.
    pub households: Vec<u32>,
    /// Birth months.
    pub births: Vec<u16>,
    /// What rows show beyond their columns.
    pub changes: BTreeMap<u16, Change>,
}

/// The birth column's number for a birth date.
pub fn birth_code(birth: BirthDate) -> u16 {
    let (month, known, _) = birth.parts();
    month.index() | if known { 0 } else { BIRTH_MONTH_UNKNOWN }
}

/// Person code and household code as one number, which sorts by both.
const fn pair_of(person: u32, household: u32) -> u64 {
    (person as u64) << 32 | household as u64
}

impl HotSegment {
    /// A segment without rows.
    pub const fn new(unit: u16, base: Month) -> Self {
        Self {
            unit,
            base,
            newest: Sequence::ZERO,
            persons: Vec::new(),
            households: Vec::new(),
            births: Vec::new(),
            changes: BTreeMap::new(),
        }
    }

    /// The number of rows.
    pub const fn rows(&self) -> usize {
        self.births.len()
    }

    /// The first month in which a row without a change is present, as an index: that of the base or of birth.
    fn beginning(&self, row: usize) -> u16 {
        self.base.index().max(self.births[row] & !BIRTH_MONTH_UNKNOWN)
    }

    /// The pairs of codes that occur, ascending.
    fn pairs(&self) -> Vec<u64> {
        let shown = self.persons.iter().zip(&self.households);
        let mut pairs: Vec<u64> = Vec::with_capacity(self.rows() + self.changes.len());
        pairs.extend(shown.map(|(&person, &household)| pair_of(person, household)));
        // Neighbours are often alike, and few are left to be sorted.
        pairs.dedup();
        let versions = self.changes.values().flat_map(|change| &change.versions);
        let present = versions.filter(|version| version.presence != Presence::Absent);
        pairs.extend(present.map(|version| pair_of(version.person, version.household)));
        pairs.sort_unstable();
        pairs.dedup();
        pairs
    }

    /// The bytes of the segment.
    pub fn encode(&self) -> Vec<u8> {
        let pairs = self.pairs();
        let mut persons: Vec<u32> = pairs.iter().map(|pair| (pair >> 32) as u32).collect();
        persons.dedup();
        let mut households: Vec<u32> = pairs.iter().map(|&pair| pair as u32).collect();
        households.sort_unstable();
        households.dedup();
        let mut lives = Lives::new(&pairs, self.rows());
        lives.number(self);

        let (wide_persons, wide_households) = (persons.len() > 256, households.len() > 256);
        let wide_lives = pairs.len() + lives.shown.len() > 256;
        let flag = |set: bool, flag: u8| if set { flag } else { 0 };
        let mut out = Vec::with_capacity(estimate(self.rows(), pairs.len(), 0, 0) + lives.courses.len() + 64);
        out.put_u8(VERSION);
        out.put_u8(
            flag(wide_persons, WIDE_PERSONS)
                | flag(wide_households, WIDE_HOUSEHOLDS)
                | flag(wide_lives, WIDE_LIVES),
        );
        out.put_u16(self.rows() as u16);
        out.put_u16(self.unit);
        out.put_u16(self.base.index());
        out.put_u48(self.newest.get());
        for count in [persons.len(), households.len(), pairs.len(), lives.shown.len()] {
            out.put_u16(count as u16);
        }
        for codes in [&persons, &households] {
            let mut last = 0;
            for &code in codes {
                out.put_varint(u64::from(code - last));
                last = code;
            }
        }
        let index_of = |codes: &[u32], code| codes.partition_point(|&known| known < code) as u16;
        let person_indexes = pairs.iter().map(|pair| index_of(&persons, (pair >> 32) as u32));
        put_indexes(&mut out, person_indexes, wide_persons);
        let household_indexes = pairs.iter().map(|&pair| index_of(&households, pair as u32));
        put_indexes(&mut out, household_indexes, wide_households);
        put_indexes(&mut out, lives.shown.iter().copied(), wide_lives);
        put_indexes(&mut out, lives.of_rows.iter().copied(), wide_lives);
        out.extend(self.births.iter().flat_map(|birth| birth.to_le_bytes()));
        out.extend_from_slice(&lives.courses);
        let lasts: Vec<u64> = self
            .changes
            .values()
            .map(|change| self.newest.get().saturating_sub(change.last.get()))
            .collect();
        out.put_runs(&lasts);
        out
    }

    /// The segment that these bytes hold.
    pub fn decode(bytes: &[u8]) -> Result<Self, FormatError> {
        let view = HotView::parse(bytes)?;
        let courses = view.courses()?;
        let rows = view.rows();
        let mut segment = Self {
            persons: Vec::with_capacity(rows),
            households: Vec::with_capacity(rows),
            births: (0..rows).map(|row| view.birth(row)).collect(),
            newest: view.newest,
            ..Self::new(view.unit, view.base)
        };
        let lasts = view.lasts()?;
        let mut lasts = lasts.into_iter();
        for row in 0..rows {
            let (person, household) = view.shown(row);
            segment.persons.push(person);
            segment.households.push(household);
            let Some(course) = view.course_of(row) else {
                continue;
            };
            let course = courses.get(course);
            let change = Change {
                last: lasts.next().map_or(view.newest, |(_, last)| last),
                earlier: course.earlier,
                versions: view.versions(course, segment.beginning(row))?,
            };
            segment.changes.insert(row as u16, change);
        }
        Ok(segment)
    }
}

/// The lives of a segment's rows while it is encoded.
struct Lives<'p> {
    pairs: &'p [u64],
    /// By row.
    of_rows: Vec<u16>,
    /// By course, the pair that the columns show.
    shown: Vec<u16>,
    /// The courses in the order in which rows first have them, encoded.
    courses: Vec<u8>,
}

impl<'p> Lives<'p> {
    fn new(pairs: &'p [u64], rows: usize) -> Self {
        Self {
            pairs,
            of_rows: Vec::with_capacity(rows),
            shown: Vec::new(),
            courses: Vec::new(),
        }
    }

    fn index_of(&self, pair: u64) -> usize {
        self.pairs.partition_point(|&known| known < pair)
    }

    /// Gives every row its life.
    fn number(&mut self, segment: &HotSegment) {
        // Neighbours are often alike, or take turns, so the last two pairs are tried before the search.
        let (mut last, mut other) = (0, 0);
        for (&person, &household) in segment.persons.iter().zip(&segment.households) {
            let pair = pair_of(person, household);
            if self.pairs.get(last) != Some(&pair) {
                let found = match self.pairs.get(other) {
                    Some(&known) if known == pair => other,
                    _ => self.index_of(pair),
                };
                (last, other) = (found, last);
            }
            self.of_rows.push(last as u16);
        }
        // By its bytes, and before them the pair that the columns show.
        let mut numbers: FxHashMap<Box<[u8]>, u16> = FxHashMap::default();
        let mut course = Vec::new();
        for (&row, change) in &segment.changes {
            let row = usize::from(row);
            let shown = self.of_rows[row];
            course.clear();
            course.put_u16(shown);
            self.put_course(&mut course, segment, change, segment.beginning(row));
            let number = if let Some(&number) = numbers.get(course.as_slice()) {
                number
            } else {
                let number = self.shown.len() as u16;
                self.shown.push(shown);
                self.courses.extend_from_slice(&course[2..]);
                numbers.insert(course.as_slice().into(), number);
                number
            };
            self.of_rows[row] = self.pairs.len() as u16 + number;
        }
    }

    fn put_course(&self, out: &mut Vec<u8>, segment: &HotSegment, change: &Change, beginning: u16) {
        let first = change.versions.first();
        let begins = first.is_some_and(|first| first.from.index() == beginning);
        let earlier = if change.earlier.is_some() { EARLIER } else { 0 };
        out.put_u8(change.versions.len() as u8 | earlier | if begins { BEGINNING } else { 0 });
        if let Some(earlier) = change.earlier {
            out.put_u16(earlier.index());
        }
        let (mut month, mut before) = (None, None);
        for (at, version) in change.versions.iter().enumerate() {
            let (presence, elsewhere) = match version.presence {
                Presence::Absent => (0, None),
                Presence::Present => (1, None),
                Presence::Dies => (2, None),
                Presence::Elsewhere(unit) => (3, Some(unit)),
            };
            let pair = pair_of(version.person, version.household);
            let same = presence != 0 && before == Some(pair);
            out.put_u8(presence | if same { SAME_PAIR } else { 0 });
            if at > 0 || !begins {
                match month {
                    None => {
                        out.put_zigzag(i64::from(version.from.index()) - i64::from(segment.base.index()));
                    }
                    Some(month) => out.put_varint(u64::from(version.from.index() - month)),
                }
                month = Some(version.from.index());
            }
            if let Some(unit) = elsewhere {
                out.put_u16(unit);
            }
            if presence != 0 && !same {
                out.put_varint(self.index_of(pair) as u64);
            }
            before = (presence != 0).then_some(pair);
        }
    }
}

fn put_indexes(out: &mut Vec<u8>, indexes: impl Iterator<Item = u16>, wide: bool) {
    if wide {
        out.extend(indexes.flat_map(u16::to_le_bytes));
    } else {
        out.extend(indexes.map(|index| index as u8));
    }
}
