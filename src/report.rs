//! What people read of a run: its totals by province, commune, programme or payment channel.

use std::collections::BTreeMap;

use crate::entitlement::{CHANNEL_ATTRIBUTE, RunHeader};
use crate::format::totals::{CommuneTotals, LineKind, StatusCounts, Tally};
use crate::kernel::catalogue::SubjectKind;
use crate::kernel::{ReadError, View};
use crate::types::{ProgrammeNumber, Total};

/// By what a report breaks a run down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum By {
    /// The province.
    Province,
    /// The commune.
    Commune,
    /// The programme.
    Programme,
    /// The payment channel.
    Channel,
}

/// A line of a report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// The code or identifier.
    pub key: String,
    /// What it is called.
    pub name: String,
    /// People by status. For a programme or a channel only those who are paid (and, for a programme, held or in
    /// error) are counted: nobody is in the scope of one programme alone.
    pub status: StatusCounts,
    /// The sum of what is paid.
    pub amount: Total,
    /// The sum of what is held; always zero by channel.
    pub held: Total,
}

/// A run, broken down.
#[derive(Debug, Clone)]
pub struct Report {
    /// The run.
    pub run: RunHeader,
    /// By what.
    pub by: By,
    /// The lines, by key.
    pub rows: Vec<Row>,
    /// Everyone together.
    pub total: Row,
}

/// Breaks a run down.
///
/// A person can be paid by several programmes, so the people of a report by programme need not add up to those who
/// are paid; its amounts do.
pub fn report(view: &View, run: &RunHeader, by: By) -> Result<Report, ReadError> {
    let totals = view.run_totals(run.number)?;
    let mut all = CommuneTotals::default();
    for (_, totals) in &totals {
        all.add(totals)
            .map_err(|error| ReadError::Inconsistent(error.to_string()))?;
    }
    let rows = match by {
        By::Province | By::Commune => by_place(view, run, &totals, by)?,
        By::Programme => by_programme(view, &all),
        By::Channel => by_channel(view, &all),
    };
    let total = row(String::new(), "total".to_owned(), &all);
    Ok(Report {
        run: run.clone(),
        by,
        rows,
        total,
    })
}

fn sum_of(totals: &CommuneTotals, kind: LineKind) -> Total {
    let mut sum = Total::ZERO;
    for ((_, of), tally) in &totals.programmes {
        if *of == kind {
            sum.add(tally.sum);
        }
    }
    sum
}

fn row(key: String, name: String, totals: &CommuneTotals) -> Row {
    let (amount, held) = (sum_of(totals, LineKind::Paid), sum_of(totals, LineKind::Held));
    Row {
        key,
        name,
        status: totals.status,
        amount,
        held,
    }
}

fn by_place(
    view: &View,
    run: &RunHeader,
    totals: &[(crate::types::UnitNumber, CommuneTotals)],
    by: By,
) -> Result<Vec<Row>, ReadError> {
    let mut places: BTreeMap<String, (String, CommuneTotals)> = BTreeMap::new();
    for (number, totals) in totals {
        let unit = view.unit(*number);
        let unit = unit.ok_or_else(|| ReadError::Inconsistent(format!("{number} is not stored")))?;
        let name = unit.name_in(run.month);
        let (key, name) = if by == By::Province {
            (unit.declared.province.to_string(), name.province_name.clone())
        } else {
            (
                unit.declared.code.to_string(),
                format!("{}, {}", name.name, name.province_name),
            )
        };
        let (_, sum) = places
            .entry(key)
            .or_insert_with(|| (name, CommuneTotals::default()));
        sum.add(totals)
            .map_err(|error| ReadError::Inconsistent(error.to_string()))?;
    }
    Ok(places
        .into_iter()
        .map(|(key, (name, totals))| row(key, name, &totals))
        .collect())
}

fn by_programme(view: &View, all: &CommuneTotals) -> Vec<Row> {
    let numbers: std::collections::BTreeSet<ProgrammeNumber> =
        all.programmes.keys().map(|(programme, _)| *programme).collect();
    let tally = |programme, kind| {
        all.programmes
            .get(&(programme, kind))
            .copied()
            .unwrap_or_default()
    };
    numbers
        .into_iter()
        .map(|programme| {
            let declared = view.catalogue().programme_by_number(programme);
            let (paid, held, error) = (
                tally(programme, LineKind::Paid),
                tally(programme, LineKind::Held),
                tally(programme, LineKind::Error),
            );
            let status = StatusCounts {
                people: 0,
                paid: paid.people,
                held: held.people,
                error: error.people,
                ..StatusCounts::default()
            };
            Row {
                key: declared.map_or_else(|| programme.to_string(), |declared| declared.name.clone()),
                name: declared.map_or_else(String::new, |declared| declared.title_en.clone()),
                status,
                amount: paid.sum,
                held: held.sum,
            }
        })
        .collect()
}

fn by_channel(view: &View, all: &CommuneTotals) -> Vec<Row> {
    let attribute = view
        .catalogue()
        .attribute(SubjectKind::Person, CHANNEL_ATTRIBUTE)
        .ok();
    all.channels
        .iter()
        .map(|(&channel, &Tally { people, sum })| {
            let name = attribute
                .and_then(|attribute| attribute.named(channel))
                .map_or_else(|| format!("value #{channel}"), |named| named.name.clone());
            Row {
                key: name.clone(),
                name: name.replace('_', " "),
                status: StatusCounts {
                    paid: people,
                    ..StatusCounts::default()
                },
                amount: sum,
                held: Total::ZERO,
            }
        })
        .collect()
}
