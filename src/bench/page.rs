//! The report as one page: no script, nothing loaded from elsewhere, drawn for paper, telephones and the dark.

use std::fmt::Write;

use super::FORETOLD_PEOPLE;
use super::rows::{Kind, Report, Row, grouped};

const STYLE: &str = include_str!("page.css");

/// The costs whose growth is drawn.
const GROWING: [&str; 9] = [
    "vn_run_seconds",
    "bench_run_seconds",
    "everyone_run_seconds",
    "past_run_seconds",
    "count_median_seconds",
    "load_seconds",
    "file_bytes",
    "vn_peak_bytes",
    "load_peak_bytes",
];
/// The runs, by the prefix of their rows and what they are called.
const MONTHS: [(&str, &str); 3] = [
    ("bench_", "One in ten entitled: 15 conditions, 11 amounts"),
    ("everyone_", "Everyone entitled"),
    (WHOLE, "The whole pack for Vietnam"),
];
/// The rows of the run by the whole pack.
const WHOLE: &str = "vn_";
/// What a run consists of, with the colour of each.
const PHASES: [(&str, &str, &str); 4] = [
    ("open_seconds", "open", "--d"),
    ("scan_seconds", "scan", "--a"),
    ("evaluate_seconds", "evaluate, count, encode", "--b"),
    ("commit_seconds", "commit durably", "--c"),
];

/// Text that may stand anywhere in a page.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            other => out.push(other),
        }
    }
    out
}

/// A number of people in few letters.
fn people_text(people: u64) -> String {
    match people {
        1_000_000.. if people.is_multiple_of(100_000) => {
            let tenths = people / 100_000;
            if tenths.is_multiple_of(10) {
                format!("{} million", grouped((tenths / 10) as f64))
            } else {
                format!("{}.{} million", tenths / 10, tenths % 10)
            }
        }
        _ => grouped(people as f64),
    }
}

/// The whole page.
pub fn page(report: &Report) -> String {
    let mut out = String::with_capacity(64 << 10);
    out.push_str("<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<meta name=\"color-scheme\" content=\"light dark\">\n<title>ansinh: what a registry costs on this machine</title>\n<style>\n");
    out.push_str(STYLE);
    out.push_str("</style>\n</head>\n<body>\n<main>\n");
    head(&mut out, report);
    cards(&mut out, report);
    months(&mut out, report);
    growth(&mut out, report);
    limits(&mut out, report);
    parts(&mut out, report);
    table(&mut out, report);
    foot(&mut out, report);
    out.push_str("</main>\n</body>\n</html>\n");
    out
}

// Writing to a string cannot fail; the macro keeps that in one place.
macro_rules! put {
    ($out:expr, $($text:tt)*) => {
        let _ = write!($out, $($text)*);
    };
}

fn head(out: &mut String, report: &Report) {
    let machine = &report.machine;
    let mut sizes: Vec<String> = report.sizes.iter().map(|&people| people_text(people)).collect();
    let last = sizes.pop().unwrap_or_default();
    let sizes = if sizes.is_empty() {
        last
    } else {
        format!("{} and {last}", sizes.join(", "))
    };
    put!(
        out,
        "<header>\n<p class=\"kicker\">ansinh capacity run</p>\n<h1>What a registry costs on this machine</h1>\n<p class=\"lead\">Synthetic registries of {} people were made here, looked into, changed, and run for a month. Each cost stands beside the least that this machine’s memory and disk allow.</p>\n<dl class=\"machine\">\n",
        escaped(&sizes)
    );
    let memory = Kind::Bytes.text(machine.memory_bytes as f64);
    let facts = [
        ("Processor", machine.processor.clone()),
        ("Threads at a time", machine.cores.to_string()),
        ("Memory", memory),
        (
            "Memory, read in one pass",
            format!("{}/s", Kind::Bytes.text(machine.memory_bytes_per_second)),
        ),
        (
            "Disk, written in one go",
            format!("{}/s", Kind::Bytes.text(machine.disk.write_bytes_per_second)),
        ),
        (
            "Disk, one page synced",
            Kind::Seconds.text(machine.disk.sync_seconds),
        ),
        ("System", machine.system.clone()),
        ("Seed of the populations", report.seed.to_string()),
    ];
    for (name, value) in facts {
        put!(out, "<div><dt>{name}</dt><dd>{}</dd></div>\n", escaped(&value));
    }
    out.push_str("</dl>\n</header>\n");
}

