//! Pure values: identifiers, months, money, exact decimals.
//!
//! Everything here is parsed at the edge and trusted inside. No type knows storage, and none can be mistaken
//! for another: an ID is not a number, a month is not a date, đồng are not integers.

mod commune;
mod date;
mod decimal;
mod dong;
mod dossier;
mod household_id;
mod month;
mod number;
mod person_id;
mod value;

pub use commune::{CommuneCode, CommuneCodeError, ProvinceCode};
pub use date::{BirthDate, Date, DateError};
pub use decimal::{Decimal, DecimalError, Rounding};
pub use dong::{Dong, DongError, Total};
pub use dossier::Dossier;
pub use household_id::{HouseholdId, HouseholdIdError};
pub use month::{Month, MonthError};
pub use number::{
    AttributeNumber, HouseholdNumber, Instant, PersonNumber, ProgrammeNumber, Sequence, UnitNumber,
};
pub use person_id::{
    IdDisagreement, IdParts, Identifier, IdentifierError, PersonalId, PersonalIdError, ProvisionalId,
    ProvisionalIdError,
};
pub use value::{Sex, SexError, Value};
