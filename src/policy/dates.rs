//! The two times of the law: from which month something is owed, and from which day it was known.

use crate::types::{Date, Month};

/// When something applies, and since when it is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Dates {
    /// The first month for which it applies.
    pub from: Month,
    /// The last month; without it, until something with a later start.
    pub until: Option<Month>,
    /// The day from which the document that sets it was in force, so that it could be known.
    pub known_from: Date,
}

impl Dates {
    /// Whether it applies to a month.
    pub fn applies_to(&self, month: Month) -> bool {
        self.from <= month && self.until.is_none_or(|until| month <= until)
    }

    /// Whether it applies to a month and was known on a day.
    pub fn in_force(&self, month: Month, law_known_on: Date) -> bool {
        self.applies_to(month) && self.known_from <= law_known_on
    }
}

/// The place of the one in force for a month, as the law was known on a day: of those that apply and were known, the
/// one with the latest start, and of these the one known last.
pub(crate) fn in_force(all: impl Iterator<Item = Dates>, month: Month, law_known_on: Date) -> Option<usize> {
    all.enumerate()
        .filter(|(_, dates)| dates.in_force(month, law_known_on))
        .max_by_key(|(_, dates)| (dates.from, dates.known_from))
        .map(|(place, _)| place)
}

/// Two that cannot both stand, by their places.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Conflict {
    /// They start in the same month and were known from the same day.
    SameStart(usize, usize),
    /// The first has a last month that reaches into the second, which starts later.
    Overlap(usize, usize),
}

/// The first conflict among several.
pub(crate) fn conflict(all: &[Dates]) -> Option<Conflict> {
    let pairs = || {
        all.iter().enumerate().flat_map(|(a, first)| {
            all.iter()
                .enumerate()
                .map(move |(b, second)| (a, first, b, second))
        })
    };
    pairs().find_map(|(a, first, b, second)| {
        if a < b && (first.from, first.known_from) == (second.from, second.known_from) {
            return Some(Conflict::SameStart(a, b));
        }
        let reaches = first.until.is_some_and(|until| until >= second.from);
        (first.from < second.from && reaches).then_some(Conflict::Overlap(a, b))
    })
}

/// Where something is needed: every month from one on, as the law was known on every day from one on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Needed {
    pub from: Month,
    pub until: Month,
    pub known_from: Date,
}

/// The months for which one of several is in force, by the law as it was known on each day.
#[derive(Debug)]
pub(crate) struct Coverage {
    /// The days on which one became known, and the spans of months covered from then on; both ascending, the spans
    /// with gaps between them.
    known: Vec<(Date, Vec<(Month, Month)>)>,
}

impl Coverage {
    /// What some cover together.
    pub fn new(mut all: Vec<Dates>) -> Self {
        all.sort_unstable_by_key(|dates| dates.from);
        let mut days: Vec<Date> = all.iter().map(|dates| dates.known_from).collect();
        days.sort_unstable();
        days.dedup();
        let covered = |day: Date| {
            let mut spans: Vec<(Month, Month)> = Vec::new();
            for dates in all.iter().filter(|dates| dates.known_from <= day) {
                let until = dates.until.unwrap_or(Month::MAX);
                match spans.last_mut() {
                    Some((_, last)) if dates.from <= last.next() => *last = until.max(*last),
                    _ => spans.push((dates.from, until)),
                }
            }
            (day, spans)
        };
        Self {
            known: days.into_iter().map(covered).collect(),
        }
    }

