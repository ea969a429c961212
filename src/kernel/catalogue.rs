//! The catalogue: attributes, their named values, and programmes, with permanent numbers.
//!
//! A policy pack *declares* what it needs; the registry *adopts* the declaration: what is new gets the next
//! number, what is missing is retired, what comes back is revived. A number is never reused, so a fact recorded
//! years ago keeps its meaning.

use std::collections::BTreeMap;
use std::fmt;

use bincode::{Decode, Encode};
use thiserror::Error;

use crate::types::{AttributeNumber, ProgrammeNumber, Value};

/// The greatest number of attributes in a catalogue, retired ones included.
pub const ATTRIBUTES_MAX: usize = 4_000;
/// The greatest number of named values of one attribute, retired ones included.
pub const VALUES_MAX: usize = 1_000;
/// The greatest number of named values of all attributes together, retired ones included: the catalogue is kept as one
/// record, and one that is longer than a record may be could not be read again.
pub const CATALOGUE_VALUES_MAX: usize = 100_000;
/// The greatest number of programmes in a catalogue, retired ones included.
pub const PROGRAMMES_MAX: usize = 1_000;
/// The greatest number of values of an integer that profiles may hold: days of a month, percentages, tenths of them.
/// Every combination of values that occurs has a profile of its own, so what has many more values would make as many
/// profiles as people.
pub const PROFILE_INTEGERS_MAX: u64 = 1_001;
/// The longest name of an attribute, a value or a programme, in bytes.
pub const NAME_BYTES_MAX: usize = 64;
/// The longest title of a programme, in bytes.
pub const TITLE_BYTES_MAX: usize = 400;

// A named value takes its name and a few bytes; an attribute or a programme a name, titles and few more.
const _: () = assert!(
    CATALOGUE_VALUES_MAX * (NAME_BYTES_MAX + 8)
        + ATTRIBUTES_MAX * (NAME_BYTES_MAX + 64)
        + PROGRAMMES_MAX * (NAME_BYTES_MAX + 2 * TITLE_BYTES_MAX + 32)
        < crate::format::record::RECORD_BYTES_MAX
);

/// What a fact is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
pub enum SubjectKind {
    /// A person.
    Person,
    /// A household.
    Household,
    /// A commune (an administrative unit).
    Commune,
}

/// The type of an attribute's values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Encode, Decode)]
pub enum ValueKind {
    /// Yes or no.
    Bool,
    /// One of the attribute's named values.
    Enum,
    /// A whole number within a range, both ends included.
    Integer {
        /// The least value.
        min: i64,
        /// The greatest value.
        max: i64,
    },
    /// A whole date.
    Date,
    /// An amount of đồng.
    Money,
    /// A reference to a person.
    Person,
}

impl ValueKind {
    /// Whether the values are of a few named ones: `bool` and `enum`. See [`Attribute::is_categorical`] for what
    /// policies tell apart.
    pub const fn is_categorical(self) -> bool {
        matches!(self, Self::Bool | Self::Enum)
    }

    /// Whether the values are few enough to be kept in profiles: `bool`, `enum`, and an integer of at most
    /// [`PROFILE_INTEGERS_MAX`] values.
    ///
    /// ```
    /// use ansinh::kernel::catalogue::ValueKind;
    /// assert!(ValueKind::Integer { min: 0, max: 1_000 }.fits_profile());
    /// assert!(!ValueKind::Integer { min: -1, max: 1_000 }.fits_profile());
    /// assert!(!ValueKind::Money.fits_profile());
    /// ```
    pub const fn fits_profile(self) -> bool {
        match self {
            Self::Bool | Self::Enum => true,
            Self::Integer { min, max } => max < min || max.abs_diff(min) < PROFILE_INTEGERS_MAX,
            Self::Date | Self::Money | Self::Person => false,
        }
    }
}

/// What holds after a fact's last month.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Encode, Decode)]
pub enum OnExpiry {
    /// The value is kept until another is recorded.
    Keep,
    /// The value becomes unknown.
    Unknown,
    /// The attribute is as if nothing had been recorded.
    Absent,
}

/// Where the newest value of an attribute is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Encode, Decode)]
pub enum Keeping {
    /// In the profile: policies ask about it, or totals are broken down by it. Only for what
    /// [`ValueKind::fits_profile`].
    Profile,
    /// Beside the profile: dates, money, references and wide integers; and what no calculation reads.
    Column,
}

/// A named value of an `enum` attribute.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct NamedValue {
    /// Permanent number, unique within the attribute.
    pub number: u16,
    /// The name in expressions, files and commands.
    pub name: String,
    /// No longer declared by the pack in force. Old facts keep it; new facts are refused it.
    pub retired: bool,
}

