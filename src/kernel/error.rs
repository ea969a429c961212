//! What can go wrong in the kernel, one enum for each family of operations.

use std::path::PathBuf;

use thiserror::Error;

use super::backend::{BackendOpenError, DamagedPage};
use super::medium::MediumError;
use super::operation::Refusal;
use crate::format::FormatError;
use crate::types::Sequence;

/// Why a read failed. The registry is unchanged.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ReadError {
    /// A page of the file is not what was written.
    #[error(
        "{0}; nothing was answered from it: restore the file from a copy, or read elsewhere what is not damaged"
    )]
    Damaged(DamagedPage),
    /// The storage failed.
    #[error("cannot read the registry: {0}; close it and open it again")]
    Storage(Box<redb::Error>),
    /// An entry does not have the form of its table.
    #[error("table {table:?}, entry {key}: {source}")]
    Format {
        /// The table.
        table: &'static str,
        /// The key, as text.
        key: String,
        /// What is wrong.
        source: FormatError,
    },
    /// Two tables disagree.
    #[error("the registry contradicts itself: {0}; restore it from a copy and report this")]
    Inconsistent(String),
    /// People differ in more ways than one calculation tells apart.
    #[error(
        "the people differ in more than {most} ways, not counting age, which is the most that one calculation tells apart; calculate province by province"
    )]
    TooManyKinds {
        /// How many are told apart.
        most: usize,
    },
}

impl ReadError {
    /// Whether it only says that something else failed before.
    pub(crate) fn is_of_before(&self) -> bool {
        matches!(self, Self::Storage(source) if matches!(**source, redb::Error::PreviousIo))
    }
}

/// What to do first about an error of the storage: make room, if the disk is full.
fn room(source: &redb::Error) -> &'static str {
    match source {
        redb::Error::Io(error)
            if matches!(
                error.kind(),
                std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded
            ) =>
        {
            ": the disk is full, make room on it first"
        }
        _ => "",
    }
}

/// Why a change or a commit failed.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum WriteError {
    /// The operation was refused. The transaction is as it was before it.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// Something had to be read and could not be. The transaction can only be dropped.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The storage failed before the commit; nothing was written.
    #[error("cannot write the registry: {}{}; nothing was changed", .0, room(.0))]
    Storage(Box<redb::Error>),
    /// The commit itself failed. It may nevertheless have become durable.
    #[error(
        "the commit of {sequence} failed ({source}){}; it may or may not have become durable: open the registry again, look whether {sequence} is in its log, and repeat the operations if not (repeating them is safe)",
        room(source)
    )]
    CommitUnknown {
        /// The sequence that the transaction would have.
        sequence: Sequence,
        /// What the storage said.
        source: Box<redb::Error>,
    },
    /// A unit has as many segments as it can have.
    #[error("unit {unit} has {max} segments of people, as many as one unit can have; split the unit")]
    UnitFull {
        /// The unit's number.
        unit: u16,
        /// The limit.
        max: usize,
    },
    /// An earlier operation of this transaction failed half-way.
    #[error("an earlier operation of this transaction failed; drop the transaction and begin another")]
    Poisoned,
    /// A bulk load of this transaction is finished.
    #[error("after a bulk load the transaction can only be committed; make further changes in another")]
    Sealed,
    /// In a group there are operations only.
    #[error(
        "packs, bulk loads and runs are not written in a group with other changes; write this one in a transaction of its own"
    )]
    NotInGroup,
    /// Between two records of a group nothing can be changed.
    #[error("the group has no open record; begin one, make the change, and end it")]
    NoRecord,
    /// The registry was opened for reading.
    #[error("the registry was opened for reading only; open it for writing to change it")]
    ReadOnly,
    /// A thread of a bulk load panicked.
    #[error("a thread of the load stopped: {message}; nothing was changed: report this, with the message")]
    Panicked {
        /// What it said.
        message: String,
    },
}

impl WriteError {
    /// The error that a panic of a thread is, with what it said.
    pub(crate) fn panicked(panic: &(dyn std::any::Any + Send)) -> Self {
        let message = panic
            .downcast_ref::<&str>()
            .map(|text| (*text).to_owned())
            .or_else(|| panic.downcast_ref::<String>().cloned());
        Self::Panicked {
            message: message.unwrap_or_else(|| "it panicked".to_owned()),
        }
    }
}

/// Why a registry cannot be created, opened or closed.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum StoreError {
    /// There is a file already.
    #[error("{} exists already; choose another name, or open it", .0.display())]
    Exists(PathBuf),
    /// The file could not be made, opened or locked.
    #[error(transparent)]
    Medium(#[from] MediumError),
    /// The file is no registry, or not one that this version opens.
    #[error("{}: {source}", path.display())]
    Backend {
        /// The file.
        path: PathBuf,
        /// Why it was refused.
        source: BackendOpenError,
    },
    /// The storage inside the file was refused.
    #[error("{}: cannot open the storage in it: {source}; restore the file from a copy", path.display())]
    Storage {
        /// The file.
        path: PathBuf,
        /// What the storage said.
        source: Box<redb::Error>,
    },
    /// The file was opened, and its first entries could not be read.
    #[error("{}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: ReadError,
    },
    /// Another thread still uses the registry, so it cannot be closed.
    #[error("the registry is still in use by a view or a transaction; drop those first")]
    InUse,
}

/// Turns an error of redb into one of ours: damage is told apart.
pub(crate) fn storage(error: impl Into<redb::Error>) -> Result<DamagedPage, Box<redb::Error>> {
    let error = error.into();
    match &error {
        redb::Error::Io(io) => match DamagedPage::in_io_error(io) {
            Some(damage) => Ok(damage.clone()),
            None => Err(Box::new(error)),
        },
        _ => Err(Box::new(error)),
    }
}

macro_rules! from_redb {
    ($($error:ty),*) => {$(
        impl From<$error> for ReadError {
            fn from(error: $error) -> Self {
                match storage(error) {
                    Ok(damage) => Self::Damaged(damage),
                    Err(error) => Self::Storage(error),
                }
            }
        }

        impl From<$error> for WriteError {
            fn from(error: $error) -> Self {
                match storage(error) {
                    Ok(damage) => Self::Read(ReadError::Damaged(damage)),
                    Err(error) => Self::Storage(error),
                }
            }
        }
    )*};
}

from_redb!(
    redb::StorageError,
    redb::TableError,
    redb::TransactionError,
    redb::CursorError
);

/// An entry that does not have its table's form.
pub(crate) fn malformed(
    table: &'static str,
    key: impl std::fmt::Display,
) -> impl FnOnce(FormatError) -> ReadError {
    move |source| ReadError::Format {
        table,
        key: key.to_string(),
        source,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_after_a_failure_does_not_say_why() {
        let storage = |error| ReadError::Storage(Box::new(error));
        assert!(storage(redb::Error::PreviousIo).is_of_before());
        assert!(!storage(redb::Error::Io(std::io::Error::other("gone"))).is_of_before());
        assert!(!ReadError::Inconsistent(String::new()).is_of_before());
    }
}
