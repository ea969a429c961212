//! The tables of the file, and typed access to them at one snapshot.

use bincode::{Decode, Encode};
use redb::{ReadOnlyTable, ReadTransaction, ReadableTable, TableDefinition};

use super::error::{ReadError, malformed};
use crate::format::fact::KEY_BYTES;
use crate::format::index::IndexBlock;
use crate::format::log::Digest;
use crate::format::record;
use crate::format::reference;

/// A table of index blocks.
pub(crate) type Index = TableDefinition<'static, u64, &'static [u8]>;

/// The head of the registry: counters and the end of the log.
pub(crate) const HEAD: TableDefinition<u8, &[u8]> = TableDefinition::new("head");
/// Greatest identifier key of a block → persons: who was given each identifier last.
pub(crate) const IDS: Index = TableDefinition::new("ids");
/// Identifier key, sequence → person, for identifiers that were given after the insertion of a person.
pub(crate) const ID_HOLDERS: TableDefinition<&[u8; 11], u32> = TableDefinition::new("id_holders");
/// Block of persons → locators of their first rows.
pub(crate) const LOCATORS: TableDefinition<u32, &[u8]> = TableDefinition::new("persons");
/// Person, unit → segment index << 16 | row, for every row of a person that has more than one.
pub(crate) const ROWS: TableDefinition<&[u8; 6], u32> = TableDefinition::new("rows");
/// Greatest packed household ID of a block → households.
pub(crate) const HOUSEHOLD_IDS: Index = TableDefinition::new("household_ids");
/// Block of households → records.
pub(crate) const HOUSEHOLDS: TableDefinition<u32, &[u8]> = TableDefinition::new("households");
/// Household, person: everyone who was ever a member and was not entered with the household.
pub(crate) const MEMBERS: TableDefinition<&[u8; 8], ()> = TableDefinition::new("members");
/// Person, person who was ever merged into that one.
pub(crate) const MERGED: TableDefinition<&[u8; 8], ()> = TableDefinition::new("merged");
/// First reference of a block → references from persons' records to persons.
pub(crate) const REFERENCES: TableDefinition<&[u8; reference::KEY_BYTES], &[u8]> =
    TableDefinition::new("references");
/// Fact key → what was recorded.
pub(crate) const FACTS: TableDefinition<&[u8; KEY_BYTES], &[u8]> = TableDefinition::new("facts");
/// Segment → hot segment.
pub(crate) const HOT: TableDefinition<u32, &[u8]> = TableDefinition::new("hot");
/// Occurrence: in which segments the codes of profiles occur or ever occurred.
pub(crate) const OCCURRENCES: TableDefinition<u64, ()> = TableDefinition::new("occurrences");
/// Segment → column segment.
pub(crate) const COLUMNS: TableDefinition<u32, &[u8]> = TableDefinition::new("columns");
/// Segment → which of its rows belong together.
pub(crate) const TIES: TableDefinition<u32, &[u8]> = TableDefinition::new("ties");
/// First person of a block → dossiers.
pub(crate) const DOSSIERS: TableDefinition<u32, &[u8]> = TableDefinition::new("dossiers");
/// Code → profile.
pub(crate) const PROFILES: TableDefinition<u32, &[u8]> = TableDefinition::new("profiles");
/// Unit → unit.
pub(crate) const UNITS: TableDefinition<u16, &[u8]> = TableDefinition::new("units");
/// Hash → text of a pack; under the hash of zeros the catalogue.
pub(crate) const PACKS: TableDefinition<&[u8; 32], &[u8]> = TableDefinition::new("packs");
/// Sequence → log record.
pub(crate) const LOG: TableDefinition<u64, &[u8]> = TableDefinition::new("log");
/// Sequence, operation → payload.
pub(crate) const PAYLOADS: TableDefinition<&[u8; 12], &[u8]> = TableDefinition::new("payloads");
/// Run → header.
pub(crate) const RUNS: TableDefinition<u32, &[u8]> = TableDefinition::new("runs");
/// Month << 32 | run: the runs of a month.
pub(crate) const RUN_MONTHS: TableDefinition<u64, ()> = TableDefinition::new("run_months");
/// Run << 32 | block → a block of the dictionary of outcomes.
pub(crate) const OUTCOMES: TableDefinition<u64, &[u8]> = TableDefinition::new("outcomes");
/// Run << 32 | segment → outcome codes.
pub(crate) const LEDGER: TableDefinition<u64, &[u8]> = TableDefinition::new("ledger");
/// Run << 16 | unit → totals.
pub(crate) const TOTALS: TableDefinition<u64, &[u8]> = TableDefinition::new("totals");

/// The key of the only entry of [`HEAD`].
pub(crate) const HEAD_KEY: u8 = 0;
/// The key of the catalogue among the packs.
pub(crate) const CATALOGUE_KEY: [u8; 32] = [0; 32];
const HEAD_VERSION: u8 = 1;

