//! Predicates over many people at once: what is settled for all of a cell, and who cannot meet a condition whatever
//! else is so of them.

use std::collections::BTreeSet;

use super::bind::Policy;
use super::case::{Age, Case};
use super::error::{PackErrors, Report};
use super::expr::check::{self, Source};
use super::expr::eval::Evaluator;
use super::expr::parse::parse;
use super::expr::range::Truth;
use super::expr::uses::Collector;
use super::month::{Predicate, Reads};
use super::table::{Place, seen_place};
use crate::kernel::profile::Profile;
use crate::types::{AttributeNumber, Month, ProvinceCode, Value};

/// What a predicate comes to for everyone of a cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Settled {
    /// The same for everyone.
    Truth(Truth),
    /// It cannot be evaluated: a number is too great, or a table has no row.
    Fault,
    /// It depends on what each person has of their own.
    EachOwn,
}

impl Policy {
    /// Whether a condition can be read with the names of the pack, for whatever month: its words, names and types.
    pub fn check_condition(&self, text: &str) -> Result<(), PackErrors> {
        let mut problems = Vec::new();
        match parse(text) {
            Ok(tree) => {
                let source = Source {
                    tree: &tree,
                    text,
                    scope: &self.pack.0.scope,
                    room: None,
                };
                check::condition(&source, &mut problems);
            }
            Err(problem) => problems.push(problem),
        }
        let mut report = Report::new("expression", text);
        for problem in problems {
            report.add_problem(problem, |byte| byte);
        }
        report.into_errors().map_or(Ok(()), Err)
    }
}

impl Predicate<'_> {
    /// What it comes to for everyone of a cell; the case has nothing of anyone's own.
    pub(crate) fn settle(&self, case: &Case<'_>) -> Settled {
        let mut evaluator = Evaluator::new(self.month.context(), case, false);
        match evaluator.condition(&self.condition) {
            Ok(truth) if truth != Truth::Undetermined || !evaluator.untold => Settled::Truth(truth),
            Err(_) if !evaluator.untold => Settled::Fault,
            _ => Settled::EachOwn,
        }
    }

    /// A place with only what it reads of it.
    pub(crate) fn project_place(&self, place: &Place) -> Place {
        seen_place(self.month, self.reads(), place)
    }

    /// The names of all attributes that it reads, those of people around the person included, as expressions write
    /// them.
    pub fn attributes(&self) -> Vec<String> {
        let mut collector = Collector::new(None);
        collector.condition(&self.condition);
        let uses = &collector.uses;
        let of_others = uses.others.iter().flat_map(|others| &others.attributes);
        let all: BTreeSet<_> = uses.attributes.iter().chain(of_others).copied().collect();
        let scope = &self.month.pack().scope;
        all.into_iter().map(|index| scope.written(index)).collect()
    }
}

/// Somebody of whom nothing is known: every attribute that a predicate reads is unknown, and the age is any.
///
/// What a predicate comes to for a case of which only a part is known, it comes to whatever the rest may be. So a
/// profile or a place for which it is false beside an unknown rest needs no further look.
pub(crate) struct Anyone {
    person: Profile,
    household: Profile,
    commune: Profile,
    /// The provinces and former provinces that make a difference.
    areas: Vec<(ProvinceCode, ProvinceCode)>,
}

/// The ages that the calendar allows.
const ANY_AGE: Age = Age {
    min: 0,
    max: Month::MAX.index() as i32,
};

impl Anyone {
    /// Somebody in one of these places, which are seen as the predicate sees them.
    pub(crate) fn new(reads: &Reads, places: &[Place]) -> Self {
        let unknown =
            |read: &[AttributeNumber]| read.iter().map(|&number| (number, Value::Unknown)).collect();
        let mut areas: Vec<_> = places
            .iter()
            .map(|place| (place.province, place.former_province))
            .collect();
        areas.sort_unstable();
        areas.dedup();
        Self {
            person: unknown(&reads.person),
            household: unknown(&reads.household),
            commune: unknown(&reads.commune),
            areas,
        }
    }

    fn somewhere(&self, predicate: &Predicate<'_>, person: &Profile, household: &Profile) -> bool {
        self.areas.iter().any(|&(province, former_province)| {
            let case = Case {
                dies: false,
                age: ANY_AGE,
                person,
                household: Some(household),
                commune: &self.commune,
                province,
                former_province,
                own: None,
            };
            is_possible(predicate, &case)
        })
    }

    /// Whether a person of this profile may meet the predicate, or leave it undetermined.
    pub(crate) fn may_be_person(&self, predicate: &Predicate<'_>, profile: &Profile) -> bool {
        self.somewhere(predicate, profile, &self.household)
    }

    /// Whether somebody of a household of this profile may.
    pub(crate) fn may_be_of_household(&self, predicate: &Predicate<'_>, profile: &Profile) -> bool {
        self.somewhere(predicate, &self.person, profile)
    }

    /// Whether somebody of this place may.
    pub(crate) fn may_be_in(&self, predicate: &Predicate<'_>, place: &Place) -> bool {
        let case = Case {
            dies: false,
            age: ANY_AGE,
            person: &self.person,
            household: Some(&self.household),
            commune: &place.commune,
            province: place.province,
            former_province: place.former_province,
            own: None,
        };
        is_possible(predicate, &case)
    }
}

fn is_possible(predicate: &Predicate<'_>, known: &Case<'_>) -> bool {
    predicate.settle(known) != Settled::Truth(Truth::False)
}
