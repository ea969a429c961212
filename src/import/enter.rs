//! The last pass: checked households go into a transaction.
//!
//! What only single operations can do goes first: people who moved or were merged, whoever they refer to, and members
//! of households that the registry has. The rest follows in bulk if there is enough of it.

use rustc_hash::{FxHashMap, FxHashSet};

use super::ImportError;
use super::gather::{Draft, Head, Index, Links, default_month, is_own, unit_in};
use super::rejects::{Fault, KeptCells};
use super::row::{CommuneRow, Fact, Goal, PersonRow, Said, Status};
use crate::kernel::bulk::{BulkFact, BulkHousehold, BulkPerson, BulkValue};
use crate::kernel::catalogue::builtin;
use crate::kernel::operation::{
    Answer, Destination, InitialFact, NewPerson, OPERATIONS_MAX, Operation, Refusal, Subject,
};
use crate::kernel::{BulkBatch, BulkLoader, BulkSummary, Entered, View, WriteError, WriteTransaction};
use crate::types::{
    CommuneCode, Dossier, HouseholdId, HouseholdNumber, Identifier, Month, PersonNumber, ProvisionalId,
    Sequence, Value,
};

/// Rows that the registry refused, with the reason.
#[derive(Debug)]
pub(super) struct Refused {
    pub(super) line: u64,
    pub(super) cells: KeptCells,
    pub(super) keys: Vec<u64>,
    pub(super) household: Option<u64>,
    pub(super) fault: Fault,
}

/// A line with its cells, for refusals that come after the row was read.
#[derive(Debug, Clone)]
struct Origin {
    line: u64,
    cells: KeptCells,
    keys: Vec<u64>,
}

impl Origin {
    fn of(row: &PersonRow) -> Self {
        Self {
            line: row.line,
            cells: row.cells.clone(),
            keys: keys(row).collect(),
        }
    }
}

fn keys(row: &PersonRow) -> impl Iterator<Item = u64> {
    row.identifier.iter().chain(&row.former).map(|id| id.key())
}

/// What waits until everyone is there.
#[derive(Debug, Default)]
struct Later {
    identifiers: Vec<(PersonNumber, Identifier, usize)>,
    moves: Vec<(PersonNumber, Month, Goal, usize)>,
    heads: Vec<(HouseholdNumber, Month, Head, usize)>,
    facts: Vec<(Subject, Month, Fact, usize)>,
    closings: Vec<(PersonNumber, Status, usize)>,
}

/// A household as the kernel takes it, and the facts that must wait for somebody: of the person at a position, or of
/// the household.
type Converted = (BulkHousehold, Vec<(Option<usize>, Fact)>);

/// Who is who.
struct Book<'a> {
    view: &'a View,
    index: &'a Index,
    /// The people entered by operations, by the keys of their IDs.
    numbers: FxHashMap<u64, PersonNumber>,
}

/// Provisional IDs for those who have none, where the file has provisional IDs of its own. They are given from the
/// greatest number down, so that they keep out of the way of those that the registry makes.
struct Provisionals {
    next: u64,
    step: u64,
}

impl Provisionals {
    /// One sequence of all numbers.
    const ALL: Self = Self {
        next: ProvisionalId::LIMIT,
        step: 1,
    };

    /// The sequence of one part of several, so that parts give different numbers in any order.
    const fn of_part(&self, part: usize, parts: usize) -> Self {
        Self {
            next: self.next.saturating_sub(part as u64),
            step: parts as u64,
        }
    }

    /// The next number.
    fn draw(&mut self) -> Option<ProvisionalId> {
        let number = self.next.checked_sub(1)?;
        self.next = self.next.saturating_sub(self.step);
        ProvisionalId::from_number(number)
    }
}

/// The households of a transaction.
pub(super) struct Entry<'a, 's> {
    transaction: &'a mut WriteTransaction<'s>,
    book: Book<'a>,
    provisionals: Provisionals,
    lines: FxHashMap<u64, PersonNumber>,
    households: FxHashMap<u64, HouseholdNumber>,
    /// Where people entered here live, by month.
    places: FxHashMap<PersonNumber, Vec<(Month, Destination)>>,
    later: Later,
    origins: Vec<Origin>,
    pub(super) refused: Vec<Refused>,
    pub(super) people: u64,
    pub(super) new_households: u64,
    pub(super) changed: bool,
}

