//! Hot segments: what a run reads of every person, and nothing else.
//!
//! ```text
//!  0  version u8 = 1
//!  1  flags u8: bit 0 person codes are two bytes wide, bit 1 household codes are two bytes wide
//!  2  rows u16
//!  4  unit u16
//!  6  base u16                  the month before which no row is present unless it says so
//!  8  newest u48                the greatest sequence that recorded anything that this segment shows
//! 14  person codes u16, household codes u16, changed rows u16
//! 20  person dictionary         ascending profile codes, varint distances
//!     household dictionary      likewise
//!     person column             rows × (u8 | u16) index into the dictionary
//!     household column          rows × (u8 | u16)
//!     birth column              rows × u16: bit 15 the month is unknown (January stands), else month index
//!     changed rows              each: row (varint distance to the changed row before),
//!                               head u8 (bits 0-4 number of versions, bit 5 an earlier month follows, bit 6 last
//!                               recorded by `newest`), unless so varint distance of last to `newest`, [months before
//!                               this u16 are answered from facts], then the versions, each:
//!                               head u8 (bits 0-1 presence: 0 absent, 1 present, 2 dies in the month, 3 elsewhere;
//!                               bits 2 and 3 person and household are those of the version before),
//!                               from (the first: zigzag distance to base; later: varint distance to the one before),
//!                               [unit u16 if elsewhere], [person index, household index unless absent or as before]
//! ```
//!
//! The columns hold the newest state, changes of coming months included. A row without a change is present from
//! the later of the segment's base and its birth month on, with the codes of its columns, and has been so since it
//! was recorded. A changed row is absent before its first version.

use std::collections::BTreeMap;

use super::bytes::{Reader, Writer};
use super::error::{Expected, FormatError};
use super::locator::SEGMENT_ROWS_MAX;
use crate::types::{BirthDate, Month, Sequence};

const VERSION: u8 = 1;
const HEADER_BYTES: usize = 20;
const COUNT: u8 = 0x1f;
const EARLIER: u8 = 0x20;
const NEWEST: u8 = 0x40;
const PRESENCE: u8 = 0x03;
const SAME_PERSON: u8 = 0x04;
const SAME_HOUSEHOLD: u8 = 0x08;
/// The greatest number of versions kept of one row; before the oldest, facts answer.
pub const VERSIONS_MAX: usize = 16;
const _: () = assert!(VERSIONS_MAX <= COUNT as usize);
/// A new segment is begun when the encoded bytes would pass this: a 4 KiB leaf page of a table with 4-byte keys
/// holds 4,084, and the rest is left for changes to come.
pub const FILL_BYTES: usize = 3_940;
/// What a changed row takes beside its versions, mostly; for the estimate of how full a segment is.
pub const CHANGE_BYTES: usize = 3;
/// What a version takes, mostly.
pub const VERSION_BYTES: usize = 4;
/// Bit of the birth column that says that the month is unknown.
pub const BIRTH_MONTH_UNKNOWN: u16 = 0x8000;

/// Whether and where a row's person is present.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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

/// What a row shows for a month.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shown {
    /// Absent.
    Absent,
    /// This version.
    Version(Version),
    /// Ask the facts.
    Facts,
}

/// A change of a segment that was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChangeView<'c> {
    /// As [`Change::last`].
    pub last: Sequence,
    /// As [`Change::earlier`].
    pub earlier: Option<Month>,
    /// As [`Change::versions`].
    pub versions: &'c [Version],
    /// The places of each version's codes in the segment's dictionaries, of person and household; of no meaning where
    /// the person is absent.
    pub indexes: &'c [(u16, u16)],
}

/// The rows of a segment that show more than their columns: their versions stand one after the other.
#[derive(Debug, Clone, Default)]
pub struct Changes {
    rows: Vec<ChangedRow>,
    versions: Vec<Version>,
    /// Of each version, the places of its codes in the dictionaries.
    indexes: Vec<(u16, u16)>,
}

#[derive(Debug, Clone, Copy)]
struct ChangedRow {
    row: u16,
    last: Sequence,
    earlier: Option<Month>,
    /// Where its versions end.
    end: u32,
}

impl Changes {
    /// How many rows.
    pub const fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there are none.
    pub const fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The rows, ascending, and their changes.
    pub fn iter(&self) -> impl Iterator<Item = (u16, ChangeView<'_>)> {
        let mut begin = 0;
        self.rows.iter().map(move |changed| {
            let end = changed.end as usize;
            let view = ChangeView {
                last: changed.last,
                earlier: changed.earlier,
                versions: &self.versions[begin..end],
                indexes: &self.indexes[begin..end],
            };
            begin = end;
            (changed.row, view)
        })
    }
}

