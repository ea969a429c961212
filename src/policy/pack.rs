//! A policy pack: attributes, parameters, programmes, combination rules and examples, as read from its file.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use super::case::UnknownBirthMonth;
use super::dates::Dates;
use super::error::{PackErrors, PackReadError};
use super::example::Example;
use super::expr::check::{AttributeIndex, Condition, Number, ParameterIndex, Scope, TableIndex};
use super::expr::uses::Collector;
use super::lookup::LookupTable;
use super::parameter::{Area, Confidence, Parameter};
use super::{bundle, load};
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
/// The greatest number of lookup tables of a pack.
pub const TABLES_MAX: usize = 200;
/// The most bytes of the files of all lookup tables together, a file counted for each table that reads it.
pub const TABLES_BYTES_MAX: usize = 2 * PACK_BYTES_MAX;
/// The greatest number of editions of one lookup table.
pub const EDITIONS_MAX: usize = 1_000;
/// The greatest number of definitions of a pack.
pub const DEFINITIONS_MAX: usize = 1_000;
/// The greatest number of exclusions, of doubts, of payees, of provincial conditions or of earlier programmes of one
/// programme, and of exceptions of one group.
pub const CLAUSES_MAX: usize = 100;
/// How many groups may stand within one another.
pub const NESTING_MAX: usize = 8;
/// The greatest number of parts of all expressions of a pack, definitions written out.
pub const PACK_PARTS_MAX: usize = 500_000;
/// The greatest number of examples of a pack.
pub const EXAMPLES_MAX: usize = 10_000;
/// The greatest number of facts of all people of all examples; what people share is counted for each.
pub const EXAMPLE_FACTS_MAX: usize = 2_000_000;

/// The text of the built-in pack for Vietnam, and the tables beside it.
const VIETNAM: &str = include_str!("../../policies/vn.toml");
const VIETNAM_FILES: [(&str, &str); 2] = [
    (
        "vn/merit_annex1.csv",
        include_str!("../../policies/vn/merit_annex1.csv"),
    ),
    (
        "vn/merit_invalid.csv",
        include_str!("../../policies/vn/merit_invalid.csv"),
    ),
];

/// Gives the text of a file beside a pack, by its name, or says why not.
pub type Beside<'b> = &'b dyn Fn(&str) -> Result<String, String>;

/// A policy pack that loaded without error. Cloning it is cheap.
///
/// ```
/// use ansinh::policy::Pack;
/// let pack = Pack::vietnam();
/// assert_eq!(pack.id(), "vn");
/// let error = Pack::parse("mine.toml", "[pack]\nid = 5").unwrap_err();
/// assert!(error.to_string().starts_with("mine.toml:1:1:"));
/// ```
#[derive(Clone)]
pub struct Pack(pub(crate) Arc<PackData>);

impl fmt::Debug for Pack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hash = blake3::Hash::from_bytes(self.0.hash).to_hex();
        write!(f, "Pack({} {}, {})", self.0.id, self.0.version, &hash[..12])
    }
}

#[derive(Debug)]
pub(crate) struct PackData {
    pub id: String,
    pub version: String,
    pub title_vi: String,
    pub title_en: String,
    pub text: String,
    /// The files beside the pack, by the names under which the pack asks for them.
    pub files: Vec<(String, String)>,
    pub hash: [u8; 32],
    pub horizon: Option<Month>,
    pub scope: Scope,
    pub attributes: Vec<AttributeRule>,
    pub definitions: Vec<Definition>,
    pub parameters: Vec<Parameter>,
    pub tables: Vec<LookupTable>,
    pub groups: Vec<Group>,
    pub programmes: Vec<ProgrammeRule>,
    pub birth: BirthRule,
    /// The places of the programmes, each after those that exclude from it.
    pub settled: Vec<usize>,
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
    /// Words for the values of an `enum`, where the pack gives them.
    pub labels: Vec<Label>,
}

/// Words for a value, in explanations.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    /// The value.
    pub value: String,
    /// In Vietnamese.
    pub vi: String,
    /// In English.
    pub en: String,
}

/// An expression with a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Definition {
    /// The name that expressions write.
    pub name: String,
    /// The title in Vietnamese.
    pub title_vi: String,
    /// The title in English.
    pub title_en: String,
    /// Its text.
    pub text: String,
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
    /// So many are paid, the highest ones.
    AtMost(u16),
}

/// What competes in a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Member {
    /// A programme, by its place in the pack.
    Programme(usize),
    /// A group within the group, by its place in the pack.
    Group(usize),
}

