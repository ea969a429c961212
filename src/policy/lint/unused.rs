//! What is declared and read by nothing.

use std::collections::BTreeSet;

use toml::de::DeTable;

use super::document::{DefinitionText, RuleTexts, names, tables};
use super::formula::Window;
use super::{Linter, Severity};
use crate::policy::expr::parse::{Syntax, Tree, parse};
use crate::policy::pack::Payee;
use crate::policy::read::Text;

/// The names that expressions write, as they write them.
#[derive(Default)]
struct Written(BTreeSet<String>);

impl Written {
    fn text(&mut self, text: &Text<'_>) {
        if let Ok(tree) = parse(text.text) {
            self.tree(&tree);
        }
    }

    fn add(&mut self, name: &str) {
        if !self.0.contains(name) {
            self.0.insert(name.to_owned());
        }
    }

    fn tree(&mut self, tree: &Tree) {
        match &tree.syntax {
            Syntax::Number(_) | Syntax::Date(_) => {}
            Syntax::Name(name) => self.add(name),
            Syntax::Not(inner) => self.tree(inner),
            Syntax::And(items) | Syntax::Or(items) | Syntax::Product(items) => self.trees(items),
            Syntax::Compare(_, left, right) | Syntax::Quotient(left, right) => {
                self.tree(left);
                self.tree(right);
            }
            Syntax::In(subject, items, _) => {
                self.tree(subject);
                self.trees(items);
            }
            Syntax::Sum(terms) => {
                for (_, term) in terms {
                    self.tree(term);
                }
            }
            Syntax::Call(name, arguments) => {
                self.add(&name.text);
                if let Some((group, _)) = name.text.rsplit_once('.') {
                    self.add(group);
                }
                self.trees(arguments);
            }
            Syntax::CaseOf(name, arms, otherwise) => {
                self.add(&name.text);
                for (_, result) in arms {
                    self.tree(result);
                }
                self.tree(otherwise);
            }
            Syntax::CaseWhen(arms, otherwise) => {
                for (guard, result) in arms {
                    self.tree(guard);
                    self.tree(result);
                }
                self.tree(otherwise);
            }
            Syntax::CaseBands(subject, arms, otherwise) => {
                self.tree(subject);
                for (_, result) in arms {
                    self.tree(result);
                }
                if let Some(otherwise) = otherwise {
                    self.tree(otherwise);
                }
            }
        }
    }

    fn trees(&mut self, trees: &[Tree]) {
        for tree in trees {
            self.tree(tree);
        }
    }

    fn has(&self, name: &str) -> bool {
        self.0.contains(name)
    }
}

