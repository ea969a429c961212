//! The bench policy, written by hand for rows in redb. `policies/bench.toml` is the original.

use bincode::{Decode, Encode};

use crate::Result;

/// June 2026, in months since the year 0.
const MONTH: u16 = 2026 * 12 + 5;

/// The programmes, with the numbers that stand for them in lines and totals.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Programme {
    Disability = 1,
    ChildWithoutCare = 2,
    Elderly = 3,
    SmallChild = 4,
    Poor = 5,
}

impl Programme {
    /// The programme of a name in the pack.
    pub fn named(name: &str) -> Result<Self> {
        Ok(match name {
            "bench_disability" => Self::Disability,
            "bench_child_without_care" => Self::ChildWithoutCare,
            "bench_elderly" => Self::Elderly,
            "bench_small_child" => Self::SmallChild,
            "bench_poor" => Self::Poor,
            _ => return Err(format!("{name} is no programme of the bench policy").into()),
        })
    }
}

/// A person as a row: the values at the end of the month, `None` for what is not known.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Person {
    pub personal_id: u64,
    pub household: u32,
    pub commune: u32,
    pub province: u8,
    pub birth_month: u16,
    pub sex: u8,
    pub alive: bool,
    pub disability: Option<u8>,
    pub care: Option<u8>,
    pub pension: Option<u8>,
    pub stable_income: Option<bool>,
    pub channel: u8,
    pub poverty: Option<u8>,
    pub difficult_village: Option<u8>,
    pub difficult_commune: Option<bool>,
}

/// What a person gets: the programme that pays and the amount, and what may be owed beyond it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Due {
    pub paid: Option<(Programme, i64)>,
    pub held: Option<(Programme, i64)>,
}

fn and(a: Option<bool>, b: impl FnOnce() -> Option<bool>) -> Option<bool> {
    match a {
        Some(false) => Some(false),
        Some(true) => b(),
        None => b().filter(|b| !b),
    }
}

fn or(a: Option<bool>, b: impl FnOnce() -> Option<bool>) -> Option<bool> {
    match a {
        Some(true) => Some(true),
        Some(false) => b(),
        None => b().filter(|b| *b),
    }
}

impl Person {
    /// What is due to the person: the highest amount whose condition is true; beyond it, the highest whose condition
    /// may be true is held.
    pub fn due(&self) -> Due {
        if !self.alive {
            return Due::default();
        }
        let age = (MONTH - self.birth_month) / 12;
        let mut paid: Option<(Programme, i64)> = None;
        let mut possible: Option<(Programme, i64)> = None;
        let higher = |best: Option<(Programme, i64)>, amount: i64| best.is_none_or(|(_, best)| amount > best);
        let mut offer = |programme: Programme, condition: Option<bool>, amount: i64| {
            if condition == Some(true) && higher(paid, amount) {
                paid = Some((programme, amount));
            }
            if condition != Some(false) && higher(possible, amount) {
                possible = Some((programme, amount));
            }
        };
        let severe = self.disability.map(|disability| disability >= 2);
        offer(Programme::Disability, severe, self.disability_amount(age));
        if age < 16 {
            let without_care = self.care.map(|care| care != 0);
            let amount = if age < 4 { 1_260_000 } else { 760_000 };
            offer(Programme::ChildWithoutCare, without_care, amount);
        }
        if age >= 70 {
            let no_pension = self.pension.map(|pension| pension == 0);
            let condition = and(no_pension, || self.stable_income.map(|income| !income));
            offer(Programme::Elderly, condition, 500_000);
        }
        if age < 6 {
            let condition = or(self.poverty.map(|poverty| poverty >= 1), || {
                or(self.difficult_village.map(|village| village == 1), || {
                    let as_commune = self.difficult_village.map(|village| village == 0);
                    and(as_commune, || self.difficult_commune)
                })
            });
            offer(Programme::SmallChild, condition, 350_000);
        }
        let near_poor_counts = !(16..60).contains(&age);
        let poor = self
            .poverty
            .map(|poverty| poverty == 2 || poverty == 1 && near_poor_counts);
        offer(Programme::Poor, poor, 150_000);
        let certain = paid.map_or(0, |(_, amount)| amount);
        let held = possible.filter(|&(_, amount)| amount > certain);
        Due {
            paid,
            held: held.map(|(programme, amount)| (programme, amount - certain)),
        }
    }

    /// By degree and age; of an unknown degree the greatest.
    fn disability_amount(&self, age: u16) -> i64 {
        let band = usize::from(age >= 16) + usize::from(age >= 60);
        if self.disability == Some(2) {
            [900_000, 750_000, 950_000][band]
        } else {
            [1_250_000, 1_000_000, 1_300_000][band]
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Due, MONTH, Person, Programme};

    fn aged(age: u16) -> Person {
        Person {
            personal_id: 1,
            household: 1,
            commune: 4,
            province: 1,
            birth_month: MONTH - age * 12,
            sex: 0,
            alive: true,
            disability: Some(0),
            care: Some(0),
            pension: Some(0),
            stable_income: Some(false),
            channel: 0,
            poverty: Some(0),
            difficult_village: Some(0),
            difficult_commune: Some(false),
        }
    }

    #[test]
    fn the_highest_is_paid_and_what_may_be_owed_beyond_it_is_held() {
        let old = aged(70);
        let pays = |programme, amount| Due {
            paid: Some((programme, amount)),
            held: None,
        };
        assert_eq!(old.due(), pays(Programme::Elderly, 500_000));
        let unknown = Person {
            disability: None,
            ..old.clone()
        };
        let held = Some((Programme::Disability, 800_000));
        assert_eq!(unknown.due().held, held, "the greatest degree less what is paid");
        let pensioner = Person {
            pension: None,
            ..old.clone()
        };
        assert_eq!(
            (pensioner.due().paid, pensioner.due().held),
            (None, Some((Programme::Elderly, 500_000)))
        );
        let dead = Person { alive: false, ..old };
        assert_eq!(dead.due(), Due::default());
    }

    #[test]
    fn a_small_child_of_a_near_poor_household_in_no_difficult_village() {
        let child = Person {
            poverty: Some(1),
            difficult_village: Some(2),
            ..aged(5)
        };
        assert_eq!(child.due().paid, Some((Programme::SmallChild, 350_000)));
        let six = Person {
            birth_month: MONTH - 72,
            ..child
        };
        assert_eq!(six.due().paid, Some((Programme::Poor, 150_000)));
    }
}
