//! Runs: prepare, commit, finalize, void.

use std::collections::BTreeMap;

use rustc_hash::FxHashMap;
use thiserror::Error;

use super::crew::{WorkError, work};
use super::header::{Doubtful, HEADER_VERSION, RunBrief, RunHeader, RunKind, RunStatus, Scope};
use super::places::Places;
use super::worker::{Block, Found, Job, Worker};
use crate::format::ledger::LedgerBody;
use crate::format::locator::SegmentKey;
use crate::format::record;
use crate::format::totals::CommuneTotals;
use crate::kernel::catalogue::SubjectKind;
use crate::kernel::runs::NewRun;
use crate::kernel::{Author, ReadError, Store, View, WriteError};
use crate::policy::{Bands, Outcome, Policy, PolicyError};
use crate::types::{Date, Instant, Month, Sequence, Total, UnitNumber, Value};

/// The attribute by which totals of what is paid are broken down, if the catalogue has it.
pub const CHANNEL_ATTRIBUTE: &str = "channel";
/// The longest ID of a run, in bytes.
pub const RUN_ID_BYTES_MAX: usize = 120;
/// The greatest number of workers of a run.
pub const WORKERS_MAX: usize = 256;
/// The outcomes of one block of a run's dictionary: the one that a person has is read without the rest.
const OUTCOMES_OF_BLOCK: usize = 64;
/// The greatest number of bytes of a run's dictionary of outcomes.
pub const DICTIONARY_BYTES_MAX: usize = 256 << 20;

/// What to run.
///
/// ```
/// use ansinh::entitlement::RunRequest;
/// let request = RunRequest::monthly("2026-06".parse()?);
/// assert_eq!(request.law_known_on.to_string(), "2026-06-30");
/// # Ok::<(), ansinh::types::MonthError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunRequest {
    /// The caller's ID; a request with the ID of a run that exists answers that it exists.
    pub id: String,
    /// What kind of run.
    pub kind: RunKind,
    /// Whose entitlements.
    pub scope: Scope,
    /// The month.
    pub month: Month,
    /// The law as known on this day.
    pub law_known_on: Date,
    /// The data as known at this sequence; [`Sequence::NEWEST`] for what is known now.
    pub data_as_of: Sequence,
    /// Whether the run stands at once, or is a draft.
    pub status: RunStatus,
    /// How many threads work on it.
    pub workers: usize,
}

/// A run that is computed and waits to be committed.
#[derive(Debug)]
pub struct Prepared {
    /// The header, as it will stand; its number is given at the commit.
    pub header: RunHeader,
    /// The totals by unit.
    pub totals: Vec<(UnitNumber, CommuneTotals)>,
    /// How many cells of the decision table the worker filled that filled most.
    pub cells: u64,
    outcomes: Vec<Vec<u8>>,
    blocks: Vec<(SegmentKey, Vec<u8>)>,
}

/// What came of a request.
#[derive(Debug)]
pub enum RunAnswer {
    /// The run was written.
    Created(Box<RunHeader>),
    /// The run was there already, just so. Nothing was written.
    Exists(Box<RunHeader>),
}

