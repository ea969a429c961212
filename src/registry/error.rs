//! What can go wrong with a registry, and what to do then.

use thiserror::Error;

use crate::entitlement::{DiffError, ExplainError, RunError, TrialError};
use crate::kernel::catalogue::ValueError;
use crate::kernel::log::VerifyLogError;
use crate::kernel::operation::{Field, Refusal};
use crate::kernel::{ReadError, StoreError, WriteError};
use crate::policy::{BindError, PackErrors, PolicyError};
use crate::query::QueryError;
use crate::types::{CommuneCode, DateError, HouseholdId, Month, PersonNumber};

/// Why a registry did not do what was asked. The text says what to do next.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum RegistryError {
    /// The file could not be created, opened or closed.
    #[error(transparent)]
    Store(Box<StoreError>),
    /// A read failed.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// A change was refused, or a commit failed.
    #[error(transparent)]
    Write(#[from] WriteError),
    /// A name or a value does not fit the catalogue.
    #[error(transparent)]
    Value(#[from] ValueError),
    /// The log does not verify.
    #[error(transparent)]
    Log(#[from] VerifyLogError),
    /// Nobody has this ID.
    #[error("nobody in the registry has the ID {identifier}; check the digits, or insert the person first")]
    NoPerson {
        /// The ID, masked.
        identifier: String,
    },
    /// No household has this ID.
    #[error("no household in the registry has the ID {id}; check it, or give the commune in which it begins")]
    NoHousehold {
        /// The ID.
        id: HouseholdId,
    },
    /// The person belongs to no household in the month.
    #[error("{person} belongs to no household in {month}; move the person into one, or choose another month")]
    WithoutHousehold {
        /// The person.
        person: PersonNumber,
        /// The month.
        month: Month,
    },
    /// No unit has this code at any time.
    #[error(
        "no commune in the registry has the code {code}{}; check the code (a code means another area before and after 2025-07)",
        at_other_times(*.month, .known)
    )]
    NoCommune {
        /// The code.
        code: CommuneCode,
        /// The month asked for.
        month: Month,
        /// The months in which a unit of this code exists: first and, if it ends, last.
        known: Vec<(Month, Option<Month>)>,
    },
    /// A person given without a commune and without a household.
    #[error("{name:?} is given neither a household nor a commune; give one of them, or `away`")]
    Homeless {
        /// The person's name.
        name: String,
    },
    /// A person with this ID is in the registry, with another birth date, sex or name.
    #[error(
        "{person} has this ID already and differs in the {}; nothing was changed: correct that record, or check the ID",
        field_name(*.field)
    )]
    PersonDiffers {
        /// The person who is there.
        person: PersonNumber,
        /// What differs.
        field: Field,
    },
    /// No such programme.
    #[error(
        "programme {name:?} is not in the catalogue{}; `enrolment.` attributes and programmes come from the pack in force",
        .suggestion.as_deref().map_or_else(String::new, |near| format!("; did you mean {near:?}?"))
    )]
    NoProgramme {
        /// The name found.
        name: String,
        /// The nearest name.
        suggestion: Option<String>,
    },
    /// A value that should name a person does not.
    #[error("attribute {attribute:?} refers to a person: {problem}")]
    Reference {
        /// The attribute.
        attribute: String,
        /// What is wrong with the reference.
        problem: String,
    },
    /// No pack was ever adopted.
    #[error("the registry has no policy pack; adopt one before asking what it decides")]
    NoPack,
    /// The registry names a pack whose text it does not have.
    #[error("the registry does not hold the pack {hash}; check the hash in its log")]
    NoSuchPack {
        /// The hash, in hexadecimal.
        hash: String,
    },
    /// A pack in the registry does not load in this version of the program.
    #[error("the pack in the registry does not load:\n{0}\nadopt a version of it that this program reads")]
    Pack(#[from] PackErrors),
    /// A pack in the registry does not agree with its catalogue.
    #[error(transparent)]
    Bind(#[from] BindError),
    /// The pack cannot decide the month.
    #[error(transparent)]
    Policy(#[from] PolicyError),
    /// A month was not run, or its run not changed.
    #[error(transparent)]
    Run(Box<RunError>),
    /// A person's month cannot be explained.
    #[error(transparent)]
    Explain(Box<ExplainError>),
    /// Two packs cannot be compared.
    #[error(transparent)]
    Diff(Box<DiffError>),
    /// A condition cannot be asked of everyone.
    #[error(transparent)]
    Query(Box<QueryError>),
    /// The instant given lies outside the calendar.
    #[error("the instant of the transaction lies outside the calendar: {0}; check the clock")]
    Instant(#[from] DateError),
}

impl From<Refusal> for RegistryError {
    fn from(refusal: Refusal) -> Self {
        Self::Write(refusal.into())
    }
}

impl From<StoreError> for RegistryError {
    fn from(error: StoreError) -> Self {
        Self::Store(Box::new(error))
    }
}

impl From<RunError> for RegistryError {
    fn from(error: RunError) -> Self {
        Self::Run(Box::new(error))
    }
}

impl From<DiffError> for RegistryError {
    fn from(error: DiffError) -> Self {
        Self::Diff(Box::new(error))
    }
}

impl From<QueryError> for RegistryError {
    fn from(error: QueryError) -> Self {
        Self::Query(Box::new(error))
    }
}

impl From<TrialError> for RegistryError {
    /// What the catalogue refuses of a pack that is tried, it refuses of one that is adopted.
    fn from(error: TrialError) -> Self {
        match error {
            TrialError::Adopt(error) => Refusal::from(error).into(),
            TrialError::Bind(error) => error.into(),
        }
    }
}

impl From<ExplainError> for RegistryError {
    fn from(error: ExplainError) -> Self {
        Self::Explain(Box::new(error))
    }
}

impl RegistryError {
    /// Why a change was refused, if it was.
    pub const fn refusal(&self) -> Option<&Refusal> {
        match self {
            Self::Write(WriteError::Refused(refusal)) => Some(refusal),
            _ => None,
        }
    }
}

const fn field_name(field: Field) -> &'static str {
    match field {
        Field::BirthDate => "birth date",
        Field::Sex => "sex",
        Field::Name => "name",
    }
}

fn at_other_times(month: Month, known: &[(Month, Option<Month>)]) -> String {
    if known.is_empty() {
        return String::new();
    }
    let times: Vec<String> = known
        .iter()
        .map(|(from, last)| match last {
            Some(last) => format!("from {from} to {last}"),
            None => format!("from {from} on"),
        })
        .collect();
    format!(" in {month} (it exists {})", times.join(", "))
}
