//! `ansinh`: an embedded registry engine for social protection.

pub mod kernel;
pub mod types;
