//! What a figure was measured on.

use std::fmt;
use std::fs::read_to_string;

use serde::Serialize;

/// Machine and program.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Machine {
    /// Model of the processor, as it calls itself.
    pub cpu: String,
    /// Cores that this process may use.
    pub cores: usize,
    /// Processes that were running or waiting in the last minute, before anything was measured.
    #[serde(rename = "load_before")]
    pub load: String,
    /// Version of the kernel.
    pub kernel: String,
    /// Commit that the program was built from; `unknown` where the build did not say.
    pub commit: &'static str,
    /// Whether it was built with optimisation.
    pub optimised: bool,
}

impl Machine {
    /// This machine now.
    pub fn read() -> Machine {
        let first = |path: &str| read_to_string(path).ok().map(|text| text.trim().to_owned());
        let unknown = || "unknown".to_owned();
        let cpu = first("/proc/cpuinfo").and_then(|text| {
            let line = text.lines().find(|line| line.starts_with("model name"))?;
            Some(line.split_once(':')?.1.trim().to_owned())
        });
        let load = first("/proc/loadavg")
            .and_then(|text| text.split_whitespace().next().map(str::to_owned));
        Machine {
            cpu: cpu.unwrap_or_else(unknown),
            cores: cores(),
            load: load.unwrap_or_else(unknown),
            kernel: first("/proc/sys/kernel/osrelease").unwrap_or_else(unknown),
            // Where the program stands when it is run says nothing about where it was built.
            commit: option_env!("CAPLINE_COMMIT").unwrap_or("unknown"),
            optimised: !cfg!(debug_assertions),
        }
    }
}

impl fmt::Display for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Machine { cpu, cores, load, kernel, commit, optimised } = self;
        let built = if *optimised { "" } else { ", built without optimisation" };
        write!(
            f,
            "{cpu}, {cores} cores, load before {load}, Linux {kernel}, commit {commit}{built}"
        )
    }
}

/// Cores that this process may use.
pub(super) fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}
