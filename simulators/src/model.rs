//! The plant as a pure function of its configuration and plant time: no clock, no socket.

use crate::{
    catalogue::Fault,
    disturb::Disturbances,
    filler::Filler,
    injections::Injection,
    ledger::{IntervalRecord, Ledger, RejectClass, SampleRecord, Totals},
    registers::{self, NodeValue},
    stops::{Preset, State, Stop},
    weigher::Weigher,
};

/// What a plant is made from.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ModelConfig {
    /// Seed of all randomness: the same seed makes the same plant.
    pub seed: u64,
    /// How well the plant runs.
    pub preset: Preset,
    /// UTC of plant time 0, in microseconds since 1970.
    pub line_start_us: i64,
    /// What the counters of the PLCs show at plant time 0.
    pub start_counters: Counters,
    /// Good capsules after which a batch ends.
    pub batch_size: u64,
    /// Running number of the first batch.
    pub first_batch: u32,
    /// Good capsules in a hundred that the filler's `AccCount` counts twice.
    pub double_count_percent: u32,
    /// How rejects come about.
    pub rejects: RejectModel,
    /// What happens to the weights beside the powder's own drift.
    pub weights: WeightModel,
}

/// What happens to the weights of the capsules, as shares of the nominal fill. It moves single weights and what is told
/// of them; how many capsules the weigher rejects stays that of the powder's drift.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct WeightModel {
    /// Seed of the set of bores; that of the plant without it. Two lines with the same tooling differ only by chance.
    pub tooling: Option<u64>,
    /// From this much running time on, in microseconds, every dose is off by so much.
    pub shift: Option<(i64, f64)>,
    /// From this much running time on, in microseconds, every dose moves by so much an hour.
    pub wear: Option<(i64, f64)>,
    /// From this stroke on, one bore doses off by so much: its number from 1, and the share.
    pub worn_bore: Option<(u64, u16, f64)>,
}

/// How rejects of the filler come about. The chances are per capsule.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RejectModel {
    /// In good times and in a burst.
    pub p: [f64; 2],
    /// How long each lasts on average, in microseconds of running; a burst that never comes is infinity away.
    pub mean_us: [f64; 2],
    /// Relative standard deviation of the chance from minute to minute.
    pub wander_cv: f64,
    /// How slowly it wanders, in minutes of running: neighbours share what is slower than a minute.
    pub wander_minutes: f64,
    /// From this much running time on, in microseconds, the chance in good times is another one.
    pub shift: Option<(i64, f64)>,
    /// A burst from this much running time on, in microseconds, for so long, with this chance.
    pub burst: Option<(i64, i64, f64)>,
    /// From this much running time on, in microseconds, one bore spoils its capsule with this chance.
    pub worn_bore: Option<(i64, f64)>,
}

/// The bore of a worn dosator, and how long one wears that no end is given for.
const WORN_BORE: u16 = 17;
const WEARS_US: i64 = 5 * 3_600_000_000;

impl Default for RejectModel {
    /// Long good times with 0.08 %, short bursts with 3 %.
    fn default() -> RejectModel {
        RejectModel {
            p: [0.0008, 0.03],
            mean_us: [20.0 * 60e6, 25e6],
            wander_cv: 0.0,
            wander_minutes: 1.0,
            shift: None,
            burst: None,
            worn_bore: None,
        }
    }
}

impl RejectModel {
    /// Whether the chance depends on more than good times and bursts.
    pub(crate) fn changes(&self) -> bool {
        self.wander_cv > 0.0 || self.shift.is_some() || self.burst.is_some()
    }

    /// A line whose chance of a reject stays at `p` but for chance itself.
    pub fn steady(p: f64) -> RejectModel {
        RejectModel { p: [p, p], mean_us: [f64::INFINITY, 1.0], ..RejectModel::default() }
    }
}

impl Default for ModelConfig {
    fn default() -> ModelConfig {
        ModelConfig {
            seed: 1,
            preset: Preset::Steady,
            // 2026-11-02 00:00 UTC, a Monday.
            line_start_us: 1_793_577_600_000_000,
            start_counters: Counters::default(),
            batch_size: 1_500_000,
            first_batch: 417,
            double_count_percent: 0,
            rejects: RejectModel::default(),
            weights: WeightModel::default(),
        }
    }
}

/// Values of the PLC counters at plant time 0, to start near a roll-over or in the middle of a
/// batch. All are in capsules unless said otherwise.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// `StrokeTotal`, in strokes.
    pub stroke_total: u32,
    /// `ProdConsumedCount[0].Count`.
    pub consumed: u32,
    /// `ProdProcessedCount[0].Count`; the first batch is that much shorter.
    pub processed: u32,
    /// `ProdProcessedCount[0].AccCount`, taken modulo 2³¹.
    pub processed_acc: u32,
    /// `Rej.Unseparated`.
    pub unseparated: u16,
    /// `Rej.EmptyPocket`, in pockets.
    pub empty_pocket: u16,
    /// `Rej.DentedTelescoped`.
    pub dented: u16,
    /// `Rej.Startup`.
    pub startup: u16,
    /// `Samples`.
    pub samples: u16,
    /// `Rej.NoDose`.
    pub no_dose: u16,
    /// `Rej.DoubleCap`.
    pub double_cap: u16,
    /// `PlcUptime` of both PLCs, in seconds.
    pub uptime_s: u32,
    /// `CW04.Statistic.TotalPackages.ItemCount`.
    pub weigher_total: u32,
    /// `CW04.Statistic.TotalPackagesAccepted.ItemCount`.
    pub weigher_accepted: u32,
    /// `CW04.MasterTotal`.
    pub weigher_master: u64,
}

