//! Examples: cases with the results that somebody worked out by hand, kept beside the rules.

use toml::Spanned;
use toml::de::DeValue;

use super::error::Report;
use super::outcome::{Basis, Lang, LineKind, Outcome, Status, describe};
use super::pack::{EXAMPLE_FACTS_MAX, EXAMPLES_MAX, Pack, PackData};
use super::people::{CasePeople, Reader, own_catalogue};
use super::read::{Table, scalar};
use crate::kernel::catalogue::Catalogue;
use crate::policy::bind::Policy;
use crate::types::{Date, Dong, Month};

/// An example of a pack.
#[derive(Debug, Clone)]
pub struct Example {
    /// What it shows.
    pub title: String,
    /// The month.
    pub month: Month,
    /// The day whose knowledge of the law is used.
    pub known_on: Date,
    /// The campaign that is evaluated, instead of the month.
    pub campaign: Option<String>,
    /// The line of the pack in which it begins, from 1.
    pub line: usize,
    people: CasePeople,
    /// What is expected of those of whom something is.
    expected: Vec<(usize, Expected)>,
}

#[derive(Debug, Clone)]
struct Expected {
    status: Status,
    /// Programme, kind and amount, in the pack's order.
    lines: Vec<(String, LineKind, Dong)>,
    /// The reason's code, and the programme that it names.
    reason: Option<String>,
    programme: Option<String>,
    basis: Option<Basis>,
}

/// How an example came out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExampleResult {
    /// What it shows.
    pub title: String,
    /// The line of the pack in which it begins, from 1.
    pub line: usize,
    /// What the pack expects.
    pub expected: String,
    /// What the evaluation gave.
    pub found: String,
    /// Whether they agree.
    pub passed: bool,
}

impl Pack {
    /// Evaluates every example with the evaluator that serves everything else.
    pub fn run_examples(&self) -> Vec<ExampleResult> {
        let (policy, catalogue) = self.alone();
        self.examples()
            .iter()
            .map(|example| example.run(&policy, &catalogue))
            .collect()
    }
}

impl Example {
    fn run(&self, policy: &Policy, catalogue: &Catalogue) -> ExampleResult {
        let month = match &self.campaign {
            Some(campaign) => policy.for_campaign(self.month, self.known_on, campaign),
            None => policy.for_month(self.month, self.known_on),
        };
        let several = self.people.len() > 1;
        let (mut expected, mut found) = (Vec::new(), Vec::new());
        for (at, of_person) in &self.expected {
            let name = if several {
                format!("{}: ", self.people.name(*at))
            } else {
                String::new()
            };
            let outcome = match &month {
                Ok(month) => of_person.found(&self.people.outcome(*at, month), catalogue),
                Err(error) => error.to_string(),
            };
            expected.push(format!("{name}{}", of_person.text()));
            found.push(format!("{name}{outcome}"));
        }
        ExampleResult {
            title: self.title.clone(),
            line: self.line,
            passed: expected == found,
            expected: expected.join(" | "),
            found: found.join(" | "),
        }
    }
}

impl Expected {
    fn text(&self) -> String {
        let lines = self
            .lines
            .iter()
            .map(|(programme, kind, amount)| line_text(programme, *kind, *amount));
        let mut parts: Vec<String> = lines.collect();
        if let Some(basis) = self.basis {
            parts.push(basis_text(basis).to_owned());
        }
        if let Some(reason) = &self.reason {
            parts.push(match &self.programme {
                Some(programme) => format!("{reason} {programme}"),
                None => reason.clone(),
            });
        }
        parts.insert(0, self.status.to_string());
        parts.join("; ")
    }

    /// The outcome, as far as the example says anything of it, in the form of [`Expected::text`].
    fn found(&self, outcome: &Outcome, catalogue: &Catalogue) -> String {
        let name = |number| {
            let programme = catalogue.programme_by_number(number);
            programme.map_or_else(String::new, |known| known.name.clone())
        };
        let bases = outcome.lines.iter().map(|line| line.basis);
        let found = Self {
            status: outcome.status,
            lines: outcome
                .lines
                .iter()
                .map(|line| (name(line.programme), line.kind, line.amount))
                .collect(),
            reason: self.reason.as_ref().map(|_| outcome.reason.code().to_owned()),
            programme: self
                .programme
                .as_ref()
                .and_then(|_| outcome.reason.programme().map(name)),
            basis: self.basis.and_then(|_| bases.max()),
        };
        let text = found.text();
        // What went wrong helps whoever did not expect it.
        if outcome.status == Status::Error && text != self.text() {
            return format!("{text}; {}", describe(&outcome.reason, catalogue, Lang::En));
        }
        text
    }
}

fn line_text(programme: &str, kind: LineKind, amount: Dong) -> String {
    match kind {
        LineKind::Paid => format!("{programme} {amount}"),
        LineKind::Held => format!("{programme} {amount} held"),
        LineKind::Error => format!("{programme} error"),
    }
}

const fn basis_text(basis: Basis) -> &'static str {
    match basis {
        Basis::EndOfMonth => "by the end of the month",
        Basis::EndOfMonthBefore => "by the end of the month before",
    }
}

