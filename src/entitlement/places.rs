//! What is constant for everyone of a unit in a month.

use rustc_hash::FxHashMap;

use crate::kernel::profile::Profile;
use crate::kernel::units::Unit;
use crate::kernel::{ReadError, View};
use crate::policy::MonthPolicy;
use crate::types::{Month, ProvinceCode, Sequence, UnitNumber};

/// A unit as a policy sees it. Units that it sees alike have the same class.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Place {
    pub(super) commune: Profile,
    pub(super) province: ProvinceCode,
    pub(super) former_province: ProvinceCode,
}

/// The classes of units at the end of a month and of the month before.
pub(super) struct Places {
    list: Vec<Place>,
    now: FxHashMap<u16, u32>,
    before: FxHashMap<u16, u32>,
}

impl Places {
    /// Reads every unit's facts for both months.
    pub(super) fn read(
        view: &View,
        policy: &MonthPolicy,
        month: Month,
        known: Sequence,
    ) -> Result<Self, ReadError> {
        let mut places = Self {
            list: Vec::new(),
            now: FxHashMap::default(),
            before: FxHashMap::default(),
        };
        let mut classes: FxHashMap<Place, u32> = FxHashMap::default();
        let before = month.previous();
        let months: Vec<Month> = [Some(month), before].into_iter().flatten().collect();
        let profiles = view.commune_profiles(&months, known)?;
        let none = Profile::default();
        for unit in view.units() {
            let number = unit.number;
            let profile = |at: usize| profiles.get(at).and_then(|of| of.get(&number)).unwrap_or(&none);
            let class = places.class_of(place_of(unit, policy, profile(0)), &mut classes);
            places.now.insert(number.get(), class);
            if before.is_some() {
                let class = places.class_of(place_of(unit, policy, profile(1)), &mut classes);
                places.before.insert(number.get(), class);
            }
        }
        Ok(places)
    }

    fn class_of(&mut self, place: Place, classes: &mut FxHashMap<Place, u32>) -> u32 {
        *classes.entry(place).or_insert_with_key(|place| {
            self.list.push(place.clone());
            self.list.len() as u32 - 1
        })
    }

    /// The class of a unit at the end of the month.
    pub(super) fn now(&self, unit: UnitNumber) -> Option<u32> {
        self.now.get(&unit.get()).copied()
    }

    /// The class of a unit at the end of the month before.
    pub(super) fn before(&self, unit: UnitNumber) -> Option<u32> {
        self.before.get(&unit.get()).copied()
    }

    /// The place of a class.
    pub(super) fn get(&self, class: u32) -> &Place {
        &self.list[class as usize]
    }
}

/// A unit as a policy sees it: provinces only if a rule asks for them.
fn place_of(unit: &Unit, policy: &MonthPolicy, profile: &Profile) -> Place {
    let declared = &unit.declared;
    let none = ProvinceCode::NONE;
    let reads = policy.reads();
    Place {
        commune: policy.project_commune(profile),
        province: if reads.province { declared.province } else { none },
        former_province: if reads.former_province {
            declared.former_province
        } else {
            none
        },
    }
}
