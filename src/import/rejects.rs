//! Rejected rows: what is wrong with each, for the report and for a file that can be corrected and imported.

use std::io::Write;

use bincode::{Decode, Encode};

use super::ImportError;
use super::grammar::REJECTS;

/// The greatest number of rejects that a report holds; the file of rejected rows has them all.
pub const REJECTS_KEPT_MAX: usize = 1_000;
/// The longest value that a reject repeats, in characters.
const VALUE_CHARS_MAX: usize = 120;

/// A row that was not taken, or one reason of several.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reject {
    /// The line on which the row begins, from 1.
    pub line: u64,
    /// The column; empty where the row as a whole is meant.
    pub column: String,
    /// The value found there, shortened.
    pub value: String,
    /// What is wrong and what was expected.
    pub reason: String,
}

impl std::fmt::Display for Reject {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "line {}", self.line)?;
        if !self.column.is_empty() {
            write!(f, ", column {:?}", self.column)?;
        }
        if !self.value.is_empty() {
            write!(f, ", value {:?}", self.value)?;
        }
        write!(f, ": {}", self.reason)
    }
}

/// What is wrong with one cell of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) column: String,
    pub(super) value: String,
    pub(super) reason: String,
}

impl Fault {
    #[expect(
        clippy::needless_pass_by_value,
        reason = "a reason is a text or an error, made for the fault"
    )]
    pub(super) fn new(column: impl Into<String>, value: impl Into<String>, reason: impl ToString) -> Self {
        let mut value = value.into();
        if let Some((end, _)) = value.char_indices().nth(VALUE_CHARS_MAX) {
            value.truncate(end);
            value.push('…');
        }
        Self {
            column: column.into(),
            value,
            reason: reason.to_string(),
        }
    }
}

/// The cells of a row as they were, packed: they wait with every row until it is entered.
#[derive(Debug, Clone, PartialEq, Eq, Default, Encode, Decode)]
pub(super) struct KeptCells(Vec<u8>);

impl KeptCells {
    /// Ends a cell with a text. No UTF-8 has this byte.
    const END: u8 = 0xff;
    /// Stands for as many empty cells as the byte after it says: most cells are. No UTF-8 has this byte either.
    const EMPTY: u8 = 0xfe;

    /// Whether there is no row at all.
    pub(super) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn cells(&self) -> impl Iterator<Item = &[u8]> {
        let (mut packed, mut empty) = (self.0.as_slice(), 0);
        std::iter::from_fn(move || {
            if empty == 0
                && let [Self::EMPTY, count, rest @ ..] = packed
            {
                (packed, empty) = (rest, *count);
            }
            if empty > 0 {
                empty -= 1;
                return Some(&[][..]);
            }
            let end = packed.iter().position(|&byte| byte == Self::END)?;
            let cell = &packed[..end];
            packed = &packed[end + 1..];
            Some(cell)
        })
    }

    fn push_empty(&mut self, count: u8) {
        if count > 0 {
            self.0.extend([Self::EMPTY, count]);
        }
    }
}

impl<'a> FromIterator<&'a [u8]> for KeptCells {
    /// Packs cells; what is not UTF-8 is replaced.
    fn from_iter<I: IntoIterator<Item = &'a [u8]>>(cells: I) -> Self {
        let (mut packed, mut empty) = (Self(Vec::new()), 0);
        for cell in cells {
            if cell.is_empty() && empty < u8::MAX {
                empty += 1;
                continue;
            }
            packed.push_empty(std::mem::take(&mut empty));
            if cell.is_empty() {
                empty = 1;
                continue;
            }
            packed
                .0
                .extend_from_slice(String::from_utf8_lossy(cell).as_bytes());
            packed.0.push(Self::END);
        }
        packed.push_empty(empty);
        packed
    }
}

/// Rejects of one part of the work, in order, until the sink takes them.
#[derive(Debug, Default)]
pub(super) struct Rejects(Vec<(u64, KeptCells, Vec<Fault>)>);

