//! redb's storage backend: every page is checked against its slot when it comes from the medium.
//!
//! redb keeps a checksum of every page in the page's parent, but verifies these only when it repairs a
//! file. [`ChecksummedBackend`] keeps one of its own for each 4 KB page and verifies it on every read, so
//! damage is an error where it is met: [`DamagedPage`], inside an [`io::Error`] of kind `InvalidData`.
//! The layout is in [`crate::format::page`].
//!
//! # What is durable when
//!
//! A write goes to the medium at once and changes the slot in memory. [`StorageBackend::sync_data`]
//! writes the changed slot pages and then syncs, so slots become durable together with their pages.
//! Between two syncs a crash may leave any mixture of old and new sectors, in pages and in slot pages.
//!
//! # Which disagreement is damage
//!
//! After a crash a page may disagree with its slot although both are sound: one of the two reached the
//! disk, the other did not. It matters only for pages that redb will read again.
//!
//! - *The last commit was made in two phases* (a flag of redb's header). Its pages and their slots were
//!   synced before the header that names it was written, so every page that it reaches agrees with its
//!   slot, crash or not; what was in flight is reached by nothing. Any disagreement is damage. redb closes
//!   a file with such a commit, and so ends a recovery, so this is the case of every file that was closed.
//! - *It was made in one phase.* Then redb takes no allocator state from the file but walks all that the
//!   commit reaches against its own tree of checksums, whatever the recovery flag says, and falls back to
//!   the commit before if that fails. Only in this case, and only until
//!   [`BackendHandle::accept`], is a page that disagrees handed over as it is, and remembered with
//!   the checksum found. A damaged page that the commit reaches fails redb's own check.
//!
//! So the flag *recovery required* is not asked: a crash within a recovery leaves it clear while slots are
//! stale, and a crash after a commit in two phases leaves it set while none is.
//!
//! redb says that it is satisfied with the walk by writing its header with the recovery flag clear, still in
//! one phase. At that write the remembered slots are brought up to date, to become durable in the same
//! sync, before the header of two phases that follows it. When redb refuses the file instead, no slot has
//! been touched. `accept` ends the leniency; it is called when redb has opened the file.
//!
//! redb's header page is written in place and so could never be judged by this rule. It carries its slot in
//! its own first sector, which a disk is assumed to write whole or not at all. It always agrees, so
//! one flipped bit in it, which could otherwise show an old commit, is damage like any other.
//!
//! What this cannot see: a one-phase commit that was durable, then lost a page to damage, and then a crash
//! before the next commit. redb takes it for a commit that did not finish and goes back one. Commits in two
//! phases do not have this gap.
//!
//! # Memory
//!
//! Slot pages are loaded when first needed and kept: at most 4 KB for each 512 KB of the file, 0.8 %.
//! While redb recovers, 32 bytes for each page that disagrees, at most the pages of the last commit.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::io;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use parking_lot::{Mutex, RwLock};
use redb::StorageBackend;
use rustc_hash::FxHashMap;
use thiserror::Error;

use super::medium::Medium;
use crate::format::page::{
    Access, EMBEDDED_SLOT_END, EMBEDDED_SLOT_START, FileHeader, GROUP_DATA_PAGES, HeaderError,
    LOGICAL_PAGES_MAX, PAGE_BYTES, PageBytes, PageHasher, Run, Slot, SuperHeaderFlags, data_page_offset,
    embedded_slot, group_of, groups_for, is_zero, logical_pages, physical_bytes, put_embedded_slot, put_slot,
    slot_at, slot_page_offset,
};

#[cfg(test)]
mod tests;

const PAGE: u64 = PAGE_BYTES as u64;
const GROUP_SLOTS: usize = GROUP_DATA_PAGES as usize;
/// Slot pages are spread over this many locks, so that readers on several cores seldom meet.
const SHARDS: usize = 16;

/// Pages verified with one look at their slots.
const BATCH_PAGES: usize = 16;

/// A page whose content is not what was written there.
///
/// [`DamagedPage::in_io_error`] and [`DamagedPage::in_storage_error`] find it in the errors of redb.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("page {page} (byte {offset} of the file) is damaged: its checksum is {found:032x}, expected {}; \
         restore the file from a backup, or copy what can still be read", Expected(.expected))]
