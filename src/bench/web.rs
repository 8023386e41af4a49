//! What live screens cost the service, measured on this machine: processor and bytes of so many that are open at once.
//!
//! The service runs as in a plant, in a process of its own; its machines and the screens are in this one, so that their
//! work is not counted as the service's. A screen here takes its stream and draws nothing. How long a count needs from
//! the register to the eye needs a browser and is measured by `tests/browser/paint.rs`.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use simulators::{Plant, PlantConfig, utc_now_us};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use super::acquire::Stop;
use super::machine::Machine;
use super::table::{Aim, Figures, Row};

const ALONE: &str = "the service without a screen";
const WATCHED: &str = "the service with live screens";
const CLOSELY: &str = "the service with live screens that follow closely";

/// How long the service may take to say where it is, and a screen to hear the first view.
const BEGINS_WITHIN: Duration = Duration::from_secs(60);

/// Before a row is measured: the first views of a stream are followed by charts, which come once a minute.
const SETTLE: Duration = Duration::from_secs(3);

/// The share of a core that all screens and the service together may take.
const MOST_PERCENT: f64 = 10.0;

/// Rows that are measured one after the other.
pub const STEPS: u64 = 3;

/// Measures for so long each without a screen and with so many. `progress` hears what is measured next.
pub async fn run(
    screens: usize,
    each: Duration,
    stop: &Stop,
    progress: impl Fn(&'static str),
) -> Figures {
    let machine = Machine::read();
    let rows = match measure(screens, each, stop, progress).await {
        Ok(rows) => rows,
        Err(error) => vec![Row::failed(WATCHED, &format!("{error:#}"))],
    };
    Figures { machine, rows, interrupted: stop.is_set() }
}

async fn measure(
    screens: usize,
    each: Duration,
    stop: &Stop,
    progress: impl Fn(&'static str),
) -> anyhow::Result<Vec<Row>> {
    let scratch = tempfile::tempdir().context("no directory for the journal can be made")?;
    let config = PlantConfig {
        line_start_us: utc_now_us(),
        pki_dir: scratch.path().join("sim-pki"),
        ..PlantConfig::default()
    };
    let plant = Plant::start(config).await?;
    let service = Service::start(scratch.path(), &plant)?;
    let mut first = Screen::open(&service.address, 2).await?;
    first.hears("\"feed\":\"current\"").await?;
    drop(first);

    progress(ALONE);
    stop.pass(SETTLE).await;
    let (spent, since) = (service.cpu()?, Instant::now());
    stop.pass(each).await;
    let alone = percent(service.cpu()? - spent, since.elapsed());
    let row = Row::new(ALONE, since.elapsed().as_secs_f64())
        .figure("processor", alone, "% of a core")
        .note("a filler read each 10 ms and a checkweigher by subscription, stored");
    let mut rows = vec![row];
    for (what, hz) in [(WATCHED, 2), (CLOSELY, 10)] {
        if stop.is_set() {
            break;
        }
        progress(what);
        let watched = watched(&service, screens, hz, each, stop).await?;
        let mut row = Row::new(format!("{what}: {screens}"), watched.seconds).figure(
            "processor",
            watched.percent,
            "% of a core",
        );
        if hz == 2 {
            row = row.aim(Aim::AtMost(MOST_PERCENT));
        }
        let row = row
            .figure("more than without", watched.percent - alone, "% of a core")
            .figure("views of a screen", watched.views, "/s")
            .figure("bytes of a screen", watched.bytes, "/s")
            .note("streams of events, not compressed; the whole process is counted");
        rows.push(row);
    }
    Ok(rows)
}

/// What the service did with screens, and what each of them heard in a second.
struct Watched {
    seconds: f64,
    percent: f64,
    views: f64,
    bytes: f64,
}

async fn watched(
    service: &Service,
    screens: usize,
    hz: u32,
    each: Duration,
    stop: &Stop,
) -> anyhow::Result<Watched> {
    let heard = Heard::default();
    let mut streams = JoinSet::new();
    for _ in 0..screens {
        let mut screen = Screen::open(&service.address, hz).await?;
        let heard = heard.clone();
        streams.spawn(async move {
            while let Some(part) = screen.part().await {
                heard.bytes.fetch_add(part.len() as u64, Relaxed);
                let begins =
                    |event: &[u8]| part.windows(event.len()).filter(|w| *w == event).count();
                let views = begins(b"event: view") + begins(b"event: now");
                heard.views.fetch_add(views as u64, Relaxed);
            }
        });
    }
    stop.pass(SETTLE).await;
    let before = (heard.bytes.load(Relaxed), heard.views.load(Relaxed));
    let (spent, since) = (service.cpu()?, Instant::now());
    stop.pass(each).await;
    let (spent, time) = (service.cpu()? - spent, since.elapsed());
    ensure!(streams.len() == screens && streams.try_join_next().is_none(), "a stream ended");
    let of_each = |n: u64| n as f64 / screens as f64 / time.as_secs_f64();
    Ok(Watched {
        seconds: time.as_secs_f64(),
        percent: percent(spent, time),
        views: of_each(heard.views.load(Relaxed) - before.1),
        bytes: of_each(heard.bytes.load(Relaxed) - before.0),
    })
}

fn percent(spent: Duration, of: Duration) -> f64 {
    spent.as_secs_f64() / of.as_secs_f64() * 100.0
}

/// What all screens have heard.
#[derive(Clone, Default)]
struct Heard {
    bytes: Arc<AtomicU64>,
    views: Arc<AtomicU64>,
}

/// One open stream.
struct Screen {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Screen {
    async fn open(address: &str, hz: u32) -> anyhow::Result<Screen> {
        let mut stream = TcpStream::connect(address).await?;
        let asked = format!("GET /events?line=L1&hz={hz} HTTP/1.1\r\nhost: {address}\r\n\r\n");
        stream.write_all(asked.as_bytes()).await?;
        Ok(Screen { stream, buffer: vec![0; 64 * 1_024] })
    }

    /// What comes next; none at the end.
    async fn part(&mut self) -> Option<&[u8]> {
        let n = self.stream.read(&mut self.buffer).await.ok().filter(|n| *n > 0)?;
        self.buffer.get(..n)
    }

    /// Reads until these words have come.
    async fn hears(&mut self, words: &str) -> anyhow::Result<()> {
        let heard = async {
            let mut text = String::new();
            while let Some(part) = self.part().await {
                text += &String::from_utf8_lossy(part);
                if text.contains(words) {
                    return true;
                }
            }
            false
        };
        let heard = tokio::time::timeout(BEGINS_WITHIN, heard).await.unwrap_or(false);
        ensure!(heard, "the service showed nothing in {BEGINS_WITHIN:?}");
        Ok(())
    }
}

/// `capline run` in a process of its own, ended with this value.
struct Service {
    child: Child,
    /// Host and port of its screens.
    address: String,
}

impl Service {
    fn start(dir: &Path, plant: &Plant) -> anyhow::Result<Service> {
        let text = format!(
            "[site]\nname = 'bench'\nzone = 'UTC'\n[web]\nlisten = '127.0.0.1:0'\n[store]\ndir = 'data'\n\
             [[line]]\nid = 'L1'\ntitle = {{ en = 'Line 1', zh = '一线' }}\ncounting_station = 'CF01'\n\
             target_per_minute = 6500\n\
             [[line.device]]\nmap = 'filler.toml'\naddress = '{}'\n\
             [[line.device]]\nmap = 'weigher.toml'\naddress = '{}'\n",
            plant.modbus_addr(),
            plant.opcua_url()
        );
        for (name, text) in [
            ("filler.toml", include_str!("../../plc-maps/cf01-modbus.toml")),
            ("weigher.toml", include_str!("../../plc-maps/cw04-opcua.toml")),
            ("capline.toml", &text),
        ] {
            std::fs::write(dir.join(name), text)?;
        }
        let own = std::env::current_exe().context("the program does not know where it is")?;
        let mut child = Command::new(own)
            .args(["run", "--config"])
            .arg(dir.join("capline.toml"))
            .env("RUST_LOG", "warn,capline=info")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .context("the service cannot be started")?;
        let log = child.stderr.take();
        let mut service = Service { child, address: String::new() };
        let mut lines = BufReader::new(log.context("the log of the service is not there")?).lines();
        let said = lines.by_ref().map_while(Result::ok).find_map(|line| {
            let address = line.split("http://").nth(1)?.split_whitespace().next()?;
            Some(address.trim_end_matches('/').to_owned())
        });
        service.address = said.context("the service did not begin")?;
        // Read to the end, so that a full pipe never holds it up.
        std::thread::spawn(move || lines.for_each(drop));
        Ok(service)
    }

    /// Processor time of the process so far, all threads.
    fn cpu(&self) -> anyhow::Result<Duration> {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id()))?;
        spent(&stat, rustix::param::clock_ticks_per_second())
            .with_context(|| format!("the processor time of the service cannot be read: {stat:?}"))
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        // Both fail only for a process that has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// User and system time in a line of `/proc/PID/stat`, proc(5). The name in brackets may hold blanks.
fn spent(stat: &str, ticks_per_s: u64) -> Option<Duration> {
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace().skip(11);
    let mut next = || fields.next()?.parse::<u64>().ok();
    Some(Duration::from_secs_f64((next()? + next()?) as f64 / ticks_per_s as f64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn processor_time_is_read_behind_a_name_with_blanks_and_brackets() {
        let stat = "4711 (a) b (c) S 1 2 3 4 5 6 7 8 9 10 150 50 0 0 20 0 9 0 1 2";
        assert_eq!(spent(stat, 100), Some(Duration::from_secs(2)));
        assert_eq!(spent("4711 (x) S 1 2", 100), None);
    }
}
