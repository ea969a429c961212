//! Enrolments: for whom the commune has signed decisions. They agree with the conditions of the law, except for the
//! few cases that every real registry has: people who qualify and never applied, and people whose decision outlived
//! its reason.

use super::attributes::{Choice, Flag, Programme};
use super::circumstances::{Circumstances, Company, EXTREMELY_SEVERE, SEVERE, Sheet};
use super::commune::{COMING_MONTHS, Life, Poverty, Writer};
use super::names;
use super::shares::paper;
use crate::gazetteer::{REFORM_MONTH, month};
use crate::kernel::catalogue::EnrolmentState;
use crate::types::{Month, Sex, Value};

/// The month from which Hà Nội counts more of the elderly as without support.
const HA_NOI_GROUPS: Month = month(2026, 1);

/// Writes the enrolments of a person.
pub(super) fn enrol(
    writer: &mut Writer<'_>,
    company: &Company<'_>,
    life: &Life,
    circumstances: &Circumstances,
    sheet: &mut Sheet,
) {
    let mut clerk = Clerk {
        company,
        life,
        circumstances,
        writer,
        sheet,
    };
    if life.member.age < 22 {
        clerk.child_without_care();
        clerk.child_under_3();
    }
    clerk.disability();
    clerk.care();
    clerk.hiv();
    if company.at == 0 && company.single_parent {
        clerk.single_parent();
    }
    if circumstances.disability >= SEVERE && life.member.age >= 18 {
        clerk.disabled_parent();
    }
    if life.member.age >= 60 {
        clerk.elderly_poor();
        clerk.social_pension();
    }
    clerk.merit();
    if let Some(month) = circumstances.injured {
        clerk.active_from(Programme::EmergencyInjury, month);
    }
}

struct Clerk<'a, 'w> {
    company: &'a Company<'a>,
    life: &'a Life,
    circumstances: &'a Circumstances,
    writer: &'a mut Writer<'w>,
    sheet: &'a mut Sheet,
}

impl Clerk<'_, '_> {
    /// The month in which the person reaches an age.
    fn reaches(&self, years: i32) -> Month {
        self.life.born.plus(years * 12).unwrap_or(Month::MAX)
    }

    fn child_without_care(&mut self) {
        const AGE: i32 = 16;
        let Some(since) = self.circumstances.without_care else {
            return;
        };
        if self.circumstances.is(Flag::InFacility) {
            return;
        }
        let sixteen = self.reaches(AGE);
        if sixteen > self.writer.now {
            self.decide(Programme::ChildWithoutCare, since);
            if self.circumstances.is(Flag::TakenIn) {
                self.decide(Programme::CareOfChild, since);
            }
        } else if self.circumstances.is(Flag::Studying) {
            // The decision of the child counts on; some were replaced by one of their own.
            if sixteen <= REFORM_MONTH && self.writer.random.percent(40) {
                self.active_throughout(Programme::ChildWithoutCare);
            } else {
                self.decide(Programme::StudyAfter16, since.max(sixteen));
            }
        } else if since <= REFORM_MONTH && self.writer.random.percent(70) {
            self.outlive(Programme::ChildWithoutCare, sixteen);
        }
    }

    fn child_under_3(&mut self) {
        const AGE: i32 = 3;
        let Some(poor_since) = self.company.poverty.poor_or_near() else {
            return;
        };
        let about = self.circumstances;
        let has_other = about.without_care.is_some() || about.disability >= SEVERE;
        let has_hiv = about.is(Flag::Hiv) && self.company.poverty.poor().is_some();
        if !self.company.difficult || self.company.alone || has_other || has_hiv {
            return;
        }
        let three = self.reaches(AGE);
        if three > self.writer.now {
            self.decide(Programme::ChildUnder3, poor_since.max(self.life.born));
        } else if three > REFORM_MONTH && poor_since == REFORM_MONTH && self.writer.random.percent(75) {
            self.outlive(Programme::ChildUnder3, three);
        }
    }

    fn hiv(&mut self) {
        let about = self.circumstances;
        let (true, Some(since)) = (about.is(Flag::Hiv), self.company.poverty.poor()) else {
            return;
        };
        if self.life.member.age < 16 {
            self.decide(Programme::ChildHiv, since);
        } else if !about.is(Flag::StableIncome) && about.pension.is_none() {
            self.decide(Programme::HivPoor, since.max(self.reaches(16)));
        }
    }

    fn single_parent(&mut self) {
        const CHILD_UNTIL: u8 = 16;
        let Some(youngest) = self.company.children(CHILD_UNTIL).min() else {
            return;
        };
        let born = self.writer.now.plus(-12 * i32::from(youngest));
        match self.company.poverty {
            Poverty::Poor(since) | Poverty::NearPoor(since) => {
                self.decide(Programme::SingleParent, since.max(born.unwrap_or(since)));
            }
            Poverty::Left(last) if self.writer.random.percent(60) => {
                self.outlive(Programme::SingleParent, last);
            }
            _ => {}
        }
    }

