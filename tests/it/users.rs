//! Users through the real binary: the first one by the token of the start, others from the command line beside it.

use std::net::SocketAddr;

use capline::demo::{Demo, DemoOptions};
use rustix::process::Signal;
use serde_json::{Value, json};
use simulators::{Server, ServiceLine};

use crate::harness::{Api, FILLER, PATIENCE, Site, any_port};
use crate::process::{Process, capline, text};

const PASSWORD: &str = "correct horse";

/// A site where people sign in. Its device is not there: nothing is counted here.
fn site() -> Site {
    let site = Site::new();
    site.configure(any_port(), "CF01", &[(FILLER, "127.0.0.1:9")]);
    let config = std::fs::read_to_string(site.file()).expect("it was written");
    let config = config.replace("[web]\n", "[web]\naccess = 'users'\n");
    std::fs::write(site.file(), config).expect("it is written");
    site
}

/// The words with which a start tells its token.
const TOLD: &str = "one-time token: ";

fn token(service: &Process) -> Option<String> {
    let lines = service.stderr();
    let told = lines.iter().find_map(|line| line.split_once(TOLD));
    told.map(|(_, token)| token.trim().to_owned())
}

async fn login(api: Api, name: &str, password: &str) -> u16 {
    sign_in(api, name, password).await.0
}

async fn sign_in(api: Api, name: &str, password: &str) -> (u16, Value) {
    let body = json!({ "name": name, "password": password });
    api.post("/api/v1/login", &body).await.expect("it answers")
}

/// Whether a password is good for nothing but choosing another one.
async fn is_given(api: Api, name: &str, password: &str) -> Value {
    sign_in(api, name, password).await.1["must_change"].clone()
}

async fn end(mut service: Process) {
    service.signal(Signal::TERM);
    assert!(service.exit(PATIENCE).await.success(), "{:#?}", service.stderr());
}

/// `capline user …` with a password on stdin: exit code and all that it said.
async fn user(args: &[&str], password: &str) -> (Option<i32>, String) {
    let mut process = Process::capline(&[&["user"], args].concat());
    process.tell(password);
    let status = process.exit(PATIENCE).await;
    (status.code(), [process.stdout(), process.stderr()].concat().join("\n"))
}

/// Shows: ACC-05
#[tokio::test]
async fn the_first_administrator_is_made_once_with_the_token_of_the_start() {
    let site = site();
    let mut service = Process::run(&site.file());
    let api = service.api().await;
    let refused = api.get("/api/v1/lines").await.expect_err("nobody is signed in");
    assert!(refused.contains("401") && refused.contains("sign_in"), "{refused}");
    assert!(api.text("/healthz").await.is_ok() && api.text("/readyz").await.is_ok());
    crate::harness::until("the token", PATIENCE, async || {
        token(&service).map(drop).ok_or_else(|| format!("{:#?}", service.stderr()))
    })
    .await;
    let told = token(&service).expect("it was just seen");
    let first = |token: &str| json!({ "token": token, "name": "boss", "printed": "Chen Jing", "password": PASSWORD });
    let (status, body) = api.post("/api/v1/setup", &first("0000")).await.expect("it answers");
    assert_eq!((status, &body["code"]), (409, &json!("conflict")));
    assert_eq!(api.post("/api/v1/setup", &first(&told)).await, Ok((204, Value::Null)));
    let again = api.post("/api/v1/setup", &first(&told)).await.expect("it answers");
    assert_eq!(again.0, 409, "once only");
    assert_eq!(is_given(api, "boss", PASSWORD).await, json!(false));
    assert_eq!(login(api, "boss", "another horse").await, 401);
    // The token went to the terminal and nowhere else: a log line begins with its time.
    let lines = service.stderr();
    let with: Vec<&String> = lines.iter().filter(|line| line.contains(&told)).collect();
    assert!(with.len() == 1 && with[0].starts_with("Capline: "), "{with:#?}");
    end(service).await;
    let mut second = Process::run(&site.file());
    second.api().await;
    end_without_token(second).await;
}

async fn end_without_token(mut service: Process) {
    service.signal(Signal::TERM);
    assert!(service.exit(PATIENCE).await.success(), "{:#?}", service.stderr());
    assert_eq!(token(&service), None, "somebody can sign in");
}

