//! Reading the log: who changed what, when and why, and whether the chain of it holds.

use std::ops::{Bound, RangeBounds};

use bincode::{Decode, Encode};
use redb::ReadableTableMetadata;
use thiserror::Error;

use super::error::{ReadError, malformed};
use super::operation::Operation;
use super::tables;
use super::transaction::LogKind;
use super::view::View;
use crate::format::log::{self, ChainEnd, Digest, LogError, LogRecord};
use crate::format::record;
use crate::types::{Instant, Sequence};

/// One transaction, as the log tells of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogEntry {
    /// The transaction's number.
    pub sequence: Sequence,
    /// When, as the caller said.
    pub instant: Instant,
    /// What kind of change; `None` for a kind that only a later version knows.
    pub kind: Option<LogKind>,
    /// Who.
    pub author: String,
    /// Why.
    pub reason: String,
    /// How many operations it has, erased ones included.
    pub operations: u32,
    /// The hash of the record, which the next record holds.
    pub hash: Digest,
}

/// What a transaction did, as the payloads of its log record keep it; one payload each.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[non_exhaustive]
pub enum LoggedOperation {
    /// A change.
    Stored(Box<Operation>),
    /// The adoption of a pack.
    Pack {
        /// The pack's name.
        name: String,
        /// Its hash; [`View::pack_text`] has its text.
        hash: [u8; 32],
    },
    /// A bulk load.
    Bulk {
        /// How many people it entered.
        people: u64,
        /// How many households.
        households: u64,
        /// The digest of what it loaded.
        digest: Digest,
    },
    /// A run was written, or its status changed.
    Run {
        /// The run's number.
        number: u32,
        /// What it is now, in words.
        about: String,
        /// The digest of what was written.
        digest: Digest,
    },
    /// It held personal data and was erased; the chain still holds its digest. Never written.
    Erased,
    /// What only a later version knows. Never written.
    Other(Vec<u8>),
}

impl LoggedOperation {
    /// The version of payloads.
    pub(crate) const VERSION: u8 = 1;

    /// The bytes of the payload.
    pub(crate) fn encode(&self) -> Vec<u8> {
        record::encode(Self::VERSION, self)
    }
}

/// Why the log does not verify, or could not be read.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum VerifyLogError {
    /// The log could not be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The chain does not hold.
    #[error(transparent)]
    Chain(#[from] LogError),
    /// The chain holds, but does not end where the registry says that it does.
    #[error(
        "the log ends at {found}, the registry says that it ends at {expected}: records were cut off or replaced; restore the file from a copy"
    )]
    End {
        /// The last sequence of the chain.
        found: Sequence,
        /// The sequence that the registry names.
        expected: Sequence,
    },
}

/// The records of a range of the log; see [`View::log`].
pub struct LogEntries(redb::Range<'static, u64, &'static [u8]>);

impl std::fmt::Debug for LogEntries {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LogEntries").finish_non_exhaustive()
    }
}

type Guards = (
    redb::AccessGuard<'static, u64>,
    redb::AccessGuard<'static, &'static [u8]>,
);

fn entry(guards: Result<Guards, redb::StorageError>) -> Result<LogEntry, ReadError> {
    let (key, bytes) = guards?;
    let (record, hash) = LogRecord::decode(bytes.value()).map_err(malformed("log", key.value()))?;
    Ok(LogEntry {
        sequence: record.sequence,
        instant: record.instant,
        kind: LogKind::from_number(record.kind),
        author: record.author,
        reason: record.reason,
        operations: record.operations,
        hash,
    })
}

impl Iterator for LogEntries {
    type Item = Result<LogEntry, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.0.next().map(entry)
    }
}

impl DoubleEndedIterator for LogEntries {
    fn next_back(&mut self) -> Option<Self::Item> {
        self.0.next_back().map(entry)
    }
}

fn bound(bound: Bound<&Sequence>) -> Bound<u64> {
    match bound {
        Bound::Included(sequence) => Bound::Included(sequence.get()),
        Bound::Excluded(sequence) => Bound::Excluded(sequence.get()),
        Bound::Unbounded => Bound::Unbounded,
    }
}

impl LogKind {
    /// The kind with this number in log records.
    pub const fn from_number(number: u8) -> Option<Self> {
        match number {
            1 => Some(Self::Operations),
            2 => Some(Self::Adoption),
            3 => Some(Self::Bulk),
            4 => Some(Self::Run),
            _ => None,
        }
    }
}

