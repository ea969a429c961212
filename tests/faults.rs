//! Damaged pages, a full disk, panics and crashes while a month is run: the registry is as before or as after, and
//! never answers what is wrong.

mod common;

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use ansinh::entitlement::{Preparation, Prepared, RunError, RunRequest, commit, outcomes, prepare, runs};
use ansinh::format::page::{LEADING_PAGES, PAGE_BYTES, SECTOR_BYTES};
use ansinh::gazetteer;
use ansinh::kernel::medium::{Medium, MemoryMedium};
use ansinh::kernel::operation::{Answer, Operation};
use ansinh::kernel::units::UnitDeclaration;
use ansinh::kernel::{ReadError, Store, StoreError, StoreOptions, View, WriteError};
use ansinh::policy::{Pack, Policy};
use ansinh::types::{PersonNumber, Sequence};
use parking_lot::Mutex;

use common::changes::Dice;
use common::{AT, author, begin, bytes, load, month, prepared, run};

fn units() -> Vec<UnitDeclaration> {
    gazetteer::vietnam().into_iter().step_by(300).collect()
}

/// The bytes of a closed registry with people.
fn base(people: u64) -> Vec<u8> {
    let medium = MemoryMedium::new();
    let store = create(Box::new(medium.clone()));
    begin(&store, &Pack::vietnam(), &units());
    load(&store, &units(), people, 9);
    store.close().unwrap();
    medium.to_bytes()
}

fn create(medium: Box<dyn Medium>) -> Store {
    Store::create_on(medium, Path::new("memory"), StoreOptions::default()).unwrap()
}

fn open(medium: impl Medium) -> Result<Store, Box<StoreError>> {
    Store::open_on(Box::new(medium), Path::new("memory"), StoreOptions::default()).map_err(Box::new)
}

fn policy_of(view: &View) -> Policy {
    Pack::vietnam().bind(view.catalogue()).unwrap()
}

fn june() -> RunRequest {
    RunRequest::monthly(month("2026-06"))
}

/// A death, in a transaction of its own.
fn small_change(store: &Store) -> Result<Sequence, WriteError> {
    let mut transaction = store.begin_write(author(), AT)?;
    transaction.apply(&Operation::RecordDeath {
        person: PersonNumber(7),
        date: common::date("2026-06-20"),
        document: "KT-12".to_owned(),
    })?;
    transaction.commit()
}

/// Runs June from preparation to commit.
fn run_june(store: &Store) -> Result<(), RunError> {
    let view = store.begin_read()?;
    let policy = policy_of(&view);
    match prepare(&view, &policy, &june(), &|_, _| {})? {
        Preparation::Ready(prepared) => commit(store, *prepared, &june(), author(), AT).map(drop),
        Preparation::Exists(run) => panic!("{run:?}"),
    }
}

/// Everything that a registry says: sequence, people in June, runs with their blocks, totals and dictionaries. The
/// chain of the log must be whole.
fn contents(store: &Store) -> Vec<String> {
    let view = store.begin_read().unwrap();
    view.verify_log().unwrap();
    let mut all = vec![view.newest().to_string(), format!("{:?}", view.counts().unwrap())];
    for person in view.people() {
        let state = view.person(person, month("2026-06"), Sequence::NEWEST).unwrap();
        all.push(format!("{state:?}"));
    }
    for run in runs(&view).unwrap() {
        all.push(format!("{run:?}"));
        all.push(format!("{:?}", outcomes(&view, &run).unwrap()));
        all.push(format!("{:?}", view.run_blocks(run.number).unwrap()));
        all.push(format!("{:?}", view.run_totals(run.number).unwrap()));
    }
    all
}

/// A medium on which only so many more bytes can be written; the whole sectors that still fit are written.
#[derive(Debug, Clone)]
struct Narrow {
    medium: MemoryMedium,
    room: Arc<Mutex<u64>>,
    full: Arc<AtomicBool>,
}

impl Narrow {
    fn new(bytes: &[u8]) -> Self {
        Self {
            medium: MemoryMedium::from_bytes(bytes.to_vec()),
            room: Arc::new(Mutex::new(u64::MAX)),
            full: Arc::default(),
        }
    }
}

