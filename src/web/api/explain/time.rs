//! Times as sums of what is stored, and what is left out of a number.

use domain::line::state::TimeClass;
use domain::units::{MINUTE_US, SECOND_US};

use super::{Explained, Facts, InputView, LeftOutView};
use crate::web::api::flow::Flow;

/// Classes of time that are part of the planned busy time.
const BUSY: [TimeClass; 5] =
    [TimeClass::Run, TimeClass::Internal, TimeClass::External, TimeClass::Idle, TimeClass::Unknown];

impl Facts {
    /// Time in a class over all periods, microseconds.
    pub(super) fn time(&self, class: TimeClass) -> i64 {
        self.periods.iter().map(|period| period.spending.time.of(class)).sum()
    }

    /// Time that is recorded at all, microseconds.
    pub(super) fn recorded_us(&self) -> i64 {
        self.periods.iter().map(|period| period.spending.recorded_us()).sum()
    }

    /// Time in which the machine was set up: planned, and yet no planned stop. Microseconds.
    fn setup_us(&self) -> i64 {
        self.periods.iter().map(|period| period.spending.setup_us).sum()
    }

    /// Length of what is explained, microseconds: of a span all of it, of a period what has passed.
    pub(super) fn passed_us(&self) -> i64 {
        let passed_us = match &self.wanted.window {
            Some(window) => (window.to_ms - window.from_ms) * 1_000,
            None => self.span.1 - self.span.0,
        };
        passed_us.max(self.recorded_us())
    }

    /// Known part of the time, 0 to 1.
    pub(super) fn known_share(&self) -> Option<f64> {
        let passed_us = self.passed_us();
        let known_us = self.recorded_us() - self.time(TimeClass::Unknown);
        (passed_us > 0).then(|| known_us as f64 / passed_us as f64)
    }

    /// What the planned busy time is the sum of.
    pub(super) fn busy_parts(&self) -> Vec<InputView> {
        let of_class = |class: TimeClass| self.class_part(class, "PBT");
        let setup =
            InputView { id: "setup", in_rows: false, ..time("setup", "", "PBT", self.setup_us()) };
        BUSY.into_iter().map(of_class).chain([setup]).collect()
    }

    /// What the recorded time is the sum of.
    pub(super) fn recorded_parts(&self, of: &'static str) -> Vec<InputView> {
        TimeClass::ALL.map(|class| self.class_part(class, of)).into()
    }

    /// The known time as a sum.
    pub(super) fn known_parts(&self, of: &'static str) -> Vec<InputView> {
        let known = TimeClass::ALL.into_iter().filter(|class| *class != TimeClass::Unknown);
        known.map(|class| self.class_part(class, of)).collect()
    }

    fn class_part(&self, class: TimeClass, of: &'static str) -> InputView {
        let us = self.time(class);
        let closed = self.minutes.iter().filter(|minute| minute.closed);
        let in_rows = us == closed.map(|minute| minute.time.of(class)).sum::<i64>();
        InputView { in_rows, ..time(class.word(), "", of, us) }
    }

    /// What is left out of a number, or counted in a way that one has to know.
    pub(super) fn left_out(&self, value: Explained) -> Vec<LeftOutView> {
        use Explained::{
            Availability, Balance, Coverage, Difference, Gap, Infeed, Mtbf, Mttr, Oee, Performance,
            Quality, RejectFraction, Samples, Throughput, Yield,
        };
        let mut notes = Vec::new();
        let mut note = |id, us: Option<i64>| notes.push(LeftOutView { id, us });
        let unrecorded_us = self.passed_us() - self.recorded_us();
        // Of a period that goes on, the last seconds are on their way to the record.
        let least_us =
            if self.periods.iter().all(|period| period.closed) { SECOND_US } else { MINUTE_US };
        if unrecorded_us >= least_us && !value.is_of_now() {
            note("unrecorded", Some(unrecorded_us));
        }
        let unknown_us = self.time(TimeClass::Unknown);
        if matches!(value, Oee | Availability) && unknown_us > 0 {
            note("unknown_stands", Some(unknown_us));
        }
        let planned_us = self.time(TimeClass::Planned) - self.setup_us();
        if matches!(value, Oee | Availability | Performance) && planned_us > 0 {
            note("planned", Some(planned_us));
        }
        if matches!(value, Oee | Quality | Throughput | Performance) {
            note("samples_good", None);
        }
        if value == RejectFraction && self.flow() == Flow::Untold {
            note("no_flow", None);
        } else if value == RejectFraction {
            note("samples_out", None);
            note("chance", None);
        }
        if matches!(value, Oee | Availability | Throughput | Mtbf) && !self.setup_known {
            note("setup_unknown", None);
        }
        if matches!(value, Oee | Availability | Mttr | Mtbf) {
            note("micro_in", None);
            note("by_state", None);
        }
        if matches!(value, Yield | Balance) {
            note("inside", None);
        }
        let of_counts =
            !matches!(value, Coverage | Availability | Mtbf | Mttr | Samples | Infeed | Gap);
        if of_counts && !value.is_of_stops() && self.periods.iter().any(|period| period.estimated) {
            note("estimated", None);
        }
        if value == Difference && unrecorded_us >= least_us {
            note("target_recorded", None);
        }
        notes
    }
}

/// A time as an input.
pub(super) fn time(id: &'static str, symbol: &'static str, of: &'static str, us: i64) -> InputView {
    InputView {
        id,
        title: None,
        symbol,
        of,
        unit: "us",
        best: us,
        low: us,
        high: us,
        in_rows: false,
    }
}
