//! The header, and each row by itself: what can be checked without any other row.

use bincode::{Decode, Encode};

use super::ImportError;
use super::grammar::{self, FIXED, Item, REJECTS};
use super::rejects::{Fault, KeptCells};
use crate::kernel::catalogue::{Attribute, Catalogue, SubjectKind, ValueError, ValueKind, nearest};
use crate::kernel::operation::{DOCUMENT_BYTES_MAX, DOSSIER_TEXT_BYTES_MAX};
use crate::types::{
    AttributeNumber, BirthDate, CommuneCode, Date, HouseholdId, Identifier, Month, Sex, Value,
};

/// What a column means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Column {
    /// One of [`REJECTS`].
    Ignored,
    /// One of [`FIXED`], by its name.
    Fixed(&'static str),
    Attribute(AttributeNumber, SubjectKind),
}

/// The columns of a file, in its order.
#[derive(Debug)]
pub(super) struct Header {
    names: Vec<String>,
    columns: Vec<Column>,
    /// The columns that are no attributes, and where they are.
    fixed: Vec<(&'static str, usize)>,
}

/// A value in a file: references to people are by ID.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub(super) enum Said {
    Value(Value),
    Person(Identifier),
}

/// A fact in a file.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub(super) struct Fact {
    pub(super) attribute: AttributeNumber,
    pub(super) value: Said,
    /// `None` for since the record began.
    pub(super) from: Option<Month>,
    pub(super) until: Option<Month>,
    pub(super) document: String,
}

/// Where someone lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub(super) enum Goal {
    Household(HouseholdId),
    Commune(CommuneCode),
    Away,
}

/// Whether the record of a person is still open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub(super) enum Status {
    Open,
    EnteredInError,
    MergedInto(Identifier),
}

/// A row of a person.
#[derive(Debug, Clone, Encode, Decode)]
pub(super) struct PersonRow {
    pub(super) line: u64,
    pub(super) cells: KeptCells,
    pub(super) identifier: Option<Identifier>,
    pub(super) former: Vec<Identifier>,
    pub(super) birth: BirthDate,
    pub(super) sex: Sex,
    pub(super) name: String,
    pub(super) address: String,
    pub(super) account: String,
    pub(super) household: Option<HouseholdId>,
    pub(super) head: bool,
    /// The commune, or away; never a household.
    pub(super) lives: Option<Goal>,
    pub(super) from: Option<Month>,
    pub(super) facts: Vec<Fact>,
    pub(super) household_facts: Vec<Fact>,
    pub(super) death: Option<(Date, String)>,
    pub(super) moves: Vec<(Month, Goal)>,
    pub(super) status: Status,
}

/// A row of a household.
#[derive(Debug, Clone, Encode, Decode)]
pub(super) struct HouseholdRow {
    pub(super) line: u64,
    pub(super) cells: KeptCells,
    pub(super) id: HouseholdId,
    pub(super) commune: Option<CommuneCode>,
    pub(super) from: Option<Month>,
    pub(super) head: Option<Identifier>,
    pub(super) facts: Vec<Fact>,
    pub(super) moves: Vec<(Month, CommuneCode)>,
    pub(super) heads: Vec<(Month, Identifier)>,
}

/// A row of a commune.
#[derive(Debug, Clone)]
pub(super) struct CommuneRow {
    pub(super) line: u64,
    pub(super) cells: KeptCells,
    pub(super) code: CommuneCode,
    pub(super) from: Option<Month>,
    pub(super) facts: Vec<Fact>,
}

/// A row.
pub(super) enum Row {
    /// No cell has a text.
    Empty,
    Person(Box<PersonRow>),
    Household(HouseholdRow),
    Commune(CommuneRow),
}

fn header_error(column: &str, reason: impl Into<String>) -> ImportError {
    ImportError::Header {
        column: column.to_owned(),
        reason: reason.into(),
    }
}

