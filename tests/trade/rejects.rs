//! What is wrong in a file: the line, the column, the value and the reason of each, and what becomes of the rest.

use ansinh::import::{ImportError, Stage, import};
use ansinh::types::Sequence;

use crate::same::month;
use crate::{Registry, options};

const HEADER: &str = "record,person_id,former_ids,name,birth_date,sex,commune,from,household_id,head,guardian,disability,household.poverty,status,documents,history";

/// A row of the columns of [`HEADER`], from the cells that have a text.
fn row(cells: &[(&str, &str)]) -> String {
    let mut texts = Vec::new();
    for column in HEADER.split(',') {
        let text = cells.iter().find(|(name, _)| *name == column);
        texts.push(text.map_or_else(String::new, |(_, text)| {
            format!("\"{}\"", text.replace('"', "\"\""))
        }));
    }
    texts.join(",")
}

/// A row of a person that is right, with other cells over it.
fn person(id: &str, cells: &[(&str, &str)]) -> String {
    let mut all = cells.to_vec();
    all.extend([
        ("person_id", id),
        ("name", "Nguyễn Thị An"),
        ("birth_date", "1950-03-17"),
        ("sex", "female"),
    ]);
    if !cells.iter().any(|(name, _)| *name == "household_id") {
        all.push(("commune", "00004"));
    }
    row(&all)
}

fn file(rows: &[String]) -> String {
    let mut file = HEADER.to_owned();
    for row in rows {
        file.push('\n');
        file.push_str(row);
    }
    file.push('\n');
    file
}

const A: &str = "001150000017";
const B: &str = "001150000018";
const C: &str = "001150000019";

/// Imports rows and asserts that just one reject comes of it: its line, column and value, and a part of its reason.
#[track_caller]
fn check(rows: &[String], expected: (u64, &str, &str, &str)) {
    check_all(rows, &[expected]);
}

#[track_caller]
fn check_all(rows: &[String], expected: &[(u64, &str, &str, &str)]) {
    let registry = Registry::empty();
    let before = registry.size();
    let (report, rejects) = registry.import_with(&file(rows), &options());
    let found: Vec<_> = report
        .rejects
        .iter()
        .map(|reject| (reject.line, reject.column.as_str(), reject.value.as_str()))
        .collect();
    let named: Vec<_> = expected
        .iter()
        .map(|&(line, column, value, _)| (line, column, value))
        .collect();
    assert_eq!(found, named, "{:#?}", report.rejects);
    for (reject, (.., reason)) in report.rejects.iter().zip(expected) {
        assert!(reject.reason.contains(reason), "{}", reject.reason);
        assert!(rejects.contains(&reject.line.to_string()), "{rejects}");
    }
    assert_eq!(report.sequence, None);
    assert_eq!(registry.size(), before);
}

#[test]
fn cells_that_do_not_fit_are_named() {
    for (cells, column, value, reason) in [
        (
            vec![("birth_date", "1950-13-01")],
            "birth_date",
            "1950-13-01",
            "out of range",
        ),
        (
            vec![("birth_date", "17/03/1950")],
            "birth_date",
            "17/03/1950",
            "YYYY-MM-DD",
        ),
        (
            vec![("birth_date", "2025-02-29")],
            "birth_date",
            "2025-02-29",
            "28 days",
        ),
        (vec![("birth_date", "")], "birth_date", "", "the cell is empty"),
        (vec![("sex", "x")], "sex", "x", "male, female"),
        (vec![("commune", "4")], "commune", "4", "5 digits"),
        (vec![("commune", "99999")], "commune", "99999", "no commune 99999"),
        (
            vec![("commune", "")],
            "commune",
            "",
            "neither a commune nor a household_id",
        ),
        (
            vec![("from", "2024-01")],
            "commune",
            "00004",
            "does not exist in 2024-01; it exists from 2025-07",
        ),
        (vec![("from", "2026-7")], "from", "2026-7", "YYYY-MM"),
        (
            vec![("record", "peson")],
            "record",
            "peson",
            "person, household or commune",
        ),
        (
            vec![("head", "x"), ("household_id", "H1"), ("commune", "00004")],
            "head",
            "x",
            "expected yes",
        ),
        (vec![("head", "yes")], "head", "yes", "household_id"),
        (vec![("household_id", "H_1")], "household_id", "H_1", "0-9, A-Z"),
        (
            vec![("disability", "sever")],
            "disability",
            "sever",
            "did you mean \"severe\"",
        ),
        (vec![("guardian", "12")], "guardian", "12", "12"),
        (
            vec![("guardian", A)],
            "guardian",
            A,
            "cannot be their own guardian",
        ),
        (
            vec![("guardian", C)],
            "guardian",
            C,
            "nobody in the file or in the registry",
        ),
        (vec![("former_ids", A)], "person_id", A, "twice"),
        (vec![("former_ids", "x1")], "former_ids", "x1", "12"),
        (
            vec![("status", "gone")],
            "status",
            "gone",
            "entered_in_error or merged",
        ),
        (vec![("status", "merged:x")], "status", "merged:x", "12"),
        (
            vec![("status", "merged:001150000017")],
            "status",
            "merged:001150000017",
            "into itself",
        ),
        (
            vec![("documents", "disability=x")],
            "documents",
            "disability",
            "no value of this attribute",
        ),
        (
            vec![("household.poverty", "poor")],
            "household.poverty",
            "",
            "expected a household_id",
        ),
    ] {
        let rows = [person(B, &[]), person(A, &cells)];
        check(&rows, (3, column, value, reason));
    }
    check(
        &[person("00115000001", &[])],
        (2, "person_id", "00115000001", "12 digits"),
    );
}

