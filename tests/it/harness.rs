//! A simulated plant and the real service over real sockets: what every test of counting starts with.
//!
//! Nothing in here sleeps where a condition can be waited for: see [`until`].

use std::collections::HashMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use capline::clock::Clock;
use capline::config::Config;
use capline::historian::Historian;
use capline::service::{LineSummary, Service, open_historian};
use domain::line::event::{Event, EventKind};
use domain::line::minute::{Counted, Minute};
use domain::units::{Count, LineId, StationId};
use http_body_util::{BodyExt, Empty, Full};
use hyper::body::Bytes;
use hyper_util::rt::TokioIo;
use serde_json::Value;
use simulators::{Plant, PlantConfig};

use crate::wire::relay::Relay;

/// Time for anything that normally takes a fraction of a second: a loaded machine must not fail a test.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// The one line of every test.
pub(crate) const LINE: &str = "L1";

/// Asks until there is an answer. `probe` returns what it saw instead, which is what the test dies with.
pub(crate) async fn until<T>(
    what: &str,
    limit: Duration,
    mut probe: impl AsyncFnMut() -> Result<T, String>,
) -> T {
    let end = Instant::now() + limit;
    loop {
        match probe().await {
            Ok(answer) => return answer,
            Err(seen) if Instant::now() > end => {
                panic!("{what} did not come about in {limit:?}; last seen: {seen}")
            }
            Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
        }
    }
}

/// A held plant: nothing is made before the first reading, so that all that is made can be counted.
pub(crate) async fn plant(config: PlantConfig, site: &Path) -> Plant {
    let config = PlantConfig { held: true, pki_dir: site.join("sim-pki"), ..config };
    Plant::start(config).await.expect("a plant starts on free ports")
}

/// A map of this repository.
pub(crate) fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// A configuration in a directory of its own, deleted with this value.
pub(crate) struct Site {
    dir: tempfile::TempDir,
    /// They read off what the service asks of the devices of the configuration.
    relays: Mutex<HashMap<String, (String, Option<Relay>)>>,
}

impl Site {
    /// An empty directory.
    pub(crate) fn new() -> Site {
        let dir = tempfile::tempdir().expect("there is room for a test");
        Site { dir, relays: Mutex::default() }
    }

    /// Writes the configuration of one line: its devices as map and address, the first of which counts. All that the
    /// service asks of a device that listens now is recorded on the way.
    pub(crate) fn configure(&self, listen: SocketAddr, counting: &str, devices: &[(&str, &str)]) {
        let mut text = format!(
            "[site]\nname = 'Test'\nzone = 'Asia/Shanghai'\n[web]\nlisten = '{listen}'\n[store]\ndir = 'data'\n\
             [[line]]\nid = '{LINE}'\ntitle = {{ en = 'Line 1', zh = '一线' }}\n\
             counting_station = '{counting}'\ntarget_per_minute = 6500\n"
        );
        for (map, address) in devices {
            let map = repository(map);
            // The same device of a configuration that is written again is the same address.
            let mut relays = self.relays.lock().unwrap_or_else(PoisonError::into_inner);
            let before = || Relay::before(address);
            let (address, _) = relays.entry((*address).to_owned()).or_insert_with(before);
            text += &format!("[[line.device]]\nmap = '{}'\naddress = '{address}'\n", map.display());
        }
        std::fs::write(self.file(), text).expect("a test can write its configuration");
    }

    /// The filler and the weigher of a plant, at any free port.
    pub(crate) fn follow(&self, plant: &Plant) {
        let filler = plant.modbus_addr().to_string();
        self.configure(any_port(), "CF01", &[(FILLER, &filler), (WEIGHER, &plant.opcua_url())]);
    }

    /// The same with a filler that tells no batch.
    pub(crate) fn follow_untold(&self, plant: &Plant) {
        let map = std::fs::read_to_string(repository(FILLER)).expect("the map is there");
        let told = |part: &&str| !part.contains("role = \"batch_id\"");
        let parts: Vec<&str> = map.split("[[tag]]").filter(told).collect();
        assert!(parts.len() < map.split("[[tag]]").count(), "the map has a tag for its batch");
        let file = self.path().join("untold.toml");
        std::fs::write(&file, parts.join("[[tag]]")).expect("a test can write a map");
        let (filler, file) = (plant.modbus_addr().to_string(), file.display().to_string());
        self.configure(any_port(), "CF01", &[(&file, &filler), (WEIGHER, &plant.opcua_url())]);
    }

    /// Its directory.
    pub(crate) fn path(&self) -> &Path {
        self.dir.path()
    }

    /// The configuration.
    pub(crate) fn file(&self) -> PathBuf {
        self.dir.path().join("capline.toml")
    }

    /// The journal directory.
    pub(crate) fn data(&self) -> PathBuf {
        self.dir.path().join("data")
    }

    /// The configuration as the service reads it.
    pub(crate) fn config(&self) -> Config {
        Config::load(&self.file()).unwrap_or_else(|error| panic!("{error}"))
    }

