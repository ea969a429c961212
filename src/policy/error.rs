//! What is wrong with a pack, and where.

use std::cell::OnceCell;
use std::fmt;
use std::ops::Range;

use thiserror::Error;

use super::expr::lex::Problem;
use crate::kernel::catalogue::SubjectKind;
use crate::types::{Date, Month};

/// The greatest number of errors that are described; the rest are counted.
pub const ERRORS_MAX: usize = 50;
/// The number of errors from which on expressions are no longer checked: suggestions for each name take time.
const ERRORS_SOUGHT_MAX: usize = 20 * ERRORS_MAX;
/// The longest piece of a line that an error shows, in characters.
const EXCERPT_CHARS_MAX: usize = 120;

/// One error in a pack or in an expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackError {
    /// The file, as the caller named it.
    pub file: String,
    /// The line, counted from 1.
    pub line: usize,
    /// The character in the line, counted from 1.
    pub column: usize,
    /// What was found and what was expected.
    pub message: String,
    /// What to do, where that is known.
    pub hint: Option<String>,
    /// The line's text, or the part of a long line around the place.
    pub excerpt: String,
    /// The characters of the excerpt before the place.
    caret_start: usize,
    /// The characters of the excerpt that are meant, at least one.
    caret_len: usize,
}

impl fmt::Display for PackError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let number = self.line.to_string();
        let gutter = " ".repeat(number.len());
        writeln!(f, "{}:{}:{}: {}", self.file, self.line, self.column, self.message)?;
        writeln!(f, "{gutter} |")?;
        writeln!(f, "{number} | {}", self.excerpt)?;
        write!(
            f,
            "{gutter} | {}{}",
            " ".repeat(self.caret_start),
            "^".repeat(self.caret_len)
        )?;
        if let Some(hint) = &self.hint {
            write!(f, "\n{gutter} = {hint}")?;
        }
        Ok(())
    }
}

/// Everything that is wrong with a pack or an expression, in the order of the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackErrors {
    errors: Vec<PackError>,
    more: usize,
}

impl PackErrors {
    /// The errors that are described, at most [`ERRORS_MAX`].
    pub fn errors(&self) -> &[PackError] {
        &self.errors
    }

    /// How many errors were found in all.
    pub fn count(&self) -> usize {
        self.errors.len() + self.more
    }
}

impl fmt::Display for PackErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, error) in self.errors.iter().enumerate() {
            if place > 0 {
                f.write_str("\n\n")?;
            }
            error.fmt(f)?;
        }
        if self.more > 0 {
            write!(f, "\n\nand {} more; correct these first", self.more)?;
        }
        Ok(())
    }
}

impl std::error::Error for PackErrors {}

/// Why a pack could not be read from files.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum PackReadError {
    /// A file could not be read.
    #[error("{file} could not be read: {source}")]
    File {
        /// The file.
        file: String,
        /// Why.
        source: std::io::Error,
    },
    /// The pack is not sound.
    #[error(transparent)]
    Pack(#[from] PackErrors),
}

/// The text in which errors are found, and the errors found so far.
pub(crate) struct Report<'a> {
    file: &'a str,
    text: &'a str,
    errors: Vec<(usize, PackError)>,
    more: usize,
    /// Where the line breaks stand, sought when a line is first asked for.
    breaks: OnceCell<Vec<usize>>,
}

impl<'a> Report<'a> {
    pub fn new(file: &'a str, text: &'a str) -> Self {
        Self {
            file,
            text,
            errors: Vec::new(),
            more: 0,
            breaks: OnceCell::new(),
        }
    }

    /// How many errors were found so far.
    pub fn count(&self) -> usize {
        self.errors.len() + self.more
    }

    /// Whether so many errors were found that no more are sought in expressions.
    pub fn is_full(&self) -> bool {
        self.count() >= ERRORS_SOUGHT_MAX
    }

