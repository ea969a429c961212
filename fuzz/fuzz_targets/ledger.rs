//! Any bytes are refused, or every row reads alike by itself and in the whole.
#![no_main]

use ansinh::format::ledger::LedgerBlock;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(block) = LedgerBlock::decode(bytes) else {
        return;
    };
    let codes: Vec<u32> = block.codes().collect();
    assert_eq!(codes.len(), block.rows());
    for (row, &code) in codes.iter().enumerate() {
        assert_eq!(block.code(row), Some(code));
    }
    assert_eq!(block.code(codes.len()), None);
    for &(row, amount) in block.amounts() {
        assert_eq!(block.amount(usize::from(row)), Some(amount));
    }
});
