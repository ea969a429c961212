//! Blocks of money records: the header of a run, its dictionary of outcomes, outcome codes by segment, and totals.
//!
//! What stands in a header or a dictionary is the layer's above; the kernel keeps the bytes, writes a run whole or
//! not at all, and finds a person's line.

use super::digester::Digester;
use super::error::{ReadError, WriteError, malformed};
use super::log::LoggedOperation;
use super::operation::Refusal;
use super::tables::collect;
use super::transaction::{LogKind, WriteTransaction};
use super::view::View;
use crate::format::ledger::{LedgerBlock, NOT_IN_SCOPE};
use crate::format::locator::{Locator, SegmentKey};
use crate::format::totals::CommuneTotals;
use crate::types::{Month, PersonNumber, UnitNumber};

/// A run to be written.
#[derive(Debug, Clone)]
pub struct NewRun {
    /// The month under which it is found.
    pub month: Month,
    /// The header.
    pub header: Vec<u8>,
    /// The dictionary of outcomes, in blocks.
    pub outcomes: Vec<Vec<u8>>,
    /// The encoded blocks, in the order of segments.
    pub blocks: Vec<(SegmentKey, Vec<u8>)>,
    /// The totals, in the order of units.
    pub totals: Vec<(UnitNumber, CommuneTotals)>,
}

/// The greatest number of runs in a registry.
pub const RUNS_MAX: u32 = u32::MAX - 1;

const fn month_key(month: Month, run: u32) -> u64 {
    (month.index() as u64) << 32 | run as u64
}

const fn outcomes_key(run: u32, block: u32) -> u64 {
    (run as u64) << 32 | block as u64
}

const fn ledger_key(run: u32, segment: SegmentKey) -> u64 {
    (run as u64) << 32 | segment.number() as u64
}

const fn totals_key(run: u32, unit: u16) -> u64 {
    (run as u64) << 16 | unit as u64
}

impl WriteTransaction<'_> {
    /// The number that the next run will have.
    pub const fn next_run(&self) -> u32 {
        self.overlay.head.runs + 1
    }

    /// Writes a run, whole, with the commit; answers its number. `about` says in the log what it is.
    pub fn put_run(&mut self, run: NewRun, about: &str) -> Result<u32, WriteError> {
        let number = self.next_run();
        if number > RUNS_MAX {
            let (found, max) = (u64::from(number), u64::from(RUNS_MAX));
            return Err(Refusal::Limit {
                what: "runs",
                found,
                max,
            }
            .into());
        }
        self.overlay.head.runs = number;
        self.kind = LogKind::Run;
        let mut digest = Digester::new();
        digest.update(&run.header);
        for block in &run.outcomes {
            digest.update(block);
        }
        for (segment, block) in &run.blocks {
            digest.update(&segment.number().to_le_bytes());
            digest.update(block);
        }
        let digest = *digest.finish().as_bytes();
        let about = about.to_owned();
        self.payloads.push(
            LoggedOperation::Run {
                number,
                about,
                digest,
            }
            .encode(),
        );
        self.blocks.headers.insert(number, run.header);
        self.blocks.months.push(month_key(run.month, number));
        let outcomes = (0..).zip(run.outcomes);
        self.blocks
            .outcomes
            .extend(outcomes.map(|(block, bytes)| (outcomes_key(number, block), bytes)));
        let blocks = run.blocks.into_iter();
        self.blocks
            .ledger
            .extend(blocks.map(|(segment, block)| (ledger_key(number, segment), block)));
        for (unit, totals) in &run.totals {
            self.blocks
                .totals
                .insert(totals_key(number, unit.get()), totals.encode());
        }
        Ok(number)
    }

    /// Replaces the header of a run: its status changed. `about` says in the log how.
    pub fn put_run_header(&mut self, run: u32, header: Vec<u8>, about: &str) {
        self.kind = LogKind::Run;
        let digest = *blake3::hash(&header).as_bytes();
        let logged = LoggedOperation::Run {
            number: run,
            about: about.to_owned(),
            digest,
        };
        self.payloads.push(logged.encode());
        self.blocks.headers.insert(run, header);
    }
}

impl View {
    /// The numbers and headers of all runs, in the order in which they were written.
    pub fn runs(&self) -> Result<Vec<(u32, Vec<u8>)>, ReadError> {
        collect(self.tables.runs.range::<u32>(..)?, |run, header| {
            Ok((run, header.to_vec()))
        })
    }

