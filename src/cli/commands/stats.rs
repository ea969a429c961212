//! `stats`: how much a registry holds, and how much room it takes.

use clap::Args;
use serde_json::json;

use crate::cli::Failure;
use crate::cli::database::Database;
use crate::cli::output::{self, Output, Table};
use crate::entitlement::RunHeader;
use crate::kernel::TableSize;
use crate::types::Total;

/// Shows sizes, and the runs that were made.
#[derive(Debug, Args)]
#[command(
    after_help = "Every page is read for the sizes of the tables, so a large registry takes a while.\n\nExample:\n  ansinh stats national.ansinh"
)]
pub struct Stats {
    #[command(flatten)]
    database: Database,
}

impl Stats {
    pub(super) fn run(&self, output: &mut Output) -> Result<(), Failure> {
        let registry = self.database.read()?;
        let view = registry.begin_read()?;
        let counts = view.counts()?;
        let path = &self.database.path;
        let file_bytes = std::fs::metadata(path)
            .map_err(|error| Failure::Failed(format!("cannot read the size of {}: {error}", path.display())))?
            .len();
        let sizes = view.table_sizes()?;
        let policy = view.policy()?;
        let runs = view.run_headers()?;
        let per_person = file_bytes.checked_div(counts.people);
        if output.is_json() {
            let tables: Vec<_> = sizes.iter().map(as_json).collect();
            return output.json(&json!({
                "people": counts.people,
                "households": counts.households,
                "units": counts.units,
                "transactions": view.newest().get(),
                "pack": policy.pack().id(),
                "pack_version": policy.pack().version(),
                "file_bytes": file_bytes,
                "bytes_per_person": per_person,
                "tables": tables,
                "runs": runs.iter().map(run_as_json).collect::<Vec<_>>(),
            }));
        }
        let mut table = Table::list();
        table.pair("People", counts.people);
        table.pair("Households", counts.households);
        table.pair("Communes", counts.units);
        table.pair("Transactions", view.newest().get());
        table.pair(
            "Pack",
            format!("{} version {}", policy.pack().id(), policy.pack().version()),
        );
        table.pair("File", output::bytes(file_bytes));
        if let Some(bytes) = per_person {
            table.pair("A person", format!("{bytes} bytes of file"));
        }
        output.table(&table)?;
        let mut table = Table::new(&[
            "table",
            ">entries",
            ">pages",
            ">bytes",
            ">stored",
            ">metadata",
            ">empty",
        ])
        .titled("Tables");
        for size in sizes.iter().filter(|size| size.entries > 0) {
            table.row([
                size.name.to_owned(),
                size.entries.to_string(),
                size.pages.to_string(),
                output::bytes(size.bytes()),
                output::bytes(size.stored_bytes),
                output::bytes(size.metadata_bytes),
                output::bytes(size.fragmented_bytes),
            ]);
        }
        output.table(&table)?;
        output.table(&table_of(&runs))
    }
}

/// The runs, in the order in which they were made.
fn table_of(runs: &[RunHeader]) -> Table {
    let mut table = Table::new(&[
        "run", "kind", "campaign", "month", "scope", "status", ">people", ">paid", ">amount",
    ])
    .titled("Runs");
    for run in runs {
        table.row([
            run.number.to_string(),
            run.kind.to_string(),
            run.campaign_name().unwrap_or("-").to_owned(),
            run.month.to_string(),
            run.scope.to_string(),
            run.status.to_string(),
            run.people.to_string(),
            run.paid.to_string(),
            Total::new(run.amount).to_string(),
        ]);
    }
    table
}

fn run_as_json(run: &RunHeader) -> serde_json::Value {
    json!({
        "run": run.number,
        "id": run.id,
        "kind": run.kind.to_string(),
        "campaign": run.campaign_name(),
        "month": run.month.to_string(),
        "scope": run.scope.to_string(),
        "status": run.status.to_string(),
        "people": run.people,
        "paid": run.paid,
        "amount": output::total(Total::new(run.amount)),
    })
}

fn as_json(size: &TableSize) -> serde_json::Value {
    json!({
        "name": size.name,
        "entries": size.entries,
        "pages": size.pages,
        "bytes": size.bytes(),
        "stored_bytes": size.stored_bytes,
        "metadata_bytes": size.metadata_bytes,
        "fragmented_bytes": size.fragmented_bytes,
    })
}
