//! `ansinh`: an embedded registry engine for social protection.

pub mod format;
pub mod kernel;
pub mod types;
