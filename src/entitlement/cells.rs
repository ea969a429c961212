//! From the codes of a registry to the cells of a decision table.

use rustc_hash::FxHashMap;

use crate::kernel::profile::Profile;
use crate::kernel::scan::{CodedState, SegmentScan};
use crate::kernel::{ProfileClasses, ReadError, View};
use crate::policy::{Asked, Cell, CellState, DecisionTable, Filled, LineKind, MonthPolicy, Outcome};
use crate::query::case::{Around, CaseReader};
use crate::query::ground::Ground;
use crate::query::places::Places;
use crate::query::surroundings::{Described, Surroundings};
use crate::types::{Month, PersonNumber, Sequence, Total};

/// The cells that one worker has met, and their outcomes.
pub(super) struct Cells<'a> {
    view: &'a View,
    places: &'a Places,
    table: DecisionTable<'a>,
    /// The table's class of each class of place.
    place_classes: Vec<u32>,
    persons: Tabled<'a>,
    households: Tabled<'a>,
    /// By outcome.
    sums: Vec<(Total, Total)>,
    /// Outcomes by cell and the people around.
    around: FxHashMap<Box<[u32]>, u32>,
    /// The cell and the people around the person at hand.
    description: Vec<u32>,
    now: CaseReader<'a>,
    before: Option<CaseReader<'a>>,
}

impl<'a> Cells<'a> {
    pub(super) fn new(
        view: &'a View,
        policy: &'a MonthPolicy,
        ground: &'a Ground,
        (month, known): (Month, Sequence),
    ) -> Self {
        let mut table = DecisionTable::new(policy, &ground.bands);
        let place_classes = ground
            .places
            .all()
            .iter()
            .map(|place| table.place(place))
            .collect();
        let reader = |month| CaseReader::new(view, policy, month, known);
        Self {
            view,
            places: &ground.places,
            table,
            place_classes,
            persons: Tabled::new(&ground.persons),
            households: Tabled::new(&ground.households),
            sums: Vec::new(),
            around: FxHashMap::default(),
            description: Vec::new(),
            now: reader(month),
            before: month.previous().map(reader),
        }
    }

    /// The table's class of a class of place.
    pub(super) fn place_class(&self, class: u32) -> u32 {
        self.place_classes[class as usize]
    }

    /// The class of a person's profile code.
    #[inline]
    pub(super) fn person_class(&mut self, code: u32) -> Result<u32, ReadError> {
        let (view, table) = (self.view, &mut self.table);
        self.persons.class(code, view, |profile| table.person(profile))
    }

    /// The classes of the profile codes of persons.
    pub(super) fn person_classes(&mut self, codes: &[u32], classes: &mut Vec<u32>) -> Result<(), ReadError> {
        classes.clear();
        for &code in codes {
            classes.push(self.person_class(code)?);
        }
        Ok(())
    }

    /// The classes of the profile codes of households.
    pub(super) fn household_classes(
        &mut self,
        codes: &[u32],
        classes: &mut Vec<u32>,
    ) -> Result<(), ReadError> {
        classes.clear();
        for &code in codes {
            classes.push(self.household_class(code)?);
        }
        Ok(())
    }

    /// The class of a household's profile code.
    #[inline]
    pub(super) fn household_class(&mut self, code: u32) -> Result<u32, ReadError> {
        let (view, table) = (self.view, &mut self.table);
        self.households
            .class(code, view, |profile| table.household(profile))
    }

    /// The classes of a state at the end of the month (`now`), or of the month before.
    pub(super) fn state(&mut self, state: Option<CodedState>, now: bool) -> Result<CellState, ReadError> {
        let Some(state) = state else {
            return Ok(CellState::NONE);
        };
        let place = if now {
            self.places.now(state.unit)
        } else {
            self.places.before(state.unit)
        };
        let place = place.ok_or_else(|| ReadError::Inconsistent(format!("{} is not stored", state.unit)))?;
        Ok(CellState {
            place: self.place_class(place),
            person: self.person_class(state.person)?,
            household: self.household_class(state.household)?,
        })
    }

    /// What a cell comes to.
    pub(super) fn fill(&mut self, cell: Cell) -> Filled {
        self.table.fill(cell)
    }

    /// As [`Cells::fill`], of a cell that the caller remembers.
    pub(super) fn work_out(&mut self, cell: Cell) -> Filled {
        self.table.work_out(cell)
    }

