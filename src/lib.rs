//! `ansinh`: an embedded registry engine for social protection.

pub mod kernel;
pub mod policy;
pub mod types;