/// A row's value for the largest size.
fn largest(report: &Report, key: &str) -> Option<(String, f64)> {
    let row = report.row(key)?;
    let value = (*row.values.last()?)?;
    Some((row.kind.text(value), value))
}

fn cards(out: &mut String, report: &Report) {
    let Some(&people) = report.sizes.last() else {
        return;
    };
    put!(
        out,
        "<h2>With {} people</h2>\n<div class=\"cards\">\n",
        people_text(people)
    );
    let cards = [
        (
            "vn_run_seconds",
            "to work the month out by the whole pack and commit it, in a fresh process",
        ),
        ("bench_run_seconds", "for a month by which one in ten is entitled"),
        (
            "everyone_run_seconds",
            "for a month by which everyone is entitled",
        ),
        ("count_median_seconds", "to count who meets a condition"),
        ("row_median_micros", "to find a person’s row by personal ID"),
        ("single_median_micros", "for one durable update"),
        ("grouped_per_second", "durable updates of 16 threads"),
        ("load_seconds", "to make the population and load it"),
        ("file_bytes", "on the disk"),
        ("vn_peak_bytes", "of memory at most, for the month"),
    ];
    for (key, about) in cards {
        if let Some((value, _)) = largest(report, key) {
            put!(
                out,
                "<div class=\"card\"><b>{value}</b><span>{about}</span></div>\n"
            );
        }
    }
    out.push_str("</div>\n");
}

/// What a month consists of: bars of one scale, by policy and size.
fn months(out: &mut String, report: &Report) {
    let value = |prefix: &str, phase: &str, size: usize| {
        report
            .row(&format!("{prefix}{phase}"))
            .and_then(|row| row.values[size])
    };
    let whole = |prefix: &str, size: usize| value(prefix, "run_seconds", size);
    let longest = MONTHS
        .iter()
        .flat_map(|(prefix, _)| (0..report.sizes.len()).filter_map(|size| whole(prefix, size)))
        .fold(0.0, f64::max);
    if longest <= 0.0 {
        return;
    }
    out.push_str("<h2>What a month consists of</h2>\n<p class=\"quiet\">From opening the file in a fresh process to the durable commit.</p>\n<ul class=\"key\">\n");
    for (_, name, colour) in PHASES {
        put!(out, "<li><i style=\"background:var({colour})\"></i>{name}</li>\n");
    }
    out.push_str("</ul>\n");
    for (prefix, title) in MONTHS {
        if (0..report.sizes.len()).all(|size| whole(prefix, size).is_none()) {
            continue;
        }
        put!(out, "<h3>{title}</h3>\n<div class=\"bars\">\n");
        for (size, &people) in report.sizes.iter().enumerate() {
            let Some(all) = whole(prefix, size) else { continue };
            let phases: Vec<(f64, &str, &str)> = PHASES
                .iter()
                .filter_map(|(phase, name, colour)| Some((value(prefix, phase, size)?, *name, *colour)))
                .collect();
            let sum: f64 = phases.iter().map(|phase| phase.0).sum();
            let told: Vec<String> = phases
                .iter()
                .map(|(seconds, name, _)| format!("{name} {}", Kind::Seconds.text(*seconds)))
                .collect();
            put!(
                out,
                "<div class=\"bar\"><span class=\"name\">{} people</span><span class=\"lane\" role=\"img\" aria-label=\"{}: {}\" title=\"{}\"><span class=\"of\" style=\"width:{:.2}%\">",
                people_text(people),
                Kind::Seconds.text(all),
                escaped(&told.join(", ")),
                escaped(&told.join(", ")),
                all / longest * 100.0
            );
            for (seconds, _, colour) in phases {
                put!(
                    out,
                    "<i style=\"width:{:.2}%;background:var({colour})\"></i>",
                    seconds / sum.max(f64::MIN_POSITIVE) * 100.0
                );
            }
            put!(
                out,
                "</span><span class=\"tell\">{}</span></span></div>\n",
                Kind::Seconds.text(all)
            );
        }
        out.push_str("</div>\n");
    }
}

