//! Dossier blocks: what is read for one person at a time, in groups compressed with a built-in dictionary.
//!
//! ```text
//! block
//! 0      u8      version, 1
//! 1      u8      groups G, at least 1
//! 2      G x 8   u32 first person number, ascending; u16 raw bytes; u16 stored bytes, at most as many
//!        bytes   the stored groups, one after the other
//!
//! group: as it is where stored and raw bytes are as many, otherwise an LZ4 block with dictionary 1
//! 0      varint  people n, at least 1
//!        varint  length of the first run of consecutive numbers, which begins with the group's first; then, until
//!                the runs have n numbers: varint numbers left out, at least 1; varint length of the next run
//!        n x     varint length of the record
//!        n x     record of a dossier, version 1 (module record)
//! ```
//!
//! One person is read by decompressing one group of about [`GROUP_RAW_BYTES`] and decoding one record. A block fits a
//! database leaf of one page; only a person whose dossier alone is too large has a larger block alone.

use thiserror::Error;

use super::bytes::{Reader, Writer};
use super::dossier_dictionary::DICTIONARY_1;
use super::error::{Expected, FormatError};
use super::record;
use crate::types::Dossier;
use crate::types::PersonNumber;

/// The size to which blocks are filled: they fit a leaf of one page with a key of 4 bytes.
pub const BLOCK_BYTES: usize = 4_080;
/// The longest dossier, as a record.
pub const DOSSIER_BYTES_MAX: usize = 16_000;
/// The raw size at which a group is complete. Larger groups compress better and take longer to read.
pub const GROUP_RAW_BYTES: usize = 1_200;

const VERSION: u8 = 1;
const RECORD_VERSION: u8 = 1;
const BLOCK_HEAD: usize = 2;
const GROUP_HEAD: usize = 8;
const GROUPS_MAX: usize = u8::MAX as usize;
/// The most that stands before the one record of a group.
const INDEX_OF_ONE_MAX: usize = 5;
/// The raw size of the largest group: one dossier. Groups of several people are kept smaller.
const GROUP_RAW_MAX: usize = DOSSIER_BYTES_MAX + INDEX_OF_ONE_MAX;
/// The raw size that a group of several people does not exceed when a block is built.
const GROUP_RAW_FULL: usize = GROUP_RAW_BYTES * 5 / 4;
/// A changed group of more raw bytes is split.
const GROUP_RAW_SPLIT: usize = GROUP_RAW_BYTES * 3 / 2;
/// Room at the end of a block for fewer raw bytes than this is left empty.
const GROUP_RAW_WORTHWHILE: usize = 350;
/// How often a group is compressed for the rest of a block before that is left empty.
const ATTEMPTS_MAX: usize = 3;
/// The greatest expansion of LZ4: a length byte stands for 255 bytes.
const EXPANSION_MAX: usize = 255;

// A leaf of one page has 4 bytes of head, 4 for the end of the value, and the key.
const _: () = assert!(BLOCK_BYTES <= 4_096 - 8 - 4);
// The block of the largest dossier fits four pages even if it does not compress.
const _: () = assert!(BLOCK_HEAD + GROUP_HEAD + GROUP_RAW_MAX <= 4 * 4_096 - 8 - 4);
const _: () = assert!(GROUP_RAW_MAX <= u16::MAX as usize && GROUP_RAW_SPLIT <= GROUP_RAW_MAX);

/// A block in its encoded form, under a number that none of its people is above, and everyone of the next block is.
pub type EncodedBlock = (PersonNumber, Vec<u8>);

/// Why dossiers cannot be put into blocks.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum DossierError {
    /// A dossier is longer than a block takes.
    #[error("the dossier of {person} takes {found} bytes, at most {max} are kept: shorten its texts")]
    TooLong {
        /// The person.
        person: PersonNumber,
        /// The length of the record.
        found: usize,
        /// The limit.
        max: usize,
    },
    /// People must be given in ascending order, each once.
    #[error("{person} comes after {after}: give people in ascending order of their numbers, each once")]
    Order {
        /// The person found.
        person: PersonNumber,
        /// The person before.
        after: PersonNumber,
    },
    /// The block to be changed cannot be read.
    #[error(transparent)]
    Format(#[from] FormatError),
}

