//! Faults of scenario files that no plant can bring about: the disk of the service is full, the plant database is away.
//!
//! The disk is a small tmpfs of its own, which takes the rights of root, and the database a real PostgreSQL that is
//! stopped and started again.

use std::collections::BTreeSet;
use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use domain::units::Count;
use simulators::{Fault, Scenario, ServiceFault};

use crate::harness::{Api, PATIENCE, Site, until};
use crate::plantdb::book::{Book, sums};
use crate::plantdb::cluster::{Cluster, password};
use crate::skip::skipped;

/// Bytes of the small disk: four fifths of it stay free in a scenario.
const DISK_BYTES: u64 = 128 << 20;
/// With less it is full: what the service gives back is taken again after a moment.
const FULL_BYTES: f64 = 65_536.0;
/// Name of the box in the plant database.
const EDGE: &str = "edge-1";

/// What is under the service of a scenario, and what of it goes wrong.
#[derive(Default)]
pub(crate) struct ServiceSide {
    ahead: Vec<ServiceFault>,
    on: Vec<ServiceFault>,
    disk: Option<SmallDisk>,
    database: Option<Cluster>,
}

/// A file system of its own, and what is known of it.
struct SmallDisk {
    at: tempfile::TempDir,
    /// Whether the service has seen that nothing of it is free.
    seen_full: bool,
}

impl SmallDisk {
    fn mounted() -> Option<SmallDisk> {
        let at = tempfile::tempdir().expect("there is room for a test");
        let size = format!("size={DISK_BYTES}");
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", &size, "none"]).arg(at.path()).stderr(Stdio::null());
        let mounted = mount.status().is_ok_and(|status| status.success());
        mounted.then_some(SmallDisk { at, seen_full: false })
    }

    /// Leaves no byte of it. What the service gives back meanwhile is taken by the next call.
    fn fill(&self) {
        let file = fs::OpenOptions::new().create(true).append(true).open(self.filler());
        let mut file = file.expect("there is room for a name");
        let mut size = 1 << 20;
        while size > 0 {
            if file.write_all(&vec![7; size]).is_err() {
                size /= 2;
            }
        }
    }

    fn empty(&self) {
        fs::remove_file(self.filler()).expect("it was written");
    }

    fn filler(&self) -> PathBuf {
        self.at.path().join("filler")
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Lazily: files of a service that a failed test has left are still open.
        let _ = Command::new("umount").arg("-l").arg(self.at.path()).status();
    }
}

impl ServiceSide {
    /// What the faults of a scenario strike; none where it cannot be had here.
    pub(crate) async fn of(scenario: &Scenario) -> Option<ServiceSide> {
        let has = |fault| scenario.service.iter().any(|one| one.fault == fault);
        let mut side = ServiceSide { ahead: scenario.service.clone(), ..ServiceSide::default() };
        if has(Fault::DiskFull) {
            side.disk = SmallDisk::mounted();
            if side.disk.is_none() {
                skipped(&scenario.name, "only root may mount a tmpfs");
                return None;
            }
        }
        if has(Fault::DatabaseLoss) {
            side.database = Some(Cluster::migrated(&scenario.name).await?);
        }
        Some(side)
    }

    fn has_none(&self) -> bool {
        self.disk.is_none() && self.database.is_none()
    }

    /// Lets nothing go wrong.
    pub(crate) fn spare(&mut self) {
        self.ahead.clear();
    }

    /// Writes into the configuration where disk and database are, and that their loss is an alert.
    pub(crate) fn configure(&self, site: &Site) {
        let mut text = fs::read_to_string(site.file()).expect("it was just written");
        if let Some(disk) = &self.disk {
            let data = disk.at.path().join("data");
            text = text.replace("dir = 'data'", &format!("dir = '{}'", data.display()));
            text += "[[alert]]\nwhen = 'disk'\n";
        }
        if let Some(database) = &self.database {
            let secret = site.path().join("secret");
            fs::write(&secret, password()).expect("a test can write");
            fs::set_permissions(&secret, fs::Permissions::from_mode(0o600)).expect("it is ours");
            let url = format!("postgres://capline_writer@127.0.0.1:{}/postgres", database.port());
            text = format!(
                "[database]\nurl = '{url}'\nedge = '{EDGE}'\npassword_file = 'secret'\n{text}\
                 [[alert]]\nwhen = 'database'\nlonger = '60s'\n"
            );
        }
        fs::write(site.file(), text).expect("a test can write its configuration");
    }

