//! The program is killed while it runs a month, at instants spread over the whole of it: the run is whole or not there.

mod common;

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use ansinh::entitlement::{RunHeader, Scope};
use ansinh::format::locator::SegmentKey;
use ansinh::format::totals::CommuneTotals;
use ansinh::registry::Registry;
use ansinh::types::{Sequence, UnitNumber};
use serde_json::Value as Json;

use common::changes::Dice;
use common::month;

const PEOPLE: &str = "20000";
const MONTH: &str = "2026-06";
/// How many runs are killed.
const KILLS: u64 = 40;
/// On a slow machine no more are begun after this.
const TIME_MAX: Duration = Duration::from_secs(15);

fn command(arguments: &[&str], db: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ansinh"));
    command
        .arg(arguments[0])
        .arg(db)
        .args(&arguments[1..])
        .env("USER", "lan")
        .stdin(Stdio::null());
    command
}

/// Runs the program to its end, and gives what it printed.
#[track_caller]
fn done(arguments: &[&str], db: &Path) -> Json {
    let ran = command(arguments, db).arg("--json").output().unwrap();
    let said = String::from_utf8(ran.stderr).unwrap();
    assert_eq!((ran.status.code(), said.as_str()), (Some(0), ""), "{arguments:?}");
    serde_json::from_slice(&ran.stdout).unwrap()
}

/// Everything of a run that must be the same whenever it is made.
#[derive(Debug, PartialEq)]
struct Whole {
    header: RunHeader,
    outcomes: Vec<Vec<u8>>,
    blocks: Vec<(SegmentKey, Vec<u8>)>,
    totals: Vec<(UnitNumber, CommuneTotals)>,
}

/// The run of the month, if it is there, from a registry whose log verifies to its end; every page that is read on the
/// way has its checksum verified.
fn found(db: &Path) -> Option<Whole> {
    let registry = Registry::open(db).unwrap();
    let view = registry.begin_read().unwrap();
    assert_eq!(view.verify_log().unwrap().sequence, view.newest());
    assert_eq!(view.counts().unwrap().people.to_string(), PEOPLE);
    let run = view.run_of(month(MONTH), Scope::Country).unwrap();
    let whole = run.map(|header| Whole {
        outcomes: view.run_outcomes(header.number).unwrap(),
        blocks: view.run_blocks(header.number).unwrap(),
        totals: view.run_totals(header.number).unwrap(),
        // These two count the transactions before, which are one more after each run that was voided.
        header: RunHeader {
            number: 0,
            data_as_of: Sequence(0),
            ..header
        },
    });
    drop(view);
    registry.close().unwrap();
    whole
}

/// A registry in which nothing was run yet.
fn registry(folder: &Path) -> PathBuf {
    let db = folder.join("killed.ansinh");
    done(&["init"], &db);
    done(&["synth", "--people", PEOPLE], &db);
    db
}

/// When to kill, after the beginning: half of them at any time that a run may take, for none takes just as long as the one
/// before; half of them in the second half of that, where the run is written.
fn when(dice: &mut Dice, kill: u64, whole: Duration) -> Duration {
    let micros = whole.as_micros() as u64 * 5 / 4;
    let from = if kill.is_multiple_of(2) { 0 } else { micros / 2 };
    Duration::from_micros(from + dice.roll(micros - from))
}

#[test]
fn a_run_that_is_killed_at_any_instant_is_whole_or_not_there() {
    let begun = Instant::now();
    let folder = tempfile::tempdir().unwrap();
    let db = registry(folder.path());
    let clock = Instant::now();
    let told = done(&["run", MONTH], &db);
    let duration = clock.elapsed();
    assert_eq!(told["how"], "created");
    let reference = found(&db).unwrap();
    assert!(reference.header.paid > 0);
    assert_eq!(told["people"], reference.header.people);
    done(&["run", MONTH, "--void"], &db);
    assert_eq!(found(&db), None);

    let mut dice = Dice(40);
    let (mut killed, mut absent, mut there) = (0, 0, 0);
    for kill in 0..KILLS {
        if begun.elapsed() > TIME_MAX {
            break;
        }
        // The first is killed before it can have done anything, so that there is one at least.
        let after = if kill == 0 {
            Duration::ZERO
        } else {
            when(&mut dice, kill, duration)
        };
        let mut child = command(&["run", MONTH], &db)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        std::thread::sleep(after);
        child.kill().unwrap();
        killed += u32::from(!child.wait().unwrap().success());
        let Some(left) = found(&db) else {
            absent += 1;
            continue;
        };
        there += 1;
        assert!(left == reference, "killed after {after:?}: the run is another");
        let again = done(&["run", MONTH], &db);
        assert_eq!(again["how"], "exists");
        assert_eq!(again["people"], reference.header.people);
        done(&["run", MONTH, "--void"], &db);
    }
    println!(
        "{killed} runs were killed in time; {absent} were not there, {there} whole; one takes {duration:?}"
    );
    assert!(absent > 0 && killed > 0);

    // And after all that the month is run as if nothing had been.
    assert_eq!(done(&["run", MONTH], &db)["how"], "created");
    assert!(found(&db).unwrap() == reference);
}
