//! Calendar months.

use std::fmt;
use std::str::FromStr;

use bincode::{Decode, Encode};
use thiserror::Error;

/// A calendar month of Vietnam, from 1800-01 to 2399-12. The unit of time of every fact and every amount.
///
/// ```
/// use ansinh::types::Month;
/// let june = Month::new(2026, 6)?;
/// assert_eq!(june.to_string(), "2026-06");
/// assert_eq!(june.plus(-6)?, "2025-12".parse()?);
/// # Ok::<(), ansinh::types::MonthError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
pub struct Month(u16);

/// Why something is not a month.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum MonthError {
    /// The text has another form.
    #[error("month {0:?} is not written as YYYY-MM, for example 2026-06")]
    Malformed(String),
    /// The year or the month number is outside the calendar that the registry keeps.
    #[error(
        "month {year}-{month:02} is out of range: expected 01 to 12 for the month, and a year from 1800 to 2399"
    )]
    OutOfRange {
        /// The year found.
        year: i32,
        /// The month number found.
        month: i32,
    },
}

impl Month {
    /// The first year of the calendar kept here.
    pub const YEAR_MIN: i32 = 1800;
    /// The last year of the calendar kept here.
    pub const YEAR_MAX: i32 = 2399;
    /// The first month, used for facts that hold "always" (sex, birth date).
    pub const MIN: Self = Self(0);
    /// The last month.
    pub const MAX: Self = Self(((Self::YEAR_MAX - Self::YEAR_MIN + 1) * 12 - 1) as u16);

    /// A month from its year and its number from 1 to 12.
    pub const fn new(year: i32, month: i32) -> Result<Self, MonthError> {
        if year < Self::YEAR_MIN || year > Self::YEAR_MAX || month < 1 || month > 12 {
            return Err(MonthError::OutOfRange { year, month });
        }
        Ok(Self(((year - Self::YEAR_MIN) * 12 + month - 1) as u16))
    }

    /// The month with this index, counted from 1800-01 as 0; `None` beyond [`Month::MAX`].
    pub const fn from_index(index: u16) -> Option<Self> {
        if index <= Self::MAX.0 {
            Some(Self(index))
        } else {
            None
        }
    }

    /// Months since 1800-01.
    pub const fn index(self) -> u16 {
        self.0
    }

    /// The year.
    pub const fn year(self) -> i32 {
        Self::YEAR_MIN + self.0 as i32 / 12
    }

    /// The number of the month in its year, from 1 to 12.
    pub const fn month(self) -> i32 {
        self.0 as i32 % 12 + 1
    }

    /// The month so many months later (earlier if negative).
    pub fn plus(self, months: i32) -> Result<Self, MonthError> {
        let index = i32::from(self.0) + months;
        u16::try_from(index)
            .ok()
            .and_then(Self::from_index)
            .ok_or(MonthError::OutOfRange {
                year: Self::YEAR_MIN + index.div_euclid(12),
                month: index.rem_euclid(12) + 1,
            })
    }

    /// The month after this one; the last month is its own successor.
    #[must_use]
    pub const fn next(self) -> Self {
        if self.0 < Self::MAX.0 {
            Self(self.0 + 1)
        } else {
            self
        }
    }

    /// The month before this one; `None` for the first.
    pub const fn previous(self) -> Option<Self> {
        if self.0 > 0 { Some(Self(self.0 - 1)) } else { None }
    }

    /// How many months this one lies after `earlier` (negative if before).
    pub const fn months_since(self, earlier: Self) -> i32 {
        self.0 as i32 - earlier.0 as i32
    }
}

impl fmt::Display for Month {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}", self.year(), self.month())
    }
}

impl FromStr for Month {
    type Err = MonthError;

    fn from_str(text: &str) -> Result<Self, MonthError> {
        let malformed = || MonthError::Malformed(super::person_id::shorten(text));
        let (year, month) = text.split_once('-').ok_or_else(malformed)?;
        let digits = |part: &str, len: usize| -> Option<i32> {
            (part.len() == len && part.bytes().all(|b| b.is_ascii_digit())).then(|| part.parse().ok())?
        };
        match (digits(year, 4), digits(month, 2)) {
            (Some(year), Some(month)) => Self::new(year, month),
            _ => Err(malformed()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parses_and_prints() {
        for text in ["1800-01", "2026-06", "2399-12"] {
            assert_eq!(text.parse::<Month>().unwrap().to_string(), text);
        }
        for text in [
            "",
            "2026",
            "2026-6",
            "2026-13",
            "1799-12",
            "2400-01",
            "26-06",
            "2026-06-01",
            "２０２６-06",
            "+026-06",
        ] {
            assert!(text.parse::<Month>().is_err(), "{text}");
        }
    }

    #[test]
    fn arithmetic_stays_in_range() {
        assert_eq!(
            Month::MIN.plus(-1).unwrap_err(),
            MonthError::OutOfRange {
                year: 1799,
                month: 12
            }
        );
        assert!(Month::MAX.plus(1).is_err());
        assert_eq!(Month::MAX.next(), Month::MAX);
        assert_eq!(Month::MIN.previous(), None);
        let month = Month::new(2026, 1).unwrap();
        assert_eq!(month.previous().unwrap().to_string(), "2025-12");
        assert_eq!(month.plus(11).unwrap().to_string(), "2026-12");
        assert_eq!(month.months_since(Month::new(2025, 11).unwrap()), 2);
    }
}
