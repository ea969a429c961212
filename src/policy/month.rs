//! The policy of one month: the programmes that exist in it and the parameter values in force.

use std::collections::BTreeSet;

use super::bind::Policy;
use super::case::{Age, Case, UnknownBirthMonth};
use super::error::{PackErrors, PolicyError, Report};
use super::expr::check;
use super::expr::check::{AttributeIndex, Condition};
use super::expr::eval::Evaluator;
use super::expr::parse::parse;
use super::expr::range::{Fault, Truth};
use super::expr::uses::{Collector, Uses};
use super::pack::{PackData, ProgrammeRule};
use super::parameter::Confidence;
use crate::kernel::catalogue::SubjectKind;
use crate::kernel::profile::Profile;
use crate::types::{AttributeNumber, BirthDate, Date, Decimal, Month, ProgrammeNumber};

/// How expressions use age.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AgeUse {
    /// Only on which side of these ages, in months and ascending, it lies.
    Thresholds(Vec<u16>),
    /// Otherwise: each age in months may have its own result.
    Exact,
}

/// What expressions read: the key under which a result may be remembered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reads {
    /// Categorical attributes of the person, ascending. Sex is among them if it is read; age is not.
    pub person: Vec<AttributeNumber>,
    /// Categorical attributes of the household, ascending.
    pub household: Vec<AttributeNumber>,
    /// Categorical attributes of the commune, ascending.
    pub commune: Vec<AttributeNumber>,
    /// Attributes that are not categorical, of any subject, ascending.
    pub numbers: Vec<AttributeNumber>,
    /// Whether the province is read.
    pub province: bool,
    /// Whether the former province is read.
    pub former_province: bool,
    /// How age is used.
    pub age: AgeUse,
}

/// A figure or a rule in force that is not well sourced. A run that uses it says so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LowConfidence {
    /// What it is.
    pub what: String,
    /// How well it is sourced.
    pub confidence: Confidence,
    /// Its source.
    pub source: String,
}

/// A programme that exists in the month.
#[derive(Debug, Clone, Copy)]
pub struct ProgrammeInForce<'a> {
    /// Its number.
    pub number: ProgrammeNumber,
    /// What the pack declares.
    pub rule: &'a ProgrammeRule,
    /// The attribute of its enrolments, where a decision is needed.
    pub enrolment: Option<AttributeNumber>,
}

/// A policy for one month, by the law as it was known on a day. Cases are evaluated by it.
#[derive(Debug, Clone)]
pub struct MonthPolicy {
    pub(crate) policy: Policy,
    month: Month,
    law_known_on: Date,
    pub(crate) parameters: Vec<Option<Decimal>>,
    /// The places in the pack of the programmes that exist in the month.
    pub(crate) programmes: Vec<usize>,
    reads: Reads,
}

impl MonthPolicy {
    pub(crate) fn new(policy: &Policy, month: Month, law_known_on: Date) -> Result<Self, PolicyError> {
        let pack = &policy.pack.0;
        let parameters: Vec<Option<Decimal>> = pack
            .parameters
            .iter()
            .map(|parameter| parameter.value_for(month, law_known_on).map(|value| value.value))
            .collect();
        let all = pack.programmes.iter().enumerate();
        let programmes: Vec<usize> = all
            .filter(|(_, rule)| rule.exists_in(month))
            .map(|(index, _)| index)
            .collect();
        let mut collector = Collector::new(&parameters);
        for &index in &programmes {
            let rule = &pack.programmes[index];
            if let Some(&missing) = rule.parameters.iter().find(|&&index| parameters[index].is_none()) {
                return Err(PolicyError::NoValue {
                    parameter: pack.parameters[missing].name.clone(),
                    month,
                    law_known_on,
                    programme: rule.id.clone(),
                });
            }
            rule.collect(&mut collector);
        }
        let uses = collector.uses;
        let reads = reads_of(policy, uses);
        Ok(Self {
            policy: policy.clone(),
            month,
            law_known_on,
            parameters,
            programmes,
            reads,
        })
    }

    pub(crate) fn pack(&self) -> &PackData {
        &self.policy.pack.0
    }

    /// The policy that this is a month of.
    pub const fn policy(&self) -> &Policy {
        &self.policy
    }

    /// The month.
    pub const fn month(&self) -> Month {
        self.month
    }

    /// The day whose knowledge of the law is used.
    pub const fn law_known_on(&self) -> Date {
        self.law_known_on
    }

    /// What the programmes of the month read.
    pub const fn reads(&self) -> &Reads {
        &self.reads
    }

    /// What one programme reads; `None` if it does not exist in the month. Its result by itself depends on
    /// nothing else, the combination with others does.
    pub fn reads_of_programme(&self, programme: ProgrammeNumber) -> Option<Reads> {
        let index = *self
            .programmes
            .iter()
            .find(|&&index| self.policy.bound.programmes[index] == programme)?;
        let mut collector = Collector::new(&self.parameters);
        self.pack().programmes[index].collect(&mut collector);
        Some(reads_of(&self.policy, collector.uses))
    }

