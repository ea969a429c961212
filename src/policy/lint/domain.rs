//! The values that a search tries: of each attribute, of age and of the province those that rules tell apart.

use std::collections::{BTreeMap, BTreeSet};

use crate::kernel::catalogue::{PROFILE_INTEGERS_MAX, SubjectKind, ValueKind};
use crate::policy::case::Age;
use crate::policy::expr::check::{AttributeIndex, Bands, Cases, Condition, Key, Number};
use crate::policy::expr::eval::BoundAttribute;
use crate::policy::expr::parse::Comparison;
use crate::policy::expr::uses::{Collector, ceiling, floor};
use crate::policy::figures::Figures;
use crate::policy::parameter::Area;
use crate::types::{AttributeNumber, Dong, Month, ProvinceCode, Value};

/// The greatest age in months that the calendar allows.
const AGE_MONTHS_MAX: i32 = Month::MAX.index() as i32;
/// An amount greater than any that is expected, odd so that fractions show.
const MUCH_MONEY: i64 = 999_999_999_999;

/// What expressions read, and where their results may change.
pub(super) struct Reads<'f> {
    pub collector: Collector<'f>,
    /// The numbers that attributes are compared with: results change only at these.
    limits: BTreeMap<AttributeIndex, BTreeSet<i64>>,
    /// Attributes whose numbers are used otherwise.
    wholly: BTreeSet<AttributeIndex>,
    /// The sets of values that are asked for.
    sets: BTreeMap<AttributeIndex, Vec<&'f [u16]>>,
    /// Attributes of which each value may have its own result.
    each: BTreeSet<AttributeIndex>,
    /// How many parts the expressions have.
    pub parts: u64,
}

/// What may have one of several values.
#[derive(Debug, Clone)]
pub(super) enum Variable {
    Age(Vec<Age>),
    Attribute {
        index: AttributeIndex,
        values: Vec<Value>,
    },
}

/// The places that rules tell apart: the province, and the former one.
pub(super) type Place = (ProvinceCode, ProvinceCode);

impl<'f> Reads<'f> {
    pub fn new(figures: Option<&'f Figures>) -> Self {
        Self {
            collector: Collector::new(figures),
            limits: BTreeMap::new(),
            wholly: BTreeSet::new(),
            sets: BTreeMap::new(),
            each: BTreeSet::new(),
            parts: 0,
        }
    }

    pub fn add_condition(&mut self, condition: &'f Condition) {
        self.collector.condition(condition);
        self.condition(condition);
    }

    pub fn add_number(&mut self, number: &'f Number) {
        self.collector.number(number);
        self.number(number);
    }

    fn condition(&mut self, condition: &'f Condition) {
        self.parts += 1;
        match condition {
            Condition::Constant(_)
            | Condition::Attribute(_)
            | Condition::Dates(..)
            | Condition::ProvinceIn { .. }
            // What is read inside of a group is of other people, who are left open.
            | Condition::Group { .. } => {}
            Condition::EnumIn(index, values) => self.sets.entry(*index).or_default().push(values),
            Condition::Not(inner) | Condition::Defined(_, inner) => self.condition(inner),
            Condition::All(items) | Condition::Any(items) => {
                for item in items {
                    self.condition(item);
                }
            }
            Condition::Same(left, right) => {
                self.condition(left);
                self.condition(right);
            }
            Condition::Compare(comparison, left, right) => self.compare(*comparison, left, right),
            Condition::NumberIn(number, items) => {
                for item in items {
                    self.compare(Comparison::Equal, number, item);
                }
            }
            Condition::Case(cases) => self.cases(cases, Self::condition),
            Condition::Bands(bands) => self.bands(bands, Self::condition),
        }
    }

