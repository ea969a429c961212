//! Enrolments: for whom the commune has signed decisions. They agree with the conditions of Decree
//! 20/2021/NĐ-CP Art. 5 and of Law 41/2024/QH15 Art. 21, except for the few cases that every real registry has:
//! people who qualify and never applied, and people whose decision outlived its reason.

use super::attributes::{Choice, PROGRAMMES};
use super::circumstances::{Circumstances, Company, SEVERE, Sheet};
use super::commune::{COMING_MONTHS, Life, Poverty, Writer};
use super::names;
use crate::gazetteer::REFORM_MONTH;
use crate::kernel::catalogue::EnrolmentState;
use crate::types::Month;

/// Positions in [`PROGRAMMES`].
const CHILD_WITHOUT_CARE: usize = 0;
const DISABILITY: usize = 1;
const ELDERLY_POOR: usize = 2;
const CHILD_UNDER_3: usize = 3;
const SOCIAL_PENSION: usize = 4;
const _: () = assert!(SOCIAL_PENSION + 1 == PROGRAMMES.len());

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
    if life.member.age < 18 {
        clerk.child_without_care();
        clerk.child_under_3();
    }
    clerk.disability();
    if life.member.age >= 60 {
        clerk.elderly_poor();
        clerk.social_pension();
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
        if self.circumstances.in_facility {
            return;
        }
        let sixteen = self.reaches(AGE);
        if sixteen > self.writer.now {
            self.decide(CHILD_WITHOUT_CARE, since);
        } else if since <= REFORM_MONTH && self.writer.random.percent(70) {
            self.outlive(CHILD_WITHOUT_CARE, sixteen);
        }
    }

    fn child_under_3(&mut self) {
        const AGE: i32 = 3;
        let Some(poor_since) = self.company.poverty.poor_or_near() else {
            return;
        };
        if !self.company.difficult || self.company.alone {
            return;
        }
        let three = self.reaches(AGE);
        if three > self.writer.now {
            self.decide(CHILD_UNDER_3, poor_since.max(self.life.born));
        } else if three > REFORM_MONTH && poor_since == REFORM_MONTH && self.writer.random.percent(75) {
            self.outlive(CHILD_UNDER_3, three);
        }
    }

    fn disability(&mut self) {
        let about = self.circumstances;
        let excluded = about.merit || about.in_facility || about.pension.is_some();
        let severe = about.disability >= SEVERE;
        match (severe, excluded) {
            (true, false) => {
                let since = about.disability_since.unwrap_or(self.life.born);
                self.decide(DISABILITY, since.max(self.life.born));
            }
            (true, true) => match about.pension {
                Some(month) if month > REFORM_MONTH && !about.merit && !about.in_facility => {
                    self.outlive(DISABILITY, month);
                }
                _ if self.writer.random.percent(4) => self.outlive(DISABILITY, self.writer.now),
                _ => {}
            },
            // Reassessed and no longer severe.
            (false, false) => {
                if let Some(month) = about.disability_since {
                    self.outlive(DISABILITY, month);
                }
            }
            (false, true) => {}
        }
    }

    fn elderly_poor(&mut self) {
        const AGE: i32 = 60;
        if !self.circumstances.without_support || self.company.alone {
            return;
        }
        match self.company.poverty {
            Poverty::Poor(since) => self.decide(ELDERLY_POOR, since.max(self.reaches(AGE))),
            Poverty::Left(last) if self.writer.random.percent(40) => self.outlive(ELDERLY_POOR, last),
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
                self.outlive(SOCIAL_PENSION, month);
            } else if full <= REFORM_MONTH && self.writer.random.percent(2) {
                self.outlive(SOCIAL_PENSION, now);
            }
            return;
        }
        let by_poverty = self.company.poverty.poor_or_near().map(|since| since.max(poor));
        let since = by_poverty.map_or(full, |month| month.min(full));
        if since <= now {
            self.decide(SOCIAL_PENSION, since);
            return;
        }
        match self.company.poverty {
            Poverty::Left(last) if poor <= REFORM_MONTH => self.outlive(SOCIAL_PENSION, last),
            _ if full.months_since(now) <= COMING_MONTHS && self.writer.random.percent(40) => {
                self.active_from(SOCIAL_PENSION, full);
            }
            _ => {}
        }
    }

    /// Someone who has qualified since a month and still does: mostly enrolled, for most since before the registry
    /// began; few never applied, a few are suspended.
    fn decide(&mut self, programme: usize, since: Month) {
        const NEVER: u32 = 40;
        const COMING: u32 = 10;
        const SUSPENDED: u32 = 35;
        const ENDING: u32 = 6;
        let roll = self.writer.random.below(1_000);
        if roll < NEVER {
            if roll < COMING {
                let month = self.writer.coming();
                self.active_from(programme, month);
            }
            return;
        }
        let since = since.max(self.life.from);
        let start = if since > REFORM_MONTH {
            let delay = self.writer.random.below(3) as i32;
            Some(since.plus(delay).unwrap_or(since))
        } else if self.writer.random.percent(18) {
            self.writer.past(REFORM_MONTH)
        } else {
            None
        };
        match start {
            Some(month) => self.active_from(programme, month),
            None => self.active_throughout(programme),
        }
        if roll < NEVER + SUSPENDED {
            self.suspend(programme, start.unwrap_or(REFORM_MONTH));
        } else if roll < NEVER + SUSPENDED + ENDING {
            let month = self.writer.coming();
            if start.is_none_or(|start| start < month) {
                self.record(programme, EnrolmentState::Ended, month);
            }
        }
    }

    fn suspend(&mut self, programme: usize, start: Month) {
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
    fn outlive(&mut self, programme: usize, last: Month) {
        if self.life.from > REFORM_MONTH {
            return;
        }
        if last < REFORM_MONTH {
            let choice = self.choice(programme);
            let ended = choice.values[EnrolmentState::Ended as usize];
            self.sheet.hold(choice.number, ended, choice.absent);
            return;
        }
        self.active_throughout(programme);
        let late = self.writer.random.below(2) as i32;
        let month = last.next().plus(late).unwrap_or(last);
        if month <= self.writer.now && self.writer.random.percent(80) {
            self.record(programme, EnrolmentState::Ended, month);
        }
    }

    fn choice(&self, programme: usize) -> Choice<4> {
        self.writer.synth.attributes.enrolments[programme]
    }

    /// Active since before the registry began, by a decision kept in the dossier.
    fn active_throughout(&mut self, programme: usize) {
        let choice = self.choice(programme);
        let signed = if programme == SOCIAL_PENSION {
            REFORM_MONTH
        } else {
            self.writer.earlier_decision(self.life.born)
        };
        let document = names::decision(signed, &mut self.writer.random);
        let active = choice.values[EnrolmentState::Active as usize];
        self.sheet.hold(choice.number, active, choice.absent);
        self.sheet.documents.push((choice.number.get(), document));
    }

    fn active_from(&mut self, programme: usize, month: Month) {
        self.record(programme, EnrolmentState::Active, month);
    }

    fn record(&mut self, programme: usize, state: EnrolmentState, month: Month) {
        let choice = self.choice(programme);
        let signed = month.min(self.writer.now);
        let document = names::decision(signed, &mut self.writer.random);
        self.sheet
            .change(choice.number, choice.values[state as usize], month, document);
    }
}
