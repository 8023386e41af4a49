//! Tags of a group → the fewest requests that fetch them. Pure: no socket, no clock.
//!
//! A tag is never split over two requests, because its words would then be of two moments: a 32-bit counter read
//! in halves jumps by 65,536 whenever it carries between them.

use std::ops::Range;

use domain::plc_map::{
    Address, Group, Kind, MAX_BITS, MAX_REGISTERS, ModbusOptions, PlcMap, Role, Table, Tag,
};

/// One read: a run of registers or bits of one table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// Which table, and with it the function code.
    pub table: Table,
    /// First register or bit.
    pub first: u16,
    /// How many.
    pub count: u16,
    /// Position of each tag in the map and where its value begins in the reply.
    pub tags: Vec<(u16, usize)>,
}

impl Request {
    /// The same read, of which nothing is decoded.
    pub(super) fn without_tags(&self) -> Request {
        Request { tags: Vec::new(), ..*self }
    }
}

/// Everything that one poll of a group does.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Plan {
    /// The reads, in the order in which they are sent.
    pub requests: Vec<Request>,
    /// Sequence words (head, tail) that must agree, as positions in the map.
    pub sequences: Vec<(u16, u16)>,
}

/// A tag that no request can fetch. All of them are mistakes in the map.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// An OPC UA node in a map that is read over Modbus, or the other way round.
    #[error("{file}: tag {tag}: its address does not belong to the protocol of the map")]
    Address {
        /// Name of the map's file.
        file: String,
        /// Name of the tag.
        tag: String,
    },
    /// The value is longer than the longest request.
    #[error(
        "{file}: tag {tag}: takes {wide} registers but a request may have {max}; raise max_registers"
    )]
    TooWide {
        /// Name of the map's file.
        file: String,
        /// Name of the tag.
        tag: String,
        /// Registers of the value.
        wide: u32,
        /// Most in one request.
        max: u32,
    },
    /// The value lies in a range that must not be read, or beyond the last register.
    #[error(
        "{file}: tag {tag}: lies in a forbidden range or beyond register 65535; move one of them"
    )]
    Forbidden {
        /// Name of the map's file.
        file: String,
        /// Name of the tag.
        tag: String,
    },
    /// A coil or discrete input with the type of a register.
    #[error("{file}: tag {tag}: a {table:?} holds one bit; use type bool")]
    NotABit {
        /// Name of the map's file.
        file: String,
        /// Name of the tag.
        tag: String,
        /// Its table.
        table: Table,
    },
    /// A sequence head without a tail in its group, or a tail without a head.
    #[error(
        "{file}: group {group}: {heads} sequence heads and {tails} tails; each needs the other"
    )]
    Unpaired {
        /// Name of the map's file.
        file: String,
        /// Name of the group.
        group: String,
        /// Heads found.
        heads: usize,
        /// Tails found.
        tails: usize,
    },
}

/// What must be fetched together: a tag, or an array with all its elements.
struct Span {
    table: Table,
    /// In `u32`, so that an end beyond the last register is an error and not a wrap.
    range: Range<u32>,
    /// Each tag and where it begins.
    tags: Vec<(u16, u32)>,
}

/// Plans one poll of the group at position `group`.
///
/// Walks the tags by table and address and starts a new request only when it must: greedy is optimal here, since
/// the leftmost tag that is not yet covered has to begin a request anyway.
///
/// # Errors
/// The first tag that no request can fetch.
pub fn plan(map: &PlcMap, options: &ModbusOptions, group: u16) -> Result<Plan, PlanError> {
    let mut spans: Vec<Span> = Vec::new();
    let mut array = None;
    for (at, tag) in tags_of(map, group) {
        let span = span(map, options, at, tag)?;
        match spans.last_mut() {
            // Elements follow each other in the map.
            Some(last) if tag.array.is_some() && tag.array == array => {
                last.range.end = last.range.end.max(span.range.end);
                last.tags.extend(span.tags);
                check_bounds(map, options, last, tag)?;
            }
            _ => spans.push(span),
        }
        array = tag.array;
    }
    spans.sort_by_key(|span| (span.table, span.range.start, span.range.end));

    let mut requests: Vec<Request> = Vec::new();
    for span in spans {
        match requests.last_mut() {
            Some(last) if joins(last, &span, options) => {
                let end = (u32::from(last.first) + u32::from(last.count)).max(span.range.end);
                last.count = (end - u32::from(last.first)) as u16;
                last.tags.extend(offsets(&span, last.first));
            }
            _ => requests.push(Request {
                table: span.table,
                first: span.range.start as u16,
                count: span.range.len() as u16,
                tags: offsets(&span, span.range.start as u16).collect(),
            }),
        }
    }
    Ok(Plan { requests, sequences: sequences(map, group)? })
}

