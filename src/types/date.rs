//! Calendar dates, and birth dates of which a part is unknown.

use std::fmt;
use std::str::FromStr;

use bincode::{Decode, Encode};
use thiserror::Error;

use super::{Month, MonthError};

/// Why something is not a date.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum DateError {
    /// The text has another form.
    #[error("date {found:?} is not written as {expected}")]
    Malformed {
        /// The text found, shortened.
        found: String,
        /// The forms that are read.
        expected: &'static str,
    },
    /// The year or the month does not exist here.
    #[error(transparent)]
    Month(#[from] MonthError),
    /// The month has no such day.
    #[error("day {day} does not exist in {month}, which has {last} days")]
    Day {
        /// The month.
        month: Month,
        /// The day found.
        day: u8,
        /// The last day of that month.
        last: u8,
    },
}

/// A whole date.
///
/// ```
/// use ansinh::types::Date;
/// let date: Date = "2026-10-05".parse()?;
/// assert_eq!(date.month().to_string(), "2026-10");
/// assert_eq!(date.day(), 5);
/// # Ok::<(), ansinh::types::DateError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
pub struct Date {
    month: Month,
    day: u8,
}

/// The number of days of a month.
pub(crate) fn days_in_month(month: Month) -> u8 {
    match month.month() {
        2 => {
            let year = month.year();
            if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) {
                29
            } else {
                28
            }
        }
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Year, month and day of a day counted from 1970-01-01 (proleptic Gregorian calendar).
pub(crate) fn civil_from_days(days: i64) -> (i64, u32, u32) {
    // Days are counted from 0000-03-01, in eras of 400 years, so that a leap day ends its year.
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = (day_of_year - (153 * month_from_march + 2) / 5 + 1) as u32;
    let month = if month_from_march < 10 {
        month_from_march + 3
    } else {
        month_from_march - 9
    } as u32;
    let year = era * 400 + year_of_era + i64::from(month <= 2);
    (year, month, day)
}

impl Date {
    /// A date from a month and a day of it.
    pub fn new(month: Month, day: u8) -> Result<Self, DateError> {
        let last = days_in_month(month);
        if day == 0 || day > last {
            return Err(DateError::Day { month, day, last });
        }
        Ok(Self { month, day })
    }

    /// A date from year, month and day.
    pub fn from_ymd(year: i32, month: i32, day: u8) -> Result<Self, DateError> {
        Self::new(Month::new(year, month)?, day)
    }

    /// The date on which an instant falls in Vietnam (UTC+7 all year).
    pub fn in_vietnam(instant: super::Instant) -> Result<Self, DateError> {
        const OFFSET_SECONDS: i64 = 7 * 3600;
        let days = (instant.unix_millis().div_euclid(1000) + OFFSET_SECONDS).div_euclid(86_400);
        let (year, month, day) = civil_from_days(days);
        Self::from_ymd(i32::try_from(year).unwrap_or(i32::MAX), month as i32, day as u8)
    }

    /// The first day of a month.
    pub const fn first_of(month: Month) -> Self {
        Self { month, day: 1 }
    }

    /// The last day of a month.
    pub fn last_of(month: Month) -> Self {
        Self {
            month,
            day: days_in_month(month),
        }
    }

    /// The month in which the date lies.
    pub const fn month(self) -> Month {
        self.month
    }

    /// The day of the month, from 1.
    pub const fn day(self) -> u8 {
        self.day
    }

    /// One number for layouts: month index times 32 plus day.
    pub const fn packed(self) -> u32 {
        self.month.index() as u32 * 32 + self.day as u32
    }

    /// The date that [`Date::packed`] gave; `None` if it gave no such number.
    pub fn from_packed(packed: u32) -> Option<Self> {
        let month = Month::from_index(u16::try_from(packed / 32).ok()?)?;
        Self::new(month, (packed % 32) as u8).ok()
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{:02}", self.month, self.day)
    }
}

impl FromStr for Date {
    type Err = DateError;

    fn from_str(text: &str) -> Result<Self, DateError> {
        match text.parse()? {
            BirthDate {
                month,
                month_known: true,
                day,
            } if day != 0 => Ok(Self { month, day }),
            _ => Err(DateError::Malformed {
                found: super::person_id::shorten(text),
                expected: "YYYY-MM-DD, for example 2026-06-30",
            }),
        }
    }
}

/// A birth date whose day, or day and month, may be unknown. The year is always known: a person whose very
/// year of birth is unknown is entered with the year in their papers.
///
/// ```
/// use ansinh::types::BirthDate;
/// assert_eq!("1950-03-17".parse::<BirthDate>()?.day(), Some(17));
/// assert_eq!("1950-03".parse::<BirthDate>()?.day(), None);
/// let year_only: BirthDate = "1950".parse()?;
/// assert_eq!(year_only.earliest_month().to_string(), "1950-01");
/// assert_eq!(year_only.latest_month().to_string(), "1950-12");
/// # Ok::<(), ansinh::types::DateError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
pub struct BirthDate {
    month: Month,
    month_known: bool,
    day: u8,
}

impl BirthDate {
    /// A birth date known to the day.
    pub const fn full(date: Date) -> Self {
        Self {
            month: date.month,
            month_known: true,
            day: date.day,
        }
    }

    /// A birth date known to the month.
    pub const fn month_only(month: Month) -> Self {
        Self {
            month,
            month_known: true,
            day: 0,
        }
    }

    /// A birth date of which only the year is known.
    pub fn year_only(year: i32) -> Result<Self, MonthError> {
        Ok(Self {
            month: Month::new(year, 1)?,
            month_known: false,
            day: 0,
        })
    }

    /// The year of birth.
    pub const fn year(self) -> i32 {
        self.month.year()
    }

    /// The month of birth, if known.
    pub const fn month(self) -> Option<Month> {
        if self.month_known { Some(self.month) } else { None }
    }

    /// The day of birth, if known.
    pub const fn day(self) -> Option<u8> {
        if self.day == 0 { None } else { Some(self.day) }
    }

    /// The whole date, if known.
    pub const fn date(self) -> Option<Date> {
        if self.day == 0 {
            None
        } else {
            Some(Date {
                month: self.month,
                day: self.day,
            })
        }
    }

    /// The first month in which the birth may have been.
    pub const fn earliest_month(self) -> Month {
        self.month
    }

    /// The last month in which the birth may have been.
    pub fn latest_month(self) -> Month {
        if self.month_known {
            self.month
        } else {
            self.month.plus(11).unwrap_or(Month::MAX)
        }
    }

    /// The parts for layouts: the (earliest) month, whether the month is known, the day or 0.
    pub const fn parts(self) -> (Month, bool, u8) {
        (self.month, self.month_known, self.day)
    }

    /// The birth date with these parts, as [`BirthDate::parts`] gives them; `None` if there is no such date.
    pub fn from_parts(month: Month, month_known: bool, day: u8) -> Option<Self> {
        match (month_known, day) {
            (true, 0) => Some(Self::month_only(month)),
            (true, day) => Date::new(month, day).ok().map(Self::full),
            (false, 0) => (month.month() == 1).then_some(Self {
                month,
                month_known,
                day,
            }),
            (false, _) => None,
        }
    }
}

impl From<Date> for BirthDate {
    fn from(date: Date) -> Self {
        Self::full(date)
    }
}

impl fmt::Display for BirthDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.month_known, self.day) {
            (false, _) => write!(f, "{:04}", self.year()),
            (true, 0) => write!(f, "{}", self.month),
            (true, day) => write!(f, "{}-{day:02}", self.month),
        }
    }
}

