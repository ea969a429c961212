//! Any bytes are refused, or all readers agree on every row, and what is written again is read alike.
#![no_main]

use ansinh::format::hot::{HotHead, HotRow, HotSegment, HotView};
use ansinh::types::Month;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let mut head = HotHead::default();
    let answered = head.read(bytes).and_then(|()| head.answered_from(bytes));
    let Ok(segment) = HotSegment::decode(bytes) else {
        if let Ok(view) = HotView::parse(bytes) {
            let _ = view.lasts();
            agree(&view);
        }
        return;
    };
    let view = HotView::parse(bytes).expect("a segment that decodes can be viewed");
    assert!(answered.is_ok(), "a segment that decodes has a head");
    assert_eq!(head.person_codes, view.person_codes);
    assert_eq!(head.household_codes, view.household_codes);
    assert_eq!(view.rows(), segment.rows());
    agree(&view);
    let lasts = view.lasts().expect("a segment that decodes has its sequences");
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

/// What courses show is refused, or told alike in one pass and by their versions.
fn agree(view: &HotView<'_>) {
    let courses = view.courses();
    for month in [view.base, Month::MAX] {
        let before = month.previous();
        let mut shown = Vec::new();
        let told = view.each_shown((month, before), |now, earlier| shown.push((now, earlier)));
        assert_eq!(told.is_ok(), courses.is_ok());
        for (number, (now, earlier)) in shown.into_iter().enumerate() {
            let Ok(courses) = &courses else { return };
            let course = courses.get(number);
            assert_eq!(now, course.shown(month, view.base));
            if let Some(before) = before {
                assert_eq!(earlier, course.shown(before, view.base));
            }
        }
    }
}
