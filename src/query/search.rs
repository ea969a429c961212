//! Searches: a condition, and everyone who meets it at the end of a month.

use thiserror::Error;

use super::case::{Around, CaseReader};
use super::classes::Classes;
use super::crew::{Cancel, WorkError, share};
use super::field::{Field, Part, Tally};
use super::ground::{Ground, band_of_birth};
use super::places::Places;
use super::plan::{Plan, Profiles};
use super::reach::{Reach, Units};
use super::rows::{FAULT, Job, Rows, UNDETERMINED, YES, malformed};
use crate::format::hot::HotHead;
use crate::format::locator::SegmentKey;
use crate::kernel::scan::SegmentScan;
use crate::kernel::{ReadError, View};
use crate::policy::{Anyone, Bands, Fault, MonthPolicy, PackErrors, Predicate, Truth};
use crate::types::{PersonNumber, Sequence};

/// The greatest number of workers of a search.
pub const WORKERS_MAX: usize = 256;
/// The parts of what is to be opened that a worker takes at once.
const RANGES_AT_ONCE: usize = 4;
/// How many people meet a condition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Count {
    /// Those who meet it, whatever is unknown.
    pub matching: u64,
    /// Those of whom it depends on something unknown.
    pub undetermined: u64,
    /// Those of whom it cannot be evaluated: a number is too great, or a table has no row for them.
    pub error: u64,
}

impl Count {
    /// Adds the people of another part.
    pub fn add(&mut self, other: Self) {
        self.matching += other.matching;
        self.undetermined += other.undetermined;
        self.error += other.error;
    }

    pub(super) fn add_row(&mut self, truth: u8) {
        self.matching += u64::from(truth == YES);
        self.undetermined += u64::from(truth == UNDETERMINED);
        self.error += u64::from(truth == FAULT);
    }

    fn of(found: &[u8]) -> Self {
        let mut all = Self::default();
        // Sums of so few rows fit a byte, so that many are added at once.
        for rows in found.chunks(usize::from(u8::MAX)) {
            let (mut yes, mut open, mut error) = (0_u8, 0_u8, 0_u8);
            for &truth in rows {
                yes += u8::from(truth == YES);
                open += u8::from(truth == UNDETERMINED);
                error += u8::from(truth == FAULT);
            }
            all.matching += u64::from(yes);
            all.undetermined += u64::from(open);
            all.error += u64::from(error);
        }
        all
    }
}

/// People who were found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct People {
    /// How many there are in all.
    pub count: Count,
    /// The first of them, in the order of the registry: by unit, in it by household.
    pub people: Vec<PersonNumber>,
}

/// Why a search was not made. The registry is unchanged.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum QueryError {
    /// The registry could not be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The condition cannot be read, or asks for a figure that is not known in the month.
    #[error("the condition cannot be asked:\n{0}")]
    Condition(PackErrors),
    /// No such field.
    #[error(
        "there is no field {name:?} to count by{}; expected province, commune, sex, age, or an attribute of few values such as household.poverty",
        .suggestion.as_deref().map_or_else(String::new, |near| format!("; did you mean {near:?}?"))
    )]
    NoField {
        /// The name found.
        name: String,
        /// The nearest name.
        suggestion: Option<String>,
    },
    /// A field of too many values.
    #[error(
        "{name} is of type {kind} and has too many values to count by; expected a bool, an enum or a narrow integer: ask for ranges with conditions"
    )]
    WideField {
        /// The name.
        name: String,
        /// The type of its values.
        kind: String,
    },
    /// A number of workers that there cannot be.
    #[error("{found} workers; expected 1 to {WORKERS_MAX}")]
    Workers {
        /// What was asked.
        found: usize,
    },
    /// A sequence that is not there yet.
    #[error("there is no transaction {asked}, the newest is {newest}; ask for one up to it")]
    Later {
        /// What was asked.
        asked: Sequence,
        /// The newest.
        newest: Sequence,
    },
    /// The condition cannot be evaluated for a person.
    #[error("the condition cannot be evaluated for {person}: {}; correct the record, or the condition", why(*.fault))]
    Fault {
        /// The person.
        person: PersonNumber,
        /// Why not.
        fault: Fault,
    },
    /// A worker panicked.
    #[error("a worker of the search stopped with a fault: {0}; report this")]
    WorkerStopped(String),
    /// Somebody cancelled the search.
    #[error("the search was cancelled; ask again when wanted")]
    Cancelled,
}

