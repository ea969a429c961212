//! Transactions by names: IDs of people and households, codes of communes, names of attributes and programmes.

use super::RegistryError;
use super::person::{Fact, Given, Home, Person};
use crate::kernel::catalogue::{Adoption, SubjectKind, nearest};
use crate::kernel::operation::{
    Answer, Decision, Destination, InitialFact, NewPerson, Operation, Refusal, Subject,
};
use crate::kernel::units::{Unit, UnitDeclaration};
use crate::kernel::{Author, WriteTransaction};
use crate::policy::Pack;
use crate::types::{
    AttributeNumber, BirthDate, CommuneCode, Date, Dossier, HouseholdId, HouseholdNumber, Identifier,
    Instant, Month, PersonNumber, ProgrammeNumber, Sequence, Sex, UnitNumber, Value,
};

/// A transaction. What it changed shows in its own look-ups at once, and to others when it has committed. Dropping
/// it leaves nothing of it.
///
/// A refused change changes nothing, and the transaction goes on. Changes may be repeated: what is so already is
/// answered as such.
///
/// ```
/// use ansinh::kernel::Author;
/// use ansinh::policy::Pack;
/// use ansinh::registry::{Fact, Person, Registry};
/// use ansinh::types::{Date, Instant, Month, Sex};
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("national.ansinh");
/// let instant = Instant::from_unix_millis(1_780_272_000_000);
/// let registry = Registry::create(&path, &Pack::vietnam(), instant)?;
/// let mut tx = registry.begin_write(Author::new("clerk 00004", "decision 112/QĐ-UBND"), instant)?;
/// let born: Date = "1950-03-17".parse()?;
/// let person = tx.insert(&Person::new("Nguyễn Văn A", born, Sex::Male).commune("00004".parse()?))?;
/// let june = Month::new(2026, 6)?;
/// tx.record(person, "disability", "severe", june)?;
/// tx.record_fact(person, &Fact::new("channel", "account", june).document("TB-17"))?;
/// tx.enrol(person, "disability", june, "112/QĐ-UBND")?;
/// tx.commit()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Transaction<'r> {
    inner: WriteTransaction<'r>,
    month: Month,
}

type Result<T> = std::result::Result<T, RegistryError>;

impl<'r> Transaction<'r> {
    pub(super) const fn new(inner: WriteTransaction<'r>, month: Month) -> Self {
        Self { inner, month }
    }

    /// Begins the next record of a group. The change in it is refused or made as in a transaction of its own.
    pub(super) fn begin_record(&mut self, author: Author, instant: Instant) -> Result<()> {
        self.month = Date::in_vietnam(instant)?.month();
        Ok(self.inner.begin_record(author, instant)?)
    }

    /// The sequence that the commit will have.
    pub const fn sequence(&self) -> Sequence {
        self.inner.sequence()
    }

