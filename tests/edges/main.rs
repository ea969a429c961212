//! The kernel under use that random histories do not reach: several writers and readers at once, loads that are
//! refused half-way, limits, and scans of every segment at every sequence against what the facts say.

mod check;
mod concurrency;
mod limits;
mod loads;
mod runs;
mod scans;
