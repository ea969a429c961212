//! Reading and writing numbers, and the two column encodings that several structures share.
//!
//! ```text
//! fixed      u8 u16 u24 u32 u40 u48 u64 u128    little-endian
//! varint     7 bits a byte, lowest first; the top bit says that another byte follows; at most 10 bytes (u64) or
//!            5 (u32); the shortest form is the only one accepted, so equal values have equal bytes
//! zigzag     a varint of (n << 1) ^ (n >> 63): small magnitudes of either sign are short
//! runs       pairs (value varint, length varint >= 1) until the known number of values is reached
//! packed     value i in bits i*w .. (i+1)*w, lowest bit first, of ceil(n*w/8) bytes; the bits after are zero
//! ```

use super::error::{Expected, FormatError};

/// The greatest width of a packed value, in bits.
pub const PACKED_WIDTH_MAX: u8 = 32;
/// The values that a packing kernel treats at once: 32 values of w bits are exactly w words of 32 bits.
const GROUP: usize = 32;
/// The high bit of each byte: those of a varint but its last have it.
const HIGH_BITS: u64 = 0x8080_8080_8080_8080;

/// The signed number of a varint's bits.
pub const fn unzigzag(bits: u64) -> i64 {
    (bits >> 1) as i64 ^ -((bits & 1) as i64)
}

/// Reads fields one after the other and never beyond the end.
#[derive(Debug, Clone)]
pub struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

