//! The block against a second decoder, which reads bit by bit after the layout in the module's documentation.

use proptest::prelude::*;

use super::*;

struct Bits<'a>(&'a [u8], usize);

impl<'a> Bits<'a> {
    fn take(&mut self, bytes: usize) -> Option<&'a [u8]> {
        let taken = self.0.get(self.1..self.1 + bytes)?;
        self.1 += bytes;
        Some(taken)
    }

    fn number(&mut self, bytes: usize) -> Option<usize> {
        Some(
            self.take(bytes)?
                .iter()
                .rev()
                .fold(0, |sum, &byte| sum << 8 | usize::from(byte)),
        )
    }

    fn varint(&mut self) -> Option<u64> {
        let mut value = 0_u128;
        for place in 0.. {
            let byte = self.number(1)? as u8;
            value |= u128::from(byte & 127) << (7 * place);
            if place == 10 || value > u128::from(u64::MAX) {
                return None;
            }
            if byte < 128 {
                return (byte > 0 || place == 0).then_some(value as u64);
            }
        }
        None
    }

    fn zigzag(&mut self) -> Option<i64> {
        let value = self.varint()?;
        let half = (value / 2) as i64;
        Some(if value % 2 == 0 { half } else { -half - 1 })
    }

    fn bits(&mut self, count: usize) -> Option<Vec<bool>> {
        let bytes = self.take(count.div_ceil(8))?;
        let all: Vec<bool> = bytes
            .iter()
            .flat_map(|byte| (0..8).map(move |i| byte >> i & 1 == 1))
            .collect();
        all[count..].iter().all(|bit| !bit).then(|| all[..count].to_vec())
    }

    fn packed(&mut self, count: usize, width: usize) -> Option<Vec<usize>> {
        let bits = self.bits(count * width)?;
        let value = |i: usize| (0..width).map(|b| usize::from(bits[i * width + b]) << b).sum();
        Some((0..count).map(value).collect())
    }

    fn set(&mut self, rows: usize) -> Option<Vec<usize>> {
        let count = self.number(2)?;
        let form = self.number(1)?;
        let set: Vec<usize> = match (count, form) {
            (0, 0) => Vec::new(),
            (1.., 255) => {
                let bits = self.bits(rows)?;
                (0..rows).filter(|&row| bits[row]).collect()
            }
            (1.., 0..=12) if count <= rows => {
                let lows = self.packed(count, form)?;
                let high = self.bits(count + ((rows - 1) >> form))?;
                let ones: Vec<usize> = (0..high.len()).filter(|&bit| high[bit]).collect();
                if ones.len() != count {
                    return None;
                }
                (0..count).map(|i| ((ones[i] - i) << form) + lows[i]).collect()
            }
            _ => return None,
        };
        let good = set.len() == count && set.is_sorted_by(|a, b| a < b) && set.iter().all(|&row| row < rows);
        good.then_some(set)
    }
}

fn width(max: usize) -> usize {
    (0..32).find(|&width| max < 1 << width).unwrap()
}

type Decoded = (Vec<u32>, Vec<(u16, i64)>);

fn naive(bytes: &[u8]) -> Option<Decoded> {
    let mut bits = Bits(bytes, 0);
    let (version, flags, rows) = (bits.number(1)?, bits.number(1)?, bits.number(2)?);
    let distinct = usize::try_from(bits.varint()?).ok()?;
    if version != 1 || rows > 4096 || distinct > rows || (distinct == 0 && rows > 0) || flags & 0x78 != 0 {
        return None;
    }
    let mut dictionary = Vec::new();
    let mut code = 0_i128;
    for _ in 0..distinct {
        code += i128::from(bits.zigzag()?);
        dictionary.push(u32::try_from(code).ok()?);
    }
    let positions = match (flags & 7, distinct) {
        (0, 0..=1) => vec![0; rows],
        (1, 2..) => bits.packed(rows, width(distinct - 1))?,
        (2, 2..) => {
            let dominant = bits.number(2)?;
            let set = bits.set(rows)?;
            let codes = bits.packed(set.len(), width(distinct - 2))?;
            if dominant >= distinct || codes.iter().any(|&code| code + 1 >= distinct) {
                return None;
            }
            let mut all = vec![dominant; rows];
            for (row, code) in set.into_iter().zip(codes) {
                all[row] = if code < dominant { code } else { code + 1 };
            }
            all
        }
        (3, 2..) => {
            let set = bits.set(rows)?;
            if set.first() != Some(&0) {
                return None;
            }
            let codes = bits.packed(set.len(), width(distinct - 1))?;
            (0..rows)
                .map(|row| codes[set.iter().filter(|&&start| start <= row).count() - 1])
                .collect()
        }
        _ => return None,
    };
    let codes = positions
        .iter()
        .map(|&position| dictionary.get(position).copied())
        .collect::<Option<_>>()?;
    let mut amounts = Vec::new();
    if flags & 0x80 != 0 {
        let count = bits.varint()?;
        if count == 0 || count > rows as u64 {
            return None;
        }
        let mut next = 0;
        for _ in 0..count {
            let row = bits.varint()?.checked_add(next)?;
            if row >= rows as u64 {
                return None;
            }
            amounts.push((row as u16, bits.zigzag()?));
            next = row + 1;
        }
    }
    (bits.1 == bytes.len()).then_some((codes, amounts))
}

