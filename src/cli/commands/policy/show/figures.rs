//! Parameters and lookup tables.

use serde_json::{Value as Json, json};

use super::{At, add_dates, area_name};
use crate::cli::Failure;
use crate::cli::commands::policy::{figure, figure_json, or_blank, yes};
use crate::cli::output::{Output, Table};
use crate::kernel::catalogue::nearest;
use crate::policy::{
    Dates, Edition, LookupTable, Parameter, ParameterValue, ProvincialRule, ProvincialValue, Unit,
};
use crate::types::{Decimal, ProvinceCode};

const fn unit(unit: Unit) -> &'static str {
    match unit {
        Unit::Dong => "đồng",
        Unit::Number => "a number",
    }
}

const fn unit_code(unit: Unit) -> &'static str {
    match unit {
        Unit::Dong => "dong",
        Unit::Number => "number",
    }
}

const fn rule_code(rule: ProvincialRule) -> &'static str {
    match rule {
        ProvincialRule::Higher => "higher",
        ProvincialRule::Instead => "instead",
    }
}

const fn rule(rule: ProvincialRule) -> &'static str {
    match rule {
        ProvincialRule::Higher => "the higher of the national and the provincial value holds",
        ProvincialRule::Instead => "a provincial value holds instead of the national one",
    }
}

/// A value with why it is the one that holds, or is not.
struct Weighed<'p> {
    value: &'p ParameterValue,
    chosen: bool,
    why: String,
}

/// Weighs the values of one list.
fn weigh<'p>(values: &[&'p ParameterValue], chosen: Option<&ParameterValue>, at: At<'_>) -> Vec<Weighed<'p>> {
    let dates: Vec<Dates> = values.iter().map(|value| value.dates).collect();
    let place = chosen.and_then(|chosen| values.iter().position(|value| std::ptr::eq(*value, chosen)));
    let whys = at.why(&dates, place);
    values
        .iter()
        .zip(whys)
        .enumerate()
        .map(|(index, (value, why))| Weighed {
            value,
            chosen: Some(index) == place,
            why,
        })
        .collect()
}

impl Weighed<'_> {
    /// Says of the provincial value in force whether it holds beside the national one.
    fn compare(&mut self, rule: ProvincialRule, national: Option<&ParameterValue>) {
        let not_higher = national.is_some_and(|national| self.value.value <= national.value);
        if rule == ProvincialRule::Higher && not_higher {
            self.chosen = false;
            "in force, but not higher than the national value".clone_into(&mut self.why);
        }
    }

    fn json(&self, at: At<'_>) -> Json {
        let mut said = json!({
            "value": figure_json(self.value.value),
            "confidence": self.value.confidence.to_string(),
            "source": self.value.source,
            "applies": self.value.dates.applies_to(at.month),
            "known": self.value.dates.known_from <= at.known_on,
            "chosen": self.chosen,
            "why": self.why,
        });
        add_dates(&mut said, self.value.dates);
        said
    }

    fn cells(&self, unit: Unit, at: At<'_>) -> [String; 9] {
        let dates = self.value.dates;
        [
            figure(self.value.value, unit),
            dates.from.to_string(),
            or_blank(dates.until),
            dates.known_from.to_string(),
            yes(dates.applies_to(at.month)).to_owned(),
            yes(dates.known_from <= at.known_on).to_owned(),
            self.why.clone(),
            self.value.confidence.to_string(),
            self.value.source.clone(),
        ]
    }
}

/// Shows a parameter.
pub(super) fn parameter(parameter: &Parameter, at: At<'_>, output: &mut Output) -> Result<(), Failure> {
    let shown = Shown::of(parameter, at);
    if output.is_json() {
        output.json(&shown.json())
    } else {
        shown.print(output)
    }
}

/// A parameter as it is for a month.
struct Shown<'p> {
    parameter: &'p Parameter,
    at: At<'p>,
    national: Vec<Weighed<'p>>,
    chosen: Option<&'p ParameterValue>,
    /// The provincial values in force.
    in_force: Vec<&'p ProvincialValue>,
    /// Every value of the given province.
    of_place: Vec<(&'p ProvincialValue, Weighed<'p>)>,
}

