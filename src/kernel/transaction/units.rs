//! Operations on administrative units.

use super::WriteTransaction;
use crate::format::hot::Presence;
use crate::format::locator::Locator;
use crate::kernel::error::WriteError;
use crate::kernel::history::Memo;
use crate::kernel::operation::{Answer, Refusal};
use crate::kernel::snapshot::Documents;
use crate::kernel::unit_index::UnitIndex;
use crate::kernel::units::{UNIT_NAME_BYTES_MAX, UNITS_MAX, Unit, UnitDeclaration, UnitEnd, UnitName};
use crate::types::{CommuneCode, Month, PersonNumber, Sequence, UnitNumber};

fn unfit(code: CommuneCode, problem: impl Into<String>) -> WriteError {
    Refusal::UnitUnfit {
        code,
        problem: problem.into(),
    }
    .into()
}

fn check_names(code: CommuneCode, from: Month, names: &[UnitName]) -> Result<(), WriteError> {
    match names.first() {
        None => return Err(unfit(code, "no name is given; at least one is needed")),
        Some(first) if first.from > from => {
            return Err(unfit(
                code,
                format!(
                    "its first name begins in {}, after its first month {from}",
                    first.from
                ),
            ));
        }
        Some(_) => {}
    }
    if !names.is_sorted_by(|a, b| a.from < b.from) {
        return Err(unfit(
            code,
            "its names are not in ascending order of their first months",
        ));
    }
    let longest = names
        .iter()
        .map(|name| name.name.len().max(name.province_name.len()))
        .max()
        .unwrap_or(0);
    if longest > UNIT_NAME_BYTES_MAX {
        let (found, max) = (longest as u64, UNIT_NAME_BYTES_MAX as u64);
        return Err(Refusal::Limit {
            what: "bytes of a unit's name",
            found,
            max,
        }
        .into());
    }
    Ok(())
}

