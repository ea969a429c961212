//! `explain`: what a month is for a person, and why.

use clap::Args;
use serde_json::{Value as Json, json};

use super::show::{check_known, moment, nobody};
use crate::cli::Failure;
use crate::cli::database::Database;
use crate::cli::describe::{Describer, Privacy, is_sensitive};
use crate::cli::output::{self, Output, Table};
use crate::entitlement::{Determined, PersonExplanation, RunHeader, ValueBehind};
use crate::policy::{
    AmountExplanation, Basis, Choice, ConditionExplanation, Fault, Lang, Line, LineKind,
    ProgrammeExplanation, StateExplanation, Truth, describe, describe_line,
};
use crate::registry::RegistryView;
use crate::types::{Date, Identifier, Month, PersonNumber, ProgrammeNumber, Sequence, Total};

/// Explains a month.
#[derive(Debug, Args)]
#[command(
    after_help = "If the month was run, the run's result is shown, and worked out again from the law and the facts as they were known to the run. Without a run the answer is what would be.\n\nExamples:\n  ansinh explain national.ansinh 001050000017 2026-06\n  ansinh explain national.ansinh 001050000017 2026-07 --known-on 2026-10-31 --json"
)]
pub struct Explain {
    #[command(flatten)]
    database: Database,
    /// Personal ID or provisional ID
    #[arg(value_name = "PERSON_ID")]
    id: Identifier,
    /// The month
    #[arg(value_name = "MONTH")]
    month: Month,
    /// Without a run: the law as it was known on this day [default: the last day of the month]
    #[arg(long, value_name = "DATE")]
    known_on: Option<Date>,
    /// Without a run: only what was recorded up to this transaction
    #[arg(long, value_name = "SEQ")]
    known_at: Option<u64>,
    /// Explain in Vietnamese
    #[arg(long)]
    vietnamese: bool,
    /// Show also the conditions that are met of programmes that give nothing
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    privacy: Privacy,
}

/// Explains a month of a person in the few words of a demonstration.
pub fn print_brief(
    output: &mut Output,
    view: &RegistryView,
    person: PersonNumber,
    month: Month,
) -> Result<(), Failure> {
    let explained = view.explain(person, month)?;
    let shown = Shown {
        view,
        describer: Describer::new(view, &Privacy::default()),
        explained: &explained,
        lang: Lang::En,
        sensitive: false,
        all: false,
    };
    shown.print(output)
}

/// What stands for a programme that is not shown.
const WITHHELD: &str = "withheld";

impl Explain {
    pub(super) fn run(&self, output: &mut Output) -> Result<(), Failure> {
        let as_of = moment(Some(self.month), self.known_at)?;
        let registry = self.privacy.open(&self.database, &self.id.masked())?;
        let view = registry.begin_read()?;
        check_known(&view, as_of)?;
        let person = view
            .find_person(self.id, as_of.known)?
            .ok_or_else(|| nobody(self.id, as_of))?;
        let explained = view.explain_by(person, self.month, self.known_on, as_of.known)?;
        let shown = Shown {
            view: &view,
            describer: Describer::new(&view, &self.privacy),
            explained: &explained,
            lang: if self.vietnamese { Lang::Vi } else { Lang::En },
            sensitive: self.privacy.sensitive.is_some(),
            all: self.all,
        };
        if output.is_json() {
            output.json(&shown.json(&self.id.to_string())?)
        } else {
            shown.print(output)
        }
    }
}

struct Shown<'e> {
    view: &'e RegistryView,
    describer: Describer<'e>,
    explained: &'e PersonExplanation,
    lang: Lang,
    sensitive: bool,
    all: bool,
}