/// An attribute that facts may have.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Attribute {
    /// Permanent number.
    pub number: AttributeNumber,
    /// The name; unique among the attributes of its kind of subject.
    pub name: String,
    /// What it is about.
    pub subject: SubjectKind,
    /// The type of its values.
    pub kind: ValueKind,
    /// The named values of an `enum`, by number; otherwise empty.
    pub values: Vec<NamedValue>,
    /// What holds without any record.
    pub absent: Value,
    /// What holds after a fact's last month.
    pub on_expiry: OnExpiry,
    /// Where its newest value is kept.
    pub keeping: Keeping,
    /// No longer declared by the pack in force.
    pub retired: bool,
}

/// A programme (chế độ trợ cấp): one legal benefit.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Programme {
    /// Permanent number.
    pub number: ProgrammeNumber,
    /// The identifier in packs, files and commands.
    pub name: String,
    /// The title in Vietnamese.
    pub title_vi: String,
    /// The title in English.
    pub title_en: String,
    /// The attribute that holds enrolments, where a decision is needed.
    pub enrolment: Option<AttributeNumber>,
    /// No longer declared by the pack in force.
    pub retired: bool,
}

/// The states of an enrolment, in the order of their value numbers.
///
/// An enrolment (a decision by which a person receives a programme) is a fact of the attribute that
/// [`enrolment_attribute_name`] names; its values are these, and `none` holds without a record.
pub const ENROLMENT_STATES: [&str; 4] = ["none", "active", "suspended", "ended"];

/// The value number of each state in [`ENROLMENT_STATES`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u16)]
pub enum EnrolmentState {
    /// No decision.
    None = 0,
    /// A decision is in force.
    Active = 1,
    /// Suspended by a decision.
    Suspended = 2,
    /// Ended by a decision.
    Ended = 3,
}

/// The kernel's own attributes. Their numbers lie below [`Catalogue::ATTRIBUTE_FIRST`]; no pack declares them.
pub mod builtin {
    use crate::types::AttributeNumber;

    /// Birth date of a person; holds always.
    pub const BIRTH: AttributeNumber = AttributeNumber(1);
    /// Sex of a person; holds always. In profiles `Enum(0)` is male, `Enum(1)` female.
    pub const SEX: AttributeNumber = AttributeNumber(2);
    /// Death of a person: its date, valid from its month.
    pub const DEATH: AttributeNumber = AttributeNumber(3);
    /// The household of which a person is a member: its number, or 0 for none.
    pub const HOUSEHOLD: AttributeNumber = AttributeNumber(4);
    /// The unit in which a household, or a person without household, lives: its number, or 0 for none.
    pub const RESIDENCE: AttributeNumber = AttributeNumber(5);
    /// Whether a person's record was entered in error; holds always.
    pub const ENTERED_IN_ERROR: AttributeNumber = AttributeNumber(6);
    /// The person into whose record this one was merged; holds always.
    pub const MERGED_INTO: AttributeNumber = AttributeNumber(7);
    /// The current outside identifier of a person; holds always.
    pub const IDENTIFIER: AttributeNumber = AttributeNumber(8);
    /// The head of a household: a person's number.
    pub const HEAD: AttributeNumber = AttributeNumber(9);
}

/// The name of the attribute that holds the enrolments in a programme.
pub fn enrolment_attribute_name(programme: &str) -> String {
    format!("enrolment.{programme}")
}

/// What a pack declares of an attribute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttributeDeclaration {
    /// The name.
    pub name: String,
    /// A name that it had before, if this version of the pack renames it.
    pub renamed_from: Option<String>,
    /// What it is about.
    pub subject: SubjectKind,
    /// The type of its values.
    pub kind: ValueKind,
    /// The names of an `enum`'s values, in order.
    pub values: Vec<String>,
    /// What holds without any record: `None` for unknown, otherwise the text of a value.
    pub absent: Option<String>,
    /// What holds after a fact's last month.
    pub on_expiry: OnExpiry,
    /// Where the newest value is kept.
    pub keeping: Keeping,
}

/// What a pack declares of a programme.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProgrammeDeclaration {
    /// The identifier.
    pub name: String,
    /// The title in Vietnamese.
    pub title_vi: String,
    /// The title in English.
    pub title_en: String,
    /// Whether a decision is needed: then the programme has an enrolment attribute.
    pub needs_decision: bool,
}

/// Everything that a pack asks of the catalogue.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Declaration {
    /// The attributes, enrolments not among them.
    pub attributes: Vec<AttributeDeclaration>,
    /// The programmes.
    pub programmes: Vec<ProgrammeDeclaration>,
}