impl ChangeView<'_> {
    /// What the row shows in a month, as known at a sequence.
    pub fn shown(self, month: Month, known: Sequence) -> Shown {
        if self.last > known || self.earlier.is_some_and(|earlier| month < earlier) {
            return Shown::Facts;
        }
        match self.versions.iter().rev().find(|version| version.from <= month) {
            Some(version) if version.presence != Presence::Absent => Shown::Version(*version),
            _ => Shown::Absent,
        }
    }
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

    /// The bytes of the segment.
    pub fn encode(&self) -> Vec<u8> {
        let visible = || self.changes.values().flat_map(|change| &change.versions);
        let dictionary = |column: &[u32], version: fn(&Version) -> u32| {
            let mut codes: Vec<u32> = column.iter().copied().chain(visible().map(version)).collect();
            // Neighbours are often alike, and few codes are left to be sorted.
            codes.dedup();
            codes.sort_unstable();
            codes.dedup();
            codes
        };
        let persons = dictionary(&self.persons, |version| version.person);
        let households = dictionary(&self.households, |version| version.household);
        let (wide_person, wide_household) = (persons.len() > 256, households.len() > 256);
        let mut out =
            Vec::with_capacity(HEADER_BYTES + self.rows() * 4 + persons.len() * 2 + self.changes.len() * 24);
        out.put_u8(VERSION);
        out.put_u8(u8::from(wide_person) | u8::from(wide_household) << 1);
        out.put_u16(self.rows() as u16);
        out.put_u16(self.unit);
        out.put_u16(self.base.index());
        out.put_u48(self.newest.get());
        out.put_u16(persons.len() as u16);
        out.put_u16(households.len() as u16);
        out.put_u16(self.changes.len() as u16);
        for codes in [&persons, &households] {
            let mut last = 0;
            for &code in codes {
                out.put_varint(u64::from(code - last));
                last = code;
            }
        }
        for (column, codes, wide) in [
            (&self.persons, &persons, wide_person),
            (&self.households, &households, wide_household),
        ] {
            put_indexes(&mut out, column, codes, wide);
        }
        out.extend(self.births.iter().flat_map(|birth| birth.to_le_bytes()));
        let mut last_row = 0;
        for (&row, change) in &self.changes {
            out.put_varint(u64::from(row - last_row));
            last_row = row;
            self.put_change(
                &mut out,
                change,
                (&persons, wide_person),
                (&households, wide_household),
            );
        }
        out
    }

    fn put_change(
        &self,
        out: &mut Vec<u8>,
        change: &Change,
        (persons, wide_person): (&[u32], bool),
        (households, wide_household): (&[u32], bool),
    ) {
        let index_of = |codes: &[u32], code| codes.partition_point(|&known| known < code);
        let newest = change.last == self.newest;
        let earlier = if change.earlier.is_some() { EARLIER } else { 0 };
        out.put_u8(change.versions.len() as u8 | earlier | if newest { NEWEST } else { 0 });
        if !newest {
            out.put_varint(self.newest.get().saturating_sub(change.last.get()));
        }
        if let Some(earlier) = change.earlier {
            out.put_u16(earlier.index());
        }
        let mut before: Option<&Version> = None;
        for version in &change.versions {
            let (presence, elsewhere) = match version.presence {
                Presence::Absent => (0, None),
                Presence::Present => (1, None),
                Presence::Dies => (2, None),
                Presence::Elsewhere(unit) => (3, Some(unit)),
            };
            let same_person = before.is_some_and(|before| before.person == version.person);
            let same_household = before.is_some_and(|before| before.household == version.household);
            let same =
                if same_person { SAME_PERSON } else { 0 } | if same_household { SAME_HOUSEHOLD } else { 0 };
            out.put_u8(presence | if presence == 0 { 0 } else { same });
            match before {
                None => out.put_zigzag(i64::from(version.from.index()) - i64::from(self.base.index())),
                Some(before) => out.put_varint(u64::from(version.from.index() - before.from.index())),
            }
            if let Some(unit) = elsewhere {
                out.put_u16(unit);
            }
            if presence != 0 && !same_person {
                put_index(out, index_of(persons, version.person), wide_person);
            }
            if presence != 0 && !same_household {
                put_index(out, index_of(households, version.household), wide_household);
            }
            before = Some(version);
        }
    }

    /// The segment that these bytes hold.
    pub fn decode(bytes: &[u8]) -> Result<Self, FormatError> {
        let view = HotView::parse(bytes)?;
        let column = |codes: &[u32], column: Indexes<'_>| {
            (0..view.rows())
                .map(|row| codes[column.get(row)])
                .collect::<Vec<u32>>()
        };
        Ok(Self {
            unit: view.unit,
            base: view.base,
            newest: view.newest,
            persons: column(&view.person_codes, view.persons),
            households: column(&view.household_codes, view.households),
            births: (0..view.rows()).map(|row| view.birth(row)).collect(),
            changes: view
                .changes()?
                .iter()
                .map(|(row, change)| {
                    let change = Change {
                        last: change.last,
                        earlier: change.earlier,
                        versions: change.versions.to_vec(),
                    };
                    (row, change)
                })
                .collect(),
        })
    }
}