/// Why a run was not made. Nothing was written.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum RunError {
    /// The registry could not be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The registry could not be written.
    #[error(transparent)]
    Write(#[from] WriteError),
    /// The policy has no values for the month.
    #[error(transparent)]
    Policy(#[from] PolicyError),
    /// A run of this ID was made differently.
    #[error("run {id:?} exists with a different {field}: it has {found}, asked was {asked}; use another ID")]
    ExistsWithDifferent {
        /// The ID.
        id: String,
        /// What differs.
        field: &'static str,
        /// What the run has.
        found: String,
        /// What was asked.
        asked: String,
    },
    /// The month is settled by another run.
    #[error(
        "{month} ({scope}) has been run already: run {number} {id:?} is {status}; {}",
        if *.status == RunStatus::Draft { "void the draft first, or make it final" } else { "a final run is only changed by a correction" }
    )]
    Settled {
        /// The month.
        month: Month,
        /// The scope of the run that exists.
        scope: Scope,
        /// Its number.
        number: u32,
        /// Its ID.
        id: String,
        /// Its status.
        status: RunStatus,
    },
    /// No run, or none of this status.
    #[error("{month} ({scope}) has no {wanted} run; {advice}")]
    NoRun {
        /// The month.
        month: Month,
        /// The scope.
        scope: Scope,
        /// What was looked for.
        wanted: &'static str,
        /// What to do.
        advice: &'static str,
    },
    /// A kind of run for which the pack has no programmes.
    #[error("the pack declares no programme that is paid by a {0} run; only monthly runs can be made")]
    Kind(RunKind),
    /// A province that no unit belongs to.
    #[error("no commune belongs to province {0:02}; use one of the codes that `report --by province` lists")]
    NoSuchProvince(u8),
    /// A request that contradicts itself.
    #[error("{what}: found {found}, expected {expected}")]
    Request {
        /// What.
        what: &'static str,
        /// What was found.
        found: String,
        /// What fits.
        expected: String,
    },
    /// The statuses do not add up to the people in scope. This must never be; nothing was written.
    #[error(
        "the run of {month} does not balance: {people} people are in scope, the statuses add up to {sum}; nothing was written, report this"
    )]
    Unbalanced {
        /// The month.
        month: Month,
        /// People in scope.
        people: u64,
        /// The sum of the statuses.
        sum: u64,
    },
    /// The outcomes that differ are too many for the run's dictionary.
    #[error(
        "the run of {month} has {outcomes} different outcomes, {found} bytes of them, at most {max} fit; nothing was written: run province by province"
    )]
    TooManyOutcomes {
        /// The month.
        month: Month,
        /// How many outcomes differ.
        outcomes: usize,
        /// Their bytes.
        found: usize,
        /// The limit, in bytes.
        max: usize,
    },
    /// A worker stopped.
    #[error("a worker of the run stopped with a fault; nothing was written, report this")]
    WorkerStopped,
}

impl RunRequest {
    /// The draft of a month for the whole country, by the law known on its last day and the data known now.
    pub fn monthly(month: Month) -> Self {
        Self {
            id: format!("monthly-{month}"),
            kind: RunKind::Monthly,
            scope: Scope::Country,
            month,
            law_known_on: Date::last_of(month),
            data_as_of: Sequence::NEWEST,
            status: RunStatus::Draft,
            workers: std::thread::available_parallelism()
                .map_or(1, std::num::NonZero::get)
                .min(WORKERS_MAX),
        }
    }

    fn check(&self, view: &View) -> Result<(), RunError> {
        let unfit = |what, found: String, expected: String| RunError::Request {
            what,
            found,
            expected,
        };
        if self.kind != RunKind::Monthly {
            return Err(RunError::Kind(self.kind));
        }
        if self.id.is_empty() || self.id.len() > RUN_ID_BYTES_MAX {
            let expected = format!("1 to {RUN_ID_BYTES_MAX} bytes");
            return Err(unfit(
                "length of the run's ID",
                self.id.len().to_string(),
                expected,
            ));
        }
        if self.workers == 0 || self.workers > WORKERS_MAX {
            return Err(unfit(
                "workers",
                self.workers.to_string(),
                format!("1 to {WORKERS_MAX}"),
            ));
        }
        if self.status == RunStatus::Void {
            return Err(unfit(
                "status",
                self.status.to_string(),
                "draft or final".to_owned(),
            ));
        }
        if self.data_as_of != Sequence::NEWEST && self.data_as_of > view.newest() {
            let expected = format!("a sequence up to {}", view.newest());
            return Err(unfit("data as of", self.data_as_of.to_string(), expected));
        }
        if let Scope::Province(code) = self.scope
            && !view
                .units()
                .iter()
                .any(|unit| unit.declared.province.number() == code)
        {
            return Err(RunError::NoSuchProvince(code));
        }
        Ok(())
    }
}

