//! People with merit and their relatives: what is recorded of them, and to which programmes that gives a claim.

use super::attributes::{Choice, Count, Flag, Programme, Reference};
use super::circumstances::{Company, Sheet};
use super::commune::{Life, Writer};
use super::names;
use super::shares::{self, MeritKind, paper};
use crate::gazetteer::REFORM_MONTH;
use crate::types::{Dong, Month, Sex, Value};

/// Percentages of injury as medical boards mostly give them.
const INVALID: [u8; 28] = [
    21, 21, 21, 21, 23, 25, 25, 26, 27, 31, 31, 31, 32, 35, 38, 41, 41, 45, 45, 51, 55, 61, 61, 65, 71, 75,
    81, 91,
];
const INVALID_B: [u8; 6] = [21, 25, 31, 35, 41, 61];
const SICK: [u8; 14] = [41, 45, 45, 51, 51, 55, 61, 61, 61, 65, 71, 75, 81, 91];
const ORANGE: [u8; 16] = [21, 31, 41, 41, 45, 51, 51, 55, 61, 61, 61, 65, 71, 75, 81, 91];
const ORANGE_CHILD: [u8; 8] = [61, 61, 65, 71, 75, 81, 85, 91];
/// The percentage from which there is a supplement, and an allowance for the carer.
const CARER_PERCENT: i64 = 81;
/// Positions of the values of `merit_kin`.
const PARENT: usize = 1;
const SPOUSE: usize = 2;
const RAISED: usize = 3;
const CHILD: usize = 4;
/// Positions of the values of `merit_child`.
const STUDYING: usize = 1;
const DISABLED_BEFORE_18: usize = 2;
const DISABLED_AFTER_18: usize = 3;
/// The age at which a child is one no more.
const CHILD_AGE: u8 = 18;
/// The age until which children study at the most.
const STUDY_AGE: u8 = 25;

/// A programme for which a person qualifies, or did.
#[derive(Debug, Clone, Copy)]
pub(super) struct Claim {
    pub(super) programme: Programme,
    /// The last month of the reason, if it is gone.
    pub(super) last: Option<Month>,
}

/// A status that goes by the percentage of an injury.
struct Injury {
    percent: Count,
    /// The least percentage with an allowance.
    least: i64,
    usual: &'static [u8],
    allowance: Programme,
    severe: Option<Severe>,
}

/// What there is from [`CARER_PERCENT`] on.
#[derive(Clone, Copy)]
struct Severe {
    special: Option<Flag>,
    supplement: Programme,
    carer: Programme,
}

/// How a person qualifies as a relative.
#[derive(Clone, Copy)]
enum Kinship {
    Unsettled,
    Qualifies,
    /// A child who is grown up since the month after this one.
    Until(Month),
}

/// A person's record of merit while it is written.
struct MeritRecord<'a, 'w> {
    writer: &'a mut Writer<'w>,
    company: &'a Company<'a>,
    life: &'a Life,
    sheet: &'a mut Sheet,
    claims: Vec<Claim>,
    /// Settled with the first status of a relative.
    kinship: Kinship,
}

impl Writer<'_> {
    /// Draws merit and writes it down. Most people have none.
    pub(super) fn merit(&mut self, company: &Company<'_>, life: &Life, sheet: &mut Sheet) -> Vec<Claim> {
        let age = life.member.age;
        let drawn = self.random.below(1_000_000);
        let kind = shares::merit(age, life.member.sex, drawn);
        // The numbers at the far end give none, so one draw settles both.
        let education =
            kind.is_none() && (6..25).contains(&age) && drawn >= 1_000_000 - shares::MERIT_EDUCATION;
        if kind.is_none() && !education {
            return Vec::new();
        }
        let mut record = MeritRecord {
            writer: self,
            company,
            life,
            sheet,
            claims: Vec::new(),
            kinship: Kinship::Unsettled,
        };
        match kind {
            Some(kind) => record.first_and_second(kind),
            None => record.education(),
        }
        record.claims
    }
}

impl MeritRecord<'_, '_> {
    fn first_and_second(&mut self, kind: MeritKind) {
        use MeritKind::{
            AgentOrange, Hero, HeroicMother, Imprisoned, MartyrRelative, SickSoldier, WarInvalid,
            WarInvalidRelative,
        };
        // Whom nobody cares for at home lives in a centre of people with merit.
        if self.company.alone {
            let in_centre = self.writer.synth.attributes.flag(Flag::MeritInCentre);
            self.sheet.hold_flag(in_centre, true);
        }
        self.status(kind);
        let (percent, second) = match kind {
            WarInvalid => (5, AgentOrange),
            SickSoldier => (4, AgentOrange),
            AgentOrange => (4, Imprisoned),
            MartyrRelative => (2, WarInvalidRelative),
            HeroicMother => (100, MartyrRelative),
            Hero => (40, WarInvalid),
            _ => return,
        };
        if self.writer.random.percent(percent) {
            self.status(second);
        }
    }

