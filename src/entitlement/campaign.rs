//! Whom a campaign has paid before: each person is paid by it at most once, whatever the month and the scope.
//!
//! A row of a segment keeps its place, so the ledger blocks that earlier runs have of a segment say, row by row, who was
//! paid. That settles the plain rows, whose people never lived elsewhere; the others are looked up by person. Records
//! that were merged are of one person: if any of them was paid, so was the person.

use std::collections::BTreeMap;

use rustc_hash::FxHashMap;

use super::header::{CampaignRun, RunHeader, RunStatus, Scope};
use super::run::outcomes;
use crate::format::locator::{Locator, SegmentKey};
use crate::kernel::{ReadError, View};
use crate::policy::{LineKind, MonthPolicy, Outcome};
use crate::types::{Month, PersonNumber, ProgrammeNumber, Sequence, UnitNumber};

/// One earlier run.
#[derive(Debug)]
struct EarlierRun {
    number: u32,
    scope: Scope,
    month: Month,
    known: Sequence,
    /// By code, whether the outcome pays. No outcome has code 0.
    pays: Vec<bool>,
}

/// The earlier runs of a campaign, and whom they paid.
#[derive(Debug)]
pub(super) struct Earlier {
    outcome: Outcome,
    runs: Vec<EarlierRun>,
    /// The rows of people of whom another record was paid, by segment.
    merged: FxHashMap<SegmentKey, Vec<u16>>,
}

/// The runs of a campaign that are not void, of whatever month and scope, in the order in which they were made.
pub(super) fn standing(runs: &[RunHeader], programme: ProgrammeNumber) -> impl Iterator<Item = &RunHeader> {
    runs.iter().filter(move |run| {
        let campaign = run.campaign.as_ref();
        run.status != RunStatus::Void && campaign.is_some_and(|campaign| campaign.programme == programme)
    })
}

/// What a run of the campaign of a month policy is to know of the runs before it; `None` if the policy is of no
/// campaign. Runs that settle the same month in a scope that overlaps with `scope` are not counted: a run of that scope
/// would stand in their place, once they are void.
pub(super) fn about(
    view: &View,
    policy: &MonthPolicy,
    runs: &[RunHeader],
    scope: Option<Scope>,
) -> Option<CampaignRun> {
    let programme = policy.already_paid()?.reason.programme()?;
    let rule = policy.programmes().find(|rule| rule.number == programme)?;
    let overlaps = |run: &RunHeader| scope.is_some_and(|scope| run.scope.overlaps(scope));
    let replaced = |run: &RunHeader| run.month == policy.month() && overlaps(run);
    let earlier = standing(runs, programme).filter(|run| !replaced(run));
    Some(CampaignRun {
        programme,
        name: rule.rule.id.clone(),
        earlier: earlier.map(|run| run.number).collect(),
        mergers_known: view.newest(),
    })
}

impl EarlierRun {
    fn read(view: &View, run: &RunHeader, programme: ProgrammeNumber) -> Result<Self, ReadError> {
        let pays = |outcome: &Outcome| {
            let mut lines = outcome.lines_of(LineKind::Paid);
            lines.any(|line| line.programme == programme)
        };
        let outcomes = outcomes(view, run)?;
        Ok(Self {
            number: run.number,
            scope: run.scope,
            month: run.month,
            known: run.data_as_of,
            pays: std::iter::once(false).chain(outcomes.iter().map(pays)).collect(),
        })
    }

    fn pays(&self, code: u32) -> bool {
        self.pays.get(code as usize).copied().unwrap_or(false)
    }

    /// Whether the run can have a block of a segment. Nothing is read of the others, which matters to a campaign that is
    /// run province by province.
    fn covers(&self, view: &View, segment: SegmentKey) -> bool {
        self.scope == Scope::Country
            || view
                .follow(UnitNumber(segment.unit()), self.month, self.known)
                .is_some_and(|unit| self.scope.covers(view, unit))
    }

