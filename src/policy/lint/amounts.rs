//! Amounts: those that are always zero, cannot be paid, or lose to another whatever the case.

use super::formula::{Formula, Window, Writer};
use super::search::{Aim, Found, Scene, Verdict, Witness};
use super::{Linter, Severity};
use crate::policy::assess::amount_of;
use crate::policy::expr::check::{Bands, Cases, Condition, Key, Number};
use crate::policy::expr::eval::Evaluator;
use crate::policy::expr::parse::Comparison;
use crate::policy::expr::range::{Bound, Fault, Range, Truth};
use crate::policy::pack::{Combination, Member, PackData, ProgrammeRule};
use crate::policy::parameter::Unit;
use crate::types::{Decimal, Month};

/// Why an amount cannot be paid, and what it comes to, where it comes to anything.
type Trouble = (Fault, Option<Range>);

impl Linter<'_> {
    pub(super) fn amount(&mut self, rule: &ProgrammeRule, entitled: &Formula<'_>, window: Window) {
        if self.has_found_in(&rule.amount.span) {
            return;
        }
        if self.is_always_zero(rule, entitled, window) {
            let message = format!("the amount of {} is always zero", rule.id);
            let hint = "correct it, or leave the programme out";
            self.warn(rule.amount.span.clone(), message, hint);
            return;
        }
        let mut trouble = None;
        let found = self.unpayable(rule, entitled, window, &mut trouble);
        self.report_trouble(rule, found, trouble);
        if self.has_found_in(&rule.amount.span) {
            return;
        }
        let mut lookups = Vec::new();
        risks(&rule.amount.number, &mut Vec::new(), &mut lookups);
        for (number, path) in lookups {
            let mut trouble = None;
            let found = self.risk(number, &path, entitled, window, &mut trouble);
            self.report_trouble(rule, found, trouble);
            if self.has_found_in(&rule.amount.span) {
                return;
            }
        }
    }

    fn is_always_zero(&self, rule: &ProgrammeRule, entitled: &Formula<'_>, window: Window) -> bool {
        let zero = Range::exact(Decimal::ZERO);
        let number = &rule.amount.number;
        let scene = Scene {
            formulas: vec![entitled],
            numbers: vec![number],
        };
        let judge = &mut |evaluator: &mut Evaluator<'_>| {
            let entitled = entitled.evaluate(evaluator);
            if entitled == Ok(Truth::False) {
                return Verdict::No;
            }
            match evaluator.number(number) {
                Ok(range) if range == zero => Verdict::No,
                Ok(range) if entitled == Ok(Truth::True) && range.min > zero.min => Verdict::Yes,
                _ => Verdict::Maybe,
            }
        };
        self.searcher
            .find(&scene, window, Aim::Possible, judge)
            .is_never()
    }

    /// Seeks a case in which the amount as a whole cannot be paid.
    fn unpayable(
        &self,
        rule: &ProgrammeRule,
        entitled: &Formula<'_>,
        window: Window,
        trouble: &mut Option<Trouble>,
    ) -> Found {
        let (number, pack) = (&rule.amount.number, self.searcher.pack);
        let scene = Scene {
            formulas: vec![entitled],
            numbers: vec![number],
        };
        let judge = &mut |evaluator: &mut Evaluator<'_>| {
            let result = evaluator.number(number);
            if let Ok(range) = result
                && !range.is_exact()
            {
                let is_safe = range.min >= Bound::At(Decimal::ZERO)
                    && (range.max == Bound::Above || range.max <= Bound::At(Decimal::from(i64::MAX)));
                return if is_safe && is_whole(number, evaluator, pack) {
                    Verdict::No
                } else {
                    Verdict::Unseen
                };
            }
            if result.is_err() && !evaluator.unknown.is_empty() {
                return Verdict::Unseen;
            }
            let found = match result {
                Ok(range) => amount_of(range).err().map(|fault| (fault, Some(range))),
                Err(fault) => Some((fault, None)),
            };
            owed_with(found, entitled, evaluator, trouble)
        };
        self.searcher.find(&scene, window, Aim::Example, judge)
    }

    /// Seeks a case in which a lookup or a division in an amount has no result.
    fn risk(
        &self,
        number: &Number,
        path: &[Formula<'_>],
        entitled: &Formula<'_>,
        window: Window,
        trouble: &mut Option<Trouble>,
    ) -> Found {
        let path = Formula::All(path.to_vec());
        let scene = Scene {
            formulas: vec![entitled, &path],
            numbers: vec![number],
        };
        let judge = &mut |evaluator: &mut Evaluator<'_>| {
            match path.evaluate(evaluator) {
                Ok(Truth::True) => {}
                Ok(Truth::False) => return Verdict::No,
                _ => return Verdict::Unseen,
            }
            match evaluator.number(number) {
                Ok(range) if range.is_exact() => Verdict::No,
                Ok(_) => Verdict::Unseen,
                Err(_) if !evaluator.unknown.is_empty() => Verdict::Unseen,
                Err(fault) => owed_with(Some((fault, None)), entitled, evaluator, trouble),
            }
        };
        self.searcher.find(&scene, window, Aim::Example, judge)
    }

    fn report_trouble(&mut self, rule: &ProgrammeRule, found: Found, trouble: Option<Trouble>) {
        let (severity, witness) = match found {
            Found::Surely(witness) => (Severity::Warning, witness),
            Found::Maybe(Some(witness)) => (Severity::Note, witness),
            Found::Maybe(None) | Found::Never => return,
        };
        let Some((fault, range)) = trouble else {
            return;
        };
        let what = match range {
            Some(range) => format!("{range} "),
            None => String::new(),
        };
        let (problem, hint) = match fault {
            Fault::Fraction => (
                format!("comes to {what}đồng, which is no whole amount,"),
                "round it, for example `round(…, 1000)`",
            ),
            Fault::Negative => (
                format!("comes to {what}đồng, which is below zero,"),
                "bound it, for example with `max(…, 0)`",
            ),
            Fault::Overflow => (
                "grows too great, or has too many decimal places,".to_owned(),
                "bound it, for example with `clamp`, or round it",
            ),
            Fault::NoRow => (
                "looks for a row that the table does not have,".to_owned(),
                "guard the lookup with `case`, or add the row",
            ),
            Fault::DivisionByZero => ("divides by zero".to_owned(), "guard the division with `case`"),
            Fault::UnfitValue => return,
        };
        let doubt = if severity == Severity::Note {
            ", if the conditions can hold then"
        } else {
            ""
        };
        let message = format!("the amount of {} {problem} {}{doubt}", rule.id, of_case(&witness));
        self.find(severity, rule.amount.span.clone(), message, Some(hint));
    }

    /// Reports the programmes of a group, of which only the highest is paid, that never are the highest: another one
    /// that needs no decision is owed whenever they are, and is never less. Only pairs are looked at, without
    /// exceptions and without the amounts of groups within.
    pub(super) fn outdone(&mut self, place: usize, at: std::ops::Range<usize>) {
        let pack = self.searcher.pack;
        let rule = &pack.programmes[place];
        let group = &pack.groups[rule.group];
        if group.combination != Combination::Highest || has_exception(pack, place) {
            return;
        }
        for (other, better) in pack.programmes.iter().enumerate() {
            let is_alike = (better.group, better.start, better.stop, better.once)
                == (rule.group, rule.start, rule.stop, rule.once);
            if other == place || better.needs_decision || !is_alike || !lasts_as_long(better, rule) {
                continue;
            }
            if self.never_highest((place, rule), (other, better)) {
                let message = format!(
                    "{} is never paid: {} is owed whenever it is, is at least as much, and only the highest of the group {} is paid",
                    rule.id, better.id, group.name
                );
                self.warn(at, message, "correct one of them, or the group");
                return;
            }
        }
    }

    fn never_highest(
        &self,
        (place, rule): (usize, &ProgrammeRule),
        (other, better): (usize, &ProgrammeRule),
    ) -> bool {
        let pack = self.searcher.pack;
        let window = Window::of(pack, rule);
        let owed = Writer::new(pack).entitled(place, window);
        let better_owed = Writer::new(pack).entitled(other, window);
        let scene = Scene {
            formulas: vec![&owed, &better_owed],
            numbers: vec![&rule.amount.number, &better.amount.number],
        };
        let judge = &mut |evaluator: &mut Evaluator<'_>| {
            let owed = owed.evaluate(evaluator);
            if owed == Ok(Truth::False) {
                return Verdict::No;
            }
            let better_owed = better_owed.evaluate(evaluator);
            let amounts = (
                evaluator.number(&rule.amount.number),
                evaluator.number(&better.amount.number),
            );
            let (Ok(amount), Ok(better_amount)) = amounts else {
                return Verdict::Maybe;
            };
            // Of equals the one declared first is paid.
            let loses = amount.max < better_amount.min || other < place && amount.max == better_amount.min;
            if better_owed == Ok(Truth::True) && loses {
                return Verdict::No;
            }
            Verdict::Maybe
        };
        let can_hold = self.searcher.can_hold(&owed, window);
        can_hold
            && self
                .searcher
                .find(&scene, window, Aim::Possible, judge)
                .is_never()
    }
}

