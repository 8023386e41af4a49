//! What a service says of a line over its public interface.

use std::collections::{BTreeMap, BTreeSet};

use hyper::Method;
use serde_json::Value;

use crate::{
    report::{
        Report, ReportError, Reporter, Said, SaidBatch, SaidBore, SaidCounter, SaidSignal, SaidStop,
    },
    server::Server,
};

/// A line of a running service.
#[derive(Clone, Debug)]
pub struct ServiceLine {
    server: Server,
    line: String,
}

impl ServiceLine {
    /// A line by its name, or the only one of a service.
    ///
    /// # Errors
    /// The service cannot be reached, or has no such line; the message names those that it has.
    pub async fn find(server: Server, line: Option<&str>) -> Result<ServiceLine, ReportError> {
        let path = "/api/v1/lines";
        let lines = server.get(path).await?;
        let ids: Vec<&str> =
            lines.as_array().into_iter().flatten().filter_map(|line| line["id"].as_str()).collect();
        let found = match line {
            None if ids.len() == 1 => ids.first(),
            None => None,
            Some(line) => ids.iter().find(|id| **id == line),
        };
        match found {
            Some(id) => Ok(ServiceLine { line: (*id).to_owned(), server }),
            None => {
                let problem = format!("its lines are {}; name one of them", ids.join(", "));
                Err(server.wrong(path, &problem))
            }
        }
    }

    fn path(&self, rest: &str) -> String {
        format!("/api/v1/lines/{}/{rest}", self.line)
    }

    async fn counter(&self, tag: &str, span: &str) -> Result<Option<SaidCounter>, ReportError> {
        let path = self.path(&format!("counters/{}?{span}", encoded(tag)));
        let Some(view) = self.server.find(Method::GET, &path).await? else { return Ok(None) };
        let total =
            said(&view["total"]).ok_or_else(|| self.server.wrong(&path, "it has no total"))?;
        let entries = view["entries"].as_array().into_iter().flatten();
        let causes =
            entries.filter_map(|entry| Some(entry["cause"].as_str()?.to_owned())).collect();
        Ok(Some(SaidCounter { total, causes }))
    }

    async fn stops(&self, span: &str) -> Result<Vec<SaidStop>, ReportError> {
        let path = self.path(&format!("stops?{span}"));
        let view = self.server.get(&path).await?;
        let recorded = view["recorded"].as_array().into_iter().flatten();
        let stop = |stop: &Value| {
            Some(SaidStop {
                from_us: us(&stop["from_ms"])?,
                to_us: us(&stop["to_ms"]),
                cause: stop["cause"].as_str()?.to_owned(),
                reason: stop["reason"].as_i64(),
                key: stop["key"].as_str().map(str::to_owned),
            })
        };
        let stops: Option<Vec<SaidStop>> = recorded.map(stop).collect();
        stops.ok_or_else(|| self.server.wrong(&path, "a stop has no start or no cause"))
    }

    async fn signals(&self, span: &str) -> Result<Vec<SaidSignal>, ReportError> {
        let alarms = self.server.get(&self.path(&format!("events?kind=alarm&{span}"))).await?;
        let alarm = |event: &Value| {
            Some(SaidSignal {
                at_us: us(&event["at_ms"])?,
                word: event["word"].as_str()?.to_owned(),
                about: event["tag"].as_str().or(event["station"].as_str()).unwrap_or("").to_owned(),
            })
        };
        let charts = self.server.find(Method::GET, &self.path("characteristics")).await?;
        let charts = charts.unwrap_or_default();
        let mut minutes: BTreeMap<&str, i64> = BTreeMap::new();
        for chart in charts.as_array().into_iter().flatten() {
            if let (Some(id), Some(long)) =
                (chart["id"].as_str(), chart["subgroup_minutes"].as_i64())
            {
                minutes.insert(id, long);
            }
        }
        let path = self.path(&format!("incidents?{span}"));
        let incidents = self.server.find(Method::GET, &path).await?.unwrap_or_default();
        // An incident is told with the start of its first subgroup, and nobody can signal before that ends.
        let incident = |incident: &Value| {
            let about = incident["characteristic"].as_str()?;
            let opened_us = us(&incident["opened_ms"])?;
            let at_us = opened_us.checked_add(minutes.get(about)?.checked_mul(60_000_000)?)?;
            Some(SaidSignal { at_us, word: CHART.to_owned(), about: about.to_owned() })
        };
        let alarms = alarms.as_array().into_iter().flatten().filter_map(alarm);
        let incidents = incidents.as_array().into_iter().flatten().filter_map(incident);
        let mut signals: Vec<SaidSignal> = alarms.chain(incidents).collect();
        signals.sort_by_key(|signal| signal.at_us);
        Ok(signals)
    }

