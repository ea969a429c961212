//! Writing what is full: each table by itself, so that each may have a thread of its own.

use std::borrow::{Borrow, Cow};
use std::cmp::Ordering;
use std::ops::Bound;
use std::thread::{Scope, ScopedJoinHandle};

use crossbeam::channel::{Sender, bounded};
use redb::{CursorMut, Key, ReadableTable, Table, TableDefinition, Value};

use crate::format::columns::ColumnSegment;
use crate::format::hot::{HotHead, HotSegment};
use crate::format::household::{self, HouseholdRecord};
use crate::format::locator::{LocatorBlock, SegmentKey};
use crate::format::ties::Ties;
use crate::kernel::digester::Digester;
use crate::kernel::error::{WriteError, malformed};
use crate::kernel::occurrences::{Occurrence, note_segment};
use crate::kernel::tables;

/// How many groups of entries may wait for the thread of a table.
const WAITING_MAX: usize = 2;

/// Entries of one table, not encoded yet.
pub(super) type Entries<T> = Vec<(u32, T)>;

/// What becomes the value of an entry. Encoding waits for the thread that writes it.
pub(super) trait Encode: Send {
    fn bytes(&self) -> Cow<'_, [u8]>;

    /// Notes the profiles that occur in an entry that was encoded.
    fn note(&self, _key: u32, _bytes: &[u8], _found: &mut Found) -> Result<(), WriteError> {
        Ok(())
    }
}

impl Encode for HotSegment {
    fn bytes(&self) -> Cow<'_, [u8]> {
        self.encode().into()
    }

    fn note(&self, key: u32, bytes: &[u8], found: &mut Found) -> Result<(), WriteError> {
        let segment = SegmentKey::from_number(key);
        let noted = note_segment(segment, bytes, &mut found.head, &mut found.occurrences);
        Ok(noted.map_err(malformed("hot", key))?)
    }
}

/// The profiles that occur in the segments of a load.
#[derive(Default)]
pub(super) struct Found {
    head: HotHead,
    occurrences: Vec<Occurrence>,
}

impl Encode for ColumnSegment {
    fn bytes(&self) -> Cow<'_, [u8]> {
        self.encode().into()
    }
}

impl Encode for Ties {
    fn bytes(&self) -> Cow<'_, [u8]> {
        self.encode().into()
    }
}

impl Encode for Vec<Option<HouseholdRecord>> {
    fn bytes(&self) -> Cow<'_, [u8]> {
        household::encode(self).into()
    }
}

impl Encode for LocatorBlock {
    fn bytes(&self) -> Cow<'_, [u8]> {
        self.encode().into()
    }
}

impl Encode for Vec<u8> {
    fn bytes(&self) -> Cow<'_, [u8]> {
        self.as_slice().into()
    }
}

/// Segments and blocks to which nothing will be added.
#[derive(Default)]
pub(super) struct Full {
    pub(super) hot: Entries<HotSegment>,
    pub(super) columns: Entries<ColumnSegment>,
    pub(super) ties: Entries<Ties>,
    pub(super) households: Entries<Vec<Option<HouseholdRecord>>>,
    pub(super) locators: Entries<LocatorBlock>,
    pub(super) dossiers: Entries<Vec<u8>>,
}

impl Full {
    /// How many entries there are.
    pub(super) const fn len(&self) -> usize {
        self.hot.len() + self.households.len() + self.locators.len() + self.dossiers.len()
    }
}

/// A table that a load fills, and the digest of what has gone there.
struct Stream {
    table: TableDefinition<'static, u32, &'static [u8]>,
    digest: Digester,
    found: Found,
}

impl Stream {
    fn new(table: TableDefinition<'static, u32, &'static [u8]>) -> Self {
        Self {
            table,
            digest: Digester::new(),
            found: Found::default(),
        }
    }

