//! Threads that take the segments of a registry.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use crate::format::locator::SegmentKey;
use crate::kernel::ReadError;

/// The segments that a worker takes at once.
const SEGMENTS_AT_ONCE: usize = 16;

/// What takes segments, in ascending order but not all of them.
pub(crate) trait TakesSegments {
    /// What it hands over in the end.
    type Found: Send;

    /// Takes one segment.
    fn take(&mut self, segment: SegmentKey) -> Result<(), ReadError>;

    /// There are no more.
    fn finish(self) -> Self::Found;
}

/// Why the segments were not all taken.
#[derive(Debug)]
pub(crate) enum WorkError {
    /// The registry could not be read.
    Read(ReadError),
    /// A worker stopped.
    Stopped,
}

/// Lets workers take segments, a few at once, until none is left or one of them fails.
pub(crate) fn work<T: TakesSegments>(
    new: impl Fn() -> Result<T, ReadError> + Sync,
    segments: &[SegmentKey],
    workers: usize,
    progress: &(dyn Fn(usize, usize) + Sync),
) -> Result<Vec<T::Found>, WorkError> {
    let take = |worker: &mut T, segment: &SegmentKey| worker.take(*segment);
    share(
        (&new, &take, &T::finish),
        (segments, SEGMENTS_AT_ONCE),
        workers,
        progress,
    )
}

/// Lets workers take things, a few at once, until none is left or one of them fails. What a worker takes is in order,
/// but not all.
pub(crate) fn share<W, I: Sync, F: Send>(
    (new, take, finish): (
        &(impl Fn() -> Result<W, ReadError> + Sync),
        &(impl Fn(&mut W, &I) -> Result<(), ReadError> + Sync),
        &(impl Fn(W) -> F + Sync),
    ),
    (things, at_once): (&[I], usize),
    workers: usize,
    progress: &(dyn Fn(usize, usize) + Sync),
) -> Result<Vec<F>, WorkError> {
    let next = AtomicUsize::new(0);
    let failed = AtomicBool::new(false);
    let one = || -> Result<F, ReadError> {
        let mut worker = new()?;
        loop {
            let start = next.fetch_add(at_once, Ordering::Relaxed);
            if start >= things.len() || failed.load(Ordering::Relaxed) {
                return Ok(finish(worker));
            }
            let end = things.len().min(start + at_once);
            for thing in &things[start..end] {
                take(&mut worker, thing).inspect_err(|_| failed.store(true, Ordering::Relaxed))?;
            }
            progress(end, things.len());
        }
    };
    let results = crossbeam::thread::scope(|scope| {
        let others: Vec<_> = (1..workers).map(|_| scope.spawn(|_| one())).collect();
        let own = one();
        let mut results = vec![Ok(own)];
        results.extend(others.into_iter().map(crossbeam::thread::ScopedJoinHandle::join));
        results
    })
    .map_err(|_| WorkError::Stopped)?;
    results
        .into_iter()
        .map(|result| result.map_err(|_| WorkError::Stopped)?.map_err(WorkError::Read))
        .collect()
}
