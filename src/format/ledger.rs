//! The outcome block of one segment in one run: an outcome code for each row, and amounts for the rows whose
//! outcome has one of its own.
//!
//! ```text
//! 0      u8      version, 1
//! 1      u8      bits 0-2: layout (0 constant, 1 packed, 2 sparse, 3 runs); bit 7: amounts follow; others zero
//! 2      u16     rows R, at most 4,096
//! 4      varint  distinct codes D, at most R; 0 only where R is 0
//!        D x     zigzag: each code of the dictionary, less the one before (the first less 0)
//!        body    by layout, with w = bits for D-1:
//!   constant     nothing; D is at most 1
//!   packed       R positions in the dictionary, packed at w bits
//!   sparse       u16 dominant position d; set of the other rows; their positions packed at bits for D-2, with
//!                those above d lowered by one
//!   runs         set of the rows at which a run begins, 0 among them; their positions packed at w bits
//!   set          u16 count n; u8 form l
//!                l = 255: a bitmap of R bits
//!                l <= 12: the n low parts (row mod 2^l) packed at l bits; then n + ((R-1) >> l) bits, in which bit
//!                (row >> l) + i stands for the i-th row (Elias-Fano); nothing where n is 0
//!        amounts if bit 7 is set: varint count, at least 1; each: varint row less the row before less 1 (the
//!                first: row), zigzag amount in đồng
//! ```
//!
//! Workers encode bodies with the positions of a dictionary of their own segment, before the codes of the whole run
//! are known; [`LedgerBody::assemble`] then puts the dictionary in front. The smallest layout is taken, so equal
//! input gives equal bytes. Everything is checked when a block is decoded, so reading a decoded block cannot fail.

use super::bytes::{Packed, Reader, Writer, bits_for, packed_bytes};
use super::error::{Expected, FormatError};

/// The most rows of a segment.
pub const ROWS_MAX: usize = 4_096;
/// The code of a row that the run's month does not cover.
pub const NOT_IN_SCOPE: u32 = 0;

const VERSION: u8 = 1;
const CONSTANT: u8 = 0;
const PACKED: u8 = 1;
const SPARSE: u8 = 2;
const RUNS: u8 = 3;
const LAYOUT_MASK: u8 = 0x07;
const AMOUNTS: u8 = 0x80;
const BITMAP: u8 = 255;
const LOW_BITS_MAX: u8 = 12;
/// The bytes of a body before its layout: layout, rows, distinct codes.
const BODY_HEAD: usize = 5;
/// Up to so many distinct codes are counted in four tables at once, so that equal neighbours do not wait for each
/// other.
const FAST_CODES_MAX: usize = 256;

const _: () = assert!(ROWS_MAX >= super::locator::SEGMENT_ROWS_MAX);
const _: () = assert!(1 << LOW_BITS_MAX >= ROWS_MAX && ROWS_MAX <= u16::MAX as usize);

/// The part of a block that does not need the codes of the run.
#[derive(Debug, Clone, Copy)]
pub struct LedgerBody;

impl LedgerBody {
    /// Encodes the rows of a segment: `local[row]` is a position in the segment's dictionary of `distinct` codes,
    /// and `amounts` holds rows in ascending order with their amounts in đồng.
    ///
    /// ```
    /// use ansinh::format::ledger::{LedgerBlock, LedgerBody};
    /// let body = LedgerBody::encode(&[0, 1, 0, 0], 2, &[(1, 540_000)]);
    /// let bytes = LedgerBody::assemble(&body, &[0, 7_000]);
    /// let block = LedgerBlock::decode(&bytes)?;
    /// assert_eq!(block.code(1), Some(7_000));
    /// assert_eq!(block.amount(1), Some(540_000));
    /// assert_eq!(block.codes().collect::<Vec<_>>(), [0, 7_000, 0, 0]);
    /// # Ok::<(), ansinh::format::FormatError>(())
    /// ```
    ///
    /// # Panics
    ///
    /// If there are more than [`ROWS_MAX`] rows, a position is not below `distinct`, or amounts are out of order:
    /// a block must not be written that could not be read.
    pub fn encode(local: &[u16], distinct: usize, amounts: &[(u16, i64)]) -> Vec<u8> {
        let rows = local.len();
        let greatest = local.iter().copied().fold(0, u16::max);
        assert!(
            rows == 0 || usize::from(greatest) < distinct,
            "position {greatest} of {distinct}"
        );
        let (most, count) = dominant(local, distinct);
        let mut others = Others::default();
        others.find(local, most, rows - count);
        for (position, &row) in others.positions.iter_mut().zip(&others.rows) {
            *position = local[usize::from(row)];
        }
        let mut out = Vec::with_capacity(64 + others.rows.len() * 2);
        encode(&mut out, (rows, distinct), most, &mut others, amounts);
        out
    }

