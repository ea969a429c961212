//! `run`: the month.

use std::time::{Duration, Instant};

use clap::Args;
use serde_json::{Map, Value as Json, json};

use crate::cli::database::{self, Database};
use crate::cli::output::{self, Output, Table};
use crate::cli::progress::Progress;
use crate::cli::{Failure, machine};
use crate::entitlement::{Preparation, RunAnswer, RunError, RunHeader, RunRequest, RunStatus, Scope};
use crate::kernel::Author;
use crate::registry::{Registry, RegistryError, RegistryView};
use crate::types::{Date, Month, ProvinceCode, Total};

/// Works out a month, or a campaign.
#[derive(Debug, Args)]
#[command(
    after_help = "A draft can be voided and run again; a final run stands. Running a month again that has a draft answers with that draft. A campaign pays each person at most once, in whatever month and province it is run.\n\nExamples:\n  ansinh run national.ansinh 2026-06\n  ansinh run national.ansinh 2026-06 --dry-run --known-on 2026-12-31\n  ansinh run national.ansinh 2026-06 --void\n  ansinh run national.ansinh 2026-06 --final\n  ansinh run national.ansinh 2026-06 --campaign emergency_injury"
)]
pub struct Run {
    #[command(flatten)]
    database: Database,
    /// The month
    #[arg(value_name = "MONTH")]
    month: Month,
    /// A campaign in place of the month: a programme that is paid once, by its identifier
    #[arg(long, value_name = "NAME")]
    campaign: Option<String>,
    /// The law as it was known on this day [default: the last day of the month]
    #[arg(long, value_name = "DATE")]
    known_on: Option<Date>,
    /// Only the people of a province, by its two-digit code
    #[arg(long, value_name = "CODE")]
    province: Option<ProvinceCode>,
    /// Work it out without writing anything
    #[arg(long = "dry-run", conflicts_with_all = ["final", "void"])]
    dry: bool,
    /// Make the draft final; without a draft, run and make it final at once
    #[arg(long = "final", id = "final", conflicts_with = "void")]
    finally: bool,
    /// Void the draft: the month can be run again
    #[arg(long, conflicts_with = "known_on")]
    void: bool,
    /// Who runs it [default: the user who is logged in]
    #[arg(long, value_name = "NAME", value_parser = database::said)]
    author: Option<String>,
    /// Why; stands in the log
    #[arg(long, value_name = "TEXT", value_parser = database::said)]
    reason: Option<String>,
}

/// A run, how it came about, and how long it took.
pub struct Made {
    /// Its header.
    pub header: RunHeader,
    /// `created`, `exists`, `dry run`, `final` or `void`.
    pub how: &'static str,
    /// From beginning to end.
    pub took: Duration,
    /// Of that, the transaction.
    pub commit: Duration,
}

/// Works a month out, with a bar for whoever waits.
pub fn prepare(view: &RegistryView, request: &RunRequest) -> Result<Preparation, Failure> {
    let progress = progress(view);
    let prepared = view.prepare_run(request, &|done, _| progress.reach(done as u64));
    prepared.map_err(|error| match &error {
        RegistryError::Run(run) => advised(run, request.month).unwrap_or_else(|| error.into()),
        _ => error.into(),
    })
}

/// What to do on the command line where the library would take another ID.
fn advised(error: &RunError, month: Month) -> Option<Failure> {
    let RunError::ExistsWithDifferent {
        id,
        field,
        found,
        asked,
    } = error
    else {
        return None;
    };
    Some(Failure::No(format!(
        "{month} has the run {id} already, with another {field}: {found}, asked was {asked}; look with --dry-run, or void the draft with --void and run again"
    )))
}

fn progress(view: &RegistryView) -> Progress {
    Progress::new("working the month out", view.units().len() as u64)
}

