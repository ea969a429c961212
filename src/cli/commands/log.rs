//! `log`: who changed what, when and why.

use clap::Args;
use serde_json::json;

use crate::cli::Failure;
use crate::cli::database::Database;
use crate::cli::output::{Output, Table};
use crate::kernel::LogKind;
use crate::kernel::log::LogEntry;

/// How many transactions are shown unless more are asked for.
const TAIL: usize = 20;
/// How much of a hash is shown in a table.
const HASH_DIGITS: usize = 12;

/// Shows the log.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  ansinh log national.ansinh\n  ansinh log national.ansinh --tail 1 --json"
)]
pub struct Log {
    #[command(flatten)]
    database: Database,
    /// How many of the last transactions to show
    #[arg(long, value_name = "N", default_value_t = TAIL)]
    tail: usize,
}

const fn kind(kind: Option<LogKind>) -> &'static str {
    match kind {
        Some(LogKind::Operations) => "operations",
        Some(LogKind::Adoption) => "adoption",
        Some(LogKind::Bulk) => "bulk load",
        Some(LogKind::Run) => "run",
        None => "of a later version",
    }
}

fn hex(hash: [u8; 32]) -> String {
    blake3::Hash::from_bytes(hash).to_string()
}

impl Log {
    pub(super) fn run(&self, output: &mut Output) -> Result<(), Failure> {
        let registry = self.database.read()?;
        let view = registry.begin_read()?;
        let mut entries = Vec::new();
        for entry in view.log(..)?.rev().take(self.tail) {
            entries.push(entry?);
        }
        entries.reverse();
        let total = view.log_len()?;
        if output.is_json() {
            let entries: Vec<_> = entries.iter().map(as_json).collect();
            return output.json(&json!({ "entries": entries, "total": total }));
        }
        let mut table = Table::new(&[">seq", "at", "kind", ">operations", "author", "reason", "hash"]);
        let shown = entries.len();
        for entry in entries {
            let mut hash = hex(entry.hash);
            hash.truncate(HASH_DIGITS);
            table.row([
                entry.sequence.get().to_string(),
                entry.instant.to_string(),
                kind(entry.kind).to_owned(),
                entry.operations.to_string(),
                entry.author,
                entry.reason,
                hash,
            ]);
        }
        output.table(&table)?;
        if output.is_terminal() && total > shown as u64 {
            output.line(format_args!(
                "The last {shown} of {total}; --tail {total} shows all."
            ))?;
        }
        Ok(())
    }
}

fn as_json(entry: &LogEntry) -> serde_json::Value {
    json!({
        "sequence": entry.sequence.get(),
        "at": entry.instant.to_string(),
        "kind": kind(entry.kind),
        "operations": entry.operations,
        "author": entry.author,
        "reason": entry.reason,
        "hash": hex(entry.hash),
    })
}