    /// The categorical attributes read, of persons, households and communes.
    pub fn attributes_read(&self) -> (&[AttributeNumber], &[AttributeNumber], &[AttributeNumber]) {
        (&self.reads.person, &self.reads.household, &self.reads.commune)
    }

    /// The attributes read that are not categorical.
    pub fn numbers_read(&self) -> &[AttributeNumber] {
        &self.reads.numbers
    }

    /// Whether the province or the former province is read.
    pub const fn reads_place(&self) -> bool {
        self.reads.province || self.reads.former_province
    }

    /// Month policies with equal keys give equal outcomes for equal cases, ages being those of the cases: tables
    /// of results can be kept from month to month under it.
    pub fn results_key(&self) -> [u8; 32] {
        let mut hasher = blake3::Hasher::new();
        hasher.update(&self.pack().hash);
        for bound in &self.policy.bound.attributes {
            hasher.update(&bound.attribute.number.get().to_le_bytes());
            for value in &bound.values {
                hasher.update(&value.to_le_bytes());
            }
        }
        let month_before = self.month.previous();
        for &index in &self.programmes {
            let rule = &self.pack().programmes[index];
            hasher.update(&(index as u32).to_le_bytes());
            hasher.update(&self.policy.bound.programmes[index].get().to_le_bytes());
            hasher.update(&[u8::from(month_before.is_some_and(|month| rule.exists_in(month)))]);
            for &parameter in &rule.parameters {
                let value = self.parameters[parameter].map_or_else(String::new, |value| value.to_string());
                hasher.update(&(value.len() as u32).to_le_bytes());
                hasher.update(value.as_bytes());
            }
        }
        *hasher.finalize().as_bytes()
    }

    /// How age is used.
    pub const fn age_use(&self) -> &AgeUse {
        &self.reads.age
    }