/// Counters and the end of the log, as of the last commit.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub(crate) struct Head {
    /// The last sequence.
    pub(crate) newest: u64,
    /// The hash of the last log record.
    pub(crate) log_hash: Digest,
    /// How many persons were ever entered; the greatest person number.
    pub(crate) persons: u32,
    /// How many households were ever made; the greatest household number.
    pub(crate) households: u32,
    /// How many units were ever added; the greatest unit number.
    pub(crate) units: u16,
    /// How many profiles have a code; code 0, the empty profile, included.
    pub(crate) profiles: u32,
    /// How many runs were ever made; the greatest run number.
    pub(crate) runs: u32,
    /// The sequence that last changed the catalogue.
    pub(crate) catalogue: u64,
    /// The sequence that last changed the units.
    pub(crate) units_changed: u64,
    /// The hash of the pack adopted last; zeros before the first.
    pub(crate) pack: [u8; 32],
}

impl Head {
    /// The head of an empty registry.
    pub(crate) const EMPTY: Self = Self {
        newest: 0,
        log_hash: crate::format::log::GENESIS,
        persons: 0,
        households: 0,
        units: 0,
        profiles: 1,
        runs: 0,
        catalogue: 0,
        units_changed: 0,
        pack: [0; 32],
    };

    /// The bytes of the head.
    pub(crate) fn encode(&self) -> Vec<u8> {
        record::encode(HEAD_VERSION, self)
    }
}

/// The tables at one snapshot.
pub(crate) struct Tables {
    pub(crate) ids: ReadOnlyTable<u64, &'static [u8]>,
    pub(crate) id_holders: ReadOnlyTable<&'static [u8; 11], u32>,
    pub(crate) locators: ReadOnlyTable<u32, &'static [u8]>,
    pub(crate) rows: ReadOnlyTable<&'static [u8; 6], u32>,
    pub(crate) household_ids: ReadOnlyTable<u64, &'static [u8]>,
    pub(crate) households: ReadOnlyTable<u32, &'static [u8]>,
    pub(crate) members: ReadOnlyTable<&'static [u8; 8], ()>,
    pub(crate) merged: ReadOnlyTable<&'static [u8; 8], ()>,
    pub(crate) references: ReadOnlyTable<&'static [u8; reference::KEY_BYTES], &'static [u8]>,
    pub(crate) facts: ReadOnlyTable<&'static [u8; KEY_BYTES], &'static [u8]>,
    pub(crate) hot: ReadOnlyTable<u32, &'static [u8]>,
    pub(crate) occurrences: ReadOnlyTable<u64, ()>,
    pub(crate) columns: ReadOnlyTable<u32, &'static [u8]>,
    pub(crate) ties: ReadOnlyTable<u32, &'static [u8]>,
    pub(crate) dossiers: ReadOnlyTable<u32, &'static [u8]>,
    pub(crate) profiles: ReadOnlyTable<u32, &'static [u8]>,
    pub(crate) units: ReadOnlyTable<u16, &'static [u8]>,
    pub(crate) packs: ReadOnlyTable<&'static [u8; 32], &'static [u8]>,
    pub(crate) log: ReadOnlyTable<u64, &'static [u8]>,
    pub(crate) payloads: ReadOnlyTable<&'static [u8; 12], &'static [u8]>,
    pub(crate) runs: ReadOnlyTable<u32, &'static [u8]>,
    pub(crate) run_months: ReadOnlyTable<u64, ()>,
    pub(crate) outcomes: ReadOnlyTable<u64, &'static [u8]>,
    pub(crate) ledger: ReadOnlyTable<u64, &'static [u8]>,
    pub(crate) totals: ReadOnlyTable<u64, &'static [u8]>,
}

impl Tables {
    /// Opens every table at the snapshot of a read transaction, and reads the head.
    pub(crate) fn open(transaction: &ReadTransaction) -> Result<(Self, Head), ReadError> {
        let head = transaction.open_table(HEAD)?;
        let bytes = head
            .get(HEAD_KEY)?
            .ok_or_else(|| ReadError::Inconsistent("the registry has no head entry".to_owned()))?;
        let head = record::decode(HEAD_VERSION, bytes.value()).map_err(malformed("head", HEAD_KEY))?;
        let tables = Self {
            ids: transaction.open_table(IDS)?,
            id_holders: transaction.open_table(ID_HOLDERS)?,
            locators: transaction.open_table(LOCATORS)?,
            rows: transaction.open_table(ROWS)?,
            household_ids: transaction.open_table(HOUSEHOLD_IDS)?,
            households: transaction.open_table(HOUSEHOLDS)?,
            members: transaction.open_table(MEMBERS)?,
            merged: transaction.open_table(MERGED)?,
            references: transaction.open_table(REFERENCES)?,
            facts: transaction.open_table(FACTS)?,
            hot: transaction.open_table(HOT)?,
            occurrences: transaction.open_table(OCCURRENCES)?,
            columns: transaction.open_table(COLUMNS)?,
            ties: transaction.open_table(TIES)?,
            dossiers: transaction.open_table(DOSSIERS)?,
            profiles: transaction.open_table(PROFILES)?,
            units: transaction.open_table(UNITS)?,
            packs: transaction.open_table(PACKS)?,
            log: transaction.open_table(LOG)?,
            payloads: transaction.open_table(PAYLOADS)?,
            runs: transaction.open_table(RUNS)?,
            run_months: transaction.open_table(RUN_MONTHS)?,
            outcomes: transaction.open_table(OUTCOMES)?,
            ledger: transaction.open_table(LEDGER)?,
            totals: transaction.open_table(TOTALS)?,
        };
        Ok((tables, head))
    }
}

