//! Codes of administrative units.

use std::fmt;
use std::str::FromStr;

use bincode::{Decode, Encode};
use thiserror::Error;

/// A five-digit code of a commune (xã, phường, đặc khu). A bare code is ambiguous without a date: the same code
/// means another area before and after 2025-07-01 (Decision 19/2025/QĐ-TTg).
///
/// ```
/// use ansinh::types::CommuneCode;
/// assert_eq!("00004".parse::<CommuneCode>()?.to_string(), "00004");
/// # Ok::<(), ansinh::types::CommuneCodeError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
pub struct CommuneCode(u32);

/// A two-digit code of a province, of the 63 before or the 34 since 2025-07-01.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
pub struct ProvinceCode(u8);

/// Why something is no code of a unit.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum CommuneCodeError {
    /// The text has another form.
    #[error("code {found:?} is not written with {digits} digits, for example {example}")]
    Malformed {
        /// The text found, shortened.
        found: String,
        /// How many digits the code has.
        digits: usize,
        /// A code of that form.
        example: &'static str,
    },
}

fn digits(text: &str, len: usize, example: &'static str) -> Result<u32, CommuneCodeError> {
    let good = text.len() == len && text.bytes().all(|b| b.is_ascii_digit());
    good.then(|| text.parse().ok())
        .flatten()
        .ok_or_else(|| CommuneCodeError::Malformed {
            found: super::person_id::shorten(text),
            digits: len,
            example,
        })
}

impl CommuneCode {
    /// The number that the five digits make.
    pub const fn number(self) -> u32 {
        self.0
    }
}

impl ProvinceCode {
    /// No province: what stands where none is asked for.
    pub(crate) const NONE: Self = Self(0);

    /// The number that the two digits make.
    pub const fn number(self) -> u8 {
        self.0
    }
}

impl fmt::Display for CommuneCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:05}", self.0)
    }
}

impl fmt::Display for ProvinceCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}", self.0)
    }
}

impl FromStr for CommuneCode {
    type Err = CommuneCodeError;

    fn from_str(text: &str) -> Result<Self, CommuneCodeError> {
        digits(text, 5, "00004").map(Self)
    }
}

impl FromStr for ProvinceCode {
    type Err = CommuneCodeError;

    fn from_str(text: &str) -> Result<Self, CommuneCodeError> {
        digits(text, 2, "01").map(|code| Self(code as u8))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_have_their_digits() {
        assert_eq!("26732".parse::<CommuneCode>().unwrap().number(), 26732);
        assert_eq!("01".parse::<ProvinceCode>().unwrap().to_string(), "01");
        for text in ["", "4", "0004", "000004", "0000a", "+0004", "０0004"] {
            assert!(text.parse::<CommuneCode>().is_err(), "{text}");
        }
        assert!("1".parse::<ProvinceCode>().is_err());
    }
}
