//! Households put together from their rows, and everything checked that takes more than one row or the registry.

use bincode::{Decode, Encode};
use rustc_hash::{FxHashMap, FxHashSet};

use super::grammar;
use super::rejects::{Fault, KeptCells, Rejects};
use super::row::{Fact, Goal, HouseholdRow, PersonRow, Said, Status};
use super::spill::Encoded;
use super::{ImportError, PARTS, RECORD_MONTH};
use crate::kernel::View;
use crate::kernel::operation::MEMBERS_MAX;
use crate::types::{CommuneCode, HouseholdId, HouseholdNumber, Identifier, Month, Sequence, UnitNumber};

/// Every ID and household of a file.
#[derive(Debug, Default)]
pub(super) struct Index {
    /// Keys of IDs with their lines, ascending.
    ids: Vec<(u64, u64)>,
    /// Numbers of household IDs, ascending.
    households: Vec<u64>,
    /// For each line that has an ID of another: the ID and the other line.
    doubles: FxHashMap<u64, Vec<(u64, u64)>>,
    /// Whether the file has provisional IDs.
    pub(super) provisional: bool,
}

impl Index {
    /// Notes the IDs of a person's row.
    pub(super) fn note(&mut self, row: &PersonRow) {
        for identifier in row.identifier.iter().chain(&row.former) {
            self.provisional |= matches!(identifier, Identifier::Provisional(_));
            self.ids.push((identifier.key(), row.line));
        }
        if let Some(id) = row.household {
            self.note_household(id);
        }
    }

    /// Notes that a household is in the file.
    pub(super) fn note_household(&mut self, id: HouseholdId) {
        if self.households.last() != Some(&id.packed()) {
            self.households.push(id.packed());
        }
    }

    /// Adds what was noted of the rows that come next.
    pub(super) fn absorb(&mut self, next: Self) {
        self.ids.extend(next.ids);
        self.households.extend(next.households);
        self.provisional |= next.provisional;
    }

    /// To be called when every row was noted.
    pub(super) fn finish(&mut self) {
        self.ids.sort_unstable();
        self.households.sort_unstable();
        self.households.dedup();
        for same in self.ids.chunk_by(|a, b| a.0 == b.0).filter(|same| same.len() > 1) {
            // Ascending, so that the lines of one ID are too; on one line it may stand several times.
            let (first, last) = (same[0].1, same[same.len() - 1].1);
            for lines in same.chunk_by(|a, b| a.1 == b.1) {
                let (key, line) = lines[0];
                let other = if line == first { last } else { first };
                self.doubles.entry(line).or_default().push((key, other));
            }
        }
    }

    /// Whether an ID stands in the file.
    pub(super) fn has(&self, identifier: Identifier) -> bool {
        let key = identifier.key();
        let at = self.ids.partition_point(|entry| entry.0 < key);
        self.ids.get(at).is_some_and(|entry| entry.0 == key)
    }

    fn has_household(&self, id: HouseholdId) -> bool {
        self.households.binary_search(&id.packed()).is_ok()
    }
}

/// The head of a household from a month on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub(super) enum Head {
    /// The person of this line, of the same household; with the ID where the household's row names it.
    Line(u64, Option<Identifier>),
    Person(Identifier),
}

impl Head {
    /// The head when the people of the household are those for whom `is_left` holds: a row that names somebody else
    /// still names them, the mark on a person's row goes with the row.
    pub(super) fn among(self, is_left: impl Fn(u64) -> bool) -> Option<Self> {
        match self {
            Self::Line(line, named) if !is_left(line) => named.map(Self::Person),
            head => Some(head),
        }
    }
}

