//! The index of references: whose records ever named a person.

use std::ops::Bound;

use redb::{ReadableTable, ReadableTableMetadata, Table};

use super::WriteTransaction;
use crate::format::reference::{self, KEY_BYTES, Reference};
use crate::kernel::error::{ReadError, WriteError, malformed};
use crate::kernel::fact::Records;
use crate::kernel::operation::Subject;
use crate::kernel::state::Content;
use crate::types::{AttributeNumber, Month, Value};

type References<'t> = Table<'t, &'static [u8; KEY_BYTES], &'static [u8]>;

impl WriteTransaction<'_> {
    /// Remembers whom a value names that is being recorded of a person.
    pub(super) fn note_reference(
        &mut self,
        subject: Subject,
        attribute: AttributeNumber,
        value: Option<Value>,
    ) {
        if let (Subject::Person(person), Some(value)) = (subject, value)
            && let Some(reference) = Reference::from_value(person, attribute, value)
        {
            self.overlay.references.insert(reference);
            self.overlay.loosened.push(reference.target);
        }
    }

    /// Forgets whom a value of this very transaction names that another takes the place of, unless another record of
    /// the person names them too: nobody will ever have seen it.
    ///
    /// `records` are those of the subject before the change.
    pub(super) fn replace_reference(
        &mut self,
        subject: Subject,
        attribute: AttributeNumber,
        from: Month,
        records: &Records,
    ) {
        let Subject::Person(person) = subject else { return };
        let recorded = self.sequence();
        let named = |content: &Content| match content {
            Content::Value {
                value: Value::Person(target),
                ..
            } => Some(*target),
            _ => None,
        };
        let records = records.of(attribute);
        let replaced = records
            .iter()
            .position(|record| record.from == from && record.recorded == recorded);
        let Some((at, target)) = replaced.and_then(|at| Some((at, named(&records[at].content)?))) else {
            return;
        };
        let still = records
            .iter()
            .enumerate()
            .any(|(other, record)| other != at && named(&record.content) == Some(target));
        if !still {
            self.overlay.references.remove(&Reference {
                attribute,
                target,
                referrer: person,
            });
        }
    }
}

/// Adds references, which ascend without repetition, to those that the table has.
pub(super) fn add_references(table: &mut References<'_>, added: &[Reference]) -> Result<(), WriteError> {
    if table.is_empty()? {
        let mut cursor = table.upper_bound_mut(Bound::<&[u8; KEY_BYTES]>::Unbounded)?;
        for (first, bytes) in reference::blocks(added) {
            cursor.insert_before(&first.key(), bytes.as_slice())?;
        }
        cursor.close()?;
        return Ok(());
    }
    let mut left = added;
    while let Some(&first) = left.first() {
        let home = home_of(table, first)?;
        let (start, mut held) = home.map_or((first, Vec::new()), |(start, held)| (start.max(first), held));
        let next = key_after(table, start)?;
        let fits =
            |added: &Reference| added.attribute == first.attribute && next.is_none_or(|next| *added < next);
        let here = left.partition_point(fits);
        let before = held.first().copied();
        let count = held.len();
        held.extend_from_slice(&left[..here]);
        held.sort_unstable();
        held.dedup();
        left = &left[here..];
        if held.len() == count {
            continue;
        }
        // A block whose first reference is another now has another key.
        if let Some(before) = before.filter(|before| held.first() != Some(before)) {
            table.remove(&before.key())?;
        }
        for (first, bytes) in reference::even_blocks(&held) {
            table.insert(&first.key(), bytes.as_slice())?;
        }
    }
    Ok(())
}

