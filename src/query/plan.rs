//! What a search will read.

/// What a search will read, and why no more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// The attributes that the condition reads, those of people around the person included, as expressions write
    /// them.
    pub attributes: Vec<String>,
    /// Profiles of persons.
    pub persons: Profiles,
    /// Profiles of households.
    pub households: Profiles,
    /// The units that exist in the month, and those of which the people may match.
    pub units: (u64, u64),
    /// How many bands of age are told apart.
    pub bands: u64,
    /// All segments.
    pub segments: u64,
    /// Whether the index of occurrences named the segments to be opened. Otherwise all of those places are where somebody
    /// may match.
    pub by_index: bool,
    /// Segments that will be opened, of which at least the profiles that occur in them are read.
    pub opened: u64,
    /// Segments left out because of where they are.
    pub skipped_by_place: u64,
    /// Segments left out because nobody in them has, or had, a profile that could match.
    pub skipped_by_profile: u64,
    /// Whether the condition may depend on what each person has of their own: amounts, dates, references, people around
    /// them. Whoever is not settled by profile, place and age is then evaluated by themselves.
    pub one_by_one: bool,
}

/// Profiles of one kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Profiles {
    /// How many profiles there are, of persons and of households.
    pub all: u64,
    /// Those that may match, whatever else may be so of the person.
    pub possible: u64,
    /// How many classes the condition tells apart.
    pub classes: u64,
}

impl Plan {
    /// The segments whose rows will be looked at.
    pub const fn read(&self) -> u64 {
        self.segments - self.skipped_by_place - self.skipped_by_profile
    }
}