/// An exception from "only the highest": something is paid together with the highest of some others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exception {
    /// What is paid besides.
    pub pays: Member,
    /// Beside the highest of these.
    pub beside: Vec<Member>,
    /// Its legal source.
    pub cite: String,
}

/// A combination group.
#[derive(Debug, Clone)]
pub struct Group {
    /// The name.
    pub name: String,
    /// The rule.
    pub combination: Combination,
    /// The exceptions, where only the highest is paid.
    pub exceptions: Vec<Exception>,
    /// The group, by its place in the pack, in which this one's total competes.
    pub within: Option<usize>,
    /// Its legal source.
    pub cite: String,
    /// How well it is sourced.
    pub confidence: Confidence,
}

/// From when a condition met counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Start {
    /// From the month in which it is met.
    SameMonth,
    /// From the month after.
    MonthAfter,
}

/// What a payment is made for once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Event {
    /// The death of the person: in its month, by the state at the end of the month before.
    Death,
    /// A campaign, in a run of its own: each person at most once ever.
    Campaign,
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
    /// Where it stands in the pack.
    pub span: Range<usize>,
}

/// What excludes from a programme.
#[derive(Debug, Clone)]
pub(crate) enum Excluder {
    /// A condition, and the attribute that it is about: of those that it reads, the one declared first.
    Condition { clause: Clause, by: AttributeIndex },
    /// That the person is entitled to another programme, by its place in the pack.
    Programme { programme: usize, text: String },
}

/// An exclusion from a programme.
#[derive(Debug, Clone)]
pub(crate) struct Exclusion {
    pub excluder: Excluder,
    pub cite: String,
    /// Where the condition, or the name of the programme, stands in the pack.
    pub span: Range<usize>,
}

impl Exclusion {
    pub fn text(&self) -> &str {
        match &self.excluder {
            Excluder::Condition { clause, .. } => &clause.text,
            Excluder::Programme { text, .. } => text,
        }
    }
}

/// Who else qualifies in a province.
#[derive(Debug, Clone)]
pub(crate) struct Widening {
    pub area: Area,
    pub clause: Clause,
    pub dates: Dates,
    pub cite: String,
    pub confidence: Confidence,
}

/// An amount and its text.
#[derive(Debug, Clone)]
pub(crate) struct Formula {
    pub number: Number,
    pub text: String,
    /// Where it stands in the pack.
    pub span: Range<usize>,
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
    /// The day from which its end could be known; `None` if from the beginning.
    pub until_known_from: Option<Date>,
    /// The day from which it could be known.
    pub known_from: Date,
    /// Whether a decision is needed.
    pub needs_decision: bool,
    /// The programmes whose decisions count where there is none in this one.
    pub earlier_decisions: Vec<String>,
    /// From when a condition met counts.
    pub start: Start,
    /// What it is paid once for; `None` if it is paid each month.
    pub once: Option<Event>,
    /// What a condition lost means.
    pub stop: Stop,
    /// Who is paid: the first of these that is recorded.
    pub payees: Vec<Payee>,
    /// What in it is less certain than the whole.
    pub doubts: Vec<Doubt>,
    pub(crate) group: usize,
    pub(crate) enrolment: Option<AttributeIndex>,
    /// The enrolments in the earlier programmes.
    pub(crate) earlier: Vec<AttributeIndex>,
    /// All must hold. Those that ask for what each person has of their own are judged last; see `order`.
    pub(crate) conditions: Vec<Clause>,
    pub(crate) provincial: Vec<Widening>,
    pub(crate) exclusions: Vec<Exclusion>,
    pub(crate) amount: Formula,
    pub(crate) parameters: Vec<ParameterIndex>,
    pub(crate) tables: Vec<TableIndex>,
    /// The places of the conditions in the order in which they are judged.
    pub(crate) order: Vec<usize>,
}

impl ProgrammeRule {
    /// Whether the programme exists in a month, as the law was known on a day.
    pub fn exists(&self, month: Month, law_known_on: Date) -> bool {
        let ended = self.until.is_some_and(|until| month > until)
            && self.until_known_from.is_none_or(|known| known <= law_known_on);
        self.from <= month && !ended && self.known_from <= law_known_on
    }

    /// Whether it is paid by runs of months, and not by campaigns.
    pub fn is_monthly(&self) -> bool {
        self.once != Some(Event::Campaign)
    }

