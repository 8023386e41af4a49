//! A simulated register with a true count behind it, spoilt by everything that happens to counters.
//!
//! It shares no arithmetic with the ledger: capsules fall in strokes on a time axis, and the register
//! is a view of them.

use super::*;

/// Which columns are read beside the counter.
#[derive(Clone, Copy, Debug)]
pub(super) struct Columns {
    pub uptime: bool,
    pub heartbeat: bool,
    pub batch: bool,
    pub cleared: bool,
    pub sourced: bool,
    pub odometer: bool,
}

/// What happens between two polls, or to the second of them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Event {
    Nothing,
    /// The poll brings nothing.
    Missed,
    /// The controller restarts and boots for so long.
    Restart {
        boot_ms: u32,
    },
    /// A person sets the counter back.
    ManualReset,
    /// A batch ends: the counter is set back; the id changes so many polls later or earlier.
    NewBatch {
        id_shift: i8,
    },
    /// We restart; after a reboot of the computer the boot clock is another one.
    OurRestart {
        reboot: bool,
    },
    /// The two words of the register belong to different moments.
    Torn {
        up: bool,
    },
    /// One poll reads 0.
    Glitch,
    /// The reading arrives twice.
    Duplicate,
    /// An older reading arrives after this one.
    Late,
    /// The clock of the device steps.
    ClockStep {
        s: i32,
    },
    /// Somebody writes another value into the register.
    Preset {
        up: u32,
    },
    /// A program is loaded into the controller: the register gets another value, and the clock another time.
    Loaded {
        up: u32,
        ms: i32,
    },
}

impl Event {
    /// Whether one reading does not show what the machine made.
    pub(super) fn disturbs(self) -> bool {
        matches!(
            self,
            Event::Torn { .. } | Event::Glitch | Event::Preset { .. } | Event::Loaded { .. }
        )
    }

    /// Whether the register is set to another value.
    fn sets(self) -> bool {
        use Event::{Loaded, ManualReset, NewBatch, Preset, Restart};
        matches!(
            self,
            Loaded { .. } | ManualReset | NewBatch { .. } | Preset { .. } | Restart { .. }
        )
    }
}

/// One poll.
#[derive(Clone, Copy, Debug)]
pub(super) struct Poll {
    pub dt_ms: u32,
    /// Tenths of the design speed, up to 11.
    pub speed: u8,
    /// Where in the interval the event happens, in percent.
    pub at: u8,
    pub event: Event,
    /// The columns beside the counter could not be read.
    pub bare: bool,
}

/// A whole run.
#[derive(Clone, Debug)]
pub(super) struct Schedule {
    pub settings: Settings,
    pub columns: Columns,
    pub start: u64,
    pub polls: Vec<Poll>,
}

/// What the service is given, and what it does itself.
pub(super) enum Arrival {
    Sample(Sample),
    Missed,
    /// With a reading of the new boot clock after a reboot of the computer.
    OurRestart(Option<Moment>),
}

/// An arrival and the truth at that time: capsules made since the first poll.
pub(super) struct Step {
    pub arrival: Arrival,
    pub at_us: i64,
    pub made: u64,
    /// The register was set back or preset since the step before.
    pub set: bool,
}

/// Position of the machine in 1/600,000,000 of a capsule.
const CAPSULE: u128 = 600_000_000;

pub(super) struct Plant<'a> {
    schedule: &'a Schedule,
    now_us: i64,
    mono_shift_us: i64,
    source_shift_us: i64,
    position: u128,
    /// What the register showed at `zero_made` capsules.
    shown: u64,
    zero_made: u64,
    boot_us: i64,
    cleared_us: i64,
    set: bool,
}

