//! Hot segments read in place.

use super::{
    BEGINNING, COUNT, EARLIER, LIVES_MAX, PRESENCE, Presence, SAME_PAIR, VERSION, VERSIONS_MAX, Version,
    WIDE_HOUSEHOLDS, WIDE_LIVES, WIDE_PERSONS,
};
use crate::format::bytes::{Reader, unzigzag};
use crate::format::error::{Expected, FormatError};
use crate::format::locator::SEGMENT_ROWS_MAX;
use crate::types::{Month, Sequence};

/// A column of indexes, one or two bytes wide. Every index is of something that is there.
#[derive(Debug, Clone, Copy)]
pub enum Indexes<'a> {
    /// One byte each.
    Narrow(&'a [u8]),
    /// Two bytes each.
    Wide(&'a [u8]),
}

impl Indexes<'_> {
    /// The index of a row.
    #[inline]
    pub fn get(self, row: usize) -> usize {
        match self {
            Self::Narrow(bytes) => usize::from(bytes[row]),
            Self::Wide(bytes) => usize::from(u16::from_le_bytes([bytes[row * 2], bytes[row * 2 + 1]])),
        }
    }

    /// How many there are.
    const fn len(self) -> usize {
        match self {
            Self::Narrow(bytes) => bytes.len(),
            Self::Wide(bytes) => bytes.len() / 2,
        }
    }
}

/// The places of a person's and a household's code in the dictionaries of a segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pair {
    /// Of the person's.
    pub person: u16,
    /// Of the household's.
    pub household: u16,
}

/// A version of a course.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct CourseVersion {
    /// `None` from the later of the segment's base and the birth month on.
    from: Option<Month>,
    presence: Presence,
    /// The number of the pair; of no meaning where absent.
    pair: u16,
}

/// What somebody's course shows for a month.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shown {
    /// Absent.
    Absent,
    /// In this presence, which is not absent, with the pair of this number.
    As(Presence, u16),
    /// Ask the facts.
    Facts,
}

/// The courses of a segment.
#[derive(Debug, Clone, Default)]
pub struct Courses {
    /// Of each, the month before which the facts answer, and where its versions end.
    ends: Vec<(Option<Month>, u32)>,
    versions: Vec<CourseVersion>,
}

/// One course.
#[derive(Debug, Clone, Copy)]
pub struct Course<'c> {
    /// Months before this one are answered from facts.
    pub earlier: Option<Month>,
    versions: &'c [CourseVersion],
}

impl Courses {
    /// How many there are.
    pub const fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there are none.
    pub const fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// One of them.
    pub fn get(&self, number: usize) -> Course<'_> {
        let begin = number
            .checked_sub(1)
            .map_or(0, |before| self.ends[before].1 as usize);
        let (earlier, end) = self.ends[number];
        Course {
            earlier,
            versions: &self.versions[begin..end as usize],
        }
    }
}

impl Course<'_> {
    /// What it shows in a month, in a segment of this base, of somebody who is born by then.
    #[inline]
    pub fn shown(self, month: Month, base: Month) -> Shown {
        if self.earlier.is_some_and(|earlier| month < earlier) {
            return Shown::Facts;
        }
        let mut versions = self.versions.iter().rev();
        let version = versions.find(|version| version.from.unwrap_or(base) <= month);
        version.map_or(Shown::Absent, |version| version.shown())
    }
}

impl CourseVersion {
    const fn shown(self) -> Shown {
        match self.presence {
            Presence::Absent => Shown::Absent,
            presence => Shown::As(presence, self.pair),
        }
    }
}

