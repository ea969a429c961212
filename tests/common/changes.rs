//! Random changes of a registry, by operations that a clerk could make.

use ansinh::kernel::catalogue::{Attribute, Catalogue, SubjectKind, ValueKind};
use ansinh::kernel::operation::{Decision, Destination, InitialFact, NewPerson, Operation, Subject};
use ansinh::kernel::units::UnitDeclaration;
use ansinh::kernel::{Store, View, WriteError};
use ansinh::types::{
    AttributeNumber, BirthDate, Date, Dossier, HouseholdId, HouseholdNumber, Month, PersonNumber, Sequence,
    Sex, UnitNumber, Value,
};

use super::{AT, author, month};

/// The first month in which something changes, and how many months there are.
const FIRST: &str = "2025-05";
const MONTHS: u64 = 22;
/// The IDs of households that are made begin so.
const HOUSEHOLD_PREFIX: &str = "RND";
/// So many people are changed again and again; the others stay as they were.
const BUSY_PEOPLE: u64 = 150;

/// One change of who names whom comes to so many others.
const NAMING_STEP: usize = 10;
const NAMING_SEED: u64 = 0x6E61_6D69_6E67;

/// Random numbers that are the same every time (splitmix64).
pub struct Dice(pub u64);

impl Dice {
    /// A number below `bound`.
    pub fn roll(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut x = self.0;
        x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (x ^ (x >> 31)) % bound
    }

    /// Whether one of `among` chances comes true.
    pub fn one_in(&mut self, among: u64) -> bool {
        self.roll(among) == 0
    }

    fn of<'a, T>(&mut self, list: &'a [T]) -> &'a T {
        &list[self.roll(list.len() as u64) as usize]
    }

    fn month(&mut self) -> Month {
        month(FIRST).plus(self.roll(MONTHS) as i32).unwrap()
    }
}

/// The people who are changed again and again.
fn busy(view: &View) -> impl Iterator<Item = PersonNumber> {
    let people = view.counts().unwrap().people;
    let busy = BUSY_PEOPLE.min(people);
    (0..busy).map(move |place| PersonNumber((1 + place * (people / busy)) as u32))
}

/// Enrols everybody who is changed often in every programme, so that the changes make a difference.
fn enrol_busy(store: &Store) {
    let view = store.begin_read().unwrap();
    let mut transaction = store.begin_write(author(), AT).unwrap();
    for person in busy(&view) {
        for programme in view.catalogue().programmes() {
            let decide = Operation::Decide {
                person,
                programme: programme.number,
                decision: Decision::Enrol,
                from: month(FIRST),
                document: String::new(),
            };
            match transaction.apply(&decide) {
                // Who was enrolled later already, or is not born yet, stays so.
                Ok(_) | Err(WriteError::Refused(_)) => {}
                Err(error) => panic!("{decide:?}: {error}"),
            }
        }
    }
    transaction.commit().unwrap();
}

/// Makes random changes in so many transactions of so many operations each; what is refused is left out. Answers
/// the sequence of each transaction.
pub fn change(
    store: &Store,
    dice: &mut Dice,
    spare_units: &[UnitDeclaration],
    transactions: usize,
    operations: usize,
) -> Vec<Sequence> {
    enrol_busy(store);
    let mut spare = spare_units.iter();
    let mut sequences = Vec::new();
    // Dice of their own, so that the other changes are what they are without.
    let mut naming = Dice(dice.0 ^ NAMING_SEED);
    for number in 0..transactions {
        let view = store.begin_read().unwrap();
        let mut transaction = store.begin_write(author(), AT).unwrap();
        let mut made = 0;
        for at in 0..operations {
            if at % NAMING_STEP == 0 {
                let id = format!("{HOUSEHOLD_PREFIX}-N{number}-{at}").parse().unwrap();
                let dice = &mut naming;
                let operation = Maker {
                    dice,
                    view: &view,
                    id,
                }
                .naming();
                match operation.map(|operation| transaction.apply(&operation)) {
                    None | Some(Ok(_) | Err(WriteError::Refused(_))) => {}
                    Some(Err(error)) => panic!("{error}"),
                }
            }
            let operation = if at == operations / 2 && number % 2 == 0 {
                reform(dice, &view, &mut spare)
            } else {
                let id = format!("{HOUSEHOLD_PREFIX}-{number}-{at}").parse().unwrap();
                Maker {
                    dice,
                    view: &view,
                    id,
                }
                .operation()
            };
            let Some(operation) = operation else { continue };
            match transaction.apply(&operation) {
                Ok(answer) => made += usize::from(answer.changed()),
                Err(WriteError::Refused(_)) => {}
                Err(error) => panic!("{operation:?}: {error}"),
            }
        }
        assert!(
            made > operations / 4,
            "{made} of {operations} operations changed anything"
        );
        sequences.push(transaction.commit().unwrap());
    }
    sequences
}

