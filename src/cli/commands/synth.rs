//! `synth`: a synthetic population.

use std::time::{Duration, Instant};

use clap::Args;
use serde_json::json;

use crate::cli::database::{self, Database};
use crate::cli::output::{self, Output};
use crate::cli::progress::Progress;
use crate::cli::{Failure, machine};
use crate::kernel::BulkSummary;
use crate::kernel::units::UnitDeclaration;
use crate::registry::{Registry, RegistryError};
use crate::synth::{self, SynthOptions};
use crate::types::Month;

/// Adds a synthetic population.
#[derive(Debug, Args)]
#[command(
    after_help = "Nobody in the population exists; its proportions are those of Vietnam. The same seed gives the same population. Populations share IDs, so a registry takes one.\n\nExample:\n  ansinh synth national.ansinh --people 1000000 --seed 7"
)]
pub struct Synth {
    #[command(flatten)]
    database: Database,
    /// How many people
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    people: u64,
    /// Another seed gives another population of the same proportions
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// The month in which the population is as it is; changes lie before and after it
    #[arg(long, value_name = "MONTH")]
    month: Option<Month>,
}

/// The units of a registry, as they were declared.
pub fn units_of(registry: &Registry) -> Result<Vec<UnitDeclaration>, Failure> {
    let view = registry.begin_read()?;
    let lasting = view.units().iter().filter(|unit| unit.end.is_none());
    Ok(lasting.map(|unit| unit.declared.clone()).collect())
}

/// Puts a synthetic population into a registry in one transaction.
pub fn load(registry: &Registry, options: SynthOptions) -> Result<BulkSummary, Failure> {
    let reason = format!(
        "synthetic population of {} people, seed {}",
        options.people, options.seed
    );
    let people = options.people;
    let view = registry.begin_read()?;
    let synth = synth::Synth::new(options, view.catalogue(), &units_of(registry)?).map_err(Failure::of)?;
    drop(view);
    let progress = Progress::new("making people", people);
    let mut transaction = database::begin(registry, "ansinh synth", &reason)?;
    let loaded = synth
        .load(&mut transaction, machine::workers(), |people| {
            progress.add(people);
        })
        .map_err(taken)?;
    transaction.commit()?;
    Ok(loaded)
}

/// Populations are unique in themselves only, so the IDs of one may be taken in a registry that has people.
fn taken(error: RegistryError) -> Failure {
    if error.refusal().is_none() {
        return error.into();
    }
    Failure::No(format!(
        "{error}. The registry has people already, and a synthetic population would give the same IDs again; make it in a registry of its own, with `ansinh init`"
    ))
}

/// What is said of a population that was loaded.
pub fn report(output: &mut Output, loaded: BulkSummary, took: Duration) -> Result<(), Failure> {
    let BulkSummary {
        people, households, ..
    } = loaded;
    if output.is_json() {
        return output.json(&json!({
            "people": people,
            "households": households,
            "seconds": output::seconds(took),
            "peak_memory_bytes": machine::peak_memory_bytes(),
        }));
    }
    output.line(format_args!(
        "Added {people} synthetic people in {households} households in {:.2} s.",
        took.as_secs_f64()
    ))
}

impl Synth {
    pub(super) fn run(&self, output: &mut Output) -> Result<(), Failure> {
        let begun = Instant::now();
        let mut options = SynthOptions {
            people: self.people,
            seed: self.seed,
            ..SynthOptions::default()
        };
        options.month = self.month.unwrap_or(options.month);
        let registry = self.database.write()?;
        let loaded = load(&registry, options)?;
        registry.close()?;
        report(output, loaded, begun.elapsed())
    }
}
