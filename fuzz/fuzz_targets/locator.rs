//! Every locator of any block is read or refused, and one that is set is read back without touching its neighbours.
#![no_main]

use ansinh::format::locator::{self, BLOCK_LOCATORS};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let whole = bytes.len() - bytes.len() % 5;
    let before: Vec<_> = (0..BLOCK_LOCATORS)
        .map(|place| locator::get(bytes, place))
        .collect();
    let Some(found) = before
        .iter()
        .find_map(|read| read.as_ref().ok().copied().flatten())
    else {
        return;
    };
    let mut block = bytes[..whole].to_vec();
    let place = usize::from(bytes[0]) % BLOCK_LOCATORS;
    locator::set(&mut block, place, found);
    assert_eq!(locator::get(&block, place), Ok(Some(found)));
    for other in (0..BLOCK_LOCATORS).filter(|&other| other != place && (other + 1) * 5 <= whole) {
        assert_eq!(locator::get(&block, other), before[other]);
    }
});
