//! Register traces: what registers held and when, as a table that any tool can write, and a server that shows it again.
//!
//! A trace is CSV with these columns; lines that begin with `#` are remarks.
//!
//! | column | |
//! |---|---|
//! | `at_us` | microseconds since the beginning of the trace; never falls |
//! | `unit` | Modbus unit, 0 to 255 |
//! | `table` | `holding` or `input` |
//! | `register` | address from 0, as on the wire |
//! | `value` | what the register holds from then on, 0 to 65535 |
//!
//! Only what has changed needs a row. A register without a row does not exist.

use std::{
    collections::BTreeMap,
    fmt,
    fs::File,
    io::{self, Write},
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use serde::{Deserialize, Serialize};
use tokio::{net::TcpListener, task::JoinHandle};
use tokio_modbus::{
    ExceptionCode, Request, Response, SlaveRequest,
    server::{Service, tcp::Server},
};

use crate::clock::PlantClock;

const COLUMNS: [&str; 5] = ["at_us", "unit", "table", "register", "value"];
/// Most registers one request may ask for (Modbus application protocol, 6.3).
const MOST_REGISTERS: u16 = 125;

/// Which registers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Table {
    /// Holding registers, function 3.
    Holding,
    /// Input registers, function 4.
    Input,
}

/// A register that has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// Microseconds since the beginning of the trace.
    pub at_us: i64,
    /// Modbus unit.
    pub unit: u8,
    /// Which registers.
    pub table: Table,
    /// Address from 0.
    pub register: u16,
    /// Value from then on.
    pub value: u16,
}

/// Registers of a machine as they stand at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Image {
    /// Plant time, in microseconds.
    pub at_us: i64,
    /// Modbus unit.
    pub unit: u8,
    /// Which registers.
    pub table: Table,
    /// Address of the first.
    pub first: u16,
    /// Their values.
    pub values: Vec<u16>,
}

/// Why a trace cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum TraceError {
    /// The file cannot be read or written.
    #[error("{}: {error}", .file.display())]
    File {
        /// The file.
        file: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// A row makes no sense.
    #[error("{}: line {line}: {problem}", .file.display())]
    Row {
        /// The file.
        file: PathBuf,
        /// Line from 1.
        line: u64,
        /// Column, value found and what is possible.
        problem: String,
    },
}

/// A trace, in order of time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trace {
    changes: Vec<Change>,
    unfinished: Option<u64>,
}

impl Trace {
    /// Reads a file. A last row without the end of its line is left out: who wrote it was stopped, and its last number
    /// may have lost digits.
    ///
    /// # Errors
    /// The file, the line, the column, the value found and the way out.
    pub fn load(file: &Path) -> Result<Trace, TraceError> {
        let unreadable = |error| TraceError::File { file: file.to_owned(), error };
        let bytes = std::fs::read(file).map_err(unreadable)?;
        let end = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        let (whole, rest) = bytes.split_at(end);
        let lines = || whole.iter().filter(|byte| **byte == b'\n').count() as u64;
        let unfinished = (!rest.trim_ascii().is_empty()).then(|| lines() + 1);
        Ok(Trace { unfinished, ..Trace::read(whole, file)? })
    }

    fn read(from: impl io::Read, file: &Path) -> Result<Trace, TraceError> {
        let row =
            |line: u64, problem: String| TraceError::Row { file: file.to_owned(), line, problem };
        let mut reader =
            csv::ReaderBuilder::new().comment(Some(b'#')).trim(csv::Trim::All).from_reader(from);
        let broken = |error: csv::Error| {
            row(
                error.position().map_or(1, csv::Position::line),
                format!("no row of a trace: {error}"),
            )
        };
        let head = reader.headers().map_err(broken)?.clone();
        if head.iter().ne(COLUMNS) {
            let found = head.iter().collect::<Vec<_>>().join(",");
            return Err(row(1, format!("the columns are {found:?}; write {}", COLUMNS.join(","))));
        }
        let mut changes: Vec<Change> = Vec::new();
        for record in reader.records() {
            let record = record.map_err(broken)?;
            let line = record.position().map_or(0, csv::Position::line);
            let change = change(&record).map_err(|problem| row(line, problem))?;
            let last_us = changes.last().map_or(0, |last| last.at_us);
            if change.at_us < last_us {
                let problem = format!(
                    "at_us {}: the row before is at {last_us}; sort the rows by time",
                    change.at_us
                );
                return Err(row(line, problem));
            }
            changes.push(change);
        }
        match changes.is_empty() {
            true => Err(row(1, "there is no row; record a trace with --record".to_owned())),
            false => Ok(Trace { changes, unfinished: None }),
        }
    }

