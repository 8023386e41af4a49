//! Answers of the routes.

use domain::line::rollup::OpenBatch;

use super::*;

#[tokio::test]
async fn every_answer_carries_the_headers() {
    let (app, _sender) = running();
    let mut asked: Vec<String> = paths().into_iter().filter(|path| path != "/events").collect();
    asked.extend(["/nothing".to_owned(), "/api/v1/lines/L9/snapshot".to_owned()]);
    for path in asked {
        let answer = get(&app, &path).await;
        let policy = answer.header(header::CONTENT_SECURITY_POLICY);
        assert!(policy.contains("default-src 'self'") && !policy.contains("unsafe"), "{path}");
        assert_eq!(answer.header(header::X_CONTENT_TYPE_OPTIONS), "nosniff", "{path}");
        assert_eq!(answer.header(header::REFERRER_POLICY), "no-referrer", "{path}");
        let keep = answer.header(header::CACHE_CONTROL);
        let is_file = path.starts_with("/assets/");
        assert_eq!(keep, if is_file { "no-cache" } else { "no-store" }, "{path}");
    }
}

#[tokio::test]
async fn every_route_answers() {
    let (app, _sender) = running();
    for path in paths().into_iter().filter(|path| path != "/events") {
        assert_eq!(get(&app, &path).await.status, StatusCode::OK, "{path}");
    }
}

#[tokio::test]
async fn forwarding_is_late_only_while_the_present_waits() {
    let (app, _sender) = running();
    let database = &get(&app, "/api/v1/forward").await.json()["database"];
    assert_eq!(database["state"], "forwarding");
    let [event, record] = [0, 1].map(|n| &database["streams"][n]);
    assert_eq!(
        (&event["name"], &event["waiting"], &event["position"]),
        (&"event".into(), &5.into(), &17.into())
    );
    assert!(event["lag_ms"].as_i64().unwrap() >= 3_000, "{event}");
    assert_eq!((&record["lag_ms"], &record["backlog"]), (&0.into(), &7.into()));
}

/// Shows: EVI-04
#[test]
fn the_description_lists_every_route_of_programs() {
    let described: BTreeSet<String> = api::description().paths.paths.into_keys().collect();
    let pages: BTreeSet<&str> =
        crate::web::pages::routes().into_iter().map(|(path, _)| path).collect();
    let is_page = |path: &&str| pages.contains(path) || *path == "/assets/{name}";
    let routed: BTreeSet<String> =
        routes().iter().map(|(path, _)| *path).filter(|p| !is_page(p)).map(str::to_owned).collect();
    assert_eq!(described, routed);
}

/// Names that stand there more than once.
fn twice(names: impl IntoIterator<Item = String>) -> Vec<String> {
    let mut seen = BTreeSet::new();
    names.into_iter().filter(|name| !seen.insert(name.clone())).collect()
}

/// Names of the types that source files bring into the description. There is one namespace for all of them, and the
/// later one of two of the same name would silently stand for both.
fn schemas(dir: &std::path::Path) -> Vec<String> {
    let entries = std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path());
    let of = |path: std::path::PathBuf| {
        if path.is_dir() {
            return schemas(&path);
        }
        let text = std::fs::read_to_string(path).unwrap();
        let derived = text.split("ToSchema)]").skip(1);
        let declared = derived.filter_map(|rest| {
            let words: Vec<&str> = rest.split(|c: char| !c.is_alphanumeric()).collect();
            let at = words.iter().position(|word| ["struct", "enum"].contains(word))?;
            words.get(at + 1).map(|name| (*name).to_owned())
        });
        declared.collect()
    };
    entries.flat_map(of).collect()
}

/// Shows: EVI-04
#[test]
fn a_name_of_the_description_stands_for_one_thing() {
    let web = concat!(env!("CARGO_MANIFEST_DIR"), "/src/web");
    let names = schemas(std::path::Path::new(web));
    assert!(
        ["LineView", "Visibility", "ErrorView"]
            .iter()
            .all(|name| names.contains(&(*name).to_owned()))
    );
    assert_eq!(twice(names.clone()), Vec::<String>::new(), "types");
    let description = serde_json::to_value(api::description()).unwrap();
    let paths = description["paths"].as_object().unwrap();
    let methods = paths.values().filter_map(Value::as_object).flat_map(|path| path.values());
    let asked = methods.filter_map(|method| method["operationId"].as_str().map(str::to_owned));
    let asked: Vec<String> = asked.collect();
    assert!(asked.len() > 30, "{asked:?}");
    assert_eq!(twice(asked), Vec::<String>::new(), "operations");
    // The negative control.
    assert_eq!(twice(names.into_iter().chain(["LineView".to_owned()])), ["LineView"]);
}

