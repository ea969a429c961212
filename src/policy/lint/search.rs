//! Searching for a case of which something holds, with the one evaluator.
//!
//! Everything is unknown at first. What is then undetermined is decided by trying the values of one thing on which it
//! depends, and so on: what three-valued logic settles for a whole family of cases is asked only once. A result is
//! only *never* if it is so for every case; what a search cannot decide counts as possible.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeSet, HashMap};
use std::rc::Rc;

use super::domain::{Place, Reads, Variable};
use super::formula::{Formula, Window};
use crate::kernel::catalogue::SubjectKind;
use crate::kernel::profile::Profile;
use crate::policy::bind::Bindings;
use crate::policy::case::{Age, Case, Group, Own};
use crate::policy::expr::check::{Number, ParameterIndex, TableIndex};
use crate::policy::expr::eval::{Context, Evaluator};
use crate::policy::expr::range::Truth;
use crate::policy::figures::Figures;
use crate::policy::pack::PackData;
use crate::policy::parameter::Parameter;
use crate::types::{AttributeNumber, Date, Month, ProvinceCode, Value};

/// How many parts of expressions one search evaluates before it gives up.
const SEARCH_PARTS_MAX: u64 = 1 << 19;
/// How many parts of expressions all searches of a pack evaluate before no more is searched.
const PACK_PARTS_MAX: u64 = 1 << 24;
/// The greatest number of months and days of the law, with figures of their own, that one search goes through.
const PERIODS_MAX: usize = 256;
/// How many pairs of months and days of the law are looked at to find those.
const PAIRS_MAX: usize = 40_000;
/// How many values of figures are looked through at the cost of one part of an expression.
const VALUES_PER_PART: u64 = 8;
/// What the evaluation of anything costs, in parts of expressions.
const STEP_PARTS: u64 = 8;
/// How many facts of a case are named.
const NAMED_FACTS_MAX: usize = 5;

/// What the evaluation of a case, or of a family of cases, says of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It is none that is sought.
    No,
    /// It is one.
    Yes,
    /// It depends on what is not known. If nothing is left to be tried, it may be one.
    Maybe,
    /// It depends on what is not known. If nothing is left to be tried, it is none.
    Unseen,
}

/// What a search found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Found {
    /// There is no such case.
    Never,
    /// There may be one, or it could not be decided.
    Maybe(Option<Witness>),
    /// There is one.
    Surely(Witness),
}

impl Found {
    pub fn is_never(&self) -> bool {
        *self == Self::Never
    }
}

/// A case that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Witness {
    pub month: Month,
    /// The facts that matter, in words; empty if none does.
    pub facts: String,
}

/// The expressions of a search: what they read decides what is tried.
#[derive(Debug, Default)]
pub(super) struct Scene<'q> {
    pub formulas: Vec<&'q Formula<'q>>,
    pub numbers: Vec<&'q Number>,
}

/// How much a search wants to know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Aim {
    /// Whether there can be a case: a possible one is enough.
    Possible,
    /// A case that is certain.
    Example,
}

/// Finds cases in which something holds.
pub(super) struct Searcher<'a> {
    pub pack: &'a PackData,
    bound: &'a Bindings,
    figures: RefCell<HashMap<(Month, Date), Rc<Figures>>>,
    periods: RefCell<HashMap<PeriodsKey, Rc<Periods>>>,
    parts: Cell<u64>,
    /// Whether the search asked last gave up.
    gave_up: Cell<bool>,
}

type PeriodsKey = (Vec<ParameterIndex>, Vec<TableIndex>, Window);

/// The months and days of the law of a window that have figures of their own; `whole` if these are all.
struct Periods {
    all: Vec<(Month, Date)>,
    whole: bool,
}

impl<'a> Searcher<'a> {
    pub fn new(pack: &'a PackData, bound: &'a Bindings) -> Self {
        Self {
            pack,
            bound,
            figures: RefCell::default(),
            periods: RefCell::default(),
            parts: Cell::new(0),
            gave_up: Cell::new(false),
        }
    }

