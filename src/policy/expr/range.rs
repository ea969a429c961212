//! Three-valued truth, and numbers of which only the range is known.

use std::cmp::Ordering;
use std::fmt;

use bincode::{Decode, Encode};

use super::parse::Comparison;
use crate::types::{Decimal, Rounding};

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

impl fmt::Display for Truth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::False => "false",
            Self::Undetermined => "undetermined",
            Self::True => "true",
        })
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
    /// A division by zero.
    DivisionByZero,
    /// A lookup table without the row that was asked for.
    NoRow,
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

    /// The quotient of two ends, of which the divisor is not zero, brought to a multiple of a step.
    fn divided(self, divisor: Self, step: Decimal, rounding: Rounding) -> Result<Self, Fault> {
        Ok(match (self, divisor) {
            (Self::At(a), Self::At(b)) => Self::At(a.divided_to(b, step, rounding).ok_or(Fault::Overflow)?),
            (Self::At(_), _) => Self::At(Decimal::ZERO),
            (limitless, divisor) if limitless.sign() == divisor.sign() => Self::Above,
            _ => Self::Below,
        })
    }
}

impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.min, self.max) {
            (Bound::At(a), Bound::At(b)) if a == b => a.fmt(f),
            (Bound::At(a), Bound::At(b)) => write!(f, "{a} to {b}"),
            (Bound::At(a), _) => write!(f, "{a} or more"),
            (_, Bound::At(b)) => write!(f, "{b} or less"),
            _ => f.write_str("unknown"),
        }
    }
}

impl From<Bound> for Range {
    fn from(end: Bound) -> Self {
        Self { min: end, max: end }
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

    /// The number, if it is certain.
    pub fn exactly(self) -> Option<Decimal> {
        match self.min {
            Bound::At(number) if self.is_exact() => Some(number),
            _ => None,
        }
    }

    /// The least and the greatest whole number that it may be, as far as such numbers are kept.
    pub fn whole_numbers(self) -> (i64, i64) {
        let whole = |bound: Bound, rounding| match bound {
            Bound::Below => i64::MIN,
            Bound::Above => i64::MAX,
            Bound::At(number) => number
                .rounded_to(Decimal::from(1), rounding)
                .and_then(Decimal::to_integer)
                .unwrap_or(if number.is_negative() { i64::MIN } else { i64::MAX }),
        };
        (whole(self.min, Rounding::Up), whole(self.max, Rounding::Down))
    }

    /// Whether it may be zero.
    pub fn may_be_zero(self) -> bool {
        let zero = Bound::At(Decimal::ZERO);
        self.min <= zero && zero <= self.max
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
        let mut product = Self::from(self.min.times(other.min)?);
        for (a, b) in [
            (self.min, other.max),
            (self.max, other.min),
            (self.max, other.max),
        ] {
            product = product.union(Self::from(a.times(b)?));
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

    /// Both ends brought to a multiple of a step.
    pub fn rounded_to(self, step: Decimal, rounding: Rounding) -> Result<Self, Fault> {
        let round = |bound| match bound {
            Bound::At(number) => number
                .rounded_to(step, rounding)
                .map(Bound::At)
                .ok_or(Fault::Overflow),
            limitless => Ok(limitless),
        };
        Ok(Self {
            min: round(self.min)?,
            max: round(self.max)?,
        })
    }

    /// The quotient brought to a multiple of a step. A divisor that may be zero leaves it open; one that is zero is
    /// a fault.
    pub fn divided_to(self, divisor: Self, step: Decimal, rounding: Rounding) -> Result<Self, Fault> {
        if divisor == Self::exact(Decimal::ZERO) {
            return Err(Fault::DivisionByZero);
        }
        if divisor.may_be_zero() {
            return Ok(Self {
                min: Bound::Below,
                max: Bound::Above,
            });
        }
        let first = self.min.divided(divisor.min, step, rounding)?;
        let mut quotient = Self::from(first);
        for (a, b) in [
            (self.min, divisor.max),
            (self.max, divisor.min),
            (self.max, divisor.max),
        ] {
            quotient = quotient.union(Self::from(a.divided(b, step, rounding)?));
        }
        Ok(quotient)
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
            if !pairs.iter().any(|&(_, q)| q == 0) {
                let one = Decimal::from(1);
                let whole = x.divided_to(y, one, Rounding::Down).unwrap();
                prop_assert_eq!(whole, hull(|p, q| (p as f64 / q as f64).floor() as i64));
            }
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
