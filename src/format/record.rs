//! Small self-contained records in bincode. This is the only module that calls it.
//!
//! ```text
//! 0      u8      version of the record's type, given by the caller
//! 1      bytes   bincode 2.0.1, standard configuration: little-endian, varints
//! ```
//!
//! Segments, index blocks and ledger blocks have layouts of their own; only what is read one at a time is kept so.

use bincode::config;
use bincode::{Decode, Encode};

use super::error::{Expected, FormatError};

/// The longest record, its version byte included.
pub const RECORD_BYTES_MAX: usize = 16 << 20;

/// How much memory a record may claim for each byte that it has. An element of a list may take so much more in
/// memory than in bincode, where an empty one is a single byte.
const CLAIM_FACTOR: usize = 256;

/// The version byte and the record. A record longer than [`RECORD_BYTES_MAX`] could not be read back: types that
/// are kept so have limits of their own far below.
///
/// ```
/// use ansinh::format::record;
/// let bytes = record::encode(1, &("Nguyễn Văn A", 7_u32));
/// assert_eq!(record::decode::<(String, u32)>(1, &bytes)?.1, 7);
/// assert!(record::decode::<(String, u32)>(2, &bytes).is_err());
/// # Ok::<(), ansinh::format::FormatError>(())
/// ```
pub fn encode<T: Encode>(version: u8, value: &T) -> Vec<u8> {
    let mut out = Vec::new();
    encode_into(&mut out, version, value);
    out
}

/// As [`encode`], at the end of `out`; gives the number of bytes appended.
pub fn encode_into<T: Encode>(out: &mut Vec<u8>, version: u8, value: &T) -> usize {
    let before = out.len();
    out.push(version);
    bincode::encode_into_writer(value, Appender(out), config::standard())
        .expect("memory takes every byte, and the types kept so have no other way to fail");
    debug_assert!(out.len() - before <= RECORD_BYTES_MAX);
    out.len() - before
}

struct Appender<'a>(&'a mut Vec<u8>);

impl bincode::enc::write::Writer for Appender<'_> {
    #[inline]
    fn write(&mut self, bytes: &[u8]) -> Result<(), bincode::error::EncodeError> {
        self.0.extend_from_slice(bytes);
        Ok(())
    }
}

/// The record in `bytes`, which must be of the expected version and hold nothing else.
pub fn decode<T: Decode<()>>(expected_version: u8, bytes: &[u8]) -> Result<T, FormatError> {
    let (value, read) = decode_front(expected_version, bytes)?;
    if read < bytes.len() {
        let left = (bytes.len() - read) as u64;
        let expected = Expected::Words("no byte after the record");
        return Err(FormatError::new("record", read, left, expected));
    }
    Ok(value)
}

/// The first fields of the record in `bytes`, which must be of the expected version, and how many bytes were read. What
/// follows is not looked at.
///
/// ```
/// use ansinh::format::record;
/// let bytes = record::encode(1, &(7_u32, "first", "second"));
/// let ((number, first), read) = record::decode_front::<(u32, String)>(1, &bytes)?;
/// assert_eq!((number, first.as_str(), read), (7, "first", 8));
/// # Ok::<(), ansinh::format::FormatError>(())
/// ```
pub fn decode_front<T: Decode<()>>(expected_version: u8, bytes: &[u8]) -> Result<(T, usize), FormatError> {
    let Some((&version, body)) = bytes.split_first() else {
        return Err(FormatError::new("record", 0, 0, Expected::Bytes(1)));
    };
    if version != expected_version {
        let expected = Expected::Exactly(u64::from(expected_version));
        return Err(FormatError::new(
            "record version",
            0,
            u64::from(version),
            expected,
        ));
    }
    // The limit is a constant of the type, so there is a ladder of them, each for records up to a length.
    match bytes.len() {
        0..=0xff => bounded::<T, { 0x100 * CLAIM_FACTOR }>(body),
        0x100..=0xfff => bounded::<T, { 0x1000 * CLAIM_FACTOR }>(body),
        0x1000..=0xffff => bounded::<T, { 0x1_0000 * CLAIM_FACTOR }>(body),
        0x1_0000..=RECORD_BYTES_MAX => bounded::<T, { RECORD_BYTES_MAX * CLAIM_FACTOR / 16 }>(body),
        len => {
            let expected = Expected::AtMost(RECORD_BYTES_MAX as u64);
            Err(FormatError::new("record length", 0, len as u64, expected))
        }
    }
}

/// The value, and the bytes read with the version byte.
fn bounded<T: Decode<()>, const LIMIT: usize>(body: &[u8]) -> Result<(T, usize), FormatError> {
    let config = config::standard().with_limit::<LIMIT>();
    let (value, read) = bincode::decode_from_slice(body, config).map_err(|_| {
        let expected = Expected::Words("a whole record of its type");
        FormatError::new("record", 1, body.len() as u64, expected)
    })?;
    Ok((value, 1 + read))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::Dossier;

    fn dossier() -> Dossier {
        Dossier {
            name: "Nguyễn Thị Hạnh".into(),
            address: "Thôn 3".into(),
            account: String::new(),
            documents: vec![(301, "112/QĐ-UBND 2026-03-05".into())],
        }
    }

    #[test]
    fn records_come_back_whole_or_not_at_all() {
        let bytes = encode(3, &dossier());
        assert_eq!(decode::<Dossier>(3, &bytes), Ok(dossier()));
        for cut in 0..bytes.len() {
            assert!(decode::<Dossier>(3, &bytes[..cut]).is_err(), "{cut}");
        }
        let mut longer = bytes.clone();
        longer.push(0);
        assert_eq!(decode::<Dossier>(3, &longer).unwrap_err().at, bytes.len());
        assert_eq!(decode::<Dossier>(4, &bytes).unwrap_err().found, 3);
    }

    #[test]
    fn changed_bytes_never_panic() {
        let bytes = encode(1, &dossier());
        for at in 0..bytes.len() {
            for value in 0..=255 {
                let mut changed = bytes.clone();
                changed[at] = value;
                if let Ok(found) = decode::<Dossier>(1, &changed) {
                    assert_eq!(found == dossier(), changed == bytes, "byte {at} = {value}");
                }
            }
        }
    }

    #[test]
    fn a_length_that_the_bytes_do_not_justify_is_refused() {
        let mut bytes = vec![1];
        bytes.push(253);
        bytes.extend_from_slice(&(1_u64 << 40).to_le_bytes());
        assert!(decode::<Vec<u64>>(1, &bytes).is_err());
        assert!(decode::<String>(1, &bytes).is_err());
    }

    #[test]
    fn elements_much_larger_in_memory_are_read() {
        type Large = Option<[u64; 20]>;
        for len in [0, 1, 200, 5_000, 100_000] {
            let values: Vec<Large> = vec![None; len];
            assert_eq!(decode::<Vec<Large>>(1, &encode(1, &values)).unwrap().len(), len);
        }
    }
}
