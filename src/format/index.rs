//! Index blocks: the numbers of persons or households by their outside IDs.
//!
//! ```text
//! key     u64     the greatest ID of the block
//! value
//!  0  version u8 = 1
//!  1  low bits L u8, at most 64
//!  2  number bits N u8, at most 32
//!  3  zero u8
//!  4  IDs C u16, at least 1
//!  6  buckets B u16, at least 1
//!  8  step u64, at least 1
//! 16  first u64                the least ID
//! 24  least u32                the least number
//! 28  B × u16                  for each bucket how many IDs lie in it and the ones before it; of the last: C
//!     C × L bits, packed       the low parts of distances, ascending in each bucket
//!     C × N bits, packed       each number less the least
//! ```
//!
//! An ID is `first + distance * step`. The distance divided by 2^L is its bucket, the rest its low part. IDs of a stretch
//! lie about evenly, so a bucket has some ten of them, and one ID is found without looking at the others: its bucket's
//! bounds, a short search, and one number. Where they do not, the search within a bucket is longer and nothing else.
//!
//! The step is the greatest common divisor of the distances: IDs that are texts to base 38 with empty places at the end
//! are all multiples of a large number.

use super::bytes::{Reader, Writer, bits_for, packed_bytes};
use super::error::{Expected, FormatError};

/// The entries that a block of people has, mostly, or fewer.
const ENTRIES_MOSTLY: usize = 1_024;
const VERSION: u8 = 1;
const HEAD_BYTES: usize = 28;
const END_BYTES: usize = 2;
const LOW_BITS_MAX: u8 = 64;
const NUMBER_BITS_MAX: u8 = 32;
/// IDs a bucket at least, on average.
const BUCKET_IDS: usize = 8;
/// The most bytes of a block: a leaf of one page with a key of 8 bytes holds them.
pub const BLOCK_BYTES_MAX: usize = 4_080;
/// What a block may hold beyond its even share, so that heads that come with a split find room.
const EVEN_SLACK_BYTES: usize = 64;

const _: () = assert!(BLOCK_BYTES_MAX <= 4_096 - 8 - 8);
// One ID fits any block; and however many have equal low bits and numbers, their count fits its field.
const _: () = assert!(HEAD_BYTES + END_BYTES + 8 + 4 <= EVEN_SLACK_BYTES);
const _: () = assert!(COUNT_MAX <= u16::MAX as usize);
/// The most IDs of a block: each takes at least a bit, because no two are equal.
const COUNT_MAX: usize = BLOCK_BYTES_MAX * 8;

/// An ID and the number that it leads to.
pub type Entry = (u64, u32);

/// A block and its key.
pub type Block = (u64, Vec<u8>);

/// What a block of the first of some entries would look like; entries are added one by one.
struct Shape {
    first: u64,
    last: u64,
    count: usize,
    step: u64,
    least: u32,
    greatest: u32,
}

impl Shape {
    const fn new((id, number): Entry) -> Self {
        Self {
            first: id,
            last: id,
            count: 1,
            step: 0,
            least: number,
            greatest: number,
        }
    }

    fn add(&mut self, (id, number): Entry) {
        debug_assert!(id > self.last);
        if self.step != 1 {
            self.step = common_divisor(id - self.first, self.step);
        }
        self.last = id;
        self.count += 1;
        self.least = self.least.min(number);
        self.greatest = self.greatest.max(number);
    }

    fn step(&self) -> u64 {
        self.step.max(1)
    }

    fn span(&self) -> u64 {
        (self.last - self.first) / self.step()
    }

    /// So many bits that no more buckets come about than there are IDs for.
    fn low_bits(&self) -> u8 {
        let wanted = (self.count / BUCKET_IDS).max(1).ilog2();
        (u64::BITS - self.span().leading_zeros()).saturating_sub(wanted) as u8
    }

    fn buckets(&self) -> usize {
        bucket_of(self.span(), self.low_bits()) as usize + 1
    }

    fn number_bits(&self) -> u8 {
        bits_for(self.greatest - self.least)
    }