impl WriteTransaction<'_> {
    fn units_mut(&mut self) -> &mut UnitIndex {
        self.overlay
            .units
            .get_or_insert_with(|| (*self.view.units).clone())
    }

    /// A unit of this number, or the refusal.
    pub(super) fn known_unit(&self, number: UnitNumber) -> Result<&Unit, WriteError> {
        self.snapshot()
            .units()
            .get(number)
            .ok_or_else(|| Refusal::NoUnit(number).into())
    }

    /// Refuses a unit that does not exist in a month.
    pub(super) fn check_in_force(&self, number: UnitNumber, month: Month) -> Result<(), WriteError> {
        let unit = self.known_unit(number)?;
        if unit.exists_in(month, Sequence::NEWEST) {
            return Ok(());
        }
        let last = unit.end.map(|end| end.last);
        Err(Refusal::UnitNotInForce {
            code: unit.declared.code,
            month,
            from: unit.declared.from,
            last,
        }
        .into())
    }

    pub(super) fn add_unit(&mut self, declared: &UnitDeclaration) -> Result<Answer, WriteError> {
        let code = declared.code;
        check_names(code, declared.from, &declared.names)?;
        for unit in self.snapshot().units().of_code(code) {
            if unit.declared == *declared {
                return Ok(Answer::UnitExists(unit.number));
            }
            if unit.end.is_none_or(|end| declared.from <= end.last) {
                let (from, holder) = (unit.declared.from, unit.number);
                return Err(Refusal::UnitCodeTaken { code, from, holder }.into());
            }
        }
        let found = self.snapshot().units().len() + 1;
        if found > UNITS_MAX {
            return Err(Refusal::Limit {
                what: "units",
                found: found as u64,
                max: UNITS_MAX as u64,
            }
            .into());
        }
        let number = UnitNumber(found as u16);
        let recorded = self.sequence();
        self.units_mut().push(Unit {
            number,
            declared: declared.clone(),
            recorded,
            end: None,
        });
        self.overlay.changed_units.insert(number.get());
        self.overlay.head.units = number.get();
        Ok(Answer::UnitCreated(number))
    }

    pub(super) fn rename_unit(&mut self, number: UnitNumber, name: &UnitName) -> Result<Answer, WriteError> {
        let unit = self.known_unit(number)?;
        if unit.declared.names.last() == Some(name) {
            return Ok(Answer::Unchanged);
        }
        let mut names = unit.declared.names.clone();
        names.push(name.clone());
        check_names(unit.declared.code, unit.declared.from, &names)?;
        if let Some(unit) = self.units_mut().get_mut(number) {
            unit.declared.names = names;
        }
        self.overlay.changed_units.insert(number.get());
        Ok(Answer::Done)
    }

    pub(super) fn end_unit(
        &mut self,
        number: UnitNumber,
        last: Month,
        successor: Option<UnitNumber>,
    ) -> Result<Answer, WriteError> {
        let unit = self.known_unit(number)?;
        let (code, from) = (unit.declared.code, unit.declared.from);
        if let Some(end) = unit.end {
            if end.last == last && end.successor == successor {
                return Ok(Answer::Unchanged);
            }
            return Err(unfit(
                code,
                format!("it has ended already, in {}; a unit ends once", end.last),
            ));
        }
        if last < from {
            return Err(Refusal::EndsBeforeStart { from, until: last }.into());
        }
        match successor {
            Some(successor) if successor == number => {
                let what = format!("commune {code}");
                return Err(Refusal::Itself {
                    what,
                    relation: "the successor of",
                }
                .into());
            }
            Some(successor) => {
                self.check_in_force(successor, last.next())?;
                if self.leads_to(successor, number) {
                    let problem = "its successor's successors lead back to it; name a unit that goes on";
                    return Err(unfit(code, problem));
                }
            }
            None => {
                let people = self.people_after(number, last)?;
                if people > 0 {
                    return Err(Refusal::UnitInhabited { code, last, people }.into());
                }
            }
        }
        let recorded = self.sequence();
        if let Some(unit) = self.units_mut().get_mut(number) {
            unit.end = Some(UnitEnd {
                last,
                successor,
                recorded,
            });
        }
        self.overlay.changed_units.insert(number.get());
        Ok(Answer::Done)
    }

    /// Whether the successors of a unit lead to another.
    fn leads_to(&self, from: UnitNumber, to: UnitNumber) -> bool {
        let units = self.snapshot().units();
        let next = |number: &UnitNumber| units.get(*number)?.end?.successor;
        std::iter::successors(Some(from), next)
            .take(units.len() + 1)
            .any(|number| number == to)
    }

    /// The first month in which the people of a unit belong to another, to which its successors lead.
    fn joined(&self, unit: UnitNumber, number: UnitNumber) -> Month {
        let units = self.snapshot().units();
        let mut joined = Month::MIN;
        let mut next = Some(unit);
        while let Some(unit) = next.filter(|&unit| unit != number) {
            let end = units.get(unit).and_then(|unit| unit.end);
            joined = end.map_or(joined, |end| joined.max(end.last.next()));
            next = end.and_then(|end| end.successor);
        }
        joined
    }

    /// How many people would be people of a unit in some month after `last`.
    fn people_after(&self, number: UnitNumber, last: Month) -> Result<u64, WriteError> {
        let snapshot = self.snapshot();
        let mut people = 0;
        for unit in snapshot.units().feeding(number, Month::MAX, Sequence::NEWEST) {
            let first = last.next().max(self.joined(unit, number));
            for segment in self.segments_of(unit)? {
                let Some(hot) = snapshot.hot(segment)? else {
                    continue;
                };
                for row in 0..hot.rows() as u16 {
                    people += u64::from(match hot.changes.get(&row) {
                        None => true,
                        Some(change) if change.earlier.is_some_and(|earlier| first < earlier) => {
                            self.lives_in_after(Locator { segment, row }, first)?
                        }
                        Some(change) => change.versions.iter().enumerate().any(|(at, version)| {
                            let ends = change.versions.get(at + 1).map_or(Month::MAX, |next| next.from);
                            matches!(version.presence, Presence::Present | Presence::Dies) && ends > first
                        }),
                    });
                }
            }
        }
        Ok(people)
    }

    /// Whether the person of a row is one of its unit's people in `first` or later, by the facts: the row shows only
    /// the latest of many changes.
    fn lives_in_after(&self, at: Locator, first: Month) -> Result<bool, WriteError> {
        let snapshot = self.snapshot();
        let person = PersonNumber(snapshot.column_row(at)?.person);
        let Some(history) = snapshot.person_history(person, Documents::Without)? else {
            return Ok(false);
        };
        let stretches = history.timeline(snapshot, &Memo::default())?.stretches;
        Ok(stretches.iter().enumerate().any(|(place, stretch)| {
            let ends = stretches.get(place + 1).map_or(Month::MAX, |next| next.from);
            stretch.unit.is_some_and(|unit| unit.get() == at.segment.unit()) && ends > first
        }))
    }
}
