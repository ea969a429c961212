//! How a number was worked out: the steps that applied, with their values.

use super::case::Case;
use super::explain::{Step, Working};
use super::expr::check::{Bands, Key, Number};
use super::expr::eval::Evaluator;
use super::expr::range::Truth;
use super::month::MonthPolicy;
use super::pack::PackData;
use super::parameter::Unit;
use crate::kernel::catalogue::ValueKind;
use crate::types::{Decimal, Value};

impl MonthPolicy {
    /// The steps of a number for a case; `None` if any of them is not certain.
    pub(super) fn working(&self, number: &Number, case: &Case<'_>) -> Option<Working> {
        let evaluator = Evaluator::new(self.context(), case, false);
        Worker {
            pack: self.pack(),
            evaluator,
        }
        .work(number)
    }
}

struct Worker<'a> {
    pack: &'a PackData,
    evaluator: Evaluator<'a>,
}

impl Worker<'_> {
    fn work(&mut self, number: &Number) -> Option<Working> {
        let step = match number {
            Number::Defined(_, inner) => return self.work(inner),
            Number::Case(cases) => {
                for (guard, arm) in &cases.arms {
                    match self.evaluator.condition(guard).ok()? {
                        Truth::True => return self.work(arm),
                        Truth::False => {}
                        Truth::Undetermined => return None,
                    }
                }
                return self.work(&cases.otherwise);
            }
            Number::Bands(bands) => return self.band(bands),
            Number::Constant(_) => Step::Constant,
            Number::Age => Step::Fact("age".to_owned()),
            Number::AgeMonths => Step::Fact("age_months".to_owned()),
            Number::Attribute(index) => Step::Fact(self.pack.scope.written(*index)),
            Number::Parameter(index) => Step::Figure(format!("param.{}", self.pack.parameters[*index].name)),
            Number::Count { text, .. } | Number::GroupSum { text, .. } => Step::Fact(text.to_string()),
            Number::Lookup(table, keys) => {
                let row: Option<Vec<i64>> = keys.iter().map(|key| self.key(key)).collect();
                Step::Figure(self.pack.tables[*table].written(&row?))
            }
            Number::Sum(terms) => Step::Sum(self.sum(terms)?),
            Number::Product(items) => Step::Product(self.all(items)?),
            Number::Least(items) => Step::Least(self.all(items)?),
            Number::Greatest(items) => Step::Greatest(self.all(items)?),
            Number::Round {
                number,
                divisor,
                step,
                rounding,
            } => Step::Rounded {
                number: Box::new(self.work(number)?),
                divisor: match divisor {
                    Some(divisor) => Some(Box::new(self.work(divisor)?)),
                    None => None,
                },
                step: *step,
                rounding: *rounding,
            },
        };
        Some(Working {
            value: self.evaluator.number(number).ok()?.exactly()?,
            is_money: self.pack.is_money(number),
            step,
        })
    }

    fn all(&mut self, items: &[Number]) -> Option<Vec<Working>> {
        items.iter().map(|item| self.work(item)).collect()
    }

    /// The terms that are not zero, or the first if all are.
    fn sum(&mut self, terms: &[(bool, Number)]) -> Option<Vec<(bool, Working)>> {
        let all: Option<Vec<(bool, Working)>> = terms
            .iter()
            .map(|(subtracted, term)| Some((*subtracted, self.work(term)?)))
            .collect();
        let mut all = all?;
        if all.iter().any(|(_, term)| term.value != Decimal::ZERO) {
            all.retain(|(_, term)| term.value != Decimal::ZERO);
        } else {
            all.truncate(1);
        }
        Some(all)
    }

    fn band(&mut self, bands: &Bands<Number>) -> Option<Working> {
        let subject = self.evaluator.number(&bands.subject).ok()?.exactly()?;
        let begun = |begins: Option<Decimal>| begins.is_none_or(|begins| begins <= subject);
        let (_, arm) = bands.bands.iter().rev().find(|(begins, _)| begun(*begins))?;
        self.work(arm)
    }

    fn key(&mut self, key: &Key) -> Option<i64> {
        match key {
            Key::Word(place) => Some(*place),
            Key::Number(number) => self.evaluator.number(number).ok()?.exactly()?.to_integer(),
            Key::Attribute(index, places) => {
                let Value::Enum(found) = self.evaluator.value(*index) else {
                    return None;
                };
                let numbers = &self.evaluator.context.attributes[*index].values;
                places[numbers.iter().position(|&value| value == found)?]
            }
        }
    }
}

impl PackData {
    /// Whether a number is an amount in đồng.
    pub(super) fn is_money(&self, number: &Number) -> bool {
        match number {
            Number::Constant(_) | Number::Age | Number::AgeMonths | Number::Count { .. } => false,
            Number::Attribute(index) => self.scope.attributes[*index].kind == ValueKind::Money,
            Number::Parameter(index) => self.parameters[*index].unit == Unit::Dong,
            Number::Lookup(table, _) => self.tables[*table].unit == Unit::Dong,
            Number::Sum(terms) => terms.iter().any(|(_, term)| self.is_money(term)),
            Number::Product(items) | Number::Least(items) | Number::Greatest(items) => {
                items.iter().any(|item| self.is_money(item))
            }
            // Money divided by money is a number without unit.
            Number::Round { number, divisor, .. } => {
                self.is_money(number) && !divisor.as_ref().is_some_and(|divisor| self.is_money(divisor))
            }
            Number::Case(cases) => {
                let arms = cases.arms.iter().map(|(_, arm)| arm);
                arms.chain([&*cases.otherwise]).any(|arm| self.is_money(arm))
            }
            Number::Bands(bands) => bands.bands.iter().any(|(_, arm)| self.is_money(arm)),
            Number::GroupSum { number, .. } | Number::Defined(_, number) => self.is_money(number),
        }
    }
}
