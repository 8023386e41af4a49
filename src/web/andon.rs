//! What the web asks about calls for help and alerts.

use domain::alert::{Delivery, Rule, StoredAlert};
use domain::audit::Actor;
use domain::line::call::{Call, Refusal, Step};
use domain::units::LineId;

/// Calls for help. An error says why the record could not be read or written and goes to the log, not to the reader.
#[expect(clippy::missing_errors_doc, reason = "said once for all of them")]
pub trait CallDesk: Send + Sync {
    /// Open calls of a line, oldest first. Never blocks.
    fn open_calls(&self, line: &LineId) -> Vec<Call>;

    /// Calls that were opened in a span, oldest first. Blocks.
    fn calls(&self, line: &LineId, span: (i64, i64)) -> Result<Vec<Call>, String>;

    /// Adds a step; the call as it stands then, durable. The inner refusal is for people. Blocks.
    fn step(&self, line: &LineId, step: Step, by: &Actor) -> Result<Result<Call, Refusal>, String>;
}

/// Alerts and what was told of them. An error says why the record could not be read and goes to the log.
#[expect(clippy::missing_errors_doc, reason = "said once for both of them")]
pub trait AlertBook: Send + Sync {
    /// What is an alert.
    fn rules(&self) -> Vec<Rule>;

    /// Alerts that are open. Never blocks.
    fn open_alerts(&self) -> Vec<StoredAlert>;

    /// Alerts that are open, or that opened or closed since a moment, by their numbers. Blocks.
    fn alerts(&self, since_us: i64) -> Result<Vec<StoredAlert>, String>;

    /// The latest attempts to tell a webhook, newest first. Blocks.
    fn deliveries(&self, limit: usize) -> Result<Vec<Delivery>, String>;
}
