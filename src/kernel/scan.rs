//! Scanning: the people of a segment in a month.
//!
//! Nearly every row is told by its life: the rows of a segment share a hundred of them, each is settled once, and then
//! every row finds what held at the end of the month and of the month before by a look-up. The rest is *special*: more
//! is recorded of the row since the sequence asked for, or its life does not reach back to the month. Those rows are
//! settled by the facts.

use super::error::{ReadError, malformed};
use super::history::Memo;
use super::snapshot::Documents;
use super::unit_index::NOWHERE;
use super::view::{SegmentBytes, View};
use crate::format::hot::{BIRTH_MONTH_UNKNOWN, HotRoom, HotView, Presence, Shown};
use crate::format::locator::{Locator, SegmentKey};
use crate::types::{Month, PersonNumber, Sequence, UnitNumber};

/// The state of a person at the end of a month, in codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CodedState {
    /// The unit in which the person lives, mergers followed.
    pub unit: UnitNumber,
    /// The profile of the person.
    pub person: ProfileRef,
    /// The profile of the household.
    pub household: ProfileRef,
    /// The birth column's number; see [`birth_month`].
    pub birth: u16,
}

/// A profile: by its code where it has one.
pub type ProfileRef = u32;

/// What a row shows of its person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RowStates {
    /// Whether the row bears the outcome of the month: the person is one of the segment's unit.
    pub in_scope: bool,
    /// The state at the end of the month, or at death in it; `None` if not present.
    pub now: Option<CodedState>,
    /// Whether the person died in the month.
    pub dies: bool,
    /// The state at the end of the month before; `None` if not present then.
    pub before: Option<CodedState>,
}

/// A row that is told by the facts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SpecialRow {
    /// The row.
    pub row: u16,
    /// What it shows.
    pub states: RowStates,
}

/// What those of a life are who are born by the end of the month, or by the end of the month before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Life {
    /// Whether their rows bear the outcome of the month.
    pub in_scope: bool,
    /// Where they are at the end of the month, or at death in it.
    pub now: Option<Stay>,
    /// Whether they die in the month.
    pub dies: bool,
    /// Where they are at the end of the month before.
    pub before: Option<Stay>,
    /// Whether the facts tell of them, and not this.
    by_facts: bool,
}

/// A unit, mergers followed, and a pair of the segment: its number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stay {
    /// The unit.
    pub unit: UnitNumber,
    /// The pair.
    pub pair: u16,
}

/// A person who is present in a month, by everything on record.
struct AtEnd {
    /// The residence as it was recorded.
    recorded: Option<UnitNumber>,
    state: Option<CodedState>,
    /// Death came in the month.
    dies: bool,
}

/// The month of a birth column's number, and whether that month is known (otherwise it is January of the year).
pub fn birth_month(code: u16) -> (Month, bool) {
    let month = Month::from_index(code & !BIRTH_MONTH_UNKNOWN).unwrap_or(Month::MAX);
    (month, code & BIRTH_MONTH_UNKNOWN == 0)
}

/// Memory for scans of one segment after another.
#[derive(Debug, Default)]
pub struct ScanRoom {
    hot: HotRoom,
    courses: Vec<Life>,
    special: Vec<SpecialRow>,
}

/// A segment seen in a month, as known at a sequence.
pub struct SegmentScan<'a> {
    view: &'a View,
    key: SegmentKey,
    hot: HotView<'a>,
    month: Month,
    known: Sequence,
    current: Option<UnitNumber>,
    before: Option<UnitNumber>,
    /// The courses, as lives.
    courses: Vec<Life>,
    special: Vec<SpecialRow>,
}

impl<'a> SegmentScan<'a> {
    /// Reads a segment and settles its lives, and the rows that these do not tell.
    pub fn new(
        view: &'a View,
        key: SegmentKey,
        bytes: &'a SegmentBytes,
        month: Month,
        known: Sequence,
    ) -> Result<Self, ReadError> {
        Self::new_in(view, key, bytes, (month, known), ScanRoom::default())
    }

