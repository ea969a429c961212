//! Numbers that the registry gives, and the two orders of time that it keeps.

use std::fmt;

use bincode::{Decode, Encode};

macro_rules! number {
    ($(#[$doc:meta])* $name:ident($inner:ty), $prefix:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
        pub struct $name(pub $inner);

        impl $name {
            /// The bare number, for layouts and messages.
            pub const fn get(self) -> $inner {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!($prefix, "{}"), self.0)
            }
        }
    };
}

number!(
    /// A person's number in this registry: given once, never reused. `0` is never a person.
    PersonNumber(u32), "person #"
);
number!(
    /// A household's number in this registry: given once, never reused. `0` is never a household.
    HouseholdNumber(u32), "household #"
);
number!(
    /// The number of one administrative unit for the time in which it exists. A commune code that means
    /// another area before and after a reform has two unit numbers. `0` is never a unit.
    UnitNumber(u16), "unit #"
);
number!(
    /// The permanent number of an attribute in the registry's catalogue.
    AttributeNumber(u16), "attribute #"
);
number!(
    /// The permanent number of a programme in the registry's catalogue.
    ProgrammeNumber(u16), "programme #"
);
number!(
    /// The sequence number of a transaction. It, not the clock, orders what was recorded: "as known at
    /// sequence S" means by the transactions numbered 1 to S.
    Sequence(u64), "#"
);

impl Sequence {
    /// Before the first transaction.
    pub const ZERO: Self = Self(0);
    /// After every transaction: what is known now.
    pub const NEWEST: Self = Self(u64::MAX);
}

/// An instant in UTC, in whole milliseconds since 1970-01-01T00:00:00Z, given by the caller. The engine reads
/// no clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
pub struct Instant(i64);

impl Instant {
    /// An instant from milliseconds since the Unix epoch.
    pub const fn from_unix_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// Milliseconds since the Unix epoch.
    pub const fn unix_millis(self) -> i64 {
        self.0
    }
}

impl fmt::Display for Instant {
    /// RFC 3339 with seconds, in UTC.
    ///
    /// ```
    /// use ansinh::types::Instant;
    /// assert_eq!(Instant::from_unix_millis(1_780_272_000_000).to_string(), "2026-06-01T00:00:00Z");
    /// ```
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0.div_euclid(1000);
        let days = seconds.div_euclid(86_400);
        let second_of_day = seconds.rem_euclid(86_400);
        let (year, month, day) = super::date::civil_from_days(days);
        write!(
            f,
            "{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}Z",
            second_of_day / 3600,
            second_of_day / 60 % 60,
            second_of_day % 60
        )
    }
}