impl Medium for Narrow {
    fn read_at(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.medium.read_at(offset, out)
    }

    fn write_at(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        let mut room = self.room.lock();
        let fits = if *room < data.len() as u64 {
            *room - *room % SECTOR_BYTES as u64
        } else {
            data.len() as u64
        };
        *room -= fits;
        self.medium.write_at(offset, &data[..fits as usize])?;
        if fits < data.len() as u64 {
            self.full.store(true, Ordering::SeqCst);
            return Err(io::ErrorKind::StorageFull.into());
        }
        Ok(())
    }

    fn len(&self) -> io::Result<u64> {
        self.medium.len()
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.medium.set_len(len)
    }

    fn sync(&self) -> io::Result<()> {
        self.medium.sync()
    }

    fn close(&self) -> io::Result<()> {
        self.medium.close()
    }
}

/// How many points of a commit a fault is injected at.
const POINTS: u64 = 40;

/// Does something with ever more room on the disk. Without enough it must fail; the registry is then as before, or
/// as after if the commit said that it may be, and the same can be done when there is room again.
fn with_a_full_disk(base: &[u8], act: &dyn Fn(&Store) -> Result<(), RunError>) {
    let whole = Narrow::new(base);
    let store = open(whole.clone()).unwrap();
    let before = contents(&store);
    *whole.room.lock() = 1 << 40;
    act(&store).unwrap();
    let needed = (1 << 40) - *whole.room.lock();
    let after = contents(&store);
    assert_ne!(before, after);
    drop(store);
    let (mut as_before, mut as_after) = (0, 0);
    for point in 0..POINTS {
        let medium = Narrow::new(base);
        let store = open(medium.clone()).unwrap();
        let room = needed * point / POINTS;
        *medium.room.lock() = room;
        let result = act(&store);
        assert!(
            medium.full.load(Ordering::SeqCst),
            "room for {room} bytes of {needed}"
        );
        let error = result.expect_err("the disk was full");
        let unknown = matches!(&error, RunError::Write(WriteError::CommitUnknown { .. }));
        assert!(
            matches!(&error, RunError::Write(WriteError::Storage(_))) || unknown,
            "{error:?}"
        );
        assert!(!error.to_string().is_empty());
        *medium.room.lock() = u64::MAX;
        drop(store);
        let store = open(medium.medium.copy()).unwrap();
        let found = contents(&store);
        if found == after {
            assert!(
                unknown,
                "an error before the commit, and the change is there: {error}"
            );
            as_after += 1;
        } else {
            assert!(
                found == before,
                "room for {room} bytes of {needed}: neither before nor after"
            );
            as_before += 1;
            act(&store).unwrap();
            assert!(contents(&store) == after);
        }
    }
    assert!(
        as_before > as_after,
        "{as_before} times as before, {as_after} times as after"
    );
}

#[test]
fn a_small_change_on_a_full_disk_is_an_error_and_leaves_everything_as_it_was() {
    with_a_full_disk(&base(300), &|store| {
        small_change(store)?;
        Ok(())
    });
}

#[test]
fn a_run_on_a_full_disk_is_an_error_and_leaves_everything_as_it_was() {
    with_a_full_disk(&base(300), &run_june);
}

/// While the disk is full, what was committed goes on being read.
#[test]
fn a_registry_on_a_full_disk_is_read_as_before() {
    let medium = Narrow::new(&base(300));
    let store = open(medium.clone()).unwrap();
    let before = contents(&store);
    let view = store.begin_read().unwrap();
    let policy = policy_of(&view);
    let run = prepared(&view, &policy, &june()).header;
    assert!(run.people > 290, "{run:?}");
    *medium.room.lock() = 0;
    small_change(&store).unwrap_err();
    assert_eq!(prepared(&view, &policy, &june()).header, run);
    match small_change(&store) {
        // The storage asks to be opened again after a failure.
        Err(error) => assert!(error.to_string().contains("open"), "{error}"),
        Ok(sequence) => panic!("{sequence} was committed without room"),
    }
    drop((view, store));
    let store = open(medium.medium.copy()).unwrap();
    assert!(contents(&store) == before);
}

