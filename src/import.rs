//! CSV files come in: whole households at once, all or nothing, every rejected row with its reason.
//!
//! `docs/csv.md` describes the columns. A file is read once and row by row; what was read waits in temporary files,
//! divided so that each part fits in memory. In memory stay 16 bytes for every ID and 8 for every household, and two
//! parts for every worker. Each pass works on several threads and gives the same with any number of them:
//!
//! 1. every row by itself: form, names of attributes, values, dates;
//! 2. households put together; IDs that occur twice, references, communes, what the registry has already;
//! 3. one transaction: what takes operations of its own first, then, if there is enough of it, the rest in bulk.

mod enter;
mod gather;
mod ordered;
mod rejects;
mod row;
mod spill;

pub(crate) mod grammar;

use std::collections::BTreeMap;
use std::io::{Read, Write};

use rustc_hash::{FxHashMap, FxHashSet};
use thiserror::Error;

pub use rejects::{REJECTS_KEPT_MAX, Reject};

use crate::gazetteer::REFORM_MONTH;
use crate::kernel::catalogue::Catalogue;
use crate::kernel::{Author, ReadError, Store, View, WriteError, WriteTransaction};
use crate::types::{Instant, Month, Sequence};
use enter::{Entry, Refused};
use gather::{Draft, Found, Gather, Index, Links};
use ordered::in_order;
use rejects::{Fault, Rejects, Sink};
use row::{CommuneRow, Goal, Header, HouseholdRow, PersonRow, Row, Said, Status};
use spill::{Encoded, Spill};

/// With this many people and more a file is loaded in bulk, which takes no operation for each of them.
pub const IMPORT_BULK_MIN: u64 = 20_000;
/// The first month of records that give none, unless the commune or the person begins later.
pub const RECORD_MONTH: Month = REFORM_MONTH;
/// Into how many parts rows are divided while they wait.
const PARTS: usize = 128;
/// How many rows a worker reads at once; after each lot progress is reported.
const LOT_ROWS: usize = 2_000;
/// How often a partial import begins anew because the registry refused rows that had passed every check.
const ATTEMPTS_MAX: usize = 16;

/// How a file is imported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportOptions {
    /// Who imports, and why.
    pub author: Author,
    /// When; the engine reads no clock.
    pub instant: Instant,
    /// What happens to the good rows of a file that has bad ones.
    pub mode: ImportMode,
    /// From how many people on the file is loaded in bulk.
    pub bulk_min: u64,
    /// On how many threads rows are read, checked and prepared.
    pub workers: usize,
}

/// What happens to the good rows of a file that has bad ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ImportMode {
    /// Nothing is written.
    #[default]
    AllOrNothing,
    /// They are written.
    Partial,
}

impl ImportOptions {
    /// All or nothing, in bulk from [`IMPORT_BULK_MIN`] people on, on one thread.
    pub const fn new(author: Author, instant: Instant) -> Self {
        Self {
            author,
            instant,
            mode: ImportMode::AllOrNothing,
            bulk_min: IMPORT_BULK_MIN,
            workers: 1,
        }
    }

    /// Works on so many threads.
    #[must_use]
    pub const fn on(mut self, workers: usize) -> Self {
        self.workers = workers;
        self
    }

    /// Takes the good rows of a file that has bad ones.
    #[must_use]
    pub const fn partial(mut self) -> Self {
        self.mode = ImportMode::Partial;
        self
    }
}

/// How far an import or an export is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// What is being done.
    pub stage: Stage,
    /// How many rows or people are done.
    pub done: u64,
    /// Of how many, where that is known.
    pub total: Option<u64>,
}

/// What an import or an export is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Rows are read, each by itself.
    Reading,
    /// Rows are put together and checked against each other and the registry.
    Checking,
    /// People are written: to the registry, or to the file.
    Writing,
}

/// What came of an import.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ImportReport {
    /// The transaction; `None` if nothing was written.
    pub sequence: Option<Sequence>,
    /// Rows read, empty ones not counted.
    pub rows: u64,
    /// People who were entered, or would have been if no row had been rejected.
    pub accepted: u64,
    /// Rows that were not taken, whatever they are about.
    pub rejected: u64,
    /// People whom the registry had already, just so.
    pub existing: u64,
    /// Households that were made, or would have been.
    pub households: u64,
    /// Rows of communes that were taken, or would have been.
    pub communes: u64,
    /// Whether people were loaded in bulk.
    pub bulk: bool,
    /// The first [`REJECTS_KEPT_MAX`] reasons, by pass and then about by line. The file of rejected rows has them all.
    pub rejects: Vec<Reject>,
}

