//! Where everything stands in the text of a pack that was read before.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::policy::read::Text;

/// The expressions of a programme as they are written.
pub(super) struct RuleTexts<'d> {
    pub id: Range<usize>,
    pub condition: Text<'d>,
    pub provincial: Vec<Text<'d>>,
    /// `None` for those by another programme.
    pub exclusions: Vec<Option<Text<'d>>>,
    pub amount: Text<'d>,
}

/// A definition as it is written.
pub(super) struct DefinitionText<'d> {
    pub name: &'d str,
    pub at: Range<usize>,
    pub text: Text<'d>,
    pub is_condition: bool,
}

pub(super) type Value<'d> = Spanned<DeValue<'d>>;

/// What stands under a key of a table, and where the key stands.
pub(super) fn entry<'d>(table: &'d DeTable<'d>, key: &str) -> Option<(Range<usize>, &'d Value<'d>)> {
    let (key, value) = table.iter().find(|(name, _)| name.get_ref().as_ref() == key)?;
    Some((key.span(), value))
}

pub(super) fn table<'d>(value: &'d Value<'d>) -> Option<&'d DeTable<'d>> {
    match value.get_ref() {
        DeValue::Table(table) => Some(table),
        _ => None,
    }
}

fn text<'d>(table: &'d DeTable<'d>, key: &str) -> Option<Text<'d>> {
    let (_, value) = entry(table, key)?;
    match value.get_ref() {
        DeValue::String(text) => Some(Text {
            text: text.as_ref(),
            span: value.span(),
        }),
        _ => None,
    }
}

/// The tables of a list of tables.
pub(super) fn tables<'d>(table_of: &'d DeTable<'d>, key: &str) -> Vec<&'d Value<'d>> {
    match entry(table_of, key).map(|(_, value)| value.get_ref()) {
        Some(DeValue::Array(items)) => items.iter().collect(),
        _ => Vec::new(),
    }
}

/// The names that a section such as `[parameter.base_level]` declares, where each stands, and what is declared.
pub(super) fn names<'d>(
    root: &'d DeTable<'d>,
    section: &str,
) -> Vec<(&'d str, Range<usize>, &'d DeTable<'d>)> {
    let inner = entry(root, section).and_then(|(_, value)| table(value));
    let mut names: Vec<_> = inner
        .into_iter()
        .flat_map(DeTable::iter)
        .filter_map(|(name, value)| Some((name.get_ref().as_ref(), name.span(), table(value)?)))
        .collect();
    names.sort_by_key(|(_, span, _)| span.start);
    names
}

pub(super) fn definitions<'d>(root: &'d DeTable<'d>) -> Vec<DefinitionText<'d>> {
    let of = |(name, at, table): (&'d str, Range<usize>, &'d DeTable<'d>)| {
        let condition = text(table, "condition");
        let is_condition = condition.is_some();
        Some(DefinitionText {
            name,
            at,
            text: condition.or_else(|| text(table, "number"))?,
            is_condition,
        })
    };
    names(root, "define").into_iter().filter_map(of).collect()
}

/// The programmes, in the order of the text.
pub(super) fn rules<'d>(root: &'d DeTable<'d>) -> Vec<RuleTexts<'d>> {
    let of = |value: &'d Value<'d>| {
        let rule = table(value)?;
        let (_, id) = entry(rule, "id")?;
        let inner = |key: &'static str, of: &'static str| {
            let items = tables(rule, key).into_iter();
            items.map(move |item| table(item).and_then(|item| text(item, of)))
        };
        Some(RuleTexts {
            id: id.span(),
            condition: text(rule, "condition")?,
            provincial: inner("provincial", "condition").flatten().collect(),
            exclusions: inner("exclusions", "when").collect(),
            amount: text(rule, "amount")?,
        })
    };
    tables(root, "programme").into_iter().filter_map(of).collect()
}
