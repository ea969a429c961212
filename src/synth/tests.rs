use std::collections::{BTreeMap, HashSet};
use std::convert::Infallible;

use super::attributes::{Attributes, Choice, Count, Flag, PROGRAMMES, Programme, Reference};
use super::*;
use crate::gazetteer;
use crate::kernel::bulk::{BulkFact, BulkPerson, BulkValue};
use crate::kernel::catalogue::{EnrolmentState, Keeping, builtin};
use crate::types::{Identifier, Sex};

const PEOPLE: u64 = 200_000;

fn synth(people: u64, seed: u64) -> Synth {
    let (catalogue, _) = Catalogue::default().adopt(&least_declaration()).unwrap();
    let options = SynthOptions {
        people,
        seed,
        ..SynthOptions::default()
    };
    Synth::new(options, &catalogue, &gazetteer::vietnam()).unwrap()
}

fn all(synth: &Synth, workers: usize) -> Vec<(CommuneCode, Vec<BulkHousehold>)> {
    let mut communes = Vec::new();
    let taken = synth.for_each_commune_in_order(workers, |code, households| {
        communes.push((code, households));
        Ok::<(), Infallible>(())
    });
    assert_eq!(taken, Ok(()));
    communes
}

fn people(communes: &[(CommuneCode, Vec<BulkHousehold>)]) -> impl Iterator<Item = &BulkPerson> {
    communes
        .iter()
        .flat_map(|(_, households)| households)
        .flat_map(|household| &household.people)
}

fn age(person: &BulkPerson, now: Month) -> i32 {
    now.months_since(person.birth.earliest_month()).div_euclid(12)
}

/// The value of an attribute in a month as the facts of a bulk load give it, without regard to last months.
fn value_in(facts: &[BulkFact], attribute: AttributeNumber, month: Month, absent: Value) -> Value {
    let of_it = facts.iter().filter(|fact| fact.attribute == attribute);
    let held = of_it.filter(|fact| fact.from.is_none_or(|from| from <= month));
    match held.max_by_key(|fact| fact.from).map(|fact| fact.value) {
        Some(BulkValue::Value(value)) => value,
        Some(BulkValue::Member(_)) => Value::Unknown,
        None => absent,
    }
}

#[test]
fn any_number_of_workers_gives_the_same_people() {
    let one = all(&synth(20_000, 7), 1);
    assert_eq!(one, all(&synth(20_000, 7), 3));
    assert_ne!(one, all(&synth(20_000, 8), 3));
    assert!(one.windows(2).all(|pair| pair[0].0 < pair[1].0));
    assert_eq!(synth(20_000, 7).commune(17), one[17]);
}

#[test]
fn totals_are_exact() {
    for count in [0, 1, 50, 3_321, 12_345] {
        let synth = synth(count, 3);
        let communes = all(&synth, 2);
        assert_eq!(communes.len(), 3_321);
        assert_eq!(people(&communes).count() as u64, count);
        for (index, (_, households)) in communes.iter().enumerate() {
            let here: usize = households.iter().map(|household| household.people.len()).sum();
            assert_eq!(here as u64, synth.people_of(index));
        }
    }
}

#[test]
fn an_error_of_the_taker_stops_the_work() {
    let synth = synth(20_000, 1);
    let mut taken = 0;
    let stopped = synth.for_each_commune_in_order(2, |code, _| {
        taken += 1;
        if taken == 100 { Err(code) } else { Ok(()) }
    });
    assert_eq!(stopped, Err(synth.commune(99).0));
    assert_eq!(taken, 100);
}

