//! Three-valued truth, and numbers of which only the range is known.

use std::cmp::Ordering;

use bincode::{Decode, Encode};

use super::parse::Comparison;
use crate::types::Decimal;

/// A truth in Kleene's strong three-valued logic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Truth {
    /// Certainly not so.
    False,
    /// It depends on something unknown.
    Undetermined,
    /// Certainly so.
    True,
}

impl From<bool> for Truth {
    fn from(yes: bool) -> Self {
        if yes { Self::True } else { Self::False }
    }
}

impl std::ops::Not for Truth {
    type Output = Self;

    fn not(self) -> Self {
        match self {
            Self::False => Self::True,
            Self::Undetermined => Self::Undetermined,
            Self::True => Self::False,
        }
    }
}

/// Why an expression has no result. It is a fault of the pack or of the data, never of the person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[non_exhaustive]
pub enum Fault {
    /// A number too great, or with more decimal places than are kept.
    Overflow,
    /// An amount that is not a whole number of đồng.
    Fraction,
    /// An amount below zero.
    Negative,
    /// A recorded value of another type than the attribute's.
    UnfitValue,
}

/// One end of a range.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Bound {
    /// Without lower limit.
    Below,
    At(Decimal),
    /// Without upper limit.
    Above,
}

/// A number of which the least and the greatest possible values are known. They are equal if it is certain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Range {
    pub min: Bound,
    pub max: Bound,
}

impl Bound {
    fn add(self, other: Self) -> Result<Self, Fault> {
        Ok(match (self, other) {
            (Self::At(a), Self::At(b)) => Self::At(a.checked_add(b).ok_or(Fault::Overflow)?),
            (Self::At(_), limitless) | (limitless, _) => limitless,
        })
    }

    fn negated(self) -> Result<Self, Fault> {
        Ok(match self {
            Self::At(number) => Self::At(Decimal::ZERO.checked_sub(number).ok_or(Fault::Overflow)?),
            Self::Below => Self::Above,
            Self::Above => Self::Below,
        })
    }

    fn sign(self) -> Ordering {
        match self {
            Self::Below => Ordering::Less,
            Self::At(number) => number.cmp(&Decimal::ZERO),
            Self::Above => Ordering::Greater,
        }
    }

    /// The product of two ends; zero times without limit is zero, because the limit is never reached.
    fn times(self, other: Self) -> Result<Self, Fault> {
        if let (Self::At(a), Self::At(b)) = (self, other) {
            return Ok(Self::At(a.checked_mul(b).ok_or(Fault::Overflow)?));
        }
        Ok(match (self.sign(), other.sign()) {
            (Ordering::Equal, _) | (_, Ordering::Equal) => Self::At(Decimal::ZERO),
            (a, b) if a == b => Self::Above,
            _ => Self::Below,
        })
    }
}

impl Range {
    pub const fn exact(number: Decimal) -> Self {
        Self {
            min: Bound::At(number),
            max: Bound::At(number),
        }
    }

    pub fn between(min: i64, max: i64) -> Self {
        Self {
            min: Bound::At(min.into()),
            max: Bound::At(max.into()),
        }
    }

    pub fn is_exact(self) -> bool {
        self.min == self.max
    }

    pub fn add(self, other: Self) -> Result<Self, Fault> {
        Ok(Self {
            min: self.min.add(other.min)?,
            max: self.max.add(other.max)?,
        })
    }

    pub fn negated(self) -> Result<Self, Fault> {
        Ok(Self {
            min: self.max.negated()?,
            max: self.min.negated()?,
        })
    }

    pub fn times(self, other: Self) -> Result<Self, Fault> {
        let first = self.min.times(other.min)?;
        let mut product = Self {
            min: first,
            max: first,
        };
        for (a, b) in [
            (self.min, other.max),
            (self.max, other.min),
            (self.max, other.max),
        ] {
            let end = a.times(b)?;
            product.min = product.min.min(end);
            product.max = product.max.max(end);
        }
        Ok(product)
    }

    pub fn least(self, other: Self) -> Self {
        Self {
            min: self.min.min(other.min),
            max: self.max.min(other.max),
        }
    }

    pub fn greatest(self, other: Self) -> Self {
        Self {
            min: self.min.max(other.min),
            max: self.max.max(other.max),
        }
    }