    /// The number of the outcome of the person of a row, who is of a cell in which this decides too.
    pub(super) fn outcome_of(
        &mut self,
        (cell, asked): (Cell, Asked),
        (scan, row): (&SegmentScan<'_>, usize),
        surroundings: &mut Surroundings<'_>,
    ) -> Result<u32, ReadError> {
        let asked_of = self.table.asked(asked);
        if !asked_of.settle {
            return self.judge(cell, surroundings.person(scan, row)?);
        }
        let mut description = std::mem::take(&mut self.description);
        description.clear();
        description.extend(numbers_of(cell));
        surroundings.describe(&asked_of.groups, scan, row, &mut description)?;
        let number = if let Some(&number) = self.around.get(description.as_slice()) {
            number
        } else {
            let groups = asked_of.groups.clone();
            let people = &description[numbers_of(cell).len()..];
            let described = |now| Described {
                surroundings,
                groups: &groups,
                description: people,
                now,
            };
            let own = (described(true), described(false));
            let number = self.table.outcome_around(cell, (asked, people), &own.0, &own.1);
            self.around.insert(description.as_slice().into(), number);
            number
        };
        self.description = description;
        Ok(number)
    }

    /// Judges one person of a cell by everything on record.
    fn judge(&mut self, cell: Cell, person: PersonNumber) -> Result<u32, ReadError> {
        let now = Around::new(&self.now, person);
        let before = Around::new(self.before.as_ref().unwrap_or(&self.now), person);
        let number = self.table.outcome_of(cell, &now, &before);
        self.now.take_problem()?;
        if let Some(before) = &self.before {
            before.take_problem()?;
        }
        Ok(number)
    }

    /// The number of an outcome that no cell gives.
    pub(super) fn number_of(&mut self, outcome: Outcome) -> u32 {
        self.table.number_of(outcome)
    }

    /// What an outcome pays and holds.
    pub(super) fn sums(&mut self, number: u32) -> (Total, Total) {
        let known = self.sums.len();
        for outcome in &self.table.outcomes()[known..] {
            self.sums
                .push((sum(outcome, LineKind::Paid), sum(outcome, LineKind::Held)));
        }
        self.sums[number as usize]
    }

    /// The outcome of a number.
    pub(super) fn get(&self, number: u32) -> &Outcome {
        self.table.outcome(number)
    }

    /// How many cells were worked out.
    pub(super) fn filled(&self) -> u64 {
        self.table.cells() as u64
    }

    /// The outcomes, by number.
    pub(super) fn into_outcomes(self) -> Vec<Outcome> {
        self.table.into_outcomes()
    }
}

fn sum(outcome: &Outcome, kind: LineKind) -> Total {
    outcome.lines_of(kind).map(|line| line.amount).sum()
}

/// The table's classes of profiles, by code.
struct Tabled<'a> {
    known: ByCode,
    shared: &'a ProfileClasses,
    /// The table's class of each class that all workers share; `NO_CLASS` where it was not asked for yet.
    of_shared: Vec<u32>,
}

impl<'a> Tabled<'a> {
    fn new(shared: &'a ProfileClasses) -> Self {
        Self {
            known: ByCode::default(),
            shared,
            of_shared: vec![NO_CLASS; shared.common.len()],
        }
    }

    #[inline]
    fn class(
        &mut self,
        code: u32,
        view: &View,
        tabled: impl FnOnce(&Profile) -> u32,
    ) -> Result<u32, ReadError> {
        match self.known.get(code) {
            Some(class) => Ok(class),
            None => self.new_class(code, view, tabled),
        }
    }

    #[cold]
    fn new_class(
        &mut self,
        code: u32,
        view: &View,
        tabled: impl FnOnce(&Profile) -> u32,
    ) -> Result<u32, ReadError> {
        let class = match self.shared.of_code.get(code as usize) {
            Some(&shared) => {
                let known = &mut self.of_shared[shared as usize];
                if *known == NO_CLASS {
                    *known = tabled(&self.shared.common[shared as usize]);
                }
                *known
            }
            // A profile that only the past knows.
            None => tabled(&view.profile(code)?),
        };
        self.known.put(code, class);
        Ok(class)
    }
}

/// Numbers by profile code. Codes are given one after the other, but for those of profiles that only the past knows.
#[derive(Default)]
pub(super) struct ByCode {
    /// `NO_CLASS` where none was given yet.
    low: Vec<u32>,
    high: FxHashMap<u32, u32>,
}

/// Codes from this one on are few and far between.
const HIGH_CODES: u32 = 1 << 24;
const NO_CLASS: u32 = u32::MAX;

impl ByCode {
    #[inline]
    pub(super) fn get(&self, code: u32) -> Option<u32> {
        if code >= HIGH_CODES {
            return self.high.get(&code).copied();
        }
        self.low
            .get(code as usize)
            .copied()
            .filter(|&class| class != NO_CLASS)
    }

    pub(super) fn put(&mut self, code: u32, class: u32) {
        if code >= HIGH_CODES {
            self.high.insert(code, class);
            return;
        }
        let at = code as usize;
        if at >= self.low.len() {
            self.low.resize(at + 1, NO_CLASS);
        }
        self.low[at] = class;
    }
}

/// A cell as numbers.
fn numbers_of(cell: Cell) -> [u32; 8] {
    let (now, before) = (cell.now, cell.before);
    [
        now.place,
        now.person,
        now.household,
        before.place,
        before.person,
        before.household,
        u32::from(cell.band),
        u32::from(cell.dies),
    ]
}
