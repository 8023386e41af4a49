//! Orders of people on their way to the lines.

use domain::audit::Actor;
use domain::line::batch::hand::{Entry, Order, Refusal};
use domain::units::LineId;
use futures_util::future::BoxFuture;

/// Takes orders of people to the lines.
pub trait Desk: Send + Sync {
    /// Opens or closes a batch; the answer comes when it is durable. The inner refusal is for people, the outer error
    /// goes to the log.
    fn order(
        &self,
        line: &LineId,
        order: Order,
        by: Actor,
    ) -> BoxFuture<'static, Result<Result<Entry, Refusal>, String>>;
}
