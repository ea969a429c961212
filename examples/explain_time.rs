//! How long one explanation takes on an open registry: the median over people spread across it.
//!
//! ```sh
//! ansinh init /tmp/time.ansinh && ansinh synth /tmp/time.ansinh --people 1000000 && ansinh run /tmp/time.ansinh 2026-06
//! cargo run --release --example explain_time -- /tmp/time.ansinh 2026-06
//! ```

use std::error::Error;
use std::time::{Duration, Instant};

use ansinh::registry::Registry;
use ansinh::types::{Month, PersonNumber};

/// So many people are asked about, if there are as many.
const ASKED: u32 = 1_000;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [path, month] = arguments.as_slice() else {
        return Err("usage: explain_time DB MONTH".into());
    };
    let month: Month = month.parse()?;
    let registry = Registry::open(path)?;
    let people = u32::try_from(registry.begin_read()?.counts()?.people)?;
    let step = (people / ASKED).max(1);
    let (mut with_view, mut alone): (Vec<Duration>, Vec<Duration>) = (Vec::new(), Vec::new());
    let view = registry.begin_read()?;
    for number in (1..=people).step_by(step as usize) {
        let begun = Instant::now();
        let explained = registry.begin_read()?.explain(PersonNumber(number), month)?;
        with_view.push(begun.elapsed());
        assert_eq!(explained.month, month);
        let begun = Instant::now();
        view.explain(PersonNumber(number), month)?;
        alone.push(begun.elapsed());
    }
    for (what, mut times) in [
        ("first time, with a view of its own", with_view),
        ("second time, in one view", alone),
    ] {
        times.sort_unstable();
        let at = |percent: usize| times[(times.len() - 1) * percent / 100];
        println!(
            "{what}: {} people of {people}, median {:?}, 99 % {:?}, most {:?}",
            times.len(),
            at(50),
            at(99),
            at(100)
        );
    }
    Ok(registry.close()?)
}
