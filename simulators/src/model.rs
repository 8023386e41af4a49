//! The plant as a pure function of its configuration and plant time: no clock, no socket.

use std::borrow::Cow;

use crate::{
    catalogue::Fault,
    config::{Counters, MOST_FILLERS, ModelConfig},
    disturb::Disturbances,
    injections::Injection,
    ledger::{FillerLedger, IntervalRecord, Ledger, PolisherLedger, SampleRecord, Totals},
    line::Line,
    machines::filler::Filler,
    registers::{self, NodeValue},
    standing,
    stops::{State, Stop},
};

/// The bore of a worn dosator, and how long one wears that no end is given for.
const WORN_BORE: u16 = 17;
const WEARS_US: i64 = 5 * 3_600_000_000;

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
    pub(crate) line: Line,
    pub(crate) plant_us: i64,
    /// What the clocks of the PLCs show, if not plant time.
    shown_utc_us: Option<i64>,
    /// What the PLC of each filler shows.
    pub(crate) views: Vec<View>,
    pub(crate) polisher_view: PolisherView,
    pub(crate) disturbances: Disturbances,
}

/// What the PLC of a filler counts from: its registers are the truth since `base`, on top of
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

/// What the polisher's PLC counts from. It keeps nothing when its power goes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PolisherView {
    pub(crate) base: PolisherLedger,
    pub(crate) start: Counters,
    pub(crate) boot_us: i64,
}

impl Model {
    /// The plant at plant time 0.
    pub fn new(config: ModelConfig) -> Model {
        let config = ModelConfig { fillers: config.fillers.clamp(1, MOST_FILLERS), ..config };
        let start = config.start_counters;
        let view = |nth| View {
            base: Totals::default(),
            // The counters of the others begin at zero.
            start: if nth == 0 { start } else { Counters::default() },
            reset_us: 0,
            boot_us: 0,
        };
        Model {
            line: Line::new(&config),
            plant_us: 0,
            shown_utc_us: None,
            views: (0..config.fillers).map(view).collect(),
            polisher_view: PolisherView { base: PolisherLedger::default(), start, boot_us: 0 },
            disturbances: Disturbances::default(),
            config,
        }
    }

    /// Executes everything that is due by `plant_us`. A time in the past changes nothing.
    pub fn advance_to(&mut self, plant_us: i64) {
        loop {
            let event_us = self.line.next_us();
            if event_us <= plant_us {
                self.disturb(event_us);
            }
            let made = self.filler().totals.made;
            let Some(event) = self.line.step(plant_us) else { break };
            self.disturbances.see(self.filler().totals.made - made, event.at_us);
            if let Some(nth) = event.of_filler
                && self.line.fillers[nth].batches.len() > event.n_batches
            {
                self.change_batch(nth, event.at_us);
            }
        }
        self.plant_us = self.plant_us.max(plant_us);
        self.disturb(self.plant_us);
        self.line.settle(self.plant_us);
    }

    /// Plant time, in microseconds.
    pub fn plant_us(&self) -> i64 {
        self.plant_us
    }

    /// Plant time of the next event.
    pub fn next_us(&self) -> i64 {
        self.line.next_us()
    }

    /// State of the filler.
    pub fn state(&self) -> State {
        self.filler().state()
    }

    /// Batch in production.
    pub fn batch_id(&self) -> String {
        self.filler().batch().batch_id
    }

    /// UTC of the plant's clocks, in microseconds since 1970.
    pub fn utc_us(&self) -> i64 {
        self.config.line_start_us + self.plant_us
    }

    /// Switches the filler's PLC off and on: its uptime begins at zero, all its counters are in retentive memory and are
    /// kept. The machine itself goes on.
    pub fn restart_plc(&mut self) {
        self.restart_plc_at(self.plant_us);
    }

    /// Lets a fault strike. One that began in the past begins now, for what is made cannot change any more; what it does
    /// to answers and connections is not part of the model. Of fillers side by side it strikes the one that it names.
    pub fn inject(&mut self, injection: Injection) {
        let from_us = injection.from_us.max(self.plant_us);
        self.disturbances.add(Injection { from_us, ..injection });
    }

    /// Ends a fault that is on, and forgets those of its kind that are still to come.
    pub fn withdraw(&mut self, fault: Fault) {
        self.disturbances.end(fault, self.plant_us);
    }

    /// Switches the polisher's PLC off and on: all its counters begin at zero. The machine itself goes on.
    #[cfg(test)]
    pub(crate) fn restart_polisher_plc(&mut self) {
        self.restart_polisher_plc_at(self.plant_us);
    }

