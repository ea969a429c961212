//! Totals that are read have exactly the bytes that they are written in.
#![no_main]

use ansinh::format::totals::CommuneTotals;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(totals) = CommuneTotals::decode(bytes) {
        assert_eq!(totals.encode(), bytes);
    }
});
