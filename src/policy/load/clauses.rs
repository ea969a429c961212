//! Expressions: definitions, conditions, amounts.

use super::{Loader, named, one_line};
use crate::policy::error::Report;
use crate::policy::expr::check::{self, Source};
use crate::policy::expr::lex::Problem;
use crate::policy::expr::parse::{Syntax, Tree, parse};
use crate::policy::pack::{Clause, DEFINITIONS_MAX, Definition, Formula};
use crate::policy::read::{Table, Text, content_places};

type Check<T> = fn(&Source<'_>, &mut Vec<Problem>) -> Option<T>;

impl Loader<'_> {
    pub(super) fn tree(&self, text: &Text<'_>, report: &mut Report<'_>) -> Option<Tree> {
        match parse(text.text) {
            Ok(tree) => Some(tree),
            Err(problem) => {
                report.add_problem(problem, content_places(text, self.text));
                None
            }
        }
    }

    fn checked<T>(
        &self,
        tree: &Tree,
        text: &Text<'_>,
        report: &mut Report<'_>,
        check: Check<T>,
    ) -> Option<T> {
        if report.is_full() {
            return None;
        }
        let mut problems = Vec::new();
        let source = Source {
            tree,
            text: text.text,
            scope: &self.scope,
            room: Some(&self.room),
        };
        let checked = check(&source, &mut problems);
        if problems.is_empty() {
            return checked;
        }
        let places = content_places(text, self.text);
        for problem in problems {
            report.add_problem(problem, &places);
        }
        None
    }

    /// The definitions, each of which may use those above it.
    pub(super) fn read_definitions(
        &mut self,
        root: &mut Table<'_>,
        report: &mut Report<'_>,
    ) -> Vec<Definition> {
        let mut definitions = Vec::new();
        for (name, mut table) in named(root, "define", DEFINITIONS_MAX, report) {
            let titles = table.both_languages("title", report);
            let condition = table.optional_text("condition", report);
            let number = table.optional_text("number", report);
            table.finish(report);
            if self.scope.has(name.text) {
                let message = format!("{:?} is the name of an attribute of persons already", name.text);
                report.add_with(name.span, message, Some("choose another name".to_owned()));
                continue;
            }
            let (text, is_condition) = match (condition, number) {
                (Some(condition), None) => (condition, true),
                (None, Some(number)) => (number, false),
                _ => {
                    let message = format!("{}: expected one of `condition` and `number`", table_name(&name));
                    report.add(name.span, message);
                    continue;
                }
            };
            let Some(tree) = self.tree(&text, report) else {
                continue;
            };
            let sound = if is_condition {
                self.checked(&tree, &text, report, check::condition).is_some()
            } else {
                self.checked(&tree, &text, report, check::number).is_some()
            };
            if !sound {
                continue;
            }
            self.scope.add_definition(name.text, tree, is_condition);
            if let Some((title_vi, title_en)) = titles {
                definitions.push(Definition {
                    name: name.text.to_owned(),
                    title_vi,
                    title_en,
                    text: one_line(text.text),
                });
            }
        }
        definitions
    }

    /// The conditions that `and` joins at the top of an expression.
    pub(super) fn read_conditions(&self, text: &Text<'_>, report: &mut Report<'_>) -> Option<Vec<Clause>> {
        let tree = self.tree(text, report)?;
        let parts = match tree.syntax {
            Syntax::And(parts) => parts,
            _ => vec![tree],
        };
        let places = content_places(text, self.text);
        let clauses: Vec<_> = parts
            .iter()
            .map(|part| self.clause(part, text, &places, report))
            .collect();
        clauses.into_iter().collect()
    }

    pub(super) fn read_condition(&self, text: &Text<'_>, report: &mut Report<'_>) -> Option<Clause> {
        let tree = self.tree(text, report)?;
        self.clause(&tree, text, &content_places(text, self.text), report)
    }

    fn clause(
        &self,
        tree: &Tree,
        text: &Text<'_>,
        places: &impl Fn(usize) -> usize,
        report: &mut Report<'_>,
    ) -> Option<Clause> {
        Some(Clause {
            condition: self.checked(tree, text, report, check::condition)?,
            text: one_line(&text.text[tree.span.clone()]),
            span: places(tree.span.start)..places(tree.span.end),
        })
    }

    pub(super) fn read_amount(&self, text: &Text<'_>, report: &mut Report<'_>) -> Option<Formula> {
        let tree = self.tree(text, report)?;
        let places = content_places(text, self.text);
        Some(Formula {
            number: self.checked(&tree, text, report, check::number)?,
            text: one_line(text.text),
            span: places(tree.span.start)..places(tree.span.end),
        })
    }
}

fn table_name(name: &Text<'_>) -> String {
    format!("define {}", super::shortened(name.text))
}
