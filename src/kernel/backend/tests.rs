use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use parking_lot::Mutex;
use proptest::prelude::*;
use redb::{
    Builder, Database, DatabaseError, Durability, ReadableDatabase, ReadableTable, StorageError,
    TableDefinition,
};

use super::*;
use crate::kernel::medium::testing::{Dice, Event, Fault, FaultyMedium, RecordingMedium, Tear};
use crate::kernel::medium::{FileMedium, MediumError, MemoryMedium};

const TABLE: TableDefinition<u64, &[u8]> = TableDefinition::new("values");
const FILE_ID: [u8; 16] = *b"a file for tests";
const CACHE_BYTES: usize = 256 * 1024;

type State = BTreeMap<u64, Vec<u8>>;

fn builder() -> Builder {
    let mut builder = Builder::new();
    builder.set_cache_size(CACHE_BYTES);
    builder
}

fn create<M: Medium>(medium: M) -> (Database, BackendHandle<M>) {
    let backend = ChecksummedBackend::create(medium, FileHeader::new(FILE_ID)).unwrap();
    let handle = backend.handle();
    (builder().create_with_backend(backend).unwrap(), handle)
}

fn open<M: Medium>(medium: M) -> (Database, BackendHandle<M>) {
    let backend = ChecksummedBackend::open(medium, Access::ReadWrite).unwrap();
    let handle = backend.handle();
    let database = builder().create_with_backend(backend).unwrap();
    handle.accept().unwrap();
    (database, handle)
}

#[derive(Clone, Copy, Debug)]
enum Commit {
    OnePhase,
    TwoPhase,
    QuickRepair,
    NotDurable,
}

fn try_commit(database: &Database, how: Commit, changes: &State) -> Result<(), redb::Error> {
    let mut transaction = database.begin_write()?;
    match how {
        Commit::OnePhase => {}
        Commit::TwoPhase => transaction.set_two_phase_commit(true),
        Commit::QuickRepair => transaction.set_quick_repair(true),
        Commit::NotDurable => transaction.set_durability(Durability::None)?,
    }
    {
        let mut table = transaction.open_table(TABLE)?;
        for (key, value) in changes {
            if value.is_empty() {
                table.remove(key)?;
            } else {
                table.insert(key, &value[..])?;
            }
        }
    }
    transaction.commit()?;
    Ok(())
}

fn commit(database: &Database, how: Commit, changes: &State) {
    try_commit(database, how, changes).unwrap();
}

fn contents(database: &impl ReadableDatabase) -> Result<State, redb::Error> {
    let transaction = database.begin_read()?;
    let table = match transaction.open_table(TABLE) {
        Err(redb::TableError::TableDoesNotExist(_)) => return Ok(State::new()),
        table => table?,
    };
    let mut state = State::new();
    for entry in table.iter()? {
        let (key, value) = entry?;
        state.insert(key.value(), value.value().to_vec());
    }
    Ok(state)
}

/// Some small values, some of many pages, some removals.
fn changes(dice: &mut Dice, entries: u64) -> State {
    (0..entries)
        .map(|_| {
            let bytes = match dice.roll(16) {
                0 => 0,
                1 => 4096 * dice.roll(70),
                2..4 => dice.roll(9000),
                _ => 20 + dice.roll(200),
            };
            let fill = dice.roll(251) as u8;
            (
                dice.roll(300),
                (0..bytes).map(|at| fill.wrapping_add((at / 7) as u8)).collect(),
            )
        })
        .collect()
}

fn apply(state: &mut State, changes: &State) {
    for (key, value) in changes {
        if value.is_empty() {
            state.remove(key);
        } else {
            state.insert(*key, value.clone());
        }
    }
}

/// A registry of several hundred pages, closed. Returns its contents too.
fn closed_file() -> (MemoryMedium, State) {
    let medium = MemoryMedium::new();
    let (database, _) = create(medium.clone());
    let mut dice = Dice::new(11);
    let mut state = State::new();
    for _ in 0..4 {
        let changes = changes(&mut dice, 150);
        commit(&database, Commit::OnePhase, &changes);
        apply(&mut state, &changes);
    }
    database.close().unwrap();
    (medium, state)
}

fn flags(medium: &impl Medium) -> SuperHeaderFlags {
    SuperHeaderFlags::read(&super_page(medium)).unwrap()
}