    /// Collects what the programme by itself reads, its enrolment included; provincial conditions as far as they are
    /// chosen.
    pub(crate) fn collect(&self, collector: &mut Collector<'_>, chosen: impl Fn(&Widening) -> bool) {
        for clause in &self.conditions {
            collector.condition(&clause.condition);
        }
        for widening in self.provincial.iter().filter(|widening| chosen(widening)) {
            collector.uses.areas.insert(widening.area);
            collector.condition(&widening.clause.condition);
        }
        for exclusion in &self.exclusions {
            if let Excluder::Condition { clause, .. } = &exclusion.excluder {
                collector.condition(&clause.condition);
            }
        }
        collector.number(&self.amount.number);
        collector.uses.attributes.extend(self.enrolment);
        collector.uses.attributes.extend(&self.earlier);
    }

    /// The programmes that exclude from it.
    pub(crate) fn excluding(&self) -> impl Iterator<Item = usize> + '_ {
        self.exclusions
            .iter()
            .filter_map(|exclusion| match exclusion.excluder {
                Excluder::Programme { programme, .. } => Some(programme),
                Excluder::Condition { .. } => None,
            })
    }

    /// The texts of the conditions, all of which must hold.
    pub fn condition_texts(&self) -> impl Iterator<Item = &str> {
        self.conditions.iter().map(|clause| clause.text.as_str())
    }

    /// The texts of the exclusions, none of which may hold, each with its legal source.
    pub fn exclusion_texts(&self) -> impl Iterator<Item = (&str, &str)> {
        self.exclusions
            .iter()
            .map(|exclusion| (exclusion.text(), exclusion.cite.as_str()))
    }

    /// The text of the amount.
    pub fn amount_text(&self) -> &str {
        &self.amount.text
    }
}

impl Pack {
    /// Reads a pack that has no files beside it. `file_name` is only for messages. Every error is reported, not only the
    /// first.
    pub fn parse(file_name: &str, text: &str) -> Result<Self, PackErrors> {
        Self::parse_with(file_name, text, &|_| {
            Err("there are no files beside this pack".to_owned())
        })
    }

    /// Reads a pack; `beside` gives the text of a file beside it, by its name, or says why not.
    pub fn parse_with(file_name: &str, text: &str, beside: Beside<'_>) -> Result<Self, PackErrors> {
        load::load(file_name, text, beside).map(|data| Self(Arc::new(data)))
    }

    /// Reads a pack and the tables beside it from files.
    pub fn read(path: impl AsRef<std::path::Path>) -> Result<Self, PackReadError> {
        bundle::read(path.as_ref())
    }

    /// Another text beside the same files.
    pub fn with_text(&self, file_name: &str, text: &str) -> Result<Self, PackErrors> {
        let beside = |name: &str| {
            let file = self.files().find(|(known, _)| *known == name);
            file.map(|(_, text)| text.to_owned())
                .ok_or_else(|| "it is not one of the pack's files".to_owned())
        };
        Self::parse_with(file_name, text, &beside)
    }

    /// The whole pack as one text: what [`Pack::from_bytes`] reads. A registry keeps it so.
    pub fn to_bytes(&self) -> Vec<u8> {
        bundle::to_bytes(&self.0.text, &self.0.files)
    }

    /// Reads what [`Pack::to_bytes`] wrote.
    pub fn from_bytes(file_name: &str, bytes: &[u8]) -> Result<Self, PackErrors> {
        bundle::from_bytes(file_name, bytes)
    }

    /// The built-in pack for Vietnam.
    pub fn vietnam() -> Self {
        let beside = |name: &str| {
            let file = VIETNAM_FILES.iter().find(|(known, _)| *known == name);
            file.map(|(_, text)| (*text).to_owned())
                .ok_or_else(|| "it is not built in".to_owned())
        };
        match Self::parse_with("policies/vn.toml", VIETNAM, &beside) {
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

    /// The text of the pack, without the files beside it.
    pub fn source_text(&self) -> &str {
        &self.0.text
    }

    /// The files beside the pack: names and texts.
    pub fn files(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0
            .files
            .iter()
            .map(|(name, text)| (name.as_str(), text.as_str()))
    }

    /// The first month for which the pack promises every figure; without it each programme's own first month.
    pub fn horizon(&self) -> Option<Month> {
        self.0.horizon
    }

    /// BLAKE3 of the whole pack, the files beside it included: a registry keeps and names packs by it.
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

    /// The lookup tables, in the pack's order.
    pub fn tables(&self) -> &[LookupTable] {
        &self.0.tables
    }

    /// The definitions, in the pack's order.
    pub fn definitions(&self) -> &[Definition] {
        &self.0.definitions
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
    /// A group and those around it, the outermost last.
    pub fn groups_around(&self, group: usize) -> impl Iterator<Item = usize> + '_ {
        std::iter::successors(Some(group), |&at| self.groups[at].within)
    }

    /// The outermost group around one.
    pub fn outermost(&self, group: usize) -> usize {
        self.groups_around(group).last().unwrap_or(group)
    }

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
