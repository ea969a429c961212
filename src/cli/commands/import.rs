//! `import`: people, households and facts from a CSV file.

use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use clap::Args;
use serde_json::json;

use super::export::Stages;
use crate::cli::database::{self, Database};
use crate::cli::output::{self, Output, Table};
use crate::cli::{Failure, machine};
use crate::import::{ImportError, ImportOptions, ImportReport, Reject, import};
use crate::kernel::Author;
use crate::registry::{Registry, RegistryError};
use crate::types::Identifier;

/// The name that stands for standard input.
const STANDARD: &str = "-";

/// Imports a file.
#[derive(Debug, Args)]
#[command(
    after_help = "One transaction: if a row is rejected nothing is written, unless --partial is given. Every rejected row is reported with its line, column, value and reason. Importing a file again changes nothing.\n\nExamples:\n  ansinh import national.ansinh people.csv\n  ansinh import national.ansinh people.csv --partial --rejects rejected.csv"
)]
pub struct Import {
    #[command(flatten)]
    database: Database,
    /// The CSV file; `-` for standard input
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Take the good rows of a file that has bad ones
    #[arg(long)]
    partial: bool,
    /// Write rejected rows to this file, which must not exist, to be corrected and imported [default: the name of the
    /// CSV file and `.rejects.csv`, replaced by each import that rejects anything]
    #[arg(long, value_name = "FILE")]
    rejects: Option<PathBuf>,
    /// Who imports [default: the user who is logged in]
    #[arg(long, value_name = "NAME", value_parser = database::said)]
    author: Option<String>,
    /// Why; stands in the log [default: the name of the file]
    #[arg(long, value_name = "TEXT", value_parser = database::said)]
    reason: Option<String>,
    /// Show personal IDs in rejected cells in full
    #[arg(long)]
    unmask: bool,
}

impl Import {
    pub(super) fn run(&self, output: &mut Output) -> Result<(), Failure> {
        let begun = Instant::now();
        let author = database::author(self.author.as_deref())?;
        let input = self.input()?;
        let registry = self.database.write()?;
        let report = self.import(&registry, input, &author)?;
        registry.close()?;
        self.print(output, &report, begun.elapsed())?;
        if report.rejected == 0 {
            return Ok(());
        }
        output.flush()?;
        let (rejected, rows) = (report.rejected, report.rows);
        Err(Failure::No(if self.partial {
            format!("{rejected} of {rows} rows were rejected; correct them and import them")
        } else {
            format!(
                "{rejected} of {rows} rows were rejected, so nothing was written; correct them and import the file again, or take the good rows with --partial"
            )
        }))
    }

    fn input(&self) -> Result<Box<dyn Read>, Failure> {
        if self.file == Path::new(STANDARD) {
            return Ok(Box::new(io::stdin().lock()));
        }
        match File::open(&self.file) {
            Ok(file) => Ok(Box::new(BufReader::new(file))),
            Err(error) => Err(Failure::Failed(format!(
                "cannot open the CSV file {}: {error}; check the name",
                self.file.display()
            ))),
        }
    }

    fn import(
        &self,
        registry: &Registry,
        input: Box<dyn Read>,
        author: &str,
    ) -> Result<ImportReport, Failure> {
        let reason = self
            .reason
            .clone()
            .unwrap_or_else(|| format!("import of {}", self.file.display()));
        let mut options =
            ImportOptions::new(Author::new(author, reason), machine::now()).on(machine::workers());
        if self.partial {
            options = options.partial();
        }
        let target = self.rejects_file_name();
        if let Some(path) = self.rejects.as_ref().filter(|path| path.exists()) {
            return Err(cannot_create(path, &io::ErrorKind::AlreadyExists.into()));
        }
        let mut rejects = match &target {
            Some(path) => Some(BufWriter::new(beside(path)?)),
            None => None,
        };
        let mut stages = Stages::default();
        let sink = rejects.as_mut().map(|file| file as &mut dyn Write);
        let report = import(registry.store(), input, &options, sink, &mut |progress| {
            stages.hear(progress);
        });
        let report = report.map_err(|error| match error {
            ImportError::Write(error) => RegistryError::from(error).into(),
            other => Failure::Failed(format!("{}: {other}", self.file.display())),
        })?;
        if let (Some(file), Some(path), 1..) = (rejects, &target, report.rejected) {
            let file = file.into_inner().map_err(io::IntoInnerError::into_error)?;
            let kept = if self.rejects.is_some() {
                file.persist_noclobber(path)
            } else {
                file.persist(path)
            };
            kept.map_err(|error| cannot_create(path, &error.error))?;
        }
        Ok(report)
    }