/// A hot segment read in place: the columns are not copied.
#[derive(Debug, Clone)]
pub struct HotView<'a> {
    /// The unit to which its rows were entered.
    pub unit: u16,
    /// The month before which no row is present unless its course says so.
    pub base: Month,
    /// The greatest sequence that recorded anything that it shows.
    pub newest: Sequence,
    /// Profile codes of persons, ascending.
    pub person_codes: Vec<u32>,
    /// Profile codes of households, ascending.
    pub household_codes: Vec<u32>,
    /// Person and household of each pair.
    pub pairs: Vec<Pair>,
    /// The life of each row: a pair below their number, otherwise the course of the number above it.
    pub lives: Indexes<'a>,
    shown: Indexes<'a>,
    births: &'a [u8],
    courses: Reader<'a>,
}

/// Memory for views of one segment after another.
#[derive(Debug, Default)]
pub struct HotRoom {
    person_codes: Vec<u32>,
    household_codes: Vec<u32>,
    pairs: Vec<Pair>,
}

/// The fixed part of a segment and where its columns begin.
struct Front<'a> {
    flags: u8,
    rows: usize,
    unit: u16,
    base: Month,
    newest: Sequence,
    persons: usize,
    households: usize,
    pairs: usize,
    courses: usize,
    reader: Reader<'a>,
}

impl<'a> Front<'a> {
    fn read(bytes: &'a [u8]) -> Result<Self, FormatError> {
        let mut reader = Reader::new(bytes);
        reader.version(VERSION, "hot segment version")?;
        let known = WIDE_PERSONS | WIDE_HOUSEHOLDS | WIDE_LIVES;
        let flags = reader.u8("hot segment flags")?;
        if flags > known {
            let expected = Expected::AtMost(u64::from(known));
            return Err(FormatError::new(
                "hot segment flags",
                1,
                u64::from(flags),
                expected,
            ));
        }
        let rows = usize::from(reader.u16("row count")?);
        if rows > SEGMENT_ROWS_MAX {
            let expected = Expected::AtMost(SEGMENT_ROWS_MAX as u64);
            return Err(FormatError::new("row count", 2, rows as u64, expected));
        }
        let unit = reader.u16("unit")?;
        let base = month(&mut reader, "base month")?;
        let newest = Sequence(reader.u48("newest sequence")?);
        let at = reader.at();
        let mut counts = [0; 4];
        for (count, what) in counts
            .iter_mut()
            .zip(["person codes", "household codes", "pairs", "courses"])
        {
            *count = usize::from(reader.u16(what)?);
        }
        let [persons, households, pairs, courses] = counts;
        if pairs + courses > LIVES_MAX {
            let expected = Expected::AtMost(LIVES_MAX as u64);
            return Err(FormatError::new(
                "pairs and courses",
                at + 4,
                (pairs + courses) as u64,
                expected,
            ));
        }
        Ok(Self {
            flags,
            rows,
            unit,
            base,
            newest,
            persons,
            households,
            pairs,
            courses,
            reader,
        })
    }

    const fn is(&self, flag: u8) -> bool {
        self.flags & flag != 0
    }

    /// The next column of so many indexes, which may be of nothing that is there.
    fn unchecked(&mut self, count: usize, flag: u8, what: &'static str) -> Result<Indexes<'a>, FormatError> {
        let bytes = self.reader.slice(count * self.width(flag), what)?;
        Ok(if self.is(flag) {
            Indexes::Wide(bytes)
        } else {
            Indexes::Narrow(bytes)
        })
    }

    /// The bytes of an index with a flag for two.
    const fn width(&self, flag: u8) -> usize {
        if self.is(flag) { 2 } else { 1 }
    }
}

impl<'a> HotView<'a> {
    /// Reads the header, the dictionaries and the bounds of the columns, and checks every index.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, FormatError> {
        Self::parse_in(bytes, HotRoom::default())
    }

