//! The log: a chain of records, each holding the hash of the one before, and the payloads that they digest.
//!
//! ```text
//! record
//! 0      u8      version, 1
//! 1      u8      kind, a number of the layer above
//! 2      u64     sequence, from 1, without gaps
//! 10     i64     instant, milliseconds since 1970-01-01T00:00:00Z
//! 18     u32     operations: the number of payloads
//! 22     32      root of the payloads' digests
//! 54     32      hash of the record before; zeros in the first record
//! 86     u16     length of the author, at most 1,000; the author, UTF-8
//!        u16     length of the reason, at most 10,000; the reason, UTF-8
//!        32      own hash: BLAKE3(RECORD_DOMAIN, then all bytes before)
//!
//! payload, one for each operation
//! 0      u8      tag: 1 stored, 0 erased
//! 1      16      salt           (stored)      32  digest   (erased)
//! 17     bytes   the operation  (stored)
//!
//! digest of a payload = BLAKE3(PAYLOAD_DOMAIN, salt, operation)
//! root                = BLAKE3(ROOT_DOMAIN, u32 count, the digests in order)
//! ```
//!
//! A payload may hold personal data and must be erasable by law. The chain therefore holds only its digest; the salt
//! is erased with the operation, so that nobody can find out by guessing what the operation was. An erased payload
//! leaves its digest in its place, and the chain verifies as before.
//!
//! The chain shows that a record or payload was changed, removed or moved after later records were known to someone.
//! It has no key: who can write the whole file can write a whole new chain. To exclude that, keep the newest hash
//! ([`ChainEnd::hash`]) outside the file.

use thiserror::Error;

use super::bytes::{Reader, Writer};
use super::error::{Expected, FormatError};
use crate::types::{Instant, Sequence};

/// The longest author, in bytes.
pub const AUTHOR_BYTES_MAX: usize = 1_000;
/// The longest reason, in bytes.
pub const REASON_BYTES_MAX: usize = 10_000;
/// The longest operation in a payload, in bytes.
pub const OPERATION_BYTES_MAX: usize = 64 << 20;
/// The bytes of a salt.
pub const SALT_BYTES: usize = 16;
/// The bytes of a digest or a hash.
pub const DIGEST_BYTES: usize = 32;

const VERSION: u8 = 1;
const STORED: u8 = 1;
const ERASED: u8 = 0;
const PAYLOAD_DOMAIN: &[u8; 16] = b"ansinh payload 1";
const ROOT_DOMAIN: &[u8; 16] = b"ansinh payroot 1";
const RECORD_DOMAIN: &[u8; 16] = b"ansinh record  1";

const _: () = assert!(AUTHOR_BYTES_MAX <= 0xffff && REASON_BYTES_MAX <= 0xffff);

/// A digest of a payload, a root of digests, or the hash of a record.
pub type Digest = [u8; DIGEST_BYTES];

/// The hash that the first record names as the one before it.
pub const GENESIS: Digest = [0; DIGEST_BYTES];

/// What a record of the log says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogRecord {
    /// The number of the transaction.
    pub sequence: Sequence,
    /// When, as the caller said.
    pub instant: Instant,
    /// What kind of change, by a number of the layer above.
    pub kind: u8,
    /// Who.
    pub author: String,
    /// Why.
    pub reason: String,
    /// The number of operations, each with a payload.
    pub operations: u32,
    /// The root of the payloads' digests.
    pub payload_root: Digest,
    /// The hash of the record before.
    pub previous: Digest,
}

