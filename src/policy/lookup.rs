//! Lookup tables: printed rates, kept as CSV beside the pack.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::dates::{Dates, in_force};
use super::expr::range::{Bound, Fault, Range};
use super::parameter::{Confidence, Unit};
use crate::types::{Date, Decimal, Month};

/// The greatest number of rows of a lookup table, all editions together.
pub const TABLE_ROWS_MAX: usize = 100_000;
/// The greatest number of columns by which a row of a lookup table is found.
pub const TABLE_KEYS_MAX: usize = 6;

/// A column by which a row is found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyColumn {
    /// Its name.
    pub name: String,
    /// The words that stand in it; `None` if it holds whole numbers.
    pub words: Option<Vec<String>>,
}

/// An edition of a table: the rows of one decree, and when they hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edition {
    /// What stands in the column that tells the editions apart.
    pub rows: String,
    /// When it applies, and since when it is known.
    pub dates: Dates,
    /// The legal source.
    pub source: String,
    /// How well it is sourced.
    pub confidence: Confidence,
    pub(crate) values: Arc<Rows>,
}

/// The values of an edition, by what stands in the key columns; a word is its place among the words of its column.
pub(crate) type Rows = BTreeMap<Vec<i64>, Decimal>;

/// A lookup table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LookupTable {
    /// The name; expressions write `table.` before it.
    pub name: String,
    /// The title in Vietnamese.
    pub title_vi: String,
    /// The title in English.
    pub title_en: String,
    /// What its values measure.
    pub unit: Unit,
    /// The file, beside the pack.
    pub file: String,
    /// The columns by which a row is found, in the order of the arguments.
    pub keys: Vec<KeyColumn>,
    /// Its editions.
    pub editions: Vec<Edition>,
}

impl LookupTable {
    /// The edition for a month, as the law was known on a day.
    pub fn edition_for(&self, month: Month, law_known_on: Date) -> Option<&Edition> {
        let all = self.editions.iter().map(|edition| edition.dates);
        in_force(all, month, law_known_on).map(|place| &self.editions[place])
    }

    /// A row as expressions write it, for example `table.merit(martyr_1)`.
    pub(crate) fn written(&self, row: &[i64]) -> String {
        let keys: Vec<String> = self
            .keys
            .iter()
            .zip(row)
            .map(|(column, &key)| match &column.words {
                Some(words) => usize::try_from(key)
                    .ok()
                    .and_then(|at| words.get(at))
                    .map_or_else(|| key.to_string(), Clone::clone),
                None => key.to_string(),
            })
            .collect();
        format!("table.{}({})", self.name, keys.join(", "))
    }
}

/// What is asked of a key column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Asked {
    Exactly(i64),
    Within(i64, i64),
    /// One of these, or something that stands in no row.
    OneOf {
        keys: Vec<i64>,
        or_none: bool,
    },
}

impl Asked {
    pub const fn exactly(&self) -> Option<i64> {
        match self {
            Self::Exactly(key) => Some(*key),
            _ => None,
        }
    }

    fn admits(&self, key: i64) -> bool {
        match self {
            Self::Exactly(asked) => *asked == key,
            Self::Within(min, max) => (*min..=*max).contains(&key),
            Self::OneOf { keys, .. } => keys.contains(&key),
        }
    }

    /// How many keys it may be; `None` if it may be one that stands in no row.
    fn count(&self) -> Option<u128> {
        match self {
            Self::Exactly(_) => Some(1),
            Self::Within(min, max) => u128::try_from(i128::from(*max) - i128::from(*min) + 1).ok(),
            Self::OneOf { keys, or_none } => (!or_none).then_some(keys.len() as u128),
        }
    }
}

/// What a lookup may come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Possible {
    pub range: Range,
    /// Whether what is asked for may be no row at all.
    pub may_be_missing: bool,
}

/// The value of a row. While a key is not known, every row that it may be is possible.
pub(crate) fn find(rows: &Rows, asked: &[Asked]) -> Result<Possible, Fault> {
    let exact: Option<Vec<i64>> = asked.iter().map(Asked::exactly).collect();
    if let Some(key) = exact {
        let value = rows.get(&key).copied().ok_or(Fault::NoRow)?;
        return Ok(Possible {
            range: Range::exact(value),
            may_be_missing: false,
        });
    }
    let possible = rows
        .iter()
        .filter(|(row, _)| row.iter().zip(asked).all(|(&key, asked)| asked.admits(key)))
        .map(|(_, value)| Bound::At(*value));
    let (min, max) = (possible.clone().min(), possible.clone().max());
    let (Some(min), Some(max)) = (min, max) else {
        return Err(Fault::NoRow);
    };
    let combinations = asked
        .iter()
        .try_fold(1_u128, |product, asked| product.checked_mul(asked.count()?));
    Ok(Possible {
        range: Range { min, max },
        may_be_missing: combinations != Some(possible.count() as u128),
    })
}
