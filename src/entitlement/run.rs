//! Runs: prepare, commit, finalize, void.

use std::collections::BTreeMap;

use rustc_hash::FxHashMap;
use thiserror::Error;

use super::campaign::{self, Earlier};
use super::header::{CampaignRun, Doubtful, HEADER_VERSION, RunBrief, RunHeader, RunKind, RunStatus, Scope};
use super::worker::{Block, Found, Job, Worker};
use crate::format::ledger::LedgerBody;
use crate::format::locator::SegmentKey;
use crate::format::record;
use crate::format::totals::CommuneTotals;
use crate::kernel::catalogue::SubjectKind;
use crate::kernel::runs::NewRun;
use crate::kernel::{Author, ReadError, Store, View, WriteError};
use crate::policy::{MonthPolicy, Outcome, Policy, PolicyError};
use crate::query::crew::{Cancel, WorkError, work};
use crate::query::ground::Ground;
use crate::types::{Date, Instant, Month, PersonNumber, Sequence, Total, UnitNumber, Value};

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
/// let campaign = RunRequest::campaign("resolution_116", "2021-10".parse()?);
/// assert_eq!(campaign.id, "campaign-resolution_116-2021-10");
/// # Ok::<(), ansinh::types::MonthError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunRequest {
    /// The caller's ID; a request with the ID of a run that exists answers that it exists.
    pub id: String,
    /// What kind of run.
    pub kind: RunKind,
    /// The programme that a campaign run pays, by its identifier; `None` for other kinds.
    pub campaign: Option<String>,
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
    /// Who may cancel it, until its transaction is committed; nobody unless said.
    pub cancel: Option<Cancel>,
}

/// A run that is computed and waits to be committed.
#[derive(Debug)]
pub struct Prepared {
    /// The header, as it will stand; its number is given at the commit.
    pub header: RunHeader,
    /// The totals by unit.
    pub totals: Vec<(UnitNumber, CommuneTotals)>,
    /// How many cells of the decision table the worker worked out that worked out most.
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
        "{} has been run already: run {number} {id:?} is {status}; {}",
        what_is_run(.campaign.as_deref(), *.month, *.scope),
        if *.status == RunStatus::Draft { "void the draft first, or make it final" } else { "a final run is only changed by a correction" }
    )]
    Settled {
        /// The campaign, if the run is of one.
        campaign: Option<String>,
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
    #[error("{} has no {wanted} run; {advice}", what_is_run(.campaign.as_deref(), *.month, *.scope))]
    NoRun {
        /// The campaign, if a run of one was looked for.
        campaign: Option<String>,
        /// The month.
        month: Month,
        /// The scope.
        scope: Scope,
        /// What was looked for.
        wanted: &'static str,
        /// What to do.
        advice: &'static str,
    },
    /// A kind of run for which no pack has programmes.
    #[error("no pack declares a programme that is paid by a {0} run; make a monthly run or a campaign run")]
    Kind(RunKind),
    /// Another run of the campaign was made or voided in the meantime, so that who has been paid is no longer what the
    /// prepared run took it to be.
    #[error(
        "run {number} of {campaign} was {what} while this run was worked out, so whom the campaign has paid is no longer the same; nothing was written: run it again"
    )]
    CampaignChanged {
        /// The campaign.
        campaign: String,
        /// The number of the other run.
        number: u32,
        /// `made` or `voided`.
        what: &'static str,
    },
    /// Records were found to be of one person in the meantime, who could be paid twice.
    #[error(
        "the record of {merged} was merged into another while this run of {campaign} was worked out, so whom the campaign has paid is no longer the same; nothing was written: run it again"
    )]
    CampaignMerged {
        /// The campaign.
        campaign: String,
        /// The record that was merged.
        merged: PersonNumber,
    },
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
    /// A worker panicked.
    #[error("a worker of the run stopped with a fault: {0}; nothing was written, report this")]
    WorkerStopped(String),
    /// Somebody cancelled the run.
    #[error("the run was cancelled: nothing was written; run it again when wanted")]
    Cancelled,
}

impl RunRequest {
    /// The draft of a month for the whole country, by the law known on its last day and the data known now.
    pub fn monthly(month: Month) -> Self {
        Self {
            id: format!("monthly-{month}"),
            kind: RunKind::Monthly,
            campaign: None,
            scope: Scope::Country,
            month,
            law_known_on: Date::last_of(month),
            data_as_of: Sequence::NEWEST,
            status: RunStatus::Draft,
            workers: std::thread::available_parallelism()
                .map_or(1, std::num::NonZero::get)
                .min(WORKERS_MAX),
            cancel: None,
        }
    }

