//! What the simulated plant costs: one core makes it, whoever reads it.

use simulators::Pace;

use super::machine::Machine;
use super::table::{Aim, Figures, Row};

/// Hours of the plant that are run through.
pub const HOURS: u32 = 100;

/// A line without servers is to run so many times as fast as real.
const SPEED: f64 = 3_600.0;
/// Five machines whose registers are made a hundred times a second are to cost less of a core, in percent.
const PERCENT: f64 = 10.0;

/// Runs a plant of five machines through so many hours, and then makes its registers and its nodes for a minute of its
/// time.
pub fn run(hours: u32) -> Figures {
    let machine = Machine::read();
    let pace = Pace::measure(hours.max(1));
    let cost = |what: &str, percent: f64| {
        Row::new(what, 0.0).figure("", percent, "% of a core").aim(Aim::AtMost(PERCENT))
    };
    let rows = vec![
        Row::new("the plant without servers", pace.unseen().as_secs_f64())
            .figure("", pace.speed(), "times real")
            .aim(Aim::AtLeast(SPEED))
            .note(format!("{hours} h, time of one core")),
        cost("registers of its five machines made 100 times a second", pace.registers_percent()),
        cost("and all nodes", pace.nodes_percent()),
    ];
    Figures { machine, rows, interrupted: false }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Shows: EVI-02
    #[test]
    fn the_cost_of_the_plant_is_measured_and_says_what_it_is_to_reach() {
        let figures = run(1);
        assert_eq!(figures.rows.len(), 3);
        for row in &figures.rows {
            assert!(row.figures.iter().all(|one| one.value > 0.0 && one.aim.is_some()), "{row}");
        }
        assert!(figures.to_string().contains("| registers of its five machines made 100 times"));
        assert_eq!(figures.json()["rows"].as_array().map(Vec::len), Some(3));
    }
}
