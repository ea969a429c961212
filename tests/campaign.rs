//! Campaigns: programmes that are paid once, by runs of their own, and to each person at most once, whatever becomes of
//! the person between the runs.

mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use ansinh::entitlement::{
    Determined, Preparation, RunAnswer, RunError, RunHeader, RunKind, RunRequest, RunStatus, Scope, outcomes,
};
use ansinh::gazetteer;
use ansinh::kernel::bulk::{BulkHousehold, BulkPerson, Dossier};
use ansinh::kernel::medium::MemoryMedium;
use ansinh::kernel::units::UnitDeclaration;
use ansinh::kernel::{Store, StoreOptions};
use ansinh::policy::{LineKind, Outcome, Pack, PolicyError, Reason, Status};
use ansinh::registry::{Fact, Home, Person, Registry, RegistryError, RegistryView, Transaction};
use ansinh::types::{CommuneCode, Date, PersonNumber, Sequence, Sex, Value};

use common::changes::{Dice, change};
use common::{AT, author, bytes, month, text};

const CAMPAIGN: &str = "resolution_116";
const PAID_UNDER_12: &str = "paid resolution_116 1800000";
const ALREADY: &str = "zero already_paid resolution_116";
const NOBODY: &str = "not in scope";
/// The month in which communes and records begin.
const BEGINNING: &str = "2021-07";
/// The month in which the records of the random population begin.
const REFORM: &str = "2025-07";

fn in_memory() -> Registry {
    let medium = Box::new(MemoryMedium::new());
    Registry::over(Store::create_on(medium, Path::new("memory"), StoreOptions::default()).unwrap())
}

/// So many units of each of two provinces, which exist from a month on.
fn units(each: usize, since: &str) -> Vec<UnitDeclaration> {
    let all = gazetteer::vietnam();
    let first = all[0].province;
    let second = all
        .iter()
        .map(|unit| unit.province)
        .find(|&province| province != first);
    let of = |province| {
        all.iter()
            .filter(move |unit| unit.province == province)
            .take(each)
    };
    let mut units: Vec<UnitDeclaration> = of(first).chain(of(second.unwrap())).cloned().collect();
    for unit in &mut units {
        unit.from = month(since);
        unit.names.truncate(1);
        unit.names[0].from = unit.from;
    }
    units
}

fn begun(pack: &Pack, units: &[UnitDeclaration]) -> Registry {
    let registry = in_memory();
    let mut transaction = registry.begin_write(author(), AT).unwrap();
    transaction.adopt(pack).unwrap();
    for unit in units {
        transaction.add_unit(unit.clone()).unwrap();
    }
    transaction.commit().unwrap();
    registry
}

/// A registry of workers: two communes of one province, and two of another, of which the last is empty.
struct Scene {
    registry: Registry,
    communes: Vec<CommuneCode>,
    /// The number of each commune's province.
    provinces: Vec<u8>,
}

impl Scene {
    fn new() -> Self {
        let units = units(2, BEGINNING);
        Self {
            registry: begun(&Pack::vietnam(), &units),
            communes: units.iter().map(|unit| unit.code).collect(),
            provinces: units.iter().map(|unit| unit.province.number()).collect(),
        }
    }

    fn view(&self) -> RegistryView {
        self.registry.begin_read().unwrap()
    }

