//! The commands about policy packs as people and scripts meet them: what is said of sound packs and of unsound ones, of
//! names, of examples and of cases, and with which exit code.

use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use serde_json::Value as Json;
use tempfile::TempDir;

/// A small sound pack with a table beside it.
const PACK: &str = r#"
[pack]
id = "test"
version = "7"
title = { vi = "Thử nghiệm", en = "A test" }
horizon = "2024-01"

[birth]
unknown_month = "january"
source = "Practice"
confidence = "M"

[person.disability]
title = { vi = "Mức độ khuyết tật", en = "Degree of disability" }
type = "enum"
values = ["none", "light", "severe"]
absent = "none"

[person.in_facility]
title = { vi = "Trong cơ sở", en = "In a facility" }
type = "bool"
absent = false

[define.disabled]
title = { vi = "Khuyết tật nặng", en = "Severely disabled" }
condition = "disability == severe"

[parameter.base]
title = { vi = "Mức chuẩn", en = "Base level" }
unit = "dong"
rule = "higher"
values = [
  { value = 300000, from = "2024-01", known_from = "2024-01-01", source = "Decree 1", confidence = "S1" },
  { value = 400000, from = "2024-07", known_from = "2024-09-01", source = "Decree 2", confidence = "S3" },
]
provinces = [
  { in = "01", value = 350000, from = "2024-03", until = "2024-12", known_from = "2024-03-01", source = "Resolution 1", confidence = "S2" },
]

[table.rates]
title = { vi = "Mức trợ cấp", en = "Rates" }
unit = "dong"
file = "rates.csv"
edition = "decree"
keys = ["kind", "percent"]
value = "monthly"
editions = [
  { rows = "1/2024", from = "2024-01", known_from = "2024-01-01", source = "Decree 3", confidence = "S1" },
]

[group.all]
rule = "highest"
cite = "Law 1"
confidence = "S1"

[[programme]]
id = "disability"
title = { vi = "Trợ cấp khuyết tật", en = "Disability allowance" }
cite = "Law 1, Art. 5"
confidence = "S1"
months = { from = "2024-01" }
payee = ["self"]
stop = "month_after"
group = "all"
condition = "disabled and age < 60"
exclusions = [ { when = "in_facility", cite = "Law 1, Art. 6" } ]
amount = "param.base * 1.5"
doubts = [ { what = "ages over 59", source = "a letter", confidence = "?", from = "2024-05" } ]

[[programme]]
id = "rated"
title = { vi = "Trợ cấp theo tỷ lệ", en = "Rated allowance" }
cite = "Law 2"
confidence = "S2"
months = { from = "2024-01" }
payee = ["self"]
stop = "month_after"
group = "all"
condition = "disabled and not in_facility"
amount = "table.rates(a, 41)"

[[example]]
title = "a disabled adult in Hà Nội"
month = "2024-06"
province = "01"
birth = "1990-05-17"
person = { disability = "severe" }
enrolled = ["disability"]
expect = { status = "paid", paid = { disability = 525000 } }

[[example]]
title = "two of a household"
month = "2024-06"
people = [
  { name = "a", birth = "1990-05-17", person = { disability = "severe" }, enrolled = ["disability"], expect = { status = "paid", paid = { disability = 450000 } } },
  { name = "b", birth = "1991-05-17", expect = { status = "zero" } },
]
"#;

const RATES: &str =
    "decree,kind,percent,monthly\n1/2024,a,41,100000\n1/2024,a,51,200000\n1/2024,b,41,90000\n";

const CASE: &str =
    "birth = \"1990-05-17\"\nperson = { disability = \"severe\" }\nenrolled = [\"disability\"]\n";

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

fn policy(arguments: &[&str]) -> Ran {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ansinh"));
    command.arg("policy").args(arguments).stdin(Stdio::null());
    command.output().unwrap().into()
}

#[track_caller]
fn done(arguments: &[&str]) -> String {
    let ran = policy(arguments);
    assert_eq!(
        (ran.exit, ran.err.as_str()),
        (0, ""),
        "{arguments:?}: {}",
        ran.out
    );
    ran.out
}