    /// As [`HotView::parse`], in memory that was used before.
    pub fn parse_in(bytes: &'a [u8], room: HotRoom) -> Result<Self, FormatError> {
        let HotRoom {
            mut person_codes,
            mut household_codes,
            pairs: mut listed,
        } = room;
        let mut front = Front::read(bytes)?;
        let (rows, pairs, courses) = (front.rows, front.pairs, front.courses);
        let flags = [WIDE_PERSONS, WIDE_HOUSEHOLDS, WIDE_LIVES].map(|flag| front.is(flag));
        let [wide_persons, wide_households, wide_lives] = flags;
        dictionary_into(&mut front.reader, front.persons, &mut person_codes)?;
        dictionary_into(&mut front.reader, front.households, &mut household_codes)?;
        let reader = &mut front.reader;
        let persons = indexes(
            reader,
            pairs,
            wide_persons,
            person_codes.len(),
            "person of a pair",
        )?;
        let households = indexes(
            reader,
            pairs,
            wide_households,
            household_codes.len(),
            "household of a pair",
        )?;
        let shown = indexes(reader, courses, wide_lives, pairs, "pair shown")?;
        let lives = indexes(reader, rows, wide_lives, pairs + courses, "life")?;
        let births = reader.slice(rows * 2, "birth column")?;
        listed.clear();
        if let (Indexes::Narrow(persons), Indexes::Narrow(households)) = (persons, households) {
            let pair = |(&person, &household): (&u8, &u8)| Pair {
                person: u16::from(person),
                household: u16::from(household),
            };
            listed.extend(persons.iter().zip(households).map(pair));
        } else {
            let pair = |at| Pair {
                person: persons.get(at) as u16,
                household: households.get(at) as u16,
            };
            listed.extend((0..pairs).map(pair));
        }
        Ok(Self {
            unit: front.unit,
            base: front.base,
            newest: front.newest,
            person_codes,
            household_codes,
            pairs: listed,
            lives,
            shown,
            births,
            courses: front.reader,
        })
    }

