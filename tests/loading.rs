//! A population entered by operations and one loaded in bulk give the same answers, on any number of threads.

use ansinh::export::export;
use ansinh::gazetteer;
use ansinh::import::{ImportOptions, ImportReport, import};
use ansinh::kernel::log::LoggedOperation;
use ansinh::kernel::operation::{Operation, Refusal};
use ansinh::kernel::{Author, BulkLoader, Store, StoreOptions, View, WriteError};
use ansinh::policy::Pack;
use ansinh::synth::{Synth, SynthOptions};
use ansinh::types::{Instant, Month, Sequence};

#[path = "common/ties.rs"]
mod ties;

const PEOPLE: u64 = 4_000;

fn new_store(folder: &std::path::Path, name: &str) -> Store {
    let store = Store::create(&folder.join(name), StoreOptions::default()).unwrap();
    let mut transaction = store
        .begin_write(Author::new("test", "units"), Instant::from_unix_millis(0))
        .unwrap();
    let pack = Pack::vietnam();
    transaction
        .adopt(pack.id(), &pack.to_bytes(), &pack.declaration())
        .unwrap();
    for unit in gazetteer::vietnam() {
        transaction.apply(&Operation::AddUnit(unit)).unwrap();
    }
    transaction.commit().unwrap();
    store
}

fn fill(store: &Store, bulk: bool) {
    let view = store.begin_read().unwrap();
    let units = gazetteer::vietnam();
    let options = SynthOptions {
        people: PEOPLE,
        seed: 7,
        ..SynthOptions::default()
    };
    let synth = Synth::new(options, view.catalogue(), &units).unwrap();
    let mut transaction = store
        .begin_write(Author::new("test", "people"), Instant::from_unix_millis(1))
        .unwrap();
    if bulk {
        let mut loader = transaction.bulk().unwrap();
        for commune in 0..synth.communes() {
            for household in synth.commune(commune).1 {
                loader.add(&household).unwrap();
            }
        }
        assert_eq!(loader.finish().unwrap().people, PEOPLE);
    } else {
        for commune in 0..synth.communes() {
            for household in synth.commune(commune).1 {
                transaction.enter_household(&household).unwrap();
            }
        }
    }
    transaction.commit().unwrap();
}

fn assert_same(one: &View, other: &View) {
    assert_eq!(one.counts().unwrap(), other.counts().unwrap());
    let months: Vec<Month> = ["2025-06", "2025-07", "2026-05", "2026-06", "2026-07", "2027-01"]
        .map(|month| month.parse().unwrap())
        .to_vec();
    for &month in &months {
        for person in one.people() {
            let (a, b) = (
                one.person(person, month, Sequence::NEWEST).unwrap().unwrap(),
                other.person(person, month, Sequence::NEWEST).unwrap().unwrap(),
            );
            assert_eq!(a, b, "{person} in {month}");
        }
        for household in one.households().step_by(7) {
            let (a, b) = (
                one.household(household, month, Sequence::NEWEST).unwrap(),
                other.household(household, month, Sequence::NEWEST).unwrap(),
            );
            assert_eq!(a, b, "{household} in {month}");
        }
        for unit in one.units() {
            let (a, b) = (
                one.commune(unit.number, month, Sequence::NEWEST)
                    .unwrap()
                    .unwrap(),
                other
                    .commune(unit.number, month, Sequence::NEWEST)
                    .unwrap()
                    .unwrap(),
            );
            assert_eq!(a, b, "{} in {month}", unit.number);
        }
    }
    for person in one.people().step_by(13) {
        assert_eq!(
            one.dossier(person).unwrap().name,
            other.dossier(person).unwrap().name
        );
    }
}

#[test]
fn operations_and_bulk_load_agree() {
    let folder = tempfile::tempdir().unwrap();
    let (one, other) = (
        new_store(folder.path(), "operations"),
        new_store(folder.path(), "bulk"),
    );
    fill(&one, false);
    fill(&other, true);
    assert_same(&one.begin_read().unwrap(), &other.begin_read().unwrap());
    other.close().unwrap();
    let other = Store::open_read_only(&folder.path().join("bulk"), StoreOptions::default()).unwrap();
    assert_same(&one.begin_read().unwrap(), &other.begin_read().unwrap());
}

#[test]
fn communes_list_whom_persons_say_live_there() {
    let folder = tempfile::tempdir().unwrap();
    let store = new_store(folder.path(), "bulk");
    fill(&store, true);
    let view = store.begin_read().unwrap();
    for month in ["2025-09", "2026-06", "2026-12"] {
        let month: Month = month.parse().unwrap();
        let people: Vec<_> = view
            .people()
            .map(|person| view.person(person, month, Sequence::NEWEST).unwrap())
            .collect();
        let told = ties::Everyone(&people)
            .compare_ties(&view, month, Sequence::NEWEST)
            .unwrap();
        assert!(
            told.households * 10 > told.people * 9 && told.named * 50 > told.people,
            "rows should tell of nearly everyone: {told:?}"
        );
        let mut present = std::collections::BTreeMap::new();
        for person in view.people() {
            let state = view.person(person, month, Sequence::NEWEST).unwrap().unwrap();
            if state.present {
                present
                    .entry(state.unit.unwrap())
                    .or_insert_with(Vec::new)
                    .push(person);
            }
        }
        for unit in view.units() {
            let residents = view
                .commune(unit.number, month, Sequence::NEWEST)
                .unwrap()
                .unwrap()
                .residents;
            assert_eq!(
                residents,
                present.remove(&unit.number).unwrap_or_default(),
                "{} in {month}",
                unit.number
            );
        }
    }
}

