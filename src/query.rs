//! Eligibility: who meets a condition at the end of a month, and what every question to everyone goes through.
//!
//! A [`Search`] settles its condition once for each place, profile and band of age that occurs, by the evaluator that
//! determines entitlements, and looks everyone up. A segment in which no profile occurs that could meet it is not looked
//! through.

pub(crate) mod case;
mod classes;
pub(crate) mod crew;
mod field;
pub(crate) mod ground;
pub(crate) mod places;
mod plan;
mod reach;
mod rows;
mod search;
pub(crate) mod surroundings;

pub use crew::Cancel;
pub use field::{Field, Part};
pub use plan::{Plan, Profiles};
pub use search::{Count, People, QueryError, Search, WORKERS_MAX};
