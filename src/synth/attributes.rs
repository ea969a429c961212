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
pub(super) const UNEMPLOYMENT_INSURANCE: [&str; 4] = [
    "outside",
    "insured",
    "insured_public_body",
    "stopped_with_reserve",
];
pub(super) const RESOLUTION_68: [&str; 7] = [
    "none",
    "leave_under_1_month",
    "leave_from_1_month",
    "furlough",
    "contract_ended",
    "arts_or_guide",
    "household_business",
];
pub(super) const PRE1945: [&str; 3] = ["none", "detached", "not_detached"];
pub(super) const HELPER: [&str; 3] = ["none", "gratitude", "resistance_order"];
pub(super) const MERIT_KIN: [&str; 5] = ["none", "parent", "spouse", "raised", "child"];
pub(super) const MERIT_CHILD: [&str; 4] = ["none", "studying", "disabled_before_18", "disabled_after_18"];
pub(super) const MERIT_ALONE: [&str; 3] = ["none", "alone", "orphan"];
pub(super) const MERIT_EDUCATION: [&str; 3] = ["none", "full", "half"];

/// An enumeration of things that a catalogue knows by name: a variant is its position among the names.
macro_rules! named {
    ($(#[$about:meta])* $kind:ident in $names:ident: $($variant:ident = $name:literal,)+) => {
        $(#[$about])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(super) enum $kind {
            $($variant,)+
        }

        pub(super) const $names: [&str; [$($name,)+].len()] = [$($name,)+];

        impl $kind {
            /// Every one, in order.
            pub(super) const ALL: [Self; $names.len()] = [$(Self::$variant,)+];

            pub(super) const fn name(self) -> &'static str {
                $names[self as usize]
            }
        }
    };
}

named! {
    /// The programmes in which synthetic people are enrolled. Those that need no decision are not among them.
    Programme in PROGRAMMES:
    ChildWithoutCare = "child_without_care",
    StudyAfter16 = "study_after_16",
    ChildHiv = "child_hiv",
    SingleParent = "single_parent",
    ElderlyPoor = "elderly_poor",
    Elderly75 = "elderly_75",
    Elderly80 = "elderly_80",
    ElderlyTakenIn = "elderly_taken_in",
    Disability = "disability",
    ChildUnder3 = "child_under_3",
    HivPoor = "hiv_poor",
    SocialPension = "social_pension",
    CareOfChild = "care_of_child",
    CareOfElderly = "care_of_elderly",
    DisabledParent = "disabled_parent",
    CareAtHome = "care_at_home",
    CareOfDisabled = "care_of_disabled",
    EmergencyFuneral = "emergency_funeral",
    EmergencyInjury = "emergency_injury",
    MeritPre1945 = "merit_pre1945",
    MeritPre1945Seniority = "merit_pre1945_seniority",
    Merit1945 = "merit_1945",
    MeritHeroicMother = "merit_heroic_mother",
    MeritHeroicMotherSupplement = "merit_heroic_mother_supplement",
    MeritHeroicMotherCarer = "merit_heroic_mother_carer",
    MeritHero = "merit_hero",
    MeritWarInvalid = "merit_war_invalid",
    MeritWarInvalidB = "merit_war_invalid_b",
    MeritWarInvalidSupplement = "merit_war_invalid_supplement",
    MeritWarInvalidCarer = "merit_war_invalid_carer",
    MeritSickSoldier = "merit_sick_soldier",
    MeritSickSoldierSupplement = "merit_sick_soldier_supplement",
    MeritSickSoldierCarer = "merit_sick_soldier_carer",
    MeritAgentOrange = "merit_agent_orange",
    MeritAgentOrangeSupplement = "merit_agent_orange_supplement",
    MeritAgentOrangeCarer = "merit_agent_orange_carer",
    MeritAgentOrangeChild = "merit_agent_orange_child",
    MeritImprisoned = "merit_imprisoned",
    MeritHelper = "merit_helper",
    MeritMartyr = "merit_martyr",
    MeritMartyrRemarried = "merit_martyr_remarried",
    MeritPre1945Survivor = "merit_pre1945_survivor",
    Merit1945Survivor = "merit_1945_survivor",
    MeritWarInvalidSurvivor = "merit_war_invalid_survivor",
    MeritSickSoldierSurvivor = "merit_sick_soldier_survivor",
    MeritAgentOrangeSurvivor = "merit_agent_orange_survivor",
    MeritSecondSurvivor = "merit_second_survivor",
    MeritMartyrNurturing = "merit_martyr_nurturing",
    MeritPre1945Nurturing = "merit_pre1945_nurturing",
    MeritWarInvalidNurturing = "merit_war_invalid_nurturing",
    MeritSickSoldierNurturing = "merit_sick_soldier_nurturing",
    MeritAgentOrangeNurturing = "merit_agent_orange_nurturing",
    MeritHelperNurturing = "merit_helper_nurturing",
    MeritEducation = "merit_education",
}

