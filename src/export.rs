//! A registry goes out as one CSV file, from which an empty registry with the same pack and units gives the same
//! answers.
//!
//! `docs/csv.md` describes the columns. What is known now is exported: records that were superseded or retracted are
//! not, nor what is recorded of months before a person's birth.

use std::collections::BTreeSet;
use std::io::Write;
use std::rc::Rc;

use rustc_hash::FxHashMap;
use thiserror::Error;

use crate::import::grammar::{self, FIXED};
use crate::import::{Progress, Stage};
use crate::kernel::catalogue::{Attribute, Catalogue, OnExpiry, SubjectKind, builtin};
use crate::kernel::operation::Subject;
use crate::kernel::state::{Content, FactRecord};
use crate::kernel::{ReadError, View};
use crate::types::{
    AttributeNumber, BirthDate, CommuneCode, Date, HouseholdId, HouseholdNumber, Identifier, Month,
    PersonNumber, Sequence, Sex, UnitNumber, Value,
};

/// The unit of the segments in which people are who live nowhere.
const NOWHERE: UnitNumber = UnitNumber(u16::MAX);
/// Where the attributes stand among the fixed columns: before `documents` and `history`.
const FIXED_LAST: usize = 2;

/// What was exported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ExportSummary {
    /// People, those who died, moved away or whose records are closed included.
    pub people: u64,
    /// Households.
    pub households: u64,
    /// Communes about which something is recorded.
    pub communes: u64,
    /// Values that could not be exported because the pack in force has retired the attribute. Of an attribute that
    /// goes on, a value that it no longer has is exported as `unknown` and counted here too.
    pub left_out: u64,
}

/// Why an export failed.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ExportError {
    /// The registry cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The file cannot be written.
    #[error("cannot write the CSV file: {0}; choose another place for it")]
    Csv(#[from] csv::Error),
}

/// Writes everyone, every household and every commune with facts as CSV.
///
/// Rows are in the order of communes, then households, then people; those of nobody's commune come last. In memory
/// is one commune at a time, and one bit for every person and household.
///
/// ```
/// use ansinh::export::export;
/// use ansinh::kernel::{Store, StoreOptions};
/// # let folder = tempfile::tempdir()?;
/// let store = Store::create(&folder.path().join("example.ansinh"), StoreOptions::default())?;
/// let mut file = Vec::new();
/// let summary = export(&store.begin_read()?, &mut file, &mut |_| {})?;
/// assert_eq!(summary.people, 0);
/// assert!(file.starts_with(b"record,commune,household_id,"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn export(
    view: &View,
    writer: impl Write,
    progress: &mut dyn FnMut(Progress),
) -> Result<ExportSummary, ExportError> {
    let mut export = Export::begin(view, writer)?;
    let mut units: Vec<_> = view
        .units()
        .iter()
        .map(|unit| (unit.declared.code, unit.declared.from, unit.number))
        .collect();
    units.sort_unstable();
    let total = Some(view.counts()?.people);
    for (code, from, unit) in units {
        export.commune(unit, code, from)?;
        export.people_of(unit)?;
        progress(Progress {
            stage: Stage::Writing,
            done: export.summary.people,
            total,
        });
    }
    export.people_of(NOWHERE)?;
    export.rest()?;
    export.out.flush().map_err(csv::Error::from)?;
    progress(Progress {
        stage: Stage::Writing,
        done: export.summary.people,
        total,
    });
    Ok(export.summary)
}

/// One bit for each number.
struct Marks(Vec<u64>);

impl Marks {
    fn new(count: u64) -> Self {
        Self(vec![0; count as usize / 64 + 1])
    }

    /// Sets a mark; tells whether it was new.
    fn set(&mut self, number: u32) -> bool {
        let Some(word) = self.0.get_mut(number as usize / 64) else {
            return false;
        };
        let bit = 1 << (number % 64);
        let new = *word & bit == 0;
        *word |= bit;
        new
    }

    fn has(&self, number: u32) -> bool {
        let word = self.0.get(number as usize / 64);
        word.is_some_and(|word| word & 1 << (number % 64) != 0)
    }
}

