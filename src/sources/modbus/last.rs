//! The last poll of a device before it is read no more: the service ends, or its configuration changes.

use std::io;
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::{Instant, sleep_until, timeout_at};

use super::job::Job;
use super::{Device, Link};
use crate::sources::backoff::SHORT_ABSENCE;
use crate::sources::pace::monotonic_us;

/// The last poll does not wait for a backoff that has grown: it has no other time than now.
const SOON: Duration = Duration::from_millis(50);

impl Device {
    /// Polls every group once more and says whether the line has got all of it.
    pub(super) async fn final_poll(&mut self, deadline: Instant, done: oneshot::Sender<bool>) {
        let mut all = true;
        for at in 0..self.slots.len() {
            all = all && self.poll_at_last(at, deadline).await;
        }
        // Whoever asked may have given up waiting.
        let _ = done.send(all);
    }

    /// Polls a group until the line has got its readings, the device refuses, or the time is over. What was made since
    /// the last reading would be missing from the count, so that one late answer must not end it.
    async fn poll_at_last(&mut self, at: usize, deadline: Instant) -> bool {
        self.slots[at].outlet.be_patient(Some(deadline));
        let before = self.slots[at].outlet.delivered();
        while self.reach(deadline).await {
            let slot = &mut self.slots[at];
            if slot.job.take().is_none() {
                slot.outlet.account().planned(1);
            }
            slot.job = Some(Job::new(monotonic_us()));
            while self.slots[at].job.is_some() {
                self.step(at).await;
            }
            // Still connected: it was delivered, or the device has said no.
            if matches!(self.link, Link::Up { .. }) {
                break;
            }
        }
        let outlet = &mut self.slots[at].outlet;
        outlet.be_patient(None);
        outlet.delivered() > before
    }

    /// Whether there is a connection, made before `deadline` if there was none. A device that has been away for long is
    /// tried once.
    async fn reach(&mut self, deadline: Instant) -> bool {
        loop {
            match &mut self.link {
                Link::Up { .. } => return true,
                _ if Instant::now() >= deadline => return false,
                Link::Down { retry, .. } => {
                    sleep_until((*retry).min(Instant::now() + SOON).min(deadline)).await;
                    self.connect();
                }
                Link::Connecting(attempt) => {
                    let Ok(made) = timeout_at(deadline, attempt).await else { return false };
                    self.connected(made.unwrap_or_else(|e| Err(io::Error::other(e))));
                    let long = self.absent.is_some_and(|since| since.elapsed() >= SHORT_ABSENCE);
                    if long && !matches!(self.link, Link::Up { .. }) {
                        return false;
                    }
                }
            }
        }
    }
}
