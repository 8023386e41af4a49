//! What else was read beside the counter, and what it says about a reset.
//!
//! Evidence is compared with the last of its kind, whenever that was: a clock that rose in step
//! since an earlier poll proves at least as much as one that rose since the last.

use super::baseline::BatchChange;
use super::settings::Settings;
use crate::units::SECOND_US;

/// What was read together with a counter value. A missing item proves nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Evidence {
    /// Seconds since the controller started.
    pub uptime_s: Option<u64>,
    /// The batch, as [`batch_key`] of its id.
    pub batch: Option<u64>,
    /// The batch id is known not to change in the next polls, as when a file is read afterwards: an
    /// unchanged id then excludes a change of batch.
    pub batch_settled: bool,
    /// Seconds since this counter was last set back (`AccTimeSinceReset`). Give it only to counters
    /// that are cleared together with that clock.
    pub since_reset_s: Option<u64>,
    /// A 16-bit word that rises by one each second while the program of the controller runs.
    pub heartbeat: Option<u64>,
    /// The connection was lost since the last sample, so that the controller may have restarted.
    pub session_lost: bool,
    /// Another counter of the same controller, which a restart of it sets back, went on for certain since the last sample
    /// that was neither late nor a duplicate: there was no restart.
    pub ran_on: bool,
    /// The least and most that a sibling counter or an odometer allows since the last sample that
    /// was neither late nor a duplicate.
    pub bounds: Option<(u64, u64)>,
    /// The odometer that was read together with the counter. The ledger only remembers it, so that whoever gives the
    /// `bounds` of the next sample knows where they begin, after our own restart too: see [`super::Counter::newest`].
    pub odometer: Option<u64>,
}

/// A comparable key for a batch id. FNV-1a, because a baseline on disk must mean the same after an
/// update of the service, which a hasher of the standard library does not promise.
pub fn batch_key(id: &str) -> u64 {
    id.bytes().fold(0xcbf2_9ce4_8422_2325, |key, byte| {
        (key ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3)
    })
}

/// A value and when it was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Clocked {
    /// The value.
    pub value: u64,
    /// When, in microseconds of the boot clock.
    pub at_us: i64,
}

/// The last evidence of each kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Seen {
    /// See [`Evidence::uptime_s`].
    pub uptime: Option<Clocked>,
    /// See [`Evidence::batch`].
    pub batch: Option<u64>,
    /// See [`Evidence::since_reset_s`].
    pub since_reset: Option<Clocked>,
    /// See [`Evidence::heartbeat`].
    pub heartbeat: Option<Clocked>,
    /// See [`Evidence::odometer`].
    pub odometer: Option<Clocked>,
}

impl Seen {
    /// Remembers what a sample brought; what it did not bring stays.
    pub(super) fn note(&mut self, evidence: &Evidence, at_us: i64) {
        let clocked = |value| Clocked { value, at_us };
        self.uptime = evidence.uptime_s.map(clocked).or(self.uptime);
        self.batch = evidence.batch.or(self.batch);
        self.since_reset = evidence.since_reset_s.map(clocked).or(self.since_reset);
        self.heartbeat = evidence.heartbeat.map(clocked).or(self.heartbeat);
        self.odometer = evidence.odometer.map(clocked).or(self.odometer);
    }

    /// Moves all times by `shift_us`, when the boot clock became another one.
    pub(super) fn shift(&mut self, shift_us: i64) {
        let Seen { uptime, batch: _, since_reset, heartbeat, odometer } = self;
        for clocked in [uptime, since_reset, heartbeat, odometer].into_iter().flatten() {
            clocked.at_us = clocked.at_us.saturating_add(shift_us);
        }
    }

    /// Whether the batch id differs from the last one.
    pub(super) fn batch_changed(&self, evidence: &Evidence) -> bool {
        matches!((self.batch, evidence.batch), (Some(old), Some(new)) if old != new)
    }
}

/// What a clock or an id says about one possible cause of a reset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sign {
    /// It did not happen.
    Excluded,
    /// Nothing is known.
    Unknown,
    /// Something happened that may have been it.
    Suspected,
    /// It happened around this time, but perhaps a few polls off.
    Expected,
    /// It happened.
    Certain,
}

/// The time between two readings, in microseconds of the boot clock.
#[derive(Clone, Copy, Debug)]
pub(super) struct Span {
    pub from_us: i64,
    pub to_us: i64,
    /// By how much more they may lie apart, because the earlier one came late or both are off.
    pub longer_us: i64,
    /// By how much less, because the later one did, or both are.
    pub shorter_us: i64,
    /// How late and how far off any reading may be: what was read before the span is not known better.
    pub latest_us: i64,
}

impl Span {
    /// The time since something was read, and by how much more it may be.
    fn since(self, prev: Clocked) -> (i64, i64) {
        let passed_us = self.to_us.saturating_sub(prev.at_us).max(0);
        let longer_us = if prev.at_us < self.from_us { self.latest_us } else { self.longer_us };
        (passed_us, longer_us)
    }
}

/// What all evidence together says about a reset between two samples.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Signs {
    /// A reset is not excluded.
    pub possible: bool,
    /// Something hints at a reset, even if the value did not fall.
    pub hinted: bool,
    /// The cause of a reset is known to have happened: a drop is no wrap.
    pub known: bool,
    /// The counter itself was reset for certain: it did not simply go on.
    pub sure: bool,
}