/// Whether a programme exists wherever another does, and in the month before wherever that one goes on from an earlier
/// one.
fn lasts_as_long(better: &ProgrammeRule, rule: &ProgrammeRule) -> bool {
    (better.from < rule.from || better.from == rule.from && rule.earlier.is_empty())
        && better.known_from <= rule.known_from
        && better.until.unwrap_or(Month::MAX) >= rule.until.unwrap_or(Month::MAX)
}

/// Whether an exception of any group names a programme, or a group around it.
fn has_exception(pack: &PackData, place: usize) -> bool {
    let own_group = pack.programmes[place].group;
    let around: Vec<Member> = [Member::Programme(place)]
        .into_iter()
        .chain(pack.groups_around(own_group).map(Member::Group))
        .collect();
    let mut exceptions = pack.groups.iter().flat_map(|group| &group.exceptions);
    exceptions.any(|exception| {
        around.contains(&exception.pays) || exception.beside.iter().any(|beside| around.contains(beside))
    })
}

fn of_case(witness: &Witness) -> String {
    if witness.facts.is_empty() {
        format!("in {}", witness.month)
    } else {
        format!("in {} for {}", witness.month, witness.facts)
    }
}

/// The verdict on a case whose amount cannot be paid: it is one that is sought if the amount is owed.
fn owed_with(
    found: Option<Trouble>,
    entitled: &Formula<'_>,
    evaluator: &mut Evaluator<'_>,
    trouble: &mut Option<Trouble>,
) -> Verdict {
    let Some(found) = found else {
        return Verdict::No;
    };
    match entitled.evaluate(evaluator) {
        Ok(Truth::False) | Err(_) => Verdict::No,
        Ok(Truth::True) => {
            *trouble = Some(found);
            Verdict::Yes
        }
        Ok(Truth::Undetermined) => {
            trouble.get_or_insert(found);
            Verdict::Maybe
        }
    }
}

