//! Types: from a syntax tree to an expression whose names and types are settled.

use std::collections::{BTreeSet, HashMap};
use std::ops::Range;

use super::lex::Problem;
use super::parse::{Comparison, Name, Syntax, Tree};
use crate::kernel::catalogue::{SubjectKind, ValueKind, nearest};
use crate::policy::error::ERRORS_MAX;
use crate::types::{Date, Decimal};

/// The place of an attribute in a [`Scope`].
pub(crate) type AttributeIndex = usize;
/// The place of a parameter in a [`Scope`].
pub(crate) type ParameterIndex = usize;

/// An attribute that expressions may read.
#[derive(Debug, Clone)]
pub(crate) struct ScopeAttribute {
    pub subject: SubjectKind,
    pub name: String,
    pub kind: ValueKind,
    /// The names of an `enum`'s values, as declared.
    pub values: Vec<String>,
    /// What holds without a record, as declared; `None` for unknown.
    pub absent: Option<String>,
}

/// The names that an expression may use.
#[derive(Debug, Clone, Default)]
pub(crate) struct Scope {
    pub attributes: Vec<ScopeAttribute>,
    pub parameters: Vec<String>,
    names: HashMap<String, Item>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Item {
    Attribute(AttributeIndex),
    Parameter(ParameterIndex),
    Age,
    AgeMonths,
    Province { former: bool },
    Constant(bool),
}

/// Names that no attribute of a person may have, because expressions use them otherwise.
pub(crate) const RESERVED: [&str; 22] = [
    "age",
    "age_months",
    "province",
    "former_province",
    "true",
    "false",
    "and",
    "or",
    "not",
    "in",
    "case",
    "else",
    "min",
    "max",
    "round",
    "household",
    "commune",
    "param",
    "person",
    "enrolment",
    "unknown",
    "sex",
];

impl Scope {
    /// The scope that knows only what is built in.
    pub fn new() -> Self {
        let mut scope = Self::default();
        for (name, item) in [
            ("age", Item::Age),
            ("age_months", Item::AgeMonths),
            ("province", Item::Province { former: false }),
            ("former_province", Item::Province { former: true }),
            ("true", Item::Constant(true)),
            ("false", Item::Constant(false)),
        ] {
            scope.names.insert(name.to_owned(), item);
        }
        scope
    }

    /// Adds an attribute and gives its place; the name must be new.
    pub fn add_attribute(&mut self, attribute: ScopeAttribute) -> AttributeIndex {
        let index = self.attributes.len();
        self.names.insert(
            written(attribute.subject, &attribute.name),
            Item::Attribute(index),
        );
        self.attributes.push(attribute);
        index
    }

    /// Adds a parameter and gives its place; the name must be new.
    pub fn add_parameter(&mut self, name: &str) -> ParameterIndex {
        let index = self.parameters.len();
        self.names.insert(format!("param.{name}"), Item::Parameter(index));
        self.parameters.push(name.to_owned());
        index
    }

    /// An attribute as expressions write it.
    pub fn written(&self, index: AttributeIndex) -> String {
        let attribute = &self.attributes[index];
        written(attribute.subject, &attribute.name)
    }
}

fn written(subject: SubjectKind, name: &str) -> String {
    match subject {
        SubjectKind::Person => name.to_owned(),
        SubjectKind::Household => format!("household.{name}"),
        SubjectKind::Commune => format!("commune.{name}"),
    }
}

/// An expression that is true, false or undetermined.
#[derive(Debug, Clone)]
pub(crate) enum Condition {
    Constant(bool),
    /// A `bool` attribute.
    Attribute(AttributeIndex),
    Not(Box<Condition>),
    All(Vec<Condition>),
    Any(Vec<Condition>),
    Same(Box<Condition>, Box<Condition>),
    Compare(Comparison, Box<Number>, Box<Number>),
    NumberIn(Box<Number>, Vec<Number>),
    /// Whether an `enum` attribute has one of these values, by their places in the declaration.
    EnumIn(AttributeIndex, Vec<u16>),
    Dates(Comparison, Day, Day),
    ProvinceIn {
        former: bool,
        codes: Vec<u8>,
    },
    Case(Cases<Condition>),
}

/// A date in an expression.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Day {
    Constant(Date),
    Attribute(AttributeIndex),
}

