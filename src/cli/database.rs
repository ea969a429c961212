//! The registry file that a command works on.

use std::path::PathBuf;

use clap::Args;

use super::{Failure, machine};
use crate::kernel::medium::MediumError;
use crate::kernel::{Author, StoreError, StoreOptions};
use crate::registry::{Registry, RegistryError, Transaction};

/// The largest cache that can be asked for, in MiB: 1 TiB.
const CACHE_MIB_MAX: u64 = 1 << 20;

/// The registry, and how it is opened.
#[derive(Debug, Clone, Args)]
pub struct Database {
    /// The registry file
    #[arg(value_name = "DB")]
    pub path: PathBuf,
    /// Size of the page cache in MiB [default: 256, to run a month 64]
    #[arg(long, value_name = "MIB", value_parser = clap::value_parser!(u64).range(1..=CACHE_MIB_MAX))]
    pub cache: Option<u64>,
}

impl Database {
    /// The options of the store.
    pub fn options(&self) -> StoreOptions {
        self.options_or(StoreOptions::default())
    }

    fn options_or(&self, options: StoreOptions) -> StoreOptions {
        self.cache.map_or(options, |mib| StoreOptions {
            cache_bytes: (mib << 20) as usize,
        })
    }

    /// As it was asked for, or otherwise as is best for the run of a month.
    pub fn for_one_run(&self) -> Self {
        let bytes = self.options_or(StoreOptions::for_one_run()).cache_bytes;
        Self {
            path: self.path.clone(),
            cache: Some((bytes >> 20) as u64),
        }
    }

    /// Opens the registry for reading. One whose writer was killed must be brought in order first, which needs writing.
    pub fn read(&self) -> Result<Registry, Failure> {
        match Registry::open_read_only_with(&self.path, self.options()) {
            Err(RegistryError::Store(error)) if matches!(*error, StoreError::Storage { .. }) => self.write(),
            opened => opened.map_err(|error| self.advise(error)),
        }
    }

    /// Opens the registry for writing.
    pub fn write(&self) -> Result<Registry, Failure> {
        Registry::open_with(&self.path, self.options()).map_err(|error| self.advise(error))
    }

    fn advise(&self, error: RegistryError) -> Failure {
        let RegistryError::Store(store) = &error else {
            return error.into();
        };
        match &**store {
            StoreError::Medium(MediumError::Io { source, .. })
                if source.kind() == std::io::ErrorKind::NotFound =>
            {
                let path = self.path.display();
                Failure::Failed(format!(
                    "there is no file {path}; check the name, or create a registry with `ansinh init {path}`"
                ))
            }
            _ => error.into(),
        }
    }
}

/// Begins a transaction of now.
pub fn begin<'r>(registry: &'r Registry, name: &str, reason: &str) -> Result<Transaction<'r>, Failure> {
    Ok(registry.begin_write(Author::new(name, reason), machine::now())?)
}

/// A text that stands in the log: who or why. It says something.
pub fn said(text: &str) -> Result<String, String> {
    if text.trim().is_empty() {
        return Err("it is empty; expected a few words that stand in the log".to_owned());
    }
    Ok(text.to_owned())
}

/// Who makes a change: as given, or whoever is logged in.
pub fn author(given: Option<&str>) -> Result<String, Failure> {
    given.map(str::to_owned).or_else(machine::user).ok_or_else(|| {
        Failure::Failed("it is not known who you are; say who makes the change with --author NAME".to_owned())
    })
}
