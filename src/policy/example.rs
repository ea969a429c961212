//! Examples: cases with the results that somebody worked out by hand, kept beside the rules.

use toml::Spanned;
use toml::de::DeValue;

use super::bind::{Bindings, Policy, bind};
use super::case::{Age, Case};
use super::error::Report;
use super::expr::check::did_you_mean;
use super::outcome::{Basis, Lang, LineKind, Outcome, Status, describe};
use super::pack::{EXAMPLES_MAX, Pack, PackData};
use super::read::{Table, Text, scalar};
use crate::kernel::catalogue::{Catalogue, SubjectKind, builtin, enrolment_attribute_name, nearest};
use crate::kernel::profile::Profile;
use crate::types::{BirthDate, Date, Dong, Month, ProvinceCode, Value};

/// The province of an example that names none.
const PROVINCE: &str = "01";

/// An example of a pack.
#[derive(Debug, Clone)]
pub struct Example {
    /// What it shows.
    pub title: String,
    /// The month.
    pub month: Month,
    /// The day whose knowledge of the law is used.
    pub known_on: Date,
    /// The line of the pack in which it begins, from 1.
    pub line: usize,
    birth: BirthDate,
    now: Option<State>,
    before: Option<State>,
    expected: Expected,
}

/// The recorded facts of one state, numbers included.
#[derive(Debug, Clone, Default)]
struct State {
    person: Profile,
    household: Option<Profile>,
    commune: Profile,
    /// What is not categorical, of any subject.
    numbers: Profile,
    province: Option<ProvinceCode>,
    former_province: Option<ProvinceCode>,
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
        let (catalogue, bound) = match own_catalogue(&self.0) {
            Ok(own) => own,
            Err(error) => unreachable!("a pack loads only if it binds to its own catalogue: {error}"),
        };
        let policy = Policy {
            pack: self.clone(),
            bound: std::sync::Arc::new(bound),
        };
        self.examples()
            .iter()
            .map(|example| example.run(&policy, &catalogue))
            .collect()
    }
}

/// The catalogue of a registry that adopted nothing but this pack.
fn own_catalogue(pack: &PackData) -> Result<(Catalogue, Bindings), String> {
    let (catalogue, _) = Catalogue::default()
        .adopt(&pack.declaration())
        .map_err(|error| error.to_string())?;
    let bound = bind(pack, &catalogue).map_err(|error| error.to_string())?;
    Ok((catalogue, bound))
}

impl Example {
    fn run(&self, policy: &Policy, catalogue: &Catalogue) -> ExampleResult {
        let expected = self.expected.text();
        let found = match policy.for_month(self.month, self.known_on) {
            Err(error) => error.to_string(),
            Ok(month) => {
                let empty = Profile::default();
                let age = month.age(self.birth);
                let now = self.now.as_ref().map(|state| state.case(age, &empty));
                let before = self
                    .before
                    .as_ref()
                    .map(|state| state.case(age.month_before(), &empty));
                let outcome = month.evaluate(now.as_ref(), before.as_ref());
                self.expected.found(&outcome, catalogue)
            }
        };
        ExampleResult {
            title: self.title.clone(),
            line: self.line,
            passed: expected == found,
            expected,
            found,
        }
    }
}

