//! The microkernel: subjects, facts, transactions, indexes, the log, and blocks of money records.
//!
//! **Invariant:** the kernel knows nothing of any benefit, and it alone names redb.

pub mod backend;
pub mod bulk;
pub mod catalogue;
mod digester;
mod error;
mod fact;
mod history;
pub mod log;
pub mod medium;
pub mod near;
mod occurrences;
pub mod operation;
mod overlay;
pub mod profile;
mod profiles;
pub mod runs;
pub mod scan;
mod sizes;
mod snapshot;
pub mod state;
mod store;
mod tables;
mod transaction;
mod unit_index;
pub mod units;
mod view;

pub use error::{ReadError, StoreError, WriteError};
pub use occurrences::Whose;
pub use profiles::ProfileClasses;
pub use sizes::TableSize;
pub use store::{Store, StoreOptions};
pub use transaction::{
    Author, BatchEntered, BulkBatch, BulkLoader, BulkSummary, Dropped, Entered, LogKind, WriteTransaction,
};
pub use view::{Counts, RowShown, SegmentBytes, View};
