//! Random people: households, places and references, at the end of a month and of the month before, with facts that may
//! be unknown, and their completions.

use super::random::{PROGRAMMES, Tape};
use super::*;
use crate::types::{BirthDate, PersonNumber};

/// A fact that may be recorded: its values, and whether it is unknown without a record.
struct Fact {
    number: AttributeNumber,
    subject: SubjectKind,
    values: Vec<Value>,
    unknown_without_record: bool,
}

/// The facts that a random pack may ask for.
pub(super) struct Facts {
    all: Vec<Fact>,
    pub(super) guardian: AttributeNumber,
    pub(super) carer: AttributeNumber,
}

impl Facts {
    pub(super) fn new(world: &World, decided: [bool; PROGRAMMES]) -> Self {
        const PERSON: [(&str, &[&str], bool); 7] = [
            ("level", &["low", "middle", "high"], false),
            ("flag", &["true", "false"], false),
            ("kind", &["a", "b", "c"], true),
            ("percent", &["0", "1", "2", "3", "4"], false),
            ("count", &["-1", "0", "1", "2", "5"], false),
            ("income", &["0", "50", "100", "101", "150"], true),
            ("since", &["2020-05-09", "2020-05-10", "1999-01-01"], true),
        ];
        const SHARED: [(SubjectKind, &str, &[&str], bool); 4] = [
            (SubjectKind::Household, "state", &["good", "bad"], false),
            (SubjectKind::Household, "rent", &["0", "51", "100", "150"], false),
            (SubjectKind::Commune, "remote", &["true", "false"], false),
            (SubjectKind::Commune, "distance", &["0", "1", "3"], true),
        ];
        let mut facts = Vec::new();
        let mut add = |subject, name: &str, values: &[&str], unknown_without_record| {
            let value = |text: &&str| world.value(subject, name, text).1;
            facts.push(Fact {
                number: world.attribute(subject, name),
                subject,
                values: values.iter().map(value).collect(),
                unknown_without_record,
            });
        };
        for (name, values, unknown) in PERSON {
            add(SubjectKind::Person, name, values, unknown);
        }
        for (subject, name, values, unknown) in SHARED {
            add(subject, name, values, unknown);
        }
        for (at, _) in decided.iter().enumerate().filter(|(_, decided)| **decided) {
            let states = ["active", "none", "suspended", "ended"];
            add(SubjectKind::Person, &format!("enrolment.p{at}"), &states, false);
        }
        facts.push(Fact {
            number: crate::kernel::catalogue::builtin::SEX,
            subject: SubjectKind::Person,
            values: vec![Value::Enum(0), Value::Enum(1)],
            unknown_without_record: true,
        });
        Self {
            all: facts,
            guardian: world.attribute(SubjectKind::Person, "guardian"),
            carer: world.attribute(SubjectKind::Person, "carer"),
        }
    }

    fn of(&self, subject: SubjectKind) -> impl Iterator<Item = &Fact> {
        self.all.iter().filter(move |fact| fact.subject == subject)
    }

    /// Random facts of a subject; of each, unknown once in so many.
    fn random(&self, subject: SubjectKind, tape: &mut Tape<'_>, unknown_in: usize) -> Profile {
        let mut profile = Profile::default();
        for fact in self.of(subject) {
            let value = match tape.pick(fact.values.len() + 1) {
                0 => None,
                at => Some(fact.values[at - 1]),
            };
            let is_unknown = tape.once_in(unknown_in);
            profile.set(fact.number, if is_unknown { Some(Value::Unknown) } else { value });
        }
        profile
    }

    /// The facts with something in the place of whatever is unknown.
    fn complete(&self, subject: SubjectKind, profile: &Profile, tape: &mut Tape<'_>) -> Profile {
        let mut complete = profile.clone();
        for fact in self.of(subject) {
            let recorded = profile.get(fact.number);
            let is_unknown =
                recorded == Some(Value::Unknown) || recorded.is_none() && fact.unknown_without_record;
            if is_unknown {
                let value = fact.values[tape.pick(fact.values.len())];
                complete.set(fact.number, Some(value));
            }
        }
        complete
    }
}

/// Facts divided into those that stand in profiles and those that do not.
#[derive(Clone, Default)]
struct Record {
    all: Profile,
    profile: Profile,
}

impl Record {
    fn new(world: &World, all: Profile) -> Self {
        let stands = |number| {
            let known = world.catalogue.attribute_by_number(number);
            known.is_none_or(crate::kernel::catalogue::Attribute::in_profile)
        };
        let profile = all.iter().filter(|(number, _)| stands(*number)).collect();
        Self { all, profile }
    }
}

/// The two moments of a month.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum When {
    Before,
    Now,
}

impl When {
    pub(super) const BOTH: [Self; 2] = [Self::Before, Self::Now];
}

