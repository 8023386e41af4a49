//! The real service, `capline run`, of a simulated plant whose faults a test can switch.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use simulators::{Plant, PlantConfig, utc_now_us};

/// How long the service may take to say where it is served.
const SERVED_WITHIN: Duration = Duration::from_secs(60);

/// Plant time before the first reading.
const RUN_UP_US: i64 = 120_000_000;

/// A running service and its plant. Killed when dropped.
pub(crate) struct Site {
    child: Child,
    /// Address of its first page, without a slash at the end.
    pub(crate) origin: String,
    /// The machines.
    pub(crate) plant: Plant,
    /// The machines of a second line, where there is one.
    pub(crate) second: Option<Plant>,
    devices: String,
    dir: tempfile::TempDir,
}

impl Site {
    /// The filler alone, read by this map.
    pub(crate) async fn filler(map: &str) -> Site {
        Site::start(map, false).await
    }

    /// Filler and checkweigher, read by the maps that are shipped.
    pub(crate) async fn line() -> Site {
        Site::start(&shipped("cf01-modbus.toml"), true).await
    }

    /// Two lines, L1 and L2, each a filler of a plant of its own.
    pub(crate) async fn lines() -> Site {
        let filler = shipped("cf01-modbus.toml");
        let mut site = Site::start(&filler, false).await;
        site.kill();
        let second = plant(&site.dir.path().join("second-pki")).await;
        site.devices += &format!(
            "[[line]]\nid = 'L2'\ntitle = {{ en = 'Line 2', zh = '二线' }}\ncounting_station = 'CF01'\n\
             target_per_minute = 6500\n[[line.device]]\nmap = 'filler.toml'\naddress = '{}'\n",
            second.modbus_addr()
        );
        site.second = Some(second);
        (site.child, site.origin) = run(site.dir.path(), "127.0.0.1:0", &site.devices);
        site
    }

    async fn start(filler: &str, with_weigher: bool) -> Site {
        let dir = tempfile::tempdir().expect("a directory");
        let plant = plant(&dir.path().join("sim-pki")).await;
        let mut devices = vec![("filler.toml", filler.to_owned(), plant.modbus_addr().to_string())];
        if with_weigher {
            devices.push(("weigher.toml", shipped("cw04-opcua.toml"), plant.opcua_url()));
        }
        let mut told = String::new();
        for (file, map, address) in devices {
            std::fs::write(dir.path().join(file), map).expect("it is written");
            told += &format!("[[line.device]]\nmap = '{file}'\naddress = '{address}'\n");
        }
        let (child, origin) = run(dir.path(), "127.0.0.1:0", &told);
        Site { child, origin, plant, second: None, devices: told, dir }
    }

    /// Ends the service at once, as a loss of power does.
    pub(crate) fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Starts it again where it was.
    pub(crate) fn start_again(&mut self) {
        let listen = self.origin.trim_start_matches("http://").to_owned();
        (self.child, self.origin) = run(self.dir.path(), &listen, &self.devices);
    }

    /// Freezes the service: its connections stay open and say nothing.
    pub(crate) fn freeze(&self) {
        self.signal(Signal::STOP);
    }

    /// Lets it go on.
    pub(crate) fn thaw(&self) {
        self.signal(Signal::CONT);
    }

    fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).expect("the service runs");
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        self.kill();
    }
}

/// A plant that has run for a while.
async fn plant(pki_dir: &Path) -> Plant {
    let config = PlantConfig {
        line_start_us: utc_now_us() - RUN_UP_US,
        start_at_us: RUN_UP_US,
        pki_dir: pki_dir.to_owned(),
        ..PlantConfig::default()
    };
    Plant::start(config).await.expect("a plant starts")
}

/// A map as it is shipped.
pub(crate) fn shipped(name: &str) -> String {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("plc-maps").join(name);
    std::fs::read_to_string(file).expect("the map is there")
}

fn run(dir: &Path, listen: &str, devices: &str) -> (Child, String) {
    let text = format!(
        "[site]\nname = 'Test'\nzone = 'Asia/Shanghai'\n[web]\nlisten = '{listen}'\n[store]\ndir = 'data'\n\
         [[line]]\nid = 'L1'\ntitle = {{ en = 'Line 1', zh = '一线' }}\ncounting_station = 'CF01'\n\
         target_per_minute = 6500\n{devices}"
    );
    let file = dir.join("capline.toml");
    std::fs::write(&file, text).expect("it is written");
    let mut child = Command::new(env!("CARGO_BIN_EXE_capline"))
        .arg("run")
        .arg("--config")
        .arg(&file)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary starts");
    let log = BufReader::new(child.stderr.take().expect("the log is piped"));
    let (sender, receiver) = mpsc::channel();
    // Reads to the end, so that a chatty log never fills the pipe.
    std::thread::spawn(move || {
        for line in log.lines().map_while(Result::ok) {
            if let Some(start) = line.find("http://") {
                let address = line[start..].split_whitespace().next().unwrap_or_default();
                let _ = sender.send(address.trim_end_matches('/').to_owned());
            }
        }
    });
    let origin = receiver.recv_timeout(SERVED_WITHIN).expect("it says where");
    (child, origin)
}