impl Shown<'_> {
    fn hides(&self, name: &str) -> bool {
        !self.sensitive && is_sensitive(name)
    }

    /// The identifier of a programme, unless it says what is not shown.
    fn programme(&self, number: ProgrammeNumber) -> String {
        match self.view.catalogue().programme_by_number(number) {
            Some(known) if self.hides(&known.name) => WITHHELD.to_owned(),
            Some(known) => known.name.clone(),
            None => number.to_string(),
        }
    }

    fn reason_of(&self, line: &Line) -> String {
        if self.programme(line.programme) == WITHHELD {
            return WITHHELD.to_owned();
        }
        describe_line(line, self.view.catalogue(), self.lang)
    }

    fn primary_reason(&self) -> String {
        let reason = &self.explained.outcome.reason;
        if reason
            .programme()
            .is_some_and(|number| self.programme(number) == WITHHELD)
        {
            return WITHHELD.to_owned();
        }
        describe(reason, self.view.catalogue(), self.lang)
    }

    fn explanation_of(&self, number: ProgrammeNumber) -> Option<&ProgrammeExplanation> {
        self.explained
            .explanation
            .programmes
            .iter()
            .find(|programme| programme.number == number)
    }

    /// The state by which a programme was decided: of a line its basis, otherwise the end of the month.
    fn state_of<'p>(
        &self,
        programme: &'p ProgrammeExplanation,
    ) -> Option<(&'p StateExplanation, &'static str)> {
        let lines = &self.explained.outcome.lines;
        let before = lines
            .iter()
            .any(|line| line.programme == programme.number && line.basis == Basis::EndOfMonthBefore);
        let now = programme
            .end_of_month
            .as_ref()
            .map(|state| (state, "end of month"));
        let earlier = programme
            .end_of_month_before
            .as_ref()
            .map(|state| (state, "end of month before"));
        if before { earlier } else { now.or(earlier) }
    }

    /// The legal sources of a line: of the programme, and of the figures that its amount used.
    fn cites(&self, line: &Line) -> Vec<String> {
        let Some(programme) = self.explanation_of(line.programme) else {
            return Vec::new();
        };
        if self.hides(&programme.id) {
            return Vec::new();
        }
        let mut cites = vec![programme.cite.clone()];
        let amount = self
            .state_of(programme)
            .and_then(|(state, _)| state.amount.as_ref());
        for parameter in amount.iter().flat_map(|amount| &amount.parameters) {
            if !cites.contains(&parameter.value.source) {
                cites.push(parameter.value.source.clone());
            }
        }
        cites
    }

    fn data_as_of(&self) -> Sequence {
        self.explained.data_as_of.min(self.view.newest())
    }

    fn total(&self) -> Total {
        self.explained
            .outcome
            .lines_of(LineKind::Paid)
            .map(|line| line.amount)
            .sum()
    }

    fn print(&self, output: &mut Output) -> Result<(), Failure> {
        let explained = self.explained;
        let mut table = Table::list();
        table.pair("Person", self.describer.id(explained.person.identifier));
        table.pair("Born", explained.person.birth);
        if let Some(death) = explained.person.death {
            table.pair("Died", death);
        }
        if explained.person.entered_in_error {
            table.pair("Record", "entered in error");
        }
        if let Some(into) = explained.person.merged_into {
            table.pair("Record", format!("merged into {}", self.describer.person(into)?));
        }
        table.pair("Month", explained.month);
        table.pair("Status", explained.outcome.status);
        table.pair("Total", self.total());
        table.pair("Reason", self.primary_reason());
        table.pair("Determined", self.determined());
        table.pair("Law known on", explained.law_known_on);
        table.pair("Data as of", self.data_as_of());
        output.table(&table)?;
        self.print_lines(output)?;
        self.print_conditions(output)?;
        self.print_facts(output)
    }

    fn determined(&self) -> String {
        let by = |run: &RunHeader| format!("by run {} {} ({})", run.number, run.id, run.status);
        match &self.explained.determined {
            Determined::WouldBe => "not yet: the month was not run, this is what would be".to_owned(),
            Determined::ByRun(run) => format!("{}; worked out again it is the same", by(run)),
            Determined::ByRunOtherwise { run, evaluated } => {
                let total: Total = evaluated.lines_of(LineKind::Paid).map(|line| line.amount).sum();
                let now = format!("{} {total}", evaluated.status);
                format!(
                    "{}; WORKED OUT AGAIN IT IS DIFFERENT: {now}; verify the registry",
                    by(run)
                )
            }
        }
    }

    fn print_lines(&self, output: &mut Output) -> Result<(), Failure> {
        let mut table = Table::new(&["programme", "line", ">amount", "why", "by"]).titled("Lines");
        for line in &self.explained.outcome.lines {
            table.row([
                self.programme(line.programme),
                kind(line.kind).to_owned(),
                line.amount.to_string(),
                self.reason_of(line),
                self.cites(line).join("; "),
            ]);
        }
        output.table(&table)
    }

    fn print_conditions(&self, output: &mut Output) -> Result<(), Failure> {
        let mut table =
            Table::new(&["programme", "asked", "answer", "because", "by"]).titled("What the law asks");
        for programme in &self.explained.explanation.programmes {
            if self.hides(&programme.id) {
                continue;
            }
            let Some((state, when)) = self.state_of(programme) else {
                continue;
            };
            let brief = programme.choice == Choice::NotEntitled && !self.all;
            for condition in &state.conditions {
                if !brief || stands_in_the_way(condition) {
                    table.row(self.condition_row(&programme.id, condition));
                }
            }
            let enrolled = state
                .enrolment
                .as_ref()
                .filter(|_| !brief || state.qualifies != Ok(Truth::False));
            if let Some(read) = enrolled {
                table.row([&programme.id, "decision", &read.text, when, ""]);
            }
            if brief {
                continue;
            }
            if let Some(amount) = &state.amount {
                table.row(amount_row(&programme.id, amount));
            }
            table.row([
                &programme.id,
                "chosen",
                &self.choice(programme.choice),
                when,
                &programme.group_cite,
            ]);
        }
        output.table(&table)
    }

    fn condition_row(&self, programme: &str, condition: &ConditionExplanation) -> [String; 5] {
        let mut because: Vec<String> = condition
            .reads
            .iter()
            .filter(|read| !self.hides(&read.name))
            .map(|read| format!("{} = {}", read.name, read.text))
            .collect();
        because.extend(
            condition
                .parameters
                .iter()
                .map(|read| format!("{} = {}", read.name, read.value.value)),
        );
        let hidden = condition.reads.iter().any(|read| self.hides(&read.name));
        let asked = match &condition.excludes_by {
            Some(_) => format!("excluded if {}", condition.text),
            None => condition.text.clone(),
        };
        [
            programme.to_owned(),
            if hidden { WITHHELD.to_owned() } else { asked },
            if hidden {
                WITHHELD.to_owned()
            } else {
                truth(condition.truth).to_owned()
            },
            because.join(", "),
            condition.excludes_by.clone().unwrap_or_default(),
        ]
    }

    fn choice(&self, choice: Choice) -> String {
        match choice {
            Choice::NotEntitled => "no: not entitled".to_owned(),
            Choice::Paid => "yes: paid".to_owned(),
            Choice::PaidAndHeld => "yes: paid, and more is held".to_owned(),
            Choice::Held => "held".to_owned(),
            Choice::Fault(fault) => fault_word(fault).to_owned(),
            Choice::LowerThan(other) => format!("no: {} is higher", self.programme(other)),
        }
    }

    fn print_facts(&self, output: &mut Output) -> Result<(), Failure> {
        let mut table =
            Table::new(&["fact", "value", "from", ">recorded", "document"]).titled("Facts that were read");
        let mut without = Vec::new();
        for behind in &self.explained.values {
            match self.fact_row(behind)? {
                Some(row) if behind.record.is_some() => table.row(row),
                Some([fact, ..]) => without.push(fact),
                None => {}
            }
        }
        output.table(&table)?;
        if output.is_terminal() && !without.is_empty() {
            output.line(format_args!("Nothing is on record of {}.", without.join(", ")))?;
        }
        Ok(())
    }

    fn fact_row(&self, behind: &ValueBehind) -> Result<Option<[String; 5]>, Failure> {
        let Some(attribute) = self.view.catalogue().attribute_by_number(behind.attribute) else {
            return Ok(None);
        };
        if self.hides(&attribute.name) {
            return Ok(None);
        }
        let value = match behind.value {
            Some(value) => self.describer.value(attribute, value)?,
            None => attribute.text(attribute.absent),
        };
        let record = behind.record.as_ref();
        Ok(Some([
            format!("{}.{}", behind.subject, attribute.name),
            value,
            record.map_or_else(String::new, |record| record.from.to_string()),
            record.map_or_else(String::new, |record| record.recorded.get().to_string()),
            behind.document().unwrap_or_default().to_owned(),
        ]))
    }

    fn json(&self, asked: &str) -> Result<Json, Failure> {
        let explained = self.explained;
        let lines: Vec<Json> = explained
            .outcome
            .lines
            .iter()
            .map(|line| {
                json!({
                    "programme": self.programme(line.programme),
                    "kind": kind(line.kind),
                    "amount": output::amount(line.amount),
                    "reason": self.reason_of(line),
                    "cite": self.cites(line),
                })
            })
            .collect();
        let mut facts = Vec::new();
        for behind in &explained.values {
            let record = behind.record.as_ref();
            if let Some([fact, value, _, _, document]) = self.fact_row(behind)? {
                facts.push(json!({
                    "fact": fact,
                    "value": value,
                    "from": record.map(|record| record.from.to_string()),
                    "recorded": record.map(|record| record.recorded.get()),
                    "document": document,
                }));
            }
        }
        let (run, agrees) = match &explained.determined {
            Determined::WouldBe => (None, None),
            Determined::ByRun(run) => (Some(run.number), Some(true)),
            Determined::ByRunOtherwise { run, .. } => (Some(run.number), Some(false)),
        };
        Ok(json!({
            "person": asked,
            "birth": explained.person.birth.to_string(),
            "death": explained.person.death.map(|date| date.to_string()),
            "month": explained.month.to_string(),
            "status": explained.outcome.status.to_string(),
            "total": output::total(self.total()),
            "lines": lines,
            "reasons": self.reasons(),
            "facts": facts,
            "run": run,
            "run_agrees": agrees,
            "law_known_on": explained.law_known_on.to_string(),
            "data_as_of": self.data_as_of().get(),
        }))
    }

    /// The primary reason, then of each programme that is not paid what stood in its way.
    fn reasons(&self) -> Vec<Json> {
        let primary = &self.explained.outcome.reason;
        let mut reasons = vec![json!({
            "code": primary.code(),
            "programme": primary.programme().map(|number| self.programme(number)),
            "text": self.primary_reason(),
        })];
        for programme in &self.explained.explanation.programmes {
            if self.hides(&programme.id) || matches!(programme.choice, Choice::Paid) {
                continue;
            }
            if let Choice::LowerThan(_) = programme.choice {
                let text = self.choice(programme.choice);
                reasons.push(json!({ "code": "lower", "programme": programme.id, "text": text, "cite": programme.group_cite }));
                continue;
            }
            let Some((state, _)) = self.state_of(programme) else {
                continue;
            };
            for condition in state
                .conditions
                .iter()
                .filter(|condition| stands_in_the_way(condition))
            {
                let [_, asked, answer, because, cite] = self.condition_row(&programme.id, condition);
                reasons.push(json!({
                    "code": "condition",
                    "programme": programme.id,
                    "text": format!("{asked}: {answer}"),
                    "because": because,
                    "cite": if cite.is_empty() { &programme.cite } else { &cite },
                }));
            }
        }
        reasons
    }
}

