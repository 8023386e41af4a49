//! What differs between two configurations, and whether a running service can take it. Compares; changes nothing.

use std::collections::HashSet;
use std::fmt;

use domain::plc_map::{PlcMap, Problem};
use domain::units::{LineId, StationId};

use super::{Config, DeviceConfig, LineConfig};

/// Keys outside of lines that a running service cannot take: what rests on them was opened at its start.
pub(super) const FIXED: [&str; 18] = [
    "name",
    "zone",
    "listen",
    "tls",
    "connections",
    "connections_per_address",
    "access",
    "session_idle",
    "session_longest",
    "two_persons",
    "dir",
    "commit",
    "keep_seconds",
    "keep_raw",
    "budget_mb",
    "realtime_priority",
    "webhook",
    "alert",
];

/// What differs between the configuration that runs and a new one.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ConfigChange {
    /// Differences that need a restart; with any of them nothing can be applied.
    pub needs_restart: Vec<Problem>,
    /// Whether people may write over the web, if that changed.
    pub web_writes: Option<bool>,
    /// Lines that are new.
    pub added: Vec<LineId>,
    /// Lines that are gone.
    pub removed: Vec<LineId>,
    /// Lines that are in both and differ.
    pub lines: Vec<LineChange>,
}

/// What differs in one line.
#[derive(Clone, Debug, PartialEq)]
pub struct LineChange {
    /// Which line.
    pub id: LineId,
    /// Its devices that differ.
    pub devices: Vec<DeviceChange>,
    /// Its keys that differ.
    pub keys: Vec<&'static str>,
    /// Whether what follows the line has to know: its devices, their order, its output, its target or its calendar.
    pub followed: bool,
    /// Whether its control charts begin anew with other settings.
    pub charts: bool,
}

/// What differs of a device. It is known by its station.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceChange {
    /// Its station.
    pub station: StationId,
    /// What became of it.
    pub what: Difference,
}

/// What became of a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Difference {
    /// It is new.
    Added,
    /// It is gone.
    Removed,
    /// Its map differs.
    Map,
    /// Its map is the same; its address, line, times or access differ.
    Reach,
    /// It shares its serial port with one that differs.
    SharedPort,
}

impl ConfigChange {
    /// Compares the configuration that runs with a new one.
    pub fn between(old: &Config, new: &Config) -> ConfigChange {
        let find = |config: &Config, id: &LineId| config.lines.iter().any(|line| line.id == *id);
        let missing = |of: &Config, other: &Config| -> Vec<LineId> {
            of.lines.iter().map(|line| line.id.clone()).filter(|id| !find(other, id)).collect()
        };
        let pairs = new.lines.iter().filter_map(|line| {
            let before = old.lines.iter().find(|before| before.id == line.id)?;
            LineChange::between(before, line)
        });
        ConfigChange {
            needs_restart: fixed(old, new),
            web_writes: (old.web.writes != new.web.writes).then_some(new.web.writes),
            added: missing(new, old),
            removed: missing(old, new),
            lines: pairs.collect(),
        }
    }

    /// What changes, one sentence each.
    pub fn tell(&self) -> Vec<String> {
        self.sentences().into_iter().map(|(_, sentence)| sentence).collect()
    }

    /// What changes for a line: of it alone, or of all.
    pub fn tell_of(&self, line: &LineId) -> Vec<String> {
        let concerns = |of: Option<&LineId>| of.is_none_or(|of| of == line);
        let sentences = self.sentences().into_iter();
        sentences.filter(|(of, _)| concerns(*of)).map(|(_, sentence)| sentence).collect()
    }

    /// All sentences with the line that each is about; none for what concerns all.
    fn sentences(&self) -> Vec<(Option<&LineId>, String)> {
        let mut told = Vec::new();
        told.extend(self.added.iter().map(|id| (Some(id), format!("line {id} added"))));
        told.extend(self.removed.iter().map(|id| (Some(id), format!("line {id} removed"))));
        for line in &self.lines {
            let id = &line.id;
            let mut tell = |what: String| told.push((Some(id), format!("line {id}: {what}")));
            line.keys.iter().for_each(|key| tell(format!("{key} changed")));
            line.devices.iter().for_each(|device| tell(device.to_string()));
            if line.keys.is_empty() && line.devices.is_empty() {
                tell("order of devices changed".to_owned());
            }
        }
        told.extend(self.web_writes.map(|writes| (None, format!("web writes = {writes}"))));
        told
    }
}