    fn write<T>(&self, change: impl FnOnce(&mut Transaction<'_>) -> T) -> T {
        let mut transaction = self.registry.begin_write(author(), AT).unwrap();
        let made = change(&mut transaction);
        transaction.commit().unwrap();
        made
    }

    /// Somebody who was insured against unemployment for so many months; `None` if that is not known.
    fn worker(&self, commune: usize, insured_months: Option<i64>) -> PersonNumber {
        let born: Date = "1990-05-17".parse().unwrap();
        let person = Person::new("Nguyễn Văn A", born, Sex::Male)
            .commune(self.communes[commune])
            .from(month(BEGINNING))
            .fact("unemployment_insurance", "insured");
        let person = match insured_months {
            Some(months) => person.fact("unemployment_insurance_months", Value::Integer(months)),
            None => person,
        };
        self.write(|transaction| transaction.insert(&person).unwrap())
    }

    fn move_to(&self, person: PersonNumber, commune: usize, from: &str) {
        let to = Home::Commune(self.communes[commune]);
        let answer = self.write(|transaction| transaction.move_person(person, to, month(from)).unwrap());
        assert!(answer.changed());
    }

    fn ask(&self, request: &RunRequest) -> Result<RunAnswer, RegistryError> {
        self.registry.run(request, author(), AT, &|_, _| {})
    }

    /// Makes a run, and checks what holds of every run.
    fn run(&self, request: &RunRequest) -> RunHeader {
        match self.ask(request).unwrap() {
            RunAnswer::Created(header) => {
                check(&self.view(), &header);
                *header
            }
            RunAnswer::Exists(header) => panic!("run {} exists already", header.number),
        }
    }

    /// Runs the campaign in a month, and gives the lines of these people.
    fn lines(&self, in_month: &str, people: &[PersonNumber]) -> Vec<String> {
        let header = self.run(&RunRequest::campaign(CAMPAIGN, month(in_month)));
        let view = self.view();
        people
            .iter()
            .map(|&person| line(&view, &header, person))
            .collect()
    }

    fn void(&self, in_month: &str) -> Result<RunHeader, RegistryError> {
        let (month, scope) = (month(in_month), Scope::Country);
        self.registry.void_campaign(CAMPAIGN, month, scope, author(), AT)
    }
}

fn outcome(view: &RegistryView, header: &RunHeader, person: PersonNumber) -> Option<Outcome> {
    let code = view.run_code(header.number, person).unwrap()?;
    outcomes(view, header).unwrap().into_iter().nth(code as usize - 1)
}

fn line(view: &RegistryView, header: &RunHeader, person: PersonNumber) -> String {
    outcome(view, header, person)
        .map_or_else(|| NOBODY.to_owned(), |outcome| text(view.catalogue(), &outcome))
}

/// What holds of every run of a campaign: statuses and sums add up to the people, totals to the header, and every line is
/// what is explained.
fn check(view: &RegistryView, header: &RunHeader) {
    assert_eq!(
        header.paid + header.zero + header.held + header.error,
        header.people
    );
    let campaign = header.campaign.as_ref().unwrap();
    let programme = view.catalogue().programme(&campaign.name).unwrap();
    assert_eq!(
        (header.kind, campaign.programme),
        (RunKind::Campaign, programme.number)
    );
    let dictionary = outcomes(view, header).unwrap();
    let (mut people, mut amount, mut held) = (0, 0, 0);
    for person in view.people() {
        let Some(code) = view.run_code(header.number, person).unwrap() else {
            continue;
        };
        let found = &dictionary[code as usize - 1];
        let sum = |kind| {
            found
                .lines_of(kind)
                .map(|line| i128::from(line.amount.get()))
                .sum::<i128>()
        };
        people += 1;
        amount += sum(LineKind::Paid);
        held += sum(LineKind::Held);
        let explained = view
            .explain_campaign(&campaign.name, person, header.month)
            .unwrap();
        assert!(
            matches!(&explained.determined, Determined::ByRun(run) if **run == *header),
            "{person}: the ledger has {found:?}, {:?}",
            explained.determined
        );
        assert_eq!(&explained.outcome, found);
        let already = matches!(found.reason, Reason::AlreadyPaid(_));
        assert_eq!(explained.paid_before.is_some(), already);
    }
    assert_eq!(
        (header.people, header.amount, header.amount_held),
        (people, amount, held)
    );
    let totals = view.run_totals(header.number).unwrap();
    let of_totals: u64 = totals.iter().map(|(_, totals)| totals.status.people).sum();
    assert_eq!(of_totals, people);
}

fn october() -> RunRequest {
    RunRequest::campaign(CAMPAIGN, month("2021-10"))
}

#[test]
fn a_campaign_pays_by_the_bracket_of_each_person() {
    let scene = Scene::new();
    let people: Vec<PersonNumber> = [Some(11), Some(12), Some(59), Some(60), Some(132), Some(0), None]
        .into_iter()
        .enumerate()
        .map(|(at, months)| scene.worker(at % 3, months))
        .collect();
    let lines = scene.lines("2021-10", &people);
    assert_eq!(
        lines,
        [
            PAID_UNDER_12,
            "paid resolution_116 2100000",
            "paid resolution_116 2100000",
            "paid resolution_116 2400000",
            "paid resolution_116 3300000",
            PAID_UNDER_12,
            "held resolution_116 3300000",
        ]
    );
    let header = scene.view().run_headers().unwrap().remove(0);
    assert_eq!(
        (header.id.as_str(), header.number),
        ("campaign-resolution_116-2021-10", 1)
    );
    assert_eq!(
        (header.paid, header.zero, header.held, header.error),
        (6, 0, 1, 0)
    );
    assert_eq!(
        header.amount,
        2 * 1_800_000 + 2 * 2_100_000 + 2_400_000 + 3_300_000
    );
    assert_eq!(header.amount_held, 3_300_000);
    let campaign = header.campaign.unwrap();
    assert_eq!((campaign.name.as_str(), campaign.earlier.len()), (CAMPAIGN, 0));
    // The same request finds the run.
    assert!(matches!(scene.ask(&october()).unwrap(), RunAnswer::Exists(run) if run.number == 1));
}

#[test]
fn nobody_is_paid_twice_in_different_months() {
    let scene = Scene::new();
    let early = scene.worker(0, Some(11));
    assert_eq!(scene.lines("2021-10", &[early]), [PAID_UNDER_12]);
    let late = scene.worker(0, Some(12));
    let expected = [ALREADY, "paid resolution_116 2100000"];
    assert_eq!(scene.lines("2021-12", &[early, late]), expected);
    // An earlier month that is run later knows of both.
    assert_eq!(scene.lines("2021-11", &[early, late]), [ALREADY; 2]);
    // What the months since then say of the person changes nothing: the money was paid.
    let outside = Fact::new("unemployment_insurance", "outside", month("2022-01"));
    scene.write(|transaction| transaction.record_fact(early, &outside).unwrap());
    assert_eq!(scene.lines("2022-02", &[early, late]), [ALREADY; 2]);
    let explained = scene
        .view()
        .explain_campaign(CAMPAIGN, early, month("2022-02"))
        .unwrap();
    let before = explained.paid_before.unwrap();
    assert_eq!(
        (before.run.number, before.run.month, before.record),
        (1, month("2021-10"), early)
    );
    // Another campaign has paid nobody yet.
    let other = scene.run(&RunRequest::campaign("emergency_injury", month("2021-12")));
    assert_eq!(other.campaign.unwrap().earlier, [] as [u32; 0]);
    assert_eq!(
        line(&scene.view(), &scene.view().run_headers().unwrap()[4], early),
        "zero no_programme"
    );
}

#[test]
fn who_moves_between_the_runs_is_known_in_the_new_commune() {
    let scene = Scene::new();
    let stays = scene.worker(0, Some(11));
    let movers: Vec<PersonNumber> = (0..3).map(|_| scene.worker(0, Some(11))).collect();
    let (comes, returns) = (scene.worker(1, Some(11)), scene.worker(1, Some(11)));
    scene.move_to(returns, 2, "2021-09");
    assert_eq!(
        scene.lines("2021-10", &[stays, comes, returns, movers[0]]),
        [PAID_UNDER_12; 4]
    );
    for (at, &mover) in movers.iter().enumerate() {
        // Within the province, to another, and to a commune in which nobody lived before.
        scene.move_to(mover, 1 + at, "2021-11");
    }
    scene.move_to(returns, 1, "2021-12");
    // A move that is entered afterwards, for a month before the first run.
    scene.move_to(comes, 3, "2021-08");
    let new = scene.worker(3, Some(11));
    let mut expected = vec![ALREADY; 6];
    expected.push(PAID_UNDER_12);
    let everyone = [stays, comes, returns, movers[0], movers[1], movers[2], new];
    assert_eq!(scene.lines("2021-12", &everyone), expected);
}

#[test]
fn records_that_were_merged_are_one_person() {
    let scene = Scene::new();
    let kept = scene.worker(0, None);
    let (paid, between, unpaid) = (
        scene.worker(1, Some(11)),
        scene.worker(2, None),
        scene.worker(0, None),
    );
    let other = scene.worker(0, Some(12));
    let held = "held resolution_116 3300000";
    let everyone = [kept, paid, between, unpaid, other];
    let expected = [held, PAID_UNDER_12, held, held, "paid resolution_116 2100000"];
    assert_eq!(scene.lines("2021-10", &everyone), expected);
    let known_apart = scene.view().newest();
    // The record that was paid is merged into one that is merged into the one that stays.
    scene.write(|transaction| {
        transaction.merge(paid, between).unwrap();
        transaction.merge(between, kept).unwrap();
        transaction.merge(unpaid, other).unwrap();
        let months = Fact::new(
            "unemployment_insurance_months",
            Value::Integer(5),
            month(BEGINNING),
        );
        transaction.record_fact(kept, &months).unwrap();
    });
    let by_then = [ALREADY, NOBODY, NOBODY, NOBODY, ALREADY];
    assert_eq!(scene.lines("2021-11", &everyone), by_then);
    let explained = scene
        .view()
        .explain_campaign(CAMPAIGN, kept, month("2021-11"))
        .unwrap();
    assert_eq!(explained.paid_before.unwrap().record, paid);
    // By data in which they were still apart, each of them is somebody who was paid: that they are one is known now.
    let request = RunRequest {
        data_as_of: known_apart,
        ..RunRequest::campaign(CAMPAIGN, month("2021-12"))
    };
    let header = scene.run(&request);
    let view = scene.view();
    assert!(
        everyone
            .iter()
            .all(|&person| line(&view, &header, person) == ALREADY)
    );
}

#[test]
fn provinces_are_run_one_by_one_and_then_the_rest() {
    let scene = Scene::new();
    let (here, there) = (scene.worker(0, Some(11)), scene.worker(2, Some(11)));
    let of = |place: usize, in_month: &str| RunRequest {
        scope: Scope::Province(scene.provinces[place]),
        id: format!("{place}-{in_month}"),
        ..RunRequest::campaign(CAMPAIGN, month(in_month))
    };
    let header = scene.run(&of(0, "2021-10"));
    assert_eq!((header.people, header.amount), (1, 1_800_000));
    // The rest of the month overlaps with it; the other province does not.
    match scene.ask(&october()) {
        Err(RegistryError::Run(error)) => {
            assert!(matches!(*error, RunError::Settled { number: 1, .. }), "{error}");
            assert!(
                error
                    .to_string()
                    .starts_with("resolution_116 of 2021-10 (province "),
                "{error}"
            );
        }
        other => panic!("{other:?}"),
    }
    // Whoever moves from a province that has been run to one that has not is paid once.
    let moves = scene.worker(1, Some(12));
    let header = scene.run(&of(0, "2021-11"));
    assert_eq!((header.paid, header.zero, header.amount), (1, 1, 2_100_000));
    scene.move_to(moves, 2, "2021-10");
    let header = scene.run(&of(2, "2021-10"));
    let view = scene.view();
    let lines = [here, there, moves].map(|person| line(&view, &header, person));
    assert_eq!(lines, [NOBODY, PAID_UNDER_12, ALREADY]);
    let new = scene.worker(3, Some(11));
    let lines = scene.lines("2021-12", &[here, there, moves, new]);
    assert_eq!(lines, [ALREADY, ALREADY, ALREADY, PAID_UNDER_12]);
}

#[test]
fn who_was_paid_by_a_run_that_is_void_is_paid_by_a_later_one() {
    let scene = Scene::new();
    let person = scene.worker(0, Some(11));
    assert_eq!(scene.lines("2021-10", &[person]), [PAID_UNDER_12]);
    assert_eq!(scene.lines("2021-11", &[person]), [ALREADY]);
    assert_eq!(scene.void("2021-10").unwrap().status, RunStatus::Void);
    // What the second run knew stays what it knew.
    let view = scene.view();
    check(&view, &view.run_headers().unwrap()[1]);
    let explained = view.explain_campaign(CAMPAIGN, person, month("2021-11")).unwrap();
    assert_eq!(explained.paid_before.unwrap().run.status, RunStatus::Void);
    // Without a run, it is what a run would come to.
    let would_be = view.explain_campaign(CAMPAIGN, person, month("2021-12")).unwrap();
    assert!(matches!(would_be.determined, Determined::WouldBe) && would_be.paid_before.is_none());
    assert_eq!(text(view.catalogue(), &would_be.outcome), PAID_UNDER_12);
    assert_eq!(scene.lines("2021-12", &[person]), [PAID_UNDER_12]);
    // The month of the voided run can be run again, and a final run stays.
    assert_eq!(scene.lines("2021-10", &[person]), [ALREADY]);
    let (december, scope) = (month("2021-12"), Scope::Country);
    let last = scene
        .registry
        .finalize_campaign(CAMPAIGN, december, scope, author(), AT)
        .unwrap();
    assert_eq!((last.number, last.status), (3, RunStatus::Final));
    let refused = scene.void("2021-12").unwrap_err().to_string();
    assert!(refused.contains("final"), "{refused}");
}

#[test]
fn what_was_held_is_paid_once_it_is_known() {
    let scene = Scene::new();
    let person = scene.worker(0, None);
    let held = "held resolution_116 3300000";
    assert_eq!(scene.lines("2021-10", &[person]), [held]);
    assert_eq!(scene.lines("2021-11", &[person]), [held]);
    let months = Fact::new(
        "unemployment_insurance_months",
        Value::Integer(84),
        month(BEGINNING),
    );
    scene.write(|transaction| transaction.record_fact(person, &months).unwrap());
    assert_eq!(scene.lines("2021-12", &[person]), ["paid resolution_116 2650000"]);
    assert_eq!(scene.lines("2022-01", &[person]), [ALREADY]);
}

#[test]
fn months_and_campaigns_leave_each_other_alone() {
    let scene = Scene::new();
    for commune in [0, 2] {
        scene.worker(commune, Some(11));
    }
    let in_october = month("2021-10");
    let monthly = RunRequest::monthly(in_october);
    let ledger = |request: &RunRequest| {
        let prepared = scene.view().dry_run(request, &|_, _| {}).unwrap();
        (bytes(&prepared), prepared.header.counts(), prepared.totals)
    };
    let (month_alone, campaign_alone) = (ledger(&monthly), ledger(&october()));
    scene.run(&october());
    assert!(ledger(&monthly) == month_alone, "the campaign shows in the month");
    assert_eq!(scene.view().run_of(in_october, Scope::Country).unwrap(), None);
    let RunAnswer::Created(made) = scene.ask(&monthly).unwrap() else {
        panic!("the campaign is taken for the month");
    };
    assert_eq!((made.kind, &made.campaign), (RunKind::Monthly, &None));
    assert!(
        ledger(&october()) == campaign_alone,
        "the month or its own run shows in the campaign"
    );
    let view = scene.view();
    let found = view.run_of(in_october, Scope::Country).unwrap();
    assert_eq!(found.map(|run| run.number), Some(2));
    let found = view
        .campaign_run_of(CAMPAIGN, in_october, Scope::Country)
        .unwrap();
    assert_eq!(found.map(|run| run.number), Some(1));
    let explained = view.explain(PersonNumber(1), in_october).unwrap();
    assert!(matches!(explained.determined, Determined::ByRun(run) if run.number == 2));
    assert!(explained.paid_before.is_none());
    scene.void("2021-10").unwrap();
    assert!(scene.view().run_of(in_october, Scope::Country).unwrap().is_some());
}

#[test]
fn a_run_that_was_prepared_before_another_was_made_is_not_written() {
    let scene = Scene::new();
    scene.worker(0, Some(11));
    let november = RunRequest::campaign(CAMPAIGN, month("2021-11"));
    let prepared = |request: &RunRequest| match scene.view().prepare_run(request, &|_, _| {}).unwrap() {
        Preparation::Ready(prepared) => *prepared,
        Preparation::Exists(run) => panic!("run {} exists", run.number),
    };
    let commit = |prepared, request: &RunRequest| scene.registry.commit_run(prepared, request, author(), AT);
    let (first, second) = (prepared(&october()), prepared(&november));
    assert_eq!((first.header.paid, second.header.paid), (1, 1));
    commit(first, &october()).unwrap();
    let refused = |result: Result<RunAnswer, RegistryError>, expected: &str| {
        let error = result.unwrap_err().to_string();
        assert!(
            error.contains(expected) && error.contains("run it again"),
            "{error}"
        );
        assert_eq!(scene.view().run_headers().unwrap().len(), 1);
    };
    refused(commit(second, &november), "run 1 of resolution_116 was made");
    let third = prepared(&november);
    assert_eq!((third.header.paid, third.header.zero), (0, 1));
    scene.void("2021-10").unwrap();
    refused(commit(third, &november), "run 1 of resolution_116 was voided");
    let again = prepared(&november);
    assert_eq!(again.header.paid, 1);
    commit(again, &november).unwrap();
}

#[test]
fn a_campaign_that_does_not_exist_is_refused_with_those_that_do() {
    let scene = Scene::new();
    scene.worker(0, Some(11));
    let in_2023 = RunRequest::campaign(CAMPAIGN, month("2023-01"));
    let misspelt = RunRequest::campaign("resolution_117", month("2021-10"));
    for (request, expected) in [
        (&in_2023, vec!["emergency_injury"]),
        (
            &misspelt,
            vec!["emergency_injury", "resolution_116", "resolution_68"],
        ),
    ] {
        match scene.ask(request) {
            Err(RegistryError::Run(error)) => match *error {
                RunError::Policy(PolicyError::NoCampaign { known, .. }) => {
                    let known: BTreeSet<String> = known.into_iter().collect();
                    assert!(expected.iter().all(|&name| known.contains(name)), "{known:?}");
                    assert!(!known.contains(request.campaign.as_deref().unwrap()));
                }
                other => panic!("{other:?}"),
            },
            other => panic!("{other:?}"),
        }
        let name = request.campaign.as_deref().unwrap();
        let (month, scope) = (request.month, Scope::Country);
        for refused in [
            scene.registry.void_campaign(name, month, scope, author(), AT),
            scene.registry.finalize_campaign(name, month, scope, author(), AT),
        ] {
            let error = refused.unwrap_err();
            assert!(
                matches!(error, RegistryError::Policy(PolicyError::NoCampaign { .. })),
                "{error}"
            );
        }
        scene
            .view()
            .explain_campaign(name, PersonNumber(1), month)
            .unwrap_err();
    }
    let error = scene.void("2021-10").unwrap_err().to_string();
    assert!(
        error.starts_with("resolution_116 of 2021-10 (country) has no draft run"),
        "{error}"
    );
    for request in [
        RunRequest {
            kind: RunKind::Monthly,
            ..october()
        },
        RunRequest {
            campaign: None,
            ..october()
        },
    ] {
        match scene.ask(&request) {
            Err(RegistryError::Run(error)) => assert!(matches!(*error, RunError::Request { .. }), "{error}"),
            other => panic!("{other:?}"),
        }
    }
}

/// Two campaigns, one of which asks everybody for a number of their own, and a programme that is paid by the month.
const RULES: &str = r#"
[pack]
id = "test"
version = "1"
title = { vi = "Thử", en = "Test" }

[birth]
unknown_month = "undetermined"
source = "none"
confidence = "M"

[person.level]
title = { vi = "a", en = "a" }
type = "enum"
values = ["low", "middle", "high"]
absent = "low"

[person.count]
title = { vi = "c", en = "c" }
type = "integer"
min = 0
max = 20
absent = 3

[household.state]
title = { vi = "f", en = "f" }
type = "enum"
values = ["good", "bad"]
absent = "good"

[commune.remote]
title = { vi = "g", en = "g" }
type = "bool"
absent = false

[group.all]
rule = "sum"
cite = "c"
confidence = "S1"

[[programme]]
id = "monthly"
title = { vi = "a", en = "a" }
cite = "c"
confidence = "S1"
months = { from = "2021-07" }
decision = true
stop = "month_after"
payee = ["self"]
group = "all"
condition = "age >= 60"
amount = "100000"

[[programme]]
id = "by_case"
title = { vi = "a", en = "a" }
cite = "c"
confidence = "S1"
months = { from = "2021-07" }
once = { event = "campaign" }
decision = false
payee = ["self"]
group = "all"
condition = "age >= 40 or household.state == bad or level == high"
amount = "case { level == high => 300000, level == middle => 200000, else 100000 }"

[[programme]]
id = "by_number"
title = { vi = "a", en = "a" }
cite = "c"
confidence = "S1"
months = { from = "2021-07" }
once = { event = "campaign" }
decision = false
payee = ["self"]
group = "all"
condition = "age >= 30 and count >= 2"
amount = "1000 * count"
"#;

/// People of all ages in the communes of two provinces, entered at once, so that most rows are plain.
fn populate(registry: &Registry, units: &[UnitDeclaration], households: u64, dice: &mut Dice) {
    let mut transaction = registry.store().begin_write(author(), AT).unwrap();
    for at in 0..households {
        let unit = &units[dice.roll(units.len() as u64) as usize];
        let person = |dice: &mut Dice| {
            let (year, month) = (1935 + dice.roll(88), 1 + dice.roll(12));
            BulkPerson {
                identifier: None,
                birth: format!("{year}-{month:02}-17").parse().unwrap(),
                sex: Sex::Female,
                from: self::month(REFORM),
                facts: Vec::new(),
                dossier: Dossier::default(),
                moves: Vec::new(),
            }
        };
        let household = BulkHousehold {
            id: Some(format!("H-{at}").parse().unwrap()),
            commune: unit.code,
            from: month(REFORM),
            head: Some(0),
            facts: Vec::new(),
            people: (0..3).map(|_| person(dice)).collect(),
            moves: Vec::new(),
        };
        transaction.enter_household(&household).unwrap();
    }
    transaction.commit().unwrap();
}

/// Everyone whom runs of the campaign that stand have paid, other records of the same people included.
fn everyone_paid(view: &RegistryView, campaign: &str) -> BTreeSet<PersonNumber> {
    let mut paid = BTreeSet::new();
    for header in view.run_headers().unwrap() {
        if header.campaign_name() != Some(campaign) || header.status == RunStatus::Void {
            continue;
        }
        let dictionary = outcomes(view, &header).unwrap();
        for person in view.people() {
            let code = view.run_code(header.number, person).unwrap();
            if code.is_some_and(|code| dictionary[code as usize - 1].lines_of(LineKind::Paid).count() > 0) {
                paid.insert(person);
            }
        }
    }
    let into: BTreeMap<PersonNumber, PersonNumber> = view
        .mergers()
        .unwrap()
        .into_iter()
        .map(|(into, merged)| (merged, into))
        .collect();
    let stays = |mut person: PersonNumber| {
        while let Some(&next) = into.get(&person) {
            person = next;
        }
        person
    };
    let tops: BTreeSet<PersonNumber> = paid.into_iter().map(stays).collect();
    view.people()
        .filter(|&person| tops.contains(&stays(person)))
        .collect()
}

/// Makes a run by one, two and eight workers alike, and compares it with who was paid before. Answers how many were.
fn run_and_compare(registry: &Registry, request: &RunRequest) -> u64 {
    let view = registry.begin_read().unwrap();
    let campaign = request.campaign.as_deref().unwrap();
    let paid = everyone_paid(&view, campaign);
    let prepared = |workers| {
        let request = RunRequest {
            workers,
            ..request.clone()
        };
        match view.prepare_run(&request, &|_, _| {}).unwrap() {
            Preparation::Ready(prepared) => *prepared,
            Preparation::Exists(run) => panic!("run {} exists", run.number),
        }
    };
    let expected = prepared(1);
    for workers in [2, 8] {
        let found = prepared(workers);
        assert!(bytes(&found) == bytes(&expected), "{workers} workers");
        assert_eq!(
            (&found.header, &found.totals),
            (&expected.header, &expected.totals)
        );
    }
    let RunAnswer::Created(header) = registry.commit_run(expected, request, author(), AT).unwrap() else {
        panic!("the run was there");
    };
    let view = registry.begin_read().unwrap();
    check(&view, &header);
    let mut already = 0;
    for person in view.people() {
        let Some(outcome) = outcome(&view, &header, person) else {
            continue;
        };
        let was_paid = matches!(outcome.reason, Reason::AlreadyPaid(_));
        assert_eq!(was_paid, paid.contains(&person), "{person}: {outcome:?}");
        already += u64::from(was_paid);
        assert!(!was_paid || (outcome.status == Status::Zero && outcome.lines.is_empty()));
    }
    already
}

#[test]
fn whatever_becomes_of_people_they_are_paid_once() {
    let units = units(4, REFORM);
    let spare = gazetteer::vietnam()
        .into_iter()
        .skip(200)
        .take(8)
        .collect::<Vec<_>>();
    for (campaign, seed) in [("by_case", 3), ("by_number", 4)] {
        let registry = begun(&Pack::parse("test.toml", RULES).unwrap(), &units);
        let mut dice = Dice(seed);
        populate(&registry, &units, 250, &mut dice);
        let mut change = || change(registry.store(), &mut dice, &spare, 3, 200);
        change();
        let request = |in_month: &str| RunRequest::campaign(campaign, month(in_month));
        let province = RunRequest {
            scope: Scope::Province(units[0].province.number()),
            ..request("2025-09")
        };
        assert_eq!(run_and_compare(&registry, &province), 0);
        change();
        let first = run_and_compare(&registry, &request("2026-03"));
        assert!(first > 20, "{first}");
        change();
        let second = run_and_compare(&registry, &request("2026-06"));
        assert!(second > first, "{second} after {first}");
        registry
            .void_campaign(campaign, month("2026-03"), Scope::Country, author(), AT)
            .unwrap();
        change();
        let third = run_and_compare(&registry, &request("2026-03"));
        assert!(third < second, "{third} after {second}");
        let earlier = RunRequest {
            data_as_of: Sequence(registry.begin_read().unwrap().newest().get() / 2),
            ..request("2026-01")
        };
        run_and_compare(&registry, &earlier);
        // The runs before the one that was voided still say what they knew.
        let view = registry.begin_read().unwrap();
        let mergers = view.mergers().unwrap().len();
        assert!(mergers > 3, "{mergers} mergers");
        for header in view.run_headers().unwrap() {
            if header.status != RunStatus::Void {
                check(&view, &header);
            }
        }
    }
}

/// The program itself.
#[cfg(feature = "cli")]
mod program {
    use std::process::Command;

