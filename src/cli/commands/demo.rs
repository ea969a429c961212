//! `demo`: a population, a month, a report, and what to try next.

use std::path::PathBuf;
use std::time::Instant;

use clap::Args;
use serde_json::{Value as Json, json};

use super::report::{self, Breakdown};
use super::{run, synth};
use crate::cli::output::{self, Output};
use crate::cli::{Failure, machine};
use crate::entitlement::{self, RunHeader, RunRequest};
use crate::kernel::Author;
use crate::policy::{Pack, Status};
use crate::registry::{Registry, RegistryView};
use crate::synth::SynthOptions;
use crate::types::{Identifier, Month, Sequence};

/// The month that the demonstration runs: the one for which the population is made.
const MONTH: &str = "2026-06";

/// Demonstrates the registry.
#[derive(Debug, Args)]
#[command(
    after_help = "Nobody in the population exists. Without --db the registry is deleted at the end.\n\nExamples:\n  ansinh demo\n  ansinh demo --people 1000000 --db demo.ansinh"
)]
pub struct Demo {
    /// How many people
    #[arg(long, value_name = "N", default_value_t = 100_000)]
    people: u64,
    /// Keep the registry in this file, which must not exist
    #[arg(long, value_name = "FILE")]
    db: Option<PathBuf>,
}

impl Demo {
    pub(super) fn run(&self, output: &mut Output) -> Result<(), Failure> {
        let failed =
            |error: std::io::Error| Failure::Failed(format!("cannot make a temporary folder: {error}"));
        let folder = match self.db {
            Some(_) => None,
            None => Some(tempfile::tempdir().map_err(failed)?),
        };
        let path = match (&self.db, &folder) {
            (Some(path), _) => path.clone(),
            (None, Some(folder)) => folder.path().join("demo.ansinh"),
            (None, None) => PathBuf::from("demo.ansinh"),
        };
        let month: Month = MONTH.parse().map_err(Failure::of)?;
        let registry = Registry::create(&path, &Pack::vietnam(), machine::now())?;
        let begun = Instant::now();
        let options = SynthOptions {
            people: self.people,
            month,
            ..SynthOptions::default()
        };
        let loaded = synth::load(&registry, options)?;
        let loading = begun.elapsed();
        let author = Author::new("ansinh demo", format!("demonstration of {month}"));
        let made = run::make(&registry, &RunRequest::monthly(month), author)?;
        let view = registry.begin_read()?;
        if output.is_json() {
            output.json(&json!({
                "people": loaded.people,
                "households": loaded.households,
                "seconds": output::seconds(loading),
                "run": Json::Object(made.json()),
                "report": report::as_json(&view, &made.header, Breakdown::Province)?,
            }))?;
        } else {
            synth::report(output, loaded, loading)?;
            made.print(output)?;
            report::print(output, &view, &made.header, Breakdown::Province)?;
            report::print(output, &view, &made.header, Breakdown::Programme)?;
            self.advise(output, &view, &made.header)?;
        }
        drop(view);
        Ok(registry.close()?)
    }

    fn advise(&self, output: &mut Output, view: &RegistryView, run: &RunHeader) -> Result<(), Failure> {
        let Some(path) = &self.db else {
            return output.line("\nTo keep the registry and look around in it: ansinh demo --db demo.ansinh");
        };
        let path = path.display();
        output.line("\nTry next:")?;
        if let Some(id) = somebody_paid(view, run)? {
            output.line(format_args!("  ansinh show {path} {id} --as-of {MONTH}"))?;
            output.line(format_args!("  ansinh explain {path} {id} {MONTH}"))?;
        }
        output.line(format_args!("  ansinh report {path} {MONTH} --by channel"))?;
        output.line(format_args!("  ansinh log {path}"))
    }
}

/// The ID of somebody whom a run pays. Whoever is asked about here does not exist, so the ID is not masked.
fn somebody_paid(view: &RegistryView, run: &RunHeader) -> Result<Option<Identifier>, Failure> {
    let outcomes = entitlement::outcomes(view, run)?;
    for person in view.people() {
        let Some(code) = view.run_code(run.number, person)? else {
            continue;
        };
        let outcome = (code as usize).checked_sub(1).and_then(|at| outcomes.get(at));
        if outcome.is_some_and(|outcome| outcome.status == Status::Paid) {
            let state = view.person(person, run.month, Sequence::NEWEST)?;
            return Ok(state.map(|state| state.identifier));
        }
    }
    Ok(None)
}