#[test]
fn items_of_the_history_that_do_not_fit_are_named() {
    for (history, value, reason) in [
        ("2026-3 disability=severe", "2026-3 disability=severe", "YYYY-MM"),
        (
            "2026-03 disabilty=severe",
            "2026-03 disabilty=severe",
            "did you mean \"disability\"",
        ),
        (
            "2026-03 disability=sever",
            "2026-03 disability=sever",
            "did you mean \"severe\"",
        ),
        (
            "1949-03 disability=severe",
            "disability",
            "1949-03 is before the birth",
        ),
        (
            "2026-05 death=2026-04-17",
            "2026-05 death=2026-04-17",
            "item of 2026-04",
        ),
        ("1950-02 death=1950-02-17", "death=1950-02-17", "before the birth"),
        (
            "2026-05 deth=2026-05-17",
            "2026-05 deth=2026-05-17",
            "did you mean \"death\"",
        ),
        (
            "2026-05 household=H-NONE",
            "2026-05 household=H-NONE",
            "no such household",
        ),
        (
            "2026-05 commune=99999",
            "2026-05 commune=99999",
            "no commune 99999",
        ),
        (
            "2025-07 commune=00008",
            "2025-07 commune=00008",
            "not after the first month",
        ),
        ("2026-05 away [x]", "2026-05 away [x]", "no document"),
        ("2026-05..2026-06 away", "2026-05..2026-06 away", "no last month"),
        (
            "2026-05 away; 2026-05 commune=00008",
            "2026-05",
            "two moves in one month",
        ),
        (
            "2026-05 head=001150000018",
            "2026-05 head=001150000018",
            "household's row",
        ),
        (
            "2026-05 commune.difficult=yes",
            "2026-05 commune.difficult=yes",
            "commune row",
        ),
        (
            "2026-05 disability=severe; 2026-05 disability=light",
            "disability",
            "given twice",
        ),
        (
            "2025-07 disability=severe",
            "disability",
            "given twice from 2025-07",
        ),
    ] {
        let mut cells = vec![("history", history)];
        if history.starts_with("2025-07 disability") {
            cells.push(("disability", "light"));
        }
        check(&[person(A, &cells)], (2, "history", value, reason));
    }
}

#[test]
fn ids_that_occur_twice_are_named_with_both_lines() {
    let rows = [
        person(A, &[]),
        person(B, &[]),
        person(A, &[("name", "Trần Văn B")]),
    ];
    check_all(
        &rows,
        &[
            (2, "person_id", A, "lines 2 and 4"),
            (4, "person_id", A, "lines 2 and 4"),
        ],
    );
}

#[test]
fn a_household_over_two_communes_is_named_with_both_lines() {
    let rows = [
        person(A, &[("household_id", "H1"), ("commune", "00004")]),
        person(B, &[("household_id", "H1"), ("commune", "00008")]),
    ];
    let reason = "household H1 lives in 00004 on line 2 and in 00008 on line 3";
    check(&rows, (3, "commune", "00008", reason));
    // A household's own row decides, and a move is respected.
    let own = row(&[
        ("record", "household"),
        ("household_id", "H1"),
        ("commune", "00004"),
        ("history", "2026-01 commune=00008"),
    ]);
    let rows = [
        own.clone(),
        person(
            A,
            &[("household_id", "H1"), ("commune", "00008"), ("from", "2025-12")],
        ),
        person(
            B,
            &[("household_id", "H1"), ("commune", "00008"), ("from", "2026-01")],
        ),
    ];
    let reason = "household H1 lives in 00004 in 2025-12, not in 00008";
    check(&rows, (3, "commune", "00008", reason));
    check_all(&[own.clone(), own], &[(3, "household_id", "H1", "lines 2 and 3")]);
}

