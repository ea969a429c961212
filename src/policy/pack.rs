//! A policy pack: attributes, parameters, programmes, combination rules and examples, as read from its file.

use std::sync::Arc;

use super::error::PackErrors;
use super::example::Example;
use super::expr::check::{AttributeIndex, Condition, Number, ParameterIndex, Scope};
use super::expr::uses::Collector;
use super::parameter::{Confidence, Parameter};
use super::{case::UnknownBirthMonth, load};
use crate::kernel::catalogue::{AttributeDeclaration, Declaration, ProgrammeDeclaration};
use crate::types::{Date, Month};

/// The longest pack, in bytes.
pub const PACK_BYTES_MAX: usize = 4 << 20;
/// The greatest number of attributes that a pack declares.
pub const PACK_ATTRIBUTES_MAX: usize = 1_000;
/// The greatest number of parameters of a pack.
pub const PARAMETERS_MAX: usize = 1_000;
/// The greatest number of values of one parameter.
pub const PARAMETER_VALUES_MAX: usize = 1_000;
/// The greatest number of programmes of a pack.
pub const PACK_PROGRAMMES_MAX: usize = 500;
/// The greatest number of exclusions, of doubts, or of payees of one programme.
pub const CLAUSES_MAX: usize = 100;
/// The greatest number of examples of a pack.
pub const EXAMPLES_MAX: usize = 10_000;

/// The text of the built-in pack for Vietnam.
const VIETNAM: &str = include_str!("../../policies/vn.toml");

/// A policy pack that loaded without error. Cloning it is cheap.
///
/// ```
/// use ansinh::policy::Pack;
/// let pack = Pack::vietnam();
/// assert_eq!(pack.id(), "vn");
/// let error = Pack::parse("mine.toml", "[pack]\nid = 5").unwrap_err();
/// assert!(error.to_string().starts_with("mine.toml:1:1:"));
/// ```
#[derive(Debug, Clone)]
pub struct Pack(pub(crate) Arc<PackData>);

#[derive(Debug)]
pub(crate) struct PackData {
    pub id: String,
    pub version: String,
    pub title_vi: String,
    pub title_en: String,
    pub text: String,
    pub hash: [u8; 32],
    pub scope: Scope,
    pub attributes: Vec<AttributeRule>,
    pub parameters: Vec<Parameter>,
    pub groups: Vec<Group>,
    pub programmes: Vec<ProgrammeRule>,
    pub birth: BirthRule,
    pub examples: Vec<Example>,
}

/// An attribute that a pack declares.
#[derive(Debug, Clone)]
pub struct AttributeRule {
    /// What the catalogue is told.
    pub declaration: AttributeDeclaration,
    /// The title in Vietnamese.
    pub title_vi: String,
    /// The title in English.
    pub title_en: String,
}

/// What holds where only the year of a birth is known.
#[derive(Debug, Clone)]
pub struct BirthRule {
    /// The rule.
    pub unknown_month: UnknownBirthMonth,
    /// Its source.
    pub source: String,
    /// How well it is sourced.
    pub confidence: Confidence,
}

/// How the benefits of a group are combined.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Combination {
    /// Only the single highest is paid; of equals the one declared first.
    Highest,
    /// Each is paid.
    Sum,
}

/// A combination group.
#[derive(Debug, Clone)]
pub struct Group {
    /// The name.
    pub name: String,
    /// The rule.
    pub combination: Combination,
    /// Its legal source.
    pub cite: String,
    /// How well it is sourced.
    pub confidence: Confidence,
}

/// What a condition lost in a month, death included, means for that month.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Stop {
    /// The month is still paid in full.
    MonthAfter,
    /// The month is no longer paid.
    AtOnce,
}

/// Who is paid.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Payee {
    /// The person whose facts entitle.
    Person,
    /// The head of that person's household.
    Head,
    /// The person to whom this attribute of that person refers.
    Reference(String),
}

/// A part of a programme that is less certain than the whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Doubt {
    /// What is in doubt.
    pub what: String,
    /// What is known of it.
    pub source: String,
    /// How well it is sourced.
    pub confidence: Confidence,
    /// The first month that it concerns; without it, every month.
    pub from: Option<Month>,
    /// The last month that it concerns.
    pub until: Option<Month>,
    /// The day from which it is known; without it, always.
    pub known_from: Option<Date>,
}

impl Doubt {
    pub(crate) fn concerns(&self, month: Month, law_known_on: Date) -> bool {
        self.from.is_none_or(|from| from <= month)
            && self.until.is_none_or(|until| month <= until)
            && self.known_from.is_none_or(|known| known <= law_known_on)
    }
}

/// A condition and its text.
#[derive(Debug, Clone)]
pub(crate) struct Clause {
    pub condition: Condition,
    pub text: String,
}

/// A condition that excludes from a programme.
#[derive(Debug, Clone)]
pub(crate) struct Exclusion {
    pub clause: Clause,
    /// The attribute that the exclusion is about: of those that it reads, the one declared first.
    pub by: AttributeIndex,
    pub cite: String,
}

/// An amount and its text.
#[derive(Debug, Clone)]
pub(crate) struct Formula {
    pub number: Number,
    pub text: String,
}

