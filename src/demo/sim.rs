//! The simulated plant as its screens handle it: faults by name with what the service is to say of them, and the truth
//! of its counters.

use std::collections::{BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use domain::detection::{Expected, Sign};
use domain::plc_map::Title;
use domain::units::{LineId, SECOND_US, StationId, TagId};
use simulators::{Entry, Fault, Happens, N_COUNTERS, Plant, Side, tags, truths};
use tokio::sync::mpsc;

use super::{Origin, SETTING};
use crate::clock::Clock;
use crate::config::Config;
use crate::historian::Historian;
use crate::web::Simulator;
use crate::web::simulator::{Injection, SimulatedFault};

/// Time between two looks at the ledger.
pub(super) const LOOK_EVERY: Duration = Duration::from_millis(200);
/// Looks that are kept: a quarter of an hour.
const LOOKS: usize = 4_500;
/// What was read was true at most this much earlier, in real microseconds: a subscription is published so often.
const READ_WITHIN_US: f64 = 1_000_000.0;
/// How long a station may be silent or frozen before it must be said, in real seconds, with room for a busy machine.
const LINK_WITHIN_S: f64 = 15.0;

/// Another run that somebody asked for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rerun {
    /// Seed of the plant.
    pub seed: u64,
    /// Line seconds in a real second.
    pub speed: f64,
}

/// The plant of a demo in the hands of its screens.
pub(super) struct SimDesk {
    // A request that is still answered when the demo ends must not keep the plant.
    plant: Weak<Plant>,
    clock: Clock,
    line: LineId,
    /// Counters of its maps whose truth the ledger knows.
    counters: Vec<TagId>,
    historian: Historian,
    /// Why the journal cannot be left for another one.
    no_reset: Option<String>,
    rerun: mpsc::Sender<Rerun>,
    state: Mutex<State>,
}

struct State {
    origin: Origin,
    since_us: i64,
    /// Plant time of each hold that has ended, and how far plant time was behind the line's clock from then on.
    behind: Vec<(i64, i64)>,
    /// A hold that lasts: its plant time, and its begin on the line's clock.
    held: Option<(i64, i64)>,
    /// Holds, as begin and end on the line's clock.
    holds: Vec<(i64, Option<i64>)>,
    looks: VecDeque<Look>,
}

/// What the ledger held between two moments of the line's clock.
struct Look {
    before_us: i64,
    after_us: i64,
    counts: [u64; N_COUNTERS],
}

impl SimDesk {
    pub(super) fn new(
        plant: &Arc<Plant>,
        clock: Clock,
        (line, counters): (LineId, Vec<TagId>),
        historian: Historian,
        (origin, no_reset): (Origin, Option<String>),
        rerun: mpsc::Sender<Rerun>,
    ) -> SimDesk {
        let state = State {
            origin,
            since_us: clock.now().utc_us,
            behind: Vec::new(),
            held: None,
            holds: Vec::new(),
            looks: VecDeque::new(),
        };
        let (plant, state) = (Arc::downgrade(plant), Mutex::new(state));
        SimDesk { plant, clock, line, counters, historian, no_reset, rerun, state }
    }

    /// The plant runs from now on, so far behind the line's clock.
    pub(super) fn begin(&self, origin: Origin) {
        let mut state = self.state();
        (state.origin, state.since_us) = (origin, self.clock.now().utc_us);
        state.behind = vec![(i64::MIN, origin.held_us)];
    }

    /// Looks at the ledger now and then until the plant is gone.
    pub(super) async fn watch(self: Arc<SimDesk>) {
        let mut ticks = tokio::time::interval(LOOK_EVERY);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            if !self.look() {
                return;
            }
        }
    }

    /// Looks at the ledger; false once the plant is gone.
    fn look(&self) -> bool {
        let Some(plant) = self.plant.upgrade() else { return false };
        let before_us = self.clock.now().utc_us;
        let ledger = plant.ledger();
        let after_us = self.clock.now().utc_us;
        let look = Look { before_us, after_us, counts: truths(&ledger) };
        let mut state = self.state();
        state.looks.push_back(look);
        while state.looks.len() > LOOKS {
            state.looks.pop_front();
        }
        true
    }

    fn plant(&self) -> Result<Arc<Plant>, String> {
        self.plant.upgrade().ok_or_else(|| "the simulated plant is being stopped".to_owned())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Each change leaves it whole.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A kind of fault of the catalogue, by its position among those that are shown.
    fn kind(position: usize) -> Option<Entry> {
        entries().nth(position)
    }
}

