//! Exact decimal numbers for coefficients and expressions.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

use thiserror::Error;

use super::Dong;

/// An exact decimal number: a whole number of units of 10^-scale, at most [`Decimal::SCALE_MAX`] places.
/// Addition, subtraction and multiplication are exact or refused; nothing rounds silently.
///
/// ```
/// use ansinh::types::{Decimal, Dong};
/// let coefficient: Decimal = "1.5".parse()?;
/// let amount = coefficient.checked_mul(Decimal::from(540_000)).unwrap();
/// assert_eq!(amount.to_dong(), Some(Dong::new(810_000)));
/// # Ok::<(), ansinh::types::DecimalError>(())
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Decimal {
    units: i128,
    scale: u8,
}

/// How a number is brought to a multiple of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Rounding {
    /// To the nearest; a half goes away from zero.
    Nearest,
    /// To the next that is not less.
    Up,
    /// To the next that is not greater.
    Down,
}

/// Why something is not a decimal.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum DecimalError {
    /// The text has another form.
    #[error("number {0:?} is not a decimal such as 1.5")]
    Malformed(String),
    /// More digits than are kept.
    #[error(
        "number {found:?} has more than {} digits or more than {} places",
        Decimal::DIGITS_MAX,
        Decimal::SCALE_MAX
    )]
    TooLong {
        /// The text found, shortened.
        found: String,
    },
}

impl Decimal {
    /// The greatest number of places after the point.
    pub const SCALE_MAX: u8 = 12;
    /// The greatest number of digits in a text.
    pub const DIGITS_MAX: usize = 30;
    /// Zero.
    pub const ZERO: Self = Self { units: 0, scale: 0 };

    /// `units` times 10^-`scale`; `None` if the scale is beyond [`Decimal::SCALE_MAX`].
    pub const fn new(units: i128, scale: u8) -> Option<Self> {
        if scale > Self::SCALE_MAX {
            None
        } else {
            Some(Self { units, scale }.normalised())
        }
    }

    /// Trailing zeros are dropped, so that equal numbers have equal parts.
    const fn normalised(mut self) -> Self {
        while self.scale > 0 && self.units % 10 == 0 {
            self.units /= 10;
            self.scale -= 1;
        }
        self
    }

    /// The units at a common scale.
    #[inline]
    fn aligned(self, other: Self) -> Option<(i128, i128, u8)> {
        if self.scale == other.scale {
            return Some((self.units, other.units, self.scale));
        }
        let scale = self.scale.max(other.scale);
        let widen = |number: Self| {
            number
                .units
                .checked_mul(10_i128.checked_pow(u32::from(scale - number.scale))?)
        };
        Some((widen(self)?, widen(other)?, scale))
    }

    /// The sum, unless it overflows.
    pub fn checked_add(self, other: Self) -> Option<Self> {
        let (a, b, scale) = self.aligned(other)?;
        Self::new(a.checked_add(b)?, scale)
    }

    /// The difference, unless it overflows.
    pub fn checked_sub(self, other: Self) -> Option<Self> {
        let (a, b, scale) = self.aligned(other)?;
        Self::new(a.checked_sub(b)?, scale)
    }

    /// The exact product, unless it overflows or needs more places than are kept.
    pub fn checked_mul(self, other: Self) -> Option<Self> {
        let product = Self {
            units: self.units.checked_mul(other.units)?,
            scale: self.scale + other.scale,
        };
        let product = product.normalised();
        (product.scale <= Self::SCALE_MAX).then_some(product)
    }

    /// The number brought to a multiple of `step` (for example 1, or 1000 đồng); `None` if the step is not above
    /// zero, or it overflows.
    ///
    /// ```
    /// use ansinh::types::{Decimal, Rounding};
    /// let number = Decimal::from(1_500);
    /// let step = Decimal::from(1_000);
    /// assert_eq!(number.rounded_to(step, Rounding::Nearest), Some(Decimal::from(2_000)));
    /// assert_eq!(number.rounded_to(step, Rounding::Down), Some(Decimal::from(1_000)));
    /// ```
    pub fn rounded_to(self, step: Self, rounding: Rounding) -> Option<Self> {
        self.divided_to(Self::from(1), step, rounding)
    }

    /// The quotient brought to a multiple of `step`, rounded once from its exact value; `None` if the divisor is
    /// zero, the step is not above zero, or it overflows.
    pub fn divided_to(self, divisor: Self, step: Self, rounding: Rounding) -> Option<Self> {
        if step.units <= 0 || divisor.units == 0 {
            return None;
        }
        let per_step = divisor.checked_mul(step)?;
        let (a, b, _) = self.aligned(per_step)?;
        Self::from_whole(divide(a, b, rounding)?).checked_mul(step)
    }

    const fn from_whole(units: i128) -> Self {
        Self { units, scale: 0 }
    }

    /// The number as a whole amount of money; `None` if it has a fraction or does not fit.
    pub fn to_dong(self) -> Option<Dong> {
        let whole = self.normalised();
        (whole.scale == 0)
            .then(|| i64::try_from(whole.units).ok().map(Dong::new))
            .flatten()
    }

    /// The number as an integer; `None` if it has a fraction or does not fit.
    pub fn to_integer(self) -> Option<i64> {
        self.to_dong().map(Dong::get)
    }

    /// The units, and how many of their digits stand after the point; no zeros at the end do.
    pub(crate) const fn parts(self) -> (i128, u8) {
        (self.units, self.scale)
    }

    /// Whether the number is below zero.
    pub const fn is_negative(self) -> bool {
        self.units < 0
    }
}