impl Header {
    /// Reads the first row.
    pub(super) fn parse(record: &csv::ByteRecord, catalogue: &Catalogue) -> Result<Self, ImportError> {
        let (mut names, mut columns): (Vec<String>, Vec<Column>) = (Vec::new(), Vec::new());
        for (at, bytes) in record.iter().enumerate() {
            let text = std::str::from_utf8(bytes).map_err(|error| {
                let reason = format!(
                    "column {} is not UTF-8 at byte {}; save the file as UTF-8",
                    at + 1,
                    error.valid_up_to() + 1
                );
                header_error(&String::from_utf8_lossy(bytes), reason)
            })?;
            let name = text.trim_start_matches('\u{feff}').trim();
            if names.iter().any(|known| known == name) {
                return Err(header_error(
                    name,
                    "the column is there twice; give each column once",
                ));
            }
            columns.push(column(name, catalogue)?);
            names.push(name.to_owned());
        }
        let has = |name| columns.contains(&Column::Fixed(name));
        if names.iter().all(String::is_empty) {
            return Err(header_error(
                "",
                "the file is empty; its first line names the columns",
            ));
        }
        for name in ["birth_date", "sex"] {
            if !has(name) && !has("record") {
                let reason = "the column is missing; people need it, and a file without people needs the column record";
                return Err(header_error(name, reason));
            }
        }
        let fixed = columns
            .iter()
            .enumerate()
            .filter_map(|(at, column)| match column {
                Column::Fixed(name) => Some((*name, at)),
                _ => None,
            });
        Ok(Self {
            fixed: fixed.collect(),
            names,
            columns,
        })
    }

    /// The names as they stand in the file.
    pub(super) fn names(&self) -> &[String] {
        &self.names
    }

    /// The cells that a file of rejected rows repeats.
    pub(super) fn kept_cells(&self, record: &csv::ByteRecord) -> KeptCells {
        let columns = self.columns.iter().enumerate();
        let kept = columns.filter(|(_, column)| **column != Column::Ignored);
        kept.map(|(at, _)| record.get(at).unwrap_or_default()).collect()
    }

    /// Reads a row. A row with faults is not taken; all of its own faults are told.
    pub(super) fn row(
        &self,
        record: &csv::ByteRecord,
        line: u64,
        catalogue: &Catalogue,
    ) -> Result<Row, Vec<Fault>> {
        if record.len() != self.columns.len() {
            let reason = format!(
                "the row has {} cells, the header {}; a cell with a comma or a line break stands in quotes",
                record.len(),
                self.columns.len()
            );
            return Err(vec![Fault::new("", "", reason)]);
        }
        let cells = self.texts(record)?;
        let has_text = |at: &usize| !cells[*at].trim().is_empty() && self.columns[*at] != Column::Ignored;
        let reader = Reader {
            header: self,
            filled: (0..cells.len()).filter(has_text).collect(),
            cells,
            catalogue,
            faults: Vec::new(),
        };
        if reader.is_empty() {
            return Ok(Row::Empty);
        }
        let kept = self.kept_cells(record);
        match reader.cell("record") {
            "" | "person" => reader.person(line, kept).map(|row| Row::Person(Box::new(row))),
            "household" => reader.household(line, kept).map(Row::Household),
            "commune" => reader.commune(line, kept).map(Row::Commune),
            other => Err(vec![Fault::new(
                "record",
                other,
                "expected person, household or commune (empty means person)",
            )]),
        }
    }

    fn texts<'r>(&self, record: &'r csv::ByteRecord) -> Result<Vec<&'r str>, Vec<Fault>> {
        // The whole row is looked at once, and cell by cell only if something is wrong.
        if let Ok(whole) = std::str::from_utf8(record.as_slice()) {
            let cells = (0..record.len()).map(|at| whole.get(record.range(at)?));
            if let Some(cells) = cells.collect() {
                return Ok(cells);
            }
        }
        let mut cells = Vec::with_capacity(record.len());
        let mut faults = Vec::new();
        for (bytes, name) in record.iter().zip(&self.names) {
            match std::str::from_utf8(bytes) {
                Ok(text) => cells.push(text),
                Err(error) => {
                    let at = error.valid_up_to();
                    let start = record.position().map_or(0, csv::Position::byte);
                    let reason = format!(
                        "byte {} of the cell (0x{:02x}) is not UTF-8, in the row that begins at byte {start} of the file; save the file as UTF-8",
                        at + 1,
                        bytes.get(at).copied().unwrap_or_default(),
                    );
                    faults.push(Fault::new(name, String::from_utf8_lossy(bytes), reason));
                }
            }
        }
        if faults.is_empty() { Ok(cells) } else { Err(faults) }
    }
}

