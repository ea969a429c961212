//! Scanning: the people of a segment in a month, the plain ones by column and the others one by one.
//!
//! Nearly every row shows in its columns what held at the end of a month and at the end of the month before. The
//! rest, a per cent or two, is *special*: it began, ended, moved or changed about that month, or more is recorded
//! since the sequence asked for. Those are settled by the versions in the segment, or by the facts.

use super::error::{ReadError, malformed};
use super::history::Memo;
use super::snapshot::Documents;
use super::view::{SegmentBytes, View};
use crate::format::hot::{BIRTH_MONTH_UNKNOWN, ChangeView, HotView, Presence, Shown, Version};
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

/// A row that is not plain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SpecialRow {
    /// The row.
    pub row: u16,
    /// Whether the row bears the outcome of the month: the person is one of the segment's unit.
    pub in_scope: bool,
    /// The state at the end of the month, or at death in it; `None` if not present.
    pub now: Option<CodedState>,
    /// Whether the person died in the month.
    pub dies: bool,
    /// Where both states are the same, in the segment's unit: the places of their codes in the segment's dictionaries.
    pub steady: Option<(u16, u16)>,
    /// The state at the end of the month before; `None` if not present then.
    pub before: Option<CodedState>,
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

/// A segment seen in a month, as known at a sequence.
pub struct SegmentScan<'a> {
    view: &'a View,
    key: SegmentKey,
    hot: HotView<'a>,
    month: Month,
    known: Sequence,
    current: Option<UnitNumber>,
    before: Option<UnitNumber>,
    special: Vec<SpecialRow>,
}

impl<'a> SegmentScan<'a> {
    /// Reads a segment and settles the rows that are not plain.
    pub fn new(
        view: &'a View,
        key: SegmentKey,
        bytes: &'a SegmentBytes,
        month: Month,
        known: Sequence,
    ) -> Result<Self, ReadError> {
        let mut scan = Self::unsettled(view, key, bytes, month, known)?;
        scan.settle()?;
        Ok(scan)
    }

    fn unsettled(
        view: &'a View,
        key: SegmentKey,
        bytes: &'a SegmentBytes,
        month: Month,
        known: Sequence,
    ) -> Result<Self, ReadError> {
        let hot = HotView::parse(bytes.bytes()).map_err(malformed("hot", key.number()))?;
        let unit = UnitNumber(hot.unit);
        Ok(Self {
            view,
            key,
            month,
            known,
            current: view.follow(unit, month, known),
            before: month
                .previous()
                .and_then(|before| view.follow(unit, before, known)),
            special: Vec::new(),
            hot,
        })
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
        let wrong = || malformed("hot", at.segment.number());
        let mut scan = Self::unsettled(view, at.segment, bytes, month, known)?;
        if usize::from(at.row) >= scan.hot.rows() {
            return Err(ReadError::Inconsistent(format!("{at:?} is not stored")));
        }
        let memo = Memo::default();
        if scan.hot.newest > known {
            let person = scan.person_of(at.row)?;
            let row = scan.row_from_facts(at.row, person, &memo)?;
            return Ok([row.now.filter(|_| !row.dies), row.before]);
        }
        let changes = scan.hot.changes().map_err(wrong())?;
        if let Some((row, change)) = changes.iter().find(|(row, _)| *row == at.row) {
            scan.special.push(scan.changed_row(row, change, None, &memo)?);
        }
        Ok(scan.states(at.row))
    }

