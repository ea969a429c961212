//! The command line: every command once, with its help.
//!
//! **Invariant:** only this layer prints and reads clocks.
//!
//! # What it promises
//!
//! * Exit code 0: done. 1: the answer is "no" (nobody has this ID, a change was refused), or some input was rejected.
//!   2: the command was not understood, or something failed. A reader that closes the pipe is no error.
//! * Standard output holds the answer alone: tables on a terminal, the same cells separated by tabs in a pipe, one JSON
//!   value with `--json`. Errors go to standard error, as `error: ...`, or with `--json` as one line
//!   `{"error": "...", "exit": 2}`.
//! * Personal IDs are masked everywhere, also in JSON, unless `--unmask` is given. One exception: in JSON the ID by
//!   which a person was asked for comes back as it was given, so that a program can match answer and question.
//! * Facts about HIV are left out without a word, unless `--sensitive REASON` is given; that look-up is then itself
//!   written to the log with its reason.
//! * Amounts in JSON are whole numbers of đồng.

mod commands;
mod database;
mod describe;
mod failure;
mod machine;
mod output;
mod progress;

use std::io::Write;
use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::{CommandFactory, Parser};

pub use commands::Command;
pub use failure::Failure;
pub use output::Output;

/// The exit code of a command that was not understood, or failed.
const EXIT_FAILED: u8 = 2;

/// The command line as it is parsed.
#[derive(Debug, Parser)]
#[command(
    name = "ansinh",
    version,
    about = "A registry for social protection: beneficiaries, eligibility and monthly entitlements in one file",
    after_help = EXAMPLES,
    arg_required_else_help = true
)]
pub struct Cli {
    /// Print one JSON value instead of tables, and errors as JSON too
    #[arg(long, global = true)]
    pub json: bool,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

const EXAMPLES: &str = "\
Examples:
  ansinh demo
  ansinh init national.ansinh
  ansinh synth national.ansinh --people 100000
  ansinh run national.ansinh 2026-06
  ansinh report national.ansinh 2026-06 --by programme
  ansinh log national.ansinh --tail 5

Exit codes: 0 done, 1 the answer is no or some input was rejected, 2 usage or failure.";

/// The definition of every command, for completion and reference pages.
pub fn definition() -> clap::Command {
    Cli::command()
}

/// Runs the command that the program's arguments give, and answers with its exit code.
pub fn main() -> ExitCode {
    let wants_json = std::env::args_os().skip(1).any(|argument| argument == "--json");
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return not_understood(&error, wants_json),
    };
    let mut output = Output::stdout(cli.json);
    let result = cli.command.run(&mut output).and_then(|()| output.flush());
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(cli.json),
    }
}

/// Help and version are answers; everything else that clap says is an error of usage.
fn not_understood(error: &clap::Error, json: bool) -> ExitCode {
    let help = matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion);
    if help || !json {
        // Nothing can be said of a stream that does not take the message itself.
        let _ = error.print();
    } else {
        let text = error.render().to_string();
        let text = text
            .trim()
            .strip_prefix("error: ")
            .unwrap_or(text.trim())
            .to_owned();
        let _ = writeln!(std::io::stderr(), "{}", failure::as_json(&text, EXIT_FAILED));
    }
    if help {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(EXIT_FAILED)
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_definition_of_the_commands_holds_together() {
        super::definition().debug_assert();
    }
}