/// The texts of a [`Dossier`], in the order of its fields, borrowed from wherever they stand.
#[derive(Debug, Clone, Copy, bincode::Encode)]
pub struct DossierTexts<'a> {
    /// Full name.
    pub name: &'a str,
    /// Address.
    pub address: &'a str,
    /// Account.
    pub account: &'a str,
    /// Documents by attribute number.
    pub documents: &'a [(u16, &'a str)],
}

/// Records in ascending order of person numbers that are not yet in a group.
#[derive(Debug, Default)]
struct Pending {
    numbers: Vec<u32>,
    /// Where each record ends in `records`.
    ends: Vec<usize>,
    records: Vec<u8>,
}

impl Pending {
    fn push(&mut self, person: u32, record: &[u8]) {
        self.records.extend_from_slice(record);
        self.numbers.push(person);
        self.ends.push(self.records.len());
    }

    /// Encodes a dossier, or the texts of one, and adds it.
    fn push_dossier(
        &mut self,
        person: PersonNumber,
        dossier: &impl bincode::Encode,
    ) -> Result<usize, DossierError> {
        let before = self.records.len();
        let found = record::encode_into(&mut self.records, RECORD_VERSION, dossier);
        if found > DOSSIER_BYTES_MAX {
            self.records.truncate(before);
            let max = DOSSIER_BYTES_MAX;
            return Err(DossierError::TooLong { person, found, max });
        }
        self.numbers.push(person.get());
        self.ends.push(self.records.len());
        Ok(found)
    }

    fn len(&self) -> usize {
        self.numbers.len()
    }

    /// About the raw size of a group of the first `count`.
    fn raw_len(&self, count: usize) -> usize {
        count
            .checked_sub(1)
            .map_or(0, |last| self.ends[last] + count + INDEX_OF_ONE_MAX - 1)
    }

    /// How many people a group of about `raw` bytes takes, at least one.
    fn count_within(&self, raw: usize) -> usize {
        let mut count = self.len();
        while count > 1 && self.raw_len(count) > raw {
            count -= 1;
        }
        count
    }

    /// Writes the raw group of the people `from..to`.
    fn write_raw(&self, from: usize, to: usize, raw: &mut Vec<u8>) {
        raw.clear();
        raw.put_varint((to - from) as u64);
        let mut before = None;
        for run in self.numbers[from..to].chunk_by(|a, b| b - a == 1) {
            if let Some(last) = before {
                raw.put_varint(u64::from(run[0] - last - 1));
            }
            raw.put_varint(run.len() as u64);
            before = run.last().copied();
        }
        let start = from.checked_sub(1).map_or(0, |before| self.ends[before]);
        let mut before = start;
        for &end in &self.ends[from..to] {
            raw.put_varint((end - before) as u64);
            before = end;
        }
        raw.extend_from_slice(&self.records[start..before]);
    }

    /// Drops the first `count` people.
    fn drop_first(&mut self, count: usize) {
        let gone = count.checked_sub(1).map_or(0, |last| self.ends[last]);
        self.records.drain(..gone);
        self.numbers.drain(..count);
        self.ends.drain(..count);
        for end in &mut self.ends {
            *end -= gone;
        }
    }
}

/// A group in its stored form.
#[derive(Debug, Clone)]
struct StoredGroup {
    first: u32,
    /// Nobody in it has a greater number, and whoever comes in the next group has.
    last: u32,
    raw_len: usize,
    stored: Vec<u8>,
}

impl StoredGroup {
    /// The group's part of a block.
    fn len(&self) -> usize {
        GROUP_HEAD + self.stored.len()
    }
}

/// Memory that is used again from group to group.
#[derive(Debug, Default)]
struct Compressor {
    raw: Vec<u8>,
    out: Vec<u8>,
}

