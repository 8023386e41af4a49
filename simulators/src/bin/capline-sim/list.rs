//! `capline-sim list`.

use std::path::PathBuf;

use anyhow::Context;
use simulators::{Fault, Happens, Scenario, Side};

#[derive(clap::Args)]
pub(super) struct List {
    /// Folder of the scenario files.
    #[arg(long, default_value = super::SCENARIOS)]
    folder: PathBuf,
}

impl List {
    pub(super) fn run(self) -> anyhow::Result<()> {
        println!("faults, for [[inject]] of a scenario file and POST /inject");
        for fault in Fault::ALL {
            let entry = fault.entry();
            let only = match (entry.side, entry.happens) {
                (Side::Service, _) => " (in a scenario file alone; the tests bring it about)",
                (_, Happens::AtStart) => {
                    " (in a scenario file alone, at_s = 0; the same as [start])"
                }
                _ => "",
            };
            let value = entry
                .value
                .map_or(String::new(), |figure| format!(" [{} {}]", figure.default, figure.unit));
            println!("  {:<20}{}{value}{only}", fault.name(), entry.does.en);
        }
        println!(
            "\npresets\n  steady  good  typical  poor\n\nscenarios in {}, for run NAME",
            self.folder.display()
        );
        let scenarios = Scenario::all(&self.folder)
            .context("name the folder of the scenario files with --folder")?;
        let width = scenarios.iter().map(|scenario| scenario.name.len()).max().unwrap_or(0);
        for Scenario { name, title, length_us, long, .. } in scenarios {
            let long = if long { ", long" } else { "" };
            println!("  {name:<width$}  {title} {} s{long}", length_us / 1_000_000);
        }
        Ok(())
    }
}