/// The IDs of everyone who has several, which few have.
fn several_identifiers(view: &View) -> Result<FxHashMap<PersonNumber, Vec<Identifier>>, ReadError> {
    let people = view.counts()?.people;
    let (mut seen, mut several) = (Marks::new(people), Marks::new(people));
    for entry in view.identifiers()? {
        let (_, person) = entry?;
        if !seen.set(person.get()) {
            several.set(person.get());
        }
    }
    let mut given: FxHashMap<PersonNumber, Vec<Identifier>> = FxHashMap::default();
    for entry in view.identifiers()? {
        let (identifier, person) = entry?;
        if several.has(person.get()) {
            given.entry(person).or_default().push(identifier);
        }
    }
    Ok(given)
}

/// A fact as known now.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Known {
    from: Month,
    until: Option<Month>,
    value: Value,
    document: String,
}

/// Where somebody lives from a month on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Household(HouseholdNumber),
    Unit(UnitNumber),
    Away,
}

struct Household {
    id: HouseholdId,
    /// The units as recorded, by month.
    homes: Vec<(Month, UnitNumber)>,
    records: Vec<FactRecord>,
}

struct Person {
    number: PersonNumber,
    identifier: Identifier,
    birth: BirthDate,
    sex: Sex,
    death: Option<(Date, String)>,
    /// At least one, ascending.
    places: Vec<(Month, Place)>,
    records: Vec<FactRecord>,
}

struct Export<'v, W: Write> {
    view: &'v View,
    out: csv::Writer<W>,
    /// The attributes that have columns, in order.
    attributes: Vec<&'v Attribute>,
    people_done: Marks,
    households_done: Marks,
    households: FxHashMap<HouseholdNumber, Rc<Household>>,
    identifiers: FxHashMap<PersonNumber, Identifier>,
    /// The IDs of everyone who has several.
    given: FxHashMap<PersonNumber, Vec<Identifier>>,
    summary: ExportSummary,
}

/// The cells of a row, by column.
struct Cells {
    fixed: [String; FIXED.len()],
    attributes: Vec<String>,
}

impl Cells {
    fn set(&mut self, name: &str, text: &(impl ToString + ?Sized)) {
        if let Some(at) = FIXED.iter().position(|fixed| *fixed == name) {
            self.fixed[at] = text.to_string();
        }
    }

    fn record(&self) -> csv::StringRecord {
        let (first, last) = self.fixed.split_at(FIXED.len() - FIXED_LAST);
        first.iter().chain(&self.attributes).chain(last).collect()
    }
}

/// Of the records of one attribute those that count now: of each month the one recorded last, unless that retracts.
fn known_now(records: &[FactRecord], attribute: AttributeNumber) -> Vec<Known> {
    let start = records.partition_point(|record| record.attribute < attribute);
    let rest = &records[start..];
    let own = &rest[..rest.partition_point(|record| record.attribute == attribute)];
    own.chunk_by(|a, b| a.from == b.from)
        .filter_map(|same| {
            let last = same.iter().max_by_key(|record| record.recorded)?;
            match &last.content {
                Content::Value {
                    value,
                    until,
                    document,
                } => Some(Known {
                    from: last.from,
                    until: *until,
                    value: *value,
                    document: document.clone(),
                }),
                Content::Retracted => None,
            }
        })
        .collect()
}

/// Lets nothing begin before a month: what holds in it begins in it.
fn not_before(known: &mut Vec<Known>, month: Month, on_expiry: OnExpiry) {
    let earlier = known.partition_point(|fact| fact.from < month);
    let has_own = known.get(earlier).is_some_and(|fact| fact.from == month);
    let last = known.drain(..earlier).next_back();
    let Some(mut last) = last.filter(|_| !has_own) else {
        return;
    };
    last.from = month;
    if last.until.is_some_and(|until| until < month) {
        last.until = None;
        match on_expiry {
            OnExpiry::Keep => {}
            OnExpiry::Unknown => (last.value, last.document) = (Value::Unknown, String::new()),
            OnExpiry::Absent => return,
        }
    }
    known.insert(0, last);
}

