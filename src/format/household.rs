//! Blocks of household records.
//!
//! ```text
//! version u8 = 1, count u16 (at most 64)
//! facts       u64                                   a bit for each household that has facts of its own, lowest first
//! ids         count × u64                           packed household IDs
//! then sections, each preceded by its length u16:
//! people      count × (zigzag distance of the first person to the end of the household before, varint number)
//! head        count × varint                        0 none, else 1 + zigzag(head - first person)
//! profile     count × varint
//! unit, began, recorded     runs                    where and since when it lived when its record began
//! ```
//!
//! The record holds what was so when the household's record began; what changed since stands in the facts.

use super::bytes::{Reader, Writer, unzigzag};
use super::error::{Expected, FormatError};
use crate::types::{HouseholdId, Month, Sequence};

const VERSION: u8 = 1;
const HEAD_BYTES: usize = 11;
/// The households in a block: those numbered 64*b to 64*b + 63, b being the key.
pub const BLOCK_HOUSEHOLDS: usize = 64;

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
    /// Whether any fact was ever recorded of it: otherwise all of this still holds.
    pub has_facts: bool,
}

/// The block that holds a household, and its place there.
pub const fn place_of(household: u32) -> (u32, usize) {
    (
        household / BLOCK_HOUSEHOLDS as u32,
        household as usize % BLOCK_HOUSEHOLDS,
    )
}

/// Puts a record at the place of its household among the records of a block.
pub fn put(records: &mut Vec<Option<HouseholdRecord>>, household: u32, record: HouseholdRecord) {
    let (_, place) = place_of(household);
    if records.len() <= place {
        records.resize(place + 1, None);
    }
    records[place] = Some(record);
}

const fn zigzag(distance: i64) -> u64 {
    (distance as u64) << 1 ^ (distance >> 63) as u64
}

fn section(out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) {
    let at = out.len();
    out.put_u16(0);
    write(out);
    let len = (out.len() - at - 2) as u16;
    out[at..at + 2].copy_from_slice(&len.to_le_bytes());
}

// The longest section has two varints of at most five bytes for each household.
const _: () = assert!(BLOCK_HOUSEHOLDS * 10 <= u16::MAX as usize);
const _: () = assert!(BLOCK_HOUSEHOLDS <= u64::BITS as usize);

/// The bytes of a block. The record at place 0 of block 0 stands for no household.
pub fn encode(records: &[Option<HouseholdRecord>]) -> Vec<u8> {
    let mut out = vec![VERSION];
    out.put_u16(records.len() as u16);
    let absent = HouseholdRecord::ABSENT;
    let records: Vec<&HouseholdRecord> = records
        .iter()
        .map(|record| record.as_ref().unwrap_or(&absent))
        .collect();
    let facts = records.iter().enumerate();
    out.put_u64(facts.fold(0, |bits, (place, record)| {
        bits | u64::from(record.has_facts) << place
    }));
    for record in &records {
        out.put_u64(record.id.packed());
    }
    section(&mut out, |out| {
        let mut end = 0_i64;
        for record in &records {
            out.put_zigzag(i64::from(record.first_person) - end);
            out.put_varint(u64::from(record.people));
            end = i64::from(record.first_person) + i64::from(record.people);
        }
    });
    section(&mut out, |out| {
        for record in &records {
            let head = i64::from(record.head) - i64::from(record.first_person);
            out.put_varint(if record.head == 0 { 0 } else { 1 + zigzag(head) });
        }
    });
    section(&mut out, |out| {
        for record in &records {
            out.put_varint(u64::from(record.profile));
        }
    });
    let column =
        |get: &dyn Fn(&HouseholdRecord) -> u64| records.iter().map(|record| get(record)).collect::<Vec<_>>();
    section(&mut out, |out| {
        out.put_runs(&column(&|record| u64::from(record.unit)));
    });
    section(&mut out, |out| {
        out.put_runs(&column(&|record| u64::from(record.began.index())));
    });
    section(&mut out, |out| {
        out.put_runs(&column(&|record| record.recorded.get()));
    });
    out
}

