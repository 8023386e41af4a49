//! Webhooks against real servers on this machine: signed, tried again, never in each other's way.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Mutex;
use std::time::Duration;

use domain::alert::{Delivery, Ending, Turn};
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use rustls::pki_types::PrivateKeyDer;
use sha2::{Digest, Sha256};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use super::*;
use crate::secret::Secret;

const SECRET: &str = "a secret of 24 bytes or more";
const QUICK: Tries = Tries { first: Duration::from_millis(20), longest: Duration::from_millis(80) };
/// For what takes a moment, on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// A message as it came.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Got {
    id: String,
    sent_s: String,
    signature: String,
    body: String,
}

/// What a server does with the message of that number, from 0.
type Reply = fn(usize) -> Option<(u16, &'static str)>;

/// A receiver of webhooks.
struct Receiver {
    addr: SocketAddr,
    got: Arc<Mutex<Vec<Got>>>,
}

impl Receiver {
    async fn start(reply: Reply) -> Receiver {
        Receiver::on(TcpListener::bind("127.0.0.1:0").await.unwrap(), reply, None)
    }

    fn on(listener: TcpListener, reply: Reply, tls: Option<TlsAcceptor>) -> Receiver {
        let (addr, got) = (listener.local_addr().unwrap(), Arc::<Mutex<Vec<Got>>>::default());
        let kept = got.clone();
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let (kept, tls) = (kept.clone(), tls.clone());
                tokio::spawn(async move {
                    match tls {
                        None => serve(stream, kept, reply).await,
                        Some(tls) => {
                            // A stranger is not greeted.
                            let Ok(stream) = tls.accept(stream).await else { return };
                            serve(stream, kept, reply).await;
                        }
                    }
                });
            }
        });
        Receiver { addr, got }
    }

    fn got(&self) -> Vec<Got> {
        self.got.lock().unwrap().clone()
    }

    fn hook(&self, name: &str) -> Hook {
        hook(name, Target { port: self.addr.port(), ..target("127.0.0.1", None) })
    }
}

async fn serve(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    kept: Arc<Mutex<Vec<Got>>>,
    reply: Reply,
) {
    let answer = service_fn(move |request: Request<Incoming>| {
        let kept = kept.clone();
        async move {
            let text =
                |name| request.headers().get(name).map_or("", |v| v.to_str().unwrap()).to_owned();
            let got = [text("webhook-id"), text("webhook-timestamp"), text("webhook-signature")];
            assert_eq!(text("content-type"), "application/json");
            let body = request.into_body().collect().await.unwrap().to_bytes();
            let body = String::from_utf8(body.to_vec()).unwrap();
            let [id, sent_s, signature] = got;
            let n = {
                let mut kept = kept.lock().unwrap();
                kept.push(Got { id, sent_s, signature, body });
                kept.len() - 1
            };
            let Some((status, said)) = reply(n) else { return std::future::pending().await };
            let answer = Response::builder().status(status).header("location", "/elsewhere");
            answer.body(Full::new(Bytes::from(said)))
        }
    });
    drop(http1::Builder::new().serve_connection(TokioIo::new(stream), answer).await);
}

fn target(host: &str, ca: Option<&Path>) -> Target {
    Target { host: host.into(), port: 0, path: "/andon?to=1".into(), ca: ca.map(Path::to_owned) }
}

fn hook(name: &str, target: Target) -> Hook {
    Hook { name: name.into(), target, key: Key::new(&Secret::new(SECRET)).unwrap() }
}

fn message(alert: i64, turn: Turn) -> Message {
    let word = turn.word();
    Message {
        id: format!("alert_{alert}_{word}").into(),
        alert,
        turn,
        body: format!("{{\"type\":\"alert.{word}\",\"data\":{{\"alert\":{alert}}}}}").into(),
        tried: 0,
        left: Duration::from_secs(3_600),
    }
}

/// What was told, as the log has it.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<Delivery>>>);

impl Log {
    fn tell(&self) -> Tell {
        let log = self.0.clone();
        Arc::new(move |delivery| log.lock().unwrap().push(delivery))
    }

    fn all(&self) -> Vec<Delivery> {
        self.0.lock().unwrap().clone()
    }

    fn endings(&self) -> Vec<(u32, Ending, Option<u16>)> {
        self.all().iter().map(|d| (d.attempt, d.ending, d.status)).collect()
    }

