//! The built-in pack at the boundaries of the law.

use super::*;

#[test]
fn the_built_in_pack_loads_and_its_examples_hold() {
    let pack = Pack::vietnam();
    let results = pack.run_examples();
    assert!(results.len() >= 580, "{}", results.len());
    let failed: Vec<_> = results.iter().filter(|result| !result.passed).collect();
    assert!(failed.is_empty(), "{failed:#?}");
    for programme in pack.programmes() {
        let paid = format!("{} = ", programme.id);
        let lines = pack.source_text().lines();
        let shown = lines
            .filter(|line| line.contains("paid = {") && line.contains(&paid))
            .count();
        assert!(shown >= 2, "{} has too few examples", programme.id);
    }
}

#[test]
fn the_month_reads_what_its_rules_ask_for() {
    let world = World::new(Pack::vietnam());
    let month = world.month("2026-06");
    let reads = month.reads();
    let number = |name| world.attribute(SubjectKind::Person, name);
    for name in [
        "disability",
        "care",
        "pension",
        "war_invalid",
        "without_support",
        "in_facility",
        "enrolment.social_pension",
    ] {
        assert!(reads.person.contains(&number(name)), "{name}");
    }
    for name in ["channel", "verification"] {
        assert!(!reads.person.contains(&number(name)), "{name}");
    }
    assert_eq!(reads.household.len(), 2);
    assert_eq!(
        reads.commune,
        [world.attribute(SubjectKind::Commune, "difficult")]
    );
    assert!(!reads.groups.is_empty() && reads.areas.contains(&Area::Province(1)));
    let earlier = world.month("2025-06");
    let has = |month: &MonthPolicy, id: &str| month.programmes().any(|programme| programme.rule.id == id);
    assert!(has(&month, "social_pension") && !has(&month, "elderly_80"));
    assert!(has(&earlier, "elderly_80") && !has(&earlier, "social_pension"));
    assert!(!has(&month, "resolution_116"), "a campaign is no part of a month");
}

#[test]
fn figures_of_low_confidence_are_named() {
    let world = World::new(Pack::vietnam());
    let what = |month: &str, known: &str| -> Vec<String> {
        let month = world
            .policy
            .for_month(month.parse().unwrap(), known.parse().unwrap())
            .unwrap();
        month
            .low_confidence()
            .into_iter()
            .map(|low| format!("{} {}", low.confidence, low.what))
            .collect()
    };
    let june = what("2026-06", "2026-06-30");
    assert!(
        june.iter().any(|low| low.starts_with("M a birth date")),
        "{june:?}"
    );
    assert!(
        !june.iter().any(|low| low.contains("base_level = 500000")),
        "{june:?}"
    );
    let october = what("2026-08", "2026-10-10");
    for expected in [
        "S3 param.base_level = 540000",
        "S3 param.social_pension = 540000",
        "? programme disability",
    ] {
        assert!(
            october.iter().any(|low| low.starts_with(expected)),
            "{expected}: {october:?}"
        );
    }
    let august = what("2026-08", "2026-08-31");
    assert!(
        !august
            .iter()
            .any(|low| low.contains("= 540000") || low.contains("2026-07")),
        "{august:?}"
    );
}

#[test]
fn the_law_has_to_be_known() {
    let world = World::new(Pack::vietnam());
    let error = world
        .policy
        .for_month("2026-06".parse().unwrap(), "2021-06-30".parse().unwrap())
        .unwrap_err();
    let text = error.to_string();
    assert!(
        text.contains("begins with 2021-07") && text.contains("2026-06") && text.contains("2021-06-30"),
        "{text}"
    );
    let error = world
        .policy
        .for_month("2021-06".parse().unwrap(), "2026-06-30".parse().unwrap());
    assert!(error.is_err(), "a month before the horizon");
}

#[test]
fn profiles_are_reduced_to_what_is_read() {
    let world = World::new(Pack::vietnam());
    let month = world.month("2026-06");
    let person = world.person(&[
        ("disability", "severe"),
        ("pension", "none"),
        ("channel", "account"),
        ("enrolment.disability", "active"),
    ]);
    let reduced = world.person(&[("disability", "severe"), ("enrolment.disability", "active")]);
    assert_eq!(month.project_person(&person), reduced);
    let (age, before) = (Age::months(500), Age::months(499));
    assert_eq!(
        month.evaluate(Some(&case(age, &person)), Some(&case(before, &person))),
        month.evaluate(Some(&case(age, &reduced)), Some(&case(before, &reduced))),
    );
    let household = world.profile(SubjectKind::Household, &[("poverty", "not_poor")]);
    assert!(month.project_household(&household).is_empty());
}

