//! One commune: its households and people as they go into a bulk load.

use super::Synth;
use super::circumstances::{Company, GUARDIAN_AGE, Sheet};
use super::enrolments;
use super::families::{self, Member, Role};
use super::identifiers::{Identifiers, Registration, household_id, mistyped};
use super::names::{self, Surname};
use super::places::Place;
use super::random::Random;
use super::shares;
use crate::gazetteer::REFORM_MONTH;
use crate::kernel::bulk::{BulkFact, BulkHousehold, BulkPerson, BulkValue, Dossier};
use crate::kernel::units::UnitKind;
use crate::types::{BirthDate, CommuneCode, Date, Identifier, Month, Sex, Value};

/// How many months ahead of now changes are already recorded.
pub(super) const COMING_MONTHS: i32 = 4;
/// Former provinces to which many moved from elsewhere: Hà Nội, Bình Dương, Đồng Nai, TP.HCM.
const DESTINATIONS: [u8; 4] = [1, 74, 75, 79];

/// Makes the households of the commune at a position, one by one, until `take` fails.
pub(super) fn generate<E>(
    synth: &Synth,
    index: usize,
    mut take: impl FnMut(BulkHousehold) -> Result<(), E>,
) -> Result<(), E> {
    let place = &synth.places[index];
    let seed = synth.options.seed;
    let mut random = Random::keyed(seed, u64::from(place.code.number()) + 1);
    let families = families::join(place.people, &synth.pyramid, &mut random);
    let mut writer = Writer {
        synth,
        index,
        place,
        random,
        ids: Identifiers::new(seed, place, &synth.registries),
        now: synth.options.month,
        guardians: Vec::new(),
    };
    for (at, members) in families.households().enumerate() {
        take(writer.household(at as u32 + 1, members))?;
    }
    for member in &families.alone {
        take(writer.alone(*member))?;
    }
    Ok(())
}

/// Whether a household is poor, and since when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Poverty {
    NotPoor,
    /// Poor or near-poor until the last month named, and then no more.
    Left(Month),
    /// Not reviewed this year: not known any more.
    Lapsed,
    NearPoor(Month),
    Poor(Month),
}

impl Poverty {
    /// The first month of being poor or near-poor, for those who are.
    pub(super) const fn poor_or_near(self) -> Option<Month> {
        match self {
            Self::NearPoor(since) | Self::Poor(since) => Some(since),
            _ => None,
        }
    }

    /// The first month of being poor, for those who are.
    pub(super) const fn poor(self) -> Option<Month> {
        match self {
            Self::Poor(since) => Some(since),
            _ => None,
        }
    }
}

/// A member with birth date and name.
pub(super) struct Life {
    pub(super) member: Member,
    pub(super) born: Month,
    /// From when the registry knows the person.
    pub(super) from: Month,
    pub(super) death: Option<Date>,
}

pub(super) struct Writer<'a> {
    pub(super) synth: &'a Synth,
    index: usize,
    pub(super) place: &'a Place,
    pub(super) random: Random,
    ids: Identifiers<'a>,
    pub(super) now: Month,
    /// Room for the guardians of a household, reused.
    guardians: Vec<Option<u16>>,
}

