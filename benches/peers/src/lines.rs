//! What a job comes to, in the form in which all systems are compared.

use std::collections::BTreeMap;

use serde::Serialize;

/// Whether a line is paid, or held because something is not known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    Paid,
    Held,
}

/// A sum by commune, programme and kind.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Total {
    pub commune: u32,
    /// See [`crate::policy::Programme`].
    pub programme: u8,
    pub kind: Kind,
    pub people: u64,
    pub amount: i64,
}

/// A sum of what is paid by commune and channel.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct ChannelTotal {
    pub commune: u32,
    pub channel: u8,
    pub people: u64,
    pub amount: i64,
}

/// What one person gets. A programme of 0 stands for none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Line {
    pub person: u32,
    pub commune: u32,
    pub channel: u8,
    pub programme: u8,
    pub amount: i64,
    pub held_programme: u8,
    pub held_amount: i64,
}

/// People and đồng.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    pub people: u64,
    pub amount: i64,
}

impl Tally {
    const fn add(&mut self, amount: i64) {
        self.people += 1;
        self.amount += amount;
    }
}

/// The sums of lines.
#[derive(Debug, Clone, Default)]
pub struct Totals {
    /// By commune, programme and kind.
    pub programmes: BTreeMap<(u32, u8, Kind), Tally>,
    /// By commune and channel.
    pub channels: BTreeMap<(u32, u8), Tally>,
}

impl Totals {
    pub fn of(lines: &[Line]) -> Self {
        let mut totals = Self::default();
        for line in lines {
            if line.programme != 0 {
                let key = (line.commune, line.programme, Kind::Paid);
                totals.programmes.entry(key).or_default().add(line.amount);
                let key = (line.commune, line.channel);
                totals.channels.entry(key).or_default().add(line.amount);
            }
            if line.held_programme != 0 {
                let key = (line.commune, line.held_programme, Kind::Held);
                totals.programmes.entry(key).or_default().add(line.held_amount);
            }
        }
        totals
    }
}

/// The most memory that this process ever held, where the system tells.
pub fn peak_memory_mib() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM"))?;
    let kib: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kib / 1024)
}
