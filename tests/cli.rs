//! The program as people and scripts meet it: exit codes, what is printed where, and messages that say where, what was
//! found, what was expected and what to do next.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use ansinh::kernel::Author;
use ansinh::registry::{Person, Registry};
use ansinh::types::{Date, Identifier, Instant, Month, Sex};
use serde_json::Value as Json;
use tempfile::TempDir;

const A: &str = "001050000017";
const B: &str = "001150000018";

fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ansinh"));
    command.args(arguments).env("USER", "lan").stdin(Stdio::null());
    command
}

/// What a run of the program gave.
struct Ran {
    exit: i32,
    out: String,
    err: String,
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        Self {
            exit: output.status.code().expect("the program was not killed"),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

fn run(arguments: &[&str]) -> Ran {
    command(arguments).output().unwrap().into()
}

/// Runs what must succeed, and gives what it printed.
#[track_caller]
fn done(arguments: &[&str]) -> String {
    let ran = run(arguments);
    assert_eq!((ran.exit, ran.err.as_str()), (0, ""), "{arguments:?}");
    ran.out
}

#[track_caller]
fn json(arguments: &[&str]) -> Json {
    let mut arguments = arguments.to_vec();
    arguments.push("--json");
    let out = done(&arguments);
    assert_eq!(out.lines().count(), 1, "{out}");
    serde_json::from_str(&out).unwrap()
}

/// Runs what must end with an exit code and a message that holds all of these words, alone on standard error.
#[track_caller]
fn refused(arguments: &[&str], exit: i32, words: &[&str]) {
    let ran = run(arguments);
    assert_eq!(ran.exit, exit, "{}", ran.err);
    assert_eq!(ran.out, "");
    assert!(ran.err.starts_with("error: "), "{}", ran.err);
    for word in words {
        assert!(ran.err.contains(word), "{word:?} is not in: {}", ran.err);
    }
}

struct Place {
    folder: TempDir,
}

impl Place {
    fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn file(&self, name: &str) -> String {
        self.path(name).to_str().unwrap().to_owned()
    }

    /// A registry with a household of two.
    fn registry(&self) -> String {
        let db = self.file("a.ansinh");
        done(&["init", &db]);
        insert_two(&self.path("a.ansinh"));
        db
    }
}

fn insert_two(path: &Path) {
    let registry = Registry::open(path).unwrap();
    let instant = Instant::from_unix_millis(1_780_272_000_000);
    let mut tx = registry
        .begin_write(Author::new("minh", "test"), instant)
        .unwrap();
    for (id, name, sex) in [(A, "Nguyễn Văn A", Sex::Male), (B, "Trần Thị B", Sex::Female)] {
        let born: Date = "1950-03-17".parse().unwrap();
        let person = Person::new(name, born, sex)
            .id(id.parse::<Identifier>().unwrap())
            .household("HN-1".parse().unwrap())
            .commune("16681".parse().unwrap())
            .account("VCB 0011223344")
            .from(Month::new(2025, 7).unwrap());
        tx.insert(&person).unwrap();
    }
    tx.commit().unwrap();
    registry.close().unwrap();
}

#[test]
fn init_creates_a_registry_once() {
    let place = Place::new();
    let db = place.file("a.ansinh");
    let created = json(&["init", &db]);
    assert_eq!(
        (&created["pack"], &created["units"]),
        (&Json::from("vn"), &Json::from(3_321))
    );
    refused(
        &["init", &db],
        2,
        &["a.ansinh", "exists already", "choose another name"],
    );
    let stats = json(&["stats", &db]);
    assert_eq!(
        (&stats["people"], &stats["units"]),
        (&Json::from(0), &Json::from(3_321))
    );
}

#[test]
fn init_takes_another_pack_or_says_what_is_wrong_with_it() {
    let place = Place::new();
    let (db, pack) = (place.file("a.ansinh"), place.file("pack.toml"));
    std::fs::write(&pack, "[pack]\nid = 5\n").unwrap();
    refused(&["init", &db, "--pack", &pack], 2, &["pack.toml:2", "id"]);
    refused(
        &["init", &db, "--pack", &place.file("none.toml")],
        2,
        &["none.toml", "could not be read"],
    );
    std::fs::write(&pack, [0xff, 0xfe]).unwrap();
    refused(&["init", &db, "--pack", &pack], 2, &["pack.toml", "UTF-8"]);
    assert!(!Path::new(&db).exists());
    let vietnam = ansinh::policy::Pack::vietnam();
    std::fs::write(&pack, vietnam.source_text()).unwrap();
    refused(
        &["init", &db, "--pack", &pack],
        2,
        &["merit_annex1.csv", "could not be read"],
    );
    for (name, text) in vietnam.files() {
        let file = Path::new(&pack).with_file_name(name);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, text).unwrap();
    }
    assert_eq!(json(&["init", &db, "--pack", &pack])["pack"], "vn");
}

#[test]
fn show_masks_what_is_not_asked_for() {
    let place = Place::new();
    let db = place.registry();
    let shown = done(&["show", &db, A, "--as-of", "2026-06"]);
    assert!(
        shown.contains("001******017") && shown.contains("Nguyễn Văn A"),
        "{shown}"
    );
    assert!(
        shown.contains("16681 Phường Thành Vinh") && shown.contains("HN-1"),
        "{shown}"
    );
    assert!(
        !shown.contains(A) && !shown.contains("0011223344") && shown.contains("***344"),
        "{shown}"
    );
    let shown = done(&["show", &db, A, "--unmask"]);
    assert!(shown.contains(A) && shown.contains("VCB 0011223344"), "{shown}");
    let person = json(&["show", &db, A, "--as-of", "2026-06"]);
    assert_eq!(
        (&person["person"], &person["sex"]),
        (&Json::from(A), &Json::from("male"))
    );
    assert_eq!(person["commune"]["code"], "16681");
    assert_eq!(person["account"], "***344");
    let household = json(&["household", &db, "hn-1"]);
    assert_eq!(household["members"].as_array().unwrap().len(), 2);
    assert_eq!(household["members"][1]["person"], "001******018");
    let household = done(&["household", &db, "HN-1", "--unmask"]);
    assert!(household.contains(B), "{household}");
}

#[test]
fn people_and_places_that_are_not_there() {
    let place = Place::new();
    let db = place.registry();
    refused(
        &["show", &db, "001050000099"],
        1,
        &["001******099", "nobody", "check the digits"],
    );
    refused(
        &["show", &db, A, "--known-at", "1"],
        1,
        &["001******017", "known at #1"],
    );
    refused(
        &["show", &db, A, "--known-at", "9"],
        1,
        &["no transaction #9", "the newest is #2"],
    );
    refused(&["household", &db, "HN-2"], 1, &["HN-2", "check it"]);
    refused(&["commune", &db, "99999"], 1, &["99999", "check the code"]);
    refused(
        &["commune", &db, "16681", "--month", "2020-01"],
        1,
        &["16681", "2020-01", "from 2025-07"],
    );
    let shown = json(&["show", &db, A, "--as-of", "2024-01"]);
    assert_eq!(
        (&shown["commune"], &shown["present"]),
        (&Json::Null, &Json::from(false))
    );
    assert_eq!(
        json(&["commune", &db, "16681", "--month", "2026-06"])["people"],
        2
    );
}

#[test]
fn malformed_arguments_are_told_with_an_example() {
    let place = Place::new();
    let db = place.registry();
    refused(
        &["show", &db, "00105000001"],
        2,
        &["00105000001", "11 characters", "12 digits", "001150000017"],
    );
    refused(&["show", &db, "TM17"], 2, &["TM17", "TM0000000017"]);
    refused(
        &["household", &db, "HN_1"],
        2,
        &["HN_1", "position 3", "0-9, A-Z"],
    );
    refused(&["commune", &db, "4"], 2, &["\"4\"", "5 digits", "00004"]);
    refused(
        &["show", &db, A, "--as-of", "2026-13"],
        2,
        &["2026-13", "out of range"],
    );
    refused(
        &["show", &db, A, "--as-of", "June"],
        2,
        &["June", "YYYY-MM", "2026-06"],
    );
    refused(
        &[
            "record",
            &db,
            A,
            "disability",
            "--from",
            "2026-01",
            "--reason",
            "x",
        ],
        2,
        &["disability=severe"],
    );
    refused(
        &["record", &db, A, "disability=severe", "--from", "2026-01"],
        2,
        &["--reason"],
    );
    refused(
        &[
            "record",
            &db,
            A,
            "disability=severe",
            "--from",
            "2026-01",
            "--reason",
            " ",
        ],
        2,
        &["--reason", "empty"],
    );
    refused(&["shwo", &db], 2, &["shwo", "show"]);
    refused(&["stats", &db, "--cache", "0"], 2, &["--cache"]);
}

#[test]
fn files_that_are_no_registries() {
    let place = Place::new();
    let none = place.file("none.ansinh");
    refused(&["show", &none, A], 2, &["none.ansinh", "no file", "ansinh init"]);
    refused(
        &["record", &none, A, "a=b", "--from", "2026-01", "--reason", "x"],
        2,
        &["none.ansinh", "ansinh init"],
    );
    assert!(!Path::new(&none).exists());
    let text = place.file("text.ansinh");
    std::fs::write(&text, "just some text that is longer than a header".repeat(500)).unwrap();
    refused(
        &["stats", &text],
        2,
        &["text.ansinh", "not a registry", "just some"],
    );
    std::fs::write(&text, "").unwrap();
    refused(&["stats", &text], 2, &["text.ansinh"]);
    let db = place.registry();
    let bytes = std::fs::read(&db).unwrap();
    let mut newer = bytes.clone();
    newer[16] = 2;
    std::fs::write(&db, &newer).unwrap();
    refused(
        &["stats", &db],
        2,
        &["a.ansinh", "damaged", "states format version 2"],
    );
    std::fs::write(&db, &bytes[..bytes.len() / 2 + 13]).unwrap();
    refused(&["stats", &db], 2, &["a.ansinh", "cut off", "backup"]);
    refused(&["stats", place.folder.path().to_str().unwrap()], 2, &["cannot"]);
}

#[test]
fn a_registry_that_is_open_elsewhere_is_not_waited_for() {
    let place = Place::new();
    let db = place.registry();
    let registry = Registry::open(&db).unwrap();
    refused(
        &["show", &db, A],
        2,
        &["a.ansinh", "open elsewhere", "close it there"],
    );
    registry.close().unwrap();
    let reader = Registry::open_read_only(&db).unwrap();
    done(&["show", &db, A]);
    let record = [
        "record",
        &db,
        A,
        "disability=severe",
        "--from",
        "2026-01",
        "--reason",
        "x",
    ];
    refused(&record, 2, &["a.ansinh", "open elsewhere"]);
    reader.close().unwrap();
    done(&record);
}

#[test]
fn facts_are_recorded_together_or_not_at_all() {
    let place = Place::new();
    let db = place.registry();
    let record = |facts: &[&'static str], more: &[&'static str]| {
        let mut arguments = vec!["record".to_owned(), db.clone(), A.to_owned()];
        arguments.extend(facts.iter().chain(more).map(ToString::to_string));
        arguments.extend(["--reason", "decision 112"].map(str::to_owned));
        arguments
    };
    let words = |arguments: &[String]| -> Vec<String> { arguments.to_vec() };
    let first = words(&record(
        &["disability=severe", "channel=account", "household.poverty=poor"],
        &["--from", "2026-03", "--until", "2026-12", "--document", "112/QĐ"],
    ));
    let first: Vec<&str> = first.iter().map(String::as_str).collect();
    let done_once = json(&first);
    assert_eq!(
        (&done_once["recorded"], &done_once["sequence"]),
        (&Json::from(3), &Json::from(3))
    );
    let again = json(&first);
    assert_eq!(
        (&again["recorded"], &again["unchanged"], &again["sequence"]),
        (&Json::from(0), &Json::from(3), &Json::Null)
    );

    for (facts, exit, expected) in [
        (
            ["pregnant=true", "disabilty=severe"],
            2,
            "did you mean \"disability\"?",
        ),
        (
            ["pregnant=true", "disability=sever"],
            2,
            "did you mean \"severe\"?",
        ),
        (["pregnant=true", "pregnant=maybe"], 2, "true, false or unknown"),
        (
            ["pregnant=true", "household.povrty=poor"],
            2,
            "did you mean \"poverty\"?",
        ),
        (["pregnant=true", "guardian=001050000099"], 1, "001******099"),
        (
            ["pregnant=true", "guardian=001050000017"],
            1,
            "the ID of somebody else",
        ),
        (["pregnant=true", "pregnant=false"], 2, "given twice"),
    ] {
        let arguments = record(&facts, &["--from", "2026-04"]);
        refused(
            &arguments.iter().map(String::as_str).collect::<Vec<_>>(),
            exit,
            &[expected],
        );
    }
    let early = record(&["pregnant=true"], &["--from", "2026-04", "--until", "2026-03"]);
    refused(
        &early.iter().map(String::as_str).collect::<Vec<_>>(),
        1,
        &["2026-03", "before the first month"],
    );

    let person = json(&["show", &db, A, "--as-of", "2026-06", "--history"]);
    assert_eq!(person["facts"]["disability"], "severe");
    assert!(person["facts"].get("pregnant").is_none(), "{person}");
    let history = person["history"].as_array().unwrap();
    let disability = history.iter().find(|line| line["fact"] == "disability").unwrap();
    assert_eq!(
        (&disability["by"], &disability["document"]),
        (&Json::from("lan"), &Json::from("112/QĐ"))
    );
    assert_eq!(
        (&disability["from"], &disability["until"]),
        (&Json::from("2026-03"), &Json::from("2026-12"))
    );
    assert_eq!(
        json(&["household", &db, "HN-1", "--as-of", "2026-06"])["facts"]["poverty"],
        "poor"
    );
    assert!(
        json(&["show", &db, A, "--as-of", "2026-06", "--known-at", "2"])["facts"]
            .as_object()
            .unwrap()
            .is_empty()
    );
    refused(
        &[
            "record",
            &db,
            "001050000099",
            "pregnant=true",
            "--from",
            "2026-04",
            "--reason",
            "x",
        ],
        1,
        &["001******099", "insert the person"],
    );
}

#[test]
fn the_log_tells_who_and_why_and_keeps_sensitive_look_ups() {
    let place = Place::new();
    let db = place.registry();
    done(&["show", &db, A, "--sensitive", "court order 5", "--author", "hoa"]);
    let log = json(&["log", &db, "--tail", "2"]);
    assert_eq!(log["total"], 3);
    let entries = log["entries"].as_array().unwrap();
    assert_eq!(
        (&entries[0]["author"], &entries[0]["operations"]),
        (&Json::from("minh"), &Json::from(2))
    );
    assert_eq!(entries[0]["at"], "2026-06-01T00:00:00Z");
    assert_eq!(entries[1]["author"], "hoa");
    assert_eq!(
        entries[1]["reason"],
        "looked up sensitive facts of 001******017: court order 5"
    );
    let lines = done(&["log", &db]);
    assert_eq!(lines.lines().count(), 4, "{lines}");
    assert!(
        lines
            .lines()
            .nth(1)
            .unwrap()
            .contains("\tadoption\t3322\tansinh\tregistry created\t"),
        "{lines}"
    );
}

#[test]
fn a_synthetic_population_is_loaded_once() {
    let place = Place::new();
    let db = place.file("a.ansinh");
    done(&["init", &db]);
    let synth = ["synth", &db, "--people", "3000", "--seed", "5"];
    let loaded = json(&synth);
    assert_eq!(loaded["people"], 3_000);
    assert!(loaded["seconds"].as_f64().unwrap() > 0.0);
    refused(
        &synth,
        1,
        &["household ID", "belongs to", "a registry of its own"],
    );
    refused(&["synth", &db, "--people", "0"], 2, &["--people"]);
    let stats = json(&["stats", &db]);
    assert_eq!(stats["people"], 3_000);
    assert!(
        stats["tables"]
            .as_array()
            .unwrap()
            .iter()
            .any(|table| table["name"] == "hot")
    );
    refused(
        &["synth", &db, "--people", "9999999999"],
        2,
        &["9999999999", "at most 1000000000"],
    );
    refused(&["synth", &db, "--people", "many"], 2, &["many"]);
    refused(
        &["synth", &db, "--people", "10", "--month", "2020-01"],
        2,
        &["2020-01", "2025-08"],
    );
}

/// A registry in which A has a social pension by a decision, and B none.
fn with_a_pension(place: &Place) -> String {
    let db = place.registry();
    done(&[
        "record",
        &db,
        A,
        "enrolment.social_pension=active",
        "--from",
        "2026-01",
        "--reason",
        "decision 7",
        "--document",
        "7/QĐ-UBND",
    ]);
    db
}

#[test]
fn a_month_is_run_once_made_final_and_reported() {
    let place = Place::new();
    let db = with_a_pension(&place);
    let counts = |run: &Json| {
        [
            "people",
            "paid",
            "zero",
            "held",
            "error",
            "paid_with_held",
            "amount",
        ]
        .map(|field| run[field].as_i64().unwrap())
    };
    let expected = [2, 1, 1, 0, 0, 0, 500_000];
    let dry = json(&["run", &db, "2026-06", "--dry-run"]);
    assert_eq!((counts(&dry), &dry["run"]), (expected, &Json::Null));
    refused(&["report", &db, "2026-06"], 1, &["2026-06", "ansinh run"]);
    refused(
        &["run", &db, "2026-06", "--void"],
        1,
        &["2026-06", "nothing to void"],
    );

    let run = json(&["run", &db, "2026-06"]);
    assert_eq!(
        (counts(&run), &run["run"], &run["status"]),
        (expected, &Json::from(1), &Json::from("draft"))
    );
    assert_eq!(
        (&run["month"], &run["how"]),
        (&Json::from("2026-06"), &Json::from("created"))
    );
    assert!(run["seconds"].as_f64().unwrap() >= run["seconds_commit"].as_f64().unwrap());
    assert!(run["peak_memory_bytes"].is_null() || run["peak_memory_bytes"].as_u64().unwrap() > 0);
    assert_eq!(json(&["run", &db, "2026-06"])["how"], "exists");
    refused(
        &["run", &db, "2026-06", "--known-on", "2026-12-31"],
        1,
        &["2026-06-30", "2026-12-31", "--void"],
    );
    refused(
        &["run", &db, "2026-06", "--final", "--known-on", "2026-12-31"],
        1,
        &["2026-06-30", "void it"],
    );
    assert_eq!(json(&["run", &db, "2026-06", "--void"])["status"], "void");

    let run = json(&["run", &db, "2026-06", "--province", "40"]);
    assert_eq!(
        (counts(&run), &run["run"], &run["scope"]),
        (expected, &Json::from(2), &Json::from("province 40"))
    );
    assert_eq!(
        json(&["run", &db, "2026-06", "--province", "40", "--final"])["status"],
        "final"
    );
    refused(
        &["run", &db, "2026-06", "--province", "40", "--void"],
        1,
        &["final", "correction"],
    );
    refused(&["run", &db, "2026-07", "--province", "99"], 1, &["99"]);

    let report = json(&["report", &db, "2026-06", "--province", "40"]);
    assert_eq!(report["rows"].as_array().unwrap().len(), 1);
    assert_eq!(
        (&report["rows"][0]["key"], &report["rows"][0]["amount"]),
        (&Json::from("40"), &Json::from(500_000))
    );
    assert_eq!(
        (&report["total"]["people"], &report["total"]["amount"]),
        (&Json::from(2), &Json::from(500_000))
    );
    let by = |by| json(&["report", &db, "2026-06", "--province", "40", "--by", by])["rows"].clone();
    assert_eq!(by("programme")[0]["key"], "social_pension");
    assert_eq!(
        (&by("channel")[0]["key"], &by("commune")[0]["key"]),
        (&Json::from("none"), &Json::from("16681"))
    );
    let lines = done(&["report", &db, "2026-06", "--province", "40", "--by", "programme"]);
    assert!(
        lines.contains("social_pension\tSocial pension\t1\t0\t0\t500.000 đ\t0 đ"),
        "{lines}"
    );
}

#[test]
fn a_final_run_is_made_at_once_if_there_is_no_draft() {
    let place = Place::new();
    let db = with_a_pension(&place);
    let run = json(&["run", &db, "2026-06", "--final"]);
    assert_eq!(
        (&run["status"], &run["how"]),
        (&Json::from("final"), &Json::from("created"))
    );
    refused(
        &["run", &db, "2026-06", "--final", "--dry-run"],
        2,
        &["--final", "--dry-run"],
    );
    refused(&["run", &db, "2026-06-01"], 2, &["2026-06-01", "YYYY-MM"]);
    refused(
        &["run", &db, "2026-07", "--known-on", "2010-01-01"],
        2,
        &["begins with 2021-07", "2026-07", "2010-01-01", "law date"],
    );
}

#[test]
fn an_amount_is_explained_by_law_and_facts() {
    let place = Place::new();
    let db = with_a_pension(&place);
    let explained = json(&["explain", &db, A, "2026-06"]);
    assert_eq!(
        (&explained["person"], &explained["month"]),
        (&Json::from(A), &Json::from("2026-06"))
    );
    assert_eq!(
        (&explained["status"], &explained["total"]),
        (&Json::from("paid"), &Json::from(500_000))
    );
    let line = &explained["lines"][0];
    assert_eq!(
        (&line["programme"], &line["amount"]),
        (&Json::from("social_pension"), &Json::from(500_000))
    );
    let cites = line["cite"].as_array().unwrap();
    assert!(
        cites
            .iter()
            .any(|cite| cite.as_str().unwrap().contains("Decree 176/2025")),
        "{line}"
    );
    assert_eq!(
        (&explained["run"], &explained["reasons"][0]["code"]),
        (&Json::Null, &Json::from("entitled"))
    );

    let other = json(&["explain", &db, B, "2026-06"]);
    assert_eq!(
        (&other["status"], &other["total"]),
        (&Json::from("zero"), &Json::from(0))
    );
    assert_eq!(
        (&other["reasons"][0]["code"], &other["reasons"][0]["programme"]),
        (&Json::from("not_enrolled"), &Json::from("social_pension"))
    );
    json(&["run", &db, "2026-06"]);
    let by_run = json(&["explain", &db, A, "2026-06"]);
    assert_eq!(
        (&by_run["run"], &by_run["run_agrees"]),
        (&Json::from(1), &Json::from(true))
    );

    let text = done(&["explain", &db, A, "2026-06"]);
    for word in [
        "001******017",
        "500,000 đ",
        "Age: 76 years",
        "7/QĐ-UBND",
        "by run 1",
        "Decree 176/2025",
        "recorded",
    ] {
        assert!(text.contains(word), "{word}: {text}");
    }
    let text = done(&["explain", &db, B, "2026-06", "--lang", "vi"]);
    for words in [
        "đủ điều kiện nhưng chưa có quyết định hưởng “Trợ cấp hưu trí xã hội”",
        "Từ đủ 75 tuổi",
        "Quyết định: chưa có",
    ] {
        assert!(text.contains(words), "{words}: {text}");
    }
    refused(&["explain", &db, A, "2026-06", "--lang", "fr"], 2, &["fr", "vi"]);
    refused(&["explain", &db, "001050000099", "2026-06"], 1, &["001******099"]);
    let later = json(&["explain", &db, A, "2026-07", "--known-on", "2026-10-31"]);
    assert_eq!(later["total"], 540_000);
    assert_eq!(json(&["explain", &db, A, "2026-07"])["total"], 500_000);
}

#[test]
fn an_explanation_is_a_structure_too() {
    let place = Place::new();
    let db = with_a_pension(&place);
    let explained = json(&["explain", &db, A, "2026-06", "--lang", "vi"]);
    assert_eq!(explained["lang"], "vi");
    let programme = &explained["programmes"][0];
    assert_eq!(
        (
            &programme["programme"],
            &programme["choice"],
            &programme["by_end_of"]
        ),
        (
            &Json::from("social_pension"),
            &Json::from("paid"),
            &Json::from("2026-06")
        )
    );
    let condition = &programme["conditions"][0];
    assert_eq!(
        (&condition["kind"], &condition["holds"]),
        (&Json::from("condition"), &Json::from(true))
    );
    assert!(
        condition["sentence"]
            .as_str()
            .unwrap()
            .starts_with("từ đủ 75 tuổi")
    );
    let age = &condition["facts"][0];
    assert_eq!(
        (&age["name"], &age["value"], &age["words"]),
        (&Json::from("age"), &Json::from(76), &Json::from("76 tuổi"))
    );
    assert_eq!(
        (&age["recorded_by"], &age["recorded_at"], &age["since"]),
        (
            &Json::from("minh"),
            &Json::from("2026-06-01T00:00:00Z"),
            &Json::Null
        )
    );
    let decision = &programme["decision"];
    assert_eq!(
        (
            &decision["since"],
            &decision["recorded_by"],
            &decision["document"]
        ),
        (
            &Json::from("2026-01"),
            &Json::from("lan"),
            &Json::from("7/QĐ-UBND")
        )
    );
    let amount = &programme["amount"];
    assert_eq!(
        (&amount["least"], &amount["calculation"]),
        (&Json::from(500_000), &Json::from("500.000 đ"))
    );
    assert_eq!(amount["figures"][0]["name"], "param.social_pension");
    assert_eq!(
        (
            &explained["combinations"][0]["rule"],
            &explained["combinations"][0]["members"][0]["choice"]
        ),
        (&Json::from("highest"), &Json::from("chosen"))
    );
    let others = explained["other_programmes"].as_array().unwrap();
    assert!(others.contains(&Json::from("disability")), "{others:?}");
    let all = json(&["explain", &db, A, "2026-06", "--all"]);
    let all = all["programmes"].as_array().unwrap();
    assert!(all.iter().any(|programme| programme["programme"] == "disability"));
    let fact = |name: &str| {
        let facts = explained["facts"].as_array().unwrap();
        facts.iter().find(|fact| fact["fact"] == name).cloned().unwrap()
    };
    assert_eq!(fact("person.birth")["value"], "1950-03-17");
    let enrolment = fact("person.enrolment.social_pension");
    assert_eq!(
        (
            &enrolment["from"],
            &enrolment["recorded"],
            &enrolment["recorded_why"]
        ),
        (&Json::from("2026-01"), &Json::from(3), &Json::from("decision 7"))
    );
}

#[test]
fn nothing_about_hiv_is_explained_unless_asked_for() {
    let place = Place::new();
    let db = place.registry();
    for fact in ["household.poverty=poor", "hiv=true", "enrolment.hiv_poor=active"] {
        done(&["record", &db, A, fact, "--from", "2026-01", "--reason", "list"]);
    }
    for lang in ["vi", "en"] {
        let all = ["explain", &db, A, "2026-06", "--lang", lang, "--all"];
        let text = done(&all);
        assert!(!text.to_lowercase().contains("hiv"), "{text}");
        let text = json(&all).to_string();
        assert!(!text.to_lowercase().contains("hiv"), "{text}");
        assert!(text.contains("\"total\":750000"), "{text}");
    }
    let text = done(&["explain", &db, A, "2026-06", "--sensitive", "court order 5"]);
    assert!(text.contains("Living with HIV"), "{text}");
}

#[test]
fn what_is_exported_can_be_imported_elsewhere() {
    let place = Place::new();
    let (db, file, other) = (
        place.file("a.ansinh"),
        place.file("people.csv"),
        place.file("b.ansinh"),
    );
    done(&["init", &db]);
    done(&["synth", &db, "--people", "2000"]);
    let exported = json(&["export", &db, &file]);
    assert_eq!(exported["people"], 2_000);
    assert_eq!(
        done(&["export", &db, "-"]),
        std::fs::read_to_string(&file).unwrap()
    );
    refused(
        &["export", &db, &file],
        2,
        &["people.csv", "exists already", "choose another name"],
    );
    refused(
        &["export", &db, &place.file("no/where.csv")],
        2,
        &["where.csv", "choose another place"],
    );

    done(&["init", &other]);
    let imported = json(&["import", &other, &file]);
    assert_eq!(
        (&imported["accepted"], &imported["rejected"]),
        (&Json::from(2_000), &Json::from(0))
    );
    assert!(imported["seconds"].as_f64().unwrap() > 0.0);
    let again = json(&["import", &other, &file]);
    assert_eq!(
        (&again["accepted"], &again["existing"], &again["written"]),
        (&Json::from(0), &Json::from(2_000), &Json::from(false))
    );
    assert!(done(&["import", &other, &file]).contains("All 2000 people were there already"));
    assert!(
        !std::path::Path::new(&format!("{file}.rejects.csv")).exists(),
        "nothing was rejected"
    );
    let amount = |db: &str| json(&["run", db, "2026-06", "--dry-run"])["amount"].clone();
    assert_eq!(amount(&db), amount(&other));
}

#[test]
fn rejected_rows_are_told_one_by_one() {
    let place = Place::new();
    let (db, file, rejects) = (
        place.registry(),
        place.file("new.csv"),
        place.file("rejected.csv"),
    );
    let rows = [
        "person_id,name,birth_date,sex,commune",
        "001050000117,Lê Văn C,1950-03-17,male,16681",
        "00105000011,Lê Văn D,1950-03-17,male,16681",
        "001050000119,Lê Văn E,1950-03-17,male,99999",
        "",
    ];
    std::fs::write(&file, rows.join("\n")).unwrap();
    let ran = run(&["import", &db, &file, "--rejects", &rejects]);
    assert_eq!(ran.exit, 1);
    assert!(
        ran.err
            .starts_with("error: 2 of 3 rows were rejected, so nothing was written"),
        "{}",
        ran.err
    );
    assert!(
        ran.out.contains("3\tperson_id\t00105000011\t") && ran.out.contains("4\tcommune\t99999\t"),
        "{}",
        ran.out
    );
    assert!(std::fs::read_to_string(&rejects).unwrap().contains("Lê Văn E"));
    refused(&["show", &db, "001050000117"], 1, &["nobody"]);
    refused(
        &["import", &db, &file, "--rejects", &rejects],
        2,
        &["rejected.csv", "does not exist"],
    );

    let kept = format!("{file}.rejects.csv");
    let ran = run(&["import", &db, &file, "--json"]);
    assert_eq!(ran.exit, 1);
    let report: Json = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(
        (&report["accepted"], &report["written"], &report["rejects_file"]),
        (&Json::from(0), &Json::from(false), &Json::from(kept.as_str()))
    );
    let rows = std::fs::read_to_string(&kept).unwrap();
    assert!(
        rows.contains("Lê Văn D") && rows.contains("Lê Văn E") && !rows.contains("Lê Văn C"),
        "{rows}"
    );
    std::fs::remove_file(&kept).unwrap();

    let ran = run(&["import", &db, &file, "--partial", "--json"]);
    assert_eq!(ran.exit, 1);
    let report: Json = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(
        (&report["accepted"], &report["rejected"], &report["written"]),
        (&Json::from(1), &Json::from(2), &Json::from(true))
    );
    assert_eq!(
        (&report["rejects"][0]["line"], &report["rejects"][0]["column"]),
        (&Json::from(3), &Json::from("person_id"))
    );
    assert_eq!(json(&["show", &db, "001050000117"])["name"], "Lê Văn C");

    std::fs::write(&file, "person_id,nme\n").unwrap();
    refused(&["import", &db, &file], 2, &["new.csv", "line 1", "nme"]);
    refused(
        &["import", &db, &place.file("none.csv")],
        2,
        &["none.csv", "check the name"],
    );
}

#[test]
fn the_demonstration_ends_with_what_to_try_next() {
    let place = Place::new();
    let db = place.file("demo.ansinh");
    let text = done(&["demo", "--people", "2000", "--db", &db]);
    assert!(
        text.contains("2026-06 by province") && text.contains("Try next:"),
        "{text}"
    );
    let suggested = text.lines().find(|line| line.contains(" explain ")).unwrap();
    let words: Vec<&str> = suggested.split_whitespace().skip(1).collect();
    assert!(done(&words).contains("is paid"));
    refused(&["demo", "--db", &db], 2, &["demo.ansinh", "exists already"]);
    let second = place.file("second.ansinh");
    let said = json(&["demo", "--people", "2000", "--db", &second]);
    assert_eq!(
        (&said["people"], &said["report"]["total"]["people"]),
        (&Json::from(2_000), &said["run"]["people"])
    );
}

#[test]
fn errors_are_json_too_if_that_is_asked_for() {
    let place = Place::new();
    let db = place.registry();
    for (arguments, exit, word) in [
        (vec!["show", &db, "001050000099", "--json"], 1, "001******099"),
        (vec!["--json", "show", &db, "17"], 2, "12 digits"),
        (
            vec!["stats", "/nowhere/a.ansinh", "--json"],
            2,
            "/nowhere/a.ansinh",
        ),
    ] {
        let ran = run(&arguments);
        assert_eq!((ran.exit, ran.out.as_str()), (exit, ""), "{}", ran.err);
        let error: Json = serde_json::from_str(&ran.err).unwrap();
        assert!(error["error"].as_str().unwrap().contains(word), "{error}");
        assert_eq!(error["exit"], exit);
    }
}

#[test]
fn a_closed_pipe_is_no_error() {
    let place = Place::new();
    let db = place.registry();
    let mut child = command(&["stats", &db])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let ran: Ran = child.wait_with_output().unwrap().into();
    assert_eq!((ran.exit, ran.err.as_str()), (0, ""));
}

#[test]
fn help_has_examples_and_exits_with_success() {
    let help = done(&["--help"]);
    assert!(
        help.contains("Examples:") && help.contains("Exit codes:"),
        "{help}"
    );
    for name in [
        "run",
        "explain",
        "report",
        "demo",
        "init",
        "synth",
        "show",
        "household",
        "commune",
        "record",
        "log",
        "stats",
    ] {
        assert!(done(&[name, "--help"]).contains("ansinh "), "{name}");
        assert!(help.contains(name), "{name}");
    }
    assert!(done(&["help", "run"]).contains("--dry-run"));
    assert!(done(&["--version"]).starts_with("ansinh "));
    assert_eq!(run(&[]).exit, 2);
}

/// The commands that the README lists, in their order, with fewer people.
fn commands_of_the_readme() -> Vec<Vec<String>> {
    let readme = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/README.md")).unwrap();
    let lines = readme.lines().filter_map(|line| line.strip_prefix("ansinh "));
    lines
        .map(|line| {
            let command = line.split(" #").next().unwrap();
            let words = command.split(['"', '\'']).enumerate().flat_map(|(at, part)| {
                // Every second part stood in quotes: one word.
                let words: Vec<&str> = if at % 2 == 1 {
                    vec![part]
                } else {
                    part.split_whitespace().collect()
                };
                words
            });
            words.map(|word| word.replace("100000", "1000")).collect()
        })
        .collect()
}

#[test]
fn the_commands_of_the_readme_work_one_after_the_other() {
    let place = Place::new();
    std::fs::create_dir(place.path("examples")).unwrap();
    let people = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/people.csv");
    std::fs::copy(people, place.path("examples/people.csv")).unwrap();
    let commands = commands_of_the_readme();
    assert!(commands.len() >= 10, "{commands:?}");
    for words in commands {
        let arguments: Vec<&str> = words.iter().map(String::as_str).collect();
        let ran: Ran = command(&arguments)
            .current_dir(place.folder.path())
            .output()
            .unwrap()
            .into();
        assert_eq!((ran.exit, ran.err.as_str()), (0, ""), "{arguments:?}");
        if words[0] == "explain" {
            assert!(ran.out.contains("is paid"), "{}", ran.out);
        }
    }
}
