//! Placing: households get their numbers, their profiles codes, and their people rows, in the order of the load.

use rustc_hash::FxHashMap;

use super::super::WriteTransaction;
use super::facts::Facts;
use super::prepare::{Dated, Rare, Ready, ReadyPerson, ReadyRow};
use super::segments::{Kin, Segments};
use super::write::Full;
use crate::format::columns::Row;
use crate::format::household::{self, BLOCK_HOUSEHOLDS, HouseholdRecord};
use crate::format::locator::{self, Locator, LocatorBlock};
use crate::format::reference::Reference;
use crate::kernel::error::{WriteError, malformed};
use crate::kernel::history::number_value;
use crate::kernel::operation::{Refusal, Subject};
use crate::kernel::profile::Profile;
use crate::types::{HouseholdNumber, Identifier, PersonNumber, Sequence, Value};

/// The numbers that a household was given: its own, and that of its first person.
#[derive(Clone, Copy)]
pub(super) struct Numbers {
    pub(super) household: Option<u32>,
    pub(super) first: u32,
}

/// Everything that depends on the order of households.
pub(super) struct Placer {
    recorded: Sequence,
    /// The greatest numbers given so far, and those before the load.
    pub(super) persons: u32,
    pub(super) households: u32,
    persons_before: u32,
    households_before: u32,
    pub(super) segments: Segments,
    locators: LocatorBlock,
    locator_block: u32,
    records: Vec<Option<HouseholdRecord>>,
    household_block: u32,
    codes: FxHashMap<Profile, u32>,
    next_code: u32,
    /// Profiles that have a code since this load.
    pub(super) profiles: Vec<Profile>,
    /// The provisional identifiers of the load, given and made.
    provisional: FxHashMap<u64, u32>,
    /// Room for the identifiers of a household, reused.
    identifiers: Vec<Identifier>,
    pub(super) ids: Vec<(u64, u32)>,
    /// Identifiers whose holders were entered in error.
    pub(super) held: Vec<(u64, u32)>,
    pub(super) household_ids: Vec<(u64, u32)>,
    pub(super) rows: Vec<((u32, u16), u32)>,
    pub(super) references: Vec<Reference>,
    pub(super) person_facts: Facts,
    pub(super) household_facts: Facts,
    pub(super) full: Full,
}

/// Before this share of the batches nothing is foreseen: one in so many.
const FORESEEN_AFTER: usize = 16;

/// Where batches differ, what is foreseen may be far too much: a list grows by no more than so many times its length.
const FORESEEN_MAX: usize = 3;

/// Makes room in a list that has less than two more batches would take; it had this length before the first. Without
/// memory for that the list grows as it must.
fn make_room<T>(list: &mut Vec<T>, before: usize, placed: usize, all: usize) {
    let of_batch = (list.len() - before) / placed.max(1);
    if placed < all.div_ceil(FORESEEN_AFTER) || list.capacity() - list.len() >= of_batch * 2 {
        return;
    }
    let left = of_batch * all.saturating_sub(placed);
    let _ = list.try_reserve_exact((left + left / 16).min(list.len() * FORESEEN_MAX));
}

impl Placer {
    /// Continues the numbers, codes and blocks of a transaction.
    pub(super) fn new(transaction: &mut WriteTransaction<'_>) -> Result<Self, WriteError> {
        let recorded = transaction.sequence();
        let head = &transaction.overlay.head;
        let (persons, households, next_code) = (head.persons, head.households, head.profiles);
        let (locator_block, _) = locator::place_of(persons.saturating_add(1));
        let (household_block, _) = household::place_of(households.saturating_add(1));
        let mut new = Self {
            recorded,
            persons,
            households,
            persons_before: persons,
            households_before: households,
            segments: Segments::default(),
            locators: LocatorBlock::default(),
            locator_block,
            records: Vec::new(),
            household_block,
            codes: FxHashMap::default(),
            next_code,
            profiles: Vec::new(),
            provisional: FxHashMap::default(),
            identifiers: Vec::new(),
            ids: Vec::new(),
            held: Vec::new(),
            household_ids: Vec::new(),
            rows: Vec::new(),
            references: Vec::new(),
            person_facts: Facts::default(),
            household_facts: Facts::default(),
            full: Full::default(),
        };
        new.take_over_blocks(transaction)?;
        Ok(new)
    }

