//! The queue of small changes: many writers, one committer, and nobody's change lost or half made.

mod common;

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;

use ansinh::gazetteer;
use ansinh::kernel::log::LoggedOperation;
use ansinh::kernel::medium::{Medium, MemoryMedium};
use ansinh::kernel::operation::Operation;
use ansinh::kernel::units::UnitDeclaration;
use ansinh::kernel::{Author, Dropped, Store, StoreOptions, WriteError};
use ansinh::policy::Pack;
use ansinh::registry::{
    Person, QUEUE_CHANGES_MAX, QueueError, Registry, RegistryError, Ticket, Transaction, WriteQueue,
};
use ansinh::types::{Date, Identifier, PersonNumber, Sequence, Sex};
use parking_lot::Mutex;

use common::changes::{Dice, change};
use common::{AT, author, begin, bytes, load, month, prepared};

fn units() -> Vec<UnitDeclaration> {
    gazetteer::vietnam().into_iter().step_by(300).collect()
}

/// The bytes of a closed registry with people.
fn base(people: u64) -> Vec<u8> {
    let medium = MemoryMedium::new();
    let store = Store::create_on(
        Box::new(medium.clone()),
        Path::new("memory"),
        StoreOptions::default(),
    );
    let store = store.unwrap();
    begin(&store, &Pack::vietnam(), &units());
    load(&store, &units(), people, 9);
    store.close().unwrap();
    medium.to_bytes()
}

fn open(medium: impl Medium) -> Store {
    Store::open_on(Box::new(medium), Path::new("memory"), StoreOptions::default()).unwrap()
}

fn registry(people: u64) -> (MemoryMedium, Arc<Registry>) {
    let medium = MemoryMedium::from_bytes(base(people));
    let registry = Arc::new(Registry::over(open(medium.clone())));
    (medium, registry)
}

/// Everything that can be asked: every person in several months and as known at several sequences, with everything
/// recorded, the month as it would be paid, and the log without its salts.
fn contents(store: &Store) -> Vec<String> {
    let view = store.begin_read().unwrap();
    assert_eq!(view.verify_log().unwrap().sequence, view.newest());
    let mut all = vec![format!("{:?}", view.counts().unwrap())];
    let newest = view.newest().get();
    for person in view.people() {
        for known in [newest / 3, newest / 2, newest] {
            for at in ["2025-09", "2026-06", "2027-02"] {
                let state = view.person(person, month(at), Sequence(known)).unwrap();
                all.push(format!("{person} {at} {known} {state:?}"));
            }
        }
        all.push(format!("{:?}", view.dossier(person).unwrap()));
    }
    for entry in view.log(..).unwrap() {
        let entry = entry.unwrap();
        let operations = view.log_operations(entry.sequence).unwrap();
        let told = (
            entry.sequence,
            entry.instant,
            entry.kind,
            entry.author,
            entry.reason,
        );
        all.push(format!("{told:?} {operations:?}"));
    }
    let policy = Pack::vietnam().bind(view.catalogue()).unwrap();
    let request = ansinh::entitlement::RunRequest::monthly(month("2026-06"));
    all.push(format!("{:?}", bytes(&prepared(&view, &policy, &request))));
    all
}

/// Random changes as a clerk would make them, of one to four operations each.
fn random_changes(base: &[u8]) -> Vec<Vec<Operation>> {
    let store = open(MemoryMedium::from_bytes(base.to_vec()));
    let mut dice = Dice(20);
    let spare: Vec<UnitDeclaration> = gazetteer::vietnam().into_iter().skip(7).step_by(300).collect();
    let mut changes = Vec::new();
    for sequence in change(&store, &mut dice, &spare, 4, 100) {
        let view = store.begin_read().unwrap();
        let mut operations = view.log_operations(sequence).unwrap().into_iter();
        loop {
            let some = 1 + dice.roll(4) as usize;
            let next: Vec<Operation> = operations
                .by_ref()
                .take(some)
                .map(|logged| match logged {
                    LoggedOperation::Stored(operation) => *operation,
                    other => panic!("{other:?}"),
                })
                .collect();
            if next.is_empty() {
                break;
            }
            changes.push(next);
        }
    }
    changes
}

/// Applies all operations; those that are refused are left out, as in the transaction in which they were made.
fn apply_all(transaction: &mut ansinh::kernel::WriteTransaction<'_>, change: &[Operation]) {
    for operation in change {
        match transaction.apply(operation) {
            Ok(_) | Err(WriteError::Refused(_)) => {}
            Err(error) => panic!("{operation:?}: {error}"),
        }
    }
}