fn column(name: &str, catalogue: &Catalogue) -> Result<Column, ImportError> {
    if REJECTS.contains(&name) {
        return Ok(Column::Ignored);
    }
    if let Some(fixed) = FIXED.iter().find(|fixed| **fixed == name) {
        return Ok(Column::Fixed(fixed));
    }
    match attribute(catalogue, name) {
        Ok(attribute) if attribute.retired => {
            let name = attribute.name.clone();
            Err(header_error(
                &name,
                ValueError::Retired { name: name.clone() }.to_string(),
            ))
        }
        Ok(attribute) => Ok(Column::Attribute(attribute.number, attribute.subject)),
        Err(_) => {
            let known: Vec<String> = catalogue
                .attributes()
                .filter(|attribute| !attribute.retired)
                .map(grammar::attribute_name)
                .collect();
            let names = known.iter().map(String::as_str).chain(FIXED);
            let hint = nearest(name, names).map_or_else(
                || {
                    "expected one of the columns of the format or an attribute of the pack in force"
                        .to_owned()
                },
                |near| format!("did you mean {near:?}?"),
            );
            Err(header_error(name, format!("there is no such column; {hint}")))
        }
    }
}

/// The attribute that the name of a column or an item means.
fn attribute<'c>(catalogue: &'c Catalogue, name: &str) -> Result<&'c Attribute, ValueError> {
    let (subject, bare) = grammar::split_name(name);
    catalogue
        .attribute(subject, bare)
        .or_else(|error| catalogue.attribute(SubjectKind::Person, name).map_err(|_| error))
}

/// One row while it is read.
struct Reader<'a> {
    header: &'a Header,
    cells: Vec<&'a str>,
    /// Where the cells with a text are.
    filled: Vec<usize>,
    catalogue: &'a Catalogue,
    faults: Vec<Fault>,
}

impl<'a> Reader<'a> {
    const fn is_empty(&self) -> bool {
        self.filled.is_empty()
    }

