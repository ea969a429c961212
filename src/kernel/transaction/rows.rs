//! Rows of segments: appending them, and making them show what is known now.

use std::collections::BTreeMap;

use rustc_hash::FxHashSet;

use super::WriteTransaction;
use crate::format::columns::{self, ColumnSegment, Row};
use crate::format::fact::{FactContent, FactKey};
use crate::format::hot::{self, Change, HotSegment, Presence, VERSIONS_MAX, Version, birth_code};
use crate::format::locator::{Locator, SEGMENT_ROWS_MAX, SegmentKey, UNIT_SEGMENTS_MAX};
use crate::kernel::catalogue::Attribute;
use crate::kernel::error::{ReadError, WriteError};
use crate::kernel::history::{Memo, PersonHistory, Timeline};
use crate::kernel::operation::Subject;
use crate::kernel::overlay::{HotChanges, ShownRow};
use crate::kernel::profile::Profile;
use crate::kernel::snapshot::{Documents, no_segment};
use crate::kernel::unit_index::NOWHERE;
use crate::types::{AttributeNumber, HouseholdNumber, Month, PersonNumber, Sequence, UnitNumber};

/// What a row of a column segment takes, about.
const COLUMN_ROW_BYTES: usize = 9;

impl WriteTransaction<'_> {
    /// Whether the newest value of an attribute stands in profiles.
    pub(super) fn keeps_in_profile(&self, attribute: AttributeNumber) -> bool {
        self.snapshot()
            .catalogue()
            .attribute_by_number(attribute)
            .is_some_and(Attribute::in_profile)
    }

    /// The code of a profile, if it has one.
    pub(super) fn known_code(&self, profile: &Profile) -> Option<u32> {
        let known = self.view.profiles.read().code_of(profile);
        known.or_else(|| self.overlay.profile_codes.get(profile).copied())
    }

    /// The code of a profile, given now if it has none yet.
    pub(super) fn profile_code(&mut self, profile: &Profile) -> u32 {
        if let Some(code) = self.known_code(profile) {
            return code;
        }
        let code = self.overlay.head.profiles;
        self.overlay.head.profiles += 1;
        self.overlay.profiles.push(profile.clone());
        self.overlay.profile_codes.insert(profile.clone(), code);
        code
    }

    /// Writes a record of a subject that has none of this attribute and month yet.
    pub(super) fn put_new_fact(
        &mut self,
        subject: Subject,
        attribute: AttributeNumber,
        from: Month,
        content: FactContent,
    ) {
        let (kind, number) = subject.key();
        let recorded = self.sequence();
        self.note_reference(subject, attribute, content.as_ref().map(|(value, ..)| *value));
        self.note_loose(subject, attribute);
        self.overlay.facts.insert(
            FactKey {
                kind,
                number,
                attribute,
                from,
                recorded,
            },
            content,
        );
    }

    /// The segments of a unit, in order, those of this transaction included.
    pub(super) fn segments_of(&self, unit: UnitNumber) -> Result<Vec<SegmentKey>, ReadError> {
        let stored = self.view.segments_of(unit)?;
        let next = stored.last().map_or(0, |last| last.index() + 1);
        let added = self
            .overlay
            .last_segments
            .get(&unit.get())
            .map_or(next, |last| last + 1);
        Ok(stored
            .into_iter()
            .chain((next..added).map(|index| SegmentKey::new(unit.get(), index)))
            .collect())
    }

    /// The index of the last segment of a unit.
    pub(super) fn last_segment(&self, unit: u16) -> Result<Option<u16>, ReadError> {
        if let Some(&last) = self.overlay.last_segments.get(&unit) {
            return Ok(Some(last));
        }
        Ok(self.view.last_segment_of(unit)?.map(SegmentKey::index))
    }

    /// Brings a segment into memory, so that rows can be added.
    fn load(&mut self, key: SegmentKey) -> Result<(), ReadError> {
        if !matches!(self.overlay.hot.get(&key), Some(HotChanges::Whole(_))) {
            let hot = self.snapshot().hot(key)?.ok_or_else(|| no_segment(key))?;
            self.overlay.hot.insert(key, HotChanges::Whole(hot));
        }
        if !self.overlay.columns.contains_key(&key) {
            let columns = self.snapshot().columns(key)?.ok_or_else(|| no_segment(key))?;
            self.overlay.columns.insert(key, columns);
        }
        Ok(())
    }

    /// Adds a row to a unit: to its last segment while there is room, otherwise to a new one.
    pub(super) fn append_row(
        &mut self,
        unit: u16,
        row: Row,
        profile: u32,
        birth: u16,
    ) -> Result<Locator, WriteError> {
        let last = self.last_segment(unit)?;
        if let Some(index) = last {
            let key = SegmentKey::new(unit, index);
            self.load(key)?;
            if let Some(HotChanges::Whole(hot)) = self.overlay.hot.get(&key)
                && has_room(hot)
            {
                return Ok(self.push_row(key, row, profile, birth));
            }
        }
        let index = index_after(unit, last)?;
        let key = SegmentKey::new(unit, index);
        let base = match self.snapshot().units().get(UnitNumber(unit)) {
            Some(unit) => unit.declared.from,
            None => Month::MIN,
        };
        self.overlay
            .hot
            .insert(key, HotChanges::Whole(HotSegment::new(unit, base)));
        self.overlay.columns.insert(key, ColumnSegment::default());
        self.overlay.last_segments.insert(unit, index);
        Ok(self.push_row(key, row, profile, birth))
    }

    fn push_row(&mut self, key: SegmentKey, row: Row, profile: u32, birth: u16) -> Locator {
        let place = self
            .overlay
            .columns
            .get(&key)
            .map_or(0, |columns| columns.rows.len()) as u16;
        if let Some(HotChanges::Whole(hot)) = self.overlay.hot.get_mut(&key) {
            hot.newest = hot.newest.max(row.recorded);
            hot.persons.push(profile);
            hot.households.push(0);
            hot.births.push(birth);
        }
        if let Some(columns) = self.overlay.columns.get_mut(&key) {
            columns.rows.push(row);
        }
        Locator {
            segment: key,
            row: place,
        }
    }

    /// Makes the rows of everyone whom a change of a subject concerns show what is known now.
    pub(super) fn refresh(&mut self, subject: Subject) -> Result<(), WriteError> {
        let memo = Memo::default();
        match subject {
            Subject::Person(person) => self.refresh_person(person, &memo),
            Subject::Household(household) => self.refresh_members(household, &memo),
            // The values of a commune are read when they are asked for; no row shows them.
            Subject::Commune(_) => Ok(()),
        }
    }

    /// Makes the rows of everyone who was ever a member of a household show what is known now.
    pub(super) fn refresh_members(
        &mut self,
        household: HouseholdNumber,
        memo: &Memo,
    ) -> Result<(), WriteError> {
        for person in self.snapshot().ever_members(household)? {
            self.refresh_person(person, memo)?;
        }
        Ok(())
    }

    fn refresh_person(&mut self, person: PersonNumber, memo: &Memo) -> Result<(), WriteError> {
        match self.snapshot().person_history(person, Documents::Without)? {
            Some(history) => self.refresh_history(&history, memo),
            None => Ok(()),
        }
    }

    /// Makes the rows of a person show a history.
    pub(super) fn refresh_history(&mut self, history: &PersonHistory, memo: &Memo) -> Result<(), WriteError> {
        let person = history.number;
        let timeline = history.timeline(self.snapshot(), memo)?;
        let Some(main) = self.snapshot().locator(person)? else {
            return Ok(());
        };
        let mut rows = self.snapshot().rows_beside(main, person)?;
        for unit in timeline.stretches.iter().filter_map(|stretch| stretch.unit) {
            if rows.iter().any(|at| at.segment.unit() == unit.get()) {
                continue;
            }
            let row = self.snapshot().column_row(main)?;
            let at = self.append_row(unit.get(), row, 0, birth_code(timeline.birth))?;
            for at in [main, at] {
                let key = (person.get(), at.segment.unit());
                self.overlay.rows.insert(key, (at.segment.index(), at.row));
            }
            rows.insert(at);
        }
        let person_code = self.profile_code(&timeline.final_person);
        let household_code = self.profile_code(&timeline.final_household);
        for at in rows {
            if at != main {
                // The first row was read with the history. The others are looked at now, so that damage ends the
                // change that meets it and not the commit.
                self.snapshot().hot_row(at)?;
            }
            self.show(at, history, &timeline, person_code, household_code);
        }
        Ok(())
    }

    /// Makes one row show a timeline.
    fn show(
        &mut self,
        at: Locator,
        history: &PersonHistory,
        timeline: &Timeline,
        person_code: u32,
        household_code: u32,
    ) {
        let versions = versions(at.segment.unit(), timeline, &mut |profile| {
            self.profile_code(profile)
        });
        let shown = ShownRow {
            person: person_code,
            household: household_code,
            birth: birth_code(timeline.birth),
            since: (timeline.last <= history.recorded).then(|| timeline.birth.earliest_month()),
            change: change(versions, timeline.last),
        };
        let changes = self.overlay.hot.entry(at.segment);
        match changes.or_insert_with(|| HotChanges::Rows(BTreeMap::new())) {
            HotChanges::Rows(rows) => {
                rows.insert(at.row, shown);
            }
            HotChanges::Whole(hot) => {
                // A whole segment has every row that was read or added.
                shown.put(hot, at.row);
            }
        }
    }
}

