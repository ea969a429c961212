//! The indexes of outside IDs: blocks, to which entries are added.

use redb::{ReadableTable, TableHandle, WriteTransaction};

use super::loader::Filler;
use crate::format::index::{self, Entry, IndexBlock};
use crate::kernel::error::{ReadError, WriteError, malformed};
use crate::kernel::tables;

type Table<'t> = redb::Table<'t, u64, &'static [u8]>;

/// What comes after the last block is added to that block if it is fewer entries than this. More begin a block of their
/// own, so that a load is written straight through.
const WITH_LAST_MAX: usize = 2_048;

/// Adds entries, which ascend without repetition, to those that an index has. An ID that it has already leads to its new
/// number from then on.
pub(super) fn add_entries(
    transaction: &WriteTransaction,
    index: &'static tables::Index,
    added: &[Entry],
) -> Result<(), WriteError> {
    if added.is_empty() {
        return Ok(());
    }
    let mut table = transaction.open_table(*index)?;
    let mut left = added;
    while let Some(&(id, _)) = left.first() {
        let Some((key, held)) = block_from(&table, index.name(), id)? else {
            return add_after(&mut table, index.name(), left);
        };
        let (here, after) = left.split_at(left.partition_point(|&(id, _)| id <= key));
        left = after;
        for (key, bytes) in index::even_blocks(&merged(&held, here)) {
            table.insert(key, bytes.as_slice())?;
        }
    }
    Ok(())
}

/// The block that has an ID if any has it: the first whose key is not below it.
fn block_from(
    table: &Table<'_>,
    name: &'static str,
    id: u64,
) -> Result<Option<(u64, Vec<Entry>)>, ReadError> {
    match table.range(id..)?.next() {
        Some(entry) => {
            let (key, bytes) = entry?;
            read(name, key.value(), bytes.value()).map(Some)
        }
        None => Ok(None),
    }
}

fn read(name: &'static str, key: u64, bytes: &[u8]) -> Result<(u64, Vec<Entry>), ReadError> {
    let block = IndexBlock::read(bytes);
    let held = block.and_then(|block| block.entries(key));
    Ok((key, held.map_err(malformed(name, key))?))
}

/// Both lists as one, in order. Where both have an ID, the number is that of the second.
fn merged(held: &[Entry], added: &[Entry]) -> Vec<Entry> {
    let mut all = Vec::with_capacity(held.len() + added.len());
    let mut held = held.iter().copied().peekable();
    for &entry in added {
        all.extend(std::iter::from_fn(|| held.next_if(|&(id, _)| id < entry.0)));
        held.next_if(|&(id, _)| id == entry.0);
        all.push(entry);
    }
    all.extend(held);
    all
}

/// Adds entries that come after all that the table has.
fn add_after(table: &mut Table<'_>, name: &'static str, added: &[Entry]) -> Result<(), WriteError> {
    let last = if added.len() < WITH_LAST_MAX {
        let last = table.last()?;
        last.map(|(key, bytes)| read(name, key.value(), bytes.value()))
            .transpose()?
    } else {
        None
    };
    let mut all = Vec::new();
    if let Some((key, mut held)) = last {
        table.remove(key)?;
        held.extend_from_slice(added);
        all = held;
    }
    let all = if all.is_empty() { added } else { all.as_slice() };
    let Some(&(first, _)) = all.first() else {
        return Ok(());
    };
    let mut filler = Filler::new(table, first)?;
    for (key, bytes) in index::full_blocks(all) {
        filler.put(key, bytes.as_slice())?;
    }
    filler.close()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use redb::Database;
    use redb::backends::InMemoryBackend;

    use super::*;
    use crate::kernel::tables::IDS;

    /// Every entry of the index, whose keys are checked, and how many blocks there are.
    fn held(transaction: &WriteTransaction) -> (Vec<Entry>, usize) {
        let table = transaction.open_table(IDS).unwrap();
        let (mut all, mut blocks) = (Vec::new(), 0);
        for entry in table.iter().unwrap() {
            let (key, bytes) = entry.unwrap();
            all.extend(
                IndexBlock::read(bytes.value())
                    .unwrap()
                    .entries(key.value())
                    .unwrap(),
            );
            blocks += 1;
        }
        (all, blocks)
    }

    #[test]
    fn an_index_holds_what_was_added_in_whatever_order() {
        let scattered = |at: u64| at.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 24;
        for parts in [1, 2, 7, 300] {
            for spread in [false, true] {
                let database = Database::builder()
                    .create_with_backend(InMemoryBackend::new())
                    .unwrap();
                let transaction = database.begin_write().unwrap();
                let mut model = BTreeMap::new();
                for part in 0..parts {
                    let each = 20_000 / parts;
                    // In order, as provisional IDs come, or anywhere; and some IDs lead to another person later.
                    let added: BTreeMap<u64, u32> = (part * each..(part + 1) * each)
                        .flat_map(|at| [at, at * 2 / 3])
                        .map(|at| {
                            (
                                if spread { scattered(at) } else { at * 7 },
                                (at * parts + part) as u32,
                            )
                        })
                        .collect();
                    let entries: Vec<Entry> = added.iter().map(|(&id, &number)| (id, number)).collect();
                    add_entries(&transaction, &IDS, &entries).unwrap();
                    model.extend(added);
                }
                let (all, blocks) = held(&transaction);
                assert!(
                    all.iter()
                        .copied()
                        .eq(model.iter().map(|(&id, &number)| (id, number)))
                );
                assert!(blocks <= 60, "{blocks} blocks in {parts} parts, spread: {spread}");
                let table = transaction.open_table(IDS).unwrap();
                for id in (0..2_000).map(|at| if spread { scattered(at) } else { at }) {
                    assert_eq!(
                        tables::indexed(&table, "ids", id).unwrap(),
                        model.get(&id).copied()
                    );
                }
            }
        }
    }
}
