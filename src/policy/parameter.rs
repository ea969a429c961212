//! Figures of the law: each value has the month from which it is owed and the day from which it was known.

use std::fmt;

use crate::types::{Date, Decimal, Month};

/// How well a figure or a rule is sourced.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Confidence {
    /// The text of the legal document itself.
    S1,
    /// Press, a law firm or a legal portal that quotes it.
    S2,
    /// An unofficial source.
    S3,
    /// Derived by arithmetic from sourced figures.
    Derived,
    /// Commonly stated, not read in a source.
    Stated,
    /// A conflict of sources or an open question.
    Open,
}

impl Confidence {
    /// Every mark as packs write it.
    pub const ALL: [(&'static str, Self); 6] = [
        ("S1", Self::S1),
        ("S2", Self::S2),
        ("S3", Self::S3),
        ("D", Self::Derived),
        ("M", Self::Stated),
        ("?", Self::Open),
    ];

    /// Whether a run that uses it has to say so.
    pub const fn is_low(self) -> bool {
        matches!(self, Self::S3 | Self::Stated | Self::Open)
    }
}

impl fmt::Display for Confidence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mark = Self::ALL.iter().find(|(_, confidence)| confidence == self);
        f.write_str(mark.map_or("?", |(mark, _)| mark))
    }
}

/// What a parameter measures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Unit {
    /// Whole đồng.
    Dong,
    /// A number without unit: a coefficient, an age, a count.
    Number,
}

/// A value of a parameter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParameterValue {
    /// The value.
    pub value: Decimal,
    /// The first month for which it is owed.
    pub from: Month,
    /// The last month; without it, until a value with a later start.
    pub until: Option<Month>,
    /// The day from which the document that sets it was in force, so that it could be known.
    pub known_from: Date,
    /// The legal source.
    pub source: String,
    /// How well it is sourced.
    pub confidence: Confidence,
}

impl ParameterValue {
    fn applies_to(&self, month: Month) -> bool {
        self.from <= month && self.until.is_none_or(|until| month <= until)
    }
}

/// A figure of the law and its values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parameter {
    /// The name; expressions write `param.` before it.
    pub name: String,
    /// The title in Vietnamese.
    pub title_vi: String,
    /// The title in English.
    pub title_en: String,
    /// What it measures.
    pub unit: Unit,
    /// The values, by the month from which they are owed.
    pub values: Vec<ParameterValue>,
}

impl Parameter {
    /// The value for a month, as the law was known on a day: of those that apply and were known, the one with
    /// the latest start, and of these the one known last.
    pub fn value_for(&self, month: Month, law_known_on: Date) -> Option<&ParameterValue> {
        self.values
            .iter()
            .filter(|value| value.applies_to(month) && value.known_from <= law_known_on)
            .max_by_key(|value| (value.from, value.known_from))
    }

    /// The first month from `from` to `until` for which there is no value at all, known or not.
    pub(crate) fn gap(&self, from: Month, until: Month) -> Option<Month> {
        let mut month = from;
        loop {
            let last = self
                .values
                .iter()
                .filter(|value| value.applies_to(month))
                .map(|value| value.until.unwrap_or(Month::MAX))
                .max();
            match last {
                None => return Some(month),
                Some(last) if last >= until => return None,
                Some(last) => month = last.next(),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(number: i64, from: &str, until: Option<&str>, known_from: &str) -> ParameterValue {
        ParameterValue {
            value: number.into(),
            from: from.parse().unwrap(),
            until: until.map(|month| month.parse().unwrap()),
            known_from: known_from.parse().unwrap(),
            source: String::new(),
            confidence: Confidence::S1,
        }
    }

    fn parameter(values: Vec<ParameterValue>) -> Parameter {
        Parameter {
            name: "p".into(),
            title_vi: String::new(),
            title_en: String::new(),
            unit: Unit::Number,
            values,
        }
    }

    #[test]
    fn the_latest_known_value_holds() {
        let p = parameter(vec![
            value(1, "2024-07", None, "2024-07-01"),
            value(2, "2026-07", None, "2026-10-05"),
            value(3, "2026-07", None, "2026-11-01"),
        ]);
        let at = |month: &str, day: &str| {
            p.value_for(month.parse().unwrap(), day.parse().unwrap())
                .map(|value| value.value.to_integer().unwrap())
        };
        assert_eq!(at("2024-06", "2030-01-01"), None);
        assert_eq!(at("2024-07", "2024-06-30"), None);
        assert_eq!(at("2026-08", "2026-10-04"), Some(1));
        assert_eq!(at("2026-08", "2026-10-05"), Some(2));
        assert_eq!(at("2026-08", "2026-11-01"), Some(3));
        assert_eq!(at("2026-06", "2026-11-01"), Some(1));
    }

    #[test]
    fn gaps_are_found() {
        let month = |text: &str| text.parse::<Month>().unwrap();
        let p = parameter(vec![
            value(1, "2020-01", Some("2020-06"), "2020-01-01"),
            value(2, "2020-06", Some("2020-09"), "2020-01-01"),
            value(3, "2020-11", None, "2020-01-01"),
        ]);
        assert_eq!(p.gap(month("2020-01"), month("2020-09")), None);
        assert_eq!(p.gap(month("2020-01"), month("2020-12")), Some(month("2020-10")));
        assert_eq!(p.gap(month("2020-11"), Month::MAX), None);
        assert_eq!(p.gap(month("2019-12"), month("2020-01")), Some(month("2019-12")));
    }
}