    /// Appends to `out` what [`LedgerBody::encode`] gives without amounts, of so many rows that have the position `most`,
    /// but for others, and of so many distinct codes.
    ///
    /// # Panics
    ///
    /// As [`LedgerBody::encode`].
    pub fn encode_others(
        out: &mut Vec<u8>,
        (rows, distinct): (usize, usize),
        most: u16,
        others: &mut Others,
    ) {
        encode(out, (rows, distinct), most, others, &[]);
    }

    /// The block of a body, whose dictionary has these codes of the run.
    ///
    /// # Panics
    ///
    /// If `body` is not from [`LedgerBody::encode`] with as many distinct codes.
    pub fn assemble(body: &[u8], global_codes: &[u32]) -> Vec<u8> {
        let distinct = usize::from(u16::from_le_bytes([body[3], body[4]]));
        assert_eq!(
            distinct,
            global_codes.len(),
            "one code of the run for each position"
        );
        let mut out = Vec::with_capacity(body.len() + 5 * distinct + 1);
        out.push(VERSION);
        out.extend_from_slice(&body[..3]);
        out.put_varint(distinct as u64);
        let mut before = 0;
        for &code in global_codes {
            out.put_zigzag(i64::from(code) - before);
            before = i64::from(code);
        }
        out.extend_from_slice(&body[BODY_HEAD..]);
        out
    }
}

/// The position that most rows have, and how many have it. The least of several.
fn dominant(local: &[u16], distinct: usize) -> (u16, usize) {
    let mut slow = Vec::new();
    let mut fast = [0_u16; 4 * FAST_CODES_MAX];
    let counts: &mut [u16] = if distinct <= FAST_CODES_MAX {
        let mut lanes = local.chunks_exact(4);
        for lane in &mut lanes {
            for (table, &code) in lane.iter().enumerate() {
                fast[table * FAST_CODES_MAX + usize::from(code) % FAST_CODES_MAX] += 1;
            }
        }
        for &code in lanes.remainder() {
            fast[usize::from(code) % FAST_CODES_MAX] += 1;
        }
        let (first, others) = fast.split_at_mut(FAST_CODES_MAX);
        for table in others.chunks_exact(FAST_CODES_MAX) {
            for (sum, count) in first[..distinct].iter_mut().zip(table) {
                *sum += count;
            }
        }
        &mut first[..distinct]
    } else {
        slow.resize(distinct, 0);
        for &code in local {
            slow[usize::from(code)] += 1;
        }
        &mut slow
    };
    let mut best = (0, 0);
    for (code, &count) in counts.iter().enumerate() {
        if count > best.1 {
            best = (code as u16, count);
        }
    }
    (best.0, usize::from(best.1))
}

/// So many rows are compared at once.
const FOUND_AT_ONCE: usize = 16;

/// Rows that differ from most of a segment, ascending, and the position of each in the segment's dictionary.
#[derive(Debug, Default)]
pub struct Others {
    /// The rows.
    pub rows: Vec<u16>,
    /// Their positions; 0 until somebody says.
    pub positions: Vec<u16>,
    /// For what is packed.
    room: Vec<u32>,
}

impl Others {
    /// Finds the rows of which something else is so than of most; `count` is how many there are.
    pub fn find<T: Copy + PartialEq>(&mut self, of_rows: &[T], most: T, count: usize) {
        self.rows.clear();
        self.rows.reserve(count);
        let (chunks, rest) = of_rows.as_chunks::<FOUND_AT_ONCE>();
        let mut first = 0;
        for chunk in chunks {
            // A bit for each row that has another, then a step for each bit.
            let mut others = 0_u32;
            for (at, &own) in chunk.iter().enumerate() {
                others |= u32::from(own != most) << at;
            }
            while others != 0 {
                self.rows.push(first + others.trailing_zeros() as u16);
                others &= others - 1;
            }
            first += FOUND_AT_ONCE as u16;
        }
        let rest = (first..).zip(rest).filter(|(_, own)| **own != most);
        self.rows.extend(rest.map(|(row, _)| row));
        self.positions.clear();
        self.positions.resize(count, 0);
    }