/// Which of at most `connections` connections each group takes, by the load of each group in requests a second.
///
/// The first group, the fastest, has the first connection to itself as soon as there are two; the others go where the
/// load is least, the heaviest first.
pub(super) fn spread(loads: &[f64], connections: u8) -> Vec<usize> {
    let n = usize::from(connections.max(1)).min(loads.len().max(1));
    let mut taken = vec![0; loads.len()];
    let mut sums = vec![0.0; n];
    if n == 1 {
        return taken;
    }
    let mut others: Vec<usize> = (1..loads.len()).collect();
    others.sort_by(|&a, &b| loads[b].total_cmp(&loads[a]));
    for group in others {
        let least = (1..n).min_by(|&a, &b| f64::total_cmp(&sums[a], &sums[b])).unwrap_or(0);
        sums[least] += loads[group];
        taken[group] = least;
    }
    taken
}

/// The tags of a group with their positions in the map.
pub fn tags_of(map: &PlcMap, group: u16) -> impl Iterator<Item = (u16, &Tag)> {
    map.tags
        .iter()
        .enumerate()
        .filter(move |(_, tag)| tag.group == group)
        .map(|(i, t)| (i as u16, t))
}

/// Where the tags of a span begin in the reply to a request from `first`.
fn offsets(span: &Span, first: u16) -> impl Iterator<Item = (u16, usize)> {
    span.tags.iter().map(move |&(tag, start)| (tag, (start - u32::from(first)) as usize))
}

/// Most registers, or bits, in one request of this table.
fn most(table: Table, options: &ModbusOptions) -> u32 {
    u32::from(match table.is_of_bits() {
        true => options.max_bits.clamp(1, MAX_BITS),
        false => options.max_registers.clamp(1, MAX_REGISTERS),
    })
}

/// Widest gap that is read along.
fn gap(table: Table, options: &ModbusOptions) -> u32 {
    match table {
        Table::Coil | Table::Discrete => u32::from(options.max_gap) * 16,
        Table::Holding | Table::Input => u32::from(options.max_gap),
    }
}

/// Whether any register of `range` must not be read.
fn forbidden(table: Table, range: &Range<u32>, options: &ModbusOptions) -> bool {
    options.forbidden.iter().any(|&(t, first, last)| {
        t == table && u32::from(first) < range.end && range.start <= u32::from(last)
    })
}

fn span(map: &PlcMap, options: &ModbusOptions, at: u16, tag: &Tag) -> Result<Span, PlanError> {
    let (file, name) = (map.file.clone(), tag.id.to_string());
    let Address::Register { table, first } = tag.address else {
        return Err(PlanError::Address { file, tag: name });
    };
    if table.is_of_bits() && !matches!(tag.encoding.kind, Kind::Bit(_)) {
        return Err(PlanError::NotABit { file, tag: name, table });
    }
    let start = u32::from(first);
    let range = start..start + u32::from(tag.encoding.kind.registers());
    let span = Span { table, range, tags: vec![(at, start)] };
    check_bounds(map, options, &span, tag)?;
    Ok(span)
}

/// Whether one request can fetch it at all.
fn check_bounds(
    map: &PlcMap,
    options: &ModbusOptions,
    span: &Span,
    tag: &Tag,
) -> Result<(), PlanError> {
    let (file, name) = (map.file.clone(), tag.id.to_string());
    let (wide, max) = (span.range.end - span.range.start, most(span.table, options));
    if wide > max {
        return Err(PlanError::TooWide { file, tag: name, wide, max });
    }
    if span.range.end > 0x1_0000 || forbidden(span.table, &span.range, options) {
        return Err(PlanError::Forbidden { file, tag: name });
    }
    Ok(())
}

/// Whether `span` can be read along with `request`, which begins no later.
fn joins(request: &Request, span: &Span, options: &ModbusOptions) -> bool {
    let start = u32::from(request.first);
    let end = start + u32::from(request.count);
    let whole = start..end.max(span.range.end);
    // Tags in the same registers are one request even where each tag has its own.
    let shared = !options.separate || (start == span.range.start && end == span.range.end);
    shared
        && request.table == span.table
        && span.range.start.saturating_sub(end) <= gap(span.table, options)
        && whole.end - whole.start <= most(span.table, options)
        && !forbidden(span.table, &whole, options)
}

/// Heads and tails of the group, paired in the order of the map.
fn sequences(map: &PlcMap, group: u16) -> Result<Vec<(u16, u16)>, PlanError> {
    let with = |role: Role| -> Vec<u16> {
        tags_of(map, group).filter(|(_, tag)| tag.role == role).map(|(at, _)| at).collect()
    };
    let (heads, tails) = (with(Role::SequenceHead), with(Role::SequenceTail));
    if heads.len() != tails.len() {
        return Err(PlanError::Unpaired {
            file: map.file.clone(),
            group: map.groups.get(usize::from(group)).map_or("", name_of).to_owned(),
            heads: heads.len(),
            tails: tails.len(),
        });
    }
    Ok(heads.into_iter().zip(tails).collect())
}

fn name_of(group: &Group) -> &str {
    &group.name
}

#[cfg(test)]
mod tests;