    /// As [`SegmentScan::new`], for a month and a sequence, in memory that was used before.
    pub fn new_in(
        view: &'a View,
        key: SegmentKey,
        bytes: &'a SegmentBytes,
        (month, known): (Month, Sequence),
        room: ScanRoom,
    ) -> Result<Self, ReadError> {
        let mut scan = Self::unsettled(view, key, bytes, (month, known), room)?;
        scan.settle()?;
        Ok(scan)
    }

    /// The memory of this scan, for another.
    pub fn into_room(self) -> ScanRoom {
        ScanRoom {
            hot: self.hot.into_room(),
            courses: self.courses,
            special: self.special,
        }
    }

    fn unsettled(
        view: &'a View,
        key: SegmentKey,
        bytes: &'a SegmentBytes,
        (month, known): (Month, Sequence),
        room: ScanRoom,
    ) -> Result<Self, ReadError> {
        let ScanRoom {
            hot,
            mut courses,
            mut special,
        } = room;
        let hot = HotView::parse_in(bytes.bytes(), hot).map_err(malformed("hot", key.number()))?;
        courses.clear();
        special.clear();
        let unit = UnitNumber(hot.unit);
        let previous = month.previous();
        let mut scan = Self {
            view,
            key,
            month,
            known,
            current: view.follow(unit, month, known),
            before: previous.and_then(|before| view.follow(unit, before, known)),
            courses: Vec::new(),
            special,
            hot,
        };
        let lived = scan.hot.each_shown((month, previous), |now, before| {
            courses.push(scan.life_of_course(now, before));
        });
        lived.map_err(malformed("hot", key.number()))?;
        scan.courses = courses;
        Ok(scan)
    }

    /// The states of the person of one row at the end of the month and of the month before; `None` if not present, or
    /// dead.
    pub(super) fn states_of(
        view: &'a View,
        at: Locator,
        bytes: &'a SegmentBytes,
        month: Month,
        known: Sequence,
    ) -> Result<[Option<CodedState>; 2], ReadError> {
        let scan = Self::unsettled(view, at.segment, bytes, (month, known), ScanRoom::default())?;
        if usize::from(at.row) >= scan.hot.rows() {
            return Err(ReadError::Inconsistent(format!("{at:?} is not stored")));
        }
        // A row of nowhere does not say where else its person is.
        let nowhere = at.segment.unit() == NOWHERE;
        if nowhere || scan.hot.newest > known || scan.life(usize::from(at.row)).by_facts {
            let person = scan.person_of(at.row)?;
            let row = scan.row_from_facts(person, &Memo::default())?;
            return Ok([row.now.filter(|_| !row.dies), row.before]);
        }
        Ok(scan.states(at.row))
    }

    /// The states of the person of a row at the end of the month and of the month before; `None` if not present, or
    /// dead.
    pub fn states(&self, row: u16) -> [Option<CodedState>; 2] {
        let row = self.row(usize::from(row));
        [row.now.filter(|_| !row.dies), row.before]
    }

    /// What a row shows.
    pub fn row(&self, row: usize) -> RowStates {
        if let Ok(at) = self
            .special
            .binary_search_by_key(&row, |special| usize::from(special.row))
        {
            return self.special[at].states;
        }
        let birth = self.hot.birth(row);
        let (born, _) = birth_month(birth);
        let life = self.life(row);
        let state = |stay: Stay| {
            let (person, household) = self.hot.codes(usize::from(stay.pair));
            CodedState {
                unit: stay.unit,
                person,
                household,
                birth,
            }
        };
        let is_born = self.month >= born;
        RowStates {
            in_scope: life.in_scope && is_born,
            now: life.now.filter(|_| is_born).map(state),
            dies: life.dies,
            before: life.before.filter(|_| self.month > born).map(state),
        }
    }