    fn bytes(&self) -> usize {
        HEAD_BYTES
            + self.buckets() * END_BYTES
            + packed_bytes(self.count, self.low_bits())
            + packed_bytes(self.count, self.number_bits())
    }
}

fn common_divisor(mut a: u64, mut b: u64) -> u64 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

const fn bucket_of(distance: u64, low_bits: u8) -> u64 {
    match distance.checked_shr(low_bits as u32) {
        Some(bucket) => bucket,
        None => 0,
    }
}

const fn low_part(distance: u64, low_bits: u8) -> u64 {
    distance & mask(low_bits)
}

const fn mask(bits: u8) -> u64 {
    match u64::MAX.checked_shr(u64::BITS - bits as u32) {
        Some(mask) => mask,
        None => 0,
    }
}

/// How many of these entries, which ascend without repetition, a block of at most so many bytes takes: at least one.
fn fitting(entries: &[Entry], limit: usize) -> Option<(usize, Shape)> {
    let mut entries = entries.iter();
    let mut shape = Shape::new(*entries.next()?);
    for &entry in entries {
        let before = Shape { ..shape };
        shape.add(entry);
        if shape.bytes() > limit {
            return Some((before.count, before));
        }
    }
    Some((shape.count, shape))
}

/// The blocks that hold these entries, which ascend without repetition, with their keys, each as full as can be.
pub fn full_blocks(entries: &[Entry]) -> impl Iterator<Item = Block> {
    blocks_within(entries, BLOCK_BYTES_MAX)
}

fn blocks_within(mut entries: &[Entry], limit: usize) -> impl Iterator<Item = Block> {
    let limit = limit.clamp(EVEN_SLACK_BYTES, BLOCK_BYTES_MAX);
    std::iter::from_fn(move || {
        let (count, shape) = fitting(entries, limit)?;
        let (taken, left) = entries.split_at(count);
        entries = left;
        Some((shape.last, encode(taken, &shape)))
    })
}

/// The blocks that hold these entries, which ascend without repetition, all about equally full: so that the halves of a
/// block that overflowed both have room for more.
pub fn even_blocks(entries: &[Entry]) -> Vec<Block> {
    let full: Vec<_> = full_blocks(entries).collect();
    if full.len() < 2 {
        return full;
    }
    let bytes: usize = full.iter().map(|(_, bytes)| bytes.len()).sum();
    blocks_within(entries, bytes / full.len() + EVEN_SLACK_BYTES).collect()
}

fn encode(entries: &[Entry], shape: &Shape) -> Vec<u8> {
    let (low_bits, number_bits, step) = (shape.low_bits(), shape.number_bits(), shape.step());
    let buckets = shape.buckets();
    let mut out = Vec::with_capacity(shape.bytes());
    out.put_u8(VERSION);
    out.put_u8(low_bits);
    out.put_u8(number_bits);
    out.put_u8(0);
    out.put_u16(entries.len() as u16);
    out.put_u16(buckets as u16);
    out.put_u64(step);
    out.put_u64(shape.first);
    out.put_u32(shape.least);
    let distance = |id: u64| (id - shape.first) / step;
    let mut ended = 0;
    for (at, &(id, _)) in entries.iter().enumerate() {
        let bucket = bucket_of(distance(id), low_bits);
        while ended < bucket {
            out.put_u16(at as u16);
            ended += 1;
        }
    }
    out.put_u16(entries.len() as u16);
    put_bits(
        &mut out,
        low_bits,
        entries.iter().map(|&(id, _)| low_part(distance(id), low_bits)),
    );
    put_bits(
        &mut out,
        number_bits,
        entries.iter().map(|&(_, number)| u64::from(number - shape.least)),
    );
    debug_assert_eq!(out.len(), shape.bytes());
    out
}

/// Packs values of so many bits.
fn put_bits(out: &mut Vec<u8>, bits: u8, values: impl Iterator<Item = u64>) {
    let (mut waiting, mut held) = (0_u128, 0);
    for value in values {
        waiting |= u128::from(value) << held;
        held += u32::from(bits);
        while held >= u64::BITS {
            out.put_u64(waiting as u64);
            waiting >>= u64::BITS;
            held -= u64::BITS;
        }
    }
    out.extend_from_slice(&waiting.to_le_bytes()[..held.div_ceil(8) as usize]);
}

