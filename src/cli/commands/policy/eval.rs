//! `policy eval`: what a month comes to for the people of a case that stands in a file.

use std::fs::File;
use std::io::{Error, ErrorKind, Read as _};
use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::{Value as Json, json};

use super::{Source, When, unreadable, used};
use crate::cli::Failure;
use crate::cli::commands::explain::{Language, kind};
use crate::cli::output::{self, Output, Table};
use crate::kernel::catalogue::{Catalogue, ENROLMENT_STATES, enrolment_attribute_name};
use crate::policy::{
    self, AmountExplanation, Basis, Choice, Competitor, ConditionExplanation, Event, Explanation, Fault,
    Lang, Line, LineKind, MemberExplanation, Outdone, Pack, ParameterRead, ProgrammeExplanation, Reason,
    StateExplanation, Truth, describe, describe_line,
};
use crate::types::{Dong, ProgrammeNumber, Total};

/// The longest file of a case, in bytes.
const CASE_BYTES_MAX: u64 = 1 << 20;
/// How many decisions that there are not are listed one by one.
const DECISIONS_LISTED_MAX: usize = 3;

/// Evaluates a case.
#[derive(Debug, Args)]
#[command(
    after_help = "A case is written like an example of a pack, without title, month and expect:\n\n  birth = \"1990-05-17\"\n  person = { disability = \"severe\" }\n  enrolled = [\"disability\"]\n\nor for several people of a household:\n\n  household = { poverty = \"poor\" }\n  province = \"01\"\n  people = [\n    { name = \"mother\", birth = \"1990-05-17\", person = { single_parent = true }, enrolled = [\"single_parent\"] },\n    { name = \"child\", birth = \"2020-03-02\", person = { guardian = \"mother\" } },\n  ]\n\nExamples:\n  ansinh policy eval vn case.toml --month 2026-06\n  ansinh policy eval vn case.toml --month 2026-07 --known-on 2026-10-05 --json\n  ansinh policy eval vn case.toml --month 2021-10 --campaign resolution_116"
)]
pub struct Eval {
    #[command(flatten)]
    source: Source,
    /// The case: a .toml file
    #[arg(value_name = "CASE")]
    case: PathBuf,
    #[command(flatten)]
    when: When,
    /// Evaluate this campaign instead of the month
    #[arg(long, value_name = "NAME")]
    campaign: Option<String>,
    /// Show every programme, also those that do not concern the person
    #[arg(long)]
    all: bool,
    /// The language of the reasons
    #[arg(long, value_name = "LANGUAGE", value_enum, default_value_t = Language::En)]
    lang: Language,
}

impl Eval {
    pub(super) fn run(&self, output: &mut Output) -> Result<(), Failure> {
        let pack = self.source.load()?;
        let file = self.case.display().to_string();
        let text = read_text(&self.case)
            .map_err(|error| unreadable(&file, &error, "a case in the form of an example of a pack"))?;
        let (month, known_on) = (self.when.month, self.when.known_on());
        let people = pack
            .read_case(&file, &text, month)
            .map_err(|errors| Failure::No(errors.to_string()))?;
        let (policy, catalogue) = pack.alone();
        let policy = match &self.campaign {
            Some(campaign) => policy.for_campaign(month, known_on, campaign),
            None => policy.for_month(month, known_on),
        };
        let policy = policy.map_err(Failure::of)?;
        let explained_people = people.evaluate(&policy);
        let shown: Vec<Shown<'_>> = explained_people
            .iter()
            .map(|(name, explained)| Shown {
                name,
                alone: explained_people.len() == 1,
                explained,
                pack: &pack,
                catalogue: &catalogue,
                lang: self.lang.into(),
                all: self.all,
            })
            .collect();
        if output.is_json() {
            return output.json(&shown.iter().map(Shown::json).collect());
        }
        for (place, person) in shown.iter().enumerate() {
            if place > 0 {
                output.line("")?;
            }
            person.print(output)?;
        }
        Ok(())
    }
}

/// The text of a file that is not too long for a case.
fn read_text(path: &Path) -> Result<String, Error> {
    let mut bytes = Vec::new();
    File::open(path)?
        .take(CASE_BYTES_MAX + 1)
        .read_to_end(&mut bytes)?;
    if bytes.len() as u64 > CASE_BYTES_MAX {
        return Err(Error::other(format!("it has more than {CASE_BYTES_MAX} bytes")));
    }
    String::from_utf8(bytes).map_err(|error| Error::new(ErrorKind::InvalidData, error))
}

