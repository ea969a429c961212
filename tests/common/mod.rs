//! What the tests of the month share: registries with the pack of Vietnam, and outcomes in words.

#![allow(dead_code, reason = "each test file uses a part of it")]

pub mod changes;
pub mod ties;

use ansinh::entitlement::{Preparation, Prepared, RunAnswer, RunHeader, RunRequest, commit, prepare};
use ansinh::kernel::catalogue::{Attribute, Catalogue, SubjectKind};
use ansinh::kernel::operation::{Answer, Operation, Subject};
use ansinh::kernel::units::UnitDeclaration;
use ansinh::kernel::{Author, Store, View};
use ansinh::policy::{Basis, LineKind, Outcome, Pack, Policy};
use ansinh::synth::{Synth, SynthOptions};
use ansinh::types::{Date, Instant, Month, UnitNumber};

/// When everything happens; only sequences order transactions.
pub const AT: Instant = Instant::from_unix_millis(1_780_272_000_000);

pub fn author() -> Author {
    Author::new("clerk 00004", "test")
}

pub fn month(text: &str) -> Month {
    text.parse().unwrap()
}

pub fn date(text: &str) -> Date {
    text.parse().unwrap()
}

/// The attribute of a name.
pub fn attribute<'c>(catalogue: &'c Catalogue, subject: SubjectKind, name: &str) -> &'c Attribute {
    catalogue.attribute(subject, name).unwrap()
}

/// Adopts a pack and adds the units.
pub fn begin(store: &Store, pack: &Pack, units: &[UnitDeclaration]) -> Policy {
    let mut transaction = store.begin_write(author(), AT).unwrap();
    transaction
        .adopt(pack.id(), &pack.to_bytes(), &pack.declaration())
        .unwrap();
    for unit in units {
        let answer = transaction.apply(&Operation::AddUnit(unit.clone())).unwrap();
        assert!(matches!(answer, Answer::UnitCreated(_)));
    }
    transaction.commit().unwrap();
    pack.bind(store.begin_read().unwrap().catalogue()).unwrap()
}

/// Loads a synthetic population in bulk, with the facts of its communes.
pub fn load(store: &Store, units: &[UnitDeclaration], people: u64, seed: u64) {
    let view = store.begin_read().unwrap();
    let options = SynthOptions {
        people,
        seed,
        ..SynthOptions::default()
    };
    let synth = Synth::new(options, view.catalogue(), units).unwrap();
    let mut transaction = store.begin_write(author(), AT).unwrap();
    for (commune, attribute, value, from) in synth.commune_facts() {
        let found = view
            .units()
            .iter()
            .find(|unit| unit.declared.code == commune)
            .unwrap();
        let fact = Operation::Record {
            subject: Subject::Commune(found.number),
            attribute,
            value,
            from,
            until: None,
            document: String::new(),
        };
        transaction.apply(&fact).unwrap();
    }
    let mut loader = transaction.bulk().unwrap();
    let workers = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    synth
        .for_each_commune_in_order(workers, |_, households| {
            for household in &households {
                loader.add(household)?;
            }
            Ok::<(), ansinh::kernel::WriteError>(())
        })
        .unwrap();
    assert_eq!(loader.finish().unwrap().people, people);
    transaction.commit().unwrap();
}

/// Prepares a run that does not exist yet.
pub fn prepared(view: &View, policy: &Policy, request: &RunRequest) -> Prepared {
    match prepare(view, policy, request, &|_, _| {}).unwrap() {
        Preparation::Ready(prepared) => *prepared,
        Preparation::Exists(run) => panic!("run {} exists already", run.number),
    }
}

/// Commits a prepared run that nobody else has made in the meantime.
pub fn committed(store: &Store, prepared: Prepared, request: &RunRequest) -> RunHeader {
    match commit(store, prepared, request, author(), AT).unwrap() {
        RunAnswer::Created(run) => *run,
        RunAnswer::Exists(run) => panic!("run {} exists already", run.number),
    }
}

/// Prepares a run and commits it.
pub fn run(store: &Store, policy: &Policy, request: &RunRequest) -> RunHeader {
    let view = store.begin_read().unwrap();
    let prepared = prepared(&view, policy, request);
    committed(store, prepared, request)
}

/// The bytes that a run would write, as one.
pub fn bytes(prepared: &Prepared) -> Vec<u8> {
    let mut all = Vec::new();
    for part in prepared.ledger_bytes() {
        all.extend_from_slice(&(part.len() as u64).to_le_bytes());
        all.extend_from_slice(part);
    }
    all
}

/// The unit of a commune's code.
pub fn unit_of(view: &View, code: &str) -> UnitNumber {
    let code = code.parse().unwrap();
    let found = view.units().iter().find(|unit| unit.declared.code == code);
    found.unwrap().number
}

/// An outcome in a line: `paid disability 750000`, with ` (month before)` where the state before the month decides;
/// what is held or zero likewise, with its reason.
pub fn text(catalogue: &Catalogue, outcome: &Outcome) -> String {
    let name = |number| catalogue.programme_by_number(number).unwrap().name.as_str();
    if outcome.lines.is_empty() {
        let programme = outcome
            .reason
            .programme()
            .map_or_else(String::new, |programme| format!(" {}", name(programme)));
        return format!("{} {}{programme}", outcome.status, outcome.reason.code());
    }
    let lines: Vec<String> = outcome
        .lines
        .iter()
        .map(|line| {
            let kind = match line.kind {
                LineKind::Paid => "paid",
                LineKind::Held => "held",
                LineKind::Error => "error",
            };
            let basis = match line.basis {
                Basis::EndOfMonth => "",
                Basis::EndOfMonthBefore => " (month before)",
            };
            format!("{kind} {} {}{basis}", name(line.programme), line.amount.get())
        })
        .collect();
    lines.join(" + ")
}
