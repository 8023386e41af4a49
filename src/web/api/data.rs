//! `…/data`: how good the data are. Polls that were asked for and what came of them, counters, the balance of the
//! line, what the ledger wrote down, and the store.

use axum::Json;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use domain::line::event::EventKind;
use domain::line::rollup::PeriodKind;
use domain::units::{HOUR_US, TagId};
use serde::Serialize;
use utoipa::ToSchema;

use super::balance::{BalanceView, balance_of};
use super::picked::SheetForm;
use super::read;
use super::reading::{ClockView, clocks};
use super::tables;
use super::tag::TagView;
use crate::web::error::{ErrorView, Params, WebError};
use crate::web::view::EventView;
use crate::web::{App, Gauge, LineFeed};

/// How far back the ledger is shown.
const LEDGER_US: i64 = 24 * HOUR_US;
/// Entries shown.
const ENTRIES: usize = 200;

/// How good the data of a line are.
#[derive(Serialize, ToSchema)]
pub(crate) struct DataView {
    /// Poll groups.
    polls: Vec<PollView>,
    /// All poll groups together.
    polled: PolledView,
    /// How the poll thread is scheduled; none where nothing is polled.
    scheduling: Option<SchedulingView>,
    /// All tags of the maps, with what was counted by them.
    tags: Vec<TagView>,
    /// The clocks of the devices beside ours.
    clocks: Vec<ClockView>,
    /// What the ledger and the links wrote down in the last 24 hours, newest first.
    entries: Vec<EventView>,
    /// How many of them there are.
    n_entries: usize,
    /// Balance of the present shift.
    balance: Option<BalanceView>,
    /// The store.
    store: StoreView,
    /// Live screens.
    screens: usize,
    /// Resident memory of the service in bytes.
    resident_bytes: Option<f64>,
    /// Version of the service.
    version: &'static str,
    /// SHA-256 of the configuration that runs and of its maps.
    config_sha256: String,
}

/// How the poll thread is scheduled.
#[derive(Serialize, ToSchema)]
struct SchedulingView {
    /// Priority under SCHED_FIFO with which it runs, 1 to 99; none while it is scheduled like any other thread.
    realtime_priority: Option<f64>,
    /// Priority that the configuration asks for.
    wanted: Option<f64>,
}

/// A poll group since the service started.
#[derive(Serialize, ToSchema)]
struct PollView {
    /// The machine.
    station: String,
    /// Name of the group in the map.
    group: String,
    /// Polls that fell due.
    planned: f64,
    /// Polls that brought readings.
    done: f64,
    /// Polls that brought nothing, by reason.
    missed: Vec<MissView>,
    /// All of these.
    n_missed: f64,
    /// Snapshots dropped because the queue was full.
    dropped: f64,
    /// Median, 99 of 100, and most of how late polls began, milliseconds.
    late_ms: [f64; 3],
    /// Round trip of the last poll, milliseconds.
    round_trip_ms: f64,
}

/// Polls of all groups since the service started.
#[derive(Serialize, ToSchema)]
struct PolledView {
    /// Polls that brought readings.
    done: f64,
    /// Polls that brought nothing, whatever the reason.
    missed: f64,
    /// Snapshots dropped because the queue was full.
    dropped: f64,
}

impl PolledView {
    fn of(polls: &[PollView]) -> PolledView {
        let sum = |of: fn(&PollView) -> f64| polls.iter().map(of).sum();
        PolledView {
            done: sum(|poll| poll.done),
            missed: sum(|poll| poll.n_missed),
            dropped: sum(|poll| poll.dropped),
        }
    }
}

/// Missed polls of one reason.
#[derive(Serialize, ToSchema)]
struct MissView {
    /// Why.
    reason: String,
    /// How many.
    n: f64,
}