const fn number_in(value: Value) -> Option<u32> {
    match value {
        Value::Integer(number) if number > 0 => Some(number as u32),
        _ => None,
    }
}

impl<'v, W: Write> Export<'v, W> {
    fn begin(view: &'v View, writer: W) -> Result<Self, ExportError> {
        let catalogue = view.catalogue();
        let of = |subject| {
            catalogue
                .attributes()
                .filter(move |attribute| attribute.subject == subject && !attribute.retired)
        };
        let attributes: Vec<&Attribute> = of(SubjectKind::Person)
            .chain(of(SubjectKind::Household))
            .chain(of(SubjectKind::Commune))
            .collect();
        let mut out = csv::Writer::from_writer(writer);
        let mut header = Cells {
            fixed: FIXED.map(str::to_owned),
            attributes: Vec::new(),
        };
        header.attributes = attributes
            .iter()
            .map(|attribute| grammar::attribute_name(attribute))
            .collect();
        out.write_record(&header.record())?;
        let counts = view.counts()?;
        Ok(Self {
            view,
            out,
            attributes,
            people_done: Marks::new(counts.people),
            households_done: Marks::new(counts.households),
            households: FxHashMap::default(),
            identifiers: FxHashMap::default(),
            given: several_identifiers(view)?,
            summary: ExportSummary::default(),
        })
    }

