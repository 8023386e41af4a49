//! `/events`: a server-sent stream of views of one line.
//!
//! A screen pulls: nothing is made or queued for one that does not read, so a hung wall costs no memory, and what it
//! reads next is the present, not a backlog.
//!
//! What a screen missed is no backlog either: it is read from the record when the screen comes back. The id of an event
//! carries the moment up to which the screen has seen the line. Given back, in the header `Last-Event-ID` as browsers do
//! by themselves or as `after` where a page opens a stream of its own, it makes event `missed` the first one: output,
//! stops and events from that moment to now, at most an hour back. Then comes the present, as on every stream. Beyond the
//! hour, and where the record cannot be read, `missed` says so and the page asks for its history anew.

mod missed;

use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::extract::{Extension, State};
use axum::http::HeaderMap;
use axum::response::IntoResponse;
use axum::response::sse::{Event, Sse};
use axum::routing::get;
use domain::line::status::LineStatus;
use domain::quality::Overview;
use domain::units::LineId;
use futures_util::stream::{self, Stream};
use serde::{Deserialize, Serialize};
use tokio::sync::{OwnedSemaphorePermit, watch};
use tokio::time::{Interval, MissedTickBehavior, interval};
use utoipa::{IntoParams, ToSchema};

use missed::EventId;
pub(crate) use missed::MissedView;

use super::api::Step;
use super::door::Ticket;
use super::error::{ErrorView, Params, WebError};
use super::view::{LineView, NowView};
use super::{App, LineFeed, Routes, Shown, Why, assets};

/// Time between two views.
const VIEW_EVERY: Duration = Duration::from_millis(500);
/// Ticks between two looks at whether the screen may still see.
const ADMIT_TICKS: u64 = 4;

/// Routes of this area.
pub(crate) fn routes() -> Routes {
    vec![("/events", get(events))]
}

/// Which line.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Choice {
    /// Line. Default: the first one.
    line: Option<String>,
    /// 10 for a screen that follows the line closely and gets its counts as events `now` too. Default: 2.
    hz: Option<u32>,
    /// Seconds of a point of what was missed, as `step` of `…/series`. Default: no points.
    step: Option<i64>,
    /// Id of the last event that was heard, where the header `Last-Event-ID` cannot say it; that one counts before this.
    after: Option<String>,
}

/// Screens that follow a line closely at the moment. While there are any, the line shows itself more often.
#[derive(Clone, Debug, Default)]
pub struct Followers(Arc<AtomicUsize>);

impl Followers {
    /// Whether there are any.
    pub fn any(&self) -> bool {
        self.0.load(Ordering::Relaxed) > 0
    }

    fn follow(&self) -> Follower {
        self.0.fetch_add(1, Ordering::Relaxed);
        Follower(self.clone())
    }
}

/// One of them, as long as this value lives.
struct Follower(Followers);

