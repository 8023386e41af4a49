//! The text of a map → [`PlcMap`]. Every mistake is noted and reading goes on, so that one run shows them all.

mod counter;
mod odometer;
mod protocol;
mod tag;

use std::collections::BTreeMap;

use super::document::{At, Document, Section, parse_duration_us};
use super::{
    ByteOrder, Flow, Group, MAX_BITS, MAX_REGISTERS, ModbusOptions, OpcUaOptions, PlcMap, Problem,
    Protocol, Title,
};
use crate::line::counter::{Fraction, Settings};
use crate::line::state::State;
use crate::line::stop::Cause;
use crate::units::StationId;

use protocol::{read_modbus, read_opcua, read_order, read_protocol};
use tag::read_tags;

/// See [`PlcMap::parse`].
pub(super) fn parse(file: &str, text: &str) -> Result<PlcMap, Vec<Problem>> {
    let document = Document::new(file, text);
    let table = document.parse();
    let map = read(&document.root(&table), file);
    let problems = document.into_problems();
    match map {
        Some(map) if problems.is_empty() => Ok(map),
        _ => Err(problems),
    }
}

/// What the tags need to know of the rest of the file.
struct Machine {
    modbus: bool,
    order: ByteOrder,
    max_registers: u16,
    max_bits: u16,
    max_per_minute: u64,
    tolerance: Fraction,
    step: u64,
    groups: Vec<Group>,
}

/// The whole file. None only where nothing usable can be built; problems are noted in the document either way.
fn read(root: &Section<'_, '_>, file: &str) -> Option<PlcMap> {
    let head = match root.section("machine") {
        Some(head) => head,
        None => {
            root.require("machine", "[machine] with station, title and protocol");
            return None;
        }
    };
    let station =
        head.required_text("station", "\"CF01\"").and_then(|at| name(&head, "station", at));
    let title = read_title(&head, "title");
    let is_modbus = read_protocol(&head);
    let order = head.text("order").and_then(|at| read_order(&head, at)).unwrap_or_default();
    if order.is_of_64_bits() {
        head.report("order", "this order is one of 64 bits; give it to the tags that have it");
    }
    head.require("max_per_minute", "6500");
    let max_per_minute =
        head.integer("max_per_minute", 1, 10_000_000).map_or(6_500, |at| at.value as u64);
    let tolerance = read_tolerance(&head);
    let step = head.integer("step", 1, 1_000_000).map_or(1, |at| at.value as u64);
    let room = |key| head.integer(key, 1, 1_000_000_000).map(|at| at.value as u64);
    let mut flow = Flow { inside: room("inside"), after: room("after"), ..Flow::default() };
    head.finish();

    let modbus = root.section("modbus").map(|section| read_modbus(&section));
    let opcua = root.section("opcua").and_then(|section| read_opcua(&section));
    let groups = read_groups(root);
    let states = read_states(root);
    let stop_reasons = read_stop_reasons(root, &mut flow.causes);
    let machine = Machine {
        modbus: is_modbus?,
        order,
        max_registers: modbus.as_ref().map_or(MAX_REGISTERS, |options| options.max_registers),
        max_bits: modbus.as_ref().map_or(MAX_BITS, |options| options.max_bits),
        max_per_minute,
        tolerance,
        step,
        groups,
    };
    let tags = read_tags(root, &machine, &mut flow.capsules);
    root.finish();

    let protocol = match machine.modbus {
        true => Protocol::Modbus(modbus.unwrap_or_else(|| {
            root.require("modbus", "[modbus] with unit = 1");
            ModbusOptions::default()
        })),
        false => Protocol::OpcUa(opcua.unwrap_or_else(|| {
            root.require("opcua", "[opcua] with namespace = \"urn:…\"");
            OpcUaOptions { namespace: "".into() }
        })),
    };
    Some(PlcMap {
        file: file.into(),
        station: StationId::new(station?),
        title: title?,
        protocol,
        max_per_minute,
        step,
        groups: machine.groups,
        tags,
        states,
        stop_reasons,
        flow,
    })
}

/// How far above its design rate a machine may run, as a factor; a tenth by default.
fn read_tolerance(head: &Section<'_, '_>) -> Fraction {
    let default = Settings::default().tolerance;
    let Some(at) = head.number("tolerance") else { return default };
    if !(1.0..=2.0).contains(&at.value) {
        let found = at.value;
        head.report_at(
            at.line,
            format!(
                "tolerance must be from 1 to 2, found {found}; 1.1 is a tenth above the design rate"
            ),
        );
        return default;
    }
    Fraction { num: (at.value * 1_000.0).round() as u32, den: 1_000 }
}