    /// The exact account up to now.
    pub fn ledger(&self) -> Ledger {
        let filler = self.filler();
        let Filler { totals, stop, stops, .. } = filler;
        let batch = filler.batch();
        let mut batches = filler.batches.clone();
        if let Some(last) = batches.last_mut() {
            *last = batch.clone();
        }
        let Line { polisher, detector, weigher, counter, .. } = &self.line;
        Ledger {
            plant_us: self.plant_us,
            strokes: totals.strokes,
            infeed: totals.infeed,
            empty_pockets: totals.empty_pockets,
            made: totals.made,
            rejects: totals.by_class(),
            samples: totals.samples,
            in_process: filler.in_process(),
            state: filler.state(),
            stop_reason: stop.map_or(0, |stop| stop.code),
            stops: stops.clone(),
            state_us: filler.state_us(self.plant_us),
            batch_id: batch.batch_id,
            batches,
            beside: self.line.fillers.iter().skip(1).map(beside).collect(),
            polisher: polisher.ledger(),
            detector: detector.ledger(self.plant_us),
            weigher: weigher.ledger(),
            counter: counter.ledger(),
            machines: standing::machines(&self.line, self.plant_us),
        }
    }

    /// The Modbus units of the plant: 1 is CF01, 2 PS02, 3 MD03, 4 CW04, 5 BC05; more fillers are 12, 13, ….
    pub fn units(&self) -> Vec<u8> {
        let more = (2..=self.config.fillers as u8).map(|nth| 10 + nth);
        (1..=5).chain(more).collect()
    }

    /// The holding registers of a Modbus unit from address 0 on; empty for a unit that has none.
    pub fn holding_registers(&self, unit: u8) -> Vec<u16> {
        registers::holding(self, unit)
    }

    /// The input registers of a Modbus unit from address 0 on; empty for a unit that has none.
    pub fn input_registers(&self, unit: u8) -> Vec<u16> {
        registers::input(self, unit)
    }

    /// The OPC UA nodes of all machines: the `s=` identifier and the value of each.
    pub fn nodes(&self) -> Vec<(Cow<'static, str>, NodeValue)> {
        self.units().into_iter().flat_map(|unit| registers::nodes(self, unit)).collect()
    }

    /// The OPC UA nodes of one machine, by the station in front of its tags; none for one that is not there.
    pub fn nodes_of(&self, station: &str) -> Vec<(Cow<'static, str>, NodeValue)> {
        let unit = self.units().into_iter().find(|&unit| self::station(unit) == station);
        unit.map_or_else(Vec::new, |unit| registers::nodes(self, unit))
    }

    /// The last sample that was weighed capsule by capsule; none before the first.
    pub fn sample(&self) -> Option<SampleRecord> {
        self.line.weigher.sample()
    }

    /// What the weigher tells of the last whole minute; none before the first.
    pub fn interval(&self) -> Option<IntervalRecord> {
        self.line.weigher.interval()
    }

    fn filler(&self) -> &Filler {
        &self.line.fillers[0]
    }

    /// Uptime that a PLC shows which was started at a plant time and showed `start_s` then.
    pub(crate) fn uptime_s(&self, start_s: u32, boot_us: i64) -> u32 {
        seconds(start_s, self.plant_us - boot_us)
    }

    /// What the heartbeat of that PLC shows: its uptime, unless it is stuck.
    pub(crate) fn heartbeat(&self, start_s: u32, boot_us: i64) -> u16 {
        seconds(start_s, self.disturbances.heartbeat_us(self.plant_us) - boot_us) as u16
    }

    /// Sets the clocks of the PLCs: they no longer show plant time. What the plant makes does not depend on them.
    pub(crate) fn show_clock(&mut self, utc_us: i64) {
        self.shown_utc_us = Some(utc_us);
    }

    /// UTC as the PLCs have it, in microseconds since 1970.
    pub(crate) fn plc_utc_us(&self) -> i64 {
        self.shown_utc_us.unwrap_or_else(|| self.utc_us())
            + self.disturbances.clock_off_us(self.plant_us)
    }

    /// The number of the batch of a filler as the PLCs show it.
    pub(crate) fn shown_batch_id(&self, nth: usize) -> String {
        let id = self.line.fillers[nth].batch().batch_id;
        if nth == 0 { self.disturbances.shown_id(id, self.plant_us) } else { id }
    }