/// Values packed at up to 64 bits, read in place.
#[derive(Debug, Clone, Copy)]
struct Bits<'a> {
    bytes: &'a [u8],
    bits: u8,
}

impl<'a> Bits<'a> {
    fn read(
        reader: &mut Reader<'a>,
        count: usize,
        bits: u8,
        what: &'static str,
    ) -> Result<Self, FormatError> {
        let bytes = reader.slice(packed_bytes(count, bits), what)?;
        let used = count * usize::from(bits) % 8;
        match bytes.last() {
            Some(&last) if used > 0 && last >> used != 0 => {
                let expected = Expected::Words("zero bits after the last value");
                Err(FormatError::new(what, reader.at() - 1, u64::from(last), expected))
            }
            _ => Ok(Self { bytes, bits }),
        }
    }

    /// A value, which there must be.
    #[inline]
    fn get(self, index: usize) -> u64 {
        let bit = index * usize::from(self.bits);
        let tail = &self.bytes[bit / 8..];
        let shift = bit % 8;
        let value = if let Some(word) = tail.first_chunk::<8>().filter(|_| self.bits <= 57) {
            u64::from_le_bytes(*word) >> shift
        } else {
            let mut padded = [0; 16];
            let len = tail.len().min(16);
            padded[..len].copy_from_slice(&tail[..len]);
            (u128::from_le_bytes(padded) >> shift) as u64
        };
        value & mask(self.bits)
    }
}

/// A block read in place. Its head has been checked; a bucket is checked when it is looked at.
#[derive(Debug, Clone, Copy)]
pub struct IndexBlock<'a> {
    first: u64,
    step: u64,
    least: u32,
    count: usize,
    low_bits: u8,
    ends: &'a [u8],
    low_parts: Bits<'a>,
    numbers: Bits<'a>,
}

impl<'a> IndexBlock<'a> {
    /// Reads and checks the head of a block.
    pub fn read(bytes: &'a [u8]) -> Result<Self, FormatError> {
        let mut reader = Reader::new(bytes);
        reader.version(VERSION, "index block version")?;
        let mut bits = |what, max| {
            let at = reader.at();
            let found = reader.u8(what)?;
            if found > max {
                return Err(FormatError::new(
                    what,
                    at,
                    u64::from(found),
                    Expected::AtMost(u64::from(max)),
                ));
            }
            Ok(found)
        };
        let low_bits = bits("low bits", LOW_BITS_MAX)?;
        let number_bits = bits("number bits", NUMBER_BITS_MAX)?;
        bits("index block flags", 0)?;
        let count = usize::from(reader.u16("IDs of an index block")?);
        let buckets = usize::from(reader.u16("buckets")?);
        let step = reader.u64("step")?;
        if count == 0 || buckets == 0 || step == 0 {
            let expected = Expected::Words("IDs, buckets and a step of at least 1");
            return Err(FormatError::new("index block", 4, 0, expected));
        }
        let (first, least) = (reader.u64("first ID")?, reader.u32("least number")?);
        let ends = reader.slice(buckets * END_BYTES, "ends of buckets")?;
        let low_parts = Bits::read(&mut reader, count, low_bits, "low parts")?;
        let numbers = Bits::read(&mut reader, count, number_bits, "numbers")?;
        reader.end("index block")?;
        Ok(Self {
            first,
            step,
            least,
            count,
            low_bits,
            ends,
            low_parts,
            numbers,
        })
    }

    const fn buckets(&self) -> usize {
        self.ends.len() / END_BYTES
    }

    /// How many IDs lie in a bucket and those before it.
    fn end(&self, bucket: usize) -> usize {
        let at = bucket * END_BYTES;
        usize::from(u16::from_le_bytes([self.ends[at], self.ends[at + 1]]))
    }

