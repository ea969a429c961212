//! A pack that changes: what two packs make of the same people, against what is explained of each of them; and taking
//! a new version into a registry.

mod common;

use std::collections::BTreeMap;
use std::path::Path;

use ansinh::entitlement::{
    Diff, DiffError, DiffRequest, LineText, Lines, Moves, Newly, Trial, explain, terms,
};
use ansinh::format::totals::Tally;
use ansinh::kernel::catalogue::{Catalogue, builtin};
use ansinh::policy::{LineKind, LineReason, Outcome, Pack};
use ansinh::registry::{Person, Registry, RegistryError, RegistryView};
use ansinh::types::{AttributeNumber, BirthDate, PersonNumber, Sequence, Sex, Total};

use common::changes::Dice;
use common::{AT, author, month};

/// The month in which packs are compared.
const MONTH: &str = "2026-06";
const PEOPLE: u64 = 500;
/// Communes of four provinces.
const COMMUNES: [&str; 4] = ["00004", "06652", "22333", "26743"];
/// Programmes in which people are enrolled, whether or not they qualify.
const ENROLLED: [&str; 5] = [
    "elderly_poor",
    "disability",
    "social_pension",
    "care_at_home",
    "single_parent",
];

/// The built-in pack with some of its text replaced, each piece once.
fn changed(replacements: &[(&str, &str)]) -> Pack {
    let vietnam = Pack::vietnam();
    let mut text = vietnam.source_text().to_owned();
    for (old, new) in replacements {
        assert!(text.contains(old), "the pack has no {old:?} to replace");
        text = text.replacen(old, new, 1);
    }
    parsed(&vietnam, &text)
}

/// A pack with the files that stand beside another one.
fn parsed(beside: &Pack, text: &str) -> Pack {
    let file = |name: &str| {
        let found = beside.files().find(|(known, _)| *known == name);
        found
            .map(|(_, text)| text.to_owned())
            .ok_or_else(|| "no such file".to_owned())
    };
    Pack::parse_with("changed.toml", text, &file).unwrap_or_else(|errors| panic!("{errors}"))
}

const RAISED: (&str, &str) = (
    "{ value = 500000, from = \"2024-07\"",
    "{ value = 600000, from = \"2024-07\"",
);
/// What nobody has a record of, and what then leaves an allowance open.
const ASKS_MORE: [(&str, &str); 2] = [
    (
        "[person.disability]\n",
        "[person.second_home]\ntitle = { vi = \"Nhà thứ hai\", en = \"A second home\" }\ntype = \"bool\"\nabsent = \"unknown\"\n\n[person.disability]\n",
    ),
    (
        "condition = \"age >= 60 and household.poverty == poor and without_support\"",
        "condition = \"age >= 60 and household.poverty == poor and without_support and not second_home\"",
    ),
];

/// A programme that the built-in pack does not have.
fn new_programme(id: &str, age: u8, amount: u32) -> String {
    format!(
        "[[programme]]\nid = \"{id}\"\ntitle = {{ vi = \"{id}\", en = \"{id}\" }}\ncite = \"a draft\"\nconfidence = \"S1\"\nmonths = {{ from = \"2026-01\" }}\ndecision = false\nstop = \"month_after\"\npayee = [\"self\"]\ngroup = \"carers\"\ncondition = \"age >= {age}\"\namount = \"{amount}\"\n\n[[programme]]\nid = \"social_pension\"\n"
    )
}

/// Another level, a new attribute that is unknown, a programme that is gone, and one that is new.
fn draft() -> Pack {
    let added = new_programme("longevity", 90, 300_000);
    let pack = changed(&[
        ("version = \"2\"", "version = \"3\""),
        RAISED,
        ASKS_MORE[0],
        ASKS_MORE[1],
        ("[[programme]]\nid = \"social_pension\"\n", &added),
    ]);
    without_programme(&pack, "care_at_home")
}

/// A pack without one of its programmes, and without the examples after it.
fn without_programme(pack: &Pack, id: &str) -> Pack {
    let text = pack.source_text();
    let begin = text.find(&format!("[[programme]]\nid = \"{id}\"")).unwrap();
    let length = text[begin + 1..].find("[[programme]]").unwrap() + 1;
    parsed(pack, &format!("{}{}", &text[..begin], &text[begin + length..]))
}

