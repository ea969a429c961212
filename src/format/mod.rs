//! Byte layouts: pure functions on bytes, and the only place that knows a byte offset.
//!
//! Every structure begins with a version byte, and every number is little-endian. A decoder is given bytes that
//! anybody may have changed: it never panics, and it allocates no more than the bytes and the structure's named
//! limits justify.

pub mod bytes;
pub mod columns;
pub mod dossier;
mod dossier_dictionary;
pub mod error;
pub mod fact;
pub mod hot;
pub mod household;
pub mod ledger;
pub mod locator;
pub mod log;
pub mod page;
pub mod profile;
pub mod record;
pub mod totals;

pub use error::{Expected, FormatError};
