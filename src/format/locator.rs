//! Locators: where a person's row is; and keys of segments.
//!
//! ```text
//! segment key   u32     unit << 16 | index          segments of a unit are neighbours, in order of their index
//! locator       u40     unit << 24 | index << 12 | row        0 is no locator: there is no unit 0
//!
//! block: the locators of the persons 3192*b .. 3192*b + 3191, b being the key
//! 0  form u8
//! 1  facts u8           1 if it is said who has facts, otherwise 0
//! 2  persons P u16      at most 3192: those after them have none
//! 4  form 0 (each):     P locators of 5 bytes
//!    form 1 (runs):     runs R u16, from 1 to P where P is not 0; R × u16 first place of the run, from 0, ascending;
//!                       R × u40 locator of the first place. The others of a run have the rows that follow, and
//!                       where the first has none, none
//!    if facts is 1:     a bit for each person, lowest first: set if any fact was ever recorded of them
//! ```
//!
//! People who are entered together lie in rows that follow each other, so a run stands for hundreds of them, and one
//! person is found by a binary search. The writer takes the shorter form. Most people have no facts beyond their row, and
//! are read without a search for any.

use super::bytes::{Reader, Writer};
use super::error::{Expected, FormatError};

/// The greatest number of rows in a segment.
pub const SEGMENT_ROWS_MAX: usize = 1_100;
/// The greatest number of segments of one unit.
pub const UNIT_SEGMENTS_MAX: usize = 1 << 12;
/// The persons of a block.
pub const BLOCK_LOCATORS: usize = 3_192;
const LOCATOR_BYTES: usize = 5;
const HEAD_BYTES: usize = 4;
const FACTS_AT: usize = 1;
const RUN_COUNT_BYTES: usize = 2;
const PLACE_BYTES: usize = 2;
const FORM_EACH: u8 = 0;
const FORM_RUNS: u8 = 1;
const ROW_MAX: u64 = 0xfff;

const _: () = assert!(SEGMENT_ROWS_MAX <= 1 << 12);
// Four pages with a fixed key of 4 bytes hold 4 * 4096 - 8 - 4 bytes, and a block without runs fits them.
const _: () =
    assert!(HEAD_BYTES + BLOCK_LOCATORS * LOCATOR_BYTES + BLOCK_LOCATORS.div_ceil(8) <= 4 * 4096 - 12);

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

/// Where a person's first row is, and whether there is more to know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Located {
    /// The row.
    pub at: Locator,
    /// Whether any fact was ever recorded of the person.
    pub has_facts: bool,
}

/// A block read in place: its parts.
struct Parts<'a> {
    persons: usize,
    form: Form<'a>,
    /// A bit for each person, if there are any.
    facts: Option<&'a [u8]>,
}

enum Form<'a> {
    /// A locator for each person.
    Each(&'a [u8]),
    /// First places of runs, and locators of the first places.
    Runs(&'a [u8], &'a [u8]),
}

fn parts(block: &[u8]) -> Result<Parts<'_>, FormatError> {
    let mut reader = Reader::new(block);
    let mut bounded = |what, max: usize, bytes| {
        let at = reader.at();
        let found = if bytes == 1 {
            u16::from(reader.u8(what)?)
        } else {
            reader.u16(what)?
        };
        if usize::from(found) > max {
            let expected = Expected::AtMost(max as u64);
            return Err(FormatError::new(what, at, u64::from(found), expected));
        }
        Ok(usize::from(found))
    };
    let form = bounded("locator block form", usize::from(FORM_RUNS), 1)?;
    let with_facts = bounded("whether it is said who has facts", 1, 1)? == 1;
    let persons = bounded("persons of a locator block", BLOCK_LOCATORS, 2)?;
    let form = if form == usize::from(FORM_EACH) {
        Form::Each(reader.slice(persons * LOCATOR_BYTES, "locators")?)
    } else {
        let runs = usize::from(reader.u16("runs of locators")?);
        if runs > persons || (runs == 0 && persons > 0) {
            let expected = Expected::Words("from 1 to as many as there are persons");
            return Err(FormatError::new(
                "runs of locators",
                HEAD_BYTES,
                runs as u64,
                expected,
            ));
        }
        let places = reader.slice(runs * PLACE_BYTES, "places of runs")?;
        Form::Runs(places, reader.slice(runs * LOCATOR_BYTES, "locators of runs")?)
    };
    let at = reader.at();
    let facts = with_facts
        .then(|| reader.slice(persons.div_ceil(8), "persons with facts"))
        .transpose()?;
    if let Some(&last) = facts.and_then(<[u8]>::last)
        && !persons.is_multiple_of(8)
        && last >> (persons % 8) != 0
    {
        let expected = Expected::Words("no bit beyond the last person");
        return Err(FormatError::new(
            "persons with facts",
            at,
            u64::from(last),
            expected,
        ));
    }
    reader.end("locator block")?;
    Ok(Parts { persons, form, facts })
}