/// A refusal, or an error that ends the import.
fn told(error: WriteError) -> Result<Refusal, ImportError> {
    match error {
        WriteError::Refused(Refusal::Limit { max, .. }) if max == OPERATIONS_MAX as u64 => {
            Err(ImportError::TooManyOperations)
        }
        WriteError::Refused(refusal) => Ok(refusal),
        error => Err(error.into()),
    }
}

impl Book<'_> {
    fn person_number(&self, identifier: Identifier) -> Result<Option<PersonNumber>, ImportError> {
        if let Some(&number) = self.numbers.get(&identifier.key()) {
            return Ok(Some(number));
        }
        Ok(self.view.find_person(identifier, Sequence::NEWEST)?)
    }

    /// The ID with which a person is inserted: the oldest. Where the file has provisional IDs of its own, those given
    /// here keep out of their way.
    fn first_identifier(
        &self,
        row: &PersonRow,
        provisionals: &mut Provisionals,
    ) -> Result<Option<Identifier>, ImportError> {
        if let Some(&identifier) = row.former.first().or(row.identifier.as_ref()) {
            return Ok(Some(identifier));
        }
        if !self.index.provisional {
            return Ok(None);
        }
        while let Some(id) = provisionals.draw() {
            let taken =
                self.index.has(id.into()) || self.view.find_person(id.into(), Sequence::NEWEST)?.is_some();
            if !taken {
                return Ok(Some(id.into()));
            }
        }
        Ok(None)
    }

    /// A fact for a bulk load; `None` if it refers to somebody who is not there yet.
    fn bulk_fact(&self, fact: &Fact, draft: &Draft) -> Result<Option<BulkFact>, ImportError> {
        let value = match fact.value {
            Said::Value(value) => Some(BulkValue::Value(value)),
            Said::Person(other) => match draft.people.iter().position(|row| is_own(row, other)) {
                Some(at) => Some(BulkValue::Member(at as u16)),
                None => self
                    .person_number(other)?
                    .map(|number| BulkValue::Value(Value::Person(number))),
            },
        };
        Ok(value.map(|value| BulkFact {
            attribute: fact.attribute,
            value,
            from: fact.from,
            until: fact.until,
            document: fact.document.clone(),
        }))
    }

    /// Converts a household. Facts about people who are not there yet must wait.
    fn bulk_household(
        &self,
        draft: &Draft,
        commune: CommuneCode,
        provisionals: &mut Provisionals,
    ) -> Result<Converted, ImportError> {
        let mut waiting = Vec::new();
        let mut facts = Vec::with_capacity(draft.facts.len());
        for fact in &draft.facts {
            match self.bulk_fact(fact, draft)? {
                Some(fact) => facts.push(fact),
                None => waiting.push((None, fact.clone())),
            }
        }
        let mut people = Vec::with_capacity(draft.people.len());
        for (at, row) in draft.people.iter().enumerate() {
            let mut facts = Vec::with_capacity(row.facts.len() + 1);
            for fact in &row.facts {
                match self.bulk_fact(fact, draft)? {
                    Some(fact) => facts.push(fact),
                    None => waiting.push((Some(at), fact.clone())),
                }
            }
            if let Some((date, document)) = &row.death {
                facts.push(BulkFact {
                    attribute: builtin::DEATH,
                    value: BulkValue::Value(Value::Date(*date)),
                    from: Some(date.month()),
                    until: None,
                    document: document.clone(),
                });
            }
            people.push(BulkPerson {
                identifier: self.first_identifier(row, provisionals)?,
                birth: row.birth,
                sex: row.sex,
                from: row.from.unwrap_or(draft.from),
                facts,
                dossier: dossier(row),
                moves: Vec::new(),
            });
        }
        let household = BulkHousehold {
            id: draft.id,
            commune,
            from: draft.from,
            head: draft.simple_head(),
            facts,
            people,
            moves: draft.moves.clone(),
        };
        Ok((household, waiting))
    }
}