impl<'a> Plant<'a> {
    pub(super) fn new(schedule: &'a Schedule) -> Plant<'a> {
        Plant {
            schedule,
            now_us: 1_000_000_000,
            mono_shift_us: 0,
            source_shift_us: 0,
            position: 0,
            shown: schedule.start,
            zero_made: 0,
            boot_us: -5_000_000_000,
            cleared_us: -3_000_000_000,
            set: false,
        }
    }

    /// Plays the whole schedule.
    pub(super) fn play(mut self) -> Vec<Step> {
        let polls = &decidable(&self.schedule.polls);
        let changes = id_changes(polls);
        let mut steps = Vec::with_capacity(polls.len() + 1);
        let mut last = self.reading(0, false);
        self.push(&mut steps, Arrival::Sample(last));
        for (index, poll) in polls.iter().enumerate() {
            self.pass(poll);
            let batch = changes.iter().filter(|at| **at <= index as i64).count() as u64;
            let mut now = self.reading(batch, poll.bare);
            match poll.event {
                Event::Missed => {
                    self.push(&mut steps, Arrival::Missed);
                    continue;
                }
                Event::OurRestart { reboot } => {
                    self.push(&mut steps, Arrival::OurRestart(reboot.then_some(now.at)));
                }
                Event::Torn { up } => {
                    now.value = torn(now.value, up, self.schedule.settings.modulus);
                }
                // A 0 after a 0 is no glitch that anything could see.
                Event::Glitch if last.value > 0 => now.value = 0,
                _ => {}
            }
            self.push(&mut steps, Arrival::Sample(now));
            let again = match poll.event {
                Event::Duplicate if self.schedule.columns.sourced => Some(now),
                Event::Late if self.schedule.columns.sourced && now.source_us > last.source_us => {
                    Some(last)
                }
                _ => None,
            };
            if let Some(mut again) = again {
                again.at = now.at;
                self.push(&mut steps, Arrival::Sample(again));
            }
            last = now;
        }
        steps
    }

    fn push(&mut self, steps: &mut Vec<Step>, arrival: Arrival) {
        let set = std::mem::take(&mut self.set);
        steps.push(Step {
            arrival,
            at_us: self.now_us + self.mono_shift_us,
            made: self.made(),
            set,
        });
    }

    fn made(&self) -> u64 {
        let stroke = u128::from(self.schedule.settings.step.max(1));
        (self.position / CAPSULE / stroke * stroke) as u64
    }

    /// An odometer of 16 bits that rises with the counter and is near its end at the start.
    fn strokes(&self) -> u64 {
        (65_000 + self.made() / self.schedule.settings.step.max(1)) % (1 << 16)
    }

    fn register(&self) -> u64 {
        let value = u128::from(self.shown) + u128::from(self.made() - self.zero_made);
        match self.schedule.settings.modulus {
            Modulus::At(states) => (value % u128::from(states)) as u64,
            _ => value as u64,
        }
    }

    fn set(&mut self, value: u64) {
        (self.shown, self.zero_made, self.set) = (value, self.made(), true);
    }

    fn run(&mut self, us: i64, speed: u8) {
        self.now_us += us;
        let rate = u128::from(self.schedule.settings.max_per_minute) * u128::from(speed.min(11));
        self.position += us.unsigned_abs() as u128 * rate;
    }

    /// Lets the interval of a poll pass, with its event somewhere inside.
    fn pass(&mut self, poll: &Poll) {
        let settings = &self.schedule.settings;
        let mut dt_us = i64::from(poll.dt_ms) * 1_000;
        let mut before_us = dt_us * i64::from(poll.at.min(100)) / 100;
        if let Event::Restart { boot_ms } = poll.event {
            let boot_us = i64::from(boot_ms.max(1_000)) * 1_000;
            dt_us = dt_us.max(boot_us);
            before_us = before_us.min(dt_us - boot_us);
            self.run(before_us, poll.speed);
            self.run(boot_us, 0);
            self.boot_us = self.now_us;
            if settings.retentive != Some(true) {
                self.set(0);
                self.cleared_us = self.now_us;
            }
            return self.run(dt_us - before_us - boot_us, poll.speed);
        }
        self.run(before_us, poll.speed);
        match poll.event {
            Event::ManualReset if settings.resets.manual => self.clear(),
            Event::NewBatch { .. } if settings.resets.batch => self.clear(),
            Event::ClockStep { s } => self.source_shift_us += i64::from(s) * 1_000_000,
            Event::OurRestart { reboot: true } => {
                self.mono_shift_us = -self.now_us - self.mono_shift_us.abs() % 7_000;
            }
            Event::Preset { up } if is_wide(settings.modulus) => {
                self.set((self.register() + u64::from(up)) % (1 << 31));
            }
            Event::Loaded { up, ms } => {
                self.source_shift_us += i64::from(ms) * 1_000;
                if is_wide(settings.modulus) {
                    self.set((self.register() + u64::from(up)) % (1 << 31));
                }
            }
            _ => {}
        }
        self.run(dt_us - before_us, poll.speed);
    }

    fn clear(&mut self) {
        self.set(0);
        self.cleared_us = self.now_us;
    }

    fn reading(&self, batch: u64, bare: bool) -> Sample {
        let columns = self.schedule.columns;
        let passed_s = |origin: i64| ((self.now_us - origin) / 1_000_000) as u64;
        let given = |column: bool, value: u64| (column && !bare).then_some(value);
        let evidence = Evidence {
            uptime_s: given(columns.uptime, passed_s(self.boot_us)),
            batch: given(columns.batch, batch),
            batch_settled: false,
            since_reset_s: given(columns.cleared, passed_s(self.cleared_us)),
            heartbeat: given(columns.heartbeat, passed_s(self.boot_us) % 65_536),
            session_lost: false,
            ran_on: false,
            bounds: None,
            odometer: given(columns.odometer, self.strokes()),
        };
        let at = Moment { utc_us: self.now_us, mono_us: self.now_us + self.mono_shift_us };
        let source_us = columns.sourced.then_some(self.now_us + self.source_shift_us);
        Sample { at, off_us: 0, source_us, value: self.register(), evidence }
    }
}

/// What happens in a schedule and has an effect, in words.
pub(super) fn kinds(schedule: &Schedule) -> Vec<&'static str> {
    let Settings { modulus, retentive, resets, .. } = schedule.settings;
    let sourced = schedule.columns.sourced;
    let kind = |poll: &Poll| match poll.event {
        Event::Missed => Some("missed poll"),
        Event::Restart { .. } if retentive == Some(true) => Some("plc restart, count kept"),
        Event::Restart { .. } => Some("plc restart, count lost"),
        Event::ManualReset if resets.manual => Some("reset by hand"),
        Event::NewBatch { id_shift: 0 } if resets.batch => Some("batch change"),
        Event::NewBatch { id_shift: 1.. } if resets.batch => Some("batch change, late id"),
        Event::NewBatch { .. } if resets.batch => Some("batch change, early id"),
        Event::OurRestart { reboot: false } => Some("our restart"),
        Event::OurRestart { reboot: true } => Some("our restart with a reboot"),
        Event::Torn { .. } if is_wide(modulus) => Some("torn read"),
        Event::Glitch => Some("zero glitch"),
        Event::Duplicate if sourced => Some("duplicate"),
        Event::Late if sourced => Some("late read"),
        Event::ClockStep { s: 1.. } if sourced => Some("clock step ahead"),
        Event::ClockStep { s: ..=-1 } if sourced => Some("clock step back"),
        Event::Preset { .. } if is_wide(modulus) => Some("preset"),
        Event::Loaded { .. } if is_wide(modulus) => Some("loaded program"),
        _ => None,
    };
    let polls = decidable(&schedule.polls);
    let mut kinds: Vec<&str> = polls.iter().filter_map(kind).collect();
    kinds.extend(wraps(schedule));
    kinds.sort_unstable();
    kinds.dedup();
    kinds
}