    /// The programmes that exist in the month, in the pack's order.
    pub fn programmes(&self) -> impl Iterator<Item = ProgrammeInForce<'_>> {
        self.programmes.iter().map(|&index| {
            let rule = &self.pack().programmes[index];
            ProgrammeInForce {
                number: self.policy.bound.programmes[index],
                rule,
                enrolment: rule.enrolment.map(|enrolment| self.number_of(enrolment)),
            }
        })
    }

    pub(crate) fn number_of(&self, attribute: AttributeIndex) -> AttributeNumber {
        self.policy.bound.attributes[attribute].attribute.number
    }

    /// What holds where only the year of a birth is known.
    pub fn unknown_birth_month(&self) -> UnknownBirthMonth {
        self.pack().birth.unknown_month
    }

    /// The age at the end of the month.
    pub fn age(&self, birth: BirthDate) -> Age {
        Age::at_end_of(self.month, birth, self.unknown_birth_month())
    }

    /// Every figure or rule of low confidence that is in force in the month.
    pub fn low_confidence(&self) -> Vec<LowConfidence> {
        let pack = self.pack();
        let mut found = Vec::new();
        let mut note = |what: String, confidence: Confidence, source: &str| {
            if confidence.is_low() {
                found.push(LowConfidence {
                    what,
                    confidence,
                    source: source.to_owned(),
                });
            }
        };
        note(
            "a birth date without month".to_owned(),
            pack.birth.confidence,
            &pack.birth.source,
        );
        let rules = || self.programmes.iter().map(|&index| &pack.programmes[index]);
        let parameters: BTreeSet<usize> = rules().flat_map(|rule| rule.parameters.iter().copied()).collect();
        for index in parameters {
            let parameter = &pack.parameters[index];
            if let Some(value) = parameter.value_for(self.month, self.law_known_on) {
                note(
                    format!("param.{} = {}", parameter.name, value.value),
                    value.confidence,
                    &value.source,
                );
            }
        }
        let groups: BTreeSet<usize> = rules().map(|rule| rule.group).collect();
        for index in groups {
            let group = &pack.groups[index];
            note(
                format!("combination group {}", group.name),
                group.confidence,
                &group.cite,
            );
        }
        for rule in rules() {
            note(format!("programme {}", rule.id), rule.confidence, &rule.cite);
            for doubt in rule
                .doubts
                .iter()
                .filter(|doubt| doubt.concerns(self.month, self.law_known_on))
            {
                note(
                    format!("programme {}: {}", rule.id, doubt.what),
                    doubt.confidence,
                    &doubt.source,
                );
            }
        }
        found
    }

    /// A person's profile with only what the programmes read. Values that hold anyway without a record are left
    /// out, so that profiles with the same results become equal.
    #[must_use]
    pub fn project_person(&self, profile: &Profile) -> Profile {
        self.project(SubjectKind::Person, &self.reads.person, profile)
    }

    /// As [`MonthPolicy::project_person`], of a household.
    #[must_use]
    pub fn project_household(&self, profile: &Profile) -> Profile {
        self.project(SubjectKind::Household, &self.reads.household, profile)
    }

    /// As [`MonthPolicy::project_person`], of a commune.
    #[must_use]
    pub fn project_commune(&self, profile: &Profile) -> Profile {
        self.project(SubjectKind::Commune, &self.reads.commune, profile)
    }

    fn project(&self, subject: SubjectKind, read: &[AttributeNumber], profile: &Profile) -> Profile {
        let attributes = &self.policy.bound.attributes;
        profile
            .iter()
            .filter(|(number, value)| {
                let absent = |number: AttributeNumber| {
                    let bound = attributes
                        .iter()
                        .find(|bound| bound.attribute.subject == subject && bound.attribute.number == number);
                    bound.map(|bound| bound.attribute.absent)
                };
                read.binary_search(number).is_ok() && absent(*number) != Some(*value)
            })
            .collect()
    }

    /// Reads a condition on a person's state at the end of the month, with the names of the pack.
    ///
    /// ```
    /// # use ansinh::kernel::catalogue::Catalogue;
    /// # use ansinh::policy::Pack;
    /// # let pack = Pack::vietnam();
    /// # let (catalogue, _) = Catalogue::default().adopt(&pack.declaration())?;
    /// # let policy = pack.bind(&catalogue)?;
    /// # let month = policy.for_month("2026-06".parse()?, "2026-06-30".parse()?)?;
    /// let predicate = month.predicate("age >= 75 and pension == none")?;
    /// assert!(!predicate.reads().person.is_empty());
    /// let error = month.predicate("age >= 75 and pention == none").unwrap_err();
    /// assert!(error.to_string().contains("did you mean \"pension\"?"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn predicate(&self, text: &str) -> Result<Predicate<'_>, PackErrors> {
        let mut report = Report::new("expression", text);
        let mut problems = Vec::new();
        let mut condition = None;
        match parse(text) {
            Ok(tree) => condition = check::condition(&tree, &self.pack().scope, &mut problems),
            Err(problem) => problems.push(problem),
        }
        for problem in problems {
            report.add_problem(problem, |byte| byte);
        }
        let mut collector = Collector::new(&self.parameters);
        if let Some(condition) = &condition {
            collector.condition(condition);
        }
        for &index in &collector.uses.parameters {
            if self.parameters[index].is_none() {
                let name = &self.pack().parameters[index].name;
                report.add(
                    0..text.len(),
                    format!(
                        "param.{name} has no value for {} that was known on {}",
                        self.month, self.law_known_on
                    ),
                );
            }
        }
        match (condition, report.into_errors()) {
            (Some(condition), None) => Ok(Predicate {
                month: self,
                condition,
                reads: reads_of(&self.policy, collector.uses),
            }),
            (_, Some(errors)) => Err(errors),
            (None, None) => unreachable!("a condition is missing only with a problem"),
        }
    }
}

/// A condition that somebody asks for, evaluated as the conditions of programmes are.
#[derive(Debug)]
pub struct Predicate<'a> {
    month: &'a MonthPolicy,
    condition: Condition,
    reads: Reads,
}

impl Predicate<'_> {
    /// Whether it holds for a case.
    pub fn evaluate(&self, case: &Case<'_>) -> Result<Truth, Fault> {
        let month = self.month;
        Evaluator::new(&month.policy.bound.attributes, &month.parameters, case, false)
            .condition(&self.condition)
    }

    /// What it reads.
    pub const fn reads(&self) -> &Reads {
        &self.reads
    }
}

fn reads_of(policy: &Policy, uses: Uses) -> Reads {
    let of = |categorical: bool, subject: Option<SubjectKind>| {
        let bound = uses
            .attributes
            .iter()
            .map(|&index| &policy.bound.attributes[index].attribute);
        let mut numbers: Vec<AttributeNumber> = bound
            .filter(|attribute| attribute.kind.is_categorical() == categorical)
            .filter(|attribute| subject.is_none_or(|subject| attribute.subject == subject))
            .map(|attribute| attribute.number)
            .collect();
        numbers.sort_unstable();
        numbers
    };
    Reads {
        person: of(true, Some(SubjectKind::Person)),
        household: of(true, Some(SubjectKind::Household)),
        commune: of(true, Some(SubjectKind::Commune)),
        numbers: of(false, None),
        province: uses.province,
        former_province: uses.former_province,
        age: if uses.exact_age {
            AgeUse::Exact
        } else {
            AgeUse::Thresholds(uses.thresholds.into_iter().collect())
        },
    }
}
