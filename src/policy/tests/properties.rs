//! Properties that hold for any pack, any person and any text.

use proptest::prelude::*;

use super::*;
use crate::types::BirthDate;

fn leaf() -> impl Strategy<Value = String> {
    let signs = prop::sample::select(vec![">=", ">", "<", "<=", "==", "!="]);
    prop_oneof![
        (signs.clone(), 0..25_u32).prop_map(|(sign, years)| format!("age {sign} {years}")),
        (signs.clone(), 0..300_u32).prop_map(|(sign, months)| format!("{months} {sign} age_months")),
        (signs.clone(), 0..20_u32).prop_map(|(sign, count)| format!("count {sign} {count}")),
        signs.prop_map(|sign| format!("age {sign} param.limit")),
        (0..20_u32, 0..20_u32).prop_map(|(a, b)| format!("age in [{a}, {b}]")),
        prop::sample::select(vec![
            "flag",
            "not flag",
            "level == high",
            "level != low",
            "level in [low, middle]",
            "household.state == bad",
            "commune.remote",
            "true",
            "false",
            "age > count",
            "enrolment.q == active",
        ])
        .prop_map(str::to_owned),
    ]
}

fn condition() -> impl Strategy<Value = String> {
    leaf().prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a} and {b})")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a} or {b})")),
            inner.clone().prop_map(|a| format!("not ({a})")),
            (inner.clone(), inner.clone(), inner)
                .prop_map(|(a, b, c)| format!("case {{ {a} => {b}, else {c} }}")),
        ]
    })
}

fn amount() -> impl Strategy<Value = String> {
    prop_oneof![
        (1..2000_u32).prop_map(|amount| amount.to_string()),
        Just("param.level * 1.5".to_owned()),
        Just("count * 10 + 5".to_owned()),
        Just("age_months".to_owned()),
        Just("max(100 - age, 0)".to_owned()),
        (condition(), 0..2000_u32, 0..2000_u32)
            .prop_map(|(c, a, b)| format!("case {{ {c} => {a}, else {b} }}")),
        (0..90_u32, 0..90_u32)
            .prop_map(|(a, b)| format!("case level {{ low => {a}, middle => {b}, else 50 }}")),
    ]
}

fn random_pack() -> impl Strategy<Value = String> {
    let group = || prop::sample::select(vec!["highest", "all"]);
    let one = move || (group(), condition(), amount(), prop::bool::ANY);
    (one(), one(), one(), prop::bool::ANY).prop_map(|(a, b, c, january)| {
        let mut text = pack("");
        for (id, (group, condition, amount, at_once)) in [("p", a), ("q", b), ("r", c)] {
            let mut one = programme(id, group, &condition, &amount);
            if at_once {
                one = one.replace("month_after", "at_once");
            }
            if id == "q" {
                one = one.replace("decision = false", "decision = true");
                one.push_str("exclusions = [{ when = \"level == middle and flag\", cite = \"c\" }]\n");
            }
            text.push_str(&one);
        }
        if january {
            text = text.replace("\"undetermined\"", "\"january\"");
        }
        text
    })
}

/// The facts of one state, as indices: level, flag, count, state, remote, enrolment; the last choice is unknown.
type Facts = [u8; 6];

fn facts() -> impl Strategy<Value = Facts> {
    [0..4_u8, 0..3, 0..22, 0..3, 0..3, 0..5]
}

const CHOICES: [&[&str]; 6] = [
    &["low", "middle", "high"],
    &["false", "true"],
    &[
        "0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12", "13", "14", "15", "16", "17",
        "18", "19", "20",
    ],
    &["good", "bad"],
    &["false", "true"],
    &["none", "active", "suspended", "ended"],
];

struct Owned {
    person: Profile,
    household: Profile,
    commune: Profile,
}

impl Owned {
    fn new(world: &World, facts: Facts) -> Self {
        let value = |at: usize| {
            CHOICES[at]
                .get(usize::from(facts[at]))
                .copied()
                .unwrap_or("unknown")
        };
        Self {
            person: world.person(&[
                ("level", value(0)),
                ("flag", value(1)),
                ("count", value(2)),
                ("enrolment.q", value(5)),
            ]),
            household: world.profile(SubjectKind::Household, &[("state", value(3))]),
            commune: world.profile(SubjectKind::Commune, &[("remote", value(4))]),
        }
    }

    fn case(&self, age: Age) -> Case<'_> {
        Case {
            household: Some(&self.household),
            commune: &self.commune,
            ..case(age, &self.person)
        }
    }
}