pub struct DamagedPage {
    /// The logical page number.
    pub page: u64,
    /// Where the page begins in the file, in bytes.
    pub offset: u64,
    /// The checksum of the page as it was read.
    pub found: u128,
    /// What the page's slot says.
    pub expected: Slot,
}

struct Expected<'a>(&'a Slot);

impl fmt::Display for Expected<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Slot::Checksum(sum) => write!(f, "{sum:032x}"),
            Slot::NeverWritten => f.write_str("a page of zeros, for none was ever written here"),
            Slot::Unreadable { kind } => write!(f, "no one knows, for its slot is damaged too (kind {kind})"),
        }
    }
}

impl DamagedPage {
    /// The damaged page that an I/O error is about, if it is about one.
    pub fn in_io_error(error: &io::Error) -> Option<&Self> {
        error.get_ref()?.downcast_ref()
    }

    /// The damaged page that an error of redb is about, if it is about one.
    pub fn in_storage_error(error: &redb::StorageError) -> Option<&Self> {
        match error {
            redb::StorageError::Io(error) => Self::in_io_error(error),
            _ => None,
        }
    }
}

impl From<DamagedPage> for io::Error {
    fn from(damage: DamagedPage) -> Self {
        Self::new(io::ErrorKind::InvalidData, damage)
    }
}

/// Why a backend could not be made.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum BackendOpenError {
    /// The medium failed.
    #[error("cannot {action}: {source}")]
    Io {
        /// What was tried.
        action: &'static str,
        /// The reason.
        source: io::Error,
    },
    /// The file header was refused.
    #[error(transparent)]
    Header(#[from] HeaderError),
    /// A new registry was to be made over something.
    #[error("the file already holds {bytes} bytes, a new registry needs an empty one; choose another name")]
    NotEmpty {
        /// The length found.
        bytes: u64,
    },
    /// No registry has this length.
    #[error(
        "the file has {bytes} bytes, which is no length of a registry: it was cut off or extended; restore it from a backup"
    )]
    Length {
        /// The length found.
        bytes: u64,
    },
    /// The program stopped while it created the file. There is nothing in it.
    #[error(
        "the creation of this registry was interrupted, it holds nothing; delete the file and create it again"
    )]
    Unfinished,
    /// redb's header page is damaged.
    #[error(transparent)]
    Damaged(#[from] DamagedPage),
}

/// What the backend has done so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BackendStats {
    /// Data pages read from the medium.
    pub pages_read: u64,
    /// Of these, pages that agreed with their slots.
    pub pages_verified: u64,
    /// Slot pages read from the medium.
    pub slot_pages_read: u64,
    /// Bytes written to the medium, slot pages included.
    pub bytes_written: u64,
    /// Slot pages written to the medium.
    pub slot_pages_written: u64,
    /// Syncs of the medium.
    pub syncs: u64,
    /// Slots brought up to date after a crash.
    pub slots_recovered: u64,
}

#[derive(Debug, Default)]
struct Counters {
    pages_read: AtomicU64,
    pages_verified: AtomicU64,
    slot_pages_read: AtomicU64,
    bytes_written: AtomicU64,
    slot_pages_written: AtomicU64,
    syncs: AtomicU64,
    slots_recovered: AtomicU64,
}

fn count(counter: &AtomicU64, by: u64) {
    counter.fetch_add(by, Ordering::Relaxed);
}

/// The slot pages of every sixteenth group.
#[derive(Default)]
struct Shard {
    pages: FxHashMap<u64, Box<PageBytes>>,
    /// Groups whose slot page differs from the medium.
    changed: BTreeSet<u64>,
}

struct Inner<M> {
    medium: M,
    access: Access,
    header: FileHeader,
    hasher: PageHasher,
    needed_recovery: bool,
    /// Logical pages in the file.
    pages: AtomicU64,
    shards: [RwLock<Shard>; SHARDS],
    /// Held while part of a page is replaced, and for everything done to logical page 0.
    part: Mutex<()>,
    /// Pages that disagree may be handed over: see the module's "Which disagreement is damage".
    lenient: AtomicBool,
    /// The pages handed over so, with the checksums found.
    disagreeing: Mutex<BTreeMap<u64, u128>>,
    first_damage: OnceLock<DamagedPage>,
    counters: Counters,
}

