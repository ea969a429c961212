//! `report`: what a run came to, broken down.

use clap::{Args, ValueEnum};
use serde_json::{Value as Json, json};

use super::run::{doubtful_json, print_doubtful};
use crate::cli::Failure;
use crate::cli::database::Database;
use crate::cli::output::{self, Output, Table};
use crate::entitlement::{RunHeader, Scope};
use crate::registry::RegistryView;
use crate::report::{self, By, Row};
use crate::types::{Month, ProvinceCode};

/// Reports a run.
#[derive(Debug, Args)]
#[command(
    after_help = "A person can be paid by several programmes, so the people of a report by programme need not add up to those who are paid; the amounts do.\n\nExamples:\n  ansinh report national.ansinh 2026-06\n  ansinh report national.ansinh 2026-06 --by programme --json\n  ansinh report national.ansinh 2026-06 --campaign emergency_injury"
)]
pub struct Report {
    #[command(flatten)]
    database: Database,
    /// The month
    #[arg(value_name = "MONTH")]
    month: Month,
    /// The run of a campaign, by its identifier, in place of the monthly run
    #[arg(long, value_name = "NAME")]
    campaign: Option<String>,
    /// By what
    #[arg(long, value_enum, default_value_t = Breakdown::Province)]
    by: Breakdown,
    /// The run of a province, by its two-digit code
    #[arg(long, value_name = "CODE")]
    province: Option<ProvinceCode>,
}

/// By what a report is broken down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Breakdown {
    /// The 34 provinces
    Province,
    /// The communes
    Commune,
    /// The programmes
    Programme,
    /// The payment channels
    Channel,
}

impl From<Breakdown> for By {
    fn from(breakdown: Breakdown) -> Self {
        match breakdown {
            Breakdown::Province => Self::Province,
            Breakdown::Commune => Self::Commune,
            Breakdown::Programme => Self::Programme,
            Breakdown::Channel => Self::Channel,
        }
    }
}

impl Breakdown {
    /// Whether everyone in scope is in exactly one line.
    const fn is_place(self) -> bool {
        matches!(self, Self::Province | Self::Commune)
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Province => "province",
            Self::Commune => "commune",
            Self::Programme => "programme",
            Self::Channel => "channel",
        }
    }
}

/// A run, broken down, in JSON.
pub fn as_json(view: &RegistryView, run: &RunHeader, by: Breakdown) -> Result<Json, Failure> {
    let report = report::report(view, run, by.into())?;
    let rows: Vec<Json> = report
        .rows
        .iter()
        .map(|row| row_json(row, by.is_place()))
        .collect();
    Ok(json!({
        "month": run.month.to_string(),
        "kind": run.kind.to_string(),
        "campaign": run.campaign_name(),
        "run": run.number,
        "status": run.status.to_string(),
        "by": by.name(),
        "rows": rows,
        "total": row_json(&report.total, true),
        "doubtful": doubtful_json(run),
    }))
}

fn row_json(row: &Row, is_place: bool) -> Json {
    json!({
        "key": row.key,
        "name": row.name,
        "people": is_place.then_some(row.status.people),
        "paid": row.status.paid,
        "paid_with_held": is_place.then_some(row.status.paid_with_held),
        "zero": is_place.then_some(row.status.zero),
        "held": row.status.held,
        "error": row.status.error,
        "amount": output::total(row.amount),
        "amount_held": output::total(row.held),
    })
}

/// Prints a run, broken down.
pub fn print(
    output: &mut Output,
    view: &RegistryView,
    run: &RunHeader,
    by: Breakdown,
) -> Result<(), Failure> {
    let report = report::report(view, run, by.into())?;
    let title = format!(
        "{}{} by {}, run {} ({})",
        run.campaign_name()
            .map_or_else(String::new, |campaign| format!("{campaign}, ")),
        run.month,
        by.name(),
        run.number,
        run.status
    );
    let mut table = if by.is_place() {
        Table::new(&[
            by.name(),
            "name",
            ">people",
            ">paid",
            ">zero",
            ">held",
            ">error",
            ">amount",
            ">held at most",
        ])
    } else {
        Table::new(&[
            by.name(),
            "name",
            ">paid",
            ">held",
            ">error",
            ">amount",
            ">held at most",
        ])
    };
    for row in report.rows.iter().chain([&report.total]) {
        let status = &row.status;
        let counts = if by.is_place() {
            vec![status.people, status.paid, status.zero, status.held, status.error]
        } else {
            vec![status.paid, status.held, status.error]
        };
        let mut cells = vec![row.key.clone(), row.name.clone()];
        cells.extend(counts.iter().map(ToString::to_string));
        cells.extend([row.amount.to_string(), row.held.to_string()]);
        table.row(cells);
    }
    output.table(&table.titled(title))
}

impl Report {
    pub(super) fn run(&self, output: &mut Output) -> Result<(), Failure> {
        let registry = self.database.read()?;
        let view = registry.begin_read()?;
        let scope = self
            .province
            .map_or(Scope::Country, |code| Scope::Province(code.number()));
        let found = match &self.campaign {
            Some(campaign) => view.campaign_run_of(campaign, self.month, scope)?,
            None => view.run_of(self.month, scope)?,
        };
        let Some(run) = found else {
            return Err(self.not_run(&view, scope)?);
        };
        if output.is_json() {
            output.json(&as_json(&view, &run, self.by)?)
        } else {
            print(output, &view, &run, self.by)?;
            print_doubtful(output, &run)
        }
    }

    /// What to do where there is no run.
    fn not_run(&self, view: &RegistryView, scope: Scope) -> Result<Failure, Failure> {
        let (month, path) = (self.month, self.database.path.display());
        let mut options = self
            .province
            .map_or_else(String::new, |code| format!(" --province {code}"));
        let mut what = format!("{month} ({scope})");
        if let Some(campaign) = &self.campaign {
            view.check_campaign(campaign, month)?;
            options = format!("{options} --campaign {campaign}");
            what = format!("{campaign} of {what}");
        }
        Ok(Failure::No(format!(
            "{what} was not run, or its run was voided; run it with `ansinh run {path} {month}{options}`"
        )))
    }
}
