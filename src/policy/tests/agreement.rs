//! One evaluator: for any pack and any people the decision table, the evaluation of one case and its explanation agree,
//! and what is paid is certain.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::super::assess::{Judged, Person};
use super::random::{PROGRAMMES, RATES, Tape, Writer};
use super::scene::{Facts, PEOPLE, Scene, When};
use super::*;

/// How many numbers choose a pack and how many its people.
const PACK_CHOICES: usize = 700;
const PEOPLE_CHOICES: usize = 900;
/// Cases of each property, unless the environment asks for another number with `PROPTEST_CASES`.
const CASES: u32 = 96;

fn config() -> ProptestConfig {
    let asked = std::env::var_os("PROPTEST_CASES").is_some();
    let config = ProptestConfig::default();
    ProptestConfig {
        cases: if asked { config.cases } else { CASES },
        max_shrink_iters: 20_000,
        failure_persistence: None,
        ..config
    }
}

/// The numbers of a tape, which a failure shows on one line and without the zeros at the end.
#[derive(Clone)]
struct Choices(Vec<u16>);

impl std::fmt::Debug for Choices {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let last = self.0.iter().rposition(|&choice| choice != 0);
        let shown = self.0[..last.map_or(0, |at| at + 1)].iter().map(u16::to_string);
        write!(f, "[{}]", shown.collect::<Vec<_>>().join(","))
    }
}

fn tape(len: usize) -> impl Strategy<Value = Choices> {
    prop::collection::vec(any::<u16>(), len).prop_map(Choices)
}

/// A random pack with its catalogue and the facts that it may ask for.
struct Random {
    world: World,
    facts: Facts,
    text: String,
}

impl Random {
    fn new(choices: &Choices) -> Self {
        let mut tape = Tape::new(&choices.0);
        let mut writer = Writer::new(&mut tape);
        let text = writer.pack();
        let beside = |name: &str| match name {
            "rates.csv" => Ok(RATES.to_owned()),
            other => Err(format!("{other} is not there")),
        };
        let pack = Pack::parse_with("random.toml", &text, &beside)
            .unwrap_or_else(|errors| panic!("{errors}\n{text}"));
        let decided = writer.decided;
        let world = World::new(pack);
        let facts = Facts::new(&world, decided);
        Self { world, facts, text }
    }

    /// The months and campaigns that are compared, by two days of the law.
    fn months(&self) -> Vec<MonthPolicy> {
        let mut months = Vec::new();
        for (month, known_on) in [
            ("2020-05", "2020-05-31"),
            ("2020-05", "2020-06-20"),
            ("2020-06", "2020-06-20"),
        ] {
            let (month, known_on): (Month, Date) = (month.parse().unwrap(), known_on.parse().unwrap());
            months.push(self.world.policy.for_month(month, known_on).unwrap());
            let campaigns = (0..PROGRAMMES).map(|at| format!("p{at}"));
            months.extend(campaigns.filter_map(|campaign| {
                let found = self.world.policy.for_campaign(month, known_on, &campaign);
                found.ok()
            }));
        }
        months
    }
}

/// The outcome of somebody, which the explanation has too.
fn outcome(month: &MonthPolicy, scene: &Scene, at: usize, text: &str) -> Result<Outcome, TestCaseError> {
    let (before, now) = (scene.member(at, When::Before), scene.member(at, When::Now));
    let (before, now) = (before.case(), now.case());
    let outcome = month.evaluate(now.as_ref(), before.as_ref());
    let explanation = month.explain(now.as_ref(), before.as_ref());
    prop_assert_eq!(&outcome, &explanation.outcome, "evaluated, explained\n{}", text);
    choices_agree(&explanation, text)?;
    Ok(outcome)
}

