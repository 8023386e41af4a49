//! Final reports and words on gaps, as the web asks for them.

use domain::audit::{Actor, NotSigned};
use domain::line::report::{FinalReport, GapId, GapNote};
use domain::units::LineId;

use super::history::StoredHistory;
use crate::web::ReportRecord;

impl ReportRecord for StoredHistory {
    fn gap_notes(&self, line: &LineId, gaps: &[GapId]) -> Result<Vec<GapNote>, String> {
        self.0.gap_notes(line, gaps).map_err(|error| error.to_string())
    }

    fn add_gap_notes(&self, line: &LineId, notes: Vec<GapNote>, by: &Actor) -> Result<(), String> {
        self.0.add_gap_notes(line, notes, by).map_err(|error| error.to_string())
    }

    fn final_reports(&self, line: &LineId, span: (i64, i64)) -> Result<Vec<FinalReport>, String> {
        self.0.final_reports(line, span).map_err(|error| error.to_string())
    }

    fn final_page(&self, line: &LineId, number: i64) -> Result<Option<Vec<u8>>, String> {
        self.0.final_page(line, number).map_err(|error| error.to_string())
    }

    fn add_final_report(
        &self,
        line: &LineId,
        report: FinalReport,
        page: Vec<u8>,
        by: &Actor,
    ) -> Result<Option<FinalReport>, String> {
        self.0.add_final_report(line, report, page, by).map_err(|error| error.to_string())
    }

    fn sign_report(
        &self,
        line: &LineId,
        number: i64,
        by: &Actor,
    ) -> Result<Result<(), NotSigned>, String> {
        self.0.sign_report(line, number, by).map_err(|error| error.to_string())
    }
}
