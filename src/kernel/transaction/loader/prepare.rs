//! Preparing: everything about a household that needs no number, so that any thread can do it.

use std::borrow::Cow;
use std::cell::Cell;
use std::collections::BTreeSet;
use std::rc::Rc;

use rustc_hash::FxHashMap;

use super::super::WriteTransaction;
use super::super::enter::{Checked, death_of};
use super::super::initial::{DatedValue, Initial};
use super::super::rows::{change, versions};
use crate::format::dossier::{DossierBlockBuilder, DossierError, DossierTexts};
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
    /// How many people it has.
    pub(super) people: usize,
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
    pub(super) profile: u32,
    pub(super) household_profile: u32,
    /// The unit in which the person lives first.
    pub(super) unit: u16,
    /// Which of the values is to be the number of which member; further ones are among what is rare.
    pub(super) member: Option<(u16, u16)>,
    /// What few people have.
    pub(super) rare: Option<Box<Rare>>,
}

/// What is to be known of a person whose row says not all.
#[derive(Default)]
pub(super) struct Rare {
    /// Which further values are to be the numbers of which members.
    pub(super) members: Vec<(u16, u16)>,
    pub(super) dated: Vec<Dated>,
    /// What the first row shows beyond its columns.
    pub(super) change: Option<Change>,
    /// Rows in further units.
    pub(super) further: Vec<ReadyRow>,
}

impl Rare {
    const fn is_empty(&self) -> bool {
        self.members.is_empty() && self.dated.is_empty() && self.change.is_none() && self.further.is_empty()
    }
}

/// A document of a value that has no record of its own: whose, by position, the attribute's number, and the text.
pub(super) type KeptDocument<'a> = (usize, u16, Cow<'a, str>);

/// A row of a unit, and what it shows beyond its columns.
pub(super) struct ReadyRow {
    pub(super) unit: u16,
    pub(super) change: Option<Change>,
}

/// Profiles in the order in which a batch first met them. Code 0 is the empty one, here as everywhere.
pub(super) struct BatchCodes {
    codes: FxHashMap<Profile, u32>,
    pub(super) list: Vec<Profile>,
    /// Room for the profile of one person, used again.
    room: Profile,
}

