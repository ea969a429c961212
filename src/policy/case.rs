//! A case: what the evaluator is told of one person at the end of one month.

use crate::kernel::profile::Profile;
use crate::types::{AttributeNumber, BirthDate, Month, PersonNumber, ProvinceCode, Value};

/// Age in whole months at the end of a month. A birthday counts from its month, whatever its day.
///
/// The two ends differ where the birth month is not known and the pack leaves that undetermined.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Age {
    /// The least possible age, in months.
    pub min: i32,
    /// The greatest possible age, in months.
    pub max: i32,
}

impl Age {
    /// An age that is known.
    pub const fn months(months: i32) -> Self {
        Self {
            min: months,
            max: months,
        }
    }

    /// The age at the end of a month, of a person who is born by then.
    ///
    /// ```
    /// use ansinh::policy::{Age, UnknownBirthMonth};
    /// let at = "2026-06".parse()?;
    /// let sixteen = Age::at_end_of(at, "2010-06-30".parse()?, UnknownBirthMonth::January);
    /// assert_eq!(sixteen, Age::months(16 * 12));
    /// let year_only = Age::at_end_of(at, "2010".parse()?, UnknownBirthMonth::Undetermined);
    /// assert_eq!((year_only.min, year_only.max), (15 * 12 + 6, 16 * 12 + 5));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn at_end_of(month: Month, birth: BirthDate, unknown: UnknownBirthMonth) -> Self {
        let max = month.months_since(birth.earliest_month());
        if birth.month().is_some() || unknown == UnknownBirthMonth::January {
            return Self::months(max);
        }
        let min = month.months_since(birth.latest_month()).max(0).min(max);
        Self { min, max }
    }

    /// The age one month earlier.
    #[must_use]
    pub fn month_before(self) -> Self {
        Self {
            min: if self.min == self.max {
                self.min - 1
            } else {
                (self.min - 1).max(0)
            },
            max: self.max - 1,
        }
    }
}

/// What holds of a person of whose birth date only the year is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum UnknownBirthMonth {
    /// The birthday is taken to be in January.
    January,
    /// The age is a range, and a condition on it may be undetermined.
    Undetermined,
}

/// People beside the person whose case it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Group {
    /// Everyone of the household, the person included.
    Household,
    /// Everyone whose reference of this attribute is the person.
    Dependants(AttributeNumber),
    /// The one to whom this attribute of the person refers.
    Reference(AttributeNumber),
}

/// What a person has of their own: values that are not in the profiles, and people around them. It is asked for only
/// where an expression needs it.
pub trait Own {
    /// The number of the person; `None` if it does not matter.
    fn person(&self) -> Option<PersonNumber> {
        None
    }

    /// The recorded value of an attribute, of the person, the household or the commune, that is not in a profile;
    /// `None` without a record.
    fn value(&self, attribute: AttributeNumber) -> Option<Value>;

    /// Shows the case of everyone of a group who is alive and present at the end of the month. `false` if it is
    /// recorded as unknown who they are.
    fn visit(&self, group: Group, visit: &mut dyn FnMut(&Case<'_>)) -> bool;
}

/// Nothing recorded, and nobody around.
#[derive(Debug, Clone, Copy, Default)]
pub struct Nothing;

impl Own for Nothing {
    fn value(&self, _: AttributeNumber) -> Option<Value> {
        None
    }

    fn visit(&self, _: Group, _: &mut dyn FnMut(&Case<'_>)) -> bool {
        true
    }
}

/// The state at the end of a month of a person who is then present, or was when death came in the month.
#[derive(Clone, Copy)]
pub struct Case<'a> {
    /// Whether the person died in the month: the state is then what would have been at its end.
    pub dies: bool,
    /// The age at the end of the month.
    pub age: Age,
    /// The person's recorded values that stand in profiles, sex among them.
    pub person: &'a Profile,
    /// The household's. Without household its attributes have their absent values.
    pub household: Option<&'a Profile>,
    /// The commune's.
    pub commune: &'a Profile,
    /// The province of residence.
    pub province: ProvinceCode,
    /// The province to which the commune belonged before 2025-07-01.
    pub former_province: ProvinceCode,
    /// What the person has of their own; `None` for all people of a cell, which have it each for themselves.
    pub own: Option<&'a dyn Own>,
}
