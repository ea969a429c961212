//! What is told of a capacity run: one row for each cost, with what it was for each size, beside what the machine allows.

use super::fit::Fit;
use super::machine::Machine;
use super::{FORETOLD_PEOPLE, Figures};

/// What a number counts, and how it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Seconds.
    Seconds,
    /// Bytes.
    Bytes,
    /// So many a second: more is better.
    PerSecond,
    /// A bare ratio.
    Times,
}

/// A cost.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// Its name for programs; the unit of its values is that of `kind`.
    pub key: &'static str,
    /// Under which heading it stands.
    pub section: &'static str,
    /// Its name for people.
    pub title: &'static str,
    /// What is counted.
    pub kind: Kind,
    /// What it was, by size; `None` where it was not measured.
    pub values: Vec<Option<f64>>,
    /// What the machine allows at best, by size.
    pub limits: Vec<Option<f64>>,
    /// What sets that limit, in words; empty without one.
    pub limited_by: &'static str,
    /// How it grows with the number of people, if it does so by a line and two sizes were measured; see [`Fit::of`] for
    /// which sizes the line goes through.
    pub fit: Option<Fit>,
}

/// What several sizes together came to.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    /// The machine.
    pub machine: Machine,
    /// The seed of the populations.
    pub seed: u64,
    /// How many people, ascending.
    pub sizes: Vec<u64>,
    /// The costs.
    pub rows: Vec<Row>,
    /// The parts of the file and their bytes by size, the largest first.
    pub parts: Vec<(String, Vec<f64>)>,
    /// Every figure, by size.
    pub figures: Vec<Figures>,
}

impl Kind {
    /// A number for people, with its unit.
    pub fn text(self, value: f64) -> String {
        match self {
            Self::Seconds if value < 0.0 => format!("−{}", Self::Seconds.text(-value)),
            Self::Seconds if value < 0.000_999_5 => format!("{} µs", digits(value * 1e6)),
            Self::Seconds if value < 0.999_5 => format!("{} ms", digits(value * 1e3)),
            Self::Seconds => format!("{} s", digits(value)),
            Self::Bytes if value.abs() < 999_500.0 => format!("{} kB", digits(value / 1e3)),
            Self::Bytes if value.abs() < 999_500_000.0 => format!("{} MB", digits(value / 1e6)),
            Self::Bytes => format!("{} GB", digits(value / 1e9)),
            Self::PerSecond => format!("{}/s", grouped(value.round())),
            Self::Times => format!("{value:.2} ×"),
        }
    }

    /// The unit of values for programs.
    pub const fn unit(self) -> &'static str {
        match self {
            Self::Seconds => "seconds",
            Self::Bytes => "bytes",
            Self::PerSecond => "per_second",
            Self::Times => "times",
        }
    }
}