#[test]
fn identifiers_are_unique_and_mostly_agree() {
    let communes = all(&synth(PEOPLE, 1), 2);
    let mut seen = HashSet::new();
    let mut households = HashSet::new();
    let (mut provisional, mut mismatched, mut young, mut young_provisional) = (0, 0, 0, 0);
    for household in communes.iter().flat_map(|(_, households)| households) {
        assert!(household.id.is_none_or(|id| households.insert(id)));
        for person in &household.people {
            let identifier = person.identifier.unwrap();
            assert!(seen.insert(identifier.key()), "{identifier} twice");
            let is_young = age(person, MONTH_DEFAULT) < 16;
            young += u64::from(is_young);
            match identifier {
                Identifier::Personal(id) => {
                    mismatched += u64::from(id.disagreements(person.sex, person.birth).next().is_some());
                }
                Identifier::Provisional(id) => {
                    assert!(id.number() >= PROVISIONAL_FIRST);
                    provisional += 1;
                    young_provisional += u64::from(is_young);
                }
            }
        }
    }
    let per_mille = |part: u64, of: u64| part * 1_000 / of;
    assert!(
        (4..=6).contains(&per_mille(mismatched * 10, PEOPLE * 10)),
        "{mismatched}"
    );
    assert!((90..=110).contains(&per_mille(young_provisional, young)));
    assert!((8..=12).contains(&per_mille(provisional - young_provisional, PEOPLE - young)));
}

#[test]
fn no_commune_uses_another_s_identifiers_at_full_size() {
    let synth = synth(100_000_000, 1);
    // Two wards of Hà Nội share the home groups; the others draw on its groups for those who moved.
    let indexes = [0, 1, 2, 1_700, 3_320];
    let mut seen = HashSet::new();
    let mut provisional = 0;
    for index in indexes {
        let (_, households) = synth.commune(index);
        for person in households.iter().flat_map(|household| &household.people) {
            let identifier = person.identifier.unwrap();
            assert!(seen.insert(identifier.key()), "{identifier} twice");
            provisional += u64::from(matches!(identifier, Identifier::Provisional(_)));
        }
    }
    let people: u64 = indexes.iter().map(|&index| synth.people_of(index)).sum();
    assert_eq!(seen.len() as u64, people);
    // No more lack a personal ID than are meant to: the groups did not run out.
    assert!(provisional * 1_000 / people < 40, "{provisional} of {people}");
}

#[test]
fn capacity_reaches_120_million_and_beyond() {
    for people in [101_000_000, 120_000_000, 300_000_000] {
        let synth = synth(people, 1);
        let sum: u64 = (0..synth.communes()).map(|index| synth.people_of(index)).sum();
        assert_eq!(sum, people);
    }
    let (catalogue, _) = Catalogue::default().adopt(&least_declaration()).unwrap();
    let options = SynthOptions {
        people: PEOPLE_MAX,
        ..SynthOptions::default()
    };
    let error = Synth::new(options, &catalogue, &gazetteer::vietnam()).unwrap_err();
    assert!(error.to_string().contains("make fewer people"), "{error}");
}

#[test]
fn references_are_in_range_and_to_adults() {
    let synth = synth(PEOPLE, 2);
    let number = |reference| synth.attributes.reference(reference).number;
    let references = Reference::ALL.map(number);
    let (mut children, mut named) = (0, [0; Reference::ALL.len()]);
    for (_, households) in all(&synth, 2) {
        for household in &households {
            let head = household.head.map(usize::from);
            assert!(head.is_none_or(|head| age(&household.people[head], MONTH_DEFAULT) >= 20));
            assert_eq!(household.id.is_none(), head.is_none());
            assert!(household.id.is_some() || household.people.len() == 1);
            assert!(
                household
                    .moves
                    .iter()
                    .all(|&(month, target)| { target != household.commune && month > REFORM_MONTH })
            );
            for (at, person) in household.people.iter().enumerate() {
                children += u64::from(age(person, MONTH_DEFAULT) < 16);
                for fact in &person.facts {
                    let BulkValue::Member(member) = fact.value else {
                        continue;
                    };
                    let which = references.iter().position(|&number| number == fact.attribute);
                    named[which.unwrap()] += 1;
                    assert_ne!(usize::from(member), at);
                    assert!(age(&household.people[usize::from(member)], MONTH_DEFAULT) >= 18);
                }
            }
        }
    }
    let of = |reference: Reference| named[reference as usize];
    let guarded = of(Reference::Guardian);
    assert!(
        guarded * 100 > children * 94 && guarded < children,
        "{guarded} of {children}"
    );
    assert!(of(Reference::Carer) > PEOPLE / 1_000, "{named:?}");
    // The spouse and who sees to a funeral are named only where a rule asks.
    assert!(named.iter().all(|&count| count > 0), "{named:?}");
    assert!(of(Reference::Spouse) < PEOPLE / 1_000, "{named:?}");
}

