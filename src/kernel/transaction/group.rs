//! Several records of the log in one commit.
//!
//! A group is one transaction of the storage with many changes in it, each of which is a record of the log of its own:
//! with its own author, reason, instant and sequence, as if it had been committed alone. What a change left
//! half-done is dropped without a trace: the changes before it are applied anew, from their payloads, to an empty
//! overlay. Operations are deterministic, so that gives what was there.

use super::commit::RunBlocks;
use super::{Author, LogKind, WriteTransaction};
use crate::format::log::{AUTHOR_BYTES_MAX, REASON_BYTES_MAX};
use crate::format::record;
use crate::kernel::error::{ReadError, WriteError, malformed};
use crate::kernel::log::LoggedOperation;
use crate::kernel::operation::Refusal;
use crate::kernel::overlay::Overlay;
use crate::kernel::tables::Head;
use crate::types::{Instant, Sequence};

/// One change of a group that ended.
#[derive(Debug)]
pub(super) struct Record {
    pub(super) author: Author,
    pub(super) instant: Instant,
    pub(super) kind: LogKind,
    pub(super) payloads: Vec<Vec<u8>>,
}

/// The records of a group.
#[derive(Debug)]
pub(super) struct Group {
    /// Those that ended, in order.
    pub(super) records: Vec<Record>,
    /// Whether a record has begun and not ended.
    pub(super) open: bool,
    /// The counters when the last record ended.
    head: Head,
}

/// What dropping a record took.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dropped {
    /// The record had changed nothing.
    Unchanged,
    /// It had, or may have, and every record before it was applied anew.
    Rebuilt,
}

impl WriteTransaction<'_> {
    /// Makes this transaction, in which nothing was changed yet, a group without records: see
    /// [`crate::kernel::Store::begin_group`].
    pub(in crate::kernel) fn into_group(mut self) -> Self {
        self.group = Some(Group {
            records: Vec::new(),
            open: false,
            head: self.overlay.head.clone(),
        });
        self
    }

    /// How many records of a group have ended, and would be committed now.
    pub fn records_ended(&self) -> usize {
        self.group.as_ref().map_or(0, |group| group.records.len())
    }

    /// Begins the next record of a group. It has the next sequence, which is given to another record if this one is
    /// dropped.
    pub fn begin_record(&mut self, author: Author, instant: Instant) -> Result<(), WriteError> {
        for (what, text, max) in [
            ("author", &author.name, AUTHOR_BYTES_MAX),
            ("reason", &author.reason, REASON_BYTES_MAX),
        ] {
            if text.len() > max {
                let (found, max) = (text.len() as u64, max as u64);
                return Err(Refusal::Limit { what, found, max }.into());
            }
        }
        if self.poisoned {
            return Err(WriteError::Poisoned);
        }
        match &mut self.group {
            Some(group) if !group.open => group.open = true,
            _ => return Err(WriteError::NotInGroup),
        }
        (self.author, self.instant) = (author, instant);
        Ok(())
    }

    /// Ends the open record of a group: its changes are committed with the group, and the records after it build on
    /// them. Answers its sequence.
    pub fn end_record(&mut self) -> Result<Sequence, WriteError> {
        self.check_open()?;
        if self.kind != LogKind::Operations {
            return Err(WriteError::NotInGroup);
        }
        let sequence = self.sequence();
        let Some(group) = &mut self.group else {
            return Err(WriteError::NoRecord);
        };
        group.records.push(Record {
            author: std::mem::take(&mut self.author),
            instant: self.instant,
            kind: self.kind,
            payloads: std::mem::take(&mut self.payloads),
        });
        group.head = self.overlay.head.clone();
        group.open = false;
        Ok(sequence)
    }

    /// Drops the open record of a group with everything in it, also after it failed half-way. The records before
    /// stay as they are.
    pub fn drop_record(&mut self) -> Result<Dropped, WriteError> {
        let unchanged = self.payloads.is_empty() && !self.poisoned && self.kind == LogKind::Operations;
        let Some(group) = &mut self.group else {
            return Err(WriteError::NoRecord);
        };
        group.open = false;
        self.payloads.clear();
        self.kind = LogKind::Operations;
        if unchanged {
            return Ok(Dropped::Unchanged);
        }
        self.blocks = RunBlocks::default();
        self.rebuild()?;
        Ok(Dropped::Rebuilt)
    }

    /// Applies the records that ended to an empty overlay.
    fn rebuild(&mut self) -> Result<(), WriteError> {
        self.poisoned = true;
        self.overlay = Overlay::new(self.view.head.clone());
        let Some(group) = &mut self.group else {
            return Err(WriteError::NoRecord);
        };
        let expected = group.head.clone();
        for record in std::mem::take(&mut group.records) {
            self.reapply(&record)?;
            if let Some(group) = &mut self.group {
                group.records.push(record);
            }
        }
        if self.overlay.head != expected {
            self.poisoned = true;
            let problem = "the changes of a group, applied again, did not give what they gave before";
            return Err(ReadError::Inconsistent(problem.to_owned()).into());
        }
        self.poisoned = false;
        Ok(())
    }

    fn reapply(&mut self, record: &Record) -> Result<(), WriteError> {
        for payload in &record.payloads {
            let wrong = malformed("payloads", self.sequence());
            let logged = record::decode(LoggedOperation::VERSION, payload).map_err(wrong)?;
            let LoggedOperation::Stored(operation) = logged else {
                return Err(WriteError::NotInGroup);
            };
            self.dispatch_whole(&operation)?;
        }
        Ok(())
    }

    /// Refuses in a group what is written apart from the overlay.
    pub(super) const fn check_alone(&self) -> Result<(), WriteError> {
        match self.group {
            Some(_) => Err(WriteError::NotInGroup),
            None => Ok(()),
        }
    }
}
