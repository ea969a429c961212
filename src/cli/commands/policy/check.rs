//! `policy check`: every error of a pack with its place; of a sound one, what is in it and how well it is sourced.

use std::collections::BTreeSet;

use clap::Args;
use serde_json::{Value as Json, json};

use super::{Source, doubtful_json, or_blank, short_hash};
use crate::cli::output::{Output, Table};
use crate::cli::{Failure, commands::policy::unreadable};
use crate::policy::{Doubtful, Pack, PackErrors, PackReadError};

/// Checks a pack.
#[derive(Debug, Args)]
#[command(
    after_help = "Of a sound pack everything is listed that is marked S3 (an unofficial source), M (commonly stated, not read in a source) or ? (sources in conflict, or an open question).\n\nExit codes: 0 sound, 1 not sound, 2 a file could not be read.\n\nExamples:\n  ansinh policy check vn\n  ansinh policy check my-pack.toml --json"
)]
pub struct Check {
    #[command(flatten)]
    source: Source,
}

/// Something that is sound and still looks wrong.
struct Warning {
    /// The line of the pack, where it is one.
    line: Option<usize>,
    message: String,
}

impl Warning {
    fn json(&self) -> Json {
        json!({ "line": self.line, "message": self.message })
    }
}

/// Everything in a sound pack that still looks wrong. Whatever else finds such things adds them here.
fn warnings(pack: &Pack) -> Vec<Warning> {
    let (mut parameters, mut tables) = (BTreeSet::new(), BTreeSet::new());
    for rule in pack.programmes() {
        parameters.extend(rule.parameters.iter().copied());
        tables.extend(rule.tables.iter().copied());
    }
    let names = pack
        .parameters()
        .iter()
        .map(|parameter| &parameter.name)
        .enumerate();
    let unread = names.filter(|(place, _)| !parameters.contains(place));
    let parameters = unread.map(|(_, name)| format!("param.{name} is read by no programme"));
    let names = pack.tables().iter().map(|table| &table.name).enumerate();
    let unread = names.filter(|(place, _)| !tables.contains(place));
    let tables = unread.map(|(_, name)| format!("table.{name} is read by no programme"));
    parameters
        .chain(tables)
        .map(|message| Warning { line: None, message })
        .collect()
}

impl Check {
    pub(super) fn run(&self, output: &mut Output) -> Result<(), Failure> {
        match self.source.read() {
            Ok(pack) => Sound::of(&pack).show(&self.source.name(), output),
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
    warnings: Vec<Warning>,
    doubtful: Vec<Doubtful>,
}

impl<'a> Sound<'a> {
    fn of(pack: &'a Pack) -> Self {
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
            warnings: warnings(pack),
            doubtful: pack.doubtful(),
        }
    }

    fn show(&self, name: &str, output: &mut Output) -> Result<(), Failure> {
        if output.is_json() {
            output.json(&self.json(name))
        } else {
            self.print(name, output)
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
            "warnings": self.warnings.iter().map(Warning::json).collect::<Vec<_>>(),
            "low_confidence": self.doubtful.iter().map(doubtful_json).collect::<Vec<_>>(),
        });
        for (what, count) in self.counts {
            said[what.replace(' ', "_")] = count.into();
        }
        said
    }

    fn print(&self, name: &str, output: &mut Output) -> Result<(), Failure> {
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
        table.pair("Warnings", self.warnings.len());
        output.table(&table)?;
        let mut table = Table::new(&["place", "warning"]).titled("Sound, but look at it again");
        for warning in &self.warnings {
            let place = match warning.line {
                Some(line) => format!("{name}:{line}"),
                None => name.to_owned(),
            };
            table.row([place, warning.message.clone()]);
        }
        output.table(&table)?;
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