/// One person of the case.
struct Shown<'e> {
    name: &'e str,
    /// Whether it is the only one.
    alone: bool,
    explained: &'e Explanation,
    pack: &'e Pack,
    catalogue: &'e Catalogue,
    lang: Lang,
    all: bool,
}

/// A programme with the state that decided it.
type Considered<'e> = (&'e ProgrammeExplanation, &'e StateExplanation, Basis);

impl<'e> Shown<'e> {
    fn programme(&self, number: ProgrammeNumber) -> String {
        let known = self.catalogue.programme_by_number(number);
        known.map_or_else(|| number.to_string(), |known| known.name.clone())
    }

    fn total(&self, kind: LineKind) -> Total {
        self.explained
            .outcome
            .lines_of(kind)
            .map(|line| line.amount)
            .sum()
    }

    fn reason(&self) -> String {
        describe(&self.explained.outcome.reason, self.catalogue, self.lang)
    }

    /// The state by which a programme was decided: of a line its basis, otherwise the last one that there is.
    fn state_of(&self, programme: &'e ProgrammeExplanation) -> Option<(&'e StateExplanation, Basis)> {
        let lines = &self.explained.outcome.lines;
        let by_before = lines
            .iter()
            .any(|line| line.programme == programme.number && line.basis == Basis::EndOfMonthBefore);
        let now = programme
            .end_of_month
            .as_ref()
            .map(|state| (state, Basis::EndOfMonth));
        let before = programme
            .end_of_month_before
            .as_ref()
            .map(|state| (state, Basis::EndOfMonthBefore));
        if by_before { before } else { now.or(before) }
    }

    /// Whether a programme pays only on a death, and the person is alive.
    fn waits_for_death(&self, programme: &ProgrammeExplanation) -> bool {
        let rule = self.pack.programmes().iter().find(|rule| rule.id == programme.id);
        programme.end_of_month.is_some() && rule.is_some_and(|rule| rule.once == Some(Event::Death))
    }

