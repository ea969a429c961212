//! Where the people live: how many in each commune, and which communes are especially difficult.

use rustc_hash::FxHashMap;

use super::SynthError;
use super::identifiers::Strides;
use super::pyramid::Pyramid;
use super::random::mix;
use crate::gazetteer::{self, Region};
use crate::kernel::units::{UnitDeclaration, UnitKind};
use crate::types::{CommuneCode, ProvinceCode};

/// The greatest number of communes that a synthetic population is spread over.
pub const COMMUNES_MAX: usize = 10_000;
/// The greatest number of people of one commune: household IDs number at most 999,999 households of a commune.
pub const COMMUNE_PEOPLE_MAX: u64 = 2_000_000;

/// The area taken for a commune whose area is not known, in hectares.
const AREA_DEFAULT_HECTARES: u64 = 5_000;

/// A commune with everything that its people depend on.
#[derive(Debug, Clone)]
pub(super) struct Place {
    pub(super) code: CommuneCode,
    pub(super) province: ProvinceCode,
    pub(super) former_province: ProvinceCode,
    pub(super) kind: UnitKind,
    pub(super) region: Region,
    /// Especially difficult by decision.
    pub(super) difficult: bool,
    /// Whether single villages may be difficult although the commune is not.
    pub(super) upland: bool,
    pub(super) people: u64,
    pub(super) strides: Strides,
}

/// The communes in the order of codes, with `people` spread over them.
pub(super) fn settle(
    people: u64,
    seed: u64,
    units: &[UnitDeclaration],
    pyramid: &Pyramid,
) -> Result<Vec<Place>, SynthError> {
    let mut places = survey(seed, units)?;
    let areas = gazetteer::areas_hectares();
    let provinces = provinces_of(&places)?;
    let weights: Vec<u64> = provinces.iter().map(|&(_, weight)| weight).collect();
    let shares = apportion(people, &weights);
    for (&(province, _), share) in provinces.iter().zip(shares) {
        let members: Vec<usize> = (0..places.len())
            .filter(|&at| places[at].province == province)
            .collect();
        let weights: Vec<u64> = members
            .iter()
            .map(|&at| settlement_weight(&places[at], area(&areas, places[at].code)))
            .collect();
        for (at, people) in members.into_iter().zip(apportion(share, &weights)) {
            places[at].people = people;
        }
    }
    for place in &places {
        if place.people > COMMUNE_PEOPLE_MAX {
            return Err(SynthError::CommuneTooLarge {
                commune: place.code,
                people: place.people,
            });
        }
    }
    super::identifiers::lay_out(&mut places, pyramid)?;
    Ok(places)
}

fn area(areas: &FxHashMap<CommuneCode, u64>, code: CommuneCode) -> u64 {
    areas.get(&code).copied().unwrap_or(AREA_DEFAULT_HECTARES)
}

fn survey(seed: u64, units: &[UnitDeclaration]) -> Result<Vec<Place>, SynthError> {
    if units.is_empty() || units.len() > COMMUNES_MAX {
        return Err(SynthError::Units { found: units.len() });
    }
    let areas = gazetteer::areas_hectares();
    let regions = gazetteer::regions();
    let mut places = Vec::with_capacity(units.len());
    for unit in units {
        if unit.from > gazetteer::REFORM_MONTH {
            return Err(SynthError::UnitTooLate {
                commune: unit.code,
                from: unit.from,
            });
        }
        let region = *regions
            .get(&unit.former_province)
            .ok_or(SynthError::UnknownProvince {
                commune: unit.code,
                province: unit.former_province,
            })?;
        let kind = unit.names.last().map_or(UnitKind::Commune, |name| name.kind);
        let area = area(&areas, unit.code);
        places.push(Place {
            code: unit.code,
            province: unit.province,
            former_province: unit.former_province,
            kind,
            region,
            difficult: is_difficult(seed, unit.code, kind, region, area),
            upland: kind != UnitKind::Ward && upland_area(region).is_some_and(|least| area >= least / 2),
            people: 0,
            strides: Strides::default(),
        });
    }
    places.sort_by_key(|place| place.code);
    match places.windows(2).find(|pair| pair[0].code == pair[1].code) {
        Some(pair) => Err(SynthError::DuplicateUnit {
            commune: pair[0].code,
        }),
        None => Ok(places),
    }
}