    /// Starts the service in this process.
    pub(crate) async fn serve(&self, clock: Clock) -> App {
        let config = self.config();
        let historian = open_historian(&config).expect("the journal opens");
        let service = Service::start(&config, clock, historian, false).await;
        App { service: service.expect("the service starts") }
    }

    /// What the journal says while no service holds it.
    pub(crate) fn books(&self) -> Books {
        let historian = open_historian(&self.config()).expect("the journal opens");
        let books = Books::read(&historian);
        historian.close().expect("the journal closes");
        books
    }
}

/// Map of the simulated filler.
pub(crate) const FILLER: &str = "plc-maps/cf01-modbus.toml";
/// Map of the simulated weigher.
pub(crate) const WEIGHER: &str = "plc-maps/cw04-opcua.toml";

/// A free port of this machine, chosen by the system.
pub(crate) fn any_port() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 0))
}

/// The real service in this process.
pub(crate) struct App {
    service: Service,
}

impl App {
    /// Its screens and its API.
    pub(crate) fn api(&self) -> Api {
        Api(self.service.addr())
    }

    /// Waits until every device was heard and every counter read: what is made from then on is counted.
    pub(crate) async fn heard(&self) {
        let counting = self.service.all_counting(PATIENCE).await;
        assert!(counting, "a counter was not read in {PATIENCE:?}");
    }

    /// Stops it as the command line does.
    pub(crate) async fn stop(self) -> LineSummary {
        let mut lines = self.service.stop().await.expect("the service stops in order");
        lines.pop().expect("the line has a summary")
    }
}

/// What the journal knows of one line.
pub(crate) struct Books {
    /// Good capsules of the counting station.
    pub(crate) total: Count,
    minutes: Vec<Minute>,
    counts: Vec<Event>,
}

impl Books {
    fn read(historian: &Historian) -> Books {
        let line = LineId::new(LINE);
        let resume = historian.resume(&line, i64::MAX).expect("the journal is read");
        let minutes = historian.minutes(&line, 0, i64::MAX, usize::MAX / 4).expect("minutes are");
        let counts = historian
            .events(&line, 0, i64::MAX, Some(&[EventKind::Count]), usize::MAX / 4)
            .expect("events are read");
        let counts = counts.into_iter().map(|(_, event)| event).collect();
        Books { total: resume.total, minutes, counts }
    }

    /// Everything of one counter: what its minutes hold, and what is known only of gaps as a whole.
    pub(crate) fn of(&self, station: &str, counted: &Counted, tag: &str) -> Count {
        self.in_minutes(station, counted) + self.gaps(tag).into_iter().sum()
    }

    /// What its minutes hold.
    pub(crate) fn in_minutes(&self, station: &str, counted: &Counted) -> Count {
        let station = StationId::new(station);
        self.minutes.iter().map(|minute| minute.count(&station, counted)).sum()
    }

    /// Tags with a count of this cause, one entry for each.
    pub(crate) fn tags_with(&self, cause: &str) -> Vec<String> {
        let caused = self.counts.iter().filter(|event| event.word == cause);
        caused.filter_map(|event| Some(event.tag.as_ref()?.to_string())).collect()
    }

    /// Its gaps that are in no minute: those with a span of their own.
    pub(crate) fn gaps(&self, tag: &str) -> Vec<Count> {
        let is_gap = |event: &&Event| {
            event.from_us.is_some() && event.tag.as_ref().is_some_and(|id| id.as_str() == tag)
        };
        self.counts.iter().filter(is_gap).filter_map(|event| event.count).collect()
    }
}

/// The HTTP side of a running service.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Api(pub(crate) SocketAddr);

impl Api {
    /// The JSON at a path, or what came instead.
    pub(crate) async fn get(self, path: &str) -> Result<Value, String> {
        let text = self.text(path).await?;
        serde_json::from_str(&text).map_err(|error| format!("GET {path}: {error}"))
    }

    /// The text at a path, or what came instead.
    pub(crate) async fn text(self, path: &str) -> Result<String, String> {
        let words = |error: &dyn std::error::Error| format!("GET {path}: {error}");
        let stream = tokio::net::TcpStream::connect(self.0).await.map_err(|e| words(&e))?;
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
            .await
            .map_err(|e| words(&e))?;
        let connection = tokio::spawn(connection);
        let request = hyper::Request::get(path)
            .header("host", self.0.to_string())
            .body(Empty::<Bytes>::new())
            .map_err(|e| words(&e))?;
        let answer = sender.send_request(request).await.map_err(|e| words(&e))?;
        let status = answer.status();
        let body = answer.into_body().collect().await.map_err(|e| words(&e))?.to_bytes();
        connection.abort();
        let body = String::from_utf8_lossy(&body).into_owned();
        match status.is_success() {
            true => Ok(body),
            false => Err(format!("GET {path}: {status} {body}")),
        }
    }

