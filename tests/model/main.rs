//! The kernel against a model: random histories are played to both, and every read must agree, in every month and
//! as known at every sequence.
//!
//! The model is trusted for its plainness and for the stories in `stories.rs`, whose answers were worked out by hand.
//! `corners.rs` plays what random histories seldom reach. `PROPTEST_CASES` sets the number of histories.

mod corners;
mod generate;
mod model;
mod stories;
#[path = "../common/ties.rs"]
mod ties;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;
use std::path::PathBuf;

use ansinh::kernel::operation::{Answer, Destination, Operation, Subject};
use ansinh::kernel::state::Content;
use ansinh::kernel::{Author, Store, StoreOptions, View, WriteError, WriteTransaction};
use ansinh::types::{
    AttributeNumber, HouseholdNumber, Identifier, Instant, Month, PersonNumber, ProvisionalId, Sequence,
    UnitNumber, Value,
};
use proptest::prelude::*;
use proptest::test_runner::{TestCaseError, TestCaseResult};
use tempfile::TempDir;

use generate::{Change, Ending, Turn};
use model::{Model, Outcome};

/// How many histories are played unless `PROPTEST_CASES` says otherwise.
const CASES: u32 = 64;
/// How many failing histories are tried in search of a smaller one, and for how long.
const SHRINKS_MAX: u32 = 3_000;
const SHRINK_MILLIS_MAX: u32 = 120_000;
/// After each commit every so-manieth month is compared, another set of them each time.
const STRIDE_NEWEST: usize = 5;
/// At the end, what is newest known is compared in every month, what was known earlier in every so-manieth, another
/// set of them for each sequence.
const STRIDE_EARLIER: usize = 2;