pub(super) fn amount_row(programme: &str, amount: &AmountExplanation) -> [String; 5] {
    let parameters: Vec<String> = amount
        .parameters
        .iter()
        .map(|read| format!("{} = {}", read.name, read.value.value))
        .collect();
    let came_to = match &amount.amount {
        Ok((least, Some(most))) if least == most => least.to_string(),
        Ok((least, Some(most))) => format!("{least} to {most}"),
        Ok((least, None)) => format!("{least} or more"),
        Err(fault) => fault_word(*fault).to_owned(),
    };
    [
        programme.to_owned(),
        amount.text.clone(),
        came_to,
        parameters.join(", "),
        String::new(),
    ]
}

/// A condition must hold, an exclusion must not.
fn stands_in_the_way(condition: &ConditionExplanation) -> bool {
    let wanted = if condition.excludes_by.is_some() {
        Truth::False
    } else {
        Truth::True
    };
    condition.truth != Ok(wanted)
}

pub(super) const fn kind(kind: LineKind) -> &'static str {
    match kind {
        LineKind::Paid => "paid",
        LineKind::Held => "held",
        LineKind::Error => "error",
    }
}

pub(super) const fn truth(truth: Result<Truth, Fault>) -> &'static str {
    match truth {
        Ok(Truth::True) => "yes",
        Ok(Truth::False) => "no",
        Ok(Truth::Undetermined) => "not known",
        Err(fault) => fault_word(fault),
    }
}

pub(super) const fn fault_word(fault: Fault) -> &'static str {
    match fault {
        Fault::Overflow => "a number is too great",
        Fault::Fraction => "not a whole number of đồng",
        Fault::Negative => "below zero",
        Fault::UnfitValue => "a value of the wrong type",
        Fault::DivisionByZero => "a division by zero",
        Fault::NoRow => "the table has no such row",
    }
}
