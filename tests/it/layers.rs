//! The order of the code, as written in the tables of `src/lib.rs` and `src/domain/lib.rs`, is the order of the code.
//!
//! The tables are read, not repeated, so that text and truth cannot part. What is looked at are the names in the
//! source files, code for tests left out. Whoever hides a module behind a macro, or hands a forbidden thing on under
//! another name, is not seen.

use std::path::Path;

use crate::harness::repository;
use crate::rust_text::{Source, sources};

/// A row of a table of modules: what its cells name in backticks, the first cell being the module.
struct Row {
    module: Vec<String>,
    may_use: Vec<String>,
    alone_uses: Vec<String>,
}

/// The rows of the first table in the documentation of a file.
fn table(path: &Path) -> Vec<Row> {
    let text = std::fs::read_to_string(path).expect("the file is there");
    let lines = text.lines().filter_map(|line| line.strip_prefix("//! |"));
    let rows = lines.skip(2).map(|line| {
        let cells: Vec<&str> = line.split('|').collect();
        let names = |cell: usize| cells.get(cell).map_or(Vec::new(), |cell| names(cell));
        let module = names(0).first().expect("a row begins with a module").clone();
        let module = module.split("::").map(str::to_owned).collect();
        Row { module, may_use: names(2), alone_uses: names(3) }
    });
    rows.collect()
}

