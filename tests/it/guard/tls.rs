//! The screens over TLS, with a client of rustls that trusts one certificate.

use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use rustix::process::Signal;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore, SupportedProtocolVersion};
use sha2::{Digest, Sha256};
use simulators::{Server, ServiceLine};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::{private, run, site};
use crate::harness::{PATIENCE, Site, until};
use crate::process::Process;

const BOTH: [&SupportedProtocolVersion; 2] = [&rustls::version::TLS13, &rustls::version::TLS12];
const GET: &str = "GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n";

/// Where the screens are, and the fingerprint that was printed with it.
async fn screens(service: &mut Process) -> (SocketAddr, String) {
    until("the address of the screens", PATIENCE, async || {
        let err = service.stderr();
        let after = |words: &str| {
            let rest = err.iter().find_map(|line| line.split_once(words))?.1;
            rest.split([' ', '/']).next().map(str::to_owned)
        };
        match (after("open https://").and_then(|at| at.parse().ok()), after("SHA-256 ")) {
            (Some(address), Some(fingerprint)) => Ok((address, fingerprint)),
            _ => Err(format!("{err:#?}")),
        }
    })
    .await
}

fn certificate(pem: &Path) -> CertificateDer<'static> {
    CertificateDer::from_pem_file(pem).expect("a certificate")
}

/// Agrees on TLS as a browser that knows `trusted` alone.
async fn greet(
    address: SocketAddr,
    trusted: &CertificateDer<'static>,
    versions: &[&'static SupportedProtocolVersion],
) -> io::Result<TlsStream<TcpStream>> {
    let mut roots = RootCertStore::empty();
    roots.add(trusted.clone()).map_err(io::Error::other)?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(versions)
        .map_err(io::Error::other)?
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = ServerName::try_from("localhost").map_err(io::Error::other)?;
    TlsConnector::from(Arc::new(config)).connect(name, TcpStream::connect(address).await?).await
}

/// Asks over a connection that stays open: the head of the answer.
async fn ask(stream: &mut TlsStream<TcpStream>) -> io::Result<String> {
    stream.write_all(GET.as_bytes()).await?;
    let mut answer = Vec::new();
    while !answer.windows(4).any(|end| end == b"\r\n\r\n") {
        if stream.read_buf(&mut answer).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

fn shown(stream: &TlsStream<TcpStream>) -> CertificateDer<'static> {
    let chain = stream.get_ref().1.peer_certificates().expect("a certificate");
    chain[0].clone().into_owned()
}

/// What comes back in plain text until the other side closes.
async fn plain(address: SocketAddr, bytes: &[u8]) -> Vec<u8> {
    let mut stream = TcpStream::connect(address).await.expect("it listens");
    let _ = stream.write_all(bytes).await;
    let mut answer = Vec::new();
    let read = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut answer)).await;
    let _ = read.expect("the connection is closed");
    answer
}

