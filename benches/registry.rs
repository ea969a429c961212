//! Measures a registry of synthetic people: `cargo bench --bench registry -- --people 10000000 [--seed 1]`.
//!
//! It makes the registry in a temporary folder, tells what each part costs on the disk, measures look-ups, and runs
//! June 2026 in fresh processes. Every figure is printed with the machine, the size and the seed.

use std::hint::black_box;
use std::path::Path;
use std::time::{Duration, Instant as Clock};

use ansinh::entitlement::Scope;
use ansinh::entitlement::{Preparation, RunRequest, commit, prepare, void};
use ansinh::kernel::operation::Operation;
use ansinh::kernel::{Author, Store, StoreOptions};
use ansinh::policy::Pack;
use ansinh::synth::{Synth, SynthOptions};
use ansinh::types::{Identifier, Instant, Month, PersonNumber, Sequence};

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let value = |name: &str| {
        let at = arguments.iter().position(|argument| argument == name)?;
        arguments.get(at + 1)?.parse::<u64>().ok()
    };
    if let Some(at) = arguments.iter().position(|argument| argument == "--run-in") {
        run_once(Path::new(&arguments[at + 1]));
        return;
    }
    // `cargo test --benches` and CI only see that it starts; a real measurement names its size.
    let people = value("--people").unwrap_or(20_000);
    measure(people, value("--seed").unwrap_or(1));
}

fn machine() -> String {
    let read = |path| std::fs::read_to_string(path).unwrap_or_default();
    let field = |text: &str, name: &str| {
        let line = text
            .lines()
            .find(|line| line.starts_with(name))
            .unwrap_or_default()
            .to_owned();
        line.split(':').nth(1).unwrap_or_default().trim().to_owned()
    };
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let processor = field(&read("/proc/cpuinfo"), "model name");
    let memory = field(&read("/proc/meminfo"), "MemTotal");
    format!("{processor}, {cores} cores, {memory} of memory")
}

fn peak_memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status
        .lines()
        .find(|line| line.starts_with("VmHWM"))
        .unwrap_or_default();
    line.split_whitespace()
        .nth(1)
        .and_then(|kib| kib.parse::<u64>().ok())
        .unwrap_or(0)
        / 1024
}

/// Makes the registry; tells how long the population took, and the bytes of all texts in its dossiers.
fn create(path: &Path, people: u64, seed: u64) -> (Duration, u64) {
    let store = Store::create(path, StoreOptions::default()).expect("a new file");
    let author = || Author::new("bench", "measurement");
    let mut transaction = store
        .begin_write(author(), Instant::from_unix_millis(0))
        .expect("begin");
    let pack = Pack::vietnam();
    transaction
        .adopt(pack.id(), &pack.to_bytes(), &pack.declaration())
        .expect("adopt");
    let units = ansinh::gazetteer::vietnam();
    let mut numbers = std::collections::HashMap::new();
    for unit in &units {
        if let ansinh::kernel::operation::Answer::UnitCreated(number) = transaction
            .apply(&Operation::AddUnit(unit.clone()))
            .expect("unit")
        {
            numbers.insert(unit.code, number);
        }
    }
    transaction.commit().expect("commit");
    let clock = Clock::now();
    let view = store.begin_read().expect("view");
    let synth = Synth::new(
        SynthOptions {
            people,
            seed,
            ..SynthOptions::default()
        },
        view.catalogue(),
        &units,
    )
    .expect("synth");
    let mut transaction = store
        .begin_write(author(), Instant::from_unix_millis(1))
        .expect("begin");
    for (commune, attribute, value, from) in synth.commune_facts() {
        let subject = ansinh::kernel::operation::Subject::Commune(numbers[&commune]);
        let fact = Operation::Record {
            subject,
            attribute,
            value,
            from,
            until: None,
            document: String::new(),
        };
        transaction.apply(&fact).expect("commune fact");
    }
    let mut loader = transaction.bulk().expect("bulk");
    let mut texts = 0;
    synth
        .for_each_commune_in_order(2, |_, households| {
            for household in &households {
                loader.add(household)?;
                texts += household
                    .people
                    .iter()
                    .map(|person| text_bytes(&person.dossier))
                    .sum::<u64>();
            }
            Ok::<(), ansinh::kernel::WriteError>(())
        })
        .expect("load");
    loader.finish().expect("finish");
    transaction.commit().expect("commit");
    let elapsed = clock.elapsed();
    drop(view);
    store.close().expect("close");
    (elapsed, texts)
}

/// Name, address, account and documents, without lengths.
fn text_bytes(dossier: &ansinh::types::Dossier) -> u64 {
    let documents: usize = dossier.documents.iter().map(|(_, text)| text.len()).sum();
    (dossier.name.len() + dossier.address.len() + dossier.account.len() + documents) as u64
}

