//! What is constant for everyone of a unit in a month.

use std::collections::HashMap;

use rustc_hash::FxHashMap;

use crate::kernel::profile::Profile;
use crate::kernel::units::Unit;
use crate::kernel::{ReadError, View};
use crate::policy::{MonthPolicy, Place, Predicate, Reads};
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
        Self::both(view, &|place| policy.project_place(place), month, known)
    }

    /// As [`Places::read`], as far as something is read of people around a person.
    pub(crate) fn of_others(
        view: &View,
        policy: &MonthPolicy,
        others: &Reads,
        month: Month,
        known: Sequence,
    ) -> Result<Self, ReadError> {
        let seen = |place: &Place| policy.project_place_of_others(others, place);
        Self::both(view, &seen, month, known)
    }

    /// As a predicate sees them, at the end of the month alone. What it does not read costs nothing.
    pub(crate) fn seen_by(
        view: &View,
        predicate: &Predicate<'_>,
        month: Month,
        known: Sequence,
    ) -> Result<Self, ReadError> {
        let profiles = if predicate.reads().commune.is_empty() {
            vec![HashMap::new()]
        } else {
            view.commune_profiles(&[month], known)?
        };
        Ok(Self::of(view, &profiles, &|place| predicate.project_place(place)))
    }

    fn both(
        view: &View,
        seen: &dyn Fn(&Place) -> Place,
        month: Month,
        known: Sequence,
    ) -> Result<Self, ReadError> {
        let months: Vec<Month> = [Some(month), month.previous()].into_iter().flatten().collect();
        let profiles = view.commune_profiles(&months, known)?;
        Ok(Self::of(view, &profiles, seen))
    }

    /// The classes by the profiles of the month and, where there is one, of the month before.
    fn of(view: &View, profiles: &[HashMap<UnitNumber, Profile>], seen: &dyn Fn(&Place) -> Place) -> Self {
        let mut places = Self {
            list: Vec::new(),
            now: FxHashMap::default(),
            before: FxHashMap::default(),
        };
        let mut classes: FxHashMap<Place, u32> = FxHashMap::default();
        let none = Profile::default();
        for unit in view.units() {
            let number = unit.number;
            let profile = |at: usize| profiles.get(at).and_then(|of| of.get(&number)).unwrap_or(&none);
            let class = places.class_of(seen(&place_of(unit, profile(0))), &mut classes);
            places.now.insert(number.get(), class);
            if profiles.len() > 1 {
                let class = places.class_of(seen(&place_of(unit, profile(1))), &mut classes);
                places.before.insert(number.get(), class);
            }
        }
        places
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
