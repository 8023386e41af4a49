//! The last poll of a server before it is read no more: the service ends, or its configuration changes.

use domain::reading::Reading;
use tokio::sync::oneshot;
use tokio::time::Instant;

use super::session::{ReadOnly, Report};
use super::{Server, values};

/// A last poll: until when it can be made, and who waits for it.
pub(super) struct LastPoll {
    pub(super) deadline: Instant,
    pub(super) done: oneshot::Sender<bool>,
}

impl Server {
    /// Reads every node once, lets the messages that were on their way go first, and hands the values on.
    pub(super) async fn final_poll(&mut self, session: &mut ReadOnly, asked: LastPoll) {
        let deadline = asked.deadline;
        for group in &mut self.groups {
            group.outlet.be_patient(Some(deadline));
        }
        let delivered = tokio::time::timeout_at(deadline, self.read_all(session, deadline))
            .await
            .unwrap_or(false);
        for group in &mut self.groups {
            group.outlet.be_patient(None);
        }
        if delivered {
            // Whoever asked may have given up waiting.
            let _ = asked.done.send(true);
        } else if Instant::now() < deadline {
            // The session may have ended in the middle of it; the next one is asked then.
            self.asked = Some(asked);
        }
    }

    /// Says that the last poll cannot be made.
    pub(super) fn give_up_last_poll(&mut self) {
        if let Some(asked) = self.asked.take() {
            // Whoever asked may have given up waiting.
            let _ = asked.done.send(false);
        }
    }

    /// Whether a subscribed group has been silent since `moment`.
    fn awaits_word_since(&self, moment: Instant, session: &ReadOnly) -> bool {
        let mut groups = self.groups.iter().zip(&session.revised);
        groups.any(|(group, revised)| revised.is_some() && group.heard <= moment)
    }

    async fn read_all(&mut self, session: &mut ReadOnly, deadline: Instant) -> bool {
        let (asked, sent) = (self.clock().now(), Instant::now());
        let values = match session.read().await {
            Ok(values) => values,
            Err(e) => {
                tracing::warn!(label = %self.opening.label, error = %e, "the last poll failed");
                return false;
            }
        };
        let answered = self.clock().now();
        let round_trip_us = u32::try_from(sent.elapsed().as_micros()).unwrap_or(u32::MAX);
        // Messages that were under way when the server read come first, so that these values are the last word. A
        // slow group may say nothing until it is too late, and then the values are handed on all the same.
        let read_at = Instant::now();
        let patience = read_at + deadline.saturating_duration_since(read_at) / 2;
        while self.awaits_word_since(read_at, session) {
            match tokio::time::timeout_at(patience, session.next()).await {
                Ok(Report::Message(message)) => {
                    if self.message(message).await.is_err() {
                        return false;
                    }
                }
                Ok(Report::Ended(_)) => return false,
                Err(_) => break,
            }
        }
        let mut by_group: Vec<Vec<Reading>> = self.groups.iter().map(|_| Vec::new()).collect();
        for (group, tag, value) in values {
            let entry = &self.opening.map.tags[usize::from(tag)];
            let reading = values::reading(tag, entry, &value, &self.structures);
            // A message may have brought a newer value since, and a counter must not seem to run backwards.
            if reading.source_us.is_none_or(|us| us >= self.newest[usize::from(tag)]) {
                by_group[usize::from(group)].push(reading);
            }
        }
        let taken_at = asked.midway(answered);
        let mut delivered = true;
        for (group, mut readings) in self.groups.iter_mut().zip(by_group) {
            values::in_order(&mut readings);
            delivered &= group.taken(readings, taken_at, round_trip_us).await;
        }
        delivered
    }
}