/// Someone of any age; of a few only the year of birth is known.
fn birth(dice: &mut Dice) -> BirthDate {
    let year = 1918 + dice.roll(109);
    let text = if year < 2026 && dice.one_in(12) {
        format!("{year}")
    } else {
        format!("{year}-{:02}-{:02}", 1 + dice.roll(7), 1 + dice.roll(28))
    };
    text.parse().unwrap()
}

/// A registry of people of whom much differs.
fn registry(path: &Path) -> Registry {
    let registry = Registry::create(path, &Pack::vietnam(), AT).unwrap();
    let mut dice = Dice(11);
    let mut tx = registry.begin_write(author(), AT).unwrap();
    let mut people = Vec::new();
    for place in 0..PEOPLE {
        let sex = if dice.one_in(2) { Sex::Male } else { Sex::Female };
        let commune = COMMUNES[dice.roll(4) as usize].parse().unwrap();
        let begun = month("2025-07").plus(dice.roll(12) as i32).unwrap();
        let mut person = Person::new(format!("Người {place}"), birth(&mut dice), sex)
            .commune(commune)
            .from(begun);
        if !dice.one_in(6) {
            person = person.household(format!("H-{place}").parse().unwrap());
        }
        for (fact, values) in [
            (
                "disability",
                &["none", "light", "severe", "extremely_severe", "unknown"][..],
            ),
            ("without_support", &["true", "true", "true", "false"]),
            ("studying", &["true", "false"]),
            ("single_parent", &["true", "false", "false"]),
            ("pension", &["none", "none", "none", "pension", "unknown"]),
            ("channel", &["account", "cash_post"]),
        ] {
            if dice.one_in(2) {
                person = person.fact(fact, values[dice.roll(values.len() as u64) as usize]);
            }
        }
        if !people.is_empty() && dice.one_in(5) {
            let guardian: PersonNumber = people[dice.roll(people.len() as u64) as usize];
            person = person.fact("guardian", guardian);
        }
        let number = match tx.insert(&person) {
            Ok(number) => number,
            // Whoever is born after the month of the record begins with the birth.
            Err(error) if error.refusal().is_some() => tx.insert(&person.from(month(MONTH))).unwrap(),
            Err(error) => panic!("{error}"),
        };
        people.push(number);
    }
    for &person in &people {
        change(&mut tx, &mut dice, person);
    }
    tx.commit().unwrap();
    registry
}

/// Enrols a person, and perhaps records what changes about the month; what is refused is left out.
fn change(tx: &mut ansinh::registry::Transaction<'_>, dice: &mut Dice, person: PersonNumber) {
    let allowed = |result: Result<_, RegistryError>| match result {
        Ok(_) => {}
        Err(error) => assert!(
            error.refusal().is_some() || matches!(error, RegistryError::WithoutHousehold { .. }),
            "{error}"
        ),
    };
    let may = month("2026-05");
    for programme in ENROLLED {
        if !dice.one_in(3) {
            allowed(tx.enrol(person, programme, may, ""));
        }
    }
    if let Ok(household) = tx.household_of(person, month(MONTH)) {
        let poverty = ["poor", "poor", "near_poor", "unknown"][dice.roll(4) as usize];
        allowed(tx.record(household, "poverty", poverty, may));
    }
    if dice.one_in(25) {
        allowed(tx.record_death(person, format!("{MONTH}-11").parse().unwrap(), ""));
    }
    if dice.one_in(20) {
        allowed(tx.record(person, "disability", "none", month(MONTH)));
    }
}

fn open(name: &str) -> (tempfile::TempDir, Registry) {
    let folder = tempfile::tempdir().unwrap();
    let registry = registry(&folder.path().join(name));
    (folder, registry)
}

fn request() -> DiffRequest {
    DiffRequest::monthly(month(MONTH))
}