#[test]
fn a_group_leaves_what_its_changes_would_leave_alone_whatever_is_dropped_between_them() {
    let base = base(400);
    let changes = random_changes(&base);
    assert!(changes.len() > 100, "{}", changes.len());
    let alone = open(MemoryMedium::from_bytes(base.clone()));
    for (number, change) in changes.iter().enumerate() {
        let who = Author::new(format!("clerk {number}"), "one by one");
        let mut transaction = alone.begin_write(who, AT).unwrap();
        apply_all(&mut transaction, change);
        transaction.commit().unwrap();
    }
    let expected = contents(&alone);
    for (seed, largest) in [(1, 8), (2, 60), (3, changes.len() as u64)] {
        let grouped = open(MemoryMedium::from_bytes(base.clone()));
        let mut dice = Dice(seed);
        let mut left = changes.iter().enumerate().peekable();
        let (mut commits, mut rebuilt) = (0, 0);
        while left.peek().is_some() {
            let mut group = grouped.begin_group().unwrap();
            for (number, change) in left.by_ref().take(1 + dice.roll(largest) as usize) {
                if dice.one_in(5) {
                    // Another change begins, does some of its work, and is dropped.
                    let lost = &changes[dice.roll(changes.len() as u64) as usize];
                    group.begin_record(author(), AT).unwrap();
                    apply_all(&mut group, lost);
                    rebuilt += u64::from(group.drop_record().unwrap() == Dropped::Rebuilt);
                }
                let who = Author::new(format!("clerk {number}"), "one by one");
                group.begin_record(who, AT).unwrap();
                apply_all(&mut group, change);
                group.end_record().unwrap();
            }
            group.commit().unwrap();
            commits += 1;
        }
        assert!(
            commits < changes.len() as u64 && rebuilt > 5,
            "{commits} {rebuilt}"
        );
        let found = contents(&grouped);
        for (found, expected) in found.iter().zip(&expected) {
            assert_eq!(found, expected);
        }
        assert_eq!(found.len(), expected.len());
    }
}

#[test]
fn between_records_nothing_is_changed_and_what_does_not_belong_in_a_group_is_refused() {
    let (_, registry) = registry(100);
    let store = registry.store();
    let before = store.begin_read().unwrap().newest();
    let mut group = store.begin_group().unwrap();
    let death = Operation::RetractDeath {
        person: PersonNumber(1),
    };
    assert!(matches!(group.apply(&death), Err(WriteError::NoRecord)));
    assert!(matches!(group.end_record(), Err(WriteError::NoRecord)));
    group.begin_record(author(), AT).unwrap();
    assert!(matches!(
        group.begin_record(author(), AT),
        Err(WriteError::NotInGroup)
    ));
    assert!(matches!(group.bulk(), Err(WriteError::NotInGroup)));
    let pack = Pack::vietnam();
    group
        .adopt(pack.id(), &pack.to_bytes(), &pack.declaration())
        .unwrap();
    assert!(matches!(group.end_record(), Err(WriteError::NotInGroup)));
    assert_eq!(group.drop_record().unwrap(), Dropped::Rebuilt);
    let long = Author::new("x".repeat(2_000), "");
    assert!(matches!(
        group.begin_record(long, AT),
        Err(WriteError::Refused(_))
    ));
    assert_eq!(group.records_ended(), 0);
    // A group without records is no transaction.
    assert_eq!(group.commit().unwrap(), before);
    assert_eq!(store.begin_read().unwrap().newest(), before);
    let mut alone = store.begin_write(author(), AT).unwrap();
    assert!(matches!(
        alone.begin_record(author(), AT),
        Err(WriteError::NotInGroup)
    ));
}

const THREADS: u64 = 16;
const CHANGES: u64 = 60;
/// How many changes of a thread wait at a time.
const IN_FLIGHT: usize = 16;

fn born() -> Date {
    common::date("1950-03-17")
}

/// An ID that fits a man born in 1950; nobody else has it.
fn id(thread: u64, number: u64) -> Identifier {
    format!("0010509{:05}", thread * 1_000 + number).parse().unwrap()
}

