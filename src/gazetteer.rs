//! The administrative units of Vietnam since the reform of 2025-07-01, embedded.
//!
//! Codes follow Decision 19/2025/QĐ-TTg; kinds and names over time follow the resolutions of 2026. Where the
//! tables come from and how sure they are stands in `data/PROVENANCE.md`.

use rustc_hash::FxHashMap;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::kernel::units::{UnitDeclaration, UnitKind, UnitName};
use crate::types::{CommuneCode, Date, Month, ProvinceCode};

/// The first month in which these units exist.
pub const REFORM_MONTH: Month = month(2025, 7);

/// A month of the calendar, for constants.
pub(crate) const fn month(year: i32, number: i32) -> Month {
    match Month::from_index(((year - Month::YEAR_MIN) * 12 + number - 1) as u16) {
        Some(month) => month,
        None => panic!("the month lies outside the calendar"),
    }
}

const COMMUNES: &str = include_str!("../data/communes.csv");
const AMENDMENTS: &str = include_str!("../data/admin_amendments_2026.csv");
const PROVINCES: &str = include_str!("../data/provinces63.csv");
const POPULATION: &str = include_str!("../data/province_population.csv");

#[derive(Deserialize)]
struct CommuneRow {
    commune_code: String,
    commune_name: String,
    kind: String,
    province_code: String,
    province_name: String,
    former_province_code: String,
    area_km2: Option<f64>,
}

#[derive(Deserialize)]
struct AmendmentRow {
    level: String,
    code: String,
    name_before: String,
    name_after: String,
    effective_date: String,
}

#[derive(Deserialize)]
struct ProvinceRow {
    old_province_code: String,
    old_province_name: String,
    new_province_code: String,
    new_province_name: String,
    region6: String,
}

#[derive(Deserialize)]
struct PopulationRow {
    province_code: String,
    population_registered: u64,
}

/// The part of the country in which a province before the reform lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Region {
    /// Trung du và miền núi phía Bắc.
    NorthernMountains,
    /// Đồng bằng sông Hồng.
    RedRiverDelta,
    /// Bắc Trung Bộ và duyên hải miền Trung.
    CentralCoast,
    /// Tây Nguyên.
    CentralHighlands,
    /// Đông Nam Bộ.
    Southeast,
    /// Đồng bằng sông Cửu Long.
    MekongDelta,
}

/// Reads a table that is part of the program. A row that does not fit is a fault of the program, which the
/// tests of this module would find.
pub(crate) fn embedded_rows<T: DeserializeOwned>(table: &str) -> Vec<T> {
    csv::Reader::from_reader(table.as_bytes())
        .deserialize()
        .map(|row| row.expect("the embedded tables are read whole by the tests"))
        .collect()
}

fn kind_of(name: &str) -> UnitKind {
    if name.starts_with("Phường ") {
        UnitKind::Ward
    } else if name.starts_with("Đặc khu ") {
        UnitKind::SpecialZone
    } else {
        UnitKind::Commune
    }
}

/// Every commune-level unit of Vietnam since 2025-07, in the order of codes, with what it and its province are
/// called over time. A change on a day counts from the month of that day.
///
/// ```
/// let units = ansinh::gazetteer::vietnam();
/// assert_eq!(units.len(), 3_321);
/// assert_eq!(units[0].names[0].name, "Phường Ba Đình");
/// ```
pub fn vietnam() -> Vec<UnitDeclaration> {
    let amendments: Vec<AmendmentRow> = embedded_rows(AMENDMENTS);
    let mut units: Vec<UnitDeclaration> = embedded_rows(COMMUNES)
        .iter()
        .map(|row| unit(row, &amendments))
        .collect();
    units.sort_by_key(|unit| unit.code);
    units
}