fn place_at(places: &[u8], run: usize) -> usize {
    let bytes = &places[run * PLACE_BYTES..][..PLACE_BYTES];
    usize::from(u16::from_le_bytes([bytes[0], bytes[1]]))
}

fn packed_at(locators: &[u8], at: usize) -> u64 {
    let mut wide = [0; 8];
    wide[..LOCATOR_BYTES].copy_from_slice(&locators[at * LOCATOR_BYTES..][..LOCATOR_BYTES]);
    u64::from_le_bytes(wide)
}

/// The packed locator so many places after the first of a run.
fn packed_in_run(first: u64, after: usize) -> Result<u64, FormatError> {
    if first == 0 {
        return Ok(0);
    }
    if (first & ROW_MAX) + after as u64 > ROW_MAX {
        let expected = Expected::Words("a run that stays in its segment");
        return Err(FormatError::new(
            "run of locators",
            HEAD_BYTES,
            after as u64,
            expected,
        ));
    }
    Ok(first + after as u64)
}

fn unpacked(packed: u64) -> Result<Option<Locator>, FormatError> {
    match Locator::from_packed(packed) {
        None if packed != 0 => {
            let expected = Expected::Words("a locator of a unit from 1 on, or 0");
            Err(FormatError::new("locator", HEAD_BYTES, packed, expected))
        }
        found => Ok(found),
    }
}

/// The locator at a place of a block, read in place; `None` where none is set or the block has fewer persons.
pub fn get(block: &[u8], place: usize) -> Result<Option<Located>, FormatError> {
    let Parts { persons, form, facts } = parts(block)?;
    if place >= persons {
        return Ok(None);
    }
    let packed = match form {
        Form::Each(locators) => packed_at(locators, place),
        Form::Runs(places, locators) => {
            let (mut low, mut high) = (0, places.len() / PLACE_BYTES);
            while low < high {
                let middle = low.midpoint(high);
                if place_at(places, middle) <= place {
                    low = middle + 1;
                } else {
                    high = middle;
                }
            }
            let Some(run) = low.checked_sub(1) else {
                return Err(not_from_0(places));
            };
            packed_in_run(packed_at(locators, run), place - place_at(places, run))?
        }
    };
    let has_facts = facts.is_some_and(|bits| bits[place / 8] >> (place % 8) & 1 != 0);
    Ok(unpacked(packed)?.map(|at| Located { at, has_facts }))
}

/// Remembers that the person at a place of a block has facts, without reading the rest. False if that was known, or if the
/// block has fewer persons.
pub fn mark_facts(block: &mut Vec<u8>, place: usize) -> Result<bool, FormatError> {
    let Parts { persons, facts, .. } = parts(block)?;
    if place >= persons {
        return Ok(false);
    }
    let bytes = persons.div_ceil(8);
    if facts.is_none() {
        block[FACTS_AT] = 1;
        block.resize(block.len() + bytes, 0);
    }
    let at = block.len() - bytes + place / 8;
    let (bits, bit) = (&mut block[at], 1 << (place % 8));
    let is_new = *bits & bit == 0;
    *bits |= bit;
    Ok(is_new)
}

fn not_from_0(places: &[u8]) -> FormatError {
    let expected = Expected::Exactly(0);
    FormatError::new(
        "place of a run",
        HEAD_BYTES + RUN_COUNT_BYTES,
        place_at(places, 0) as u64,
        expected,
    )
}

/// The locators of a block, to be changed or added to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LocatorBlock {
    /// Packed, 0 for none.
    locators: Vec<u64>,
    /// A bit for each person who has facts, as many bytes as are needed.
    facts: Vec<u8>,
}

