//! `…/bores`: weights of samples bore by bore, and which bores fill differently from the others.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use domain::line::weight::{Moments, Part, Series, WeightTally};
use domain::plc_map::Role;
use domain::quality::bores::{Bore, compare};
use domain::units::{MINUTE_US, StationId};
use serde::Serialize;
use utoipa::ToSchema;

use super::picked::SheetForm;
use super::window::{WindowChoice, WindowView};
use super::{AsOf, read, tables};
use crate::config::LineConfig;
use crate::web::App;
use crate::web::error::{ErrorView, Params, WebError};

/// At most one in twenty answers marks a bore that differs by chance alone.
const LEVEL: f64 = 0.05;

/// Bores of a line in a span.
#[derive(Serialize, ToSchema)]
pub(crate) struct BoresView {
    /// The span.
    window: WindowView,
    /// Whether a map of this line tells bores at all.
    told: bool,
    /// Stations whose samples tell bores.
    stations: Vec<BoreStationView>,
}

/// Samples of a station.
#[derive(Serialize, ToSchema)]
struct BoreStationView {
    /// Which.
    station: String,
    /// Weights in all.
    n: u64,
    /// Mean of all bores, milligrams.
    mean_mg: Option<f64>,
    /// Standard deviation of all weights, milligrams.
    sd_mg: Option<f64>,
    /// Lowest weight that is allowed, milligrams, where one is configured.
    lower_mg: Option<f64>,
    /// Highest weight that is allowed, milligrams.
    upper_mg: Option<f64>,
    /// Bores of which a weight is known, by their numbers.
    bores: Vec<BoreView>,
}

/// One bore.
#[derive(Serialize, ToSchema)]
struct BoreView {
    /// Its number, from 1.
    bore: u16,
    /// Weights.
    n: u64,
    /// Their mean, milligrams.
    mean_mg: Option<f64>,
    /// Their standard deviation, milligrams; null below two weights.
    sd_mg: Option<f64>,
    /// Mean less the median of the means of all bores, milligrams.
    difference_mg: Option<f64>,
    /// Probability of such a difference by chance, adjusted for the number of bores; null where there are too few.
    p_value: Option<f64>,
    /// `more`, `less`, `chance` or `too_few`.
    verdict: &'static str,
}

/// Weights of samples bore by bore. Rejects are not told by bore: no role of a map has them.
#[utoipa::path(
    get, path = "/api/v1/lines/{id}/bores", params(("id" = String, Path, description = "Line"), WindowChoice, AsOf, SheetForm),
    responses(
        (status = 200, content((BoresView = "application/json"), (String = "text/csv"))),
        (status = 400, body = ErrorView),
        (status = 404, body = ErrorView)
    )
)]
pub(super) async fn bores(
    State(app): State<App>,
    Path(id): Path<String>,
    Params(choice): Params<WindowChoice>,
    Params(as_of): Params<AsOf>,
    Params(form): Params<SheetForm>,
) -> Result<Response, WebError> {
    let (line, sheet) = (app.line(&id)?, form.sheet(tables::BORES)?);
    let (now_us, _) = as_of.resolve(app.present().now.utc_us)?;
    let window = choice.resolve(&app, &line.config, now_us).await?;
    let (id, span) = (line.config.id.clone(), window.us());
    let mut weights = read(&app, move |history| history.weights(&id, span)).await?;
    weights.retain(|(start_us, _)| start_us + MINUTE_US <= now_us);
    let view = view(&line.config, window, weights.iter().map(|(_, tally)| tally));
    match sheet {
        None => Ok(Json(view).into_response()),
        Some(sheet) => app.sheet(line, sheet, span.0, &rows(&view)),
    }
}

/// A bore as a row of a file, which has all stations in one table.
#[derive(Serialize)]
struct BoreRow<'a> {
    station: &'a str,
    #[serde(flatten)]
    bore: &'a BoreView,
}

fn rows(view: &BoresView) -> Vec<BoreRow<'_>> {
    let mut rows = Vec::new();
    for at in &view.stations {
        rows.extend(at.bores.iter().map(|bore| BoreRow { station: &at.station, bore }));
    }
    rows
}

/// Stations whose maps tell from which bore a weight came.
fn telling(config: &LineConfig) -> Vec<StationId> {
    let tells = |role: &Role| *role == Role::Published(Series::Sample, Part::Bore);
    let maps = config.devices.iter().map(|device| &device.map);
    let telling = maps.filter(|map| map.tags.iter().any(|tag| tells(&tag.role)));
    telling.map(|map| map.station.clone()).collect()
}