#[test]
fn a_transaction_that_is_dropped_by_a_panic_leaves_nothing() {
    let medium = MemoryMedium::from_bytes(base(300));
    let store = open(medium.clone()).unwrap();
    let before = contents(&store);
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        let mut transaction = store.begin_write(author(), AT).unwrap();
        let answer = transaction
            .apply(&Operation::RecordDeath {
                person: PersonNumber(7),
                date: common::date("2026-06-20"),
                document: String::new(),
            })
            .unwrap();
        assert_eq!(answer, Answer::Done);
        std::panic::resume_unwind(Box::new("the caller gave up"));
    }));
    assert!(panicked.is_err());
    assert!(contents(&store) == before);
    // A run whose caller gives up in the midst of it leaves nothing either.
    let view = store.begin_read().unwrap();
    let policy = policy_of(&view);
    for workers in [1, 3] {
        let request = RunRequest { workers, ..june() };
        let give_up = |_: usize, _: usize| std::panic::resume_unwind(Box::new("the caller gave up"));
        let result = catch_unwind(AssertUnwindSafe(|| prepare(&view, &policy, &request, &give_up)));
        assert!(
            !matches!(result, Ok(Ok(_))),
            "{workers} workers: a run came of it"
        );
    }
    assert!(contents(&store) == before);
    drop(view);
    let sequence = small_change(&store).unwrap();
    run(&store, &policy, &june());
    assert_eq!(store.begin_read().unwrap().newest(), Sequence(sequence.get() + 1));
    let after = contents(&store);
    store.close().unwrap();
    assert!(contents(&open(medium).unwrap()) == after);
}

/// How many places are damaged.
const DAMAGES: usize = 200;

/// What a run of June comes to must be the expected, or an error that names the damage. Answers whether it was met.
fn june_is(expected: &Prepared, store: &Store, at: u64) -> bool {
    let found = store.begin_read().map_err(RunError::from).and_then(|view| {
        let policy = policy_of(&view);
        prepare(&view, &policy, &june(), &|_, _| {})
    });
    match found {
        Ok(Preparation::Ready(found)) => {
            assert!(bytes(&found) == bytes(expected), "byte {at}: a wrong result");
            assert_eq!(found.header, expected.header);
            assert_eq!(found.totals, expected.totals);
            false
        }
        Err(RunError::Read(ReadError::Damaged(_))) => true,
        other => panic!("byte {at}: {other:?}"),
    }
}

#[test]
fn a_damaged_file_is_not_opened_or_its_run_gives_no_wrong_result() {
    let good = base(2_000);
    let expected = {
        let store = open(MemoryMedium::from_bytes(good.clone())).unwrap();
        let view = store.begin_read().unwrap();
        prepared(&view, &policy_of(&view), &june())
    };
    let first = LEADING_PAGES * PAGE_BYTES as u64;
    let mut dice = Dice(17);
    let mut noticed = 0;
    for _ in 0..DAMAGES {
        let mut bad = good.clone();
        let at = first + dice.roll(good.len() as u64 - first);
        bad[at as usize] ^= 1 << dice.roll(8);
        match open(MemoryMedium::from_bytes(bad)) {
            Ok(store) => noticed += usize::from(june_is(&expected, &store, at)),
            Err(error) => {
                assert!(error.to_string().contains("damaged"), "byte {at}: {error}");
                noticed += 1;
            }
        }
    }
    assert!(
        noticed > DAMAGES / 4,
        "{noticed} of {DAMAGES} damages were noticed"
    );
}

/// Each page in turn goes bad while the registry is open and its cache does not hold it.
#[test]
fn a_page_that_goes_bad_under_an_open_registry_is_met_by_the_run() {
    let good = base(2_000);
    let options = StoreOptions { cache_bytes: 0 };
    let mut expected = None;
    let mut met = 0;
    for page in LEADING_PAGES..good.len() as u64 / PAGE_BYTES as u64 {
        let medium = MemoryMedium::from_bytes(good.clone());
        let store = Store::open_on(Box::new(medium.clone()), Path::new("memory"), options).unwrap();
        let expected = expected.get_or_insert_with(|| {
            let view = store.begin_read().unwrap();
            prepared(&view, &policy_of(&view), &june())
        });
        let at = page * PAGE_BYTES as u64 + page % PAGE_BYTES as u64;
        medium.write_at(at, &[good[at as usize] ^ 0x40]).unwrap();
        if june_is(expected, &store, at) {
            met += 1;
            // Whoever reads on without opening the registry again gets no answer, rather than a wrong one.
            let error = store
                .begin_read()
                .and_then(|view| view.segments())
                .expect_err("the storage failed before");
            assert!(error.to_string().contains("open"), "{error}");
        }
    }
    assert!(met > 10, "{met} pages were met");
}