impl Programme {
    /// For people with merit and their relatives.
    pub(super) const fn is_merit(self) -> bool {
        self as usize >= Self::MeritPre1945 as usize
    }
}

// A set of programmes has a bit for each.
const _: () = assert!(PROGRAMMES.len() <= u64::BITS as usize);
// So has a set of flags.
const _: () = assert!(FLAGS.len() <= u32::BITS as usize);

named! {
    /// What is or is not so of a person.
    Flag in FLAGS:
    Studying = "studying",
    Hiv = "hiv",
    SingleParent = "single_parent",
    StableIncome = "stable_income",
    WithoutSupport = "without_support",
    SupporterUnable = "supporter_unable",
    InFacility = "in_facility",
    FacilityQualified = "facility_qualified",
    TakenIn = "taken_in",
    Pregnant = "pregnant",
    AppliedSocialPension = "applied_social_pension",
    SeriouslyInjured = "seriously_injured",
    EmergencyDeath = "emergency_death",
    Activist1945 = "activist_1945",
    HeroicMother = "heroic_mother_awarded",
    Hero = "hero_awarded",
    WarInvalidSpecial = "war_invalid_special",
    SickSoldierSpecial = "sick_soldier_special",
    AgentOrangeSpecial = "agent_orange_special",
    Imprisoned = "imprisoned",
    MeritInCentre = "merit_in_centre",
    MartyrSpouseRemarried = "martyr_spouse_remarried",
}

named! {
    /// Whole numbers about a person.
    Count in COUNTS:
    Pre1945Seniority = "pre1945_seniority",
    WarInvalid = "war_invalid",
    WarInvalidB = "war_invalid_b",
    SickSoldier = "sick_soldier",
    AgentOrange = "agent_orange",
    AgentOrangeChild = "agent_orange_child",
    MartyrRelative = "martyr_relative",
    Pre1945Relative = "pre1945_relative",
    Activist1945Relative = "activist_1945_relative",
    WarInvalidRelative = "war_invalid_relative",
    SickSoldierRelative = "sick_soldier_relative",
    AgentOrangeRelative = "agent_orange_relative",
    UnemploymentInsuranceMonths = "unemployment_insurance_months",
}

impl Count {
    /// The greatest number that is recorded; the least is 0.
    const fn most(self) -> i64 {
        match self {
            Self::Pre1945Seniority => 60,
            Self::WarInvalid
            | Self::WarInvalidB
            | Self::SickSoldier
            | Self::AgentOrange
            | Self::AgentOrangeChild => 100,
            Self::MartyrRelative
            | Self::Pre1945Relative
            | Self::Activist1945Relative
            | Self::WarInvalidRelative
            | Self::SickSoldierRelative
            | Self::AgentOrangeRelative => 9,
            Self::UnemploymentInsuranceMonths => 600,
        }
    }

    const fn kind(self) -> ValueKind {
        ValueKind::Integer {
            min: 0,
            max: self.most(),
        }
    }
}

