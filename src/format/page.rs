//! The file as pages: file header, page slots, and where a page lies.
//!
//! redb sees a **logical** file of 4,096-byte pages. The **physical** file holds the same pages with a
//! checksum for each of them, and a header of our own in front:
//!
//! ```text
//! physical page 0      file header                          FileHeader, with its own checksum
//! physical page 1      logical page 0, redb's super-header  with its slot inside, see below
//! physical page 2      slot page of group 0                 128 slots of 32 bytes
//! physical pages 3..   logical pages 1 to 128               the data pages of group 0
//! physical page 131    slot page of group 1
//! ...
//! ```
//!
//! A **slot** says what its page must hold:
//!
//! ```text
//! 0..16    xxh3-128 of the page, seeded with the file's ID and the logical page number, little-endian
//! 16       kind: 1 (plain page). In an all-zero slot, 0: the page was never written, so it is all zero
//! 17..32   zero; room for the tag of an authenticated cipher
//! ```
//!
//! The seed makes a page that was written to the wrong place, or that comes from another registry, as
//! wrong as a page with a flipped bit.
//!
//! redb rewrites logical page 0 in place with every commit. After a crash such a page may be newer or
//! older than a slot kept elsewhere, and a stale slot could not be told from damage. So this page carries
//! its slot in the last 32 bytes of its own first sector, which redb leaves unused: header and checksum
//! reach the disk in one sector or not at all. Groups begin at logical page 1 because redb aligns its
//! large pages there: a value of 128 pages lies in one group and is read in one piece.

use thiserror::Error;
use xxhash_rust::xxh3::{Xxh3Builder, xxh3_64, xxh3_128, xxh3_128_with_seed};

/// Bytes in a page, logical and physical. redb's page size.
pub const PAGE_BYTES: usize = 4096;
/// Bytes that a disk is assumed to write whole or not at all.
pub const SECTOR_BYTES: usize = 512;
/// Bytes in a slot.
pub const SLOT_BYTES: usize = 32;
/// Data pages in a group: as many as one slot page has slots.
pub const GROUP_DATA_PAGES: u64 = (PAGE_BYTES / SLOT_BYTES) as u64;
/// Pages in a group, its slot page included.
pub const GROUP_PAGES: u64 = GROUP_DATA_PAGES + 1;
/// Physical pages in front of the first group: the file header and logical page 0.
pub const LEADING_PAGES: u64 = 2;
/// The most logical pages a file may have: 8 PiB, twice what redb can address.
pub const LOGICAL_PAGES_MAX: u64 = 1 << 41;

/// Bytes of redb's super-header at the start of logical page 0, the only part that redb reads or writes.
pub const SUPER_HEADER_BYTES: usize = 320;
/// Where the slot of logical page 0 stands within that page.
pub const EMBEDDED_SLOT_START: usize = SECTOR_BYTES - SLOT_BYTES;
/// The end of the slot of logical page 0.
pub const EMBEDDED_SLOT_END: usize = SECTOR_BYTES;

const PAGE: u64 = PAGE_BYTES as u64;

const _: () = assert!(PAGE_BYTES.is_multiple_of(SLOT_BYTES) && PAGE_BYTES.is_multiple_of(SECTOR_BYTES));
const _: () = assert!(GROUP_DATA_PAGES == 128 && GROUP_PAGES == 129);
const _: () = assert!(SUPER_HEADER_BYTES <= EMBEDDED_SLOT_START);
// No address of a page within the limit overflows.
const _: () = assert!(LOGICAL_PAGES_MAX < u64::MAX / PAGE / 2);
const _: () = assert!(data_page_offset(0) == PAGE && slot_page_offset(0) == 2 * PAGE);
const _: () = assert!(data_page_offset(1) == 3 * PAGE && data_page_offset(128) == 130 * PAGE);
const _: () = assert!(slot_page_offset(1) == 131 * PAGE && data_page_offset(129) == 132 * PAGE);
const _: () = assert!(physical_bytes(0) == PAGE && physical_bytes(1) == 2 * PAGE);
const _: () = assert!(physical_bytes(2) == 4 * PAGE && physical_bytes(129) == 131 * PAGE);
const _: () = assert!(physical_bytes(130) == 133 * PAGE);

