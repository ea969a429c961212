//! Bulk loading: households go straight into new segments and blocks, without passing through operations.
//!
//! `prepare` checks a household and works out what needs no number: any thread does that for a whole batch, which
//! `batch` also hands around. `place` gives numbers and codes of profiles and lays rows out in `segments`: one thread, in
//! the order of the load. `write` encodes and writes what is full, `indexes` what must be sorted first, each table on a
//! thread of its own. What is written depends on households and batches alone, never on threads.

mod batch;
mod facts;
mod indexes;
mod place;
mod prepare;
mod segments;
mod write;

pub use batch::{BatchEntered, BulkBatch};

use super::enter::Entered;
use super::{LogKind, WriteTransaction};
use crate::format::dossier::DossierBlockBuilder;
use crate::kernel::bulk::BulkHousehold;
use crate::kernel::error::WriteError;
use crate::kernel::log::LoggedOperation;
use crate::types::{HouseholdNumber, Identifier, PersonNumber};
use place::Placer;
use prepare::{BatchCodes, prepare, push_dossiers};
pub(super) use write::Filler;
use write::Streams;

/// What a bulk load entered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BulkSummary {
    /// Persons.
    pub people: u64,
    /// Households.
    pub households: u64,
}

/// How many full segments and blocks wait before they are written, where households come one by one.
const FULL_MAX: usize = 256;

/// A bulk load within a transaction.
///
/// Full segments, dossiers and blocks go to their tables as they fill. In memory stay the last segment of every
/// commune, 16 bytes a person for the index of identifiers (for a provisional one twice as much), 16 bytes a
/// household for theirs, 12 bytes for each reference from a person to a person, 19 bytes and the content for each dated
/// fact, 8 bytes for each profile of each segment, and a few batches.
pub struct BulkLoader<'t, 's> {
    transaction: &'t mut WriteTransaction<'s>,
    placer: Placer,
    /// The dossiers of households that came one by one.
    dossiers: DossierBlockBuilder,
    streams: Streams,
    workers: usize,
    /// A household was entered in part, so that the load cannot be finished.
    broken: bool,
}

impl std::fmt::Debug for BulkLoader<'_, '_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("BulkLoader")
            .field("people", &self.placer.counts().0)
            .finish_non_exhaustive()
    }
}

impl<'s> WriteTransaction<'s> {
    /// Begins a bulk load, for more than a few ten thousand people. Operations of the same transaction come before
    /// it; after it the transaction can only be committed. Other writers wait until then.
    pub fn bulk(&mut self) -> Result<BulkLoader<'_, 's>, WriteError> {
        self.check_unsealed()?;
        self.check_alone()?;
        // Until the load is finished, nothing else may be done and nothing be committed.
        self.poisoned = true;
        self.kind = LogKind::Bulk;
        Ok(BulkLoader {
            placer: Placer::new(self)?,
            dossiers: DossierBlockBuilder::new(),
            streams: Streams::new(),
            workers: 1,
            broken: false,
            transaction: self,
        })
    }
}

impl BulkLoader<'_, '_> {
    /// Enters a household, or a person without one. What is refused leaves the load as it was. An identifier that
    /// occurs twice in the load is found by [`BulkLoader::finish`].
    ///
    /// [`BulkLoader::add_batches`] does the same on several threads.
    pub fn add(&mut self, household: &BulkHousehold) -> Result<Entered, WriteError> {
        if self.broken {
            return Err(WriteError::Poisoned);
        }
        let mut profiles = BatchCodes::new();
        let mut people = Vec::with_capacity(household.people.len());
        let (ready, documents) = prepare(self.transaction, &mut profiles, household, &mut people)?;
        let codes = self.placer.codes_of(self.transaction, profiles.list);
        let numbers = self
            .placer
            .place(self.transaction, &codes, ready, &mut people)
            .inspect_err(|error| self.broken = !matches!(error, WriteError::Refused(_)))?;
        // The household is entered. An error from here on leaves a part of it behind.
        self.broken = true;
        push_dossiers(&mut self.dossiers, household, &documents, numbers.first)?;
        self.transaction.overlay.head.persons = self.placer.persons;
        self.transaction.overlay.head.households = self.placer.households;
        if self.placer.full.len() + self.dossiers.finished_blocks() >= FULL_MAX {
            let finished = self.dossiers.take_finished();
            self.placer.put_dossiers(finished);
            let full = std::mem::take(&mut self.placer.full);
            self.streams.write(&self.transaction.transaction, full)?;
        }
        self.broken = false;
        let people = (numbers.first..).take(household.people.len());
        Ok(Entered {
            household: numbers.household.map(HouseholdNumber),
            people: people.map(PersonNumber).collect(),
        })
    }

    /// Closes the block of the dossiers that came one by one.
    fn close_dossiers(&mut self) {
        let finished = std::mem::take(&mut self.dossiers).finish();
        self.placer.put_dossiers(finished);
    }

    /// Writes the indexes and what is still open. The transaction can then be committed.
    pub fn finish(mut self) -> Result<BulkSummary, WriteError> {
        if self.broken {
            return Err(WriteError::Poisoned);
        }
        self.close_dossiers();
        self.placer.close();
        let digest = indexes::write(
            &self.transaction.transaction,
            &mut self.placer,
            &mut self.streams,
            self.workers,
        )?;
        let (people, households) = self.placer.counts();
        let Placer {
            profiles,
            held,
            segments,
            ..
        } = self.placer;
        let overlay = &mut self.transaction.overlay;
        overlay.loosened.extend(segments.loosened);
        for profile in profiles {
            overlay
                .profile_codes
                .insert(profile.clone(), overlay.head.profiles);
            overlay.profiles.push(profile);
            overlay.head.profiles += 1;
        }
        for (key, person) in held {
            if let Some(identifier) = Identifier::from_key(key) {
                self.transaction
                    .give_identifier(identifier, PersonNumber(person))?;
            }
        }
        let logged = LoggedOperation::Bulk {
            people,
            households,
            digest,
        };
        self.transaction.payloads.push(logged.encode());
        self.transaction.poisoned = false;
        self.transaction.sealed = true;
        Ok(BulkSummary { people, households })
    }
}
