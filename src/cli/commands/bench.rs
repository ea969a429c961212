//! `bench`: what registries of given sizes cost on this machine.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use clap::Args;
use serde_json::{Map, Value as Json, json};

use crate::bench::{
    self, FORETOLD_PEOPLE, Figures, Machine, RUNS, Report, Row, SIZES, Task, grouped, medians, page, perform,
};
use crate::cli::output::{self, Output, Table};
use crate::cli::progress::Progress;
use crate::cli::{Failure, machine};
use crate::synth::PEOPLE_MAX;

/// The least number of people that is measured: fewer do not fill a segment in most communes.
const PEOPLE_MIN: u64 = 1_000;

/// Measures what registries cost.
#[derive(Debug, Args)]
#[command(
    after_help = "For each size a registry of synthetic people is made in a new folder within --folder, measured, and deleted: loading, an import, look-ups, counts, updates, the month by three packs, a past month, the room of each part, peak memory. Each piece of work is a process of its own. The disk measured is that of --folder. If it is interrupted, delete the folder ansinh-bench-… that it leaves there.\n\nA million people take a third of a minute on two cores, ten million two thirds, fifty million about two and a half minutes.\n\nExamples:\n  ansinh bench --people 100000\n  ansinh bench --people 1000000,10000000,50000000 --folder /data --html capacity.html --json-file capacity.json"
)]
pub struct Bench {
    /// How many people, one size or several [default: 1000000,10000000]
    #[arg(long, value_name = "N,N,...", value_delimiter = ',', value_parser = clap::value_parser!(u64).range(PEOPLE_MIN..=PEOPLE_MAX))]
    people: Vec<u64>,
    /// Another seed gives another population of the same proportions
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Where registries are made [default: the folder for temporary files]
    #[arg(long, value_name = "DIR")]
    folder: Option<PathBuf>,
    /// Write a page with charts to this file
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// Write what --json prints to this file too
    #[arg(long, value_name = "FILE")]
    json_file: Option<PathBuf>,
}

/// One piece of work.
#[derive(Debug, Args)]
pub struct BenchTask {
    /// Which
    #[arg(value_name = "TASK")]
    task: Task,
    /// The registry file
    #[arg(value_name = "DB")]
    path: PathBuf,
    /// How many people it has
    #[arg(long)]
    people: u64,
    /// The seed of the population
    #[arg(long)]
    seed: u64,
}

impl BenchTask {
    pub(super) fn run(&self, output: &mut Output) -> Result<(), Failure> {
        let mut figures = perform(self.task, &self.path, self.people, self.seed).map_err(Failure::of)?;
        if let Some(peak) = machine::peak_memory_bytes() {
            figures.insert("peak_bytes".to_owned(), peak as f64);
        }
        output.json(&json!(figures))
    }
}

/// The work for one size, in order: what is done, how often, and what its figures are called besides.
const WORK: [(Task, usize, &str); 16] = [
    (Task::Load, 1, "load_"),
    (Task::Import, 1, "import_"),
    (Task::Sizes, 1, "sizes_"),
    (Task::LookUp, 1, "look_up_"),
    (Task::Scan, RUNS, "scan_"),
    (Task::Run, RUNS, "vn_"),
    (Task::AdoptOneInTen, 1, "adopt_"),
    (Task::Run, RUNS, "bench_"),
    (Task::AdoptEveryone, 1, "adopt_"),
    (Task::Run, RUNS, "everyone_"),
    (Task::AdoptVietnam, 1, "adopt_"),
    (Task::Count, 1, "count_"),
    // Whatever changes people comes last, so that the months above are run as they were loaded.
    (Task::Change, 1, "change_"),
    (Task::Run, RUNS, "past_"),
    (Task::Single, 1, "single_"),
    (Task::Grouped, 1, "grouped_"),
];

impl Bench {
    pub(super) fn run(&self, output: &mut Output) -> Result<(), Failure> {
        let mut sizes = if self.people.is_empty() {
            SIZES.to_vec()
        } else {
            self.people.clone()
        };
        sizes.sort_unstable();
        sizes.dedup();
        let folder = self.folder.clone().unwrap_or_else(std::env::temp_dir);
        check_folder(&folder, &sizes)?;
        // Files that cannot be written are told before the work, not after it.
        let html = self.html.as_deref().map(create).transpose()?;
        let json = self.json_file.as_deref().map(create).transpose()?;
        let report = self.measure(&folder, sizes)?;
        let said = as_json(&report);
        write(json, self.json_file.as_deref(), &format!("{said}\n"))?;
        write(html, self.html.as_deref(), &page(&report))?;
        if output.is_json() {
            return output.json(&said);
        }
        print(output, &report)?;
        for (name, path) in [("page", &self.html), ("JSON", &self.json_file)] {
            if let Some(path) = path {
                output.line(format_args!("The {name} is in {}.", path.display()))?;
            }
        }
        Ok(())
    }

