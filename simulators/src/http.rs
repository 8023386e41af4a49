//! A view into the plant for tests and people: the ledger, the faults, hold and resume.

use std::{
    net::SocketAddr,
    sync::{Arc, atomic::Ordering},
};

use axum::{
    Json, Router,
    body::Bytes,
    extract::{FromRequest, Request, State},
    http::StatusCode,
    routing::{get, post},
    serve::ListenerExt,
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use tokio::{net::TcpListener, sync::oneshot};

use crate::{
    catalogue::{Entry, Fault},
    faults::{Event, FaultSet, ModbusFaults, OpcUaFaults},
    injections::Injection,
    ledger::Ledger,
    plant::Core,
};

/// Body of `GET /ledger`.
#[derive(Serialize)]
struct Account {
    speed: f64,
    held: bool,
    write_attempts: u64,
    #[serde(flatten)]
    ledger: Ledger,
}

/// Body of `POST /faults`: the whole new set of switches, where what is left out is off, and
/// faults that happen once.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Order {
    modbus: ModbusFaults,
    opcua: OpcUaFaults,
    once: Vec<Event>,
}

/// What can be asked, as `GET /` lists it.
pub(crate) const ROUTES: [(&str, &str, &str); 11] = [
    ("GET", "/", "this list"),
    ("GET", "/healthz", "ok while the plant is there"),
    ("GET", "/ledger", "the truth: every count, stop and reject, by machine and cause"),
    (
        "GET",
        "/faults/catalogue",
        "what can go wrong, with the least, usual and most of its figures",
    ),
    (
        "POST",
        "/inject",
        "lets a fault of the catalogue strike that happens as switch or once: fault, and at_s, for_s, value as it takes them",
    ),
    ("POST", "/withdraw", "ends a fault: fault"),
    ("GET", "/injections", "what was injected, from when, until when"),
    ("GET", "/faults", "the switches of the servers"),
    ("POST", "/faults", "sets all switches at once: modbus, opcua, once"),
    ("POST", "/hold", "lets plant time stand still"),
    ("POST", "/resume", "lets it go on"),
];

/// A body that injects a jam of 40 s.
const EXAMPLE: &str = r#"{"fault": "jam", "value": 40}"#;

/// A line for a shell that lets a fault strike.
pub(crate) fn inject_line(addr: SocketAddr) -> String {
    format!("curl http://{addr}/inject -H 'content-type: application/json' -d '{EXAMPLE}'")
}

/// A body of JSON. What its head says of its type is not looked at: who leaves it out means JSON all the same.
struct Body<T>(T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Body<T> {
    type Rejection = (StatusCode, String);

    async fn from_request(request: Request, state: &S) -> Result<Body<T>, (StatusCode, String)> {
        let bytes = Bytes::from_request(request, state).await;
        let bytes = bytes.map_err(|error| (error.status(), error.body_text()))?;
        serde_json::from_slice(&bytes).map(Body).map_err(|error| {
            let status = match error.is_data() {
                true => StatusCode::UNPROCESSABLE_ENTITY,
                false => StatusCode::BAD_REQUEST,
            };
            (status, format!("{error}; send JSON such as {EXAMPLE} to /inject; GET / lists all"))
        })
    }
}

/// Serves until the task is aborted.
pub(crate) async fn serve(core: Arc<Core>, listener: TcpListener) {
    let router = Router::new()
        .route("/", get(routes))
        .route("/healthz", get(async || "ok"))
        .route("/ledger", get(ledger))
        .route("/faults", get(faults).post(set_faults))
        .route("/faults/catalogue", get(catalogue))
        .route("/inject", post(inject))
        .route("/withdraw", post(withdraw))
        .route("/injections", get(injections))
        .route("/hold", post(hold))
        .route("/resume", post(resume))
        .with_state(core);
    let listener = listener.tap_io(|stream| {
        // Only latency depends on it.
        let _ = stream.set_nodelay(true);
    });
    // Connections are tasks of their own. When this one is aborted, `_alive` goes and ends them.
    let (_alive, gone) = oneshot::channel::<()>();
    let ended = async { _ = gone.await };
    if let Err(error) = axum::serve(listener, router).with_graceful_shutdown(ended).await {
        tracing::error!(%error, "the HTTP server of the simulator ended");
    }
}

async fn routes() -> String {
    let lines = ROUTES.map(|(method, path, what)| format!("{method:<5} {path:<18} {what}\n"));
    format!(
        "{}\nA body is JSON: {EXAMPLE} to /inject lets the filler jam for 40 s.\n",
        lines.concat()
    )
}

async fn ledger(State(core): State<Arc<Core>>) -> Json<Account> {
    Json(account(&core))
}

async fn faults(State(core): State<Arc<Core>>) -> Json<FaultSet> {
    Json(core.faults.get())
}

async fn set_faults(State(core): State<Arc<Core>>, Body(order): Body<Order>) -> Json<FaultSet> {
    let Order { modbus, opcua, once } = order;
    core.faults.set(FaultSet { modbus, opcua });
    for event in once {
        core.faults.trigger(event);
    }
    Json(core.faults.get())
}

async fn catalogue() -> Json<Vec<Entry>> {
    Json(Fault::ALL.into_iter().map(Fault::entry).collect())
}

/// Nothing is planned for later than this, in seconds of the plant.
const YEAR_S: f64 = 31_536_000.0;

/// Body of `POST /inject`: a fault, now or at a second of plant time, for so many seconds.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Strike {
    fault: Fault,
    at_s: Option<f64>,
    for_s: Option<f64>,
    value: Option<f64>,
}

async fn inject(
    State(core): State<Arc<Core>>,
    Body(strike): Body<Strike>,
) -> Result<Json<Injection>, (StatusCode, String)> {
    let Strike { fault, at_s, for_s, value } = strike;
    let us = |seconds: f64| (seconds * 1e6) as i64;
    if at_s.is_some_and(|at_s| !(0.0..=YEAR_S).contains(&at_s)) {
        let why = format!("at_s is a time of the plant in seconds, from 0 to {YEAR_S}");
        return Err((StatusCode::BAD_REQUEST, why));
    }
    let from_us = at_s.map_or_else(|| core.clock.now_us(), us);
    let injection = Injection::new(fault, from_us, for_s.map(us), value)
        .map_err(|error| (StatusCode::BAD_REQUEST, error.to_string()))?;
    Ok(Json(core.inject(injection)))
}

/// Body of `POST /withdraw`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Withdraw {
    fault: Fault,
}

async fn withdraw(
    State(core): State<Arc<Core>>,
    Body(Withdraw { fault }): Body<Withdraw>,
) -> Json<Vec<Injection>> {
    core.withdraw(fault);
    injections(State(core)).await
}

async fn injections(State(core): State<Arc<Core>>) -> Json<Vec<Injection>> {
    Json(core.injections.all())
}

async fn hold(State(core): State<Arc<Core>>) -> Json<Account> {
    core.clock.hold();
    Json(account(&core))
}

async fn resume(State(core): State<Arc<Core>>) -> Json<Account> {
    core.clock.resume();
    Json(account(&core))
}

fn account(core: &Core) -> Account {
    Account {
        ledger: core.at_now(|model| model.ledger()),
        speed: core.clock.speed(),
        held: core.clock.is_held(),
        write_attempts: core.write_attempts.load(Ordering::Relaxed),
    }
}
