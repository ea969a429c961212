//! CSV files in and out: what is exported is imported to the same answers, and what is wrong is rejected by name.

#![allow(missing_docs)]

mod examples;
mod large;
mod random;
mod rejects;
mod same;

use ansinh::export::{ExportSummary, export};
use ansinh::gazetteer;
use ansinh::import::{ImportOptions, ImportReport, import};
use ansinh::kernel::operation::Operation;
use ansinh::kernel::{Author, Store, StoreOptions};
use ansinh::policy::Pack;
use ansinh::synth::{Synth, SynthOptions};
use ansinh::types::Instant;
use tempfile::TempDir;

/// How many communes the small registries have.
const UNITS: usize = 9;

/// A registry in a folder of its own.
pub struct Registry {
    pub store: Store,
    // Last, so that the file outlives the store.
    _folder: TempDir,
}

pub fn instant() -> Instant {
    Instant::from_unix_millis(1_780_000_000_000)
}

impl Registry {
    /// The pack for Vietnam and the first communes of Vietnam; nobody.
    pub fn empty() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::create(&folder.path().join("a.ansinh"), StoreOptions::default()).unwrap();
        let mut transaction = store
            .begin_write(Author::new("admin", "units"), instant())
            .unwrap();
        let pack = Pack::vietnam();
        transaction
            .adopt(pack.id(), &pack.to_bytes(), &pack.declaration())
            .unwrap();
        for unit in gazetteer::vietnam().into_iter().take(UNITS) {
            transaction.apply(&Operation::AddUnit(unit)).unwrap();
        }
        transaction.commit().unwrap();
        Self {
            store,
            _folder: folder,
        }
    }

    /// With a synthetic population.
    pub fn populated(people: u64, seed: u64) -> Self {
        let registry = Self::empty();
        let view = registry.store.begin_read().unwrap();
        let units: Vec<_> = gazetteer::vietnam().into_iter().take(UNITS).collect();
        let options = SynthOptions {
            people,
            seed,
            ..SynthOptions::default()
        };
        let synth = Synth::new(options, view.catalogue(), &units).unwrap();
        let author = Author::new("admin", "a synthetic population");
        let mut transaction = registry.store.begin_write(author, instant()).unwrap();
        let mut loader = transaction.bulk().unwrap();
        for commune in 0..synth.communes() {
            for household in synth.commune(commune).1 {
                loader.add(&household).unwrap();
            }
        }
        assert_eq!(loader.finish().unwrap().people, people);
        transaction.commit().unwrap();
        registry
    }

    pub fn export(&self) -> (ExportSummary, String) {
        let mut file = Vec::new();
        let summary = export(&self.store.begin_read().unwrap(), &mut file, &mut |_| {}).unwrap();
        (summary, String::from_utf8(file).unwrap())
    }

    pub fn import_with(&self, file: &str, options: &ImportOptions) -> (ImportReport, String) {
        let mut rejects = Vec::new();
        let report = import(
            &self.store,
            file.as_bytes(),
            options,
            Some(&mut rejects),
            &mut |_| {},
        );
        (report.unwrap(), String::from_utf8(rejects).unwrap())
    }

    pub fn import(&self, file: &str) -> ImportReport {
        self.import_with(file, &options()).0
    }

    /// The newest sequence, and how many people and households there are.
    pub fn size(&self) -> (u64, u64, u64) {
        let view = self.store.begin_read().unwrap();
        let counts = view.counts().unwrap();
        (view.newest().get(), counts.people, counts.households)
    }
}

pub fn options() -> ImportOptions {
    ImportOptions::new(Author::new("clerk 00004", "an import"), instant())
}