fn view<'a>(
    config: &LineConfig,
    window: WindowView,
    weights: impl Iterator<Item = &'a WeightTally>,
) -> BoresView {
    let stations = telling(config);
    let mut sums: BTreeMap<(&StationId, u16), Moments> = BTreeMap::new();
    for tally in weights.filter(|tally| tally.series == Series::Sample && tally.bore > 0) {
        let sum = sums.entry((&tally.station, tally.bore)).or_default();
        *sum = *sum + tally.moments;
    }
    let of = |station: &StationId| {
        let here = sums.iter().filter(|((at, _), _)| *at == station);
        let bores: Vec<(u16, Moments)> = here.map(|((_, bore), sum)| (*bore, *sum)).collect();
        let all: Moments = bores.iter().map(|(_, moments)| *moments).sum();
        let weighed = config.characteristics.iter().find(|characteristic| {
            characteristic.measure.station() == station
                && characteristic.measure.series() == Some(Series::Sample)
        });
        let tolerance = weighed.map(|characteristic| characteristic.tolerance);
        BoreStationView {
            station: station.to_string(),
            n: all.n(),
            mean_mg: all.mean_mg().map(hundredths),
            sd_mg: all.sd_mg().map(hundredths),
            lower_mg: tolerance.and_then(|tolerance| tolerance.lsl),
            upper_mg: tolerance.and_then(|tolerance| tolerance.usl),
            bores: compare(&bores).iter().map(BoreView::of).collect(),
        }
    };
    let views = stations.iter().map(of).collect();
    BoresView { window, told: !stations.is_empty(), stations: views }
}

impl BoreView {
    fn of(bore: &Bore) -> BoreView {
        let verdict = match (bore.p_value, bore.difference_mg) {
            (Some(p), Some(difference)) if p < LEVEL => {
                if difference > 0.0 {
                    "more"
                } else {
                    "less"
                }
            }
            (Some(_), _) => "chance",
            (None, _) => "too_few",
        };
        BoreView {
            bore: bore.bore,
            n: bore.moments.n(),
            mean_mg: bore.moments.mean_mg().map(hundredths),
            sd_mg: bore.moments.sd_mg().map(hundredths),
            difference_mg: bore.difference_mg.map(hundredths),
            p_value: bore.p_value,
            verdict,
        }
    }
}

fn hundredths(x: f64) -> f64 {
    (x * 100.0).round() / 100.0
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use domain::plc_map::PlcMap;
    use domain::units::LineId;
    use serde_json::Value;

    use super::*;
    use crate::web::History;
    use crate::web::fixture::kept::{self, BEGIN_US, Kept};

    fn window() -> WindowView {
        let from_ms = BEGIN_US / 1_000;
        WindowView {
            window: "shift",
            name: String::new(),
            batch: false,
            from_ms,
            to_ms: from_ms + 1,
            open: true,
            period: None,
        }
    }

    fn shown(config: &LineConfig) -> Value {
        let weights = Kept::morning().weights(&LineId::new("L1"), (BEGIN_US, i64::MAX));
        let weights = weights.expect("it can be read");
        let view = view(config, window(), weights.iter().map(|(_, tally)| tally));
        serde_json::to_value(view).expect("JSON")
    }

    /// The fixture weighs two capsules of ten bores every 15 minutes; the seventh is 6 mg too light.
    #[test]
    fn the_bore_that_fills_too_little_is_named_and_no_other() {
        let mut config = kept::line();
        let text = include_str!("../../../plc-maps/cw04-modbus.toml");
        let map =
            PlcMap::parse("plc-maps/cw04-modbus.toml", text).expect("the shipped map is whole");
        config.devices[3].map = Arc::new(map);
        let view = shown(&config);
        let station = &view["stations"][0];
        assert_eq!((&view["told"], &station["station"]), (&true.into(), &"CW04".into()));
        let bores = station["bores"].as_array().expect("bores");
        assert_eq!(bores.len(), 10);
        for bore in bores {
            let light = bore["bore"] == 7;
            assert_eq!(bore["verdict"], if light { "less" } else { "chance" }, "{bore}");
            let mean = if light { 494.0 } else { 500.0 };
            assert_eq!((bore["mean_mg"].as_f64(), bore["n"].as_u64()), (Some(mean), Some(26)));
        }
        assert_eq!(bores[6]["difference_mg"], -6.0);
    }

    /// The control is the other station, which a file had alone.
    #[test]
    fn a_file_has_the_bores_of_every_station() {
        let mut config = kept::line();
        let text = include_str!("../../../plc-maps/cw04-modbus.toml");
        let map =
            PlcMap::parse("plc-maps/cw04-modbus.toml", text).expect("the shipped map is whole");
        let other = PlcMap { station: StationId::new("CW05"), ..map.clone() };
        (config.devices[3].map, config.devices[4].map) = (Arc::new(map), Arc::new(other));
        let weights = Kept::morning().weights(&LineId::new("L1"), (BEGIN_US, i64::MAX));
        let here: Vec<WeightTally> =
            weights.expect("it can be read").into_iter().map(|(_, tally)| tally).collect();
        let there = here
            .iter()
            .map(|tally| WeightTally { station: StationId::new("CW05"), ..tally.clone() });
        let there: Vec<WeightTally> = there.collect();
        let view = view(&config, window(), here.iter().chain(&there));
        let rows = rows(&view);
        for station in ["CW04", "CW05"] {
            assert_eq!(rows.iter().filter(|row| row.station == station).count(), 10, "{station}");
        }
        let row = serde_json::to_value(&rows[19]).expect("JSON");
        assert_eq!((&row["station"], &row["bore"]), (&"CW05".into(), &10.into()));
    }

    #[test]
    fn a_line_whose_maps_know_no_bores_says_so() {
        let view = shown(&kept::line());
        assert_eq!(
            (&view["told"], view["stations"].as_array().map(Vec::len)),
            (&false.into(), Some(0))
        );
    }
}
