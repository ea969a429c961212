//! Packs as files: what is refused, and how expressions behave.

use super::*;

fn errors(text: &str) -> String {
    Pack::parse("test.toml", text).unwrap_err().to_string()
}

/// The errors of a pack with one programme of this condition and amount.
fn expression_errors(condition: &str, amount: &str) -> String {
    errors(&pack(&programme("p", "highest", condition, amount)))
}

#[test]
fn errors_in_expressions_point_into_the_file() {
    let text = pack(&programme("p", "highest", "\nage > 3\n and lvl == high", "1"));
    let line = 1 + text[..text.find("and lvl").unwrap()].matches('\n').count();
    let shown = errors(&text);
    let expected = format!("test.toml:{line}:6: the name \"lvl\" is not known here");
    assert!(shown.starts_with(&expected), "{shown}");
    assert!(
        shown.contains(" and lvl == high") && shown.contains("^^^\n"),
        "{shown}"
    );
}

#[test]
fn type_errors_say_what_to_write() {
    for (condition, amount, expected) in [
        ("level", "1", "`level == high`"),
        ("levl == high", "1", "did you mean \"level\"?"),
        ("state == bad", "1", "did you mean \"household.state\"?"),
        ("level == hihg", "1", "did you mean \"high\"?"),
        ("high == level", "1", "write the attribute first"),
        ("level > low", "1", "expected `==` or `!=`"),
        ("age", "1", "compare it, for example `age >= 60`"),
        ("flag", "flag", "found a condition, expected a number"),
        (
            "flag",
            "case level { low => 1, low => 2, else 3 }",
            "can never be reached",
        ),
        (
            "flag",
            "case flag { true => 1, else 2 }",
            "write `case { condition",
        ),
        ("flag", "maxx(1, 2)", "did you mean \"max\"?"),
        ("flag", "round(1.5, 0)", "a step above zero"),
        ("flag", "param.levl", "did you mean \"param.level\"?"),
        ("province == 123", "1", "two-digit code"),
        ("since > 5", "1", "expected a date"),
        ("flag and (age > 3", "1", "found the end"),
        ("flag", "1 / 2", "write for example `round(a / b, 1)`"),
    ] {
        let shown = expression_errors(condition, amount);
        assert!(shown.contains(expected), "{condition} | {amount}:\n{shown}");
    }
}

#[test]
fn every_error_is_reported() {
    let text = pack(
        &[
            programme("p", "highst", "nobody", "nothing"),
            programme("p", "all", "flag", "1"),
            programme("Q", "all", "flag and unknown_one and unknown_two", "1"),
        ]
        .concat(),
    );
    let shown = errors(&text);
    for expected in [
        "did you mean \"highest\"?",
        "\"nobody\"",
        "\"nothing\"",
        "declared twice",
        "\"Q\" must be 1 to",
        "\"unknown_one\"",
        "\"unknown_two\"",
    ] {
        assert!(shown.contains(expected), "{expected}:\n{shown}");
    }
}

#[test]
fn sections_and_keys_are_checked() {
    let good = pack(&programme("p", "highest", "flag", "1"));
    assert!(Pack::parse("f", &good).is_ok());
    for (from, to, expected) in [
        ("[birth]", "[brith]", "the section [birth] is missing"),
        ("id = \"test\"", "idd = \"test\"", "did you mean \"id\"?"),
        (
            "unknown_month = \"undetermined\"",
            "unknown_month = \"may\"",
            "one of january, undetermined",
        ),
        ("absent = \"low\"", "absent = \"lo\"", "did you mean \"low\"?"),
        (
            "absent = \"low\"\n",
            "",
            "what holds of a person without a record?",
        ),
        (
            "values = [\"low\", ",
            "values = [\"low\", \"low\", ",
            "listed twice",
        ),
        ("[person.flag]", "[person.age]", "has a meaning of its own"),
        ("max = 20", "max = -1", "less than min"),
        ("type = \"bool\"", "type = \"boolean\"", "expected one of bool"),
        ("value = 1000,", "value = 0.5,", "a whole amount in đồng"),
        ("value = 1000,", "value = \"x\",", "is not a decimal"),
        ("from = \"2000-01\"", "from = \"2000-13\"", "out of range"),
        (
            "months = { from = \"2000-01\" }",
            "months = { from = \"1999-12\" }\n#",
            "at least",
        ),
        ("payee = [\"self\"]", "payee = [\"level\"]", "expected self, head"),
        ("payee = [\"self\"]", "payee = []", "missing or empty"),
        ("stop = \"month_after\"", "stop = 5", "expected a text"),
        ("decision = false", "decision = \"no\"", "expected true or false"),
        ("version = \"1\"", "version = 1.", ""),
    ] {
        let text = good.replacen(from, to, 1);
        assert_ne!(text, good, "{from}");
        if expected == "at least" {
            assert!(
                Pack::parse("f", &text).is_ok(),
                "the programme reads no parameter"
            );
            continue;
        }
        let shown = errors(&text);
        assert!(shown.contains(expected), "{from} -> {to}:\n{shown}");
    }
}

