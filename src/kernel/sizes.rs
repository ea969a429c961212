//! How much room each table takes.

use redb::ReadableTableMetadata;

use super::error::ReadError;
use super::view::View;

/// The size of one table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TableSize {
    /// The table's name, as in the description of the file format.
    pub name: &'static str,
    /// Its entries.
    pub entries: u64,
    /// Its pages. A page holds 4,096 bytes or, for a large entry, a power of two times as many.
    pub pages: u64,
    /// The bytes of keys and values.
    pub stored_bytes: u64,
    /// The bytes by which pages are found.
    pub metadata_bytes: u64,
    /// The bytes of its pages that hold nothing.
    pub fragmented_bytes: u64,
}

impl TableSize {
    /// The bytes of its pages.
    pub const fn bytes(&self) -> u64 {
        self.stored_bytes + self.metadata_bytes + self.fragmented_bytes
    }
}

fn size(name: &'static str, table: &impl ReadableTableMetadata) -> Result<TableSize, ReadError> {
    let stats = table.stats()?;
    Ok(TableSize {
        name,
        entries: table.len()?,
        pages: stats.leaf_pages() + stats.branch_pages(),
        stored_bytes: stats.stored_bytes(),
        metadata_bytes: stats.metadata_bytes(),
        fragmented_bytes: stats.fragmented_bytes(),
    })
}

impl View {
    /// The size of every table. Every page is read for it, so a large registry takes a while.
    pub fn table_sizes(&self) -> Result<Vec<TableSize>, ReadError> {
        let tables = &self.tables;
        Ok(vec![
            size("ids", &tables.ids)?,
            size("id_holders", &tables.id_holders)?,
            size("persons", &tables.locators)?,
            size("rows", &tables.rows)?,
            size("household_ids", &tables.household_ids)?,
            size("households", &tables.households)?,
            size("members", &tables.members)?,
            size("merged", &tables.merged)?,
            size("references", &tables.references)?,
            size("facts", &tables.facts)?,
            size("hot", &tables.hot)?,
            size("occurrences", &tables.occurrences)?,
            size("columns", &tables.columns)?,
            size("ties", &tables.ties)?,
            size("dossiers", &tables.dossiers)?,
            size("profiles", &tables.profiles)?,
            size("units", &tables.units)?,
            size("packs", &tables.packs)?,
            size("log", &tables.log)?,
            size("payloads", &tables.payloads)?,
            size("runs", &tables.runs)?,
            size("run_months", &tables.run_months)?,
            size("outcomes", &tables.outcomes)?,
            size("ledger", &tables.ledger)?,
            size("totals", &tables.totals)?,
        ])
    }
}

#[cfg(test)]
mod tests {
    use crate::kernel::operation::Operation;
    use crate::kernel::{Author, Store, StoreOptions};
    use crate::types::Instant;

    #[test]
    fn sizes_follow_what_is_stored() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::create(&folder.path().join("a.ansinh"), StoreOptions::default()).unwrap();
        let mut transaction = store
            .begin_write(Author::new("lan", "units"), Instant::from_unix_millis(0))
            .unwrap();
        for unit in crate::gazetteer::vietnam().into_iter().take(10) {
            transaction.apply(&Operation::AddUnit(unit)).unwrap();
        }
        transaction.commit().unwrap();
        let sizes = store.begin_read().unwrap().table_sizes().unwrap();
        let entries = |name| sizes.iter().find(|size| size.name == name).unwrap().entries;
        assert_eq!(
            (
                entries("units"),
                entries("log"),
                entries("payloads"),
                entries("ids")
            ),
            (10, 1, 10, 0)
        );
        for size in sizes.iter().filter(|size| size.entries > 0) {
            assert!(
                size.bytes() >= 4096 && size.bytes().is_multiple_of(4096),
                "{size:?}"
            );
        }
    }
}
