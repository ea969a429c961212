//! Identifiers of persons: the personal ID (số định danh cá nhân) and the registry's own provisional ID.

use std::fmt;
use std::str::FromStr;

use bincode::{Decode, Encode};
use thiserror::Error;

use super::{BirthDate, Sex};

/// At most the first 40 characters of a text, for messages.
pub(crate) fn shorten(text: &str) -> String {
    const SHOWN_MAX: usize = 40;
    let mut shown: String = text.chars().take(SHOWN_MAX).collect();
    if shown.len() < text.len() {
        shown.push('…');
    }
    shown
}

/// A personal ID: 12 digits `PPP C YY RRRRRR`: province (or country) of birth registration, century and sex,
/// year of birth, random. It has no check digit, so a mistyped random digit cannot be detected.
///
/// Source: Decree 137/2015/NĐ-CP Art. 13; province codes after Circular 07/2016/TT-BCA.
///
/// ```
/// use ansinh::types::{PersonalId, Sex};
/// let id: PersonalId = "001150000017".parse()?;
/// assert_eq!(id.parts().sex, Sex::Female);
/// assert_eq!(id.parts().birth_year, 1950);
/// assert_eq!(id.masked(), "001******017");
/// # Ok::<(), ansinh::types::PersonalIdError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
pub struct PersonalId(u64);

/// The parts of a personal ID that can be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IdParts {
    /// The three-digit code of the province (or country) of birth registration.
    pub province: u16,
    /// Whether the code is one of the 63 provinces.
    pub province_known: bool,
    /// The sex that the century digit states.
    pub sex: Sex,
    /// The year of birth that the century digit and the two digits after it state.
    pub birth_year: i32,
}

/// A part of a personal ID that disagrees with what is stated of the person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IdDisagreement {
    /// The code is not one of the 63 provinces: born abroad, or mistyped.
    Province {
        /// The code in the ID.
        found: u16,
    },
    /// The sex differs.
    Sex {
        /// The sex in the ID.
        found: Sex,
        /// The sex stated.
        expected: Sex,
    },
    /// The year of birth differs.
    BirthYear {
        /// The year in the ID.
        found: i32,
        /// The year stated.
        expected: i32,
    },
}

/// Why something is no personal ID.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum PersonalIdError {
    /// Not 12 digits.
    #[error(
        "personal ID {found:?} is not 12 digits (found {length} characters); expected for example 001150000017"
    )]
    Malformed {
        /// The text found, shortened.
        found: String,
        /// Its length in characters.
        length: usize,
    },
}

/// The 63 province codes of birth registration.
const PROVINCES: [u8; 63] = [
    1, 2, 4, 6, 8, 10, 11, 12, 14, 15, 17, 19, 20, 22, 24, 25, 26, 27, 30, 31, 33, 34, 35, 36, 37, 38, 40,
    42, 44, 45, 46, 48, 49, 51, 52, 54, 56, 58, 60, 62, 64, 66, 67, 68, 70, 72, 74, 75, 77, 79, 80, 82, 83,
    84, 86, 87, 89, 91, 92, 93, 94, 95, 96,
];

impl PersonalId {
    /// One more than the greatest ID, as a number.
    pub const LIMIT: u64 = 1_000_000_000_000;

    /// The ID that these 12 digits make; `None` if there are more digits.
    pub const fn from_number(number: u64) -> Option<Self> {
        if number < Self::LIMIT {
            Some(Self(number))
        } else {
            None
        }
    }

    /// The number that the 12 digits make.
    pub const fn number(self) -> u64 {
        self.0
    }

    /// What the digits state.
    pub fn parts(self) -> IdParts {
        let province = (self.0 / 1_000_000_000) as u16;
        let century = (self.0 / 100_000_000 % 10) as i32;
        let year = (self.0 / 1_000_000 % 100) as i32;
        IdParts {
            province,
            province_known: u8::try_from(province).is_ok_and(|code| PROVINCES.binary_search(&code).is_ok()),
            sex: if century % 2 == 0 { Sex::Male } else { Sex::Female },
            birth_year: 1900 + century / 2 * 100 + year,
        }
    }