#[test]
fn gaps_and_double_starts_of_parameters_are_refused() {
    let text = pack(&programme("p", "highest", "flag", "param.level"));
    assert!(Pack::parse("f", &text).is_ok());
    let gap = text.replace(
        "value = 1000, from = \"2000-01\"",
        "value = 1000, from = \"2000-02\"",
    );
    let shown = errors(&gap);
    assert!(shown.contains("param.level has no value for 2000-01"), "{shown}");
    let value = "{ value = 1000, from = \"2000-01\", known_from = \"2000-01-01\", source = \"s\", confidence = \"S3\" }";
    let double = text.replace(value, &format!("{value}, {value}"));
    assert!(errors(&double).contains("which of them holds is open"));
}

#[test]
fn exclusions_need_an_attribute() {
    let text = pack(&programme("p", "highest", "flag", "1"));
    let with = |when: &str| format!("{text}exclusions = [{{ when = \"{when}\", cite = \"c\" }}]\n");
    assert!(Pack::parse("f", &with("level == high")).is_ok());
    assert!(errors(&with("age > 5")).contains("must ask for an attribute"));
}

#[test]
fn examples_are_checked_and_run() {
    let text = pack(&programme("p", "highest", "flag", "param.level"));
    let example = |expect: &str| {
        format!(
            "{text}\n[[example]]\ntitle = \"t\"\nmonth = \"2020-01\"\nbirth = \"1990\"\nperson = {{ flag = true }}\nexpect = {expect}\n"
        )
    };
    let results = |expect: &str| Pack::parse("f", &example(expect)).unwrap().run_examples();
    assert!(results("{ status = \"paid\", paid = { p = 1000 } }")[0].passed);
    let wrong = &results("{ status = \"paid\", paid = { p = 1001 } }")[0];
    assert!(!wrong.passed);
    assert_eq!(
        (wrong.expected.as_str(), wrong.found.as_str()),
        ("paid; p 1.001 đ", "paid; p 1.000 đ")
    );
    let shown = errors(&example("{ status = \"paid\", paid = { q = 1 } }"));
    assert!(shown.contains("\"q\" is not declared"), "{shown}");
    let shown = errors(&example("{ status = \"zero\" }").replace("flag = true", "flg = true"));
    assert!(shown.contains("did you mean \"flag\"?"), "{shown}");
    let unborn = example("{ status = \"zero\" }").replace("birth = \"1990\"", "birth = \"2020-02\"");
    assert!(errors(&unborn).contains("after the month"));
}

#[test]
fn packs_and_expressions_are_bounded() {
    let huge = "#".repeat(PACK_BYTES_MAX + 1);
    assert!(errors(&huge).contains("at most"));
    let long = format!("flag and {}", " ".repeat(EXPRESSION_BYTES_MAX));
    assert!(expression_errors(&long, "1").contains("at most"));
    let deep = format!("{}flag{}", "(".repeat(DEPTH_MAX + 1), ")".repeat(DEPTH_MAX + 1));
    assert!(expression_errors(&deep, "1").contains("nested"));
    let many: String = (0..200)
        .map(|at| programme("p", "highest", &format!("x{at}"), "1"))
        .collect();
    let all = Pack::parse("f", &pack(&many)).unwrap_err();
    assert!(all.errors().len() == ERRORS_MAX && all.count() > ERRORS_MAX);
}

#[test]
fn binding_needs_the_pack_to_be_adopted() {
    let error = Pack::vietnam().bind(&Catalogue::default()).unwrap_err();
    assert!(error.to_string().contains("adopt the pack vn first"), "{error}");
}

