//! What a transaction has changed so far, in memory, over the snapshot at which it began.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use rustc_hash::FxBuildHasher;

use super::catalogue::Catalogue;
use super::occurrences::Occurrence;
use super::profile::Profile;
use super::tables::Head;
use super::unit_index::UnitIndex;
use crate::format::columns::ColumnSegment;
use crate::format::fact::{FactContent, FactKey};
use crate::format::hot::HotSegment;
use crate::format::household::HouseholdRecord;
use crate::format::locator::{Locator, SegmentKey};
use crate::format::reference::Reference;
use crate::types::{Dossier, PersonNumber};

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
    pub(crate) hot: HashMap<SegmentKey, HotSegment, FxBuildHasher>,
    /// Codes of profiles in segments in which they were not when this transaction brought them there.
    pub(crate) occurrences: BTreeSet<Occurrence>,
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
            occurrences: BTreeSet::new(),
            columns: HashMap::default(),
            loosened: Vec::new(),
            dossiers: BTreeMap::new(),
            profiles: Vec::new(),
            profile_codes: HashMap::default(),
            last_segments: BTreeMap::new(),
        }
    }
}
