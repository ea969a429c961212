//! The queue of small changes: any number of threads submit them, one committer writes many in one commit.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread::JoinHandle;

use crossbeam::channel::{Receiver, Sender, TryRecvError, TrySendError, bounded};
use thiserror::Error;

use super::{Registry, RegistryError, Transaction};
use crate::kernel::{Author, Dropped, WriteError};
use crate::query::crew::panic_text;
use crate::types::{Instant, Sequence};

/// How many changes may wait in a queue. Whoever submits one more waits until there is room.
pub const QUEUE_CHANGES_MAX: usize = 4_096;
/// How many changes one commit writes at most. It bounds the memory of a commit, and how long the first change of it
/// waits for the last.
pub const GROUP_CHANGES_MAX: usize = 2_048;

const _: () = assert!(GROUP_CHANGES_MAX <= QUEUE_CHANGES_MAX);

/// Why a change that was given to a queue was not made, or may not have been.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum QueueError {
    /// The change was refused, or failed by itself. Nothing is left of it; changes beside it are not touched.
    #[error(transparent)]
    Change(Box<RegistryError>),
    /// The closure panicked. Nothing is left of the change; the queue and the changes beside it go on.
    #[error("the change panicked: {0}; nothing of it was written, and the queue goes on")]
    Panicked(String),
    /// The commit in which the change was could not be begun or written. Nothing was changed.
    #[error("the change was not written, nor any that was committed with it: {0}")]
    NotWritten(Arc<RegistryError>),
    /// The commit itself failed. The change may nevertheless have become durable, with all of its commit.
    #[error("the change, with sequence {sequence}, may or may not have been written: {source}")]
    CommitUnknown {
        /// The sequence that the change has if it was written.
        sequence: Sequence,
        /// What the commit said.
        source: Arc<RegistryError>,
    },
    /// So many changes wait already that there is no room for one more.
    #[error("{max} changes wait in the queue already; wait for some of them, or submit without `try_`")]
    Full {
        /// The limit.
        max: usize,
    },
    /// The committer has ended, so the change was never begun.
    #[error("the queue has ended; open the registry again, and look whether the change is in it")]
    Ended,
    /// The committer could not be started.
    #[error("cannot start the thread of the queue: {0}")]
    Start(std::io::Error),
}

impl QueueError {
    /// The error of the change itself, if it was refused or failed by itself.
    pub fn change(&self) -> Option<&RegistryError> {
        match self {
            Self::Change(error) => Some(error),
            _ => None,
        }
    }
}

/// What became of a change that is durable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Written<T> {
    /// The sequence of its record in the log.
    pub sequence: Sequence,
    /// What the change answered.
    pub value: T,
}

/// The claim to the result of a change. Dropping it changes nothing: the change is made all the same.
#[derive(Debug)]
#[must_use = "without the result nobody knows whether the change was made"]
pub struct Ticket<T> {
    result: Receiver<Result<Written<T>, QueueError>>,
}

impl<T> Ticket<T> {
    /// Waits until the change is durable, or is not made.
    pub fn wait(self) -> Result<Written<T>, QueueError> {
        self.result.recv().unwrap_or(Err(QueueError::Ended))
    }

    /// The result if it is there already, or the ticket again.
    pub fn poll(self) -> Result<Result<Written<T>, QueueError>, Self> {
        match self.result.try_recv() {
            Ok(result) => Ok(result),
            Err(TryRecvError::Empty) => Err(self),
            Err(TryRecvError::Disconnected) => Ok(Err(QueueError::Ended)),
        }
    }
}

