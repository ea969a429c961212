//! The segments that still take rows, one for each unit.

use rustc_hash::{FxHashMap, FxHashSet};

use super::super::WriteTransaction;
use super::super::rows::index_after;
use super::prepare::{ReadyRow, first_month};
use super::write::Full;
use crate::format::columns::{self, ColumnSegment, Row};
use crate::format::hot::{self, Change, HotSegment, Version};
use crate::format::locator::{Locator, SEGMENT_ROWS_MAX, SegmentKey};
use crate::format::ties::{Tie, Ties};
use crate::kernel::error::WriteError;
use crate::types::{PersonNumber, UnitNumber, Value};

/// The bytes that a row takes in the columns, about: identifier, day, runs.
const COLUMN_ROW_BYTES: usize = 6;
/// What the first row of a household takes besides, and a value.
const RUN_BYTES: usize = 4;
const VALUE_BYTES: usize = 4;
/// What the columns of a segment take without rows: header and sections.
const COLUMNS_EMPTY_BYTES: usize = 64;

/// What the ties of a segment need to know of a row.
#[derive(Clone, Copy)]
pub(super) struct Kin {
    /// How many people came with the household, the person included.
    pub(super) together: u32,
    /// Whether the row is the main one.
    pub(super) main: bool,
    /// Whom the person names hangs on facts, or is recorded as unknown.
    pub(super) unsure: bool,
}

/// A segment that still takes rows.
struct Open {
    index: u16,
    hot: HotSegment,
    columns: ColumnSegment,
    /// The pairs of profile codes that its rows show.
    pairs: FxHashSet<(u32, u32)>,
    /// The courses of its rows, and how many versions these have.
    courses: FxHashSet<Vec<Version>>,
    versions: usize,
    kin: Vec<Kin>,
    column_bytes: usize,
}

/// Segments by unit.
#[derive(Default)]
pub(super) struct Segments {
    open: FxHashMap<u16, Open>,
    /// Whoever is named by the record of somebody in another segment, or by one that is dated; in any order.
    pub(super) loosened: Vec<PersonNumber>,
}

impl Segments {
    /// Adds a row with the profile codes of person and household, to the last segment of its unit or a new one.
    pub(super) fn push(
        &mut self,
        transaction: &WriteTransaction<'_>,
        full: &mut Full,
        (row, kin): (Row, Kin),
        shown: ReadyRow,
        codes: (u32, u32, u16),
    ) -> Result<Locator, WriteError> {
        let unit = shown.unit;
        let open = match self.open.entry(unit) {
            std::collections::hash_map::Entry::Occupied(open) => {
                let open = open.into_mut();
                if open.is_full() {
                    // A unit that filled one segment will about fill another.
                    let rows = open.hot.rows();
                    let next = Open::new(transaction, unit, index_after(unit, Some(open.index))?, rows);
                    std::mem::replace(open, next).close(unit, full, &mut self.loosened);
                }
                open
            }
            std::collections::hash_map::Entry::Vacant(place) => {
                let index = index_after(unit, transaction.last_segment(unit)?)?;
                place.insert(Open::new(transaction, unit, index, 0))
            }
        };
        let at = open.push(row, kin, codes);
        if let Some(change) = shown.change {
            open.add_course(&change);
            open.hot.changes.insert(at, change);
        }
        Ok(Locator {
            segment: SegmentKey::new(unit, open.index),
            row: at,
        })
    }

    /// Closes every segment.
    pub(super) fn close(&mut self, full: &mut Full) {
        let mut open: Vec<_> = self.open.drain().collect();
        open.sort_unstable_by_key(|&(unit, _)| unit);
        for (unit, open) in open {
            open.close(unit, full, &mut self.loosened);
        }
    }
}