fn super_page(medium: &impl Medium) -> PageBytes {
    read_super_page(medium, PageHasher::new(&FILE_ID))
        .unwrap()
        .unwrap()
}

fn flip(medium: &MemoryMedium, offset: u64, mask: u8) {
    let mut byte = [0];
    medium.read_at(offset, &mut byte).unwrap();
    medium.write_at(offset, &[byte[0] ^ mask]).unwrap();
}

/// Opens, reads everything, closes.
fn read_all(medium: MemoryMedium) -> Result<State, Box<dyn std::error::Error>> {
    let backend = ChecksummedBackend::open(medium, Access::ReadWrite)?;
    let handle = backend.handle();
    let database = builder()
        .create_with_backend(backend)
        .map_err(redb::Error::from)?;
    handle.accept()?;
    let state = contents(&database)?;
    database.close().map_err(redb::Error::from)?;
    Ok(state)
}

#[test]
fn the_flags_are_those_of_the_real_redb() {
    let medium = MemoryMedium::new();
    let (database, _) = create(medium.clone());
    commit(&database, Commit::OnePhase, &changes(&mut Dice::new(1), 20));
    assert_eq!(
        flags(&medium),
        SuperHeaderFlags {
            recovery_required: true,
            two_phase: false
        }
    );
    commit(&database, Commit::TwoPhase, &changes(&mut Dice::new(2), 20));
    assert_eq!(
        flags(&medium),
        SuperHeaderFlags {
            recovery_required: true,
            two_phase: true
        }
    );
    commit(&database, Commit::OnePhase, &changes(&mut Dice::new(3), 20));
    database.close().unwrap();
    assert_eq!(
        flags(&medium),
        SuperHeaderFlags {
            recovery_required: false,
            two_phase: true
        }
    );
    let page = super_page(&medium);
    assert!(is_zero(
        &page[crate::format::page::SUPER_HEADER_BYTES..EMBEDDED_SLOT_START]
    ));
    assert!(is_zero(&page[EMBEDDED_SLOT_END..]));
}

#[test]
fn a_database_in_memory_comes_back() {
    let (medium, state) = closed_file();
    let (database, handle) = open(medium);
    assert!(!handle.needed_recovery());
    assert_eq!(contents(&database).unwrap(), state);
    let stats = handle.stats();
    assert!(
        stats.pages_read > 100 && stats.pages_verified == stats.pages_read,
        "{stats:?}"
    );
    assert_eq!(stats.slots_recovered, 0);
    assert!(stats.slot_pages_read > 0 && stats.syncs > 0 && stats.bytes_written > 0);
}

#[test]
fn a_database_in_a_file_comes_back_and_is_locked_meanwhile() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("test.ansinh");
    let (database, _) = create(FileMedium::create(&path).unwrap());
    let changes = changes(&mut Dice::new(5), 200);
    let mut state = State::new();
    apply(&mut state, &changes);
    commit(&database, Commit::OnePhase, &changes);
    for access in [Access::ReadOnly, Access::ReadWrite] {
        let error = FileMedium::open(&path, access).unwrap_err();
        assert!(matches!(error, MediumError::OpenElsewhere { .. }), "{error}");
        assert!(
            error.to_string().contains("test.ansinh is open elsewhere"),
            "{error}"
        );
    }
    assert!(
        FileMedium::create(&path).is_err(),
        "an existing file is never created over"
    );
    database.close().unwrap();

    let (database, _) = open(FileMedium::open(&path, Access::ReadWrite).unwrap());
    assert_eq!(contents(&database).unwrap(), state);
    drop(database);
    let lengths = std::fs::metadata(&path).unwrap().len();
    assert!(logical_pages(lengths).is_some());
}

