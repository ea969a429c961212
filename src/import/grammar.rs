//! The texts inside cells: items of the columns `history` and `documents`, and the names of columns.
//!
//! Import reads them and export writes them, so both directions stand side by side here.

use crate::kernel::catalogue::{Attribute, SubjectKind};
use crate::types::Month;

/// The columns that mean the same in every file. An attribute of such a name is written `person.<name>`.
pub(crate) const FIXED: [&str; 15] = [
    "record",
    "commune",
    "household_id",
    "head",
    "person_id",
    "former_ids",
    "name",
    "birth_date",
    "sex",
    "from",
    "address",
    "account",
    "status",
    "documents",
    "history",
];
/// The columns that a file of rejected rows has before those of the file itself. Import passes over them.
pub(crate) const REJECTS: [&str; 4] = ["line", "column", "value", "reason"];
/// The names in `history` that are no attributes.
pub(crate) const CHANGES: [&str; 5] = ["away", "commune", "death", "head", "household"];

/// The name of an attribute's column, and of its items.
pub(crate) fn attribute_name(attribute: &Attribute) -> String {
    let name = &attribute.name;
    match attribute.subject {
        SubjectKind::Household => format!("household.{name}"),
        SubjectKind::Commune => format!("commune.{name}"),
        SubjectKind::Person => {
            let prefixed = ["person.", "household.", "commune."];
            let taken = FIXED.contains(&name.as_str())
                || REJECTS.contains(&name.as_str())
                || CHANGES.contains(&name.as_str())
                || prefixed.iter().any(|prefix| name.starts_with(prefix));
            if taken {
                format!("person.{name}")
            } else {
                name.clone()
            }
        }
    }
}

/// The subject and the bare name that the name of a column or an item means.
pub(crate) fn split_name(name: &str) -> (SubjectKind, &str) {
    if let Some(rest) = name.strip_prefix("household.") {
        (SubjectKind::Household, rest)
    } else if let Some(rest) = name.strip_prefix("commune.") {
        (SubjectKind::Commune, rest)
    } else {
        (SubjectKind::Person, name.strip_prefix("person.").unwrap_or(name))
    }
}

/// An item of `history`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Item {
    pub(crate) from: Month,
    pub(crate) until: Option<Month>,
    pub(crate) name: String,
    /// Empty where the item has no `=`.
    pub(crate) value: String,
    pub(crate) document: String,
}

/// Why an item cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ItemError {
    pub(crate) item: String,
    pub(crate) reason: String,
}

/// The text with a backslash before each character that has a meaning.
pub(crate) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        if matches!(character, '\\' | ';' | '[' | ']') {
            out.push('\\');
        }
        out.push(character);
    }
    out
}

fn unescape(text: &str) -> Result<String, String> {
    let mut out = String::with_capacity(text.len());
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        if character == '\\' {
            let next = characters.next();
            out.push(next.ok_or("it ends in a backslash; write a backslash as \\\\")?);
        } else {
            out.push(character);
        }
    }
    Ok(out)
}

