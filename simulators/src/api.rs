//! The public interfaces that a score needs: the service's, and that of a plant in another process.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    time::Duration,
};

use http_body_util::{BodyExt, Empty, Limited};
use hyper::{Method, Request, StatusCode, body::Bytes, client::conn::http1, header};
use hyper_util::rt::TokioIo;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::{
    injections::Injection,
    ledger::Ledger,
    reach::{self, Token, Trust},
    report::{
        Report, ReportError, Reporter, Said, SaidBatch, SaidBore, SaidCounter, SaidSignal, SaidStop,
    },
};

/// No answer is longer.
const MOST_BYTES: usize = 256 << 20;
/// No answer takes longer, unless its server hangs.
const ANSWERED_WITHIN: Duration = Duration::from_secs(30);

/// A server of HTTP.
#[derive(Clone, Debug)]
pub struct Server {
    /// Host and port.
    authority: String,
    /// Whether it is reached over TLS.
    over_tls: bool,
    trust: Option<Trust>,
    token: Option<Token>,
}

impl Server {
    /// The server of a URL such as `http://127.0.0.1:8080`, or of one with `https`, which needs [`Server::trusting`].
    ///
    /// # Errors
    /// It is no such URL.
    pub fn new(url: &str) -> Result<Server, ReportError> {
        let plain = url.strip_prefix("http://").map(|rest| (rest, false));
        let split = plain.or_else(|| url.strip_prefix("https://").map(|rest| (rest, true)));
        let (rest, over_tls) = split.ok_or_else(|| ReportError::Address(url.into()))?;
        let authority = rest.trim_end_matches('/').to_owned();
        let is_one = authority.rsplit_once(':').is_some_and(|(host, port)| {
            !host.is_empty() && port.parse::<u16>().is_ok() && !host.contains('/')
        });
        let server = Server { authority, over_tls, trust: None, token: None };
        is_one.then_some(server).ok_or_else(|| ReportError::Address(url.into()))
    }

    /// The same, whose certificate must be one of this file or lead to one. It matters for `https` alone.
    ///
    /// # Errors
    /// The file and what is wrong with it.
    pub fn trusting(self, ca: &Path) -> Result<Server, ReportError> {
        let wrong = |problem| ReportError::Authority { file: ca.to_owned(), problem };
        Ok(Server { trust: Some(Trust::in_file(ca).map_err(wrong)?), ..self })
    }

    /// The same, where people sign in, with the token of a display.
    #[must_use]
    pub fn with_token(self, token: &str) -> Server {
        Server { token: Some(Token::new(token)), ..self }
    }

    fn url(&self, path: &str) -> String {
        let scheme = if self.over_tls { "https" } else { "http" };
        format!("{scheme}://{}{path}", self.authority)
    }

    /// The JSON at a path; none where the server says that there is no such thing.
    async fn find(&self, method: Method, path: &str) -> Result<Option<Value>, ReportError> {
        self.find_within(ANSWERED_WITHIN, method, path).await
    }

    /// The same, for which there is only so much time: a server may hang.
    pub(crate) async fn find_within(
        &self,
        time: Duration,
        method: Method,
        path: &str,
    ) -> Result<Option<Value>, ReportError> {
        let answer = tokio::time::timeout(time, self.look_up(method, path)).await;
        answer.unwrap_or_else(|_| {
            let url = self.url(path);
            Err(ReportError::Unreachable { url, error: format!("no answer within {time:?}") })
        })
    }