/// An expression that is a number.
#[derive(Debug, Clone)]
pub(crate) enum Number {
    Constant(Decimal),
    Age,
    AgeMonths,
    Attribute(AttributeIndex),
    Parameter(ParameterIndex),
    Sum(Vec<(bool, Number)>),
    Product(Vec<Number>),
    Least(Vec<Number>),
    Greatest(Vec<Number>),
    Round(Box<Number>, Decimal),
    Case(Cases<Number>),
}

/// The first arm whose guard holds gives the result.
#[derive(Debug, Clone)]
pub(crate) struct Cases<T> {
    pub arms: Vec<(Condition, T)>,
    pub otherwise: Box<T>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Bool,
    Number,
    Enum(AttributeIndex),
    Date,
    Province { former: bool },
    Reference(AttributeIndex),
}

/// Settles a condition. Every problem found is added to the list.
pub(crate) fn condition(tree: &Tree, scope: &Scope, problems: &mut Vec<Problem>) -> Option<Condition> {
    Checker { scope, problems }.condition(tree)
}

/// Settles a number. Every problem found is added to the list.
pub(crate) fn number(tree: &Tree, scope: &Scope, problems: &mut Vec<Problem>) -> Option<Number> {
    Checker { scope, problems }.number(tree)
}

struct Checker<'a> {
    scope: &'a Scope,
    problems: &'a mut Vec<Problem>,
}