fn divide(numerator: i128, divisor: i128, rounding: Rounding) -> Option<i128> {
    let quotient = numerator.checked_div(divisor)?;
    let rest = numerator % divisor;
    let negative = (numerator < 0) != (divisor < 0);
    let away = match rounding {
        Rounding::Nearest => rest.unsigned_abs() >= divisor.unsigned_abs() - rest.unsigned_abs(),
        Rounding::Up => rest != 0 && !negative,
        Rounding::Down => rest != 0 && negative,
    };
    let step = if negative { -1 } else { 1 };
    quotient.checked_add(if away { step } else { 0 })
}

impl From<i64> for Decimal {
    fn from(number: i64) -> Self {
        Self {
            units: i128::from(number),
            scale: 0,
        }
    }
}

impl From<Dong> for Decimal {
    fn from(amount: Dong) -> Self {
        amount.get().into()
    }
}

impl Ord for Decimal {
    fn cmp(&self, other: &Self) -> Ordering {
        if let Some((a, b, _)) = self.aligned(*other) {
            return a.cmp(&b);
        }
        // One of the two is too great to be brought to the other's scale: the whole parts decide, and they
        // differ.
        let whole = |number: &Self| number.units / 10_i128.pow(u32::from(number.scale));
        whole(self).cmp(&whole(other))
    }
}

impl PartialOrd for Decimal {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Decimal {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Decimal {}

impl std::hash::Hash for Decimal {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        let normal = self.normalised();
        normal.units.hash(state);
        normal.scale.hash(state);
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.units < 0 { "-" } else { "" };
        let unit = 10_u128.pow(u32::from(self.scale));
        let (whole, fraction) = (self.units.unsigned_abs() / unit, self.units.unsigned_abs() % unit);
        if self.scale == 0 {
            write!(f, "{sign}{whole}")
        } else {
            write!(
                f,
                "{sign}{whole}.{fraction:0places$}",
                places = usize::from(self.scale)
            )
        }
    }
}

impl FromStr for Decimal {
    type Err = DecimalError;

    fn from_str(text: &str) -> Result<Self, DecimalError> {
        let found = || super::person_id::shorten(text);
        let body = text.strip_prefix('-').unwrap_or(text);
        let (whole, fraction) = body.split_once('.').unwrap_or((body, ""));
        let digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
        if whole.is_empty()
            || !digits(whole)
            || !digits(fraction)
            || (body.contains('.') && fraction.is_empty())
        {
            return Err(DecimalError::Malformed(found()));
        }
        if whole.len() + fraction.len() > Self::DIGITS_MAX || fraction.len() > usize::from(Self::SCALE_MAX) {
            return Err(DecimalError::TooLong { found: found() });
        }
        let units: i128 = format!("{whole}{fraction}")
            .parse()
            .map_err(|_| DecimalError::Malformed(found()))?;
        let units = if text.starts_with('-') { -units } else { units };
        Ok(Self {
            units,
            scale: fraction.len() as u8,
        }
        .normalised())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn d(text: &str) -> Decimal {
        text.parse().unwrap()
    }

    #[test]
    fn arithmetic_is_exact() {
        assert_eq!(d("0.1").checked_add(d("0.2")), Some(d("0.3")));
        assert_eq!(
            d("1.5").checked_mul(d("360000")).unwrap().to_dong(),
            Some(Dong::new(540_000))
        );
        assert_eq!(d("2.5").checked_sub(d("3")), Some(d("-0.5")));
        assert_eq!(d("0.000001").checked_mul(d("0.0000001")), None);
        assert_eq!(d("0.5").to_dong(), None);
    }

    #[test]
    fn rounding_is_declared() {
        for (number, step, nearest, up, down) in [
            ("1094500", "1000", "1095000", "1095000", "1094000"),
            ("1094499", "1000", "1094000", "1095000", "1094000"),
            ("1094000", "1000", "1094000", "1094000", "1094000"),
            ("-2.5", "1", "-3", "-2", "-3"),
            ("2.4", "1", "2", "3", "2"),
            ("-0.1", "1", "0", "0", "-1"),
        ] {
            let rounded = |rounding| d(number).rounded_to(d(step), rounding);
            assert_eq!(rounded(Rounding::Nearest), Some(d(nearest)), "{number}");
            assert_eq!(rounded(Rounding::Up), Some(d(up)), "{number}");
            assert_eq!(rounded(Rounding::Down), Some(d(down)), "{number}");
        }
        let third = |rounding| d("1").divided_to(d("3"), d("0.01"), rounding);
        assert_eq!(third(Rounding::Nearest), Some(d("0.33")));
        assert_eq!(third(Rounding::Up), Some(d("0.34")));
        assert_eq!(
            d("2").divided_to(d("-3"), d("0.01"), Rounding::Nearest),
            Some(d("-0.67"))
        );
        assert_eq!(d("1").divided_to(d("0"), d("1"), Rounding::Up), None);
        assert_eq!(d("1").rounded_to(d("0"), Rounding::Nearest), None);
    }

    #[test]
    fn order_and_text() {
        assert!(d("1.50") == d("1.5") && d("1.4999") < d("1.5") && d("-1") < d("0"));
        for text in ["0", "1.5", "-0.05", "123456789012345678.000001"] {
            assert_eq!(d(text).to_string(), text);
        }
        for text in [
            "",
            ".",
            "1.",
            ".5",
            "1e3",
            "--1",
            "1,5",
            "0.1234567890123",
            "1234567890123456789012345678901",
        ] {
            assert!(text.parse::<Decimal>().is_err(), "{text}");
        }
        let huge = Decimal::new(i128::MAX, 0).unwrap();
        assert!(huge > d("0.5") && d("0.5") < huge && Decimal::new(i128::MIN, 0).unwrap() < d("-0.5"));
    }
}
