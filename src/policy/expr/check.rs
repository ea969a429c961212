//! Types: from a syntax tree to an expression whose names and types are settled.

use std::cell::Cell;
use std::collections::{BTreeSet, HashMap};
use std::ops::Range;

use super::lex::Problem;
use super::parse::{Band, Comparison, Limits, Name, Syntax, Tree};
use super::uses::Collector;
use super::{EXPANSION_DEPTH_MAX, EXPANSION_MAX};
use crate::kernel::catalogue::{SubjectKind, ValueKind, nearest};
use crate::policy::error::ERRORS_MAX;
use crate::policy::pack::PACK_PARTS_MAX;
use crate::types::{Date, Decimal, Rounding};

/// The place of an attribute in a [`Scope`].
pub(crate) type AttributeIndex = usize;
/// The place of a parameter in a [`Scope`].
pub(crate) type ParameterIndex = usize;
/// The place of a lookup table in a [`Scope`].
pub(crate) type TableIndex = usize;

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
    /// Whether its newest value stands in profiles. Others each person has for themselves.
    pub in_profile: bool,
}

/// A lookup table as expressions see it.
#[derive(Debug, Clone)]
pub(crate) struct ScopeTable {
    pub name: String,
    pub keys: Vec<ScopeKey>,
}

/// A column by which a row of a lookup table is found.
#[derive(Debug, Clone)]
pub(crate) struct ScopeKey {
    pub name: String,
    /// The words that stand in the column, ascending, whose places stand for them; `None` for a column of whole numbers.
    pub words: Option<Vec<String>>,
}

/// An expression with a name.
#[derive(Debug, Clone)]
struct Definition {
    tree: Tree,
    is_condition: bool,
}

/// The names that an expression may use.
#[derive(Debug, Clone, Default)]
pub(crate) struct Scope {
    pub attributes: Vec<ScopeAttribute>,
    pub parameters: Vec<String>,
    pub tables: Vec<ScopeTable>,
    /// The names of tables that are declared and could not be read, which is reported where they are.
    pub unread_tables: Vec<String>,
    /// The attribute of persons whose reverse is the group `dependants`.
    pub dependants: Option<AttributeIndex>,
    definitions: Vec<Definition>,
    names: HashMap<String, Item>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Item {
    Attribute(AttributeIndex),
    Parameter(ParameterIndex),
    Definition(usize),
    Age,
    AgeMonths,
    Province { former: bool },
    Constant(bool),
}

/// People beside the person whose case it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum GroupRef {
    /// Everyone of the household, the person included.
    Household,
    /// Everyone whose reference of the attribute named in the head of the pack is this person.
    Dependants,
    /// The one to whom this attribute refers.
    Reference(AttributeIndex),
}

/// Names that no attribute of a person may have, because expressions use them otherwise.
pub(crate) const RESERVED: [&str; 31] = [
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
    "to",
    "under",
    "from",
    "table",
    "dependants",
    "clamp",
    "round_up",
    "round_down",
    "self",
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

    /// Adds a lookup table; the name must be new.
    pub fn add_table(&mut self, table: ScopeTable) {
        self.tables.push(table);
    }

    /// Whether a name is taken.
    pub fn has(&self, name: &str) -> bool {
        self.names.contains_key(name)
    }

    /// Adds a condition or a number under a name; the name must be new, the expression sound.
    pub fn add_definition(&mut self, name: &str, tree: Tree, is_condition: bool) {
        let index = self.definitions.len();
        self.definitions.push(Definition { tree, is_condition });
        self.names.insert(name.to_owned(), Item::Definition(index));
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
#[derive(Debug, Clone, PartialEq, Eq)]
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
    Bands(Bands<Condition>),
    /// A definition, by its place in the pack, written out.
    Defined(usize, Box<Condition>),
    /// Whether it holds for one of a group, or (`every`) for all of it; the text is for people.
    Group {
        group: GroupRef,
        every: bool,
        holds: Box<Condition>,
        text: Box<str>,
    },
}

/// A date in an expression.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Day {
    Constant(Date),
    Attribute(AttributeIndex),
}

