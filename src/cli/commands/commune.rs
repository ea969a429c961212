//! `commune`: an administrative unit and how many people live in it.

use clap::Args;
use serde_json::{Map, json};

use super::show::{check_known, moment};
use crate::cli::Failure;
use crate::cli::database::Database;
use crate::cli::describe::{Describer, Privacy};
use crate::cli::output::{Output, Table};
use crate::kernel::units::UnitKind;
use crate::types::{CommuneCode, Month};

/// Shows a commune.
#[derive(Debug, Args)]
#[command(
    after_help = "A code means another area before and after 2025-07, so the month matters.\n\nExample:\n  ansinh commune national.ansinh 00004 --month 2026-06"
)]
pub struct Commune {
    #[command(flatten)]
    database: Database,
    /// The five-digit code
    #[arg(value_name = "CODE")]
    code: CommuneCode,
    /// The month at whose end the commune is shown [default: this month]
    #[arg(long, value_name = "MONTH")]
    month: Option<Month>,
    /// Show only what was recorded up to this transaction
    #[arg(long, value_name = "SEQ")]
    known_at: Option<u64>,
}

const fn kind(kind: UnitKind) -> &'static str {
    match kind {
        UnitKind::Commune => "commune (xã)",
        UnitKind::Ward => "ward (phường)",
        UnitKind::SpecialZone => "special zone (đặc khu)",
    }
}

impl Commune {
    pub(super) fn run(&self, output: &mut Output) -> Result<(), Failure> {
        const MASKED: Privacy = Privacy {
            unmask: false,
            sensitive: None,
            author: None,
        };
        let as_of = moment(self.month, self.known_at)?;
        let registry = self.database.read()?;
        let view = registry.begin_read()?;
        check_known(&view, as_of)?;
        let found = view.commune_by_code(self.code, as_of)?;
        let describer = Describer::new(&view, &MASKED);
        let (declared, name) = (&found.unit.declared, found.unit.name_in(as_of.month));
        let last = found.unit.end.map(|end| end.last.to_string());
        let residents = found.state.residents.len();
        if output.is_json() {
            let mut facts = Map::new();
            for (attribute, value) in describer.shown(&found.state.values) {
                facts.insert(attribute.name.clone(), describer.value_json(attribute, value)?);
            }
            return output.json(&json!({
                "commune": self.code.to_string(),
                "month": as_of.month.to_string(),
                "name": name.name,
                "kind": kind(name.kind).split(' ').next(),
                "province": declared.province.to_string(),
                "province_name": name.province_name,
                "former_province": declared.former_province.to_string(),
                "from": declared.from.to_string(),
                "until": last,
                "people": residents,
                "facts": facts,
            }));
        }
        let mut table = Table::list();
        table.pair("Commune", format!("{} {}", self.code, name.name));
        table.pair("Kind", kind(name.kind));
        table.pair(
            "Province",
            format!("{} {}", declared.province, name.province_name),
        );
        table.pair("Former province", declared.former_province);
        let until = last.map_or_else(String::new, |last| format!(" until {last}"));
        table.pair("Exists", format!("from {}{until}", declared.from));
        table.pair("In month", as_of.month);
        table.pair("People", residents);
        for (attribute, value) in describer.shown(&found.state.values) {
            table.pair(&attribute.name, describer.value(attribute, value)?);
        }
        output.table(&table)
    }
}
