//! The commit: everything that a transaction changed goes to its tables, in key order, with the log record.

use std::collections::BTreeMap;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use redb::ReadableTable;

use super::WriteTransaction;
use super::group::Record;
use super::index::add_entries;
use super::references::add_references;
use crate::format::dossier::{DossierBlock, DossierBlockBuilder};
use crate::format::fact::{self, FactKey, SEQUENCE_MAX};
use crate::format::locator::{self, LocatorBlock, SegmentKey};
use crate::format::log::{self, Digest, LogRecord, SALT_BYTES};
use crate::format::{household, profile, record};
use crate::kernel::error::{ReadError, WriteError, malformed};
use crate::kernel::occurrences::{self, Occurrence};
use crate::kernel::operation::{Refusal, Subject};
use crate::kernel::overlay::{HotChanges, Overlay};
use crate::kernel::snapshot::no_segment;
use crate::kernel::tables;
use crate::kernel::view::View;
use crate::types::Dossier;
use crate::types::{HouseholdNumber, PersonNumber, Sequence};

/// With this many changed segments and more, other threads help to encode them.
const SHARED_SEGMENTS_MIN: usize = 32;
/// How many segments are encoded before they are written: they wait in memory.
const ENCODED_SEGMENTS_MAX: usize = 4_096;
/// How many other threads help at most: beside them one thread writes the tables.
const HELPERS_MAX: usize = 3;
/// How many other threads help.
static HELPERS: LazyLock<usize> = LazyLock::new(|| {
    let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    (threads - 1).min(HELPERS_MAX)
});

/// The changed segments, encoded by whichever thread has time.
struct Segments<'a> {
    view: &'a View,
    overlay: &'a Overlay,
    keys: &'a [SegmentKey],
    next: AtomicUsize,
}

/// A segment as it is written.
struct EncodedSegment {
    key: SegmentKey,
    hot: Vec<u8>,
    /// Codes that it has and had not before.
    occurrences: Vec<Occurrence>,
    /// Unless they are as they were.
    columns: Option<Vec<u8>>,
}

impl Segments<'_> {
    fn encode(&self, key: SegmentKey) -> Result<EncodedSegment, ReadError> {
        let hot = match self.overlay.hot.get(&key) {
            Some(HotChanges::Whole(segment)) => segment.encode(),
            Some(changes) => self.view.changed_hot(key, changes)?.encode(),
            None => return Err(no_segment(key)),
        };
        let columns = self.overlay.columns.get(&key);
        Ok(EncodedSegment {
            key,
            occurrences: occurrences::new_of_segment(self.view, key, &hot)?,
            hot,
            columns: columns.map(crate::format::columns::ColumnSegment::encode),
        })
    }

    /// Encodes segments until none is left that no other thread has taken.
    fn encode_some(&self) -> Result<Vec<EncodedSegment>, ReadError> {
        let mut encoded = Vec::new();
        while let Some(&key) = self.keys.get(self.next.fetch_add(1, Ordering::Relaxed)) {
            encoded.push(self.encode(key)?);
        }
        Ok(encoded)
    }

    /// Encodes all segments, by key, on several threads if there are many, while this thread does something else first.
    fn encode_beside<T>(
        &self,
        first: impl FnOnce() -> Result<T, WriteError>,
    ) -> Result<(T, Vec<EncodedSegment>), WriteError> {
        let helpers = if self.keys.len() < SHARED_SEGMENTS_MIN {
            0
        } else {
            *HELPERS
        };
        let (first, mut encoded) = std::thread::scope(|scope| {
            let helpers: Vec<_> = (0..helpers).map(|_| scope.spawn(|| self.encode_some())).collect();
            let own = first().and_then(|first| Ok((first, self.encode_some()?)));
            let mut encoded = Vec::with_capacity(self.keys.len());
            for helper in helpers {
                let some = helper.join();
                encoded.extend(some.map_err(|panic| WriteError::panicked(panic.as_ref()))??);
            }
            let (first, own) = own?;
            encoded.extend(own);
            Ok::<_, WriteError>((first, encoded))
        })?;
        encoded.sort_unstable_by_key(|segment| segment.key);
        Ok((first, encoded))
    }
}