    /// Where the IDs of a bucket lie.
    fn bounds(&self, bucket: usize) -> Result<(usize, usize), FormatError> {
        let start = bucket.checked_sub(1).map_or(0, |before| self.end(before));
        let end = self.end(bucket);
        if start > end || end > self.count {
            let expected = Expected::Words("ends of buckets that ascend to the number of IDs");
            let at = HEAD_BYTES + bucket * END_BYTES;
            return Err(FormatError::new("end of a bucket", at, end as u64, expected));
        }
        Ok((start, end))
    }

    fn number(&self, at: usize) -> Result<u32, FormatError> {
        let number = u64::from(self.least) + self.numbers.get(at);
        u32::try_from(number).map_err(|_| {
            FormatError::new(
                "number",
                HEAD_BYTES,
                number,
                Expected::AtMost(u64::from(u32::MAX)),
            )
        })
    }

    /// The number of an ID; `None` if the block does not have it.
    pub fn get(&self, id: u64) -> Result<Option<u32>, FormatError> {
        let Some(distance) = id.checked_sub(self.first) else {
            return Ok(None);
        };
        let (distance, rest) = if self.step == 1 {
            (distance, 0)
        } else {
            (distance / self.step, distance % self.step)
        };
        let bucket = bucket_of(distance, self.low_bits);
        if rest != 0 || bucket >= self.buckets() as u64 {
            return Ok(None);
        }
        let (mut low, mut high) = self.bounds(bucket as usize)?;
        let wanted = low_part(distance, self.low_bits);
        while low < high {
            let middle = low.midpoint(high);
            match self.low_parts.get(middle).cmp(&wanted) {
                std::cmp::Ordering::Less => low = middle + 1,
                std::cmp::Ordering::Equal => return self.number(middle).map(Some),
                std::cmp::Ordering::Greater => high = middle,
            }
        }
        Ok(None)
    }