/// The area in hectares from which a rural commune of a region is likely to lie in the mountains.
const fn upland_area(region: Region) -> Option<u64> {
    match region {
        Region::NorthernMountains => Some(7_000),
        Region::CentralHighlands => Some(14_000),
        Region::CentralCoast => Some(18_000),
        Region::Southeast | Region::MekongDelta => Some(30_000),
        Region::RedRiverDelta => None,
    }
}

/// Large rural communes of the mountains are mostly difficult, four of five; wards never are.
fn is_difficult(seed: u64, code: CommuneCode, kind: UnitKind, region: Region, area: u64) -> bool {
    let large = upland_area(region).is_some_and(|least| area >= least);
    let drawn = mix(seed ^ mix(u64::from(code.number()) + 0x0D1F)) % 100;
    kind == UnitKind::Commune && large && drawn < 80
}

/// The provinces in the order of codes, with their registered population.
fn provinces_of(places: &[Place]) -> Result<Vec<(ProvinceCode, u64)>, SynthError> {
    let population = gazetteer::registered_population();
    let mut provinces: Vec<(ProvinceCode, u64)> = Vec::new();
    for place in places {
        if provinces.iter().any(|&(known, _)| known == place.province) {
            continue;
        }
        let registered = population
            .get(&place.province)
            .ok_or(SynthError::UnknownProvince {
                commune: place.code,
                province: place.province,
            })?;
        provinces.push((place.province, *registered));
    }
    provinces.sort_by_key(|&(province, _)| province);
    Ok(provinces)
}

/// How many people a commune holds beside the others of its province. Wards hold most; a larger ward or lowland
/// commune holds somewhat more (by the fourth root of its area), mountain communes and small islands few.
fn settlement_weight(place: &Place, area_hectares: u64) -> u64 {
    let fourth_root = (area_hectares * 10_000).isqrt().isqrt().max(1);
    match place.kind {
        UnitKind::Ward => 260 * fourth_root,
        UnitKind::Commune if place.difficult => 60 * 90,
        UnitKind::Commune if place.upland => 75 * 90,
        UnitKind::Commune => 110 * fourth_root,
        UnitKind::SpecialZone => 55 * area_hectares.isqrt().max(1),
    }
}

/// Divides a total by weight with largest remainders: the parts add up to the total.
pub(super) fn apportion(total: u64, weights: &[u64]) -> Vec<u64> {
    let sum: u128 = weights.iter().map(|&weight| u128::from(weight)).sum();
    if sum == 0 {
        return vec![0; weights.len()];
    }
    let product = |weight: u64| u128::from(total) * u128::from(weight);
    let mut parts: Vec<u64> = weights
        .iter()
        .map(|&weight| (product(weight) / sum) as u64)
        .collect();
    let missing = total - parts.iter().sum::<u64>();
    let mut order: Vec<usize> = (0..weights.len()).collect();
    order.sort_by_key(|&at| (std::cmp::Reverse(product(weights[at]) % sum), at));
    for &at in order.iter().take(missing as usize) {
        parts[at] += 1;
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_add_up() {
        assert_eq!(apportion(10, &[1, 1, 1]), [4, 3, 3]);
        assert_eq!(apportion(0, &[1, 2]), [0, 0]);
        assert_eq!(apportion(7, &[0, 5]), [0, 7]);
        let weights: Vec<u64> = (1..=3_321).map(|n| n * n % 977 + 1).collect();
        for total in [1, 999, 200_000, 101_000_000] {
            assert_eq!(apportion(total, &weights).iter().sum::<u64>(), total);
        }
    }

    #[test]
    fn wards_are_denser_and_some_communes_difficult() {
        let pyramid = Pyramid::vietnam();
        let places = settle(101_000_000, 1, &gazetteer::vietnam(), &pyramid).unwrap();
        assert_eq!(places.iter().map(|place| place.people).sum::<u64>(), 101_000_000);
        let mean = |kind| {
            let people: Vec<u64> = places
                .iter()
                .filter(|p| p.kind == kind)
                .map(|p| p.people)
                .collect();
            people.iter().sum::<u64>() / people.len() as u64
        };
        assert!(mean(UnitKind::Ward) > 2 * mean(UnitKind::Commune));
        let difficult: Vec<&Place> = places.iter().filter(|place| place.difficult).collect();
        assert!((500..900).contains(&difficult.len()), "{}", difficult.len());
        let share = difficult.iter().map(|place| place.people).sum::<u64>() * 100 / 101_000_000;
        assert!((8..16).contains(&share), "{share} %");
    }
}