impl State {
    fn case<'a>(&'a self, age: Age, empty: &'a Profile) -> Case<'a> {
        let default = || match PROVINCE.parse() {
            Ok(code) => code,
            Err(error) => unreachable!("the province of examples is a code: {error}"),
        };
        Case {
            age,
            person: &self.person,
            household: self.household.as_ref(),
            commune: if self.commune.is_empty() {
                empty
            } else {
                &self.commune
            },
            province: self.province.unwrap_or_else(default),
            former_province: self.former_province.unwrap_or_else(default),
            numbers: &self.numbers,
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
        if outcome.status == Status::Error {
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
    items
        .iter()
        .filter_map(|item| {
            let table = super::read::table("example", item, report)?;
            reader.example(table, report)
        })
        .collect()
}

struct Reader<'a> {
    pack: &'a PackData,
    catalogue: &'a Catalogue,
}

impl Reader<'_> {
    fn example(&self, mut table: Table<'_>, report: &mut Report<'_>) -> Option<Example> {
        let span = table.span.clone();
        let line = report.line(span.start);
        let title = table.prose("title", report);
        if let Some(title) = &title {
            table.what = format!("example {title:?}");
        }
        let month = table.month("month", report);
        let known_on = table.optional_date("known_on", report);
        let birth = table.text("birth", report).and_then(|text| {
            let parsed = text.text.parse::<BirthDate>();
            parsed
                .map_err(|error| report.add(text.span, error.to_string()))
                .ok()
        });
        let mut state = State::default();
        self.state(&mut table, &mut state, report);
        let (arrived, left) = (
            table.boolean("arrived", false, report),
            table.boolean("left", false, report),
        );
        let mut before = state.clone();
        if let Some(value) = table.take("before")
            && let Some(mut overlay) = super::read::table("the state before", value, report)
        {
            self.state(&mut overlay, &mut before, report);
            overlay.finish(report);
        }
        let expected = self.expected(&mut table, report);
        table.finish(report);
        let (month, birth) = (month?, birth?);
        if birth.earliest_month() > month {
            report.add(span, format!("born in {birth}, after the month {month}"));
            return None;
        }
        let born_before = birth.earliest_month() < month;
        Some(Example {
            title: title?,
            month,
            known_on: known_on.unwrap_or_else(|| Date::last_of(month)),
            line,
            birth,
            now: (!left).then_some(state),
            before: (!arrived && born_before).then_some(before),
            expected: expected?,
        })
    }

    /// Reads facts into a state, over what it has.
    fn state(&self, table: &mut Table<'_>, state: &mut State, report: &mut Report<'_>) {
        if let Some(sex) = table.optional_text("sex", report) {
            let value = match sex.text {
                "male" => Some(Value::Enum(0)),
                "female" => Some(Value::Enum(1)),
                "unknown" => Some(Value::Unknown),
                _ => None,
            };
            if value.is_none() {
                report.add(sex.span, "expected male, female or unknown");
            }
            state.person.set(builtin::SEX, value);
        }
        for programme in table.texts("enrolled", report) {
            self.enrol(&programme, "active", &mut state.person, report);
        }
        if let Some(value) = table.take("enrolment")
            && let Some(mut states) = super::read::table("enrolment", value, report)
        {
            for (programme, value) in states.rest() {
                let word = scalar(value.get_ref()).unwrap_or_default();
                self.enrol(&programme, &word, &mut state.person, report);
            }
        }
        if let Some(value) = table.take("person") {
            self.facts(
                SubjectKind::Person,
                value,
                &mut state.person,
                &mut state.numbers,
                report,
            );
        }
        if let Some(value) = table.take("household") {
            let household = state.household.get_or_insert_with(Profile::default);
            self.facts(
                SubjectKind::Household,
                value,
                household,
                &mut state.numbers,
                report,
            );
        }
        if let Some(value) = table.take("commune") {
            self.facts(
                SubjectKind::Commune,
                value,
                &mut state.commune,
                &mut state.numbers,
                report,
            );
        }
        for (key, place) in [
            ("province", &mut state.province),
            ("former_province", &mut state.former_province),
        ] {
            if let Some(code) = table.optional_text(key, report) {
                match code.text.parse() {
                    Ok(code) => *place = Some(code),
                    Err(error) => report.add(code.span, error.to_string()),
                }
            }
        }
    }

    fn enrol(&self, programme: &Text<'_>, word: &str, person: &mut Profile, report: &mut Report<'_>) {
        let name = enrolment_attribute_name(programme.text);
        let parsed = self
            .catalogue
            .attribute(SubjectKind::Person, &name)
            .and_then(|attribute| attribute.parse(word).map(|value| (attribute.number, value)));
        match parsed {
            Ok((number, value)) => person.set(number, Some(value)),
            Err(error) => report.add(programme.span.clone(), error.to_string()),
        }
    }

    fn facts(
        &self,
        subject: SubjectKind,
        value: &Spanned<DeValue<'_>>,
        profile: &mut Profile,
        numbers: &mut Profile,
        report: &mut Report<'_>,
    ) {
        let Some(mut facts) = super::read::table("facts", value, report) else {
            return;
        };
        for (name, value) in facts.rest() {
            let attribute = match self.catalogue.attribute(subject, name.text) {
                Ok(attribute) => attribute,
                Err(error) => {
                    report.add(name.span, error.to_string());
                    continue;
                }
            };
            match attribute.parse(&scalar(value.get_ref()).unwrap_or_default()) {
                Ok(parsed) if attribute.kind.is_categorical() => profile.set(attribute.number, Some(parsed)),
                Ok(parsed) => numbers.set(attribute.number, Some(parsed)),
                Err(error) => report.add(value.span(), error.to_string()),
            }
        }
    }

    fn expected(&self, table: &mut Table<'_>, report: &mut Report<'_>) -> Option<Expected> {
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
        let Some(value) = table.take("expect") else {
            let at = table.span.start;
            report.add(
                at..at + 1,
                format!("{}: the key \"expect\" is missing", table.what),
            );
            return None;
        };
        let mut expect = super::read::table("expect", value, report)?;
        let status = expect.choice("status", &STATUSES, None, report);
        let mut lines = self.amounts(&mut expect, "paid", LineKind::Paid, report);
        lines.extend(self.amounts(&mut expect, "held", LineKind::Held, report));
        for programme in expect.texts("error", report) {
            self.programme(&programme, report);
            lines.push((programme.text.to_owned(), LineKind::Error, Dong::ZERO));
        }
        let place = |id: &str| self.pack.programmes.iter().position(|rule| rule.id == id);
        lines.sort_by_key(|(programme, kind, _)| (place(programme), *kind));
        let basis = expect.choice("basis", &BASES, Some(None), report);
        let reason = expect
            .optional_text("reason", report)
            .map(|text| text.text.to_owned());
        let programme = expect.optional_text("programme", report);
        if let Some(programme) = &programme {
            self.programme(programme, report);
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

    fn programme(&self, name: &Text<'_>, report: &mut Report<'_>) {
        let known = || self.pack.programmes.iter().map(|rule| rule.id.as_str());
        if !known().any(|id| id == name.text) {
            report.add_with(
                name.span.clone(),
                format!("the programme {:?} is not declared", name.text),
                did_you_mean(nearest(name.text, known())),
            );
        }
    }

    fn amounts(
        &self,
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
            self.programme(&programme, report);
            match scalar(value.get_ref()).unwrap_or_default().parse::<Dong>() {
                Ok(amount) => lines.push((programme.text.to_owned(), kind, amount)),
                Err(error) => report.add(value.span(), error.to_string()),
            }
        }
        lines
    }
}
