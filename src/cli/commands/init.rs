//! `init`: an empty registry with a policy pack.

use std::path::{Path, PathBuf};
use std::time::Instant;

use clap::Args;
use serde_json::json;

use crate::cli::database::Database;
use crate::cli::output::{self, Output};
use crate::cli::{Failure, machine};
use crate::policy::{PACK_BYTES_MAX, Pack};
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

/// Reads a policy pack from a file.
pub fn read_pack(path: &Path) -> Result<Pack, Failure> {
    let shown = path.display();
    let failed =
        |error: std::io::Error| Failure::Failed(format!("cannot read the policy pack {shown}: {error}"));
    let length = std::fs::metadata(path).map_err(failed)?.len();
    if length > PACK_BYTES_MAX as u64 {
        return Err(Failure::Failed(format!(
            "{shown} has {length} bytes, a policy pack has at most {PACK_BYTES_MAX}; is it the right file?"
        )));
    }
    let bytes = std::fs::read(path).map_err(failed)?;
    let text = String::from_utf8(bytes).map_err(|error| {
        Failure::Failed(format!(
            "{shown} is not text in UTF-8 ({error}); a policy pack is a TOML file"
        ))
    })?;
    Pack::parse(&shown.to_string(), &text).map_err(Failure::of)
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