#[tokio::test]
async fn users_are_kept_from_the_command_line_beside_the_service() {
    let site = site();
    let file = text(&site.file());
    // Before the first start, by the directory of the journal.
    let data = text(&site.data());
    let boss = ["add", &data, "boss", "--printed", "Chen Jing", "--role", "admin"];
    assert_eq!(user(&boss, PASSWORD).await, (Some(0), "boss: added as admin".to_owned()));
    let mut service = Process::run(&site.file());
    let api = service.api().await;
    assert_eq!(is_given(api, "boss", PASSWORD).await, json!(true), "others may have typed it");
    // While it runs, by the configuration.
    let wang = ["add", &file, "wang", "--printed", "Wang Fang", "--role", "operator"];
    let (code, said) = user(&wang, "short").await;
    assert!(code == Some(2) && said.contains("at least 10 characters"), "{said}");
    assert_eq!(user(&wang, PASSWORD).await.0, Some(0));
    let (code, said) = user(&wang, PASSWORD).await;
    assert!(code == Some(2) && said.contains("there is an account of that name"), "{said}");
    assert_eq!(login(api, "wang", PASSWORD).await, 200);
    let (code, list, _) = capline(&["user", "list", &file]).await;
    let expected = "boss\tadmin\tChen Jing\tenabled\nwang\toperator\tWang Fang\tenabled";
    assert_eq!((code, list.as_str()), (Some(0), expected));
    let left = ["user", "disable", &file, "wang", "--reason", "left the plant"];
    assert_eq!(capline(&left).await.0, Some(0));
    let (code, _, said) = capline(&["user", "enable", &file, "wang", "--reason", " "]).await;
    assert!(code == Some(2) && said.contains("a reason is not empty"), "{said}");
    assert_eq!(login(api, "wang", PASSWORD).await, 401);
    assert_eq!(capline(&["user", "enable", &file, "wang"]).await.0, Some(0));
    assert_eq!(user(&["reset", &file, "wang"], "another horse").await.0, Some(0));
    assert_eq!(login(api, "wang", PASSWORD).await, 401);
    assert_eq!(is_given(api, "wang", "another horse").await, json!(true));
    let (code, _, said) = capline(&["user", "disable", &file, "boss"]).await;
    assert!(code == Some(2) && said.contains("last administrator"), "{said}");
    let (code, _, said) = capline(&["user", "role", &file, "wang", "--role", "root"]).await;
    assert!(code == Some(2) && said.contains("viewer, operator, quality, admin"), "{said}");
    // Others on this machine see arguments: there is none for a password.
    let (code, _, _) = capline(&["user", "reset", &file, "wang", "--password", PASSWORD]).await;
    assert_eq!(code, Some(2));
    let (code, token, _) = capline(&["display", "add", &file, "Wall 1"]).await;
    assert_eq!((code, token.len()), (Some(0), 64));
    // Who scores the service reads with the token of a display, and is told so without one.
    let server = Server::new(&format!("http://{}", api.0)).expect("an address");
    let scored = ServiceLine::find(server.clone().with_token(&token), None).await;
    assert!(scored.is_ok(), "{scored:?}");
    let unnamed = ServiceLine::find(server, None).await.expect_err("nobody is signed in");
    assert!(unnamed.to_string().contains("--token-file"), "{unnamed}");
    assert_eq!(capline(&["display", "revoke", &file, "Wall 1"]).await.0, Some(0));
    let (_, list, _) = capline(&["display", "list", &file]).await;
    assert_eq!(list, "1\tWall 1\trevoked");
    // Each change that was made is noted with where it came from and why, whether a service ran or not.
    let (_, noted, _) = capline(&["audit", "list", &file]).await;
    let words = ["user_add", "user_change", "display_add", "display_revoke"];
    let counted = words.map(|word| noted.lines().filter(|line| line.contains(word)).count());
    assert_eq!(counted, [2, 3, 1, 1], "{noted}");
    let ordered = noted.lines().filter(|line| words.iter().any(|word| line.contains(word)));
    assert!(ordered.clone().all(|line| line.contains("command line of")), "{noted}");
    let why = "old=\"enabled\" new=\"disable: disabled\" why=\"left the plant\"";
    assert!(ordered.clone().any(|line| line.contains("wang") && line.contains(why)), "{noted}");
    end(service).await;
    let (code, said, err) = capline(&["audit", "verify", &file]).await;
    assert_eq!(code, Some(0), "{said} {err}");
}

/// Shows: ACC-09
#[tokio::test]
async fn a_demo_is_served_on_this_machine_alone() {
    let listen = SocketAddr::from(([0, 0, 0, 0], 0));
    let options = DemoOptions { listen, ..DemoOptions::new() };
    let refused = Demo::start(&options).await.err().expect("everybody could get in");
    assert!(refused.to_string().contains("served on this machine alone"), "{refused}");
}