/// What an explanation says of each programme is what the lines say.
fn choices_agree(explanation: &Explanation, text: &str) -> Result<(), TestCaseError> {
    for programme in &explanation.programmes {
        let line = |kind| {
            let mut lines = explanation.outcome.lines_of(kind);
            lines.find(|line| line.programme == programme.number)
        };
        let (paid, held, fault) = (line(LineKind::Paid), line(LineKind::Held), line(LineKind::Error));
        let expected = match (paid.is_some(), held.is_some(), fault.is_some()) {
            (false, false, true) => matches!(programme.choice, Choice::Fault(_)),
            (true, true, false) => programme.choice == Choice::PaidAndHeld,
            (true, false, false) => programme.choice == Choice::Paid,
            (false, true, false) => programme.choice == Choice::Held,
            (false, false, false) => {
                matches!(programme.choice, Choice::NotEntitled | Choice::LowerThan(_))
            }
            _ => false,
        };
        prop_assert!(
            expected,
            "{:?} {:?}\n{}",
            programme.choice,
            explanation.outcome,
            text
        );
        let Some(paid) = paid else {
            continue;
        };
        let state = match paid.basis {
            Basis::EndOfMonth => &programme.end_of_month,
            Basis::EndOfMonthBefore => &programme.end_of_month_before,
        };
        let amount = state
            .as_ref()
            .and_then(|state| state.amount.as_ref()?.amount.ok());
        prop_assert!(
            amount.is_some_and(|(least, _)| paid.amount <= least),
            "{:?} by {:?}\n{}",
            paid,
            state,
            text
        );
    }
    Ok(())
}

