//! Amounts that depend on nothing but figures: whether they can ever be paid.

use std::collections::BTreeSet;

use crate::policy::assess::amount_of;
use crate::policy::error::Report;
use crate::policy::expr::check::{Number, ParameterIndex};
use crate::policy::expr::range::{Fault, Range};
use crate::policy::pack::{PackData, ProgrammeRule};
use crate::policy::parameter::Area;
use crate::types::{Date, Decimal, Month, ProvinceCode};

/// So many months with days of the law are gone through; an amount that cannot be paid in any of them and has more is
/// left to the linter.
const PERIODS_MAX: usize = 256;

/// Reports the amounts that are a fault whenever they are owed, whoever it is and whatever figures hold.
pub(super) fn check(data: &PackData, report: &mut Report<'_>) {
    for rule in &data.programmes {
        if let Some((fault, range)) = never_paid(data, rule) {
            let (problem, hint) = text(fault, range);
            let message = format!("the amount of {} {problem}, so it could never be paid", rule.id);
            report.add_with(rule.amount.span.clone(), message, Some(hint.to_owned()));
        }
    }
}

fn text(fault: Fault, range: Option<Range>) -> (String, &'static str) {
    let what = range.map_or_else(String::new, |range| format!("{range} "));
    match fault {
        Fault::Negative => (
            format!("comes to {what}đồng, which is below zero"),
            "correct it, or bound it, for example with `max(…, 0)`",
        ),
        Fault::Fraction => (
            format!("comes to {what}đồng, which is no whole amount"),
            "round it, for example `round(…, 1000)`",
        ),
        Fault::DivisionByZero => ("divides by zero".to_owned(), "correct the divisor"),
        _ => (
            "grows too great, or has too many decimal places".to_owned(),
            "correct it, bound it with `clamp`, or round it",
        ),
    }
}

/// The first fault of an amount that is one by all figures of its programme's months.
fn never_paid(data: &PackData, rule: &ProgrammeRule) -> Option<(Fault, Option<Range>)> {
    let areas: BTreeSet<Area> = rule
        .parameters
        .iter()
        .flat_map(|&index| data.parameters[index].provincial.iter().map(|value| value.area))
        .collect();
    let places: Vec<Option<Area>> = [None].into_iter().chain(areas.into_iter().map(Some)).collect();
    let mut first = None;
    for (at, (month, day)) in periods(data, rule).enumerate() {
        if at == PERIODS_MAX {
            return None;
        }
        for &place in &places {
            let figures = |index| figure(data, index, (month, day), place);
            let (fault, range) = match settled(&rule.amount.number, &figures)? {
                Ok(range) => (amount_of(range).err()?, Some(range)),
                Err(fault) => (fault, None),
            };
            first = first.or(Some((fault, range)));
        }
    }
    first
}

/// The months and days of the law in which other figures of a programme may hold.
fn periods(data: &PackData, rule: &ProgrammeRule) -> impl Iterator<Item = (Month, Date)> {
    let from = data.horizon.map_or(rule.from, |horizon| horizon.max(rule.from));
    let known_from = data.horizon.map_or(rule.known_from, |horizon| {
        rule.known_from.max(Date::first_of(horizon))
    });
    let until = rule.until.unwrap_or(Month::MAX);
    let (mut months, mut days) = (BTreeSet::from([from]), BTreeSet::from([known_from]));
    for &index in &rule.parameters {
        let parameter = &data.parameters[index];
        let national = parameter.values.iter().map(|value| value.dates);
        let provincial = parameter.provincial.iter().map(|value| value.value.dates);
        for dates in national.chain(provincial) {
            months.insert(dates.from);
            months.extend(dates.until.map(Month::next));
            days.insert(dates.known_from);
        }
    }
    months.retain(|month| (from..=until).contains(month));
    days.retain(|&day| day >= known_from);
    months
        .into_iter()
        .flat_map(move |month| days.clone().into_iter().map(move |day| (month, day)))
}

/// The value of a parameter, in an area that has one of its own or elsewhere.
fn figure(
    data: &PackData,
    index: ParameterIndex,
    (month, day): (Month, Date),
    place: Option<Area>,
) -> Option<Decimal> {
    let code = |number: u8| format!("{number:02}").parse().unwrap_or(ProvinceCode::NONE);
    let (province, former) = match place {
        None => (ProvinceCode::NONE, ProvinceCode::NONE),
        Some(Area::Province(number)) => (code(number), ProvinceCode::NONE),
        Some(Area::Former(number)) => (ProvinceCode::NONE, code(number)),
    };
    let found = data.parameters[index].value_in(month, day, province, former);
    found.map(|(value, _)| value.value)
}

/// What a number comes to, or its fault, if it depends on figures only.
fn settled(
    number: &Number,
    figures: &dyn Fn(ParameterIndex) -> Option<Decimal>,
) -> Option<Result<Range, Fault>> {
    let of = |number: &Number| settled(number, figures);
    let fold = |items: &[Number], join: fn(Range, Range) -> Result<Range, Fault>| {
        let mut all = items.iter().map(of);
        let first = all.next()??;
        all.try_fold(first, |found, item| {
            let item = item?;
            Some(found.and_then(|found| join(found, item?)))
        })
    };
    match number {
        Number::Constant(number) => Some(Ok(Range::exact(*number))),
        Number::Parameter(index) => Some(Ok(Range::exact(figures(*index)?))),
        Number::Defined(_, inner) => of(inner),
        Number::Sum(terms) => terms.iter().try_fold(
            Ok(Range::exact(Decimal::ZERO)),
            |sum: Result<Range, Fault>, (subtracted, term)| {
                let term = of(term)?;
                let signed = term.and_then(|term| if *subtracted { term.negated() } else { Ok(term) });
                Some(sum.and_then(|sum| sum.add(signed?)))
            },
        ),
        Number::Product(items) => fold(items, Range::times),
        Number::Least(items) => fold(items, |a, b| Ok(a.least(b))),
        Number::Greatest(items) => fold(items, |a, b| Ok(a.greatest(b))),
        Number::Round {
            number,
            divisor,
            step,
            rounding,
        } => {
            let number = of(number)?;
            let divisor = match divisor {
                Some(divisor) => Some(of(divisor)?),
                None => None,
            };
            Some(number.and_then(|number| match divisor {
                Some(divisor) => number.divided_to(divisor?, *step, *rounding),
                None => number.rounded_to(*step, *rounding),
            }))
        }
        Number::Age
        | Number::AgeMonths
        | Number::Attribute(_)
        | Number::Case(_)
        | Number::Bands(_)
        | Number::Count { .. }
        | Number::GroupSum { .. }
        | Number::Lookup(..) => None,
    }
}