    /// Whether so much was searched that no more is.
    pub fn is_spent(&self) -> bool {
        let is_spent = self.parts.get() > PACK_PARTS_MAX;
        if is_spent {
            self.gave_up.set(true);
        }
        is_spent
    }

    /// Spends what looking through so many values of figures costs.
    fn spend_values(&self, values: u64) {
        self.spend(1 + values / VALUES_PER_PART);
    }

    fn spend(&self, parts: u64) {
        self.parts.set(self.parts.get().saturating_add(parts));
    }

    /// Whether a search gave up since this was asked last.
    pub fn gave_up(&self) -> bool {
        self.gave_up.replace(false)
    }

    /// Whether a formula can hold.
    pub fn can_hold(&self, formula: &Formula<'_>, window: Window) -> bool {
        let scene = Scene {
            formulas: vec![formula],
            numbers: Vec::new(),
        };
        let judge = &mut |evaluator: &mut Evaluator<'_>| match formula.evaluate(evaluator) {
            Ok(Truth::False) => Verdict::No,
            Ok(Truth::True) => Verdict::Yes,
            _ => Verdict::Maybe,
        };
        !self.find(&scene, window, Aim::Possible, judge).is_never()
    }

    /// Finds a case, in any period of a window, that `judge` says yes to.
    pub fn find(
        &self,
        scene: &Scene<'_>,
        window: Window,
        aim: Aim,
        judge: &mut dyn FnMut(&mut Evaluator<'_>) -> Verdict,
    ) -> Found {
        if self.is_spent() {
            return Found::Maybe(None);
        }
        let mut reads = Reads::new(None);
        read(scene, &mut reads);
        self.spend(reads.parts);
        let uses = reads.collector.uses;
        let key = (
            uses.parameters.into_iter().collect(),
            uses.tables.into_iter().collect(),
            window,
        );
        let periods = self.periods(key);
        if !periods.whole || periods.all.is_empty() {
            self.gave_up.set(self.gave_up.get() || !periods.whole);
            if aim == Aim::Possible || periods.all.is_empty() {
                return Found::Maybe(None);
            }
        }
        let budget = Cell::new(SEARCH_PARTS_MAX);
        let mut possible = Found::Never;
        for &(month, day) in &periods.all {
            if self.is_spent() {
                return Found::Maybe(None);
            }
            let figures = self.figures(month, day);
            let found = self.find_in(scene, (month, &figures), aim, &budget, judge);
            match found {
                Found::Never => {}
                Found::Maybe(_) if aim == Aim::Example => {
                    if !matches!(possible, Found::Maybe(Some(_))) {
                        possible = found;
                    }
                }
                found => return found,
            }
        }
        possible
    }

    fn find_in(
        &self,
        scene: &Scene<'_>,
        (month, figures): (Month, &Figures),
        aim: Aim,
        budget: &Cell<u64>,
        judge: &mut dyn FnMut(&mut Evaluator<'_>) -> Verdict,
    ) -> Found {
        let mut reads = Reads::new(Some(figures));
        read(scene, &mut reads);
        self.spend(reads.parts);
        let attributes = &self.bound.attributes;
        let variables = reads.variables(attributes, aim == Aim::Example);
        let numbers: Vec<AttributeNumber> = variables.iter().map(|var| var.number(attributes)).collect();
        let mut facts = Facts::new(&variables);
        for &index in &reads.collector.uses.attributes {
            let attribute = &attributes[index].attribute;
            facts.set(
                (attribute.subject, attribute.in_profile()),
                attribute.number,
                Value::Unknown,
            );
        }
        let cost = reads.parts + STEP_PARTS;
        let places = reads.places();
        let mut search = Search {
            searcher: self,
            context: Context {
                attributes,
                figures,
                dependants: self
                    .pack
                    .scope
                    .dependants
                    .map(|index| attributes[index].attribute.number),
            },
            month,
            aim,
            chosen: vec![None; variables.len()],
            variables,
            numbers,
            facts,
            budget,
            cost,
            judge,
        };
        let mut possible = Found::Never;
        for &place in &places {
            search.facts.place = place;
            match search.descend() {
                Found::Never => {}
                Found::Maybe(witness) if aim == Aim::Example => {
                    if !matches!(possible, Found::Maybe(Some(_))) {
                        possible = Found::Maybe(witness);
                    }
                }
                found => return found,
            }
        }
        possible
    }

    fn figures(&self, month: Month, day: Date) -> Rc<Figures> {
        let mut known = self.figures.borrow_mut();
        let figures = known.entry((month, day)).or_insert_with(|| {
            let parameters = self.pack.parameters.iter().map(values_of);
            let tables = self.pack.tables.iter().map(|table| table.editions.len() as u64);
            self.spend_values(parameters.chain(tables).sum());
            Rc::new(Figures::in_force(self.pack, month, day))
        });
        Rc::clone(figures)
    }

    fn periods(&self, key: PeriodsKey) -> Rc<Periods> {
        if let Some(found) = self.periods.borrow().get(&key) {
            return Rc::clone(found);
        }
        let found = Rc::new(self.find_periods(&key));
        self.periods.borrow_mut().insert(key, Rc::clone(&found));
        found
    }

    /// Every combination of figures that a window has, by the first month and day that has it.
    fn find_periods(&self, (parameters, tables, window): &PeriodsKey) -> Periods {
        let pack = self.pack;
        let (mut months, mut days) = (BTreeSet::from([window.from]), BTreeSet::from([window.known_from]));
        let national = parameters.iter().flat_map(|&index| {
            let parameter = &pack.parameters[index];
            let provincial = parameter.provincial.iter().map(|value| value.value.dates);
            parameter.values.iter().map(|value| value.dates).chain(provincial)
        });
        let editions = tables.iter().flat_map(|&index| &pack.tables[index].editions);
        let mut values = 0;
        for dates in national.chain(editions.map(|edition| edition.dates)) {
            months.insert(dates.from);
            months.extend(dates.until.map(Month::next));
            days.insert(dates.known_from);
            values += 1;
        }
        months.retain(|month| (window.from..=window.until).contains(month));
        days.retain(|&day| day >= window.known_from);
        let (mut seen, mut all) = (BTreeSet::new(), Vec::new());
        let pairs = months
            .iter()
            .flat_map(|&month| days.iter().map(move |&day| (month, day)));
        let whole = months.len() * days.len() <= PAIRS_MAX;
        for (month, day) in pairs.take(PAIRS_MAX) {
            self.spend_values(values);
            if self.is_spent() {
                return Periods { all, whole: false };
            }
            if let Some(figures) = signature(pack, (parameters, tables), (month, day))
                && seen.insert(figures)
            {
                if all.len() == PERIODS_MAX {
                    return Periods { all, whole: false };
                }
                all.push((month, day));
            }
        }
        Periods { all, whole }
    }

    /// The figures of a window that are in force in some month by the law of some day: parameters' values by their
    /// places, provincial ones after the national ones. `None` if there are too many months and days.
    pub fn in_force(&self, parameter: ParameterIndex, window: Window) -> Option<BTreeSet<usize>> {
        let values = &self.pack.parameters[parameter];
        let periods = self.periods((vec![parameter], Vec::new(), window));
        if !periods.whole {
            return None;
        }
        self.spend_values(values_of(values) * periods.all.len() as u64);
        let mut found = BTreeSet::new();
        for &(month, day) in &periods.all {
            let national = values.value_for(month, day);
            found.extend(national.and_then(|value| place_in(&values.values, value)));
            let provincial = values.provincial_for(month, day);
            let places = provincial.filter_map(|value| place_in(&values.provincial, value));
            found.extend(places.map(|place| values.values.len() + place));
        }
        Some(found)
    }

    /// The editions of a table that are in force in some month of a window by the law of some day. `None` if there are
    /// too many months and days.
    pub fn editions_in_force(&self, table: TableIndex, window: Window) -> Option<BTreeSet<usize>> {
        let editions = &self.pack.tables[table];
        let periods = self.periods((Vec::new(), vec![table], window));
        if !periods.whole {
            return None;
        }
        let found = periods.all.iter().filter_map(|&(month, day)| {
            let edition = editions.edition_for(month, day)?;
            place_in(&editions.editions, edition)
        });
        Some(found.collect())
    }
}

/// The place of an item in the list that it is borrowed from.
fn place_in<T>(all: &[T], item: &T) -> Option<usize> {
    all.iter().position(|other| std::ptr::eq(other, item))
}

fn read<'f>(scene: &Scene<'f>, reads: &mut Reads<'f>) {
    for formula in &scene.formulas {
        formula.each(&mut |condition| reads.add_condition(condition));
    }
    for number in &scene.numbers {
        reads.add_number(number);
    }
}