    /// The programmes that concern the person, or all.
    fn considered(&self) -> Vec<Considered<'e>> {
        // Of somebody whom the campaign paid before nothing else was asked.
        if matches!(self.explained.outcome.reason, Reason::AlreadyPaid(_)) {
            return Vec::new();
        }
        let programmes = self.explained.programmes.iter();
        programmes
            .filter_map(|programme| {
                let (state, basis) = self.state_of(programme)?;
                let named = self.explained.outcome.reason.programme() == Some(programme.number);
                let concerns = programme.choice != Choice::NotEntitled || named || concerns(state);
                (concerns && !self.waits_for_death(programme) || self.all)
                    .then_some((programme, state, basis))
            })
            .collect()
    }

    /// The legal sources of a line: of the programme, and of the figures that its amount used.
    fn cites(&self, line: &Line) -> Vec<String> {
        let found = self
            .explained
            .programmes
            .iter()
            .find(|known| known.number == line.programme);
        let Some(programme) = found else {
            return Vec::new();
        };
        let mut cites = vec![programme.cite.clone()];
        let amount = self
            .state_of(programme)
            .and_then(|(state, _)| state.amount.as_ref());
        for read in amount.iter().flat_map(|amount| &amount.parameters) {
            if !cites.contains(&read.value.source) {
                cites.push(read.value.source.clone());
            }
        }
        cites
    }

    fn json(&self) -> Json {
        let lines = self.explained.outcome.lines.iter().map(|line| {
            json!({
                "programme": self.programme(line.programme),
                "amount": output::amount(line.amount),
                "kind": kind(line.kind),
                "basis": basis_code(line.basis),
                "reason": describe_line(line, self.catalogue, self.lang),
                "cite": self.cites(line),
            })
        });
        json!({
            "name": self.name,
            "month": self.explained.month.to_string(),
            "law_known_on": self.explained.law_known_on.to_string(),
            "status": self.explained.outcome.status.to_string(),
            "total": output::total(self.total(LineKind::Paid)),
            "held": output::total(self.total(LineKind::Held)),
            "lines": lines.collect::<Vec<_>>(),
            "reasons": self.reasons(),
            "programmes": self.considered().into_iter().map(considered_json).collect::<Vec<_>>(),
        })
    }

    /// The primary reason, then of each programme that concerns the person and is not paid in full what stands in its
    /// way.
    fn reasons(&self) -> Vec<Json> {
        let primary = &self.explained.outcome.reason;
        let mut reasons = vec![json!({
            "code": primary.code(),
            "programme": primary.programme().map(|number| self.programme(number)),
            "text": self.reason(),
        })];
        for line in &self.explained.outcome.lines {
            if line.kind != LineKind::Paid {
                let programme = self.programme(line.programme);
                let text = describe_line(line, self.catalogue, self.lang);
                reasons.push(json!({ "code": kind(line.kind), "programme": programme, "text": text }));
            }
        }
        for (programme, state, _) in self.considered() {
            let of = &programme.id;
            match programme.choice {
                Choice::LowerThan(_) => {
                    let text = self.choice(programme);
                    let outdone = self.explained.outdone(programme.number);
                    let group = outdone
                        .as_ref()
                        .map_or(&programme.group, |outdone| &outdone.group.name);
                    reasons.push(json!({
                        "code": "lower",
                        "programme": of,
                        "text": text,
                        "group": group,
                        "by": outdone.as_ref().map(|outdone| self.outdone_json(outdone)),
                        "exception": outdone.as_ref().and_then(|outdone| outdone.group.exception.as_ref()),
                        "cite": self.choice_cite(programme),
                    }));
                }
                Choice::NotEntitled => {
                    for condition in obstacles(state) {
                        let text = format!("{}: {}", asked(condition), truth(condition.truth));
                        let because = because(&condition.reads, &condition.parameters);
                        let cite = cite_of(condition).unwrap_or(&programme.cite);
                        reasons.push(json!({ "code": "condition", "programme": of, "text": text, "because": because, "cite": cite }));
                    }
                    if state.qualifies != Ok(Truth::False) && state.entitled == Ok(Truth::False) {
                        let text = format!("decision: {}", decision(state));
                        reasons.push(json!({ "code": "decision", "programme": of, "text": text }));
                    }
                }
                Choice::Paid | Choice::PaidAndHeld | Choice::Held | Choice::Fault(_) => {}
            }
        }
        reasons
    }

    fn print(&self, output: &mut Output) -> Result<(), Failure> {
        let mut table = Table::list();
        if !self.alone || self.name != "1" {
            table.pair("Person", self.name);
        }
        table.pair(
            "Month",
            format_args!(
                "{}, by the law known on {}",
                self.explained.month, self.explained.law_known_on
            ),
        );
        table.pair("Status", self.explained.outcome.status);
        table.pair("Total", self.total(LineKind::Paid));
        let held = self.total(LineKind::Held);
        if held != Total::default() {
            table.pair("Held at most", held);
        }
        table.pair("Reason", self.reason());
        output.table(&table)?;
        let mut table = Table::new(&["programme", "line", ">amount", "why", "by"]).titled("Lines");
        for line in &self.explained.outcome.lines {
            table.row([
                self.programme(line.programme),
                kind(line.kind).to_owned(),
                line.amount.to_string(),
                describe_line(line, self.catalogue, self.lang),
                self.cites(line).join("; "),
            ]);
        }
        output.table(&table)?;
        self.print_considered(output)
    }

    fn print_considered(&self, output: &mut Output) -> Result<(), Failure> {
        let mut table =
            Table::new(&["programme", "asked", "answer", "because", "by"]).titled("What the law asks");
        for (programme, state, basis) in self.considered() {
            let id = programme.id.as_str();
            for (place, condition) in state.conditions.iter().enumerate() {
                let (asked, because) = (asked(condition), brief(&condition.reads, &condition.parameters));
                let own = if place == 0 { programme.cite.as_str() } else { "" };
                let cite = cite_of(condition).map_or(own, String::as_str);
                table.row([id, &asked, truth(condition.truth), &because, cite]);
            }
            if state.enrolment.is_some() {
                table.row([id, "decision", &decision(state), "", ""]);
            }
            if let Some(amount) = &state.amount {
                let because = brief(&amount.reads, &amount.parameters);
                table.row([id, &amount.text, &came_to(amount), &because, ""]);
            }
            let choice = self.choice(programme);
            table.row([
                id,
                "chosen",
                &choice,
                basis_text(basis),
                self.choice_cite(programme),
            ]);
        }
        if table.is_empty() && self.explained.outcome.reason == Reason::NoProgramme {
            return output.line(if self.explained.programmes.is_empty() {
                "No programme of the pack is in force in this month by this law date."
            } else {
                "No programme concerns this person; --all shows what each of them asks."
            });
        }
        output.table(&table)
    }

    fn choice(&self, programme: &ProgrammeExplanation) -> String {
        match programme.choice {
            Choice::NotEntitled => "no: not entitled".to_owned(),
            Choice::Paid => "yes: paid".to_owned(),
            Choice::PaidAndHeld => "yes: paid, and more is held".to_owned(),
            Choice::Held => "held".to_owned(),
            Choice::Fault(fault) => fault_word(fault).to_owned(),
            Choice::LowerThan(other) => match self.explained.outdone(programme.number) {
                Some(outdone) => self.outdone(&outdone),
                None => format!("no: {} is higher", self.programme(other)),
            },
        }
    }

    /// What a group chose instead of a programme, with the sums where several are added, and the group.
    fn outdone(&self, outdone: &Outdone<'_>) -> String {
        let chosen = outdone.by.iter().flat_map(|member| member.chosen_programmes());
        let chosen: Vec<(ProgrammeNumber, Option<Dong>)> = chosen.collect();
        let one = |(number, most): &(ProgrammeNumber, Option<Dong>)| match most {
            Some(most) if chosen.len() > 1 => format!("{} {most}", self.programme(*number)),
            _ => self.programme(*number),
        };
        let named: Vec<String> = chosen.iter().map(one).collect();
        let sum: Option<Total> = chosen.iter().map(|(_, most)| *most).sum();
        let total = match sum {
            Some(sum) if chosen.len() > 1 => format!(" = {sum}"),
            _ => String::new(),
        };
        format!(
            "no: {}{total} is higher in the group {}",
            named.join(" + "),
            outdone.group.name
        )
    }

    fn outdone_json(&self, outdone: &Outdone<'_>) -> Vec<Json> {
        let member = |member: &&MemberExplanation| {
            let programmes = member.chosen_programmes().into_iter();
            json!({
                "group": match &member.what {
                    Competitor::Group(group) => Some(&group.name),
                    Competitor::Programme(_) => None,
                },
                "programmes": programmes.map(|(number, _)| self.programme(number)).collect::<Vec<_>>(),
                "most": member.most.map(Dong::get),
            })
        };
        outdone.by.iter().map(member).collect()
    }

    /// The source of the rule that decided what became of a programme.
    fn choice_cite<'p>(&'p self, programme: &'p ProgrammeExplanation) -> &'p str {
        let outdone = self.explained.outdone(programme.number);
        outdone.map_or(&programme.group_cite, |outdone| &outdone.group.cite)
    }
}