impl FromStr for BirthDate {
    type Err = DateError;

    fn from_str(text: &str) -> Result<Self, DateError> {
        let malformed = || DateError::Malformed {
            found: super::person_id::shorten(text),
            expected: "YYYY-MM-DD, YYYY-MM or YYYY, for example 1950-03-17",
        };
        let digits = text.bytes().enumerate().all(|(i, b)| match i {
            4 | 7 => b == b'-',
            _ => b.is_ascii_digit(),
        });
        if !digits || !matches!(text.len(), 4 | 7 | 10) {
            return Err(malformed());
        }
        let year: i32 = text[..4].parse().map_err(|_| malformed())?;
        if text.len() == 4 {
            return Ok(Self::year_only(year)?);
        }
        let month = Month::new(year, text[5..7].parse().map_err(|_| malformed())?)?;
        if text.len() == 7 {
            return Ok(Self::month_only(month));
        }
        Ok(Self::full(Date::new(
            month,
            text[8..].parse().map_err(|_| malformed())?,
        )?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_exist_or_are_refused() {
        for text in ["2024-02-29", "2000-02-29", "2026-12-31", "1800-01-01"] {
            let date: Date = text.parse().unwrap();
            assert_eq!(date.to_string(), text);
            assert_eq!(Date::from_packed(date.packed()), Some(date));
        }
        for text in [
            "2023-02-29",
            "1900-02-29",
            "2026-04-31",
            "2026-00-10",
            "2026-01-00",
            "2026-1-1",
            "20260101",
            "2026-06",
            "",
        ] {
            assert!(text.parse::<Date>().is_err(), "{text}");
        }
    }

    #[test]
    fn birth_dates_keep_what_is_unknown() {
        for text in ["1950", "1950-03", "1950-03-17"] {
            let birth: BirthDate = text.parse().unwrap();
            assert_eq!(birth.to_string(), text);
            let (month, known, day) = birth.parts();
            assert_eq!(BirthDate::from_parts(month, known, day), Some(birth));
        }
        for text in [
            "950",
            "1950-",
            "1950-03-1",
            "1950-13",
            "1950-02-30",
            "19500317",
            "1950/03/17",
            "năm",
        ] {
            assert!(text.parse::<BirthDate>().is_err(), "{text}");
        }
    }

    #[test]
    fn instants_fall_on_vietnamese_dates() {
        let evening = super::super::Instant::from_unix_millis(1_780_246_800_000); // 2026-05-31T17:00Z
        assert_eq!(Date::in_vietnam(evening).unwrap().to_string(), "2026-06-01");
        assert_eq!(civil_from_days(0), (1970, 1, 1));
        assert_eq!(civil_from_days(-1), (1969, 12, 31));
        assert_eq!(civil_from_days(11_016), (2000, 2, 29));
    }
}