/// What stands in backticks.
fn names(cell: &str) -> Vec<String> {
    cell.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

/// Position of the row that a path belongs to: the one that names most of it.
fn owner(rows: &[Row], path: &[String]) -> Option<usize> {
    let fits = rows.iter().enumerate().filter(|(_, row)| path.starts_with(&row.module));
    fits.max_by_key(|(_, row)| row.module.len()).map(|(i, _)| i)
}

/// Whether a path names a folder of rows, so that one cannot say which of them is meant.
fn is_too_short(rows: &[Row], path: &[String]) -> bool {
    let path = path.strip_suffix(&["*".to_owned()]).unwrap_or(path);
    rows.iter().any(|row| row.module.len() > path.len() && row.module.starts_with(path))
}

/// Uses of a later row by an earlier one.
fn against_the_order(rows: &[Row], source: &Source, ours: &str) -> Vec<String> {
    let at = source.path.display();
    let paths = source.ours(ours);
    let Some(mine) = owner(rows, &source.module) else {
        return match is_too_short(rows, &source.module) {
            // The root and folders of rows hold nothing of their own.
            true => {
                paths.iter().map(|path| format!("{at}: {} in a folder", path.join("::"))).collect()
            }
            false => {
                vec![format!("{at} is in no row of the table; put it where it stands in the order")]
            }
        };
    };
    let mut wrong = Vec::new();
    for path in &paths {
        match owner(rows, path) {
            Some(theirs) if theirs <= mine => {}
            Some(theirs) => {
                let (mine, theirs) = (rows[mine].module.join("::"), rows[theirs].module.join("::"));
                wrong.push(format!(
                    "{at}: {mine} stands before {theirs} and cannot use {}",
                    path.join("::")
                ));
            }
            None if is_too_short(rows, path) => {
                wrong.push(format!("{at}: {} does not say which module is meant", path.join("::")));
            }
            None => {}
        }
    }
    wrong
}

/// Uses that the row of a file does not allow.
fn not_allowed(rows: &[Row], source: &Source, ours: &str) -> Vec<String> {
    let at = source.path.display();
    let Some(mine) = source.module.first() else { return Vec::new() };
    let Some(row) = rows.iter().find(|row| row.module[0] == *mine) else {
        return vec![format!("{at} is in no row of the table in src/lib.rs; put it there")];
    };
    let mut wrong = Vec::new();
    for path in source.ours(ours) {
        let first = path.first().map_or("", String::as_str);
        let is_module = rows.iter().any(|row| row.module[0] == first);
        if first == "*" {
            wrong.push(format!("{at}: a glob of the whole crate hides what is used"));
        } else if is_module && first != mine && !row.may_use.iter().any(|may| may == first) {
            wrong.push(format!("{at}: {mine} may not use {}", path.join("::")));
        }
    }
    for path in source.others(ours) {
        let is_workspace = ["domain", "simulators"].contains(&path[0].as_str());
        let owned = rows.iter().find(|row| row.alone_uses.contains(&path[0]));
        let stranger = is_workspace && !row.may_use.contains(&path[0]);
        if stranger || owned.is_some_and(|owner| owner.module[0] != *mine) {
            wrong.push(format!("{at}: {mine} may not use {}", path.join("::")));
        }
    }
    wrong
}

/// What the pure crate must not name: time, files, sockets, threads, and the runtimes that bring them.
fn impure(source: &Source) -> Vec<String> {
    const OF_STD: [&str; 7] = ["time", "fs", "net", "io", "thread", "process", "env"];
    const CRATES: [&str; 7] =
        ["tokio", "rustix", "rusqlite", "axum", "tracing", "rand", "simulators"];
    let at = source.path.display();
    let is_impure = |path: &&Vec<String>| {
        let second = path.get(1).map_or("", String::as_str);
        (path[0] == "std" && (OF_STD.contains(&second) || second == "*"))
            || CRATES.contains(&path[0].as_str())
            || path.last().is_some_and(|last| last == "now")
    };
    let paths = source.others("domain");
    paths.iter().filter(is_impure).map(|path| format!("{at}: {}", path.join("::"))).collect()
}

/// Names by which a change to a machine could be said.
///
/// Seen are: any name that begins with `write_`, `Write`, `MaskWrite`, `ReadWrite` or `HistoryUpdate` (but for the
/// half of a stream, `WriteHalf`); the raw requests `Custom`; methods `.write(`; `.call(` outside of the Modbus
/// reader; in that file any request but the four reads; clients made and bytes put on a line outside of it, but for
/// `poll_write` of the stream that is handed through; and the OPC UA services that call methods or edit nodes, as methods
/// of a session, as requests of their own, and what sends such a request.
fn writes(source: &Source) -> Vec<String> {
    const BEGIN: [&str; 5] = ["write_", "Write", "MaskWrite", "ReadWrite", "HistoryUpdate"];
    const WHOLE: [&str; 12] = [
        "Custom",
        "call_one",
        "CallMethodRequest",
        "CallRequest",
        "history_update",
        "add_nodes",
        "add_references",
        "delete_nodes",
        "delete_references",
        "send_with_retry",
        "UARequest",
        "prelude",
    ];
    // With what follows the name: `AddNodesItem`, `AddNodesRequest`.
    const EDIT: [&str; 4] = ["AddNodes", "AddReferences", "DeleteNodes", "DeleteReferences"];
    const READS: [&str; 4] =
        ["ReadCoils", "ReadDiscreteInputs", "ReadHoldingRegisters", "ReadInputRegisters"];
    let at = source.path.display();
    let is_reader = source.module.ends_with(&["modbus".to_owned(), "reader".to_owned()]);
    let is_track = source.module.ends_with(&["modbus".to_owned(), "track".to_owned()]);
    let word = |i: usize| source.words.get(i).map_or("", String::as_str);
    let mut wrong = Vec::new();
    for i in 0..source.words.len() {
        let name = word(i);
        let begins = |begin: &&str| name.starts_with(begin);
        let named = BEGIN.iter().any(begins) && name != "WriteHalf";
        let edits = EDIT.iter().any(begins);
        let method = |name: &str| word(i) == "." && word(i + 1) == name && word(i + 2) == "(";
        let called = method("write") || (method("call") && !is_reader);
        // A client of its own, or bytes put on a line past the client.
        let client = !is_reader && ["attach", "attach_slave", "connect_slave"].contains(&name);
        let polled = name.starts_with("poll_write") && !is_track;
        let bytes = ["AsyncWriteExt", "SinkExt", "try_write"].contains(&name) || polled;
        let asked = name == "Call" && word(i + 1) == "::" && !READS.contains(&word(i + 2));
        if named || edits || client || bytes || WHOLE.contains(&name) || called || asked {
            wrong.push(format!("{at}: {} {} {}", name, word(i + 1), word(i + 2)));
        }
    }
    // The session of OPC UA can do more than read, so that one file alone may hold it.
    let is_lock = source.module.ends_with(&["opcua".to_owned(), "session".to_owned()]);
    let session = |path: &&Vec<String>| {
        let path = path.join("::");
        ["opcua::client::Session", "opcua::client::Client", "opcua::client::*"]
            .contains(&path.as_str())
            || path.starts_with("opcua::client::session")
    };
    if !is_lock {
        wrong.extend(source.others("").iter().filter(session).map(|_| format!("{at}: Session")));
    }
    // The reader may name the library's requests, as `Call`; nobody else may.
    let requests = |path: &&Vec<String>| path.join("::").starts_with("tokio_modbus::Request");
    if !is_reader {
        wrong.extend(source.others("").iter().filter(requests).map(|_| format!("{at}: Request")));
    }
    wrong
}

fn domain_sources() -> Vec<Source> {
    sources(&repository("src/domain"), &[])
}

fn root_sources() -> Vec<Source> {
    sources(&repository("src"), &[&repository("src/domain")])
}

fn domain_table() -> Vec<Row> {
    table(&repository("src/domain/lib.rs"))
}

fn root_table() -> Vec<Row> {
    table(&repository("src/lib.rs"))
}

/// A made-up file.
fn made_up(module: &str, text: &str) -> Source {
    let module = module.split("::").map(str::to_owned).collect();
    Source::new("made/up.rs".into(), module, text)
}

fn nothing(wrong: Vec<String>) {
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn domain_keeps_the_order_of_its_table() {
    let (rows, files) = (domain_table(), domain_sources());
    assert!(rows.len() > 10 && files.len() > 40, "{} rows, {} files", rows.len(), files.len());
    nothing(files.iter().flat_map(|file| against_the_order(&rows, file, "domain")).collect());
}

/// Shows: EVI-03
#[test]
fn domain_is_pure() {
    nothing(domain_sources().iter().flat_map(impure).collect());
}

/// Shows: EVI-03
#[test]
fn the_service_keeps_the_imports_of_its_table() {
    let (rows, files) = (root_table(), root_sources());
    assert!(rows.len() > 6 && files.len() > 40, "{} rows, {} files", rows.len(), files.len());
    nothing(files.iter().flat_map(|file| not_allowed(&rows, file, "capline")).collect());
}

#[test]
fn the_table_of_the_service_has_no_cycle() {
    // A row may use only rows above it.
    let rows = root_table();
    for (i, row) in rows.iter().enumerate() {
        let below = rows[i..].iter().find(|below| row.may_use.contains(&below.module[0]));
        assert!(below.is_none(), "{} may use a row that is not above it", row.module[0]);
    }
}

#[test]
fn every_row_of_the_tables_is_a_module() {
    for (rows, files) in [(domain_table(), domain_sources()), (root_table(), root_sources())] {
        for row in rows {
            assert!(
                files.iter().any(|file| file.module.starts_with(&row.module)),
                "{:?}",
                row.module
            );
        }
    }
}

/// Shows: ACQ-01
#[test]
fn nothing_in_the_sources_can_write_to_a_machine() {
    let files = root_sources();
    let files: Vec<&Source> =
        files.iter().filter(|file| file.module.first().is_some_and(|m| m == "sources")).collect();
    assert!(files.len() > 10, "{} files", files.len());
    nothing(files.into_iter().flat_map(writes).collect());
}

/// Shows: SIM-01
#[test]
fn the_simulators_share_no_code_with_the_service() {
    let files = sources(&repository("simulators/src"), &[]);
    let shared = |path: &Vec<String>| {
        path.first().is_some_and(|first| first == "domain" || first == "capline")
    };
    for file in files {
        assert!(!file.others("simulators").iter().any(shared), "{}", file.path.display());
    }
}

/// The negative controls: each checker finds what it is for.
#[test]
fn what_breaks_the_order_is_found() {
    let rows = domain_table();
    for (module, text) in [
        ("units", "use crate::line::tracker::LineTracker;"),
        ("line::counter", "use super::minute::Minute;"),
        ("plc_map::parse", "fn f() { crate::quality::overview::chart() }"),
        ("stats::summary", "use crate::{units::Count, spc::{chart}};"),
        ("reading", "use crate::line::*;"),
        ("line", "use self::counter::Counter;"),
        ("nowhere", ""),
    ] {
        let wrong = against_the_order(&rows, &made_up(module, text), "domain");
        assert_eq!(wrong.len(), 1, "{module}: {text}: {wrong:?}");
    }
    let right = made_up(
        "line::tracker::show",
        "use crate::{units::Count, line::status::Status}; use super::account;",
    );
    nothing(against_the_order(&rows, &right, "domain"));
}

/// Shows: EVI-03
#[test]
fn what_the_service_may_not_use_is_found() {
    let rows = root_table();
    for (module, text) in [
        ("sources::modbus", "use crate::historian::Historian;"),
        ("historian", "use super::sources::Sources;"),
        ("web::api", "fn f(x: &crate::service::Service) {}"),
        ("web::pages", "use crate::{clock::Clock, historian::Historian};"),
        ("config", "use crate::*;"),
        ("service", "use rusqlite::Connection;"),
        ("historian", "use axum::Router;"),
        ("service::line", "use simulators::Plant;"),
        ("main", "use capline::historian::Historian;"),
        ("forward", ""),
    ] {
        let wrong = not_allowed(&rows, &made_up(module, text), "capline");
        assert_eq!(wrong.len(), 1, "{module}: {text}: {wrong:?}");
    }
}

#[test]
fn what_is_not_pure_is_found() {
    for text in [
        "use std::time::Instant;",
        "use std::{fmt, fs::File};",
        "let s = std::net::TcpStream::connect(a);",
        "use tokio::sync::mpsc;",
        "let t = jiff::Timestamp::now();",
    ] {
        assert_eq!(impure(&made_up("units", text)).len(), 1, "{text}");
    }
    nothing(impure(&made_up(
        "units",
        "use std::{fmt, sync::Arc}; fn f(now: Moment) { now.add() }",
    )));
}

/// Shows: ACQ-01
#[test]
fn what_could_write_is_found() {
    for text in [
        "self.context.write_single_register(1, 2).await",
        "use tokio_modbus::client::Writer; ctx.write_multiple_coils(1, &[true]);",
        "self.call(Call::WriteSingleCoil(1, true))",
        "let r = Request::MaskWriteRegister(1, 2, 3);",
        "Call::Custom(6, data)",
        "session.write(&values).await",
        "session.call(method).await",
        "let v = WriteValue::default();",
        "use tokio_modbus::prelude::*;",
        "use tokio_modbus::{Request, Response};",
        "let context = rtu::attach_slave(line, Slave(1));",
        "use tokio::io::AsyncWriteExt;",
        "stream.try_write(&frame)",
        "io.poll_write(cx, &frame)",
        "io.poll_write_vectored(cx, &frames)",
        "session.add_nodes(&nodes).await",
        "session.add_references(&references).await",
        "session.delete_nodes(&nodes).await",
        "session.delete_references(&references).await",
        "let add = AddNodes::new(&session).node(node);",
        "let add = AddReferences::new(&session).reference(reference);",
        "let delete = DeleteNodes::new(&session).node(node);",
        "let delete = DeleteReferences::new(&session).reference(reference);",
        "let item = AddNodesItem::default();",
        "session.send_with_retry(request, policy).await",
        "use opcua::client::UARequest;",
    ] {
        assert!(!writes(&made_up("sources::opcua::session", text)).is_empty(), "{text}");
    }
    for text in [
        "use opcua::client::Session;",
        "use opcua::client::{ClientBuilder, Session};",
        "fn f(s: &opcua::client::Session) {}",
        "use opcua::client::*;",
        "use opcua::client::session::Write;",
    ] {
        assert!(!writes(&made_up("sources::opcua::browse", text)).is_empty(), "{text}");
    }
    nothing(writes(&made_up("sources::opcua::session", "use opcua::client::Session;")));
    let reader = "sources::modbus::reader";
    assert!(!writes(&made_up(reader, "self.context.call(Call::Disconnect)")).is_empty());
    let reads = "use tokio_modbus::Request as Call; self.context.call(Call::ReadCoils(1, 2)); write!(f, \"x\")";
    nothing(writes(&made_up(reader, reads)));
    nothing(writes(&made_up("sources::modbus::track", "io.poll_write(cx, buf)")));
}
