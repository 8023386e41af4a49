//! Batches by hand and the balance of material ↔ their rows.

use domain::line::balance::{Difference, SectionState, Sign};
use domain::line::batch::hand::{Did, Entry};
use domain::units::{Count, TagId};
use rusqlite::{Connection, Result, Row, params};
use serde::{Deserialize, Serialize};

use super::rows::strange;
use super::write::Scope;
use crate::historian::Tick;

/// Writes what people did with batches.
pub(super) fn batch_entries(conn: &Connection, scope: Scope, tick: &Tick) -> Result<()> {
    let mut insert = conn.prepare_cached(include_str!("../sql/batch_entry_write.sql"))?;
    for entry in &tick.batch_entries {
        insert.execute(params![
            scope.line,
            entry.start_us,
            entry.did.word(),
            entry.at_us,
            entry.id.as_ref(),
            entry.product.as_ref(),
            entry.by.as_ref(),
        ])?;
    }
    Ok(())
}

/// A row of `batch_entries_read.sql`.
pub(in crate::historian) fn batch_entry(row: &Row<'_>) -> Result<Entry> {
    let did: String = row.get(0)?;
    Ok(Entry {
        did: Did::from_word(&did).ok_or_else(|| strange(0, "act on a batch", &did))?,
        id: row.get::<_, String>(1)?.into(),
        start_us: row.get(2)?,
        at_us: row.get(3)?,
        product: row.get::<_, String>(4)?.into(),
        by: row.get::<_, String>(5)?.into(),
    })
}

/// Writes the balance where it was judged.
pub(super) fn balance_state(conn: &Connection, scope: Scope, tick: &Tick) -> Result<()> {
    let Some(states) = &tick.balance else { return Ok(()) };
    let forms: Vec<SectionForm> = states.iter().map(SectionForm::of).collect();
    let form = serde_json::to_string(&forms)
        .map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))?;
    conn.prepare_cached(include_str!("../sql/balance_state_write.sql"))?
        .execute(params![scope.line, form])?;
    Ok(())
}

/// The balance as it was kept; in words what is wrong where it cannot be one.
pub(in crate::historian) fn sections(form: &str) -> Result<Vec<SectionState>, String> {
    let forms: Vec<SectionForm> = serde_json::from_str(form).map_err(|error| error.to_string())?;
    forms.into_iter().map(SectionForm::state).collect()
}

/// Best, low, high.
type CountForm = (u64, u64, u64);

/// A section of the balance.
#[derive(Serialize, Deserialize)]
struct SectionForm {
    inlet: String,
    /// Inlets beside that one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    more_inlets: Vec<String>,
    outlets: Vec<String>,
    capacity: u64,
    base_in: CountForm,
    base_out: Vec<CountForm>,
    at_base: (i64, i64),
    /// Low, best, high.
    grown: (i64, i64, i64),
    minutes: u64,
    since_us: i64,
    at_us: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    found: Option<(bool, u64)>,
}

impl SectionForm {
    fn of(state: &SectionState) -> SectionForm {
        // Far beyond any count of capsules; a value out there is as good as endless.
        let narrow = |n: i128| i64::try_from(n).unwrap_or(if n < 0 { i64::MIN } else { i64::MAX });
        let count = |count: &Count| (count.best(), count.low(), count.high());
        let mut inlets = state.inlets.iter().map(|tag| tag.to_string());
        SectionForm {
            inlet: inlets.next().unwrap_or_default(),
            more_inlets: inlets.collect(),
            outlets: state.outlets.iter().map(|tag| tag.to_string()).collect(),
            capacity: state.capacity,
            base_in: count(&state.base_in),
            base_out: state.base_out.iter().map(count).collect(),
            at_base: (narrow(state.at_base.0), narrow(state.at_base.1)),
            grown: (narrow(state.grown.low), narrow(state.grown.best), narrow(state.grown.high)),
            minutes: state.minutes,
            since_us: state.since_us,
            at_us: state.at_us,
            found: state.found.map(|(sign, after)| (sign == Sign::TooFull, after)),
        }
    }

    fn state(self) -> Result<SectionState, String> {
        let count = |(best, low, high): CountForm| match low <= best && best <= high {
            true => Ok(Count::between(low, best, high)),
            false => Err(format!("{best} is not in [{low}, {high}]")),
        };
        let (low, best, high) = self.grown;
        let inlets = std::iter::once(self.inlet).chain(self.more_inlets);
        Ok(SectionState {
            inlets: inlets.map(TagId::new).collect(),
            outlets: self.outlets.into_iter().map(TagId::new).collect(),
            capacity: self.capacity,
            base_in: count(self.base_in)?,
            base_out: self.base_out.into_iter().map(count).collect::<Result<_, _>>()?,
            at_base: (self.at_base.0.into(), self.at_base.1.into()),
            grown: Difference { low: low.into(), best: best.into(), high: high.into() },
            minutes: self.minutes,
            since_us: self.since_us,
            at_us: self.at_us,
            found: self
                .found
                .map(|(full, after)| (if full { Sign::TooFull } else { Sign::TooEmpty }, after)),
        })
    }
}