/// A household with its people, or one person without, checked as far as the file and the registry allow.
#[derive(Debug, Clone, Encode, Decode)]
pub(super) struct Draft {
    /// The line of the household's row, or the first of its people's.
    pub(super) line: u64,
    /// The cells of the household's row; empty if it has none.
    pub(super) cells: KeptCells,
    pub(super) id: Option<HouseholdId>,
    /// The household, if the registry has it.
    pub(super) existing: Option<HouseholdNumber>,
    /// `None` for someone who lives nowhere, and for a household that the registry has.
    pub(super) commune: Option<CommuneCode>,
    pub(super) from: Month,
    pub(super) facts: Vec<Fact>,
    pub(super) moves: Vec<(Month, CommuneCode)>,
    /// By month, ascending.
    pub(super) heads: Vec<(Month, Head)>,
    /// Each with its first month.
    pub(super) people: Vec<PersonRow>,
    /// Takes operations that a bulk load has not.
    pub(super) special: bool,
}

/// What later passes must know of the whole file.
#[derive(Debug, Default)]
pub(super) struct Links {
    /// People to whom rows of other households refer, by key.
    pub(super) people: FxHashSet<u64>,
    /// Households to which people move.
    pub(super) households: FxHashSet<u64>,
    /// People whose rows were rejected, by key.
    pub(super) gone: FxHashSet<u64>,
    /// Households of which nothing is left.
    pub(super) gone_households: FxHashSet<u64>,
}

impl Links {
    /// Adds those of another part of the file.
    pub(super) fn absorb(&mut self, other: Self) {
        self.people.extend(other.people);
        self.households.extend(other.households);
        self.gone.extend(other.gone);
        self.gone_households.extend(other.gone_households);
    }
}

/// The second pass over one part of the rows.
pub(super) struct Gather<'a> {
    pub(super) view: &'a View,
    pub(super) index: &'a Index,
    pub(super) found: Found,
}

/// What the second pass finds.
#[derive(Default)]
pub(super) struct Found {
    pub(super) rejects: Rejects,
    pub(super) drafts: Encoded,
    pub(super) links: Links,
    pub(super) existing: u64,
    pub(super) people: u64,
}

/// A household while it is put together.
struct Group {
    rows: Vec<HouseholdRow>,
    people: Vec<PersonRow>,
    /// For each of `rows`.
    row_faults: Vec<Vec<Fault>>,
    /// For each of `people`.
    faults: Vec<Vec<Fault>>,
}

/// The first month of a record that gives none: the first, from `not_before` and from July 2025 on, in which a
/// commune of the code exists.
pub(super) fn default_month(view: &View, code: CommuneCode, not_before: Month) -> Month {
    let first = RECORD_MONTH.max(not_before);
    if matches!(view.find_unit(code, first, Sequence::NEWEST), Ok(Some(_))) {
        return first;
    }
    let later = view
        .units()
        .iter()
        .filter(|unit| unit.declared.code == code && unit.declared.from > first);
    later.map(|unit| unit.declared.from).min().unwrap_or(first)
}

/// The unit of a code in a month, or what is wrong.
pub(super) fn unit_in(view: &View, code: CommuneCode, month: Month) -> Result<UnitNumber, String> {
    if let Ok(Some(unit)) = view.find_unit(code, month, Sequence::NEWEST) {
        return Ok(unit);
    }
    let mut spans: Vec<String> = Vec::new();
    for unit in view.units().iter().filter(|unit| unit.declared.code == code) {
        let last = unit
            .end
            .map_or_else(String::new, |end| format!(" until {}", end.last));
        spans.push(format!("from {}{last}", unit.declared.from));
    }
    Err(if spans.is_empty() {
        format!("there is no commune {code}; expected the code of a commune that the registry has")
    } else {
        format!(
            "commune {code} does not exist in {month}; it exists {}",
            spans.join(" and ")
        )
    })
}

