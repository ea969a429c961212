//! The policy of one month: the programmes that exist in it and the parameter values in force.

use std::collections::BTreeSet;

use super::bind::Policy;
use super::case::{Age, Case, Group as CaseGroup, UnknownBirthMonth};
use super::error::{PackErrors, PolicyError, Report};
use super::expr::check;
use super::expr::check::{AttributeIndex, Condition, GroupRef, Source};
use super::expr::eval::{Context, Evaluator};
use super::expr::parse::parse;
use super::expr::range::{Fault, Truth};
use super::expr::uses::{Collector, Uses};
use super::figures::Figures;
use super::outcome::{Outcome, Reason, Status};
use super::pack::{Event, PackData, ProgrammeRule, Start, Widening};
use super::parameter::{Area, Confidence};
use super::table::{Place, seen_place};
use crate::kernel::catalogue::SubjectKind;
use crate::kernel::profile::Profile;
use crate::types::{AttributeNumber, BirthDate, Date, Month, ProgrammeNumber, ProvinceCode, Value};

/// How expressions use age.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AgeUse {
    /// Only on which side of these ages, in months and ascending, it lies.
    Thresholds(Vec<u16>),
    /// Otherwise: each age in months may have its own result.
    Exact,
}

/// What expressions read: the key under which a result may be remembered.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Reads {
    /// Attributes of the person that stand in profiles, ascending. Sex is among them if it is read; age is not.
    pub person: Vec<AttributeNumber>,
    /// Those of the household, ascending.
    pub household: Vec<AttributeNumber>,
    /// Those of the commune, ascending.
    pub commune: Vec<AttributeNumber>,
    /// Attributes that do not stand in profiles, of any subject, ascending.
    pub own: Vec<AttributeNumber>,
    /// The groups of people around the person that are asked about.
    pub groups: Vec<CaseGroup>,
    /// What is read of the people in them; `None` without groups. There are no groups in it.
    pub others: Option<Box<Reads>>,
    /// The areas that make a difference, ascending.
    pub areas: Vec<Area>,
    /// How age is used.
    pub age: AgeUse,
}

impl Default for AgeUse {
    fn default() -> Self {
        Self::Thresholds(Vec::new())
    }
}

impl Reads {
    /// The province and the former province as far as they make a difference: places that are equal for the rules
    /// become equal.
    pub fn project_place(
        &self,
        province: ProvinceCode,
        former_province: ProvinceCode,
    ) -> (ProvinceCode, ProvinceCode) {
        let kept = |code: ProvinceCode, area: fn(u8) -> Area| {
            let differs = self.areas.binary_search(&area(code.number())).is_ok();
            if differs { code } else { ProvinceCode::NONE }
        };
        (
            kept(province, Area::Province),
            kept(former_province, Area::Former),
        )
    }

    /// Whether what each person has of their own is read.
    pub fn asks_own(&self) -> bool {
        !self.groups.is_empty() || !self.own.is_empty()
    }
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
#[derive(Clone)]
pub struct MonthPolicy {
    pub(crate) policy: Policy,
    month: Month,
    law_known_on: Date,
    pub(super) figures: Figures,
    /// The places in the pack of the programmes that are paid, in the pack's order.
    paying: Vec<usize>,
    /// The places of those and of the programmes that exclude from them, each after those that exclude from it.
    settled: Vec<usize>,
    reads: Reads,
}

impl std::fmt::Debug for MonthPolicy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MonthPolicy")
            .field("policy", &self.policy)
            .field("month", &self.month)
            .field("law_known_on", &self.law_known_on)
            .finish_non_exhaustive()
    }
}

impl MonthPolicy {
    /// The programmes that are paid month by month.
    pub(crate) fn monthly(policy: &Policy, month: Month, law_known_on: Date) -> Result<Self, PolicyError> {
        let pays = |rule: &ProgrammeRule| rule.is_monthly() && rule.exists(month, law_known_on);
        Self::new(policy, month, law_known_on, &pays)
    }

