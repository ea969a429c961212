//! Who lives with whom: people of a commune by age and sex, joined to households.

use super::pyramid::{ADULT_AGE, AGES, Cells, Pyramid, sex_at, sex_index, systematic};
use super::random::Random;
use crate::types::Sex;

/// The average size of a household, in tenths of a person.
const HOUSEHOLD_TENTHS: u64 = 36;
/// Ages of mothers at a birth, the usual ones most often.
const BIRTH_AGES: [usize; 16] = [19, 20, 21, 22, 23, 24, 25, 25, 26, 27, 28, 29, 31, 33, 35, 38];
/// The age from which an adult may live with grown children as their parent.
const PARENT_AGE: usize = 55;
/// Children in a household from which further ones are rather placed elsewhere.
const CHILDREN_USUAL: u8 = 3;

/// What a member is to the head of the household.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    Head,
    Spouse,
    /// Child of the head or the spouse.
    Child,
    /// Parent of the head or the spouse.
    Parent,
    /// Grandchild whose own parents live elsewhere.
    Grandchild,
    /// Any other relative.
    Relative,
}

/// A person with a place in a household.
#[derive(Debug, Clone, Copy)]
pub(super) struct Member {
    pub(super) age: u8,
    pub(super) sex: Sex,
    pub(super) role: Role,
}

/// The people of a commune.
#[derive(Debug)]
pub(super) struct Families {
    members: Vec<Member>,
    ends: Vec<u32>,
    /// People without a household: in a facility or without a home.
    pub(super) alone: Vec<Member>,
}

impl Families {
    /// The households: the head first, the spouse second.
    pub(super) fn households(&self) -> impl Iterator<Item = &[Member]> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        starts
            .zip(&self.ends)
            .map(|(start, &end)| &self.members[start as usize..end as usize])
    }
}

#[derive(Debug, Clone, Copy)]
struct Home {
    head_age: u8,
    head_sex: Sex,
    /// The age of the spouse, or 0.
    spouse_age: u8,
    children: u8,
    /// Lives by itself: nobody joins.
    closed: bool,
}

impl Home {
    /// The age of the mother of the house, or of the head who raises children alone.
    const fn mother_age(self) -> usize {
        match self.head_sex {
            Sex::Male if self.spouse_age > 0 => self.spouse_age as usize,
            _ => self.head_age as usize,
        }
    }
}

struct Builder<'a> {
    random: &'a mut Random,
    pool: Cells<u32>,
    homes: Vec<Home>,
    placed: Vec<(u32, Member)>,
    alone: Vec<Member>,
    /// Open homes by mother's age: those of age `a` are `by_age[first[a]..first[a + 1]]`.
    by_age: Vec<u32>,
    first: Vec<u32>,
}

/// Joins so many people to households.
pub(super) fn join(people: u64, pyramid: &Pyramid, random: &mut Random) -> Families {
    let mut pool = pyramid.sample(people, random);
    ensure_adult(&mut pool);
    let mut builder = Builder {
        random,
        pool,
        homes: Vec::new(),
        placed: Vec::with_capacity(people as usize),
        alone: Vec::new(),
        by_age: Vec::new(),
        first: Vec::new(),
    };
    builder.choose_heads(people);
    builder.choose_spouses();
    builder.close_some();
    builder.sort_by_age();
    builder.place_children();
    builder.place_adults();
    builder.finish()
}

/// Every commune that has people has an adult: the oldest child's place is taken by one.
fn ensure_adult(pool: &mut Cells<u32>) {
    const STAND_IN_AGE: usize = 35;
    if pool[ADULT_AGE..].iter().flatten().any(|&count| count > 0) {
        return;
    }
    for cell in pool[..ADULT_AGE].iter_mut().rev() {
        for sex in 0..2 {
            if cell[sex] > 0 {
                cell[sex] -= 1;
                pool[STAND_IN_AGE][sex] += 1;
                return;
            }
        }
    }
}