    /// Waits until what there is works: what a start says of it is no fault of the scenario.
    pub(crate) async fn works(&self, api: Api) {
        if let Some(database) = &self.database {
            let admin = database.admin().await;
            until("rows in the plant database", PATIENCE, async || {
                let there = sums(&admin, EDGE).await;
                if there.events > 0 { Ok(()) } else { Err(format!("{there:?}")) }
            })
            .await;
        }
        if self.has_none() {
            return;
        }
        until("no open alert", PATIENCE, async || {
            let open = open_alerts(api).await?;
            if open.is_empty() { Ok(()) } else { Err(format!("{open:?}")) }
        })
        .await;
    }

    /// Brings about what is due at a plant time.
    pub(crate) async fn act(&mut self, plant_us: i64) {
        while let Some(over) = self.on.iter().position(|one| one.until_us <= plant_us) {
            match self.on.remove(over).fault {
                Fault::DiskFull => self.disk.iter().for_each(SmallDisk::empty),
                _ => start_again(self.database.as_mut()).await,
            }
        }
        while self.ahead.first().is_some_and(|one| one.from_us <= plant_us) {
            let one = self.ahead.remove(0);
            if one.fault == Fault::DatabaseLoss {
                self.database.iter_mut().for_each(Cluster::stop);
            }
            self.on.push(one);
        }
        if self.on.iter().any(|one| one.fault == Fault::DiskFull) {
            self.disk.iter().for_each(SmallDisk::fill);
        }
    }

    /// Alerts of disk and database that are open.
    pub(crate) async fn shown(&mut self, api: Api) -> BTreeSet<String> {
        if self.has_none() {
            return BTreeSet::new();
        }
        if let Some(disk) = &mut self.disk {
            let metrics = api.text("/metrics").await.unwrap_or_default();
            let free = metrics.lines().filter(|line| line.starts_with("capline_store_free_bytes"));
            let mut free = free.filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok());
            disk.seen_full |= free.any(|bytes| bytes < FULL_BYTES);
        }
        open_alerts(api).await.unwrap_or_default()
    }

    /// Takes one row from the database, where there is one.
    pub(crate) async fn lose_a_row(&self) -> bool {
        let Some(database) = &self.database else { return false };
        let sql = "delete from capline.event where seq = (select min(seq) from capline.event)";
        database.admin().await.execute(sql, &[]).await.expect("an administrator may do so") == 1
    }

    /// Waits until the database holds what the journal has, which a busy machine delays, and for a minute at most.
    pub(crate) async fn settles(&self, site: &Site) {
        let Some(database) = &self.database else { return };
        let end = Instant::now() + PATIENCE;
        while Instant::now() < end && not_once(database, &site.data()).await.is_some() {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// What is not as it must be once everything works again.
    pub(crate) async fn wrong(&self, site: &Site) -> Vec<String> {
        let mut wrong = Vec::new();
        if self.disk.as_ref().is_some_and(|disk| !disk.seen_full) {
            wrong.push("the service never saw its disk full".to_owned());
        }
        if let Some(database) = &self.database {
            wrong.extend(not_once(database, &site.data()).await);
        }
        wrong
    }

    /// What the journal of a service that has ended does not hold of what was made, where it had to do without something.
    pub(crate) fn lost(&self, site: &Site, made: u64) -> Option<String> {
        let total = (!self.has_none()).then(|| site.books().total)?;
        (total != Count::exact(made))
            .then(|| format!("{made} were made, and the journal has {total}"))
    }
}

async fn start_again(database: Option<&mut Cluster>) {
    if let Some(database) = database {
        database.start_again().await;
    }
}

async fn open_alerts(api: Api) -> Result<BTreeSet<String>, String> {
    let alerts = api.get("/api/v1/alerts").await?;
    let open = alerts["open"].as_array().into_iter().flatten();
    let rules = open.filter_map(|alert| alert["rule"].as_str());
    Ok(rules.filter(|rule| ["disk", "database"].contains(rule)).map(str::to_owned).collect())
}

/// What of the journal is not once in the database: rows, distinct rows and the last number must agree.
async fn not_once(database: &Cluster, journal: &Path) -> Option<String> {
    let admin = database.admin().await;
    let (there, wanted) = (sums(&admin, EDGE).await, Book::sums(journal));
    let sql = "select count(*), count(distinct (line_id, seq)),
                 (select last_seq from capline.edge_stream where stream = 'event') from capline.event";
    let row = admin.query_one(sql, &[]).await.expect("the tables are there");
    let rows: [Option<i64>; 3] = [0, 1, 2].map(|column| row.get(column));
    let once = there == wanted && rows == [Some(wanted.events); 3];
    (!once).then(|| format!("the database holds {there:?} and {rows:?} of {wanted:?}"))
}
