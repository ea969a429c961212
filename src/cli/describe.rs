//! What the registry holds, in words: names for numbers, masked IDs, and what is not shown unasked.

use clap::Args;
use serde_json::{Value as Json, json};

use super::{Failure, database, output};
use crate::kernel::catalogue::{Attribute, Catalogue, builtin};
use crate::registry::{Registry, RegistryView};
use crate::types::{AttributeNumber, HouseholdNumber, Identifier, Month, PersonNumber, UnitNumber, Value};

/// How much is shown of people.
#[derive(Debug, Clone, Default, Args)]
pub struct Privacy {
    /// Show personal IDs and accounts in full
    #[arg(long)]
    pub unmask: bool,
    /// Show facts about HIV too; the look-up is written to the log with this reason
    #[arg(long, value_name = "REASON", value_parser = database::said)]
    pub sensitive: Option<String>,
    /// Who looks up sensitive facts [default: the user who is logged in]
    #[arg(long, value_name = "NAME", requires = "sensitive", value_parser = database::said)]
    pub author: Option<String>,
}

impl Privacy {
    /// Opens the registry for a look-up. One of sensitive facts is written to the log first.
    pub fn open(&self, database: &database::Database, subject: &str) -> Result<Registry, Failure> {
        let Some(reason) = &self.sensitive else {
            return database.read();
        };
        let author = database::author(self.author.as_deref())?;
        let registry = database.write()?;
        let reason = format!("looked up sensitive facts of {subject}: {reason}");
        database::begin(&registry, &author, &reason)?.commit()?;
        Ok(registry)
    }
}

/// Whether a name says that it is about HIV: one of its words is `hiv`.
pub fn is_sensitive(name: &str) -> bool {
    name.split(['.', '_']).any(|word| word == "hiv")
}

/// Words for what a view holds.
#[derive(Debug, Clone, Copy)]
pub struct Describer<'v> {
    view: &'v RegistryView,
    unmask: bool,
    sensitive: bool,
}

impl<'v> Describer<'v> {
    /// Words for a view, as much as is asked for.
    pub const fn new(view: &'v RegistryView, privacy: &Privacy) -> Self {
        Self {
            view,
            unmask: privacy.unmask,
            sensitive: privacy.sensitive.is_some(),
        }
    }