/// The headers of all runs, in the order in which they were made.
pub fn runs(view: &View) -> Result<Vec<RunHeader>, ReadError> {
    view.runs()?
        .into_iter()
        .map(|(number, header)| RunHeader::decode(number, &header))
        .collect()
}

/// What exists by the ID of a request or for its month: `Some` if it is the very run asked for.
fn existing(view: &View, request: &RunRequest) -> Result<Option<RunHeader>, RunError> {
    for run in runs(view)? {
        if run.status == RunStatus::Void {
            continue;
        }
        if run.id == request.id {
            return same(view, run, request).map(Some);
        }
        if run.kind == request.kind && run.month == request.month && run.scope.overlaps(request.scope) {
            return Err(run.into());
        }
    }
    Ok(None)
}

fn same(view: &View, run: RunHeader, request: &RunRequest) -> Result<RunHeader, RunError> {
    let short = |hash: [u8; 32]| -> String { blake3::Hash::from_bytes(hash).to_hex()[..12].to_owned() };
    let data_as_of = request.data_as_of;
    let differs = [
        ("kind", run.kind.to_string(), request.kind.to_string()),
        ("scope", run.scope.to_string(), request.scope.to_string()),
        ("month", run.month.to_string(), request.month.to_string()),
        ("pack", short(run.pack), short(view.pack().unwrap_or(run.pack))),
        (
            "law date",
            run.law_known_on.to_string(),
            request.law_known_on.to_string(),
        ),
        (
            "data sequence",
            run.data_as_of.to_string(),
            if data_as_of == Sequence::NEWEST {
                run.data_as_of
            } else {
                data_as_of
            }
            .to_string(),
        ),
    ]
    .into_iter()
    .find(|(_, found, asked)| found != asked);
    match differs {
        Some((field, found, asked)) => Err(RunError::ExistsWithDifferent {
            id: run.id,
            field,
            found,
            asked,
        }),
        None if request.status == RunStatus::Final && run.status == RunStatus::Draft => Err(run.into()),
        None => Ok(run),
    }
}

/// What preparing a run came to.
#[derive(Debug)]
pub enum Preparation {
    /// Computed, to be committed.
    Ready(Box<Prepared>),
    /// There already, just so.
    Exists(Box<RunHeader>),
}

/// Computes a run from a view. Nothing is written, and nobody waits.
///
/// `progress` is called now and then with the number of segments done and the number of all; from several threads.
pub fn prepare(
    view: &View,
    policy: &Policy,
    request: &RunRequest,
    progress: &(dyn Fn(usize, usize) + Sync),
) -> Result<Preparation, RunError> {
    request.check(view)?;
    if let Some(run) = existing(view, request)? {
        return Ok(Preparation::Exists(Box::new(run)));
    }
    compute(view, policy, request, progress).map(|prepared| Preparation::Ready(Box::new(prepared)))
}

/// Computes a run whether or not one exists for the month: a dry run.
pub fn compute(
    view: &View,
    policy: &Policy,
    request: &RunRequest,
    progress: &(dyn Fn(usize, usize) + Sync),
) -> Result<Prepared, RunError> {
    request.check(view)?;
    let month_policy = policy.for_month(request.month, request.law_known_on)?;
    let known = if request.data_as_of == Sequence::NEWEST {
        view.newest()
    } else {
        request.data_as_of
    };
    let bands = Bands::new(&month_policy);
    let places = Places::read(view, &month_policy, request.month, known)?;
    let job = Job {
        view,
        policy: &month_policy,
        bands: &bands,
        places: &places,
        month: request.month,
        known,
        channel: channel(view),
    };
    let segments = segments_in_scope(view, request, known)?;
    let found = work(|| Worker::new(&job), &segments, request.workers, progress)?;
    assemble(&job, request, found)
}

