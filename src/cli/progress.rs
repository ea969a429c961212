//! A bar on standard error for whatever takes more than a second, if someone looks.

use std::io::IsTerminal;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// How long work goes on before a bar is drawn.
const SILENT: Duration = Duration::from_secs(1);

/// The progress of some work. It is gone when dropped.
#[derive(Debug)]
pub struct Progress {
    bar: ProgressBar,
    begun: Instant,
    shown: bool,
}

impl Progress {
    /// Work that consists of `total` steps.
    pub fn new(what: &'static str, total: u64) -> Self {
        let bar = ProgressBar::with_draw_target(Some(total), ProgressDrawTarget::hidden());
        let style = ProgressStyle::with_template("{msg} {bar:30} {human_pos}/{human_len} {eta}");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        bar.set_message(what);
        Self {
            bar,
            begun: Instant::now(),
            shown: !std::io::stderr().is_terminal(),
        }
    }

    /// So many more steps are done.
    pub fn add(&mut self, steps: u64) {
        self.bar.inc(steps);
        if !self.shown && self.begun.elapsed() > SILENT {
            self.shown = true;
            self.bar.set_draw_target(ProgressDrawTarget::stderr());
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
