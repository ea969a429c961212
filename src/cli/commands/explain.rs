//! `explain`: what a month is for a person, and why.

mod json;
mod text;

use clap::{Args, ValueEnum};

use super::show::{check_known, moment, nobody};
use crate::cli::Failure;
use crate::cli::database::Database;
use crate::cli::describe::{Describer, Privacy, is_sensitive};
use crate::cli::output::Output;
use crate::entitlement::{Determined, PersonExplanation, ValueBehind};
use crate::kernel::catalogue::{EnrolmentState, builtin};
use crate::policy::words::Words;
use crate::policy::{
    Basis, Choice, ConditionExplanation, Event, Lang, Line, LineKind, ProgrammeExplanation, Read,
    StateExplanation, Truth,
};
use crate::registry::RegistryView;
use crate::types::{
    AttributeNumber, Date, Identifier, Month, PersonNumber, ProgrammeNumber, Sequence, Total, Value,
};

/// Explains a month.
#[derive(Debug, Args)]
#[command(
    after_help = "If the month was run, the run's result is shown, and worked out again from the law and the facts as they were known to the run. Without a run the answer is what would be.\n\nExamples:\n  ansinh explain national.ansinh 001050000017 2026-06\n  ansinh explain national.ansinh 001050000017 2026-06 --lang vi\n  ansinh explain national.ansinh 001050000017 2026-07 --known-on 2026-10-31 --json"
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
    /// The language of the explanation
    #[arg(long, value_name = "LANGUAGE", value_enum, default_value_t = Language::En)]
    lang: Language,
    /// Show also the conditions of the programmes that do not apply
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    privacy: Privacy,
}

/// A language in which a month is explained.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Language {
    /// Vietnamese
    Vi,
    /// English
    En,
}

impl From<Language> for Lang {
    fn from(language: Language) -> Self {
        match language {
            Language::Vi => Self::Vi,
            Language::En => Self::En,
        }
    }
}

/// Explains a month of a person in a demonstration.
pub fn print_brief(
    output: &mut Output,
    view: &RegistryView,
    person: PersonNumber,
    month: Month,
) -> Result<(), Failure> {
    let explained = view.explain(person, month)?;
    Shown::new(view, &explained, &Privacy::default(), Lang::En, false).print(output)
}

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
        let shown = Shown::new(&view, &explained, &self.privacy, self.lang.into(), self.all);
        if output.is_json() {
            output.json(&shown.json(&self.id.to_string())?)
        } else {
            shown.print(output)
        }
    }
}

/// An explanation, and how much of it is shown in which language.
struct Shown<'e> {
    view: &'e RegistryView,
    describer: Describer<'e>,
    explained: &'e PersonExplanation,
    words: Words<'e>,
    all: bool,
}

/// The state by which a programme was decided, and the month at whose end it was.
struct Decisive<'p> {
    state: &'p StateExplanation,
    month: Month,
}

impl<'e> Shown<'e> {
    fn new(
        view: &'e RegistryView,
        explained: &'e PersonExplanation,
        privacy: &Privacy,
        lang: Lang,
        all: bool,
    ) -> Self {
        let mut words = Words::new(&explained.policy, lang);
        if privacy.sensitive.is_none() {
            words = words.hiding(is_sensitive);
        }
        Self {
            view,
            describer: Describer::new(view, privacy),
            explained,
            words,
            all,
        }
    }

    fn lang(&self) -> Lang {
        self.words.lang()
    }

    fn pick<'t>(&self, vi: &'t str, en: &'t str) -> &'t str {
        match self.lang() {
            Lang::Vi => vi,
            Lang::En => en,
        }
    }