fn put_indexes(out: &mut Vec<u8>, column: &[u32], codes: &[u32], wide: bool) {
    // Neighbours are often alike, or take turns, so the last two indexes are tried before the search.
    let (mut last, mut other) = (0, 0);
    let indexes = column.iter().map(|&code| {
        if codes.get(last) != Some(&code) {
            let found = match codes.get(other) {
                Some(&known) if known == code => other,
                _ => codes.partition_point(|&known| known < code),
            };
            (last, other) = (found, last);
        }
        last
    });
    if wide {
        out.extend(indexes.flat_map(|index| (index as u16).to_le_bytes()));
    } else {
        out.extend(indexes.map(|index| index as u8));
    }
}

fn put_index(out: &mut Vec<u8>, index: usize, wide: bool) {
    if wide {
        out.put_u16(index as u16);
    } else {
        out.put_u8(index as u8);
    }
}

/// A column of dictionary indexes, one or two bytes wide. Every index is within its dictionary.
#[derive(Debug, Clone, Copy)]
pub enum Indexes<'a> {
    /// One byte each.
    Narrow(&'a [u8]),
    /// Two bytes each.
    Wide(&'a [u8]),
}

impl Indexes<'_> {
    /// The indexes of some rows.
    #[must_use]
    pub fn part(self, rows: std::ops::Range<usize>) -> Self {
        match self {
            Self::Narrow(bytes) => Self::Narrow(&bytes[rows]),
            Self::Wide(bytes) => Self::Wide(&bytes[rows.start * 2..rows.end * 2]),
        }
    }

    /// The index of a row.
    #[inline]
    pub fn get(self, row: usize) -> usize {
        match self {
            Self::Narrow(bytes) => usize::from(bytes[row]),
            Self::Wide(bytes) => usize::from(u16::from_le_bytes([bytes[row * 2], bytes[row * 2 + 1]])),
        }
    }
}

/// A hot segment read in place: the columns are not copied.
#[derive(Debug, Clone)]
pub struct HotView<'a> {
    /// The unit to which its rows were entered.
    pub unit: u16,
    /// The month before which no row is present unless its change says so.
    pub base: Month,
    /// The greatest sequence that recorded anything that it shows.
    pub newest: Sequence,
    /// Profile codes of persons, ascending.
    pub person_codes: Vec<u32>,
    /// Profile codes of households, ascending.
    pub household_codes: Vec<u32>,
    /// The person column.
    pub persons: Indexes<'a>,
    /// The household column.
    pub households: Indexes<'a>,
    births: &'a [u8],
    changes: Reader<'a>,
    changed: usize,
}

