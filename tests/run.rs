//! A run against what is explained one person at a time, and what becomes of runs that meet.

mod common;

use std::collections::BTreeMap;
use std::path::Path;

use ansinh::entitlement::{
    Determined, PersonExplanation, Preparation, RunAnswer, RunError, RunHeader, RunRequest, RunStatus, Scope,
    commit, compute, explain, finalize, outcomes, prepare, run_of, runs, void,
};
use ansinh::format::totals::{CommuneTotals, LineKind, StatusCounts, Tally};
use ansinh::gazetteer;
use ansinh::kernel::catalogue::{Catalogue, SubjectKind};
use ansinh::kernel::medium::MemoryMedium;
use ansinh::kernel::units::UnitDeclaration;
use ansinh::kernel::{Store, StoreOptions, View};
use ansinh::policy::{LineKind as Line, Outcome, Policy, Status};
use ansinh::types::{Month, PersonNumber, Sequence, Total, UnitNumber, Value};

use common::{AT, attribute, author, begin, bytes, committed, load, month, policy, prepared, run};

/// How many people the large test has unless the environment says otherwise.
const PEOPLE_MANY: u64 = 1_000_000;
/// The variable that says otherwise.
const PEOPLE_VARIABLE: &str = "ANSINH_TEST_PEOPLE";
/// How many random people are compared line by line.
const SAMPLE: u64 = 10_000;

/// Random numbers that are the same every time (splitmix64).
struct Dice(u64);

impl Dice {
    fn roll(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut x = self.0;
        x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (x ^ (x >> 31)) % bound
    }
}

/// A registry in memory with a synthetic population in so many units, taken from all provinces.
fn registry(people: u64, seed: u64, units: usize) -> (Store, Policy, Vec<UnitDeclaration>) {
    let all = gazetteer::vietnam();
    let every = all.len() / units;
    let units: Vec<UnitDeclaration> = all.into_iter().step_by(every).take(units).collect();
    let medium = Box::new(MemoryMedium::new());
    let store = Store::create_on(medium, Path::new("memory"), StoreOptions::default()).unwrap();
    let policy = begin(&store, &units);
    load(&store, &units, people, seed);
    (store, policy, units)
}

/// The payment channel at the end of the month or, of the dead, of the month before.
fn channel(view: &View, explained: &PersonExplanation, known: Sequence) -> u16 {
    let channel = attribute(view.catalogue(), SubjectKind::Person, "channel");
    let month = match explained.person.death {
        None => explained.month,
        Some(_) => explained.month.previous().unwrap(),
    };
    let state = view
        .person(explained.person.number, month, known)
        .unwrap()
        .unwrap();
    match state.values.get(&channel.number).copied().unwrap_or(channel.absent) {
        Value::Enum(number) => number,
        other => panic!("{other:?}"),
    }
}

/// Adds an outcome to totals, by hand.
fn tally(totals: &mut CommuneTotals, outcome: &Outcome, channel: u16) {
    let status = &mut totals.status;
    status.people += 1;
    *match outcome.status {
        Status::Paid => &mut status.paid,
        Status::Zero => &mut status.zero,
        Status::Held => &mut status.held,
        Status::Error => &mut status.error,
    } += 1;
    let has = |kind: Line| outcome.lines.iter().any(|line| line.kind == kind);
    status.paid_with_held += u64::from(has(Line::Paid) && has(Line::Held));
    let mut paid = 0;
    for line in &outcome.lines {
        let kind = match line.kind {
            Line::Paid => LineKind::Paid,
            Line::Held => LineKind::Held,
            Line::Error => LineKind::Error,
        };
        let entry = totals.programmes.entry((line.programme, kind)).or_default();
        let amount = i128::from(line.amount.get());
        entry.people += 1;
        entry.sum = Total::new(entry.sum.get() + amount);
        paid += if line.kind == Line::Paid { amount } else { 0 };
    }
    if paid > 0 {
        let entry = totals.channels.entry(channel).or_default();
        entry.people += 1;
        entry.sum = Total::new(entry.sum.get() + paid);
    }
}

/// What a committed run says of people, read once.
struct Ledger<'a> {
    view: &'a View,
    policy: &'a Policy,
    header: RunHeader,
    dictionary: Vec<Outcome>,
}

impl<'a> Ledger<'a> {
    fn of(view: &'a View, policy: &'a Policy, header: RunHeader) -> Self {
        let dictionary = outcomes(view, &header).unwrap();
        Self {
            view,
            policy,
            header,
            dictionary,
        }
    }

    fn line(&self, person: PersonNumber) -> Option<&Outcome> {
        let code = self.view.run_code(self.header.number, person).unwrap()?;
        Some(&self.dictionary[code as usize - 1])
    }

