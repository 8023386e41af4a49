//! What moves between two views of a line: its counts.

use domain::line::status::{LineStatus, StationStatus};
use serde::Serialize;
use utoipa::ToSchema;

use super::{CountView, ms};

/// Event `now` of the stream: the counts of a line at one moment.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct NowView {
    /// The line's clock, UTC milliseconds.
    pub at_ms: i64,
    /// Counts of the stations, in the order of the line.
    pub flows: Vec<FlowView>,
}

/// What flows through a station, as in the view of the line.
#[derive(Clone, Debug, Serialize, ToSchema)]
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

impl NowView {
    /// The counts of a status.
    pub fn of(status: &LineStatus) -> NowView {
        let flow = |station: &StationStatus| FlowView {
            station: station.id.to_string(),
            infeed: station.infeed.map(CountView::from),
            good: station.good.map(CountView::from),
            rejected: station.rejected.map(CountView::from),
        };
        NowView { at_ms: ms(status.at.utc_us), flows: status.stations.iter().map(flow).collect() }
    }
}
