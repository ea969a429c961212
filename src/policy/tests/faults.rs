//! Faults that only some people have: nobody is told something that is a fault for them.

use super::*;

const ROWS: &str = "edition,level,count,rate\nall,low,2,700\nall,low,9,700\n";
const TABLE: &str = "[table.rate]\ntitle = { vi = \"t\", en = \"t\" }\nunit = \"dong\"\nfile = \"rate.csv\"\n\
    edition = \"edition\"\nkeys = [\"level\", \"count\"]\nvalue = \"rate\"\n\
    editions = [{ rows = \"all\", from = \"2000-01\", known_from = \"2000-01-01\", source = \"s\", confidence = \"S1\" }]\n";

fn world(programmes: &str) -> World {
    let text = pack(&format!("{TABLE}{programmes}"));
    let beside = |_: &str| Ok(ROWS.to_owned());
    let pack = Pack::parse_with("test.toml", &text, &beside);
    World::new(pack.unwrap_or_else(|errors| panic!("{errors}\n{text}")))
}

/// The people of a household, of whom the first is meant.
struct Household(Vec<Profile>);

impl Own for Household {
    fn value(&self, attribute: AttributeNumber) -> Option<Value> {
        self.0[0].get(attribute)
    }

    fn visit(&self, _: CaseGroup, visit: &mut dyn FnMut(&Case<'_>)) -> bool {
        for person in &self.0 {
            visit(&case(Age::months(400), person));
        }
        true
    }
}

/// The outcome of a person among others, which the table and the evaluation of the person alone must both have.
fn outcome(world: &World, people: &[&[(&str, &str)]]) -> Outcome {
    let month = world.month("2020-05");
    let household = Household(people.iter().map(|facts| world.person(facts)).collect());
    let alone = Case {
        own: Some(&household),
        ..case(Age::months(400), &household.0[0])
    };
    let expected = month.evaluate(Some(&alone), Some(&alone));
    let bands = Bands::new(&month);
    let mut table = DecisionTable::new(&month, &bands);
    let in_profile = |number: AttributeNumber| {
        let attributes = &month.policy.bound.attributes;
        attributes
            .iter()
            .any(|bound| bound.attribute.number == number && bound.attribute.in_profile())
    };
    let profile: Profile = household.0[0]
        .iter()
        .filter(|(number, _)| in_profile(*number))
        .collect();
    let place = Place {
        commune: Profile::default(),
        province: alone.province,
        former_province: alone.former_province,
    };
    let state = CellState {
        place: table.place(&place),
        person: table.person(&profile),
        household: table.household(&Profile::default()),
    };
    let cell = Cell {
        dies: false,
        now: state,
        before: state,
        band: bands.of("1987-01-01".parse().unwrap()),
    };
    let number = match table.fill(cell) {
        Filled::Outcome(number) => number,
        Filled::EachOwn(_) => table.outcome_of(cell, &household, &household),
    };
    assert_eq!(
        table.outcome(number),
        &expected,
        "the table, and the person alone"
    );
    expected
}

fn fault(outcome: &Outcome) -> Option<Fault> {
    match outcome.reason {
        Reason::Fault(fault) => Some(fault),
        _ => None,
    }
}

#[test]
fn a_missing_row_between_equal_ones_is_a_fault() {
    let world = world(&programme(
        "p",
        "highest",
        "flag or not flag",
        "table.rate(low, count)",
    ));
    let flag = ("flag", "true");
    assert_eq!(
        fault(&outcome(&world, &[&[flag, ("count", "5")]])),
        Some(Fault::NoRow)
    );
    let paid = outcome(&world, &[&[flag, ("count", "9")]]);
    assert_eq!(world.lines(&paid), ["Paid p 700"]);
    let unknown = outcome(&world, &[&[flag, ("count", "unknown")]]);
    assert_eq!(world.lines(&unknown), ["Held p 700"], "there may be no row");
}

#[test]
fn a_division_that_changes_nothing_is_a_fault_still() {
    let divides = "round_down(100000 / count, 1) * 0 == 0";
    let world = world(&programme("p", "highest", divides, "100"));
    assert_eq!(
        fault(&outcome(&world, &[&[("count", "0")]])),
        Some(Fault::DivisionByZero)
    );
    assert_eq!(outcome(&world, &[&[("count", "1")]]).status, Status::Paid);
    let unknown = outcome(&world, &[&[("count", "unknown")]]);
    assert_eq!(world.lines(&unknown), ["Held p 100"], "it may divide by zero");
    let world = self::world(&programme(
        "p",
        "highest",
        &format!("{divides} or level == high"),
        "100",
    ));
    let settled = outcome(&world, &[&[("count", "unknown"), ("level", "high")]]);
    assert_eq!(
        world.lines(&settled),
        ["Paid p 100"],
        "the other condition settles it"
    );
}

#[test]
fn numbers_that_some_people_have_may_be_too_great() {
    let great = "0 * income * 999999999999 * income >= 0";
    let world = world(&programme("p", "highest", great, "100"));
    let most = i64::MAX.to_string();
    assert_eq!(
        fault(&outcome(&world, &[&[("income", &most)]])),
        None,
        "zero is first"
    );
    let great = "income * 999999999999 * income * 0 >= 0";
    let world = self::world(&programme("p", "highest", great, "100"));
    assert_eq!(
        fault(&outcome(&world, &[&[("income", &most)]])),
        Some(Fault::Overflow)
    );
    assert_eq!(outcome(&world, &[&[("income", "1")]]).status, Status::Paid);
    assert_eq!(outcome(&world, &[&[]]).status, Status::Held);
    let world = self::world(&programme(
        "p",
        "highest",
        "level == low",
        "max(500, round(income * 0.3, 1))",
    ));
    assert_eq!(
        world.lines(&outcome(&world, &[&[]])),
        ["Paid p 500", "Held p 0"],
        "this cannot"
    );
}

#[test]
fn a_fault_of_somebody_in_the_household_is_found() {
    let world = world(&programme(
        "p",
        "highest",
        "household.count(round_down(100 / count, 1) > 50) >= 0",
        "100",
    ));
    let outcome = outcome(&world, &[&[("count", "1")], &[("count", "0")]]);
    assert_eq!(fault(&outcome), Some(Fault::DivisionByZero));
}

#[test]
fn who_settles_a_group_settles_it_beside_a_fault() {
    let many = "round_down(100 / count, 1) > 10";
    let (zero, one, ten): ([_; 1], [_; 1], [_; 1]) = ([("count", "0")], [("count", "1")], [("count", "10")]);
    let any = world(&programme(
        "p",
        "highest",
        &format!("household.any({many})"),
        "100",
    ));
    assert_eq!(outcome(&any, &[&zero, &one]).status, Status::Paid, "as `or` is");
    assert_eq!(outcome(&any, &[&one, &zero]).status, Status::Paid);
    assert_eq!(fault(&outcome(&any, &[&zero, &ten])), Some(Fault::DivisionByZero));
    let all = world(&programme(
        "p",
        "highest",
        &format!("household.all({many})"),
        "100",
    ));
    assert_eq!(outcome(&all, &[&zero, &ten]).status, Status::Zero, "as `and` is");
    assert_eq!(fault(&outcome(&all, &[&zero, &one])), Some(Fault::DivisionByZero));
}

#[test]
fn the_first_exclusion_that_holds_is_the_reason() {
    let excluded = programme("p", "highest", "age >= 18", "100")
        .replace("decision = false", "decision = true")
        + "exclusions = [{ when = \"income > 100\", cite = \"c\" }, { when = \"flag\", cite = \"c\" }]\n";
    let world = world(&excluded);
    let reason = |income: &str| {
        let facts = [("income", income), ("flag", "true"), ("enrolment.p", "active")];
        outcome(&world, &[&facts]).reason
    };
    let number = world.catalogue.programme("p").unwrap().number;
    let by = |name: &str| Reason::Excluded(number, world.attribute(SubjectKind::Person, name));
    assert_eq!(reason("200"), by("income"));
    assert_eq!(reason("50"), by("flag"));
}

#[test]
fn an_amount_that_may_be_below_zero_is_told_to_nobody() {
    let world = world(&programme(
        "p",
        "highest",
        "flag or not flag",
        "min(0, 5 - count)",
    ));
    assert_eq!(
        fault(&outcome(&world, &[&[("count", "9")]])),
        Some(Fault::Negative)
    );
    assert_eq!(outcome(&world, &[&[("count", "5")]]).status, Status::Zero);
}
