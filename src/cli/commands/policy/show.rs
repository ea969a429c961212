//! `policy show`: something of a pack by its name, as it is for a month by the law known on a day, and why.

mod figures;
mod rules;

use std::collections::BTreeSet;

use clap::Args;
use serde_json::{Value as Json, json};

use super::{Source, When};
use crate::cli::Failure;
use crate::cli::output::Output;
use crate::gazetteer;
use crate::kernel::catalogue::nearest;
use crate::policy::{Area, Dates, Definition, Group, LookupTable, Pack, Parameter, ProgrammeRule};
use crate::types::{Date, Month, ProvinceCode};

/// Shows something of a pack.
#[derive(Debug, Args)]
#[command(
    after_help = "NAME is a parameter, a table or some of its rows, a programme, a group or a definition. Where two have the same name, write what is meant before it: param., table., programme., group. or define.\n\nExamples:\n  ansinh policy show vn base_level --month 2026-07\n  ansinh policy show vn base_level --month 2026-07 --known-on 2026-10-05 --province 01\n  ansinh policy show vn 'table.war_invalid(thuong_binh, 41)' --month 2026-06\n  ansinh policy show vn single_parent --month 2026-06 --json"
)]
pub struct Show {
    #[command(flatten)]
    source: Source,
    /// What to show: the name of a parameter, a table, a programme, a group or a definition
    #[arg(value_name = "NAME")]
    name: String,
    #[command(flatten)]
    when: When,
    /// What holds in this province: one of the 34 codes of today
    #[arg(long, value_name = "CODE")]
    province: Option<ProvinceCode>,
    /// What holds in this province as it was before 2025-07-01: one of the 63 codes of then
    #[arg(long, value_name = "CODE")]
    former_province: Option<ProvinceCode>,
}

/// What a name means in a pack.
#[derive(Clone, Copy)]
enum Meant<'p> {
    Parameter(&'p Parameter),
    Table(&'p LookupTable),
    Programme(&'p ProgrammeRule),
    Group(&'p Group),
    Definition(&'p Definition),
}

impl<'p> Meant<'p> {
    /// Everything that has a name.
    fn all(pack: &'p Pack) -> impl Iterator<Item = Self> {
        let parameters = pack.parameters().iter().map(Self::Parameter);
        let tables = pack.tables().iter().map(Self::Table);
        let programmes = pack.programmes().iter().map(Self::Programme);
        let groups = pack.groups().iter().map(Self::Group);
        let definitions = pack.definitions().iter().map(Self::Definition);
        parameters
            .chain(tables)
            .chain(programmes)
            .chain(groups)
            .chain(definitions)
    }

    const fn kind(self) -> &'static str {
        match self {
            Self::Parameter(_) => "param",
            Self::Table(_) => "table",
            Self::Programme(_) => "programme",
            Self::Group(_) => "group",
            Self::Definition(_) => "define",
        }
    }

    fn name(self) -> &'p str {
        match self {
            Self::Parameter(parameter) => &parameter.name,
            Self::Table(table) => &table.name,
            Self::Programme(rule) => &rule.id,
            Self::Group(group) => &group.name,
            Self::Definition(definition) => &definition.name,
        }
    }
}

/// A pack at a time, in a place.
#[derive(Clone, Copy)]
struct At<'p> {
    pack: &'p Pack,
    month: Month,
    known_on: Date,
    province: Option<ProvinceCode>,
    former_province: Option<ProvinceCode>,
}

impl Show {
    pub(super) fn run(&self, output: &mut Output) -> Result<(), Failure> {
        let pack = self.source.load()?;
        let at = At {
            pack: &pack,
            month: self.when.month,
            known_on: self.when.known_on(),
            province: self.province,
            former_province: self.former_province,
        };
        let (name, row) = match self.name.split_once('(') {
            Some((name, row)) => (name.trim(), Some(row)),
            None => (self.name.trim(), None),
        };
        let meant = find(&pack, name)?;
        if row.is_some() && !matches!(meant, Meant::Table(_)) {
            let kind = meant.kind();
            return Err(Failure::No(format!(
                "{kind}.{} is no table and has no rows",
                meant.name()
            )));
        }
        match meant {
            Meant::Parameter(parameter) => figures::parameter(parameter, at, output),
            Meant::Table(table) => figures::table(table, row, at, output),
            Meant::Programme(rule) => rules::programme(rule, at, output),
            Meant::Group(group) => rules::group(group, at, output),
            Meant::Definition(definition) => rules::definition(definition, at, output),
        }
    }
}

/// What a name means, with or without its kind before it.
fn find<'p>(pack: &'p Pack, asked: &str) -> Result<Meant<'p>, Failure> {
    let (kind, name) = match asked.split_once('.') {
        Some(("parameter", name)) => (Some("param"), name),
        Some(("definition", name)) => (Some("define"), name),
        Some((kind, name)) => (Some(kind), name),
        None => (None, asked),
    };
    let of_kind = || Meant::all(pack).filter(|meant| kind.is_none_or(|kind| kind == meant.kind()));
    let found: Vec<Meant<'p>> = of_kind().filter(|meant| meant.name() == name).collect();
    match found[..] {
        [meant] => Ok(meant),
        [] => {
            let known: BTreeSet<String> = Meant::all(pack)
                .flat_map(|meant| {
                    [
                        meant.name().to_owned(),
                        format!("{}.{}", meant.kind(), meant.name()),
                    ]
                })
                .collect();
            let hint = nearest(name, of_kind().map(Meant::name))
                .or_else(|| nearest(asked, known.iter().map(String::as_str)))
                .map(|name| format!("; did you mean {name:?}?"));
            Err(Failure::No(format!(
                "the pack {} has no parameter, table, programme, group or definition {asked:?}{}",
                pack.id(),
                hint.unwrap_or_default()
            )))
        }
        _ => {
            let names: Vec<String> = found
                .iter()
                .map(|meant| format!("{}.{}", meant.kind(), meant.name()))
                .collect();
            Err(Failure::No(format!(
                "{asked:?} is the name of several; write one of {}",
                names.join(", ")
            )))
        }
    }
}

