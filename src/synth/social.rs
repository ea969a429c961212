//! What few people have and social assistance or a campaign asks about: HIV, study, pregnancy, taking in,
//! injuries, the insurance of 2021. It is recorded only of those whom a rule may ask, so that others stay alike.

use super::attributes::{Count, Flag, Programme, Reference};
use super::circumstances::{Circumstances, Company, EXTREMELY_SEVERE, SEVERE, Sheet};
use super::commune::{Life, Poverty, Writer};
use super::families::Role;
use super::names;
use super::shares;
use crate::gazetteer::REFORM_MONTH;
use crate::kernel::catalogue::EnrolmentState;
use crate::types::{Month, Sex, Value};

/// The province of Hà Nội.
const HA_NOI: u8 = 1;
/// The ages of a study after 16.
const STUDY_AGES: std::ops::Range<u8> = 16..22;
/// Positions of the values of `unemployment_insurance`.
const INSURED: usize = 1;
const PUBLIC_BODY: usize = 2;
const STOPPED: usize = 3;

impl Writer<'_> {
    /// Draws the rest of a person's circumstances and writes them down.
    pub(super) fn social(
        &mut self,
        company: &Company<'_>,
        life: &Life,
        about: &mut Circumstances,
        sheet: &mut Sheet,
    ) {
        let attributes = &self.synth.attributes;
        let age = life.member.age;
        if company.single_parent && company.at == 0 && company.poverty != Poverty::NotPoor {
            sheet.hold_flag(attributes.flag(Flag::SingleParent), true);
        }
        if company.poverty.poor().is_some() && self.random.chance(shares::hiv(age)) {
            about.set(Flag::Hiv);
            sheet.hold_flag(attributes.flag(Flag::Hiv), true);
            if age >= 18 && self.random.percent(15) {
                about.set(Flag::StableIncome);
                sheet.hold_flag(attributes.flag(Flag::StableIncome), true);
            }
        }
        if STUDY_AGES.contains(&age) {
            self.studying(company, about, sheet);
        }
        self.taken_in(company, life, about, sheet);
        if about.disability >= SEVERE && life.member.sex == Sex::Female && (18..43).contains(&age) {
            about.pregnant = self.pregnant(life, sheet);
        }
        if self.random.chance(shares::SERIOUSLY_INJURED) {
            let month = self.now.plus(-(self.random.below(2) as i32)).unwrap_or(self.now);
            let month = month.max(life.from);
            let flag = attributes.flag(Flag::SeriouslyInjured);
            sheet.hold_during(flag, Some(month), month.plus(2).unwrap_or(month));
            about.injured = Some(month);
        }
        if (23..66).contains(&age) {
            self.insurance_of_2021(age, sheet);
        }
    }

    /// The school confirms a study for a school year; some confirmations were not renewed.
    fn studying(&mut self, company: &Company<'_>, about: &mut Circumstances, sheet: &mut Sheet) {
        const YEAR_ENDS: i32 = 8;
        let of_poor_parent = company.single_parent
            && company.poverty.poor_or_near().is_some()
            && company.guardians.get(company.at) == Some(&Some(0));
        let asked = of_poor_parent || about.without_care.is_some();
        let percent = if company.members[company.at].age < 18 {
            75
        } else {
            45
        };
        if !asked || !self.random.percent(percent) {
            return;
        }
        let year = self.now.year() + i32::from(self.now.month() > YEAR_ENDS);
        let is_lapsed = self.random.percent(6);
        let last = Month::new(year - i32::from(is_lapsed), YEAR_ENDS);
        let last = last.unwrap_or(self.now).max(REFORM_MONTH);
        sheet.hold_during(self.synth.attributes.flag(Flag::Studying), None, last);
        about.set(Flag::Studying);
    }

    fn taken_in(&mut self, company: &Company<'_>, life: &Life, about: &mut Circumstances, sheet: &mut Sheet) {
        if company.alone {
            return;
        }
        let attributes = &self.synth.attributes;
        let is_elderly = life.member.age >= 60;
        let is_poor = matches!(company.poverty, Poverty::Poor(_));
        if is_elderly
            && company.poverty.poor_or_near().is_some()
            && self.place.province.number() == HA_NOI
            && self.random.percent(shares::SUPPORTER_UNABLE_PERCENT)
        {
            about.set(Flag::SupporterUnable);
            sheet.hold_flag(attributes.flag(Flag::SupporterUnable), true);
        }
        let percent = if is_elderly && is_poor && about.is(Flag::WithoutSupport) {
            shares::ELDERLY_TAKEN_IN_PERCENT
        } else if about.disability == EXTREMELY_SEVERE {
            shares::DISABLED_TAKEN_IN_PERCENT
        } else if about.without_care.is_some() && life.member.age < 16 {
            shares::CHILD_TAKEN_IN_PERCENT
        } else {
            return;
        };
        if !self.random.percent(percent) {
            return;
        }
        about.set(Flag::TakenIn);
        sheet.hold_flag(attributes.flag(Flag::TakenIn), true);
        if is_elderly {
            sheet.hold_flag(attributes.flag(Flag::FacilityQualified), true);
        }
        self.carer(company, sheet);
    }

    fn pregnant(&mut self, life: &Life, sheet: &mut Sheet) -> Option<Month> {
        const MONTHS: u32 = 9;
        if !self.random.percent(shares::PREGNANT_PERCENT) {
            return None;
        }
        let gone = self.random.below(MONTHS) as i32;
        let conceived = self.now.plus(-gone).ok()?;
        let birth = conceived.plus(MONTHS as i32 - 1).ok()?;
        let from = conceived.max(life.from);
        sheet.hold_during(self.synth.attributes.flag(Flag::Pregnant), Some(from), birth);
        Some(from)
    }

    /// What the campaigns of 2021 ask of people of working age.
    fn insurance_of_2021(&mut self, age: u8, sheet: &mut Sheet) {
        let attributes = &self.synth.attributes;
        let drawn = self.random.below(1_000_000);
        if drawn < shares::unemployment_insurance(age) {
            let case = match self.random.below(100) {
                roll if roll < shares::STOPPED_PERCENT => STOPPED,
                roll if roll < shares::STOPPED_PERCENT + shares::PUBLIC_BODY_PERCENT => PUBLIC_BODY,
                _ => INSURED,
            };
            sheet.hold_choice(&attributes.unemployment_insurance, case);
            let months = self.contribution_months(age);
            let count = attributes.count(Count::UnemploymentInsuranceMonths);
            sheet.hold_count(count, months);
        }
        // The numbers at the far end are not insured, and include the owners of household businesses.
        if drawn >= 1_000_000 - shares::RESOLUTION_68 {
            let case = self.random.pick(&[1, 2, 2, 2, 3, 3, 4, 5, 6, 6]);
            sheet.hold_choice(&attributes.resolution_68, case);
        }
    }

    /// Months since the insurance began in 2009, or since the person was 18.
    fn contribution_months(&mut self, age: u8) -> i64 {
        const MOST: u32 = 153;
        let worked = u32::from(age.saturating_sub(22)).max(1) * 12;
        let most = worked.min(MOST);
        let months = match self.random.below(100) {
            ..18 => 1 + self.random.below(most.min(12)),
            18..80 => 1 + self.random.below(most),
            _ => most,
        };
        i64::from(months)
    }

    /// Who organised a funeral: mostly known, mostly of the household.
    pub(super) fn funeral_organiser(&mut self, company: &Company<'_>, month: Month, sheet: &mut Sheet) {
        if self.random.percent(80)
            && let Some(at) = company.other_adult()
        {
            let attribute = self.synth.attributes.reference(Reference::FuneralOrganiser);
            sheet.name_from(attribute, at, month);
        }
    }

    /// A death by a disaster or an accident, with the decision on the funeral. Both are recorded from the month
    /// before, because funeral support goes by the state at its end.
    pub(super) fn emergency_death(
        &mut self,
        company: &Company<'_>,
        life: &Life,
        month: Month,
        sheet: &mut Sheet,
    ) {
        let from = month.previous().unwrap_or(month).max(life.from);
        if life.member.age >= 60 || company.alone || !self.random.percent(shares::EMERGENCY_DEATH_PERCENT) {
            return;
        }
        let flag = self.synth.attributes.flag(Flag::EmergencyDeath);
        sheet.change(flag.number, Value::Bool(true), from, String::new());
        if self.random.percent(70) {
            let choice = self.synth.attributes.enrolment(Programme::EmergencyFuneral);
            let document = names::decision(month, &mut self.random);
            let active = choice.values[EnrolmentState::Active as usize];
            sheet.change(choice.number, active, from, document);
            sheet.note_enrolment(Programme::EmergencyFuneral);
            let attribute = self.synth.attributes.reference(Reference::FuneralOrganiser);
            if !sheet.tells(attribute.number) {
                self.funeral_organiser(company, month, sheet);
            }
        }
    }

    /// The spouse of a severely disabled father, whose own decision may exclude his.
    pub(super) fn spouse(&mut self, company: &Company<'_>, sheet: &mut Sheet) {
        let is_couple = company
            .members
            .get(1)
            .is_some_and(|member| member.role == Role::Spouse);
        if is_couple && company.at < 2 {
            sheet.name(self.synth.attributes.reference(Reference::Spouse), 1 - company.at);
        }
    }
}