    /// One campaign.
    pub(crate) fn campaign(
        policy: &Policy,
        month: Month,
        law_known_on: Date,
        name: &str,
    ) -> Result<Self, PolicyError> {
        let is_campaign =
            |rule: &ProgrammeRule| rule.once == Some(Event::Campaign) && rule.exists(month, law_known_on);
        let rules = || policy.pack.0.programmes.iter().filter(|rule| is_campaign(rule));
        if !rules().any(|rule| rule.id == name) {
            return Err(PolicyError::NoCampaign {
                name: name.to_owned(),
                month,
                law_known_on,
                known: rules().map(|rule| rule.id.clone()).collect(),
            });
        }
        Self::new(policy, month, law_known_on, &|rule| rule.id == name)
    }

    fn new(
        policy: &Policy,
        month: Month,
        law_known_on: Date,
        pays: &dyn Fn(&ProgrammeRule) -> bool,
    ) -> Result<Self, PolicyError> {
        let pack = &policy.pack.0;
        if let Some(horizon) = pack.horizon
            && (month < horizon || law_known_on < Date::first_of(horizon))
        {
            return Err(PolicyError::BeforeHorizon {
                horizon,
                month,
                law_known_on,
            });
        }
        let figures = Figures::in_force(pack, month, law_known_on);
        let all = pack.programmes.iter().enumerate();
        let paying: Vec<usize> = all
            .filter(|(_, rule)| pays(rule))
            .map(|(place, _)| place)
            .collect();
        let mut needed: BTreeSet<usize> = BTreeSet::new();
        for &place in &paying {
            excluding(pack, place, (month, law_known_on), &mut needed);
        }
        let settled: Vec<usize> = pack
            .settled
            .iter()
            .copied()
            .filter(|place| needed.contains(place))
            .collect();
        let mut made = Self {
            policy: policy.clone(),
            month,
            law_known_on,
            figures,
            paying,
            settled,
            reads: reads_of(policy, &Uses::default()),
        };
        let mut collector = Collector::new(Some(&made.figures));
        for &place in &made.settled {
            let rule = &pack.programmes[place];
            made.check_figures(rule)?;
            rule.collect(&mut collector, |widening| made.chooses(widening));
        }
        made.reads = reads_of(policy, &collector.uses);
        Ok(made)
    }

    /// Refuses a programme whose figures were not all known.
    fn check_figures(&self, rule: &ProgrammeRule) -> Result<(), PolicyError> {
        let (month, law_known_on, programme) = (self.month, self.law_known_on, rule.id.clone());
        let missing = rule
            .parameters
            .iter()
            .find(|&&index| !self.figures.has_value(index));
        if let Some(&index) = missing {
            return Err(PolicyError::NoValue {
                parameter: self.pack().parameters[index].name.clone(),
                month,
                law_known_on,
                programme,
            });
        }
        let missing = rule
            .tables
            .iter()
            .find(|&&index| !self.figures.has_edition(index));
        if let Some(&index) = missing {
            return Err(PolicyError::NoEdition {
                table: self.pack().tables[index].name.clone(),
                month,
                law_known_on,
                programme,
            });
        }
        Ok(())
    }

