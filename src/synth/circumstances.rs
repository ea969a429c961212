//! What is recorded of a person beside enrolments: disability, pension, care, guardian, death, payment. Merit stands
//! in `merit`, what few people have in `social`.

use super::attributes::{Choice, Flag, Plain, Programme, Reference};
use super::commune::{Identity, Life, Poverty, Writer, unless_absent};
use super::families::{Member, Role};
use super::merit::Claim;
use super::names;
use super::shares;
use crate::gazetteer::REFORM_MONTH;
use crate::kernel::bulk::{BulkFact, BulkValue};
use crate::kernel::catalogue::{EnrolmentState, builtin};
use crate::types::{AttributeNumber, Identifier, Month, Value};

/// Positions of the values of `disability`.
const LIGHT: usize = 1;
pub(super) const SEVERE: usize = 2;
pub(super) const EXTREMELY_SEVERE: usize = 3;
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
/// The oldest whom the registry takes for a carer.
const CARER_AGE_MAX: u8 = 80;

/// A person among those they live with.
pub(super) struct Company<'a> {
    pub(super) members: &'a [Member],
    pub(super) at: usize,
    /// The guardian of each member, by position.
    pub(super) guardians: &'a [Option<u16>],
    /// The head has no spouse, and lives with a child.
    pub(super) single_parent: bool,
    pub(super) poverty: Poverty,
    pub(super) difficult: bool,
    /// Without a household.
    pub(super) alone: bool,
}

impl Company<'_> {
    /// An adult of the household, other than the person, who may care for somebody.
    pub(super) fn other_adult(&self) -> Option<usize> {
        let adult = |(at, member): (usize, &Member)| {
            (at != self.at && (GUARDIAN_AGE..CARER_AGE_MAX).contains(&member.age)).then_some(at)
        };
        self.members.iter().enumerate().find_map(adult)
    }

    /// The ages of the children below an age of whom the person is guardian.
    pub(super) fn children(&self, below: u8) -> impl Iterator<Item = u8> {
        let of = self.members.iter().zip(self.guardians);
        of.filter(move |&(member, &guardian)| {
            guardian == Some(self.at as u16) && member.age < below && member.role == Role::Child
        })
        .map(|(member, _)| member.age)
    }
}

/// What decides on enrolments, as it is now.
pub(super) struct Circumstances {
    /// The position among the values of `disability`; unknown counts as none.
    pub(super) disability: usize,
    /// The month in which the disability became what it is, if the registry saw it.
    pub(super) disability_since: Option<Month>,
    /// The month since which there is a pension or monthly social-insurance benefit, the reform's if it began
    /// earlier; unknown counts as none.
    pub(super) pension: Option<Month>,
    /// What merit gives a claim to.
    pub(super) merit: Vec<Claim>,
    /// What is so, a bit each.
    flags: u32,
    /// No source of care as a child, since this month.
    pub(super) without_care: Option<Month>,
    /// Pregnant since this month.
    pub(super) pregnant: Option<Month>,
    /// Seriously injured in this month.
    pub(super) injured: Option<Month>,
}

impl Circumstances {
    pub(super) const fn set(&mut self, flag: Flag) {
        self.flags |= 1 << flag as u32;
    }

    pub(super) const fn is(&self, flag: Flag) -> bool {
        self.flags & (1 << flag as u32) != 0
    }

    /// Qualifies for monthly merit benefits, beside which there is no allowance for a disability.
    pub(super) fn has_merit(&self) -> bool {
        let counts = |claim: &Claim| claim.last.is_none() && claim.programme != Programme::MeritEducation;
        self.merit.iter().any(counts)
    }
}

/// The facts of a person while they are written.
#[derive(Default)]
pub(super) struct Sheet {
    pub(super) facts: Vec<BulkFact>,
    pub(super) documents: Vec<(u16, String)>,
    /// The programmes with an enrolment, a bit each.
    enrolled: u64,
}

impl Sheet {
    /// Since the record began; nothing is written of what holds without a record.
    pub(super) fn hold(&mut self, attribute: AttributeNumber, value: Value, absent: Value) {
        if let Some(value) = unless_absent(value, absent) {
            self.push(attribute, BulkValue::Value(value), None, String::new());
        }
    }

    pub(super) fn hold_choice<const N: usize>(&mut self, choice: &Choice<N>, at: usize) {
        self.hold(choice.number, choice.values[at], choice.absent);
    }

    pub(super) fn hold_flag(&mut self, flag: Plain, yes: bool) {
        self.hold(flag.number, Value::Bool(yes), flag.absent);
    }

    pub(super) fn hold_count(&mut self, count: Plain, number: i64) {
        self.hold(count.number, Value::Integer(number), count.absent);
    }

    /// That something is so, in some months; since the record began without a first one.
    pub(super) fn hold_during(&mut self, flag: Plain, from: Option<Month>, until: Month) {
        self.facts.push(BulkFact {
            attribute: flag.number,
            value: BulkValue::Value(Value::Bool(true)),
            from,
            until: Some(until),
            document: String::new(),
        });
    }

    pub(super) fn name(&mut self, reference: Plain, position: usize) {
        let member = BulkValue::Member(position as u16);
        self.push(reference.number, member, None, String::new());
    }

    pub(super) fn name_from(&mut self, reference: Plain, position: usize, from: Month) {
        let member = BulkValue::Member(position as u16);
        self.push(reference.number, member, Some(from), String::new());
    }