/// Three digits that count.
fn digits(value: f64) -> String {
    match value.abs() {
        size if size >= 99.95 => grouped(value.round()),
        size if size >= 9.995 => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}

/// A whole number with its thousands apart.
pub fn grouped(value: f64) -> String {
    let text = format!("{:.0}", value.abs());
    let mut out = String::with_capacity(text.len() + text.len() / 3);
    for (at, digit) in text.chars().enumerate() {
        if at > 0 && (text.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    if value < 0.0 { format!("−{out}") } else { out }
}

impl Row {
    /// How many times the limit a value is: 1 is all that the machine gives.
    pub fn times_limit(&self, size: usize) -> Option<f64> {
        let (value, limit) = (self.values.get(size).copied()??, self.limits.get(size).copied()??);
        let times = if self.kind == Kind::PerSecond {
            limit / value
        } else {
            value / limit
        };
        times.is_finite().then_some(times)
    }

    /// What the fitted line foretells for [`FORETOLD_PEOPLE`].
    pub fn foretold(&self) -> Option<f64> {
        self.fit.map(|fit| fit.at(FORETOLD_PEOPLE as f64))
    }
}

type Value = fn(&Figures, &Machine) -> Option<f64>;

/// How a row is had from the figures of a size.
struct Plan {
    key: &'static str,
    section: &'static str,
    title: &'static str,
    kind: Kind,
    value: Value,
    limit: Option<(&'static str, Value)>,
    /// Whether it grows with the number of people.
    grows: bool,
}

const LOADING: &str = "Loading";
const LOOKING_UP: &str = "Looking up";
const UPDATING: &str = "Updating";
const MONTH: &str = "The month, by the whole pack for Vietnam";
const ONE_IN_TEN: &str = "The month, one in ten entitled (15 conditions, 11 amounts)";
const EVERYONE: &str = "The month, everyone entitled";
const PAST: &str = "A past month, 1.5 % of people changed since";
const ROOM: &str = "Room";

fn get(figures: &Figures, name: &str) -> Option<f64> {
    figures.get(name).copied()
}

fn evaluate(figures: &Figures, prepare: &str) -> Option<f64> {
    Some((get(figures, prepare)? - get(figures, "scan_seconds")?).max(0.0))
}

fn scan_limit(figures: &Figures, machine: &Machine) -> Option<f64> {
    Some(get(figures, "scan_bytes")? / machine.memory_bytes_per_second)
}

/// Bytes written one after the other, and the two syncs of a commit in two phases.
fn commit_limit(bytes: Option<f64>, machine: &Machine) -> Option<f64> {
    Some(bytes? / machine.disk.write_bytes_per_second + 2.0 * machine.disk.sync_seconds)
}

/// The rows of a run with a prefix: opening, scan, evaluation, commit, all.
macro_rules! run_rows {
    ($section:expr, $prefix:literal) => {
        [
            Plan {
                key: concat!($prefix, "open_seconds"),
                section: $section,
                title: "Open the file, load the pack",
                kind: Kind::Seconds,
                value: |figures, _| get(figures, concat!($prefix, "open_seconds")),
                limit: None,
                grows: false,
            },
            Plan {
                key: concat!($prefix, "scan_seconds"),
                section: $section,
                title: "Scan: read everybody",
                kind: Kind::Seconds,
                value: |figures, _| {
                    get(figures, concat!($prefix, "run_seconds"))?;
                    get(figures, "scan_seconds")
                },
                limit: Some(("memory", scan_limit)),
                grows: true,
            },
            Plan {
                key: concat!($prefix, "evaluate_seconds"),
                section: $section,
                title: "Evaluate, count and encode",
                kind: Kind::Seconds,
                value: |figures, _| evaluate(figures, concat!($prefix, "prepare_seconds")),
                limit: None,
                grows: true,
            },
            Plan {
                key: concat!($prefix, "commit_seconds"),
                section: $section,
                title: "Commit durably",
                kind: Kind::Seconds,
                value: |figures, _| get(figures, concat!($prefix, "commit_seconds")),
                limit: Some(("disk", |figures, machine| {
                    commit_limit(get(figures, concat!($prefix, "ledger_bytes")), machine)
                })),
                grows: true,
            },
            Plan {
                key: concat!($prefix, "run_seconds"),
                section: $section,
                title: "All of it, in a fresh process",
                kind: Kind::Seconds,
                value: |figures, _| get(figures, concat!($prefix, "run_seconds")),
                limit: Some(("memory and disk", |figures, machine| {
                    let commit = commit_limit(get(figures, concat!($prefix, "ledger_bytes")), machine)?;
                    Some(scan_limit(figures, machine)? + commit)
                })),
                grows: true,
            },
        ]
    };
}

/// A row that is a figure as it was measured, in seconds.
macro_rules! micros {
    ($section:expr, $title:literal, $key:literal, $limit:expr) => {
        Plan {
            key: $key,
            section: $section,
            title: $title,
            kind: Kind::Seconds,
            value: |figures, _| Some(get(figures, $key)? / 1e6),
            limit: $limit,
            grows: false,
        }
    };
}

/// A row that is a number of bytes as it was measured.
macro_rules! bytes {
    ($title:literal, $key:literal) => {
        Plan {
            key: $key,
            section: ROOM,
            title: $title,
            kind: Kind::Bytes,
            value: |figures, _| get(figures, $key),
            limit: None,
            grows: true,
        }
    };
}

const LOAD: [Plan; 3] = [
    Plan {
        key: "load_seconds",
        section: LOADING,
        title: "Make the population and load it",
        kind: Kind::Seconds,
        value: |figures, _| get(figures, "load_seconds"),
        limit: Some(("disk", |figures, machine| {
            Some(get(figures, "file_bytes")? / machine.disk.write_bytes_per_second)
        })),
        grows: true,
    },
    Plan {
        key: "load_per_second",
        section: LOADING,
        title: "People made and loaded",
        kind: Kind::PerSecond,
        value: |figures, _| Some(get(figures, "people_in_all")? / get(figures, "load_seconds")?),
        limit: None,
        grows: false,
    },
    Plan {
        key: "import_per_second",
        section: LOADING,
        title: "People imported from a CSV file",
        kind: Kind::PerSecond,
        value: |figures, _| Some(get(figures, "import_people")? / get(figures, "import_seconds")?),
        limit: None,
        grows: false,
    },
];

const LOOK_UP: [Plan; 9] = [
    micros!(
        LOOKING_UP,
        "Row by personal ID, median",
        "row_median_micros",
        None
    ),
    micros!(
        LOOKING_UP,
        "Row by personal ID, 99th percentile",
        "row_99th_micros",
        None
    ),
    micros!(
        LOOKING_UP,
        "Whole person by personal ID, median",
        "person_median_micros",
        None
    ),
    micros!(
        LOOKING_UP,
        "Whole person by personal ID, 99th percentile",
        "person_99th_micros",
        None
    ),
    Plan {
        key: "count_median_seconds",
        section: LOOKING_UP,
        title: "How many people meet a condition, median",
        kind: Kind::Seconds,
        value: |figures, _| get(figures, "count_median_seconds"),
        limit: Some(("memory", scan_limit)),
        grows: true,
    },
    Plan {
        key: "count_worst_seconds",
        section: LOOKING_UP,
        title: "How many people meet a condition, slowest",
        kind: Kind::Seconds,
        value: |figures, _| get(figures, "count_worst_seconds"),
        limit: Some(("memory", scan_limit)),
        grows: true,
    },
    Plan {
        key: "count_cold_seconds",
        section: LOOKING_UP,
        title: "How many people meet a condition, slowest, empty cache",
        kind: Kind::Seconds,
        value: |figures, _| get(figures, "count_cold_seconds"),
        limit: Some(("memory", scan_limit)),
        grows: true,
    },
    Plan {
        key: "count_rare_seconds",
        section: LOOKING_UP,
        title: "How many people meet a condition that a rare fact decides, slowest",
        kind: Kind::Seconds,
        value: |figures, _| get(figures, "count_rare_seconds"),
        limit: None,
        grows: true,
    },
    Plan {
        key: "count_rare_cold_seconds",
        section: LOOKING_UP,
        title: "How many people meet a condition that a rare fact decides, slowest, empty cache",
        kind: Kind::Seconds,
        value: |figures, _| get(figures, "count_rare_cold_seconds"),
        limit: None,
        grows: true,
    },
];

const UPDATE: [Plan; 5] = [
    micros!(
        UPDATING,
        "One durable update, median",
        "single_median_micros",
        Some(("disk", |figures, _| Some(
            get(figures, "single_sync_micros")? / 1e6
        )))
    ),
    micros!(
        UPDATING,
        "One durable update, 99th percentile",
        "single_99th_micros",
        None
    ),
    Plan {
        key: "grouped_per_second",
        section: UPDATING,
        title: "Durable updates of 16 threads, grouped",
        kind: Kind::PerSecond,
        value: |figures, _| Some(get(figures, "grouped_updates")? / get(figures, "grouped_seconds")?),
        limit: Some(("disk", |figures, machine| {
            let written = get(figures, "grouped_bytes")? / machine.disk.write_bytes_per_second;
            let synced = get(figures, "grouped_syncs")? * machine.disk.sync_seconds;
            Some(get(figures, "grouped_updates")? / (written + synced))
        })),
        grows: false,
    },
    micros!(
        UPDATING,
        "Wait for a grouped update, median",
        "grouped_median_micros",
        None
    ),
    micros!(
        UPDATING,
        "Wait for a grouped update, 99th percentile",
        "grouped_99th_micros",
        None
    ),
];

const PAST_MONTH: [Plan; 2] = [
    Plan {
        key: "past_run_seconds",
        section: PAST,
        title: "All of it, in a fresh process",
        kind: Kind::Seconds,
        value: |figures, _| get(figures, "past_run_seconds"),
        limit: Some(("memory and disk", |figures, machine| {
            Some(scan_limit(figures, machine)? + commit_limit(get(figures, "past_ledger_bytes"), machine)?)
        })),
        grows: true,
    },
    Plan {
        key: "past_to_current_times",
        section: PAST,
        title: "Compared with the current month",
        kind: Kind::Times,
        value: |figures, _| Some(get(figures, "past_run_seconds")? / get(figures, "vn_run_seconds")?),
        limit: None,
        grows: false,
    },
];

const ROOMS: [Plan; 5] = [
    bytes!("File", "file_bytes"),
    bytes!("Peak memory of loading", "load_peak_bytes"),
    bytes!("Peak memory of the month", "vn_peak_bytes"),
    bytes!(
        "Peak memory of the month, everyone entitled",
        "everyone_peak_bytes"
    ),
    bytes!("Peak memory of grouped updates", "grouped_peak_bytes"),
];

impl Report {
    /// Puts together what was measured of each size. `figures` belong to the sizes in their order.
    pub fn new(machine: Machine, seed: u64, sizes: Vec<u64>, mut figures: Vec<Figures>) -> Self {
        for (figures, &people) in figures.iter_mut().zip(&sizes) {
            figures.insert("people_in_all".to_owned(), people as f64);
        }
        let plans = LOAD
            .into_iter()
            .chain(LOOK_UP)
            .chain(UPDATE)
            .chain(run_rows!(MONTH, "vn_"))
            .chain(run_rows!(ONE_IN_TEN, "bench_"))
            .chain(run_rows!(EVERYONE, "everyone_"))
            .chain(PAST_MONTH)
            .chain(ROOMS);
        let rows = plans
            .map(|plan| row(&plan, &machine, &sizes, &figures))
            .filter(|row| row.values.iter().any(Option::is_some))
            .collect();
        let parts = parts(&figures);
        Self {
            machine,
            seed,
            sizes,
            rows,
            parts,
            figures,
        }
    }

    /// The heading of the fitted lines: it says which sizes they go through.
    pub fn fitted_heading(&self) -> String {
        let mut fits = self.rows.iter().filter_map(|row| row.fit);
        match fits.find(|fit| fit.left_out > 0) {
            Some(fit) => format!("a + b·n, from {} on", grouped(fit.from_people)),
            None => "a + b·n, all sizes".to_owned(),
        }
    }

    /// The row of a name.
    pub fn row(&self, key: &str) -> Option<&Row> {
        self.rows.iter().find(|row| row.key == key)
    }
}

fn row(plan: &Plan, machine: &Machine, sizes: &[u64], figures: &[Figures]) -> Row {
    let of = |value: Value| {
        figures
            .iter()
            .map(|figures| value(figures, machine))
            .collect::<Vec<_>>()
    };
    let values = of(plan.value);
    let (limited_by, limits) = match plan.limit {
        Some((by, limit)) => (by, of(limit)),
        None => ("", vec![None; sizes.len()]),
    };
    let points: Vec<(f64, f64)> = sizes
        .iter()
        .zip(&values)
        .filter_map(|(&people, value)| Some((people as f64, (*value)?)))
        .collect();
    Row {
        key: plan.key,
        section: plan.section,
        title: plan.title,
        kind: plan.kind,
        values,
        limits,
        limited_by,
        fit: if plan.grows { Fit::of(&points) } else { None },
    }
}

/// The parts of the file, by the bytes of the largest size.
fn parts(figures: &[Figures]) -> Vec<(String, Vec<f64>)> {
    let Some(largest) = figures.last() else {
        return Vec::new();
    };
    let name_of = |key: &str| Some(key.strip_prefix("part_")?.strip_suffix("_bytes")?.to_owned());
    let mut parts: Vec<(String, Vec<f64>)> = largest
        .iter()
        .filter(|(_, bytes)| **bytes > 0.0)
        .filter_map(|(key, _)| {
            let bytes = figures.iter().map(|figures| get(figures, key).unwrap_or(0.0));
            Some((name_of(key)?, bytes.collect()))
        })
        .collect();
    parts.sort_by(|(_, a), (_, b)| b.last().unwrap_or(&0.0).total_cmp(a.last().unwrap_or(&0.0)));
    parts
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::machine::Disk;
    use super::*;

    /// A report as two sizes could give it.
    pub(in super::super) fn sample() -> Report {
        let machine = Machine {
            processor: "Example <9000> & Co".to_owned(),
            cores: 2,
            memory_bytes: 24 << 30,
            system: "linux x86_64".to_owned(),
            memory_bytes_per_second: 10e9,
            disk: Disk {
                write_bytes_per_second: 500e6,
                sync_seconds: 0.001,
            },
        };
        let figures = |people: f64| {
            let names = [
                ("load_seconds", people * 1.5e-6),
                ("file_bytes", people * 108.0),
                ("scan_seconds", people * 3e-9),
                ("scan_bytes", people * 4.3),
                ("vn_open_seconds", 0.02),
                ("vn_prepare_seconds", 0.05 + people * 80e-9),
                ("vn_commit_seconds", 0.004 + people * 0.5e-9),
                ("vn_run_seconds", 0.08 + people * 81e-9),
                ("vn_ledger_bytes", people * 0.1),
                ("vn_peak_bytes", 3e8 + people * 0.2),
                ("single_median_micros", 2_400.0),
                ("single_sync_micros", 1_100.0),
                ("grouped_updates", 60_000.0),
                ("grouped_seconds", 5.0),
                ("grouped_bytes", 9e8),
                ("grouped_syncs", 60.0),
                ("part_dossiers_bytes", people * 60.0),
                ("part_hot_bytes", people * 4.4),
                ("part_runs_bytes", 0.0),
            ];
            names
                .into_iter()
                .map(|(name, value)| (name.to_owned(), value))
                .collect()
        };
        Report::new(
            machine,
            1,
            vec![1_000_000, 10_000_000],
            vec![figures(1e6), figures(1e7)],
        )
    }

    #[test]
    fn numbers_have_three_digits_that_count_and_a_unit() {
        for (kind, value, text) in [
            (Kind::Seconds, 0.000_002_78, "2.78 µs"),
            (Kind::Seconds, 0.012_34, "12.3 ms"),
            (Kind::Seconds, 0.999_9, "1.00 s"),
            (Kind::Seconds, 1_234.5, "1,235 s"),
            (Kind::Seconds, -0.5, "−500 ms"),
            (Kind::Bytes, 4_100.0, "4.10 kB"),
            (Kind::Bytes, 108_600_000.0, "109 MB"),
            (Kind::Bytes, 5.43e9, "5.43 GB"),
            (Kind::PerSecond, 1_234_567.4, "1,234,567/s"),
            (Kind::Times, 1.5, "1.50 ×"),
        ] {
            assert_eq!(kind.text(value), text);
        }
    }

    #[test]
    fn costs_stand_beside_limits_and_lines() {
        let report = sample();
        let scan = report.row("vn_scan_seconds").unwrap();
        // 4.3 MB at 10 GB a second.
        assert!((scan.limits[0].unwrap() - 0.000_43).abs() < 1e-9);
        assert!((scan.times_limit(1).unwrap() - 0.03 / 0.0043).abs() < 1e-6);
        let run = report.row("vn_run_seconds").unwrap();
        assert!((run.fit.unwrap().fixed - 0.08).abs() < 1e-9);
        assert!(
            (run.foretold().unwrap() - 8.18).abs() < 1e-6,
            "{:?}",
            run.foretold()
        );
        let evaluate = report.row("vn_evaluate_seconds").unwrap();
        assert!((evaluate.values[0].unwrap() - 0.127).abs() < 1e-9);
        let single = report.row("single_median_micros").unwrap();
        assert!((single.times_limit(0).unwrap() - 24.0 / 11.0).abs() < 1e-9 && single.fit.is_none());
        // A rate has the inverse ratio: 60,000 in 5 s, where the disk would take 1.86 s.
        let grouped = report.row("grouped_per_second").unwrap();
        assert!((grouped.times_limit(0).unwrap() - 5.0 / 1.86).abs() < 1e-9);
        assert!(report.row("everyone_run_seconds").is_none());
        let names: Vec<&str> = report.parts.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["dossiers", "hot"]);
    }
}