/// A storage backend for redb that verifies every page.
///
/// Take a [`handle`](Self::handle) before redb swallows the backend, and call
/// [`BackendHandle::accept`] when redb has opened the file:
///
/// ```
/// use ansinh::format::page::{Access, FileHeader};
/// use ansinh::kernel::backend::ChecksummedBackend;
/// use ansinh::kernel::medium::MemoryMedium;
///
/// let medium = MemoryMedium::new();
/// let backend = ChecksummedBackend::create(medium.clone(), FileHeader::new([7; 16]))?;
/// redb::Builder::new().create_with_backend(backend)?.close()?;
///
/// let backend = ChecksummedBackend::open(medium, Access::ReadWrite)?;
/// let handle = backend.handle();
/// let database = redb::Builder::new().create_with_backend(backend)?;
/// handle.accept()?;
/// assert!(handle.stats().pages_verified > 0);
/// # drop(database);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct ChecksummedBackend<M: Medium> {
    inner: Arc<Inner<M>>,
}

/// A view of a backend that redb owns.
pub struct BackendHandle<M: Medium> {
    inner: Arc<Inner<M>>,
}

impl<M: Medium> Clone for BackendHandle<M> {
    fn clone(&self) -> Self {
        Self {
            inner: Arc::clone(&self.inner),
        }
    }
}

impl<M: Medium> fmt::Debug for ChecksummedBackend<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ChecksummedBackend")
            .field("medium", &self.inner.medium)
            .finish_non_exhaustive()
    }
}

impl<M: Medium> fmt::Debug for BackendHandle<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BackendHandle")
            .field("medium", &self.inner.medium)
            .finish_non_exhaustive()
    }
}

impl<M: Medium> ChecksummedBackend<M> {
    /// Writes the header of a new file to an empty medium, durably.
    ///
    /// A crash before redb has finished creating its database leaves a file that [`open`](Self::open)
    /// reports as [`BackendOpenError::Unfinished`].
    pub fn create(medium: M, header: FileHeader) -> Result<Self, BackendOpenError> {
        let failed = |action| move |source| BackendOpenError::Io { action, source };
        let bytes = medium.len().map_err(failed("read the length of the new file"))?;
        if bytes != 0 {
            return Err(BackendOpenError::NotEmpty { bytes });
        }
        let page = header.encode();
        medium
            .write_at(0, &page[..])
            .map_err(failed("write the header of the new file"))?;
        medium.sync().map_err(failed("sync the new file"))?;
        let flags = SuperHeaderFlags {
            recovery_required: false,
            two_phase: true,
        };
        Ok(Self {
            inner: Arc::new(Inner::new(medium, header, Access::ReadWrite, 0, flags)),
        })
    }

    /// Opens a file that [`create`](Self::create) made and redb has filled.
    pub fn open(medium: M, access: Access) -> Result<Self, BackendOpenError> {
        let failed = |action| move |source| BackendOpenError::Io { action, source };
        let bytes = medium.len().map_err(failed("read the length of the file"))?;
        let mut page = vec![0; usize::try_from(bytes.min(PAGE)).unwrap_or(PAGE_BYTES)];
        medium
            .read_at(0, &mut page)
            .map_err(failed("read the file header"))?;
        let header = FileHeader::decode(&page, access)?;
        let pages = logical_pages(bytes).ok_or(BackendOpenError::Length { bytes })?;
        if pages == 0 {
            return Err(BackendOpenError::Unfinished);
        }
        let hasher = PageHasher::new(&header.file_id);
        let super_page = read_super_page(&medium, hasher)
            .map_err(failed("read the first page"))?
            .map_err(|damage| BackendOpenError::Damaged(*damage))?;
        let flags = SuperHeaderFlags::read(&super_page).ok_or(BackendOpenError::Unfinished)?;
        Ok(Self {
            inner: Arc::new(Inner::new(medium, header, access, pages, flags)),
        })
    }

    /// A handle that stays when redb has taken the backend.
    pub fn handle(&self) -> BackendHandle<M> {
        BackendHandle {
            inner: Arc::clone(&self.inner),
        }
    }
}