/// A name that can stand in an address and in a metric: letters, digits, `_`, `-`, `.` and brackets.
fn name<'t>(section: &Section<'_, '_>, key: &'static str, at: At<&'t str>) -> Option<&'t str> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "_-.[]".contains(c);
    if !at.value.is_empty() && at.value.len() <= 80 && at.value.chars().all(allowed) {
        return Some(at.value);
    }
    let value = at.value;
    section.report_at(
        at.line,
        format!("{key} = \"{value}\" is no name; use 1 to 80 of A-Z a-z 0-9 _ - . [ ]"),
    );
    None
}

/// A text in both languages: `{ en = "…", zh = "…" }`.
pub fn read_title(section: &Section<'_, '_>, key: &'static str) -> Option<Title> {
    let example = "{ en = \"Capsule filler\", zh = \"胶囊充填机\" }";
    section.require(key, example);
    if let Some(at) = section.plain(key) {
        let en = at.value;
        section.report_at(
            at.line,
            format!("{key} has both languages; write {{ en = \"{en}\", zh = \"…\" }}"),
        );
        return None;
    }
    let table = section.section(key)?;
    let title = title_of(&table);
    table.finish();
    title
}

fn title_of(table: &Section<'_, '_>) -> Option<Title> {
    let en = table.required_text("en", "\"Capsule filler\"");
    let zh = table.required_text("zh", "\"胶囊充填机\"");
    Some(Title { en: en?.value.into(), zh: zh?.value.into() })
}

fn read_groups(root: &Section<'_, '_>) -> Vec<Group> {
    root.require("groups", "[groups] with fast = \"10ms\"");
    let Some(section) = root.section("groups") else { return Vec::new() };
    let mut groups = Vec::new();
    for (name, line, value) in section.entries() {
        let period = value.as_str().and_then(parse_duration_us);
        match period {
            Some(us) if (1_000..=3_600_000_000).contains(&us) => {
                groups.push(Group { name: name.into(), period_us: us })
            }
            _ => section.report_at(
                line,
                format!("group {name} needs a period from \"1ms\" to \"1h\", such as \"10ms\""),
            ),
        }
    }
    // Fast groups first: a shared connection serves them in this order.
    groups.sort_by_key(|group| group.period_us);
    if section.entries().is_empty() {
        section.report_at(section.line, "no poll group; write for instance fast = \"10ms\"");
    }
    groups
}

fn read_states(root: &Section<'_, '_>) -> BTreeMap<i64, State> {
    let Some(section) = root.section("states") else { return BTreeMap::new() };
    let mut states = BTreeMap::new();
    for (code, line, value) in section.entries() {
        let Some(number) = code_number(&section, code, line) else { continue };
        match value.as_str().map(|word| (word, State::from_word(word))) {
            Some((_, Some(state))) => drop(states.insert(number, state)),
            Some((word, None)) => {
                let known: Vec<&str> = State::ALL[..20].iter().map(|state| state.word()).collect();
                section.report_at(
                    line,
                    format!(
                        "state {code} = \"{word}\" is not known; use one of {}",
                        known.join(", ")
                    ),
                );
            }
            None => section.report_at(
                line,
                format!("state {code} needs a word in quotes, such as \"execute\""),
            ),
        }
    }
    states
}

fn read_stop_reasons(
    root: &Section<'_, '_>,
    causes: &mut BTreeMap<i64, Cause>,
) -> BTreeMap<i64, Title> {
    let Some(section) = root.section("stop_reasons") else { return BTreeMap::new() };
    let mut reasons = BTreeMap::new();
    for (code, line, value) in section.entries() {
        let Some(number) = code_number(&section, code, line) else { continue };
        let Some(table) = section.entry_section(line, value, format!("stop reason {code}")) else {
            continue;
        };
        if let Some(title) = title_of(&table) {
            reasons.insert(number, title);
        }
        if let Some(cause) = read_cause(&table) {
            causes.insert(number, cause);
        }
        table.finish();
    }
    reasons
}

/// A cause that a machine can tell itself.
fn read_cause(table: &Section<'_, '_>) -> Option<Cause> {
    let told = [Cause::Internal, Cause::Starved, Cause::Blocked];
    let at = table.text("cause")?;
    let cause = told.into_iter().find(|cause| cause.word() == at.value);
    if cause.is_none() {
        let known = told.map(Cause::word).join(", ");
        let message = format!("cause = \"{}\" is not known; use one of {known}", at.value);
        table.report_at(at.line, message);
    }
    cause
}

fn code_number(section: &Section<'_, '_>, code: &str, line: usize) -> Option<i64> {
    let number = code.parse().ok();
    if number.is_none() {
        section.report_at(
            line,
            format!("code {code} is no whole number; write for instance 3 = \"execute\""),
        );
    }
    number
}
