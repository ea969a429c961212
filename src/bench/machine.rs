//! The machine: what it is, and the limits that it sets.

use std::fs::{File, OpenOptions};
use std::hint::black_box;
use std::io::{self, Seek, SeekFrom, Write};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

/// What the machine says of itself, and how fast its memory and its disk were measured to be.
#[derive(Debug, Clone, PartialEq)]
pub struct Machine {
    /// The processor, as it names itself.
    pub processor: String,
    /// How many threads run at a time.
    pub cores: usize,
    /// The memory in bytes; 0 if the system does not tell.
    pub memory_bytes: u64,
    /// The operating system.
    pub system: String,
    /// Bytes that all cores together read from memory in a second, in one pass over a buffer too large for caches.
    pub memory_bytes_per_second: f64,
    /// The disk.
    pub disk: Disk,
}

/// A disk, measured in the folder in which registries are made.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Disk {
    /// Bytes written in a second, one after the other, the sync at the end included.
    pub write_bytes_per_second: f64,
    /// Seconds in which one page of 4,096 bytes is written and synced: the median.
    pub sync_seconds: f64,
}

/// The buffer that is read, at most.
const BUFFER_BYTES: u64 = 1 << 30;
/// The file that is written.
const FILE_BYTES: usize = 256 << 20;
/// In pieces of this size.
const PIECE_BYTES: usize = 1 << 20;
const PAGE_BYTES: u64 = 4_096;
/// How often a page is written and synced.
const SYNCS: usize = 60;

/// Numbers without order, for places in a file and people in a registry (splitmix64).
#[derive(Debug)]
pub(super) struct Dice(pub(super) u64);

impl Dice {
    /// A number below `bound`.
    pub(super) const fn roll(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut x = self.0;
        x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (x ^ (x >> 31)) % bound
    }
}

/// The value in the middle.
pub(super) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(0.0)
}

impl Machine {
    /// Measures the machine, and the disk under a folder: a few seconds.
    pub fn measure(folder: &Path) -> io::Result<Self> {
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let memory_bytes = field("/proc/meminfo", "MemTotal")
            .and_then(|text| text.strip_suffix("kB")?.trim().parse::<u64>().ok())
            .map_or(0, |kibibytes| kibibytes * 1_024);
        let processor = field("/proc/cpuinfo", "model name");
        Ok(Self {
            processor: processor.unwrap_or_else(|| std::env::consts::ARCH.to_owned()),
            cores,
            memory_bytes,
            system: format!("{} {}", std::env::consts::OS, std::env::consts::ARCH),
            memory_bytes_per_second: read_memory(cores, memory_bytes),
            disk: Disk {
                write_bytes_per_second: write_file(folder)?,
                sync_seconds: sync_pages(folder, 1, SYNCS)?,
            },
        })
    }
}

/// A field of one of the texts in which Linux describes itself.
fn field(path: &str, name: &str) -> Option<String> {
    let text = std::fs::read_to_string(path).ok()?;
    let line = text.lines().find(|line| line.starts_with(name))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}

/// Bytes a second, of the best of three passes of all cores over a buffer.
fn read_memory(cores: usize, memory_bytes: u64) -> f64 {
    let bytes = match memory_bytes {
        0 => BUFFER_BYTES / 4,
        memory => BUFFER_BYTES.min(memory / 8),
    };
    let buffer: Vec<u64> = (0..bytes / 8).collect();
    let pass = || {
        let clock = Instant::now();
        std::thread::scope(|scope| {
            for part in buffer.chunks(buffer.len().div_ceil(cores).max(1)) {
                scope.spawn(move || black_box(sum(part)));
            }
        });
        clock.elapsed().as_secs_f64()
    };
    let best = (0..3).map(|_| pass()).fold(f64::INFINITY, f64::min);
    bytes as f64 / best
}

/// Eight sums side by side, so that adding does not hold the reading up.
fn sum(part: &[u64]) -> u64 {
    let mut sums = [0_u64; 8];
    let mut pieces = part.chunks_exact(8);
    for piece in &mut pieces {
        for (sum, number) in sums.iter_mut().zip(piece) {
            *sum = sum.wrapping_add(*number);
        }
    }
    let rest = pieces.remainder().iter().copied();
    sums.into_iter().chain(rest).fold(0, u64::wrapping_add)
}

/// A file of pages that are all on the disk.
fn prepared_file(folder: &Path, bytes: usize) -> io::Result<(File, Duration)> {
    let mut file = tempfile::tempfile_in(folder)?;
    let piece: Vec<u8> = (0..PIECE_BYTES).map(|at| (at * 31 % 251) as u8).collect();
    let clock = Instant::now();
    for _ in 0..bytes / PIECE_BYTES {
        file.write_all(&piece)?;
    }
    file.sync_data()?;
    Ok((file, clock.elapsed()))
}

fn write_file(folder: &Path) -> io::Result<f64> {
    let (_, took) = prepared_file(folder, FILE_BYTES)?;
    Ok(FILE_BYTES as f64 / took.as_secs_f64())
}

/// The median of the seconds in which so many pages, here and there in a file, are written and synced.
pub(super) fn sync_pages(folder: &Path, pages: u64, times: usize) -> io::Result<f64> {
    let bytes = 16 * PIECE_BYTES;
    let (mut file, _) = prepared_file(folder, bytes)?;
    let mut dice = Dice(pages);
    let mut page = [0; PAGE_BYTES as usize];
    let mut measured = Vec::with_capacity(times);
    for time in 0..times {
        page.fill(time as u8);
        let clock = Instant::now();
        for _ in 0..pages {
            file.seek(SeekFrom::Start(dice.roll(bytes as u64 / PAGE_BYTES) * PAGE_BYTES))?;
            file.write_all(&page)?;
        }
        file.sync_data()?;
        measured.push(clock.elapsed().as_secs_f64());
    }
    Ok(median(measured))
}

/// The free space of the disk under a folder, in bytes; `None` where the system has no `df` that tells.
pub fn free_bytes(folder: &Path) -> Option<u64> {
    let said = Command::new("df").arg("-Pk").arg(folder).output().ok()?;
    let text = String::from_utf8(said.stdout).ok()?;
    let available: u64 = text.lines().nth(1)?.split_whitespace().nth(3)?.parse().ok()?;
    Some(available * 1_024)
}

/// Whether a file can be made in a folder.
pub fn is_writable(folder: &Path) -> io::Result<()> {
    let probe = folder.join(format!(".ansinh-bench-{}", std::process::id()));
    OpenOptions::new().write(true).create_new(true).open(&probe)?;
    std::fs::remove_file(&probe)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_and_medians_are_those_of_all_values() {
        let numbers: Vec<u64> = (1..=1_003).collect();
        assert_eq!(sum(&numbers), 1_003 * 1_004 / 2);
        assert!((median(vec![5.0, 1.0, 3.0]) - 3.0).abs() < 1e-12);
        assert!(median(Vec::new()).abs() < 1e-12);
    }

    #[test]
    fn a_disk_takes_time() {
        let folder = tempfile::tempdir().unwrap();
        assert!(sync_pages(folder.path(), 3, 2).unwrap() > 0.0);
        is_writable(folder.path()).unwrap();
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
