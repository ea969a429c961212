//! Any bytes are refused, or read alike one by one and all at once, and what is written again is read alike.
#![no_main]

use ansinh::format::index::{self, IndexBlock};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (u64, &[u8])| {
    let (key, bytes) = input;
    let Ok(block) = IndexBlock::read(bytes) else {
        return;
    };
    let _ = block.get(key);
    let Ok(entries) = block.entries(key) else { return };
    for &(id, number) in &entries {
        assert_eq!(block.get(id), Ok(Some(number)));
    }
    for blocks in [index::even_blocks(&entries), index::full_blocks(&entries).collect()] {
        let again: Vec<_> = blocks
            .iter()
            .flat_map(|(key, bytes)| {
                let block = IndexBlock::read(bytes).expect("what was just written is read");
                block.entries(*key).expect("what was just written is read")
            })
            .collect();
        assert_eq!(again, entries);
    }
});
