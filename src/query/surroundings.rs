//! The people around a person, as a condition sees them: whoever is in the same cell and has the same people around
//! has the same outcome, so it is worked out once.

use rustc_hash::FxHashMap;

use super::ground::Ground;
use crate::kernel::near::Near;
use crate::kernel::profile::Profile;
use crate::kernel::scan::{CodedState, SegmentScan};
use crate::kernel::{ReadError, View};
use crate::policy::{Case, CaseGroup, MonthPolicy, Own, Reads};
use crate::types::{AttributeNumber, HouseholdNumber, PersonNumber, Value};

/// Stands for a group of which it is recorded as unknown who they are.
const UNSURE: u32 = u32::MAX;
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
    /// The rows of the group at hand, where rows tell.
    rows: Vec<u16>,
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
            rows: Vec::new(),
        }
    }

    /// The person of a row of a segment.
    pub(crate) fn person(&mut self, scan: &SegmentScan<'_>, row: usize) -> Result<PersonNumber, ReadError> {
        let person = self.near.person(scan.key(), row)?;
        person.ok_or_else(|| no_person(scan, row))
    }

    /// Appends what tells the people of these groups apart from others: for each group and end how many are there, and
    /// for each of them class and band, in the order of these. The person is that of a row of the scan, and is there at
    /// one end at least: at another nothing is asked of the groups.
    pub(crate) fn describe(
        &mut self,
        groups: &[CaseGroup],
        scan: &SegmentScan<'_>,
        row: usize,
        description: &mut Vec<u32>,
    ) -> Result<(), ReadError> {
        for &group in groups {
            if self.told_by_rows(group, scan, row as u16)? {
                self.describe_rows(scan, description)?;
                continue;
            }
            let persons = self.near.persons(scan.key())?;
            let person = *persons.get(row).ok_or_else(|| no_person(scan, row))?;
            for (end, people) in self.people(group, person, scan)?.into_iter().enumerate() {
                let Some(people) = people else {
                    description.push(UNSURE);
                    continue;
                };
                let begins = begin(description);
                for person in people {
                    let state = self.near.states(person, scan)?[end];
                    self.describe_person(end, state, description)?;
                }
                finish(description, begins);
            }
        }
        Ok(())
    }

    /// Notes the rows of the people of a group; false if rows do not tell who they are.
    fn told_by_rows(
        &mut self,
        group: CaseGroup,
        scan: &SegmentScan<'_>,
        row: u16,
    ) -> Result<bool, ReadError> {
        self.rows.clear();
        match group {
            CaseGroup::Household => {
                let Some(rows) = self.near.household_rows(scan, row)? else {
                    return Ok(false);
                };
                self.rows.extend(rows);
            }
            CaseGroup::Dependants(attribute) => {
                let Some(ties) = self.near.referring_rows(scan, row, attribute)? else {
                    return Ok(false);
                };
                self.rows.extend(ties.iter().map(|tie| tie.referrer));
            }
            CaseGroup::Reference(attribute) => {
                let Some(named) = self.near.named_row(scan, row, attribute)? else {
                    return Ok(false);
                };
                self.rows.extend(named);
            }
        }
        Ok(true)
    }

    /// Describes the people of the rows that were noted.
    fn describe_rows(&mut self, scan: &SegmentScan<'_>, description: &mut Vec<u32>) -> Result<(), ReadError> {
        let rows = std::mem::take(&mut self.rows);
        for end in 0..2 {
            let begins = begin(description);
            for &row in &rows {
                self.describe_person(end, scan.states(row)[end], description)?;
            }
            finish(description, begins);
        }
        self.rows = rows;
        Ok(())
    }

    /// Appends class and band of a person, if there at an end.
    fn describe_person(
        &mut self,
        end: usize,
        state: Option<CodedState>,
        description: &mut Vec<u32>,
    ) -> Result<(), ReadError> {
        let (Some(state), Some((reads, ground))) = (state, self.ground) else {
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
        let band = ground.band_of_birth[usize::from(state.birth)];
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

fn no_person(scan: &SegmentScan<'_>, row: usize) -> ReadError {
    ReadError::Inconsistent(format!("row {row} of {:?} has no person", scan.key()))
}

/// Begins the people of a group at one end; gives where they begin.
fn begin(description: &mut Vec<u32>) -> usize {
    description.push(0);
    description.len()
}

/// Ends the people of a group at one end: counts them, and puts them in order, for nobody asks who comes first.
fn finish(description: &mut [u32], begins: usize) {
    let (before, people) = description.split_at_mut(begins);
    let (people, _) = people.as_chunks_mut::<2>();
    people.sort_unstable();
    if let Some(count) = before.last_mut() {
        *count = people.len() as u32;
    }
}

/// The people around a person at one end, as a description has them. Nothing else is known of the person: it serves
/// programmes that ask about groups alone.
pub(crate) struct Described<'d> {
    pub(crate) surroundings: &'d Surroundings<'d>,
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
        let people = self.description[at];
        at + 1 + if people == UNSURE { 0 } else { people as usize * 2 }
    }
}

impl Own for Described<'_> {
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