    /// The life of a row, which tells of it unless it is special.
    pub fn life(&self, row: usize) -> Life {
        match self.hot.course_of(row) {
            Some(course) => self.courses[course],
            None => self.life_of_pair(self.hot.lives.get(row) as u16),
        }
    }

    /// The lives that are courses, by number.
    pub fn courses(&self) -> &[Life] {
        &self.courses
    }

    /// What those are who have shown a pair ever since.
    #[inline]
    pub fn life_of_pair(&self, pair: u16) -> Life {
        let now = self.current.filter(|_| self.month >= self.hot.base);
        let before = self.before.filter(|_| self.month > self.hot.base);
        Life {
            in_scope: now.is_some(),
            now: now.map(|unit| Stay { unit, pair }),
            dies: false,
            before: before.map(|unit| Stay { unit, pair }),
            by_facts: false,
        }
    }

    /// The segment.
    pub const fn key(&self) -> SegmentKey {
        self.key
    }

    /// The segment's columns.
    pub const fn hot(&self) -> &HotView<'a> {
        &self.hot
    }

    /// The unit to which the rows belong in the month; `None` if it ended without a successor.
    pub const fn unit(&self) -> Option<UnitNumber> {
        self.current
    }

    /// The unit to which the rows belonged in the month before.
    pub const fn unit_before(&self) -> Option<UnitNumber> {
        self.before
    }

    /// The rows that are told by the facts and not by their lives, in order.
    pub fn special(&self) -> &[SpecialRow] {
        &self.special
    }

    /// The life of a course that shows this at the end of the month and of the month before.
    #[inline]
    fn life_of_course(&self, now: Shown, before: Shown) -> Life {
        if let (Shown::As(Presence::Present, pair), Shown::As(Presence::Present, earlier)) = (now, before) {
            return Life {
                in_scope: self.current.is_some(),
                now: self.current.map(|unit| Stay { unit, pair }),
                dies: false,
                before: self.before.map(|unit| Stay { unit, pair: earlier }),
                by_facts: false,
            };
        }
        let stay = |shown: Shown, month: Option<Month>, own: Option<UnitNumber>| {
            let (Shown::As(presence, pair), Some(month)) = (shown, month) else {
                return None;
            };
            let unit = match presence {
                Presence::Present => own,
                Presence::Dies if month == self.month => own,
                Presence::Elsewhere(unit) => self.view.follow(UnitNumber(unit), month, self.known),
                Presence::Absent | Presence::Dies => None,
            }?;
            Some(Stay { unit, pair })
        };
        let here = matches!(now, Shown::As(Presence::Present | Presence::Dies, _));
        Life {
            in_scope: self.current.is_some() && here,
            now: stay(now, Some(self.month), self.current),
            dies: matches!(now, Shown::As(Presence::Dies, _)),
            before: stay(before, self.month.previous(), self.before),
            by_facts: now == Shown::Facts || before == Shown::Facts,
        }
    }

    fn settle(&mut self) -> Result<(), ReadError> {
        if self.hot.newest > self.known {
            return self.settle_as_known();
        }
        if !self.courses.iter().any(|life| life.by_facts) {
            return Ok(());
        }
        let memo = Memo::default();
        for row in 0..self.hot.rows() {
            if self.life(row).by_facts {
                let person = self.person_of(row as u16)?;
                let states = self.row_from_facts(person, &memo)?;
                let row = row as u16;
                self.special.push(SpecialRow { row, states });
            }
        }
        Ok(())
    }

    /// Something in this segment was recorded after the sequence asked for: each row says by itself whether it was
    /// known then.
    fn settle_as_known(&mut self) -> Result<(), ReadError> {
        const UNKNOWN: RowStates = RowStates {
            in_scope: false,
            now: None,
            dies: false,
            before: None,
        };
        let memo = Memo::default();
        let persons = self.view.segment_persons(self.key)?;
        let columns = self.view.snapshot().columns(self.key)?.ok_or_else(|| {
            ReadError::Inconsistent(format!("columns of segment {} are not stored", self.key.number()))
        })?;
        let lasts = self.hot.lasts().map_err(malformed("hot", self.key.number()))?;
        let mut lasts = lasts.into_iter().peekable();
        for (row, &person) in persons.iter().enumerate().take(self.hot.rows()) {
            let recorded = columns.rows.get(row).map_or(Sequence::NEWEST, |row| row.recorded);
            let last = lasts.next_if(|(changed, _)| usize::from(*changed) == row);
            let states = if recorded > self.known {
                UNKNOWN
            } else if last.is_some_and(|(_, last)| last > self.known) || self.life(row).by_facts {
                self.row_from_facts(person, &memo)?
            } else {
                continue;
            };
            let row = row as u16;
            self.special.push(SpecialRow { row, states });
        }
        Ok(())
    }

    /// The person of a row.
    pub fn person_of(&self, row: u16) -> Result<PersonNumber, ReadError> {
        let at = crate::format::locator::Locator {
            segment: self.key,
            row,
        };
        Ok(PersonNumber(self.view.snapshot().column_row(at)?.person))
    }

    /// What a row shows by everything recorded of its person.
    fn row_from_facts(&self, person: PersonNumber, memo: &Memo) -> Result<RowStates, ReadError> {
        let snapshot = self.view.snapshot();
        let history = snapshot
            .person_history(person, Documents::Without)?
            .ok_or_else(|| ReadError::Inconsistent(format!("{person} has a row and no record")))?;
        let state = |month: Month| -> Result<Option<AtEnd>, ReadError> {
            let state = history.state(snapshot, memo, month, self.known)?;
            let Some(state) = state.filter(|state| state.present) else {
                return Ok(None);
            };
            let household = match state.household {
                Some(household) => {
                    let history = memo.household(snapshot, household)?;
                    let values = history.values(month, self.known, snapshot.catalogue());
                    super::state::profile_of(&values, snapshot.catalogue())
                }
                None => super::profile::Profile::default(),
            };
            Ok(Some(AtEnd {
                recorded: history.residence(snapshot, memo, month, self.known)?,
                state: state.unit.map(|unit| CodedState {
                    unit,
                    person: self.view.profile_ref(state.profile(snapshot.catalogue())),
                    household: self.view.profile_ref(household),
                    birth: crate::format::hot::birth_code(state.birth),
                }),
                dies: state.death.is_some(),
            }))
        };
        let now = state(self.month)?;
        let before = match self.month.previous() {
            Some(month) => state(month)?.filter(|before| !before.dies),
            None => None,
        };
        let recorded = now.as_ref().and_then(|now| now.recorded);
        Ok(RowStates {
            in_scope: recorded == Some(UnitNumber(self.hot.unit)),
            dies: now.as_ref().is_some_and(|now| now.dies),
            now: now.and_then(|now| now.state),
            before: before.and_then(|before| before.state),
        })
    }

    /// The persons who are in scope.
    pub(crate) fn present(&self) -> Result<Vec<PersonNumber>, ReadError> {
        let persons = self.view.segment_persons(self.key)?;
        let rows = persons.iter().enumerate().take(self.hot.rows());
        Ok(rows
            .filter(|&(row, _)| self.row(row).in_scope)
            .map(|(_, &person)| person)
            .collect())
    }
}

impl View {
    /// The code of a profile. A profile that was never the newest of anyone, met only in the past, gets a code
    /// that lasts as long as the registry is open.
    fn profile_ref(&self, profile: super::profile::Profile) -> ProfileRef {
        let known = self.profiles.read().code_of(&profile);
        known.unwrap_or_else(|| self.passing.lock().code_of(profile))
    }
}