impl Checker<'_> {
    fn report(&mut self, problem: Problem) {
        self.problems.push(problem);
    }

    fn all<T>(
        &mut self,
        trees: &[Tree],
        mut check: impl FnMut(&mut Self, &Tree) -> Option<T>,
    ) -> Option<Vec<T>> {
        let checked: Vec<Option<T>> = trees.iter().map(|tree| check(self, tree)).collect();
        checked.into_iter().collect()
    }

    fn item(&mut self, name: &str, span: &Range<usize>) -> Option<Item> {
        if let Some(item) = self.scope.names.get(name) {
            return Some(*item);
        }
        // A suggestion for each of very many names would take long, and nobody would read them.
        if self.problems.len() < ERRORS_MAX {
            let problem = unknown_name(self.scope, name, span);
            self.report(problem);
        }
        None
    }

    /// The kind of an expression by its form; `None` if a name in it is unknown, which is then reported.
    fn kind(&mut self, tree: &Tree) -> Option<Kind> {
        Some(match &tree.syntax {
            Syntax::Number(_) | Syntax::Sum(_) | Syntax::Product(_) | Syntax::Call(..) => Kind::Number,
            Syntax::Date(_) => Kind::Date,
            Syntax::Not(_) | Syntax::And(_) | Syntax::Or(_) | Syntax::Compare(..) | Syntax::In(..) => {
                Kind::Bool
            }
            Syntax::CaseOf(_, _, otherwise) | Syntax::CaseWhen(_, otherwise) => self.kind(otherwise)?,
            Syntax::Name(name) => match self.item(name, &tree.span)? {
                Item::Constant(_) => Kind::Bool,
                Item::Age | Item::AgeMonths | Item::Parameter(_) => Kind::Number,
                Item::Province { former } => Kind::Province { former },
                Item::Attribute(index) => match self.scope.attributes[index].kind {
                    ValueKind::Bool => Kind::Bool,
                    ValueKind::Enum => Kind::Enum(index),
                    ValueKind::Integer { .. } | ValueKind::Money => Kind::Number,
                    ValueKind::Date => Kind::Date,
                    ValueKind::Person => Kind::Reference(index),
                },
            },
        })
    }

    fn wrong_kind(&mut self, tree: &Tree, kind: Kind, expected: &str) {
        let (found, hint) = match kind {
            Kind::Bool => ("a condition".to_owned(), None),
            Kind::Number => (
                "a number".to_owned(),
                Some("compare it, for example `age >= 60`".to_owned()),
            ),
            Kind::Date => (
                "a date".to_owned(),
                Some("compare it with another date".to_owned()),
            ),
            Kind::Province { .. } => (
                "a province".to_owned(),
                Some("compare it, for example `province == 01`".to_owned()),
            ),
            Kind::Enum(index) => {
                let name = self.scope.written(index);
                let values = &self.scope.attributes[index].values;
                let example = values.last().map_or("", String::as_str);
                (
                    format!("the value of {name} (one of {})", values.join(", ")),
                    Some(format!("compare it, for example `{name} == {example}`")),
                )
            }
            Kind::Reference(index) => (
                format!("{}, a reference to a person", self.scope.written(index)),
                Some("references are for payees; expressions cannot read them".to_owned()),
            ),
        };
        let mut problem = Problem::new(tree.span.clone(), format!("found {found}, expected {expected}"));
        problem.hint = hint.filter(|_| expected != "a number");
        self.report(problem);
    }

    fn condition(&mut self, tree: &Tree) -> Option<Condition> {
        match &tree.syntax {
            Syntax::Not(inner) => Some(Condition::Not(Box::new(self.condition(inner)?))),
            Syntax::And(items) => self.all(items, Self::condition).map(Condition::All),
            Syntax::Or(items) => self.all(items, Self::condition).map(Condition::Any),
            Syntax::Compare(comparison, left, right) => self.comparison(tree, *comparison, left, right),
            Syntax::In(subject, items, negated) => {
                let among = self.among(subject, items)?;
                Some(negated_if(*negated, among))
            }
            Syntax::CaseOf(name, arms, otherwise) => self
                .case_of(name, arms, otherwise, Self::condition)
                .map(Condition::Case),
            Syntax::CaseWhen(arms, otherwise) => self
                .case_when(arms, otherwise, Self::condition)
                .map(Condition::Case),
            Syntax::Name(name) => match self.item(name, &tree.span)? {
                Item::Constant(yes) => Some(Condition::Constant(yes)),
                Item::Attribute(index) if self.scope.attributes[index].kind == ValueKind::Bool => {
                    Some(Condition::Attribute(index))
                }
                _ => self.not_a_condition(tree),
            },
            _ => self.not_a_condition(tree),
        }
    }

    fn not_a_condition<T>(&mut self, tree: &Tree) -> Option<T> {
        let kind = self.kind(tree)?;
        self.wrong_kind(tree, kind, "a condition");
        None
    }

    fn comparison(
        &mut self,
        tree: &Tree,
        comparison: Comparison,
        left: &Tree,
        right: &Tree,
    ) -> Option<Condition> {
        let kind = self.kind(left)?;
        let ordered = matches!(kind, Kind::Number | Kind::Date);
        if !ordered && !matches!(comparison, Comparison::Equal | Comparison::Unequal) {
            self.report(Problem::new(
                tree.span.clone(),
                "found an order (<, <=, >, >=) between values that have none, expected `==` or `!=`",
            ));
            return None;
        }
        let negated = comparison == Comparison::Unequal;
        let same = match kind {
            Kind::Number => {
                let (left, right) = (self.number(left), self.number(right));
                return Some(Condition::Compare(comparison, Box::new(left?), Box::new(right?)));
            }
            Kind::Date => {
                let (left, right) = (self.day(left), self.day(right));
                return Some(Condition::Dates(comparison, left?, right?));
            }
            Kind::Bool => {
                let (left, right) = (self.condition(left), self.condition(right));
                Condition::Same(Box::new(left?), Box::new(right?))
            }
            Kind::Enum(_) | Kind::Province { .. } => self.among(left, std::slice::from_ref(right))?,
            Kind::Reference(_) => {
                self.wrong_kind(left, kind, "a value that can be compared");
                return None;
            }
        };
        Some(negated_if(negated, same))
    }

    fn among(&mut self, subject: &Tree, items: &[Tree]) -> Option<Condition> {
        match self.kind(subject)? {
            Kind::Number => {
                let number = self.number(subject);
                let items = self.all(items, Self::number);
                Some(Condition::NumberIn(Box::new(number?), items?))
            }
            Kind::Enum(index) if matches!(subject.syntax, Syntax::Name(_)) => self
                .all(items, |checker, item| checker.value(index, item))
                .map(|values| Condition::EnumIn(index, values)),
            Kind::Province { former } => self
                .all(items, Self::province)
                .map(|codes| Condition::ProvinceIn { former, codes }),
            kind => {
                self.wrong_kind(
                    subject,
                    kind,
                    "an attribute with named values, a number or a province",
                );
                None
            }
        }
    }

    fn value(&mut self, attribute: AttributeIndex, tree: &Tree) -> Option<u16> {
        if let Syntax::Name(name) = &tree.syntax {
            return self.value_name(attribute, name, &tree.span);
        }
        let problem = not_a_value(self.scope, attribute, &tree.span, None);
        self.report(problem);
        None
    }

    fn value_name(&mut self, attribute: AttributeIndex, name: &str, span: &Range<usize>) -> Option<u16> {
        let values = &self.scope.attributes[attribute].values;
        if let Some(place) = values.iter().position(|value| value == name) {
            return Some(place as u16);
        }
        let problem = not_a_value(self.scope, attribute, span, Some(name));
        self.report(problem);
        None
    }

    fn province(&mut self, tree: &Tree) -> Option<u8> {
        const CODE_MAX: i64 = 99;
        if let Syntax::Number(number) = tree.syntax
            && let Some(code) = number.to_integer().filter(|code| (1..=CODE_MAX).contains(code))
        {
            return Some(code as u8);
        }
        self.report(Problem::new(
            tree.span.clone(),
            "expected the two-digit code of a province, for example 01",
        ));
        None
    }

    fn day(&mut self, tree: &Tree) -> Option<Day> {
        if let Syntax::Date(date) = tree.syntax {
            return Some(Day::Constant(date));
        }
        if let Syntax::Name(name) = &tree.syntax
            && let Item::Attribute(index) = self.item(name, &tree.span)?
            && self.scope.attributes[index].kind == ValueKind::Date
        {
            return Some(Day::Attribute(index));
        }
        let problem = Problem::new(tree.span.clone(), "expected a date")
            .hint("write a date as 2026-07-01, or the name of an attribute of type date");
        self.report(problem);
        None
    }

    fn number(&mut self, tree: &Tree) -> Option<Number> {
        match &tree.syntax {
            Syntax::Number(number) => Some(Number::Constant(*number)),
            Syntax::Sum(terms) => {
                let checked: Vec<_> = terms
                    .iter()
                    .map(|(subtracted, term)| self.number(term).map(|term| (*subtracted, term)))
                    .collect();
                checked.into_iter().collect::<Option<_>>().map(Number::Sum)
            }
            Syntax::Product(factors) => self.all(factors, Self::number).map(Number::Product),
            Syntax::Call(name, arguments) => self.call(name, arguments),
            Syntax::CaseOf(name, arms, otherwise) => self
                .case_of(name, arms, otherwise, Self::number)
                .map(Number::Case),
            Syntax::CaseWhen(arms, otherwise) => {
                self.case_when(arms, otherwise, Self::number).map(Number::Case)
            }
            Syntax::Name(name) => match self.item(name, &tree.span)? {
                Item::Age => Some(Number::Age),
                Item::AgeMonths => Some(Number::AgeMonths),
                Item::Parameter(index) => Some(Number::Parameter(index)),
                Item::Attribute(index)
                    if matches!(
                        self.scope.attributes[index].kind,
                        ValueKind::Integer { .. } | ValueKind::Money
                    ) =>
                {
                    Some(Number::Attribute(index))
                }
                _ => self.not_a_number(tree),
            },
            _ => self.not_a_number(tree),
        }
    }

    fn not_a_number<T>(&mut self, tree: &Tree) -> Option<T> {
        let kind = self.kind(tree)?;
        self.wrong_kind(tree, kind, "a number");
        None
    }

    fn call(&mut self, name: &Name, arguments: &[Tree]) -> Option<Number> {
        match name.text.as_str() {
            "min" => self.all(arguments, Self::number).map(Number::Least),
            "max" => self.all(arguments, Self::number).map(Number::Greatest),
            "round" => self.round(name, arguments),
            other => {
                let mut problem = Problem::new(
                    name.span.clone(),
                    format!("found {other:?}, expected min, max or round before `(`"),
                );
                problem.hint = did_you_mean(nearest(other, ["min", "max", "round"].into_iter()));
                self.report(problem);
                None
            }
        }
    }

    fn round(&mut self, name: &Name, arguments: &[Tree]) -> Option<Number> {
        if let [number, step] = arguments
            && let Syntax::Number(step) = step.syntax
            && step > Decimal::ZERO
        {
            return Some(Number::Round(Box::new(self.number(number)?), step));
        }
        let problem = Problem::new(name.span.clone(), "`round` takes a number and a step above zero")
            .hint("for example `round(param.base_level * 0.3, 1000)` rounds half up to whole thousands");
        self.report(problem);
        None
    }

    fn case_of<T>(
        &mut self,
        name: &Name,
        arms: &[(Vec<Name>, Tree)],
        otherwise: &Tree,
        mut result: impl FnMut(&mut Self, &Tree) -> Option<T>,
    ) -> Option<Cases<T>> {
        let item = self.item(&name.text, &name.span)?;
        let index = match item {
            Item::Attribute(index) if self.scope.attributes[index].kind == ValueKind::Enum => index,
            _ => {
                let problem = Problem::new(
                    name.span.clone(),
                    format!(
                        "found {:?}, expected an attribute with named values after `case`",
                        name.text
                    ),
                )
                .hint("for conditions write `case { condition => result, else result }`");
                self.report(problem);
                return None;
            }
        };
        let mut seen = BTreeSet::new();
        let mut checked = Vec::new();
        for (names, tree) in arms {
            let values: Vec<Option<u16>> = names
                .iter()
                .map(|name| self.value_name(index, &name.text, &name.span))
                .collect();
            for (name, value) in names.iter().zip(&values) {
                if value.is_some_and(|value| !seen.insert(value)) {
                    self.report(Problem::new(
                        name.span.clone(),
                        format!(
                            "{:?} has its case above; this one can never be reached",
                            name.text
                        ),
                    ));
                }
            }
            let result = result(self, tree);
            checked.push(values.into_iter().collect::<Option<Vec<u16>>>().zip(result));
        }
        let otherwise = Box::new(result(self, otherwise)?);
        let arms = checked.into_iter().collect::<Option<Vec<_>>>()?;
        let arms = arms
            .into_iter()
            .map(|(values, result)| (Condition::EnumIn(index, values), result))
            .collect();
        Some(Cases { arms, otherwise })
    }

    fn case_when<T>(
        &mut self,
        arms: &[(Tree, Tree)],
        otherwise: &Tree,
        mut result: impl FnMut(&mut Self, &Tree) -> Option<T>,
    ) -> Option<Cases<T>> {
        let checked: Vec<_> = arms
            .iter()
            .map(|(guard, tree)| self.condition(guard).zip(result(self, tree)))
            .collect();
        let otherwise = Box::new(result(self, otherwise)?);
        let arms = checked.into_iter().collect::<Option<Vec<_>>>()?;
        Some(Cases { arms, otherwise })
    }
}

