//! Profiles as a predicate sees them: those that it cannot tell apart are one class.

use std::ops::RangeInclusive;

use rustc_hash::FxHashMap;

use crate::kernel::profile::Profile;
use crate::kernel::{ReadError, View};
use crate::types::AttributeNumber;

/// The classes of all profiles of a registry, and whether somebody of a class may meet the predicate.
pub(super) struct Classes {
    reads: Vec<AttributeNumber>,
    /// What a predicate reads of the profiles of each class, and the class.
    of_common: FxHashMap<Profile, u32>,
    /// By code; empty where nothing is read, and all profiles are one class.
    of_code: Vec<u32>,
    /// A profile of each class.
    samples: Vec<Profile>,
    possible: Vec<bool>,
    all_possible: bool,
}

impl Classes {
    /// Looks at every profile of a view. `possible` is asked once for each class.
    pub(super) fn read(view: &View, reads: &[AttributeNumber], possible: impl Fn(&Profile) -> bool) -> Self {
        let (of_code, samples) = if reads.is_empty() {
            (Vec::new(), vec![Profile::default()])
        } else {
            let classes = view.profile_classes(reads);
            (classes.of_code, classes.common)
        };
        let possible: Vec<bool> = samples.iter().map(possible).collect();
        Self {
            reads: reads.to_vec(),
            of_common: samples.iter().cloned().zip(0..).collect(),
            of_code,
            all_possible: possible.iter().all(|&possible| possible),
            samples,
            possible,
        }
    }

    /// Whether the profile decides nothing by itself.
    pub(super) const fn all_possible(&self) -> bool {
        self.all_possible
    }

    /// Whether somebody with the profile of a code may meet the predicate. Of a code that was given since the view was
    /// taken it is not known, so the answer is yes.
    pub(super) fn is_possible(&self, code: u32) -> bool {
        if self.all_possible {
            return true;
        }
        if self.reads.is_empty() {
            return self.possible[0];
        }
        let class = self.of_code.get(code as usize);
        class.is_none_or(|&class| self.possible[class as usize])
    }

    /// The codes of whose people somebody may meet the predicate, ascending, in stretches of neighbours.
    pub(super) fn possible_codes(&self, view: &View) -> Vec<RangeInclusive<u32>> {
        let mut stretches: Vec<RangeInclusive<u32>> = Vec::new();
        for code in (0..view.profile_count()).filter(|&code| self.is_possible(code)) {
            match stretches.last_mut() {
                Some(last) if *last.end() + 1 == code => *last = *last.start()..=code,
                _ => stretches.push(code..=code),
            }
        }
        stretches
    }

    /// How many classes there are.
    pub(super) const fn len(&self) -> usize {
        self.samples.len()
    }

    /// How many profiles have a code, and of how many the people may meet the predicate.
    pub(super) fn counts(&self, view: &View) -> (u64, u64) {
        let all = u64::from(view.profile_count());
        let possible = (0..view.profile_count()).filter(|&code| self.is_possible(code));
        (all, possible.count() as u64)
    }
}

/// The classes as one worker knows them: those of profiles met only when looking into the past are its own.
pub(super) struct Met<'a> {
    view: &'a View,
    shared: &'a Classes,
    late: FxHashMap<u32, u32>,
    late_samples: Vec<Profile>,
}

impl<'a> Met<'a> {
    pub(super) fn new(view: &'a View, shared: &'a Classes) -> Self {
        Self {
            view,
            shared,
            late: FxHashMap::default(),
            late_samples: Vec::new(),
        }
    }

    /// The class of the profile of a code.
    pub(super) fn class(&mut self, code: u32) -> Result<u32, ReadError> {
        if self.shared.reads.is_empty() {
            return Ok(0);
        }
        if let Some(&class) = self.shared.of_code.get(code as usize) {
            return Ok(class);
        }
        if let Some(&class) = self.late.get(&code) {
            return Ok(class);
        }
        let profile = self.view.profile(code)?;
        let reads = &self.shared.reads;
        let seen: Profile = profile
            .iter()
            .filter(|(attribute, _)| reads.contains(attribute))
            .collect();
        let class = if let Some(&class) = self.shared.of_common.get(&seen) {
            class
        } else {
            self.late_samples.push(seen);
            (self.shared.len() + self.late_samples.len()) as u32 - 1
        };
        self.late.insert(code, class);
        Ok(class)
    }

    /// A profile of a class.
    pub(super) fn sample(&self, class: u32) -> &Profile {
        let (class, shared) = (class as usize, self.shared.len());
        if class < shared {
            &self.shared.samples[class]
        } else {
            &self.late_samples[class - shared]
        }
    }

    /// How many classes there are so far.
    pub(super) fn len(&self) -> usize {
        self.shared.len() + self.late_samples.len()
    }
}