    /// Time of its last change, in microseconds.
    pub fn length_us(&self) -> i64 {
        self.changes.last().map_or(0, |change| change.at_us)
    }

    /// Line of the unfinished row at the end that was left out; none where the file is whole.
    pub fn unfinished(&self) -> Option<u64> {
        self.unfinished
    }

    /// How many changes it has.
    pub fn len(&self) -> usize {
        self.changes.len()
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }
}

/// A row.
fn change(record: &csv::StringRecord) -> Result<Change, String> {
    fn number<T: std::str::FromStr>(
        record: &csv::StringRecord,
        at: usize,
        most: impl fmt::Display,
    ) -> Result<T, String> {
        let text = record.get(at).unwrap_or("");
        text.parse().map_err(|_| format!("{} {text:?}: a number from 0 to {most}", COLUMNS[at]))
    }
    let at_us: i64 = number(record, 0, i64::MAX)?;
    if at_us < 0 {
        return Err(format!("at_us {at_us}: a trace begins at 0"));
    }
    let table = match record.get(2).unwrap_or("") {
        "holding" => Table::Holding,
        "input" => Table::Input,
        other => return Err(format!("table {other:?}: holding or input")),
    };
    Ok(Change {
        at_us,
        unit: number(record, 1, u8::MAX)?,
        table,
        register: number(record, 3, u16::MAX)?,
        value: number(record, 4, u16::MAX)?,
    })
}

/// Writes a trace as it comes.
pub struct Recorder {
    file: PathBuf,
    writer: csv::Writer<File>,
    from_us: Option<i64>,
    last: BTreeMap<(u8, Table), Vec<u16>>,
    rows: u64,
}

impl Recorder {
    /// Begins a file; what was in it is gone.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn create(file: &Path) -> Result<Recorder, TraceError> {
        let refused = |error| TraceError::File { file: file.to_owned(), error };
        let mut out = File::create(file).map_err(refused)?;
        writeln!(out, "# Register trace of capline-sim; times in microseconds from its beginning.")
            .map_err(refused)?;
        let writer = csv::WriterBuilder::new().from_writer(out);
        Ok(Recorder {
            file: file.to_owned(),
            writer,
            from_us: None,
            last: BTreeMap::new(),
            rows: 0,
        })
    }

    /// Writes what has changed of these registers.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn look(&mut self, image: &Image) -> Result<(), TraceError> {
        let Image { unit, table, .. } = *image;
        let at_us = image.at_us - *self.from_us.get_or_insert(image.at_us);
        let last = self.last.entry((unit, table)).or_default();
        for (i, value) in image.values.iter().enumerate() {
            if last.get(i) == Some(value) {
                continue;
            }
            let place = u16::try_from(i).ok().and_then(|i| image.first.checked_add(i));
            let Some(register) = place else { break };
            let change = Change { at_us, unit, table, register, value: *value };
            self.writer.serialize(change).map_err(|error| refused(&self.file, error))?;
            self.rows += 1;
        }
        last.clone_from(&image.values);
        Ok(())
    }

    /// Brings the rows so far to the file, where they outlive this program.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn flush(&mut self) -> Result<(), TraceError> {
        self.writer.flush().map_err(|error| refused(&self.file, error.into()))
    }

    /// Brings all rows to the file. How many they were.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn finish(mut self) -> Result<u64, TraceError> {
        self.flush()?;
        Ok(self.rows)
    }
}

