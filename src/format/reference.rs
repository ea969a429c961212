//! Blocks of references: which persons' records ever named a person.
//!
//! ```text
//! key     10 bytes, big-endian: attribute u16, target u32, referrer u32, those of the first reference of the block
//! value   version u8 = 1, then for each target, ascending:
//!         head varint    distance to the target before (the first: 0) << 2 | referrers - 1, at most 3
//!         more varint    referrers - 4, only where the head's two lowest bits are 3
//!         referrers      zigzag of the first less the target; then varints: each less (the one before + 1)
//! ```
//!
//! A block holds references of one attribute. Where a target has more referrers than a block has room for, they go
//! on in the next one, whose key has the same target.

use super::bytes::{Reader, Writer};
use super::error::{Expected, FormatError};
use crate::types::{AttributeNumber, PersonNumber, Value};

const VERSION: u8 = 1;
/// The bytes of a key.
pub const KEY_BYTES: usize = 10;
/// The most bytes of a block. With its key and the 4 bytes of its place in a leaf it takes 510, so eight fill a page of
/// 4,096; and a look-up walks through no more than some 300 references.
pub const BLOCK_BYTES_MAX: usize = 496;
/// The most bytes of the head of a target and of the number of its referrers.
const GROUP_HEAD_BYTES_MAX: usize = 5 + 2;
/// The most bytes of a referrer.
const REFERRER_BYTES_MAX: usize = 5;
/// What a block may hold beyond its even share, so that heads and versions that come with a split find room.
const EVEN_SLACK_BYTES: usize = 16;
/// A head with this in its two lowest bits is followed by how many more referrers there are than it could tell.
const MORE: u64 = 3;

// One reference fits any block, and the number of referrers in a block fits two bytes of a varint.
const _: () = assert!(1 + GROUP_HEAD_BYTES_MAX + REFERRER_BYTES_MAX <= EVEN_SLACK_BYTES);
const _: () = assert!(BLOCK_BYTES_MAX < 1 << 14);

/// That the record of one person ever named another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Reference {
    /// The attribute under which the target was named.
    pub attribute: AttributeNumber,
    /// Who was named.
    pub target: PersonNumber,
    /// Whose record it is.
    pub referrer: PersonNumber,
}

impl Reference {
    /// The reference that a value of a person's record is, if it is one.
    pub const fn from_value(person: PersonNumber, attribute: AttributeNumber, value: Value) -> Option<Self> {
        match value {
            Value::Person(target) => Some(Self {
                attribute,
                target,
                referrer: person,
            }),
            _ => None,
        }
    }

    /// The key of a block that begins with this reference.
    pub fn key(self) -> [u8; KEY_BYTES] {
        let mut key = [0; KEY_BYTES];
        key[..2].copy_from_slice(&self.attribute.get().to_be_bytes());
        key[2..6].copy_from_slice(&self.target.get().to_be_bytes());
        key[6..].copy_from_slice(&self.referrer.get().to_be_bytes());
        key
    }

    /// The first reference of the block of a key.
    pub const fn of_key(key: [u8; KEY_BYTES]) -> Self {
        Self {
            attribute: AttributeNumber(u16::from_be_bytes([key[0], key[1]])),
            target: PersonNumber(u32::from_be_bytes([key[2], key[3], key[4], key[5]])),
            referrer: PersonNumber(u32::from_be_bytes([key[6], key[7], key[8], key[9]])),
        }
    }
}

/// A block: its first reference, and its bytes.
pub type Block = (Reference, Vec<u8>);

/// The blocks that hold these references, which ascend without repetition, each as full as can be.
pub fn blocks(references: &[Reference]) -> Vec<Block> {
    filled(references, BLOCK_BYTES_MAX)
}

/// The blocks that hold these references, which ascend without repetition, all about equally full: so that the halves
/// of a block that overflowed both have room for more.
pub fn even_blocks(references: &[Reference]) -> Vec<Block> {
    let full = blocks(references);
    if full.len() < 2 {
        return full;
    }
    let bytes: usize = full.iter().map(|(_, bytes)| bytes.len()).sum();
    filled(references, bytes / full.len() + EVEN_SLACK_BYTES)
}

fn filled(references: &[Reference], limit: usize) -> Vec<Block> {
    let limit = limit.clamp(EVEN_SLACK_BYTES, BLOCK_BYTES_MAX);
    let mut all = Vec::new();
    let mut left = references;
    while let Some(&first) = left.first() {
        let (bytes, held) = fill(first, left, limit);
        all.push((first, bytes));
        left = &left[held..];
    }
    all
}

