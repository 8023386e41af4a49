//! Modbus/TCP Security against a server of rustls that asks for a certificate, with authorities made here.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use rustls::RootCertStore;
use rustls::pki_types::PrivateKeyDer;
use rustls::server::WebPkiClientVerifier;
use tokio_rustls::TlsAcceptor;

use super::*;
use crate::config::{TlsFiles, Transport, Wire};

/// An authority, and what it signs.
struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    fn new(name: &str) -> Authority {
        let mut params = CertificateParams::new(Vec::<String>::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, name);
        Authority(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    /// A certificate for a name, valid in these years.
    fn sign(&self, name: &str, years: (i32, i32)) -> (rcgen::Certificate, KeyPair) {
        let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        params.not_before = rcgen::date_time_ymd(years.0, 1, 1);
        params.not_after = rcgen::date_time_ymd(years.1, 1, 1);
        let key = KeyPair::generate().unwrap();
        (params.signed_by(&key, &self.0).unwrap(), key)
    }

    /// Our certificate, our key and the authority of the device as files.
    fn files(&self, folder: &Path, device: &Authority) -> TlsFiles {
        let (cert, key) = self.sign("capline", VALID);
        let file = |name: &str, text: String| {
            let path = folder.join(name);
            std::fs::write(&path, text).unwrap();
            private(&path, 0o600);
            path
        };
        TlsFiles {
            ca: file("ca.pem", device.0.pem()),
            cert: file("cert.pem", cert.pem()),
            key: file("key.pem", key.serialize_pem()),
            name: Some("plc.test".into()),
        }
    }
}

fn private(path: &Path, mode: u32) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

const VALID: (i32, i32) = (2020, 2090);

/// A device that trusts certificates of `trusted` and shows one of `own`.
async fn device_with(
    own: &Authority,
    name: &str,
    years: (i32, i32),
    trusted: &Authority,
) -> String {
    let (cert, key) = own.sign(name, years);
    let mut roots = RootCertStore::empty();
    roots.add(trusted.0.der().clone()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider.clone());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_client_cert_verifier(verifier.build().unwrap())
        .with_single_cert(
            vec![cert.der().clone()],
            PrivateKeyDer::try_from(key.serialize_der()).unwrap(),
        )
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                let stream = acceptor.accept(stream).await.ok()?;
                serve(stream, 1, Arc::default(), Arc::new(own_address)).await
            });
        }
    });
    address
}

fn over_tls(address: &str, files: TlsFiles) -> Wire {
    Wire::of(Transport::Tls(address.to_owned(), files))
}

/// What a device that cannot be read says in the end.
async fn refusal(address: &str, files: TlsFiles) -> String {
    let mut probe = crate::sources::Probe::new(over_tls(address, files), Duration::from_secs(5));
    match probe.read(domain::plc_map::Table::Holding, 0, 2).await {
        Ok(words) => panic!("it was read: {words:?}"),
        Err(error) => error.to_string(),
    }
}

#[tokio::test]
async fn a_device_that_asks_for_our_certificate_is_read() {
    let (plant, ours) = (Authority::new("plant"), Authority::new("ours"));
    let folder = tempfile::tempdir().unwrap();
    let address = device_with(&plant, "plc.test", VALID, &ours).await;
    let mut config = plain(&[20], two_blocks(), &address);
    config.wire = over_tls(&address, ours.files(folder.path(), &plant));
    config.connect_timeout = Duration::from_secs(5);
    config.reply_timeout = Duration::from_secs(2);
    let mut line = Line::start(config);
    let (snapshot, mut all) = line.until(taken).await;
    assert_eq!(values(&snapshot), RIGHT);
    all.push(snapshot);
    line.stop(all).await;
}

/// Shows: ACQ-11
#[tokio::test]
async fn who_is_not_trusted_is_refused_with_the_way_out() {
    let (plant, ours, other) =
        (Authority::new("plant"), Authority::new("ours"), Authority::new("other"));
    let folder = tempfile::tempdir().unwrap();
    let files = |device: &Authority| ours.files(folder.path(), device);

    let address = device_with(&other, "plc.test", VALID, &ours).await;
    let words = refusal(&address, files(&plant)).await;
    assert!(words.contains("signed by no authority of ours; add its authority to ca"), "{words}");

    let address = device_with(&plant, "plc.test", (2020, 2021), &ours).await;
    let words = refusal(&address, files(&plant)).await;
    assert!(words.contains("has expired; renew it on the device"), "{words}");

    let address = device_with(&plant, "another.test", VALID, &ours).await;
    let words = refusal(&address, files(&plant)).await;
    assert!(words.contains("is for another name; write that name as name"), "{words}");

    let address = device_with(&plant, "plc.test", VALID, &other).await;
    let words = refusal(&address, files(&plant)).await;
    assert!(words.contains("the device does not trust our certificate"), "{words}");
}

#[tokio::test]
async fn certificates_that_cannot_be_used_are_named() {
    let (plant, ours) = (Authority::new("plant"), Authority::new("ours"));
    let folder = tempfile::tempdir().unwrap();
    let address = device_with(&plant, "plc.test", VALID, &ours).await;
    let files = ours.files(folder.path(), &plant);
    std::fs::write(&files.cert, "").unwrap();
    let words = refusal(&address, files.clone()).await;
    assert!(words.contains("cert.pem: holds no certificate"), "{words}");
    let files = ours.files(folder.path(), &plant);
    std::fs::write(&files.key, KeyPair::generate().unwrap().serialize_pem()).unwrap();
    let words = refusal(&address, files).await;
    assert!(words.contains("key and cert must belong together"), "{words}");
    let files = ours.files(folder.path(), &plant);
    private(&files.key, 0o644);
    let words = refusal(&address, files).await;
    assert!(words.contains("is open to others (mode 644); chmod 600 it"), "{words}");
}
