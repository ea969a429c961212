//! Figures of the law: each value has the month from which it is owed and the day from which it was known.

use std::fmt;

use super::dates::{Dates, in_force};
use crate::types::{Date, Decimal, Month, ProvinceCode};

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
    /// When it is owed, and since when it is known.
    pub dates: Dates,
    /// The legal source.
    pub source: String,
    /// How well it is sourced.
    pub confidence: Confidence,
}

/// The people of a province: of today, or as it was before 2025-07-01.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Area {
    /// One of the provinces of today, by the number of its code.
    Province(u8),
    /// One of the provinces before 2025-07-01, by the number of its code.
    Former(u8),
}

impl Area {
    /// Whether a place lies in it.
    pub fn contains(self, province: ProvinceCode, former_province: ProvinceCode) -> bool {
        match self {
            Self::Province(code) => province.number() == code,
            Self::Former(code) => former_province.number() == code,
        }
    }
}

impl fmt::Display for Area {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Province(code) => write!(f, "province {code:02}"),
            Self::Former(code) => write!(f, "former province {code:02}"),
        }
    }
}

/// How a provincial value and the national one come together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ProvincialRule {
    /// The higher of the two holds.
    Higher,
    /// The provincial value holds instead of the national one.
    Instead,
}

/// A value that a province has set for its people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProvincialValue {
    /// Whose value.
    pub area: Area,
    /// The value.
    pub value: ParameterValue,
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
    /// The national values, by the month from which they are owed.
    pub values: Vec<ParameterValue>,
    /// The provincial values, by area and month.
    pub provincial: Vec<ProvincialValue>,
    /// How they come together with the national ones.
    pub rule: ProvincialRule,
}

impl Parameter {
    /// The national value for a month, as the law was known on a day: of those that apply and were known, the one with
    /// the latest start, and of these the one known last.
    pub fn value_for(&self, month: Month, law_known_on: Date) -> Option<&ParameterValue> {
        let all = self.values.iter().map(|value| value.dates);
        in_force(all, month, law_known_on).map(|place| &self.values[place])
    }

    /// The provincial values for a month, as the law was known on a day: one for each area that then has one.
    pub fn provincial_for(&self, month: Month, law_known_on: Date) -> impl Iterator<Item = &ProvincialValue> {
        self.provincial
            .chunk_by(|a, b| a.area == b.area)
            .filter_map(move |of_area| {
                let all = of_area.iter().map(|value| value.value.dates);
                in_force(all, month, law_known_on).map(|place| &of_area[place])
            })
    }

    /// What holds in a place: the value, and the area that set it if it is not the national one.
    pub fn value_in(
        &self,
        month: Month,
        law_known_on: Date,
        province: ProvinceCode,
        former_province: ProvinceCode,
    ) -> Option<(&ParameterValue, Option<Area>)> {
        let national = self.value_for(month, law_known_on).map(|value| (value, None));
        let provincial = self
            .provincial_for(month, law_known_on)
            .filter(|value| value.area.contains(province, former_province))
            .map(|value| (&value.value, Some(value.area)));
        match self.rule {
            ProvincialRule::Instead => provincial.last().or(national),
            ProvincialRule::Higher => provincial.fold(national, |best, found| match best {
                Some((value, _)) if value.value >= found.0.value => best,
                _ => Some(found),
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(number: i64, from: &str) -> ParameterValue {
        ParameterValue {
            value: number.into(),
            dates: Dates {
                from: from.parse().unwrap(),
                until: None,
                known_from: "2020-01-01".parse().unwrap(),
            },
            source: String::new(),
            confidence: Confidence::S1,
        }
    }

    #[test]
    fn the_higher_of_national_and_provincial_holds_or_the_provincial_instead() {
        let area = |area, number, from| ProvincialValue {
            area,
            value: value(number, from),
        };
        let mut parameter = Parameter {
            name: "p".into(),
            title_vi: String::new(),
            title_en: String::new(),
            unit: Unit::Number,
            values: vec![value(500, "2024-07"), value(540, "2026-07")],
            provincial: vec![
                area(Area::Province(1), 650, "2026-01"),
                area(Area::Province(8), 530, "2025-01"),
                area(Area::Former(30), 700, "2026-01"),
            ],
            rule: ProvincialRule::Higher,
        };
        let at = |parameter: &Parameter, month: &str, province: &str, former: &str| {
            let (province, former) = (province.parse().unwrap(), former.parse().unwrap());
            let known = "2026-12-01".parse().unwrap();
            let (value, area) = parameter
                .value_in(month.parse().unwrap(), known, province, former)
                .unwrap();
            (value.value.to_integer().unwrap(), area)
        };
        assert_eq!(at(&parameter, "2025-12", "01", "01"), (500, None));
        assert_eq!(
            at(&parameter, "2026-01", "01", "01"),
            (650, Some(Area::Province(1)))
        );
        assert_eq!(
            at(&parameter, "2026-06", "08", "02"),
            (530, Some(Area::Province(8)))
        );
        assert_eq!(
            at(&parameter, "2026-07", "08", "02"),
            (540, None),
            "below the national level"
        );
        assert_eq!(
            at(&parameter, "2026-07", "31", "30"),
            (700, Some(Area::Former(30)))
        );
        assert_eq!(at(&parameter, "2026-07", "31", "31"), (540, None));
        parameter.rule = ProvincialRule::Instead;
        assert_eq!(
            at(&parameter, "2026-07", "08", "02"),
            (530, Some(Area::Province(8)))
        );
    }
}