    /// Brings about what has begun by then.
    fn disturb(&mut self, plant_us: i64) {
        while let Some(injection) = self.disturbances.take_due(plant_us) {
            self.strike(injection);
        }
        if self.disturbances.reset_due_us.is_some_and(|due_us| due_us <= plant_us)
            && let Some(due_us) = self.disturbances.reset_due_us.take()
        {
            self.reset_batch_counters(0, due_us);
        }
        let chance = self.disturbances.reject_chance(plant_us);
        self.line.fillers[0].more_rejects.set(chance);
    }

    fn strike(&mut self, Injection { fault, from_us, until_us, value, filler }: Injection) {
        // Who asks for a filler that is not there strikes the last one.
        let last = self.line.fillers.len().saturating_sub(1);
        let filler = &mut self.line.fillers[(filler as usize).min(last)];
        match fault {
            Fault::PlcRestart => self.restart_plc_at(from_us),
            Fault::PolisherRestart => self.restart_polisher_plc_at(from_us),
            Fault::CounterReset => self.reset_batch_counters(0, from_us),
            Fault::BatchIdEarly | Fault::BatchIdLate => {
                let leads_us = (value * 1e6) as i64;
                self.disturbances.id_leads_us =
                    if fault == Fault::BatchIdEarly { leads_us } else { -leads_us };
                filler.end_batch_soon(fault);
            }
            Fault::Jam => filler.wanted_stop = Some(Stop::jam((value * 1e6) as i64)),
            Fault::WornDosator => {
                let from = filler.totals.strokes;
                let lasts_us =
                    until_us.map_or(WEARS_US, |until_us| until_us.saturating_sub(from_us));
                // At the design rate; a machine that stands does not wear.
                let strokes = lasts_us.max(0).unsigned_abs().saturating_mul(130) / 60_000_000;
                self.line.weigher.wear(WORN_BORE, (from, from + strokes), value / 100.0);
            }
            // The others are asked for when they matter.
            _ => {}
        }
    }

    /// A batch has begun: its number and the reset of its counters come together, unless a fault parts them.
    fn change_batch(&mut self, nth: usize, now_us: i64) {
        let leads_us = match nth {
            0 => std::mem::take(&mut self.disturbances.id_leads_us),
            _ => 0,
        };
        if leads_us > 0 {
            self.disturbances.reset_due_us = Some(now_us + leads_us);
            return;
        }
        self.reset_batch_counters(nth, now_us);
        if leads_us < 0 {
            let batches = &self.line.fillers[nth].batches;
            let old = batches.get(batches.len().wrapping_sub(2));
            self.disturbances.old_id = old.map(|batch| (batch.batch_id.clone(), now_us - leads_us));
        }
    }

    fn restart_plc_at(&mut self, now_us: i64) {
        self.views[0].boot_us = now_us;
        self.views[0].start.uptime_s = 0;
    }

    fn restart_polisher_plc_at(&mut self, boot_us: i64) {
        let (start, base) = (Counters::default(), self.line.polisher.ledger());
        self.polisher_view = PolisherView { base, start, boot_us };
    }

    fn reset_batch_counters(&mut self, nth: usize, now_us: i64) {
        let view = &mut self.views[nth];
        // What outlives a batch goes on from the value at plant time 0.
        let Counters { stroke_total, processed_acc, uptime_s, .. } = view.start;
        view.start = Counters { stroke_total, processed_acc, uptime_s, ..Counters::default() };
        view.base = self.line.fillers[nth].totals;
        view.reset_us = now_us;
    }
}

/// A clock of seconds that wraps, so much later than it showed `start_s`.
fn seconds(start_s: u32, us: i64) -> u32 {
    start_s.wrapping_add(us.div_euclid(1_000_000) as u32)
}

/// The station in front of the tags of the machine that has this unit, see [`Model::units`].
pub(crate) fn station(unit: u8) -> String {
    match unit {
        1 => "CF01".to_owned(),
        2 => "PS02".to_owned(),
        3 => "MD03".to_owned(),
        4 => "CW04".to_owned(),
        5 => "BC05".to_owned(),
        more => format!("CF{:02}", more.saturating_sub(10)),
    }
}

fn beside(filler: &Filler) -> FillerLedger {
    let totals = &filler.totals;
    FillerLedger {
        strokes: totals.strokes,
        infeed: totals.infeed,
        empty_pockets: totals.empty_pockets,
        made: totals.made,
        rejects: totals.by_class(),
        samples: totals.samples,
        in_process: filler.in_process(),
        stops: filler.stops.clone(),
    }
}
