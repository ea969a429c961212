//! Any bytes are refused, or a row reads alike by itself and in the whole, and what is written again is read alike.
#![no_main]

use ansinh::format::columns::{self, ColumnSegment};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    for row in [0, 1, 999] {
        let _ = columns::row(bytes, row);
        let _ = columns::person(bytes, row);
    }
    let Ok(segment) = ColumnSegment::decode(bytes) else {
        return;
    };
    let persons: Vec<u32> = segment.rows.iter().map(|row| row.person).collect();
    assert_eq!(columns::persons(bytes), Ok(persons));
    for (at, row) in segment.rows.iter().enumerate() {
        assert_eq!(columns::row(bytes, at).as_ref(), Ok(&Some(row.clone())));
        assert_eq!(columns::person(bytes, at), Ok(Some(row.person)));
    }
    assert_eq!(columns::row(bytes, segment.rows.len()), Ok(None));
});
