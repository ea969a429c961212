//! Tests of hot segments.

use super::*;
use proptest::prelude::*;

fn month(number: i32) -> Month {
    Month::new(2026, number).unwrap()
}

fn sample(rows: usize, codes: u32) -> HotSegment {
    let mut segment = HotSegment::new(12, month(1));
    segment.newest = Sequence((1 << 47) + 3);
    for row in 0..rows as u32 {
        segment.persons.push(row * 7 % codes * 1000);
        segment.households.push(row / 4 % codes);
        segment.births.push(2000 + row as u16);
    }
    let version = |from, presence| Version {
        from: month(from),
        presence,
        person: 5,
        household: 3,
    };
    let absent = Version {
        from: month(9),
        presence: Presence::Absent,
        person: 0,
        household: 0,
    };
    segment.changes.insert(
        0,
        Change {
            last: Sequence(4),
            earlier: None,
            versions: vec![],
        },
    );
    segment.changes.insert(
        2,
        Change {
            last: Sequence(1 << 47),
            earlier: Some(month(2)),
            versions: vec![
                version(2, Presence::Elsewhere(77)),
                version(3, Presence::Present),
                version(8, Presence::Dies),
                absent,
            ],
        },
    );
    segment
}

#[test]
fn segments_come_back() {
    for (rows, codes) in [(3, 2), (1000, 40), (1000, 400)] {
        let segment = sample(rows, codes);
        assert_eq!(HotSegment::decode(&segment.encode()).unwrap(), segment);
    }
    let empty = HotSegment::new(1, month(1));
    assert_eq!(HotSegment::decode(&empty.encode()).unwrap(), empty);
}

#[test]
fn one_row_is_read_like_all() {
    for (rows, codes) in [(3, 2), (1000, 400)] {
        let segment = sample(rows, codes);
        let bytes = segment.encode();
        for row in 0..rows {
            let one = HotRow::read(&bytes, row).unwrap().unwrap();
            let expected = (segment.persons[row], segment.households[row], segment.births[row]);
            assert_eq!((one.person, one.household, one.birth), expected);
        }
        assert_eq!(HotRow::read(&bytes, rows).unwrap(), None);
    }
}

#[test]
fn a_course_shows_its_month() {
    let bytes = sample(3, 2).encode();
    let view = HotView::parse(&bytes).unwrap();
    let courses = view.courses().unwrap();
    let course = courses.get(view.course_of(2).unwrap());
    let presence = |m| match course.shown(month(m), view.base) {
        Shown::As(presence, pair) => {
            assert_eq!(view.codes(usize::from(pair)), (5, 3));
            Some(presence)
        }
        Shown::Absent => Some(Presence::Absent),
        Shown::Facts => None,
    };
    assert_eq!(presence(1), None, "before the window the facts answer");
    assert_eq!(presence(2), Some(Presence::Elsewhere(77)));
    assert_eq!(presence(7), Some(Presence::Present));
    assert_eq!(presence(8), Some(Presence::Dies));
    assert_eq!(presence(12), Some(Presence::Absent));
    let lasts = view.lasts().unwrap();
    assert_eq!(lasts, [(0, Sequence(4)), (2, Sequence(1 << 47))]);
}

