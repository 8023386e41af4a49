//! Nothing but reads went over the wire while the integration tests ran.
//!
//! `tests/it` reads off each connection of the service to simulated and foreign machines what was asked, and this target,
//! which cargo runs after it, judges the record. What is secured cannot be read: there the argument are the types of the
//! two clients, which lock up the libraries in one file each and offer reads only; `tests/it/layers.rs` keeps that. Demos
//! and the browser tests, which bring their machines along in the same process, are not recorded.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;

use record::{Asked, Listener, Speech};

#[allow(dead_code, reason = "the recorder of tests/it uses the rest")]
#[path = "it/wire/record.rs"]
mod record;

/// Modbus functions that only read: coils, discrete inputs, holding and input registers.
const READS: [u8; 4] = [1, 2, 3, 4];

/// OPC UA services that look, listen and keep a session. Source: OPC 10000-6, the encoding ids of its NodeIds file.
const LOOKS: [(u32, &str); 18] = [
    (422, "FindServers"),
    (428, "GetEndpoints"),
    (446, "OpenSecureChannel"),
    (452, "CloseSecureChannel"),
    (461, "CreateSession"),
    (467, "ActivateSession"),
    (473, "CloseSession"),
    (527, "Browse"),
    (533, "BrowseNext"),
    (554, "TranslateBrowsePathsToNodeIds"),
    (631, "Read"),
    (751, "CreateMonitoredItems"),
    (781, "DeleteMonitoredItems"),
    (787, "CreateSubscription"),
    (799, "SetPublishingMode"),
    (826, "Publish"),
    (832, "Republish"),
    (847, "DeleteSubscriptions"),
];

/// Whether a request can change nothing. What cannot be read is not judged: there the types of the client are the
/// argument.
fn only_reads(asked: Asked) -> bool {
    match asked {
        Asked::Modbus(function) => READS.contains(&function),
        Asked::OpcUa(id) => LOOKS.iter().any(|(known, _)| *known == id),
        Asked::Encrypted => true,
        Asked::Unreadable => false,
    }
}

/// A line of the record: what was asked, and how often.
fn parse(line: &str) -> Option<(Asked, u64)> {
    let mut words = line.split(' ');
    let (kind, code, n) = (words.next()?, words.next()?, words.next()?);
    let asked = match kind {
        "modbus" => Asked::Modbus(code.parse().ok()?),
        "opcua" => Asked::OpcUa(code.parse().ok()?),
        "encrypted" => Asked::Encrypted,
        _ => Asked::Unreadable,
    };
    Some((asked, n.parse().ok()?))
}

/// All that was recorded, summed up.
fn recorded(folder: &Path) -> BTreeMap<Asked, u64> {
    let mut sum = BTreeMap::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let text = std::fs::read_to_string(entry.path()).unwrap_or_default();
        for (asked, n) in text.lines().filter_map(parse) {
            *sum.entry(asked).or_default() += n;
        }
    }
    sum
}

/// What of a record is no read.
fn forbidden(record: &BTreeMap<Asked, u64>) -> Vec<Asked> {
    record.keys().copied().filter(|asked| !only_reads(*asked)).collect()
}

/// Says something to a person: the test harness keeps what `eprintln!` says of a test that passes.
fn say(line: &str) {
    // A closed stderr is no reason to fail.
    let _ = writeln!(std::io::stderr(), "{line}");
}

/// Shows: ACQ-01
#[test]
fn only_reads_were_seen() {
    let folder = record::folder();
    let record = recorded(&folder);
    let of = |pick: fn(&Asked) -> bool| -> u64 {
        record.iter().filter(|(asked, _)| pick(asked)).map(|(_, n)| n).sum()
    };
    let modbus = of(|asked| matches!(asked, Asked::Modbus(_)));
    let opcua = of(|asked| matches!(asked, Asked::OpcUa(_)));
    let encrypted = of(|asked| *asked == Asked::Encrypted);
    assert_eq!(forbidden(&record), [], "in {}: {record:?}", folder.display());
    if modbus == 0 || opcua == 0 {
        let ci = std::env::var("CI").is_ok_and(|ci| !matches!(&*ci, "" | "0" | "false"));
        let line = format!(
            "skipped: the traffic of {}, because its record in {} is missing or holds one protocol only; \
             run `cargo test --test it` before",
            if modbus == 0 { "Modbus" } else { "OPC UA" },
            folder.display()
        );
        assert!(!ci, "{line}");
        return say(&line);
    }
    say(&format!(
        "traffic: {modbus} Modbus requests and {opcua} OPC UA requests, all of them reads; {encrypted} \
         more were encrypted and are covered by the types of the client alone: {record:?}"
    ));
    // The next run makes a record of its own: an old one must not stand in for it.
    let judged = folder.with_file_name("traffic-judged");
    let _ = std::fs::remove_dir_all(&judged);
    std::fs::rename(&folder, &judged).expect("the record can be put aside");
}

/// A request of function 6 at a register, and the head of a chunk of OPC UA.
fn writes() -> [(Speech, Vec<u8>, Asked); 4] {
    let chunk = |id: u16| {
        let mut chunk = b"MSGF".to_vec();
        chunk.extend(28_u32.to_le_bytes());
        chunk.extend([7, 0, 0, 0, 1, 0, 0, 0, 52, 0, 0, 0, 2, 0, 0, 0]);
        chunk.extend([1, 0]);
        chunk.extend(id.to_le_bytes());
        chunk
    };
    [
        (Speech::ModbusTcp, vec![0, 1, 0, 0, 0, 6, 1, 6, 0, 13, 0, 0], Asked::Modbus(6)),
        (Speech::ModbusRtu, vec![1, 6, 0, 13, 0, 0, 0x18, 0x09], Asked::Modbus(6)),
        (Speech::OpcUa, chunk(673), Asked::OpcUa(673)),
        (Speech::OpcUa, chunk(712), Asked::OpcUa(712)),
    ]
}

/// The control: the same recorder and the same judgement find a write.
#[test]
fn a_write_among_the_reads_is_found() {
    for (speech, bytes, asked) in writes() {
        // It comes in two pieces, as it may over a network.
        let mut listener = Listener::new(speech);
        let (head, rest) = bytes.split_at(3);
        assert_eq!(listener.hear(head), []);
        assert_eq!(listener.hear(rest), [asked]);
        let mut record = BTreeMap::from([(Asked::Modbus(3), 9), (Asked::OpcUa(631), 9)]);
        assert_eq!(forbidden(&record), []);
        record.append(&mut listener.seen);
        assert_eq!(forbidden(&record), [asked]);
    }
}

#[test]
fn what_is_no_frame_is_no_read_and_a_secured_channel_is_said() {
    let mut garbage = Listener::new(Speech::OpcUa);
    assert_eq!(garbage.hear(b"GETF\x08\0\0\0"), [Asked::Unreadable]);
    let mut listener = Listener::new(Speech::OpcUa);
    let policy = b"http://opcfoundation.org/UA/SecurityPolicy#Basic256Sha256";
    let mut open = b"OPNF".to_vec();
    open.extend((16 + policy.len() as u32).to_le_bytes());
    open.extend([7, 0, 0, 0]);
    open.extend((policy.len() as u32).to_le_bytes());
    open.extend(policy);
    assert_eq!(listener.hear(&open), [Asked::OpcUa(446)]);
    let [.., (_, write, _)] = writes();
    assert_eq!(listener.hear(&write), [Asked::Encrypted]);
    assert!(!only_reads(Asked::Unreadable));
}
