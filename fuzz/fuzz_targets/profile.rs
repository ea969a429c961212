//! A profile that is read lists each attribute once, in order, and can be written and read again.
#![no_main]

use ansinh::format::profile;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(values) = profile::decode(bytes) {
        assert!(values.windows(2).all(|pair| pair[0].0 < pair[1].0));
        let again = profile::encode(values.iter().copied());
        assert_eq!(profile::decode(&again), Ok(values));
    }
});