impl Book<'_> {
    /// Adds a household to a batch.
    fn prepare(
        &self,
        draft: Draft,
        provisionals: &mut Provisionals,
        batch: &mut BulkBatch<'_>,
        taken: &mut Taken,
    ) -> Result<(), ImportError> {
        let Some(commune) = draft.commune else {
            return Ok(());
        };
        let (household, waiting) = self.bulk_household(&draft, commune, provisionals)?;
        if !waiting.is_empty() {
            let reason = "it refers to somebody who was not entered";
            refuse_draft(&mut taken.refused, &draft, &reason);
            return Ok(());
        }
        match batch.add(&household) {
            Ok(()) => taken.drafts.push(draft),
            Err(error) => refuse_draft(&mut taken.refused, &draft, &told(error)?),
        }
        Ok(())
    }
}

impl<'a, 's> Entry<'a, 's> {
    pub(super) fn new(transaction: &'a mut WriteTransaction<'s>, view: &'a View, index: &'a Index) -> Self {
        Self {
            transaction,
            book: Book {
                view,
                index,
                numbers: FxHashMap::default(),
            },
            provisionals: Provisionals::ALL,
            lines: FxHashMap::default(),
            households: FxHashMap::default(),
            places: FxHashMap::default(),
            later: Later::default(),
            origins: Vec::new(),
            refused: Vec::new(),
            people: 0,
            new_households: 0,
            changed: false,
        }
    }

    fn origin(&mut self, origin: Origin) -> usize {
        self.origins.push(origin);
        self.origins.len() - 1
    }

    /// Makes a change that belongs to a row; a refusal is noted.
    fn apply(&mut self, operation: &Operation, origin: usize) -> Result<Option<Answer>, ImportError> {
        match self.transaction.apply(operation) {
            Ok(answer) => {
                self.changed |= answer.changed();
                Ok(Some(answer))
            }
            Err(error) => {
                self.refuse(origin, told(error)?);
                Ok(None)
            }
        }
    }

    fn refuse(&mut self, origin: usize, reason: impl ToString) {
        let Origin { line, cells, keys } = self.origins[origin].clone();
        if self.refused.iter().all(|refused| refused.line != line) {
            self.refused.push(Refused {
                line,
                cells,
                keys,
                household: None,
                fault: Fault::new("", "", reason),
            });
        }
    }

    /// The facts of a commune.
    pub(super) fn commune(&mut self, row: &CommuneRow) {
        let from = row
            .from
            .unwrap_or_else(|| default_month(self.book.view, row.code, Month::MIN));
        let origin = self.origin(Origin {
            line: row.line,
            cells: row.cells.clone(),
            keys: Vec::new(),
        });
        match unit_in(self.book.view, row.code, from) {
            Ok(unit) => {
                for fact in &row.facts {
                    let entry = (Subject::Commune(unit), from, fact.clone(), origin);
                    self.later.facts.push(entry);
                }
            }
            Err(reason) => self.refuse(origin, reason),
        }
    }

    /// Enters a household by operations; what must wait for others is kept for [`Entry::finish`].
    pub(super) fn by_operations(&mut self, draft: &Draft) -> Result<(), ImportError> {
        let Some(commune) = draft.commune.filter(|_| draft.existing.is_none()) else {
            return self.one_by_one(draft);
        };
        let (household, waiting) = self.book.bulk_household(draft, commune, &mut self.provisionals)?;
        let entered = match self.transaction.enter_household(&household) {
            Ok(entered) => entered,
            Err(error) => {
                refuse_draft(&mut self.refused, draft, &told(error)?);
                return Ok(());
            }
        };
        self.changed = true;
        let origins = self.note_people(draft, &entered);
        let lives = match entered.household {
            Some(number) => Destination::Household(number),
            None => match unit_in(self.book.view, commune, draft.from) {
                Ok(unit) => Destination::Unit(unit),
                Err(_) => Destination::Away,
            },
        };
        for (person, &number) in household.people.iter().zip(&entered.people) {
            self.places.insert(number, vec![(person.from, lives)]);
        }
        let Some(number) = entered.household else {
            for (at, fact) in waiting {
                self.wait_for_person(draft, &entered, at, fact, &origins);
            }
            return Ok(());
        };
        self.new_households += 1;
        let own = match origins.first() {
            Some(&first) if draft.cells.is_empty() => first,
            _ => self.origin(Origin {
                line: draft.line,
                cells: draft.cells.clone(),
                keys: Vec::new(),
            }),
        };
        for (at, fact) in waiting {
            match at {
                None => self
                    .later
                    .facts
                    .push((Subject::Household(number), draft.from, fact, own)),
                Some(_) => self.wait_for_person(draft, &entered, at, fact, &origins),
            }
        }
        if household.head.is_none() {
            for &(month, head) in &draft.heads {
                self.later.heads.push((number, month, head, own));
            }
        }
        Ok(())
    }