#[test]
fn an_explanation_shows_every_condition_and_source() {
    let world = World::new(Pack::vietnam());
    let month = world.month("2026-06");
    let person = world.person(&[("disability", "severe"), ("enrolment.disability", "active")]);
    let (now, before) = (case(Age::months(720), &person), case(Age::months(719), &person));
    let explanation = month.explain(Some(&now), Some(&before));
    assert_eq!(explanation.outcome, month.evaluate(Some(&now), Some(&before)));
    assert_eq!(world.lines(&explanation.outcome), ["Paid disability 1000000"]);
    assert_eq!(explanation.programmes.len(), month.programmes().count());
    let disability = explanation
        .programmes
        .iter()
        .find(|programme| programme.id == "disability")
        .unwrap();
    assert_eq!(disability.choice, Choice::Paid);
    let state = disability.end_of_month.as_ref().unwrap();
    assert_eq!(state.enrolment.as_ref().unwrap().text, "active");
    assert_eq!(state.conditions.len(), 4, "one condition and three exclusions");
    assert_eq!(state.conditions[0].reads[0].name, "disability");
    assert_eq!(state.conditions[0].reads[0].text, "severe");
    assert_eq!(state.conditions[0].truth, Ok(Truth::True));
    assert_eq!(state.conditions[1].truth, Ok(Truth::False));
    assert!(
        state.conditions[1]
            .excludes_by
            .as_ref()
            .unwrap()
            .contains("Art. 51")
    );
    let amount = state.amount.as_ref().unwrap();
    assert_eq!(amount.parameters[0].name, "param.base_level");
    assert!(amount.parameters[0].value.source.contains("76/2024"));
    assert!(
        amount
            .reads
            .iter()
            .any(|read| read.name == "age" && read.text == "60")
    );
    let child = explanation
        .programmes
        .iter()
        .find(|programme| programme.id == "child_without_care")
        .unwrap();
    assert_eq!(child.choice, Choice::NotEntitled);
    let conditions = &child.end_of_month.as_ref().unwrap().conditions;
    assert_eq!(conditions[0].text, "age < 16");
    assert_eq!(
        conditions[0].truth,
        Ok(Truth::False),
        "later conditions are shown as well"
    );
    assert_eq!(conditions[1].truth, Ok(Truth::False));
}

#[test]
fn the_lower_of_two_programmes_says_so() {
    let world = World::new(Pack::vietnam());
    let month = world.month("2026-06");
    let person = world.person(&[
        ("disability", "severe"),
        ("enrolment.disability", "active"),
        ("enrolment.social_pension", "active"),
    ]);
    let now = case(Age::months(76 * 12), &person);
    let explanation = month.explain(Some(&now), None);
    let disability = world.catalogue.programme("disability").unwrap().number;
    let pension = explanation
        .programmes
        .iter()
        .find(|programme| programme.id == "social_pension")
        .unwrap();
    assert_eq!(pension.choice, Choice::LowerThan(disability));
}

#[test]
fn reasons_are_described_in_both_languages() {
    let world = World::new(Pack::vietnam());
    let month = world.month("2026-06");
    let pension = world.person(&[
        ("disability", "severe"),
        ("pension", "pension"),
        ("enrolment.disability", "active"),
    ]);
    let outcome = month.evaluate(Some(&case(Age::months(500), &pension)), None);
    assert_eq!(outcome.reason.code(), "excluded");
    let text = |lang| describe(&outcome.reason, &world.catalogue, lang);
    assert_eq!(
        text(Lang::En),
        "excluded from Allowance for severe and extremely severe disability by pension"
    );
    assert!(text(Lang::Vi).contains("người khuyết tật nặng"));
    let unknown = world.person(&[("disability", "unknown"), ("enrolment.disability", "active")]);
    let outcome = month.evaluate(Some(&case(Age::months(500), &unknown)), None);
    let line = &outcome.lines[0];
    assert_eq!(
        line.reason,
        LineReason::Unknown(vec![world.attribute(SubjectKind::Person, "disability")])
    );
    assert_eq!(
        describe_line(line, &world.catalogue, Lang::En),
        "held, not known: disability"
    );
}

#[test]
fn an_unknown_enrolment_is_held() {
    let world = World::new(Pack::vietnam());
    let month = world.month("2026-06");
    let active = world.person(&[("disability", "severe"), ("enrolment.disability", "active")]);
    let unknown = world.person(&[("disability", "severe"), ("enrolment.disability", "unknown")]);
    let (now, before) = (Age::months(500), Age::months(499));
    let outcome = month.evaluate(Some(&case(now, &unknown)), Some(&case(before, &active)));
    assert_eq!(
        outcome.status,
        Status::Held,
        "it may be suspended, which stops at once"
    );
    assert_eq!(world.lines(&outcome), ["Held disability 750000"]);
    let enrolment = world.attribute(SubjectKind::Person, "enrolment.disability");
    assert_eq!(outcome.lines[0].reason, LineReason::Unknown(vec![enrolment]));
}

#[test]
fn outcomes_survive_encoding() {
    let world = World::new(Pack::vietnam());
    let month = world.month("2026-06");
    let person = world.person(&[("disability", "unknown"), ("enrolment.disability", "active")]);
    let outcome = month.evaluate(Some(&case(Age::months(500), &person)), None);
    let config = bincode::config::standard();
    let bytes = bincode::encode_to_vec(&outcome, config).unwrap();
    let (decoded, _): (Outcome, usize) = bincode::decode_from_slice(&bytes, config).unwrap();
    assert_eq!(decoded, outcome);
}
