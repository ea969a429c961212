//! The one evaluator of expressions.

use super::check::{
    AttributeIndex, Bands, Cases, Condition, Day, GroupRef, Key, Number, ParameterIndex, TableIndex,
};
use super::parse::Comparison;
use super::range::{Bound, Fault, Range, Truth};
use super::reach::{Reach, condition_never_fails, number_never_fails, reach};
use crate::kernel::catalogue::{Attribute, SubjectKind, ValueKind, builtin};
use crate::policy::case::{Case, Group, Own};
use crate::policy::figures::Figures;
use crate::policy::lookup::Asked as LookupAsked;
use crate::types::{AttributeNumber, Date, Decimal, PersonNumber, Value};

/// An attribute of the scope with the numbers that the catalogue gave it.
#[derive(Debug, Clone)]
pub(crate) struct BoundAttribute {
    pub attribute: Attribute,
    /// The permanent numbers of the declared values, in declared order.
    pub values: Vec<u16>,
}

/// What an expression asked for, in the order in which it asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Asked {
    Attribute(AttributeIndex, Value),
    Age,
    AgeMonths,
    Province {
        former: bool,
    },
    Parameter(ParameterIndex),
    /// A row of a table, by the places of its words and its numbers.
    Row(TableIndex, Vec<i64>),
    Group(GroupAsked),
}

/// What was asked of a group of people, and what it came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct GroupAsked {
    pub node: GroupNode,
    /// Its text in the pack.
    pub text: Box<str>,
    pub found: Found,
    pub visited: Visited,
}

/// The part of an expression that asks about a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum GroupNode {
    Condition(Condition),
    Number(Number),
}

/// What an expression came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Found {
    Truth(Truth),
    Number(Range),
}

/// Who was met in a group.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Visited {
    /// How many.
    pub size: usize,
    /// Those for whom it certainly holds or, of a sum, who give something, if their numbers are known.
    pub people: Vec<PersonNumber>,
    /// Whether it is not known who belongs to the group.
    pub unsure: bool,
}

/// What all expressions of a month are evaluated with.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Context<'a> {
    pub attributes: &'a [BoundAttribute],
    pub figures: &'a Figures,
    /// The attribute whose reverse is the group `dependants`.
    pub dependants: Option<AttributeNumber>,
}

/// Evaluates expressions for one case. What it meets can be recorded, which changes no result.
pub(crate) struct Evaluator<'a> {
    pub context: Context<'a>,
    pub case: &'a Case<'a>,
    /// The attributes on which undetermined results depend.
    pub unknown: Vec<AttributeNumber>,
    /// Something was asked that each person has of their own, and the case is that of a whole cell. It was taken as
    /// unknown, so what is certain nevertheless is so for everyone of the cell.
    pub untold: bool,
    /// Something that is not known decides whether there is a fault. What is evaluated then is not certain, although
    /// all results that it can have may be the same.
    pub may_fault: bool,
    /// What was asked for, if that is to be recorded.
    pub asked: Option<Vec<Asked>>,
}

impl<'a> Evaluator<'a> {
    pub fn new(context: Context<'a>, case: &'a Case<'a>, tracing: bool) -> Self {
        Self {
            context,
            case,
            unknown: Vec::new(),
            untold: false,
            may_fault: false,
            asked: tracing.then(Vec::new),
        }
    }

    /// Whether what is met is recorded.
    pub const fn tracing(&self) -> bool {
        self.asked.is_some()
    }

    fn ask(&mut self, asked: Asked) {
        if let Some(list) = &mut self.asked
            && !list.contains(&asked)
        {
            list.push(asked);
        }
    }

    /// A condition's truth. What is unknown but changes nothing leaves no trace in [`Evaluator::unknown`]. A condition
    /// that may have a fault is undetermined.
    pub fn condition(&mut self, condition: &Condition) -> Result<Truth, Fault> {
        let mark = self.unknown.len();
        let may_fault = std::mem::take(&mut self.may_fault);
        let mut truth = self.condition_inner(condition);
        if self.may_fault && truth.is_ok() {
            truth = Ok(Truth::Undetermined);
        }
        self.may_fault |= may_fault;
        if truth != Ok(Truth::Undetermined) {
            self.unknown.truncate(mark);
        }
        truth
    }

