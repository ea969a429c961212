//! `ansinh`: an embedded registry engine for social protection.

pub mod export;
pub mod format;
pub mod gazetteer;
pub mod import;
pub mod kernel;
pub mod policy;
pub mod synth;
pub mod types;