/// Whether a programme by itself concerns a person: a decision is on record, or the conditions may hold, even if something
/// excludes.
fn concerns(state: &StateExplanation) -> bool {
    let decided = state
        .enrolment
        .iter()
        .any(|read| read.text != ENROLMENT_STATES[0]);
    decided || may_hold(state) != Ok(Truth::False)
}

/// Whether the conditions hold, exclusions aside: all of the programme's own, or one of a province.
fn may_hold(state: &StateExplanation) -> Result<Truth, Fault> {
    let own = state
        .conditions
        .iter()
        .filter(|condition| condition.excludes_by.is_none() && condition.widens_by.is_none());
    let provincial = state
        .conditions
        .iter()
        .filter(|condition| condition.widens_by.is_some());
    let mut truth = Ok(Truth::True);
    for condition in own {
        truth = match (truth, condition.truth) {
            (Ok(Truth::False), _) | (_, Ok(Truth::False)) => Ok(Truth::False),
            (Err(fault), _) | (_, Err(fault)) => Err(fault),
            (Ok(a), Ok(b)) => Ok(a.min(b)),
        };
    }
    for condition in provincial {
        truth = match (truth, condition.truth) {
            (Ok(Truth::True), _) | (_, Ok(Truth::True)) => Ok(Truth::True),
            (Err(fault), _) | (_, Err(fault)) => Err(fault),
            (Ok(a), Ok(b)) => Ok(a.max(b)),
        };
    }
    truth
}

/// The conditions that are not met and the exclusions that are, or may be.
fn obstacles(state: &StateExplanation) -> impl Iterator<Item = &ConditionExplanation> {
    let met = may_hold(state) == Ok(Truth::True);
    state.conditions.iter().filter(move |condition| {
        if condition.excludes_by.is_some() {
            condition.truth != Ok(Truth::False)
        } else {
            !met && condition.truth != Ok(Truth::True)
        }
    })
}

fn asked(condition: &ConditionExplanation) -> String {
    match (&condition.excludes_by, &condition.widens_by) {
        (Some(_), _) => format!("excluded if {}", condition.text),
        (None, Some(_)) => format!("or in this province {}", condition.text),
        (None, None) => condition.text.clone(),
    }
}

fn cite_of(condition: &ConditionExplanation) -> Option<&String> {
    condition.excludes_by.as_ref().or(condition.widens_by.as_ref())
}

