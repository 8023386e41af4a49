//! A reader as it is often written: plain differences, states as read, and a plain p chart. It is the control of the
//! score: what the service does right is wrong here, on the same wire.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{net::TcpStream, task::JoinHandle, time::timeout};
use tokio_modbus::{
    Slave,
    client::{Context, Reader, tcp},
};

use crate::{
    registers::{FILLER_REGISTERS, address},
    report::{Report, ReportError, Reporter, Said, SaidCounter, SaidSignal, SaidStop},
    scenario::Output,
    score::{INFEED, OUTPUT},
    service_line::CHART,
    stops::State,
};

/// Time for an answer.
const LIMIT: Duration = Duration::from_millis(100);
/// A subgroup of the p chart, and how many of them give its limits.
const SUBGROUP_US: i64 = 60_000_000;
const BASELINE: usize = 10;

/// Clock of the reader: UTC in microseconds since 1970.
pub type Now = Arc<dyn Fn() -> i64 + Send + Sync>;

/// Tags of 16 bits and their registers.
const WORDS: [(&str, usize); 7] = [
    ("CF01.Rej.Unseparated", address::REJ_UNSEPARATED),
    ("CF01.Rej.DentedTelescoped", address::REJ_DENTED_TELESCOPED),
    ("CF01.Rej.Startup", address::REJ_STARTUP),
    ("CF01.Rej.NoDose", address::REJ_NO_DOSE),
    ("CF01.Rej.DoubleCap", address::REJ_DOUBLE_CAP),
    ("CF01.Samples", address::SAMPLES),
    ("CF01.Rej.EmptyPocket", address::REJ_EMPTY_POCKET),
];

/// A naive reader of the filler, at work until it is dropped.
pub struct Naive {
    seen: Arc<Mutex<Seen>>,
    now: Now,
    task: JoinHandle<()>,
}

/// What a naive reader remembers.
#[derive(Default)]
struct Seen {
    last: BTreeMap<&'static str, u64>,
    totals: BTreeMap<&'static str, u64>,
    stops: Vec<SaidStop>,
    chart: Chart,
    signals: Vec<SaidSignal>,
}

/// A plain p chart: binomial limits from its first subgroups.
#[derive(Default)]
struct Chart {
    ends_us: Option<i64>,
    /// Good and rejected capsules at the beginning of the subgroup.
    base: (u64, u64),
    /// Good and rejected capsules of the baseline, and its subgroups.
    baseline: (u64, u64, usize),
    outside: bool,
}

impl Naive {
    /// Begins to read every `period` of real time, on one connection as long as there is one.
    pub fn start(filler: SocketAddr, output: Output, period: Duration, now: Now) -> Naive {
        let seen = Arc::new(Mutex::new(Seen::default()));
        let work = (Arc::clone(&seen), Arc::clone(&now));
        let task = tokio::spawn(async move {
            let (seen, now) = work;
            loop {
                if let Ok(Ok(mut client)) = timeout(LIMIT, connect(filler)).await {
                    while let Some(words) = read(&mut client).await {
                        lock(&seen).see(&words, output, now());
                        tokio::time::sleep(period).await;
                    }
                }
                tokio::time::sleep(period).await;
            }
        });
        Naive { seen, now, task }
    }

    /// Whether it has read anything.
    pub fn has_read(&self) -> bool {
        !lock(&self.seen).last.is_empty()
    }
}