    fn write<T: Encode>(
        &mut self,
        transaction: &redb::WriteTransaction,
        mut entries: Entries<T>,
    ) -> Result<(), WriteError> {
        entries.sort_unstable_by_key(|&(key, _)| key);
        let Some(&(first, _)) = entries.first() else {
            return Ok(());
        };
        let mut table = transaction.open_table(self.table)?;
        let mut filler = Filler::new(&mut table, first)?;
        for (key, entry) in &entries {
            let bytes = entry.bytes();
            self.digest.update(&key.to_le_bytes());
            self.digest.update(&bytes);
            entry.note(*key, &bytes, &mut self.found)?;
            filler.put(*key, &*bytes)?;
        }
        filler.close()
    }
}

/// The tables that are filled while households come.
pub(super) struct Streams {
    hot: Stream,
    columns: Stream,
    ties: Stream,
    households: Stream,
    locators: Stream,
    dossiers: Stream,
}

impl Streams {
    pub(super) fn new() -> Self {
        Self {
            hot: Stream::new(tables::HOT),
            columns: Stream::new(tables::COLUMNS),
            ties: Stream::new(tables::TIES),
            households: Stream::new(tables::HOUSEHOLDS),
            locators: Stream::new(tables::LOCATORS),
            dossiers: Stream::new(tables::DOSSIERS),
        }
    }

    /// Writes on the calling thread.
    pub(super) fn write(
        &mut self,
        transaction: &redb::WriteTransaction,
        full: Full,
    ) -> Result<(), WriteError> {
        self.hot.write(transaction, full.hot)?;
        self.columns.write(transaction, full.columns)?;
        self.ties.write(transaction, full.ties)?;
        self.households.write(transaction, full.households)?;
        self.locators.write(transaction, full.locators)?;
        self.dossiers.write(transaction, full.dossiers)
    }

    /// Starts a thread for each table.
    pub(super) fn spawn<'scope>(
        &'scope mut self,
        scope: &'scope Scope<'scope, '_>,
        transaction: &'scope redb::WriteTransaction,
    ) -> Lanes<'scope> {
        Lanes {
            hot: Lane::spawn(scope, transaction, &mut self.hot),
            columns: Lane::spawn(scope, transaction, &mut self.columns),
            ties: Lane::spawn(scope, transaction, &mut self.ties),
            households: Lane::spawn(scope, transaction, &mut self.households),
            locators: Lane::spawn(scope, transaction, &mut self.locators),
            dossiers: Lane::spawn(scope, transaction, &mut self.dossiers),
        }
    }

    /// Writes on a thread for each table, and waits until everything is written.
    pub(super) fn write_apart(
        &mut self,
        transaction: &redb::WriteTransaction,
        full: Full,
    ) -> Result<(), WriteError> {
        std::thread::scope(|scope| {
            let lanes = self.spawn(scope, transaction);
            let sent = lanes.send(full);
            let written = lanes.join();
            debug_assert!(sent || written.is_err());
            written
        })
    }

    /// The profiles that occur in the segments written so far, in no order.
    pub(super) fn take_occurrences(&mut self) -> Vec<Occurrence> {
        std::mem::take(&mut self.hot.found.occurrences)
    }

    /// The digests of all tables whose contents do not follow from those of others, in a fixed order.
    pub(super) fn digests(&self) -> [blake3::Hash; 5] {
        [
            &self.hot,
            &self.columns,
            &self.households,
            &self.locators,
            &self.dossiers,
        ]
        .map(|stream| stream.digest.finish())
    }
}

/// A thread that writes one table.
struct Lane<'scope, T> {
    sender: Sender<Entries<T>>,
    thread: ScopedJoinHandle<'scope, Result<(), WriteError>>,
}

