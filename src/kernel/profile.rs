//! Profiles: the recorded categorical facts of one subject.

use crate::types::{AttributeNumber, Value};

/// The recorded categorical values of a person, a household or a commune, by attribute number: flags, named values, and
/// small integers that the pack keeps here.
///
/// An attribute that is not listed has no record: its declared absent value holds. Two subjects with the same
/// profile differ for the law only in numbers (age, amounts).
///
/// ```
/// use ansinh::kernel::profile::Profile;
/// use ansinh::types::{AttributeNumber, Value};
/// let profile: Profile = [(AttributeNumber(70), Value::Bool(true))].into_iter().collect();
/// assert_eq!(profile.get(AttributeNumber(70)), Some(Value::Bool(true)));
/// assert_eq!(profile.get(AttributeNumber(71)), None);
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Profile(Vec<(AttributeNumber, Value)>);

impl Profile {
    /// The recorded value of an attribute; `None` without a record.
    pub fn get(&self, attribute: AttributeNumber) -> Option<Value> {
        self.0
            .binary_search_by_key(&attribute, |&(number, _)| number)
            .ok()
            .map(|at| self.0[at].1)
    }

    /// Sets or removes the value of an attribute.
    pub fn set(&mut self, attribute: AttributeNumber, value: Option<Value>) {
        match (
            self.0.binary_search_by_key(&attribute, |&(number, _)| number),
            value,
        ) {
            (Ok(at), Some(value)) => self.0[at].1 = value,
            (Ok(at), None) => {
                self.0.remove(at);
            }
            (Err(at), Some(value)) => self.0.insert(at, (attribute, value)),
            (Err(_), None) => {}
        }
    }

    /// The recorded values, by attribute number.
    pub fn iter(&self) -> impl Iterator<Item = (AttributeNumber, Value)> + '_ {
        self.0.iter().copied()
    }

    /// Forgets everything recorded, and keeps the room.
    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }

    /// Whether nothing is recorded.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl IntoIterator for Profile {
    type Item = (AttributeNumber, Value);
    type IntoIter = std::vec::IntoIter<Self::Item>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl FromIterator<(AttributeNumber, Value)> for Profile {
    fn from_iter<I: IntoIterator<Item = (AttributeNumber, Value)>>(values: I) -> Self {
        let mut profile = Self::default();
        for (attribute, value) in values {
            // Mostly they come in order.
            if profile.0.last().is_none_or(|&(last, _)| last < attribute) {
                profile.0.push((attribute, value));
            } else {
                profile.set(attribute, Some(value));
            }
        }
        profile
    }
}