/// How likely a person of an age is the head of a household, per mille before scaling.
const fn headship(age: usize, sex: Sex) -> u64 {
    match (sex, age) {
        (Sex::Male, 20..25) => 100,
        (Sex::Male, 25..30) => 350,
        (Sex::Male, 30..35) => 650,
        (Sex::Male, 35..40) => 800,
        (Sex::Male, 40..60) => 900,
        (Sex::Male, 60..80) => 820,
        (Sex::Male, 80..) => 550,
        (Sex::Female, 20..25) => 60,
        (Sex::Female, 25..35) => 140,
        (Sex::Female, 35..45) => 190,
        (Sex::Female, 45..60) => 280,
        (Sex::Female, 60..70) => 400,
        (Sex::Female, 70..) => 500,
        _ => 0,
    }
}

/// How likely a head lives with a spouse, in per cent.
const fn coupled(age: u8, sex: Sex) -> u32 {
    match (sex, age) {
        (Sex::Male, ..25) => 60,
        (Sex::Male, 25..30) => 78,
        (Sex::Male, 30..60) => 88,
        (Sex::Male, 60..70) => 83,
        (Sex::Male, 70..80) => 68,
        (Sex::Male, 80..) => 45,
        (Sex::Female, ..60) => 28,
        (Sex::Female, 60..) => 12,
    }
}

