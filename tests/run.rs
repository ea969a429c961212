//! A run against what is explained one person at a time, and what becomes of runs that meet.

mod common;

use std::collections::{BTreeMap, BTreeSet};
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
use ansinh::policy::{Basis, LineKind as Line, Outcome, Pack, Policy, Reason, Status};
use ansinh::types::{Month, PersonNumber, Sequence, Total, UnitNumber, Value};

use common::changes::{Dice, change};
use common::{AT, attribute, author, begin, bytes, committed, load, month, prepared, run};

/// How many people the large test has unless the environment says otherwise.
const PEOPLE_MANY: u64 = 1_000_000;
/// The variable that says otherwise.
const PEOPLE_VARIABLE: &str = "ANSINH_TEST_PEOPLE";
/// How many random people are compared line by line.
const SAMPLE: u64 = 10_000;

/// Units of all parts of the country, which exist from the beginning of 2025.
fn some_units(count: usize) -> Vec<UnitDeclaration> {
    let all = gazetteer::vietnam();
    let every = all.len() / count;
    let mut units: Vec<UnitDeclaration> = all.into_iter().step_by(every).take(count).collect();
    for unit in &mut units {
        unit.from = month("2025-01");
        unit.names.truncate(1);
        unit.names[0].from = unit.from;
    }
    units
}

fn in_memory() -> Store {
    let medium = Box::new(MemoryMedium::new());
    Store::create_on(medium, Path::new("memory"), StoreOptions::default()).unwrap()
}

/// A registry in memory with a synthetic population in some units.
fn registry(people: u64, seed: u64) -> (Store, Policy) {
    let units = some_units(12);
    let store = in_memory();
    let policy = begin(&store, &Pack::vietnam(), &units);
    load(&store, &units, people, seed);
    (store, policy)
}

/// The payment channel at the end of the month or, of the dead, of the month before. One that is not known counts
/// as one that was never recorded.
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
    match (state.values.get(&channel.number), channel.absent) {
        (Some(&Value::Enum(number)), _) | (_, Value::Enum(number)) => number,
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
    let policy = begin(&store, &Pack::vietnam(), &units);
    load(&store, &units, people, 11);
    let june = RunRequest::monthly(month("2026-06"));
    let header = run(&store, &policy, &june);
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
    let mut dice = Dice(1);
    let mut in_scope = 0;
    for _ in 0..SAMPLE {
        let person = PersonNumber(1 + dice.roll(people) as u32);
        in_scope += u64::from(ledger.compare(person).is_some());
    }
    assert!(in_scope > SAMPLE * 9 / 10);
}

/// Everyone's line, in some months and as known at some sequences; the totals of every commune; and who is in scope.
/// Answers the outcomes that occurred.
fn compare_everyone(
    store: &Store,
    policy: &Policy,
    months: &[&str],
    known: &[Sequence],
) -> BTreeSet<Outcome> {
    let mut met = BTreeSet::new();
    for &data_as_of in known {
        for in_month in months {
            let request = RunRequest {
                data_as_of,
                ..RunRequest::monthly(month(in_month))
            };
            let header = run(store, policy, &request);
            let view = store.begin_read().unwrap();
            let ledger = Ledger::of(&view, policy, header.clone());
            let mut totals: BTreeMap<UnitNumber, CommuneTotals> = BTreeMap::new();
            let mut people = 0;
            for person in view.people() {
                let Some(explained) = ledger.compare(person) else {
                    continue;
                };
                people += 1;
                let channel = channel(&view, &explained, header.data_as_of);
                let unit = explained.person.unit.unwrap();
                tally(totals.entry(unit).or_default(), &explained.outcome, channel);
                met.insert(explained.outcome);
            }
            assert_eq!(header.people, people, "{in_month} as known at {data_as_of}");
            let found: BTreeMap<UnitNumber, CommuneTotals> =
                view.run_totals(header.number).unwrap().into_iter().collect();
            assert_eq!(found, totals, "{in_month} as known at {data_as_of}");
            assert_header(&header, &sum(totals.values()));
            void(store, request.month, Scope::Country, author(), AT).unwrap();
        }
    }
    met
}

/// That changes and months were mixed enough for every kind of outcome.
fn assert_mixed(met: &BTreeSet<Outcome>) {
    let some = |what: &str, is: &dyn Fn(&Outcome) -> bool| assert!(met.iter().any(is), "nobody {what}");
    some("is paid", &|outcome| outcome.status == Status::Paid);
    some("is held", &|outcome| outcome.status == Status::Held);
    some("is paid by the month before", &|outcome| {
        let mut lines = outcome.lines.iter();
        lines.any(|line| line.basis == Basis::EndOfMonthBefore)
    });
    some("is suspended", &|outcome| {
        matches!(outcome.reason, Reason::Suspended(_))
    });
    some("is excluded", &|outcome| {
        matches!(outcome.reason, Reason::Excluded(..))
    });
    some("has no decision", &|outcome| {
        matches!(outcome.reason, Reason::NotEnrolled(_))
    });
}

const MONTHS: [&str; 9] = [
    "2025-06", "2025-07", "2025-08", "2025-12", "2026-03", "2026-06", "2026-07", "2026-10", "2027-01",
];

#[test]
fn a_run_agrees_with_the_explanation_of_everyone_whatever_was_changed() {
    for seed in std::env::var("SEEDS").map_or(vec![3, 4], |s| {
        let n: u64 = s.parse().unwrap();
        (n..n + 12).collect()
    }) {
        let (store, policy) = registry(1_000, seed);
        let spare = some_units(20);
        let loaded = store.begin_read().unwrap().newest();
        let sequences = change(&store, &mut Dice(seed), &spare, 10, 300);
        let mut met = compare_everyone(&store, &policy, &MONTHS, &[Sequence::NEWEST]);
        let earlier = [loaded, sequences[2], sequences[6]];
        met.extend(compare_everyone(
            &store,
            &policy,
            &["2025-09", "2026-06"],
            &earlier,
        ));
        assert_mixed(&met);
    }
}
