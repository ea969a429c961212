//! Attributes of persons, households and communes.

use std::collections::BTreeSet;

use toml::de::DeValue;

use super::{Loader, check_identifier, named, shortened};
use crate::kernel::catalogue::{
    AttributeDeclaration, Keeping, OnExpiry, PROFILE_INTEGERS_MAX, SubjectKind, VALUES_MAX, ValueKind,
    nearest,
};
use crate::policy::error::Report;
use crate::policy::expr::check::{ScopeAttribute, did_you_mean};
use crate::policy::pack::{AttributeRule, Label, PACK_ATTRIBUTES_MAX};
use crate::policy::read::{Table, Text, scalar};
use crate::types::Dong;

impl Loader<'_> {
    pub(super) fn read_attributes(
        &mut self,
        root: &mut Table<'_>,
        report: &mut Report<'_>,
    ) -> Vec<AttributeRule> {
        let mut rules = Vec::new();
        for (key, subject) in [
            ("person", SubjectKind::Person),
            ("household", SubjectKind::Household),
            ("commune", SubjectKind::Commune),
        ] {
            for (name, table) in named(root, key, PACK_ATTRIBUTES_MAX, report) {
                let Some(rule) = read_attribute(&name, subject, table, report) else {
                    continue;
                };
                let declaration = &rule.declaration;
                self.scope.add_attribute(ScopeAttribute {
                    subject,
                    name: declaration.name.clone(),
                    kind: declaration.kind,
                    values: declaration.values.clone(),
                    absent: declaration.absent.clone(),
                    in_profile: declaration.keeping == Keeping::Profile,
                });
                rules.push(rule);
            }
        }
        rules
    }

    /// Settles the attribute whose reverse is the group `dependants`.
    pub(super) fn set_dependants(&mut self, name: &Text<'_>, report: &mut Report<'_>) {
        let references = || {
            self.scope.attributes.iter().enumerate().filter(|(_, attribute)| {
                attribute.subject == SubjectKind::Person && attribute.kind == ValueKind::Person
            })
        };
        let found = references().find(|(_, attribute)| attribute.name == name.text);
        if found.is_none() {
            let known = references().map(|(_, attribute)| attribute.name.as_str());
            report.add_with(
                name.span.clone(),
                format!(
                    "dependants: found {:?}, expected an attribute of persons of type person",
                    shortened(name.text)
                ),
                did_you_mean(nearest(name.text, known)),
            );
        }
        self.scope.dependants = found.map(|(index, _)| index);
    }
}

fn read_attribute(
    name: &Text<'_>,
    subject: SubjectKind,
    mut table: Table<'_>,
    report: &mut Report<'_>,
) -> Option<AttributeRule> {
    const ON_EXPIRY: [(&str, OnExpiry); 3] = [
        ("keep", OnExpiry::Keep),
        ("unknown", OnExpiry::Unknown),
        ("absent", OnExpiry::Absent),
    ];
    const KEEPING: [(&str, Keeping); 2] = [("profile", Keeping::Profile), ("column", Keeping::Column)];
    let titles = table.both_languages("title", report);
    let (kind, values) = read_kind(&mut table, report)?;
    let absent = read_absent(&mut table, kind, &values, report);
    let on_expiry = table.choice("on_expiry", &ON_EXPIRY, Some(OnExpiry::Keep), report);
    let default = match kind {
        ValueKind::Bool | ValueKind::Enum => Keeping::Profile,
        _ => Keeping::Column,
    };
    let keeping = table.choice("keeping", &KEEPING, Some(default), report);
    if keeping == Some(Keeping::Profile) && !kind.fits_profile() {
        report.add_with(
            name.span.clone(),
            format!(
                "{} keeping: found \"profile\" for the type {kind}; only bool, enum and integers of at most {PROFILE_INTEGERS_MAX} values stand in profiles",
                table.what
            ),
            Some("leave \"keeping\" out, or write \"column\"".to_owned()),
        );
    }
    let labels = read_labels(&mut table, &values, report);
    let renamed_from = table.optional_text("renamed_from", report);
    if let Some(old) = &renamed_from {
        check_identifier("renamed_from", old, report);
    }
    table.finish(report);
    let (title_vi, title_en) = titles.unwrap_or_default();
    Some(AttributeRule {
        declaration: AttributeDeclaration {
            name: name.text.to_owned(),
            renamed_from: renamed_from.map(|old| old.text.to_owned()),
            subject,
            kind,
            values,
            absent,
            on_expiry: on_expiry?,
            keeping: keeping?,
        },
        title_vi,
        title_en,
        labels,
    })
}

