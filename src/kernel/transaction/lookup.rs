//! Looking up within a transaction: what the registry holds with the changes made so far.

use super::WriteTransaction;
use crate::kernel::catalogue::Catalogue;
use crate::kernel::error::WriteError;
use crate::kernel::operation::Refusal;
use crate::kernel::units::Unit;
use crate::types::{
    AttributeNumber, CommuneCode, HouseholdId, HouseholdNumber, Identifier, Month, PersonNumber, Sequence,
    UnitNumber,
};

impl WriteTransaction<'_> {
    /// The catalogue, with what this transaction adopted.
    pub fn catalogue(&self) -> &Catalogue {
        self.snapshot().catalogue()
    }

    /// The person to whom an identifier was given last.
    pub fn find_person(&self, id: Identifier) -> Result<Option<PersonNumber>, WriteError> {
        Ok(self.snapshot().holder(id)?)
    }

    /// The household of an outside ID.
    pub fn find_household(&self, id: HouseholdId) -> Result<Option<HouseholdNumber>, WriteError> {
        Ok(self.snapshot().household_of(id)?)
    }

    /// Everyone whose record of an attribute ever named a person, ascending; see [`crate::kernel::View::ever_referring`].
    pub fn ever_referring(
        &self,
        target: PersonNumber,
        attribute: AttributeNumber,
    ) -> Result<Vec<PersonNumber>, WriteError> {
        Ok(self.snapshot().ever_referring(target, attribute)?)
    }

    /// The unit that has a code in a month.
    pub fn find_unit(&self, code: CommuneCode, month: Month) -> Option<UnitNumber> {
        self.snapshot().units().find(code, month, Sequence::NEWEST)
    }

    /// Every unit that ever has or had a code.
    pub fn units_of_code(&self, code: CommuneCode) -> impl Iterator<Item = &Unit> {
        self.snapshot().units().of_code(code)
    }

    /// The unit with this number.
    pub fn unit(&self, number: UnitNumber) -> Option<&Unit> {
        self.snapshot().units().get(number)
    }

    /// The unit in which a household lives in a month, mergers followed; `None` before its record begins.
    pub fn household_unit(
        &self,
        household: HouseholdNumber,
        month: Month,
    ) -> Result<Option<UnitNumber>, WriteError> {
        let history = self.snapshot().household_history(household)?;
        let residence = history
            .ok_or(Refusal::NoHousehold(household))?
            .residence(month, Sequence::NEWEST);
        Ok(residence.and_then(|unit| self.snapshot().units().follow(unit, month, Sequence::NEWEST)))
    }

    /// The household of which a person is a member in a month.
    pub fn household_of(
        &self,
        person: PersonNumber,
        month: Month,
    ) -> Result<Option<HouseholdNumber>, WriteError> {
        let documents = crate::kernel::snapshot::Documents::Without;
        let history = self.snapshot().person_history(person, documents)?;
        Ok(history
            .ok_or(Refusal::NoPerson(person))?
            .household(month, Sequence::NEWEST))
    }
}
