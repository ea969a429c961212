//! Reading by IDs and codes.

use std::ops::Deref;
use std::sync::Arc;

use super::RegistryError;
use super::policies::Policies;
use super::transaction::no_commune;
use crate::kernel::View;
use crate::kernel::state::{CommuneState, HouseholdState, PersonState};
use crate::kernel::units::Unit;
use crate::policy::{MonthPolicy, Policy};
use crate::types::{
    CommuneCode, Date, Dossier, HouseholdId, IdDisagreement, Identifier, Month, PersonNumber, Sequence,
};

/// For which month something is asked, and by what was known when.
///
/// ```
/// use ansinh::registry::AsOf;
/// use ansinh::types::{Month, Sequence};
/// let june = Month::new(2026, 6)?;
/// assert_eq!(AsOf::from(june), AsOf::new(june, Sequence::NEWEST));
/// # Ok::<(), ansinh::types::MonthError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AsOf {
    /// The end of this month.
    pub month: Month,
    /// By what the transactions up to this one recorded.
    pub known: Sequence,
}

impl AsOf {
    /// The end of a month, by what was known at a sequence.
    pub const fn new(month: Month, known: Sequence) -> Self {
        Self { month, known }
    }
}

impl From<Month> for AsOf {
    /// The end of a month, by what is known now.
    fn from(month: Month) -> Self {
        Self::new(month, Sequence::NEWEST)
    }
}

/// One record of a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PersonRecord {
    /// The state at the end of the month asked for.
    pub state: PersonState,
    /// Name, address and account, as they are now.
    pub dossier: Dossier,
    /// The ID of the household of which the person is then a member.
    pub household: Option<HouseholdId>,
    /// The code of the commune in which the person then lives.
    pub commune: Option<CommuneCode>,
}

impl PersonRecord {
    /// In what the personal ID disagrees with the record.
    pub fn disagreements(&self) -> Vec<IdDisagreement> {
        match self.state.identifier {
            Identifier::Personal(id) => id.disagreements(self.state.sex, self.state.birth).collect(),
            Identifier::Provisional(_) => Vec::new(),
        }
    }
}

/// Everything that the registry holds of one person: records that were merged are shown together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PersonRecords {
    /// The record to which the ID leads.
    pub asked: PersonRecord,
    /// The other records of the same person: the one into which this was merged, and those merged into it.
    pub others: Vec<PersonRecord>,
}

/// A household, with its commune.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HouseholdRecord {
    /// The state at the end of the month asked for.
    pub state: HouseholdState,
    /// The code of the commune in which it then lives.
    pub commune: Option<CommuneCode>,
}

/// A commune, with what was declared of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommuneRecord {
    /// The unit.
    pub unit: Unit,
    /// The state at the end of the month asked for.
    pub state: CommuneState,
}

/// The registry as it was at one moment. Later commits do not show in it. Everything that a kernel [`View`] reads,
/// it reads too. It holds pages: hold it for one question, not for a day.
#[derive(Debug)]
pub struct RegistryView {
    view: View,
    policies: Arc<Policies>,
}

impl Deref for RegistryView {
    type Target = View;

    fn deref(&self) -> &View {
        &self.view
    }
}

type Result<T> = std::result::Result<T, RegistryError>;

impl RegistryView {
    pub(super) const fn new(view: View, policies: Arc<Policies>) -> Self {
        Self { view, policies }
    }

    /// The pack in force, bound to the catalogue. It is parsed once.
    pub fn policy(&self) -> Result<Policy> {
        self.policies.in_force(&self.view)
    }

    /// A pack that was ever adopted, by its hash, bound to the catalogue.
    pub fn policy_by_hash(&self, hash: &[u8; 32]) -> Result<Policy> {
        self.policies.of_hash(&self.view, hash)
    }

    /// The policy of one month, by the law as it was known on a day.
    pub fn month_policy(&self, month: Month, law_known_on: Date) -> Result<MonthPolicy> {
        Ok(self.policy()?.for_month(month, law_known_on)?)
    }