impl Builder<'_> {
    fn choose_heads(&mut self, people: u64) {
        let mut weights = [[0; 2]; AGES];
        let mut total = 0;
        for (age, cell) in weights.iter_mut().enumerate() {
            for (sex, weight) in cell.iter_mut().enumerate() {
                *weight = u64::from(self.pool[age][sex]) * headship(age, sex_at(sex));
                total += *weight;
            }
        }
        // Rounded up or down at random, so that the average holds even where communes are small.
        let rounding = u64::from(self.random.below(HOUSEHOLD_TENTHS as u32));
        let wanted = ((people * 10 + rounding) / HOUSEHOLD_TENTHS).max(u64::from(people > 0));
        let heads = systematic(&weights, total, wanted, self.random);
        for (age, cell) in heads.iter().enumerate() {
            for (sex, &count) in cell.iter().enumerate() {
                let count = count.min(self.pool[age][sex]);
                self.pool[age][sex] -= count;
                let home = Home {
                    head_age: age as u8,
                    head_sex: sex_at(sex),
                    spouse_age: 0,
                    children: 0,
                    closed: false,
                };
                self.homes.extend(std::iter::repeat_n(home, count as usize));
            }
        }
        self.random.shuffle(&mut self.homes);
    }

    fn choose_spouses(&mut self) {
        for at in 0..self.homes.len() {
            let Home {
                head_age, head_sex, ..
            } = self.homes[at];
            if !self.random.percent(coupled(head_age, head_sex)) {
                continue;
            }
            let gap = self.random.pick(&[-2_i32, -1, 0, 1, 2, 2, 3, 3, 4, 5, 6, 8]);
            let (target, sex) = match head_sex {
                Sex::Male => (i32::from(head_age) - gap, Sex::Female),
                Sex::Female => (i32::from(head_age) + gap, Sex::Male),
            };
            let target = target.clamp(ADULT_AGE as i32, AGES as i32 - 1) as usize;
            if let Some(age) = self.take_near(target, sex) {
                self.homes[at].spouse_age = age as u8;
            }
        }
    }

    /// Takes a person of about that age from the pool.
    fn take_near(&mut self, target: usize, sex: Sex) -> Option<usize> {
        const OFF_MAX: usize = 5;
        let column = sex_index(sex);
        let (least, most) = (
            target.saturating_sub(OFF_MAX).max(ADULT_AGE),
            (target + OFF_MAX).min(AGES - 1),
        );
        let age = nearest(target, least, most, |age| self.pool[age][column] > 0)?;
        self.pool[age][column] -= 1;
        Some(age)
    }

    /// People who live alone, and old couples by themselves.
    fn close_some(&mut self) {
        for home in &mut self.homes {
            let percent = match (home.spouse_age > 0, home.head_age) {
                (true, ..30) => 12,
                (true, 30..60) => 3,
                (true, 60..) => 38,
                (false, ..30) => 55,
                (false, 30..60) => 28,
                (false, 60..) => 42,
            };
            home.closed = self.random.percent(percent);
        }
        if self.homes.iter().all(|home| home.closed)
            && let Some(home) = self.homes.first_mut()
        {
            home.closed = false;
        }
    }

    fn sort_by_age(&mut self) {
        let mut first = vec![0_u32; AGES + 1];
        let open = || self.homes.iter().enumerate().filter(|(_, home)| !home.closed);
        for (_, home) in open() {
            first[home.mother_age() + 1] += 1;
        }
        for age in 0..AGES {
            first[age + 1] += first[age];
        }
        let mut next = first.clone();
        let mut by_age = vec![0; first[AGES] as usize];
        for (at, home) in open() {
            let slot = &mut next[home.mother_age()];
            by_age[*slot as usize] = at as u32;
            *slot += 1;
        }
        (self.first, self.by_age) = (first, by_age);
    }

    /// An open home whose mother's age is nearest to `target` within bounds, chosen at random among its like.
    fn home_near(&mut self, target: usize, least: usize, most: usize) -> Option<usize> {
        let first = &self.first;
        let age = nearest(target, least, most.min(AGES - 1), |age| {
            first[age] < first[age + 1]
        })?;
        Some(self.home_of_age(age))
    }

    fn home_of_age(&mut self, age: usize) -> usize {
        let (start, end) = (self.first[age], self.first[age + 1]);
        self.by_age[(start + self.random.below(end - start)) as usize] as usize
    }

    fn any_home(&mut self) -> usize {
        self.by_age[self.random.below(self.by_age.len() as u32) as usize] as usize
    }

    fn put(&mut self, home: usize, age: usize, sex: Sex, role: Role) {
        let member = Member {
            age: age as u8,
            sex,
            role,
        };
        self.placed.push((home as u32, member));
    }

    fn place_children(&mut self) {
        for age in 0..ADULT_AGE {
            for sex in 0..2 {
                for _ in 0..std::mem::take(&mut self.pool[age][sex]) {
                    self.place_child(age, sex_at(sex));
                }
            }
        }
    }

    fn place_child(&mut self, age: usize, sex: Sex) {
        const APART_PER_MILLION: u32 = 60_000;
        const ALONE_PER_MILLION: u32 = 250;
        if self.homes.len() > 1 && self.random.chance(ALONE_PER_MILLION) {
            self.alone.push(Member {
                age: age as u8,
                sex,
                role: Role::Relative,
            });
            return;
        }
        let apart = self.random.chance(APART_PER_MILLION);
        if let Some(home) = (!apart).then(|| self.parents_home(age)).flatten() {
            self.homes[home].children = self.homes[home].children.saturating_add(1);
            self.put(home, age, sex, Role::Child);
            return;
        }
        let gap = 42 + self.random.below(18) as usize;
        if let Some(home) = self.home_near(age + gap, age + 38, age + 75) {
            self.put(home, age, sex, Role::Grandchild);
        } else {
            let home = self.any_home();
            self.put(home, age, sex, Role::Relative);
        }
    }

    /// A home for a child with a mother of fitting age: rather a couple's, and rather one with few children.
    fn parents_home(&mut self, age: usize) -> Option<usize> {
        let mother = age + self.random.pick(&BIRTH_AGES);
        let first = &self.first;
        let bucket = nearest(mother, age + 17, (age + 45).min(AGES - 1), |at| {
            first[at] < first[at + 1]
        })?;
        let mut best = self.home_of_age(bucket);
        for _ in 0..3 {
            let home = self.homes[best];
            if home.spouse_age > 0 && home.children < CHILDREN_USUAL {
                break;
            }
            if home.spouse_age == 0 && home.children < 2 && self.random.percent(30) {
                break;
            }
            let other = self.home_of_age(bucket);
            let burden = |home: &Home| home.children + if home.spouse_age == 0 { 2 } else { 0 };
            if burden(&self.homes[other]) < burden(&home) {
                best = other;
            }
        }
        Some(best)
    }

    fn place_adults(&mut self) {
        for age in ADULT_AGE..AGES {
            for sex in 0..2 {
                for _ in 0..std::mem::take(&mut self.pool[age][sex]) {
                    self.place_adult(age, sex_at(sex));
                }
            }
        }
    }

    fn place_adult(&mut self, age: usize, sex: Sex) {
        let old = age >= PARENT_AGE;
        if self.homes.len() > 1 && self.random.chance(if age >= 60 { 6_000 } else { 800 }) {
            self.alone.push(Member {
                age: age as u8,
                sex,
                role: Role::Relative,
            });
            return;
        }
        let gap = self.random.pick(&BIRTH_AGES);
        let (home, role) = if old {
            let home = self.home_near(
                age.saturating_sub(gap),
                ADULT_AGE.max(age.saturating_sub(42)),
                age - 18,
            );
            (home, Role::Parent)
        } else if self.random.percent(if age < 35 { 82 } else { 45 }) {
            (self.home_near(age + gap, age + 17, age + 45), Role::Child)
        } else {
            (None, Role::Relative)
        };
        if let Some(home) = home {
            self.put(home, age, sex, role);
        } else {
            let home = self.any_home();
            self.put(home, age, sex, Role::Relative);
        }
    }

    /// Brings the members of each household together, in the order in which they were placed.
    fn finish(self) -> Families {
        let mut ends = vec![0_u32; self.homes.len()];
        for (end, home) in ends.iter_mut().zip(&self.homes) {
            *end = 1 + u32::from(home.spouse_age > 0);
        }
        for &(home, _) in &self.placed {
            ends[home as usize] += 1;
        }
        let mut total = 0;
        let mut next = ends.clone();
        for (end, next) in ends.iter_mut().zip(&mut next) {
            *next = total;
            total += *end;
            *end = total;
        }
        let nobody = Member {
            age: 0,
            sex: Sex::Male,
            role: Role::Relative,
        };
        let mut members = vec![nobody; total as usize];
        let mut seat = |home: usize, member: Member| {
            members[next[home] as usize] = member;
            next[home] += 1;
        };
        for (at, home) in self.homes.iter().enumerate() {
            let member = |age, sex, role| Member { age, sex, role };
            seat(at, member(home.head_age, home.head_sex, Role::Head));
            if home.spouse_age > 0 {
                let sex = sex_at(1 - sex_index(home.head_sex));
                seat(at, member(home.spouse_age, sex, Role::Spouse));
            }
        }
        for &(home, member) in &self.placed {
            seat(home as usize, member);
        }
        Families {
            members,
            ends,
            alone: self.alone,
        }
    }
}

