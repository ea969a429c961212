//! What the rows of a segment tell of the people around a person, compared with the states of everyone.

use std::collections::BTreeSet;

use ansinh::kernel::View;
use ansinh::kernel::catalogue::{SubjectKind, ValueKind};
use ansinh::kernel::near::Near;
use ansinh::kernel::scan::SegmentScan;
use ansinh::kernel::state::PersonState;
use ansinh::types::{AttributeNumber, Month, PersonNumber, Sequence, Value};

/// Of how many people rows tell the household, and of how many they tell that somebody names them.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Told {
    pub people: usize,
    pub households: usize,
    pub named: usize,
}

/// The states of everyone at the end of a month, as known, by number.
pub struct Everyone<'a>(pub &'a [Option<PersonState>]);

impl Everyone<'_> {
    fn state(&self, person: PersonNumber) -> Option<&PersonState> {
        self.0.get(person.get() as usize - 1)?.as_ref()
    }

    /// Those who are there at the end of the month and of whom something holds.
    fn there(&self, holds: impl Fn(&PersonState) -> bool) -> BTreeSet<PersonNumber> {
        let there = |state: &&PersonState| state.present && state.death.is_none() && holds(state);
        self.0
            .iter()
            .flatten()
            .filter(there)
            .map(|state| state.number)
            .collect()
    }

    fn stands_for(&self, person: PersonNumber) -> PersonNumber {
        let into = self.state(person).and_then(|state| state.merged_into);
        into.map_or(person, |into| self.stands_for(into))
    }

    fn household(&self, person: PersonNumber) -> BTreeSet<PersonNumber> {
        match self.state(person).and_then(|state| state.household) {
            Some(household) => self.there(|state| state.household == Some(household)),
            None => self.there(|state| state.number == person),
        }
    }

    fn referring(&self, person: PersonNumber, attribute: AttributeNumber) -> BTreeSet<PersonNumber> {
        self.there(|state| match state.values.get(&attribute) {
            Some(&Value::Person(target)) => self.stands_for(target) == person,
            _ => false,
        })
    }

    /// Whom somebody names; `None` if it is recorded as unknown who it is.
    fn named(&self, person: PersonNumber, attribute: AttributeNumber) -> Option<BTreeSet<PersonNumber>> {
        match self.state(person)?.values.get(&attribute) {
            Some(&Value::Person(target)) => {
                let target = self.stands_for(target);
                Some(self.there(|state| state.number == target))
            }
            Some(Value::Unknown) => None,
            _ => Some(BTreeSet::new()),
        }
    }

    /// Compares whatever rows tell of people who are there, or die in the month.
    pub fn compare_ties(&self, view: &View, month: Month, known: Sequence) -> Result<Told, String> {
        let wrong = |error: ansinh::kernel::ReadError| error.to_string();
        let mut told = Told::default();
        let mut near = Near::new(view, [Some(month), month.previous()], known).map_err(wrong)?;
        let references: Vec<AttributeNumber> = view
            .catalogue()
            .attributes()
            .filter(|attribute| {
                attribute.subject == SubjectKind::Person && attribute.kind == ValueKind::Person
            })
            .map(|attribute| attribute.number)
            .collect();
        for key in view.segments().map_err(wrong)? {
            let bytes = view.segment(key).map_err(wrong)?;
            let scan = SegmentScan::new(view, key, &bytes, month, known).map_err(wrong)?;
            let persons = view.segment_persons(key).map_err(wrong)?;
            let of_rows = |rows: &mut dyn Iterator<Item = u16>| -> BTreeSet<PersonNumber> {
                rows.filter(|&row| scan.states(row)[0].is_some())
                    .map(|row| persons[usize::from(row)])
                    .collect()
            };
            for (row, &person) in (0_u16..).zip(&persons) {
                if !self.state(person).is_some_and(|state| state.present) {
                    continue;
                }
                let about = || format!("{person} in {month} as known at {known}, row {row} of {key:?}");
                told.people += 1;
                if let Some(mut rows) = near.household_rows(&scan, row).map_err(wrong)? {
                    told.households += 1;
                    let (found, expected) = (of_rows(&mut rows), self.household(person));
                    if found != expected {
                        return Err(format!("household of {}: {found:?}, not {expected:?}", about()));
                    }
                }
                for &attribute in &references {
                    let ties = near.referring_rows(&scan, row, attribute).map_err(wrong)?;
                    let Some(ties) = ties else { continue };
                    let found = of_rows(&mut ties.iter().map(|tie| tie.referrer));
                    let expected = self.referring(person, attribute);
                    if found != expected {
                        return Err(format!(
                            "{attribute} naming {}: {found:?}, not {expected:?}",
                            about()
                        ));
                    }
                    told.named += usize::from(!found.is_empty());
                    let Some(named) = near.named_row(&scan, row, attribute).map_err(wrong)? else {
                        continue;
                    };
                    let found = of_rows(&mut named.into_iter());
                    let expected = self.named(person, attribute).ok_or_else(about)?;
                    if found != expected {
                        return Err(format!("{attribute} of {}: {found:?}, not {expected:?}", about()));
                    }
                }
            }
        }
        Ok(told)
    }
}