fn config() -> ProptestConfig {
    let from_environment = ProptestConfig::default();
    let cases = match std::env::var_os("PROPTEST_CASES") {
        Some(_) => from_environment.cases,
        None => CASES,
    };
    ProptestConfig {
        cases,
        max_shrink_iters: SHRINKS_MAX,
        max_shrink_time: SHRINK_MILLIS_MAX,
        failure_persistence: None,
        ..from_environment
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn the_kernel_answers_like_the_model(history in generate::history()) {
        let mut session = Session::begin()?;
        for turn in &history.0 {
            session.play(turn)?;
        }
        session.compare_everything()?;
    }
}

fn fine<T, E: Display>(result: Result<T, E>, doing: &str) -> Result<T, TestCaseError> {
    result.map_err(|error| TestCaseError::fail(format!("{doing}: {error}")))
}

/// A store with the model of what is committed in it.
struct Session {
    store: Option<Store>,
    path: PathBuf,
    model: Model,
    // Last, so that the file outlives the store.
    _directory: TempDir,
}

impl Session {
    /// A store with the first declaration and the first units.
    fn begin() -> Result<Self, TestCaseError> {
        let directory = fine(tempfile::tempdir(), "making a directory")?;
        let path = directory.path().join("registry.ansinh");
        let mut session = Self {
            store: Some(fine(Store::create(&path, StoreOptions::default()), "creating")?),
            path,
            model: Model::new(),
            _directory: directory,
        };
        session.compare_everything()?;
        session.play(&Turn {
            adopt: Some(0),
            changes: generate::first_units().to_vec(),
            ending: Ending::Commit,
        })?;
        Ok(session)
    }

    fn store(&self) -> &Store {
        self.store.as_ref().expect("the store is open between turns")
    }

    fn view(&self) -> Result<View, TestCaseError> {
        fine(self.store().begin_read(), "beginning to read")
    }

    /// Plays one transaction to both. A view from before it must not see it.
    fn play(&mut self, turn: &Turn) -> TestCaseResult {
        let before = self.view()?;
        let draft = self.write(turn)?;
        compare_at(&before, &self.model, generate::month(0), Sequence::NEWEST)?;
        prop_assert_eq!(
            before.newest(),
            self.model.sequence,
            "a view from before the transaction"
        );
        drop(before);
        if let Some(committed) = draft {
            self.model = committed;
        }
        match turn.ending {
            Ending::CommitAndClose => self.reopen(|store| fine(store.close(), "closing"))?,
            Ending::CommitAndDrop => self.reopen(|store| {
                drop(store);
                Ok(())
            })?,
            Ending::Commit | Ending::Abort | Ending::Drop => {}
        }
        self.compare_newest()
    }

    /// Writes one transaction; gives the model with it, if it was committed.
    fn write(&self, turn: &Turn) -> Result<Option<Model>, TestCaseError> {
        let mut draft = self.model.draft();
        let instant = Instant::from_unix_millis(1_780_000_000_000 + draft.sequence.0 as i64);
        let begun = self
            .store()
            .begin_write(Author::new("clerk 00004", "a random history"), instant);
        let mut transaction = fine(begun, "beginning to write")?;
        prop_assert_eq!(transaction.sequence(), draft.sequence);
        if let Some(version) = turn.adopt {
            let declaration = generate::declaration(version);
            let pack = format!("declaration {version}");
            let found = transaction.adopt("a pack", pack.as_bytes(), &declaration);
            let expected = fine(draft.adopt(&declaration), "adopting in the model")?;
            prop_assert_eq!(fine(found, "adopting")?, expected);
        }
        for change in &turn.changes {
            if let Some(operation) = generate::operation(&draft, change) {
                apply(&mut transaction, &mut draft, change, &operation)?;
            }
        }
        compare_references(&draft, |target, attribute| {
            fine(
                transaction.ever_referring(target, attribute),
                "reading references",
            )
        })?;
        match turn.ending {
            Ending::Commit | Ending::CommitAndClose | Ending::CommitAndDrop => {
                prop_assert_eq!(fine(transaction.commit(), "committing")?, draft.sequence);
                return Ok(Some(draft));
            }
            Ending::Abort => transaction.abort(),
            Ending::Drop => drop(transaction),
        }
        Ok(None)
    }

    fn reopen(&mut self, leave: impl FnOnce(Store) -> TestCaseResult) -> TestCaseResult {
        if let Some(store) = self.store.take() {
            leave(store)?;
        }
        let opened = Store::open(&self.path, StoreOptions::default());
        self.store = Some(fine(opened, "opening again")?);
        Ok(())
    }

    /// Compares what is newest known, in some of the months.
    fn compare_newest(&self) -> TestCaseResult {
        let view = self.view()?;
        compare_timeless(&view, &self.model)?;
        for month in every(STRIDE_NEWEST, self.model.sequence) {
            compare_at(&view, &self.model, month, Sequence::NEWEST)?;
        }
        Ok(())
    }

    /// Compares every read, as known at every sequence.
    fn compare_everything(&self) -> TestCaseResult {
        let view = self.view()?;
        compare_timeless(&view, &self.model)?;
        for known in sequences(&self.model) {
            compare_ids(&view, &self.model, known)?;
            let stride = if known == Sequence::NEWEST {
                1
            } else {
                STRIDE_EARLIER
            };
            for month in every(stride, known) {
                compare_at(&view, &self.model, month, known)?;
            }
        }
        Ok(())
    }
}

/// The months in which something may happen, one before and one after them, and the far ones with their neighbours.
fn months() -> Vec<Month> {
    let near = -1..=generate::MONTHS;
    let far = generate::FAR.into_iter().flat_map(|far| [far, far + 1]);
    let mut months: Vec<Month> = near.chain(far).map(generate::month).collect();
    months.sort_unstable();
    months.dedup();
    months
}

/// Every so-manieth month, beginning with another one for each sequence.
fn every(stride: usize, sequence: Sequence) -> impl Iterator<Item = Month> {
    let skip = sequence.0 as usize % stride;
    months().into_iter().skip(skip).step_by(stride)
}

/// Every sequence that there has been, one before, one after, and "newest".
fn sequences(model: &Model) -> impl Iterator<Item = Sequence> {
    let all = 0..=model.sequence.0 + 1;
    all.map(Sequence).chain([Sequence::NEWEST])
}

/// Applies an operation to both and compares the answers. Which of several reasons a refusal tells is not compared.
fn apply(
    transaction: &mut WriteTransaction<'_>,
    draft: &mut Model,
    change: &Change,
    operation: &Operation,
) -> TestCaseResult {
    let found = match transaction.apply(operation) {
        Ok(answer) => Ok(answer),
        Err(WriteError::Refused(refusal)) => Err(refusal),
        Err(error) => return Err(TestCaseError::fail(format!("{operation:?} failed: {error}"))),
    };
    let expected = draft.apply(operation);
    let agree = match (&expected, &found) {
        (Ok(expected), Ok(found)) => expected == found || makes_household(draft, operation, *found),
        (Err(_), Err(_)) => true,
        _ => false,
    };
    prop_assert!(
        agree,
        "transaction {}: {change:?}\n  means {operation:?}\n  the model: {}\n  the kernel: {}",
        draft.sequence,
        shown(&expected),
        match &found {
            Ok(answer) => format!("{answer:?}"),
            Err(refusal) => format!("refused: {refusal}"),
        }
    );
    Ok(())
}

/// A person who moves to a household of their own may be answered with the household's number.
fn makes_household(draft: &Model, operation: &Operation, found: Answer) -> bool {
    let moves_to_new = matches!(
        operation,
        Operation::MovePerson {
            to: Destination::NewHousehold(..),
            ..
        }
    );
    moves_to_new && draft.household_numbers().last().map(Answer::HouseholdCreated) == Some(found)
}

fn shown(outcome: &Outcome) -> String {
    match outcome {
        Ok(answer) => format!("{answer:?}"),
        Err(refused) => format!("refused: {}", refused.0),
    }
}

/// Compares what has no month.
fn compare_timeless(view: &View, model: &Model) -> TestCaseResult {
    prop_assert_eq!(view.newest(), model.sequence);
    prop_assert_eq!(view.catalogue(), model.catalogue());
    let counts = fine(view.counts(), "counting")?;
    prop_assert_eq!(counts.people, model.people_numbers().count() as u64);
    prop_assert_eq!(counts.households, model.household_numbers().count() as u64);
    prop_assert_eq!(counts.units, model.unit_numbers().count() as u64);
    let people: Vec<PersonNumber> = view.people().collect();
    prop_assert_eq!(people, model.people_numbers().collect::<Vec<_>>());
    for subject in model.subjects() {
        let found = fine(view.history(subject), "reading a history")?;
        prop_assert_eq!(found, model.history(subject), "the history of {:?}", subject);
    }
    compare_references(model, |target, attribute| {
        fine(view.ever_referring(target, attribute), "reading references")
    })?;
    fine(view.verify_occurrences(), "verifying the index of occurrences")?;
    compare_ids(view, model, Sequence::NEWEST)
}

/// Compares whose records ever named a person with what all histories hold, of every attribute.
fn compare_references(
    model: &Model,
    ever_referring: impl Fn(PersonNumber, AttributeNumber) -> Result<Vec<PersonNumber>, TestCaseError>,
) -> TestCaseResult {
    let mut expected: BTreeMap<(PersonNumber, AttributeNumber), BTreeSet<PersonNumber>> = BTreeMap::new();
    for person in model.people_numbers() {
        for record in model.history(Subject::Person(person)) {
            if let Content::Value {
                value: Value::Person(target),
                ..
            } = record.content
            {
                expected
                    .entry((target, record.attribute))
                    .or_default()
                    .insert(person);
            }
        }
    }
    for target in model.people_numbers() {
        for attribute in model.catalogue().attributes() {
            let found = ever_referring(target, attribute.number)?;
            let named = expected.remove(&(target, attribute.number)).unwrap_or_default();
            prop_assert!(
                found.iter().eq(named.iter()),
                "{} of {}: found {:?}, expected {:?}",
                attribute.name,
                target,
                found,
                named
            );
        }
    }
    prop_assert!(expected.is_empty(), "{expected:?}");
    Ok(())
}

/// Compares the values of a subject read one by one with those of its state.
fn compare_values(
    view: &View,
    subject: Subject,
    values: Option<&BTreeMap<AttributeNumber, Value>>,
    month: Month,
    known: Sequence,
) -> TestCaseResult {
    for attribute in view.catalogue().attributes() {
        let number = attribute.number;
        let found = fine(view.value_of(subject, number, month, known), "reading a value")?;
        let expected = values.and_then(|values| values.get(&number)).copied();
        prop_assert_eq!(
            found,
            expected,
            "{} of {:?} in {} at {}",
            attribute.name,
            subject,
            month,
            known
        );
    }
    Ok(())
}

/// Compares whom the IDs lead to.
fn compare_ids(view: &View, model: &Model, known: Sequence) -> TestCaseResult {
    let provisional = (0..=model.people_numbers().count() as u64 + 1)
        .filter_map(ProvisionalId::from_number)
        .map(Identifier::Provisional);
    for identifier in generate::personal_ids().chain(provisional) {
        let found = fine(view.find_person(identifier, known), "finding a person")?;
        let expected = model.find_person(identifier, known);
        prop_assert_eq!(found, expected, "{} as known at {}", identifier, known);
    }
    for id in generate::household_ids() {
        let found = fine(view.find_household(id, known), "finding a household")?;
        let expected = model.find_household(id, known);
        prop_assert_eq!(found, expected, "household {} as known at {}", id, known);
    }
    Ok(())
}

/// Compares every person, household and unit in a month, as known, and one beyond the last of each.
fn compare_at(view: &View, model: &Model, month: Month, known: Sequence) -> TestCaseResult {
    let mut picture = model.picture(month, known);
    if let Err(differs) = ties::Everyone(&picture.people).compare_ties(view, month, known) {
        return Err(TestCaseError::fail(differs));
    }
    picture.people.push(None);
    picture.households.push(None);
    picture.communes.push(None);
    for (number, expected) in (1..).map(PersonNumber).zip(picture.people) {
        let found = fine(view.person(number, month, known), "reading a person")?;
        prop_assert_eq!(&found, &expected, "{} in {} as known at {}", number, month, known);
        let values = found.as_ref().map(|state| &state.values);
        compare_values(view, number.into(), values, month, known)?;
    }
    for (number, expected) in (1..).map(HouseholdNumber).zip(picture.households) {
        let found = fine(view.household(number, month, known), "reading a household")?;
        prop_assert_eq!(&found, &expected, "{} in {} as known at {}", number, month, known);
        let values = found.as_ref().map(|state| &state.values);
        compare_values(view, number.into(), values, month, known)?;
    }
    for (number, expected) in (1..).map(UnitNumber).zip(picture.communes) {
        let found = fine(view.commune(number, month, known), "reading a commune")?;
        prop_assert_eq!(&found, &expected, "{} in {} as known at {}", number, month, known);
        let values = found.as_ref().map(|state| &state.values);
        compare_values(view, Subject::Commune(number), values, month, known)?;
    }
    for code in generate::commune_codes() {
        let found = fine(view.find_unit(code, month, known), "finding a unit")?;
        let expected = model.find_unit(code, month, known);
        prop_assert_eq!(found, expected, "{} in {} as known at {}", code, month, known);
    }
    Ok(())
}