impl View {
    /// The transactions of a range of sequences, from either end.
    ///
    /// ```
    /// # use ansinh::kernel::{Author, Store, StoreOptions};
    /// # use ansinh::types::Instant;
    /// # let folder = tempfile::tempdir()?;
    /// # let store = Store::create(&folder.path().join("a.ansinh"), StoreOptions::default())?;
    /// let author = Author::new("clerk 00004", "decision 112/QĐ-UBND");
    /// store.begin_write(author, Instant::from_unix_millis(0))?.commit()?;
    /// let newest = store.begin_read()?.log(..)?.next_back().transpose()?;
    /// assert_eq!(newest.unwrap().author, "clerk 00004");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn log(&self, range: impl RangeBounds<Sequence>) -> Result<LogEntries, ReadError> {
        let bounds = (bound(range.start_bound()), bound(range.end_bound()));
        Ok(LogEntries(self.tables.log.range::<u64>(bounds)?))
    }

    /// What the log says of one transaction; `None` if there is no such transaction.
    pub fn log_entry(&self, sequence: Sequence) -> Result<Option<LogEntry>, ReadError> {
        self.log(sequence..=sequence)?.next().transpose()
    }

    /// The operations of one transaction, in order; none if there is no such transaction.
    pub fn log_operations(&self, sequence: Sequence) -> Result<Vec<LoggedOperation>, ReadError> {
        let Some(entry) = self.log_entry(sequence)? else {
            return Ok(Vec::new());
        };
        self.payloads(sequence)?
            .iter()
            .enumerate()
            .map(|(number, payload)| logged(&entry, number, payload))
            .collect()
    }

    fn payloads(&self, sequence: Sequence) -> Result<Vec<Vec<u8>>, ReadError> {
        let first = tables::payload_key(sequence.get(), 0);
        let last = tables::payload_key(sequence.get(), u32::MAX);
        tables::collect(
            self.tables.payloads.range::<&[u8; 12]>(&first..=&last)?,
            |_, payload| Ok(payload.to_vec()),
        )
    }

    /// Verifies the chain from the first record to the last, with every payload.
    ///
    /// It reads the whole log. Whoever keeps the hash of the end elsewhere can later tell that everything up to it is
    /// unchanged.
    pub fn verify_log(&self) -> Result<ChainEnd, VerifyLogError> {
        let mut end = ChainEnd::START;
        for guards in self.tables.log.range::<u64>(..).map_err(ReadError::from)? {
            let (key, bytes) = guards.map_err(ReadError::from)?;
            end.follow(bytes.value(), self.payloads(Sequence(key.value()))?)?;
        }
        let (found, expected) = (end.sequence, self.newest());
        if found != expected || end.hash != self.head.log_hash {
            return Err(VerifyLogError::End { found, expected });
        }
        Ok(end)
    }

    /// How many transactions the log has.
    pub fn log_len(&self) -> Result<u64, ReadError> {
        Ok(self.tables.log.len()?)
    }
}

fn logged(entry: &LogEntry, number: usize, payload: &[u8]) -> Result<LoggedOperation, ReadError> {
    let place = || format!("{} operation {number}", entry.sequence);
    let Some(bytes) = log::operation_of(payload).map_err(malformed("payloads", place()))? else {
        return Ok(LoggedOperation::Erased);
    };
    if entry.kind.is_none() {
        return Ok(LoggedOperation::Other(bytes.to_vec()));
    }
    record::decode(LoggedOperation::VERSION, bytes).map_err(malformed("payloads", place()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::catalogue::Declaration;
    use crate::kernel::{Author, Store, StoreOptions};

    fn store() -> (tempfile::TempDir, Store) {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::create(&folder.path().join("log.ansinh"), StoreOptions::default()).unwrap();
        (folder, store)
    }

    #[test]
    fn the_log_tells_who_what_and_when_and_verifies() {
        let (_folder, store) = store();
        assert_eq!(store.begin_read().unwrap().verify_log().unwrap(), ChainEnd::START);
        let unit = crate::gazetteer::vietnam().swap_remove(0);
        let at = Instant::from_unix_millis(1_780_272_000_000);
        let mut transaction = store.begin_write(Author::new("lan", "begin"), at).unwrap();
        transaction
            .adopt("least", b"text", &Declaration::default())
            .unwrap();
        let added = Operation::AddUnit(unit);
        transaction.apply(&added).unwrap();
        transaction.commit().unwrap();
        store
            .begin_write(Author::new("minh", "nothing"), at)
            .unwrap()
            .commit()
            .unwrap();

        let view = store.begin_read().unwrap();
        let entries: Vec<LogEntry> = view.log(..).unwrap().collect::<Result<_, _>>().unwrap();
        let told: Vec<_> = entries
            .iter()
            .map(|e| (e.sequence.get(), e.author.as_str(), e.operations, e.kind))
            .collect();
        assert_eq!(
            told,
            [
                (1, "lan", 2, Some(LogKind::Adoption)),
                (2, "minh", 0, Some(LogKind::Operations))
            ]
        );
        assert_eq!(entries[0].instant, at);
        let operations = view.log_operations(Sequence(1)).unwrap();
        assert!(matches!(&operations[0], LoggedOperation::Pack { name, .. } if name == "least"));
        assert_eq!(operations[1], LoggedOperation::Stored(Box::new(added)));
        assert_eq!(view.log_operations(Sequence(3)).unwrap(), []);
        assert_eq!(view.log_entry(Sequence(3)).unwrap(), None);
        let end = view.verify_log().unwrap();
        assert_eq!((end.sequence, end.hash), (Sequence(2), entries[1].hash));
        assert_eq!(view.log_len().unwrap(), 2);
        let last: Vec<_> = view
            .log(Sequence(2)..)
            .unwrap()
            .map(|entry| entry.unwrap().sequence)
            .collect();
        assert_eq!(last, [Sequence(2)]);
    }

    #[test]
    fn every_number_of_a_kind_leads_back_to_it() {
        for kind in [
            LogKind::Operations,
            LogKind::Adoption,
            LogKind::Bulk,
            LogKind::Run,
        ] {
            assert_eq!(LogKind::from_number(kind as u8), Some(kind));
        }
        assert_eq!(LogKind::from_number(0), None);
    }
}
