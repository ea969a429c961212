//! The decision table: one outcome for every cell that occurs.
//!
//! A cell is what the policy sees of a person: the place, the profiles of person and household, and the band of age, at
//! the end of the month and of the month before. It is filled by the evaluator that explains a single case. Each
//! programme is remembered by just what it reads itself, so a new cell mostly joins what is known.

use std::rc::Rc;

use rustc_hash::FxHashMap;

use super::assess::{Judged, Person, Standing};
use super::bands::{Band, Bands};
use super::case::{Age, Case, Own};
use super::month::{MonthPolicy, Reads};
use super::outcome::Outcome;
use crate::kernel::catalogue::SubjectKind;
use crate::kernel::profile::Profile;
use crate::types::ProvinceCode;

/// The class of somebody of whom there is no state.
const NONE: u32 = u32::MAX;

/// A place as a policy sees it. Places that it sees alike are equal.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Place {
    /// The commune's recorded values that stand in profiles.
    pub commune: Profile,
    /// The province.
    pub province: ProvinceCode,
    /// The province to which the commune belonged before 2025-07-01.
    pub former_province: ProvinceCode,
}

/// What a policy sees of a person at the end of one month: classes that a [`DecisionTable`] gave.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct CellState {
    /// The place's class.
    pub place: u32,
    /// The class of the person's profile.
    pub person: u32,
    /// The class of the household's profile.
    pub household: u32,
}

impl CellState {
    /// Neither alive nor present.
    pub const NONE: Self = Self {
        place: NONE,
        person: NONE,
        household: NONE,
    };
}

/// A cell of a decision table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Cell {
    /// The state at the end of the month.
    pub now: CellState,
    /// The state at the end of the month before.
    pub before: CellState,
    /// The band of age.
    pub band: u16,
}

/// What a cell comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Filled {
    /// The number of the outcome of everyone in it.
    Outcome(u32),
    /// It depends on what each person has of their own: see [`DecisionTable::outcome_of`].
    EachOwn,
}

/// Things of one kind, as a policy or a programme sees them: what it sees alike has the same class.
#[derive(Debug)]
struct Classes<T> {
    of: FxHashMap<T, u32>,
    all: Vec<T>,
}

impl<T: Clone + Eq + std::hash::Hash> Classes<T> {
    fn new() -> Self {
        Self {
            of: FxHashMap::default(),
            all: Vec::new(),
        }
    }

    fn class(&mut self, thing: T) -> u32 {
        *self.of.entry(thing).or_insert_with_key(|thing| {
            self.all.push(thing.clone());
            self.all.len() as u32 - 1
        })
    }
}

/// A programme's own view of the classes: what it sees alike has the same number.
#[derive(Debug)]
struct Part {
    /// Its place in the pack.
    place: usize,
    reads: Reads,
    places: View<Place>,
    persons: View<Profile>,
    households: View<Profile>,
    bands: Vec<u16>,
    judged: FxHashMap<Cell, Rc<Judged>>,
}

/// Classes of the policy as one programme sees them.
#[derive(Debug)]
struct View<T> {
    seen: Classes<T>,
    /// By class of the policy.
    of_class: Vec<u32>,
}

impl<T: Clone + Eq + std::hash::Hash> View<T> {
    fn new() -> Self {
        Self {
            seen: Classes::new(),
            of_class: Vec::new(),
        }
    }

    /// What a class of the policy is for the programme.
    fn of(&mut self, class: u32, all: &[T], see: impl Fn(&T) -> T) -> u32 {
        if class == NONE {
            return NONE;
        }
        while self.of_class.len() <= class as usize {
            let seen = see(&all[self.of_class.len()]);
            let number = self.seen.class(seen);
            self.of_class.push(number);
        }
        self.of_class[class as usize]
    }
}

/// The decision table of a month.
///
/// ```
/// use ansinh::kernel::catalogue::{Catalogue, SubjectKind};
/// use ansinh::policy::{Bands, Cell, CellState, DecisionTable, Filled, Pack, Place};
/// # let pack = Pack::vietnam();
/// # let (policy, catalogue) = pack.alone();
/// let month = policy.for_month("2026-06".parse()?, "2026-06-30".parse()?)?;
/// let bands = Bands::new(&month);
/// let mut table = DecisionTable::new(&month, &bands);
/// let fact = |name: &str, value: &str| {
///     let attribute = catalogue.attribute(SubjectKind::Person, name).unwrap();
///     (attribute.number, attribute.parse(value).unwrap())
/// };
/// let profile = [fact("disability", "severe"), fact("enrolment.disability", "active")].into_iter().collect();
/// let place = Place { commune: Default::default(), province: "40".parse()?, former_province: "40".parse()? };
/// let state = CellState {
///     place: table.place(&place),
///     person: table.person(&profile),
///     household: table.household(&Default::default()),
/// };
/// let band = bands.of("1990-05-17".parse()?);
/// let Filled::Outcome(number) = table.fill(Cell { now: state, before: state, band }) else {
///     panic!("nothing in this cell depends on the person alone");
/// };
/// assert_eq!(table.outcome(number).lines[0].amount.get(), 750_000);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct DecisionTable<'a> {
    policy: &'a MonthPolicy,
    bands: &'a Bands,
    places: Classes<Place>,
    persons: Classes<Profile>,
    households: Classes<Profile>,
    /// By the order in which programmes are settled.
    parts: Vec<Part>,
    /// The part of each programme of the pack.
    part_of: Vec<usize>,
    cells: FxHashMap<Cell, Filled>,
    outcomes: Vec<Outcome>,
    numbers: FxHashMap<Outcome, u32>,
}

