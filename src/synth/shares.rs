//! How often it is so: the shares by which people get their circumstances.
//!
//! Shares are of a million people (or households) unless their name says per cent. Where a figure of the country was
//! reported, the share is scaled to it; every other share is assumed: plausible, and large enough that the case
//! occurs among a million people. In thousands of people of a country of 101 million:
//!
//! | What | Of the country | Basis |
//! |---|---|---|
//! | disabled; severely or worse | 6,200; 1,800 | reported: 6.2 million; how many severely is assumed |
//! | pension or monthly social insurance | 3,300 | reported |
//! | poor and near-poor | 7,500 people | reported |
//! | social pension | 1,850 | reported: the elderly on a monthly allowance |
//! | monthly social assistance, with the social pension | 3,550 | reported: 3.3 million in 2023, before the social pension began at 75 |
//! | monthly merit benefits, all | 1,120 | reported: 1.2 million. Of the 9.2 million on file the others have no record here |
//! | merit by kind, age and sex | [`MERIT`] | assumed within that sum |
//! | unemployment insurance of 2021 | 1,300 | a tenth of what was reported: Resolution 116 reached about 13 million. The records begin in 2025, after the campaign, and people without these facts load faster |
//! | cases of Resolution 68 | 100 | assumed, likewise |
//! | living with HIV, of poor households | 20 | assumed. Others have no record, because no rule asks |
//! | single parents, of households that are or were poor or near-poor | 220 | assumed. Only who lives with a child under 22 |
//! | children without care | 80 | assumed |
//! | studying from 16 to 21 | 20 | assumed. Only of those whom a rule asks: without care, or of a poor single parent |
//! | severely disabled parents, pregnant | 36 | assumed, by the children of whom they are guardian |
//! | cared for in a facility | 50 | assumed |
//! | taken in | 50 | assumed |
//! | deaths | 40 a month | assumed: five of a thousand a year |
//! | seriously injured, at a time | 4 | assumed |

use crate::types::Sex;

/// Changes, enrolments and what is not known, per mille of those whom it concerns.
pub(super) mod paper {
    /// Qualified, and never applied or not yet.
    pub const NEVER_ENROLLED: u32 = 40;
    /// Of these, with a decision that takes effect in a coming month.
    pub const ENROLLED_SOON: u32 = 10;
    /// Enrolled, and suspended in a past month.
    pub const SUSPENDED: u32 = 35;
    /// Enrolled, and ended from a coming month on.
    pub const ENDING: u32 = 6;
    /// Enrolled only in a past month since the registry began: in social assistance.
    pub const ENROLLED_RECENTLY: u32 = 180;
    /// The same for people with merit, whose decisions are mostly decades old.
    pub const MERIT_ENROLLED_RECENTLY: u32 = 40;
    /// Injuries whose percentage is not known.
    pub const INJURY_UNKNOWN: u32 = 4;
    /// Injuries reassessed in a past or a coming month.
    pub const INJURY_REASSESSED: u32 = 20;
}

/// The disabled of an age, per million, and how many per cent of them severely or worse.
pub(super) const fn disability(age: u8, in_facility: bool) -> (u32, u32) {
    match age {
        _ if in_facility => (750_000, 90),
        ..16 => (18_000, 46),
        16..60 => (36_000, 35),
        60..75 => (175_000, 21),
        75.. => (470_000, 25),
    }
}

/// Those with a pension or a monthly social-insurance benefit.
pub(super) const fn pension(age: u8, sex: Sex) -> u32 {
    match (age, sex) {
        (..55, _) => 0,
        (55..60, Sex::Male) => 20_000,
        (55..60, Sex::Female) => 60_000,
        (60..75, _) => 166_000,
        (75.., _) => 375_000,
    }
}

/// The elderly whom nobody is able to support, by whether somebody of working age lives with them.
pub(super) const fn without_support(supported: bool, poor: bool) -> u32 {
    match (supported, poor) {
        (false, true) => 550_000,
        (false, false) => 80_000,
        (true, true) => 90_000,
        (true, false) => 5_000,
    }
}

/// Living with HIV, of those in poor households.
pub(super) const fn hiv(age: u8) -> u32 {
    match age {
        ..16 => 900,
        16..60 => 9_000,
        60.. => 1_200,
    }
}

/// In the unemployment insurance on 2021-09-30 or lately stopped, by the age of 2026.
pub(super) const fn unemployment_insurance(age: u8) -> u32 {
    match age {
        30..45 => 33_000,
        23..55 => 18_000,
        55..66 => 6_000,
        _ => 0,
    }
}