    /// The memory of this view, for another.
    pub fn into_room(self) -> HotRoom {
        HotRoom {
            person_codes: self.person_codes,
            household_codes: self.household_codes,
            pairs: self.pairs,
        }
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

    /// The profile codes of person and household of a pair.
    pub fn codes(&self, pair: usize) -> (u32, u32) {
        let pair = self.pairs[pair];
        (
            self.person_codes[usize::from(pair.person)],
            self.household_codes[usize::from(pair.household)],
        )
    }

    /// The course of a row; `None` where it is a pair.
    pub fn course_of(&self, row: usize) -> Option<usize> {
        self.lives.get(row).checked_sub(self.pairs.len())
    }

    /// The profile codes that the columns of a row show.
    pub fn shown(&self, row: usize) -> (u32, u32) {
        let life = self.lives.get(row);
        let pair = match life.checked_sub(self.pairs.len()) {
            Some(course) => self.shown.get(course),
            None => life,
        };
        self.codes(pair)
    }

    /// The courses.
    pub fn courses(&self) -> Result<Courses, FormatError> {
        let mut courses = Courses::default();
        let mut reader = self.courses.clone();
        for _ in 0..self.shown.len() {
            let versions = &mut courses.versions;
            let earlier = read_course(&mut reader, (self.base, self.pairs.len()), |version| {
                versions.push(version);
            })?;
            courses.ends.push((earlier, courses.versions.len() as u32));
        }
        Ok(courses)
    }

    /// Hands out what each course shows, in their order, in a month and in an earlier one, of somebody who is born by
    /// then; as [`Course::shown`] does, but without keeping the versions.
    #[inline]
    pub fn each_shown(
        &self,
        (month, before): (Month, Option<Month>),
        mut take: impl FnMut(Shown, Shown),
    ) -> Result<(), FormatError> {
        let mut reader = self.courses.clone();
        for _ in 0..self.shown.len() {
            if let Some((now, earlier)) = self.changed_once(&mut reader, (month, before)) {
                take(now, earlier);
                continue;
            }
            let mut shown = [Shown::Absent; 2];
            let earlier = read_course(&mut reader, (self.base, self.pairs.len()), |version| {
                let from = version.from.unwrap_or(self.base);
                if from <= month {
                    shown[0] = version.shown();
                    if before.is_some_and(|before| from <= before) {
                        shown[1] = shown[0];
                    }
                }
            })?;
            if let Some(earlier) = earlier {
                for (shown, month) in shown.iter_mut().zip([Some(month), before]) {
                    if month.is_some_and(|month| month < earlier) {
                        *shown = Shown::Facts;
                    }
                }
            }
            take(shown[0], shown[1]);
        }
        Ok(())
    }

    /// What a course shows in two months, as [`HotView::each_shown`] has it, if it is one that changes once and is present
    /// before and after, in numbers of one byte: two of three are. Of another nothing is read.
    #[inline]
    fn changed_once(
        &self,
        reader: &mut Reader<'_>,
        (month, before): (Month, Option<Month>),
    ) -> Option<(Shown, Shown)> {
        const HEAD: u8 = BEGINNING | 2;
        let &[HEAD, 1, first @ ..0x80, 1, distance @ ..0x80, second @ ..0x80, ..] = reader.rest() else {
            return None;
        };
        let base = self.base.index();
        let from = i64::from(base) + unzigzag(u64::from(distance));
        let from = u16::try_from(from).ok().and_then(Month::from_index)?;
        if usize::from(first.max(second)) >= self.pairs.len() {
            return None;
        }
        reader.pass(6);
        let shown = |month: Month| {
            if from <= month {
                Shown::As(Presence::Present, u16::from(second))
            } else if self.base <= month {
                Shown::As(Presence::Present, u16::from(first))
            } else {
                Shown::Absent
            }
        };
        Some((shown(month), before.map_or(Shown::Absent, shown)))
    }

    /// The rows that have a course, ascending, with the sequence that last recorded something that shows in them.
    pub fn lasts(&self) -> Result<Vec<(u16, Sequence)>, FormatError> {
        let mut reader = self.courses.clone();
        for _ in 0..self.shown.len() {
            read_course(&mut reader, (self.base, self.pairs.len()), |_| {})?;
        }
        let rows: Vec<u16> = (0..self.rows())
            .filter(|&row| self.course_of(row).is_some())
            .map(|row| row as u16)
            .collect();
        let at = reader.at();
        let distances = reader.runs(rows.len(), "last sequence")?;
        reader.end("hot segment")?;
        let newest = self.newest.get();
        let last = |(row, distance): (u16, u64)| match newest.checked_sub(distance) {
            Some(last) => Ok((row, Sequence(last))),
            None => Err(FormatError::new(
                "last sequence",
                at,
                distance,
                Expected::AtMost(newest),
            )),
        };
        rows.into_iter().zip(distances).map(last).collect()
    }

    /// The versions of a course, as a row has them whose beginning is the month of this index.
    pub(super) fn versions(&self, course: Course<'_>, beginning: u16) -> Result<Vec<Version>, FormatError> {
        let mut versions: Vec<Version> = Vec::with_capacity(course.versions.len());
        for version in course.versions {
            let from = version.from.or_else(|| Month::from_index(beginning));
            let after = |from: &Month| versions.last().is_none_or(|before| before.from < *from);
            let from = from.filter(after).ok_or_else(|| {
                let expected = Expected::Words("versions in ascending order of months");
                FormatError::new("version month", self.courses.at(), u64::from(beginning), expected)
            })?;
            let (person, household) = match version.presence {
                Presence::Absent => (0, 0),
                _ => self.codes(usize::from(version.pair)),
            };
            versions.push(Version {
                from,
                presence: version.presence,
                person,
                household,
            });
        }
        Ok(versions)
    }
}

/// Reads a course of a segment with this base and so many pairs, and hands out its versions, in order; answers the month
/// before which the facts answer.
#[inline]
fn read_course(
    reader: &mut Reader<'_>,
    (base, pairs): (Month, usize),
    mut take: impl FnMut(CourseVersion),
) -> Result<Option<Month>, FormatError> {
    let at = reader.at();
    let head = reader.u8("course head")?;
    let count = usize::from(head & COUNT);
    if head & !(COUNT | EARLIER | BEGINNING) != 0 || count > VERSIONS_MAX || head == BEGINNING {
        let expected = Expected::Words("known bits and at most 16 versions");
        return Err(FormatError::new("course head", at, u64::from(head), expected));
    }
    let earlier = if head & EARLIER == 0 {
        None
    } else {
        Some(month(reader, "earlier month")?)
    };
    let mut before: Option<Month> = None;
    let mut pair: Option<u16> = None;
    for number in 0..count {
        let at = reader.at();
        let mark = reader.u8("version head")?;
        if mark & !(PRESENCE | SAME_PAIR) != 0 {
            let expected = Expected::AtMost(u64::from(PRESENCE | SAME_PAIR));
            return Err(FormatError::new("version head", at, u64::from(mark), expected));
        }
        if number > 0 || head & BEGINNING == 0 {
            before = Some(version_month(reader, base, before)?);
        }
        let presence = match mark & PRESENCE {
            0 => Presence::Absent,
            1 => Presence::Present,
            2 => Presence::Dies,
            _ => Presence::Elsewhere(reader.u16("unit elsewhere")?),
        };
        pair = match (presence, mark & SAME_PAIR != 0) {
            (Presence::Absent, false) => None,
            (Presence::Absent, true) => {
                let expected = Expected::Words("no pair of somebody who is absent");
                return Err(FormatError::new("version head", at, u64::from(mark), expected));
            }
            (_, true) => Some(pair.ok_or_else(|| {
                let expected = Expected::Words("a version before with a pair");
                FormatError::new("version head", at, u64::from(mark), expected)
            })?),
            (_, false) => {
                let at = reader.at();
                let found = reader.varint("pair of a version")?;
                if found >= pairs as u64 {
                    let expected = Expected::Words("one of the segment's pairs");
                    return Err(FormatError::new("pair of a version", at, found, expected));
                }
                Some(found as u16)
            }
        };
        take(CourseVersion {
            from: before,
            presence,
            pair: pair.unwrap_or(0),
        });
    }
    Ok(earlier)
}

/// Reads the month of a version that comes after one of this month, or is the first with one.
#[inline]
fn version_month(reader: &mut Reader<'_>, base: Month, before: Option<Month>) -> Result<Month, FormatError> {
    let at = reader.at();
    let index = match before {
        None => i64::from(base.index()).saturating_add(reader.zigzag("version month")?),
        Some(before) => {
            let distance = reader.varint_max(u64::from(Month::MAX.index()), "version month")?;
            if distance == 0 {
                let expected = Expected::Words("versions in ascending order of months");
                return Err(FormatError::new("version month", at, 0, expected));
            }
            i64::from(before.index()) + distance as i64
        }
    };
    u16::try_from(index)
        .ok()
        .and_then(Month::from_index)
        .ok_or_else(|| {
            let expected = Expected::AtMost(u64::from(Month::MAX.index()));
            FormatError::new("version month", at, index.unsigned_abs(), expected)
        })
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
        self.read_from(Front::read(bytes)?).map(|_| ())
    }