    /// Compares the digits with what is stated of the person and tells each part that disagrees. An ID that
    /// disagrees is still accepted by the registry, and marked.
    pub fn disagreements(self, sex: Sex, birth: BirthDate) -> impl Iterator<Item = IdDisagreement> {
        let parts = self.parts();
        let province = (!parts.province_known).then_some(IdDisagreement::Province {
            found: parts.province,
        });
        let sex = (parts.sex != sex).then_some(IdDisagreement::Sex {
            found: parts.sex,
            expected: sex,
        });
        let year = (parts.birth_year != birth.year()).then_some(IdDisagreement::BirthYear {
            found: parts.birth_year,
            expected: birth.year(),
        });
        [province, sex, year].into_iter().flatten()
    }

    /// The ID with its middle hidden, for output that people read.
    pub fn masked(self) -> String {
        let text = self.to_string();
        format!("{}******{}", &text[..3], &text[9..])
    }
}

impl fmt::Display for PersonalId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:012}", self.0 % Self::LIMIT)
    }
}

impl FromStr for PersonalId {
    type Err = PersonalIdError;

    fn from_str(text: &str) -> Result<Self, PersonalIdError> {
        let good = text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit());
        good.then(|| text.parse().ok())
            .flatten()
            .map(Self)
            .ok_or_else(|| PersonalIdError::Malformed {
                found: shorten(text),
                length: text.chars().count(),
            })
    }
}

impl fmt::Display for IdDisagreement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Province { found } => write!(f, "province code {found:03} is not one of the 63"),
            Self::Sex { found, expected } => write!(f, "the ID says {found}, the record {expected}"),
            Self::BirthYear { found, expected } => {
                write!(f, "the ID says born in {found}, the record {expected}")
            }
        }
    }
}

/// An ID that the registry gives to a person who has no personal ID yet: `TM` and ten digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
pub struct ProvisionalId(u64);

/// Why something is no provisional ID.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ProvisionalIdError {
    /// Another form.
    #[error("provisional ID {0:?} is not written as TM and ten digits, for example TM0000000017")]
    Malformed(String),
}

impl ProvisionalId {
    /// One more than the greatest number: ten digits. With the personal IDs they fit 40 bits.
    pub const LIMIT: u64 = 10_000_000_000;

    /// The ID with this number; `None` beyond the limit.
    pub const fn from_number(number: u64) -> Option<Self> {
        if number < Self::LIMIT {
            Some(Self(number))
        } else {
            None
        }
    }

    /// The number after `TM`.
    pub const fn number(self) -> u64 {
        self.0
    }
}

impl fmt::Display for ProvisionalId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TM{:010}", self.0)
    }
}

impl FromStr for ProvisionalId {
    type Err = ProvisionalIdError;

    fn from_str(text: &str) -> Result<Self, ProvisionalIdError> {
        text.strip_prefix("TM")
            .or_else(|| text.strip_prefix("tm"))
            .filter(|digits| digits.len() == 10 && digits.bytes().all(|b| b.is_ascii_digit()))
            .and_then(|digits| digits.parse().ok())
            .and_then(Self::from_number)
            .ok_or_else(|| ProvisionalIdError::Malformed(shorten(text)))
    }
}

const _: () = assert!(PersonalId::LIMIT + ProvisionalId::LIMIT <= 1 << 40);

/// An outside identifier of a person: personal or provisional.
///
/// ```
/// use ansinh::types::Identifier;
/// assert!(matches!("001150000017".parse()?, Identifier::Personal(_)));
/// assert!(matches!("TM0000000017".parse()?, Identifier::Provisional(_)));
/// # Ok::<(), ansinh::types::IdentifierError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
pub enum Identifier {
    /// The national personal ID.
    Personal(PersonalId),
    /// The registry's own.
    Provisional(ProvisionalId),
}