impl From<WorkError> for QueryError {
    fn from(error: WorkError) -> Self {
        match error {
            WorkError::Read(error) => Self::Read(error),
            WorkError::Cancelled => Self::Cancelled,
            WorkError::Stopped(text) => Self::WorkerStopped(text),
        }
    }
}

/// What a worker found, and in which segments there is somebody to be listed.
type Listed = (Count, Vec<(SegmentKey, u64)>);

/// Who hears of progress: called now and then, from several threads, with the parts done and all parts.
type OnProgress<'a> = &'a (dyn Fn(usize, usize) + Sync);

/// A condition to be asked of everyone who is alive and present at the end of a policy's month.
///
/// It sees what a condition of a programme sees of the state at the end of the month; who died in the month, moved
/// abroad or was entered in error is not in scope.
pub struct Search<'a> {
    view: &'a View,
    policy: &'a MonthPolicy,
    text: &'a str,
    known: Sequence,
    workers: usize,
    progress: OnProgress<'a>,
    cancel: Option<&'a Cancel>,
}

impl std::fmt::Debug for Search<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Search")
            .field("text", &self.text)
            .field("policy", &self.policy)
            .field("known", &self.known)
            .field("workers", &self.workers)
            .finish_non_exhaustive()
    }
}

impl<'a> Search<'a> {
    /// A condition with the names of a policy's pack, for its month, by the data known now.
    pub fn new(view: &'a View, policy: &'a MonthPolicy, condition: &'a str) -> Self {
        Self {
            view,
            policy,
            text: condition,
            known: view.newest(),
            workers: 1,
            progress: &|_, _| {},
            cancel: None,
        }
    }

    /// By the data known at a sequence; [`Sequence::NEWEST`] is what is known now.
    pub fn data_as_of(mut self, known: Sequence) -> Result<Self, QueryError> {
        let newest = self.view.newest();
        if known != Sequence::NEWEST && known > newest {
            return Err(QueryError::Later { asked: known, newest });
        }
        self.known = known.min(newest);
        Ok(self)
    }

    /// With so many threads.
    pub fn workers(mut self, workers: usize) -> Result<Self, QueryError> {
        if workers == 0 || workers > WORKERS_MAX {
            return Err(QueryError::Workers { found: workers });
        }
        self.workers = workers;
        Ok(self)
    }

    /// With somebody who hears of progress.
    #[must_use]
    pub fn on_progress(mut self, progress: OnProgress<'a>) -> Self {
        self.progress = progress;
        self
    }

    /// With somebody who may cancel it.
    #[must_use]
    pub fn cancelled_by(mut self, cancel: &'a Cancel) -> Self {
        self.cancel = Some(cancel);
        self
    }

    /// How many meet it.
    pub fn count(&self) -> Result<Count, QueryError> {
        let counts = self.sweep(|count: &mut Count, _, _, rows| count.add(Count::of(&rows.found)))?;
        Ok(total(counts))
    }

    /// How many meet it, by the values of a field, in the order of the values. What nobody has is not listed.
    pub fn by(&self, field: &Field) -> Result<Vec<Part>, QueryError> {
        let tallies = self.sweep(|tally: &mut Tally, _, scan, rows| tally.add(field, scan, rows))?;
        let mut all = Tally::default();
        for tally in tallies {
            all.join(tally);
        }
        let (at, unknown) = (
            (self.policy.month(), self.known),
            self.policy.unknown_birth_month(),
        );
        Ok(all.parts(field, self.view, at, unknown)?)
    }

    /// Those who meet it, the first `limit` of them by name.
    pub fn people(&self, limit: usize) -> Result<People, QueryError> {
        self.list(YES, limit)
    }

    /// Those of whom it is undetermined, the first `limit` of them by name.
    pub fn undetermined(&self, limit: usize) -> Result<People, QueryError> {
        self.list(UNDETERMINED, limit)
    }

