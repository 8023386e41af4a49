//! Schemathesis asks the API what its description promises, and everything else: nothing breaks, and every answer is one
//! that is described.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use serde_json::Value;
use simulators::PlantConfig;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::harness::{Api, PATIENCE, Site, plant, repository, until};
use crate::process::{Process, text};
use crate::skip::skipped;

/// Time for all requests, on a machine that is busy with other tests.
const LIMIT: Duration = Duration::from_secs(300);

/// What is asked of each route, by default; `CAPLINE_API_EXAMPLES` asks more.
const EXAMPLES: &str = "4";

/// What has to hold of every answer. That what is described is all there is, is not asked: a request may be refused for
/// what no description can say.
const CHECKS: &str = "not_a_server_error,status_code_conformance,content_type_conformance,\
                      response_headers_conformance,response_schema_conformance,unsupported_method";

/// Routes that are left out: a stream without end, and one that is 503 while a machine is away.
const LEFT_OUT: [&str; 2] = ["/events", "/readyz"];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_answer_is_one_that_is_described() {
    let schemathesis = repository("target/openapi/bin/schemathesis");
    if !schemathesis.exists() {
        skipped("the description of the API", "no target/openapi; tests/run.sh installs it");
        return;
    }
    let site = Site::new();
    let plant = plant(PlantConfig::default(), site.path()).await;
    site.follow(&plant);
    let mut service = Process::run(&site.file());
    let api = service.api().await;
    api.heard("CF01").await;
    api.heard("CW04").await;
    plant.resume();
    api.counts_beyond(500).await;
    until("a minute", PATIENCE * 3, async || match api.in_minutes().await? {
        minutes if minutes.best() > 0 => Ok(()),
        _ => Err("none yet".to_owned()),
    })
    .await;
    let description = api.text("/api/openapi.json").await.expect("the description");
    let file = site.path().join("openapi.json");
    std::fs::write(&file, &description).expect("a file");
    let (good, said) = ask(&schemathesis, api, &file, &[]).await;
    assert!(good, "{said}");
    // The same words find an answer that is not described.
    let mut short: Value = serde_json::from_str(&description).expect("JSON");
    let answers = &mut short["paths"]["/api/v1/lines/{id}/calls"]["get"]["responses"];
    assert!(answers.as_object_mut().is_some_and(|all| all.remove("200").is_some()), "{answers}");
    std::fs::write(&file, short.to_string()).expect("a file");
    let only = ["--include-path", "/api/v1/lines/{id}/calls", "--include-method", "GET"];
    let (good, said) = ask(&schemathesis, api, &file, &only).await;
    assert!(!good && said.contains("Undocumented"), "{said}");
    plant.stop().await;
}

