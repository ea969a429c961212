//! A population that is loaded in bulk, and the same one entered by operations.

use crate::same::{assert_same, month};
use crate::{Registry, options};

#[test]
fn operations_and_a_bulk_load_give_the_same_answers() {
    let people = 20_000;
    let original = Registry::populated(people, 5);
    let (summary, file) = original.export();
    assert_eq!(summary.people, people);
    let (bulk, single) = (Registry::empty(), Registry::empty());
    let report = bulk.import(&file);
    assert!(report.bulk);
    assert_eq!(
        (report.accepted, report.rejected),
        (people, 0),
        "{:?}",
        report.rejects
    );
    let mut options = options();
    options.bulk_min = u64::MAX;
    let (report, _) = single.import_with(&file, &options);
    assert!(!report.bulk);
    assert_eq!(
        (report.accepted, report.rejected),
        (people, 0),
        "{:?}",
        report.rejects
    );
    let months = ["2025-06", "2025-07", "2026-05", "2026-07"].map(month);
    let one = original.store.begin_read().unwrap();
    assert_same(&one, &bulk.store.begin_read().unwrap(), &months);
    assert_same(&one, &single.store.begin_read().unwrap(), &months);
    assert_eq!(bulk.export().1, file);
}
