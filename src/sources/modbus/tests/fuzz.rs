//! Bytes that no device should send: the client must not panic, and what it takes must have the shape of what was asked.
//!
//! Runs for two seconds for each framing; `CAPLINE_FUZZ_SECONDS` gives it more. What once failed is kept in
//! `tests/cases/fuzz/modbus`: a file a case, each line hexadecimal, for replies to the request of [`asked`].

use std::time::Instant;

use domain::plc_map::Table;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, TestRunner};

use super::*;
use crate::config::Wire;
use crate::sources::modbus::reader::{Reader, Reply};
use crate::sources::modbus::track::{Framing, Track};
use crate::sources::plan::Request;

fn asked() -> Request {
    Request { table: Table::Holding, first: 5, count: 2, tags: Vec::new() }
}

/// What the client makes of these bytes as the answer to [`asked`]; it is the only one to count on.
async fn answer_to(framing: Framing, bytes: &[u8]) -> Option<Vec<u16>> {
    let (near, mut far) = tokio::io::duplex(4_096);
    let track = Track::new(Wire::tcp("nowhere"));
    let mut reader = Reader::over(Box::new(near), framing, track, 1);
    far.write_all(bytes).await.ok()?;
    far.shutdown().await.ok()?;
    match reader.read(&asked(), Duration::from_millis(50)).await {
        Ok(Reply::Words(words)) => Some(words),
        Ok(Reply::Bits(bits)) => panic!("{} bits were not asked for", bits.len()),
        Err(_) => None,
    }
}

/// A right answer, cut, grafted and repeated, or plain noise.
fn bytes(framing: Framing) -> impl Strategy<Value = Vec<u8>> {
    let right = match framing {
        Framing::Tcp => vec![0, 0, 0, 0, 0, 7, 1, 3, 4, 0, 5, 0, 6],
        Framing::Rtu => vec![1, 3, 4, 0, 5, 0, 6, 0x6A, 0x30],
    };
    let grafted =
        (0..right.len(), 0..right.len(), prop::collection::vec(any::<u8>(), 0..6), 0..3_usize)
            .prop_map(move |(a, b, graft, more)| {
                let (a, b) = (a.min(b), a.max(b));
                let mut bytes = [&right[..a], &graft, &right[b..]].concat();
                bytes.extend(std::iter::repeat_n(right.clone(), more).flatten());
                bytes
            });
    prop_oneof![3 => grafted, 1 => prop::collection::vec(any::<u8>(), 0..300)]
}

/// Whether the frame is one that answers the request, judged without the library.
fn fits(framing: Framing, bytes: &[u8]) -> bool {
    match framing {
        // Transaction, protocol, length and unit, then function and number of bytes.
        Framing::Tcp => bytes.starts_with(&[0, 0, 0, 0, 0, 7, 1, 3, 4]),
        // The library looks for a frame behind noise; only what is right in it counts.
        Framing::Rtu => bytes
            .windows(9)
            .any(|frame| frame.starts_with(&[1, 3, 4]) && rtu::crc(&frame[..7])[..] == frame[7..]),
    }
}

async fn fuzz(framing: Framing) {
    let end = Instant::now() + crate::sources::tests::fuzz_time();
    let mut runner = TestRunner::new(Config::default());
    let strategy = bytes(framing);
    let (mut n, mut taken) = (0, 0);
    while Instant::now() < end {
        let bytes = strategy.new_tree(&mut runner).unwrap().current();
        n += 1;
        if let Some(words) = answer_to(framing, &bytes).await {
            taken += 1;
            assert_eq!(words.len(), 2, "{bytes:02x?}");
            assert!(fits(framing, &bytes), "{framing:?} took {bytes:02x?}");
        }
    }
    assert!(n > 50 && taken > 0, "{taken} of {n} were answers");
}

/// Shows: EVI-07
#[tokio::test]
async fn no_bytes_of_modbus_tcp_panic_the_client_or_pass_for_an_answer() {
    fuzz(Framing::Tcp).await;
}

/// Shows: EVI-07
#[tokio::test]
async fn no_bytes_of_rtu_panic_the_client_or_pass_for_an_answer() {
    fuzz(Framing::Rtu).await;
}

#[tokio::test]
async fn kept_cases_are_no_answers() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/cases/fuzz/modbus");
    let mut n = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let text = std::fs::read_to_string(entry.unwrap().path()).unwrap();
        for line in text.lines().filter(|line| !line.starts_with('#') && !line.is_empty()) {
            let bytes: Vec<u8> =
                line.split_whitespace().map(|byte| u8::from_str_radix(byte, 16).unwrap()).collect();
            for framing in [Framing::Tcp, Framing::Rtu] {
                assert_eq!(answer_to(framing, &bytes).await, None, "{framing:?}: {line}");
                n += 1;
            }
        }
    }
    assert!(n >= 20, "{n} cases");
}
