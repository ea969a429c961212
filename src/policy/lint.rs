//! The linter: what a sound pack still has wrong or doubtful.
//!
//! A pack that loads can have rules that nobody meets, cases that are never reached, amounts that cannot be paid, and
//! names that nothing reads. They are found by searching for a case: see `lint/search.rs`. Only what is certain is a
//! warning. What cannot be decided is passed over: dates, references and people around a person are left open, and a
//! search that would take too long gives up, which is noted.
//!
//! A programme that loses to another one of its group is found only where the other one needs no decision and both
//! follow the same months: with decisions of their own, each can be owed alone.

mod amounts;
mod cases;
mod document;
mod domain;
mod formula;
mod rules;
mod search;
mod unused;

use std::fmt;
use std::ops::Range;

use toml::de::DeTable;

use self::search::Searcher;
use super::error::{PackError, Report};
use super::pack::Pack;
use super::people::own_catalogue;

/// The greatest number of findings that are described.
pub const FINDINGS_MAX: usize = 500;

/// How a finding is to be taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Surely a slip.
    Warning,
    /// It may be meant so.
    Note,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Warning => "warning",
            Self::Note => "note",
        })
    }
}

/// Something in a sound pack that is wrong or doubtful.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// How it is to be taken.
    pub severity: Severity,
    /// What and where it is.
    pub error: PackError,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut error = self.error.clone();
        error.message = format!("{}: {}", self.severity, error.message);
        error.fmt(f)
    }
}

impl Pack {
    /// What in the pack is wrong or doubtful although it loads, in the order of the text, at most [`FINDINGS_MAX`].
    /// `file_name` is only for messages.
    ///
    /// ```
    /// use ansinh::policy::{Pack, Severity};
    /// let findings = Pack::vietnam().lint("policies/vn.toml");
    /// assert!(findings.iter().all(|finding| finding.severity == Severity::Note));
    /// ```
    pub fn lint(&self, file_name: &str) -> Vec<Finding> {
        let pack = &*self.0;
        let (Ok(document), Ok((_, bound))) = (DeTable::parse(&pack.text), own_catalogue(pack)) else {
            unreachable!("a pack loads only if it is TOML and binds to its own catalogue");
        };
        let mut linter = Linter {
            searcher: Searcher::new(pack, &bound),
            found: Vec::new(),
        };
        linter.all(document.get_ref());
        linter.into_findings(file_name)
    }
}

struct Found {
    span: Range<usize>,
    severity: Severity,
    message: String,
    hint: Option<String>,
}

struct Linter<'a> {
    searcher: Searcher<'a>,
    found: Vec<Found>,
}

impl Linter<'_> {
    fn all<'d>(&mut self, root: &'d DeTable<'d>) {
        let (definitions, rules) = (document::definitions(root), document::rules(root));
        let mut undecided = Vec::new();
        for definition in &definitions {
            self.definition(&definition.text, definition.is_condition);
            if self.searcher.gave_up() {
                undecided.push(definition.name.to_owned());
            }
        }
        for (place, rule) in rules.iter().enumerate() {
            self.rule(place, rule);
            self.outdone(place, rule.id.clone());
            if self.searcher.gave_up() {
                undecided.push(self.searcher.pack.programmes[place].id.clone());
            }
        }
        undecided.extend(self.unused(root, &definitions, &rules));
        let head = document::entry(root, "pack").map_or(0..0, |(at, _)| at);
        self.undecided(&undecided, head);
    }

    fn pack_text(&self) -> &str {
        &self.searcher.pack.text
    }

    fn warn(&mut self, span: Range<usize>, message: impl Into<String>, hint: &str) {
        self.find(Severity::Warning, span, message, Some(hint));
    }

    fn find(
        &mut self,
        severity: Severity,
        span: Range<usize>,
        message: impl Into<String>,
        hint: Option<&str>,
    ) {
        if self.found.len() < FINDINGS_MAX {
            self.found.push(Found {
                span,
                severity,
                message: message.into(),
                hint: hint.map(str::to_owned),
            });
        }
    }

    /// Whether a warning lies within a part of the text: what follows from it is not reported again.
    fn has_found_in(&self, span: &Range<usize>) -> bool {
        let within = |found: &Found| span.start <= found.span.start && found.span.end <= span.end;
        self.found
            .iter()
            .any(|found| found.severity == Severity::Warning && within(found))
    }

    fn into_findings(mut self, file_name: &str) -> Vec<Finding> {
        self.found.sort_by_key(|found| (found.span.start, found.severity));
        let report = Report::new(file_name, self.pack_text());
        let findings = self.found.iter().map(|found| Finding {
            severity: found.severity,
            error: report.locate(found.span.clone(), found.message.clone(), found.hint.clone()),
        });
        findings.collect()
    }
}
