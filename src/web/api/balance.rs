//! `…/balance`: what went into each machine, what came out of it, and whether the rest can be inside.

use axum::Json;
use axum::extract::{Path, State};
use domain::line::balance::{Content, Difference, Section};
use domain::line::layout::{Layout, sections};
use domain::line::rollup::{PeriodKind, Rollup};
use domain::line::status::LineStatus;
use domain::units::Count;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::Span;
use super::periods::periods;
use crate::config::LineConfig;
use crate::web::App;
use crate::web::error::{ErrorView, Params, WebError, short};
use crate::web::view::CountView;

/// Which periods to balance.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Periods {
    /// `hour`, `shift` or `batch`. Default: `hour`.
    by: Option<String>,
}

/// The balance of a period.
#[derive(Serialize, ToSchema)]
pub(super) struct BalanceView {
    /// Start, UTC milliseconds.
    start_ms: i64,
    /// End, UTC milliseconds; null for a batch that is open.
    end_ms: Option<i64>,
    /// Name of the shift or id of the batch.
    name: String,
    /// Machines and the ways between them, in the order of the line.
    sections: Vec<SectionView>,
}

/// A machine, or the way from one machine to the next.
#[derive(Serialize, ToSchema)]
struct SectionView {
    /// The machine, or the two machines; of several side by side all, `CF01 + CF02`.
    stations: Vec<String>,
    /// Tags of what went in: one, or one of each of several machines side by side.
    inlets: Vec<String>,
    /// How many went in; null where it was not read. Of the shift that goes on that is known machine by machine, of other
    /// periods whether the line was read at all.
    went_in: Option<CountView>,
    /// Tags of what came out: good, rejects, samples.
    outlets: Vec<String>,
    /// How many of each; null likewise.
    outlet_counts: Option<Vec<CountView>>,
    /// How many came out: their sum; null likewise.
    came_out: Option<CountView>,
    /// In less out: by so much the content has grown; null where one of both was not read.
    grown: Option<GrownView>,
    /// The most that can be inside.
    capacity: u64,
    /// Whether the content can have grown by that: `possible` or `miscount`; `unread` where nothing can be said.
    verdict: &'static str,
    /// What can be inside now; null for a period that is over, and before the first judgement.
    inside: Option<InsideView>,
}

/// What can be inside a section, as every judgement since a moment has narrowed it. A restart of the service does not
/// begin it anew; what does are a miscount that was found, and a gap that may have held more than has room.
#[derive(Serialize, ToSchema)]
struct InsideView {
    /// The least, in capsules.
    low: u64,
    /// The most.
    high: u64,
    /// Since when it is judged, UTC milliseconds.
    since_ms: i64,
    /// When it was judged last, UTC milliseconds.
    at_ms: i64,
}

/// A difference whose true value lies in `[low, high]`.
#[derive(Serialize, ToSchema)]
struct GrownView {
    /// Best supported value.
    best: i64,
    /// Least that the truth can be.
    low: i64,
    /// Most that the truth can be.
    high: i64,
}

/// Balance of material, `infeed = good + rejects + samples + growth of the content`, period by period. Finer and sooner
/// is the test of each minute; what it finds is an event of kind `alarm` with the word `miscount`.
#[utoipa::path(
    get, path = "/api/v1/lines/{id}/balance", params(("id" = String, Path, description = "Line"), Span, Periods),
    responses(
        (status = 200, body = Vec<BalanceView>),
        (status = 400, body = ErrorView),
        (status = 404, body = ErrorView)
    )
)]
pub(super) async fn balance(
    State(app): State<App>,
    Path(id): Path<String>,
    Params(span): Params<Span>,
    Params(asked): Params<Periods>,
) -> Result<Json<Vec<BalanceView>>, WebError> {
    let kind = match asked.by.as_deref() {
        None => PeriodKind::Hour,
        Some(word) => PeriodKind::from_word(word).ok_or_else(|| {
            let word = short(word);
            WebError::Parameter(format!("by = {word:?} is no period; use hour, shift or batch"))
        })?,
    };
    let (config, rollups) = periods(&app, &id, &span, kind).await?;
    let present = app.present();
    let (now_us, latest) = (present.now.utc_us, app.line(&id)?.current(&present));
    let view = |rollup: &Rollup| balance_of(config, rollup, (latest.as_deref(), now_us));
    Ok(Json(rollups.iter().map(view).collect()))
}

