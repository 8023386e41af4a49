//! What the PLCs show of the plant: registers and nodes of each machine, made from one list of its tags.
//!
//! The encoder is written from the Modbus specification (big-endian words, the most significant
//! word of a long value first, but for the polisher) and shares nothing with the service's decoder. If both used the
//! same code, a wrong word order would cancel out and every test would stay green.

use std::{borrow::Cow, ops::Range};

use serde::Serialize;

use crate::{model::Model, stops::State, trace::Table};

mod counter;
mod detector;
mod filler;
mod polisher;
mod weigher;

pub use filler::{FILLER_REGISTERS, address};
pub use weigher::SAMPLE_PLACES;

/// The value of a tag.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum NodeValue {
    /// Boolean.
    Bool(bool),
    /// Int16.
    I16(i16),
    /// UInt16.
    U16(u16),
    /// Int32.
    I32(i32),
    /// UInt32.
    U32(u32),
    /// UInt64.
    U64(u64),
    /// Float.
    F32(f32),
    /// String; 16 characters in registers.
    Text(String),
}

/// A tag with its value.
struct Point {
    /// Its name and node; empty for a register that no node shows.
    name: &'static str,
    /// Its first register, if it has some.
    at: Option<usize>,
    value: NodeValue,
}

impl Point {
    /// A value that is in registers and in a node.
    fn new(at: usize, name: &'static str, value: NodeValue) -> Point {
        Point { name, at: Some(at), value }
    }

    /// A value that only a node shows.
    fn node(name: &'static str, value: NodeValue) -> Point {
        Point { name, at: None, value }
    }

    /// A register that no node shows.
    fn register(at: usize, value: u16) -> Point {
        Point { name: "", at: Some(at), value: NodeValue::U16(value) }
    }
}

/// In which order the words of a long value lie.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Words {
    MostSignificantFirst,
    LeastSignificantFirst,
}

/// Holding registers of a unit, from address 0 on.
pub(crate) fn holding(model: &Model, unit: u8) -> Vec<u16> {
    let (points, n, words) = match unit {
        2 => (polisher::points(model), polisher::REGISTERS, Words::LeastSignificantFirst),
        4 => (weigher::points(model), weigher::REGISTERS, Words::MostSignificantFirst),
        5 => (counter::points(model), counter::REGISTERS, Words::MostSignificantFirst),
        unit => match filler_of(model, unit) {
            Some(nth) => {
                (filler::points(model, nth), FILLER_REGISTERS, Words::MostSignificantFirst)
            }
            None => return Vec::new(),
        },
    };
    image(&points, n, words)
}

/// Input registers of a unit, from address 0 on: only the detector has some.
pub(crate) fn input(model: &Model, unit: u8) -> Vec<u16> {
    match unit {
        3 => image(&detector::points(model), detector::REGISTERS, Words::MostSignificantFirst),
        _ => Vec::new(),
    }
}

/// The registers that a unit has: which kind, and their addresses. What lies before them does not exist.
pub(crate) fn range(unit: u8) -> (Table, Range<usize>) {
    match unit {
        2 => (Table::Holding, polisher::FIRST..polisher::REGISTERS),
        3 => (Table::Input, 0..detector::REGISTERS),
        4 => (Table::Holding, weigher::FIRST..weigher::REGISTERS),
        5 => (Table::Holding, counter::FIRST..counter::REGISTERS),
        _ => (Table::Holding, 0..FILLER_REGISTERS),
    }
}

/// The nodes of a unit.
pub(crate) fn nodes(model: &Model, unit: u8) -> Vec<(Cow<'static, str>, NodeValue)> {
    let points = match unit {
        2 => polisher::points(model),
        3 => detector::points(model),
        4 => weigher::points(model),
        5 => counter::points(model),
        unit => match filler_of(model, unit) {
            Some(nth) => filler::points(model, nth),
            None => Vec::new(),
        },
    };
    let points = points.into_iter().filter(|point| !point.name.is_empty());
    points.map(|point| (name_of(point.name, unit), point.value)).collect()
}

/// Position of the filler that has this unit.
fn filler_of(model: &Model, unit: u8) -> Option<usize> {
    let nth = match unit {
        1 => 0,
        12.. => usize::from(unit - 11),
        _ => return None,
    };
    (nth < model.views.len()).then_some(nth)
}

/// The tags of fillers beside the first have another station in front.
fn name_of(name: &'static str, unit: u8) -> Cow<'static, str> {
    match (unit, name.strip_prefix("CF01")) {
        (12.., Some(rest)) => format!("CF{:02}{rest}", unit - 10).into(),
        _ => name.into(),
    }
}

/// All registers of a machine.
fn image(points: &[Point], n: usize, words: Words) -> Vec<u16> {
    let mut registers = vec![0; n];
    for Point { at, value, .. } in points {
        let Some(at) = *at else { continue };
        match value {
            NodeValue::Bool(value) => registers[at] = u16::from(*value),
            NodeValue::I16(value) => put(&mut registers[at..], &value.to_be_bytes(), words),
            NodeValue::U16(value) => registers[at] = *value,
            NodeValue::I32(value) => put(&mut registers[at..], &value.to_be_bytes(), words),
            NodeValue::U32(value) => put(&mut registers[at..], &value.to_be_bytes(), words),
            NodeValue::U64(value) => put(&mut registers[at..], &value.to_be_bytes(), words),
            NodeValue::F32(value) => put(&mut registers[at..], &value.to_be_bytes(), words),
            // Two characters a register, filled up with zero bytes.
            NodeValue::Text(text) => {
                let mut bytes = [0; 16];
                for (byte, c) in bytes.iter_mut().zip(text.bytes()) {
                    *byte = c;
                }
                put(&mut registers[at..], &bytes, Words::MostSignificantFirst);
            }
        }
    }
    registers
}

/// Big-endian bytes into registers.
fn put(registers: &mut [u16], bytes: &[u8], words: Words) {
    let n = bytes.len() / 2;
    for (i, pair) in bytes.chunks_exact(2).enumerate() {
        let place = if words == Words::MostSignificantFirst { i } else { n - 1 - i };
        registers[place] = u16::from(pair[0]) << 8 | u16::from(pair[1]);
    }
}

/// 1 produce, 3 manual, 4 clean, 5 setup.
fn unit_mode(state: State) -> u16 {
    match state {
        State::Manual => 3,
        State::Cleaning => 4,
        State::Setup => 5,
        _ => 1,
    }
}