impl<M: Medium> BackendHandle<M> {
    /// The header of the file.
    pub fn header(&self) -> &FileHeader {
        &self.inner.header
    }

    /// Whether the file was not closed properly, so that redb repairs it, or has, at this opening.
    ///
    /// redb refuses to open such a file for reading only.
    pub fn needed_recovery(&self) -> bool {
        self.inner.needed_recovery
    }

    /// The first damaged page met since the file was opened.
    ///
    /// redb reports an error of the backend once and then only that there was one.
    pub fn first_damage(&self) -> Option<&DamagedPage> {
        self.inner.first_damage.get()
    }

    /// What the backend has done so far.
    pub fn stats(&self) -> BackendStats {
        let counters = &self.inner.counters;
        let value = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        BackendStats {
            pages_read: value(&counters.pages_read),
            pages_verified: value(&counters.pages_verified),
            slot_pages_read: value(&counters.slot_pages_read),
            bytes_written: value(&counters.bytes_written),
            slot_pages_written: value(&counters.slot_pages_written),
            syncs: value(&counters.syncs),
            slots_recovered: value(&counters.slots_recovered),
        }
    }

    /// Declares that redb has opened the file: from here on every disagreement is damage.
    ///
    /// Call it once, directly after redb has returned the database without an error, and never otherwise.
    /// Returns the number of slots that the recovery brought up to date, 0 for a file that was closed.
    pub fn accept(&self) -> io::Result<u64> {
        let inner = &self.inner;
        if inner.lenient.load(Ordering::Acquire) && inner.settle()? > 0 {
            inner.sync()?;
        }
        inner.lenient.store(false, Ordering::Release);
        Ok(inner.counters.slots_recovered.load(Ordering::Relaxed))
    }
}

/// Reads logical page 0 and checks it against the slot within it.
fn read_super_page(
    medium: &impl Medium,
    hasher: PageHasher,
) -> io::Result<Result<PageBytes, Box<DamagedPage>>> {
    let mut bytes = [0; PAGE_BYTES];
    let offset = data_page_offset(0);
    medium.read_at(offset, &mut bytes)?;
    let (found, expected) = (hasher.super_page(&bytes), embedded_slot(&bytes));
    let agrees = match expected {
        Slot::NeverWritten => is_zero(&bytes),
        Slot::Checksum(sum) => sum == found,
        Slot::Unreadable { .. } => false,
    };
    Ok(if agrees {
        Ok(bytes)
    } else {
        Err(Box::new(DamagedPage {
            page: 0,
            offset,
            found,
            expected,
        }))
    })
}

impl<M: Medium> Inner<M> {
    fn new(medium: M, header: FileHeader, access: Access, pages: u64, flags: SuperHeaderFlags) -> Self {
        Self {
            medium,
            access,
            hasher: PageHasher::new(&header.file_id),
            header,
            needed_recovery: flags.recovery_required || !flags.two_phase,
            pages: AtomicU64::new(pages),
            shards: std::array::from_fn(|_| RwLock::default()),
            part: Mutex::new(()),
            lenient: AtomicBool::new(!flags.two_phase && access == Access::ReadWrite),
            disagreeing: Mutex::default(),
            first_damage: OnceLock::new(),
            counters: Counters::default(),
        }
    }

    fn shard(&self, group: u64) -> &RwLock<Shard> {
        &self.shards[(group % SHARDS as u64) as usize]
    }

    fn load_slot_page(&self, group: u64) -> io::Result<Box<PageBytes>> {
        let mut slots = Box::new([0; PAGE_BYTES]);
        self.medium.read_at(slot_page_offset(group), &mut slots[..])?;
        count(&self.counters.slot_pages_read, 1);
        Ok(slots)
    }

    /// The slot of a logical page other than 0.
    fn slot(&self, page: u64) -> io::Result<Slot> {
        let (group, index) = group_of(page);
        if let Some(slots) = self.shard(group).read().pages.get(&group) {
            return Ok(slot_at(slots, index));
        }
        // Read without the lock. If another thread was faster, its copy may have changed since and counts.
        let loaded = self.load_slot_page(group)?;
        let mut shard = self.shard(group).write();
        let slots = shard.pages.entry(group).or_insert(loaded);
        Ok(slot_at(slots, index))
    }

