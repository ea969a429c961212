//! `household`: a household and its members.

use clap::Args;
use serde_json::{Map, Value as Json, json};

use super::show::{check_known, moment};
use crate::cli::Failure;
use crate::cli::database::Database;
use crate::cli::describe::{Describer, Privacy};
use crate::cli::output::{Output, Table};
use crate::registry::{AsOf, HouseholdRecord, PersonRecord, RegistryView};
use crate::types::{HouseholdId, Month};

/// Shows a household.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  ansinh household national.ansinh HN-0001\n  ansinh household national.ansinh HN-0001 --as-of 2026-03"
)]
pub struct Household {
    #[command(flatten)]
    database: Database,
    /// The household's ID
    #[arg(value_name = "HOUSEHOLD_ID")]
    id: HouseholdId,
    /// The month at whose end the household is shown [default: this month]
    #[arg(long, value_name = "MONTH")]
    as_of: Option<Month>,
    /// Show only what was recorded up to this transaction
    #[arg(long, value_name = "SEQ")]
    known_at: Option<u64>,
    #[command(flatten)]
    privacy: Privacy,
}

impl Household {
    pub(super) fn run(&self, output: &mut Output) -> Result<(), Failure> {
        let as_of = moment(self.as_of, self.known_at)?;
        let registry = self
            .privacy
            .open(&self.database, &format!("household {}", self.id))?;
        let view = registry.begin_read()?;
        check_known(&view, as_of)?;
        let found = view.household_by_id(self.id, as_of)?.ok_or_else(|| {
            Failure::No(format!(
                "no household in the registry has the ID {}; check it",
                self.id
            ))
        })?;
        let members = members(&view, &found, as_of)?;
        let describer = Describer::new(&view, &self.privacy);
        if output.is_json() {
            output.json(&json(describer, &found, &members, as_of)?)
        } else {
            print(output, describer, &found, &members, as_of)
        }
    }
}

fn members(view: &RegistryView, found: &HouseholdRecord, as_of: AsOf) -> Result<Vec<PersonRecord>, Failure> {
    let mut members = Vec::with_capacity(found.state.members.len());
    for &member in &found.state.members {
        members.extend(view.person_record(member, as_of)?);
    }
    Ok(members)
}

fn print(
    output: &mut Output,
    describer: Describer<'_>,
    found: &HouseholdRecord,
    members: &[PersonRecord],
    as_of: AsOf,
) -> Result<(), Failure> {
    let state = &found.state;
    let mut table = Table::list();
    table.pair("Household", state.id);
    table.pair("In month", as_of.month);
    let commune = state.unit.map(|unit| describer.unit(unit, as_of.month));
    table.pair("Commune", commune.unwrap_or_else(|| "none".to_owned()));
    if let Some(head) = state.head {
        table.pair("Head", describer.person(head)?);
    }
    for (attribute, value) in describer.shown(&state.values) {
        table.pair(&attribute.name, describer.value(attribute, value)?);
    }
    output.table(&table)?;
    let mut table = Table::new(&["member", "name", "sex", "born", "head"]).titled("Members");
    for member in members {
        let head = if state.head == Some(member.state.number) {
            "head"
        } else {
            ""
        };
        table.row([
            describer.id(member.state.identifier),
            member.dossier.name.clone(),
            member.state.sex.to_string(),
            member.state.birth.to_string(),
            head.to_owned(),
        ]);
    }
    output.table(&table)
}

fn json(
    describer: Describer<'_>,
    found: &HouseholdRecord,
    members: &[PersonRecord],
    as_of: AsOf,
) -> Result<Json, Failure> {
    let state = &found.state;
    let mut facts = Map::new();
    for (attribute, value) in describer.shown(&state.values) {
        facts.insert(attribute.name.clone(), describer.value_json(attribute, value)?);
    }
    let members: Vec<Json> = members
        .iter()
        .map(|member| {
            json!({
                "person": describer.id(member.state.identifier),
                "name": member.dossier.name,
                "sex": member.state.sex.to_string(),
                "birth": member.state.birth.to_string(),
                "head": state.head == Some(member.state.number),
            })
        })
        .collect();
    Ok(json!({
        "household": state.id.to_string(),
        "month": as_of.month.to_string(),
        "commune": state.unit.map_or(Json::Null, |unit| describer.unit_json(unit, as_of.month)),
        "head": state.head.map(|head| describer.person(head)).transpose()?,
        "facts": facts,
        "members": members,
    }))
}