/// The lines of an outcome in words.
fn lines(catalogue: &Catalogue, outcome: &Outcome) -> Vec<LineText> {
    let line = |line: &ansinh::policy::Line| LineText {
        programme: catalogue
            .programme_by_number(line.programme)
            .unwrap()
            .name
            .clone(),
        kind: line.kind,
        amount: line.amount,
    };
    let mut lines: Vec<LineText> = outcome.lines.iter().map(line).collect();
    lines.sort();
    lines
}

fn paid(lines: &[LineText], programme: Option<&str>) -> i128 {
    let counts = |line: &&LineText| {
        line.kind == LineKind::Paid && programme.is_none_or(|programme| line.programme == programme)
    };
    lines
        .iter()
        .filter(counts)
        .map(|line| i128::from(line.amount.get()))
        .sum()
}

fn add(tally: &mut Tally, amount: i128) {
    tally.people += 1;
    tally.sum = Total::new(tally.sum.get() + amount);
}

/// What a comparison must say, from the explanations of everyone.
#[derive(Default)]
struct Expected {
    people: u64,
    moves: Moves,
    provinces: BTreeMap<String, (u64, Moves, Tally, Tally)>,
    programmes: BTreeMap<String, (Lines, Lines, Tally, Tally)>,
    changes: BTreeMap<(Vec<LineText>, Vec<LineText>), Vec<PersonNumber>>,
    newly_held: u64,
    newly_error: u64,
    attributes: BTreeMap<String, u64>,
}

impl Expected {
    fn of(view: &RegistryView, before: &Trial, after: &Trial) -> Self {
        let mut expected = Self::default();
        let at = month(MONTH);
        for person in view.people() {
            let state = view.person(person, at, Sequence::NEWEST).unwrap();
            let Some(state) = state.filter(|state| state.present) else {
                continue;
            };
            let outcome = |trial: &Trial| {
                explain(view, &trial.policy, person, at, None, Sequence::NEWEST)
                    .unwrap()
                    .outcome
            };
            let unit = view.unit(state.unit.unwrap()).unwrap();
            let province = unit.declared.province.to_string();
            expected.add(
                person,
                province,
                &[(before, outcome(before)), (after, outcome(after))],
            );
        }
        expected
    }

    fn add(&mut self, person: PersonNumber, province: String, both: &[(&Trial, Outcome); 2]) {
        self.people += 1;
        let [(before, was), (after, is)] = both;
        let (first, second) = (lines(&before.catalogue, was), lines(&after.catalogue, is));
        let (old, new) = (paid(&first, None), paid(&second, None));
        let (people, moves, paid_before, paid_after) = self.provinces.entry(province).or_default();
        *people += 1;
        for (tally, amount) in [(paid_before, old), (paid_after, new)] {
            if amount > 0 {
                add(tally, amount);
            }
        }
        for moves in [&mut self.moves, moves] {
            match new - old {
                more @ 1.. => add(&mut moves.gained, more),
                0 if first == second => moves.unchanged += 1,
                0 => moves.otherwise += 1,
                less => add(&mut moves.lost, -less),
            }
        }
        self.add_programmes(&first, &second);
        let has = |lines: &[LineText], kind| lines.iter().any(|line| line.kind == kind);
        self.newly_error += u64::from(has(&second, LineKind::Error) && !has(&first, LineKind::Error));
        if has(&second, LineKind::Held) && !has(&first, LineKind::Held) {
            self.newly_held += 1;
            for name in unknown(&after.catalogue, is) {
                *self.attributes.entry(name).or_default() += 1;
            }
        }
        if first != second {
            self.changes.entry((first, second)).or_default().push(person);
        }
    }

    fn add_programmes(&mut self, first: &[LineText], second: &[LineText]) {
        let mut ids: Vec<&str> = first
            .iter()
            .chain(second)
            .map(|line| line.programme.as_str())
            .collect();
        ids.sort_unstable();
        ids.dedup();
        for id in ids {
            let (before, after, gained, lost) = self.programmes.entry(id.to_owned()).or_default();
            for (sum, lines) in [(before, first), (after, second)] {
                for line in lines.iter().filter(|line| line.programme == id) {
                    match line.kind {
                        LineKind::Paid => add(&mut sum.paid, line.amount.get().into()),
                        LineKind::Held => add(&mut sum.held, line.amount.get().into()),
                        LineKind::Error => sum.error += 1,
                    }
                }
            }
            match paid(second, Some(id)) - paid(first, Some(id)) {
                more @ 1.. => add(gained, more),
                0 => {}
                less => add(lost, -less),
            }
        }
    }

