//! Fields by which those who match are counted.

use std::collections::BTreeMap;

use rustc_hash::FxHashMap;

use super::rows::{FAULT, Rows, UNDETERMINED, YES};
use super::search::{Count, QueryError};
use crate::kernel::catalogue::{Attribute, Catalogue, SubjectKind, builtin, nearest};
use crate::kernel::profile::Profile;
use crate::kernel::scan::{CodedState, SegmentScan, birth_month};
use crate::kernel::{ReadError, View};
use crate::policy::UnknownBirthMonth;
use crate::types::{Month, Sequence, UnitNumber, Value};

/// Months in a year.
const MONTHS: i32 = 12;

/// By what people are counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Field {
    /// The province of residence.
    Province,
    /// The commune of residence.
    Commune,
    /// Male or female.
    Sex,
    /// The age in whole years at the end of the month.
    Age,
    /// An attribute of the person, the household or the commune of which every value stands in profiles.
    Attribute(Attribute),
}

/// Those of the people asked about who have one value of a field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// The value: a code, a name of a value, an age.
    pub key: String,
    /// What a place is called; empty for other fields.
    pub name: String,
    /// How many.
    pub count: Count,
}

impl Field {
    /// The field of a name: `province`, `commune`, `sex`, `age`, or an attribute as expressions write it, such as
    /// `disability` or `household.poverty`.
    pub fn named(name: &str, catalogue: &Catalogue) -> Result<Self, QueryError> {
        let own = [
            ("province", Self::Province),
            ("commune", Self::Commune),
            ("sex", Self::Sex),
            ("age", Self::Age),
        ];
        if let Some((_, field)) = own.iter().find(|(own, _)| *own == name) {
            return Ok(field.clone());
        }
        let (subject, plain) = match name.split_once('.') {
            Some(("household", rest)) => (SubjectKind::Household, rest),
            Some(("commune", rest)) => (SubjectKind::Commune, rest),
            _ => (SubjectKind::Person, name),
        };
        match catalogue.attribute(subject, plain) {
            Ok(attribute) if attribute.in_profile() => Ok(Self::Attribute(attribute.clone())),
            Ok(attribute) => Err(QueryError::WideField {
                name: name.to_owned(),
                kind: attribute.kind.to_string(),
            }),
            Err(_) => {
                let known: Vec<String> = catalogue
                    .attributes()
                    .filter(|attribute| !attribute.retired && attribute.in_profile())
                    .map(written)
                    .chain(own.iter().map(|(name, _)| (*name).to_owned()))
                    .collect();
                Err(QueryError::NoField {
                    name: name.to_owned(),
                    suggestion: nearest(name, known.iter().map(String::as_str)),
                })
            }
        }
    }

    /// The name, as [`Field::named`] reads it.
    pub fn name(&self) -> String {
        match self {
            Self::Province => "province".to_owned(),
            Self::Commune => "commune".to_owned(),
            Self::Sex => "sex".to_owned(),
            Self::Age => "age".to_owned(),
            Self::Attribute(attribute) => written(attribute),
        }
    }

    const fn subject(&self) -> Option<SubjectKind> {
        match self {
            Self::Province | Self::Commune => Some(SubjectKind::Commune),
            Self::Sex => Some(SubjectKind::Person),
            Self::Age => None,
            Self::Attribute(attribute) => Some(attribute.subject),
        }
    }

    /// What a state is counted under until all are counted: a unit, the code of a profile, or a birth month.
    const fn raw(&self, state: &CodedState) -> u32 {
        match self.subject() {
            Some(SubjectKind::Commune) => state.unit.get() as u32,
            Some(SubjectKind::Household) => state.household,
            Some(SubjectKind::Person) => state.person,
            None => state.birth as u32,
        }
    }
}

fn written(attribute: &Attribute) -> String {
    let name = &attribute.name;
    match attribute.subject {
        SubjectKind::Person => name.clone(),
        SubjectKind::Household => format!("household.{name}"),
        SubjectKind::Commune => format!("commune.{name}"),
    }
}

/// Counts under units, codes or birth months.
#[derive(Debug, Default)]
pub(super) struct Tally(FxHashMap<u32, Count>);

impl Tally {
    /// Counts the rows of a segment.
    pub(super) fn add(&mut self, field: &Field, scan: &SegmentScan<'_>, rows: &Rows<'_>) {
        for (row, &truth) in rows.found.iter().enumerate() {
            if matches!(truth, YES | UNDETERMINED | FAULT)
                && let Some(state) = scan.row(row).now
            {
                self.0.entry(field.raw(&state)).or_default().add_row(truth);
            }
        }
    }

