//! Any bytes are refused, or all readers agree on every row, and what is written again is read alike.
#![no_main]

use ansinh::format::hot::{HotHead, HotRow, HotSegment, HotView};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let mut head = HotHead::default();
    let answered = head.read(bytes).and_then(|()| head.answered_from(bytes));
    let Ok(segment) = HotSegment::decode(bytes) else {
        if let Ok(view) = HotView::parse(bytes)
            && let Ok(courses) = view.courses()
        {
            let _ = view.lasts(&courses);
        }
        return;
    };
    let view = HotView::parse(bytes).expect("a segment that decodes can be viewed");
    assert!(answered.is_ok(), "a segment that decodes has a head");
    assert_eq!(head.person_codes, view.person_codes);
    assert_eq!(head.household_codes, view.household_codes);
    assert_eq!(view.rows(), segment.rows());
    let courses = view.courses().expect("a segment that decodes has its courses");
    let lasts = view.lasts(&courses).expect("a segment that decodes has its sequences");
    assert!(
        lasts
            .iter()
            .map(|&(row, last)| (row, last))
            .eq(segment.changes.iter().map(|(&row, change)| (row, change.last)))
    );
    for row in 0..segment.rows() {
        let alone = HotRow::read(bytes, row).expect("a segment that decodes has its rows");
        let whole = HotRow {
            person: segment.persons[row],
            household: segment.households[row],
            birth: segment.births[row],
        };
        assert_eq!(alone, Some(whole));
        assert_eq!(view.shown(row), (whole.person, whole.household));
    }
    assert_eq!(HotRow::read(bytes, segment.rows()), Ok(None));
    let again = segment.encode();
    assert_eq!(HotSegment::decode(&again).as_ref(), Ok(&segment));
    assert_eq!(
        HotSegment::decode(&again).map(|segment| segment.encode()),
        Ok(again)
    );
});
