//! Scenario files played: the plant of the file, the service over real sockets with a clock as fast, and a naive reader
//! on the same wire.

mod shifts;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use capline::clock::Clock;
use domain::units::HOUR_US;
use serde_json::Value;
use simulators::{
    Missed, Naive, Now, Output, POLL_US, Plant, PlantConfig, Report, Reporter, Scenario, Score,
    Server, ServiceLine, Truth, Watched, shown_faults, tags,
};

use crate::harness::{
    App, FILLER, PATIENCE, Site, WEIGHER, any_port, count, plant, repository, until,
};
use crate::service_side::ServiceSide;

/// How long the service may take to tell the last capsules of a held plant.
const LAST_CAPSULES: Duration = Duration::from_secs(15);
/// Real time in which the service has found back to a machine that answers again.
const RECONNECTED: Duration = Duration::from_secs(3);
/// Real time for the first readings before the plant must run.
const FIRST_READINGS: Duration = Duration::from_secs(15);

/// A scenario that was played.
pub(crate) struct Played {
    pub(crate) scenario: Scenario,
    /// What the service said, against the truth.
    pub(crate) score: Score,
    /// What the naive reader said, against the same truth.
    pub(crate) naive: Score,
    /// Everything that is not as the file wants it.
    pub(crate) wrong: Vec<String>,
    /// What the service told of counts and alarms, if anything is wrong.
    pub(crate) told: String,
}

/// Folder of the scenario files.
pub(crate) fn folder() -> PathBuf {
    repository("simulators/scenarios")
}

/// The scenario of a name.
pub(crate) fn scenario(name: &str) -> Scenario {
    let file = folder().join(format!("{name}.toml"));
    Scenario::load(&file).unwrap_or_else(|error| panic!("{error}"))
}

/// The parts of a played scenario.
pub(crate) struct Stage {
    pub(crate) site: Site,
    pub(crate) plant: Plant,
    pub(crate) app: App,
    pub(crate) line: ServiceLine,
    pub(crate) naive: Naive,
    /// Plant time 0 by the clock of the service.
    pub(crate) zero_us: i64,
    /// The machines that are read.
    machines: &'static [&'static str],
    /// Faults of the data that were shown and their reasons, and doubts of tags.
    shown: BTreeSet<String>,
    /// Whether doubts of tags are looked for: the list of all tags is too long to be asked for where nobody wants it.
    asks_doubts: bool,
    /// Polls that had brought nothing before the plant ran.
    missed: Missed,
    /// Whether there was a moment at which nothing was wrong with the data.
    settled: bool,
    lateness: Lateness,
    border_us: Option<i64>,
    speed: f64,
    /// What is under the service. It goes after the service.
    pub(crate) side: ServiceSide,
}