/// The position nearest to `target` within bounds for which `fits` holds.
fn nearest(target: usize, least: usize, most: usize, fits: impl Fn(usize) -> bool) -> Option<usize> {
    if least > most {
        return None;
    }
    let target = target.clamp(least, most);
    let reach = (target - least).max(most - target);
    (0..=reach).find_map(|off| {
        let below = target.checked_sub(off).filter(|&at| at >= least && fits(at));
        below.or_else(|| Some(target + off).filter(|&at| at <= most && fits(at)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everyone_has_a_place() {
        let pyramid = Pyramid::vietnam();
        for people in [0, 1, 2, 3, 10, 61, 5_000] {
            for seed in 0..20 {
                let families = join(people, &pyramid, &mut Random::keyed(seed, people));
                let members: usize = families.households().map(<[Member]>::len).sum();
                assert_eq!((members + families.alone.len()) as u64, people);
                for household in families.households() {
                    assert_eq!(household[0].role, Role::Head);
                    assert!(usize::from(household[0].age) >= ADULT_AGE);
                    let others = &household[1..];
                    assert!(others.iter().all(|member| member.role != Role::Head));
                    assert!(others.iter().skip(1).all(|member| member.role != Role::Spouse));
                }
            }
        }
    }

    #[test]
    fn ages_of_parents_and_children_are_plausible() {
        let families = join(20_000, &Pyramid::vietnam(), &mut Random::keyed(3, 3));
        let mut apart = 0;
        for household in families.households() {
            let mother = household.iter().take(2).map(|member| member.age).min().unwrap();
            for member in household {
                match member.role {
                    Role::Child => {
                        assert!(household[..2.min(household.len())].iter().any(|parent| {
                            (17..=45).contains(&(i32::from(parent.age) - i32::from(member.age)))
                        }));
                    }
                    Role::Parent => assert!(member.age >= mother + 17),
                    Role::Grandchild => apart += 1,
                    Role::Spouse => {
                        assert!((i32::from(household[0].age) - i32::from(member.age)).abs() <= 13);
                    }
                    Role::Head | Role::Relative => {}
                }
            }
        }
        assert!((200..900).contains(&apart), "{apart}");
        let one = families
            .households()
            .filter(|household| household.len() == 1)
            .count();
        let share = one * 100 / families.households().count();
        assert!((6..16).contains(&share), "{share} % of households are one person");
    }
}