/// The bytes of one page.
pub type PageBytes = [u8; PAGE_BYTES];

/// The group of a logical page, and the index of its slot there.
///
/// Logical page 0 is in no group; its place is asked for only through [`data_page_offset`].
pub const fn group_of(page: u64) -> (u64, usize) {
    let in_groups = page.saturating_sub(1);
    (
        in_groups / GROUP_DATA_PAGES,
        (in_groups % GROUP_DATA_PAGES) as usize,
    )
}

/// The physical offset of a group's slot page, in bytes.
pub const fn slot_page_offset(group: u64) -> u64 {
    (LEADING_PAGES + group * GROUP_PAGES) * PAGE
}

/// The physical offset of a logical page, in bytes.
pub const fn data_page_offset(page: u64) -> u64 {
    if page == 0 {
        return PAGE;
    }
    let (group, index) = group_of(page);
    slot_page_offset(group) + (1 + index as u64) * PAGE
}

/// The groups that `pages` logical pages need.
pub const fn groups_for(pages: u64) -> u64 {
    pages.saturating_sub(1).div_ceil(GROUP_DATA_PAGES)
}

/// The length of a physical file of `pages` logical pages, in bytes.
pub const fn physical_bytes(pages: u64) -> u64 {
    if pages == 0 {
        PAGE
    } else {
        data_page_offset(pages - 1) + PAGE
    }
}

/// The logical pages in a physical file of `bytes`, or `None` if no number of pages gives that length.
pub const fn logical_pages(bytes: u64) -> Option<u64> {
    if !bytes.is_multiple_of(PAGE) || bytes == 0 {
        return None;
    }
    let physical = bytes / PAGE;
    if physical <= LEADING_PAGES {
        return Some(physical - 1);
    }
    let in_groups = physical - LEADING_PAGES;
    let rest = in_groups % GROUP_PAGES;
    // A group of a slot page alone is never written.
    if rest == 1 {
        return None;
    }
    let pages = 1 + in_groups / GROUP_PAGES * GROUP_DATA_PAGES + rest.saturating_sub(1);
    if pages > LOGICAL_PAGES_MAX {
        None
    } else {
        Some(pages)
    }
}

/// A stretch of a logical byte range that lies in one piece in the physical file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Run {
    /// Whole pages of one group, at most [`GROUP_DATA_PAGES`].
    Whole {
        /// The first logical page.
        page: u64,
        /// The number of pages.
        pages: usize,
    },
    /// A part of one page, or anything of logical page 0.
    Part {
        /// The logical page.
        page: u64,
        /// The first byte within the page.
        start: usize,
        /// The number of bytes.
        bytes: usize,
    },
}

impl Run {
    /// The first run of the `bytes` logical bytes from `offset`, and its length in bytes.
    pub const fn first(offset: u64, bytes: usize) -> (Self, usize) {
        let (page, start) = (offset / PAGE, (offset % PAGE) as usize);
        if page == 0 || start != 0 || bytes < PAGE_BYTES {
            let rest = PAGE_BYTES - start;
            let bytes = if bytes < rest { bytes } else { rest };
            return (Self::Part { page, start, bytes }, bytes);
        }
        let to_group_end = GROUP_DATA_PAGES as usize - group_of(page).1;
        let wanted = bytes / PAGE_BYTES;
        let pages = if wanted < to_group_end {
            wanted
        } else {
            to_group_end
        };
        (Self::Whole { page, pages }, pages * PAGE_BYTES)
    }
}