/// The most characters of the name of a column that an error repeats.
const COLUMN_SHOWN_MAX: usize = 40;

/// The column that an error is about, cut where a file without line ends would fill the screen.
fn of_column(name: &str) -> String {
    if name.is_empty() {
        return String::new();
    }
    let shown: String = name.chars().take(COLUMN_SHOWN_MAX).collect();
    let cut = if shown.len() < name.len() { " (cut)" } else { "" };
    format!(", column {shown:?}{cut}")
}

/// Why a file cannot be imported at all. Nothing was written, except where the registry says so itself.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ImportError {
    /// The first line does not name columns that are known.
    #[error("line 1{}: {reason}", of_column(column))]
    Header {
        /// The column.
        column: String,
        /// What is wrong and what was expected.
        reason: String,
    },
    /// The file cannot be read.
    #[error("cannot read the CSV file: {0}")]
    Csv(#[source] csv::Error),
    /// The file of rejected rows cannot be written.
    #[error("cannot write the file of rejected rows: {0}; choose another place for it")]
    Rejects(#[source] csv::Error),
    /// Rows could not wait in a temporary file.
    #[error(
        "a temporary file failed: {0}; an import needs about twice the size of its file in the folder for temporary files"
    )]
    Temporary(#[source] std::io::Error),
    /// More single changes than one transaction takes.
    #[error(
        "people who moved or were merged, and those they are linked with, need more than {} operations, which is what one transaction takes; divide the file, keeping people who are linked together",
        crate::kernel::operation::OPERATIONS_MAX
    )]
    TooManyOperations,
    /// Another writer changed the registry between the passes.
    #[error("the registry was changed while the file was read; import the file again")]
    Changed,
    /// Refused rows kept coming up.
    #[error(
        "after {ATTEMPTS_MAX} attempts the registry still refuses rows; correct the rejected ones and import the file again"
    )]
    Attempts,
    /// The registry cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The registry cannot be written.
    #[error(transparent)]
    Write(#[from] WriteError),
}

/// Imports a CSV file in one transaction.
///
/// Rows that cannot be taken are rejected, each with line, column, value and reason; `rejects` gets them as CSV, with
/// their cells, so that they can be corrected there and imported. Unless [`ImportOptions::partial`] is set, one
/// rejected row means that nothing is written. A file may be imported again: whom the registry has just so is counted
/// as existing and left as is.
///
/// ```
/// use ansinh::import::{ImportOptions, import};
/// use ansinh::kernel::{Author, Store, StoreOptions, operation::Operation};
/// use ansinh::types::Instant;
/// # let folder = tempfile::tempdir()?;
/// let store = Store::create(&folder.path().join("example.ansinh"), StoreOptions::default())?;
/// let mut transaction = store.begin_write(Author::new("admin", "units"), Instant::from_unix_millis(0))?;
/// for unit in ansinh::gazetteer::vietnam() {
///     transaction.apply(&Operation::AddUnit(unit))?;
/// }
/// transaction.commit()?;
///
/// let file = "person_id,name,birth_date,sex,commune\n001150000017,Nguyễn Thị An,1950-03-17,female,00004\n";
/// let options = ImportOptions::new(Author::new("clerk 00004", "first entry"), Instant::from_unix_millis(1));
/// let report = import(&store, file.as_bytes(), &options, None, &mut |_| {})?;
/// assert_eq!((report.accepted, report.rejected), (1, 0));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn import(
    store: &Store,
    input: impl Read,
    options: &ImportOptions,
    rejects: Option<&mut dyn Write>,
    progress: &mut dyn FnMut(Progress),
) -> Result<ImportReport, ImportError> {
    let mut sink = Sink::new(rejects);
    let view = store.begin_read()?;
    let mut import = Import {
        options,
        first: read(&view, input, options.workers, &mut sink, progress)?,
        progress,
        dropped: FxHashSet::default(),
    };
    // From here on nobody else writes, so that what is checked is still so when it is entered.
    let mut transaction = store.begin_write(options.author.clone(), options.instant)?;
    if transaction.view().catalogue() != view.catalogue() {
        return Err(ImportError::Changed);
    }
    let view = store.begin_read()?;
    let mut checked = import.check(&view, &mut sink)?;
    for _ in 0..ATTEMPTS_MAX {
        let mut report = ImportReport {
            rows: import.first.read,
            existing: checked.existing,
            ..ImportReport::default()
        };
        if sink.rows > 0 && options.mode == ImportMode::AllOrNothing {
            drop(transaction);
            import.count_left(&checked, &mut report)?;
            return finish(report, sink);
        }
        let outcome = import.write(&mut transaction, &view, &checked)?;
        if outcome.refused.is_empty() {
            report.accepted = outcome.people;
            report.households = outcome.households;
            report.communes = outcome.communes;
            report.bulk = outcome.bulk;
            if outcome.changed {
                report.sequence = Some(transaction.commit()?);
            }
            return finish(report, sink);
        }
        drop(transaction);
        import.refuse(outcome.refused, &mut checked, &view, &mut sink)?;
        transaction = store.begin_write(options.author.clone(), options.instant)?;
        if transaction.view().newest() != view.newest() {
            return Err(ImportError::Changed);
        }
    }
    Err(ImportError::Attempts)
}

