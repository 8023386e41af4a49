//! Short stops hour by hour, so that a rise is seen.

use domain::line::rollup::Rollup;
use domain::units::HOUR_US;
use serde::Serialize;
use utoipa::ToSchema;

use super::LossStopView;
use crate::web::api::window::WindowView;

/// Short stops that began in a clock hour.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub(crate) struct MicroHourView {
    /// Start of the hour, UTC milliseconds.
    pub(crate) hour_ms: i64,
    /// How many.
    pub(crate) n: u64,
    /// How long these lasted together within the span, milliseconds.
    pub(crate) ms: i64,
    /// Share of the hour, as far as it lies in the span, that is known, percent: of the rest nobody knows whether the line
    /// stood.
    pub(crate) known_percent: f64,
}

/// The clock hours of a span with the short stops that began in each; one that began before the span is of its first hour.
/// Hours are cut where the stored ones are.
pub(super) fn micro_hours(
    micro: &[&LossStopView],
    hours: &[Rollup],
    window: &WindowView,
) -> Vec<MicroHourView> {
    let (from_us, to_us) = window.us();
    let phase_us = hours.first().map_or(0, |hour| hour.start_us.rem_euclid(HOUR_US));
    let hour_of = |us: i64| (us - phase_us).div_euclid(HOUR_US) * HOUR_US + phase_us;
    let first_us = hour_of(from_us);
    let of = |start_us: i64| {
        let begun =
            |stop: &&&LossStopView| hour_of((stop.from_ms * 1_000).max(from_us)) == start_us;
        let stops: Vec<i64> = micro.iter().filter(begun).map(|stop| stop.inside_ms).collect();
        let passed_us = (start_us + HOUR_US).min(to_us) - start_us.max(from_us);
        let stored = hours.iter().find(|hour| hour.start_us == start_us);
        let known_us = stored.map_or(0, |hour| hour.spending.time.known());
        let known = (known_us as f64 / passed_us.max(1) as f64).clamp(0.0, 1.0);
        MicroHourView {
            hour_ms: start_us / 1_000,
            n: stops.len() as u64,
            ms: stops.iter().sum(),
            known_percent: (known * 1_000.0).floor() / 10.0,
        }
    };
    (0..).map(|i| first_us + i * HOUR_US).take_while(|start_us| *start_us < to_us).map(of).collect()
}
