//! A population entered by operations and one loaded in bulk give the same answers.

use ansinh::gazetteer;
use ansinh::kernel::operation::Operation;
use ansinh::kernel::{Author, Store, StoreOptions, View};
use ansinh::policy::Pack;
use ansinh::synth::{Synth, SynthOptions};
use ansinh::types::{Instant, Month, Sequence};

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