/// Both decoders accept or reject alike, and read alike in every way there is.
fn agree(bytes: &[u8]) -> Option<Decoded> {
    let second = naive(bytes);
    match LedgerBlock::decode(bytes) {
        Err(error) => assert_eq!(second, None, "{error}"),
        Ok(block) => {
            let (codes, amounts) = second.clone().expect("the second decoder accepts it too");
            assert_eq!(block.rows(), codes.len());
            assert_eq!(block.codes().collect::<Vec<_>>(), codes);
            for (row, &code) in codes.iter().enumerate() {
                assert_eq!(block.code(row), Some(code), "row {row}");
                let amount = amounts.iter().find(|&&(of, _)| usize::from(of) == row);
                assert_eq!(block.amount(row), amount.map(|&(_, amount)| amount), "row {row}");
            }
            assert_eq!(block.amounts(), amounts);
            assert_eq!((block.code(codes.len()), block.amount(codes.len())), (None, None));
        }
    }
    second
}

fn encode(codes: &[u32], amounts: &[(u16, i64)]) -> Vec<u8> {
    let mut dictionary = Vec::new();
    let local: Vec<u16> = codes
        .iter()
        .map(|code| {
            let known = dictionary.iter().position(|known| known == code);
            known.unwrap_or_else(|| {
                dictionary.push(*code);
                dictionary.len() - 1
            }) as u16
        })
        .collect();
    LedgerBody::assemble(
        &LedgerBody::encode(&local, dictionary.len(), amounts),
        &dictionary,
    )
}

/// Rows of the shapes that runs give: mostly one code, runs of households, noise, few or many distinct codes.
fn rows() -> impl Strategy<Value = Vec<u32>> {
    let shape = (1_usize..400, 1_u32..40, 0_u32..100, 1_usize..20, any::<u64>());
    shape.prop_map(|(len, distinct, other_percent, run_max, seed)| {
        let mut state = seed | 1;
        let mut random = move |below: u64| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) % below
        };
        let mut codes = Vec::new();
        while codes.len() < len {
            let other = random(100) < u64::from(other_percent);
            let code = if other {
                random(u64::from(distinct)) as u32 * 97
            } else {
                0
            };
            let run = random(run_max as u64) as usize + 1;
            codes.resize((codes.len() + run).min(len), code);
        }
        codes
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn blocks_come_back(codes in rows(), amounts in prop::collection::btree_map(0_u16..50, any::<i64>(), 0..5)) {
        let amounts: Vec<_> = amounts.into_iter().filter(|&(row, _)| usize::from(row) < codes.len()).collect();
        let decoded = agree(&encode(&codes, &amounts));
        prop_assert_eq!(decoded, Some((codes, amounts)));
    }

    #[test]
    fn damaged_blocks_are_refused_by_both_or_read_alike(
        codes in rows(), at in any::<prop::sample::Index>(), value: u8, cut in any::<prop::sample::Index>(),
    ) {
        let mut bytes = encode(&codes, &[(0, -5)]);
        let cut = cut.index(bytes.len());
        prop_assert_eq!(agree(&bytes[..cut]), None);
        let at = at.index(bytes.len());
        bytes[at] = value;
        agree(&bytes);
        for bit in 0..8 {
            bytes[at] ^= 1 << bit;
            agree(&bytes);
        }
    }

    #[test]
    fn any_bytes_are_refused_by_both_or_read_alike(
        layout in 0_u8..5, rows in 0_u16..40, tail in prop::collection::vec(any::<u8>(), 0..60),
        distinct in 0_u8..6,
    ) {
        let mut bytes = vec![1, layout];
        bytes.put_u16(rows);
        bytes.push(distinct);
        bytes.extend(tail);
        agree(&bytes);
    }
}

#[test]
fn the_smallest_layout_is_taken() {
    let layout = |codes: &[u32]| {
        let bytes = encode(codes, &[]);
        assert_eq!(agree(&bytes).unwrap().0, codes);
        (bytes[1], bytes.len())
    };
    assert_eq!(layout(&[]), (CONSTANT, 5));
    assert_eq!(layout(&[9; 4096]), (CONSTANT, 6));
    let noise: Vec<u32> = (0..1000_u32)
        .map(|row| row.wrapping_mul(2_654_435_761) >> 28)
        .collect();
    assert_eq!(layout(&noise).0, PACKED);
    let sparse: Vec<u32> = (0..1000)
        .map(|row| if row % 11 == 3 { row % 7 + 1 } else { 0 })
        .collect();
    assert_eq!(layout(&sparse).0, SPARSE);
    let halves: Vec<u32> = (0..1000).map(|row| row / 300).collect();
    assert_eq!(layout(&halves).0, RUNS);
    let all_distinct: Vec<u32> = (0..4096).map(|row| row * 3).collect();
    assert_eq!(layout(&all_distinct).0, PACKED);
    let extremes = [u32::MAX, 0, u32::MAX - 1, 1];
    assert_eq!(layout(&extremes).0, PACKED);
}

#[test]
fn rows_that_exceed_the_limit_are_refused() {
    let mut bytes = encode(&[7; 4096], &[]);
    bytes[2..4].copy_from_slice(&4097_u16.to_le_bytes());
    let error = LedgerBlock::decode(&bytes).unwrap_err();
    assert_eq!(
        (error.at, error.found, error.expected),
        (2, 4097, Expected::AtMost(4096))
    );
}
