//! Any bytes are refused, or read alike one by one and as a whole; and what is set is read back without touching the others.
#![no_main]

use ansinh::format::locator::{self, BLOCK_LOCATORS, LocatorBlock};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let read = |bytes: &[u8]| -> Vec<_> { (0..BLOCK_LOCATORS).map(|place| locator::get(bytes, place)).collect() };
    let before = read(bytes);
    let Ok(mut block) = LocatorBlock::decode(bytes) else {
        return;
    };
    assert!(before.iter().all(Result::is_ok));
    let encoded = block.encode();
    assert_eq!(read(&encoded), before);
    assert_eq!(LocatorBlock::decode(&encoded).as_ref(), Ok(&block));
    let Some(found) = before.iter().find_map(|read| read.as_ref().ok().copied().flatten()) else {
        return;
    };
    let place = bytes.iter().map(|&byte| usize::from(byte)).sum::<usize>() % BLOCK_LOCATORS;
    block.set(place, found.at);
    block.mark_facts(place);
    let after = read(&block.encode());
    for other in 0..BLOCK_LOCATORS {
        if other == place {
            assert_eq!(after[other].clone().unwrap().map(|found| (found.at, found.has_facts)), Some((found.at, true)));
        } else {
            assert_eq!(after[other], before[other]);
        }
    }
});