    fn condition_inner(&mut self, condition: &Condition) -> Result<Truth, Fault> {
        match condition {
            Condition::Constant(yes) => Ok((*yes).into()),
            Condition::Attribute(index) => match self.value(*index) {
                Value::Unknown => Ok(Truth::Undetermined),
                Value::Bool(yes) => Ok(yes.into()),
                _ => Err(Fault::UnfitValue),
            },
            Condition::Not(inner) => Ok(!self.condition(inner)?),
            Condition::All(items) => self.all(items, Truth::False),
            Condition::Any(items) => self.all(items, Truth::True),
            Condition::Same(left, right) => {
                let (left, right) = (self.condition(left)?, self.condition(right)?);
                if left == Truth::Undetermined || right == Truth::Undetermined {
                    return Ok(Truth::Undetermined);
                }
                Ok((left == right).into())
            }
            Condition::Compare(comparison, left, right) => {
                let (left, right) = (self.number(left)?, self.number(right)?);
                Ok(left.compare(*comparison, right))
            }
            Condition::NumberIn(number, items) => self.number_in(number, items),
            Condition::EnumIn(index, values) => match self.value(*index) {
                Value::Unknown => Ok(Truth::Undetermined),
                Value::Enum(found) => {
                    let numbers = &self.context.attributes[*index].values;
                    Ok(values
                        .iter()
                        .any(|&value| numbers[usize::from(value)] == found)
                        .into())
                }
                _ => Err(Fault::UnfitValue),
            },
            Condition::Dates(comparison, left, right) => self.dates(*comparison, *left, *right),
            Condition::ProvinceIn { former, codes } => {
                self.ask(Asked::Province { former: *former });
                let code = if *former {
                    self.case.former_province
                } else {
                    self.case.province
                };
                Ok(codes.contains(&code.number()).into())
            }
            Condition::Case(cases) => self.cases(cases, Self::condition, either),
            Condition::Bands(bands) => self.bands(bands, Self::condition, either),
            Condition::Defined(_, inner) => self.condition(inner),
            Condition::Group {
                group,
                every,
                holds,
                text,
            } => {
                // One of the group settles the whole: a false one `all`, a true one `any`.
                let settling = Truth::from(!every);
                let mut truth = !settling;
                let (visited, fault) = self.visit(*group, |member| {
                    let found = member.condition(holds)?;
                    if found == settling || truth != settling && found == Truth::Undetermined {
                        truth = found;
                    }
                    Ok(found == Truth::True)
                })?;
                if truth == settling {
                    // No fault of another member changes that.
                    self.may_fault = false;
                } else if let Some(fault) = fault {
                    return Err(fault);
                } else if visited.unsure {
                    truth = Truth::Undetermined;
                    self.may_fault |= !condition_never_fails(holds, self.context);
                }
                let node = || GroupNode::Condition(condition.clone());
                self.ask_group(node, text, Found::Truth(truth), visited);
                Ok(truth)
            }
        }
    }

    fn ask_group(&mut self, node: impl FnOnce() -> GroupNode, text: &str, found: Found, visited: Visited) {
        if self.tracing() {
            self.ask(Asked::Group(GroupAsked {
                node: node(),
                text: text.into(),
                found,
                visited,
            }));
        }
    }