    async fn batches(&self, span: &str) -> Result<Vec<SaidBatch>, ReportError> {
        let path = self.path(&format!("batches?{span}"));
        let view = self.server.get(&path).await?;
        let batch = |batch: &Value| {
            let infeed = batch["tallies"]
                .as_array()?
                .iter()
                .find(|tally| tally["counted"] == "infeed" && tally["station"] == COUNTING);
            Some(SaidBatch {
                id: batch["name"].as_str()?.to_owned(),
                from_us: us(&batch["start_ms"])?,
                to_us: us(&batch["end_ms"]),
                // A counter that counted nothing has no tally.
                infeed: infeed.map_or(Some(Said::default()), |tally| said(&tally["count"]))?,
                made: said(&batch["good"])?,
                rejected: said(&batch["rejected"])?,
            })
        };
        let batches: Option<Vec<SaidBatch>> =
            view.as_array().into_iter().flatten().map(batch).collect();
        batches.ok_or_else(|| self.server.wrong(&path, "a batch has no number, start or count"))
    }

    async fn bores(&self) -> Result<Vec<SaidBore>, ReportError> {
        let path = self.path("bores?window=day");
        let view = self.server.find(Method::GET, &path).await?.unwrap_or_default();
        let mut said = Vec::new();
        for station in view["stations"].as_array().into_iter().flatten() {
            let name = station["station"].as_str().unwrap_or_default();
            for bore in station["bores"].as_array().into_iter().flatten() {
                let number = bore["bore"].as_u64().and_then(|number| u16::try_from(number).ok());
                let less = match bore["verdict"].as_str() {
                    Some("less") => true,
                    Some("more") => false,
                    _ => continue,
                };
                let bore =
                    number.ok_or_else(|| self.server.wrong(&path, "a bore has no number"))?;
                said.push(SaidBore { station: name.to_owned(), bore, less });
            }
        }
        Ok(said)
    }

    /// The machines that it reads, by their tags.
    ///
    /// # Errors
    /// The service cannot be reached.
    pub async fn machines(&self) -> Result<Vec<String>, ReportError> {
        let view = self.server.get(&self.path("snapshot")).await?;
        let stations = view["stations"].as_array().into_iter().flatten();
        Ok(stations.filter_map(|station| Some(station["id"].as_str()?.to_owned())).collect())
    }

    /// Those of these machines that it does not read. One whose heartbeat stands still with a plant that is held is read.
    ///
    /// # Errors
    /// The service cannot be reached.
    pub async fn unread<'a>(&self, machines: &[&'a str]) -> Result<Vec<&'a str>, ReportError> {
        let view = self.server.get(&self.path("snapshot")).await?;
        let stations: Vec<&Value> = view["stations"].as_array().into_iter().flatten().collect();
        let faults: Vec<&Value> = view["faults"].as_array().into_iter().flatten().collect();
        let is_read = |machine: &str| {
            let is_up = |station: &Value| station["id"] == machine && station["up"] == true;
            let stands = |fault: &Value| {
                fault["station"] == machine && fault["heard"] == true && fault["reason"] == "frozen"
            };
            stations.iter().any(|one| is_up(one)) || faults.iter().any(|one| stands(one))
        };
        Ok(machines.iter().copied().filter(|machine| !is_read(machine)).collect())
    }

    /// What it shows now of the data: kinds of faults such as `plc_offline` and their reasons such as `timeout`, and doubts of
    /// tags such as `uncertain`.
    ///
    /// # Errors
    /// The service cannot be reached.
    pub async fn shown(&self) -> Result<BTreeSet<String>, ReportError> {
        let mut shown = faults(&self.server.get(&self.path("snapshot")).await?);
        shown.extend(self.doubts().await?);
        Ok(shown)
    }

    /// Why tags are not to be trusted now, such as `uncertain`.
    ///
    /// # Errors
    /// The service cannot be reached.
    pub async fn doubts(&self) -> Result<BTreeSet<String>, ReportError> {
        let data = self.server.get(&self.path("data")).await?;
        let tags = data["tags"].as_array().into_iter().flatten();
        let doubts = tags.filter_map(|tag| tag["doubt"].as_str());
        Ok(doubts.filter(|word| !word.is_empty()).map(str::to_owned).collect())
    }

    /// Polls of each machine that brought nothing since the service was started, by machine and reason.
    ///
    /// # Errors
    /// The service cannot be reached.
    pub async fn missed(&self) -> Result<Missed, ReportError> {
        let data = self.server.get(&self.path("data")).await?;
        let mut missed = Missed::default();
        for group in data["polls"].as_array().into_iter().flatten() {
            let station = group["station"].as_str().unwrap_or_default();
            for miss in group["missed"].as_array().into_iter().flatten() {
                let reason = miss["reason"].as_str().unwrap_or_default();
                let n = miss["n"].as_f64().unwrap_or(0.0) as u64;
                *missed.0.entry((station.to_owned(), reason.to_owned())).or_default() += n;
            }
        }
        Ok(missed)
    }
}

