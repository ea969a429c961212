//! A record that is read can be written and read again.
#![no_main]

use ansinh::format::record;
use ansinh::types::Dossier;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(dossier) = record::decode::<Dossier>(1, bytes) {
        let again = record::encode(1, &dossier);
        assert_eq!(record::decode::<Dossier>(1, &again), Ok(dossier));
    }
});
