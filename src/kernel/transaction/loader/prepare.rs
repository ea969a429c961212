//! Preparing: everything about a household that needs no number, so that any thread can do it.

use std::rc::Rc;

use rustc_hash::FxHashMap;

use super::super::WriteTransaction;
use super::super::enter::{Checked, death_of};
use super::super::initial::{DatedValue, Initial};
use super::super::rows::{change, versions};
use crate::format::dossier::{DossierBlockBuilder, DossierError};
use crate::format::hot::{Change, Presence, Version, birth_code};
use crate::kernel::bulk::{BulkFact, BulkHousehold, BulkPerson, BulkValue};
use crate::kernel::catalogue::builtin;
use crate::kernel::error::{ReadError, WriteError};
use crate::kernel::fact::Records;
use crate::kernel::history::{HouseholdHistory, Memo, PersonHistory, number_value};
use crate::kernel::profile::Profile;
use crate::kernel::state::{Content, FactRecord, sex_value};
use crate::types::{
    AttributeNumber, HouseholdId, HouseholdNumber, Identifier, Month, PersonNumber, ProvisionalId, Sequence,
    UnitNumber, Value,
};

/// Stands for the number of a household that has none yet. A household is looked up by it in the memo alone.
const OWN: HouseholdNumber = HouseholdNumber(1);

/// A household that passed every check but those that need numbers.
pub(super) struct Ready {
    pub(super) id: Option<HouseholdId>,
    pub(super) unit: u16,
    pub(super) began: Month,
    /// The position of whoever is the head from the beginning.
    pub(super) head: Option<u16>,
    /// The code of the profile in the batch.
    pub(super) profile: u32,
    pub(super) dated: Vec<Dated>,
    pub(super) people: Vec<ReadyPerson>,
}

/// A fact that gets a record of its own.
pub(super) struct Dated {
    pub(super) fact: DatedValue,
    /// The position of the member whose number the value is to be.
    pub(super) member: Option<u16>,
}

/// A person of such a household. Codes of profiles are those of the batch.
pub(super) struct ReadyPerson {
    /// `None` where a provisional one is to be made.
    pub(super) identifier: Option<Identifier>,
    /// The identifier leads to a record that was entered in error.
    pub(super) held: bool,
    pub(super) birth: u16,
    pub(super) birth_day: u8,
    pub(super) began: Month,
    pub(super) values: Vec<(AttributeNumber, Value)>,
    /// Which of the values are to be the numbers of which members.
    pub(super) members: Vec<(u16, u16)>,
    pub(super) dated: Vec<Dated>,
    pub(super) profile: u32,
    pub(super) household_profile: u32,
    /// The row in the unit in which the person lives first.
    pub(super) row: ReadyRow,
    /// Rows in further units.
    pub(super) further: Vec<ReadyRow>,
}

/// A document of a value that has no record of its own: whose, by position, the attribute's number, and the text.
pub(super) type KeptDocument = (usize, u16, String);

/// What a row shows beyond its columns.
pub(super) struct ReadyRow {
    pub(super) unit: u16,
    pub(super) change: Option<Change>,
}

/// Profiles in the order in which a batch first met them. Code 0 is the empty one, here as everywhere.
pub(super) struct BatchCodes {
    codes: FxHashMap<Profile, u32>,
    pub(super) list: Vec<Profile>,
}

impl BatchCodes {
    pub(super) fn new() -> Self {
        let mut new = Self {
            codes: FxHashMap::default(),
            list: Vec::new(),
        };
        new.code(&Profile::default());
        new
    }

    fn code(&mut self, profile: &Profile) -> u32 {
        if let Some(&code) = self.codes.get(profile) {
            return code;
        }
        let code = self.list.len() as u32;
        self.codes.insert(profile.clone(), code);
        self.list.push(profile.clone());
        code
    }
}

/// A household while it is prepared.
struct Home<'a> {
    household: &'a BulkHousehold,
    checked: Checked,
    profile: Profile,
    /// The code of `profile` in the batch.
    code: u32,
    /// The code of what rows show of the household while it is as it began.
    shown: u32,
    /// Whether the household is and lives all the time as it began.
    plain: bool,
    /// Holds the history of the household under [`OWN`], unless it is plain.
    memo: Memo,
}

