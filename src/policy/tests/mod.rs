//! Tests of the layer as a whole.

mod agreement;
mod faults;
mod grammar;
mod lint;
mod packs;
mod properties;
mod random;
mod scene;
mod vietnam;

use super::*;
use crate::kernel::catalogue::{Catalogue, SubjectKind};
use crate::kernel::profile::Profile;
use crate::types::{AttributeNumber, Date, Month, ProvinceCode, Value};

/// A pack with its own catalogue.
struct World {
    pack: Pack,
    catalogue: Catalogue,
    policy: Policy,
}

impl World {
    fn new(pack: Pack) -> Self {
        let (catalogue, _) = Catalogue::default().adopt(&pack.declaration()).unwrap();
        let policy = pack.bind(&catalogue).unwrap();
        Self {
            pack,
            catalogue,
            policy,
        }
    }

    fn parse(text: &str) -> Self {
        Self::new(Pack::parse("test.toml", text).unwrap_or_else(|errors| panic!("{errors}\n{text}")))
    }

    fn month(&self, month: &str) -> MonthPolicy {
        let month: Month = month.parse().unwrap();
        self.policy.for_month(month, Date::last_of(month)).unwrap()
    }

    fn attribute(&self, subject: SubjectKind, name: &str) -> AttributeNumber {
        self.catalogue.attribute(subject, name).unwrap().number
    }

    fn value(&self, subject: SubjectKind, name: &str, value: &str) -> (AttributeNumber, Value) {
        let attribute = self.catalogue.attribute(subject, name).unwrap();
        (attribute.number, attribute.parse(value).unwrap())
    }

    /// A profile of `name=value` pairs.
    fn profile(&self, subject: SubjectKind, facts: &[(&str, &str)]) -> Profile {
        facts
            .iter()
            .map(|(name, value)| self.value(subject, name, value))
            .collect()
    }

    fn person(&self, facts: &[(&str, &str)]) -> Profile {
        self.profile(SubjectKind::Person, facts)
    }

    fn lines(&self, outcome: &Outcome) -> Vec<String> {
        let name = |number| self.catalogue.programme_by_number(number).unwrap().name.clone();
        let text = |line: &Line| format!("{:?} {} {}", line.kind, name(line.programme), line.amount.get());
        outcome.lines.iter().map(text).collect()
    }
}

/// What a test gives a person of their own stands beside the rest in one profile; there is nobody around.
impl Own for Profile {
    fn value(&self, attribute: AttributeNumber) -> Option<Value> {
        self.get(attribute)
    }

    fn visit(&self, _: CaseGroup, _: &mut dyn FnMut(&Case<'_>)) -> bool {
        true
    }
}

static EMPTY: std::sync::LazyLock<Profile> = std::sync::LazyLock::new(Profile::default);

fn case(age: Age, person: &Profile) -> Case<'_> {
    let province: ProvinceCode = "40".parse().unwrap();
    Case {
        dies: false,
        age,
        person,
        household: None,
        commune: &EMPTY,
        province,
        former_province: province,
        own: Some(person),
    }
}

/// A pack of one group, with these sections after the attributes that the tests use.
fn pack(sections: &str) -> String {
    format!("{HEAD}{sections}")
}

const HEAD: &str = r#"
[pack]
id = "test"
version = "1"
title = { vi = "Thử", en = "Test" }

[birth]
unknown_month = "undetermined"
source = "none"
confidence = "M"

[person.level]
title = { vi = "a", en = "a" }
type = "enum"
values = ["low", "middle", "high"]
absent = "low"

[person.flag]
title = { vi = "b", en = "b" }
type = "bool"
absent = false

[person.count]
title = { vi = "c", en = "c" }
type = "integer"
min = 0
max = 20
absent = 0

[person.income]
title = { vi = "d", en = "d" }
type = "money"
absent = "unknown"

[person.since]
title = { vi = "e", en = "e" }
type = "date"
absent = "unknown"

[household.state]
title = { vi = "f", en = "f" }
type = "enum"
values = ["good", "bad"]
absent = "good"

[commune.remote]
title = { vi = "g", en = "g" }
type = "bool"
absent = false

[parameter.limit]
title = { vi = "p", en = "p" }
unit = "number"
values = [{ value = 15.5, from = "2000-01", known_from = "2000-01-01", source = "s", confidence = "S1" }]

[parameter.level]
title = { vi = "q", en = "q" }
unit = "dong"
values = [{ value = 1000, from = "2000-01", known_from = "2000-01-01", source = "s", confidence = "S3" }]

[group.highest]
rule = "highest"
cite = "c"
confidence = "S1"

[group.all]
rule = "sum"
cite = "c"
confidence = "S1"
"#;

/// A programme without decision.
fn programme(id: &str, group: &str, condition: &str, amount: &str) -> String {
    format!(
        r#"
[[programme]]
id = "{id}"
title = {{ vi = "{id}", en = "{id}" }}
cite = "c"
confidence = "S1"
months = {{ from = "2000-01" }}
decision = false
stop = "month_after"
payee = ["self"]
group = "{group}"
condition = """{condition}"""
amount = """{amount}"""
"#
    )
}
