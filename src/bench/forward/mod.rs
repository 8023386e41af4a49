//! How fast a backlog goes to a real PostgreSQL, and how late the present is meanwhile: measured on this machine.
//!
//! The journal is made up and real: lines of twelve counters, stored by ticks as the service stores them. It is filled
//! while nothing is forwarded, as in an outage; then it is forwarded while every line ticks on, four times a second.

mod figures;
mod made;

use std::collections::VecDeque;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use domain::line::tracker::Changes;
use domain::units::{LineId, MINUTE_US};
use futures_util::future::try_join_all;
use tokio::time::MissedTickBehavior;

use super::machine::Machine;
use super::store::{self, COUNTERS};
use crate::clock::Clock;
use crate::historian::archive::{Holding, Settings, migrate, survey};
use crate::historian::forward::{ForwardState, ForwardStats, Forwarder};
use crate::historian::{Historian, Options};
use made::{Made, event, fill, tick};

pub use figures::Figures;
pub(super) use figures::LATEST;

/// Time between two ticks of the present.
const TICK: Duration = Duration::from_millis(250);
/// Time between two looks at what was acknowledged.
const LOOK: Duration = Duration::from_millis(5);
/// Without a step forward for so long it is given up.
const STUCK: Duration = Duration::from_secs(120);

/// How much is measured.
#[derive(Clone, Copy, Debug)]
pub struct Effort {
    /// Lines.
    pub lines: u64,
    /// Minutes of each line in the backlog.
    pub minutes: i64,
    /// Whether the database may hold rows of other boxes.
    pub beside: bool,
}

impl Default for Effort {
    fn default() -> Effort {
        Effort { lines: 20, minutes: 3 * 1_440, beside: false }
    }
}

