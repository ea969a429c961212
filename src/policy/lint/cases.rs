//! The parts of expressions: what never or always holds by itself, and cases that are never reached.

use std::ops::Range;

use super::formula::{Formula, Window};
use super::{Linter, Severity};
use crate::policy::expr::check::{self, Bands, Cases, Condition, Number, Source};
use crate::policy::expr::parse::{Band, Comparison, Limits, Syntax, Tree};
use crate::policy::read::{Text, content_places};
use crate::types::Decimal;

/// An expression of the pack, gone through part by part.
pub(super) struct Expression<'w> {
    text: &'w str,
    /// Where each byte of it stands in the pack.
    places: Box<dyn Fn(usize) -> usize>,
    window: Window,
    /// Who is paid the amount that the expression is; `None` for anything else.
    paid: Option<&'w Formula<'w>>,
}

impl<'w> Expression<'w> {
    pub fn new(text: &'w Text<'w>, pack: &str, window: Window, paid: Option<&'w Formula<'w>>) -> Self {
        Self {
            text: text.text,
            places: Box::new(content_places(text, pack)),
            window,
            paid,
        }
    }

    /// Where a part of it stands in the pack.
    fn place(&self, span: &Range<usize>) -> Range<usize> {
        let start = (self.places)(span.start);
        start..(self.places)(span.end).max(start)
    }
}

/// What a case comes to: its guards, and where each of them and what holds otherwise stands.
struct Arms<'t> {
    guards: Vec<Condition>,
    spans: Vec<Range<usize>>,
    results: Vec<&'t Tree>,
    /// The guards as expressions, where they are.
    trees: Vec<&'t Tree>,
    otherwise: Option<&'t Tree>,
    are_bands: bool,
}

/// Whether it is written `true` or `false`: of a group that asks for everybody or nobody.
fn is_literal(tree: &Tree) -> bool {
    matches!(&tree.syntax, Syntax::Name(name) if matches!(name.as_str(), "true" | "false"))
}

