//! Typed access to TOML with the place of everything that is wrong.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::error::Report;
use super::expr::check::did_you_mean;
use super::parameter::Confidence;
use crate::kernel::catalogue::nearest;
use crate::types::{Date, Decimal, Month};

/// The longest text (title, source) of a pack, in bytes.
pub const TEXT_BYTES_MAX: usize = 2_000;

/// A text with its place in the file.
#[derive(Debug, Clone)]
pub(crate) struct Text<'a> {
    pub text: &'a str,
    pub span: Range<usize>,
}

/// A table of which every key must be asked for.
pub(crate) struct Table<'a> {
    /// What the table is, for messages.
    pub what: String,
    pub span: Range<usize>,
    entries: Vec<Entry<'a>>,
    asked: Vec<&'static str>,
}

struct Entry<'a> {
    key: Text<'a>,
    value: &'a Spanned<DeValue<'a>>,
    taken: bool,
}

fn kind(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a text",
        DeValue::Integer(_) => "a whole number",
        DeValue::Float(_) => "a number",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}

/// The table in a value; reports anything else.
pub(crate) fn table<'a>(
    what: &str,
    value: &'a Spanned<DeValue<'a>>,
    report: &mut Report<'_>,
) -> Option<Table<'a>> {
    match value.get_ref() {
        DeValue::Table(table) => Some(Table::new(what, value.span(), table)),
        other => {
            report.add(
                value.span(),
                format!("{what}: found {}, expected a table", kind(other)),
            );
            None
        }
    }
}

/// The text in a value; reports anything else.
pub(crate) fn text<'a>(
    what: &str,
    value: &'a Spanned<DeValue<'a>>,
    report: &mut Report<'_>,
) -> Option<Text<'a>> {
    match value.get_ref() {
        DeValue::String(text) if text.len() <= super::expr::EXPRESSION_BYTES_MAX => Some(Text {
            text: text.as_ref(),
            span: value.span(),
        }),
        DeValue::String(text) => {
            let max = super::expr::EXPRESSION_BYTES_MAX;
            report.add(
                value.span(),
                format!(
                    "{what}: the text has {} bytes, at most {max} are read",
                    text.len()
                ),
            );
            None
        }
        other => {
            report.add(
                value.span(),
                format!(
                    "{what}: found {}, expected a text in quotation marks",
                    kind(other)
                ),
            );
            None
        }
    }
}

impl<'a> Table<'a> {
    pub fn new(what: &str, span: Range<usize>, table: &'a DeTable<'a>) -> Self {
        let mut entries: Vec<Entry<'a>> = table
            .iter()
            .map(|(key, value)| Entry {
                key: Text {
                    text: key.get_ref().as_ref(),
                    span: key.span(),
                },
                value,
                taken: false,
            })
            .collect();
        entries.sort_by_key(|entry| entry.key.span.start);
        Self {
            what: what.to_owned(),
            span,
            entries,
            asked: Vec::new(),
        }
    }

    /// What stands under a key, if anything.
    pub fn take(&mut self, key: &'static str) -> Option<&'a Spanned<DeValue<'a>>> {
        self.asked.push(key);
        let entry = self.entries.iter_mut().find(|entry| entry.key.text == key)?;
        entry.taken = true;
        Some(entry.value)
    }

    /// Every entry not yet asked for, in the order of the text.
    pub fn rest(&mut self) -> Vec<(Text<'a>, &'a Spanned<DeValue<'a>>)> {
        self.entries
            .iter_mut()
            .filter(|entry| !entry.taken)
            .map(|entry| {
                entry.taken = true;
                (entry.key.clone(), entry.value)
            })
            .collect()
    }

