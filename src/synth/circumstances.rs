//! What is recorded of a person beside enrolments: disability, pension, merit, care, guardian, death, payment.

use super::attributes::{Choice, Plain};
use super::commune::{Identity, Life, Poverty, Writer, unless_absent};
use super::families::{Member, Role};
use super::names;
use crate::gazetteer::REFORM_MONTH;
use crate::kernel::bulk::{BulkFact, BulkValue};
use crate::kernel::catalogue::{EnrolmentState, builtin};
use crate::types::{AttributeNumber, Identifier, Month, Sex, Value};

/// Positions of the values of `disability`.
const LIGHT: usize = 1;
pub(super) const SEVERE: usize = 2;
const EXTREMELY_SEVERE: usize = 3;
/// Positions of the values of `channel`.
const ACCOUNT: usize = 1;
const E_WALLET: usize = 2;
const MOBILE_MONEY: usize = 3;
const CASH_COMMUNE: usize = 4;
const CASH_POST: usize = 5;
/// Positions of the values of `verification`.
const MATCHED: usize = 1;
const MISMATCHED: usize = 2;
const NOT_FOUND: usize = 3;
const DEAD: usize = 4;
/// The age from which a person may be guardian or carer.
pub(super) const GUARDIAN_AGE: u8 = 18;

/// A person among those they live with.
pub(super) struct Company<'a> {
    pub(super) members: &'a [Member],
    pub(super) at: usize,
    pub(super) poverty: Poverty,
    pub(super) difficult: bool,
    /// Without a household.
    pub(super) alone: bool,
}

/// What decides on enrolments, as it is now.
#[derive(Debug, Clone, Copy)]
pub(super) struct Circumstances {
    /// The position among the values of `disability`; unknown counts as none.
    pub(super) disability: usize,
    /// The month in which the disability became what it is, if the registry saw it.
    pub(super) disability_since: Option<Month>,
    /// The month since which there is a pension or monthly social-insurance benefit, the reform's if it began
    /// earlier; unknown counts as none.
    pub(super) pension: Option<Month>,
    pub(super) merit: bool,
    pub(super) without_support: bool,
    pub(super) in_facility: bool,
    /// No source of care as a child, since this month.
    pub(super) without_care: Option<Month>,
}

/// The facts of a person while they are written.
#[derive(Default)]
pub(super) struct Sheet {
    pub(super) facts: Vec<BulkFact>,
    pub(super) documents: Vec<(u16, String)>,
}

impl Sheet {
    /// Since the record began; nothing is written of what holds without a record.
    pub(super) fn hold(&mut self, attribute: AttributeNumber, value: Value, absent: Value) {
        if let Some(value) = unless_absent(value, absent) {
            self.push(attribute, BulkValue::Value(value), None, String::new());
        }
    }

    fn hold_choice<const N: usize>(&mut self, choice: &Choice<N>, at: usize) {
        self.hold(choice.number, choice.values[at], choice.absent);
    }

    fn hold_flag(&mut self, flag: Plain, yes: bool) {
        self.hold(flag.number, Value::Bool(yes), flag.absent);
    }

    fn hold_member(&mut self, reference: Plain, position: usize) {
        self.push(
            reference.number,
            BulkValue::Member(position as u16),
            None,
            String::new(),
        );
    }

    /// From a month on.
    pub(super) fn change(&mut self, attribute: AttributeNumber, value: Value, from: Month, document: String) {
        self.push(attribute, BulkValue::Value(value), Some(from), document);
    }

    fn push(&mut self, attribute: AttributeNumber, value: BulkValue, from: Option<Month>, document: String) {
        self.facts.push(BulkFact {
            attribute,
            value,
            from,
            until: None,
            document,
        });
    }

    /// The value written last of an attribute.
    pub(super) fn latest(&self, attribute: AttributeNumber) -> Option<Value> {
        let fact = self.facts.iter().rev().find(|fact| fact.attribute == attribute)?;
        match fact.value {
            BulkValue::Value(value) => Some(value),
            BulkValue::Member(_) => None,
        }
    }
}