#[test]
fn members_must_agree_about_their_household() {
    let rows = [
        person(
            A,
            &[
                ("household_id", "H1"),
                ("commune", "00004"),
                ("head", "yes"),
                ("household.poverty", "poor"),
            ],
        ),
        person(
            B,
            &[
                ("household_id", "H1"),
                ("head", "yes"),
                ("household.poverty", "near_poor"),
            ],
        ),
    ];
    check_all(
        &rows,
        &[
            (3, "household.poverty", "household.poverty", "lines 2 and 3"),
            (3, "head", "yes", "lines 2 and 3"),
        ],
    );
    check(
        &[person(A, &[("household_id", "H1")])],
        (2, "commune", "", "no row gives the commune of household H1"),
    );
    check(
        &[person(A, &[("household_id", "H1"), ("commune", "away")])],
        (2, "commune", "away", "a member lives with the household"),
    );
}

#[test]
fn rows_that_are_too_short_or_too_long_or_not_utf8_are_named() {
    let registry = Registry::empty();
    let good = person(A, &[]);
    let short = good.rsplit_once(',').unwrap().0.to_owned();
    check(&[short], (2, "", "", "the row has 15 cells, the header 16"));
    check(&[format!("{good},x")], (2, "", "", "the row has 17 cells"));

    let mut bytes = file(&[person(B, &[])]).into_bytes();
    bytes.extend(b"person,001150000017,,Nguy\xffn,1950,male,00004,,,,,,,,,\n");
    let report = import(&registry.store, &bytes[..], &options(), None, &mut |_| {}).unwrap();
    let reject = &report.rejects[0];
    assert_eq!((reject.line, reject.column.as_str()), (3, "name"));
    let start = file(&[person(B, &[])]).len();
    let reason =
        format!("byte 5 of the cell (0xff) is not UTF-8, in the row that begins at byte {start} of the file");
    assert!(reject.reason.contains(&reason), "{}", reject.reason);
}

#[test]
fn lines_are_counted_through_line_breaks_and_empty_lines() {
    let mut text = format!("\u{feff}{}", file(&[person(A, &[("documents", "")])]));
    text = text.replace("Thị An", "Thị\nAn");
    text.push_str("\n\r\n,,,,,,,,,,,,,,,\n");
    text.push_str(&person(B, &[("sex", "x")]));
    let registry = Registry::empty();
    let report = registry.import(&text);
    let found: Vec<_> = report.rejects.iter().map(|reject| reject.line).collect();
    // The header, two lines of the first row, two empty lines, a row of empty cells.
    assert_eq!((report.rows, found), (2, vec![7]));
}

#[test]
fn a_household_of_too_many_is_rejected_as_a_whole() {
    let rows: Vec<String> = (0..1_001)
        .map(|at| {
            person(
                &format!("001150{at:06}"),
                &[("household_id", "H1"), ("commune", "00004")],
            )
        })
        .collect();
    let registry = Registry::empty();
    let (report, _) = registry.import_with(&file(&rows), &options().partial());
    assert_eq!((report.accepted, report.rejected), (0, 1_001));
    assert!(
        report.rejects[0]
            .reason
            .contains("has 1001 people in the file, at most 1000 fit")
    );
    assert_eq!(report.rejects.len(), 1_000);
}

#[test]
fn a_header_that_does_not_fit_is_an_error_that_names_the_column() {
    let registry = Registry::empty();
    for (header, column, reason) in [
        ("birth_date,sex,comune", "comune", "did you mean \"commune\""),
        (
            "birth_date,sex,disabilty",
            "disabilty",
            "did you mean \"disability\"",
        ),
        ("birth_date,sex,sex", "sex", "there twice"),
        ("person_id,sex", "birth_date", "missing"),
        ("", "", "empty"),
    ] {
        let result = import(&registry.store, header.as_bytes(), &options(), None, &mut |_| {});
        match result {
            Err(ImportError::Header {
                column: found,
                reason: told,
            }) => {
                assert_eq!(found, column);
                assert!(told.contains(reason), "{told}");
            }
            other => panic!("{header}: {other:?}"),
        }
    }
    let result = import(
        &registry.store,
        &b"birth_date,s\xffx\n"[..],
        &options(),
        None,
        &mut |_| {},
    );
    let Err(ImportError::Header { reason, .. }) = result else {
        panic!("{result:?}");
    };
    assert!(reason.contains("column 2 is not UTF-8 at byte 2"), "{reason}");
}

