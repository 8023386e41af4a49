//! The text of a map → [`PlcMap`]. Every mistake is noted and reading goes on, so that one run shows them all.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use toml::de::DeValue;

use super::document::{At, Document, Section, parse_duration_us};
use super::{
    Address, Encoding, Flow, Group, Kind, ModbusOptions, OpcUaOptions, Order, PlcMap, Problem,
    Protocol, Role, Table, Tag, Title,
};
use crate::line::counter::{self, Modulus, Resets};
use crate::line::state::State;
use crate::line::stop::Cause;
use crate::units::{Reason, StationId, TagId};

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
    order: Order,
    max_registers: u16,
    max_per_minute: u64,
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
    head.require("max_per_minute", "6500");
    let max_per_minute =
        head.integer("max_per_minute", 1, 10_000_000).map_or(6_500, |at| at.value as u64);
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
        max_registers: modbus.as_ref().map_or(125, |options| options.max_registers),
        max_per_minute,
        step,
        groups,
    };
    let tags = read_tags(root, &machine, &mut flow.capsules);
    root.finish();

    let protocol = match machine.modbus {
        true => Protocol::Modbus(modbus.unwrap_or_else(|| {
            root.require("modbus", "[modbus] with unit = 1");
            ModbusOptions { unit: 1, max_registers: 125, max_gap: 8, forbidden: Vec::new() }
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
    section.require(key, "{ en = \"Capsule filler\", zh = \"胶囊充填机\" }");
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

fn read_protocol(head: &Section<'_, '_>) -> Option<bool> {
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

fn read_order(section: &Section<'_, '_>, at: At<&str>) -> Option<Order> {
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

fn read_modbus(section: &Section<'_, '_>) -> ModbusOptions {
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

fn read_table(section: &Section<'_, '_>, at: At<&str>) -> Option<Table> {
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

fn read_opcua(section: &Section<'_, '_>) -> Option<OpcUaOptions> {
    let namespace = section.required_text("namespace", "\"urn:plant:line\"");
    section.finish();
    Some(OpcUaOptions { namespace: namespace?.value.into() })
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
    if groups.is_empty() {
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

fn read_tags(
    root: &Section<'_, '_>,
    machine: &Machine,
    capsules: &mut BTreeMap<u16, (u64, u64)>,
) -> Vec<Tag> {
    let mut sections = root.sections("tag");
    if sections.is_empty() {
        root.report_at(0, "no [[tag]]; a map needs at least one");
    }
    if sections.len() > usize::from(u16::MAX) {
        root.report_at(
            0,
            format!(
                "{} tags are too many; split the map in files of at most 65535",
                sections.len()
            ),
        );
        sections.truncate(usize::from(u16::MAX));
    }
    let mut tags: Vec<Tag> = Vec::new();
    let mut seen: HashMap<TagId, usize> = HashMap::new();
    for section in &mut sections {
        let per_count = read_per_count(section);
        let Some(tag) = read_tag(section, machine) else { continue };
        if let Some(per_count) = per_count {
            capsules.insert(tags.len() as u16, per_count);
        }
        if let Some(line) = seen.insert(tag.id.clone(), tag.line) {
            section.report(
                "id",
                format!("the name is already used at line {line}; give it another one"),
            );
        }
        if !may_repeat(&tag.role)
            && let Some(other) = tags.iter().find(|other| other.role == tag.role)
        {
            section.report(
                "role",
                format!("tag {} at line {} has this role already", other.id, other.line),
            );
        }
        tags.push(tag);
    }
    tags
}

/// Capsules that one count of a tag stands for, at least and at most.
fn read_per_count(section: &Section<'_, '_>) -> Option<(u64, u64)> {
    let least = section.integer("capsules_least", 0, 1_000_000).map(|at| at.value as u64);
    let most = section.integer("capsules_most", 1, 1_000_000).map(|at| at.value as u64);
    match (least, most) {
        (None, None) => None,
        (Some(least), Some(most)) if least <= most => Some((least, most)),
        _ => {
            let message = "needs capsules_least and capsules_most, the first not above the other";
            section.report("capsules_least", message);
            None
        }
    }
}

/// Whether several tags of a map may have this role.
fn may_repeat(role: &Role) -> bool {
    matches!(
        role,
        Role::Condition | Role::Void | Role::Weight | Role::WeightDeviation | Role::Odometer { .. }
    )
}

fn read_tag(section: &mut Section<'_, '_>, machine: &Machine) -> Option<Tag> {
    let id = section.required_text("id", "\"CF01.Good\"").and_then(|at| name(section, "id", at));
    section.place = format!("tag {}", id.unwrap_or("without a name"));
    let kind = section.required_text("type", "\"u32\"").and_then(|at| read_kind(section, at));
    let address = read_address(section, machine);
    let order =
        section.text("order").and_then(|at| read_order(section, at)).unwrap_or(machine.order);
    let role = read_role(section);
    let scale = section.number("scale").map_or(1.0, |at| at.value);
    let offset = section.number("offset").map_or(0.0, |at| at.value);
    let unit: Arc<str> = section.text("unit").map_or("", |at| at.value).into();
    let group = read_group(section, machine);
    let counter = match (&role, kind) {
        (Some(role), Some(kind)) if role.counts() => Some(read_counter(section, machine, kind)),
        _ => None,
    };
    if scale == 0.0 {
        section.report("scale", "scale = 0 makes every value 0; leave it out for 1");
    }
    section.finish();
    let (id, kind, address, role) = (id?, kind?, address?, role?);
    check_fit(section, machine, &address, kind, &role);
    let encoding = Encoding { kind, order };
    let (line, id) = (section.line, TagId::new(id));
    Some(Tag { id, line, address, encoding, role, scale, offset, unit, group: group?, counter })
}

fn read_kind(section: &Section<'_, '_>, at: At<&str>) -> Option<Kind> {
    let kind = match at.value {
        "bool" => Some(Kind::Bit(0)),
        "u16" => Some(Kind::Unsigned(16)),
        "u32" => Some(Kind::Unsigned(32)),
        "u64" => Some(Kind::Unsigned(64)),
        "i16" => Some(Kind::Signed(16)),
        "i32" => Some(Kind::Signed(32)),
        "i64" => Some(Kind::Signed(64)),
        "f32" => Some(Kind::Float(32)),
        "f64" => Some(Kind::Float(64)),
        "bcd16" => Some(Kind::Bcd(16)),
        "bcd32" => Some(Kind::Bcd(32)),
        other => match (other.strip_prefix("bit"), other.strip_prefix("text")) {
            (Some(n), _) => n.parse().ok().filter(|n| *n <= 15).map(Kind::Bit),
            (_, Some(n)) => n
                .parse()
                .ok()
                .filter(|n| (1..=250).contains(n))
                .map(|n: u16| Kind::Text(n.div_ceil(2))),
            _ => None,
        },
    };
    if kind.is_none() {
        let known = "bool, bit0 … bit15, u16, i16, u32, i32, u64, i64, f32, f64, bcd16, bcd32, text1 … text250";
        section.report_at(
            at.line,
            format!("type = \"{}\" is not known; use one of {known}", at.value),
        );
    }
    kind
}

fn read_address(section: &Section<'_, '_>, machine: &Machine) -> Option<Address> {
    let register = section.text("register");
    let node = section.text("node");
    if !machine.modbus {
        if let Some(at) = register {
            section
                .report_at(at.line, "register belongs to Modbus; an OPC UA tag has node = \"s=…\"");
        }
        section.require("node", "\"s=CW04.Mean\"");
        let node = node?;
        let known = ["s=", "i=", "g=", "b="].iter().any(|prefix| node.value.starts_with(prefix));
        if !known || node.value.len() < 3 {
            let way_out = "write the identifier with its kind, \"s=CW04.Mean\" or \"i=2258\"";
            section.report_at(
                node.line,
                format!("node = \"{}\" is no node id; {way_out}", node.value),
            );
            return None;
        }
        return Some(Address::Node(node.value.into()));
    }
    if let Some(at) = node {
        section.report_at(
            at.line,
            "node belongs to OPC UA; a Modbus tag has register = \"holding 13\"",
        );
    }
    section.require("register", "\"holding 13\"");
    let register = register?;
    let (table, first) = register.value.split_once(' ').unwrap_or((register.value, ""));
    let table = read_table(section, At { value: table, line: register.line });
    let Ok(first) = first.trim().parse::<u16>() else {
        let way_out = "write the table and the 0-based address, \"holding 13\"";
        section.report_at(
            register.line,
            format!("register = \"{}\" has no address; {way_out}", register.value),
        );
        return None;
    };
    Some(Address::Register { table: table?, first })
}

fn read_group(section: &Section<'_, '_>, machine: &Machine) -> Option<u16> {
    let Some(wanted) = section.text("group") else { return Some(0) };
    let position = machine.groups.iter().position(|group| *group.name == *wanted.value);
    if position.is_none() {
        let known: Vec<&str> = machine.groups.iter().map(|group| &*group.name).collect();
        let message = format!(
            "group = \"{}\" is not in [groups]; known are {}",
            wanted.value,
            known.join(", ")
        );
        section.report_at(wanted.line, message);
    }
    position.map(|i| i as u16)
}

fn read_role(section: &Section<'_, '_>) -> Option<Role> {
    let at = section.required_text("role", "\"good\"")?;
    if let Some(reason) = at.value.strip_prefix("reject:") {
        let fits = !reason.is_empty()
            && reason.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
        if fits {
            return Some(Role::Reject(Reason::new(reason)));
        }
        section.report_at(
            at.line,
            format!("\"{}\" needs a reason in snake case, such as reject:no_dose", at.value),
        );
        return None;
    }
    let role = match at.value {
        "infeed" => Role::Infeed,
        "good" => Role::Good,
        "sample" => Role::Sample,
        "void" => Role::Void,
        "state" => Role::State,
        "mode" => Role::Mode,
        "stop_reason" => Role::StopReason,
        "speed" => Role::Speed,
        "speed_setpoint" => Role::SpeedSetpoint,
        "heartbeat" => Role::Heartbeat,
        "uptime" => Role::Uptime,
        "batch_id" => Role::BatchId,
        "since_reset" => Role::SinceReset,
        "odometer" => {
            section.require("capsules", "50");
            Role::Odometer {
                capsules: section.integer("capsules", 1, 1_000_000).map_or(1, |at| at.value as u64),
            }
        }
        "weight" => Role::Weight,
        "weight_deviation" => Role::WeightDeviation,
        "sequence_head" => Role::SequenceHead,
        "sequence_tail" => Role::SequenceTail,
        "blocked" => Role::Blocked,
        "starved" => Role::Starved,
        "condition" => Role::Condition,
        other => {
            let known = "infeed, good, reject:<reason>, sample, void, state, mode, stop_reason, speed, speed_setpoint, \
                         heartbeat, uptime, batch_id, since_reset, odometer, weight, weight_deviation, sequence_head, \
                         sequence_tail, blocked, starved, condition";
            section
                .report_at(at.line, format!("role = \"{other}\" is not known; use one of {known}"));
            return None;
        }
    };
    Some(role)
}

/// Whether type, address and role go together.
fn check_fit(
    section: &Section<'_, '_>,
    machine: &Machine,
    address: &Address,
    kind: Kind,
    role: &Role,
) {
    let wants_text = matches!(role, Role::BatchId);
    let is_text = matches!(kind, Kind::Text(_));
    let is_float = matches!(kind, Kind::Float(_));
    let whole = role.counts()
        || matches!(role, Role::State | Role::Mode | Role::StopReason | Role::Odometer { .. });
    if is_text && !wants_text && *role != Role::Condition {
        section.report("type", "a text cannot have this role; use a number type, or role batch_id");
    }
    if whole && matches!(kind, Kind::Bit(_)) && role.counts() {
        section.report("type", "a single bit cannot count; use u16 or wider");
    }
    if is_float && matches!(role, Role::State | Role::Mode | Role::StopReason) {
        section.report("type", "a code must be a whole number; use u16, i16 or wider");
    }
    let Address::Register { table, first } = address else { return };
    let bits_table = matches!(table, Table::Coil | Table::Discrete);
    if bits_table && !matches!(kind, Kind::Bit(0)) {
        section.report("type", "coils and discrete inputs hold one bit; use type = \"bool\"");
    }
    let registers = kind.registers();
    if u32::from(*first) + u32::from(registers) > 65_536 {
        section.report("register", format!("{registers} registers from {first} go beyond 65535"));
    }
    if registers > machine.max_registers {
        let most = machine.max_registers;
        section.report("type", format!("{registers} registers do not fit in one request of at most {most}; a tag is never split"));
    }
}

fn read_counter(section: &Section<'_, '_>, machine: &Machine, kind: Kind) -> counter::Settings {
    let modulus = read_modulus(section, kind).unwrap_or_else(|| natural_modulus(kind));
    // The PackML text leaves open whether a count "rolls over at 2,147,483,647" before or after showing that value.
    let doubt = if modulus == Modulus::At(1 << 31) { 1 } else { 0 };
    counter::Settings {
        modulus,
        doubt: section.integer("modulus_doubt", 0, 1).map_or(doubt, |at| at.value as u64),
        max_per_minute: machine.max_per_minute,
        step: machine.step,
        lag_us: section.duration_us("refresh").map_or(0, |at| at.value),
        retentive: section.boolean("retentive").map(|at| at.value),
        resets: read_resets(section),
        ..counter::Settings::default()
    }
}

/// Where a register of this kind starts again if the map does not say.
fn natural_modulus(kind: Kind) -> Modulus {
    match kind {
        Kind::Unsigned(64) | Kind::Signed(64) => Modulus::Full64,
        Kind::Unsigned(bits) => Modulus::At(1 << bits),
        // A signed total is kept positive: it wraps where its sign bit would be set.
        Kind::Signed(bits) => Modulus::At(1 << (bits - 1)),
        Kind::Bcd(bits) => Modulus::At(10u64.pow(bits / 4)),
        Kind::Float(32) => Modulus::Float32,
        Kind::Float(_) | Kind::Bit(_) | Kind::Text(_) => Modulus::None,
    }
}

/// `modulus = "none"`, `"2^31"` or `100000`: where the counter starts again. None if the key is absent or wrong.
fn read_modulus(section: &Section<'_, '_>, kind: Kind) -> Option<Modulus> {
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
