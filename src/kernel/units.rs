//! Administrative units: communes with their validity, names over time, provinces and successors.

use bincode::{Decode, Encode};

use crate::types::{CommuneCode, Month, ProvinceCode, Sequence, UnitNumber};

/// The greatest number of units, those that no longer exist included.
pub const UNITS_MAX: usize = 60_000;
/// The longest name of a unit, in bytes.
pub const UNIT_NAME_BYTES_MAX: usize = 120;

/// The kind of a commune-level unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Encode, Decode)]
pub enum UnitKind {
    /// Xã: rural commune.
    Commune,
    /// Phường: urban ward.
    Ward,
    /// Đặc khu: special zone.
    SpecialZone,
}

/// What a unit is called, from a month on.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct UnitName {
    /// The first month in which it is so called.
    pub from: Month,
    /// The full name, for example `Phường Ba Đình`.
    pub name: String,
    /// The kind.
    pub kind: UnitKind,
    /// The name of the province, for example `Thành phố Hà Nội`.
    pub province_name: String,
}

/// What is declared of a unit when it is added.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct UnitDeclaration {
    /// The code, unique among the units that exist in a month.
    pub code: CommuneCode,
    /// The first month in which the unit exists.
    pub from: Month,
    /// The province.
    pub province: ProvinceCode,
    /// The province before the reform of 2025-07-01, by which some provincial rules still go.
    pub former_province: ProvinceCode,
    /// What it is called, the earliest name first; at least one.
    pub names: Vec<UnitName>,
}

/// The end of a unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct UnitEnd {
    /// The last month in which the unit exists.
    pub last: Month,
    /// The unit that whoever lives there belongs to from the month after: a merger. `None` if the unit was
    /// emptied before it ended.
    pub successor: Option<UnitNumber>,
    /// The transaction that recorded it.
    pub recorded: Sequence,
}

/// An administrative unit for the time in which it exists.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Unit {
    /// Its number in this registry.
    pub number: UnitNumber,
    /// What was declared of it.
    pub declared: UnitDeclaration,
    /// The transaction that added it.
    pub recorded: Sequence,
    /// Its end, if recorded.
    pub end: Option<UnitEnd>,
}

impl Unit {
    /// What the unit is called in a month.
    pub fn name_in(&self, month: Month) -> &UnitName {
        let names = &self.declared.names;
        names
            .iter()
            .rev()
            .find(|name| name.from <= month)
            .unwrap_or(&names[0])
    }

    /// Whether the unit exists in a month, as known at a sequence.
    pub fn exists_in(&self, month: Month, known: Sequence) -> bool {
        self.recorded <= known
            && self.declared.from <= month
            && self
                .end
                .is_none_or(|end| end.recorded > known || month <= end.last)
    }
}