/// What an adoption changed, in names.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Adoption {
    /// New attributes, values (`attribute=value`) and programmes.
    pub added: Vec<String>,
    /// What the pack no longer declares.
    pub retired: Vec<String>,
    /// What had been retired and is declared again.
    pub revived: Vec<String>,
    /// Old name and new name.
    pub renamed: Vec<(String, String)>,
}

/// Why a declaration cannot be adopted.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum AdoptError {
    /// The type, the keeping and what holds on expiry cannot change, because facts were recorded under them.
    #[error(
        "attribute {name:?} was {was} and the pack declares it as {declared}; recorded facts cannot change their type: declare it under another name"
    )]
    Changed {
        /// The attribute.
        name: String,
        /// What the catalogue has.
        was: String,
        /// What the pack declares.
        declared: String,
    },
    /// Declared twice.
    #[error("{what} {name:?} is declared twice; give each its own name")]
    Duplicate {
        /// `attribute`, `value` or `programme`.
        what: &'static str,
        /// The name.
        name: String,
    },
    /// A name of a form that expressions and files could not hold.
    #[error(
        "{what} name {name:?} must be 1 to {NAME_BYTES_MAX} bytes of a-z, 0-9, '_' and '.', and begin with a letter"
    )]
    Name {
        /// `attribute`, `value` or `programme`.
        what: &'static str,
        /// The name.
        name: String,
    },
    /// The value that holds without a record is not one of the attribute's values.
    #[error("attribute {name:?} has the absent value {absent:?}: {reason}")]
    Absent {
        /// The attribute.
        name: String,
        /// The value declared.
        absent: String,
        /// Why it does not fit.
        reason: String,
    },
    /// Values of that type are too many for profiles.
    #[error(
        "attribute {name:?} is {kind} and declared to be kept in profiles, where only bool, enum and integers of at most {PROFILE_INTEGERS_MAX} values can stand; keep it in a column"
    )]
    Keeping {
        /// The attribute.
        name: String,
        /// The type declared.
        kind: ValueKind,
    },
    /// A limit of the catalogue.
    #[error("{what}: {found} are declared or kept, at most {max} fit")]
    TooMany {
        /// What there are too many of.
        what: &'static str,
        /// How many.
        found: usize,
        /// The limit.
        max: usize,
    },
}

/// Why a text or a value does not fit an attribute.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ValueError {
    /// No such attribute for that kind of subject.
    #[error("{subject} attribute {name:?} is not in the catalogue{}", hint(.suggestion.as_deref()))]
    UnknownAttribute {
        /// What it would be about.
        subject: SubjectKind,
        /// The name found.
        name: String,
        /// The nearest name.
        suggestion: Option<String>,
    },
    /// The attribute is retired.
    #[error(
        "attribute {name:?} is retired; the pack in force no longer declares it, so nothing new is recorded under it"
    )]
    Retired {
        /// The attribute.
        name: String,
    },
    /// The value does not fit the type.
    #[error("value {found:?} does not fit attribute {name:?}; expected {expected}{}", hint(.suggestion.as_deref()))]
    Unfit {
        /// The attribute.
        name: String,
        /// The value found.
        found: String,
        /// What fits.
        expected: String,
        /// The nearest name of a value.
        suggestion: Option<String>,
    },
}

fn hint(suggestion: Option<&str>) -> String {
    suggestion.map_or_else(String::new, |name| format!("; did you mean {name:?}?"))
}

impl fmt::Display for SubjectKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Person => "person",
            Self::Household => "household",
            Self::Commune => "commune",
        })
    }
}

impl fmt::Display for ValueKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bool => f.write_str("bool"),
            Self::Enum => f.write_str("enum"),
            Self::Integer { min, max } => write!(f, "integer from {min} to {max}"),
            Self::Date => f.write_str("date"),
            Self::Money => f.write_str("money"),
            Self::Person => f.write_str("person"),
        }
    }
}

impl Attribute {
    /// The named value with this number.
    pub fn named(&self, number: u16) -> Option<&NamedValue> {
        self.values.iter().find(|value| value.number == number)
    }

    /// Whether the newest value stands in profiles: there are few values, and policies may ask about it.
    pub fn in_profile(&self) -> bool {
        self.keeping == Keeping::Profile
            && matches!(
                self.kind,
                ValueKind::Bool | ValueKind::Enum | ValueKind::Integer { .. }
            )
    }

    /// Whether policies tell subjects apart by the values themselves: `bool` and `enum` wherever they are kept, and
    /// integers that stand in profiles. All others are numbers, dates and references of single subjects.
    pub fn is_categorical(&self) -> bool {
        self.kind.is_categorical() || self.in_profile()
    }