    fn disabled_parent(&mut self) {
        const INFANT_UNTIL: u8 = 3;
        let about = self.circumstances;
        let youngest = self.company.children(INFANT_UNTIL).min();
        let born = youngest.and_then(|age| self.writer.now.plus(-12 * i32::from(age)).ok());
        let Some(since) = born.into_iter().chain(about.pregnant).min() else {
            return;
        };
        if self.life.member.sex == Sex::Male {
            self.writer.spouse(self.company, self.sheet);
        }
        self.decide(Programme::DisabledParent, since.min(self.writer.now));
    }

    fn disability(&mut self) {
        let about = self.circumstances;
        let has_merit = about.has_merit();
        let excluded = has_merit || about.is(Flag::InFacility) || about.pension.is_some();
        let severe = about.disability >= SEVERE;
        match (severe, excluded) {
            (true, false) => {
                let since = about.disability_since.unwrap_or(self.life.born);
                self.decide(Programme::Disability, since.max(self.life.born));
            }
            (true, true) => match about.pension {
                Some(month) if month > REFORM_MONTH && !has_merit && !about.is(Flag::InFacility) => {
                    self.outlive(Programme::Disability, month);
                }
                _ if self.writer.random.percent(4) => {
                    self.outlive(Programme::Disability, self.writer.now);
                }
                _ => {}
            },
            // Reassessed and no longer severe.
            (false, false) => {
                if let Some(month) = about.disability_since {
                    self.outlive(Programme::Disability, month);
                }
            }
            (false, true) => {}
        }
    }

    /// Support for who cares for an extremely severely disabled person.
    fn care(&mut self) {
        let about = self.circumstances;
        if about.disability != EXTREMELY_SEVERE || about.is(Flag::InFacility) || self.company.alone {
            return;
        }
        let since = about.disability_since.unwrap_or(self.life.born);
        let programme = if about.is(Flag::TakenIn) {
            Programme::CareOfDisabled
        } else {
            Programme::CareAtHome
        };
        self.decide(programme, since.max(self.life.born));
    }

    fn elderly_poor(&mut self) {
        const AGE: i32 = 60;
        let about = self.circumstances;
        if self.company.alone {
            return;
        }
        let sixty = self.reaches(AGE);
        match self.company.poverty {
            Poverty::Poor(since) if about.is(Flag::WithoutSupport) && about.is(Flag::TakenIn) => {
                self.decide(Programme::ElderlyTakenIn, since.max(sixty));
                self.decide(Programme::CareOfElderly, since.max(sixty));
            }
            Poverty::Poor(since) if about.is(Flag::WithoutSupport) => {
                self.decide(Programme::ElderlyPoor, since.max(sixty));
            }
            // Hà Nội has more groups, since 2026-01.
            Poverty::Poor(since) | Poverty::NearPoor(since) if about.is(Flag::SupporterUnable) => {
                self.decide(Programme::ElderlyPoor, since.max(sixty).max(HA_NOI_GROUPS));
            }
            Poverty::Left(last) if about.is(Flag::WithoutSupport) && self.writer.random.percent(40) => {
                self.outlive(Programme::ElderlyPoor, last);
            }
            _ => {}
        }
    }

    fn social_pension(&mut self) {
        const AGE: i32 = 75;
        const POOR_AGE: i32 = 70;
        let about = self.circumstances;
        let (full, poor) = (self.reaches(AGE), self.reaches(POOR_AGE));
        let now = self.writer.now;
        if let Some(month) = about.pension {
            if month > REFORM_MONTH && full <= month {
                self.outlive(Programme::SocialPension, month);
            } else if full <= REFORM_MONTH && self.writer.random.percent(2) {
                self.outlive(Programme::SocialPension, now);
            }
            return;
        }
        let by_poverty = self.company.poverty.poor_or_near().map(|since| since.max(poor));
        let since = by_poverty.map_or(full, |month| month.min(full));
        if since <= now {
            if let Some(earlier) = self.earlier_pension(since) {
                self.active_throughout(earlier);
            } else if !self.decide(Programme::SocialPension, since) && self.writer.random.percent(50) {
                let applied = self.writer.synth.attributes.flag(Flag::AppliedSocialPension);
                let month = now.previous().unwrap_or(now).max(self.life.from);
                self.sheet
                    .change(applied.number, Value::Bool(true), month, String::new());
            }
            return;
        }
        match self.company.poverty {
            Poverty::Left(last) if poor <= REFORM_MONTH => self.outlive(Programme::SocialPension, last),
            _ if full.months_since(now) <= COMING_MONTHS && self.writer.random.percent(40) => {
                self.active_from(Programme::SocialPension, full);
            }
            _ => {}
        }
    }

