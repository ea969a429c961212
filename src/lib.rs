//! `ansinh`: an embedded registry engine for social protection.

#[cfg(feature = "cli")]
pub mod cli;
pub mod entitlement;
pub mod export;
pub mod format;
pub mod gazetteer;
pub mod import;
pub mod kernel;
pub mod policy;

pub mod registry;
pub mod report;
pub mod synth;
pub mod types;
