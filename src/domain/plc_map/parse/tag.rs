//! One `[[tag]]`: where a value is, how it is written there and what it means.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use super::super::document::{At, Section};
use super::super::word::KINDS;
use super::super::{Address, Encoding, Kind, Role, Table, Tag};
use super::counter::read_counter;
use super::protocol::{read_order, read_table};
use super::{Machine, name, odometer};
use crate::line::counter::Modulus;
use crate::line::weight::{Part, Series};
use crate::units::{Reason, TagId};

/// Keys that are only asked for where type and role are known.
const OF_SOME_TAGS: [&str; 11] = [
    "count",
    "stride",
    "modulus",
    "modulus_doubt",
    "max_per_minute",
    "step",
    "refresh",
    "resets",
    "retentive",
    "odometer",
    "capsules",
];

pub(super) fn read_tags(
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
    let mut linked = Vec::new();
    let mut given_up = HashSet::new();
    for section in &mut sections {
        let per_count = read_per_count(section);
        let repeat = read_repeat(section);
        let Some(tag) = read_tag(section, machine) else {
            given_up.extend(section.plain("id").map(|id| id.value));
            continue;
        };
        if let Some(repeat) = repeat {
            tags.extend(repeated(section, &tag, repeat, &mut seen));
            continue;
        }
        let array = read_array(section, machine, &tag);
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
        if tag.role.counts() && section.has("odometer") {
            linked.push((&*section, tags.len()));
        }
        match array {
            Some(array) => tags.extend(elements(&tag, array, tags.len() as u16)),
            None => tags.push(tag),
        }
        section.finish();
    }
    if tags.len() > usize::from(u16::MAX) {
        root.report_at(0, "more than 65535 tags with the elements of arrays; split the map");
        tags.truncate(usize::from(u16::MAX));
    }
    odometer::join(&linked, &given_up, &mut tags);
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

/// How often a tag stands in a row, and how many registers lie from one to the next.
#[derive(Clone, Copy)]
struct Repeat {
    n: u16,
    stride: u16,
}

fn read_repeat(section: &Section<'_, '_>) -> Option<Repeat> {
    let n = section.integer("repeat", 2, 1_000)?.value as u16;
    let stride = section.integer("stride", 1, 1_000).map_or(0, |at| at.value as u16);
    Some(Repeat { n, stride })
}

/// One tag for each place, numbered from 0 between the empty brackets of its name and of its node.
fn repeated(
    section: &Section<'_, '_>,
    tag: &Tag,
    Repeat { n, stride }: Repeat,
    seen: &mut HashMap<TagId, usize>,
) -> Vec<Tag> {
    if !tag.id.as_str().contains("[]") {
        section.report("id", "a repeated tag needs [] in its name, which becomes [0], [1], …");
        return Vec::new();
    }
    if !matches!(tag.role, Role::Published(..) | Role::Condition) {
        section.report("repeat", "only a condition or a part of a sample can be repeated");
    }
    let mut tags = Vec::with_capacity(usize::from(n));
    for i in 0..n {
        let place = |text: &str| text.replacen("[]", &format!("[{i}]"), 1);
        let address = match &tag.address {
            Address::Node(node) => Address::Node(place(node).into()),
            Address::Part { node, part } => {
                Address::Part { node: place(node).into(), part: part.clone() }
            }
            Address::Register { table, first } => {
                let stride = if stride == 0 { tag.encoding.kind.registers() } else { stride };
                let Some(first) = stride.checked_mul(i).and_then(|by| first.checked_add(by)) else {
                    section.report("repeat", format!("place {i} lies beyond register 65535"));
                    return Vec::new();
                };
                Address::Register { table: *table, first }
            }
        };
        let id = TagId::new(place(tag.id.as_str()));
        if let Some(line) = seen.insert(id.clone(), tag.line) {
            section.report("id", format!("the name {id} is already used at line {line}"));
        }
        tags.push(Tag { id, address, ..tag.clone() });
    }
    tags
}

/// Whether several tags of a map may have this role.
fn may_repeat(role: &Role) -> bool {
    matches!(
        role,
        Role::Condition
            | Role::Void
            | Role::Weight
            | Role::WeightDeviation
            | Role::Odometer { .. }
            | Role::Published(_, Part::Bore | Part::Weight)
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
    let role = role.map(|role| odometer::complete(section, role, kind));
    if scale == 0.0 {
        section.report("scale", "scale = 0 makes every value 0; leave it out for 1");
    }
    let words = Arc::new(read_words(section));
    if order.is_of_64_bits() && kind.is_some_and(|kind| kind.bits() != 64) {
        section.report("order", "this order is one of 64 bits; use ABCD, CDAB, BADC or DCBA");
    }
    if id.is_none() || kind.is_none() || address.is_none() || role.is_none() {
        // One mistake is told once: no key is unknown that a tag of another type or role may have.
        for key in OF_SOME_TAGS {
            section.has(key);
        }
        section.finish();
    }
    let (id, kind, address, role) = (id?, kind?, address?, role?);
    check_fit(section, machine, &address, kind, &role);
    let encoding = Encoding { kind, order };
    let (line, id) = (section.line, TagId::new(id));
    let group = group?;
    Some(Tag {
        id,
        line,
        address,
        encoding,
        role,
        scale,
        offset,
        unit,
        words,
        array: None,
        group,
        counter,
        odometer: None,
    })
}

/// How an array lies: so many elements, each so many registers or bits after the one before.
#[derive(Clone, Copy)]
struct Array {
    count: u16,
    stride: u16,
}

/// `count` and `stride`, checked against what one request can fetch.
fn read_array(section: &Section<'_, '_>, machine: &Machine, tag: &Tag) -> Option<Array> {
    let width = tag.encoding.kind.registers();
    let stride = section.integer("stride", i64::from(width), 1_000).map(|at| at.value as u16);
    let Some(count) = section.integer("count", 2, 2_000) else {
        if stride.is_some() && !section.has("count") {
            section.report("stride", "stride belongs to an array; add count, or leave it out");
        }
        return None;
    };
    let array = Array { count: count.value as u16, stride: stride.unwrap_or(width) };
    let Address::Register { table, first } = tag.address else {
        section.report("count", "an array of OPC UA nodes has one tag for each node");
        return None;
    };
    if !may_repeat(&tag.role) || tag.role.counts() || matches!(tag.role, Role::Odometer { .. }) {
        section.report("count", "an array cannot have this role; use role = \"condition\"");
        return None;
    }
    let wide = u32::from(array.count - 1) * u32::from(array.stride) + u32::from(width);
    let most = u32::from(if table.is_of_bits() { machine.max_bits } else { machine.max_registers });
    if wide > most {
        let message = format!(
            "{wide} values in a row do not fit in one request of at most {most}; split the array"
        );
        section.report("count", message);
        return None;
    }
    if u32::from(first) + wide > 65_536 {
        section.report("count", format!("{wide} values from {first} go beyond 65535"));
        return None;
    }
    Some(array)
}

/// The elements as tags: `CW04.Sample[0]`, `CW04.Sample[1]`, …
fn elements(tag: &Tag, array: Array, at: u16) -> Vec<Tag> {
    let element = |i: u16| {
        let address = match tag.address {
            Address::Register { table, first } => {
                Address::Register { table, first: first.saturating_add(i * array.stride) }
            }
            ref other => other.clone(),
        };
        let id = TagId::new(format!("{}[{i}]", tag.id));
        Tag { id, address, array: Some(at), ..tag.clone() }
    };
    (0..array.count).map(element).collect()
}

/// `words = { 0 = "closed", 1 = "open" }`: what the values of an enumeration are called.
fn read_words(section: &Section<'_, '_>) -> BTreeMap<i64, Arc<str>> {
    let Some(table) = section.section("words") else { return BTreeMap::new() };
    let mut words = BTreeMap::new();
    for (code, line, value) in table.entries() {
        match (code.parse(), value.as_str()) {
            (Ok(code), Some(word)) => drop(words.insert(code, word.into())),
            _ => section.report_at(
                line,
                format!("words need a number and a text, such as 3 = \"open\"; found {code}"),
            ),
        }
    }
    words
}

fn read_kind(section: &Section<'_, '_>, at: At<&str>) -> Option<Kind> {
    let kind = Kind::from_word(at.value);
    if kind.is_none() {
        section.report_at(
            at.line,
            format!("type = \"{}\" is not known; use one of {KINDS}", at.value),
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
        let Some(part) = section.text("part") else {
            return (!section.has("part")).then(|| Address::Node(node.value.into()));
        };
        if let Ok(part) = part.value.parse() {
            return Some(Address::Part { node: node.value.into(), part });
        }
        let found = part.value;
        section.report_at(
            part.line,
            format!("part = \"{found}\" is no part of a value; write \"[3]\" for an element, \"Counters.Good\" for a field"),
        );
        return None;
    }
    if section.has("part") {
        section
            .report("part", "part belongs to OPC UA; a Modbus tag has an address for each value");
    }
    if let Some(at) = node {
        section.report_at(
            at.line,
            "node belongs to OPC UA; a Modbus tag has register = \"holding 13\"",
        );
    }
    section.require("register", "\"holding 13\"");
    let register = register?;
    if let Some((table, first)) = of_vendor(register.value) {
        section.report_at(
            register.line,
            format!(
                "register = \"{}\" is the 1-based address of a vendor's list; write \"{} {first}\"",
                register.value,
                table.word()
            ),
        );
        return None;
    }
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

/// Table and 0-based address of what vendors write as `40014` or `400014`: a digit for the table, and then the register
/// counted from 1.
fn of_vendor(text: &str) -> Option<(Table, u16)> {
    let is_plain = matches!(text.len(), 5 | 6) && text.bytes().all(|b| b.is_ascii_digit());
    let table = match text.as_bytes().first()? {
        b'0' => Table::Coil,
        b'1' => Table::Discrete,
        b'3' => Table::Input,
        b'4' => Table::Holding,
        _ => return None,
    };
    let number = text.get(1..).filter(|_| is_plain)?.parse::<u32>().ok()?;
    Some((table, u16::try_from(number.checked_sub(1)?).ok()?))
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
    if let Some((series, part)) = at.value.split_once(':') {
        return read_published(section, at, series, part);
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
            let capsules = section.integer("capsules", 1, 1_000_000);
            Role::Odometer {
                capsules: capsules.map_or(1, |at| at.value as u64),
                modulus: Modulus::None,
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
                         sequence_tail, blocked, starved, condition, sample:<part>, interval:<part>";
            section
                .report_at(at.line, format!("role = \"{other}\" is not known; use one of {known}"));
            return None;
        }
    };
    Some(role)
}

/// `sample:weight`, `interval:mean` and their like.
fn read_published(
    section: &Section<'_, '_>,
    at: At<&str>,
    series: &str,
    part: &str,
) -> Option<Role> {
    let found = Series::from_word(series).and_then(|series| {
        let part = Part::of(series).iter().find(|known| known.word() == part)?;
        Some(Role::Published(series, *part))
    });
    if found.is_none() {
        let words = |series: Series| {
            Part::of(series).iter().map(move |part| format!("{}:{}", series.word(), part.word()))
        };
        let known = Series::ALL.into_iter().flat_map(words).collect::<Vec<_>>().join(", ");
        let message =
            format!("role = \"{}\" is not known; use reject:<reason> or one of {known}", at.value);
        section.report_at(at.line, message);
    }
    found
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
        || matches!(role, Role::State | Role::Mode | Role::StopReason | Role::Odometer { .. })
        || matches!(role, Role::Published(_, part) if part.is_whole());
    if is_text && !wants_text && *role != Role::Condition {
        section.report("type", "a text cannot have this role; use a number type, or role batch_id");
    }
    if whole && matches!(kind, Kind::Bit(_) | Kind::Field(..)) && role.counts() {
        section.report("type", "bits of a register cannot count; use u16 or wider");
    }
    let is_code = matches!(role, Role::State | Role::Mode | Role::StopReason);
    if is_float && (is_code || matches!(role, Role::Published(_, part) if part.is_whole())) {
        section.report("type", "a code must be a whole number; use u16, i16 or wider");
    }
    let Address::Register { table, first } = address else {
        if matches!(kind, Kind::Field(..)) {
            section.report(
                "type",
                "bits of a register belong to Modbus; an OPC UA node has a value of its own",
            );
        }
        return;
    };
    if table.is_of_bits() && !matches!(kind, Kind::Bit(0)) {
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