/// How far it is: what is done, how much of it, of how much.
pub type Progress = Arc<dyn Fn(&'static str, u64, u64) + Send + Sync>;

/// Measures in a directory, with a database that is reached as `settings` say. Ends early when `stop` is set.
///
/// # Errors
/// In words: the database is not empty or cannot be reached, the disk is full, or it holds in the end what it should not.
pub async fn run(
    dir: &Path,
    settings: Settings,
    effort: Effort,
    progress: Progress,
    stop: Arc<AtomicBool>,
) -> Result<Figures, String> {
    let machine = Machine::read();
    let there = survey(&settings.address, None).await?;
    if !there.is_empty() && !effort.beside {
        let edges: Vec<&str> = there.iter().map(|holding| holding.edge.as_str()).collect();
        return Err(format!(
            "the database \"{}\" holds rows of {}; give an empty one, or say --beside",
            settings.address.database,
            edges.join(", ")
        ));
    }
    migrate(&settings.address).await?;
    let historian = Historian::open(dir, Options::default()).map_err(|error| error.to_string())?;
    let now_us = Clock::real().now().utc_us.div_euclid(MINUTE_US) * MINUTE_US;
    let made = Made { effort, from_us: now_us - effort.minutes * MINUTE_US };
    let (filled, told, stopped) = (historian.clone(), progress.clone(), stop.clone());
    let fill = tokio::task::spawn_blocking(move || fill(&filled, made, &told, &stopped));
    fill.await.map_err(|error| error.to_string())??;
    let backlog = made.holding();
    let measured = drain(&historian, settings.clone(), made, progress, stop).await?;
    let held = survey(&settings.address, Some(&settings.edge)).await?;
    let held = held.into_iter().next().unwrap_or_default();
    let wanted = Holding {
        edge: settings.edge,
        events: backlog.events + measured.events,
        counts: backlog.counts + measured.open * COUNTERS as i64,
        ..backlog
    };
    if held != wanted {
        return Err(format!("the database holds {held:?} and should hold {wanted:?}"));
    }
    tokio::task::spawn_blocking(move || historian.close())
        .await
        .map_err(|error| error.to_string())?
        .map_err(|error| error.to_string())?;
    let Holding { minutes, counts, events, stops, .. } = backlog;
    Ok(Figures {
        lines: effort.lines,
        minutes: effort.minutes,
        rows: (minutes + counts + events + stops) as u64,
        took: measured.took,
        late: measured.late,
        machine,
    })
}

/// What was measured while the backlog went.
struct Measured {
    took: Duration,
    late: Vec<Duration>,
    /// Events of the present.
    events: i64,
    /// Minutes of the present, which were open.
    open: i64,
}

/// Forwards the backlog while the lines tick on.
async fn drain(
    historian: &Historian,
    settings: Settings,
    made: Made,
    progress: Progress,
    stop: Arc<AtomicBool>,
) -> Result<Measured, String> {
    let began = Instant::now();
    let (forwarder, _alarms) = historian.forward(settings).map_err(|error| error.to_string())?;
    let mut present = Present::new(historian.clone(), made);
    let backlog = made.holding();
    let of = (backlog.events + backlog.minutes + backlog.stops) as u64;
    let mut ticks = tokio::time::interval(TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut looks = tokio::time::interval(LOOK);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut moved = (0, Instant::now());
    let took = loop {
        tokio::select! {
            _ = ticks.tick() => present.tick().await?,
            _ = looks.tick() => {
                let stats = forwarder.status().read();
                present.acknowledged(&stats);
                let sent: u64 = stats.streams.iter().map(|stream| stream.sent).sum();
                progress("forwarding", sent.min(of), of);
                if is_done(&stats) && sent >= of {
                    break began.elapsed();
                }
                if sent > moved.0 {
                    moved = (sent, Instant::now());
                } else if moved.1.elapsed() > STUCK {
                    return Err(stuck(&stats));
                }
            }
        }
        if stop.load(Ordering::Relaxed) {
            return Err("interrupted".to_owned());
        }
    };
    present.finish(&forwarder).await?;
    forwarder.stop().await;
    present.late.sort_unstable();
    let (events, open) = (present.n_ticks * made.effort.lines as i64, made.effort.lines as i64);
    Ok(Measured { took, late: present.late, events, open })
}

/// Whether nothing of the past is left.
fn is_done(stats: &ForwardStats) -> bool {
    stats.state == ForwardState::Forwarding
        && !stats.streams.is_empty()
        && stats.streams.iter().all(|stream| stream.backlog == 0)
}

fn stuck(stats: &ForwardStats) -> String {
    let why = stats.trouble.as_deref().unwrap_or("it does not say why");
    format!("nothing was taken for {} s: {why}", STUCK.as_secs())
}

/// The lines at present.
struct Present {
    historian: Historian,
    lines: Vec<LineId>,
    next: u64,
    /// Their open minute: that of the first tick.
    minute_us: Option<i64>,
    n_ticks: i64,
    /// Events that were stored and not acknowledged yet: the last number of each tick.
    waiting: VecDeque<(i64, Instant)>,
    late: Vec<Duration>,
}

impl Present {
    fn new(historian: Historian, made: Made) -> Present {
        Present {
            historian,
            lines: made.ids(),
            next: made.bites() as u64 + 1,
            minute_us: None,
            n_ticks: 0,
            waiting: VecDeque::new(),
            late: Vec::new(),
        }
    }

    /// A tick of every line, with an event and the minute that is open.
    async fn tick(&mut self) -> Result<(), String> {
        let at_us = Clock::real().now().utc_us;
        let minute_us = at_us.div_euclid(MINUTE_US) * MINUTE_US;
        let minute_us = *self.minute_us.get_or_insert(minute_us);
        let mut pending = Vec::new();
        for line in &self.lines {
            let changes = Changes {
                minutes: vec![store::minute(minute_us, self.next)],
                events: vec![event(at_us)],
                ..Changes::default()
            };
            let queued = self.historian.append(tick(line, self.next, at_us, changes));
            pending.push(queued.map_err(|_| "the queue of the journal is full".to_owned())?);
        }
        try_join_all(pending).await.map_err(|refused| refused.error.to_string())?;
        let stored = Instant::now();
        let (historian, lines) = (self.historian.clone(), self.lines.clone());
        let last = move || {
            let last = |line: &LineId| historian.events(line, at_us, at_us + 1, None, 1);
            let found: Result<Vec<_>, _> = lines.iter().map(last).collect();
            found.map(|found| found.iter().flatten().map(|(seq, _)| *seq).max().unwrap_or(0))
        };
        let last = tokio::task::spawn_blocking(last).await.map_err(|error| error.to_string())?;
        self.waiting.push_back((last.map_err(|error| error.to_string())?, stored));
        (self.next, self.n_ticks) = (self.next + 1, self.n_ticks + 1);
        Ok(())
    }

    /// Notes what has arrived by now.
    fn acknowledged(&mut self, stats: &ForwardStats) {
        let there = stats.streams.iter().find(|stream| stream.name == "event");
        let there = there.map_or(0, |stream| stream.last_seq);
        while self.waiting.front().is_some_and(|(seq, _)| *seq <= there) {
            let stored = self.waiting.pop_front().map(|(_, stored)| stored.elapsed());
            self.late.extend(stored);
        }
    }

    /// Waits for what is still on its way.
    async fn finish(&mut self, forwarder: &Forwarder) -> Result<(), String> {
        let began = Instant::now();
        while !self.waiting.is_empty() {
            let stats = forwarder.status().read();
            self.acknowledged(&stats);
            if began.elapsed() > STUCK {
                return Err(stuck(&stats));
            }
            tokio::time::sleep(LOOK).await;
        }
        Ok(())
    }
}