    #[track_caller]
    fn assert(&self, diff: &Diff) {
        assert_eq!(diff.people, self.people);
        assert_eq!(diff.moves, self.moves);
        let provinces: BTreeMap<String, _> = diff
            .provinces
            .iter()
            .map(|of| (of.code.to_string(), (of.people, of.moves, of.before, of.after)))
            .collect();
        assert_eq!(provinces, self.provinces);
        let programmes: BTreeMap<String, _> = diff
            .programmes
            .iter()
            .map(|of| (of.id.clone(), (of.before, of.after, of.gained, of.lost)))
            .filter(|(_, (before, after, _, _))| *before != Lines::default() || *after != Lines::default())
            .collect();
        assert_eq!(programmes, self.programmes);
        assert_eq!(diff.changes_in_all, self.changes.len());
        for change in &diff.changes {
            let sorted = |lines: &[LineText]| {
                let mut lines = lines.to_vec();
                lines.sort();
                lines
            };
            let (before, after) = (sorted(&change.before), sorted(&change.after));
            let difference = (paid(&after, None) - paid(&before, None)) * i128::from(change.people);
            assert_eq!(change.difference.get(), difference);
            let people = &self.changes[&(before, after)];
            assert_eq!(change.people, people.len() as u64);
            assert_eq!(change.examples.len(), people.len().min(3));
            for (place, example) in change.examples.iter().enumerate() {
                assert!(people.contains(example) && !change.examples[..place].contains(example));
            }
        }
        assert_eq!(
            (diff.newly.held, diff.newly.error),
            (self.newly_held, self.newly_error)
        );
        let attributes: BTreeMap<String, u64> = diff.newly.attributes.iter().cloned().collect();
        assert_eq!(attributes, self.attributes);
    }
}

/// The attributes that held lines wait for, each once.
fn unknown(catalogue: &Catalogue, outcome: &Outcome) -> Vec<String> {
    let mut numbers: Vec<AttributeNumber> = Vec::new();
    for line in outcome.lines_of(LineKind::Held) {
        match &line.reason {
            LineReason::Unknown(of) | LineReason::UnknownWithoutLimit(of) => numbers.extend(of),
            other => panic!("a held line for {other:?}"),
        }
    }
    numbers.sort_unstable();
    numbers.dedup();
    let name = |number| match catalogue.attribute_by_number(number) {
        _ if number == builtin::BIRTH => "birth".to_owned(),
        Some(known) if known.subject == ansinh::kernel::catalogue::SubjectKind::Person => known.name.clone(),
        Some(known) => format!("{}.{}", known.subject, known.name),
        None => panic!("{number} is not declared"),
    };
    numbers.into_iter().map(name).collect()
}

fn compared(view: &RegistryView, before: &Pack, after: &Pack) -> Diff {
    let diff = view.diff(before, after, &request(), &|_, _| {}).unwrap();
    let (before, after) = (view.trial(before).unwrap(), view.trial(after).unwrap());
    Expected::of(view, &before, &after).assert(&diff);
    diff
}

#[test]
fn a_comparison_is_the_difference_of_everyones_explanations() {
    let (_folder, registry) = open("a.ansinh");
    let view = registry.begin_read().unwrap();
    let diff = compared(&view, &Pack::vietnam(), &draft());
    let moves = &diff.moves;
    assert!(moves.gained.people > 0 && moves.lost.people > 0 && moves.unchanged > 0);
    assert!(diff.newly.held > 0, "nobody has a record of a second home");
    assert_eq!(diff.newly.attributes[0].0, "second_home");
    assert_eq!(diff.provinces.len(), COMMUNES.len());
    assert!(
        diff.changes
            .windows(2)
            .all(|pair| pair[0].people >= pair[1].people)
    );
    let of = |id: &str| {
        diff.programmes
            .iter()
            .find(|programme| programme.id == id)
            .unwrap()
    };
    assert!(of("care_at_home").before.paid.people > 0);
    assert_eq!(of("care_at_home").after, Lines::default());
    assert!(of("longevity").after.paid.people > 0);
    assert_eq!(of("longevity").before, Lines::default());
}