#[test]
fn readers_share_a_closed_file_and_keep_writers_out() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("test.ansinh");
    let (database, _) = create(FileMedium::create(&path).unwrap());
    let state = State::from([(1, vec![1; 9000]), (2, vec![2])]);
    commit(&database, Commit::OnePhase, &state);
    database.close().unwrap();
    let before = std::fs::read(&path).unwrap();

    let reader = || {
        let medium = FileMedium::open(&path, Access::ReadOnly).unwrap();
        let backend = ChecksummedBackend::open(medium, Access::ReadOnly).unwrap();
        let handle = backend.handle();
        let database = builder().open_read_only_with_backend(backend).unwrap();
        assert_eq!(handle.accept().unwrap(), 0);
        database
    };
    let (one, two) = (reader(), reader());
    assert_eq!(contents(&one).unwrap(), state);
    assert_eq!(contents(&two).unwrap(), state);
    let error = FileMedium::open(&path, Access::ReadWrite).unwrap_err();
    assert!(matches!(error, MediumError::OpenElsewhere { .. }), "{error}");
    drop((one, two));
    assert_eq!(std::fs::read(&path).unwrap(), before, "reading changes nothing");
    FileMedium::open(&path, Access::ReadWrite).unwrap();
}

#[test]
fn a_file_that_needs_recovery_is_not_opened_for_reading_only() {
    for how in [Commit::OnePhase, Commit::QuickRepair] {
        let medium = MemoryMedium::new();
        let (database, _) = create(medium.clone());
        commit(&database, how, &changes(&mut Dice::new(6), 50));
        let crashed = medium.copy();
        drop(database);
        let backend = ChecksummedBackend::open(crashed.clone(), Access::ReadOnly).unwrap();
        assert!(backend.handle().needed_recovery());
        let before = crashed.to_bytes();
        let error = builder().open_read_only_with_backend(backend).err().unwrap();
        assert!(matches!(error, DatabaseError::RepairAborted), "{error}");
        assert!(crashed.to_bytes() == before, "nothing was written");
    }
}

#[test]
fn a_backend_open_for_reading_refuses_to_write() {
    let (medium, _) = closed_file();
    let backend = ChecksummedBackend::open(medium, Access::ReadOnly).unwrap();
    let refusals = [backend.write(0, &[1]), backend.set_len(0), backend.sync_data()];
    for refusal in refusals {
        assert_eq!(refusal.unwrap_err().kind(), io::ErrorKind::PermissionDenied);
    }
}

#[test]
fn an_unfinished_or_cut_file_is_told_from_a_damaged_one() {
    let backend = ChecksummedBackend::create(MemoryMedium::new(), FileHeader::new(FILE_ID)).unwrap();
    let medium = backend.inner.medium.clone();
    let open = |medium: &MemoryMedium| ChecksummedBackend::open(medium.clone(), Access::ReadWrite);
    assert!(matches!(open(&medium), Err(BackendOpenError::Unfinished)));
    backend.set_len(40 * PAGE).unwrap();
    assert!(matches!(open(&medium), Err(BackendOpenError::Unfinished)));
    let again = ChecksummedBackend::create(medium, FileHeader::new(FILE_ID));
    assert!(matches!(again, Err(BackendOpenError::NotEmpty { bytes }) if bytes > 40 * PAGE));

    let (medium, _) = closed_file();
    medium.set_len(medium.len().unwrap() - 100).unwrap();
    assert!(matches!(open(&medium), Err(BackendOpenError::Length { .. })));
    medium.set_len(3 * PAGE).unwrap();
    assert!(matches!(open(&medium), Err(BackendOpenError::Length { .. })));
    medium.set_len(40 * PAGE).unwrap();
    let backend = open(&medium).unwrap();
    assert!(
        builder().create_with_backend(backend).is_err(),
        "redb misses the rest"
    );
    medium.set_len(100).unwrap();
    assert!(matches!(
        open(&medium),
        Err(BackendOpenError::Header(HeaderError::Damaged { .. }))
    ));
    medium.set_len(0).unwrap();
    assert!(matches!(
        open(&medium),
        Err(BackendOpenError::Header(HeaderError::NotARegistry { .. }))
    ));
}

/// Remembers which physical pages were read.
#[derive(Clone, Debug)]
struct Watched {
    medium: MemoryMedium,
    pages: Arc<Mutex<BTreeSet<u64>>>,
}