impl<'a> HotView<'a> {
    /// Reads the header, the dictionaries and the bounds of the columns, and checks every index.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, FormatError> {
        let mut reader = Reader::new(bytes);
        reader.version(VERSION, "hot segment version")?;
        let flags = reader.u8("hot segment flags")?;
        let rows = usize::from(reader.u16("row count")?);
        if flags > 3 || rows > SEGMENT_ROWS_MAX {
            let (found, max) = if flags > 3 {
                (u64::from(flags), 3)
            } else {
                (rows as u64, SEGMENT_ROWS_MAX as u64)
            };
            return Err(FormatError::new(
                "hot segment header",
                1,
                found,
                Expected::AtMost(max),
            ));
        }
        let unit = reader.u16("unit")?;
        let base = month(&mut reader, "base month")?;
        let newest = Sequence(reader.u48("newest sequence")?);
        let counts = [
            reader.u16("person codes")?,
            reader.u16("household codes")?,
            reader.u16("changed rows")?,
        ];
        let person_codes = dictionary(&mut reader, usize::from(counts[0]))?;
        let household_codes = dictionary(&mut reader, usize::from(counts[1]))?;
        let persons = indexes(&mut reader, rows, flags & 1 != 0, person_codes.len())?;
        let households = indexes(&mut reader, rows, flags & 2 != 0, household_codes.len())?;
        let births = reader.slice(rows * 2, "birth column")?;
        Ok(Self {
            unit,
            base,
            newest,
            person_codes,
            household_codes,
            persons,
            households,
            births,
            changes: reader,
            changed: usize::from(counts[2]),
        })
    }

    /// The number of rows.
    pub const fn rows(&self) -> usize {
        self.births.len() / 2
    }

    /// The birth code of a row.
    #[inline]
    pub fn birth(&self, row: usize) -> u16 {
        u16::from_le_bytes([self.births[row * 2], self.births[row * 2 + 1]])
    }

    /// The birth column, two bytes a row.
    pub const fn births(&self) -> &'a [u8] {
        self.births
    }

    /// The rows that show more than their columns, by row.
    pub fn changes(&self) -> Result<Changes, FormatError> {
        let mut reader = self.changes.clone();
        let room = self.changed.min(reader.remaining() / 2);
        let mut changes = Changes {
            rows: Vec::with_capacity(room),
            versions: Vec::with_capacity(room),
            indexes: Vec::with_capacity(room),
        };
        for _ in 0..self.changed {
            self.change(&mut reader, &mut changes)?;
        }
        reader.end("hot segment")?;
        Ok(changes)
    }

    /// Reads the next changed row.
    #[inline]
    fn change(&self, reader: &mut Reader<'_>, changes: &mut Changes) -> Result<(), FormatError> {
        let after = changes.rows.last().map(|changed| changed.row);
        let at = reader.at();
        let distance = reader.varint_max(SEGMENT_ROWS_MAX as u64, "changed row")?;
        let row = u64::from(after.unwrap_or(0)) + distance;
        if row >= self.rows() as u64 || (after.is_some() && distance == 0) {
            let expected = Expected::Words("rows of the segment in ascending order");
            return Err(FormatError::new("changed row", at, row, expected));
        }
        let head = reader.u8("change head")?;
        let count = usize::from(head & COUNT);
        if head & !(COUNT | EARLIER | NEWEST) != 0 || count > VERSIONS_MAX {
            let expected = Expected::Words("known bits and at most 16 versions");
            return Err(FormatError::new("change head", at, u64::from(head), expected));
        }
        let last = if head & NEWEST != 0 {
            self.newest
        } else {
            Sequence(self.newest.get() - reader.varint_max(self.newest.get(), "last sequence")?)
        };
        let earlier = if head & EARLIER == 0 {
            None
        } else {
            Some(month(reader, "earlier month")?)
        };
        let begin = changes.versions.len();
        for _ in 0..count {
            let before = changes.versions[begin..].last().copied();
            let before = before.zip(changes.indexes.last().copied());
            let (version, indexes) = self.version(reader, before)?;
            changes.versions.push(version);
            changes.indexes.push(indexes);
        }
        changes.rows.push(ChangedRow {
            row: row as u16,
            last,
            earlier,
            end: changes.versions.len() as u32,
        });
        Ok(())
    }

    /// Reads a version, which comes after another one or is the first of its row, and the places of its codes.
    #[inline]
    fn version(
        &self,
        reader: &mut Reader<'_>,
        before: Option<(Version, (u16, u16))>,
    ) -> Result<(Version, (u16, u16)), FormatError> {
        let at = reader.at();
        let head = reader.u8("version head")?;
        if head & !(PRESENCE | SAME_PERSON | SAME_HOUSEHOLD) != 0 {
            return Err(FormatError::new(
                "version head",
                at,
                u64::from(head),
                Expected::AtMost(15),
            ));
        }
        let index = match before {
            None => i64::from(self.base.index()).saturating_add(reader.zigzag("version month")?),
            Some((before, _)) => {
                let distance = reader.varint_max(u64::from(Month::MAX.index()), "version month")?;
                if distance == 0 {
                    let expected = Expected::Words("versions in ascending order of months");
                    return Err(FormatError::new("version month", at, 0, expected));
                }
                i64::from(before.from.index()) + distance as i64
            }
        };
        let from = u16::try_from(index)
            .ok()
            .and_then(Month::from_index)
            .ok_or_else(|| {
                let expected = Expected::AtMost(u64::from(Month::MAX.index()));
                FormatError::new("version month", at, index.unsigned_abs(), expected)
            })?;
        let presence = match head & PRESENCE {
            0 => {
                let absent = Version {
                    from,
                    presence: Presence::Absent,
                    person: 0,
                    household: 0,
                };
                return Ok((absent, (0, 0)));
            }
            1 => Presence::Present,
            2 => Presence::Dies,
            _ => Presence::Elsewhere(reader.u16("unit elsewhere")?),
        };
        let (person, person_at) = match before {
            Some((before, at)) if head & SAME_PERSON != 0 => (before.person, at.0),
            _ => code(
                reader,
                matches!(self.persons, Indexes::Wide(_)),
                &self.person_codes,
            )?,
        };
        let (household, household_at) = match before {
            Some((before, at)) if head & SAME_HOUSEHOLD != 0 => (before.household, at.1),
            _ => code(
                reader,
                matches!(self.households, Indexes::Wide(_)),
                &self.household_codes,
            )?,
        };
        let version = Version {
            from,
            presence,
            person,
            household,
        };
        Ok((version, (person_at, household_at)))
    }
}