#[test]
fn a_comparison_is_the_mirror_of_the_one_the_other_way_round() {
    let (_folder, registry) = open("a.ansinh");
    let view = registry.begin_read().unwrap();
    let there = compared(&view, &Pack::vietnam(), &draft());
    let back = compared(&view, &draft(), &Pack::vietnam());
    assert_eq!(there.moves.gained, back.moves.lost);
    assert_eq!(there.moves.lost, back.moves.gained);
    assert_eq!(there.moves.unchanged, back.moves.unchanged);
    assert_eq!(there.before, back.after);
    let sum = |moves: &Moves| moves.gained.sum.get() - moves.lost.sum.get();
    assert_eq!(
        there.after.amount.get() - there.before.amount.get(),
        sum(&there.moves)
    );
}

#[test]
fn packs_that_are_both_not_adopted_are_told_apart_by_names() {
    let (_folder, registry) = open("a.ansinh");
    let view = registry.begin_read().unwrap();
    let tag = "[[programme]]\nid = \"social_pension\"\n";
    // Both programmes would have the same number, each in its pack's own catalogue; and so would the attributes.
    let one = changed(&[(tag, &new_programme("longevity", 90, 300_000))]);
    let other = changed(&[
        (tag, &new_programme("respect", 85, 300_000)),
        ASKS_MORE[0],
        ASKS_MORE[1],
    ]);
    let diff = compared(&view, &one, &other);
    assert!(
        diff.changes
            .iter()
            .any(|change| change.people > 0 && change.difference == Total::ZERO)
    );
    let same = compared(&view, &one, &one);
    assert_eq!((same.moves.unchanged, same.changes_in_all), (same.people, 0));
    assert_eq!(same.newly, Newly::default());
}

#[test]
fn any_number_of_workers_says_the_same() {
    let (_folder, registry) = open("a.ansinh");
    let view = registry.begin_read().unwrap();
    let with = |workers| {
        let request = DiffRequest { workers, ..request() };
        view.diff(&Pack::vietnam(), &draft(), &request, &|_, _| {})
    };
    let alone = with(1).unwrap();
    for workers in [2, 5] {
        assert_eq!(with(workers).unwrap(), alone);
    }
    let Err(RegistryError::Diff(error)) = with(0) else {
        panic!("nobody can do it");
    };
    assert!(matches!(*error, DiffError::Workers(0)));
}

#[test]
fn what_is_adopted_is_what_was_compared() {
    let (_folder, registry) = open("a.ansinh");
    let view = registry.begin_read().unwrap();
    let before = view.newest();
    let diff = view
        .diff(&Pack::vietnam(), &draft(), &request(), &|_, _| {})
        .unwrap();
    assert_eq!(
        registry.begin_read().unwrap().newest(),
        before,
        "nothing was written"
    );
    let adoption = view.trial(&draft()).unwrap().adoption;
    let run = |registry: &Registry| {
        let request = ansinh::entitlement::RunRequest::monthly(month(MONTH));
        let view = registry.begin_read().unwrap();
        view.dry_run(&request, &|_, _| {}).unwrap().header
    };
    let old = run(&registry);
    let mut tx = registry.begin_write(author(), AT).unwrap();
    assert_eq!(tx.adopt(&draft()).unwrap(), adoption);
    tx.commit().unwrap();
    let new = run(&registry);
    assert_eq!(
        (old.amount, new.amount),
        (diff.before.amount.get(), diff.after.amount.get())
    );
    assert_eq!(
        (old.counts(), new.counts()),
        (diff.before.status, diff.after.status)
    );
    assert_eq!(
        (old.amount_held, new.amount_held),
        (diff.before.amount_held.get(), diff.after.amount_held.get())
    );
    // Afterwards the same comparison still holds, with the packs the other way about: one is adopted, one was.
    let view = registry.begin_read().unwrap();
    let again = compared(&view, &Pack::vietnam(), &draft());
    assert_eq!((again.moves, again.newly), (diff.moves, diff.newly));
}