/// Walks the columns of a block and hands out the records at places from `from` on, as many as `count`.
fn walk(
    bytes: &[u8],
    from: usize,
    count: Option<usize>,
) -> Result<Vec<Option<HouseholdRecord>>, FormatError> {
    let mut reader = Reader::new(bytes);
    reader.version(VERSION, "household block version")?;
    let all = usize::from(reader.u16("household count")?);
    if all > BLOCK_HOUSEHOLDS {
        let expected = Expected::AtMost(BLOCK_HOUSEHOLDS as u64);
        return Err(FormatError::new("household count", 1, all as u64, expected));
    }
    let facts = reader.u64("households with facts")?;
    if all < BLOCK_HOUSEHOLDS && facts >> all != 0 {
        let expected = Expected::Words("no bit beyond the last household");
        return Err(FormatError::new("households with facts", 3, facts, expected));
    }
    let ids = reader.slice(all * 8, "household IDs")?;
    let mut part = |what| {
        let len = usize::from(reader.u16(what)?);
        Ok::<_, FormatError>(Reader::new(reader.slice(len, what)?))
    };
    let (mut people, mut heads, mut profiles) = (part("people")?, part("heads")?, part("profile codes")?);
    let (mut units, mut began, mut recorded) = (part("units")?, part("first months")?, part("sequences")?);
    reader.end("household block")?;
    if from >= all {
        return Ok(Vec::new());
    }
    let end = count.map_or(all, |count| all.min(from.saturating_add(count)));
    let mut records = Vec::with_capacity(end - from);
    heads.skip_varints(from as u64, "head")?;
    profiles.skip_varints(from as u64, "profile code")?;
    let mut person = 0_i64;
    for _ in 0..from {
        let (distance, number) = match people.short_run() {
            Some((distance, number)) => (unzigzag(distance), number as u32),
            None => (people.zigzag("first person")?, people.varint_u32("people")?),
        };
        person = person.saturating_add(distance).saturating_add(i64::from(number));
    }
    for place in from..end {
        let at = people.at();
        let first = person.saturating_add(people.zigzag("first person")?);
        let number = people.varint_u32("people")?;
        person = first.saturating_add(i64::from(number));
        let (head, profile) = (heads.varint("head")?, profiles.varint_u32("profile code")?);
        let mut record = HouseholdRecord {
            profile,
            people: number,
            has_facts: facts >> place & 1 != 0,
            ..HouseholdRecord::ABSENT
        };
        let fits = person <= i64::from(u32::MAX) && first >= 0;
        if !fits {
            let expected = Expected::Words("person numbers below 2^32");
            return Err(FormatError::new(
                "first person",
                at,
                first.unsigned_abs(),
                expected,
            ));
        }
        record.first_person = first as u32;
        if head != 0 {
            let number = first.saturating_add(unzigzag(head - 1));
            record.head = u32::try_from(number)
                .ok()
                .filter(|&number| number != 0)
                .ok_or_else(|| {
                    FormatError::new(
                        "head",
                        at,
                        head,
                        Expected::Words("a person number from 1 to 2^32"),
                    )
                })?;
        }
        record.id = id_at(ids, place)?;
        records.push(record);
    }
    for (what, column) in [
        ("units", &mut units),
        ("first months", &mut began),
        ("sequences", &mut recorded),
    ] {
        fill(what, column, from, end, &mut records)?;
    }
    Ok(records
        .into_iter()
        .map(|record| (record.id != HouseholdId::NONE).then_some(record))
        .collect())
}

fn id_at(ids: &[u8], place: usize) -> Result<HouseholdId, FormatError> {
    let packed = Reader::new(&ids[place * 8..]).u64("household ID")?;
    if packed == 0 {
        return Ok(HouseholdId::NONE);
    }
    HouseholdId::from_packed(packed).ok_or_else(|| {
        FormatError::new(
            "household ID",
            HEAD_BYTES + place * 8,
            packed,
            Expected::Words("a packed household ID"),
        )
    })
}

/// Gives the records at places `from` to `end` their values of a column of runs.
fn fill(
    what: &'static str,
    column: &mut Reader<'_>,
    from: usize,
    end: usize,
    records: &mut [HouseholdRecord],
) -> Result<(), FormatError> {
    let mut place = 0;
    while place < end {
        let at = column.at();
        let value = column.varint(what)?;
        let length = column.varint_max(BLOCK_HOUSEHOLDS as u64, what)? as usize;
        if length == 0 {
            return Err(FormatError::new(what, at, 0, Expected::AtLeast(1)));
        }
        for record in place.max(from)..end.min(place + length) {
            let record = &mut records[record - from];
            let wrong = |max: u64| FormatError::new(what, at, value, Expected::AtMost(max));
            match what {
                "units" => record.unit = u16::try_from(value).map_err(|_| wrong(u64::from(u16::MAX)))?,
                "first months" => {
                    let month = u16::try_from(value).ok().and_then(Month::from_index);
                    record.began = month.ok_or_else(|| wrong(u64::from(Month::MAX.index())))?;
                }
                _ => record.recorded = Sequence(value),
            }
        }
        place += length;
    }
    Ok(())
}

/// The records of a block.
pub fn decode(bytes: &[u8]) -> Result<Vec<Option<HouseholdRecord>>, FormatError> {
    walk(bytes, 0, None)
}

/// One record of a block, without making the others; `None` if there is none at that place.
pub fn record(bytes: &[u8], place: usize) -> Result<Option<HouseholdRecord>, FormatError> {
    Ok(walk(bytes, place, Some(1))?.pop().flatten())
}

impl HouseholdRecord {
    const ABSENT: Self = Self {
        id: HouseholdId::NONE,
        first_person: 0,
        people: 0,
        head: 0,
        profile: 0,
        unit: 0,
        began: Month::MIN,
        recorded: Sequence::ZERO,
        has_facts: false,
    };
}

#[cfg(test)]
mod tests {
    use super::record as record_at;
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
            has_facts: first.is_multiple_of(2),
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
        let bytes = encode(&records);
        assert_eq!(decode(&bytes).unwrap(), records);
        for (place, expected) in records.iter().enumerate() {
            assert_eq!(record_at(&bytes, place).unwrap(), *expected);
        }
        assert_eq!(record_at(&bytes, records.len()).unwrap(), None);
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
            let _ = record_at(&bytes, at % 12);
        }
    }
}