/// A case of Resolution 68.
pub(super) const RESOLUTION_68: u32 = 1_500;
/// Of those in the unemployment insurance, per cent: with a public body, and lately stopped.
pub(super) const PUBLIC_BODY_PERCENT: u32 = 10;
pub(super) const STOPPED_PERCENT: u32 = 8;
/// Heads without a spouse who live with a child, per cent: the others are married, and the spouse is away.
pub(super) const SINGLE_PARENT_PERCENT: u32 = 60;
/// Children whose own parents live elsewhere, per cent: without any source of care, in a facility and at home.
pub(super) const WITHOUT_CARE_PERCENT: (u32, u32) = (75, 5);
/// Of the elderly who are poor and without support: could not live alone, and were taken in.
pub(super) const ELDERLY_TAKEN_IN_PERCENT: u32 = 6;
/// Of the extremely severely disabled.
pub(super) const DISABLED_TAKEN_IN_PERCENT: u32 = 4;
/// Of children without care at home.
pub(super) const CHILD_TAKEN_IN_PERCENT: u32 = 50;
/// Of the elderly of poor and near-poor households in Hà Nội, the only province whose rules ask.
pub(super) const SUPPORTER_UNABLE_PERCENT: u32 = 15;
/// Severely disabled women from 18 to 42.
pub(super) const PREGNANT_PERCENT: u32 = 3;
pub(super) const SERIOUSLY_INJURED: u32 = 40;
/// Of deaths before 60, by a disaster or an accident.
pub(super) const EMERGENCY_DEATH_PERCENT: u32 = 8;
/// People without a household who live in a facility.
pub(super) const IN_FACILITY_PERCENT: u32 = 85;
/// From 6 to 24 years, with the education benefit for children of people with merit.
pub(super) const MERIT_EDUCATION: u32 = 1_300;

/// Deaths in the months in which they are drawn: those since the registry began, and the coming ones.
pub(super) const fn death(age: u8) -> u32 {
    match age {
        75.. => 82_000,
        60..75 => 20_500,
        _ => 2_050,
    }
}

/// Kinds of merit by which a person is on a monthly list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum MeritKind {
    WarInvalid,
    WarInvalidB,
    SickSoldier,
    AgentOrange,
    AgentOrangeChild,
    Imprisoned,
    Helper,
    MartyrRelative,
    MartyrSpouseRemarried,
    Pre1945Relative,
    Activist1945Relative,
    WarInvalidRelative,
    SickSoldierRelative,
    AgentOrangeRelative,
    HeroicMother,
    Hero,
    Pre1945,
    Activist1945,
}

const AGE_CLASSES: usize = 6;

const fn age_class(age: u8) -> usize {
    match age {
        ..18 => 0,
        18..40 => 1,
        40..60 => 2,
        60..75 => 3,
        75..90 => 4,
        90.. => 5,
    }
}

/// The people with one kind of merit, or with that as their first.
pub(super) struct MeritShare {
    kind: MeritKind,
    /// Of a million men below 18, 40, 60, 75, 90 years, and older.
    men: [u32; AGE_CLASSES],
    /// The same of women.
    women: [u32; AGE_CLASSES],
}

const fn share(kind: MeritKind, men: [u32; AGE_CLASSES], women: [u32; AGE_CLASSES]) -> MeritShare {
    MeritShare { kind, men, women }
}

