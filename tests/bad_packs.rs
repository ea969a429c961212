//! Bad input: whatever stands in a pack, a table beside it, an expression or a case, the answer is an error that says
//! where, in bounded time and memory, and never a panic.

use std::fmt::Write;
use std::time::{Duration, Instant};

use ansinh::policy::{
    DEPTH_MAX, EXPANSION_DEPTH_MAX, EXPRESSION_BYTES_MAX, Pack, PackErrors, TABLE_ROWS_MAX,
};
use ansinh::types::Month;
use proptest::prelude::*;

/// How long the worst pack may take. A sound one takes milliseconds; tests run without optimisation.
const PATIENCE: Duration = Duration::from_secs(20);

const HEAD: &str = r#"
[pack]
id = "bad"
version = "1"
title = { vi = "a", en = "a" }
dependants = "guardian"
[birth]
unknown_month = "january"
source = "s"
confidence = "M"
[person.flag]
title = { vi = "a", en = "a" }
type = "bool"
absent = false
[person.guardian]
title = { vi = "a", en = "a" }
type = "person"
[group.all]
rule = "sum"
cite = "c"
confidence = "S1"
"#;

fn programme(id: &str, rest: &str) -> String {
    format!(
        "[[programme]]\nid = \"{id}\"\ntitle = {{ vi = \"a\", en = \"a\" }}\ncite = \"c\"\nconfidence = \"S1\"\n\
         months = {{ from = \"2020-01\" }}\ndecision = false\nstop = \"at_once\"\npayee = [\"self\"]\ngroup = \"all\"\n{rest}\n"
    )
}

fn define(name: &str, key: &str, expression: &str) -> String {
    format!("[define.{name}]\ntitle = {{ vi = \"a\", en = \"a\" }}\n{key} = \"{expression}\"\n")
}

/// Reads a pack on a thread with the stack that threads of tests and servers have, and gives what was found in the end.
fn load(text: String, csv: String) -> Result<Pack, PackErrors> {
    const STACK_BYTES: usize = 2 << 20;
    let begun = Instant::now();
    let thread = std::thread::Builder::new().stack_size(STACK_BYTES);
    let read = move || Pack::parse_with("bad.toml", &text, &|_| Ok(csv.clone()));
    let found = thread.spawn(read).unwrap().join().unwrap();
    let took = begun.elapsed();
    assert!(took < PATIENCE, "{took:?}");
    if let Err(errors) = &found {
        assert!(errors.count() > 0 && errors.to_string().len() < 200_000);
    }
    found
}

fn refused(text: String) -> String {
    load(text, String::new()).unwrap_err().to_string()
}

#[test]
fn nested_text_is_refused() {
    for text in [
        "[".repeat(1_000_000),
        "a = ".to_owned() + &"[".repeat(1_000_000),
        "a = ".to_owned() + &"{a=".repeat(500_000),
        "a.".repeat(1_000_000) + "a = 1",
        format!("[{}a]", "a.".repeat(1_000_000)),
        "a = \"".repeat(500_000),
        "\u{feff}".repeat(500_000),
        "\n".repeat(3_000_000) + "x",
    ] {
        refused(text);
    }
}

#[test]
fn nested_expressions_are_refused() {
    for expression in [
        "(".repeat(8_000),
        "not ".repeat(2_000) + "flag",
        "-".repeat(8_000) + "1",
        "case { ".repeat(1_000),
        "case age { under ".repeat(400),
        "household.any(".repeat(500),
        "min(".repeat(2_000),
        "[".repeat(8_000),
        "x".repeat(EXPRESSION_BYTES_MAX + 1),
        "9".repeat(8_000),
        format!("age > {}", "9".repeat(31)),
        "age > 1.".to_owned() + &"0".repeat(8_000),
    ] {
        refused(HEAD.to_owned() + &define("d", "condition", &expression));
    }
}