    /// What expressions are evaluated with.
    pub(super) fn context(&self) -> Context<'_> {
        Context {
            attributes: &self.policy.bound.attributes,
            figures: &self.figures,
            dependants: self.pack().scope.dependants.map(|index| self.number_of(index)),
        }
    }

    /// The places of the programmes that are paid, in the pack's order.
    pub(super) fn paying(&self) -> &[usize] {
        &self.paying
    }

    /// The places of the programmes to be judged, each after those that exclude from it.
    pub(super) fn settled(&self) -> &[usize] {
        &self.settled
    }

    /// Whether a provincial condition is in force.
    pub(super) fn chooses(&self, widening: &Widening) -> bool {
        widening.dates.in_force(self.month, self.law_known_on)
    }

    /// Whether a programme pays from the month after its conditions are met.
    pub(super) fn begins_after(&self, place: usize) -> bool {
        self.pack().programmes[place].start == Start::MonthAfter
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

    /// What one programme reads, those that exclude from it included: its result by itself depends on nothing else, the
    /// combination with others does.
    pub(super) fn reads_of_place(&self, place: usize) -> Reads {
        let mut needed = BTreeSet::new();
        excluding(self.pack(), place, (self.month, self.law_known_on), &mut needed);
        let mut collector = Collector::new(Some(&self.figures));
        for place in needed {
            self.pack().programmes[place].collect(&mut collector, |widening| self.chooses(widening));
        }
        reads_of(&self.policy, &collector.uses)
    }

    /// The outcome for somebody whom the campaign paid before; `None` if this is no campaign.
    pub fn already_paid(&self) -> Option<Outcome> {
        let place = self
            .paying
            .iter()
            .copied()
            .find(|&place| self.pack().programmes[place].once == Some(Event::Campaign))?;
        Some(Outcome {
            status: Status::Zero,
            lines: Vec::new(),
            reason: Reason::AlreadyPaid(self.policy.bound.programmes[place]),
        })
    }

    /// How age is used.
    pub const fn age_use(&self) -> &AgeUse {
        &self.reads.age
    }

    /// The programmes that exist in the month, in the pack's order.
    pub fn programmes(&self) -> impl Iterator<Item = ProgrammeInForce<'_>> {
        self.paying.iter().map(|&index| {
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
        let rules = || self.settled.iter().map(|&index| &pack.programmes[index]);
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
            for provincial in parameter.provincial_for(self.month, self.law_known_on) {
                note(
                    format!(
                        "param.{} = {} in {}",
                        parameter.name, provincial.value.value, provincial.area
                    ),
                    provincial.value.confidence,
                    &provincial.value.source,
                );
            }
        }
        let tables: BTreeSet<usize> = rules().flat_map(|rule| rule.tables.iter().copied()).collect();
        for index in tables {
            let table = &pack.tables[index];
            if let Some(edition) = table.edition_for(self.month, self.law_known_on) {
                note(
                    format!("table.{}, rows of {}", table.name, edition.rows),
                    edition.confidence,
                    &edition.source,
                );
            }
        }
        let groups: BTreeSet<usize> = rules().flat_map(|rule| pack.groups_around(rule.group)).collect();
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
            for widening in rule.provincial.iter().filter(|widening| self.chooses(widening)) {
                note(
                    format!("programme {} in {}", rule.id, widening.area),
                    widening.confidence,
                    &widening.cite,
                );
            }
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
        self.project(&self.reads.person, profile)
    }

    /// As [`MonthPolicy::project_person`], of a household.
    #[must_use]
    pub fn project_household(&self, profile: &Profile) -> Profile {
        self.project(&self.reads.household, profile)
    }

    /// As [`MonthPolicy::project_person`], of a commune.
    #[must_use]
    pub fn project_commune(&self, profile: &Profile) -> Profile {
        self.project(&self.reads.commune, profile)
    }

    /// A place with only what the programmes read of it.
    #[must_use]
    pub fn project_place(&self, place: &Place) -> Place {
        seen_place(self, &self.reads, place)
    }

    /// A profile with only some attributes, ascending, and without values that hold anyway without a record.
    pub(super) fn project(&self, read: &[AttributeNumber], profile: &Profile) -> Profile {
        profile.iter().filter(|value| self.is_kept(read, value)).collect()
    }

    /// Whether a profile keeps a value when only some attributes, ascending, are read of it.
    fn is_kept(&self, read: &[AttributeNumber], (attribute, value): &(AttributeNumber, Value)) -> bool {
        read.binary_search(attribute).is_ok() && self.policy.bound.absent.get(attribute) != Some(value)
    }

    /// Whether [`MonthPolicy::project_person`] keeps a value.
    pub(super) fn is_read_of_person(&self, value: &(AttributeNumber, Value)) -> bool {
        self.is_kept(&self.reads.person, value)
    }

    /// As [`MonthPolicy::project_person`], with what is read of the people in the groups around a person:
    /// [`Reads::others`].
    #[must_use]
    pub fn project_other(&self, others: &Reads, person: &Profile, household: &Profile) -> (Profile, Profile) {
        (
            self.project(&others.person, person),
            self.project(&others.household, household),
        )
    }

    /// As [`MonthPolicy::project_place`], with what is read of the people in the groups around a person.
    #[must_use]
    pub fn project_place_of_others(&self, others: &Reads, place: &Place) -> Place {
        seen_place(self, others, place)
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
            Ok(tree) => {
                let scope = &self.pack().scope;
                let source = Source {
                    tree: &tree,
                    text,
                    scope,
                    room: None,
                };
                condition = check::condition(&source, &mut problems);
            }
            Err(problem) => problems.push(problem),
        }
        for problem in problems {
            report.add_problem(problem, |byte| byte);
        }
        let mut collector = Collector::new(Some(&self.figures));
        if let Some(condition) = &condition {
            collector.condition(condition);
        }
        for &index in &collector.uses.parameters {
            if !self.figures.has_value(index) {
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
        for &index in &collector.uses.tables {
            if !self.figures.has_edition(index) {
                let name = &self.pack().tables[index].name;
                report.add(
                    0..text.len(),
                    format!(
                        "table.{name} has no edition for {} that was known on {}",
                        self.month, self.law_known_on
                    ),
                );
            }
        }
        match (condition, report.into_errors()) {
            (Some(condition), None) => Ok(Predicate {
                month: self,
                condition,
                reads: reads_of(&self.policy, &collector.uses),
            }),
            (_, Some(errors)) => Err(errors),
            (None, None) => unreachable!("a condition is missing only with a problem"),
        }
    }
}

/// A condition that somebody asks for, evaluated as the conditions of programmes are.
#[derive(Debug)]
pub struct Predicate<'a> {
    pub(super) month: &'a MonthPolicy,
    pub(super) condition: Condition,
    reads: Reads,
}

