//! Column segments: the other columns in use, beside the hot segment of the same key.
//!
//! ```text
//!  0  version u8 = 1, zero u8, rows u16
//!  4  identifiers      rows × u40        keys of identifiers
//!     birth days       rows × u8         0 unknown
//!     then sections, each preceded by its length u32:
//!     persons          runs of (zigzag distance to the number expected next, varint length)
//!     households       runs of (zigzag distance to the number before, varint length)
//!     began            runs              the month from which the person's record begins
//!     recorded         runs              the sequence that inserted the person
//!     attributes       varint number; each: attribute u16, form u8, bytes u32, then
//!                      form 0 (categories): runs of 0 no record, 1 unknown, 2 false, 3 true, 4 + n named value n
//!                      form 1 (values): for each row that has one: varint distance to the row before, value
//!                      form 2 (many values): a bit for every row, lowest first; then the values of the rows that have one
//! ```

use super::bytes::{Reader, Writer, unzigzag};
use super::error::{Expected, FormatError};
use super::locator::SEGMENT_ROWS_MAX;
use super::profile;
use crate::types::{AttributeNumber, Identifier, Month, PersonNumber, Sequence, Value};

const VERSION: u8 = 1;
const HEADER_BYTES: usize = 4;
const IDENTIFIER_BYTES: usize = 5;
/// A new segment is begun when the encoded bytes would pass this: an 8 KiB leaf page of a table with 4-byte keys
/// holds 8,180, and the rest is left for changes to come.
pub const FILL_BYTES: usize = 8_000;

/// One row, as its person's record began, but for what facts say since.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// The person.
    pub person: u32,
    /// The household, 0 for none.
    pub household: u32,
    /// The identifier.
    pub identifier: Identifier,
    /// The day of birth, 0 if unknown.
    pub birth_day: u8,
    /// The month from which the person's record begins.
    pub began: Month,
    /// The sequence that inserted the person.
    pub recorded: Sequence,
    /// Values of attributes that are not in the profile, by attribute.
    pub values: Vec<(AttributeNumber, Value)>,
}

/// A column segment.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ColumnSegment {
    /// The rows.
    pub rows: Vec<Row>,
}

const fn category(value: Value) -> Option<u64> {
    match value {
        Value::Unknown => Some(1),
        Value::Bool(yes) => Some(2 + yes as u64),
        Value::Enum(number) => Some(4 + number as u64),
        _ => None,
    }
}

fn category_value(code: u64, at: usize) -> Result<Option<Value>, FormatError> {
    Ok(match code {
        0 => None,
        1 => Some(Value::Unknown),
        2 | 3 => Some(Value::Bool(code == 3)),
        _ => Some(Value::Enum(u16::try_from(code - 4).map_err(|_| {
            FormatError::new("category", at, code, Expected::AtMost(u64::from(u16::MAX) + 4))
        })?)),
    })
}

fn section(out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) {
    let at = out.len();
    out.put_u32(0);
    write(out);
    let len = (out.len() - at - 4) as u32;
    out[at..at + 4].copy_from_slice(&len.to_le_bytes());
}

fn put_distance_runs(out: &mut Vec<u8>, numbers: impl Iterator<Item = u32>, step: i64) {
    let mut expected = 0_i64;
    let mut run: Option<(i64, u64)> = None;
    for number in numbers {
        let number = i64::from(number);
        match &mut run {
            Some((_, length)) if number == expected => *length += 1,
            _ => {
                if let Some((distance, length)) = run.take() {
                    out.put_zigzag(distance);
                    out.put_varint(length);
                }
                run = Some((number - expected, 1));
            }
        }
        expected = number + step;
    }
    if let Some((distance, length)) = run {
        out.put_zigzag(distance);
        out.put_varint(length);
    }
}