/// A new unit, or one that is merged into another.
fn reform<'u>(
    dice: &mut Dice,
    view: &View,
    spare: &mut impl Iterator<Item = &'u UnitDeclaration>,
) -> Option<Operation> {
    if dice.one_in(2) {
        return spare.next().cloned().map(Operation::AddUnit);
    }
    Some(Operation::EndUnit {
        unit: dice.of(view.units()).number,
        last: dice.month(),
        successor: Some(dice.of(view.units()).number),
    })
}

struct Maker<'a> {
    dice: &'a mut Dice,
    view: &'a View,
    /// An ID for a household that begins.
    id: HouseholdId,
}

impl Maker<'_> {
    fn person(&mut self) -> PersonNumber {
        let people: Vec<PersonNumber> = busy(self.view).collect();
        *self.dice.of(&people)
    }

    fn household_of(&mut self, person: PersonNumber) -> Option<HouseholdNumber> {
        let month = self.dice.month();
        let state = self.view.person(person, month, Sequence::NEWEST).unwrap();
        state?.household
    }

    fn unit(&mut self) -> UnitNumber {
        self.dice.of(self.view.units()).number
    }

    fn date(&mut self) -> Date {
        Date::new(self.dice.month(), 1 + self.dice.roll(28) as u8).unwrap()
    }

    fn birth(&mut self) -> BirthDate {
        let year = 1940 + self.dice.roll(87);
        let month = 1 + self.dice.roll(12);
        match self.dice.roll(4) {
            0 => format!("{year}"),
            1 => format!("{year}-{month:02}"),
            _ => format!("{year}-{month:02}-17"),
        }
        .parse()
        .unwrap()
    }

    fn destination(&mut self) -> Destination {
        match self.dice.roll(8) {
            0 => Destination::Away,
            1 | 2 => Destination::Unit(self.unit()),
            3 | 4 => Destination::NewHousehold(self.id, self.unit()),
            _ => {
                let person = self.person();
                self.household_of(person)
                    .map_or(Destination::Away, Destination::Household)
            }
        }
    }

    fn value(&mut self, attribute: &Attribute) -> Value {
        if self.dice.one_in(5) {
            return Value::Unknown;
        }
        match attribute.kind {
            ValueKind::Bool => Value::Bool(self.dice.one_in(2)),
            ValueKind::Enum => Value::Enum(self.dice.of(&attribute.values).number),
            ValueKind::Integer { min, max } => {
                Value::Integer(min + self.dice.roll((max - min + 1) as u64) as i64)
            }
            _ => Value::Unknown,
        }
    }

    fn fact(&mut self) -> Option<(Subject, Attribute)> {
        let person = self.person();
        let subject = match self.dice.roll(12) {
            0 if self.dice.one_in(4) => Subject::Commune(self.unit()),
            0..=4 => Subject::Household(self.household_of(person)?),
            _ => Subject::Person(person),
        };
        let kind = match subject {
            Subject::Person(_) => SubjectKind::Person,
            Subject::Household(_) => SubjectKind::Household,
            Subject::Commune(_) => SubjectKind::Commune,
        };
        let attributes = recordable(self.view.catalogue(), kind);
        Some((subject, self.dice.of(&attributes).clone()))
    }

    fn record(&mut self) -> Option<Operation> {
        let (subject, attribute) = self.fact()?;
        let from = self.dice.month();
        let until = self
            .dice
            .one_in(5)
            .then(|| from.plus(self.dice.roll(6) as i32).unwrap());
        Some(Operation::Record {
            subject,
            attribute: attribute.number,
            value: self.value(&attribute),
            from,
            until,
            document: String::new(),
        })
    }

    /// Withdraws or ends something that is on record.
    fn withdraw(&mut self) -> Option<Operation> {
        let (subject, _) = self.fact()?;
        let records = self.view.history(subject).unwrap();
        if records.is_empty() {
            return None;
        }
        let record = self.dice.of(&records).clone();
        let attribute = record.attribute;
        Some(if self.dice.one_in(2) {
            Operation::Retract {
                subject,
                attribute,
                from: record.from,
            }
        } else {
            Operation::EndFact {
                subject,
                attribute,
                last: self.dice.month(),
            }
        })
    }

    fn decide(&mut self) -> Operation {
        let programmes: Vec<_> = self.view.catalogue().programmes().collect();
        let programme = self.dice.of(&programmes).number;
        let decisions = [
            Decision::Enrol,
            Decision::Enrol,
            Decision::Suspend,
            Decision::Resume,
            Decision::End,
        ];
        Operation::Decide {
            person: self.person(),
            programme,
            decision: *self.dice.of(&decisions),
            from: self.dice.month(),
            document: String::new(),
        }
    }

    /// An attribute by which one person names another, if there are any.
    fn reference(&mut self) -> Option<AttributeNumber> {
        let names = |attribute: &&Attribute| {
            attribute.subject == SubjectKind::Person && attribute.kind == ValueKind::Person
        };
        let all = self.view.catalogue().attributes().filter(names);
        let all: Vec<AttributeNumber> = all.map(|attribute| attribute.number).collect();
        (!all.is_empty()).then(|| *self.dice.of(&all))
    }

    /// Somebody who is changed often, or somebody of the same household.
    fn relative(&mut self) -> PersonNumber {
        let person = self.person();
        let Some(household) = self.household_of(person) else {
            return person;
        };
        let members = self.view.ever_members(household).unwrap();
        *self.dice.of(&members)
    }

    /// That somebody has a guardian, or a carer.
    fn refer(&mut self) -> Option<Operation> {
        let from = self.dice.month();
        Some(Operation::Record {
            subject: Subject::Person(self.relative()),
            attribute: self.reference()?,
            value: if self.dice.one_in(8) {
                Value::Unknown
            } else {
                Value::Person(self.relative())
            },
            from,
            until: self
                .dice
                .one_in(4)
                .then(|| from.plus(self.dice.roll(6) as i32).unwrap()),
            document: String::new(),
        })
    }

    /// A new person with a guardian, or a carer.
    fn ward(&mut self) -> Option<Operation> {
        let mut insert = self.insert();
        let attribute = self.reference()?;
        let value = Value::Person(self.relative());
        if let Operation::InsertPerson(person) = &mut insert {
            person.facts.push(InitialFact {
                attribute,
                value,
                from: None,
                until: None,
                document: String::new(),
            });
        }
        Some(insert)
    }

    /// A change of who names whom.
    fn naming(&mut self) -> Option<Operation> {
        if self.dice.one_in(8) {
            self.ward()
        } else {
            self.refer()
        }
    }

    fn insert(&mut self) -> Operation {
        Operation::InsertPerson(Box::new(NewPerson {
            identifier: None,
            birth: self.birth(),
            sex: *self.dice.of(&[Sex::Male, Sex::Female]),
            lives: self.destination(),
            from: self.dice.month(),
            facts: Vec::new(),
            dossier: Dossier::default(),
        }))
    }

    fn households(&mut self) -> Option<Operation> {
        let member = self.person();
        let household = self.household_of(member)?;
        let from = self.dice.month();
        Some(match self.dice.roll(4) {
            0 | 1 => Operation::MoveHousehold {
                household,
                unit: self.unit(),
                from,
            },
            2 => Operation::SplitHousehold {
                household,
                members: vec![member],
                id: self.id,
                head: None,
                from,
            },
            _ => {
                let other = self.person();
                Operation::MergeHouseholds {
                    household,
                    into: self.household_of(other)?,
                    from,
                }
            }
        })
    }

    fn operation(&mut self) -> Option<Operation> {
        let person = self.person();
        Some(match self.dice.roll(40) {
            12..=22 => self.decide(),
            23 | 24 => return self.withdraw(),
            25 | 26 => self.insert(),
            27..=29 => Operation::MovePerson {
                person,
                to: self.destination(),
                from: self.dice.month(),
            },
            30..=33 => return self.households(),
            34 => Operation::RecordDeath {
                person,
                date: self.date(),
                document: String::new(),
            },
            35 => Operation::RetractDeath { person },
            36 => Operation::CorrectBirth {
                person,
                birth: self.birth(),
            },
            37 => Operation::CorrectSex {
                person,
                sex: *self.dice.of(&[Sex::Male, Sex::Female]),
            },
            38 if self.dice.one_in(2) => Operation::MergePerson {
                duplicate: person,
                into: self.person(),
            },
            39 if self.dice.one_in(2) => Operation::MarkEnteredInError { person },
            _ => return self.record(),
        })
    }
}

/// The attributes that can be recorded of a kind of subject, enrolments and references apart.
fn recordable(catalogue: &Catalogue, kind: SubjectKind) -> Vec<Attribute> {
    let enrolment = |attribute: &Attribute| {
        let mut programmes = catalogue.programmes();
        programmes.any(|programme| programme.enrolment == Some(attribute.number))
    };
    let of_kind = catalogue
        .attributes()
        .filter(|attribute| attribute.subject == kind);
    of_kind
        .filter(|attribute| attribute.kind != ValueKind::Person && !enrolment(attribute))
        .cloned()
        .collect()
}
