//! `policy`: the law itself: whether a pack is sound, what is in it, what it makes of a case; and what it makes of the people
//! of a registry.

mod adopt;
mod check;
mod diff;
mod eval;
mod show;
mod test;

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use serde_json::{Value as Json, json};

use crate::cli::{Failure, Output};
use crate::policy::{Doubtful, Pack, PackReadError, ParameterRead, Unit};
use crate::types::{Date, Decimal, Month};

/// The word that stands for the built-in pack.
const BUILT_IN: &str = "vn";
/// The characters of a pack's hash that are shown.
const HASH_CHARS: usize = 12;

/// Works on policy packs.
#[derive(Debug, Args)]
#[command(arg_required_else_help = true)]
pub struct Policy {
    #[command(subcommand)]
    command: PolicyCommand,
}

#[derive(Debug, Subcommand)]
enum PolicyCommand {
    /// Check a pack: every error with its place; or what is in it, and what of it is not well sourced
    Check(check::Check),
    /// Run the examples of a pack
    Test(test::Test),
    /// Show a figure, a table, a programme, a group or a definition as it is for a month, and why
    Show(show::Show),
    /// Evaluate a case that stands in a file
    Eval(eval::Eval),
    /// Compare two packs over everyone in a registry: who gains, who loses, how much
    Diff(diff::Diff),
    /// Take a pack, or a new version of one, into a registry
    Adopt(adopt::Adopt),
}

impl Policy {
    pub(super) fn run(&self, output: &mut Output) -> Result<(), Failure> {
        match &self.command {
            PolicyCommand::Check(command) => command.run(output),
            PolicyCommand::Test(command) => command.run(output),
            PolicyCommand::Show(command) => command.run(output),
            PolicyCommand::Eval(command) => command.run(output),
            PolicyCommand::Diff(command) => command.run(output),
            PolicyCommand::Adopt(command) => command.run(output),
        }
    }
}

/// The pack that a command works on.
#[derive(Debug, Clone, Args)]
struct Source {
    /// The pack: a .toml file, with its tables beside it; or `vn` for the built-in pack for Vietnam
    #[arg(value_name = "PACK")]
    pack: PathBuf,
}

impl Source {
    fn is_built_in(&self) -> bool {
        self.pack == Path::new(BUILT_IN)
    }

    /// The name of the pack's file, for messages.
    fn name(&self) -> String {
        if self.is_built_in() {
            "policies/vn.toml".to_owned()
        } else {
            self.pack.display().to_string()
        }
    }

    fn read(&self) -> Result<Pack, PackReadError> {
        if self.is_built_in() {
            return Ok(Pack::vietnam());
        }
        Pack::read(&self.pack)
    }

    /// Reads a pack that must be sound. One that is not is rejected input.
    fn load(&self) -> Result<Pack, Failure> {
        self.read().map_err(|error| match error {
            PackReadError::Pack(errors) => Failure::No(errors.to_string()),
            PackReadError::File { file, source } => unreadable(
                &file,
                &source,
                "the .toml file of a pack, or `vn` for the built-in pack",
            ),
        })
    }
}

/// Why a file could not be read, and what to do.
fn unreadable(file: &str, error: &std::io::Error, expected: &str) -> Failure {
    Failure::Failed(match error.kind() {
        ErrorKind::NotFound => format!("there is no file {file}; expected {expected}"),
        ErrorKind::IsADirectory => format!("{file} is a directory; expected {expected}"),
        ErrorKind::InvalidData => format!("{file} is not UTF-8 text; save it as UTF-8"),
        _ => format!("{file} could not be read: {error}"),
    })
}

/// The month, and the law as it was known on a day.
#[derive(Debug, Clone, Copy, Args)]
struct When {
    /// The month, for example 2026-07
    #[arg(long, value_name = "MONTH")]
    month: Month,
    /// The law as it was known on this day [default: the last day of the month]
    #[arg(long, value_name = "DATE")]
    known_on: Option<Date>,
}

impl When {
    fn known_on(self) -> Date {
        self.known_on.unwrap_or_else(|| Date::last_of(self.month))
    }
}

/// The first characters of a pack's hash.
fn short_hash(pack: &Pack) -> String {
    let hash = blake3::Hash::from_bytes(pack.hash()).to_hex();
    hash[..HASH_CHARS].to_owned()
}

/// A figure for people.
fn figure(value: Decimal, unit: Unit) -> String {
    let amount = value.to_dong().filter(|_| unit == Unit::Dong);
    amount.map_or_else(|| value.to_string(), |amount| amount.to_string())
}

/// A figure in JSON: a whole number as it is, so that amounts keep every digit; another as the text of its digits.
fn figure_json(value: Decimal) -> Json {
    value
        .to_integer()
        .map_or_else(|| Json::from(value.to_string()), Json::from)
}

/// Something with a date, or nothing.
fn or_blank<T: ToString>(value: Option<T>) -> String {
    value.map_or_else(String::new, |value| value.to_string())
}

const fn yes(yes: bool) -> &'static str {
    if yes { "yes" } else { "no" }
}

/// A figure that was used: its name and its value, who set it if that is a province, and its mark if it is a low one.
fn used(read: &ParameterRead) -> String {
    let area = read.area.map(|area| area.to_string());
    let mark = Some(read.value.confidence).filter(|mark| mark.is_low());
    let notes: Vec<String> = area
        .into_iter()
        .chain(mark.map(|mark| format!("marked {mark}")))
        .collect();
    let value = figure(read.value.value, read.unit);
    if notes.is_empty() {
        format!("{} = {value}", read.name)
    } else {
        format!("{} = {value} ({})", read.name, notes.join(", "))
    }
}

fn doubtful_json(found: &Doubtful) -> Json {
    json!({
        "confidence": found.confidence.to_string(),
        "what": found.what,
        "from": found.from.map(|month| month.to_string()),
        "until": found.until.map(|month| month.to_string()),
        "known_from": found.known_from.map(|day| day.to_string()),
        "source": found.source,
        "line": found.line,
    })
}
