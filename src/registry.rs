//! The facade that users hold: a registry, transactions by names, and reading by IDs.
//!
//! **Invariant:** it stands on the kernel's public API alone, and adds no meaning of its own to the data.

mod error;
mod find;
mod month;
mod person;
mod policies;
mod queue;
#[cfg(test)]
mod tests;
mod transaction;
mod view;

use std::path::Path;
use std::sync::Arc;

pub use error::RegistryError;
pub use find::Find;
pub use month::OnProgress;
pub use person::{Fact, Given, Home, Person};
pub use queue::{GROUP_CHANGES_MAX, QUEUE_CHANGES_MAX, QueueError, Ticket, WriteQueue, Written};
pub use transaction::Transaction;
pub use view::{AsOf, CommuneRecord, HouseholdRecord, PersonRecord, PersonRecords, RegistryView};

use crate::kernel::units::UnitDeclaration;
use crate::kernel::{Author, Store, StoreOptions};
use crate::policy::Pack;
use crate::types::{Date, Instant, Month};
use policies::Policies;

/// The ID of the pack whose administrative units are built in.
const VIETNAM: &str = "vn";
/// Who creates a registry, in its log.
const CREATOR: &str = "ansinh";
/// Why, in its log.
const CREATION: &str = "registry created";

/// How a registry is created.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegistryOptions {
    /// The administrative units that it begins with. Empty stands for those that are built in for the pack's country:
    /// the 3,321 communes of Vietnam for `vn`, none for others.
    pub units: Vec<UnitDeclaration>,
    /// Bytes of the page cache.
    pub cache_bytes: usize,
}

impl Default for RegistryOptions {
    fn default() -> Self {
        Self {
            units: Vec::new(),
            cache_bytes: StoreOptions::default().cache_bytes,
        }
    }
}

/// A registry of people, households and communes: one file.
///
/// ```
/// use ansinh::kernel::Author;
/// use ansinh::policy::Pack;
/// use ansinh::registry::{Person, Registry};
/// use ansinh::types::{Date, Identifier, Instant, Month, Sex};
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("national.ansinh");
/// let instant = Instant::from_unix_millis(1_780_272_000_000);
/// let registry = Registry::create(&path, &Pack::vietnam(), instant)?;
///
/// let id: Identifier = "001050000017".parse()?;
/// let born: Date = "1950-03-17".parse()?;
/// let march = Month::new(2026, 3)?;
/// let mut tx = registry.begin_write(Author::new("clerk 00004", "decision 112/QĐ-UBND"), instant)?;
/// let person = tx.insert(
///     &Person::new("Nguyễn Văn A", born, Sex::Male)
///         .id(id)
///         .household("HN-0001".parse()?)
///         .commune("00004".parse()?)
///         .from(march),
/// )?;
/// tx.record(person, "disability", "severe", march)?;
/// tx.commit()?;
///
/// let view = registry.begin_read()?;
/// let found = view.person_by_id(id, march)?.expect("the person was inserted");
/// assert_eq!(found.asked.dossier.name, "Nguyễn Văn A");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// **Durability.** When a commit returns, the change is on the disk. **Several processes.** One process may have the
/// file open for writing, or any number for reading only.
#[derive(Debug)]
pub struct Registry {
    store: Store,
    policies: Arc<Policies>,
}

impl Registry {
    /// Creates a registry in a file that does not exist yet, with a policy pack and, for the pack of Vietnam, its
    /// communes.
    pub fn create(path: impl AsRef<Path>, pack: &Pack, instant: Instant) -> Result<Self, RegistryError> {
        Self::create_with(path, pack, instant, RegistryOptions::default())
    }

    /// As [`Registry::create`], with options. If the pack or a unit is refused, no file is left.
    pub fn create_with(
        path: impl AsRef<Path>,
        pack: &Pack,
        instant: Instant,
        options: RegistryOptions,
    ) -> Result<Self, RegistryError> {
        let path = path.as_ref();
        let cache_bytes = options.cache_bytes;
        let registry = Self::over(Store::create(path, StoreOptions { cache_bytes })?);
        let units = match options.units {
            units if units.is_empty() && pack.id() == VIETNAM => crate::gazetteer::vietnam(),
            units => units,
        };
        match registry.begin(pack, units, instant) {
            Ok(()) => Ok(registry),
            Err(error) => {
                drop(registry);
                // The file was made by this call and holds nothing; the error that matters is the refusal.
                let _ = std::fs::remove_file(path);
                Err(error)
            }
        }
    }

    fn begin(&self, pack: &Pack, units: Vec<UnitDeclaration>, instant: Instant) -> Result<(), RegistryError> {
        let mut transaction = self.begin_write(Author::new(CREATOR, CREATION), instant)?;
        transaction.adopt(pack)?;
        for unit in units {
            transaction.add_unit(unit)?;
        }
        transaction.commit()?;
        Ok(())
    }

    /// Opens a registry for reading and writing. No other process may have it open.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, RegistryError> {
        Self::open_with(path, StoreOptions::default())
    }

    /// As [`Registry::open`], with a cache of a given size.
    pub fn open_with(path: impl AsRef<Path>, options: StoreOptions) -> Result<Self, RegistryError> {
        Ok(Self::over(Store::open(path.as_ref(), options)?))
    }

    /// Opens a registry for reading only. Other processes may read it at the same time; none may write it.
    pub fn open_read_only(path: impl AsRef<Path>) -> Result<Self, RegistryError> {
        Self::open_read_only_with(path, StoreOptions::default())
    }

    /// As [`Registry::open_read_only`], with a cache of a given size.
    pub fn open_read_only_with(path: impl AsRef<Path>, options: StoreOptions) -> Result<Self, RegistryError> {
        Ok(Self::over(Store::open_read_only(path.as_ref(), options)?))
    }

    /// A registry over a store that is open already.
    pub fn over(store: Store) -> Self {
        Self {
            store,
            policies: Arc::default(),
        }
    }

    /// The kernel's store, for what has no method here.
    pub const fn store(&self) -> &Store {
        &self.store
    }

    /// The file.
    pub fn path(&self) -> &Path {
        self.store.path()
    }

    /// The registry as it is now. Later commits do not show in it.
    pub fn begin_read(&self) -> Result<RegistryView, RegistryError> {
        Ok(RegistryView::new(
            self.store.begin_read()?,
            Arc::clone(&self.policies),
        ))
    }

    /// Begins a transaction. It waits until the one before has ended; readers go on.
    ///
    /// `author` says who and why; `instant` when (the engine reads no clock).
    pub fn begin_write(&self, author: Author, instant: Instant) -> Result<Transaction<'_>, RegistryError> {
        let month = Date::in_vietnam(instant)?.month();
        Ok(Transaction::new(self.store.begin_write(author, instant)?, month))
    }

    /// Begins a group of changes; see [`Store::begin_group`].
    fn begin_group(&self) -> Result<Transaction<'_>, RegistryError> {
        let none = Month::MIN;
        Ok(Transaction::new(self.store.begin_group()?, none))
    }

    /// Closes the file and reports what dropping it would hide.
    pub fn close(self) -> Result<(), RegistryError> {
        Ok(self.store.close()?)
    }
}
