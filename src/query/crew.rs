//! Threads that take the segments of a registry.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use crate::format::locator::SegmentKey;
use crate::kernel::{ReadError, SegmentBytes, View};
use crate::types::UnitNumber;

/// The units whose segments a worker takes at once.
const UNITS_AT_ONCE: usize = 4;

/// Lets somebody else end a run or a comparison that goes on: another thread, or whoever hears of its progress.
///
/// Clones are one and the same: what is cancelled by one of them is cancelled for all, and stays so. Two are equal if they
/// are clones of one.
///
/// ```
/// use ansinh::entitlement::{Cancel, RunRequest};
/// let cancel = Cancel::default();
/// let request = RunRequest::monthly("2026-06".parse()?).cancelled_by(cancel.clone());
/// assert_eq!(request.cancel, Some(cancel.clone()));
/// cancel.cancel();
/// assert!(request.cancel.is_some_and(|cancel| cancel.is_cancelled()));
/// # Ok::<(), ansinh::types::MonthError>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct Cancel(Arc<AtomicBool>);

impl Cancel {
    /// Ends what goes on as soon as its threads have finished the segments that they are at.
    pub fn cancel(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether somebody did.
    pub fn is_cancelled(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

impl PartialEq for Cancel {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for Cancel {}

/// What takes segments, in ascending order but not all of them.
pub(crate) trait TakesSegments {
    /// What it hands over in the end.
    type Found: Send;

    /// Takes one segment.
    fn take(&mut self, segment: SegmentKey, bytes: &SegmentBytes) -> Result<(), ReadError>;

    /// There are no more.
    fn finish(self) -> Self::Found;
}

/// Why the segments were not all taken.
#[derive(Debug)]
pub(crate) enum WorkError {
    /// The registry could not be read.
    Read(ReadError),
    /// Somebody cancelled.
    Cancelled,
    /// A worker panicked, with this text.
    Stopped(String),
}

impl WorkError {
    /// Whether it does not say that anything is wrong, or only that something else failed before.
    fn is_of_before(&self) -> bool {
        match self {
            Self::Read(error) => error.is_of_before(),
            Self::Cancelled => true,
            Self::Stopped(_) => false,
        }
    }
}

impl From<ReadError> for WorkError {
    fn from(error: ReadError) -> Self {
        Self::Read(error)
    }
}

/// Lets workers take the segments of units, those of a few units at once, until none is left, one of them fails, or
/// somebody cancels. Each worker goes through the segments of a unit as they stand, so nobody has to list them before.
pub(crate) fn work<T: TakesSegments>(
    new: impl Fn() -> Result<T, ReadError> + Sync,
    (view, units): (&View, &[UnitNumber]),
    workers: usize,
    progress: &(dyn Fn(usize, usize) + Sync),
    cancel: Option<&Cancel>,
) -> Result<Vec<T::Found>, WorkError> {
    let take = |worker: &mut T, unit: &UnitNumber| {
        let first = SegmentKey::new(unit.get(), 0);
        let last = SegmentKey::new(unit.get(), u16::MAX);
        view.each_segment((first, last), &mut |segment, bytes| worker.take(segment, bytes))
    };
    share(
        (&new, &take, &T::finish),
        (units, UNITS_AT_ONCE),
        workers,
        progress,
        cancel,
    )
}

/// Lets workers take things, a few at once, until none is left, one of them fails, or somebody cancels. What a worker
/// takes is in order, but not all.
pub(crate) fn share<W, I: Sync, F: Send>(
    (new, take, finish): (
        &(impl Fn() -> Result<W, ReadError> + Sync),
        &(impl Fn(&mut W, &I) -> Result<(), ReadError> + Sync),
        &(impl Fn(W) -> F + Sync),
    ),
    (things, at_once): (&[I], usize),
    workers: usize,
    progress: &(dyn Fn(usize, usize) + Sync),
    cancel: Option<&Cancel>,
) -> Result<Vec<F>, WorkError> {
    let next = AtomicUsize::new(0);
    let failed = AtomicBool::new(false);
    let take_all = || -> Result<F, WorkError> {
        let mut worker = new()?;
        loop {
            if cancel.is_some_and(Cancel::is_cancelled) {
                return Err(WorkError::Cancelled);
            }
            let start = next.fetch_add(at_once, Ordering::Relaxed);
            if start >= things.len() || failed.load(Ordering::Relaxed) {
                return Ok(finish(worker));
            }
            let end = things.len().min(start + at_once);
            for thing in &things[start..end] {
                take(&mut worker, thing)?;
            }
            progress(end, things.len());
        }
    };
    // What a worker that panics leaves half done is its own and is dropped with it: nobody sees it again.
    let one = || {
        let result = catch_unwind(AssertUnwindSafe(take_all))
            .unwrap_or_else(|panic| Err(WorkError::Stopped(panic_text(&*panic))));
        result.inspect_err(|_| failed.store(true, Ordering::Relaxed))
    };
    let results = crossbeam::thread::scope(|scope| {
        let others: Vec<_> = (1..workers).map(|_| scope.spawn(|_| one())).collect();
        let own = one();
        let mut results = vec![Ok(own)];
        results.extend(others.into_iter().map(crossbeam::thread::ScopedJoinHandle::join));
        results
    })
    .map_err(|panic| WorkError::Stopped(panic_text(&*panic)))?;
    let results = results
        .into_iter()
        .map(|result| result.unwrap_or_else(|panic| Err(WorkError::Stopped(panic_text(&*panic)))));
    all_or_why(results)
}

/// What all workers found, or the first error that says why one of them did not end.
fn all_or_why<F>(results: impl Iterator<Item = Result<F, WorkError>>) -> Result<Vec<F>, WorkError> {
    let (mut found, mut why) = (Vec::new(), None);
    for result in results {
        match result {
            Ok(one) => found.push(one),
            // After one worker met damage, the storage refuses the others, or somebody cancels: the first error that
            // says why is told.
            Err(error) if why.as_ref().is_none_or(WorkError::is_of_before) => why = Some(error),
            Err(_) => {}
        }
    }
    why.map_or(Ok(found), Err)
}

/// What a panic said.
pub(crate) fn panic_text(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("without a message")
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_error_that_says_why_is_told_whichever_worker_met_it() {
        let wrong = || Err(WorkError::Read(ReadError::Inconsistent("here".to_owned())));
        let told = |results: Vec<Result<u8, WorkError>>| all_or_why(results.into_iter());
        for results in [
            vec![wrong(), Err(WorkError::Cancelled)],
            vec![Err(WorkError::Cancelled), wrong()],
            vec![Ok(1), Err(WorkError::Cancelled), wrong()],
        ] {
            assert!(matches!(told(results), Err(WorkError::Read(_))));
        }
        assert!(matches!(
            told(vec![Ok(1), Err(WorkError::Cancelled)]),
            Err(WorkError::Cancelled)
        ));
        assert_eq!(told(vec![Ok(1), Ok(2)]).unwrap(), [1, 2]);
    }
}