    /// Evaluates something for everyone of a group, and tells whom it met and of a fault of one of them; `evaluate` says
    /// whether it holds for the member. Who they are is noted only while tracing.
    fn visit(
        &mut self,
        group: GroupRef,
        mut evaluate: impl FnMut(&mut Evaluator<'_>) -> Result<bool, Fault>,
    ) -> Result<(Visited, Option<Fault>), Fault> {
        let mut visited = Visited::default();
        let Some(own) = self.case.own else {
            self.untold = true;
            visited.unsure = true;
            return Ok((visited, None));
        };
        let tracing = self.tracing();
        let reference = |index: AttributeIndex| self.context.attributes[index].attribute.number;
        let (group, attribute) = match group {
            GroupRef::Household => (Group::Household, None),
            GroupRef::Dependants => {
                let attribute = self.context.dependants.ok_or(Fault::UnfitValue)?;
                (Group::Dependants(attribute), Some(attribute))
            }
            GroupRef::Reference(index) => (Group::Reference(reference(index)), Some(reference(index))),
        };
        let context = self.context;
        let (unknown, may_fault, mut fault) = (&mut self.unknown, &mut self.may_fault, None);
        let sure = own.visit(group, &mut |case| {
            let mut member = Evaluator::new(context, case, false);
            visited.size += 1;
            match evaluate(&mut member) {
                Ok(true) if tracing => visited.people.extend(case.own.and_then(Own::person)),
                Ok(_) => {}
                Err(found) => fault = Some(first_of(fault, found)),
            }
            *may_fault |= member.may_fault;
            unknown.append(&mut member.unknown);
        });
        if !sure {
            self.unknown.extend(attribute);
        }
        visited.unsure = !sure;
        Ok((visited, fault))
    }

    /// The result of the bands in which a number may lie.
    fn bands<T, R>(
        &mut self,
        bands: &Bands<T>,
        mut evaluate: impl FnMut(&mut Self, &T) -> Result<R, Fault>,
        join: impl Fn(R, R) -> R,
    ) -> Result<R, Fault> {
        let mark = self.unknown.len();
        let number = self.number(&bands.subject)?;
        let reached = |&place: &usize| {
            let begins = bands.bands[place].0;
            let ends = bands.bands.get(place + 1).and_then(|(next, _)| *next);
            let is_above = ends.is_some_and(|ends| number.min >= Bound::At(ends));
            let is_below = begins.is_some_and(|begins| number.max < Bound::At(begins));
            !is_above && !is_below
        };
        let places = 0..bands.bands.len();
        if places.clone().filter(reached).count() == 1 {
            // Wherever in the band the number lies changes nothing.
            self.unknown.truncate(mark);
        }
        let mut possible: Option<R> = None;
        for place in places.filter(reached) {
            let result = evaluate(self, &bands.bands[place].1)?;
            possible = Some(match possible.take() {
                Some(others) => join(others, result),
                None => result,
            });
        }
        possible.ok_or(Fault::UnfitValue)
    }

    /// `and` where `settling` is false, `or` where it is true: one such item settles the whole, even beside a
    /// fault, so that the order of the items changes nothing.
    fn all(&mut self, items: &[Condition], settling: Truth) -> Result<Truth, Fault> {
        let mut truth = !settling;
        let mut fault = None;
        let may_fault = self.may_fault;
        for item in items {
            match self.condition(item) {
                Ok(found) if found == settling => {
                    self.may_fault = may_fault;
                    return Ok(settling);
                }
                Ok(Truth::Undetermined) => truth = Truth::Undetermined,
                Ok(_) => {}
                Err(found) => fault = Some(first_of(fault, found)),
            }
        }
        fault.map_or(Ok(truth), Err)
    }

    fn number_in(&mut self, number: &Number, items: &[Number]) -> Result<Truth, Fault> {
        let number = self.number(number)?;
        let mut truth = Truth::False;
        for item in items {
            truth = truth.max(number.compare(Comparison::Equal, self.number(item)?));
        }
        Ok(truth)
    }

    fn dates(&mut self, comparison: Comparison, left: Day, right: Day) -> Result<Truth, Fault> {
        let (left, right) = (self.day(left)?, self.day(right)?);
        let (Some(left), Some(right)) = (left, right) else {
            return Ok(Truth::Undetermined);
        };
        let ordinal = |date: Date| Range::between(date.packed().into(), date.packed().into());
        Ok(ordinal(left).compare(comparison, ordinal(right)))
    }

    fn day(&mut self, day: Day) -> Result<Option<Date>, Fault> {
        match day {
            Day::Constant(date) => Ok(Some(date)),
            Day::Attribute(index) => match self.value(index) {
                Value::Unknown => Ok(None),
                Value::Date(date) => Ok(Some(date)),
                _ => Err(Fault::UnfitValue),
            },
        }
    }

    /// The range of a number. What is unknown but changes nothing leaves no trace in [`Evaluator::unknown`].
    pub fn number(&mut self, number: &Number) -> Result<Range, Fault> {
        let mark = self.unknown.len();
        let range = self.number_inner(number)?;
        if range.is_exact() && !self.may_fault {
            self.unknown.truncate(mark);
        }
        Ok(range)
    }

    fn number_inner(&mut self, number: &Number) -> Result<Range, Fault> {
        match number {
            Number::Constant(number) => Ok(Range::exact(*number)),
            Number::Age => {
                const MONTHS: i32 = 12;
                self.ask(Asked::Age);
                let age = self.case.age;
                Ok(self.age(age.min.div_euclid(MONTHS), age.max.div_euclid(MONTHS)))
            }
            Number::AgeMonths => {
                self.ask(Asked::AgeMonths);
                Ok(self.age(self.case.age.min, self.case.age.max))
            }
            Number::Attribute(index) => self.number_of(*index),
            Number::Parameter(index) => {
                self.ask(Asked::Parameter(*index));
                let value = self.context.figures.value(*index, self.case);
                value.map(Range::exact).ok_or(Fault::UnfitValue)
            }
            Number::Sum(terms) => {
                let mut sum = Range::exact(Decimal::ZERO);
                for (subtracted, term) in terms {
                    let term = self.number(term)?;
                    sum = sum.add(if *subtracted { term.negated()? } else { term })?;
                }
                self.doubt_reach(number, sum.is_exact());
                Ok(sum)
            }
            Number::Product(factors) => {
                let mut is_exact = true;
                let product = self.fold(factors, |a, b| {
                    is_exact &= a.is_exact() && b.is_exact();
                    a.times(b)
                })?;
                self.doubt_reach(number, is_exact);
                Ok(product)
            }
            Number::Least(items) => self.fold(items, |a, b| Ok(a.least(b))),
            Number::Greatest(items) => self.fold(items, |a, b| Ok(a.greatest(b))),
            Number::Round {
                number: inner,
                divisor,
                step,
                rounding,
            } => {
                let inner = self.number(inner)?;
                let Some(divisor) = divisor else {
                    self.doubt_reach(number, inner.is_exact());
                    return inner.rounded_to(*step, *rounding);
                };
                let divisor = self.number(divisor)?;
                let quotient = inner.divided_to(divisor, *step, *rounding)?;
                self.may_fault |= divisor.may_be_zero();
                self.doubt_reach(number, inner.is_exact() && divisor.is_exact());
                Ok(quotient)
            }
            Number::Case(cases) => self.cases(cases, Self::number, Range::union),
            Number::Bands(bands) => self.bands(bands, Self::number, Range::union),
            Number::Defined(_, inner) => self.number(inner),
            Number::Count { group, holds, text } => {
                let (mut least, mut most) = (0, 0);
                let (visited, fault) = self.visit(*group, |member| {
                    let truth = member.condition(holds)?;
                    least += i64::from(truth == Truth::True);
                    most += i64::from(truth != Truth::False);
                    Ok(truth == Truth::True)
                })?;
                if let Some(fault) = fault {
                    return Err(fault);
                }
                let mut count = Range::between(least, most);
                if visited.unsure {
                    self.may_fault |= !condition_never_fails(holds, self.context);
                    count = nobody_knows(*group, count);
                }
                let node = || GroupNode::Number(number.clone());
                self.ask_group(node, text, Found::Number(count), visited);
                Ok(count)
            }
            Number::GroupSum {
                group,
                number: each,
                text,
            } => {
                let (mut sum, mut is_exact) = (Range::exact(Decimal::ZERO), true);
                let (visited, fault) = self.visit(*group, |member| {
                    let number = member.number(each)?;
                    is_exact &= number.is_exact();
                    sum = sum.add(number)?;
                    Ok(number != Range::exact(Decimal::ZERO))
                })?;
                if let Some(fault) = fault {
                    return Err(fault);
                }
                if visited.unsure {
                    self.may_fault |= !number_never_fails(number, self.context);
                    sum = Range {
                        min: Bound::Below,
                        max: Bound::Above,
                    };
                }
                self.doubt_reach(number, is_exact);
                let node = || GroupNode::Number(number.clone());
                self.ask_group(node, text, Found::Number(sum), visited);
                Ok(sum)
            }
            Number::Lookup(table, keys) => self.lookup(*table, keys),
        }
    }

    /// Notes that a number of which not everything is known may be too great, or have too many places, to be kept.
    fn doubt_reach(&mut self, number: &Number, is_exact: bool) {
        self.may_fault |= !is_exact && reach(number, self.context).is_none();
    }

    fn lookup(&mut self, table: TableIndex, keys: &[Key]) -> Result<Range, Fault> {
        let mut asked = Vec::with_capacity(keys.len());
        for key in keys {
            asked.push(match key {
                Key::Word(place) => LookupAsked::Exactly(*place),
                Key::Attribute(index, places) => match self.value(*index) {
                    Value::Unknown => LookupAsked::OneOf {
                        keys: places.iter().copied().flatten().collect(),
                        or_none: places.iter().any(Option::is_none),
                    },
                    Value::Enum(found) => {
                        let numbers = &self.context.attributes[*index].values;
                        let declared = numbers.iter().position(|&value| value == found);
                        let place = declared.and_then(|at| places[at]);
                        LookupAsked::Exactly(place.ok_or(Fault::NoRow)?)
                    }
                    _ => return Err(Fault::UnfitValue),
                },
                Key::Number(number) => {
                    let range = self.number(number)?;
                    if let Some(exact) = range.exactly() {
                        LookupAsked::Exactly(exact.to_integer().ok_or(Fault::NoRow)?)
                    } else {
                        let reach = reach(number, self.context);
                        self.may_fault |= !reach.is_some_and(Reach::is_whole);
                        let (min, max) = range.whole_numbers();
                        LookupAsked::Within(min, max)
                    }
                }
            });
        }
        let exact: Option<Vec<i64>> = asked.iter().map(LookupAsked::exactly).collect();
        if let Some(row) = exact {
            self.ask(Asked::Row(table, row));
        }
        let possible = self.context.figures.row(table, &asked)?;
        self.may_fault |= possible.may_be_missing;
        Ok(possible.range)
    }

    fn fold(
        &mut self,
        items: &[Number],
        mut join: impl FnMut(Range, Range) -> Result<Range, Fault>,
    ) -> Result<Range, Fault> {
        let (first, rest) = items.split_first().ok_or(Fault::Overflow)?;
        let mut result = self.number(first)?;
        for item in rest {
            result = join(result, self.number(item)?)?;
        }
        Ok(result)
    }

    fn age(&mut self, min: i32, max: i32) -> Range {
        if min != max {
            self.unknown.push(builtin::BIRTH);
        }
        Range::between(min.into(), max.into())
    }

    fn number_of(&mut self, index: AttributeIndex) -> Result<Range, Fault> {
        match (self.value(index), self.context.attributes[index].attribute.kind) {
            (Value::Integer(number), _) => Ok(Range::between(number, number)),
            (Value::Money(amount), _) => Ok(Range::exact(amount.into())),
            (Value::Unknown, ValueKind::Integer { min, max }) => Ok(Range::between(min, max)),
            (Value::Unknown, _) => Ok(Range {
                min: Bound::At(Decimal::ZERO),
                max: Bound::Above,
            }),
            _ => Err(Fault::UnfitValue),
        }
    }

    /// The result of the first arm whose guard holds. While guards are undetermined, every result that is
    /// still possible is joined to the others.
    fn cases<T, R>(
        &mut self,
        cases: &Cases<T>,
        mut evaluate: impl FnMut(&mut Self, &T) -> Result<R, Fault>,
        join: impl Fn(R, R) -> R,
    ) -> Result<R, Fault> {
        let mut possible: Option<R> = None;
        for (guard, result) in &cases.arms {
            let truth = self.condition(guard)?;
            if truth == Truth::False {
                continue;
            }
            let result = evaluate(self, result)?;
            let joined = match possible.take() {
                Some(others) => join(others, result),
                None => result,
            };
            if truth == Truth::True {
                return Ok(joined);
            }
            possible = Some(joined);
        }
        let result = evaluate(self, &cases.otherwise)?;
        Ok(match possible {
            Some(others) => join(others, result),
            None => result,
        })
    }

    /// The value of an attribute: what is recorded, otherwise what is declared to hold without a record.
    pub fn value(&mut self, index: AttributeIndex) -> Value {
        let attribute = &self.context.attributes[index].attribute;
        let number = attribute.number;
        let recorded = if attribute.in_profile() {
            let profile = match attribute.subject {
                SubjectKind::Person => Some(self.case.person),
                SubjectKind::Household => self.case.household,
                SubjectKind::Commune => Some(self.case.commune),
            };
            profile.and_then(|profile| profile.get(number))
        } else if let Some(own) = self.case.own {
            own.value(number)
        } else {
            self.untold = true;
            Some(Value::Unknown)
        };
        let value = recorded.unwrap_or(attribute.absent);
        if value == Value::Unknown {
            self.unknown.push(number);
        }
        self.ask(Asked::Attribute(index, value));
        value
    }
}

/// Of two faults the same one, whatever their order.
fn first_of(known: Option<Fault>, found: Fault) -> Fault {
    known.map_or(found, |known| known.min(found))
}

/// What two results that are both possible come to.
fn either(a: Truth, b: Truth) -> Truth {
    if a == b { a } else { Truth::Undetermined }
}

/// The count of a group of which it is not known who belongs to it.
fn nobody_knows(group: GroupRef, count: Range) -> Range {
    Range {
        max: match group {
            // A reference is to one person at most.
            GroupRef::Reference(_) => Bound::At(Decimal::from(1)),
            GroupRef::Household | GroupRef::Dependants => Bound::Above,
        },
        ..count
    }
}
