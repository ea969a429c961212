//! Batches: many households prepared on one thread, while others prepare the next and earlier ones are written.

use std::thread::{Scope, ScopedJoinHandle};

use crossbeam::channel::{Receiver, bounded};

use super::super::WriteTransaction;
use super::BulkLoader;
use super::place::{Numbers, Placer};
use super::prepare::{BatchCodes, Ready, ReadyPerson, prepare, push_dossiers};
use super::write::joined;
use crate::format::dossier::{DossierBlock, DossierBlockBuilder, EncodedBlock, renumber};
use crate::kernel::bulk::BulkHousehold;
use crate::kernel::error::{ReadError, WriteError, malformed};
use crate::kernel::operation::Refusal;
use crate::kernel::profile::Profile;
use crate::types::PersonNumber;

/// How many finished batches a worker may be ahead.
const AHEAD: usize = 1;

/// Households that are being prepared for a bulk load, on any thread. See [`BulkLoader::add_batches`].
pub struct BulkBatch<'b> {
    transaction: &'b WriteTransaction<'b>,
    profiles: BatchCodes,
    ready: Vec<Ready>,
    /// The people of all households, one after the other.
    people: Vec<ReadyPerson>,
    /// Dossiers under the numbers that people have in the batch, from 1.
    dossiers: DossierBlockBuilder,
}

impl std::fmt::Debug for BulkBatch<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("BulkBatch")
            .field("people", &self.people())
            .finish_non_exhaustive()
    }
}

/// What became of a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BatchEntered {
    /// How many people were entered.
    pub people: u64,
    /// How many households were entered.
    pub households: u64,
    /// What was refused although [`BulkBatch::add`] took it, by its position among what that took: for want of
    /// numbers or because of a provisional ID that occurs twice in the load.
    pub refused: Vec<(usize, Refusal)>,
}

/// A batch without what only preparing needs.
struct Prepared {
    profiles: Vec<Profile>,
    ready: Vec<Ready>,
    people: Vec<ReadyPerson>,
    dossiers: Vec<EncodedBlock>,
}

impl<'b> BulkBatch<'b> {
    /// An empty batch with room for so many people in so many households.
    fn new(transaction: &'b WriteTransaction<'_>, (people, households): (usize, usize)) -> Self {
        Self {
            transaction,
            profiles: BatchCodes::new(),
            ready: Vec::with_capacity(households),
            people: Vec::with_capacity(people),
            dossiers: DossierBlockBuilder::new(),
        }
    }

    /// Adds a household, or a person without one. What is refused leaves the batch as it was.
    pub fn add(&mut self, household: &BulkHousehold) -> Result<(), WriteError> {
        let first = self.people() + 1;
        let (ready, documents) = prepare(self.transaction, &mut self.profiles, household, &mut self.people)?;
        push_dossiers(&mut self.dossiers, household, &documents, first)?;
        self.ready.push(ready);
        Ok(())
    }

    /// How many people it has.
    pub const fn people(&self) -> u32 {
        self.people.len() as u32
    }

    fn finish(self) -> Prepared {
        Prepared {
            profiles: self.profiles.list,
            ready: self.ready,
            people: self.people,
            dossiers: self.dossiers.finish(),
        }
    }
}