impl LocatorBlock {
    /// The block that these bytes hold.
    pub fn decode(block: &[u8]) -> Result<Self, FormatError> {
        let Parts { persons, form, facts } = parts(block)?;
        let mut packed = Vec::with_capacity(persons);
        match form {
            Form::Each(locators) => packed.extend((0..persons).map(|place| packed_at(locators, place))),
            Form::Runs(places, locators) => {
                let runs = places.len() / PLACE_BYTES;
                if runs > 0 && place_at(places, 0) != 0 {
                    return Err(not_from_0(places));
                }
                for run in 0..runs {
                    let begins = place_at(places, run);
                    let ends = if run + 1 < runs {
                        place_at(places, run + 1)
                    } else {
                        persons
                    };
                    if ends <= begins || ends > persons {
                        let expected = Expected::Words("places of persons, ascending");
                        let at = HEAD_BYTES + RUN_COUNT_BYTES + run * PLACE_BYTES;
                        return Err(FormatError::new("place of a run", at, begins as u64, expected));
                    }
                    let first = packed_at(locators, run);
                    for after in 0..ends - begins {
                        packed.push(packed_in_run(first, after)?);
                    }
                }
            }
        }
        for &locator in &packed {
            unpacked(locator)?;
        }
        let mut facts = facts.map_or_else(Vec::new, <[u8]>::to_vec);
        facts.truncate(
            facts
                .iter()
                .rposition(|&bits| bits != 0)
                .map_or(0, |last| last + 1),
        );
        Ok(Self {
            locators: packed,
            facts,
        })
    }

    /// Whether no place was ever set.
    pub const fn is_empty(&self) -> bool {
        self.locators.is_empty()
    }

    /// Sets the locator at a place, below [`BLOCK_LOCATORS`].
    pub fn set(&mut self, place: usize, locator: Locator) {
        debug_assert!(place < BLOCK_LOCATORS);
        if self.locators.len() <= place {
            self.locators.resize(place + 1, 0);
        }
        self.locators[place] = locator.packed();
    }

    /// Remembers that the person at a place, which is set, has facts. False if that was known.
    pub fn mark_facts(&mut self, place: usize) -> bool {
        if place >= self.locators.len() {
            return false;
        }
        if self.facts.len() <= place / 8 {
            self.facts.resize(place / 8 + 1, 0);
        }
        let (bits, bit) = (&mut self.facts[place / 8], 1 << (place % 8));
        let is_new = *bits & bit == 0;
        *bits |= bit;
        is_new
    }

    /// The bytes of the block.
    pub fn encode(&self) -> Vec<u8> {
        let persons = self.locators.len();
        let begins: Vec<usize> = (0..persons).filter(|&place| !self.goes_on(place)).collect();
        let runs_bytes = RUN_COUNT_BYTES + begins.len() * (PLACE_BYTES + LOCATOR_BYTES);
        let in_runs = runs_bytes < persons * LOCATOR_BYTES;
        let mut out = Vec::with_capacity(HEAD_BYTES + runs_bytes.min(persons * LOCATOR_BYTES));
        out.put_u8(if in_runs { FORM_RUNS } else { FORM_EACH });
        out.put_u8(u8::from(!self.facts.is_empty()));
        out.put_u16(persons as u16);
        if in_runs {
            out.put_u16(begins.len() as u16);
            for &place in &begins {
                out.put_u16(place as u16);
            }
            for &place in &begins {
                out.put_u40(self.locators[place]);
            }
        } else {
            for &locator in &self.locators {
                out.put_u40(locator);
            }
        }
        if !self.facts.is_empty() {
            out.extend_from_slice(&self.facts);
            out.resize(out.len() + persons.div_ceil(8) - self.facts.len(), 0);
        }
        out
    }

