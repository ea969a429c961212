//! A key that is read has exactly the bytes that it is written in; a content that is read can be written and read again.
#![no_main]

use ansinh::format::fact::{self, FactKey, KEY_BYTES};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Some(&key) = bytes.first_chunk::<KEY_BYTES>()
        && let Ok(read) = FactKey::decode(key)
    {
        assert_eq!(read.encode(), key);
    }
    if let Ok(content) = fact::decode(bytes) {
        let again = fact::encode(
            content
                .as_ref()
                .map(|(value, until, document)| (*value, *until, document.as_str())),
        );
        assert_eq!(fact::decode(&again), Ok(content));
    }
});