fn growth(out: &mut String, report: &Report) {
    let rows: Vec<&Row> = GROWING.iter().filter_map(|key| report.row(key)).collect();
    if rows.is_empty() {
        return;
    }
    put!(
        out,
        "<h2>How each cost grows</h2>\n<p class=\"quiet\">Dots are measured. The line is the fitted <i>a + b·n</i>{}; its dashed part and the ring say what it foretells for {} people. Both axes multiply by ten from line to line.</p>\n<div class=\"charts\">\n",
        fitted_sizes(report),
        people_text(FORETOLD_PEOPLE)
    );
    for row in rows {
        let fitted = match row.fit {
            Some(fit) => format!(
                "{} + {} a million people{}",
                row.kind.text(fit.fixed),
                row.kind.text(fit.each * 1e6),
                if fit.sizes > 2 {
                    format!(", at most {:.0} % off", fit.deviation_percent)
                } else {
                    ", through two sizes".to_owned()
                }
            ),
            None => "one size: no line".to_owned(),
        };
        put!(
            out,
            "<figure><figcaption>{}<small>{}</small></figcaption>\n{}</figure>\n",
            escaped(&chart_title(row)),
            escaped(&fitted),
            chart(report, row)
        );
    }
    out.push_str("</div>\n");
}

/// Which sizes the lines go through, after their name.
fn fitted_sizes(report: &Report) -> String {
    let mut fits = report.rows.iter().filter_map(|row| row.fit);
    match fits.find(|fit| fit.left_out > 0) {
        Some(fit) => format!(
            " through the sizes from {} people on (smaller ones are shown and not fitted)",
            people_text(fit.from_people as u64)
        ),
        None => " through all sizes".to_owned(),
    }
}

fn chart_title(row: &Row) -> String {
    if row.key.ends_with("run_seconds") {
        row.section.to_owned()
    } else {
        row.title.to_owned()
    }
}

/// The frame of a chart, in its own units.
const WIDTH: f64 = 320.0;
const HEIGHT: f64 = 190.0;
const LEFT: f64 = 48.0;
const RIGHT: f64 = 26.0;
const TOP: f64 = 18.0;
const BOTTOM: f64 = 24.0;

/// Axes that multiply by ten from line to line.
struct Axes {
    x: (f64, f64),
    y: (f64, f64),
}

impl Axes {
    fn over(points: &[(f64, f64)]) -> Self {
        let span = |of: fn(&(f64, f64)) -> f64| {
            let logs = points.iter().map(|point| of(point).log10());
            let (low, high) = logs.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), log| {
                (low.min(log), high.max(log))
            });
            let (low, high) = ((low + 1e-9).floor(), (high - 1e-9).ceil());
            if high > low { (low, high) } else { (low, low + 1.0) }
        };
        Self {
            x: span(|point| point.0),
            y: span(|point| point.1),
        }
    }

    fn at(&self, (people, cost): (f64, f64)) -> (f64, f64) {
        let share = |value: f64, (low, high): (f64, f64)| (value.log10() - low) / (high - low);
        (
            LEFT + share(people, self.x) * (WIDTH - LEFT - RIGHT),
            HEIGHT - BOTTOM - share(cost, self.y) * (HEIGHT - TOP - BOTTOM),
        )
    }
}