#[test]
fn a_retired_pack_still_binds() {
    let first = World::new(Pack::vietnam());
    let other = Pack::parse("f", &pack(&programme("p", "highest", "flag", "1"))).unwrap();
    let (catalogue, _) = first.catalogue.adopt(&other.declaration()).unwrap();
    let policy = first.pack.bind(&catalogue).unwrap();
    let month = policy
        .for_month("2026-06".parse().unwrap(), "2026-06-30".parse().unwrap())
        .unwrap();
    let person = first.person(&[("disability", "severe"), ("enrolment.disability", "active")]);
    let outcome = month.evaluate(Some(&case(Age::months(500), &person)), None);
    assert_eq!(
        first.lines(&outcome),
        ["Paid disability 750000"],
        "past months can be worked out again"
    );
}

/// The status and lines of a person with these facts, at the end of the month only.
fn outcome_of(condition: &str, amount: &str, facts: &[(&str, &str)]) -> (Status, Vec<String>) {
    let world = World::parse(&pack(&programme("p", "highest", condition, amount)));
    let person = world.person(facts);
    let outcome = world
        .month("2020-01")
        .evaluate(Some(&case(Age::months(400), &person)), None);
    (outcome.status, world.lines(&outcome))
}

#[test]
fn amounts_that_cannot_be_paid_are_errors() {
    for (amount, expected) in [
        ("0.5", Fault::Fraction),
        ("1 - 2", Fault::Negative),
        ("param.level * 0.0005", Fault::Fraction),
        ("9223372036854775807 + 1", Fault::Overflow),
        (
            "99999999999999999999999 * 99999999999999999999999",
            Fault::Overflow,
        ),
        ("0.000001 * 0.0000001", Fault::Overflow),
    ] {
        // What depends on figures only is refused when the pack is loaded.
        let amount = &format!("{amount} + 0 * count");
        let world = World::parse(&pack(&programme("p", "highest", "true", amount)));
        let person = Profile::default();
        let month = world.month("2020-01");
        let case = case(Age::months(400), &person);
        let outcome = month.evaluate(Some(&case), None);
        assert_eq!(outcome.status, Status::Error, "{amount}");
        assert_eq!(outcome.reason, Reason::Fault(expected), "{amount}");
        assert_eq!(outcome.lines[0].amount.get(), 0);
        let explanation = month.explain(Some(&case), None);
        assert_eq!(explanation.programmes[0].choice, Choice::Fault(expected));
    }
    let kept = outcome_of("true", "9223372036854775807", &[]);
    assert_eq!(
        kept,
        (Status::Paid, vec!["Paid p 9223372036854775807".to_owned()])
    );
}

#[test]
fn a_fault_in_one_programme_leaves_the_others() {
    let text = pack(
        &[
            programme("bad", "all", "true", "0.5 + 0 * count"),
            programme("good", "all", "true", "7"),
        ]
        .concat(),
    );
    let world = World::parse(&text);
    let person = Profile::default();
    let outcome = world
        .month("2020-01")
        .evaluate(Some(&case(Age::months(400), &person)), None);
    assert_eq!(outcome.status, Status::Error);
    assert_eq!(world.lines(&outcome), ["Error bad 0", "Paid good 7"]);
    let settled = outcome_of("0.000001 * 0.0000001 > 1 and flag", "1", &[]);
    assert_eq!(
        settled,
        (Status::Zero, vec![]),
        "what is certainly false settles it beside a fault"
    );
}

#[test]
fn a_value_of_another_type_is_an_error() {
    let world = World::parse(&pack(&programme("p", "highest", "flag", "1")));
    let flag = world.attribute(SubjectKind::Person, "flag");
    let person: Profile = [(flag, Value::Enum(0))].into_iter().collect();
    let outcome = world
        .month("2020-01")
        .evaluate(Some(&case(Age::months(400), &person)), None);
    assert_eq!(outcome.reason, Reason::Fault(Fault::UnfitValue));
}

#[test]
fn sums_pay_every_line() {
    let text = pack(
        &[
            programme("a", "all", "true", "5"),
            programme("b", "all", "flag", "7"),
        ]
        .concat(),
    );
    let world = World::parse(&text);
    let month = world.month("2020-01");
    let lines = |flag: &str| {
        let person = world.person(&[("flag", flag)]);
        let outcome = month.evaluate(Some(&case(Age::months(400), &person)), None);
        assert_eq!(outcome.paid_with_held(), flag == "unknown");
        world.lines(&outcome)
    };
    assert_eq!(lines("true"), ["Paid a 5", "Paid b 7"]);
    assert_eq!(lines("false"), ["Paid a 5"]);
    assert_eq!(lines("unknown"), ["Paid a 5", "Held b 7"]);
}