/// Makes every table, so that a snapshot can open them all.
pub(crate) fn create_all(transaction: &redb::WriteTransaction) -> Result<(), redb::Error> {
    transaction
        .open_table(HEAD)?
        .insert(HEAD_KEY, Head::EMPTY.encode().as_slice())?;
    transaction.open_table(IDS)?;
    transaction.open_table(ID_HOLDERS)?;
    transaction.open_table(LOCATORS)?;
    transaction.open_table(ROWS)?;
    transaction.open_table(HOUSEHOLD_IDS)?;
    transaction.open_table(HOUSEHOLDS)?;
    transaction.open_table(MEMBERS)?;
    transaction.open_table(MERGED)?;
    transaction.open_table(REFERENCES)?;
    transaction.open_table(FACTS)?;
    transaction.open_table(HOT)?;
    transaction.open_table(OCCURRENCES)?;
    transaction.open_table(COLUMNS)?;
    transaction.open_table(TIES)?;
    transaction.open_table(DOSSIERS)?;
    transaction.open_table(PROFILES)?;
    transaction.open_table(UNITS)?;
    transaction.open_table(PACKS)?;
    transaction.open_table(LOG)?;
    transaction.open_table(PAYLOADS)?;
    transaction.open_table(RUNS)?;
    transaction.open_table(RUN_MONTHS)?;
    transaction.open_table(OUTCOMES)?;
    transaction.open_table(LEDGER)?;
    transaction.open_table(TOTALS)?;
    Ok(())
}

/// The key of an identifier and a sequence in [`ID_HOLDERS`].
pub(crate) fn holder_key(key: u64, sequence: u64) -> [u8; 11] {
    let mut bytes = [0; 11];
    bytes[..5].copy_from_slice(&key.to_be_bytes()[3..]);
    bytes[5..].copy_from_slice(&sequence.min((1 << 48) - 1).to_be_bytes()[2..]);
    bytes
}

/// The key of a person's row in a unit.
pub(crate) fn row_key(person: u32, unit: u16) -> [u8; 6] {
    let mut bytes = [0; 6];
    bytes[..4].copy_from_slice(&person.to_be_bytes());
    bytes[4..].copy_from_slice(&unit.to_be_bytes());
    bytes
}

/// The key of two numbers.
pub(crate) fn pair_key(first: u32, second: u32) -> [u8; 8] {
    (u64::from(first) << 32 | u64::from(second)).to_be_bytes()
}

/// The first number of a key of two.
pub(crate) fn first_of_pair(key: [u8; 8]) -> u32 {
    (u64::from_be_bytes(key) >> 32) as u32
}

/// The second number of a key of two.
pub(crate) fn second_of_pair(key: [u8; 8]) -> u32 {
    u64::from_be_bytes(key) as u32
}

/// The key of a payload.
pub(crate) fn payload_key(sequence: u64, operation: u32) -> [u8; 12] {
    let mut bytes = [0; 12];
    bytes[..8].copy_from_slice(&sequence.to_be_bytes());
    bytes[8..].copy_from_slice(&operation.to_be_bytes());
    bytes
}

/// The number of an ID in a table of index blocks, `name` in messages.
pub(crate) fn indexed(
    table: &impl ReadableTable<u64, &'static [u8]>,
    name: &'static str,
    id: u64,
) -> Result<Option<u32>, ReadError> {
    let Some(entry) = table.range(id..)?.next() else {
        return Ok(None);
    };
    let (key, bytes) = entry?;
    let block = IndexBlock::read(bytes.value());
    block
        .and_then(|block| block.get(id))
        .map_err(malformed(name, key.value()))
}

/// Everything in a range of a table, copied.
pub(crate) fn collect<K, V, T>(
    range: redb::Range<'_, K, V>,
    mut take: impl FnMut(K::SelfType<'_>, V::SelfType<'_>) -> Result<T, ReadError>,
) -> Result<Vec<T>, ReadError>
where
    K: redb::Key + 'static,
    V: redb::Value + 'static,
{
    let mut found = Vec::new();
    for entry in range {
        let (key, value) = entry?;
        found.push(take(key.value(), value.value())?);
    }
    Ok(found)
}
