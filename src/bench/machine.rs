//! On what a figure of speed was taken.

use std::fmt;

/// The machine and what else it did.
#[derive(Clone, Debug, PartialEq)]
pub struct Machine {
    /// Model of the processor, as the system names it.
    pub cpu: String,
    /// Cores that this process may use.
    pub cores: usize,
    /// Processes that ran or waited for a core or the disk, mean of the last minute.
    pub load: f64,
    /// Whether this binary was built to be fast.
    pub optimised: bool,
}

impl Machine {
    /// This one, now.
    pub fn now() -> Machine {
        let info = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let model = info.lines().find_map(|line| line.strip_prefix("model name"));
        let cpu =
            model.map_or("unknown processor", |model| model.trim_start_matches([' ', '\t', ':']));
        let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
        let load = load.split(' ').next().and_then(|load| load.parse().ok()).unwrap_or(0.0);
        Machine {
            cpu: cpu.to_owned(),
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            load,
            optimised: !cfg!(debug_assertions),
        }
    }
}

impl fmt::Display for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Machine { cpu, cores, load, optimised } = self;
        let build = if *optimised { "release build" } else { "debug build" };
        write!(f, "{cpu}, {cores} cores, load {load:.1}, {build}")
    }
}