/// What a slot says of its page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Slot {
    /// No page was ever written here: it must be all zero.
    NeverWritten,
    /// The page must have this checksum.
    Checksum(u128),
    /// The slot itself is damaged, or of a kind that this version does not know.
    Unreadable {
        /// The kind found, 1 being the only one known.
        kind: u8,
    },
}

const SLOT_KIND_OFFSET: usize = 16;
const SLOT_RESERVED_OFFSET: usize = 17;
const SLOT_KIND_PLAIN: u8 = 1;

impl Slot {
    /// The bytes of this slot. An unreadable slot has none, and encodes as one of kind 255.
    pub fn encode(self) -> [u8; SLOT_BYTES] {
        let mut bytes = [0; SLOT_BYTES];
        match self {
            Self::NeverWritten => {}
            Self::Checksum(sum) => {
                bytes[..SLOT_KIND_OFFSET].copy_from_slice(&sum.to_le_bytes());
                bytes[SLOT_KIND_OFFSET] = SLOT_KIND_PLAIN;
            }
            Self::Unreadable { .. } => bytes[SLOT_KIND_OFFSET] = u8::MAX,
        }
        bytes
    }

    /// Reads a slot. Every byte counts: whatever this version would not have written is unreadable.
    pub fn decode(bytes: &[u8; SLOT_BYTES]) -> Self {
        let kind = bytes[SLOT_KIND_OFFSET];
        let sum = u128_at(bytes, 0);
        let reserved_is_zero = is_zero(&bytes[SLOT_RESERVED_OFFSET..]);
        match kind {
            0 if sum == 0 && reserved_is_zero => Self::NeverWritten,
            SLOT_KIND_PLAIN if reserved_is_zero => Self::Checksum(sum),
            _ => Self::Unreadable { kind },
        }
    }
}

/// The slot at `index` of a slot page.
pub fn slot_at(slots: &PageBytes, index: usize) -> Slot {
    let start = index * SLOT_BYTES;
    slots[start..]
        .first_chunk()
        .map_or(Slot::Unreadable { kind: u8::MAX }, Slot::decode)
}

/// Writes the slot at `index` of a slot page; returns whether that changed it.
pub fn put_slot(slots: &mut PageBytes, index: usize, slot: Slot) -> bool {
    let place = &mut slots[index * SLOT_BYTES..(index + 1) * SLOT_BYTES];
    let bytes = slot.encode();
    let changed = *place != bytes;
    place.copy_from_slice(&bytes);
    changed
}

/// Checksums of the pages of one file.
///
/// They depend on the file's ID and on the logical page number as well as on the content.
#[derive(Clone, Copy, Debug)]
pub struct PageHasher {
    file_seed: u64,
}

impl PageHasher {
    /// The hasher of the file with this ID.
    pub fn new(file_id: &[u8; 16]) -> Self {
        Self {
            file_seed: xxh3_64(file_id),
        }
    }

    /// The checksum of a logical page other than 0. `bytes` is one page.
    pub fn page(self, page: u64, bytes: &[u8]) -> u128 {
        debug_assert_eq!(bytes.len(), PAGE_BYTES);
        xxh3_128_with_seed(bytes, self.file_seed ^ page)
    }

    /// The checksum of logical page 0: of all bytes but those of its embedded slot.
    pub fn super_page(self, bytes: &PageBytes) -> u128 {
        let mut hasher = Xxh3Builder::new().with_seed(self.file_seed).build();
        hasher.update(&bytes[..EMBEDDED_SLOT_START]);
        hasher.update(&bytes[EMBEDDED_SLOT_END..]);
        hasher.digest128()
    }
}

/// The slot within logical page 0.
pub fn embedded_slot(page: &PageBytes) -> Slot {
    page[EMBEDDED_SLOT_START..]
        .first_chunk()
        .map_or(Slot::Unreadable { kind: u8::MAX }, Slot::decode)
}

