//! `capline-sim replay`.

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use anyhow::Context;
use simulators::Trace;

use super::until_over;

const LOOK_EVERY: Duration = Duration::from_millis(100);
const PROGRESS_EVERY_US: i64 = 10_000_000;

#[derive(clap::Args)]
pub(super) struct Replay {
    /// The trace: CSV with the columns at_us, unit, table, register, value.
    file: PathBuf,
    /// Where to serve it (Modbus TCP).
    #[arg(long, default_value = "127.0.0.1:5020")]
    modbus: SocketAddr,
    /// Seconds of the trace in a real second.
    #[arg(long, default_value_t = 1.0, value_parser = speed)]
    speed: f64,
    /// Go on with the last values after the end, until Ctrl-C.
    #[arg(long)]
    stay: bool,
}

fn speed(text: &str) -> Result<f64, String> {
    let speed = text.parse().map_err(|_| format!("{text} is no number"))?;
    (0.001..=1_000.0).contains(&speed).then_some(speed).ok_or("from 0.001 to 1000".to_owned())
}

impl Replay {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let trace = Trace::load(&self.file)?;
        let length_us = trace.length_us();
        let length_s = length_us / 1_000_000;
        if let Some(line) = trace.unfinished() {
            eprintln!("line {line} has no end: it is unfinished and left out");
        }
        println!("{} changes in {length_s} s", trace.len());
        let replay = simulators::Replay::start(self.modbus, trace, self.speed);
        let replay = replay.await.with_context(|| {
            format!("{} cannot be listened on; choose another --modbus", self.modbus)
        })?;
        println!("trace   modbus tcp  {}", replay.addr());
        let mut told_us = 0;
        let look = || {
            let now_us = replay.now_us();
            if now_us >= told_us && now_us <= length_us {
                told_us = now_us + PROGRESS_EVERY_US;
                let answers = replay.answers();
                eprintln!("{} s of {length_s} s, {answers} answers", now_us / 1_000_000);
            }
            Ok(!self.stay && now_us > length_us)
        };
        until_over(LOOK_EVERY, look).await
    }
}
