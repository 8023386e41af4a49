//! One poll of one group under way: replies → readings.

use domain::plc_map::{Kind, PlcMap, encoding};
use domain::reading::{Quality, Reading, Value, status};
use domain::units::Moment;
use tokio::time::Instant;

use super::reader::Reply;
use crate::sources::plan::{Plan, Request};

/// A poll that is due, or under way.
pub(super) struct Job {
    due_us: i64,
    begun: Option<(Moment, Instant)>,
    replies: Vec<Reply>,
    /// How often it was read and torn.
    torn: u8,
}

/// What came of a poll when all its replies were there.
#[derive(Debug, PartialEq)]
pub(super) enum Finished {
    /// Readings.
    Taken { readings: Vec<Reading>, taken_at: Moment, round_trip_us: u32 },
    /// The sequence words disagreed; all requests are to be sent once more.
    Again,
    /// They disagreed each time.
    Torn,
}

impl Job {
    pub(super) fn new(due_us: i64) -> Job {
        Job { due_us, begun: None, replies: Vec::new(), torn: 0 }
    }

    /// The moment it was due.
    pub(super) fn due_us(&self) -> i64 {
        self.due_us
    }

    pub(super) fn has_begun(&self) -> bool {
        self.begun.is_some()
    }

    /// The first request is about to be sent.
    pub(super) fn begin(&mut self, now: Moment) {
        self.begun = Some((now, Instant::now()));
    }

    /// Position of the request to be sent next.
    pub(super) fn at(&self) -> usize {
        self.replies.len()
    }

    pub(super) fn take(&mut self, reply: Reply) {
        self.replies.push(reply);
    }

    /// Judges and decodes; to be called when there is a reply to each request. `reads` is how often a block may be
    /// read until it is whole.
    pub(super) fn finish(&mut self, map: &PlcMap, plan: &Plan, reads: u8, now: Moment) -> Finished {
        let readings = readings(map, plan, &self.replies);
        if torn(plan, &readings) {
            if self.torn + 1 >= reads {
                return Finished::Torn;
            }
            *self = Job { torn: self.torn + 1, ..Job::new(self.due_us) };
            // The next read has moments of its own, but it is the same poll and is not late again.
            self.begin(now);
            return Finished::Again;
        }
        let (began, instant) = self.begun.unwrap_or((now, Instant::now()));
        let round_trip_us = u32::try_from(instant.elapsed().as_micros()).unwrap_or(u32::MAX);
        Finished::Taken { readings, taken_at: began.midway(now), round_trip_us }
    }
}

/// All values of the poll, in the order of the map.
fn readings(map: &PlcMap, plan: &Plan, replies: &[Reply]) -> Vec<Reading> {
    let n = plan.requests.iter().map(|request| request.tags.len()).sum();
    let mut readings = Vec::with_capacity(n);
    for (request, reply) in plan.requests.iter().zip(replies) {
        readings.extend(of_request(map, request, reply));
    }
    readings.sort_by_key(|reading| reading.tag);
    readings
}

fn of_request<'a>(
    map: &'a PlcMap,
    request: &'a Request,
    reply: &'a Reply,
) -> impl Iterator<Item = Reading> + 'a {
    request.tags.iter().map(move |&(tag, offset)| {
        let encoding = map.tags[usize::from(tag)].encoding;
        let value = match reply {
            Reply::Bits(bits) => bits.get(offset).copied().map(Value::Bool),
            Reply::Words(words) => words
                .get(offset..offset + usize::from(encoding.kind.registers()))
                .and_then(|words| encoding::decode(words, encoding).ok()),
        };
        reading(tag, value, encoding.kind)
    })
}

/// A value that is no number, or could not be decoded, is bad; the rest of the poll is as good as ever.
fn reading(tag: u16, value: Option<Value>, kind: Kind) -> Reading {
    let status = match &value {
        None => status::UNDECODABLE,
        Some(Value::Float(x)) if !x.is_finite() => status::NO_NUMBER,
        Some(_) => 0,
    };
    Reading {
        tag,
        value: value.unwrap_or(match kind {
            Kind::Text(_) => Value::Text("".into()),
            _ => Value::Unsigned(0),
        }),
        quality: if status == 0 { Quality::Good } else { Quality::Bad },
        status,
        source_us: None,
    }
}

fn torn(plan: &Plan, readings: &[Reading]) -> bool {
    let value = |tag: u16| readings.iter().find(|r| r.tag == tag).map(|r| &r.value);
    plan.sequences.iter().any(|&(head, tail)| value(head) != value(tail))
}
