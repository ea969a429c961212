//! Personal IDs, provisional IDs and household IDs that are unique in the whole country by construction.
//!
//! A personal ID is `PPP C YY RRRRRR`: those that share province, century, sex and year form a group of a
//! million numbers. Each commune owns two stretches of every group, disjoint from those of all other communes: a
//! *home* stretch in the groups of its own former province, and an *away* stretch in the groups of all provinces
//! (for people registered elsewhere). A counter for each group walks along the commune's stretch, and a bijection
//! of the million numbers, another one for each group, makes the digits look random. So no commune needs to
//! know what another has used.

use super::SynthError;
use super::places::Place;
use super::pyramid::{Pyramid, sex_index};
use super::random::{Random, mix};
use crate::types::{HouseholdId, Identifier, PersonalId, ProvinceCode, ProvisionalId, Sex};

/// How many numbers a group has.
const GROUP: u32 = 1_000_000;
/// The part of a group that the communes of its own province share; the rest is for all communes.
const HOME: u32 = 700_000;
const AWAY: u32 = GROUP - HOME;
/// What a commune gets at least of each part, so that small ones have room.
const HOME_MIN: u32 = 32;
const AWAY_MIN: u32 = 8;
const _: () = assert!(HOME_MIN as usize * super::places::COMMUNES_MAX < HOME as usize);
const _: () = assert!(AWAY_MIN as usize * super::places::COMMUNES_MAX < AWAY as usize);

/// Years of birth that IDs are made for: two centuries from 1900.
const YEARS: usize = 200;
const YEAR_FIRST: i32 = 1900;

/// The first number of provisional IDs that a synthetic population gives itself; the lower half stays free for
/// the registry's own.
pub const PROVISIONAL_FIRST: u64 = ProvisionalId::LIMIT / 2;

/// The part of each group that belongs to one commune, and its part of the provisional IDs.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Strides {
    home: Stretch,
    away: Stretch,
    provisional_first: u64,
}

#[derive(Debug, Clone, Copy, Default)]
struct Stretch {
    start: u32,
    len: u32,
}

/// Gives every commune its stretches, and checks that the home stretch holds the most people that can share a
/// group even if all were registered at home.
pub(super) fn lay_out(places: &mut [Place], pyramid: &Pyramid) -> Result<(), SynthError> {
    let people: u64 = places.iter().map(|place| place.people).sum();
    let mut provinces: rustc_hash::FxHashMap<ProvinceCode, (u64, u32)> = rustc_hash::FxHashMap::default();
    for place in places.iter() {
        let (sum, communes) = provinces.entry(place.former_province).or_default();
        *sum += place.people;
        *communes += 1;
    }
    let communes = places.len() as u32;
    let mut home_next: rustc_hash::FxHashMap<ProvinceCode, u32> = rustc_hash::FxHashMap::default();
    let (mut away_next, mut provisional_next) = (HOME, PROVISIONAL_FIRST);
    for place in places.iter_mut() {
        let (at_home, siblings) = provinces[&place.former_province];
        let home_next = home_next.entry(place.former_province).or_default();
        let home = stretch(home_next, place.people, at_home, (HOME, HOME_MIN, siblings));
        let away = stretch(&mut away_next, place.people, people, (AWAY, AWAY_MIN, communes));
        let needed = pyramid.most_of_a_birth_year(place.people);
        if needed > u64::from(home.len) {
            return Err(SynthError::IdsExhausted {
                province: place.former_province,
                people: at_home,
                commune: place.code,
                needed,
                available: u64::from(home.len),
            });
        }
        place.strides = Strides {
            home,
            away,
            provisional_first: provisional_next,
        };
        provisional_next += place.people;
    }
    Ok(())
}

fn stretch(next: &mut u32, people: u64, of: u64, (part, least, communes): (u32, u32, u32)) -> Stretch {
    let shared = u64::from(part - least * communes);
    let len = least + (shared * people).checked_div(of).unwrap_or(0) as u32;
    let start = *next;
    *next += len;
    Stretch { start, len }
}

/// The 63 provinces of birth registration; an index beyond them stands for other countries.
pub(super) const REGISTRIES: usize = 63;

/// Gives the IDs of one commune.
pub(super) struct Identifiers<'a> {
    seed: u64,
    strides: Strides,
    home: u8,
    registries: &'a [ProvinceCode],
    home_used: Vec<u32>,
    away_used: Vec<u32>,
    provisional_used: u64,
}

/// What an ID should state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Registration {
    /// Born in the former province of residence.
    Home,
    /// Born in another province: its place among the 63.
    Away(usize),
    /// Born abroad, with a code that is no province's.
    Abroad,
}

impl<'a> Identifiers<'a> {
    /// For a commune; `registries` are the 63 provinces in order.
    pub(super) fn new(seed: u64, place: &Place, registries: &'a [ProvinceCode]) -> Self {
        Self {
            seed,
            strides: place.strides,
            home: place.former_province.number(),
            registries,
            home_used: vec![0; 2 * YEARS],
            away_used: vec![0; 2 * YEARS * (REGISTRIES + 1)],
            provisional_used: 0,
        }
    }

    /// The next provisional ID of the commune.
    pub(super) fn provisional(&mut self) -> Option<Identifier> {
        let number = self.strides.provisional_first + self.provisional_used;
        self.provisional_used += 1;
        ProvisionalId::from_number(number).map(Identifier::Provisional)
    }