impl<'p> Shown<'p> {
    fn of(parameter: &'p Parameter, at: At<'p>) -> Self {
        let chosen = parameter.value_for(at.month, at.known_on);
        let values: Vec<&ParameterValue> = parameter.values.iter().collect();
        let in_force: Vec<&ProvincialValue> = parameter.provincial_for(at.month, at.known_on).collect();
        let mut of_place = Vec::new();
        for of_area in parameter.provincial.chunk_by(|a, b| a.area == b.area) {
            let area = of_area[0].area;
            if at.is_in(area) {
                let values: Vec<&ParameterValue> = of_area.iter().map(|value| &value.value).collect();
                let here = in_force.iter().find(|value| value.area == area);
                let mut weighed = weigh(&values, here.map(|value| &value.value), at);
                for weighed in weighed.iter_mut().filter(|weighed| weighed.chosen) {
                    weighed.compare(parameter.rule, chosen);
                }
                of_place.extend(of_area.iter().zip(weighed));
            }
        }
        Self {
            parameter,
            at,
            national: weigh(&values, chosen, at),
            chosen,
            in_force,
            of_place,
        }
    }

    /// What holds in the given place, and which value of which area it is.
    fn holds(&self) -> Option<(&ParameterValue, Option<crate::policy::Area>)> {
        self.parameter.value_in(
            self.at.month,
            self.at.known_on,
            self.at.province.unwrap_or(ProvinceCode::NONE),
            self.at.former_province.unwrap_or(ProvinceCode::NONE),
        )
    }

    /// Why that is what holds in the given place.
    fn why_here(&self) -> String {
        let here: Vec<&&ProvincialValue> = self
            .in_force
            .iter()
            .filter(|value| self.at.is_in(value.area))
            .collect();
        let from = self.holds().and_then(|(_, area)| area);
        match (&here[..], from, self.parameter.rule) {
            ([], ..) => "no value of this province is in force: the national one holds".to_owned(),
            (_, Some(area), ProvincialRule::Higher) if self.chosen.is_some() => {
                format!("set by {area}: higher than the national value")
            }
            (_, Some(area), _) => format!("set by {area}: it holds instead of the national value"),
            (_, None, _) => "the national value: that of the province is not higher".to_owned(),
        }
    }

    fn figure(&self, value: Option<Decimal>) -> String {
        let none = || format!("none for {}", self.at.said());
        value.map_or_else(none, |value| figure(value, self.parameter.unit))
    }

    fn json(&self) -> Json {
        let parameter = self.parameter;
        let mut said = self.at.json("parameter", &format!("param.{}", parameter.name));
        said["title_vi"] = Json::from(parameter.title_vi.as_str());
        said["title_en"] = Json::from(parameter.title_en.as_str());
        said["unit"] = Json::from(unit_code(parameter.unit));
        said["value"] = self.chosen.map_or(Json::Null, |value| figure_json(value.value));
        said["values"] = self.national.iter().map(|value| value.json(self.at)).collect();
        said["rule"] = Json::from(rule_code(parameter.rule));
        said["provincial"] = self
            .in_force
            .iter()
            .map(|value| self.provincial_json(value))
            .collect();
        if let Some(place) = self.at.place() {
            let held = self.holds();
            let weighed = self.of_place.iter().map(|(value, weighed)| {
                let mut said = weighed.json(self.at);
                said["area"] = Json::from(value.area.to_string());
                said
            });
            said["here"] = json!({
                "place": place,
                "value": held.map_or(Json::Null, |(value, _)| figure_json(value.value)),
                "source": held.map(|(value, _)| value.source.as_str()),
                "area": held.and_then(|(_, area)| area).map(|area| area.to_string()),
                "why": self.why_here(),
                "values": weighed.collect::<Vec<_>>(),
            });
        }
        said
    }

    fn provincial_json(&self, value: &ProvincialValue) -> Json {
        let mut said = json!({
            "area": value.area.to_string(),
            "value": figure_json(value.value.value),
            "holds": self.provincial_holds(value),
            "confidence": value.value.confidence.to_string(),
            "source": value.value.source,
        });
        add_dates(&mut said, value.value.dates);
        said
    }

    /// Whether a provincial value in force is what its people get.
    fn provincial_holds(&self, value: &ProvincialValue) -> bool {
        let higher = self
            .chosen
            .is_none_or(|national| value.value.value > national.value);
        self.parameter.rule == ProvincialRule::Instead || higher
    }