    fn catalogue(&self) -> &'v Catalogue {
        self.view.catalogue()
    }

    /// An ID, masked unless asked for.
    pub fn id(&self, id: Identifier) -> String {
        if self.unmask { id.to_string() } else { id.masked() }
    }

    /// An account: its last three characters, unless asked for.
    pub fn account(&self, account: &str) -> String {
        const SHOWN: usize = 3;
        let length = account.chars().count();
        if self.unmask || length == 0 {
            return account.to_owned();
        }
        let end: String = account
            .chars()
            .skip(length.saturating_sub(SHOWN).max(1))
            .collect();
        format!("***{end}")
    }

    /// The ID of a person as it is known now.
    pub fn person(&self, person: PersonNumber) -> Result<String, Failure> {
        let state = self
            .view
            .person(person, Month::MAX, crate::types::Sequence::NEWEST)?;
        Ok(state.map_or_else(|| person.to_string(), |state| self.id(state.identifier)))
    }

    /// A commune: code and name in a month.
    pub fn unit(&self, unit: UnitNumber, month: Month) -> String {
        match self.view.unit(unit) {
            Some(known) => {
                let name = known.name_in(month);
                format!("{} {}, {}", known.declared.code, name.name, name.province_name)
            }
            None => unit.to_string(),
        }
    }

    /// A commune in JSON.
    pub fn unit_json(&self, unit: UnitNumber, month: Month) -> Json {
        match self.view.unit(unit) {
            Some(known) => {
                let name = known.name_in(month);
                json!({
                    "code": known.declared.code.to_string(),
                    "name": name.name,
                    "province": known.declared.province.to_string(),
                    "province_name": name.province_name,
                })
            }
            None => Json::Null,
        }
    }

    /// The declared attributes of some values, in the order of the catalogue, without what is not shown.
    pub fn shown<'a>(
        &self,
        values: impl IntoIterator<Item = (&'a AttributeNumber, &'a Value)>,
    ) -> Vec<(&'v Attribute, Value)> {
        let catalogue = self.catalogue();
        values
            .into_iter()
            .filter_map(|(number, value)| Some((catalogue.attribute_by_number(*number)?, *value)))
            .filter(|(attribute, _)| self.sensitive || !is_sensitive(&attribute.name))
            .collect()
    }

    /// The value of a declared attribute.
    pub fn value(&self, attribute: &Attribute, value: Value) -> Result<String, Failure> {
        match value {
            Value::Person(person) => self.person(person),
            Value::Money(amount) => Ok(amount.to_string()),
            other => Ok(attribute.text(other)),
        }
    }

    /// The value of a declared attribute in JSON.
    pub fn value_json(&self, attribute: &Attribute, value: Value) -> Result<Json, Failure> {
        Ok(match value {
            Value::Bool(yes) => Json::from(yes),
            Value::Integer(number) => Json::from(number),
            Value::Money(money) => output::amount(money),
            Value::Person(person) => Json::from(self.person(person)?),
            other => Json::from(attribute.text(other)),
        })
    }

    /// Name and value of a recorded attribute, the kernel's own included; `None` for what is not shown.
    pub fn recorded(
        &self,
        number: AttributeNumber,
        value: Option<Value>,
    ) -> Result<Option<(String, String)>, Failure> {
        if let Some(attribute) = self.catalogue().attribute_by_number(number) {
            if !self.sensitive && is_sensitive(&attribute.name) {
                return Ok(None);
            }
            let text = value.map(|value| self.value(attribute, value)).transpose()?;
            return Ok(Some((attribute.name.clone(), text.unwrap_or_default())));
        }
        let name = match number {
            builtin::BIRTH => "birth",
            builtin::SEX => "sex",
            builtin::DEATH => "death",
            builtin::HOUSEHOLD => "household",
            builtin::RESIDENCE => "residence",
            builtin::ENTERED_IN_ERROR => "entered_in_error",
            builtin::MERGED_INTO => "merged_into",
            builtin::IDENTIFIER => "id",
            builtin::HEAD => "head",
            _ => return Ok(None),
        };
        let text = value.map(|value| self.builtin(number, value)).transpose()?;
        Ok(Some((name.to_owned(), text.unwrap_or_default())))
    }

    fn builtin(&self, attribute: AttributeNumber, value: Value) -> Result<String, Failure> {
        Ok(match (attribute, value) {
            (_, Value::Unknown) => "unknown".to_owned(),
            (builtin::SEX, Value::Enum(number)) => if number == 0 { "male" } else { "female" }.to_owned(),
            (builtin::HOUSEHOLD | builtin::RESIDENCE, Value::Integer(0)) => "none".to_owned(),
            (builtin::HOUSEHOLD, Value::Integer(number)) => {
                let number = HouseholdNumber(u32::try_from(number).unwrap_or(0));
                let id = self.view.household_id(number)?;
                id.map_or_else(|| number.to_string(), |id| id.to_string())
            }
            (builtin::RESIDENCE, Value::Integer(number)) => {
                self.unit(UnitNumber(u16::try_from(number).unwrap_or(0)), Month::MAX)
            }
            (builtin::MERGED_INTO | builtin::HEAD, Value::Integer(number)) => {
                self.person(PersonNumber(u32::try_from(number).unwrap_or(0)))?
            }
            (builtin::IDENTIFIER, Value::Integer(key)) => {
                let id = u64::try_from(key).ok().and_then(Identifier::from_key);
                id.map_or_else(|| format!("#{key}"), |id| self.id(id))
            }
            (_, Value::Date(date)) => date.to_string(),
            (_, Value::Birth(birth)) => birth.to_string(),
            (_, Value::Bool(yes)) => yes.to_string(),
            (_, Value::Person(person)) => self.person(person)?,
            (_, Value::Integer(number)) => number.to_string(),
            (_, Value::Enum(number)) => format!("value #{number}"),
            (_, Value::Money(amount)) => amount.to_string(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::is_sensitive;

    #[test]
    fn what_is_about_hiv_is_told_by_its_words() {
        for name in ["hiv", "child_hiv", "enrolment.poor_hiv", "hiv_status"] {
            assert!(is_sensitive(name), "{name}");
        }
        for name in ["disability", "archive", "achieved", ""] {
            assert!(!is_sensitive(name), "{name}");
        }
    }
}