/// The block of the same attribute that takes a reference: the last one that begins not after it, otherwise the first.
fn home_of(
    table: &References<'_>,
    reference: Reference,
) -> Result<Option<(Reference, Vec<Reference>)>, WriteError> {
    let key = reference.key();
    let before = table
        .range::<&[u8; KEY_BYTES]>(..=&key)?
        .next_back()
        .transpose()?;
    let of_attribute = |key: &[u8; KEY_BYTES]| Reference::of_key(*key).attribute == reference.attribute;
    let found = match before.filter(|(key, _)| of_attribute(key.value())) {
        Some(found) => Some(found),
        None => table
            .range::<&[u8; KEY_BYTES]>(&key..)?
            .next()
            .transpose()?
            .filter(|(key, _)| of_attribute(key.value())),
    };
    let Some((key, bytes)) = found else {
        return Ok(None);
    };
    let first = Reference::of_key(*key.value());
    let wrong = malformed("references", format!("{first:?}"));
    let held = reference::decode(first, bytes.value()).map_err(wrong)?;
    Ok(Some((first, held)))
}

/// The first reference of the block after those that begin up to a reference.
fn key_after(table: &References<'_>, reference: Reference) -> Result<Option<Reference>, ReadError> {
    let key = reference.key();
    let after = (Bound::Excluded(&key), Bound::Unbounded);
    let next = table.range::<&[u8; KEY_BYTES]>(after)?.next().transpose()?;
    Ok(next.map(|(key, _)| Reference::of_key(*key.value())))
}

#[cfg(test)]
mod tests {
    use redb::Database;
    use redb::backends::InMemoryBackend;

    use super::*;
    use crate::kernel::tables::REFERENCES;
    use crate::types::PersonNumber;

    fn reference(attribute: u16, target: u32, referrer: u32) -> Reference {
        Reference {
            attribute: AttributeNumber(attribute),
            target: PersonNumber(target),
            referrer: PersonNumber(referrer),
        }
    }

    /// Adds these, sorted, in so many parts, every so-manieth of them in each; gives the table's blocks.
    fn added(all: &[Reference], parts: usize, backwards: bool) -> Vec<(Reference, Vec<Reference>)> {
        let database = Database::builder()
            .create_with_backend(InMemoryBackend::new())
            .unwrap();
        let transaction = database.begin_write().unwrap();
        let mut table = transaction.open_table(REFERENCES).unwrap();
        for part in 0..parts {
            let part = if backwards { parts - 1 - part } else { part };
            let size = all.len().div_ceil(parts);
            let contiguous: Vec<Reference> = all.iter().copied().skip(part * size).take(size).collect();
            let scattered: Vec<Reference> = all.iter().copied().skip(part).step_by(parts).collect();
            for some in [contiguous, scattered] {
                add_references(&mut table, &some).unwrap();
            }
        }
        let blocks = table.iter().unwrap().map(|entry| {
            let (key, bytes) = entry.unwrap();
            let first = Reference::of_key(*key.value());
            (first, reference::decode(first, bytes.value()).unwrap())
        });
        blocks.collect()
    }

    #[test]
    fn blocks_hold_what_was_added_in_whatever_order() {
        let mut all: Vec<Reference> = (1..4_000)
            .map(|at| reference(64 + (at % 3) as u16, at / 3 * 2 + 1, at))
            .chain((1..2_000).map(|at| reference(65, 700, at * 5)))
            .collect();
        all.sort_unstable();
        all.dedup();
        for parts in [1, 2, 7, 300] {
            for backwards in [false, true] {
                let blocks = added(&all, parts, backwards);
                let held: Vec<Reference> = blocks.iter().flat_map(|(_, held)| held.clone()).collect();
                assert_eq!(held, all, "{parts} parts");
                for (first, held) in &blocks {
                    assert_eq!(held.first(), Some(first));
                    assert!(held.iter().all(|other| other.attribute == first.attribute));
                }
                // Halves of blocks are the least that splitting leaves behind, but for the last one of an attribute.
                assert!(
                    blocks.len() < 90,
                    "{} blocks of {} references",
                    blocks.len(),
                    all.len()
                );
            }
        }
    }
}