    /// The text of a fixed column as it stands; empty if the file has no such column.
    fn text(&self, name: &'static str) -> &'a str {
        let column = self.header.fixed.iter().find(|(fixed, _)| *fixed == name);
        column
            .and_then(|&(_, at)| self.cells.get(at).copied())
            .unwrap_or_default()
    }

    fn cell(&self, name: &'static str) -> &'a str {
        self.text(name).trim()
    }

    fn fault(&mut self, column: &str, value: &str, reason: impl ToString) {
        self.faults.push(Fault::new(column, value, reason));
    }

    /// The value of a cell; `None` if it is empty or does not fit.
    fn parse<T>(&mut self, name: &'static str) -> Option<T>
    where
        T: std::str::FromStr<Err: std::fmt::Display>,
    {
        let cell = self.cell(name);
        if cell.is_empty() {
            return None;
        }
        cell.parse()
            .map_err(|error: T::Err| self.fault(name, cell, error))
            .ok()
    }

    fn required<T>(&mut self, name: &'static str, expected: &str) -> Option<T>
    where
        T: std::str::FromStr<Err: std::fmt::Display>,
    {
        if self.cell(name).is_empty() {
            self.fault(name, "", format!("the cell is empty; expected {expected}"));
        }
        self.parse(name)
    }

    /// Refuses texts in columns that mean nothing on this kind of row.
    fn only(&mut self, kind: &str, fixed: &[&str], subjects: &[SubjectKind]) {
        for place in 0..self.filled.len() {
            let at = self.filled[place];
            let cell = self.cells[at].trim();
            let fits = match self.header.columns[at] {
                Column::Ignored => true,
                Column::Fixed(name) => fixed.contains(&name),
                Column::Attribute(_, subject) => subjects.contains(&subject),
            };
            if !fits {
                let name = self.header.names[at].clone();
                let reason = format!("a {kind} row has nothing here; expected an empty cell");
                self.fault(&name, cell, reason);
            }
        }
    }

    fn texts_of_dossier(&mut self) -> [String; 3] {
        ["name", "address", "account"].map(|name| {
            let text = self.text(name);
            if text.len() > DOSSIER_TEXT_BYTES_MAX {
                let found = text.len();
                self.fault(
                    name,
                    text,
                    format!("it has {found} bytes, at most {DOSSIER_TEXT_BYTES_MAX} fit"),
                );
            }
            text.to_owned()
        })
    }

    /// The values that stand in columns, of one kind of subject, with their documents.
    fn column_facts(&mut self, subject: SubjectKind, documents: &[(String, String)]) -> Vec<Fact> {
        let mut facts = Vec::new();
        for place in 0..self.filled.len() {
            let at = self.filled[place];
            let (Column::Attribute(number, of), cell) = (self.header.columns[at], self.cells[at].trim())
            else {
                continue;
            };
            if of != subject {
                continue;
            }
            let Some(attribute) = self.catalogue.attribute_by_number(number) else {
                continue;
            };
            let document = documents
                .iter()
                .find(|(name, _)| names_attribute(self.catalogue, name, number));
            match said(attribute, cell) {
                Ok(value) => facts.push(Fact {
                    attribute: number,
                    value,
                    from: None,
                    until: None,
                    document: document.map_or_else(String::new, |(_, text)| text.clone()),
                }),
                Err(reason) => {
                    let name = self.header.names[at].clone();
                    self.fault(&name, cell, reason);
                }
            }
        }
        facts
    }

    fn documents(&mut self, subjects: &[SubjectKind]) -> Vec<(String, String)> {
        let cell = self.text("documents");
        let documents = match grammar::parse_documents(cell) {
            Ok(documents) => documents,
            Err(error) => {
                self.fault("documents", &error.item, error.reason);
                return Vec::new();
            }
        };
        for (name, text) in &documents {
            let known =
                attribute(self.catalogue, name).map(|attribute| (attribute.number, attribute.subject));
            let problem = match known {
                Err(error) => Some(error.to_string()),
                Ok((number, subject)) => {
                    let column = Column::Attribute(number, subject);
                    let given = self.filled.iter().any(|&at| self.header.columns[at] == column);
                    (!given || !subjects.contains(&subject)).then(|| {
                        "the row has no value of this attribute in its column; the document of a dated value stands in history".to_owned()
                    })
                }
            };
            if let Some(reason) = problem {
                self.fault("documents", name, reason);
            }
            self.check_document("documents", text);
        }
        documents
    }

    fn check_document(&mut self, column: &str, text: &str) {
        if text.len() > DOCUMENT_BYTES_MAX {
            let found = text.len();
            let reason = format!("a document has {found} bytes, at most {DOCUMENT_BYTES_MAX} fit");
            self.fault(column, text, reason);
        }
    }

    fn items(&mut self) -> Vec<Item> {
        match grammar::parse_history(self.text("history")) {
            Ok(items) => {
                for item in &items {
                    self.check_document("history", &item.document);
                }
                items
            }
            Err(error) => {
                self.fault("history", &error.item, error.reason);
                Vec::new()
            }
        }
    }

    fn item_fault(&mut self, item: &Item, reason: impl ToString) {
        let mut text = String::new();
        grammar::push_item(
            &mut text,
            item.from,
            item.until,
            &item.name,
            &item.value,
            &item.document,
        );
        self.fault("history", &text, reason);
    }

    /// A dated fact of an item, if it is one of these subjects'.
    fn item_fact(&mut self, item: &Item, subjects: &[SubjectKind]) -> Option<(SubjectKind, Fact)> {
        let found = attribute(self.catalogue, &item.name).map_err(|error| {
            let names = grammar::CHANGES.into_iter();
            let hint = nearest(&item.name, names)
                .map_or_else(String::new, |near| format!("; did you mean {near:?}?"));
            format!("{error}{hint}")
        });
        let read = found.and_then(|attribute| {
            if !subjects.contains(&attribute.subject) {
                let subject = attribute.subject;
                return Err(format!("it is about a {subject}; it belongs on a {subject} row"));
            }
            let fact = Fact {
                attribute: attribute.number,
                value: said(attribute, &item.value)?,
                from: Some(item.from),
                until: item.until,
                document: item.document.clone(),
            };
            Ok((attribute.subject, fact))
        });
        read.map_err(|reason| self.item_fault(item, reason)).ok()
    }

    /// The value of an item that is a change and no fact.
    fn change<T>(&mut self, item: &Item) -> Option<T>
    where
        T: std::str::FromStr<Err: std::fmt::Display>,
    {
        if item.until.is_some() {
            self.item_fault(
                item,
                "a change has no last month; expected one month before the name",
            );
            return None;
        }
        if !item.document.is_empty() && item.name != "death" {
            self.item_fault(item, "moves and changes of the head take no document");
            return None;
        }
        item.value
            .parse()
            .map_err(|error: T::Err| self.item_fault(item, error))
            .ok()
    }

    /// Refuses two facts of an attribute from one month.
    fn check_once(&mut self, facts: &[Fact]) {
        for (at, fact) in facts.iter().enumerate() {
            let same = |other: &Fact| other.attribute == fact.attribute && other.from == fact.from;
            if facts[..at].iter().any(same) {
                let name = self
                    .catalogue
                    .attribute_by_number(fact.attribute)
                    .map_or_else(String::new, grammar::attribute_name);
                let column = if fact.from.is_some() {
                    "history"
                } else {
                    name.as_str()
                };
                let reason = "it is given twice for the same first month; give each month once";
                self.fault(column, &name.clone(), reason);
            }
        }
    }

    fn done<T>(self, row: Option<T>) -> Result<T, Vec<Fault>> {
        match row {
            Some(row) if self.faults.is_empty() => Ok(row),
            _ => Err(self.faults),
        }
    }

    fn identifiers(&mut self) -> Vec<Identifier> {
        let mut identifiers = Vec::new();
        for text in self.cell("former_ids").split_whitespace() {
            match text.parse() {
                Ok(identifier) => identifiers.push(identifier),
                Err(error) => self.fault("former_ids", text, error),
            }
        }
        identifiers
    }

    fn status(&mut self) -> Status {
        const EXPECTED: &str = "expected an empty cell, entered_in_error or merged:<ID>";
        let cell = self.cell("status");
        match (cell, cell.strip_prefix("merged:")) {
            ("", _) => Status::Open,
            ("entered_in_error", _) => Status::EnteredInError,
            (_, Some(into)) => match into.trim().parse() {
                Ok(into) => Status::MergedInto(into),
                Err(error) => {
                    self.fault("status", cell, error);
                    Status::Open
                }
            },
            _ => {
                self.fault("status", cell, EXPECTED);
                Status::Open
            }
        }
    }

    fn person(mut self, line: u64, kept: KeptCells) -> Result<PersonRow, Vec<Fault>> {
        const SUBJECTS: [SubjectKind; 2] = [SubjectKind::Person, SubjectKind::Household];
        self.only("person", &FIXED, &SUBJECTS);
        let birth = self.required("birth_date", "YYYY-MM-DD, YYYY-MM or YYYY");
        let sex = self.required("sex", "male or female");
        let [name, address, account] = self.texts_of_dossier();
        let head = match self.cell("head") {
            "" => false,
            "yes" => true,
            other => {
                self.fault("head", other, "expected yes or an empty cell");
                false
            }
        };
        let lives = match self.cell("commune") {
            "away" => Some(Goal::Away),
            _ => self.parse("commune").map(Goal::Commune),
        };
        let documents = self.documents(&SUBJECTS);
        let mut facts = self.column_facts(SubjectKind::Person, &documents);
        let mut household_facts = self.column_facts(SubjectKind::Household, &documents);
        let (mut death, mut moves) = (None, Vec::new());
        for item in self.items() {
            match item.name.as_str() {
                "death" => {
                    if let Some(date) = self.death(&item, death.is_some()) {
                        death = Some((date, item.document.clone()));
                    }
                }
                "household" => {
                    moves.extend(self.change(&item).map(|id| (item.from, Goal::Household(id))));
                }
                "commune" => {
                    moves.extend(self.change(&item).map(|code| (item.from, Goal::Commune(code))));
                }
                "away" if item.value.is_empty() => {
                    moves.extend(self.change::<String>(&item).map(|_| (item.from, Goal::Away)));
                }
                "head" => self.item_fault(
                    &item,
                    "a change of the head belongs on the household's row; on a person's row the column head says yes",
                ),
                _ => match self.item_fact(&item, &SUBJECTS) {
                    Some((SubjectKind::Person, fact)) => facts.push(fact),
                    Some((_, fact)) => household_facts.push(fact),
                    None => {}
                },
            }
        }
        if let Some(pair) = moves.windows(2).find(|pair| pair[0].0 == pair[1].0) {
            let month = pair[0].0.to_string();
            self.fault(
                "history",
                &month,
                "two moves in one month; give the one that holds at its end",
            );
        }
        self.check_once(&facts);
        self.check_once(&household_facts);
        let identifier = self.parse("person_id");
        let former = self.identifiers();
        let household = self.parse("household_id");
        let from = self.parse("from");
        let status = self.status();
        if head && household.is_none() {
            self.fault(
                "head",
                "yes",
                "a head belongs to a household; expected a household_id on the row",
            );
        }
        if identifier.is_none() && !former.is_empty() {
            self.fault(
                "person_id",
                "",
                "the row has former IDs and no current one; expected the ID that holds now",
            );
        }
        let row = birth.zip(sex).map(|(birth, sex)| PersonRow {
            line,
            cells: kept,
            identifier,
            former,
            birth,
            sex,
            name,
            address,
            account,
            household,
            head,
            lives,
            from,
            facts,
            household_facts,
            death,
            moves,
            status,
        });
        self.done(row)
    }

    fn death(&mut self, item: &Item, again: bool) -> Option<Date> {
        let date: Date = self.change(item)?;
        if again {
            self.item_fault(item, "a second death; expected one");
            return None;
        }
        if date.month() != item.from {
            let reason = format!(
                "the death is dated {date}; expected it in the item of {}",
                date.month()
            );
            self.item_fault(item, reason);
            return None;
        }
        Some(date)
    }

    fn household(mut self, line: u64, kept: KeptCells) -> Result<HouseholdRow, Vec<Fault>> {
        const FIELDS: [&str; 7] = [
            "record",
            "household_id",
            "head",
            "commune",
            "from",
            "documents",
            "history",
        ];
        let subjects = [SubjectKind::Household];
        self.only("household", &FIELDS, &subjects);
        let id = self.required("household_id", "the ID of the household");
        let documents = self.documents(&subjects);
        let mut facts = self.column_facts(SubjectKind::Household, &documents);
        let (mut moves, mut heads) = (Vec::new(), Vec::new());
        for item in self.items() {
            match item.name.as_str() {
                "commune" => moves.extend(self.change(&item).map(|code| (item.from, code))),
                "head" => heads.extend(self.change(&item).map(|head| (item.from, head))),
                "death" | "away" | "household" => {
                    self.item_fault(&item, "it is about a person; it belongs on the person's row");
                }
                _ => facts.extend(self.item_fact(&item, &subjects).map(|(_, fact)| fact)),
            }
        }
        let twice = moves.windows(2).any(|pair| pair[0].0 == pair[1].0)
            || heads.windows(2).any(|pair| pair[0].0 == pair[1].0);
        if twice {
            let cell = self.text("history");
            self.fault(
                "history",
                cell,
                "two moves or two heads in one month; give the one that holds at its end",
            );
        }
        self.check_once(&facts);
        let (commune, from, head) = (self.parse("commune"), self.parse("from"), self.parse("head"));
        let row = id.map(|id| HouseholdRow {
            line,
            cells: kept,
            id,
            commune,
            from,
            head,
            facts,
            moves,
            heads,
        });
        self.done(row)
    }

    fn commune(mut self, line: u64, kept: KeptCells) -> Result<CommuneRow, Vec<Fault>> {
        let subjects = [SubjectKind::Commune];
        self.only(
            "commune",
            &["record", "commune", "from", "documents", "history"],
            &subjects,
        );
        let code = self.required("commune", "a code of five digits");
        let documents = self.documents(&subjects);
        let mut facts = self.column_facts(SubjectKind::Commune, &documents);
        for item in self.items() {
            match item.name.as_str() {
                "death" | "away" | "household" | "commune" | "head" => {
                    self.item_fault(&item, "a commune has facts only; expected commune.NAME=VALUE");
                }
                _ => facts.extend(self.item_fact(&item, &subjects).map(|(_, fact)| fact)),
            }
        }
        self.check_once(&facts);
        let from = self.parse("from");
        let row = code.map(|code| CommuneRow {
            line,
            cells: kept,
            code,
            from,
            facts,
        });
        self.done(row)
    }
}

fn names_attribute(catalogue: &Catalogue, name: &str, number: AttributeNumber) -> bool {
    attribute(catalogue, name).is_ok_and(|attribute| attribute.number == number)
}

/// Reads a value of an attribute.
fn said(attribute: &Attribute, text: &str) -> Result<Said, String> {
    if attribute.retired {
        let name = attribute.name.clone();
        return Err(ValueError::Retired { name }.to_string());
    }
    if attribute.kind == ValueKind::Person && text != "unknown" {
        let identifier = text.parse::<Identifier>();
        return identifier.map(Said::Person).map_err(|error| error.to_string());
    }
    let value = attribute.parse(text);
    value.map(Said::Value).map_err(|error| error.to_string())
}