    use super::*;

    /// Runs the program; answers its exit code, standard output and standard error.
    fn ansinh(arguments: &[&str]) -> (i32, String, String) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_ansinh"));
        let output = command.args(arguments).env("USER", "lan").output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (
            output.status.code().unwrap(),
            text(output.stdout),
            text(output.stderr),
        )
    }

    fn json(arguments: &[&str]) -> serde_json::Value {
        let (exit, out, err) = ansinh(&[arguments, &["--json"]].concat());
        assert_eq!(exit, 0, "{arguments:?}: {err}");
        serde_json::from_str(&out).unwrap()
    }

    #[test]
    fn the_program_runs_and_reports_campaigns() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.ansinh");
        let registry = Registry::create(&path, &Pack::vietnam(), AT).unwrap();
        let mut transaction = registry.begin_write(author(), AT).unwrap();
        let born: Date = "1990-05-17".parse().unwrap();
        let person = Person::new("Nguyễn Văn A", born, Sex::Male)
            .commune("00004".parse().unwrap())
            .from(month("2025-07"))
            .fact("seriously_injured", true);
        let injured = transaction.insert(&person).unwrap();
        transaction
            .enrol(injured, "emergency_injury", month("2026-05"), "7/QĐ-UBND")
            .unwrap();
        transaction.commit().unwrap();
        registry.close().unwrap();
        let db = path.to_str().unwrap();
        let run = |month, more: &[&str]| {
            json(&[&["run", db, month, "--campaign", "emergency_injury"], more].concat())
        };
        let refused = |arguments: &[&str], exit: i32, words: &[&str]| {
            let (found, out, err) = ansinh(arguments);
            assert_eq!((found, out.as_str()), (exit, ""), "{err}");
            assert!(words.iter().all(|word| err.contains(word)), "{err}");
        };