/// The store.
#[derive(Serialize, ToSchema)]
struct StoreView {
    /// Commits since the start.
    commits: f64,
    /// Time of a durable commit in milliseconds: median, 99 of 100, most.
    commit_ms: [f64; 3],
    /// Size of the journal in bytes.
    bytes: f64,
    /// Size of the files of raw readings in bytes.
    raw_bytes: f64,
    /// Both together.
    total_bytes: f64,
    /// Room for both, on the disk or in their budget, in bytes.
    free_bytes: f64,
    /// Whether raw readings are given up for want of room.
    shedding: bool,
    /// Ticks that wait to be stored.
    queued: f64,
    /// Whether the journal refuses ticks.
    failing: bool,
}

/// How good the data are: polls, tags with their counters, ledger, balance of the present shift, store.
#[utoipa::path(
    get, path = "/api/v1/lines/{id}/data",
    params(("id" = String, Path, description = "Line"), SheetForm),
    responses(
        (status = 200, content((DataView = "application/json"), (String = "text/csv"))),
        (status = 400, body = ErrorView),
        (status = 404, body = ErrorView)
    )
)]
pub(super) async fn data(
    State(app): State<App>,
    Path(id): Path<String>,
    Params(form): Params<SheetForm>,
) -> Result<Response, WebError> {
    let line = app.line(&id)?;
    let (sheet, now_us) = (form.sheet(tables::DATA)?, app.present().now.utc_us);
    let view = view(&app, line).await?;
    match sheet {
        None => Ok(Json(view).into_response()),
        Some(sheet) => app.sheet(line, sheet, now_us, &view),
    }
}

async fn view(app: &App, line: &LineFeed) -> Result<DataView, WebError> {
    let present = app.present();
    let (config, latest) = (line.config.clone(), line.current(&present));
    let (id, now) = (config.id.clone(), present.now.utc_us);
    let counters: Vec<TagId> = config
        .devices
        .iter()
        .flat_map(|device| &device.map.tags)
        .filter(|tag| tag.counter.is_some())
        .map(|tag| tag.id.clone())
        .collect();
    let stored = read(app, move |history| {
        let of = |tag: &TagId| history.counter(&id, tag, now, now + 1);
        let read: Result<Vec<_>, String> = counters.iter().map(of).collect();
        let kinds = [
            EventKind::Count,
            EventKind::Link,
            EventKind::Service,
            EventKind::Alarm,
            EventKind::Clock,
        ];
        let entries = history.events(&id, now - LEDGER_US, now + 1, &kinds)?;
        let shifts = history.rollups(&id, PeriodKind::Shift, now - 1, now)?;
        Ok((counters.into_iter().zip(read?).collect::<Vec<_>>(), entries, shifts))
    });
    let (counters, entries, shifts) = stored.await?;
    let find = |tag: &TagId| {
        counters.iter().find(|(id, _)| id == tag).and_then(|(_, record)| record.as_ref())
    };
    let maps = || config.devices.iter().map(|device| &*device.map);
    let status = latest.as_deref();
    let tag =
        |map, tag| TagView::of(map, tag, find(&tag.id)).with_reading(map, tag, status, &present);
    let tags = maps().flat_map(|map| map.tags.iter().map(move |of| tag(map, of)));
    let gauges = Gauges(app.parts().gauges.render());
    let polls = gauges.polls(config.id.as_str());
    Ok(DataView {
        clocks: clocks(status, maps(), &present),
        version: env!("CARGO_PKG_VERSION"),
        config_sha256: app.parts().config_sha256.clone(),
        polled: PolledView::of(&polls),
        polls,
        scheduling: gauges.scheduling(),
        tags: tags.collect(),
        n_entries: entries.len(),
        entries: entries
            .iter()
            .rev()
            .take(ENTRIES)
            .map(|(_, event)| EventView::of(event))
            .collect(),
        balance: shifts.last().map(|shift| balance_of(&config, shift, (latest.as_deref(), now))),
        store: gauges.store(),
        screens: app.n_streams(),
        resident_bytes: gauges.value("capline_resident_bytes", &[]),
    })
}

