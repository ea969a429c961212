//! The dictionary of profiles: a code for every profile that ever occurred.

use std::sync::OnceLock;

use rustc_hash::FxHashMap;

use super::profile::Profile;
use crate::types::{AttributeNumber, Value};

/// A value of an attribute. There are few of them, and profiles are lists of their numbers.
type Term = (AttributeNumber, Value);

/// Profiles by code and codes by profile. Code 0 is the empty profile. Codes are only ever added.
#[derive(Debug)]
pub(crate) struct Profiles {
    terms: Vec<Term>,
    numbers: FxHashMap<Term, u32>,
    /// The terms of each profile by attribute, those of one profile after those of the other.
    list: Vec<u32>,
    /// Where the terms of each profile end.
    ends: Vec<u32>,
    /// Codes by terms, once somebody asked for the code of a profile.
    codes: OnceLock<FxHashMap<Box<[u32]>, u32>>,
}

/// The profiles that some attributes do not tell apart are of one class.
#[derive(Debug, Default)]
pub struct ProfileClasses {
    /// The class of each code. Classes are numbered in the order of their first codes.
    pub of_code: Vec<u32>,
    /// What the profiles of each class have in common: their values of those attributes.
    pub common: Vec<Profile>,
}

impl Profiles {
    /// The empty profile alone.
    pub(crate) fn new() -> Self {
        Self {
            terms: Vec::new(),
            numbers: FxHashMap::default(),
            list: Vec::new(),
            ends: vec![0],
            codes: OnceLock::new(),
        }
    }

    /// How many have a code.
    pub(crate) fn len(&self) -> u32 {
        self.ends.len() as u32
    }

    /// The profile of a code.
    pub(crate) fn get(&self, code: u32) -> Option<Profile> {
        let terms = self.terms_of(code as usize)?;
        Some(terms.iter().map(|&term| self.terms[term as usize]).collect())
    }

    fn terms_of(&self, code: usize) -> Option<&[u32]> {
        let end = *self.ends.get(code)?;
        let start = code.checked_sub(1).map_or(0, |before| self.ends[before]);
        Some(&self.list[start as usize..end as usize])
    }

    /// The code of a profile, if it has one.
    pub(crate) fn code_of(&self, profile: &Profile) -> Option<u32> {
        let terms = profile.iter().map(|term| self.numbers.get(&term).copied());
        let terms = terms.collect::<Option<Vec<u32>>>()?;
        let codes = self.codes.get_or_init(|| {
            let all = (0..self.len()).filter_map(|code| Some((self.terms_of(code as usize)?.into(), code)));
            all.collect()
        });
        codes.get(terms.as_slice()).copied()
    }

    /// Gives the codes from `first` on to what a commit has added, unless they have them: a reader who saw the commit
    /// may have read them from the file already.
    pub(crate) fn complete(&mut self, first: u32, added: impl IntoIterator<Item = Profile>) {
        for (code, profile) in (first..).zip(added) {
            if code >= self.len() {
                self.push(profile.into_iter());
            }
        }
    }

    /// Gives the next code to a profile, whose values come by attribute.
    pub(crate) fn push(&mut self, profile: impl Iterator<Item = Term>) {
        let start = self.list.len();
        for term in profile {
            let number = *self.numbers.entry(term).or_insert_with(|| {
                self.terms.push(term);
                self.terms.len() as u32 - 1
            });
            self.list.push(number);
        }
        let code = self.len();
        self.ends.push(self.list.len() as u32);
        if let Some(codes) = self.codes.get_mut() {
            codes.insert(self.list[start..].into(), code);
        }
    }

    /// The classes of the first `count` profiles that some attributes tell apart.
    pub(crate) fn classes(&self, count: u32, attributes: &[AttributeNumber]) -> ProfileClasses {
        let read = |(attribute, _): &Term| attributes.contains(attribute);
        let is_read: Vec<bool> = self.terms.iter().map(read).collect();
        // Terms come in one order, so a profile leads along them from one prefix to the next, from none to its own.
        let mut next: FxHashMap<(u32, u32), u32> = FxHashMap::default();
        let mut class_of: Vec<Option<u32>> = vec![None];
        let mut classes = ProfileClasses {
            of_code: Vec::with_capacity(count as usize),
            common: Vec::new(),
        };
        let mut start = 0;
        for &end in self.ends.iter().take(count as usize) {
            let terms = &self.list[start..end as usize];
            start = end as usize;
            let mut prefix = 0;
            for &term in terms.iter().filter(|&&term| is_read[term as usize]) {
                prefix = *next.entry((prefix, term)).or_insert_with(|| {
                    class_of.push(None);
                    class_of.len() as u32 - 1
                });
            }
            let class = *class_of[prefix as usize].get_or_insert_with(|| {
                let terms = terms.iter().map(|&term| self.terms[term as usize]);
                classes.common.push(terms.filter(read).collect());
                classes.common.len() as u32 - 1
            });
            classes.of_code.push(class);
        }
        classes
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
            self.0.push(profile.into_iter());
            self.0.len() - 1
        });
        Self::FIRST + code
    }

    /// The profile of a code, if it is one of these.
    pub(crate) fn get(&self, code: u32) -> Option<Profile> {
        code.checked_sub(Self::FIRST).and_then(|code| self.0.get(code))
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
            (1..=read_before).for_each(|number| profiles.push(profile(number).iter()));
            profiles.complete(1, (1..=3).map(profile));
            let codes: Vec<_> = (1..=3).map(|number| profiles.code_of(&profile(number))).collect();
            assert_eq!(codes, [Some(1), Some(2), Some(3)], "{read_before} read before");
            assert_eq!(profiles.len(), 4);
        }
    }

    #[test]
    fn classes_have_in_common_what_is_read_of_their_profiles() {
        let attributes: Vec<AttributeNumber> = (70..75).map(AttributeNumber).collect();
        let mut profiles = Profiles::new();
        let mut listed = vec![Profile::default()];
        // Every combination of no value and two values of each attribute, some of them asked for by their codes between.
        for number in 1..3_u32.pow(5) {
            let values = attributes.iter().zip(0..).filter_map(|(&attribute, at)| {
                let value = (number / 3_u32.pow(at) % 3).checked_sub(1)?;
                Some((attribute, Value::Enum(value as u16)))
            });
            let profile: Profile = values.collect();
            if number % 7 == 0 {
                assert_eq!(profiles.code_of(&profile), None);
            }
            profiles.push(profile.iter());
            assert_eq!(profiles.get(number).as_ref(), Some(&profile));
            listed.push(profile);
        }
        for (code, profile) in (0..).zip(&listed) {
            assert_eq!(profiles.code_of(profile), Some(code));
        }
        for read in [&[][..], &attributes[1..2], &attributes[..3], &attributes] {
            let count = listed.len() as u32 - 5;
            let classes = profiles.classes(count, read);
            assert_eq!(classes.of_code.len() as u32, count);
            for (&class, profile) in classes.of_code.iter().zip(&listed) {
                let seen: Profile = profile
                    .iter()
                    .filter(|(attribute, _)| read.contains(attribute))
                    .collect();
                assert_eq!(classes.common[class as usize], seen);
            }
            let distinct: std::collections::BTreeSet<_> = classes.common.iter().collect();
            assert_eq!(distinct.len(), classes.common.len(), "no class is there twice");
        }
    }
}
