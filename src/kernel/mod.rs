//! The microkernel: subjects, facts, transactions, indexes, the log, and blocks of money records.
//!
//! **Invariant:** the kernel knows nothing of any benefit, and it alone names redb.

pub mod backend;
pub mod bulk;
pub mod catalogue;
mod fact;
pub mod medium;
pub mod operation;
pub mod profile;
pub mod state;
pub mod units;
