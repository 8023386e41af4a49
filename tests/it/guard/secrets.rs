//! Secrets are planted everywhere, everything goes wrong, all is logged: none of them turns up anywhere.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rcgen::{CertificateParams, KeyPair};
use rustix::process::Signal;
use simulators::PlantConfig;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::{private, run};
use crate::harness::{Api, FILLER, PATIENCE, Site, WEIGHER, plant, repository, until};
use crate::process::capline;

const DATABASE: &str = "planted-database-Qm7rT2xVb9";
const WEBHOOK: &str = "planted-webhook-secret-Zk4wLp8sHd3";
const OPCUA: &str = "planted-opcua-Yt6nJc1gFe5";

/// The forms in which a secret could turn up: as it is, base64, hexadecimal, and as a list of bytes.
fn forms(secret: &str) -> Vec<String> {
    // The middle of a text in base64 is the same wherever the text begins in threes.
    let base64 = |skip: usize| {
        let bytes = &secret.as_bytes()[skip..];
        let whole = bytes.len() / 3 * 3;
        encode(&bytes[..whole])
    };
    let hex: String = secret.bytes().map(|byte| format!("{byte:02x}")).collect();
    let list: Vec<String> = secret.bytes().map(|byte| byte.to_string()).collect();
    vec![secret.to_owned(), base64(0), base64(1), base64(2), hex, list.join(", ")]
}

fn encode(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let digits = bytes.chunks_exact(3).flat_map(|three| {
        let n = u32::from(three[0]) << 16 | u32::from(three[1]) << 8 | u32::from(three[2]);
        [18, 12, 6, 0].map(|shift| char::from(DIGITS[(n >> shift & 63) as usize]))
    });
    digits.collect()
}

/// Which secrets are in a text, in which form.
fn found(secrets: &[(&str, String)], text: &str) -> Vec<String> {
    let lower = text.to_lowercase();
    let mut found = Vec::new();
    for (name, secret) in secrets {
        for form in forms(secret) {
            if text.contains(&form) || lower.contains(&form.to_lowercase()) {
                found.push(format!("{name} as {form}"));
            }
        }
    }
    found
}

#[test]
fn a_secret_is_found_in_every_form() {
    let secrets = [("database", DATABASE.to_owned())];
    assert_eq!(found(&secrets, "connected as capline to 127.0.0.1"), Vec::<String>::new());
    for form in forms(DATABASE) {
        let line = format!("2026-11-24T03:12:00Z ERROR cause=\"x {form} y\"");
        assert!(!found(&secrets, &line).is_empty(), "{line}");
    }
    assert_eq!(encode(b"Capline"), "Q2FwbGlu");
    // However it lies in what was encoded as a whole.
    for before in ["", "u", "u:", "u: "] {
        let whole = format!("{before}{DATABASE}   ");
        let whole = &whole.as_bytes()[..whole.len() / 3 * 3];
        assert!(!found(&secrets, &encode(whole)).is_empty(), "after {before:?}");
    }
}

/// What somebody was sent.
type Heard = Arc<Mutex<Vec<u8>>>;

fn heard(heard: &Heard) -> String {
    let bytes = heard.lock().unwrap_or_else(PoisonError::into_inner);
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Listens, answers each thing that is said by the next of `answers`, and keeps what it hears. The last answer ends it.
async fn listen(answers: Vec<Vec<u8>>) -> (u16, Heard) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let port = listener.local_addr().expect("an address").port();
    let kept = Heard::default();
    let keep = kept.clone();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let (keep, answers) = (keep.clone(), answers.clone());
            tokio::spawn(async move {
                for answer in answers {
                    let mut buffer = [0; 16_384];
                    let Ok(n) = stream.read(&mut buffer).await else { return };
                    keep.lock().unwrap_or_else(PoisonError::into_inner).extend(&buffer[..n]);
                    if n == 0 || stream.write_all(&answer).await.is_err() {
                        return;
                    }
                }
            });
        }
    });
    (port, kept)
}

/// A PostgreSQL that asks for the password in clear and then takes none: what it is told is what was in the file.
async fn strict_database() -> (u16, Heard) {
    let ask = vec![b'R', 0, 0, 0, 8, 0, 0, 0, 3];
    let refusal = b"SFATAL\0C28P01\0Mpassword authentication failed for user \"w\"\0\0";
    let mut refuse = vec![b'E'];
    refuse.extend((refusal.len() as u32 + 4).to_be_bytes());
    refuse.extend(refusal);
    listen(vec![ask, refuse]).await
}

async fn eventually(what: &str, mut is: impl FnMut() -> bool) {
    until(what, PATIENCE, async || if is() { Ok(()) } else { Err("not yet".to_owned()) }).await;
}

/// Everything that an API of open screens answers.
async fn answers(api: Api) -> String {
    let mut all = String::new();
    let description = api.get("/api/openapi.json").await.expect("the description");
    let paths = description["paths"].as_object().expect("paths");
    let gets = paths.iter().filter(|(path, of)| of.get("get").is_some() && *path != "/events");
    let pages =
        ["/", "/data", "/stops/L1", "/rejects/L1", "/spc/L1", "/reports", "/nowhere", "/?lang=zh"];
    let fill = |path: &String| path.replace("{id}", "L1").replace("{tag}", "CF01.Samples");
    let paths = gets.map(|(path, _)| fill(path)).chain(pages.map(str::to_owned));
    for path in paths {
        // What fails is an answer too.
        all += &api.text(&path).await.unwrap_or_else(|error| error);
    }
    let wrong = serde_json::json!({ "by": "nobody" });
    for path in ["/api/v1/lines/L1/batches", "/api/v1/reload"] {
        all += &format!("{:?}", api.post(path, &wrong).await);
    }
    all
}