/// The bytes of the block that begins with the first of these references, and how many of them it holds: at least one.
fn fill(first: Reference, references: &[Reference], limit: usize) -> (Vec<u8>, usize) {
    let mut bytes = vec![VERSION];
    let mut before = first.target;
    let mut held = 0;
    while let Some(next) = references
        .get(held)
        .filter(|next| next.attribute == first.attribute)
    {
        let target = next.target;
        let room = limit.saturating_sub(bytes.len() + GROUP_HEAD_BYTES_MAX);
        let group = references[held..]
            .iter()
            .take_while(|other| (other.attribute, other.target) == (first.attribute, target));
        let mut referrers = Vec::new();
        let (mut count, mut whole) = (0, true);
        let mut last = None;
        for other in group {
            let (at, referrer) = (referrers.len(), other.referrer.get());
            match last {
                None => referrers.put_zigzag(i64::from(referrer) - i64::from(target.get())),
                Some(last) => referrers.put_varint(u64::from(referrer - last - 1)),
            }
            if referrers.len() > room {
                referrers.truncate(at);
                whole = false;
                break;
            }
            last = Some(referrer);
            count += 1;
        }
        if count == 0 {
            break;
        }
        let distance = u64::from(target.get() - before.get());
        bytes.put_varint(distance << 2 | (count as u64 - 1).min(MORE));
        if let Some(more) = (count as u64 - 1).checked_sub(MORE) {
            bytes.put_varint(more);
        }
        bytes.extend_from_slice(&referrers);
        before = target;
        held += count;
        if !whole {
            break;
        }
    }
    (bytes, held)
}

/// The references of a block that begins with `first`.
pub fn decode(first: Reference, bytes: &[u8]) -> Result<Vec<Reference>, FormatError> {
    let mut references = Vec::new();
    walk(first, bytes, &mut |reference| {
        references.push(reference);
        true
    })?;
    Ok(references)
}

/// Who refers to a target in a block that begins with `first`, ascending. What comes after the target is not read, and
/// what comes before it is passed over.
pub fn referrers(
    first: Reference,
    bytes: &[u8],
    target: PersonNumber,
) -> Result<Vec<PersonNumber>, FormatError> {
    let mut reader = Reader::new(bytes);
    reader.version(VERSION, "reference block version")?;
    let mut at_target = i64::from(first.target.get());
    let wanted = i64::from(target.get());
    let mut found = Vec::new();
    while reader.remaining() > 0 {
        let head = reader.varint_max(u64::from(u32::MAX) << 2 | MORE, "target distance")?;
        at_target += (head >> 2) as i64;
        let more = match head & MORE {
            MORE => MORE + reader.varint_max(reader.remaining() as u64, "referrers")?,
            few => few,
        };
        if at_target > wanted {
            break;
        }
        if at_target < wanted {
            reader.skip_varints(more + 1, "referrer")?;
            continue;
        }
        let at = reader.at();
        let mut referrer = number(wanted.saturating_add(reader.zigzag("referrer")?), "referrer", at)?;
        found.push(PersonNumber(referrer));
        for _ in 0..more {
            let distance = reader.varint_u32("referrer distance")?;
            referrer = number(i64::from(referrer) + 1 + i64::from(distance), "referrer", at)?;
            found.push(PersonNumber(referrer));
        }
        break;
    }
    Ok(found)
}

/// Shows the references of a block one after the other, until `show` has seen enough.
fn walk(first: Reference, bytes: &[u8], show: &mut dyn FnMut(Reference) -> bool) -> Result<(), FormatError> {
    let mut reader = Reader::new(bytes);
    reader.version(VERSION, "reference block version")?;
    let mut target = 0;
    loop {
        let at = reader.at();
        let head = reader.varint_max(u64::from(u32::MAX) << 2 | MORE, "target distance")?;
        let begins = target == 0;
        let distance = head >> 2;
        if (distance == 0) != begins {
            let expected = Expected::Words("0 for the first target, and targets in ascending order");
            return Err(FormatError::new("target distance", at, distance, expected));
        }
        target = if begins {
            number(i64::from(first.target.get()), "target", at)?
        } else {
            number(i64::from(target) + distance as i64, "target", at)?
        };
        let more = match head & MORE {
            MORE => MORE + reader.varint_max(reader.remaining() as u64, "referrers")?,
            few => few,
        };
        let mut referrer = number(
            i64::from(target).saturating_add(reader.zigzag("referrer")?),
            "referrer",
            at,
        )?;
        if begins && referrer != first.referrer.get() {
            let expected = Expected::Exactly(u64::from(first.referrer.get()));
            return Err(FormatError::new("referrer", at, u64::from(referrer), expected));
        }
        for left in (0..=more).rev() {
            let goes_on = show(Reference {
                attribute: first.attribute,
                target: PersonNumber(target),
                referrer: PersonNumber(referrer),
            });
            if !goes_on {
                return Ok(());
            }
            if left > 0 {
                let distance = reader.varint_u32("referrer distance")?;
                referrer = number(i64::from(referrer) + 1 + i64::from(distance), "referrer", at)?;
            }
        }
        if reader.remaining() == 0 {
            return Ok(());
        }
    }
}