    fn measure(&self, folder: &Path, sizes: Vec<u64>) -> Result<Report, Failure> {
        let steps: usize = WORK.iter().map(|(_, times, _)| times).sum();
        let progress = Progress::new("measuring the machine", (steps * sizes.len()) as u64 + 1);
        let machine = Machine::measure(folder).map_err(|error| cannot_use(folder, &error))?;
        progress.add(1);
        let mut measured = Vec::with_capacity(sizes.len());
        for &people in &sizes {
            measured.push(self.measure_size(folder, people, &progress)?);
        }
        Ok(Report::new(machine, self.seed, sizes, measured))
    }

    fn measure_size(&self, folder: &Path, people: u64, progress: &Progress) -> Result<Figures, Failure> {
        let own = tempfile::Builder::new()
            .prefix("ansinh-bench-")
            .tempdir_in(folder);
        let own = own.map_err(|error| cannot_use(folder, &error))?;
        let path = own.path().join("bench.ansinh");
        let mut all = Figures::new();
        for (task, times, prefix) in WORK {
            let mut repeated = Vec::with_capacity(times);
            for _ in 0..times {
                progress.tell(format!("{} people: {task}", grouped(people as f64)));
                repeated.push(self.fresh(task, &path, people)?);
                progress.add(1);
            }
            for (name, value) in medians(&repeated) {
                // Tasks that are done once give their figures whole names; runs need to be told apart.
                let whole = name != "peak_bytes" && task != Task::Run;
                all.insert(if whole { name } else { format!("{prefix}{name}") }, value);
            }
        }
        Ok(all)
    }

    /// Does a piece of work in a process of its own.
    fn fresh(&self, task: Task, path: &Path, people: u64) -> Result<Figures, Failure> {
        let failed = |error: &dyn std::fmt::Display| {
            Failure::Failed(format!(
                "{} people, {task}: {error}; nothing was measured to the end",
                grouped(people as f64)
            ))
        };
        let program = std::env::current_exe().map_err(|error| failed(&error))?;
        let done = Command::new(program)
            .arg("bench-task")
            .arg(task.to_string())
            .arg(path)
            .args(["--people", &people.to_string(), "--seed", &self.seed.to_string()])
            .stdin(Stdio::null())
            .output()
            .map_err(|error| failed(&error))?;
        if !done.status.success() {
            let said = String::from_utf8_lossy(&done.stderr);
            let said = said.trim().trim_start_matches("error: ");
            return Err(failed(&if said.is_empty() {
                done.status.to_string()
            } else {
                said.to_owned()
            }));
        }
        serde_json::from_slice(&done.stdout).map_err(|error| failed(&error))
    }
}

fn cannot_use(folder: &Path, error: &dyn std::fmt::Display) -> Failure {
    Failure::Failed(format!(
        "cannot make files in the folder {}: {error}; name another with --folder",
        folder.display()
    ))
}

/// Refuses a folder in which nothing can be made, or whose disk has no room for the largest size.
fn check_folder(folder: &Path, sizes: &[u64]) -> Result<(), Failure> {
    bench::is_writable(folder).map_err(|error| cannot_use(folder, &error))?;
    let largest = sizes.iter().copied().max().unwrap_or(0);
    let needed = bench::space_needed(largest);
    match bench::free_bytes(folder) {
        Some(free) if free < needed => Err(Failure::Failed(format!(
            "{} people take {} in the folder {}, and {} are free; free some, or name another folder with --folder",
            grouped(largest as f64),
            output::bytes(needed),
            folder.display(),
            output::bytes(free)
        ))),
        _ => Ok(()),
    }
}

fn create(path: &Path) -> Result<File, Failure> {
    File::create(path).map_err(|error| cannot_write(path, &error))
}

fn cannot_write(path: &Path, error: &std::io::Error) -> Failure {
    Failure::Failed(format!(
        "cannot write the file {}: {error}; name another",
        path.display()
    ))
}

fn write(file: Option<File>, path: Option<&Path>, text: &str) -> Result<(), Failure> {
    let (Some(mut file), Some(path)) = (file, path) else {
        return Ok(());
    };
    file.write_all(text.as_bytes())
        .map_err(|error| cannot_write(path, &error))
}

