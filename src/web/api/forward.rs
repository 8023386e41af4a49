//! `/api/v1/forward`: how forwarding to the plant's database is doing, stream by stream.

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use crate::web::App;
use crate::web::details::chinese_or_log;

/// How forwarding is doing.
#[derive(Serialize, ToSchema)]
pub(crate) struct ForwardView {
    /// The plant's database; null where none is configured.
    database: Option<Forwarding>,
    /// All its streams together; null where none is configured.
    total: Option<ForwardTotal>,
}

/// All streams to a plant's database together.
#[derive(Serialize, ToSchema)]
struct ForwardTotal {
    /// Changes that wait.
    waiting: u64,
    /// Milliseconds that the latest of the streams is behind.
    lag_ms: i64,
    /// Changes that the database refused since the start.
    dead_letters: u64,
}

impl ForwardTotal {
    fn of(streams: &[ForwardingStream]) -> ForwardTotal {
        ForwardTotal {
            waiting: streams.iter().map(|stream| stream.waiting).sum(),
            lag_ms: streams.iter().map(|stream| stream.lag_ms).max().unwrap_or(0),
            dead_letters: streams.iter().map(|stream| stream.dead_letters).sum(),
        }
    }
}

/// Forwarding to a plant's database.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Forwarding {
    /// `connecting`, `forwarding`, `waiting` for the database, `refused` until a person acts, or `stopped`.
    pub state: &'static str,
    /// Why it does not go on; null while it does.
    pub trouble: Option<String>,
    /// The same in Chinese; null while it does.
    pub trouble_zh: Option<String>,
    /// The streams; empty before the first connection.
    pub streams: Vec<ForwardingStream>,
}

/// One stream of changes.
#[derive(Clone, Debug, Default, Serialize, ToSchema)]
pub struct ForwardingStream {
    /// `event`, `stop`, `minute` or `record`.
    pub name: &'static str,
    /// Number of the last change that the database has, but for the backlog.
    pub position: i64,
    /// Changes that wait, those of a backlog included.
    pub waiting: u64,
    /// Changes of an outage among them: they come after the present.
    pub backlog: u64,
    /// Of when the last acknowledged row of the present is, UTC milliseconds; null before the first since the start.
    pub acknowledged_ms: Option<i64>,
    /// Time since then in milliseconds while changes of the present wait, else 0.
    pub lag_ms: i64,
    /// Rows taken since the start.
    pub rows: u64,
    /// Changes that the database refused since the start; they lie in its table `dead_letter`.
    pub dead_letters: u64,
    /// Why it refused the last of them.
    pub last_error: Option<String>,
}

/// How forwarding to the plant's database is doing: what waits, how far each stream is and how late, what was refused.
#[utoipa::path(get, path = "/api/v1/forward", responses((status = 200, body = ForwardView)))]
pub(super) async fn forward(State(app): State<App>) -> Json<ForwardView> {
    let now_ms = app.present().now.utc_us / 1_000;
    let database = app.parts().gauges.forwarding().map(|mut database| {
        database.trouble_zh = database.trouble.as_deref().map(chinese_or_log);
        for stream in &mut database.streams {
            let is_late = stream.waiting > stream.backlog;
            let since = stream.acknowledged_ms.filter(|_| is_late);
            stream.lag_ms = since.map_or(0, |at_ms| (now_ms - at_ms).max(0));
        }
        database
    });
    let total = database.as_ref().map(|database| ForwardTotal::of(&database.streams));
    Json(ForwardView { database, total })
}
