//! Resolution: which record of a fact holds in a month, as known at a sequence.

use super::catalogue::OnExpiry;
use super::state::{Content, FactRecord};
use crate::types::{AttributeNumber, Month, Sequence, Value};

/// The records of one subject, by attribute, valid-from month and sequence.
#[derive(Debug, Clone, Default)]
pub(crate) struct Records(Vec<FactRecord>);

impl Records {
    /// Records in any order.
    pub(crate) fn new(mut records: Vec<FactRecord>) -> Self {
        let key = |record: &FactRecord| (record.attribute, record.from, record.recorded);
        if !records.is_sorted_by_key(key) {
            records.sort_by_key(key);
        }
        Self(records)
    }

    /// Adds a record, or puts it in the place of the one of the same attribute, month and sequence.
    pub(crate) fn put(&mut self, record: FactRecord) {
        let key = |record: &FactRecord| (record.attribute, record.from, record.recorded);
        match self.0.binary_search_by_key(&key(&record), key) {
            Ok(at) => self.0[at] = record,
            Err(at) => self.0.insert(at, record),
        }
    }

    /// All of them, in order.
    pub(crate) fn all(&self) -> &[FactRecord] {
        &self.0
    }

    /// Those of one attribute.
    pub(crate) fn of(&self, attribute: AttributeNumber) -> &[FactRecord] {
        let start = self.0.partition_point(|record| record.attribute < attribute);
        let rest = &self.0[start..];
        &rest[..rest.partition_point(|record| record.attribute == attribute)]
    }

    /// The attributes that have records, each with its own.
    pub(crate) fn by_attribute(&self) -> impl Iterator<Item = (AttributeNumber, &[FactRecord])> {
        self.0
            .chunk_by(|a, b| a.attribute == b.attribute)
            .filter_map(|records| records.first().map(|first| (first.attribute, records)))
    }

    /// The months in which an answer can change, as known now.
    pub(crate) fn boundaries(&self) -> impl Iterator<Item = Month> + '_ {
        self.0.iter().flat_map(|record| {
            let after = match &record.content {
                Content::Value {
                    until: Some(last), ..
                } => Some(last.next()),
                _ => None,
            };
            [Some(record.from), after].into_iter().flatten()
        })
    }

    /// The sequence of the last record.
    pub(crate) fn newest(&self) -> Sequence {
        self.0
            .iter()
            .map(|record| record.recorded)
            .max()
            .unwrap_or(Sequence::ZERO)
    }
}

/// Of the records of one attribute, the one that decides in `month` as known at `known`: of those with the
/// greatest valid-from month not after it, the one recorded last; where that one is a retraction, the month
/// before decides.
pub(crate) fn deciding(records: &[FactRecord], month: Month, known: Sequence) -> Option<&FactRecord> {
    let mut candidates = &records[..records.partition_point(|record| record.from <= month)];
    while let Some(last) = candidates.last() {
        let (earlier, same_month) =
            candidates.split_at(candidates.partition_point(|record| record.from < last.from));
        let newest = same_month.iter().rev().find(|record| record.recorded <= known);
        match newest {
            Some(record) if record.content != Content::Retracted => return Some(record),
            _ => candidates = earlier,
        }
    }
    None
}

/// The value that holds in `month` as known at `known`; `None` where nothing is on record.
pub(crate) fn value_in(
    records: &[FactRecord],
    month: Month,
    known: Sequence,
    on_expiry: OnExpiry,
) -> Option<Value> {
    match deciding(records, month, known)?.content {
        Content::Value { value, until, .. } => match (until, on_expiry) {
            (Some(last), OnExpiry::Unknown) if month > last => Some(Value::Unknown),
            (Some(last), OnExpiry::Absent) if month > last => None,
            _ => Some(value),
        },
        Content::Retracted => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn month(number: i32) -> Month {
        Month::new(2026, number).unwrap()
    }

    fn record(from: i32, recorded: u64, value: Option<i64>, until: Option<i32>) -> FactRecord {
        let content = value.map_or(Content::Retracted, |value| Content::Value {
            value: Value::Integer(value),
            until: until.map(month),
            document: String::new(),
        });
        FactRecord {
            attribute: AttributeNumber(70),
            from: month(from),
            recorded: Sequence(recorded),
            content,
        }
    }

    fn seen(records: &[FactRecord], at: i32, known: u64, on_expiry: OnExpiry) -> Option<Value> {
        value_in(records, month(at), Sequence(known), on_expiry)
    }

    #[test]
    fn the_greatest_month_not_after_decides_and_then_the_last_record() {
        let records = [
            record(1, 1, Some(10), None),
            record(3, 2, Some(30), None),
            record(3, 4, Some(31), None),
            record(5, 3, Some(50), None),
        ];
        let at = |m, known| seen(&records, m, known, OnExpiry::Keep);
        assert_eq!(at(2, 9), Some(Value::Integer(10)));
        assert_eq!(at(3, 1), Some(Value::Integer(10)));
        assert_eq!(at(4, 3), Some(Value::Integer(30)));
        assert_eq!(at(4, 4), Some(Value::Integer(31)));
        assert_eq!(at(12, 9), Some(Value::Integer(50)));
        assert_eq!(at(12, 0), None);
    }

    #[test]
    fn a_retraction_passes_on_to_the_month_before() {
        let records = [
            record(1, 1, Some(10), None),
            record(3, 2, Some(30), None),
            record(3, 3, None, None),
        ];
        assert_eq!(seen(&records, 4, 2, OnExpiry::Keep), Some(Value::Integer(30)));
        assert_eq!(seen(&records, 4, 3, OnExpiry::Keep), Some(Value::Integer(10)));
        assert_eq!(seen(&records[2..], 4, 3, OnExpiry::Keep), None);
    }

    #[test]
    fn after_the_last_month_the_attribute_decides() {
        let records = [record(1, 1, Some(1), None), record(3, 2, Some(3), Some(4))];
        for (on_expiry, expected) in [
            (OnExpiry::Keep, Some(Value::Integer(3))),
            (OnExpiry::Unknown, Some(Value::Unknown)),
            (OnExpiry::Absent, None),
        ] {
            assert_eq!(seen(&records, 4, 2, on_expiry), Some(Value::Integer(3)));
            assert_eq!(seen(&records, 5, 2, on_expiry), expected);
        }
    }
}
