//! The way of one group's snapshots to the line: never waits, never loses the number of a miss.

use std::sync::Arc;
use std::time::{Duration, Instant};

use domain::reading::{Miss, Outcome, Reading, Snapshot};
use domain::units::Moment;
use tokio::sync::mpsc::error::TrySendError;

use super::SnapshotSender;
use super::account::Account;
use super::throttle::Throttle;
use crate::clock::Clock;

/// A run of misses is reported this often: at 10 ms a dead device would otherwise fill the queue of its line.
const REPORT_EVERY: Duration = Duration::from_millis(100);

/// Where the snapshots of one group go.
pub(super) struct Outlet {
    device: u16,
    group: u16,
    out: SnapshotSender,
    clock: Clock,
    account: Arc<Account>,
    /// Misses that are counted but not yet reported, one entry for each kind.
    pending: Vec<(Miss, u32)>,
    /// When misses were last reported; none after a success, so that the first miss is reported at once.
    reported: Option<Instant>,
    /// While set, a full queue is waited for: only the last poll before the end does that.
    patient_until: Option<tokio::time::Instant>,
    losses: Throttle,
    delivered: u64,
}

impl Outlet {
    pub(super) fn new(
        device: u16,
        group: u16,
        out: SnapshotSender,
        clock: Clock,
        account: Arc<Account>,
    ) -> Outlet {
        Outlet {
            device,
            group,
            out,
            clock,
            account,
            pending: Vec::new(),
            reported: None,
            patient_until: None,
            losses: Throttle::default(),
            delivered: 0,
        }
    }

    /// Snapshots with readings that the line has got.
    pub(super) fn delivered(&self) -> u64 {
        self.delivered
    }

    /// Position of its group in the map.
    pub(super) fn group(&self) -> u16 {
        self.group
    }

    /// The account that it keeps.
    pub(super) fn account(&self) -> &Account {
        &self.account
    }

    /// From now on, and until `deadline`, wait for room in the queue rather than drop.
    pub(super) fn be_patient(&mut self, deadline: Option<tokio::time::Instant>) {
        self.patient_until = deadline;
    }

    /// Hands on what a poll brought. Returns whether the line got it.
    pub(super) async fn taken(
        &mut self,
        readings: Vec<Reading>,
        taken_at: Moment,
        round_trip_us: u32,
        polls: u32,
    ) -> bool {
        self.account.done(polls, round_trip_us);
        self.report().await;
        self.reported = None;
        let outcome = Outcome::Taken(readings);
        let (device, group) = (self.device, self.group);
        let snapshot = Snapshot { device, group, taken_at, round_trip_us, polls, outcome };
        let sent = self.send(snapshot).await;
        match sent {
            true => self.delivered += 1,
            false => self.account.dropped(),
        }
        sent
    }

    /// Books `polls` polls that brought nothing.
    pub(super) async fn missed(&mut self, miss: Miss, polls: u32) {
        if polls == 0 {
            return;
        }
        self.account.missed(miss, polls);
        self.put_aside(miss, polls);
        if self.reported.is_none_or(|at| at.elapsed() >= REPORT_EVERY) {
            self.report().await;
        }
    }

    /// Reports all misses that are pending. What finds no room stays pending, so that the sum stays right.
    pub(super) async fn report(&mut self) {
        if self.pending.is_empty() {
            return;
        }
        self.reported = Some(Instant::now());
        for (miss, polls) in std::mem::take(&mut self.pending) {
            let snapshot = Snapshot {
                device: self.device,
                group: self.group,
                taken_at: self.clock.now(),
                round_trip_us: 0,
                polls,
                outcome: Outcome::Missed(miss),
            };
            if !self.send(snapshot).await {
                self.put_aside(miss, polls);
            }
        }
    }

    fn put_aside(&mut self, miss: Miss, polls: u32) {
        match self.pending.iter_mut().find(|(kind, _)| *kind == miss) {
            Some((_, sum)) => *sum = sum.saturating_add(polls),
            None => self.pending.push((miss, polls)),
        }
    }

