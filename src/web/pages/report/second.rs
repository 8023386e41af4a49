//! The second signature under a final report, where two persons sign.

use domain::audit::{Actor, NotSigned, Signature, Signed, awaits_second};
use domain::units::LineId;

use crate::web::error::WebError;
use crate::web::{App, blocking};

/// The signatures under one report of those under all of a line.
pub(super) fn signatures_of(all: &[Signature], number: i64) -> Vec<Signature> {
    let record = number.to_string();
    all.iter().filter(|signature| signature.record == record).cloned().collect()
}

/// Whether a final report waits for its second person. Where one signature is enough, none does.
pub(super) fn awaits(app: &App, all: &[Signature], number: i64) -> bool {
    app.parts().two_persons && awaits_second(&signatures_of(all, number))
}

/// Signatures under final reports of a line.
pub(super) async fn signatures(app: &App, line: &LineId) -> Result<Vec<Signature>, WebError> {
    let (trail, line) = (app.parts().trail.clone(), line.clone());
    blocking(move || trail.signatures(&line, Signed::Report)).await
}

/// Signs a report as `by`, its second person, who has looked at the file of that hash.
pub(crate) async fn sign(
    app: &App,
    line: &str,
    (number, seen): (i64, &str),
    by: &Actor,
) -> Result<(), WebError> {
    let (line, seen, by) = (LineId::new(line), seen.to_owned(), by.clone());
    let reports = app.parts().reports.clone();
    let signed = blocking(move || {
        let found = reports.final_reports(&line, (i64::MIN, i64::MAX))?;
        match found.iter().find(|report| report.number == number) {
            None => Ok(Err(NotSigned::NoReport)),
            Some(report) if report.page_sha256 != seen => Ok(Err(NotSigned::Changed)),
            Some(_) => reports.sign_report(&line, number, &by),
        }
    });
    match signed.await? {
        Ok(()) => Ok(()),
        Err(NotSigned::NoReport) => Err(WebError::NoPeriod),
        Err(why) => Err(WebError::Conflict(why.to_string())),
    }
}
