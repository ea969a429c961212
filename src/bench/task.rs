//! The pieces of work that are measured, each in a process of its own.

use std::collections::VecDeque;
use std::fmt;
use std::fs::File;
use std::hint::black_box;
use std::io::{self, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;
use std::time::Instant as Clock;

use thiserror::Error;

use super::machine::{Dice, median, sync_pages};
use super::{CHANGED_ONE_IN, Figures, IMPORT_PEOPLE_MAX, IN_FLIGHT, WRITERS};
use crate::entitlement::{Preparation, RunAnswer, RunRequest, Scope};
use crate::export::{ExportError, export};
use crate::format::hot::HotView;
use crate::format::locator::SegmentKey;
use crate::import::{ImportError, ImportOptions, import};
use crate::kernel::{Author, ReadError, StoreOptions};
use crate::policy::Pack;
use crate::registry::{QueueError, Registry, RegistryError, RegistryView, Ticket, Transaction, WriteQueue};
use crate::synth::{Synth, SynthError, SynthOptions};
use crate::types::{Identifier, Instant, Month, PersonNumber, Sequence, UnitNumber};

/// Which pack decides a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RunPack {
    /// The whole pack for Vietnam.
    Vietnam,
    /// Some 15 conditions and a table of 11 amounts; one in ten is entitled.
    OneInTen,
    /// Everyone is entitled.
    Everyone,
}

impl RunPack {
    /// The pack.
    pub fn pack(self) -> Pack {
        let text = match self {
            Self::Vietnam => return Pack::vietnam(),
            Self::OneInTen => include_str!("../../policies/bench.toml"),
            Self::Everyone => include_str!("../../policies/bench_everyone.toml"),
        };
        Pack::parse("built in", text)
            .unwrap_or_else(|errors| unreachable!("a pack that is built in: {errors}"))
    }
}

/// A piece of work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Task {
    /// Make a population and load it into a new registry.
    Load,
    /// Import a CSV file into a registry of its own.
    Import,
    /// The room that each part takes.
    Sizes,
    /// Look people up by ID.
    LookUp,
    /// Count those who meet some conditions.
    Count,
    /// Read what a run reads of everybody, without evaluating anything.
    Scan,
    /// Run the month, and void it.
    Run,
    /// Change 1.5 of a hundred people after the month.
    Change,
    /// Updates one by one, each with a commit of its own.
    Single,
    /// Updates of many threads through the queue.
    Grouped,
    /// Adopt the pack of which one in ten is entitled.
    AdoptOneInTen,
    /// Adopt the pack by which everyone is entitled.
    AdoptEveryone,
    /// Adopt the pack for Vietnam again.
    AdoptVietnam,
}

/// Every task, with the name that it has between processes.
const TASKS: [(Task, &str); 13] = [
    (Task::Load, "load"),
    (Task::Import, "import"),
    (Task::Sizes, "sizes"),
    (Task::LookUp, "look-up"),
    (Task::Count, "count"),
    (Task::Scan, "scan"),
    (Task::Run, "run"),
    (Task::Change, "change"),
    (Task::Single, "single"),
    (Task::Grouped, "grouped"),
    (Task::AdoptOneInTen, "adopt-one-in-ten"),
    (Task::AdoptEveryone, "adopt-everyone"),
    (Task::AdoptVietnam, "adopt-vietnam"),
];

impl fmt::Display for Task {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = TASKS.iter().find(|(task, _)| task == self).map(|(_, name)| *name);
        f.write_str(name.unwrap_or_default())
    }
}

impl FromStr for Task {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let known = TASKS.iter().find(|(_, name)| *name == text);
        known
            .map(|(task, _)| *task)
            .ok_or_else(|| format!("there is no task {text:?}"))
    }
}

