//! Capacity runs: what a registry of so many people costs on this machine.
//!
//! **Invariant:** it measures durations and the disk, and prints nothing. What it finds goes out as [`Figures`] and, of
//! several sizes together, as a [`Report`]; who asked for it says them.
//!
//! Each piece of work ([`Task`]) is done in a process of its own, so that it begins with an empty page cache of the
//! registry and its memory is told apart. The operating system's own cache stays as it is: warm, where memory suffices.

mod fit;
mod machine;
mod page;
mod rows;
mod task;

use std::collections::BTreeMap;

pub use fit::Fit;
pub use machine::{Disk, Machine, free_bytes, is_writable};
pub use page::page;
pub use rows::{Kind, Report, Row, grouped};
pub use task::{BenchError, RunPack, Task, medians, perform};

/// What a piece of work came to, by name. Names end with their unit: `_seconds`, `_micros`, `_bytes`.
pub type Figures = BTreeMap<String, f64>;

/// The sizes that are measured unless others are named.
pub const SIZES: [u64; 2] = [1_000_000, 10_000_000];
/// For how many people the fitted lines foretell.
pub const FORETOLD_PEOPLE: u64 = 100_000_000;
/// How many people stand in the CSV file that is imported, at most.
pub const IMPORT_PEOPLE_MAX: u64 = 500_000;
/// How often a run is repeated; the median counts.
pub const RUNS: usize = 3;
/// Of how many people one is changed before a past month is run: 1.5 of a hundred.
pub const CHANGED_ONE_IN: u64 = 67;
/// How many threads submit grouped updates.
pub const WRITERS: u64 = 16;
/// How many changes of each wait at a time.
pub const IN_FLIGHT: usize = 64;

/// Room that a registry of one person takes on the disk while it is measured, about: it grows while it is changed.
const SPACE_PERSON_BYTES: u64 = 200;
/// Room of a person in the CSV file that is imported and in the two registries beside it, about.
const SPACE_IMPORTED_BYTES: u64 = 700;
/// Room beside the registries: the file by which the disk is measured.
const SPACE_BESIDE_BYTES: u64 = 320 << 20;

/// How much free space on the disk measuring so many people takes.
pub const fn space_needed(people: u64) -> u64 {
    let imported = if people < IMPORT_PEOPLE_MAX {
        people
    } else {
        IMPORT_PEOPLE_MAX
    };
    people * SPACE_PERSON_BYTES + imported * SPACE_IMPORTED_BYTES + SPACE_BESIDE_BYTES
}