impl fmt::Display for DeviceChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.what {
            Difference::Added => "added",
            Difference::Removed => "removed",
            Difference::Map => "read by another map",
            Difference::Reach => "reached another way",
            Difference::SharedPort => "connected anew with its serial port",
        };
        write!(f, "device {} {what}", self.station)
    }
}

impl LineChange {
    /// None if nothing differs.
    fn between(old: &LineConfig, new: &LineConfig) -> Option<LineChange> {
        let devices = devices(old, new);
        let mut keys = Vec::new();
        let mut note = |key, differs: bool| {
            if differs {
                keys.push(key);
            }
            differs
        };
        note("title", old.title != new.title);
        let counting = note("counting_station", old.output != new.output);
        let target = note("target_per_minute", old.target_per_minute != new.target_per_minute);
        note("micro_stop", old.micro_stop != new.micro_stop);
        note("material_balance", old.material_balance != new.material_balance);
        let calendar = note("calendar", old.calendar != new.calendar);
        let charts = old.characteristics != new.characteristics;
        // Those that a map brings or takes away are said with its device.
        note("characteristic", charts && devices.is_empty());
        let stations = |line: &LineConfig| -> Vec<StationId> {
            line.devices.iter().map(|device| device.map.station.clone()).collect()
        };
        let moved = stations(old) != stations(new);
        let followed = counting || target || calendar || moved || !devices.is_empty();
        let differs = !keys.is_empty() || followed;
        differs.then(|| LineChange { id: new.id.clone(), devices, keys, followed, charts })
    }

    /// Stations whose devices are stopped: gone, or read anew.
    pub fn stopped(&self) -> impl Iterator<Item = &StationId> {
        let stops = self.devices.iter().filter(|device| device.what != Difference::Added);
        stops.map(|device| &device.station)
    }

    /// Stations whose devices are started: new, or read anew.
    pub fn started(&self) -> impl Iterator<Item = &StationId> {
        let starts = self.devices.iter().filter(|device| device.what != Difference::Removed);
        starts.map(|device| &device.station)
    }
}

fn devices(old: &LineConfig, new: &LineConfig) -> Vec<DeviceChange> {
    fn find<'l>(line: &'l LineConfig, device: &DeviceConfig) -> Option<&'l DeviceConfig> {
        line.devices.iter().find(|other| other.map.station == device.map.station)
    }
    let of = |device: &DeviceConfig, what| {
        Some(DeviceChange { station: device.map.station.clone(), what })
    };
    let now = new.devices.iter().filter_map(|device| match find(old, device) {
        None => of(device, Difference::Added),
        Some(before) if !is_same_map(&before.map, &device.map) => of(device, Difference::Map),
        Some(before) if !is_reached_alike(before, device) => of(device, Difference::Reach),
        Some(_) => None,
    });
    let mut changes: Vec<DeviceChange> = now.collect();
    let gone = old.devices.iter().filter(|device| find(new, device).is_none());
    changes.extend(gone.filter_map(|device| of(device, Difference::Removed)));
    // A port is opened once for all its devices, with the settings and pauses of the first.
    let is_changed = |device: &&DeviceConfig, changes: &[DeviceChange]| {
        changes.iter().any(|change| change.station == device.map.station)
    };
    let port = |device: &DeviceConfig| device.wire.serial().map(|port| port.path.clone());
    let both = || old.devices.iter().chain(&new.devices);
    let ports: HashSet<String> =
        both().filter(|device| is_changed(device, &changes)).filter_map(port).collect();
    for device in &new.devices {
        if !is_changed(&device, &changes) && port(device).is_some_and(|path| ports.contains(&path))
        {
            changes.extend(of(device, Difference::SharedPort));
        }
    }
    changes
}

/// Whether two maps mean the same. Where they were read, and on which lines their tags stand, is no difference.
fn is_same_map(old: &PlcMap, new: &PlcMap) -> bool {
    let bare = |map: &PlcMap| {
        let mut map = PlcMap { file: String::new(), ..map.clone() };
        map.tags.iter_mut().for_each(|tag| tag.line = 0);
        map
    };
    bare(old) == bare(new)
}