/// Something done to a [`Recorded`] medium.
#[derive(Debug, Clone)]
enum Event {
    Write(u64, Vec<u8>),
    SetLen(u64),
    Sync,
}

/// Memory that remembers every change, so that the states after a crash can be made of it.
#[derive(Debug, Clone)]
struct Recorded {
    medium: MemoryMedium,
    events: Arc<Mutex<Vec<Event>>>,
}

impl Medium for Recorded {
    fn read_at(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.medium.read_at(offset, out)
    }

    fn write_at(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.events.lock().push(Event::Write(offset, data.to_vec()));
        self.medium.write_at(offset, data)
    }

    fn len(&self) -> io::Result<u64> {
        self.medium.len()
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.events.lock().push(Event::SetLen(len));
        self.medium.set_len(len)
    }

    fn sync(&self) -> io::Result<()> {
        self.events.lock().push(Event::Sync);
        self.medium.sync()
    }

    fn close(&self) -> io::Result<()> {
        self.medium.close()
    }
}

/// What a crash leaves after these events: everything up to the last sync, and of the sectors written after it those
/// that `survives` lets through. The length is that of the last change.
fn crash_image(start: &[u8], events: &[Event], survives: &mut dyn FnMut() -> bool) -> MemoryMedium {
    let synced = events
        .iter()
        .rposition(|event| matches!(event, Event::Sync))
        .unwrap_or(0);
    let image = MemoryMedium::from_bytes(start.to_vec());
    for (number, event) in events.iter().enumerate() {
        match event {
            Event::SetLen(len) => image.set_len(*len).unwrap(),
            Event::Write(offset, data) => {
                for (place, sector) in data.chunks(SECTOR_BYTES).enumerate() {
                    if number < synced || survives() {
                        let at = offset + (place * SECTOR_BYTES) as u64;
                        image.write_at(at, sector).unwrap();
                    }
                }
            }
            Event::Sync => {}
        }
    }
    image
}

/// Everything from the opening of the registry to the end of the run's commit, cut off at many points, with none,
/// some or all of what was not yet synced.
#[test]
fn a_run_is_whole_after_a_crash_or_not_there() {
    let start = base(600);
    let recorded = Recorded {
        medium: MemoryMedium::from_bytes(start.clone()),
        events: Arc::default(),
    };
    let store = open(recorded.clone()).unwrap();
    let before = contents(&store);
    run_june(&store).unwrap();
    let after = contents(&store);
    let events = recorded.events.lock().clone();
    drop(store);
    let mut dice = Dice(23);
    let (mut there, mut not_there) = (0, 0);
    let step = (events.len() / 60).max(1);
    // The last few events are those between the two syncs of the commit and after them: all are tried.
    let (early, late) = events.split_at(events.len().saturating_sub(12));
    let points = (0..early.len()).step_by(step);
    for until in points.chain(early.len()..=early.len() + late.len()) {
        for chances in [0, 1, 2, 4] {
            // None survive, all, half, a quarter.
            let mut survives = || chances > 0 && dice.roll(chances) == 0;
            let image = crash_image(&start, &events[..until], &mut survives);
            let store = open(image).unwrap();
            let found = contents(&store);
            if found == after {
                there += 1;
            } else {
                assert!(
                    found == before,
                    "cut off after {until} events: neither before nor after"
                );
                not_there += 1;
                run_june(&store).unwrap();
                assert!(contents(&store) == after);
            }
        }
    }
    assert!(
        there > 0 && not_there > 40,
        "{there} times there, {not_there} times not"
    );
}