    fn cases<T>(&mut self, cases: &'f Cases<T>, visit: fn(&mut Self, &'f T)) {
        for (guard, result) in &cases.arms {
            self.condition(guard);
            visit(self, result);
        }
        visit(self, &cases.otherwise);
    }

    fn bands<T>(&mut self, bands: &'f Bands<T>, visit: fn(&mut Self, &'f T)) {
        let begins = bands.bands.iter().filter_map(|(begins, _)| *begins);
        match bands.subject.written_out() {
            Number::Attribute(index) => {
                let limits = self.limits.entry(*index).or_default();
                limits.extend(begins.filter_map(ceiling));
            }
            subject => self.number(subject),
        }
        for (_, result) in &bands.bands {
            visit(self, result);
        }
    }

    fn number(&mut self, number: &'f Number) {
        self.parts += 1;
        match number {
            Number::Constant(_)
            | Number::Age
            | Number::AgeMonths
            | Number::Parameter(_)
            | Number::Count { .. }
            | Number::GroupSum { .. } => {}
            Number::Defined(_, inner) => self.number(inner),
            Number::Attribute(index) => {
                self.wholly.insert(*index);
            }
            Number::Sum(terms) => {
                for (_, term) in terms {
                    self.number(term);
                }
            }
            Number::Product(items) | Number::Least(items) | Number::Greatest(items) => {
                for item in items {
                    self.number(item);
                }
            }
            Number::Round { number, divisor, .. } => {
                self.number(number);
                if let Some(divisor) = divisor {
                    self.number(divisor);
                }
            }
            Number::Case(cases) => self.cases(cases, Self::number),
            Number::Bands(bands) => self.bands(bands, Self::number),
            Number::Lookup(_, keys) => {
                for key in keys {
                    match key {
                        Key::Word(_) => {}
                        Key::Attribute(index, _) => {
                            self.each.insert(*index);
                        }
                        Key::Number(number) => self.number(number),
                    }
                }
            }
        }
    }

    fn compare(&mut self, comparison: Comparison, left: &'f Number, right: &'f Number) {
        let sides = match (left.written_out(), right.written_out()) {
            (Number::Attribute(index), other) => Some((*index, comparison, other)),
            (other, Number::Attribute(index)) => Some((*index, comparison.flipped(), other)),
            _ => None,
        };
        let limit = sides.and_then(|(index, comparison, other)| {
            let limit = self.collector.constant(other)?;
            Some((index, comparison, limit))
        });
        let Some((index, comparison, limit)) = limit else {
            self.number(left);
            self.number(right);
            return;
        };
        let first_not_below = ceiling(limit);
        let first_above = floor(limit).and_then(|below| below.checked_add(1));
        let changes = match comparison {
            Comparison::GreaterOrEqual | Comparison::Less => [first_not_below, None],
            Comparison::Greater | Comparison::LessOrEqual => [first_above, None],
            Comparison::Equal | Comparison::Unequal => [first_not_below, first_above],
        };
        // A limit beyond all whole numbers that are kept lies on the same side of every value.
        self.limits
            .entry(index)
            .or_default()
            .extend(changes.into_iter().flatten());
    }

    /// What a search may vary. Where `sampling`, numbers that are used otherwise than in comparisons, and are too many
    /// to be tried, get some values; otherwise they are left open, so that what is found never is so for all.
    pub fn variables(&self, attributes: &[BoundAttribute], sampling: bool) -> Vec<Variable> {
        let mut variables = vec![Variable::Age(self.ages(sampling))];
        for &index in &self.collector.uses.attributes {
            let bound = &attributes[index];
            let values = match bound.attribute.kind {
                ValueKind::Bool => vec![Value::Bool(false), Value::Bool(true)],
                ValueKind::Enum => self.named_values(index, &bound.values),
                ValueKind::Integer { min, max } => {
                    let numbers = self.numbers(index, (min, max), sampling);
                    numbers.into_iter().map(Value::Integer).collect()
                }
                ValueKind::Money => {
                    let numbers = self.numbers(index, (0, i64::MAX), sampling);
                    numbers
                        .into_iter()
                        .map(|number| Value::Money(Dong::new(number)))
                        .collect()
                }
                ValueKind::Date | ValueKind::Person => Vec::new(),
            };
            if !values.is_empty() {
                variables.push(Variable::Attribute { index, values });
            }
        }
        variables
    }

    fn ages(&self, sampling: bool) -> Vec<Age> {
        let thresholds = self
            .collector
            .uses
            .thresholds
            .iter()
            .map(|&months| i32::from(months));
        let mut begins: Vec<i32> = vec![0];
        begins.extend(thresholds);
        let ends = begins.iter().skip(1).map(|next| next - 1).chain([AGE_MONTHS_MAX]);
        let bands = begins.iter().zip(ends);
        if !sampling {
            return bands.map(|(&min, max)| Age { min, max }).collect();
        }
        let both = bands.flat_map(|(&first, last)| [first, last]);
        let ages: BTreeSet<i32> = if self.collector.uses.exact_age {
            // The greatest age of the calendar is none that anybody reaches.
            both.filter(|&months| months < AGE_MONTHS_MAX)
                .chain([1, 1200])
                .collect()
        } else {
            begins.iter().copied().collect()
        };
        ages.into_iter().map(Age::months).collect()
    }

    /// One of all values that no set tells apart.
    fn named_values(&self, index: AttributeIndex, numbers: &[u16]) -> Vec<Value> {
        let sets = self.sets.get(&index).map_or(&[][..], Vec::as_slice);
        let mut seen = BTreeSet::new();
        let places = (0..numbers.len()).filter(|&place| {
            self.each.contains(&index)
                || seen.insert(
                    sets.iter()
                        .map(|set| set.contains(&(place as u16)))
                        .collect::<Vec<bool>>(),
                )
        });
        places.map(|place| Value::Enum(numbers[place])).collect()
    }

    fn numbers(&self, index: AttributeIndex, (min, max): (i64, i64), sampling: bool) -> BTreeSet<i64> {
        let no_limits = BTreeSet::new();
        let limits = self.limits.get(&index).unwrap_or(&no_limits);
        let within = limits.iter().copied().filter(|limit| (min..=max).contains(limit));
        if !self.wholly.contains(&index) {
            return within.chain([min]).collect();
        }
        if max.abs_diff(min) < PROFILE_INTEGERS_MAX {
            return (min..=max).collect();
        }
        if !sampling {
            return BTreeSet::new();
        }
        let greatest = if max == i64::MAX { MUCH_MONEY } else { max };
        let near = within.flat_map(|limit| [limit.saturating_sub(1), limit]);
        let samples = near.chain([min, min.saturating_add(1), greatest]);
        samples.filter(|number| (min..=max).contains(number)).collect()
    }

    /// The places that differ for the rules, and one that is none of them.
    pub fn places(&self) -> Vec<Place> {
        let (mut provinces, mut former) = (vec![ProvinceCode::NONE], vec![ProvinceCode::NONE]);
        for area in &self.collector.uses.areas {
            let (codes, code) = match area {
                Area::Province(code) => (&mut provinces, code),
                Area::Former(code) => (&mut former, code),
            };
            codes.extend(format!("{code:02}").parse::<ProvinceCode>());
        }
        let pairs = |&province: &ProvinceCode| former.iter().map(move |&former| (province, former));
        provinces.iter().flat_map(pairs).collect()
    }
}

impl Variable {
    pub fn choices(&self) -> usize {
        match self {
            Self::Age(ages) => ages.len(),
            Self::Attribute { values, .. } => values.len(),
        }
    }

    /// The number under which the evaluator names it where it is unknown.
    pub fn number(&self, attributes: &[BoundAttribute]) -> AttributeNumber {
        match self {
            Self::Age(_) => crate::kernel::catalogue::builtin::BIRTH,
            Self::Attribute { index, .. } => attributes[*index].attribute.number,
        }
    }

    /// Where its value is kept in a case; `None` for age.
    pub fn subject(&self, attributes: &[BoundAttribute]) -> Option<(SubjectKind, bool)> {
        match self {
            Self::Age(_) => None,
            Self::Attribute { index, .. } => {
                let attribute = &attributes[*index].attribute;
                Some((attribute.subject, attribute.in_profile()))
            }
        }
    }
}