fn negated_if(negated: bool, condition: Condition) -> Condition {
    if negated {
        Condition::Not(Box::new(condition))
    } else {
        condition
    }
}

/// The hint that names what was probably meant.
pub(crate) fn did_you_mean(name: Option<String>) -> Option<String> {
    name.map(|name| format!("did you mean {name:?}?"))
}

fn unknown_name(scope: &Scope, name: &str, span: &Range<usize>) -> Problem {
    let problem = Problem::new(span.clone(), format!("the name {name:?} is not known here"));
    let value_of = scope
        .attributes
        .iter()
        .position(|attribute| attribute.values.iter().any(|value| value == name));
    if let Some(index) = value_of {
        let attribute = scope.written(index);
        return problem.hint(format!(
            "{name} is a value of {attribute}: write the attribute first, for example `{attribute} == {name}`"
        ));
    }
    let elsewhere = ["household", "commune", "param"]
        .iter()
        .map(|prefix| format!("{prefix}.{name}"))
        .find(|written| scope.names.contains_key(written));
    let mut names: Vec<&str> = scope.names.keys().map(String::as_str).collect();
    names.sort_unstable();
    Problem {
        hint: did_you_mean(elsewhere.or_else(|| nearest(name, names.into_iter()))),
        ..problem
    }
}

fn not_a_value(scope: &Scope, attribute: AttributeIndex, span: &Range<usize>, name: Option<&str>) -> Problem {
    let values = &scope.attributes[attribute].values;
    let found = name.map_or_else(
        || "found an expression".to_owned(),
        |name| format!("found {name:?}"),
    );
    let expected = format!(
        "{found}, expected a value of {}: one of {}",
        scope.written(attribute),
        values.join(", ")
    );
    Problem {
        hint: did_you_mean(name.and_then(|name| nearest(name, values.iter().map(String::as_str)))),
        ..Problem::new(span.clone(), expected)
    }
}