/// A power of ten on an axis, in few letters.
fn tick(kind: Kind, power: i32) -> String {
    let (units, step): (&[(i32, &str)], _) = match kind {
        Kind::Seconds => (&[(-6, "µs"), (-3, "ms"), (0, "s")], 6),
        Kind::Bytes => (&[(3, "kB"), (6, "MB"), (9, "GB"), (12, "TB")], 3),
        Kind::PerSecond | Kind::Times => (&[(0, "")], 12),
    };
    let unit = units
        .iter()
        .rev()
        .find(|(from, _)| *from <= power)
        .or(units.first());
    let (from, name) = unit.copied().unwrap_or((0, ""));
    let digits = (power - from).clamp(0, step);
    format!("{} {name}", grouped(10_f64.powi(digits)))
}

fn chart(report: &Report, row: &Row) -> String {
    let measured: Vec<(f64, f64)> = report
        .sizes
        .iter()
        .zip(&row.values)
        .filter_map(|(&people, value)| Some((people as f64, value.filter(|value| *value > 0.0)?)))
        .collect();
    let ahead = row
        .foretold()
        .filter(|cost| *cost > 0.0)
        .map(|cost| (FORETOLD_PEOPLE as f64, cost));
    let all: Vec<(f64, f64)> = measured.iter().copied().chain(ahead).collect();
    let Some(last) = measured.last() else {
        return String::new();
    };
    let axes = Axes::over(&all);
    let said: Vec<String> = measured
        .iter()
        .map(|&(people, cost)| format!("{} people: {}", people_text(people as u64), row.kind.text(cost)))
        .chain(ahead.map(|(people, cost)| {
            format!(
                "foretold for {} people: {}",
                people_text(people as u64),
                row.kind.text(cost)
            )
        }))
        .collect();
    let mut out = String::new();
    put!(
        out,
        "<svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\"><title>{}. {}</title>\n",
        escaped(&chart_title(row)),
        escaped(&said.join("; "))
    );
    grid(&mut out, &axes, row.kind);
    if let Some(fit) = row.fit {
        let line = |from: f64, to: f64| -> String {
            let steps = (0..=40).map(|step| from * (to / from).powf(f64::from(step) / 40.0));
            let points = steps
                .map(|people| (people, fit.at(people)))
                .filter(|point| point.1 > 0.0);
            let places = points.map(|point| axes.at(point));
            let inside = places.filter(|place| place.1 <= HEIGHT - BOTTOM + 0.5);
            inside
                .map(|(x, y)| format!("{x:.1},{y:.1}"))
                .collect::<Vec<_>>()
                .join(" ")
        };
        put!(
            out,
            "<polyline points=\"{}\" fill=\"none\" stroke=\"var(--a)\" stroke-width=\"2\"/>\n",
            line(fit.from_people, last.0)
        );
        if last.0 < FORETOLD_PEOPLE as f64 {
            put!(
                out,
                "<polyline points=\"{}\" fill=\"none\" stroke=\"var(--b)\" stroke-width=\"2\" stroke-dasharray=\"3 4\"/>\n",
                line(last.0, FORETOLD_PEOPLE as f64)
            );
        }
    }
    for &point in &measured {
        let (x, y) = axes.at(point);
        put!(
            out,
            "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"4\" fill=\"var(--a)\"/>\n"
        );
    }
    let ahead = ahead.filter(|_| last.0 < FORETOLD_PEOPLE as f64);
    if let Some(point) = ahead {
        let (x, y) = axes.at(point);
        put!(
            out,
            "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"4\" fill=\"var(--card)\" stroke=\"var(--b)\" stroke-width=\"2\"/>\n"
        );
    }
    // What matters most is written first; a number for which no room is left stands in the title and in the table.
    let numbers = ahead
        .map(|point| ("ahead", point))
        .into_iter()
        .chain(measured.iter().rev().map(|&point| ("now", point)));
    let mut taken = Vec::new();
    for (class, point) in numbers {
        label(
            &mut out,
            &mut taken,
            axes.at(point),
            class,
            &row.kind.text(point.1),
        );
    }
    out.push_str("</svg>\n");
    out
}