    /// The range that holds both.
    pub fn union(self, other: Self) -> Self {
        Self {
            min: self.min.min(other.min),
            max: self.max.max(other.max),
        }
    }

    /// Both ends rounded half away from zero to a multiple of `step`.
    pub fn rounded_to(self, step: Decimal) -> Result<Self, Fault> {
        let round = |bound| match bound {
            Bound::At(number) => number.rounded_to(step).map(Bound::At).ok_or(Fault::Overflow),
            limitless => Ok(limitless),
        };
        Ok(Self {
            min: round(self.min)?,
            max: round(self.max)?,
        })
    }

    pub fn compare(self, comparison: Comparison, other: Self) -> Truth {
        let settle = |certain: bool, impossible: bool| match (certain, impossible) {
            (true, _) => Truth::True,
            (_, true) => Truth::False,
            _ => Truth::Undetermined,
        };
        match comparison {
            Comparison::Equal => settle(
                self.is_exact() && other.is_exact() && self.min == other.min,
                self.max < other.min || other.max < self.min,
            ),
            Comparison::Unequal => !self.compare(Comparison::Equal, other),
            Comparison::Less => settle(self.max < other.min, self.min >= other.max),
            Comparison::LessOrEqual => settle(self.max <= other.min, self.min > other.max),
            Comparison::Greater | Comparison::GreaterOrEqual => other.compare(comparison.flipped(), self),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const COMPARISONS: [Comparison; 6] = [
        Comparison::Equal,
        Comparison::Unequal,
        Comparison::Less,
        Comparison::LessOrEqual,
        Comparison::Greater,
        Comparison::GreaterOrEqual,
    ];

    fn holds(a: i64, comparison: Comparison, b: i64) -> bool {
        match comparison {
            Comparison::Equal => a == b,
            Comparison::Unequal => a != b,
            Comparison::Less => a < b,
            Comparison::LessOrEqual => a <= b,
            Comparison::Greater => a > b,
            Comparison::GreaterOrEqual => a >= b,
        }
    }

    proptest! {
        #[test]
        fn ranges_hold_every_possible_result(
            a in -9_i64..9, wa in 0_i64..4, b in -9_i64..9, wb in 0_i64..4,
        ) {
            let (x, y) = (Range::between(a, a + wa), Range::between(b, b + wb));
            let pairs: Vec<(i64, i64)> = (a..=a + wa).flat_map(|p| (b..=b + wb).map(move |q| (p, q))).collect();
            let hull = |f: fn(i64, i64) -> i64| {
                let results = pairs.iter().map(|&(p, q)| f(p, q));
                Range::between(results.clone().min().unwrap(), results.max().unwrap())
            };
            prop_assert_eq!(x.add(y).unwrap(), hull(|p, q| p + q));
            prop_assert_eq!(x.add(y.negated().unwrap()).unwrap(), hull(|p, q| p - q));
            prop_assert_eq!(x.times(y).unwrap(), hull(|p, q| p * q));
            prop_assert_eq!(x.least(y), hull(i64::min));
            prop_assert_eq!(x.greatest(y), hull(i64::max));
            for comparison in COMPARISONS {
                let truths: Vec<bool> = pairs.iter().map(|&(p, q)| holds(p, comparison, q)).collect();
                let expected = match (truths.contains(&true), truths.contains(&false)) {
                    (true, false) => Truth::True,
                    (false, _) => Truth::False,
                    _ => Truth::Undetermined,
                };
                prop_assert_eq!(x.compare(comparison, y), expected, "{:?}", comparison);
            }
        }
    }

    #[test]
    fn limitless_ends_stay_limitless() {
        let income = Range {
            min: Bound::At(Decimal::ZERO),
            max: Bound::Above,
        };
        let half = Range::exact("0.5".parse().unwrap());
        assert_eq!(income.times(half).unwrap(), income);
        assert_eq!(income.negated().unwrap().min, Bound::Below);
        assert_eq!(
            income.compare(Comparison::Less, Range::between(5, 5)),
            Truth::Undetermined
        );
        assert_eq!(
            income.compare(Comparison::GreaterOrEqual, Range::between(0, 0)),
            Truth::True
        );
        assert_eq!(income.least(Range::between(7, 7)), Range::between(0, 7));
    }
}