fn finish(mut report: ImportReport, mut sink: Sink<'_>) -> Result<ImportReport, ImportError> {
    sink.finish()?;
    report.rejected = sink.rows;
    report.rejects = sink.kept;
    Ok(report)
}

/// What the first pass gives.
struct FirstPass {
    index: Index,
    /// Rows of people and households, those of one household in one part.
    rows: Spill,
    communes: Vec<CommuneRow>,
    read: u64,
}

#[derive(bincode::Encode, bincode::Decode)]
enum Waiting {
    Person(PersonRow),
    Household(HouseholdRow),
}

/// What the first pass makes of a lot of rows.
#[derive(Default)]
struct Lot {
    read: u64,
    index: Index,
    rows: Encoded,
    communes: Vec<CommuneRow>,
    rejects: Rejects,
}

impl Lot {
    /// Reads every row of a lot by itself.
    fn read(header: &Header, records: Vec<csv::ByteRecord>, catalogue: &Catalogue) -> Self {
        let mut lot = Self::default();
        for record in records {
            let line = record.position().map_or(0, csv::Position::line);
            match header.row(&record, line, catalogue) {
                Ok(Row::Empty) => continue,
                Ok(Row::Person(row)) => {
                    lot.index.note(&row);
                    let part = row.household.map_or(row.line, gather_key) as usize % PARTS;
                    lot.rows.push(part, &Waiting::Person(*row));
                }
                Ok(Row::Household(row)) => {
                    lot.index.note_household(row.id);
                    let part = gather_key(row.id) as usize % PARTS;
                    lot.rows.push(part, &Waiting::Household(row));
                }
                Ok(Row::Commune(row)) => lot.communes.push(row),
                Err(faults) => lot.rejects.push(line, header.kept_cells(&record), faults),
            }
            lot.read += 1;
        }
        lot
    }
}

/// The first pass: every row by itself.
fn read(
    view: &View,
    input: impl Read,
    workers: usize,
    sink: &mut Sink<'_>,
    progress: &mut dyn FnMut(Progress),
) -> Result<FirstPass, ImportError> {
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(input);
    let catalogue = view.catalogue();
    let header = Header::parse(reader.byte_headers().map_err(ImportError::Csv)?, catalogue)?;
    sink.set_header(header.names());
    let mut first = FirstPass {
        index: Index::default(),
        rows: Spill::new(PARTS),
        communes: Vec::new(),
        read: 0,
    };
    let mut records = reader.into_byte_records();
    let next = || {
        let lot: Vec<_> = records
            .by_ref()
            .take(LOT_ROWS)
            .collect::<Result<_, _>>()
            .map_err(ImportError::Csv)?;
        Ok((!lot.is_empty()).then_some(lot))
    };
    let work = |records| Ok(Lot::read(&header, records, catalogue));
    in_order(workers, next, work, |lot: Lot| {
        first.index.absorb(lot.index);
        first.rows.write(&lot.rows)?;
        first.communes.extend(lot.communes);
        sink.take(lot.rejects)?;
        first.read += lot.read;
        progress(Progress {
            stage: Stage::Reading,
            done: first.read,
            total: None,
        });
        Ok(())
    })?;
    first.index.finish();
    Ok(first)
}