fn refused(file: &Path, error: csv::Error) -> TraceError {
    TraceError::File { file: file.to_owned(), error: io::Error::other(error) }
}

/// A Modbus TCP server that shows a trace. It ends when it is dropped.
pub struct Replay {
    shown: Arc<Shown>,
    addr: SocketAddr,
    task: JoinHandle<()>,
}

struct Shown {
    trace: Trace,
    clock: PlantClock,
    state: Mutex<Registers>,
    answers: AtomicU64,
}

#[derive(Default)]
struct Registers {
    next: usize,
    held: BTreeMap<(u8, Table, u16), u16>,
}

impl Replay {
    /// Serves a trace from its beginning, `speed` times as fast as it was recorded. After its end the last values stay.
    ///
    /// # Errors
    /// The address is in use.
    pub async fn start(addr: SocketAddr, trace: Trace, speed: f64) -> io::Result<Replay> {
        let listener = TcpListener::bind(addr).await?;
        let addr = listener.local_addr()?;
        let clock = PlantClock::new(0, speed, false);
        let (state, answers) = (Mutex::default(), AtomicU64::new(0));
        let shown = Arc::new(Shown { trace, clock, state, answers });
        let plc = Plc(Arc::clone(&shown));
        let task = tokio::spawn(async move {
            let accept = |stream: tokio::net::TcpStream, _peer| {
                let accepted = stream.set_nodelay(true).map(|()| Some((plc.clone(), stream)));
                std::future::ready(accepted)
            };
            let ended = |error: io::Error| tracing::debug!(%error, "a connection ended");
            if let Err(error) = Server::new(listener).serve(&accept, ended).await {
                tracing::error!(%error, "the trace is no longer served");
            }
        });
        Ok(Replay { shown, addr, task })
    }

    /// Where it is served.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Time of the trace now, in microseconds.
    pub fn now_us(&self) -> i64 {
        self.shown.clock.now_us()
    }

    /// How many requests were answered.
    pub fn answers(&self) -> u64 {
        self.shown.answers.load(Ordering::Relaxed)
    }
}

impl Drop for Replay {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Shown {
    /// Registers as they stand now; none where one of them does not exist.
    fn words(&self, unit: u8, table: Table, first: u16, n: u16) -> Option<Vec<u16>> {
        // Every change is applied whole.
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let now_us = self.clock.now_us();
        while let Some(change) = self.trace.changes.get(state.next).filter(|c| c.at_us <= now_us) {
            state.held.insert((change.unit, change.table, change.register), change.value);
            state.next += 1;
        }
        // The last register of all is 65535.
        let last = first.checked_add(n.checked_sub(1)?)?;
        (first..=last).map(|at| state.held.get(&(unit, table, at)).copied()).collect()
    }
}

#[derive(Clone)]
struct Plc(Arc<Shown>);

impl Service for Plc {
    type Request = SlaveRequest<'static>;
    type Response = Response;
    type Exception = ExceptionCode;
    type Future = std::future::Ready<Result<Response, ExceptionCode>>;

    fn call(&self, request: SlaveRequest<'static>) -> Self::Future {
        let read = |table, first, n: u16| {
            if n == 0 || n > MOST_REGISTERS {
                return Err(ExceptionCode::IllegalDataValue);
            }
            let words = self.0.words(request.slave, table, first, n);
            words.ok_or(ExceptionCode::IllegalDataAddress)
        };
        self.0.answers.fetch_add(1, Ordering::Relaxed);
        std::future::ready(match request.request {
            Request::ReadHoldingRegisters(first, n) => {
                read(Table::Holding, first, n).map(Response::ReadHoldingRegisters)
            }
            Request::ReadInputRegisters(first, n) => {
                read(Table::Input, first, n).map(Response::ReadInputRegisters)
            }
            _ => Err(ExceptionCode::IllegalFunction),
        })
    }
}
