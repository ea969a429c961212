//! `record`: facts about a person or the person's household, in one transaction.

use std::str::FromStr;

use clap::Args;
use serde_json::json;

use crate::cli::Failure;
use crate::cli::database::{self, Database};
use crate::cli::output::Output;
use crate::kernel::operation::{Answer, Subject};
use crate::registry::{Fact, Registry, Transaction};
use crate::types::{Identifier, Month, PersonNumber, Sequence};

/// The word before the name of an attribute of the person's household.
const HOUSEHOLD: &str = "household.";

/// Records facts.
#[derive(Debug, Args)]
#[command(
    after_help = "All facts are recorded, or none. Repeating the command changes nothing.\n\nExamples:\n  ansinh record national.ansinh 001050000017 disability=severe --from 2026-03 --reason 'decision 112/QĐ-UBND'\n  ansinh record national.ansinh 001050000017 household.poverty=poor --from 2026-01 --until 2026-12 --reason 'review of 2026'"
)]
pub struct Record {
    #[command(flatten)]
    database: Database,
    /// Personal ID or provisional ID
    #[arg(value_name = "PERSON_ID")]
    id: Identifier,
    /// What is so; an attribute of the person's household is written `household.NAME`
    #[arg(value_name = "ATTRIBUTE=VALUE", required = true)]
    facts: Vec<Assignment>,
    /// The first month in which it holds
    #[arg(long, value_name = "MONTH")]
    from: Month,
    /// The last month in which it holds
    #[arg(long, value_name = "MONTH")]
    until: Option<Month>,
    /// Why it is recorded; stands in the log
    #[arg(long, value_name = "TEXT", value_parser = database::said)]
    reason: String,
    /// Who records it [default: the user who is logged in]
    #[arg(long, value_name = "NAME", value_parser = database::said)]
    author: Option<String>,
    /// Number and date of the document that it rests on
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    document: String,
}

/// `ATTRIBUTE=VALUE`.
#[derive(Debug, Clone)]
struct Assignment {
    attribute: String,
    value: String,
}

impl FromStr for Assignment {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once('=') {
            Some((attribute, value)) if !attribute.is_empty() && !value.is_empty() => Ok(Self {
                attribute: attribute.to_owned(),
                value: value.to_owned(),
            }),
            _ => Err("expected ATTRIBUTE=VALUE, for example disability=severe".to_owned()),
        }
    }
}

impl Record {
    pub(super) fn run(&self, output: &mut Output) -> Result<(), Failure> {
        let author = database::author(self.author.as_deref())?;
        let registry = self.database.write()?;
        let (changed, sequence) = self.record(&registry, &author)?;
        registry.close()?;
        let unchanged = self.facts.len() - changed;
        if output.is_json() {
            return output.json(&json!({
                "person": self.id.to_string(),
                "recorded": changed,
                "unchanged": unchanged,
                "sequence": sequence.map(Sequence::get),
            }));
        }
        match sequence {
            Some(sequence) => output.line(format_args!(
                "Recorded {changed} of {} facts of {} from {} as transaction {}.",
                self.facts.len(),
                self.id.masked(),
                self.from,
                sequence.get()
            )),
            None => output.line("All of it was recorded so already; nothing was changed."),
        }
    }

    /// Records the facts; answers how many were new, and the transaction if there was one.
    fn record(&self, registry: &Registry, author: &str) -> Result<(usize, Option<Sequence>), Failure> {
        let mut transaction = database::begin(registry, author, &self.reason)?;
        let person = transaction.person(self.id)?;
        let mut changed = 0;
        for assignment in &self.facts {
            let (subject, attribute) = self.subject(&transaction, person, assignment)?;
            let mut fact =
                Fact::new(attribute, assignment.value.as_str(), self.from).document(&self.document);
            fact.until = self.until;
            if transaction.record_fact(subject, &fact)? != Answer::Unchanged {
                changed += 1;
            }
        }
        self.refuse_twice()?;
        if changed == 0 {
            transaction.abort();
            return Ok((0, None));
        }
        Ok((changed, Some(transaction.commit()?)))
    }

    /// One month has one value of an attribute; of two nobody could tell which was meant.
    fn refuse_twice(&self) -> Result<(), Failure> {
        for (at, fact) in self.facts.iter().enumerate() {
            let twin = self.facts[..at]
                .iter()
                .find(|other| other.attribute == fact.attribute);
            if let Some(twin) = twin {
                return Err(Failure::Failed(format!(
                    "attribute {:?} is given twice, as {:?} and as {:?}; give it once",
                    fact.attribute, twin.value, fact.value
                )));
            }
        }
        Ok(())
    }

    fn subject<'a>(
        &self,
        transaction: &Transaction<'_>,
        person: PersonNumber,
        assignment: &'a Assignment,
    ) -> Result<(Subject, &'a str), Failure> {
        match assignment.attribute.strip_prefix(HOUSEHOLD) {
            Some(name) => Ok((transaction.household_of(person, self.from)?.into(), name)),
            None => Ok((person.into(), &assignment.attribute)),
        }
    }
}
