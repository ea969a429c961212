//! The end of a load: what must be in order first is sorted, searched for repetitions, and written, each table by itself.

use std::thread::Scope;

use super::super::index::add_entries;
use super::super::references::add_references;
use super::place::Placer;
use super::write::{Filler, Streams, joined};
use crate::format::log::Digest;
use crate::kernel::digester::Digester;
use crate::kernel::error::WriteError;
use crate::kernel::occurrences::Occurrence;
use crate::kernel::operation::Refusal;
use crate::kernel::tables;
use crate::types::{HouseholdId, HouseholdNumber, Identifier, PersonNumber};

/// Fewer elements than this are sorted on one thread.
const SORT_APART_MIN: usize = 1 << 16;

/// Writes everything that a closed placer still has. Gives the digest of the whole load.
pub(super) fn write(
    transaction: &redb::WriteTransaction,
    placer: &mut Placer,
    streams: &mut Streams,
    workers: usize,
) -> Result<Digest, WriteError> {
    let facts = std::thread::scope(|scope| {
        let full = std::mem::take(&mut placer.full);
        let streams = &mut *streams;
        let written = scope.spawn(move || {
            streams.write_apart(transaction, full)?;
            let mut occurrences = streams.take_occurrences();
            sort_apart(&mut occurrences, workers);
            write_occurrences(transaction, &occurrences)
        });
        let indexes = sort(placer, workers).and_then(|()| write_sorted(scope, transaction, placer));
        joined(written).and(indexes)
    })?;
    let mut digest = blake3::Hasher::new();
    for part in streams.digests().iter().chain([&facts]) {
        digest.update(part.as_bytes());
    }
    Ok(*digest.finalize().as_bytes())
}

/// Sorts what the indexes hold, and refuses what occurs twice.
fn sort(placer: &mut Placer, workers: usize) -> Result<(), WriteError> {
    sort_apart(&mut placer.ids, workers);
    sort_apart(&mut placer.household_ids, workers);
    sort_apart(&mut placer.references, workers);
    placer.references.dedup();
    placer.held.sort_unstable();
    for ids in [&placer.ids, &placer.held] {
        if let Some((key, holder)) = twice(ids) {
            let identifier = Identifier::from_key(key).map_or_else(String::new, Identifier::masked);
            let holder = PersonNumber(holder);
            return Err(Refusal::IdentifierTaken { identifier, holder }.into());
        }
    }
    if let Some((id, holder)) = twice(&placer.household_ids) {
        let id = HouseholdId::from_packed(id).unwrap_or(HouseholdId::NONE);
        let holder = HouseholdNumber(holder);
        return Err(Refusal::HouseholdIdTaken { id, holder }.into());
    }
    Ok(())
}

/// A key that occurs twice in a sorted list, with its first holder.
fn twice(ids: &[(u64, u32)]) -> Option<(u64, u32)> {
    let pair = ids.windows(2).find(|pair| pair[0].0 == pair[1].0)?;
    pair.first().copied()
}

/// Sorts on so many threads: the halves about the median, each by itself.
fn sort_apart<T: Ord + Send>(all: &mut [T], workers: usize) {
    if workers < 2 || all.len() < SORT_APART_MIN {
        return all.sort_unstable();
    }
    let (low, _, high) = all.select_nth_unstable(all.len() / 2);
    std::thread::scope(|scope| {
        scope.spawn(|| sort_apart(low, workers / 2));
        sort_apart(high, workers - workers / 2);
    });
}

/// Writes each index on a thread of its own. Gives the digest of the facts.
fn write_sorted<'scope>(
    scope: &'scope Scope<'scope, '_>,
    transaction: &'scope redb::WriteTransaction,
    placer: &'scope Placer,
) -> Result<blake3::Hash, WriteError> {
    let ids = scope.spawn(|| add_entries(transaction, &tables::IDS, &placer.ids));
    let household_ids =
        scope.spawn(|| add_entries(transaction, &tables::HOUSEHOLD_IDS, &placer.household_ids));
    let facts = scope.spawn(|| write_facts(transaction, placer));
    let references = scope.spawn(|| {
        let mut table = transaction.open_table(tables::REFERENCES)?;
        add_references(&mut table, &placer.references)
    });
    let rows = scope.spawn(|| write_rows(transaction, &placer.rows));
    let written = [ids, household_ids, references, rows].map(joined);
    let facts = joined(facts);
    written.into_iter().collect::<Result<(), _>>()?;
    facts
}

fn write_occurrences(
    transaction: &redb::WriteTransaction,
    occurrences: &[Occurrence],
) -> Result<(), WriteError> {
    let Some(first) = occurrences.first() else {
        return Ok(());
    };
    let mut table = transaction.open_table(tables::OCCURRENCES)?;
    let mut filler = Filler::new(&mut table, first.key())?;
    for occurrence in occurrences {
        filler.put(occurrence.key(), ())?;
    }
    filler.close()
}

fn write_facts(transaction: &redb::WriteTransaction, placer: &Placer) -> Result<blake3::Hash, WriteError> {
    let mut digest = Digester::new();
    let mut table = transaction.open_table(tables::FACTS)?;
    for facts in [&placer.person_facts, &placer.household_facts] {
        let Some((first, _)) = facts.iter().next() else {
            continue;
        };
        let mut filler = Filler::new(&mut table, first)?;
        for (key, content) in facts.iter() {
            digest.update(key);
            digest.update(content);
            filler.put(key, content)?;
        }
        filler.close()?;
    }
    Ok(digest.finish())
}

fn write_rows(transaction: &redb::WriteTransaction, rows: &[((u32, u16), u32)]) -> Result<(), WriteError> {
    let Some(&((person, unit), _)) = rows.first() else {
        return Ok(());
    };
    let mut table = transaction.open_table(tables::ROWS)?;
    let mut filler = Filler::new(&mut table, &tables::row_key(person, unit))?;
    for &((person, unit), place) in rows {
        filler.put(&tables::row_key(person, unit), place)?;
    }
    filler.close()
}
