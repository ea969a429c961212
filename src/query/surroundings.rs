//! The people around a person, as a condition sees them: whoever is in the same cell and has the same people around
//! has the same outcome, so it is worked out once.

use rustc_hash::FxHashMap;

use super::ground::Ground;
use crate::kernel::near::Near;
use crate::kernel::profile::Profile;
use crate::kernel::scan::{CodedState, SegmentScan, birth_month};
use crate::kernel::{ReadError, View};
use crate::policy::{Case, CaseGroup, MonthPolicy, Own, Reads};
use crate::types::{AttributeNumber, HouseholdNumber, PersonNumber, Value};

/// Stands for a group of which it is recorded as unknown who they are.
const UNSURE: u32 = u32::MAX;
/// The class of somebody who is not there at the end of the month.
const AWAY: u32 = u32::MAX;

/// The people of a group at both ends; `None` if it is recorded as unknown who they are.
type People = [Option<Vec<PersonNumber>>; 2];

/// People whom the programmes that ask about them see alike, but for age.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Alike {
    place: u32,
    person: Profile,
    household: Profile,
}

/// Finds the people around those of one segment after the other.
pub(crate) struct Surroundings<'a> {
    view: &'a View,
    policy: &'a MonthPolicy,
    /// What is read of the people around a person, and how they are told apart; `None` if nobody asks about them.
    ground: Option<(&'a Reads, &'a Ground)>,
    near: Near<'a>,
    /// Classes of people, by place, person's code and household's code.
    classes: FxHashMap<(u32, u32, u32), u32>,
    class_of: FxHashMap<Alike, u32>,
    alike: Vec<Alike>,
    /// The household that was asked about last, with its members at both ends.
    household: Option<(HouseholdNumber, [Vec<PersonNumber>; 2])>,
}

impl<'a> Surroundings<'a> {
    pub(crate) fn new(
        view: &'a View,
        policy: &'a MonthPolicy,
        ground: Option<(&'a Reads, &'a Ground)>,
        near: Near<'a>,
    ) -> Self {
        Self {
            view,
            policy,
            ground,
            near,
            classes: FxHashMap::default(),
            class_of: FxHashMap::default(),
            alike: Vec::new(),
            household: None,
        }
    }

    /// The person of a row of a segment.
    pub(crate) fn person(&mut self, scan: &SegmentScan<'_>, row: usize) -> Result<PersonNumber, ReadError> {
        let segment = scan.key();
        let person = self.near.persons(segment)?.get(row).copied();
        person.ok_or_else(|| ReadError::Inconsistent(format!("row {row} of {segment:?} has no person")))
    }

    /// Appends what tells the people of these groups apart from others: for each group and end how many they are, and
    /// for each of them class and band. `scan` is that of the person's row.
    pub(crate) fn describe(
        &mut self,
        groups: &[CaseGroup],
        person: PersonNumber,
        scan: &SegmentScan<'_>,
        description: &mut Vec<u32>,
    ) -> Result<(), ReadError> {
        for &group in groups {
            for (end, people) in self.people(group, person, scan)?.into_iter().enumerate() {
                let Some(people) = people else {
                    description.push(UNSURE);
                    continue;
                };
                description.push(people.len() as u32);
                for person in people {
                    let state = self.near.states(person, scan)?[end];
                    self.describe_person(end, state, description)?;
                }
            }
        }
        Ok(())
    }

    fn describe_person(
        &mut self,
        end: usize,
        state: Option<CodedState>,
        description: &mut Vec<u32>,
    ) -> Result<(), ReadError> {
        let (Some(state), Some((reads, ground))) = (state, self.ground) else {
            description.push(AWAY);
            return Ok(());
        };
        let place = if end == 0 {
            ground.places.now(state.unit)
        } else {
            ground.places.before(state.unit)
        };
        let place = place.ok_or_else(|| ReadError::Inconsistent(format!("{} is not stored", state.unit)))?;
        let key = (place, state.person, state.household);
        let class = match self.classes.get(&key) {
            Some(&class) => class,
            None => self.class(reads, key)?,
        };
        let (month, month_known) = birth_month(state.birth);
        let band = ground.bands.by_birth_month(month_known)[usize::from(month.index())];
        description.extend([class, u32::from(band)]);
        Ok(())
    }

    fn class(&mut self, reads: &Reads, key: (u32, u32, u32)) -> Result<u32, ReadError> {
        let (place, person, household) = key;
        let (person, household) =
            self.policy
                .project_other(reads, &self.view.profile(person)?, &self.view.profile(household)?);
        let alike = Alike {
            place,
            person,
            household,
        };
        let class = *self.class_of.entry(alike).or_insert_with_key(|alike| {
            self.alike.push(alike.clone());
            self.alike.len() as u32 - 1
        });
        self.classes.insert(key, class);
        Ok(class)
    }