fn distance_runs(reader: &mut Reader<'_>, rows: usize, step: i64) -> Result<Vec<u32>, FormatError> {
    let mut numbers = Vec::with_capacity(rows);
    let mut expected = 0_i64;
    while numbers.len() < rows {
        let at = reader.at();
        let mut number = expected.saturating_add(reader.zigzag("number distance")?);
        let length = reader.varint_max((rows - numbers.len()) as u64, "run length")?;
        if length == 0 {
            return Err(FormatError::new("run length", at, 0, Expected::AtLeast(1)));
        }
        for _ in 0..length {
            let expected = Expected::AtMost(u64::from(u32::MAX));
            numbers.push(
                u32::try_from(number)
                    .map_err(|_| FormatError::new("number", at, number.unsigned_abs(), expected))?,
            );
            number += step;
        }
        expected = number - step + step;
    }
    Ok(numbers)
}

impl ColumnSegment {
    /// The bytes of the segment.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(HEADER_BYTES + self.rows.len() * 10);
        out.put_u8(VERSION);
        out.put_u8(0);
        out.put_u16(self.rows.len() as u16);
        for row in &self.rows {
            out.put_u40(row.identifier.key());
        }
        out.extend(self.rows.iter().map(|row| row.birth_day));
        section(&mut out, |out| {
            put_distance_runs(out, self.rows.iter().map(|row| row.person), 1);
        });
        section(&mut out, |out| {
            put_distance_runs(out, self.rows.iter().map(|row| row.household), 0);
        });
        let column = |get: fn(&Row) -> u64| self.rows.iter().map(get).collect::<Vec<_>>();
        section(&mut out, |out| {
            out.put_runs(&column(|row| u64::from(row.began.index())));
        });
        section(&mut out, |out| out.put_runs(&column(|row| row.recorded.get())));
        self.put_attributes(&mut out);
        out
    }

    fn put_attributes(&self, out: &mut Vec<u8>) {
        let mut attributes: Vec<AttributeNumber> = self
            .rows
            .iter()
            .flat_map(|row| row.values.iter().map(|&(attribute, _)| attribute))
            .collect();
        attributes.sort_unstable();
        attributes.dedup();
        out.put_varint(attributes.len() as u64);
        for attribute in attributes {
            let of = |row: &Row| {
                row.values
                    .iter()
                    .find(|&&(number, _)| number == attribute)
                    .map(|&(_, value)| value)
            };
            let values: Vec<Option<Value>> = self.rows.iter().map(of).collect();
            out.put_u16(attribute.get());
            let categories: Option<Vec<u64>> = values
                .iter()
                .map(|value| value.map_or(Some(0), category))
                .collect();
            // A column of unknowns alone has no type of its own; either form holds it.
            if let Some(categories) = categories {
                out.put_u8(0);
                section(out, |out| out.put_runs(&categories));
            } else {
                self.put_values(out, &values);
            }
        }
    }

    /// The values of one attribute, with distances where few rows have one and a bitmap where many have.
    fn put_values(&self, out: &mut Vec<u8>, values: &[Option<Value>]) {
        let rows = || {
            values
                .iter()
                .enumerate()
                .filter_map(|(row, value)| Some((row, (*value)?)))
        };
        let many = rows().count() * 8 > values.len();
        out.put_u8(if many { 2 } else { 1 });
        section(out, |out| {
            if many {
                let mut bits = vec![0_u8; values.len().div_ceil(8)];
                for (row, _) in rows() {
                    bits[row / 8] |= 1 << (row % 8);
                }
                out.extend_from_slice(&bits);
            }
            let mut last = 0;
            for (row, value) in rows() {
                if !many {
                    out.put_varint((row - last) as u64);
                }
                put_relative(out, value, self.rows[row].person);
                last = row;
            }
        });
    }

    /// The segment that these bytes hold.
    pub fn decode(bytes: &[u8]) -> Result<Self, FormatError> {
        let (count, mut reader) = header(bytes)?;
        let identifiers = reader.slice(count * IDENTIFIER_BYTES, "identifiers")?;
        let days = reader.slice(count, "birth days")?;
        let mut part = |what| {
            let len = reader.u32(what)? as usize;
            Ok::<_, FormatError>(Reader::new(reader.slice(len, what)?))
        };
        let persons = distance_runs(&mut part("persons")?, count, 1)?;
        let households = distance_runs(&mut part("households")?, count, 0)?;
        let began = part("first months")?.runs(count, "first months")?;
        let recorded = part("sequences")?.runs(count, "sequences")?;
        let mut rows = Vec::with_capacity(count);
        for row in 0..count {
            rows.push(Row {
                person: persons[row],
                household: households[row],
                identifier: identifier(identifiers, row)?,
                birth_day: days[row],
                began: began_month(began[row])?,
                recorded: Sequence(recorded[row]),
                values: Vec::new(),
            });
        }
        attributes(&mut reader, count, &mut |row, attribute, value| {
            let value = relative(value, rows[row].person);
            rows[row].values.push((attribute, value));
        })?;
        Ok(Self { rows })
    }
}

