//! Money.

use std::fmt;
use std::iter::Sum;
use std::str::FromStr;

use bincode::{Decode, Encode};
use thiserror::Error;

/// A whole amount of đồng. Arithmetic is checked; there are no fractions and no floating point.
///
/// ```
/// use ansinh::types::Dong;
/// let base = Dong::new(500_000);
/// assert_eq!(base.checked_add(base), Some(Dong::new(1_000_000)));
/// assert_eq!(Dong::new(1_350_000).to_string(), "1.350.000 đ");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Encode, Decode)]
pub struct Dong(i64);

/// A sum of amounts over many people, in whole đồng. It cannot overflow: 2^63 amounts of the greatest size fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Encode, Decode)]
pub struct Total(i128);

/// Why something is not an amount.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum DongError {
    /// The text has another form.
    #[error("amount {0:?} is not a whole number of đồng, for example 540000")]
    Malformed(String),
}

impl Dong {
    /// No money.
    pub const ZERO: Self = Self(0);

    /// An amount.
    pub const fn new(amount: i64) -> Self {
        Self(amount)
    }

    /// The number of đồng.
    pub const fn get(self) -> i64 {
        self.0
    }

    /// The sum, unless it overflows.
    pub const fn checked_add(self, other: Self) -> Option<Self> {
        match self.0.checked_add(other.0) {
            Some(sum) => Some(Self(sum)),
            None => None,
        }
    }
}

impl Total {
    /// No money.
    pub const ZERO: Self = Self(0);

    /// A total.
    pub const fn new(amount: i128) -> Self {
        Self(amount)
    }

    /// The number of đồng.
    pub const fn get(self) -> i128 {
        self.0
    }

    /// Adds an amount that `count` people have.
    pub const fn add_times(&mut self, amount: Dong, count: u64) {
        self.0 += amount.0 as i128 * count as i128;
    }

    /// Adds another total.
    pub const fn add(&mut self, other: Self) {
        self.0 += other.0;
    }
}

impl Sum<Dong> for Total {
    fn sum<I: Iterator<Item = Dong>>(amounts: I) -> Self {
        Self(amounts.map(|amount| i128::from(amount.0)).sum())
    }
}

fn grouped(f: &mut fmt::Formatter<'_>, negative: bool, magnitude: u128) -> fmt::Result {
    let digits = magnitude.to_string();
    let mut text = String::with_capacity(digits.len() * 4 / 3 + 5);
    if negative {
        text.push('-');
    }
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push('.');
        }
        text.push(digit);
    }
    text.push_str(" đ");
    f.pad(&text)
}

impl fmt::Display for Dong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        grouped(f, self.0 < 0, u128::from(self.0.unsigned_abs()))
    }
}

impl fmt::Display for Total {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        grouped(f, self.0 < 0, self.0.unsigned_abs())
    }
}

impl FromStr for Dong {
    type Err = DongError;

    /// Reads plain digits, with an optional minus sign.
    fn from_str(text: &str) -> Result<Self, DongError> {
        let digits = text.strip_prefix('-').unwrap_or(text);
        let good = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
        good.then(|| text.parse().ok())
            .flatten()
            .map(Self)
            .ok_or_else(|| DongError::Malformed(super::person_id::shorten(text)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prints_groups_of_three() {
        for (amount, text) in [
            (0, "0 đ"),
            (999, "999 đ"),
            (1000, "1.000 đ"),
            (-1_234_567, "-1.234.567 đ"),
        ] {
            assert_eq!(Dong::new(amount).to_string(), text);
        }
        assert_eq!(Dong::new(i64::MIN).to_string(), "-9.223.372.036.854.775.808 đ");
    }

    #[test]
    fn reads_whole_amounts_only() {
        assert_eq!("540000".parse(), Ok(Dong::new(540_000)));
        assert_eq!("-1".parse(), Ok(Dong::new(-1)));
        for text in [
            "",
            "-",
            "1.5",
            "540.000",
            "1e6",
            "+1",
            "99999999999999999999",
            " 1",
        ] {
            assert!(text.parse::<Dong>().is_err(), "{text}");
        }
    }

    #[test]
    fn sums_are_wide() {
        let total: Total = [Dong::new(i64::MAX), Dong::new(i64::MAX)].into_iter().sum();
        assert_eq!(total.get(), i128::from(i64::MAX) * 2);
    }
}