fn as_json(report: &Report) -> Json {
    let machine = &report.machine;
    let sizes = report.sizes.iter().zip(&report.figures);
    let sizes: Vec<Json> = sizes
        .map(|(people, figures)| json!({ "people": people, "figures": figures }))
        .collect();
    json!({
        "version": env!("CARGO_PKG_VERSION"),
        "seed": report.seed,
        "machine": {
            "processor": machine.processor,
            "cores": machine.cores,
            "memory_bytes": machine.memory_bytes,
            "system": machine.system,
            "memory_bytes_per_second": machine.memory_bytes_per_second,
            "disk_write_bytes_per_second": machine.disk.write_bytes_per_second,
            "disk_sync_seconds": machine.disk.sync_seconds,
        },
        "rows": report.rows.iter().map(row_as_json).collect::<Vec<_>>(),
        "sizes": sizes,
    })
}

fn row_as_json(row: &Row) -> Json {
    let mut said = Map::new();
    let mut put = |name: &str, value: Json| said.insert(name.to_owned(), value);
    put("key", row.key.into());
    put("section", row.section.into());
    put("title", row.title.into());
    put("unit", row.kind.unit().into());
    put("values", json!(row.values));
    if !row.limited_by.is_empty() {
        put("limits", json!(row.limits));
        put("limited_by", row.limited_by.into());
    }
    if let Some(fit) = row.fit {
        put(
            "fit",
            json!({
                "a": fit.fixed,
                "b": fit.each,
                "deviation_percent": fit.deviation_percent,
                "sizes": fit.sizes,
                "from_people": fit.from_people,
                "foretold_people": FORETOLD_PEOPLE,
                "foretold": row.foretold(),
            }),
        );
    }
    Json::Object(said)
}

fn print(output: &mut Output, report: &Report) -> Result<(), Failure> {
    let machine = &report.machine;
    let mut table = Table::list();
    table.pair("Processor", &machine.processor);
    table.pair("Threads at a time", machine.cores);
    table.pair("Memory", output::bytes(machine.memory_bytes));
    let bytes = bench::Kind::Bytes;
    table.pair(
        "Memory, read in one pass",
        format!("{}/s", bytes.text(machine.memory_bytes_per_second)),
    );
    table.pair(
        "Disk, written in one go",
        format!("{}/s", bytes.text(machine.disk.write_bytes_per_second)),
    );
    table.pair(
        "Disk, one page synced",
        bench::Kind::Seconds.text(machine.disk.sync_seconds),
    );
    table.pair("Seed", report.seed);
    output.table(&table)?;
    let mut section = "";
    let mut table = Table::default();
    for row in &report.rows {
        if row.section != section {
            output.table(&table)?;
            section = row.section;
            table = columns(report).titled(section);
        }
        table.row(cells(row));
    }
    output.table(&table)?;
    let mut table = Table::new(&["part of the file"]);
    for &people in &report.sizes {
        table = table.column(grouped(people as f64));
    }
    let mut table = table
        .column("a person".to_owned())
        .titled("Bytes in use, before any run");
    for (name, by_size) in &report.parts {
        let each = by_size.iter().zip(&report.sizes).next_back();
        let each = each.map_or(0.0, |(bytes, &people)| bytes / people as f64);
        let mut cells = vec![name.clone()];
        cells.extend(by_size.iter().map(|&size| bytes.text(size)));
        cells.push(format!("{each:.2}"));
        table.row(cells);
    }
    output.table(&table)
}

fn columns(report: &Report) -> Table {
    let mut table = Table::new(&["cost"]);
    for &people in &report.sizes {
        table = table.column(grouped(people as f64));
    }
    table
        .column("limit".to_owned())
        .column(report.fitted_heading())
        .column(format!("at {}", grouped(FORETOLD_PEOPLE as f64)))
}

/// A row in words; the limit is that of the largest size.
fn cells(row: &Row) -> Vec<String> {
    let mut cells = vec![row.title.to_owned()];
    cells.extend(row.values.iter().map(|value| match value {
        Some(value) => row.kind.text(*value),
        None => "–".to_owned(),
    }));
    let limit = row.limits.last().copied().flatten();
    cells.push(limit.map_or_else(String::new, |limit| {
        format!("{}: {}", row.limited_by, row.kind.text(limit))
    }));
    cells.push(row.fit.map_or_else(String::new, |fit| {
        let deviation = if fit.sizes > 2 {
            format!(", ±{:.1} %", fit.deviation_percent)
        } else {
            String::new()
        };
        let each = row.kind.text(fit.each * 1e6);
        format!("{} + {each} a million{deviation}", row.kind.text(fit.fixed))
    }));
    cells.push(
        row.foretold()
            .map_or_else(String::new, |cost| row.kind.text(cost)),
    );
    cells
}