impl Compressor {
    /// Compresses the people `from..to`.
    fn group(&mut self, pending: &Pending, from: usize, to: usize) -> StoredGroup {
        pending.write_raw(from, to, &mut self.raw);
        let room = lz4_flex::block::get_maximum_output_size(self.raw.len());
        if self.out.len() < room {
            self.out.resize(room, 0);
        }
        let stored = match lz4_flex::block::compress_into_with_dict(&self.raw, &mut self.out, DICTIONARY_1) {
            Ok(len) if len < self.raw.len() => &self.out[..len],
            _ => &self.raw,
        };
        StoredGroup {
            first: pending.numbers[from],
            last: pending.numbers[to - 1],
            raw_len: self.raw.len(),
            stored: stored.to_vec(),
        }
    }
}

fn write_block(groups: &[StoredGroup]) -> Option<EncodedBlock> {
    let key = PersonNumber(groups.last()?.last);
    let len = BLOCK_HEAD + groups.iter().map(StoredGroup::len).sum::<usize>();
    let mut out = Vec::with_capacity(len);
    out.push(VERSION);
    out.push(groups.len() as u8);
    for group in groups {
        out.put_u32(group.first);
        out.put_u16(group.raw_len as u16);
        out.put_u16(group.stored.len() as u16);
    }
    for group in groups {
        out.extend_from_slice(&group.stored);
    }
    Some((key, out))
}

/// Gives the people of a block other numbers, each greater by `by`. A block says only of each group which number it
/// begins with, so nothing is compressed anew. The block is one that a [`DossierBlockBuilder`] made.
pub fn renumber(block: &mut EncodedBlock, by: u32) {
    let (key, bytes) = block;
    key.0 += by;
    let groups = bytes.get(1).map_or(0, |&groups| usize::from(groups));
    for entry in bytes[BLOCK_HEAD..].chunks_exact_mut(GROUP_HEAD).take(groups) {
        let number = u32::from_le_bytes([entry[0], entry[1], entry[2], entry[3]]);
        entry[..4].copy_from_slice(&(number + by).to_le_bytes());
    }
}

/// Makes blocks of people who come in ascending order of their numbers.
///
/// ```
/// use ansinh::format::dossier::{DossierBlock, DossierBlockBuilder};
/// use ansinh::types::Dossier;
/// use ansinh::types::PersonNumber;
///
/// let dossier = Dossier { name: "Nguyễn Văn A".into(), ..Dossier::default() };
/// let mut builder = DossierBlockBuilder::new();
/// builder.push(PersonNumber(7), &dossier)?;
/// let blocks = builder.finish();
/// let (key, bytes) = &blocks[0];
/// assert_eq!(*key, PersonNumber(7));
/// assert_eq!(DossierBlock::decode(bytes)?.get(PersonNumber(7))?, Some(dossier));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct DossierBlockBuilder {
    pending: Pending,
    groups: Vec<StoredGroup>,
    /// The length of the block that `groups` make.
    block_len: usize,
    /// Raw and stored bytes of recent groups: how well the next one will compress.
    recent_raw: usize,
    recent_stored: usize,
    /// The raw size at which the pending people become a group.
    group_raw: usize,
    after: Option<PersonNumber>,
    finished: Vec<EncodedBlock>,
    compressor: Compressor,
}

impl Default for DossierBlockBuilder {
    fn default() -> Self {
        Self::new()
    }
}

impl DossierBlockBuilder {
    /// A builder without people.
    pub fn new() -> Self {
        Self {
            pending: Pending::default(),
            groups: Vec::new(),
            block_len: BLOCK_HEAD,
            recent_raw: 2 * GROUP_RAW_BYTES,
            recent_stored: GROUP_RAW_BYTES,
            group_raw: GROUP_RAW_BYTES,
            after: None,
            finished: Vec::new(),
            compressor: Compressor::default(),
        }
    }

    /// Adds the next person.
    pub fn push(&mut self, person: PersonNumber, dossier: &Dossier) -> Result<(), DossierError> {
        self.push_record(person, dossier)
    }

    /// As [`DossierBlockBuilder::push`], with texts that stand elsewhere.
    pub fn push_texts(&mut self, person: PersonNumber, texts: &DossierTexts<'_>) -> Result<(), DossierError> {
        self.push_record(person, texts)
    }

    fn push_record(
        &mut self,
        person: PersonNumber,
        dossier: &impl bincode::Encode,
    ) -> Result<(), DossierError> {
        if let Some(after) = self.after
            && person <= after
        {
            return Err(DossierError::Order { person, after });
        }
        self.pending.push_dossier(person, dossier)?;
        self.after = Some(person);
        self.close_full_groups();
        Ok(())
    }

