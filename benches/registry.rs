//! A registry in a file, seen from outside: looking people up, durable changes, and the month of everyone.
//!
//! `cargo bench --bench registry` works on a million people in the folder for temporary files, or on as many as the
//! variable `ANSINH_BENCH_PEOPLE` says. `cargo bench --bench registry -- --test` does each thing once, on few.

use std::hint::black_box;
use std::sync::Arc;

use ansinh::entitlement::{Preparation, RunAnswer, RunRequest, Scope};
use ansinh::kernel::Author;
use ansinh::policy::Pack;
use ansinh::registry::{Registry, RegistryError, RegistryView, Transaction, WriteQueue};
use ansinh::synth::{Synth, SynthOptions};
use ansinh::types::{Identifier, Instant, Month, PersonNumber, Sequence};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};

/// How many people are measured, and with how many the benchmarks are only tried.
const PEOPLE_MEASURED: u64 = 1_000_000;
const PEOPLE_TRIED: u64 = 20_000;
/// The variable that says otherwise.
const PEOPLE_VARIABLE: &str = "ANSINH_BENCH_PEOPLE";
/// So many people are looked up in turn.
const LOOK_UPS: usize = 10_000;
/// The changes that are given to the queue at once.
const GROUP: u64 = 64;
/// One person is changed after another in steps of this prime, so that neighbours in time are not neighbours in the file.
const STEP: u64 = 611_953;
/// When everything happens: in June 2026.
const AT: Instant = Instant::from_unix_millis(1_780_272_000_000);

fn people() -> u64 {
    if let Ok(people) = std::env::var(PEOPLE_VARIABLE) {
        return people.parse().expect("ANSINH_BENCH_PEOPLE is a number of people");
    }
    // Criterion measures when it is given `--bench`, and otherwise does each thing once.
    let asked = |name: &str| std::env::args().any(|argument| argument == name);
    if asked("--bench") && !asked("--test") && !asked("--list") {
        PEOPLE_MEASURED
    } else {
        PEOPLE_TRIED
    }
}

fn june() -> Month {
    Month::new(2026, 6).expect("a month")
}

fn author() -> Author {
    Author::new("bench", "benchmark")
}

fn populate(registry: &Registry, people: u64) -> Result<(), RegistryError> {
    let view = registry.begin_read()?;
    let options = SynthOptions {
        people,
        ..SynthOptions::default()
    };
    let synth = Synth::new(options, view.catalogue(), &ansinh::gazetteer::vietnam()).expect("a population");
    drop(view);
    let workers = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let mut transaction = registry.begin_write(author(), AT)?;
    synth.load(&mut transaction, workers, |_| {})?;
    transaction.commit()?;
    Ok(())
}

/// The `number`th person to be asked about or changed, of all in turn.
fn nth(number: u64, people: u64) -> PersonNumber {
    PersonNumber((number * STEP % people) as u32 + 1)
}

fn ids(view: &RegistryView, people: u64) -> Vec<Identifier> {
    let some = (0..people.min(LOOK_UPS as u64)).map(|number| {
        let state = view.person(nth(number, people), june(), Sequence::NEWEST);
        state
            .expect("a registry that reads")
            .expect("somebody")
            .identifier
    });
    some.collect()
}

fn look_up(criterion: &mut Criterion, registry: &Registry, people: u64) {
    let view = registry.begin_read().expect("a view");
    let ids = ids(&view, people);
    let found = |id: Identifier| view.find_person(id, Sequence::NEWEST).expect("an index");
    let mut next = ids.iter().copied().cycle();
    criterion.bench_function("from an ID to the row", |bench| {
        bench.iter(|| {
            let person = found(next.next().expect("an ID")).expect("a person");
            black_box(view.row_of(person).expect("a row"))
        });
    });
    criterion.bench_function("from an ID to the person, with the dossier", |bench| {
        bench.iter(|| {
            let id = next.next().expect("an ID");
            black_box(
                view.person_by_id(id, june())
                    .expect("a person")
                    .expect("somebody"),
            )
        });
    });
}

fn month(criterion: &mut Criterion, registry: &Registry, people: u64) {
    let request = RunRequest::monthly(june());
    let view = registry.begin_read().expect("a view");
    let mut group = criterion.benchmark_group("the month");
    group.sample_size(10).throughput(Throughput::Elements(people));
    group.bench_function("worked out", |bench| {
        bench.iter(|| view.dry_run(&request, &|_, _| {}).expect("a month"));
    });
    drop(view);
    group.bench_function("worked out, committed and voided", |bench| {
        bench.iter(|| {
            let view = registry.begin_read().expect("a view");
            let Preparation::Ready(prepared) = view.prepare_run(&request, &|_, _| {}).expect("a month")
            else {
                panic!("the month was run already");
            };
            drop(view);
            let made = registry.commit_run(*prepared, &request, author(), AT);
            let RunAnswer::Created(run) = made.expect("a run") else {
                panic!("the month was run meanwhile");
            };
            assert!(run.paid > 0 && run.people <= people);
            let voided = registry.void_run(june(), Scope::Country, author(), AT);
            voided.expect("a draft")
        });
    });
    group.finish();
}

/// Records another payment channel for the `number`th person; after everyone had a turn, yet another.
fn change(transaction: &mut Transaction<'_>, number: u64, people: u64) -> Result<(), RegistryError> {
    let channel = ["cash_post", "account"][(number / people % 2) as usize];
    match transaction.record(nth(number, people), "channel", channel, june().next()) {
        // A merged or mistaken record takes no changes.
        Err(error) if error.refusal().is_none() => Err(error),
        _ => Ok(()),
    }
}

fn changes(criterion: &mut Criterion, registry: &Arc<Registry>, people: u64) {
    let mut number = 0;
    criterion.bench_function("one change: recorded and durable", |bench| {
        bench.iter(|| {
            let mut transaction = registry.begin_write(author(), AT).expect("a transaction");
            change(&mut transaction, number, people).expect("a change");
            number += 1;
            transaction.commit().expect("a commit")
        });
    });
    let queue = WriteQueue::start(Arc::clone(registry)).expect("a queue");
    let mut group = criterion.benchmark_group("changes through the queue");
    group.throughput(Throughput::Elements(GROUP));
    group.bench_function(format!("{GROUP} at once: all of them durable"), |bench| {
        bench.iter(|| {
            let tickets: Vec<_> = (number..number + GROUP)
                .map(|number| queue.submit(author(), AT, move |tx| change(tx, number, people)))
                .collect();
            number += GROUP;
            for ticket in tickets {
                ticket.expect("room in the queue").wait().expect("a change");
            }
        });
    });
    group.finish();
    queue.close();
}

fn registry(criterion: &mut Criterion) {
    let people = people();
    let folder = tempfile::tempdir().expect("a folder for temporary files");
    let registry = Registry::create(folder.path().join("bench.ansinh"), &Pack::vietnam(), AT);
    let registry = Arc::new(registry.expect("a registry"));
    populate(&registry, people).expect("a population");
    look_up(criterion, &registry, people);
    month(criterion, &registry, people);
    // Last, for rows that changed are read in another way.
    changes(criterion, &registry, people);
}

criterion_group!(benches, registry);
criterion_main!(benches);