    fn wait_for_person(
        &mut self,
        draft: &Draft,
        entered: &Entered,
        at: Option<usize>,
        fact: Fact,
        origins: &[usize],
    ) {
        let Some(at) = at else { return };
        let from = draft.people[at].from.unwrap_or(draft.from);
        let subject = Subject::Person(entered.people[at]);
        self.later.facts.push((subject, from, fact, origins[at]));
    }

    /// Remembers the numbers of people, and what of them must wait. Gives their origins.
    fn note_people(&mut self, draft: &Draft, entered: &Entered) -> Vec<usize> {
        if let (Some(id), Some(number)) = (draft.id, entered.household) {
            self.households.insert(id.packed(), number);
        }
        let mut origins = Vec::with_capacity(draft.people.len());
        for (row, &number) in draft.people.iter().zip(&entered.people) {
            let origin = self.origin(Origin::of(row));
            origins.push(origin);
            self.people += 1;
            self.lines.insert(row.line, number);
            for key in keys(row) {
                self.book.numbers.insert(key, number);
            }
            let assigned = row.former.iter().chain(&row.identifier).skip(1);
            let assigned = assigned.map(|&identifier| (number, identifier, origin));
            self.later.identifiers.extend(assigned);
            let moves = row
                .moves
                .iter()
                .map(|&(month, goal)| (number, month, goal, origin));
            self.later.moves.extend(moves);
            if row.status != Status::Open {
                self.later.closings.push((number, row.status, origin));
            }
        }
        origins
    }

    /// Enters people who live nowhere, or whose household the registry has.
    fn one_by_one(&mut self, draft: &Draft) -> Result<(), ImportError> {
        let lives = draft.existing.map_or(Destination::Away, Destination::Household);
        for row in &draft.people {
            let from = row.from.unwrap_or(draft.from);
            let identifier = self.book.first_identifier(row, &mut self.provisionals)?;
            let mut facts = Vec::with_capacity(row.facts.len());
            let mut waiting = Vec::new();
            for fact in &row.facts {
                match fact.value {
                    Said::Value(value) => facts.push(InitialFact {
                        attribute: fact.attribute,
                        value,
                        from: fact.from,
                        until: fact.until,
                        document: fact.document.clone(),
                    }),
                    Said::Person(_) => waiting.push(fact.clone()),
                }
            }
            let new = NewPerson {
                identifier,
                birth: row.birth,
                sex: row.sex,
                lives,
                from,
                facts,
                dossier: dossier(row),
            };
            let own = self.origin(Origin::of(row));
            let inserted = self.apply(&Operation::InsertPerson(Box::new(new)), own)?;
            let person = match inserted {
                Some(Answer::PersonCreated(person)) => person,
                Some(_) => {
                    self.refuse(own, "the registry has somebody under this ID already");
                    continue;
                }
                None => continue,
            };
            let entered = Entered {
                household: None,
                people: vec![person],
            };
            let single = Draft {
                people: vec![row.clone()],
                ..draft.clone()
            };
            self.note_people(&single, &entered);
            self.places.insert(person, vec![(from, lives)]);
            for fact in waiting {
                self.later.facts.push((Subject::Person(person), from, fact, own));
            }
            if let Some((date, document)) = &row.death {
                let (date, document) = (*date, document.clone());
                let death = Operation::RecordDeath {
                    person,
                    date,
                    document,
                };
                self.apply(&death, own)?;
            }
        }
        Ok(())
    }