/// Works a month out and writes it.
pub fn make(registry: &Registry, request: &RunRequest, author: Author) -> Result<Made, Failure> {
    let begun = Instant::now();
    let view = registry.begin_read()?;
    let prepared = match prepare(&view, request)? {
        Preparation::Ready(prepared) => *prepared,
        Preparation::Exists(header) => return Ok(Made::without_commit(*header, "exists", begun)),
    };
    drop(view);
    let before_commit = Instant::now();
    let answer = registry.commit_run(prepared, request, author, machine::now())?;
    let commit = before_commit.elapsed();
    let (header, how) = match answer {
        RunAnswer::Created(header) => (header, "created"),
        RunAnswer::Exists(header) => (header, "exists"),
    };
    Ok(Made {
        header: *header,
        how,
        took: begun.elapsed(),
        commit,
    })
}

impl Made {
    fn without_commit(header: RunHeader, how: &'static str, begun: Instant) -> Self {
        Self {
            header,
            how,
            took: begun.elapsed(),
            commit: Duration::ZERO,
        }
    }

    /// Everything that is said of it in JSON.
    pub fn json(&self) -> Map<String, Json> {
        let header = &self.header;
        let said = json!({
            "month": header.month.to_string(),
            "kind": header.kind.to_string(),
            "campaign": header.campaign_name(),
            "how": self.how,
            "run": (header.number > 0).then_some(header.number),
            "id": header.id,
            "scope": header.scope.to_string(),
            "status": header.status.to_string(),
            "pack": header.pack_name,
            "law_known_on": header.law_known_on.to_string(),
            "data_as_of": header.data_as_of.get(),
            "people": header.people,
            "paid": header.paid,
            "paid_with_held": header.paid_with_held,
            "zero": header.zero,
            "held": header.held,
            "error": header.error,
            "amount": output::total(Total::new(header.amount)),
            "amount_held": output::total(Total::new(header.amount_held)),
            "one_by_one": header.one_by_one,
            "doubtful": doubtful_json(header),
            "seconds": output::seconds(self.took),
            "seconds_commit": output::seconds(self.commit),
            "peak_memory_bytes": machine::peak_memory_bytes(),
        });
        match said {
            Json::Object(said) => said,
            _ => Map::new(),
        }
    }

    /// Prints it for people.
    pub fn print(&self, output: &mut Output) -> Result<(), Failure> {
        let header = &self.header;
        let mut table = Table::list();
        table.pair("Month", header.month);
        if let Some(campaign) = header.campaign_name() {
            table.pair("Campaign", campaign);
        }
        table.pair("Scope", header.scope);
        table.pair("Run", self.how_it_came());
        table.pair("Pack", &header.pack_name);
        table.pair("Law known on", header.law_known_on);
        table.pair("Data as of", header.data_as_of);
        table.pair("People", header.people);
        table.pair("Paid", header.paid);
        table.pair("Zero", header.zero);
        table.pair("Held", header.held);
        table.pair("Error", header.error);
        table.pair("Paid, more held", header.paid_with_held);
        table.pair("Amount", Total::new(header.amount));
        table.pair("Held at most", Total::new(header.amount_held));
        table.pair(
            "Seconds",
            format!(
                "{:.3}, of these {:.3} for the commit",
                self.took.as_secs_f64(),
                self.commit.as_secs_f64()
            ),
        );
        output.table(&table)?;
        if header.people == 0 {
            output.line(format_args!(
                "Nobody is in scope in {}: no commune exists then, or nobody's record begins by then.",
                header.month
            ))?;
        }
        print_doubtful(output, header)
    }

    fn how_it_came(&self) -> String {
        let header = &self.header;
        match self.how {
            "dry run" => "a dry run: nothing was written".to_owned(),
            "exists" => format!("{} {} ({}), made before", header.number, header.id, header.status),
            _ => format!("{} {} ({})", header.number, header.id, header.status),
        }
    }
}