    /// From a month on.
    pub(super) fn change(&mut self, attribute: AttributeNumber, value: Value, from: Month, document: String) {
        self.push(attribute, BulkValue::Value(value), Some(from), document);
    }

    /// Notes that there is an enrolment in a programme.
    pub(super) const fn note_enrolment(&mut self, programme: Programme) {
        self.enrolled |= 1 << programme as u32;
    }

    const fn has_enrolment(&self, programme: Programme) -> bool {
        self.enrolled & (1 << programme as u32) != 0
    }

    /// Whether anything is written of an attribute.
    pub(super) fn tells(&self, attribute: AttributeNumber) -> bool {
        self.facts.iter().any(|fact| fact.attribute == attribute)
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
        let merit = self.merit(company, life, sheet);
        let in_facility =
            company.alone && merit.is_empty() && self.random.percent(shares::IN_FACILITY_PERCENT);
        let (disability, disability_since) = self.disability(life, in_facility, sheet);
        let mut about = Circumstances {
            disability,
            disability_since,
            pension: self.pension(life, sheet),
            merit,
            flags: 0,
            without_care: None,
            pregnant: None,
            injured: None,
        };
        if in_facility {
            sheet.hold_flag(self.synth.attributes.flag(Flag::InFacility), true);
            about.set(Flag::InFacility);
        }
        if self.without_support(company, life, sheet) {
            about.set(Flag::WithoutSupport);
        }
        about.without_care = self.care(life, in_facility, sheet);
        if let Some(guardian) = company.guardians.get(company.at).copied().flatten() {
            let attribute = self.synth.attributes.reference(Reference::Guardian);
            sheet.name(attribute, usize::from(guardian));
        }
        if disability == EXTREMELY_SEVERE && !company.alone {
            self.carer(company, sheet);
        }
        self.social(company, life, &mut about, sheet);
        about
    }

    fn disability(&mut self, life: &Life, in_facility: bool, sheet: &mut Sheet) -> (usize, Option<Month>) {
        let attribute = &self.synth.attributes.disability;
        let (per_million, severe_percent) = shares::disability(life.member.age, in_facility);
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
        let per_million = shares::pension(age, life.member.sex);
        if per_million == 0 {
            sheet.hold_choice(attribute, 0);
            return None;
        }
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

    fn without_support(&mut self, company: &Company<'_>, life: &Life, sheet: &mut Sheet) -> bool {
        let attribute = self.synth.attributes.flag(Flag::WithoutSupport);
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
        let without = self.random.chance(shares::without_support(supported, poor));
        sheet.hold_flag(attribute, without);
        without
    }

    /// Children whose parents are not in the household may be without any source of care.
    fn care(&mut self, life: &Life, in_facility: bool, sheet: &mut Sheet) -> Option<Month> {
        const CHILD_UNTIL: u8 = 22;
        let attribute = &self.synth.attributes.care;
        let percent = match life.member.role {
            Role::Grandchild | Role::Relative if life.member.age < CHILD_UNTIL => {
                if in_facility {
                    shares::WITHOUT_CARE_PERCENT.0
                } else {
                    shares::WITHOUT_CARE_PERCENT.1
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

    /// The carer, another adult of the household; written once.
    pub(super) fn carer(&mut self, company: &Company<'_>, sheet: &mut Sheet) {
        let attribute = self.synth.attributes.reference(Reference::Carer);
        if !sheet.tells(attribute.number)
            && let Some(at) = company.other_adult()
        {
            sheet.name(attribute, at);
        }
    }

    /// Writes a death. What would have changed after it does not, and enrolments are mostly ended from the month
    /// after.
    pub(super) fn death_record(&mut self, company: &Company<'_>, life: &Life, sheet: &mut Sheet) {
        let Some(death) = life.death else {
            return;
        };
        let attributes = &self.synth.attributes;
        let month = death.month();
        sheet
            .facts
            .retain(|fact| fact.from.is_none_or(|from| from <= month));
        sheet.change(builtin::DEATH, Value::Date(death), month, String::new());
        let (mut assistance, mut merit) = (false, false);
        for programme in Programme::ALL {
            if !sheet.has_enrolment(programme) {
                continue;
            }
            let choice = attributes.enrolment(programme);
            let ended = choice.values[EnrolmentState::Ended as usize];
            let is_open = sheet.latest(choice.number).is_some_and(|state| state != ended);
            if !is_open {
                continue;
            }
            merit |= programme.is_merit();
            assistance |= !programme.is_merit();
            if self.random.percent(75) {
                let document = names::decision(month, &mut self.random);
                sheet.change(choice.number, ended, month.next(), document);
            }
        }
        if merit {
            self.merit_representative(company, month, sheet);
        }
        if assistance {
            self.funeral_organiser(company, month, sheet);
        }
        self.emergency_death(company, life, month, sheet);
    }

    /// Writes how a beneficiary is paid and how far the record is verified; gives the account.
    pub(super) fn payment(
        &mut self,
        life: &Life,
        identified: Option<(Identifier, Identity)>,
        sheet: &mut Sheet,
    ) -> String {
        let attributes = &self.synth.attributes;
        if sheet.enrolled == 0 {
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
            _ if life.death.is_some_and(|death| death.month() < self.now) && roll < 60 => DEAD,
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
