//! Readers and writers at once.

use std::sync::atomic::{AtomicBool, Ordering};

use ansinh::kernel::operation::{Destination, Subject};
use ansinh::types::{Sequence, UnitNumber, Value};

use crate::check::{self, KEPT, UNKNOWN, VALUES, birth, insert, month, new_person, record, write};

/// A reader that begins between a commit and the writer's own bookkeeping reads the new profiles from the file; the
/// writer must not add them a second time.
#[test]
fn profiles_keep_their_codes_while_readers_begin() {
    let folder = tempfile::tempdir().unwrap();
    let store = check::store(&folder);
    let from = month("2026-01");
    let person = write(&store, |transaction| {
        let lives = Destination::Unit(UnitNumber(1));
        insert(transaction, new_person(birth("1950-03-17"), lives, "2026-01"))
    });
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                while !done.load(Ordering::Relaxed) {
                    store.begin_read().unwrap();
                }
            });
        }
        for value in 0..VALUES * 3 {
            write(&store, |transaction| {
                let subject = Subject::Person(person);
                record(
                    transaction,
                    subject,
                    KEPT,
                    Value::Enum(value % VALUES),
                    from,
                    None,
                );
                record(
                    transaction,
                    subject,
                    UNKNOWN,
                    Value::Enum(value / VALUES),
                    from,
                    None,
                );
            });
        }
        done.store(true, Ordering::Relaxed);
    });
    let view = store.begin_read().unwrap();
    let shown = view.row_of(person).unwrap().unwrap();
    let state = view.person(person, from, Sequence::NEWEST).unwrap().unwrap();
    assert_eq!(
        view.profile(shown.person).unwrap(),
        state.profile(view.catalogue())
    );
}
