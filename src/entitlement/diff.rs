//! Two packs over the same people: who would gain, who would lose, and how much. Nothing is written.
//!
//! Every worker looks each row up in both packs' decision tables and counts pairs of outcomes. All that is said of
//! people is then said of pairs, of which there are few.

mod assemble;
mod compare;

use rustc_hash::FxHashMap;
use thiserror::Error;

use super::header::Scope;
use super::run::{WORKERS_MAX, units_in_scope};
use super::worker::Job;
use crate::format::totals::{StatusCounts, Tally};
use crate::kernel::catalogue::{AdoptError, Adoption, Catalogue, SubjectKind, builtin};
use crate::kernel::{ReadError, View};
use crate::policy::{
    BindError, Line, LineKind, MonthPolicy, Outcome, Pack, Policy, PolicyError, ProgrammeRule,
};
use crate::query::crew::{Cancel, WorkError, work};
use crate::query::ground::Ground;

use crate::types::{
    AttributeNumber, Date, Dong, Month, PersonNumber, ProgrammeNumber, ProvinceCode, Sequence, Total,
};
use compare::Comparer;

/// A pack over a registry that need not have adopted it: bound to the catalogue that its adoption would make.
///
/// Attributes that the registry does not have get numbers in that catalogue, and nobody has a record of them, so
/// their absent values hold.
///
/// ```
/// use ansinh::entitlement::Trial;
/// use ansinh::kernel::catalogue::Catalogue;
/// use ansinh::policy::Pack;
/// let trial = Trial::of(&Catalogue::default(), &Pack::vietnam())?;
/// assert!(trial.adoption.added.contains(&"programme elderly_poor".to_owned()));
/// # Ok::<(), ansinh::entitlement::TrialError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Trial {
    /// The pack, bound.
    pub policy: Policy,
    /// The catalogue as it would be.
    pub catalogue: Catalogue,
    /// What the adoption would change.
    pub adoption: Adoption,
}

/// Why a pack cannot be tried.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum TrialError {
    /// The catalogue refuses it.
    #[error(transparent)]
    Adopt(#[from] AdoptError),
    /// Its names are not all in the catalogue.
    #[error(transparent)]
    Bind(#[from] BindError),
}

impl Trial {
    /// Binds a pack to what a catalogue would be if it adopted the pack.
    pub fn of(catalogue: &Catalogue, pack: &Pack) -> Result<Self, TrialError> {
        let (catalogue, adoption) = catalogue.adopt(&pack.declaration())?;
        Ok(Self {
            policy: pack.bind(&catalogue)?,
            catalogue,
            adoption,
        })
    }

    /// How expressions write an attribute.
    fn attribute_name(&self, number: AttributeNumber) -> String {
        match (number, self.catalogue.attribute_by_number(number)) {
            (builtin::BIRTH, _) => "birth".to_owned(),
            (builtin::SEX, _) => "sex".to_owned(),
            (_, Some(known)) if known.subject == SubjectKind::Person => known.name.clone(),
            (_, Some(known)) => format!("{}.{}", known.subject, known.name),
            (_, None) => number.to_string(),
        }
    }
}

/// What to compare, and how much to tell of it.
///
/// ```
/// use ansinh::entitlement::DiffRequest;
/// let request = DiffRequest::monthly("2026-06".parse()?);
/// assert_eq!(request.law_known_on.to_string(), "2026-06-30");
/// # Ok::<(), ansinh::types::MonthError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DiffRequest {
    /// The month.
    pub month: Month,
    /// The law of both packs as known on this day.
    pub law_known_on: Date,
    /// How many of the changes are told, the largest first.
    pub changes_max: usize,
    /// How many people are named as examples of each change.
    pub examples_max: usize,
    /// How many threads work on it.
    pub workers: usize,
    /// Who may cancel it; nobody unless said.
    pub cancel: Option<Cancel>,
}

impl DiffRequest {
    /// A month by the law known on its last day: the ten largest changes, three people for each.
    pub fn monthly(month: Month) -> Self {
        Self {
            month,
            law_known_on: Date::last_of(month),
            changes_max: 10,
            examples_max: 3,
            workers: std::thread::available_parallelism()
                .map_or(1, std::num::NonZero::get)
                .min(WORKERS_MAX),
            cancel: None,
        }
    }

    /// The same request, which [`Cancel::cancel`] ends with [`DiffError::Cancelled`].
    #[must_use]
    pub fn cancelled_by(mut self, cancel: Cancel) -> Self {
        self.cancel = Some(cancel);
        self
    }
}

/// What two packs make of the same people in the same month.
///
/// People are unchanged (the same lines), or gain or lose (more or less is paid in sum), or change otherwise (the same
/// is paid in sum, by other programmes or with other lines held or in error): these four add up to the people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diff {
    /// The month.
    pub month: Month,
    /// The law as known on this day.
    pub law_known_on: Date,
    /// The data as known at this sequence.
    pub data_as_of: Sequence,
    /// The people in scope.
    pub people: u64,
    /// The first pack.
    pub before: Side,
    /// The second pack.
    pub after: Side,
    /// How people change.
    pub moves: Moves,
    /// By programme: those that the first pack pays in the month, in its order, then those that only the second does.
    pub programmes: Vec<ProgrammeDiff>,
    /// By province, ascending.
    pub provinces: Vec<ProvinceDiff>,
    /// The largest groups of people whose lines change alike, the largest first.
    pub changes: Vec<Change>,
    /// How many such groups there are.
    pub changes_in_all: usize,
    /// What the second pack holds or cannot work out of people of whom the first holds nothing, or works all out.
    pub newly: Newly,
}

