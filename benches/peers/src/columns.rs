//! Columns in files: raw little-endian numbers, one file a column, described by `columns.json`.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::Result;

/// In a column of one byte: not known.
pub const UNKNOWN: u8 = u8::MAX;

/// How wide the numbers of a column are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Width {
    U8,
    U16,
    U32,
    U64,
}

impl Width {
    const fn bytes(self) -> usize {
        match self {
            Self::U8 => 1,
            Self::U16 => 2,
            Self::U32 => 4,
            Self::U64 => 8,
        }
    }
}

/// A column as `columns.json` describes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Column {
    pub name: String,
    pub width: Width,
    /// Whether [`UNKNOWN`] occurs; only in columns of one byte.
    pub unknown: bool,
}

/// A table as `columns.json` describes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Description {
    pub rows: u64,
    pub columns: Vec<Column>,
}

/// Some rows of a table in memory, by column.
#[derive(Debug, Clone, Default)]
pub struct Rows {
    pub count: usize,
    pub columns: Vec<Vec<u8>>,
}

impl Rows {
    pub fn new(columns: usize) -> Self {
        Self {
            count: 0,
            columns: vec![Vec::new(); columns],
        }
    }
}

/// Writes a table.
pub struct TableWriter {
    description: Description,
    files: Vec<BufWriter<File>>,
    folder: std::path::PathBuf,
}

impl TableWriter {
    pub fn create(folder: &Path, columns: Vec<(String, Width)>) -> Result<Self> {
        std::fs::create_dir_all(folder)?;
        let mut files = Vec::with_capacity(columns.len());
        for (name, _) in &columns {
            files.push(BufWriter::with_capacity(
                1 << 20,
                File::create(folder.join(name))?,
            ));
        }
        let columns = columns.into_iter().map(|(name, width)| Column {
            name,
            width,
            unknown: false,
        });
        Ok(Self {
            description: Description {
                rows: 0,
                columns: columns.collect(),
            },
            files,
            folder: folder.to_owned(),
        })
    }

    pub fn append(&mut self, rows: &Rows) -> Result<()> {
        self.description.rows += rows.count as u64;
        let columns = self.description.columns.iter_mut().zip(&mut self.files);
        for ((column, file), bytes) in columns.zip(&rows.columns) {
            if bytes.len() != rows.count * column.width.bytes() {
                return Err(format!(
                    "column {} has {} bytes for {} rows",
                    column.name,
                    bytes.len(),
                    rows.count
                )
                .into());
            }
            column.unknown |= column.width == Width::U8 && bytes.contains(&UNKNOWN);
            file.write_all(bytes)?;
        }
        Ok(())
    }

    /// Ends the files and describes them.
    pub fn finish(mut self) -> Result<Description> {
        for file in &mut self.files {
            file.flush()?;
        }
        let text = serde_json::to_string_pretty(&self.description)?;
        std::fs::write(self.folder.join("columns.json"), text)?;
        Ok(self.description)
    }
}

/// A table read whole.
pub struct Table {
    pub description: Description,
    bytes: Vec<Vec<u8>>,
}

impl Table {
    pub fn read(folder: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(folder.join("columns.json"))?;
        let description: Description = serde_json::from_str(&text)?;
        let files = description.columns.iter().map(|column| {
            let bytes = std::fs::read(folder.join(&column.name))?;
            let expected = description.rows as usize * column.width.bytes();
            if bytes.len() != expected {
                return Err(format!(
                    "column {} has {} bytes, expected {expected}",
                    column.name,
                    bytes.len()
                )
                .into());
            }
            Ok(bytes)
        });
        let bytes = files.collect::<Result<_>>()?;
        Ok(Self { description, bytes })
    }

    pub const fn rows(&self) -> usize {
        self.description.rows as usize
    }

    /// The place of a column.
    pub fn column(&self, name: &str) -> Result<usize> {
        let found = self
            .description
            .columns
            .iter()
            .position(|column| column.name == name);
        found.ok_or_else(|| format!("the export has no column {name}").into())
    }

    /// The number in a row of a column; `None` if not known.
    pub fn get(&self, column: usize, row: usize) -> Option<u64> {
        let width = self.description.columns[column].width;
        let start = row * width.bytes();
        let bytes = &self.bytes[column][start..start + width.bytes()];
        let mut number = [0; 8];
        number[..bytes.len()].copy_from_slice(bytes);
        (width != Width::U8 || bytes[0] != UNKNOWN).then(|| u64::from_le_bytes(number))
    }
}
