//! Reading a pack from TOML. Every error is found in one pass, as far as one error does not hide another.

mod amounts;
mod attributes;
mod clauses;
mod figures;
mod groups;
mod programmes;

use std::cell::Cell;
use std::ops::Range;

use toml::Spanned;
use toml::de::DeTable;

use super::case::UnknownBirthMonth;
use super::error::{PackErrors, Report};
use super::example;
use super::expr::check::{AttributeIndex, RESERVED, Scope, ScopeAttribute};
use super::pack::{Beside, BirthRule, PACK_BYTES_MAX, PACK_PARTS_MAX, PackData, TABLES_BYTES_MAX};
use super::read::{Table, Text, table};
use crate::kernel::catalogue::{NAME_BYTES_MAX, SubjectKind, ValueKind};
use crate::types::Month;

/// The place of the attribute `sex` in every scope.
pub(crate) const SEX_INDEX: AttributeIndex = 0;

/// Reads a pack.
pub(crate) fn load(file: &str, text: &str, beside: Beside<'_>) -> Result<PackData, PackErrors> {
    let mut report = Report::new(file, text);
    if text.len() > PACK_BYTES_MAX {
        report.add(
            0..1,
            format!(
                "the pack has {} bytes, at most {PACK_BYTES_MAX} are read",
                text.len()
            ),
        );
        return Err(report
            .into_errors()
            .unwrap_or_else(|| unreachable!("an error was added")));
    }
    let data = parse_toml(text, &mut report)
        .and_then(|document| read_document(&document, text, beside, &mut report));
    match (data, report.into_errors()) {
        (Some(data), None) => Ok(data),
        (_, Some(errors)) => Err(errors),
        (None, None) => unreachable!("whatever is missing was reported"),
    }
}

/// The longest TOML in which every mistake of form is sought, in bytes. Almost every byte may be one, and each takes
/// memory until all are found: of a longer text only the first is told.
const FORM_BYTES_MAX: usize = 512 << 10;

/// The document of a text; reports what is no TOML.
pub(crate) fn parse_toml<'t>(text: &'t str, report: &mut Report<'_>) -> Option<Spanned<DeTable<'t>>> {
    let (document, errors) = if text.len() <= FORM_BYTES_MAX {
        let (document, errors) = DeTable::parse_recoverable(text);
        (Some(document), errors)
    } else {
        match DeTable::parse(text) {
            Ok(document) => (Some(document), Vec::new()),
            Err(error) => (None, vec![error]),
        }
    };
    let hint = document.is_none().then(|| {
        format!("there may be more: in a text of more than {FORM_BYTES_MAX} bytes only the first is sought")
    });
    for error in &errors {
        report.add_with(error.span().unwrap_or(0..0), error.message(), hint.clone());
    }
    document.filter(|_| errors.is_empty())
}

fn read_document(
    document: &Spanned<DeTable<'_>>,
    text: &str,
    beside: Beside<'_>,
    report: &mut Report<'_>,
) -> Option<PackData> {
    let mut root = Table::new("the pack", document.span(), document.get_ref());
    root.span = 0..0;
    let head = read_head(&mut root, report);
    let birth = read_birth(&mut root, report);
    let mut loader = Loader {
        text,
        scope: Scope::new(),
        files: Vec::new(),
        table_bytes: TABLES_BYTES_MAX,
        room: Cell::new(PACK_PARTS_MAX),
    };
    loader.scope.add_attribute(ScopeAttribute {
        subject: SubjectKind::Person,
        name: "sex".to_owned(),
        kind: ValueKind::Enum,
        values: vec!["male".to_owned(), "female".to_owned()],
        absent: None,
        in_profile: true,
    });
    let attributes = loader.read_attributes(&mut root, report);
    if let Some(dependants) = head.as_ref().and_then(|head| head.dependants.as_ref()) {
        loader.set_dependants(dependants, report);
    }
    let parameters = loader.read_parameters(&mut root, report);
    let tables = loader.read_tables(&mut root, beside, report);
    let heads = loader.read_heads(&mut root, report);
    let definitions = loader.read_definitions(&mut root, report);
    let groups = groups::read(&mut root, &heads, report);
    let programmes = loader.read_programmes(heads, &groups, report);
    let examples = root.take("example");
    root.finish(report);
    let (head, birth) = (head?, birth?);
    let mut data = PackData {
        id: head.id,
        version: head.version,
        title_vi: head.titles.0,
        title_en: head.titles.1,
        text: text.to_owned(),
        hash: *blake3::hash(&super::bundle::to_bytes(text, &loader.files)).as_bytes(),
        files: loader.files,
        horizon: head.horizon,
        scope: loader.scope,
        attributes,
        definitions,
        parameters: parameters.items,
        tables: tables.items,
        groups: groups.items,
        programmes: programmes.items,
        birth,
        settled: Vec::new(),
        examples: Vec::new(),
    };
    // What follows asks for sound names: it is done once those are.
    if report.count() == 0 {
        figures::check_gaps(&data, &parameters.spans, &tables.spans, report);
        amounts::check(&data, report);
        data.settled = programmes::settle_order(&data, &programmes.spans, report);
        data.examples = example::read(&data, examples, report);
    }
    Some(data)
}

