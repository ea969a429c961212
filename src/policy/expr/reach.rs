//! How great a number can become, and whether it can fail, whatever the facts are: told from the expression alone.
//!
//! A range says between which ends a number lies, not whether every value between them can be worked out. What is
//! said here may be too much, never too little.

use super::check::{Cases, Condition, Number};
use super::eval::Context;
use crate::kernel::catalogue::ValueKind;
use crate::types::Decimal;

/// Digits of any count of people or months.
const COUNT_DIGITS: u32 = 10;
/// Digits of any amount of money, and of any `integer`.
const MONEY_DIGITS: u32 = 19;
/// Digits of any age, in months.
const AGE_DIGITS: u32 = 4;

/// A number is below ten to the power of `whole` and has at most so many `places` after the point.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Reach {
    whole: u32,
    places: u32,
}

impl Reach {
    const fn whole(whole: u32) -> Self {
        Self { whole, places: 0 }
    }

    /// The reach of one number.
    pub fn of(number: Decimal) -> Self {
        let (units, scale) = number.parts();
        let digits = units.unsigned_abs().checked_ilog10().map_or(0, |log| log + 1);
        let places = u32::from(scale);
        Self {
            whole: digits.saturating_sub(places),
            places,
        }
    }

    /// The reach of both.
    pub fn max(self, other: Self) -> Self {
        Self {
            whole: self.whole.max(other.whole),
            places: self.places.max(other.places),
        }
    }

    /// Whether it has only whole numbers.
    pub const fn is_whole(self) -> bool {
        self.places == 0
    }

    /// The reach itself if every number of it is kept exactly.
    fn fitting(self) -> Option<Self> {
        let fits = self.places <= u32::from(Decimal::SCALE_MAX)
            && self.whole + self.places <= Decimal::DIGITS_MAX as u32;
        fits.then_some(self)
    }
}

/// How far a number reaches; `None` if it may be too great, or have too many places, on the way.
pub(super) fn reach(number: &Number, context: Context<'_>) -> Option<Reach> {
    let of = |number: &Number| reach(number, context);
    match number {
        Number::Constant(number) => Some(Reach::of(*number)),
        Number::Age | Number::AgeMonths => Some(Reach::whole(AGE_DIGITS)),
        Number::Attribute(index) => Some(match context.attributes[*index].attribute.kind {
            ValueKind::Integer { min, max } => Reach::of(min.into()).max(Reach::of(max.into())),
            _ => Reach::whole(MONEY_DIGITS),
        }),
        Number::Parameter(index) => context.figures.reach_of_parameter(*index).fitting(),
        Number::Lookup(table, _) => context.figures.reach_of_table(*table).fitting(),
        Number::Defined(_, inner) => of(inner),
        Number::Least(items) | Number::Greatest(items) => greatest(items.iter(), context),
        Number::Case(cases) => greatest(results(cases), context),
        Number::Bands(bands) => greatest(bands.bands.iter().map(|(_, result)| result), context),
        Number::Count { .. } => Some(Reach::whole(COUNT_DIGITS)),
        Number::Sum(terms) => {
            let greatest = greatest(terms.iter().map(|(_, term)| term), context)?;
            let carried = terms.len().checked_ilog10().unwrap_or(0) + 1;
            Reach {
                whole: greatest.whole + carried,
                ..greatest
            }
            .fitting()
        }
        Number::GroupSum { number, .. } => {
            let each = of(number)?;
            Reach {
                whole: each.whole + COUNT_DIGITS,
                ..each
            }
            .fitting()
        }
        Number::Product(factors) => factors.iter().try_fold(Reach::whole(0), |product, factor| {
            let factor = of(factor)?;
            Reach {
                whole: product.whole + factor.whole,
                places: product.places + factor.places,
            }
            .fitting()
        }),
        Number::Round {
            number,
            divisor,
            step,
            ..
        } => {
            let (number, step) = (of(number)?, Reach::of(*step));
            let divisor = divisor
                .as_ref()
                .map_or(Some(Reach::whole(0)), |divisor| of(divisor))?;
            let steps = Reach {
                whole: number.whole.max(divisor.whole + step.whole) + divisor.places + 1,
                places: number.places.max(divisor.places + step.places),
            };
            steps.fitting()?;
            Reach {
                whole: (number.whole + divisor.places).max(step.whole) + 1,
                places: step.places,
            }
            .fitting()
        }
    }
}