    /// How many runs of equal positions there are among so many rows.
    fn runs(&self, rows: usize) -> usize {
        let mut changes = 0;
        let mut before: Option<(u16, u16)> = None;
        for (&row, &position) in self.rows.iter().zip(&self.positions) {
            changes += match before {
                Some((last, same)) if last + 1 == row => usize::from(same != position),
                Some(_) => 2,
                None => usize::from(row > 0),
            };
            before = Some((row, position));
        }
        let open = before.is_some_and(|(last, _)| usize::from(last) + 1 < rows);
        1 + changes + usize::from(open)
    }

    /// The position of every row.
    fn all(&self, rows: usize, most: u16) -> Vec<u16> {
        let mut all = vec![most; rows];
        for (&row, &position) in self.rows.iter().zip(&self.positions) {
            all[usize::from(row)] = position;
        }
        all
    }
}

fn encode(
    out: &mut Vec<u8>,
    (rows, distinct): (usize, usize),
    most: u16,
    others: &mut Others,
    amounts: &[(u16, i64)],
) {
    assert!(
        rows <= ROWS_MAX && distinct <= rows,
        "{rows} rows of {distinct} distinct codes"
    );
    let greatest = others.positions.iter().copied().fold(most, u16::max);
    assert!(
        rows == 0 || usize::from(greatest) < distinct,
        "position {greatest} of {distinct}"
    );
    let start = out.len();
    out.push(0);
    out.put_u16(rows as u16);
    out.put_u16(distinct as u16);
    let layout = if distinct <= 1 {
        CONSTANT
    } else {
        encode_rows(out, (rows, distinct), most, others)
    };
    out[start] = layout | if amounts.is_empty() { 0 } else { AMOUNTS };
    encode_amounts(out, rows, amounts);
}

fn encode_rows(out: &mut Vec<u8>, (rows, distinct): (usize, usize), most: u16, others: &mut Others) -> u8 {
    let width = bits_for(distinct as u32 - 1);
    let exceptions = others.rows.len();
    let runs = others.runs(rows);
    let rest_width = bits_for(distinct as u32 - 2);
    let packed_len = packed_bytes(rows, width);
    let sparse_len = 2 + set_form(exceptions, rows).1 + packed_bytes(exceptions, rest_width);
    let runs_len = set_form(runs, rows).1 + packed_bytes(runs, width);
    if packed_len > sparse_len.min(runs_len) && sparse_len <= runs_len {
        out.put_u16(most);
        let Others {
            rows: set,
            positions,
            room,
        } = others;
        encode_set(out, set, rows, room);
        let raised = |&code: &u16| u32::from(code) - u32::from(code > most);
        room.clear();
        room.extend(positions.iter().map(raised));
        out.put_packed(room, rest_width);
        return SPARSE;
    }
    let all = others.all(rows, most);
    let room = &mut others.room;
    room.clear();
    if packed_len <= sparse_len.min(runs_len) {
        room.extend(all.iter().copied().map(u32::from));
        out.put_packed(room, width);
        return PACKED;
    }
    let mut positions = Vec::with_capacity(runs);
    let mut row = 0;
    for run in all.chunk_by(|a, b| a == b) {
        positions.push(row);
        row += run.len() as u16;
    }
    encode_set(out, &positions, rows, room);
    room.clear();
    room.extend(positions.iter().map(|&row| u32::from(all[usize::from(row)])));
    out.put_packed(room, width);
    RUNS
}

fn encode_amounts(out: &mut Vec<u8>, rows: usize, amounts: &[(u16, i64)]) {
    if amounts.is_empty() {
        return;
    }
    out.put_varint(amounts.len() as u64);
    let mut next = 0;
    for &(row, amount) in amounts {
        let row = usize::from(row);
        assert!(
            row >= next && row < rows,
            "amount of row {row} after row {next} of {rows}"
        );
        out.put_varint((row - next) as u64);
        out.put_zigzag(amount);
        next = row + 1;
    }
}

