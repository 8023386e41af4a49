//! A configuration that is read again while the service runs: nothing that was made goes missing, nobody else notices, and
//! what is wrong changes nothing.

use std::path::PathBuf;

use capline::clock::Clock;
use domain::line::minute::Counted;
use domain::units::Count;
use rustix::process::Signal;
use serde_json::{Value, json};
use simulators::Plant;

use crate::harness::{
    Api, App, FILLER, LINE, PATIENCE, Site, WEIGHER, any_port, counter_path, repository, until,
};
use crate::process::Process;
use crate::restart::{GOOD, running_plant};

const RELOAD: &str = "/api/v1/reload";
const WEIGHED: &str = "CW04.Statistic.TotalPackagesAccepted.ItemCount";
const SAMPLES: &str = "CF01.Samples";

/// A plant with a map of its own for each machine, so that the maps can be changed.
struct Scene {
    site: Site,
    plant: Plant,
    /// Good capsules of the filler and of the weigher before the first reading.
    before: [u64; 2],
}

impl Scene {
    async fn new() -> Scene {
        let site = Site::new();
        let plant = running_plant(&site).await;
        for (map, file) in [(FILLER, "filler.toml"), (WEIGHER, "weigher.toml")] {
            std::fs::copy(repository(map), site.path().join(file)).expect("a test can copy a map");
        }
        let ledger = plant.ledger();
        let before = [ledger.made, ledger.weigher.good];
        let scene = Scene { site, plant, before };
        scene.configure(&["filler.toml", "weigher.toml"]);
        scene
    }

    fn file(&self, name: &str) -> PathBuf {
        self.site.path().join(name)
    }

    /// Writes a configuration of the machines whose maps these are.
    fn configure(&self, maps: &[&str]) {
        let (modbus, opcua) = (self.plant.modbus_addr().to_string(), self.plant.opcua_url());
        let files: Vec<String> =
            maps.iter().map(|map| self.file(map).display().to_string()).collect();
        let address = |map: &str| if map.starts_with('f') { &modbus } else { &opcua };
        let devices: Vec<(&str, &str)> = maps
            .iter()
            .zip(&files)
            .map(|(map, file)| (file.as_str(), address(map).as_str()))
            .collect();
        self.site.configure(any_port(), "CF01", &devices);
        // A busy machine must not lose a connection: that none is made anew is what is tested.
        let text = std::fs::read_to_string(self.site.file()).expect("it was written");
        let text = text.replace("\naddress = ", "\nreply_timeout = '5s'\naddress = ");
        std::fs::write(self.site.file(), text).expect("it can be written");
    }

    /// Replaces a text in one of its files.
    fn edit(&self, name: &str, from: &str, to: &str) {
        let text = std::fs::read_to_string(self.file(name)).expect("the file is there");
        assert!(text.contains(from), "{from} is not in {name}");
        std::fs::write(self.file(name), text.replacen(from, to, 1)).expect("it can be written");
    }

    /// The same with a service in this process, which has counted something.
    async fn counting() -> (Scene, App) {
        let scene = Scene::new().await;
        let app = scene.site.serve(Clock::real()).await;
        app.heard().await;
        scene.run(app.api()).await;
        (scene, app)
    }

    /// The same with a service in a process of its own.
    async fn counting_apart() -> (Scene, Process, Api) {
        let scene = Scene::new().await;
        let mut service = Process::run(&scene.site.file());
        let api = service.api().await;
        api.heard("CF01").await;
        api.heard("CW04").await;
        scene.run(api).await;
        (scene, service, api)
    }

    /// Lets the machines run until the line has counted some more.
    async fn run(&self, api: Api) {
        self.plant.resume();
        api.counts_beyond(api.total().await.expect("a total").high() + 150).await;
    }

    /// Holds the machines, and waits until all that the filler made is counted.
    async fn settle(&self, api: Api) -> u64 {
        self.plant.hold();
        let made = self.plant.ledger().made - self.before[0];
        api.counts(made).await;
        made
    }

    /// Ends it and compares the journal with what the machines made: exact, in minutes and gaps.
    async fn compare(self, app: App, good: &str) {
        self.settle(app.api()).await;
        app.stop().await;
        let (books, ledger) = (self.site.books(), self.plant.ledger());
        let made = Count::exact(ledger.made - self.before[0]);
        assert_eq!(books.total, made);
        assert_eq!(books.of("CF01", &Counted::Good, good), made);
        let weighed = Count::exact(ledger.weigher.good - self.before[1]);
        assert_eq!(books.of("CW04", &Counted::Good, WEIGHED), weighed);
        self.plant.stop().await;
    }

