//! `find`: who meets a condition.

use std::time::{Duration, Instant};

use clap::Args;
use serde_json::{Map, Value as Json, json};

use super::show::{check_known, moment};
use crate::cli::Failure;
use crate::cli::database::Database;
use crate::cli::describe::{Describer, Privacy, is_sensitive};
use crate::cli::output::{self, Output, Table};
use crate::cli::progress::Progress;
use crate::query::{Count, Field, Part, People, Plan, Profiles};
use crate::registry::{AsOf, Find as Question, RegistryView};
use crate::types::{Date, Month};

/// How many people are shown unless more are asked for.
const LIMIT: usize = 20;

/// Finds people.
#[derive(Debug, Args)]
#[command(
    after_help = "The condition is written in the language of policy packs: attributes, age, household.count(...), param.NAME. It is asked of everyone who is alive and present at the end of the month. Of whom it depends on something unknown, they are counted apart as undetermined. IDs are masked unless --unmask is given. Without --count, --by or --plan the exit code is 1 if nobody is found.\n\nExamples:\n  ansinh find national.ansinh 'age >= 75 and pension == none' --month 2026-06\n  ansinh find national.ansinh 'disability in [severe, extremely_severe]' --by province\n  ansinh find national.ansinh 'household.count(age < 16) >= 2' --count --json\n  ansinh find national.ansinh 'household.poverty == poor' --plan"
)]
pub struct Find {
    #[command(flatten)]
    database: Database,
    /// The condition
    #[arg(value_name = "EXPRESSION")]
    condition: String,
    /// The month at whose end it is asked [default: this month]
    #[arg(long, value_name = "MONTH")]
    month: Option<Month>,
    /// The law as it was known on this day, for the figures of the pack [default: the last day of the month]
    #[arg(long, value_name = "DATE")]
    known_on: Option<Date>,
    /// By what was recorded up to this transaction
    #[arg(long, value_name = "SEQ")]
    known_at: Option<u64>,
    /// Only count them
    #[arg(long, conflicts_with_all = ["by", "limit", "plan", "undetermined"])]
    count: bool,
    /// Count them by a field: province, commune, sex, age, or an attribute such as household.poverty
    #[arg(long, value_name = "FIELD", conflicts_with_all = ["limit", "plan", "undetermined"])]
    by: Option<String>,
    /// How many people to show
    #[arg(long, value_name = "N", default_value_t = LIMIT, conflicts_with = "plan")]
    limit: usize,
    /// Show those of whom it is undetermined
    #[arg(long, conflicts_with = "plan")]
    undetermined: bool,
    /// Say what would be read, and count nobody
    #[arg(long)]
    plan: bool,
    #[command(flatten)]
    privacy: Privacy,
}

impl Find {
    pub(super) fn run(&self, output: &mut Output) -> Result<(), Failure> {
        let as_of = moment(self.month, self.known_at)?;
        let subject = format!("whoever meets the condition {:?}", self.condition);
        let registry = self.privacy.open(&self.database, &subject)?;
        let view = registry.begin_read()?;
        check_known(&view, as_of)?;
        let by = self.by.as_deref().map(|name| view.field(name)).transpose()?;
        let units = view.units().len() as u64;
        let progress = Progress::new("looking everyone up", units);
        let reach = |done: usize, all: usize| progress.reach(units * done as u64 / all.max(1) as u64);
        let mut find = view
            .find(self.condition.as_str())?
            .month(as_of.month)
            .data_as_of(as_of.known)
            .on_progress(&reach);
        if let Some(day) = self.known_on {
            find = find.law_known_on(day);
        }
        self.check_sensitive(&find, by.as_ref())?;
        let law_known_on = find.asked_law();
        let begun = Instant::now();
        let answer = self.answer(&find, by.as_ref())?;
        let took = begun.elapsed();
        drop(progress);
        let said = Said {
            output,
            view: &view,
            describer: Describer::new(&view, &self.privacy),
            condition: &self.condition,
            as_of,
            law_known_on,
            took,
        };
        match answer {
            Answer::Plan(plan) => said.plan(&plan),
            Answer::Parts(field, parts) => said.parts(&field, &parts),
            Answer::Count(count) => said.count(count),
            Answer::People(people) => said.people(&people, self.undetermined),
        }
    }

    fn answer(&self, find: &Question<'_>, by: Option<&Field>) -> Result<Answer, Failure> {
        Ok(if self.plan {
            Answer::Plan(find.plan()?)
        } else if let Some(field) = by {
            Answer::Parts(field.name(), find.by(field)?)
        } else if self.count {
            Answer::Count(find.count()?)
        } else if self.undetermined {
            Answer::People(find.undetermined(self.limit)?)
        } else {
            Answer::People(find.people(self.limit)?)
        })
    }