/// A programme as the pack declares it.
#[derive(Debug, Clone)]
pub struct ProgrammeRule {
    /// The identifier.
    pub id: String,
    /// The title in Vietnamese.
    pub title_vi: String,
    /// The title in English.
    pub title_en: String,
    /// The legal source.
    pub cite: String,
    /// How well it is sourced.
    pub confidence: Confidence,
    /// The first month in which it exists.
    pub from: Month,
    /// The last month in which it exists.
    pub until: Option<Month>,
    /// Whether a decision is needed.
    pub needs_decision: bool,
    /// What a condition lost means.
    pub stop: Stop,
    /// Who is paid: the first of these that is recorded.
    pub payees: Vec<Payee>,
    /// What in it is less certain than the whole.
    pub doubts: Vec<Doubt>,
    pub(crate) group: usize,
    pub(crate) enrolment: Option<AttributeIndex>,
    pub(crate) conditions: Vec<Clause>,
    pub(crate) exclusions: Vec<Exclusion>,
    pub(crate) amount: Formula,
    pub(crate) parameters: Vec<ParameterIndex>,
}

impl ProgrammeRule {
    /// Whether the programme exists in a month.
    pub fn exists_in(&self, month: Month) -> bool {
        self.from <= month && self.until.is_none_or(|until| month <= until)
    }

    /// Collects what the programme reads, its enrolment included.
    pub(crate) fn collect(&self, collector: &mut Collector<'_>) {
        for clause in &self.conditions {
            collector.condition(&clause.condition);
        }
        for exclusion in &self.exclusions {
            collector.condition(&exclusion.clause.condition);
        }
        collector.number(&self.amount.number);
        collector.uses.attributes.extend(self.enrolment);
    }

    /// The texts of the conditions, all of which must hold.
    pub fn condition_texts(&self) -> impl Iterator<Item = &str> {
        self.conditions.iter().map(|clause| clause.text.as_str())
    }

    /// The texts of the exclusions, none of which may hold, each with its legal source.
    pub fn exclusion_texts(&self) -> impl Iterator<Item = (&str, &str)> {
        self.exclusions
            .iter()
            .map(|exclusion| (exclusion.clause.text.as_str(), exclusion.cite.as_str()))
    }

    /// The text of the amount.
    pub fn amount_text(&self) -> &str {
        &self.amount.text
    }
}

impl Pack {
    /// Reads a pack. `file_name` is only for messages. Every error is reported, not only the first.
    pub fn parse(file_name: &str, text: &str) -> Result<Self, PackErrors> {
        load::load(file_name, text).map(|data| Self(Arc::new(data)))
    }

    /// The built-in pack for Vietnam.
    pub fn vietnam() -> Self {
        match Self::parse("policies/vn.toml", VIETNAM) {
            Ok(pack) => pack,
            Err(errors) => unreachable!("the built-in pack is tested to load:\n{errors}"),
        }
    }

    /// The pack's identifier.
    pub fn id(&self) -> &str {
        &self.0.id
    }

    /// The pack's version.
    pub fn version(&self) -> &str {
        &self.0.version
    }

    /// The title in Vietnamese.
    pub fn title_vi(&self) -> &str {
        &self.0.title_vi
    }

    /// The title in English.
    pub fn title_en(&self) -> &str {
        &self.0.title_en
    }

    /// The whole text of the pack.
    pub fn source_text(&self) -> &str {
        &self.0.text
    }

    /// BLAKE3 of the text: a registry keeps and names packs by it.
    pub fn hash(&self) -> [u8; 32] {
        self.0.hash
    }

    /// The attributes that the pack declares, in its order.
    pub fn attributes(&self) -> &[AttributeRule] {
        &self.0.attributes
    }

    /// The parameters, in the pack's order.
    pub fn parameters(&self) -> &[Parameter] {
        &self.0.parameters
    }

    /// The combination groups.
    pub fn groups(&self) -> &[Group] {
        &self.0.groups
    }

    /// The programmes, in the pack's order.
    pub fn programmes(&self) -> &[ProgrammeRule] {
        &self.0.programmes
    }

    /// The group to which a programme belongs.
    pub fn group_of(&self, programme: &ProgrammeRule) -> &Group {
        &self.0.groups[programme.group]
    }

    /// What holds where only the year of a birth is known.
    pub fn birth_rule(&self) -> &BirthRule {
        &self.0.birth
    }

    /// The examples, in the pack's order.
    pub fn examples(&self) -> &[Example] {
        &self.0.examples
    }

    /// What the pack asks of the catalogue.
    pub fn declaration(&self) -> Declaration {
        self.0.declaration()
    }
}

impl PackData {
    pub fn declaration(&self) -> Declaration {
        let programmes = self.programmes.iter().map(|programme| ProgrammeDeclaration {
            name: programme.id.clone(),
            title_vi: programme.title_vi.clone(),
            title_en: programme.title_en.clone(),
            needs_decision: programme.needs_decision,
        });
        Declaration {
            attributes: self
                .attributes
                .iter()
                .map(|rule| rule.declaration.clone())
                .collect(),
            programmes: programmes.collect(),
        }
    }
}