    /// Adds the counts of another worker.
    pub(super) fn join(&mut self, other: Self) {
        for (raw, count) in other.0 {
            self.0.entry(raw).or_default().add(count);
        }
    }

    /// The counts by value, in the order of the values; unknown last.
    pub(super) fn parts(
        self,
        field: &Field,
        view: &View,
        (month, known): (Month, Sequence),
        unknown_month: UnknownBirthMonth,
    ) -> Result<Vec<Part>, ReadError> {
        let mut communes = Communes {
            view,
            month,
            known,
            profiles: None,
        };
        let mut parts: BTreeMap<(bool, i64, String), Part> = BTreeMap::new();
        for (raw, count) in self.0 {
            let (order, key, name) = match field {
                Field::Province | Field::Commune => place_of(field, view, raw, month)?,
                Field::Age => age_of(raw, month, unknown_month),
                Field::Sex => value_of(&view.profile(raw)?, None),
                Field::Attribute(attribute) if attribute.subject == SubjectKind::Commune => {
                    value_of(&communes.profile(raw)?, Some(attribute))
                }
                Field::Attribute(attribute) => value_of(&view.profile(raw)?, Some(attribute)),
            };
            let part = parts.entry((order.0, order.1, key.clone())).or_insert(Part {
                key,
                name,
                count: Count::default(),
            });
            part.count.add(count);
        }
        Ok(parts.into_values().collect())
    }
}

/// Where a value comes among the others, its text, and what it is called.
type Named = ((bool, i64), String, String);

/// The profiles of communes, read once.
struct Communes<'a> {
    view: &'a View,
    month: Month,
    known: Sequence,
    profiles: Option<std::collections::HashMap<UnitNumber, Profile>>,
}

impl Communes<'_> {
    fn profile(&mut self, unit: u32) -> Result<Profile, ReadError> {
        if self.profiles.is_none() {
            self.profiles = self.view.commune_profiles(&[self.month], self.known)?.pop();
        }
        let unit = UnitNumber(unit as u16);
        let profile = self.profiles.as_ref().and_then(|profiles| profiles.get(&unit));
        Ok(profile.cloned().unwrap_or_default())
    }
}

fn place_of(field: &Field, view: &View, raw: u32, month: Month) -> Result<Named, ReadError> {
    let number = UnitNumber(raw as u16);
    let unit = view
        .unit(number)
        .ok_or_else(|| ReadError::Inconsistent(format!("{number} is not stored")))?;
    let name = unit.name_in(month);
    Ok(if *field == Field::Province {
        let province = unit.declared.province;
        let order = (false, i64::from(province.number()));
        (order, province.to_string(), name.province_name.clone())
    } else {
        ((false, 0), unit.declared.code.to_string(), name.name.clone())
    })
}

fn age_of(raw: u32, month: Month, unknown_month: UnknownBirthMonth) -> Named {
    let (born, month_known) = birth_month(raw as u16);
    let most = month.months_since(born);
    let least = if month_known || unknown_month == UnknownBirthMonth::January {
        most
    } else {
        (most - (MONTHS - 1)).max(0)
    };
    let (least, most) = (least.div_euclid(MONTHS), most.div_euclid(MONTHS));
    let key = if least == most {
        most.to_string()
    } else {
        format!("{least}-{most}")
    };
    ((least != most, i64::from(least)), key, String::new())
}

/// The value of an attribute, or of the sex.
fn value_of(profile: &Profile, attribute: Option<&Attribute>) -> Named {
    let (number, absent) = attribute.map_or((builtin::SEX, Value::Unknown), |attribute| {
        (attribute.number, attribute.absent)
    });
    let value = profile.get(number).unwrap_or(absent);
    let order = match value {
        Value::Bool(yes) => i64::from(yes),
        Value::Enum(number) => i64::from(number),
        Value::Integer(number) => number,
        _ => 0,
    };
    let key = match (attribute, value) {
        (None, Value::Enum(0)) => "male".to_owned(),
        (None, Value::Enum(_)) => "female".to_owned(),
        (None, _) => "unknown".to_owned(),
        (Some(attribute), value) => attribute.text(value),
    };
    ((value == Value::Unknown, order), key, String::new())
}
