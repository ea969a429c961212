//! Synthetic populations: households, people and facts in the proportions of Vietnam, for tests, demonstrations
//! and capacity planning.
//!
//! Nobody in them exists. A commune is a pure function of the options and its place, so any number of workers
//! gives the same population. IDs are unique in the whole country by construction (see `identifiers`).

use thiserror::Error;

use crate::gazetteer::{REFORM_MONTH, month};
use crate::kernel::bulk::BulkHousehold;
use crate::kernel::catalogue::{Catalogue, SubjectKind, ValueError, ValueKind};
use crate::kernel::units::UnitDeclaration;
use crate::types::{AttributeNumber, CommuneCode, Month, ProvinceCode, Value};

mod attributes;
mod circumstances;
mod commune;
mod enrolments;
mod families;
mod identifiers;
mod load;
mod merit;
mod names;
mod places;
mod pyramid;
mod random;
mod shares;
mod social;
#[cfg(test)]
mod tests;

pub use attributes::least_declaration;
pub use identifiers::PROVISIONAL_FIRST;
pub use places::{COMMUNE_PEOPLE_MAX, COMMUNES_MAX};

/// The greatest number of people of a synthetic population: person numbers have 32 bits.
pub const PEOPLE_MAX: u64 = 1_000_000_000;
/// The last month that a population can be drawn for; the age structure is that of 2025.
pub const MONTH_MAX: Month = month(2030, 12);
const MONTH_DEFAULT: Month = month(2026, 6);

/// What population to make.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SynthOptions {
    /// How many people, exactly.
    pub people: u64,
    /// The seed: another one gives another population of the same proportions.
    pub seed: u64,
    /// The month in which the population is as it is; changes lie before and after it. From 2025-08 to
    /// [`MONTH_MAX`].
    pub month: Month,
}

impl Default for SynthOptions {
    fn default() -> Self {
        Self {
            people: 100_000,
            seed: 1,
            month: MONTH_DEFAULT,
        }
    }
}

/// Why a synthetic population cannot be made.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum SynthError {
    /// Too many people.
    #[error("{people} people are asked for, at most {PEOPLE_MAX} can be made")]
    People {
        /// How many are asked for.
        people: u64,
    },
    /// The month is too early or too late.
    #[error("month {month} is out of range: a population can be made for {} to {MONTH_MAX}", REFORM_MONTH.next())]
    Month {
        /// The month found.
        month: Month,
    },
    /// No units or too many.
    #[error("{found} administrative units are given; from 1 to {COMMUNES_MAX} are expected")]
    Units {
        /// How many are given.
        found: usize,
    },
    /// A unit is given twice.
    #[error("commune {commune} is given twice; give the units that exist in one month")]
    DuplicateUnit {
        /// Its code.
        commune: CommuneCode,
    },
    /// A unit begins after the population does.
    #[error(
        "commune {commune} exists from {from} only; the population begins in {REFORM_MONTH}: leave it out"
    )]
    UnitTooLate {
        /// Its code.
        commune: CommuneCode,
        /// Its first month.
        from: Month,
    },
    /// A province of which neither region nor population is known.
    #[error(
        "commune {commune} lies in province {province}, of which no population is known; expected one of the units that `gazetteer::vietnam` gives"
    )]
    UnknownProvince {
        /// The commune.
        commune: CommuneCode,
        /// The province's code.
        province: ProvinceCode,
    },
    /// More people than the IDs of a commune can be spread over.
    #[error(
        "commune {commune} would have {people} people, at most {COMMUNE_PEOPLE_MAX} fit; make fewer people or give more units"
    )]
    CommuneTooLarge {
        /// The commune.
        commune: CommuneCode,
        /// How many people it would have.
        people: u64,
    },
    /// The personal IDs of a province do not suffice.
    #[error(
        "personal IDs of province {province:03} do not suffice for {people} people: commune {commune} may need {needed} of one sex and birth year and has {available}; make fewer people",
        province = .province.number()
    )]
    IdsExhausted {
        /// The province of birth registration.
        province: ProvinceCode,
        /// The people who live in it.
        people: u64,
        /// The first commune that has too few.
        commune: CommuneCode,
        /// How many IDs it may need.
        needed: u64,
        /// How many it has.
        available: u64,
    },
    /// An attribute has another type than the population gives it.
    #[error(
        "{subject} attribute {name:?} is {found} in the catalogue; a synthetic population records it as {expected}: adopt a pack that declares it so"
    )]
    Kind {
        /// What it is about.
        subject: SubjectKind,
        /// The attribute.
        name: String,
        /// The type in the catalogue.
        found: ValueKind,
        /// The type expected.
        expected: ValueKind,
    },
    /// An attribute or a value is missing in the catalogue.
    #[error(
        "a synthetic population records what the catalogue does not hold: {0}; adopt a pack that declares it"
    )]
    Catalogue(#[from] ValueError),
}