impl Medium for Watched {
    fn read_at(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.pages
            .lock()
            .extend(offset / PAGE..(offset + out.len() as u64).div_ceil(PAGE));
        self.medium.read_at(offset, out)
    }
    fn write_at(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.medium.write_at(offset, data)
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

/// A panic of redb would fail this test: every error comes from the backend, before redb sees the page.
#[test]
fn every_flipped_byte_is_an_error_or_harmless() {
    let (medium, state) = closed_file();
    let watched = Watched {
        medium: medium.copy(),
        pages: Arc::default(),
    };
    let (database, _) = open(watched.clone());
    contents(&database).unwrap();
    let read = watched.pages.lock().clone();
    drop(database);
    assert!(read.len() > 300, "{} pages", read.len());

    let mut dice = Dice::new(3);
    let mut damaged = 0;
    for page in 0..medium.len().unwrap() / PAGE {
        let is_slot_page = page >= 2 && (page - 2).is_multiple_of(GROUP_DATA_PAGES + 1);
        // Every byte of redb's header; elsewhere a sample, denser where it matters.
        let places: Vec<u64> = match page {
            1 => (0..560).collect(),
            _ if is_slot_page => (0..60).map(|_| dice.roll(PAGE)).collect(),
            _ if read.contains(&page) => (0..2).map(|_| dice.roll(PAGE)).collect(),
            _ => Vec::new(),
        };
        for place in places {
            let image = medium.copy();
            let mask = 1 + dice.roll(255) as u8;
            flip(&image, page * PAGE + place, mask);
            match read_all(image) {
                Ok(found) => {
                    assert!(
                        is_slot_page,
                        "page {page} byte {place} ^ {mask:02x} was not noticed"
                    );
                    assert_eq!(found, state, "slot page {page} byte {place}");
                }
                Err(error) => {
                    let about = format!("{error:?}");
                    let known = ["DamagedPage", "Damaged(", "Damaged {"]
                        .iter()
                        .any(|word| about.contains(word));
                    assert!(known, "page {page} byte {place} ^ {mask:02x}: {about}");
                    damaged += 1;
                }
            }
        }
    }
    assert!(damaged > 1000, "{damaged}");
}

#[test]
fn damage_names_its_page_once_and_the_handle_keeps_it() {
    let medium = MemoryMedium::new();
    let backend = ChecksummedBackend::create(medium.clone(), FileHeader::new(FILE_ID)).unwrap();
    let handle = backend.handle();
    // Without a cache every read reaches the backend.
    let database = builder().set_cache_size(0).create_with_backend(backend).unwrap();
    for key in 1..=2 {
        commit(
            &database,
            Commit::OnePhase,
            &State::from([(key, vec![6 + key as u8; 60_000])]),
        );
    }
    let value_at = medium
        .to_bytes()
        .windows(64)
        .position(|bytes| bytes == [7; 64])
        .unwrap() as u64
        + 20_000;
    flip(&medium, value_at, 1);
    let transaction = database.begin_read().unwrap();
    let table = transaction.open_table(TABLE).unwrap();
    assert!(handle.first_damage().is_none());
    let error = table.get(1).err().unwrap();
    let damage = DamagedPage::in_storage_error(&error).expect("a damaged page");
    assert_eq!(damage.offset, value_at / PAGE * PAGE);
    assert_eq!(data_page_offset(damage.page), damage.offset);
    let text = error.to_string();
    assert!(
        text.contains(&format!("page {} (byte {}", damage.page, damage.offset)),
        "{text}"
    );
    assert!(
        matches!(table.get(2), Err(StorageError::PreviousIo)),
        "redb says no more until reopened"
    );
    assert_eq!(handle.first_damage(), Some(damage));
    drop((table, transaction));
    // Closing reports it again, and leaves the file to the next opening.
    assert!(database.close().is_err());
}

#[test]
fn a_page_in_the_wrong_place_is_damage() {
    let (medium, _) = closed_file();
    let backend = ChecksummedBackend::open(medium.clone(), Access::ReadWrite).unwrap();
    let mut bytes = [0; PAGE_BYTES];
    let written: Vec<u64> = (1..300)
        .filter(|page| matches!(backend.inner.slot(*page), Ok(Slot::Checksum(_))))
        .collect();
    let (one, other) = (written[3], written[9]);
    medium.read_at(data_page_offset(one), &mut bytes).unwrap();
    medium.write_at(data_page_offset(other), &bytes).unwrap();
    // The slot moves too: page and slot agree with each other, not with their place.
    let slot_place = |page| slot_page_offset(group_of(page).0) + (group_of(page).1 * 32) as u64;
    let mut slot = [0; 32];
    medium.read_at(slot_place(one), &mut slot).unwrap();
    medium.write_at(slot_place(other), &slot).unwrap();
    let backend = ChecksummedBackend::open(medium, Access::ReadWrite).unwrap();
    let error = backend.read(other * PAGE, &mut bytes).unwrap_err();
    assert_eq!(DamagedPage::in_io_error(&error).unwrap().page, other);
    backend.read(one * PAGE, &mut bytes).unwrap();
}

/// A file that crashed right after a one-phase commit, and the states before and after it.
fn crashed_in_one_phase() -> (RecordingMedium, Vec<State>) {
    let medium = RecordingMedium::new(Vec::new());
    let (database, _) = create(medium.clone());
    let mut dice = Dice::new(21);
    let mut states = vec![State::new()];
    for number in 1..=3 {
        let changes = changes(&mut dice, 60);
        let mut state = states.last().unwrap().clone();
        apply(&mut state, &changes);
        states.push(state);
        commit(&database, Commit::OnePhase, &changes);
        medium.mark(number);
    }
    std::mem::forget(database);
    (medium, states)
}

#[test]
fn stale_slots_are_brought_up_to_date_when_redb_accepts_the_file() {
    let (medium, states) = crashed_in_one_phase();
    // All pages of the last commit are there, none of its slots: the sync that it waited for did not end.
    let events = medium.events();
    let end = events
        .iter()
        .rposition(|event| matches!(event, Event::Sync))
        .unwrap();
    let image = medium.crash_image(end, Tear::OnlyDataPages, &mut Dice::new(1));
    let image = MemoryMedium::from_bytes(image);
    let (database, handle) = open(image.clone());
    assert!(handle.needed_recovery());
    assert!(handle.stats().slots_recovered > 5, "{:?}", handle.stats());
    assert_eq!(contents(&database).unwrap(), states[3]);
    // A second crash now finds the slots durable.
    let again = image.copy();
    drop(database);
    let (database, handle) = open(again);
    assert_eq!(handle.stats().slots_recovered, 0);
    assert_eq!(contents(&database).unwrap(), states[3]);
}

#[test]
fn when_redb_refuses_the_file_no_slot_is_touched() {
    let (medium, _) = crashed_in_one_phase();
    let image = medium.crash_image(medium.events().len(), Tear::Everything, &mut Dice::new(1));
    let mut bytes = image.clone();
    // Damage in everything that was written, except the headers, is more than redb's repair can mend.
    for page in 3..bytes.len() / PAGE_BYTES {
        if !(page - 2).is_multiple_of(129) && !is_zero(&bytes[page * PAGE_BYTES..(page + 1) * PAGE_BYTES]) {
            bytes[page * PAGE_BYTES + 40] ^= 1;
        }
    }
    let medium = MemoryMedium::from_bytes(bytes.clone());
    let backend = ChecksummedBackend::open(medium.clone(), Access::ReadWrite).unwrap();
    let error = builder().create_with_backend(backend).unwrap_err();
    assert!(
        matches!(error, DatabaseError::Storage(StorageError::Corrupted(_))),
        "{error}"
    );
    let after = medium.to_bytes();
    // redb rewrites its own header before it begins to repair.
    assert!(after[..PAGE_BYTES] == bytes[..PAGE_BYTES] && after[2 * PAGE_BYTES..] == bytes[2 * PAGE_BYTES..]);
}

#[test]
fn after_a_crash_in_two_phases_a_disagreement_is_damage() {
    for how in [Commit::TwoPhase, Commit::QuickRepair] {
        let medium = MemoryMedium::new();
        let (database, _) = create(medium.clone());
        commit(&database, how, &State::from([(1, vec![7; 60_000])]));
        let crashed = medium.copy();
        drop(database);
        let value = crashed
            .to_bytes()
            .windows(64)
            .position(|bytes| bytes == [7; 64])
            .unwrap() as u64;
        flip(&crashed, value + 9000, 4);
        let error = read_all(crashed).unwrap_err();
        assert!(format!("{error:?}").contains("DamagedPage"), "{how:?}: {error:?}");
    }
}

/// Runs commits of all kinds. States by number; the medium is marked `2 n` when commit n has begun and
/// `2 n + 1` when it is durable.
fn recorded_commits(medium: &RecordingMedium, seed: u64) -> Vec<State> {
    let mut dice = Dice::new(seed);
    let (database, _) = create(medium.clone());
    medium.mark(1);
    let mut states = vec![State::new()];
    for number in 1..=8 {
        let how = [
            Commit::OnePhase,
            Commit::TwoPhase,
            Commit::QuickRepair,
            Commit::NotDurable,
        ][dice.roll(4) as usize];
        let changes = changes(&mut dice, 40);
        let mut state = states.last().unwrap().clone();
        apply(&mut state, &changes);
        states.push(state);
        medium.mark(2 * number);
        commit(&database, how, &changes);
        if !matches!(how, Commit::NotDurable) {
            medium.mark(2 * number + 1);
        }
    }
    database.close().unwrap();
    states
}

/// The states that a crash after `events` may leave: from the last durable commit to the last begun.
fn allowed(events: &[Event], from: std::ops::RangeInclusive<u64>) -> std::ops::RangeInclusive<u64> {
    let marks = || {
        events.iter().filter_map(|event| {
            if let Event::Mark(mark) = event {
                Some(*mark)
            } else {
                None
            }
        })
    };
    let durable = marks()
        .filter(|mark| mark % 2 == 1)
        .max()
        .map_or(*from.start(), |mark| mark / 2);
    let begun = marks().max().map_or(*from.end(), |mark| mark / 2);
    durable..=begun.max(durable)
}

/// Opens what a crash left, checks that it holds an allowed state, goes on working, closes, opens again.
fn check_image(
    image: &RecordingMedium,
    states: &[State],
    allowed: &std::ops::RangeInclusive<u64>,
    about: &str,
) {
    let backend = ChecksummedBackend::open(image.clone(), Access::ReadWrite)
        .unwrap_or_else(|error| panic!("{about}: {error}"));
    let handle = backend.handle();
    let database = builder()
        .create_with_backend(backend)
        .unwrap_or_else(|error| panic!("{about}: {error}"));
    handle.accept().unwrap();
    let found = contents(&database).unwrap_or_else(|error| panic!("{about}: {error}"));
    let fits = allowed.clone().any(|number| states[number as usize] == found);
    assert!(fits, "{about}: not one of the states {allowed:?}");
    image.mark(u64::MAX);
    let added = changes(&mut Dice::new(77), 30);
    commit(&database, Commit::OnePhase, &added);
    let mut expected = found;
    apply(&mut expected, &added);
    database.close().unwrap();
    let (mut database, handle) = open(image.clone());
    assert!(!handle.needed_recovery());
    assert_eq!(contents(&database).unwrap(), expected, "{about}");
    assert!(database.check_integrity().unwrap(), "{about}");
}

#[test]
fn after_any_crash_the_last_durable_commit_or_a_later_one_is_there() {
    let mut dice = Dice::new(99);
    for seed in 1..=4 {
        let medium = RecordingMedium::new(Vec::new());
        let states = recorded_commits(&medium, seed);
        let events = medium.events();
        let created = events
            .iter()
            .position(|event| matches!(event, Event::Mark(1)))
            .unwrap();
        for round in 0..24 {
            let until = created + 1 + dice.roll((events.len() - created) as u64) as usize;
            let tear = Tear::ALL[round % Tear::ALL.len()];
            let about = format!("seed {seed}, {tear:?} after {until} of {} events", events.len());
            let allowed = allowed(&events[..until], 0..=0);
            let image = RecordingMedium::new(medium.crash_image(until, tear, &mut dice));
            check_image(&image, &states, &allowed, &about);

            // And a crash while that one was being recovered from.
            let recovery = image.events();
            let end = recovery
                .iter()
                .position(|event| matches!(event, Event::Mark(_)))
                .unwrap();
            let tear = Tear::ALL[dice.roll(Tear::ALL.len() as u64) as usize];
            let until = dice.roll(end as u64 + 1) as usize;
            let second = RecordingMedium::new(image.crash_image(until, tear, &mut dice));
            check_image(
                &second,
                &states,
                &allowed,
                &format!("{about}, then {tear:?} after {until} of {end}"),
            );
        }
    }
}

#[test]
fn a_crash_during_creation_leaves_an_unfinished_file_or_an_empty_registry() {
    let medium = RecordingMedium::new(Vec::new());
    let (database, _) = create(medium.clone());
    let steps = medium.events().len();
    std::mem::forget(database);
    let header_is_durable = 2;
    let mut outcomes = [0, 0];
    let mut dice = Dice::new(31);
    for until in header_is_durable..=steps {
        for tear in Tear::ALL {
            let image = MemoryMedium::from_bytes(medium.crash_image(until, tear, &mut dice));
            match ChecksummedBackend::open(image.clone(), Access::ReadWrite) {
                Err(BackendOpenError::Unfinished) => outcomes[0] += 1,
                opened => {
                    drop(opened.unwrap());
                    assert_eq!(read_all(image).unwrap(), State::new());
                    outcomes[1] += 1;
                }
            }
        }
    }
    assert!(outcomes.iter().all(|outcome| *outcome > 5), "{outcomes:?}");
}

#[test]
fn every_step_of_a_recovery_may_be_the_last() {
    let (medium, states) = crashed_in_one_phase();
    let end = medium
        .events()
        .iter()
        .rposition(|event| matches!(event, Event::Sync))
        .unwrap();
    let mut dice = Dice::new(8);
    let start = medium.crash_image(end, Tear::OnlyDataPages, &mut dice);
    let recovering = RecordingMedium::new(start);
    drop(open(recovering.clone()));
    let steps = recovering.events().len();
    for until in 0..=steps {
        for tear in Tear::ALL {
            let image = RecordingMedium::new(recovering.crash_image(until, tear, &mut dice));
            check_image(
                &image,
                &states,
                &(2..=3),
                &format!("{tear:?} after {until} of {steps}"),
            );
        }
    }
}

#[test]
fn a_full_disk_is_an_error_and_the_state_before_it_stays() {
    let mut failures = 0;
    for limit in [0, 5000, 40_000, 100_000, 170_000, 400_000] {
        let memory = MemoryMedium::new();
        let medium = FaultyMedium::new(memory.clone());
        let (database, _) = create(medium.clone());
        let mut state = State::new();
        let first = changes(&mut Dice::new(4), 60);
        apply(&mut state, &first);
        commit(&database, Commit::OnePhase, &first);
        medium.plan(Fault::FullAfter(limit));
        let second = changes(&mut Dice::new(5), 60);
        let mut next = state.clone();
        apply(&mut next, &second);
        let error = try_commit(&database, Commit::OnePhase, &second).unwrap_err();
        let full = matches!(&error, redb::Error::Io(error) if error.kind() == io::ErrorKind::StorageFull);
        assert!(full || matches!(error, redb::Error::PreviousIo), "{error:?}");
        assert!(
            try_commit(&database, Commit::OnePhase, &second).is_err(),
            "no further writes"
        );
        failures += medium.injected();
        drop(database);
        let found = read_all(memory).unwrap();
        assert!(found == state || found == next, "limit {limit}");
        assert!(
            limit > 100_000 || found == state,
            "limit {limit}: the commit did not fit"
        );
    }
    assert!(failures >= 6);
}

#[test]
fn whichever_operation_fails_the_error_is_clean_and_a_commit_whole() {
    for forever in [false, true] {
        for at in (0..).step_by(3) {
            let memory = MemoryMedium::new();
            let (database, _) = create(memory.clone());
            let first = changes(&mut Dice::new(4), 40);
            commit(&database, Commit::OnePhase, &first);
            database.close().unwrap();
            let mut state = State::new();
            apply(&mut state, &first);
            let mut next = state.clone();
            let second = changes(&mut Dice::new(5), 40);
            apply(&mut next, &second);

            let medium = FaultyMedium::new(memory.clone());
            medium.plan(if forever { Fault::From(at) } else { Fault::Once(at) });
            if let Ok(backend) = ChecksummedBackend::open(medium.clone(), Access::ReadWrite) {
                let handle = backend.handle();
                if let Ok(database) = builder().create_with_backend(backend) {
                    handle.accept().unwrap();
                    let committed = try_commit(&database, Commit::OnePhase, &second).is_ok();
                    assert!(committed || medium.injected() > 0);
                    let closed = database.close().is_ok();
                    assert!(closed || medium.injected() > 0);
                    if committed {
                        state.clone_from(&next);
                    }
                }
            }
            let found = read_all(memory).unwrap();
            assert!(found == state || found == next, "operation {at}");
            if medium.injected() == 0 {
                assert!(at > 20, "the harness injects");
                break;
            }
        }
    }
}

#[test]
fn several_threads_read_at_once() {
    let (medium, state) = closed_file();
    let (database, handle) = open(medium);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| assert_eq!(contents(&database).unwrap(), state));
        }
    });
    assert_eq!(handle.stats().pages_read, handle.stats().pages_verified);
}