/// References to persons are kept as distances, which are small within a household.
fn put_relative(out: &mut Vec<u8>, value: Value, person: u32) {
    let value = match value {
        Value::Person(number) => Value::Person(PersonNumber(
            number.get().wrapping_sub(person) << 1 ^ {
                if (number.get().wrapping_sub(person) as i32) < 0 {
                    u32::MAX
                } else {
                    0
                }
            },
        )),
        other => other,
    };
    profile::put_value(out, value);
}

fn relative(value: Value, person: u32) -> Value {
    match value {
        Value::Person(PersonNumber(code)) => {
            let distance = code >> 1 ^ 0_u32.wrapping_sub(code & 1);
            Value::Person(PersonNumber(person.wrapping_add(distance)))
        }
        other => other,
    }
}

fn header(bytes: &[u8]) -> Result<(usize, Reader<'_>), FormatError> {
    let mut reader = Reader::new(bytes);
    reader.version(VERSION, "column segment version")?;
    let zero = reader.u8("column segment flags")?;
    let count = usize::from(reader.u16("row count")?);
    if zero != 0 || count > SEGMENT_ROWS_MAX {
        let (found, max) = if zero == 0 {
            (count as u64, SEGMENT_ROWS_MAX as u64)
        } else {
            (u64::from(zero), 0)
        };
        return Err(FormatError::new(
            "column segment header",
            1,
            found,
            Expected::AtMost(max),
        ));
    }
    Ok((count, reader))
}

fn identifier(column: &[u8], row: usize) -> Result<Identifier, FormatError> {
    let mut key = [0; 8];
    key[..IDENTIFIER_BYTES].copy_from_slice(&column[row * IDENTIFIER_BYTES..(row + 1) * IDENTIFIER_BYTES]);
    let key = u64::from_le_bytes(key);
    Identifier::from_key(key).ok_or_else(|| {
        let at = HEADER_BYTES + row * IDENTIFIER_BYTES;
        FormatError::new("identifier", at, key, Expected::Words("the key of an identifier"))
    })
}

fn began_month(index: u64) -> Result<Month, FormatError> {
    u16::try_from(index)
        .ok()
        .and_then(Month::from_index)
        .ok_or_else(|| {
            FormatError::new(
                "first month",
                0,
                index,
                Expected::AtMost(u64::from(Month::MAX.index())),
            )
        })
}

fn attributes(
    reader: &mut Reader<'_>,
    count: usize,
    found: &mut dyn FnMut(usize, AttributeNumber, Value),
) -> Result<(), FormatError> {
    for _ in 0..reader.varint_max(u64::from(u16::MAX), "attribute count")? {
        let attribute = AttributeNumber(reader.u16("attribute")?);
        let at = reader.at();
        let form = reader.u8("attribute form")?;
        let len = reader.u32("attribute bytes")? as usize;
        let mut part = Reader::new(reader.slice(len, "attribute")?);
        match form {
            0 => {
                for (row, code) in part.runs(count, "categories")?.into_iter().enumerate() {
                    if let Some(value) = category_value(code, at)? {
                        found(row, attribute, value);
                    }
                }
            }
            1 => {
                let (mut row, mut first) = (0, true);
                while part.remaining() > 0 {
                    let distance = part.varint_max(SEGMENT_ROWS_MAX as u64, "row distance")? as usize;
                    if distance == 0 && !first {
                        let expected = Expected::Words("rows in ascending order");
                        return Err(FormatError::new("row of a value", at, row as u64, expected));
                    }
                    (row, first) = (row + distance, false);
                    if row >= count {
                        let expected = Expected::AtMost(count as u64 - u64::from(count > 0));
                        return Err(FormatError::new("row of a value", at, row as u64, expected));
                    }
                    found(row, attribute, profile::value(&mut part)?);
                }
            }
            2 => {
                let bits = bitmap(&mut part, count)?;
                for row in (0..count).filter(|row| bits[row / 8] & 1 << (row % 8) != 0) {
                    found(row, attribute, profile::value(&mut part)?);
                }
                part.end("values")?;
            }
            _ => return Err(unknown_form(at, form)),
        }
    }
    reader.end("column segment")
}

