//! Any bytes are refused, or are a pack with the files beside it, which is read again alike and whose findings have
//! places in its text.
#![no_main]

use ansinh::policy::Pack;
use libfuzzer_sys::fuzz_target;

/// Longer inputs only take longer.
const BYTES_MAX: usize = 1 << 16;

fuzz_target!(|bytes: &[u8]| {
    if bytes.len() > BYTES_MAX {
        return;
    }
    let Ok(pack) = Pack::from_bytes("fuzz.toml", bytes) else {
        return;
    };
    let again = Pack::from_bytes("again.toml", &pack.to_bytes()).expect("what was written is read");
    assert_eq!(again.hash(), pack.hash());
    assert!(again.files().eq(pack.files()));
    let lines = pack.source_text().lines().count().max(1);
    for finding in pack.lint("fuzz.toml") {
        assert!((1..=lines).contains(&finding.error.line), "{finding}");
    }
});
