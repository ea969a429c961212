//! Figures of the law: parameters and lookup tables.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::Arc;

use super::{Loader, Placed, check_order, named, shortened};
use crate::policy::dates::{Conflict, Coverage, Dates, Needed, conflict};
use crate::policy::error::{PackErrors, Report};
use crate::policy::expr::check::{ScopeKey, ScopeTable};
use crate::policy::lookup::{Edition, KeyColumn, LookupTable, Rows, TABLE_KEYS_MAX, TABLE_ROWS_MAX};
use crate::policy::pack::{
    Beside, EDITIONS_MAX, PACK_BYTES_MAX, PARAMETER_VALUES_MAX, PARAMETERS_MAX, PackData, ProgrammeRule,
    TABLES_BYTES_MAX, TABLES_MAX,
};
use crate::policy::parameter::{
    Area, Confidence, Parameter, ParameterValue, ProvincialRule, ProvincialValue, Unit,
};
use crate::policy::read::{Table, Text, decimal};
use crate::types::{Date, Decimal, Dong, Month};

const UNITS: [(&str, Unit); 2] = [("dong", Unit::Dong), ("number", Unit::Number)];

impl Loader<'_> {
    pub(super) fn read_parameters(
        &mut self,
        root: &mut Table<'_>,
        report: &mut Report<'_>,
    ) -> Placed<Parameter> {
        const RULES: [(&str, ProvincialRule); 2] = [
            ("higher", ProvincialRule::Higher),
            ("instead", ProvincialRule::Instead),
        ];
        let mut parameters = Placed::new();
        for (name, mut table) in named(root, "parameter", PARAMETERS_MAX, report) {
            let titles = table.both_languages("title", report).unwrap_or_default();
            let unit = table.choice("unit", &UNITS, None, report).unwrap_or(Unit::Number);
            if !table.has("values") {
                report.add(
                    name.span.clone(),
                    format!("{}: the key \"values\" is missing", table.what),
                );
            }
            let what = format!("a value of {}", table.what);
            let tables = table.tables("values", &what, PARAMETER_VALUES_MAX, report);
            let values = read_values(tables, unit, report);
            let what = format!("a provincial value of {}", table.what);
            let tables = table.tables("provinces", &what, PARAMETER_VALUES_MAX, report);
            let provincial = read_provincial(tables, unit, report);
            let rule = if provincial.is_empty() && !table.has("rule") {
                Some(ProvincialRule::Higher)
            } else {
                table.choice("rule", &RULES, None, report)
            };
            table.finish(report);
            self.scope.add_parameter(name.text);
            let parameter = Parameter {
                name: name.text.to_owned(),
                title_vi: titles.0,
                title_en: titles.1,
                unit,
                values,
                provincial,
                rule: rule.unwrap_or(ProvincialRule::Higher),
            };
            parameters.push(parameter, name.span);
        }
        parameters
    }

    pub(super) fn read_tables(
        &mut self,
        root: &mut Table<'_>,
        beside: Beside<'_>,
        report: &mut Report<'_>,
    ) -> Placed<LookupTable> {
        let mut tables = Placed::new();
        for (name, mut table) in named(root, "table", TABLES_MAX, report) {
            // Whatever is wrong with it is told here; that it is not declared would be wrong.
            self.scope.unread_tables.push(name.text.to_owned());
            let titles = table.both_languages("title", report).unwrap_or_default();
            let unit = table.choice("unit", &UNITS, None, report).unwrap_or(Unit::Number);
            let file = table.text("file", report);
            let edition = table.text("edition", report);
            let keys = table.texts("keys", report);
            if keys.is_empty() || keys.len() > TABLE_KEYS_MAX {
                report.add(
                    name.span.clone(),
                    format!(
                        "{}: keys: found {} columns, expected 1 to {TABLE_KEYS_MAX}",
                        table.what,
                        keys.len()
                    ),
                );
                continue;
            }
            let value = table.text("value", report);
            let notes = table.texts("notes", report);
            let what = format!("an edition of {}", table.what);
            let editions = table.tables("editions", &what, EDITIONS_MAX, report);
            table.finish(report);
            let (Some(file), Some(edition), Some(value)) = (file, edition, value) else {
                continue;
            };
            let Some(text) = self.file(&file, beside, report) else {
                continue;
            };
            if text.len() > self.table_bytes {
                let message = format!(
                    "with {:?} all tables together read more than {TABLES_BYTES_MAX} bytes",
                    file.text
                );
                report.add(file.span, message);
                continue;
            }
            self.table_bytes -= text.len();
            let columns = Columns {
                edition: edition.text,
                keys: keys.iter().map(|key| key.text).collect(),
                value: value.text,
                notes: notes.iter().map(|note| note.text).collect(),
                unit,
            };
            let sheet = match read_sheet(file.text, &text, &columns) {
                Ok(sheet) => sheet,
                Err(errors) => {
                    report.absorb(errors);
                    continue;
                }
            };
            self.scope.unread_tables.pop();
            self.scope.add_table(ScopeTable {
                name: name.text.to_owned(),
                keys: sheet
                    .keys
                    .iter()
                    .map(|key| ScopeKey {
                        name: key.name.clone(),
                        words: key.words.clone(),
                    })
                    .collect(),
            });
            tables.push(
                LookupTable {
                    name: name.text.to_owned(),
                    title_vi: titles.0,
                    title_en: titles.1,
                    unit,
                    file: file.text.to_owned(),
                    keys: sheet.keys,
                    editions: read_editions(editions, &sheet.rows, report),
                },
                name.span,
            );
        }
        tables
    }

    /// The text of a file beside the pack, which is kept with it.
    fn file(&mut self, name: &Text<'_>, beside: Beside<'_>, report: &mut Report<'_>) -> Option<String> {
        let good = !name.text.is_empty()
            && name.text.len() <= super::NAME_BYTES_MAX * 4
            && !name.text.contains(['\\', '\n', '\r', ':'])
            && name
                .text
                .split('/')
                .all(|part| !part.is_empty() && part != "." && part != "..");
        if !good {
            let message = format!(
                "the file {:?} must lie beside the pack or in a folder there, for example \"rates/merit.csv\"",
                shortened(name.text)
            );
            report.add(name.span.clone(), message);
            return None;
        }
        if let Some((_, text)) = self.files.iter().find(|(known, _)| known == name.text) {
            return Some(text.clone());
        }
        let text = match beside(name.text) {
            Ok(text) => text,
            Err(problem) => {
                let message = format!(
                    "the file {:?} beside the pack could not be read: {problem}",
                    name.text
                );
                report.add(name.span.clone(), message);
                return None;
            }
        };
        let before: usize = self.files.iter().map(|(_, text)| text.len()).sum();
        if before + text.len() > PACK_BYTES_MAX {
            let message = format!(
                "with {:?} the files beside the pack have {} bytes, at most {PACK_BYTES_MAX} are read",
                name.text,
                before + text.len()
            );
            report.add(name.span.clone(), message);
            return None;
        }
        self.files.push((name.text.to_owned(), text.clone()));
        Some(text)
    }
}