    async fn look_up(&self, method: Method, path: &str) -> Result<Option<Value>, ReportError> {
        let url = self.url(path);
        if self.over_tls && self.trust.is_none() {
            return Err(ReportError::NoAuthority(url));
        }
        let away = |error: &dyn std::fmt::Display| ReportError::Unreachable {
            url: url.clone(),
            error: error.to_string(),
        };
        let trust = self.trust.as_ref().filter(|_| self.over_tls);
        let stream = reach::connect(&self.authority, trust).await.map_err(|e| away(&e))?;
        let (mut sender, connection) =
            http1::handshake(TokioIo::new(stream)).await.map_err(|e| away(&e))?;
        let connection = tokio::spawn(connection);
        let mut request =
            Request::builder().method(method).uri(path).header(header::HOST, &self.authority);
        if let Some(token) = &self.token {
            request = request.header(header::AUTHORIZATION, token.header());
        }
        let request = request.body(Empty::<Bytes>::new()).map_err(|e| away(&e))?;
        let answer = sender.send_request(request).await.map_err(|e| away(&e))?;
        let status = answer.status();
        let body = Limited::new(answer.into_body(), MOST_BYTES).collect().await;
        connection.abort();
        let body = body.map_err(|e| away(&e))?.to_bytes();
        let problem = |problem: String| ReportError::Answer { url: url.clone(), problem };
        match status {
            StatusCode::NOT_FOUND => Ok(None),
            StatusCode::UNAUTHORIZED => {
                let way = "people sign in there; give the token of a display with --token-file";
                Err(problem(way.to_owned()))
            }
            status if status.is_success() => {
                serde_json::from_slice(&body).map(Some).map_err(|e| problem(e.to_string()))
            }
            status => Err(problem(format!("{status} {}", String::from_utf8_lossy(&body)))),
        }
    }

    async fn get(&self, path: &str) -> Result<Value, ReportError> {
        self.ask(Method::GET, path).await
    }

    async fn ask(&self, method: Method, path: &str) -> Result<Value, ReportError> {
        self.find(method, path).await?.ok_or_else(|| self.wrong(path, "there is no such thing"))
    }

    fn wrong(&self, path: &str, problem: &str) -> ReportError {
        ReportError::Answer { url: self.url(path), problem: problem.to_owned() }
    }
}

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

/// A plant in another process.
#[derive(Clone, Debug)]
pub struct RemotePlant {
    server: Server,
}

impl RemotePlant {
    /// The plant behind a server.
    pub fn new(server: Server) -> RemotePlant {
        RemotePlant { server }
    }

    async fn read<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
    ) -> Result<T, ReportError> {
        let value = self.server.ask(method, path).await?;
        serde_json::from_value(value).map_err(|error| self.server.wrong(path, &error.to_string()))
    }

    /// Its ledger now.
    ///
    /// # Errors
    /// It cannot be reached, or is no simulated plant.
    pub async fn ledger(&self) -> Result<Ledger, ReportError> {
        self.read(Method::GET, "/ledger").await
    }

    /// How many times as fast as real it runs.
    ///
    /// # Errors
    /// It cannot be reached, or is no simulated plant.
    pub async fn speed(&self) -> Result<f64, ReportError> {
        let account = self.server.get("/ledger").await?;
        account["speed"].as_f64().ok_or_else(|| self.server.wrong("/ledger", "it has no speed"))
    }

    /// Whether its time stands still.
    ///
    /// # Errors
    /// It cannot be reached, or is no simulated plant.
    pub async fn is_held(&self) -> Result<bool, ReportError> {
        let account = self.server.get("/ledger").await?;
        account["held"]
            .as_bool()
            .ok_or_else(|| self.server.wrong("/ledger", "it is not said whether it is held"))
    }

    /// What was injected.
    ///
    /// # Errors
    /// It cannot be reached, or is no simulated plant.
    pub async fn injected(&self) -> Result<Vec<Injection>, ReportError> {
        self.read(Method::GET, "/injections").await
    }

    /// Holds it, and its ledger then.
    ///
    /// # Errors
    /// It cannot be reached, or is no simulated plant.
    pub async fn hold(&self) -> Result<Ledger, ReportError> {
        self.read(Method::POST, "/hold").await
    }

    /// Lets it run again.
    ///
    /// # Errors
    /// It cannot be reached, or is no simulated plant.
    pub async fn resume(&self) -> Result<(), ReportError> {
        self.server.ask(Method::POST, "/resume").await.map(|_| ())
    }
}