    fn close_full_groups(&mut self) {
        while self.pending.raw_len(self.pending.len()) > self.group_raw {
            let count = self.pending.count_within(self.group_raw);
            self.close_group(count);
        }
    }

    /// How many blocks are finished and not taken yet.
    pub const fn finished_blocks(&self) -> usize {
        self.finished.len()
    }

    /// Takes the blocks that are finished so far, in order.
    pub fn take_finished(&mut self) -> Vec<EncodedBlock> {
        std::mem::take(&mut self.finished)
    }

    /// The remaining blocks.
    pub fn finish(mut self) -> Vec<EncodedBlock> {
        while self.pending.len() > 0 {
            let count = self.pending.count_within(self.group_raw);
            self.close_group(count);
        }
        self.close_block();
        self.finished
    }

    fn room(&self) -> usize {
        BLOCK_BYTES.saturating_sub(self.block_len + GROUP_HEAD)
    }

    /// Makes a group of the first `count` people, fewer if the block has no room for all of them, or none and a new
    /// block.
    fn close_group(&mut self, mut count: usize) {
        for attempt in 1.. {
            let group = self.compressor.group(&self.pending, 0, count);
            let (room, empty) = (self.room(), self.groups.is_empty());
            if group.stored.len() <= room || (empty && count == 1) {
                return self.take_group(group, count);
            }
            let raw = group.raw_len * room / group.stored.len();
            let fewer = self.pending.count_within(raw - raw / 50).min(count - 1);
            if !empty && (fewer == 0 || raw < GROUP_RAW_WORTHWHILE || attempt == ATTEMPTS_MAX) {
                return self.close_block();
            }
            count = fewer;
        }
    }

    fn take_group(&mut self, group: StoredGroup, count: usize) {
        self.pending.drop_first(count);
        self.recent_raw = self.recent_raw / 2 + group.raw_len;
        self.recent_stored = self.recent_stored / 2 + group.stored.len();
        self.block_len += group.len();
        self.groups.push(group);
        let raw_left = self.room() * self.recent_raw / self.recent_stored;
        if raw_left < GROUP_RAW_WORTHWHILE || self.groups.len() == GROUPS_MAX {
            return self.close_block();
        }
        // The rest of the block is shared among groups of about the same size; the last one leaves a little room
        // for a worse ratio than expected.
        let groups = ((raw_left + GROUP_RAW_BYTES / 2) / GROUP_RAW_BYTES).max(1);
        let share = raw_left / groups;
        let reserve = if groups == 1 { share / 50 } else { 0 };
        self.group_raw = (share - reserve).min(GROUP_RAW_FULL);
    }

    fn close_block(&mut self) {
        self.finished.extend(write_block(&self.groups));
        self.groups.clear();
        self.block_len = BLOCK_HEAD;
        self.group_raw = GROUP_RAW_BYTES;
    }
}

/// A group's place in a block.
#[derive(Debug, Clone, Copy)]
struct GroupEntry<'a> {
    first: u32,
    /// The first number of the next group, which this group's numbers stay below.
    below: Option<u32>,
    raw_len: usize,
    stored: &'a [u8],
    /// Where `stored` begins in the block.
    at: usize,
}

/// A block read in place. Its directory has been checked; a group is checked when it is decompressed.
#[derive(Debug, Clone)]
pub struct DossierBlock<'a> {
    groups: Vec<GroupEntry<'a>>,
}