fn read_dates(table: &mut Table<'_>, report: &mut Report<'_>) -> Option<Dates> {
    let from = table.month("from", report);
    let until = table.optional_month("until", report);
    let known_from = table.date("known_from", report);
    check_order(from, until, &table.span, report);
    Some(Dates {
        from: from?,
        until,
        known_from: known_from?,
    })
}

fn check_amount(number: Decimal, unit: Unit) -> Result<(), String> {
    if unit == Unit::Dong && number.to_dong().is_none_or(|amount| amount < Dong::ZERO) {
        return Err(format!(
            "found {number}, expected a whole amount in đồng, not negative"
        ));
    }
    Ok(())
}

fn read_value(table: &mut Table<'_>, unit: Unit, report: &mut Report<'_>) -> Option<ParameterValue> {
    let value = table.decimal("value", report);
    let dates = read_dates(table, report);
    let source = table.prose("source", report);
    let confidence = table.confidence(report);
    if let Some(Err(problem)) = value.map(|number| check_amount(number, unit)) {
        report.add(table.span.clone(), problem);
    }
    Some(ParameterValue {
        value: value?,
        dates: dates?,
        source: source?,
        confidence: confidence?,
    })
}

fn read_values(tables: Vec<Table<'_>>, unit: Unit, report: &mut Report<'_>) -> Vec<ParameterValue> {
    let mut values = Vec::new();
    for mut table in tables {
        let value = read_value(&mut table, unit, report);
        let span = table.span.clone();
        table.finish(report);
        values.extend(value.map(|value| (value, span)));
    }
    let dates = |(value, span): &(ParameterValue, Range<usize>)| (value.dates, span.clone());
    check_conflicts(&values.iter().map(dates).collect::<Vec<_>>(), report);
    values.sort_by_key(|(value, _)| (value.dates.from, value.dates.known_from));
    values.into_iter().map(|(value, _)| value).collect()
}