/// Wraps between two samples of one segment: how often the register passed its end.
fn wraps(schedule: &Schedule) -> Vec<&'static str> {
    let Modulus::At(states) = schedule.settings.modulus else { return Vec::new() };
    let mut found = Vec::new();
    let mut last: Option<(u64, u64)> = None;
    for step in Plant::new(schedule).play() {
        last = if step.set { None } else { last };
        if let Arrival::Sample(sample) = step.arrival {
            let passed = last.map_or(0, |(value, made)| (value + step.made - made) / states);
            match passed {
                0 => {}
                1 => found.push("wrap"),
                _ => found.push("several wraps in one gap"),
            }
            last = Some((sample.value, step.made));
        }
    }
    found
}

/// The polls at which the batch id changes.
fn id_changes(polls: &[Poll]) -> Vec<i64> {
    let change = |(index, poll): (usize, &Poll)| match poll.event {
        Event::NewBatch { id_shift } => Some(index as i64 + i64::from(id_shift)),
        _ => None,
    };
    polls.iter().enumerate().filter_map(change).collect()
}

/// The schedule without what no algorithm can tell apart, each with its reason.
fn decidable(polls: &[Poll]) -> Vec<Poll> {
    let mut kept: Vec<Poll> = Vec::with_capacity(polls.len());
    let (mut disturbed, mut was_set, mut since_ms, mut before_ms) = (false, false, 0u64, 0);
    let (mut batch_at, mut step_at) = (None, None::<usize>);
    for (index, poll) in polls.iter().enumerate() {
        let mut poll = *poll;
        since_ms += u64::from(poll.dt_ms);
        let refused = match poll.event {
            // Two bad readings in a row, or a bad one and a reset, confirm each other.
            event if disturbed && (event.disturbs() || event.sets()) => true,
            // Readings are dropped as late until a clock that stepped back is believed again.
            event if event.disturbs() && step_at.is_some_and(|at| index < at + 5) => true,
            // A bad reading right after a reset may look like the old line going on.
            event if was_set && event.disturbs() => true,
            // A torn reading after a gap in which 65,536 can be made looks like a step. So does the second one after it, where
            // the register wrapped to just 0 in the gap, which waits.
            Event::Torn { .. } => since_ms.max(before_ms) >= 60_000,
            // Batches last longer than the id and the counter disagree.
            Event::NewBatch { .. } => batch_at.is_some_and(|at| index < at + 10),
            _ => false,
        };
        if refused {
            poll.event = Event::Nothing;
        }
        was_set = poll.event.sets() || (was_set && poll.event == Event::Missed);
        if matches!(poll.event, Event::NewBatch { .. }) {
            batch_at = Some(index);
        }
        let unread = matches!(poll.event, Event::Missed | Event::OurRestart { .. });
        let stepping = step_at.is_some_and(|at| index < at + 5);
        let steps = matches!(poll.event, Event::ClockStep { .. } | Event::Loaded { .. });
        if steps || (unread && stepping) {
            step_at = Some(index);
        }
        if poll.event != Event::Missed {
            disturbed = poll.event.disturbs();
            (before_ms, since_ms) = (since_ms, 0);
        }
        kept.push(poll);
    }
    kept
}

pub(super) fn is_wide(modulus: Modulus) -> bool {
    !matches!(modulus, Modulus::At(states) if states < 1 << 31)
}

fn torn(value: u64, up: bool, modulus: Modulus) -> u64 {
    match up {
        _ if !is_wide(modulus) => value,
        true => value + 65_536,
        false => value.checked_sub(65_536).unwrap_or(value),
    }
}