fn total(outcome: &Outcome, kind: LineKind) -> i64 {
    outcome.lines_of(kind).map(|line| line.amount.get()).sum()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn bands_agree_with_direct_evaluation(text in random_pack(), now in facts(), before in facts()) {
        let world = World::parse(&text);
        let month = world.month("2020-05");
        let bands = Bands::new(&month);
        let (now, before) = (Owned::new(&world, now), Owned::new(&world, before));
        let mut by_band: Vec<Option<Outcome>> = vec![None; bands.count()];
        for months in -2..320 {
            let birth = month.month().plus(-months).unwrap();
            let births = [
                Some(BirthDate::month_only(birth)),
                (birth.month() == 1).then(|| BirthDate::year_only(birth.year()).unwrap()),
            ];
            for birth in births.into_iter().flatten() {
                let band = bands.of(birth);
                if months < 0 {
                    prop_assert_eq!(band, Bands::UNBORN);
                    continue;
                }
                let age = month.age(birth);
                let case_now = now.case(age);
                let case_before = (months > 0).then(|| before.case(age.month_before()));
                let direct = month.evaluate(Some(&case_now), case_before.as_ref());
                let of_band = by_band[usize::from(band)].get_or_insert_with(|| {
                    let ages = bands.band(band).unwrap();
                    let case_now = ages.now.map(|age| now.case(age));
                    let case_before = ages.before.map(|age| before.case(age));
                    month.evaluate(case_now.as_ref(), case_before.as_ref())
                });
                prop_assert_eq!(&direct, of_band, "born {}, band {}\n{}", birth, band, text);
            }
        }
    }

    #[test]
    fn what_is_paid_is_certain_and_what_is_held_is_enough(
        text in random_pack(),
        now in facts(),
        before in facts(),
        completions in prop::collection::vec((prop::array::uniform6(any::<u8>()), prop::array::uniform6(any::<u8>()), 0..12_i32), 24),
        max_age in 12..300_i32,
        year_only in prop::bool::ANY,
    ) {
        let world = World::parse(&text);
        let month = world.month("2020-05");
        let age = if year_only { Age { min: (max_age - 11).max(0), max: max_age } } else { Age::months(max_age) };
        let evaluate = |now: Facts, before: Facts, age: Age| {
            let (now, before) = (Owned::new(&world, now), Owned::new(&world, before));
            let (now, before) = (now.case(age), before.case(age.month_before()));
            let outcome = month.evaluate(Some(&now), Some(&before));
            assert_eq!(month.explain(Some(&now), Some(&before)).outcome, outcome);
            outcome
        };
        let outcome = evaluate(now, before, age);
        let (paid, held) = (total(&outcome, LineKind::Paid), total(&outcome, LineKind::Held));
        prop_assert_eq!(outcome.lines_of(LineKind::Error).count(), 0);
        let complete = |facts: Facts, choice: [u8; 6]| {
            let mut facts = facts;
            for (at, fact) in facts.iter_mut().enumerate() {
                if usize::from(*fact) >= CHOICES[at].len() {
                    *fact = choice[at] % CHOICES[at].len() as u8;
                }
            }
            facts
        };
        for (choice_now, choice_before, younger) in completions {
            let months = (age.max - younger).max(age.min).max(1);
            let known = evaluate(complete(now, choice_now), complete(before, choice_before), Age::months(months));
            prop_assert_eq!(known.lines_of(LineKind::Held).count(), 0);
            let owed = total(&known, LineKind::Paid);
            prop_assert!(paid <= owed && owed <= paid + held, "{} <= {} <= {}\n{}", paid, owed, paid + held, text);
        }
    }

    #[test]
    fn damaged_packs_never_panic(at in any::<prop::sample::Index>(), len in 0..40_usize, patch in "[\\PC\n\"'=\\[\\]{}]{0,12}") {
        let text = Pack::vietnam().source_text().to_owned();
        let short: String = text.chars().take(9_000).collect();
        let start = at.index(short.len());
        let bytes = [&short.as_bytes()[..start], patch.as_bytes(), &short.as_bytes()[(start + len).min(short.len())..]].concat();
        if let Err(errors) = Pack::parse("damaged.toml", &String::from_utf8_lossy(&bytes)) {
            prop_assert!(errors.count() > 0 && !errors.to_string().is_empty());
        }
    }

    #[test]
    fn any_expression_is_read_or_refused(text in "\\PC{0,60}", words in prop::collection::vec(prop::sample::select(vec![
        "age", "and", "or", "not", "(", ")", "case", "{", "}", "=>", "else", ",", "in", "[", "]", "level", "high",
        "flag", "==", ">", "-", "*", "1.5", "2020-01-01", "min", "param.level", "household.state", "province", "|",
    ]), 0..20)) {
        let world = World::parse(&pack(&programme("p", "highest", "flag", "1")));
        let month = world.month("2020-01");
        let person = Profile::default();
        for text in [text, words.join(" ")] {
            match month.predicate(&text) {
                Ok(predicate) => {
                    let truth = predicate.evaluate(&case(Age::months(400), &person));
                    prop_assert_ne!(truth, Ok(Truth::Undetermined), "nothing read is unknown: {}", text);
                }
                Err(errors) => prop_assert!(errors.to_string().starts_with("expression:1:"), "{}", errors),
            }
        }
    }
}

#[test]
fn a_pack_is_named_by_its_text() {
    let pack = Pack::vietnam();
    assert_eq!(pack.hash(), *blake3::hash(&pack.to_bytes()).as_bytes());
    let again = Pack::from_bytes("again", &pack.to_bytes()).unwrap();
    assert_eq!(again.hash(), pack.hash());
}