impl Rejects {
    /// A row that is not taken.
    pub(super) fn push(&mut self, line: u64, cells: KeptCells, faults: Vec<Fault>) {
        self.0.push((line, cells, faults));
    }
}

/// Takes rejects: counts rows, keeps the first and writes all.
pub(super) struct Sink<'w> {
    out: Option<csv::Writer<&'w mut dyn Write>>,
    header: Vec<String>,
    begun: bool,
    pub(super) rows: u64,
    pub(super) kept: Vec<Reject>,
}

impl<'w> Sink<'w> {
    pub(super) fn new(out: Option<&'w mut dyn Write>) -> Self {
        let out = out.map(|out| csv::WriterBuilder::new().flexible(true).from_writer(out));
        Self {
            out,
            header: Vec::new(),
            begun: false,
            rows: 0,
            kept: Vec::new(),
        }
    }

    /// The names of the columns of the file, which a file of rejected rows repeats.
    pub(super) fn set_header(&mut self, header: &[String]) {
        self.header = header
            .iter()
            .filter(|name| !REJECTS.contains(&name.as_str()))
            .cloned()
            .collect();
    }

    /// A row that is not taken. Its cells, those of [`Sink::set_header`], are written with the first reason only, so that
    /// the file can be imported again without taking the row twice.
    pub(super) fn reject(
        &mut self,
        line: u64,
        cells: &KeptCells,
        faults: &[Fault],
    ) -> Result<(), ImportError> {
        self.rows += 1;
        for (at, fault) in faults.iter().enumerate() {
            if self.kept.len() < REJECTS_KEPT_MAX {
                self.kept.push(Reject {
                    line,
                    column: fault.column.clone(),
                    value: fault.value.clone(),
                    reason: fault.reason.clone(),
                });
            }
            let Some(out) = &mut self.out else { continue };
            if !self.begun {
                let names = REJECTS
                    .iter()
                    .copied()
                    .chain(self.header.iter().map(String::as_str));
                out.write_record(names).map_err(ImportError::Rejects)?;
                self.begun = true;
            }
            let line = line.to_string();
            let own = [&line, &fault.column, &fault.value, &fault.reason].map(String::as_str);
            let given = cells.cells().filter(|_| at == 0);
            let cells = given.chain(std::iter::repeat(&[][..])).take(self.header.len());
            out.write_record(own.into_iter().map(str::as_bytes).chain(cells))
                .map_err(ImportError::Rejects)?;
        }
        Ok(())
    }

    /// The rejects of one part of the work.
    pub(super) fn take(&mut self, rejects: Rejects) -> Result<(), ImportError> {
        rejects
            .0
            .into_iter()
            .try_for_each(|(line, cells, faults)| self.reject(line, &cells, &faults))
    }

    pub(super) fn finish(&mut self) -> Result<(), ImportError> {
        if let Some(out) = &mut self.out {
            out.flush()
                .map_err(|error| ImportError::Rejects(csv::Error::from(error)))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kept_cells_are_given_back() {
        let long = vec![""; 700];
        for cells in [
            vec![],
            vec![""],
            vec!["", "", "a"],
            vec!["á", "", "b,c", "", "", ""],
            long,
        ] {
            let kept: KeptCells = cells.iter().map(|cell| cell.as_bytes()).collect();
            let given: Vec<&[u8]> = kept.cells().collect();
            assert_eq!(
                given,
                cells.iter().map(|cell| cell.as_bytes()).collect::<Vec<_>>()
            );
            assert_eq!(kept.is_empty(), cells.is_empty());
        }
        let broken: KeptCells = [&b"a\xff\xfeb"[..]].into_iter().collect();
        assert_eq!(
            broken.cells().collect::<Vec<_>>(),
            ["a\u{fffd}\u{fffd}b".as_bytes()]
        );
    }
}