/// One of two packs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Side {
    /// The pack's identifier and version.
    pub pack: String,
    /// Its hash.
    pub hash: [u8; 32],
    /// People by status.
    pub status: StatusCounts,
    /// The sum of what is paid.
    pub amount: Total,
    /// The sum of what is held.
    pub amount_held: Total,
    /// How many people were evaluated one by one, because their result depends on what they have of their own.
    pub one_by_one: u64,
}

/// How people change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Moves {
    /// People whose lines are the same.
    pub unchanged: u64,
    /// People to whom more is paid in sum, and how much more.
    pub gained: Tally,
    /// People to whom less is paid in sum, and how much less.
    pub lost: Tally,
    /// People to whom the same is paid in sum and whose lines differ.
    pub otherwise: u64,
}

/// A programme by two packs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProgrammeDiff {
    /// Its identifier.
    pub id: String,
    /// Its title in Vietnamese.
    pub title_vi: String,
    /// Its title in English.
    pub title_en: String,
    /// By the first pack.
    pub before: Lines,
    /// By the second pack.
    pub after: Lines,
    /// People to whom it pays more, and how much more.
    pub gained: Tally,
    /// People to whom it pays less, and how much less.
    pub lost: Tally,
}

/// The lines of a programme.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Lines {
    /// Whom it pays, and how much.
    pub paid: Tally,
    /// Of whom it is held, and how much at most.
    pub held: Tally,
    /// For how many it could not be worked out.
    pub error: u64,
}

/// A province by two packs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProvinceDiff {
    /// Its code.
    pub code: ProvinceCode,
    /// What it is called in the month.
    pub name: String,
    /// Its people in scope.
    pub people: u64,
    /// Whom the first pack pays, and how much.
    pub before: Tally,
    /// Whom the second pack pays, and how much.
    pub after: Tally,
    /// How its people change.
    pub moves: Moves,
}

/// People whose lines change alike.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// What the first pack gives each of them; empty for nothing.
    pub before: Vec<LineText>,
    /// What the second pack gives each of them; empty for nothing.
    pub after: Vec<LineText>,
    /// How many they are.
    pub people: u64,
    /// How much more is paid to all of them together; below zero for less.
    pub difference: Total,
    /// Some of them: the first by place in the file.
    pub examples: Vec<PersonNumber>,
}

/// A line in words: a programme and an amount.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct LineText {
    /// The programme's identifier.
    pub programme: String,
    /// Whether it is paid, held or in error.
    pub kind: LineKind,
    /// The amount.
    pub amount: Dong,
}

/// What a second pack holds or cannot work out of people of whom a first one holds nothing, or works all out.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Newly {
    /// People of whom something is held now, and nothing was.
    pub held: u64,
    /// People for whom something cannot be worked out now, and everything could.
    pub error: u64,
    /// Of those held: people by the attribute that is unknown, most first. One person can wait for several.
    pub attributes: Vec<(String, u64)>,
    /// People by programme, most first: held and in error. One person can have lines of several.
    pub programmes: Vec<(String, u64, u64)>,
}

/// Why two packs were not compared.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum DiffError {
    /// The registry could not be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// A pack cannot decide the month.
    #[error("the {which} pack, {pack}, cannot decide the month: {source}")]
    Policy {
        /// `first` or `second`.
        which: &'static str,
        /// Its identifier and version.
        pack: String,
        /// What it lacks.
        source: PolicyError,
    },
    /// A number of threads that cannot be.
    #[error("workers: found {0}, expected 1 to {WORKERS_MAX}")]
    Workers(usize),
    /// The people who change and who do not change do not add up to the people in scope. This must never be.
    #[error(
        "the comparison of {month} does not balance: {people} people are in scope, those who gain, lose, change otherwise or do not change add up to {sum}; report this"
    )]
    Unbalanced {
        /// The month.
        month: Month,
        /// People in scope.
        people: u64,
        /// The sum.
        sum: u64,
    },
    /// A worker panicked.
    #[error("a worker of the comparison stopped with a fault: {0}; report this")]
    WorkerStopped(String),
    /// Somebody cancelled the comparison.
    #[error("the comparison was cancelled; compare again when wanted")]
    Cancelled,
}

impl From<WorkError> for DiffError {
    fn from(error: WorkError) -> Self {
        match error {
            WorkError::Read(error) => Self::Read(error),
            WorkError::Cancelled => Self::Cancelled,
            WorkError::Stopped(text) => Self::WorkerStopped(text),
        }
    }
}