impl Counters {
    /// Counters of a plant that has been in use for about a year.
    pub fn in_use() -> Counters {
        Counters {
            stroke_total: 18_204_117,
            processed_acc: 902_114_350,
            uptime_s: 412_345,
            weigher_total: 871_002_114,
            weigher_accepted: 870_911_020,
            weigher_master: 871_002_114,
            ..Counters::default()
        }
    }
}

/// The plant at one plant time.
///
/// It is advanced by strokes, and what it shows depends on the configuration and on plant time
/// only, not on how often or in what steps it was advanced.
///
/// ```
/// use simulators::{Model, ModelConfig};
///
/// let mut model = Model::new(ModelConfig::default());
/// model.advance_to(60_000_000);
/// assert_eq!(model.ledger().strokes, 130);
/// ```
#[derive(Clone, Debug)]
pub struct Model {
    pub(crate) config: ModelConfig,
    pub(crate) filler: Filler,
    pub(crate) weigher: Weigher,
    pub(crate) plant_us: i64,
    pub(crate) view: View,
    pub(crate) disturbances: Disturbances,
}

/// What the PLC of the filler counts from: its registers are the truth since `base`, on top of
/// `start`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct View {
    pub(crate) base: Totals,
    pub(crate) start: Counters,
    /// Plant time of the last reset of the batch counters.
    pub(crate) reset_us: i64,
    /// Plant time of the last start of the PLC.
    pub(crate) boot_us: i64,
}

impl Model {
    /// The plant at plant time 0.
    pub fn new(config: ModelConfig) -> Model {
        let start = config.start_counters;
        Model {
            filler: Filler::new(&config),
            weigher: Weigher::new(config.seed, config.weights),
            plant_us: 0,
            view: View { base: Totals::default(), start, reset_us: 0, boot_us: 0 },
            disturbances: Disturbances::default(),
            config,
        }
    }

    /// Executes every stroke that is due by `plant_us`. A time in the past changes nothing.
    pub fn advance_to(&mut self, plant_us: i64) {
        while self.filler.next_us() <= plant_us {
            let event_us = self.filler.next_us();
            self.disturb(event_us);
            let (n_batches, made) = (self.filler.batches.len(), self.filler.totals.made);
            self.filler.more_rejects.set(self.disturbances.reject_chance(event_us));
            self.filler.step();
            self.disturbances.see(self.filler.totals.made - made, event_us);
            if self.filler.batches.len() > n_batches {
                self.change_batch(event_us);
            }
            // Taken at every stroke, or the conveyor of a long fast-forward would fill memory.
            self.weigher.inspect(&mut self.filler.samples);
            self.weigher.take(&mut self.filler.conveyor, event_us);
        }
        self.plant_us = self.plant_us.max(plant_us);
        self.disturb(self.plant_us);
        self.weigher.take(&mut self.filler.conveyor, self.plant_us);
    }

    /// Plant time, in microseconds.
    pub fn plant_us(&self) -> i64 {
        self.plant_us
    }

    /// State of the filler.
    pub fn state(&self) -> State {
        self.filler.state
    }

    /// Batch in production.
    pub fn batch_id(&self) -> String {
        self.filler.batch().batch_id
    }

    /// UTC of the plant's clocks, in microseconds since 1970.
    pub fn utc_us(&self) -> i64 {
        self.config.line_start_us + self.plant_us
    }

    /// Switches the filler's PLC off and on: its uptime and the batch counters begin at zero, the
    /// totals of a lifetime are kept. The machine itself goes on.
    pub fn restart_plc(&mut self) {
        self.restart_plc_at(self.plant_us);
    }

    /// Lets a fault strike. One that began in the past begins now, for what is made cannot change any more; what it does
    /// to answers and connections is not part of the model.
    pub fn inject(&mut self, injection: Injection) {
        let from_us = injection.from_us.max(self.plant_us);
        self.disturbances.add(Injection { from_us, ..injection });
    }

    /// Ends a fault that is on, and forgets those of its kind that are still to come.
    pub fn withdraw(&mut self, fault: Fault) {
        self.disturbances.end(fault, self.plant_us);
    }

