//! What a pack itself marks as not well sourced, over all months, with the line where it stands.

use toml::de::DeTable;

use super::error::Report;
use super::pack::{CLAUSES_MAX, EDITIONS_MAX, PACK_PROGRAMMES_MAX, PARAMETER_VALUES_MAX, Pack};
use super::parameter::Confidence;
use super::read::{Table, scalar, table};
use crate::types::{Date, Month};

/// A figure or a rule that is not well sourced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Doubtful {
    /// What it is.
    pub what: String,
    /// How well it is sourced.
    pub confidence: Confidence,
    /// The first month for which it applies; without it, every month.
    pub from: Option<Month>,
    /// The last month; without it, until something else takes its place.
    pub until: Option<Month>,
    /// The day from which it is known; without it, always.
    pub known_from: Option<Date>,
    /// The source.
    pub source: String,
    /// The line of the pack in which it stands, from 1.
    pub line: usize,
}

impl Pack {
    /// Every figure and every rule of low confidence, whatever the month, in the order of the text.
    ///
    /// ```
    /// let doubtful = ansinh::policy::Pack::vietnam().doubtful();
    /// assert!(doubtful.iter().all(|found| found.confidence.is_low()));
    /// ```
    pub fn doubtful(&self) -> Vec<Doubtful> {
        let text = self.source_text();
        // The pack loaded, so its text parses, and nothing is reported while it is read again.
        let (document, _) = DeTable::parse_recoverable(text);
        let mut root = Table::new("the pack", document.span(), document.get_ref());
        let mut seeker = Seeker {
            report: Report::new("", text),
            found: Vec::new(),
        };
        if let Some(value) = root.take("birth")
            && let Some(mut birth) = table("birth", value, &mut seeker.report)
        {
            seeker.note("a birth date without month".to_owned(), &mut birth);
        }
        seeker.parameters(&mut root);
        for (name, mut table) in seeker.named(&mut root, "table") {
            for mut edition in table.tables("editions", "edition", EDITIONS_MAX, &mut seeker.report) {
                let rows = seeker.text(&mut edition, "rows");
                seeker.note(format!("table.{name}, rows of {rows}"), &mut edition);
            }
        }
        for (name, mut group) in seeker.named(&mut root, "group") {
            seeker.note(format!("combination group {name}"), &mut group);
        }
        for mut programme in root.tables("programme", "programme", PACK_PROGRAMMES_MAX, &mut seeker.report) {
            seeker.programme(&mut programme);
        }
        let mut found = seeker.found;
        found.sort_by_key(|found| found.line);
        found
    }
}

struct Seeker<'a> {
    report: Report<'a>,
    found: Vec<Doubtful>,
}

impl Seeker<'_> {
    fn parameters(&mut self, root: &mut Table<'_>) {
        for (name, mut parameter) in self.named(root, "parameter") {
            for mut value in parameter.tables("values", "value", PARAMETER_VALUES_MAX, &mut self.report) {
                let number = number(&mut value);
                self.note(format!("param.{name} = {number}"), &mut value);
            }
            for mut value in parameter.tables("provinces", "value", PARAMETER_VALUES_MAX, &mut self.report) {
                let (number, area) = (number(&mut value), self.area(&mut value));
                self.note(format!("param.{name} = {number} in {area}"), &mut value);
            }
        }
    }

    fn programme(&mut self, programme: &mut Table<'_>) {
        let id = self.text(programme, "id");
        self.note(format!("programme {id}"), programme);
        for mut widening in programme.tables("provincial", "condition", CLAUSES_MAX, &mut self.report) {
            let area = self.area(&mut widening);
            self.note(format!("programme {id} in {area}"), &mut widening);
        }
        for mut doubt in programme.tables("doubts", "doubt", CLAUSES_MAX, &mut self.report) {
            let what = self.text(&mut doubt, "what");
            self.note(format!("programme {id}: {what}"), &mut doubt);
        }
    }

    /// Notes a table if its mark is a low one.
    fn note(&mut self, what: String, table: &mut Table<'_>) {
        let report = &mut self.report;
        let Some(confidence) = table.confidence(report).filter(|mark| mark.is_low()) else {
            return;
        };
        let known_from = table.optional_date("known_from", report);
        let source = table
            .optional_text("source", report)
            .or_else(|| table.optional_text("cite", report));
        // Programmes have their months in a table of their own.
        let months = table
            .take("months")
            .and_then(|value| super::read::table("months", value, report));
        let dated = match months {
            Some(mut months) => (
                months.optional_month("from", report),
                months.optional_month("until", report),
            ),
            None => (
                table.optional_month("from", report),
                table.optional_month("until", report),
            ),
        };
        let found = Doubtful {
            what,
            confidence,
            from: dated.0,
            until: dated.1,
            known_from,
            source: source.map_or_else(String::new, |source| source.text.trim().to_owned()),
            line: report.line(table.span.start),
        };
        self.found.push(found);
    }

    fn named<'t>(&mut self, root: &mut Table<'t>, key: &'static str) -> Vec<(String, Table<'t>)> {
        let Some(value) = root.take(key) else {
            return Vec::new();
        };
        let report = &mut self.report;
        let Some(mut outer) = table(key, value, report) else {
            return Vec::new();
        };
        let entries = outer.rest().into_iter();
        entries
            .filter_map(|(name, value)| Some((name.text.to_owned(), table(key, value, report)?)))
            .collect()
    }

    fn text(&mut self, table: &mut Table<'_>, key: &'static str) -> String {
        let found = table.optional_text(key, &mut self.report);
        found.map_or_else(String::new, |found| found.text.trim().to_owned())
    }

    fn area(&mut self, table: &mut Table<'_>) -> String {
        if table.has("in") {
            format!("province {}", self.text(table, "in"))
        } else {
            format!("former province {}", self.text(table, "in_former"))
        }
    }
}

fn number(table: &mut Table<'_>) -> String {
    let written = table.take("value").and_then(|value| scalar(value.get_ref()));
    written.unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_found_in_its_line() {
        let pack = Pack::vietnam();
        let lines: Vec<&str> = pack.source_text().lines().collect();
        let found = pack.doubtful();
        for doubtful in &found {
            let line = lines[doubtful.line - 1];
            let mark = format!("confidence = \"{}\"", doubtful.confidence);
            assert!(
                line.starts_with('[') || line.contains(&mark),
                "{doubtful:?} in {line}"
            );
            assert!(!doubtful.source.is_empty(), "{doubtful:?}");
        }
        let marks = |mark: &str| {
            pack.source_text()
                .matches(&format!("confidence = \"{mark}\""))
                .count()
        };
        assert_eq!(found.len(), marks("S3") + marks("M") + marks("?"));
    }

    #[test]
    fn all_that_a_month_counts_as_doubtful_is_found() {
        let pack = Pack::vietnam();
        let (policy, _) = pack.alone();
        let found = pack.doubtful();
        for month in ["2021-10", "2024-07", "2026-06", "2026-12"] {
            let month = policy
                .for_month(month.parse().unwrap(), "2026-12-31".parse().unwrap())
                .unwrap();
            for low in month.low_confidence() {
                let known = found
                    .iter()
                    .any(|found| found.what == low.what && found.confidence == low.confidence);
                assert!(known, "{low:?}");
            }
        }
    }
}