    /// A personal ID that no one else has and that states this sex and year; `None` if the commune's stretches of
    /// the group are used up or no ID can state the year.
    pub(super) fn personal(
        &mut self,
        registration: Registration,
        sex: Sex,
        year: i32,
        random: &mut Random,
    ) -> Option<Identifier> {
        let year_at = usize::try_from(year - YEAR_FIRST).ok().filter(|&at| at < YEARS)?;
        let group = year_at * 2 + sex_index(sex);
        let (registry, prefix) = match registration {
            Registration::Away(at) if self.registries[at].number() != self.home => {
                (at, u64::from(self.registries[at].number()))
            }
            // Any code from 100 on is unknown as a province; which one does not matter for uniqueness.
            Registration::Abroad => (REGISTRIES, 100 + u64::from(random.below(400))),
            _ => return self.at_home(group),
        };
        let used = &mut self.away_used[registry * 2 * YEARS + group];
        if *used >= self.strides.away.len {
            return self.at_home(group);
        }
        let rank = self.strides.away.start + *used;
        *used += 1;
        self.compose(prefix, registry as u64, group, rank)
    }

    fn at_home(&mut self, group: usize) -> Option<Identifier> {
        let used = &mut self.home_used[group];
        if *used >= self.strides.home.len {
            return None;
        }
        let rank = self.strides.home.start + *used;
        *used += 1;
        let prefix = u64::from(self.home);
        let registry = self
            .registries
            .iter()
            .position(|code| code.number() == self.home)?;
        self.compose(prefix, registry as u64, group, rank)
    }

    /// The ID of a rank in a group, whose digits are scattered by the group's own bijection.
    fn compose(&self, prefix: u64, registry: u64, group: usize, rank: u32) -> Option<Identifier> {
        let key = mix(self.seed ^ mix(registry * 1_000 + group as u64 + 1));
        let (years, sex) = (group as u64 / 2, group as u64 % 2);
        let century = years / 100 * 2 + sex;
        let number = prefix * 1_000_000_000
            + century * 100_000_000
            + years % 100 * 1_000_000
            + u64::from(scatter(rank, key));
        PersonalId::from_number(number).map(Identifier::Personal)
    }
}

/// A bijection of 0 to 999,999: four Feistel rounds on two halves of three digits.
fn scatter(rank: u32, key: u64) -> u32 {
    let (mut left, mut right) = (u64::from(rank / 1_000), u64::from(rank % 1_000));
    for round in 0..4 {
        let noise = mix(key ^ (right << 8 | round)) >> 40;
        (left, right) = (right, (left + noise) % 1_000);
    }
    (left * 1_000 + right) as u32
}

/// A sex or birth year other than the true one, as a clerk may have mistyped it.
pub(super) fn mistyped(sex: Sex, year: i32, random: &mut Random) -> (Sex, i32) {
    let other_sex = match sex {
        Sex::Male => Sex::Female,
        Sex::Female => Sex::Male,
    };
    if random.percent(50) {
        return (other_sex, year);
    }
    let off = random.pick(&[-10, -1, 1, 10]);
    (
        sex,
        if year + off < YEAR_FIRST {
            year + 1
        } else {
            year + off
        },
    )
}

/// The ID of a household: the commune's code and the number of the household in it, from 1.
pub(super) fn household_id(place: &Place, number: u32) -> Option<HouseholdId> {
    let mut text = *b"00000-000000";
    write_digits(&mut text[..5], place.code.number());
    write_digits(&mut text[6..], number);
    std::str::from_utf8(&text).ok()?.parse().ok()
}

fn write_digits(text: &mut [u8], mut number: u32) {
    for digit in text.iter_mut().rev() {
        *digit = b'0' + (number % 10) as u8;
        number /= 10;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gazetteer;
    use crate::synth::places::settle;

    #[test]
    fn scatter_is_a_bijection() {
        for key in [0, 1, u64::MAX] {
            let mut seen = vec![false; GROUP as usize];
            for rank in 0..GROUP {
                let at = scatter(rank, key) as usize;
                assert!(!std::mem::replace(&mut seen[at], true), "{rank} under {key}");
            }
        }
    }

    #[test]
    fn stretches_are_disjoint_and_fit_the_group() {
        let pyramid = Pyramid::vietnam();
        for people in [0, 1, 200_000, 101_000_000, 120_000_000] {
            let places = settle(people, 1, &gazetteer::vietnam(), &pyramid).unwrap();
            let mut home: rustc_hash::FxHashMap<ProvinceCode, u32> = rustc_hash::FxHashMap::default();
            let (mut away, mut provisional) = (HOME, PROVISIONAL_FIRST);
            for place in &places {
                let next = home.entry(place.former_province).or_default();
                assert_eq!(place.strides.home.start, *next);
                *next += place.strides.home.len;
                assert!(*next <= HOME);
                assert_eq!(place.strides.away.start, away);
                away += place.strides.away.len;
                assert!(away <= GROUP);
                assert_eq!(place.strides.provisional_first, provisional);
                provisional += place.people;
            }
            assert!(provisional < ProvisionalId::LIMIT);
        }
    }

    #[test]
    fn too_many_people_are_told_precisely() {
        let pyramid = Pyramid::vietnam();
        let units: Vec<_> = gazetteer::vietnam()
            .into_iter()
            .filter(|unit| unit.province.number() == 1)
            .collect();
        let error = settle(60_000_000, 1, &units, &pyramid).unwrap_err();
        let SynthError::IdsExhausted {
            needed, available, ..
        } = error
        else {
            panic!("expected an error about IDs, found {error}")
        };
        assert!(needed > available);
    }

    #[test]
    fn household_ids_show_commune_and_number() {
        let pyramid = Pyramid::vietnam();
        let places = settle(1_000, 1, &gazetteer::vietnam(), &pyramid).unwrap();
        assert_eq!(household_id(&places[0], 17).unwrap().to_string(), "00004-000017");
    }
}