/// Blocks of money records to be written with the commit.
#[derive(Debug, Default)]
pub(in crate::kernel) struct RunBlocks {
    pub(in crate::kernel) headers: BTreeMap<u32, Vec<u8>>,
    pub(in crate::kernel) months: Vec<u64>,
    pub(in crate::kernel) outcomes: Vec<(u64, Vec<u8>)>,
    pub(in crate::kernel) ledger: Vec<(u64, Vec<u8>)>,
    pub(in crate::kernel) totals: BTreeMap<u64, Vec<u8>>,
}

impl WriteTransaction<'_> {
    /// Writes everything durably. When it returns, the change is on the disk and every later view shows it.
    ///
    /// An error before the commit itself means that nothing was written. [`WriteError::CommitUnknown`] means that
    /// it may have been: open the registry again and look.
    pub fn commit(mut self) -> Result<Sequence, WriteError> {
        let records = self.records()?;
        let sequence = Sequence(self.view.head.newest + records.len() as u64);
        if records.is_empty() {
            return Ok(sequence);
        }
        if sequence.get() > SEQUENCE_MAX {
            let (found, max) = (sequence.get(), SEQUENCE_MAX);
            return Err(Refusal::Limit {
                what: "transactions",
                found,
                max,
            }
            .into());
        }
        if !self.blocks.ledger.is_empty() || self.kind == super::LogKind::Bulk {
            // A run or a bulk load is worth a second sync: its pages are then on the disk before anything points
            // to them, whatever checksums say.
            self.transaction.set_two_phase_commit(true);
        }
        self.overlay.head.log_hash = self.write_changes(&records)?;
        self.overlay.head.newest = sequence.get();
        self.write_ties()?;
        self.write_dictionaries(sequence)?;
        self.write_runs()?;
        let head = self.overlay.head.encode();
        self.transaction
            .open_table(tables::HEAD)?
            .insert(tables::HEAD_KEY, head.as_slice())?;
        self.transaction
            .commit()
            .map_err(|error| WriteError::CommitUnknown {
                sequence,
                source: Box::new(error.into()),
            })?;
        let first = self.view.head.profiles;
        let mut profiles = self.store.shared().profiles.write();
        profiles.complete(first, self.overlay.profiles);
        Ok(sequence)
    }

    /// The records of the log that the commit writes, in order.
    fn records(&mut self) -> Result<Vec<Record>, WriteError> {
        if let Some(group) = &mut self.group
            && !group.open
            && !self.poisoned
        {
            return Ok(std::mem::take(&mut group.records));
        }
        self.check_open()?;
        let mut records = match &mut self.group {
            Some(group) => std::mem::take(&mut group.records),
            None => Vec::new(),
        };
        records.push(Record {
            author: self.author.clone(),
            instant: self.instant,
            kind: self.kind,
            payloads: std::mem::take(&mut self.payloads),
        });
        Ok(records)
    }

    /// Writes the records of the log and what they changed. Answers the hash of the last record.
    fn write_changes(&self, records: &[Record]) -> Result<Digest, WriteError> {
        let mut keys: Vec<_> = self.overlay.hot.keys().copied().collect();
        keys.sort_unstable();
        let (first, later) = keys.split_at(keys.len().min(ENCODED_SEGMENTS_MAX));
        let (hash, encoded) = self.segments(first).encode_beside(|| {
            let hash = self.write_log(records)?;
            self.write_subjects()?;
            self.write_dossiers()?;
            Ok(hash)
        })?;
        self.write_segments(&encoded)?;
        for keys in later.chunks(ENCODED_SEGMENTS_MAX) {
            let ((), encoded) = self.segments(keys).encode_beside(|| Ok(()))?;
            self.write_segments(&encoded)?;
        }
        Ok(hash)
    }

    const fn segments<'a>(&'a self, keys: &'a [SegmentKey]) -> Segments<'a> {
        Segments {
            view: &self.view,
            overlay: &self.overlay,
            keys,
            next: AtomicUsize::new(0),
        }
    }

    fn write_log(&self, records: &[Record]) -> Result<Digest, WriteError> {
        let mut previous = self.overlay.head.log_hash;
        let mut payloads = self.transaction.open_table(tables::PAYLOADS)?;
        let mut entries = self.transaction.open_table(tables::LOG)?;
        let first = self.view.head.newest + 1;
        let operations = records.iter().map(|record| record.payloads.len()).sum::<usize>();
        let mut salts = vec![0; operations * SALT_BYTES];
        getrandom::fill(&mut salts).map_err(|error| {
            let error = std::io::Error::other(format!("no random numbers for the log: {error}"));
            WriteError::Storage(Box::new(redb::Error::Io(error)))
        })?;
        let mut salts = salts.chunks_exact(SALT_BYTES);
        for (sequence, record) in (first..).map(Sequence).zip(records) {
            let mut digests = Vec::with_capacity(record.payloads.len());
            for (number, (operation, salt)) in record.payloads.iter().zip(&mut salts).enumerate() {
                let salt: [u8; SALT_BYTES] = std::array::from_fn(|at| salt[at]);
                digests.push(log::payload_digest(&salt, operation));
                let key = tables::payload_key(sequence.get(), number as u32);
                payloads.insert(&key, log::store_payload(&salt, operation).as_slice())?;
            }
            let record = LogRecord {
                sequence,
                instant: record.instant,
                kind: record.kind as u8,
                author: record.author.name.clone(),
                reason: record.author.reason.clone(),
                operations: digests.len() as u32,
                payload_root: log::payload_root(&digests),
                previous,
            };
            let (bytes, hash) = record.encode().map_err(|error| {
                let (what, found, max) = match error {
                    log::LogError::TooLong { what, found, max } => (what, found as u64, max as u64),
                    _ => ("log record", 0, 0),
                };
                Refusal::Limit { what, found, max }
            })?;
            entries.insert(sequence.get(), bytes.as_slice())?;
            previous = hash;
        }
        Ok(previous)
    }

    fn write_subjects(&self) -> Result<(), WriteError> {
        let (transaction, overlay) = (&self.transaction, &self.overlay);
        let changes = |index: &BTreeMap<u64, u32>| {
            index
                .iter()
                .map(|(&id, &number)| (id, number))
                .collect::<Vec<_>>()
        };
        add_entries(transaction, &tables::IDS, &changes(&overlay.ids))?;
        let mut holders = transaction.open_table(tables::ID_HOLDERS)?;
        for (&(key, sequence), &person) in &overlay.id_holders {
            holders.insert(&tables::holder_key(key, sequence), person)?;
        }
        self.write_locators()?;
        let mut rows = transaction.open_table(tables::ROWS)?;
        for (&(person, unit), &(index, row)) in &overlay.rows {
            rows.insert(
                &tables::row_key(person, unit),
                u32::from(index) << 16 | u32::from(row),
            )?;
        }
        add_entries(
            transaction,
            &tables::HOUSEHOLD_IDS,
            &changes(&overlay.household_ids),
        )?;
        self.write_households()?;
        let mut members = transaction.open_table(tables::MEMBERS)?;
        for &(household, person) in &overlay.members {
            members.insert(&tables::pair_key(household, person), ())?;
        }
        let mut merged = transaction.open_table(tables::MERGED)?;
        for &(into, person) in &overlay.merged {
            merged.insert(&tables::pair_key(into, person), ())?;
        }
        if !overlay.references.is_empty() {
            let added: Vec<_> = overlay.references.iter().copied().collect();
            add_references(&mut transaction.open_table(tables::REFERENCES)?, &added)?;
        }
        let mut facts = transaction.open_table(tables::FACTS)?;
        for (key, content) in &overlay.facts {
            let bytes = fact::encode(
                content
                    .as_ref()
                    .map(|(value, until, document)| (*value, *until, document.as_str())),
            );
            facts.insert(&key.encode(), bytes.as_slice())?;
        }
        Ok(())
    }

    /// The numbers of the subjects of a kind of which facts were recorded, ascending.
    fn with_facts(&self, kind: u8) -> impl Iterator<Item = u32> {
        let (first, _) = FactKey::range_of(kind, 0);
        let (_, last) = FactKey::range_of(kind, u32::MAX);
        let mut before = None;
        let numbers = self.overlay.facts.range(first..=last).map(|(key, _)| key.number);
        numbers.filter(move |&number| before.replace(number) != Some(number))
    }

    fn write_locators(&self) -> Result<(), WriteError> {
        let mut table = self.transaction.open_table(tables::LOCATORS)?;
        let mut located = self.overlay.locators.iter().peekable();
        let mut with_facts = self
            .with_facts(Subject::Person(PersonNumber(0)).key().0)
            .peekable();
        loop {
            let next = [
                located.peek().map(|(person, _)| **person),
                with_facts.peek().copied(),
            ];
            let Some(next) = next.into_iter().flatten().min() else {
                return Ok(());
            };
            let (block, _) = locator::place_of(next);
            let is_here = |person: u32| locator::place_of(person).0 == block;
            let stored = table.get(block)?.map(|bytes| bytes.value().to_vec());
            let mut bytes = stored.unwrap_or_default();
            let mut is_new = false;
            if located.peek().is_some_and(|(person, _)| is_here(**person)) {
                let mut changed = if bytes.is_empty() {
                    LocatorBlock::default()
                } else {
                    LocatorBlock::decode(&bytes).map_err(malformed("persons", block))?
                };
                while let Some((&person, &at)) = located.next_if(|(person, _)| is_here(**person)) {
                    changed.set(locator::place_of(person).1, at);
                }
                (bytes, is_new) = (changed.encode(), true);
            }
            while let Some(person) = with_facts.next_if(|person| is_here(*person)) {
                is_new |= locator::mark_facts(&mut bytes, locator::place_of(person).1)
                    .map_err(malformed("persons", block))?;
            }
            if is_new {
                table.insert(block, bytes.as_slice())?;
            }
        }
    }

    fn write_households(&self) -> Result<(), WriteError> {
        let mut table = self.transaction.open_table(tables::HOUSEHOLDS)?;
        let mut made = self.overlay.households.iter().peekable();
        let mut with_facts = self
            .with_facts(Subject::Household(HouseholdNumber(0)).key().0)
            .peekable();
        loop {
            let next = [
                made.peek().map(|(number, _)| **number),
                with_facts.peek().copied(),
            ];
            let Some(next) = next.into_iter().flatten().min() else {
                return Ok(());
            };
            let (block, _) = household::place_of(next);
            let is_here = |number: u32| household::place_of(number).0 == block;
            let mut records = match table.get(block)? {
                Some(bytes) => household::decode(bytes.value()).map_err(malformed("households", block))?,
                None => Vec::new(),
            };
            let mut is_new = false;
            while let Some((&number, record)) = made.next_if(|(number, _)| is_here(**number)) {
                household::put(&mut records, number, record.clone());
                is_new = true;
            }
            while let Some(number) = with_facts.next_if(|number| is_here(*number)) {
                let (_, place) = household::place_of(number);
                if let Some(record) = records.get_mut(place).and_then(Option::as_mut) {
                    is_new |= !std::mem::replace(&mut record.has_facts, true);
                }
            }
            if is_new {
                table.insert(block, household::encode(&records).as_slice())?;
            }
        }
    }

    fn write_segments(&self, segments: &[EncodedSegment]) -> Result<(), WriteError> {
        let mut hot = self.transaction.open_table(tables::HOT)?;
        for segment in segments {
            hot.insert(segment.key.number(), segment.hot.as_slice())?;
        }
        let mut columns = self.transaction.open_table(tables::COLUMNS)?;
        for segment in segments {
            if let Some(bytes) = &segment.columns {
                columns.insert(segment.key.number(), bytes.as_slice())?;
            }
        }
        let mut new: Vec<Occurrence> = segments
            .iter()
            .flat_map(|segment| &segment.occurrences)
            .copied()
            .collect();
        if !new.is_empty() {
            new.sort_unstable();
            occurrences::add(&mut self.transaction.open_table(tables::OCCURRENCES)?, &new)?;
        }
        Ok(())
    }

    fn write_dossiers(&self) -> Result<(), WriteError> {
        let mut table = self.transaction.open_table(tables::DOSSIERS)?;
        let changes: Vec<(PersonNumber, Option<&Dossier>)> = self
            .overlay
            .dossiers
            .iter()
            .map(|(&person, dossier)| (PersonNumber(person), Some(dossier)))
            .collect();
        let mut left = changes.as_slice();
        while let Some(&(person, _)) = left.first() {
            // The last block also takes whoever comes after it.
            let (block, here) = if let Some(entry) = table.range(person.get()..)?.next() {
                let (key, bytes) = entry?;
                let key = PersonNumber(key.value());
                let here = left.partition_point(|&(person, _)| person <= key);
                (Some((key, bytes.value().to_vec())), here)
            } else {
                let last = table.last()?;
                let last = last.map(|(key, bytes)| (PersonNumber(key.value()), bytes.value().to_vec()));
                (last, left.len())
            };
            let (here, after) = left.split_at(here);
            left = after;
            let wrong = |source: crate::format::dossier::DossierError| {
                ReadError::Inconsistent(format!("dossiers from {person}: {source}"))
            };
            let blocks = if let Some((key, bytes)) = &block {
                DossierBlock::update_all((*key, bytes), here).map_err(wrong)?
            } else {
                let mut builder = DossierBlockBuilder::new();
                for (person, dossier) in here {
                    if let Some(dossier) = dossier {
                        builder.push(*person, dossier).map_err(wrong)?;
                    }
                }
                builder.finish()
            };
            if let Some((key, _)) = block {
                table.remove(key.get())?;
            }
            for (key, bytes) in blocks {
                table.insert(key.get(), bytes.as_slice())?;
            }
        }
        Ok(())
    }

    fn write_dictionaries(&mut self, sequence: Sequence) -> Result<(), WriteError> {
        let mut profiles = self.transaction.open_table(tables::PROFILES)?;
        let first = self.view.head.profiles;
        for (code, values) in (first..).zip(&self.overlay.profiles) {
            profiles.insert(code, profile::encode(values.iter()).as_slice())?;
        }
        drop(profiles);
        let mut packs = self.transaction.open_table(tables::PACKS)?;
        for (hash, text) in &self.overlay.packs {
            packs.insert(hash, text.as_slice())?;
        }
        if let Some(catalogue) = &self.overlay.catalogue {
            packs.insert(
                &tables::CATALOGUE_KEY,
                record::encode(1, catalogue.as_ref()).as_slice(),
            )?;
            self.overlay.head.catalogue = sequence.get();
        }
        drop(packs);
        if let Some(units) = &self.overlay.units {
            let mut table = self.transaction.open_table(tables::UNITS)?;
            for &number in &self.overlay.changed_units {
                if let Some(unit) = units.get(crate::types::UnitNumber(number)) {
                    table.insert(number, record::encode(1, unit).as_slice())?;
                }
            }
            self.overlay.head.units_changed = sequence.get();
        }
        Ok(())
    }

    fn write_runs(&self) -> Result<(), WriteError> {
        let (transaction, blocks) = (&self.transaction, &self.blocks);
        if blocks.headers.is_empty() {
            return Ok(());
        }
        let mut runs = transaction.open_table(tables::RUNS)?;
        for (&run, header) in &blocks.headers {
            runs.insert(run, header.as_slice())?;
        }
        let mut months = transaction.open_table(tables::RUN_MONTHS)?;
        for &key in &blocks.months {
            months.insert(key, ())?;
        }
        let mut outcomes = transaction.open_table(tables::OUTCOMES)?;
        super::append_all(
            &mut outcomes,
            blocks
                .outcomes
                .iter()
                .map(|(key, block)| (*key, block.as_slice())),
        )?;
        let mut ledger = transaction.open_table(tables::LEDGER)?;
        super::append_all(
            &mut ledger,
            blocks.ledger.iter().map(|(key, block)| (*key, block.as_slice())),
        )?;
        let mut totals = transaction.open_table(tables::TOTALS)?;
        super::append_all(
            &mut totals,
            blocks
                .totals
                .iter()
                .map(|(&key, totals)| (key, totals.as_slice())),
        )?;
        Ok(())
    }
}