/// An expression that is a number.
#[derive(Debug, Clone, PartialEq, Eq)]
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
    /// A number, or the quotient of two, brought to a multiple of a step.
    Round {
        number: Box<Number>,
        divisor: Option<Box<Number>>,
        step: Decimal,
        rounding: Rounding,
    },
    Case(Cases<Number>),
    Bands(Bands<Number>),
    /// How many of a group it holds for; the text is for people.
    Count {
        group: GroupRef,
        holds: Box<Condition>,
        text: Box<str>,
    },
    /// The sum over a group; the text is for people.
    GroupSum {
        group: GroupRef,
        number: Box<Number>,
        text: Box<str>,
    },
    Lookup(TableIndex, Vec<Key>),
    /// A definition, by its place in the pack, written out.
    Defined(usize, Box<Number>),
}

impl Condition {
    /// The condition itself, where it has a name.
    pub fn written_out(&self) -> &Self {
        match self {
            Self::Defined(_, inner) => inner.written_out(),
            other => other,
        }
    }
}

impl Number {
    /// The number itself, where it has a name.
    pub fn written_out(&self) -> &Self {
        match self {
            Self::Defined(_, inner) => inner.written_out(),
            other => other,
        }
    }
}

/// An argument of a lookup.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Key {
    /// The place of a word in its column.
    Word(i64),
    /// An `enum` attribute, and the place in the column of the word that each of its values is; `None` for those that
    /// do not stand in it.
    Attribute(AttributeIndex, Vec<Option<i64>>),
    /// A number, which must be whole.
    Number(Number),
}

/// Bands of a number: each begins at its number and lasts until the next; the first has no beginning.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Bands<T> {
    pub subject: Box<Number>,
    pub bands: Vec<(Option<Decimal>, T)>,
}

/// The first arm whose guard holds gives the result.
#[derive(Debug, Clone, PartialEq, Eq)]
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
pub(crate) fn condition(source: &Source<'_>, problems: &mut Vec<Problem>) -> Option<Condition> {
    Checker::new(source, problems).condition(source.tree)
}

/// Settles a number. Every problem found is added to the list.
pub(crate) fn number(source: &Source<'_>, problems: &mut Vec<Problem>) -> Option<Number> {
    Checker::new(source, problems).number(source.tree)
}

/// An expression to be settled.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Source<'a> {
    pub tree: &'a Tree,
    /// The text that the tree's places are in.
    pub text: &'a str,
    pub scope: &'a Scope,
    /// How many parts all expressions of the pack may still have; without it only the expression's own are counted.
    pub room: Option<&'a Cell<usize>>,
}

struct Checker<'a> {
    scope: &'a Scope,
    text: &'a str,
    problems: &'a mut Vec<Problem>,
    /// The parts still to be settled, definitions written out.
    budget: usize,
    room: Option<&'a Cell<usize>>,
    /// How deep the part that is being settled is nested, definitions written out.
    depth: usize,
    /// Where the outermost definition that is being written out is named: problems in it are reported there.
    named_at: Option<Range<usize>>,
    /// Inside of a group's parentheses.
    in_group: bool,
}

impl<'a> Checker<'a> {
    fn new(source: &Source<'a>, problems: &'a mut Vec<Problem>) -> Self {
        Self {
            scope: source.scope,
            text: source.text,
            problems,
            budget: EXPANSION_MAX,
            room: source.room,
            depth: 0,
            named_at: None,
            in_group: false,
        }
    }

    fn report(&mut self, mut problem: Problem) {
        if let Some(place) = &self.named_at {
            problem.span = place.clone();
        }
        self.problems.push(problem);
    }

    /// Counts parts of the expression; false, with a report, once there are too many.
    fn count(&mut self, span: &Range<usize>, parts: usize) -> bool {
        let (budget, room) = (self.budget, self.room.map_or(usize::MAX, Cell::get));
        self.budget = budget.saturating_sub(parts);
        if let Some(left) = self.room {
            left.set(room.saturating_sub(parts));
        }
        let hint = "use each definition less often, or divide the rule";
        if budget > 0 && budget <= parts {
            let message = format!("with its definitions written out it has more than {EXPANSION_MAX} parts");
            self.report(Problem::new(span.clone(), message).hint(hint));
        } else if budget > 0 && room > 0 && room <= parts {
            let message = format!(
                "with definitions written out the pack's expressions have more than {PACK_PARTS_MAX} parts"
            );
            self.report(Problem::new(span.clone(), message).hint(hint));
        }
        budget > parts && room > parts
    }

