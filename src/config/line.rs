//! A line of the configuration, with its devices, shifts and settings.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use domain::line::batch::Limits;
use domain::line::calendar::{Calendar, ShiftRule};
use domain::line::oee::Ratio;
use domain::plc_map::document::Section;
use domain::plc_map::{PlcMap, Protocol, read_title};
use domain::quality::characteristic::Characteristic;
use domain::units::LineId;

use super::{
    DeviceConfig, LineConfig, OpcUaAccess, Reader, Wire, access, characteristic, output, read_span,
    wire,
};

/// A stop shorter than this is a micro-stop, where nothing else is configured.
const MICRO_STOP: Duration = Duration::from_secs(300);

impl Reader<'_> {
    pub(super) fn line(
        &mut self,
        section: &Section<'_, '_>,
        zone: &jiff::tz::TimeZone,
    ) -> Option<LineConfig> {
        let id = section.required_text("id", "\"L1\"");
        if let Some(at) = id
            && !(1..=32).contains(&at.value.len())
                | !at.value.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_')
        {
            section.report_at(
                at.line,
                format!("id = \"{}\" must be 1 to 32 of A-Z a-z 0-9 - _", at.value),
            );
        }
        if let Some(at) = id
            && !self.lines.insert(at.value.to_owned())
        {
            section.report_at(
                at.line,
                format!("line {} is there twice; give each line a name of its own", at.value),
            );
        }
        let title = read_title(section, "title");
        let counting = section.text_or_texts("counting_station", "\"CF01\"");
        section.require("target_per_minute", "6500");
        let target = section.integer("target_per_minute", 1, 10_000_000);
        let micro_stop = read_span(section, "micro_stop", 1_000_000, 3_600_000_000);
        let material_balance = read_balance(section);
        let rules = read_shifts(section);
        let breaks: Vec<ShiftRule> =
            section.sections("break").iter().filter_map(read_shift).collect();
        section.require("device", "[[line.device]] with map and address");
        let sections = section.sections("device");
        let devices: Vec<DeviceConfig> = sections.iter().filter_map(|d| self.device(d)).collect();
        let maps: Vec<_> = devices.iter().map(|device| device.map.clone()).collect();
        let output = output::read(&counting, &devices);
        let mut characteristics =
            output.as_ref().map_or_else(Vec::new, |output| Characteristic::defaults(output, &maps));
        // Of a device that is not known nothing else is said: its own mistake is told.
        let whole = self.map_problems.is_empty() && devices.len() == sections.len();
        for changes in section.sections("characteristic") {
            let known = whole && output.is_some();
            characteristic::read(&changes, known.then_some(&mut characteristics));
        }
        section.finish();
        check_stations(section, &devices);
        output::check(section, &counting, &devices, whole);
        Some(LineConfig {
            characteristics,
            id: LineId::new(id?.value),
            title: title?,
            output: output?,
            target_per_minute: target?.value as u64,
            micro_stop: micro_stop.unwrap_or(MICRO_STOP),
            material_balance,
            calendar: Calendar::new(zone.clone(), rules).with_breaks(breaks),
            devices,
        })
    }

    fn device(&mut self, section: &Section<'_, '_>) -> Option<DeviceConfig> {
        let path = section.required_text("map", "\"../plc-maps/cf01-modbus.toml\"");
        let address = section.required_text("address", "\"192.168.1.10:502\"");
        let connect = read_span(section, "connect_timeout", 1_000, 60_000_000);
        let reply = read_span(section, "reply_timeout", 1_000, 60_000_000);
        let backoff_min = read_span(section, "backoff_min", 10_000, 60_000_000)
            .unwrap_or(Duration::from_millis(60));
        let backoff_max = read_span(section, "backoff_max", 10_000, 600_000_000)
            .unwrap_or(Duration::from_secs(5));
        if backoff_max < backoff_min {
            section.report("backoff_max", "backoff_max is shorter than backoff_min; exchange them");
        }
        let map = path.and_then(|path| self.map(section, path.value, path.line));
        let protocol = map.as_ref().map(|map| &map.protocol);
        let wire = match (protocol, address) {
            (Some(Protocol::OpcUa(_)), Some(address)) => Wire::tcp(address.value),
            (_, address) => {
                let address = address.map_or("", |at| at.value);
                let quiet = reply.unwrap_or(Duration::from_millis(100));
                wire::read(section, address, quiet, self.base)
            }
        };
        let opcua = match protocol {
            Some(Protocol::OpcUa(_)) => access::read(section, self.base, &self.pki),
            Some(Protocol::Modbus(_)) => Some(OpcUaAccess::default()),
            None => {
                access::pass_over(section);
                None
            }
        };
        section.finish();
        self.check_port(section, &wire);
        let (map, address) = (map?, address?);
        check_address(section, &map, address.value, address.line);
        let fastest_us = map.groups.first().map_or(1_000_000, |group| group.period_us);
        let default_reply =
            Duration::from_micros((fastest_us * 5).clamp(100_000, 2_000_000) as u64);
        Some(DeviceConfig {
            map: Arc::new(map),
            address: address.value.into(),
            wire,
            connect_timeout: connect.unwrap_or(Duration::from_secs(1)),
            reply_timeout: reply.unwrap_or(default_reply),
            backoff: (backoff_min, backoff_max),
            opcua: opcua?,
        })
    }

    /// All devices on a serial port share it, and so its settings.
    fn check_port(&mut self, section: &Section<'_, '_>, wire: &Wire) {
        let Some(port) = wire.serial() else { return };
        match self.ports.iter().find(|(_, other)| other.path == port.path) {
            Some((line, other)) if other != port => {
                let message = format!(
                    "{} runs at {port} here and at {other} for the device of line {line}; \
                     all devices on one port need the same baud, parity and stop_bits",
                    port.path
                );
                section.report_at(section.line, message);
            }
            Some(_) => {}
            None => self.ports.push((section.line, port.clone())),
        }
    }
}