    /// Whether a value fits the attribute's type and is not retired. `Unknown` fits every attribute.
    pub fn admits(&self, value: Value) -> bool {
        match (self.kind, value) {
            (_, Value::Unknown)
            | (ValueKind::Bool, Value::Bool(_))
            | (ValueKind::Date, Value::Date(_))
            | (ValueKind::Person, Value::Person(_)) => true,
            (ValueKind::Money, Value::Money(amount)) => amount.get() >= 0,
            (ValueKind::Enum, Value::Enum(number)) => self.named(number).is_some_and(|named| !named.retired),
            (ValueKind::Integer { min, max }, Value::Integer(number)) => (min..=max).contains(&number),
            _ => false,
        }
    }

    /// What fits, in words.
    pub fn expected(&self) -> String {
        match self.kind {
            ValueKind::Bool => "true, false or unknown".to_owned(),
            ValueKind::Enum => {
                let names: Vec<&str> = self
                    .values
                    .iter()
                    .filter(|value| !value.retired)
                    .map(|value| value.name.as_str())
                    .collect();
                format!("one of {} or unknown", names.join(", "))
            }
            ValueKind::Integer { min, max } => format!("a whole number from {min} to {max}, or unknown"),
            ValueKind::Date => "a date as YYYY-MM-DD, or unknown".to_owned(),
            ValueKind::Money => "an amount in whole đồng, not negative, or unknown".to_owned(),
            ValueKind::Person => "a personal ID or provisional ID, or unknown".to_owned(),
        }
    }

    /// Reads a value from text. References to persons are not read here: they need the registry's index.
    pub fn parse(&self, text: &str) -> Result<Value, ValueError> {
        if text == "unknown" {
            return Ok(Value::Unknown);
        }
        let value = match self.kind {
            ValueKind::Bool => match text {
                "true" | "yes" => Some(Value::Bool(true)),
                "false" | "no" => Some(Value::Bool(false)),
                _ => None,
            },
            ValueKind::Enum => self
                .values
                .iter()
                .find(|named| named.name == text)
                .map(|named| Value::Enum(named.number)),
            ValueKind::Integer { .. } => text.parse().ok().map(Value::Integer),
            ValueKind::Date => text.parse().ok().map(Value::Date),
            ValueKind::Money => text.parse().ok().map(Value::Money),
            ValueKind::Person => None,
        };
        value
            .filter(|&value| self.admits(value))
            .ok_or_else(|| self.unfit(text))
    }

    /// The error for a value that does not fit.
    pub fn unfit(&self, found: &str) -> ValueError {
        let names = self
            .values
            .iter()
            .filter(|value| !value.retired)
            .map(|value| value.name.as_str());
        ValueError::Unfit {
            name: self.name.clone(),
            found: found.chars().take(NAME_BYTES_MAX).collect(),
            expected: self.expected(),
            suggestion: nearest(found, names),
        }
    }

    /// The text of a value, as [`Attribute::parse`] reads it (persons by their number).
    pub fn text(&self, value: Value) -> String {
        match value {
            Value::Unknown => "unknown".to_owned(),
            Value::Bool(yes) => yes.to_string(),
            Value::Enum(number) => self
                .named(number)
                .map_or_else(|| format!("value #{number}"), |named| named.name.clone()),
            Value::Integer(number) => number.to_string(),
            Value::Date(date) => date.to_string(),
            Value::Birth(birth) => birth.to_string(),
            Value::Money(amount) => amount.get().to_string(),
            Value::Person(person) => person.to_string(),
        }
    }
}

/// The name nearest to `found` among `names`, if one is near enough to be meant.
pub fn nearest<'a>(found: &str, names: impl Iterator<Item = &'a str>) -> Option<String> {
    const LENGTH_MAX: usize = 64;
    if found.is_empty() || found.chars().count() > LENGTH_MAX {
        return None;
    }
    names
        .map(|name| (edit_distance(found, name), name))
        .filter(|&(distance, name)| distance <= 1 + name.chars().count() / 4 || name.starts_with(found))
        .min()
        .map(|(_, name)| name.to_owned())
}

