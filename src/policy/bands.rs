//! Bands of age: birth months that make no difference to each other.

use super::case::{Age, UnknownBirthMonth};
use super::month::{AgeUse, MonthPolicy};
use crate::types::{BirthDate, Month};

/// Months in a year, by which the possible ages of a person with an unknown birth month differ at most, plus one.
const MONTHS: i32 = 12;

/// The bands of one month. All people of a band have the same result, if nothing else about them differs, by their
/// state at the end of the month and at the end of the month before.
///
/// Two bands stand apart: those not born by the end of the month ([`Bands::UNBORN`]), and those born in it, who
/// have no state at the end of the month before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bands {
    month: Month,
    unknown_month: UnknownBirthMonth,
    /// The first age in months of each band after the first, of people whose birth month is known.
    known: Vec<i32>,
    /// The same by the greatest possible age, of people whose birth month is not known; empty if they are treated
    /// like the others.
    year_only: Vec<i32>,
    by_birth_month: Vec<u16>,
    by_birth_year: Vec<u16>,
}

/// The people of a band, by one of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Band {
    /// The age at the end of the month; `None` if not born by then.
    pub now: Option<Age>,
    /// The age at the end of the month before; `None` if not born by then.
    pub before: Option<Age>,
}

impl Bands {
    /// The band of those not born by the end of the month.
    pub const UNBORN: u16 = 0;

    /// The bands for what a month's policy asks of age.
    ///
    /// ```
    /// # use ansinh::kernel::catalogue::Catalogue;
    /// # use ansinh::policy::{Bands, Pack};
    /// # let pack = Pack::vietnam();
    /// # let (catalogue, _) = Catalogue::default().adopt(&pack.declaration())?;
    /// # let policy = pack.bind(&catalogue)?;
    /// let month = policy.for_month("2026-06".parse()?, "2026-06-30".parse()?)?;
    /// let bands = Bands::new(&month);
    /// let band = |birth: &str| Ok::<_, ansinh::types::DateError>(bands.of(birth.parse()?));
    /// assert_eq!(band("1990-01-05")?, band("1985-11-30")?);
    /// assert_ne!(band("2010-06-30")?, band("2010-07-01")?, "sixteen in the month, or in the next");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn new(policy: &MonthPolicy) -> Self {
        Self::with(policy.month(), policy.age_use(), policy.unknown_birth_month())
    }

    /// The bands of a month for a use of age.
    pub fn with(month: Month, age: &AgeUse, unknown_month: UnknownBirthMonth) -> Self {
        // Nobody is older than the calendar is at the end of the month.
        let oldest = i32::from(month.index());
        let ages: Vec<i32> = match age {
            AgeUse::Thresholds(thresholds) => thresholds.iter().map(|&months| i32::from(months)).collect(),
            AgeUse::Exact => (1..=oldest).collect(),
        };
        // A threshold is crossed a month later by the state at the end of the month before; and by the least
        // possible age of a person with an unknown birth month, eleven months later.
        let cuts = |delays: &[i32]| {
            let mut cuts = vec![0, 1];
            for &delay in delays {
                cuts.extend(ages.iter().map(|age| age + delay));
            }
            cuts.retain(|&age| age <= oldest);
            cuts.sort_unstable();
            cuts.dedup();
            cuts
        };
        let known = cuts(&[0, 1]);
        let year_only = match unknown_month {
            UnknownBirthMonth::January => Vec::new(),
            UnknownBirthMonth::Undetermined => cuts(&[0, 1, MONTHS - 1, MONTHS]),
        };
        let mut bands = Self {
            month,
            unknown_month,
            known,
            year_only,
            by_birth_month: Vec::new(),
            by_birth_year: Vec::new(),
        };
        bands.by_birth_month = bands.table(true);
        bands.by_birth_year = bands.table(false);
        bands
    }

    fn table(&self, month_known: bool) -> Vec<u16> {
        (0..=Month::MAX.index())
            .map(|birth| {
                let age = i32::from(self.month.index()) - i32::from(birth);
                if age < 0 {
                    return Self::UNBORN;
                }
                if month_known || self.year_only.is_empty() {
                    return self.known.partition_point(|&first| first <= age) as u16;
                }
                (self.known.len() + self.year_only.partition_point(|&first| first <= age)) as u16
            })
            .collect()
    }

    /// How many bands there are.
    pub fn count(&self) -> usize {
        1 + self.known.len() + self.year_only.len()
    }

    /// The band of each birth month, by its index. Where only the year of birth is known, the index is that of
    /// its January.
    pub fn by_birth_month(&self, month_known: bool) -> &[u16] {
        if month_known {
            &self.by_birth_month
        } else {
            &self.by_birth_year
        }
    }

    /// The band of a birth date.
    pub fn of(&self, birth: BirthDate) -> u16 {
        let (month, month_known, _) = birth.parts();
        self.by_birth_month(month_known)[usize::from(month.index())]
    }

    /// The people of a band, by the youngest of them; `None` if there is no such band.
    pub fn band(&self, band: u16) -> Option<Band> {
        let place = usize::from(band);
        if place == 0 {
            return Some(Band {
                now: None,
                before: None,
            });
        }
        if place <= self.known.len() {
            let age = self.known[place - 1];
            return Some(Band {
                now: Some(Age::months(age)),
                before: (age > 0).then(|| Age::months(age - 1)),
            });
        }
        let max = *self.year_only.get(place - 1 - self.known.len())?;
        let age = |max: i32| Age {
            min: (max - (MONTHS - 1)).max(0),
            max,
        };
        Some(Band {
            now: Some(age(max)),
            before: (max > 0).then(|| age(max - 1)),
        })
    }

    /// The month.
    pub const fn month(&self) -> Month {
        self.month
    }

    /// What holds where only the year of a birth is known.
    pub const fn unknown_month(&self) -> UnknownBirthMonth {
        self.unknown_month
    }
}