fn channel(view: &View) -> Option<(crate::types::AttributeNumber, u16)> {
    let attribute = view
        .catalogue()
        .attribute(SubjectKind::Person, CHANNEL_ATTRIBUTE)
        .ok()?;
    let absent = match attribute.absent {
        Value::Enum(number) => number,
        _ => u16::MAX,
    };
    view.in_profile(attribute.number)
        .then_some((attribute.number, absent))
}

fn segments_in_scope(
    view: &View,
    request: &RunRequest,
    known: Sequence,
) -> Result<Vec<SegmentKey>, ReadError> {
    let mut segments = view.segments()?;
    if request.scope != Scope::Country {
        segments.retain(|segment| {
            let unit = view.follow(UnitNumber(segment.unit()), request.month, known);
            unit.is_some_and(|unit| request.scope.covers(view, unit))
        });
    }
    Ok(segments)
}

/// Puts what the workers found in the order of rows, gives outcomes their codes, and checks the balance.
fn assemble(job: &Job<'_>, request: &RunRequest, found: Vec<Found>) -> Result<Prepared, RunError> {
    let mut totals: BTreeMap<UnitNumber, CommuneTotals> = BTreeMap::new();
    let mut blocks: Vec<(usize, Block)> = Vec::new();
    let mut outcomes = Vec::with_capacity(found.len());
    let (mut people, mut held, mut cells, mut one_by_one) = (0, Total::ZERO, 0, 0);
    for (worker, part) in found.into_iter().enumerate() {
        for (unit, part) in part.totals {
            let sum = totals.entry(unit).or_default();
            sum.add(&part)
                .map_err(|error| ReadError::Inconsistent(error.to_string()))?;
        }
        blocks.extend(part.blocks.into_iter().map(|block| (worker, block)));
        outcomes.push(part.outcomes);
        people += part.people;
        held.add(part.held);
        cells = cells.max(part.cells);
        one_by_one += part.one_by_one;
    }
    blocks.sort_unstable_by_key(|(_, block)| block.segment);
    let mut codes: FxHashMap<&Outcome, u32> = FxHashMap::default();
    let mut dictionary: Vec<&Outcome> = Vec::new();
    let mut assembled = Vec::with_capacity(blocks.len());
    let mut of_worker: Vec<Vec<u32>> = outcomes.iter().map(|outcomes| vec![0; outcomes.len()]).collect();
    for (worker, block) in &blocks {
        let global: Vec<u32> = block
            .outcomes
            .iter()
            .map(|outcome| {
                let Some(outcome) = *outcome else { return 0 };
                let known = &mut of_worker[*worker][outcome as usize];
                if *known == 0 {
                    let outcome = &outcomes[*worker][outcome as usize].outcome;
                    *known = *codes.entry(outcome).or_insert_with(|| {
                        dictionary.push(outcome);
                        dictionary.len() as u32
                    });
                }
                *known
            })
            .collect();
        assembled.push((block.segment, LedgerBody::assemble(&block.body, &global)));
    }
    let header = header(job, request, &totals, held, one_by_one);
    check_balance(&header, people)?;
    let outcomes: Vec<Vec<u8>> = dictionary
        .chunks(OUTCOMES_OF_BLOCK)
        .map(|block| {
            let block: Vec<Outcome> = block.iter().map(|&outcome| outcome.clone()).collect();
            record::encode(HEADER_VERSION, &block)
        })
        .collect();
    let found: usize = outcomes.iter().map(Vec::len).sum();
    let fits = outcomes
        .iter()
        .all(|block| block.len() <= record::RECORD_BYTES_MAX);
    if found > DICTIONARY_BYTES_MAX || !fits {
        return Err(RunError::TooManyOutcomes {
            month: request.month,
            outcomes: dictionary.len(),
            found,
            max: DICTIONARY_BYTES_MAX,
        });
    }
    Ok(Prepared {
        header,
        totals: totals.into_iter().collect(),
        cells,
        outcomes,
        blocks: assembled,
    })
}