named! {
    /// Whom a person's record names.
    Reference in REFERENCES:
    Guardian = "guardian",
    Carer = "carer",
    Spouse = "spouse",
    FuneralOrganiser = "funeral_organiser",
    MeritRepresentative = "merit_representative",
}

/// An attribute with named values: the value of each name that is used here, in order.
#[derive(Debug, Clone, Copy)]
pub(super) struct Choice<const N: usize> {
    pub(super) number: AttributeNumber,
    pub(super) absent: Value,
    pub(super) values: [Value; N],
}

/// A flag, a number, an amount or a reference to a person.
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
    pub(super) unemployment_insurance: Choice<4>,
    pub(super) resolution_68: Choice<7>,
    pub(super) pre1945: Choice<3>,
    pub(super) helper: Choice<3>,
    pub(super) merit_kin: Choice<5>,
    pub(super) merit_child: Choice<4>,
    pub(super) merit_alone: Choice<3>,
    pub(super) merit_education: Choice<3>,
    pub(super) merit_income: Plain,
    pub(super) channel: Choice<6>,
    pub(super) verification: Choice<5>,
    flags: [Plain; FLAGS.len()],
    counts: [Plain; COUNTS.len()],
    references: [Plain; REFERENCES.len()],
    enrolments: [Choice<4>; PROGRAMMES.len()],
    pub(super) poverty: Choice<3>,
    pub(super) difficult_village: Choice<3>,
    pub(super) difficult: Plain,
}

impl Attributes {
    /// Looks every attribute up; one that is missing or of another type is an error.
    pub(super) fn find(catalogue: &Catalogue) -> Result<Self, SynthError> {
        use SubjectKind::{Commune, Household, Person};
        let nothing = Plain {
            number: AttributeNumber(0),
            absent: Value::Unknown,
        };
        let mut flags = [nothing; FLAGS.len()];
        for flag in Flag::ALL {
            flags[flag as usize] = plain(catalogue, Person, flag.name(), ValueKind::Bool)?;
        }
        let mut counts = [nothing; COUNTS.len()];
        for count in Count::ALL {
            counts[count as usize] = plain(catalogue, Person, count.name(), count.kind())?;
        }
        let mut references = [nothing; REFERENCES.len()];
        for reference in Reference::ALL {
            references[reference as usize] = plain(catalogue, Person, reference.name(), ValueKind::Person)?;
        }
        let mut enrolments = [Choice {
            number: AttributeNumber(0),
            absent: Value::Unknown,
            values: [Value::Unknown; 4],
        }; PROGRAMMES.len()];
        for programme in Programme::ALL {
            let name = enrolment_attribute_name(programme.name());
            enrolments[programme as usize] = choice(catalogue, Person, &name, ENROLMENT_STATES)?;
        }
        Ok(Self {
            disability: choice(catalogue, Person, "disability", DISABILITY)?,
            care: choice(catalogue, Person, "care", CARE)?,
            pension: choice(catalogue, Person, "pension", PENSION)?,
            unemployment_insurance: choice(
                catalogue,
                Person,
                "unemployment_insurance",
                UNEMPLOYMENT_INSURANCE,
            )?,
            resolution_68: choice(catalogue, Person, "resolution_68", RESOLUTION_68)?,
            pre1945: choice(catalogue, Person, "pre1945", PRE1945)?,
            helper: choice(catalogue, Person, "helper", HELPER)?,
            merit_kin: choice(catalogue, Person, "merit_kin", MERIT_KIN)?,
            merit_child: choice(catalogue, Person, "merit_child", MERIT_CHILD)?,
            merit_alone: choice(catalogue, Person, "merit_alone", MERIT_ALONE)?,
            merit_education: choice(catalogue, Person, "merit_education", MERIT_EDUCATION)?,
            merit_income: plain(catalogue, Person, "merit_income", ValueKind::Money)?,
            channel: choice(catalogue, Person, "channel", CHANNEL)?,
            verification: choice(catalogue, Person, "verification", VERIFICATION)?,
            flags,
            counts,
            references,
            enrolments,
            poverty: choice(catalogue, Household, "poverty", POVERTY)?,
            difficult_village: choice(catalogue, Household, "difficult_village", DIFFICULT_VILLAGE)?,
            difficult: plain(catalogue, Commune, "difficult", ValueKind::Bool)?,
        })
    }