/// The number of a person.
fn number(number: i64, what: &'static str, at: usize) -> Result<u32, FormatError> {
    u32::try_from(number)
        .ok()
        .filter(|&number| number != 0)
        .ok_or_else(|| {
            let expected = Expected::Words("a person number from 1 to 2^32 - 1");
            FormatError::new(what, at, number.unsigned_abs(), expected)
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn reference(attribute: u16, target: u32, referrer: u32) -> Reference {
        Reference {
            attribute: AttributeNumber(attribute),
            target: PersonNumber(target),
            referrer: PersonNumber(referrer),
        }
    }

    fn sorted(mut references: Vec<Reference>) -> Vec<Reference> {
        references.sort_unstable();
        references.dedup();
        references
    }

    /// What the blocks hold together, each within its limit, of one attribute, and found by target too.
    fn read(blocks: &[Block]) -> Vec<Reference> {
        let mut all = Vec::new();
        for (first, bytes) in blocks {
            assert!(bytes.len() <= BLOCK_BYTES_MAX, "{}", bytes.len());
            let held = decode(*first, bytes).unwrap();
            assert_eq!(held.first(), Some(first));
            for group in held.chunk_by(|a, b| a.target == b.target) {
                let found = referrers(*first, bytes, group[0].target).unwrap();
                assert!(found.iter().copied().eq(group.iter().map(|other| other.referrer)));
            }
            all.extend(held);
        }
        all
    }

    #[test]
    fn keys_order_as_references_do() {
        let references = [
            reference(64, 1, 300),
            reference(64, 2, 1),
            reference(64, 256, 0),
            reference(256, 0, 0),
            reference(u16::MAX, u32::MAX, u32::MAX),
        ];
        assert!(references.is_sorted() && references.map(Reference::key).is_sorted());
        for one in references {
            assert_eq!(Reference::of_key(one.key()), one);
        }
    }

    #[test]
    fn children_beside_their_guardians_take_two_bytes_each() {
        let families =
            (0..1_000).flat_map(|family| (2..4).map(move |child| (family * 4 + 1, family * 4 + 1 + child)));
        let references: Vec<Reference> = families
            .map(|(target, child)| reference(70, target, child))
            .collect();
        let blocks = blocks(&references);
        assert_eq!(read(&blocks), references);
        let bytes: usize = blocks.iter().map(|(_, bytes)| bytes.len()).sum();
        assert!(bytes <= references.len() * 3 / 2 + blocks.len() * 8, "{bytes}");
    }

    #[test]
    fn more_referrers_than_a_block_holds_go_on_in_the_next() {
        let references: Vec<Reference> = (0..5_000).map(|at| reference(70, 9, 10 + at * 1_000)).collect();
        for blocks in [blocks(&references), even_blocks(&references)] {
            assert!(blocks.len() > 20);
            assert_eq!(read(&blocks), references);
        }
    }

    #[test]
    fn a_block_that_overflows_is_halved() {
        let mut references: Vec<Reference> =
            (0..200).map(|at| reference(70, at * 3 + 1, at * 3 + 2)).collect();
        while blocks(&references).len() < 2 {
            let last = references.len() as u32;
            references.push(reference(70, last * 3 + 1, last * 3 + 2));
        }
        let halves = even_blocks(&references);
        assert_eq!(read(&halves), references);
        assert_eq!(halves.len(), 2);
        for (_, bytes) in &halves {
            assert!((200..300).contains(&bytes.len()), "{}", bytes.len());
        }
    }

    #[test]
    fn what_does_not_ascend_is_refused() {
        let first = reference(70, 5, 6);
        let of = |bytes: &[u8]| decode(first, bytes);
        assert_eq!(of(&[1, 0, 2]).unwrap(), [first]);
        let refused: [&[u8]; 7] = [
            &[],
            &[1],
            &[2, 0, 2],
            &[1, 4, 2],
            &[1, 0, 4],
            &[1, 0, 2, 0, 2],
            &[1, 3, 200, 2],
        ];
        for bytes in refused {
            assert!(of(bytes).is_err(), "{bytes:?}");
        }
        assert!(
            decode(reference(70, 0, 1), &[1, 0, 2]).is_err(),
            "nobody has the number 0"
        );
    }

    fn any_references() -> impl Strategy<Value = Vec<Reference>> {
        let near = (64_u16..67, 1_u32..300, 1_u32..300);
        let far = (any::<u16>(), 1..=u32::MAX, 1..=u32::MAX);
        let one = prop_oneof![8 => near, 1 => far];
        proptest::collection::vec(one, 0..900).prop_map(|all| {
            sorted(
                all.into_iter()
                    .map(|(attribute, target, referrer)| reference(attribute, target, referrer))
                    .collect(),
            )
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn references_come_back(references in any_references()) {
            for blocks in [blocks(&references), even_blocks(&references)] {
                prop_assert!(blocks.is_sorted_by(|a, b| a.0.key() < b.0.key()));
                prop_assert_eq!(read(&blocks), references.clone());
            }
        }

        #[test]
        fn damage_never_panics(
            references in any_references(),
            at in any::<usize>(),
            byte in any::<u8>(),
            cut in any::<usize>(),
        ) {
            for (first, mut bytes) in blocks(&references) {
                let len = bytes.len();
                bytes[at % len] = byte;
                if cut % 3 == 0 {
                    bytes.truncate(cut % len);
                }
                if let Ok(held) = decode(first, &bytes) {
                    prop_assert!(held.is_sorted_by(|a, b| a < b) && held.len() < len);
                }
                let _ = referrers(first, &bytes, first.target);
            }
        }
    }
}
