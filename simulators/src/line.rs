//! The line: its machines and what one does to the next, one event after the other.

use rand::Rng;
use rand_chacha::ChaCha8Rng;

use crate::{
    config::ModelConfig,
    machines::{
        counter::Counter, detector::Detector, filler::Filler, polisher::Polisher, weigher::Weigher,
    },
    random::{self, Stream},
};

/// Who is next. Of events at one moment those further down the line come first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Next {
    Repair,
    Counter,
    Weigher,
    Detector,
    PolisherOut,
    PolisherIn,
    Filler(usize),
}

/// A machine behind the fillers that has a fault of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Faulty {
    Polisher,
    Detector,
    Weigher,
}

impl Faulty {
    /// The station in front of its tags.
    fn station(self) -> &'static str {
        match self {
            Faulty::Polisher => "PS02",
            Faulty::Detector => "MD03",
            Faulty::Weigher => "CW04",
        }
    }
}

/// An event that was executed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Executed {
    /// Plant time of it.
    pub(crate) at_us: i64,
    /// The filler it belonged to, if it was one of a filler, and how many batches that had begun before.
    pub(crate) of_filler: Option<usize>,
    pub(crate) n_batches: usize,
}

#[derive(Clone, Debug)]
pub(crate) struct Line {
    /// They work side by side into one polisher; never empty.
    pub(crate) fillers: Vec<Filler>,
    pub(crate) polisher: Polisher,
    pub(crate) detector: Detector,
    pub(crate) weigher: Weigher,
    pub(crate) counter: Counter,
    /// What stands, and until when.
    fault: Option<(Faulty, i64)>,
    rng: ChaCha8Rng,
}

impl Line {
    pub(crate) fn new(config: &ModelConfig) -> Line {
        let fillers = config.fillers.max(1);
        Line {
            fillers: (0..fillers).map(|nth| Filler::new(config, nth)).collect(),
            polisher: Polisher::new(config.seed, fillers),
            detector: Detector::new(config.seed, fillers),
            weigher: Weigher::new(config.seed, config.weights, fillers),
            counter: Counter::new(config.seed, config.preset),
            fault: None,
            rng: random::stream(config.seed, Stream::Faults),
        }
    }

    /// Plant time of the next event.
    pub(crate) fn next_us(&self) -> i64 {
        self.next().0
    }

    fn next(&self) -> (i64, Next) {
        let mut next = (self.fault.map_or(i64::MAX, |(_, until_us)| until_us), Next::Repair);
        let mut look = |due_us: i64, who: Next| {
            if due_us < next.0 {
                next = (due_us, who);
            }
        };
        look(self.counter.next_us(), Next::Counter);
        look(self.weigher.belt.due_us(&self.weigher.transit.drive), Next::Weigher);
        look(self.detector.belt.due_us(&self.detector.transit.drive), Next::Detector);
        look(self.polisher.inside.due_us(&self.polisher.transit.drive), Next::PolisherOut);
        look(self.polisher.feed.due_us(&self.polisher.transit.drive), Next::PolisherIn);
        for (i, filler) in self.fillers.iter().enumerate() {
            look(filler.next_us(), Next::Filler(i));
        }
        next
    }

    /// Executes the next event if it is due by `plant_us`.
    pub(crate) fn step(&mut self, plant_us: i64) -> Option<Executed> {
        let (now_us, who) = self.next();
        if now_us > plant_us {
            return None;
        }
        let mut executed = Executed { at_us: now_us, of_filler: None, n_batches: 0 };
        match who {
            Next::Repair => {
                self.fault = None;
                self.spread_standstill(now_us);
            }
            Next::Counter => {
                let was_full = self.counter.is_full();
                self.counter.step(now_us);
                if was_full != self.counter.is_full() {
                    self.spread_standstill(now_us);
                }
            }
            Next::Weigher => {
                let good = self.weigher.let_through(now_us);
                let was_full = self.counter.is_full();
                self.counter.receive(good, now_us);
                if was_full != self.counter.is_full() {
                    self.spread_standstill(now_us);
                }
            }
            Next::Detector => {
                if let Some(parcel) = self.detector.let_through(now_us) {
                    self.weigher.send(parcel, now_us);
                }
            }
            Next::PolisherOut => {
                if let Some(parcel) = self.polisher.let_out() {
                    self.detector.send(parcel, now_us);
                }
            }
            Next::PolisherIn => self.polisher.take_in(now_us),
            Next::Filler(i) => {
                executed.of_filler = Some(i);
                executed.n_batches = self.fillers[i].batches.len();
                self.step_filler(i, now_us);
            }
        }
        Some(executed)
    }

    fn step_filler(&mut self, i: usize, now_us: i64) {
        let filler = &mut self.fillers[i];
        filler.step();
        if let Some(parcel) = filler.ejected.take() {
            self.polisher.send(parcel, now_us);
        }
        self.weigher.inspect(&mut filler.samples);
        if let Some(until_us) = filler.blocked_until_us.take() {
            let faulty = match self.rng.random_range(0..100) {
                0..60 => Faulty::Polisher,
                60..75 => Faulty::Detector,
                _ => Faulty::Weigher,
            };
            let (faulty, until_us) = match self.fault {
                Some((standing, its_end_us)) => (standing, its_end_us.max(until_us)),
                None => (faulty, until_us),
            };
            self.fillers[i].stopped_by(faulty.station());
            self.fault = Some((faulty, until_us));
            self.spread_standstill(now_us);
        }
    }

    /// Lets every machine stand that cannot run, and the others run.
    fn spread_standstill(&mut self, now_us: i64) {
        let faulty = self.fault.map(|(faulty, _)| faulty);
        let mut blocked_by = self.counter.is_full().then_some("BC05");
        for (machine, transit) in [
            (Faulty::Weigher, &mut self.weigher.transit),
            (Faulty::Detector, &mut self.detector.transit),
            (Faulty::Polisher, &mut self.polisher.transit),
        ] {
            let has_fault = faulty == Some(machine);
            transit.stand(has_fault, blocked_by, now_us);
            if has_fault {
                blocked_by = Some(machine.station());
            }
        }
        for filler in &mut self.fillers {
            filler.set_blocked(blocked_by, now_us);
        }
    }

    /// Ends what ends by the clock alone.
    pub(crate) fn settle(&mut self, plant_us: i64) {
        self.weigher.end_intervals(plant_us);
    }
}
