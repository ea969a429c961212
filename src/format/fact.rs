//! Records of facts.
//!
//! ```text
//! key     15 bytes, big-endian so that the order of bytes is the order of
//!         subject kind u8 (0 person, 1 household, 2 commune), number u32, attribute u16, valid-from month u16,
//!         sequence u48
//! value   flags u8: bit 0 a value (else retracted), bit 1 a last month, bit 2 a document
//!         value (see profile), last month u16, document: varint length, UTF-8
//! ```

use super::bytes::{Reader, Writer};
use super::error::{Expected, FormatError};
use super::profile;
use crate::types::{AttributeNumber, Month, Sequence, Value};

/// The bytes of a key.
pub const KEY_BYTES: usize = 15;
/// The greatest sequence that a key holds.
pub const SEQUENCE_MAX: u64 = (1 << 48) - 1;

/// A key of the table of facts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FactKey {
    /// 0 person, 1 household, 2 commune.
    pub kind: u8,
    /// The subject's number.
    pub number: u32,
    /// The attribute.
    pub attribute: AttributeNumber,
    /// The valid-from month.
    pub from: Month,
    /// The transaction.
    pub recorded: Sequence,
}

impl FactKey {
    /// The bytes under which the table holds it.
    pub fn encode(self) -> [u8; KEY_BYTES] {
        let mut key = [0; KEY_BYTES];
        key[0] = self.kind;
        key[1..5].copy_from_slice(&self.number.to_be_bytes());
        key[5..7].copy_from_slice(&self.attribute.get().to_be_bytes());
        key[7..9].copy_from_slice(&self.from.index().to_be_bytes());
        key[9..].copy_from_slice(&self.recorded.get().to_be_bytes()[2..]);
        key
    }

    /// The key that these bytes hold.
    pub fn decode(key: [u8; KEY_BYTES]) -> Result<Self, FormatError> {
        let from = u16::from_be_bytes([key[7], key[8]]);
        let mut sequence = [0; 8];
        sequence[2..].copy_from_slice(&key[9..]);
        Ok(Self {
            kind: key[0],
            number: u32::from_be_bytes([key[1], key[2], key[3], key[4]]),
            attribute: AttributeNumber(u16::from_be_bytes([key[5], key[6]])),
            from: Month::from_index(from).ok_or_else(|| {
                let expected = Expected::AtMost(u64::from(Month::MAX.index()));
                FormatError::new("valid-from month", 7, u64::from(from), expected)
            })?,
            recorded: Sequence(u64::from_be_bytes(sequence)),
        })
    }

    /// The first and the last key of a subject.
    pub const fn range_of(kind: u8, number: u32) -> (Self, Self) {
        let first = Self {
            kind,
            number,
            attribute: AttributeNumber(0),
            from: Month::MIN,
            recorded: Sequence(0),
        };
        let last = Self {
            attribute: AttributeNumber(u16::MAX),
            from: Month::MAX,
            recorded: Sequence(SEQUENCE_MAX),
            ..first
        };
        (first, last)
    }

    /// The first and the last key of one attribute of a subject.
    pub const fn range_of_attribute(kind: u8, number: u32, attribute: AttributeNumber) -> (Self, Self) {
        let (first, last) = Self::range_of(kind, number);
        (Self { attribute, ..first }, Self { attribute, ..last })
    }
}

/// What a record says: the value, its last month, its document; `None` for a retraction.
pub type FactContent = Option<(Value, Option<Month>, String)>;

/// The bytes of what a record says.
pub fn encode(content: Option<(Value, Option<Month>, &str)>) -> Vec<u8> {
    let Some((value, until, document)) = content else {
        return vec![0];
    };
    let flags = 1 | u8::from(until.is_some()) << 1 | u8::from(!document.is_empty()) << 2;
    let mut out = vec![flags];
    profile::put_value(&mut out, value);
    if let Some(until) = until {
        out.put_u16(until.index());
    }
    if !document.is_empty() {
        out.put_varint(document.len() as u64);
        out.extend_from_slice(document.as_bytes());
    }
    out
}

/// What the bytes of a record say.
pub fn decode(bytes: &[u8]) -> Result<FactContent, FormatError> {
    let mut reader = Reader::new(bytes);
    let flags = reader.u8("fact flags")?;
    if flags > 7 || (flags & 1 == 0 && flags != 0) {
        return Err(FormatError::new(
            "fact flags",
            0,
            u64::from(flags),
            Expected::Words("0, 1, 3, 5 or 7"),
        ));
    }
    let content = if flags == 0 {
        None
    } else {
        let value = profile::value(&mut reader)?;
        let until = if flags & 2 == 0 {
            None
        } else {
            let at = reader.at();
            let index = reader.u16("last month")?;
            let month = Month::from_index(index).ok_or_else(|| {
                let expected = Expected::AtMost(u64::from(Month::MAX.index()));
                FormatError::new("last month", at, u64::from(index), expected)
            })?;
            Some(month)
        };
        let document = if flags & 4 == 0 {
            String::new()
        } else {
            let len = reader.varint_max(reader.remaining() as u64, "document length")? as usize;
            reader.text(len, "document")?.to_owned()
        };
        Some((value, until, document))
    };
    reader.end("fact")?;
    Ok(content)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn keys_order_as_their_parts() {
        let key = |number, attribute, from, recorded| FactKey {
            kind: 0,
            number,
            attribute: AttributeNumber(attribute),
            from: Month::from_index(from).unwrap(),
            recorded: Sequence(recorded),
        };
        let keys = [
            key(1, 1, 1, 300),
            key(1, 1, 2, 1),
            key(1, 2, 0, 0),
            key(256, 0, 0, 0),
        ];
        assert!(keys.map(FactKey::encode).is_sorted() && keys.is_sorted());
        for one in keys {
            assert_eq!(FactKey::decode(one.encode()).unwrap(), one);
        }
        assert!(FactKey::decode([255; KEY_BYTES]).is_err());
    }

    #[test]
    fn contents_come_back() {
        let month = Month::new(2026, 3).unwrap();
        for content in [
            None,
            Some((Value::Unknown, None, "")),
            Some((Value::Enum(3), Some(month), "")),
            Some((Value::Bool(true), Some(month), "112/QĐ-UBND 2026-03-05")),
        ] {
            let decoded = decode(&encode(content)).unwrap();
            assert_eq!(decoded.as_ref().map(|(v, u, d)| (*v, *u, d.as_str())), content);
        }
    }

    proptest! {
        #[test]
        fn damage_never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..40)) {
            let _ = decode(&bytes);
        }
    }
}
