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
        let (dated, mut plain): (Vec<_>, Vec<_>) =
            facts.partition(|fact| fact.until.is_some() || fact.from != began);
        initial.dated = dated;
        if !initial.dated.is_empty() {
            let also = plain.extract_if(.., |fact| {
                initial
                    .dated
                    .iter()
                    .any(|other| other.attribute == fact.attribute)
            });
            let also: Vec<_> = also.collect();
            initial.dated.extend(also);
        }
        for fact in plain {
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
        initial.values.sort_unstable_by_key(|&(attribute, _)| attribute);
        initial
    }
}
