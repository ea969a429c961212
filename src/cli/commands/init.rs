//! `init`: an empty registry with a policy pack.

use std::path::{Path, PathBuf};
use std::time::Instant;

use clap::Args;
use serde_json::json;

use crate::cli::database::Database;
use crate::cli::output::{self, Output};
use crate::cli::{Failure, machine};
use crate::policy::Pack;
use crate::registry::{Registry, RegistryOptions};

/// Creates a registry.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  ansinh init national.ansinh\n  ansinh init test.ansinh --pack my-pack.toml"
)]
pub struct Init {
    #[command(flatten)]
    database: Database,
    /// A policy pack; without it the built-in pack for Vietnam, with its 3,321 communes
    #[arg(long, value_name = "FILE")]
    pack: Option<PathBuf>,
}

/// Reads a policy pack from a file, with the tables beside it.
pub fn read_pack(path: &Path) -> Result<Pack, Failure> {
    Pack::read(path).map_err(Failure::of)
}

impl Init {
    pub(super) fn run(&self, output: &mut Output) -> Result<(), Failure> {
        let begun = Instant::now();
        let pack = match &self.pack {
            Some(path) => read_pack(path)?,
            None => Pack::vietnam(),
        };
        let options = RegistryOptions {
            cache_bytes: self.database.options().cache_bytes,
            ..RegistryOptions::default()
        };
        let path = &self.database.path;
        let registry = Registry::create_with(path, &pack, machine::now(), options)?;
        let units = registry.begin_read()?.units().len();
        registry.close()?;
        let (attributes, programmes) = (pack.attributes().len(), pack.programmes().len());
        let shown = path.display();
        if output.is_json() {
            return output.json(&json!({
                "path": shown.to_string(),
                "pack": pack.id(),
                "version": pack.version(),
                "units": units,
                "attributes": attributes,
                "programmes": programmes,
                "seconds": output::seconds(begun.elapsed()),
            }));
        }
        output.line(format_args!(
            "Created {shown} with the pack {} version {}: {attributes} attributes, {programmes} programmes, {units} communes.",
            pack.id(),
            pack.version()
        ))?;
        if output.is_terminal() {
            output.line(format_args!("Next: ansinh synth {shown} --people 100000"))?;
        }
        Ok(())
    }
}
