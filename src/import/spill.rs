//! Temporary files in which rows wait, divided so that each part fits in memory.

use std::fs::File;
use std::io::{BufReader, BufWriter, Read, Seek, Write};

use bincode::{Decode, Encode};

use super::ImportError;
use crate::format::record;

const VERSION: u8 = 1;
/// The bytes that are written at once to one part.
const BUFFER_BYTES: usize = 64 << 10;

/// Rows in parts. The files have no names and vanish with this value.
pub(super) struct Spill {
    parts: Vec<Option<BufWriter<File>>>,
}

impl Spill {
    pub(super) fn new(parts: usize) -> Self {
        Self {
            parts: (0..parts).map(|_| None).collect(),
        }
    }

    pub(super) const fn parts(&self) -> usize {
        self.parts.len()
    }

    pub(super) fn push<T: Encode>(&mut self, part: usize, row: &T) -> Result<(), ImportError> {
        let slot = &mut self.parts[part];
        if slot.is_none() {
            let file = tempfile::tempfile().map_err(ImportError::Temporary)?;
            *slot = Some(BufWriter::with_capacity(BUFFER_BYTES, file));
        }
        let Some(out) = slot else { return Ok(()) };
        let bytes = record::encode(VERSION, row);
        let len = (bytes.len() as u32).to_le_bytes();
        out.write_all(&len)
            .and_then(|()| out.write_all(&bytes))
            .map_err(ImportError::Temporary)
    }

    /// Every row of a part, in the order in which they were pushed.
    pub(super) fn read<T: Decode<()>>(&mut self, part: usize) -> Result<Vec<T>, ImportError> {
        let Some(out) = &mut self.parts[part] else {
            return Ok(Vec::new());
        };
        out.flush().map_err(ImportError::Temporary)?;
        let file = out.get_mut();
        file.rewind().map_err(ImportError::Temporary)?;
        let mut input = BufReader::with_capacity(BUFFER_BYTES, file);
        let mut rows = Vec::new();
        let mut len = [0; 4];
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