impl State {
    /// A plant time on the line's clock.
    fn line_us(&self, plant_us: i64) -> i64 {
        let behind = self.behind.iter().rev().find(|(from_us, _)| *from_us <= plant_us);
        self.origin.line_start_us + plant_us + behind.map_or(0, |(_, us)| *us)
    }
}

impl Simulator for SimDesk {
    fn line(&self) -> LineId {
        self.line.clone()
    }

    fn seed(&self) -> u64 {
        self.state().origin.seed
    }

    fn no_reset(&self) -> Option<String> {
        self.no_reset.clone()
    }

    fn reset(&self, seed: u64, speed: f64) -> Result<(), String> {
        if let Some(why) = &self.no_reset {
            return Err(why.clone());
        }
        // One is enough: what is asked for while a run ends would be lost anyway.
        let asked = self.rerun.try_send(Rerun { seed, speed });
        asked.map_err(|_| "another run begins already".to_owned())
    }

    fn is_held(&self) -> bool {
        self.state().held.is_some()
    }

    fn hold(&self, held: bool) -> Result<(), String> {
        let plant = self.plant()?;
        let mut state = self.state();
        match (held, state.held) {
            (true, None) => {
                plant.hold();
                let at_us = self.clock.now().utc_us;
                state.held = Some((plant.plant_us(), at_us));
                state.holds.push((at_us, None));
            }
            (false, Some((plant_us, _))) => {
                let now_us = self.clock.now().utc_us;
                state.origin.held_us = now_us - state.origin.line_start_us - plant_us;
                let origin = state.origin;
                state.behind.push((plant_us, origin.held_us));
                state.held = None;
                if let Some((_, until_us)) = state.holds.last_mut() {
                    *until_us = Some(now_us);
                }
                plant.resume();
                // Where a later start goes on. What the screens show does not depend on it.
                let text = serde_json::to_string(&origin).map_err(|error| error.to_string())?;
                self.historian.set_setting(SETTING, &text).map_err(|error| error.to_string())?;
            }
            _ => {}
        }
        Ok(())
    }

    fn faults(&self) -> Vec<SimulatedFault> {
        let speed = self.clock.speed();
        entries().map(|entry| shown(&entry, speed)).chain([holding(speed)]).collect()
    }

    fn natural(&self) -> Vec<Sign> {
        NATURAL.iter().map(|(kind, word, station)| sign(kind, word, station)).collect()
    }

    fn inject(
        &self,
        fault: usize,
        lasts_us: Option<i64>,
        figure: Option<f64>,
    ) -> Result<Injection, String> {
        let plant = self.plant()?;
        let entry = SimDesk::kind(fault).ok_or("the plant has no such fault")?;
        let now_us = plant.plant_us();
        let on = |one: &simulators::Injection| one.fault == entry.fault && one.is_on(now_us);
        if plant.injected().iter().any(on) {
            return Err(format!("{}: it is on already; take it out first", entry.fault.name()));
        }
        let usual_us = entry.duration.map(|figure| (figure.default * 1e6) as i64);
        let lasts_us = usual_us.map(|usual_us| lasts_us.unwrap_or(usual_us));
        plant.inject(entry.fault, lasts_us, figure).map_err(|error| error.to_string())?;
        let latest = self.injections().into_iter().rfind(|one| one.fault == fault);
        latest.ok_or_else(|| "the plant did not take it".to_owned())
    }

    fn clear(&self) -> Result<(), String> {
        let plant = self.plant()?;
        for fault in entries().map(|entry| entry.fault) {
            plant.withdraw(fault);
        }
        Ok(())
    }

    fn injections(&self) -> Vec<Injection> {
        let Some(plant) = self.plant.upgrade() else { return Vec::new() };
        let state = self.state();
        let n_kinds = entries().count();
        let position = |fault: Fault| entries().position(|entry| entry.fault == fault);
        let of_plant = plant.injected().into_iter().filter_map(|one| {
            let to_us = one.until_us.map(|us| state.line_us(us));
            Some((position(one.fault)?, state.line_us(one.from_us), to_us))
        });
        let holds = state.holds.iter().map(|(from_us, to_us)| (n_kinds, *from_us, *to_us));
        let mut all: Vec<_> = of_plant.chain(holds).collect();
        all.sort_by_key(|(_, from_us, _)| *from_us);
        let numbered = (1..).zip(all);
        numbered
            .map(|(number, (fault, from_us, to_us))| Injection { number, fault, from_us, to_us })
            .collect()
    }