    /// The exact account up to now.
    pub fn ledger(&self) -> Ledger {
        let Filler { totals, stop, stops, .. } = &self.filler;
        let batch = self.filler.batch();
        let mut batches = self.filler.batches.clone();
        if let Some(last) = batches.last_mut() {
            *last = batch.clone();
        }
        Ledger {
            plant_us: self.plant_us,
            strokes: totals.strokes,
            infeed: totals.infeed,
            empty_pockets: totals.empty_pockets,
            made: totals.made,
            rejects: RejectClass::ALL.map(|class| (class, totals.of(class))).into(),
            samples: totals.samples,
            in_process: self.filler.in_process(),
            state: self.filler.state,
            stop_reason: stop.map_or(0, |stop| stop.code),
            stops: stops.clone(),
            state_us: self.filler.state_us(self.plant_us),
            batch_id: batch.batch_id,
            batches,
            weigher: self.weigher.ledger(&self.filler.conveyor),
        }
    }

    /// The holding registers of a Modbus unit from address 0 on; empty for a unit that is not
    /// there. Unit 1 is CF01, unit 4 is CW04.
    pub fn holding_registers(&self, unit: u8) -> Vec<u16> {
        match unit {
            1 => registers::filler(self),
            4 => registers::weigher_block(self),
            _ => Vec::new(),
        }
    }

    /// The OPC UA nodes of CW04: the `s=` identifier and the value of each.
    pub fn nodes(&self) -> Vec<(&'static str, NodeValue)> {
        registers::weigher(self)
    }

    /// The last sample that was weighed capsule by capsule; none before the first.
    pub fn sample(&self) -> Option<SampleRecord> {
        self.weigher.sample()
    }

    /// What the weigher tells of the last whole minute; none before the first.
    pub fn interval(&self) -> Option<IntervalRecord> {
        self.weigher.interval()
    }

    /// Seconds since the filler's PLC was started at plant time 0 or later.
    pub(crate) fn filler_uptime_s(&self) -> u32 {
        let since_boot_s = (self.plant_us - self.view.boot_us) / 1_000_000;
        self.view.start.uptime_s.wrapping_add(since_boot_s as u32)
    }

    /// What the heartbeat of the filler shows.
    pub(crate) fn filler_heartbeat(&self) -> u16 {
        let since_us = self.plant_us - self.disturbances.heartbeat_us(self.plant_us);
        self.filler_uptime_s().wrapping_sub((since_us / 1_000_000) as u32) as u16
    }

    /// UTC as the PLCs have it, in microseconds since 1970.
    pub(crate) fn plc_utc_us(&self) -> i64 {
        self.utc_us() + self.disturbances.clock_off_us(self.plant_us)
    }

    /// The number of the batch as the PLCs show it.
    pub(crate) fn shown_batch_id(&self) -> String {
        self.disturbances.shown_id(self.batch_id(), self.plant_us)
    }

    /// Brings about what has begun by then.
    fn disturb(&mut self, plant_us: i64) {
        while let Some(Injection { fault, from_us, until_us, value }) =
            self.disturbances.take_due(plant_us)
        {
            match fault {
                Fault::PlcRestart => self.restart_plc_at(from_us),
                Fault::CounterReset => self.reset_batch_counters(from_us),
                Fault::BatchIdEarly | Fault::BatchIdLate => {
                    let leads_us = (value * 1e6) as i64;
                    self.disturbances.id_leads_us =
                        if fault == Fault::BatchIdEarly { leads_us } else { -leads_us };
                    self.filler.end_batch_soon();
                }
                Fault::Jam => self.filler.wanted_stop = Some(Stop::jam((value * 1e6) as i64)),
                Fault::WornDosator => {
                    let from = self.filler.totals.strokes;
                    let lasts_us = until_us.map_or(WEARS_US, |until_us| until_us - from_us);
                    // At the design rate; a machine that stands does not wear.
                    let strokes = (lasts_us as u64 * 130) / 60_000_000;
                    self.weigher.wear(WORN_BORE, (from, from + strokes), value / 100.0);
                }
                // The others are asked for when they matter.
                _ => {}
            }
        }
        if self.disturbances.reset_due_us.is_some_and(|due_us| due_us <= plant_us)
            && let Some(due_us) = self.disturbances.reset_due_us.take()
        {
            self.reset_batch_counters(due_us);
        }
    }

    /// A batch has begun: its number and the reset of its counters come together, unless a fault parts them.
    fn change_batch(&mut self, now_us: i64) {
        match std::mem::take(&mut self.disturbances.id_leads_us) {
            0 => self.reset_batch_counters(now_us),
            leads_us if leads_us > 0 => self.disturbances.reset_due_us = Some(now_us + leads_us),
            lags_us => {
                self.reset_batch_counters(now_us);
                let n = self.filler.batches.len();
                let old = self.filler.batches.get(n.wrapping_sub(2));
                self.disturbances.old_id =
                    old.map(|batch| (batch.batch_id.clone(), now_us - lags_us));
            }
        }
    }

    fn restart_plc_at(&mut self, now_us: i64) {
        self.reset_batch_counters(now_us);
        self.view.boot_us = now_us;
        self.view.start.uptime_s = 0;
    }

    fn reset_batch_counters(&mut self, now_us: i64) {
        // What outlives a batch goes on from the value at plant time 0.
        let Counters { stroke_total, processed_acc, uptime_s, .. } = self.view.start;
        self.view.start = Counters { stroke_total, processed_acc, uptime_s, ..Counters::default() };
        self.view.base = self.filler.totals;
        self.view.reset_us = now_us;
    }
}
