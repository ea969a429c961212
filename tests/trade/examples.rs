//! The examples of the documentation.

use ansinh::types::{Identifier, Month, Sequence};

use crate::Registry;
use crate::same::month;

const DOCUMENTATION: &str = include_str!("../../docs/csv.md");
const KNOWN: Sequence = Sequence::NEWEST;

/// The CSV files that the documentation shows.
fn examples() -> Vec<&'static str> {
    let blocks = DOCUMENTATION.split("```csv\n").skip(1);
    blocks.filter_map(|block| block.split("```").next()).collect()
}

fn commune_of(registry: &Registry, id: &str, month: Month) -> Option<String> {
    let view = registry.store.begin_read().unwrap();
    let id: Identifier = id.parse().unwrap();
    let person = view.find_person(id, KNOWN).unwrap().unwrap();
    let unit = view.person(person, month, KNOWN).unwrap().unwrap().unit?;
    Some(view.unit(unit).unwrap().declared.code.to_string())
}

#[test]
fn every_example_of_the_documentation_is_imported() {
    let examples = examples();
    assert_eq!(examples.len(), 2);
    for example in &examples {
        let registry = Registry::empty();
        let report = registry.import(example);
        assert_eq!((report.accepted, &report.rejects[..]), (3, &[][..]));
    }
    let registry = Registry::empty();
    let report = registry.import(examples[1]);
    assert_eq!((report.households, report.communes), (1, 1));
    let lives = |text: &str| commune_of(&registry, "001150000017", month(text));
    assert_eq!(lives("2025-06"), None);
    assert_eq!(lives("2026-03").as_deref(), Some("00004"));
    assert_eq!(lives("2026-04").as_deref(), Some("00008"));
    assert_eq!(lives("2026-05"), None);
    assert_eq!(lives("2026-06").as_deref(), Some("00008"));
    let child = |text: &str| commune_of(&registry, "TM0000000001", month(text));
    assert_eq!(child("2025-08"), None);
    assert_eq!(child("2025-09").as_deref(), Some("00004"));
}