/// A person at one moment.
#[derive(Clone)]
struct State {
    record: Record,
    commune: usize,
    household: Option<usize>,
    guardian: Option<Value>,
    carer: Option<Value>,
}

#[derive(Clone)]
struct Somebody {
    birth: BirthDate,
    /// By moment; `None` if then not there.
    states: [Option<State>; 2],
    /// Death came in the month: the second state is the one at death.
    died: bool,
}

#[derive(Clone)]
struct Commune {
    records: [Record; 2],
    province: ProvinceCode,
    former_province: ProvinceCode,
}

/// Some people, and everything around them.
#[derive(Clone)]
pub(super) struct Scene {
    people: Vec<Somebody>,
    households: Vec<[Record; 2]>,
    communes: Vec<Commune>,
    guardian: AttributeNumber,
    carer: AttributeNumber,
    month: Month,
    unknown_birth_month: UnknownBirthMonth,
}

/// How many people of a scene are evaluated. One more is there to be referred to.
pub(super) const PEOPLE: usize = 4;

impl Scene {
    pub(super) fn random(world: &World, facts: &Facts, month: &MonthPolicy, tape: &mut Tape<'_>) -> Self {
        let unknown_in = [1000, 12, 4][tape.pick(3)];
        let shared = |subject, tape: &mut Tape<'_>| -> [Record; 2] {
            let first = facts.random(subject, tape, unknown_in);
            let second = if tape.once_in(3) {
                facts.random(subject, tape, unknown_in)
            } else {
                first.clone()
            };
            [Record::new(world, first), Record::new(world, second)]
        };
        let code = |tape: &mut Tape<'_>| tape.one(&["01", "22", "31", "30"]).parse().unwrap();
        let communes = (0..3).map(|_| Commune {
            records: shared(SubjectKind::Commune, tape),
            province: code(tape),
            former_province: code(tape),
        });
        let communes = communes.collect();
        let households = (0..2).map(|_| shared(SubjectKind::Household, tape)).collect();
        let mut scene = Self {
            people: Vec::new(),
            households,
            communes,
            guardian: facts.guardian,
            carer: facts.carer,
            month: month.month(),
            unknown_birth_month: month.unknown_birth_month(),
        };
        for _ in 0..=PEOPLE {
            let person = scene.somebody(world, facts, tape, unknown_in);
            scene.people.push(person);
        }
        scene
    }

    fn somebody(&self, world: &World, facts: &Facts, tape: &mut Tape<'_>, unknown_in: usize) -> Somebody {
        let months = [400, 0, 1, 2, 11, 12, 24, 48, 49, 60, 192, -1, 5, 36, 37, 240];
        let first = self.month.plus(-months[tape.pick(months.len())]).unwrap();
        let birth = if tape.once_in(4) {
            BirthDate::year_only(first.year()).unwrap()
        } else {
            BirthDate::month_only(first)
        };
        let before = self.state(world, facts, tape, unknown_in);
        let now = match tape.pick(4) {
            0 => before.clone(),
            1 => {
                let mut state = before.clone();
                state.record = self.state(world, facts, tape, unknown_in).record;
                state
            }
            2 => State {
                record: before.record.clone(),
                ..self.state(world, facts, tape, unknown_in)
            },
            _ => self.state(world, facts, tape, unknown_in),
        };
        let (arrived, left, died) = (tape.once_in(6), tape.once_in(12), tape.once_in(6));
        let born = birth.earliest_month();
        Somebody {
            birth,
            states: [
                (!arrived && born < self.month).then_some(before),
                (!left && born <= self.month).then_some(now),
            ],
            died,
        }
    }

    fn state(&self, world: &World, facts: &Facts, tape: &mut Tape<'_>, unknown_in: usize) -> State {
        let reference = |tape: &mut Tape<'_>| {
            if tape.once_in(unknown_in) {
                return Some(Value::Unknown);
            }
            let to = tape.pick(PEOPLE + 2);
            (to > 0).then(|| Value::Person(PersonNumber(to as u32 - 1)))
        };
        State {
            record: Record::new(world, facts.random(SubjectKind::Person, tape, unknown_in)),
            commune: tape.pick(self.communes.len()),
            household: [Some(0), Some(1), None][tape.pick(3)],
            guardian: reference(tape),
            carer: reference(tape),
        }
    }

    /// The same people with something in the place of whatever is unknown. Who is unknown may be the stranger, or
    /// nobody: whether somebody is a dependant is known by the records of those who depend.
    pub(super) fn complete(&self, world: &World, facts: &Facts, tape: &mut Tape<'_>) -> Self {
        let mut scene = self.clone();
        for household in &mut scene.households {
            for record in household {
                let all = facts.complete(SubjectKind::Household, &record.all, tape);
                *record = Record::new(world, all);
            }
        }
        for record in scene.communes.iter_mut().flat_map(|commune| &mut commune.records) {
            let all = facts.complete(SubjectKind::Commune, &record.all, tape);
            *record = Record::new(world, all);
        }
        let stranger = Value::Person(PersonNumber(PEOPLE as u32));
        for person in &mut scene.people {
            if person.birth.month().is_none() && self.unknown_birth_month == UnknownBirthMonth::Undetermined {
                let last = if person.states[0].is_some() {
                    self.month.previous().unwrap()
                } else {
                    self.month
                };
                let first = person.birth.earliest_month();
                let months = last.min(person.birth.latest_month()).months_since(first);
                let later = tape.pick(months.max(0) as usize + 1) as i32;
                person.birth = BirthDate::month_only(first.plus(later).unwrap());
            }
            for state in person.states.iter_mut().flatten() {
                let all = facts.complete(SubjectKind::Person, &state.record.all, tape);
                state.record = Record::new(world, all);
                for reference in [&mut state.guardian, &mut state.carer] {
                    if *reference == Some(Value::Unknown) {
                        *reference = tape.once_in(2).then_some(stranger);
                    }
                }
            }
        }
        scene
    }

    /// Whether somebody died in the month.
    pub(super) fn dies(&self, at: usize) -> bool {
        self.people[at].died && self.people[at].states[When::Now as usize].is_some()
    }

    pub(super) fn birth(&self, at: usize) -> BirthDate {
        self.people[at].birth
    }

    pub(super) const fn member(&self, at: usize, when: When) -> Member<'_> {
        Member {
            scene: self,
            at,
            when,
        }
    }

    /// What a decision table is told of somebody.
    pub(super) fn cell_state(&self, at: usize, when: When, table: &mut DecisionTable<'_>) -> CellState {
        let Some(state) = &self.people[at].states[when as usize] else {
            return CellState::NONE;
        };
        let commune = &self.communes[state.commune];
        let place = Place {
            commune: commune.records[when as usize].profile.clone(),
            province: commune.province,
            former_province: commune.former_province,
        };
        let household = state
            .household
            .map(|household| &self.households[household][when as usize].profile);
        CellState {
            place: table.place(&place),
            person: table.person(&state.record.profile),
            household: table.household(household.unwrap_or(&EMPTY)),
        }
    }
}