    /// Makes the changes that waited until everyone is there.
    pub(super) fn finish(&mut self) -> Result<(), ImportError> {
        let later = std::mem::take(&mut self.later);
        for (person, identifier, origin) in later.identifiers {
            self.apply(&Operation::AssignIdentifier { person, identifier }, origin)?;
        }
        for (person, from, goal, origin) in later.moves {
            self.move_person(person, from, goal, origin)?;
        }
        for (household, from, head, origin) in later.heads {
            self.change_head(household, from, head, origin)?;
        }
        for (subject, began, fact, origin) in later.facts {
            let value = match fact.value {
                Said::Value(value) => Some(value),
                Said::Person(other) => self.book.person_number(other)?.map(Value::Person),
            };
            let Some(value) = value else {
                self.refuse(origin, "it refers to somebody who was not entered");
                continue;
            };
            let record = Operation::Record {
                subject,
                attribute: fact.attribute,
                value,
                from: fact.from.unwrap_or(began),
                until: fact.until,
                document: fact.document,
            };
            self.apply(&record, origin)?;
        }
        self.close_records(later.closings)
    }

    fn move_person(
        &mut self,
        person: PersonNumber,
        from: Month,
        goal: Goal,
        origin: usize,
    ) -> Result<(), ImportError> {
        let to = match goal {
            Goal::Away => Destination::Away,
            Goal::Commune(code) => match unit_in(self.book.view, code, from) {
                Ok(unit) => Destination::Unit(unit),
                Err(reason) => {
                    self.refuse(origin, reason);
                    return Ok(());
                }
            },
            Goal::Household(id) => {
                let entered = self.households.get(&id.packed()).copied();
                let number = match entered {
                    Some(number) => Some(number),
                    None => self.book.view.find_household(id, Sequence::NEWEST)?,
                };
                let Some(number) = number else {
                    self.refuse(origin, format!("household {id} was not entered"));
                    return Ok(());
                };
                Destination::Household(number)
            }
        };
        if self
            .apply(&Operation::MovePerson { person, to, from }, origin)?
            .is_some()
        {
            self.places.entry(person).or_default().push((from, to));
        }
        Ok(())
    }

    /// Makes somebody the head. A head on record need not be a member any more; the change itself is only possible
    /// for a member, so such a person is one while it is made.
    fn change_head(
        &mut self,
        household: HouseholdNumber,
        from: Month,
        head: Head,
        origin: usize,
    ) -> Result<(), ImportError> {
        let found = match head {
            Head::Line(line, _) => self.lines.get(&line).copied(),
            Head::Person(identifier) => self.book.person_number(identifier)?,
        };
        let Some(person) = found else {
            self.refuse(origin, "the head was not entered");
            return Ok(());
        };
        let change = Operation::ChangeHead {
            household,
            head: person,
            from,
        };
        let refusal = match self.transaction.apply(&change) {
            Ok(_) => return Ok(()),
            Err(error) => told(error)?,
        };
        let Some(places) = self
            .places
            .get(&person)
            .filter(|_| matches!(refusal, Refusal::NotMember { .. }))
        else {
            self.refuse(origin, refusal);
            return Ok(());
        };
        let place = places.iter().rev().find(|(month, _)| *month <= from);
        let back = place.map_or(Destination::Away, |&(_, place)| place);
        for (to, then) in [(Destination::Household(household), true), (back, false)] {
            // A unit that was merged since is named by its successor.
            let to = match to {
                Destination::Unit(unit) => self
                    .book
                    .view
                    .follow(unit, from, Sequence::NEWEST)
                    .map_or(Destination::Away, Destination::Unit),
                other => other,
            };
            self.apply(&Operation::MovePerson { person, to, from }, origin)?;
            if then {
                self.apply(&change, origin)?;
            }
        }
        Ok(())
    }

    /// Merges records and marks errors. A record that others are merged into must be open until they are.
    fn close_records(&mut self, mut closings: Vec<(PersonNumber, Status, usize)>) -> Result<(), ImportError> {
        while !closings.is_empty() {
            let mut needed: FxHashSet<PersonNumber> = FxHashSet::default();
            for &(_, status, _) in &closings {
                if let Status::MergedInto(into) = status {
                    needed.extend(self.book.person_number(into)?);
                }
            }
            let (ready, waiting): (Vec<_>, Vec<_>) = closings
                .into_iter()
                .partition(|(person, ..)| !needed.contains(person));
            if ready.is_empty() {
                for (_, _, origin) in waiting {
                    self.refuse(origin, "the records are merged into each other in a circle");
                }
                return Ok(());
            }
            for (person, status, origin) in ready {
                let operation = match status {
                    Status::Open => continue,
                    Status::EnteredInError => Operation::MarkEnteredInError { person },
                    Status::MergedInto(into) => {
                        let Some(into) = self.book.person_number(into)? else {
                            self.refuse(origin, "the record into which it is merged was not entered");
                            continue;
                        };
                        let duplicate = person;
                        Operation::MergePerson { duplicate, into }
                    }
                };
                self.apply(&operation, origin)?;
            }
            closings = waiting;
        }
        Ok(())
    }

