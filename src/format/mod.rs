//! Byte layouts: pure functions on bytes, and the only place that knows a byte offset.

pub mod bytes;
pub mod columns;
pub mod dossier;
mod dossier_dictionary;
pub mod error;
pub mod fact;
pub mod hot;
pub mod household;
pub mod locator;
pub mod log;
pub mod page;
pub mod profile;
pub mod record;

pub use error::{Expected, FormatError};