    /// Blocks that are already begun are continued.
    fn take_over_blocks(&mut self, transaction: &mut WriteTransaction<'_>) -> Result<(), WriteError> {
        let (overlay, tables) = (&mut transaction.overlay, &transaction.view.tables);
        let block = self.locator_block;
        if let Some(bytes) = tables.locators.get(block)? {
            self.locators = LocatorBlock::decode(bytes.value()).map_err(malformed("persons", block))?;
        }
        let pending = overlay
            .locators
            .extract_if(.., |person, _| locator::place_of(*person).0 == block);
        for (person, at) in pending {
            self.locators.set(locator::place_of(person).1, at);
        }
        let block = self.household_block;
        if let Some(bytes) = tables.households.get(block)? {
            self.records = household::decode(bytes.value()).map_err(malformed("households", block))?;
        }
        let pending = overlay
            .households
            .extract_if(.., |number, _| household::place_of(*number).0 == block);
        for (number, record) in pending {
            household::put(&mut self.records, number, record);
        }
        Ok(())
    }

    /// How long the lists are that grow with the load.
    pub(super) const fn lengths(&self) -> [usize; 3] {
        [self.ids.len(), self.household_ids.len(), self.references.len()]
    }

    /// Makes room for what is left of all batches, if it is like those that were placed since the lists had these lengths.
    /// A list that doubled its room instead would be copied, and its memory be fetched, twice.
    pub(super) fn make_room(&mut self, before: [usize; 3], (placed, all): (usize, usize)) {
        let [ids, household_ids, references] = before;
        make_room(&mut self.ids, ids, placed, all);
        make_room(&mut self.household_ids, household_ids, placed, all);
        make_room(&mut self.references, references, placed, all);
    }

    /// How many people and households were placed.
    pub(super) fn counts(&self) -> (u64, u64) {
        (
            u64::from(self.persons - self.persons_before),
            u64::from(self.households - self.households_before),
        )
    }

    /// The codes of a batch's profiles, given now to those that have none yet.
    pub(super) fn codes_of(
        &mut self,
        transaction: &WriteTransaction<'_>,
        profiles: Vec<Profile>,
    ) -> Vec<u32> {
        let profiles = profiles.into_iter();
        profiles.map(|profile| self.code(transaction, profile)).collect()
    }

    fn code(&mut self, transaction: &WriteTransaction<'_>, profile: Profile) -> u32 {
        if let Some(&code) = self.codes.get(&profile) {
            return code;
        }
        let code = transaction.known_code(&profile).unwrap_or_else(|| {
            self.profiles.push(profile.clone());
            self.next_code += 1;
            self.next_code - 1
        });
        self.codes.insert(profile, code);
        code
    }

    /// Places a household with its people. `codes` are those of its batch's profiles. A refusal leaves everything as
    /// it was.
    pub(super) fn place(
        &mut self,
        transaction: &WriteTransaction<'_>,
        codes: &[u32],
        ready: Ready,
        people: &mut [ReadyPerson],
    ) -> Result<Numbers, WriteError> {
        self.check_numbers(&ready)?;
        let first = self.persons + 1;
        self.identify(transaction, people, first)?;
        let household = ready.id.map(|_| self.households + 1);
        let Ready {
            id,
            unit,
            began,
            head,
            profile,
            dated,
            people: _,
        } = ready;
        if let Some(id) = id {
            let record = HouseholdRecord {
                id,
                first_person: first,
                people: people.len() as u32,
                head: head.map_or(0, |at| first + u32::from(at)),
                profile: codes[profile as usize],
                unit,
                began,
                recorded: self.recorded,
                has_facts: !dated.is_empty(),
            };
            self.place_household(record, dated);
        }
        let together = if id.is_some() { people.len() as u32 } else { 1 };
        for (at, (person, number)) in people.iter_mut().zip(first..).enumerate() {
            let identifier = self.identifiers[at];
            let home = (household, first, together);
            self.place_person(transaction, codes, person, (number, identifier), home)?;
        }
        Ok(Numbers { household, first })
    }

