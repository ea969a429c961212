//! The store: one file, opened for reading and writing or for reading only.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use parking_lot::{Mutex, RwLock};
use redb::{Builder, Database, ReadOnlyDatabase, ReadableDatabase};

use super::backend::{BackendHandle, ChecksummedBackend};
use super::catalogue::Catalogue;
use super::error::{ReadError, StoreError, WriteError, malformed, storage};
use super::medium::{FileMedium, Medium, MediumError};
use super::profiles::Profiles;
use super::tables::{self, Head, Tables};
use super::transaction::{Author, WriteTransaction};
use super::unit_index::UnitIndex;
use super::view::View;
use crate::format::page::{Access, FileHeader};
use crate::format::{profile, record};
use crate::types::Instant;

/// How a store is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StoreOptions {
    /// Bytes of the page cache: encoded pages, shared by all views. Nothing else of size is kept.
    pub cache_bytes: usize,
}

impl StoreOptions {
    /// For a process that opens a registry to run a month and ends: a cache of 64 MiB. Such a run reads most pages once,
    /// from the operating system's cache, and keeping them costs fresh memory and gains nothing.
    ///
    /// ```
    /// use ansinh::kernel::StoreOptions;
    /// assert_eq!(StoreOptions::for_one_run().cache_bytes, 64 << 20);
    /// ```
    pub const fn for_one_run() -> Self {
        Self {
            cache_bytes: 64 << 20,
        }
    }
}

impl Default for StoreOptions {
    /// A cache of 256 MiB.
    fn default() -> Self {
        Self {
            cache_bytes: 256 << 20,
        }
    }
}

enum Engine {
    Writable(Database),
    ReadOnly(ReadOnlyDatabase),
}

/// What views of one store share and only ever grows or is replaced whole.
pub(crate) struct Shared {
    /// Profiles by code: at least those of every snapshot.
    pub(crate) profiles: Arc<RwLock<Profiles>>,
    catalogue: Mutex<(u64, Arc<Catalogue>)>,
    units: Mutex<(u64, Arc<UnitIndex>)>,
}

/// A registry's storage: one file.
///
/// ```
/// use ansinh::kernel::{Author, Store, StoreOptions};
/// use ansinh::types::Instant;
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("national.ansinh");
/// let store = Store::create(&path, StoreOptions::default())?;
/// let transaction = store.begin_write(Author::new("clerk 00004", "first entry"), Instant::from_unix_millis(0))?;
/// transaction.commit()?;
/// assert_eq!(store.begin_read()?.newest().get(), 1);
/// store.close()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// **Durability.** When a commit returns, the change is on the disk. **Several processes.** One process may have
/// the file open for writing, or any number for reading only. **Memory.** The page cache, and for each transaction
/// what it changes.
pub struct Store {
    engine: Engine,
    handle: BackendHandle<Box<dyn Medium>>,
    shared: Arc<Shared>,
    path: PathBuf,
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Store")
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}

fn builder(options: StoreOptions) -> Builder {
    let mut builder = Builder::new();
    builder.set_cache_size(options.cache_bytes);
    builder
}

impl Store {
    /// Creates a file that does not exist yet. It appears under its name when it is whole.
    pub fn create(path: &Path, options: StoreOptions) -> Result<Self, StoreError> {
        if path.exists() {
            return Err(StoreError::Exists(path.to_owned()));
        }
        let mut unfinished = path.as_os_str().to_owned();
        unfinished.push(".new");
        let unfinished = PathBuf::from(unfinished);
        if unfinished.exists() {
            // What a creation that was interrupted left is removed; one that is under way elsewhere holds its lock.
            drop(FileMedium::open(&unfinished, Access::ReadWrite)?);
            let removed = std::fs::remove_file(&unfinished);
            removed.map_err(|source| MediumError::Io {
                path: unfinished.clone(),
                action: "create",
                source,
            })?;
        }
        let medium: Box<dyn Medium> = Box::new(FileMedium::create(&unfinished)?);
        let store = Self::create_on(medium, path, options).inspect_err(|_| {
            let _ = std::fs::remove_file(&unfinished);
        })?;
        let renamed =
            std::fs::rename(&unfinished, path).and_then(|()| super::medium::sync_directory_of(path));
        renamed.map_err(|source| MediumError::Io {
            path: path.to_owned(),
            action: "create",
            source,
        })?;
        Ok(store)
    }

