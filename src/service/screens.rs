//! The certificate of the screens: found or made at the start, looked after while it is shown.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinHandle;

use crate::clock::Clock;
use crate::config::{Config, WebTls};
use crate::tls::{Server, Source};

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

/// Takes new files of a certificate when they are put in place of the old ones, for as long as the task lives.
pub(super) fn look_after(server: Arc<Server>) -> JoinHandle<()> {
    tokio::spawn(async move {
        let mut looks = tokio::time::interval(LOOK_EVERY);
        loop {
            looks.tick().await;
            let server = server.clone();
            let look = tokio::task::spawn_blocking(move || server.look(now_s()));
            if let Err(error) = look.await {
                tracing::error!(%error, "a look at the certificate of the screens broke off");
            }
        }
    })
}

/// Reads the certificate again because somebody asked; what has changed, in words.
///
/// # Errors
/// One sentence; the one before is shown on.
pub(super) async fn renew(server: Option<&Arc<Server>>) -> Result<Option<String>, String> {
    let Some(server) = server.cloned() else { return Ok(None) };
    let renewed = tokio::task::spawn_blocking(move || server.renew(now_s())).await;
    let renewed = renewed.map_err(|error| error.to_string())??;
    Ok(renewed
        .map(|new| format!("the certificate of the screens is new, SHA-256 {}", new.thumbprint)))
}

/// The real time, whatever the clock of a demo says: browsers compare with it.
fn now_s() -> i64 {
    Clock::real().now().utc_us / 1_000_000
}