/// A queue of changes to a registry, with a thread that commits them.
///
/// Each change is made as in a transaction of its own: it sees the changes before it, it has its own record in the log
/// with its author, reason and instant, and it is made whole or not at all. But the changes that have come in while a
/// commit was under way are written by the next one together, so that many callers share one sync of the disk.
/// Views, and other transactions of the same registry, go on beside the queue.
///
/// ```
/// use std::sync::Arc;
///
/// use ansinh::kernel::Author;
/// use ansinh::policy::Pack;
/// use ansinh::registry::{Person, Registry, WriteQueue};
/// use ansinh::types::{Date, Instant, Month, Sex};
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("national.ansinh");
/// let instant = Instant::from_unix_millis(1_780_272_000_000);
/// let registry = Arc::new(Registry::create(&path, &Pack::vietnam(), instant)?);
/// let queue = WriteQueue::start(Arc::clone(&registry))?;
///
/// let born: Date = "1950-03-17".parse()?;
/// let home = "00004".parse()?;
/// let inserted = queue.submit(Author::new("clerk 00004", "application 17"), instant, move |tx| {
///     tx.insert(&Person::new("Nguyễn Văn A", born, Sex::Male).commune(home))
/// })?;
/// let person = inserted.wait()?.value;
/// let june = Month::new(2026, 6)?;
/// let recorded = queue.submit(Author::new("clerk 00004", "decision 112/QĐ-UBND"), instant, move |tx| {
///     tx.record(person, "disability", "severe", june)
/// })?;
/// assert_eq!(recorded.wait()?.sequence, registry.begin_read()?.newest());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// **Order.** The changes that one thread submits are made in the order in which it submits them. **Room.** At most
/// [`QUEUE_CHANGES_MAX`] changes wait; [`WriteQueue::submit`] then waits for room, [`WriteQueue::try_submit`] says so.
/// **Failure.** A change that is refused, fails or panics leaves nothing, and the changes beside it are made. If the
/// storage fails, every change of the commit gets the error; later changes get one too until the registry is opened
/// again. Operations may be repeated, as ever: what is so already is answered as such. **Ending.** When the queue is
/// closed or dropped, the changes that wait are committed first.
///
/// A change is short: while one is made, the others wait. It must not wait for the queue, nor begin a transaction, since
/// both wait for it. Packs, bulk loads and runs are refused; they have transactions of their own.
#[derive(Debug)]
pub struct WriteQueue {
    waiting: Option<Sender<Box<dyn Change>>>,
    committer: Option<JoinHandle<()>>,
}

impl WriteQueue {
    /// Starts the thread that commits.
    pub fn start(registry: Arc<Registry>) -> Result<Self, QueueError> {
        let (sender, waiting) = bounded(QUEUE_CHANGES_MAX);
        let committer = std::thread::Builder::new()
            .name("ansinh queue".to_owned())
            .spawn(move || commit_all(&registry, &waiting))
            .map_err(QueueError::Start)?;
        Ok(Self {
            waiting: Some(sender),
            committer: Some(committer),
        })
    }