fn read_provincial(tables: Vec<Table<'_>>, unit: Unit, report: &mut Report<'_>) -> Vec<ProvincialValue> {
    let mut values = Vec::new();
    for mut table in tables {
        let area = read_area(&mut table, report);
        let value = read_value(&mut table, unit, report);
        let span = table.span.clone();
        table.finish(report);
        if let (Some(area), Some(value)) = (area, value) {
            values.push((ProvincialValue { area, value }, span));
        }
    }
    let key = |value: &ProvincialValue| {
        let dates = value.value.dates;
        (value.area, dates.from, dates.known_from)
    };
    values.sort_by_key(|(value, _)| key(value));
    for of_area in values.chunk_by(|(a, _), (b, _)| a.area == b.area) {
        let dates: Vec<_> = of_area
            .iter()
            .map(|(value, span)| (value.value.dates, span.clone()))
            .collect();
        check_conflicts(&dates, report);
    }
    values.into_iter().map(|(value, _)| value).collect()
}

/// The province whose people are meant: `in`, or `in_former` for one of those before 2025-07-01.
pub(super) fn read_area(table: &mut Table<'_>, report: &mut Report<'_>) -> Option<Area> {
    let (now, former) = (
        table.optional_text("in", report),
        table.optional_text("in_former", report),
    );
    let (name, area): (Text<'_>, fn(u8) -> Area) = match (now, former) {
        (Some(name), None) => (name, Area::Province),
        (None, Some(name)) => (name, Area::Former),
        _ => {
            let at = table.span.start;
            report.add_with(
                at..at + 1,
                format!("{}: expected one of `in` and `in_former`", table.what),
                Some("for example in = \"01\", the code of a province".to_owned()),
            );
            return None;
        }
    };
    match name.text.parse::<crate::types::ProvinceCode>() {
        Ok(code) => Some(area(code.number())),
        Err(error) => {
            report.add(name.span, error.to_string());
            None
        }
    }
}

fn check_conflicts(all: &[(Dates, Range<usize>)], report: &mut Report<'_>) {
    let dates: Vec<Dates> = all.iter().map(|(dates, _)| *dates).collect();
    match conflict(&dates) {
        None => {}
        Some(Conflict::SameStart(_, b)) => {
            let Dates { from, known_from, .. } = dates[b];
            report.add_with(
                all[b].1.clone(),
                format!("two start in {from} and were known from {known_from}: which of them holds is open"),
                Some("correct a date, or remove one of them".to_owned()),
            );
        }
        Some(Conflict::Overlap(a, b)) => {
            let (until, from) = (dates[a].until.unwrap_or(Month::MAX), dates[b].from);
            report.add_with(
                all[a].1.clone(),
                format!("this one lasts until {until} and overlaps the one that starts in {from}"),
                Some("leave out `until`: each lasts until a later one starts".to_owned()),
            );
        }
    }
}

/// So many columns, or editions, of a file are named where one is missing.
const SHOWN_MAX: usize = 20;