/// Each programme by itself is judged by the table as it is for the person alone.
fn judged_alike(
    month: &MonthPolicy,
    scene: &Scene,
    at: usize,
    (table, cell): (&mut DecisionTable<'_>, Cell),
    text: &str,
) -> Result<(), TestCaseError> {
    let [before, now] = When::BOTH.map(|when| scene.member(at, when));
    let (case_now, case_before) = (now.case(), before.case());
    let person = Person {
        now: case_now.as_ref(),
        before: case_before.as_ref(),
    };
    let (alone, _) = month.judge(person, false);
    let tabled = table.judged_of(cell, &now, &before);
    for (tabled, alone) in tabled.into_iter().zip(alone) {
        let tabled = Judged {
            untold: false,
            ..tabled
        };
        prop_assert_eq!(
            format!("{:?}", tabled),
            format!("{:?}", alone),
            "table, alone\n{}",
            text
        );
    }
    Ok(())
}

/// By outermost group: what is paid, what could be (`None` without limit), and whether something is at fault.
type Sums = BTreeMap<String, (i64, Option<i64>, bool)>;

fn sums(random: &Random, outcome: &Outcome) -> Sums {
    let pack = &random.world.pack.0;
    let mut sums = Sums::new();
    for line in &outcome.lines {
        let name = &random
            .world
            .catalogue
            .programme_by_number(line.programme)
            .unwrap()
            .name;
        let rule = pack.programmes.iter().find(|rule| rule.id == *name).unwrap();
        let outer = &pack.groups[pack.outermost(rule.group)];
        // Of a sum each programme stands for itself.
        let alone = pack.groups[rule.group].within.is_none() && outer.combination == Combination::Sum;
        let key = if alone {
            format!("{} {}", outer.name, rule.id)
        } else {
            outer.name.clone()
        };
        let sum = sums.entry(key).or_insert((0, Some(0), false));
        let amount = line.amount.get();
        let limitless = matches!(line.reason, LineReason::UnknownWithoutLimit(_));
        sum.0 += if line.kind == LineKind::Paid { amount } else { 0 };
        sum.1 = sum.1.filter(|_| !limitless).map(|most| most + amount);
        sum.2 |= line.kind == LineKind::Error;
    }
    sums
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn table_evaluation_and_explanation_agree(
        pack in tape(PACK_CHOICES),
        people in prop::collection::vec(tape(PEOPLE_CHOICES), 1..4),
    ) {
        let random = Random::new(&pack);
        for month in random.months() {
            let bands = Bands::new(&month);
            let mut table = DecisionTable::new(&month, &bands);
            for choices in &people {
                let mut tape = Tape::new(&choices.0);
                let scene = Scene::random(&random.world, &random.facts, &month, &mut tape);
                for at in 0..PEOPLE {
                    let expected = outcome(&month, &scene, at, &random.text)?;
                    let [before, now] = When::BOTH.map(|when| scene.cell_state(at, when, &mut table));
                    let cell = Cell { now, before, band: bands.of(scene.birth(at)), dies: scene.dies(at) };
                    let number = match table.fill(cell) {
                        Filled::Outcome(number) => number,
                        Filled::EachOwn(_) => {
                            let [before, now] = When::BOTH.map(|when| scene.member(at, when));
                            table.outcome_of(cell, &now, &before)
                        }
                    };
                    prop_assert_eq!(table.outcome(number), &expected, "table, evaluated\n{}", &random.text);
                    judged_alike(&month, &scene, at, (&mut table, cell), &random.text)?;
                }
            }
        }
    }

    #[test]
    fn what_is_paid_is_certain_and_what_is_held_enough_for_any_pack(
        pack in tape(PACK_CHOICES),
        people in tape(PEOPLE_CHOICES),
        completions in prop::collection::vec(tape(200), 6),
    ) {
        let random = Random::new(&pack);
        for month in random.months() {
            let mut tape = Tape::new(&people.0);
            let scene = Scene::random(&random.world, &random.facts, &month, &mut tape);
            let found: Vec<Sums> = (0..PEOPLE)
                .map(|at| Ok(sums(&random, &outcome(&month, &scene, at, &random.text)?)))
                .collect::<Result<_, TestCaseError>>()?;
            for choices in &completions {
                let complete = scene.complete(&random.world, &random.facts, &mut Tape::new(&choices.0));
                for (at, found) in found.iter().enumerate() {
                    let known = outcome(&month, &complete, at, &random.text)?;
                    prop_assert_eq!(known.lines_of(LineKind::Held).count(), 0, "{:?}\n{}", known, random.text);
                    // Of a range only the ends are known to be whole amounts.
                    let fraction = known.lines.iter().any(|line| line.reason == LineReason::Fault(Fault::Fraction));
                    let known = sums(&random, &known);
                    for group in found.keys().chain(known.keys()) {
                        let none = (0, Some(0), false);
                        let (paid, most, fault) = found.get(group).copied().unwrap_or(none);
                        let (owed, _, other_fault) = known.get(group).copied().unwrap_or(none);
                        prop_assert!(
                            fault || fraction || paid <= owed && (other_fault || most.is_none_or(|most| owed <= most)),
                            "{}: paid {}, owed {}, at most {:?}, in {}\n{}",
                            group, paid, owed, most, month.month(), random.text
                        );
                    }
                }
            }
        }
    }
}

/// What random packs and people come to: a property that is never put to the test proves nothing.
#[test]
fn random_packs_reach_everything() {
    use proptest::strategy::ValueTree;
    use proptest::test_runner::{RngAlgorithm, TestRng, TestRunner};

    const TRIES: usize = 150;
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[7; 32]);
    let mut runner = TestRunner::new_with_rng(config(), rng);
    let mut draw = |len| tape(len).new_tree(&mut runner).unwrap().current();
    let mut met: BTreeMap<String, usize> = BTreeMap::new();
    for _ in 0..TRIES {
        let random = Random::new(&draw(PACK_CHOICES));
        let people = draw(PEOPLE_CHOICES);
        for month in random.months() {
            let scene = Scene::random(&random.world, &random.facts, &month, &mut Tape::new(&people.0));
            let bands = Bands::new(&month);
            let mut table = DecisionTable::new(&month, &bands);
            for at in 0..PEOPLE {
                let outcome = outcome(&month, &scene, at, &random.text).unwrap();
                let [before, now] = When::BOTH.map(|when| scene.cell_state(at, when, &mut table));
                let band = bands.of(scene.birth(at));
                let dies = scene.dies(at);
                let filled = match table.fill(Cell {
                    now,
                    before,
                    band,
                    dies,
                }) {
                    Filled::Outcome(_) => "filled for the cell",
                    Filled::EachOwn(_) => "filled for the person",
                };
                let lines = outcome.lines.iter();
                let mut seen: Vec<String> = lines
                    .map(|line| format!("{:?} by {:?}", line.kind, line.basis))
                    .collect();
                seen.push(filled.to_owned());
                seen.push(outcome.reason.code().to_owned());
                seen.push(format!(
                    "{} with held {}",
                    outcome.status,
                    outcome.paid_with_held()
                ));
                if let Reason::Fault(fault) = outcome.reason {
                    seen.push(format!("{fault:?}"));
                }
                for thing in seen {
                    *met.entry(thing).or_default() += 1;
                }
            }
        }
    }
    for thing in [
        "Paid by EndOfMonth",
        "Paid by EndOfMonthBefore",
        "Held by EndOfMonth",
        "Held by EndOfMonthBefore",
        "Error by EndOfMonth",
        "filled for the cell",
        "filled for the person",
        "paid with held true",
        "paid with held false",
        "held with held false",
        "zero with held false",
        "error with held false",
        "not_present",
        "suspended",
        "nothing_due",
        "not_enrolled",
        "excluded",
        "begins_next_month",
        "no_longer_qualifies",
        "may_qualify",
        "no_programme",
        "Fraction",
        "Negative",
        "DivisionByZero",
        "NoRow",
    ] {
        assert!(
            met.get(thing).is_some_and(|&times| times >= 3),
            "{thing} is rare: {met:#?}"
        );
    }
}
