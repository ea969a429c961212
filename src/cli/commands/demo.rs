//! `demo`: a population, a month, a report, and what to try next.

use std::path::{Path, PathBuf};
use std::time::Instant;

use clap::Args;
use serde_json::{Value as Json, json};

use super::report::{self, Breakdown};
use super::{explain, run, synth};
use crate::cli::output::{self, Output};
use crate::cli::{Failure, machine};
use crate::entitlement::{self, RunHeader, RunRequest};
use crate::kernel::Author;
use crate::policy::{Pack, Status};
use crate::registry::{Registry, RegistryView};
use crate::synth::SynthOptions;
use crate::types::{Identifier, Month, PersonNumber, Sequence};

/// The month that the demonstration runs: the one for which the population is made.
const MONTH: &str = "2026-06";

/// Demonstrates the registry.
#[derive(Debug, Args)]
#[command(
    after_help = "Nobody in the population exists. Without --db the registry is made in the folder for temporary files, where the next demonstration replaces it.\n\nExamples:\n  ansinh demo\n  ansinh demo --people 100000 --db demo.ansinh"
)]
pub struct Demo {
    /// How many people
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..), default_value_t = 1_000_000)]
    people: u64,
    /// Make the registry in this file, which must not exist
    #[arg(long, value_name = "FILE")]
    db: Option<PathBuf>,
}

impl Demo {
    pub(super) fn run(&self, output: &mut Output) -> Result<(), Failure> {
        let path = self.place()?;
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
            Self::show_somebody(output, &view, &made.header, &path)?;
        }
        drop(view);
        Ok(registry.close()?)
    }

    /// Where the registry is made. What an earlier demonstration left there is replaced.
    fn place(&self) -> Result<PathBuf, Failure> {
        if let Some(path) = &self.db {
            return Ok(path.clone());
        }
        let whose = machine::user()
            .unwrap_or_default()
            .replace(|c: char| !c.is_ascii_alphanumeric(), "-");
        let path = std::env::temp_dir().join(format!("demo-{whose}.ansinh"));
        match std::fs::remove_file(&path) {
            Ok(()) => Ok(path),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(path),
            Err(error) => {
                let path = path.display();
                Err(Failure::Failed(format!(
                    "cannot replace {path}: {error}; name another file with --db"
                )))
            }
        }
    }

    /// Explains the amount of somebody whom the run pays, and says what to try next.
    fn show_somebody(
        output: &mut Output,
        view: &RegistryView,
        run: &RunHeader,
        path: &Path,
    ) -> Result<(), Failure> {
        let program = machine::program();
        let path = path.display();
        let somebody = somebody_paid(view, run)?;
        if let Some((person, id)) = somebody {
            output.line(format_args!(
                "\nWhy {id} is paid (nobody in this registry exists, so the ID is shown whole):"
            ))?;
            explain::print_brief(output, view, person, run.month)?;
        }
        output.line("\nTry next:")?;
        if let Some((_, id)) = somebody {
            output.line(format_args!("  {program} show {path} {id} --history"))?;
            output.line(format_args!("  {program} explain {path} {id} {MONTH} --all"))?;
        }
        output.line(format_args!("  {program} report {path} {MONTH} --by channel"))?;
        output.line(format_args!(
            "  {program} run {path} 2026-07 --known-on 2026-10-10 --dry-run"
        ))?;
        output.line(format_args!("  {program} log {path}"))?;
        output.line(format_args!("  {program} help"))
    }
}

/// The ID of somebody whom a run pays. Whoever is asked about here does not exist, so the ID is not masked.
fn somebody_paid(
    view: &RegistryView,
    run: &RunHeader,
) -> Result<Option<(PersonNumber, Identifier)>, Failure> {
    let outcomes = entitlement::outcomes(view, run)?;
    for person in view.people() {
        let Some(code) = view.run_code(run.number, person)? else {
            continue;
        };
        let outcome = (code as usize).checked_sub(1).and_then(|at| outcomes.get(at));
        if outcome.is_some_and(|outcome| outcome.status == Status::Paid) {
            let state = view.person(person, run.month, Sequence::NEWEST)?;
            return Ok(state.map(|state| (person, state.identifier)));
        }
    }
    Ok(None)
}