    fn claim(&mut self, programme: Programme, last: Option<Month>) {
        self.claims.push(Claim { programme, last });
    }

    fn flag(&mut self, flag: Flag) {
        let plain = self.writer.synth.attributes.flag(flag);
        self.sheet.hold_flag(plain, true);
    }

    fn choose<const N: usize>(&mut self, choice: Choice<N>, at: usize) {
        self.sheet.hold_choice(&choice, at);
    }

    fn status(&mut self, kind: MeritKind) {
        match kind {
            MeritKind::WarInvalid
            | MeritKind::WarInvalidB
            | MeritKind::SickSoldier
            | MeritKind::AgentOrange
            | MeritKind::AgentOrangeChild => self.injured(&injury(kind)),
            MeritKind::MartyrRelative
            | MeritKind::Pre1945Relative
            | MeritKind::Activist1945Relative
            | MeritKind::WarInvalidRelative
            | MeritKind::SickSoldierRelative
            | MeritKind::AgentOrangeRelative => self.relative(kind),
            MeritKind::Imprisoned => self.simple(Flag::Imprisoned, Programme::MeritImprisoned),
            MeritKind::Hero => self.simple(Flag::Hero, Programme::MeritHero),
            MeritKind::Activist1945 => self.simple(Flag::Activist1945, Programme::Merit1945),
            MeritKind::MartyrSpouseRemarried => {
                self.simple(Flag::MartyrSpouseRemarried, Programme::MeritMartyrRemarried);
            }
            MeritKind::HeroicMother => {
                self.simple(Flag::HeroicMother, Programme::MeritHeroicMother);
                self.supplement(Programme::MeritHeroicMotherSupplement, 20);
                self.carer(Programme::MeritHeroicMotherCarer);
            }
            MeritKind::Helper => {
                let medal = if self.writer.random.percent(70) { 2 } else { 1 };
                self.choose(self.writer.synth.attributes.helper, medal);
                self.claim(Programme::MeritHelper, None);
                if self.lives_alone() {
                    self.choose(self.writer.synth.attributes.merit_alone, 1);
                    self.claim(Programme::MeritHelperNurturing, None);
                }
            }
            MeritKind::Pre1945 => self.pre1945(),
        }
    }

    fn simple(&mut self, flag: Flag, programme: Programme) {
        self.flag(flag);
        self.claim(programme, None);
    }

    fn pre1945(&mut self) {
        let attributes = &self.writer.synth.attributes;
        let detached = self.writer.random.percent(60);
        self.choose(attributes.pre1945, if detached { 1 } else { 2 });
        self.claim(Programme::MeritPre1945, None);
        if detached {
            let years = 2 + i64::from(self.writer.random.below(8));
            self.sheet
                .hold_count(attributes.count(Count::Pre1945Seniority), years);
            self.supplement(Programme::MeritPre1945Seniority, 60);
        }
    }

    /// A supplement follows the decision on its allowance; some have a decision of their own.
    fn supplement(&mut self, programme: Programme, own_percent: u32) {
        if self.writer.random.percent(own_percent) {
            self.claim(programme, None);
        }
    }

    fn carer(&mut self, programme: Programme) {
        if self.company.alone || !self.writer.random.percent(80) {
            return;
        }
        self.writer.carer(self.company, self.sheet);
        self.claim(programme, None);
    }

    fn lives_alone(&self) -> bool {
        self.company.members.len() == 1
    }

    fn injured(&mut self, injury: &Injury) {
        let plain = self.writer.synth.attributes.count(injury.percent);
        let percent = i64::from(if self.writer.random.percent(95) {
            self.writer.random.pick(injury.usual)
        } else {
            // Any percentage from the least on, rather a low one.
            let span = 101 - injury.least as u32;
            let below = self.writer.random.below(span).min(self.writer.random.below(span));
            (injury.least as u32 + below) as u8
        });
        let roll = self.writer.random.below(1_000);
        if roll < paper::INJURY_UNKNOWN {
            self.sheet.hold(plain.number, Value::Unknown, plain.absent);
            self.claim(injury.allowance, None);
            return;
        }
        if roll < paper::INJURY_UNKNOWN + paper::INJURY_REASSESSED {
            self.reassessed(injury, percent);
            return;
        }
        self.sheet.hold_count(plain, percent);
        self.claim(injury.allowance, None);
        if let Some(severe) = injury.severe
            && percent >= CARER_PERCENT
        {
            if let Some(special) = severe.special
                && self.writer.random.percent(35)
            {
                self.flag(special);
            }
            self.supplement(severe.supplement, 10);
            self.carer(severe.carer);
        }
    }