impl Gather<'_> {
    fn known(&self, identifier: Identifier) -> Result<bool, ImportError> {
        Ok(self.index.has(identifier) || self.view.find_person(identifier, Sequence::NEWEST)?.is_some())
    }

    fn column_of(&self, fact: &Fact) -> String {
        if fact.from.is_some() {
            return "history".to_owned();
        }
        let attribute = self.view.catalogue().attribute_by_number(fact.attribute);
        attribute.map_or_else(String::new, grammar::attribute_name)
    }

    fn name_of(&self, fact: &Fact) -> String {
        let attribute = self.view.catalogue().attribute_by_number(fact.attribute);
        attribute.map_or_else(String::new, grammar::attribute_name)
    }

    /// A person without a household.
    pub(super) fn person(&mut self, mut row: PersonRow) -> Result<(), ImportError> {
        let mut faults = Vec::new();
        let born = row.birth.earliest_month();
        let (mut commune, mut unit) = (None, 0);
        match row.lives {
            None => faults.push(Fault::new(
                "commune",
                "",
                "the row has neither a commune nor a household_id; expected one of them",
            )),
            Some(Goal::Commune(code)) => {
                let from = *row
                    .from
                    .get_or_insert_with(|| default_month(self.view, code, born));
                match unit_in(self.view, code, from) {
                    Ok(number) => (commune, unit) = (Some(code), number.get()),
                    Err(reason) => faults.push(Fault::new("commune", code.to_string(), reason)),
                }
            }
            Some(_) => {
                row.from.get_or_insert(RECORD_MONTH.max(born));
            }
        }
        if let Some(fact) = row.household_facts.first() {
            let reason = "it is about a household and the row has none; expected a household_id";
            faults.push(Fault::new(self.name_of(fact), "", reason));
        }
        let from = row.from.unwrap_or(RECORD_MONTH);
        self.check_person(&row, from, &mut faults)?;
        let mut exists = false;
        if faults.is_empty() {
            exists = self.exists(&row, None, from, &mut faults)?;
        }
        if !faults.is_empty() {
            self.reject_person(row, faults);
            return Ok(());
        }
        if exists {
            self.found.existing += 1;
            return Ok(());
        }
        self.link(std::slice::from_ref(&row));
        self.found.people += 1;
        let special = commune.is_none() || is_special(&row);
        let draft = Draft {
            line: row.line,
            cells: KeptCells::default(),
            id: None,
            existing: None,
            commune,
            from,
            facts: Vec::new(),
            moves: Vec::new(),
            heads: Vec::new(),
            people: vec![row],
            special,
        };
        self.push(unit, &draft);
        Ok(())
    }

    fn push(&mut self, unit: u16, draft: &Draft) {
        // Neighbouring units share a part, so that the parts in turn give the units in order.
        let units = self.view.units().len().max(1);
        let part = (usize::from(unit).saturating_sub(1) * PARTS / units).min(PARTS - 1);
        self.found.drafts.push(part, &(unit, draft));
    }

    fn reject_person(&mut self, row: PersonRow, faults: Vec<Fault>) {
        let identifiers = row.identifier.iter().chain(&row.former);
        self.found.links.gone.extend(identifiers.map(|id| id.key()));
        self.found.rejects.push(row.line, row.cells, faults);
    }

    /// Checks a person whose first month is settled.
    fn check_person(&self, row: &PersonRow, from: Month, faults: &mut Vec<Fault>) -> Result<(), ImportError> {
        let born = row.birth.earliest_month();
        if from < born {
            let reason = format!(
                "the record begins before the birth ({}); expected {born} or later",
                row.birth
            );
            faults.push(Fault::new("from", from.to_string(), reason));
        }
        for &(key, other) in self.index.doubles.get(&row.line).into_iter().flatten() {
            let identifier = Identifier::from_key(key).map_or_else(String::new, |id| id.to_string());
            let column = if row.identifier.is_some_and(|id| id.key() == key) {
                "person_id"
            } else {
                "former_ids"
            };
            let reason = if other == row.line {
                format!("line {} gives this ID twice; expected it once", row.line)
            } else {
                format!(
                    "lines {} and {} both have this ID; expected each person once",
                    row.line.min(other),
                    row.line.max(other)
                )
            };
            faults.push(Fault::new(column, identifier, reason));
        }
        self.check_facts(&row.facts, from, Some(row), faults)?;
        if let Some((date, _)) = row.death.as_ref().filter(|(date, _)| date.month() < born) {
            let reason = format!("the death is before the birth ({})", row.birth);
            faults.push(Fault::new("history", format!("death={date}"), reason));
        }
        for &(month, goal) in &row.moves {
            let (value, problem) = match goal {
                Goal::Commune(code) => (format!("commune={code}"), unit_in(self.view, code, month).err()),
                Goal::Household(id) => {
                    let known = self.index.has_household(id)
                        || self.view.find_household(id, Sequence::NEWEST)?.is_some();
                    let reason = || "there is no such household in the file or in the registry".to_owned();
                    (format!("household={id}"), (!known).then(reason))
                }
                Goal::Away => ("away".to_owned(), None),
            };
            let early = || format!("the move is not after the first month of the record, {from}");
            if let Some(reason) = problem.or_else(|| (month <= from).then(early)) {
                faults.push(Fault::new("history", format!("{month} {value}"), reason));
            }
        }
        if let Status::MergedInto(into) = row.status {
            if is_own(row, into) {
                let reason = "a record cannot be merged into itself";
                faults.push(Fault::new("status", format!("merged:{into}"), reason));
            } else if !self.known(into)? {
                let reason = "nobody in the file or in the registry has this ID";
                faults.push(Fault::new("status", format!("merged:{into}"), reason));
            }
        }
        Ok(())
    }

    /// Checks the facts of a person or, without one, of a household.
    fn check_facts(
        &self,
        facts: &[Fact],
        began: Month,
        person: Option<&PersonRow>,
        faults: &mut Vec<Fault>,
    ) -> Result<(), ImportError> {
        for (at, fact) in facts.iter().enumerate() {
            let from = fact.from.unwrap_or(began);
            let same = |other: &Fact| {
                other.attribute == fact.attribute
                    && other.from != fact.from
                    && other.from.unwrap_or(began) == from
            };
            if facts[..at].iter().any(same) {
                let reason = format!("it is given twice from {from}: in its column and in history");
                faults.push(Fault::new("history", self.name_of(fact), reason));
            }
            if let Some(row) = person.filter(|row| from < row.birth.earliest_month()) {
                let reason = format!("{from} is before the birth ({})", row.birth);
                faults.push(Fault::new(self.column_of(fact), self.name_of(fact), reason));
            }
            let Said::Person(other) = fact.value else {
                continue;
            };
            if person.is_some_and(|row| is_own(row, other)) {
                let reason = format!(
                    "a person cannot be their own {}; expected the ID of somebody else",
                    self.name_of(fact)
                );
                faults.push(Fault::new(self.column_of(fact), other.to_string(), reason));
            } else if !self.known(other)? {
                let reason = "nobody in the file or in the registry has this ID";
                faults.push(Fault::new(self.column_of(fact), other.to_string(), reason));
            }
        }
        Ok(())
    }

    /// Whether the registry has the person already, just so. Adds a fault if it has the ID otherwise.
    fn exists(
        &self,
        row: &PersonRow,
        household: Option<HouseholdNumber>,
        from: Month,
        faults: &mut Vec<Fault>,
    ) -> Result<bool, ImportError> {
        let known = Sequence::NEWEST;
        let Some(identifier) = row.identifier else {
            return self.exists_without_id(row, household, from);
        };
        let Some(number) = self.view.find_person(identifier, known)? else {
            for &former in &row.former {
                if self.view.find_person(former, known)?.is_some() {
                    let reason = "the registry knows somebody under this ID; assign the new ID there, or leave the former one out";
                    faults.push(Fault::new("former_ids", former.to_string(), reason));
                }
            }
            return Ok(false);
        };
        let Some(state) = self.view.person(number, from, known)? else {
            return Ok(false);
        };
        let mut differs = |column: &str, value: String, what: &str, found: String| {
            let reason = format!(
                "exists with different {what}: the registry has {found}; correct the row, or the registry's record"
            );
            faults.push(Fault::new(column, value, reason));
        };
        if state.identifier != identifier {
            differs(
                "person_id",
                identifier.to_string(),
                "ID",
                state.identifier.to_string(),
            );
        } else if state.birth != row.birth {
            differs(
                "birth_date",
                row.birth.to_string(),
                "birth date",
                state.birth.to_string(),
            );
        } else if state.sex != row.sex {
            differs("sex", row.sex.to_string(), "sex", state.sex.to_string());
        } else {
            let name = self.view.dossier(number)?.name;
            if name == row.name {
                return Ok(true);
            }
            differs("name", row.name.clone(), "name", format!("{name:?}"));
        }
        Ok(false)
    }

    /// Without an ID, a member of the same household with the same name, birth date and sex is the same person.
    fn exists_without_id(
        &self,
        row: &PersonRow,
        household: Option<HouseholdNumber>,
        from: Month,
    ) -> Result<bool, ImportError> {
        let known = Sequence::NEWEST;
        let state = match household {
            Some(number) => self.view.household(number, from, known)?,
            None => None,
        };
        for member in state.into_iter().flat_map(|state| state.members) {
            let Some(other) = self.view.person(member, from, known)? else {
                continue;
            };
            if other.birth == row.birth && other.sex == row.sex && self.view.dossier(member)?.name == row.name
            {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Notes to whom these people of one household refer outside it, and where they move.
    fn link(&mut self, people: &[PersonRow]) {
        for row in people {
            for fact in row.facts.iter().chain(&row.household_facts) {
                if let Said::Person(other) = fact.value
                    && !people.iter().any(|person| is_own(person, other))
                {
                    self.found.links.people.insert(other.key());
                }
            }
            if let Status::MergedInto(into) = row.status {
                self.found.links.people.insert(into.key());
            }
            for &(_, goal) in &row.moves {
                if let Goal::Household(id) = goal {
                    self.found.links.households.insert(id.packed());
                }
            }
        }
    }

    /// A household: its row, if any, and those of its people, by line.
    pub(super) fn household(
        &mut self,
        id: HouseholdId,
        rows: Vec<HouseholdRow>,
        people: Vec<PersonRow>,
    ) -> Result<(), ImportError> {
        if people.len() > MEMBERS_MAX {
            let reason = format!(
                "household {id} has {} people in the file, at most {MEMBERS_MAX} fit; expected the ID of one household",
                people.len()
            );
            for row in people {
                let fault = Fault::new("household_id", id.to_string(), &reason);
                self.reject_person(row, vec![fault]);
            }
            return Ok(());
        }
        let mut group = Group {
            row_faults: vec![Vec::new(); rows.len()],
            faults: vec![Vec::new(); people.len()],
            rows,
            people,
        };
        for at in 1..group.rows.len() {
            let reason = format!(
                "lines {} and {} are both about this household; expected one row",
                group.rows[0].line, group.rows[at].line
            );
            group.row_faults[at].push(Fault::new("household_id", id.to_string(), reason));
        }
        let existing = self.view.find_household(id, Sequence::NEWEST)?;
        let commune = match existing {
            Some(_) => None,
            None => settle_commune(id, &mut group),
        };
        let from = self.settle_months(&mut group, commune);
        let moves = group.rows.first().map_or_else(Vec::new, |row| row.moves.clone());
        self.check_moves(&mut group, from);
        for at in 0..group.people.len() {
            let mut faults = std::mem::take(&mut group.faults[at]);
            let row = &group.people[at];
            let began = row.from.unwrap_or(from);
            if began < from && existing.is_none() {
                let reason = format!("the record begins before that of the household, {from}");
                faults.push(Fault::new("from", began.to_string(), reason));
            }
            self.check_lives(id, existing, (commune, from, &moves), row, began, &mut faults)?;
            self.check_person(row, began, &mut faults)?;
            group.faults[at] = faults;
        }
        let facts = self.settle_facts(&mut group, from);
        let heads = settle_heads(&mut group, from);
        if let Some(row) = group.rows.first() {
            let mut faults = std::mem::take(&mut group.row_faults[0]);
            self.check_facts(&row.facts, from, None, &mut faults)?;
            for &(_, head) in &row.heads {
                if !self.known(head)? {
                    let reason = "nobody in the file or in the registry has this ID";
                    faults.push(Fault::new("history", format!("head={head}"), reason));
                }
            }
            if let Some(head) = row.head
                && !self.known(head)?
            {
                let reason = "nobody in the file or in the registry has this ID";
                faults.push(Fault::new("head", head.to_string(), reason));
            }
            group.row_faults[0] = faults;
        }
        let draft = Draft {
            line: group.rows.first().map_or(0, |row| row.line),
            cells: group
                .rows
                .first()
                .map_or_else(KeptCells::default, |row| row.cells.clone()),
            id: Some(id),
            existing,
            commune,
            from,
            facts,
            moves,
            heads,
            people: Vec::new(),
            special: existing.is_some(),
        };
        self.finish_group(draft, group)
    }

    /// Rejects what has faults, passes over what exists, and passes the rest on.
    fn finish_group(&mut self, mut draft: Draft, group: Group) -> Result<(), ImportError> {
        let first_faulty = group.row_faults.first().is_some_and(|faults| !faults.is_empty());
        for (row, faults) in group.rows.into_iter().zip(group.row_faults) {
            if !faults.is_empty() {
                self.found.rejects.push(row.line, row.cells, faults);
            }
        }
        let (had_people, mut existed) = (!group.people.is_empty(), false);
        for (row, mut faults) in group.people.into_iter().zip(group.faults) {
            if first_faulty {
                let reason = format!("the row of the household, line {}, was rejected", draft.line);
                let id = draft.id.map_or_else(String::new, |id| id.to_string());
                faults.push(Fault::new("household_id", id, reason));
            }
            let from = row.from.unwrap_or(draft.from);
            let exists = faults.is_empty() && self.exists(&row, draft.existing, from, &mut faults)?;
            if !faults.is_empty() {
                self.reject_person(row, faults);
            } else if exists {
                existed = true;
                self.found.existing += 1;
            } else {
                draft.people.push(row);
            }
        }
        let nobody = draft.people.is_empty() && (had_people || draft.existing.is_some());
        if first_faulty || nobody {
            let entered = draft.existing.is_some() || existed;
            if let Some(id) = draft.id.filter(|_| !entered) {
                self.found.links.gone_households.insert(id.packed());
            }
            return Ok(());
        }
        let heads = std::mem::take(&mut draft.heads);
        let is_left = |line| draft.people.iter().any(|row| row.line == line);
        let heads = heads
            .into_iter()
            .filter_map(|(month, head)| Some((month, head.among(is_left)?)));
        draft.heads = heads.collect();
        if draft.line == 0 {
            draft.line = draft.people.first().map_or(0, |row| row.line);
        }
        self.link(&draft.people);
        for fact in &draft.facts {
            if let Said::Person(other) = fact.value
                && !draft.people.iter().any(|person| is_own(person, other))
            {
                self.found.links.people.insert(other.key());
            }
        }
        for &(_, head) in &draft.heads {
            if let Head::Person(other) = head {
                self.found.links.people.insert(other.key());
            }
        }
        let simple = draft.simple_head().is_some() || draft.heads.is_empty();
        draft.special |= draft.people.iter().any(is_special) || draft.heads.len() > 1 || !simple;
        self.found.people += draft.people.len() as u64;
        let unit = draft
            .commune
            .and_then(|code| unit_in(self.view, code, draft.from).ok());
        self.push(unit.map_or(0, UnitNumber::get), &draft);
        Ok(())
    }

    /// The first month of a household; gives its people theirs. Checks that the commune exists then.
    fn settle_months(&self, group: &mut Group, commune: Option<CommuneCode>) -> Month {
        let default = |born: Month| match commune {
            Some(code) => default_month(self.view, code, born),
            None => RECORD_MONTH.max(born),
        };
        let from = match group.rows.first() {
            Some(row) => row.from.unwrap_or_else(|| default(Month::MIN)),
            None => group
                .people
                .iter()
                .map(|row| row.from.unwrap_or_else(|| default(row.birth.earliest_month())))
                .min()
                .unwrap_or(RECORD_MONTH),
        };
        for row in &mut group.people {
            row.from.get_or_insert(if group.rows.is_empty() {
                default(row.birth.earliest_month())
            } else {
                from.max(row.birth.earliest_month())
            });
        }
        if let Some(Err(reason)) = commune.map(|code| unit_in(self.view, code, from)) {
            let text = commune.map_or_else(String::new, |code| code.to_string());
            match group.row_faults.first_mut() {
                Some(faults) => faults.push(Fault::new("commune", text, reason)),
                None => {
                    for faults in &mut group.faults {
                        faults.push(Fault::new("commune", text.clone(), reason.clone()));
                    }
                }
            }
        }
        from
    }

    fn check_moves(&self, group: &mut Group, from: Month) {
        let Some(row) = group.rows.first() else { return };
        for &(month, code) in &row.moves {
            let early = || format!("the move is not after the first month of the household, {from}");
            let problem = unit_in(self.view, code, month)
                .err()
                .or_else(|| (month <= from).then(early));
            if let Some(reason) = problem {
                group.row_faults[0].push(Fault::new("history", format!("{month} commune={code}"), reason));
            }
        }
        for &(month, head) in row.heads.iter().filter(|(month, _)| *month <= from) {
            let reason = format!(
                "the change is not after the first month of the household, {from}; expected the column head"
            );
            group.row_faults[0].push(Fault::new("history", format!("{month} head={head}"), reason));
        }
    }

    /// Checks that a member lives where the household does.
    fn check_lives(
        &self,
        id: HouseholdId,
        existing: Option<HouseholdNumber>,
        (commune, from, moves): (Option<CommuneCode>, Month, &[(Month, CommuneCode)]),
        row: &PersonRow,
        began: Month,
        faults: &mut Vec<Fault>,
    ) -> Result<(), ImportError> {
        let known = Sequence::NEWEST;
        let unit = if let Some(number) = existing {
            let state = self.view.household(number, began, known)?;
            state.and_then(|state| state.unit)
        } else {
            let last = moves.iter().rev().find(|(month, _)| *month <= began);
            let place = last.copied().or_else(|| Some((from, commune?)));
            place.and_then(|(month, code)| {
                let unit = unit_in(self.view, code, month).ok()?;
                self.view.follow(unit, began, known)
            })
        };
        match row.lives {
            Some(Goal::Away) => {
                let reason = "a member lives with the household; expected its commune or an empty cell";
                faults.push(Fault::new("commune", "away", reason));
            }
            Some(Goal::Commune(code)) if commune != Some(code) || !moves.is_empty() => {
                let own = match unit_in(self.view, code, began) {
                    Ok(own) => own,
                    Err(reason) => {
                        faults.push(Fault::new("commune", code.to_string(), reason));
                        return Ok(());
                    }
                };
                // Where the people of a household disagree among themselves, that is told already.
                let told = faults.iter().any(|fault| fault.column == "commune");
                if let Some(unit) = unit.filter(|&unit| unit != own && !told) {
                    let there = self.view.unit(unit).map(|unit| unit.declared.code);
                    let there = there.map_or_else(String::new, |code| code.to_string());
                    let reason = format!(
                        "household {id} lives in {there} in {began}, not in {code}; a household lives in one commune"
                    );
                    faults.push(Fault::new("commune", code.to_string(), reason));
                }
            }
            _ => {}
        }
        if existing.is_some() && unit.is_none() {
            let reason = format!("household {id} of the registry lives nowhere in {began}");
            faults.push(Fault::new("household_id", id.to_string(), reason));
        }
        Ok(())
    }

    /// The facts of a household, from its row and from those of its people, which must agree.
    fn settle_facts(&self, group: &mut Group, from: Month) -> Vec<Fact> {
        let mut facts: Vec<(u64, Fact)> = Vec::new();
        if let Some(row) = group.rows.first() {
            facts.extend(row.facts.iter().map(|fact| (row.line, fact.clone())));
        }
        for (row, faults) in group.people.iter().zip(&mut group.faults) {
            for fact in &row.household_facts {
                let month = fact.from.unwrap_or(from);
                let same = |(_, other): &&(u64, Fact)| {
                    other.attribute == fact.attribute && other.from.unwrap_or(from) == month
                };
                match facts.iter().find(same) {
                    None => facts.push((row.line, fact.clone())),
                    Some((line, other)) => {
                        let told = (other.value, other.until, &other.document);
                        if told != (fact.value, fact.until, &fact.document) {
                            let reason = format!(
                                "lines {line} and {} give the household different values from {month}; expected the same",
                                row.line
                            );
                            let (column, name) = (self.column_of(fact), self.name_of(fact));
                            faults.push(Fault::new(column, name, reason));
                        }
                    }
                }
            }
        }
        facts.into_iter().map(|(_, fact)| fact).collect()
    }
}

/// The commune of a household that is new.
fn settle_commune(id: HouseholdId, group: &mut Group) -> Option<CommuneCode> {
    if let Some(row) = group.rows.first() {
        if row.commune.is_none() {
            let reason = "the cell is empty; expected the commune in which the household lives";
            group.row_faults[0].push(Fault::new("commune", "", reason));
        }
        return row.commune;
    }
    let given = group.people.iter().find_map(|row| match row.lives {
        Some(Goal::Commune(code)) => Some((row.line, code)),
        _ => None,
    });
    let Some((line, commune)) = given else {
        // Who is said to be away is told so with the other checks.
        let people = group.people.iter().zip(&mut group.faults);
        for (_, faults) in people.filter(|(row, _)| row.lives.is_none()) {
            let reason = format!(
                "no row gives the commune of household {id}; expected it here or on a row of the household"
            );
            faults.push(Fault::new("commune", "", reason));
        }
        return None;
    };
    for (row, faults) in group.people.iter().zip(&mut group.faults) {
        if let Some(Goal::Commune(code)) = row.lives
            && code != commune
        {
            let reason = format!(
                "household {id} lives in {commune} on line {line} and in {code} on line {}; a household lives in one commune",
                row.line
            );
            faults.push(Fault::new("commune", code.to_string(), reason));
        }
    }
    Some(commune)
}

/// The heads of a household by month, from its row and from those of its people, which must agree.
fn settle_heads(group: &mut Group, from: Month) -> Vec<(Month, Head)> {
    let mut heads: Vec<(Month, Head, u64)> = Vec::new();
    if let Some(row) = group.rows.first() {
        let first = row.head.map(|head| (from, head));
        for (month, head) in first.into_iter().chain(row.heads.iter().copied()) {
            let member = group.people.iter().find(|person| is_own(person, head));
            // Whoever joins later cannot have been the head before.
            match member.filter(|person| person.from.is_none_or(|from| from <= month)) {
                Some(person) => heads.push((month, Head::Line(person.line, Some(head)), row.line)),
                None => heads.push((month, Head::Person(head), row.line)),
            }
        }
    }
    for (row, faults) in group.people.iter().zip(&mut group.faults) {
        if !row.head {
            continue;
        }
        let month = row.from.unwrap_or(from).max(from);
        let head = Head::Line(row.line, None);
        match heads.iter().find(|(other, ..)| *other == month) {
            None => heads.push((month, head, row.line)),
            Some((_, Head::Line(line, _), _)) if *line == row.line => {}
            Some((_, _, line)) => {
                let reason = format!(
                    "lines {line} and {} give the household two heads in {month}; expected one",
                    row.line
                );
                faults.push(Fault::new("head", "yes", reason));
            }
        }
    }
    heads.sort_by_key(|&(month, ..)| month);
    heads.into_iter().map(|(month, head, _)| (month, head)).collect()
}

/// Whether an ID is one of a row's own.
pub(super) fn is_own(row: &PersonRow, identifier: Identifier) -> bool {
    row.identifier == Some(identifier) || row.former.contains(&identifier)
}

/// Whether a row takes operations that a bulk load has not.
fn is_special(row: &PersonRow) -> bool {
    !row.former.is_empty() || !row.moves.is_empty() || row.status != Status::Open
}

impl Draft {
    /// The place of the head, if there is just one and it holds since that person is a member.
    pub(super) fn simple_head(&self) -> Option<u16> {
        let &[(month, Head::Line(line, _))] = &self.heads[..] else {
            return None;
        };
        let at = self.people.iter().position(|row| row.line == line)?;
        let from = self.people[at].from.unwrap_or(self.from).max(self.from);
        (from == month).then_some(at as u16)
    }
}