/// Reads the examples of a pack that is otherwise sound.
pub(crate) fn read(
    pack: &PackData,
    value: Option<&Spanned<DeValue<'_>>>,
    report: &mut Report<'_>,
) -> Vec<Example> {
    let (catalogue, _) = match own_catalogue(pack) {
        Ok(own) => own,
        Err(error) => {
            report.add(0..0, error);
            return Vec::new();
        }
    };
    let Some(value) = value else {
        return Vec::new();
    };
    let DeValue::Array(items) = value.get_ref() else {
        report.add(value.span(), "examples are written as [[example]]");
        return Vec::new();
    };
    if items.len() > EXAMPLES_MAX {
        report.add(
            value.span(),
            format!("found {} examples, at most {EXAMPLES_MAX} are read", items.len()),
        );
        return Vec::new();
    }
    let reader = Reader {
        pack,
        catalogue: &catalogue,
    };
    let (mut examples, mut facts) = (Vec::new(), 0);
    for item in items {
        let Some(table) = super::read::table("example", item, report) else {
            continue;
        };
        let example = example(&reader, table, report);
        facts += example.as_ref().map_or(0, |example| example.people.facts());
        if facts > EXAMPLE_FACTS_MAX {
            let message = format!("the people of the examples have more than {EXAMPLE_FACTS_MAX} facts");
            report.add(item.span(), message);
            break;
        }
        examples.extend(example);
    }
    examples
}

fn example(reader: &Reader<'_>, mut table: Table<'_>, report: &mut Report<'_>) -> Option<Example> {
    let span = table.span.clone();
    let line = report.line(span.start);
    let title = table.prose("title", report);
    if let Some(title) = &title {
        table.what = format!("example {title:?}");
    }
    let month = table.month("month", report);
    let known_on = table.optional_date("known_on", report);
    let campaign = table.optional_text("campaign", report);
    if let Some(campaign) = &campaign {
        reader.programme(campaign, report);
    }
    let mut expected = Vec::new();
    let people = reader.people(
        &mut table,
        month.unwrap_or(Month::MAX),
        report,
        &mut |at, table, report| {
            expected.extend(expectation(reader, table, report).map(|expected| (at, expected)));
        },
    );
    if expected.is_empty() {
        report.add(
            span.start..span.start + 1,
            format!(
                "{}: the key \"expect\" is missing, of one person at least",
                table.what
            ),
        );
    }
    table.finish(report);
    let month = month?;
    Some(Example {
        title: title?,
        month,
        known_on: known_on.unwrap_or_else(|| Date::last_of(month)),
        campaign: campaign.map(|name| name.text.to_owned()),
        line,
        people: people?,
        expected,
    })
}

fn expectation(reader: &Reader<'_>, table: &mut Table<'_>, report: &mut Report<'_>) -> Option<Expected> {
    const STATUSES: [(&str, Status); 4] = [
        ("paid", Status::Paid),
        ("held", Status::Held),
        ("zero", Status::Zero),
        ("error", Status::Error),
    ];
    const BASES: [(&str, Option<Basis>); 2] = [
        ("end_of_month", Some(Basis::EndOfMonth)),
        ("end_of_month_before", Some(Basis::EndOfMonthBefore)),
    ];
    let value = table.take("expect")?;
    let mut expect = super::read::table("expect", value, report)?;
    let status = expect.choice("status", &STATUSES, None, report);
    let mut lines = amounts(reader, &mut expect, "paid", LineKind::Paid, report);
    lines.extend(amounts(reader, &mut expect, "held", LineKind::Held, report));
    for programme in expect.texts("error", report) {
        reader.programme(&programme, report);
        lines.push((programme.text.to_owned(), LineKind::Error, Dong::ZERO));
    }
    let place = |id: &str| reader.pack.programmes.iter().position(|rule| rule.id == id);
    lines.sort_by_key(|(programme, kind, _)| (place(programme), *kind));
    let basis = expect.choice("basis", &BASES, Some(None), report);
    let reason = expect
        .optional_text("reason", report)
        .map(|text| text.text.to_owned());
    let programme = expect.optional_text("programme", report);
    if let Some(programme) = &programme {
        reader.programme(programme, report);
    }
    expect.finish(report);
    Some(Expected {
        status: status?,
        lines,
        reason,
        programme: programme.map(|text| text.text.to_owned()),
        basis: basis?,
    })
}

fn amounts(
    reader: &Reader<'_>,
    expect: &mut Table<'_>,
    key: &'static str,
    kind: LineKind,
    report: &mut Report<'_>,
) -> Vec<(String, LineKind, Dong)> {
    let Some(value) = expect.take(key) else {
        return Vec::new();
    };
    let Some(mut amounts) = super::read::table(key, value, report) else {
        return Vec::new();
    };
    let mut lines = Vec::new();
    for (programme, value) in amounts.rest() {
        reader.programme(&programme, report);
        match scalar(value.get_ref()).unwrap_or_default().parse::<Dong>() {
            Ok(amount) => lines.push((programme.text.to_owned(), kind, amount)),
            Err(error) => report.add(value.span(), error.to_string()),
        }
    }
    lines
}