impl At<'_> {
    /// The month and the law date, as every answer names them.
    fn said(&self) -> String {
        format!("{}, by the law known on {}", self.month, self.known_on)
    }

    fn in_force(&self, dates: Dates) -> bool {
        dates.in_force(self.month, self.known_on)
    }

    fn json(&self, kind: &str, name: &str) -> Json {
        json!({
            "kind": kind,
            "name": name,
            "pack": self.pack.id(),
            "month": self.month.to_string(),
            "law_known_on": self.known_on.to_string(),
        })
    }

    /// The given places in words.
    fn place(&self) -> Option<String> {
        let now = self.province.map(|code| area_name(Area::Province(code.number())));
        let former = self
            .former_province
            .map(|code| area_name(Area::Former(code.number())));
        let places: Vec<String> = now.into_iter().chain(former).collect();
        (!places.is_empty()).then(|| places.join(", "))
    }

    /// Whether something set for an area is for the given places.
    fn is_in(&self, area: Area) -> bool {
        area.contains(
            self.province.unwrap_or(ProvinceCode::NONE),
            self.former_province.unwrap_or(ProvinceCode::NONE),
        )
    }

    /// Of several with dates, why each is the one in force or is not.
    fn why(&self, all: &[Dates], chosen: Option<usize>) -> Vec<String> {
        let explain = |(place, dates): (usize, &Dates)| self.why_one(*dates, place, all, chosen);
        all.iter().enumerate().map(explain).collect()
    }

    fn why_one(&self, dates: Dates, place: usize, all: &[Dates], chosen: Option<usize>) -> String {
        if chosen == Some(place) {
            let rivals = all.iter().filter(|dates| self.in_force(**dates)).count();
            return match rivals {
                1 => "chosen: the only one that applies and was known".to_owned(),
                _ => "chosen: of those that apply and were known, the one that starts last".to_owned(),
            };
        }
        let known = dates.known_from <= self.known_on;
        let applies = if self.month < dates.from {
            Some(format!("does not apply before {}", dates.from))
        } else {
            dates
                .until
                .filter(|until| *until < self.month)
                .map(|until| format!("applied until {until}"))
        };
        match (applies, known) {
            (Some(applies), true) => applies,
            (Some(applies), false) => format!("{applies}; not known before {}", dates.known_from),
            (None, false) => format!("applies, but was not known before {}", dates.known_from),
            (None, true) => match chosen.map(|place| all[place]) {
                Some(chosen) if chosen.from > dates.from => {
                    format!("replaced by the one from {}", chosen.from)
                }
                Some(chosen) => format!("corrected by the one known from {}", chosen.known_from),
                None => String::new(),
            },
        }
    }
}

/// A province by its code and name.
fn area_name(area: Area) -> String {
    let (code, names) = match area {
        Area::Province(code) => (code, gazetteer::province_names()),
        Area::Former(code) => (code, gazetteer::former_province_names()),
    };
    let found = names.iter().find(|(known, _)| known.number() == code);
    match found {
        Some((_, name)) => format!("{area} ({name})"),
        None => format!("{area} (no such province)"),
    }
}

/// Dates in JSON, added to what is said of something.
fn add_dates(said: &mut Json, dates: Dates) {
    said["from"] = Json::from(dates.from.to_string());
    said["until"] = Json::from(dates.until.map(|month| month.to_string()));
    said["known_from"] = Json::from(dates.known_from.to_string());
}