/// What was read.
fn because(reads: &[policy::Read], parameters: &[ParameterRead]) -> String {
    let reads = reads.iter().map(|read| format!("{} = {}", read.name, read.text));
    let all: Vec<String> = reads.chain(parameters.iter().map(used)).collect();
    all.join(", ")
}

/// What was read, for people: many decisions that there are not are only counted.
fn brief(reads: &[policy::Read], parameters: &[ParameterRead]) -> String {
    let is_none = |read: &policy::Read| is_enrolment(read) && read.text == ENROLMENT_STATES[0];
    let missing = reads.iter().filter(|read| is_none(read)).count();
    if missing <= DECISIONS_LISTED_MAX {
        return because(reads, parameters);
    }
    let rest: Vec<policy::Read> = reads.iter().filter(|read| !is_none(read)).cloned().collect();
    let mut all = vec![format!("no decision in {missing} programmes")];
    all.extend(Some(because(&rest, parameters)).filter(|rest| !rest.is_empty()));
    all.join(", ")
}

fn is_enrolment(read: &policy::Read) -> bool {
    read.name.starts_with(&enrolment_attribute_name(""))
}

/// The state of the enrolment, and of those in earlier programmes as far as there are any.
fn decision(state: &StateExplanation) -> String {
    let Some(own) = &state.enrolment else {
        return "not needed".to_owned();
    };
    let earlier = state
        .earlier
        .iter()
        .filter(|read| read.text != ENROLMENT_STATES[0]);
    let earlier: Vec<String> = earlier
        .map(|read| format!("{} = {}", read.name, read.text))
        .collect();
    match &earlier[..] {
        [] if own.text == ENROLMENT_STATES[0] => "none, and one is needed".to_owned(),
        [] => own.text.clone(),
        _ => format!("{}; {}", own.text, earlier.join(", ")),
    }
}

fn considered_json((programme, state, basis): Considered<'_>) -> Json {
    let conditions = state.conditions.iter().map(|condition| {
        json!({
            "text": condition.text,
            "excludes": condition.excludes_by.is_some(),
            "provincial": condition.widens_by.is_some(),
            "answer": truth(condition.truth),
            "because": because(&condition.reads, &condition.parameters),
            "cite": cite_of(condition).unwrap_or(&programme.cite),
        })
    });
    json!({
        "programme": programme.id,
        "cite": programme.cite,
        "choice": choice_code(programme.choice),
        "basis": basis_code(basis),
        "conditions": conditions.collect::<Vec<_>>(),
        "decision": state.enrolment.as_ref().map(|_| decision(state)),
        "qualifies": truth(state.qualifies),
        "entitled": truth(state.entitled),
        "amount": state.amount.as_ref().map(|amount| json!({ "text": amount.text, "because": because(&amount.reads, &amount.parameters) })),
    })
}

const fn choice_code(choice: Choice) -> &'static str {
    match choice {
        Choice::NotEntitled => "not_entitled",
        Choice::Paid => "paid",
        Choice::PaidAndHeld => "paid_and_held",
        Choice::Held => "held",
        Choice::Fault(_) => "error",
        Choice::LowerThan(_) => "lower",
    }
}

const fn basis_code(basis: Basis) -> &'static str {
    match basis {
        Basis::EndOfMonth => "end_of_month",
        Basis::EndOfMonthBefore => "end_of_month_before",
    }
}

const fn basis_text(basis: Basis) -> &'static str {
    match basis {
        Basis::EndOfMonth => "end of month",
        Basis::EndOfMonthBefore => "end of month before",
    }
}

fn came_to(amount: &AmountExplanation) -> String {
    match &amount.amount {
        Ok((least, Some(most))) if least == most => least.to_string(),
        Ok((least, Some(most))) => format!("{least} to {most}"),
        Ok((least, None)) => format!("{least} or more"),
        Err(fault) => fault_word(*fault).to_owned(),
    }
}

const fn truth(truth: Result<Truth, Fault>) -> &'static str {
    match truth {
        Ok(Truth::True) => "yes",
        Ok(Truth::False) => "no",
        Ok(Truth::Undetermined) => "not known",
        Err(fault) => fault_word(fault),
    }
}

const fn fault_word(fault: Fault) -> &'static str {
    match fault {
        Fault::Overflow => "a number is too great",
        Fault::Fraction => "not a whole number of đồng",
        Fault::Negative => "below zero",
        Fault::UnfitValue => "a value of the wrong type",
        Fault::DivisionByZero => "a division by zero",
        Fault::NoRow => "the table has no such row",
    }
}