/// What a hot segment says of itself before its columns, read into buffers that are used again: whether any of some
/// profiles occurs in it is told without looking at the rows.
#[derive(Debug)]
pub struct HotHead {
    /// The greatest sequence that recorded anything that the segment shows.
    pub newest: Sequence,
    /// Profile codes of persons, ascending, those of versions included.
    pub person_codes: Vec<u32>,
    /// Profile codes of households, likewise.
    pub household_codes: Vec<u32>,
}

impl Default for HotHead {
    fn default() -> Self {
        Self {
            newest: Sequence::ZERO,
            person_codes: Vec::new(),
            household_codes: Vec::new(),
        }
    }
}

impl HotHead {
    /// Reads header and dictionaries of a segment.
    pub fn read(&mut self, bytes: &[u8]) -> Result<(), FormatError> {
        self.read_from(&mut Reader::new(bytes)).map(|_| ())
    }

    /// As [`HotHead::read`], up to the columns; answers the flags, the rows, and the number of changed rows.
    fn read_from(&mut self, reader: &mut Reader<'_>) -> Result<(u8, usize, u16), FormatError> {
        reader.version(VERSION, "hot segment version")?;
        let flags = reader.u8("hot segment flags")?;
        let rows = usize::from(reader.u16("row count")?);
        reader.u16("unit")?;
        reader.u16("base month")?;
        self.newest = Sequence(reader.u48("newest sequence")?);
        let counts = [
            reader.u16("person codes")?,
            reader.u16("household codes")?,
            reader.u16("changed rows")?,
        ];
        dictionary_into(reader, usize::from(counts[0]), &mut self.person_codes)?;
        dictionary_into(reader, usize::from(counts[1]), &mut self.household_codes)?;
        Ok((flags, rows, counts[2]))
    }

    /// The first month that no row asks the facts about, as long as nothing in the segment was recorded after the
    /// sequence asked for; `None` if that is so of every month.
    pub fn answered_from(&mut self, bytes: &[u8]) -> Result<Option<Month>, FormatError> {
        let mut reader = Reader::new(bytes);
        let (flags, rows, changed) = self.read_from(&mut reader)?;
        let person_bytes = 1 + usize::from(flags & 1 != 0);
        let household_bytes = 1 + usize::from(flags & 2 != 0);
        reader.slice(rows * (person_bytes + household_bytes + 2), "columns")?;
        let mut latest = None;
        for _ in 0..changed {
            latest = latest.max(skip_change(&mut reader, person_bytes, household_bytes)?);
        }
        Ok(latest)
    }
}

