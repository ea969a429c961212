//! How many people there are of each sex and age.

use serde::Deserialize;

use super::random::Random;
use crate::types::Sex;

/// One more than the greatest age, in full years.
pub(super) const AGES: usize = 105;
/// The age from which a synthetic person may head a household.
pub(super) const ADULT_AGE: usize = 20;

const TABLE: &str = include_str!("../../data/age_sex.csv");
const TABLE_YEAR: i32 = 2025;
const GROUP_YEARS: usize = 5;
const GROUPS: usize = AGES / GROUP_YEARS;
/// Ages within the open last group, per mille.
const OLDEST: [u64; GROUP_YEARS] = [550, 270, 120, 45, 15];

#[derive(Deserialize)]
struct GroupRow {
    year: i32,
    age_from: usize,
    male: u64,
    female: u64,
}

/// Counts or weights by age and sex.
pub(super) type Cells<T> = [[T; 2]; AGES];

/// The index of a sex in [`Cells`].
pub(super) const fn sex_index(sex: Sex) -> usize {
    match sex {
        Sex::Male => 0,
        Sex::Female => 1,
    }
}

/// The sex with an index in [`Cells`].
pub(super) const fn sex_at(index: usize) -> Sex {
    if index == 0 { Sex::Male } else { Sex::Female }
}

/// The age structure: a weight for each sex and single year of age.
#[derive(Debug, Clone)]
pub(super) struct Pyramid {
    weights: Cells<u64>,
    total: u64,
}

impl Pyramid {
    /// The structure of 2025 after World Population Prospects 2024, single years drawn through the five-year
    /// groups so that each group keeps its sum.
    pub(super) fn vietnam() -> Self {
        let mut groups = [[0_u64; 2]; GROUPS];
        for row in crate::gazetteer::embedded_rows::<GroupRow>(TABLE) {
            if row.year == TABLE_YEAR {
                groups[row.age_from / GROUP_YEARS] = [row.male, row.female];
            }
        }
        let mut weights = [[0; 2]; AGES];
        for (age, cell) in weights.iter_mut().enumerate() {
            for (sex, weight) in cell.iter_mut().enumerate() {
                *weight = single_year(&groups, age, sex);
            }
        }
        let total = weights.iter().flatten().sum();
        Self { weights, total }
    }

    /// So many people by age and sex, as even as whole numbers allow.
    pub(super) fn sample(&self, people: u64, random: &mut Random) -> Cells<u32> {
        systematic(&self.weights, self.total, people, random)
    }

    /// How many of so many people can at most be of one sex and born in one calendar year.
    pub(super) fn most_of_a_birth_year(&self, people: u64) -> u64 {
        // A calendar year of birth holds parts of two neighbouring ages, and each is rounded up at most once.
        let pairs = self.weights.windows(2);
        let most = pairs.flat_map(|pair| [pair[0][0] + pair[1][0], pair[0][1] + pair[1][1]]);
        let most = u128::from(most.max().unwrap_or(self.total));
        (most * u128::from(people)).div_ceil(u128::from(self.total)) as u64 + 2
    }
}

/// Fiftieths of people of a single year of age: the years of a group follow a straight line whose slope is that
/// between the neighbouring groups, held so that no year falls below 0.
fn single_year(groups: &[[u64; 2]; GROUPS], age: usize, sex: usize) -> u64 {
    let (group, year) = (age / GROUP_YEARS, age % GROUP_YEARS);
    let here = groups[group][sex] as i64;
    if group + 1 == GROUPS {
        return here as u64 * OLDEST[year] / 20;
    }
    let before = groups[group.saturating_sub(1)][sex] as i64;
    let after = groups[group + 1][sex] as i64;
    let slope = (after - before).clamp(-5 * here, 5 * here);
    (10 * here + slope * (year as i64 - 2)) as u64
}

/// Distributes `count` over cells by weight: systematic sampling with one random start, so that every cell gets
/// its share rounded up or down, and the sum is exact.
pub(super) fn systematic(weights: &Cells<u64>, total: u64, count: u64, random: &mut Random) -> Cells<u32> {
    let mut cells = [[0; 2]; AGES];
    if total == 0 {
        return cells;
    }
    let start = random.below_wide(total);
    let points_below = |end: u64| {
        (u128::from(end) * u128::from(count))
            .saturating_sub(u128::from(start))
            .div_ceil(u128::from(total))
    };
    let (mut end, mut before) = (0, 0);
    for (cell, weight) in cells.iter_mut().flatten().zip(weights.iter().flatten()) {
        end += weight;
        let points = points_below(end).min(u128::from(count)) as u64;
        *cell = (points - before) as u32;
        before = points;
    }
    cells
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_keep_their_sums() {
        let pyramid = Pyramid::vietnam();
        let group = |from: usize, sex: usize| -> u64 {
            pyramid.weights[from..from + 5].iter().map(|cell| cell[sex]).sum()
        };
        assert_eq!(group(0, 0), 3_623_884 * 50);
        assert_eq!(group(60, 1), 2_726_858 * 50);
        assert_eq!(group(95, 0), 5_483 * 50);
        // The ages of the open last group are rounded down.
        assert!((101_598_525 * 50 - pyramid.total) < 20);
    }

    #[test]
    fn samples_are_exact_and_even() {
        let pyramid = Pyramid::vietnam();
        let mut random = Random::keyed(1, 1);
        for people in [0, 1, 2, 59, 30_000, 1_000_000] {
            let cells = pyramid.sample(people, &mut random);
            assert_eq!(cells.iter().flatten().map(|&n| u64::from(n)).sum::<u64>(), people);
            let most = pyramid.most_of_a_birth_year(people);
            for pair in cells.windows(2) {
                assert!(u64::from(pair[0][0] + pair[1][0]) <= most);
            }
        }
    }
}