impl<'a> DossierBlock<'a> {
    /// Reads and checks the directory of a block.
    pub fn decode(bytes: &'a [u8]) -> Result<Self, FormatError> {
        let mut directory = Reader::new(bytes);
        directory.version(VERSION, "dossier block version")?;
        let count = usize::from(directory.u8("group count")?);
        if count == 0 {
            return Err(FormatError::new("group count", 1, 0, Expected::AtLeast(1)));
        }
        let mut data = directory.clone();
        data.slice(count * GROUP_HEAD, "group directory")?;
        let mut groups: Vec<GroupEntry<'_>> = Vec::with_capacity(count);
        for _ in 0..count {
            let at = directory.at();
            let first = directory.u32("first person of a group")?;
            if let Some(before) = groups.last_mut() {
                before.below = Some(first);
                if first <= before.first {
                    let expected = Expected::AtLeast(u64::from(before.first) + 1);
                    return Err(FormatError::new(
                        "first person of a group",
                        at,
                        u64::from(first),
                        expected,
                    ));
                }
            }
            let raw_len = usize::from(directory.u16("raw bytes")?);
            let stored_len = usize::from(directory.u16("stored bytes")?);
            let raw_max = GROUP_RAW_MAX.min(stored_len * EXPANSION_MAX);
            if raw_len > raw_max || stored_len > raw_len {
                let expected = Expected::Words("at least the stored bytes, at most 16,005");
                return Err(FormatError::new("raw bytes", at + 4, raw_len as u64, expected));
            }
            groups.push(GroupEntry {
                first,
                below: None,
                raw_len,
                at: data.at(),
                stored: data.slice(stored_len, "stored group")?,
            });
        }
        data.end("dossier block")?;
        Ok(Self { groups })
    }

    /// The first person of the block.
    pub fn first(&self) -> PersonNumber {
        PersonNumber(self.groups[0].first)
    }

    /// The dossier of one person; `None` if the block has none.
    pub fn get(&self, person: PersonNumber) -> Result<Option<Dossier>, FormatError> {
        let after = self.groups.partition_point(|group| group.first <= person.get());
        let Some(entry) = after.checked_sub(1).map(|index| self.groups[index]) else {
            return Ok(None);
        };
        let mut raw = Vec::new();
        let group = entry.open(&mut raw)?;
        let Some(index) = group.index_of(person.get()) else {
            return Ok(None);
        };
        group
            .dossier(index)
            .map(Some)
            .map_err(|error| entry.locate(error))
    }

    /// All people of the block with their dossiers, in order.
    pub fn dossiers(&self) -> Result<Vec<(PersonNumber, Dossier)>, FormatError> {
        let mut people = Vec::new();
        let mut raw = Vec::new();
        for entry in &self.groups {
            let group = entry.open(&mut raw)?;
            for (index, person) in group.numbers().enumerate() {
                let dossier = group.dossier(index).map_err(|error| entry.locate(error))?;
                people.push((PersonNumber(person), dossier));
            }
        }
        Ok(people)
    }

    /// The block with one person's dossier replaced, added or (with `None`) removed. See [`DossierBlock::update_all`].
    pub fn update(
        (key, bytes): (PersonNumber, &[u8]),
        person: PersonNumber,
        dossier: Option<&Dossier>,
    ) -> Result<Vec<EncodedBlock>, DossierError> {
        Self::update_all((key, bytes), &[(person, dossier)])
    }

    /// The block with several people's dossiers replaced, added or removed; `changes` are in ascending order, and above
    /// the block's key only if it is the last block.
    ///
    /// The result takes the block's place: it may be several blocks, none if nobody is left, and its key may be another
    /// than before. Only the groups that change are compressed again. A block that grows too large is
    /// split in the middle or, where all changes come after its last person, behind as many as it can keep.
    pub fn update_all(
        (key, bytes): (PersonNumber, &[u8]),
        changes: &[(PersonNumber, Option<&Dossier>)],
    ) -> Result<Vec<EncodedBlock>, DossierError> {
        if let Some(pair) = changes.windows(2).find(|pair| pair[0].0 >= pair[1].0) {
            let (after, person) = (pair[0].0, pair[1].0);
            return Err(DossierError::Order { person, after });
        }
        let block = DossierBlock::decode(bytes)?;
        let mut compressor = Compressor::default();
        let mut groups = Vec::with_capacity(block.groups.len() + 1);
        let mut left = changes;
        let mut appending = true;
        for entry in &block.groups {
            let upto = entry.below.map_or(left.len(), |below| {
                left.partition_point(|(person, _)| person.get() < below)
            });
            let (here, after) = left.split_at(upto);
            left = after;
            if here.is_empty() {
                groups.push(StoredGroup {
                    first: entry.first,
                    last: entry.below.map_or(key.get(), |below| below - 1),
                    raw_len: entry.raw_len,
                    stored: entry.stored.to_vec(),
                });
                continue;
            }
            let (people, at_end) = entry.merge(here)?;
            appending &= at_end && entry.below.is_none();
            split_group(&people, GROUP_RAW_SPLIT, &mut compressor, &mut groups);
        }
        let mut blocks = Vec::new();
        if appending && !fit_one_block(&groups) {
            return Ok(fill(&groups)?);
        }
        pack(groups, &mut compressor, &mut blocks)?;
        Ok(blocks)
    }
}

