//! What a transaction has changed so far, in memory, over the snapshot at which it began.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use rustc_hash::FxBuildHasher;

use super::catalogue::Catalogue;
use super::profile::Profile;
use super::tables::Head;
use super::unit_index::UnitIndex;
use crate::format::columns::ColumnSegment;
use crate::format::fact::{FactContent, FactKey};
use crate::format::hot::{Change, HotSegment, Presence, Version};
use crate::format::household::HouseholdRecord;
use crate::format::locator::{Locator, SegmentKey};
use crate::format::reference::Reference;
use crate::types::{Dossier, Month, PersonNumber};

/// What a transaction makes of a hot segment.
pub(crate) enum HotChanges {
    /// Some of its rows show something else. The segment itself is read when it is written.
    Rows(BTreeMap<u16, ShownRow>),
    /// All of it: rows were added.
    Whole(HotSegment),
}

/// What a row of a hot segment is to show.
pub(crate) struct ShownRow {
    /// Profile codes of the newest state.
    pub(crate) person: u32,
    pub(crate) household: u32,
    pub(crate) birth: u16,
    /// The birth month, if nothing was recorded after the person was: then the row may show nothing beyond its columns.
    pub(crate) since: Option<Month>,
    /// What else it shows.
    pub(crate) change: Change,
}

impl HotChanges {
    /// Makes a segment what these changes make of it. `false` if it lacks a row.
    pub(crate) fn apply(&self, segment: &mut HotSegment) -> bool {
        match self {
            Self::Rows(rows) => rows.iter().all(|(&row, shown)| shown.put(segment, row)),
            Self::Whole(whole) => {
                segment.clone_from(whole);
                true
            }
        }
    }
}

impl ShownRow {
    /// Makes a row of a segment show this. `false` if the segment has no such row.
    pub(crate) fn put(&self, segment: &mut HotSegment, row: u16) -> bool {
        let at = usize::from(row);
        let (Some(person), Some(household), Some(birth)) = (
            segment.persons.get_mut(at),
            segment.households.get_mut(at),
            segment.births.get_mut(at),
        ) else {
            return false;
        };
        (*person, *household, *birth) = (self.person, self.household, self.birth);
        segment.newest = segment.newest.max(self.change.last);
        let plain = self.since.is_some_and(|birth| {
            let first = segment.base.max(birth);
            matches!(self.change.versions[..], [Version { from, presence: Presence::Present, .. }] if from == first)
        });
        if plain {
            segment.changes.remove(&row);
        } else {
            segment.changes.insert(row, self.change.clone());
        }
        true
    }
}

/// Changes not yet committed. Dropping it undoes them.
pub(crate) struct Overlay {
    pub(crate) head: Head,
    pub(crate) catalogue: Option<Arc<Catalogue>>,
    pub(crate) units: Option<UnitIndex>,
    /// The numbers of the units to be written.
    pub(crate) changed_units: BTreeSet<u16>,
    pub(crate) packs: BTreeMap<[u8; 32], Vec<u8>>,
    pub(crate) ids: BTreeMap<u64, u32>,
    pub(crate) id_holders: BTreeMap<(u64, u64), u32>,
    pub(crate) locators: BTreeMap<u32, Locator>,
    pub(crate) rows: BTreeMap<(u32, u16), (u16, u16)>,
    pub(crate) household_ids: BTreeMap<u64, u32>,
    pub(crate) households: BTreeMap<u32, HouseholdRecord>,
    pub(crate) members: BTreeSet<(u32, u32)>,
    pub(crate) merged: BTreeSet<(u32, u32)>,
    /// References that records of this transaction added.
    pub(crate) references: BTreeSet<Reference>,
    pub(crate) facts: BTreeMap<FactKey, FactContent>,
    pub(crate) hot: HashMap<SegmentKey, HotChanges, FxBuildHasher>,
    pub(crate) columns: HashMap<SegmentKey, ColumnSegment, FxBuildHasher>,
    /// Persons of whom the ties of their main row's segment no longer tell all; in any order.
    pub(crate) loosened: Vec<PersonNumber>,
    pub(crate) dossiers: BTreeMap<u32, Dossier>,
    pub(crate) profiles: Vec<Profile>,
    pub(crate) profile_codes: HashMap<Profile, u32, FxBuildHasher>,
    /// The last segment of units in which this transaction has added rows.
    pub(crate) last_segments: BTreeMap<u16, u16>,
}

impl Overlay {
    /// Nothing changed yet.
    pub(crate) fn new(head: Head) -> Self {
        Self {
            head,
            catalogue: None,
            units: None,
            changed_units: BTreeSet::new(),
            packs: BTreeMap::new(),
            ids: BTreeMap::new(),
            id_holders: BTreeMap::new(),
            locators: BTreeMap::new(),
            rows: BTreeMap::new(),
            household_ids: BTreeMap::new(),
            households: BTreeMap::new(),
            members: BTreeSet::new(),
            merged: BTreeSet::new(),
            references: BTreeSet::new(),
            facts: BTreeMap::new(),
            hot: HashMap::default(),
            columns: HashMap::default(),
            loosened: Vec::new(),
            dossiers: BTreeMap::new(),
            profiles: Vec::new(),
            profile_codes: HashMap::default(),
            last_segments: BTreeMap::new(),
        }
    }
}