#[test]
fn facts_are_well_formed() {
    let synth = synth(PEOPLE, 4);
    let (catalogue, _) = Catalogue::default().adopt(&least_declaration()).unwrap();
    for person in people(&all(&synth, 2)) {
        assert!(person.from >= REFORM_MONTH && person.from <= MONTH_DEFAULT);
        assert_eq!(person.from, person.birth.latest_month().max(REFORM_MONTH));
        let death = person.facts.iter().find(|fact| fact.attribute == builtin::DEATH);
        let mut seen = HashSet::new();
        for fact in &person.facts {
            assert!(
                seen.insert((fact.attribute, fact.from)),
                "twice in {:?}",
                person.facts
            );
            assert!(fact.from.is_none_or(|from| from >= person.from));
            assert!(
                fact.until
                    .is_none_or(|until| until >= fact.from.unwrap_or(person.from))
            );
            if let (Some(attribute), BulkValue::Value(value)) =
                (catalogue.attribute_by_number(fact.attribute), fact.value)
            {
                assert!(attribute.admits(value), "{} {value:?}", attribute.name);
                assert!(fact.from.is_some() || value != attribute.absent);
            }
        }
        if let Some(death) = death {
            let month = death.from.unwrap();
            assert!(matches!(death.value, BulkValue::Value(Value::Date(date)) if date.month() == month));
            let last = MONTH_DEFAULT.plus(commune::COMING_MONTHS).unwrap();
            assert!(month > REFORM_MONTH && month <= last);
            assert!(seen.iter().all(|&(_, from)| from <= Some(month.next())));
        }
    }
}