fn unit(row: &CommuneRow, amendments: &[AmendmentRow]) -> UnitDeclaration {
    let concerns = |amendment: &&AmendmentRow| match amendment.level.as_str() {
        "commune" => amendment.code == row.commune_code,
        _ => amendment.code == row.province_code,
    };
    let mut changes: Vec<(Month, &AmendmentRow)> = amendments
        .iter()
        .filter(concerns)
        .map(|amendment| (month_of(&amendment.effective_date), amendment))
        .collect();
    changes.sort_by_key(|&(month, _)| month);
    let mut name = UnitName {
        from: REFORM_MONTH,
        kind: UnitKind::Commune,
        name: row.commune_name.clone(),
        province_name: row.province_name.clone(),
    };
    for (_, amendment) in changes.iter().rev() {
        rename(&mut name, amendment, &amendment.name_before);
    }
    name.kind = kind_of(&name.name);
    let mut names = vec![name];
    for (month, amendment) in changes {
        let mut next = names[names.len() - 1].clone();
        rename(&mut next, amendment, &amendment.name_after);
        next.kind = kind_of(&next.name);
        if next.from == month {
            names.pop();
        }
        next.from = month;
        names.push(next);
    }
    debug_assert_eq!(names.last().map(|last| &last.name), Some(&row.commune_name));
    debug_assert_eq!(kind_text(names[names.len() - 1].kind), row.kind);
    UnitDeclaration {
        code: code(&row.commune_code),
        from: REFORM_MONTH,
        province: province_code(&row.province_code),
        former_province: province_code(&row.former_province_code),
        names,
    }
}

fn rename(name: &mut UnitName, amendment: &AmendmentRow, text: &str) {
    if amendment.level == "commune" {
        text.clone_into(&mut name.name);
    } else {
        text.clone_into(&mut name.province_name);
    }
}

const fn kind_text(kind: UnitKind) -> &'static str {
    match kind {
        UnitKind::Commune => "xã",
        UnitKind::Ward => "phường",
        UnitKind::SpecialZone => "đặc khu",
    }
}

fn month_of(date: &str) -> Month {
    date.parse::<Date>()
        .expect("the embedded tables hold whole dates")
        .month()
}

fn code(text: &str) -> CommuneCode {
    text.parse()
        .expect("the embedded tables hold codes of five digits")
}

fn province_code(text: &str) -> ProvinceCode {
    text.parse()
        .expect("the embedded tables hold codes of two digits")
}

/// The area of each commune in hectares, where it is known.
pub(crate) fn areas_hectares() -> FxHashMap<CommuneCode, u64> {
    embedded_rows::<CommuneRow>(COMMUNES)
        .into_iter()
        .filter_map(|row| Some((code(&row.commune_code), (row.area_km2? * 100.0).round() as u64)))
        .collect()
}

/// The region of each of the 63 provinces before the reform.
pub fn regions() -> FxHashMap<ProvinceCode, Region> {
    embedded_rows::<ProvinceRow>(PROVINCES)
        .into_iter()
        .map(|row| (province_code(&row.old_province_code), region(&row.region6)))
        .collect()
}

/// What the 34 provinces were called when the reform made them.
pub fn province_names() -> FxHashMap<ProvinceCode, String> {
    embedded_rows::<ProvinceRow>(PROVINCES)
        .into_iter()
        .map(|row| (province_code(&row.new_province_code), row.new_province_name))
        .collect()
}

/// What the 63 provinces before the reform were called.
pub fn former_province_names() -> FxHashMap<ProvinceCode, String> {
    embedded_rows::<ProvinceRow>(PROVINCES)
        .into_iter()
        .map(|row| (province_code(&row.old_province_code), row.old_province_name))
        .collect()
}

fn region(name: &str) -> Region {
    match name {
        "Trung du và miền núi phía Bắc" => Region::NorthernMountains,
        "Đồng bằng sông Hồng" => Region::RedRiverDelta,
        "Tây Nguyên" => Region::CentralHighlands,
        "Đông Nam Bộ" => Region::Southeast,
        "Đồng bằng sông Cửu Long" => Region::MekongDelta,
        _ => Region::CentralCoast,
    }
}