/// The versions that a row of a unit shows of a timeline, with the codes that `code` gives to profiles.
pub(super) fn versions(
    unit: u16,
    timeline: &Timeline,
    code: &mut dyn FnMut(&Profile) -> u32,
) -> Vec<Version> {
    let mut versions: Vec<Version> = Vec::with_capacity(timeline.stretches.len());
    for stretch in &timeline.stretches {
        let from = stretch.from;
        let presence = match stretch.unit {
            Some(own) if own.get() == unit && stretch.dies => Presence::Dies,
            Some(own) if own.get() == unit => Presence::Present,
            Some(_) if stretch.dies => Presence::Absent,
            Some(other) if unit != NOWHERE => Presence::Elsewhere(other.get()),
            _ => Presence::Absent,
        };
        let version = if presence == Presence::Absent {
            Version {
                from,
                presence,
                person: 0,
                household: 0,
            }
        } else {
            let person = code(&stretch.person);
            let household = code(&stretch.household);
            Version {
                from,
                presence,
                person,
                household,
            }
        };
        let same = |before: &Version| {
            Version {
                from: before.from,
                ..version
            } == *before
        };
        if versions
            .last()
            .map_or(presence != Presence::Absent, |before| !same(before))
        {
            versions.push(version);
        }
    }
    versions
}

