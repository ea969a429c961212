//! A run that somebody cancels, or in which a thread panics: nothing of it is there, and the registry goes on.

mod common;

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use ansinh::entitlement::{
    Cancel, DiffError, DiffRequest, Preparation, RunAnswer, RunError, RunRequest, Scope,
};
use ansinh::gazetteer;
use ansinh::kernel::medium::MemoryMedium;
use ansinh::kernel::units::UnitDeclaration;
use ansinh::kernel::{Store, StoreOptions};
use ansinh::policy::Pack;
use ansinh::query::QueryError;
use ansinh::registry::{Registry, RegistryError};
use ansinh::types::Sequence;

use common::{AT, author, begin, load, month};

const PEOPLE: u64 = 6_000;
const MONTH: &str = "2026-06";
/// More than the groups of segments that one thread takes at once, so that a cancelled run has something left to do.
const UNITS_EVERY: usize = 40;

fn registry() -> Registry {
    let units: Vec<UnitDeclaration> = gazetteer::vietnam().into_iter().step_by(UNITS_EVERY).collect();
    let medium = Box::new(MemoryMedium::new());
    let store = Store::create_on(medium, Path::new("memory"), StoreOptions::default()).unwrap();
    begin(&store, &Pack::vietnam(), &units);
    load(&store, &units, PEOPLE, 3);
    Registry::over(store)
}

/// A request with so many workers, and who may cancel it.
fn request(workers: usize) -> (RunRequest, Cancel) {
    let cancel = Cancel::default();
    let request = RunRequest {
        workers,
        ..RunRequest::monthly(month(MONTH))
    };
    (request.cancelled_by(cancel.clone()), cancel)
}

fn newest(registry: &Registry) -> Sequence {
    registry.begin_read().unwrap().newest()
}

/// Nothing was written since, and the month can be run.
fn goes_on(registry: &Registry, before: Sequence) {
    let view = registry.begin_read().unwrap();
    assert_eq!(view.newest(), before);
    assert!(view.run_headers().unwrap().is_empty());
    assert_eq!(view.verify_log().unwrap().sequence, before);
    drop(view);
    let request = RunRequest::monthly(month(MONTH));
    let made = registry.run(&request, author(), AT, &|_, _| {}).unwrap();
    let RunAnswer::Created(run) = made else {
        panic!("{made:?}");
    };
    assert!(run.paid > 0);
    let view = registry.begin_read().unwrap();
    assert_eq!(view.run_headers().unwrap(), [*run]);
}

#[track_caller]
fn is_cancelled(made: Result<RunAnswer, RegistryError>) {
    let error = made.unwrap_err();
    let RegistryError::Run(run) = &error else {
        panic!("{error:?}");
    };
    assert!(matches!(**run, RunError::Cancelled), "{run:?}");
    assert_eq!(
        error.to_string(),
        "the run was cancelled: nothing was written; run it again when wanted"
    );
}

#[test]
fn a_run_that_is_cancelled_when_it_has_begun_leaves_nothing_and_does_not_go_on() {
    let registry = registry();
    let before = newest(&registry);
    for workers in [1, 2, 5] {
        let (request, cancel) = request(workers);
        let (heard, done) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let made = registry.run(&request, author(), AT, &|at, all| {
            cancel.cancel();
            heard.fetch_add(1, Ordering::Relaxed);
            assert!(at <= all);
            done.fetch_max(all, Ordering::Relaxed);
        });
        is_cancelled(made);
        // Each worker finishes at most the group that it is at, and there are more groups than that.
        assert!(heard.into_inner() <= workers);
        assert!(done.into_inner() > 16 * workers, "too few segments to tell");
        assert_eq!(newest(&registry), before);
    }
    goes_on(&registry, before);
}

#[test]
fn a_run_that_is_cancelled_when_all_is_worked_out_is_not_committed() {
    let registry = registry();
    let before = newest(&registry);
    let (request, cancel) = request(2);
    let view = registry.begin_read().unwrap();
    let Preparation::Ready(prepared) = view.prepare_run(&request, &|_, _| {}).unwrap() else {
        panic!("there is no run yet");
    };
    drop(view);
    cancel.cancel();
    is_cancelled(registry.commit_run(*prepared, &request, author(), AT));
    // A token that was used stays used: with it the run is cancelled before it begins.
    let never = |_, _| panic!("nothing is worked out");
    is_cancelled(registry.run(&request, author(), AT, &never));
    goes_on(&registry, before);
}

#[test]
fn a_run_is_cancelled_while_it_waits_for_another_writer() {
    let registry = registry();
    let (request, cancel) = request(1);
    let view = registry.begin_read().unwrap();
    let Preparation::Ready(prepared) = view.prepare_run(&request, &|_, _| {}).unwrap() else {
        panic!("there is no run yet");
    };
    drop(view);
    let mut other = registry.begin_write(author(), AT).unwrap();
    let person = registry.begin_read().unwrap().people().next().unwrap();
    other
        .record(person, "stable_income", "true", month("2026-07"))
        .unwrap();
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| registry.commit_run(*prepared, &request, author(), AT));
        cancel.cancel();
        other.commit().unwrap();
        is_cancelled(waiting.join().unwrap());
    });
    let after = newest(&registry);
    goes_on(&registry, after);
}

#[test]
fn a_panic_of_any_thread_is_an_error_that_names_its_cause_and_leaves_nothing() {
    let registry = registry();
    let before = newest(&registry);
    for workers in [1, 4] {
        let (request, _) = request(workers);
        let made = registry.run(&request, author(), AT, &|done, _| {
            panic!("the {done}th segment is odd")
        });
        let said = made.unwrap_err().to_string();
        assert!(
            said.starts_with("a worker of the run stopped with a fault: the ")
                && said.ends_with("th segment is odd; nothing was written, report this"),
            "{said}"
        );
    }
    goes_on(&registry, before);
}

#[test]
fn a_comparison_and_a_question_are_cancelled_likewise() {
    let registry = registry();
    let view = registry.begin_read().unwrap();
    let pack = Pack::vietnam();
    let cancel = Cancel::default();
    let request = DiffRequest::monthly(month(MONTH)).cancelled_by(cancel.clone());
    let error = view
        .diff(&pack, &pack, &request, &|_, _| cancel.cancel())
        .unwrap_err();
    let RegistryError::Diff(diff) = &error else {
        panic!("{error:?}");
    };
    assert!(matches!(**diff, DiffError::Cancelled), "{diff:?}");

    let fresh = Cancel::default();
    let question = view.find("age >= 75").unwrap().cancelled_by(&fresh);
    assert!(question.count().unwrap().matching > 0);
    fresh.cancel();
    let error = question.count().unwrap_err();
    let RegistryError::Query(query) = &error else {
        panic!("{error:?}");
    };
    assert!(matches!(**query, QueryError::Cancelled), "{query:?}");
    assert!(view.run_of(month(MONTH), Scope::Country).unwrap().is_none());
}