impl Signs {
    /// Reads the evidence of a span, `batch` being what is known of a change of batch.
    pub(super) fn read(
        settings: &Settings,
        seen: &Seen,
        evidence: &Evidence,
        span: Span,
        batch: BatchChange,
    ) -> Signs {
        // A counter that nothing sets back is not cleared together with that clock.
        let cleared = match settings.is_lifetime() {
            true => Sign::Unknown,
            false => clock(seen.since_reset, evidence.since_reset_s, span, 0),
        };
        let order = order(settings, seen, evidence, cleared, batch);
        let restart = restart(settings, seen, evidence, cleared, span);
        let resets = settings.resets;
        let known = restart == Sign::Certain || matches!(order, Sign::Expected | Sign::Certain);
        Signs {
            possible: restart != Sign::Excluded || order != Sign::Excluded || resets.manual,
            hinted: known || restart == Sign::Suspected || order == Sign::Suspected,
            known,
            sure: order == Sign::Certain
                || (restart == Sign::Certain && settings.retentive == Some(false)),
        }
    }

    /// What is known when two looks at the same interval are put together.
    pub(super) fn or(self, other: Signs) -> Signs {
        Signs {
            possible: self.possible || other.known,
            hinted: self.hinted || other.hinted,
            known: self.known || other.known,
            sure: self.sure,
        }
    }
}

/// A reset by command, as at a change of batch.
fn order(
    settings: &Settings,
    seen: &Seen,
    evidence: &Evidence,
    cleared: Sign,
    batch: BatchChange,
) -> Sign {
    match cleared {
        Sign::Certain | Sign::Suspected | Sign::Excluded => return cleared,
        _ if !settings.resets.batch => return Sign::Excluded,
        _ => {}
    }
    // The change of id after a reset belongs to that reset and announces no other.
    let changed = seen.batch_changed(evidence) && batch.id_due == 0;
    let both = seen.batch.is_some() && evidence.batch.is_some();
    match () {
        () if batch.reset_due > 0 || changed => Sign::Expected,
        () if both && (settings.batch_late == 0 || evidence.batch_settled) => Sign::Excluded,
        () => Sign::Unknown,
    }
}

/// A reset by restart of the controller.
fn restart(
    settings: &Settings,
    seen: &Seen,
    evidence: &Evidence,
    cleared: Sign,
    span: Span,
) -> Sign {
    if settings.retentive == Some(true) {
        return Sign::Excluded;
    }
    // A controller needs a second to boot before its uptime counts, so that an uptime of nearly the
    // whole interval cannot have started within it.
    let uptime = clock(seen.uptime, evidence.uptime_s, span, SECOND_US);
    let beats = heartbeat(seen.heartbeat, evidence.heartbeat, span);
    // The clock that is cleared with the counter lives in the same memory: had a restart cleared
    // the counter, the clock would have fallen too.
    match uptime {
        Sign::Certain | Sign::Suspected | Sign::Excluded => uptime,
        _ if beats == Sign::Excluded || cleared == Sign::Excluded || evidence.ran_on => {
            Sign::Excluded
        }
        _ if evidence.session_lost => Sign::Suspected,
        _ => Sign::Unknown,
    }
}

/// A clock in whole seconds that starts at 0 with the event: did the event happen since `prev`?
/// `pause_us` passes at least between the event and the clock's first tick. If `prev` is older than
/// the span, the event may lie before the span, where it was counted already.
fn clock(prev: Option<Clocked>, now_s: Option<u64>, span: Span, pause_us: i64) -> Sign {
    let (Some(prev), Some(now_s)) = (prev, now_s) else { return Sign::Unknown };
    let (passed_us, longer_us) = span.since(prev);
    let since = |origin: u64| {
        let (now_us, then_us) = (i128::from(now_s) * 1_000_000, i128::from(origin) * 1_000_000);
        now_us - then_us - i128::from(passed_us)
    };
    // Two seconds for the whole seconds of both readings, what two quartzes drift apart, and how late and how far off the
    // readings were.
    let tolerance =
        i128::from(2 * SECOND_US) + i128::from(passed_us / 256) + i128::from(span.shorter_us);
    let started_in =
        |us: i64| i128::from(now_s) * 1_000_000 <= i128::from(us.saturating_sub(pause_us));
    if since(prev.value).abs() <= tolerance {
        let may_be_within = started_in(passed_us.saturating_add(longer_us));
        return if may_be_within { Sign::Unknown } else { Sign::Excluded };
    }
    let started_within = started_in(passed_us);
    // A clock of 16 or 32 bits that passed its own end looks as if it had fallen.
    let wrapped = [1u64 << 16, 1 << 32].into_iter().any(|states| {
        prev.value < states
            && (since(prev.value) + i128::from(states) * 1_000_000).abs() <= tolerance
    });
    match (wrapped, now_s < prev.value || (started_within && since(prev.value) < 0)) {
        (false, true) if prev.at_us >= span.from_us => Sign::Certain,
        (false, true) => Sign::Suspected,
        _ => Sign::Unknown,
    }
}

/// A word that rises once a second while the program runs. Steady beats exclude a restart; other
/// beats prove nothing, because a busy or stopped program beats irregularly too.
fn heartbeat(prev: Option<Clocked>, now: Option<u64>, span: Span) -> Sign {
    let (Some(prev), Some(now)) = (prev, now) else { return Sign::Unknown };
    let (passed_us, longer_us) = span.since(prev);
    let longest_s = passed_us.saturating_add(longer_us) / SECOND_US;
    let (Ok(longest_s), true) = (u16::try_from(longest_s), longest_s < 30_000) else {
        return Sign::Unknown;
    };
    let passed_s = u16::try_from(passed_us / SECOND_US).unwrap_or(longest_s);
    let beats = (now as u16).wrapping_sub(prev.value as u16);
    let steady = beats.abs_diff(passed_s) <= 2 + passed_s / 256;
    match steady && (now as u16) >= longest_s.max(1) {
        true => Sign::Excluded,
        false => Sign::Unknown,
    }
}