/// The bytes of the high bits of an Elias-Fano set; `count` is at least 1.
const fn high_bytes(count: usize, low: u8, rows: usize) -> usize {
    (count + ((rows - 1) >> low)).div_ceil(8)
}

/// The smallest form of a set of `count` among `rows` rows, and its length with its head.
fn set_form(count: usize, rows: usize) -> (u8, usize) {
    const HEAD: usize = 3;
    if count == 0 {
        return (0, HEAD);
    }
    let mut best = (BITMAP, HEAD + rows.div_ceil(8));
    // The best number of low bits is near log2(rows / count); its neighbours differ by rounding.
    let near = bits_for((rows / count) as u32);
    for low in near.saturating_sub(2)..=near.min(LOW_BITS_MAX) {
        let len = HEAD + packed_bytes(count, low) + high_bytes(count, low, rows);
        if len < best.1 {
            best = (low, len);
        }
    }
    best
}

fn encode_set(out: &mut Vec<u8>, positions: &[u16], rows: usize, room: &mut Vec<u32>) {
    let (form, _) = set_form(positions.len(), rows);
    out.put_u16(positions.len() as u16);
    out.push(form);
    if positions.is_empty() {
        return;
    }
    if form == BITMAP {
        let start = out.len();
        out.resize(start + rows.div_ceil(8), 0);
        for &row in positions {
            out[start + usize::from(row) / 8] |= 1 << (row % 8);
        }
        return;
    }
    let mask = (1 << form) - 1;
    room.clear();
    room.extend(positions.iter().map(|&row| u32::from(row) & mask));
    out.put_packed(room, form);
    let start = out.len();
    out.resize(start + high_bytes(positions.len(), form, rows), 0);
    for (index, &row) in positions.iter().enumerate() {
        let bit = usize::from(row >> form) + index;
        out[start + bit / 8] |= 1 << (bit % 8);
    }
}

/// A set of rows, read in place.
#[derive(Debug, Clone, Copy)]
enum RowSet<'a> {
    Bitmap(&'a [u8]),
    EliasFano {
        lows: Packed<'a>,
        high: &'a [u8],
        low_bits: u8,
    },
}

/// The words of 64 bits that these bytes make, the last one filled with zeros.
fn words(bytes: &[u8]) -> impl Iterator<Item = u64> + '_ {
    bytes.chunks(8).map(|chunk| {
        let mut word = [0; 8];
        word[..chunk.len()].copy_from_slice(chunk);
        u64::from_le_bytes(word)
    })
}

/// Calls `found` with the place of every set bit.
fn for_each_bit(bytes: &[u8], mut found: impl FnMut(usize)) {
    for (index, mut word) in words(bytes).enumerate() {
        while word != 0 {
            found(64 * index + word.trailing_zeros() as usize);
            word &= word - 1;
        }
    }
}

fn count_bits(bytes: &[u8]) -> usize {
    words(bytes).map(|word| word.count_ones() as usize).sum()
}

impl<'a> RowSet<'a> {
    fn decode(reader: &mut Reader<'a>, rows: usize) -> Result<(Self, usize), FormatError> {
        let at = reader.at();
        let count = usize::from(reader.u16("row set count")?);
        if count > rows {
            let expected = Expected::AtMost(rows as u64);
            return Err(FormatError::new("row set count", at, count as u64, expected));
        }
        let form_at = reader.at();
        let form = reader.u8("row set form")?;
        if count == 0 {
            if form != 0 {
                return Err(FormatError::new(
                    "row set form",
                    form_at,
                    u64::from(form),
                    Expected::Exactly(0),
                ));
            }
            return Ok((Self::Bitmap(&[]), 0));
        }
        let at = reader.at();
        let (set, used) = if form == BITMAP {
            let bitmap = reader.slice(rows.div_ceil(8), "row set bitmap")?;
            (Self::Bitmap(bitmap), rows)
        } else if form <= LOW_BITS_MAX {
            let lows = reader.packed(count, form, "row set low parts")?;
            let high = reader.slice(high_bytes(count, form, rows), "row set high parts")?;
            let used = count + ((rows - 1) >> form);
            let low_bits = form;
            (Self::EliasFano { lows, high, low_bits }, used)
        } else {
            let expected = Expected::Words("255 or at most 12");
            return Err(FormatError::new(
                "row set form",
                form_at,
                u64::from(form),
                expected,
            ));
        };
        set.check(count, used, rows, at)?;
        Ok((set, count))
    }

