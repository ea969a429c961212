//! Work on several threads whose results come back in order.

use std::thread::ScopedJoinHandle;

use crossbeam::channel::{Receiver, Sender, bounded};

use super::ImportError;
use crate::kernel::WriteError;

/// How many items a worker has at once: the one that it works on, and the next or the one before.
const ITEMS_MAX: usize = 2;

/// A worker: where its items go and where its results come from.
struct Worker<'scope, I, O> {
    items: Sender<I>,
    results: Receiver<Result<O, ImportError>>,
    thread: ScopedJoinHandle<'scope, ()>,
}

/// Gives every item that `next` has to one of so many threads, which `work` on them, and hands the results to `take` in
/// the order of the items. `next` and `take` run on the calling thread. The first error ends it all.
pub(super) fn in_order<I: Send, O: Send>(
    workers: usize,
    mut next: impl FnMut() -> Result<Option<I>, ImportError>,
    work: impl Fn(I) -> Result<O, ImportError> + Sync,
    mut take: impl FnMut(O) -> Result<(), ImportError>,
) -> Result<(), ImportError> {
    std::thread::scope(|scope| {
        let work = &work;
        let workers: Vec<Worker<'_, I, O>> = (0..workers.max(1))
            .map(|_| {
                let (items, inbox) = bounded::<I>(ITEMS_MAX);
                let (outbox, results) = bounded(ITEMS_MAX);
                let thread = scope.spawn(move || {
                    for item in inbox {
                        if outbox.send(work(item)).is_err() {
                            return;
                        }
                    }
                });
                Worker {
                    items,
                    results,
                    thread,
                }
            })
            .collect();
        let outcome = distribute(&workers, &mut next, &mut take);
        for worker in workers {
            drop((worker.items, worker.results));
            if let Err(panic) = worker.thread.join() {
                return Err(WriteError::panicked(panic.as_ref()).into());
            }
        }
        outcome
    })
}

/// Gives items out and takes results back until there are no more. No worker ever has more items than its channels
/// hold, so nobody waits for each other.
fn distribute<I, O>(
    workers: &[Worker<'_, I, O>],
    next: &mut impl FnMut() -> Result<Option<I>, ImportError>,
    take: &mut impl FnMut(O) -> Result<(), ImportError>,
) -> Result<(), ImportError> {
    let (mut given, mut taken, mut more) = (0, 0, true);
    loop {
        while more && given - taken < workers.len() * ITEMS_MAX {
            // A worker that takes no more has panicked, which is told when it is joined.
            more = match next()? {
                Some(item) => workers[given % workers.len()].items.send(item).is_ok(),
                None => false,
            };
            given += usize::from(more);
        }
        if taken == given {
            return Ok(());
        }
        let Ok(result) = workers[taken % workers.len()].results.recv() else {
            return Ok(());
        };
        take(result?)?;
        taken += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(workers: usize, upto: u32) -> Vec<u32> {
        let (mut next, mut found) = (0..upto, Vec::new());
        in_order(
            workers,
            || Ok(next.next()),
            |number| Ok(number * 2),
            |number| {
                found.push(number);
                Ok(())
            },
        )
        .unwrap();
        found
    }

    #[test]
    fn results_come_in_the_order_of_items() {
        for workers in [1, 2, 3, 8] {
            let expected: Vec<u32> = (0..100).map(|number| number * 2).collect();
            assert_eq!(numbers(workers, 100), expected, "{workers} workers");
            assert_eq!(numbers(workers, 0), Vec::<u32>::new());
        }
    }

    #[test]
    fn a_panic_and_an_error_end_it() {
        for fails in [false, true] {
            let mut next = 0..1_000_u32;
            let error = in_order(
                3,
                || Ok(next.next()),
                |number| match number {
                    70 if fails => Err(ImportError::Changed),
                    70 => panic!("number 70"),
                    other => Ok(other),
                },
                |_| Ok(()),
            )
            .unwrap_err();
            assert_eq!(matches!(error, ImportError::Changed), fails, "{error}");
            assert_eq!(error.to_string().contains("number 70"), !fails);
        }
    }
}
