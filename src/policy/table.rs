//! The decision table: one outcome for every cell that occurs.
//!
//! A cell is what the policy sees of a person: the place, the profiles of person and household, and the band of age, at
//! the end of the month and of the month before. It is filled by the evaluator that explains a single case. Each
//! programme is remembered by just what it reads itself, so a new cell mostly joins what is known.

mod persons;

use rustc_hash::FxHashMap;

use self::persons::{EMPTY, Persons};

use super::assess::{Judged, Person};
use super::bands::{Band, Bands};
use super::case::{Age, Case, Group as CaseGroup, Own};
use super::month::{MonthPolicy, Reads};
use super::outcome::Outcome;
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
    /// Whether those in it died in the month: what is `now` is then the state at death.
    pub dies: bool,
}

/// What a cell comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Filled {
    /// The number of the outcome of everyone in it.
    Outcome(u32),
    /// It depends on what each person has of their own: see [`DecisionTable::outcome_of`].
    EachOwn(Asked),
}

/// What else decides in a cell that has no outcome for everyone in it: a number of [`DecisionTable::asked`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Asked(u32);

impl Asked {
    /// As a number less than 2^31 - 1, for callers that remember a cell themselves.
    pub const fn number(self) -> u32 {
        debug_assert!(self.0 < u32::MAX >> 1, "one for each set of groups of people");
        self.0
    }

    /// What has this number.
    pub const fn of_number(number: u32) -> Self {
        Self(number)
    }
}

/// The people around a person who decide, beside the cell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AskedOf {
    /// The groups of people that are asked about, in order.
    pub groups: Vec<CaseGroup>,
    /// Whether these groups settle it. Otherwise values that stand in no profile are asked for too.
    pub settle: bool,
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

/// A household in a place: what is around a person.
type Around = (Place, Profile);

/// A programme's own part of the table: what it sees alike has the same class, and is judged once.
#[derive(Debug)]
struct Part {
    /// Its place in the pack.
    place: usize,
    reads: Reads,
    around: Classes<Around>,
    /// How many bands of age it tells apart.
    bands: usize,
    /// Where people are alike at the end of the month and of the month before, by class of person, then by class of what
    /// is around and band: the place in `judged`, or `UNSET`.
    plain: Vec<Vec<u32>>,
    /// Where they are not.
    changed: FxHashMap<Seen, u32>,
    /// By what it sees and the people around: see [`DecisionTable::key_around`].
    around_it: FxHashMap<Box<[u32]>, u32>,
    judged: Classes<Judged>,
}

/// What a programme sees of a person: classes of person and of what is around, now and before, the band, and whether
/// the person died.
type Seen = ((u32, u32), (u32, u32), u16, bool);

/// A cell, and what is around in it now and before: places in `seen_around`.
#[derive(Debug, Clone, Copy)]
struct AtHand {
    cell: Cell,
    around: (u32, u32),
}

const UNSET: u32 = u32::MAX;
/// So many judgements of people of whom nothing is recorded are kept at most, 64 MiB; then they are looked up anew.
const WITHOUT_MAX: usize = 1 << 24;

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
/// let Filled::Outcome(number) = table.fill(Cell { now: state, before: state, band, dies: false }) else {
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
    persons: Persons,
    households: Classes<Profile>,
    /// By the order in which programmes are settled.
    parts: Vec<Part>,
    /// The part of each programme of the pack.
    part_of: Vec<usize>,
    /// What is around: the place in `seen_around` of each place and household.
    around: FxHashMap<(u32, u32), u32>,
    /// The class in each part.
    seen_around: Vec<Box<[u32]>>,
    /// By band, the band in each part.
    seen_bands: Vec<Box<[u16]>>,
    /// The cell at hand.
    at_hand: AtHand,
    /// By part, where the programme's judgement of the cell at hand stands.
    found: Vec<u32>,
    /// By what is around now and before, band, and whether the person died: where in `without` the judgements begin of
    /// somebody of whom nothing is recorded.
    bases: FxHashMap<(u32, u32, u16, bool), usize>,
    /// By part, where such a judgement stands; `UNSET` if it was not asked for. Most parts judge a person so, as they read
    /// nothing of what is recorded.
    without: Vec<u32>,
    /// What judgements come to together: whether the person is there and was there, and `found`.
    combined: FxHashMap<Box<[u32]>, Filled>,
    /// Room for a key.
    key: Vec<u32>,
    /// The cells that are remembered; and how many were worked out, those of others too.
    cells: FxHashMap<Cell, Filled>,
    worked_out: usize,
    asked: Vec<AskedOf>,
    outcomes: Vec<Outcome>,
    numbers: FxHashMap<Outcome, u32>,
}