    fn since_us(&self) -> i64 {
        self.state().since_us
    }

    fn counters(&self) -> Vec<TagId> {
        self.counters.clone()
    }

    fn truth(&self, counter: &TagId, at_us: i64) -> Option<(u64, u64)> {
        let position = tags().iter().position(|tag| *tag == counter.as_str())?;
        if self.state().looks.back().is_none_or(|look| look.before_us < at_us) {
            self.look();
        }
        let earliest_us = at_us - (READ_WITHIN_US * self.clock.speed()) as i64;
        let state = self.state();
        let least = state.looks.iter().rev().find(|look| look.after_us <= earliest_us)?;
        let most = state.looks.iter().find(|look| look.before_us >= at_us)?;
        Some((least.counts[position], most.counts[position]))
    }
}

/// The counters of a configuration whose truth the ledger knows.
pub(super) fn counters(config: &Config) -> Vec<TagId> {
    let devices = config.lines.iter().flat_map(|line| &line.devices);
    let read: BTreeSet<&str> =
        devices.flat_map(|device| &device.map.tags).map(|tag| tag.id.as_str()).collect();
    tags().into_iter().filter(|tag| read.contains(tag)).map(TagId::new).collect()
}

/// The faults of the catalogue that a running plant can bring about.
fn entries() -> impl Iterator<Item = Entry> {
    let possible = |entry: &Entry| entry.side != Side::Service && entry.happens != Happens::AtStart;
    Fault::ALL.into_iter().map(Fault::entry).filter(possible)
}

fn shown(entry: &Entry, speed: f64) -> SimulatedFault {
    let title = |text: simulators::Text| Title { en: text.en.into(), zh: text.zh.into() };
    SimulatedFault {
        id: entry.fault.name(),
        title: title(entry.title),
        about: title(entry.does),
        lasts_us: entry.duration.map(|figure| (figure.default * 1e6) as i64),
        figure: entry.value.map(|figure| (figure.default, figure.unit)),
        by_clock: false,
        expected: expected(entry.fault, speed),
    }
}

/// A plant whose time stands still, as a fault: its PLCs refresh nothing any more.
fn holding(speed: f64) -> SimulatedFault {
    SimulatedFault {
        id: "hold".to_owned(),
        title: Title { en: "Plant held".into(), zh: "工厂暂停".into() },
        about: Title {
            en: "Plant time stands still, heartbeats with it.".into(),
            zh: "工厂时间停止，心跳也停止。".into(),
        },
        lasts_us: None,
        figure: None,
        by_clock: true,
        expected: expected_of(("link", "frozen", "CF01"), real(LINK_WITHIN_S, speed)),
    }
}

/// What a healthy plant lets the service say too: counters are set back with each batch, machines stop.
const NATURAL: [(&str, &str, &str); 2] = [("count", "reset", "CF01"), ("state", "held", "CF01")];

/// Signs of a connection that is disturbed, and of the first readings after it: any of them may be said of any fault.
const LINKS: [(&str, &str, &str); 6] = [
    ("count", "torn", "CF01"),
    ("count", "preset", "CF01"),
    ("link", "down", "CF01"),
    ("link", "frozen", "CF01"),
    ("link", "down", "CW04"),
    ("link", "frozen", "CW04"),
];

/// What the service is to say of a fault, and how soon.
fn expected(fault: Fault, speed: f64) -> Expected {
    let link = real(LINK_WITHIN_S, speed);
    let minutes = |n: i64| n * 60 * SECOND_US;
    match fault {
        Fault::CommsLoss
        | Fault::Mute
        | Fault::Exception
        | Fault::ReorderedReplies
        | Fault::WrongTransaction
        | Fault::WrongUnit => expected_of(("link", "down", "CF01"), link),
        Fault::Freeze | Fault::HeartbeatStuck => expected_of(("link", "frozen", "CF01"), link),
        Fault::CounterReset => expected_of(("count", "reset", "CF01"), link),
        // A demo of two machines does not read it.
        Fault::PolisherRestart => {
            let mut also = links();
            also.push(sign("count", "reset", "PS02"));
            Expected { sign: None, also, within_us: link }
        }
        Fault::OpcuaLoss => expected_of(("link", "down", "CW04"), link),
        Fault::ZeroGlitch => expected_of(("count", "torn", "CF01"), link),
        Fault::WrongWordOrder => expected_of(("count", "preset", "CF01"), link),
        Fault::BadStatus => expected_of(("state", "unknown", "CW04"), link),
        Fault::DoubleCount => expected_of(("alarm", "contradicted", "CF01"), minutes(15)),
        Fault::Jam => expected_of(("state", "held", "CF01"), link),
        Fault::EmptyCapsuleBurst | Fault::RejectDrift => {
            expected_of(("incident", "reject_fraction", ""), minutes(90))
        }
        Fault::WornDosator => expected_of(("incident", "weight.CW04.sample", ""), minutes(300)),
        // What is to be noticed of these is only that no count is wrong.
        _ => Expected { sign: None, also: links(), within_us: link },
    }
}