/// Where a text is cut: at each `;` that is neither escaped nor inside brackets.
fn cut(text: &str, brackets: bool) -> Vec<&str> {
    let mut items = Vec::new();
    let (mut start, mut escaped, mut inside) = (0, false, false);
    for (at, character) in text.char_indices() {
        match character {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '[' if brackets => inside = true,
            ']' if brackets => inside = false,
            ';' if !inside => {
                items.push(&text[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    items.push(&text[start..]);
    items.retain(|item| !item.trim().is_empty());
    items
}

/// Appends an item of `history`. An empty value stands for an item without one.
pub(crate) fn push_item(
    out: &mut String,
    from: Month,
    until: Option<Month>,
    name: &str,
    value: &str,
    document: &str,
) {
    if !out.is_empty() {
        out.push_str("; ");
    }
    out.push_str(&from.to_string());
    if let Some(until) = until {
        out.push_str("..");
        out.push_str(&until.to_string());
    }
    out.push(' ');
    out.push_str(name);
    if !value.is_empty() {
        out.push('=');
        out.push_str(value);
    }
    if !document.is_empty() {
        out.push_str(" [");
        out.push_str(&escape(document));
        out.push(']');
    }
}

/// Reads the cell `history`.
pub(crate) fn parse_history(text: &str) -> Result<Vec<Item>, ItemError> {
    let mut items: Vec<Item> = Vec::new();
    for part in cut(text, true) {
        let failed = |reason: String| ItemError {
            item: part.trim().to_owned(),
            reason,
        };
        let item = parse_item(part.trim()).map_err(failed)?;
        if let Some(before) = items.last().filter(|before| before.from > item.from) {
            let reason = format!(
                "it stands after an item of {}; expected the items in ascending order of their months",
                before.from
            );
            return Err(failed(reason));
        }
        items.push(item);
    }
    Ok(items)
}

fn parse_item(text: &str) -> Result<Item, String> {
    const FORM: &str =
        "expected MONTH NAME=VALUE, for example 2026-03 disability=severe [112/QĐ-UBND 2026-03-05]";
    let (months, rest) = text.split_once(' ').ok_or(FORM)?;
    let month = |text: &str| text.parse::<Month>().map_err(|error| format!("{error}; {FORM}"));
    let (from, until) = match months.split_once("..") {
        Some((from, until)) => (month(from)?, Some(month(until)?)),
        None => (month(months)?, None),
    };
    if let Some(until) = until.filter(|&until| until < from) {
        return Err(format!("the last month {until} is before the first month {from}"));
    }
    let (assignment, document) = match rest.split_once('[') {
        Some((assignment, document)) => {
            let document = document
                .strip_suffix(']')
                .filter(|document| !ends_escaped(document))
                .ok_or("the document's bracket is not closed at the end; expected ... [document]")?;
            (assignment, unescape(document)?)
        }
        None => (rest, String::new()),
    };
    let (name, value) = assignment.split_once('=').unwrap_or((assignment, ""));
    let (name, value) = (name.trim(), unescape(value.trim())?);
    if name.is_empty() {
        return Err(FORM.to_owned());
    }
    Ok(Item {
        from,
        until,
        name: name.to_owned(),
        value,
        document,
    })
}

/// Whether the character after this text is escaped by it.
fn ends_escaped(text: &str) -> bool {
    text.bytes().rev().take_while(|&byte| byte == b'\\').count() % 2 == 1
}

/// Appends an entry of `documents`.
pub(crate) fn push_document(out: &mut String, name: &str, document: &str) {
    if !out.is_empty() {
        out.push_str("; ");
    }
    out.push_str(name);
    out.push('=');
    out.push_str(&escape(document));
}

/// Reads the cell `documents`: names of attributes and texts.
pub(crate) fn parse_documents(text: &str) -> Result<Vec<(String, String)>, ItemError> {
    cut(text, false)
        .into_iter()
        .map(|part| {
            let failed = |reason: String| ItemError {
                item: part.trim().to_owned(),
                reason,
            };
            let (name, document) = part.split_once('=').ok_or_else(|| {
                failed("expected ATTRIBUTE=TEXT, for example disability=112/QĐ-UBND 2026-03-05".to_owned())
            })?;
            Ok((name.trim().to_owned(), unescape(document).map_err(failed)?))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn month(text: &str) -> Month {
        text.parse().unwrap()
    }

    #[test]
    fn items_are_read_with_months_values_and_documents() {
        let items = parse_history(
            "2026-03 disability=severe [112/QĐ-UBND 2026-03-05]; 2026-04..2026-12 household.poverty=poor;2026-06 away",
        )
        .unwrap();
        let found: Vec<_> = items
            .iter()
            .map(|item| {
                (
                    item.name.as_str(),
                    item.value.as_str(),
                    item.until,
                    item.document.as_str(),
                )
            })
            .collect();
        assert_eq!(
            found,
            [
                ("disability", "severe", None, "112/QĐ-UBND 2026-03-05"),
                ("household.poverty", "poor", Some(month("2026-12")), ""),
                ("away", "", None, ""),
            ]
        );
    }

    #[test]
    fn a_bad_item_is_named_with_the_reason() {
        for (text, reason) in [
            ("2026-3 a=b", "not written as YYYY-MM"),
            ("2026-03", "expected MONTH NAME=VALUE"),
            ("2026-03..2026-01 a=b", "before the first month"),
            ("2026-03 a=b [x", "not closed"),
            ("2026-03 a=b [x\\]", "not closed"),
            ("2026-03 =b", "expected MONTH NAME=VALUE"),
            ("2026-04 a=b; 2026-03 a=c", "ascending order"),
        ] {
            let error = parse_history(text).unwrap_err();
            assert!(error.reason.contains(reason), "{text}: {}", error.reason);
        }
        assert_eq!(
            parse_history("2026-01 a=b; 2026-x c=d").unwrap_err().item,
            "2026-x c=d"
        );
        assert!(parse_documents("disability").is_err());
    }

    proptest! {
        #[test]
        fn any_document_is_read_as_it_was_written(first in "\\PC{0,20}", second in "[\\\\;\\[\\] a]{0,12}") {
            let mut history = String::new();
            push_item(&mut history, month("2026-01"), None, "a", "b", &first);
            push_item(&mut history, month("2026-02"), Some(month("2026-03")), "c", "d", &second);
            let items = parse_history(&history).unwrap();
            prop_assert_eq!(&items[0].document, &first);
            prop_assert_eq!(&items[1].document, &second);
            let mut documents = String::new();
            push_document(&mut documents, "a", &first);
            push_document(&mut documents, "b", &second);
            let read = parse_documents(&documents).unwrap();
            prop_assert_eq!(read, [("a".to_owned(), first), ("b".to_owned(), second)]);
        }
    }
}
