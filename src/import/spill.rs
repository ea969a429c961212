//! Temporary files in which rows wait, divided so that each part fits in memory.

use std::fs::File;
use std::io::{BufReader, BufWriter, Read, Seek, Write};

use bincode::{Decode, Encode};
use parking_lot::Mutex;

use super::ImportError;
use crate::format::record;

const VERSION: u8 = 1;
/// The bytes that are written at once to one part.
const BUFFER_BYTES: usize = 64 << 10;
/// What stands before each row: its length.
const LEN_BYTES: usize = size_of::<u32>();

/// Rows as they go to their parts, encoded where they were made.
#[derive(Default)]
pub(super) struct Encoded {
    bytes: Vec<u8>,
    /// For each row its part, and where its bytes end.
    rows: Vec<(usize, usize)>,
}

impl Encoded {
    pub(super) fn push<T: Encode>(&mut self, part: usize, row: &T) {
        let at = self.bytes.len();
        self.bytes.extend_from_slice(&[0; LEN_BYTES]);
        let len = record::encode_into(&mut self.bytes, VERSION, row) as u32;
        self.bytes[at..at + LEN_BYTES].copy_from_slice(&len.to_le_bytes());
        self.rows.push((part, self.bytes.len()));
    }
}

/// Rows in parts. The files have no names and vanish with this value.
pub(super) struct Spill {
    parts: Vec<Mutex<Option<BufWriter<File>>>>,
}

impl Spill {
    pub(super) fn new(parts: usize) -> Self {
        Self {
            parts: (0..parts).map(|_| Mutex::new(None)).collect(),
        }
    }

    /// Adds rows to the parts to which they go.
    pub(super) fn write(&mut self, rows: &Encoded) -> Result<(), ImportError> {
        let mut start = 0;
        for &(part, end) in &rows.rows {
            let slot = self.parts[part].get_mut();
            if slot.is_none() {
                let file = tempfile::tempfile().map_err(ImportError::Temporary)?;
                *slot = Some(BufWriter::with_capacity(BUFFER_BYTES, file));
            }
            if let Some(out) = slot {
                out.write_all(&rows.bytes[start..end])
                    .map_err(ImportError::Temporary)?;
            }
            start = end;
        }
        Ok(())
    }

    /// Every row of a part, in the order in which they were written. Each part has a file of its own, so that different
    /// threads can read different ones.
    pub(super) fn read<T: Decode<()>>(&self, part: usize) -> Result<Vec<T>, ImportError> {
        let mut slot = self.parts[part].lock();
        let Some(out) = &mut *slot else {
            return Ok(Vec::new());
        };
        out.flush().map_err(ImportError::Temporary)?;
        let file = out.get_mut();
        file.rewind().map_err(ImportError::Temporary)?;
        let mut input = BufReader::with_capacity(BUFFER_BYTES, file);
        let mut rows = Vec::new();
        let mut len = [0; LEN_BYTES];
        let mut bytes = Vec::new();
        loop {
            match input.read_exact(&mut len) {
                Ok(()) => {}
                Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => break,
                Err(error) => return Err(ImportError::Temporary(error)),
            }
            bytes.resize(u32::from_le_bytes(len) as usize, 0);
            input.read_exact(&mut bytes).map_err(ImportError::Temporary)?;
            rows.push(record::decode(VERSION, &bytes).map_err(|error| {
                ImportError::Temporary(std::io::Error::new(std::io::ErrorKind::InvalidData, error))
            })?);
        }
        Ok(rows)
    }
}