#[test]
fn the_certain_least_is_paid_and_the_rest_held() {
    let amount = "case level { low => 100, middle => 150, else 300 }";
    let paid = |facts: &[(&str, &str)]| outcome_of("true", amount, facts).1;
    assert_eq!(paid(&[("level", "unknown")]), ["Paid p 100", "Held p 200"]);
    assert_eq!(paid(&[("level", "middle")]), ["Paid p 150"]);
    let same = outcome_of(
        "true",
        "case level { low => 100, else 100 }",
        &[("level", "unknown")],
    );
    assert_eq!(same, (Status::Paid, vec!["Paid p 100".to_owned()]));
    let counted = outcome_of("true", "count * 10", &[("count", "unknown")]);
    assert_eq!(
        counted,
        (Status::Held, vec!["Held p 200".to_owned()]),
        "the range of the attribute bounds it"
    );
    let (status, lines) = outcome_of("true", "income", &[]);
    assert_eq!(
        (status, lines),
        (Status::Held, vec!["Held p 0".to_owned()]),
        "money has no upper limit"
    );
    let capped = outcome_of("true", "min(income, 500) + 10", &[]);
    assert_eq!(capped.1, ["Paid p 10", "Held p 500"]);
}

#[test]
fn every_form_of_expression_evaluates() {
    let facts = [
        ("level", "middle"),
        ("flag", "true"),
        ("count", "7"),
        ("income", "2500"),
        ("since", "2019-05-01"),
    ];
    for (condition, expected) in [
        ("flag == true and flag != false", true),
        ("level not in [low, high]", true),
        ("level in [low, high]", false),
        ("not level == middle", false),
        ("count in [1, 7]", true),
        ("count * 2 + 1 == 15 and -count == 0 - 7", true),
        ("income - 500 >= 2 * param.level", true),
        ("min(count, 3, 9) == 3 and max(count, 3) == 7", true),
        ("round(income * 0.3, 500) == 1000", true),
        ("since < 2019-06-01 and since >= 2019-05-01", true),
        ("2019-06-01 <= since", false),
        (
            "province == 40 and former_province in [40, 31] and province != 22",
            true,
        ),
        ("age == 33 and age_months == 400 and age < 33.5", true),
        (
            "case { age > 50 => flag, level == middle => count == 7, else false }",
            true,
        ),
        ("case level { low | middle => true, else false }", true),
        ("household.state == good and not commune.remote", true),
        ("false or flag and not false", true),
        ("param.limit == 15.5", true),
    ] {
        let status = outcome_of(condition, "1", &facts).0;
        assert_eq!(status == Status::Paid, expected, "{condition}");
        assert!(
            status == Status::Paid || status == Status::Zero,
            "{condition}: {status}"
        );
    }
    for condition in ["since < 2019-06-01", "income < 5", "age_months == count"] {
        let status = outcome_of(condition, "1", &[("count", "unknown")]).0;
        let expected = if condition.starts_with("age") {
            Status::Zero
        } else {
            Status::Held
        };
        assert_eq!(status, expected, "{condition}");
    }
}

#[test]
fn predicates_use_the_same_language() {
    let world = World::parse(&pack(&programme("p", "highest", "flag", "1")));
    let month = world.month("2020-01");
    let predicate = month.predicate("age >= 33 and level != low").unwrap();
    let truth = |level: &str| {
        let person = world.person(&[("level", level)]);
        predicate.evaluate(&case(Age::months(400), &person))
    };
    assert_eq!(truth("high"), Ok(Truth::True));
    assert_eq!(truth("low"), Ok(Truth::False));
    assert_eq!(truth("unknown"), Ok(Truth::Undetermined));
    assert_eq!(predicate.reads().age, AgeUse::Thresholds(vec![33 * 12]));
    let shown = month
        .predicate("age >= 33 and levl == low")
        .unwrap_err()
        .to_string();
    assert!(
        shown.starts_with("expression:1:15:") && shown.contains("did you mean \"level\"?"),
        "{shown}"
    );
    assert!(month.predicate("count + 1").is_err());
    let early = world
        .policy
        .for_month("2000-01".parse().unwrap(), "1999-01-01".parse().unwrap())
        .unwrap();
    assert!(
        early
            .predicate("age > param.limit")
            .unwrap_err()
            .to_string()
            .contains("has no value")
    );
}