#[test]
fn chains_of_definitions_are_bounded() {
    // Each is nested as deep as it may be, and uses the one before.
    let mut deep = HEAD.to_owned() + &define("d0", "condition", "flag");
    for at in 1..900 {
        let nested = "not ".repeat(DEPTH_MAX - 2) + &format!("d{}", at - 1);
        deep += &define(&format!("d{at}"), "condition", &nested);
    }
    let shown = refused(deep + &programme("p", "condition = \"d899\"\namount = \"1\""));
    assert!(shown.contains("nested"), "{shown}");
    // As deep as it may be, it is evaluated.
    let mut good = HEAD.to_owned() + &define("d0", "condition", "flag");
    for at in 1..EXPANSION_DEPTH_MAX / 2 {
        good += &define(&format!("d{at}"), "condition", &format!("not not d{}", at - 1));
    }
    let last = EXPANSION_DEPTH_MAX / 2 - 1;
    let rule = programme("p", &format!("condition = \"d{last}\"\namount = \"1\""));
    assert!(
        refused(good.clone() + &rule).contains("nested"),
        "names count too"
    );
    let rule = programme("p", &format!("condition = \"d{}\"\namount = \"1\"", last / 2));
    let half = good.find(&format!("[define.d{}]", last / 2 + 1)).unwrap();
    let pack = load(good[..half].to_owned() + &rule, String::new()).unwrap();
    let month: Month = "2020-01".parse().unwrap();
    let case = pack
        .read_case("case", "birth = \"1990\"\nperson = { flag = true }", month)
        .unwrap();
    let policy = pack
        .alone()
        .0
        .for_month(month, "2020-01-31".parse().unwrap())
        .unwrap();
    assert_eq!(case.evaluate(&policy)[0].1.outcome.lines[0].amount.get(), 1);
    // Each is twice the one before.
    let mut wide = HEAD.to_owned() + &define("d0", "condition", "flag");
    for at in 1..900 {
        let one = format!("d{}", at - 1);
        wide += &define(&format!("d{at}"), "condition", &format!("{one} and {one}"));
    }
    assert!(refused(wide).contains("parts"));
}

#[test]
fn what_many_rules_write_out_is_bounded() {
    let parts = vec!["flag"; 1_000].join(" or ");
    let mut text = HEAD.to_owned() + &define("many", "condition", &parts);
    text += &define("more", "condition", &vec!["many"; 14].join(" or "));
    for at in 0..400 {
        let exclusions = "{ when = \"more\", cite = \"c\" }, ".repeat(100);
        let rest = format!("condition = \"true\"\namount = \"1\"\nexclusions = [{exclusions}]");
        text += &programme(&format!("p{at}"), &rest);
    }
    assert!(refused(text).contains("parts"));
}

#[test]
fn long_rules_take_bounded_time() {
    let mut text = HEAD.to_owned();
    for at in 0..480 {
        let condition = vec!["flag"; 880].join(" and ");
        text += &programme(
            &format!("p{at}"),
            &format!("condition = \"{condition}\"\namount = \"1\""),
        );
    }
    let _ = load(text, String::new());
    let mut text = "#".repeat(3_000_000) + HEAD + &programme("p", "condition = \"flag\"\namount = \"1\"");
    for _ in 0..10_000 {
        text += "[[example]]\ntitle = \"t\"\nmonth = \"2020-01\"\nbirth = \"1990\"\nexpect = { status = \"zero\" }\n";
    }
    load(text, String::new()).unwrap();
}

#[test]
fn many_values_take_bounded_time() {
    let mut text = HEAD.to_owned();
    let mut names = Vec::new();
    for parameter in 0..30 {
        let mut values = String::new();
        let first = Month::new(2020, 1).unwrap();
        for at in 0..1_000 {
            let (month, known) = if at < 500 {
                (first.plus(at).unwrap(), "2000-01-01".to_owned())
            } else {
                (
                    first.plus(at - 500).unwrap(),
                    format!("{}-01", first.plus(at).unwrap()),
                )
            };
            let until = if at % 500 == 499 {
                String::new()
            } else {
                format!("until = \"{month}\", ")
            };
            let _ = write!(
                values,
                "{{ value = {at}, from = \"{month}\", {until}known_from = \"{known}\", source = \"s\", confidence = \"S1\" }}, "
            );
        }
        let _ = write!(
            text,
            "[parameter.v{parameter}]\ntitle = {{ vi = \"a\", en = \"a\" }}\nunit = \"number\"\nvalues = [{values}]\n"
        );
        names.push(format!("param.v{parameter}"));
    }
    for at in 0..450 {
        let rest = format!("condition = \"flag\"\namount = \"max({})\"", names.join(", "));
        let rest = programme(&format!("p{at}"), &rest);
        text += &rest.replace(
            "2020-01",
            &Month::new(2020, 1).unwrap().plus(at).unwrap().to_string(),
        );
    }
    load(text, String::new()).unwrap();
}

