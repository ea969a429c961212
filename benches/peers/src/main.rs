//! The Rust side of the comparison with other systems: the registry, its export, and the peers that are used from Rust.
//!
//! `benches/peers/run` calls it; every command prints one JSON value. See `benches/peers/README.md`.

mod columns;
mod export;
mod job;
mod lines;
mod policy;
mod redb_peer;
mod sqlite_peer;

use std::error::Error;
use std::path::Path;

use ansinh::types::Month;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Whatever goes wrong ends the program with its message.
pub type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

const USAGE: &str = "usage: ansinh-peers COMMAND
  make REGISTRY PACK PEOPLE MONTH    a registry of synthetic people, seed 1, with the pack
  export REGISTRY FOLDER MONTH ATTRIBUTES
                                     the population at the end of the month as columns; attributes
                                     with commas between them, such as person.disability
  job REGISTRY MONTH                 one run of the month, which is voided afterwards
  sqlite-load FOLDER DATABASE        the columns into SQLite
  sqlite-job DATABASE SQL            the same job there
  redb-load FOLDER DATABASE          the columns into redb, one row a person
  redb-job DATABASE                  the same job there";

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let answer = match arguments[..] {
        ["make", registry, pack, people, month] => job::make(
            Path::new(registry),
            Path::new(pack),
            people.parse()?,
            month.parse()?,
        )?,
        ["export", registry, folder, month, attributes] => {
            let attributes: Vec<&str> = attributes.split(',').collect();
            export::export(
                Path::new(registry),
                Path::new(folder),
                month.parse()?,
                &attributes,
            )?
        }
        ["job", registry, month] => job::run(Path::new(registry), month.parse::<Month>()?)?,
        ["sqlite-load", folder, database] => sqlite_peer::load(Path::new(folder), Path::new(database))?,
        ["sqlite-job", database, sql] => sqlite_peer::run(Path::new(database), Path::new(sql))?,
        ["redb-load", folder, database] => redb_peer::load(Path::new(folder), Path::new(database))?,
        ["redb-job", database] => redb_peer::run(Path::new(database))?,
        _ => return Err(USAGE.into()),
    };
    println!("{answer}");
    Ok(())
}