/// A number by which households are divided evenly.
fn gather_key(id: crate::types::HouseholdId) -> u64 {
    // The low digits of neighbouring IDs repeat; the product's high half does not.
    let product = u128::from(id.packed()) * 0x9e37_79b9_7f4a_7c15;
    (product >> 32) as u64 & u64::from(u32::MAX)
}

/// What the second pass gives.
struct Checked {
    /// Households by unit: the parts in turn give the units in order.
    drafts: Spill,
    links: Links,
    existing: u64,
    people: u64,
}

/// Puts the households of a part together and checks them. Gives the number of rows too.
fn gather_part(view: &View, first: &FirstPass, part: usize) -> Result<(u64, Found), ImportError> {
    let waiting: Vec<Waiting> = first.rows.read(part)?;
    let rows = waiting.len() as u64;
    let mut gather = Gather {
        view,
        index: &first.index,
        found: Found::default(),
    };
    let mut households: BTreeMap<_, (Vec<HouseholdRow>, Vec<PersonRow>)> = BTreeMap::new();
    for row in waiting {
        match row {
            Waiting::Household(row) => households.entry(row.id).or_default().0.push(row),
            Waiting::Person(row) => match row.household {
                Some(id) => households.entry(id).or_default().1.push(row),
                None => gather.person(row)?,
            },
        }
    }
    for (id, (rows, people)) in households {
        gather.household(id, rows, people)?;
    }
    Ok((rows, gather.found))
}

/// What was entered into a transaction that is not committed yet.
struct Outcome {
    refused: Vec<Refused>,
    people: u64,
    households: u64,
    communes: u64,
    bulk: bool,
    changed: bool,
}

struct Import<'a> {
    options: &'a ImportOptions,
    first: FirstPass,
    progress: &'a mut dyn FnMut(Progress),
    /// The lines of rows that passed the checks and were rejected since.
    dropped: FxHashSet<u64>,
}