    /// A condition tells what it asks about: one about HIV is asked like one looks such a fact up.
    fn check_sensitive(&self, find: &Question<'_>, by: Option<&Field>) -> Result<(), Failure> {
        if self.privacy.sensitive.is_some() {
            return Ok(());
        }
        let asked = find.attributes()?.into_iter().chain(by.map(Field::name));
        match asked.into_iter().find(|name| is_sensitive(name)) {
            None => Ok(()),
            Some(name) => Err(Failure::Failed(format!(
                "{name:?} is about HIV, and who is found would be known by it; say why you ask with --sensitive REASON, which is written to the log"
            ))),
        }
    }
}

/// What was found.
enum Answer {
    Plan(Plan),
    Parts(String, Vec<Part>),
    Count(Count),
    People(People),
}

/// To whom an answer is said, and what was asked.
struct Said<'a> {
    output: &'a mut Output,
    view: &'a RegistryView,
    describer: Describer<'a>,
    condition: &'a str,
    as_of: AsOf,
    law_known_on: Date,
    took: Duration,
}

impl Said<'_> {
    /// What every answer in JSON begins with.
    fn asked(&self) -> Map<String, Json> {
        let known = self.as_of.known.min(self.view.newest());
        Map::from_iter([
            ("condition".to_owned(), Json::from(self.condition)),
            ("month".to_owned(), Json::from(self.as_of.month.to_string())),
            (
                "law_known_on".to_owned(),
                Json::from(self.law_known_on.to_string()),
            ),
            ("data_as_of".to_owned(), Json::from(known.get())),
        ])
    }

    fn json(&mut self, mut said: Map<String, Json>) -> Result<(), Failure> {
        said.insert("seconds".to_owned(), output::seconds(self.took));
        self.output.json(&Json::Object(said))
    }

    fn count(mut self, count: Count) -> Result<(), Failure> {
        if self.output.is_json() {
            let mut said = self.asked();
            said.extend(counted(count));
            return self.json(said);
        }
        let mut table = Table::list();
        table.pair("In month", self.as_of.month);
        table.pair("Matching", count.matching);
        table.pair("Undetermined", count.undetermined);
        if count.error > 0 {
            table.pair("Not evaluated", count.error);
        }
        table.pair("Seconds", format!("{:.3}", self.took.as_secs_f64()));
        self.output.table(&table)
    }

    fn parts(mut self, field: &str, parts: &[Part]) -> Result<(), Failure> {
        let mut all = Count::default();
        for part in parts {
            all.add(part.count);
        }
        if self.output.is_json() {
            let rows: Vec<Json> = parts
                .iter()
                .map(|part| {
                    let mut row = Map::from_iter([("key".to_owned(), Json::from(part.key.clone()))]);
                    if !part.name.is_empty() {
                        row.insert("name".to_owned(), Json::from(part.name.clone()));
                    }
                    row.extend(counted(part.count));
                    Json::Object(row)
                })
                .collect();
            let mut said = self.asked();
            said.insert("by".to_owned(), Json::from(field));
            said.insert("rows".to_owned(), Json::from(rows));
            said.extend(counted(all));
            return self.json(said);
        }
        let title = format!("{} by {field}", self.as_of.month);
        let is_place = parts.iter().any(|part| !part.name.is_empty());
        let mut table = Table::new(if is_place {
            &["key", "name", ">matching", ">undetermined"]
        } else {
            &["value", ">matching", ">undetermined"]
        });
        let total = Part {
            key: if is_place { "" } else { "total" }.to_owned(),
            name: "total".to_owned(),
            count: all,
        };
        for part in parts.iter().chain([&total]) {
            let mut cells = vec![part.key.clone()];
            cells.extend(is_place.then(|| part.name.clone()));
            cells.extend([part.count.matching, part.count.undetermined].map(|number| number.to_string()));
            table.row(cells);
        }
        self.output.table(&table.titled(title))?;
        if all.error > 0 {
            let text = format!("For {} people the condition could not be evaluated.", all.error);
            self.output.line(text)?;
        }
        Ok(())
    }

    fn people(mut self, found: &People, undetermined: bool) -> Result<(), Failure> {
        let (count, month) = (found.count, self.as_of.month);
        let (all, others) = if undetermined {
            (count.undetermined, format!("{} meet it", count.matching))
        } else {
            let others = format!("of {} it is undetermined", count.undetermined);
            (count.matching, others)
        };
        if self.output.is_json() {
            let rows = found.people.iter().map(|&person| self.person(person));
            let rows: Result<Vec<Option<[String; 6]>>, Failure> = rows.collect();
            let rows: Vec<Json> = rows?
                .into_iter()
                .flatten()
                .map(|[id, name, birth, sex, commune, household]| {
                    json!({
                        "person": id, "name": name, "birth": birth, "sex": sex, "commune": commune,
                        "household": (!household.is_empty()).then_some(household),
                    })
                })
                .collect();
            let mut said = self.asked();
            said.extend(counted(count));
            said.insert("people".to_owned(), Json::from(rows));
            said.insert("more".to_owned(), Json::from(all - found.people.len() as u64));
            self.json(said)?;
        } else {
            let mut table = Table::new(&["ID", "name", "born", "sex", "commune", "household"]);
            for &person in &found.people {
                if let Some(cells) = self.person(person)? {
                    table.row(cells);
                }
            }
            self.output.table(&table)?;
            let more = all - found.people.len() as u64;
            if more > 0 {
                self.output
                    .line(format!("{more} more; show them with --limit {all}"))?;
            }
            if all > 0 && count.undetermined > 0 {
                self.output.line(format!("In {month} {others}."))?;
            }
        }
        if count.error > 0 && !self.output.is_json() {
            let text = format!("For {} people the condition could not be evaluated.", count.error);
            self.output.line(text)?;
        }
        if all == 0 {
            let what = if undetermined {
                "of nobody the condition is undetermined"
            } else {
                "nobody meets the condition"
            };
            return Err(Failure::No(format!("{what} in {month}; {others}")));
        }
        Ok(())
    }

    fn person(&self, person: crate::types::PersonNumber) -> Result<Option<[String; 6]>, Failure> {
        let record = self.view.person_record(person, self.as_of)?;
        Ok(record.map(|record| {
            let state = &record.state;
            let commune = state.unit.map(|unit| self.describer.unit(unit, self.as_of.month));
            [
                self.describer.id(state.identifier),
                record.dossier.name.clone(),
                state.birth.to_string(),
                state.sex.to_string(),
                commune.unwrap_or_default(),
                record.household.map_or_else(String::new, |id| id.to_string()),
            ]
        }))
    }

    fn plan(self, plan: &Plan) -> Result<(), Failure> {
        if self.output.is_json() {
            let mut said = self.asked();
            said.insert(
                "plan".to_owned(),
                json!({
                    "attributes": plan.attributes,
                    "person_profiles": profiles_json(plan.persons),
                    "household_profiles": profiles_json(plan.households),
                    "communes": plan.units.0,
                    "communes_possible": plan.units.1,
                    "age_bands": plan.bands,
                    "segments": plan.segments,
                    "by_index": plan.by_index,
                    "opened": plan.opened,
                    "skipped_by_place": plan.skipped_by_place,
                    "skipped_by_profile": plan.skipped_by_profile,
                    "read": plan.read(),
                    "one_by_one": plan.one_by_one,
                }),
            );
            return self.output.json(&Json::Object(said));
        }
        let attributes = if plan.attributes.is_empty() {
            "none".to_owned()
        } else {
            plan.attributes.join(", ")
        };
        let profiles = |profiles: Profiles| {
            format!(
                "{} of {} may match, in {} classes",
                profiles.possible, profiles.all, profiles.classes
            )
        };
        let mut table = Table::list();
        table.pair("In month", self.as_of.month);
        table.pair("Attributes", attributes);
        table.pair("Person profiles", profiles(plan.persons));
        table.pair("Household profiles", profiles(plan.households));
        table.pair(
            "Communes",
            format!("{} of {} may match", plan.units.1, plan.units.0),
        );
        table.pair("Bands of age", plan.bands);
        table.pair("Segments", plan.segments);
        table.pair(
            "Way",
            if plan.by_index {
                "the index names the segments in which a profile occurs that may match"
            } else {
                "every segment of the communes that may match"
            },
        );
        table.pair("Opened", plan.opened);
        table.pair("Skipped by place", plan.skipped_by_place);
        table.pair("Skipped by profile", plan.skipped_by_profile);
        table.pair("Read", plan.read());
        table.pair(
            "One by one",
            if plan.one_by_one {
                "yes, who is not settled by profile, place and age: it asks for what each person has of their own"
            } else {
                "no: settled once for each profile and band"
            },
        );
        self.output.table(&table)
    }
}

fn counted(count: Count) -> [(String, Json); 3] {
    [
        ("count".to_owned(), Json::from(count.matching)),
        ("undetermined".to_owned(), Json::from(count.undetermined)),
        ("error".to_owned(), Json::from(count.error)),
    ]
}

fn profiles_json(profiles: Profiles) -> Json {
    json!({ "all": profiles.all, "possible": profiles.possible, "classes": profiles.classes })
}