    async fn send(&mut self, snapshot: Snapshot) -> bool {
        let sent = match (self.out.try_send(snapshot), self.patient_until) {
            (Ok(()), _) => true,
            (Err(TrySendError::Full(snapshot)), Some(deadline)) => {
                let sent = tokio::time::timeout_at(deadline, self.out.send(snapshot)).await;
                matches!(sent, Ok(Ok(())))
            }
            (Err(TrySendError::Full(_)), None) => false,
            // The line has gone: the service is stopping, and there is no one left to tell.
            (Err(TrySendError::Closed(_)), _) => return false,
        };
        if !sent && let Some(held) = self.losses.pass(Instant::now()) {
            tracing::error!(
                device = self.device,
                group = self.group,
                held,
                "the queue of the line is full and readings are dropped; the line is too slow"
            );
        }
        sent
    }
}

#[cfg(test)]
mod tests {
    use domain::units::{LineId, StationId};
    use tokio::sync::mpsc;

    use super::*;

    fn outlet(room: usize) -> (Outlet, mpsc::Receiver<Snapshot>) {
        let (out, line) = mpsc::channel(room);
        let account =
            Account::new((LineId::new("L1"), 3), StationId::new("CF01"), "fast".into(), 10_000);
        (Outlet::new(3, 1, out, Clock::real(), Arc::new(account)), line)
    }

    fn received(line: &mut mpsc::Receiver<Snapshot>) -> Vec<(u32, Option<Miss>)> {
        std::iter::from_fn(|| line.try_recv().ok())
            .map(|s| match s.outcome {
                Outcome::Taken(_) => (s.polls, None),
                Outcome::Missed(miss) => (s.polls, Some(miss)),
            })
            .collect()
    }

    #[tokio::test]
    async fn a_run_of_misses_is_reported_at_once_and_then_in_sums() {
        let (mut outlet, mut line) = outlet(10);
        for _ in 0..30 {
            outlet.missed(Miss::Disconnected, 1).await;
        }
        assert_eq!(received(&mut line), [(1, Some(Miss::Disconnected))]);
        outlet.missed(Miss::Skipped, 4).await;
        assert!(outlet.taken(Vec::new(), Moment::default(), 80, 1).await);
        assert_eq!(
            received(&mut line),
            [(29, Some(Miss::Disconnected)), (4, Some(Miss::Skipped)), (1, None)]
        );
        outlet.missed(Miss::Timeout, 1).await;
        assert_eq!(received(&mut line), [(1, Some(Miss::Timeout))], "at once after a success");
    }

    #[tokio::test]
    async fn a_full_queue_drops_readings_but_keeps_the_number_of_misses() {
        let (mut outlet, mut line) = outlet(1);
        assert!(outlet.taken(Vec::new(), Moment::default(), 0, 1).await);
        assert!(!outlet.taken(Vec::new(), Moment::default(), 0, 1).await);
        outlet.missed(Miss::Broken, 1).await;
        assert_eq!(outlet.account().pace().dropped, 1);
        assert_eq!(received(&mut line), [(1, None)]);
        outlet.report().await;
        assert_eq!(received(&mut line), [(1, Some(Miss::Broken))]);
    }

    #[tokio::test]
    async fn the_last_poll_waits_for_room() {
        let (mut outlet, mut line) = outlet(1);
        assert!(outlet.taken(Vec::new(), Moment::default(), 0, 1).await);
        outlet.be_patient(Some(tokio::time::Instant::now() + Duration::from_secs(5)));
        let reader = tokio::spawn(async move {
            tokio::time::sleep(Duration::from_millis(20)).await;
            (line.recv().await.is_some(), line.recv().await.is_some())
        });
        assert!(outlet.taken(Vec::new(), Moment::default(), 0, 1).await);
        assert_eq!(reader.await.unwrap(), (true, true));
    }
}