/// Where a text stands: from left to right, and its base line.
#[derive(Debug, Clone, Copy)]
struct Taken {
    left: f64,
    right: f64,
    base: f64,
}

/// The width of a letter of a number, about.
const LETTER: f64 = 6.3;
/// The height of a line.
const LINE: f64 = 12.0;

/// A number above or below its dot, within the frame, where no other stands.
fn label(out: &mut String, taken: &mut Vec<Taken>, (x, y): (f64, f64), class: &str, text: &str) {
    let width = LETTER * text.chars().count() as f64;
    let left = (x - width / 2.0).clamp(LEFT + 2.0, WIDTH - 4.0 - width);
    for base in [y - 9.0, y + 18.0] {
        let own = Taken {
            left,
            right: left + width,
            base,
        };
        let meets = |other: &Taken| {
            own.left < other.right + 3.0
                && other.left < own.right + 3.0
                && (own.base - other.base).abs() < LINE
        };
        if base > HEIGHT - BOTTOM - 2.0 || taken.iter().any(meets) {
            continue;
        }
        taken.push(own);
        put!(
            out,
            "<text class=\"{class}\" x=\"{left:.1}\" y=\"{base:.1}\">{text}</text>\n"
        );
        return;
    }
}

fn grid(out: &mut String, axes: &Axes, kind: Kind) {
    let (bottom, right) = (HEIGHT - BOTTOM, WIDTH - RIGHT);
    for power in axes.y.0 as i32..=axes.y.1 as i32 {
        let (_, y) = axes.at((10_f64.powf(axes.x.0), 10_f64.powi(power)));
        put!(
            out,
            "<line x1=\"{LEFT}\" x2=\"{right}\" y1=\"{y:.1}\" y2=\"{y:.1}\" stroke=\"var(--grid)\"/><text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>\n",
            LEFT - 6.0,
            y + 4.0,
            tick(kind, power)
        );
    }
    for power in axes.x.0 as i32..=axes.x.1 as i32 {
        let (x, _) = axes.at((10_f64.powi(power), 10_f64.powf(axes.y.0)));
        let name = match power {
            6.. => format!("{} M", 10_u64.pow((power - 6).unsigned_abs())),
            3..=5 => format!("{} k", 10_u64.pow((power - 3).unsigned_abs())),
            _ => grouped(10_f64.powi(power)),
        };
        put!(
            out,
            "<line x1=\"{x:.1}\" x2=\"{x:.1}\" y1=\"{TOP}\" y2=\"{bottom}\" stroke=\"var(--grid)\"/><text x=\"{x:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{name}</text>\n",
            bottom + 16.0
        );
    }
}