/// Why a text cannot stand in a record, or a chain does not hold.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum LogError {
    /// A text is longer than a record takes.
    #[error("{what} has {found} bytes, at most {max} are kept: shorten it")]
    TooLong {
        /// Which text.
        what: &'static str,
        /// Its length in bytes.
        found: usize,
        /// The limit.
        max: usize,
    },
    /// A record cannot be read, or is not what its own hash says.
    #[error("log record after {after}: {source}")]
    Record {
        /// The record before it.
        after: Sequence,
        /// What is wrong with the bytes.
        source: FormatError,
    },
    /// A payload cannot be read.
    #[error("payload {index} of log record {sequence}: {source}")]
    Payload {
        /// The record.
        sequence: Sequence,
        /// Which payload of it, from 0.
        index: u32,
        /// What is wrong with the bytes.
        source: FormatError,
    },
    /// A record is missing or stands in another's place.
    #[error("log record {found} stands where {expected} should: records were removed, added or moved")]
    Gap {
        /// The sequence found.
        found: Sequence,
        /// The sequence that should be there.
        expected: Sequence,
    },
    /// A record does not follow from the one before.
    #[error("log record {sequence} names another record before it: one of the two was replaced")]
    Broken {
        /// The record.
        sequence: Sequence,
    },
    /// The payloads are not those that the record digests.
    #[error("the {found} payloads of log record {sequence} are not the {expected} that it digests")]
    Payloads {
        /// The record.
        sequence: Sequence,
        /// The number of payloads found.
        found: u32,
        /// The number that the record states; if equal, one of them was changed or moved.
        expected: u32,
    },
}

/// The digest of an operation with its salt.
pub fn payload_digest(salt: &[u8; SALT_BYTES], operation: &[u8]) -> Digest {
    let mut hasher = blake3::Hasher::new();
    hasher.update(PAYLOAD_DOMAIN).update(salt).update(operation);
    *hasher.finalize().as_bytes()
}

/// A payload as it is stored. The salt must be random: it keeps an erased operation from being guessed.
///
/// ```
/// use ansinh::format::log;
/// let stored = log::store_payload(&[7; 16], b"operation");
/// let erased = log::erase_payload(&stored)?;
/// assert_eq!(log::digest_of_stored(&stored)?, log::digest_of_stored(&erased)?);
/// assert_eq!(log::operation_of(&stored)?, Some(&b"operation"[..]));
/// assert_eq!(log::operation_of(&erased)?, None);
/// # Ok::<(), ansinh::format::FormatError>(())
/// ```
pub fn store_payload(salt: &[u8; SALT_BYTES], operation: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(1 + SALT_BYTES + operation.len());
    out.push(STORED);
    out.extend_from_slice(salt);
    out.extend_from_slice(operation);
    out
}

/// The payload with its operation erased: only the digest is left. An erased payload stays as it is.
pub fn erase_payload(payload: &[u8]) -> Result<Vec<u8>, FormatError> {
    let mut out = vec![ERASED];
    out.extend_from_slice(&digest_of_stored(payload)?);
    Ok(out)
}

/// A payload taken apart.
enum Payload<'a> {
    Stored {
        salt: [u8; SALT_BYTES],
        operation: &'a [u8],
    },
    Erased(Digest),
}

fn open_payload(payload: &[u8]) -> Result<Payload<'_>, FormatError> {
    let mut reader = Reader::new(payload);
    match reader.u8("payload tag")? {
        STORED => {
            let salt = reader.array("payload salt")?;
            let len = reader.remaining();
            if len > OPERATION_BYTES_MAX {
                let expected = Expected::AtMost(OPERATION_BYTES_MAX as u64);
                return Err(FormatError::new(
                    "payload length",
                    reader.at(),
                    len as u64,
                    expected,
                ));
            }
            let operation = reader.slice(len, "operation")?;
            Ok(Payload::Stored { salt, operation })
        }
        ERASED => {
            let digest = reader.array("payload digest")?;
            reader.end("erased payload")?;
            Ok(Payload::Erased(digest))
        }
        tag => {
            let expected = Expected::Words("0 (erased) or 1 (stored)");
            Err(FormatError::new("payload tag", 0, u64::from(tag), expected))
        }
    }
}

/// The digest of a payload as it lies in the file, stored or erased.
pub fn digest_of_stored(payload: &[u8]) -> Result<Digest, FormatError> {
    Ok(match open_payload(payload)? {
        Payload::Stored { salt, operation } => payload_digest(&salt, operation),
        Payload::Erased(digest) => digest,
    })
}

