//! The command `find` as it is used: its answers, exit codes, and what it does not tell unasked.

use std::path::PathBuf;
use std::process::{Command, Output};

use serde_json::Value as Json;

/// A registry with a few thousand synthetic people, made by the commands themselves.
struct Sample {
    _folder: tempfile::TempDir,
    path: PathBuf,
}

fn ansinh(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_ansinh"))
        .args(arguments)
        .output()
        .unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

impl Sample {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.ansinh");
        let name = path.to_str().unwrap();
        assert!(ansinh(&["init", name]).status.success());
        assert!(
            ansinh(&["synth", name, "--people", "5000", "--seed", "3"])
                .status
                .success()
        );
        Self {
            _folder: folder,
            path,
        }
    }

    /// `find` in June 2026: exit code, standard output, standard error.
    fn find(&self, arguments: &[&str]) -> (i32, String, String) {
        let mut all = vec!["find", self.path.to_str().unwrap()];
        all.extend(arguments);
        all.extend(["--month", "2026-06"]);
        let output = ansinh(&all);
        (
            output.status.code().unwrap(),
            text(&output.stdout),
            text(&output.stderr),
        )
    }

    fn json(&self, arguments: &[&str]) -> Json {
        let mut all = arguments.to_vec();
        all.push("--json");
        let (code, out, error) = self.find(&all);
        assert_eq!((code, error.as_str()), (0, ""), "{arguments:?}");
        serde_json::from_str(&out).unwrap()
    }

    fn count(&self, condition: &str) -> u64 {
        self.json(&[condition, "--count"])["count"].as_u64().unwrap()
    }
}

#[test]
fn people_are_counted_listed_and_broken_down() {
    let sample = Sample::new();
    let counted = sample.json(&["age >= 75", "--count"]);
    let all = counted["count"].as_u64().unwrap();
    assert!((50..1_000).contains(&all), "{counted}");
    assert!(
        counted["undetermined"].is_u64() && counted["seconds"].is_f64(),
        "{counted}"
    );
    assert_eq!(counted["month"], "2026-06");
    assert_eq!(counted["law_known_on"], "2026-06-30");
    let (men, women) = (
        sample.count("age >= 75 and sex == male"),
        sample.count("age >= 75 and sex == female"),
    );
    assert_eq!(men + women, all);

    let by = sample.json(&["age >= 75", "--by", "sex"]);
    let rows = by["rows"].as_array().unwrap();
    assert_eq!(rows.len(), 2);
    assert_eq!(
        (&rows[0]["key"], rows[0]["count"].as_u64()),
        (&Json::from("male"), Some(men))
    );
    assert_eq!(by["count"].as_u64(), Some(all));
    let (code, out, _) = sample.find(&["age >= 75", "--by", "province"]);
    assert_eq!(code, 0);
    assert!(out.contains("Thành phố Hà Nội") && out.contains("total"), "{out}");

    let listed = sample.json(&["age >= 75", "--limit", "7"]);
    let people = listed["people"].as_array().unwrap();
    assert_eq!(people.len(), 7);
    assert_eq!(listed["more"].as_u64(), Some(all - 7));
    for person in people {
        let id = person["person"].as_str().unwrap();
        assert!(id.contains("****"), "{id}");
        let born: i32 = person["birth"].as_str().unwrap()[..4].parse().unwrap();
        assert!(born <= 1951, "{person}");
    }
    let (code, out, _) = sample.find(&["age >= 75"]);
    assert_eq!(code, 0);
    assert_eq!(out.lines().filter(|line| line.contains("****")).count(), 20);
    assert!(
        out.contains(&format!("{} more; show them with --limit {all}", all - 20)),
        "{out}"
    );
    let unmasked = sample.json(&["age >= 75", "--limit", "1", "--unmask"]);
    assert!(!unmasked["people"][0]["person"].as_str().unwrap().contains('*'));
}

#[test]
fn nobody_is_a_no_and_a_mistake_is_shown() {
    let sample = Sample::new();
    let (code, out, error) = sample.find(&["age > 150"]);
    assert_eq!((code, out.as_str()), (1, ""));
    assert!(error.contains("nobody meets the condition in 2026-06"), "{error}");
    let (code, out, _) = sample.find(&["age > 150", "--json"]);
    let found: Json = serde_json::from_str(&out).unwrap();
    assert_eq!(
        (code, found["count"].as_u64(), &found["people"]),
        (1, Some(0), &Json::from(Vec::<Json>::new()))
    );
    assert_eq!(
        sample.find(&["age > 150", "--count"]).0,
        0,
        "a count of 0 is an answer"
    );

    let (code, out, error) = sample.find(&["age >= 75 and pention == none"]);
    assert_eq!((code, out.as_str()), (2, ""));
    assert!(
        error.contains("did you mean \"pension\"?") && error.contains("^^^^^^^"),
        "{error}"
    );
    let (code, _, error) = sample.find(&["age >= 75", "--by", "povince"]);
    assert_eq!(code, 2);
    assert!(error.contains("did you mean \"province\"?"), "{error}");
    let (code, _, error) = sample.find(&["age >= 75", "--known-at", "99"]);
    assert_eq!(code, 1);
    assert!(error.contains("there is no transaction #99"), "{error}");
    assert_eq!(sample.find(&["age >= 75", "--count", "--by", "sex"]).0, 2);
}

#[test]
fn who_has_hiv_is_not_told_without_a_reason() {
    let sample = Sample::new();
    for arguments in [
        &["hiv", "--count"][..],
        &["household.any(hiv)"],
        &["age >= 0", "--by", "hiv"],
        &["enrolment.hiv_poor == active", "--by", "commune"],
    ] {
        let (code, out, error) = sample.find(arguments);
        assert_eq!((code, out.as_str()), (2, ""), "{arguments:?}");
        assert!(error.contains("--sensitive REASON"), "{error}");
    }
    let (code, out, _) = sample.find(&[
        "hiv",
        "--count",
        "--sensitive",
        "visit of the health station",
        "--author",
        "clerk 7",
    ]);
    assert_eq!(code, 0, "{out}");
    let log = ansinh(&["log", sample.path.to_str().unwrap(), "--tail", "1", "--json"]);
    let log = text(&log.stdout);
    assert!(
        log.contains("clerk 7") && log.contains("visit of the health station"),
        "{log}"
    );
    assert!(
        log.contains("looked up sensitive facts of whoever meets the condition"),
        "{log}"
    );
}

#[test]
fn a_plan_says_what_will_be_read() {
    let sample = Sample::new();
    let plan = sample.json(&["disability == severe and province == 01", "--plan"])["plan"].clone();
    let number = |key: &str| plan[key].as_u64().unwrap();
    assert_eq!(plan["attributes"], Json::from(vec!["disability"]));
    assert!(number("communes_possible") < number("communes") / 10, "{plan}");
    assert_eq!(
        number("skipped_by_place") + number("skipped_by_profile") + number("read"),
        number("segments")
    );
    assert!(number("skipped_by_place") > 0, "{plan}");
    let person = &plan["person_profiles"];
    assert!(person["possible"].as_u64() < person["all"].as_u64(), "{plan}");
    assert_eq!(plan["one_by_one"], false);
    let plan = sample.json(&["household.count(age < 16) >= 2", "--plan"])["plan"].clone();
    assert_eq!(plan["one_by_one"], true);
    let (code, out, _) = sample.find(&["age >= 16", "--plan"]);
    assert_eq!(code, 0);
    assert!(
        out.contains("One by one") && out.contains("Skipped by profile"),
        "{out}"
    );
}
