//! What all workers share of one policy: how it tells people and places apart.

use crate::format::hot::BIRTH_MONTH_UNKNOWN;
use crate::kernel::{ProfileClasses, ReadError, View};
use crate::policy::{Bands, MonthPolicy, Reads};
use crate::query::places::Places;
use crate::types::{Month, Sequence};

/// How many numbers a birth column may hold.
const BIRTHS: usize = 1 << 16;

/// The band of every number that a birth column may hold; [`Bands::UNBORN`] for those that no birth month has.
pub(crate) type BandOfBirth = [u16; BIRTHS];

/// The bands of all births.
pub(crate) fn band_of_birth(bands: &Bands) -> Box<BandOfBirth> {
    let mut band_of_birth = vec![Bands::UNBORN; BIRTHS].into_boxed_slice();
    for (unknown, month_known) in [(0, true), (usize::from(BIRTH_MONTH_UNKNOWN), false)] {
        let known = bands.by_birth_month(month_known);
        band_of_birth[unknown..unknown + known.len()].copy_from_slice(known);
    }
    band_of_birth
        .try_into()
        .expect("as many as a birth column may hold")
}

/// The bands of age and the classes of places that a policy tells apart.
pub(crate) struct Ground {
    pub(crate) bands: Bands,
    pub(crate) band_of_birth: Box<BandOfBirth>,
    pub(crate) places: Places,
    /// The profiles of persons and of households that the programmes tell apart; of the people in the groups around a
    /// person none are listed.
    pub(crate) persons: ProfileClasses,
    pub(crate) households: ProfileClasses,
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
        let places = Places::read(view, policy, month, known)?;
        Ok(Self {
            persons: view.profile_classes(&policy.reads().person),
            households: view.profile_classes(&policy.reads().household),
            ..Self::of(Bands::new(policy), places, others)
        })
    }

    fn of(bands: Bands, places: Places, others: Option<Box<Self>>) -> Self {
        Self {
            band_of_birth: band_of_birth(&bands),
            bands,
            places,
            persons: ProfileClasses::default(),
            households: ProfileClasses::default(),
            others,
        }
    }

    /// As far as something is read of people around a person.
    pub(crate) fn of_others(
        view: &View,
        policy: &MonthPolicy,
        reads: &Reads,
        month: Month,
        known: Sequence,
    ) -> Result<Self, ReadError> {
        Ok(Self::of(
            Bands::with(month, &reads.age, policy.unknown_birth_month()),
            Places::of_others(view, policy, reads, month, known)?,
            None,
        ))
    }
}