    fn people(
        &mut self,
        group: CaseGroup,
        person: PersonNumber,
        scan: &SegmentScan<'_>,
    ) -> Result<People, ReadError> {
        match group {
            CaseGroup::Household => {
                let [now, before] = self.near.households(person)?;
                let now = self.members(now, person, scan)?[0].clone();
                let before = self.members(before, person, scan)?[1].clone();
                Ok([Some(now), Some(before)])
            }
            CaseGroup::Reference(attribute) => {
                let named = self.near.values(person, attribute)?;
                let people = |value| -> Result<_, ReadError> {
                    Ok(match value {
                        Some(Value::Person(person)) => Some(vec![self.near.stands_for(person)?]),
                        Some(Value::Unknown) => None,
                        _ => Some(Vec::new()),
                    })
                };
                Ok([people(named[0])?, people(named[1])?])
            }
            CaseGroup::Dependants(attribute) => {
                let mut people = [Vec::new(), Vec::new()];
                for reference in self.near.ever_referring(person, attribute)? {
                    let named = self.near.values(reference.referrer, attribute)?;
                    for (people, value) in people.iter_mut().zip(named) {
                        if value == Some(Value::Person(reference.target)) {
                            people.push(reference.referrer);
                        }
                    }
                }
                Ok(people.map(|mut people| {
                    people.dedup();
                    Some(people)
                }))
            }
        }
    }

    /// The members of a household who are there, at both ends; without one the person alone.
    fn members(
        &mut self,
        household: Option<HouseholdNumber>,
        person: PersonNumber,
        scan: &SegmentScan<'_>,
    ) -> Result<[Vec<PersonNumber>; 2], ReadError> {
        let Some(household) = household else {
            return Ok([vec![person], vec![person]]);
        };
        if let Some((known, members)) = &self.household
            && *known == household
        {
            return Ok(members.clone());
        }
        let mut members = [Vec::new(), Vec::new()];
        for person in self.view.ever_members(household)? {
            let households = self.near.households(person)?;
            let states = self.near.states(person, scan)?;
            for ((members, of), state) in members.iter_mut().zip(households).zip(states) {
                if of == Some(household) && state.is_some() {
                    members.push(person);
                }
            }
        }
        self.household = Some((household, members.clone()));
        Ok(members)
    }
}

/// The people around a person at one end, as a description has them. Nothing else is known of the person: it serves
/// programmes that ask about groups alone.
pub(crate) struct Described<'d> {
    pub(crate) surroundings: &'d Surroundings<'d>,
    pub(crate) person: PersonNumber,
    /// The groups that were described, and what came out.
    pub(crate) groups: &'d [CaseGroup],
    pub(crate) description: &'d [u32],
    /// Whether the state at the end of the month is asked about, and not the one before it.
    pub(crate) now: bool,
}

impl Described<'_> {
    /// The place in the description of the people of a group.
    fn place_of(&self, group: CaseGroup) -> Option<usize> {
        let wanted = self.groups.iter().position(|&other| other == group)? * 2 + usize::from(!self.now);
        let mut at = 0;
        for _ in 0..wanted {
            at = self.after(at);
        }
        Some(at)
    }

    /// The place after a group.
    fn after(&self, at: usize) -> usize {
        let mut next = at + 1;
        let people = if self.description[at] == UNSURE {
            0
        } else {
            self.description[at]
        };
        for _ in 0..people {
            next += if self.description[next] == AWAY { 1 } else { 2 };
        }
        next
    }
}

impl Own for Described<'_> {
    fn person(&self) -> Option<PersonNumber> {
        Some(self.person)
    }

    fn value(&self, _: AttributeNumber) -> Option<Value> {
        None
    }

    fn visit(&self, group: CaseGroup, visit: &mut dyn FnMut(&Case<'_>)) -> bool {
        let (Some(mut at), Some((_, ground))) = (self.place_of(group), self.surroundings.ground) else {
            return true;
        };
        let people = self.description[at];
        if people == UNSURE {
            return false;
        }
        at += 1;
        for _ in 0..people {
            let class = self.description[at];
            if class == AWAY {
                at += 1;
                continue;
            }
            let band = ground.bands.band(self.description[at + 1] as u16);
            at += 2;
            let age = band.and_then(|band| if self.now { band.now } else { band.before });
            let Some(age) = age else { continue };
            let alike = &self.surroundings.alike[class as usize];
            let place = &ground.places.all()[alike.place as usize];
            visit(&Case {
                dies: false,
                age,
                person: &alike.person,
                household: Some(&alike.household),
                commune: &place.commune,
                province: place.province,
                former_province: place.former_province,
                own: None,
            });
        }
        true
    }
}