fn header(
    job: &Job<'_>,
    request: &RunRequest,
    totals: &BTreeMap<UnitNumber, CommuneTotals>,
    held: Total,
    one_by_one: u64,
) -> RunHeader {
    let pack = job.policy.policy().pack();
    let sum = |get: fn(&CommuneTotals) -> u64| totals.values().map(get).sum();
    let paid: i128 = totals
        .values()
        .flat_map(|totals| &totals.programmes)
        .filter(|((_, kind), _)| *kind == crate::format::totals::LineKind::Paid)
        .map(|(_, tally)| tally.sum.get())
        .sum();
    let doubtful = job.policy.low_confidence().into_iter().map(|doubt| Doubtful {
        what: doubt.what,
        confidence: doubt.confidence.to_string(),
        source: doubt.source,
    });
    RunHeader {
        number: 0,
        id: request.id.clone(),
        kind: request.kind,
        scope: request.scope,
        month: request.month,
        status: request.status,
        pack: pack.hash(),
        pack_name: format!("{} {}", pack.id(), pack.version()),
        law_known_on: request.law_known_on,
        data_as_of: job.known,
        code: env!("CARGO_PKG_VERSION").to_owned(),
        doubtful: doubtful.collect(),
        people: sum(|totals| totals.status.people),
        paid: sum(|totals| totals.status.paid),
        paid_with_held: sum(|totals| totals.status.paid_with_held),
        zero: sum(|totals| totals.status.zero),
        held: sum(|totals| totals.status.held),
        error: sum(|totals| totals.status.error),
        amount: paid,
        amount_held: held.get(),
        one_by_one,
    }
}

/// The assertion before a run may be written: paid + zero + held + error = the people in scope, counted apart.
fn check_balance(header: &RunHeader, people: u64) -> Result<(), RunError> {
    let sum = header.paid + header.zero + header.held + header.error;
    if sum != people || header.people != people || !header.counts().balances() {
        return Err(RunError::Unbalanced {
            month: header.month,
            people,
            sum,
        });
    }
    Ok(())
}

/// Writes a prepared run in one transaction, unless somebody else has settled its month in the meantime.
pub fn commit(
    store: &Store,
    prepared: Prepared,
    request: &RunRequest,
    author: Author,
    instant: Instant,
) -> Result<RunAnswer, RunError> {
    let mut transaction = store.begin_write(author, instant)?;
    if let Some(run) = existing(transaction.view(), request)? {
        return Ok(RunAnswer::Exists(Box::new(run)));
    }
    let Prepared {
        mut header,
        totals,
        outcomes,
        blocks,
        cells: _,
    } = prepared;
    header.number = transaction.next_run();
    let about = format!(
        "run {} {} {} {}",
        header.id, header.month, header.scope, header.status
    );
    transaction.put_run(
        NewRun {
            month: header.month,
            header: header.encode(),
            outcomes,
            blocks,
            totals,
        },
        &about,
    )?;
    transaction.commit()?;
    Ok(RunAnswer::Created(Box::new(header)))
}

/// The run of a month that is not void, of this scope.
pub fn run_of(view: &View, month: Month, scope: Scope) -> Result<Option<RunHeader>, ReadError> {
    for (number, header) in view.runs_of(month)? {
        let brief = RunBrief::decode(number, &header)?;
        if brief.is_monthly() && brief.scope == scope {
            return RunHeader::decode(number, &header).map(Some);
        }
    }
    Ok(None)
}

impl From<WorkError> for RunError {
    fn from(error: WorkError) -> Self {
        match error {
            WorkError::Read(error) => Self::Read(error),
            WorkError::Stopped => Self::WorkerStopped,
        }
    }
}

