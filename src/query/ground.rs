//! What all workers share of one policy: how it tells people and places apart.

use crate::kernel::{ReadError, View};
use crate::policy::{Bands, MonthPolicy, Reads};
use crate::query::places::Places;
use crate::types::{Month, Sequence};

/// The bands of age and the classes of places that a policy tells apart.
pub(crate) struct Ground {
    pub(crate) bands: Bands,
    pub(crate) places: Places,
    /// The same for the people in the groups around a person; `None` if nobody asks about them.
    pub(crate) others: Option<Box<Self>>,
}

impl Ground {
    /// Reads what is constant for everyone of a unit, at the end of the month and of the month before.
    pub(crate) fn read(
        view: &View,
        policy: &MonthPolicy,
        month: Month,
        known: Sequence,
    ) -> Result<Self, ReadError> {
        let others = match &policy.reads().others {
            Some(reads) => Some(Box::new(Self::of_others(view, policy, reads, month, known)?)),
            None => None,
        };
        Ok(Self {
            bands: Bands::new(policy),
            places: Places::read(view, policy, month, known)?,
            others,
        })
    }

    /// As far as something is read of people around a person.
    pub(crate) fn of_others(
        view: &View,
        policy: &MonthPolicy,
        reads: &Reads,
        month: Month,
        known: Sequence,
    ) -> Result<Self, ReadError> {
        Ok(Self {
            bands: Bands::with(month, &reads.age, policy.unknown_birth_month()),
            places: Places::of_others(view, policy, reads, month, known)?,
            others: None,
        })
    }
}
