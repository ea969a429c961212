//! The dictionary of profiles: a code for every profile that ever occurred.

use std::collections::HashMap;

use rustc_hash::FxBuildHasher;

use super::profile::Profile;

/// Profiles by code and codes by profile. Code 0 is the empty profile. Codes are only ever added.
#[derive(Debug)]
pub(crate) struct Profiles {
    list: Vec<Profile>,
    codes: HashMap<Profile, u32, FxBuildHasher>,
}

impl Profiles {
    /// The empty profile alone.
    pub(crate) fn new() -> Self {
        let mut profiles = Self {
            list: Vec::new(),
            codes: HashMap::default(),
        };
        profiles.push(Profile::default());
        profiles
    }

    /// How many have a code.
    pub(crate) fn len(&self) -> u32 {
        self.list.len() as u32
    }

    /// The profile of a code.
    pub(crate) fn get(&self, code: u32) -> Option<&Profile> {
        self.list.get(code as usize)
    }

    /// The code of a profile, if it has one.
    pub(crate) fn code_of(&self, profile: &Profile) -> Option<u32> {
        self.codes.get(profile).copied()
    }

    /// Gives the codes from `first` on to what a commit has added, unless they have them: a reader who saw the commit
    /// may have read them from the file already.
    pub(crate) fn complete(&mut self, first: u32, added: impl IntoIterator<Item = Profile>) {
        for (code, profile) in (first..).zip(added) {
            if code >= self.len() {
                self.push(profile);
            }
        }
    }

    /// Gives the next code to a profile.
    pub(crate) fn push(&mut self, profile: Profile) {
        self.codes.insert(profile.clone(), self.len());
        self.list.push(profile);
    }
}

/// Profiles that were never the newest of anyone and are met only when looking into the past. Their codes are
/// above all others and last as long as the view.
#[derive(Debug)]
pub(crate) struct Passing(Profiles);

impl Passing {
    const FIRST: u32 = 1 << 31;

    /// None yet.
    pub(crate) fn new() -> Self {
        Self(Profiles::new())
    }

    /// The code of a profile, given now if it has none yet.
    pub(crate) fn code_of(&mut self, profile: Profile) -> u32 {
        let code = self.0.code_of(&profile).unwrap_or_else(|| {
            self.0.push(profile);
            self.0.len() - 1
        });
        Self::FIRST + code
    }

    /// The profile of a code, if it is one of these.
    pub(crate) fn get(&self, code: u32) -> Option<Profile> {
        code.checked_sub(Self::FIRST)
            .and_then(|code| self.0.get(code))
            .cloned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::{AttributeNumber, Value};

    fn profile(number: u16) -> Profile {
        [(AttributeNumber(70), Value::Enum(number))].into_iter().collect()
    }

    #[test]
    fn a_reader_who_was_faster_than_the_commit_changes_no_code() {
        for read_before in 0..=3 {
            let mut profiles = Profiles::new();
            (1..=read_before).for_each(|number| profiles.push(profile(number)));
            profiles.complete(1, (1..=3).map(profile));
            let codes: Vec<_> = (1..=3).map(|number| profiles.code_of(&profile(number))).collect();
            assert_eq!(codes, [Some(1), Some(2), Some(3)], "{read_before} read before");
            assert_eq!(profiles.len(), 4);
        }
    }
}