/// How late this machine is: a thread of its own, which a busy service cannot hold up, wants to wake every ten milliseconds
/// as the readers do, and notes when it woke later and by how much. What the service sees is as late, and no fault of its
/// own.
struct Lateness {
    /// When by the clock of the service, and how much of real time, in microseconds.
    noted: Arc<Mutex<Vec<(i64, i64)>>>,
    is_over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Lateness {
    fn watched(clock: Clock) -> Lateness {
        const EVERY: Duration = Duration::from_millis(10);
        const WORTH_NOTING_US: i64 = 1_000;
        let noted = Arc::new(Mutex::new(Vec::new()));
        let is_over = Arc::new(AtomicBool::new(false));
        let (notes, ends) = (Arc::clone(&noted), Arc::clone(&is_over));
        let thread = std::thread::spawn(move || {
            while !ends.load(Ordering::Relaxed) {
                let began = Instant::now();
                std::thread::sleep(EVERY);
                let late_us = began.elapsed().saturating_sub(EVERY).as_micros() as i64;
                if late_us >= WORTH_NOTING_US {
                    let note = (clock.now().utc_us, late_us);
                    notes.lock().unwrap_or_else(PoisonError::into_inner).push(note);
                }
            }
        });
        Lateness { noted, is_over, thread: Some(thread) }
    }

    fn noted(&self) -> Vec<(i64, i64)> {
        self.noted.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Drop for Lateness {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            // It panics nowhere, and ends within ten milliseconds.
            let _ = thread.join();
        }
    }
}

impl Stage {
    /// Sets up a scenario and lets its plant run.
    pub(crate) async fn set(scenario: &Scenario, side: ServiceSide) -> Stage {
        let speed = scenario.speed;
        let (clock, border_us) = match scenario.shift_change_us {
            None => (Clock::accelerated(0, speed), None),
            Some(change_us) => shifts::before(change_us, speed),
        };
        let site = Site::new();
        let line_start_us = clock.now().utc_us;
        let plant = plant(PlantConfig { line_start_us, ..scenario.plant() }, site.path()).await;
        scenario.inject.iter().for_each(|injection| plant.plan(*injection));
        configure(&site, &plant, scenario, border_us);
        side.configure(&site);
        let app = site.serve(clock).await;
        app.heard().await;
        side.works(app.api()).await;
        let now: Now = Arc::new(move || clock.now().utc_us);
        let period = Duration::from_millis(10);
        let naive = Naive::start(plant.modbus_addr(), scenario.output, period, now);
        until("a first naive reading", PATIENCE, async || match naive.has_read() {
            true => Ok(()),
            false => Err("nothing".to_owned()),
        })
        .await;
        if let (Some(border_us), Some(change_us)) = (border_us, scenario.shift_change_us) {
            let start_us = border_us - change_us;
            assert!(clock.now().utc_us < start_us, "first readings took over {FIRST_READINGS:?}");
            while clock.now().utc_us < start_us {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        }
        let zero_us = clock.now().utc_us - plant.plant_us();
        plant.resume();
        let server = Server::new(&format!("http://{}", app.api().0)).expect("an address");
        let line = ServiceLine::find(server, None).await.expect("the line is there");
        let missed = line.missed().await.expect("the service tells its polls");
        Stage {
            site,
            plant,
            app,
            line,
            naive,
            zero_us,
            machines: scenario.machines(),
            shown: BTreeSet::new(),
            asks_doubts: scenario.expect.shown.contains("uncertain"),
            missed,
            settled: false,
            lateness: Lateness::watched(clock),
            border_us,
            speed,
            side,
        }
    }

    /// Lets the plant run up to a plant time, and looks what is shown meanwhile.
    pub(crate) async fn run_to(&mut self, plant_us: i64) {
        while self.plant.plant_us() < plant_us {
            if self.settled && self.asks_doubts {
                self.shown.extend(self.line.doubts().await.unwrap_or_default());
            }
            self.side.act(self.plant.plant_us()).await;
            self.shown.extend(self.side.shown(self.app.api()).await);
            if let Ok(view) = self.app.api().snapshot().await {
                let shown = shown_faults(&view);
                // What is still shown of the time before the plant ran is none of its faults.
                self.settled |= shown.is_empty();
                if self.settled {
                    self.shown.extend(shown);
                }
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// What is true now.
    pub(crate) fn truth(&self) -> Truth {
        let truth = Truth::new(self.plant.ledger(), self.plant.injected(), self.zero_us);
        let truth = truth.of_machines(self.machines);
        let plant_us = |real_us: f64| (real_us * self.speed) as i64;
        truth
            .blind_for(plant_us(RECONNECTED.as_micros() as f64))
            .unseen_for(plant_us(POLL_US as f64))
    }

    /// What was seen of it meanwhile.
    fn watched(&self) -> Watched {
        Watched { shown: self.shown.clone(), speed: self.speed, late: self.lateness.noted() }
    }

    /// What a reporter says since an hour before the start.
    pub(crate) async fn report(&self, reporter: &impl Reporter) -> Report {
        let report = reporter.report(&tags(), self.zero_us - HOUR_US).await;
        report.unwrap_or_else(|error| panic!("{error}"))
    }

    /// What the naive reader says, which reads the filler alone.
    pub(crate) async fn naive_score(&self) -> Score {
        let truth = self.truth().of_machines(&["CF01"]);
        truth.score(&self.report(&self.naive).await)
    }

    /// Holds the plant and waits until the service has told its last capsules.
    pub(crate) async fn judge(&mut self, scenario: &Scenario) -> (Score, Vec<String>) {
        self.plant.hold();
        let held = Instant::now();
        self.plant.shown().await;
        let missed = self.line.missed().await.expect("the service tells its polls");
        self.shown.extend(missed.since(&self.missed));
        self.side.act(i64::MAX).await;
        self.side.settles(&self.site).await;
        let truth = self.truth();
        let end = Instant::now() + LAST_CAPSULES;
        let watched = self.watched();
        loop {
            let report = self.report(&self.line).await;
            let score = truth.score(&report);
            let mut wrong = scenario.judge(&score, &report, &watched);
            if scenario.fillers > 1 {
                wrong.extend(self.total().await);
            }
            if let Some(border_us) = self.border_us {
                wrong.extend(self.shifts(scenario, border_us, &watched, held).await);
            }
            wrong.extend(self.side.wrong(&self.site).await);
            if wrong.is_empty() || Instant::now() > end {
                return (score, wrong);
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// Whether the output of the line is that of all fillers. That of the first alone must be outside of it, or this shows
    /// nothing.
    async fn total(&self) -> Vec<String> {
        let ledger = self.plant.ledger();
        let said = match self.app.api().snapshot().await.and_then(|view| count(&view["total"])) {
            Ok(said) => said,
            Err(error) => return vec![error],
        };
        let (all, one) = (ledger.made_by_all(), ledger.made);
        let mut wrong = Vec::new();
        if !said.contains(all) {
            wrong.push(format!("the fillers made {all}, and {said} is said of the line"));
        }
        if said.contains(one) {
            wrong.push(format!("{said} is said of the line, and the first alone made {one}"));
        }
        wrong
    }

    /// Counts that were no ordinary step, alarms, and signals of charts with their rules and limits, a line each.
    pub(crate) async fn told(&self) -> String {
        let mut lines = Vec::new();
        let from = self.zero_us / 1_000;
        let to = from + 30 * 86_400_000;
        for kind in ["count", "alarm", "link"] {
            let path = format!("/api/v1/lines/L1/events?kind={kind}&from={from}&to={to}");
            let events = self.app.api().get(&path).await.unwrap_or_default();
            // Of counts, what is in doubt: a day has too many others.
            let worth =
                |event: &&Value| kind != "count" || event["count"]["low"] != event["count"]["high"];
            lines.extend(events.as_array().into_iter().flatten().filter(worth).map(|event| {
                let at_s =
                    (event["at_ms"].as_i64().unwrap_or(0) - self.zero_us / 1_000) as f64 / 1e3;
                format!("{at_s:.2} s {event}")
            }));
        }
        for what in ["incidents", "charts/reject_fraction/limits", "charts/speed/limits"] {
            let path = format!("/api/v1/lines/L1/{what}?from={from}&to={to}");
            let found = self.app.api().get(&path).await.unwrap_or_default();
            lines.extend(found.as_array().into_iter().flatten().map(|one| format!("{what} {one}")));
        }
        lines.join("\n")
    }

    /// Ends all of it. What the journal lacks, where the service had to do without its disk or the database.
    pub(crate) async fn end(self) -> Option<String> {
        drop(self.naive);
        let made = self.plant.ledger().made;
        self.app.stop().await;
        let lost = self.side.lost(&self.site, made);
        self.plant.stop().await;
        lost
    }
}

/// Map of the filler side by side with the first.
const BESIDE: &str = "plc-maps/cf02-modbus.toml";

/// Maps of the machines between filler and weigher, in the order of the line.
const BETWEEN: [&str; 2] = ["plc-maps/ps02-modbus.toml", "plc-maps/md03-modbus.toml"];

/// Map of the machine behind the weigher.
const BEHIND: &str = "plc-maps/bc05-modbus.toml";

/// Writes the configuration: the shipped maps, with the output taken from where the scenario wants it.
fn configure(site: &Site, plant: &Plant, scenario: &Scenario, border_us: Option<i64>) {
    let mut map = std::fs::read_to_string(repository(FILLER)).expect("the map is there");
    let register = |at| format!("register = \"holding {at}\"\ntype = ");
    let changes = match scenario.output {
        Output::Lifetime => None,
        Output::LowWord => Some((14, "65536")),
        Output::Panel => Some((50, "10000")),
    };
    if let Some((at, modulus)) = changes {
        for (old, new) in [
            (format!("{}\"i32\"", register(13)), format!("{}\"u16\"", register(at))),
            ("modulus = \"2^31\"".to_owned(), format!("modulus = {modulus}")),
        ] {
            assert!(map.contains(&old), "{old} is not in the map");
            map = map.replace(&old, &new);
        }
    }
    let filler = site.path().join("filler.toml");
    write(&filler, &map);
    let filler = filler.display().to_string();
    let (modbus, opcua) = (plant.modbus_addr().to_string(), plant.opcua_url());
    // In the order of the line, by which its balance goes.
    let mut devices = vec![(filler.as_str(), modbus.as_str())];
    if scenario.fillers > 1 {
        devices.push((BESIDE, modbus.as_str()));
    }
    if scenario.whole_line {
        devices.extend(BETWEEN.map(|map| (map, modbus.as_str())));
    }
    devices.push((WEIGHER, opcua.as_str()));
    if scenario.whole_line {
        devices.push((BEHIND, modbus.as_str()));
    }
    site.configure(any_port(), "CF01", &devices);
    if scenario.fillers > 1 {
        let text = std::fs::read_to_string(site.file()).expect("it was just written");
        write(&site.file(), &text.replace("= 'CF01'", "= ['CF01', 'CF02']"));
    }
    if let Some(border_us) = border_us {
        let zone = jiff::tz::TimeZone::get("Asia/Shanghai").expect("a zone that is built in");
        let at = |us: i64| {
            let at = jiff::Timestamp::from_microsecond(us).expect("a moment of these years");
            at.to_zoned_datetime(zone.clone()).strftime("%H:%M").to_string()
        };
        let (first, second) = (at(border_us - 12 * HOUR_US), at(border_us));
        let mut text = std::fs::read_to_string(site.file()).expect("it was just written");
        for (name, start, end) in [("A", &first, &second), ("B", &second, &first)] {
            text += &format!("[[line.shift]]\nname = '{name}'\nstart = '{start}'\nend = '{end}'\n");
        }
        write(&site.file(), &text);
    }
}

fn write(file: &Path, text: &str) {
    std::fs::write(file, text).expect("a test can write its configuration");
}

/// Plays a scenario to its end; none where something that it needs is not here.
pub(crate) async fn play(scenario: Scenario) -> Option<Played> {
    let side = ServiceSide::of(&scenario).await?;
    let mut stage = Stage::set(&scenario, side).await;
    stage.run_to(scenario.length_us).await;
    let (score, mut wrong) = stage.judge(&scenario).await;
    let naive = stage.naive_score().await;
    wrong.extend(scenario.judge_naive(&naive));
    let told = if wrong.is_empty() { String::new() } else { stage.told().await };
    wrong.extend(stage.end().await);
    Some(Played { scenario, score, naive, wrong, told })
}
