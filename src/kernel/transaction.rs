//! Write transactions: operations are checked and applied in memory, and written in one commit.

mod commit;
mod enter;
mod facts;
mod group;
mod households;
mod index;
mod initial;
mod loader;
mod lookup;
mod people;
mod references;
mod rows;
mod ties;
mod units;

use std::sync::Arc;

pub use enter::Entered;
pub use group::Dropped;
pub use loader::{BatchEntered, BulkBatch, BulkLoader, BulkSummary};

use super::catalogue::{Adoption, Declaration};
use super::error::WriteError;
use super::log::LoggedOperation;
use super::operation::{Answer, OPERATIONS_MAX, Operation, Refusal};
use super::overlay::Overlay;
use super::snapshot::Snapshot;
use super::store::Store;
use super::view::View;
use crate::types::{Instant, Sequence};

/// Who makes a change, and why. Both stand in the log.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Author {
    /// Who.
    pub name: String,
    /// Why: the decision, the request, the import.
    pub reason: String,
}

impl Author {
    /// Who and why.
    pub fn new(name: impl Into<String>, reason: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            reason: reason.into(),
        }
    }
}

/// What kind of change a log record is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum LogKind {
    /// Operations, one payload each.
    Operations = 1,
    /// A pack was adopted, with whatever operations.
    Adoption = 2,
    /// A bulk load; the payload is its digest.
    Bulk = 3,
    /// A run was written or its status changed; the payload says which.
    Run = 4,
}

/// A transaction. Dropping it, by a panic too, leaves nothing of it.
///
/// Operations are checked against the registry with the changes of this transaction, kept in memory, and written
/// by [`WriteTransaction::commit`]. A refused operation changes nothing, and the transaction goes on.
pub struct WriteTransaction<'s> {
    store: &'s Store,
    transaction: redb::WriteTransaction,
    view: View,
    pub(super) overlay: Overlay,
    author: Author,
    instant: Instant,
    pub(super) kind: LogKind,
    pub(super) payloads: Vec<Vec<u8>>,
    pub(super) blocks: commit::RunBlocks,
    poisoned: bool,
    sealed: bool,
    /// What a transaction of several log records has of those that ended; `None` for one of a single record.
    group: Option<group::Group>,
}

impl std::fmt::Debug for WriteTransaction<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("WriteTransaction")
            .field("sequence", &self.sequence())
            .finish_non_exhaustive()
    }
}

impl<'s> WriteTransaction<'s> {
    pub(crate) fn new(
        store: &'s Store,
        transaction: redb::WriteTransaction,
        view: View,
        author: Author,
        instant: Instant,
    ) -> Self {
        let overlay = Overlay::new(view.head.clone());
        Self {
            store,
            transaction,
            view,
            overlay,
            author,
            instant,
            kind: LogKind::Operations,
            payloads: Vec::new(),
            blocks: commit::RunBlocks::default(),
            poisoned: false,
            sealed: false,
            group: None,
        }
    }

    /// The sequence that the commit will have; in a group of records, that of the record that is open.
    pub const fn sequence(&self) -> Sequence {
        let before = match &self.group {
            Some(group) => group.records.len() as u64,
            None => 0,
        };
        Sequence(self.view.head.newest + before + 1)
    }

    /// The registry as it was when the transaction began, without its changes.
    pub const fn view(&self) -> &View {
        &self.view
    }