    fn list(&self, wanted: u8, limit: usize) -> Result<People, QueryError> {
        let predicate = self.predicate()?;
        let job = self.job(&predicate)?;
        let parts = self.sweep_by(&job, |(all, segments): &mut Listed, key, _, rows| {
            let count = Count::of(&rows.found);
            all.add(count);
            let here = if wanted == YES {
                count.matching
            } else {
                count.undetermined
            };
            if here > 0 {
                segments.push((key, here));
            }
        })?;
        let (counts, segments): (Vec<Count>, Vec<_>) = parts.into_iter().unzip();
        let mut segments: Vec<(SegmentKey, u64)> = segments.into_iter().flatten().collect();
        segments.sort_unstable();
        let mut people = Vec::new();
        let mut rows = Rows::new(&job)?;
        for (key, _) in segments {
            if people.len() >= limit {
                break;
            }
            let bytes = self.view.segment(key)?;
            if rows.take(key, &bytes)?.is_none() {
                continue;
            }
            for row in 0..rows.found.len() {
                if rows.found[row] == wanted && people.len() < limit {
                    people.push(rows.person_of(key, row)?);
                }
            }
        }
        Ok(People {
            count: total(counts),
            people,
        })
    }

    /// What it comes to for one person, by everything on record of them; `None` of who is not in scope. Nothing is
    /// shared with how everyone is looked up.
    pub fn truth_of(&self, person: PersonNumber) -> Result<Option<Truth>, QueryError> {
        let predicate = self.predicate()?;
        let reader = CaseReader::new(self.view, self.policy, self.policy.month(), self.known);
        let Some(found) = reader.read(person)? else {
            return Ok(None);
        };
        let around = Around::new(&reader, person);
        let truth = predicate.evaluate(&found.case(&around));
        reader.take_problem()?;
        truth
            .map(Some)
            .map_err(|fault| QueryError::Fault { person, fault })
    }

    /// The names of the attributes that the condition reads, those of people around the person included.
    pub fn attributes(&self) -> Result<Vec<String>, QueryError> {
        Ok(self.predicate()?.attributes())
    }

    /// What will be read.
    pub fn plan(&self) -> Result<Plan, QueryError> {
        let predicate = self.predicate()?;
        let job = self.job(&predicate)?;
        let profiles = |classes: &Classes| {
            let (all, possible) = classes.counts(self.view);
            Profiles {
                all,
                possible,
                classes: classes.len() as u64,
            }
        };
        let units = self.possible_units(&job);
        let reach = self.reach(&job, &units)?;
        let mut plan = Plan {
            attributes: predicate.attributes(),
            persons: profiles(&job.persons),
            households: profiles(&job.households),
            units: (0, 0),
            bands: job.bands.count() as u64,
            segments: 0,
            by_index: reach.by_index,
            opened: 0,
            skipped_by_place: 0,
            skipped_by_profile: 0,
            one_by_one: predicate.reads().asks_own(),
        };
        for unit in self.view.units() {
            let (number, may) = (unit.number.get(), units.has(unit.number.get()));
            let exists = unit.exists_in(self.policy.month(), self.known);
            plan.units.0 += u64::from(exists);
            plan.units.1 += u64::from(exists && may);
            let last = self.view.last_segment_of(number)?;
            let segments = last.map_or(0, |last| u64::from(last.index()) + 1);
            plan.segments += segments;
            plan.skipped_by_place += if may { 0 } else { segments };
        }
        let mut head = HotHead::default();
        let mut read = 0;
        for &range in &reach.ranges {
            self.view.each_segment(range, &mut |key, bytes| {
                let ruled_out = job.rules_out(&mut head, bytes.bytes());
                plan.opened += 1;
                read += u64::from(!ruled_out.map_err(|source| malformed(key, source))?);
                Ok(())
            })?;
        }
        plan.skipped_by_profile = plan.segments - plan.skipped_by_place - read;
        Ok(plan)
    }