    /// Ends a process of the service and compares its journal with what the filler made.
    async fn end(self, mut service: Process, api: Api) {
        let made = self.settle(api).await;
        service.signal(Signal::TERM);
        assert!(service.exit(PATIENCE).await.success());
        assert_eq!(self.site.books().total, Count::exact(made));
        self.plant.stop().await;
    }
}

/// Reads the configuration again; what came of it.
async fn reload(api: Api) -> (u16, Value) {
    api.post(RELOAD, &json!({ "by": "Li" })).await.expect("the service answers")
}

/// The same where it must be taken; what has changed.
async fn applied(api: Api) -> Vec<String> {
    let (status, answer) = reload(api).await;
    assert_eq!((status, &answer["outcome"]), (200, &json!("applied")), "{answer}");
    let texts = answer["changes"].as_array().expect("a list").iter();
    texts.map(|text| text.as_str().expect("a text").to_owned()).collect()
}

/// What the service measures of itself: the first figure of a name, with all these labels.
async fn figure(api: Api, name: &str, labels: &[&str]) -> Option<f64> {
    let text = api.text("/metrics").await.expect("the figures");
    let is_it = |line: &&str| {
        let has = |label: &&str| line.contains(&format!("\"{label}\""));
        line.starts_with(name) && labels.iter().all(has)
    };
    text.lines().find(is_it)?.rsplit_once(' ')?.1.parse().ok()
}

/// Words of events of a kind with their stations, in alphabetical order.
async fn words(api: Api, kind: &str) -> Vec<String> {
    let path = format!("/api/v1/lines/{LINE}/events?kind={kind}");
    let events = api.get(&path).await.expect("the events");
    let word = |event: &Value| {
        format!(
            "{} {}",
            event["word"].as_str().unwrap_or(""),
            event["station"].as_str().unwrap_or("")
        )
    };
    let mut words: Vec<String> = events.as_array().expect("a list").iter().map(word).collect();
    words.sort();
    words
}

/// Waits until the journal has an event of the new configuration.
async fn noted(api: Api) -> String {
    until("a stored change", PATIENCE, async || {
        let path = format!("/api/v1/lines/{LINE}/events?kind=service");
        let events = api.get(&path).await?;
        let events = events.as_array().ok_or("no list")?;
        let found = events.iter().rev().find(|event| event["word"] == "configured");
        let detail = found.and_then(|event| event["detail"].as_str());
        detail.map(str::to_owned).ok_or_else(|| format!("{events:?}"))
    })
    .await
}

/// Waits until a line of the log has this text.
async fn logged(service: &Process, text: &str) {
    until(text, PATIENCE, async || {
        let log = service.stderr();
        let found = log.iter().any(|line| line.contains(text));
        if found { Ok(()) } else { Err(format!("{log:#?}")) }
    })
    .await;
}

/// Polls that brought nothing for another reason than that this machine was busy.
async fn unanswered(api: Api, station: &str) -> f64 {
    let mut sum = 0.0;
    for reason in ["disconnected", "connect_failed", "timeout", "broken", "mismatch", "refused"] {
        for group in ["fast", "slow"] {
            let labels = [station, group, reason];
            sum += figure(api, "capline_polls_missed_total{", &labels).await.unwrap_or(0.0);
        }
    }
    sum
}