    /// Gives the slots of a group from `index` on new values.
    fn put_slots(&self, group: u64, index: usize, values: impl Iterator<Item = Slot>) -> io::Result<()> {
        let missing = !self.shard(group).read().pages.contains_key(&group);
        let loaded = if missing {
            Some(self.load_slot_page(group)?)
        } else {
            None
        };
        let mut shard = self.shard(group).write();
        let shard = &mut *shard;
        if let Some(loaded) = loaded {
            shard.pages.entry(group).or_insert(loaded);
        }
        let Some(slots) = shard.pages.get_mut(&group) else {
            return Err(io::Error::other(
                "a slot page was dropped while its pages were written",
            ));
        };
        let mut changed = false;
        for (index, value) in (index..GROUP_SLOTS).zip(values) {
            changed |= put_slot(slots, index, value);
        }
        if changed {
            shard.changed.insert(group);
        }
        Ok(())
    }

    /// Settles what it means that a page has the checksum `found` while its slot says otherwise.
    fn disagreement(&self, page: u64, found: u128, expected: Slot) -> io::Result<()> {
        if self.lenient.load(Ordering::Acquire) {
            self.disagreeing.lock().insert(page, found);
            return Ok(());
        }
        Err(self.damage(DamagedPage {
            page,
            offset: data_page_offset(page),
            found,
            expected,
        }))
    }

    fn damage(&self, damage: DamagedPage) -> io::Error {
        self.first_damage.get_or_init(|| damage.clone());
        damage.into()
    }

    fn verify(&self, page: u64, bytes: &[u8]) -> io::Result<()> {
        let expected = self.slot(page)?;
        if expected == Slot::NeverWritten && is_zero(bytes) {
            count(&self.counters.pages_verified, 1);
            return Ok(());
        }
        let found = self.hasher.page(page, bytes);
        if expected == Slot::Checksum(found) {
            count(&self.counters.pages_verified, 1);
            return Ok(());
        }
        self.disagreement(page, found, expected)
    }

    /// Reads and verifies logical page 0, its slot included.
    fn read_super_page(&self) -> io::Result<PageBytes> {
        let read = read_super_page(&self.medium, self.hasher)?;
        count(&self.counters.pages_read, 1);
        let bytes = read.map_err(|damage| self.damage(*damage))?;
        count(&self.counters.pages_verified, 1);
        Ok(bytes)
    }

    fn read_page(&self, page: u64) -> io::Result<PageBytes> {
        let mut bytes = [0; PAGE_BYTES];
        self.medium.read_at(data_page_offset(page), &mut bytes)?;
        count(&self.counters.pages_read, 1);
        self.verify(page, &bytes)?;
        Ok(bytes)
    }

    fn read_part(&self, page: u64, start: usize, out: &mut [u8]) -> io::Result<()> {
        let bytes = if page == 0 {
            let _guard = self.part.lock();
            let mut bytes = self.read_super_page()?;
            put_embedded_slot(&mut bytes, Slot::NeverWritten);
            bytes
        } else {
            self.read_page(page)?
        };
        out.copy_from_slice(&bytes[start..start + out.len()]);
        Ok(())
    }

    fn read_whole(&self, first: u64, out: &mut [u8]) -> io::Result<()> {
        self.medium.read_at(data_page_offset(first), out)?;
        count(&self.counters.pages_read, (out.len() / PAGE_BYTES) as u64);
        for (batch, bytes) in (first..)
            .step_by(BATCH_PAGES)
            .zip(out.chunks(BATCH_PAGES * PAGE_BYTES))
        {
            self.verify_batch(batch, bytes)?;
        }
        Ok(())
    }

    /// Verifies at most [`BATCH_PAGES`] pages of one group with one look at their slots.
    fn verify_batch(&self, first: u64, bytes: &[u8]) -> io::Result<()> {
        let pages = bytes.len() / PAGE_BYTES;
        let mut sums = [0; BATCH_PAGES];
        for ((page, bytes), sum) in (first..).zip(bytes.chunks_exact(PAGE_BYTES)).zip(&mut sums) {
            *sum = self.hasher.page(page, bytes);
        }
        let (group, index) = group_of(first);
        let all_agree = self.shard(group).read().pages.get(&group).is_some_and(|slots| {
            let expected = |(index, sum): (usize, &u128)| slot_at(slots, index) == Slot::Checksum(*sum);
            (index..).zip(&sums[..pages]).all(expected)
        });
        if all_agree {
            count(&self.counters.pages_verified, pages as u64);
            return Ok(());
        }
        // The slot page is not loaded, or some page was never written, or is damaged.
        (first..)
            .zip(bytes.chunks_exact(PAGE_BYTES))
            .try_for_each(|(page, bytes)| self.verify(page, bytes))
    }

