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
    /// By unit, from 1.
    now: Vec<u32>,
    before: Vec<u32>,
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
            now: Vec::with_capacity(view.units().len()),
            before: Vec::new(),
        };
        let mut classes: FxHashMap<Place, u32> = FxHashMap::default();
        let none = Profile::default();
        // Neighbours are mostly alike, and are then not looked at twice.
        let mut last: Option<(&Unit, &Profile, u32)> = None;
        for unit in view.units() {
            debug_assert_eq!(usize::from(unit.number.get()), places.now.len() + 1);
            for (at, of_unit) in profiles.iter().enumerate() {
                let profile = of_unit.get(&unit.number).unwrap_or(&none);
                let class = match last {
                    Some((other, known, class)) if known == profile && are_near(unit, other) => class,
                    _ => places.class_of(seen(&place_of(unit, profile)), &mut classes),
                };
                last = Some((unit, profile, class));
                let list = if at == 0 {
                    &mut places.now
                } else {
                    &mut places.before
                };
                list.push(class);
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
        class_in(&self.now, unit)
    }

    /// The class of a unit at the end of the month before.
    pub(crate) fn before(&self, unit: UnitNumber) -> Option<u32> {
        class_in(&self.before, unit)
    }

    /// The places, by class.
    pub(crate) fn all(&self) -> &[Place] {
        &self.list
    }
}

fn class_in(classes: &[u32], unit: UnitNumber) -> Option<u32> {
    classes.get(usize::from(unit.get()).checked_sub(1)?).copied()
}

/// Whether two units belong to the same provinces, now and formerly.
fn are_near(unit: &Unit, other: &Unit) -> bool {
    let provinces = |unit: &Unit| (unit.declared.province, unit.declared.former_province);
    provinces(unit) == provinces(other)
}

fn place_of(unit: &Unit, commune: &Profile) -> Place {
    Place {
        commune: commune.clone(),
        province: unit.declared.province,
        former_province: unit.declared.former_province,
    }
}