    pub(crate) const fn snapshot(&self) -> Snapshot<'_> {
        Snapshot {
            view: &self.view,
            overlay: Some(&self.overlay),
        }
    }

    /// Adopts a pack: its declaration enters the catalogue, its text is kept by its hash.
    ///
    /// Attributes, values and programmes that it no longer declares are retired, never removed.
    pub fn adopt(
        &mut self,
        name: &str,
        pack: &[u8],
        declaration: &Declaration,
    ) -> Result<Adoption, WriteError> {
        self.check_unsealed()?;
        let (catalogue, adoption) = self
            .snapshot()
            .catalogue()
            .adopt(declaration)
            .map_err(Refusal::from)?;
        let hash = *blake3::hash(pack).as_bytes();
        self.overlay.catalogue = Some(Arc::new(catalogue));
        self.overlay.packs.insert(hash, pack.to_vec());
        self.overlay.head.pack = hash;
        self.kind = LogKind::Adoption;
        let name = name.to_owned();
        self.payloads.push(LoggedOperation::Pack { name, hash }.encode());
        Ok(adoption)
    }

    /// Makes a change, or refuses it and leaves everything as it was.
    pub fn apply(&mut self, operation: &Operation) -> Result<Answer, WriteError> {
        self.check_unsealed()?;
        if self.payloads.len() >= OPERATIONS_MAX {
            let found = self.payloads.len() as u64 + 1;
            let max = OPERATIONS_MAX as u64;
            return Err(Refusal::Limit {
                what: "operations in one transaction",
                found,
                max,
            }
            .into());
        }
        let answer = self.dispatch_whole(operation)?;
        if answer.changed() {
            let logged = LoggedOperation::Stored(Box::new(operation.clone()));
            self.payloads.push(logged.encode());
        }
        Ok(answer)
    }

    /// Does an operation or refuses it. What ends it half-way, a panic too, poisons the transaction.
    fn dispatch_whole(&mut self, operation: &Operation) -> Result<Answer, WriteError> {
        self.poisoned = true;
        let done = self.dispatch(operation);
        self.poisoned = !matches!(done, Ok(_) | Err(WriteError::Refused(_)));
        done
    }

    fn check_unsealed(&self) -> Result<(), WriteError> {
        self.check_open()?;
        if self.sealed {
            Err(WriteError::Sealed)
        } else {
            Ok(())
        }
    }

    fn check_open(&self) -> Result<(), WriteError> {
        if self.poisoned {
            return Err(WriteError::Poisoned);
        }
        match &self.group {
            Some(group) if !group.open => Err(WriteError::NoRecord),
            _ => Ok(()),
        }
    }

    fn dispatch(&mut self, operation: &Operation) -> Result<Answer, WriteError> {
        use Operation as Op;
        match operation {
            Op::AddUnit(declared) => self.add_unit(declared),
            Op::RenameUnit { unit, name } => self.rename_unit(*unit, name),
            Op::EndUnit {
                unit,
                last,
                successor,
            } => self.end_unit(*unit, *last, *successor),
            Op::MakeHousehold { id, unit, from } => self.make_empty_household(*id, *unit, *from),
            Op::InsertPerson(person) => self.insert_person(person),
            Op::AssignIdentifier { person, identifier } => self.assign_identifier(*person, *identifier),
            Op::CorrectBirth { person, birth } => self.correct_birth(*person, *birth),
            Op::CorrectSex { person, sex } => self.correct_sex(*person, *sex),
            Op::CorrectDossier { person, dossier } => self.correct_dossier(*person, dossier),
            Op::MarkEnteredInError { person } => self.mark_entered_in_error(*person),
            Op::MergePerson { duplicate, into } => self.merge_person(*duplicate, *into),
            Op::MovePerson { person, to, from } => self.move_person(*person, *to, *from),
            Op::MoveHousehold {
                household,
                unit,
                from,
            } => self.move_household(*household, *unit, *from),
            Op::SplitHousehold {
                household,
                members,
                id,
                head,
                from,
            } => self.split_household(*household, members, *id, *head, *from),
            Op::MergeHouseholds {
                household,
                into,
                from,
            } => self.merge_households(*household, *into, *from),
            Op::ChangeHead {
                household,
                head,
                from,
            } => self.change_head(*household, *head, *from),
            Op::Record {
                subject,
                attribute,
                value,
                from,
                until,
                document,
            } => self.record_fact(*subject, *attribute, *value, *from, *until, document),
            Op::Retract {
                subject,
                attribute,
                from,
            } => self.retract_fact(*subject, *attribute, *from),
            Op::EndFact {
                subject,
                attribute,
                last,
            } => self.end_fact(*subject, *attribute, *last),
            Op::RecordDeath {
                person,
                date,
                document,
            } => self.record_death(*person, *date, document),
            Op::RetractDeath { person } => self.retract_death(*person),
            Op::Decide {
                person,
                programme,
                decision,
                from,
                document,
            } => self.decide(*person, *programme, *decision, *from, document),
        }
    }

    /// Drops the transaction and everything in it.
    pub fn abort(self) {
        drop(self);
    }
}

impl Answer {
    /// Whether anything was changed.
    pub const fn changed(self) -> bool {
        !matches!(
            self,
            Self::PersonExists(_)
                | Self::PersonExistsWithDifferent { .. }
                | Self::UnitExists(_)
                | Self::Unchanged
        )
    }
}

/// Writes entries in ascending order of keys, all of them after whatever the table has.
pub(crate) fn append_all<'v, K>(
    table: &mut redb::Table<'_, K, &'static [u8]>,
    entries: impl Iterator<Item = (K, &'v [u8])>,
) -> Result<(), WriteError>
where
    K: redb::Key + Copy + for<'k> redb::Value<SelfType<'k> = K> + std::borrow::Borrow<K> + 'static,
{
    let mut cursor = table.upper_bound_mut(std::ops::Bound::<K>::Unbounded)?;
    for (key, value) in entries {
        cursor.insert_before(key, value).map_err(WriteError::from)?;
    }
    cursor.close()?;
    Ok(())
}