impl Linter<'_> {
    /// Reports it, and gives the names of the figures of which it could not be decided.
    pub(super) fn unused<'d>(
        &mut self,
        root: &'d DeTable<'d>,
        definitions: &[DefinitionText<'d>],
        rules: &[RuleTexts<'d>],
    ) -> Vec<String> {
        let mut written = Written::default();
        for rule in rules {
            let exclusions = rule.exclusions.iter().flatten();
            for text in [&rule.condition, &rule.amount]
                .into_iter()
                .chain(&rule.provincial)
                .chain(exclusions)
            {
                written.text(text);
            }
        }
        // Each definition uses only those above it, so that the last is settled first.
        let mut idle = Vec::new();
        for definition in definitions.iter().rev() {
            if !written.has(definition.name) {
                idle.push(definition);
            }
            written.text(&definition.text);
        }
        for definition in idle {
            let message = format!("no programme uses the definition {}", definition.name);
            self.warn(definition.at.clone(), message, "use it, or leave it out");
        }
        let mut undecided = self.unused_parameters(root, &written);
        undecided.extend(self.unused_tables(root, &written));
        self.unused_groups(root);
        self.unused_attributes(root, &written);
        undecided
    }

    fn unused_parameters<'d>(&mut self, root: &'d DeTable<'d>, written: &Written) -> Vec<String> {
        let pack = self.searcher.pack;
        let mut undecided = Vec::new();
        let declared = names(root, "parameter");
        for (index, parameter) in pack.parameters.iter().enumerate() {
            let Some((_, at, _)) = declared.iter().find(|(name, ..)| *name == parameter.name) else {
                continue;
            };
            if !written.has(&format!("param.{}", parameter.name)) {
                let message = format!("no expression reads param.{}", parameter.name);
                self.warn(at.clone(), message, "use it, or leave it out");
                continue;
            }
            let readers = pack
                .programmes
                .iter()
                .filter(|rule| rule.parameters.contains(&index));
            let windows: Vec<Window> = readers.map(|rule| Window::of(pack, rule)).collect();
            let Some(in_force) = in_any(&windows, |window| self.searcher.in_force(index, window)) else {
                undecided.push(format!("param.{}", parameter.name));
                continue;
            };
            let national = parameter.values.iter().map(|value| value.dates.from.to_string());
            let provincial = parameter.provincial.iter();
            let provincial = provincial.map(|value| format!("{} of {}", value.value.dates.from, value.area));
            let all = national.chain(provincial).enumerate();
            let idle: Vec<String> = all
                .filter(|(place, _)| !in_force.contains(place))
                .map(|(_, value)| value)
                .collect();
            if !windows.is_empty() && !idle.is_empty() {
                let message = format!(
                    "values of param.{} that are in force in no month of a programme that reads it: from {}",
                    parameter.name,
                    idle.join(", from ")
                );
                self.find(Severity::Note, at.clone(), message, None);
            }
        }
        undecided
    }

    fn unused_tables<'d>(&mut self, root: &'d DeTable<'d>, written: &Written) -> Vec<String> {
        let pack = self.searcher.pack;
        let mut undecided = Vec::new();
        let declared = names(root, "table");
        for (index, table) in pack.tables.iter().enumerate() {
            let Some((_, at, written_table)) = declared.iter().find(|(name, ..)| *name == table.name) else {
                continue;
            };
            if !written.has(&format!("table.{}", table.name)) {
                let message = format!("no expression reads table.{}", table.name);
                self.warn(at.clone(), message, "use it, or leave it out");
                continue;
            }
            let readers = pack.programmes.iter().filter(|rule| rule.tables.contains(&index));
            let windows: Vec<Window> = readers.map(|rule| Window::of(pack, rule)).collect();
            let in_force = in_any(&windows, |window| self.searcher.editions_in_force(index, window));
            let Some(in_force) = in_force else {
                undecided.push(format!("table.{}", table.name));
                continue;
            };
            if windows.is_empty() {
                continue;
            }
            for (place, value) in tables(written_table, "editions").into_iter().enumerate() {
                if !in_force.contains(&place) {
                    let message = format!(
                        "this edition of table.{} is in force in no month of a programme that reads it",
                        table.name
                    );
                    self.find(Severity::Note, value.span(), message, None);
                }
            }
        }
        undecided
    }

    fn unused_groups<'d>(&mut self, root: &'d DeTable<'d>) {
        let pack = self.searcher.pack;
        for (place, group) in pack.groups.iter().enumerate() {
            let has_members = pack.programmes.iter().any(|rule| rule.group == place)
                || pack.groups.iter().any(|inner| inner.within == Some(place));
            let at = names(root, "group")
                .into_iter()
                .find(|(name, ..)| *name == group.name);
            if let (false, Some((_, at, _))) = (has_members, at) {
                let message = format!("no programme belongs to the group {}", group.name);
                self.warn(at, message, "let one belong to it, or leave it out");
            }
        }
    }

    /// Attributes are also kept to be shown and to break totals down by.
    fn unused_attributes<'d>(&mut self, root: &'d DeTable<'d>, written: &Written) {
        let pack = self.searcher.pack;
        let payees: BTreeSet<&str> = pack
            .programmes
            .iter()
            .flat_map(|rule| &rule.payees)
            .filter_map(|payee| match payee {
                Payee::Reference(name) => Some(name.as_str()),
                Payee::Person | Payee::Head => None,
            })
            .collect();
        let dependants = pack.scope.dependants.map(|index| pack.scope.written(index));
        for (section, prefix) in [
            ("person", ""),
            ("household", "household."),
            ("commune", "commune."),
        ] {
            for (name, at, _) in names(root, section) {
                let full = format!("{prefix}{name}");
                let is_payee = prefix.is_empty() && payees.contains(name);
                if !written.has(&full) && !is_payee && dependants.as_ref() != Some(&full) {
                    let message = format!("no rule reads {full}; it is only recorded and reported");
                    self.find(Severity::Note, at, message, None);
                }
            }
        }
    }
}

/// What is in force in any of the windows; `None` if that is not known of one.
fn in_any(
    windows: &[Window],
    in_force: impl FnMut(Window) -> Option<BTreeSet<usize>>,
) -> Option<BTreeSet<usize>> {
    let all: Option<Vec<BTreeSet<usize>>> = distinct(windows).map(in_force).collect();
    Some(all?.into_iter().flatten().collect())
}

fn distinct(windows: &[Window]) -> impl Iterator<Item = Window> + '_ {
    let first = |(at, window): &(usize, &Window)| !windows[..*at].contains(window);
    windows
        .iter()
        .enumerate()
        .filter(first)
        .map(|(_, window)| *window)
}