    /// Refuses a household for which the numbers do not suffice.
    fn check_numbers(&self, ready: &Ready) -> Result<(), WriteError> {
        let numbers = [
            ("persons", self.persons, ready.people as u64),
            ("households", self.households, u64::from(ready.id.is_some())),
        ];
        for (what, given, more) in numbers {
            let (found, max) = (u64::from(given) + more, u64::from(u32::MAX));
            if found > max {
                return Err(Refusal::Limit { what, found, max }.into());
            }
        }
        Ok(())
    }

    /// Finds the identifiers of a household's people, provisional ones made where none is given. Refuses a
    /// provisional one that somebody of the load has.
    fn identify(
        &mut self,
        transaction: &WriteTransaction<'_>,
        people: &[ReadyPerson],
        first: u32,
    ) -> Result<(), WriteError> {
        let given = || people.iter().filter_map(|person| person.identifier);
        for identifier in given().filter(|identifier| matches!(identifier, Identifier::Provisional(_))) {
            if let Some(&holder) = self.provisional.get(&identifier.key()) {
                return Err(Refusal::IdentifierTaken {
                    identifier: identifier.masked(),
                    holder: PersonNumber(holder),
                }
                .into());
            }
        }
        self.identifiers.clear();
        for (person, number) in people.iter().zip(first..) {
            let is_free = |made: Identifier| {
                !self.provisional.contains_key(&made.key()) && given().all(|identifier| identifier != made)
            };
            let identifier = match person.identifier {
                Some(identifier) => identifier,
                None => transaction.provisional_among(PersonNumber(number), is_free)?,
            };
            self.identifiers.push(identifier);
        }
        Ok(())
    }

    fn place_household(&mut self, record: HouseholdRecord, mut dated: Vec<Dated>) {
        self.households += 1;
        let number = self.households;
        if !dated.is_empty() {
            settle(&mut dated, record.first_person);
            let subject = Subject::Household(HouseholdNumber(number));
            self.household_facts.push(subject, self.recorded, &mut dated);
        }
        self.household_ids.push((record.id.packed(), number));
        let (block, _) = household::place_of(number);
        if block != self.household_block {
            let records = std::mem::take(&mut self.records);
            self.full.households.push((self.household_block, records));
            self.household_block = block;
        }
        household::put(&mut self.records, number, record);
        debug_assert!(self.records.len() <= BLOCK_HOUSEHOLDS);
    }