    /// Waits until the log fits.
    async fn until(&self, fits: impl Fn(&[Delivery]) -> bool) -> Vec<Delivery> {
        let end = tokio::time::Instant::now() + PATIENCE;
        loop {
            let all = self.all();
            if fits(&all) {
                return all;
            }
            assert!(tokio::time::Instant::now() < end, "last seen: {all:#?}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    async fn ended(&self) -> Vec<Delivery> {
        self.until(|all| all.iter().any(|d| d.ending != Ending::Failed)).await
    }
}

/// HMAC-SHA256 as RFC 2104 writes it, without the library that signs.
fn hmac(key: &[u8], text: &[u8]) -> Vec<u8> {
    let mut block = [0_u8; 64];
    block[..key.len()].copy_from_slice(key);
    let pad = |with: u8| block.map(|byte| byte ^ with);
    let inner = Sha256::new().chain_update(pad(0x36)).chain_update(text).finalize();
    Sha256::new().chain_update(pad(0x5c)).chain_update(inner).finalize().to_vec()
}

fn is_signed(got: &Got) -> bool {
    let signed = format!("{}.{}.{}", got.id, got.sent_s, got.body);
    let mut digits = String::new();
    for three in hmac(SECRET.as_bytes(), signed.as_bytes()).chunks(3) {
        let bits = three.iter().fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte));
        let bits = bits << (8 * (3 - three.len()));
        for i in 0..4 {
            let digit = (bits >> (18 - 6 * i)) as usize & 63;
            let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
            digits.push(if i > three.len() { '=' } else { alphabet[digit] as char });
        }
    }
    got.signature == format!("v1,{digits}")
}

/// Shows: SCR-12
#[tokio::test]
async fn a_message_arrives_signed_and_whole() {
    let (receiver, log) = (Receiver::start(|_| Some((204, ""))).await, Log::default());
    let courier = Courier::start(receiver.hook("maintenance"), QUICK, log.tell());
    courier.send(message(7, Turn::Opened));
    log.ended().await;
    assert_eq!(log.endings(), [(1, Ending::Delivered, Some(204))]);
    let got = receiver.got();
    assert_eq!((got.len(), got[0].id.as_str()), (1, "alert_7_opened"));
    assert_eq!(got[0].body, *message(7, Turn::Opened).body);
    assert!(is_signed(&got[0]), "{got:?}");
    let now_s = crate::clock::Clock::real().now().utc_us / 1_000_000;
    assert!((now_s - got[0].sent_s.parse::<i64>().unwrap()).abs() < 300, "{got:?}");
    // The negative control: whoever changes a letter is found out.
    let forged = Got { body: got[0].body.replace('7', "8"), ..got[0].clone() };
    assert!(!is_signed(&forged));
}

#[tokio::test]
async fn a_receiver_that_fails_at_first_is_told_once_more_under_the_same_id() {
    let reply: Reply = |n| Some(if n < 2 { (500, "out of\r\norder") } else { (200, "") });
    let (receiver, log) = (Receiver::start(reply).await, Log::default());
    let courier = Courier::start(receiver.hook("maintenance"), QUICK, log.tell());
    courier.send(Message { tried: 3, ..message(7, Turn::Opened) });
    let told = log.ended().await;
    let (failed, status) = (Ending::Failed, Some(500));
    let expected = [(4, failed, status), (5, failed, status), (6, Ending::Delivered, Some(200))];
    assert_eq!(log.endings(), expected, "attempts of the run before are counted on");
    assert!(told[0].error.ends_with(": out of  order"), "{:?}", told[0].error);
    let got = receiver.got();
    assert!(got.iter().all(|one| one.id == got[0].id && one.body == got[0].body), "{got:?}");
    assert_eq!(got.len(), 3);
}

#[tokio::test]
async fn that_it_closed_is_told_after_that_it_opened() {
    let reply: Reply = |n| Some(if n < 2 { (503, "") } else { (200, "") });
    let (receiver, log) = (Receiver::start(reply).await, Log::default());
    let courier = Courier::start(receiver.hook("maintenance"), QUICK, log.tell());
    courier.send(message(7, Turn::Opened));
    courier.send(message(7, Turn::Closed));
    log.until(|all| all.iter().filter(|d| d.ending == Ending::Delivered).count() == 2).await;
    let turns: Vec<Turn> = log.all().iter().map(|delivery| delivery.turn).collect();
    assert_eq!(turns, [Turn::Opened, Turn::Opened, Turn::Opened, Turn::Closed]);
}

#[tokio::test]
async fn a_hook_that_hangs_delays_no_other_and_is_left_in_the_end() {
    let [hanging, quick] =
        [Receiver::start(|_| None).await, Receiver::start(|_| Some((200, ""))).await];
    let [slow_log, quick_log] = [Log::default(), Log::default()];
    let slow = Courier::start(hanging.hook("slow"), QUICK, slow_log.tell());
    let other = Courier::start(quick.hook("quick"), QUICK, quick_log.tell());
    for courier in [&slow, &other] {
        courier.send(message(7, Turn::Opened));
    }
    quick_log.ended().await;
    assert_eq!(slow_log.all(), [], "the other one was told while this one hangs");
    let told = slow_log.until(|all| !all.is_empty()).await;
    assert_eq!((told[0].ending, told[0].status), (Ending::Failed, None));
    assert_eq!(told[0].error, "no answer within 10 s");
}

