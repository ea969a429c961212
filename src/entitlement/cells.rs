//! The decision table: one outcome for every cell that occurs.

use rustc_hash::FxHashMap;

use super::places::Places;
use crate::kernel::profile::Profile;
use crate::kernel::scan::CodedState;
use crate::kernel::{ReadError, View};
use crate::policy::{Bands, Case, LineKind, MonthPolicy, NoNumbers, Outcome};
use crate::types::Total;

/// The class of somebody of whom there is no state.
const NONE: u32 = u32::MAX;

/// A cell: what the policy sees of a person at the end of the month and of the month before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Cell {
    now: State,
    before: State,
    band: u16,
}

/// Classes of place, person and household.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct State {
    pub(super) place: u32,
    pub(super) person: u32,
    pub(super) household: u32,
}

impl State {
    /// Neither alive nor present.
    pub(super) const NONE: Self = Self {
        place: NONE,
        person: NONE,
        household: NONE,
    };
}

/// An outcome with what the totals need of it.
#[derive(Debug)]
pub(super) struct Counted {
    pub(super) outcome: Outcome,
    pub(super) paid: Total,
    pub(super) held: Total,
}

/// Profiles as a policy sees them: those that it sees alike have the same class.
#[derive(Default)]
struct Classes {
    of_code: FxHashMap<u32, u32>,
    of_profile: FxHashMap<Profile, u32>,
    profiles: Vec<Profile>,
}

impl Classes {
    fn class(&mut self, profile: Profile) -> u32 {
        *self.of_profile.entry(profile).or_insert_with_key(|profile| {
            self.profiles.push(profile.clone());
            self.profiles.len() as u32 - 1
        })
    }
}

/// The cells that one worker has met, and their outcomes.
pub(super) struct Cells<'a> {
    view: &'a View,
    policy: &'a MonthPolicy,
    bands: &'a Bands,
    places: &'a Places,
    persons: Classes,
    households: Classes,
    table: FxHashMap<Cell, u32>,
    outcomes: Vec<Counted>,
    codes: FxHashMap<Outcome, u32>,
}

impl<'a> Cells<'a> {
    pub(super) fn new(view: &'a View, policy: &'a MonthPolicy, bands: &'a Bands, places: &'a Places) -> Self {
        Self {
            view,
            policy,
            bands,
            places,
            persons: Classes::default(),
            households: Classes::default(),
            table: FxHashMap::default(),
            outcomes: Vec::new(),
            codes: FxHashMap::default(),
        }
    }

    /// The class of a person's profile code.
    pub(super) fn person_class(&mut self, code: u32) -> Result<u32, ReadError> {
        if let Some(&class) = self.persons.of_code.get(&code) {
            return Ok(class);
        }
        let class = self
            .persons
            .class(self.policy.project_person(&self.view.profile(code)?));
        self.persons.of_code.insert(code, class);
        Ok(class)
    }

    /// The class of a household's profile code.
    pub(super) fn household_class(&mut self, code: u32) -> Result<u32, ReadError> {
        if let Some(&class) = self.households.of_code.get(&code) {
            return Ok(class);
        }
        let class = self
            .households
            .class(self.policy.project_household(&self.view.profile(code)?));
        self.households.of_code.insert(code, class);
        Ok(class)
    }

    /// The classes of a state at the end of the month (`now`), or of the month before.
    pub(super) fn state(&mut self, state: Option<CodedState>, now: bool) -> Result<State, ReadError> {
        let Some(state) = state else {
            return Ok(State::NONE);
        };
        let place = if now {
            self.places.now(state.unit)
        } else {
            self.places.before(state.unit)
        };
        Ok(State {
            place: place.ok_or_else(|| ReadError::Inconsistent(format!("{} is not stored", state.unit)))?,
            person: self.person_class(state.person)?,
            household: self.household_class(state.household)?,
        })
    }

    /// The number of the outcome of a cell, filled now if nobody was in it yet.
    pub(super) fn outcome(&mut self, now: State, before: State, band: u16) -> u32 {
        let cell = Cell { now, before, band };
        if let Some(&number) = self.table.get(&cell) {
            return number;
        }
        let outcome = self.evaluate(cell);
        let number = self.number_of(outcome);
        self.table.insert(cell, number);
        number
    }

    fn evaluate(&self, cell: Cell) -> Outcome {
        let band = self.bands.band(cell.band);
        let case = |state: State, age| {
            if state == State::NONE {
                return None;
            }
            let place = self.places.get(state.place);
            Some(Case {
                age: age?,
                person: &self.persons.profiles[state.person as usize],
                household: Some(&self.households.profiles[state.household as usize]),
                commune: &place.commune,
                province: place.province,
                former_province: place.former_province,
                numbers: &NoNumbers,
            })
        };
        let now = case(cell.now, band.and_then(|band| band.now));
        let before = case(cell.before, band.and_then(|band| band.before));
        self.policy.evaluate(now.as_ref(), before.as_ref())
    }

    /// The number of an outcome, given now if it is new.
    pub(super) fn number_of(&mut self, outcome: Outcome) -> u32 {
        if let Some(&number) = self.codes.get(&outcome) {
            return number;
        }
        let number = self.outcomes.len() as u32;
        let sum = |kind| outcome.lines_of(kind).map(|line| line.amount).sum();
        let counted = Counted {
            paid: sum(LineKind::Paid),
            held: sum(LineKind::Held),
            outcome: outcome.clone(),
        };
        self.codes.insert(outcome, number);
        self.outcomes.push(counted);
        number
    }

    /// The outcome of a number.
    pub(super) fn get(&self, number: u32) -> &Counted {
        &self.outcomes[number as usize]
    }

    /// How many cells were filled.
    pub(super) fn filled(&self) -> u64 {
        self.table.len() as u64
    }

    /// The outcomes, by number.
    pub(super) fn into_outcomes(self) -> Vec<Counted> {
        self.outcomes
    }
}
