//! Where answers go: tables for people, tabs for pipes, JSON for programs.

use std::borrow::Cow;
use std::io::{self, BufWriter, IsTerminal, Write};

use comfy_table::{CellAlignment, ContentArrangement, presets};
use serde_json::Value as Json;

use super::Failure;
use crate::types::{Dong, Total};

/// The least width in which cells are folded.
const COLUMNS_MIN: u16 = 40;

/// The standard output of a command.
pub struct Output {
    out: Box<dyn Write>,
    json: bool,
    terminal: bool,
}

impl std::fmt::Debug for Output {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Output")
            .field("json", &self.json)
            .field("terminal", &self.terminal)
            .finish_non_exhaustive()
    }
}

/// A table. Columns of numbers stand to the right on a terminal.
#[derive(Debug, Default)]
pub struct Table {
    title: Option<String>,
    header: Vec<Cow<'static, str>>,
    right: Vec<usize>,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// A table with the names of its columns; a name that begins with `>` marks a column of numbers.
    pub fn new(header: &[&'static str]) -> Self {
        let right = (0..header.len())
            .filter(|&at| header[at].starts_with('>'))
            .collect();
        let header = header
            .iter()
            .map(|name| name.trim_start_matches('>').into())
            .collect();
        Self {
            header,
            right,
            ..Self::default()
        }
    }

    /// Adds a column of numbers whose name is not known beforehand.
    #[must_use]
    pub fn column(mut self, name: String) -> Self {
        self.right.push(self.header.len());
        self.header.push(name.into());
        self
    }

    /// A list of names and values, without a header.
    pub fn list() -> Self {
        Self::default()
    }

    /// What stands over it.
    #[must_use]
    pub fn titled(mut self, title: impl Into<String>) -> Self {
        self.title = Some(title.into());
        self
    }

    /// Adds a row.
    pub fn row<T: Into<String>>(&mut self, cells: impl IntoIterator<Item = T>) {
        self.rows.push(cells.into_iter().map(Into::into).collect());
    }

    /// Adds a name and its value to a list.
    pub fn pair(&mut self, name: &str, value: impl std::fmt::Display) {
        self.rows.push(vec![name.to_owned(), value.to_string()]);
    }

    /// Whether it has no row.
    pub const fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    fn drawn(&self) -> comfy_table::Table {
        let mut table = comfy_table::Table::new();
        // Some terminals tell no width, or 0; then nothing is folded.
        if table.width().is_some_and(|columns| columns >= COLUMNS_MIN) {
            table.set_content_arrangement(ContentArrangement::Dynamic);
        }
        if self.header.is_empty() {
            table.load_style(presets::NOTHING);
        } else {
            table.load_style(presets::UTF8_FULL_CONDENSED);
            table.set_header(self.header.iter().map(AsRef::<str>::as_ref));
        }
        table.add_rows(&self.rows);
        for &at in &self.right {
            if let Some(column) = table.column_mut(at) {
                column.set_cell_alignment(CellAlignment::Right);
            }
        }
        table
    }

    fn tabbed(&self, out: &mut dyn Write) -> io::Result<()> {
        if !self.header.is_empty() {
            writeln!(out, "{}", self.header.join("\t"))?;
        }
        for row in &self.rows {
            // A tab or a line break within a cell would be taken for the end of it.
            let cells: Vec<String> = row
                .iter()
                .map(|cell| cell.replace(['\t', '\n', '\r'], " "))
                .collect();
            writeln!(out, "{}", cells.join("\t"))?;
        }
        Ok(())
    }
}

impl Output {
    /// The standard output of this process.
    pub fn stdout(json: bool) -> Self {
        let stdout = io::stdout();
        let terminal = stdout.is_terminal();
        Self {
            out: Box::new(BufWriter::new(stdout.lock())),
            json,
            terminal,
        }
    }

    /// Whether JSON is asked for.
    pub const fn is_json(&self) -> bool {
        self.json
    }

    /// Whether people look at it.
    pub const fn is_terminal(&self) -> bool {
        self.terminal && !self.json
    }

    /// Where bytes go that are neither tables nor JSON.
    pub fn writer(&mut self) -> &mut dyn Write {
        &mut self.out
    }

    /// Prints a line.
    pub fn line(&mut self, text: impl std::fmt::Display) -> Result<(), Failure> {
        Ok(writeln!(self.out, "{text}")?)
    }

    /// Prints a table, unless it is empty.
    pub fn table(&mut self, table: &Table) -> Result<(), Failure> {
        if table.is_empty() {
            return Ok(());
        }
        if let Some(title) = &table.title {
            writeln!(self.out, "{}{title}", if self.terminal { "\n" } else { "" })?;
        }
        if self.terminal {
            writeln!(self.out, "{}", table.drawn().trim_fmt())?;
        } else {
            table.tabbed(&mut self.out)?;
        }
        Ok(())
    }

    /// Prints a JSON value on one line.
    pub fn json(&mut self, value: &Json) -> Result<(), Failure> {
        Ok(writeln!(self.out, "{value}")?)
    }

    /// Hands everything on.
    pub fn flush(&mut self) -> Result<(), Failure> {
        Ok(self.out.flush()?)
    }
}

/// An amount in JSON: a whole number of đồng.
pub fn amount(amount: Dong) -> Json {
    Json::from(amount.get())
}

/// A total in JSON: a whole number of đồng; as text where no JSON reader would keep all digits.
pub fn total(total: Total) -> Json {
    i64::try_from(total.get()).map_or_else(|_| Json::from(total.get().to_string()), Json::from)
}

/// A duration in JSON: seconds, to the microsecond.
pub fn seconds(duration: std::time::Duration) -> Json {
    Json::from(duration.as_micros() as f64 / 1e6)
}

/// A number of bytes for people.
pub fn bytes(bytes: u64) -> String {
    const UNITS: [&str; 4] = ["KiB", "MiB", "GiB", "TiB"];
    let mut tenths = u128::from(bytes) * 10;
    let mut unit = "B";
    for next in UNITS {
        if tenths < 10_240 {
            break;
        }
        (tenths, unit) = ((tenths + 512) / 1024, next);
    }
    if unit == "B" {
        format!("{bytes} B")
    } else {
        format!("{}.{} {unit}", tenths / 10, tenths % 10)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_have_one_line_a_row_in_a_pipe() {
        let mut table = Table::new(&["name", ">count"]);
        table.row(["a\tb", "1"]);
        table.row(["c\nd", "20"]);
        let mut out = Vec::new();
        table.tabbed(&mut out).unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), "name\tcount\na b\t1\nc d\t20\n");
        let drawn = table.drawn().trim_fmt();
        assert!(drawn.contains("count") && drawn.contains("   20"), "{drawn}");
    }

    #[test]
    fn bytes_have_a_unit() {
        for (number, text) in [
            (0, "0 B"),
            (1023, "1023 B"),
            (1024, "1.0 KiB"),
            (1_572_864, "1.5 MiB"),
            (u64::MAX, "16777216.0 TiB"),
        ] {
            assert_eq!(bytes(number), text);
        }
    }

    #[test]
    fn amounts_are_whole_numbers() {
        assert_eq!(amount(Dong::new(540_000)).to_string(), "540000");
        assert_eq!(total(Total::new(7)).to_string(), "7");
        assert_eq!(
            total(Total::new(i128::from(i64::MAX) + 1)).to_string(),
            "\"9223372036854775808\""
        );
    }
}
