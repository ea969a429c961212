//! Tests of the layer as a whole.

use super::*;

#[test]
fn the_built_in_pack_loads_and_its_examples_hold() {
    let pack = Pack::vietnam();
    let results = pack.run_examples();
    assert!(results.len() >= 60);
    let failed: Vec<_> = results.iter().filter(|result| !result.passed).collect();
    assert!(failed.is_empty(), "{failed:#?}");
}