    /// Makes sure that the set has `count` rows in ascending order, that its last bits are zero, and that every row
    /// exists.
    fn check(&self, count: usize, used: usize, rows: usize, at: usize) -> Result<(), FormatError> {
        let (Self::Bitmap(bits) | Self::EliasFano { high: bits, .. }) = *self;
        let found = count_bits(bits);
        if found != count {
            let expected = Expected::Exactly(count as u64);
            return Err(FormatError::new("rows in a row set", at, found as u64, expected));
        }
        if let Some(&last) = bits.last()
            && !used.is_multiple_of(8)
            && last >> (used % 8) != 0
        {
            let expected = Expected::Words("zero bits after the last row");
            return Err(FormatError::new("row set", at, u64::from(last), expected));
        }
        let mut next = 0;
        let mut wrong = None;
        self.for_each(|row| {
            if (row < next || row >= rows) && wrong.is_none() {
                wrong = Some(row);
            }
            next = row + 1;
        });
        match wrong {
            None => Ok(()),
            Some(row) => {
                let expected = Expected::Words("rows in ascending order below the row count");
                Err(FormatError::new("row set", at, row as u64, expected))
            }
        }
    }

    fn for_each(&self, mut found: impl FnMut(usize)) {
        match self {
            Self::Bitmap(bits) => for_each_bit(bits, found),
            Self::EliasFano { lows, high, low_bits } => {
                let lows = lows.to_vec();
                let mut lows = lows.iter().enumerate();
                for_each_bit(high, |bit| {
                    if let Some((index, &low)) = lows.next() {
                        found((bit.saturating_sub(index) << low_bits) + low as usize);
                    }
                });
            }
        }
    }

    /// How many rows of the set are at most `row`, and whether `row` is one.
    fn rank(&self, row: usize) -> (usize, bool) {
        match self {
            Self::Bitmap(bits) => {
                let Some(&byte) = bits.get(row / 8) else {
                    return (0, false);
                };
                let upto = byte & (u8::MAX >> (7 - row % 8));
                let rank = count_bits(&bits[..row / 8]) + upto.count_ones() as usize;
                (rank, byte >> (row % 8) & 1 == 1)
            }
            Self::EliasFano { lows, high, low_bits } => {
                let bucket = row >> low_bits;
                let low = (row & ((1 << low_bits) - 1)) as u32;
                // Before the bucket's rows lie its number of zeros; the ones among them are the rows before.
                let mut bit = after_zeros(high, bucket);
                let mut index = bit - bucket;
                while high.get(bit / 8).is_some_and(|byte| byte >> (bit % 8) & 1 == 1) {
                    match lows.get(index) {
                        Some(found) if found <= low => {
                            index += 1;
                            bit += 1;
                            if found == low {
                                return (index, true);
                            }
                        }
                        _ => break,
                    }
                }
                (index, false)
            }
        }
    }
}

/// The place after the `zeros`-th zero bit; the end where there are fewer (which a checked set never has).
fn after_zeros(bytes: &[u8], mut zeros: usize) -> usize {
    if zeros == 0 {
        return 0;
    }
    for (index, word) in words(bytes).enumerate() {
        let here = word.count_zeros() as usize;
        if zeros > here {
            zeros -= here;
            continue;
        }
        let mut left = !word;
        for _ in 1..zeros {
            left &= left - 1;
        }
        return 64 * index + left.trailing_zeros() as usize + 1;
    }
    8 * bytes.len()
}

#[derive(Debug, Clone, Copy)]
enum Layout<'a> {
    Constant,
    Packed(Packed<'a>),
    Sparse {
        dominant: usize,
        set: RowSet<'a>,
        codes: Packed<'a>,
    },
    Runs {
        set: RowSet<'a>,
        codes: Packed<'a>,
    },
}

/// A decoded block: checked whole, read in place.
#[derive(Debug, Clone)]
pub struct LedgerBlock<'a> {
    rows: usize,
    dictionary: Vec<u32>,
    layout: Layout<'a>,
    amounts: Vec<(u16, i64)>,
}