impl Writer<'_> {
    fn household(&mut self, number: u32, members: &[Member]) -> BulkHousehold {
        let mut facts = Vec::new();
        let poverty = self.poverty(members.len(), &mut facts);
        let difficult = self.difficult_village(&mut facts);
        let address = names::address(self.place, &mut self.random);
        let surnames = self.surnames(members);
        let single_parent = is_single_parent(members, &mut self.random);
        let guardians = self.guardians(members, single_parent && poverty.poor_or_near().is_some());
        let mut people = Vec::with_capacity(members.len());
        for at in 0..members.len() {
            let company = Company {
                members,
                at,
                guardians: &guardians,
                single_parent,
                poverty,
                difficult,
                alone: false,
            };
            let surname = surnames.of(members, at, self.synth, &mut self.random);
            people.push(self.person(&company, surname, &address));
        }
        self.guardians = guardians;
        BulkHousehold {
            id: household_id(self.place, number),
            commune: self.place.code,
            from: REFORM_MONTH,
            head: Some(0),
            facts,
            people,
            moves: self.moves(),
        }
    }

    /// A person without a household.
    fn alone(&mut self, member: Member) -> BulkHousehold {
        let company = Company {
            members: &[member],
            at: 0,
            guardians: &[],
            single_parent: false,
            poverty: Poverty::NotPoor,
            difficult: self.place.difficult,
            alone: true,
        };
        let surname = self.synth.names.surname(&mut self.random);
        let address = names::address(self.place, &mut self.random);
        let person = self.person(&company, surname, &address);
        BulkHousehold {
            id: None,
            commune: self.place.code,
            from: person.from,
            head: None,
            facts: Vec::new(),
            people: vec![person],
            moves: Vec::new(),
        }
    }

    /// How many households of a size are poor and near-poor here, per million.
    fn poverty_rates(&self, size: usize) -> (u32, u32) {
        let (poor, near) = match (self.place.difficult, self.place.upland, self.place.kind) {
            (true, ..) => (115_000, 135_000),
            (_, true, _) => (40_000, 50_000),
            (_, _, UnitKind::Ward) => (9_000, 13_000),
            _ => (24_000, 31_000),
        };
        // Large households are poor more often.
        let tenths = match size {
            ..3 => 8,
            3..5 => 11,
            5.. => 14,
        };
        (poor * tenths / 10, near * tenths / 10)
    }

    /// Draws the poverty of a household and records it year by year, as the yearly review does.
    fn poverty(&mut self, size: usize, facts: &mut Vec<BulkFact>) -> Poverty {
        let (poor, near) = self.poverty_rates(size);
        let attribute = self.synth.attributes.poverty;
        let [not_poor, near_poor, is_poor] = attribute.values;
        let record = |facts: &mut Vec<BulkFact>, value, from, until| {
            facts.push(BulkFact {
                attribute: attribute.number,
                value: BulkValue::Value(value),
                from,
                until,
                document: String::new(),
            });
        };
        let first_december = year_end(REFORM_MONTH.year());
        let this_year = Month::new(self.now.year(), 1).unwrap_or(REFORM_MONTH);
        let later = this_year > REFORM_MONTH;
        let roll = self.random.below(1_000_000);
        if roll < poor + near {
            let (value, is_near) = if roll < poor {
                (is_poor, false)
            } else {
                (near_poor, true)
            };
            // One in five became poor only by this year's review.
            let newly = later && self.random.percent(20);
            if newly && not_poor != attribute.absent {
                record(facts, not_poor, None, Some(first_december));
            }
            if !newly {
                record(facts, value, None, Some(first_december));
            }
            for year in REFORM_MONTH.year() + 1..=self.now.year() {
                let from = Month::new(year, 1).ok();
                if !newly || from == Some(this_year) {
                    record(facts, value, from, Some(year_end(year)));
                }
            }
            let since = if newly { this_year } else { REFORM_MONTH };
            return if is_near {
                Poverty::NearPoor(since)
            } else {
                Poverty::Poor(since)
            };
        }
        if later && roll < (poor + near) * 5 / 4 {
            let before = if self.random.percent(40) {
                is_poor
            } else {
                near_poor
            };
            record(facts, before, None, Some(first_december));
            if self.random.percent(30) {
                return Poverty::Lapsed;
            }
            record(facts, not_poor, Some(first_december.next()), None);
            return Poverty::Left(first_december);
        }
        if not_poor != attribute.absent {
            record(facts, not_poor, None, None);
        }
        Poverty::NotPoor
    }

    /// Records whether the village differs from its commune; whether the household lives in a difficult one.
    fn difficult_village(&mut self, facts: &mut Vec<BulkFact>) -> bool {
        let attribute = self.synth.attributes.difficult_village;
        let [as_commune, yes, no] = attribute.values;
        let (value, difficult) = match (self.place.difficult, self.place.upland) {
            (true, _) if self.random.percent(2) => (no, false),
            (false, true) if self.random.percent(4) => (yes, true),
            (difficult, _) => (as_commune, difficult),
        };
        if value != attribute.absent {
            facts.push(BulkFact {
                attribute: attribute.number,
                value: BulkValue::Value(value),
                from: None,
                until: None,
                document: String::new(),
            });
        }
        difficult
    }

    /// The guardians of the children, by position: a parent, else the head; some live elsewhere and some are not
    /// known. Children from 16 on have one only where an allowance of their parent may ask.
    fn guardians(&mut self, members: &[Member], beyond_16: bool) -> Vec<Option<u16>> {
        const NOT_KNOWN_PER_MILLE: u32 = 30;
        let until = if beyond_16 { 22 } else { 16 };
        let with_spouse = members.get(1).is_some_and(|member| member.role == Role::Spouse);
        let mother = usize::from(with_spouse && members[0].sex == Sex::Male);
        let mut guardians = std::mem::take(&mut self.guardians);
        guardians.clear();
        guardians.resize(members.len(), None);
        for (at, member) in members.iter().enumerate() {
            let asked = member.age < 16 || member.age < until && member.role == Role::Child;
            if !asked || self.random.below(1_000) < NOT_KNOWN_PER_MILLE {
                continue;
            }
            let chosen = if with_spouse && self.random.percent(40) {
                1 - mother
            } else {
                mother
            };
            if members[chosen].age >= GUARDIAN_AGE && chosen != at {
                guardians[at] = Some(chosen as u16);
            }
        }
        guardians
    }

    /// A move of the whole household, in three of a thousand: mostly to a commune near by.
    fn moves(&mut self) -> Vec<(Month, CommuneCode)> {
        const PER_MILLION: u32 = 3_000;
        const NEAR: u32 = 10;
        if !self.random.chance(PER_MILLION) {
            return Vec::new();
        }
        let count = self.synth.places.len();
        let target = if self.random.percent(70) {
            let off = self.random.below(NEAR) as usize + 1;
            if self.random.percent(50) {
                self.index + off
            } else {
                self.index.wrapping_sub(off)
            }
        } else {
            self.random.below(count as u32) as usize
        };
        let month = if self.random.percent(85) {
            self.past(REFORM_MONTH)
        } else {
            Some(self.coming())
        };
        match (self.synth.places.get(target), month) {
            (Some(place), Some(month)) if target != self.index => vec![(month, place.code)],
            _ => Vec::new(),
        }
    }

    /// A month after `after` and before now in which a change took effect.
    pub(super) fn past(&mut self, after: Month) -> Option<Month> {
        let first = after.max(REFORM_MONTH).next();
        let last = self.now.previous().unwrap_or(self.now).max(REFORM_MONTH.next());
        let span = u32::try_from(last.months_since(first)).ok()? + 1;
        first.plus(self.random.below(span) as i32).ok()
    }

    /// A month after now in which a change will take effect.
    pub(super) fn coming(&mut self) -> Month {
        let ahead = self.random.below(COMING_MONTHS as u32) as i32 + 1;
        self.now.plus(ahead).unwrap_or(self.now)
    }

    fn person(&mut self, company: &Company<'_>, surname: Surname, address: &str) -> BulkPerson {
        let member = company.members[company.at];
        let months = i32::from(member.age) * 12 + self.random.below(12) as i32;
        let born = self.now.plus(-months).unwrap_or(self.now);
        let from = born.max(REFORM_MONTH);
        let life = Life {
            member,
            born,
            from,
            death: self.death(member, from),
        };
        let birth = self.birth_date(&life);
        let identified = self.identifier(member, birth);
        let mut sheet = Sheet::default();
        let circumstances = self.circumstances(company, &life, &mut sheet);
        enrolments::enrol(self, company, &life, &circumstances, &mut sheet);
        self.death_record(company, &life, &mut sheet);
        let account = self.payment(&life, identified, &mut sheet);
        let region = self.place.region;
        let name = self
            .synth
            .names
            .full(surname, region, member.sex, member.age, &mut self.random);
        BulkPerson {
            moves: Vec::new(),
            identifier: identified.map(|(identifier, _)| identifier),
            birth,
            sex: member.sex,
            from,
            facts: sheet.facts,
            dossier: Dossier {
                name,
                address: address.to_owned(),
                account,
                documents: sheet.documents,
            },
        }
    }

    fn birth_date(&mut self, life: &Life) -> BirthDate {
        const DAYS_ALWAYS: u32 = 28;
        if life.member.age >= 60 {
            let roll = self.random.below(1_000);
            if roll < 10
                && let Ok(birth) = BirthDate::year_only(life.born.year())
            {
                return birth;
            }
            if roll < 13 {
                return BirthDate::month_only(life.born);
            }
        }
        // A person who has died was born no later than that day.
        let last = match life.death {
            Some(death) if death.month() == life.born => u32::from(death.day()),
            _ => u32::from(Date::last_of(life.born).day()),
        };
        let day = self.random.below(last.max(1)).min(last - 1) + 1;
        Date::new(life.born, day as u8)
            .or_else(|_| Date::new(life.born, DAYS_ALWAYS as u8))
            .map_or(BirthDate::month_only(life.born), BirthDate::full)
    }

    /// Deaths of the months since the registry began and of the coming ones, more often of the old.
    fn death(&mut self, member: Member, from: Month) -> Option<Date> {
        if !self.random.chance(shares::death(member.age)) {
            return None;
        }
        let first = from.max(REFORM_MONTH).next();
        let span = u32::try_from(self.now.months_since(first) + COMING_MONTHS).ok()? + 1;
        let month = first.plus(self.random.below(span) as i32).ok()?;
        let day = self.random.below(u32::from(Date::last_of(month).day())) + 1;
        Date::new(month, day as u8).ok()
    }

    /// The identifier, and whether it is a personal ID that agrees with the person's data.
    fn identifier(&mut self, member: Member, birth: BirthDate) -> Option<(Identifier, Identity)> {
        const MISMATCHED_PER_MILLION: u32 = 5_000;
        let without = if member.age < 16 { 100_000 } else { 10_000 };
        if self.random.chance(without) {
            return self.ids.provisional().map(|id| (id, Identity::Provisional));
        }
        let moved = DESTINATIONS.contains(&self.place.former_province.number()) && member.age > 5;
        let away = self.random.percent(if moved { 22 } else { 5 });
        let registration = if away {
            Registration::Away(self.random.below(self.synth.registries.len() as u32) as usize)
        } else {
            Registration::Home
        };
        let stated = (registration, member.sex, birth.year());
        let mismatched = self.random.chance(MISMATCHED_PER_MILLION);
        let (registration, sex, year) = match mismatched {
            true if self.random.percent(40) => (Registration::Abroad, stated.1, stated.2),
            true => {
                let (sex, year) = mistyped(stated.1, stated.2, &mut self.random);
                (registration, sex, year)
            }
            false => stated,
        };
        let identity = if mismatched {
            Identity::Mismatched
        } else {
            Identity::Personal
        };
        self.ids
            .personal(registration, sex, year, &mut self.random)
            .map(|id| (id, identity))
            .or_else(|| self.ids.provisional().map(|id| (id, Identity::Provisional)))
    }

    fn surnames(&mut self, members: &[Member]) -> Surnames {
        let names = &self.synth.names;
        let head = names.surname(&mut self.random);
        let spouse = names.surname(&mut self.random);
        let male_spouse = members
            .get(1)
            .is_some_and(|m| m.role == Role::Spouse && m.sex == Sex::Male);
        let children = if male_spouse { spouse } else { head };
        Surnames {
            head,
            spouse,
            children,
        }
    }
}

