//! What the linter finds, and errors of the same kinds, as they are printed.

use super::*;

/// A pack that begins with these sections, so that their lines are counted from there. Nothing else in it is found.
fn text_of(sections: &str) -> String {
    let everything = "flag or level == high or count > 3 or income > 5 or since > 2020-01-01 \
                      or household.state == bad or commune.remote or age > param.limit";
    let reader = programme("reader", "all", everything, "param.level");
    let other = programme("other", "highest", "flag", "1");
    format!("{sections}{HEAD}{reader}{other}")
}

fn shown(sections: &str) -> String {
    let text = text_of(sections);
    let pack = Pack::parse("test.toml", &text).unwrap_or_else(|errors| panic!("{errors}\n{text}"));
    printed(&pack)
}

fn printed(pack: &Pack) -> String {
    let findings: Vec<String> = pack.lint("test.toml").iter().map(ToString::to_string).collect();
    findings.join("\n")
}

/// What is found in a pack that begins with a programme of this condition and amount.
fn found(condition: &str, amount: &str) -> String {
    shown(&programme("p", "all", condition, amount))
}

fn with(sections: &str, rest: &str) -> String {
    format!("{sections}{rest}\n")
}

fn refused(sections: &str) -> String {
    Pack::parse("test.toml", &text_of(sections))
        .unwrap_err()
        .to_string()
}

fn assert_printed(found: &str, expected: &str) {
    assert_eq!(
        found,
        expected.trim_start_matches('\n').trim_end_matches('\n'),
        "\n{found}\n"
    );
}

#[test]
fn counting_everybody_asks_for_something() {
    assert_printed(&found("household.count(true) >= 2", "1"), "");
    assert_printed(&found("household.any(true) and flag", "1"), "");
    let never = found("household.count(true) < 0", "1");
    assert!(never.contains("this condition can never hold"), "{never}");
    assert!(!never.contains("always holds"), "{never}");
}

#[test]
fn a_sound_rule_is_not_found() {
    for (condition, amount) in [
        ("flag", "1"),
        ("true", "1"),
        ("age >= 60 and (flag or level == high)", "round(income / 7, 1000)"),
        (
            "income < 5 or count in [1, 2]",
            "case count { under 5 => 1, from 5 => 2 }",
        ),
        ("flag", "case level { low => 1, middle => 2, else 3 }"),
        ("flag", "case { age < 16 => 1, age < 60 => 2, else 3 }"),
        ("flag", "case { count > 0 => round(100 / count, 1), else 0 }"),
        ("since > 2020-01-01 and since < 2019-01-01", "1"),
        (
            "household.any(flag) and not household.all(flag)",
            "household.count(flag)",
        ),
    ] {
        assert_eq!(found(condition, amount), "", "{condition} | {amount}");
    }
}

#[test]
fn conditions_that_never_hold_are_found() {
    assert_printed(
        &found("age < 0 and flag", "1"),
        r#"
test.toml:12:16: warning: this condition can never hold
   |
12 | condition = """age < 0 and flag"""
   |                ^^^^^^^
   = correct it, or leave it out
"#,
    );
    assert_printed(
        &found("age >= 60 and flag and age < 16", "1"),
        r#"
test.toml:12:39: warning: this can never hold together with `age >= 60`: p is paid to nobody
   |
12 | condition = """age >= 60 and flag and age < 16"""
   |                                       ^^^^^^^^
   = correct one of them; alternatives are joined by `or`
"#,
    );
    assert_printed(
        &found("flag or (level == low and level == high)", "1"),
        r#"
test.toml:12:25: warning: this condition can never hold
   |
12 | condition = """flag or (level == low and level == high)"""
   |                         ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
   = correct it, or leave it out
"#,
    );
    assert_printed(
        &shown(
            &programme("p", "all", "flag and enrolment.p == none", "1")
                .replace("decision = false", "decision = true"),
        ),
        r#"
test.toml:12:16: warning: nobody with a decision on p meets this: p is paid to nobody
   |
12 | condition = """flag and enrolment.p == none"""
   |                ^^^^^^^^^^^^^^^^^^^^^^^^^^^^
   = ask for the enrolment in another programme, or for none
"#,
    );
}

