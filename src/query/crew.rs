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
    let next = AtomicUsize::new(0);
    let failed = AtomicBool::new(false);
    let one = || -> Result<T::Found, ReadError> {
        let mut worker = new()?;
        loop {
            let start = next.fetch_add(SEGMENTS_AT_ONCE, Ordering::Relaxed);
            if start >= segments.len() || failed.load(Ordering::Relaxed) {
                return Ok(worker.finish());
            }
            let end = segments.len().min(start + SEGMENTS_AT_ONCE);
            for &segment in &segments[start..end] {
                worker
                    .take(segment)
                    .inspect_err(|_| failed.store(true, Ordering::Relaxed))?;
            }
            progress(end, segments.len());
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