/// The registered population of each of the 34 provinces.
pub fn registered_population() -> FxHashMap<ProvinceCode, u64> {
    embedded_rows::<PopulationRow>(POPULATION)
        .into_iter()
        .map(|row| (province_code(&row.province_code), row.population_registered))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name_in(unit: &UnitDeclaration, month: Month) -> &UnitName {
        unit.names.iter().rev().find(|name| name.from <= month).unwrap()
    }

    #[test]
    fn provinces_have_names() {
        let (now, former) = (province_names(), former_province_names());
        assert_eq!((now.len(), former.len()), (34, 63));
        let (two, eight) = ("02".parse().unwrap(), "08".parse().unwrap());
        assert_eq!(
            (former[&two].as_str(), now[&eight].as_str()),
            ("Tỉnh Hà Giang", "Tỉnh Tuyên Quang")
        );
        assert!(!now.contains_key(&two));
    }

    #[test]
    fn all_units_are_there_once() {
        let units = vietnam();
        assert_eq!(units.len(), 3_321);
        assert!(units.windows(2).all(|pair| pair[0].code < pair[1].code));
        let provinces: std::collections::BTreeSet<_> = units.iter().map(|unit| unit.province).collect();
        assert_eq!(provinces.len(), 34);
        let former: std::collections::BTreeSet<_> = units.iter().map(|unit| unit.former_province).collect();
        assert_eq!(former.len(), 63);
        let population = registered_population();
        assert!(provinces.iter().all(|province| population[province] > 0));
        let regions = regions();
        assert!(former.iter().all(|province| regions.contains_key(province)));
        assert!(units.iter().all(|unit| unit.from == REFORM_MONTH
            && unit.names[0].from == REFORM_MONTH
            && unit.names.windows(2).all(|pair| pair[0].from < pair[1].from)));
    }

    #[test]
    fn kinds_add_up_in_each_month() {
        let units = vietnam();
        for (at, wards, communes) in [
            ("2025-07", 687, 2_621),
            ("2026-03", 687, 2_621),
            ("2026-04", 697, 2_611),
            ("2026-08", 697, 2_611),
            ("2026-09", 709, 2_599),
        ] {
            let count = |kind| {
                let in_month = |unit: &&UnitDeclaration| name_in(unit, at.parse().unwrap()).kind == kind;
                units.iter().filter(in_month).count()
            };
            assert_eq!(count(UnitKind::Ward), wards, "{at}");
            assert_eq!(count(UnitKind::Commune), communes, "{at}");
            assert_eq!(count(UnitKind::SpecialZone), 13, "{at}");
        }
    }

    #[test]
    fn kinds_of_the_table_agree_with_the_names() {
        for row in embedded_rows::<CommuneRow>(COMMUNES) {
            assert_eq!(
                kind_text(kind_of(&row.commune_name)),
                row.kind,
                "{}",
                row.commune_code
            );
        }
    }

    #[test]
    fn amended_units_have_the_name_before_and_after() {
        let units = vietnam();
        let amendments: Vec<AmendmentRow> = embedded_rows(AMENDMENTS);
        assert_eq!(amendments.len(), 25);
        for amendment in &amendments {
            let after = month_of(&amendment.effective_date);
            let before = after.previous().unwrap();
            let concerned: Vec<&UnitDeclaration> = units
                .iter()
                .filter(|unit| match amendment.level.as_str() {
                    "commune" => unit.code.to_string() == amendment.code,
                    _ => unit.province.to_string() == amendment.code,
                })
                .collect();
            assert!(!concerned.is_empty(), "{}", amendment.code);
            for unit in concerned {
                let text = |month| {
                    let name = name_in(unit, month);
                    if amendment.level == "commune" {
                        name.name.clone()
                    } else {
                        name.province_name.clone()
                    }
                };
                assert_eq!(text(before), amendment.name_before);
                assert_eq!(text(after), amendment.name_after);
            }
        }
    }

    #[test]
    fn nearly_every_area_is_known() {
        assert_eq!(areas_hectares().len(), 3_319);
    }
}