    /// The policy of one month, or of a campaign in it, by the pack of a hash or by the one in force; that of the last question is kept.
    pub(super) fn month_policy_of(
        &self,
        pack: Option<[u8; 32]>,
        campaign: Option<&str>,
        month: Month,
        law_known_on: Date,
    ) -> Result<Arc<MonthPolicy>> {
        let hash = match pack {
            Some(hash) => hash,
            None => self.view.pack().ok_or(RegistryError::NoPack)?,
        };
        self.policies
            .of_month(&self.view, &hash, campaign, (month, law_known_on))
    }

    /// Everything that is held of the person to whom an ID was given last; `None` if nobody has it.
    pub fn person_by_id(
        &self,
        id: impl Into<Identifier>,
        as_of: impl Into<AsOf>,
    ) -> Result<Option<PersonRecords>> {
        let as_of = as_of.into();
        match self.view.find_person(id.into(), as_of.known)? {
            Some(person) => self.person_records(person, as_of),
            None => Ok(None),
        }
    }

    /// Everything that is held of a person, by number.
    pub fn person_records(
        &self,
        person: PersonNumber,
        as_of: impl Into<AsOf>,
    ) -> Result<Option<PersonRecords>> {
        let as_of = as_of.into();
        let Some(asked) = self.person_record(person, as_of)? else {
            return Ok(None);
        };
        // Mergers form trees: go up to the record that stays, then down to all that were merged into it.
        let mut top = person;
        let mut seen = vec![person];
        while let Some(state) = self.view.person(top, as_of.month, as_of.known)?
            && let Some(into) = state.merged_into
            && !seen.contains(&into)
        {
            seen.push(into);
            top = into;
        }
        let mut open = vec![top];
        while let Some(next) = open.pop() {
            for merged in self.view.merged_into(next)? {
                let state = self.view.person(merged, as_of.month, as_of.known)?;
                if state.is_some_and(|state| state.merged_into == Some(next)) {
                    open.push(merged);
                    if !seen.contains(&merged) {
                        seen.push(merged);
                    }
                }
            }
        }
        let others = seen.into_iter().filter(|&other| other != person);
        let others: Result<Vec<Option<PersonRecord>>> =
            others.map(|other| self.person_record(other, as_of)).collect();
        Ok(Some(PersonRecords {
            asked,
            others: others?.into_iter().flatten().collect(),
        }))
    }

    /// One record of a person, without those merged with it.
    pub fn person_record(
        &self,
        person: PersonNumber,
        as_of: impl Into<AsOf>,
    ) -> Result<Option<PersonRecord>> {
        let as_of = as_of.into();
        let Some(state) = self.view.person(person, as_of.month, as_of.known)? else {
            return Ok(None);
        };
        let household = match state.household {
            Some(household) => self.view.household_id(household)?,
            None => None,
        };
        Ok(Some(PersonRecord {
            dossier: self.view.dossier(person)?,
            household,
            commune: self.code_of(state.unit),
            state,
        }))
    }

    /// The household of an ID; `None` if there is none.
    pub fn household_by_id(
        &self,
        id: HouseholdId,
        as_of: impl Into<AsOf>,
    ) -> Result<Option<HouseholdRecord>> {
        let as_of = as_of.into();
        let Some(number) = self.view.find_household(id, as_of.known)? else {
            return Ok(None);
        };
        let state = self.view.household(number, as_of.month, as_of.known)?;
        Ok(state.map(|state| HouseholdRecord {
            commune: self.code_of(state.unit),
            state,
        }))
    }

    /// The commune that has a code in the month asked for. A code that no commune has in that month is an error
    /// that says when there is one.
    pub fn commune_by_code(&self, code: CommuneCode, as_of: impl Into<AsOf>) -> Result<CommuneRecord> {
        let as_of = as_of.into();
        let found = match self.view.find_unit(code, as_of.month, as_of.known)? {
            Some(number) => {
                self.view
                    .unit(number)
                    .zip(self.view.commune(number, as_of.month, as_of.known)?)
            }
            None => None,
        };
        let of_code = || self.view.units().iter().filter(|unit| unit.declared.code == code);
        found
            .map(|(unit, state)| CommuneRecord {
                unit: unit.clone(),
                state,
            })
            .ok_or_else(|| no_commune(code, as_of.month, of_code()))
    }

    fn code_of(&self, unit: Option<crate::types::UnitNumber>) -> Option<CommuneCode> {
        Some(self.view.unit(unit?)?.declared.code)
    }
}