/// Skips a changed row; answers the month before which facts answer for it, if there is one.
fn skip_change(
    reader: &mut Reader<'_>,
    person_bytes: usize,
    household_bytes: usize,
) -> Result<Option<Month>, FormatError> {
    reader.varint("changed row")?;
    let head = reader.u8("change head")?;
    if head & NEWEST == 0 {
        reader.varint("last sequence")?;
    }
    let earlier = if head & EARLIER == 0 {
        None
    } else {
        Some(month(reader, "earlier month")?)
    };
    for _ in 0..head & COUNT {
        let head = reader.u8("version head")?;
        reader.varint("version month")?;
        let presence = head & PRESENCE;
        let mut bytes = if presence == PRESENCE { 2 } else { 0 };
        if presence != 0 && head & SAME_PERSON == 0 {
            bytes += person_bytes;
        }
        if presence != 0 && head & SAME_HOUSEHOLD == 0 {
            bytes += household_bytes;
        }
        reader.slice(bytes, "version")?;
    }
    Ok(earlier)
}

/// What a changed row shows at the end of a month, in indexes of the segment's dictionaries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AtEnd {
    /// Nobody who is alive and belongs to the unit of the segment.
    Nobody,
    /// A person with these profiles.
    Present {
        /// The index of the person's profile code.
        person: usize,
        /// The index of the household's.
        household: usize,
    },
    /// Ask the facts.
    Facts,
}

impl HotView<'_> {
    /// Shows the changed rows as they are at the end of a month, by row: what [`HotView::changes`] tells of it, without
    /// keeping the other versions.
    pub fn each_changed(
        &self,
        month: Month,
        known: Sequence,
        visit: &mut impl FnMut(usize, AtEnd),
    ) -> Result<(), FormatError> {
        let mut reader = self.changes.clone();
        let mut row: u64 = 0;
        for number in 0..self.changed {
            let at = reader.at();
            let distance = reader.varint("changed row")?;
            row = row.saturating_add(distance);
            if row >= self.rows() as u64 || (number > 0 && distance == 0) {
                let expected = Expected::Words("rows of the segment in ascending order");
                return Err(FormatError::new("changed row", at, row, expected));
            }
            let shown = self.at_end(&mut reader, month, known)?;
            visit(row as usize, shown);
        }
        reader.end("hot segment")
    }

    /// Reads the rest of a changed row.
    fn at_end(&self, reader: &mut Reader<'_>, asked: Month, known: Sequence) -> Result<AtEnd, FormatError> {
        let head = reader.u8("change head")?;
        let mut facts = false;
        if head & NEWEST == 0 {
            let last = self.newest.get().saturating_sub(reader.varint("last sequence")?);
            facts |= Sequence(last) > known;
        } else {
            facts |= self.newest > known;
        }
        if head & EARLIER != 0 {
            facts |= asked < month(reader, "earlier month")?;
        }
        let (wide_person, wide_household) = (
            matches!(self.persons, Indexes::Wide(_)),
            matches!(self.households, Indexes::Wide(_)),
        );
        let asked = i64::from(asked.index());
        let (mut from, mut person, mut household) = (0, usize::MAX, usize::MAX);
        let mut shown = AtEnd::Nobody;
        for number in 0..head & COUNT {
            let head = reader.u8("version head")?;
            from = match number {
                0 => i64::from(self.base.index()).saturating_add(reader.zigzag("version month")?),
                _ => from + reader.varint_max(u64::from(Month::MAX.index()), "version month")? as i64,
            };
            let presence = head & PRESENCE;
            if presence == PRESENCE {
                reader.u16("unit elsewhere")?;
            }
            if presence == 0 {
                (person, household) = (0, 0);
            } else {
                if head & SAME_PERSON == 0 || number == 0 {
                    person = index(reader, wide_person)?;
                }
                if head & SAME_HOUSEHOLD == 0 || number == 0 {
                    household = index(reader, wide_household)?;
                }
            }
            if from <= asked {
                shown = if presence == 1 {
                    AtEnd::Present { person, household }
                } else {
                    AtEnd::Nobody
                };
            }
        }
        match shown {
            _ if facts => Ok(AtEnd::Facts),
            AtEnd::Present { person, household }
                if person >= self.person_codes.len() || household >= self.household_codes.len() =>
            {
                let expected = Expected::Words("indexes within the dictionaries");
                Err(FormatError::new("version", reader.at(), person as u64, expected))
            }
            shown => Ok(shown),
        }
    }
}

fn index(reader: &mut Reader<'_>, wide: bool) -> Result<usize, FormatError> {
    Ok(if wide {
        usize::from(reader.u16("code")?)
    } else {
        usize::from(reader.u8("code")?)
    })
}

/// The columns of one row, read without looking at the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HotRow {
    /// Profile code of the person.
    pub person: u32,
    /// Profile code of the household.
    pub household: u32,
    /// The birth code.
    pub birth: u16,
}