/// Compares two packs over everyone, without writing anything.
///
/// `progress` is called now and then with the number of communes done and the number of all; from several threads.
pub fn diff(
    view: &View,
    before: &Trial,
    after: &Trial,
    request: &DiffRequest,
    progress: &(dyn Fn(usize, usize) + Sync),
) -> Result<Diff, DiffError> {
    if request.workers == 0 || request.workers > WORKERS_MAX {
        return Err(DiffError::Workers(request.workers));
    }
    let first = Seen::of(view, before, request, "first")?;
    let second = Seen::of(view, after, request, "second")?;
    let programmes = Programmes::of([&first.policy, &second.policy]);
    let (first, second) = (first.job(view), second.job(view));
    let units = units_in_scope(view, Scope::Country, request.month, first.known);
    let found = work(
        || Comparer::new(&first, &second, &programmes, request.examples_max),
        (view, &units),
        request.workers,
        progress,
        request.cancel.as_ref(),
    )?;
    assemble::assemble(view, [before, after], programmes, request, found)
}

/// A line as both packs write it: the programme's place among those of both, what it is, and its amount.
type CommonLine = (usize, LineKind, Dong);

/// The programmes that either pack pays in the month, each once: new ones have numbers of their own in each pack's
/// catalogue, so they are told apart by their identifiers.
struct Programmes {
    list: Vec<ProgrammeDiff>,
    places: [FxHashMap<ProgrammeNumber, usize>; 2],
}

impl Programmes {
    fn of(policies: [&MonthPolicy; 2]) -> Self {
        let mut list: Vec<ProgrammeDiff> = Vec::new();
        let places = policies.map(|policy| {
            let programmes = policy.programmes();
            programmes
                .map(|programme| {
                    let known = list.iter().position(|known| known.id == programme.rule.id);
                    let place = known.unwrap_or_else(|| {
                        list.push(ProgrammeDiff::new(programme.rule));
                        list.len() - 1
                    });
                    (programme.number, place)
                })
                .collect()
        });
        Self { list, places }
    }

    /// The lines of an outcome of the first (0) or the second (1) pack, in ascending order. Whether they rest on this
    /// month's state or the last one's makes no difference to what is paid, and is left out.
    fn lines(&self, side: usize, outcome: &Outcome) -> Vec<CommonLine> {
        let place = |line: &Line| self.places[side][&line.programme];
        let lines = outcome.lines.iter();
        let mut lines: Vec<CommonLine> = lines.map(|line| (place(line), line.kind, line.amount)).collect();
        lines.sort_unstable();
        lines
    }
}

impl ProgrammeDiff {
    fn new(rule: &ProgrammeRule) -> Self {
        Self {
            id: rule.id.clone(),
            title_vi: rule.title_vi.clone(),
            title_en: rule.title_en.clone(),
            before: Lines::default(),
            after: Lines::default(),
            gained: Tally::default(),
            lost: Tally::default(),
        }
    }
}

/// What all workers need of one pack.
struct Seen {
    policy: MonthPolicy,
    ground: Ground,
}

impl Seen {
    fn of(view: &View, trial: &Trial, request: &DiffRequest, which: &'static str) -> Result<Self, DiffError> {
        let policy = trial.policy.for_month(request.month, request.law_known_on);
        let policy = policy.map_err(|source| DiffError::Policy {
            which,
            pack: name_of(trial.policy.pack()),
            source,
        })?;
        Ok(Self {
            ground: Ground::read(view, &policy, request.month, view.newest())?,
            policy,
        })
    }

    fn job<'a>(&'a self, view: &'a View) -> Job<'a> {
        Job {
            view,
            policy: &self.policy,
            ground: &self.ground,
            month: self.policy.month(),
            known: view.newest(),
            channel: None,
            earlier: None,
        }
    }
}

fn name_of(pack: &Pack) -> String {
    format!("{} {}", pack.id(), pack.version())
}

impl std::fmt::Display for LineText {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.kind {
            LineKind::Paid => write!(f, "{} {}", self.programme, self.amount),
            LineKind::Held => write!(f, "held {} {}", self.programme, self.amount),
            LineKind::Error => write!(f, "error {}", self.programme),
        }
    }
}

/// The months of a programme: the first and, if it ends, the last.
pub type Term = (Month, Option<Month>);

/// The programmes that only one of two packs has, or that the two give other months: identifier, and the months by each.
pub fn terms(before: &Pack, after: &Pack) -> Vec<(String, Option<Term>, Option<Term>)> {
    let term = |pack: &Pack, id: &str| {
        let rule = pack.programmes().iter().find(|rule| rule.id == id);
        rule.map(|rule| (rule.from, rule.until))
    };
    let of = |pack: &Pack| -> Vec<String> { pack.programmes().iter().map(|rule| rule.id.clone()).collect() };
    let mut ids = of(before);
    let new: Vec<String> = of(after).into_iter().filter(|id| !ids.contains(id)).collect();
    ids.extend(new);
    ids.into_iter()
        .map(|id| {
            let (was, is) = (term(before, &id), term(after, &id));
            (id, was, is)
        })
        .filter(|(_, was, is)| was != is)
        .collect()
}