#[test]
fn thresholds_of_age_are_found() {
    let uses = |condition: &str| {
        World::parse(&pack(&programme("p", "highest", condition, "1")))
            .month("2020-01")
            .age_use()
            .clone()
    };
    let months = |list: &[u16]| AgeUse::Thresholds(list.to_vec());
    assert_eq!(uses("age >= 16 or age < 3"), months(&[36, 192]));
    assert_eq!(uses("age > 16 and 20 <= age"), months(&[204, 240]));
    assert_eq!(uses("age == 5"), months(&[60, 72]));
    assert_eq!(uses("age != 5 and age in [6, 7]"), months(&[60, 72, 84, 96]));
    assert_eq!(uses("age_months < 30"), months(&[30]));
    assert_eq!(
        uses("age > param.limit"),
        months(&[192]),
        "above 15.5 years is from 16 on"
    );
    assert_eq!(uses("age >= param.limit - 0.5"), months(&[180]));
    assert_eq!(uses("age > -1 and age < 100000"), months(&[]));
    assert_eq!(uses("age > count"), AgeUse::Exact);
    assert_eq!(uses("age * 2 > 30"), AgeUse::Exact);
    assert_eq!(uses("flag"), months(&[]));
}

#[test]
fn sex_is_read_from_the_profile() {
    let world = World::parse(&pack(&programme("p", "highest", "sex == female", "1")));
    let month = world.month("2020-01");
    let sex = crate::kernel::catalogue::builtin::SEX;
    assert_eq!(month.reads().person, [sex]);
    for (value, status) in [(0, Status::Zero), (1, Status::Paid)] {
        let person: Profile = [(sex, Value::Enum(value))].into_iter().collect();
        assert_eq!(
            month.evaluate(Some(&case(Age::months(1), &person)), None).status,
            status
        );
    }
    let outcome = month.evaluate(Some(&case(Age::months(1), &EMPTY)), None);
    assert_eq!(outcome.lines[0].reason, LineReason::Unknown(vec![sex]));
}

#[test]
fn an_unknown_birth_month_leaves_the_age_open() {
    let world = World::parse(&pack(&programme("p", "highest", "age >= 30", "1")));
    let month = world.month("2020-05");
    let status = |birth: &str| {
        let age = month.age(birth.parse().unwrap());
        let (now, before) = (case(age, &EMPTY), case(age.month_before(), &EMPTY));
        let outcome = month.evaluate(Some(&now), Some(&before));
        if let Some(line) = outcome.lines_of(LineKind::Held).next() {
            assert_eq!(
                line.reason,
                LineReason::Unknown(vec![crate::kernel::catalogue::builtin::BIRTH])
            );
        }
        outcome.status
    };
    assert_eq!(status("1989"), Status::Paid, "thirty whatever the month");
    assert_eq!(status("1990"), Status::Held);
    assert_eq!(status("1991"), Status::Zero);
    assert_eq!(status("1990-05"), Status::Paid, "the day does not matter");
}

#[test]
fn a_household_that_is_missing_has_absent_values() {
    let world = World::parse(&pack(&programme("p", "highest", "household.state == good", "1")));
    let month = world.month("2020-05");
    assert_eq!(
        month.evaluate(Some(&case(Age::months(1), &EMPTY)), None).status,
        Status::Paid
    );
}

#[test]
fn policies_are_shared_by_threads() {
    fn shared<T: Send + Sync + Clone + 'static>() {}
    shared::<Pack>();
    shared::<Policy>();
    shared::<MonthPolicy>();
    shared::<Bands>();
}

#[test]
fn amounts_that_could_never_be_paid_are_refused() {
    for (amount, problem) in [
        ("0 - 5", "comes to -5 đồng, which is below zero"),
        ("0.5", "comes to 0.5 đồng, which is no whole amount"),
        (
            "0.0000001 * param.level",
            "comes to 0.0001 đồng, which is no whole amount",
        ),
        ("param.level * 99999999999999999999", "grows too great"),
        ("param.limit", "comes to 15.5 đồng"),
        (
            "round(param.level / (param.limit - param.limit), 1)",
            "divides by zero",
        ),
        ("min(param.level, max(-3, -2))", "comes to -2 đồng"),
    ] {
        let found = errors(&pack(&programme("p", "highest", "flag", amount)));
        assert!(
            found.contains(problem) && found.contains("could never be paid"),
            "{amount}: {found}"
        );
    }
    // One figure by which it can be paid is enough, also a provincial one.
    for second in [
        "values = [\n  { value = 15, from = \"2020-01\", known_from = \"2000-01-01\", source = \"s\", confidence = \"S1\" },\n",
        "rule = \"higher\"\nprovinces = [{ in = \"01\", value = 16, from = \"2000-01\", known_from = \"2000-01-01\", source = \"s\", confidence = \"S1\" }]\nvalues = [\n",
    ] {
        let text = pack(&programme("p", "highest", "flag", "param.limit"));
        let text = text.replace("values = [{ value = 15.5", &format!("{second}  {{ value = 15.5"));
        assert!(Pack::parse("test.toml", &text).is_ok(), "{text}");
    }
}