    fn place_person(
        &mut self,
        transaction: &WriteTransaction<'_>,
        codes: &[u32],
        person: &mut ReadyPerson,
        (number, identifier): (u32, Identifier),
        (household, first, together): (Option<u32>, u32, u32),
    ) -> Result<(), WriteError> {
        let mut values = std::mem::take(&mut person.values);
        let rare = person.rare.take();
        let Rare {
            members,
            mut dated,
            change,
            further,
        } = rare.map_or_else(Rare::default, |rare| *rare);
        for (place, at) in person.member.into_iter().chain(members) {
            values[usize::from(place)].1 = Value::Person(PersonNumber(first + u32::from(at)));
        }
        settle(&mut dated, first);
        let own = PersonNumber(number);
        let has_facts = !dated.is_empty();
        let named = values.iter().copied();
        let named = named.chain(dated.iter().map(|dated| (dated.fact.attribute, dated.fact.value)));
        let references = named.filter_map(|(attribute, value)| Reference::from_value(own, attribute, value));
        self.references.extend(references);
        let mut unsure = values
            .iter()
            .any(|&(attribute, value)| value == Value::Unknown && transaction.ties_show(attribute));
        if has_facts {
            for Dated { fact, .. } in &dated {
                unsure |= transaction.ties_show(fact.attribute);
                if let Value::Person(target) = fact.value {
                    self.segments.loosened.push(target);
                }
            }
            let subject = Subject::Person(own);
            self.person_facts.push(subject, self.recorded, &mut dated);
        }
        let key = (identifier.key(), number);
        if person.held {
            self.held.push(key);
        } else {
            self.ids.push(key);
        }
        if matches!(identifier, Identifier::Provisional(_)) {
            self.provisional.insert(identifier.key(), number);
        }
        self.persons = number;
        let row = Row {
            person: number,
            household: household.unwrap_or(0),
            identifier,
            birth_day: person.birth_day,
            began: person.began,
            recorded: self.recorded,
            values,
        };
        let columns = (
            codes[person.profile as usize],
            codes[person.household_profile as usize],
            person.birth,
        );
        let shown = ReadyRow {
            unit: person.unit,
            change,
        };
        let kin = Kin {
            together,
            main: true,
            unsure,
        };
        let main = self.place_rows(transaction, codes, (row, kin), columns, shown, further)?;
        self.put_locator(number, main, has_facts);
        Ok(())
    }

    fn place_rows(
        &mut self,
        transaction: &WriteTransaction<'_>,
        codes: &[u32],
        (row, kin): (Row, Kin),
        columns: (u32, u32, u16),
        mut shown: ReadyRow,
        further: Vec<ReadyRow>,
    ) -> Result<Locator, WriteError> {
        let number = row.person;
        shown.settle(codes);
        let unit = shown.unit;
        if further.is_empty() {
            return self
                .segments
                .push(transaction, &mut self.full, (row, kin), shown, columns);
        }
        let main = self
            .segments
            .push(transaction, &mut self.full, (row.clone(), kin), shown, columns)?;
        let from = self.rows.len();
        self.rows.push(((number, unit), packed(main)));
        for mut shown in further {
            shown.settle(codes);
            let unit = shown.unit;
            let kin = Kin { main: false, ..kin };
            let at = self
                .segments
                .push(transaction, &mut self.full, (row.clone(), kin), shown, columns)?;
            self.rows.push(((number, unit), packed(at)));
        }
        self.rows[from..].sort_unstable();
        Ok(main)
    }

    fn put_locator(&mut self, person: u32, at: Locator, has_facts: bool) {
        let (block, place) = locator::place_of(person);
        if block != self.locator_block {
            let locators = std::mem::take(&mut self.locators);
            self.full.locators.push((self.locator_block, locators));
            self.locator_block = block;
        }
        self.locators.set(place, at);
        if has_facts {
            self.locators.mark_facts(place);
        }
    }

    /// Closes what is still open: nothing more will be placed.
    pub(super) fn close(&mut self) {
        self.segments.close(&mut self.full);
        if !self.locators.is_empty() {
            let locators = std::mem::take(&mut self.locators);
            self.full.locators.push((self.locator_block, locators));
        }
        if !self.records.is_empty() {
            let records = std::mem::take(&mut self.records);
            self.full.households.push((self.household_block, records));
        }
    }
}

impl ReadyRow {
    /// Puts the codes of the registry in the place of those of the batch.
    fn settle(&mut self, codes: &[u32]) {
        for version in self.change.iter_mut().flat_map(|change| &mut change.versions) {
            version.person = codes[version.person as usize];
            version.household = codes[version.household as usize];
        }
    }
}

/// Puts the numbers of members where facts name them by position.
fn settle(dated: &mut [Dated], first: u32) {
    for Dated { fact, member } in dated {
        if let Some(at) = *member {
            let number = first + u32::from(at);
            fact.value = match fact.value {
                Value::Integer(_) => number_value(u64::from(number)),
                _ => Value::Person(PersonNumber(number)),
            };
        }
    }
}

fn packed(at: Locator) -> u32 {
    u32::from(at.segment.index()) << 16 | u32::from(at.row)
}