/// What is asked of each route by each role. The door is the same for all values.
const EXAMPLES_OF_ROLE: &str = "1";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_and_every_role_get_answers_that_are_described() {
    let schemathesis = repository("target/openapi/bin/schemathesis");
    if !schemathesis.exists() {
        skipped(
            "the description of the API by roles",
            "no target/openapi; tests/run.sh installs it",
        );
        return;
    }
    let site = super::site("access = 'users'");
    for role in ROLES {
        let data = text(&site.data());
        let mut add = Process::capline(&["user", "add", &data, role, "--role", role]);
        add.tell(GIVEN);
        assert!(add.exit(PATIENCE).await.success(), "{:?}", add.stderr());
    }
    let mut service = Process::run(&site.file());
    let api = service.api().await;
    let file = site.path().join("openapi.json");
    // What was set at the command line is for choosing another one.
    for role in ROLES {
        let cookie = login(api, role, GIVEN).await;
        let head = format!("POST /api/v1/password HTTP/1.1\r\ncookie: {cookie}");
        let body = serde_json::json!({ "old": GIVEN, "new": PASSWORD }).to_string();
        let answer = raw(api, &head, &body).await;
        assert!(answer.starts_with("HTTP/1.1 204"), "{role}: {answer}");
    }
    let admin = login(api, "admin", PASSWORD).await;
    let description =
        raw(api, &format!("GET /api/openapi.json HTTP/1.1\r\ncookie: {admin}"), "").await;
    let (_, description) = description.split_once("\r\n\r\n").expect("an answer");
    std::fs::write(&file, description).expect("a file");
    let few = ["--max-examples", EXAMPLES_OF_ROLE, "--phases", "examples,fuzzing"];
    let (good, said) = ask(&schemathesis, api, &file, &few).await;
    assert!(good, "nobody: {said}");
    for role in ROLES {
        let cookie = format!("Cookie: {}", login(api, role, PASSWORD).await);
        // Signing out ends the session; all that follows would be asked by nobody.
        let more = ["-H", &cookie, "--exclude-path", "/api/v1/logout"];
        let (good, said) = ask(&schemathesis, api, &file, &[&few[..], &more].concat()).await;
        assert!(good, "{role}: {said}");
        let still = format!("GET /api/v1/session HTTP/1.1\r\n{cookie}");
        let still = raw(api, &still, "").await;
        assert!(still.contains(&format!("\"role\":\"{role}\"")), "who asked to the end: {still}");
    }
}

const ROLES: [&str; 4] = ["viewer", "operator", "quality", "admin"];
const GIVEN: &str = "given horse";
const PASSWORD: &str = "correct horse";

/// The whole answer to a request.
async fn raw(api: Api, head: &str, body: &str) -> String {
    let mut stream = tokio::net::TcpStream::connect(api.0).await.expect("it listens");
    let length = body.len();
    let request = format!(
        "{head}\r\nhost: {}\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}",
        api.0
    );
    stream.write_all(request.as_bytes()).await.expect("it takes a request");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.expect("text");
    answer
}

/// The cookie of a session.
async fn login(api: Api, name: &str, password: &str) -> String {
    let body = serde_json::json!({ "name": name, "password": password }).to_string();
    // Whoever asked before has guessed passwords, too, and this address is held up for that.
    let mut answer = raw(api, "POST /api/v1/login HTTP/1.1", &body).await;
    for _ in 0..12 {
        if !answer.starts_with("HTTP/1.1 429") {
            break;
        }
        tokio::time::sleep(Duration::from_secs(10)).await;
        answer = raw(api, "POST /api/v1/login HTTP/1.1", &body).await;
    }
    let set = answer.lines().find_map(|line| line.strip_prefix("set-cookie: "));
    let set = set.unwrap_or_else(|| panic!("{name} is not signed in: {answer}"));
    set.split(';').next().unwrap_or_default().to_owned()
}

/// Lets Schemathesis ask: whether all was well, and what it says.
async fn ask(schemathesis: &Path, api: Api, description: &Path, more: &[&str]) -> (bool, String) {
    let folder = description.parent().unwrap_or(description);
    let examples = std::env::var("CAPLINE_API_EXAMPLES").unwrap_or_else(|_| EXAMPLES.to_owned());
    let mut command = Command::new(schemathesis);
    command.arg("--config-file").arg(repository("tests/openapi/schemathesis.toml"));
    command.arg("run").arg(description).arg("--url").arg(format!("http://{}", api.0));
    command.args(["--max-examples", &examples, "--seed", "7"]);
    command.args(["--phases", "examples,coverage,fuzzing", "--checks", CHECKS]);
    command.args(["--request-timeout", "30", "--continue-on-failure", "--no-shrink", "--no-color"]);
    command.args(["--suppress-health-check", "all", "--generation-database", "none"]);
    for path in LEFT_OUT {
        command.args(["--exclude-path", path]);
    }
    let mut asked = Process::start(command.args(more).current_dir(folder));
    let status = asked.exit(LIMIT).await;
    (status.success(), asked.stdout().join("\n") + &asked.stderr().join("\n"))
}