#[test]
fn the_place_of_the_embedded_slot_cannot_be_written() {
    let backend = ChecksummedBackend::create(MemoryMedium::new(), FileHeader::new(FILE_ID)).unwrap();
    backend.set_len(PAGE).unwrap();
    backend.write(0, &[9; EMBEDDED_SLOT_START]).unwrap();
    let error = backend.write(0, &[9; EMBEDDED_SLOT_START + 1]).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
    let mut page = [1; PAGE_BYTES];
    backend.read(0, &mut page).unwrap();
    assert!(page[..EMBEDDED_SLOT_START] == [9; EMBEDDED_SLOT_START] && is_zero(&page[EMBEDDED_SLOT_START..]));
    assert!(backend.read(1, &mut page).is_err(), "beyond the end");
    assert!(backend.write(PAGE, &[1]).is_err(), "beyond the end");
    assert!(backend.set_len(PAGE + 1).is_err(), "not whole pages");
}

#[derive(Clone, Debug)]
enum Operation {
    Write { offset: u64, bytes: usize, fill: u8 },
    Read { offset: u64, bytes: usize },
    SetPages(u64),
    Sync,
    Reopen,
}

const MODEL_PAGES: u64 = 400;

fn operation() -> impl Strategy<Value = Operation> {
    // From the end of the first sector on: what lies before is redb's header and the embedded slot.
    let range = || {
        let bytes = prop_oneof![1..200_usize, 1..20_000_usize, 1..700_000_usize];
        let aligned =
            (1..MODEL_PAGES, 1..200_usize).prop_map(|(page, pages)| (page * PAGE, pages * PAGE_BYTES));
        prop_oneof![(EMBEDDED_SLOT_END as u64..MODEL_PAGES * PAGE, bytes), aligned]
    };
    prop_oneof![
        5 => (range(), any::<u8>()).prop_map(|((offset, bytes), fill)| Operation::Write { offset, bytes, fill }),
        4 => range().prop_map(|(offset, bytes)| Operation::Read { offset, bytes }),
        3 => (1..=MODEL_PAGES).prop_map(Operation::SetPages),
        1 => Just(Operation::Sync),
        1 => Just(Operation::Reopen),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn the_backend_is_a_growable_array(operations in prop::collection::vec(operation(), 1..40)) {
        let medium = MemoryMedium::new();
        let mut backend = ChecksummedBackend::create(medium.clone(), FileHeader::new(FILE_ID)).unwrap();
        let mut model = vec![0; PAGE_BYTES];
        // The flags of a commit in two phases, so that every reopening is strict.
        model[..10].copy_from_slice(b"redb\x1A\x0A\xA9\x0D\x0A\x04");
        backend.set_len(PAGE).unwrap();
        backend.write(0, &model[..10]).unwrap();
        for operation in operations {
            match operation {
                Operation::Write { offset, bytes, fill } => {
                    let data: Vec<u8> = (0..bytes).map(|at| fill.wrapping_mul((at / 50) as u8)).collect();
                    let place = model.get_mut(offset as usize..offset as usize + bytes);
                    prop_assert_eq!(backend.write(offset, &data).is_ok(), place.is_some());
                    if let Some(place) = place {
                        place.copy_from_slice(&data);
                    }
                }
                Operation::Read { offset, bytes } => {
                    let mut out = vec![1; bytes];
                    let expected = model.get(offset as usize..offset as usize + bytes);
                    prop_assert_eq!(backend.read(offset, &mut out).is_ok(), expected.is_some());
                    prop_assert!(expected.is_none_or(|expected| expected == out));
                }
                Operation::SetPages(pages) => {
                    backend.set_len(pages * PAGE).unwrap();
                    model.resize(pages as usize * PAGE_BYTES, 0);
                }
                Operation::Sync => backend.sync_data().unwrap(),
                Operation::Reopen => {
                    backend.sync_data().unwrap();
                    backend = ChecksummedBackend::open(medium.clone(), Access::ReadWrite).unwrap();
                }
            }
            prop_assert_eq!(backend.len().unwrap(), model.len() as u64);
        }
        let mut out = vec![1; model.len()];
        backend.read(0, &mut out).unwrap();
        prop_assert!(out == model);
    }
}
