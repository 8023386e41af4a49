//! How far `capline demo` is with the history of its plant: a bar on a terminal, and a line every few seconds elsewhere.

use std::io::IsTerminal;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use capline::demo::Progress;
use domain::units::HOUR_US;
use indicatif::{ProgressBar, ProgressStyle};

/// Time between two lines where there is no terminal.
const EVERY: Duration = Duration::from_secs(5);

/// Shows the progress of a history on stderr.
pub(crate) struct Shown {
    bar: Option<ProgressBar>,
    said: Mutex<Instant>,
}

impl Shown {
    /// Nothing is shown before the first step.
    pub(crate) fn new() -> Shown {
        let style = ProgressStyle::with_template("Capline demo: {msg} {bar:30} {percent} %");
        let bar = std::io::stderr().is_terminal().then(|| {
            let bar = ProgressBar::new(0);
            style.map_or(bar.clone(), |style| bar.with_style(style))
        });
        Shown { bar, said: Mutex::new(Instant::now()) }
    }

    /// Shows a step.
    pub(crate) fn tell(&self, progress: Progress) {
        if let Some(bar) = &self.bar {
            bar.set_length(progress.of_us.unsigned_abs());
            bar.set_position(progress.done_us.unsigned_abs());
            bar.set_message(words(progress));
            return;
        }
        let mut said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        if said.elapsed() >= EVERY {
            *said = Instant::now();
            eprintln!("Capline demo: {}", words(progress));
        }
    }

    /// Clears the bar.
    pub(crate) fn end(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

/// `history 12.5 of 44.1 h`.
fn words(progress: Progress) -> String {
    let hours = |us: i64| us as f64 / HOUR_US as f64;
    let what = if progress.is_counted { "counts its history," } else { "runs its plant," };
    format!("{what} {:.1} of {:.1} h", hours(progress.done_us), hours(progress.of_us))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn progress_is_told_in_hours() {
        let progress =
            Progress { is_counted: true, done_us: HOUR_US * 25 / 2, of_us: HOUR_US * 44 };
        assert_eq!(words(progress), "counts its history, 12.5 of 44.0 h");
        let progress = Progress { is_counted: false, ..progress };
        assert_eq!(words(progress), "runs its plant, 12.5 of 44.0 h");
    }
}