/// Shows: ACC-10
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_certificate_is_made_at_the_first_start_and_told() {
    let site = site("[web.tls]");
    let mut service = Process::run(&site.file());
    let (address, fingerprint) = screens(&mut service).await;
    let made = certificate(&site.data().join("web/cert.pem"));
    for version in BOTH {
        let mut stream = greet(address, &made, &[version]).await.expect("TLS is agreed on");
        let digest: String =
            Sha256::digest(shown(&stream)).iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(digest, fingerprint, "what was printed is what is shown");
        let answer = ask(&mut stream).await.expect("an answer");
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        // A browser that may not go past its warning would be locked out.
        assert!(!answer.contains("strict-transport-security"), "{answer}");
    }
    let stranger = CertificateParams::new(vec!["localhost".to_owned()]).expect("a name");
    let stranger = stranger.self_signed(&KeyPair::generate().expect("a key")).expect("it is made");
    let refused = greet(address, stranger.der(), &BOTH).await;
    assert!(refused.is_err(), "who trusts another certificate takes ours");

    // Who scores the service reaches it in the same way.
    let other = site.path().join("other.pem");
    std::fs::write(&other, stranger.pem()).expect("a test can write it");
    let server = Server::new(&format!("https://localhost:{}", address.port())).expect("an address");
    let scored = server.clone().trusting(&site.data().join("web/cert.pem")).expect("a certificate");
    let line = ServiceLine::find(scored, None).await.expect("the line is there");
    assert_eq!(line.machines().await.expect("an answer").len(), 1);
    let doubted = ServiceLine::find(server.trusting(&other).expect("a certificate"), None).await;
    assert!(doubted.is_err(), "who trusts another certificate scores ours");

    let told = plain(address, b"GET / HTTP/1.1\r\nhost: line-1.plant:8443\r\n\r\n").await;
    let told = String::from_utf8_lossy(&told);
    assert!(told.starts_with("HTTP/1.1 400"), "{told}");
    assert!(told.contains("https://line-1.plant:8443/"), "{told}");
    let crooked = plain(address, b"GET / HTTP/1.1\r\nhost: <script>\r\n\r\n").await;
    assert!(!String::from_utf8_lossy(&crooked).contains("script"));
    assert_eq!(plain(address, b"\0\x01\x02 what is this").await, b"", "it is closed");

    service.signal(Signal::TERM);
    assert!(service.exit(PATIENCE).await.success());
    let mut service = Process::run(&site.file());
    assert_eq!(screens(&mut service).await.1, fingerprint, "it is kept");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stalled_handshakes_hinder_nobody() {
    let site = site("[web.tls]");
    let mut service = Process::run(&site.file());
    let (address, _) = screens(&mut service).await;
    let made = certificate(&site.data().join("web/cert.pem"));
    let mut stalled = Vec::new();
    for n in 0..100 {
        let mut stream = TcpStream::connect(address).await.expect("it listens");
        // Half of them begin as TLS does, and go no further.
        if n % 2 == 0 {
            stream.write_all(b"\x16\x03\x01\x02\x00").await.expect("it takes a byte");
        }
        stalled.push(stream);
    }
    let mut stream = greet(address, &made, &BOTH).await.expect("TLS is agreed on");
    assert!(ask(&mut stream).await.expect("an answer").starts_with("HTTP/1.1 200"));
    for mut stream in stalled {
        let mut rest = Vec::new();
        let closed = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut rest)).await;
        assert!(closed.is_ok(), "a stalled handshake is kept for ever");
    }
    let mut stream = greet(address, &made, &BOTH).await.expect("TLS is agreed on");
    stream
        .write_all(b"GET /metrics HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")
        .await
        .expect("it is sent");
    let mut metrics = Vec::new();
    stream.read_to_end(&mut metrics).await.expect("the figures");
    let metrics = String::from_utf8_lossy(&metrics);
    assert!(metrics.contains("capline_web_refused_total{why=\"handshake\"} 100"), "{metrics}");
    assert!(metrics.contains("capline_web_certificate_end_seconds"), "{metrics}");
}

/// The authority of a plant.
struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    fn new() -> Authority {
        let mut params = CertificateParams::new(Vec::<String>::new()).expect("no names");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, "plant");
        let key = KeyPair::generate().expect("a key");
        Authority(CertifiedIssuer::self_signed(params, key).expect("it is made"))
    }

    /// A certificate for this machine and its key, as they are put in place: whole or not at all.
    fn give(&self, site: &Site) -> CertificateDer<'static> {
        let params = CertificateParams::new(vec!["localhost".to_owned()]).expect("a name");
        let key = KeyPair::generate().expect("a key");
        let cert = params.signed_by(&key, &self.0).expect("it is signed");
        let (cert_file, key_file) = (site.path().join("cert.pem"), site.path().join("key.pem"));
        std::fs::write(cert_file.with_extension("new"), cert.pem()).expect("a file");
        private(&key_file.with_extension("new"), &key.serialize_pem());
        std::fs::rename(cert_file.with_extension("new"), cert_file).expect("it is put in place");
        std::fs::rename(key_file.with_extension("new"), key_file).expect("it is put in place");
        cert.der().clone()
    }
}