impl Drop for Follower {
    fn drop(&mut self) {
        self.0.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// What a screen that follows closely waits for.
struct Closely {
    status: watch::Receiver<Option<Arc<LineStatus>>>,
    /// What it was told last.
    told: Option<NowView>,
    _follower: Follower,
}

/// Waits until the line shows itself anew; for ever where nobody follows it closely, or it is followed no more.
async fn shown_anew(closely: &mut Option<Closely>) {
    let ended = match closely {
        Some(closely) => closely.status.changed().await.is_err(),
        None => true,
    };
    if ended {
        std::future::pending::<()>().await;
    }
}

/// Event `hb`: sent every second, whatever the line does.
#[derive(Serialize, ToSchema)]
pub(crate) struct Heartbeat {
    /// Number of this event in the stream.
    seq: u64,
    /// The service's clock, UTC milliseconds.
    t: i64,
    /// How many times faster than real time that clock runs.
    speed: f64,
    /// Changes with the screens; a page of another build reloads itself.
    build: &'static str,
}

/// What one stream needs to go on.
struct Screen {
    shown: Shown,
    /// Which line.
    line: LineId,
    ticks: Interval,
    n_ticks: u64,
    /// Of the last event.
    id: EventId,
    /// Up to when the screen has seen the line, where it comes back, and how long points of what it missed are.
    away: Option<Away>,
    /// What the last `charts` event showed.
    charted: Option<Charted>,
    due: VecDeque<Event>,
    closely: Option<Closely>,
    closing: watch::Receiver<bool>,
    /// What it was let in by; none where the service is open.
    ticket: Option<Ticket>,
    /// Given back when the screen leaves.
    _permit: OwnedSemaphorePermit,
}

/// What a screen that comes back asks for.
#[derive(Clone, Copy)]
struct Away {
    seen_ms: i64,
    step_us: Option<i64>,
}

/// What a `charts` event showed. Charts that are published anew are other ones.
struct Charted {
    minute: Option<i64>,
    charts: Option<Arc<Overview>>,
}

impl PartialEq for Charted {
    fn eq(&self, other: &Charted) -> bool {
        let same = match (&self.charts, &other.charts) {
            (Some(one), Some(another)) => Arc::ptr_eq(one, another),
            (one, another) => one.is_none() && another.is_none(),
        };
        same && self.minute == other.minute
    }
}

/// Live stream of a line: `view` twice a second, with `hz=10` also `now` when counts move, up to ten times a second, `charts` at the start and when a minute closes, `hb` each second.
/// A stream that goes on after an id begins with `missed`: what happened since, at most an hour back. Every stream goes on with the whole present.
#[utoipa::path(
    get, path = "/events", params(Choice),
    responses(
        (status = 200, content_type = "text/event-stream", body = LineView),
        (status = 400, body = ErrorView),
        (status = 404, body = ErrorView),
        (status = 503, body = ErrorView)
    )
)]
pub(crate) async fn events(
    State(shown): State<Shown>,
    Params(choice): Params<Choice>,
    ticket: Option<Extension<Ticket>>,
    headers: HeaderMap,
) -> Result<impl IntoResponse, WebError> {
    let app = shown.now();
    let line = app.position(choice.line.as_deref())?;
    let feed = app.parts().lines.get(line).ok_or(WebError::NotFound)?;
    let line = feed.config.id.clone();
    let closely = match choice.hz {
        None | Some(2) => None,
        Some(10) => {
            let (status, _follower) = (feed.status.clone(), feed.followers.follow());
            Some(Closely { status, told: None, _follower })
        }
        Some(hz) => return Err(WebError::Parameter(format!("hz is 2 or 10, not {hz}"))),
    };
    let step_us = choice.step.map(|step| Step { step: Some(step) }.us()).transpose()?;
    let permit = app.0.streams.clone().try_acquire_owned().map_err(|_| {
        app.parts().gate.refuse(Why::Screens);
        WebError::Crowded
    })?;
    // No id that is broken keeps a screen from its stream: it is a new one then.
    let header = headers.get("last-event-id").and_then(|id| id.to_str().ok());
    let id = header.or(choice.after.as_deref()).and_then(EventId::parse).unwrap_or_default();
    let away = id.seen_ms.map(|seen_ms| Away { seen_ms, step_us });
    let mut ticks = interval(VIEW_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    let closing = app.0.closing.subscribe();
    let screen = Screen {
        shown,
        line,
        ticks,
        n_ticks: 0,
        id,
        away,
        charted: None,
        due: VecDeque::new(),
        closely,
        closing,
        ticket: ticket.map(|Extension(ticket)| ticket),
        _permit: permit,
    };
    Ok(Sse::new(screen.stream()))
}

impl App {
    /// Position of the line of that name, or of the first one.
    pub(crate) fn position(&self, id: Option<&str>) -> Result<usize, WebError> {
        let lines = &self.parts().lines;
        let id = match (id, lines.first()) {
            (Some(id), _) => self.line(id)?.config.id.clone(),
            (None, Some(first)) => first.config.id.clone(),
            (None, None) => return Err(WebError::NoLine(String::new())),
        };
        Ok(lines.iter().position(|line| line.config.id == id).unwrap_or(0))
    }

    /// Live screens at the moment.
    pub(crate) fn n_streams(&self) -> usize {
        super::STREAMS - self.0.streams.available_permits()
    }
}

impl Screen {
    fn stream(self) -> impl Stream<Item = Result<Event, Infallible>> {
        stream::unfold(self, |mut screen| async move {
            let event = screen.next().await?;
            Some((Ok(event), screen))
        })
    }

    /// The next event; none when the service stops, or follows the line no more.
    async fn next(&mut self) -> Option<Event> {
        self.fill_missed().await?;
        while self.due.is_empty() {
            let is_tick = tokio::select! {
                biased;
                _ = self.closing.wait_for(|closing| *closing) => return None,
                _ = self.ticks.tick() => true,
                () = shown_anew(&mut self.closely) => false,
            };
            match is_tick {
                true => self.fill().await?,
                false => self.fill_now(),
            }
        }
        self.due.pop_front()
    }

    /// What a screen that comes back has missed; none where there is no such line any more.
    async fn fill_missed(&mut self) -> Option<()> {
        let Some(Away { seen_ms, step_us }) = self.away.take() else { return Some(()) };
        let app = self.shown.now();
        let line = app.line(self.line.as_str()).ok()?;
        if let Some(missed) = app.missed(line, seen_ms, step_us).await {
            self.id.seen_ms = Some(missed.to_ms());
            self.push("missed", &missed);
        }
        Some(())
    }

    /// What is due at a tick; none where there is no such line any more.
    async fn fill(&mut self) -> Option<()> {
        let app = self.shown.now();
        self.is_admitted(&app).await.then_some(())?;
        let line = app.line(self.line.as_str()).ok()?;
        if self.n_ticks.is_multiple_of(2) {
            let seq = self.id.seq + 1;
            let (t, speed) = (app.present().now.utc_us / 1_000, app.parts().clock.speed());
            self.push("hb", &Heartbeat { seq, t, speed, build: assets::build() });
        }
        if let Some(status) = line.latest() {
            self.id.seen_ms = Some(status.at.utc_us / 1_000);
        }
        self.push("view", &app.view(line));
        if self.charts_due(line) {
            self.push("charts", &app.charts(line).await);
        }
        self.n_ticks += 1;
        Some(())
    }

    /// The counts of this moment, between two views, where they have moved.
    fn fill_now(&mut self) {
        let Some(closely) = self.closely.as_mut() else { return };
        let Some(status) = closely.status.borrow().clone() else { return };
        let now = NowView::of(&status);
        if closely.told.as_ref().is_some_and(|told| told.counts_as(&now)) {
            return;
        }
        self.push("now", &now);
        if let Some(closely) = self.closely.as_mut() {
            closely.told = Some(now);
        }
    }

    /// Whether its session or token still counts, asked every two seconds. While the record cannot be read a screen that
    /// was let in stays.
    async fn is_admitted(&self, app: &App) -> bool {
        let Some(ticket) = self.ticket.as_ref() else { return true };
        if !self.n_ticks.is_multiple_of(ADMIT_TICKS) {
            return true;
        }
        !matches!(app.admits(ticket, false).await, Ok(None))
    }

    /// Whether a minute closed since the charts were last sent, or they say something else.
    fn charts_due(&mut self, line: &LineFeed) -> bool {
        let status = line.latest();
        let minute = status.as_ref().and_then(|status| status.trend.last()).map(|p| p.start_us);
        let now = Charted { minute, charts: line.charted() };
        let moved = self.charted.as_ref() != Some(&now);
        self.charted = Some(now);
        moved
    }

    fn push(&mut self, name: &str, data: &impl Serialize) {
        match Event::default().event(name).json_data(data) {
            Ok(event) => {
                self.id.seq += 1;
                self.due.push_back(event.id(self.id.to_string()));
            }
            Err(error) => tracing::error!(%error, name, "a live event could not be written"),
        }
    }
}
