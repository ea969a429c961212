//! `policy check`: every error of a pack with its place; of a sound one, what is in it and how well it is sourced.

use clap::Args;
use serde_json::{Value as Json, json};

use super::{Source, doubtful_json, or_blank, short_hash};
use crate::cli::output::{Output, Table};
use crate::cli::{Failure, commands::policy::unreadable};
use crate::policy::{Doubtful, Finding, Pack, PackErrors, PackReadError, Severity};

/// Checks a pack.
#[derive(Debug, Args)]
#[command(
    after_help = "Of a sound pack everything is listed that is marked S3 (an unofficial source), M (commonly stated, not read in a source) or ? (sources in conflict, or an open question).\n\nExit codes: 0 sound, 1 not sound, 2 a file could not be read.\n\nExamples:\n  ansinh policy check vn\n  ansinh policy check my-pack.toml --json"
)]
pub struct Check {
    #[command(flatten)]
    source: Source,
}

fn finding_json(finding: &Finding) -> Json {
    let error = &finding.error;
    json!({
        "severity": finding.severity.to_string(),
        "line": error.line,
        "column": error.column,
        "message": error.message,
        "hint": error.hint,
    })
}

impl Check {
    pub(super) fn run(&self, output: &mut Output) -> Result<(), Failure> {
        match self.source.read() {
            Ok(pack) => {
                let name = self.source.name();
                Sound::of(&pack, &name).show(&name, output)
            }
            Err(PackReadError::Pack(errors)) => Err(self.unsound(&errors, output)?),
            Err(PackReadError::File { file, source }) => Err(unreadable(
                &file,
                &source,
                "the .toml file of a pack, or `vn` for the built-in pack",
            )),
        }
    }

    /// Shows the errors, and gives what the command ends with.
    fn unsound(&self, errors: &PackErrors, output: &mut Output) -> Result<Failure, Failure> {
        let name = self.source.name();
        if output.is_json() {
            output.json(&json!({
                "ok": false,
                "pack": name,
                "count": errors.count(),
                "errors": errors.errors().iter().map(|error| json!({
                    "file": error.file,
                    "line": error.line,
                    "column": error.column,
                    "message": error.message,
                    "hint": error.hint,
                })).collect::<Vec<_>>(),
                "warnings": [],
            }))?;
        } else {
            output.line(format_args!("{errors}\n"))?;
        }
        output.flush()?;
        Ok(Failure::No(match errors.count() {
            1 => format!("{name} has an error"),
            count => format!("{name} has {count} errors"),
        }))
    }
}

/// A sound pack.
struct Sound<'a> {
    pack: &'a Pack,
    counts: [(&'static str, usize); 9],
    findings: Vec<Finding>,
    doubtful: Vec<Doubtful>,
}

impl<'a> Sound<'a> {
    fn of(pack: &'a Pack, name: &str) -> Self {
        let parameters = pack.parameters();
        let provincial = parameters.iter().map(|parameter| parameter.provincial.len());
        Self {
            pack,
            counts: [
                ("attributes", pack.attributes().len()),
                ("definitions", pack.definitions().len()),
                ("parameters", parameters.len()),
                ("provincial values", provincial.sum()),
                ("tables", pack.tables().len()),
                ("programmes", pack.programmes().len()),
                ("groups", pack.groups().len()),
                ("examples", pack.examples().len()),
                ("files", pack.files().count()),
            ],
            findings: pack.lint(name),
            doubtful: pack.doubtful(),
        }
    }

    fn show(&self, name: &str, output: &mut Output) -> Result<(), Failure> {
        if output.is_json() {
            output.json(&self.json(name))
        } else {
            self.print(output)
        }
    }

    fn json(&self, name: &str) -> Json {
        let mut said = json!({
            "ok": true,
            "pack": name,
            "id": self.pack.id(),
            "version": self.pack.version(),
            "hash": short_hash(self.pack),
            "title_vi": self.pack.title_vi(),
            "title_en": self.pack.title_en(),
            "horizon": self.pack.horizon().map(|month| month.to_string()),
            "errors": [],
            "warnings": self.findings.iter().map(finding_json).collect::<Vec<_>>(),
            "low_confidence": self.doubtful.iter().map(doubtful_json).collect::<Vec<_>>(),
        });
        for (what, count) in self.counts {
            said[what.replace(' ', "_")] = count.into();
        }
        said
    }

    fn print(&self, output: &mut Output) -> Result<(), Failure> {
        let mut table = Table::list();
        table.pair("Pack", format_args!("{} {}", self.pack.id(), self.pack.version()));
        table.pair("Title", self.pack.title_vi());
        table.pair("", self.pack.title_en());
        table.pair("Hash", short_hash(self.pack));
        if let Some(horizon) = self.pack.horizon() {
            table.pair("Complete from", horizon);
        }
        for (what, count) in self.counts {
            let (first, rest) = what.split_at(1);
            table.pair(&format!("{}{rest}", first.to_uppercase()), count);
        }
        table.pair("Low confidence", self.doubtful.len());
        let of = |severity| {
            self.findings
                .iter()
                .filter(|found| found.severity == severity)
                .count()
        };
        table.pair("Warnings", of(Severity::Warning));
        table.pair("Notes", of(Severity::Note));
        output.table(&table)?;
        for finding in &self.findings {
            output.line(format_args!("\n{finding}"))?;
        }
        let mut table = Table::new(&["mark", "what", "from", "until", "known from", "source", ">line"])
            .titled("Not well sourced: S3 unofficial, M commonly stated, ? in conflict or open");
        for found in &self.doubtful {
            table.row([
                found.confidence.to_string(),
                found.what.clone(),
                or_blank(found.from),
                or_blank(found.until),
                or_blank(found.known_from),
                found.source.clone(),
                found.line.to_string(),
            ]);
        }
        output.table(&table)
    }
}