/// One row of the bytes of a segment, without decoding the others; `None` if there are fewer rows.
pub fn row(bytes: &[u8], row: usize) -> Result<Option<Row>, FormatError> {
    let (count, mut reader) = header(bytes)?;
    if row >= count {
        return Ok(None);
    }
    let identifiers = reader.slice(count * IDENTIFIER_BYTES, "identifiers")?;
    let days = reader.slice(count, "birth days")?;
    let mut part = |what| {
        let len = reader.u32(what)? as usize;
        Ok::<_, FormatError>(Reader::new(reader.slice(len, what)?))
    };
    let person = distance_at(&mut part("persons")?, row, 1)?;
    let household = distance_at(&mut part("households")?, row, 0)?;
    let began = run_at(&mut part("first months")?, row)?;
    let recorded = run_at(&mut part("sequences")?, row)?;
    let mut values = Vec::new();
    attributes_at(&mut reader, count, row, None, &mut |attribute, value| {
        values.push((attribute, relative(value, person)));
    })?;
    Ok(Some(Row {
        person,
        household,
        identifier: identifier(identifiers, row)?,
        birth_day: days[row],
        began: began_month(began)?,
        recorded: Sequence(recorded),
        values,
    }))
}

/// One attribute of a row, as its person's record began.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Original {
    /// The month from which the person's record begins.
    pub began: Month,
    /// The sequence that inserted the person.
    pub recorded: Sequence,
    /// The value, if the row has one.
    pub value: Option<Value>,
}

/// One attribute of one row of the bytes of a segment, without reading the others; `None` if there are fewer rows.
pub fn original(
    bytes: &[u8],
    row: usize,
    attribute: AttributeNumber,
) -> Result<Option<Original>, FormatError> {
    let (count, mut reader) = header(bytes)?;
    if row >= count {
        return Ok(None);
    }
    reader.slice(count * (IDENTIFIER_BYTES + 1), "identifiers and birth days")?;
    let mut part = |what| {
        let len = reader.u32(what)? as usize;
        Ok::<_, FormatError>(Reader::new(reader.slice(len, what)?))
    };
    let (mut persons, _) = (part("persons")?, part("households")?);
    let began = run_at(&mut part("first months")?, row)?;
    let recorded = run_at(&mut part("sequences")?, row)?;
    let mut value = None;
    attributes_at(&mut reader, count, row, Some(attribute), &mut |_, found| {
        value = Some(found);
    })?;
    if let Some(Value::Person(_)) = value {
        let person = distance_at(&mut persons, row, 1)?;
        value = value.map(|value| relative(value, person));
    }
    Ok(Some(Original {
        began: began_month(began)?,
        recorded: Sequence(recorded),
        value,
    }))
}

/// The person of a row of the bytes of a segment; `None` if there are fewer rows.
pub fn person(bytes: &[u8], row: usize) -> Result<Option<u32>, FormatError> {
    let (count, mut reader) = header(bytes)?;
    if row >= count {
        return Ok(None);
    }
    reader.slice(count * (IDENTIFIER_BYTES + 1), "identifiers and birth days")?;
    let len = reader.u32("persons")? as usize;
    distance_at(&mut Reader::new(reader.slice(len, "persons")?), row, 1).map(Some)
}

/// The person of every row.
pub fn persons(bytes: &[u8]) -> Result<Vec<u32>, FormatError> {
    let (count, mut reader) = header(bytes)?;
    reader.slice(count * (IDENTIFIER_BYTES + 1), "identifiers and birth days")?;
    let len = reader.u32("persons")? as usize;
    distance_runs(&mut Reader::new(reader.slice(len, "persons")?), count, 1)
}