/// What the service measures of itself, by name.
struct Gauges(Vec<Gauge>);

impl Gauges {
    fn value(&self, name: &str, labels: &[(&str, &str)]) -> Option<f64> {
        let has =
            |gauge: &&Gauge| labels.iter().all(|(key, value)| label(gauge, key) == Some(value));
        self.0.iter().filter(|gauge| gauge.name == name).find(has).map(|gauge| gauge.value)
    }

    fn quantiles_ms(&self, name: &str, labels: &[(&str, &str)]) -> [f64; 3] {
        ["0.5", "0.99", "1"].map(|quantile| {
            let labels: Vec<_> = labels.iter().copied().chain([("quantile", quantile)]).collect();
            ms(self.value(name, &labels).unwrap_or(0.0))
        })
    }

    fn polls(&self, line: &str) -> Vec<PollView> {
        let groups = self.0.iter().filter(|gauge| gauge.name == "capline_polls_planned");
        let view = |gauge: &Gauge| {
            let (station, group) = (label(gauge, "station")?, label(gauge, "group")?);
            let which = [("line", line), ("station", station), ("group", group)];
            let value = |name| self.value(name, &which).unwrap_or(0.0);
            let missed = self.0.iter().filter(|gauge| {
                gauge.name == "capline_polls_missed"
                    && which.iter().all(|(key, value)| label(gauge, key) == Some(value))
                    && gauge.value > 0.0
            });
            let missed: Vec<MissView> = missed
                .map(|gauge| MissView {
                    reason: label(gauge, "reason").unwrap_or_default().to_owned(),
                    n: gauge.value,
                })
                .collect();
            (label(gauge, "line") == Some(line)).then(|| PollView {
                station: station.to_owned(),
                group: group.to_owned(),
                planned: gauge.value,
                done: value("capline_polls_done"),
                n_missed: missed.iter().map(|miss| miss.n).sum(),
                missed,
                dropped: value("capline_snapshots_dropped"),
                late_ms: self.quantiles_ms("capline_poll_lateness_quantile_seconds", &which),
                round_trip_ms: ms(value("capline_poll_round_trip_seconds")),
            })
        };
        groups.filter_map(view).collect()
    }

    fn scheduling(&self) -> Option<SchedulingView> {
        // 0 stands for none.
        let priority = |name| self.value(name, &[]).map(|p| Some(p).filter(|p| *p > 0.0));
        Some(SchedulingView {
            realtime_priority: priority("capline_poll_realtime_priority")?,
            wanted: priority("capline_poll_realtime_wanted")?,
        })
    }

    fn store(&self) -> StoreView {
        let value = |name| self.value(name, &[]).unwrap_or(0.0);
        let (bytes, raw_bytes) = (value("capline_store_bytes"), value("capline_store_raw_bytes"));
        StoreView {
            commits: value("capline_store_commits"),
            commit_ms: self.quantiles_ms("capline_store_commit_seconds", &[]),
            bytes,
            raw_bytes,
            total_bytes: bytes + raw_bytes,
            free_bytes: value("capline_store_free_bytes"),
            shedding: ["shed_sent", "shed"].into_iter().any(|rung| {
                self.value("capline_store_room", &[("rung", rung)]).is_some_and(|is| is > 0.0)
            }),
            queued: value("capline_store_queued_ticks"),
            failing: value("capline_store_failing") > 0.0,
        }
    }
}

fn label<'a>(gauge: &'a Gauge, key: &str) -> Option<&'a str> {
    gauge.labels.iter().find(|(name, _)| *name == key).map(|(_, value)| value.as_str())
}

/// Seconds as milliseconds with two decimals.
fn ms(seconds: f64) -> f64 {
    (seconds * 100_000.0).round() / 100.0
}
