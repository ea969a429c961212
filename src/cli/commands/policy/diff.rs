//! `policy diff`: two packs over everyone, without writing anything.

use std::time::Instant;

use clap::{Args, ValueEnum};
use serde_json::{Map, Value as Json, json};

use super::{Source, When};
use crate::cli::Failure;
use crate::cli::database::Database;
use crate::cli::describe::{Describer, Privacy, is_sensitive};
use crate::cli::output::{self, Output, Table};
use crate::cli::progress::Progress;
use crate::entitlement::{
    Change, Diff as Found, DiffRequest, LineText, Lines, Moves, Newly, ProgrammeDiff, ProvinceDiff, Side,
};
use crate::policy::{LineKind, Pack};
use crate::registry::{RegistryError, RegistryView};
use crate::types::Total;

/// The word for the pack that the registry has in force.
const CURRENT: &str = "current";

/// Compares two packs.
#[derive(Debug, Args)]
#[command(
    after_help = "A pack is a file, `vn` for the built-in one, or `current` for the one that the registry has in force; a file of such a name is written ./vn. Nothing is written: attributes that the registry does not have are as if nothing had been recorded.\n\nWho is paid the same in sum by other programmes, or has other amounts held, changes otherwise.\n\nExamples:\n  ansinh policy diff current my-pack.toml national.ansinh --month 2026-06\n  ansinh policy diff vn my-pack.toml national.ansinh --month 2026-06 --by programme --json"
)]
pub struct Diff {
    /// The first pack
    #[arg(value_name = "A")]
    before: String,
    /// The second pack
    #[arg(value_name = "B")]
    after: String,
    #[command(flatten)]
    database: Database,
    #[command(flatten)]
    when: When,
    /// Only this breakdown; without it both
    #[arg(long, value_enum)]
    by: Option<Breakdown>,
    /// Show the personal IDs of examples in full
    #[arg(long)]
    unmask: bool,
}

/// By what a comparison is broken down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Breakdown {
    /// The provinces
    Province,
    /// The programmes
    Programme,
}

/// Compares two packs, with a bar for whoever waits.
pub(super) fn compare(
    view: &RegistryView,
    before: &Pack,
    after: &Pack,
    request: &DiffRequest,
) -> Result<Found, RegistryError> {
    let progress = Progress::new("comparing the packs", view.units().len() as u64);
    view.diff(before, after, request, &|done, _| progress.reach(done as u64))
}

impl Diff {
    pub(super) fn run(&self, output: &mut Output) -> Result<(), Failure> {
        let registry = self.database.read()?;
        let view = registry.begin_read()?;
        let pack = |text: &str| match text {
            CURRENT => Ok(view.policy()?.pack().clone()),
            file => Source { pack: file.into() }.load(),
        };
        let (before, after) = (pack(&self.before)?, pack(&self.after)?);
        let request = DiffRequest {
            law_known_on: self.when.known_on(),
            ..DiffRequest::monthly(self.when.month)
        };
        let begun = Instant::now();
        let found = compare(&view, &before, &after, &request)?;
        let took = begun.elapsed();
        let privacy = Privacy {
            unmask: self.unmask,
            ..Privacy::default()
        };
        let describer = Describer::new(&view, &privacy);
        if output.is_json() {
            let mut said = self.json(&found, &describer)?;
            said.insert("seconds".to_owned(), output::seconds(took));
            return output.json(&Json::Object(said));
        }
        summary(output, &found)?;
        if self.shows(Breakdown::Programme) {
            output.table(&by_programme(&found))?;
        }
        if self.shows(Breakdown::Province) {
            output.table(&by_province(&found))?;
        }
        output.table(&changes(&found, &describer)?)?;
        for table in newly(&found.newly) {
            output.table(&table)?;
        }
        Ok(())
    }

    fn shows(&self, by: Breakdown) -> bool {
        self.by.is_none_or(|only| only == by)
    }

    fn json(&self, found: &Found, describer: &Describer<'_>) -> Result<Map<String, Json>, Failure> {
        let mut said = summary_json(found);
        if self.shows(Breakdown::Programme) {
            let rows: Vec<Json> = touched(found).map(programme_json).collect();
            said.insert("programmes".to_owned(), rows.into());
        }
        if self.shows(Breakdown::Province) {
            let rows: Vec<Json> = found.provinces.iter().map(province_json).collect();
            said.insert("provinces".to_owned(), rows.into());
        }
        let changes: Result<Vec<Json>, Failure> = found
            .changes
            .iter()
            .map(|change| change_json(change, describer))
            .collect();
        said.insert("changes".to_owned(), changes?.into());
        said.insert("changes_in_all".to_owned(), found.changes_in_all.into());
        Ok(said)
    }
}