#[test]
fn every_fault_of_a_row_and_every_row_is_told() {
    let rows = [
        person(A, &[("birth_date", "x"), ("sex", "y"), ("disability", "z")]),
        person(B, &[("from", "1949-01")]),
        row(&[("record", "household"), ("household_id", "H1"), ("name", "An")]),
        row(&[("record", "commune"), ("commune", "99999")]),
    ];
    let registry = Registry::empty();
    let (report, rejects) = registry.import_with(&file(&rows), &options());
    let found: Vec<_> = report
        .rejects
        .iter()
        .map(|reject| (reject.line, reject.column.as_str()))
        .collect();
    assert_eq!(
        found,
        [
            (2, "birth_date"),
            (2, "sex"),
            (2, "disability"),
            (4, "name"),
            (5, "commune"),
            (3, "commune"),
            (3, "from")
        ]
    );
    assert_eq!((report.rows, report.rejected), (4, 4));
    assert_eq!(rejects.lines().count(), 8);
}

/// Three rows of which the second has a wrong sex; the third refers to the first.
fn two_good_one_bad() -> String {
    file(&[
        person(
            A,
            &[("household_id", "H1"), ("commune", "00004"), ("head", "yes")],
        ),
        person(B, &[("household_id", "H1"), ("sex", "x")]),
        person(C, &[("guardian", A)]),
    ])
}

#[test]
fn one_bad_row_keeps_everything_out() {
    let registry = Registry::empty();
    let before = registry.size();
    let report = registry.import(&two_good_one_bad());
    assert_eq!((report.accepted, report.rejected, report.sequence), (2, 1, None));
    assert_eq!(registry.size(), before);
}

#[test]
fn a_partial_import_takes_the_good_rows_and_the_corrected_ones_later() {
    let registry = Registry::empty();
    let (sequence, ..) = registry.size();
    let (report, rejects) = registry.import_with(&two_good_one_bad(), &options().partial());
    assert_eq!((report.accepted, report.rejected, report.households), (2, 1, 1));
    assert_eq!(report.sequence, Some(Sequence(sequence + 1)));
    assert_eq!(registry.size(), (sequence + 1, 2, 1));

    // The file of rejected rows, corrected, can be imported as it is.
    assert!(rejects.starts_with("line,column,value,reason,record,person_id,"));
    assert!(rejects.contains("3,sex,x,"));
    let corrected = rejects
        .replace(",x,00004", ",female,00004")
        .replace(",1950-03-17,x,", ",1950-03-17,female,");
    let report = registry.import(&corrected);
    assert_eq!((report.accepted, report.rejected), (1, 0), "{:?}", report.rejects);
    assert_eq!(registry.size(), (sequence + 2, 3, 1));
    let view = registry.store.begin_read().unwrap();
    let household = view
        .find_household("H1".parse().unwrap(), Sequence::NEWEST)
        .unwrap();
    let state = view.household(household.unwrap(), month("2026-01"), Sequence::NEWEST);
    assert_eq!(state.unwrap().unwrap().members.len(), 2);
}

#[test]
fn a_partial_import_leaves_out_what_refers_to_rejected_rows() {
    let registry = Registry::empty();
    let rows = [
        person(A, &[("sex", "x")]),
        person(B, &[("guardian", C)]),
        person(C, &[("guardian", "001150000020")]),
        person("001150000020", &[("from", "1900-01")]),
        person("001150000021", &[]),
    ];
    let (report, _) = registry.import_with(&file(&rows), &options().partial());
    assert_eq!(
        (report.accepted, report.rejected),
        (1, 4),
        "{:#?}",
        report.rejects
    );
    assert_eq!(registry.size().1, 1);
    let lines: Vec<u64> = report.rejects.iter().map(|reject| reject.line).collect();
    assert!([2, 3, 4, 5].iter().all(|line| lines.contains(line)), "{lines:?}");
}

