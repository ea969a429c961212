//! Values that facts take.

use std::fmt;
use std::str::FromStr;

use bincode::{Decode, Encode};
use thiserror::Error;

use super::{BirthDate, Date, Dong, PersonNumber};

/// Sex as registered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
pub enum Sex {
    /// Nam.
    Male,
    /// Nữ.
    Female,
}

/// Why something is not a sex.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("sex {0:?} is not one of male, female")]
pub struct SexError(String);

impl fmt::Display for Sex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Male => "male",
            Self::Female => "female",
        })
    }
}

impl FromStr for Sex {
    type Err = SexError;

    fn from_str(text: &str) -> Result<Self, SexError> {
        match text.to_ascii_lowercase().as_str() {
            "male" | "m" | "nam" => Ok(Self::Male),
            "female" | "f" | "nữ" => Ok(Self::Female),
            _ => Err(SexError(super::person_id::shorten(text))),
        }
    }
}

/// The value of a fact. `Unknown` is a value: a condition on it is undetermined.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
pub enum Value {
    /// Recorded as not known.
    Unknown,
    /// Yes or no.
    Bool(bool),
    /// The permanent number of a named value of the attribute.
    Enum(u16),
    /// A whole number.
    Integer(i64),
    /// A whole date.
    Date(Date),
    /// A birth date, of which a part may be unknown.
    Birth(BirthDate),
    /// An amount of money.
    Money(Dong),
    /// A reference to a person.
    Person(PersonNumber),
}
