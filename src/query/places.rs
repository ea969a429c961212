//! What is constant for everyone of a unit in a month.

use rustc_hash::FxHashMap;

use crate::kernel::profile::Profile;
use crate::kernel::units::Unit;
use crate::kernel::{ReadError, View};
use crate::policy::{MonthPolicy, Place};
use crate::types::{Month, Sequence, UnitNumber};

/// The classes of units at the end of a month and of the month before.
pub(crate) struct Places {
    list: Vec<Place>,
    now: FxHashMap<u16, u32>,
    before: FxHashMap<u16, u32>,
}

impl Places {
    /// Reads every unit's facts for both months, as far as the programmes read them.
    pub(crate) fn read(
        view: &View,
        policy: &MonthPolicy,
        month: Month,
        known: Sequence,
    ) -> Result<Self, ReadError> {
        Self::seen(view, &|place| policy.project_place(place), month, known)
    }

    /// As [`Places::read`], as far as something is read of people around a person.
    pub(crate) fn of_others(
        view: &View,
        policy: &MonthPolicy,
        month: Month,
        known: Sequence,
    ) -> Result<Self, ReadError> {
        Self::seen(view, &|place| policy.project_place_of_others(place), month, known)
    }

    fn seen(
        view: &View,
        seen: &dyn Fn(&Place) -> Place,
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
            let class = places.class_of(seen(&place_of(unit, profile(0))), &mut classes);
            places.now.insert(number.get(), class);
            if before.is_some() {
                let class = places.class_of(seen(&place_of(unit, profile(1))), &mut classes);
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
    pub(crate) fn now(&self, unit: UnitNumber) -> Option<u32> {
        self.now.get(&unit.get()).copied()
    }

    /// The class of a unit at the end of the month before.
    pub(crate) fn before(&self, unit: UnitNumber) -> Option<u32> {
        self.before.get(&unit.get()).copied()
    }

    /// The places, by class.
    pub(crate) fn all(&self) -> &[Place] {
        &self.list
    }
}

fn place_of(unit: &Unit, commune: &Profile) -> Place {
    Place {
        commune: commune.clone(),
        province: unit.declared.province,
        former_province: unit.declared.former_province,
    }
}
