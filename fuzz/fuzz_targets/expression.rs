//! Any text is refused as a predicate over the pack of Vietnam, or evaluates without a panic.
#![no_main]

use std::sync::OnceLock;

use ansinh::kernel::catalogue::Catalogue;
use ansinh::kernel::profile::Profile;
use ansinh::policy::{Case, MonthPolicy, Nothing, Pack};
use ansinh::types::{Date, Month, ProvinceCode};
use libfuzzer_sys::fuzz_target;

fn month_policy() -> &'static MonthPolicy {
    static POLICY: OnceLock<MonthPolicy> = OnceLock::new();
    POLICY.get_or_init(|| {
        let pack = Pack::vietnam();
        let (catalogue, _) = Catalogue::default()
            .adopt(&pack.declaration())
            .expect("the built-in pack is adopted");
        let month = Month::new(2026, 6).expect("a month");
        pack.bind(&catalogue)
            .expect("the built-in pack is bound")
            .for_month(month, Date::last_of(month))
            .expect("the built-in pack has June 2026")
    })
}

fuzz_target!(|text: &str| {
    let policy = month_policy();
    let Ok(predicate) = policy.predicate(text) else {
        return;
    };
    let empty = Profile::default();
    let province: ProvinceCode = "01".parse().expect("a province");
    for born in ["1940", "1966-06", "2026-06-15"] {
        let case = Case {
            dies: false,
            age: policy.age(born.parse().expect("a birth date")),
            person: &empty,
            household: None,
            commune: &empty,
            province,
            former_province: province,
            own: Some(&Nothing),
        };
        let _ = predicate.evaluate(&case);
    }
});