/// What is said of everyone together, in JSON.
pub(super) fn summary_json(found: &Found) -> Map<String, Json> {
    let newly = &found.newly;
    let attributes = newly.attributes.iter();
    let attributes: Vec<Json> = attributes
        .map(|(name, people)| json!({ "attribute": name, "people": people }))
        .collect();
    let programmes = newly.programmes.iter();
    let programmes: Vec<Json> = programmes
        .map(|(id, held, error)| json!({ "programme": id, "held": held, "error": error }))
        .collect();
    let mut said = object(json!({
        "month": found.month.to_string(),
        "law_known_on": found.law_known_on.to_string(),
        "data_as_of": found.data_as_of.get(),
        "people": found.people,
        "before": side_json(&found.before),
        "after": side_json(&found.after),
        "newly_held": newly.held,
        "newly_error": newly.error,
        "newly_by_attribute": attributes,
        "newly_by_programme": programmes,
    }));
    said.extend(moves_json(&found.moves));
    said
}

fn object(value: Json) -> Map<String, Json> {
    match value {
        Json::Object(object) => object,
        _ => Map::new(),
    }
}

fn side_json(side: &Side) -> Json {
    json!({
        "pack": side.pack,
        "hash": blake3::Hash::from_bytes(side.hash).to_string(),
        "paid": side.status.paid,
        "paid_with_held": side.status.paid_with_held,
        "zero": side.status.zero,
        "held": side.status.held,
        "error": side.status.error,
        "amount": output::total(side.amount),
        "amount_held": output::total(side.amount_held),
        "one_by_one": side.one_by_one,
    })
}

fn moves_json(moves: &Moves) -> Map<String, Json> {
    object(json!({
        "unchanged": moves.unchanged,
        "gained": moves.gained.people,
        "amount_gained": output::total(moves.gained.sum),
        "lost": moves.lost.people,
        "amount_lost": output::total(moves.lost.sum),
        "otherwise": moves.otherwise,
    }))
}

fn lines_json(lines: &Lines) -> Json {
    json!({
        "paid": lines.paid.people,
        "amount": output::total(lines.paid.sum),
        "held": lines.held.people,
        "amount_held": output::total(lines.held.sum),
        "error": lines.error,
    })
}

fn programme_json(programme: &ProgrammeDiff) -> Json {
    json!({
        "key": programme.id,
        "name": programme.title_en,
        "before": lines_json(&programme.before),
        "after": lines_json(&programme.after),
        "gained": programme.gained.people,
        "amount_gained": output::total(programme.gained.sum),
        "lost": programme.lost.people,
        "amount_lost": output::total(programme.lost.sum),
    })
}

fn province_json(province: &ProvinceDiff) -> Json {
    let mut said = object(json!({
        "key": province.code.to_string(),
        "name": province.name,
        "people": province.people,
        "before": { "paid": province.before.people, "amount": output::total(province.before.sum) },
        "after": { "paid": province.after.people, "amount": output::total(province.after.sum) },
    }));
    said.extend(moves_json(&province.moves));
    Json::Object(said)
}

fn change_json(change: &Change, describer: &Describer<'_>) -> Result<Json, Failure> {
    let lines = |lines: &[LineText]| -> Vec<Json> {
        let lines = lines.iter();
        lines
            .map(|line| json!({ "programme": line.programme, "kind": kind(line.kind), "amount": output::amount(line.amount) }))
            .collect()
    };
    Ok(json!({
        "before": lines(&change.before),
        "after": lines(&change.after),
        "people": change.people,
        "difference": output::total(change.difference),
        "examples": examples(change, describer)?,
    }))
}

const fn kind(kind: LineKind) -> &'static str {
    match kind {
        LineKind::Paid => "paid",
        LineKind::Held => "held",
        LineKind::Error => "error",
    }
}

/// Some of the people who change so. Nobody is named of whom a programme would tell what is not shown unasked.
fn examples(change: &Change, describer: &Describer<'_>) -> Result<Vec<String>, Failure> {
    let mut lines = change.before.iter().chain(&change.after);
    if lines.any(|line| is_sensitive(&line.programme)) {
        return Ok(Vec::new());
    }
    change
        .examples
        .iter()
        .map(|&person| describer.person(person))
        .collect()
}