/// No station and no tag may be there twice.
fn check_stations(section: &Section<'_, '_>, devices: &[DeviceConfig]) {
    let mut seen = HashSet::new();
    let mut first = Vec::new();
    for device in devices {
        if seen.insert(device.map.station.clone()) {
            first.push(device);
            continue;
        }
        let (station, file) = (&device.map.station, &device.map.file);
        section.report(
            "device",
            format!(
                "station {station} is there twice, the second time from {file}; \
                 delete that device, or give it a map with a station and tags of its own"
            ),
        );
    }
    let mut tags = HashSet::new();
    // Of a station that is there twice every tag is, and that says nothing more.
    for (device, tag) in
        first.iter().flat_map(|device| device.map.tags.iter().map(move |tag| (device, tag)))
    {
        if !tags.insert(tag.id.clone()) {
            let (id, file) = (&tag.id, &device.map.file);
            section.report(
                "device",
                format!("tag {id} is there twice in this line, the second time in {file}"),
            );
        }
    }
}

/// The shifts, of which no two may be on at once.
fn read_shifts(section: &Section<'_, '_>) -> Vec<ShiftRule> {
    let mut rules: Vec<ShiftRule> = Vec::new();
    for section in &section.sections("shift") {
        let Some(rule) = read_shift(section) else { continue };
        for other in &rules {
            let Some((from, to)) = rule.overlap(other) else { continue };
            let (from, to) = (clock(from), clock(to));
            let message = format!(
                "shift {} overlaps shift {} from {from} to {to}, and a capsule belongs to one shift; \
                 let each end where the next one starts",
                rule.name, other.name
            );
            section.report_at(section.line, message);
        }
        rules.push(rule);
    }
    rules
}

/// A local time, with seconds only where there are some.
fn clock(time: jiff::civil::Time) -> String {
    time.strftime(if time.second() == 0 { "%H:%M" } else { "%H:%M:%S" }).to_string()
}

/// A local time under a key.
fn read_time(
    section: &Section<'_, '_>,
    key: &'static str,
    wanted: &str,
) -> Option<jiff::civil::Time> {
    let found = section.text(key)?;
    if found.value.starts_with("24:00") {
        let message = format!("{key} = \"{}\": midnight is \"00:00\"", found.value);
        section.report_at(found.line, message);
        return None;
    }
    section.parsed(key, wanted).map(|at| at.value)
}

fn read_shift(section: &Section<'_, '_>) -> Option<ShiftRule> {
    let name = section.required_text("name", "\"A\"");
    section.require("start", "\"08:00\"");
    section.require("end", "\"20:00\"");
    let start = read_time(section, "start", "a local time such as 08:00");
    let end = read_time(section, "end", "a local time such as 20:00");
    section.finish();
    Some(ShiftRule { name: name?.value.into(), start: start?, end: end? })
}

/// `balance_low` and `balance_high`, in percent with up to three decimals.
fn read_balance(section: &Section<'_, '_>) -> Limits {
    let default = Limits::default();
    let read = |key, default| {
        let Some(at) = section.number(key) else { return default };
        let thousandths = (at.value * 1_000.0).round();
        if !(0.0..=1_000_000.0).contains(&thousandths) {
            let found = at.value;
            section
                .report_at(at.line, format!("{key} must be from 0 to 1000 percent, found {found}"));
            return default;
        }
        Ratio::new(thousandths as u128, 100_000).unwrap_or(default)
    };
    let (low, high) = (read("balance_low", default.low), read("balance_high", default.high));
    if low > high {
        section.report("balance_low", "balance_low is above balance_high; exchange them");
    }
    Limits { low, high }
}

fn check_address(section: &Section<'_, '_>, map: &PlcMap, address: &str, line: usize) {
    let (authority, example) = match map.protocol {
        Protocol::Modbus(_) => match wire::authority(address) {
            Some(authority) => (Some(authority), "192.168.1.10:502"),
            None => return,
        },
        Protocol::OpcUa(_) => {
            let rest = address.strip_prefix("opc.tcp://");
            (rest.map(|rest| rest.split('/').next().unwrap_or(rest)), "opc.tcp://192.168.1.14:4840")
        }
    };
    let fits =
        authority.and_then(|authority| authority.rsplit_once(':')).is_some_and(|(host, port)| {
            !host.is_empty()
                && !host.contains(['/', ' '])
                && port.parse::<u16>().is_ok_and(|port| port > 0)
        });
    if !fits {
        section.report_at(
            line,
            format!("address = \"{address}\" does not fit; write for instance \"{example}\""),
        );
    }
}