/// All that lies below a directory, except what is meant to hold keys.
fn below(dir: &Path, all: &mut String) {
    for entry in std::fs::read_dir(dir).expect("a directory") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            below(&path, all);
        } else {
            *all += &String::from_utf8_lossy(&std::fs::read(&path).expect("a file"));
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_secret_turns_up_in_logs_answers_figures_or_exports() {
    let site = Site::new();
    let plant = plant(PlantConfig::default(), site.path()).await;
    let (database, to_database) = strict_database().await;
    let (hook, to_hook) =
        listen(vec![b"HTTP/1.1 500 No\r\ncontent-length: 0\r\nconnection: close\r\n\r\n".to_vec()])
            .await;
    let key = KeyPair::generate().expect("a key");
    let cert = CertificateParams::new(vec!["localhost".to_owned()]).expect("a name");
    let cert = cert.self_signed(&key).expect("a certificate");
    let file = |name: &str, text: &str| private(&site.path().join(name), text);
    file("database", DATABASE);
    file("webhook", WEBHOOK);
    file("opcua", OPCUA);
    file("cert.pem", &cert.pem());
    let pem = key.serialize_pem();
    file("key.pem", &pem);
    let map = |path: &str| repository(path).display().to_string();
    let text = format!(
        "[site]\nname = 'Test'\nzone = 'Asia/Shanghai'\n[web]\nlisten = '127.0.0.1:0'\n[store]\ndir = 'data'\n\
         [database]\nurl = 'postgres://w@127.0.0.1:{database}/plant'\nedge = 'e'\npassword_file = 'database'\n\
         [[webhook]]\nname = 'maintenance'\nurl = 'http://127.0.0.1:{hook}/x'\nsecret_file = 'webhook'\n\
         [[alert]]\nwhen = 'unknown'\nlonger = '1s'\nsend = ['maintenance']\n\
         [[line]]\nid = 'L1'\ntitle = {{ en = 'L', zh = '线' }}\ncounting_station = 'CF01'\ntarget_per_minute = 6500\n\
         [[line.device]]\nmap = '{}'\naddress = 'tls://127.0.0.1:9'\n\
         [line.device.tls]\nca = 'cert.pem'\ncert = 'cert.pem'\nkey = 'key.pem'\n\
         [[line.device]]\nmap = '{}'\naddress = '{}'\nweak_security = 'accepted'\n\
         user = {{ name = 'capline', password_file = 'opcua' }}\n",
        map(FILLER),
        map(WEIGHER),
        plant.opcua_url(),
    );
    std::fs::write(site.file(), &text).expect("a configuration");
    let mut service = run(&site, &[]);
    let api = service.api().await;
    // `run` has taken RUST_LOG away; the loud one is a second service after this one has shown that all is used.
    eventually("a password at the database", || heard(&to_database).contains(DATABASE)).await;
    eventually("a signed message", || heard(&to_hook).contains("webhook-signature: v1,")).await;
    drop(answers(api).await);
    service.signal(Signal::TERM);
    service.exit(PATIENCE).await;

    let mut loud = super::loud(&site);
    let api = loud.api().await;
    let before = heard(&to_database).len();
    eventually("another try at the database", || heard(&to_database).len() > before).await;
    until("a try at the weigher", PATIENCE, async || {
        let tried = loud.stderr().iter().any(|line| line.contains("CW04"));
        if tried { Ok(()) } else { Err("nothing of CW04".to_owned()) }
    })
    .await;
    loud.signal(Signal::HUP);
    let mut all = answers(api).await;
    // Some more tries of everything.
    tokio::time::sleep(Duration::from_secs(3)).await;
    loud.signal(Signal::TERM);
    loud.exit(PATIENCE).await;
    let log = loud.stderr().join("\n") + &loud.stdout().join("\n");
    assert!(log.contains("TRACE") && log.contains("DEBUG"), "everything is logged");
    all += &log;

    let folder = site.path().join("export").display().to_string();
    let config = site.file().display().to_string();
    let now = jiff::Timestamp::from_microsecond(simulators::utc_now_us()).expect("a time");
    let hours =
        |n| now.checked_add(jiff::SignedDuration::from_hours(n)).expect("a time").to_string();
    let (from, to) = (hours(-2), hours(2));
    for arguments in [
        &["export", &*config, &*folder, "--from", &*from, "--to", &*to][..],
        &["check", &*config],
        &["reconcile", "--config", &*config],
        &["migrate", "--config", &*config],
    ] {
        let (_, out, err) = capline(arguments).await;
        all += &(out + &err);
    }
    below(Path::new(&folder), &mut all);
    below(&site.data(), &mut all);

    let line = pem.lines().nth(1).expect("a key has lines").to_owned();
    let secrets = [
        ("database", DATABASE.into()),
        ("webhook", WEBHOOK.into()),
        ("opcua", OPCUA.into()),
        ("key", line),
    ];
    let leaks = found(&secrets, &all);
    assert!(leaks.is_empty(), "{leaks:?}");
    // The same search finds each of them when it is there.
    for (name, secret) in &secrets {
        let leaked = format!("{all}\nERROR could not log in with {secret}");
        assert_eq!(found(&secrets, &leaked).len(), 1, "{name}");
    }
    plant.stop().await;
}