#[tokio::test]
async fn a_wrong_request_is_told_what_to_do() {
    let (app, _sender) = running();
    let minutes = |query: &str| format!("/api/v1/lines/L1/minutes?{query}");
    let cases = [
        ("/nothing".to_owned(), 404, "not_found", "/api/openapi.json"),
        ("/assets/secret.txt".to_owned(), 404, "not_found", "/api/openapi.json"),
        ("/api/v1/lines/L9/snapshot".to_owned(), 404, "no_line", "/api/v1/lines"),
        ("/events?line=L9".to_owned(), 404, "no_line", "/api/v1/lines"),
        ("/?line=L9".to_owned(), 404, "no_line", "/api/v1/lines"),
        (minutes("from=yesterday"), 400, "parameter", "2026-11-24T08:00:00+08:00"),
        (minutes("from=99999999999999999999"), 400, "parameter", "2026-11-24T08:00:00+08:00"),
        (minutes("from=2000&to=1000"), 400, "parameter", "swap them"),
        (minutes("from=0&to=1795500207000"), 400, "parameter", "in parts"),
        ("/api/v1/lines/L1/events?kind=fire".to_owned(), 400, "parameter", "count, state, stop"),
        (
            "/api/v1/lines/L1/charts/reject_fraction?subgroup=7".to_owned(),
            400,
            "parameter",
            "1, 5, 15",
        ),
        ("/api/v1/lines/L1/charts/beauty".to_owned(), 404, "no_chart", "characteristics"),
        ("/spc/beauty".to_owned(), 404, "no_chart", "characteristics"),
        ("/api/v1/lines/L1/charts/reject_fraction?subgroup=x".to_owned(), 400, "parameter", ""),
    ];
    for (path, status, code, way_out) in cases {
        let answer = get(&app, &path).await;
        assert_eq!(answer.status.as_u16(), status, "{path}");
        assert_eq!(answer.header(header::CONTENT_TYPE), "application/json", "{path}");
        let error = answer.json();
        assert_eq!(error["code"], code, "{path}");
        let words = format!("{} {}", error["message"], error["hint"]);
        assert!(words.contains(way_out), "{path}: {words}");
    }
}

/// A person at a browser gets a page in their language, a script the same as before.
#[tokio::test]
async fn a_refusal_is_a_page_for_a_browser_and_json_for_a_program() {
    let (app, _sender) = running();
    let page = async |path: &str| get_with(&app, path, "accept", "text/html,*/*;q=0.8").await;
    for (path, status, words) in [
        ("/nothing?lang=en", 404, ["There is no such page", "What to do:"]),
        ("/nothing?lang=zh", 404, ["没有此页面", "怎么办："]),
        ("/?line=L9&lang=zh", 404, ["没有此产线", "capline check 加该文件路径"]),
        ("/report/shift?start=x&lang=zh", 400, ["地址参数无法识别", "请返回重新选择"]),
    ] {
        let answer = page(path).await;
        assert_eq!(answer.status.as_u16(), status, "{path}");
        assert!(answer.header(header::CONTENT_TYPE).starts_with("text/html"), "{path}");
        assert!(words.iter().all(|word| answer.text().contains(word)), "{path}: {}", answer.text());
        assert!(answer.header(header::CONTENT_SECURITY_POLICY).starts_with("default-src"));
    }
    // What was asked is repeated as text.
    let odd = page("/?line=%3Cscript%3Ealert(1)&lang=en").await;
    assert!(!odd.text().contains("<script"), "{}", odd.text());
    let json = get(&app, "/?line=L9").await;
    assert_eq!(json.header(header::CONTENT_TYPE), "application/json");
    assert!(json.json()["hint_zh"].as_str().unwrap().contains("capline check"));
    let (app, _sender) = fixture::app(Clock::real(), Arc::new(Unreadable));
    let failed = get_with(&app, "/reports?lang=zh", "accept", "text/html").await;
    assert_eq!(failed.status, StatusCode::INTERNAL_SERVER_ERROR);
    assert!(failed.text().contains("无法读取存储的记录") && !failed.text().contains("secret"));
}

