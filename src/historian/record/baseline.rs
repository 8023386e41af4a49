//! A counter's baseline ↔ its row. The only place that knows what a [`Baseline`] is made of.
//!
//! Both directions name every field, so that a field that is new in the ledger does not compile here before somebody
//! decided how it is stored. A field that is missing in an old row reads as its default.

use domain::line::counter::{Baseline, BatchChange, Clocked, Evidence, Held, Seen};
use domain::units::{Count, Moment};
use serde::{Deserialize, Serialize};

/// A baseline as it is stored.
pub(in crate::historian) struct BaselineRow {
    /// The register as last read.
    pub(in crate::historian) raw: u64,
    /// The total that never wraps.
    pub(in crate::historian) total: Count,
    /// When the register was read.
    pub(in crate::historian) at: Moment,
    /// The rest, JSON.
    pub(in crate::historian) detail: String,
}

/// The JSON of a baseline. What is not there takes no byte: this is written with every tick.
#[derive(Serialize, Deserialize)]
struct Detail {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    source_us: Option<i64>,
    #[serde(default, skip_serializing_if = "SeenForm::is_empty")]
    seen: SeenForm,
    /// Its number, the raw value at its start, the counts in it.
    segment: (u64, u64, u64),
    /// See [`BatchChange`], in its order.
    #[serde(default, skip_serializing_if = "is_default")]
    batch: (u8, u8, u64, u8),
    #[serde(default, skip_serializing_if = "Option::is_none")]
    held: Option<HeldForm>,
    /// None in journals from before marks, and where nobody gave one.
    #[serde(default, skip_serializing_if = "is_default")]
    map: u32,
}

/// Values with the boot time at which they were read.
#[derive(Serialize, Deserialize, Default, PartialEq)]
struct SeenForm {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    uptime: Option<(u64, i64)>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    batch: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    since_reset: Option<(u64, i64)>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    heartbeat: Option<(u64, i64)>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    odometer: Option<(u64, i64)>,
}

/// A held reading; there is seldom one, so that it need not be short.
#[derive(Serialize, Deserialize)]
struct HeldForm {
    utc_us: i64,
    mono_us: i64,
    source_us: Option<i64>,
    value: u64,
    missed: bool,
    uptime_s: Option<u64>,
    batch: Option<u64>,
    #[serde(default)]
    batch_settled: bool,
    since_reset_s: Option<u64>,
    heartbeat: Option<u64>,
    session_lost: bool,
    #[serde(default, skip_serializing_if = "is_default")]
    ran_on: bool,
    bounds: Option<(u64, u64)>,
    #[serde(default)]
    odometer: Option<u64>,
}

impl BaselineRow {
    /// The row of a baseline.
    pub(in crate::historian) fn of(baseline: &Baseline) -> BaselineRow {
        let Baseline {
            at,
            source_us,
            value,
            seen,
            total,
            segment,
            segment_start,
            segment_sum,
            batch: BatchChange { reset_due, id_due, hidden, hidden_for },
            held,
            mapping: map,
        } = *baseline;
        let detail = Detail {
            source_us,
            seen: SeenForm::of(seen),
            segment: (segment, segment_start, segment_sum),
            batch: (reset_due, id_due, hidden, hidden_for),
            held: held.map(HeldForm::of),
            map,
        };
        // Numbers and options only: no key or value of these can fail to be JSON.
        let detail = serde_json::json!(detail).to_string();
        BaselineRow { raw: value, total, at, detail }
    }
}

/// The baseline of a row; in words what is wrong where it cannot be one.
pub(in crate::historian) fn baseline(row: &BaselineRow) -> Result<Baseline, String> {
    let detail: Detail = serde_json::from_str(&row.detail).map_err(|e| e.to_string())?;
    let (segment, segment_start, segment_sum) = detail.segment;
    let (reset_due, id_due, hidden, hidden_for) = detail.batch;
    Ok(Baseline {
        at: row.at,
        source_us: detail.source_us,
        value: row.raw,
        seen: detail.seen.seen(),
        total: row.total,
        segment,
        segment_start,
        segment_sum,
        batch: BatchChange { reset_due, id_due, hidden, hidden_for },
        held: detail.held.map(HeldForm::held),
        mapping: detail.map,
    })
}

impl SeenForm {
    fn of(seen: Seen) -> SeenForm {
        let Seen { uptime, batch, since_reset, heartbeat, odometer } = seen;
        let pair = |clocked: Clocked| (clocked.value, clocked.at_us);
        SeenForm {
            uptime: uptime.map(pair),
            batch,
            since_reset: since_reset.map(pair),
            heartbeat: heartbeat.map(pair),
            odometer: odometer.map(pair),
        }
    }

    fn seen(self) -> Seen {
        let clocked = |(value, at_us)| Clocked { value, at_us };
        Seen {
            uptime: self.uptime.map(clocked),
            batch: self.batch,
            since_reset: self.since_reset.map(clocked),
            heartbeat: self.heartbeat.map(clocked),
            odometer: self.odometer.map(clocked),
        }
    }

    fn is_empty(&self) -> bool {
        is_default(self)
    }
}

impl HeldForm {
    fn of(held: Held) -> HeldForm {
        let Held { at, source_us, value, evidence, missed } = held;
        let Evidence {
            uptime_s,
            batch,
            batch_settled,
            since_reset_s,
            heartbeat,
            session_lost,
            ran_on,
            bounds,
            odometer,
        } = evidence;
        let Moment { utc_us, mono_us } = at;
        HeldForm {
            utc_us,
            mono_us,
            source_us,
            value,
            missed,
            uptime_s,
            batch,
            batch_settled,
            since_reset_s,
            heartbeat,
            session_lost,
            ran_on,
            bounds,
            odometer,
        }
    }

    fn held(self) -> Held {
        Held {
            at: Moment { utc_us: self.utc_us, mono_us: self.mono_us },
            source_us: self.source_us,
            value: self.value,
            evidence: Evidence {
                uptime_s: self.uptime_s,
                batch: self.batch,
                batch_settled: self.batch_settled,
                since_reset_s: self.since_reset_s,
                heartbeat: self.heartbeat,
                session_lost: self.session_lost,
                ran_on: self.ran_on,
                bounds: self.bounds,
                odometer: self.odometer,
            },
            missed: self.missed,
        }
    }
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}