/// How many values a parameter has, national and provincial.
fn values_of(parameter: &Parameter) -> u64 {
    (parameter.values.len() + parameter.provincial.len()) as u64
}

/// Which figures hold, by where they are kept; `None` if one is missing, so that nothing is paid by them.
fn signature(
    pack: &PackData,
    (parameters, tables): (&[ParameterIndex], &[TableIndex]),
    (month, day): (Month, Date),
) -> Option<Vec<usize>> {
    let mut figures = Vec::new();
    for &index in parameters {
        let parameter = &pack.parameters[index];
        let value = parameter.value_for(month, day)?;
        figures.push(std::ptr::from_ref(value) as usize);
        let provincial = parameter.provincial_for(month, day);
        figures.extend(provincial.map(|value| std::ptr::from_ref(value) as usize));
        figures.push(0);
    }
    for &index in tables {
        let edition = pack.tables[index].edition_for(month, day)?;
        figures.push(std::ptr::from_ref(edition) as usize);
    }
    Some(figures)
}

/// A family of cases: what is not set is unknown.
struct Facts {
    person: Profile,
    household: Profile,
    commune: Profile,
    own: Profile,
    every_age: Age,
    age: Age,
    place: Place,
}

impl Facts {
    fn new(variables: &[Variable]) -> Self {
        let ages = variables.iter().find_map(|variable| match variable {
            Variable::Age(ages) => Some(ages.as_slice()),
            Variable::Attribute { .. } => None,
        });
        let ages = ages.unwrap_or_default();
        let every_age = Age {
            min: ages.iter().map(|age| age.min).min().unwrap_or(0),
            max: ages.iter().map(|age| age.max).max().unwrap_or(0),
        };
        Self {
            person: Profile::default(),
            household: Profile::default(),
            commune: Profile::default(),
            own: Profile::default(),
            every_age,
            age: every_age,
            place: (ProvinceCode::NONE, ProvinceCode::NONE),
        }
    }

