//! The certificate of the screens: found or made at the start, looked after while it is shown.

use std::sync::Arc;
use std::time::Duration;

use domain::audit::{Actor, Note, What};
use tokio::task::JoinHandle;

use crate::clock::Clock;
use crate::config::{Config, WebTls};
use crate::historian::Historian;
use crate::tls::{Certificate, Ready, Server, Source};

/// Time between two looks at the files of a certificate.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// The certificate of a configuration, none where the screens are plain HTTP.
///
/// # Errors
/// One sentence: it cannot be read, made or used.
pub(super) fn certificate(config: &Config) -> anyhow::Result<Option<Arc<Server>>> {
    let source = match &config.web.reach.tls {
        None => return Ok(None),
        Some(WebTls::Own { cert, key }) => Source::Own { cert: cert.clone(), key: key.clone() },
        Some(WebTls::Made { names }) => {
            let mut names = names.clone();
            // The address that is dialled has to be in it; that of all addresses is none.
            let ip = config.web.listen.ip();
            if !ip.is_unspecified() {
                names.push(ip.to_string());
            }
            Source::Made { dir: config.data.join("web"), names }
        }
    };
    let server = Server::open(source, now_s()).map_err(|why| {
        anyhow::anyhow!("the screens cannot be served: {why}; see [web.tls] of the configuration")
    })?;
    Ok(Some(Arc::new(server)))
}

/// Takes new files of a certificate when they are put in place of the old ones, for as long as the task lives, and notes
/// that in the audit trail.
pub(super) fn look_after(server: Arc<Server>, historian: Historian) -> JoinHandle<()> {
    tokio::spawn(async move {
        let mut looks = tokio::time::interval(LOOK_EVERY);
        loop {
            looks.tick().await;
            let (server, historian) = (server.clone(), historian.clone());
            let look = tokio::task::spawn_blocking(move || {
                server.look(now_s(), |old, new| note(&historian, &Actor::system(), old, new));
            });
            if let Err(error) = look.await {
                tracing::error!(%error, "a look at the certificate of the screens broke off");
            }
        }
    })
}

/// Reads the certificate again because somebody asked: one that can be shown where it is another one.
///
/// # Errors
/// One sentence; the one before is shown on.
pub(super) async fn read_again(server: Option<&Arc<Server>>) -> Result<Option<Ready>, String> {
    let Some(server) = server.cloned() else { return Ok(None) };
    let read = tokio::task::spawn_blocking(move || server.read_again(now_s())).await;
    read.map_err(|error| error.to_string())?
}

/// Notes a certificate that was read and shows it; what has changed, in words.
///
/// # Errors
/// In words: the audit trail takes no entry; the one before is shown on.
pub(super) async fn show(
    server: Option<&Arc<Server>>,
    ready: Option<Ready>,
    (historian, by): (Historian, Actor),
) -> Result<Option<String>, String> {
    let (Some(server), Some(ready)) = (server.cloned(), ready) else { return Ok(None) };
    let show = move || {
        note(&historian, &by, &server.certificate(), &ready.certificate)?;
        let told = format!(
            "the certificate of the screens is new, SHA-256 {}",
            ready.certificate.thumbprint
        );
        server.show(ready);
        Ok(Some(told))
    };
    tokio::task::spawn_blocking(show).await.map_err(|error| error.to_string())?
}

fn note(
    historian: &Historian,
    by: &Actor,
    old: &Certificate,
    new: &Certificate,
) -> Result<(), String> {
    let note = Note::new(by, What::CertificateTaken, "screens");
    let note = note.change(old.thumbprint.to_string(), new.thumbprint.to_string());
    historian.note(note.why(new.subject.clone())).map_err(|error| error.to_string())
}

/// The real time, whatever the clock of a demo says: browsers compare with it.
fn now_s() -> i64 {
    Clock::real().now().utc_us / 1_000_000
}
