//! `export`: everyone, every household and every commune with facts as a CSV file.

use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::time::Instant;

use clap::Args;
use serde_json::json;
use tempfile::NamedTempFile;

use crate::cli::database::Database;
use crate::cli::output::{self, Output};
use crate::cli::progress::Progress;
use crate::cli::{Failure, machine};
use crate::export::{ExportError, ExportSummary, export};
use crate::import::{self, Stage};
use crate::registry::RegistryView;

/// Exports a registry.
#[derive(Debug, Args)]
#[command(
    after_help = "The file holds personal IDs and everything else in full: keep it as safe as the registry. `import` reads it.\n\nExamples:\n  ansinh export national.ansinh people.csv\n  ansinh export national.ansinh - | gzip > people.csv.gz"
)]
pub struct Export {
    #[command(flatten)]
    database: Database,
    /// The CSV file, which must not exist; `-` for standard output
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

/// A bar for each stage of an import or an export.
#[derive(Debug, Default)]
pub struct Stages(Option<(Stage, Progress)>);

impl Stages {
    /// Hears how far it is.
    pub fn hear(&mut self, progress: import::Progress) {
        let begun = self.0.take().filter(|(stage, _)| *stage == progress.stage);
        let name = match progress.stage {
            Stage::Reading => "reading",
            Stage::Checking => "checking",
            Stage::Writing => "writing",
        };
        let (stage, bar) = begun.unwrap_or_else(|| {
            (
                progress.stage,
                Progress::new(name, progress.total.unwrap_or_default()),
            )
        });
        bar.reach(progress.done);
        self.0 = Some((stage, bar));
    }
}

fn write(view: &RegistryView, to: impl Write) -> Result<ExportSummary, Failure> {
    let mut stages = Stages::default();
    export(view, to, &mut |progress| stages.hear(progress)).map_err(|error| match error {
        ExportError::Csv(error) => match error.into_kind() {
            csv::ErrorKind::Io(error) => error.into(),
            other => Failure::Failed(format!("cannot write the CSV file: {other:?}")),
        },
        other => Failure::of(other),
    })
}

impl Export {
    pub(super) fn run(&self, output: &mut Output) -> Result<(), Failure> {
        let begun = Instant::now();
        let registry = self.database.read()?;
        let view = registry.begin_read()?;
        if self.file == Path::new("-") {
            write(&view, output.writer())?;
            return Ok(());
        }
        let summary = self.to_file(&view)?;
        let took = begun.elapsed();
        if output.is_json() {
            return output.json(&json!({
                "people": summary.people,
                "households": summary.households,
                "communes": summary.communes,
                "left_out": summary.left_out,
                "seconds": output::seconds(took),
                "peak_memory_bytes": machine::peak_memory_bytes(),
            }));
        }
        output.line(format_args!(
            "Exported {} people, {} households and {} communes with facts to {} in {:.2} s.",
            summary.people,
            summary.households,
            summary.communes,
            self.file.display(),
            took.as_secs_f64()
        ))?;
        if summary.left_out > 0 {
            output.line(format_args!(
                "{} values of retired attributes were left out or written as unknown.",
                summary.left_out
            ))?;
        }
        Ok(())
    }

    /// The file appears under its name when it is whole, readable by its owner alone.
    fn to_file(&self, view: &RegistryView) -> Result<ExportSummary, Failure> {
        let shown = self.file.display();
        if self.file.exists() {
            return Err(Failure::Failed(format!(
                "{shown} exists already; choose another name, or remove it"
            )));
        }
        let failed = |error: std::io::Error| {
            Failure::Failed(format!("cannot write {shown}: {error}; choose another place"))
        };
        let folder = self.file.parent().filter(|folder| !folder.as_os_str().is_empty());
        let mut file = NamedTempFile::new_in(folder.unwrap_or(Path::new("."))).map_err(failed)?;
        let summary = write(view, BufWriter::new(&mut file))?;
        file.as_file().sync_all().map_err(failed)?;
        file.persist_noclobber(&self.file)
            .map_err(|error| failed(error.error))?;
        Ok(summary)
    }
}