#[test]
fn a_pack_that_the_catalogue_refuses_is_not_compared() {
    let (_folder, registry) = open("a.ansinh");
    let view = registry.begin_read().unwrap();
    let wrong = changed(&[(
        "[person.studying]\n",
        "[person.stood]\ntitle = { vi = \"a\", en = \"a\" }\ntype = \"bool\"\nabsent = false\nrenamed_from = \"guardian\"\n\n[person.studying]\n",
    )]);
    let error = view
        .diff(&Pack::vietnam(), &wrong, &request(), &|_, _| {})
        .unwrap_err();
    assert!(error.refusal().is_some(), "{error}");
    assert!(error.to_string().contains("cannot change their type"), "{error}");
}

#[test]
fn a_pack_that_cannot_decide_the_month_is_named() {
    let (_folder, registry) = open("a.ansinh");
    let view = registry.begin_read().unwrap();
    let open_ended = changed(&[
        ("version = \"2\"", "version = \"4\""),
        ("horizon = \"2021-07\"\n", ""),
    ]);
    let early = DiffRequest::monthly(month("2019-01"));
    let with = |before: &Pack, after: &Pack| view.diff(before, after, &early, &|_, _| {});
    for (asked, which) in [
        (with(&Pack::vietnam(), &open_ended), "the first pack, vn 2,"),
        (with(&open_ended, &Pack::vietnam()), "the second pack, vn 2,"),
    ] {
        let text = asked.unwrap_err().to_string();
        assert!(text.contains(which) && text.contains("2021-07"), "{text}");
    }
    // Without a promise a month before everybody's record is decided: there is nobody.
    assert_eq!(with(&open_ended, &open_ended).unwrap().people, 0);
}

#[test]
fn programmes_that_begin_or_end_are_told() {
    let ends = changed(&[(
        "months = { from = \"2025-07\" }\nearlier_decisions",
        "months = { from = \"2025-07\", until = \"2026-12\" }\nearlier_decisions",
    )]);
    let begun = month("2025-07");
    let found = terms(&Pack::vietnam(), &ends);
    assert_eq!(
        found,
        [(
            "social_pension".to_owned(),
            Some((begun, None)),
            Some((begun, Some(month("2026-12"))))
        )]
    );
    let ids: Vec<String> = terms(&Pack::vietnam(), &draft())
        .into_iter()
        .map(|term| term.0)
        .collect();
    assert_eq!(ids, ["care_at_home", "longevity"]);
}

#[cfg(feature = "cli")]
mod command_line {
    use std::path::{Path, PathBuf};
    use std::process::{Command, Stdio};

    use ansinh::kernel::{Store, StoreOptions};
    use ansinh::policy::Pack;
    use serde_json::Value as Json;

    use super::{MONTH, changed, draft, open};