/// Checks a household and works out what its rows show. The documents belong into the dossiers of its people.
pub(super) fn prepare(
    transaction: &WriteTransaction<'_>,
    codes: &mut BatchCodes,
    household: &BulkHousehold,
) -> Result<(Ready, Vec<KeptDocument>), WriteError> {
    let checked = transaction.check_household(household)?;
    let (home, dated) = home(transaction, codes, household, checked);
    let mut documents = Vec::new();
    let mut people = Vec::with_capacity(household.people.len());
    for (at, person) in household.people.iter().enumerate() {
        let (ready, own) = prepare_person(transaction, codes, &home, person)?;
        documents.extend(own.into_iter().map(|(attribute, text)| (at, attribute, text)));
        people.push(ready);
    }
    let ready = Ready {
        id: household.id,
        unit: home.checked.unit.get(),
        began: household.from,
        head: household
            .head
            .filter(|&at| household.people[usize::from(at)].from <= household.from),
        profile: home.code,
        dated,
        people,
    };
    Ok((ready, documents))
}

/// Adds the dossiers of a household whose first person has the number `first`.
pub(super) fn push_dossiers(
    dossiers: &mut DossierBlockBuilder,
    household: &BulkHousehold,
    documents: Vec<KeptDocument>,
    first: u32,
) -> Result<(), WriteError> {
    let mut documents = documents.into_iter().peekable();
    for (at, (person, number)) in household.people.iter().zip(first..).enumerate() {
        let number = PersonNumber(number);
        let wrong = |error: DossierError| ReadError::Inconsistent(format!("dossier of {number}: {error}"));
        if documents.peek().is_none_or(|&(owner, ..)| owner != at) {
            dossiers.push(number, &person.dossier).map_err(wrong)?;
            continue;
        }
        let mut dossier = person.dossier.clone();
        while let Some((_, attribute, text)) = documents.next_if(|&(owner, ..)| owner == at) {
            dossier.documents.push((attribute, text));
        }
        dossiers.push(number, &dossier).map_err(wrong)?;
    }
    Ok(())
}

fn home<'a>(
    transaction: &WriteTransaction<'_>,
    codes: &mut BatchCodes,
    household: &'a BulkHousehold,
    checked: Checked,
) -> (Home<'a>, Vec<Dated>) {
    let mut home = Home {
        household,
        profile: Profile::default(),
        code: 0,
        shown: 0,
        plain: is_plain(transaction, household, &checked),
        checked,
        memo: Memo::default(),
    };
    if household.id.is_none() {
        return (home, Vec::new());
    }
    let facts = household
        .facts
        .iter()
        .map(|fact| dated_value(fact, household.from));
    let catalogue = transaction.snapshot().catalogue();
    let Initial {
        mut profile,
        values,
        mut dated,
        documents,
    } = Initial::split(catalogue, household.from, facts);
    let plain = |attribute, value, from, document| DatedValue {
        attribute,
        value,
        from,
        until: None,
        document,
    };
    // A household has no column but its profile, and no dossier: numbers and documents need records.
    for (attribute, value) in values {
        dated.push(plain(attribute, value, household.from, String::new()));
    }
    for (attribute, document) in documents {
        let attribute = AttributeNumber(attribute);
        if let Some(value) = profile.get(attribute) {
            profile.set(attribute, None);
            dated.push(plain(attribute, value, household.from, document));
        } else if let Some(fact) = dated.iter_mut().find(|fact| fact.attribute == attribute) {
            fact.document = document;
        }
    }
    if !home.checked.moves.is_empty() {
        let first = (household.from, home.checked.unit);
        for &(from, unit) in std::iter::once(&first).chain(&home.checked.moves) {
            let unit = number_value(u64::from(unit.get()));
            dated.push(plain(builtin::RESIDENCE, unit, from, String::new()));
        }
    }
    let mut dated = with_members(dated, &household.facts, household.from);
    if let Some(at) = household.head {
        let from = household.people[usize::from(at)].from;
        if from > household.from {
            // Whoever joins later is the head from then on.
            dated.push(Dated {
                fact: plain(builtin::HEAD, number_value(0), from, String::new()),
                member: Some(at),
            });
        }
    }
    home.code = codes.code(&profile);
    home.profile = profile;
    if home.plain {
        home.shown = codes.code(&shown_profile(transaction, household));
    }
    if !home.plain || household.people.iter().any(|person| !is_undated(person)) {
        remember(&home, transaction.sequence(), &dated);
    }
    (home, dated)
}

/// What rows show of a plain household: also what has a record for the sake of its document.
fn shown_profile(transaction: &WriteTransaction<'_>, household: &BulkHousehold) -> Profile {
    let facts = household
        .facts
        .iter()
        .filter(|fact| transaction.keeps_in_profile(fact.attribute));
    facts
        .filter_map(|fact| match fact.value {
            BulkValue::Value(value) => Some((fact.attribute, value)),
            BulkValue::Member(_) => None,
        })
        .collect()
}