/// Prints what is said of everyone together.
pub(super) fn summary(output: &mut Output, found: &Found) -> Result<(), Failure> {
    let (before, after, moves) = (&found.before, &found.after, &found.moves);
    let mut table = Table::list();
    table.pair("Month", found.month);
    table.pair("Law known on", found.law_known_on);
    table.pair("People", found.people);
    table.pair("Unchanged", moves.unchanged);
    table.pair("Gain", with_sum(moves.gained.people, moves.gained.sum));
    table.pair("Lose", with_sum(moves.lost.people, moves.lost.sum));
    table.pair("Change otherwise", moves.otherwise);
    output.table(&table)?;
    let mut table = Table::new(&[
        "pack",
        ">paid",
        ">zero",
        ">held",
        ">error",
        ">amount",
        ">held at most",
    ]);
    for side in [before, after] {
        let status = &side.status;
        let counts = [status.paid, status.zero, status.held, status.error];
        let mut cells = vec![side.pack.clone()];
        cells.extend(counts.iter().map(ToString::to_string));
        cells.extend([side.amount.to_string(), side.amount_held.to_string()]);
        table.row(cells);
    }
    output.table(&table)
}

fn with_sum(people: u64, sum: Total) -> String {
    if people == 0 {
        people.to_string()
    } else {
        format!("{people}, {sum}")
    }
}

/// The programmes of which anyone has a line by either pack.
fn touched(found: &Found) -> impl Iterator<Item = &ProgrammeDiff> {
    let programmes = found.programmes.iter();
    programmes.filter(|programme| programme.before != Lines::default() || programme.after != Lines::default())
}

fn by_programme(found: &Found) -> Table {
    let mut table = Table::new(&[
        "programme",
        ">paid before",
        ">amount before",
        ">paid after",
        ">amount after",
        ">gain",
        ">gained",
        ">lose",
        ">lost",
        ">held before",
        ">held after",
    ]);
    for programme in touched(found) {
        let (before, after) = (&programme.before, &programme.after);
        table.row([
            programme.id.clone(),
            before.paid.people.to_string(),
            before.paid.sum.to_string(),
            after.paid.people.to_string(),
            after.paid.sum.to_string(),
            programme.gained.people.to_string(),
            programme.gained.sum.to_string(),
            programme.lost.people.to_string(),
            programme.lost.sum.to_string(),
            before.held.people.to_string(),
            after.held.people.to_string(),
        ]);
    }
    table.titled("By programme")
}

fn by_province(found: &Found) -> Table {
    let mut table = Table::new(&[
        "province",
        "name",
        ">people",
        ">paid before",
        ">amount before",
        ">paid after",
        ">amount after",
        ">gain",
        ">gained",
        ">lose",
        ">lost",
    ]);
    for province in &found.provinces {
        let moves = &province.moves;
        table.row([
            province.code.to_string(),
            province.name.clone(),
            province.people.to_string(),
            province.before.people.to_string(),
            province.before.sum.to_string(),
            province.after.people.to_string(),
            province.after.sum.to_string(),
            moves.gained.people.to_string(),
            moves.gained.sum.to_string(),
            moves.lost.people.to_string(),
            moves.lost.sum.to_string(),
        ]);
    }
    table.titled("By province")
}

fn changes(found: &Found, describer: &Describer<'_>) -> Result<Table, Failure> {
    let mut table = Table::new(&["from", "to", ">people", ">difference", "for example"]);
    let words = |lines: &[LineText]| -> String {
        let words: Vec<String> = lines.iter().map(ToString::to_string).collect();
        if words.is_empty() {
            "nothing".to_owned()
        } else {
            words.join(" + ")
        }
    };
    for change in &found.changes {
        table.row([
            words(&change.before),
            words(&change.after),
            change.people.to_string(),
            change.difference.to_string(),
            examples(change, describer)?.join(", "),
        ]);
    }
    let (shown, all) = (found.changes.len(), found.changes_in_all);
    Ok(table.titled(if shown < all {
        format!("The {shown} largest of {all} changes")
    } else {
        "The changes".to_owned()
    }))
}

/// Who is held or in error by the second pack alone: by programme, and by what is unknown.
pub(super) fn newly(newly: &Newly) -> [Table; 2] {
    let mut attributes = Table::new(&["unknown", ">people"]);
    for (name, people) in &newly.attributes {
        attributes.row([name.clone(), people.to_string()]);
    }
    let mut programmes = Table::new(&["programme", ">newly held", ">newly in error"]);
    for (id, held, error) in &newly.programmes {
        programmes.row([id.clone(), held.to_string(), error.to_string()]);
    }
    [
        programmes.titled(format!(
            "Held or in error by the second pack and not by the first: {} people are held, {} in error",
            newly.held, newly.error
        )),
        attributes.titled("What is unknown of those who are newly held"),
    ]
}
