//! How a decision table, and each of its parts, tells persons apart.

use rustc_hash::FxHashMap;

use crate::kernel::profile::Profile;
use crate::types::{AttributeNumber, Value};

/// The class, in each part, of a person of whom it sees nothing.
pub(super) const EMPTY: u32 = 0;

/// Lists of values, each of which leads on from those before it to a number of its own; none at all is `EMPTY`.
#[derive(Debug, Default)]
struct Paths {
    next: FxHashMap<(u32, u32), u32>,
}

impl Paths {
    fn step(&mut self, from: u32, value: u32) -> u32 {
        let next = self.next.len() as u32 + 1;
        *self.next.entry((from, value)).or_insert(next)
    }
}

/// The classes of persons. Most parts read nothing of what is recorded of a person, so only the others are listed.
#[derive(Debug)]
pub(super) struct Persons {
    /// The parts that read an attribute, ascending.
    readers: FxHashMap<AttributeNumber, Box<[u16]>>,
    /// The number of a value that is read; `None` of others.
    values: FxHashMap<(AttributeNumber, Value), Option<u32>>,
    /// By that number, the attribute.
    attributes: Vec<AttributeNumber>,
    whole: Paths,
    of_parts: Vec<Paths>,
    /// The class of each path of `whole`; `UNKNOWN` of those where no profile ended yet.
    classes: Vec<u32>,
    /// By class, what is read.
    profiles: Vec<Profile>,
    /// By class, where in `seen` its parts end.
    ends: Vec<u32>,
    /// The parts that see something, ascending, with the class in each.
    seen: Vec<(u16, u32)>,
    /// Room: the values of a profile, and by part the path so far.
    list: Vec<u32>,
    paths: Vec<u32>,
    touched: Vec<u16>,
}

const UNKNOWN: u32 = u32::MAX;

impl Persons {
    /// Of parts that read these attributes.
    pub(super) fn new<'r>(parts: impl Iterator<Item = &'r [AttributeNumber]>) -> Self {
        let mut readers: FxHashMap<AttributeNumber, Vec<u16>> = FxHashMap::default();
        let mut count = 0;
        for (at, read) in parts.enumerate() {
            count = at + 1;
            for &attribute in read {
                readers.entry(attribute).or_default().push(at as u16);
            }
        }
        Self {
            readers: readers
                .into_iter()
                .map(|(attribute, parts)| (attribute, parts.into()))
                .collect(),
            values: FxHashMap::default(),
            attributes: Vec::new(),
            whole: Paths::default(),
            of_parts: (0..count).map(|_| Paths::default()).collect(),
            classes: Vec::new(),
            profiles: Vec::new(),
            ends: Vec::new(),
            seen: Vec::new(),
            list: Vec::new(),
            paths: vec![EMPTY; count],
            touched: Vec::new(),
        }
    }

    /// The class of a profile, of whose values only those count that are read.
    pub(super) fn class(
        &mut self,
        profile: &Profile,
        is_read: impl Fn(&(AttributeNumber, Value)) -> bool,
    ) -> u32 {
        self.list.clear();
        let mut path = EMPTY;
        for value in profile.iter() {
            let number = *self.values.entry(value).or_insert_with(|| {
                is_read(&value).then(|| {
                    self.attributes.push(value.0);
                    self.attributes.len() as u32 - 1
                })
            });
            if let Some(number) = number {
                self.list.push(number);
                path = self.whole.step(path, number);
            }
        }
        if self.classes.len() <= path as usize {
            self.classes.resize(path as usize + 1, UNKNOWN);
        }
        if self.classes[path as usize] == UNKNOWN {
            self.classes[path as usize] = self.profiles.len() as u32;
            let read = |value: &(AttributeNumber, Value)| self.values.get(value).is_some_and(Option::is_some);
            self.profiles.push(profile.iter().filter(read).collect());
            self.note_parts();
        }
        self.classes[path as usize]
    }

    /// Notes what the parts see of the values at hand.
    fn note_parts(&mut self) {
        for &value in &self.list {
            let attribute = &self.attributes[value as usize];
            for &part in self.readers.get(attribute).into_iter().flatten() {
                let path = &mut self.paths[usize::from(part)];
                if *path == EMPTY {
                    self.touched.push(part);
                }
                *path = self.of_parts[usize::from(part)].step(*path, value);
            }
        }
        self.touched.sort_unstable();
        for part in self.touched.drain(..) {
            let path = std::mem::replace(&mut self.paths[usize::from(part)], EMPTY);
            self.seen.push((part, path));
        }
        self.ends.push(self.seen.len() as u32);
    }

    /// What is read of a class of persons.
    pub(super) fn profile(&self, class: u32) -> &Profile {
        &self.profiles[class as usize]
    }

    /// The parts that see something of a class of persons, ascending, with the class in each; it is `EMPTY` in the others.
    pub(super) fn seen(&self, class: u32) -> &[(u16, u32)] {
        let class = class as usize;
        let begin = class.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.seen[begin as usize..self.ends[class] as usize]
    }

    /// The class in a part of a class of persons.
    pub(super) fn class_in(&self, class: u32, part: usize) -> u32 {
        let seen = self.seen(class);
        seen.binary_search_by_key(&part, |&(part, _)| usize::from(part))
            .map_or(EMPTY, |at| seen[at].1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_part_tells_apart_what_it_reads() {
        let attributes: Vec<AttributeNumber> = (70..74).map(AttributeNumber).collect();
        let reads: [&[AttributeNumber]; 4] = [&attributes[..2], &[], &attributes[1..3], &attributes[2..3]];
        let mut persons = Persons::new(reads.into_iter());
        // The last attribute is read by nobody, and the value 2 of each is as none.
        let is_read =
            |value: &(AttributeNumber, Value)| value.0 != attributes[3] && value.1 != Value::Enum(2);
        let mut met: Vec<(u32, Vec<Profile>)> = Vec::new();
        for number in 0..4_u32.pow(4) {
            let values = attributes.iter().zip(0..).filter_map(|(&attribute, at)| {
                let value = (number / 4_u32.pow(at) % 4).checked_sub(1)?;
                Some((attribute, Value::Enum(value as u16)))
            });
            let profile: Profile = values.collect();
            let class = persons.class(&profile, is_read);
            let read: Profile = profile.iter().filter(is_read).collect();
            assert_eq!(persons.profile(class), &read);
            let of_parts = reads.iter().map(|reads| -> Profile {
                let seen = read.iter().filter(|(attribute, _)| reads.contains(attribute));
                seen.collect()
            });
            met.push((class, of_parts.collect()));
        }
        for (class, of_parts) in &met {
            for (other, others_of_parts) in &met {
                for (part, (own, others)) in of_parts.iter().zip(others_of_parts).enumerate() {
                    let same = persons.class_in(*class, part) == persons.class_in(*other, part);
                    assert_eq!(same, own == others, "part {part} of {own:?} and {others:?}");
                    assert_eq!(persons.class_in(*class, part) == EMPTY, own.is_empty());
                }
                let same = persons.profile(*class) == persons.profile(*other);
                assert_eq!(class == other, same);
            }
            let listed = persons.seen(*class);
            assert!(
                listed.is_sorted() && listed.iter().all(|&(_, class)| class != EMPTY),
                "{listed:?}"
            );
        }
    }
}