#[test]
fn points_before_thousands_are_refused() {
    let with =
        |old: &str, new: &str| pack(&programme("p", "highest", "flag", "param.level")).replace(old, new);
    let text = errors(&with("value = 1000,", "value = 500.000,"));
    assert!(
        text.contains("500.000 reads as 500: write 500000 if the point stands before thousands, or 500"),
        "{text}"
    );
    for number in ["10.000", "1.250", "0.500"] {
        assert!(
            errors(&with("param.level\"\"\"", &format!("{number}\"\"\"")))
                .contains("if the point stands before thousands"),
            "{number}"
        );
    }
    for number in [
        "0.125 * param.level",
        "1.5 * param.level",
        "1.25 * param.level",
        "1.0000 * param.level",
    ] {
        assert!(
            Pack::parse(
                "test.toml",
                &with("param.level\"\"\"", &format!("{number}\"\"\""))
            )
            .is_ok()
        );
    }
    let table = "[table.rate]\ntitle = { vi = \"t\", en = \"t\" }\nunit = \"dong\"\nfile = \"rate.csv\"\nedition = \"edition\"\n\
        keys = [\"count\"]\nvalue = \"rate\"\n\
        editions = [{ rows = \"all\", from = \"2000-01\", known_from = \"2000-01-01\", source = \"s\", confidence = \"S1\" }]\n";
    let rule = programme("p", "highest", "count in [1]", "table.rate(count)");
    let read = |csv: &str| {
        let csv = csv.to_owned();
        Pack::parse_with("test.toml", &pack(&format!("{table}{rule}")), &move |_| {
            Ok(csv.clone())
        })
    };
    assert!(read("edition,count,rate\nall,1,1000\n").is_ok());
    let text = read("edition,count,rate\nall,1,1.000\n").unwrap_err().to_string();
    assert!(text.contains("1.000 reads as 1: write 1000"), "{text}");
    assert!(!text.contains("is not declared"), "the table is declared: {text}");
    let missing = |_: &str| Err("there is no such file".to_owned());
    let text = Pack::parse_with("test.toml", &pack(&format!("{table}{rule}")), &missing);
    assert_eq!(text.unwrap_err().count(), 1);
}

#[test]
fn a_name_that_is_taken_is_told_once() {
    let group = "[group.best]\nrule = \"highest\"\ncite = \"c\"\nconfidence = \"S1\"\n\
        exceptions = [{ pays = \"parent\", beside = [\"child\"], cite = \"c\" }]\n";
    let text = pack(&format!(
        "{group}{}{}",
        programme("child", "best", "flag", "1"),
        programme("child", "best", "flag", "2")
    ));
    let found = Pack::parse("test.toml", &text).unwrap_err();
    assert_eq!(found.count(), 1, "{found}");
    assert!(found.to_string().contains("declared twice"), "{found}");
}

#[test]
fn the_month_before_may_be_without_decisions() {
    let text = pack(
        &programme("p", "highest", "age >= 18", "100")
            .replace("decision = false", "decision = true")
            .replace("stop =", "start = \"month_after\"\nstop ="),
    );
    let world = World::parse(&text);
    let month = world.month("2020-05");
    let read = |case: &str| {
        world.pack.read_case(
            "case.toml",
            &format!("birth = \"1980-01-01\"\n{case}"),
            month.month(),
        )
    };
    let status = |case: &str| read(case).unwrap().evaluate(&month)[0].1.outcome.status;
    assert_eq!(status("enrolled = [\"p\"]"), Status::Paid);
    assert_eq!(
        status("enrolled = [\"p\"]\nbefore = { enrolled = [] }"),
        Status::Zero,
        "an explicit list"
    );
    assert_eq!(
        status("enrolled = [\"p\"]\nbefore = { person = { flag = true } }"),
        Status::Paid
    );
    let twice = read("enrolled = [\"p\"]\nenrolment = { p = \"suspended\" }")
        .unwrap_err()
        .to_string();
    assert!(twice.contains("is given twice"), "{twice}");
}