/// Makes groups of at most about `raw_max` bytes, of about the same size.
fn split_group(people: &Pending, raw_max: usize, compressor: &mut Compressor, groups: &mut Vec<StoredGroup>) {
    let total = people.raw_len(people.len());
    let share = total.div_ceil(total.div_ceil(raw_max).max(1));
    let mut from = 0;
    while from < people.len() {
        let start = people.raw_len(from);
        let mut to = from + 1;
        while to < people.len() && people.raw_len(to + 1) - start <= share {
            to += 1;
        }
        groups.push(compressor.group(people, from, to));
        from = to;
    }
}

fn fit_one_block(groups: &[StoredGroup]) -> bool {
    BLOCK_HEAD + groups.iter().map(StoredGroup::len).sum::<usize>() <= BLOCK_BYTES
        && groups.len() <= GROUPS_MAX
}

/// Puts the people of these groups into new blocks, each filled before the next.
fn fill(groups: &[StoredGroup]) -> Result<Vec<EncodedBlock>, FormatError> {
    let mut builder = DossierBlockBuilder::new();
    let mut raw = Vec::new();
    for group in groups {
        let entry = group.entry();
        let group = entry.open(&mut raw)?;
        for (index, number) in group.numbers().enumerate() {
            builder.pending.push(number, group.record(index));
            builder.close_full_groups();
        }
    }
    Ok(builder.finish())
}

/// Distributes groups among blocks of about the same size.
fn pack(
    mut groups: Vec<StoredGroup>,
    compressor: &mut Compressor,
    blocks: &mut Vec<EncodedBlock>,
) -> Result<(), FormatError> {
    if fit_one_block(&groups) {
        blocks.extend(write_block(&groups));
        return Ok(());
    }
    if let [group] = &groups[..] {
        let entry = group.entry();
        let mut raw = Vec::new();
        let people = entry.open(&mut raw)?.pending();
        if people.len() == 1 {
            blocks.extend(write_block(&groups));
            return Ok(());
        }
        let half = people.raw_len(people.len()) / 2;
        let mut halves = Vec::new();
        split_group(&people, half, compressor, &mut halves);
        return pack(halves, compressor, blocks);
    }
    let half = groups.iter().map(StoredGroup::len).sum::<usize>() / 2;
    let mut len = 0;
    let before_half = groups.iter().take(GROUPS_MAX).take_while(|group| {
        len += group.len();
        len <= half
    });
    let at = before_half.count().clamp(1, groups.len() - 1);
    let after = groups.split_off(at);
    pack(groups, compressor, blocks)?;
    pack(after, compressor, blocks)
}

impl StoredGroup {
    fn entry(&self) -> GroupEntry<'_> {
        GroupEntry {
            first: self.first,
            below: None,
            raw_len: self.raw_len,
            stored: &self.stored,
            at: 0,
        }
    }
}

