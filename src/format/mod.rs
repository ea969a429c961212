//! Byte layouts: pure functions on bytes, and the only place that knows a byte offset.
//!
//! Every number is little-endian, except in keys, where the order of the bytes is the order of the keys. A decoder is
//! given bytes that anybody may have changed: it never panics, and it allocates no more than the bytes and the
//! structure's named limits justify. `docs/format.md` draws every structure.

pub mod bytes;
pub mod columns;
pub mod dossier;
mod dossier_dictionary;
pub mod error;
pub mod fact;
pub mod hot;
pub mod household;
pub mod index;
pub mod ledger;
pub mod locator;
pub mod log;
pub mod page;
pub mod profile;
pub mod record;
pub mod reference;
pub mod ties;
pub mod totals;

pub use error::{Expected, FormatError};