    /// A percentage that a board changed in a past month, or will in a coming one: mostly a worse one, sometimes one
    /// without an allowance.
    fn reassessed(&mut self, injury: &Injury, percent: i64) {
        let plain = self.writer.synth.attributes.count(injury.percent);
        let later = if self.writer.random.percent(85) {
            (percent + 3 + i64::from(self.writer.random.below(12))).min(100)
        } else {
            injury.least - 1
        };
        let past = if self.writer.random.percent(70) {
            self.writer.past(self.life.from)
        } else {
            None
        };
        let month = past.unwrap_or_else(|| self.writer.coming());
        let document = names::decision(month.min(self.writer.now), &mut self.writer.random);
        self.sheet.hold_count(plain, percent);
        // The last percentage is the worst already.
        if later != percent {
            self.sheet
                .change(plain.number, Value::Integer(later), month, document);
        }
        let is_gone = later < injury.least;
        self.claim(injury.allowance, past.filter(|_| is_gone));
    }

    fn relative(&mut self, kind: MeritKind) {
        let (count, programme, nurturing) = relative_of(kind);
        if matches!(self.kinship, Kinship::Unsettled) {
            self.kinship = self.kin().map_or(Kinship::Qualifies, Kinship::Until);
        }
        let last = match self.kinship {
            Kinship::Until(last) => Some(last),
            Kinship::Unsettled | Kinship::Qualifies => None,
        };
        let several = match kind {
            MeritKind::MartyrRelative => self.writer.random.pick(&[1, 1, 1, 1, 1, 1, 1, 1, 2, 2, 2, 3]),
            _ if self.writer.random.percent(2) => 2,
            _ => 1,
        };
        let plain = self.writer.synth.attributes.count(count);
        self.sheet.hold_count(plain, several);
        let widow = last.is_none() && self.life.member.age < 75 && self.life.member.age >= 60;
        if kind == MeritKind::MartyrRelative
            && widow
            && self.writer.random.chance(6_000)
            && let Some(month) = self.writer.past(self.life.from)
        {
            // Married again, without what would keep a benefit.
            let document = names::decision(month, &mut self.writer.random);
            self.sheet
                .change(plain.number, Value::Integer(0), month, document);
            self.claim(programme, Some(month));
            return;
        }
        self.claim(programme, last);
        if last.is_some() {
            return;
        }
        if several > 1 && kind != MeritKind::MartyrRelative {
            self.claim(Programme::MeritSecondSurvivor, None);
        }
        if let Some(nurturing) = nurturing
            && self.is_alone()
        {
            self.claim(nurturing, None);
        }
    }

    /// Writes what the relative is to the dead; gives the last month in which the reason held, if it is gone.
    fn kin(&mut self) -> Option<Month> {
        let attributes = &self.writer.synth.attributes;
        let random = &mut self.writer.random;
        let kin = match (self.life.member.age, self.life.member.sex) {
            (..60, _) => CHILD,
            (75..90, Sex::Male) => RAISED,
            (75..90, Sex::Female) if random.percent(4) => PARENT,
            (60..75, _) | (75..90, Sex::Female) => SPOUSE,
            (90.., Sex::Female) if random.percent(45) => SPOUSE,
            (90.., _) => PARENT,
        };
        self.choose(attributes.merit_kin, kin);
        if kin != CHILD || self.life.member.age < CHILD_AGE {
            return None;
        }
        let status = match self.life.member.age {
            ..STUDY_AGE if self.writer.random.percent(75) => STUDYING,
            ..STUDY_AGE => 0,
            _ if self.writer.random.percent(70) => DISABLED_BEFORE_18,
            _ => DISABLED_AFTER_18,
        };
        self.choose(attributes.merit_child, status);
        if status == DISABLED_AFTER_18 && self.writer.random.percent(90) {
            let thousands = 300 + i64::from(self.writer.random.below(2_000));
            let income = Value::Money(Dong::new(thousands * 1_000));
            let plain = attributes.merit_income;
            self.sheet.hold(plain.number, income, plain.absent);
        }
        let of_age = self.life.born.plus(i32::from(CHILD_AGE) * 12);
        (status == 0).then(|| of_age.unwrap_or(REFORM_MONTH))
    }