impl<'a> DecisionTable<'a> {
    /// An empty table.
    pub fn new(policy: &'a MonthPolicy, bands: &'a Bands) -> Self {
        let mut parts: Vec<Part> = Vec::new();
        let mut own_bands = Vec::new();
        for &place in policy.settled() {
            let reads = policy.reads_of_place(place);
            let own = Bands::with(policy.month(), &reads.age, policy.unknown_birth_month());
            parts.push(Part::new(place, reads, own.count()));
            own_bands.push(own);
        }
        let mut part_of = vec![usize::MAX; policy.pack().programmes.len()];
        for (at, part) in parts.iter().enumerate() {
            part_of[part.place] = at;
        }
        let seen_bands = (0..bands.count())
            .map(|band| {
                let age = bands.band(band as u16).and_then(|band| band.now);
                let seen = |own: &Bands| age.map_or(Bands::UNBORN, |age| own.of_age(age));
                own_bands.iter().map(seen).collect()
            })
            .collect();
        Self {
            policy,
            bands,
            places: Classes::new(),
            persons: Persons::new(parts.iter().map(|part| part.reads.person.as_slice())),
            households: Classes::new(),
            parts,
            part_of,
            around: FxHashMap::default(),
            seen_around: Vec::new(),
            seen_bands,
            at_hand: AtHand {
                cell: Cell {
                    now: CellState::NONE,
                    before: CellState::NONE,
                    band: Bands::UNBORN,
                    dies: false,
                },
                around: (NONE, NONE),
            },
            found: Vec::new(),
            bases: FxHashMap::default(),
            without: Vec::new(),
            combined: FxHashMap::default(),
            key: Vec::new(),
            cells: FxHashMap::default(),
            worked_out: 0,
            asked: Vec::new(),
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
        let policy = self.policy;
        self.persons
            .class(profile, |value| policy.is_read_of_person(value))
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
        let filled = self.work_out(cell);
        self.cells.insert(cell, filled);
        filled
    }

    /// As [`DecisionTable::fill`], for callers that remember the cell themselves.
    pub fn work_out(&mut self, cell: Cell) -> Filled {
        self.worked_out += 1;
        self.judge(cell);
        self.settle(cell)
    }

    /// What the judgements that were found of a cell come to. Most cells differ in nothing that makes a difference.
    fn settle(&mut self, cell: Cell) -> Filled {
        let (is_there, was_there) = self.presence(cell);
        let mut key = std::mem::take(&mut self.key);
        key.clear();
        key.push(u32::from(is_there) << 1 | u32::from(was_there));
        key.extend(&self.found);
        let known = self.combined.get(key.as_slice()).copied();
        let filled = known.unwrap_or_else(|| {
            let filled = self.combine_found(cell);
            self.combined.insert(key.as_slice().into(), filled);
            filled
        });
        self.key = key;
        filled
    }

    fn combine_found(&mut self, cell: Cell) -> Filled {
        let judged: Vec<&Judged> = (0..self.parts.len()).map(|at| self.judged_at(at)).collect();
        let untold = || judged.iter().filter(|judged| judged.untold);
        let outcome = if untold().any(|judged| judged.may_give()) {
            None
        } else {
            let outcome = self.combine(&judged, cell);
            // What is not told could still be the reason why nothing is owed.
            let reason = outcome.lines.is_empty().then_some(outcome.reason);
            let decided =
                untold().all(|judged| reason.is_none_or(|reason| self.policy.comes_before(reason, judged)));
            decided.then_some(outcome)
        };
        match outcome {
            Some(outcome) => Filled::Outcome(self.number_of(outcome)),
            None => Filled::EachOwn(self.ask()),
        }
    }

    /// What decides in the cell that was judged last, beside what it is.
    fn ask(&mut self) -> Asked {
        let mut asked = AskedOf {
            groups: Vec::new(),
            settle: true,
        };
        for (at, part) in self.parts.iter().enumerate() {
            if self.judged_at(at).untold {
                let own_of_others = part.reads.others.as_ref().map(|others| &others.own);
                asked.settle &= part.reads.own.is_empty() && own_of_others.is_none_or(Vec::is_empty);
                asked.groups.extend(&part.reads.groups);
            }
        }
        asked.groups.sort_unstable();
        asked.groups.dedup();
        let known = self.asked.iter().position(|known| *known == asked);
        let at = known.unwrap_or_else(|| {
            self.asked.push(asked);
            self.asked.len() - 1
        });
        Asked(at as u32)
    }

    /// What else decides in a cell that has no outcome for everyone in it.
    pub fn asked(&self, asked: Asked) -> &AskedOf {
        &self.asked[asked.0 as usize]
    }

    /// The number of the outcome of one person of a cell, with what the person has of their own.
    pub fn outcome_of(&mut self, cell: Cell, now: &dyn Own, before: &dyn Own) -> u32 {
        self.judge(cell);
        let own = self.judge_own(cell, now, before);
        let judged = own.iter().enumerate();
        let judged = judged.map(|(at, own)| own.as_ref().unwrap_or_else(|| self.judged_at(at)));
        let outcome = self.combine(&judged.collect::<Vec<_>>(), cell);
        self.number_of(outcome)
    }

    /// The number of the outcome of people of a cell who have the same people around them. `description` tells these
    /// apart from others, as far as anything is read of them; `now` and `before` show them.
    pub fn outcome_around(
        &mut self,
        cell: Cell,
        (asked, description): (Asked, &[u32]),
        now: &dyn Own,
        before: &dyn Own,
    ) -> u32 {
        self.judge(cell);
        for at in 0..self.parts.len() {
            if !self.judged_at(at).untold {
                continue;
            }
            self.key_around(at, asked, description);
            let known = self.parts[at].around_it.get(self.key.as_slice()).copied();
            let place = known.unwrap_or_else(|| {
                let judged = self.judge_part_own(at, cell, now, before);
                let part = &mut self.parts[at];
                let place = part.judged.class(judged);
                part.around_it.insert(self.key.as_slice().into(), place);
                place
            });
            self.found[at] = place;
        }
        match self.settle(cell) {
            Filled::Outcome(number) => number,
            Filled::EachOwn(_) => self.outcome_of(cell, now, before),
        }
    }

    /// Notes all on which a part's judgement hangs: what it sees, the judgements of what excludes from its programme,
    /// and the people around.
    fn key_around(&mut self, at: usize, asked: Asked, description: &[u32]) {
        let ((person, around), (person_before, around_before), band, dies) = self.seen(at);
        self.key.clear();
        let seen = [person, around, person_before, around_before];
        self.key.extend(seen);
        self.key.extend([u32::from(band), u32::from(dies), asked.0]);
        let place = self.parts[at].place;
        for other in self.policy.pack().programmes[place].excluding() {
            let found = self.found.get(self.part_of[other]);
            self.key.push(found.copied().unwrap_or(UNSET));
        }
        self.key.extend(description);
    }

    /// A programme's judgement of one person of the cell that was judged last. Those that exclude from it are found.
    fn judge_part_own(&self, at: usize, cell: Cell, now: &dyn Own, before: &dyn Own) -> Judged {
        let others = |place: usize| {
            let at = self.part_of[place];
            let judged = (at < self.parts.len()).then(|| self.judged_at(at))?;
            Some((judged.now, judged.before))
        };
        self.with_own(cell, now, before, |person| {
            self.policy
                .judge_one(self.parts[at].place, person, &others, false)
                .0
        })
    }

    /// Judges a person of a cell with what the person has of their own.
    fn with_own<T>(
        &self,
        cell: Cell,
        now: &dyn Own,
        before: &dyn Own,
        judge: impl FnOnce(Person<'_>) -> T,
    ) -> T {
        let band = self.bands.band(cell.band);
        let ages = (band.and_then(|band| band.now), band.and_then(|band| band.before));
        let case_now = self.case(cell.now, ages.0, cell.dies, Some(now));
        let case_before = self.case(cell.before, ages.1, false, Some(before));
        judge(Person {
            now: case_now.as_ref(),
            before: case_before.as_ref(),
        })
    }

    /// What was found of the programme of a part.
    fn judged_at(&self, at: usize) -> &Judged {
        &self.parts[at].judged.all[self.found[at] as usize]
    }

    /// What the cell that was judged last was not told, for one person of it, by part.
    fn judge_own(&self, cell: Cell, now: &dyn Own, before: &dyn Own) -> Vec<Option<Judged>> {
        // What the whole cell was told stands; the rest is judged again, each programme after those that exclude from it.
        self.with_own(cell, now, before, |person| {
            let mut own: Vec<Option<Judged>> = Vec::with_capacity(self.parts.len());
            for (at, part) in self.parts.iter().enumerate() {
                let judged = self.judged_at(at).untold.then(|| {
                    let others = |place: usize| {
                        let at = self.part_of[place];
                        let judged = own.get(at)?.as_ref();
                        let judged = judged.unwrap_or_else(|| self.judged_at(at));
                        Some((judged.now, judged.before))
                    };
                    self.policy.judge_one(part.place, person, &others, false).0
                });
                own.push(judged);
            }
            own
        })
    }

    /// How each programme that is paid is judged for one person of a cell.
    #[cfg(test)]
    pub(super) fn judged_of(&mut self, cell: Cell, now: &dyn Own, before: &dyn Own) -> Vec<Judged> {
        self.judge(cell);
        let own = self.judge_own(cell, now, before);
        let parts = self.policy.paying().iter().map(|&place| self.part_of[place]);
        parts
            .map(|at| own[at].as_ref().unwrap_or_else(|| self.judged_at(at)).clone())
            .collect()
    }

    /// What the parts see of what is around in a state.
    fn around(&mut self, state: CellState) -> u32 {
        if state == CellState::NONE {
            return NONE;
        }
        let key = (state.place, state.household);
        if let Some(&known) = self.around.get(&key) {
            return known;
        }
        let (policy, place) = (self.policy, &self.places.all[state.place as usize]);
        let household = &self.households.all[state.household as usize];
        let seen = self.parts.iter_mut().map(|part| {
            let place = seen_place(policy, &part.reads, place);
            let household = policy.project(&part.reads.household, household);
            part.around.class((place, household))
        });
        self.seen_around.push(seen.collect());
        let number = self.seen_around.len() as u32 - 1;
        self.around.insert(key, number);
        number
    }

    /// Finds, or works out now, every programme's judgement of a cell.
    fn judge(&mut self, cell: Cell) {
        let plain = cell.now == cell.before && cell.now != CellState::NONE && !cell.dies;
        let now = self.around(cell.now);
        let around = (now, if plain { now } else { self.around(cell.before) });
        self.at_hand = AtHand { cell, around };
        let base = self.base();
        let mut parts = std::mem::take(&mut self.parts);
        let mut found = std::mem::take(&mut self.found);
        found.clear();
        found.extend_from_slice(&self.without[base..base + parts.len()]);
        if plain {
            let of_around = &self.seen_around[now as usize];
            let of_band = self.seen_bands.get(usize::from(cell.band));
            for &(at, person) in self.persons.seen(cell.now.person) {
                let at = usize::from(at);
                let band = of_band.map_or(Bands::UNBORN, |seen| seen[at]);
                found[at] = parts[at].find_plain(person, of_around[at], band);
            }
        } else {
            for state in [cell.now, cell.before] {
                if state.person == NONE {
                    continue;
                }
                for &(at, _) in self.persons.seen(state.person) {
                    let at = usize::from(at);
                    found[at] = parts[at].find(self.seen(at), false);
                }
            }
        }
        // In the order of the parts: what excludes from a programme is judged before it.
        for at in 0..parts.len() {
            if found[at] != UNSET {
                continue;
            }
            let seen = self.seen(at);
            let mut place = parts[at].find(seen, plain);
            if place == UNSET {
                let judged = self.judge_part(parts[at].place, cell, &parts[..at], &found);
                place = parts[at].put(seen, plain, judged);
            }
            found[at] = place;
            let is_empty = |(person, around): (u32, u32)| around == NONE || person == EMPTY;
            if is_empty(seen.0) && is_empty(seen.1) {
                self.without[base + at] = place;
            }
        }
        self.parts = parts;
        self.found = found;
    }

    /// Where the judgements begin of somebody in the cell at hand of whom nothing is recorded.
    fn base(&mut self) -> usize {
        let AtHand { cell, around } = self.at_hand;
        if self.without.len() > WITHOUT_MAX {
            self.bases.clear();
            self.without.clear();
        }
        let next = self.without.len();
        let key = (around.0, around.1, cell.band, cell.dies);
        let base = *self.bases.entry(key).or_insert(next);
        if base == next {
            self.without.resize(next + self.parts.len(), UNSET);
        }
        base
    }

    /// What a part sees of the cell at hand.
    fn seen(&self, at: usize) -> Seen {
        let AtHand { cell, around } = self.at_hand;
        let seen = |state: CellState, around: u32| {
            if around == NONE {
                return (NONE, NONE);
            }
            let person = self.persons.class_in(state.person, at);
            (person, self.seen_around[around as usize][at])
        };
        let band = self.seen_bands.get(usize::from(cell.band));
        (
            seen(cell.now, around.0),
            seen(cell.before, around.1),
            band.map_or(Bands::UNBORN, |seen| seen[at]),
            cell.dies,
        )
    }

    fn judge_part(&self, place: usize, cell: Cell, settled: &[Part], found: &[u32]) -> Judged {
        let band = self.bands.band(cell.band);
        let now = self.case(cell.now, band.and_then(|band| band.now), cell.dies, None);
        let before = self.case(cell.before, band.and_then(|band| band.before), false, None);
        let person = Person {
            now: now.as_ref(),
            before: before.as_ref(),
        };
        let judged_before = |place: usize| {
            let at = self.part_of[place];
            Some(&settled.get(at)?.judged.all[*found.get(at)? as usize])
        };
        let others = |place: usize| judged_before(place).map(|judged| (judged.now, judged.before));
        let (mut judged, _) = self.policy.judge_one(place, person, &others, false);
        // Whoever is excluded by what is not told for the whole cell is not told either.
        let mut excluding = self.policy.pack().programmes[place].excluding();
        let depends = |judged: &Judged| judged.untold && judged.may_give();
        judged.untold |= excluding.any(|other| judged_before(other).is_some_and(depends));
        judged
    }

    fn case<'c>(
        &'c self,
        state: CellState,
        age: Option<Age>,
        dies: bool,
        own: Option<&'c dyn Own>,
    ) -> Option<Case<'c>> {
        if state == CellState::NONE {
            return None;
        }
        let place = &self.places.all[state.place as usize];
        Some(Case {
            dies,
            age: age?,
            person: self.persons.profile(state.person),
            household: Some(&self.households.all[state.household as usize]),
            commune: &place.commune,
            province: place.province,
            former_province: place.former_province,
            own,
        })
    }