#[test]
fn conditions_that_always_hold_are_found() {
    assert_printed(
        &found("count >= 0 and flag", "1"),
        r#"
test.toml:12:16: warning: this condition always holds
   |
12 | condition = """count >= 0 and flag"""
   |                ^^^^^^^^^^
   = it asks for nothing: correct it, or leave it out
"#,
    );
    assert_printed(
        &found("count >= 0", "1"),
        r#"
test.toml:12:16: warning: this condition always holds
   |
12 | condition = """count >= 0"""
   |                ^^^^^^^^^^
   = write `true` if everybody is meant
"#,
    );
}

#[test]
fn provincial_conditions_that_change_nothing_are_found() {
    let rule = programme("p", "all", "level == high", "1");
    let provincial = |condition: &str| {
        let cited = "cite = \"c\", confidence = \"S1\"";
        let dates = "from = \"2000-01\", known_from = \"2000-01-01\"";
        with(
            &rule,
            &format!("provincial = [{{ in = \"01\", condition = \"{condition}\", {dates}, {cited} }}]"),
        )
    };
    assert_eq!(shown(&provincial("flag")), "");
    assert_printed(
        &shown(&provincial("level == high and flag")),
        r#"
test.toml:14:41: warning: this provincial condition adds nobody: whoever meets it meets the national conditions of p
   |
14 | provincial = [{ in = "01", condition = "level == high and flag", from = "2000-01", known_from = "2000-01-01", cite = "c"
   |                                         ^^^^^^^^^^^^^^^^^^^^^^
   = correct it, or leave it out
"#,
    );
    assert_printed(
        &shown(&provincial("level == low and level == middle")),
        r#"
test.toml:14:41: warning: this provincial condition can never hold
   |
14 | provincial = [{ in = "01", condition = "level == low and level == middle", from = "2000-01", known_from = "2000-01-01",
   |                                         ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
   = correct it, or leave it out
"#,
    );
    let months = |text: String| {
        text.replace(
            "months = { from = \"2000-01\" }",
            "months = { from = \"1990-01\", until = \"1999-12\" }",
        )
    };
    assert_printed(
        &shown(&months(provincial("flag"))),
        r#"
test.toml:14:41: warning: this provincial condition is in force in no month in which p exists
   |
14 | provincial = [{ in = "01", condition = "flag", from = "2000-01", known_from = "2000-01-01", cite = "c", confidence = "S1
   |                                         ^^^^
   = correct its months, or leave it out
"#,
    );
    let only_there = |condition: &str| provincial("flag").replace("level == high", condition);
    assert_eq!(shown(&only_there("false")), "", "only for the province");
    assert_printed(
        &shown(&only_there("level == high and level == low")),
        r#"
test.toml:12:34: warning: this can never hold together with `level == high`: p is paid only by its provincial conditions
   |
12 | condition = """level == high and level == low"""
   |                                  ^^^^^^^^^^^^
   = correct one of them; alternatives are joined by `or`
"#,
    );
}

fn excluding(exclusions: &str) -> String {
    with(
        &programme("p", "all", "level == high", "1"),
        &format!("exclusions = [{exclusions}]"),
    )
}

#[test]
fn exclusions_that_exclude_nobody_are_found() {
    assert_printed(
        &shown(&excluding("{ when = \"level == low\", cite = \"c\" }")),
        r#"
test.toml:14:25: warning: this never holds for those who meet the conditions of p: the exclusion excludes nobody
   |
14 | exclusions = [{ when = "level == low", cite = "c" }]
   |                         ^^^^^^^^^^^^
   = correct it, or leave it out
"#,
    );
    assert_printed(
        &shown(&excluding(
            "{ when = \"level == low and level == high\", cite = \"c\" }",
        )),
        r#"
test.toml:14:25: warning: this can never hold: the exclusion excludes nobody
   |
14 | exclusions = [{ when = "level == low and level == high", cite = "c" }]
   |                         ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
   = correct it, or leave it out
"#,
    );
    let by_programme = excluding("{ programme = \"q\", cite = \"c\" }");
    assert_printed(
        &shown(&(by_programme.clone() + &programme("q", "all", "level == low", "1"))),
        r#"
test.toml:14:29: warning: nobody who meets the conditions of p is entitled to q: the exclusion excludes nobody
   |
14 | exclusions = [{ programme = "q", cite = "c" }]
   |                             ^^^
   = correct it, or leave it out
"#,
    );
    let ended = by_programme.replace(
        "from = \"2000-01\" }",
        "from = \"2000-01\", until = \"2000-12\" }",
    );
    let later = programme("q", "all", "flag", "1").replace("2000-01\" }", "2001-01\" }");
    assert_printed(
        &shown(&(ended + &later)),
        r#"
test.toml:14:29: warning: q exists in no month in which p does: the exclusion excludes nobody
   |
14 | exclusions = [{ programme = "q", cite = "c" }]
   |                             ^^^
   = correct it, or leave it out
"#,
    );
}

#[test]
fn exclusions_that_exclude_everybody_are_found() {
    assert_printed(
        &shown(&excluding("{ when = \"level != low\", cite = \"c\" }")),
        r#"
test.toml:14:25: warning: whoever meets the conditions of p is excluded by this: p is paid to nobody
   |
14 | exclusions = [{ when = "level != low", cite = "c" }]
   |                         ^^^^^^^^^^^^
   = correct the exclusion or the conditions
"#,
    );
    assert_printed(
        &shown(&excluding(
            "{ when = \"flag\", cite = \"c\" }, { when = \"not flag\", cite = \"c\" }",
        )),
        r#"
test.toml:14:56: warning: whoever meets the conditions of p is excluded by this or by one above: p is paid to nobody
   |
14 | exclusions = [{ when = "flag", cite = "c" }, { when = "not flag", cite = "c" }]
   |                                                        ^^^^^^^^
   = correct the exclusion or the conditions
"#,
    );
}

#[test]
fn cases_that_are_never_reached_are_found() {
    for (amount, expected) in [
        (
            "case { age < 60 => 1, age < 16 => 2, else 3 }",
            r#"
test.toml:13:35: warning: this case is never reached: those above it cover it
   |
13 | amount = """case { age < 60 => 1, age < 16 => 2, else 3 }"""
   |                                   ^^^^^^^^
   = put it above them, correct it, or leave it out
"#,
        ),
        (
            "case { income < 5 => 1, income < 3 => 2, else 3 }",
            r#"
test.toml:13:37: warning: this case is never reached: those above it cover it
   |
13 | amount = """case { income < 5 => 1, income < 3 => 2, else 3 }"""
   |                                     ^^^^^^^^^^
   = put it above them, correct it, or leave it out
"#,
        ),
        (
            "case { age < 60 => 1, age < 16 and age > 20 => 2, else 3 }",
            r#"
test.toml:13:35: warning: this case is never reached: it can never hold here
   |
13 | amount = """case { age < 60 => 1, age < 16 and age > 20 => 2, else 3 }"""
   |                                   ^^^^^^^^^^^^^^^^^^^^^
   = correct it, or leave it out
"#,
        ),
        (
            "case level { low => 1, middle => 2, high => 3, else 4 }",
            r#"
test.toml:13:65: warning: `else` is never reached: the cases above cover everything
   |
13 | nt = """case level { low => 1, middle => 2, high => 3, else 4 }"""
   |                                                             ^
   = let `else` stand for the last of them
"#,
        ),
        (
            "case count { under 5 => 1, 5 to 20 => 2, from 21 => 3 }",
            r#"
test.toml:13:54: warning: this band is never reached: the number does not lie in it
   |
13 | amount = """case count { under 5 => 1, 5 to 20 => 2, from 21 => 3 }"""
   |                                                      ^^^^^^^
   = correct it, or leave it out
"#,
        ),
        (
            "case { age < 6 => case age { under 16 => 1, else 2 }, else 3 }",
            r#"
test.toml:13:62: note: `else` is never reached: the bands cover every number that occurs here
   |
13 | mount = """case { age < 6 => case age { under 16 => 1, else 2 }, else 3 }"""
   |                                                             ^
   = let `else` stand for the last of them
"#,
        ),
    ] {
        assert_printed(&found("flag", amount), expected);
    }
    assert_printed(
        &found("level == high", "case level { low => 1, high => 2, else 0 }"),
        r#"
test.toml:13:26: note: nobody who is paid this amount reaches this case
   |
13 | amount = """case level { low => 1, high => 2, else 0 }"""
   |                          ^^^
"#,
    );
    let definition = "[define.d]\ntitle = { vi = \"d\", en = \"d\" }\n";
    let condition = "condition = \"case { age < 60 => flag, age < 16 => true, else false } or age < 0\"\n";
    let used = programme("p", "all", "d", "1");
    assert_printed(
        &shown(&format!("{definition}{condition}{used}")),
        r#"
test.toml:3:39: warning: this case is never reached: those above it cover it
  |
3 | condition = "case { age < 60 => flag, age < 16 => true, else false } or age < 0"
  |                                       ^^^^^^^^
  = put it above them, correct it, or leave it out
test.toml:3:73: warning: this condition can never hold
  |
3 | "case { age < 60 => flag, age < 16 => true, else false } or age < 0"
  |                                                             ^^^^^^^
  = correct it, or leave it out
"#,
    );
}

#[test]
fn amounts_that_cannot_be_paid_are_found() {
    for (amount, expected) in [
        (
            "param.level + count * 0.5",
            r#"
test.toml:13:13: warning: the amount of p comes to 1000.5 đồng, which is no whole amount, in 2000-01 for flag, count 1
   |
13 | amount = """param.level + count * 0.5"""
   |             ^^^^^^^^^^^^^^^^^^^^^^^^^
   = round it, for example `round(…, 1000)`
"#,
        ),
        (
            "count - 5",
            r#"
test.toml:13:13: warning: the amount of p comes to -5 đồng, which is below zero, in 2000-01 for flag, count 0
   |
13 | amount = """count - 5"""
   |             ^^^^^^^^^
   = bound it, for example with `max(…, 0)`
"#,
        ),
        (
            "1000 - income",
            r#"
test.toml:13:13: warning: the amount of p comes to -999999998999 đồng, which is below zero, in 2000-01 for flag, income 999999999999
   |
13 | amount = """1000 - income"""
   |             ^^^^^^^^^^^^^
   = bound it, for example with `max(…, 0)`
"#,
        ),
        (
            "count * 9000000000000000000",
            r#"
test.toml:13:13: warning: the amount of p grows too great, or has too many decimal places, in 2000-01 for flag, count 2
   |
13 | amount = """count * 9000000000000000000"""
   |             ^^^^^^^^^^^^^^^^^^^^^^^^^^^
   = bound it, for example with `clamp`, or round it
"#,
        ),
        (
            "round(100 / count, 1)",
            r#"
test.toml:13:13: warning: the amount of p divides by zero in 2000-01 for flag, count 0
   |
13 | amount = """round(100 / count, 1)"""
   |             ^^^^^^^^^^^^^^^^^^^^^
   = guard the division with `case`
"#,
        ),
    ] {
        assert_printed(&found("flag", amount), expected);
    }
    assert_printed(
        &found("since > 2020-01-01", "count * 0.5"),
        r#"
test.toml:13:13: note: the amount of p comes to 0.5 đồng, which is no whole amount, in 2000-01 for count 1, if the conditions can hold then
   |
13 | amount = """count * 0.5"""
   |             ^^^^^^^^^^^
   = round it, for example `round(…, 1000)`
"#,
    );
    assert_printed(
        &found("level == low", "case level { high => 5, else 0 }"),
        r#"
test.toml:13:13: warning: the amount of p is always zero
   |
13 | amount = """case level { high => 5, else 0 }"""
   |             ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
   = correct it, or leave the programme out
test.toml:13:26: note: nobody who is paid this amount reaches this case
   |
13 | amount = """case level { high => 5, else 0 }"""
   |                          ^^^^
"#,
    );
}

#[test]
fn figures_of_every_period_are_tried() {
    let text = text_of(&programme("p", "all", "flag", "param.level * 1.5"));
    let later = ", { value = 1001, from = \"2003-04\", known_from = \"2003-04-01\", source = \"s\", confidence = \"S3\" }]";
    let text = text.replace(
        "source = \"s\", confidence = \"S3\" }]",
        &format!("source = \"s\", confidence = \"S3\" }}{later}"),
    );
    let pack = Pack::parse("test.toml", &text).unwrap();
    assert_printed(
        &printed(&pack),
        r#"
test.toml:13:13: warning: the amount of p comes to 1501.5 đồng, which is no whole amount, in 2003-04 for flag
   |
13 | amount = """param.level * 1.5"""
   |             ^^^^^^^^^^^^^^^^^
   = round it, for example `round(…, 1000)`
"#,
    );
}

#[test]
fn rows_that_are_missing_and_editions_without_use_are_found() {
    let table = r#"
[table.rates]
title = { vi = "t", en = "t" }
unit = "dong"
file = "rates.csv"
edition = "law"
keys = ["count"]
value = "monthly"
editions = [
  { rows = "a", from = "2000-01", known_from = "2000-01-01", source = "s", confidence = "S1" },
  { rows = "b", from = "1990-01", until = "1999-12", known_from = "1990-01-01", source = "s", confidence = "S1" },
]
"#;
    let rows = "law,count,monthly\na,1,100\na,2,200\nb,1,50\n";
    let found = |amount: &str| {
        let text = text_of(&format!("{}{table}", programme("p", "all", "flag", amount)));
        let pack = Pack::parse_with("test.toml", &text, &|_| Ok(rows.to_owned())).unwrap();
        printed(&pack)
    };
    let edition = r#"
test.toml:24:3: note: this edition of table.rates is in force in no month of a programme that reads it
   |
24 |   { rows = "b", from = "1990-01", until = "1999-12", known_from = "1990-01-01", source = "s", confidence = "S1" },
   |   ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
"#;
    assert_printed(
        &found("case count { 1 to 2 => table.rates(count), else 0 }"),
        edition,
    );
    let missing = r#"
test.toml:13:13: warning: the amount of p looks for a row that the table does not have, in 2000-01 for flag, count 3
   |
13 | amount = """case count { 1 to 3 => table.rates(count), else 0 }"""
   |             ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
   = guard the lookup with `case`, or add the row
"#;
    let amount = "case count { 1 to 3 => table.rates(count), else 0 }";
    assert_printed(&found(amount), &(missing.to_owned() + edition.trim_start()));
}

#[test]
fn programmes_that_always_lose_to_another_are_found() {
    let better = programme(
        "q",
        "highest",
        "flag or level == high",
        "case { age < 6 => 3, else 2 }",
    );
    assert_printed(
        &shown(&(programme("p", "highest", "flag and level == low", "1") + &better)),
        r#"
test.toml:3:6: warning: p is never paid: q is owed whenever it is, is at least as much, and only the highest of the group highest is paid
  |
3 | id = "p"
  |      ^^^
  = correct one of them, or the group
test.toml:LAST
"#
        .replace("test.toml:LAST", &other_loses())
        .as_str(),
    );
    let sometimes_more = programme("p", "highest", "level == low", "case { age < 6 => 1, else 4 }");
    assert!(!shown(&(sometimes_more + &better)).contains("p is never paid"));
    let by_decision = better.replace("decision = false", "decision = true");
    let shown = shown(&(programme("p", "highest", "flag and level == low", "1") + &by_decision));
    assert!(
        !shown.contains("p is never paid"),
        "each can be owed alone:\n{shown}"
    );
}

/// What is found of the programme `other` of every pack here, where another one gives more.
fn other_loses() -> String {
    let better = programme(
        "q",
        "highest",
        "flag or level == high",
        "case { age < 6 => 3, else 2 }",
    );
    let text = text_of(&(programme("p", "highest", "flag and level == low", "1") + &better));
    let line = 1 + text[..text.find("id = \"other\"").unwrap()].matches('\n').count();
    let gutter = " ".repeat(line.to_string().len());
    format!(
        "test.toml:{line}:6: warning: other is never paid: q is owed whenever it is, is at least as much, and only the highest of the group highest is paid\n\
         {gutter} |\n{line} | id = \"other\"\n{gutter} |      ^^^^^^^\n{gutter} = correct one of them, or the group"
    )
}

#[test]
fn what_nothing_reads_is_found() {
    let idle = r#"[person.unread]
title = { vi = "d", en = "d" }
type = "bool"
absent = false
[define.idle]
title = { vi = "d", en = "d" }
condition = "flag"
[parameter.idle]
title = { vi = "p", en = "p" }
unit = "number"
values = [{ value = 15.5, from = "2000-01", known_from = "2000-01-01", source = "s", confidence = "S1" }]
[parameter.past]
title = { vi = "p", en = "p" }
unit = "number"
values = [
  { value = 1, from = "1990-01", known_from = "1990-01-01", source = "s", confidence = "S1" },
  { value = 2, from = "2000-01", known_from = "2000-01-01", source = "s", confidence = "S1" },
]
[group.idle]
rule = "sum"
cite = "c"
confidence = "S1"
"#;
    assert_printed(
        &shown(&(idle.to_owned() + &programme("p", "all", "flag", "param.past"))),
        r"
test.toml:1:9: note: no rule reads unread; it is only recorded and reported
  |
1 | [person.unread]
  |         ^^^^^^
test.toml:5:9: warning: no programme uses the definition idle
  |
5 | [define.idle]
  |         ^^^^
  = use it, or leave it out
test.toml:8:12: warning: no expression reads param.idle
  |
8 | [parameter.idle]
  |            ^^^^
  = use it, or leave it out
test.toml:12:12: note: values of param.past that are in force in no month of a programme that reads it: from 1990-01
   |
12 | [parameter.past]
   |            ^^^^
test.toml:19:8: warning: no programme belongs to the group idle
   |
19 | [group.idle]
   |        ^^^^
   = let one belong to it, or leave it out
",
    );
}

/// Whether an odd number of many flags is set can only be told by trying them all.
#[test]
fn what_is_too_large_is_noted() {
    let attribute = "title = { vi = \"d\", en = \"d\" }\ntype = \"bool\"\nabsent = false\n";
    let attributes: String = (0..24).fold(String::new(), |all, at| {
        format!("{all}[person.x{at}]\n{attribute}")
    });
    let half = |from: usize| (from..from + 12).fold("true".to_owned(), |all, at| format!("x{at} == ({all})"));
    let parity = format!("({0}) == ({1}) and ({0}) != ({1})", half(0), half(12));
    assert_printed(
        &shown(&(attributes + &programme("p", "all", &parity, "1"))),
        r"
test.toml:111:2: note: parts of these are too large to be gone through, so only some was checked: p
    |
111 | [pack]
    |  ^^^^
",
    );
}

/// What is said of two conditions joined is what trying every case by hand says.
#[test]
fn what_never_and_what_always_holds_is_so_in_every_case() {
    const CONDITIONS: [&str; 9] = [
        "flag",
        "level in [low, middle]",
        "level != low",
        "count >= 7",
        "count in [3, 7, 20]",
        "age < 16",
        "age_months >= 191",
        "case count { under 7 => flag, from 7 => level == low }",
        "case level { low => age >= 16, else flag and count < 7 }",
    ];
    const LEVELS: [&str; 3] = ["low", "middle", "high"];
    let world = World::parse(&text_of(""));
    let month = world.month("2020-01");
    let mut people = Vec::new();
    for (flag, level) in [
        ("true", 0),
        ("true", 1),
        ("true", 2),
        ("false", 0),
        ("false", 1),
        ("false", 2),
    ] {
        for count in 0..=20 {
            let count = count.to_string();
            people.push(world.person(&[("flag", flag), ("level", LEVELS[level]), ("count", &count)]));
        }
    }
    let truths = |condition: &str| {
        let predicate = month.predicate(condition).unwrap();
        let of = |person: &Profile| {
            [0, 190, 191, 192, 900].map(|age| predicate.evaluate(&case(Age::months(age), person)))
        };
        let all: Vec<_> = people.iter().flat_map(of).collect();
        (all.contains(&Ok(Truth::True)), all.contains(&Ok(Truth::False)))
    };
    let (mut never, mut always) = (0, 0);
    for a in CONDITIONS {
        for b in CONDITIONS {
            for joined in [
                format!("{a} and {b}"),
                format!("{a} and not ({b})"),
                format!("not ({a}) or {b}"),
            ] {
                let (holds, fails) = truths(&joined);
                let found = found(&joined, "1");
                assert_eq!(found.contains("never hold"), !holds, "{joined}:\n{found}");
                assert_eq!(found.contains("always holds"), !fails, "{joined}:\n{found}");
                never += usize::from(!holds);
                always += usize::from(!fails);
            }
        }
    }
    assert_eq!((never, always), (9, 9), "each with its own negation");
}

#[test]
fn the_built_in_pack_has_no_warning() {
    let warnings: Vec<String> = Pack::vietnam()
        .lint("policies/vn.toml")
        .iter()
        .filter(|finding| finding.severity == Severity::Warning)
        .map(ToString::to_string)
        .collect();
    assert_eq!(warnings, Vec::<String>::new());
}

#[test]
fn unknown_names_and_types_are_refused() {
    assert_printed(
        &refused(&programme("p", "all", "flag and lvl == high", "1")),
        r#"
test.toml:12:25: the name "lvl" is not known here
   |
12 | condition = """flag and lvl == high"""
   |                         ^^^
   = did you mean "level"?
"#,
    );
    assert_printed(
        &refused(&programme("p", "all", "flag and level", "1")),
        r#"
test.toml:12:25: found the value of level (one of low, middle, high), expected a condition
   |
12 | condition = """flag and level"""
   |                         ^^^^^
   = compare it, for example `level == high`
"#,
    );
}

#[test]
fn bands_with_gaps_and_overlaps_are_refused() {
    for (amount, expected) in [
        (
            "case age { under 5 => 1, 6 to 10 => 2, else 3 }",
            r#"
test.toml:13:38: there is a gap: the band above ends before 5, this one begins at 6
   |
13 | amount = """case age { under 5 => 1, 6 to 10 => 2, else 3 }"""
   |                                      ^^^^^^^
   = let it begin at 5
"#,
        ),
        (
            "case age { under 5 => 1, 3 to 10 => 2, else 3 }",
            r#"
test.toml:13:38: this band begins at 3 and overlaps the one above, which ends before 5
   |
13 | amount = """case age { under 5 => 1, 3 to 10 => 2, else 3 }"""
   |                                      ^^^^^^^
   = let it begin at 5
"#,
        ),
        (
            "case age { under 5 => 1, 5 to 10 => 2 }",
            r#"
test.toml:13:13: the bands leave out some numbers
   |
13 | amount = """case age { under 5 => 1, 5 to 10 => 2 }"""
   |             ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
   = end with `else` and what holds outside of them, or begin with `under` and end with `from`
"#,
        ),
        (
            "case age { from 5 => 1, 5 to 10 => 2, else 3 }",
            r#"
test.toml:13:37: this band can never be reached: the one above has no end
   |
13 | amount = """case age { from 5 => 1, 5 to 10 => 2, else 3 }"""
   |                                     ^^^^^^^
   = put the bands into ascending order; `from` stands last
"#,
        ),
        (
            "case count { under 5 => 1, from 5 => 2, else 3 }",
            r#"
test.toml:13:58: `else` can never be reached: the bands leave nothing out
   |
13 | amount = """case count { under 5 => 1, from 5 => 2, else 3 }"""
   |                                                          ^
   = leave it out
"#,
        ),
        (
            "case level { low => 1, low => 2, else 3 }",
            r#"
test.toml:13:36: "low" has its case above; this one can never be reached
   |
13 | amount = """case level { low => 1, low => 2, else 3 }"""
   |                                    ^^^
   = leave one of them out, or name another value
"#,
        ),
    ] {
        assert_printed(&refused(&programme("p", "all", "flag", amount)), expected);
    }
}

#[test]
fn circles_of_exclusions_are_refused() {
    let rule = |id: &str, by: &str| {
        let exclusions = format!("exclusions = [{{ programme = \"{by}\", cite = \"c\" }}]");
        with(&programme(id, "all", "flag", "1"), &exclusions)
    };
    assert_printed(
        &refused(&[rule("a", "b"), rule("b", "c"), rule("c", "a")].concat()),
        r#"
test.toml:42:29: programmes exclude each other in a circle: a, b, c, a
   |
42 | exclusions = [{ programme = "a", cite = "c" }]
   |                             ^^^
   = let one of them exclude by a condition instead
"#,
    );
}

#[test]
fn figures_that_are_missing_are_refused() {
    let late = r#"[parameter.late]
title = { vi = "p", en = "p" }
unit = "number"
values = [{ value = 15, from = "2001-01", known_from = "2000-01-01", source = "s", confidence = "S1" }]
"#;
    assert_printed(
        &refused(&(late.to_owned() + &programme("p", "all", "flag", "param.late"))),
        r"
test.toml:1:12: param.late has no value for 2000-01 by the law known on 2000-01-01, and programme p needs it from 2000-01 on
  |
1 | [parameter.late]
  |            ^^^^
  = add what is missing, or correct the dates of it or of the programme
",
    );
}

#[test]
fn what_is_paid_once_needs_its_event() {
    let once = |written: &str| {
        let rule = programme("p", "all", "flag", "1").replace("stop = \"month_after\"\n", "");
        refused(&with(&rule, written))
    };
    assert_printed(
        &once("once = { }"),
        r#"
test.toml:13:8: programme p: what is paid once must name the event that it is paid for
   |
13 | once = { }
   |        ^^^
   = for example once = { event = "death" }
"#,
    );
    assert_printed(
        &once("once = { event = \"birth\" }"),
        r#"
test.toml:13:18: programme p once event: found "birth", expected one of death, campaign
   |
13 | once = { event = "birth" }
   |                  ^^^^^^^
"#,
    );
}