impl Linter<'_> {
    /// Goes through all parts of an expression except the whole.
    pub(super) fn parts(&mut self, expression: &Expression<'_>, tree: &Tree) {
        self.part(expression, tree, &[]);
    }

    fn part(&mut self, expression: &Expression<'_>, tree: &Tree, around: &[Formula<'_>]) {
        match &tree.syntax {
            Syntax::Number(_) | Syntax::Date(_) | Syntax::Name(_) => {}
            Syntax::Not(inner) => self.part(expression, inner, around),
            Syntax::And(items) | Syntax::Or(items) => {
                for item in items {
                    self.part(expression, item, around);
                    self.settled(expression, item);
                }
            }
            Syntax::Compare(_, left, right) | Syntax::Quotient(left, right) => {
                self.part(expression, left, around);
                self.part(expression, right, around);
            }
            Syntax::In(subject, ..) => self.part(expression, subject, around),
            Syntax::Sum(terms) => {
                for (_, term) in terms {
                    self.part(expression, term, around);
                }
            }
            Syntax::Product(factors) => {
                for factor in factors {
                    self.part(expression, factor, around);
                }
            }
            Syntax::Call(name, arguments) => {
                let of_group = name.text.contains('.') && !name.text.starts_with("table.");
                for argument in arguments {
                    if of_group {
                        // What is asked of a member is about another person.
                        self.part(expression, argument, &[]);
                        if !is_literal(argument) {
                            self.settled(expression, argument);
                        }
                    } else {
                        self.part(expression, argument, around);
                    }
                }
            }
            Syntax::CaseOf(..) | Syntax::CaseWhen(..) | Syntax::CaseBands(..) => {
                self.cases(expression, tree, around);
            }
        }
    }

    /// Reports a condition that never or always holds by itself.
    pub(super) fn settled(&mut self, expression: &Expression<'_>, tree: &Tree) {
        let span = expression.place(&tree.span);
        if self.has_found_in(&span) {
            return;
        }
        let Some(condition) = self.condition_of(expression, tree) else {
            return;
        };
        let formula = Formula::is(&condition);
        if !self.searcher.can_hold(&formula, expression.window) {
            let hint = "correct it, or leave it out";
            self.warn(span, "this condition can never hold", hint);
        } else if !self.searcher.can_hold(&formula.negated(), expression.window) {
            let hint = "it asks for nothing: correct it, or leave it out";
            self.warn(span, "this condition always holds", hint);
        }
    }

    fn cases(&mut self, expression: &Expression<'_>, tree: &Tree, around: &[Formula<'_>]) {
        let Some(arms) = self.arms(expression, tree) else {
            return;
        };
        let mut before: Vec<Formula<'_>> = around.to_vec();
        for (at, guard) in arms.guards.iter().enumerate() {
            if let Some(tree) = arms.trees.get(at) {
                self.part(expression, tree, &before);
            }
            let mut within = before.clone();
            within.push(Formula::is(guard));
            let within = Formula::All(within);
            let is_reached = self.searcher.can_hold(&within, expression.window);
            let span = expression.place(&arms.spans[at]);
            if !is_reached && !self.has_found_in(&span) {
                self.not_reached(span, &arms, guard, around, expression.window);
            } else if is_reached {
                self.not_reached_by_paid(span, expression, &within);
                if let Formula::All(within) = &within {
                    self.part(expression, arms.results[at], within);
                }
            }
            before.push(Formula::is(guard).negated());
        }
        let Some(otherwise) = arms.otherwise else {
            return;
        };
        let rest = Formula::All(before.clone());
        if self.searcher.can_hold(&rest, expression.window) {
            self.part(expression, otherwise, &before);
            return;
        }
        let span = expression.place(&otherwise.span);
        // Bands need `else` unless they are open at both ends, so that it may have to be written.
        let (severity, message) = if arms.are_bands {
            let message = "`else` is never reached: the bands cover every number that occurs here";
            (Severity::Note, message)
        } else {
            let message = "`else` is never reached: the cases above cover everything";
            (Severity::Warning, message)
        };
        let hint = "let `else` stand for the last of them";
        self.find(severity, span, message, Some(hint));
    }

    fn not_reached(
        &mut self,
        span: Range<usize>,
        arms: &Arms<'_>,
        guard: &Condition,
        around: &[Formula<'_>],
        window: Window,
    ) {
        let mut alone: Vec<Formula<'_>> = around.to_vec();
        alone.push(Formula::is(guard));
        let can_hold = self.searcher.can_hold(&Formula::All(alone), window);
        let (message, hint) = match (can_hold, arms.are_bands) {
            (true, _) => (
                "this case is never reached: those above it cover it",
                "put it above them, correct it, or leave it out",
            ),
            (false, true) => (
                "this band is never reached: the number does not lie in it",
                "correct it, or leave it out",
            ),
            (false, false) => (
                "this case is never reached: it can never hold here",
                "correct it, or leave it out",
            ),
        };
        self.warn(span, message, hint);
    }

    /// Notes a case of an amount that nobody reaches who is paid it.
    fn not_reached_by_paid(&mut self, span: Range<usize>, expression: &Expression<'_>, within: &Formula<'_>) {
        let Some(paid) = expression.paid else {
            return;
        };
        let both = Formula::All(vec![paid.clone(), within.clone()]);
        if !self.has_found_in(&span) && !self.searcher.can_hold(&both, expression.window) {
            let message = "nobody who is paid this amount reaches this case";
            self.find(Severity::Note, span, message, None);
        }
    }

    fn condition_of(&self, expression: &Expression<'_>, tree: &Tree) -> Option<Condition> {
        if self.searcher.is_spent() {
            return None;
        }
        let mut problems = Vec::new();
        let condition = check::condition(&self.source(expression, tree), &mut problems)?;
        problems.is_empty().then_some(condition)
    }

    fn number_of(&self, expression: &Expression<'_>, tree: &Tree) -> Option<Number> {
        if self.searcher.is_spent() {
            return None;
        }
        let mut problems = Vec::new();
        let number = check::number(&self.source(expression, tree), &mut problems)?;
        problems.is_empty().then_some(number)
    }

    fn source<'s>(&'s self, expression: &'s Expression<'_>, tree: &'s Tree) -> Source<'s> {
        Source {
            tree,
            text: expression.text,
            scope: &self.searcher.pack.scope,
            room: None,
        }
    }

    fn arms<'t>(&self, expression: &Expression<'_>, tree: &'t Tree) -> Option<Arms<'t>> {
        let guards = self.guards(expression, tree)?;
        Some(match &tree.syntax {
            Syntax::CaseOf(_, arms, otherwise) => Arms {
                guards,
                spans: arms
                    .iter()
                    .map(|(names, _)| {
                        let start = names.first().map_or(0, |name| name.span.start);
                        start..names.last().map_or(start, |name| name.span.end)
                    })
                    .collect(),
                results: arms.iter().map(|(_, result)| result).collect(),
                trees: Vec::new(),
                otherwise: Some(otherwise),
                are_bands: false,
            },
            Syntax::CaseWhen(arms, otherwise) => Arms {
                guards,
                spans: arms.iter().map(|(guard, _)| guard.span.clone()).collect(),
                results: arms.iter().map(|(_, result)| result).collect(),
                trees: arms.iter().map(|(guard, _)| guard).collect(),
                otherwise: Some(otherwise),
                are_bands: false,
            },
            Syntax::CaseBands(_, arms, otherwise) => Arms {
                guards,
                spans: arms.iter().map(|(band, _)| band.span.clone()).collect(),
                results: arms.iter().map(|(_, result)| result).collect(),
                trees: Vec::new(),
                otherwise: otherwise.as_deref(),
                are_bands: true,
            },
            _ => return None,
        })
    }

    /// When each arm of a case holds by itself, in the order of the arms.
    fn guards(&self, expression: &Expression<'_>, tree: &Tree) -> Option<Vec<Condition>> {
        if let Some(condition) = self.condition_of(expression, tree) {
            return match (condition, &tree.syntax) {
                (Condition::Case(cases), _) => Some(case_guards(cases)),
                (Condition::Bands(bands), Syntax::CaseBands(_, arms, _)) => Some(band_guards(&bands, arms)),
                _ => None,
            };
        }
        match (self.number_of(expression, tree)?, &tree.syntax) {
            (Number::Case(cases), _) => Some(case_guards(cases)),
            (Number::Bands(bands), Syntax::CaseBands(_, arms, _)) => Some(band_guards(&bands, arms)),
            _ => None,
        }
    }
}

fn case_guards<T>(cases: Cases<T>) -> Vec<Condition> {
    cases.arms.into_iter().map(|(guard, _)| guard).collect()
}

/// When each written band holds. Below the first one may lie what `else` says, above the last one too.
fn band_guards<T>(bands: &Bands<T>, written: &[(Band, Tree)]) -> Vec<Condition> {
    let starts_open = matches!(written.first(), Some((band, _)) if matches!(band.limits, Limits::Under(_)));
    let is_below = !starts_open && bands.bands.first().is_some_and(|(begins, _)| begins.is_none());
    let first = usize::from(is_below);
    let limit = |comparison, limit: Decimal| {
        Condition::Compare(
            comparison,
            bands.subject.clone(),
            Box::new(Number::Constant(limit)),
        )
    };
    (first..first + written.len())
        .map(|place| {
            let begins = bands.bands.get(place).and_then(|(begins, _)| *begins);
            let ends = bands.bands.get(place + 1).and_then(|(next, _)| *next);
            let begins = begins.map(|begins| limit(Comparison::GreaterOrEqual, begins));
            let ends = ends.map(|ends| limit(Comparison::Less, ends));
            Condition::All(begins.into_iter().chain(ends).collect())
        })
        .collect()
}
