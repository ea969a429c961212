//! What a registry's bytes lie on: a file, or memory in tests.
//!
//! A [`Medium`] is the narrowest seam to the outside: everything that reaches a disk passes through its
//! six operations, so a test can fail any of them.

use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parking_lot::RwLock;
use thiserror::Error;

use crate::format::page::Access;

#[cfg(test)]
pub(crate) mod testing;

/// A growable array of bytes with an explicit point of durability.
pub trait Medium: std::fmt::Debug + Send + Sync + 'static {
    /// Reads exactly `out.len()` bytes from `offset`; fewer there is an error of kind `UnexpectedEof`.
    fn read_at(&self, offset: u64, out: &mut [u8]) -> io::Result<()>;
    /// Writes all of `data` at `offset`.
    fn write_at(&self, offset: u64, data: &[u8]) -> io::Result<()>;
    /// The length in bytes.
    fn len(&self) -> io::Result<u64>;
    /// Whether there are no bytes.
    fn is_empty(&self) -> io::Result<bool> {
        Ok(self.len()? == 0)
    }
    /// Cuts or extends; new bytes are zero.
    fn set_len(&self, len: u64) -> io::Result<()>;
    /// Returns when everything written before the call is durable.
    fn sync(&self) -> io::Result<()>;
    /// Gives up the lock. Nothing is read or written afterwards.
    fn close(&self) -> io::Result<()>;
}

impl<M: Medium + ?Sized> Medium for Box<M> {
    fn read_at(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        (**self).read_at(offset, out)
    }
    fn write_at(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        (**self).write_at(offset, data)
    }
    fn len(&self) -> io::Result<u64> {
        (**self).len()
    }
    fn set_len(&self, len: u64) -> io::Result<()> {
        (**self).set_len(len)
    }
    fn sync(&self) -> io::Result<()> {
        (**self).sync()
    }
    fn close(&self) -> io::Result<()> {
        (**self).close()
    }
}

/// Why a file could not be had.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum MediumError {
    /// Another process, or another handle of this one, has the file open in a way that excludes this one.
    #[error("{} is open elsewhere; close it there, or open it for reading only if the other only reads", path.display())]
    OpenElsewhere {
        /// The file.
        path: PathBuf,
    },
    /// The operating system refused.
    #[error("cannot {action} {}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What was tried: "create", "open" or "lock".
        action: &'static str,
        /// The system's reason.
        source: io::Error,
    },
}

/// A file, locked for as long as it is open.
///
/// Whoever may write holds an exclusive lock, whoever only reads a shared one. The locks are advisory
/// on Unix: they keep out those who ask for them, as every `ansinh` does.
#[derive(Debug)]
pub struct FileMedium {
    file: File,
}

impl FileMedium {
    /// Creates a file that must not exist yet, and makes its name durable.
    pub fn create(path: impl AsRef<Path>) -> Result<Self, MediumError> {
        let path = path.as_ref();
        let failed = |source| MediumError::Io {
            path: path.to_owned(),
            action: "create",
            source,
        };
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create_new(true)
            .open(path)
            .map_err(failed)?;
        let medium = Self::locked(file, path, Access::ReadWrite)?;
        sync_directory_of(path).map_err(failed)?;
        Ok(medium)
    }

    /// Opens a file that exists.
    pub fn open(path: impl AsRef<Path>, access: Access) -> Result<Self, MediumError> {
        let path = path.as_ref();
        let write = access == Access::ReadWrite;
        let file = OpenOptions::new()
            .read(true)
            .write(write)
            .open(path)
            .map_err(|source| MediumError::Io {
                path: path.to_owned(),
                action: "open",
                source,
            })?;
        Self::locked(file, path, access)
    }

    fn locked(file: File, path: &Path, access: Access) -> Result<Self, MediumError> {
        let attempt = match access {
            Access::ReadOnly => file.try_lock_shared(),
            Access::ReadWrite => file.try_lock(),
        };
        match attempt {
            Ok(()) => Ok(Self { file }),
            Err(TryLockError::WouldBlock) => Err(MediumError::OpenElsewhere {
                path: path.to_owned(),
            }),
            Err(TryLockError::Error(source)) => Err(MediumError::Io {
                path: path.to_owned(),
                action: "lock",
                source,
            }),
        }
    }
}