impl<'scope, T: Encode + 'scope> Lane<'scope, T> {
    fn spawn(
        scope: &'scope Scope<'scope, '_>,
        transaction: &'scope redb::WriteTransaction,
        stream: &'scope mut Stream,
    ) -> Self {
        let (sender, receiver) = bounded::<Entries<T>>(WAITING_MAX);
        let thread = scope.spawn(move || {
            receiver
                .into_iter()
                .try_for_each(|entries| stream.write(transaction, entries))
        });
        Self { sender, thread }
    }

    /// Hands entries over; false if the thread has ended, which it does only by an error.
    fn send(&self, entries: Entries<T>) -> bool {
        entries.is_empty() || self.sender.send(entries).is_ok()
    }

    fn join(self) -> Result<(), WriteError> {
        drop(self.sender);
        joined(self.thread)
    }
}

/// The threads that write tables while households come.
pub(super) struct Lanes<'scope> {
    hot: Lane<'scope, HotSegment>,
    columns: Lane<'scope, ColumnSegment>,
    ties: Lane<'scope, Ties>,
    households: Lane<'scope, Vec<Option<HouseholdRecord>>>,
    locators: Lane<'scope, LocatorBlock>,
    dossiers: Lane<'scope, Vec<u8>>,
}

impl Lanes<'_> {
    /// Hands over what is full; false if a thread has ended, whose error [`Lanes::join`] tells.
    #[must_use]
    pub(super) fn send(&self, full: Full) -> bool {
        self.hot.send(full.hot)
            && self.columns.send(full.columns)
            && self.ties.send(full.ties)
            && self.households.send(full.households)
            && self.locators.send(full.locators)
            && self.dossiers.send(full.dossiers)
    }

    /// Waits until everything is written.
    pub(super) fn join(self) -> Result<(), WriteError> {
        let results = [
            self.hot.join(),
            self.columns.join(),
            self.ties.join(),
            self.households.join(),
            self.locators.join(),
            self.dossiers.join(),
        ];
        results.into_iter().collect()
    }
}

/// What a thread gave; an error if it panicked.
pub(super) fn joined<T>(thread: ScopedJoinHandle<'_, Result<T, WriteError>>) -> Result<T, WriteError> {
    thread
        .join()
        .unwrap_or_else(|panic| Err(WriteError::panicked(panic.as_ref())))
}

/// Takes entries in ascending order of keys: by a cursor where all of them come after whatever the table has.
pub(in super::super) enum Filler<'a, 't, K: Key + 'static, V: Value + 'static> {
    After(Box<CursorMut<'a, K, V>>),
    Among(&'a mut Table<'t, K, V>),
}

impl<'a, 't, K: Key + 'static, V: Value + 'static> Filler<'a, 't, K, V> {
    /// Prepares a table for entries of which `first` has the least key.
    pub(in super::super) fn new<'k>(
        table: &'a mut Table<'t, K, V>,
        first: impl Borrow<K::SelfType<'k>>,
    ) -> Result<Self, WriteError> {
        let after = table.last()?.is_none_or(|(last, _)| {
            let (last, first) = (last.value(), first.borrow());
            K::compare(K::as_bytes(&last).as_ref(), K::as_bytes(first).as_ref()) == Ordering::Less
        });
        Ok(if after {
            let cursor = table.upper_bound_mut(Bound::<K::SelfType<'_>>::Unbounded)?;
            Self::After(Box::new(cursor))
        } else {
            Self::Among(table)
        })
    }

    pub(in super::super) fn put<'k, 'v>(
        &mut self,
        key: impl Borrow<K::SelfType<'k>>,
        value: impl Borrow<V::SelfType<'v>>,
    ) -> Result<(), WriteError> {
        match self {
            Self::After(cursor) => cursor.insert_before(key, value)?,
            Self::Among(table) => drop(table.insert(key, value)?),
        }
        Ok(())
    }

    pub(in super::super) fn close(self) -> Result<(), WriteError> {
        match self {
            Self::After(cursor) => Ok(cursor.close()?),
            Self::Among(_) => Ok(()),
        }
    }
}