/// The figures and rules of a run that are not from the text of the law itself.
pub fn print_doubtful(output: &mut Output, header: &RunHeader) -> Result<(), Failure> {
    let mut table = Table::new(&["figure or rule", "confidence", "source"])
        .titled("In force, and not from the text of the law itself");
    for doubt in &header.doubtful {
        table.row([&doubt.what, &doubt.confidence, &doubt.source].map(Clone::clone));
    }
    output.table(&table)
}

/// As [`print_doubtful`], in JSON.
pub fn doubtful_json(header: &RunHeader) -> Vec<Json> {
    let doubts = header.doubtful.iter();
    doubts
        .map(|doubt| json!({ "what": doubt.what, "confidence": doubt.confidence, "source": doubt.source }))
        .collect()
}

impl Run {
    pub(super) fn run(&self, output: &mut Output) -> Result<(), Failure> {
        let made = if self.dry {
            self.without_writing()?
        } else {
            self.write()?
        };
        if output.is_json() {
            output.json(&Json::Object(made.json()))
        } else {
            made.print(output)
        }
    }

    fn scope(&self) -> Scope {
        self.province
            .map_or(Scope::Country, |code| Scope::Province(code.number()))
    }

    fn request(&self) -> RunRequest {
        let mut request = match &self.campaign {
            Some(campaign) => RunRequest::campaign(campaign, self.month),
            None => RunRequest::monthly(self.month),
        };
        request.scope = self.scope();
        if let Some(province) = self.province {
            request.id = format!("{}-{province}", request.id);
        }
        request.law_known_on = self.known_on.unwrap_or(request.law_known_on);
        if self.finally {
            request.status = RunStatus::Final;
        }
        request
    }

    fn without_writing(&self) -> Result<Made, Failure> {
        let registry = self.database.for_one_run().read()?;
        let begun = Instant::now();
        let view = registry.begin_read()?;
        let progress = progress(&view);
        let prepared = view.dry_run(&self.request(), &|done, _| progress.reach(done as u64))?;
        Ok(Made::without_commit(prepared.header, "dry run", begun))
    }

    fn write(&self) -> Result<Made, Failure> {
        let reason = self.reason.as_deref().unwrap_or(match &self.campaign {
            Some(_) => "campaign run",
            None => "monthly run",
        });
        let author = Author::new(database::author(self.author.as_deref())?, reason);
        let registry = self.database.for_one_run().write()?;
        let (begun, now) = (Instant::now(), machine::now());
        let made = if self.void {
            let (month, scope) = (self.month, self.scope());
            let header = match &self.campaign {
                Some(campaign) => registry.void_campaign(campaign, month, scope, author, now)?,
                None => registry.void_run(month, scope, author, now)?,
            };
            Made::without_commit(header, "void", begun)
        } else if self.finally && self.has_draft(&registry)? {
            let (month, scope) = (self.month, self.scope());
            let header = match &self.campaign {
                Some(campaign) => registry.finalize_campaign(campaign, month, scope, author, now)?,
                None => registry.finalize_run(month, scope, author, now)?,
            };
            Made::without_commit(header, "final", begun)
        } else {
            make(&registry, &self.request(), author)?
        };
        registry.close()?;
        Ok(made)
    }

    /// Whether a draft waits to be made final. One by another law date is not what was asked for, and is told apart.
    fn has_draft(&self, registry: &Registry) -> Result<bool, Failure> {
        let view = registry.begin_read()?;
        let draft = match &self.campaign {
            Some(campaign) => view.campaign_run_of(campaign, self.month, self.scope())?,
            None => view.run_of(self.month, self.scope())?,
        };
        let wanted = self.request().law_known_on;
        match draft.filter(|run| run.status == RunStatus::Draft) {
            Some(run) if self.known_on.is_some() && run.law_known_on != wanted => Err(Failure::No(format!(
                "the draft of {} goes by the law known on {}, not on {wanted}; void it and run again, or leave --known-on out",
                self.month, run.law_known_on
            ))),
            draft => Ok(draft.is_some()),
        }
    }
}
