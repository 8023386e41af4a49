//! The plant database as the service runs it: settings from the configuration, the task, its alarms and its figures.

use domain::line::event::EventKind;

use super::gauges::{counter, gauge};
use super::switchboard::Switchboard;
use crate::config::DatabaseConfig;
use crate::historian::Historian;
use crate::historian::archive::{Address, Secret, Settings, Tls};
use crate::historian::forward::{ForwardState, ForwardStats, Forwarder, StreamStats};
use crate::web::{Forwarding, ForwardingStream, Gauge};

/// Variable of the environment that holds the password.
const VARIABLE: &str = "CAPLINE_DATABASE_PASSWORD";
/// Its name among the credentials of systemd.
const CREDENTIAL: &str = "database-password";

/// Where a configuration forwards to, with the password.
///
/// # Errors
/// The file of the password cannot be read, or it is open to others.
pub fn plant_database(site: &str, database: &DatabaseConfig) -> anyhow::Result<Settings> {
    let DatabaseConfig { host, port, name, user, edge, ca, password_file } = database.clone();
    let address = Address {
        host,
        port,
        database: name,
        user,
        password: Secret::find(VARIABLE, password_file.as_deref(), CREDENTIAL)?,
        tls: ca.map_or(Tls::Off, |ca| Tls::VerifyFull { ca }),
    };
    Ok(Settings { address, site: site.to_owned(), edge })
}

/// Starts to forward. What a person should hear of becomes an alarm of a line, and so goes into the journal too.
pub(super) fn forward(
    historian: &Historian,
    settings: Settings,
    alarmed: Switchboard,
) -> anyhow::Result<Forwarder> {
    let (forwarder, mut alarms) = historian.forward(settings)?;
    tokio::spawn(async move {
        while let Some(detail) = alarms.recv().await {
            alarmed.note(None, (EventKind::Alarm, "plant_database"), detail).await;
        }
    });
    Ok(forwarder)
}

/// Figures of forwarding.
pub(super) fn plant_gauges(stats: &ForwardStats, gauges: &mut Vec<Gauge>) {
    for state in ForwardState::ALL {
        let labels = vec![("state", state.word().to_owned())];
        let is = f64::from(u8::from(state == stats.state));
        gauges.push(gauge("capline_plant_state", "1 for what forwarding is at", labels, is));
    }
    let connections = stats.connections as f64;
    let help = "Connections to the plant database since the start";
    gauges.push(counter("capline_plant_connections", help, vec![], connections));
    for stream in &stats.streams {
        let labels = || vec![("stream", stream.name.to_owned())];
        for (name, help, n) in [
            ("capline_plant_changes", "Changes that the plant database has taken", stream.sent),
            ("capline_plant_rows", "Rows that the plant database has taken", stream.rows),
            ("capline_plant_dead_letters", "Changes it refused, laid aside", stream.dead_letters),
        ] {
            gauges.push(counter(name, help, labels(), n as f64));
        }
        for (name, help, n) in [
            ("capline_plant_pending", "Changes that wait for the plant database", stream.pending),
            (
                "capline_plant_backlog",
                "Changes of an outage, sent after the present",
                stream.backlog,
            ),
        ] {
            gauges.push(gauge(name, help, labels(), n as f64));
        }
        if let Some(at_us) = stream.acknowledged_us {
            let help = "Of when the last acknowledged row of the present is, in seconds since 1970";
            let name = "capline_plant_acknowledged_seconds";
            gauges.push(gauge(name, help, labels(), at_us as f64 / 1e6));
        }
    }
}

/// Forwarding as the web shows it.
pub(super) fn forwarding(stats: &ForwardStats) -> Forwarding {
    let stream = |stream: &StreamStats| ForwardingStream {
        name: stream.name,
        position: stream.last_seq,
        waiting: stream.pending + stream.backlog,
        backlog: stream.backlog,
        acknowledged_ms: stream.acknowledged_us.map(|at_us| at_us / 1_000),
        lag_ms: 0,
        rows: stream.rows,
        dead_letters: stream.dead_letters,
        last_error: stream.last_error.clone(),
    };
    Forwarding {
        state: stats.state.word(),
        trouble: stats.trouble.clone(),
        // Said where it is shown.
        trouble_zh: None,
        streams: stats.streams.iter().map(stream).collect(),
    }
}