    /// The numbers and headers of the runs of a month, in the order in which they were written. It costs the same
    /// however many runs other months have.
    pub fn runs_of(&self, month: Month) -> Result<Vec<(u32, Vec<u8>)>, ReadError> {
        let (first, last) = (month_key(month, 0), month_key(month, u32::MAX));
        let numbers = collect(self.tables.run_months.range(first..=last)?, |key, ()| {
            Ok(key as u32)
        })?;
        numbers
            .into_iter()
            .map(|run| {
                let header =
                    self.tables.runs.get(run)?.ok_or_else(|| {
                        ReadError::Inconsistent(format!("run {run} of {month} has no header"))
                    })?;
                Ok((run, header.value().to_vec()))
            })
            .collect()
    }

    /// The blocks of the dictionary of outcomes of a run, in order.
    pub fn run_outcomes(&self, run: u32) -> Result<Vec<Vec<u8>>, ReadError> {
        let (first, last) = (outcomes_key(run, 0), outcomes_key(run, u32::MAX));
        collect(self.tables.outcomes.range(first..=last)?, |_, bytes| {
            Ok(bytes.to_vec())
        })
    }

    /// One block of the dictionary of outcomes of a run.
    pub fn run_outcome_block(&self, run: u32, block: u32) -> Result<Option<Vec<u8>>, ReadError> {
        let bytes = self.tables.outcomes.get(outcomes_key(run, block))?;
        Ok(bytes.map(|bytes| bytes.value().to_vec()))
    }

    /// The code of the outcome that a run determined for a person; `None` if the person was not in its scope.
    pub fn run_code(&self, run: u32, person: PersonNumber) -> Result<Option<u32>, ReadError> {
        for at in self.snapshot().rows(person)? {
            if let Some(code) = self.run_code_at(run, at)? {
                return Ok(Some(code));
            }
        }
        Ok(None)
    }

    /// The code of the outcome that a run determined for a row; `None` if the row was not in its scope.
    pub fn run_code_at(&self, run: u32, at: Locator) -> Result<Option<u32>, ReadError> {
        let Some(bytes) = self.tables.ledger.get(ledger_key(run, at.segment))? else {
            return Ok(None);
        };
        let wrong = malformed("ledger", format!("run {run}, segment {}", at.segment.number()));
        let block = LedgerBlock::decode(bytes.value()).map_err(wrong)?;
        Ok(block
            .code(usize::from(at.row))
            .filter(|&code| code != NOT_IN_SCOPE))
    }

    /// Calls `found` with every row of a segment to which a run gave a code that is `wanted`. The codes are put into
    /// `codes`, whose memory is used again; a block whose dictionary has no wanted code is not unpacked.
    pub fn run_rows(
        &self,
        run: u32,
        segment: SegmentKey,
        wanted: impl Fn(u32) -> bool,
        codes: &mut Vec<u32>,
        mut found: impl FnMut(usize),
    ) -> Result<(), ReadError> {
        let Some(bytes) = self.tables.ledger.get(ledger_key(run, segment))? else {
            return Ok(());
        };
        let wrong = malformed("ledger", format!("run {run}, segment {}", segment.number()));
        let block = LedgerBlock::decode(bytes.value()).map_err(wrong)?;
        if !block.dictionary().iter().any(|&code| wanted(code)) {
            return Ok(());
        }
        block.codes_into(codes);
        for (row, _) in codes.iter().enumerate().filter(|&(_, &code)| wanted(code)) {
            found(row);
        }
        Ok(())
    }

    /// The codes of a segment's rows in a run; `None` if the segment was not in its scope.
    pub fn run_codes(&self, run: u32, segment: SegmentKey) -> Result<Option<Vec<u32>>, ReadError> {
        let Some(bytes) = self.tables.ledger.get(ledger_key(run, segment))? else {
            return Ok(None);
        };
        let wrong = malformed("ledger", format!("run {run}, segment {}", segment.number()));
        Ok(Some(
            LedgerBlock::decode(bytes.value())
                .map_err(wrong)?
                .codes()
                .collect(),
        ))
    }

    /// The bytes of every block of a run, in the order of segments.
    pub fn run_blocks(&self, run: u32) -> Result<Vec<(SegmentKey, Vec<u8>)>, ReadError> {
        let (first, last) = (
            ledger_key(run, SegmentKey::from_number(0)),
            ledger_key(run, SegmentKey::from_number(u32::MAX)),
        );
        collect(self.tables.ledger.range(first..=last)?, |key, bytes| {
            Ok((SegmentKey::from_number(key as u32), bytes.to_vec()))
        })
    }

    /// The totals of a run by unit.
    pub fn run_totals(&self, run: u32) -> Result<Vec<(UnitNumber, CommuneTotals)>, ReadError> {
        let (first, last) = (totals_key(run, 0), totals_key(run, u16::MAX));
        collect(self.tables.totals.range(first..=last)?, |key, bytes| {
            let totals = CommuneTotals::decode(bytes).map_err(malformed("totals", key))?;
            Ok((UnitNumber(key as u16), totals))
        })
    }
}