    fn set(&mut self, (subject, in_profile): (SubjectKind, bool), attribute: AttributeNumber, value: Value) {
        let profile = match subject {
            _ if !in_profile => &mut self.own,
            SubjectKind::Person => &mut self.person,
            SubjectKind::Household => &mut self.household,
            SubjectKind::Commune => &mut self.commune,
        };
        profile.set(attribute, Some(value));
    }

    fn case(&self) -> Case<'_> {
        Case {
            dies: false,
            age: self.age,
            person: &self.person,
            household: Some(&self.household),
            commune: &self.commune,
            province: self.place.0,
            former_province: self.place.1,
            own: Some(self),
        }
    }
}

impl Own for Facts {
    fn value(&self, attribute: AttributeNumber) -> Option<Value> {
        self.own.get(attribute)
    }

    /// Who is around is left open.
    fn visit(&self, _: Group, _: &mut dyn FnMut(&Case<'_>)) -> bool {
        false
    }
}

struct Search<'s> {
    searcher: &'s Searcher<'s>,
    context: Context<'s>,
    month: Month,
    aim: Aim,
    variables: Vec<Variable>,
    numbers: Vec<AttributeNumber>,
    /// Which value each variable has, by its place; `None` for unknown.
    chosen: Vec<Option<usize>>,
    facts: Facts,
    budget: &'s Cell<u64>,
    cost: u64,
    judge: &'s mut dyn FnMut(&mut Evaluator<'_>) -> Verdict,
}

