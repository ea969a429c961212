//! Loading a synthetic population into a registry.

use std::ops::Range;

use super::{Synth, commune};
use crate::kernel::{BulkLoader, BulkSummary, WriteError};
use crate::registry::{RegistryError, Transaction};

/// From how many people on neighbouring communes make a batch.
const BATCH_PEOPLE: u64 = 8 << 10;

impl Synth {
    /// Puts the whole population into a transaction, made on so many threads. `done` hears after each batch of communes how
    /// many people it had. Commit the transaction afterwards; other writers wait until then.
    ///
    /// ```
    /// use ansinh::kernel::Author;
    /// use ansinh::policy::Pack;
    /// use ansinh::registry::Registry;
    /// use ansinh::synth::{Synth, SynthOptions};
    /// use ansinh::types::Instant;
    /// # let folder = tempfile::tempdir()?;
    /// # let path = folder.path().join("synthetic.ansinh");
    /// let instant = Instant::from_unix_millis(1_780_272_000_000);
    /// let registry = Registry::create(&path, &Pack::vietnam(), instant)?;
    /// let options = SynthOptions { people: 5_000, ..SynthOptions::default() };
    /// let view = registry.begin_read()?;
    /// let synth = Synth::new(options, view.catalogue(), &ansinh::gazetteer::vietnam())?;
    /// drop(view);
    /// let mut tx = registry.begin_write(Author::new("planner", "capacity test"), instant)?;
    /// let loaded = synth.load(&mut tx, 2, |_people| {})?;
    /// tx.commit()?;
    /// assert_eq!(loaded.people, 5_000);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn load(
        &self,
        transaction: &mut Transaction<'_>,
        workers: usize,
        done: impl FnMut(u64),
    ) -> Result<BulkSummary, RegistryError> {
        for (code, attribute, value, from) in self.commune_facts() {
            let unit = transaction.commune(code, from)?;
            transaction.apply(&crate::kernel::operation::Operation::Record {
                subject: unit.into(),
                attribute,
                value,
                from,
                until: None,
                document: String::new(),
            })?;
        }
        let mut loader = transaction.kernel().bulk()?;
        self.add_to(&mut loader, workers, done)?;
        Ok(loader.finish()?)
    }

    /// Puts the households into a bulk load; the facts of communes ([`Synth::commune_facts`]) are operations and come
    /// before it. `done` hears after each batch how many people it had.
    pub fn add_to(
        &self,
        loader: &mut BulkLoader<'_, '_>,
        workers: usize,
        mut done: impl FnMut(u64),
    ) -> Result<(), WriteError> {
        let batches = self.batches();
        loader.add_batches(
            workers,
            batches.len(),
            |index, batch| {
                batches[index].clone().try_for_each(|commune| {
                    commune::generate(self, commune, |household| batch.add(&household))
                })
            },
            |(), entered| {
                // A population of its own has each of its IDs once, but the registry may have people.
                if let Some((_, refusal)) = entered.refused.into_iter().next() {
                    return Err(refusal.into());
                }
                done(entered.people);
                Ok(())
            },
        )
    }

    /// The communes of each batch, which depend on the population alone.
    fn batches(&self) -> Vec<Range<usize>> {
        let mut batches = Vec::new();
        let (mut first, mut people) = (0, 0);
        for index in 0..self.communes() {
            people += self.people_of(index);
            if people >= BATCH_PEOPLE || index + 1 == self.communes() {
                batches.push(first..index + 1);
                (first, people) = (index + 1, 0);
            }
        }
        batches
    }
}

#[cfg(test)]
mod tests {
    use crate::kernel::Author;
    use crate::kernel::log::LoggedOperation;
    use crate::kernel::operation::Operation;
    use crate::policy::Pack;
    use crate::registry::Registry;
    use crate::synth::{Synth, SynthOptions};
    use crate::types::Instant;

    #[test]
    fn the_load_is_in_the_log_by_its_digest_after_the_facts_of_communes() {
        let folder = tempfile::tempdir().unwrap();
        let at = Instant::from_unix_millis(0);
        let registry = Registry::create(folder.path().join("a.ansinh"), &Pack::vietnam(), at).unwrap();
        let options = SynthOptions {
            people: 2_000,
            ..SynthOptions::default()
        };
        let catalogue = registry.begin_read().unwrap().catalogue().clone();
        let synth = Synth::new(options, &catalogue, &crate::gazetteer::vietnam()).unwrap();
        let mut heard = 0;
        let mut transaction = registry.begin_write(Author::new("lan", "test"), at).unwrap();
        let loaded = synth.load(&mut transaction, 2, |people| heard += people).unwrap();
        let sequence = transaction.commit().unwrap();
        assert_eq!((loaded.people, heard), (2_000, 2_000));

        let view = registry.begin_read().unwrap();
        let mut operations = view.log_operations(sequence).unwrap();
        let last = operations.pop();
        let Some(LoggedOperation::Bulk {
            people, households, ..
        }) = last
        else {
            panic!("the last operation is {last:?}");
        };
        assert_eq!((people, households), (loaded.people, loaded.households));
        assert_eq!(operations.len(), synth.commune_facts().len());
        let is_fact = |operation: &LoggedOperation| matches!(operation, LoggedOperation::Stored(stored) if matches!(**stored, Operation::Record { .. }));
        assert!(operations.iter().all(is_fact));
        assert_eq!(view.verify_log().unwrap().sequence, sequence);
    }
}