/// A synthetic population, made commune by commune.
///
/// ```
/// use ansinh::kernel::catalogue::Catalogue;
/// use ansinh::synth::{Synth, SynthOptions, least_declaration};
/// let (catalogue, _) = Catalogue::default().adopt(&least_declaration())?;
/// let options = SynthOptions { people: 5_000, ..SynthOptions::default() };
/// let synth = Synth::new(options, &catalogue, &ansinh::gazetteer::vietnam())?;
/// let mut people = 0;
/// synth.for_each_commune_in_order(2, |_commune, households| {
///     people += households.iter().map(|household| household.people.len()).sum::<usize>();
///     Ok::<(), std::convert::Infallible>(())
/// })?;
/// assert_eq!(people, 5_000);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Synth {
    options: SynthOptions,
    attributes: attributes::Attributes,
    places: Vec<places::Place>,
    registries: Vec<ProvinceCode>,
    pyramid: pyramid::Pyramid,
    names: names::Names,
}

impl Synth {
    /// Prepares a population of a catalogue's attributes in these units.
    pub fn new(
        options: SynthOptions,
        catalogue: &Catalogue,
        units: &[UnitDeclaration],
    ) -> Result<Self, SynthError> {
        if options.people > PEOPLE_MAX {
            return Err(SynthError::People {
                people: options.people,
            });
        }
        if options.month <= REFORM_MONTH || options.month > MONTH_MAX {
            return Err(SynthError::Month { month: options.month });
        }
        let attributes = attributes::Attributes::find(catalogue)?;
        let pyramid = pyramid::Pyramid::vietnam();
        let places = places::settle(options.people, options.seed, units, &pyramid)?;
        let mut registries: Vec<ProvinceCode> = crate::gazetteer::regions().into_keys().collect();
        registries.sort_unstable();
        debug_assert_eq!(registries.len(), identifiers::REGISTRIES);
        Ok(Self {
            options,
            attributes,
            places,
            registries,
            pyramid,
            names: names::Names::vietnam(),
        })
    }

    /// What the population was made from.
    pub const fn options(&self) -> &SynthOptions {
        &self.options
    }

    /// How many communes there are, those without people included.
    pub fn communes(&self) -> usize {
        self.places.len()
    }

    /// How many people the commune at a position has; 0 beyond the last.
    pub fn people_of(&self, index: usize) -> u64 {
        self.places.get(index).map_or(0, |place| place.people)
    }

    /// The commune at a position in the order of codes, with its households.
    ///
    /// # Panics
    ///
    /// If `index` is not less than [`Synth::communes`].
    pub fn commune(&self, index: usize) -> (CommuneCode, Vec<BulkHousehold>) {
        let mut households = Vec::new();
        let Ok(()) = commune::generate(self, index, |household| {
            households.push(household);
            Ok::<(), std::convert::Infallible>(())
        });
        (self.places[index].code, households)
    }

    /// The facts of the communes: which are especially difficult, and from which month.
    pub fn commune_facts(&self) -> Vec<(CommuneCode, AttributeNumber, Value, Month)> {
        let difficult = self.attributes.difficult;
        self.places
            .iter()
            .map(|place| (place.code, Value::Bool(place.difficult)))
            .filter(|&(_, value)| value != difficult.absent)
            .map(|(code, value)| (code, difficult.number, value, REFORM_MONTH))
            .collect()
    }

    /// Makes every commune on so many threads and hands each to `take` on the calling thread, in the order of
    /// codes. At most a few communes a worker wait in memory. Stops at the first error of `take`.
    pub fn for_each_commune_in_order<E>(
        &self,
        workers: usize,
        mut take: impl FnMut(CommuneCode, Vec<BulkHousehold>) -> Result<(), E>,
    ) -> Result<(), E> {
        /// How many finished communes a worker may be ahead.
        const AHEAD: usize = 2;
        let workers = workers.clamp(1, self.communes().max(1));
        std::thread::scope(|scope| {
            // Worker w makes the communes w, w + workers, ...; each has its own channel, so reading the channels
            // in turn restores the order and a full channel holds its worker back.
            let channels: Vec<_> = (0..workers)
                .map(|worker| {
                    let (sender, receiver) = crossbeam::channel::bounded(AHEAD);
                    scope.spawn(move || {
                        for index in (worker..self.communes()).step_by(workers) {
                            if sender.send(self.commune(index)).is_err() {
                                return;
                            }
                        }
                    });
                    receiver
                })
                .collect();
            for index in 0..self.communes() {
                // A channel closes early only if its worker panicked; the scope then passes the panic on.
                let Ok((code, households)) = channels[index % workers].recv() else {
                    break;
                };
                take(code, households)?;
            }
            Ok(())
        })
    }
}