    /// Whether the locator at a place follows from the one before.
    fn goes_on(&self, place: usize) -> bool {
        let here = self.locators[place];
        let before = place.checked_sub(1).map(|before| self.locators[before]);
        match before {
            Some(0) => here == 0,
            Some(before) => here == before + 1 && before & ROW_MAX != ROW_MAX,
            None => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(unit: u16, index: u16, row: u16) -> Locator {
        Locator {
            segment: SegmentKey::new(unit, index),
            row,
        }
    }

    fn row(block: &[u8], place: usize) -> Option<Locator> {
        get(block, place).unwrap().map(|found| found.at)
    }

    #[test]
    fn locators_come_back() {
        let mut block = LocatorBlock::default();
        assert!(block.is_empty());
        assert_eq!(block.encode().len(), HEAD_BYTES);
        let locator = at(3321, 4095, 999);
        block.set(BLOCK_LOCATORS - 1, locator);
        let bytes = block.encode();
        assert!(bytes.len() < 30, "{}", bytes.len());
        assert_eq!(row(&bytes, BLOCK_LOCATORS - 1), Some(locator));
        assert_eq!(get(&bytes, 0), Ok(None));
        assert_eq!(get(&bytes, BLOCK_LOCATORS), Ok(None));
        assert!(get(&[1, 2], 0).is_err());
        assert_eq!(place_of(BLOCK_LOCATORS as u32), (1, 0));
    }

    #[test]
    fn a_run_takes_seven_bytes_and_no_runs_five_a_person() {
        let mut block = LocatorBlock::default();
        for place in 0..BLOCK_LOCATORS {
            block.set(place, at(7, (place / 900) as u16, (place % 900) as u16));
        }
        assert_eq!(block.encode().len(), HEAD_BYTES + 2 + 4 * 7);
        for place in 0..BLOCK_LOCATORS {
            block.set(place, at(place as u16 + 1, 0, 5));
        }
        assert_eq!(block.encode().len(), HEAD_BYTES + BLOCK_LOCATORS * 5);
        assert!(block.mark_facts(7) && !block.mark_facts(7) && !block.mark_facts(BLOCK_LOCATORS));
        assert_eq!(
            block.encode().len(),
            HEAD_BYTES + BLOCK_LOCATORS * 5 + BLOCK_LOCATORS / 8
        );
    }

    #[test]
    fn a_run_does_not_go_on_in_the_next_segment() {
        let mut block = LocatorBlock::default();
        block.set(0, Locator::from_packed(7 << 24 | 0xfff).unwrap());
        block.set(1, Locator::from_packed(7 << 24 | 0x1000).unwrap());
        let bytes = block.encode();
        assert_eq!(LocatorBlock::decode(&bytes).unwrap(), block);
        assert_eq!(row(&bytes, 1), Some(at(7, 1, 0)));
    }

    fn locators() -> impl Strategy<Value = Vec<(u16, u16, u16)>> {
        prop::collection::vec((0_u16..4, 0_u16..3, 0_u16..990), 0..40)
    }

    proptest! {
        #[test]
        fn a_block_gives_what_was_set(runs in locators(), lengths in prop::collection::vec(1_usize..9, 40)) {
            let mut block = LocatorBlock::default();
            let mut expected: Vec<Option<Located>> = Vec::new();
            for (&(unit, index, row), &length) in runs.iter().zip(&lengths) {
                for row in (row..).take(length) {
                    let locator = (unit != 0).then(|| at(unit, index, row));
                    let place = expected.len();
                    let located = locator.map(|at| {
                        block.set(place, at);
                        let has_facts = at.row % 5 == length as u16 % 5 && block.mark_facts(place);
                        Located { at, has_facts }
                    });
                    expected.push(located);
                }
            }
            let bytes = block.encode();
            for place in (0..expected.len()).step_by(7) {
                let (mut in_place, mut decoded) = (bytes.clone(), block.clone());
                let is_new = mark_facts(&mut in_place, place).unwrap();
                if place < block.locators.len() {
                    prop_assert_eq!(decoded.mark_facts(place), is_new);
                    prop_assert_eq!(decoded.encode(), in_place);
                } else {
                    prop_assert!(!is_new && in_place == bytes);
                }
            }
            prop_assert_eq!(&LocatorBlock::decode(&bytes).unwrap(), &block);
            prop_assert_eq!(LocatorBlock::decode(&bytes).unwrap().encode(), bytes.clone());
            for (place, &located) in expected.iter().enumerate() {
                prop_assert_eq!(get(&bytes, place).unwrap(), located);
            }
            prop_assert_eq!(get(&bytes, expected.len()).unwrap(), None);
        }

        #[test]
        fn damage_never_panics(changes in prop::collection::vec((0_usize..200, any::<u8>()), 1..4), cut in 0_usize..200) {
            let mut block = LocatorBlock::default();
            for place in 0..60 {
                block.set(place, at(1, 0, (place * place / 9) as u16));
            }
            block.mark_facts(11);
            let mut bytes = block.encode();
            let len = bytes.len();
            for (at, byte) in changes {
                bytes[at % len] = byte;
            }
            bytes.truncate(len.saturating_sub(cut.saturating_sub(150)));
            let decoded = LocatorBlock::decode(&bytes);
            for place in 0..70 {
                let found = get(&bytes, place);
                if let Ok(block) = &decoded {
                    let packed = block.locators.get(place).copied().unwrap_or(0);
                    prop_assert_eq!(found.unwrap().map(|found| found.at), Locator::from_packed(packed));
                }
            }
        }
    }
}