/// What is known of a person's ID.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Identity {
    Personal,
    Mismatched,
    Provisional,
}

/// The surnames of a household: women keep theirs, children have their father's.
struct Surnames {
    head: Surname,
    spouse: Surname,
    children: Surname,
}

impl Surnames {
    fn of(&self, members: &[Member], at: usize, synth: &Synth, random: &mut Random) -> Surname {
        let member = members[at];
        match member.role {
            Role::Head => self.head,
            Role::Spouse => self.spouse,
            Role::Child => self.children,
            Role::Parent if member.sex == members[0].sex && member.sex == Sex::Male => self.head,
            Role::Grandchild if random.percent(70) => self.children,
            Role::Relative if random.percent(50) => self.head,
            Role::Parent | Role::Grandchild | Role::Relative => synth.names.surname(random),
        }
    }
}

/// Whether the head has no spouse and raises a child; some heads without are married to somebody away.
fn is_single_parent(members: &[Member], random: &mut Random) -> bool {
    const CHILD_UNTIL: u8 = 22;
    let is_couple = members.get(1).is_some_and(|member| member.role == Role::Spouse);
    let is_child = |member: &Member| member.role == Role::Child && member.age < CHILD_UNTIL;
    !is_couple && members.iter().any(is_child) && random.percent(shares::SINGLE_PARENT_PERCENT)
}

fn year_end(year: i32) -> Month {
    Month::new(year, 12).unwrap_or(Month::MAX)
}

/// A value or, if it is what holds without a record, nothing.
pub(super) fn unless_absent(value: Value, absent: Value) -> Option<Value> {
    (value != absent).then_some(value)
}