    /// Reads the dictionaries behind the fixed part, which then stands before the pairs.
    fn read_from<'a>(&mut self, mut front: Front<'a>) -> Result<Front<'a>, FormatError> {
        self.newest = front.newest;
        dictionary_into(&mut front.reader, front.persons, &mut self.person_codes)?;
        dictionary_into(&mut front.reader, front.households, &mut self.household_codes)?;
        Ok(front)
    }

    /// The first month that no row asks the facts about, as long as nothing in the segment was recorded after the
    /// sequence asked for; `None` if that is so of every month.
    pub fn answered_from(&mut self, bytes: &[u8]) -> Result<Option<Month>, FormatError> {
        let mut front = self.read_from(Front::read(bytes)?)?;
        let lives = front.width(WIDE_LIVES);
        let columns = front.pairs * (front.width(WIDE_PERSONS) + front.width(WIDE_HOUSEHOLDS))
            + (front.courses + front.rows) * lives
            + front.rows * 2;
        front.reader.slice(columns, "columns")?;
        let mut latest = None;
        for _ in 0..front.courses {
            let earlier = read_course(&mut front.reader, (front.base, front.pairs), |_| {})?;
            latest = latest.max(earlier);
        }
        Ok(latest)
    }
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
        let mut front = Front::read(bytes)?;
        if row >= front.rows {
            return Ok(None);
        }
        let persons = front.reader.clone();
        front.reader.skip_varints(front.persons as u64, "profile code")?;
        let households = front.reader.clone();
        front
            .reader
            .skip_varints(front.households as u64, "profile code")?;
        let (rows, pairs, courses) = (front.rows, front.pairs, front.courses);
        let person_indexes = front.unchecked(pairs, WIDE_PERSONS, "person of a pair")?;
        let household_indexes = front.unchecked(pairs, WIDE_HOUSEHOLDS, "household of a pair")?;
        let shown = front.unchecked(courses, WIDE_LIVES, "pair shown")?;
        let lives = front.unchecked(rows, WIDE_LIVES, "life")?;
        let births = front.reader.slice(front.rows * 2, "birth column")?;
        let birth = u16::from_le_bytes([births[row * 2], births[row * 2 + 1]]);
        let life = lives.get(row);
        let pair = match life.checked_sub(front.pairs) {
            Some(course) if course < courses => shown.get(course),
            _ => life,
        };
        if pair >= pairs {
            let expected = Expected::Words("the number of a life");
            return Err(FormatError::new("life", front.reader.at(), life as u64, expected));
        }
        let person = dictionary_entry(persons, front.persons, person_indexes.get(pair))?;
        let household = dictionary_entry(households, front.households, household_indexes.get(pair))?;
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