    /// Where rejected rows go; nowhere if the rows come from standard input and no file is named.
    fn rejects_file_name(&self) -> Option<PathBuf> {
        if self.rejects.is_some() {
            return self.rejects.clone();
        }
        if self.file == Path::new(STANDARD) {
            return None;
        }
        let mut name = self.file.clone().into_os_string();
        name.push(".rejects.csv");
        Some(name.into())
    }

    fn print(&self, output: &mut Output, report: &ImportReport, took: Duration) -> Result<(), Failure> {
        if output.is_json() {
            let rejects: Vec<_> = report
                .rejects
                .iter()
                .map(|reject| {
                    json!({
                        "line": reject.line,
                        "column": reject.column,
                        "value": self.cell(reject),
                        "reason": reject.reason,
                    })
                })
                .collect();
            return output.json(&json!({
                "accepted": if report.rejected > 0 && report.sequence.is_none() { 0 } else { report.accepted },
                "rejected": report.rejected,
                "existing": report.existing,
                "households": report.households,
                "communes": report.communes,
                "rows": report.rows,
                "bulk": report.bulk,
                "written": report.sequence.is_some(),
                "sequence": report.sequence.map(crate::types::Sequence::get),
                "rejects": rejects,
                "rejects_file": self.kept(report),
                "seconds": output::seconds(took),
                "peak_memory_bytes": machine::peak_memory_bytes(),
            }));
        }
        let mut table = Table::new(&[">line", "column", "value", "reason"]).titled("Rejected");
        for reject in &report.rejects {
            let line = reject.line.to_string();
            table.row([
                line,
                reject.column.clone(),
                self.cell(reject),
                reject.reason.clone(),
            ]);
        }
        output.table(&table)?;
        let shown = report.rejects.len() as u64;
        if report.rejected > shown {
            output.line(format_args!(
                "The first {shown} reasons; {} rows were rejected.",
                report.rejected
            ))?;
        }
        if let Some(path) = self.kept(report) {
            output.line(format_args!(
                "Every rejected row is in {path}, to be corrected and imported."
            ))?;
        }
        if report.sequence.is_none() && report.rejected == 0 {
            let existing = report.existing;
            return output.line(format_args!(
                "All {existing} people were there already; nothing was written."
            ));
        }
        let written = if report.sequence.is_some() {
            "Added"
        } else {
            "Nothing was written. The good rows are"
        };
        output.line(format_args!(
            "{written} {} people in {} new households; {} people were there already. {:.2} s.",
            report.accepted,
            report.households,
            report.existing,
            took.as_secs_f64()
        ))
    }

    /// The file in which rejected rows were kept.
    fn kept(&self, report: &ImportReport) -> Option<String> {
        let path = self.rejects_file_name()?;
        (report.rejected > 0).then(|| path.display().to_string())
    }

    /// The cell that was rejected; whole personal IDs are masked.
    fn cell(&self, reject: &Reject) -> String {
        match reject.value.parse::<Identifier>() {
            Ok(id) if !self.unmask => id.masked(),
            _ => reject.value.clone(),
        }
    }
}

/// A file that nobody else reads, in the folder of the one that it may become.
fn beside(path: &Path) -> Result<tempfile::NamedTempFile, Failure> {
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    tempfile::NamedTempFile::new_in(folder).map_err(|error| cannot_create(path, &error))
}

fn cannot_create(path: &Path, error: &io::Error) -> Failure {
    Failure::Failed(format!(
        "cannot create {}: {error}; choose a name that does not exist, in a folder that can be written",
        path.display()
    ))
}