/// Why something could not be measured.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum BenchError {
    /// The registry refused or failed.
    #[error(transparent)]
    Registry(#[from] RegistryError),
    /// The queue refused or failed.
    #[error(transparent)]
    Queue(#[from] QueueError),
    /// The population could not be made.
    #[error(transparent)]
    Synth(#[from] SynthError),
    /// The CSV file could not be written.
    #[error(transparent)]
    Export(#[from] ExportError),
    /// The CSV file could not be read.
    #[error(transparent)]
    Import(#[from] ImportError),
    /// The disk failed.
    #[error("{}: {source}; look at the disk and its free space", path.display())]
    Disk {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The registry does not hold what was put in it.
    #[error("the registry that is measured is not as it was made: {0}; delete it and measure again")]
    Unexpected(String),
}

impl From<ReadError> for BenchError {
    fn from(error: ReadError) -> Self {
        RegistryError::from(error).into()
    }
}

/// The cache with which people are looked up: their indexes stay in it.
const LOOK_UP_CACHE_BYTES: usize = 2 << 30;
/// How many people are looked up.
const LOOK_UPS: u64 = 200_000;
/// How many updates are made one by one.
const SINGLE_UPDATES: u64 = 200;
/// How many are made through the queue, at most; fewer people take fewer.
const GROUPED_UPDATES: u64 = 60_000;
/// How many changes of people one transaction makes.
const CHANGES_A_TRANSACTION: usize = 20_000;
const PAGE_BYTES: u64 = 4_096;

/// The month that is run. Populations are made for it.
fn june() -> Month {
    SynthOptions::default().month
}

/// The month after it, in which changes take effect.
fn july() -> Month {
    june().plus(1).unwrap_or(Month::MAX)
}

/// When everything happens; only sequences order transactions.
const AT: Instant = Instant::from_unix_millis(1_780_272_000_000);

fn author(reason: &str) -> Author {
    Author::new("ansinh bench", reason)
}

/// Does a piece of work on the registry of a file, and tells what it took.
pub fn perform(task: Task, path: &Path, people: u64, seed: u64) -> Result<Figures, BenchError> {
    let mut found = Found::default();
    match task {
        Task::Load => load(&mut found, path, people, seed)?,
        Task::Import => import_csv(&mut found, path, people.min(IMPORT_PEOPLE_MAX), seed)?,
        Task::Sizes => sizes(&mut found, path)?,
        Task::LookUp => look_up(&mut found, path, people)?,
        Task::Count => count(&mut found, path)?,
        Task::Scan => scan(&mut found, path)?,
        Task::Run => run(&mut found, path)?,
        Task::Change => change(&mut found, path, people)?,
        Task::Single => single(&mut found, path, people)?,
        Task::Grouped => grouped(&mut found, path, people)?,
        Task::AdoptOneInTen => adopt(path, RunPack::OneInTen)?,
        Task::AdoptEveryone => adopt(path, RunPack::Everyone)?,
        Task::AdoptVietnam => adopt(path, RunPack::Vietnam)?,
    }
    Ok(found.0)
}

#[derive(Default)]
struct Found(Figures);

impl Found {
    fn put(&mut self, name: &str, value: f64) {
        self.0.insert(name.to_owned(), value);
    }

    /// Puts the seconds since a clock began, and begins it again.
    fn lap(&mut self, name: &str, clock: &mut Clock) {
        self.put(name, clock.elapsed().as_secs_f64());
        *clock = Clock::now();
    }

    /// Puts the median and the 99th percentile of seconds, as microseconds.
    fn put_micros(&mut self, name: &str, mut seconds: Vec<f64>) {
        seconds.sort_unstable_by(f64::total_cmp);
        let at = |of: usize| {
            seconds
                .get((seconds.len() - 1) * of / 100)
                .copied()
                .unwrap_or(0.0)
                * 1e6
        };
        self.put(&format!("{name}_median_micros"), at(50));
        self.put(&format!("{name}_99th_micros"), at(99));
    }
}

fn disk(path: &Path) -> impl FnOnce(io::Error) -> BenchError {
    let path = path.to_owned();
    move |source| BenchError::Disk { path, source }
}

fn workers() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
}

fn load(found: &mut Found, path: &Path, people: u64, seed: u64) -> Result<(), BenchError> {
    let registry = Registry::create(path, &Pack::vietnam(), AT)?;
    let mut clock = Clock::now();
    populate(&registry, people, seed)?;
    found.lap("load_seconds", &mut clock);
    registry.close()?;
    let bytes = std::fs::metadata(path).map_err(disk(path))?.len();
    found.put("file_bytes", bytes as f64);
    Ok(())
}

fn populate(registry: &Registry, people: u64, seed: u64) -> Result<(), BenchError> {
    let options = SynthOptions {
        people,
        seed,
        ..SynthOptions::default()
    };
    let view = registry.begin_read()?;
    let units: Vec<_> = view.units().iter().map(|unit| unit.declared.clone()).collect();
    let synth = Synth::new(options, view.catalogue(), &units)?;
    drop(view);
    let mut transaction = registry.begin_write(author("population"), AT)?;
    synth.load(&mut transaction, workers(), |_| {})?;
    transaction.commit()?;
    Ok(())
}

/// A registry of its own is exported and imported again; only the import counts.
fn import_csv(found: &mut Found, path: &Path, people: u64, seed: u64) -> Result<(), BenchError> {
    let folder = tempfile::tempdir_in(path.parent().unwrap_or(Path::new("."))).map_err(disk(path))?;
    let csv = folder.path().join("people.csv");
    let from = Registry::create(folder.path().join("from.ansinh"), &Pack::vietnam(), AT)?;
    populate(&from, people, seed)?;
    let view = from.begin_read()?;
    let mut out = BufWriter::new(File::create(&csv).map_err(disk(&csv))?);
    export(&view, &mut out, &mut |_| {})?;
    out.flush().map_err(disk(&csv))?;
    drop(view);
    from.close()?;
    let registry = Registry::create(folder.path().join("to.ansinh"), &Pack::vietnam(), AT)?;
    let input = BufReader::new(File::open(&csv).map_err(disk(&csv))?);
    let options = ImportOptions::new(author("import"), AT).on(workers());
    let mut clock = Clock::now();
    let report = import(registry.store(), input, &options, None, &mut |_| {})?;
    found.lap("import_seconds", &mut clock);
    if report.rejected > 0 {
        return Err(BenchError::Unexpected(format!(
            "{} rows were rejected",
            report.rejected
        )));
    }
    found.put("import_people", people as f64);
    registry.close()?;
    Ok(())
}

fn sizes(found: &mut Found, path: &Path) -> Result<(), BenchError> {
    let registry = Registry::open_read_only(path)?;
    let view = registry.begin_read()?;
    for size in view.table_sizes()? {
        found.put(&format!("part_{}_bytes", size.name), size.bytes() as f64);
    }
    Ok(())
}

fn look_up(found: &mut Found, path: &Path, people: u64) -> Result<(), BenchError> {
    let options = StoreOptions {
        cache_bytes: LOOK_UP_CACHE_BYTES,
    };
    let registry = Registry::open_read_only_with(path, options)?;
    let view = registry.begin_read()?;
    let mut dice = Dice(1);
    let missing = |person: PersonNumber| BenchError::Unexpected(format!("{person} is missing"));
    let mut ids: Vec<Identifier> = Vec::new();
    for _ in 0..people.min(LOOK_UPS) {
        let person = PersonNumber(dice.roll(people) as u32 + 1);
        let state = view.person(person, june(), Sequence::NEWEST)?;
        ids.push(state.ok_or_else(|| missing(person))?.identifier);
    }
    let mut rows = Vec::with_capacity(ids.len());
    let mut whole = Vec::with_capacity(ids.len());
    for _ in 0..ids.len() {
        let id = ids[dice.roll(ids.len() as u64) as usize];
        let clock = Clock::now();
        let person = view.find_person(id, Sequence::NEWEST)?;
        let person = person.ok_or_else(|| BenchError::Unexpected(format!("{} is missing", id.masked())))?;
        black_box(view.row_of(person)?);
        rows.push(clock.elapsed().as_secs_f64());
    }
    for _ in 0..ids.len() {
        let id = ids[dice.roll(ids.len() as u64) as usize];
        let clock = Clock::now();
        let person = view.find_person(id, Sequence::NEWEST)?;
        let person = person.ok_or_else(|| BenchError::Unexpected(format!("{} is missing", id.masked())))?;
        black_box(view.person(person, june(), Sequence::NEWEST)?);
        black_box(view.dossier(person)?);
        whole.push(clock.elapsed().as_secs_f64());
    }
    found.put_micros("row", rows);
    found.put_micros("person", whole);
    Ok(())
}

/// Reads every hot segment with all workers, and looks at each byte.
fn scan(found: &mut Found, path: &Path) -> Result<(), BenchError> {
    let registry = Registry::open_read_only(path)?;
    let view = registry.begin_read()?;
    let mut clock = Clock::now();
    let units: Vec<UnitNumber> = view.units().iter().map(|unit| unit.number).collect();
    let part = units.len().div_ceil(workers()).max(1);
    let kernel: &crate::kernel::View = &view;
    let bytes = std::thread::scope(|scope| {
        let readers: Vec<_> = units
            .chunks(part)
            .map(|units| scope.spawn(move || scan_units(kernel, units)))
            .collect();
        let mut all = 0;
        for reader in readers {
            let read = reader.join();
            all += read.map_err(|_| BenchError::Unexpected("a reader stopped".to_owned()))??;
        }
        Ok::<u64, BenchError>(all)
    })?;
    found.lap("scan_seconds", &mut clock);
    found.put("scan_bytes", bytes as f64);
    Ok(())
}

/// Reads the hot segments of some units; answers their bytes.
fn scan_units(view: &crate::kernel::View, units: &[UnitNumber]) -> Result<u64, BenchError> {
    let mut bytes = 0;
    for unit in units {
        let key = |index| SegmentKey::new(unit.get(), index);
        view.each_segment((key(0), key(u16::MAX)), &mut |key, segment| {
            let hot = HotView::parse(segment.bytes()).map_err(|source| ReadError::Format {
                table: "hot",
                key: key.number().to_string(),
                source,
            })?;
            black_box((0..hot.rows()).map(|row| hot.lives.get(row)).sum::<usize>());
            black_box(hot.births().iter().map(|&byte| u64::from(byte)).sum::<u64>());
            bytes += segment.bytes().len() as u64;
            Ok(())
        })?;
    }
    Ok(bytes)
}

/// Runs the month from the opening of the file to the durable commit, and voids it, so that it can be run again.
fn run(found: &mut Found, path: &Path) -> Result<(), BenchError> {
    let mut clock = Clock::now();
    let all = clock;
    let registry = Registry::open_with(path, StoreOptions::for_one_run())?;
    let view = registry.begin_read()?;
    let request = RunRequest::monthly(june());
    view.policy()?;
    found.lap("open_seconds", &mut clock);
    let Preparation::Ready(prepared) = view.prepare_run(&request, &|_, _| {})? else {
        return Err(BenchError::Unexpected(format!("{} was run already", june())));
    };
    found.lap("prepare_seconds", &mut clock);
    let (header, cells) = (prepared.header.clone(), prepared.cells);
    let bytes: usize = prepared.ledger_bytes().map(<[u8]>::len).sum();
    drop(view);
    clock = Clock::now();
    let answer = registry.commit_run(*prepared, &request, author("run"), AT)?;
    found.lap("commit_seconds", &mut clock);
    found.put("run_seconds", all.elapsed().as_secs_f64());
    if matches!(answer, RunAnswer::Exists(_)) {
        return Err(BenchError::Unexpected(format!("{} was run meanwhile", june())));
    }
    found.put("people", header.people as f64);
    found.put("paid", header.paid as f64);
    found.put("one_by_one", header.one_by_one as f64);
    found.put("cells", cells as f64);
    found.put("ledger_bytes", bytes as f64);
    registry.void_run(june(), Scope::Country, author("so that it can be run again"), AT)?;
    registry.close()?;
    Ok(())
}

/// Records that a person's circumstances change in July. Whoever of them is somebody else by then is left as they are.
fn update(tx: &mut Transaction<'_>, person: PersonNumber, kind: u64) -> Result<(), RegistryError> {
    let (attribute, value) = [
        ("disability", "severe"),
        ("channel", "account"),
        ("disability", "light"),
        ("stable_income", "true"),
        ("channel", "cash_post"),
        ("pension", "pension"),
    ][(kind % 6) as usize];
    match tx.record(person, attribute, value, july()) {
        Ok(_) => Ok(()),
        // A merged or mistaken record takes no changes.
        Err(error) if error.refusal().is_some() => Ok(()),
        Err(error) => Err(error),
    }
}

fn change(found: &mut Found, path: &Path, people: u64) -> Result<(), BenchError> {
    let registry = Registry::open(path)?;
    let mut dice = Dice(2);
    let all: Vec<u64> = (0..people / CHANGED_ONE_IN).collect();
    let mut clock = Clock::now();
    for some in all.chunks(CHANGES_A_TRANSACTION) {
        let mut transaction = registry.begin_write(author("changes since"), AT)?;
        for &at in some {
            let person = at * CHANGED_ONE_IN + dice.roll(CHANGED_ONE_IN) + 1;
            update(&mut transaction, PersonNumber(person as u32), at)?;
        }
        transaction.commit()?;
    }
    found.lap("change_seconds", &mut clock);
    found.put("changed", all.len() as f64);
    registry.close()?;
    Ok(())
}

/// Updates of random people, each with a commit of its own, beside this disk's own sync of the same bytes.
fn single(found: &mut Found, path: &Path, people: u64) -> Result<(), BenchError> {
    let registry = Registry::open(path)?;
    let mut dice = Dice(3);
    let before = registry.store().backend_stats();
    let mut seconds = Vec::new();
    for number in 0..SINGLE_UPDATES {
        let person = PersonNumber(dice.roll(people) as u32 + 1);
        let clock = Clock::now();
        let mut transaction = registry.begin_write(author("update"), AT)?;
        update(&mut transaction, person, number)?;
        transaction.commit()?;
        seconds.push(clock.elapsed().as_secs_f64());
    }
    let after = registry.store().backend_stats();
    let bytes = (after.bytes_written - before.bytes_written) / SINGLE_UPDATES;
    registry.close()?;
    let folder = path.parent().unwrap_or(Path::new("."));
    let pages = bytes.div_ceil(PAGE_BYTES).max(1);
    let sync = sync_pages(folder, pages, SINGLE_UPDATES as usize).map_err(disk(folder))?;
    found.put("single_sync_micros", sync * 1e6);
    found.put("single_bytes", bytes as f64);
    found.put(
        "single_mean_micros",
        seconds.iter().sum::<f64>() / SINGLE_UPDATES as f64 * 1e6,
    );
    found.put_micros("single", seconds);
    Ok(())
}

/// Updates of random people by many threads, each of which has so many in flight.
fn grouped(found: &mut Found, path: &Path, people: u64) -> Result<(), BenchError> {
    let registry = Arc::new(Registry::open(path)?);
    let queue = WriteQueue::start(Arc::clone(&registry))?;
    let each = GROUPED_UPDATES.min(people * 4) / WRITERS;
    let (first, before) = (registry.begin_read()?.newest(), registry.store().backend_stats());
    let mut clock = Clock::now();
    let waits = std::thread::scope(|scope| {
        let writers: Vec<_> = (0..WRITERS)
            .map(|writer| {
                let queue = &queue;
                scope.spawn(move || submit_all(queue, writer, each, people))
            })
            .collect();
        let mut waits = Vec::new();
        for writer in writers {
            let own = writer.join();
            waits.extend(own.map_err(|_| BenchError::Unexpected("a writer stopped".to_owned()))??);
        }
        Ok::<_, BenchError>(waits)
    })?;
    found.lap("grouped_seconds", &mut clock);
    queue.close();
    let after = registry.store().backend_stats();
    let made = registry.begin_read()?.newest().get() - first.get();
    if made != each * WRITERS {
        return Err(BenchError::Unexpected(format!(
            "{made} updates of {} are in the log",
            each * WRITERS
        )));
    }
    found.put("grouped_updates", made as f64);
    found.put("grouped_syncs", (after.syncs - before.syncs) as f64);
    found.put(
        "grouped_bytes",
        (after.bytes_written - before.bytes_written) as f64,
    );
    found.put_micros("grouped", waits);
    Ok(())
}

/// What one thread submits; answers how long each update took from its submission to its result, in seconds.
fn submit_all(queue: &WriteQueue, writer: u64, updates: u64, people: u64) -> Result<Vec<f64>, BenchError> {
    let mut dice = Dice(1_000 + writer);
    let mut waiting: VecDeque<(Clock, Ticket<()>)> = VecDeque::new();
    let mut seconds = Vec::with_capacity(updates as usize);
    for number in 0..updates {
        if waiting.len() == IN_FLIGHT
            && let Some((begun, ticket)) = waiting.pop_front()
        {
            ticket.wait()?;
            seconds.push(begun.elapsed().as_secs_f64());
        }
        let person = PersonNumber(dice.roll(people) as u32 + 1);
        let begun = Clock::now();
        let ticket = queue.submit(author("update"), AT, move |tx| {
            update(tx, person, writer + number)
        })?;
        waiting.push_back((begun, ticket));
    }
    for (begun, ticket) in waiting {
        ticket.wait()?;
        seconds.push(begun.elapsed().as_secs_f64());
    }
    Ok(seconds)
}

fn adopt(path: &Path, pack: RunPack) -> Result<(), BenchError> {
    let registry = Registry::open(path)?;
    let mut transaction = registry.begin_write(author("policy"), AT)?;
    transaction.adopt(&pack.pack())?;
    transaction.commit()?;
    registry.close()?;
    Ok(())
}

/// The conditions that are counted.
const CONDITIONS: [&str; 6] = [
    "age >= 75 and pension == none",
    "disability in [severe, extremely_severe]",
    "household.poverty == poor and age < 3",
    "sex == female and age >= 60",
    "commune.difficult and age < 6",
    "enrolment.social_pension == active",
];

/// Conditions that a rare fact decides: of a million people, five to thirty meet them.
const RARE_CONDITIONS: [&str; 3] = [
    "enrolment.merit_heroic_mother == active",
    "enrolment.merit_pre1945 == active and age >= 80",
    "enrolment.merit_hero in [active, suspended]",
];

/// How many people meet each of some conditions: with an empty cache, and again when it is filled.
fn count(found: &mut Found, path: &Path) -> Result<(), BenchError> {
    let (cold, warm) = time_counts(path, &CONDITIONS)?;
    let worst = |seconds: &[f64]| seconds.iter().copied().fold(0.0, f64::max);
    found.put("count_cold_seconds", worst(&cold));
    found.put("count_worst_seconds", worst(&warm));
    found.put("count_median_seconds", median(warm));
    let (cold, warm) = time_counts(path, &RARE_CONDITIONS)?;
    found.put("count_rare_cold_seconds", worst(&cold));
    found.put("count_rare_seconds", worst(&warm));
    Ok(())
}

/// The seconds that counting takes with the cache of a file that was just opened, and the seconds when all of the
/// conditions were counted before.
fn time_counts(path: &Path, conditions: &[&str]) -> Result<(Vec<f64>, Vec<f64>), BenchError> {
    let time = |view: &RegistryView, condition: &str| -> Result<f64, BenchError> {
        let find = view.find(condition)?.month(june());
        // The pack is read when the file is opened.
        find.attributes()?;
        let clock = Clock::now();
        black_box(find.count()?.matching);
        Ok(clock.elapsed().as_secs_f64())
    };
    let mut cold = Vec::new();
    for condition in conditions {
        let registry = Registry::open_read_only(path)?;
        cold.push(time(&registry.begin_read()?, condition)?);
    }
    let registry = Registry::open_read_only(path)?;
    let view = registry.begin_read()?;
    for condition in conditions {
        time(&view, condition)?;
    }
    let warm = conditions.iter().map(|condition| time(&view, condition));
    Ok((cold, warm.collect::<Result<_, _>>()?))
}

/// The median of a figure over several repetitions.
pub fn medians(repeated: &[Figures]) -> Figures {
    let mut all = Figures::new();
    for name in repeated.iter().flat_map(Figures::keys) {
        let values: Vec<f64> = repeated
            .iter()
            .filter_map(|figures| figures.get(name).copied())
            .collect();
        all.insert(name.clone(), median(values));
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_task_has_a_name_of_its_own() {
        for (task, name) in TASKS {
            assert_eq!(task.to_string(), name);
            assert_eq!(name.parse::<Task>().unwrap(), task);
        }
        assert!("fly".parse::<Task>().is_err());
    }

    #[test]
    fn the_packs_that_are_built_in_load_and_their_examples_pass() {
        for pack in [RunPack::OneInTen, RunPack::Everyone] {
            let pack = pack.pack();
            let examples = pack.run_examples();
            assert!(!examples.is_empty());
            assert!(examples.iter().all(|example| example.passed), "{}", pack.id());
        }
    }

    #[test]
    fn the_median_of_each_figure_is_its_own() {
        let figures = |a: f64, b: f64| Figures::from([("a".to_owned(), a), ("b".to_owned(), b)]);
        let found = medians(&[figures(1.0, 9.0), figures(3.0, 7.0), figures(2.0, 8.0)]);
        assert_eq!(found, figures(2.0, 8.0));
    }
}
