//! The policy layer by itself: loading a pack, judging one person, filling the decision table.
//!
//! `cargo bench --bench policy`

use std::hint::black_box;
use std::time::{Duration, Instant};

use ansinh::kernel::catalogue::{Catalogue, SubjectKind, builtin};
use ansinh::kernel::profile::Profile;
use ansinh::policy::{Bands, Cell, CellState, DecisionTable, MonthPolicy, Pack, Place};
use ansinh::types::Value;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};

/// The people of a made-up country differ in so many ways.
const PERSONS: usize = 4_000;
/// Cells that a fill works out.
const CELLS: usize = 50_000;

/// A small generator, so that every run of the benchmark sees the same cells.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) as usize) % limit
    }
}

fn fact(profile: &mut Profile, catalogue: &Catalogue, subject: SubjectKind, name: &str, value: &str) {
    let attribute = catalogue.attribute(subject, name).expect("the pack declares it");
    let value = attribute.parse(value).expect("the value fits");
    profile.set(attribute.number, Some(value));
}

/// Somebody: mostly nothing is recorded of people, of a few a degree, a merit status, enrolments.
fn person(dice: &mut Dice, catalogue: &Catalogue) -> Profile {
    let mut profile = Profile::default();
    // `sex` is the kernel's own; it stands in profiles beside what packs declare.
    profile.set(builtin::SEX, Some(Value::Enum(dice.below(2) as u16)));
    let mut put = |name: &str, value: &str| fact(&mut profile, catalogue, SubjectKind::Person, name, value);
    if dice.below(4) == 0 {
        put(
            "disability",
            ["light", "severe", "extremely_severe", "unknown"][dice.below(4)],
        );
    }
    if dice.below(4) == 0 {
        put("pension", ["pension", "social_insurance"][dice.below(2)]);
    }
    if dice.below(6) == 0 {
        put("war_invalid", &(21 + dice.below(80)).to_string());
        put("enrolment.merit_war_invalid", "active");
    }
    for programme in [
        "disability",
        "elderly_poor",
        "social_pension",
        "child_without_care",
        "merit_martyr",
    ] {
        if dice.below(5) == 0 {
            let state = ["active", "active", "suspended", "ended"][dice.below(4)];
            put(&format!("enrolment.{programme}"), state);
        }
    }
    if dice.below(8) == 0 {
        put("martyr_relative", &(1 + dice.below(3)).to_string());
    }
    profile
}

struct World {
    month: MonthPolicy,
    persons: Vec<Profile>,
    households: Vec<Profile>,
    places: Vec<Place>,
}

fn world() -> World {
    let (policy, catalogue) = Pack::vietnam().alone();
    let month = policy
        .for_month(
            "2026-06".parse().expect("a month"),
            "2026-06-30".parse().expect("a date"),
        )
        .expect("the month is in the pack");
    let mut dice = Dice(1);
    let household = |(poverty, village): (&str, &str)| {
        let mut profile = Profile::default();
        fact(
            &mut profile,
            &catalogue,
            SubjectKind::Household,
            "poverty",
            poverty,
        );
        fact(
            &mut profile,
            &catalogue,
            SubjectKind::Household,
            "difficult_village",
            village,
        );
        profile
    };
    let place = |(difficult, province): (&str, &str)| {
        let mut commune = Profile::default();
        fact(
            &mut commune,
            &catalogue,
            SubjectKind::Commune,
            "difficult",
            difficult,
        );
        let province = province.parse().expect("a province");
        Place {
            commune,
            province,
            former_province: province,
        }
    };
    let villages = ["as_commune", "yes", "no"];
    let poverty = ["not_poor", "near_poor", "poor", "unknown"];
    let provinces = ["40", "01", "22"];
    World {
        month,
        persons: (0..PERSONS).map(|_| person(&mut dice, &catalogue)).collect(),
        households: poverty
            .into_iter()
            .flat_map(|poverty| villages.map(|village| household((poverty, village))))
            .collect(),
        places: provinces
            .into_iter()
            .flat_map(|province| ["false", "true"].map(|difficult| place((difficult, province))))
            .collect(),
    }
}

impl World {
    /// Fills a table with cells of random people; gives how many cells it then has.
    fn fill(&self, bands: &Bands) -> (usize, Duration) {
        let mut table = DecisionTable::new(&self.month, bands);
        let persons: Vec<u32> = self.persons.iter().map(|profile| table.person(profile)).collect();
        let households: Vec<u32> = self
            .households
            .iter()
            .map(|profile| table.household(profile))
            .collect();
        let places: Vec<u32> = self.places.iter().map(|place| table.place(place)).collect();
        let mut dice = Dice(2);
        let begun = Instant::now();
        for _ in 0..CELLS {
            let state = CellState {
                place: places[dice.below(places.len())],
                person: persons[dice.below(persons.len())],
                household: households[dice.below(households.len())],
            };
            let band = 1 + dice.below(bands.count() - 1) as u16;
            black_box(table.fill(Cell {
                now: state,
                before: state,
                band,
                dies: false,
            }));
        }
        (table.cells(), begun.elapsed())
    }
}

fn policy(c: &mut Criterion) {
    let world = world();
    let bands = Bands::new(&world.month);
    let (cells, _) = world.fill(&bands);
    let mut group = c.benchmark_group("decision table");
    group.throughput(Throughput::Elements(cells as u64));
    group.sample_size(20);
    group.bench_function("fill, a cell of the whole Vietnam pack", |b| {
        b.iter_custom(|times| (0..times).map(|_| world.fill(&bands).1).sum());
    });
    group.finish();

    let mut group = c.benchmark_group("pack");
    group.sample_size(20);
    group.bench_function("load the Vietnam pack", |b| b.iter(Pack::vietnam));
    let pack = Pack::vietnam();
    group.bench_function("run its examples", |b| b.iter(|| pack.run_examples()));
    group.finish();
}

criterion_group!(benches, policy);
criterion_main!(benches);
