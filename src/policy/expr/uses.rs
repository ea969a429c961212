//! What expressions read: the key under which results may be remembered.

use std::collections::BTreeSet;

use super::check::{AttributeIndex, Cases, Condition, Day, Number, ParameterIndex};
use super::parse::Comparison;
use crate::types::{Decimal, Month};

/// What a set of expressions reads.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Uses {
    pub attributes: BTreeSet<AttributeIndex>,
    pub parameters: BTreeSet<ParameterIndex>,
    pub province: bool,
    pub former_province: bool,
    /// The ages in months on whose side of which a result may change.
    pub thresholds: BTreeSet<u16>,
    /// Age is used otherwise than in comparisons with constants.
    pub exact_age: bool,
}

/// Collects uses, with the parameter values in force: they decide where a threshold of age lies.
pub(crate) struct Collector<'a> {
    pub parameters: &'a [Option<Decimal>],
    pub uses: Uses,
}

impl<'a> Collector<'a> {
    pub fn new(parameters: &'a [Option<Decimal>]) -> Self {
        Self {
            parameters,
            uses: Uses::default(),
        }
    }

    pub fn condition(&mut self, condition: &Condition) {
        match condition {
            Condition::Constant(_) => {}
            Condition::Attribute(index) | Condition::EnumIn(index, _) => {
                self.uses.attributes.insert(*index);
            }
            Condition::Not(inner) => self.condition(inner),
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
            Condition::ProvinceIn { former: true, .. } => self.uses.former_province = true,
            Condition::ProvinceIn { former: false, .. } => self.uses.province = true,
            Condition::Case(cases) => self.cases(cases, Self::condition),
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
            Number::Round(inner, _) => self.number(inner),
            Number::Case(cases) => self.cases(cases, Self::number),
        }
    }

    fn compare(&mut self, comparison: Comparison, left: &Number, right: &Number) {
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
    fn constant(&self, number: &Number) -> Option<Decimal> {
        match number {
            Number::Constant(number) => Some(*number),
            Number::Parameter(index) => self.parameters.get(*index).copied().flatten(),
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

fn floor(number: Decimal) -> Option<i64> {
    let whole = number.rounded_to(Decimal::from(1))?.to_integer()?;
    if Decimal::from(whole) > number {
        whole.checked_sub(1)
    } else {
        Some(whole)
    }
}

fn ceiling(number: Decimal) -> Option<i64> {
    let floor = floor(number)?;
    if Decimal::from(floor) < number {
        floor.checked_add(1)
    } else {
        Some(floor)
    }
}