    fn paid_at(&self, view: &View, at: Locator) -> Result<bool, ReadError> {
        if !self.covers(view, at.segment) {
            return Ok(false);
        }
        let code = view.run_code_at(self.number, at)?;
        Ok(code.is_some_and(|code| self.pays(code)))
    }
}

impl Earlier {
    /// Reads the runs that a campaign run takes into account; `outcome` is what somebody is given whom they paid.
    pub(super) fn read(
        view: &View,
        campaign: &CampaignRun,
        runs: &[RunHeader],
        outcome: Outcome,
    ) -> Result<Self, ReadError> {
        let earlier = runs
            .iter()
            .filter(|run| campaign.earlier.binary_search(&run.number).is_ok());
        let runs: Result<Vec<EarlierRun>, ReadError> = earlier
            .map(|run| EarlierRun::read(view, run, campaign.programme))
            .collect();
        Ok(Self {
            outcome,
            runs: runs?,
            merged: FxHashMap::default(),
        })
    }

    /// The outcome of somebody who was paid before.
    pub(super) const fn outcome(&self) -> &Outcome {
        &self.outcome
    }

    /// Whether nobody can have been paid before.
    pub(super) fn is_empty(&self) -> bool {
        self.runs.iter().all(|run| !run.pays.contains(&true))
    }

    /// Finds the rows of everybody of whom another record was paid, by the mergers that the view knows.
    pub(super) fn find_merged(&mut self, view: &View) -> Result<(), ReadError> {
        let mergers = view.mergers()?;
        let into: FxHashMap<PersonNumber, PersonNumber> =
            mergers.iter().map(|&(into, merged)| (merged, into)).collect();
        let mut people: BTreeMap<PersonNumber, Vec<PersonNumber>> = BTreeMap::new();
        for &(_, merged) in &mergers {
            let mut stays = merged;
            while let Some(&next) = into.get(&stays) {
                stays = next;
            }
            people.entry(stays).or_insert_with(|| vec![stays]).push(merged);
        }
        for records in people.values() {
            let mut was_paid = false;
            for &record in records {
                was_paid = was_paid || self.paid_by(view, record)?.is_some();
            }
            if !was_paid {
                continue;
            }
            for &record in records {
                for at in view.rows_of(record)? {
                    self.merged.entry(at.segment).or_default().push(at.row);
                }
            }
        }
        Ok(())
    }

    /// The number of the first run that paid a record.
    pub(super) fn paid_by(&self, view: &View, person: PersonNumber) -> Result<Option<u32>, ReadError> {
        let rows = view.rows_of(person)?;
        for run in &self.runs {
            for &at in &rows {
                if run.paid_at(view, at)? {
                    return Ok(Some(run.number));
                }
            }
        }
        Ok(None)
    }

    /// Whether a record was paid by its row in another segment than this one.
    pub(super) fn paid_elsewhere(
        &self,
        view: &View,
        person: PersonNumber,
        segment: SegmentKey,
    ) -> Result<bool, ReadError> {
        for at in view.rows_of(person)? {
            if at.segment == segment {
                continue;
            }
            for run in &self.runs {
                if run.paid_at(view, at)? {
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }

    /// Marks the rows of a segment that were paid. Each block is decoded once; `codes` is room for it.
    pub(super) fn mark(
        &self,
        view: &View,
        segment: SegmentKey,
        rows: usize,
        paid: &mut Vec<bool>,
        codes: &mut Vec<u32>,
    ) -> Result<(), ReadError> {
        paid.clear();
        paid.resize(rows, false);
        for run in self.runs.iter().filter(|run| run.covers(view, segment)) {
            let mark = |row: usize| {
                if let Some(paid) = paid.get_mut(row) {
                    *paid = true;
                }
            };
            view.run_rows(run.number, segment, |code| run.pays(code), codes, mark)?;
        }
        for &row in self.merged.get(&segment).into_iter().flatten() {
            if let Some(paid) = paid.get_mut(usize::from(row)) {
                *paid = true;
            }
        }
        Ok(())
    }
}
