//! `ansinh bench` as people and scripts meet it: figures, a page, and what is refused.

use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value as Json;

fn run(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_ansinh"))
        .args(arguments)
        .output()
        .unwrap()
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// Runs what must be refused with exit code 2 and a message that holds all of these words.
#[track_caller]
fn refused(arguments: &[&str], words: &[&str]) {
    let ran = run(arguments);
    let said = String::from_utf8(ran.stderr).unwrap();
    assert_eq!(ran.status.code(), Some(2), "{said}");
    assert!(ran.stdout.is_empty());
    for word in words {
        assert!(said.contains(word), "{word:?} is not in: {said}");
    }
}

#[test]
fn two_sizes_are_measured_to_the_end_and_nothing_is_left() {
    let folder = tempfile::tempdir().unwrap();
    let (html, json) = (
        folder.path().join("page.html"),
        folder.path().join("figures.json"),
    );
    let ran = run(&[
        "bench",
        "--people",
        "4000,2000,4000",
        "--seed",
        "7",
        "--folder",
        text(folder.path()),
        "--html",
        text(&html),
        "--json-file",
        text(&json),
        "--json",
    ]);
    let said = String::from_utf8(ran.stderr).unwrap();
    assert_eq!((ran.status.code(), said.as_str()), (Some(0), ""));
    let printed: Json = serde_json::from_slice(&ran.stdout).unwrap();
    let written: Json = serde_json::from_str(&std::fs::read_to_string(&json).unwrap()).unwrap();
    assert_eq!(printed, written);
    assert_eq!(printed["seed"], 7);
    assert!(printed["machine"]["cores"].as_u64().unwrap() > 0);
    for limit in [
        "memory_bytes_per_second",
        "disk_write_bytes_per_second",
        "disk_sync_seconds",
    ] {
        assert!(printed["machine"][limit].as_f64().unwrap() > 0.0, "{limit}");
    }
    let sizes: Vec<u64> = printed["sizes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|size| size["people"].as_u64().unwrap())
        .collect();
    assert_eq!(sizes, [2_000, 4_000]);
    for size in printed["sizes"].as_array().unwrap() {
        let (people, figures) = (size["people"].as_f64().unwrap(), &size["figures"]);
        let figure = |name: &str| {
            figures[name]
                .as_f64()
                .unwrap_or_else(|| panic!("{name} in {figures}"))
        };
        // Nearly everybody lives in June 2026; by one pack everybody is paid, by the other about one in ten. So few people
        // live in few communes, of which hardly any is poor.
        assert!((0.97..=1.0).contains(&(figure("everyone_people") / people)));
        assert!(figure("everyone_paid") / figure("everyone_people") > 0.98);
        assert!(
            (0.03..0.20).contains(&(figure("bench_paid") / people)),
            "{}",
            figure("bench_paid")
        );
        assert!(
            (0.01..0.10).contains(&(figure("vn_paid") / people)),
            "{}",
            figure("vn_paid")
        );
        // What changed from July on changes nobody's June.
        assert!((figure("past_paid") - figure("vn_paid")).abs() < 0.5);
        assert!((figure("changed") - (people / 67.0).floor()).abs() < 0.5);
        assert!(
            figure("grouped_updates") >= people && figure("grouped_syncs") < figure("grouped_updates") / 4.0
        );
    }
    rows(&printed);
    let page = std::fs::read_to_string(&html).unwrap();
    assert!(
        page.starts_with("<!doctype html>") && page.contains("2,000 and 4,000 people"),
        "{page}"
    );
    let mut left: Vec<_> = std::fs::read_dir(folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    left.sort();
    assert_eq!(left, ["figures.json", "page.html"]);
}

/// Every cost is there for both sizes, with what sets its limit and the line of those that grow.
fn rows(printed: &Json) {
    let rows = printed["rows"].as_array().unwrap();
    let row = |key: &str| {
        let found = rows.iter().find(|row| row["key"] == key);
        found.unwrap_or_else(|| panic!("no row {key}"))
    };
    for key in [
        "load_seconds",
        "import_per_second",
        "row_median_micros",
        "person_99th_micros",
        "single_median_micros",
        "grouped_per_second",
        "vn_open_seconds",
        "vn_scan_seconds",
        "vn_evaluate_seconds",
        "vn_commit_seconds",
        "vn_run_seconds",
        "count_median_seconds",
        "count_worst_seconds",
        "count_cold_seconds",
        "count_rare_seconds",
        "count_rare_cold_seconds",
        "bench_run_seconds",
        "everyone_run_seconds",
        "past_run_seconds",
        "past_to_current_times",
        "file_bytes",
    ] {
        let values = row(key)["values"].as_array().unwrap();
        assert!(
            values.len() == 2 && values.iter().all(|value| value.as_f64().unwrap() >= 0.0),
            "{key}"
        );
    }
    assert_eq!(row("single_median_micros")["limited_by"], "disk");
    assert_eq!(row("vn_scan_seconds")["limited_by"], "memory");
    assert!(row("vn_run_seconds")["limits"][1].as_f64().unwrap() > 0.0);
    let fit = &row("file_bytes")["fit"];
    let foretold = fit["a"].as_f64().unwrap() + fit["b"].as_f64().unwrap() * 1e8;
    assert!((foretold / fit["foretold"].as_f64().unwrap() - 1.0).abs() < 1e-9);
    assert_eq!(fit["sizes"], 2);
    #[cfg(target_os = "linux")]
    assert!(row("vn_peak_bytes")["values"][0].as_f64().unwrap() > 1e6);
}

#[test]
fn one_size_is_printed_as_tables() {
    let folder = tempfile::tempdir().unwrap();
    let ran = run(&["bench", "--people", "2000", "--folder", text(folder.path())]);
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    let out = String::from_utf8(ran.stdout).unwrap();
    for needed in [
        "Processor\t",
        "The month, everyone entitled",
        "\nAll of it, in a fresh process\t",
        "Bytes in use, before any run",
        "\ndossiers\t",
    ] {
        assert!(out.contains(needed), "{needed:?} is not in: {out}");
    }
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn what_cannot_be_measured_is_refused_before_anything_is_made() {
    let folder = tempfile::tempdir().unwrap();
    let own = text(folder.path());
    refused(&["bench", "--people", "0"], &["--people"]);
    refused(&["bench", "--people", "2000,many"], &["many"]);
    refused(&["bench", "--people", "999"], &["999", "1000"]);
    let missing = folder.path().join("missing");
    refused(
        &["bench", "--people", "2000", "--folder", text(&missing)],
        &["missing", "--folder"],
    );
    let page = missing.join("page.html");
    refused(
        &[
            "bench",
            "--people",
            "2000",
            "--folder",
            own,
            "--html",
            text(&page),
        ],
        &["page.html", "cannot write"],
    );
    refused(
        &["bench", "--people", "1000000000", "--folder", own],
        &["1,000,000,000 people take", "are free", "--folder"],
    );
    refused(
        &["bench-task", "fly", "x", "--people", "1", "--seed", "1"],
        &["fly"],
    );
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}