    /// Exit code, standard output and standard error of the program.
    fn ansinh(arguments: &[&str]) -> (i32, String, String) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_ansinh"));
        let output = command
            .args(arguments)
            .env("USER", "lan")
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (
            output.status.code().unwrap(),
            text(output.stdout),
            text(output.stderr),
        )
    }

    #[track_caller]
    fn done(arguments: &[&str]) -> String {
        let (exit, out, err) = ansinh(arguments);
        assert_eq!((exit, err.as_str()), (0, ""), "{arguments:?}");
        out
    }

    #[track_caller]
    fn json(arguments: &[&str]) -> Json {
        let mut arguments = arguments.to_vec();
        arguments.push("--json");
        serde_json::from_str(&done(&arguments)).unwrap()
    }

    /// Writes a pack and the files beside it.
    fn written(folder: &Path, name: &str, pack: &Pack) -> PathBuf {
        let path = folder.join(name);
        std::fs::write(&path, pack.source_text()).unwrap();
        for (file, text) in pack.files() {
            let file = folder.join(file);
            std::fs::create_dir_all(file.parent().unwrap()).unwrap();
            std::fs::write(file, text).unwrap();
        }
        path
    }

    fn text(path: &Path) -> &str {
        path.to_str().unwrap()
    }

    #[test]
    fn a_new_version_is_compared_tried_and_adopted() {
        let (folder, registry) = open("a.ansinh");
        registry.close().unwrap();
        let database = folder.path().join("a.ansinh");
        let (db, new) = (text(&database), written(folder.path(), "new.toml", &draft()));
        let bytes = std::fs::read(&database).unwrap();

        let diff = json(&["policy", "diff", "current", text(&new), db, "--month", MONTH]);
        assert_eq!(diff["before"]["pack"], "vn 2");
        assert_eq!(diff["after"]["pack"], "vn 3");
        let counts = ["unchanged", "gained", "lost", "otherwise"].map(|key| diff[key].as_u64().unwrap());
        assert_eq!(counts.iter().sum::<u64>(), diff["people"].as_u64().unwrap());
        assert!(diff["programmes"].is_array() && diff["provinces"].is_array());
        assert_eq!(diff["changes"].as_array().unwrap().len(), 10);
        let only = json(&[
            "policy",
            "diff",
            "vn",
            text(&new),
            db,
            "--month",
            MONTH,
            "--by",
            "province",
        ]);
        assert!(only["programmes"].is_null());
        assert_eq!(only["provinces"], diff["provinces"]);
        let shown = done(&["policy", "diff", "vn", text(&new), db, "--month", MONTH]);
        for words in [
            "By programme",
            "By province",
            "care_at_home",
            "nothing",
            "second_home",
        ] {
            assert!(shown.contains(words), "{words:?} is not in: {shown}");
        }

        let dry = json(&["policy", "adopt", db, text(&new), "--dry-run", "--month", MONTH]);
        assert_eq!(dry["how"], "dry run");
        assert!(dry["sequence"].is_null());
        assert_eq!(
            dry["added"],
            serde_json::json!(["attribute person.second_home", "programme longevity"])
        );
        assert_eq!(
            dry["retired"],
            serde_json::json!([
                "attribute person.enrolment.care_at_home",
                "programme care_at_home"
            ])
        );
        assert_eq!(dry["compared"]["newly_held"], diff["newly_held"]);
        assert!(dry["compared"]["newly_held"].as_u64().unwrap() > 0);
        assert_eq!(
            dry["compared"]["newly_by_attribute"][0]["attribute"],
            "second_home"
        );
        assert_eq!(std::fs::read(&database).unwrap(), bytes, "nothing was written");

        let out = done(&[
            "policy",
            "adopt",
            db,
            text(&new),
            "--month",
            MONTH,
            "--reason",
            "a new decree",
        ]);
        assert!(out.contains("Adopted vn version 3"), "{out}");
        let log = done(&["log", db, "--tail", "1"]);
        assert!(
            log.contains("adoption") && log.contains("a new decree") && log.contains("lan"),
            "{log}"
        );
        let run = json(&["run", db, MONTH]);
        assert_eq!(run["pack"], "vn 3");
        assert_eq!(run["amount"], diff["after"]["amount"]);
        assert_eq!(run["held"], diff["after"]["held"]);

        let newest = done(&["log", db, "--tail", "1"]);
        let again = done(&["policy", "adopt", db, text(&new)]);
        assert!(
            again.contains("in force in") && again.contains("already"),
            "{again}"
        );
        assert_eq!(
            json(&["policy", "adopt", db, text(&new), "--dry-run"])["how"],
            "in force"
        );
        assert_eq!(done(&["log", db, "--tail", "1"]), newest);
    }

    #[test]
    fn what_the_catalogue_refuses_is_not_adopted() {
        let (folder, registry) = open("a.ansinh");
        registry.close().unwrap();
        let database = folder.path().join("a.ansinh");
        let db = text(&database);
        let wrong = changed(&[(
            "[person.studying]\n",
            "[person.stood]\ntitle = { vi = \"a\", en = \"a\" }\ntype = \"bool\"\nabsent = false\nrenamed_from = \"guardian\"\n\n[person.studying]\n",
        )]);
        let wrong = written(folder.path(), "wrong.toml", &wrong);
        let before = done(&["log", db, "--json"]);
        for more in [&["--dry-run"][..], &[]] {
            let mut arguments = vec!["policy", "adopt", db, text(&wrong), "--month", MONTH];
            arguments.extend(more);
            let (exit, out, err) = ansinh(&arguments);
            assert_eq!((exit, out.as_str()), (1, ""), "{err}");
            assert!(err.contains("cannot change their type"), "{err}");
        }
        assert_eq!(done(&["log", db, "--json"]), before);
        assert_eq!(json(&["policy", "adopt", db, "vn"])["how"], "in force");
    }

    #[test]
    fn what_is_not_newer_is_adopted_only_if_asked_for() {
        let (folder, registry) = open("a.ansinh");
        registry.close().unwrap();
        let database = folder.path().join("a.ansinh");
        let db = text(&database);
        // An example that does not come out as it says.
        let wrong = "\n[[example]]\ntitle = \"wrong\"\nmonth = \"2026-06\"\nbirth = \"1990-01-01\"\nexpect = { status = \"paid\" }\n";
        let vietnam = Pack::vietnam();
        let with = |name: &str, version: &str| {
            let changed = vietnam.source_text().replacen("version = \"2\"", version, 1) + wrong;
            written(folder.path(), name, &super::parsed(&vietnam, &changed))
        };
        let (same, lower) = (
            with("same.toml", "version = \"2\""),
            with("lower.toml", "version = \"1.10\""),
        );
        for (pack, said) in [
            (&same, "has the same version with other contents"),
            (&lower, "is a later version"),
        ] {
            let (exit, _, err) = ansinh(&["policy", "adopt", db, text(pack), "--month", MONTH]);
            assert_eq!(exit, 1, "{err}");
            assert!(err.contains(said) && err.contains("--replace"), "{err}");
        }
        let out = done(&["policy", "adopt", db, text(&same), "--month", MONTH, "--replace"]);
        assert!(
            out.contains("Warning: 1 of the pack's") && out.contains("policy test"),
            "{out}"
        );
        assert!(out.contains("Adopted vn version 2"), "{out}");
        let out = json(&[
            "policy",
            "adopt",
            db,
            text(&lower),
            "--month",
            MONTH,
            "--replace",
            "--dry-run",
        ]);
        assert_eq!(out["failing_examples"], 1);
    }

    #[test]
    fn a_first_pack_is_adopted_without_a_comparison() {
        let folder = tempfile::tempdir().unwrap();
        let database = folder.path().join("bare.ansinh");
        Store::create(&database, StoreOptions::default())
            .unwrap()
            .close()
            .unwrap();
        let db = text(&database);
        let adopted = json(&["policy", "adopt", db, "vn", "--month", MONTH]);
        assert_eq!(
            (&adopted["how"], &adopted["sequence"]),
            (&Json::from("adopted"), &Json::from(1))
        );
        assert!(adopted["compared"].is_null());
        let problem = adopted["not_compared"].as_str().unwrap();
        assert!(problem.contains("has no policy pack"), "{problem}");
        assert_eq!(
            adopted["programmes"].as_array().unwrap().len(),
            Pack::vietnam().programmes().len()
        );
        assert_eq!(json(&["policy", "adopt", db, "vn"])["how"], "in force");
    }

    #[test]
    fn what_cannot_be_read_is_said() {
        let (folder, registry) = open("a.ansinh");
        registry.close().unwrap();
        let database = folder.path().join("a.ansinh");
        let (exit, _, err) = ansinh(&[
            "policy",
            "diff",
            "vn",
            "none.toml",
            text(&database),
            "--month",
            MONTH,
        ]);
        assert_eq!(exit, 2);
        assert!(err.contains("none.toml"), "{err}");
        let (exit, _, err) = ansinh(&["policy", "diff", "vn", "vn", "none.ansinh", "--month", MONTH]);
        assert_eq!(exit, 2);
        assert!(err.contains("none.ansinh"), "{err}");
        let same = json(&[
            "policy",
            "diff",
            "vn",
            "current",
            text(&database),
            "--month",
            MONTH,
        ]);
        assert_eq!(same["unchanged"], same["people"]);
        assert_eq!(same["changes"], serde_json::json!([]));
    }
}