    /// Every entry, ascending. `key` is that of the block.
    pub fn entries(&self, key: u64) -> Result<Vec<Entry>, FormatError> {
        let wrong = |found| {
            let expected = Expected::Words("IDs that ascend from the first to the key of the block");
            FormatError::new("ID", HEAD_BYTES, found, expected)
        };
        // A damaged block may claim more than it has bytes for.
        let mut entries = Vec::with_capacity(self.count.min(ENTRIES_MOSTLY));
        for bucket in 0..self.buckets() {
            let (start, end) = self.bounds(bucket)?;
            for at in start..end {
                let high = (bucket as u64)
                    .checked_mul(mask(self.low_bits).checked_add(1).unwrap_or(0))
                    .filter(|high| bucket_of(*high, self.low_bits) == bucket as u64);
                let distance = high.map(|high| high | self.low_parts.get(at));
                let id = distance
                    .and_then(|distance| distance.checked_mul(self.step)?.checked_add(self.first))
                    .ok_or_else(|| wrong(bucket as u64))?;
                if entries.last().is_some_and(|&(before, _)| before >= id) {
                    return Err(wrong(id));
                }
                entries.push((id, self.number(at)?));
            }
        }
        let (first, last) = (
            entries.first().map(|entry| entry.0),
            entries.last().map(|entry| entry.0),
        );
        if entries.len() != self.count || first != Some(self.first) || last != Some(key) {
            return Err(wrong(last.unwrap_or(0)));
        }
        Ok(entries)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn blocks(entries: &[Entry]) -> Vec<Block> {
        full_blocks(entries).collect()
    }

    fn check(entries: &[Entry], blocks: &[Block]) {
        let mut all = Vec::new();
        for (key, bytes) in blocks {
            assert!(bytes.len() <= BLOCK_BYTES_MAX);
            let block = IndexBlock::read(bytes).unwrap();
            let held = block.entries(*key).unwrap();
            for &(id, number) in &held {
                assert_eq!(block.get(id), Ok(Some(number)));
                for near in [id.wrapping_sub(1), id.wrapping_add(1), id ^ 1 << 40] {
                    let expected = held.iter().find(|entry| entry.0 == near).map(|entry| entry.1);
                    assert_eq!(block.get(near), Ok(expected));
                }
            }
            all.extend(held);
        }
        assert_eq!(all, entries);
    }

    /// Numbers without an order that one could see.
    fn scattered(at: u64) -> u32 {
        (at.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 38) as u32 % 50_000_000
    }

    #[test]
    fn dense_ids_take_less_than_five_bytes_each() {
        let entries: Vec<Entry> = (0..20_000)
            .map(|at| {
                (
                    1_150_000_000 + at * 250 + u64::from(scattered(at)) % 250,
                    scattered(at ^ 7),
                )
            })
            .collect();
        let blocks = blocks(&entries);
        check(&entries, &blocks);
        let bytes: usize = blocks.iter().map(|(_, bytes)| bytes.len()).sum();
        assert!(bytes < entries.len() * 5, "{bytes}");
        let full = blocks.len() - 1;
        assert!(blocks.iter().take(full).all(|(_, bytes)| bytes.len() > 4_040));
        let even = even_blocks(&entries[..2_000]);
        check(&entries[..2_000], &even);
        assert_eq!(even.len(), 3);
        assert!(even.iter().all(|(_, bytes)| bytes.len() > 3_000));
    }

    #[test]
    fn multiples_of_a_step_take_little() {
        let step = 38_u64.pow(5);
        let entries: Vec<Entry> = (0..9_000)
            .map(|at| (step * (1_000 + at), at as u32 + 5))
            .collect();
        let blocks = blocks(&entries);
        check(&entries, &blocks);
        let bytes: usize = blocks.iter().map(|(_, bytes)| bytes.len()).sum();
        assert!(bytes < entries.len() * 3, "{bytes}");
    }

    #[test]
    fn the_widest_distances_and_numbers_fit() {
        let entries = [(0, u32::MAX), (1, 0), (u64::MAX - 1, 7), (u64::MAX, 9)];
        check(&entries, &blocks(&entries));
        for single in [(0, 0), (u64::MAX, u32::MAX), (77, 3)] {
            check(&[single], &blocks(&[single]));
        }
        let same: Vec<Entry> = (0..60_000).map(|id| (id, 3)).collect();
        check(&same, &blocks(&same));
    }

    #[test]
    fn a_gap_ends_a_block_where_that_is_shorter() {
        let mut entries: Vec<Entry> = (0..1_000).map(|at| (at * 7, at as u32)).collect();
        entries.extend((0..1_000).map(|at| ((1 << 60) + at * 7, at as u32)));
        check(&entries, &blocks(&entries));
    }

    fn entries() -> impl Strategy<Value = Vec<Entry>> {
        let id = prop_oneof![0_u64..3_000, 1_u64 << 33..(1 << 33) + 200, any::<u64>()];
        prop::collection::btree_map(id, prop_oneof![0_u32..900, any::<u32>()], 1..400)
            .prop_map(|entries| entries.into_iter().collect())
    }

    proptest! {
        #[test]
        fn blocks_hold_what_was_put_in(entries in entries()) {
            check(&entries, &blocks(&entries));
            check(&entries, &even_blocks(&entries));
            let again: Vec<_> = blocks(&entries)
                .into_iter()
                .flat_map(|(key, bytes)| IndexBlock::read(&bytes).unwrap().entries(key).unwrap())
                .collect();
            prop_assert_eq!(again, entries);
        }

        #[test]
        fn damage_never_panics(
            entries in entries(),
            changes in prop::collection::vec((any::<usize>(), any::<u8>()), 1..4),
            cut in 0_usize..20,
            id in any::<u64>(),
        ) {
            let (key, mut bytes) = blocks(&entries).remove(0);
            for (at, byte) in changes {
                let at = if at % 2 == 0 { at / 2 % HEAD_BYTES.min(bytes.len()) } else { at % bytes.len() };
                bytes[at] = byte;
            }
            bytes.truncate(bytes.len() - cut.saturating_sub(15));
            if let Ok(block) = IndexBlock::read(&bytes) {
                let _ = block.get(id);
                for &(id, _) in &entries {
                    let _ = block.get(id);
                }
                if let Ok(held) = block.entries(key) {
                    for (id, number) in held {
                        prop_assert_eq!(block.get(id), Ok(Some(number)));
                    }
                }
            }
        }
    }
}