/// Everything that a registry says of itself as a CSV file, and the digest of its last load.
fn content(store: &Store) -> (Vec<u8>, [u8; 32]) {
    let view = store.begin_read().unwrap();
    let mut file = Vec::new();
    export(&view, &mut file, &mut |_| {}).unwrap();
    let last = view.log_operations(view.newest()).unwrap().pop();
    let Some(LoggedOperation::Bulk { digest, .. }) = last else {
        panic!("the last operation is {last:?}");
    };
    (file, digest)
}

/// A registry with a synthetic population of several batches, loaded on so many threads.
fn loaded_on(folder: &std::path::Path, workers: usize, people: u64) -> Store {
    let store = new_store(folder, &format!("{workers} workers"));
    let options = SynthOptions {
        people,
        seed: 7,
        ..SynthOptions::default()
    };
    let catalogue = store.begin_read().unwrap().catalogue().clone();
    let synth = Synth::new(options, &catalogue, &gazetteer::vietnam()).unwrap();
    let author = Author::new("test", "people");
    let mut transaction = store.begin_write(author, Instant::from_unix_millis(1)).unwrap();
    let mut loader = transaction.bulk().unwrap();
    let mut heard = 0;
    synth.add_to(&mut loader, workers, |more| heard += more).unwrap();
    assert_eq!((loader.finish().unwrap().people, heard), (people, people));
    transaction.commit().unwrap();
    store
}

#[test]
fn any_number_of_threads_loads_the_same() {
    const PEOPLE: u64 = 40_000;
    let folder = tempfile::tempdir().unwrap();
    let one = content(&loaded_on(folder.path(), 1, PEOPLE));
    for workers in [2, 8] {
        let many = content(&loaded_on(folder.path(), workers, PEOPLE));
        assert!(one == many, "{workers} workers load something else than one");
    }
    let (file, _) = one;
    let import_on = |workers: usize| -> (ImportReport, (Vec<u8>, [u8; 32])) {
        let store = new_store(folder.path(), &format!("import on {workers}"));
        let author = Author::new("test", "an import");
        let options = ImportOptions::new(author, Instant::from_unix_millis(2)).on(workers);
        let report = import(&store, file.as_slice(), &options, None, &mut |_| {}).unwrap();
        let view = store.begin_read().unwrap();
        assert_eq!(view.newest().get(), report.sequence.unwrap().get());
        (report, content(&store))
    };
    let first = import_on(1);
    assert_eq!(
        (first.0.accepted, first.0.rejected, first.0.bulk),
        (PEOPLE, 0, true)
    );
    assert!(first.1.0 == file, "an import gives another file than it took");
    for workers in [2, 8] {
        assert!(
            first == import_on(workers),
            "{workers} workers import something else than one"
        );
    }
}

/// Fills batches with the communes of a small population until `spoil` fails, and expects that nothing of it is kept.
fn spoilt(spoil: impl Fn(usize) -> Result<(), WriteError> + Sync) -> WriteError {
    let folder = tempfile::tempdir().unwrap();
    let store = new_store(folder.path(), "spoilt");
    let before = store.begin_read().unwrap().newest();
    let options = SynthOptions {
        people: PEOPLE,
        ..SynthOptions::default()
    };
    let catalogue = store.begin_read().unwrap().catalogue().clone();
    let synth = Synth::new(options, &catalogue, &gazetteer::vietnam()).unwrap();
    let author = Author::new("test", "people");
    let mut transaction = store.begin_write(author, Instant::from_unix_millis(1)).unwrap();
    let mut loader: BulkLoader<'_, '_> = transaction.bulk().unwrap();
    let error = loader
        .add_batches(
            3,
            100,
            |index, batch| {
                spoil(index)?;
                for household in synth.commune(index).1 {
                    batch.add(&household)?;
                }
                Ok::<(), WriteError>(())
            },
            |(), _| Ok(()),
        )
        .unwrap_err();
    let again = loader.add_batches(1, 0, |_, _| Ok::<(), WriteError>(()), |(), _| Ok(()));
    assert!(matches!(again, Err(WriteError::Poisoned)), "{again:?}");
    assert!(matches!(loader.finish(), Err(WriteError::Poisoned)));
    assert!(matches!(transaction.commit(), Err(WriteError::Poisoned)));
    let view = store.begin_read().unwrap();
    assert_eq!((view.newest(), view.counts().unwrap().people), (before, 0));
    error
}

#[test]
fn a_thread_that_panics_or_fails_leaves_nothing() {
    let error = spoilt(|index| {
        assert!(index != 40, "the forty-first commune");
        Ok(())
    });
    assert!(
        matches!(&error, WriteError::Panicked { message } if message.contains("the forty-first commune")),
        "{error}"
    );
    let error = spoilt(|index| match index {
        40 => Err(Refusal::EndsBeforeStart {
            from: Month::MAX,
            until: Month::MIN,
        }
        .into()),
        _ => Ok(()),
    });
    assert!(matches!(error, WriteError::Refused(_)), "{error}");
}