/// How many times what the machine allows each cost of the largest size is, on a scale that multiplies.
fn limits(out: &mut String, report: &Report) {
    let Some(size) = report.sizes.len().checked_sub(1) else {
        return;
    };
    let rows: Vec<(&Row, f64)> = report
        .rows
        .iter()
        // Everybody is read in the same way, whatever the policy.
        .filter(|row| !row.key.ends_with("_scan_seconds") || row.key.starts_with(WHOLE))
        .filter_map(|row| Some((row, row.times_limit(size)?.max(1.0))))
        .collect();
    let most = rows.iter().map(|(_, times)| *times).fold(10.0, f64::max);
    if rows.is_empty() {
        return;
    }
    put!(
        out,
        "<h2>Beside what the machine allows</h2>\n<p class=\"quiet\">With {} people: how many times the least that memory and disk would need for the same bytes. 1.0 × is all that the machine gives. The scale multiplies: twice the length is far more than twice as much.</p>\n<div class=\"bars\">\n",
        people_text(report.sizes[size])
    );
    for (row, times) in rows {
        let (value, limit) = (row.values[size].unwrap_or(0.0), row.limits[size].unwrap_or(0.0));
        let colour = if row.limited_by == "disk" { "--c" } else { "--a" };
        put!(
            out,
            "<div class=\"bar\"><span class=\"name\">{}<small>{}</small></span><span class=\"lane\" role=\"img\" aria-label=\"{times:.1} times the limit of {}\"><span class=\"of\" style=\"width:{:.2}%\"><i style=\"width:100%;background:var({colour})\"></i></span><span class=\"tell\">{times:.1} × <small class=\"quiet\">· {}</small></span></span></div>\n",
            escaped(row.title),
            escaped(&format!(
                "{}; {}: {}",
                short(row.section),
                row.limited_by,
                row.kind.text(limit)
            )),
            escaped(row.limited_by),
            times.ln() / most.ln() * 100.0,
            row.kind.text(value)
        );
    }
    out.push_str("</div>\n");
}

/// The words of a heading before its first comma or bracket.
fn short(section: &str) -> &str {
    section.split(" (").next().unwrap_or(section)
}

fn parts(out: &mut String, report: &Report) {
    let Some(&people) = report.sizes.last() else {
        return;
    };
    let size = report.sizes.len() - 1;
    let of = |bytes: &[f64]| bytes.get(size).copied().unwrap_or(0.0);
    let most = report
        .parts
        .iter()
        .map(|(_, bytes)| of(bytes))
        .fold(0.0, f64::max);
    if most <= 0.0 {
        return;
    }
    put!(
        out,
        "<h2>What takes room in the file</h2>\n<p class=\"quiet\">Bytes in use by part, with {} people, before any run.</p>\n<div class=\"bars\">\n",
        people_text(people)
    );
    for (name, bytes) in &report.parts {
        let bytes = of(bytes);
        let each = bytes / people as f64;
        if each < 0.005 {
            continue;
        }
        put!(
            out,
            "<div class=\"bar\"><span class=\"name\">{}</span><span class=\"lane\"><span class=\"of\" style=\"width:{:.2}%\"><i style=\"width:100%;background:var(--a)\"></i></span><span class=\"tell\">{} <small class=\"quiet\">· {each:.2} a person</small></span></span></div>\n",
            escaped(&name.replace('_', " ")),
            bytes / most * 100.0,
            Kind::Bytes.text(bytes)
        );
    }
    out.push_str("</div>\n");
}

fn table(out: &mut String, report: &Report) {
    out.push_str(
        "<h2>All figures</h2>\n<div class=\"scroll\"><table>\n<thead><tr><th scope=\"col\">cost</th>",
    );
    for &people in &report.sizes {
        put!(out, "<th scope=\"col\">{}</th>", people_text(people));
    }
    put!(
        out,
        "<th scope=\"col\">{}</th><th scope=\"col\">deviation</th><th scope=\"col\">{} foretold</th></tr></thead>\n",
        escaped(&report.fitted_heading()),
        people_text(FORETOLD_PEOPLE)
    );
    let mut section = "";
    for row in &report.rows {
        if row.section != section {
            if !section.is_empty() {
                out.push_str("</tbody>\n");
            }
            section = row.section;
            put!(
                out,
                "<tbody class=\"part\"><tr><th scope=\"rowgroup\" colspan=\"{}\">{}</th></tr>\n",
                report.sizes.len() + 4,
                escaped(section)
            );
        }
        put!(out, "<tr><td>{}</td>", escaped(row.title));
        for (value, limit) in row.values.iter().zip(&row.limits) {
            let value = value.map_or_else(|| "–".to_owned(), |value| row.kind.text(value));
            match limit {
                Some(limit) => {
                    put!(
                        out,
                        "<td>{value}<small>{} limit {}</small></td>",
                        escaped(row.limited_by),
                        row.kind.text(*limit)
                    );
                }
                None => {
                    put!(out, "<td>{value}</td>");
                }
            }
        }
        match (row.fit, row.foretold()) {
            (Some(fit), Some(foretold)) => {
                let deviation = if fit.sizes > 2 {
                    format!("{:.1} %", fit.deviation_percent)
                } else {
                    "two sizes".to_owned()
                };
                put!(
                    out,
                    "<td>{} + {} a million</td><td>{deviation}</td><td>{}</td></tr>\n",
                    row.kind.text(fit.fixed),
                    row.kind.text(fit.each * 1e6),
                    row.kind.text(foretold)
                );
            }
            _ => out.push_str("<td></td><td></td><td></td></tr>\n"),
        }
    }
    if !section.is_empty() {
        out.push_str("</tbody>\n");
    }
    out.push_str("</table></div>\n");
}