fn read_editions(
    tables: Vec<Table<'_>>,
    rows: &BTreeMap<String, Arc<Rows>>,
    report: &mut Report<'_>,
) -> Vec<Edition> {
    let mut editions = Vec::new();
    for mut table in tables {
        let name = table.text("rows", report);
        let dates = read_dates(&mut table, report);
        let source = table.prose("source", report);
        let confidence: Option<Confidence> = table.confidence(report);
        let span = table.span.clone();
        table.finish(report);
        let Some(name) = name else { continue };
        let Some(values) = rows.get(name.text) else {
            let known: Vec<String> = rows.keys().take(SHOWN_MAX).map(|name| shortened(name)).collect();
            report.add(
                name.span,
                format!(
                    "the file has no rows of {:?}; it has {}",
                    shortened(name.text),
                    known.join(", ")
                ),
            );
            continue;
        };
        if let (Some(dates), Some(source), Some(confidence)) = (dates, source, confidence) {
            let edition = Edition {
                rows: name.text.to_owned(),
                dates,
                source,
                confidence,
                values: Arc::clone(values),
            };
            editions.push((edition, span));
        }
    }
    let dates: Vec<_> = editions
        .iter()
        .map(|(edition, span)| (edition.dates, span.clone()))
        .collect();
    check_conflicts(&dates, report);
    editions.into_iter().map(|(edition, _)| edition).collect()
}

/// The columns of a file, as the pack names them.
struct Columns<'a> {
    edition: &'a str,
    keys: Vec<&'a str>,
    value: &'a str,
    notes: Vec<&'a str>,
    unit: Unit,
}

/// What stands in a file.
struct Sheet {
    keys: Vec<KeyColumn>,
    /// By edition.
    rows: BTreeMap<String, Arc<Rows>>,
}

/// A row as it stands: edition, keys, value, and where it begins.
struct Line {
    edition: String,
    keys: Vec<String>,
    value: Decimal,
    at: usize,
}

fn read_sheet(file: &str, text: &str, columns: &Columns<'_>) -> Result<Sheet, PackErrors> {
    let mut report = Report::new(file, text);
    let lines = read_lines(text, columns, &mut report);
    let sheet = sheet_of(lines, columns, &mut report);
    match report.into_errors() {
        Some(errors) => Err(errors),
        None => Ok(sheet),
    }
}

fn read_lines(text: &str, columns: &Columns<'_>, report: &mut Report<'_>) -> Vec<Line> {
    let mut reader = csv::ReaderBuilder::new().from_reader(text.as_bytes());
    let headers = match reader.headers() {
        Ok(headers) => headers.clone(),
        Err(error) => {
            report.add(0..1, format!("the first line cannot be read: {error}"));
            return Vec::new();
        }
    };
    let mut seen = BTreeSet::new();
    for header in headers.iter().filter(|header| !seen.insert(*header)) {
        report.add(
            0..1,
            format!("the column {:?} stands there twice", shortened(header)),
        );
    }
    let mut wanted: Vec<&str> = vec![columns.edition, columns.value];
    wanted.extend(&columns.keys);
    let places: Vec<Option<usize>> = wanted
        .iter()
        .map(|name| headers.iter().position(|header| header == *name))
        .collect();
    for (name, place) in wanted.iter().zip(&places) {
        if place.is_none() {
            let found: Vec<String> = headers.iter().take(SHOWN_MAX).map(shortened).collect();
            report.add(
                0..1,
                format!("the column {name:?} is missing; found {}", found.join(", ")),
            );
        }
    }
    for header in &headers {
        if !wanted.contains(&header) && !columns.notes.contains(&header) {
            let hint = "name it in `notes` if it is only for readers";
            report.add_with(
                0..1,
                format!("the column {:?} has no use", shortened(header)),
                Some(hint.to_owned()),
            );
        }
    }
    let Some(places) = places.into_iter().collect::<Option<Vec<usize>>>() else {
        return Vec::new();
    };
    let mut lines = Vec::new();
    for record in reader.records() {
        let record = match record {
            Ok(record) => record,
            Err(error) => {
                let at = error.position().map_or(0, |position| position.byte() as usize);
                report.add(at..at + 1, format!("this line cannot be read: {error}"));
                return lines;
            }
        };
        let at = record.position().map_or(0, |position| position.byte() as usize);
        if lines.len() >= TABLE_ROWS_MAX {
            report.add(at..at + 1, format!("at most {TABLE_ROWS_MAX} rows are read"));
            return lines;
        }
        let field = |place: usize| record.get(places[place]).unwrap_or_default().trim();
        let value = match decimal(field(1)) {
            Ok(value) => value,
            Err(error) => {
                report.add(at..at + 1, format!("the column {:?}: {error}", columns.value));
                continue;
            }
        };
        if let Err(problem) = check_amount(value, columns.unit) {
            report.add(at..at + 1, format!("the column {:?}: {problem}", columns.value));
        }
        lines.push(Line {
            edition: field(0).to_owned(),
            keys: (2..places.len()).map(|place| field(place).to_owned()).collect(),
            value,
            at,
        });
    }
    lines
}

