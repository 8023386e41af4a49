//! How fast the model runs and what showing it costs, in time of a core of this machine, however busy it is.

use std::{fmt, time::Duration};

use rustix::time::{ClockId, clock_gettime};

use crate::{Model, ModelConfig, Preset};

/// What was measured. Only one core is used.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// Plant time that was run through, in hours.
    hours: u32,
    /// The same with no look at it, and the time that took.
    unseen: Duration,
    /// Registers of all five machines made a hundred times a second of plant time, for a minute, and the time that took.
    registers: Duration,
    /// And all nodes.
    nodes: Duration,
}

const LOOKS_A_SECOND: i64 = 100;
const WATCHED_S: i64 = 60;

impl Pace {
    /// Runs a good plant for so many hours, and then looks at it for a minute.
    pub fn measure(hours: u32) -> Pace {
        let config = ModelConfig { preset: Preset::Good, ..ModelConfig::default() };
        let mut model = Model::new(config);
        let began = Stopwatch::start();
        model.advance_to(i64::from(hours) * 3_600_000_000);
        let unseen = began.elapsed();
        let registers = watch(&mut model, |model| {
            model
                .units()
                .iter()
                .map(|&unit| {
                    model.holding_registers(unit).len() + model.input_registers(unit).len()
                })
                .sum()
        });
        let nodes = watch(&mut model, |model| model.nodes().len());
        Pace { hours, unseen, registers, nodes }
    }

    /// Seconds of plant time in a second of this machine.
    pub fn speed(&self) -> f64 {
        f64::from(self.hours) * 3_600.0 / self.unseen.as_secs_f64().max(1e-9)
    }
}

/// How long a minute of plant time takes with a look at every hundredth of a second.
fn watch(model: &mut Model, look: impl Fn(&Model) -> usize) -> Duration {
    let (from_us, began) = (model.plant_us(), Stopwatch::start());
    for tick in 1..=WATCHED_S * LOOKS_A_SECOND {
        model.advance_to(from_us + tick * 1_000_000 / LOOKS_A_SECOND);
        std::hint::black_box(look(model));
    }
    began.elapsed()
}

/// Time of a core that this thread has used, to the moment: `/proc/thread-self/schedstat` is behind by up to a tick.
struct Stopwatch(Duration);

impl Stopwatch {
    fn start() -> Stopwatch {
        Stopwatch(used())
    }

    fn elapsed(&self) -> Duration {
        used().saturating_sub(self.0)
    }
}

fn used() -> Duration {
    let used = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(used.tv_sec.unsigned_abs(), used.tv_nsec as u32)
}

impl fmt::Display for Pace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let share = |spent: Duration| 100.0 * spent.as_secs_f64() / WATCHED_S as f64;
        writeln!(
            f,
            "one line without servers   {:.0} s of plant time a second ({} h in {:.2} s)",
            self.speed(),
            self.hours,
            self.unseen.as_secs_f64()
        )?;
        writeln!(
            f,
            "registers of five machines {LOOKS_A_SECOND} times a second   {:.2} % of a core",
            share(self.registers)
        )?;
        write!(
            f,
            "nodes of five machines     {LOOKS_A_SECOND} times a second   {:.2} % of a core",
            share(self.nodes)
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Less than a tick of the scheduler, which is 1 ms at least, is measured too.
    #[test]
    fn short_work_takes_time() {
        let mut model = Model::new(ModelConfig::default());
        for stroke in 1..=100 {
            let began = Stopwatch::start();
            model.advance_to(stroke * 461_538);
            assert!(began.elapsed() > Duration::ZERO, "stroke {stroke}");
        }
    }
}