    /// The kernel's transaction, for what has no method here.
    pub const fn kernel(&mut self) -> &mut WriteTransaction<'r> {
        &mut self.inner
    }

    /// Makes any change that the kernel knows.
    pub fn apply(&mut self, operation: &Operation) -> Result<Answer> {
        Ok(self.inner.apply(operation)?)
    }

    /// Writes everything durably. When it returns, the change is on the disk.
    pub fn commit(self) -> Result<Sequence> {
        Ok(self.inner.commit()?)
    }

    /// Drops the transaction and everything in it.
    pub fn abort(self) {
        self.inner.abort();
    }

    /// The person to whom an ID was given last.
    pub fn person(&self, id: impl Into<Identifier>) -> Result<PersonNumber> {
        let id = id.into();
        self.inner
            .find_person(id)?
            .ok_or_else(|| RegistryError::NoPerson {
                identifier: id.masked(),
            })
    }

    /// The household of an ID.
    pub fn household(&self, id: HouseholdId) -> Result<HouseholdNumber> {
        self.inner
            .find_household(id)?
            .ok_or(RegistryError::NoHousehold { id })
    }

    /// The household of which a person is a member in a month.
    pub fn household_of(&self, person: PersonNumber, month: Month) -> Result<HouseholdNumber> {
        self.inner
            .household_of(person, month)?
            .ok_or(RegistryError::WithoutHousehold { person, month })
    }

    /// The unit that has a code in a month.
    pub fn commune(&self, code: CommuneCode, month: Month) -> Result<UnitNumber> {
        self.inner
            .find_unit(code, month)
            .ok_or_else(|| no_commune(code, month, self.inner.units_of_code(code)))
    }

    fn attribute(&self, subject: SubjectKind, name: &str) -> Result<AttributeNumber> {
        Ok(self.inner.catalogue().attribute(subject, name)?.number)
    }

    fn programme(&self, name: &str) -> Result<ProgrammeNumber> {
        let catalogue = self.inner.catalogue();
        match catalogue.programme(name) {
            Some(programme) => Ok(programme.number),
            None => Err(RegistryError::NoProgramme {
                name: name.to_owned(),
                suggestion: nearest(name, catalogue.programmes().map(|known| known.name.as_str())),
            }),
        }
    }

    /// Reads a value for an attribute. A reference to a person may be given as an ID.
    fn value(&self, subject: SubjectKind, attribute: &str, given: &Given) -> Result<Value> {
        let text = match given {
            Given::Value(value) => return Ok(*value),
            Given::Text(text) => text,
        };
        let declared = self.inner.catalogue().attribute(subject, attribute)?;
        let is_reference = declared.kind == crate::kernel::catalogue::ValueKind::Person;
        if !is_reference || text == "unknown" {
            return Ok(declared.parse(text)?);
        }
        let wrong = |problem: String| RegistryError::Reference {
            attribute: attribute.to_owned(),
            problem,
        };
        let id: Identifier = text
            .parse()
            .map_err(|error: crate::types::IdentifierError| wrong(error.to_string()))?;
        match self.person(id) {
            Ok(person) => Ok(Value::Person(person)),
            Err(error @ RegistryError::NoPerson { .. }) => Err(wrong(error.to_string())),
            Err(error) => Err(error),
        }
    }

    /// Where someone goes to live, in the kernel's numbers.
    fn destination(&self, home: Home, from: Month) -> Result<Destination> {
        match home {
            Home::Away => Ok(Destination::Away),
            Home::Commune(code) => Ok(Destination::Unit(self.commune(code, from)?)),
            Home::Household(id) => Ok(Destination::Household(self.household(id)?)),
            Home::HouseholdIn(id, code) => {
                let unit = self.commune(code, from)?;
                let Some(household) = self.inner.find_household(id)? else {
                    return Ok(Destination::NewHousehold(id, unit));
                };
                let lives = self.inner.household_unit(household, from)?;
                let lives = lives.ok_or(Refusal::HouseholdNowhere {
                    household,
                    month: from,
                })?;
                if lives == unit {
                    return Ok(Destination::Household(household));
                }
                let found = self.inner.unit(lives).map_or(code, |unit| unit.declared.code);
                Err(Refusal::HouseholdElsewhere {
                    id,
                    found,
                    expected: code,
                    month: from,
                }
                .into())
            }
        }
    }

    /// Inserts a person and gives the number by which every other change names them.
    ///
    /// Repeating it gives the same person. Someone else under the same ID is an error: see
    /// [`Transaction::insert_or_answer`] for a program that goes on.
    pub fn insert(&mut self, person: &Person) -> Result<PersonNumber> {
        match self.insert_or_answer(person)? {
            Answer::PersonCreated(number) | Answer::PersonExists(number) => Ok(number),
            Answer::PersonExistsWithDifferent { person, field } => {
                Err(RegistryError::PersonDiffers { person, field })
            }
            other => unreachable!("an insertion was answered with {other:?}"),
        }
    }

    /// Inserts a person, and answers whether it was created, exists, or exists with a different field. Of one who
    /// exists neither home nor facts are compared.
    pub fn insert_or_answer(&mut self, person: &Person) -> Result<Answer> {
        let new = self.new_person(person)?;
        self.apply(&Operation::InsertPerson(Box::new(new)))
    }

    fn new_person(&self, person: &Person) -> Result<NewPerson> {
        let from = person.from.unwrap_or(self.month);
        let exists = match person.identifier {
            Some(id) => self.inner.find_person(id)?.is_some(),
            None => false,
        };
        let home = person.home().ok_or_else(|| RegistryError::Homeless {
            name: person.dossier.name.clone(),
        })?;
        // Nobody is moved by being inserted again: the kernel compares what identifies the person, and the home
        // that was right at the time need not be so any more.
        let lives = if exists {
            Destination::Away
        } else {
            self.destination(home, from)?
        };
        let mut facts = Vec::with_capacity(person.facts.len() + person.dated.len());
        for (name, given) in &person.facts {
            facts.push(InitialFact {
                attribute: self.attribute(SubjectKind::Person, name)?,
                value: self.value(SubjectKind::Person, name, given)?,
                from: None,
                until: None,
                document: String::new(),
            });
        }
        for fact in &person.dated {
            facts.push(InitialFact {
                attribute: self.attribute(SubjectKind::Person, &fact.attribute)?,
                value: self.value(SubjectKind::Person, &fact.attribute, &fact.value)?,
                from: Some(fact.from),
                until: fact.until,
                document: fact.document.clone(),
            });
        }
        Ok(NewPerson {
            identifier: person.identifier,
            birth: person.birth,
            sex: person.sex,
            lives,
            from,
            facts,
            dossier: person.dossier.clone(),
        })
    }

    /// Records that an attribute of a person, a household or a commune has a value from a month on.
    pub fn record(
        &mut self,
        subject: impl Into<Subject>,
        attribute: &str,
        value: impl Into<Given>,
        from: Month,
    ) -> Result<Answer> {
        self.record_fact(subject, &Fact::new(attribute, value, from))
    }

    /// Records a fact with its last month and its document.
    pub fn record_fact(&mut self, subject: impl Into<Subject>, fact: &Fact) -> Result<Answer> {
        let subject = subject.into();
        let operation = Operation::Record {
            subject,
            attribute: self.attribute(kind_of(subject), &fact.attribute)?,
            value: self.value(kind_of(subject), &fact.attribute, &fact.value)?,
            from: fact.from,
            until: fact.until,
            document: fact.document.clone(),
        };
        self.apply(&operation)
    }

    /// Withdraws what was recorded with this first month: the month before it decides again.
    pub fn retract(&mut self, subject: impl Into<Subject>, attribute: &str, from: Month) -> Result<Answer> {
        let subject = subject.into();
        let attribute = self.attribute(kind_of(subject), attribute)?;
        self.apply(&Operation::Retract {
            subject,
            attribute,
            from,
        })
    }

    /// Gives the fact in force in a month that month as its last.
    pub fn end(&mut self, subject: impl Into<Subject>, attribute: &str, last: Month) -> Result<Answer> {
        let subject = subject.into();
        let attribute = self.attribute(kind_of(subject), attribute)?;
        self.apply(&Operation::EndFact {
            subject,
            attribute,
            last,
        })
    }

    /// A person lives elsewhere from a month on.
    pub fn move_person(&mut self, person: PersonNumber, to: Home, from: Month) -> Result<Answer> {
        let to = self.destination(to, from)?;
        self.apply(&Operation::MovePerson { person, to, from })
    }

    /// A household lives in another commune from a month on, with everyone in it.
    pub fn move_household(&mut self, id: HouseholdId, to: CommuneCode, from: Month) -> Result<Answer> {
        let (household, unit) = (self.household(id)?, self.commune(to, from)?);
        self.apply(&Operation::MoveHousehold {
            household,
            unit,
            from,
        })
    }

    /// Some members of a household form one of their own from a month on, in the same commune.
    pub fn split_household(
        &mut self,
        old: HouseholdId,
        members: &[PersonNumber],
        new: HouseholdId,
        head: Option<PersonNumber>,
        from: Month,
    ) -> Result<Answer> {
        let household = self.household(old)?;
        self.apply(&Operation::SplitHousehold {
            household,
            members: members.to_vec(),
            id: new,
            head,
            from,
        })
    }

    /// All members of one household belong to another from a month on.
    pub fn merge_households(&mut self, left: HouseholdId, into: HouseholdId, from: Month) -> Result<Answer> {
        let (household, into) = (self.household(left)?, self.household(into)?);
        self.apply(&Operation::MergeHouseholds {
            household,
            into,
            from,
        })
    }

    /// Another member is the head of a household from a month on.
    pub fn change_head(&mut self, id: HouseholdId, head: PersonNumber, from: Month) -> Result<Answer> {
        let household = self.household(id)?;
        self.apply(&Operation::ChangeHead {
            household,
            head,
            from,
        })
    }

    /// Records a death, or corrects its date.
    pub fn record_death(&mut self, person: PersonNumber, date: Date, document: &str) -> Result<Answer> {
        let document = document.to_owned();
        self.apply(&Operation::RecordDeath {
            person,
            date,
            document,
        })
    }

    /// Withdraws a death that was recorded by mistake.
    pub fn retract_death(&mut self, person: PersonNumber) -> Result<Answer> {
        self.apply(&Operation::RetractDeath { person })
    }

    fn decide(
        &mut self,
        person: PersonNumber,
        programme: &str,
        decision: Decision,
        from: Month,
        document: &str,
    ) -> Result<Answer> {
        let programme = self.programme(programme)?;
        self.apply(&Operation::Decide {
            person,
            programme,
            decision,
            from,
            document: document.to_owned(),
        })
    }

    /// The decision by which a person receives a programme.
    pub fn enrol(
        &mut self,
        person: PersonNumber,
        programme: &str,
        from: Month,
        document: &str,
    ) -> Result<Answer> {
        self.decide(person, programme, Decision::Enrol, from, document)
    }

    /// Suspends an enrolment that is active.
    pub fn suspend(
        &mut self,
        person: PersonNumber,
        programme: &str,
        from: Month,
        document: &str,
    ) -> Result<Answer> {
        self.decide(person, programme, Decision::Suspend, from, document)
    }

    /// Resumes an enrolment that is suspended.
    pub fn resume(
        &mut self,
        person: PersonNumber,
        programme: &str,
        from: Month,
        document: &str,
    ) -> Result<Answer> {
        self.decide(person, programme, Decision::Resume, from, document)
    }

    /// Ends an enrolment: from this month on there is none.
    pub fn end_enrolment(
        &mut self,
        person: PersonNumber,
        programme: &str,
        from: Month,
        document: &str,
    ) -> Result<Answer> {
        self.decide(person, programme, Decision::End, from, document)
    }

    /// Gives a person an ID, the first or a corrected one. Earlier ones go on leading to the person.
    pub fn assign_id(&mut self, person: PersonNumber, identifier: impl Into<Identifier>) -> Result<Answer> {
        let identifier = identifier.into();
        self.apply(&Operation::AssignIdentifier { person, identifier })
    }

    /// Corrects a birth date, for all months.
    pub fn correct_birth(&mut self, person: PersonNumber, birth: impl Into<BirthDate>) -> Result<Answer> {
        let birth = birth.into();
        self.apply(&Operation::CorrectBirth { person, birth })
    }

    /// Corrects a sex, for all months.
    pub fn correct_sex(&mut self, person: PersonNumber, sex: Sex) -> Result<Answer> {
        self.apply(&Operation::CorrectSex { person, sex })
    }

    /// Replaces name, address and account.
    pub fn correct_dossier(&mut self, person: PersonNumber, dossier: Dossier) -> Result<Answer> {
        self.apply(&Operation::CorrectDossier { person, dossier })
    }

    /// Marks a record as entered in error: it leaves every later run.
    pub fn mark_entered_in_error(&mut self, person: PersonNumber) -> Result<Answer> {
        self.apply(&Operation::MarkEnteredInError { person })
    }

    /// Two records are of one person: the duplicate leaves every later run, and reading either shows both.
    pub fn merge(&mut self, duplicate: PersonNumber, into: PersonNumber) -> Result<Answer> {
        self.apply(&Operation::MergePerson { duplicate, into })
    }

    /// Adds an administrative unit.
    pub fn add_unit(&mut self, unit: UnitDeclaration) -> Result<Answer> {
        self.apply(&Operation::AddUnit(unit))
    }

    /// Adopts a policy pack: from the commit on it is the one in force.
    pub fn adopt(&mut self, pack: &Pack) -> Result<Adoption> {
        let adoption = self
            .inner
            .adopt(pack.id(), &pack.to_bytes(), &pack.declaration())?;
        Ok(adoption)
    }
}

pub(super) const fn kind_of(subject: Subject) -> SubjectKind {
    match subject {
        Subject::Person(_) => SubjectKind::Person,
        Subject::Household(_) => SubjectKind::Household,
        Subject::Commune(_) => SubjectKind::Commune,
    }
}

/// The error for a code that no unit has in a month.
pub(super) fn no_commune<'u>(
    code: CommuneCode,
    month: Month,
    of_code: impl Iterator<Item = &'u Unit>,
) -> RegistryError {
    let known = of_code
        .map(|unit| (unit.declared.from, unit.end.map(|end| end.last)))
        .collect();
    RegistryError::NoCommune { code, month, known }
}