    /// The number of the line, from 1, in which a byte stands.
    pub fn line(&self, byte: usize) -> usize {
        let breaks = self
            .breaks
            .get_or_init(|| self.text.match_indices('\n').map(|(at, _)| at).collect());
        1 + breaks.partition_point(|&at| at < byte)
    }

    pub fn add(&mut self, span: Range<usize>, message: impl Into<String>) {
        self.add_with(span, message, None);
    }

    pub fn add_with(&mut self, span: Range<usize>, message: impl Into<String>, hint: Option<String>) {
        if self.errors.len() >= ERRORS_MAX {
            self.more += 1;
            return;
        }
        let error = self.locate(span.clone(), message.into(), hint);
        self.errors.push((span.start, error));
    }

    /// Adds the errors of a file beside this one, which come after this one's own.
    pub fn absorb(&mut self, errors: PackErrors) {
        for error in errors.errors {
            if self.errors.len() < ERRORS_MAX {
                self.errors.push((usize::MAX, error));
            } else {
                self.more += 1;
            }
        }
        self.more += errors.more;
    }

    /// Adds the problem of an expression that stands in the text as `place` maps it.
    pub fn add_problem(&mut self, problem: Problem, place: impl Fn(usize) -> usize) {
        let start = place(problem.span.start);
        let end = place(problem.span.end).max(start);
        self.add_with(start..end, problem.message, problem.hint);
    }

    /// The errors, unless there are none.
    pub fn into_errors(mut self) -> Option<PackErrors> {
        if self.errors.is_empty() {
            return None;
        }
        self.errors.sort_by_key(|(start, _)| *start);
        Some(PackErrors {
            errors: self.errors.into_iter().map(|(_, error)| error).collect(),
            more: self.more,
        })
    }

    /// An error at a place of the text.
    pub fn locate(&self, span: Range<usize>, message: String, hint: Option<String>) -> PackError {
        let start = floor_char_boundary(self.text, span.start);
        let end = floor_char_boundary(self.text, span.end).max(start);
        let line_start = self.text[..start].rfind('\n').map_or(0, |at| at + 1);
        let line_end = self.text[start..]
            .find('\n')
            .map_or(self.text.len(), |at| start + at);
        let before = self.text[line_start..start].chars().count();
        let meant = self.text[start..end.min(line_end).max(start)]
            .chars()
            .count()
            .max(1);
        let shown_from = before.saturating_sub(EXCERPT_CHARS_MAX / 2);
        let excerpt: String = self.text[line_start..line_end]
            .chars()
            .skip(shown_from)
            .take(EXCERPT_CHARS_MAX)
            .map(|c| if c.is_control() { ' ' } else { c })
            .collect();
        let caret_start = before - shown_from;
        PackError {
            file: self.file.to_owned(),
            line: self.line(start),
            column: before + 1,
            message,
            hint,
            caret_start,
            caret_len: meant.min(EXCERPT_CHARS_MAX.saturating_sub(caret_start)).max(1),
            excerpt: excerpt.trim_end().to_owned(),
        }
    }
}

fn floor_char_boundary(text: &str, byte: usize) -> usize {
    let mut at = byte.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

/// Why a pack and a catalogue do not fit together.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum BindError {
    /// The catalogue has no such attribute.
    #[error("the catalogue has no {subject} attribute {name:?}; adopt the pack {pack} first")]
    Attribute {
        /// The pack.
        pack: String,
        /// What it is about.
        subject: SubjectKind,
        /// Its name in the pack.
        name: String,
    },
    /// The catalogue has the attribute with another type.
    #[error(
        "attribute {name:?} is {found} in the catalogue and {expected} in the pack {pack}; adopt this version of the pack first"
    )]
    Kind {
        /// The pack.
        pack: String,
        /// The attribute.
        name: String,
        /// What the catalogue has.
        found: String,
        /// What the pack declares.
        expected: String,
    },
    /// The catalogue does not know a value of an attribute.
    #[error(
        "attribute {name:?} has no value {value:?} in the catalogue; adopt this version of the pack {pack} first"
    )]
    Value {
        /// The pack.
        pack: String,
        /// The attribute.
        name: String,
        /// The value.
        value: String,
    },
    /// The catalogue has no such programme.
    #[error("the catalogue has no programme {name:?}; adopt the pack {pack} first")]
    Programme {
        /// The pack.
        pack: String,
        /// The programme.
        name: String,
    },
}

