//! Any bytes are refused, or a record reads alike by itself and in the whole, and what is written again is read alike.
#![no_main]

use ansinh::format::household;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    for place in [0, 1, 255] {
        let _ = household::record(bytes, place);
    }
    let Ok(records) = household::decode(bytes) else {
        return;
    };
    for (place, record) in records.iter().enumerate() {
        assert_eq!(household::record(bytes, place).as_ref(), Ok(record));
    }
    assert_eq!(household::record(bytes, records.len()), Ok(None));
    assert_eq!(household::decode(&household::encode(&records)), Ok(records));
});