impl HotRow {
    /// The columns of a row; `None` if there are fewer rows.
    pub fn read(bytes: &[u8], row: usize) -> Result<Option<Self>, FormatError> {
        let mut reader = Reader::new(bytes);
        reader.version(VERSION, "hot segment version")?;
        let flags = reader.u8("hot segment flags")?;
        let rows = usize::from(reader.u16("row count")?);
        if row >= rows {
            return Ok(None);
        }
        reader.slice(HEADER_BYTES - 4 - 6, "hot segment header")?;
        let counts = [reader.u16("person codes")?, reader.u16("household codes")?];
        reader.u16("changed rows")?;
        let persons = reader.clone();
        skip_varints(&mut reader, usize::from(counts[0]))?;
        let households = reader.clone();
        skip_varints(&mut reader, usize::from(counts[1]))?;
        let mut index = |wide: bool| -> Result<usize, FormatError> {
            if wide {
                let mut column = Reader::new(reader.slice(rows * 2, "column")?);
                column.slice(row * 2, "column")?;
                return Ok(usize::from(column.u16("column")?));
            }
            Ok(usize::from(reader.slice(rows, "column")?[row]))
        };
        let person = dictionary_entry(persons, usize::from(counts[0]), index(flags & 1 != 0)?)?;
        let household = dictionary_entry(households, usize::from(counts[1]), index(flags & 2 != 0)?)?;
        let births = reader.slice(rows * 2, "birth column")?;
        let birth = u16::from_le_bytes([births[row * 2], births[row * 2 + 1]]);
        Ok(Some(Self {
            person,
            household,
            birth,
        }))
    }
}

#[inline]
fn month(reader: &mut Reader<'_>, what: &'static str) -> Result<Month, FormatError> {
    let at = reader.at();
    let index = reader.u16(what)?;
    Month::from_index(index).ok_or_else(|| {
        FormatError::new(
            what,
            at,
            u64::from(index),
            Expected::AtMost(u64::from(Month::MAX.index())),
        )
    })
}

fn dictionary(reader: &mut Reader<'_>, count: usize) -> Result<Vec<u32>, FormatError> {
    let mut codes = Vec::new();
    dictionary_into(reader, count, &mut codes)?;
    Ok(codes)
}

fn dictionary_into(reader: &mut Reader<'_>, count: usize, codes: &mut Vec<u32>) -> Result<(), FormatError> {
    codes.clear();
    codes.reserve(count.min(reader.remaining()));
    let mut last = 0_u32;
    for place in 0..count {
        let at = reader.at();
        let distance = reader.varint_max(u64::from(u32::MAX - last), "profile code")? as u32;
        if distance == 0 && place > 0 {
            return Err(FormatError::new(
                "profile code",
                at,
                0,
                Expected::Words("codes in ascending order"),
            ));
        }
        last += distance;
        codes.push(last);
    }
    Ok(())
}

fn skip_varints(reader: &mut Reader<'_>, count: usize) -> Result<(), FormatError> {
    for _ in 0..count {
        reader.varint("profile code")?;
    }
    Ok(())
}

/// One code of a dictionary.
fn dictionary_entry(mut reader: Reader<'_>, count: usize, index: usize) -> Result<u32, FormatError> {
    let at = reader.at();
    if index >= count {
        let expected = Expected::Words("an index within the dictionary");
        return Err(FormatError::new("column", at, index as u64, expected));
    }
    let mut last = 0_u32;
    for _ in 0..=index {
        last += reader.varint_max(u64::from(u32::MAX - last), "profile code")? as u32;
    }
    Ok(last)
}

fn indexes<'a>(
    reader: &mut Reader<'a>,
    rows: usize,
    wide: bool,
    codes: usize,
) -> Result<Indexes<'a>, FormatError> {
    let at = reader.at();
    let (column, greatest) = if wide {
        let bytes = reader.slice(rows * 2, "column")?;
        let greatest = bytes
            .as_chunks::<2>()
            .0
            .iter()
            .map(|pair| u16::from_le_bytes(*pair))
            .max();
        (Indexes::Wide(bytes), greatest.map(usize::from))
    } else {
        let bytes = reader.slice(rows, "column")?;
        (
            Indexes::Narrow(bytes),
            bytes.iter().copied().max().map(usize::from),
        )
    };
    match greatest {
        Some(greatest) if greatest >= codes => Err(FormatError::new(
            "column",
            at,
            greatest as u64,
            Expected::Words("indexes within the dictionary"),
        )),
        _ => Ok(column),
    }
}