    fn catalogue(&self) -> &'v Catalogue {
        self.view.catalogue()
    }

    fn cells(&self, record: &str) -> Cells {
        let mut cells = Cells {
            fixed: std::array::from_fn(|_| String::new()),
            attributes: vec![String::new(); self.attributes.len()],
        };
        cells.set("record", &record);
        cells
    }

    fn code(&self, unit: UnitNumber) -> Option<CommuneCode> {
        self.view.unit(unit).map(|unit| unit.declared.code)
    }

    fn follow(&self, unit: UnitNumber, month: Month) -> Option<UnitNumber> {
        self.view.follow(unit, month, Sequence::NEWEST)
    }

    fn identifier(&mut self, person: PersonNumber) -> Result<Identifier, ExportError> {
        if let Some(&identifier) = self.identifiers.get(&person) {
            return Ok(identifier);
        }
        let state = self.view.person(person, Month::MAX, Sequence::NEWEST)?;
        let missing = || ReadError::Inconsistent(format!("{person} is referred to and not stored"));
        let identifier = state.ok_or_else(missing)?.identifier;
        self.identifiers.insert(person, identifier);
        Ok(identifier)
    }

    /// The text of a value, as import reads it.
    fn text(&mut self, attribute: &Attribute, value: Value) -> Result<String, ExportError> {
        if let Value::Person(person) = value {
            return Ok(self.identifier(person)?.to_string());
        }
        if !attribute.admits(value) {
            self.summary.left_out += 1;
            return Ok(attribute.text(Value::Unknown));
        }
        Ok(attribute.text(value))
    }

    /// Puts the facts of declared attributes into cells. `birth` is the month before which nothing counts.
    fn facts(
        &mut self,
        records: &[FactRecord],
        began: Month,
        birth: Option<Month>,
        cells: &mut Cells,
        items: &mut Items,
    ) -> Result<(), ExportError> {
        let mut documents = String::new();
        let mut at = 0;
        while let Some(first) = records.get(at) {
            let number = first.attribute;
            at += records[at..].partition_point(|record| record.attribute == number);
            let Some(attribute) = self.catalogue().attribute_by_number(number) else {
                continue;
            };
            let mut known = known_now(records, number);
            if attribute.retired {
                self.summary.left_out += known.len() as u64;
                continue;
            }
            if let Some(birth) = birth {
                not_before(&mut known, birth, attribute.on_expiry);
            }
            let name = grammar::attribute_name(attribute);
            for fact in known {
                let text = self.text(attribute, fact.value)?;
                let place = self.attributes.iter().position(|column| column.number == number);
                match place.filter(|_| fact.from == began && fact.until.is_none()) {
                    Some(place) => {
                        cells.attributes[place] = text;
                        if !fact.document.is_empty() {
                            grammar::push_document(&mut documents, &name, &fact.document);
                        }
                    }
                    None => items.push(fact.from, fact.until, &name, &text, &fact.document),
                }
            }
        }
        cells.set("documents", &documents);
        Ok(())
    }

    /// The row of a commune, if anything is recorded of it.
    fn commune(&mut self, unit: UnitNumber, code: CommuneCode, from: Month) -> Result<(), ExportError> {
        let records = self.view.full_history(Subject::Commune(unit))?;
        let (mut cells, mut items) = (self.cells("commune"), Items::default());
        self.facts(&records, from, None, &mut cells, &mut items)?;
        let nothing = cells.attributes.iter().all(String::is_empty) && items.0.is_empty();
        if nothing {
            return Ok(());
        }
        cells.set("commune", &code);
        cells.set("from", &from);
        cells.set("history", &items.text());
        self.summary.communes += 1;
        Ok(self.out.write_record(&cells.record())?)
    }

    fn household(&mut self, number: HouseholdNumber) -> Result<Rc<Household>, ExportError> {
        if let Some(household) = self.households.get(&number) {
            return Ok(Rc::clone(household));
        }
        let missing = || ReadError::Inconsistent(format!("{number} is not stored"));
        let id = self.view.household_id(number)?.ok_or_else(missing)?;
        let records = self.view.full_history(Subject::Household(number))?;
        let homes = known_now(&records, builtin::RESIDENCE)
            .into_iter()
            .filter_map(|known| Some((known.from, UnitNumber(number_in(known.value)? as u16))))
            .collect();
        let household = Rc::new(Household { id, homes, records });
        self.households.insert(number, Rc::clone(&household));
        Ok(household)
    }

    /// The unit in which a household lives in a month, mergers followed.
    fn home(&self, household: &Household, month: Month) -> Option<UnitNumber> {
        let last = household.homes.iter().rev().find(|(from, _)| *from <= month);
        last.and_then(|&(_, unit)| self.follow(unit, month))
    }

    fn household_row(&mut self, number: HouseholdNumber) -> Result<csv::StringRecord, ExportError> {
        let household = self.household(number)?;
        let (mut cells, mut items) = (self.cells("household"), Items::default());
        cells.set("household_id", &household.id);
        let began = household.homes.first().map_or(Month::MIN, |&(from, _)| from);
        cells.set("from", &began);
        let mut before = None;
        for &(month, unit) in &household.homes {
            let unit = self.follow(unit, month);
            let Some(code) = unit.and_then(|unit| self.code(unit)) else {
                self.summary.left_out += 1;
                continue;
            };
            if month == began {
                cells.set("commune", &code);
            } else if before != unit {
                items.push(month, None, "commune", &code.to_string(), "");
            }
            before = unit;
        }
        let mut head_before = None;
        for known in known_now(&household.records, builtin::HEAD) {
            let Some(head) = number_in(known.value).filter(|_| head_before != Some(known.value)) else {
                continue;
            };
            head_before = Some(known.value);
            let identifier = self.identifier(PersonNumber(head))?;
            if known.from == began {
                cells.set("head", &identifier);
            } else {
                items.push(known.from, None, "head", &identifier.to_string(), "");
            }
        }
        self.facts(&household.records, began, None, &mut cells, &mut items)?;
        cells.set("history", &items.text());
        self.summary.households += 1;
        Ok(cells.record())
    }

    fn person(&mut self, number: PersonNumber) -> Result<Person, ExportError> {
        let records = self.view.full_history(Subject::Person(number))?;
        let last = |attribute| known_now(&records, attribute).pop();
        let wrong = |what| ReadError::Inconsistent(format!("{number} has no {what}"));
        let Some(Value::Birth(birth)) = last(builtin::BIRTH).map(|known| known.value) else {
            return Err(wrong("birth date").into());
        };
        let sex = match last(builtin::SEX).map(|known| known.value) {
            Some(Value::Enum(0)) => Sex::Male,
            Some(Value::Enum(1)) => Sex::Female,
            _ => return Err(wrong("sex").into()),
        };
        let identifier = match last(builtin::IDENTIFIER).map(|known| known.value) {
            Some(Value::Integer(key)) => Identifier::from_key(key as u64),
            _ => None,
        };
        let identifier = identifier.ok_or_else(|| wrong("identifier"))?;
        let death = last(builtin::DEATH).and_then(|known| match known.value {
            Value::Date(date) => Some((date, known.document)),
            _ => None,
        });
        let places = self.places(&records, birth.earliest_month())?;
        Ok(Person {
            number,
            identifier,
            birth,
            sex,
            death,
            places,
            records,
        })
    }

    /// Where a person lives, month by month from the first of the record on, and never before birth.
    fn places(&mut self, records: &[FactRecord], birth: Month) -> Result<Vec<(Month, Place)>, ExportError> {
        let (households, units) = (
            known_now(records, builtin::HOUSEHOLD),
            known_now(records, builtin::RESIDENCE),
        );
        let months: BTreeSet<Month> = households
            .iter()
            .chain(&units)
            .map(|known| known.from.max(birth))
            .collect();
        let at = |known: &[Known], month: Month| {
            let last = known.iter().rev().find(|known| known.from <= month);
            last.and_then(|known| number_in(known.value))
        };
        let mut places: Vec<(Month, Place)> = Vec::new();
        for month in months {
            let place = match (at(&households, month), at(&units, month)) {
                (Some(household), _) => {
                    let number = HouseholdNumber(household);
                    let household = self.household(number)?;
                    let lives = self.home(&household, month).is_some();
                    if lives {
                        Place::Household(number)
                    } else {
                        Place::Away
                    }
                }
                (None, Some(unit)) => self
                    .follow(UnitNumber(unit as u16), month)
                    .map_or(Place::Away, Place::Unit),
                (None, None) => Place::Away,
            };
            if places.last().is_none_or(|(_, before)| *before != place) {
                places.push((month, place));
            }
        }
        Ok(places)
    }

    /// The IDs under which somebody is still found, besides the current one.
    fn former(&self, person: &Person) -> String {
        let given = self.given.get(&person.number).into_iter().flatten();
        let former = given.filter(|&&identifier| identifier != person.identifier);
        let texts: Vec<String> = former.map(ToString::to_string).collect();
        texts.join(" ")
    }

    fn status(&mut self, person: &Person) -> Result<String, ExportError> {
        let last = |attribute| {
            known_now(&person.records, attribute)
                .pop()
                .map(|known| known.value)
        };
        let merged = last(builtin::MERGED_INTO).and_then(number_in);
        let error = last(builtin::ENTERED_IN_ERROR) == Some(Value::Bool(true));
        Ok(match merged {
            Some(into) => format!("merged:{}", self.identifier(PersonNumber(into))?),
            None if error => "entered_in_error".to_owned(),
            None => String::new(),
        })
    }

    fn person_row(&mut self, person: &Person) -> Result<csv::StringRecord, ExportError> {
        let (mut cells, mut items) = (self.cells("person"), Items::default());
        let &(began, first) = person
            .places
            .first()
            .ok_or_else(|| ReadError::Inconsistent(format!("{} has no beginning", person.number)))?;
        cells.set("person_id", &person.identifier);
        cells.set("former_ids", &self.former(person));
        cells.set("birth_date", &person.birth);
        cells.set("sex", &person.sex);
        cells.set("from", &began);
        cells.set("status", &self.status(person)?);
        let dossier = self.view.dossier(person.number)?;
        cells.set("name", &dossier.name);
        cells.set("address", &dossier.address);
        cells.set("account", &dossier.account);
        match first {
            Place::Household(number) => {
                let household = self.household(number)?;
                cells.set("household_id", &household.id);
                let code = self.home(&household, began).and_then(|unit| self.code(unit));
                cells.set("commune", &code.map_or_else(String::new, |code| code.to_string()));
            }
            Place::Unit(unit) => {
                let code = self.code(unit);
                cells.set("commune", &code.map_or_else(String::new, |code| code.to_string()));
            }
            Place::Away => cells.set("commune", "away"),
        }
        for &(month, place) in &person.places[1..] {
            match place {
                Place::Household(number) => {
                    let id = self.household(number)?.id.to_string();
                    items.push(month, None, "household", &id, "");
                }
                Place::Unit(unit) => {
                    let code = self.code(unit);
                    let code = code.map_or_else(String::new, |code| code.to_string());
                    items.push(month, None, "commune", &code, "");
                }
                Place::Away => items.push(month, None, "away", "", ""),
            }
        }
        if let Some((date, document)) = &person.death {
            items.push(date.month(), None, "death", &date.to_string(), document);
        }
        let birth = Some(person.birth.earliest_month());
        self.facts(&person.records, began, birth, &mut cells, &mut items)?;
        cells.set("history", &items.text());
        self.summary.people += 1;
        Ok(cells.record())
    }

    /// Everyone whose record begins in a unit, with the households.
    fn people_of(&mut self, unit: UnitNumber) -> Result<(), ExportError> {
        self.households.clear();
        self.identifiers.clear();
        let mut rows = Vec::new();
        for segment in self.view.segments_of(unit)? {
            for number in self.view.segment_persons(segment)? {
                if self.people_done.has(number.get()) {
                    continue;
                }
                let person = self.person(number)?;
                let (begins, household) = match person.places.first() {
                    Some(&(month, Place::Household(number))) => {
                        let household = self.household(number)?;
                        (self.home(&household, month), Some((household.id, number)))
                    }
                    Some(&(_, Place::Unit(own))) => (Some(own), None),
                    _ => (Some(NOWHERE), None),
                };
                if begins == Some(unit) {
                    self.people_done.set(number.get());
                    self.identifiers.insert(number, person.identifier);
                    rows.push((household, number, self.person_row(&person)?));
                }
            }
        }
        // People without a household come after those with one.
        rows.sort_by_key(|(household, number, _)| {
            (household.is_none(), household.map(|(id, _)| id), *number)
        });
        for (household, _, row) in rows {
            if let Some((_, number)) = household
                && self.households_done.set(number.get())
            {
                let row = self.household_row(number)?;
                self.out.write_record(&row)?;
            }
            self.out.write_record(&row)?;
        }
        Ok(())
    }

    /// Who has no row in the unit in which the record begins, because what was known when it was entered was
    /// corrected; and households to which nobody belongs any more.
    fn rest(&mut self) -> Result<(), ExportError> {
        const KEPT_MAX: usize = 10_000;
        for number in self.view.people() {
            if self.people_done.set(number.get()) {
                let person = self.person(number)?;
                let row = self.person_row(&person)?;
                self.out.write_record(&row)?;
            }
            self.forget(KEPT_MAX);
        }
        for number in self.view.households() {
            if self.households_done.set(number.get()) {
                let row = self.household_row(number)?;
                self.out.write_record(&row)?;
            }
            self.forget(KEPT_MAX);
        }
        Ok(())
    }

    fn forget(&mut self, kept_max: usize) {
        if self.households.len() > kept_max {
            self.households.clear();
        }
        if self.identifiers.len() > kept_max {
            self.identifiers.clear();
        }
    }
}

/// Items of `history`, to be written in the order of their months.
#[derive(Debug, Default)]
struct Items(Vec<(Month, usize, String)>);

impl Items {
    fn push(&mut self, from: Month, until: Option<Month>, name: &str, value: &str, document: &str) {
        let mut text = String::new();
        grammar::push_item(&mut text, from, until, name, value, document);
        self.0.push((from, self.0.len(), text));
    }

    fn text(mut self) -> String {
        self.0.sort_unstable();
        let texts: Vec<String> = self.0.into_iter().map(|(_, _, text)| text).collect();
        texts.join("; ")
    }
}
