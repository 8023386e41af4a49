//! How a machine is spoken to: protocol, order of bytes, and the sections `[modbus]` and `[opcua]`.

use super::super::document::{At, Section};
use super::super::{ModbusOptions, OpcUaOptions, Order, Table};

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

pub(super) fn read_order(section: &Section<'_, '_>, at: At<&str>) -> Option<Order> {
    match at.value {
        "ABCD" => Some(Order::Abcd),
        "CDAB" => Some(Order::Cdab),
        "BADC" => Some(Order::Badc),
        "DCBA" => Some(Order::Dcba),
        other => {
            section.report_at(
                at.line,
                format!("order = \"{other}\" is not known; use ABCD, CDAB, BADC or DCBA"),
            );
            None
        }
    }
}

pub(super) fn read_modbus(section: &Section<'_, '_>) -> ModbusOptions {
    section.require("unit", "1");
    let options = ModbusOptions {
        unit: section.integer("unit", 0, 255).map_or(1, |at| at.value as u8),
        max_registers: section.integer("max_registers", 1, 125).map_or(125, |at| at.value as u16),
        max_gap: section.integer("max_gap", 0, 124).map_or(8, |at| at.value as u16),
        forbidden: section.sections("forbidden").iter().filter_map(read_forbidden).collect(),
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
    match at.value {
        "holding" => Some(Table::Holding),
        "input" => Some(Table::Input),
        "coil" => Some(Table::Coil),
        "discrete" => Some(Table::Discrete),
        other => {
            let way_out = "use holding, input, coil or discrete";
            section.report_at(at.line, format!("\"{other}\" is no Modbus table; {way_out}"));
            None
        }
    }
}

pub(super) fn read_opcua(section: &Section<'_, '_>) -> Option<OpcUaOptions> {
    let namespace = section.required_text("namespace", "\"urn:plant:line\"");
    section.finish();
    Some(OpcUaOptions { namespace: namespace?.value.into() })
}