impl Import<'_> {
    /// The second pass: households and what the registry has.
    fn check(&mut self, view: &View, sink: &mut Sink<'_>) -> Result<Checked, ImportError> {
        self.check_communes(view, sink)?;
        let first = &self.first;
        let mut checked = Checked {
            drafts: Spill::new(PARTS),
            links: Links::default(),
            existing: 0,
            people: 0,
        };
        let (mut parts, mut done) = (0..PARTS, 0);
        let work = |part| gather_part(view, first, part);
        in_order(
            self.options.workers,
            || Ok(parts.next()),
            work,
            |(rows, found)| {
                checked.drafts.write(&found.drafts)?;
                checked.links.absorb(found.links);
                checked.existing += found.existing;
                checked.people += found.people;
                sink.take(found.rejects)?;
                done += rows;
                (self.progress)(Progress {
                    stage: Stage::Checking,
                    done,
                    total: Some(first.read),
                });
                Ok(())
            },
        )?;
        if sink.rows > 0 && self.options.mode == ImportMode::Partial {
            self.follow_rejects(&mut checked, view, sink)?;
        }
        Ok(checked)
    }

    fn check_communes(&mut self, view: &View, sink: &mut Sink<'_>) -> Result<(), ImportError> {
        let mut seen: FxHashMap<crate::types::UnitNumber, u64> = FxHashMap::default();
        let mut taken = Vec::new();
        for row in std::mem::take(&mut self.first.communes) {
            let from = row
                .from
                .unwrap_or_else(|| gather::default_month(view, row.code, Month::MIN));
            let problem = match gather::unit_in(view, row.code, from) {
                Err(reason) => Some(reason),
                Ok(unit) => seen.insert(unit, row.line).map(|line| {
                    format!(
                        "lines {line} and {} are both about this commune; expected one row",
                        row.line
                    )
                }),
            };
            match problem {
                Some(reason) => {
                    let fault = Fault::new("commune", row.code.to_string(), reason);
                    sink.reject(row.line, &row.cells, &[fault])?;
                }
                None => taken.push(row),
            }
        }
        self.first.communes = taken;
        Ok(())
    }

    fn count_left(&self, checked: &Checked, report: &mut ImportReport) -> Result<(), ImportError> {
        report.communes = self.first.communes.len() as u64;
        for part in 0..PARTS {
            for draft in drafts(&checked.drafts, &self.dropped, part)? {
                report.accepted += draft.people.len() as u64;
                report.households += u64::from(draft.id.is_some() && draft.existing.is_none());
            }
        }
        Ok(())
    }

    /// Rejects what refers to rejected rows, and what refers to that, until nothing does.
    fn follow_rejects(
        &mut self,
        checked: &mut Checked,
        view: &View,
        sink: &mut Sink<'_>,
    ) -> Result<(), ImportError> {
        // Somebody whom the registry has can be referred to, whatever became of the row.
        let known = |key: &u64| -> Result<bool, ImportError> {
            let identifier = crate::types::Identifier::from_key(*key);
            Ok(match identifier {
                Some(identifier) => view.find_person(identifier, Sequence::NEWEST)?.is_some(),
                None => false,
            })
        };
        let gone = std::mem::take(&mut checked.links.gone);
        for key in gone {
            if !known(&key)? {
                checked.links.gone.insert(key);
            }
        }
        loop {
            let before = self.dropped.len();
            for part in 0..PARTS {
                for draft in drafts(&checked.drafts, &self.dropped, part)? {
                    self.follow_in(&draft, &mut checked.links, sink)?;
                }
            }
            if self.dropped.len() == before {
                return Ok(());
            }
        }
    }

    /// Rejects the rows of one household that refer to rejected rows.
    fn follow_in(
        &mut self,
        draft: &Draft,
        links: &mut Links,
        sink: &mut Sink<'_>,
    ) -> Result<(), ImportError> {
        let mut left = draft.people.len();
        let has_row = !draft.cells.is_empty();
        let is_dropped = has_row && self.dropped.contains(&draft.line);
        let lost = match draft.id.filter(|_| is_dropped) {
            Some(id) => Some(id.to_string()),
            None => draft_refers(draft, links),
        };
        if let Some(text) = lost.as_ref().filter(|_| has_row && !is_dropped) {
            let reason = "it refers to somebody whose row was rejected; correct that row too";
            sink.reject(draft.line, &draft.cells, &[Fault::new("", text, reason)])?;
            self.dropped.insert(draft.line);
        }
        for row in &draft.people {
            let fault = match (&lost, row_refers(row, links)) {
                (_, Some(text)) => {
                    let reason = "it refers to a row that was rejected; correct that row too";
                    Fault::new("", text, reason)
                }
                (Some(text), None) => {
                    let reason = "the row of its household was rejected, or refers to a row that was; correct that row too";
                    Fault::new("household_id", text, reason)
                }
                (None, None) => continue,
            };
            sink.reject(row.line, &row.cells, &[fault])?;
            self.dropped.insert(row.line);
            links
                .gone
                .extend(row.identifier.iter().chain(&row.former).map(|id| id.key()));
            left -= 1;
        }
        let emptied = lost.is_some() || (left == 0 && !draft.people.is_empty());
        if let Some(id) = draft.id.filter(|_| emptied && draft.existing.is_none()) {
            links.gone_households.insert(id.packed());
        }
        Ok(())
    }

    /// The third pass: everything goes into the transaction.
    fn write(
        &mut self,
        transaction: &mut WriteTransaction<'_>,
        view: &View,
        checked: &Checked,
    ) -> Result<Outcome, ImportError> {
        let bulk = checked.people >= self.options.bulk_min;
        let mut entry = Entry::new(transaction, view, &self.first.index);
        for row in &self.first.communes {
            entry.commune(row);
        }
        let workers = self.options.workers;
        let dropped = &self.dropped;
        let mut parts = 0..PARTS;
        let by_operations = |draft: &Draft| !bulk || enter::needs_operations(draft, &checked.links);
        let work = |part| {
            let mut drafts = drafts(&checked.drafts, dropped, part)?;
            drafts.retain(by_operations);
            Ok(drafts)
        };
        in_order(
            workers,
            || Ok(parts.next()),
            work,
            |drafts| {
                drafts.iter().try_for_each(|draft| entry.by_operations(draft))?;
                if !bulk {
                    report_writing(self.progress, entry.people, checked.people);
                }
                Ok(())
            },
        )?;
        entry.finish()?;
        let mut outcome = Outcome {
            refused: Vec::new(),
            people: entry.people,
            households: entry.new_households,
            communes: self.first.communes.len() as u64,
            bulk: false,
            changed: entry.changed,
        };
        if bulk {
            let mut sealed = entry.into_bulk()?;
            let before = outcome.people;
            let drafts = |part| {
                let mut drafts = drafts(&checked.drafts, dropped, part)?;
                drafts.retain(|draft| !by_operations(draft));
                Ok(drafts)
            };
            sealed.add(workers, PARTS, drafts, |people| {
                report_writing(self.progress, before + people, checked.people);
            })?;
            let (summary, refused) = sealed.finish()?;
            outcome.people += summary.people;
            outcome.households += summary.households;
            outcome.bulk = summary.people + summary.households > 0;
            outcome.changed |= outcome.bulk;
            outcome.refused = refused;
        } else {
            outcome.refused = entry.refused;
        }
        Ok(outcome)
    }

    /// Rejects what the registry refused, and what refers to it.
    fn refuse(
        &mut self,
        refused: Vec<Refused>,
        checked: &mut Checked,
        view: &View,
        sink: &mut Sink<'_>,
    ) -> Result<(), ImportError> {
        for row in refused {
            if self.dropped.insert(row.line) {
                sink.reject(row.line, &row.cells, &[row.fault])?;
            }
            self.first.communes.retain(|commune| commune.line != row.line);
            checked.links.gone.extend(row.keys);
            checked.links.gone_households.extend(row.household);
        }
        if self.options.mode == ImportMode::Partial {
            self.follow_rejects(checked, view, sink)?;
        }
        Ok(())
    }
}

