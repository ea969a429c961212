//! The attributes that a synthetic population has, found by name in a catalogue.

use super::SynthError;
use crate::kernel::catalogue::{
    Attribute, AttributeDeclaration, Catalogue, Declaration, ENROLMENT_STATES, Keeping, OnExpiry,
    ProgrammeDeclaration, SubjectKind, ValueError, ValueKind, enrolment_attribute_name,
};
use crate::types::{AttributeNumber, Value};

pub(super) const DISABILITY: [&str; 4] = ["none", "light", "severe", "extremely_severe"];
pub(super) const CARE: [&str; 5] = [
    "has_care",
    "abandoned",
    "orphan_both",
    "orphan_one_other_missing",
    "other_article_5_1",
];
pub(super) const PENSION: [&str; 3] = ["none", "pension", "social_insurance"];
pub(super) const CHANNEL: [&str; 6] = [
    "none",
    "account",
    "e_wallet",
    "mobile_money",
    "cash_commune",
    "cash_post",
];
pub(super) const VERIFICATION: [&str; 5] = ["unverified", "matched", "mismatched", "not_found", "dead"];
pub(super) const POVERTY: [&str; 3] = ["not_poor", "near_poor", "poor"];
pub(super) const DIFFICULT_VILLAGE: [&str; 3] = ["as_commune", "yes", "no"];
/// The programmes in which synthetic people are enrolled.
pub(super) const PROGRAMMES: [&str; 5] = [
    "child_without_care",
    "disability",
    "elderly_poor",
    "child_under_3",
    "social_pension",
];

/// An attribute with named values: the value of each name that is used here, in order.
#[derive(Debug, Clone, Copy)]
pub(super) struct Choice<const N: usize> {
    pub(super) number: AttributeNumber,
    pub(super) absent: Value,
    pub(super) values: [Value; N],
}

/// A `bool` attribute or a reference to a person.
#[derive(Debug, Clone, Copy)]
pub(super) struct Plain {
    pub(super) number: AttributeNumber,
    pub(super) absent: Value,
}

/// Everything that is recorded of a synthetic population.
#[derive(Debug, Clone)]
pub(super) struct Attributes {
    pub(super) disability: Choice<4>,
    pub(super) care: Choice<5>,
    pub(super) pension: Choice<3>,
    pub(super) merit: Plain,
    pub(super) without_support: Plain,
    pub(super) in_facility: Plain,
    pub(super) channel: Choice<6>,
    pub(super) verification: Choice<5>,
    pub(super) guardian: Plain,
    pub(super) carer: Plain,
    pub(super) enrolments: [Choice<4>; PROGRAMMES.len()],
    pub(super) poverty: Choice<3>,
    pub(super) difficult_village: Choice<3>,
    pub(super) difficult: Plain,
}

impl Attributes {
    /// Looks every attribute up; one that is missing or of another type is an error.
    pub(super) fn find(catalogue: &Catalogue) -> Result<Self, SynthError> {
        use SubjectKind::{Commune, Household, Person};
        let mut enrolments = [Choice {
            number: AttributeNumber(0),
            absent: Value::Unknown,
            values: [Value::Unknown; 4],
        }; PROGRAMMES.len()];
        for (found, programme) in enrolments.iter_mut().zip(PROGRAMMES) {
            let name = enrolment_attribute_name(programme);
            *found = choice(catalogue, Person, &name, ENROLMENT_STATES)?;
        }
        Ok(Self {
            disability: choice(catalogue, Person, "disability", DISABILITY)?,
            care: choice(catalogue, Person, "care", CARE)?,
            pension: choice(catalogue, Person, "pension", PENSION)?,
            merit: plain(catalogue, Person, "merit", ValueKind::Bool)?,
            without_support: plain(catalogue, Person, "without_support", ValueKind::Bool)?,
            in_facility: plain(catalogue, Person, "in_facility", ValueKind::Bool)?,
            channel: choice(catalogue, Person, "channel", CHANNEL)?,
            verification: choice(catalogue, Person, "verification", VERIFICATION)?,
            guardian: plain(catalogue, Person, "guardian", ValueKind::Person)?,
            carer: plain(catalogue, Person, "carer", ValueKind::Person)?,
            enrolments,
            poverty: choice(catalogue, Household, "poverty", POVERTY)?,
            difficult_village: choice(catalogue, Household, "difficult_village", DIFFICULT_VILLAGE)?,
            difficult: plain(catalogue, Commune, "difficult", ValueKind::Bool)?,
        })
    }
}