    /// The states of the person of a row at the end of the month and of the month before; `None` if not present, or
    /// dead.
    pub fn states(&self, row: u16) -> [Option<CodedState>; 2] {
        if let Ok(at) = self.special.binary_search_by_key(&row, |special| special.row) {
            let special = &self.special[at];
            return [special.now.filter(|_| !special.dies), special.before];
        }
        let at = usize::from(row);
        let birth = self.hot.birth(at);
        let (born, _) = birth_month(birth);
        let state = |unit: UnitNumber| CodedState {
            unit,
            person: self.hot.person_codes[self.hot.persons.get(at)],
            household: self.hot.household_codes[self.hot.households.get(at)],
            birth,
        };
        let now = self
            .current
            .filter(|_| self.plain_in_scope() && self.month >= born);
        let before = self
            .before
            .filter(|_| self.plain_had_before() && self.month > born);
        [now.map(state), before.map(state)]
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

    /// The rows that are not plain, in order. A row that is not among them is plain: in scope if its birth month
    /// is not after the month and [`SegmentScan::plain_in_scope`], in the same state at the end of the month before
    /// if [`SegmentScan::plain_had_before`] and it was born by then.
    pub fn special(&self) -> &[SpecialRow] {
        &self.special
    }

    /// Whether plain rows are in scope at all.
    pub fn plain_in_scope(&self) -> bool {
        self.current.is_some() && self.month >= self.hot.base
    }

    /// Whether plain rows were present in the month before.
    pub fn plain_had_before(&self) -> bool {
        self.before.is_some() && self.month > self.hot.base
    }

    fn settle(&mut self) -> Result<(), ReadError> {
        let memo = Memo::default();
        let changes = self.hot.changes().map_err(malformed("hot", self.key.number()))?;
        let persons = if self.hot.newest > self.known {
            Some(self.view.segment_persons(self.key)?)
        } else {
            None
        };
        let mut special = Vec::with_capacity(changes.len());
        let mut changes = changes.iter().peekable();
        if let Some(persons) = persons {
            // Something in this segment was recorded after the sequence asked for: each row says by itself whether
            // it was known then.
            let columns = self.view.snapshot().columns(self.key)?.ok_or_else(|| {
                ReadError::Inconsistent(format!("columns of segment {} are not stored", self.key.number()))
            })?;
            for (row, &person) in persons.iter().enumerate() {
                let change = changes
                    .next_if(|(changed, _)| usize::from(*changed) == row)
                    .map(|(_, change)| change);
                let recorded = columns.rows.get(row).map_or(Sequence::NEWEST, |row| row.recorded);
                if recorded > self.known {
                    special.push(SpecialRow {
                        row: row as u16,
                        in_scope: false,
                        now: None,
                        dies: false,
                        steady: None,
                        before: None,
                    });
                } else if let Some(change) = change {
                    special.push(self.changed_row(row as u16, change, Some(person), &memo)?);
                }
            }
        } else {
            for (row, change) in changes {
                special.push(self.changed_row(row, change, None, &memo)?);
            }
        }
        self.special = special;
        Ok(())
    }

    fn changed_row(
        &self,
        row: u16,
        change: ChangeView<'_>,
        person: Option<PersonNumber>,
        memo: &Memo,
    ) -> Result<SpecialRow, ReadError> {
        let now = change.shown(self.month, self.known);
        let before = self
            .month
            .previous()
            .map_or(Shown::Absent, |before| change.shown(before, self.known));
        if now == Shown::Facts || before == Shown::Facts {
            let person = match person {
                Some(person) => person,
                None => self.person_of(row)?,
            };
            return self.row_from_facts(row, person, memo);
        }
        let birth = self.hot.birth(usize::from(row));
        let (born, _) = birth_month(birth);
        let here = |version: &Version| matches!(version.presence, Presence::Present | Presence::Dies);
        let in_scope = self.current.is_some()
            && self.month >= born
            && matches!(now, Shown::Version(version) if here(&version));
        let state = |shown: Shown, month: Option<Month>, own: Option<UnitNumber>| {
            let (Shown::Version(version), Some(month)) = (shown, month) else {
                return None;
            };
            let unit = match version.presence {
                Presence::Present => own,
                Presence::Dies if Some(month) == Some(self.month) => own,
                Presence::Elsewhere(unit) => self.view.follow(UnitNumber(unit), month, self.known),
                Presence::Absent | Presence::Dies => None,
            }?;
            (month >= born).then_some(CodedState {
                unit,
                person: version.person,
                household: version.household,
                birth,
            })
        };
        Ok(SpecialRow {
            row,
            in_scope,
            now: state(now, Some(self.month), self.current),
            dies: matches!(now, Shown::Version(version) if version.presence == Presence::Dies),
            steady: self
                .steady(change, now, before)
                .filter(|_| in_scope && self.month > born),
            before: state(before, self.month.previous(), self.before),
        })
    }

    /// Where two ends show the same version of somebody present in the segment's unit: the places of its codes.
    fn steady(&self, change: ChangeView<'_>, now: Shown, before: Shown) -> Option<(u16, u16)> {
        let (Shown::Version(now), Shown::Version(before)) = (now, before) else {
            return None;
        };
        if now.presence != Presence::Present || now.from != before.from {
            return None;
        }
        let at = change
            .versions
            .iter()
            .position(|version| version.from == now.from)?;
        let (person, household) = change.indexes[at];
        let has = |codes: &[u32], at: u16, code| codes.get(usize::from(at)) == Some(&code);
        let stands = has(&self.hot.person_codes, person, now.person)
            && has(&self.hot.household_codes, household, now.household);
        stands.then_some((person, household))
    }

    /// The person of a row.
    pub fn person_of(&self, row: u16) -> Result<PersonNumber, ReadError> {
        let at = crate::format::locator::Locator {
            segment: self.key,
            row,
        };
        Ok(PersonNumber(self.view.snapshot().column_row(at)?.person))
    }

    /// Settles a row by everything recorded of its person.
    fn row_from_facts(&self, row: u16, person: PersonNumber, memo: &Memo) -> Result<SpecialRow, ReadError> {
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
        Ok(SpecialRow {
            row,
            in_scope: recorded == Some(UnitNumber(self.hot.unit)),
            dies: now.as_ref().is_some_and(|now| now.dies),
            now: now.and_then(|now| now.state),
            steady: None,
            before: before.and_then(|before| before.state),
        })
    }

    /// The persons who are in scope.
    pub(crate) fn present(&self) -> Result<Vec<PersonNumber>, ReadError> {
        let persons = self.view.segment_persons(self.key)?;
        let mut special = self.special.iter().peekable();
        let mut present = Vec::new();
        for (row, &person) in persons.iter().enumerate().take(self.hot.rows()) {
            let in_scope = match special.next_if(|special| usize::from(special.row) == row) {
                Some(special) => special.in_scope,
                None => self.plain_in_scope() && birth_month(self.hot.birth(row)).0 <= self.month,
            };
            if in_scope {
                present.push(person);
            }
        }
        Ok(present)
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