/// Counts by name, in people of a country of 101 million.
#[derive(Default)]
struct Shares(BTreeMap<&'static str, u64>);

impl Shares {
    fn add(&mut self, name: &'static str, holds: bool) {
        *self.0.entry(name).or_default() += u64::from(holds);
    }

    /// Checks that a count lies within bounds, in thousands of people of the country.
    #[track_caller]
    fn within(&self, name: &str, thousands: std::ops::Range<u64>) {
        let found = self.0[name] * 101_000 / PEOPLE;
        assert!(
            thousands.contains(&found),
            "{name}: {found} thousand, expected {thousands:?}"
        );
    }
}

fn state_of(facts: &[BulkFact], choice: &Choice<4>) -> Option<EnrolmentState> {
    let value = value_in(facts, choice.number, MONTH_DEFAULT, choice.absent);
    let states = [
        EnrolmentState::None,
        EnrolmentState::Active,
        EnrolmentState::Suspended,
        EnrolmentState::Ended,
    ];
    states
        .into_iter()
        .find(|&state| value == choice.values[state as usize])
}

fn enrolled(facts: &[BulkFact], choice: &Choice<4>, state: EnrolmentState) -> bool {
    state_of(facts, choice) == Some(state)
}

fn flag(facts: &[BulkFact], attributes: &Attributes, flag: Flag) -> bool {
    let plain = attributes.flag(flag);
    value_in(facts, plain.number, MONTH_DEFAULT, plain.absent) == Value::Bool(true)
}

/// The enrolments of a person: whether there are any, and any active ones, of social assistance and of merit.
fn count_enrolments(shares: &mut Shares, facts: &[BulkFact], attributes: &Attributes) -> [bool; 4] {
    let [mut on_file, mut active, mut merit_on_file, mut merit_active] = [false; 4];
    for programme in Programme::ALL {
        let choice = attributes.enrolment(programme);
        let mut of_it = facts.iter().filter(|fact| fact.attribute == choice.number);
        let Some(first) = of_it.next() else {
            continue;
        };
        let state = state_of(facts, &choice);
        let is_active = state == Some(EnrolmentState::Active);
        shares.add(programme.name(), is_active);
        shares.add("enrolments", true);
        shares.add("enrolments since before", first.from.is_none());
        shares.add("suspended", state == Some(EnrolmentState::Suspended));
        shares.add("ended", state == Some(EnrolmentState::Ended));
        if programme.is_merit() {
            merit_on_file = true;
            merit_active |= is_active;
        } else {
            on_file = true;
            active |= is_active;
        }
    }
    [on_file, active, merit_on_file, merit_active]
}

fn count_person(shares: &mut Shares, person: &BulkPerson, attributes: &Attributes) {
    let facts = &person.facts;
    let now = |choice: AttributeNumber, absent| value_in(facts, choice, MONTH_DEFAULT, absent);
    let disability = now(attributes.disability.number, attributes.disability.absent);
    let levels = attributes.disability.values;
    let age = age(person, MONTH_DEFAULT);
    shares.add("disabled", levels[1..].contains(&disability));
    shares.add("severe or worse", levels[2..].contains(&disability));
    let pension = now(attributes.pension.number, attributes.pension.absent);
    shares.add("pension", attributes.pension.values[1..].contains(&pension));
    let death = facts.iter().find(|fact| fact.attribute == builtin::DEATH);
    let is_dead = death.is_some_and(|fact| fact.from < Some(MONTH_DEFAULT));
    shares.add("dead", is_dead);
    shares.add("dies", death.is_some_and(|fact| fact.from == Some(MONTH_DEFAULT)));
    shares.add("in facility", flag(facts, attributes, Flag::InFacility));
    let dated = |fact: &BulkFact| fact.from.is_some() && fact.attribute != builtin::DEATH;
    shares.add("changed", facts.iter().any(dated));
    let coming = |fact: &BulkFact| fact.from.is_some_and(|from| from > MONTH_DEFAULT);
    shares.add("coming", facts.iter().any(coming));
    let unknown = |fact: &BulkFact| fact.value == BulkValue::Value(Value::Unknown);
    shares.add("unknown", facts.iter().any(unknown));
    let [assisted, assisted_now, merit, merit_now] = count_enrolments(shares, facts, attributes);
    let on_file = assisted || merit;
    shares.add("on file", on_file);
    shares.add("assistance, on file", assisted);
    shares.add("assistance", assisted_now && !is_dead);
    shares.add("merit", merit_now && !is_dead);
    shares.add("merit from 60", merit_now && !is_dead && age >= 60);
    shares.add("active", (assisted_now || merit_now) && !is_dead);
    let insurance = &attributes.unemployment_insurance;
    let insured = now(insurance.number, insurance.absent);
    shares.add("insured in 2021", insured != insurance.values[0]);
    let months = attributes.count(Count::UnemploymentInsuranceMonths);
    let contributed = matches!(now(months.number, months.absent), Value::Integer(1..));
    assert_eq!(contributed, insured != insurance.values[0]);
    shares.add("single parent", flag(facts, attributes, Flag::SingleParent));
    shares.add("hiv", flag(facts, attributes, Flag::Hiv));
    let by_age = age >= 75 && pension == attributes.pension.values[0];
    let pensions = [
        Programme::SocialPension,
        Programme::Elderly75,
        Programme::Elderly80,
    ];
    let is_active = |programme| enrolled(facts, &attributes.enrolment(programme), EnrolmentState::Active);
    let pensioner = pensions.into_iter().any(is_active);
    shares.add("pensioner", pensioner);
    shares.add("old without pension", by_age);
    shares.add(
        "old without pension, not enrolled",
        by_age && !pensioner && !is_dead,
    );
    let severe = levels[2..].contains(&disability);
    let disabled = is_active(Programme::Disability);
    shares.add("disability without reason", disabled && (!severe || merit_now));
    if on_file {
        let verification = now(attributes.verification.number, attributes.verification.absent);
        shares.add("matched", verification == attributes.verification.values[1]);
        let channel = now(attributes.channel.number, attributes.channel.absent);
        shares.add("account", channel == attributes.channel.values[1]);
    }
}

#[test]
fn shares_are_near_the_figures_of_the_country() {
    let synth = synth(PEOPLE, 1);
    let communes = all(&synth, 2);
    let mut shares = Shares::default();
    let (mut poor, mut poor_people, mut households, mut members, mut moved) = (0, 0, 0, 0, 0);
    for household in communes.iter().flat_map(|(_, households)| households) {
        for person in &household.people {
            count_person(&mut shares, person, &synth.attributes);
            shares.add("women", person.sex == Sex::Female);
            shares.add("from 60", age(person, MONTH_DEFAULT) >= 60);
            shares.add("under 16", age(person, MONTH_DEFAULT) < 16);
        }
        let counted = household.id.is_some();
        households += u64::from(counted);
        members += household.people.len() as u64 * u64::from(counted);
        moved += u64::from(!household.moves.is_empty());
        let held = |fact: &&BulkFact| {
            fact.attribute == synth.attributes.poverty.number
                && fact.until == "2026-12".parse().ok()
                && fact.from <= Some(MONTH_DEFAULT)
        };
        if household.facts.iter().any(|fact| held(&fact)) {
            poor += 1;
            poor_people += household.people.len() as u64;
        }
    }
    let size = members * 100 / households;
    if std::env::var_os("ANSINH_SHOW_SHARES").is_some() {
        for (name, count) in &shares.0 {
            println!("{name}: {} thousand", count * 101_000 / PEOPLE);
        }
        println!(
            "households {households}, poor {poor}, people in them {poor_people}, moved {moved}, size {size}"
        );
    }
    assert!((350..370).contains(&size), "{size}");
    let per_mille_poor = poor * 1_000 / households;
    assert!((60..76).contains(&per_mille_poor), "{per_mille_poor}");
    assert!((64..86).contains(&(poor_people * 1_000 / PEOPLE)));
    assert!((15..50).contains(&(moved * 10_000 / households)), "{moved}");
    shares.within("women", 49_500..52_500);
    shares.within("from 60", 14_000..15_300);
    shares.within("under 16", 24_000..25_500);
    shares.within("disabled", 5_700..6_700);
    shares.within("severe or worse", 1_450..1_950);
    shares.within("pension", 3_000..3_600);
    shares.within("in facility", 20..150);
    shares.within("dead", 350..600);
    shares.within("dies", 20..80);
    shares.within("changed", 1_100..2_500);
    shares.within("coming", 80..600);
    shares.within("unknown", 120..1_000);
    shares.within("assistance, on file", 3_500..4_200);
    shares.within("assistance", 3_000..3_700);
    shares.within("merit", 1_050..1_250);
    shares.within("active", 4_000..4_800);
    shares.within("pensioner", 1_600..2_000);
    shares.within("disability", 1_250..1_700);
    shares.within("care_at_home", 200..400);
    shares.within("child_without_care", 40..150);
    shares.within("elderly_poor", 50..180);
    shares.within("child_under_3", 60..200);
    shares.within("merit_war_invalid", 320..480);
    shares.within("merit_martyr", 200..340);
    shares.within("merit_agent_orange", 120..210);
    shares.within("insured in 2021", 1_100..1_500);
    shares.within("single parent", 70..300);
    shares.within("hiv", 8..40);
    let share = |part: &str, of: &str| shares.0[part] * 100 / shares.0[of];
    assert!((72..=88).contains(&share("enrolments since before", "enrolments")));
    assert!((82..=88).contains(&share("matched", "on file")));
    assert!((34..=38).contains(&share("account", "on file")));
    assert!((3..=13).contains(&share("old without pension, not enrolled", "old without pension")));
    assert!((1..=5).contains(&share("disability without reason", "disability")));
    assert!(share("merit from 60", "merit") >= 80);
}

#[test]
fn every_programme_has_somebody_among_a_million() {
    let synth = synth(1_000_000, 1);
    let mut found = [0_u64; PROGRAMMES.len()];
    let mut profiles = HashSet::new();
    let in_profile: HashSet<AttributeNumber> = {
        let (catalogue, _) = Catalogue::default().adopt(&least_declaration()).unwrap();
        catalogue
            .attributes()
            .filter(|attribute| attribute.in_profile())
            .map(|attribute| attribute.number)
            .collect()
    };
    let taken = synth.for_each_commune_in_order(2, |_, households| {
        for person in households.iter().flat_map(|household| &household.people) {
            for programme in Programme::ALL {
                let choice = synth.attributes.enrolment(programme);
                let is_on_file = person.facts.iter().any(|fact| fact.attribute == choice.number);
                found[programme as usize] += u64::from(is_on_file);
            }
            let mut profile: BTreeMap<AttributeNumber, Value> = BTreeMap::new();
            for fact in &person.facts {
                if let BulkValue::Value(value) = fact.value
                    && in_profile.contains(&fact.attribute)
                {
                    profile.insert(fact.attribute, value);
                }
            }
            profiles.insert(profile);
        }
        Ok::<(), Infallible>(())
    });
    assert_eq!(taken, Ok(()));
    for programme in Programme::ALL {
        assert!(found[programme as usize] > 0, "{}", programme.name());
    }
    if std::env::var_os("ANSINH_SHOW_SHARES").is_some() {
        println!("{} distinct people, the channel aside", profiles.len());
    }
    assert!((1_000..6_000).contains(&profiles.len()), "{}", profiles.len());
}

#[test]
fn merit_and_its_enrolments_mostly_agree() {
    let synth = synth(PEOPLE, 5);
    let attributes = &synth.attributes;
    let (mut entitled, mut both, mut decided) = (0_u64, 0_u64, 0_u64);
    for person in people(&all(&synth, 2)) {
        let percent = attributes.count(Count::WarInvalid);
        let now = value_in(&person.facts, percent.number, MONTH_DEFAULT, percent.absent);
        let qualifies = matches!(now, Value::Integer(21..=100));
        assert!(qualifies || matches!(now, Value::Integer(0..=20) | Value::Unknown));
        let choice = attributes.enrolment(Programme::MeritWarInvalid);
        let is_enrolled = enrolled(&person.facts, &choice, EnrolmentState::Active);
        entitled += u64::from(qualifies);
        decided += u64::from(is_enrolled);
        both += u64::from(qualifies && is_enrolled);
        if qualifies {
            assert!(age(person, MONTH_DEFAULT) >= 40);
        }
    }
    assert!(entitled > 500, "{entitled}");
    assert!(
        both * 100 > entitled * 88 && both < entitled,
        "{both} of {entitled}"
    );
    assert!(both * 100 > decided * 97 && both < decided, "{both} of {decided}");
}

#[test]
fn young_children_are_enrolled_where_the_law_provides_it() {
    let synth = synth(PEOPLE, 6);
    let attributes = &synth.attributes;
    let under_3 = &attributes.enrolment(Programme::ChildUnder3);
    let (mut entitled, mut taken, mut enrolled_at_all) = (0_u64, 0_u64, 0_u64);
    for (index, (_, households)) in all(&synth, 2).iter().enumerate() {
        for household in households {
            let state =
                |choice: &Choice<3>| value_in(&household.facts, choice.number, MONTH_DEFAULT, choice.absent);
            let [as_commune, yes, _] = attributes.difficult_village.values;
            let village = state(&attributes.difficult_village);
            let difficult = village == yes || village == as_commune && synth.places[index].difficult;
            let newest = household
                .facts
                .iter()
                .rfind(|fact| fact.attribute == attributes.poverty.number);
            let lapsed = newest.is_some_and(|fact| fact.until.is_some_and(|until| until < MONTH_DEFAULT));
            let poor = !lapsed && attributes.poverty.values[1..].contains(&state(&attributes.poverty));
            for person in household
                .people
                .iter()
                .filter(|person| age(person, MONTH_DEFAULT) < 18)
            {
                let is_enrolled = enrolled(&person.facts, under_3, EnrolmentState::Active);
                enrolled_at_all += u64::from(is_enrolled);
                if difficult && poor && age(person, MONTH_DEFAULT) < 3 {
                    entitled += 1;
                    taken += u64::from(is_enrolled);
                }
            }
        }
    }
    assert!(entitled > 100, "{entitled}");
    assert!(
        taken * 100 > entitled * 80 && taken < entitled,
        "{taken} of {entitled}"
    );
    assert!(
        taken <= enrolled_at_all && taken * 100 >= enrolled_at_all * 85,
        "{enrolled_at_all}"
    );
}

#[test]
fn some_communes_are_difficult() {
    let synth = synth(1_000, 1);
    let facts = synth.commune_facts();
    assert!((500..900).contains(&facts.len()), "{}", facts.len());
    assert!(facts.iter().all(|&(_, attribute, value, from)| {
        attribute == synth.attributes.difficult.number && value == Value::Bool(true) && from == REFORM_MONTH
    }));
}

#[test]
fn a_missing_attribute_is_told() {
    let mut declaration = least_declaration();
    declaration
        .attributes
        .retain(|attribute| attribute.name != "imprisoned");
    let (catalogue, _) = Catalogue::default().adopt(&declaration).unwrap();
    let error = Synth::new(SynthOptions::default(), &catalogue, &gazetteer::vietnam()).unwrap_err();
    assert!(error.to_string().contains("\"imprisoned\""), "{error}");

    let mut declaration = least_declaration();
    for attribute in &mut declaration.attributes {
        if attribute.name == "imprisoned" {
            attribute.kind = ValueKind::Date;
            attribute.keeping = Keeping::Column;
            attribute.absent = None;
        }
    }
    let (catalogue, _) = Catalogue::default().adopt(&declaration).unwrap();
    let error = Synth::new(SynthOptions::default(), &catalogue, &gazetteer::vietnam()).unwrap_err();
    assert!(matches!(error, SynthError::Kind { .. }), "{error}");

    let mut declaration = least_declaration();
    for attribute in &mut declaration.attributes {
        if attribute.name == "war_invalid" {
            attribute.kind = ValueKind::Integer { min: 0, max: 99 };
        }
    }
    let (catalogue, _) = Catalogue::default().adopt(&declaration).unwrap();
    let error = Synth::new(SynthOptions::default(), &catalogue, &gazetteer::vietnam()).unwrap_err();
    assert!(error.to_string().contains("from 0 to 100"), "{error}");
}

#[test]
fn unusable_options_are_told() {
    let (catalogue, _) = Catalogue::default().adopt(&least_declaration()).unwrap();
    let make = |people, month, units: &[UnitDeclaration]| {
        let options = SynthOptions {
            people,
            seed: 1,
            month,
        };
        Synth::new(options, &catalogue, units).map(|_| ()).unwrap_err()
    };
    let units = gazetteer::vietnam();
    assert_eq!(
        make(PEOPLE_MAX + 1, MONTH_DEFAULT, &units),
        SynthError::People {
            people: PEOPLE_MAX + 1
        }
    );
    assert_eq!(
        make(1, REFORM_MONTH, &units),
        SynthError::Month { month: REFORM_MONTH }
    );
    assert_eq!(make(1, MONTH_DEFAULT, &[]), SynthError::Units { found: 0 });
    let twice = [units[0].clone(), units[0].clone()];
    assert!(matches!(
        make(1, MONTH_DEFAULT, &twice),
        SynthError::DuplicateUnit { .. }
    ));
}