/// Every household of a part, by unit, without what was dropped.
fn drafts(drafts: &Spill, dropped: &FxHashSet<u64>, part: usize) -> Result<Vec<Draft>, ImportError> {
    let mut drafts: Vec<(u16, Draft)> = drafts.read(part)?;
    drafts.sort_by_key(|(unit, draft)| (*unit, draft.id.is_none(), draft.id, draft.line));
    let mut left = Vec::with_capacity(drafts.len());
    for (_, mut draft) in drafts {
        let whole = !draft.cells.is_empty() && dropped.contains(&draft.line);
        let before = draft.people.len();
        draft.people.retain(|row| !dropped.contains(&row.line));
        let is_left = |line| !dropped.contains(&line);
        let heads = std::mem::take(&mut draft.heads).into_iter();
        draft.heads = heads
            .filter_map(|(month, head)| Some((month, head.among(is_left)?)))
            .collect();
        if !draft.people.is_empty() || (before == 0 && !whole) {
            left.push(draft);
        }
    }
    Ok(left)
}

fn report_writing(progress: &mut dyn FnMut(Progress), done: u64, total: u64) {
    progress(Progress {
        stage: Stage::Writing,
        done,
        total: Some(total),
    });
}

/// The ID by which a row refers to somebody, or moves to a household, that is gone.
fn row_refers(row: &PersonRow, links: &Links) -> Option<String> {
    let people = row
        .facts
        .iter()
        .chain(&row.household_facts)
        .filter_map(|fact| match fact.value {
            Said::Person(other) => Some(other),
            Said::Value(_) => None,
        });
    let into = match row.status {
        Status::MergedInto(into) => Some(into),
        _ => None,
    };
    let person = people.chain(into).find(|other| links.gone.contains(&other.key()));
    let household = row.moves.iter().find_map(|(_, goal)| match goal {
        Goal::Household(id) if links.gone_households.contains(&id.packed()) => Some(id.to_string()),
        _ => None,
    });
    person.map(|other| other.to_string()).or(household)
}

/// The ID by which the row of a household refers to somebody who is gone.
fn draft_refers(draft: &Draft, links: &Links) -> Option<String> {
    let facts = draft.facts.iter().filter_map(|fact| match fact.value {
        Said::Person(other) => Some(other),
        Said::Value(_) => None,
    });
    let heads = draft.heads.iter().filter_map(|(_, head)| match head {
        gather::Head::Person(other) => Some(*other),
        gather::Head::Line(..) => None,
    });
    let mut people = facts.chain(heads);
    people
        .find(|other| links.gone.contains(&other.key()))
        .map(|other| other.to_string())
}
