//! Any text is refused as a case of the pack of Vietnam, or everyone in it is evaluated without a panic.
#![no_main]

use std::sync::OnceLock;

use ansinh::policy::{MonthPolicy, Pack};
use ansinh::types::{Date, Month};
use libfuzzer_sys::fuzz_target;

/// Longer inputs only take longer.
const BYTES_MAX: usize = 1 << 14;

fn pack() -> &'static (Pack, MonthPolicy) {
    static PACK: OnceLock<(Pack, MonthPolicy)> = OnceLock::new();
    PACK.get_or_init(|| {
        let pack = Pack::vietnam();
        let (policy, _) = pack.alone();
        let month = Month::new(2026, 6).expect("a month");
        let month = policy
            .for_month(month, Date::last_of(month))
            .expect("the built-in pack has June 2026");
        (pack, month)
    })
}

fuzz_target!(|text: &str| {
    if text.len() > BYTES_MAX {
        return;
    }
    let (pack, month) = pack();
    match pack.read_case("case.toml", text, month.month()) {
        Err(errors) => assert!(!errors.to_string().is_empty()),
        Ok(people) => assert_eq!(people.evaluate(month).len(), people.len()),
    }
});
