//! Blocks of household records.
//!
//! ```text
//! version u8 = 1, count varint (at most 256)
//! ids         count × u64                           packed household IDs
//! people      count × (zigzag distance of the first person to the end of the household before, varint number)
//! head        count × varint                        0 none, else 1 + zigzag(head - first person)
//! profile     count × varint
//! unit, began, recorded     runs                    where and since when it lived when its record began
//! ```
//!
//! The record holds what was so when the household's record began; what changed since stands in the facts.

use super::bytes::{Reader, Writer};
use super::error::{Expected, FormatError};
use crate::types::{HouseholdId, Month, Sequence};

const VERSION: u8 = 1;
/// The households in a block: those numbered 256*b to 256*b + 255, b being the key.
pub const BLOCK_HOUSEHOLDS: usize = 256;

/// A household as its record began.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HouseholdRecord {
    /// The outside ID.
    pub id: HouseholdId,
    /// The first of the people who were entered with it, whose numbers follow each other.
    pub first_person: u32,
    /// How many were entered with it.
    pub people: u32,
    /// The head, 0 for none.
    pub head: u32,
    /// The code of its profile, as far as the facts do not say otherwise.
    pub profile: u32,
    /// The unit.
    pub unit: u16,
    /// The month from which its record begins.
    pub began: Month,
    /// The transaction that made it.
    pub recorded: Sequence,
}

/// The block that holds a household, and its place there.
pub const fn place_of(household: u32) -> (u32, usize) {
    (
        household / BLOCK_HOUSEHOLDS as u32,
        household as usize % BLOCK_HOUSEHOLDS,
    )
}

const fn zigzag(distance: i64) -> u64 {
    (distance as u64) << 1 ^ (distance >> 63) as u64
}

const fn unzigzag(value: u64) -> i64 {
    (value >> 1) as i64 ^ -((value & 1) as i64)
}

/// The bytes of a block. The record at place 0 of block 0 stands for no household.
pub fn encode(records: &[Option<HouseholdRecord>]) -> Vec<u8> {
    let mut out = vec![VERSION];
    out.put_varint(records.len() as u64);
    let absent = HouseholdRecord {
        id: HouseholdId::NONE,
        first_person: 0,
        people: 0,
        head: 0,
        profile: 0,
        unit: 0,
        began: Month::MIN,
        recorded: Sequence::ZERO,
    };
    let records: Vec<&HouseholdRecord> = records
        .iter()
        .map(|record| record.as_ref().unwrap_or(&absent))
        .collect();
    for record in &records {
        out.put_u64(record.id.packed());
    }
    let mut end = 0_i64;
    for record in &records {
        out.put_zigzag(i64::from(record.first_person) - end);
        out.put_varint(u64::from(record.people));
        end = i64::from(record.first_person) + i64::from(record.people);
    }
    for record in &records {
        let head = i64::from(record.head) - i64::from(record.first_person);
        out.put_varint(if record.head == 0 { 0 } else { 1 + zigzag(head) });
    }
    for record in &records {
        out.put_varint(u64::from(record.profile));
    }
    let column =
        |get: &dyn Fn(&HouseholdRecord) -> u64| records.iter().map(|record| get(record)).collect::<Vec<_>>();
    out.put_runs(&column(&|record| u64::from(record.unit)));
    out.put_runs(&column(&|record| u64::from(record.began.index())));
    out.put_runs(&column(&|record| record.recorded.get()));
    out
}

/// The records of a block.
pub fn decode(bytes: &[u8]) -> Result<Vec<Option<HouseholdRecord>>, FormatError> {
    let mut reader = Reader::new(bytes);
    reader.version(VERSION, "household block version")?;
    let count = reader.varint_max(BLOCK_HOUSEHOLDS as u64, "household count")? as usize;
    let mut records = Vec::with_capacity(count);
    for _ in 0..count {
        let at = reader.at();
        let packed = reader.u64("household ID")?;
        let id = if packed == 0 {
            HouseholdId::NONE
        } else {
            HouseholdId::from_packed(packed).ok_or_else(|| {
                FormatError::new(
                    "household ID",
                    at,
                    packed,
                    Expected::Words("a packed household ID"),
                )
            })?
        };
        records.push(HouseholdRecord {
            id,
            first_person: 0,
            people: 0,
            head: 0,
            profile: 0,
            unit: 0,
            began: Month::MIN,
            recorded: Sequence::ZERO,
        });
    }
    let mut end = 0_i64;
    for record in &mut records {
        let at = reader.at();
        let first = end.saturating_add(reader.zigzag("first person")?);
        let people = reader.varint_u32("people")?;
        let last = u32::try_from(first)
            .ok()
            .and_then(|first| first.checked_add(people));
        let expected = Expected::Words("person numbers below 2^32");
        record.first_person = last
            .map(|last| last - people)
            .ok_or_else(|| FormatError::new("first person", at, first.unsigned_abs(), expected))?;
        record.people = people;
        end = first + i64::from(people);
    }
    for record in &mut records {
        let at = reader.at();
        let code = reader.varint("head")?;
        if code != 0 {
            let head = i64::from(record.first_person).saturating_add(unzigzag(code - 1));
            record.head = u32::try_from(head)
                .ok()
                .filter(|&head| head != 0)
                .ok_or_else(|| {
                    FormatError::new("head", at, code, Expected::Words("a person number below 2^32"))
                })?;
        }
    }
    for record in &mut records {
        record.profile = reader.varint_u32("profile code")?;
    }
    let at = reader.at();
    for (record, unit) in records.iter_mut().zip(reader.runs(count, "units")?) {
        record.unit = u16::try_from(unit)
            .map_err(|_| FormatError::new("units", at, unit, Expected::AtMost(u64::from(u16::MAX))))?;
    }
    let at = reader.at();
    for (record, month) in records.iter_mut().zip(reader.runs(count, "first months")?) {
        record.began = u16::try_from(month)
            .ok()
            .and_then(Month::from_index)
            .ok_or_else(|| {
                FormatError::new(
                    "first months",
                    at,
                    month,
                    Expected::AtMost(u64::from(Month::MAX.index())),
                )
            })?;
    }
    for (record, sequence) in records.iter_mut().zip(reader.runs(count, "sequences")?) {
        record.recorded = Sequence(sequence);
    }
    reader.end("household block")?;
    Ok(records
        .into_iter()
        .map(|record| (record.id != HouseholdId::NONE).then_some(record))
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn record(id: &str, first: u32, people: u32, head: u32) -> HouseholdRecord {
        HouseholdRecord {
            id: id.parse().unwrap(),
            first_person: first,
            people,
            head,
            profile: 7,
            unit: 12,
            began: Month::new(2025, 7).unwrap(),
            recorded: Sequence(3),
        }
    }

    #[test]
    fn records_come_back() {
        let records = vec![
            None,
            Some(record("H1", 1, 4, 1)),
            Some(record("H2", 5, 3, 0)),
            Some(record("H3", 2, 1, 900)),
            Some(record("H4", u32::MAX, 0, u32::MAX)),
        ];
        assert_eq!(decode(&encode(&records)).unwrap(), records);
    }

    proptest! {
        #[test]
        fn damage_never_panics(at in 0_usize..200, byte in any::<u8>(), cut in 0_usize..200) {
            let records: Vec<_> = (0..9).map(|i| Some(record("H1", i * 4 + 1, 4, i * 4 + 1))).collect();
            let mut bytes = encode(&records);
            let len = bytes.len();
            bytes[at % len] = byte;
            bytes.truncate(cut.min(len));
            let _ = decode(&bytes);
        }
    }
}
