//! Programmes: rules that never apply, and exclusions and provincial conditions that change nothing.

use std::ops::Range;

use super::cases::Expression;
use super::document::RuleTexts;
use super::formula::{Formula, Window, Writer, conditions, enrolled, here, national};
use super::{Linter, Severity};
use crate::policy::expr::check::Condition;
use crate::policy::expr::parse::parse;
use crate::policy::pack::{Excluder, Exclusion, ProgrammeRule};
use crate::policy::read::Text;
use crate::types::Month;

impl Linter<'_> {
    pub(super) fn rule(&mut self, place: usize, texts: &RuleTexts<'_>) {
        let pack = self.searcher.pack;
        let rule = &pack.programmes[place];
        let window = Window::of(pack, rule);
        self.written_condition(&texts.condition, window);
        for text in texts.provincial.iter().chain(texts.exclusions.iter().flatten()) {
            self.written_condition(text, window);
        }
        let entitled = Writer::new(pack).entitled(place, window);
        self.written_amount(&texts.amount, window, &entitled);
        self.national_conditions(rule, window);
        self.provincial_conditions(rule, window);
        if self.searcher.can_hold(&conditions(rule, window), window) {
            self.exclusions(rule, window);
            if self.searcher.can_hold(&entitled, window) {
                self.amount(rule, &entitled, window);
            }
        }
    }

    /// The parts of a condition.
    pub(super) fn written_condition(&mut self, text: &Text<'_>, window: Window) {
        if let Ok(tree) = parse(text.text) {
            let expression = Expression::new(text, self.pack_text(), window, None);
            self.parts(&expression, &tree);
        }
    }

    fn written_amount(&mut self, text: &Text<'_>, window: Window, entitled: &Formula<'_>) {
        if let Ok(tree) = parse(text.text) {
            let expression = Expression::new(text, self.pack_text(), window, Some(entitled));
            self.parts(&expression, &tree);
        }
    }

    fn national_conditions(&mut self, rule: &ProgrammeRule, window: Window) {
        let whole = conditions_span(rule);
        if self.has_found_in(&whole) {
            return;
        }
        // Who qualifies may be for the provinces alone to say.
        let only_provincial = matches!(
            rule.conditions.as_slice(),
            [clause] if matches!(clause.condition.written_out(), Condition::Constant(false))
        ) && !rule.provincial.is_empty();
        if !self.searcher.can_hold(&national(rule), window) {
            if !only_provincial {
                self.nobody_qualifies(rule, window);
            }
            return;
        }
        let [clause] = rule.conditions.as_slice() else {
            return;
        };
        // `true` by itself is how to say everybody.
        let formula = Formula::is(&clause.condition);
        if !matches!(clause.condition.written_out(), Condition::Constant(_))
            && !self.searcher.can_hold(&formula.negated(), window)
        {
            let hint = "write `true` if everybody is meant";
            self.warn(clause.span.clone(), "this condition always holds", hint);
        }
    }

    /// Reports the first condition that cannot hold together with those above it, and with which of them.
    fn nobody_qualifies(&mut self, rule: &ProgrammeRule, window: Window) {
        let clauses = &rule.conditions;
        let can_hold = |places: &[usize]| {
            let items = places.iter().map(|&place| Formula::is(&clauses[place].condition));
            self.searcher.can_hold(&Formula::All(items.collect()), window)
        };
        let mut kept: Vec<usize> = Vec::new();
        for place in 0..clauses.len() {
            kept.push(place);
            if !can_hold(&kept) {
                break;
            }
        }
        let mut at = 0;
        while at + 1 < kept.len() {
            let mut fewer = kept.clone();
            fewer.remove(at);
            if can_hold(&fewer) {
                at += 1;
            } else {
                kept = fewer;
            }
        }
        let Some((&last, others)) = kept.split_last() else {
            return;
        };
        let others: Vec<String> = others
            .iter()
            .map(|&place| format!("`{}`", clauses[place].text))
            .collect();
        let problem = if others.is_empty() {
            "this condition can never hold".to_owned()
        } else {
            format!("this can never hold together with {}", others.join(" and "))
        };
        let result = if rule.provincial.is_empty() {
            "to nobody"
        } else {
            "only by its provincial conditions"
        };
        let message = format!("{problem}: {} is paid {result}", rule.id);
        let hint = if others.is_empty() {
            "correct it"
        } else {
            "correct one of them; alternatives are joined by `or`"
        };
        self.warn(clauses[last].span.clone(), message, hint);
    }

    fn provincial_conditions(&mut self, rule: &ProgrammeRule, window: Window) {
        for wider in &rule.provincial {
            let span = &wider.clause.span;
            if self.has_found_in(span) {
                continue;
            }
            if !window.meets(wider.dates.from, wider.dates.until.unwrap_or(Month::MAX)) {
                let message = format!(
                    "this provincial condition is in force in no month in which {} exists",
                    rule.id
                );
                self.warn(span.clone(), message, "correct its months, or leave it out");
                continue;
            }
            let condition = || Formula::is(&wider.clause.condition);
            let nobody_new = vec![here(wider.area), condition(), national(rule).negated()];
            if !self.searcher.can_hold(&condition(), window) {
                let message = "this provincial condition can never hold";
                self.warn(span.clone(), message, "correct it, or leave it out");
            } else if !self.searcher.can_hold(&Formula::All(nobody_new), window) {
                let message = format!(
                    "this provincial condition adds nobody: whoever meets it meets the national conditions of {}",
                    rule.id
                );
                self.warn(span.clone(), message, "correct it, or leave it out");
            }
        }
    }

    /// For people who meet the conditions.
    fn exclusions(&mut self, rule: &ProgrammeRule, window: Window) {
        let pack = self.searcher.pack;
        let qualified = || conditions(rule, window);
        let excluded: Vec<Formula<'_>> = rule
            .exclusions
            .iter()
            .map(|exclusion| Writer::new(pack).excluded(exclusion, window))
            .collect();
        for (exclusion, formula) in rule.exclusions.iter().zip(&excluded) {
            if self.has_found_in(&exclusion.span)
                || self
                    .searcher
                    .can_hold(&Formula::All(vec![qualified(), formula.clone()]), window)
            {
                continue;
            }
            let message = match &exclusion.excluder {
                Excluder::Programme { programme, text } => {
                    let other = Window::of(pack, &pack.programmes[*programme]);
                    if window.meets(other.from, other.until) {
                        format!(
                            "nobody who meets the conditions of {} is entitled to {text}",
                            rule.id
                        )
                    } else {
                        format!("{text} exists in no month in which {} does", rule.id)
                    }
                }
                Excluder::Condition { .. } if !self.searcher.can_hold(formula, window) => {
                    "this can never hold".to_owned()
                }
                Excluder::Condition { .. } => {
                    format!(
                        "this never holds for those who meet the conditions of {}",
                        rule.id
                    )
                }
            };
            let message = format!("{message}: the exclusion excludes nobody");
            self.warn(at_exclusion(exclusion), message, "correct it, or leave it out");
        }
        let mut left = vec![qualified(), enrolled(rule)];
        if !self.searcher.can_hold(&Formula::All(left.clone()), window) {
            let message = format!(
                "nobody with a decision on {0} meets this: {0} is paid to nobody",
                rule.id
            );
            let hint = "ask for the enrolment in another programme, or for none";
            self.warn(conditions_span(rule), message, hint);
            return;
        }
        for (exclusion, formula) in rule.exclusions.iter().zip(excluded) {
            left.push(formula.negated());
            if !self.searcher.can_hold(&Formula::All(left.clone()), window) {
                let message = format!(
                    "whoever meets the conditions of {0} is excluded by this{1}: {0} is paid to nobody",
                    rule.id,
                    if left.len() > 3 { " or by one above" } else { "" }
                );
                self.warn(
                    at_exclusion(exclusion),
                    message,
                    "correct the exclusion or the conditions",
                );
                return;
            }
        }
    }

    /// The parts of a definition, and the whole.
    pub(super) fn definition(&mut self, text: &Text<'_>, is_condition: bool) {
        let window = Window::of_all(self.searcher.pack);
        let Ok(tree) = parse(text.text) else {
            return;
        };
        let expression = Expression::new(text, self.pack_text(), window, None);
        self.parts(&expression, &tree);
        if is_condition {
            self.settled(&expression, &tree);
        }
    }

    /// Names the rules of which something was too large to be decided.
    pub(super) fn undecided(&mut self, names: &[String], at: Range<usize>) {
        if !names.is_empty() {
            let message = format!(
                "parts of these are too large to be gone through, so only some was checked: {}",
                names.join(", ")
            );
            self.find(Severity::Note, at, message, None);
        }
    }
}

fn at_exclusion(exclusion: &Exclusion) -> Range<usize> {
    match &exclusion.excluder {
        Excluder::Condition { clause, .. } => clause.span.clone(),
        Excluder::Programme { .. } => exclusion.span.clone(),
    }
}

fn conditions_span(rule: &ProgrammeRule) -> Range<usize> {
    let start = rule.conditions.iter().map(|clause| clause.span.start).min();
    let end = rule.conditions.iter().map(|clause| clause.span.end).max();
    start.unwrap_or(0)..end.unwrap_or(0)
}