/// Writes the slot within logical page 0.
pub fn put_embedded_slot(page: &mut PageBytes, slot: Slot) {
    page[EMBEDDED_SLOT_START..EMBEDDED_SLOT_END].copy_from_slice(&slot.encode());
}

/// Whether all bytes are zero.
pub fn is_zero(bytes: &[u8]) -> bool {
    bytes.iter().fold(0, |seen, byte| seen | byte) == 0
}

// redb's own header. These bytes are redb 4.5's; a test checks them against a database of the real redb.
const REDB_MAGIC: [u8; 9] = [b'r', b'e', b'd', b'b', 0x1A, 0x0A, 0xA9, 0x0D, 0x0A];
const REDB_FLAGS_OFFSET: usize = REDB_MAGIC.len();
const REDB_RECOVERY_REQUIRED: u8 = 2;
const REDB_TWO_PHASE: u8 = 4;

/// What redb's super-header says about the last commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SuperHeaderFlags {
    /// The file was not closed, or is open now.
    pub recovery_required: bool,
    /// The last commit was made in two phases: all its pages were durable before it became the newest.
    pub two_phase: bool,
}

impl SuperHeaderFlags {
    /// Reads the flags from logical page 0. `None` if redb has not finished writing its first header.
    pub fn read(page: &PageBytes) -> Option<Self> {
        let flags = page[REDB_FLAGS_OFFSET];
        page.starts_with(&REDB_MAGIC).then_some(Self {
            recovery_required: flags & REDB_RECOVERY_REQUIRED != 0,
            two_phase: flags & REDB_TWO_PHASE != 0,
        })
    }
}

/// The first bytes of every registry file.
///
/// The byte above 127, the zero, both kinds of line ending and the end-of-file character show a file that
/// was transferred as text.
pub const MAGIC: [u8; 16] = *b"ansinh\xABreg\x00\x01\r\n\x1A\n";
/// The version of the file format that this library writes.
pub const FORMAT_VERSION: u16 = 1;
/// The compatible feature bits that this library knows. Unknown ones may be ignored.
pub const COMPATIBLE_KNOWN: u32 = 0;
/// The read-only compatible feature bits that this library knows. With unknown ones a file may be read, not written.
pub const READ_ONLY_COMPATIBLE_KNOWN: u32 = 0;
/// The incompatible feature bits that this library knows. With unknown ones a file may not be opened.
pub const INCOMPATIBLE_KNOWN: u32 = 0;

/// A version of redb.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RedbVersion {
    /// First number.
    pub major: u16,
    /// Second number.
    pub minor: u16,
    /// Third number.
    pub patch: u16,
}

/// The version of redb that this library is built with.
pub const REDB_VERSION: RedbVersion = RedbVersion {
    major: 4,
    minor: 5,
    patch: 0,
};

/// What a file is to be opened for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Reading only; others may read at the same time.
    ReadOnly,
    /// Reading and writing; nobody else may have the file open.
    ReadWrite,
}

/// The header of the file, physical page 0.
///
/// ```text
/// 0..16        magic
/// 16..18       format version             the place of magic, version and checksum never changes
/// 18..24       redb: major, minor, patch
/// 24..28       compatible feature bits
/// 28..32       read-only compatible feature bits
/// 32..36       incompatible feature bits
/// 36..40       page size
/// 40..56       file ID
/// 56..4080     zero
/// 4080..4096   xxh3-128 of all bytes before
/// ```
///
/// Integers are little-endian.
///
/// ```
/// use ansinh::format::page::{Access, FileHeader};
/// let header = FileHeader::new([7; 16]);
/// assert_eq!(FileHeader::decode(&header.encode()[..], Access::ReadWrite)?, header);
/// # Ok::<(), ansinh::format::page::HeaderError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileHeader {
    /// The redb that created the file.
    pub redb: RedbVersion,
    /// Features that an older library may ignore.
    pub compatible: u32,
    /// Features that an older library may ignore as long as it only reads.
    pub read_only_compatible: u32,
    /// Features that a library must know to open the file.
    pub incompatible: u32,
    /// Tells this file from every other; chosen at random when the file is created.
    pub file_id: [u8; 16],
}

