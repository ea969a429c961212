//! The registry that is compared: its making, and the month in it.

use std::path::Path;
use std::time::Instant as Clock;

use ansinh::entitlement::{RunAnswer, RunHeader, RunRequest, Scope};
use ansinh::format::totals::LineKind;
use ansinh::kernel::{Author, StoreOptions, View};
use ansinh::policy::Pack;
use ansinh::registry::Registry;
use ansinh::synth::{Synth, SynthOptions};
use ansinh::types::{Instant, Month};
use serde_json::{Value as Json, json};

use crate::Result;
use crate::lines::{ChannelTotal, Kind, Total, peak_memory_mib};
use crate::policy::Programme;

/// The threads that every system is given.
pub const THREADS: usize = 2;
const SEED: u64 = 1;

fn author() -> Author {
    Author::new("peers", "comparison with other systems")
}

const fn instant(millis: i64) -> Instant {
    Instant::from_unix_millis(millis)
}

/// Makes a registry of synthetic people, and adopts the pack.
///
/// The population records what the pack of Vietnam declares, so that pack comes first; what another pack does not ask
/// for stays in the file.
pub fn make(path: &Path, pack: &Path, people: u64, month: Month) -> Result<Json> {
    let clock = Clock::now();
    let registry = Registry::create(path, &Pack::vietnam(), instant(0))?;
    let options = SynthOptions {
        people,
        seed: SEED,
        month,
    };
    let view = registry.begin_read()?;
    let synth = Synth::new(options, view.catalogue(), &ansinh::gazetteer::vietnam())?;
    drop(view);
    let mut transaction = registry.begin_write(author(), instant(1))?;
    let loaded = synth.load(&mut transaction, THREADS, |_| {})?;
    transaction.commit()?;
    let pack = Pack::read(pack)?;
    let mut transaction = registry.begin_write(author(), instant(2))?;
    transaction.adopt(&pack)?;
    transaction.commit()?;
    registry.close()?;
    Ok(json!({
        "people": loaded.people,
        "households": loaded.households,
        "seconds": clock.elapsed().as_secs_f64(),
        "bytes": std::fs::metadata(path)?.len(),
    }))
}

/// Runs a month once, to the durable commit; opening is not counted. The draft is voided afterwards.
pub fn run(path: &Path, month: Month) -> Result<Json> {
    let registry = Registry::open_with(path, StoreOptions::for_one_run())?;
    let request = RunRequest {
        workers: THREADS,
        ..RunRequest::monthly(month)
    };
    let clock = Clock::now();
    let answer = registry.run(&request, author(), instant(3), &|_, _| {})?;
    let seconds = clock.elapsed().as_secs_f64();
    let RunAnswer::Created(run) = answer else {
        return Err("the month was run before".into());
    };
    let view = registry.begin_read()?;
    let (totals, channels) = totals_of(&view, &run)?;
    drop(view);
    registry.void_run(month, Scope::Country, author(), instant(4))?;
    registry.close()?;
    if run.error > 0 {
        return Err(format!("{} people could not be worked out", run.error).into());
    }
    Ok(json!({
        "seconds": seconds,
        "peak_memory_mib": peak_memory_mib(),
        "people": run.people,
        "paid_people": run.paid,
        "held_people": run.held + run.paid_with_held,
        "totals": totals,
        "channels": channels,
    }))
}

/// What is paid and held by commune and programme, and what is paid by commune and channel.
fn totals_of(view: &View, run: &RunHeader) -> Result<(Vec<Total>, Vec<ChannelTotal>)> {
    let (mut by_programme, mut by_channel) = (Vec::new(), Vec::new());
    for (unit, totals) in view.run_totals(run.number)? {
        let unit = view.unit(unit).ok_or("a unit of the totals is not stored")?;
        let commune = unit.declared.code.number();
        for (&(programme, kind), tally) in &totals.programmes {
            let programme = view.catalogue().programme_by_number(programme);
            let programme = programme.ok_or("a programme of the totals is not declared")?;
            by_programme.push(Total {
                commune,
                programme: Programme::named(&programme.name)? as u8,
                kind: match kind {
                    LineKind::Paid => Kind::Paid,
                    LineKind::Held => Kind::Held,
                    LineKind::Error => return Err("a line could not be worked out".into()),
                },
                people: tally.people,
                amount: i64::try_from(tally.sum.get())?,
            });
        }
        for (&channel, tally) in &totals.channels {
            by_channel.push(ChannelTotal {
                commune,
                channel: u8::try_from(channel)?,
                people: tally.people,
                amount: i64::try_from(tally.sum.get())?,
            });
        }
    }
    by_programme.sort();
    by_channel.sort();
    Ok((by_programme, by_channel))
}
