//! A run against what is explained one person at a time, and what becomes of runs that meet.

mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use ansinh::entitlement::{
    Determined, PersonExplanation, Preparation, RunAnswer, RunError, RunHeader, RunKind, RunRequest,
    RunStatus, Scope, commit, compute, explain, finalize, outcomes, prepare, run_of, runs, void,
};
use ansinh::format::totals::{CommuneTotals, LineKind, StatusCounts};
use ansinh::gazetteer;
use ansinh::kernel::catalogue::SubjectKind;
use ansinh::kernel::medium::MemoryMedium;
use ansinh::kernel::operation::Operation;
use ansinh::kernel::units::UnitDeclaration;
use ansinh::kernel::{Store, StoreOptions, View};
use ansinh::policy::{Basis, LineKind as Line, Outcome, Pack, Policy, PolicyError, Reason, Status};
use ansinh::types::{PersonNumber, Sequence, Total, UnitNumber, Value};

use common::changes::{Dice, change};
use common::{AT, attribute, author, begin, bytes, committed, load, month, prepared, run};

/// How many people the large test has unless the environment says otherwise.
const PEOPLE_MANY: u64 = 1_000_000;
/// The variable that says otherwise.
const PEOPLE_VARIABLE: &str = "ANSINH_TEST_PEOPLE";
/// How many random people are compared line by line.
const SAMPLE: u64 = 10_000;

/// The month in which the synthetic population's records begin: in units that begin with them nearly all rows of a
/// segment show the same in every month, in older units none do.
const REFORM: &str = "2025-07";

