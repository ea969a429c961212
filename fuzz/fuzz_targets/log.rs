//! A record that is read has exactly the bytes that it is written in; erasing a payload keeps its digest.
#![no_main]

use ansinh::format::log::{self, LogRecord};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok((record, hash)) = LogRecord::decode(bytes) {
        assert_eq!(record.encode(), Ok((bytes.to_vec(), hash)));
    }
    if let Ok(digest) = log::digest_of_stored(bytes) {
        let erased = log::erase_payload(bytes).expect("a payload with a digest can be erased");
        assert_eq!(log::digest_of_stored(&erased), Ok(digest));
        assert_eq!(log::operation_of(&erased), Ok(None));
    }
});