impl Open {
    fn new(transaction: &WriteTransaction<'_>, unit: u16, index: u16, rows: usize) -> Self {
        let base = first_month(transaction, UnitNumber(unit));
        Self {
            index,
            hot: HotSegment {
                persons: Vec::with_capacity(rows),
                households: Vec::with_capacity(rows),
                births: Vec::with_capacity(rows),
                ..HotSegment::new(unit, base)
            },
            columns: ColumnSegment {
                rows: Vec::with_capacity(rows),
            },
            pairs: FxHashSet::default(),
            courses: FxHashSet::default(),
            versions: 0,
            kin: Vec::with_capacity(rows),
            column_bytes: COLUMNS_EMPTY_BYTES,
        }
    }

    fn is_full(&self) -> bool {
        self.hot.rows() >= SEGMENT_ROWS_MAX
            || hot::estimate(
                self.hot.rows() + 1,
                self.pairs.len() + 1,
                self.courses.len(),
                self.versions,
            ) > hot::FILL_BYTES
            || self.column_bytes + COLUMN_ROW_BYTES + RUN_BYTES + VALUE_BYTES > columns::FILL_BYTES
    }

    fn push(&mut self, row: Row, kin: Kin, (person, household, birth): (u32, u32, u16)) -> u16 {
        let rows = &mut self.columns.rows;
        let at = rows.len() as u16;
        let new_household = rows.last().is_none_or(|before| before.household != row.household);
        let pair = (person, household);
        let hot = &self.hot;
        if hot.persons.last().copied().zip(hot.households.last().copied()) != Some(pair) {
            self.pairs.insert(pair);
        }
        self.column_bytes +=
            COLUMN_ROW_BYTES + VALUE_BYTES * row.values.len() + RUN_BYTES * usize::from(new_household);
        self.hot.newest = self.hot.newest.max(row.recorded);
        self.hot.persons.push(person);
        self.hot.households.push(household);
        self.hot.births.push(birth);
        rows.push(row);
        self.kin.push(kin);
        at
    }

    /// Notes the course of a row for the room that it takes.
    fn add_course(&mut self, change: &Change) {
        if !self.courses.contains(&change.versions) {
            self.versions += change.versions.len();
            self.courses.insert(change.versions.clone());
        }
    }

    /// Which rows belong together. Whoever is named from here and has the main row elsewhere is added to `loosened`.
    fn ties(&self, loosened: &mut Vec<PersonNumber>) -> Ties {
        let rows = &self.columns.rows;
        let mut ties = Ties::default();
        for family in rows.chunk_by(|a, b| a.household != 0 && a.household == b.household) {
            let first = ties.rows();
            ties.push_household(family.len() as u16);
            for row in first..ties.rows() {
                let kin = self.kin[usize::from(row)];
                if !kin.main || kin.unsure || kin.together as usize != family.len() {
                    ties.loosen(row);
                }
            }
        }
        for (referrer, own) in (0..).zip(rows) {
            if !self.kin[usize::from(referrer)].main {
                continue;
            }
            for &(attribute, value) in &own.values {
                let Value::Person(named) = value else { continue };
                if let Some(target) = self.main_row_of(named) {
                    ties.tie(Tie {
                        attribute,
                        target,
                        referrer,
                    });
                } else {
                    ties.loosen(referrer);
                    loosened.push(named);
                }
            }
        }
        ties
    }

    /// The main row of a person, if it is here. Numbers ascend with the rows.
    fn main_row_of(&self, person: PersonNumber) -> Option<u16> {
        let rows = &self.columns.rows;
        let at = rows.binary_search_by_key(&person.get(), |row| row.person).ok()?;
        self.kin[at].main.then_some(at as u16)
    }

    fn close(self, unit: u16, full: &mut Full, loosened: &mut Vec<PersonNumber>) {
        let key = SegmentKey::new(unit, self.index).number();
        full.ties.push((key, self.ties(loosened)));
        full.hot.push((key, self.hot));
        full.columns.push((key, self.columns));
    }
}