fn greatest<'n>(mut numbers: impl Iterator<Item = &'n Number>, context: Context<'_>) -> Option<Reach> {
    numbers.try_fold(Reach::whole(0), |found, number| {
        Some(found.max(reach(number, context)?))
    })
}

fn results<T>(cases: &Cases<T>) -> impl Iterator<Item = &T> {
    let arms = cases.arms.iter().map(|(_, result)| result);
    arms.chain([cases.otherwise.as_ref()])
}

/// Whether a number can be worked out whatever the facts are.
pub(super) fn number_never_fails(number: &Number, context: Context<'_>) -> bool {
    let never_fails = |number: &Number| number_never_fails(number, context);
    match number {
        Number::Constant(_)
        | Number::Age
        | Number::AgeMonths
        | Number::Attribute(_)
        | Number::Parameter(_) => true,
        Number::Lookup(..) => false,
        Number::Defined(_, inner) => never_fails(inner),
        Number::Least(items) | Number::Greatest(items) => items.iter().all(never_fails),
        Number::Case(cases) => {
            let mut guards = cases.arms.iter().map(|(guard, _)| guard);
            guards.all(|guard| condition_never_fails(guard, context)) && results(cases).all(never_fails)
        }
        Number::Bands(bands) => {
            never_fails(&bands.subject) && bands.bands.iter().all(|(_, result)| never_fails(result))
        }
        Number::Count { holds, .. } => condition_never_fails(holds, context),
        Number::GroupSum { number: each, .. } => never_fails(each) && reach(number, context).is_some(),
        Number::Sum(terms) => {
            terms.iter().all(|(_, term)| never_fails(term)) && reach(number, context).is_some()
        }
        Number::Product(factors) => factors.iter().all(never_fails) && reach(number, context).is_some(),
        Number::Round {
            number: inner,
            divisor,
            ..
        } => {
            let divides = divisor.as_deref().is_none_or(
                |divisor| matches!(divisor.written_out(), Number::Constant(by) if *by != Decimal::ZERO),
            );
            divides && never_fails(inner) && reach(number, context).is_some()
        }
    }
}

/// Whether a condition can be judged whatever the facts are.
pub(super) fn condition_never_fails(condition: &Condition, context: Context<'_>) -> bool {
    let never_fails = |condition: &Condition| condition_never_fails(condition, context);
    let number = |number: &Number| number_never_fails(number, context);
    match condition {
        Condition::Constant(_)
        | Condition::Attribute(_)
        | Condition::EnumIn(..)
        | Condition::Dates(..)
        | Condition::ProvinceIn { .. } => true,
        Condition::Not(inner) | Condition::Defined(_, inner) => never_fails(inner),
        Condition::All(items) | Condition::Any(items) => items.iter().all(never_fails),
        Condition::Same(left, right) => never_fails(left) && never_fails(right),
        Condition::Compare(_, left, right) => number(left) && number(right),
        Condition::NumberIn(found, items) => number(found) && items.iter().all(number),
        Condition::Case(cases) => {
            let mut guards = cases.arms.iter().map(|(guard, _)| guard);
            guards.all(never_fails) && results(cases).all(never_fails)
        }
        Condition::Bands(bands) => {
            number(&bands.subject) && bands.bands.iter().all(|(_, result)| never_fails(result))
        }
        Condition::Group { holds, .. } => never_fails(holds),
    }
}
