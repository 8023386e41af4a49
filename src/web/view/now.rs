//! What moves between two views of a line: its counts.

use domain::line::status::{LineStatus, ShiftStatus, StationStatus};
use domain::units::Count;
use serde::Serialize;
use utoipa::ToSchema;

use super::shift::ShiftView;
use super::{CountView, DifferenceView, ms};

/// Event `now` of the stream: the counts of a line at one moment.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct NowView {
    /// The line's clock, UTC milliseconds.
    pub at_ms: i64,
    /// Output of the line: good capsules of the shift, between shifts those since the journal began. Null where nothing of
    /// them was read: that is no zero.
    pub good: Option<CountView>,
    /// What that is of its shift at this moment; null between shifts.
    pub shift: Option<ShiftNowView>,
    /// Counts of the stations, in the order of the line.
    pub flows: Vec<FlowView>,
}

/// What moves with the output of a shift, as in the view of the line: numbers that are read together are of one moment.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct ShiftNowView {
    /// What the target rate asks for until now.
    pub target_now: u64,
    /// Good less target until now; null where nothing of the shift was read.
    pub difference: Option<DifferenceView>,
    /// On which side of the target it lies, as in the view of the shift.
    pub side: Option<&'static str>,
    /// Whether even the most that the truth can be lies clearly below the target.
    pub behind: bool,
    /// Good in percent of the plan, one decimal.
    pub plan_percent: Option<f64>,
}

impl ShiftNowView {
    fn of(shift: &ShiftStatus) -> ShiftNowView {
        let ShiftView { target_now, difference, side, behind, plan_percent, .. } =
            ShiftView::of(shift);
        ShiftNowView { target_now, difference, side, behind, plan_percent }
    }
}

/// What flows through a station, as in the view of the line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct FlowView {
    /// Which station.
    pub station: String,
    /// What went in.
    pub infeed: Option<CountView>,
    /// What came out as good.
    pub good: Option<CountView>,
    /// What was rejected; null where nothing of the shift was read there.
    pub rejected: Option<CountView>,
}

fn output(status: &LineStatus) -> Option<Count> {
    match &status.shift {
        Some(shift) => Some(shift.good).filter(|_| shift.read),
        None => Some(status.total).filter(|total| total.high() > 0),
    }
}

impl NowView {
    /// The counts of a status.
    pub fn of(status: &LineStatus) -> NowView {
        let flow = |station: &StationStatus| FlowView {
            station: station.id.to_string(),
            infeed: station.infeed.map(CountView::from),
            good: station.good.map(CountView::from),
            rejected: station.rejected.map(CountView::from),
        };
        NowView {
            at_ms: ms(status.at.utc_us),
            good: output(status).map(CountView::from),
            shift: status.shift.as_ref().map(ShiftNowView::of),
            flows: status.stations.iter().map(flow).collect(),
        }
    }

    /// Whether both say the same: counts move by strokes of a machine, some hundreds of milliseconds apart.
    pub(crate) fn counts_as(&self, other: &NowView) -> bool {
        (self.good, &self.flows) == (other.good, &other.flows)
    }
}