impl<'a> DecisionTable<'a> {
    /// An empty table.
    pub fn new(policy: &'a MonthPolicy, bands: &'a Bands) -> Self {
        let parts: Vec<Part> = policy
            .settled()
            .iter()
            .map(|&place| Part::new(policy, bands, place))
            .collect();
        let mut part_of = vec![usize::MAX; policy.pack().programmes.len()];
        for (at, part) in parts.iter().enumerate() {
            part_of[part.place] = at;
        }
        Self {
            policy,
            bands,
            places: Classes::new(),
            persons: Classes::new(),
            households: Classes::new(),
            parts,
            part_of,
            cells: FxHashMap::default(),
            outcomes: Vec::new(),
            numbers: FxHashMap::default(),
        }
    }

    /// The class of a place.
    pub fn place(&mut self, place: &Place) -> u32 {
        self.places.class(self.policy.project_place(place))
    }

    /// The class of a person's profile.
    pub fn person(&mut self, profile: &Profile) -> u32 {
        self.persons.class(self.policy.project_person(profile))
    }

    /// The class of a household's profile.
    pub fn household(&mut self, profile: &Profile) -> u32 {
        self.households.class(self.policy.project_household(profile))
    }

    /// What a cell comes to, worked out now if nobody was in it yet.
    pub fn fill(&mut self, cell: Cell) -> Filled {
        if let Some(&filled) = self.cells.get(&cell) {
            return filled;
        }
        let judged = self.judge(cell);
        let filled = if judged.iter().any(|judged| judged.untold) {
            Filled::EachOwn
        } else {
            let outcome = self.combine(&judged, cell);
            Filled::Outcome(self.number_of(outcome))
        };
        self.cells.insert(cell, filled);
        filled
    }

    /// The number of the outcome of one person of a cell, with what the person has of their own.
    pub fn outcome_of(&mut self, cell: Cell, now: &dyn Own, before: &dyn Own) -> u32 {
        let judged = self.judge(cell);
        let band = self.bands.band(cell.band);
        let ages = (band.and_then(|band| band.now), band.and_then(|band| band.before));
        let case = |state, age, own| self.case(state, age, Some(own));
        let (case_now, case_before) = (case(cell.now, ages.0, now), case(cell.before, ages.1, before));
        let person = Person {
            now: case_now.as_ref(),
            before: case_before.as_ref(),
        };
        // Places in `judged` are those of the parts, each after those that exclude from it.
        let mut settled: Vec<Rc<Judged>> = Vec::with_capacity(judged.len());
        for judged in judged {
            if !judged.untold {
                settled.push(judged);
                continue;
            }
            let others = |place: usize| standings(&settled, self.part_of[place]);
            let (judged, _) = self.policy.judge_one(judged.place, person, &others, false);
            settled.push(Rc::new(judged));
        }
        let outcome = self.combine(&settled, cell);
        self.number_of(outcome)
    }

    /// Judges every programme for a cell, in the order of the parts.
    fn judge(&mut self, cell: Cell) -> Vec<Rc<Judged>> {
        let mut parts = std::mem::take(&mut self.parts);
        let mut all: Vec<Rc<Judged>> = Vec::with_capacity(parts.len());
        for part in &mut parts {
            let key = part.key(cell, self);
            let judged = match part.judged.get(&key) {
                Some(judged) => Rc::clone(judged),
                None => {
                    let judged = Rc::new(self.judge_part(part.place, cell, &all));
                    part.judged.insert(key, Rc::clone(&judged));
                    judged
                }
            };
            all.push(judged);
        }
        self.parts = parts;
        all
    }

    fn judge_part(&self, place: usize, cell: Cell, settled: &[Rc<Judged>]) -> Judged {
        let band = self.bands.band(cell.band);
        let now = self.case(cell.now, band.and_then(|band| band.now), None);
        let before = self.case(cell.before, band.and_then(|band| band.before), None);
        let person = Person {
            now: now.as_ref(),
            before: before.as_ref(),
        };
        let others = |place: usize| standings(settled, self.part_of[place]);
        let (mut judged, _) = self.policy.judge_one(place, person, &others, false);
        // Whoever is excluded by what is not told for the whole cell is not told either.
        judged.untold |= self.policy.pack().programmes[place].excluding().any(|other| {
            settled
                .get(self.part_of[other])
                .is_some_and(|judged| judged.untold)
        });
        judged
    }