    pub(super) const fn flag(&self, flag: Flag) -> Plain {
        self.flags[flag as usize]
    }

    pub(super) const fn count(&self, count: Count) -> Plain {
        self.counts[count as usize]
    }

    pub(super) const fn reference(&self, reference: Reference) -> Plain {
        self.references[reference as usize]
    }

    pub(super) const fn enrolment(&self, programme: Programme) -> Choice<4> {
        self.enrolments[programme as usize]
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
    let fits = match (attribute.kind, expected) {
        (
            ValueKind::Integer { min, max },
            ValueKind::Integer {
                min: least,
                max: most,
            },
        ) => min <= least && most <= max,
        (found, expected) => found == expected,
    };
    if fits {
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
    let mut attributes = vec![
        person("disability", &DISABILITY, Keeping::Profile),
        person("care", &CARE, Keeping::Profile),
        person("pension", &PENSION, Keeping::Profile),
        person(
            "unemployment_insurance",
            &UNEMPLOYMENT_INSURANCE,
            Keeping::Profile,
        ),
        person("resolution_68", &RESOLUTION_68, Keeping::Profile),
        person("pre1945", &PRE1945, Keeping::Profile),
        person("helper", &HELPER, Keeping::Profile),
        person("merit_kin", &MERIT_KIN, Keeping::Profile),
        person("merit_child", &MERIT_CHILD, Keeping::Profile),
        person("merit_alone", &MERIT_ALONE, Keeping::Profile),
        person("merit_education", &MERIT_EDUCATION, Keeping::Profile),
        declare(Person, "merit_income", ValueKind::Money, &[], Keeping::Column),
        person("channel", &CHANNEL, Keeping::Column),
        person("verification", &VERIFICATION, Keeping::Column),
    ];
    for flag in Flag::ALL {
        let mut declared = declare(Person, flag.name(), ValueKind::Bool, &[], Keeping::Profile);
        declared.on_expiry = match flag {
            Flag::Studying => OnExpiry::Unknown,
            Flag::Pregnant | Flag::SeriouslyInjured => OnExpiry::Absent,
            _ => OnExpiry::Keep,
        };
        attributes.push(declared);
    }
    for count in Count::ALL {
        let keeping = match count {
            Count::UnemploymentInsuranceMonths => Keeping::Column,
            _ => Keeping::Profile,
        };
        attributes.push(declare(Person, count.name(), count.kind(), &[], keeping));
    }
    for reference in Reference::ALL {
        let name = reference.name();
        attributes.push(declare(Person, name, ValueKind::Person, &[], Keeping::Column));
    }
    let mut poverty = declare(Household, "poverty", ValueKind::Enum, &POVERTY, Keeping::Profile);
    poverty.on_expiry = OnExpiry::Unknown;
    attributes.push(poverty);
    let village = &DIFFICULT_VILLAGE;
    attributes.push(declare(
        Household,
        "difficult_village",
        ValueKind::Enum,
        village,
        Keeping::Profile,
    ));
    attributes.push(declare(
        Commune,
        "difficult",
        ValueKind::Bool,
        &[],
        Keeping::Profile,
    ));
    let programme = |name: &str| ProgrammeDeclaration {
        name: name.to_owned(),
        title_vi: String::new(),
        title_en: String::new(),
        needs_decision: true,
    };
    Declaration {
        attributes,
        programmes: PROGRAMMES.into_iter().map(programme).collect(),
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
        ValueKind::Integer { .. } if keeping == Keeping::Profile => Some("0".to_owned()),
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