    /// Creates a registry on an empty medium; `path` names it in messages.
    pub fn create_on(
        medium: Box<dyn Medium>,
        path: &Path,
        options: StoreOptions,
    ) -> Result<Self, StoreError> {
        let failed = |source| StoreError::Backend {
            path: path.to_owned(),
            source,
        };
        let broken = |error: redb::Error| StoreError::Storage {
            path: path.to_owned(),
            source: Box::new(error),
        };
        let mut file_id = [0; 16];
        getrandom::fill(&mut file_id).map_err(|error| {
            broken(redb::Error::Io(std::io::Error::other(format!(
                "no random numbers: {error}"
            ))))
        })?;
        let backend = ChecksummedBackend::create(medium, FileHeader::new(file_id)).map_err(failed)?;
        let handle = backend.handle();
        let database = builder(options)
            .create_with_backend(backend)
            .map_err(|error| broken(error.into()))?;
        handle.accept().map_err(|error| broken(error.into()))?;
        let transaction = database.begin_write().map_err(|error| broken(error.into()))?;
        tables::create_all(&transaction).map_err(broken)?;
        transaction.commit().map_err(|error| broken(error.into()))?;
        Self::start(Engine::Writable(database), handle, path)
    }

    /// Opens a registry for reading and writing. No other process may have it open.
    pub fn open(path: &Path, options: StoreOptions) -> Result<Self, StoreError> {
        Self::open_on(
            Box::new(FileMedium::open(path, Access::ReadWrite)?),
            path,
            options,
        )
    }

    /// Opens a registry on a medium for reading and writing; `path` names it in messages.
    pub fn open_on(medium: Box<dyn Medium>, path: &Path, options: StoreOptions) -> Result<Self, StoreError> {
        let backend =
            ChecksummedBackend::open(medium, Access::ReadWrite).map_err(|source| StoreError::Backend {
                path: path.to_owned(),
                source,
            })?;
        let handle = backend.handle();
        let broken = |error: redb::Error| refused(path, error);
        let database = builder(options)
            .create_with_backend(backend)
            .map_err(|error| broken(error.into()))?;
        handle.accept().map_err(|error| broken(error.into()))?;
        Self::start(Engine::Writable(database), handle, path)
    }

    /// Opens a registry for reading only. Other processes may read it at the same time; none may write it.
    pub fn open_read_only(path: &Path, options: StoreOptions) -> Result<Self, StoreError> {
        let medium: Box<dyn Medium> = Box::new(FileMedium::open(path, Access::ReadOnly)?);
        let backend =
            ChecksummedBackend::open(medium, Access::ReadOnly).map_err(|source| StoreError::Backend {
                path: path.to_owned(),
                source,
            })?;
        let handle = backend.handle();
        let broken = |error: redb::Error| refused(path, error);
        let opened = builder(options).open_read_only_with_backend(backend);
        let database = opened.map_err(|error| broken(error.into()))?;
        handle.accept().map_err(|error| broken(error.into()))?;
        Self::start(Engine::ReadOnly(database), handle, path)
    }

    fn start(
        engine: Engine,
        handle: BackendHandle<Box<dyn Medium>>,
        path: &Path,
    ) -> Result<Self, StoreError> {
        let shared = Arc::new(Shared {
            profiles: Arc::new(RwLock::new(Profiles::new())),
            catalogue: Mutex::new((u64::MAX, Arc::new(Catalogue::default()))),
            units: Mutex::new((u64::MAX, Arc::new(UnitIndex::default()))),
        });
        let store = Self {
            engine,
            handle,
            shared,
            path: path.to_owned(),
        };
        store.begin_read().map_err(|source| StoreError::Read {
            path: path.to_owned(),
            source,
        })?;
        Ok(store)
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What the storage backend has done since the file was opened.
    pub fn backend_stats(&self) -> super::backend::BackendStats {
        self.handle.stats()
    }

    /// A view of the registry as it is now. Later commits do not show in it. A view holds pages: hold it for one
    /// question, not for a day.
    pub fn begin_read(&self) -> Result<View, ReadError> {
        let transaction = match &self.engine {
            Engine::Writable(database) => database.begin_read(),
            Engine::ReadOnly(database) => database.begin_read(),
        };
        self.view(&transaction?)
    }

    fn view(&self, transaction: &redb::ReadTransaction) -> Result<View, ReadError> {
        let (tables, head) = Tables::open(transaction)?;
        self.shared.catch_up(&tables, &head)?;
        let catalogue = self.shared.catalogue(&tables, &head)?;
        let units = self.shared.units(&tables, &head)?;
        Ok(View::new(
            tables,
            head,
            catalogue,
            units,
            Arc::clone(&self.shared.profiles),
        ))
    }

    /// Begins a transaction. It waits until the one before has ended; readers go on.
    ///
    /// `author` says who and why; `instant` when (the engine reads no clock).
    pub fn begin_write(&self, author: Author, instant: Instant) -> Result<WriteTransaction<'_>, WriteError> {
        let Engine::Writable(database) = &self.engine else {
            return Err(WriteError::ReadOnly);
        };
        let transaction = database.begin_write()?;
        let view = self.begin_read()?;
        Ok(WriteTransaction::new(self, transaction, view, author, instant))
    }