/// The index of the segment that comes after the last one of a unit.
pub(super) fn index_after(unit: u16, last: Option<u16>) -> Result<u16, WriteError> {
    let index = last.map_or(0, |last| last + 1);
    if usize::from(index) >= UNIT_SEGMENTS_MAX {
        // Met in the middle of an operation, so it is no refusal: the transaction is lost.
        return Err(WriteError::UnitFull {
            unit,
            max: UNIT_SEGMENTS_MAX,
        });
    }
    Ok(index)
}

fn has_room(hot: &HotSegment) -> bool {
    let rows = hot.rows() + 1;
    let pairs: FxHashSet<(u32, u32)> = hot
        .persons
        .iter()
        .copied()
        .zip(hot.households.iter().copied())
        .collect();
    let courses: FxHashSet<&[Version]> = hot
        .changes
        .values()
        .map(|change| change.versions.as_slice())
        .collect();
    let versions: usize = courses.iter().map(|versions| versions.len()).sum();
    rows <= SEGMENT_ROWS_MAX
        && hot::estimate(rows, pairs.len() + 1, courses.len(), versions) <= hot::FILL_BYTES
        && rows * COLUMN_ROW_BYTES <= columns::FILL_BYTES
}

pub(super) fn change(mut versions: Vec<Version>, last: Sequence) -> Change {
    let mut earlier = None;
    if versions.len() > VERSIONS_MAX {
        versions.drain(..versions.len() - VERSIONS_MAX);
        earlier = versions.first().map(|version| version.from);
    }
    Change {
        last,
        earlier,
        versions,
    }
}