impl Writer<'_> {
    /// Draws a person's circumstances and writes them down.
    pub(super) fn circumstances(
        &mut self,
        company: &Company<'_>,
        life: &Life,
        sheet: &mut Sheet,
    ) -> Circumstances {
        let in_facility = company.alone && self.random.percent(85);
        sheet.hold_flag(self.synth.attributes.in_facility, in_facility);
        let (disability, disability_since) = self.disability(life, in_facility, sheet);
        let pension = self.pension(life, sheet);
        let merit = self.merit(life, sheet);
        let without_support = self.without_support(company, life, sheet);
        let without_care = self.care(life, in_facility, sheet);
        if life.member.age < 16 && !company.alone {
            self.guardian(company, sheet);
        }
        if disability == EXTREMELY_SEVERE && !company.alone {
            self.carer(company, sheet);
        }
        Circumstances {
            disability,
            disability_since,
            pension,
            merit,
            without_support,
            in_facility,
            without_care,
        }
    }

    fn disability(&mut self, life: &Life, in_facility: bool, sheet: &mut Sheet) -> (usize, Option<Month>) {
        let attribute = &self.synth.attributes.disability;
        let (per_million, severe_percent) = match life.member.age {
            ..16 => (18_000, 46),
            16..60 => (36_000, 35),
            60..75 => (175_000, 21),
            75.. => (470_000, 25),
        };
        let (per_million, severe_percent) = if in_facility {
            (750_000, 90)
        } else {
            (per_million, severe_percent)
        };
        let disabled = self.random.chance(per_million);
        if !disabled && life.member.age >= 60 && self.random.chance(4_000) {
            sheet.hold(attribute.number, Value::Unknown, attribute.absent);
            return (0, None);
        }
        if !disabled {
            sheet.hold_choice(attribute, 0);
            return (0, None);
        }
        let level = if !self.random.percent(severe_percent) {
            LIGHT
        } else if self.random.percent(20) {
            EXTREMELY_SEVERE
        } else {
            SEVERE
        };
        if self.random.percent(4) {
            return self.reassessed(life, level, sheet);
        }
        sheet.hold_choice(attribute, level);
        (level, None)
    }

    /// A disability that was reassessed in a past month, or will be in a coming one; now it is `level`.
    fn reassessed(&mut self, life: &Life, level: usize, sheet: &mut Sheet) -> (usize, Option<Month>) {
        let attribute = &self.synth.attributes.disability;
        let other = if level == LIGHT { SEVERE } else { LIGHT };
        let is_past = self.random.percent(70);
        let past = if is_past { self.past(life.from) } else { None };
        let (before, after) = if past.is_some() {
            (other, level)
        } else {
            (level, other)
        };
        let month = past.unwrap_or_else(|| self.coming());
        let document = names::decision(month.min(self.now), &mut self.random);
        sheet.hold_choice(attribute, before);
        sheet.change(attribute.number, attribute.values[after], month, document);
        (level, past)
    }

    fn pension(&mut self, life: &Life, sheet: &mut Sheet) -> Option<Month> {
        let attribute = &self.synth.attributes.pension;
        let age = life.member.age;
        let per_million = match (age, life.member.sex) {
            (..55, _) => 0,
            (55..60, Sex::Male) => 20_000,
            (55..60, Sex::Female) => 60_000,
            (60..75, _) => 166_000,
            (75.., _) => 375_000,
        };
        let kind = if self.random.percent(10) { 2 } else { 1 };
        if self.random.chance(per_million) {
            let began = match age {
                60..62 if self.random.percent(35) => self.past(life.from),
                75.. if self.random.percent(2) => self.past(life.from),
                _ => None,
            };
            let Some(month) = began else {
                sheet.hold_choice(attribute, kind);
                return Some(REFORM_MONTH);
            };
            let document = names::decision(month, &mut self.random);
            sheet.hold_choice(attribute, 0);
            sheet.change(attribute.number, attribute.values[kind], month, document);
            return Some(month);
        }
        if age >= 60 && self.random.chance(12_000) {
            sheet.hold(attribute.number, Value::Unknown, attribute.absent);
            return None;
        }
        sheet.hold_choice(attribute, 0);
        if (59..62).contains(&age) && self.random.percent(2) {
            let month = self.coming();
            sheet.change(attribute.number, attribute.values[1], month, String::new());
        }
        None
    }

    fn merit(&mut self, life: &Life, sheet: &mut Sheet) -> bool {
        let attribute = self.synth.attributes.merit;
        let per_million = match life.member.age {
            ..40 => 100,
            40..60 => 5_000,
            60..75 => 42_000,
            75.. => 180_000,
        };
        let merit = self.random.chance(per_million);
        let began = if merit && self.random.percent(2) {
            self.past(life.from)
        } else {
            None
        };
        match began {
            Some(month) => {
                sheet.hold_flag(attribute, false);
                let document = names::decision(month, &mut self.random);
                sheet.change(attribute.number, Value::Bool(true), month, document);
            }
            None if life.member.age >= 60 && !merit && self.random.chance(2_000) => {
                sheet.hold(attribute.number, Value::Unknown, attribute.absent);
            }
            None => sheet.hold_flag(attribute, merit),
        }
        merit
    }

    fn without_support(&mut self, company: &Company<'_>, life: &Life, sheet: &mut Sheet) -> bool {
        let attribute = self.synth.attributes.without_support;
        if life.member.age < 60 {
            sheet.hold_flag(attribute, false);
            return false;
        }
        let supported = company
            .members
            .iter()
            .any(|member| (18..60).contains(&member.age));
        let poor = company.poverty.poor().is_some();
        if poor && self.random.percent(1) {
            sheet.hold(attribute.number, Value::Unknown, attribute.absent);
            return false;
        }
        let without = self.random.chance(match (supported, poor) {
            (false, true) => 550_000,
            (false, false) => 80_000,
            (true, true) => 90_000,
            (true, false) => 5_000,
        });
        sheet.hold_flag(attribute, without);
        without
    }

    /// Children whose parents are not in the household may be without any source of care.
    fn care(&mut self, life: &Life, in_facility: bool, sheet: &mut Sheet) -> Option<Month> {
        const CHILD_UNTIL: u8 = 18;
        let attribute = &self.synth.attributes.care;
        let percent = match life.member.role {
            Role::Grandchild | Role::Relative if life.member.age < CHILD_UNTIL => {
                if in_facility {
                    75
                } else {
                    5
                }
            }
            _ => 0,
        };
        if percent == 0 || !self.random.percent(percent) {
            sheet.hold_choice(attribute, 0);
            return None;
        }
        let case = self.random.pick(&[1, 2, 2, 3, 3, 4]);
        let is_recent = self.random.percent(12);
        let Some(month) = (if is_recent { self.past(life.from) } else { None }) else {
            sheet.hold_choice(attribute, case);
            return Some(life.from);
        };
        let document = names::decision(month, &mut self.random);
        sheet.hold_choice(attribute, 0);
        sheet.change(attribute.number, attribute.values[case], month, document);
        Some(month)
    }

    /// The guardian of a child: a parent, else the head; some live elsewhere and some are not known.
    fn guardian(&mut self, company: &Company<'_>, sheet: &mut Sheet) {
        let attribute = self.synth.attributes.guardian;
        let roll = self.random.below(1_000);
        if roll < 15 {
            return;
        }
        if roll < 30 {
            sheet.hold(attribute.number, Value::Unknown, attribute.absent);
            return;
        }
        let members = company.members;
        let with_spouse = members.get(1).is_some_and(|member| member.role == Role::Spouse);
        let mother = usize::from(with_spouse && members[0].sex == Sex::Male);
        let chosen = if with_spouse && self.random.percent(40) {
            1 - mother
        } else {
            mother
        };
        if members[chosen].age >= GUARDIAN_AGE && chosen != company.at {
            sheet.hold_member(attribute, chosen);
        }
    }

    /// The carer of a person with an extremely severe disability: another adult of the household.
    fn carer(&mut self, company: &Company<'_>, sheet: &mut Sheet) {
        let attribute = self.synth.attributes.carer;
        let adult = |(at, member): (usize, &Member)| {
            (at != company.at && (GUARDIAN_AGE..80).contains(&member.age)).then_some(at)
        };
        match company.members.iter().enumerate().find_map(adult) {
            Some(at) => sheet.hold_member(attribute, at),
            None => sheet.hold(attribute.number, Value::Unknown, attribute.absent),
        }
    }

    /// Writes a death. What would have changed after it does not, and enrolments are mostly ended from the month
    /// after.
    pub(super) fn death_record(&mut self, life: &Life, sheet: &mut Sheet) {
        let Some(death) = life.death else {
            return;
        };
        let month = death.month();
        sheet
            .facts
            .retain(|fact| fact.from.is_none_or(|from| from <= month));
        sheet.change(builtin::DEATH, Value::Date(death), month, String::new());
        for choice in &self.synth.attributes.enrolments {
            let ended = choice.values[EnrolmentState::Ended as usize];
            let is_open = sheet.latest(choice.number).is_some_and(|state| state != ended);
            if is_open && self.random.percent(75) {
                let document = names::decision(month, &mut self.random);
                sheet.change(choice.number, ended, month.next(), document);
            }
        }
    }

    /// Writes how a beneficiary is paid and how far the record is verified; gives the account.
    pub(super) fn payment(
        &mut self,
        life: &Life,
        circumstances: &Circumstances,
        identified: Option<(Identifier, Identity)>,
        sheet: &mut Sheet,
    ) -> String {
        let attributes = &self.synth.attributes;
        let on_file = |choice: &Choice<4>| sheet.latest(choice.number).is_some();
        if !circumstances.merit && !attributes.enrolments.iter().any(on_file) {
            sheet.hold_choice(&attributes.channel, 0);
            sheet.hold_choice(&attributes.verification, 0);
            return String::new();
        }
        let verification = self.verification(life, identified);
        sheet.hold_choice(&attributes.verification, verification);
        let (channel, account) = self.channel();
        sheet.hold_choice(&attributes.channel, channel);
        account
    }

    fn verification(&mut self, life: &Life, identified: Option<(Identifier, Identity)>) -> usize {
        let roll = self.random.below(100);
        match identified.map(|(_, identity)| identity) {
            _ if life.death.is_some() && roll < 60 => DEAD,
            Some(Identity::Mismatched) if roll < 90 => MISMATCHED,
            Some(Identity::Provisional) | None => {
                if roll < 60 {
                    NOT_FOUND
                } else {
                    0
                }
            }
            Some(_) => match roll {
                ..86 => MATCHED,
                86..94 => 0,
                94..98 => MISMATCHED,
                _ => NOT_FOUND,
            },
        }
    }

    fn channel(&mut self) -> (usize, String) {
        match self.random.below(100) {
            ..36 => (ACCOUNT, names::bank_account(&mut self.random)),
            36..38 => (E_WALLET, names::wallet_account("Ví Mẫu", &mut self.random)),
            38..40 => (
                MOBILE_MONEY,
                names::wallet_account("Tiền di động Mẫu", &mut self.random),
            ),
            40..73 => (CASH_COMMUNE, String::new()),
            73..98 => (CASH_POST, String::new()),
            _ => (0, String::new()),
        }
    }

    /// The month before the registry began in which a decision may have been signed.
    pub(super) fn earlier_decision(&mut self, born: Month) -> Month {
        const YEARS_BACK: u32 = 5;
        let back = self.random.below(YEARS_BACK * 12) as i32;
        REFORM_MONTH.plus(-back).unwrap_or(REFORM_MONTH).max(born)
    }
}
