//! The kernel under use that random histories do not reach: several writers and readers at once, loads that are
//! refused half-way, limits, the index of references, and scans of every segment at every sequence against what the
//! facts say.

mod check;
mod concurrency;
mod keeping;
mod limits;
mod loads;
mod references;
mod runs;
mod scans;
#[path = "../common/ties.rs"]
mod ties;
