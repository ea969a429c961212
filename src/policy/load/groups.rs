//! Combination groups.

use super::programmes::Heads;
use super::{Placed, named, shortened};
use crate::kernel::catalogue::nearest;
use crate::policy::error::Report;
use crate::policy::expr::check::did_you_mean;
use crate::policy::pack::{
    CLAUSES_MAX, Combination, Exception, Group, Member, NESTING_MAX, PACK_PROGRAMMES_MAX,
};
use crate::policy::parameter::Confidence;
use crate::policy::read::{Table, Text};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rule {
    Highest,
    Sum,
    AtMost,
}

pub(super) fn read(root: &mut Table<'_>, heads: &Heads<'_>, report: &mut Report<'_>) -> Placed<Group> {
    const RULES: [(&str, Rule); 3] = [
        ("highest", Rule::Highest),
        ("sum", Rule::Sum),
        ("at_most", Rule::AtMost),
    ];
    let tables = named(root, "group", PACK_PROGRAMMES_MAX, report);
    let names: Vec<String> = tables.iter().map(|(name, _)| name.text.to_owned()).collect();
    let mut groups = Placed::new();
    for (name, mut table) in tables {
        let rule = table.choice("rule", &RULES, None, report);
        let most = table.has("most").then(|| most(&mut table, report)).flatten();
        if (rule == Some(Rule::AtMost)) != most.is_some() {
            report.add_with(
                name.span.clone(),
                format!(
                    "group {}: `most` and the rule at_most belong together",
                    shortened(name.text)
                ),
                Some("for example rule = \"at_most\" and most = 2".to_owned()),
            );
        }
        let members = Members {
            groups: &names,
            heads,
        };
        let exceptions = members.exceptions(&mut table, report);
        if !exceptions.is_empty() && rule != Some(Rule::Highest) {
            let problem = "exceptions are from the rule highest; this group has another";
            report.add(
                name.span.clone(),
                format!("group {}: {problem}", shortened(name.text)),
            );
        }
        let within = table
            .optional_text("within", report)
            .and_then(|outer| members.group(&outer, report));
        let cite = table.prose("cite", report);
        let confidence = table.confidence(report);
        table.finish(report);
        let group = Group {
            name: name.text.to_owned(),
            combination: match rule {
                Some(Rule::Sum) => Combination::Sum,
                Some(Rule::AtMost) => Combination::AtMost(most.unwrap_or(1)),
                _ => Combination::Highest,
            },
            exceptions,
            within,
            cite: cite.unwrap_or_default(),
            confidence: confidence.unwrap_or(Confidence::Open),
        };
        groups.push(group, name.span);
    }
    check_nesting(&groups, report);
    groups
}

fn most(table: &mut Table<'_>, report: &mut Report<'_>) -> Option<u16> {
    let number = table.decimal("most", report)?;
    let most = number.to_integer().and_then(|most| u16::try_from(most).ok());
    if most.is_none_or(|most| most == 0) {
        let at = table.span.start;
        report.add(
            at..at + 1,
            format!("{}: most: found {number}, expected 1 or more", table.what),
        );
    }
    most
}

/// Groups within one another must have an outermost one.
fn check_nesting(groups: &Placed<Group>, report: &mut Report<'_>) {
    for (index, span) in groups.spans.iter().enumerate() {
        let outer = |at: &usize| groups.items[*at].within;
        let depth = std::iter::successors(Some(index), outer)
            .take(NESTING_MAX + 1)
            .count();
        if depth > NESTING_MAX {
            let name = &groups.items[index].name;
            report.add(
                span.clone(),
                format!("group {name} stands within itself, or within more than {NESTING_MAX} others"),
            );
        }
    }
}

/// The names that may compete in groups.
struct Members<'a> {
    groups: &'a [String],
    heads: &'a Heads<'a>,
}

impl Members<'_> {
    fn group(&self, name: &Text<'_>, report: &mut Report<'_>) -> Option<usize> {
        let found = self.groups.iter().position(|known| known == name.text);
        if found.is_none() {
            let known = self.groups.iter().map(String::as_str);
            report.add_with(
                name.span.clone(),
                format!("the group {:?} is not declared", shortened(name.text)),
                did_you_mean(nearest(name.text, known)),
            );
        }
        found
    }

    fn member(&self, name: &Text<'_>, report: &mut Report<'_>) -> Option<Member> {
        if let Some(programme) = self.heads.position(name.text) {
            return Some(Member::Programme(programme));
        }
        if let Some(group) = self.groups.iter().position(|known| known == name.text) {
            return Some(Member::Group(group));
        }
        if self.heads.may_hide() {
            return None;
        }
        let known = self.groups.iter().map(String::as_str).chain(self.heads.ids());
        report.add_with(
            name.span.clone(),
            format!("{:?} is no programme and no group", shortened(name.text)),
            did_you_mean(nearest(name.text, known)),
        );
        None
    }

    fn exceptions(&self, table: &mut Table<'_>, report: &mut Report<'_>) -> Vec<Exception> {
        let what = format!("an exception of {}", table.what);
        let tables = table.tables("exceptions", &what, CLAUSES_MAX, report);
        tables
            .into_iter()
            .filter_map(|mut table| {
                let pays = table.text("pays", report);
                let beside = table.texts("beside", report);
                let cite = table.prose("cite", report);
                if beside.is_empty() || beside.len() > CLAUSES_MAX {
                    let at = table.span.start;
                    let found = beside.len();
                    report.add(
                        at..at + 1,
                        format!("{what}: beside: found {found} names, expected 1 to {CLAUSES_MAX}"),
                    );
                }
                table.finish(report);
                let beside: Vec<Option<Member>> =
                    beside.iter().map(|name| self.member(name, report)).collect();
                Some(Exception {
                    pays: self.member(&pays?, report)?,
                    beside: beside.into_iter().collect::<Option<_>>()?,
                    cite: cite?,
                })
            })
            .collect()
    }
}