impl GroupEntry<'_> {
    /// An error inside the group, told at the group's place in the block: what is inside is compressed.
    fn locate(&self, mut error: FormatError) -> FormatError {
        error.at = self.at;
        error
    }

    /// Decompresses the group into `raw` and checks its index.
    fn open<'r>(&self, raw: &'r mut Vec<u8>) -> Result<OpenGroup<'r>, FormatError> {
        raw.clear();
        if self.stored.len() == self.raw_len {
            raw.extend_from_slice(self.stored);
        } else {
            raw.resize(self.raw_len, 0);
            let found =
                lz4_flex::block::decompress_into_with_dict(self.stored, raw, DICTIONARY_1).unwrap_or(0);
            if found != self.raw_len {
                let expected = Expected::Words("an LZ4 block of the raw bytes that the directory says");
                return Err(FormatError::new("stored group", self.at, found as u64, expected));
            }
        }
        OpenGroup::decode(raw, self.first, self.below).map_err(|error| self.locate(error))
    }

    /// The group's people with changes made, and whether all changes are additions at its end.
    fn merge(&self, changes: &[(PersonNumber, Option<&Dossier>)]) -> Result<(Pending, bool), DossierError> {
        let mut raw = Vec::new();
        let group = self.open(&mut raw)?;
        let mut merged = Pending::default();
        let mut changes = changes.iter().peekable();
        let mut at_end = true;
        for (index, number) in group.numbers().enumerate() {
            while let Some((person, dossier)) = changes.next_if(|(person, _)| person.get() < number) {
                at_end = false;
                if let Some(dossier) = dossier {
                    merged.push_dossier(*person, dossier)?;
                }
            }
            match changes.next_if(|(person, _)| person.get() == number) {
                None => merged.push(number, group.record(index)),
                Some((person, dossier)) => {
                    at_end = false;
                    if let Some(dossier) = dossier {
                        merged.push_dossier(*person, dossier)?;
                    }
                }
            }
        }
        for (person, dossier) in changes {
            if let Some(dossier) = dossier {
                merged.push_dossier(*person, dossier)?;
            }
        }
        Ok((merged, at_end))
    }
}

/// A decompressed group whose index has been checked.
#[derive(Debug)]
struct OpenGroup<'r> {
    /// Runs of consecutive numbers: the first number and how many.
    runs: Vec<(u32, u32)>,
    /// Where each record ends in `records`.
    ends: Vec<u32>,
    records: &'r [u8],
}

impl<'r> OpenGroup<'r> {
    fn decode(raw: &'r [u8], first: u32, below: Option<u32>) -> Result<Self, FormatError> {
        let mut reader = Reader::new(raw);
        let people = reader.varint_max(raw.len() as u64, "people of a group")?;
        let mut runs = Vec::with_capacity(1);
        let mut counted = 0;
        let mut next = u64::from(first);
        let end = below.map_or(1 << 32, u64::from);
        while counted < people || counted == 0 {
            let at = reader.at();
            if counted > 0 {
                let left_out = reader.varint_u32("numbers left out")?;
                if left_out == 0 {
                    return Err(FormatError::new("numbers left out", at, 0, Expected::AtLeast(1)));
                }
                next += u64::from(left_out);
            }
            let run = reader.varint_max(people - counted, "run of numbers")?;
            if run == 0 || next + run > end {
                let expected = Expected::Words("a run of numbers below the next group");
                return Err(FormatError::new("run of numbers", at, run, expected));
            }
            runs.push((next as u32, run as u32));
            counted += run;
            next += run;
        }
        let mut ends = Vec::with_capacity(people as usize);
        let mut end = 0;
        for _ in 0..people {
            end += reader.varint_max(raw.len() as u64, "length of a record")? as u32;
            ends.push(end);
        }
        let records = reader.slice(end as usize, "records")?;
        reader.end("group of dossiers")?;
        Ok(Self { runs, ends, records })
    }

    fn numbers(&self) -> impl Iterator<Item = u32> + '_ {
        self.runs
            .iter()
            .flat_map(|&(first, count)| (0..count).map(move |i| first + i))
    }

    fn index_of(&self, person: u32) -> Option<usize> {
        let mut before = 0;
        for &(first, count) in &self.runs {
            let index = person.checked_sub(first)?;
            if index < count {
                return Some((before + index) as usize);
            }
            before += count;
        }
        None
    }

    fn record(&self, index: usize) -> &'r [u8] {
        let start = index.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.records[start as usize..self.ends[index] as usize]
    }

    fn dossier(&self, index: usize) -> Result<Dossier, FormatError> {
        record::decode(RECORD_VERSION, self.record(index))
    }

    fn pending(&self) -> Pending {
        let mut pending = Pending::default();
        for (index, number) in self.numbers().enumerate() {
            pending.push(number, self.record(index));
        }
        pending
    }
}

#[cfg(test)]
#[path = "dossier_tests.rs"]
mod tests;