    /// The decision of before 2025-07 on an allowance of the old, where none on the social pension replaced it.
    fn earlier_pension(&mut self, since: Month) -> Option<Programme> {
        const OLD_AGE: i32 = 80;
        const KEPT_PERCENT: u32 = 25;
        if since > REFORM_MONTH || !self.writer.random.percent(KEPT_PERCENT) {
            return None;
        }
        let is_poor = self.company.poverty.poor_or_near() == Some(REFORM_MONTH);
        if self.reaches(OLD_AGE) < REFORM_MONTH {
            Some(Programme::Elderly80)
        } else if is_poor && self.company.difficult && self.reaches(75) < REFORM_MONTH {
            Some(Programme::Elderly75)
        } else {
            None
        }
    }

    fn merit(&mut self) {
        let about = self.circumstances;
        for claim in &about.merit {
            match claim.last {
                None => {
                    self.decide(claim.programme, self.life.born);
                }
                Some(last) => self.outlive(claim.programme, last),
            }
        }
    }

    /// Someone who has qualified since a month and still does: mostly enrolled, for most since before the registry
    /// began; few never applied, a few are suspended. Gives whether there is an enrolment.
    fn decide(&mut self, programme: Programme, since: Month) -> bool {
        const SUSPENDED: u32 = paper::NEVER_ENROLLED + paper::SUSPENDED;
        const ENDING: u32 = SUSPENDED + paper::ENDING;
        let roll = self.writer.random.below(1_000);
        if roll < paper::NEVER_ENROLLED {
            if roll < paper::ENROLLED_SOON {
                let month = self.writer.coming();
                self.active_from(programme, month);
            }
            return roll < paper::ENROLLED_SOON;
        }
        let recently = if programme.is_merit() {
            paper::MERIT_ENROLLED_RECENTLY
        } else {
            paper::ENROLLED_RECENTLY
        };
        let since = since.max(self.life.from);
        let start = if since > REFORM_MONTH {
            let delay = self.writer.random.below(3) as i32;
            Some(since.plus(delay).unwrap_or(since))
        } else if self.writer.random.below(1_000) < recently {
            self.writer.past(REFORM_MONTH)
        } else {
            None
        };
        match start {
            Some(month) => self.active_from(programme, month),
            None => self.active_throughout(programme),
        }
        match roll {
            ..SUSPENDED => self.suspend(programme, start.unwrap_or(REFORM_MONTH)),
            SUSPENDED..ENDING => {
                let month = self.writer.coming();
                if start.is_none_or(|start| start < month) {
                    self.record(programme, EnrolmentState::Ended, month);
                }
            }
            _ => {}
        }
        true
    }

    fn suspend(&mut self, programme: Programme, start: Month) {
        let Some(month) = self.writer.past(start) else {
            return;
        };
        self.record(programme, EnrolmentState::Suspended, month);
        if self.writer.random.percent(35)
            && let Some(month) = self.writer.past(month)
        {
            self.record(programme, EnrolmentState::Active, month);
        }
    }

    /// Someone who was enrolled and whose reason held until a month: mostly ended from the month after, or one
    /// later; some decisions are simply still there.
    fn outlive(&mut self, programme: Programme, last: Month) {
        if self.life.from > REFORM_MONTH {
            return;
        }
        if last < REFORM_MONTH {
            let choice = self.choice(programme);
            let ended = choice.values[EnrolmentState::Ended as usize];
            self.sheet.hold(choice.number, ended, choice.absent);
            self.sheet.note_enrolment(programme);
            return;
        }
        self.active_throughout(programme);
        let late = self.writer.random.below(2) as i32;
        let month = last.next().plus(late).unwrap_or(last);
        if month <= self.writer.now && self.writer.random.percent(80) {
            self.record(programme, EnrolmentState::Ended, month);
        }
    }

    fn choice(&self, programme: Programme) -> Choice<4> {
        self.writer.synth.attributes.enrolment(programme)
    }

    /// Active since before the registry began, by a decision kept in the dossier.
    fn active_throughout(&mut self, programme: Programme) {
        let choice = self.choice(programme);
        let signed = if programme == Programme::SocialPension {
            REFORM_MONTH
        } else {
            self.writer.earlier_decision(self.life.born)
        };
        let document = names::decision(signed, &mut self.writer.random);
        let active = choice.values[EnrolmentState::Active as usize];
        self.sheet.hold(choice.number, active, choice.absent);
        self.sheet.note_enrolment(programme);
        self.sheet.documents.push((choice.number.get(), document));
    }

    fn active_from(&mut self, programme: Programme, month: Month) {
        self.record(programme, EnrolmentState::Active, month);
    }

    fn record(&mut self, programme: Programme, state: EnrolmentState, month: Month) {
        let choice = self.choice(programme);
        let signed = month.min(self.writer.now);
        let document = names::decision(signed, &mut self.writer.random);
        self.sheet
            .change(choice.number, choice.values[state as usize], month, document);
        self.sheet.note_enrolment(programme);
    }
}