    fn print(&self, output: &mut Output) -> Result<(), Failure> {
        let (parameter, at) = (self.parameter, self.at);
        let mut table = Table::list();
        table.pair("Parameter", format_args!("param.{}", parameter.name));
        table.pair("Title", &parameter.title_vi);
        table.pair("", &parameter.title_en);
        table.pair("Unit", unit(parameter.unit));
        table.pair("Month", at.said());
        table.pair(
            "National value",
            self.figure(self.chosen.map(|value| value.value)),
        );
        if let Some(place) = at.place() {
            table.pair("Place", place);
            table.pair(
                "Value there",
                self.figure(self.holds().map(|(value, _)| value.value)),
            );
            table.pair("Why", self.why_here());
        }
        if !parameter.provincial.is_empty() {
            table.pair("Provinces", rule(parameter.rule));
        }
        output.table(&table)?;
        let mut table = Table::new(&[
            ">value",
            "from",
            "until",
            "known from",
            "applies",
            "known",
            "why",
            "mark",
            "source",
        ])
        .titled("National values");
        for value in &self.national {
            table.row(value.cells(parameter.unit, at));
        }
        output.table(&table)?;
        let mut table = Table::new(&[
            "area",
            ">value",
            "from",
            "until",
            "known from",
            "applies",
            "known",
            "why",
            "mark",
            "source",
        ])
        .titled("Values of the place");
        for (value, weighed) in &self.of_place {
            let area = value.area.to_string();
            table.row([area].into_iter().chain(weighed.cells(parameter.unit, at)));
        }
        output.table(&table)?;
        self.print_provincial(output)
    }

    fn print_provincial(&self, output: &mut Output) -> Result<(), Failure> {
        let mut table = Table::new(&[
            "area",
            ">value",
            "from",
            "until",
            "known from",
            "holds",
            "mark",
            "source",
        ])
        .titled("Provincial values in force");
        for provincial in &self.in_force {
            let (value, dates) = (&provincial.value, provincial.value.dates);
            let holds = match (self.provincial_holds(provincial), self.parameter.rule) {
                (true, ProvincialRule::Higher) => "yes: higher",
                (true, ProvincialRule::Instead) => "yes: instead",
                (false, _) => "no: not higher",
            };
            table.row([
                area_name(provincial.area),
                figure(value.value, self.parameter.unit),
                dates.from.to_string(),
                or_blank(dates.until),
                dates.known_from.to_string(),
                holds.to_owned(),
                value.confidence.to_string(),
                value.source.clone(),
            ]);
        }
        output.table(&table)
    }
}

/// Shows the rows of a table that begin with the given keys, in the edition in force.
pub(super) fn table(
    table: &LookupTable,
    asked: Option<&str>,
    at: At<'_>,
    output: &mut Output,
) -> Result<(), Failure> {
    let keys = match asked {
        Some(asked) => read_keys(table, asked)?,
        None => Vec::new(),
    };
    let edition = table.edition_for(at.month, at.known_on);
    let rows: Vec<(String, Decimal)> = edition
        .iter()
        .flat_map(|edition| edition.values.iter())
        .filter(|(row, _)| row.starts_with(&keys))
        .map(|(row, value)| (table.written(row), *value))
        .collect();
    if rows.is_empty() && edition.is_some() {
        let asked = asked.unwrap_or_default().trim_end_matches(')');
        return Err(Failure::No(format!(
            "table.{} has no row ({asked}) in the edition for {}; show table.{} for all rows",
            table.name,
            at.said(),
            table.name
        )));
    }
    if output.is_json() {
        output.json(&table_json(table, edition, &rows, at))
    } else {
        print_table(table, edition, &rows, at, output)
    }
}