const VERSION_OFFSET: usize = 16;
const REDB_VERSION_OFFSET: usize = 18;
const COMPATIBLE_OFFSET: usize = 24;
const READ_ONLY_COMPATIBLE_OFFSET: usize = 28;
const INCOMPATIBLE_OFFSET: usize = 32;
const PAGE_SIZE_OFFSET: usize = 36;
const FILE_ID_OFFSET: usize = 40;
const FILE_ID_END: usize = 56;
const CHECKSUM_OFFSET: usize = PAGE_BYTES - 16;
const NAME_BYTES: usize = 6;
const _: () = assert!(MAGIC.len() == VERSION_OFFSET && FILE_ID_END <= CHECKSUM_OFFSET);

/// Why a file header was refused.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum HeaderError {
    /// The file is something else.
    #[error(
        "not a registry: the file begins with {found}, a registry with the word \"ansinh\"; check the file name"
    )]
    NotARegistry {
        /// The first bytes of the file, readable.
        found: String,
    },
    /// The file is a registry, or was one, but its header is not as it was written.
    #[error("the file header (byte 0) is damaged: {what}; restore the file from a backup")]
    Damaged {
        /// What disagrees.
        what: String,
    },
    /// The file was made by a newer version of this program.
    #[error(
        "the file has format version {found}, this ansinh reads versions up to {known}; open it with a newer ansinh"
    )]
    NewerVersion {
        /// The version in the file.
        found: u16,
        /// The newest version known here.
        known: u16,
    },
    /// The file uses a feature without knowledge of which it cannot be read.
    #[error(
        "the file uses features unknown to this ansinh (incompatible bits {unknown:#010x}); open it with a newer ansinh"
    )]
    UnknownFeatures {
        /// The unknown bits.
        unknown: u32,
    },
    /// The file uses a feature without knowledge of which it must not be written.
    #[error(
        "the file uses features that this ansinh cannot write (read-only compatible bits {unknown:#010x}); open it for reading only, or with a newer ansinh"
    )]
    ReadOnlyFeatures {
        /// The unknown bits.
        unknown: u32,
    },
}

impl FileHeader {
    /// The header of a new file.
    pub fn new(file_id: [u8; 16]) -> Self {
        Self {
            redb: REDB_VERSION,
            compatible: 0,
            read_only_compatible: 0,
            incompatible: 0,
            file_id,
        }
    }

    /// The bytes of physical page 0.
    pub fn encode(&self) -> Box<PageBytes> {
        let mut bytes = Box::new([0; PAGE_BYTES]);
        let mut put =
            |offset: usize, field: &[u8]| bytes[offset..offset + field.len()].copy_from_slice(field);
        put(0, &MAGIC);
        put(VERSION_OFFSET, &FORMAT_VERSION.to_le_bytes());
        put(REDB_VERSION_OFFSET, &self.redb.major.to_le_bytes());
        put(REDB_VERSION_OFFSET + 2, &self.redb.minor.to_le_bytes());
        put(REDB_VERSION_OFFSET + 4, &self.redb.patch.to_le_bytes());
        put(COMPATIBLE_OFFSET, &self.compatible.to_le_bytes());
        put(
            READ_ONLY_COMPATIBLE_OFFSET,
            &self.read_only_compatible.to_le_bytes(),
        );
        put(INCOMPATIBLE_OFFSET, &self.incompatible.to_le_bytes());
        put(PAGE_SIZE_OFFSET, &(PAGE_BYTES as u32).to_le_bytes());
        put(FILE_ID_OFFSET, &self.file_id);
        let sum = xxh3_128(&bytes[..CHECKSUM_OFFSET]);
        bytes[CHECKSUM_OFFSET..].copy_from_slice(&sum.to_le_bytes());
        bytes
    }