impl From<RunHeader> for RunError {
    /// The month is settled by this run.
    fn from(run: RunHeader) -> Self {
        let RunHeader {
            month,
            scope,
            number,
            id,
            status,
            ..
        } = run;
        Self::Settled {
            month,
            scope,
            number,
            id,
            status,
        }
    }
}

fn change_status(
    store: &Store,
    mut run: RunHeader,
    status: RunStatus,
    author: Author,
    instant: Instant,
) -> Result<RunHeader, RunError> {
    let mut transaction = store.begin_write(author, instant)?;
    let unchanged = run_of(transaction.view(), run.month, run.scope)?.is_some_and(|now| now == run);
    if !unchanged {
        return Err(run.into());
    }
    run.status = status;
    let about = format!("run {} {} {} {status}", run.id, run.month, run.scope);
    transaction.put_run_header(run.number, run.encode(), &about);
    transaction.commit()?;
    Ok(run)
}

/// The run of a month whose status is to be changed, or what to do.
fn to_change(store: &Store, month: Month, scope: Scope, advice: &'static str) -> Result<RunHeader, RunError> {
    let view = store.begin_read()?;
    run_of(&view, month, scope)?.ok_or(RunError::NoRun {
        month,
        scope,
        wanted: "draft",
        advice,
    })
}

/// Makes the draft of a month final. A run that is final already is answered as it is.
pub fn finalize(
    store: &Store,
    month: Month,
    scope: Scope,
    author: Author,
    instant: Instant,
) -> Result<RunHeader, RunError> {
    let run = to_change(store, month, scope, "run the month first")?;
    if run.status == RunStatus::Final {
        return Ok(run);
    }
    change_status(store, run, RunStatus::Final, author, instant)
}

/// Voids the draft of a month: it no longer counts, and the month can be run again.
pub fn void(
    store: &Store,
    month: Month,
    scope: Scope,
    author: Author,
    instant: Instant,
) -> Result<RunHeader, RunError> {
    let run = to_change(store, month, scope, "there is nothing to void")?;
    if run.status == RunStatus::Final {
        return Err(run.into());
    }
    change_status(store, run, RunStatus::Void, author, instant)
}

impl Prepared {
    /// The bytes that the commit will write: dictionary and blocks. Equal requests over equal data give equal bytes.
    pub fn ledger_bytes(&self) -> impl Iterator<Item = &[u8]> {
        let blocks = self.blocks.iter().map(|(_, block)| block);
        self.outcomes.iter().chain(blocks).map(Vec::as_slice)
    }
}

/// The outcomes of a run by code, the first code being 1.
pub fn outcomes(view: &View, run: &RunHeader) -> Result<Vec<Outcome>, ReadError> {
    let mut outcomes = Vec::new();
    for (block, bytes) in (0..).zip(view.run_outcomes(run.number)?) {
        outcomes.extend(outcomes_in(run.number, block, &bytes)?);
    }
    Ok(outcomes)
}

/// One outcome of a run, by its code.
pub(super) fn outcome(view: &View, run: u32, code: u32) -> Result<Outcome, ReadError> {
    let missing = || ReadError::Inconsistent(format!("run {run} has no outcome of code {code}"));
    let place = code.checked_sub(1).ok_or_else(missing)?;
    let block = place / OUTCOMES_OF_BLOCK as u32;
    let bytes = view.run_outcome_block(run, block)?.ok_or_else(missing)?;
    let outcomes = outcomes_in(run, block, &bytes)?;
    let within = place as usize % OUTCOMES_OF_BLOCK;
    outcomes.into_iter().nth(within).ok_or_else(missing)
}

fn outcomes_in(run: u32, block: u32, bytes: &[u8]) -> Result<Vec<Outcome>, ReadError> {
    record::decode(HEADER_VERSION, bytes).map_err(|source| ReadError::Format {
        table: "outcomes",
        key: format!("run {run}, block {block}"),
        source,
    })
}
