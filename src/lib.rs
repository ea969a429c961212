//! `ansinh`: an embedded registry engine for social protection.
//!
//! It keeps the beneficiaries of a country's programmes by personal ID, household and commune in one file, answers what
//! was so in a month by what was known when, and works out and records a whole country's monthly entitlements in one
//! transaction. Begin with [`registry::Registry`]; the layers below it are public too.
//!
//! ```
//! use ansinh::entitlement::RunRequest;
//! use ansinh::kernel::Author;
//! use ansinh::policy::Pack;
//! use ansinh::registry::{Person, Registry};
//! use ansinh::types::{Date, Identifier, Instant, Month, Sex};
//! # let folder = tempfile::tempdir()?;
//! # let path = folder.path().join("national.ansinh");
//!
//! // The engine reads no clock: a transaction is told its instant.
//! let instant = Instant::from_unix_millis(1_780_272_000_000);
//! let registry = Registry::create(&path, &Pack::vietnam(), instant)?;
//!
//! let (id, born): (Identifier, Date) = ("001145000014".parse()?, "1945-02-11".parse()?);
//! let (march, june) = (Month::new(2026, 3)?, Month::new(2026, 6)?);
//! let clerk = Author::new("clerk 00004", "decision 113/QĐ-UBND");
//! let mut tx = registry.begin_write(clerk, instant)?;
//! let person = tx.insert(
//!     &Person::new("Nguyễn Thị An", born, Sex::Female).id(id).commune("00004".parse()?).from(march),
//! )?;
//! tx.enrol(person, "social_pension", march, "113/QĐ-UBND")?;
//! tx.commit()?;
//!
//! let treasury = Author::new("treasury", "June 2026");
//! registry.run(&RunRequest::monthly(june), treasury, instant, &|_, _| {})?;
//! let explained = registry.begin_read()?.explain(person, june)?;
//! assert_eq!(explained.outcome.lines[0].amount.to_string(), "650.000 đ");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! | layer | what it is |
//! |---|---|
//! | [`registry`] | the facade: changes by names, reading by IDs, runs and explanations |
//! | [`entitlement`] | the month: run, ledger, totals, explanation |
//! | [`query`] | eligibility: who meets a condition at the end of a month |
//! | [`policy`] | policy packs, the expression language, the one evaluator |
//! | [`kernel`] | store, transactions, facts, segments, indexes, log |
//! | [`mod@format`] | byte layouts |
//! | [`types`] | IDs, months, money, decimals |
//! | [`mod@bench`] | what all of it costs on a machine |
//!
//! Default features build the command line too; `default-features = false` gives the engine alone.

pub mod bench;
#[cfg(feature = "cli")]
pub mod cli;
pub mod entitlement;
pub mod export;
pub mod format;
pub mod gazetteer;
pub mod import;
pub mod kernel;
pub mod policy;
pub mod query;
pub mod registry;
pub mod report;
pub mod synth;
pub mod types;

/// The examples of the README are run as tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