fn read_labels(table: &mut Table<'_>, values: &[String], report: &mut Report<'_>) -> Vec<Label> {
    let Some(value) = table.take("labels") else {
        return Vec::new();
    };
    let what = format!("{} labels", table.what);
    let Some(mut labels) = crate::policy::read::table(&what, value, report) else {
        return Vec::new();
    };
    let mut read = Vec::new();
    for (name, value) in labels.rest() {
        if !values.iter().any(|known| known == name.text) {
            report.add_with(
                name.span.clone(),
                format!("{what}: {:?} is no value of it", shortened(name.text)),
                did_you_mean(nearest(name.text, values.iter().map(String::as_str))),
            );
            continue;
        }
        let Some(mut words) = crate::policy::read::table(&what, value, report) else {
            continue;
        };
        let (vi, en) = (words.prose("vi", report), words.prose("en", report));
        words.finish(report);
        if let (Some(vi), Some(en)) = (vi, en) {
            let value = name.text.to_owned();
            read.push(Label { value, vi, en });
        }
    }
    read
}

fn read_kind(table: &mut Table<'_>, report: &mut Report<'_>) -> Option<(ValueKind, Vec<String>)> {
    const KINDS: [(&str, ValueKind); 6] = [
        ("bool", ValueKind::Bool),
        ("enum", ValueKind::Enum),
        ("integer", ValueKind::Integer { min: 0, max: 0 }),
        ("date", ValueKind::Date),
        ("money", ValueKind::Money),
        ("person", ValueKind::Person),
    ];
    let span = table.span.clone();
    let kind = table.choice("type", &KINDS, None, report)?;
    match kind {
        ValueKind::Enum => {
            let values = table.texts("values", report);
            if values.is_empty() || values.len() > VALUES_MAX {
                report.add(
                    span.start..span.start + 1,
                    format!(
                        "{}: found {} values, expected 1 to {VALUES_MAX}",
                        table.what,
                        values.len()
                    ),
                );
            }
            let mut seen = BTreeSet::new();
            for value in &values {
                if check_identifier("value", value, report) && !seen.insert(value.text) {
                    report.add(
                        value.span.clone(),
                        format!("the value {:?} is listed twice", value.text),
                    );
                }
            }
            let names = values.iter().take(VALUES_MAX).map(|value| value.text.to_owned());
            Some((kind, names.collect()))
        }
        ValueKind::Integer { .. } => {
            let (min, max) = (table.decimal("min", report), table.decimal("max", report));
            let whole =
                |number: Option<crate::types::Decimal>| number.and_then(crate::types::Decimal::to_integer);
            let (Some(min), Some(max)) = (whole(min), whole(max)) else {
                report.add(
                    span.start..span.start + 1,
                    format!("{}: min and max must be whole numbers", table.what),
                );
                return None;
            };
            if max < min {
                report.add(
                    span.start..span.start + 1,
                    format!("{}: max {max} is less than min {min}", table.what),
                );
            }
            Some((ValueKind::Integer { min, max }, Vec::new()))
        }
        other => Some((other, Vec::new())),
    }
}

/// What holds without a record: `None` for unknown. References have no other absent value.
fn read_absent(
    table: &mut Table<'_>,
    kind: ValueKind,
    values: &[String],
    report: &mut Report<'_>,
) -> Option<String> {
    let Some(value) = table.take("absent") else {
        if kind != ValueKind::Person {
            report.add_with(
                table.span.start..table.span.start + 1,
                format!(
                    "{}: the key \"absent\" is missing: what holds of a person without a record?",
                    table.what
                ),
                Some("write a value, or \"unknown\"".to_owned()),
            );
        }
        return None;
    };
    let written = scalar(value.get_ref()).unwrap_or_default();
    if written == "unknown" {
        return None;
    }
    let fits = match kind {
        ValueKind::Bool => matches!(value.get_ref(), DeValue::Boolean(_)),
        ValueKind::Enum => values.contains(&written),
        ValueKind::Integer { min, max } => written
            .parse()
            .is_ok_and(|number: i64| (min..=max).contains(&number)),
        ValueKind::Date => written.parse::<crate::types::Date>().is_ok(),
        ValueKind::Money => written.parse().is_ok_and(|amount: Dong| amount >= Dong::ZERO),
        ValueKind::Person => false,
    };
    if !fits {
        report.add_with(
            value.span(),
            format!(
                "{}: the absent value {:?} does not fit the type {kind}",
                table.what,
                shortened(&written)
            ),
            did_you_mean(nearest(&written, values.iter().map(String::as_str))),
        );
    }
    Some(written)
}