fn foot(out: &mut String, report: &Report) {
    put!(
        out,
        "<footer class=\"quiet\">\n<p>Nobody in these registries exists. Each piece of work is done in a process of its own: the registry’s cache is empty when it begins, the operating system’s is warm as far as memory suffices. Runs are repeated {} times and the median counts. The scan is measured by itself; evaluating is what a run takes beyond it. A run is limited by reading the columns of everybody from memory once and by writing its ledger with two syncs; one update by this disk’s own sync of as many pages; grouped updates by writing their bytes and by as many syncs.</p>\n<p>Made by ansinh {} with seed {}.</p>\n</footer>\n",
        super::RUNS,
        env!("CARGO_PKG_VERSION"),
        report.seed
    );
}

#[cfg(test)]
mod tests {
    use super::super::rows::tests::sample;
    use super::*;

    #[test]
    fn the_page_holds_itself_and_every_figure() {
        let page = page(&sample());
        for needed in [
            "<!doctype html>",
            "Example &lt;9000&gt; &amp; Co",
            "What a month consists of",
            "10 million people",
            "100 million foretold",
            "8.18 s",
            "2.2 ×",
            "dossiers",
            "</html>",
        ] {
            assert!(page.contains(needed), "{needed}");
        }
        // Nothing is loaded from anywhere, and nothing runs.
        for foreign in [
            "http://", "https://", "<script", "src=", "@import", "url(", "NaN", "inf",
        ] {
            assert!(!page.contains(foreign), "{foreign}");
        }
        for (open, close) in [
            ("<div", "</div>"),
            ("<span", "</span>"),
            ("<svg", "</svg>"),
            ("<tr", "</tr>"),
            ("<tbody", "</tbody>"),
        ] {
            assert_eq!(page.matches(open).count(), page.matches(close).count(), "{open}");
        }
    }

    #[test]
    fn a_single_size_is_drawn_without_a_line() {
        let mut report = sample();
        report = Report::new(
            report.machine,
            1,
            vec![1_000_000],
            vec![report.figures[0].clone()],
        );
        let page = page(&report);
        assert!(page.contains("one size: no line") && !page.contains("<polyline"));
        assert!(!page.contains("NaN"));
    }

    #[test]
    fn sizes_and_powers_have_few_letters() {
        for (people, text) in [
            (2_000, "2,000"),
            (1_000_000, "1 million"),
            (2_500_000, "2.5 million"),
            (1_234_567, "1,234,567"),
        ] {
            assert_eq!(people_text(people), text);
        }
        for (kind, power, text) in [
            (Kind::Seconds, -6, "1 µs"),
            (Kind::Seconds, -1, "100 ms"),
            (Kind::Seconds, 2, "100 s"),
            (Kind::Bytes, 7, "10 MB"),
            (Kind::Bytes, 10, "10 GB"),
        ] {
            assert_eq!(tick(kind, power), text);
        }
    }
}
