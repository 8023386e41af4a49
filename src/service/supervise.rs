//! Systemd is told how the service is: ready once it serves, alive for as long as every line and the writer of the journal
//! go on, stopping when it ends. A process that merely runs is not alive.

use std::collections::HashMap;
use std::sync::Arc;

use domain::line::status::LineStatus;
use domain::units::LineId;
use sd_notify::NotifyState;
use tracing::{error, info, warn};

use super::Service;

/// So many looks in the time after which systemd gives up.
const LOOKS: u32 = 4;

/// What was seen of the service when systemd was told last that it is alive.
#[derive(Default)]
struct Seen {
    lines: HashMap<LineId, Arc<LineStatus>>,
    /// Commits of the writer, refused ones too: a full disk is no reason to lose what is in memory.
    commits: u64,
}

impl Service {
    /// Tells systemd that the screens are served, and from then on, as often as the unit asks for it, that the service is
    /// alive. Never ends. Does nothing where nobody asks.
    pub async fn report(&self) {
        tell(&[NotifyState::Ready, NotifyState::Status(&format!("screens at {}", self.url()))]);
        let Some(limit) = sd_notify::watchdog_enabled() else {
            return std::future::pending().await;
        };
        info!(?limit, "systemd restarts the service when a line or the journal stands still");
        let mut looks = tokio::time::interval(limit / LOOKS);
        let mut seen = Seen::default();
        let mut still = 0_u32;
        loop {
            looks.tick().await;
            match self.has_gone_on(&mut seen).await {
                Ok(()) => {
                    still = 0;
                    tell(&[NotifyState::Watchdog]);
                }
                Err(what) => {
                    still = still.saturating_add(1);
                    // One look may come before the next tick.
                    if still == 2 {
                        warn!(
                            "{what} has not gone on since systemd was told; it is not told again before it has"
                        );
                    }
                }
            }
        }
    }

    /// Tells systemd that the service ends in good order.
    pub fn report_stopping(&self) {
        tell(&[NotifyState::Stopping]);
    }

    /// Whether every line has judged the moment anew, and the writer has taken something up, since `seen`. Only then `seen`
    /// becomes what is seen now.
    ///
    /// # Errors
    /// What stands still.
    async fn has_gone_on(&self, seen: &mut Seen) -> Result<(), String> {
        let lines = self.reloader.each(|line| (line.id().clone(), line.latest())).await;
        let historian = self.historian.clone();
        let stats = tokio::task::spawn_blocking(move || historian.stats()).await;
        let commits = stats.map_err(|error| error.to_string())?.commits;
        let mut now = Seen { lines: HashMap::new(), commits };
        for (id, latest) in lines {
            let latest = latest.ok_or_else(|| format!("line {id}"))?;
            if seen.lines.get(&id).is_some_and(|before| Arc::ptr_eq(before, &latest)) {
                return Err(format!("line {id}"));
            }
            now.lines.insert(id, latest);
        }
        if now.commits == seen.commits {
            return Err("the writer of the journal".to_owned());
        }
        *seen = now;
        Ok(())
    }
}

fn tell(what: &[NotifyState<'_>]) {
    // Without a socket in the environment this does nothing.
    if let Err(error) = sd_notify::notify(what) {
        error!(%error, "systemd could not be told how the service is");
    }
}
