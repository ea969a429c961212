//! Bulk loading: many households at once.

pub use crate::types::Dossier;
use crate::types::{AttributeNumber, BirthDate, CommuneCode, HouseholdId, Identifier, Month, Sex, Value};

/// A value in a bulk load: references to people of the same household are by position.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BulkValue {
    /// A value as it is recorded.
    Value(Value),
    /// The person at this position of the same household.
    Member(u16),
}

/// A fact in a bulk load.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BulkFact {
    /// The attribute.
    pub attribute: AttributeNumber,
    /// The value.
    pub value: BulkValue,
    /// The first month in which it holds; `None` for "since the record began", which costs least.
    pub from: Option<Month>,
    /// The last month in which it holds.
    pub until: Option<Month>,
    /// The document that it rests on, for example `112/QĐ-UBND 2026-03-05`; may be empty.
    pub document: String,
}

/// A person in a bulk load.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BulkPerson {
    /// The personal or provisional ID; `None` lets the registry give a provisional one.
    pub identifier: Option<Identifier>,
    /// Birth date.
    pub birth: BirthDate,
    /// Sex.
    pub sex: Sex,
    /// The month from which the person belongs to the household or, without one, lives in the commune.
    pub from: Month,
    /// Facts: at most one without `from` for each attribute.
    pub facts: Vec<BulkFact>,
    /// Name, address, account, documents.
    pub dossier: Dossier,
    /// Where the person goes to live later, without the household, by month.
    pub moves: Vec<(Month, BulkDestination)>,
}

/// Where a person of a bulk load goes to live.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BulkDestination {
    /// To a household, of this load or of the registry.
    Household(HouseholdId),
    /// To a commune, without a household.
    Commune(CommuneCode),
    /// Away.
    Away,
}

/// A household in a bulk load, or one person without a household (`id` is `None` and one person).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BulkHousehold {
    /// The outside ID; `None` for a person without household.
    pub id: Option<HouseholdId>,
    /// The commune in which it lives from its `from` month on.
    pub commune: CommuneCode,
    /// The month from which the household's record begins.
    pub from: Month,
    /// The position of the head among the people.
    pub head: Option<u16>,
    /// Facts of the household.
    pub facts: Vec<BulkFact>,
    /// Its people.
    pub people: Vec<BulkPerson>,
    /// Later changes: moves of the whole household to another commune, by month.
    pub moves: Vec<(Month, CommuneCode)>,
}
