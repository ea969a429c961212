//! A bar on standard error for whatever takes more than a second, if someone looks.

use std::io::IsTerminal;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// How long work goes on before a bar is drawn.
const SILENT: Duration = Duration::from_secs(1);

/// The progress of some work, told by any number of threads. It is gone when dropped.
#[derive(Debug)]
pub struct Progress {
    bar: ProgressBar,
    begun: Instant,
    shown: AtomicBool,
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
            shown: AtomicBool::new(!std::io::stderr().is_terminal()),
        }
    }

    /// What is being done now.
    pub fn tell(&self, what: String) {
        self.bar.set_message(what);
        self.show();
    }

    /// So many more steps are done.
    pub fn add(&self, steps: u64) {
        self.bar.inc(steps);
        self.show();
    }

    /// So many steps are done in all.
    pub fn reach(&self, steps: u64) {
        self.bar.set_position(steps);
        self.show();
    }

    fn show(&self) {
        if self.begun.elapsed() > SILENT && !self.shown.swap(true, Ordering::Relaxed) {
            self.bar.set_draw_target(ProgressDrawTarget::stderr());
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
