//! Locators: where a person's row is; and keys of segments.
//!
//! ```text
//! segment key   u32     unit << 16 | index          segments of a unit are neighbours, in order of their index
//! locator       u40     unit << 24 | index << 12 | row        0 is no locator: there is no unit 0
//! block         816 locators of 5 bytes: those of the persons 816*b .. 816*b + 815, b being the key
//! ```

use super::error::{Expected, FormatError};

/// The greatest number of rows in a segment.
pub const SEGMENT_ROWS_MAX: usize = 1_100;
/// The greatest number of segments of one unit.
pub const UNIT_SEGMENTS_MAX: usize = 1 << 12;
/// The locators in a block.
pub const BLOCK_LOCATORS: usize = 816;
const LOCATOR_BYTES: usize = 5;

const _: () = assert!(SEGMENT_ROWS_MAX <= 1 << 12);
// A leaf page of 4 KiB with a fixed key of 4 bytes holds 4096 - 8 - 4 bytes.
const _: () = assert!(BLOCK_LOCATORS * LOCATOR_BYTES <= 4096 - 12);

/// A segment: a stretch of rows of one unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SegmentKey(u32);

impl SegmentKey {
    /// The segment with this index in its unit.
    pub const fn new(unit: u16, index: u16) -> Self {
        Self((unit as u32) << 16 | index as u32)
    }

    /// The segment with this number.
    pub const fn from_number(number: u32) -> Self {
        Self(number)
    }

    /// The number under which tables hold it.
    pub const fn number(self) -> u32 {
        self.0
    }

    /// The unit to which the rows were entered.
    pub const fn unit(self) -> u16 {
        (self.0 >> 16) as u16
    }

    /// The index in the unit.
    pub const fn index(self) -> u16 {
        self.0 as u16
    }
}

/// A row of a segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Locator {
    /// The segment.
    pub segment: SegmentKey,
    /// The row, from 0.
    pub row: u16,
}

impl Locator {
    const fn packed(self) -> u64 {
        (self.segment.unit() as u64) << 24 | (self.segment.index() as u64) << 12 | self.row as u64
    }

    const fn from_packed(packed: u64) -> Option<Self> {
        let unit = (packed >> 24) as u16;
        if unit == 0 {
            return None;
        }
        let segment = SegmentKey::new(unit, (packed >> 12 & 0xfff) as u16);
        Some(Self {
            segment,
            row: (packed & 0xfff) as u16,
        })
    }
}

/// The block that holds a person's locator, and its place there.
pub const fn place_of(person: u32) -> (u32, usize) {
    (person / BLOCK_LOCATORS as u32, person as usize % BLOCK_LOCATORS)
}

/// The locator at a place of a block; `None` where none is set or the block is shorter.
pub fn get(block: &[u8], place: usize) -> Result<Option<Locator>, FormatError> {
    let Some(bytes) = block.get(place * LOCATOR_BYTES..(place + 1) * LOCATOR_BYTES) else {
        return if block.len().is_multiple_of(LOCATOR_BYTES) {
            Ok(None)
        } else {
            let expected = Expected::Words("a multiple of 5 bytes");
            Err(FormatError::new(
                "locator block",
                block.len(),
                block.len() as u64,
                expected,
            ))
        };
    };
    let mut wide = [0; 8];
    wide[..LOCATOR_BYTES].copy_from_slice(bytes);
    Ok(Locator::from_packed(u64::from_le_bytes(wide)))
}

/// Sets the locator at a place of a block, which grows as needed.
pub fn set(block: &mut Vec<u8>, place: usize, locator: Locator) {
    let end = (place + 1) * LOCATOR_BYTES;
    if block.len() < end {
        block.resize(end, 0);
    }
    let bytes = locator.packed().to_le_bytes();
    block[place * LOCATOR_BYTES..end].copy_from_slice(&bytes[..LOCATOR_BYTES]);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn locators_come_back() {
        let mut block = Vec::new();
        let locator = Locator {
            segment: SegmentKey::new(3321, 4095),
            row: 999,
        };
        set(&mut block, 815, locator);
        assert_eq!(block.len(), 4080);
        assert_eq!(get(&block, 815).unwrap(), Some(locator));
        assert_eq!(get(&block, 0).unwrap(), None);
        assert_eq!(get(&[], 0).unwrap(), None);
        assert!(get(&[1, 2], 0).is_err());
        assert_eq!(place_of(816), (1, 0));
    }
}
