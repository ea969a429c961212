//! The facts with which a record begins: those that columns hold, and those that need records of their own.

use crate::kernel::catalogue::{Attribute, Catalogue};
use crate::kernel::profile::Profile;
use crate::types::{AttributeNumber, Month, Value};

/// A fact with its months.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DatedValue {
    pub(crate) attribute: AttributeNumber,
    pub(crate) value: Value,
    pub(crate) from: Month,
    pub(crate) until: Option<Month>,
    pub(crate) document: String,
}

/// Initial facts, by where they are kept.
#[derive(Debug, Default)]
pub(crate) struct Initial {
    /// Categorical values since the record began.
    pub(crate) profile: Profile,
    /// Other values since the record began, by attribute.
    pub(crate) values: Vec<(AttributeNumber, Value)>,
    /// Facts with months of their own, and every fact of an attribute that has one.
    pub(crate) dated: Vec<DatedValue>,
    /// The documents of values since the record began, by attribute number.
    pub(crate) documents: Vec<(u16, String)>,
}

impl Initial {
    /// Splits the facts of a record that begins in `began`.
    ///
    /// An attribute that has a dated fact has all of its facts on record and none in a column, because a column is
    /// only asked where there is no record.
    pub(crate) fn split(
        catalogue: &Catalogue,
        began: Month,
        facts: impl Iterator<Item = DatedValue>,
    ) -> Self {
        let mut initial = Self::default();
        for fact in facts {
            if fact.until.is_some() || fact.from != began {
                initial.dated.push(fact);
                continue;
            }
            let in_profile = catalogue
                .attribute_by_number(fact.attribute)
                .is_some_and(Attribute::in_profile);
            if in_profile {
                initial.profile.set(fact.attribute, Some(fact.value));
            } else {
                initial.values.push((fact.attribute, fact.value));
            }
            if !fact.document.is_empty() {
                initial.documents.push((fact.attribute.get(), fact.document));
            }
        }
        for place in 0..initial.dated.len() {
            let attribute = initial.dated[place].attribute;
            let also = initial.take_plain(attribute, began);
            initial.dated.extend(also);
        }
        initial.values.sort_unstable_by_key(|&(attribute, _)| attribute);
        initial
    }

    /// Takes the fact of an attribute that was to stand in a column.
    fn take_plain(&mut self, attribute: AttributeNumber, began: Month) -> Option<DatedValue> {
        let value = if let Some(value) = self.profile.get(attribute) {
            self.profile.set(attribute, None);
            value
        } else {
            let at = self.values.iter().position(|&(other, _)| other == attribute)?;
            self.values.swap_remove(at).1
        };
        let document = self
            .documents
            .iter()
            .position(|&(other, _)| other == attribute.get())
            .map_or_else(String::new, |at| self.documents.swap_remove(at).1);
        Some(DatedValue {
            attribute,
            value,
            from: began,
            until: None,
            document,
        })
    }
}