/// People with merit and their relatives, by age and sex: who fought before 1975 is 67 or more in 2026, who fought at
/// the borders until 1989 is 54 or more; widows of martyrs are older, mothers the oldest; children are on a list
/// only while young, studying or disabled. The rarest kinds are more frequent than in the country, so that they occur
/// among a million people.
pub(super) const MERIT: [MeritShare; 18] = {
    use MeritKind::{
        Activist1945, Activist1945Relative, AgentOrange, AgentOrangeChild, AgentOrangeRelative, Helper, Hero,
        HeroicMother, Imprisoned, MartyrRelative, MartyrSpouseRemarried, Pre1945, Pre1945Relative,
        SickSoldier, SickSoldierRelative, WarInvalid, WarInvalidB, WarInvalidRelative,
    };
    [
        share(
            WarInvalid,
            [0, 0, 3_400, 38_000, 108_000, 90_000],
            [0, 0, 60, 2_000, 8_000, 6_000],
        ),
        share(
            MartyrRelative,
            [10, 20, 300, 400, 12_000, 60_000],
            [10, 20, 300, 13_000, 78_000, 140_000],
        ),
        share(
            AgentOrange,
            [0, 0, 0, 15_000, 57_000, 40_000],
            [0, 0, 0, 2_100, 7_200, 4_000],
        ),
        share(
            SickSoldier,
            [0, 0, 1_600, 10_500, 33_000, 20_000],
            [0, 0, 20, 650, 1_600, 1_000],
        ),
        share(
            WarInvalidRelative,
            [60, 60, 200, 60, 600, 0],
            [60, 60, 200, 4_700, 21_000, 10_000],
        ),
        share(
            Imprisoned,
            [0, 0, 0, 2_100, 23_000, 40_000],
            [0, 0, 0, 700, 7_000, 12_000],
        ),
        share(AgentOrangeChild, [30, 520, 720, 0, 0, 0], [30, 480, 680, 0, 0, 0]),
        share(
            SickSoldierRelative,
            [20, 20, 60, 0, 200, 0],
            [20, 20, 60, 1_600, 7_200, 3_000],
        ),
        share(
            AgentOrangeRelative,
            [20, 20, 60, 0, 200, 0],
            [20, 20, 60, 1_300, 6_200, 2_000],
        ),
        share(Helper, [0, 0, 0, 0, 1_500, 8_000], [0, 0, 0, 0, 2_500, 12_000]),
        share(WarInvalidB, [0, 0, 0, 1_000, 2_500, 2_000], [0; AGE_CLASSES]),
        share(
            MartyrSpouseRemarried,
            [0; AGE_CLASSES],
            [0, 0, 0, 400, 4_000, 4_000],
        ),
        share(HeroicMother, [0; AGE_CLASSES], [0, 0, 0, 0, 300, 8_000]),
        share(
            Pre1945Relative,
            [0, 0, 10, 20, 100, 300],
            [0, 0, 10, 40, 700, 3_000],
        ),
        share(
            Activist1945Relative,
            [0, 0, 10, 20, 100, 300],
            [0, 0, 10, 40, 1_000, 5_000],
        ),
        share(Hero, [0, 0, 0, 60, 400, 800], [0, 0, 0, 10, 60, 100]),
        share(Activist1945, [0, 0, 0, 0, 0, 2_500], [0, 0, 0, 0, 0, 1_000]),
        share(Pre1945, [0, 0, 0, 0, 0, 5_000], [0, 0, 0, 0, 0, 2_000]),
    ]
};

/// The sums of [`MERIT`], so that one number settles it for nearly everybody.
const MERIT_SUMS: [[u32; 2]; AGE_CLASSES] = {
    let mut sums = [[0; 2]; AGE_CLASSES];
    let mut at = 0;
    while at < MERIT.len() {
        let mut class = 0;
        while class < AGE_CLASSES {
            sums[class][0] += MERIT[at].men[class];
            sums[class][1] += MERIT[at].women[class];
            class += 1;
        }
        at += 1;
    }
    sums
};

/// The kind of merit of a person for whom a number below a million was drawn.
pub(super) fn merit(age: u8, sex: Sex, mut drawn: u32) -> Option<MeritKind> {
    let class = age_class(age);
    let sums = MERIT_SUMS[class];
    let sum = match sex {
        Sex::Male => sums[0],
        Sex::Female => sums[1],
    };
    if drawn >= sum {
        return None;
    }
    for share in &MERIT {
        let here = match sex {
            Sex::Male => share.men[class],
            Sex::Female => share.women[class],
        };
        if drawn < here {
            return Some(share.kind);
        }
        drawn -= here;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_drawn_number_settles_the_kind_in_the_proportions_of_the_table() {
        for (sex, column) in [(Sex::Male, 0), (Sex::Female, 1)] {
            for age in [5, 25, 50, 70, 80, 95] {
                let sum = MERIT_SUMS[age_class(age)][column];
                assert!(sum < 400_000, "{age}");
                let of = |kind| {
                    (0..sum)
                        .filter(|&drawn| merit(age, sex, drawn) == Some(kind))
                        .count()
                };
                for share in &MERIT {
                    let expected = [&share.men, &share.women][column][age_class(age)];
                    assert_eq!(of(share.kind), expected as usize, "{:?} {age}", share.kind);
                }
                assert_eq!(merit(age, sex, sum), None);
            }
        }
    }
}
