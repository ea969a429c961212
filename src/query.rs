//! Eligibility: what is asked of everyone at the end of a month, and what every such question goes through.

pub(crate) mod case;
pub(crate) mod crew;
pub(crate) mod ground;
pub(crate) mod places;
pub(crate) mod surroundings;
