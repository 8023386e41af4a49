//! The keys of a tag that counts: where it wraps and what sets it back.

use toml::de::DeValue;

use super::super::Kind;
use super::super::document::{At, Section};
use super::Machine;
use crate::line::counter::{self, Modulus, Resets};

pub(super) fn read_counter(
    section: &Section<'_, '_>,
    machine: &Machine,
    kind: Kind,
) -> counter::Settings {
    let modulus = read_modulus(section, kind).unwrap_or_else(|| natural_modulus(kind));
    // The PackML text leaves open whether a count "rolls over at 2,147,483,647" before or after showing that value.
    let doubt = if modulus == Modulus::At(1 << 31) { 1 } else { 0 };
    // A flap opens more rarely than capsules pass.
    let own = |key, most, else_| section.integer(key, 1, most).map_or(else_, |at| at.value as u64);
    counter::Settings {
        modulus,
        doubt: section.integer("modulus_doubt", 0, 1).map_or(doubt, |at| at.value as u64),
        max_per_minute: own("max_per_minute", 10_000_000, machine.max_per_minute),
        tolerance: machine.tolerance,
        step: own("step", 1_000_000, machine.step),
        lag_us: section.duration_us("refresh").map_or(0, |at| at.value),
        retentive: section.boolean("retentive").map(|at| at.value),
        resets: read_resets(section),
        ..counter::Settings::default()
    }
}

/// Where a register of this kind starts again if the map does not say.
pub(super) fn natural_modulus(kind: Kind) -> Modulus {
    match kind {
        Kind::Unsigned(64) | Kind::Signed(64) => Modulus::Full64,
        Kind::Unsigned(bits) => Modulus::At(1 << bits),
        // A signed total is kept positive: it wraps where its sign bit would be set.
        Kind::Signed(bits) => Modulus::At(1 << (bits - 1)),
        Kind::Bcd(bits) => Modulus::At(10u64.pow(bits / 4)),
        Kind::Float(32) => Modulus::Float32,
        Kind::Float(_) | Kind::Bit(_) | Kind::Field(..) | Kind::Text(_) => Modulus::None,
    }
}

/// `modulus = "none"`, `"2^31"` or `100000`: where the counter starts again. None if the key is absent or wrong.
pub(super) fn read_modulus(section: &Section<'_, '_>, kind: Kind) -> Option<Modulus> {
    let is_text = |(key, _, value): &(&str, usize, &DeValue<'_>)| {
        *key == "modulus" && value.as_str().is_some()
    };
    let wanted = if section.entries().iter().any(is_text) {
        let text = section.text("modulus")?;
        if text.value == "none" {
            return Some(Modulus::None);
        }
        let power = text.value.split_once('^').and_then(|(base, exponent)| {
            base.trim().parse::<u128>().ok()?.checked_pow(exponent.trim().parse().ok()?)
        });
        let Some(power) = power.filter(|power| *power >= 2) else {
            let message = format!(
                "modulus = \"{}\" is not known; write 65536, \"2^31\" or \"none\"",
                text.value
            );
            section.report_at(text.line, message);
            return None;
        };
        At { value: power, line: text.line }
    } else {
        let number = section.integer("modulus", 2, i64::MAX)?;
        At { value: number.value as u128, line: number.line }
    };
    let capacity = match kind {
        Kind::Bcd(bits) => 10u128.pow(bits / 4),
        Kind::Float(_) => 1 << 64,
        _ => 1 << kind.bits(),
    };
    if wanted.value > capacity {
        let wide = wanted.value;
        let message = format!(
            "a value of {} bits cannot wrap at {wide}; use a wider type or modulus = {capacity}",
            kind.bits()
        );
        section.report_at(wanted.line, message);
        return None;
    }
    Some(u64::try_from(wanted.value).map_or(Modulus::Full64, Modulus::At))
}

/// What sets the counter back besides a restart: `resets = "batch"`, `"manual"`, both, or `"never"`.
fn read_resets(section: &Section<'_, '_>) -> Resets {
    let mut resets = Resets::default();
    let Some(at) = section.text("resets") else { return resets };
    for word in at.value.split_whitespace() {
        match word {
            "batch" => resets.batch = true,
            "manual" => resets.manual = true,
            "never" => {}
            other => {
                let way_out = "use batch, manual, \"batch manual\" or never; for restarts there is retentive = false";
                section.report_at(at.line, format!("resets = \"{other}\" is not known; {way_out}"));
            }
        }
    }
    resets
}
