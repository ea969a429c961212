//! The figures in force in one month, as the law was known on one day.

use std::sync::Arc;

use super::case::Case;
use super::expr::check::{ParameterIndex, TableIndex};
use super::expr::range::Fault;
use super::expr::reach::Reach;
use super::lookup::{Asked, Possible, Rows, find};
use super::pack::PackData;
use super::parameter::{Area, ProvincialRule};
use crate::types::{Date, Decimal, Month};

/// Values of parameters, and editions of tables.
#[derive(Debug, Clone)]
pub(crate) struct Figures {
    parameters: Vec<Figure>,
    tables: Vec<Option<Arc<Rows>>>,
}

/// A parameter in force.
#[derive(Debug, Clone)]
struct Figure {
    national: Option<Decimal>,
    areas: Vec<(Area, Decimal)>,
    rule: ProvincialRule,
}

impl Figures {
    /// What holds in a month, as known on a day.
    pub fn in_force(pack: &PackData, month: Month, law_known_on: Date) -> Self {
        let parameters = pack.parameters.iter().map(|parameter| Figure {
            national: parameter.value_for(month, law_known_on).map(|value| value.value),
            areas: parameter
                .provincial_for(month, law_known_on)
                .map(|value| (value.area, value.value.value))
                .collect(),
            rule: parameter.rule,
        });
        let tables = pack.tables.iter().map(|table| {
            let edition = table.edition_for(month, law_known_on);
            edition.map(|edition| Arc::clone(&edition.values))
        });
        Self {
            parameters: parameters.collect(),
            tables: tables.collect(),
        }
    }

    /// Whether a parameter has a value everywhere.
    pub fn has_value(&self, index: ParameterIndex) -> bool {
        self.parameters[index].national.is_some()
    }

    /// Whether a table has an edition.
    pub fn has_edition(&self, index: TableIndex) -> bool {
        self.tables[index].is_some()
    }

    /// The value of a parameter where a case lives.
    pub fn value(&self, index: ParameterIndex, case: &Case<'_>) -> Option<Decimal> {
        let figure = &self.parameters[index];
        let mut value = figure.national;
        for (area, provincial) in &figure.areas {
            if area.contains(case.province, case.former_province) {
                value = match (figure.rule, value) {
                    (ProvincialRule::Higher, Some(value)) => Some(value.max(*provincial)),
                    _ => Some(*provincial),
                };
            }
        }
        value
    }

    /// The value of a parameter, if it is the same everywhere.
    pub fn constant(&self, index: ParameterIndex) -> Option<Decimal> {
        let figure = &self.parameters[index];
        figure.national.filter(|_| figure.areas.is_empty())
    }

    /// The areas in which a parameter has a value of its own.
    pub fn areas(&self, index: ParameterIndex) -> impl Iterator<Item = Area> + '_ {
        self.parameters[index].areas.iter().map(|(area, _)| *area)
    }

    /// How far the values of a parameter reach, wherever a case lives.
    pub fn reach_of_parameter(&self, index: ParameterIndex) -> Reach {
        let figure = &self.parameters[index];
        let values = figure
            .areas
            .iter()
            .map(|(_, value)| *value)
            .chain(figure.national);
        values.map(Reach::of).fold(Reach::default(), Reach::max)
    }

    /// How far the values of a table reach.
    pub fn reach_of_table(&self, table: TableIndex) -> Reach {
        let values = self.tables[table].iter().flat_map(|rows| rows.values());
        values.copied().map(Reach::of).fold(Reach::default(), Reach::max)
    }

    /// The values that a row of a table may have.
    pub fn row(&self, table: TableIndex, asked: &[Asked]) -> Result<Possible, Fault> {
        let rows = self.tables[table].as_ref().ok_or(Fault::NoRow)?;
        find(rows, asked)
    }
}