macro_rules! fixed {
    ($($(#[$doc:meta])* $name:ident: $ty:ty, $len:literal;)*) => {$(
        $(#[$doc])*
        #[inline]
        pub fn $name(&mut self, what: &'static str) -> Result<$ty, FormatError> {
            let mut wide = [0; size_of::<$ty>()];
            wide[..$len].copy_from_slice(self.slice($len, what)?);
            Ok(<$ty>::from_le_bytes(wide))
        }
    )*};
}

impl<'a> Reader<'a> {
    /// A reader at the first byte.
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    /// The offset of the next byte.
    pub const fn at(&self) -> usize {
        self.at
    }

    /// The number of bytes not yet read.
    pub const fn remaining(&self) -> usize {
        self.bytes.len() - self.at
    }

    /// The next `len` bytes.
    #[inline]
    pub fn slice(&mut self, len: usize, what: &'static str) -> Result<&'a [u8], FormatError> {
        match self.bytes[self.at..].get(..len) {
            Some(slice) => {
                self.at += len;
                Ok(slice)
            }
            None => Err(self.short(len, what)),
        }
    }

    #[cold]
    fn short(&self, len: usize, what: &'static str) -> FormatError {
        FormatError::new(
            what,
            self.at,
            self.remaining() as u64,
            Expected::Bytes(len as u64),
        )
    }

    /// The next `N` bytes as an array.
    #[inline]
    pub fn array<const N: usize>(&mut self, what: &'static str) -> Result<[u8; N], FormatError> {
        let mut array = [0; N];
        array.copy_from_slice(self.slice(N, what)?);
        Ok(array)
    }

    fixed! {
        /// One byte.
        u8: u8, 1;
        /// Two bytes.
        u16: u16, 2;
        /// Three bytes.
        u24: u32, 3;
        /// Four bytes.
        u32: u32, 4;
        /// Five bytes.
        u40: u64, 5;
        /// Six bytes.
        u48: u64, 6;
        /// Eight bytes.
        u64: u64, 8;
        /// Eight bytes, signed.
        i64: i64, 8;
        /// Sixteen bytes.
        u128: u128, 16;
        /// Sixteen bytes, signed.
        i128: i128, 16;
    }

    /// A varint of 64 bits.
    #[inline]
    pub fn varint(&mut self, what: &'static str) -> Result<u64, FormatError> {
        match *self.bytes.get(self.at..).unwrap_or_default() {
            [byte, ..] if byte < 0x80 => {
                self.at += 1;
                Ok(u64::from(byte))
            }
            [low, high @ 1..0x80, ..] => {
                self.at += 2;
                Ok(u64::from(low & 0x7f) | u64::from(high) << 7)
            }
            _ => self.varint_long(what),
        }
    }

    #[cold]
    #[inline(never)]
    fn varint_long(&mut self, what: &'static str) -> Result<u64, FormatError> {
        let start = self.at;
        let wrong = |found| {
            FormatError::new(
                what,
                start,
                found,
                Expected::Words("a varint in its shortest form"),
            )
        };
        let mut value = 0_u64;
        for shift in (0..64).step_by(7) {
            let byte = self.u8(what)?;
            let bits = u64::from(byte & 0x7f);
            // The tenth byte has room for one bit only.
            if shift == 63 && bits > 1 {
                return Err(wrong(u64::from(byte)));
            }
            value |= bits << shift;
            if byte < 0x80 {
                if byte == 0 && shift > 0 {
                    return Err(wrong(value));
                }
                return Ok(value);
            }
        }
        Err(wrong(value))
    }

    /// A varint that must not exceed `max`.
    #[inline]
    pub fn varint_max(&mut self, max: u64, what: &'static str) -> Result<u64, FormatError> {
        let at = self.at;
        let value = self.varint(what)?;
        if value > max {
            return Err(FormatError::new(what, at, value, Expected::AtMost(max)));
        }
        Ok(value)
    }

    /// A varint of 32 bits.
    #[inline]
    pub fn varint_u32(&mut self, what: &'static str) -> Result<u32, FormatError> {
        Ok(self.varint_max(u64::from(u32::MAX), what)? as u32)
    }

    /// A signed varint.
    #[inline]
    pub fn zigzag(&mut self, what: &'static str) -> Result<i64, FormatError> {
        self.varint(what).map(unzigzag)
    }

    /// Passes over short runs, as [`Reader::short_run`] has them, four at once, as long as they have at most `most` rows
    /// together. Gives how many rows they have, and the sum of their values as signed numbers.
    #[inline]
    pub fn skip_short_runs(&mut self, most: u64) -> (u64, i64) {
        // Four lanes of 16 bits; in each the low byte is the value and the high byte the length.
        const ONES: u64 = 0x0001_0001_0001_0001;
        let sum_of = |lanes: u64| lanes.wrapping_mul(ONES) >> 48;
        let (mut rows, mut sum) = (0, 0);
        while let Some(runs) = self.bytes.get(self.at..).and_then(<[u8]>::first_chunk::<8>) {
            let runs = u64::from_le_bytes(*runs);
            let (values, lengths) = (runs & (ONES * 0xff), runs >> 8 & (ONES * 0xff));
            let some = (lengths + ONES * 0x7fff) & (ONES << 15);
            let passed = rows + sum_of(lengths);
            if runs & HIGH_BITS != 0 || some != ONES << 15 || passed > most {
                break;
            }
            self.at += 8;
            rows = passed;
            let (halves, negative) = (values >> 1 & (ONES * 0x7f), (values & ONES) * 0xffff);
            sum += sum_of(halves & !negative) as i64 - sum_of((halves + ONES) & negative) as i64;
        }
        (rows, sum)
    }

    /// The sum of so many varints, of 32 bits.
    #[inline]
    pub fn varint_sum(&mut self, count: usize, what: &'static str) -> Result<u32, FormatError> {
        let (at, mut sum) = (self.at, 0_u64);
        for _ in 0..count {
            sum = sum.saturating_add(self.varint(what)?);
        }
        u32::try_from(sum).map_err(|_| FormatError::new(what, at, sum, Expected::AtMost(u64::from(u32::MAX))))
    }

    /// The bytes that were not read yet.
    #[inline]
    pub fn rest(&self) -> &'a [u8] {
        self.bytes.get(self.at..).unwrap_or_default()
    }

    /// Passes over so many bytes of [`Reader::rest`].
    #[inline]
    pub fn pass(&mut self, count: usize) {
        debug_assert!(count <= self.rest().len(), "{count} bytes");
        self.at += count;
    }

    /// The next two varints, if each has one byte and the second is not 0: most runs are so.
    #[inline]
    pub fn short_run(&mut self) -> Option<(u64, u64)> {
        let &[value @ ..0x80, length @ 1..0x80] = self.bytes.get(self.at..)?.first_chunk::<2>()? else {
            return None;
        };
        self.at += 2;
        Some((u64::from(value), u64::from(length)))
    }

    /// Passes over varints, whatever they hold.
    #[inline]
    pub fn skip_varints(&mut self, count: u64, what: &'static str) -> Result<(), FormatError> {
        let mut left = count;
        // Eight bytes at once, as long as they end fewer varints than are left.
        while let Some(word) = self.bytes.get(self.at..).and_then(<[u8]>::first_chunk::<8>) {
            let ends = u64::from((!u64::from_le_bytes(*word) & HIGH_BITS).count_ones());
            if ends >= left {
                break;
            }
            self.at += word.len();
            left -= ends;
        }
        while left > 0 {
            let Some(&byte) = self.bytes.get(self.at) else {
                return self.u8(what).map(|_| ());
            };
            self.at += 1;
            left -= u64::from(byte < 0x80);
        }
        Ok(())
    }

    /// A text of `len` bytes of UTF-8.
    pub fn text(&mut self, len: usize, what: &'static str) -> Result<&'a str, FormatError> {
        let at = self.at;
        let bytes = self.slice(len, what)?;
        std::str::from_utf8(bytes).map_err(|error| {
            let bad = error.valid_up_to();
            FormatError::new(what, at + bad, u64::from(bytes[bad]), Expected::Words("UTF-8"))
        })
    }

    /// A version byte, which must be `expected`.
    pub fn version(&mut self, expected: u8, what: &'static str) -> Result<(), FormatError> {
        let at = self.at;
        let found = self.u8(what)?;
        if found != expected {
            let expected = Expected::Exactly(u64::from(expected));
            return Err(FormatError::new(what, at, u64::from(found), expected));
        }
        Ok(())
    }

    /// Makes sure that nothing is left.
    pub fn end(&self, what: &'static str) -> Result<(), FormatError> {
        if self.remaining() > 0 {
            let left = self.remaining() as u64;
            return Err(FormatError::new(
                what,
                self.at,
                left,
                Expected::Words("no byte after the end"),
            ));
        }
        Ok(())
    }

    /// `len` values written by [`Writer::put_runs`]. The caller bounds `len`: a few bytes can stand for any number
    /// of equal values.
    pub fn runs(&mut self, len: usize, what: &'static str) -> Result<Vec<u64>, FormatError> {
        let mut values = Vec::new();
        while values.len() < len {
            let value = self.varint(what)?;
            let at = self.at;
            let run = self.varint_max((len - values.len()) as u64, what)?;
            if run == 0 {
                return Err(FormatError::new(what, at, 0, Expected::AtLeast(1)));
            }
            values.resize(values.len() + run as usize, value);
        }
        Ok(values)
    }

    /// The bytes of `len` values packed at `width` bits, checked to have zeros after the last value.
    pub fn packed(&mut self, len: usize, width: u8, what: &'static str) -> Result<Packed<'a>, FormatError> {
        if width > PACKED_WIDTH_MAX {
            let expected = Expected::AtMost(u64::from(PACKED_WIDTH_MAX));
            return Err(FormatError::new(what, self.at, u64::from(width), expected));
        }
        let bytes = self.slice(packed_bytes(len, width), what)?;
        let used = (len * usize::from(width)) % 8;
        if let Some(&last) = bytes.last()
            && used > 0
            && last >> used != 0
        {
            let expected = Expected::Words("zero bits after the last value");
            return Err(FormatError::new(what, self.at - 1, u64::from(last), expected));
        }
        Ok(Packed { bytes, len, width })
    }
}

/// The number of bytes of `len` values packed at `width` bits.
pub const fn packed_bytes(len: usize, width: u8) -> usize {
    (len * width as usize).div_ceil(8)
}

/// The number of bits that `max` needs; 0 for 0.
pub const fn bits_for(max: u32) -> u8 {
    (u32::BITS - max.leading_zeros()) as u8
}

/// Values packed at a fixed width, read in place.
#[derive(Debug, Clone, Copy)]
pub struct Packed<'a> {
    bytes: &'a [u8],
    len: usize,
    width: u8,
}

impl Packed<'_> {
    /// The number of values.
    pub const fn len(&self) -> usize {
        self.len
    }

    /// Whether there is no value.
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// One value; `None` beyond the last.
    #[inline]
    pub fn get(&self, index: usize) -> Option<u32> {
        if index >= self.len {
            return None;
        }
        let bit = index * usize::from(self.width);
        let tail = &self.bytes[bit / 8..];
        // A value spans at most 32 + 7 bits, so eight bytes from its first byte on hold it.
        let word = if let Some(whole) = tail.first_chunk::<8>() {
            u64::from_le_bytes(*whole)
        } else {
            let mut padded = [0; 8];
            padded[..tail.len()].copy_from_slice(tail);
            u64::from_le_bytes(padded)
        };
        Some((word >> (bit % 8) & ((1 << self.width) - 1)) as u32)
    }

    /// All values, appended to `out`.
    pub fn unpack_into(&self, out: &mut Vec<u32>) {
        let start = out.len();
        out.resize(start + self.len, 0);
        unpack(self.bytes, self.width, &mut out[start..]);
    }

    /// All values.
    pub fn to_vec(&self) -> Vec<u32> {
        let mut out = Vec::new();
        self.unpack_into(&mut out);
        out
    }
}

/// Writes what [`Reader`] reads, at the end of a `Vec<u8>`.
pub trait Writer {
    /// One byte.
    fn put_u8(&mut self, value: u8);
    /// Two bytes.
    fn put_u16(&mut self, value: u16);
    /// The three lowest bytes.
    fn put_u24(&mut self, value: u32);
    /// Four bytes.
    fn put_u32(&mut self, value: u32);
    /// The five lowest bytes.
    fn put_u40(&mut self, value: u64);
    /// The six lowest bytes.
    fn put_u48(&mut self, value: u64);
    /// Eight bytes.
    fn put_u64(&mut self, value: u64);
    /// Eight bytes, signed.
    fn put_i64(&mut self, value: i64);
    /// Sixteen bytes.
    fn put_u128(&mut self, value: u128);
    /// Sixteen bytes, signed.
    fn put_i128(&mut self, value: i128);
    /// A varint.
    fn put_varint(&mut self, value: u64);
    /// A signed varint.
    fn put_zigzag(&mut self, value: i64);
    /// Values as runs of equal ones.
    fn put_runs(&mut self, values: &[u64]);
    /// Values packed at `width` bits; bits of a value above that are lost, so the caller takes [`bits_for`] the
    /// greatest.
    fn put_packed(&mut self, values: &[u32], width: u8);
}

impl Writer for Vec<u8> {
    #[inline]
    fn put_u8(&mut self, value: u8) {
        self.push(value);
    }

    #[inline]
    fn put_u16(&mut self, value: u16) {
        self.extend_from_slice(&value.to_le_bytes());
    }

    fn put_u24(&mut self, value: u32) {
        debug_assert!(value < 1 << 24);
        self.extend_from_slice(&value.to_le_bytes()[..3]);
    }

    #[inline]
    fn put_u32(&mut self, value: u32) {
        self.extend_from_slice(&value.to_le_bytes());
    }

    fn put_u40(&mut self, value: u64) {
        debug_assert!(value < 1 << 40);
        self.extend_from_slice(&value.to_le_bytes()[..5]);
    }

    fn put_u48(&mut self, value: u64) {
        debug_assert!(value < 1 << 48);
        self.extend_from_slice(&value.to_le_bytes()[..6]);
    }

    #[inline]
    fn put_u64(&mut self, value: u64) {
        self.extend_from_slice(&value.to_le_bytes());
    }

    fn put_i64(&mut self, value: i64) {
        self.extend_from_slice(&value.to_le_bytes());
    }

    fn put_u128(&mut self, value: u128) {
        self.extend_from_slice(&value.to_le_bytes());
    }

    fn put_i128(&mut self, value: i128) {
        self.extend_from_slice(&value.to_le_bytes());
    }

    #[inline]
    fn put_varint(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.push(value as u8);
    }

    fn put_zigzag(&mut self, value: i64) {
        self.put_varint((value << 1 ^ value >> 63) as u64);
    }

    fn put_runs(&mut self, values: &[u64]) {
        for run in values.chunk_by(|a, b| a == b) {
            self.put_varint(run[0]);
            self.put_varint(run.len() as u64);
        }
    }

    fn put_packed(&mut self, values: &[u32], width: u8) {
        let width = width.min(PACKED_WIDTH_MAX);
        self.reserve(packed_bytes(values.len(), width));
        let mut words = [0; PACKED_WIDTH_MAX as usize];
        for group in values.chunks(GROUP) {
            let mut padded = [0; GROUP];
            padded[..group.len()].copy_from_slice(group);
            pack_group(&padded, width, &mut words);
            let bytes = packed_bytes(group.len(), width);
            let whole = bytes / 4;
            for word in &words[..whole] {
                self.extend_from_slice(&word.to_le_bytes());
            }
            if !bytes.is_multiple_of(4) {
                self.extend_from_slice(&words[whole].to_le_bytes()[..bytes % 4]);
            }
        }
    }
}

/// Calls a function generic over a width with the width at hand, so that each width has its own unrolled code.
macro_rules! with_width {
    (one $call:ident $w:literal ($($argument:expr),*)) => { $call::<$w>($($argument),*) };
    (each $width:expr, $call:ident $arguments:tt $($w:literal)*) => {
        match $width {
            $($w => with_width!(one $call $w $arguments),)*
            _ => (),
        }
    };
    ($width:expr, $call:ident $arguments:tt) => {
        with_width!(each $width, $call $arguments
            1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31 32)
    };
}

fn pack_group(values: &[u32; GROUP], width: u8, words: &mut [u32; 32]) {
    with_width!(width, pack_at(values, words));
}

/// Packs 32 values of `W` bits into the first `W` words.
#[inline]
fn pack_at<const W: usize>(values: &[u32; GROUP], words: &mut [u32; 32]) {
    let mask = u64::MAX >> (64 - W);
    let (mut pending, mut bits, mut word) = (0_u64, 0, 0);
    for &value in values {
        pending |= (u64::from(value) & mask) << bits;
        bits += W;
        if bits >= 32 {
            words[word] = pending as u32;
            word += 1;
            pending >>= 32;
            bits -= 32;
        }
    }
}

fn unpack(bytes: &[u8], width: u8, out: &mut [u32]) {
    let mut groups = out.chunks_exact_mut(GROUP);
    let mut at = 0;
    for group in &mut groups {
        let packed = &bytes[at..at + 4 * usize::from(width)];
        at += packed.len();
        if let Some(group) = group.first_chunk_mut() {
            with_width!(width, unpack_at(packed, group));
        }
    }
    let rest = groups.into_remainder();
    if !rest.is_empty() {
        let mut padded = [0; 4 * GROUP];
        padded[..bytes.len() - at].copy_from_slice(&bytes[at..]);
        let mut group = [0; GROUP];
        let packed = &padded[..4 * usize::from(width)];
        with_width!(width, unpack_at(packed, &mut group));
        rest.copy_from_slice(&group[..rest.len()]);
    }
}

/// Unpacks 32 values of `W` bits from `4 * W` bytes.
#[inline]
fn unpack_at<const W: usize>(packed: &[u8], group: &mut [u32; GROUP]) {
    let mut words = [0_u32; W];
    for (word, bytes) in words.iter_mut().zip(packed.chunks_exact(4)) {
        *word = u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
    }
    let mask = u32::MAX >> (32 - W);
    for (index, value) in group.iter_mut().enumerate() {
        let (word, shift) = (index * W / 32, index * W % 32);
        let mut bits = words[word] >> shift;
        if shift + W > 32 {
            bits |= words[word + 1] << (32 - shift);
        }
        *value = bits & mask;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn numbers_come_back(values in prop::collection::vec((any::<u64>(), 0_u32..64), 0..50)) {
            let mut out = Vec::new();
            for &(value, shift) in &values {
                out.put_varint(value >> shift);
                out.put_zigzag((value as i64) >> shift);
            }
            let mut reader = Reader::new(&out);
            for &(value, shift) in &values {
                prop_assert_eq!(reader.varint("v").unwrap(), value >> shift);
                prop_assert_eq!(reader.zigzag("z").unwrap(), (value as i64) >> shift);
            }
            prop_assert!(reader.end("end").is_ok());
        }

        #[test]
        fn varints_have_one_form(bytes in prop::collection::vec(any::<u8>(), 0..12)) {
            let mut reader = Reader::new(&bytes);
            if let Ok(value) = reader.varint("v") {
                let mut again = Vec::new();
                again.put_varint(value);
                prop_assert_eq!(&again, &bytes[..reader.at()]);
            }
        }

        #[test]
        fn packed_values_come_back(width in 0_u8..=32, values in prop::collection::vec(any::<u32>(), 0..200)) {
            let mask = ((1_u64 << width) - 1) as u32;
            let values: Vec<u32> = values.into_iter().map(|value| value & mask).collect();
            let mut out = Vec::new();
            out.put_packed(&values, width);
            prop_assert_eq!(out.len(), packed_bytes(values.len(), width));
            let mut reader = Reader::new(&out);
            let packed = reader.packed(values.len(), width, "p").unwrap();
            prop_assert!(reader.end("end").is_ok());
            prop_assert_eq!(packed.to_vec(), values.clone());
            for (index, &value) in values.iter().enumerate() {
                prop_assert_eq!(packed.get(index), Some(value));
            }
            prop_assert_eq!(packed.get(values.len()), None);
        }

        #[test]
        fn runs_come_back_and_damage_is_told(values in prop::collection::vec(0_u64..3, 0..60), cut in 0_usize..40) {
            let mut out = Vec::new();
            out.put_runs(&values);
            prop_assert_eq!(Reader::new(&out).runs(values.len(), "r").unwrap(), values.clone());
            out.truncate(cut);
            if let Ok(found) = Reader::new(&out).runs(values.len(), "r") {
                prop_assert_eq!(found, values);
            }
        }
    }

    proptest! {
        #[test]
        fn varints_are_passed_over_and_summed_as_if_read(
            values in proptest::collection::vec(prop_oneof![4 => 0..0x80_u64, 1 => 0..0x1_0000_u64], 0..60),
            count in 0..70_usize,
        ) {
            let mut out = Vec::new();
            for &value in &values {
                out.put_varint(value);
            }
            let (mut read, mut passed, mut summed) = (Reader::new(&out), Reader::new(&out), Reader::new(&out));
            let each: Result<Vec<u64>, _> = (0..count).map(|_| read.varint("v")).collect();
            prop_assert_eq!(each.is_ok(), count <= values.len());
            prop_assert_eq!(passed.skip_varints(count as u64, "v").is_ok(), each.is_ok());
            let sum = summed.varint_sum(count, "v");
            prop_assert_eq!(sum.ok(), each.as_ref().ok().map(|each| each.iter().sum::<u64>() as u32));
            if each.is_ok() {
                prop_assert_eq!((passed.at(), summed.at()), (read.at(), read.at()));
            }
        }

        #[test]
        fn short_runs_are_passed_over_as_if_read(
            runs in proptest::collection::vec(
                (prop_oneof![8 => -64..64_i64, 1 => -300..300_i64], prop_oneof![8 => 1..6_u64, 1 => 100..300_u64]),
                0..80,
            ),
            most in 0..500_u64,
        ) {
            let mut out = Vec::new();
            for &(value, length) in &runs {
                out.put_zigzag(value);
                out.put_varint(length);
            }
            let mut passed = Reader::new(&out);
            let (rows, sum) = passed.skip_short_runs(most);
            prop_assert!(rows <= most);
            let mut read = Reader::new(&out);
            let (mut read_rows, mut read_sum, mut count) = (0, 0, 0);
            while read.at() < passed.at() {
                read_sum += read.zigzag("value").unwrap();
                read_rows += read.varint("length").unwrap();
                count += 1;
            }
            prop_assert_eq!((read.at(), read_rows, read_sum), (passed.at(), rows, sum));
            // It stops only where it must.
            let next = runs.get(count..count + 4);
            let stops = next.is_none_or(|next| {
                next.iter().any(|&(value, length)| !(-64..64).contains(&value) || length >= 0x80)
                    || rows + next.iter().map(|(_, length)| length).sum::<u64>() > most
            });
            prop_assert!(stops);
            let mut next = read.clone();
            if let Some((value, length)) = read.short_run() {
                prop_assert_eq!(unzigzag(value), next.zigzag("value").unwrap());
                prop_assert_eq!(length, next.varint("length").unwrap());
            }
        }
    }

    #[test]
    fn fixed_widths_are_little_endian() {
        let mut out = Vec::new();
        out.put_u8(1);
        out.put_u16(0x0203);
        out.put_u24(0x04_0506);
        out.put_u32(0x0708_090a);
        out.put_u40(0x01_0203_0405);
        out.put_u48(0x0102_0304_0506);
        out.put_u64(9);
        out.put_i64(-2);
        out.put_u128(1 << 100);
        out.put_i128(-(1 << 100));
        assert_eq!(&out[..6], &[1, 3, 2, 6, 5, 4]);
        let mut reader = Reader::new(&out);
        assert_eq!(reader.u8("").unwrap(), 1);
        assert_eq!(reader.u16("").unwrap(), 0x0203);
        assert_eq!(reader.u24("").unwrap(), 0x04_0506);
        assert_eq!(reader.u32("").unwrap(), 0x0708_090a);
        assert_eq!(reader.u40("").unwrap(), 0x01_0203_0405);
        assert_eq!(reader.u48("").unwrap(), 0x0102_0304_0506);
        assert_eq!(reader.u64("").unwrap(), 9);
        assert_eq!(reader.i64("").unwrap(), -2);
        assert_eq!(reader.u128("").unwrap(), 1 << 100);
        assert_eq!(reader.i128("").unwrap(), -(1 << 100));
        assert_eq!(reader.u16("past the end").unwrap_err().at, out.len());
    }

    #[test]
    fn values_beyond_their_type_are_refused() {
        for bytes in [&[0x80, 0][..], &[0xff; 10], &[0x80; 11], &[0x80]] {
            assert!(Reader::new(bytes).varint("v").is_err(), "{bytes:?}");
        }
        assert!(
            Reader::new(&[0xff, 0xff, 0xff, 0xff, 0x1f])
                .varint_u32("v")
                .is_err()
        );
        assert!(Reader::new(&[0xff]).packed(3, 2, "p").is_err());
        assert!(Reader::new(&[0xff; 40]).packed(1, 33, "p").is_err());
        assert!(Reader::new(&[5, 0]).runs(1, "r").is_err());
        assert!(Reader::new(&[5, 3]).runs(2, "r").is_err());
        assert!(Reader::new(&[0xc3, 0x28]).text(2, "t").is_err());
        assert_eq!(bits_for(0), 0);
        assert_eq!(bits_for(255), 8);
        assert_eq!(bits_for(u32::MAX), 32);
    }
}