    /// Lives alone, or is an orphan of both parents; recorded where it gives an extra allowance.
    fn is_alone(&mut self) -> bool {
        let choice = self.writer.synth.attributes.merit_alone;
        if self.sheet.latest(choice.number).is_some() {
            return false;
        }
        let (percent, case) = match self.life.member.age {
            ..60 => (20, 2),
            _ if self.lives_alone() => (45, 1),
            _ => (2, 1),
        };
        let alone = self.writer.random.percent(percent);
        if alone {
            self.choose(choice, case);
        }
        alone
    }

    fn education(&mut self) {
        let group = if self.writer.random.percent(60) { 1 } else { 2 };
        self.choose(self.writer.synth.attributes.merit_education, group);
        self.claim(Programme::MeritEducation, None);
    }
}

impl Writer<'_> {
    /// Whom the payment after the death of a person with merit goes to: one of the household.
    pub(super) fn merit_representative(&mut self, company: &Company<'_>, month: Month, sheet: &mut Sheet) {
        if let Some(at) = company.other_adult() {
            let attribute = self.synth.attributes.reference(Reference::MeritRepresentative);
            sheet.name_from(attribute, at, month);
        }
    }
}

const fn injury(kind: MeritKind) -> Injury {
    let war_invalid = Severe {
        special: Some(Flag::WarInvalidSpecial),
        supplement: Programme::MeritWarInvalidSupplement,
        carer: Programme::MeritWarInvalidCarer,
    };
    match kind {
        MeritKind::WarInvalidB => Injury {
            percent: Count::WarInvalidB,
            least: 21,
            usual: &INVALID_B,
            allowance: Programme::MeritWarInvalidB,
            severe: Some(war_invalid),
        },
        MeritKind::SickSoldier => Injury {
            percent: Count::SickSoldier,
            least: 41,
            usual: &SICK,
            allowance: Programme::MeritSickSoldier,
            severe: Some(Severe {
                special: Some(Flag::SickSoldierSpecial),
                supplement: Programme::MeritSickSoldierSupplement,
                carer: Programme::MeritSickSoldierCarer,
            }),
        },
        MeritKind::AgentOrange => Injury {
            percent: Count::AgentOrange,
            least: 21,
            usual: &ORANGE,
            allowance: Programme::MeritAgentOrange,
            severe: Some(Severe {
                special: Some(Flag::AgentOrangeSpecial),
                supplement: Programme::MeritAgentOrangeSupplement,
                carer: Programme::MeritAgentOrangeCarer,
            }),
        },
        MeritKind::AgentOrangeChild => Injury {
            percent: Count::AgentOrangeChild,
            least: 61,
            usual: &ORANGE_CHILD,
            allowance: Programme::MeritAgentOrangeChild,
            severe: None,
        },
        _ => Injury {
            percent: Count::WarInvalid,
            least: 21,
            usual: &INVALID,
            allowance: Programme::MeritWarInvalid,
            severe: Some(war_invalid),
        },
    }
}

/// What is counted of a kind of relative, the benefit, and the extra allowance of who is alone.
const fn relative_of(kind: MeritKind) -> (Count, Programme, Option<Programme>) {
    match kind {
        MeritKind::Pre1945Relative => (
            Count::Pre1945Relative,
            Programme::MeritPre1945Survivor,
            Some(Programme::MeritPre1945Nurturing),
        ),
        MeritKind::Activist1945Relative => (Count::Activist1945Relative, Programme::Merit1945Survivor, None),
        MeritKind::WarInvalidRelative => (
            Count::WarInvalidRelative,
            Programme::MeritWarInvalidSurvivor,
            Some(Programme::MeritWarInvalidNurturing),
        ),
        MeritKind::SickSoldierRelative => (
            Count::SickSoldierRelative,
            Programme::MeritSickSoldierSurvivor,
            Some(Programme::MeritSickSoldierNurturing),
        ),
        MeritKind::AgentOrangeRelative => (
            Count::AgentOrangeRelative,
            Programme::MeritAgentOrangeSurvivor,
            Some(Programme::MeritAgentOrangeNurturing),
        ),
        _ => (
            Count::MartyrRelative,
            Programme::MeritMartyr,
            Some(Programme::MeritMartyrNurturing),
        ),
    }
}