/// The operation of a payload; `None` if it has been erased.
pub fn operation_of(payload: &[u8]) -> Result<Option<&[u8]>, FormatError> {
    Ok(match open_payload(payload)? {
        Payload::Stored { operation, .. } => Some(operation),
        Payload::Erased(_) => None,
    })
}

/// The root of a transaction's payload digests, in the order of its operations.
pub fn payload_root(digests: &[Digest]) -> Digest {
    let mut hasher = blake3::Hasher::new();
    hasher
        .update(ROOT_DOMAIN)
        .update(&(digests.len() as u32).to_le_bytes());
    for digest in digests {
        hasher.update(digest);
    }
    *hasher.finalize().as_bytes()
}

/// The hash of a record, from its bytes without the hash. They hold the hash of the record before.
fn hash_of(body: &[u8]) -> Digest {
    let mut hasher = blake3::Hasher::new();
    hasher.update(RECORD_DOMAIN).update(body);
    *hasher.finalize().as_bytes()
}

/// The hash that a record has when it follows the record whose hash is `previous`, whatever `record.previous` says.
pub fn record_hash(previous: &Digest, record: &LogRecord) -> Result<Digest, LogError> {
    let record = LogRecord {
        previous: *previous,
        ..record.clone()
    };
    Ok(record.encode()?.1)
}

impl LogRecord {
    /// The bytes of the record, its hash at their end, and that hash.
    pub fn encode(&self) -> Result<(Vec<u8>, Digest), LogError> {
        let texts = [
            ("author", &self.author, AUTHOR_BYTES_MAX),
            ("reason", &self.reason, REASON_BYTES_MAX),
        ];
        let mut out = Vec::with_capacity(128 + self.author.len() + self.reason.len());
        out.push(VERSION);
        out.push(self.kind);
        out.put_u64(self.sequence.get());
        out.put_i64(self.instant.unix_millis());
        out.put_u32(self.operations);
        out.extend_from_slice(&self.payload_root);
        out.extend_from_slice(&self.previous);
        for (what, text, max) in texts {
            let found = text.len();
            if found > max {
                return Err(LogError::TooLong { what, found, max });
            }
            out.put_u16(found as u16);
            out.extend_from_slice(text.as_bytes());
        }
        let hash = hash_of(&out);
        out.extend_from_slice(&hash);
        Ok((out, hash))
    }

    /// Reads a record and its hash, and checks that the hash is that of the bytes.
    pub fn decode(bytes: &[u8]) -> Result<(Self, Digest), FormatError> {
        let mut reader = Reader::new(bytes);
        reader.version(VERSION, "log record version")?;
        let kind = reader.u8("kind")?;
        let sequence = Sequence(reader.u64("sequence")?);
        let instant = Instant::from_unix_millis(reader.i64("instant")?);
        let operations = reader.u32("operation count")?;
        let payload_root = reader.array("payload root")?;
        let previous = reader.array("previous hash")?;
        let author = text(&mut reader, AUTHOR_BYTES_MAX, "author")?;
        let reason = text(&mut reader, REASON_BYTES_MAX, "reason")?;
        let body_len = reader.at();
        let hash: Digest = reader.array("own hash")?;
        reader.end("log record")?;
        if hash != hash_of(&bytes[..body_len]) {
            let found = Reader::new(&hash).u64("own hash")?;
            let expected = Expected::Words("the hash of the bytes before it");
            return Err(FormatError::new("own hash", body_len, found, expected));
        }
        let record = Self {
            sequence,
            instant,
            kind,
            author,
            reason,
            operations,
            payload_root,
            previous,
        };
        Ok((record, hash))
    }
}

fn text(reader: &mut Reader<'_>, max: usize, what: &'static str) -> Result<String, FormatError> {
    let at = reader.at();
    let len = usize::from(reader.u16(what)?);
    if len > max {
        return Err(FormatError::new(
            what,
            at,
            len as u64,
            Expected::AtMost(max as u64),
        ));
    }
    Ok(reader.text(len, what)?.to_owned())
}