/// Somebody at one moment, with those around.
#[derive(Clone, Copy)]
pub(super) struct Member<'a> {
    scene: &'a Scene,
    at: usize,
    when: When,
}

impl<'a> Member<'a> {
    fn state(self) -> Option<&'a State> {
        self.scene.people[self.at].states[self.when as usize].as_ref()
    }

    pub(super) fn case(&self) -> Option<Case<'_>> {
        let state = self.state()?;
        let scene = self.scene;
        let commune = &scene.communes[state.commune];
        let age = Age::at_end_of(
            scene.month,
            scene.people[self.at].birth,
            scene.unknown_birth_month,
        );
        Some(Case {
            dies: self.when == When::Now && self.scene.dies(self.at),
            age: if self.when == When::Now {
                age
            } else {
                age.month_before()
            },
            person: &state.record.profile,
            household: state
                .household
                .map(|household| &scene.households[household][self.when as usize].profile),
            commune: &commune.records[self.when as usize].profile,
            province: commune.province,
            former_province: commune.former_province,
            own: Some(self),
        })
    }
}

impl Own for Member<'_> {
    fn value(&self, attribute: AttributeNumber) -> Option<Value> {
        let state = self.state()?;
        let when = self.when as usize;
        let household = state
            .household
            .and_then(|household| self.scene.households[household][when].all.get(attribute));
        let commune = self.scene.communes[state.commune].records[when]
            .all
            .get(attribute);
        state.record.all.get(attribute).or(household).or(commune)
    }

    fn visit(&self, group: CaseGroup, visit: &mut dyn FnMut(&Case<'_>)) -> bool {
        let scene = self.scene;
        let Some(own) = self.state() else {
            return true;
        };
        let reference = |state: &State, attribute| {
            if attribute == scene.guardian {
                state.guardian
            } else {
                assert!(attribute == scene.carer, "no other reference is declared");
                state.carer
            }
        };
        let refers = |state, attribute, to: usize| {
            reference(state, attribute) == Some(Value::Person(PersonNumber(to as u32)))
        };
        for at in 0..scene.people.len() {
            let member = scene.member(at, self.when);
            let Some(state) = member.state() else {
                continue;
            };
            let belongs = match group {
                CaseGroup::Household => {
                    at == self.at || own.household.is_some() && state.household == own.household
                }
                CaseGroup::Dependants(attribute) => refers(state, attribute, self.at),
                CaseGroup::Reference(attribute) => refers(own, attribute, at),
            };
            if let Some(case) = member.case().filter(|case| belongs && !case.dies) {
                visit(&case);
            }
        }
        match group {
            CaseGroup::Reference(attribute) => reference(own, attribute) != Some(Value::Unknown),
            CaseGroup::Household | CaseGroup::Dependants(_) => true,
        }
    }
}
