//! `show`: a person.

use clap::Args;
use serde_json::{Map, Value as Json, json};

use crate::cli::database::Database;
use crate::cli::describe::{Describer, Privacy};
use crate::cli::output::{Output, Table};
use crate::cli::{Failure, machine};
use crate::kernel::operation::Subject;
use crate::kernel::state::{Content, FactRecord};
use crate::registry::{AsOf, PersonRecord, PersonRecords, RegistryView};
use crate::types::{Identifier, Month, Sequence};

/// Shows a person.
#[derive(Debug, Args)]
#[command(
    after_help = "A record that was merged with others is shown with them. IDs are masked unless --unmask is given.\n\nExamples:\n  ansinh show national.ansinh 001050000017\n  ansinh show national.ansinh 001050000017 --as-of 2026-03 --history\n  ansinh show national.ansinh TM0000000017 --known-at 12 --json"
)]
pub struct Show {
    #[command(flatten)]
    database: Database,
    /// Personal ID (12 digits) or provisional ID (TM and 10 digits), a former one too
    #[arg(value_name = "PERSON_ID")]
    id: Identifier,
    /// Show everything that was ever recorded
    #[arg(long)]
    history: bool,
    /// The month at whose end the person is shown [default: this month]
    #[arg(long, value_name = "MONTH")]
    as_of: Option<Month>,
    /// Show only what was recorded up to this transaction
    #[arg(long, value_name = "SEQ")]
    known_at: Option<u64>,
    #[command(flatten)]
    privacy: Privacy,
}

/// The month and the sequence that options ask for.
pub fn moment(month: Option<Month>, known_at: Option<u64>) -> Result<AsOf, Failure> {
    let month = month.map_or_else(machine::this_month, Ok)?;
    Ok(AsOf::new(month, known_at.map_or(Sequence::NEWEST, Sequence)))
}

/// Refuses a transaction that has not been made: the answer would be of another moment than the one asked for.
pub fn check_known(view: &RegistryView, as_of: AsOf) -> Result<(), Failure> {
    let newest = view.newest();
    if as_of.known == Sequence::NEWEST || as_of.known <= newest {
        return Ok(());
    }
    Err(Failure::No(format!(
        "there is no transaction {}, the newest is {newest}; `ansinh log` shows them",
        as_of.known
    )))
}

/// The answer for an ID that nobody has.
pub fn nobody(id: Identifier, as_of: AsOf) -> Failure {
    let when = if as_of.known == Sequence::NEWEST {
        String::new()
    } else {
        format!(" as known at {}", as_of.known)
    };
    let id = id.masked();
    Failure::No(format!(
        "nobody in the registry has the ID {id}{when}; check the digits: a personal ID has no check digit that would show a mistake"
    ))
}

impl Show {
    pub(super) fn run(&self, output: &mut Output) -> Result<(), Failure> {
        let as_of = moment(self.as_of, self.known_at)?;
        let registry = self.privacy.open(&self.database, &self.id.masked())?;
        let view = registry.begin_read()?;
        check_known(&view, as_of)?;
        let found = view
            .person_by_id(self.id, as_of)?
            .ok_or_else(|| nobody(self.id, as_of))?;
        let describer = Describer::new(&view, &self.privacy);
        let shown = Shown {
            view: &view,
            describer,
            as_of,
            history: self.history,
        };
        if output.is_json() {
            let mut person = shown.json(&found.asked)?;
            let others: Result<Vec<Json>, Failure> = found
                .others
                .iter()
                .map(|other| shown.json(other).map(Json::Object))
                .collect();
            person.insert("person".to_owned(), Json::from(self.id.to_string()));
            person.insert("others".to_owned(), Json::from(others?));
            return output.json(&Json::Object(person));
        }
        shown.print(output, &found)
    }
}

struct Shown<'v> {
    view: &'v RegistryView,
    describer: Describer<'v>,
    as_of: AsOf,
    history: bool,
}