    /// What the programmes come to; they are given in the order of the parts.
    fn combine(&self, judged: &[&Judged], cell: Cell) -> Outcome {
        let places = self.policy.paying().iter();
        let paying: Vec<&Judged> = places.map(|&place| judged[self.part_of[place]]).collect();
        let (is_there, was_there) = self.presence(cell);
        self.policy.outcome(&paying, is_there, was_there)
    }

    /// Whether people of a cell are there at the end of the month, and whether they were there then, at death in it, or at
    /// the end of the month before.
    fn presence(&self, cell: Cell) -> (bool, bool) {
        let band = self.bands.band(cell.band);
        let present = |state: CellState, age: fn(Band) -> Option<Age>| {
            state != CellState::NONE && band.and_then(age).is_some()
        };
        let at_end = present(cell.now, |band| band.now);
        let was_there = at_end || present(cell.before, |band| band.before);
        (at_end && !cell.dies, was_there)
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

    /// The outcomes, by number.
    pub fn into_outcomes(self) -> Vec<Outcome> {
        self.outcomes
    }

    /// How many cells were worked out.
    pub fn cells(&self) -> usize {
        self.worked_out
    }
}

/// A place as far as some rules read it.
pub(super) fn seen_place(policy: &MonthPolicy, reads: &Reads, place: &Place) -> Place {
    let (province, former_province) = reads.project_place(place.province, place.former_province);
    Place {
        commune: policy.project(&reads.commune, &place.commune),
        province,
        former_province,
    }
}

impl Part {
    fn new(place: usize, reads: Reads, bands: usize) -> Self {
        Self {
            place,
            reads,
            around: Classes::new(),
            bands,
            plain: Vec::new(),
            changed: FxHashMap::default(),
            around_it: FxHashMap::default(),
            judged: Classes::new(),
        }
    }