/// Whether nothing of a household has months of its own, and its unit never ends.
fn is_plain(transaction: &WriteTransaction<'_>, household: &BulkHousehold, checked: &Checked) -> bool {
    checked.moves.is_empty()
        && household
            .facts
            .iter()
            .all(|fact| fact.from.is_none() && fact.until.is_none())
        && transaction
            .snapshot()
            .units()
            .get(checked.unit)
            .is_some_and(|unit| unit.end.is_none())
}

/// Whether a person's own facts all hold since the record begins.
fn is_undated(person: &BulkPerson) -> bool {
    person.facts.iter().all(|fact| {
        fact.attribute != builtin::DEATH
            && fact.until.is_none()
            && fact.from.is_none_or(|from| from == person.from)
    })
}

/// Puts the history of a household where the timelines of its people will look for it.
fn remember(home: &Home<'_>, recorded: Sequence, dated: &[Dated]) {
    let household = home.household;
    let mut records: Vec<FactRecord> = dated
        .iter()
        .map(|dated| fact_record(&dated.fact, recorded))
        .collect();
    if home.checked.moves.is_empty() {
        let unit = number_value(u64::from(home.checked.unit.get()));
        records.push(plain_record(builtin::RESIDENCE, household.from, unit, recorded));
    }
    let profile = home.profile.iter();
    records
        .extend(profile.map(|(attribute, value)| plain_record(attribute, household.from, value, recorded)));
    let records = Records::new(records);
    home.memo
        .put(OWN.get(), Rc::new(HouseholdHistory { recorded, records }));
}

fn prepare_person(
    transaction: &WriteTransaction<'_>,
    codes: &mut BatchCodes,
    home: &Home<'_>,
    person: &BulkPerson,
) -> Result<(ReadyPerson, Vec<(u16, String)>), WriteError> {
    let facts = person
        .facts
        .iter()
        .filter(|fact| fact.attribute != builtin::DEATH)
        .map(|fact| dated_value(fact, person.from));
    let Initial {
        mut profile,
        values,
        mut dated,
        documents,
    } = Initial::split(transaction.snapshot().catalogue(), person.from, facts);
    profile.set(builtin::SEX, Some(sex_value(person.sex)));
    if let Some((date, document)) = death_of(person) {
        dated.push(DatedValue {
            attribute: builtin::DEATH,
            value: Value::Date(date),
            from: date.month(),
            until: None,
            document: document.to_owned(),
        });
    }
    let mut members = Vec::new();
    for (place, &(attribute, _)) in values.iter().enumerate() {
        if let Some(at) = member_of(&person.facts, person.from, attribute, person.from) {
            members.push((place as u16, at));
        }
    }
    let held = match person.identifier {
        Some(identifier) => transaction.snapshot().holder(identifier)?.is_some(),
        None => false,
    };
    let shown = show(transaction, codes, home, person, &profile, &dated)?;
    let ready = ReadyPerson {
        identifier: person.identifier,
        held,
        birth: birth_code(person.birth),
        birth_day: person.birth.day().unwrap_or(0),
        began: person.from,
        values,
        members,
        dated: with_members(dated, &person.facts, person.from),
        profile: shown.person,
        household_profile: shown.household,
        row: shown.row,
        further: shown.further,
    };
    Ok((ready, documents))
}

/// What the rows of a person show.
struct Shown {
    person: u32,
    household: u32,
    row: ReadyRow,
    further: Vec<ReadyRow>,
}