impl BatchCodes {
    pub(super) fn new() -> Self {
        let mut new = Self {
            codes: FxHashMap::default(),
            list: Vec::new(),
            room: Profile::default(),
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
    /// Whether the household lives in one unit all the time, which never ends.
    settled: bool,
    /// Whether it is settled, and is all the time as it began.
    plain: bool,
    /// If it is settled and not plain: its profile from every month on in which a fact begins or ends.
    changes: Vec<HomeChange>,
    /// Holds the history of the household under [`OWN`], unless it is plain and its people are undated.
    memo: Memo,
}

/// The profile of a household from a month on.
struct HomeChange {
    from: Month,
    profile: Profile,
    /// The code of the profile in the batch, once somebody's row shows it.
    code: Cell<Option<u32>>,
}

impl HomeChange {
    fn code(&self, codes: &mut BatchCodes) -> u32 {
        let code = self.code.get().unwrap_or_else(|| codes.code(&self.profile));
        self.code.set(Some(code));
        code
    }
}

/// Checks a household and works out what its rows show. Its people are added to `people`; the documents belong into
/// their dossiers.
pub(super) fn prepare<'a>(
    transaction: &WriteTransaction<'_>,
    codes: &mut BatchCodes,
    household: &'a BulkHousehold,
    people: &mut Vec<ReadyPerson>,
) -> Result<(Ready, Vec<KeptDocument<'a>>), WriteError> {
    let checked = transaction.check_household(household)?;
    let (home, dated) = home(transaction, codes, household, checked)?;
    let mut documents = Vec::new();
    for (at, person) in household.people.iter().enumerate() {
        people.push(prepare_person(
            transaction,
            codes,
            &home,
            (at, person),
            &mut documents,
        )?);
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
        people: household.people.len(),
    };
    Ok((ready, documents))
}

/// Adds the dossiers of a household whose first person has the number `first`.
pub(super) fn push_dossiers(
    dossiers: &mut DossierBlockBuilder,
    household: &BulkHousehold,
    documents: &[KeptDocument<'_>],
    first: u32,
) -> Result<(), WriteError> {
    let mut documents = documents.iter().peekable();
    for (at, (person, number)) in household.people.iter().zip(first..).enumerate() {
        let number = PersonNumber(number);
        let wrong = |error: DossierError| ReadError::Inconsistent(format!("dossier of {number}: {error}"));
        if documents.peek().is_none_or(|(owner, ..)| *owner != at) {
            dossiers.push(number, &person.dossier).map_err(wrong)?;
            continue;
        }
        let dossier = &person.dossier;
        let own = dossier.documents.iter();
        let mut texts: Vec<(u16, &str)> = own.map(|(attribute, text)| (*attribute, text.as_str())).collect();
        while let Some((_, attribute, text)) = documents.next_if(|(owner, ..)| *owner == at) {
            texts.push((*attribute, text));
        }
        let texts = DossierTexts {
            name: &dossier.name,
            address: &dossier.address,
            account: &dossier.account,
            documents: &texts,
        };
        dossiers.push_texts(number, &texts).map_err(wrong)?;
    }
    Ok(())
}

fn home<'a>(
    transaction: &WriteTransaction<'_>,
    codes: &mut BatchCodes,
    household: &'a BulkHousehold,
    checked: Checked,
) -> Result<(Home<'a>, Vec<Dated>), WriteError> {
    let settled = is_settled(transaction, &checked);
    let mut home = Home {
        household,
        profile: Profile::default(),
        code: 0,
        shown: 0,
        settled,
        plain: settled && household.facts.iter().all(|fact| is_since(fact, household.from)),
        changes: Vec::new(),
        checked,
        memo: Memo::default(),
    };
    if household.id.is_none() {
        return Ok((home, Vec::new()));
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
        let documented = household.facts.iter().any(|fact| !fact.document.is_empty());
        home.shown = if documented {
            codes.code(&shown_profile(transaction, household))
        } else {
            home.code
        };
    }
    if !home.plain || household.people.iter().any(|person| !is_undated(person)) {
        home.remember(transaction, &dated)?;
    }
    Ok((home, dated))
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

/// Whether a household lives in one unit all the time, which never ends.
fn is_settled(transaction: &WriteTransaction<'_>, checked: &Checked) -> bool {
    let unit = transaction.snapshot().units().get(checked.unit);
    checked.moves.is_empty() && unit.is_some_and(|unit| unit.end.is_none())
}

/// Whether a fact of a record that begins in `began` holds from then on.
fn is_since(fact: &BulkFact, began: Month) -> bool {
    fact.until.is_none() && fact.from.is_none_or(|from| from == began)
}

/// Whether a person's own facts all hold since the record begins.
fn is_undated(person: &BulkPerson) -> bool {
    let mut facts = person.facts.iter();
    facts.all(|fact| fact.attribute != builtin::DEATH && is_since(fact, person.from))
}

impl Home<'_> {
    /// Puts the history of the household where the timelines of its people will look for it.
    fn remember(&mut self, transaction: &WriteTransaction<'_>, dated: &[Dated]) -> Result<(), WriteError> {
        let (recorded, began) = (transaction.sequence(), self.household.from);
        let dated = dated.iter().map(|dated| fact_record(&dated.fact, recorded));
        let mut records: Vec<FactRecord> = dated.collect();
        if self.checked.moves.is_empty() {
            let unit = number_value(u64::from(self.checked.unit.get()));
            records.push(plain_record(builtin::RESIDENCE, began, unit, recorded));
        }
        let profile = self.profile.iter();
        records.extend(profile.map(|(attribute, value)| plain_record(attribute, began, value, recorded)));
        let records = Records::new(records);
        let boundaries: BTreeSet<Month> = records.boundaries().collect();
        self.memo
            .put(OWN.get(), Rc::new(HouseholdHistory { recorded, records }));
        if self.settled && !self.plain {
            for from in boundaries {
                self.changes.push(HomeChange {
                    from,
                    profile: self.memo.profile(transaction.snapshot(), OWN, from)?,
                    code: Cell::new(None),
                });
            }
        }
        Ok(())
    }

    /// The versions of a member whose own facts all hold since `from`, and the code of the household's last profile.
    fn versions(&self, codes: &mut BatchCodes, from: Month, person: u32) -> (Vec<Version>, u32) {
        let last = self.changes.last().map_or(0, |change| change.code(codes));
        let begun = self.changes.partition_point(|change| change.from <= from);
        let mut versions: Vec<Version> = Vec::new();
        for change in &self.changes[begun.saturating_sub(1)..] {
            let household = change.code(codes);
            if versions.last().is_none_or(|before| before.household != household) {
                versions.push(Version {
                    from: change.from.max(from),
                    presence: Presence::Present,
                    person,
                    household,
                });
            }
        }
        (versions, last)
    }
}

/// What the facts of a person come to.
#[derive(Default)]
struct Sorted {
    profile: Profile,
    values: Vec<(AttributeNumber, Value)>,
    dated: Vec<DatedValue>,
}

/// Sorts the facts of a person by where they are kept.
fn sort_facts<'a>(
    transaction: &WriteTransaction<'_>,
    mut profile: Profile,
    (at, person): (usize, &'a BulkPerson),
    documents: &mut Vec<KeptDocument<'a>>,
) -> Sorted {
    let catalogue = transaction.snapshot().catalogue();
    profile.clear();
    let mut sorted = Sorted {
        profile,
        ..Sorted::default()
    };
    if is_undated(person) {
        for fact in &person.facts {
            let value = value_of(fact);
            if transaction.keeps_in_profile(fact.attribute) {
                sorted.profile.set(fact.attribute, Some(value));
            } else {
                sorted.values.push((fact.attribute, value));
            }
            if !fact.document.is_empty() {
                documents.push((at, fact.attribute.get(), Cow::Borrowed(&fact.document)));
            }
        }
        sorted.values.sort_unstable_by_key(|&(attribute, _)| attribute);
        return sorted;
    }
    let facts = person
        .facts
        .iter()
        .filter(|fact| fact.attribute != builtin::DEATH)
        .map(|fact| dated_value(fact, person.from));
    let initial = Initial::split(catalogue, person.from, facts);
    let own = initial.documents.into_iter();
    documents.extend(own.map(|(attribute, text)| (at, attribute, Cow::Owned(text))));
    sorted.profile = initial.profile;
    sorted.values = initial.values;
    sorted.dated = initial.dated;
    if let Some((date, document)) = death_of(person) {
        sorted.dated.push(DatedValue {
            attribute: builtin::DEATH,
            value: Value::Date(date),
            from: date.month(),
            until: None,
            document: document.to_owned(),
        });
    }
    sorted
}

fn prepare_person<'a>(
    transaction: &WriteTransaction<'_>,
    codes: &mut BatchCodes,
    home: &Home<'_>,
    (at, person): (usize, &'a BulkPerson),
    documents: &mut Vec<KeptDocument<'a>>,
) -> Result<ReadyPerson, WriteError> {
    let room = std::mem::take(&mut codes.room);
    let Sorted {
        mut profile,
        values,
        dated,
    } = sort_facts(transaction, room, (at, person), documents);
    profile.set(builtin::SEX, Some(sex_value(person.sex)));
    let (mut member, mut members) = (None, Vec::new());
    if person
        .facts
        .iter()
        .any(|fact| matches!(fact.value, BulkValue::Member(_)))
    {
        for (place, &(attribute, _)) in values.iter().enumerate() {
            if let Some(at) = member_of(&person.facts, person.from, attribute, person.from) {
                let named = (place as u16, at);
                if member.is_none() {
                    member = Some(named);
                } else {
                    members.push(named);
                }
            }
        }
    }
    let held = match person.identifier {
        Some(identifier) => transaction.snapshot().holder(identifier)?.is_some(),
        None => false,
    };
    let shown = show(transaction, codes, home, person, &profile, &dated)?;
    codes.room = profile;
    let rare = Rare {
        members,
        dated: with_members(dated, &person.facts, person.from),
        change: shown.row.change,
        further: shown.further,
    };
    Ok(ReadyPerson {
        identifier: person.identifier,
        held,
        birth: birth_code(person.birth),
        birth_day: person.birth.day().unwrap_or(0),
        began: person.from,
        values,
        profile: shown.person,
        household_profile: shown.household,
        unit: shown.row.unit,
        member,
        rare: (!rare.is_empty()).then(|| Box::new(rare)),
    })
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
    if dated.is_empty() && home.settled {
        let person_code = codes.code(profile);
        let (versions, household) = home.versions(codes, person.from, person_code);
        let first = first_month(transaction, unit).max(born);
        let plain = versions.len() == 1 && person.from == first;
        return Ok(Shown {
            person: person_code,
            household,
            row: ReadyRow {
                unit: unit.get(),
                change: (!plain).then(|| change(versions, transaction.sequence())),
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

/// The value of a fact. References by position stay open.
const fn value_of(fact: &BulkFact) -> Value {
    match fact.value {
        BulkValue::Value(value) => value,
        BulkValue::Member(_) => Value::Unknown,
    }
}

/// A fact of a record that begins in `began`.
fn dated_value(fact: &BulkFact, began: Month) -> DatedValue {
    DatedValue {
        attribute: fact.attribute,
        value: value_of(fact),
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
