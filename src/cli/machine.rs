//! What is asked of the machine: the time, who sits at it, how much memory was used.

use std::time::{SystemTime, UNIX_EPOCH};

use super::Failure;
use crate::types::{Date, Instant, Month};

/// Now.
pub fn now() -> Instant {
    let millis = match SystemTime::now().duration_since(UNIX_EPOCH) {
        Ok(since) => i64::try_from(since.as_millis()).unwrap_or(i64::MAX),
        Err(before) => -i64::try_from(before.duration().as_millis()).unwrap_or(i64::MAX),
    };
    Instant::from_unix_millis(millis)
}

/// The month that it now is in Vietnam.
pub fn this_month() -> Result<Month, Failure> {
    let today = Date::in_vietnam(now());
    today.map(Date::month).map_err(|error| {
        Failure::Failed(format!(
            "the clock of this machine is wrong: {error}; give the month"
        ))
    })
}

/// The name under which someone is logged in; on Linux without a name, the number of the account.
pub fn user() -> Option<String> {
    let name = ["USER", "LOGNAME", "USERNAME"]
        .iter()
        .find_map(|name| std::env::var(name).ok().filter(|user| !user.is_empty()));
    name.or_else(|| {
        let account = status("Uid:")?;
        Some(format!("uid {}", account.split_whitespace().next()?))
    })
}

/// The most memory that this process ever had, in bytes; `None` where the system does not tell.
pub fn peak_memory_bytes() -> Option<u64> {
    let kibibytes: u64 = status("VmHWM:")?.strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes * 1024)
}

/// What Linux says of this process under a name.
fn status(name: &str) -> Option<String> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    Some(line.trim().to_owned())
}

/// How this program was called, to be shown in commands to try.
pub fn program() -> String {
    std::env::args().next().unwrap_or_else(|| "ansinh".to_owned())
}

/// How many threads to work with.
pub fn workers() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// How this program was called, to be shown in commands to try.
pub fn program() -> String {
    std::env::args().next().unwrap_or_else(|| "ansinh".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clock_is_within_the_calendar() {
        assert!(this_month().unwrap() > Month::new(2025, 1).unwrap());
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn memory_is_told() {
        assert!(peak_memory_bytes().unwrap() > 100_000);
        assert!(user().is_some());
    }
}