#[tokio::test]
async fn a_receiver_that_comes_up_later_is_told_then() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    drop(listener);
    let log = Log::default();
    let down = hook("maintenance", Target { port: addr.port(), ..target("127.0.0.1", None) });
    let courier = Courier::start(down, QUICK, log.tell());
    courier.send(message(7, Turn::Opened));
    let failed = log.until(|all| all.len() >= 2).await;
    assert!(failed.iter().all(|d| d.ending == Ending::Failed && !d.error.is_empty()), "{failed:?}");
    let up = TcpListener::bind(addr).await.unwrap();
    let receiver = Receiver::on(up, |_| Some((200, "")), None);
    log.ended().await;
    assert_eq!(receiver.got().len(), 1);
}

#[tokio::test]
async fn what_is_worth_nothing_any_more_is_given_up_and_said_so() {
    let (receiver, log) = (Receiver::start(|_| Some((500, ""))).await, Log::default());
    let courier = Courier::start(receiver.hook("maintenance"), QUICK, log.tell());
    courier.send(Message { left: Duration::from_millis(200), ..message(7, Turn::Opened) });
    courier.send(message(8, Turn::Opened));
    let of = |all: &[Delivery], alert| {
        all.iter().filter(|d| d.alert == alert).map(|d| d.ending).collect::<Vec<_>>()
    };
    log.until(|all| of(all, 7).contains(&Ending::GivenUp)).await;
    let n = of(&log.all(), 7).len();
    let m = of(&log.all(), 8).len();
    let all = log.until(|all| of(all, 8).len() > m + 2).await;
    assert_eq!(of(&all, 7).len(), n, "and not tried again, while others are");
    assert!(of(&all, 8).iter().all(|ending| *ending == Ending::Failed));
}

#[tokio::test]
async fn a_redirect_is_not_followed_and_a_long_answer_not_read() {
    let reply: Reply =
        |n| Some(if n == 0 { (302, "") } else { (400, Box::leak("long ".repeat(200_000).into())) });
    let (receiver, log) = (Receiver::start(reply).await, Log::default());
    let courier = Courier::start(receiver.hook("maintenance"), QUICK, log.tell());
    courier.send(message(7, Turn::Opened));
    let told = log.until(|all| all.len() >= 2).await;
    assert!(told[0].error.contains("redirects are not followed"), "{:?}", told[0].error);
    assert_eq!((told[0].status, told[1].status), (Some(302), Some(400)));
    assert!(told[1].error.len() < 300, "{} bytes", told[1].error.len());
}

/// An authority and a server that it vouches for under a name.
async fn with_tls(name: &str, folder: &Path) -> (Receiver, std::path::PathBuf) {
    let mut params = CertificateParams::new(Vec::<String>::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.distinguished_name.push(DnType::CommonName, "plant");
    let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(vec![name.to_owned()]).unwrap();
    let certificate = params.signed_by(&key, &authority).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![certificate.der().clone()],
            PrivateKeyDer::try_from(key.serialize_der()).unwrap(),
        )
        .unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let ca = folder.join(format!("{name}.pem"));
    std::fs::write(&ca, authority.pem()).unwrap();
    (Receiver::on(listener, |_| Some((200, "")), Some(acceptor)), ca)
}

#[tokio::test]
async fn over_tls_only_who_the_authority_vouches_for_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let (receiver, ca) = with_tls("localhost", folder.path()).await;
    let (_, stranger) = with_tls("stranger", folder.path()).await;
    let port = receiver.addr.port();
    let empty = folder.path().join("empty.pem");
    std::fs::write(&empty, "").unwrap();
    for (host, ca, words) in [
        ("localhost", &ca, ""),
        ("localhost", &stranger, "certificate"),
        ("127.0.0.1", &ca, "certificate"),
        ("localhost", &empty, "holds no certificate"),
        ("localhost", &folder.path().join("none.pem"), "none.pem"),
    ] {
        let log = Log::default();
        let to = hook("tls", Target { port, ..target(host, Some(ca)) });
        let courier = Courier::start(to, QUICK, log.tell());
        courier.send(message(7, Turn::Opened));
        let told = log.until(|all| !all.is_empty()).await;
        assert_eq!(told[0].ending == Ending::Delivered, words.is_empty(), "{:?}", told[0]);
        assert!(told[0].error.contains(words), "{:?}", told[0].error);
    }
    assert_eq!(receiver.got().len(), 1, "the other four were told nothing");
    assert!(is_signed(&receiver.got()[0]));
}