    /// Gives a change to the queue; waits while the queue is full.
    ///
    /// `author` says who and why; `instant` when. `change` makes it, and is called once, on the queue's thread.
    pub fn submit<T, F>(&self, author: Author, instant: Instant, change: F) -> Result<Ticket<T>, QueueError>
    where
        T: Send + 'static,
        F: FnOnce(&mut Transaction<'_>) -> Result<T, RegistryError> + Send + 'static,
    {
        let (change, ticket) = pending(author, instant, change);
        let sent = self.waiting.as_ref().map(|waiting| waiting.send(change));
        match sent {
            Some(Ok(())) => Ok(ticket),
            _ => Err(QueueError::Ended),
        }
    }

    /// Gives a change to the queue, unless it is full.
    pub fn try_submit<T, F>(
        &self,
        author: Author,
        instant: Instant,
        change: F,
    ) -> Result<Ticket<T>, QueueError>
    where
        T: Send + 'static,
        F: FnOnce(&mut Transaction<'_>) -> Result<T, RegistryError> + Send + 'static,
    {
        let (change, ticket) = pending(author, instant, change);
        let sent = self.waiting.as_ref().map(|waiting| waiting.try_send(change));
        match sent {
            Some(Ok(())) => Ok(ticket),
            Some(Err(TrySendError::Full(_))) => Err(QueueError::Full {
                max: QUEUE_CHANGES_MAX,
            }),
            _ => Err(QueueError::Ended),
        }
    }

    /// Commits what waits, and ends. Dropping the queue does the same.
    pub fn close(self) {
        drop(self);
    }
}

impl Drop for WriteQueue {
    fn drop(&mut self) {
        // Without a sender the committer ends when nothing waits any more.
        self.waiting = None;
        if let Some(committer) = self.committer.take()
            // A change that holds the last handle of the queue drops it on the committer's own thread.
            && committer.thread().id() != std::thread::current().id()
        {
            // It ends by a panic only by a fault of its own; every ticket then says that the queue has ended.
            let _ = committer.join();
        }
    }
}

/// A change that waits, whatever it answers.
trait Change: Send {
    /// Who, why and when.
    fn head(&self) -> (Author, Instant);
    /// Makes it, within a record that has begun.
    fn make(&mut self, transaction: &mut Transaction<'_>) -> Result<(), RegistryError>;
    /// Tells whoever waits what became of it.
    fn answer(self: Box<Self>, result: Result<Sequence, QueueError>);
}

struct Pending<T, F> {
    author: Author,
    instant: Instant,
    change: Option<F>,
    value: Option<T>,
    result: Sender<Result<Written<T>, QueueError>>,
}

fn pending<T, F>(author: Author, instant: Instant, change: F) -> (Box<dyn Change>, Ticket<T>)
where
    T: Send + 'static,
    F: FnOnce(&mut Transaction<'_>) -> Result<T, RegistryError> + Send + 'static,
{
    let (sender, result) = bounded(1);
    let pending = Pending {
        author,
        instant,
        change: Some(change),
        value: None,
        result: sender,
    };
    (Box::new(pending), Ticket { result })
}

impl<T, F> Change for Pending<T, F>
where
    T: Send,
    F: FnOnce(&mut Transaction<'_>) -> Result<T, RegistryError> + Send,
{
    fn head(&self) -> (Author, Instant) {
        (self.author.clone(), self.instant)
    }

    fn make(&mut self, transaction: &mut Transaction<'_>) -> Result<(), RegistryError> {
        if let Some(change) = self.change.take() {
            self.value = Some(change(transaction)?);
        }
        Ok(())
    }

    fn answer(self: Box<Self>, result: Result<Sequence, QueueError>) {
        let written = match (result, self.value) {
            (Ok(sequence), Some(value)) => Ok(Written { sequence, value }),
            (Ok(_), None) => Err(QueueError::Ended),
            (Err(error), _) => Err(error),
        };
        // Whoever submitted it may not want to know.
        let _ = self.result.send(written);
    }
}

/// What the committer does until every handle of the queue is gone and nothing waits.
fn commit_all(registry: &Registry, waiting: &Receiver<Box<dyn Change>>) {
    while let Ok(first) = waiting.recv() {
        match registry.begin_group() {
            Ok(transaction) => commit_group(transaction, first, waiting),
            Err(error) => answer(first, Err(QueueError::NotWritten(Arc::new(error)))),
        }
    }
}

/// Makes the change that came first and those that wait, and commits them together.
fn commit_group(
    mut transaction: Transaction<'_>,
    first: Box<dyn Change>,
    waiting: &Receiver<Box<dyn Change>>,
) {
    let mut made: Vec<(Sequence, Box<dyn Change>)> = Vec::new();
    // Refused changes count too, so that a stream of them does not keep what was made from being committed.
    let mut tried = 0;
    let mut next = Some(first);
    while let Some(mut change) = next.take() {
        tried += 1;
        let refused = match make(&mut transaction, change.as_mut()) {
            Ok(sequence) => {
                made.push((sequence, change));
                None
            }
            Err(error) => Some((change, error)),
        };
        if let Some((change, error)) = refused {
            let dropped = transaction.kernel().drop_record();
            answer(change, Err(error));
            match dropped {
                Ok(Dropped::Unchanged) => {}
                // What had been made was made again. Each change goes through that once at most, because it is
                // committed now.
                Ok(Dropped::Rebuilt) => break,
                Err(error) => return answer_all(made, &Arc::new(error.into())),
            }
        }
        if tried < GROUP_CHANGES_MAX {
            next = waiting.try_recv().ok();
        }
    }
    match transaction.commit() {
        Ok(_) => {
            for (sequence, change) in made {
                answer(change, Ok(sequence));
            }
        }
        Err(error) => answer_all(made, &Arc::new(error)),
    }
}

/// Tells everyone of a group why it was not written, or that it may have been.
fn answer_all(made: Vec<(Sequence, Box<dyn Change>)>, error: &Arc<RegistryError>) {
    let unknown = matches!(**error, RegistryError::Write(WriteError::CommitUnknown { .. }));
    for (sequence, change) in made {
        let source = Arc::clone(error);
        let error = if unknown {
            QueueError::CommitUnknown { sequence, source }
        } else {
            QueueError::NotWritten(source)
        };
        answer(change, Err(error));
    }
}

/// Tells whoever waits. An answer that nobody waits for any more is dropped here, and may panic in that.
fn answer(change: Box<dyn Change>, result: Result<Sequence, QueueError>) {
    let _ = catch_unwind(AssertUnwindSafe(|| change.answer(result)));
}

/// Makes a change as a record of its own. After an error something of it may be in the transaction.
fn make(transaction: &mut Transaction<'_>, change: &mut dyn Change) -> Result<Sequence, QueueError> {
    let (author, instant) = change.head();
    let made = catch_unwind(AssertUnwindSafe(|| {
        transaction.begin_record(author, instant)?;
        change.make(transaction)?;
        Ok(transaction.kernel().end_record()?)
    }));
    match made {
        Ok(Ok(sequence)) => Ok(sequence),
        Ok(Err(error)) => Err(QueueError::Change(Box::new(error))),
        Err(panic) => Err(QueueError::Panicked(panic_text(panic.as_ref()))),
    }
}