    fn write_whole(&self, first: u64, data: &[u8]) -> io::Result<()> {
        self.medium.write_at(data_page_offset(first), data)?;
        count(&self.counters.bytes_written, data.len() as u64);
        let (group, index) = group_of(first);
        let mut sums = [0; GROUP_SLOTS];
        let pages = data.len() / PAGE_BYTES;
        for ((page, bytes), sum) in (first..).zip(data.chunks_exact(PAGE_BYTES)).zip(&mut sums) {
            *sum = self.hasher.page(page, bytes);
        }
        self.put_slots(group, index, sums[..pages].iter().map(|sum| Slot::Checksum(*sum)))?;
        if self.lenient.load(Ordering::Acquire) {
            self.disagreeing
                .lock()
                .retain(|page, _| !(first..first + pages as u64).contains(page));
        }
        Ok(())
    }

    fn write_part(&self, page: u64, start: usize, data: &[u8]) -> io::Result<()> {
        let _guard = self.part.lock();
        if page == 0 {
            return self.write_super_page(start, data);
        }
        let mut bytes = self.read_page(page)?;
        bytes[start..start + data.len()].copy_from_slice(data);
        self.write_whole(page, &bytes)
    }

    fn write_super_page(&self, start: usize, data: &[u8]) -> io::Result<()> {
        let mut bytes = self.read_super_page()?;
        put_embedded_slot(&mut bytes, Slot::NeverWritten);
        bytes[start..start + data.len()].copy_from_slice(data);
        if !is_zero(&bytes[EMBEDDED_SLOT_START..EMBEDDED_SLOT_END]) {
            let what = format!(
                "bytes {EMBEDDED_SLOT_START} to {EMBEDDED_SLOT_END} of the first page are taken by its checksum; \
                 this redb writes a longer header than the redb that this library was made for"
            );
            return Err(io::Error::new(io::ErrorKind::InvalidInput, what));
        }
        let satisfied = SuperHeaderFlags::read(&bytes).is_some_and(|flags| !flags.recovery_required);
        if satisfied && self.lenient.load(Ordering::Acquire) {
            self.settle()?;
        }
        let sum = self.hasher.super_page(&bytes);
        put_embedded_slot(&mut bytes, Slot::Checksum(sum));
        self.medium.write_at(data_page_offset(0), &bytes)?;
        count(&self.counters.bytes_written, PAGE);
        Ok(())
    }

    /// Brings the slots of the pages that disagreed up to date, in memory. Returns how many.
    fn settle(&self) -> io::Result<u64> {
        let mut disagreeing = self.disagreeing.lock();
        for (page, found) in disagreeing.iter() {
            let (group, index) = group_of(*page);
            self.put_slots(group, index, std::iter::once(Slot::Checksum(*found)))?;
        }
        let settled = disagreeing.len() as u64;
        disagreeing.clear();
        count(&self.counters.slots_recovered, settled);
        Ok(settled)
    }

    fn sync(&self) -> io::Result<()> {
        let mut groups = Vec::new();
        for shard in &self.shards {
            groups.extend(std::mem::take(&mut shard.write().changed));
        }
        groups.sort_unstable();
        let result = self.write_slot_pages(&groups).and_then(|()| self.medium.sync());
        if result.is_err() {
            for group in groups {
                self.shard(group).write().changed.insert(group);
            }
        }
        count(&self.counters.syncs, 1);
        result
    }

    fn write_slot_pages(&self, groups: &[u64]) -> io::Result<()> {
        for group in groups {
            // A copy, so that no lock is held while the medium writes. A group that was cut off has none.
            let Some(slots) = self.shard(*group).read().pages.get(group).map(|slots| **slots) else {
                continue;
            };
            self.medium.write_at(slot_page_offset(*group), &slots)?;
            count(&self.counters.bytes_written, PAGE);
            count(&self.counters.slot_pages_written, 1);
        }
        Ok(())
    }