/// Read from the source: whoever adds a refusal without saying its way out is told.
#[test]
fn every_refusal_has_its_words_and_its_way_out() {
    let source = include_str!("../error.rs");
    let codes = source.split("fn code(").nth(1).and_then(|rest| rest.split("fn hint(").next());
    let codes: Vec<&str> =
        codes.unwrap().split("=> \"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    assert!(codes.len() > 15, "{codes:?}");
    for code in codes {
        for kind in ["error", "way"] {
            assert!(Key::of(&format!("{kind}.{code}")).is_some(), "{kind}.{code}");
        }
    }
}

#[tokio::test]
async fn a_page_holds_the_commands_for_a_line_that_was_never_heard() {
    let (app, _sender) = running();
    let page = get(&app, "/?lang=en").await;
    for part in [
        "id=\"first-run\"",
        "capline check &quot;works/line 1.toml&quot;",
        "capline browse opcua opc.tcp://192.168.10.5:4840",
        "capline run &quot;works/line 1.toml&quot;",
    ] {
        assert!(page.text().contains(part), "{part}");
    }
    assert!(!get(&app, "/wall/L1").await.text().contains("first-run"));
}

/// What a screen draws has at most 2,000 points, and a table for a spreadsheet is offered of both.
#[tokio::test]
async fn minutes_and_series_are_short_as_json_and_whole_as_csv() {
    let (app, _sender) = running();
    let at = |what: &str, query: &str| format!("/api/v1/lines/L1/{what}?{query}");
    let whole = "from=1795478400000&to=1795598400000";
    assert_eq!(get(&app, &at("minutes", whole)).await.status, StatusCode::OK);
    let longer = get(&app, &at("minutes", "from=1795478400000&to=1795598460000")).await;
    assert_eq!(longer.status, StatusCode::BAD_REQUEST);
    let said = longer.json()["message"].as_str().unwrap().to_owned();
    assert!(said.contains("2,000 minutes") && said.contains("format=csv"), "{said}");
    let week = "from=1795478400000&to=1796083200000&format=csv";
    assert_eq!(get(&app, &at("minutes", week)).await.status, StatusCode::OK);
    assert_eq!(get(&app, &at("minutes", "format=xlsx")).await.status, StatusCode::BAD_REQUEST);

    let json = get(&app, &at("minutes", "from=1795478400000&to=1795478460000")).await.json();
    for what in ["minutes", "series"] {
        let span = "from=1795478400000&to=1795478460000&format=csv";
        let answer = get(&app, &at(what, span)).await;
        assert_eq!(answer.header(header::CONTENT_TYPE), "text/csv; charset=utf-8");
        let name = format!("attachment; filename=\"L1_{what}_20261124T0800_SIM.csv\"");
        assert_eq!(answer.header(header::CONTENT_DISPOSITION), name);
        let text = answer.text();
        let mut lines = text.strip_prefix('\u{feff}').expect("a mark").split("\r\n");
        let head: Vec<&str> = lines.next().unwrap().split(',').collect();
        assert_eq!(head[..2], ["utc", "local"]);
        if what == "minutes" {
            let row: Vec<&str> = lines.next().unwrap().split(',').collect();
            assert_eq!(row[..2], ["2026-11-24T00:00:00Z", "2026-11-24T08:00:00+08:00"]);
            let cell = |name: &str| row[head.iter().position(|column| *column == name).unwrap()];
            assert_eq!(cell("cf01_good_high_capsules"), json[0]["good"]["high"].to_string());
        }
    }
}

#[tokio::test]
async fn a_wrong_method_is_said_so() {
    let (app, _sender) = running();
    let answer = ask(&app, Request::post(SNAPSHOT).body(Body::empty()).unwrap()).await;
    assert_eq!(answer.status, StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(answer.json()["code"], "wrong_method");
}

#[tokio::test]
async fn the_cause_of_a_failure_stays_in_the_log() {
    let (app, _sender) = fixture::app(Clock::real(), Arc::new(Unreadable));
    for path in ["/api/v1/lines/L1/minutes", "/api/v1/lines/L1/events"] {
        let answer = get(&app, path).await;
        assert_eq!(answer.status, StatusCode::INTERNAL_SERVER_ERROR);
        assert!(!answer.text().contains("secret"), "{}", answer.text());
        assert!(answer.json()["hint"].as_str().unwrap().contains("try again"));
    }
}

#[tokio::test]
async fn moments_are_rfc_3339_or_milliseconds() {
    let (app, _sender) = running();
    let span = "from=2026-11-24T08:00:00%2B08:00&to=2026-11-24T09:00:00+08:00";
    let minutes = get(&app, &format!("/api/v1/lines/L1/minutes?{span}")).await.json();
    assert_eq!(minutes[0]["start_ms"], 1_795_478_400_000i64);
    assert_eq!(minutes[0]["good"]["high"], 6_460);
    assert_eq!(minutes[0]["rejected"]["best"], 28);
    let span = "from=1795478400000&to=1795478460000";
    let minutes = get(&app, &format!("/api/v1/lines/L1/minutes?{span}")).await.json();
    assert_eq!(minutes[0]["start_ms"], 1_795_478_400_000i64);
}

#[tokio::test]
async fn events_are_chosen_by_kind() {
    let (app, _sender) = running();
    let kinds = |answer: Answer| -> Vec<String> {
        let events = answer.json();
        let kind = |event: &Value| event["kind"].as_str().unwrap().to_owned();
        events.as_array().unwrap().iter().map(kind).collect()
    };
    let all = kinds(get(&app, "/api/v1/lines/L1/events").await);
    let some = kinds(get(&app, "/api/v1/lines/L1/events?kind=stop,%20batch").await);
    assert!(all.len() > some.len());
    assert_eq!(some, ["stop", "batch"]);
}

#[tokio::test]
async fn a_file_is_kept_by_its_hash_and_compared_by_its_name() {
    let (app, _sender) = running();
    let by_name = get(&app, "/assets/live.mjs").await;
    let tag = by_name.header(header::ETAG).to_owned();
    assert!(by_name.header(header::CONTENT_TYPE).starts_with("text/javascript"));
    let same = get_with(&app, "/assets/live.mjs", "if-none-match", &format!("W/{tag}")).await;
    assert_eq!((same.status, same.body.len()), (StatusCode::NOT_MODIFIED, 0));
    let old = get_with(&app, "/assets/live.mjs", "if-none-match", "\"old\"").await;
    assert_eq!(old.status, StatusCode::OK);
    let by_hash = get(&app, &assets::href("live.mjs")).await;
    assert!(by_hash.header(header::CACHE_CONTROL).contains("immutable"));
    let wrong_hash = get(&app, "/assets/live.mjs?v=0").await;
    assert_eq!(wrong_hash.header(header::CACHE_CONTROL), "no-cache");
}

#[tokio::test]
async fn every_file_of_a_page_is_here_and_nothing_is_asked_from_elsewhere() {
    let (app, _sender) = running();
    let page = get(&app, OVERVIEW).await;
    let page = page.text();
    for address in ["href=\"", "src=\""].iter().flat_map(|name| page.split(name).skip(1)) {
        let address = address.split('"').next().unwrap().replace("&amp;", "&");
        assert!(address.starts_with('/') || address.starts_with(['#', '?']), "{address}");
        if address.starts_with("/assets/") {
            assert_eq!(get(&app, &address).await.status, StatusCode::OK, "{address}");
        }
    }
    for asset in &assets::ASSETS {
        let text =
            std::str::from_utf8(asset.bytes).unwrap().replace("http://www.w3.org/2000/svg", "");
        assert!(!text.contains("http:") && !text.contains("https:"), "{}", asset.name);
    }
    // The policy forbids them, so they would silently do nothing.
    assert!(!page.contains(" style=") && !page.contains(" onclick="));
}

/// Shows: ACC-02
#[tokio::test]
async fn a_foreign_name_is_refused_on_the_loopback_address() {
    let (app, _sender) = running();
    for name in
        ["localhost", "localhost:8080", "127.0.0.1:8080", "[::1]:8080", "192.168.1.4", "LOCALHOST"]
    {
        assert_eq!(get_with(&app, SNAPSHOT, "host", name).await.status, StatusCode::OK, "{name}");
    }
    for name in
        ["evil.example", "evil.example:8080", "127.0.0.1.evil.example", "localhost.evil.example"]
    {
        let answer = get_with(&app, SNAPSHOT, "host", name).await;
        assert_eq!(answer.status, StatusCode::MISDIRECTED_REQUEST, "{name}");
        assert!(answer.json()["hint"].as_str().unwrap().contains("localhost"));
    }
}

#[tokio::test]
async fn ready_only_while_every_line_reports() {
    let (app, sender) = fixture::app(Clock::real(), Arc::new(Record));
    let ready = get(&app, "/readyz").await;
    assert_eq!(ready.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(ready.json()["lines"]["L1"], "waiting");
    assert_eq!(get(&app, "/healthz").await.status, StatusCode::OK);
    let now = Clock::real().now();
    sender.send_replace(Some(Arc::new(fixture::status(now, Case::Running))));
    assert_eq!(get(&app, "/readyz").await.status, StatusCode::OK);
    let earlier = Moment { utc_us: now.utc_us, mono_us: now.mono_us - 5 * SECOND_US };
    sender.send_replace(Some(Arc::new(fixture::status(earlier, Case::Running))));
    assert_eq!(get(&app, "/readyz").await.json()["lines"]["L1"], "stalled");
}

#[tokio::test]
async fn metrics_hold_the_line_its_links_and_the_gauges_of_the_service() {
    let (app, _sender) = running();
    let answer = get(&app, "/metrics").await;
    assert!(answer.header(header::CONTENT_TYPE).starts_with("application/openmetrics-text"));
    let text = answer.text();
    for line in [
        "capline_good_capsules_total{line=\"L1\"} ",
        "capline_line_state{line=\"L1\",state=\"execute\"} 1",
        "capline_link_up{line=\"L1\",station=\"CW04\"} 1",
        "capline_store_bytes{file=\"journal\"} 4096",
        "capline_speed_per_minute{line=\"L1\",window=\"1m\"} 6485",
        "# TYPE capline_polls counter",
        "# TYPE capline_poll_lateness_seconds histogram",
        "capline_poll_lateness_seconds_bucket{le=\"0.00005\",group=\"slow\"} 3",
        "capline_poll_lateness_seconds_bucket{le=\"0.001\",group=\"slow\"} 7",
        "capline_poll_lateness_seconds_bucket{le=\"+Inf\",group=\"fast\"} 8",
        "capline_poll_lateness_seconds_count{group=\"fast\"} 8",
        "capline_poll_lateness_seconds_sum{group=\"fast\"} 0.25",
    ] {
        assert!(text.contains(line), "{line}\n{text}");
    }
    assert!(text.ends_with("# EOF\n"));
    let mut described: Vec<&str> = text.lines().filter(|line| line.starts_with("# HELP")).collect();
    let n = described.len();
    described.dedup();
    assert_eq!(described.len(), n, "each name is described once");
}

#[tokio::test]
async fn the_first_figures_come_with_the_page_and_cannot_break_out_of_it() {
    let (app, sender) = running();
    let mut status = fixture::status(Clock::real().now(), Case::Running);
    let id = "</script><script>alert(1)".into();
    status.batch = Some(OpenBatch { id, start_us: 0, by_hand: true });
    sender.send_replace(Some(Arc::new(status)));
    let page = get(&app, OVERVIEW).await;
    let page = page.text();
    let block = page.split("<script id=\"first\" type=\"application/json\">").nth(1).unwrap();
    let first: Value = serde_json::from_str(block.split("</script>").next().unwrap()).unwrap();
    assert_eq!(first["view"]["batch"], "</script><script>alert(1)");
    let (mut came, mut asked) = (BTreeMap::new(), BTreeMap::new());
    shape(&first["view"], "", &mut came);
    shape(&get(&app, SNAPSHOT).await.json(), "", &mut asked);
    assert_eq!(came, asked);
    assert_eq!(first["charts"]["trend"]["start_ms"].as_array().unwrap().len(), 60);
}
