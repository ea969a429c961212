//! Units by number and by code, and the following of mergers.

use std::collections::HashMap;

use rustc_hash::FxBuildHasher;

use super::units::Unit;
use crate::types::{CommuneCode, Month, Sequence, UnitNumber};

/// The unit of rows of people who live nowhere. No unit has this number.
pub(crate) const NOWHERE: u16 = u16::MAX;

/// All units. Their numbers are 1, 2, 3 and so on without a gap.
#[derive(Debug, Clone, Default)]
pub(crate) struct UnitIndex {
    units: Vec<Unit>,
    by_code: HashMap<CommuneCode, Vec<UnitNumber>, FxBuildHasher>,
}

impl UnitIndex {
    /// Units in the order of their numbers.
    pub(crate) fn new(units: Vec<Unit>) -> Self {
        let mut index = Self::default();
        for unit in units {
            index.push(unit);
        }
        index
    }

    /// Adds the unit with the next number.
    pub(crate) fn push(&mut self, unit: Unit) {
        self.by_code
            .entry(unit.declared.code)
            .or_default()
            .push(unit.number);
        self.units.push(unit);
    }

    /// How many.
    pub(crate) fn len(&self) -> usize {
        self.units.len()
    }

    /// All, by number.
    pub(crate) fn all(&self) -> &[Unit] {
        &self.units
    }

    /// The unit with this number.
    pub(crate) fn get(&self, number: UnitNumber) -> Option<&Unit> {
        self.units.get(usize::from(number.get()).checked_sub(1)?)
    }

    /// The unit with this number, to be changed.
    pub(crate) fn get_mut(&mut self, number: UnitNumber) -> Option<&mut Unit> {
        self.units.get_mut(usize::from(number.get()).checked_sub(1)?)
    }

    /// The units of a code, for whatever time.
    pub(crate) fn of_code(&self, code: CommuneCode) -> impl Iterator<Item = &Unit> {
        self.by_code
            .get(&code)
            .into_iter()
            .flatten()
            .filter_map(|&number| self.get(number))
    }

    /// The unit that has a code in a month, as known at a sequence.
    pub(crate) fn find(&self, code: CommuneCode, month: Month, known: Sequence) -> Option<UnitNumber> {
        self.of_code(code)
            .find(|unit| unit.exists_in(month, known))
            .map(|unit| unit.number)
    }

    /// The unit to which those who were entered in a unit belong in a month: mergers are followed. `None` where
    /// a unit ended without a successor.
    pub(crate) fn follow(&self, number: UnitNumber, month: Month, known: Sequence) -> Option<UnitNumber> {
        let mut unit = self.get(number)?;
        // A unit ends once and its successor exists afterwards, so the chain has no circle; the bound makes that
        // certain for damaged data too.
        for _ in 0..=self.units.len() {
            match unit.end {
                Some(end) if end.recorded <= known && month > end.last => unit = self.get(end.successor?)?,
                _ => return Some(unit.number),
            }
        }
        None
    }

    /// Every unit whose people belong to `number` in a month, itself included if it still exists.
    pub(crate) fn feeding(&self, number: UnitNumber, month: Month, known: Sequence) -> Vec<UnitNumber> {
        self.units
            .iter()
            .map(|unit| unit.number)
            .filter(|&unit| self.follow(unit, month, known) == Some(number))
            .collect()
    }
}