/// Inserts a person and records two facts: three operations.
fn insert(tx: &mut Transaction<'_>, thread: u64, number: u64) -> Result<PersonNumber, RegistryError> {
    let home = units()[0].code;
    let person = Person::new(format!("Người {thread} {number}"), born(), Sex::Male).id(id(thread, number));
    let person = tx.insert(&person.commune(home))?;
    tx.record(person, "disability", "severe", month("2026-06"))?;
    tx.record(person, "channel", "account", month("2026-06"))?;
    Ok(person)
}

#[test]
fn sixteen_writers_learn_each_their_own_result_and_readers_go_on() {
    let (medium, registry) = registry(200);
    let first = registry.begin_read().unwrap().newest();
    let queue = WriteQueue::start(Arc::clone(&registry)).unwrap();
    let done = AtomicBool::new(false);
    let reads = std::thread::scope(|scope| {
        let reader = scope.spawn(|| {
            let mut reads = 0;
            while !done.load(Ordering::Relaxed) {
                let view = registry.begin_read().unwrap();
                let people = view.counts().unwrap().people;
                // Each change is one person, one record of the log: no view sees a part of one.
                assert_eq!(people - 200, view.newest().get() - first.get());
                reads += 1;
            }
            reads
        });
        let writers: Vec<_> = (0..THREADS)
            .map(|thread| {
                scope.spawn({
                    let queue = &queue;
                    move || write(queue, thread)
                })
            })
            .collect();
        let mut sequences: Vec<(Sequence, u64)> = Vec::new();
        for (thread, writer) in (0..).zip(writers) {
            let own = writer.join().unwrap();
            assert!(own.is_sorted(), "the changes of thread {thread} are not in order");
            sequences.extend(own.into_iter().map(|sequence| (sequence, thread)));
        }
        done.store(true, Ordering::Relaxed);
        sequences.sort_unstable();
        let view = registry.begin_read().unwrap();
        for (at, &(sequence, thread)) in sequences.iter().enumerate() {
            assert_eq!(sequence.get(), first.get() + at as u64 + 1);
            let entry = view.log_entry(sequence).unwrap().unwrap();
            assert_eq!((entry.author, entry.operations), (format!("thread {thread}"), 3));
        }
        reader.join().unwrap()
    });
    assert!(reads > 0);
    let view = registry.begin_read().unwrap();
    assert_eq!(view.newest().get(), first.get() + THREADS * CHANGES);
    assert_eq!(view.verify_log().unwrap().sequence, view.newest());
    drop(view);
    // Repeated, everything is there already; it stays in the log as a change that did nothing.
    let again = queue
        .submit(author(), AT, |tx| insert(tx, 3, 5))
        .unwrap()
        .wait()
        .unwrap();
    queue.close();
    let store = open(medium);
    let view = store.begin_read().unwrap();
    assert_eq!(view.log_entry(again.sequence).unwrap().unwrap().operations, 0);
    assert_eq!(
        view.find_person(id(3, 5), Sequence::NEWEST).unwrap(),
        Some(again.value)
    );
    assert_eq!(view.counts().unwrap().people, 200 + THREADS * CHANGES);
}

/// What one thread does; answers the sequences of its changes in the order in which it submitted them.
fn write(queue: &WriteQueue, thread: u64) -> Vec<Sequence> {
    let mut waiting: std::collections::VecDeque<Ticket<PersonNumber>> = std::collections::VecDeque::new();
    let mut sequences = Vec::new();
    for number in 0..CHANGES {
        if waiting.len() == IN_FLIGHT {
            sequences.push(waiting.pop_front().unwrap().wait().unwrap().sequence);
        }
        let who = Author::new(format!("thread {thread}"), format!("application {number}"));
        waiting.push_back(
            queue
                .submit(who, AT, move |tx| insert(tx, thread, number))
                .unwrap(),
        );
    }
    sequences.extend(waiting.into_iter().map(|ticket| ticket.wait().unwrap().sequence));
    sequences
}

/// Holds the committer within a change until what is returned is dropped, so that whatever is submitted meanwhile waits.
fn hold(queue: &WriteQueue) -> mpsc::Sender<()> {
    let (hold, held) = mpsc::channel::<()>();
    let (begun, begins) = mpsc::channel();
    let ticket = queue.submit(Author::new("holder", "hold"), AT, move |_| {
        begun.send(()).unwrap();
        let _ = held.recv();
        Ok(())
    });
    drop(ticket.unwrap());
    begins.recv().unwrap();
    hold
}