/// One run in this process, opening apart; the run is voided afterwards so that the next process can repeat it.
fn run_once(path: &Path) {
    let clock = Clock::now();
    let store = Store::open(path, StoreOptions::default()).expect("open");
    let opened = clock.elapsed();
    let month: Month = "2026-06".parse().expect("month");
    let clock = Clock::now();
    let view = store.begin_read().expect("view");
    let pack = Pack::vietnam();
    let policy = pack.bind(view.catalogue()).expect("bind");
    let request = RunRequest::monthly(month);
    let Preparation::Ready(prepared) = prepare(&view, &policy, &request, &|_, _| {}).expect("prepare") else {
        panic!("the run exists already");
    };
    let computed = clock.elapsed();
    let (people, paid, cells) = (prepared.header.people, prepared.header.paid, prepared.cells);
    let bytes: usize = prepared.ledger_bytes().map(<[u8]>::len).sum();
    let author = || Author::new("bench", "measurement");
    commit(
        &store,
        *prepared,
        &request,
        author(),
        Instant::from_unix_millis(2),
    )
    .expect("commit");
    let all = clock.elapsed();
    println!(
        "run: {:.3} s in all (compute {:.3} s, commit {:.3} s), opening {:.3} s, {people} people, {paid} paid, {cells} cells, ledger {bytes} bytes, peak memory {} MiB",
        all.as_secs_f64(),
        computed.as_secs_f64(),
        all.saturating_sub(computed).as_secs_f64(),
        opened.as_secs_f64(),
        peak_memory(),
    );
    void(
        &store,
        month,
        Scope::Country,
        author(),
        Instant::from_unix_millis(3),
    )
    .expect("void");
    store.close().expect("close");
}

/// The median and the 99th percentile of what `ask` takes, over many random people.
fn percentiles(times: u64, mut ask: impl FnMut(u64)) -> (Duration, Duration) {
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    let mut measured: Vec<Duration> = (0..times)
        .map(|_| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            let clock = Clock::now();
            ask(state >> 33);
            clock.elapsed()
        })
        .collect();
    measured.sort_unstable();
    (measured[measured.len() / 2], measured[measured.len() * 99 / 100])
}

fn measure(people: u64, seed: u64) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("bench.ansinh");
    println!("machine: {}", machine());
    println!("people: {people}, seed: {seed}, month: 2026-06");
    let (took, texts) = create(&path, people, seed);
    println!(
        "made and loaded in {:.1} s ({:.0} people a second)",
        took.as_secs_f64(),
        people as f64 / took.as_secs_f64()
    );
    for _ in 0..5 {
        let program = std::env::current_exe().expect("this program");
        let status = std::process::Command::new(program)
            .arg("--run-in")
            .arg(&path)
            .status()
            .expect("a process");
        assert!(status.success(), "the run failed");
    }
    let store = Store::open_read_only(&path, StoreOptions { cache_bytes: 2 << 30 }).expect("open");
    let view = store.begin_read().expect("view");
    let month: Month = "2026-06".parse().expect("month");
    let pick = |random: u64| PersonNumber((random % people) as u32 + 1);
    let ids: Vec<Identifier> = (0..people.min(200_000))
        .map(|at| {
            let person = pick(at.wrapping_mul(2_654_435_761));
            view.person(person, month, Sequence::NEWEST)
                .expect("read")
                .expect("person")
                .identifier
        })
        .collect();
    let ask = |random: u64| ids[(random % ids.len() as u64) as usize];
    let report = |name: &str, (median, high): (Duration, Duration)| {
        println!(
            "{name}: median {:.2} µs, 99th percentile {:.2} µs",
            median.as_secs_f64() * 1e6,
            high.as_secs_f64() * 1e6
        );
    };
    let times = people.min(200_000);
    report(
        "row by ID",
        percentiles(times, |random| {
            let person = view
                .find_person(ask(random), Sequence::NEWEST)
                .expect("find")
                .expect("person");
            black_box(view.row_of(person).expect("row"));
        }),
    );
    report(
        "whole person by ID",
        percentiles(times, |random| {
            let person = view
                .find_person(ask(random), Sequence::NEWEST)
                .expect("find")
                .expect("person");
            black_box(view.person(person, month, Sequence::NEWEST).expect("person"));
            black_box(view.dossier(person).expect("dossier"));
        }),
    );
    let mut total = 0;
    println!(
        "{:<16}{:>14}{:>16}{:>14}",
        "part", "entries", "bytes in use", "a person"
    );
    for size in view.table_sizes().expect("sizes") {
        total += size.bytes();
        let each = size.bytes() as f64 / people as f64;
        println!(
            "{:<16}{:>14}{:>16}{each:>14.2}",
            size.name,
            size.entries,
            size.bytes()
        );
    }
    println!(
        "{:<16}{:>14}{total:>16}{:>14.2}",
        "together",
        "",
        total as f64 / people as f64
    );
    let of = |parts: &[&str]| -> u64 {
        let sizes = view.table_sizes().expect("sizes");
        sizes
            .iter()
            .filter(|size| parts.contains(&size.name))
            .map(ansinh::kernel::TableSize::bytes)
            .sum()
    };
    let indexes = of(&[
        "ids",
        "persons",
        "rows",
        "household_ids",
        "households",
        "facts",
        "hot",
        "columns",
        "members",
        "references",
    ]);
    println!(
        "hot segments, columns, facts and indexes: {:.2} bytes a person",
        indexes as f64 / people as f64
    );
    let dossiers = of(&["dossiers"]);
    println!(
        "dossiers: {:.0} % of the {texts} bytes of their texts",
        dossiers as f64 * 100.0 / texts as f64
    );
}
