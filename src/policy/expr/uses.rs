//! What expressions read: the key under which results may be remembered.

use std::collections::BTreeSet;

use super::check::{
    AttributeIndex, Bands, Cases, Condition, Day, GroupRef, Key, Number, ParameterIndex, TableIndex,
};
use super::parse::Comparison;
use crate::policy::figures::Figures;
use crate::policy::parameter::Area;
use crate::types::{Decimal, Month, Rounding};

/// What a set of expressions reads.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Uses {
    pub attributes: BTreeSet<AttributeIndex>,
    pub parameters: BTreeSet<ParameterIndex>,
    pub tables: BTreeSet<TableIndex>,
    /// The areas that make a difference.
    pub areas: BTreeSet<Area>,
    /// The groups that are asked about.
    pub groups: BTreeSet<GroupRef>,
    /// What is read of the people in them, but for parameters and tables, which count for whoever asks.
    pub others: Option<Box<Uses>>,
    /// The ages in months on whose side of which a result may change.
    pub thresholds: BTreeSet<u16>,
    /// Age is used otherwise than in comparisons with constants.
    pub exact_age: bool,
}

/// Collects uses, with the figures in force: they decide where a threshold of age lies, and which areas differ.
pub(crate) struct Collector<'a> {
    figures: Option<&'a Figures>,
    pub uses: Uses,
}

impl<'a> Collector<'a> {
    /// Without figures the areas and thresholds that they bring are left out.
    pub fn new(figures: Option<&'a Figures>) -> Self {
        Self {
            figures,
            uses: Uses::default(),
        }
    }

    /// What is read of people in a group counts for what it needs, and for what it reads of them.
    fn group(&mut self, group: GroupRef, visit: impl FnOnce(&mut Self)) {
        let mut inner = Self::new(self.figures);
        inner.uses = *self.uses.others.take().unwrap_or_default();
        visit(&mut inner);
        self.uses.parameters.append(&mut inner.uses.parameters);
        self.uses.tables.append(&mut inner.uses.tables);
        self.uses.others = Some(Box::new(inner.uses));
        self.uses.groups.insert(group);
    }

    pub fn condition(&mut self, condition: &Condition) {
        match condition {
            Condition::Constant(_) => {}
            Condition::Attribute(index) | Condition::EnumIn(index, _) => {
                self.uses.attributes.insert(*index);
            }
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
            Condition::Dates(_, left, right) => {
                for day in [left, right] {
                    if let Day::Attribute(index) = day {
                        self.uses.attributes.insert(*index);
                    }
                }
            }
            Condition::ProvinceIn { former, codes } => {
                let area = if *former { Area::Former } else { Area::Province };
                self.uses.areas.extend(codes.iter().map(|&code| area(code)));
            }
            Condition::Case(cases) => self.cases(cases, Self::condition),
            Condition::Bands(bands) => self.bands(bands, Self::condition),
            Condition::Group { group, holds, .. } => self.group(*group, |inner| inner.condition(holds)),
        }
    }

    fn cases<T>(&mut self, cases: &Cases<T>, mut visit: impl FnMut(&mut Self, &T)) {
        for (guard, result) in &cases.arms {
            self.condition(guard);
            visit(self, result);
        }
        visit(self, &cases.otherwise);
    }

    pub fn number(&mut self, number: &Number) {
        match number {
            Number::Constant(_) => {}
            Number::Age | Number::AgeMonths => self.uses.exact_age = true,
            Number::Attribute(index) => {
                self.uses.attributes.insert(*index);
            }
            Number::Parameter(index) => {
                self.uses.parameters.insert(*index);
                if let Some(figures) = self.figures {
                    self.uses.areas.extend(figures.areas(*index));
                }
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
            Number::Defined(_, inner) => self.number(inner),
            Number::Case(cases) => self.cases(cases, Self::number),
            Number::Bands(bands) => self.bands(bands, Self::number),
            Number::Count { group, holds, .. } => self.group(*group, |inner| inner.condition(holds)),
            Number::GroupSum { group, number, .. } => self.group(*group, |inner| inner.number(number)),
            Number::Lookup(table, keys) => {
                self.uses.tables.insert(*table);
                for key in keys {
                    match key {
                        Key::Word(_) => {}
                        Key::Attribute(index, _) => {
                            self.uses.attributes.insert(*index);
                        }
                        Key::Number(number) => self.number(number),
                    }
                }
            }
        }
    }

    fn bands<T>(&mut self, bands: &Bands<T>, mut visit: impl FnMut(&mut Self, &T)) {
        // Without a limit the subject is still evaluated, and may be unknown.
        if bands.bands.iter().all(|(begins, _)| begins.is_none()) {
            self.number(&bands.subject);
        }
        for (begins, result) in &bands.bands {
            if let Some(begins) = begins {
                let begins = Number::Constant(*begins);
                self.compare(Comparison::GreaterOrEqual, &bands.subject, &begins);
            }
            visit(self, result);
        }
    }

    fn compare(&mut self, comparison: Comparison, left: &Number, right: &Number) {
        let (left, right) = (left.written_out(), right.written_out());
        let (age, comparison, other) = match (left, right) {
            (Number::Age | Number::AgeMonths, other) => (left, comparison, other),
            (other, Number::Age | Number::AgeMonths) => (right, comparison.flipped(), other),
            _ => {
                self.number(left);
                self.number(right);
                return;
            }
        };
        // The other side is visited for the parameters that it reads, and for an age in it.
        self.number(other);
        let months_per_unit = if matches!(age, Number::Age) { 12 } else { 1 };
        let limits = self.constant(other).and_then(|limit| {
            let first_not_below = ceiling(limit)?;
            let first_above = floor(limit)?.checked_add(1)?;
            Some((first_not_below, first_above))
        });
        let Some((first_not_below, first_above)) = limits else {
            self.uses.exact_age = true;
            return;
        };
        let limits = match comparison {
            Comparison::GreaterOrEqual | Comparison::Less => vec![first_not_below],
            Comparison::Greater | Comparison::LessOrEqual => vec![first_above],
            Comparison::Equal | Comparison::Unequal => vec![first_not_below, first_above],
        };
        let months = limits
            .into_iter()
            .filter_map(|limit| limit.checked_mul(months_per_unit));
        // Below zero and beyond the calendar every age lies on the same side.
        let reached = months.filter(|months| (1..=i64::from(Month::MAX.index())).contains(months));
        self.uses.thresholds.extend(reached.map(|months| months as u16));
    }

    /// The value of a number that depends on no case.
    pub fn constant(&self, number: &Number) -> Option<Decimal> {
        match number {
            Number::Constant(number) => Some(*number),
            Number::Defined(_, inner) => self.constant(inner),
            Number::Parameter(index) => self.figures?.constant(*index),
            Number::Sum(terms) => terms.iter().try_fold(Decimal::ZERO, |sum, (subtracted, term)| {
                let term = self.constant(term)?;
                if *subtracted {
                    sum.checked_sub(term)
                } else {
                    sum.checked_add(term)
                }
            }),
            Number::Product(factors) => factors.iter().try_fold(Decimal::from(1), |product, factor| {
                product.checked_mul(self.constant(factor)?)
            }),
            _ => None,
        }
    }
}

/// The greatest whole number that is not above a number.
pub(crate) fn floor(number: Decimal) -> Option<i64> {
    number.rounded_to(Decimal::from(1), Rounding::Down)?.to_integer()
}

/// The least whole number that is not below a number.
pub(crate) fn ceiling(number: Decimal) -> Option<i64> {
    number.rounded_to(Decimal::from(1), Rounding::Up)?.to_integer()
}