/// The balance of one period; `latest` is the line as it is now.
pub(super) fn balance_of(
    config: &LineConfig,
    rollup: &Rollup,
    (latest, now_us): (Option<&LineStatus>, i64),
) -> BalanceView {
    let layout = layout(config);
    let rollup = latest.map_or_else(|| rollup.clone(), |now| rollup.with_unread(&now.unread));
    // What is inside the machines now says nothing of a period that is over.
    let now = latest.filter(|_| rollup.end_us.is_none_or(|end_us| end_us > now_us));
    let shift = now.filter(|_| rollup.kind == PeriodKind::Shift);
    // Of a machine that was not read in the shift nothing is known, not even that it counted nothing.
    let is_read = |counter: usize| {
        let station = &layout.stations[layout.counters[counter].station].station;
        let mut stations = shift.into_iter().flat_map(|now| &now.stations);
        let silent = stations.any(|one| one.id == *station && one.rejected.is_none());
        rollup.was_read() && !silent
    };
    let contents = now.map_or(&[][..], |now| &now.contents);
    let view = |(i, section): (usize, &Section)| {
        let out_read = section.outlets.iter().all(|outlet| is_read(outlet.counter));
        let in_read = section.inlets.iter().all(|inlet| is_read(*inlet));
        let read = [in_read, out_read];
        section_view(section, &rollup, &layout, (contents.get(i).copied().flatten(), read))
    };
    BalanceView {
        start_ms: rollup.start_us / 1_000,
        end_ms: rollup.end_us.map(|us| us / 1_000),
        name: rollup.name.to_string(),
        sections: sections(&layout).iter().enumerate().map(view).collect(),
    }
}

/// A line as configured.
pub(crate) fn layout(config: &LineConfig) -> Layout {
    let stations = config.devices.iter().map(|device| device.map.clone()).collect();
    Layout::new(config.calendar.clone(), stations, config.counting())
}

fn section_view(
    section: &Section,
    rollup: &Rollup,
    layout: &Layout,
    (content, [in_read, out_read]): (Option<Content>, [bool; 2]),
) -> SectionView {
    let count = |counter: usize| -> Count {
        let key = &layout.counters[counter];
        rollup.count(&layout.stations[key.station].station, &key.counted)
    };
    let tag = |counter: usize| layout.counters[counter].tag.to_string();
    let went_in: Count = section.inlets.iter().map(|inlet| count(*inlet)).sum();
    // Counts of periods are capsules already.
    let came_out: Count = section.outlets.iter().map(|outlet| count(outlet.counter)).sum();
    let grown = Difference::of(went_in, came_out);
    let possible = section.closes(&grown);
    let whole = |n: i128| i64::try_from(n).unwrap_or(if n < 0 { i64::MIN } else { i64::MAX });
    let stations = layout.places(section);
    SectionView {
        inside: content.map(|content| InsideView {
            low: content.low,
            high: content.high,
            since_ms: content.since_us / 1_000,
            at_ms: content.at_us / 1_000,
        }),
        stations,
        inlets: section.inlets.iter().map(|inlet| tag(*inlet)).collect(),
        went_in: in_read.then(|| went_in.into()),
        outlets: section.outlets.iter().map(|outlet| tag(outlet.counter)).collect(),
        outlet_counts: out_read
            .then(|| section.outlets.iter().map(|outlet| count(outlet.counter).into()).collect()),
        came_out: out_read.then(|| came_out.into()),
        grown: (in_read && out_read).then(|| GrownView {
            best: whole(grown.best),
            low: whole(grown.low),
            high: whole(grown.high),
        }),
        capacity: section.capacity,
        verdict: match (in_read && out_read, possible) {
            (false, _) => "unread",
            (true, true) => "possible",
            (true, false) => "miscount",
        },
    }
}