    /// Makes the slots from `page` to the end of its group say that nothing was written there.
    fn clear_slots_from(&self, page: u64) -> io::Result<()> {
        let (group, index) = group_of(page);
        if page == 0 || index == 0 {
            return Ok(());
        }
        self.put_slots(group, index, std::iter::repeat(Slot::NeverWritten))
    }

    fn set_pages(&self, new: u64) -> io::Result<()> {
        let old = self.pages.load(Ordering::Acquire);
        self.medium.set_len(physical_bytes(new))?;
        self.pages.store(new, Ordering::Release);
        if new < old {
            let groups = groups_for(new);
            for shard in &self.shards {
                let mut shard = shard.write();
                shard.pages.retain(|group, _| *group < groups);
                shard.changed.retain(|group| *group < groups);
            }
            self.disagreeing.lock().split_off(&new);
        }
        // After a crash between a cut and the sync of its slots they may still name pages that are gone, so
        // they are cleared when the file grows as well as when it shrinks.
        if new == old {
            Ok(())
        } else {
            self.clear_slots_from(new.min(old))
        }
    }

    fn check_range(&self, offset: u64, bytes: usize) -> io::Result<()> {
        let len = self.pages.load(Ordering::Acquire) * PAGE;
        match offset.checked_add(bytes as u64) {
            Some(end) if end <= len => Ok(()),
            _ => {
                let what = format!("{bytes} bytes at {offset} are beyond the end of the file, {len}");
                Err(io::Error::new(io::ErrorKind::UnexpectedEof, what))
            }
        }
    }

    fn check_writable(&self) -> io::Result<()> {
        match self.access {
            Access::ReadWrite => Ok(()),
            Access::ReadOnly => Err(io::Error::new(
                io::ErrorKind::PermissionDenied,
                "the file is open for reading only",
            )),
        }
    }
}

/// The lock methods stay unsupported: the medium holds a lock on the file from its opening on, and
/// with redb's default of one exclusive writer nothing else is asked for.
impl<M: Medium> StorageBackend for ChecksummedBackend<M> {
    fn len(&self) -> io::Result<u64> {
        Ok(self.inner.pages.load(Ordering::Acquire) * PAGE)
    }

    fn read(&self, mut offset: u64, mut out: &mut [u8]) -> io::Result<()> {
        self.inner.check_range(offset, out.len())?;
        while !out.is_empty() {
            let (run, bytes) = Run::first(offset, out.len());
            let (now, later) = out.split_at_mut(bytes);
            match run {
                Run::Whole { page, .. } => self.inner.read_whole(page, now)?,
                Run::Part { page, start, .. } => self.inner.read_part(page, start, now)?,
            }
            offset += bytes as u64;
            out = later;
        }
        Ok(())
    }

    /// `len` must be a whole number of pages, as every length of redb's is.
    fn set_len(&self, len: u64) -> io::Result<()> {
        self.inner.check_writable()?;
        if !len.is_multiple_of(PAGE) || len / PAGE > LOGICAL_PAGES_MAX {
            let what = format!("{len} bytes is no length of a registry: not whole pages, or too many");
            return Err(io::Error::new(io::ErrorKind::InvalidInput, what));
        }
        self.inner.set_pages(len / PAGE)
    }

    fn sync_data(&self) -> io::Result<()> {
        self.inner.check_writable()?;
        self.inner.sync()
    }

    fn write(&self, mut offset: u64, mut data: &[u8]) -> io::Result<()> {
        self.inner.check_writable()?;
        self.inner.check_range(offset, data.len())?;
        while !data.is_empty() {
            let (run, bytes) = Run::first(offset, data.len());
            let (now, later) = data.split_at(bytes);
            match run {
                Run::Whole { page, .. } => self.inner.write_whole(page, now)?,
                Run::Part { page, start, .. } => self.inner.write_part(page, start, now)?,
            }
            offset += bytes as u64;
            data = later;
        }
        Ok(())
    }

    fn close(&self) -> io::Result<()> {
        self.inner.medium.close()
    }
}