/// The end of a verified stretch of the chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChainEnd {
    /// The last record; [`Sequence::ZERO`] before the first.
    pub sequence: Sequence,
    /// Its hash. Whoever keeps it elsewhere can later tell that everything up to it is unchanged.
    pub hash: Digest,
    /// How many payloads were found erased.
    pub erased: u64,
}

impl ChainEnd {
    /// Before the first record.
    pub const START: Self = Self {
        sequence: Sequence::ZERO,
        hash: GENESIS,
        erased: 0,
    };

    /// Verifies the next record with its payloads, in the order of its operations, and gives what it says.
    pub fn follow<P: AsRef<[u8]>>(
        &mut self,
        bytes: &[u8],
        payloads: impl IntoIterator<Item = P>,
    ) -> Result<LogRecord, LogError> {
        let after = self.sequence;
        let (record, hash) = LogRecord::decode(bytes).map_err(|source| LogError::Record { after, source })?;
        let sequence = record.sequence;
        let expected = Sequence(after.get().saturating_add(1));
        if sequence != expected {
            return Err(LogError::Gap {
                found: sequence,
                expected,
            });
        }
        if record.previous != self.hash {
            return Err(LogError::Broken { sequence });
        }
        let (digests, erased) = digests_of(sequence, payloads)?;
        if digests.len() as u64 != u64::from(record.operations)
            || payload_root(&digests) != record.payload_root
        {
            return Err(LogError::Payloads {
                sequence,
                found: u32::try_from(digests.len()).unwrap_or(u32::MAX),
                expected: record.operations,
            });
        }
        self.sequence = sequence;
        self.hash = hash;
        self.erased += erased;
        Ok(record)
    }
}

fn digests_of<P: AsRef<[u8]>>(
    sequence: Sequence,
    payloads: impl IntoIterator<Item = P>,
) -> Result<(Vec<Digest>, u64), LogError> {
    let mut digests = Vec::new();
    let mut erased = 0;
    for payload in payloads {
        let payload = payload.as_ref();
        let digest = digest_of_stored(payload).map_err(|source| LogError::Payload {
            sequence,
            index: digests.len() as u32,
            source,
        })?;
        erased += u64::from(payload.first() == Some(&ERASED));
        digests.push(digest);
    }
    Ok((digests, erased))
}

/// Verifies records and their payloads from the first record on.
///
/// That the newest records were not cut off can only be told by comparing the end with one that was kept.
pub fn verify_chain<R, P, Ps>(records: impl IntoIterator<Item = (R, Ps)>) -> Result<ChainEnd, LogError>
where
    R: AsRef<[u8]>,
    P: AsRef<[u8]>,
    Ps: IntoIterator<Item = P>,
{
    let mut end = ChainEnd::START;
    for (record, payloads) in records {
        end.follow(record.as_ref(), payloads)?;
    }
    Ok(end)
}

#[cfg(test)]
mod tests {
    use super::*;

    type Chain = Vec<(Vec<u8>, Vec<Vec<u8>>)>;

    fn chain() -> (Chain, Digest) {
        let mut chain = Chain::new();
        let mut previous = GENESIS;
        for sequence in 1..=4_u64 {
            let payloads: Vec<_> = (0..sequence - 1)
                .map(|i| store_payload(&[sequence as u8 * 16 + i as u8; 16], format!("op {i}").as_bytes()))
                .collect();
            let digests: Vec<_> = payloads
                .iter()
                .map(|payload| digest_of_stored(payload).unwrap())
                .collect();
            let record = LogRecord {
                sequence: Sequence(sequence),
                instant: Instant::from_unix_millis(1_780_272_000_000 - sequence as i64),
                kind: 3,
                author: "cán bộ 00004".into(),
                reason: "112/QĐ-UBND".into(),
                operations: digests.len() as u32,
                payload_root: payload_root(&digests),
                previous,
            };
            let (bytes, hash) = record.encode().unwrap();
            assert_eq!(LogRecord::decode(&bytes), Ok((record.clone(), hash)));
            assert_eq!(record_hash(&previous, &record), Ok(hash));
            chain.push((bytes, payloads));
            previous = hash;
        }
        (chain, previous)
    }

