//! Any bytes are refused, or both readers agree on every row, and what is written again is read alike.
#![no_main]

use ansinh::format::hot::{HotRow, HotSegment, HotView};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(segment) = HotSegment::decode(bytes) else {
        if let Ok(view) = HotView::parse(bytes) {
            assert!(view.changes().is_err(), "only the changed rows can be wrong");
        }
        return;
    };
    let view = HotView::parse(bytes).expect("a segment that decodes can be viewed");
    assert_eq!(view.rows(), segment.rows());
    for row in 0..segment.rows() {
        let alone = HotRow::read(bytes, row).expect("a segment that decodes has its rows");
        let whole = HotRow {
            person: segment.persons[row],
            household: segment.households[row],
            birth: segment.births[row],
        };
        assert_eq!(alone, Some(whole));
    }
    assert_eq!(HotRow::read(bytes, segment.rows()), Ok(None));
    let again = segment.encode();
    assert_eq!(HotSegment::decode(&again).as_ref(), Ok(&segment));
    assert_eq!(
        HotSegment::decode(&again).map(|segment| segment.encode()),
        Ok(again)
    );
});