    /// Reads physical page 0, or as much of it as the file has, and checks that the file may be opened for `access`.
    pub fn decode(bytes: &[u8], access: Access) -> Result<Self, HeaderError> {
        check_magic(bytes)?;
        let Some(page) = bytes.first_chunk::<PAGE_BYTES>() else {
            let what = format!("it ends after {} of {PAGE_BYTES} bytes", bytes.len());
            return Err(HeaderError::Damaged { what });
        };
        let (found, expected) = (xxh3_128(&page[..CHECKSUM_OFFSET]), u128_at(page, CHECKSUM_OFFSET));
        if found != expected {
            let other_version = match u16_at(page, VERSION_OFFSET) {
                FORMAT_VERSION => String::new(),
                version => {
                    format!("; it states format version {version}, this ansinh reads {FORMAT_VERSION}")
                }
            };
            let what = format!("its checksum is {found:032x}, it should be {expected:032x}{other_version}");
            return Err(HeaderError::Damaged { what });
        }
        let version = u16_at(page, VERSION_OFFSET);
        if version > FORMAT_VERSION {
            return Err(HeaderError::NewerVersion {
                found: version,
                known: FORMAT_VERSION,
            });
        }
        let page_size = u32_at(page, PAGE_SIZE_OFFSET);
        if version == 0 || page_size as usize != PAGE_BYTES {
            let what = format!("version {version} with pages of {page_size} bytes, expected {PAGE_BYTES}");
            return Err(HeaderError::Damaged { what });
        }
        Self::fields(page).check_features(access)
    }

    fn fields(page: &PageBytes) -> Self {
        let mut file_id = [0; 16];
        file_id.copy_from_slice(&page[FILE_ID_OFFSET..FILE_ID_END]);
        Self {
            redb: RedbVersion {
                major: u16_at(page, REDB_VERSION_OFFSET),
                minor: u16_at(page, REDB_VERSION_OFFSET + 2),
                patch: u16_at(page, REDB_VERSION_OFFSET + 4),
            },
            compatible: u32_at(page, COMPATIBLE_OFFSET),
            read_only_compatible: u32_at(page, READ_ONLY_COMPATIBLE_OFFSET),
            incompatible: u32_at(page, INCOMPATIBLE_OFFSET),
            file_id,
        }
    }

    fn check_features(self, access: Access) -> Result<Self, HeaderError> {
        let unknown = self.incompatible & !INCOMPATIBLE_KNOWN;
        if unknown != 0 {
            return Err(HeaderError::UnknownFeatures { unknown });
        }
        let unknown = self.read_only_compatible & !READ_ONLY_COMPATIBLE_KNOWN;
        if unknown != 0 && access == Access::ReadWrite {
            return Err(HeaderError::ReadOnlyFeatures { unknown });
        }
        Ok(self)
    }
}

fn check_magic(bytes: &[u8]) -> Result<(), HeaderError> {
    if bytes.starts_with(&MAGIC) {
        return Ok(());
    }
    let begins = |len: usize| bytes.len() >= len && bytes[..len] == MAGIC[..len];
    if begins(NAME_BYTES) {
        let what = "its magic number was changed, as by a transfer in text mode".to_owned();
        return Err(HeaderError::Damaged { what });
    }
    // One changed letter of the name: the rest of the header still vouches for the file.
    if let Some(page) = bytes.first_chunk::<PAGE_BYTES>() {
        let mut restored = *page;
        restored[..MAGIC.len()].copy_from_slice(&MAGIC);
        if xxh3_128(&restored[..CHECKSUM_OFFSET]) == u128_at(page, CHECKSUM_OFFSET) {
            return Err(HeaderError::Damaged {
                what: "its magic number was changed".to_owned(),
            });
        }
    }
    let found = if bytes.is_empty() {
        "nothing (it is empty)".to_owned()
    } else {
        format!("\"{}\"", bytes[..bytes.len().min(MAGIC.len())].escape_ascii())
    };
    Err(HeaderError::NotARegistry { found })
}