fn table(name: &str) -> String {
    format!(
        "[table.{name}]\ntitle = {{ vi = \"a\", en = \"a\" }}\nunit = \"number\"\nfile = \"t.csv\"\nedition = \"e\"\n\
         keys = [\"k\"]\nvalue = \"v\"\neditions = [{{ rows = \"x\", from = \"2020-01\", known_from = \"2000-01-01\", \
         source = \"s\", confidence = \"S1\" }}]\n"
    )
}

#[test]
fn tables_are_bounded() {
    let rows = |count: usize, key: fn(usize) -> String| {
        let mut csv = "e,k,v\n".to_owned();
        for at in 0..count {
            let _ = writeln!(csv, "x,{},{at}", key(at));
        }
        csv
    };
    let words: fn(usize) -> String = |at| format!("w{at}");
    let one = HEAD.to_owned() + &table("t");
    assert!(load(one.clone(), rows(TABLE_ROWS_MAX, words)).is_ok());
    assert!(load(one.clone(), rows(TABLE_ROWS_MAX + 1, words)).is_err());
    let many: String = (0..200).map(|at| table(&format!("t{at}"))).collect();
    assert!(load(HEAD.to_owned() + &many, rows(TABLE_ROWS_MAX, words)).is_err());
    let mut misspelt = one.clone();
    for at in 0..400 {
        let rest = format!(
            "condition = \"flag\"\namount = \"{}\"",
            vec!["table.t(wx)"; 300].join(" + ")
        );
        misspelt += &programme(&format!("p{at}"), &rest);
    }
    assert!(load(misspelt, rows(TABLE_ROWS_MAX, words)).is_err());
    for csv in [
        String::new(),
        "e,k,v\n\"x,1,1\n".to_owned(),
        "e,k,v\nx,1\n".to_owned(),
        "e,k,v\nx,1,1,1\n".to_owned(),
        "e,k,k,v\nx,1,1,1\n".to_owned(),
        "e,k,v\nx,1,\n".to_owned(),
        format!("e,k,v\nx,1,{}\n", "9".repeat(1_000_000)),
        format!("e,k,v\nx,1,1\nx,{},1\nx,1,1\n", "9".repeat(1_000_000)),
        format!("{},k,v\nx,1,1\n", "e".repeat(3_000_000)),
        "e,k,v\n".to_owned() + &"\"\"\"".repeat(1_000_000),
        "e,k,v\r\rx,1,1".to_owned() + &"\r".repeat(1_000_000) + "x,1,1",
        "e,k,v\nx,99999999999999999999,1\nx,1,1,\n".to_owned(),
        "\0".repeat(1_000_000),
    ] {
        let shown: String = csv.chars().take(40).collect();
        assert!(load(one.clone(), csv).is_err(), "{shown:?}");
    }
}

#[test]
fn lookups_of_many_words_take_bounded_time() {
    let mut csv = "e,k,v\n".to_owned();
    for at in 0..90_000 {
        let _ = writeln!(csv, "x,w{at},{at}");
    }
    let values: Vec<String> = (0..1_000).map(|at| format!("\"w{at}\"")).collect();
    let mut text = HEAD.to_owned() + &table("t");
    let _ = write!(
        text,
        "[person.word]\ntitle = {{ vi = \"a\", en = \"a\" }}\ntype = \"enum\"\nvalues = [{}]\nabsent = \"w1\"\n",
        values.join(", ")
    );
    for at in 0..400 {
        let sum = vec!["table.t(word)"; 300].join(" + ");
        text += &programme(
            &format!("p{at}"),
            &format!("condition = \"flag\"\namount = \"{sum}\""),
        );
    }
    assert!(load(text, csv).is_err());
}