impl Predicate<'_> {
    /// Whether it holds for a case.
    pub fn evaluate(&self, case: &Case<'_>) -> Result<Truth, Fault> {
        Evaluator::new(self.month.context(), case, false).condition(&self.condition)
    }

    /// What it reads.
    pub const fn reads(&self) -> &Reads {
        &self.reads
    }
}

/// Adds a programme and, where they exist, those that exclude from it.
fn excluding(pack: &PackData, place: usize, at: (Month, Date), found: &mut BTreeSet<usize>) {
    if found.insert(place) {
        for other in pack.programmes[place].excluding() {
            if pack.programmes[other].exists(at.0, at.1) {
                excluding(pack, other, at, found);
            }
        }
    }
}

fn reads_of(policy: &Policy, uses: &Uses) -> Reads {
    let number_of = |index: AttributeIndex| policy.bound.attributes[index].attribute.number;
    let of = |in_profile: bool, subject: Option<SubjectKind>| {
        let bound = uses
            .attributes
            .iter()
            .map(|&index| &policy.bound.attributes[index].attribute);
        let mut numbers: Vec<AttributeNumber> = bound
            .filter(|attribute| attribute.in_profile() == in_profile)
            .filter(|attribute| subject.is_none_or(|subject| attribute.subject == subject))
            .map(|attribute| attribute.number)
            .collect();
        numbers.sort_unstable();
        numbers
    };
    let dependants = policy.pack.0.scope.dependants;
    let groups = uses.groups.iter().filter_map(|&group| {
        Some(match group {
            GroupRef::Household => CaseGroup::Household,
            GroupRef::Dependants => CaseGroup::Dependants(number_of(dependants?)),
            GroupRef::Reference(index) => CaseGroup::Reference(number_of(index)),
        })
    });
    Reads {
        person: of(true, Some(SubjectKind::Person)),
        household: of(true, Some(SubjectKind::Household)),
        commune: of(true, Some(SubjectKind::Commune)),
        own: of(false, None),
        groups: groups.collect(),
        others: uses
            .others
            .as_ref()
            .map(|others| Box::new(reads_of(policy, others))),
        areas: uses.areas.iter().copied().collect(),
        age: if uses.exact_age {
            AgeUse::Exact
        } else {
            AgeUse::Thresholds(uses.thresholds.iter().copied().collect())
        },
    }
}