/// Why something is no identifier of a person.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum IdentifierError {
    /// It looks like a provisional ID and is none.
    #[error(transparent)]
    Provisional(#[from] ProvisionalIdError),
    /// It is no personal ID.
    #[error(transparent)]
    Personal(#[from] PersonalIdError),
}

impl Identifier {
    /// The key of 40 bits under which indexes hold it: personal IDs first, provisional ones after them.
    pub const fn key(self) -> u64 {
        match self {
            Self::Personal(id) => id.number(),
            Self::Provisional(id) => PersonalId::LIMIT + id.number(),
        }
    }

    /// The identifier with this key; `None` if no identifier has it.
    pub const fn from_key(key: u64) -> Option<Self> {
        if key < PersonalId::LIMIT {
            return Some(Self::Personal(PersonalId(key)));
        }
        match ProvisionalId::from_number(key - PersonalId::LIMIT) {
            Some(id) => Some(Self::Provisional(id)),
            None => None,
        }
    }

    /// The identifier as people should see it: a personal ID masked, a provisional one whole.
    pub fn masked(self) -> String {
        match self {
            Self::Personal(id) => id.masked(),
            Self::Provisional(id) => id.to_string(),
        }
    }
}

impl fmt::Display for Identifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Personal(id) => id.fmt(f),
            Self::Provisional(id) => id.fmt(f),
        }
    }
}

impl FromStr for Identifier {
    type Err = IdentifierError;

    fn from_str(text: &str) -> Result<Self, IdentifierError> {
        if text.starts_with("TM") || text.starts_with("tm") {
            Ok(Self::Provisional(text.parse()?))
        } else {
            Ok(Self::Personal(text.parse()?))
        }
    }
}

impl From<PersonalId> for Identifier {
    fn from(id: PersonalId) -> Self {
        Self::Personal(id)
    }
}

impl From<ProvisionalId> for Identifier {
    fn from(id: ProvisionalId) -> Self {
        Self::Provisional(id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(text: &str) -> PersonalId {
        text.parse().unwrap()
    }

    #[test]
    fn shape_is_twelve_ascii_digits() {
        for text in [
            "",
            "12345678901",
            "1234567890123",
            "00115000001a",
            "００1150000017",
            "+01150000017",
        ] {
            assert!(text.parse::<PersonalId>().is_err(), "{text}");
        }
        assert_eq!(id("001150000017").to_string(), "001150000017");
        assert_eq!(PersonalId::from_number(PersonalId::LIMIT), None);
    }

    #[test]
    fn century_digit_gives_sex_and_century() {
        for (digit, sex, year) in [
            (0, Sex::Male, 1999),
            (1, Sex::Female, 1999),
            (2, Sex::Male, 2099),
            (3, Sex::Female, 2099),
            (9, Sex::Female, 2399),
        ] {
            let parts = id(&format!("001{digit}99000000")).parts();
            assert_eq!((parts.sex, parts.birth_year), (sex, year));
        }
    }

    #[test]
    fn each_disagreement_is_told() {
        let birth: BirthDate = "1950".parse().unwrap();
        let found = |text: &str, sex| id(text).disagreements(sex, birth).collect::<Vec<_>>();
        assert!(found("001150000017", Sex::Female).is_empty());
        assert_eq!(
            found("003150000017", Sex::Female),
            [IdDisagreement::Province { found: 3 }]
        );
        assert_eq!(found("001151000017", Sex::Male).len(), 2);
        assert_eq!(PROVINCES.len(), 63);
        assert!(PROVINCES.is_sorted());
    }

    #[test]
    fn identifiers_share_forty_bits() {
        for text in ["000000000000", "999999999999", "TM0000000000", "TM9999999999"] {
            let identifier: Identifier = text.parse().unwrap();
            assert!(identifier.key() < 1 << 40);
            assert_eq!(Identifier::from_key(identifier.key()), Some(identifier));
            assert_eq!(identifier.to_string(), text);
        }
        assert!("TM12".parse::<Identifier>().is_err());
        assert!("XX".parse::<Identifier>().is_err());
        assert_eq!(Identifier::from_key((1 << 40) - 1), None);
    }
}
