//! Any bytes are refused, or hold references in ascending order that are found by target too, and what is written again
//! is read alike.
#![no_main]

use ansinh::format::reference::{self, KEY_BYTES, Reference};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Some((key, block)) = bytes.split_first_chunk::<KEY_BYTES>() else {
        return;
    };
    let first = Reference::of_key(*key);
    assert_eq!(first.key(), *key);
    let Ok(references) = reference::decode(first, block) else {
        return;
    };
    assert!(references.is_sorted_by(|a, b| a < b));
    for group in references.chunk_by(|a, b| a.target == b.target) {
        let found = reference::referrers(first, block, group[0].target);
        let expected = group.iter().map(|other| other.referrer).collect();
        assert_eq!(found, Ok(expected));
    }
    for blocks in [
        reference::blocks(&references),
        reference::even_blocks(&references),
    ] {
        let again: Vec<Reference> = blocks
            .iter()
            .flat_map(|(first, bytes)| reference::decode(*first, bytes).expect("what was written"))
            .collect();
        assert_eq!(again, references);
    }
});