#[test]
fn what_people_of_examples_share_is_bounded() {
    let mut text = HEAD.to_owned();
    let mut facts = Vec::new();
    for at in 0..1_000 {
        let _ = write!(
            text,
            "[household.h{at}]\ntitle = {{ vi = \"a\", en = \"a\" }}\ntype = \"bool\"\nabsent = false\n"
        );
        facts.push(format!("h{at} = true"));
    }
    text += &programme("p", "condition = \"flag\"\namount = \"1\"");
    for _ in 0..80 {
        let _ = write!(
            text,
            "[[example]]\ntitle = \"t\"\nmonth = \"2020-01\"\nhousehold = {{ {} }}\npeople = [",
            facts.join(", ")
        );
        for at in 0..1_000 {
            let expect = if at == 0 {
                ", expect = { status = \"zero\" }"
            } else {
                ""
            };
            let _ = write!(text, "{{ name = \"n{at}\", birth = \"1990\"{expect} }}, ");
        }
        text.push_str("]\n");
    }
    assert!(refused(text).contains("facts"));
}

#[test]
fn circles_and_chains_of_programmes_and_groups_end() {
    let mut text = HEAD.to_owned();
    for at in 0..500 {
        let rest = format!(
            "condition = \"flag\"\namount = \"1\"\nexclusions = [{{ programme = \"p{}\", cite = \"c\" }}]",
            (at + 1) % 500
        );
        text += &programme(&format!("p{at}"), &rest);
    }
    assert!(refused(text.clone()).contains("circle"));
    let open = text.replacen("exclusions = [{ programme = \"p1\", cite = \"c\" }]", "", 1);
    let pack = load(open, String::new()).unwrap();
    let (policy, _) = pack.alone();
    policy
        .for_month("2020-01".parse().unwrap(), "2020-01-31".parse().unwrap())
        .unwrap();
    let mut text = HEAD.to_owned();
    for at in 0..400 {
        let outer = (at + 1) % 400;
        let _ = write!(
            text,
            "[group.g{at}]\nrule = \"sum\"\nwithin = \"g{outer}\"\ncite = \"c\"\nconfidence = \"S1\"\n"
        );
    }
    assert!(refused(text).contains("within"));
}