    /// The same request, which [`Cancel::cancel`] ends with [`RunError::Cancelled`]: nothing is then written, and the
    /// month can be run again.
    #[must_use]
    pub fn cancelled_by(mut self, cancel: Cancel) -> Self {
        self.cancel = Some(cancel);
        self
    }

    /// The draft of a campaign in a month for the whole country: whoever meets the conditions of this programme at the
    /// end of the month, and was not paid by another run of the campaign in any month.
    pub fn campaign(name: impl Into<String>, month: Month) -> Self {
        let name = name.into();
        Self {
            id: format!("campaign-{name}-{month}"),
            kind: RunKind::Campaign,
            campaign: Some(name),
            ..Self::monthly(month)
        }
    }

    /// The law and the figures of the month, or of the campaign.
    fn policy(&self, policy: &Policy) -> Result<MonthPolicy, PolicyError> {
        match &self.campaign {
            None => policy.for_month(self.month, self.law_known_on),
            Some(name) => policy.for_campaign(self.month, self.law_known_on, name),
        }
    }

    fn check_cancelled(&self) -> Result<(), RunError> {
        if self.cancel.as_ref().is_some_and(Cancel::is_cancelled) {
            return Err(RunError::Cancelled);
        }
        Ok(())
    }

    fn check(&self, view: &View) -> Result<(), RunError> {
        let unfit = |what, found: String, expected: String| RunError::Request {
            what,
            found,
            expected,
        };
        if self.kind == RunKind::Correction {
            return Err(RunError::Kind(self.kind));
        }
        if (self.kind == RunKind::Campaign) != self.campaign.is_some() {
            let expected = "a campaign for a campaign run, and none for another".to_owned();
            let found = self.campaign.clone().unwrap_or_else(|| "none".to_owned());
            return Err(unfit(
                "campaign",
                format!("{found} for a {} run", self.kind),
                expected,
            ));
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
        let same = run.stands_for(request.campaign.as_deref()) && run.month == request.month;
        if same && run.scope.overlaps(request.scope) {
            return Err(run.into());
        }
    }
    Ok(None)
}

fn campaign_text(name: Option<&str>) -> String {
    name.unwrap_or("none").to_owned()
}

/// What a message calls a month that is run, or a campaign in a month.
fn what_is_run(campaign: Option<&str>, month: Month, scope: Scope) -> String {
    match campaign {
        None => format!("{month} ({scope})"),
        Some(name) => format!("{name} of {month} ({scope})"),
    }
}

fn same(view: &View, run: RunHeader, request: &RunRequest) -> Result<RunHeader, RunError> {
    let short = |hash: [u8; 32]| -> String { blake3::Hash::from_bytes(hash).to_hex()[..12].to_owned() };
    let data_as_of = request.data_as_of;
    let differs = [
        ("kind", run.kind.to_string(), request.kind.to_string()),
        (
            "campaign",
            campaign_text(run.campaign_name()),
            campaign_text(request.campaign.as_deref()),
        ),
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
/// `progress` is called now and then with the number of communes done and the number of all; from several threads.
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
    let month_policy = request.policy(policy)?;
    let known = if request.data_as_of == Sequence::NEWEST {
        view.newest()
    } else {
        request.data_as_of
    };
    let ground = Ground::read(view, &month_policy, request.month, known)?;
    let (campaign, earlier) = earlier(view, &month_policy, request)?;
    let job = Job {
        view,
        policy: &month_policy,
        ground: &ground,
        month: request.month,
        known,
        channel: channel(view),
        earlier: earlier.as_ref(),
    };
    let units = units_in_scope(view, request.scope, request.month, known);
    let found = work(
        || Worker::new(&job),
        (view, &units),
        request.workers,
        progress,
        request.cancel.as_ref(),
    )?;
    let mut prepared = assemble(&job, request, &found)?;
    prepared.header.campaign = campaign;
    Ok(prepared)
}

/// What a campaign run says of itself, and the runs before it if any of them paid somebody.
fn earlier(
    view: &View,
    policy: &MonthPolicy,
    request: &RunRequest,
) -> Result<(Option<CampaignRun>, Option<Earlier>), ReadError> {
    let runs = runs(view)?;
    let about = campaign::about(view, policy, &runs, Some(request.scope));
    let (Some(about), Some(outcome)) = (about, policy.already_paid()) else {
        return Ok((None, None));
    };
    let mut earlier = Earlier::read(view, &about, &runs, outcome)?;
    if earlier.is_empty() {
        return Ok((Some(about), None));
    }
    earlier.find_merged(view)?;
    Ok((Some(about), Some(earlier)))
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

/// The units whose segments a run of a scope goes through, in the order of their segments.
pub(super) fn units_in_scope(view: &View, scope: Scope, month: Month, known: Sequence) -> Vec<UnitNumber> {
    let in_scope = |unit: &UnitNumber| {
        let now = || view.follow(*unit, month, known);
        scope == Scope::Country || now().is_some_and(|unit| scope.covers(view, unit))
    };
    let mut units: Vec<UnitNumber> = view.units().iter().map(|unit| unit.number).collect();
    units.sort_unstable();
    units.retain(in_scope);
    units
}

/// Puts what the workers found in the order of rows, gives outcomes their codes, and checks the balance.
fn assemble(job: &Job<'_>, request: &RunRequest, found: &[Found]) -> Result<Prepared, RunError> {
    let mut totals: BTreeMap<UnitNumber, CommuneTotals> = BTreeMap::new();
    let mut blocks: Vec<(usize, Block<'_>)> = Vec::new();
    let (mut people, mut held, mut cells, mut one_by_one) = (0, Total::ZERO, 0, 0);
    for (worker, part) in found.iter().enumerate() {
        for (&unit, part) in &part.totals {
            let sum = totals.entry(unit).or_default();
            sum.add(part)
                .map_err(|error| ReadError::Inconsistent(error.to_string()))?;
        }
        blocks.extend(part.blocks.iter().map(|block| (worker, block)));
        people += part.people;
        held.add(part.held);
        cells = cells.max(part.cells);
        one_by_one += part.one_by_one;
    }
    blocks.sort_unstable_by_key(|(_, block)| block.segment);
    let mut codes: FxHashMap<&Outcome, u32> = FxHashMap::default();
    let mut dictionary: Vec<&Outcome> = Vec::new();
    let mut assembled = Vec::with_capacity(blocks.len());
    let none_known = |found: &Found| vec![0; found.outcomes.len()];
    let mut of_worker: Vec<Vec<u32>> = found.iter().map(none_known).collect();
    let mut global: Vec<u32> = Vec::new();
    for (worker, block) in &blocks {
        let own = &mut of_worker[*worker];
        global.clear();
        global.extend(block.outcomes.iter().map(|outcome| {
            let Some(outcome) = *outcome else { return 0 };
            let known = &mut own[outcome as usize];
            if *known == 0 {
                let outcome = &found[*worker].outcomes[outcome as usize];
                *known = *codes.entry(outcome).or_insert_with(|| {
                    dictionary.push(outcome);
                    dictionary.len() as u32
                });
            }
            *known
        }));
        assembled.push((block.segment, LedgerBody::assemble(block.body, &global)));
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
        campaign: None,
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

/// Writes a prepared run in one transaction, unless somebody else has settled its month in the meantime or somebody
/// cancels before the commit.
pub fn commit(
    store: &Store,
    prepared: Prepared,
    request: &RunRequest,
    author: Author,
    instant: Instant,
) -> Result<RunAnswer, RunError> {
    request.check_cancelled()?;
    let mut transaction = store.begin_write(author, instant)?;
    if let Some(run) = existing(transaction.view(), request)? {
        return Ok(RunAnswer::Exists(Box::new(run)));
    }
    if let Some(campaign) = &prepared.header.campaign {
        check_campaign(transaction.view(), campaign)?;
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
    // The last moment: from the commit on the run stands, and a draft is voided instead.
    request.check_cancelled()?;
    transaction.commit()?;
    Ok(RunAnswer::Created(Box::new(header)))
}

/// Refuses if the runs that a campaign run took into account are no longer those that stand: somebody could be paid
/// twice, or left out because of a run that is void.
fn check_campaign(view: &View, campaign: &CampaignRun) -> Result<(), RunError> {
    let runs = runs(view)?;
    let standing: Vec<u32> = campaign::standing(&runs, campaign.programme)
        .map(|run| run.number)
        .collect();
    let changed = |number: Option<&u32>, what| {
        number.map_or(Ok(()), |&number| {
            Err(RunError::CampaignChanged {
                campaign: campaign.name.clone(),
                number,
                what,
            })
        })
    };
    for (_, merged) in view.mergers()? {
        if view.merger_of(merged, campaign.mergers_known)?.is_none() {
            return Err(RunError::CampaignMerged {
                campaign: campaign.name.clone(),
                merged,
            });
        }
    }
    let (made, counted) = (&standing, &campaign.earlier);
    changed(made.iter().find(|number| !counted.contains(number)), "made")?;
    changed(counted.iter().find(|number| !made.contains(number)), "voided")
}

/// The monthly run of a month that is not void, of this scope.
pub fn run_of(view: &View, month: Month, scope: Scope) -> Result<Option<RunHeader>, ReadError> {
    find(view, None, month, scope)
}

/// The run of a campaign in a month that is not void, of this scope.
pub fn campaign_run_of(
    view: &View,
    campaign: &str,
    month: Month,
    scope: Scope,
) -> Result<Option<RunHeader>, ReadError> {
    find(view, Some(campaign), month, scope)
}

fn find(
    view: &View,
    campaign: Option<&str>,
    month: Month,
    scope: Scope,
) -> Result<Option<RunHeader>, ReadError> {
    for (number, header) in view.runs_of(month)? {
        let brief = RunBrief::decode(number, &header)?;
        if brief.stands_for(campaign) && brief.scope == scope {
            return RunHeader::decode(number, &header).map(Some);
        }
    }
    Ok(None)
}

impl From<WorkError> for RunError {
    fn from(error: WorkError) -> Self {
        match error {
            WorkError::Read(error) => Self::Read(error),
            WorkError::Cancelled => Self::Cancelled,
            WorkError::Stopped(text) => Self::WorkerStopped(text),
        }
    }
}

impl From<RunHeader> for RunError {
    /// The month is settled by this run.
    fn from(run: RunHeader) -> Self {
        let campaign = run.campaign_name().map(str::to_owned);
        let RunHeader {
            month,
            scope,
            number,
            id,
            status,
            ..
        } = run;
        Self::Settled {
            campaign,
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
    let now = find(transaction.view(), run.campaign_name(), run.month, run.scope)?;
    if now.as_ref() != Some(&run) {
        return Err(run.into());
    }
    run.status = status;
    let about = format!("run {} {} {} {status}", run.id, run.month, run.scope);
    transaction.put_run_header(run.number, run.encode(), &about);
    transaction.commit()?;
    Ok(run)
}

/// The run whose status is to be changed, or what to do.
fn to_change(
    store: &Store,
    (campaign, month, scope): (Option<&str>, Month, Scope),
    advice: &'static str,
) -> Result<RunHeader, RunError> {
    let view = store.begin_read()?;
    find(&view, campaign, month, scope)?.ok_or_else(|| RunError::NoRun {
        campaign: campaign.map(str::to_owned),
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
    let run = to_change(store, (None, month, scope), "run the month first")?;
    make_final(store, run, author, instant)
}

/// Makes the draft of a campaign in a month final. A run that is final already is answered as it is.
pub fn finalize_campaign(
    store: &Store,
    campaign: &str,
    month: Month,
    scope: Scope,
    author: Author,
    instant: Instant,
) -> Result<RunHeader, RunError> {
    let run = to_change(store, (Some(campaign), month, scope), "run the campaign first")?;
    make_final(store, run, author, instant)
}

fn make_final(
    store: &Store,
    run: RunHeader,
    author: Author,
    instant: Instant,
) -> Result<RunHeader, RunError> {
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
    let run = to_change(store, (None, month, scope), "there is nothing to void")?;
    make_void(store, run, author, instant)
}

/// Voids the draft of a campaign in a month: whom it paid can be paid by a later run. A run of the campaign that was made
/// in the meantime stays as it is: whom it left out because of the voided run, the next run pays.
pub fn void_campaign(
    store: &Store,
    campaign: &str,
    month: Month,
    scope: Scope,
    author: Author,
    instant: Instant,
) -> Result<RunHeader, RunError> {
    let run = to_change(store, (Some(campaign), month, scope), "there is nothing to void")?;
    make_void(store, run, author, instant)
}

fn make_void(store: &Store, run: RunHeader, author: Author, instant: Instant) -> Result<RunHeader, RunError> {
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