    /// Reports the keys that nobody asked for.
    pub fn finish(self, report: &mut Report<'_>) {
        for entry in self.entries.iter().filter(|entry| !entry.taken) {
            report.add_with(
                entry.key.span.clone(),
                format!(
                    "{}: the key {:?} is not known here; expected one of {}",
                    self.what,
                    entry.key.text,
                    self.asked.join(", ")
                ),
                did_you_mean(nearest(entry.key.text, self.asked.iter().copied())),
            );
        }
    }

    fn missing(&self, key: &str, expected: &str, report: &mut Report<'_>) {
        let start = self.span.start;
        report.add(
            start..start + 1,
            format!("{}: the key {key:?} is missing; expected {expected}", self.what),
        );
    }

    pub fn optional_text(&mut self, key: &'static str, report: &mut Report<'_>) -> Option<Text<'a>> {
        let what = format!("{} {key}", self.what);
        self.take(key).and_then(|value| text(&what, value, report))
    }

    pub fn text(&mut self, key: &'static str, report: &mut Report<'_>) -> Option<Text<'a>> {
        let Some(value) = self.take(key) else {
            self.missing(key, "a text in quotation marks", report);
            return None;
        };
        text(&format!("{} {key}", self.what), value, report)
    }

    /// A text for people to read.
    pub fn prose(&mut self, key: &'static str, report: &mut Report<'_>) -> Option<String> {
        let found = self.text(key, report)?;
        if found.text.len() > TEXT_BYTES_MAX {
            report.add(
                found.span,
                format!(
                    "the text has {} bytes, at most {TEXT_BYTES_MAX} are kept",
                    found.text.len()
                ),
            );
            return None;
        }
        if found.text.trim().is_empty() {
            report.add(found.span, format!("{} {key}: the text is empty", self.what));
            return None;
        }
        Some(found.text.trim().to_owned())
    }

    /// A Vietnamese and an English text: `{ vi = "...", en = "..." }`.
    pub fn both_languages(&mut self, key: &'static str, report: &mut Report<'_>) -> Option<(String, String)> {
        let Some(value) = self.take(key) else {
            self.missing(key, "a table { vi = \"...\", en = \"...\" }", report);
            return None;
        };
        let mut inner = table(&format!("{} {key}", self.what), value, report)?;
        let (vi, en) = (inner.prose("vi", report), inner.prose("en", report));
        inner.finish(report);
        vi.zip(en)
    }

    pub fn boolean(&mut self, key: &'static str, default: bool, report: &mut Report<'_>) -> bool {
        let Some(value) = self.take(key) else {
            return default;
        };
        if let DeValue::Boolean(yes) = value.get_ref() {
            return *yes;
        }
        report.add(
            value.span(),
            format!(
                "{} {key}: found {}, expected true or false",
                self.what,
                kind(value.get_ref())
            ),
        );
        default
    }

    /// A list; `None` if it is missing or something else, which is reported.
    pub fn list(
        &mut self,
        key: &'static str,
        report: &mut Report<'_>,
    ) -> Option<Vec<&'a Spanned<DeValue<'a>>>> {
        let value = self.take(key)?;
        if let DeValue::Array(items) = value.get_ref() {
            return Some(items.iter().collect());
        }
        report.add(
            value.span(),
            format!(
                "{} {key}: found {}, expected a list",
                self.what,
                kind(value.get_ref())
            ),
        );
        None
    }

    /// A list of texts; empty if it is missing.
    pub fn texts(&mut self, key: &'static str, report: &mut Report<'_>) -> Vec<Text<'a>> {
        let what = format!("{} {key}", self.what);
        let items = self.list(key, report).unwrap_or_default();
        items
            .into_iter()
            .filter_map(|item| text(&what, item, report))
            .collect()
    }

    /// A list of tables, each named for messages; empty if it is missing.
    pub fn tables(
        &mut self,
        key: &'static str,
        what: &str,
        max: usize,
        report: &mut Report<'_>,
    ) -> Vec<Table<'a>> {
        let items = self.list(key, report).unwrap_or_default();
        if let Some(beyond) = items.get(max) {
            report.add(
                beyond.span(),
                format!("{} {key} are listed, at most {max} are read", items.len()),
            );
        }
        items
            .into_iter()
            .take(max)
            .filter_map(|item| table(what, item, report))
            .collect()
    }

    /// One of a few words.
    pub fn choice<T: Copy>(
        &mut self,
        key: &'static str,
        choices: &[(&'static str, T)],
        default: Option<T>,
        report: &mut Report<'_>,
    ) -> Option<T> {
        let names: Vec<&str> = choices.iter().map(|(name, _)| *name).collect();
        let Some(value) = self.take(key) else {
            if default.is_none() {
                self.missing(key, &format!("one of {}", names.join(", ")), report);
            }
            return default;
        };
        let found = text(&format!("{} {key}", self.what), value, report)?;
        let choice = choices.iter().find(|(name, _)| *name == found.text);
        if choice.is_none() {
            report.add_with(
                found.span,
                format!(
                    "{} {key}: found {:?}, expected one of {}",
                    self.what,
                    found.text,
                    names.join(", ")
                ),
                did_you_mean(nearest(found.text, names.into_iter())),
            );
        }
        choice.map(|(_, meant)| *meant)
    }

    pub fn confidence(&mut self, report: &mut Report<'_>) -> Option<Confidence> {
        self.choice("confidence", &Confidence::ALL, None, report)
    }

    fn parsed<T>(
        &mut self,
        key: &'static str,
        report: &mut Report<'_>,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> Option<T> {
        let value = self.take(key)?;
        let written = scalar(value.get_ref()).unwrap_or_else(|| kind(value.get_ref()).to_owned());
        match parse(&written) {
            Ok(parsed) => Some(parsed),
            Err(error) => {
                report.add(value.span(), format!("{} {key}: {error}", self.what));
                None
            }
        }
    }

    pub fn optional_month(&mut self, key: &'static str, report: &mut Report<'_>) -> Option<Month> {
        self.parsed(key, report, |text| {
            text.parse::<Month>().map_err(|error| error.to_string())
        })
    }

    pub fn month(&mut self, key: &'static str, report: &mut Report<'_>) -> Option<Month> {
        if !self.has(key) {
            self.missing(key, "a month, for example \"2026-07\"", report);
        }
        self.optional_month(key, report)
    }

    pub fn optional_date(&mut self, key: &'static str, report: &mut Report<'_>) -> Option<Date> {
        self.parsed(key, report, |text| {
            text.parse::<Date>().map_err(|error| error.to_string())
        })
    }

    pub fn date(&mut self, key: &'static str, report: &mut Report<'_>) -> Option<Date> {
        if !self.has(key) {
            self.missing(key, "a date, for example \"2026-10-05\"", report);
        }
        self.optional_date(key, report)
    }

    pub fn decimal(&mut self, key: &'static str, report: &mut Report<'_>) -> Option<Decimal> {
        if !self.has(key) {
            self.missing(key, "a number", report);
        }
        self.parsed(key, report, decimal)
    }

    /// Whether a key is there.
    pub fn has(&self, key: &str) -> bool {
        self.entries.iter().any(|entry| entry.key.text == key)
    }
}

/// The decimal of a text as it stands in a pack. What is written with a point before thousands is refused: it would be
/// read as a thousandth of what is meant.
pub(crate) fn decimal(text: &str) -> Result<Decimal, String> {
    let number = text.parse::<Decimal>().map_err(|error| error.to_string())?;
    match text.split_once('.') {
        Some((whole, fraction)) if fraction.len() == 3 && fraction.ends_with('0') => Err(format!(
            "{text} reads as {number}: write {whole}{fraction} if the point stands before thousands, or {number}"
        )),
        _ => Ok(number),
    }
}

/// The text of a single value as written, exactly; `None` for lists and tables.
pub(crate) fn scalar(value: &DeValue<'_>) -> Option<String> {
    match value {
        DeValue::String(text) => Some(text.as_ref().to_owned()),
        DeValue::Integer(number) if number.radix() == 10 => Some(number.as_str().to_owned()),
        DeValue::Integer(number) => Some(number.to_string()),
        DeValue::Float(number) => Some(number.as_str().to_owned()),
        DeValue::Boolean(yes) => Some(yes.to_string()),
        DeValue::Datetime(date) => Some(date.to_string()),
        DeValue::Array(_) | DeValue::Table(_) => None,
    }
}

/// Maps bytes of a text's content to bytes of the file, through quotation marks and escapes.
///
/// Where the two cannot be followed side by side, the place is that of the last character that could.
pub(crate) fn content_places(text: &Text<'_>, file: &str) -> impl Fn(usize) -> usize + use<> {
    let raw = file.get(text.span.clone()).unwrap_or_default();
    let mut places: Vec<(usize, usize)> = Vec::new();
    let mut at = ["\"\"\"", "'''", "\"", "'"]
        .iter()
        .find(|mark| raw.starts_with(**mark))
        .map_or(0, |mark| mark.len());
    let literal = raw.starts_with('\'');
    if at == 3 && raw[at..].starts_with("\r\n") && !text.text.starts_with("\r\n") {
        at += 2;
    } else if at == 3 && raw[at..].starts_with('\n') {
        at += 1;
    }
    for (content, character) in text.text.char_indices() {
        if !literal {
            at = skip_line_continuation(raw, at, character);
        }
        places.push((content, text.span.start + at));
        let rest = &raw[at.min(raw.len())..];
        at += if rest.starts_with(character) {
            if character == '\\' && !literal {
                2
            } else {
                character.len_utf8()
            }
        } else if !literal && rest.starts_with('\\') {
            escape_len(rest)
        } else if character == '\n' && rest.starts_with("\r\n") {
            2
        } else {
            0
        };
        at = at.min(raw.len());
        while !raw.is_char_boundary(at) {
            at -= 1;
        }
    }
    places.push((text.text.len(), text.span.start + at));
    move |byte| {
        let after = places.partition_point(|&(content, _)| content <= byte);
        places.get(after.saturating_sub(1)).map_or(0, |&(_, place)| place)
    }
}

fn skip_line_continuation(raw: &str, at: usize, next: char) -> usize {
    let rest = &raw[at.min(raw.len())..];
    let Some(continued) = rest.strip_prefix('\\') else {
        return at;
    };
    let blank = continued.len() - continued.trim_start().len();
    let broken = continued[..blank].contains('\n');
    if broken && !next.is_whitespace() {
        at + 1 + blank
    } else {
        at
    }
}

fn escape_len(rest: &str) -> usize {
    match rest.as_bytes().get(1) {
        Some(b'u') => 6,
        Some(b'U') => 10,
        Some(b'x') => 4,
        _ => 2,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place_of(file: &str, needle: &str, decoded_needle: &str) {
        let document = DeTable::parse(file).unwrap();
        let (_, value) = document.get_ref().iter().next().unwrap();
        let mut report = Report::new("f", file);
        let text = text("t", value, &mut report).unwrap();
        let at = text.text.find(decoded_needle).unwrap();
        assert_eq!(
            content_places(&text, file)(at),
            file.find(needle).unwrap(),
            "{file}"
        );
    }

    #[test]
    fn places_in_strings_are_found() {
        place_of("a = \"x > age\"", "age", "age");
        place_of("a = 'x > age'", "age", "age");
        place_of("a = \"\"\"\nx and\n  age\"\"\"", "age", "age");
        place_of("a = '''\r\nx and\r\n  age'''", "age", "age");
        place_of("a = \"é \\u00e9 \\t\\\\ age\"", "age", "age");
        place_of("a = \"\"\"x \\\n    age\"\"\"", "age", "age");
    }
}