/// A pack with a table beside it, as registries keep it.
fn bundle() -> Vec<u8> {
    let text =
        HEAD.to_owned() + &table("t") + &programme("p", "condition = \"flag\"\namount = \"table.t(1)\"");
    let csv = "e,k,v\nx,1,1\nx,2,2\n".to_owned();
    load(text, csv).unwrap().to_bytes()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_are_refused(bytes in prop::collection::vec(any::<u8>(), 0..300), is_bundle in any::<bool>()) {
        let mut all = if is_bundle { b"=== ansinh pack\n".to_vec() } else { Vec::new() };
        all.extend(&bytes);
        prop_assert!(Pack::from_bytes("f", &all).is_err());
        let text = String::from_utf8_lossy(&bytes);
        let pack = Pack::from_bytes("f", &bundle()).unwrap();
        let _ = pack.read_case("case", &text, "2020-01".parse().unwrap());
        let _ = Pack::parse_with("f", &(HEAD.to_owned() + &table("t")), &|_| Ok(text.to_string()));
    }

    #[test]
    fn damaged_bundles_are_refused_or_sound(
        at in any::<prop::sample::Index>(),
        len in 0..30_usize,
        patch in prop::collection::vec(prop::sample::select(b"=\"[]{}\n 0129,.ax-#\\\0\xff".to_vec()), 0..12),
    ) {
        let good = bundle();
        let start = at.index(good.len());
        let end = (start + len).min(good.len());
        let bytes = [&good[..start], &patch, &good[end..]].concat();
        if let Ok(pack) = Pack::from_bytes("f", &bytes) {
            let again = Pack::from_bytes("f", &pack.to_bytes()).unwrap();
            prop_assert_eq!(again.hash(), pack.hash());
        }
    }

    #[test]
    fn any_expression_and_any_case_are_refused_or_sound(
        words in prop::collection::vec(prop::sample::select(vec![
            "age", "and", "or", "not", "(", ")", "case", "{", "}", "=>", "else", ",", "in", "[", "]", "flag", "==", "<",
            "-", "+", "*", "/", "1.5", "99999999999999999999999999999", "0.000000000001", "2020-01-01", "min(", "round(",
            "household.count(", "guardian.any(", "dependants.sum(", "table.t(", "under", "from", "to", "1", "|", "province",
            "clamp(", "true", "age_months",
        ]), 0..24),
        case in prop::collection::vec(prop::sample::select(vec![
            "birth", "=", "\"1990\"", "person", "{", "}", "flag", "true", "\"unknown\"", ",", "people", "[", "]", "name",
            "\"a\"", "guardian", "before", "died", "\n", "household", "province", "\"01\"", "99", "elsewhere",
        ]), 0..40),
    ) {
        let pack = Pack::from_bytes("f", &bundle()).unwrap();
        let (policy, _) = pack.alone();
        let month: Month = "2020-01".parse().unwrap();
        let month_policy = policy.for_month(month, "2020-01-31".parse().unwrap()).unwrap();
        if let Err(errors) = month_policy.predicate(&words.join(" ")) {
            prop_assert!(errors.to_string().starts_with("expression:1:"));
        }
        let expression = words.join(" ");
        let rule = programme("p", &format!("condition = \"flag\"\namount = \"{expression}\""));
        if let Ok(pack) = Pack::parse_with("f", &(HEAD.to_owned() + &table("t") + &rule), &|_| Ok("e,k,v\nx,1,1\n".to_owned())) {
            let (policy, _) = pack.alone();
            let month_policy = policy.for_month(month, "2020-01-31".parse().unwrap()).unwrap();
            let people = pack.read_case("case", "birth = \"1990\"\nperson = { flag = true }", month).unwrap();
            prop_assert_eq!(people.evaluate(&month_policy).len(), 1);
        }
        if let Ok(people) = pack.read_case("case", &case.join(" "), month) {
            prop_assert_eq!(people.evaluate(&month_policy).len(), people.len());
        }
    }
}

#[test]
fn many_figures_are_searched_in_bounded_time() {
    // Figures that begin on days of their own, the later ones known the earlier, in every parameter.
    let mut text = HEAD.to_owned();
    let mut sum = Vec::new();
    for parameter in 0..28 {
        let _ = write!(
            text,
            "[parameter.p{parameter}]\ntitle = {{ vi = \"a\", en = \"a\" }}\nunit = \"number\"\nvalues = [\n"
        );
        for at in 0..800 {
            let (from, known) = if at == 0 {
                ("1970-01".to_owned(), "1970-01-01".to_owned())
            } else {
                let day = 10_000 - at;
                let from = format!("{}-{:02}", 2000 + at / 12, at % 12 + 1);
                (
                    from,
                    format!(
                        "{}-{:02}-{:02}",
                        1970 + day / 360,
                        day / 30 % 12 + 1,
                        day % 28 + 1
                    ),
                )
            };
            let _ = writeln!(
                text,
                "{{ value = 1, from = \"{from}\", known_from = \"{known}\", source = \"x\", confidence = \"S1\" }},"
            );
        }
        text += "]\n";
        sum.push(format!("param.p{parameter}"));
    }
    for (at, name) in sum.iter().enumerate() {
        let rule = format!(
            "condition = \"flag and {} > 0\"\namount = \"1000 * {name}\"",
            sum.join(" + ")
        );
        text += &programme(&format!("q{at}"), &rule);
    }
    let pack = load(text, String::new()).unwrap();
    let begun = Instant::now();
    let findings = pack.lint("bad.toml");
    let took = begun.elapsed();
    assert!(took < PATIENCE, "{took:?}");
    let said = |words: &str| findings.iter().any(|finding| finding.to_string().contains(words));
    assert!(said("too large to be gone through"), "{}", findings.len());
}

#[test]
fn mistakes_of_form_are_counted_or_cut() {
    let shown = refused("= \n".repeat(1_000_000));
    assert!(shown.contains("only the first is sought"), "{shown}");
    let shown = refused("= \n".repeat(1_000));
    assert!(shown.contains("more; correct these first"), "{shown}");
}
