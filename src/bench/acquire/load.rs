//! The other side: load servers in processes of their own, and the loop in C on libmodbus.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use simulators::load;
use tokio::net::TcpListener;

use super::{LOOK, Stop};
use crate::sources::enter_realtime;

/// What a load server speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Modbus TCP with 125 registers.
    Modbus,
    /// OPC UA with so many counters, each one higher a hundred times a second.
    OpcUa {
        /// How many.
        items: usize,
    },
}

/// Time between two values of an item of the OPC UA server.
pub(super) const STEP: Duration = Duration::from_millis(10);

/// Runs a load server in this process until stdin ends, which it does with the process that started it. Says its address
/// and its real-time priority on stdout first.
///
/// # Errors
/// No port, or a server that ended.
pub fn serve(kind: Kind, priority: Option<u8>) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let (gone, parent) = tokio::sync::oneshot::channel();
    std::thread::spawn(move || {
        // An error is an end too, and so is a receiver that is gone.
        let _ = std::io::stdin().read_to_end(&mut Vec::new());
        let _ = gone.send(());
    });
    let scheduling = enter_realtime(priority);
    runtime.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let addr = listener.local_addr()?;
        let mut out = std::io::stdout();
        writeln!(out, "{addr} {}", scheduling.realtime.unwrap_or(0))?;
        out.flush()?;
        let pki = tempfile::tempdir()?;
        let served = async {
            match kind {
                Kind::Modbus => Ok(load::serve_modbus(listener).await?),
                Kind::OpcUa { items } => {
                    Ok(load::serve_opcua(listener, items, STEP, pki.path()).await?)
                }
            }
        };
        // Ctrl-C is for the process that measures, which still has to end its row.
        let deaf = async {
            while tokio::signal::ctrl_c().await.is_ok() {}
            std::future::pending().await
        };
        tokio::select! {
            ended = served => ended,
            _ = parent => Ok(()),
            () = deaf => Ok(()),
        }
    })
}

/// A load server in a process of its own, which ends with this value.
pub(super) struct Server {
    child: Child,
    pub(super) addr: SocketAddr,
    /// Its priority under `SCHED_FIFO`, 0 for none.
    pub(super) priority: u8,
}

impl Server {
    /// Starts one, with a real-time priority if it may have it.
    pub(super) fn start(kind: Kind, priority: Option<u8>) -> anyhow::Result<Server> {
        let own = std::env::current_exe().context("the program does not know where it is")?;
        let mut command = Command::new(own);
        command.args(["bench", "load-server"]);
        if let Kind::OpcUa { items } = kind {
            command.args(["--items", &items.to_string()]);
        }
        if let Some(priority) = priority {
            command.args(["--realtime-priority", &priority.to_string()]);
        }
        // What it warns of is said by the row.
        let mut child = command
            .env("RUST_LOG", "off")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("the load server cannot be started")?;
        let said = child.stdout.take().map(first_line).unwrap_or_default();
        let parsed = said
            .split_once(' ')
            .and_then(|(addr, priority)| Some((addr.parse().ok()?, priority.trim().parse().ok()?)));
        match parsed {
            Some((addr, priority)) => Ok(Server { child, addr, priority }),
            None => {
                end(&mut child);
                bail!("the load server did not begin: {said:?}")
            }
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        end(&mut self.child);
    }
}

fn end(child: &mut Child) {
    // Both fail only for a process that has ended already.
    let _ = child.kill();
    let _ = child.wait();
}

fn first_line(from: impl Read) -> String {
    let mut line = String::new();
    // What is not text is no address either.
    let _ = BufReader::new(from).read_line(&mut line);
    line
}

/// The loop on libmodbus, compiled on this machine.
pub(super) struct LibModbus {
    _dir: tempfile::TempDir,
    program: std::path::PathBuf,
}

impl LibModbus {
    /// Compiles it. The inner error says what has to be installed.
    pub(super) fn build() -> anyhow::Result<Result<LibModbus, String>> {
        let flags = Command::new("pkg-config").args(["--cflags", "--libs", "libmodbus"]).output();
        let flags = match flags {
            Ok(output) if output.status.success() => {
                String::from_utf8_lossy(&output.stdout).into_owned()
            }
            _ => return Ok(Err("pkg-config finds no libmodbus: install libmodbus-dev".to_owned())),
        };
        let dir = tempfile::tempdir()?;
        let (source, program) = (dir.path().join("loop.c"), dir.path().join("loop"));
        std::fs::write(&source, include_str!("../../../tests/benches/libmodbus_loop.c"))?;
        let mut compiler = Command::new("cc");
        compiler.arg("-O2").arg(&source).arg("-o").arg(&program);
        match compiler.args(flags.split_whitespace()).output() {
            Ok(output) if output.status.success() => Ok(Ok(LibModbus { _dir: dir, program })),
            Ok(output) => bail!("cc: {}", String::from_utf8_lossy(&output.stderr).trim()),
            Err(error) => Ok(Err(format!("there is no C compiler cc: {error}"))),
        }
    }

    /// Reads for a time; polls a second.
    pub(super) async fn run(
        &self,
        addr: SocketAddr,
        time: Duration,
        stop: &Stop,
    ) -> anyhow::Result<f64> {
        let arguments =
            [addr.ip().to_string(), addr.port().to_string(), time.as_millis().to_string()];
        let mut child =
            Command::new(&self.program).args(arguments).stdout(Stdio::piped()).spawn()?;
        let (since, limit) = (Instant::now(), time + Duration::from_secs(20));
        while child.try_wait()?.is_none() {
            if stop.is_set() || since.elapsed() > limit {
                end(&mut child);
                bail!("the loop was ended after {:?}", since.elapsed());
            }
            tokio::time::sleep(LOOK / 10).await;
        }
        let said = child.stdout.take().map(first_line).unwrap_or_default();
        let numbers: Vec<f64> =
            said.split_whitespace().filter_map(|word| word.parse().ok()).collect();
        ensure!(numbers.len() == 2 && numbers[1] > 0.0, "the loop said {said:?}");
        Ok(numbers[0] / numbers[1])
    }
}
