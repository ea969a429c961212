//! Any bytes are refused, or hold ties that are written as they were read, each found by its target unless a row is loose.
#![no_main]

use ansinh::format::ties::Ties;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(ties) = Ties::decode(bytes) else {
        return;
    };
    assert_eq!(ties.encode(), bytes);
    assert!(ties.ties().is_sorted_by(|a, b| a < b));
    for row in 0..ties.rows() {
        let loose = ties.is_loose(row);
        match ties.household(row) {
            Some(mut rows) => assert!(!loose && rows.contains(&row) && rows.all(|row| !ties.is_loose(row))),
            None => assert!(ties.rows() > 0),
        }
    }
    for group in ties.ties().chunk_by(|a, b| (a.attribute, a.target) == (b.attribute, b.target)) {
        let loose = ties.is_loose(group[0].target) || group.iter().any(|tie| ties.is_loose(tie.referrer));
        let found = ties.referrers(group[0].target, group[0].attribute);
        assert_eq!(found, (!loose).then_some(group));
    }
});