    fn programmes(&self) -> &'e [ProgrammeExplanation] {
        &self.explained.explanation.programmes
    }

    fn explanation_of(&self, number: ProgrammeNumber) -> Option<&'e ProgrammeExplanation> {
        let mut programmes = self.programmes().iter();
        programmes.find(|programme| programme.number == number)
    }

    fn lines_of(&self, programme: ProgrammeNumber) -> impl Iterator<Item = &'e Line> {
        let lines = self.explained.outcome.lines.iter();
        lines.filter(move |line| line.programme == programme)
    }

    /// The state by which a programme was decided: of a line its basis, otherwise the end of the month.
    fn decisive(&self, programme: &'e ProgrammeExplanation) -> Option<Decisive<'e>> {
        let month = self.explained.month;
        let by_before = self
            .lines_of(programme.number)
            .any(|line| line.basis == Basis::EndOfMonthBefore);
        let now = || {
            programme
                .end_of_month
                .as_ref()
                .map(|state| Decisive { state, month })
        };
        let before = || {
            let state = programme.end_of_month_before.as_ref()?;
            let month = month.previous()?;
            Some(Decisive { state, month })
        };
        if by_before {
            before()
        } else {
            now().or_else(before)
        }
    }

    /// Whether an officer would look at a programme: it gives something, would give it if another did not give more, or
    /// there is a decision or the conditions may be met.
    fn matters(&self, programme: &'e ProgrammeExplanation) -> bool {
        if programme.choice != Choice::NotEntitled {
            return true;
        }
        let Some(Decisive { state, .. }) = self.decisive(programme) else {
            return false;
        };
        // What is paid once on a death is no matter of the living.
        if programme.once == Some(Event::Death) && programme.end_of_month.is_some() {
            return false;
        }
        let decided = state.enrolment.iter().chain(&state.earlier).any(|read| {
            const NONE: Value = Value::Enum(EnrolmentState::None as u16);
            const ENDED: Value = Value::Enum(EnrolmentState::Ended as u16);
            read.value != NONE && read.value != ENDED
        });
        decided || state.qualifies != Ok(Truth::False) || (Self::excluded(state) && state.enrolment.is_none())
    }

    /// Whether the conditions hold and an exclusion does too.
    fn excluded(state: &StateExplanation) -> bool {
        let (exclusions, conditions): (Vec<_>, Vec<_>) = state
            .conditions
            .iter()
            .partition(|condition| condition.excludes_by.is_some());
        let widened = conditions
            .iter()
            .any(|condition| condition.widens_by.is_some() && condition.truth == Ok(Truth::True));
        let all = conditions
            .iter()
            .all(|condition| condition.widens_by.is_some() || condition.truth == Ok(Truth::True));
        (all || widened)
            && exclusions
                .iter()
                .any(|condition| condition.truth == Ok(Truth::True))
    }

    fn data_as_of(&self) -> Sequence {
        self.explained.data_as_of.min(self.view.newest())
    }

    fn total(&self) -> Total {
        let paid = self.explained.outcome.lines_of(LineKind::Paid);
        paid.map(|line| line.amount).sum()
    }

    /// What stands behind a value that was read at the end of a month.
    fn behind(&self, attribute: AttributeNumber, month: Month) -> Option<&'e ValueBehind> {
        let of = |wanted: Option<Month>| {
            let mut values = self.explained.values.iter();
            values.find(|behind| {
                behind.attribute == attribute && wanted.is_none_or(|wanted| behind.month == wanted)
            })
        };
        of(Some(month)).or_else(|| of(None))
    }

    /// The attribute whose record stands behind a read: an age rests on the birth date, a province on the residence.
    fn rests_on(read: &Read) -> Option<AttributeNumber> {
        match (read.attribute, &read.group) {
            (_, Some(_)) => None,
            (None, None) => Some(builtin::RESIDENCE),
            (attribute, None) => attribute,
        }
    }

    /// The value of a fact: as the words have it, but people by their IDs.
    fn value_of(&self, read: &Read) -> Result<(String, String), Failure> {
        let (title, value) = self.words.read(read);
        match read.value {
            Value::Person(person) if value != self.words.withheld() => {
                Ok((title, self.describer.person(person)?))
            }
            _ => Ok((title, value)),
        }
    }

    /// The legal sources of a line: of the programme, and of the figures that its amount used.
    fn cites(&self, line: &Line) -> Vec<String> {
        let Some(programme) = self.explanation_of(line.programme) else {
            return Vec::new();
        };
        if self.words.hides_programme(line.programme) {
            return Vec::new();
        }
        let mut cites = vec![programme.cite.clone()];
        let amount = self
            .decisive(programme)
            .and_then(|decisive| decisive.state.amount.as_ref());
        for parameter in amount.iter().flat_map(|amount| &amount.parameters) {
            if !cites.contains(&parameter.value.source) {
                cites.push(parameter.value.source.clone());
            }
        }
        cites
    }

    /// Why a line stands.
    fn reason_of(&self, line: &Line) -> String {
        if self.words.hides_programme(line.programme) {
            return self.words.withheld().to_owned();
        }
        self.words.line(line)
    }

    /// The primary reason, unless it says what is not shown.
    fn primary_reason(&self) -> String {
        let reason = &self.explained.outcome.reason;
        let named = reason.programme();
        if named.is_some_and(|number| self.words.hides_programme(number)) {
            return self.words.withheld().to_owned();
        }
        self.words.reason(reason)
    }

    const fn run_number(&self) -> (Option<u32>, Option<bool>) {
        match &self.explained.determined {
            Determined::WouldBe => (None, None),
            Determined::ByRun(run) => (Some(run.number), Some(true)),
            Determined::ByRunOtherwise { run, .. } => (Some(run.number), Some(false)),
        }
    }
}

/// A condition must hold, an exclusion must not; a provincial condition widens and stands in nobody's way.
fn stands_in_the_way(condition: &ConditionExplanation) -> bool {
    let wanted = if condition.excludes_by.is_some() {
        Truth::False
    } else {
        Truth::True
    };
    condition.widens_by.is_none() && condition.truth != Ok(wanted)
}

pub(super) const fn kind(kind: LineKind) -> &'static str {
    match kind {
        LineKind::Paid => "paid",
        LineKind::Held => "held",
        LineKind::Error => "error",
    }
}