/// A site with a certificate of its plant.
fn own() -> (Site, Authority, CertificateDer<'static>) {
    let authority = Authority::new();
    let site = site("");
    let first = authority.give(&site);
    super::insert(&site, "[web.tls]\ncert = 'cert.pem'\nkey = 'key.pem'");
    (site, authority, first)
}

/// Waits until new connections are shown this certificate.
async fn shows(address: SocketAddr, authority: &Authority, wanted: &CertificateDer<'static>) {
    until("the new certificate", PATIENCE, async || {
        let stream = greet(address, authority.0.der(), &BOTH).await.map_err(|e| e.to_string())?;
        if shown(&stream) == *wanted { Ok(()) } else { Err("the old one".to_owned()) }
    })
    .await;
}

async fn logged(service: &Process, words: &str) {
    until(words, PATIENCE, async || {
        let err = service.stderr();
        if err.iter().any(|line| line.contains(words)) { Ok(()) } else { Err(format!("{err:#?}")) }
    })
    .await;
}

/// Shows: ACC-10
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_certificate_of_the_plant_is_exchanged_while_it_is_served() {
    let (site, authority, first) = own();
    let mut service = Process::run(&site.file());
    let (address, _) = screens(&mut service).await;
    let mut old = greet(address, authority.0.der(), &BOTH).await.expect("TLS is agreed on");
    assert_eq!(shown(&old), first);
    let answer = ask(&mut old).await.expect("an answer");
    assert!(answer.contains("strict-transport-security: max-age=31536000"), "{answer}");

    // By a signal.
    let second = authority.give(&site);
    service.signal(Signal::HUP);
    shows(address, &authority, &second).await;
    let answer = ask(&mut old).await.expect("the old connection goes on");
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");

    // A key of something else changes nothing, and the log says what is wrong.
    private(&site.path().join("key.pem"), &KeyPair::generate().expect("a key").serialize_pem());
    service.signal(Signal::HUP);
    logged(&service, "is the key of another certificate than").await;
    shows(address, &authority, &second).await;

    // Without anybody's word, because the files have changed.
    let third = authority.give(&site);
    shows(address, &authority, &third).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_that_does_not_fit_or_is_open_to_others_ends_the_start_with_the_way_out() {
    let (site, _, _) = own();
    let key = site.path().join("key.pem");
    let good = std::fs::read_to_string(&key).expect("the key");
    private(&key, &KeyPair::generate().expect("a key").serialize_pem());
    let refused = async |words: &str| {
        let mut service = Process::run(&site.file());
        assert_eq!(service.exit(PATIENCE).await.code(), Some(1));
        let err = service.stderr().join("\n");
        assert!(err.contains(words) && err.contains("[web.tls]"), "{err}");
        assert!(!err.contains("PRIVATE KEY"), "{err}");
    };
    refused("is the key of another certificate than").await;
    private(&key, &good);
    let open = std::os::unix::fs::PermissionsExt::from_mode(0o644);
    std::fs::set_permissions(&key, open).expect("it is ours");
    refused("is open to others (mode 644); chmod 600 it").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_may_be_a_credential_of_systemd() {
    let (site, authority, first) = own();
    let credentials = site.path().join("credentials");
    std::fs::create_dir(&credentials).expect("a directory");
    let key = std::fs::read_to_string(site.path().join("key.pem")).expect("the key");
    std::fs::remove_file(site.path().join("key.pem")).expect("it is ours");
    let text = std::fs::read_to_string(site.file()).expect("the configuration");
    std::fs::write(site.file(), text.replace("'key.pem'", "'credential:web-key'"))
        .expect("it is written");
    let directory = credentials.display().to_string();
    let variables = [("CREDENTIALS_DIRECTORY", &*directory)];
    let mut without = run(&site, &variables);
    assert_eq!(without.exit(PATIENCE).await.code(), Some(1));
    let err = without.stderr().join("\n");
    assert!(err.contains("LoadCredential=web-key:/etc/capline/web-key"), "{err}");
    private(&credentials.join("web-key"), &key);
    let mut service = run(&site, &variables);
    let (address, _) = screens(&mut service).await;
    shows(address, &authority, &first).await;
}