    /// Explains a person's month; if the person is in scope, the ledger, the run as explained and the evaluation of
    /// the facts must agree. In scope is who is present, as the kernel says of one person.
    fn compare(&self, person: PersonNumber) -> Option<PersonExplanation> {
        let RunHeader {
            month, data_as_of, ..
        } = self.header;
        let state = self.view.person(person, month, data_as_of).unwrap();
        let present = state.is_some_and(|state| state.present);
        let Some(line) = self.line(person) else {
            assert!(
                !present,
                "{person} is present in {month} as known at {data_as_of}, without a line"
            );
            return None;
        };
        assert!(
            present,
            "{person} has a line in {month} as known at {data_as_of}, and is not present"
        );
        let explained = explain(self.view, self.policy, person, month, None, Sequence::NEWEST).unwrap();
        assert!(
            matches!(explained.determined, Determined::ByRun(_)),
            "{person} in {month} as known at {data_as_of}: the ledger has {line:?}, {:?}",
            explained.determined
        );
        assert_eq!(&explained.outcome, line);
        Some(explained)
    }

    /// The totals of a commune, summed up from the explanation of everyone who lives there.
    fn explained_totals(&self, unit: UnitNumber) -> CommuneTotals {
        let RunHeader {
            month, data_as_of, ..
        } = self.header;
        let commune = self.view.commune(unit, month, data_as_of).unwrap().unwrap();
        let mut totals = CommuneTotals::default();
        for person in commune.residents {
            let explained = self.compare(person).unwrap();
            assert_eq!(explained.person.unit, Some(unit));
            let channel = channel(self.view, &explained, data_as_of);
            tally(&mut totals, &explained.outcome, channel);
        }
        totals
    }
}

fn sum<'t>(totals: impl Iterator<Item = &'t CommuneTotals>) -> CommuneTotals {
    let mut sum = CommuneTotals::default();
    for part in totals {
        sum.add(part).unwrap();
    }
    sum
}

/// The header's figures are those of the totals.
fn assert_header(header: &RunHeader, totals: &CommuneTotals) {
    assert_eq!(header.counts(), totals.status);
    let amount = |wanted: LineKind| -> i128 {
        let of_kind = totals.programmes.iter().filter(|((_, kind), _)| *kind == wanted);
        of_kind.map(|(_, tally)| tally.sum.get()).sum()
    };
    assert_eq!(header.amount, amount(LineKind::Paid));
    assert_eq!(header.amount_held, amount(LineKind::Held));
    let by_channel: i128 = totals.channels.values().map(|tally| tally.sum.get()).sum();
    assert_eq!(header.amount, by_channel);
}

/// One million people, in a file, or as many as `ANSINH_TEST_PEOPLE` says: the totals of three whole communes equal
/// the sum over the explanations of their people, and 10,000 random people have the line that is explained.
#[test]
fn the_totals_of_a_run_are_the_sum_of_what_is_explained() {
    let people = std::env::var(PEOPLE_VARIABLE).map_or(PEOPLE_MANY, |text| text.parse().unwrap());
    let folder = tempfile::tempdir().unwrap();
    let store = Store::create(&folder.path().join("many.ansinh"), StoreOptions::default()).unwrap();
    let units = gazetteer::vietnam();
    let policy = begin(&store, &units);
    let clock = std::time::Instant::now();
    load(&store, &units, people, 11);
    eprintln!("load {:?}", clock.elapsed());
    let june = RunRequest::monthly(month("2026-06"));
    let clock = std::time::Instant::now();
    let header = run(&store, &policy, &june);
    eprintln!("run {:?}", clock.elapsed());
    let clock = std::time::Instant::now();
    let view = store.begin_read().unwrap();
    let totals: BTreeMap<UnitNumber, CommuneTotals> =
        view.run_totals(header.number).unwrap().into_iter().collect();
    assert_header(&header, &sum(totals.values()));
    assert!(header.paid > people / 100 && header.held > 0 && header.zero > people / 2);
    let ledger = Ledger::of(&view, &policy, header);
    // The commune in which most is held, the one in which most people are paid, and the largest.
    let by = |rank: fn(&StatusCounts) -> u64| {
        let most = totals.iter().max_by_key(|(_, totals)| rank(&totals.status));
        *most.unwrap().0
    };
    for unit in [
        by(|s| s.held + s.paid_with_held),
        by(|s| s.paid),
        by(|s| s.people),
    ] {
        assert_eq!(ledger.explained_totals(unit), totals[&unit], "{unit}");
    }
    eprintln!("communes {:?}", clock.elapsed());
    let clock = std::time::Instant::now();
    let mut dice = Dice(1);
    let mut in_scope = 0;
    for _ in 0..SAMPLE {
        let person = PersonNumber(1 + dice.roll(people) as u32);
        in_scope += u64::from(ledger.compare(person).is_some());
    }
    assert!(in_scope > SAMPLE * 9 / 10);
    eprintln!("sample {:?}", clock.elapsed());
}