/// A column whose fields are all whole numbers holds numbers; any other holds words.
fn sheet_of(lines: Vec<Line>, columns: &Columns<'_>, report: &mut Report<'_>) -> Sheet {
    let keys: Vec<KeyColumn> = columns
        .keys
        .iter()
        .enumerate()
        .map(|(column, name)| {
            let numbers = lines.iter().all(|line| line.keys[column].parse::<i64>().is_ok());
            let words = (!numbers).then(|| {
                let mut words: Vec<String> = lines.iter().map(|line| line.keys[column].clone()).collect();
                words.sort_unstable();
                words.dedup();
                words
            });
            KeyColumn {
                name: (*name).to_owned(),
                words,
            }
        })
        .collect();
    let mut rows: BTreeMap<String, Rows> = BTreeMap::new();
    for line in lines {
        let place = |(column, field): (&KeyColumn, &String)| match &column.words {
            Some(words) => words.binary_search(field).ok().map(|at| at as i64),
            None => field.parse().ok(),
        };
        let Some(key) = keys
            .iter()
            .zip(&line.keys)
            .map(place)
            .collect::<Option<Vec<i64>>>()
        else {
            continue;
        };
        let edition = rows.entry(line.edition.clone()).or_default();
        if edition.insert(key, line.value).is_some() {
            let keys = line.keys.join(", ");
            let message = format!(
                "the row {keys} of {} stands here for the second time",
                line.edition
            );
            report.add(line.at..line.at + 1, message);
        }
    }
    let rows = rows.into_iter().map(|(edition, rows)| (edition, Arc::new(rows)));
    Sheet {
        keys,
        rows: rows.collect(),
    }
}

/// Every figure that a programme needs must be there for each of its months from the horizon on, by the law as it was
/// known on each day from then on.
pub(super) fn check_gaps(
    data: &PackData,
    parameters: &[Range<usize>],
    tables: &[Range<usize>],
    report: &mut Report<'_>,
) {
    for (index, parameter) in data.parameters.iter().enumerate() {
        let needs = |rule: &ProgrammeRule| rule.parameters.binary_search(&index).is_ok();
        let coverage = Coverage::new(parameter.values.iter().map(|value| value.dates).collect());
        let what = format!("param.{} has no value", parameter.name);
        check_coverage(data, &what, &coverage, &needs, &parameters[index], report);
    }
    for (index, table) in data.tables.iter().enumerate() {
        let needs = |rule: &ProgrammeRule| rule.tables.binary_search(&index).is_ok();
        let coverage = Coverage::new(table.editions.iter().map(|edition| edition.dates).collect());
        let what = format!("table.{} has no edition", table.name);
        check_coverage(data, &what, &coverage, &needs, &tables[index], report);
    }
}

/// Checks one figure for every programme that needs it.
fn check_coverage(
    data: &PackData,
    what: &str,
    coverage: &Coverage,
    needs: &dyn Fn(&ProgrammeRule) -> bool,
    span: &Range<usize>,
    report: &mut Report<'_>,
) {
    for programme in data.programmes.iter().filter(|rule| needs(rule)) {
        let from = data
            .horizon
            .map_or(programme.from, |horizon| horizon.max(programme.from));
        let until = programme.until.unwrap_or(Month::MAX);
        if until < from {
            continue;
        }
        let known_from = match data.horizon {
            Some(horizon) => programme.known_from.max(Date::first_of(horizon)),
            None => programme.known_from,
        };
        let needed = Needed {
            from,
            until,
            known_from,
        };
        if let Some((month, day)) = coverage.gap(needed) {
            report.add_with(
                span.clone(),
                format!(
                    "{what} for {month} by the law known on {day}, and programme {} needs it from {from} on",
                    programme.id
                ),
                Some("add what is missing, or correct the dates of it or of the programme".to_owned()),
            );
        }
    }
}
