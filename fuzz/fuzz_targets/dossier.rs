//! Any bytes are refused, or read alike one by one and all at once; a change of a readable block is readable.
#![no_main]

use ansinh::format::dossier::DossierBlock;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(block) = DossierBlock::decode(bytes) else {
        return;
    };
    let first = block.first();
    let one = block.get(first);
    let Ok(all) = block.dossiers() else { return };
    assert_eq!(one.as_ref(), Ok(&Some(all[0].1.clone())));
    for (person, dossier) in &all {
        assert_eq!(block.get(*person).as_ref(), Ok(&Some(dossier.clone())));
    }
    let (person, dossier) = &all[all.len() / 2];
    let mut rest = Vec::new();
    let key = all[all.len() - 1].0;
    for (_, bytes) in DossierBlock::update((key, bytes), *person, None).unwrap_or_default() {
        let block = DossierBlock::decode(&bytes).expect("what was just written is read");
        rest.extend(block.dossiers().expect("what was just written is read"));
    }
    assert!(
        rest.iter()
            .all(|(found, other)| found != person || other != dossier)
    );
});