#[test]
fn a_household_row_that_is_rejected_takes_its_people_along() {
    let registry = Registry::empty();
    let rows = [
        row(&[
            ("record", "household"),
            ("household_id", "H1"),
            ("commune", "00004"),
            ("head", A),
        ]),
        person(A, &[("household_id", "H1"), ("from", "1900-01")]),
        person(B, &[("household_id", "H1")]),
        person(C, &[("history", "2026-02 household=H1")]),
    ];
    let (report, rejects) = registry.import_with(&file(&rows), &options().partial());
    assert_eq!(
        (report.accepted, report.rejected),
        (0, 4),
        "{:#?}",
        report.rejects
    );
    assert_eq!(registry.size().1, 0);
    let corrected = rejects.replace("1900-01", "2025-07");
    let report = registry.import(&corrected);
    assert_eq!(
        (report.accepted, report.rejected),
        (3, 0),
        "{:#?}",
        report.rejects
    );
    let view = registry.store.begin_read().unwrap();
    let household = view
        .find_household("H1".parse().unwrap(), Sequence::NEWEST)
        .unwrap();
    let state = view.household(household.unwrap(), month("2026-02"), Sequence::NEWEST);
    let state = state.unwrap().unwrap();
    let head = view.find_person(A.parse().unwrap(), Sequence::NEWEST).unwrap();
    assert_eq!((state.head, state.members.len()), (head, 3));
}

#[test]
fn who_is_there_already_is_no_fault_unless_different() {
    let registry = Registry::empty();
    let rows = [
        person(A, &[("household_id", "H1"), ("commune", "00004")]),
        // Without an ID, the household, the name, the birth date and the sex tell who it is.
        person("", &[("household_id", "H1"), ("birth_date", "2020-05")]),
    ];
    assert_eq!(registry.import(&file(&rows)).accepted, 2);
    let size = registry.size();
    let report = registry.import(&file(&rows));
    assert_eq!((report.accepted, report.existing, report.rejected), (0, 2, 0));
    assert_eq!((report.sequence, registry.size()), (None, size));

    for (cells, column, reason) in [
        (
            ("birth_date", "1951"),
            "birth_date",
            "exists with different birth date: the registry has 1950-03-17",
        ),
        (
            ("sex", "male"),
            "sex",
            "exists with different sex: the registry has female",
        ),
        (("name", "Lê Thị An"), "name", "exists with different name"),
    ] {
        let report = registry.import(&file(&[person(A, &[cells])]));
        let reject = &report.rejects[0];
        assert_eq!(
            (reject.line, reject.column.as_str(), reject.value.as_str()),
            (2, column, cells.1)
        );
        assert!(reject.reason.contains(reason), "{}", reject.reason);
        assert_eq!(registry.size(), size);
    }
    let report = registry.import(&file(&[person(B, &[("former_ids", A)])]));
    assert_eq!(report.rejects[0].column, "former_ids");
}

#[test]
fn a_newcomer_joins_a_household_that_is_there() {
    let registry = Registry::empty();
    assert_eq!(
        registry
            .import(&file(&[person(
                A,
                &[("household_id", "H1"), ("commune", "00004")]
            )]))
            .accepted,
        1
    );
    let wrong = person(B, &[("household_id", "H1"), ("commune", "00008")]);
    let report = registry.import(&file(&[wrong]));
    assert!(
        report.rejects[0].reason.contains("lives in 00004"),
        "{:?}",
        report.rejects
    );
    let report = registry.import(&file(&[person(B, &[("household_id", "H1"), ("guardian", A)])]));
    assert_eq!(
        (report.accepted, report.households),
        (1, 0),
        "{:?}",
        report.rejects
    );
}

#[test]
fn what_only_the_registry_refuses_is_told_as_well() {
    let circle = [
        person(A, &[("status", "merged:001150000018")]),
        person(B, &[("status", "merged:001150000017")]),
        person(C, &[]),
    ];
    let registry = Registry::empty();
    let before = registry.size();
    let report = registry.import(&file(&circle));
    assert_eq!((report.accepted, report.rejected), (1, 2), "{:?}", report.rejects);
    assert!(report.rejects[0].reason.contains("circle"));
    assert_eq!(registry.size(), before);
    let (report, _) = registry.import_with(&file(&circle), &options().partial());
    assert_eq!((report.accepted, report.rejected), (1, 2));
    assert_eq!(registry.size().1, 1);
}

#[test]
fn progress_is_told_in_every_stage() {
    let registry = Registry::empty();
    let mut stages = Vec::new();
    let text = file(&[person(A, &[])]);
    let mut note = |progress: ansinh::import::Progress| {
        assert!(progress.total.is_none_or(|total| progress.done <= total));
        stages.push(progress.stage);
    };
    import(&registry.store, text.as_bytes(), &options(), None, &mut note).unwrap();
    stages.dedup();
    assert_eq!(stages, [Stage::Reading, Stage::Checking, Stage::Writing]);
}