    fn case<'c>(&'c self, state: CellState, age: Option<Age>, own: Option<&'c dyn Own>) -> Option<Case<'c>> {
        if state == CellState::NONE {
            return None;
        }
        let place = &self.places.all[state.place as usize];
        Some(Case {
            age: age?,
            person: &self.persons.all[state.person as usize],
            household: Some(&self.households.all[state.household as usize]),
            commune: &place.commune,
            province: place.province,
            former_province: place.former_province,
            own,
        })
    }

    fn combine(&self, judged: &[Rc<Judged>], cell: Cell) -> Outcome {
        let paying: Vec<&Judged> = self
            .policy
            .paying()
            .iter()
            .map(|&place| &*judged[self.part_of[place]])
            .collect();
        let band = self.bands.band(cell.band);
        let present = |state: CellState, age: fn(Band) -> Option<Age>| {
            state != CellState::NONE && band.and_then(age).is_some()
        };
        self.policy.outcome(
            &paying,
            present(cell.now, |band| band.now),
            present(cell.before, |band| band.before),
        )
    }

    /// The number of an outcome, given now if it is new.
    pub fn number_of(&mut self, outcome: Outcome) -> u32 {
        if let Some(&number) = self.numbers.get(&outcome) {
            return number;
        }
        let number = self.outcomes.len() as u32;
        self.outcomes.push(outcome.clone());
        self.numbers.insert(outcome, number);
        number
    }

    /// The outcome of a number.
    pub fn outcome(&self, number: u32) -> &Outcome {
        &self.outcomes[number as usize]
    }

    /// The outcomes, by number.
    pub fn outcomes(&self) -> &[Outcome] {
        &self.outcomes
    }

    /// How many cells were filled.
    pub fn cells(&self) -> usize {
        self.cells.len()
    }
}

/// The standings of a programme that was judged before, by the place of its part.
fn standings(settled: &[Rc<Judged>], part: usize) -> Option<(Option<Standing>, Option<Standing>)> {
    settled.get(part).map(|judged| (judged.now, judged.before))
}

/// A place as far as some rules read it.
pub(super) fn seen_place(policy: &MonthPolicy, reads: &Reads, place: &Place) -> Place {
    let (province, former_province) = reads.project_place(place.province, place.former_province);
    Place {
        commune: policy.project(SubjectKind::Commune, &reads.commune, &place.commune),
        province,
        former_province,
    }
}

impl Part {
    fn new(policy: &MonthPolicy, bands: &Bands, place: usize) -> Self {
        let reads = policy.reads_of_place(place);
        let own = Bands::with(policy.month(), &reads.age, policy.unknown_birth_month());
        let of_band = |band: u16| {
            let age = bands.band(band).and_then(|band| band.now);
            age.map_or(Bands::UNBORN, |age| own.of_age(age))
        };
        Self {
            place,
            bands: (0..bands.count()).map(|band| of_band(band as u16)).collect(),
            reads,
            places: View::new(),
            persons: View::new(),
            households: View::new(),
            judged: FxHashMap::default(),
        }
    }

    /// The cell as the programme sees it.
    fn key(&mut self, cell: Cell, table: &DecisionTable<'_>) -> Cell {
        let (policy, reads) = (table.policy, &self.reads);
        let mut state = |state: CellState| CellState {
            place: self.places.of(state.place, &table.places.all, |place| {
                seen_place(policy, reads, place)
            }),
            person: self.persons.of(state.person, &table.persons.all, |profile| {
                policy.project(SubjectKind::Person, &reads.person, profile)
            }),
            household: self
                .households
                .of(state.household, &table.households.all, |profile| {
                    policy.project(SubjectKind::Household, &reads.household, profile)
                }),
        };
        Cell {
            now: state(cell.now),
            before: state(cell.before),
            band: self
                .bands
                .get(usize::from(cell.band))
                .copied()
                .unwrap_or(Bands::UNBORN),
        }
    }
}

impl Bands {
    /// The band of an age at the end of the month.
    fn of_age(&self, age: Age) -> u16 {
        let born = i32::from(self.month().index()) - age.max;
        let Ok(index) = usize::try_from(born) else {
            // Older than the calendar: as old as it allows.
            return self
                .by_birth_month(age.min == age.max)
                .first()
                .copied()
                .unwrap_or(Self::UNBORN);
        };
        self.by_birth_month(age.min == age.max)
            .get(index)
            .copied()
            .unwrap_or(Self::UNBORN)
    }
}