fn array_at<const N: usize>(bytes: &[u8], offset: usize) -> [u8; N] {
    bytes
        .get(offset..)
        .and_then(<[u8]>::first_chunk)
        .copied()
        .unwrap_or([0; N])
}

fn u16_at(bytes: &[u8], offset: usize) -> u16 {
    u16::from_le_bytes(array_at(bytes, offset))
}

fn u32_at(bytes: &[u8], offset: usize) -> u32 {
    u32::from_le_bytes(array_at(bytes, offset))
}

fn u128_at(bytes: &[u8], offset: usize) -> u128 {
    u128::from_le_bytes(array_at(bytes, offset))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_page_has_its_own_place_and_length() {
        let mut next = PAGE;
        for page in 0..1000 {
            if page > 0 && (page - 1) % GROUP_DATA_PAGES == 0 {
                assert_eq!(slot_page_offset(group_of(page).0), next);
                assert_eq!(logical_pages(next + PAGE), None, "a slot page alone is no length");
                next += PAGE;
            }
            assert_eq!(data_page_offset(page), next);
            next += PAGE;
            assert_eq!(physical_bytes(page + 1), next);
            assert_eq!(logical_pages(next), Some(page + 1));
            assert_eq!(
                groups_for(page + 1),
                if page == 0 { 0 } else { group_of(page).0 + 1 }
            );
        }
        assert_eq!(logical_pages(PAGE), Some(0));
        assert_eq!(logical_pages(0), None);
        assert_eq!(logical_pages(PAGE + 1), None);
        assert_eq!(logical_pages(u64::MAX - PAGE + 1), None);
    }

    #[test]
    fn a_range_falls_into_runs_that_stop_at_groups() {
        let runs = |mut offset: u64, mut bytes: usize| {
            let mut found = Vec::new();
            while bytes > 0 {
                let (run, taken) = Run::first(offset, bytes);
                found.push(run);
                offset += taken as u64;
                bytes -= taken;
            }
            found
        };
        assert_eq!(
            runs(9, 7),
            [Run::Part {
                page: 0,
                start: 9,
                bytes: 7
            }]
        );
        assert_eq!(runs(PAGE, 128 * PAGE_BYTES), [Run::Whole { page: 1, pages: 128 }]);
        assert_eq!(
            runs(100, 200 * PAGE_BYTES),
            [
                Run::Part {
                    page: 0,
                    start: 100,
                    bytes: PAGE_BYTES - 100
                },
                Run::Whole { page: 1, pages: 128 },
                Run::Whole { page: 129, pages: 71 },
                Run::Part {
                    page: 200,
                    start: 0,
                    bytes: 100
                },
            ]
        );
    }

    #[test]
    fn every_byte_of_a_slot_counts() {
        for slot in [
            Slot::NeverWritten,
            Slot::Checksum(0),
            Slot::Checksum(u128::MAX / 3),
        ] {
            let bytes = slot.encode();
            assert_eq!(Slot::decode(&bytes), slot);
            for place in 0..SLOT_BYTES {
                let mut flipped = bytes;
                flipped[place] ^= 0x20;
                assert_ne!(Slot::decode(&flipped), slot, "byte {place}");
            }
        }
    }

    #[test]
    fn a_checksum_depends_on_content_place_and_file() {
        let page = [5; PAGE_BYTES];
        let hasher = PageHasher::new(&[1; 16]);
        let sum = hasher.page(9, &page);
        assert_eq!(sum, hasher.page(9, &page));
        assert_ne!(sum, hasher.page(10, &page));
        assert_ne!(sum, PageHasher::new(&[2; 16]).page(9, &page));
        assert_ne!(sum, hasher.page(9, &[6; PAGE_BYTES]));
    }

    #[test]
    fn the_super_page_checksum_covers_all_but_its_slot() {
        let hasher = PageHasher::new(&[1; 16]);
        let mut page = [0; PAGE_BYTES];
        let sum = hasher.super_page(&page);
        put_embedded_slot(&mut page, Slot::Checksum(sum));
        assert_eq!(hasher.super_page(&page), sum);
        for place in [0, EMBEDDED_SLOT_START - 1, EMBEDDED_SLOT_END, PAGE_BYTES - 1] {
            let mut flipped = page;
            flipped[place] ^= 1;
            assert_ne!(hasher.super_page(&flipped), sum, "byte {place}");
        }
    }

    fn sealed(change: impl FnOnce(&mut PageBytes)) -> Box<PageBytes> {
        let mut page = FileHeader::new([3; 16]).encode();
        change(&mut page);
        let sum = xxh3_128(&page[..CHECKSUM_OFFSET]);
        page[CHECKSUM_OFFSET..].copy_from_slice(&sum.to_le_bytes());
        page
    }

    #[test]
    fn a_header_says_precisely_why_it_is_refused() {
        let decode = |page: &PageBytes, access| FileHeader::decode(page, access);
        let newer = sealed(|page| page[VERSION_OFFSET] = 9);
        let error = decode(&newer, Access::ReadOnly).unwrap_err();
        assert_eq!(error, HeaderError::NewerVersion { found: 9, known: 1 });
        assert!(error.to_string().contains("version 9") && error.to_string().contains("newer ansinh"));

        let unknown = sealed(|page| page[INCOMPATIBLE_OFFSET + 1] = 4);
        assert_eq!(
            decode(&unknown, Access::ReadOnly),
            Err(HeaderError::UnknownFeatures { unknown: 0x400 })
        );
        let read_only = sealed(|page| page[READ_ONLY_COMPATIBLE_OFFSET] = 1);
        assert_eq!(
            decode(&read_only, Access::ReadWrite),
            Err(HeaderError::ReadOnlyFeatures { unknown: 1 })
        );
        assert_eq!(
            decode(&read_only, Access::ReadOnly).unwrap().read_only_compatible,
            1
        );
        let compatible = sealed(|page| page[COMPATIBLE_OFFSET] = 1);
        assert_eq!(decode(&compatible, Access::ReadWrite).unwrap().compatible, 1);
        let page_size = sealed(|page| page[PAGE_SIZE_OFFSET + 1] = 0x20);
        assert!(matches!(
            decode(&page_size, Access::ReadOnly),
            Err(HeaderError::Damaged { .. })
        ));
    }

    #[test]
    fn every_flipped_byte_of_a_header_is_an_error() {
        let page = FileHeader::new([3; 16]).encode();
        for place in 0..PAGE_BYTES {
            let mut flipped = page.clone();
            flipped[place] ^= 0x40;
            let error = FileHeader::decode(&flipped[..], Access::ReadOnly).unwrap_err();
            assert!(
                matches!(error, HeaderError::Damaged { .. }),
                "byte {place}: {error}"
            );
        }
    }

    #[test]
    fn other_files_are_not_registries() {
        for bytes in [
            &b""[..],
            b"SQLite format 3\0",
            b"redb\x1A\x0A\xA9\x0D\x0A",
            &[0; PAGE_BYTES],
        ] {
            let error = FileHeader::decode(bytes, Access::ReadOnly).unwrap_err();
            assert!(matches!(error, HeaderError::NotARegistry { .. }), "{error}");
        }
        let header = FileHeader::new([3; 16]).encode();
        for len in MAGIC.len()..PAGE_BYTES {
            let error = FileHeader::decode(&header[..len], Access::ReadOnly).unwrap_err();
            assert!(
                matches!(error, HeaderError::Damaged { .. }),
                "{len} bytes: {error}"
            );
        }
    }
}