    /// Goes on with a bulk load. Everyone to whom the rest refers must be there.
    pub(super) fn into_bulk(self) -> Result<Sealed<'a, 's>, ImportError> {
        Ok(Sealed {
            loader: self.transaction.bulk()?,
            book: self.book,
            provisionals: self.provisionals,
            refused: self.refused,
        })
    }
}

/// The rest of the households, in bulk.
pub(super) struct Sealed<'a, 's> {
    loader: BulkLoader<'a, 's>,
    book: Book<'a>,
    provisionals: Provisionals,
    refused: Vec<Refused>,
}

/// What became of the drafts of a part: those that a batch took, and what was refused of the others.
struct Taken {
    drafts: Vec<Draft>,
    refused: Vec<Refused>,
}

impl Sealed<'_, '_> {
    /// Enters the households that `drafts` gives of each part, those of one commune together. `done` hears how many
    /// people were entered so far.
    pub(super) fn add(
        &mut self,
        workers: usize,
        parts: usize,
        drafts: impl Fn(usize) -> Result<Vec<Draft>, ImportError> + Sync,
        mut done: impl FnMut(u64),
    ) -> Result<(), ImportError> {
        let (book, provisionals, refused) = (&self.book, &self.provisionals, &mut self.refused);
        let mut people = 0;
        self.loader.add_batches(
            workers,
            parts,
            |part, batch| {
                let mut provisionals = provisionals.of_part(part, parts);
                let mut taken = Taken {
                    drafts: Vec::new(),
                    refused: Vec::new(),
                };
                for draft in drafts(part)? {
                    book.prepare(draft, &mut provisionals, batch, &mut taken)?;
                }
                Ok(taken)
            },
            |taken, entered| {
                refused.extend(taken.refused);
                for (at, refusal) in entered.refused {
                    refuse_draft(refused, &taken.drafts[at], &refusal);
                }
                people += entered.people;
                done(people);
                Ok(())
            },
        )
    }

    /// Ends the load, unless something was refused: then the transaction is of no more use.
    pub(super) fn finish(self) -> Result<(BulkSummary, Vec<Refused>), ImportError> {
        if self.refused.is_empty() {
            return Ok((self.loader.finish()?, self.refused));
        }
        let nothing = BulkSummary {
            people: 0,
            households: 0,
        };
        Ok((nothing, self.refused))
    }
}

/// Everything of a household is refused.
fn refuse_draft(refused: &mut Vec<Refused>, draft: &Draft, reason: &impl ToString) {
    let fault = Fault::new("", "", reason.to_string());
    let household = draft.id.map(HouseholdId::packed);
    if !draft.cells.is_empty() {
        refused.push(Refused {
            line: draft.line,
            cells: draft.cells.clone(),
            keys: Vec::new(),
            household,
            fault: fault.clone(),
        });
    }
    refused.extend(draft.people.iter().map(|row| Refused {
        line: row.line,
        cells: row.cells.clone(),
        keys: keys(row).collect(),
        household,
        fault: fault.clone(),
    }));
}

fn dossier(row: &PersonRow) -> Dossier {
    Dossier {
        name: row.name.clone(),
        address: row.address.clone(),
        account: row.account.clone(),
        documents: Vec::new(),
    }
}

/// Whether a household must be entered by operations, ahead of a bulk load.
pub(super) fn needs_operations(draft: &Draft, links: &Links) -> bool {
    draft.special
        || draft.id.is_some_and(|id| links.households.contains(&id.packed()))
        || draft
            .people
            .iter()
            .any(|row| keys(row).any(|key| links.people.contains(&key)))
}