fn edit_distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, &y) in b.iter().enumerate() {
            let substitute = diagonal + usize::from(x != y);
            diagonal = row[j + 1];
            row[j + 1] = substitute.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

/// Attributes and programmes with their permanent numbers.
///
/// ```
/// use ansinh::kernel::catalogue::*;
/// let declaration = Declaration {
///     attributes: vec![AttributeDeclaration {
///         name: "disability".into(),
///         renamed_from: None,
///         subject: SubjectKind::Person,
///         kind: ValueKind::Enum,
///         values: vec!["none".into(), "severe".into()],
///         absent: Some("none".into()),
///         on_expiry: OnExpiry::Keep,
///         keeping: Keeping::Profile,
///     }],
///     programmes: vec![],
/// };
/// let (catalogue, adoption) = Catalogue::default().adopt(&declaration)?;
/// assert_eq!(adoption.added, ["attribute person.disability"]);
/// let disability = catalogue.attribute(SubjectKind::Person, "disability")?;
/// assert_eq!(disability.text(disability.parse("severe")?), "severe");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default, Encode, Decode)]
pub struct Catalogue {
    attributes: BTreeMap<u16, Attribute>,
    programmes: BTreeMap<u16, Programme>,
}

impl Catalogue {
    /// The first number that a declared attribute gets; those below are the kernel's own.
    pub const ATTRIBUTE_FIRST: u16 = 64;

    /// Every attribute, by number, retired ones included.
    pub fn attributes(&self) -> impl Iterator<Item = &Attribute> {
        self.attributes.values()
    }

    /// Every programme, by number, retired ones included.
    pub fn programmes(&self) -> impl Iterator<Item = &Programme> {
        self.programmes.values()
    }

    /// The attribute with this number.
    pub fn attribute_by_number(&self, number: AttributeNumber) -> Option<&Attribute> {
        self.attributes.get(&number.get())
    }

    /// The programme with this number.
    pub fn programme_by_number(&self, number: ProgrammeNumber) -> Option<&Programme> {
        self.programmes.get(&number.get())
    }

    /// The attribute of this name, retired or not.
    pub fn attribute(&self, subject: SubjectKind, name: &str) -> Result<&Attribute, ValueError> {
        let of_kind = || self.attributes().filter(|attribute| attribute.subject == subject);
        of_kind()
            .find(|attribute| attribute.name == name)
            .ok_or_else(|| ValueError::UnknownAttribute {
                subject,
                name: name.chars().take(NAME_BYTES_MAX).collect(),
                suggestion: nearest(name, of_kind().filter(|a| !a.retired).map(|a| a.name.as_str())),
            })
    }

    /// The programme of this identifier, retired or not.
    pub fn programme(&self, name: &str) -> Option<&Programme> {
        self.programmes().find(|programme| programme.name == name)
    }

    /// The catalogue with a declaration adopted, and what changed. The old catalogue is untouched.
    pub fn adopt(&self, declaration: &Declaration) -> Result<(Self, Adoption), AdoptError> {
        let mut adopted = self.clone();
        let mut changes = Adoption::default();
        let mut declared = declaration.attributes.clone();
        declared.extend(
            declaration
                .programmes
                .iter()
                .filter(|programme| programme.needs_decision)
                .map(enrolment_declaration),
        );
        check_declaration(&declared, declaration)?;
        for attribute in &declared {
            adopted.adopt_attribute(attribute, &mut changes)?;
        }
        for programme in &declaration.programmes {
            adopted.adopt_programme(programme, &mut changes)?;
        }
        let found = adopted.attributes().map(|attribute| attribute.values.len()).sum();
        if found > CATALOGUE_VALUES_MAX {
            return Err(AdoptError::TooMany {
                what: "named values of all attributes",
                found,
                max: CATALOGUE_VALUES_MAX,
            });
        }
        adopted.retire_undeclared(&declared, declaration, &mut changes);
        Ok((adopted, changes))
    }

    fn adopt_attribute(
        &mut self,
        declared: &AttributeDeclaration,
        changes: &mut Adoption,
    ) -> Result<(), AdoptError> {
        let shown = format!("attribute {}.{}", declared.subject, declared.name);
        let find = |name: &str| {
            self.attributes()
                .find(|known| known.subject == declared.subject && known.name == name)
                .map(|a| a.number)
        };
        let known = find(&declared.name).or_else(|| {
            let old = find(declared.renamed_from.as_deref()?)?;
            changes
                .renamed
                .push((declared.renamed_from.clone()?, declared.name.clone()));
            Some(old)
        });
        let number = if let Some(number) = known {
            number
        } else {
            let next = self
                .attributes
                .last_key_value()
                .map_or(Self::ATTRIBUTE_FIRST, |(last, _)| last + 1);
            if self.attributes.len() >= ATTRIBUTES_MAX {
                let found = self.attributes.len() + 1;
                return Err(AdoptError::TooMany {
                    what: "attributes",
                    found,
                    max: ATTRIBUTES_MAX,
                });
            }
            changes.added.push(shown.clone());
            AttributeNumber(next)
        };
        let attribute = self.attributes.entry(number.get()).or_insert_with(|| Attribute {
            number,
            name: declared.name.clone(),
            subject: declared.subject,
            kind: declared.kind,
            values: Vec::new(),
            absent: Value::Unknown,
            on_expiry: declared.on_expiry,
            keeping: declared.keeping,
            retired: false,
        });
        let fixed = |kind: ValueKind| std::mem::discriminant(&kind);
        if fixed(attribute.kind) != fixed(declared.kind)
            || attribute.keeping != declared.keeping
            || attribute.on_expiry != declared.on_expiry
        {
            return Err(AdoptError::Changed {
                name: declared.name.clone(),
                was: described(attribute.kind, attribute.keeping, attribute.on_expiry),
                declared: described(declared.kind, declared.keeping, declared.on_expiry),
            });
        }
        attribute.kind = declared.kind;
        attribute.name.clone_from(&declared.name);
        if std::mem::take(&mut attribute.retired) {
            changes.revived.push(shown);
        }
        adopt_values(attribute, declared, known.is_some(), changes)?;
        attribute.absent = match declared.absent.as_deref() {
            None => Value::Unknown,
            Some(text) => attribute.parse(text).map_err(|error| AdoptError::Absent {
                name: declared.name.clone(),
                absent: text.to_owned(),
                reason: error.to_string(),
            })?,
        };
        Ok(())
    }

    fn adopt_programme(
        &mut self,
        declared: &ProgrammeDeclaration,
        changes: &mut Adoption,
    ) -> Result<(), AdoptError> {
        let shown = format!("programme {}", declared.name);
        let enrolment = declared
            .needs_decision
            .then(|| enrolment_attribute_name(&declared.name));
        let enrolment = enrolment.and_then(|name| {
            self.attribute(SubjectKind::Person, &name)
                .ok()
                .map(|attribute| attribute.number)
        });
        let next = self.programmes.last_key_value().map_or(1, |(last, _)| last + 1);
        let number = self.programme(&declared.name).map(|programme| programme.number);
        if number.is_none() {
            if self.programmes.len() >= PROGRAMMES_MAX {
                let found = self.programmes.len() + 1;
                return Err(AdoptError::TooMany {
                    what: "programmes",
                    found,
                    max: PROGRAMMES_MAX,
                });
            }
            changes.added.push(shown.clone());
        }
        let number = number.unwrap_or(ProgrammeNumber(next));
        let was_retired = self
            .programmes
            .get(&number.get())
            .is_some_and(|programme| programme.retired);
        if was_retired {
            changes.revived.push(shown);
        }
        self.programmes.insert(
            number.get(),
            Programme {
                number,
                name: declared.name.clone(),
                title_vi: declared.title_vi.clone(),
                title_en: declared.title_en.clone(),
                enrolment,
                retired: false,
            },
        );
        Ok(())
    }

    fn retire_undeclared(
        &mut self,
        attributes: &[AttributeDeclaration],
        declaration: &Declaration,
        changes: &mut Adoption,
    ) {
        for known in self.attributes.values_mut().filter(|known| !known.retired) {
            if !attributes
                .iter()
                .any(|a| a.subject == known.subject && a.name == known.name)
            {
                known.retired = true;
                changes
                    .retired
                    .push(format!("attribute {}.{}", known.subject, known.name));
            }
        }
        for known in self.programmes.values_mut().filter(|known| !known.retired) {
            if !declaration
                .programmes
                .iter()
                .any(|programme| programme.name == known.name)
            {
                known.retired = true;
                changes.retired.push(format!("programme {}", known.name));
            }
        }
    }
}

fn described(kind: ValueKind, keeping: Keeping, on_expiry: OnExpiry) -> String {
    format!("{kind} kept in the {keeping:?}, on expiry {on_expiry:?}").to_lowercase()
}

fn enrolment_declaration(programme: &ProgrammeDeclaration) -> AttributeDeclaration {
    AttributeDeclaration {
        name: enrolment_attribute_name(&programme.name),
        renamed_from: None,
        subject: SubjectKind::Person,
        kind: ValueKind::Enum,
        values: ENROLMENT_STATES.map(str::to_owned).to_vec(),
        absent: Some(ENROLMENT_STATES[0].to_owned()),
        on_expiry: OnExpiry::Absent,
        keeping: Keeping::Profile,
    }
}

fn adopt_values(
    attribute: &mut Attribute,
    declared: &AttributeDeclaration,
    existed: bool,
    changes: &mut Adoption,
) -> Result<(), AdoptError> {
    for name in &declared.values {
        if let Some(known) = attribute.values.iter_mut().find(|known| known.name == *name) {
            if std::mem::take(&mut known.retired) {
                changes.revived.push(format!("value {}={name}", attribute.name));
            }
            continue;
        }
        if existed {
            changes.added.push(format!("value {}={name}", attribute.name));
        }
        let number = attribute.values.last().map_or(0, |last| last.number + 1);
        attribute.values.push(NamedValue {
            number,
            name: name.clone(),
            retired: false,
        });
    }
    if attribute.values.len() > VALUES_MAX {
        let found = attribute.values.len();
        return Err(AdoptError::TooMany {
            what: "values of one attribute",
            found,
            max: VALUES_MAX,
        });
    }
    for known in attribute.values.iter_mut().filter(|known| !known.retired) {
        if !declared.values.contains(&known.name) {
            known.retired = true;
            changes
                .retired
                .push(format!("value {}={}", attribute.name, known.name));
        }
    }
    Ok(())
}

fn check_declaration(
    attributes: &[AttributeDeclaration],
    declaration: &Declaration,
) -> Result<(), AdoptError> {
    let mut seen = std::collections::BTreeSet::new();
    for attribute in attributes {
        check_name("attribute", &attribute.name)?;
        if !seen.insert((attribute.subject, attribute.name.as_str())) {
            return Err(AdoptError::Duplicate {
                what: "attribute",
                name: attribute.name.clone(),
            });
        }
        if attribute.keeping == Keeping::Profile && !attribute.kind.fits_profile() {
            return Err(AdoptError::Keeping {
                name: attribute.name.clone(),
                kind: attribute.kind,
            });
        }
        let mut values = std::collections::BTreeSet::new();
        for value in &attribute.values {
            check_name("value", value)?;
            if !values.insert(value) {
                return Err(AdoptError::Duplicate {
                    what: "value",
                    name: format!("{}={value}", attribute.name),
                });
            }
        }
    }
    let mut seen = std::collections::BTreeSet::new();
    for programme in &declaration.programmes {
        check_name("programme", &programme.name)?;
        if !seen.insert(&programme.name) {
            return Err(AdoptError::Duplicate {
                what: "programme",
                name: programme.name.clone(),
            });
        }
        let longest = programme.title_vi.len().max(programme.title_en.len());
        if longest > TITLE_BYTES_MAX {
            return Err(AdoptError::TooMany {
                what: "bytes of a programme's title",
                found: longest,
                max: TITLE_BYTES_MAX,
            });
        }
    }
    Ok(())
}

fn check_name(what: &'static str, name: &str) -> Result<(), AdoptError> {
    let good = name.len() <= NAME_BYTES_MAX
        && name.bytes().next().is_some_and(|b| b.is_ascii_lowercase())
        && name
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'_' | b'.'))
        && name != "unknown";
    if good {
        Ok(())
    } else {
        Err(AdoptError::Name {
            what,
            name: name.chars().take(NAME_BYTES_MAX).collect(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attribute(name: &str, values: &[&str]) -> AttributeDeclaration {
        AttributeDeclaration {
            name: name.into(),
            renamed_from: None,
            subject: SubjectKind::Person,
            kind: ValueKind::Enum,
            values: values.iter().map(|&value| value.into()).collect(),
            absent: values.first().map(|&value| value.into()),
            on_expiry: OnExpiry::Keep,
            keeping: Keeping::Profile,
        }
    }

    fn declaration(attributes: Vec<AttributeDeclaration>, programmes: &[&str]) -> Declaration {
        let programmes = programmes.iter().map(|&name| ProgrammeDeclaration {
            name: name.into(),
            title_vi: name.into(),
            title_en: name.into(),
            needs_decision: true,
        });
        Declaration {
            attributes,
            programmes: programmes.collect(),
        }
    }

    #[test]
    fn numbers_are_permanent() {
        let first = declaration(
            vec![attribute("a", &["x", "y"]), attribute("b", &["x"])],
            &["p", "q"],
        );
        let (one, _) = Catalogue::default().adopt(&first).unwrap();
        let second = declaration(vec![attribute("c", &["z"]), attribute("a", &["y", "w"])], &["r"]);
        let (two, changes) = one.adopt(&second).unwrap();
        let number =
            |catalogue: &Catalogue, name| catalogue.attribute(SubjectKind::Person, name).unwrap().number;
        assert_eq!(number(&one, "a"), number(&two, "a"));
        assert!(two.attribute(SubjectKind::Person, "b").unwrap().retired);
        assert!(number(&two, "c") > number(&one, "enrolment.q"));
        let a = two.attribute(SubjectKind::Person, "a").unwrap();
        assert_eq!(a.parse("w").unwrap(), Value::Enum(2));
        assert!(a.parse("x").is_err(), "a retired value is refused");
        assert_eq!(a.text(Value::Enum(0)), "x", "and still read");
        assert!(changes.retired.contains(&"value a=x".to_owned()), "{changes:?}");
        let (three, changes) = two.adopt(&first).unwrap();
        assert!(changes.revived.contains(&"programme p".to_owned()), "{changes:?}");
        assert_eq!(
            three.programme("p").unwrap().number,
            one.programme("p").unwrap().number
        );
        assert_eq!(
            three.adopt(&first).unwrap().1,
            Adoption::default(),
            "adopting again changes nothing"
        );
    }

    #[test]
    fn renaming_keeps_the_number() {
        let (one, _) = Catalogue::default()
            .adopt(&declaration(vec![attribute("old", &["x"])], &[]))
            .unwrap();
        let mut renamed = attribute("new", &["x"]);
        renamed.renamed_from = Some("old".into());
        let (two, changes) = one.adopt(&declaration(vec![renamed], &[])).unwrap();
        assert_eq!(
            two.attribute(SubjectKind::Person, "new").unwrap().number.get(),
            Catalogue::ATTRIBUTE_FIRST
        );
        assert_eq!(changes.renamed, [("old".to_owned(), "new".to_owned())]);
    }

    #[test]
    fn bad_declarations_are_refused() {
        let adopt = |declaration: &Declaration| Catalogue::default().adopt(declaration).unwrap_err();
        let twice = declaration(vec![attribute("a", &["x"]), attribute("a", &["x"])], &[]);
        assert!(matches!(
            adopt(&twice),
            AdoptError::Duplicate {
                what: "attribute",
                ..
            }
        ));
        assert!(matches!(
            adopt(&declaration(vec![attribute("Bad", &[])], &[])),
            AdoptError::Name { .. }
        ));
        assert!(matches!(
            adopt(&declaration(vec![attribute("a", &["x", "x"])], &[])),
            AdoptError::Duplicate { .. }
        ));
        let mut absent = attribute("a", &["x"]);
        absent.absent = Some("y".into());
        assert!(matches!(
            adopt(&declaration(vec![absent], &[])),
            AdoptError::Absent { .. }
        ));
        let (one, _) = Catalogue::default()
            .adopt(&declaration(vec![attribute("a", &["x"])], &[]))
            .unwrap();
        let mut changed = attribute("a", &[]);
        changed.kind = ValueKind::Bool;
        changed.absent = None;
        assert!(matches!(
            one.adopt(&declaration(vec![changed], &[])),
            Err(AdoptError::Changed { .. })
        ));
    }

    #[test]
    fn profiles_hold_few_values_only() {
        let of = |kind, keeping| {
            let mut number = attribute("a", &[]);
            (number.kind, number.keeping, number.absent) = (kind, keeping, None);
            Catalogue::default().adopt(&declaration(vec![number], &[]))
        };
        let integer = |min, max| ValueKind::Integer { min, max };
        for kind in [
            ValueKind::Bool,
            integer(0, 1_000),
            integer(-500, 500),
            integer(i64::MAX - 1_000, i64::MAX),
        ] {
            let (catalogue, _) = of(kind, Keeping::Profile).unwrap();
            let kept = catalogue.attribute(SubjectKind::Person, "a").unwrap();
            assert!(kept.in_profile() && kept.is_categorical(), "{kind}");
        }
        for kind in [
            integer(0, 1_001),
            integer(i64::MIN, i64::MAX),
            ValueKind::Date,
            ValueKind::Money,
            ValueKind::Person,
        ] {
            let error = of(kind, Keeping::Profile).unwrap_err();
            assert!(
                matches!(&error, AdoptError::Keeping { name, .. } if name == "a"),
                "{error}"
            );
            assert!(error.to_string().contains("keep it in a column"), "{error}");
            let (catalogue, _) = of(kind, Keeping::Column).unwrap();
            let kept = catalogue.attribute(SubjectKind::Person, "a").unwrap();
            assert!(!kept.in_profile() && !kept.is_categorical(), "{kind}");
        }
        let (catalogue, _) = of(integer(0, 9), Keeping::Column).unwrap();
        let kept = catalogue.attribute(SubjectKind::Person, "a").unwrap();
        assert!(!kept.in_profile() && !kept.is_categorical());
    }

    #[test]
    fn errors_suggest_what_was_meant() {
        let (catalogue, _) = Catalogue::default()
            .adopt(&declaration(
                vec![attribute("disability", &["none", "severe"])],
                &[],
            ))
            .unwrap();
        let error = catalogue
            .attribute(SubjectKind::Person, "disabilty")
            .unwrap_err()
            .to_string();
        assert!(error.contains("did you mean \"disability\"?"), "{error}");
        let disability = catalogue.attribute(SubjectKind::Person, "disability").unwrap();
        let error = disability.parse("sever").unwrap_err().to_string();
        assert!(
            error.contains("did you mean \"severe\"?") && error.contains("one of none, severe"),
            "{error}"
        );
    }
}
