//! Any text is refused with errors that name places, or is a pack that a fresh catalogue adopts.
#![no_main]

use ansinh::kernel::catalogue::Catalogue;
use ansinh::policy::Pack;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    match Pack::parse("fuzz.toml", text) {
        Err(errors) => assert!(!errors.to_string().is_empty()),
        Ok(pack) => {
            let adopted = Catalogue::default().adopt(&pack.declaration());
            let (catalogue, _) = adopted.expect("what a pack declares is adopted");
            let _ = pack.bind(&catalogue);
        }
    }
});