impl Drop for Naive {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn lock(seen: &Mutex<Seen>) -> MutexGuard<'_, Seen> {
    // A panic while it is held would leave a reading that is half added: naive all the same.
    seen.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn connect(filler: SocketAddr) -> std::io::Result<Context> {
    let stream = TcpStream::connect(filler).await?;
    stream.set_nodelay(true)?;
    Ok(tcp::attach_slave(stream, Slave(1)))
}

/// All registers; none when the connection is of no more use.
async fn read(client: &mut Context) -> Option<Vec<u16>> {
    let asked = client.read_holding_registers(0, FILLER_REGISTERS as u16);
    timeout(LIMIT, asked).await.ok()?.ok()?.ok().filter(|words| words.len() == FILLER_REGISTERS)
}

impl Seen {
    fn see(&mut self, words: &[u16], output: Output, now_us: i64) {
        let wide = |at: usize| u64::from(words[at]) << 16 | u64::from(words[at + 1]);
        let good = match output {
            Output::Lifetime => wide(address::PROCESSED_ACC_COUNT),
            Output::LowWord => u64::from(words[address::PROCESSED_ACC_COUNT + 1]),
            Output::Panel => u64::from(words[address::PANEL_COUNT]),
        };
        self.count(OUTPUT, good);
        self.count(INFEED, wide(address::CONSUMED_COUNT));
        for (tag, at) in WORDS {
            self.count(tag, u64::from(words[at]));
        }
        self.follow(words[address::STATE_CURRENT], words[address::STOP_REASON], now_us);
        self.judge(now_us);
    }

    /// The difference, and after a drop what the register shows.
    fn count(&mut self, tag: &'static str, value: u64) {
        let before = self.last.insert(tag, value).unwrap_or(value);
        *self.totals.entry(tag).or_default() += value.checked_sub(before).unwrap_or(value);
    }

    fn follow(&mut self, state: u16, reason: u16, now_us: i64) {
        let runs = [State::Running as u16, State::Starting as u16].contains(&state);
        let open = self.stops.last_mut().filter(|stop| stop.to_us.is_none());
        match (open, runs) {
            (Some(stop), true) => stop.to_us = Some(now_us),
            (None, false) => self.stops.push(SaidStop {
                from_us: now_us,
                to_us: None,
                cause: "stopped".to_owned(),
                reason: Some(i64::from(reason)),
                key: Some("CF01".to_owned()),
            }),
            _ => {}
        }
    }

    /// A point each minute, outside of p ± 3 σ of the binomial distribution.
    fn judge(&mut self, now_us: i64) {
        let of = |tag: &str| self.totals.get(tag).copied().unwrap_or(0);
        let rejected: u64 = WORDS.iter().take(5).map(|(tag, _)| of(tag)).sum();
        let (good, chart) = (of(OUTPUT), &mut self.chart);
        let ends_us = *chart.ends_us.get_or_insert(now_us + SUBGROUP_US);
        if now_us < ends_us {
            return;
        }
        let (n_good, n_rejected) = (good - chart.base.0, rejected - chart.base.1);
        (chart.ends_us, chart.base) = (Some(now_us + SUBGROUP_US), (good, rejected));
        let n = (n_good + n_rejected) as f64;
        if n == 0.0 {
            return;
        }
        if chart.baseline.2 < BASELINE {
            let (good, rejected, points) = chart.baseline;
            chart.baseline = (good + n_good, rejected + n_rejected, points + 1);
            return;
        }
        let (good, rejected, _) = chart.baseline;
        let p = rejected as f64 / (good + rejected) as f64;
        let off = (n_rejected as f64 / n - p).abs();
        let outside = off > 3.0 * (p * (1.0 - p) / n).sqrt();
        if outside && !chart.outside {
            self.signals.push(SaidSignal {
                at_us: now_us,
                word: CHART.to_owned(),
                about: "reject_fraction".to_owned(),
            });
        }
        chart.outside = outside;
    }
}

impl Reporter for Naive {
    async fn report(&self, tags: &[&str], from_us: i64) -> Result<Report, ReportError> {
        let seen = lock(&self.seen);
        let counters = seen.totals.iter().filter(|(tag, _)| tags.contains(tag)).map(|(tag, n)| {
            let counter = SaidCounter { total: Said::exactly(*n), causes: Vec::new() };
            ((*tag).to_owned(), counter)
        });
        let stops = seen.stops.iter().filter(|stop| stop.to_us.is_none_or(|us| us >= from_us));
        let signals = seen.signals.iter().filter(|signal| signal.at_us >= from_us);
        Ok(Report {
            counters: counters.collect(),
            stops: stops.cloned().collect(),
            signals: signals.cloned().collect(),
            ..Report::default()
        })
    }

    async fn now_us(&self) -> Result<i64, ReportError> {
        Ok((self.now)())
    }
}
