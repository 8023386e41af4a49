//! How a machine is spoken to: protocol, order of bytes, and the sections `[modbus]` and `[opcua]`.

use super::super::document::{At, Section};
use super::super::{ByteOrder, MAX_BITS, MAX_REGISTERS, ModbusOptions, OpcUaOptions, Table};

pub(super) fn read_protocol(head: &Section<'_, '_>) -> Option<bool> {
    let protocol = head.required_text("protocol", "\"modbus\"")?;
    match protocol.value {
        "modbus" => Some(true),
        "opcua" => Some(false),
        other => {
            head.report_at(
                protocol.line,
                format!("protocol = \"{other}\" is not known; use \"modbus\" or \"opcua\""),
            );
            None
        }
    }
}

pub(super) fn read_order(section: &Section<'_, '_>, at: At<&str>) -> Option<ByteOrder> {
    let order = ByteOrder::from_word(at.value);
    if order.is_none() {
        let value = at.value;
        let message = format!(
            "order = \"{value}\" is not known; use ABCD, CDAB, BADC or DCBA, or one of 64 bits"
        );
        section.report_at(at.line, message);
    }
    order
}

pub(super) fn read_modbus(section: &Section<'_, '_>) -> ModbusOptions {
    section.require("unit", "1");
    let default = ModbusOptions::default();
    let number = |key, low, high| section.integer(key, low, high).map(|at| at.value as u16);
    let max_registers = number("max_registers", 1, i64::from(MAX_REGISTERS));
    // A device that answers few registers at once has no room for more bits than they hold.
    let room = max_registers.map_or(MAX_BITS, |n| (n * 16).min(MAX_BITS));
    let options = ModbusOptions {
        unit: number("unit", 0, 255).map_or(default.unit, |n| n as u8),
        max_registers: max_registers.unwrap_or(default.max_registers),
        max_bits: number("max_bits", 1, i64::from(MAX_BITS)).unwrap_or(room),
        max_gap: number("max_gap", 0, 124).unwrap_or(default.max_gap),
        forbidden: section.sections("forbidden").iter().filter_map(read_forbidden).collect(),
        separate: section.boolean("separate").is_some_and(|at| at.value),
        reads: number("reads", 1, 10).map_or(default.reads, |n| n as u8),
    };
    section.finish();
    options
}

fn read_forbidden(section: &Section<'_, '_>) -> Option<(Table, u16, u16)> {
    let table =
        section.required_text("table", "\"holding\"").and_then(|at| read_table(section, at));
    section.require("first", "60");
    section.require("last", "63");
    let first = section.integer("first", 0, 65_535);
    let last = section.integer("last", 0, 65_535);
    section.finish();
    let (first, last) = (first?, last?);
    if last.value < first.value {
        let (from, to) = (first.value, last.value);
        section
            .report_at(last.line, format!("last = {to} lies before first = {from}; exchange them"));
        return None;
    }
    Some((table?, first.value as u16, last.value as u16))
}

pub(super) fn read_table(section: &Section<'_, '_>, at: At<&str>) -> Option<Table> {
    let table = Table::from_word(at.value);
    if table.is_none() {
        let way_out = "use holding, input, coil or discrete";
        section.report_at(at.line, format!("\"{}\" is no Modbus table; {way_out}", at.value));
    }
    table
}

pub(super) fn read_opcua(section: &Section<'_, '_>) -> Option<OpcUaOptions> {
    let namespace = section.required_text("namespace", "\"urn:plant:line\"");
    section.finish();
    Some(OpcUaOptions { namespace: namespace?.value.into() })
}