        let report = ["report", db, "2026-06", "--campaign", "emergency_injury"];
        refused(
            &report,
            1,
            &["emergency_injury of 2026-06", "--campaign emergency_injury"],
        );
        let dry = run("2026-06", &["--dry-run"]);
        assert_eq!(
            (&dry["amount"], &dry["how"]),
            (&6_500_000.into(), &"dry run".into())
        );
        let made = run("2026-06", &[]);
        assert_eq!(
            (&made["kind"], &made["campaign"]),
            (&"campaign".into(), &"emergency_injury".into())
        );
        assert_eq!((&made["paid"], &made["amount"]), (&1.into(), &6_500_000.into()));
        assert_eq!(run("2026-06", &[])["how"], "exists");
        let later = run("2026-07", &["--known-on", "2026-12-31"]);
        assert_eq!((&later["paid"], &later["zero"]), (&0.into(), &1.into()));
        assert_eq!(run("2026-07", &["--void"])["status"], "void");
        assert_eq!(run("2026-06", &["--final"])["status"], "final");
        refused(
            &[&["run"], &report[1..], &["--void"]].concat(),
            1,
            &["emergency_injury of 2026-06", "final"],
        );

        let found = json(&report);
        assert_eq!(
            (&found["campaign"], &found["total"]["amount"]),
            (&"emergency_injury".into(), &6_500_000.into())
        );
        let (_, out, _) = ansinh(&report);
        assert!(
            out.contains("emergency_injury, 2026-06 by province, run 1 (final)"),
            "{out}"
        );
        refused(&["report", db, "2026-06"], 1, &["2026-06 (country) was not run"]);
        for command in ["run", "report"] {
            refused(
                &[command, db, "2026-06", "--campaign", "emergency"],
                2,
                &["no campaign", "emergency_injury"],
            );
        }
        let (_, out, _) = ansinh(&["stats", db]);
        assert!(
            out.contains("1\tcampaign\temergency_injury\t2026-06\tcountry\tfinal\t1\t1"),
            "{out}"
        );
        assert_eq!(json(&["stats", db])["runs"][1]["status"], "void");
    }
}