/// Whether a number is certainly whole where a case lives, by its form.
fn is_whole(number: &Number, evaluator: &Evaluator<'_>, pack: &PackData) -> bool {
    let whole = |number: &Number| is_whole(number, evaluator, pack);
    match number {
        Number::Constant(number) => number.to_integer().is_some(),
        Number::Parameter(index) => {
            let value = evaluator.context.figures.value(*index, evaluator.case);
            value.is_some_and(|value| value.to_integer().is_some())
        }
        Number::Age | Number::AgeMonths | Number::Attribute(_) | Number::Count { .. } => true,
        Number::Sum(terms) => terms.iter().all(|(_, term)| whole(term)),
        Number::Product(items) | Number::Least(items) | Number::Greatest(items) => items.iter().all(whole),
        Number::Round { step, .. } => step.to_integer().is_some(),
        Number::Case(cases) => cases.arms.iter().all(|(_, arm)| whole(arm)) && whole(&cases.otherwise),
        Number::Bands(bands) => bands.bands.iter().all(|(_, band)| whole(band)),
        Number::GroupSum { number, .. } | Number::Defined(_, number) => whole(number),
        Number::Lookup(table, _) => pack.tables[*table].unit == Unit::Dong,
    }
}

/// A number that may have no result, and what holds where it is asked for.
type Risk<'n> = (&'n Number, Vec<Formula<'n>>);

/// Collects lookups by what a case decides, and divisions.
fn risks<'n>(number: &'n Number, path: &mut Vec<Formula<'n>>, found: &mut Vec<Risk<'n>>) {
    match number {
        Number::Constant(_)
        | Number::Age
        | Number::AgeMonths
        | Number::Attribute(_)
        | Number::Parameter(_)
        | Number::Count { .. }
        | Number::GroupSum { .. } => {}
        Number::Defined(_, inner) => risks(inner, path, found),
        Number::Sum(terms) => {
            for (_, term) in terms {
                risks(term, path, found);
            }
        }
        Number::Product(items) | Number::Least(items) | Number::Greatest(items) => {
            for item in items {
                risks(item, path, found);
            }
        }
        Number::Round {
            number: inner,
            divisor,
            ..
        } => {
            risks(inner, path, found);
            if let Some(divisor) = divisor {
                risks(divisor, path, found);
                found.push((number, path.clone()));
            }
        }
        Number::Case(cases) => risks_of_cases(cases, path, found),
        Number::Bands(bands) => risks_of_bands(bands, path, found),
        Number::Lookup(_, keys) => {
            if keys.iter().any(|key| !matches!(key, Key::Word(_))) {
                found.push((number, path.clone()));
            }
        }
    }
}

fn risks_of_cases<'n>(cases: &'n Cases<Number>, path: &mut Vec<Formula<'n>>, found: &mut Vec<Risk<'n>>) {
    let length = path.len();
    for (guard, result) in &cases.arms {
        path.push(Formula::is(guard));
        risks(result, path, found);
        path.pop();
        path.push(Formula::is(guard).negated());
    }
    risks(&cases.otherwise, path, found);
    path.truncate(length);
}

fn risks_of_bands<'n>(bands: &'n Bands<Number>, path: &mut Vec<Formula<'n>>, found: &mut Vec<Risk<'n>>) {
    let length = path.len();
    risks(&bands.subject, path, found);
    for (place, (begins, result)) in bands.bands.iter().enumerate() {
        let ends = bands.bands.get(place + 1).and_then(|(next, _)| *next);
        let limits = [(Comparison::GreaterOrEqual, *begins), (Comparison::Less, ends)];
        for (comparison, limit) in limits {
            if let Some(limit) = limit {
                let limit = Box::new(Number::Constant(limit));
                let compared = Condition::Compare(comparison, bands.subject.clone(), limit);
                path.push(Formula::owned(compared));
            }
        }
        risks(result, path, found);
        path.truncate(length);
    }
}