#[track_caller]
fn json(arguments: &[&str], exit: i32) -> Json {
    let mut arguments = arguments.to_vec();
    arguments.push("--json");
    let ran = policy(&arguments);
    assert_eq!(ran.exit, exit, "{}", ran.err);
    assert_eq!(ran.out.lines().count(), 1, "{}", ran.out);
    serde_json::from_str(&ran.out).unwrap()
}

/// Runs what must end with an exit code and a message with all of these words, and nothing else.
#[track_caller]
fn refused(arguments: &[&str], exit: i32, words: &[&str]) {
    let ran = policy(arguments);
    assert_eq!((ran.exit, ran.out.as_str()), (exit, ""), "{}", ran.err);
    assert!(ran.err.starts_with("error: "), "{}", ran.err);
    for word in words {
        assert!(ran.err.contains(word), "{word:?} is not in: {}", ran.err);
    }
}

#[track_caller]
fn holds(text: &str, words: &[&str]) {
    for word in words {
        assert!(text.contains(word), "{word:?} is not in: {text}");
    }
}

/// A folder with the pack, its table and a case.
struct Place {
    folder: TempDir,
}

impl Place {
    fn new() -> Self {
        let place = Self {
            folder: tempfile::tempdir().unwrap(),
        };
        place.write("pack.toml", PACK);
        place.write("rates.csv", RATES);
        place.write("case.toml", CASE);
        place
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn file(&self, name: &str) -> String {
        self.path(name).to_str().unwrap().to_owned()
    }

    fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> String {
        std::fs::write(self.path(name), bytes).unwrap();
        self.file(name)
    }

    /// The pack with something in it replaced.
    fn pack_with(&self, old: &str, new: &str) -> String {
        assert!(PACK.contains(old), "{old}");
        self.write("changed.toml", PACK.replace(old, new))
    }
}

/// The line of the pack, from 1, in which a text first stands.
fn line_of(text: &str) -> usize {
    PACK.lines().position(|line| line.contains(text)).unwrap() + 1
}

#[test]
fn a_sound_pack_is_counted_and_its_weak_sources_are_listed() {
    let place = Place::new();
    let pack = place.file("pack.toml");
    let out = done(&["check", &pack]);
    for row in [
        "Pack\ttest 7",
        "Programmes\t2",
        "Examples\t2",
        "Low confidence\t3",
        "Warnings\t0",
    ] {
        assert!(out.lines().any(|line| line == row), "{row:?} is not in: {out}");
    }
    let line = line_of("value = 400000");
    holds(
        &out,
        &[&format!(
            "S3\tparam.base = 400000\t2024-07\t\t2024-09-01\tDecree 2\t{line}\n"
        )],
    );
    let said = json(&["check", &pack], 0);
    assert_eq!(
        (&said["ok"], &said["parameters"]),
        (&Json::from(true), &Json::from(1))
    );
    assert_eq!(said["hash"].as_str().unwrap().len(), 12);
    let low = said["low_confidence"].as_array().unwrap();
    let whats: Vec<&str> = low.iter().map(|low| low["what"].as_str().unwrap()).collect();
    assert_eq!(
        whats,
        [
            "a birth date without month",
            "param.base = 400000",
            "programme disability: ages over 59"
        ]
    );
    assert_eq!(low[2]["from"], "2024-05");
    assert_eq!(low[2]["line"], line_of("ages over 59"));
}

#[test]
fn figures_that_nothing_reads_are_warned_of() {
    let place = Place::new();
    let pack = place.pack_with("amount = \"table.rates(a, 41)\"", "amount = \"param.base\"");
    let said = json(&["check", &pack], 0);
    let warnings = said["warnings"].as_array().unwrap();
    let unread = |warning: &&Json| warning["message"] == "no expression reads table.rates";
    assert_eq!(warnings.iter().filter(unread).count(), 1, "{warnings:?}");
    holds(
        &done(&["check", &pack]),
        &["Warnings\t", "no expression reads table.rates"],
    );
}

#[test]
fn the_built_in_pack_is_sound() {
    let said = json(&["check", "vn"], 0);
    assert_eq!((&said["ok"], &said["id"]), (&Json::from(true), &Json::from("vn")));
    assert!(said["programmes"].as_u64().unwrap() > 50);
    assert_eq!(
        done(&["check", "vn"]),
        done(&["check", "vn"]),
        "answers can be compared"
    );
}

#[test]
fn every_error_is_shown_with_its_place() {
    let place = Place::new();
    let pack = place.pack_with("disabled and age < 60", "disabeld and agee < 60");
    let ran = policy(&["check", &pack]);
    assert_eq!(ran.exit, 1);
    let line = line_of("disabled and age");
    holds(
        &ran.out,
        &[
            &format!("{pack}:{line}:14: "),
            "^^^^^^^^",
            "did you mean \"disabled\"?",
            "did you mean \"age\"?",
        ],
    );
    assert_eq!(ran.err, format!("error: {pack} has 2 errors\n"));

    let said = json(&["check", &pack], 1);
    assert_eq!(
        (&said["ok"], &said["count"]),
        (&Json::from(false), &Json::from(2))
    );
    let error = &said["errors"][0];
    assert_eq!(
        (&error["file"], &error["line"], &error["column"]),
        (&Json::from(pack.as_str()), &Json::from(line), &Json::from(14))
    );
    holds(error["message"].as_str().unwrap(), &["disabeld"]);
    holds(error["hint"].as_str().unwrap(), &["disabled"]);
}

#[test]
fn text_that_is_no_toml_is_an_error_with_its_place() {
    let place = Place::new();
    let pack = place.write("bad.toml", "[pack]\nid = \"x\n");
    let ran = policy(&["check", &pack]);
    assert_eq!(ran.exit, 1);
    holds(&ran.out, &["bad.toml:2:"]);
    let name = &pack;
    refused(&["test", name], 1, &["bad.toml:2:"]);
    refused(&["show", name, "base", "--month", "2024-06"], 1, &["bad.toml:2:"]);
    refused(
        &["eval", name, &place.file("case.toml"), "--month", "2024-06"],
        1,
        &["bad.toml:2:"],
    );
}

#[test]
fn a_table_that_is_missing_or_no_text_is_named_where_the_pack_names_it() {
    let place = Place::new();
    let line = line_of("rates.csv");
    let pack = place.pack_with("rates.csv", "none.csv");
    let said = json(&["check", &pack], 1);
    assert_eq!(said["errors"][0]["line"], line);
    holds(
        said["errors"][0]["message"].as_str().unwrap(),
        &["none.csv", "could not be read"],
    );

    let pack = place.file("pack.toml");
    place.write("rates.csv", b"decree,kind\xff\n");
    let said = json(&["check", &pack], 1);
    assert_eq!(said["errors"][0]["line"], line);
    holds(
        said["errors"][0]["message"].as_str().unwrap(),
        &["rates.csv", "UTF-8"],
    );

    place.write("rates.csv", "decree,kind,percent\n");
    let ran = policy(&["check", &pack]);
    assert_eq!(ran.exit, 1);
    holds(&ran.out, &["rates.csv:1:1", "\"monthly\" is missing"]);
}

#[test]
fn files_that_cannot_be_read_are_failures() {
    let place = Place::new();
    let (folder, none) = (place.file("."), place.file("none.toml"));
    let latin = place.write("latin.toml", b"title = \"M\xe1\"\n");
    let pack = place.file("pack.toml");
    for command in [vec!["check"], vec!["test"]] {
        let with = |file| [&command[..], &[file]].concat();
        refused(&with(folder.as_str()), 2, &["is a directory", "`vn`"]);
        refused(
            &with(none.as_str()),
            2,
            &["there is no file", "none.toml", "`vn`"],
        );
        refused(&with(latin.as_str()), 2, &["latin.toml", "not UTF-8"]);
    }
    for (file, word) in [
        (&folder, "is a directory"),
        (&none, "there is no file"),
        (&latin, "not UTF-8"),
    ] {
        refused(&["eval", &pack, file, "--month", "2024-06"], 2, &[word]);
    }
    let long = place.write("long.toml", "#".repeat((1 << 20) + 1));
    refused(
        &["eval", &pack, &long, "--month", "2024-06"],
        2,
        &["long.toml", "more than 1048576 bytes"],
    );
}

#[test]
fn examples_pass_or_are_shown_as_they_failed() {
    let place = Place::new();
    let pack = place.file("pack.toml");
    assert_eq!(done(&["test", &pack]), "2 examples passed.\n");
    assert_eq!(done(&["test", &pack, "--only", "HÀ NỘI"]), "1 example passed.\n");
    refused(
        &["test", &pack, "--only", "nothing"],
        1,
        &["no title of the 2 examples", "nothing"],
    );
    let said = json(&["test", &pack], 0);
    assert_eq!(
        (&said["passed"], &said["failed"]),
        (&Json::from(2), &Json::Array(Vec::new()))
    );

    let pack = place.pack_with("paid = { disability = 450000 }", "paid = { disability = 450001 }");
    let ran = policy(&["test", &pack]);
    assert_eq!(
        (ran.exit, ran.err.as_str()),
        (1, format!("error: 1 of 2 examples of {pack} failed\n").as_str())
    );
    let line = PACK.lines().collect::<Vec<_>>();
    let line = line.iter().rposition(|line| *line == "[[example]]").unwrap() + 1;
    assert_eq!(
        ran.out,
        format!(
            "{pack}:{line}: two of a household\n  expected  a: paid; disability 450.001 đ\n  found     a: paid; disability 450.000 đ\n\n"
        )
    );
    let said = json(&["test", &pack], 1);
    assert_eq!(said["passed"], 1);
    assert_eq!(said["failed"][0]["line"], line);
    holds(
        said["failed"][0]["found"].as_str().unwrap(),
        &["a: paid; disability 450.000 đ | b: zero"],
    );
}

#[test]
fn a_figure_is_shown_with_why_it_holds() {
    let place = Place::new();
    let pack = place.file("pack.toml");
    let said = json(&["show", &pack, "base", "--month", "2024-07"], 0);
    assert_eq!(
        (&said["value"], &said["law_known_on"]),
        (&Json::from(300_000), &Json::from("2024-07-31"))
    );
    let values = said["values"].as_array().unwrap();
    let flags = |value: &Json| ["applies", "known", "chosen"].map(|key| value[key].as_bool().unwrap());
    assert_eq!(flags(&values[0]), [true, true, true]);
    assert_eq!(flags(&values[1]), [true, false, false]);
    holds(
        values[1]["why"].as_str().unwrap(),
        &["not known before 2024-09-01"],
    );

    let known = [
        "show",
        &pack,
        "param.base",
        "--month",
        "2024-07",
        "--known-on",
        "2024-09-01",
    ];
    let said = json(&known, 0);
    assert_eq!(said["value"], 400_000);
    holds(
        said["values"][0]["why"].as_str().unwrap(),
        &["replaced by the one from 2024-07"],
    );
    let out = done(&known);
    holds(
        &out,
        &[
            "National value\t400.000 đ",
            "chosen: of those that apply and were known",
        ],
    );

    let early = json(&["show", &pack, "base", "--month", "2023-12"], 0);
    assert_eq!(early["value"], Json::Null);
    holds(
        early["values"][0]["why"].as_str().unwrap(),
        &["does not apply before 2024-01"],
    );
}

#[test]
fn a_province_gets_the_higher_figure() {
    let place = Place::new();
    let pack = place.file("pack.toml");
    let here = |month: &str, known: &str, province: &str| {
        let said = json(
            &[
                "show",
                &pack,
                "base",
                "--month",
                month,
                "--known-on",
                known,
                "--province",
                province,
            ],
            0,
        );
        let why = said["here"]["why"].as_str().unwrap().to_owned();
        (
            said["here"]["value"].as_i64().unwrap(),
            why,
            said["provincial"].as_array().unwrap().len(),
        )
    };
    let (value, why, in_force) = here("2024-06", "2024-06-30", "01");
    assert_eq!((value, in_force), (350_000, 1));
    holds(&why, &["province 01", "higher than the national"]);
    let (value, why, _) = here("2024-07", "2024-09-01", "01");
    assert_eq!(value, 400_000);
    holds(&why, &["not higher"]);
    let (value, why, _) = here("2024-06", "2024-06-30", "79");
    assert_eq!(value, 300_000);
    holds(&why, &["no value of this province is in force"]);
    let (_, _, in_force) = here("2025-01", "2025-01-31", "01");
    assert_eq!(in_force, 0, "it ended in 2024-12");
    let out = done(&["show", &pack, "base", "--month", "2024-06", "--province", "01"]);
    holds(&out, &["Value there\t350.000 đ", "Thành phố Hà Nội"]);
}

#[test]
fn rows_of_a_table_are_shown() {
    let place = Place::new();
    let pack = place.file("pack.toml");
    let rows = |name: &str| {
        let said = json(&["show", &pack, name, "--month", "2024-06"], 0);
        let rows = said["rows"].as_array().unwrap().clone();
        rows.iter()
            .map(|row| row["value"].as_i64().unwrap())
            .collect::<Vec<_>>()
    };
    assert_eq!(rows("table.rates"), [100_000, 200_000, 90_000]);
    assert_eq!(rows("rates(a)"), [100_000, 200_000]);
    assert_eq!(rows("table.rates(b, 41)"), [90_000]);
    let at = ["--month", "2024-06"];
    let show = |name| [&["show", pack.as_str(), name][..], &at].concat();
    refused(
        &show("rates(c)"),
        1,
        &["\"c\" does not stand in the column \"kind\""],
    );
    refused(
        &show("rates(a, b)"),
        1,
        &["\"percent\"", "expected a whole number"],
    );
    refused(
        &show("rates(b, 51)"),
        1,
        &["has no row (b, 51)", "show table.rates"],
    );
    refused(&show("rates(a, 41, 1)"), 1, &["3 keys", "kind, percent"]);
    refused(&show("rates(a"), 1, &["closing bracket"]);
    refused(&show("base(a)"), 1, &["param.base is no table"]);
    let none = json(&["show", &pack, "rates", "--month", "2023-01"], 0);
    assert_eq!(
        (&none["edition"], none["rows"].as_array().unwrap().len()),
        (&Json::Null, 0)
    );
}

#[test]
fn programmes_groups_and_definitions_are_shown() {
    let place = Place::new();
    let pack = place.file("pack.toml");
    let said = json(
        &[
            "show",
            &pack,
            "disability",
            "--month",
            "2024-06",
            "--province",
            "01",
        ],
        0,
    );
    assert_eq!(said["conditions"], serde_json::json!(["disabled", "age < 60"]));
    assert_eq!(said["figures"][0]["value"], 350_000);
    assert_eq!(said["definitions"][0]["text"], "disability == severe");
    assert_eq!(said["doubts"][0]["concerns"], true);
    let out = done(&["show", &pack, "disability", "--month", "2023-12"]);
    holds(
        &out,
        &[
            "In force\tno: begins in 2024-01",
            "Group\tall: only the highest is paid (Law 1)",
            "in_facility\tLaw 1, Art. 6",
            "param.base * 1.5",
        ],
    );
    let out = done(&["show", &pack, "all", "--month", "2024-06"]);
    holds(&out, &["Group\tall", "disability\tyes\t", "rated\tyes\t"]);
    let out = done(&["show", &pack, "define.disabled", "--month", "2024-06"]);
    holds(&out, &["Is\tdisability == severe", "Used by\tdisability, rated"]);
}

#[test]
fn names_that_are_not_there_or_not_clear_are_refused_with_what_may_be_meant() {
    let place = Place::new();
    let pack = place.file("pack.toml");
    refused(
        &["show", &pack, "bas", "--month", "2024-06"],
        1,
        &["\"bas\"", "did you mean \"base\"?"],
    );
    refused(
        &["show", &pack, "param.bose", "--month", "2024-06"],
        1,
        &["did you mean \"base\"?"],
    );
    refused(
        &["show", &pack, "zzzzzz", "--month", "2024-06"],
        1,
        &["has no parameter, table"],
    );
    refused(
        &["show", "vn", "merit", "--month", "2026-06"],
        1,
        &["group.merit", "define.merit"],
    );
    let ran = policy(&["show", &pack, "base", "--month", "2024-13"]);
    assert_eq!(ran.exit, 2);
    holds(&ran.err, &["2024-13", "--month"]);
}

#[test]
fn a_case_is_evaluated_and_explained() {
    let place = Place::new();
    let (pack, case) = (place.file("pack.toml"), place.file("case.toml"));
    let people = json(&["eval", &pack, &case, "--month", "2024-06"], 0);
    let person = &people[0];
    assert_eq!(
        (&person["status"], &person["total"]),
        (&Json::from("paid"), &Json::from(450_000))
    );
    let line = &person["lines"][0];
    assert_eq!(
        (&line["programme"], &line["amount"], &line["kind"]),
        (
            &Json::from("disability"),
            &Json::from(450_000),
            &Json::from("paid")
        )
    );
    assert_eq!(line["cite"], serde_json::json!(["Law 1, Art. 5", "Decree 1"]));
    let reasons = person["reasons"].as_array().unwrap();
    assert_eq!(reasons[0]["code"], "entitled");
    let decision = reasons
        .iter()
        .find(|reason| reason["code"] == "decision")
        .unwrap();
    assert_eq!(decision["programme"], "rated");

    let known = [
        "eval",
        &pack,
        &case,
        "--month",
        "2024-07",
        "--known-on",
        "2024-09-01",
    ];
    assert_eq!(json(&known, 0)[0]["total"], 600_000);
    holds(
        &done(&known),
        &[
            "Status\tpaid",
            "Total\t600.000 đ",
            "param.base = 400.000 đ (marked S3)",
            "disability = severe",
        ],
    );
}

#[test]
fn people_of_a_case_have_their_own_answers() {
    let place = Place::new();
    let pack = place.file("pack.toml");
    let case = place.write(
        "several.toml",
        r#"
people = [
  { name = "excluded", birth = "1990-05-17", person = { disability = "severe", in_facility = true }, enrolled = ["disability"] },
  { name = "lower", birth = "1990-05-17", person = { disability = "severe" }, enrolled = ["disability", "rated"] },
  { name = "unknown", birth = "1990-05-17", person = { disability = "unknown" }, enrolled = ["disability"] },
  { name = "nobody", birth = "1990-05-17" },
]
"#,
    );
    let people = json(&["eval", &pack, &case, "--month", "2024-06"], 0);
    let said: Vec<(&str, &str, i64, &str)> = people
        .as_array()
        .unwrap()
        .iter()
        .map(|person| {
            (
                person["name"].as_str().unwrap(),
                person["status"].as_str().unwrap(),
                person["total"].as_i64().unwrap(),
                person["reasons"][0]["code"].as_str().unwrap(),
            )
        })
        .collect();
    assert_eq!(
        said,
        [
            ("excluded", "zero", 0, "excluded"),
            ("lower", "paid", 450_000, "entitled"),
            ("unknown", "held", 0, "undetermined"),
            ("nobody", "zero", 0, "no_programme"),
        ]
    );
    let reasons = |at: usize| people[at]["reasons"].as_array().unwrap().clone();
    let excluded = reasons(0);
    let condition = excluded
        .iter()
        .find(|reason| reason["code"] == "condition")
        .unwrap();
    assert_eq!(condition["cite"], "Law 1, Art. 6");
    holds(
        condition["text"].as_str().unwrap(),
        &["excluded if in_facility: yes"],
    );
    assert!(
        reasons(1)
            .iter()
            .any(|reason| reason["code"] == "lower" && reason["programme"] == "rated")
    );
    assert!(reasons(2).iter().any(|reason| reason["code"] == "held"));
    assert_eq!(
        (&people[2]["held"], people[2]["lines"][0]["kind"].as_str()),
        (&Json::from(450_000), Some("held"))
    );
    let out = done(&["eval", &pack, &case, "--month", "2024-06"]);
    holds(
        &out,
        &[
            "Person\texcluded",
            "Person\tnobody",
            "--all shows what each of them asks",
        ],
    );
    assert!(done(&["eval", &pack, &case, "--month", "2024-06", "--all"]).len() > out.len());
}

#[test]
fn a_case_that_does_not_fit_the_pack_is_refused_once() {
    let place = Place::new();
    let pack = place.file("pack.toml");
    let case = place.write(
        "wrong.toml",
        "birth = \"1990\"\nperson = { disabilty = \"severe\" }\n",
    );
    let arguments = ["eval", &pack, &case, "--month", "2024-06"];
    refused(
        &arguments,
        1,
        &[
            "wrong.toml:2:12",
            "\"disabilty\"",
            "did you mean \"disability\"?",
            "^^^^^^^^^",
        ],
    );
    assert_eq!(policy(&arguments).err.matches("disabilty\" is not").count(), 1);

    place.write(
        "wrong.toml",
        "birth = \"1990-05-17\"\nperson = { disability = \"bad\" }\n",
    );
    refused(&arguments, 1, &["wrong.toml:2:25", "none, light, severe"]);
    place.write("wrong.toml", "birth = \"2024-07-01\"\n");
    refused(&arguments, 1, &["wrong.toml:1:1", "after the month 2024-06"]);
    place.write("wrong.toml", "birth = \n");
    refused(&arguments, 1, &["wrong.toml:1:"]);
    place.write("wrong.toml", "");
    refused(&arguments, 1, &["wrong.toml:1:1", "birth"]);
    let said = policy(&["eval", &pack, &case, "--month", "2024-06", "--json"]);
    let error: Json = serde_json::from_str(&said.err).unwrap();
    assert_eq!((said.exit, &error["exit"]), (1, &Json::from(1)));
}

#[test]
fn campaigns_are_evaluated_by_their_names() {
    let place = Place::new();
    let case = place.write(
        "campaign.toml",
        "birth = \"1980-05-17\"\nperson = { unemployment_insurance = \"insured\", unemployment_insurance_months = 40 }\n",
    );
    let paid = json(
        &[
            "eval",
            "vn",
            &case,
            "--month",
            "2021-10",
            "--campaign",
            "resolution_116",
        ],
        0,
    );
    assert_eq!(paid[0]["total"], 2_100_000);
    let wrong = [
        "eval",
        "vn",
        &case,
        "--month",
        "2021-10",
        "--campaign",
        "resolution",
    ];
    refused(&wrong, 2, &["\"resolution\" is no campaign", "resolution_116"]);
    let early = ["eval", "vn", &case, "--month", "1990-10"];
    refused(&early, 2, &["the pack begins with"]);
    place.write(
        "campaign.toml",
        "birth = \"1980-05-17\"\nalready = true\nperson = { unemployment_insurance = \"insured\" }\n",
    );
    let paid = json(
        &[
            "eval",
            "vn",
            &case,
            "--month",
            "2021-10",
            "--campaign",
            "resolution_116",
        ],
        0,
    );
    assert_eq!(
        (&paid[0]["total"], &paid[0]["reasons"][0]["code"]),
        (&Json::from(0), &Json::from("already_paid"))
    );
}

#[test]
fn what_is_paid_instead_is_named_with_the_rule_that_decided() {
    let place = Place::new();
    let case = place.write(
        "parent.toml",
        "household = { poverty = \"poor\" }\npeople = [\n\
         { name = \"m\", birth = \"1940-05-17\", sex = \"female\", person = { single_parent = true, war_invalid_b = 21, without_support = true }, enrolled = [\"single_parent\", \"merit_war_invalid_b\", \"elderly_poor\"] },\n\
         { name = \"k\", birth = \"2014-01-01\", person = { guardian = \"m\" } },\n]\n",
    );
    let shown = json(&["eval", "vn", &case, "--month", "2023-06"], 0);
    let reasons = shown[0]["reasons"].as_array().unwrap();
    let lower = reasons
        .iter()
        .find(|reason| reason["code"] == "lower" && reason["programme"] == "merit_war_invalid_b")
        .unwrap_or_else(|| panic!("{reasons:#?}"));
    let text = lower["text"].as_str().unwrap();
    let sum = "no: elderly_poor 720.000 đ + single_parent 360.000 đ = 1.080.000 đ is higher in the group assistance";
    assert_eq!(text, sum);
    let by = |at: usize, group: Option<&str>, programme: &str, most: i64| {
        serde_json::json!({ "group": group, "most": most, "programmes": [programme] }) == lower["by"][at]
    };
    assert!(
        by(0, None, "elderly_poor", 720_000) && by(1, Some("single_parents"), "single_parent", 360_000),
        "{lower:#}"
    );
    assert_eq!(lower["group"], "assistance");
    assert_eq!(lower["exception"], "Decree 20/2021/NĐ-CP, Art. 6(2)");
    assert!(
        lower["cite"]
            .as_str()
            .unwrap()
            .starts_with("Decree 20/2021/NĐ-CP, Art. 6(2)"),
        "{lower:#}"
    );
}

#[test]
fn nobody_is_their_own_guardian() {
    let place = Place::new();
    let case = place.write(
        "self.toml",
        "people = [{ name = \"m\", birth = \"1990-05-17\", person = { guardian = \"m\" } }]\n",
    );
    let asked = ["eval", "vn", &case, "--month", "2026-06"];
    refused(
        &asked,
        1,
        &["\"m\" is named as somebody of their own", "self.toml:1"],
    );
}