fn show(
    transaction: &WriteTransaction<'_>,
    codes: &mut BatchCodes,
    home: &Home<'_>,
    person: &BulkPerson,
    profile: &Profile,
    dated: &[DatedValue],
) -> Result<Shown, WriteError> {
    let unit = home.checked.unit;
    let born = person.birth.earliest_month();
    if dated.is_empty() && home.plain {
        // One version says all.
        let code = codes.code(profile);
        let late = person.from != first_month(transaction, unit).max(born);
        let version = Version {
            from: person.from,
            presence: Presence::Present,
            person: code,
            household: home.shown,
        };
        let change = late.then(|| change(vec![version], transaction.sequence()));
        return Ok(Shown {
            person: code,
            household: home.shown,
            row: ReadyRow {
                unit: unit.get(),
                change,
            },
            further: Vec::new(),
        });
    }
    let history = history(transaction.sequence(), home, person, profile, dated);
    let timeline = history.timeline(transaction.snapshot(), &home.memo)?;
    let (person, household) = (
        codes.code(&timeline.final_person),
        codes.code(&timeline.final_household),
    );
    let mut units = vec![unit];
    for other in timeline.stretches.iter().filter_map(|stretch| stretch.unit) {
        if !units.contains(&other) {
            units.push(other);
        }
    }
    let mut rows = units.into_iter().map(|unit| {
        let versions = versions(unit.get(), &timeline, &mut |profile| codes.code(profile));
        let first = first_month(transaction, unit).max(born);
        let plain =
            matches!(versions[..], [Version { from, presence: Presence::Present, .. }] if from == first);
        ReadyRow {
            unit: unit.get(),
            change: (!plain).then(|| change(versions, timeline.last)),
        }
    });
    let row = rows.next().unwrap_or(ReadyRow {
        unit: unit.get(),
        change: None,
    });
    let further = rows.collect();
    Ok(Shown {
        person,
        household,
        row,
        further,
    })
}

/// The month before which nobody is present in new segments of a unit, unless their rows say so.
pub(super) fn first_month(transaction: &WriteTransaction<'_>, unit: UnitNumber) -> Month {
    let declared = transaction.snapshot().units().get(unit);
    declared.map_or(Month::MIN, |unit| unit.declared.from)
}

/// The history of a person. Numbers and a provisional identifier, which no timeline shows, are stood for.
fn history(
    recorded: Sequence,
    home: &Home<'_>,
    person: &BulkPerson,
    profile: &Profile,
    dated: &[DatedValue],
) -> PersonHistory {
    let mut records: Vec<FactRecord> = dated.iter().map(|fact| fact_record(fact, recorded)).collect();
    let mut plain = |attribute, from, value| records.push(plain_record(attribute, from, value, recorded));
    plain(builtin::BIRTH, Month::MIN, Value::Birth(person.birth));
    let own = ProvisionalId::from_number(1).map(Identifier::from);
    let key = person.identifier.or(own).map_or(0, Identifier::key);
    plain(builtin::IDENTIFIER, Month::MIN, number_value(key));
    if home.household.id.is_some() {
        plain(
            builtin::HOUSEHOLD,
            person.from,
            number_value(u64::from(OWN.get())),
        );
    } else {
        let unit = number_value(u64::from(home.checked.unit.get()));
        plain(builtin::HOUSEHOLD, person.from, number_value(0));
        plain(builtin::RESIDENCE, person.from, unit);
    }
    for (attribute, value) in profile.iter() {
        let from = if attribute == builtin::SEX {
            Month::MIN
        } else {
            person.from
        };
        plain(attribute, from, value);
    }
    PersonHistory {
        number: PersonNumber(1),
        recorded,
        records: Records::new(records),
    }
}

/// The member whom the fact of an attribute from a month on names by position.
fn member_of(facts: &[BulkFact], began: Month, attribute: AttributeNumber, from: Month) -> Option<u16> {
    facts.iter().find_map(|fact| match fact.value {
        BulkValue::Member(at) if fact.attribute == attribute && fact.from.unwrap_or(began) == from => {
            Some(at)
        }
        _ => None,
    })
}

fn with_members(dated: Vec<DatedValue>, facts: &[BulkFact], began: Month) -> Vec<Dated> {
    dated
        .into_iter()
        .map(|fact| Dated {
            member: member_of(facts, began, fact.attribute, fact.from),
            fact,
        })
        .collect()
}

/// A fact of a record that begins in `began`. References by position stay open.
fn dated_value(fact: &BulkFact, began: Month) -> DatedValue {
    DatedValue {
        attribute: fact.attribute,
        value: match fact.value {
            BulkValue::Value(value) => value,
            BulkValue::Member(_) => Value::Unknown,
        },
        from: fact.from.unwrap_or(began),
        until: fact.until,
        document: fact.document.clone(),
    }
}

fn fact_record(fact: &DatedValue, recorded: Sequence) -> FactRecord {
    FactRecord {
        attribute: fact.attribute,
        from: fact.from,
        recorded,
        content: Content::Value {
            value: fact.value,
            until: fact.until,
            document: fact.document.clone(),
        },
    }
}

const fn plain_record(
    attribute: AttributeNumber,
    from: Month,
    value: Value,
    recorded: Sequence,
) -> FactRecord {
    FactRecord {
        attribute,
        from,
        recorded,
        content: Content::Value {
            value,
            until: None,
            document: String::new(),
        },
    }
}