/// Polls that fell due in the fast group of a station.
async fn planned(api: Api, station: &str) -> f64 {
    let polls = figure(api, "capline_polls_planned_total{", &[station, "fast"]).await;
    polls.unwrap_or_else(|| panic!("no polls of {station}"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_target_changes_without_a_poll_or_a_count_missing() {
    let (scene, app) = Scene::counting().await;
    let api = app.api();
    let before = [planned(api, "CF01").await, unanswered(api, "CF01").await];
    scene.edit("capline.toml", "target_per_minute = 6500", "target_per_minute = 6000");
    assert_eq!(applied(api).await, ["line L1: target_per_minute changed"]);
    until("the new target", PATIENCE, async || {
        let view = api.snapshot().await?;
        if view["target_per_minute"] == 6_000 { Ok(()) } else { Err(view.to_string()) }
    })
    .await;
    scene.run(api).await;
    assert!(planned(api, "CF01").await > before[0], "its account goes on");
    assert_eq!(unanswered(api, "CF01").await, before[1], "no poll went without an answer");
    assert_eq!(figure(api, "capline_opcua_sessions_total", &[]).await, Some(1.0));
    assert_eq!(words(api, "link").await, ["up CF01", "up CW04"]);
    let told = noted(api).await;
    assert!(told.contains("Li at 127.0.0.1; line L1: target_per_minute changed"), "{told}");
    // The same again is no change, and says so.
    let (status, same) = reload(api).await;
    assert_eq!((status, &same["outcome"]), (200, &json!("unchanged")), "{same}");
    let standing = api.get(RELOAD).await.expect("how it stands");
    assert_eq!(standing["last"]["outcome"], "unchanged");
    assert_eq!(standing["config_sha256"], same["config_sha256"]);
    scene.compare(app, GOOD).await;
}

/// Shows: ACQ-10
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_map_changes_while_the_line_runs_and_its_neighbour_does_not_notice() {
    let (scene, app) = Scene::counting().await;
    let api = app.api();
    let weigher = unanswered(api, "CW04").await;
    // A new name for the output, one tag more, another period, and other words for a state.
    scene.edit("filler.toml", GOOD, "CF01.Capsules");
    scene.edit("filler.toml", "fast = \"10ms\"", "fast = \"25ms\"");
    scene.edit("filler.toml", "7 = \"manual\"", "7 = \"setup\"");
    let added = "[[tag]]\nid = \"CF01.ProcessedCount\"\nregister = \"holding 11\"\ntype = \"u32\"\nrole = \"condition\"\n";
    let file = std::fs::read_to_string(scene.file("filler.toml")).expect("the map");
    std::fs::write(scene.file("filler.toml"), format!("{file}\n{added}")).expect("a map");
    assert_eq!(applied(api).await, ["line L1: device CF01 read by another map"]);
    scene.run(api).await;
    assert_eq!(unanswered(api, "CW04").await, weigher);
    assert_eq!(figure(api, "capline_opcua_sessions_total", &[]).await, Some(1.0));
    assert_eq!(
        words(api, "link").await,
        ["up CF01", "up CW04"],
        "the pause is too short to be one"
    );
    assert!(api.get(&counter_path(LINE, "CF01.Capsules")).await.is_ok());
    // The period of the subscription changes, and with it the session; the filler goes on.
    let filler = unanswered(api, "CF01").await;
    scene.edit("weigher.toml", "fast = \"100ms\"", "fast = \"200ms\"");
    assert_eq!(applied(api).await, ["line L1: device CW04 read by another map"]);
    scene.run(api).await;
    until("the new period", PATIENCE, async || {
        let wanted = figure(api, "capline_opcua_publishing_wanted_seconds", &[]).await;
        if wanted == Some(0.2) { Ok(()) } else { Err(format!("{wanted:?}")) }
    })
    .await;
    assert_eq!(unanswered(api, "CF01").await, filler);
    scene.compare(app, "CF01.Capsules").await;
}

/// Shows: ACQ-09, ACQ-10
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broken_map_changes_nothing_and_says_all_that_is_wrong() {
    let (scene, app) = Scene::counting().await;
    let api = app.api();
    let before = api.get(RELOAD).await.expect("how it stands")["config_sha256"].clone();
    let unanswered_before = unanswered(api, "CF01").await;
    let line = |name: &str, text: &str| {
        let file = std::fs::read_to_string(scene.file(name)).expect("the file");
        1 + file.lines().position(|line| line.contains(text)).expect("the line")
    };
    let at = [line("filler.toml", "holding 13"), line("capline.toml", "target_per_minute")];
    scene.edit("filler.toml", "\"holding 13\"", "\"holding 99999\"");
    scene.edit("capline.toml", "target_per_minute = 6500", "target_per_minute = 0");
    let (status, answer) = reload(api).await;
    assert_eq!((status, &answer["code"]), (422, &json!("configuration")), "{answer}");
    let problems: Vec<&str> =
        answer["problems"].as_array().expect("a list").iter().filter_map(Value::as_str).collect();
    for (file, line, value) in [("filler.toml", at[0], "99999"), ("capline.toml", at[1], "found 0")]
    {
        let place = format!("{}:{line}: ", scene.file(file).display());
        let said = |problem: &&str| problem.starts_with(&place) && problem.contains(value);
        assert!(problems.iter().any(said), "{place} {value}: {problems:#?}");
    }
    // As `capline check` prints them.
    let mut check = Process::capline(&["check", &scene.site.file().display().to_string()]);
    assert!(!check.exit(PATIENCE).await.success());
    let printed = [check.stdout(), check.stderr()].concat().join("\n");
    assert!(problems.iter().all(|problem| printed.contains(problem)), "{printed}");
    let standing = api.get(RELOAD).await.expect("how it stands");
    assert_eq!(standing["config_sha256"], before, "the old one goes on");
    assert_eq!(standing["last"]["outcome"], "refused");
    // What cannot change while it runs is named, and nothing else of that file is taken.
    scene.edit("filler.toml", "\"holding 99999\"", "\"holding 13\"");
    scene.edit("capline.toml", "target_per_minute = 0", "target_per_minute = 6000");
    scene.edit("capline.toml", "dir = 'data'", "dir = 'elsewhere'");
    let (status, answer) = reload(api).await;
    assert_eq!(status, 422, "{answer}");
    let told = answer["problems"][0].as_str().unwrap_or_default();
    assert!(told.contains("needs a restart: dir"), "{told}");
    assert_eq!(api.snapshot().await.expect("a view")["target_per_minute"], 6_500);
    assert_eq!(unanswered(api, "CF01").await, unanswered_before);
    assert_eq!(words(api, "link").await, ["up CF01", "up CW04"]);
    scene.edit("capline.toml", "dir = 'elsewhere'", "dir = 'data'");
    scene.compare(app, GOOD).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn counters_that_exchange_registers_show_no_false_difference() {
    let (scene, app) = Scene::counting().await;
    let api = app.api();
    // While nothing moves, the odometer says that nothing was made: the exchange costs no doubt at all.
    let made = scene.settle(api).await;
    let exchange = || {
        scene.edit(
            "filler.toml",
            "register = \"holding 13\"\ntype = \"i32\"",
            "register = \"holding 0\"\ntype = \"i32\"",
        );
        scene.edit("filler.toml", "register = \"holding 9\"", "register = \"holding 13\"");
        scene.edit(
            "filler.toml",
            "register = \"holding 0\"\ntype = \"i32\"",
            "register = \"holding 9\"\ntype = \"i32\"",
        );
    };
    exchange();
    assert_eq!(applied(api).await, ["line L1: device CF01 read by another map"]);
    let path = counter_path(LINE, GOOD);
    let counter = until("a new segment", PATIENCE, async || {
        let counter = api.get(&path).await?;
        if counter["segment"] == 2 { Ok(counter) } else { Err(counter.to_string()) }
    })
    .await;
    let other = counter["segment_start"].as_u64().expect("the other register");
    assert!(other > made + scene.before[0], "a difference of the two would have been counted");
    assert_eq!(api.total().await, Ok(Count::exact(made)));
    app.stop().await;
    let books = scene.site.books();
    assert_eq!(books.total, Count::exact(made));
    assert!(books.tags_with("preset").contains(&GOOD.to_owned()), "it is said of the counter");
    assert!(!books.tags_with("preset").contains(&SAMPLES.to_owned()), "and of no other");
    scene.plant.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lines_and_devices_come_and_go_while_others_run() {
    let (scene, app) = Scene::counting().await;
    let api = app.api();
    let unanswered_before = unanswered(api, "CF01").await;
    let one = std::fs::read_to_string(scene.site.file()).expect("the configuration");
    let (_, line) = one.split_once("[[line]]").expect("a line");
    let second = line.replace("id = 'L1'", "id = 'L2'");
    std::fs::write(scene.site.file(), format!("{one}[[line]]{second}")).expect("a file");
    assert_eq!(applied(api).await, ["line L2 added"]);
    until("the second line", PATIENCE, async || {
        let view = api.get("/api/v1/lines/L2/snapshot").await?;
        let up = view["stations"]
            .as_array()
            .is_some_and(|all| all.len() == 2 && all.iter().all(|station| station["up"] == true));
        if up { Ok(()) } else { Err(view.to_string()) }
    })
    .await;
    scene.run(api).await;
    std::fs::write(scene.site.file(), &one).expect("a file");
    assert_eq!(applied(api).await, ["line L2 removed"]);
    let gone = api.get("/api/v1/lines/L2/snapshot").await.expect_err("it is gone");
    assert!(gone.contains("no_line"), "{gone}");
    // A device of the line goes and comes back: its figures go with it, and its counts stay.
    scene.configure(&["filler.toml"]);
    let changes = applied(api).await;
    assert_eq!(changes, ["line L1: device CW04 removed"]);
    let figures = api.text("/metrics").await.expect("the figures");
    assert!(figures.contains("\"CF01\"") && !figures.contains("\"CW04\""), "{figures}");
    scene.run(api).await;
    scene.configure(&["filler.toml", "weigher.toml"]);
    assert_eq!(applied(api).await, ["line L1: device CW04 added"]);
    api.heard("CW04").await;
    scene.run(api).await;
    assert_eq!(unanswered(api, "CF01").await, unanswered_before, "the filler did not notice");
    scene.compare(app, GOOD).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_journal_that_takes_nothing_takes_the_change_back() {
    let (scene, app) = Scene::counting().await;
    let api = app.api();
    let before = api.get(RELOAD).await.expect("how it stands")["config_sha256"].clone();
    scene.edit("filler.toml", "fast = \"10ms\"", "fast = \"25ms\"");
    let journal = rusqlite::Connection::open(scene.site.data().join("journal.db"));
    let journal = journal.expect("the journal can be opened beside the service");
    journal.execute_batch("begin immediate").expect("nobody else writes for long");
    let (status, answer) = reload(api).await;
    assert_eq!((status, &answer["code"]), (503, &json!("not_applied")), "{answer}");
    journal.execute_batch("rollback").expect("it ends");
    let standing = api.get(RELOAD).await.expect("how it stands");
    assert_eq!(
        (&standing["config_sha256"], &standing["last"]["outcome"]),
        (&before, &json!("failed"))
    );
    // The old map is read on as before: what was made meanwhile is counted.
    scene.run(api).await;
    let polls = planned(api, "CF01").await;
    assert!(polls > 0.0, "the filler is read under the old map");
    let counted = scene.settle(api).await;
    assert!(counted > 0);
    // And the change can be made once the journal is free.
    assert_eq!(applied(api).await, ["line L1: device CF01 read by another map"]);
    scene.run(api).await;
    scene.compare(app, GOOD).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hangup_reads_the_configuration_again() {
    let (scene, service, api) = Scene::counting_apart().await;
    scene.edit("capline.toml", "target_per_minute = 6500", "target_per_minute = 0");
    service.signal(Signal::HUP);
    let last = async |outcome: &str| {
        until(outcome, PATIENCE, async || {
            let standing = api.get(RELOAD).await?;
            let found =
                standing["last"]["outcome"] == outcome && standing["last"]["by"] == "SIGHUP";
            if found { Ok(standing) } else { Err(standing.to_string()) }
        })
        .await
    };
    let refused = last("refused").await;
    logged(&service, refused["last"]["problems"][0].as_str().expect("a text")).await;
    scene.edit("capline.toml", "target_per_minute = 0", "target_per_minute = 6000");
    service.signal(Signal::HUP);
    last("applied").await;
    assert_eq!(api.snapshot().await.expect("a view")["target_per_minute"], 6_000);
    let told = noted(api).await;
    assert!(told.contains("read by SIGHUP"), "{told}");
    scene.run(api).await;
    scene.end(service, api).await;
}

/// The map with so many groups more of one tag each, and with that as many timers.
fn with_groups(map: &str, more: usize) -> String {
    let periods: String = (0..more).map(|n| format!("slow{n} = \"1s\"\n")).collect();
    let tags: String = (0..more)
        .map(|n| {
            format!(
                "\n[[tag]]\nid = \"CF02.StrokeRate{n}\"\nregister = \"holding 22\"\ntype = \"u16\"\n\
                 role = \"condition\"\ngroup = \"slow{n}\"\n"
            )
        })
        .collect();
    map.replacen("[groups]\n", &format!("[groups]\n{periods}"), 1) + &tags
}

/// A change that fails after the line has taken it: the system has no descriptor for the timers of the new device.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_system_that_gives_no_timer_takes_the_change_back() {
    let (scene, service, api) = Scene::counting_apart().await;
    let filler = std::fs::read_to_string(scene.file("filler.toml")).expect("the map");
    std::fs::write(scene.file("filler2.toml"), with_groups(&filler.replace("CF01", "CF02"), 24))
        .expect("a map");
    scene.configure(&["filler.toml", "weigher.toml", "filler2.toml"]);
    // Enough to read the files, whatever else is opened meanwhile, and too few for a timer of each group.
    service.spare_descriptors(Some(12));
    service.signal(Signal::HUP);
    logged(&service, "the old one goes on").await;
    service.spare_descriptors(None);
    // It is said in the log a moment before it can be asked for.
    let standing = until("failed", PATIENCE, async || {
        let standing = api.get(RELOAD).await?;
        let failed = standing["last"]["outcome"] == "failed";
        if failed { Ok(standing) } else { Err(standing.to_string()) }
    })
    .await;
    let cause = standing["last"]["problems"][0].as_str().unwrap_or_default();
    assert!(cause.contains("the poll timer cannot be started"), "{cause}");
    let view = api.snapshot().await.expect("a view");
    assert_eq!(view["stations"].as_array().map(Vec::len), Some(2), "{view}");
    scene.run(api).await;
    assert_eq!(words(api, "link").await, ["up CF01", "up CW04"]);
    assert_eq!(applied(api).await, ["line L1: device CF02 added"]);
    api.heard("CF02").await;
    scene.run(api).await;
    scene.end(service, api).await;
}