/// Units of all parts of the country, which exist from a month on.
fn some_units(count: usize, since: &str) -> Vec<UnitDeclaration> {
    let all = gazetteer::vietnam();
    let every = all.len() / count;
    let mut units: Vec<UnitDeclaration> = all.into_iter().step_by(every).take(count).collect();
    for unit in &mut units {
        unit.from = month(since);
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
    registry_since(REFORM, people, seed)
}

fn registry_since(since: &str, people: u64, seed: u64) -> (Store, Policy) {
    let units = some_units(12, since);
    let store = in_memory();
    let policy = begin(&store, &Pack::vietnam(), &units);
    load(&store, &units, people, seed);
    (store, policy)
}

/// The payment channel at the end of the month. One that is not known counts as one that was never recorded.
fn channel(view: &View, explained: &PersonExplanation, known: Sequence) -> u16 {
    let channel = attribute(view.catalogue(), SubjectKind::Person, "channel");
    let state = view
        .person(explained.person.number, explained.month, known)
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

/// Records of every fifth person that they are looked after in a facility, which excludes from most allowances.
fn take_into_facilities(store: &Store) {
    let view = store.begin_read().unwrap();
    let in_facility = attribute(view.catalogue(), SubjectKind::Person, "in_facility").number;
    let mut transaction = store.begin_write(author(), AT).unwrap();
    for person in view.people().step_by(5) {
        let fact = Operation::Record {
            subject: person.into(),
            attribute: in_facility,
            value: Value::Bool(true),
            from: month("2026-03"),
            until: None,
            document: String::new(),
        };
        // A record that was merged, or was mistaken, takes no more facts.
        let _ = transaction.apply(&fact);
    }
    transaction.commit().unwrap();
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
        matches!(
            outcome.reason,
            Reason::Excluded(..) | Reason::ExcludedByProgramme(..)
        )
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
    for (seed, since) in [(3, "2025-01"), (4, REFORM)] {
        let (store, policy) = registry_since(since, 700, seed);
        let loaded = store.begin_read().unwrap().newest();
        let sequences = change(&store, &mut Dice(seed), &some_units(20, REFORM), 10, 300);
        take_into_facilities(&store);
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

/// Rules that the pack of Vietnam has not: by sex and place, with an open birth month, and with a fault.
const BY_PLACE: &str = r#"
[group.extra]
rule = "sum"
cite = "test"
confidence = "S1"

[[programme]]
id = "by_place"
title = { vi = "a", en = "a" }
cite = "test"
confidence = "S1"
months = { from = "2021-07" }
decision = false
stop = "month_after"
payee = ["self"]
group = "extra"
condition = "sex == female and age >= 18 and (former_province not in [01, 31] or province == 01)"
amount = "case { age >= 85 => 0 - 5, age >= 55 => 120000, else 70000 }"
"#;

/// A rule whose amount is another one for every age.
const BY_EXACT_AGE: &str = r#"
[group.extra]
rule = "sum"
cite = "test"
confidence = "S1"

[[programme]]
id = "by_exact_age"
title = { vi = "a", en = "a" }
cite = "test"
confidence = "S1"
months = { from = "2021-07" }
decision = false
stop = "month_after"
payee = ["self"]
group = "extra"
condition = "household.poverty != not_poor"
amount = "1000 * age"
"#;

/// A rule that asks for a number that each person has for themselves.
const BY_NUMBER: &str = r#"
[person.income]
title = { vi = "a", en = "a" }
type = "integer"
min = 0
max = 9000000
absent = "unknown"
on_expiry = "unknown"

[group.extra]
rule = "sum"
cite = "test"
confidence = "S1"

[[programme]]
id = "by_number"
title = { vi = "a", en = "a" }
cite = "test"
confidence = "S1"
months = { from = "2021-07" }
decision = false
stop = "month_after"
payee = ["self"]
group = "extra"
condition = "income < 4000000 and age >= 40"
amount = "max(0, 4000000 - income)"
"#;

/// A registry with a pack that has more than that of Vietnam, whose people changed.
fn registry_with(rules: &str, open_birth_month: bool) -> (Store, Policy) {
    let mut source = Pack::vietnam().source_text().to_owned() + rules;
    if open_birth_month {
        source = source.replace("unknown_month = \"january\"", "unknown_month = \"undetermined\"");
    }
    let pack = Pack::vietnam().with_text("test.toml", &source).unwrap();
    let (store, units) = (in_memory(), some_units(12, REFORM));
    let policy = begin(&store, &pack, &units);
    load(&store, &units, 400, 5);
    change(&store, &mut Dice(5), &some_units(20, REFORM), 5, 300);
    (store, policy)
}

#[test]
fn a_run_agrees_with_explanations_under_rules_of_every_sort() {
    for (rules, open_birth_month) in [
        (BY_PLACE, true),
        (BY_PLACE, false),
        (BY_EXACT_AGE, true),
        (BY_NUMBER, true),
    ] {
        let (store, policy) = registry_with(rules, open_birth_month);
        let months = ["2025-07", "2026-01", "2026-06"];
        let met = compare_everyone(&store, &policy, &months, &[Sequence::NEWEST]);
        let mut statuses: Vec<Status> = met.iter().map(|outcome| outcome.status).collect();
        statuses.dedup();
        let expected = [Status::Error, Status::Paid, Status::Held, Status::Zero];
        assert_eq!(statuses, expected[usize::from(rules != BY_PLACE)..]);
        assert!(met.iter().any(Outcome::paid_with_held), "nobody is paid in part");
        let june = RunRequest::monthly(month("2026-06"));
        let view = store.begin_read().unwrap();
        let header = prepared(&view, &policy, &june).header;
        // Only those are evaluated one by one for whom what is their own makes a difference: here from the age of 40.
        let (some, nearly_nobody) = (header.people / 4..header.people, 0..header.people / 20);
        let expected = if rules == BY_NUMBER { some } else { nearly_nobody };
        assert!(expected.contains(&header.one_by_one), "{header:?}");
    }
}

#[test]
fn any_number_of_workers_writes_the_same_bytes() {
    let (one, policy) = registry(40_000, 8);
    let (other, other_policy) = registry(40_000, 8);
    for store in [&one, &other] {
        change(store, &mut Dice(8), &some_units(20, REFORM), 4, 200);
    }
    let (view, other_view) = (one.begin_read().unwrap(), other.begin_read().unwrap());
    for in_month in ["2026-03", "2026-06"] {
        let request = |workers| RunRequest {
            workers,
            ..RunRequest::monthly(month(in_month))
        };
        let expected = prepared(&view, &policy, &request(1));
        for workers in [2, 3, 8] {
            let found = prepared(&view, &policy, &request(workers));
            assert!(
                bytes(&found) == bytes(&expected),
                "{workers} workers in {in_month}"
            );
            assert_eq!(found.header, expected.header);
            assert_eq!(found.totals, expected.totals);
        }
        let found = prepared(&other_view, &other_policy, &request(2));
        assert!(
            bytes(&found) == bytes(&expected),
            "another registry of the same people in {in_month}"
        );
        assert_eq!(found.header, expected.header);
        assert_eq!(found.totals, expected.totals);
    }
}

fn june() -> RunRequest {
    RunRequest::monthly(month("2026-06"))
}

fn ask(store: &Store, policy: &Policy, request: &RunRequest) -> Result<Preparation, RunError> {
    prepare(&store.begin_read().unwrap(), policy, request, &|_, _| {})
}

#[track_caller]
fn assert_differs(store: &Store, policy: &Policy, request: &RunRequest, expected: &str) {
    match ask(store, policy, request) {
        Err(RunError::ExistsWithDifferent { field, .. }) => assert_eq!(field, expected),
        other => panic!("{other:?}"),
    }
}

#[track_caller]
fn assert_settled(result: Result<impl std::fmt::Debug, RunError>, number: u32, expected: RunStatus) {
    match result {
        Err(RunError::Settled {
            number: found,
            status,
            ..
        }) => assert_eq!((found, status), (number, expected)),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_run_that_exists_is_not_made_again() {
    let (store, policy) = registry(300, 1);
    let header = run(&store, &policy, &june());
    let newest = store.begin_read().unwrap().newest();
    let Preparation::Exists(again) = ask(&store, &policy, &june()).unwrap() else {
        panic!("the run was made again");
    };
    assert_eq!(*again, header);
    assert_eq!(header.number, 1);
    assert_eq!(header.status, RunStatus::Draft);
    assert_eq!(header.data_as_of, Sequence(newest.get() - 1));
    assert_eq!(store.begin_read().unwrap().newest(), newest);

    let differs = |request: &RunRequest, field| assert_differs(&store, &policy, request, field);
    let law_known_on = common::date("2026-10-10");
    differs(
        &RunRequest {
            law_known_on,
            ..june()
        },
        "law date",
    );
    let data_as_of = Sequence(1);
    differs(&RunRequest { data_as_of, ..june() }, "data sequence");
    let scope = Scope::Province(1);
    differs(&RunRequest { scope, ..june() }, "scope");
    let july = month("2026-07");
    differs(
        &RunRequest {
            month: july,
            ..june()
        },
        "month",
    );
    let other = RunRequest {
        id: "another".to_owned(),
        ..june()
    };
    assert_settled(ask(&store, &policy, &other), 1, RunStatus::Draft);
    // A dry run does not mind what exists.
    let view = store.begin_read().unwrap();
    let dry = compute(&view, &policy, &other, &|_, _| {}).unwrap();
    assert_eq!(dry.header.people, header.people);
    // The law was revised in the meantime: what exists is not what is asked for.
    let revised = format!("{}\n# revised\n", ansinh::policy::Pack::vietnam().source_text());
    let revised = Pack::vietnam().with_text("vn.toml", &revised).unwrap();
    let mut transaction = store.begin_write(author(), AT).unwrap();
    let text = revised.to_bytes();
    transaction
        .adopt(revised.id(), &text, &revised.declaration())
        .unwrap();
    transaction.commit().unwrap();
    differs(&june(), "pack");
}

#[test]
fn a_person_is_in_one_run_of_a_month() {
    let (store, policy) = registry(300, 1);
    let view = store.begin_read().unwrap();
    let mut provinces: Vec<u8> = view
        .units()
        .iter()
        .map(|unit| unit.declared.province.number())
        .collect();
    provinces.dedup();
    let of = |id: &str, province| RunRequest {
        id: id.to_owned(),
        scope: Scope::Province(province),
        ..june()
    };
    run(&store, &policy, &of("one", provinces[0]));
    run(&store, &policy, &of("two", provinces[1]));
    assert_settled(ask(&store, &policy, &june()), 1, RunStatus::Draft);
    assert_settled(
        ask(&store, &policy, &of("three", provinces[1])),
        2,
        RunStatus::Draft,
    );
    void(
        &store,
        month("2026-06"),
        Scope::Province(provinces[0]),
        author(),
        AT,
    )
    .unwrap();
    assert_settled(ask(&store, &policy, &june()), 2, RunStatus::Draft);
    void(
        &store,
        month("2026-06"),
        Scope::Province(provinces[1]),
        author(),
        AT,
    )
    .unwrap();
    run(&store, &policy, &june());
    assert_settled(
        ask(&store, &policy, &of("four", provinces[2])),
        3,
        RunStatus::Draft,
    );
}

#[test]
fn a_draft_is_voided_and_run_again_and_a_final_run_stands() {
    let (store, policy) = registry(300, 1);
    let (in_month, country) = (month("2026-06"), Scope::Country);
    let no_run = |result: Result<RunHeader, RunError>| matches!(result, Err(RunError::NoRun { .. }));
    assert!(no_run(void(&store, in_month, country, author(), AT)));
    assert!(no_run(finalize(&store, in_month, country, author(), AT)));

    let first = run(&store, &policy, &june());
    let voided = void(&store, in_month, country, author(), AT).unwrap();
    let expected = RunHeader {
        status: RunStatus::Void,
        ..first.clone()
    };
    assert_eq!(voided, expected);
    assert!(no_run(void(&store, in_month, country, author(), AT)));
    let view = store.begin_read().unwrap();
    assert_eq!(run_of(&view, in_month, country).unwrap(), None);
    let person = PersonNumber(1);
    let explained = explain(&view, &policy, person, in_month, None, Sequence::NEWEST).unwrap();
    assert!(matches!(explained.determined, Determined::WouldBe));

    // The same ID can be used again: what is void does not count.
    let second = run(&store, &policy, &june());
    assert_eq!((second.number, second.status), (2, RunStatus::Draft));
    let to_be_final = RunRequest {
        status: RunStatus::Final,
        ..june()
    };
    assert_settled(ask(&store, &policy, &to_be_final), 2, RunStatus::Draft);
    let last = finalize(&store, in_month, country, author(), AT).unwrap();
    assert_eq!((last.number, last.status), (2, RunStatus::Final));
    let newest = store.begin_read().unwrap().newest();
    assert_eq!(finalize(&store, in_month, country, author(), AT).unwrap(), last);
    assert_settled(void(&store, in_month, country, author(), AT), 2, RunStatus::Final);
    for request in [june(), to_be_final] {
        let Preparation::Exists(found) = ask(&store, &policy, &request).unwrap() else {
            panic!("the run was made again");
        };
        assert_eq!(*found, last);
    }
    let other = RunRequest {
        id: "another".to_owned(),
        ..june()
    };
    assert_settled(ask(&store, &policy, &other), 2, RunStatus::Final);
    let view = store.begin_read().unwrap();
    assert_eq!(
        view.newest(),
        newest,
        "what was refused or exists is not in the log"
    );
    let statuses: Vec<RunStatus> = runs(&view).unwrap().iter().map(|run| run.status).collect();
    assert_eq!(statuses, [RunStatus::Void, RunStatus::Final]);
    let explained = explain(&view, &policy, person, in_month, None, Sequence::NEWEST).unwrap();
    assert!(matches!(explained.determined, Determined::ByRun(run) if run.number == 2));

    let july = RunRequest {
        status: RunStatus::Final,
        ..RunRequest::monthly(month("2026-07"))
    };
    assert_eq!(run(&store, &policy, &july).status, RunStatus::Final);
}

#[test]
fn a_request_that_makes_no_sense_is_refused() {
    let (store, policy) = registry(10, 1);
    let newest = store.begin_read().unwrap().newest();
    let unfit = [
        RunRequest {
            id: String::new(),
            ..june()
        },
        RunRequest {
            id: "x".repeat(121),
            ..june()
        },
        RunRequest { workers: 0, ..june() },
        RunRequest {
            workers: 257,
            ..june()
        },
        RunRequest {
            status: RunStatus::Void,
            ..june()
        },
        RunRequest {
            data_as_of: Sequence(newest.get() + 1),
            ..june()
        },
    ];
    for request in unfit {
        let refused = ask(&store, &policy, &request);
        assert!(matches!(refused, Err(RunError::Request { .. })), "{request:?}");
    }
    let correction = RunRequest {
        kind: RunKind::Correction,
        ..june()
    };
    assert!(matches!(
        ask(&store, &policy, &correction),
        Err(RunError::Kind(RunKind::Correction))
    ));
    let nowhere = RunRequest {
        scope: Scope::Province(99),
        ..june()
    };
    assert!(matches!(
        ask(&store, &policy, &nowhere),
        Err(RunError::NoSuchProvince(99))
    ));
    let before_any_law = RunRequest::monthly(month("1999-01"));
    let run = ask(&store, &policy, &before_any_law);
    assert!(
        matches!(&run, Err(RunError::Policy(PolicyError::BeforeHorizon { .. }))),
        "{run:?}"
    );
}

#[test]
fn a_run_is_of_the_data_that_it_was_prepared_from() {
    let (store, policy) = registry(500, 2);
    let view = store.begin_read().unwrap();
    let first = prepared(&view, &policy, &june());
    let (second, third) = (
        prepared(&view, &policy, &june()),
        prepared(&view, &policy, &june()),
    );
    let as_prepared = bytes(&first);
    change(&store, &mut Dice(2), &[], 3, 300);
    let later = store.begin_read().unwrap();
    let fresh = compute(&later, &policy, &june(), &|_, _| {}).unwrap();
    assert!(bytes(&fresh) != as_prepared, "the changes make a difference");

    let header = committed(&store, first, &june());
    assert_eq!(header.data_as_of, view.newest());
    let view = store.begin_read().unwrap();
    assert!(view.newest() > header.data_as_of);
    let ledger = Ledger::of(&view, &policy, header.clone());
    assert!(view.people().filter_map(|person| ledger.compare(person)).count() > 400);

    let newest = view.newest();
    match commit(&store, second, &june(), author(), AT).unwrap() {
        RunAnswer::Exists(found) => assert_eq!(*found, header),
        RunAnswer::Created(_) => panic!("the run was made again"),
    }
    let other = RunRequest {
        id: "another".to_owned(),
        ..june()
    };
    let refused = commit(&store, third, &other, author(), AT);
    assert_settled(refused, header.number, RunStatus::Draft);
    assert_eq!(store.begin_read().unwrap().newest(), newest);
    assert_eq!(runs(&store.begin_read().unwrap()).unwrap(), [header]);

    // By the data of that time, a new registry of the month comes to the very same.
    void(&store, june().month, Scope::Country, author(), AT).unwrap();
    let data_as_of = ledger.header.data_as_of;
    let again = prepared(
        &store.begin_read().unwrap(),
        &policy,
        &RunRequest { data_as_of, ..june() },
    );
    assert_eq!(again.header.counts(), ledger.header.counts());
    assert_eq!(again.header.amount, ledger.header.amount);
}

#[test]
fn of_many_who_run_a_month_at_once_one_makes_it() {
    let (store, policy) = registry(300, 1);
    let ask_and_commit = || match ask(&store, &policy, &june()).unwrap() {
        Preparation::Exists(run) => (false, run),
        Preparation::Ready(prepared) => match commit(&store, *prepared, &june(), author(), AT).unwrap() {
            RunAnswer::Created(run) => (true, run),
            RunAnswer::Exists(run) => (false, run),
        },
    };
    let answers: Vec<(bool, Box<RunHeader>)> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..6).map(|_| scope.spawn(ask_and_commit)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!(answers.iter().filter(|(created, _)| *created).count(), 1);
    assert!(answers.iter().all(|(_, run)| run == &answers[0].1));
    assert_eq!(runs(&store.begin_read().unwrap()).unwrap().len(), 1);
}

#[test]
fn provinces_add_up_to_the_country() {
    let (store, policy) = registry(5_000, 6);
    change(&store, &mut Dice(6), &some_units(20, REFORM), 4, 300);
    let view = store.begin_read().unwrap();
    for in_month in ["2026-02", "2026-07"] {
        let request = RunRequest::monthly(month(in_month));
        let country = compute(&view, &policy, &request, &|_, _| {}).unwrap();
        assert_header(
            &country.header,
            &sum(country.totals.iter().map(|(_, totals)| totals)),
        );
        let province_of = |unit: UnitNumber| view.unit(unit).unwrap().declared.province.number();
        let provinces: BTreeSet<u8> = view.units().iter().map(|unit| province_of(unit.number)).collect();
        let (mut people, mut amount, mut held) = (0, 0, 0);
        for &province in &provinces {
            let request = RunRequest {
                scope: Scope::Province(province),
                ..request.clone()
            };
            let part = compute(&view, &policy, &request, &|_, _| {}).unwrap();
            let of_country: Vec<_> = country
                .totals
                .iter()
                .filter(|(unit, _)| province_of(*unit) == province)
                .cloned()
                .collect();
            assert_eq!(part.totals, of_country, "province {province} in {in_month}");
            people += part.header.people;
            amount += part.header.amount;
            held += part.header.amount_held;
        }
        assert!(provinces.len() > 5);
        let whole = &country.header;
        assert_eq!(
            (people, amount, held),
            (whole.people, whole.amount, whole.amount_held)
        );
    }
}