impl BulkLoader<'_, '_> {
    /// Enters so many batches, prepared on so many threads. `make` fills the batch with an index, on any thread and in
    /// any order; `taken` hears in order, on the calling thread, what `make` gave and what became of the batch.
    ///
    /// The same batches give the same registry, however many threads there are; a few thousand people are enough for
    /// a batch. A value that names a person by number names somebody who was there before. The first error ends the
    /// load, and then, as when a thread panics, nothing of the transaction can be committed.
    pub fn add_batches<T, E>(
        &mut self,
        workers: usize,
        batches: usize,
        make: impl Fn(usize, &mut BulkBatch<'_>) -> Result<T, E> + Sync,
        mut taken: impl FnMut(T, BatchEntered) -> Result<(), E>,
    ) -> Result<(), E>
    where
        T: Send,
        E: From<WriteError> + Send,
    {
        if self.broken {
            return Err(WriteError::Poisoned.into());
        }
        self.broken = true;
        self.workers = workers.clamp(1, batches.max(1));
        self.close_dossiers();
        let (placer, transaction): (&mut Placer, &WriteTransaction<'_>) =
            (&mut self.placer, self.transaction);
        std::thread::scope(|scope| {
            let lanes = self.streams.spawn(scope, &transaction.transaction);
            let makers: Vec<_> = (0..self.workers)
                .map(|first| Maker::spawn(scope, transaction, (first..batches).step_by(self.workers), &make))
                .collect();
            let mut outcome = Ok(());
            let before = placer.lengths();
            for index in 0..batches {
                // A maker that panicked, or a table that could not be written, tells so when it is joined.
                let Ok(made) = makers[index % makers.len()].receiver.recv() else {
                    break;
                };
                placer.make_room(before, (index, batches));
                outcome = made.and_then(|(about, prepared)| {
                    let entered = placer.place_batch(transaction, prepared)?;
                    taken(about, entered)
                });
                if outcome.is_err() || !lanes.send(std::mem::take(&mut placer.full)) {
                    break;
                }
            }
            let mut threads: Vec<Result<(), WriteError>> = makers.into_iter().map(Maker::join).collect();
            threads.push(lanes.join());
            threads.into_iter().collect::<Result<(), _>>()?;
            outcome
        })?;
        self.transaction.overlay.head.persons = self.placer.persons;
        self.transaction.overlay.head.households = self.placer.households;
        self.broken = false;
        Ok(())
    }
}

/// A thread that prepares batches.
struct Maker<'scope, T, E> {
    receiver: Receiver<Result<(T, Prepared), E>>,
    thread: ScopedJoinHandle<'scope, Result<(), WriteError>>,
}

impl<'scope, T: Send + 'scope, E: Send + 'scope> Maker<'scope, T, E> {
    fn spawn(
        scope: &'scope Scope<'scope, '_>,
        transaction: &'scope WriteTransaction<'_>,
        indexes: impl Iterator<Item = usize> + Send + 'scope,
        make: &'scope (impl Fn(usize, &mut BulkBatch<'_>) -> Result<T, E> + Sync),
    ) -> Self {
        let (sender, receiver) = bounded(AHEAD);
        let thread = scope.spawn(move || {
            let mut size = (0, 0);
            for index in indexes {
                let mut batch = BulkBatch::new(transaction, size);
                let made = make(index, &mut batch).map(|about| (about, batch.finish()));
                // Batches are mostly of about one size.
                size = made.as_ref().map_or((0, 0), |(_, prepared)| {
                    (prepared.people.len(), prepared.ready.len())
                });
                let last = made.is_err();
                if sender.send(made).is_err() || last {
                    break;
                }
            }
            Ok(())
        });
        Self { receiver, thread }
    }

    fn join(self) -> Result<(), WriteError> {
        // Without a receiver it does not wait for room any more.
        drop(self.receiver);
        joined(self.thread)
    }
}

impl Placer {
    /// Places the households of a batch, in order.
    fn place_batch(
        &mut self,
        transaction: &WriteTransaction<'_>,
        mut prepared: Prepared,
    ) -> Result<BatchEntered, WriteError> {
        let before = (self.persons, self.counts());
        let codes = self.codes_of(transaction, prepared.profiles);
        let mut refused = Vec::new();
        let mut placed: Vec<(usize, Option<Numbers>)> = Vec::with_capacity(prepared.ready.len());
        let mut left = prepared.people.as_mut_slice();
        for (at, ready) in prepared.ready.into_iter().enumerate() {
            let people = ready.people;
            let Some(own) = left.split_off_mut(..people) else {
                return Err(ReadError::Inconsistent("a batch has too few people".to_owned()).into());
            };
            match self.place(transaction, &codes, ready, own) {
                Ok(numbers) => placed.push((people, Some(numbers))),
                Err(WriteError::Refused(refusal)) => {
                    refused.push((at, refusal));
                    placed.push((people, None));
                }
                Err(error) => return Err(error),
            }
        }
        let mut dossiers = prepared.dossiers;
        if refused.is_empty() {
            for block in &mut dossiers {
                renumber(block, before.0);
            }
        } else {
            dossiers = without_refused(&dossiers, &placed)?;
        }
        self.put_dossiers(dossiers);
        let (people, households) = self.counts();
        Ok(BatchEntered {
            people: people - before.1.0,
            households: households - before.1.1,
            refused,
        })
    }

    /// Adds blocks of dossiers to what is full.
    pub(super) fn put_dossiers(&mut self, blocks: Vec<EncodedBlock>) {
        let blocks = blocks.into_iter().map(|(key, bytes)| (key.get(), bytes));
        self.full.dossiers.extend(blocks);
    }
}

/// The dossiers of a batch, made anew under the numbers of whoever was placed.
fn without_refused(
    blocks: &[EncodedBlock],
    placed: &[(usize, Option<Numbers>)],
) -> Result<Vec<EncodedBlock>, WriteError> {
    let numbers: Vec<Option<u32>> = placed
        .iter()
        .flat_map(|&(people, numbers)| {
            (0..people).map(move |at| numbers.map(|numbers| numbers.first + at as u32))
        })
        .collect();
    let mut builder = DossierBlockBuilder::new();
    for (key, bytes) in blocks {
        let wrong = || malformed("dossiers", *key);
        let dossiers = DossierBlock::decode(bytes).map_err(wrong())?.dossiers();
        for (person, dossier) in dossiers.map_err(wrong())? {
            let at = (person.get() as usize).wrapping_sub(1);
            if let Some(number) = numbers.get(at).copied().flatten().map(PersonNumber) {
                builder
                    .push(number, &dossier)
                    .map_err(|error| ReadError::Inconsistent(format!("dossier of {number}: {error}")))?;
            }
        }
    }
    Ok(builder.finish())
}