    fn verify(chain: &Chain) -> Result<ChainEnd, LogError> {
        verify_chain(chain.iter().map(|(record, payloads)| (record, payloads)))
    }

    #[test]
    fn a_chain_verifies_with_payloads_stored_or_erased() {
        let (mut chain, hash) = chain();
        let end = verify(&chain).unwrap();
        assert_eq!((end.sequence, end.hash, end.erased), (Sequence(4), hash, 0));
        for _ in 0..2 {
            chain[2].1[1] = erase_payload(&chain[2].1[1]).unwrap();
            let end = verify(&chain).unwrap();
            assert_eq!((end.hash, end.erased), (hash, 1));
        }
        assert_eq!(verify(&Chain::new()), Ok(ChainEnd::START));
    }

    #[test]
    fn every_changed_byte_is_found() {
        let (mut whole, _) = chain();
        whole[3].1[0] = erase_payload(&whole[3].1[0]).unwrap();
        for record in 0..whole.len() {
            let pieces = 1 + whole[record].1.len();
            for piece in 0..pieces {
                let len = if piece == 0 {
                    whole[record].0.len()
                } else {
                    whole[record].1[piece - 1].len()
                };
                for at in 0..len {
                    for flip in [0x01, 0x80, 0xff] {
                        let mut changed = whole.clone();
                        let (bytes, payloads) = &mut changed[record];
                        let target = if piece == 0 {
                            bytes
                        } else {
                            &mut payloads[piece - 1]
                        };
                        target[at] ^= flip;
                        assert!(
                            verify(&changed).is_err(),
                            "record {record}, piece {piece}, byte {at}"
                        );
                        if piece > 0 {
                            continue;
                        }
                        assert!(LogRecord::decode(&changed[record].0).is_err());
                        assert!(LogRecord::decode(&whole[record].0[..at]).is_err());
                    }
                }
            }
        }
    }

    #[test]
    fn records_and_payloads_cannot_be_removed_added_or_moved() {
        let (whole, _) = chain();
        let mut changed = whole.clone();
        changed.remove(1);
        let (found, expected) = (Sequence(3), Sequence(2));
        assert_eq!(verify(&changed), Err(LogError::Gap { found, expected }));
        let mut changed = whole.clone();
        changed[3].1.swap(0, 1);
        assert!(matches!(
            verify(&changed),
            Err(LogError::Payloads {
                found: 3,
                expected: 3,
                ..
            })
        ));
        changed[3].1.pop();
        assert!(matches!(
            verify(&changed),
            Err(LogError::Payloads {
                found: 2,
                expected: 3,
                ..
            })
        ));
        let mut changed = whole.clone();
        let (mut record, _) = LogRecord::decode(&changed[0].0).unwrap();
        record.reason = "another".into();
        changed[0].0 = record.encode().unwrap().0;
        let sequence = Sequence(2);
        assert_eq!(verify(&changed), Err(LogError::Broken { sequence }));
    }

    #[test]
    fn texts_and_payloads_have_limits() {
        let (chain, _) = chain();
        let (mut record, _) = LogRecord::decode(&chain[0].0).unwrap();
        record.author = "a".repeat(AUTHOR_BYTES_MAX + 1);
        assert!(matches!(
            record.encode(),
            Err(LogError::TooLong { found: 1_001, .. })
        ));
        assert_eq!(digest_of_stored(&[2]).unwrap_err().found, 2);
        assert!(digest_of_stored(&[]).is_err());
        assert!(digest_of_stored(&[STORED; 16]).is_err());
        assert!(digest_of_stored(&[ERASED; 34]).is_err());
    }
}