    /// The first month, and the day of the law, for which none is in force.
    pub fn gap(&self, needed: Needed) -> Option<(Month, Date)> {
        let later = self.known.partition_point(|(day, _)| *day <= needed.known_from);
        let first: &[(Month, Month)] = match later.checked_sub(1) {
            Some(at) => &self.known[at].1,
            None => &[],
        };
        let later = self.known[later..]
            .iter()
            .map(|(day, spans)| (*day, spans.as_slice()));
        let mut days = std::iter::once((needed.known_from, first)).chain(later);
        days.find_map(|(day, spans)| {
            let next = spans.partition_point(|(from, _)| *from <= needed.from);
            let around = next.checked_sub(1).map(|at| spans[at].1);
            match around.filter(|until| *until >= needed.from) {
                None => Some((needed.from, day)),
                Some(until) if until >= needed.until => None,
                Some(until) => Some((until.next(), day)),
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dates(from: &str, until: Option<&str>, known_from: &str) -> Dates {
        Dates {
            from: from.parse().unwrap(),
            until: until.map(|month| month.parse().unwrap()),
            known_from: known_from.parse().unwrap(),
        }
    }

    #[test]
    fn the_latest_known_holds() {
        let all = [
            dates("2024-07", None, "2024-07-01"),
            dates("2026-07", None, "2026-10-05"),
            dates("2026-07", None, "2026-11-01"),
        ];
        let at = |month: &str, day: &str| {
            in_force(all.iter().copied(), month.parse().unwrap(), day.parse().unwrap())
        };
        assert_eq!(at("2024-06", "2030-01-01"), None);
        assert_eq!(at("2024-07", "2024-06-30"), None);
        assert_eq!(at("2026-08", "2026-10-04"), Some(0));
        assert_eq!(at("2026-08", "2026-10-05"), Some(1));
        assert_eq!(at("2026-08", "2026-11-01"), Some(2));
        assert_eq!(at("2026-06", "2026-11-01"), Some(0));
    }

    fn gap(all: &[Dates], needed: Needed) -> Option<(Month, Date)> {
        Coverage::new(all.to_vec()).gap(needed)
    }

    #[test]
    fn gaps_are_found_in_months_and_in_law_dates() {
        let needed = |from: &str, until: &str, known: &str| Needed {
            from: from.parse().unwrap(),
            until: until.parse().unwrap(),
            known_from: known.parse().unwrap(),
        };
        let all = [
            dates("2020-01", Some("2020-06"), "2020-01-01"),
            dates("2020-07", Some("2020-09"), "2020-01-01"),
            dates("2020-11", None, "2020-12-05"),
        ];
        let at = |month: &str, day: &str| Some((month.parse().unwrap(), day.parse().unwrap()));
        assert_eq!(gap(&all, needed("2020-01", "2020-09", "2020-01-01")), None);
        assert_eq!(
            gap(&all, needed("2020-01", "2020-12", "2020-12-05")),
            at("2020-10", "2020-12-05")
        );
        assert_eq!(gap(&all, needed("2020-11", "2030-01", "2020-12-05")), None);
        assert_eq!(
            gap(&all, needed("2020-11", "2030-01", "2020-11-01")),
            at("2020-11", "2020-11-01"),
            "owed from November, known from December"
        );
        assert_eq!(
            gap(&all, needed("2019-12", "2020-01", "2020-01-01")),
            at("2019-12", "2020-01-01")
        );
        let later = [
            dates("2020-01", None, "2020-01-01"),
            dates("2020-03", Some("2020-04"), "2020-06-01"),
        ];
        assert_eq!(
            gap(&later, needed("2020-01", "2030-01", "2020-01-01")),
            None,
            "what was there goes on"
        );
    }

    #[test]
    fn conflicts_are_found() {
        let a = dates("2020-01", None, "2020-01-01");
        let b = dates("2020-03", Some("2020-06"), "2020-01-01");
        let c = dates("2020-06", None, "2020-06-01");
        assert_eq!(conflict(&[a, dates("2020-07", None, "2020-07-01")]), None);
        assert_eq!(conflict(&[a, a]), Some(Conflict::SameStart(0, 1)));
        assert_eq!(conflict(&[c, a, b]), Some(Conflict::Overlap(2, 0)));
        assert_eq!(
            conflict(&[a, dates("2020-01", None, "2020-02-01")]),
            None,
            "corrected later"
        );
    }
}