fn is_reached_alike(old: &DeviceConfig, new: &DeviceConfig) -> bool {
    let reach = |device: &DeviceConfig, map| DeviceConfig { map, ..device.clone() };
    reach(old, new.map.clone()) == *new
}

/// What needs a restart.
fn fixed(old: &Config, new: &Config) -> Vec<Problem> {
    let file = new.file.as_ref().map_or_else(String::new, |file| file.display().to_string());
    let mut problems = Vec::new();
    let mut note = |section: &str, key: &str, differs: bool, shown: [String; 2]| {
        if differs {
            let [runs, wanted] = shown;
            problems.push(Problem {
                file: file.clone(),
                line: new.key_lines.get(key).copied().unwrap_or(0),
                place: section.to_owned(),
                message: format!(
                    "needs a restart: {key}: the service runs with {runs} and the file wants {wanted}; put it back, or \
                     restart the service"
                ),
            });
        }
    };
    let both = |shown: &dyn Fn(&Config) -> String| [shown(old), shown(new)];
    note("[site]", "name", old.site != new.site, both(&|c| format!("{:?}", c.site)));
    let zone = |c: &Config| c.zone.iana_name().unwrap_or("another zone").to_owned();
    note("[site]", "zone", old.zone != new.zone, both(&|c| format!("{:?}", zone(c))));
    let listens = old.web.listen != new.web.listen;
    note("[web]", "listen", listens, both(&|c| format!("\"{}\"", c.web.listen)));
    let access = old.web.access != new.web.access;
    note("[web]", "access", access, both(&|c| format!("\"{}\"", c.web.access.word())));
    let idle = old.web.session_idle != new.web.session_idle;
    note("[web]", "session_idle", idle, both(&|c| format!("{:?}", c.web.session_idle)));
    let longest = old.web.session_longest != new.web.session_longest;
    note("[web]", "session_longest", longest, both(&|c| format!("{:?}", c.web.session_longest)));
    note("[web]", "tls", old.web.reach.tls != new.web.reach.tls, both(&|c| c.web.reach.told()));
    let total = |c: &Config| c.web.reach.limits.connections;
    let each = |c: &Config| c.web.reach.limits.per_address;
    note("[web]", "connections", total(old) != total(new), both(&|c| total(c).to_string()));
    let differs = each(old) != each(new);
    note("[web]", "connections_per_address", differs, both(&|c| each(c).to_string()));
    let two = |c: &Config| c.quality.two_persons;
    note("[quality]", "two_persons", two(old) != two(new), both(&|c| two(c).to_string()));
    note("[store]", "dir", old.data != new.data, both(&|c| c.data.display().to_string()));
    let commits = old.commit_every != new.commit_every;
    note("[store]", "commit", commits, both(&|c| format!("{:?}", c.commit_every)));
    let seconds = old.keep_seconds != new.keep_seconds;
    note("[store]", "keep_seconds", seconds, both(&|c| format!("{:?}", c.keep_seconds)));
    note(
        "[store]",
        "keep_raw",
        old.keep_raw != new.keep_raw,
        both(&|c| format!("{:?}", c.keep_raw)),
    );
    let budget =
        |c: &Config| c.budget.map_or_else(|| "none".to_owned(), |b| format!("{}", b / 1_000_000));
    note("[store]", "budget_mb", old.budget != new.budget, both(&budget));
    let priority = |c: &Config| {
        c.realtime_priority.map_or_else(|| "none".to_owned(), |priority| priority.to_string())
    };
    let differs = old.realtime_priority != new.realtime_priority;
    note("[acquisition]", "realtime_priority", differs, both(&priority));
    let database = |c: &Config| {
        c.database.as_ref().map_or_else(
            || "none".to_owned(),
            |d| format!("{}@{}:{}/{} as {}", d.user, d.host, d.port, d.name, d.edge),
        )
    };
    note("[database]", "database", old.database != new.database, both(&database));
    let named = |names: Vec<&str>| match names.is_empty() {
        true => "none".to_owned(),
        false => names.join(", "),
    };
    let hooks = |c: &Config| named(c.webhooks.iter().map(|hook| &*hook.name).collect());
    note("[[webhook]]", "webhook", old.webhooks != new.webhooks, both(&hooks));
    let rules = |c: &Config| named(c.alerts.iter().map(|rule| &*rule.name).collect());
    note("[[alert]]", "alert", old.alerts != new.alerts, both(&rules));
    problems
}

#[cfg(test)]
mod tests;