impl<'a> LedgerBlock<'a> {
    /// Reads and checks a block.
    pub fn decode(bytes: &'a [u8]) -> Result<Self, FormatError> {
        let mut reader = Reader::new(bytes);
        reader.version(VERSION, "ledger block version")?;
        let flags = reader.u8("ledger block layout")?;
        let at = reader.at();
        let rows = usize::from(reader.u16("ledger block rows")?);
        if rows > ROWS_MAX {
            let expected = Expected::AtMost(ROWS_MAX as u64);
            return Err(FormatError::new("ledger block rows", at, rows as u64, expected));
        }
        let dictionary = decode_dictionary(&mut reader, rows)?;
        let layout = Layout::decode(&mut reader, flags, rows, dictionary.len())?;
        let amounts = if flags & AMOUNTS == 0 {
            Vec::new()
        } else {
            decode_amounts(&mut reader, rows)?
        };
        reader.end("ledger block")?;
        Ok(Self {
            rows,
            dictionary,
            layout,
            amounts,
        })
    }

    /// The number of rows.
    pub const fn rows(&self) -> usize {
        self.rows
    }

    /// The distinct codes, in the order of the segment's own dictionary.
    pub fn dictionary(&self) -> &[u32] {
        &self.dictionary
    }

    /// The code of a row, [`NOT_IN_SCOPE`] included; `None` beyond the last row.
    pub fn code(&self, row: usize) -> Option<u32> {
        if row >= self.rows {
            return None;
        }
        let position = match &self.layout {
            Layout::Constant => 0,
            Layout::Packed(codes) => codes.get(row)? as usize,
            Layout::Sparse { dominant, set, codes } => match set.rank(row) {
                (rank, true) => raise(codes.get(rank - 1)?, *dominant),
                (_, false) => *dominant,
            },
            Layout::Runs { set, codes } => codes.get(set.rank(row).0.checked_sub(1)?)? as usize,
        };
        self.dictionary.get(position).copied()
    }

    /// The codes of all rows, in order.
    pub fn codes(&self) -> impl ExactSizeIterator<Item = u32> + use<> {
        let mut codes = Vec::new();
        self.codes_into(&mut codes);
        codes.into_iter()
    }

    /// Puts the codes of all rows into `out`, whose memory is used again.
    pub fn codes_into(&self, out: &mut Vec<u32>) {
        out.clear();
        match &self.layout {
            Layout::Constant => out.resize(self.rows, self.dictionary.first().copied().unwrap_or_default()),
            Layout::Packed(codes) => {
                codes.unpack_into(out);
                for code in out.iter_mut() {
                    *code = self.dictionary[*code as usize];
                }
            }
            Layout::Sparse { dominant, set, codes } => {
                out.resize(self.rows, self.dictionary[*dominant]);
                let codes = codes.to_vec();
                let mut codes = codes.iter();
                set.for_each(|row| {
                    if let Some(&code) = codes.next() {
                        out[row] = self.dictionary[raise(code, *dominant)];
                    }
                });
            }
            Layout::Runs { set, codes } => {
                let mut code = NOT_IN_SCOPE;
                let codes = codes.to_vec();
                let mut codes = codes.iter();
                set.for_each(|row| {
                    out.resize(row, code);
                    if let Some(&next) = codes.next() {
                        code = self.dictionary[next as usize];
                    }
                });
                out.resize(self.rows, code);
            }
        }
    }

    /// The amount of a row that has one of its own.
    pub fn amount(&self, row: usize) -> Option<i64> {
        let row = u16::try_from(row).ok()?;
        let index = self.amounts.binary_search_by_key(&row, |&(row, _)| row).ok()?;
        Some(self.amounts[index].1)
    }

    /// The rows that have amounts of their own, in ascending order.
    pub fn amounts(&self) -> &[(u16, i64)] {
        &self.amounts
    }
}

/// The position of an exception: those above the dominant one are stored lowered by one.
const fn raise(code: u32, dominant: usize) -> usize {
    code as usize + (code as usize >= dominant) as usize
}