impl Search<'_> {
    /// Whether the search may go on.
    fn pay(&self) -> bool {
        self.searcher.spend(self.cost);
        let left = self.budget.get().checked_sub(self.cost);
        self.budget.set(left.unwrap_or(0));
        if left.is_none() {
            self.searcher.gave_up.set(true);
        }
        left.is_some() && !self.searcher.is_spent()
    }

    /// Judges the family of cases, and divides it as far as that is needed.
    fn descend(&mut self) -> Found {
        if !self.pay() {
            return Found::Maybe(None);
        }
        let (verdict, branch) = self.step();
        match (verdict, branch) {
            (Verdict::No, _) | (Verdict::Unseen, None) => Found::Never,
            (Verdict::Yes, _) => Found::Surely(self.witness()),
            (Verdict::Maybe, None) => Found::Maybe(Some(self.witness())),
            (Verdict::Maybe | Verdict::Unseen, Some(variable)) => self.divide(variable),
        }
    }

    fn step(&mut self) -> (Verdict, Option<usize>) {
        let case = self.facts.case();
        let mut evaluator = Evaluator::new(self.context, &case, false);
        let verdict = (self.judge)(&mut evaluator);
        let unknown = evaluator.unknown.iter();
        let mut variables = unknown.filter_map(|number| {
            let variable = self.numbers.iter().position(|known| known == number)?;
            self.chosen[variable].is_none().then_some(variable)
        });
        (verdict, variables.next())
    }

    fn divide(&mut self, variable: usize) -> Found {
        let mut possible = Found::Never;
        for choice in 0..self.variables[variable].choices() {
            self.choose(variable, Some(choice));
            match self.descend() {
                Found::Never => {}
                Found::Maybe(witness) if self.aim == Aim::Example => {
                    if !matches!(possible, Found::Maybe(Some(_))) {
                        possible = Found::Maybe(witness);
                    }
                }
                found => {
                    possible = found;
                    break;
                }
            }
        }
        self.choose(variable, None);
        possible
    }

    fn choose(&mut self, variable: usize, choice: Option<usize>) {
        self.chosen[variable] = choice;
        match &self.variables[variable] {
            Variable::Age(ages) => {
                self.facts.age = choice.map_or(self.facts.every_age, |choice| ages[choice]);
            }
            Variable::Attribute { values, .. } => {
                let value = choice.map_or(Value::Unknown, |choice| values[choice]);
                if let Some(kept) = self.variables[variable].subject(self.context.attributes) {
                    self.facts.set(kept, self.numbers[variable], value);
                }
            }
        }
    }

    fn witness(&self) -> Witness {
        let mut facts = Vec::new();
        for (area, code) in [
            ("province", self.facts.place.0),
            ("former province", self.facts.place.1),
        ] {
            if code != ProvinceCode::NONE {
                facts.push(format!("{area} {code}"));
            }
        }
        for (variable, choice) in self.variables.iter().zip(&self.chosen) {
            facts.extend(choice.map(|choice| self.fact(variable, choice)));
        }
        if facts.len() > NAMED_FACTS_MAX {
            facts.truncate(NAMED_FACTS_MAX);
            facts.push("…".to_owned());
        }
        Witness {
            month: self.month,
            facts: facts.join(", "),
        }
    }

    fn fact(&self, variable: &Variable, choice: usize) -> String {
        const MONTHS: i32 = 12;
        let (index, value) = match variable {
            Variable::Age(ages) if ages[choice].min % MONTHS == 0 => {
                return format!("age {}", ages[choice].min / MONTHS);
            }
            Variable::Age(ages) => return format!("age_months {}", ages[choice].min),
            Variable::Attribute { index, values } => (*index, values[choice]),
        };
        let name = self.searcher.pack.scope.written(index);
        match value {
            Value::Bool(false) => format!("not {name}"),
            Value::Enum(number) => {
                let bound = &self.context.attributes[index];
                let place = bound.values.iter().position(|&known| known == number);
                let values = &self.searcher.pack.scope.attributes[index].values;
                let value = place.and_then(|place| values.get(place));
                format!("{name} {}", value.map_or("?", String::as_str))
            }
            Value::Integer(number) => format!("{name} {number}"),
            Value::Money(amount) => format!("{name} {}", amount.get()),
            _ => name,
        }
    }
}