fn distance_at(reader: &mut Reader<'_>, row: usize, step: i64) -> Result<u32, FormatError> {
    let row = row as u64;
    let (mut passed, mut expected) = (0, 0_i64);
    loop {
        let at = reader.at();
        let (distance, length, is_long) = match reader.short_run() {
            Some((distance, length)) => (unzigzag(distance), length, false),
            None => (reader.zigzag("number distance")?, run_length(reader)?, true),
        };
        let first = expected.saturating_add(distance);
        if passed + length > row {
            let number = first.saturating_add((row - passed) as i64 * step);
            let expected = Expected::AtMost(u64::from(u32::MAX));
            return u32::try_from(number)
                .map_err(|_| FormatError::new("number", at, number.unsigned_abs(), expected));
        }
        passed += length;
        expected = first.saturating_add(length as i64 * step);
        if is_long {
            let (rows, sum) = reader.skip_short_runs(row - passed);
            passed += rows;
            expected = expected.saturating_add(sum + rows as i64 * step);
        }
    }
}

fn run_length(reader: &mut Reader<'_>) -> Result<u64, FormatError> {
    let at = reader.at();
    let length = reader.varint_max(SEGMENT_ROWS_MAX as u64, "run length")?;
    if length == 0 {
        return Err(FormatError::new("run length", at, 0, Expected::AtLeast(1)));
    }
    Ok(length)
}

fn run_at(reader: &mut Reader<'_>, row: usize) -> Result<u64, FormatError> {
    let row = row as u64;
    let mut passed = 0;
    loop {
        let (value, length, is_long) = match reader.short_run() {
            Some((value, length)) => (value, length, false),
            None => (reader.varint("run value")?, run_length(reader)?, true),
        };
        passed += length;
        if passed > row {
            return Ok(value);
        }
        if is_long {
            passed += reader.skip_short_runs(row - passed).0;
        }
    }
}

/// Hands out the values of a row: those of every attribute, or of the wanted one alone.
fn attributes_at(
    reader: &mut Reader<'_>,
    count: usize,
    row: usize,
    wanted: Option<AttributeNumber>,
    found: &mut dyn FnMut(AttributeNumber, Value),
) -> Result<(), FormatError> {
    for _ in 0..reader.varint_max(u64::from(u16::MAX), "attribute count")? {
        let attribute = AttributeNumber(reader.u16("attribute")?);
        let at = reader.at();
        let form = reader.u8("attribute form")?;
        let len = reader.u32("attribute bytes")? as usize;
        let mut part = Reader::new(reader.slice(len, "attribute")?);
        if wanted.is_some_and(|wanted| wanted != attribute) {
            continue;
        }
        match form {
            0 => {
                if let Some(value) = category_value(run_at(&mut part, row)?, at)? {
                    found(attribute, value);
                }
            }
            1 => {
                let mut at_row = 0;
                while part.remaining() > 0 && at_row <= row {
                    at_row += part.varint_max(SEGMENT_ROWS_MAX as u64, "row distance")? as usize;
                    let value = profile::value(&mut part)?;
                    if at_row == row {
                        found(attribute, value);
                        break;
                    }
                }
            }
            2 => {
                let bits = bitmap(&mut part, count)?;
                if bits[row / 8] & 1 << (row % 8) == 0 {
                    continue;
                }
                let whole: u32 = bits[..row / 8].iter().map(|byte| byte.count_ones()).sum();
                let before = whole + (bits[row / 8] & ((1 << (row % 8)) - 1)).count_ones();
                for _ in 0..before {
                    profile::value(&mut part)?;
                }
                found(attribute, profile::value(&mut part)?);
            }
            _ => return Err(unknown_form(at, form)),
        }
    }
    Ok(())
}

/// The bits of a column of many values: none is set beyond the last row.
fn bitmap<'a>(part: &mut Reader<'a>, count: usize) -> Result<&'a [u8], FormatError> {
    let at = part.at();
    let bits = part.slice(count.div_ceil(8), "rows of values")?;
    match bits.last() {
        Some(&last) if !count.is_multiple_of(8) && last >> (count % 8) != 0 => {
            let expected = Expected::Words("no bit beyond the last row");
            Err(FormatError::new("rows of values", at, u64::from(last), expected))
        }
        _ => Ok(bits),
    }
}