    /// Status and JSON of what is posted to a path.
    pub(crate) async fn post(self, path: &str, body: &Value) -> Result<(u16, Value), String> {
        let words = |error: &dyn std::error::Error| format!("POST {path}: {error}");
        let stream = tokio::net::TcpStream::connect(self.0).await.map_err(|e| words(&e))?;
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
            .await
            .map_err(|e| words(&e))?;
        let connection = tokio::spawn(connection);
        let request = hyper::Request::post(path)
            .header("host", self.0.to_string())
            .header("content-type", "application/json")
            .body(Full::new(Bytes::from(body.to_string())))
            .map_err(|e| words(&e))?;
        let answer = sender.send_request(request).await.map_err(|e| words(&e))?;
        let status = answer.status().as_u16();
        let body = answer.into_body().collect().await.map_err(|e| words(&e))?.to_bytes();
        connection.abort();
        if body.is_empty() {
            return Ok((status, Value::Null));
        }
        Ok((status, serde_json::from_slice(&body).map_err(|e| words(&e))?))
    }

    /// The line as the overview shows it.
    pub(crate) async fn snapshot(self) -> Result<Value, String> {
        self.get(&format!("/api/v1/lines/{LINE}/snapshot")).await
    }

    /// Good capsules since the journal began.
    pub(crate) async fn total(self) -> Result<Count, String> {
        count(&self.snapshot().await?["total"])
    }

    /// Waits until a station is heard and each of its counters is read: what is made from then on is counted.
    pub(crate) async fn heard(self, station: &str) {
        until("a heard station", PATIENCE, async || {
            let view = self.snapshot().await?;
            let state = station_of(&view, station)?;
            if state["up"] != true {
                return Err(state.to_string());
            }
            let data = self.get(&format!("/api/v1/lines/{LINE}/data")).await?;
            let tags = data["tags"].as_array().ok_or("there are no tags yet")?;
            let unread = |tag: &&Value| {
                tag["station"] == station && tag["trend"] == "rate" && tag["counter"].is_null()
            };
            match tags.iter().find(unread) {
                None => Ok(()),
                Some(tag) => Err(format!("{} was not read", tag["tag"])),
            }
        })
        .await;
    }

    /// Waits until the total is exactly this. A plant that is held gives no sign of life: after two seconds the total is open
    /// above, and what was read of the filler tells it alone.
    pub(crate) async fn counts(self, n: u64) {
        let path = counter_path(LINE, "CF01.Admin.ProdProcessedCount[0].AccCount");
        until(&format!("a total of {n}"), PATIENCE, async || {
            let total = self.total().await?;
            if total == Count::exact(n) {
                return Ok(());
            }
            let read = count(&self.get(&path).await?["total"])?;
            let is_it = total.low() == n && read == Count::exact(n);
            if is_it { Ok(()) } else { Err(format!("{total}, of which {read} was read")) }
        })
        .await;
    }

    /// Waits until the total is at least this.
    pub(crate) async fn counts_beyond(self, n: u64) {
        until(&format!("a total beyond {n}"), PATIENCE, async || match self.total().await? {
            total if total.low() > n => Ok(()),
            total => Err(total.to_string()),
        })
        .await;
    }

    /// Stored gap events of a tag that have a span of their own, oldest first.
    pub(crate) async fn gaps(self, tag: &str) -> Result<Vec<Count>, String> {
        let events = self.get(&format!("/api/v1/lines/{LINE}/events?kind=count")).await?;
        let events = events.as_array().ok_or("the events are no list")?;
        let is_gap = |event: &&Value| {
            event["tag"] == tag && event["word"] == "gap" && !event["from_ms"].is_null()
        };
        events.iter().filter(is_gap).map(|event| count(&event["count"])).collect()
    }

    /// What all stored minutes of the last hour hold of the counting station's good capsules.
    pub(crate) async fn in_minutes(self) -> Result<Count, String> {
        let minutes = self.get(&format!("/api/v1/lines/{LINE}/minutes")).await?;
        let minutes = minutes.as_array().ok_or("the minutes are no list")?;
        let counts: Result<Vec<Count>, String> =
            minutes.iter().map(|minute| count(&minute["good"])).collect();
        Ok(counts?.into_iter().sum())
    }
}

/// A station of a snapshot.
pub(crate) fn station_of<'v>(view: &'v Value, station: &str) -> Result<&'v Value, String> {
    let stations = view["stations"].as_array().ok_or("there are no stations yet")?;
    stations
        .iter()
        .find(|view| view["id"] == station)
        .ok_or_else(|| format!("{station} is not among {stations:?}"))
}

/// Where a counter of a line is told.
pub(crate) fn counter_path(line: &str, tag: &str) -> String {
    format!("/api/v1/lines/{line}/counters/{}", tag.replace('[', "%5B").replace(']', "%5D"))
}

/// A count in JSON.
pub(crate) fn count(value: &Value) -> Result<Count, String> {
    let part = |key: &str| value[key].as_u64().ok_or_else(|| format!("{value} is no count"));
    Ok(Count::between(part("low")?, part("best")?, part("high")?))
}