    /// Where the judgement of what is seen stands; `UNSET` if it was not seen before.
    fn find(&self, seen: Seen, plain: bool) -> u32 {
        if plain {
            let ((person, around), _, band, _) = seen;
            self.find_plain(person, around, band)
        } else {
            self.changed.get(&seen).copied().unwrap_or(UNSET)
        }
    }

    /// As [`Part::find`], where people are alike at both ends.
    #[inline]
    fn find_plain(&self, person: u32, around: u32, band: u16) -> u32 {
        let of_person = self.plain.get(person as usize);
        let at = around as usize * self.bands + usize::from(band);
        let place = of_person.and_then(|of_person| of_person.get(at));
        place.copied().unwrap_or(UNSET)
    }

    /// Keeps the judgement of what is seen, and tells where.
    fn put(&mut self, seen: Seen, plain: bool, judged: Judged) -> u32 {
        let (now, _, band, _) = seen;
        let place = self.judged.class(judged);
        if plain {
            if self.plain.len() <= now.0 as usize {
                self.plain.resize_with(now.0 as usize + 1, Vec::new);
            }
            let of_person = &mut self.plain[now.0 as usize];
            let at = now.1 as usize * self.bands + usize::from(band);
            if of_person.len() <= at {
                of_person.resize((now.1 as usize + 1) * self.bands, UNSET);
            }
            of_person[at] = place;
        } else {
            self.changed.insert(seen, place);
        }
        place
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