fn expected_of((kind, word, station): (&str, &str, &str), within_us: i64) -> Expected {
    Expected { sign: Some(sign(kind, word, station)), also: links(), within_us }
}

fn links() -> Vec<Sign> {
    LINKS.iter().map(|(kind, word, station)| sign(kind, word, station)).collect()
}

fn sign(kind: &str, word: &str, station: &str) -> Sign {
    let station = (!station.is_empty()).then(|| StationId::new(station));
    Sign { kind: kind.into(), word: word.into(), station }
}

/// Real seconds on the line's clock, in microseconds.
fn real(seconds: f64, speed: f64) -> i64 {
    (seconds * speed * 1e6) as i64
}

#[cfg(test)]
mod tests {
    use super::super::{Machines, built_in};
    use super::*;

    fn state() -> State {
        State {
            origin: Origin { seed: 1, line_start_us: 1_000, before: 0, held_us: 5 },
            since_us: 0,
            behind: vec![(i64::MIN, 5), (100, 25)],
            held: None,
            holds: Vec::new(),
            looks: VecDeque::new(),
        }
    }

    #[test]
    fn a_plant_time_lies_on_the_clock_of_the_line_as_of_its_moment() {
        let state = state();
        // Held for 5 at its start, and for 20 more at 100.
        let of = [0, 99, 100, 200].map(|plant_us| state.line_us(plant_us));
        assert_eq!(of, [1_005, 1_104, 1_125, 1_225]);
    }

    #[test]
    fn the_truth_is_known_of_every_counter_of_capsules() {
        // There is one filler.
        let beside = tags().iter().filter(|tag| tag.starts_with("CF02.")).count();
        for (machines, n) in [(Machines::Two, 14), (Machines::All, N_COUNTERS - beside)] {
            let config = built_in(machines).unwrap();
            let known = counters(&config);
            assert_eq!(known.len(), n, "{machines:?}: {known:?}");
            let devices = config.lines.iter().flat_map(|line| &line.devices);
            let counting = devices.flat_map(|device| &device.map.tags);
            let counting = counting.filter(|tag| tag.counter.is_some() && !known.contains(&tag.id));
            let without: Vec<&str> = counting.map(|tag| tag.id.as_str()).collect();
            assert_eq!(without, Vec::<&str>::new(), "{machines:?}");
        }
    }

    #[test]
    fn only_what_a_running_plant_can_do_is_offered_and_each_once() {
        let offered: Vec<Entry> = entries().collect();
        assert!(offered.len() > 20 && offered.len() < Fault::ALL.len(), "{}", offered.len());
        assert!(offered.iter().all(|entry| entry.side != Side::Service));
        let mut ids: Vec<String> = offered.iter().map(|entry| shown(entry, 1.0).id).collect();
        ids.push(holding(1.0).id);
        let n = ids.len();
        ids.sort();
        ids.dedup();
        assert_eq!(ids.len(), n, "{ids:?}");
    }

    #[test]
    fn a_natural_sign_is_one_that_some_fault_must_give() {
        let must: Vec<Option<Sign>> =
            entries().map(|entry| expected(entry.fault, 1.0).sign).collect();
        for (kind, word, station) in NATURAL {
            assert!(must.contains(&Some(sign(kind, word, station))), "{kind} {word}");
        }
        // A fault of the link has as many real seconds on a fast line as on a slow one.
        let within = |speed| expected(Fault::Mute, speed).within_us;
        assert_eq!(within(60.0), 60 * within(1.0));
    }
}
