//! `[quality]`: what quality assurance asks of records.

use domain::plc_map::document::Section;

use super::web::WebAccess;

/// What quality assurance asks of records.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct QualityConfig {
    /// Whether a final report takes two signatures: that of its author, and that of another account that has reviewed or
    /// approves it.
    pub two_persons: bool,
}

/// Reads `[quality]`.
pub(super) fn read(quality: &Section<'_, '_>, access: WebAccess) -> QualityConfig {
    let two_persons = quality.boolean("two_persons");
    if let Some(at) = two_persons.as_ref().filter(|at| at.value && access == WebAccess::Open) {
        let message = "two_persons = true takes accounts that sign, and with access = \"open\" nobody signs; write access = \"users\" in [web], or leave it out";
        quality.report_at(at.line, message);
    }
    quality.finish();
    QualityConfig { two_persons: two_persons.is_some_and(|at| at.value) }
}