/// A code of a dictionary, and its place there.
#[inline]
fn code(reader: &mut Reader<'_>, wide: bool, codes: &[u32]) -> Result<(u32, u16), FormatError> {
    let at = reader.at();
    let index = if wide {
        usize::from(reader.u16("code")?)
    } else {
        usize::from(reader.u8("code")?)
    };
    codes.get(index).map(|&code| (code, index as u16)).ok_or_else(|| {
        FormatError::new(
            "code",
            at,
            index as u64,
            Expected::Words("an index within the dictionary"),
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn month(number: i32) -> Month {
        Month::new(2026, number).unwrap()
    }

    fn sample(rows: usize, codes: u32) -> HotSegment {
        let mut segment = HotSegment::new(12, month(1));
        segment.newest = Sequence((1 << 47) + 3);
        for row in 0..rows as u32 {
            segment.persons.push(row * 7 % codes * 1000);
            segment.households.push(row / 4 % codes);
            segment.births.push(2000 + row as u16);
        }
        let version = |from, presence| Version {
            from: month(from),
            presence,
            person: 5,
            household: 3,
        };
        let absent = Version {
            from: month(9),
            presence: Presence::Absent,
            person: 0,
            household: 0,
        };
        segment.changes.insert(
            0,
            Change {
                last: Sequence(4),
                earlier: None,
                versions: vec![],
            },
        );
        segment.changes.insert(
            2,
            Change {
                last: Sequence(1 << 47),
                earlier: Some(month(2)),
                versions: vec![
                    version(2, Presence::Elsewhere(77)),
                    version(3, Presence::Present),
                    version(8, Presence::Dies),
                    absent,
                ],
            },
        );
        segment
    }

    #[test]
    fn segments_come_back() {
        for (rows, codes) in [(3, 2), (1000, 40), (1000, 400)] {
            let segment = sample(rows, codes);
            assert_eq!(HotSegment::decode(&segment.encode()).unwrap(), segment);
        }
        let empty = HotSegment::new(1, month(1));
        assert_eq!(HotSegment::decode(&empty.encode()).unwrap(), empty);
    }

    #[test]
    fn one_row_is_read_like_all() {
        for (rows, codes) in [(3, 2), (1000, 400)] {
            let segment = sample(rows, codes);
            let bytes = segment.encode();
            for row in 0..rows {
                let one = HotRow::read(&bytes, row).unwrap().unwrap();
                let expected = (segment.persons[row], segment.households[row], segment.births[row]);
                assert_eq!((one.person, one.household, one.birth), expected);
            }
            assert_eq!(HotRow::read(&bytes, rows).unwrap(), None);
        }
    }

    #[test]
    fn a_change_shows_its_month() {
        let bytes = sample(3, 2).encode();
        let changes = HotView::parse(&bytes).unwrap().changes().unwrap();
        let (_, change) = changes.iter().find(|(row, _)| *row == 2).unwrap();
        let presence = |m, known| match change.shown(month(m), known) {
            Shown::Version(version) => Some(version.presence),
            Shown::Absent => Some(Presence::Absent),
            Shown::Facts => None,
        };
        let now = Sequence::NEWEST;
        assert_eq!(presence(1, now), None, "before the window the facts answer");
        assert_eq!(presence(2, now), Some(Presence::Elsewhere(77)));
        assert_eq!(presence(7, now), Some(Presence::Present));
        assert_eq!(presence(8, now), Some(Presence::Dies));
        assert_eq!(presence(12, now), Some(Presence::Absent));
        assert_eq!(
            presence(7, Sequence(5)),
            None,
            "as known before the last record the facts answer"
        );
    }

    #[test]
    fn one_row_costs_four_bytes() {
        let mut segment = sample(900, 40);
        segment.changes.clear();
        assert!(segment.encode().len() < 900 * 4 + 160);
    }

    proptest! {
        #[test]
        fn damage_never_panics(at in any::<usize>(), byte in any::<u8>(), cut in any::<usize>()) {
            let mut bytes = sample(20, 5).encode();
            let len = bytes.len();
            bytes[at % len] = byte;
            if cut % 3 == 0 {
                bytes.truncate(cut % len);
            }
            if let Ok(segment) = HotSegment::decode(&bytes) {
                let _ = segment.encode();
            }
        }
    }
}