proptest! {
    #[test]
    fn what_courses_show_is_told_as_by_their_versions(
        versions in proptest::collection::vec(
            proptest::collection::vec((1..5_u16, 0..12_u8, 0..60_u32), 0..6),
            1..40,
        ),
        at in -3..18_i32,
        earlier in proptest::option::of(1..4_i32),
    ) {
        let mut segment = HotSegment::new(12, month(1));
        segment.newest = Sequence(9);
        for (row, versions) in versions.iter().enumerate() {
            segment.persons.push(row as u32 * 3);
            segment.households.push(2);
            segment.births.push(2000);
            // Some begin with the segment, some a month before it, some later.
            let mut from = month(1).index() - 2;
            let versions = versions.iter().map(|&(distance, presence, person)| {
                from += if person == 7 { distance * 90 } else { distance };
                let presence = match presence {
                    0 => Presence::Absent,
                    1 => Presence::Dies,
                    2 => Presence::Elsewhere(77),
                    _ => Presence::Present,
                };
                let there = presence != Presence::Absent;
                Version {
                    from: Month::from_index(from).unwrap(),
                    presence,
                    person: if there { person } else { 0 },
                    household: if there { 2 } else { 0 },
                }
            });
            let change = Change {
                last: Sequence(1),
                earlier: (row % 7 == 3).then(|| month(5)),
                versions: versions.collect(),
            };
            segment.changes.insert(row as u16, change);
        }
        let bytes = segment.encode();
        let view = HotView::parse(&bytes).unwrap();
        let courses = view.courses().unwrap();
        let shown_in = month(1).plus(at).unwrap();
        let before = earlier.and_then(|earlier| shown_in.plus(-earlier).ok());
        let mut number = 0;
        view.each_shown((shown_in, before), |now, earlier| {
            let course = courses.get(number);
            assert_eq!(now, course.shown(shown_in, view.base));
            let expected = before.map_or(Shown::Absent, |before| course.shown(before, view.base));
            assert_eq!(earlier, expected);
            number += 1;
        })
        .unwrap();
        prop_assert_eq!(number, courses.len());
        prop_assert_eq!(HotSegment::decode(&bytes).unwrap(), segment);
    }
}

#[test]
fn rows_alike_but_for_their_birth_share_a_life() {
    let mut segment = sample(100, 1);
    segment.changes.clear();
    let ends = |row: u16| {
        // Each is born in another month after the base.
        let born = month(1).plus(i32::from(row) + 1).unwrap();
        let version = |from, household| Version {
            from,
            presence: Presence::Present,
            person: 0,
            household,
        };
        let versions = vec![version(born, 7), version(month(1).plus(200).unwrap(), 0)];
        Change {
            last: Sequence(u64::from(row) + 1),
            earlier: None,
            versions,
        }
    };
    segment.births = (1..=100).map(|row| month(1).index() + row).collect();
    segment.changes.extend((0..100).map(|row| (row, ends(row))));
    let bytes = segment.encode();
    let view = HotView::parse(&bytes).unwrap();
    assert_eq!(view.courses().unwrap().len(), 1);
    assert_eq!(HotSegment::decode(&bytes).unwrap(), segment);
}

#[test]
fn one_row_costs_three_bytes() {
    let mut segment = sample(900, 40);
    segment.changes.clear();
    let pairs = segment.pairs().len();
    let bytes = segment.encode().len();
    assert!(
        bytes <= estimate(900, pairs, 0, 0),
        "{bytes} bytes, {pairs} pairs"
    );
}

proptest! {
    #[test]
    fn damage_never_panics(at in any::<usize>(), byte in any::<u8>(), cut in any::<usize>()) {
        let mut bytes = sample(20, 5).encode();
        let len = bytes.len();
        bytes[at % len] = byte;
        if cut % 3 == 0 {
            bytes.truncate(cut % len);
        }
        if let Ok(segment) = HotSegment::decode(&bytes) {
            let _ = segment.encode();
        }
        if let Ok(view) = HotView::parse(&bytes) {
            let courses = view.courses();
            for shown_in in [1, 3, 8, 9].map(month) {
                let mut shown = Vec::new();
                let told = view.each_shown((shown_in, None), |now, _| shown.push(now));
                prop_assert_eq!(told.is_ok(), courses.is_ok());
                if let Ok(courses) = &courses {
                    let expected = (0..courses.len()).map(|number| courses.get(number).shown(shown_in, view.base));
                    prop_assert!(shown.into_iter().eq(expected));
                }
            }
        }
    }
}