#[cfg(unix)]
pub(super) fn sync_directory_of(path: &Path) -> io::Result<()> {
    let directory = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    File::open(directory)?.sync_all()
}

// A directory cannot be opened as a file here; the file system journals the name.
#[cfg(not(unix))]
pub(super) fn sync_directory_of(_path: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(unix)]
fn read_exact_at(file: &File, offset: u64, out: &mut [u8]) -> io::Result<()> {
    std::os::unix::fs::FileExt::read_exact_at(file, out, offset)
}

#[cfg(unix)]
fn write_all_at(file: &File, offset: u64, data: &[u8]) -> io::Result<()> {
    std::os::unix::fs::FileExt::write_all_at(file, data, offset)
}

#[cfg(windows)]
fn read_exact_at(file: &File, mut offset: u64, mut out: &mut [u8]) -> io::Result<()> {
    while !out.is_empty() {
        match std::os::windows::fs::FileExt::seek_read(file, out, offset) {
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(read) => {
                out = &mut out[read..];
                offset += read as u64;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

#[cfg(windows)]
fn write_all_at(file: &File, mut offset: u64, mut data: &[u8]) -> io::Result<()> {
    while !data.is_empty() {
        match std::os::windows::fs::FileExt::seek_write(file, data, offset) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(written) => {
                data = &data[written..];
                offset += written as u64;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

impl Medium for FileMedium {
    fn read_at(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        read_exact_at(&self.file, offset, out)
    }

    fn write_at(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        write_all_at(&self.file, offset, data)
    }

    fn len(&self) -> io::Result<u64> {
        Ok(self.file.metadata()?.len())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.file.set_len(len)
    }

    fn sync(&self) -> io::Result<()> {
        self.file.sync_data()
    }

    fn close(&self) -> io::Result<()> {
        self.file.unlock()
    }
}

/// Bytes in memory. A clone shares them, so they can be opened again; [`copy`](Self::copy) does not.
#[derive(Clone, Default)]
pub struct MemoryMedium {
    bytes: Arc<RwLock<Vec<u8>>>,
}

impl MemoryMedium {
    /// An empty medium.
    pub fn new() -> Self {
        Self::default()
    }

    /// A medium of these bytes.
    pub fn from_bytes(bytes: Vec<u8>) -> Self {
        Self {
            bytes: Arc::new(RwLock::new(bytes)),
        }
    }

    /// The bytes as they are now.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.bytes.read().clone()
    }

    /// An independent medium of the bytes as they are now.
    #[must_use]
    pub fn copy(&self) -> Self {
        Self::from_bytes(self.to_bytes())
    }
}

impl std::fmt::Debug for MemoryMedium {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MemoryMedium")
            .field("len", &self.bytes.read().len())
            .finish()
    }
}

impl Medium for MemoryMedium {
    fn read_at(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let bytes = self.bytes.read();
        let start = usize::try_from(offset).unwrap_or(usize::MAX);
        let source = start.checked_add(out.len()).and_then(|end| bytes.get(start..end));
        out.copy_from_slice(source.ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }

    fn write_at(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        let mut bytes = self.bytes.write();
        let start = usize::try_from(offset).map_err(|_| io::ErrorKind::FileTooLarge)?;
        let end = start.checked_add(data.len()).ok_or(io::ErrorKind::FileTooLarge)?;
        if bytes.len() < end {
            bytes.resize(end, 0);
        }
        bytes[start..end].copy_from_slice(data);
        Ok(())
    }

    fn len(&self) -> io::Result<u64> {
        Ok(self.bytes.read().len() as u64)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        let len = usize::try_from(len).map_err(|_| io::ErrorKind::FileTooLarge)?;
        self.bytes.write().resize(len, 0);
        Ok(())
    }

    fn sync(&self) -> io::Result<()> {
        Ok(())
    }

    fn close(&self) -> io::Result<()> {
        Ok(())
    }
}
