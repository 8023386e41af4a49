//! When polls fall due: a timerfd on an absolute grid.
//!
//! tokio's own interval is up to 2 ms late by construction and by default fires missed ticks back to back at the
//! PLC. A timerfd is late by tens of microseconds and tells how often it expired unseen, so that a stall becomes a
//! number and never a burst.

use std::io;
use std::os::fd::OwnedFd;
use std::task::{Context, Poll, ready};

use rustix::time::{
    ClockId, Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, clock_gettime,
    timerfd_create, timerfd_settime,
};
use tokio::io::unix::AsyncFd;

/// One poll that fell due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Due {
    /// The moment it was due, on the grid, in microseconds of the monotonic clock.
    pub(super) at_us: i64,
    /// Polls that fell due before it and were not seen in time. They are skipped, never made up for.
    pub(super) skipped: u32,
}

/// A periodic timer.
///
/// What is due is read off the clock, which costs no system call; the timerfd is there to be woken by.
#[derive(Debug)]
pub(super) struct Ticker {
    fd: AsyncFd<OwnedFd>,
    first_us: i64,
    period_us: i64,
    /// Points of the grid seen so far.
    seen: i64,
}

impl Ticker {
    /// Starts on the grid of all multiples of the period, moved by `phase_us`.
    ///
    /// A common grid with a phase for each device staggers the polls for good, where timers that begin whenever
    /// their device happens to be ready drift into step. Must be called inside a runtime.
    pub(super) fn start(period_us: i64, phase_us: i64) -> io::Result<Ticker> {
        let period_us = period_us.max(1_000);
        let first_us = first_after(monotonic_us(), period_us, phase_us);
        let flags = TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC;
        let fd = timerfd_create(TimerfdClockId::Monotonic, flags)?;
        let times = Itimerspec { it_interval: timespec(period_us), it_value: timespec(first_us) };
        timerfd_settime(&fd, TimerfdTimerFlags::ABSTIME, &times)?;
        #[expect(
            deprecated,
            reason = "its successor is unsafe, because a type might lie about its descriptor; an OwnedFd does not"
        )]
        let fd = AsyncFd::new(fd)?;
        Ok(Ticker { fd, first_us, period_us, seen: 0 })
    }

    /// Ready as soon as at least one poll is due.
    pub(super) fn poll_due(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Due>> {
        loop {
            if let Some(due) = self.due_now() {
                return Poll::Ready(Ok(due));
            }
            let mut guard = ready!(self.fd.poll_read_ready(cx))?;
            if let Ok(read) = guard.try_io(|fd| rearm(fd.get_ref())) {
                read?;
                // Read once it blocks until the next point of the grid: no second read has to find that out.
                guard.clear_ready();
            }
        }
    }

    /// What is due by now, without waiting.
    pub(super) fn due_now(&mut self) -> Option<Due> {
        self.due_at(monotonic_us())
    }

    fn due_at(&mut self, now_us: i64) -> Option<Due> {
        let passed = (now_us - self.first_us).div_euclid(self.period_us) + 1;
        let new = passed - self.seen;
        if new <= 0 {
            return None;
        }
        self.seen = passed;
        Some(Due {
            at_us: self.first_us + (passed - 1) * self.period_us,
            skipped: u32::try_from(new - 1).unwrap_or(u32::MAX),
        })
    }
}

/// The first point of the grid `n × period + phase` after `now`.
fn first_after(now_us: i64, period_us: i64, phase_us: i64) -> i64 {
    let phase = phase_us.rem_euclid(period_us);
    let n = (now_us - phase).div_euclid(period_us) + 1;
    n * period_us + phase
}

/// Reads a timer that has expired, so that it can be waited for again; `WouldBlock` if it has not.
fn rearm(fd: &OwnedFd) -> io::Result<()> {
    let mut count = [0; 8];
    rustix::io::read(fd, &mut count)?;
    Ok(())
}

/// The clock of the timers. It only paces; what is written into a snapshot comes from [`crate::clock::Clock`].
pub(super) fn monotonic_us() -> i64 {
    let now = clock_gettime(ClockId::Monotonic);
    now.tv_sec * 1_000_000 + now.tv_nsec / 1_000
}

fn timespec(us: i64) -> Timespec {
    Timespec { tv_sec: us / 1_000_000, tv_nsec: us % 1_000_000 * 1_000 }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;
    use std::time::Duration;

    use super::*;

    #[test]
    fn the_grid_is_common_and_the_phase_moves_it() {
        assert_eq!(first_after(0, 10, 0), 10);
        assert_eq!(first_after(10, 10, 0), 20, "now itself is too late");
        assert_eq!(first_after(11, 10, 3), 13);
        assert_eq!(first_after(14, 10, 3), 23);
        assert_eq!(first_after(2, 10, 13), 3, "a phase is taken modulo the period");
    }

    #[tokio::test]
    async fn a_stall_is_one_poll_and_a_number_not_a_burst() {
        let mut ticker = Ticker::start(10_000, 0).unwrap();
        let before = poll_fn(|cx| ticker.poll_due(cx)).await.unwrap();
        std::thread::sleep(Duration::from_millis(55));
        let due = poll_fn(|cx| ticker.poll_due(cx)).await.unwrap();
        assert!(due.skipped >= 4, "five ticks fell into the stall: {due:?}");
        assert_eq!(due.at_us - before.at_us, i64::from(due.skipped + 1) * 10_000);
        assert_eq!(ticker.due_now().filter(|late| late.at_us - due.at_us < 10_000), None);
    }

    /// The same without a clock: no point of the grid is lost or counted twice, wherever the looks fall.
    #[tokio::test]
    async fn every_point_of_the_grid_is_due_once() {
        let mut ticker = Ticker::start(1_000, 0).unwrap();
        let first = ticker.first_us;
        let mut looks = vec![first - 1, first, first, first + 999, first + 1_000, first + 4_500];
        looks.push(first + 9_999);
        let due: Vec<_> = looks.into_iter().map(|now| ticker.due_at(now)).collect();
        let at = |n: i64, skipped| Some(Due { at_us: first + n * 1_000, skipped });
        assert_eq!(due, [None, at(0, 0), None, None, at(1, 0), at(4, 2), at(9, 4)]);
        let seen: i64 = due.iter().flatten().map(|due| i64::from(due.skipped) + 1).sum();
        assert_eq!(seen, 10);
    }

    #[tokio::test]
    async fn ticks_keep_to_the_grid() {
        let mut ticker = Ticker::start(5_000, 2_000).unwrap();
        for _ in 0..20 {
            let due = poll_fn(|cx| ticker.poll_due(cx)).await.unwrap();
            assert_eq!(due.at_us % 5_000, 2_000);
            assert!(monotonic_us() >= due.at_us, "never early");
        }
    }
}
