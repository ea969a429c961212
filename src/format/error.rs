//! The one error of all byte layouts.

use std::fmt;

use thiserror::Error;

/// Why bytes are not what a layout says. The layer that read them adds the table and the key.
///
/// ```
/// use ansinh::format::bytes::Reader;
/// let error = Reader::new(&[7]).u16("row count").unwrap_err();
/// assert_eq!((error.what, error.at, error.found), ("row count", 0, 1));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error(
    "{what} at byte {at}: found {found}, expected {expected}; the bytes are damaged or of another version of the \
     format: verify the file, and restore it from a copy if that fails"
)]
#[non_exhaustive]
pub struct FormatError {
    /// The field that is wrong.
    pub what: &'static str,
    /// The offset of the field within the decoded bytes.
    pub at: usize,
    /// The value found there, or the number of bytes left where too few are left.
    pub found: u64,
    /// What would have been right.
    pub expected: Expected,
}

/// What a decoder would have accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Expected {
    /// This value and no other.
    Exactly(u64),
    /// This value or a smaller one.
    AtMost(u64),
    /// This value or a greater one.
    AtLeast(u64),
    /// So many more bytes.
    Bytes(u64),
    /// What the words say.
    Words(&'static str),
}

impl fmt::Display for Expected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exactly(value) => write!(f, "{value}"),
            Self::AtMost(value) => write!(f, "at most {value}"),
            Self::AtLeast(value) => write!(f, "at least {value}"),
            Self::Bytes(value) => write!(f, "{value} more bytes"),
            Self::Words(words) => f.write_str(words),
        }
    }
}

impl FormatError {
    /// An error about a field.
    pub const fn new(what: &'static str, at: usize, found: u64, expected: Expected) -> Self {
        Self {
            what,
            at,
            found,
            expected,
        }
    }

    /// The same error for bytes that lie `base` bytes further into a larger structure.
    #[must_use]
    pub const fn within(mut self, base: usize) -> Self {
        self.at += base;
        self
    }
}
