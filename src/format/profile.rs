//! Values in few bytes, and profiles.
//!
//! ```text
//! value      tag u8, then what the tag says:
//!            0 unknown | 1 false | 2 true | 3 enum varint | 4 integer zigzag | 5 date varint (month*32+day)
//!            6 birth: month varint << 1 | month known, day u8 | 7 money zigzag | 8 person varint
//! profile    version u8 = 1, then for each attribute: varint distance to the one before, value
//! ```

use super::bytes::{Reader, Writer};
use super::error::{Expected, FormatError};
use crate::types::{AttributeNumber, BirthDate, Date, Dong, Month, PersonNumber, Value};

const VERSION: u8 = 1;

/// Appends a value.
pub fn put_value(out: &mut Vec<u8>, value: Value) {
    match value {
        Value::Unknown => out.put_u8(0),
        Value::Bool(yes) => out.put_u8(1 + u8::from(yes)),
        Value::Enum(number) => {
            out.put_u8(3);
            out.put_varint(u64::from(number));
        }
        Value::Integer(number) => {
            out.put_u8(4);
            out.put_zigzag(number);
        }
        Value::Date(date) => {
            out.put_u8(5);
            out.put_varint(u64::from(date.packed()));
        }
        Value::Birth(birth) => {
            let (month, known, day) = birth.parts();
            out.put_u8(6);
            out.put_varint(u64::from(month.index()) << 1 | u64::from(known));
            out.put_u8(day);
        }
        Value::Money(amount) => {
            out.put_u8(7);
            out.put_zigzag(amount.get());
        }
        Value::Person(person) => {
            out.put_u8(8);
            out.put_varint(u64::from(person.get()));
        }
    }
}

/// Reads a value.
pub fn value(reader: &mut Reader<'_>) -> Result<Value, FormatError> {
    let at = reader.at();
    let tag = reader.u8("value tag")?;
    let wrong = |found: u64, expected| FormatError::new("value", at, found, Expected::Words(expected));
    Ok(match tag {
        0 => Value::Unknown,
        1 | 2 => Value::Bool(tag == 2),
        3 => Value::Enum(reader.varint_max(u64::from(u16::MAX), "enum value")? as u16),
        4 => Value::Integer(reader.zigzag("integer value")?),
        5 => {
            let packed = reader.varint_u32("date value")?;
            Value::Date(
                Date::from_packed(packed).ok_or_else(|| wrong(u64::from(packed), "a date that exists"))?,
            )
        }
        6 => {
            let packed = reader.varint_max(u64::from(u16::MAX) << 1 | 1, "birth value")?;
            let day = reader.u8("birth day")?;
            let month = Month::from_index((packed >> 1) as u16);
            let birth = month.and_then(|month| BirthDate::from_parts(month, packed & 1 == 1, day));
            Value::Birth(birth.ok_or_else(|| wrong(packed, "a birth date that exists"))?)
        }
        7 => Value::Money(Dong::new(reader.zigzag("money value")?)),
        8 => Value::Person(PersonNumber(reader.varint_u32("person value")?)),
        _ => return Err(wrong(u64::from(tag), "a tag from 0 to 8")),
    })
}

/// The bytes of a profile.
pub fn encode(profile: impl Iterator<Item = (AttributeNumber, Value)>) -> Vec<u8> {
    let mut out = vec![VERSION];
    let mut last = 0;
    for (attribute, value) in profile {
        out.put_varint(u64::from(attribute.get() - last));
        last = attribute.get();
        put_value(&mut out, value);
    }
    out
}

/// The attributes and values of a profile, by attribute number.
pub fn decode(bytes: &[u8]) -> Result<Vec<(AttributeNumber, Value)>, FormatError> {
    let mut reader = Reader::new(bytes);
    reader.version(VERSION, "profile version")?;
    let mut values = Vec::new();
    let mut last = 0_u16;
    while reader.remaining() > 0 {
        let distance = reader.varint_max(u64::from(u16::MAX - last), "attribute distance")? as u16;
        if distance == 0 {
            let expected = Expected::AtLeast(1);
            return Err(FormatError::new("attribute distance", reader.at(), 0, expected));
        }
        last += distance;
        values.push((AttributeNumber(last), value(&mut reader)?));
    }
    Ok(values)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn every_value_comes_back() {
        let values = [
            Value::Unknown,
            Value::Bool(false),
            Value::Bool(true),
            Value::Enum(u16::MAX),
            Value::Integer(i64::MIN),
            Value::Date("2026-02-28".parse().unwrap()),
            Value::Birth("1950".parse().unwrap()),
            Value::Birth("1950-03".parse().unwrap()),
            Value::Birth("1950-03-17".parse().unwrap()),
            Value::Money(Dong::new(i64::MAX)),
            Value::Person(PersonNumber(u32::MAX)),
        ];
        let listed: Vec<_> = values
            .iter()
            .enumerate()
            .map(|(i, &value)| (AttributeNumber(i as u16 * 7 + 2), value))
            .collect();
        assert_eq!(decode(&encode(listed.iter().copied())).unwrap(), listed);
    }

    proptest! {
        #[test]
        fn damage_never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..40)) {
            let _ = decode(&bytes);
        }
    }
}