    /// Settles a part of the expression that has parts of its own, unless it is nested too deep.
    fn nested<T>(&mut self, tree: &Tree, check: fn(&mut Self, &Tree) -> Option<T>) -> Option<T> {
        if !self.count(&tree.span, 1) {
            return None;
        }
        if self.depth >= EXPANSION_DEPTH_MAX {
            let message =
                format!("with its definitions written out it is nested more than {EXPANSION_DEPTH_MAX} deep");
            let hint = "let definitions use others in fewer steps";
            self.report(Problem::new(tree.span.clone(), message).hint(hint));
            return None;
        }
        self.depth += 1;
        let settled = check(self, tree);
        self.depth -= 1;
        settled
    }

    /// Settles a definition in the place of its name.
    fn expand<T>(
        &mut self,
        definition: usize,
        span: &Range<usize>,
        check: fn(&mut Self, &Tree) -> Option<T>,
    ) -> Option<T> {
        let scope = self.scope;
        let outermost = self.named_at.is_none();
        if outermost {
            self.named_at = Some(span.clone());
        }
        let settled = check(self, &scope.definitions[definition].tree);
        if outermost {
            self.named_at = None;
        }
        settled
    }

    /// The piece of the expression that a tree covers, for people.
    fn piece(&self, tree: &Tree) -> Box<str> {
        let span = self.named_at.as_ref().unwrap_or(&tree.span);
        let piece = self.text.get(span.clone()).unwrap_or_default();
        piece.split_whitespace().collect::<Vec<_>>().join(" ").into()
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
            Syntax::Call(name, _) if is_quantifier(&name.text) => Kind::Bool,
            Syntax::Number(_)
            | Syntax::Sum(_)
            | Syntax::Product(_)
            | Syntax::Quotient(..)
            | Syntax::Call(..) => Kind::Number,
            Syntax::Date(_) => Kind::Date,
            Syntax::Not(_) | Syntax::And(_) | Syntax::Or(_) | Syntax::Compare(..) | Syntax::In(..) => {
                Kind::Bool
            }
            Syntax::CaseOf(_, _, otherwise) | Syntax::CaseWhen(_, otherwise) => self.kind(otherwise)?,
            Syntax::CaseBands(_, arms, otherwise) => {
                let first = arms.first().map(|(_, result)| result);
                self.kind(first.or(otherwise.as_deref())?)?
            }
            Syntax::Name(name) => match self.item(name, &tree.span)? {
                Item::Constant(_) => Kind::Bool,
                Item::Province { former } => Kind::Province { former },
                Item::Definition(index) if self.scope.definitions[index].is_condition => Kind::Bool,
                Item::Age | Item::AgeMonths | Item::Parameter(_) | Item::Definition(_) => Kind::Number,
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
                Some(format!(
                    "ask about that person, for example `{}.any(age >= 18)`",
                    self.scope.written(index)
                )),
            ),
        };
        let mut problem = Problem::new(tree.span.clone(), format!("found {found}, expected {expected}"));
        problem.hint = hint.filter(|_| expected != "a number");
        self.report(problem);
    }

    fn condition(&mut self, tree: &Tree) -> Option<Condition> {
        self.nested(tree, Self::condition_inner)
    }

    fn condition_inner(&mut self, tree: &Tree) -> Option<Condition> {
        match &tree.syntax {
            Syntax::Not(inner) => Some(Condition::Not(Box::new(self.condition(inner)?))),
            Syntax::And(items) => self.joined(items).map(Condition::All),
            Syntax::Or(items) => self.joined(items).map(Condition::Any),
            Syntax::CaseBands(subject, arms, otherwise) => self
                .bands(tree, subject, arms, otherwise.as_deref(), Self::condition)
                .map(Condition::Bands),
            Syntax::Call(name, arguments) if is_quantifier(&name.text) => {
                let (group, inner) = self.group(name, arguments)?;
                let holds = self.within(inner, Self::condition)?;
                Some(Condition::Group {
                    group,
                    every: question(&name.text) == Some("all"),
                    holds: Box::new(holds),
                    text: self.piece(tree),
                })
            }
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
                Item::Definition(index) if self.scope.definitions[index].is_condition => {
                    let written_out = self.expand(index, &tree.span, Self::condition)?;
                    Some(Condition::Defined(index, Box::new(written_out)))
                }
                Item::Attribute(index) if self.scope.attributes[index].kind == ValueKind::Bool => {
                    Some(Condition::Attribute(index))
                }
                _ => self.not_a_condition(tree),
            },
            _ => self.not_a_condition(tree),
        }
    }

    /// Conditions that `and` or `or` joins. Their order changes no result, so those that ask for what each person has
    /// of their own come last: mostly the others settle the whole.
    fn joined(&mut self, items: &[Tree]) -> Option<Vec<Condition>> {
        let mut items = self.all(items, Self::condition)?;
        items.sort_by_cached_key(|item| asks_own(item, self.scope));
        Some(items)
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
        if !self.count(span, 1) {
            return None;
        }
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
        if !self.count(&tree.span, 1) {
            return None;
        }
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
        self.nested(tree, Self::number_inner)
    }

    fn number_inner(&mut self, tree: &Tree) -> Option<Number> {
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
            Syntax::Quotient(..) => {
                let problem = Problem::new(
                    tree.span.clone(),
                    "a quotient may have no end, so its rounding must be declared",
                );
                self.report(problem.hint("write for example `round(a / b, 1)` or `round_down(a / b, 1000)`"));
                None
            }
            Syntax::CaseBands(subject, arms, otherwise) => self
                .bands(tree, subject, arms, otherwise.as_deref(), Self::number)
                .map(Number::Bands),
            Syntax::Call(name, arguments) => self.call(tree, name, arguments),
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
                Item::Definition(index) if !self.scope.definitions[index].is_condition => {
                    let written_out = self.expand(index, &tree.span, Self::number)?;
                    Some(Number::Defined(index, Box::new(written_out)))
                }
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

    fn call(&mut self, tree: &Tree, name: &Name, arguments: &[Tree]) -> Option<Number> {
        const FUNCTIONS: [&str; 6] = ["min", "max", "clamp", "round", "round_up", "round_down"];
        match name.text.as_str() {
            "min" => self.all(arguments, Self::number).map(Number::Least),
            "max" => self.all(arguments, Self::number).map(Number::Greatest),
            "clamp" => self.clamp(name, arguments),
            "round" => self.round(name, arguments, Rounding::Nearest),
            "round_up" => self.round(name, arguments, Rounding::Up),
            "round_down" => self.round(name, arguments, Rounding::Down),
            other if question(other) == Some("count") => {
                let (group, inner) = self.group(name, arguments)?;
                let holds = Box::new(self.within(inner, Self::condition)?);
                let text = self.piece(tree);
                Some(Number::Count { group, holds, text })
            }
            other if question(other) == Some("sum") => {
                let (group, inner) = self.group(name, arguments)?;
                let number = Box::new(self.within(inner, Self::number)?);
                let text = self.piece(tree);
                Some(Number::GroupSum { group, number, text })
            }
            other if other.starts_with("table.") => self.lookup(name, arguments),
            other if is_quantifier(other) => self.not_a_number(tree),
            other => {
                let mut problem = Problem::new(
                    name.span.clone(),
                    format!(
                        "found {other:?} before `(`, expected one of {}, table.NAME, or count, any, all, sum of a group",
                        FUNCTIONS.join(", ")
                    ),
                );
                problem.hint = did_you_mean(nearest(other, FUNCTIONS.into_iter()));
                self.report(problem);
                None
            }
        }
    }

    /// The group of a call such as `household.count(...)`, and what stands in the parentheses.
    fn group<'t>(&mut self, name: &Name, arguments: &'t [Tree]) -> Option<(GroupRef, &'t Tree)> {
        let (group, _) = name.text.rsplit_once('.').unwrap_or_default();
        let group = match group {
            "household" => Some(GroupRef::Household),
            "dependants" if self.scope.dependants.is_some() => Some(GroupRef::Dependants),
            other => match self.scope.names.get(other) {
                Some(&Item::Attribute(index))
                    if self.scope.attributes[index].kind == ValueKind::Person
                        && self.scope.attributes[index].subject == SubjectKind::Person =>
                {
                    Some(GroupRef::Reference(index))
                }
                _ => None,
            },
        };
        let Some(group) = group else {
            self.unknown_group(name);
            return None;
        };
        if self.in_group {
            let message = "a group stands inside of a group";
            let problem = Problem::new(name.span.clone(), message)
                .hint("inside of the parentheses ask only for the member's own facts");
            self.report(problem);
            return None;
        }
        if let [inner] = arguments {
            return Some((group, inner));
        }
        let message = format!("{} takes one expression, found {}", name.text, arguments.len());
        self.report(Problem::new(name.span.clone(), message));
        None
    }

    fn unknown_group(&mut self, name: &Name) {
        let (group, _) = name.text.rsplit_once('.').unwrap_or_default();
        let references = self
            .scope
            .attributes
            .iter()
            .filter(|attribute| {
                attribute.kind == ValueKind::Person && attribute.subject == SubjectKind::Person
            })
            .map(|attribute| attribute.name.as_str());
        let known: Vec<&str> = ["household"]
            .into_iter()
            .chain(self.scope.dependants.map(|_| "dependants"))
            .chain(references)
            .collect();
        let message = format!(
            "found {group:?} as a group of people, expected one of {}",
            known.join(", ")
        );
        let hint = if group == "dependants" {
            let what = "name the attribute in the head of the pack, for example dependants = \"guardian\"";
            Some(what.to_owned())
        } else {
            did_you_mean(nearest(group, known.into_iter()))
        };
        self.report(Problem {
            hint,
            ..Problem::new(name.span.clone(), message)
        });
    }

    /// Settles what stands in the parentheses of a group.
    fn within<T>(&mut self, inner: &Tree, check: fn(&mut Self, &Tree) -> Option<T>) -> Option<T> {
        self.in_group = true;
        let settled = check(self, inner);
        self.in_group = false;
        settled
    }

    fn clamp(&mut self, name: &Name, arguments: &[Tree]) -> Option<Number> {
        let [number, low, high] = arguments else {
            let problem = Problem::new(
                name.span.clone(),
                "`clamp` takes a number, the least and the greatest",
            )
            .hint("for example `clamp(income, 0, 1500000)`");
            self.report(problem);
            return None;
        };
        let (number, low, high) = (self.number(number), self.number(low), self.number(high));
        let not_less = Number::Greatest(vec![number?, low?]);
        Some(Number::Least(vec![not_less, high?]))
    }

    fn round(&mut self, name: &Name, arguments: &[Tree], rounding: Rounding) -> Option<Number> {
        if let [number, step] = arguments
            && let Syntax::Number(step) = step.syntax
            && step > Decimal::ZERO
        {
            let (number, divisor) = match &number.syntax {
                Syntax::Quotient(dividend, divisor) => (&**dividend, Some(&**divisor)),
                _ => (number, None),
            };
            let number = self.number(number);
            let divisor = match divisor {
                Some(tree) => Some(Box::new(self.divisor(tree)?)),
                None => None,
            };
            return Some(Number::Round {
                number: Box::new(number?),
                divisor,
                step,
                rounding,
            });
        }
        let what = format!("`{}` takes a number and a step above zero", name.text);
        let problem = Problem::new(name.span.clone(), what)
            .hint("for example `round(param.base_level * 0.3, 1000)` rounds half up to whole thousands");
        self.report(problem);
        None
    }

    fn divisor(&mut self, tree: &Tree) -> Option<Number> {
        let divisor = self.number(tree)?;
        if matches!(divisor.written_out(), Number::Constant(number) if *number == Decimal::ZERO) {
            self.report(Problem::new(tree.span.clone(), "found a division by zero"));
            return None;
        }
        Some(divisor)
    }

    fn lookup(&mut self, name: &Name, arguments: &[Tree]) -> Option<Number> {
        let scope = self.scope;
        let wanted = name.text.trim_start_matches("table.");
        let Some(index) = scope.tables.iter().position(|table| table.name == wanted) else {
            if scope.unread_tables.iter().any(|name| name == wanted) {
                return None;
            }
            let known = scope.tables.iter().map(|table| table.name.as_str());
            let problem = Problem {
                hint: did_you_mean(nearest(wanted, known).map(|name| format!("table.{name}"))),
                ..Problem::new(name.span.clone(), format!("the table {wanted:?} is not declared"))
            };
            self.report(problem);
            return None;
        };
        let table = &scope.tables[index];
        if arguments.len() != table.keys.len() {
            let keys: Vec<&str> = table.keys.iter().map(|key| key.name.as_str()).collect();
            let message = format!(
                "{} is looked up by {}, found {} arguments",
                name.text,
                keys.join(", "),
                arguments.len()
            );
            self.report(Problem::new(name.span.clone(), message));
            return None;
        }
        let keys: Vec<Option<Key>> = table
            .keys
            .iter()
            .zip(arguments)
            .map(|(column, argument)| self.key(column, argument))
            .collect();
        Some(Number::Lookup(index, keys.into_iter().collect::<Option<_>>()?))
    }

    fn key(&mut self, column: &ScopeKey, argument: &Tree) -> Option<Key> {
        /// The places of so many values weigh as much as a part of an expression.
        const VALUES_OF_A_PART: usize = 16;
        /// Among more words than these none is suggested: to compare them takes long.
        const SUGGESTED_MAX: usize = 1_000;
        let Some(words) = &column.words else {
            return self.number(argument).map(Key::Number);
        };
        let place = |word: &str| {
            let found = words.binary_search_by(|known| known.as_str().cmp(word));
            found.ok().map(|at| at as i64)
        };
        let Syntax::Name(name) = &argument.syntax else {
            let message = format!(
                "expected a word of the column {}, or an attribute with named values",
                column.name
            );
            self.report(Problem::new(argument.span.clone(), message));
            return None;
        };
        if let Some(&Item::Attribute(index)) = self.scope.names.get(name)
            && self.scope.attributes[index].kind == ValueKind::Enum
        {
            let values = self.scope.attributes[index].values.len();
            if !self.count(&argument.span, 1 + values / VALUES_OF_A_PART) {
                return None;
            }
            let places: Vec<Option<i64>> = self.scope.attributes[index]
                .values
                .iter()
                .map(|value| place(value))
                .collect();
            if places.iter().any(Option::is_some) {
                return Some(Key::Attribute(index, places));
            }
            let message = format!("no value of {name} stands in the column {}", column.name);
            self.report(Problem::new(argument.span.clone(), message));
            return None;
        }
        if let Some(place) = place(name) {
            return Some(Key::Word(place));
        }
        let problem = Problem {
            hint: did_you_mean(nearest(
                name,
                words
                    .iter()
                    .filter(|_| words.len() <= SUGGESTED_MAX)
                    .map(String::as_str),
            )),
            ..Problem::new(
                argument.span.clone(),
                format!("the word {name:?} does not stand in the column {}", column.name),
            )
        };
        self.report(problem);
        None
    }

    /// Whether a number is certainly whole.
    fn is_whole(&self, number: &Number) -> bool {
        match number {
            Number::Constant(number) => number.to_integer().is_some(),
            Number::Age | Number::AgeMonths | Number::Count { .. } => true,
            Number::Attribute(index) => !matches!(self.scope.attributes[*index].kind, ValueKind::Date),
            Number::Sum(terms) => terms.iter().all(|(_, term)| self.is_whole(term)),
            Number::Product(items) | Number::Least(items) | Number::Greatest(items) => {
                items.iter().all(|item| self.is_whole(item))
            }
            Number::Round { step, .. } => step.to_integer().is_some(),
            Number::Defined(_, inner) => self.is_whole(inner),
            _ => false,
        }
    }

    fn bands<T: Clone>(
        &mut self,
        tree: &Tree,
        subject: &Tree,
        arms: &[(Band, Tree)],
        otherwise: Option<&Tree>,
        mut result: impl FnMut(&mut Self, &Tree) -> Option<T>,
    ) -> Option<Bands<T>> {
        let number = self.number(subject);
        let whole = number.as_ref().is_some_and(|number| self.is_whole(number));
        let else_span = otherwise.unwrap_or(tree).span.clone();
        let otherwise = match otherwise {
            Some(tree) => Some(result(self, tree)?),
            None => None,
        };
        let mut bands: Vec<(Option<Decimal>, T)> = Vec::new();
        // Where the next band has to begin; `None` before the first and after the last.
        let mut next: Option<Decimal> = None;
        let mut ended = false;
        for (place, (band, arm)) in arms.iter().enumerate() {
            let arm = result(self, arm);
            let (begins, ends) = self.limits(band, whole, next, place == 0)?;
            if ended {
                let message = "this band can never be reached: the one above has no end";
                let problem = Problem::new(band.span.clone(), message);
                self.report(problem.hint("put the bands into ascending order; `from` stands last"));
                return None;
            }
            if !self.follows(band, begins, next, place == 0) {
                return None;
            }
            let begins = if matches!(band.limits, Limits::Under(_)) {
                next
            } else {
                begins
            };
            if place == 0
                && begins.is_some()
                && let Some(below) = &otherwise
            {
                bands.push((None, below.clone()));
            }
            bands.push((begins, arm?));
            (next, ended) = (ends, ends.is_none());
        }
        let open_below = bands.first().is_none_or(|(begins, _)| begins.is_some());
        match (ended, otherwise) {
            (false, Some(above)) => bands.push((next, above)),
            (true, Some(_))
                if arms
                    .first()
                    .is_some_and(|(band, _)| matches!(band.limits, Limits::Under(_))) =>
            {
                let message = "`else` can never be reached: the bands leave nothing out";
                self.report(Problem::new(else_span, message).hint("leave it out"));
                return None;
            }
            (ended, None) if !ended || open_below => {
                let problem = Problem::new(tree.span.clone(), "the bands leave out some numbers")
                    .hint("end with `else` and what holds outside of them, or begin with `under` and end with `from`");
                self.report(problem);
                return None;
            }
            _ => {}
        }
        Some(Bands {
            subject: Box::new(number?),
            bands,
        })
    }

    /// Where a band begins, and where the next one has to; `None` without limit.
    fn limits(
        &mut self,
        band: &Band,
        whole: bool,
        next: Option<Decimal>,
        first: bool,
    ) -> Option<(Option<Decimal>, Option<Decimal>)> {
        let problem = match band.limits {
            Limits::Under(limit) if first => return Some((None, Some(limit))),
            Limits::Under(limit) if next.is_some_and(|next| next < limit) => return Some((next, Some(limit))),
            Limits::Under(_) => Problem::new(band.span.clone(), "this band is empty: it ends where it begins, or before")
                .hint("put the bands into ascending order"),
            Limits::From(start) => return Some((Some(start), None)),
            Limits::Within(a, b) if b < a => Problem::new(band.span.clone(), format!("this band ends at {b}, before it begins at {a}")),
            Limits::Within(a, b) if whole && a.to_integer().is_some() && b.to_integer().is_some() => {
                return Some((Some(a), b.checked_add(Decimal::from(1))));
            }
            Limits::Within(..) => Problem::new(
                band.span.clone(),
                "a band with `to` includes both its numbers, so what is divided and its limits must be whole numbers",
            )
            .hint("write `under` for numbers with a fraction"),
        };
        self.report(problem);
        None
    }

    /// Whether a band begins where the one before ended.
    fn follows(&mut self, band: &Band, begins: Option<Decimal>, next: Option<Decimal>, first: bool) -> bool {
        let (Some(begins), Some(next)) = (begins, next) else {
            return true;
        };
        if first || begins == next {
            return true;
        }
        let message = if begins < next {
            format!("this band begins at {begins} and overlaps the one above, which ends before {next}")
        } else {
            format!("there is a gap: the band above ends before {next}, this one begins at {begins}")
        };
        let problem = Problem::new(band.span.clone(), message);
        self.report(problem.hint(format!("let it begin at {next}")));
        false
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
                    let message = format!(
                        "{:?} has its case above; this one can never be reached",
                        name.text
                    );
                    let problem = Problem::new(name.span.clone(), message);
                    self.report(problem.hint("leave one of them out, or name another value"));
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

/// Whether a condition may ask for what each person has of their own: values that are not in profiles, or a group.
pub(crate) fn asks_own(condition: &Condition, scope: &Scope) -> bool {
    let mut collector = Collector::new(None);
    collector.condition(condition);
    let mut attributes = collector.uses.attributes.iter();
    !collector.uses.groups.is_empty() || attributes.any(|&index| !scope.attributes[index].in_profile)
}

/// What a name such as `household.count` asks of a group: its last word.
fn question(name: &str) -> Option<&str> {
    name.rsplit_once('.').map(|(_, question)| question)
}

/// Whether a name such as `household.any` asks a group for a condition.
fn is_quantifier(name: &str) -> bool {
    matches!(question(name), Some("any" | "all"))
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