fn decode_dictionary(reader: &mut Reader<'_>, rows: usize) -> Result<Vec<u32>, FormatError> {
    let at = reader.at();
    let distinct = reader.varint_max(rows as u64, "distinct codes")? as usize;
    if distinct == 0 && rows > 0 {
        return Err(FormatError::new("distinct codes", at, 0, Expected::AtLeast(1)));
    }
    let mut dictionary = Vec::with_capacity(distinct.min(reader.remaining()));
    let mut before = 0_u32;
    for _ in 0..distinct {
        let at = reader.at();
        let step = reader.zigzag("outcome code")?;
        before = i64::from(before)
            .checked_add(step)
            .and_then(|code| u32::try_from(code).ok())
            .ok_or_else(|| {
                let expected = Expected::Words("a step to a code of 32 bits");
                FormatError::new("outcome code", at, step as u64, expected)
            })?;
        dictionary.push(before);
    }
    Ok(dictionary)
}

fn decode_amounts(reader: &mut Reader<'_>, rows: usize) -> Result<Vec<(u16, i64)>, FormatError> {
    let at = reader.at();
    let count = reader.varint_max(rows as u64, "amount count")? as usize;
    if count == 0 {
        return Err(FormatError::new("amount count", at, 0, Expected::AtLeast(1)));
    }
    let mut amounts = Vec::with_capacity(count.min(reader.remaining()));
    let mut next = 0;
    for _ in 0..count {
        let at = reader.at();
        let row = reader.varint_max(ROWS_MAX as u64, "row of an amount")? as usize + next;
        if row >= rows {
            let expected = Expected::AtMost(rows as u64 - 1);
            return Err(FormatError::new("row of an amount", at, row as u64, expected));
        }
        amounts.push((row as u16, reader.zigzag("amount")?));
        next = row + 1;
    }
    Ok(amounts)
}

impl<'a> Layout<'a> {
    fn decode(reader: &mut Reader<'a>, flags: u8, rows: usize, distinct: usize) -> Result<Self, FormatError> {
        let layout = flags & LAYOUT_MASK;
        let wrong = || {
            let expected = Expected::Words("a layout that fits the number of distinct codes");
            Err(FormatError::new(
                "ledger block layout",
                1,
                u64::from(flags),
                expected,
            ))
        };
        if flags & !(LAYOUT_MASK | AMOUNTS) != 0 || (layout == CONSTANT) != (distinct <= 1) {
            return wrong();
        }
        if layout == CONSTANT {
            return Ok(Self::Constant);
        }
        let width = bits_for(distinct as u32 - 1);
        match layout {
            PACKED => Ok(Self::Packed(decode_codes(reader, rows, width, distinct)?)),
            SPARSE => {
                let at = reader.at();
                let dominant = usize::from(reader.u16("dominant code")?);
                if dominant >= distinct {
                    let expected = Expected::AtMost(distinct as u64 - 1);
                    return Err(FormatError::new("dominant code", at, dominant as u64, expected));
                }
                let (set, count) = RowSet::decode(reader, rows)?;
                let codes = decode_codes(reader, count, bits_for(distinct as u32 - 2), distinct - 1)?;
                Ok(Self::Sparse { dominant, set, codes })
            }
            RUNS => {
                let at = reader.at();
                let (set, count) = RowSet::decode(reader, rows)?;
                if set.rank(0) != (1, true) {
                    let expected = Expected::Words("a run that begins at row 0");
                    return Err(FormatError::new("runs", at, count as u64, expected));
                }
                let codes = decode_codes(reader, count, width, distinct)?;
                Ok(Self::Runs { set, codes })
            }
            _ => wrong(),
        }
    }
}

/// Packed positions in a dictionary, checked to be below `distinct`.
fn decode_codes<'a>(
    reader: &mut Reader<'a>,
    count: usize,
    width: u8,
    distinct: usize,
) -> Result<Packed<'a>, FormatError> {
    let at = reader.at();
    let codes = reader.packed(count, width, "positions of codes")?;
    if distinct < 1 << width {
        let greatest = codes.to_vec().into_iter().fold(0, u32::max);
        if greatest as usize >= distinct {
            let expected = Expected::AtMost(distinct as u64 - 1);
            return Err(FormatError::new(
                "position of a code",
                at,
                u64::from(greatest),
                expected,
            ));
        }
    }
    Ok(codes)
}

#[cfg(test)]
#[path = "ledger_tests.rs"]
mod tests;