/// Polls that brought nothing, by machine and reason.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Missed(BTreeMap<(String, String), u64>);

impl Missed {
    /// What has come to it since an earlier count, as words: `missed CW04 broken` for polls of CW04 that found a broken
    /// connection.
    pub fn since(&self, before: &Missed) -> BTreeSet<String> {
        let is_new =
            |(what, n): &(&(String, String), &u64)| before.0.get(*what).is_none_or(|old| *n > old);
        let new = self.0.iter().filter(is_new);
        new.map(|((station, reason), _)| format!("missed {station} {reason}")).collect()
    }
}

/// Kinds and reasons of the faults of a snapshot.
pub fn faults(snapshot: &Value) -> BTreeSet<String> {
    let faults = snapshot["faults"].as_array().into_iter().flatten();
    let words = faults.flat_map(|fault| [fault["kind"].as_str(), fault["reason"].as_str()]);
    words.flatten().filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

/// A count of an answer.
fn said(count: &Value) -> Option<Said> {
    let part = |key: &str| count[key].as_u64();
    Some(Said { low: part("low")?, best: part("best")?, high: part("high")? })
}

/// The machine whose counts are those of the line.
const COUNTING: &str = "CF01";

/// Milliseconds of an answer as microseconds; none where they are none that can be.
fn us(ms: &Value) -> Option<i64> {
    ms.as_i64()?.checked_mul(1_000)
}

/// Word of a signal of a chart.
pub(crate) const CHART: &str = "chart";

impl Reporter for ServiceLine {
    async fn report(&self, tags: &[&str], from_us: i64) -> Result<Report, ReportError> {
        let to_us = self.now_us().await? + 1_000_000;
        let span = format!("from={}&to={}", from_us / 1_000, to_us / 1_000);
        let mut report = Report {
            stops: self.stops(&span).await?,
            signals: self.signals(&span).await?,
            batches: self.batches(&span).await?,
            bores: self.bores().await?,
            ..Report::default()
        };
        for tag in tags {
            if let Some(counter) = self.counter(tag, &span).await? {
                report.counters.insert((*tag).to_owned(), counter);
            }
        }
        Ok(report)
    }

    async fn now_us(&self) -> Result<i64, ReportError> {
        let path = self.path("snapshot");
        let view = self.server.get(&path).await?;
        let at_ms = view["at_ms"].as_i64().zip(view["age_ms"].as_i64());
        let (at_ms, age_ms) =
            at_ms.ok_or_else(|| self.server.wrong(&path, "it does not say when it is"))?;
        let now_us = at_ms.checked_add(age_ms).and_then(|ms| ms.checked_mul(1_000));
        now_us.ok_or_else(|| self.server.wrong(&path, "it is at no moment that there is"))
    }
}

/// A tag in a path.
fn encoded(tag: &str) -> String {
    let keep = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    let part = |byte: u8| match keep(byte) {
        true => char::from(byte).to_string(),
        false => format!("%{byte:02X}"),
    };
    tag.bytes().map(part).collect()
}