fn unknown_form(at: usize, form: u8) -> FormatError {
    FormatError::new("attribute form", at, u64::from(form), Expected::AtMost(2))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::Dong;
    use proptest::prelude::*;

    fn sample(count: u32) -> ColumnSegment {
        let rows = (0..count).map(|i| Row {
            person: if i < 5 { 100 + i } else { 7_000_000 - i },
            household: if i == 3 { 0 } else { 50 + i / 4 },
            identifier: Identifier::from_key(1_150_000_000 + u64::from(i) * 7919).unwrap(),
            birth_day: (i % 32) as u8,
            began: Month::new(2025, 7 + (i % 3) as i32).unwrap(),
            recorded: Sequence(u64::from(i / 9) + 1),
            values: [
                (i % 2 == 0).then_some((AttributeNumber(70), Value::Enum(i as u16))),
                (i % 3 == 0).then_some((AttributeNumber(71), Value::Person(PersonNumber(i)))),
                (i % 5 == 0).then_some((AttributeNumber(72), Value::Money(Dong::new(i64::from(i) * 1000)))),
                (i == 7).then_some((AttributeNumber(73), Value::Unknown)),
                (i % 23 == 1).then_some((AttributeNumber(74), Value::Integer(i64::from(i) - 500))),
            ]
            .into_iter()
            .flatten()
            .collect(),
        });
        ColumnSegment { rows: rows.collect() }
    }

    #[test]
    fn the_sample_has_every_form() {
        let bytes = sample(1000).encode();
        let (count, mut reader) = header(&bytes).unwrap();
        reader.slice(count * (IDENTIFIER_BYTES + 1), "columns").unwrap();
        for _ in 0..4 {
            let len = reader.u32("section").unwrap() as usize;
            reader.slice(len, "section").unwrap();
        }
        let forms: Vec<u8> = (0..reader.varint("attributes").unwrap())
            .map(|_| {
                reader.u16("attribute").unwrap();
                let form = reader.u8("form").unwrap();
                let len = reader.u32("bytes").unwrap() as usize;
                reader.slice(len, "attribute").unwrap();
                form
            })
            .collect();
        assert_eq!(forms, [0, 2, 2, 0, 1]);
    }

    #[test]
    fn segments_come_back_whole_and_by_row() {
        for count in [0, 1, 40, 1000] {
            let segment = sample(count);
            let bytes = segment.encode();
            assert_eq!(ColumnSegment::decode(&bytes).unwrap(), segment);
            for (at, expected) in segment.rows.iter().enumerate() {
                assert_eq!(row(&bytes, at).unwrap().as_ref(), Some(expected));
                assert_eq!(person(&bytes, at).unwrap(), Some(expected.person));
                for attribute in (69..76).map(AttributeNumber) {
                    let mut values = expected.values.iter();
                    let value = values.find(|(number, _)| *number == attribute);
                    let expected = Original {
                        began: expected.began,
                        recorded: expected.recorded,
                        value: value.map(|&(_, value)| value),
                    };
                    assert_eq!(original(&bytes, at, attribute).unwrap(), Some(expected));
                }
            }
            assert_eq!(row(&bytes, count as usize).unwrap(), None);
            assert_eq!(person(&bytes, count as usize).unwrap(), None);
            let numbers: Vec<u32> = segment.rows.iter().map(|row| row.person).collect();
            assert_eq!(persons(&bytes).unwrap(), numbers);
        }
    }

    proptest! {
        #[test]
        fn damage_never_panics(at in any::<usize>(), byte in any::<u8>(), cut in any::<usize>()) {
            let mut bytes = sample(30).encode();
            let len = bytes.len();
            bytes[at % len] = byte;
            if cut % 3 == 0 {
                bytes.truncate(cut % len);
            }
            let _ = ColumnSegment::decode(&bytes);
            let _ = persons(&bytes);
            for at in [0, 7, 29] {
                let _ = row(&bytes, at);
                let _ = original(&bytes, at, AttributeNumber(71));
            }
        }
    }
}