/// What was read, and where each stands in the text.
struct Placed<T> {
    items: Vec<T>,
    spans: Vec<Range<usize>>,
}

impl<T> Placed<T> {
    const fn new() -> Self {
        Self {
            items: Vec::new(),
            spans: Vec::new(),
        }
    }

    fn push(&mut self, item: T, span: Range<usize>) {
        self.items.push(item);
        self.spans.push(span);
    }
}

struct Head<'a> {
    id: String,
    version: String,
    titles: (String, String),
    horizon: Option<Month>,
    dependants: Option<Text<'a>>,
}

fn read_head<'a>(root: &mut Table<'a>, report: &mut Report<'_>) -> Option<Head<'a>> {
    let mut head = section(root, "pack", report)?;
    let id = head.text("id", report);
    if let Some(id) = &id {
        check_identifier("the pack's id", id, report);
    }
    let version = head.prose("version", report);
    let titles = head.both_languages("title", report);
    let horizon = head.optional_month("horizon", report);
    let dependants = head.optional_text("dependants", report);
    head.finish(report);
    Some(Head {
        id: id?.text.to_owned(),
        version: version?,
        titles: titles?,
        horizon,
        dependants,
    })
}

fn read_birth(root: &mut Table<'_>, report: &mut Report<'_>) -> Option<BirthRule> {
    const RULES: [(&str, UnknownBirthMonth); 2] = [
        ("january", UnknownBirthMonth::January),
        ("undetermined", UnknownBirthMonth::Undetermined),
    ];
    let mut birth = section(root, "birth", report)?;
    let unknown_month = birth.choice("unknown_month", &RULES, None, report);
    let source = birth.prose("source", report);
    let confidence = birth.confidence(report);
    birth.finish(report);
    Some(BirthRule {
        unknown_month: unknown_month?,
        source: source?,
        confidence: confidence?,
    })
}

fn section<'a>(root: &mut Table<'a>, key: &'static str, report: &mut Report<'_>) -> Option<Table<'a>> {
    let Some(value) = root.take(key) else {
        report.add(0..0, format!("the section [{key}] is missing"));
        return None;
    };
    table(&format!("[{key}]"), value, report)
}

/// The named tables of a section such as `[parameter.base_level]`, in the order of the text.
fn named<'a>(
    root: &mut Table<'a>,
    key: &'static str,
    max: usize,
    report: &mut Report<'_>,
) -> Vec<(Text<'a>, Table<'a>)> {
    let Some(value) = root.take(key) else {
        return Vec::new();
    };
    let Some(mut outer) = table(&format!("[{key}]"), value, report) else {
        return Vec::new();
    };
    let entries = outer.rest();
    if let Some((beyond, _)) = entries.get(max) {
        report.add(
            beyond.span.clone(),
            format!(
                "{} of [{key}] are declared, at most {max} are read",
                entries.len()
            ),
        );
    }
    entries
        .into_iter()
        .take(max)
        .filter_map(|(name, value)| {
            check_identifier(key, &name, report);
            let inner = table(&format!("{key} {}", shortened(name.text)), value, report)?;
            Some((name, inner))
        })
        .collect()
}

fn shortened(name: &str) -> String {
    name.chars().take(NAME_BYTES_MAX).collect()
}

fn check_identifier(what: &str, name: &Text<'_>, report: &mut Report<'_>) -> bool {
    let good = name.text.len() <= NAME_BYTES_MAX
        && name.text.bytes().next().is_some_and(|b| b.is_ascii_lowercase())
        && name
            .text
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
    if !good {
        report.add(
            name.span.clone(),
            format!(
                "{what}: the name {:?} must be 1 to {NAME_BYTES_MAX} of a-z, 0-9 and '_', and begin with a letter",
                shortened(name.text)
            ),
        );
        return false;
    }
    if RESERVED.contains(&name.text) {
        report.add_with(
            name.span.clone(),
            format!(
                "{what}: the name {:?} has a meaning of its own in expressions",
                name.text
            ),
            Some("choose another name".to_owned()),
        );
        return false;
    }
    true
}

/// Reads a pack's parts while the names that expressions may use become known.
struct Loader<'a> {
    text: &'a str,
    scope: Scope,
    files: Vec<(String, String)>,
    /// How many bytes the tables that follow may still read.
    table_bytes: usize,
    /// How many parts the expressions that follow may still have.
    room: Cell<usize>,
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn check_order(from: Option<Month>, until: Option<Month>, span: &Range<usize>, report: &mut Report<'_>) {
    if let (Some(from), Some(until)) = (from, until)
        && until < from
    {
        report.add(
            span.clone(),
            format!("the last month {until} lies before the first month {from}"),
        );
    }
}