#[test]
fn what_is_refused_fails_or_panics_leaves_nothing_and_its_neighbours_are_made() {
    let (_, registry) = registry(200);
    let queue = WriteQueue::start(Arc::clone(&registry)).unwrap();
    let held = hold(&queue);
    let mut tickets = Vec::new();
    for number in 0..40 {
        tickets.push(queue.submit(author(), AT, move |tx| {
            let person = insert(tx, 1, number)?;
            match number % 8 {
                // Refused by the last operation, after much was done.
                2 => {
                    tx.record(person, "disability", "no such degree", month("2026-06"))?;
                }
                5 => panic!("the caller of change {number} gave up"),
                6 => {
                    // Nobody has this number: refused before anything is done, and the change goes on.
                    let refused = tx.record(PersonNumber(1_000_000), "hiv", "true", month("2026-06"));
                    assert!(refused.is_err());
                }
                7 => {
                    tx.adopt(&Pack::vietnam())?;
                }
                _ => {}
            }
            Ok(person)
        }));
    }
    // One that is refused at once leaves nothing to drop.
    let at_once = queue.submit(author(), AT, |tx| tx.person(id(9, 9))).unwrap();
    drop(held);
    let mut people = Vec::new();
    for (number, ticket) in tickets.into_iter().enumerate() {
        match (number % 8, ticket.unwrap().wait()) {
            (2, Err(error)) => assert!(error.change().unwrap().to_string().contains("no such degree")),
            (5, Err(QueueError::Panicked(text))) => assert!(text.contains("gave up"), "{text}"),
            (7, Err(error)) => assert!(
                matches!(error.change(), Some(RegistryError::Write(WriteError::NotInGroup))),
                "{error}"
            ),
            (0 | 1 | 3 | 4 | 6, Ok(written)) => people.push((number as u64, written)),
            (_, other) => panic!("{number}: {other:?}"),
        }
    }
    assert!(matches!(
        at_once.wait(),
        Err(QueueError::Change(error)) if matches!(*error, RegistryError::NoPerson { .. })
    ));
    assert_eq!(people.len(), 25);
    let view = registry.begin_read().unwrap();
    view.verify_log().unwrap();
    assert_eq!(view.counts().unwrap().people, 225);
    for number in 0..40 {
        let found = view.find_person(id(1, number), Sequence::NEWEST).unwrap();
        let made = people.iter().find(|(made, _)| *made == number);
        assert_eq!(found, made.map(|(_, written)| written.value), "{number}");
        if let Some((_, written)) = made {
            assert_eq!(view.log_entry(written.sequence).unwrap().unwrap().operations, 3);
        }
    }
}

#[test]
fn a_full_queue_says_so_and_a_dropped_one_commits_what_waits() {
    let (medium, registry) = registry(100);
    let first = registry.begin_read().unwrap().newest().get();
    let queue = WriteQueue::start(Arc::clone(&registry)).unwrap();
    let held = hold(&queue);
    for _ in 0..QUEUE_CHANGES_MAX {
        drop(queue.try_submit(author(), AT, |_| Ok(())).unwrap());
    }
    let refused = queue.try_submit(author(), AT, |_| Ok(())).unwrap_err();
    assert!(
        matches!(
            refused,
            QueueError::Full {
                max: QUEUE_CHANGES_MAX
            }
        ),
        "{refused}"
    );
    std::thread::scope(|scope| {
        // Whoever does not mind waits until there is room.
        let late = scope.spawn(|| queue.submit(author(), AT, |tx| insert(tx, 0, 0)).unwrap());
        drop(held);
        let ticket = late.join().unwrap();
        let ticket = match ticket.poll() {
            Ok(result) => result.unwrap(),
            Err(ticket) => ticket.wait().unwrap(),
        };
        assert_eq!(ticket.sequence.get(), first + 1 + QUEUE_CHANGES_MAX as u64 + 1);
    });
    let held = hold(&queue);
    let tickets: Vec<_> = (1..50)
        .map(|number| {
            queue
                .submit(author(), AT, move |tx| insert(tx, 0, number))
                .unwrap()
        })
        .collect();
    drop(held);
    drop(queue);
    for ticket in tickets {
        ticket.wait().unwrap();
    }
    drop(registry);
    assert_eq!(open(medium).begin_read().unwrap().counts().unwrap().people, 150);
}