/// What stands between the brackets: the first keys of rows.
fn read_keys(table: &LookupTable, asked: &str) -> Result<Vec<i64>, Failure> {
    let refuse = |problem: String| Err(Failure::No(format!("table.{}: {problem}", table.name)));
    let names: Vec<&str> = table.keys.iter().map(|key| key.name.as_str()).collect();
    let Some(inner) = asked.trim_end().strip_suffix(')') else {
        return refuse(format!("a closing bracket is missing after ({asked}"));
    };
    let given: Vec<&str> = inner
        .split(',')
        .map(str::trim)
        .filter(|key| !key.is_empty())
        .collect();
    if given.len() > names.len() {
        let (found, columns) = (given.len(), names.join(", "));
        return refuse(format!("{found} keys are given; its rows are found by {columns}"));
    }
    let mut keys = Vec::new();
    for (key, column) in given.iter().zip(&table.keys) {
        let found = match &column.words {
            Some(words) => words
                .iter()
                .position(|word| word == key)
                .map(|place| place as i64),
            None => key.parse().ok(),
        };
        let Some(found) = found else {
            let words = column.words.iter().flatten().map(String::as_str);
            let hint = match nearest(key, words) {
                Some(near) => format!("; did you mean {near:?}?"),
                None if column.words.is_none() => "; expected a whole number".to_owned(),
                None => format!("; show table.{} for all rows", table.name),
            };
            return refuse(format!(
                "{key:?} does not stand in the column {:?}{hint}",
                column.name
            ));
        };
        keys.push(found);
    }
    Ok(keys)
}

fn weigh_editions(table: &LookupTable, edition: Option<&Edition>, at: At<'_>) -> Vec<String> {
    let dates: Vec<Dates> = table.editions.iter().map(|edition| edition.dates).collect();
    let place = edition.and_then(|chosen| {
        table
            .editions
            .iter()
            .position(|known| std::ptr::eq(known, chosen))
    });
    at.why(&dates, place)
}

fn table_json(
    table: &LookupTable,
    edition: Option<&Edition>,
    rows: &[(String, Decimal)],
    at: At<'_>,
) -> Json {
    let mut said = at.json("table", &format!("table.{}", table.name));
    said["title_vi"] = Json::from(table.title_vi.as_str());
    said["title_en"] = Json::from(table.title_en.as_str());
    said["unit"] = Json::from(unit_code(table.unit));
    said["file"] = Json::from(table.file.as_str());
    said["keys"] = table
        .keys
        .iter()
        .map(|key| Json::from(key.name.as_str()))
        .collect();
    said["edition"] = Json::from(edition.map(|edition| edition.rows.as_str()));
    said["rows"] = rows
        .iter()
        .map(|(row, value)| json!({ "row": row, "value": figure_json(*value) }))
        .collect();
    let weighed = table.editions.iter().zip(weigh_editions(table, edition, at));
    said["editions"] = weighed
        .map(|(known, why)| {
            let mut said = json!({
                "rows": known.rows,
                "confidence": known.confidence.to_string(),
                "source": known.source,
                "applies": known.dates.applies_to(at.month),
                "known": known.dates.known_from <= at.known_on,
                "chosen": edition.is_some_and(|chosen| std::ptr::eq(known, chosen)),
                "why": why,
            });
            add_dates(&mut said, known.dates);
            said
        })
        .collect();
    said
}

fn print_table(
    shown: &LookupTable,
    edition: Option<&Edition>,
    rows: &[(String, Decimal)],
    at: At<'_>,
    output: &mut Output,
) -> Result<(), Failure> {
    let keys: Vec<&str> = shown.keys.iter().map(|key| key.name.as_str()).collect();
    let mut table = Table::list();
    table.pair("Table", format_args!("table.{}", shown.name));
    table.pair("Title", &shown.title_vi);
    table.pair("", &shown.title_en);
    table.pair("Unit", unit(shown.unit));
    table.pair("File", &shown.file);
    table.pair("Found by", keys.join(", "));
    table.pair("Month", at.said());
    table.pair(
        "Edition",
        edition.map_or("none in force", |edition| edition.rows.as_str()),
    );
    output.table(&table)?;
    let mut table = Table::new(&[
        "edition",
        "from",
        "until",
        "known from",
        "applies",
        "known",
        "why",
        "mark",
        "source",
    ])
    .titled("Editions");
    for (known, why) in shown.editions.iter().zip(weigh_editions(shown, edition, at)) {
        let dates = known.dates;
        table.row([
            known.rows.clone(),
            dates.from.to_string(),
            or_blank(dates.until),
            dates.known_from.to_string(),
            yes(dates.applies_to(at.month)).to_owned(),
            yes(dates.known_from <= at.known_on).to_owned(),
            why,
            known.confidence.to_string(),
            known.source.clone(),
        ]);
    }
    output.table(&table)?;
    let mut table = Table::new(&["row", ">value"]).titled("Rows of the edition in force");
    for (row, value) in rows {
        table.row([row.clone(), figure(*value, shown.unit)]);
    }
    output.table(&table)
}