    fn predicate(&self) -> Result<Predicate<'a>, QueryError> {
        self.policy.predicate(self.text).map_err(QueryError::Condition)
    }

    /// Settles what can be settled before anybody is looked at.
    fn job<'j>(&'j self, predicate: &'j Predicate<'j>) -> Result<Job<'j>, QueryError> {
        let (view, month) = (self.view, self.policy.month());
        let reads = predicate.reads();
        let places = Places::seen_by(view, predicate, month, self.known)?;
        let anyone = Anyone::new(reads, places.all());
        let persons = Classes::read(view, &reads.person, |profile| {
            anyone.may_be_person(predicate, profile)
        });
        let households = Classes::read(view, &reads.household, |profile| {
            anyone.may_be_of_household(predicate, profile)
        });
        let bands = Bands::with(month, &reads.age, self.policy.unknown_birth_month());
        let others = match &reads.others {
            Some(others) => Some(Ground::of_others(view, self.policy, others, month, self.known)?),
            None => None,
        };
        Ok(Job {
            view,
            others,
            policy: self.policy,
            predicate,
            month,
            known: self.known,
            places,
            persons,
            households,
            band_of: band_of_birth(&bands),
            bands,
        })
    }

    /// The units of which somebody may match: those whose people live in the month in a place that does not rule it
    /// out.
    fn possible_units(&self, job: &Job<'_>) -> Units {
        let anyone = Anyone::new(job.predicate.reads(), job.places.all());
        let places = job.places.all().iter();
        let possible: Vec<bool> = places
            .map(|place| anyone.may_be_in(job.predicate, place))
            .collect();
        Units::of(self.view, |unit| {
            let now = self.view.follow(unit, job.month, self.known);
            let class = now.and_then(|unit| job.places.now(unit));
            class.is_some_and(|class| possible[class as usize])
        })
    }

    /// The segments to open.
    fn reach(&self, job: &Job<'_>, units: &Units) -> Result<Reach, ReadError> {
        // The index tells what is known now.
        if self.known == self.view.newest()
            && let Some(reach) =
                Reach::by_index(self.view, units, job.month, (&job.persons, &job.households))?
        {
            return Ok(reach);
        }
        Reach::all(self.view, units, self.workers)
    }

    fn sweep<S: Default + Send>(
        &self,
        add: impl Fn(&mut S, SegmentKey, &SegmentScan<'_>, &Rows<'_>) + Sync,
    ) -> Result<Vec<S>, QueryError> {
        let predicate = self.predicate()?;
        let job = self.job(&predicate)?;
        self.sweep_by(&job, add)
    }

    /// Lets workers look at every segment that may have somebody, and answers what each of them added up.
    fn sweep_by<S: Default + Send>(
        &self,
        job: &Job<'_>,
        add: impl Fn(&mut S, SegmentKey, &SegmentScan<'_>, &Rows<'_>) + Sync,
    ) -> Result<Vec<S>, QueryError> {
        let ranges = self.reach(job, &self.possible_units(job))?.ranges;
        let new = || Ok((Rows::new(job)?, S::default()));
        let take = |(rows, sum): &mut (Rows<'_>, S), range: &(SegmentKey, SegmentKey)| {
            self.view.each_segment(*range, &mut |key, bytes| {
                if let Some(scan) = rows.take(key, bytes)? {
                    add(sum, key, &scan, rows);
                    rows.room = scan.into_room();
                }
                Ok(())
            })
        };
        let found = share(
            (&new, &take, &|(_, sum)| sum),
            (&ranges, RANGES_AT_ONCE),
            self.workers.min(ranges.len().div_ceil(RANGES_AT_ONCE)).max(1),
            self.progress,
            self.cancel,
        )?;
        Ok(found)
    }
}

const fn why(fault: Fault) -> &'static str {
    match fault {
        Fault::Overflow => "a number is too great",
        Fault::Fraction => "an amount is not a whole number of đồng",
        Fault::Negative => "an amount is below zero",
        Fault::UnfitValue => "a recorded value has another type than its attribute",
        Fault::DivisionByZero => "a number is divided by zero",
        Fault::NoRow => "a table has no row for it",
    }
}

fn total(counts: Vec<Count>) -> Count {
    let mut all = Count::default();
    for count in counts {
        all.add(count);
    }
    all
}
