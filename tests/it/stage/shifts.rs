//! A shift that changes at a plant time: what each of both holds.

use std::time::Instant;

use capline::clock::Clock;
use domain::units::{Count, HOUR_US, MINUTE_US};
use serde_json::Value;
use simulators::{Fault, Scenario, StopRecord, Watched, worst_us};

use super::{FIRST_READINGS, RECONNECTED, Stage, scenario};
use crate::harness::count;

/// The last sign of life of a machine is at most so much older than what was read of it.
const SIGN_OF_LIFE_US: i64 = 2_000_000;

impl Stage {
    /// Whether each shift holds what was made in it, and the part of a stop that lay in it. Of a gap across the border each
    /// holds what it can have been. A machine that is held since a moment gives no sign of life: the present shift has the
    /// bounds of what it can have made since.
    pub(super) async fn shifts(
        &self,
        scenario: &Scenario,
        border_us: i64,
        watched: &Watched,
        held: Instant,
    ) -> Vec<String> {
        let ledger = self.plant.ledger();
        let made = ledger.made;
        let before = scenario.made_by(border_us - self.zero_us);
        let path = "/api/v1/lines/L1/shifts";
        let shifts = match self.app.api().get(path).await {
            Ok(shifts) => shifts,
            Err(error) => return vec![error],
        };
        let views: Vec<&Value> = shifts.as_array().into_iter().flatten().collect();
        let of = |begins: bool| {
            let is_it =
                |shift: &&&Value| (shift["start_ms"].as_i64() == Some(border_us / 1_000)) == begins;
            views.iter().filter(is_it).filter_map(|shift| count(&shift["good"]).ok()).sum()
        };
        let shifts: [Count; 2] = [of(false), of(true)];
        let wrong = shifts.iter().zip([before, made - before]);
        let wrong = wrong.filter(|(said, truth)| !said.contains(*truth));
        let mut wrong: Vec<String> = wrong
            .map(|(said, truth)| format!("a shift made {truth}, and {said} is said"))
            .collect();
        let across = most_across(scenario, border_us - self.zero_us, self.speed);
        let held_us = (held.elapsed().as_micros() as f64 * self.speed) as i64;
        let mosts = [across, across + most_in(held_us + SIGN_OF_LIFE_US)];
        let wide = shifts.iter().zip(mosts).filter(|(said, most)| said.width() > *most);
        wrong.extend(wide.map(|(said, most)| {
            format!("{said} is said of a shift, and {most} can have been made unseen")
        }));
        // Both together are as well known as the gap that they share.
        let best: u64 = shifts.iter().map(|said| said.best()).sum();
        if best != made {
            wrong.push(format!("both shifts made {made}, and {best} is said: {shifts:?}"));
        }
        // The machine stopped for causes of its own alone.
        let border_plant_us = border_us - self.zero_us;
        let stood_us = |before: bool| -> i64 {
            let part = |stop: &StopRecord| {
                let (from_us, to_us) = (stop.from_us, stop.to_us.unwrap_or(ledger.plant_us));
                match before {
                    true => to_us.min(border_plant_us) - from_us,
                    false => to_us - from_us.max(border_plant_us),
                }
            };
            ledger.stops.iter().map(|stop| part(stop).max(0)).sum()
        };
        let told_us = |begins: bool, class: usize| -> i64 {
            let is_it =
                |shift: &&&Value| (shift["start_ms"].as_i64() == Some(border_us / 1_000)) == begins;
            let its = views.iter().filter(is_it);
            its.filter_map(|shift| shift["time_us"][class].as_i64()).sum()
        };
        const INTERNAL: usize = 1;
        const EXTERNAL: usize = 2;
        const PLANNED: usize = 3;
        let ends = ledger.stops.iter().flat_map(|stop| [Some(stop.from_us), stop.to_us]).flatten();
        let ends = ends.map(|plant_us| self.zero_us + plant_us).chain([border_us]);
        let worst_us = ends.map(|at_us| worst_us(watched, at_us)).max().unwrap_or(0);
        for begins in [false, true] {
            let (truth_us, said_us) = (stood_us(!begins), told_us(begins, INTERNAL));
            if (truth_us - said_us).abs() > worst_us {
                let [truth_s, said_s] = [truth_us, said_us].map(|us| us as f64 / 1e6);
                wrong.push(format!("a shift stood {truth_s:.2} s, and {said_s:.2} s are said"));
            }
            for class in [EXTERNAL, PLANNED] {
                let said_us = told_us(begins, class);
                if said_us > 0 {
                    wrong.push(format!("a shift has {said_us} us of class {class}, and none was"));
                }
            }
        }
        wrong
    }
}

/// A clock so far ahead that a minute begins at a plant time, and that minute: there the shift is to change.
pub(super) fn before(change_us: i64, speed: f64) -> (Clock, Option<i64>) {
    let now_us = Clock::real().now().utc_us;
    let border_us = (now_us / HOUR_US + 2) * HOUR_US + 30 * MINUTE_US;
    let first_us = (FIRST_READINGS.as_micros() as f64 * speed) as i64;
    let ahead_us = border_us - change_us - first_us - now_us;
    (Clock::accelerated(ahead_us, speed), Some(border_us))
}

/// Capsules that can have been made in the gap that lies across a plant time, until it is over for the service too: so many may
/// be in doubt of what is before and after. None where no gap does.
fn most_across(scenario: &Scenario, border_us: i64, speed: f64) -> u64 {
    let back_us = (RECONNECTED.as_micros() as f64 * speed) as i64;
    let gaps =
        scenario.inject.iter().filter(|one| one.fault == Fault::CommsLoss).filter_map(|one| {
            let (from_us, to_us) = (one.from_us, one.until_us? + back_us);
            (from_us..=to_us).contains(&border_us).then_some(to_us - from_us)
        });
    gaps.max().map_or(0, most_in)
}

/// Capsules that can be made in such a time: a tenth above the design rate, and one stroke.
fn most_in(us: i64) -> u64 {
    const MOST_PER_MINUTE: f64 = 6_500.0 * 1.1;
    const STROKE: u64 = 50;
    (us as f64 / MINUTE_US as f64 * MOST_PER_MINUTE) as u64 + STROKE
}

/// The bound of a gap is what it hides and no more; the negative control is a stop, which hides nothing.
#[test]
fn only_a_gap_across_a_border_leaves_doubt_about_its_shifts() {
    let most = |name: &str, at_s: i64| {
        let scenario = scenario(name);
        most_across(&scenario, at_s * 1_000_000, scenario.speed)
    };
    // 40 s of silence, and 24 s at the speed of the plant until it is read again.
    assert_eq!(most("shift_change_in_a_gap", 70), 64 * 7_150 / 60 + 50);
    assert_eq!([most("shift_change_in_a_gap", 49), most("shift_change_in_a_stop", 70)], [0, 0]);
}