    /// Begins a group: a transaction with several records of the log, each a change of its own, which are committed
    /// together. Between [`WriteTransaction::begin_record`] and [`WriteTransaction::end_record`] or
    /// [`WriteTransaction::drop_record`] operations are applied as in any transaction. Packs, bulk loads and runs are
    /// written in transactions of their own.
    ///
    /// ```
    /// # use ansinh::kernel::{Author, Store, StoreOptions};
    /// # use ansinh::types::Instant;
    /// # let folder = tempfile::tempdir()?;
    /// # let store = Store::create(&folder.path().join("a.ansinh"), StoreOptions::default())?;
    /// let at = Instant::from_unix_millis(0);
    /// let mut group = store.begin_group()?;
    /// group.begin_record(Author::new("lan", "first"), at)?;
    /// assert_eq!(group.end_record()?.get(), 1);
    /// group.begin_record(Author::new("minh", "not to be"), at)?;
    /// group.drop_record()?;
    /// group.begin_record(Author::new("minh", "second"), at)?;
    /// assert_eq!(group.end_record()?.get(), 2);
    /// group.commit()?;
    /// assert_eq!(store.begin_read()?.log_len()?, 2);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn begin_group(&self) -> Result<WriteTransaction<'_>, WriteError> {
        let transaction = self.begin_write(Author::default(), Instant::from_unix_millis(0))?;
        Ok(transaction.into_group())
    }

    /// Closes the file and reports what dropping it would hide.
    pub fn close(self) -> Result<(), StoreError> {
        let path = self.path;
        match self.engine {
            Engine::Writable(database) => database.close().map_err(|error| refused(&path, error.into())),
            Engine::ReadOnly(_) => Ok(()),
        }
    }

    pub(crate) fn shared(&self) -> &Shared {
        &self.shared
    }
}

fn refused(path: &Path, error: redb::Error) -> StoreError {
    let path = path.to_owned();
    match storage(error) {
        Ok(damage) => StoreError::Read {
            path,
            source: ReadError::Damaged(damage),
        },
        Err(source) => StoreError::Storage { path, source },
    }
}

impl Shared {
    /// Reads the profiles that a snapshot has and the dictionary has not.
    fn catch_up(&self, tables: &Tables, head: &Head) -> Result<(), ReadError> {
        if self.profiles.read().len() >= head.profiles {
            return Ok(());
        }
        let mut profiles = self.profiles.write();
        let known = profiles.len();
        for entry in tables.profiles.range(known..head.profiles)? {
            let (code, bytes) = entry?;
            let values = profile::decode(bytes.value()).map_err(malformed("profiles", code.value()))?;
            profiles.push(values.into_iter());
        }
        if profiles.len() < head.profiles {
            return Err(ReadError::Inconsistent(format!(
                "{} profiles are stored, {} have a code",
                profiles.len(),
                head.profiles
            )));
        }
        Ok(())
    }

    fn catalogue(&self, tables: &Tables, head: &Head) -> Result<Arc<Catalogue>, ReadError> {
        let mut kept = self.catalogue.lock();
        if kept.0 != head.catalogue {
            let catalogue = match tables.packs.get(&tables::CATALOGUE_KEY)? {
                Some(bytes) => record::decode(1, bytes.value()).map_err(malformed("packs", "catalogue"))?,
                None => Catalogue::default(),
            };
            *kept = (head.catalogue, Arc::new(catalogue));
        }
        Ok(Arc::clone(&kept.1))
    }

    fn units(&self, tables: &Tables, head: &Head) -> Result<Arc<UnitIndex>, ReadError> {
        let mut kept = self.units.lock();
        if kept.0 != head.units_changed {
            let units = tables::collect(tables.units.range(1..=u16::MAX)?, |number, bytes| {
                record::decode(1, bytes).map_err(malformed("units", number))
            })?;
            *kept = (head.units_changed, Arc::new(UnitIndex::new(units)));
        }
        Ok(Arc::clone(&kept.1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_interrupted_creation_left_is_replaced_but_not_one_under_way() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.ansinh");
        let unfinished = folder.path().join("a.ansinh.new");
        let busy = FileMedium::create(&unfinished).unwrap();
        let refused = Store::create(&path, StoreOptions::default());
        assert!(
            matches!(
                refused,
                Err(StoreError::Medium(MediumError::OpenElsewhere { .. }))
            ),
            "{refused:?}"
        );
        assert!(unfinished.exists());
        drop(busy);
        Store::create(&path, StoreOptions::default())
            .unwrap()
            .close()
            .unwrap();
        assert!(path.exists() && !unfinished.exists());
        let refused = Store::create(&path, StoreOptions::default());
        assert!(matches!(refused, Err(StoreError::Exists(_))), "{refused:?}");
    }
}