impl Shown<'_> {
    fn print(&self, output: &mut Output, found: &PersonRecords) -> Result<(), Failure> {
        output.table(&self.overview(&found.asked)?)?;
        self.print_facts(output, &found.asked)?;
        for other in &found.others {
            let id = self.describer.id(other.state.identifier);
            output.table(
                &self
                    .overview(other)?
                    .titled(format!("Another record of the same person: {id}")),
            )?;
            self.print_facts(output, other)?;
        }
        Ok(())
    }

    fn overview(&self, record: &PersonRecord) -> Result<Table, Failure> {
        let (state, month) = (&record.state, self.as_of.month);
        let mut table = Table::list();
        table.pair("ID", self.describer.id(state.identifier));
        table.pair("Name", &record.dossier.name);
        table.pair("Sex", state.sex);
        table.pair("Born", state.birth);
        if let Some(death) = state.death {
            table.pair("Died", death);
        }
        table.pair("In month", month);
        let nowhere = || "none".to_owned();
        let commune = state.unit.map(|unit| self.describer.unit(unit, month));
        table.pair("Commune", commune.unwrap_or_else(nowhere));
        let household = record.household.map(|id| id.to_string());
        table.pair("Household", household.unwrap_or_else(nowhere));
        if !record.dossier.address.is_empty() {
            table.pair("Address", &record.dossier.address);
        }
        if !record.dossier.account.is_empty() {
            table.pair("Account", self.describer.account(&record.dossier.account));
        }
        if state.entered_in_error {
            table.pair("Record", "entered in error");
        }
        if let Some(into) = state.merged_into {
            table.pair("Record", format!("merged into {}", self.describer.person(into)?));
        }
        for disagreement in record.disagreements() {
            table.pair("Mismatch", disagreement);
        }
        Ok(table)
    }

    fn print_facts(&self, output: &mut Output, record: &PersonRecord) -> Result<(), Failure> {
        let title = format!("Facts in {}", self.as_of.month);
        let mut table = Table::new(&["fact", "value"]).titled(title);
        for (attribute, value) in self.describer.shown(&record.state.values) {
            table.row([attribute.name.clone(), self.describer.value(attribute, value)?]);
        }
        output.table(&table)?;
        if !self.history {
            return Ok(());
        }
        let mut table = Table::new(&[
            "fact",
            "from",
            "until",
            "value",
            ">recorded",
            "at",
            "by",
            "document",
        ])
        .titled("Everything on record");
        for line in self.records(record)? {
            let Record {
                fact,
                value,
                author,
                instant,
                of,
            } = line;
            let (value, until, document) = match of.content {
                Content::Value { until, document, .. } => (value, until, document),
                Content::Retracted => ("(retracted)".to_owned(), None, String::new()),
            };
            let from = if of.from == Month::MIN {
                "always".to_owned()
            } else {
                of.from.to_string()
            };
            let until = until.map_or_else(String::new, |month| month.to_string());
            let recorded = of.recorded.get().to_string();
            table.row([fact, from, until, value, recorded, instant, author, document]);
        }
        output.table(&table)
    }

    /// Everything that is known of the record, with who recorded it.
    fn records(&self, record: &PersonRecord) -> Result<Vec<Record>, Failure> {
        let mut lines = Vec::new();
        for of in self.view.full_history(Subject::Person(record.state.number))? {
            if of.recorded > self.as_of.known {
                continue;
            }
            let value = match of.content {
                Content::Value { value, .. } => Some(value),
                Content::Retracted => None,
            };
            let Some((fact, value)) = self.describer.recorded(of.attribute, value)? else {
                continue;
            };
            let entry = self.view.log_entry(of.recorded)?;
            let (author, instant) = entry.map_or_else(Default::default, |entry| {
                (entry.author, entry.instant.to_string())
            });
            lines.push(Record {
                fact,
                value,
                author,
                instant,
                of,
            });
        }
        Ok(lines)
    }

    fn json(&self, record: &PersonRecord) -> Result<Map<String, Json>, Failure> {
        let (state, month) = (&record.state, self.as_of.month);
        let mut facts = Map::new();
        for (attribute, value) in self.describer.shown(&state.values) {
            facts.insert(
                attribute.name.clone(),
                self.describer.value_json(attribute, value)?,
            );
        }
        let merged_into = state
            .merged_into
            .map(|into| self.describer.person(into))
            .transpose()?;
        let disagreements: Vec<String> = record.disagreements().iter().map(ToString::to_string).collect();
        let mut person = Map::from_iter([
            (
                "person".to_owned(),
                Json::from(self.describer.id(state.identifier)),
            ),
            ("number".to_owned(), Json::from(state.number.get())),
            ("month".to_owned(), Json::from(month.to_string())),
            ("name".to_owned(), Json::from(record.dossier.name.clone())),
            ("sex".to_owned(), Json::from(state.sex.to_string())),
            ("birth".to_owned(), Json::from(state.birth.to_string())),
            (
                "death".to_owned(),
                json!(state.death.map(|date| date.to_string())),
            ),
            (
                "commune".to_owned(),
                state
                    .unit
                    .map_or(Json::Null, |unit| self.describer.unit_json(unit, month)),
            ),
            (
                "household".to_owned(),
                json!(record.household.map(|id| id.to_string())),
            ),
            ("address".to_owned(), Json::from(record.dossier.address.clone())),
            (
                "account".to_owned(),
                Json::from(self.describer.account(&record.dossier.account)),
            ),
            ("present".to_owned(), Json::from(state.present)),
            ("entered_in_error".to_owned(), Json::from(state.entered_in_error)),
            ("merged_into".to_owned(), json!(merged_into)),
            ("mismatches".to_owned(), json!(disagreements)),
            ("facts".to_owned(), Json::Object(facts)),
        ]);
        if self.history {
            let records = self.records(record)?;
            let records: Vec<Json> = records.into_iter().map(Record::json).collect();
            person.insert("history".to_owned(), Json::from(records));
        }
        Ok(person)
    }
}

/// One record of a fact, in words.
struct Record {
    fact: String,
    value: String,
    author: String,
    instant: String,
    of: FactRecord,
}

impl Record {
    fn json(self) -> Json {
        let (retracted, until, document) = match self.of.content {
            Content::Value { until, document, .. } => (false, until, document),
            Content::Retracted => (true, None, String::new()),
        };
        json!({
            "fact": self.fact,
            "from": (self.of.from != Month::MIN).then(|| self.of.from.to_string()),
            "until": until.map(|month| month.to_string()),
            "value": (!retracted).then_some(self.value),
            "retracted": retracted,
            "recorded": self.of.recorded.get(),
            "at": self.instant,
            "by": self.author,
            "document": document,
        })
    }
}
