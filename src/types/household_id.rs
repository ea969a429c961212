//! The outside identifier of a household.

use std::fmt;
use std::str::FromStr;

use bincode::{Decode, Encode};
use thiserror::Error;

/// A household's outside identifier: 1 to 12 characters of `0`–`9`, `A`–`Z` and `-`. Lower-case letters are read
/// as upper-case. It fits a 64-bit number whose order is the order of the text.
///
/// ```
/// use ansinh::types::HouseholdId;
/// let id: HouseholdId = "h01-000123".parse()?;
/// assert_eq!(id.to_string(), "H01-000123");
/// # Ok::<(), ansinh::types::HouseholdIdError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
pub struct HouseholdId(u64);

/// Why something is no household ID.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum HouseholdIdError {
    /// Empty or too long.
    #[error(
        "household ID {found:?} has {length} characters; expected 1 to {}",
        HouseholdId::LENGTH_MAX
    )]
    Length {
        /// The text found, shortened.
        found: String,
        /// Its length in characters.
        length: usize,
    },
    /// A character that does not occur in household IDs.
    #[error(
        "household ID {found:?} has {character:?} at position {position}; expected only 0-9, A-Z and '-'"
    )]
    Character {
        /// The text found, shortened.
        found: String,
        /// The character that does not fit.
        character: char,
        /// Its position, from 1.
        position: usize,
    },
}

/// The characters by rank; rank 0 ends the text.
const ALPHABET: &[u8; 37] = b"-0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
const BASE: u64 = 38;

impl HouseholdId {
    /// The greatest number of characters.
    pub const LENGTH_MAX: usize = 12;
    /// No household, in layouts. No text gives it.
    pub(crate) const NONE: Self = Self(0);

    /// The number that stands for the text in indexes: twelve digits to base 38.
    pub const fn packed(self) -> u64 {
        self.0
    }

    /// The ID with this number; `None` if no ID has it.
    pub const fn from_packed(packed: u64) -> Option<Self> {
        // Read from the last place: once a character has come, no place before it may be empty.
        let (mut rest, mut places, mut begun) = (packed, 0, false);
        while places < Self::LENGTH_MAX {
            let rank = rest % BASE;
            if rank == 0 && begun {
                return None;
            }
            begun = begun || rank != 0;
            rest /= BASE;
            places += 1;
        }
        if begun && rest == 0 {
            Some(Self(packed))
        } else {
            None
        }
    }
}

impl fmt::Display for HouseholdId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rest = self.0;
        let mut text = [0_u8; Self::LENGTH_MAX];
        for place in text.iter_mut().rev() {
            *place = (rest % BASE) as u8;
            rest /= BASE;
        }
        for rank in text.into_iter().take_while(|&rank| rank != 0) {
            write!(f, "{}", ALPHABET[usize::from(rank) - 1] as char)?;
        }
        Ok(())
    }
}

impl FromStr for HouseholdId {
    type Err = HouseholdIdError;

    fn from_str(text: &str) -> Result<Self, HouseholdIdError> {
        let found = || super::person_id::shorten(text);
        let length = text.chars().count();
        if length == 0 || length > Self::LENGTH_MAX {
            return Err(HouseholdIdError::Length {
                found: found(),
                length,
            });
        }
        let mut packed = 0;
        for (position, character) in text.chars().enumerate() {
            let rank = u8::try_from(character)
                .ok()
                .and_then(|byte| {
                    ALPHABET
                        .iter()
                        .position(|&known| known == byte.to_ascii_uppercase())
                })
                .ok_or_else(|| HouseholdIdError::Character {
                    found: found(),
                    character,
                    position: position + 1,
                })?;
            packed = packed * BASE + rank as u64 + 1;
        }
        Ok(Self(packed * BASE.pow((Self::LENGTH_MAX - length) as u32)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_of_numbers_is_order_of_texts() {
        let texts = [
            "-",
            "0",
            "00",
            "9",
            "A",
            "A-1",
            "A1",
            "H01-000123",
            "ZZZZZZZZZZZZ",
        ];
        let ids: Vec<HouseholdId> = texts.iter().map(|text| text.parse().unwrap()).collect();
        assert!(ids.is_sorted());
        for (id, text) in ids.iter().zip(texts) {
            assert_eq!(id.to_string(), text);
            assert_eq!(HouseholdId::from_packed(id.packed()), Some(*id));
        }
        assert_eq!(HouseholdId::from_packed(0), None);
        assert_eq!(HouseholdId::from_packed(1), None);
        assert_eq!(HouseholdId::from_packed(u64::MAX), None);
    }

    #[test]
    fn bad_ids_say_where() {
        assert!(matches!(
            "".parse::<HouseholdId>(),
            Err(HouseholdIdError::Length { length: 0, .. })
        ));
        assert!(matches!(
            "1234567890123".parse::<HouseholdId>(),
            Err(HouseholdIdError::Length { .. })
        ));
        let Err(HouseholdIdError::Character {
            position, character, ..
        }) = "AB_1".parse::<HouseholdId>()
        else {
            panic!("expected a character error")
        };
        assert_eq!((position, character), (3, '_'));
        assert!("hộ1".parse::<HouseholdId>().is_err());
    }
}