#[test]
fn a_change_that_holds_the_last_handle_of_the_queue_ends_it() {
    let (_, registry) = registry(100);
    let queue = Arc::new(WriteQueue::start(Arc::clone(&registry)).unwrap());
    let held = hold(&queue);
    let own = Arc::clone(&queue);
    let ticket = queue.submit(author(), AT, move |_| {
        drop(own);
        Ok(())
    });
    drop(queue);
    drop(held);
    ticket.unwrap().wait().unwrap();
}

/// A medium of which writes or syncs fail from a certain one on.
#[derive(Debug, Clone)]
struct Failing {
    medium: MemoryMedium,
    steps_left: Arc<Mutex<u64>>,
}

impl Failing {
    fn step(&self) -> io::Result<()> {
        let mut left = self.steps_left.lock();
        *left = left.saturating_sub(1);
        if *left == 0 {
            return Err(io::Error::other("this disk fails"));
        }
        Ok(())
    }
}

impl Medium for Failing {
    fn read_at(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.medium.read_at(offset, out)
    }

    fn write_at(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.step()?;
        self.medium.write_at(offset, data)
    }

    fn len(&self) -> io::Result<u64> {
        self.medium.len()
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.step()?;
        self.medium.set_len(len)
    }

    fn sync(&self) -> io::Result<()> {
        self.step()?;
        self.medium.sync()
    }

    fn close(&self) -> io::Result<()> {
        self.medium.close()
    }
}

/// Eight changes in one commit, on a disk that fails at a step: whether anybody heard that it may be written, and whether
/// anybody heard that it is.
fn group_on_a_failing_disk(base: &[u8], steps: u64) -> (MemoryMedium, bool, bool) {
    let medium = Failing {
        medium: MemoryMedium::from_bytes(base.to_vec()),
        steps_left: Arc::new(Mutex::new(u64::MAX)),
    };
    let registry = Arc::new(Registry::over(open(medium.clone())));
    let first = registry.begin_read().unwrap().newest().get();
    let queue = WriteQueue::start(Arc::clone(&registry)).unwrap();
    let held = hold(&queue);
    let tickets: Vec<_> = (0..8)
        .map(|number| {
            queue
                .submit(author(), AT, move |tx| insert(tx, 2, number))
                .unwrap()
        })
        .collect();
    *medium.steps_left.lock() = steps;
    drop(held);
    let (mut unknown, mut written, mut not) = (0, 0, 0);
    for (number, ticket) in (0..).zip(tickets) {
        match ticket.wait() {
            Ok(done) => written += u64::from(done.sequence.get() == first + 2 + number),
            Err(QueueError::CommitUnknown { sequence, .. }) => {
                assert_eq!(sequence.get(), first + 2 + number);
                unknown += 1;
            }
            Err(QueueError::NotWritten(source)) => {
                assert!(source.to_string().contains("this disk fails"), "{source}");
                not += 1;
            }
            Err(other) => panic!("{other}"),
        }
    }
    assert!([written, unknown, not].contains(&8), "{written} {unknown} {not}");
    if written == 0 {
        // The storage asks to be opened again, and the queue says so to everybody who comes later.
        let later = queue
            .submit(author(), AT, |tx| insert(tx, 2, 100))
            .unwrap()
            .wait();
        assert!(
            matches!(
                later,
                Err(QueueError::NotWritten(_) | QueueError::CommitUnknown { .. })
            ),
            "{later:?}"
        );
    }
    queue.close();
    (medium.medium.copy(), unknown > 0, written > 0)
}

#[test]
fn a_failing_disk_fails_the_whole_commit_and_everybody_in_it_hears_of_it() {
    let base = base(200);
    let (mut lost, mut unknown_seen, mut kept) = (0, 0, 0);
    for steps in 1..200 {
        let (medium, unknown, written) = group_on_a_failing_disk(&base, steps);
        let store = open(medium);
        let view = store.begin_read().unwrap();
        view.verify_log().unwrap();
        let people = view.counts().unwrap().people;
        assert!(people == 200 || people == 208, "{steps}: {people} people");
        assert!(
            people == 208 || !written,
            "{steps}: what was told to be written is lost"
        );
        assert!(
            people == 200 || written || unknown,
            "{steps}: written, and nobody heard of it"
        );
        lost += u64::from(people == 200);
        unknown_seen += u64::from(unknown);
        kept += u64::from(written);
        if written {
            break;
        }
    }
    assert!(
        lost > 3 && unknown_seen > 0 && kept == 1,
        "{lost} {unknown_seen} {kept}"
    );
}