fn dictionary_into(reader: &mut Reader<'_>, count: usize, codes: &mut Vec<u32>) -> Result<(), FormatError> {
    codes.clear();
    // Each has a byte at least, however many a damaged segment claims.
    codes.resize(count.min(reader.remaining() + 1), 0);
    let mut last = 0_u32;
    for (place, code) in codes.iter_mut().enumerate() {
        let at = reader.at();
        let distance = reader.varint("profile code")?;
        if distance == 0 && place > 0 {
            let expected = Expected::Words("codes in ascending order");
            return Err(FormatError::new("profile code", at, 0, expected));
        }
        let Some(next) = u32::try_from(distance)
            .ok()
            .and_then(|distance| last.checked_add(distance))
        else {
            let expected = Expected::AtMost(u64::from(u32::MAX - last));
            return Err(FormatError::new("profile code", at, distance, expected));
        };
        last = next;
        *code = next;
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
    reader.varint_sum(index + 1, "profile code")
}

/// A column of indexes, each of which must be below `below`.
fn indexes<'a>(
    reader: &mut Reader<'a>,
    count: usize,
    wide: bool,
    below: usize,
    what: &'static str,
) -> Result<Indexes<'a>, FormatError> {
    let at = reader.at();
    let (column, greatest) = if wide {
        let bytes = reader.slice(count * 2, what)?;
        let pairs = bytes.as_chunks::<2>().0.iter();
        let greatest = pairs.fold(0, |most, pair| most.max(u16::from_le_bytes(*pair)));
        (Indexes::Wide(bytes), usize::from(greatest))
    } else {
        let bytes = reader.slice(count, what)?;
        let greatest = bytes.iter().fold(0, |most, &byte| byte.max(most));
        (Indexes::Narrow(bytes), usize::from(greatest))
    };
    match greatest {
        greatest if count > 0 && greatest >= below => Err(FormatError::new(
            what,
            at,
            greatest as u64,
            Expected::Words("an index of what is there"),
        )),
        _ => Ok(column),
    }
}
