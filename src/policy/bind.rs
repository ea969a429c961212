//! A policy: a pack whose names have the numbers of a catalogue.

use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::error::{BindError, PolicyError};
use super::expr::check::ScopeAttribute;
use super::expr::eval::BoundAttribute;
use super::load::SEX_INDEX;
use super::month::MonthPolicy;
use super::pack::{Pack, PackData};
use crate::kernel::catalogue::{
    Attribute, Catalogue, Keeping, NamedValue, OnExpiry, SubjectKind, ValueKind, builtin,
};
use crate::types::{AttributeNumber, Date, Month, ProgrammeNumber, Value};

/// A pack bound to a catalogue. Cloning it is cheap.
///
/// ```
/// use ansinh::kernel::catalogue::Catalogue;
/// use ansinh::policy::Pack;
/// let pack = Pack::vietnam();
/// let (catalogue, _) = Catalogue::default().adopt(&pack.declaration())?;
/// let policy = pack.bind(&catalogue)?;
/// let month = policy.for_month("2026-06".parse()?, "2026-06-30".parse()?)?;
/// assert!(month.programmes().any(|programme| programme.rule.id == "disability"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Policy {
    pub(crate) pack: Pack,
    pub(crate) bound: Arc<Bindings>,
}

impl std::fmt::Debug for Policy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Policy").field(&self.pack).finish()
    }
}

#[derive(Debug)]
pub(crate) struct Bindings {
    pub attributes: Vec<BoundAttribute>,
    pub programmes: Vec<ProgrammeNumber>,
    /// The value of each attribute that holds without a record.
    pub absent: FxHashMap<AttributeNumber, Value>,
}

impl Pack {
    /// Resolves the pack's names to the numbers of a catalogue that has adopted it.
    pub fn bind(&self, catalogue: &Catalogue) -> Result<Policy, BindError> {
        Ok(Policy {
            pack: self.clone(),
            bound: Arc::new(bind(&self.0, catalogue)?),
        })
    }
}

impl Policy {
    /// The pack.
    pub const fn pack(&self) -> &Pack {
        &self.pack
    }

    /// The policy of one month, with the figures that the law known on a day gives it: campaigns are left out.
    pub fn for_month(&self, month: Month, law_known_on: Date) -> Result<MonthPolicy, PolicyError> {
        MonthPolicy::monthly(self, month, law_known_on)
    }

    /// The policy of one campaign, by the state at the end of a month.
    pub fn for_campaign(
        &self,
        month: Month,
        law_known_on: Date,
        campaign: &str,
    ) -> Result<MonthPolicy, PolicyError> {
        MonthPolicy::campaign(self, month, law_known_on, campaign)
    }
}

/// Binds the attributes in the order of the scope. What a later pack retired binds too, so that past months can
/// be worked out again by the pack that was then in force.
pub(crate) fn bind(pack: &PackData, catalogue: &Catalogue) -> Result<Bindings, BindError> {
    let scope = pack.scope.attributes.iter().enumerate();
    let attributes: Result<Vec<BoundAttribute>, BindError> = scope
        .map(|(index, declared)| {
            if index == SEX_INDEX {
                return Ok(sex());
            }
            bind_attribute(pack, declared, catalogue)
        })
        .collect();
    let programmes: Result<Vec<ProgrammeNumber>, BindError> = pack
        .programmes
        .iter()
        .map(|programme| {
            let found = catalogue.programme(&programme.id);
            found
                .map(|known| known.number)
                .ok_or_else(|| BindError::Programme {
                    pack: pack.id.clone(),
                    name: programme.id.clone(),
                })
        })
        .collect();
    let attributes = attributes?;
    let absent = attributes
        .iter()
        .map(|bound| (bound.attribute.number, bound.attribute.absent));
    Ok(Bindings {
        absent: absent.collect(),
        programmes: programmes?,
        attributes,
    })
}

/// The attribute has its type and absent value from the pack, its numbers from the catalogue.
fn bind_attribute(
    pack: &PackData,
    declared: &ScopeAttribute,
    catalogue: &Catalogue,
) -> Result<BoundAttribute, BindError> {
    let found = catalogue
        .attribute(declared.subject, &declared.name)
        .map_err(|_| BindError::Attribute {
            pack: pack.id.clone(),
            subject: declared.subject,
            name: declared.name.clone(),
        })?;
    if std::mem::discriminant(&found.kind) != std::mem::discriminant(&declared.kind) {
        return Err(BindError::Kind {
            pack: pack.id.clone(),
            name: declared.name.clone(),
            found: found.kind.to_string(),
            expected: declared.kind.to_string(),
        });
    }
    let value_number = |value: &str| {
        let named = found.values.iter().find(|named| named.name == value);
        named.map(|named| named.number).ok_or_else(|| BindError::Value {
            pack: pack.id.clone(),
            name: declared.name.clone(),
            value: value.to_owned(),
        })
    };
    let values: Result<Vec<u16>, BindError> =
        declared.values.iter().map(|value| value_number(value)).collect();
    let mut attribute = found.clone();
    attribute.kind = declared.kind;
    attribute.absent = match (declared.kind, declared.absent.as_deref()) {
        (_, None) => Value::Unknown,
        (ValueKind::Enum, Some(name)) => Value::Enum(value_number(name)?),
        (_, Some(text)) => attribute.parse(text).map_err(|_| BindError::Value {
            pack: pack.id.clone(),
            name: declared.name.clone(),
            value: text.to_owned(),
        })?,
    };
    Ok(BoundAttribute {
        attribute,
        values: values?,
    })
}

/// The kernel's own attribute `sex`, as expressions read it.
fn sex() -> BoundAttribute {
    let values = ["male", "female"]
        .into_iter()
        .zip(0..)
        .map(|(name, number)| NamedValue {
            number,
            name: name.to_owned(),
            retired: false,
        });
    BoundAttribute {
        attribute: Attribute {
            number: builtin::SEX,
            name: "sex".to_owned(),
            subject: SubjectKind::Person,
            kind: ValueKind::Enum,
            values: values.collect(),
            absent: Value::Unknown,
            on_expiry: OnExpiry::Keep,
            keeping: Keeping::Profile,
            retired: false,
        },
        values: vec![0, 1],
    }
}