fn find<'a>(catalogue: &'a Catalogue, subject: SubjectKind, name: &str) -> Result<&'a Attribute, SynthError> {
    let attribute = catalogue.attribute(subject, name)?;
    if attribute.retired {
        let name = name.to_owned();
        return Err(ValueError::Retired { name }.into());
    }
    Ok(attribute)
}

fn choice<const N: usize>(
    catalogue: &Catalogue,
    subject: SubjectKind,
    name: &str,
    texts: [&str; N],
) -> Result<Choice<N>, SynthError> {
    let attribute = find(catalogue, subject, name)?;
    require_kind(attribute, ValueKind::Enum)?;
    let mut values = [Value::Unknown; N];
    for (value, text) in values.iter_mut().zip(texts) {
        *value = attribute.parse(text)?;
    }
    Ok(Choice {
        number: attribute.number,
        absent: attribute.absent,
        values,
    })
}

fn plain(
    catalogue: &Catalogue,
    subject: SubjectKind,
    name: &str,
    kind: ValueKind,
) -> Result<Plain, SynthError> {
    let attribute = find(catalogue, subject, name)?;
    require_kind(attribute, kind)?;
    Ok(Plain {
        number: attribute.number,
        absent: attribute.absent,
    })
}

fn require_kind(attribute: &Attribute, expected: ValueKind) -> Result<(), SynthError> {
    if attribute.kind == expected {
        return Ok(());
    }
    Err(SynthError::Kind {
        subject: attribute.subject,
        name: attribute.name.clone(),
        found: attribute.kind,
        expected,
    })
}

/// The least that a catalogue must hold for a synthetic population, as a declaration: for trying the registry
/// without a policy pack.
///
/// ```
/// use ansinh::kernel::catalogue::{Catalogue, SubjectKind};
/// let (catalogue, _) = Catalogue::default().adopt(&ansinh::synth::least_declaration())?;
/// assert!(catalogue.attribute(SubjectKind::Person, "enrolment.social_pension").is_ok());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn least_declaration() -> Declaration {
    use SubjectKind::{Commune, Household, Person};
    let person = |name, values: &[&str], keeping| declare(Person, name, ValueKind::Enum, values, keeping);
    let flag = |subject, name| declare(subject, name, ValueKind::Bool, &[], Keeping::Profile);
    let reference = |name| declare(Person, name, ValueKind::Person, &[], Keeping::Column);
    let mut poverty = declare(Household, "poverty", ValueKind::Enum, &POVERTY, Keeping::Profile);
    poverty.on_expiry = OnExpiry::Unknown;
    Declaration {
        attributes: vec![
            person("disability", &DISABILITY, Keeping::Profile),
            person("care", &CARE, Keeping::Profile),
            person("pension", &PENSION, Keeping::Profile),
            flag(Person, "merit"),
            flag(Person, "without_support"),
            flag(Person, "in_facility"),
            person("channel", &CHANNEL, Keeping::Column),
            person("verification", &VERIFICATION, Keeping::Column),
            reference("guardian"),
            reference("carer"),
            poverty,
            declare(
                Household,
                "difficult_village",
                ValueKind::Enum,
                &DIFFICULT_VILLAGE,
                Keeping::Profile,
            ),
            flag(Commune, "difficult"),
        ],
        programmes: PROGRAMMES
            .iter()
            .map(|&name| ProgrammeDeclaration {
                name: name.to_owned(),
                title_vi: String::new(),
                title_en: String::new(),
                needs_decision: true,
            })
            .collect(),
    }
}

/// A declaration whose first value, or `false`, holds without a record.
fn declare(
    subject: SubjectKind,
    name: &str,
    kind: ValueKind,
    values: &[&str],
    keeping: Keeping,
) -> AttributeDeclaration {
    let absent = match kind {
        ValueKind::Bool => Some("false".to_owned()),
        _ => values.first().map(|&first| first.to_owned()),
    };
    AttributeDeclaration {
        name: name.to_owned(),
        renamed_from: None,
        subject,
        kind,
        values: values.iter().map(|&value| value.to_owned()).collect(),
        absent,
        on_expiry: OnExpiry::Keep,
        keeping,
    }
}