/// Why a policy has no answer for a month.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum PolicyError {
    /// A parameter has no value that applies to the month and was known.
    #[error(
        "param.{parameter} has no value for {month} that was known on {law_known_on}, and programme {programme:?} needs it; choose a later law date, or add the value with its dates to the pack"
    )]
    NoValue {
        /// The parameter.
        parameter: String,
        /// The month to be worked out.
        month: Month,
        /// The day whose knowledge of the law was asked for.
        law_known_on: Date,
        /// The programme that reads it.
        programme: String,
    },
    /// The pack says nothing of that time.
    #[error(
        "the pack begins with {horizon}: it has no answer for {month} by the law known on {law_known_on}; choose a later month and law date, or a pack that reaches further back"
    )]
    BeforeHorizon {
        /// The first month of the pack.
        horizon: Month,
        /// The month to be worked out.
        month: Month,
        /// The day whose knowledge of the law was asked for.
        law_known_on: Date,
    },
    /// A lookup table has no edition that applies to the month and was known.
    #[error(
        "table.{table} has no edition for {month} that was known on {law_known_on}, and programme {programme:?} needs it; choose a later law date, or add the edition with its dates to the pack"
    )]
    NoEdition {
        /// The table.
        table: String,
        /// The month to be worked out.
        month: Month,
        /// The day whose knowledge of the law was asked for.
        law_known_on: Date,
        /// The programme that reads it.
        programme: String,
    },
    /// The campaign is not one of the pack, or does not exist in the month.
    #[error(
        "{name:?} is no campaign of the pack in {month} as known on {law_known_on}{}",
        campaigns(.known)
    )]
    NoCampaign {
        /// The name that was asked for.
        name: String,
        /// The month.
        month: Month,
        /// The day whose knowledge of the law was asked for.
        law_known_on: Date,
        /// The campaigns that there are then.
        known: Vec<String>,
    },
}

fn campaigns(known: &[String]) -> String {
    if known.is_empty() {
        "; it has none then".to_owned()
    } else {
        format!("; it has {}", known.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_point_at_their_place() {
        let text = "a = 1\n# Tuổi thọ\nkey = \"giá trị\" x\n";
        let mut report = Report::new("test.toml", text);
        let at = text.find("giá").unwrap();
        report.add_with(at..at + "giá trị".len(), "found that", Some("do this".into()));
        report.add(0..1, "first");
        let errors = report.into_errors().unwrap();
        assert_eq!(errors.errors()[0].line, 1, "errors come in the order of the text");
        let shown = errors.errors()[1].to_string();
        assert_eq!(
            shown,
            "test.toml:3:8: found that\n  |\n3 | key = \"giá trị\" x\n  |        ^^^^^^^\n  = do this"
        );
    }

    #[test]
    fn any_span_is_shown() {
        let text = format!("{}é\n", "x".repeat(500));
        for span in [0..0, 499..503, 501..502, 502..9_999, 9_999..10_000] {
            let mut report = Report::new("f", &text);
            report.add(span, "m");
            let error = report.into_errors().unwrap().errors()[0].to_string();
            assert!(error.contains('^') && error.len() < 400, "{error}");
        }
        let mut report = Report::new("f", "");
        for _ in 0..ERRORS_MAX + 3 {
            report.add(0..0, "m");
        }
        let errors = report.into_errors().unwrap();
        assert_eq!(errors.count(), ERRORS_MAX + 3);
        assert!(errors.to_string().ends_with("and 3 more; correct these first"));
    }
}
