//! Trust is moved by hand only, and doubt is never trust.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use tempfile::TempDir;

use super::*;

/// 2026-11-24.
const NOW_S: i64 = 1_795_478_400;

fn case(name: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/pki").join(name)
}

fn certificate(name: &str) -> Certificate {
    Certificate::from_der(&std::fs::read(case(name)).unwrap()).unwrap()
}

fn pki() -> (TempDir, Pki) {
    let dir = tempfile::tempdir().unwrap();
    let pki = Pki::new(dir.path().join("pki"));
    (dir, pki)
}

#[test]
fn a_certificate_is_read_as_openssl_shows_it() {
    let plc = certificate("plc.der");
    assert_eq!(plc.subject, "O=Capline,CN=Test plc");
    assert_eq!(plc.names, ["URI:urn:capline:test:plc", "DNS:localhost", "IP:127.0.0.1"]);
    assert_eq!(plc.application_uri(), Some("urn:capline:test:plc"));
    assert!(plc.not_before_s < plc.not_after_s);
    // A byte more, and it is another thing.
    let mut longer = plc.der.clone();
    longer.push(0);
    assert!(Certificate::from_der(&longer).is_err());
}

#[test]
fn a_stranger_is_laid_aside_and_trusted_only_by_hand() {
    let (_dir, pki) = pki();
    let plc = certificate("plc.der");
    assert_eq!(pki.list().unwrap(), []);
    for _ in 0..2 {
        assert_eq!(pki.judge(&plc).unwrap(), Trust::Rejected);
    }
    assert_eq!(pki.list().unwrap(), [(Trust::Rejected, plc.clone())]);
    assert_eq!(pki.decide(plc.thumbprint, Trust::Trusted).unwrap(), plc);
    assert_eq!(pki.judge(&plc).unwrap(), Trust::Trusted);
    assert_eq!(pki.list().unwrap(), [(Trust::Trusted, plc.clone())]);
    pki.decide(plc.thumbprint, Trust::Rejected).unwrap();
    assert_eq!(pki.judge(&plc).unwrap(), Trust::Rejected);
    let unknown = certificate("other.der").thumbprint;
    assert!(matches!(pki.decide(unknown, Trust::Trusted), Err(PkiError::Unknown { .. })));
}

#[test]
fn a_renewed_certificate_is_a_stranger_with_a_known_name() {
    let (_dir, pki) = pki();
    let (plc, renewed) = (certificate("plc.der"), certificate("renewed.der"));
    assert_eq!(plc.subject, renewed.subject);
    pki.judge(&plc).unwrap();
    pki.decide(plc.thumbprint, Trust::Trusted).unwrap();
    assert_eq!(pki.judge(&renewed).unwrap(), Trust::Rejected);
    assert!(pki.trusts_namesake(&renewed));
    assert!(!pki.trusts_namesake(&plc));
    assert!(!pki.trusts_namesake(&certificate("other.der")));
}

#[test]
fn what_lies_in_both_directories_is_rejected() {
    let (_dir, pki) = pki();
    let plc = certificate("plc.der");
    pki.put(Trust::Trusted, &plc).unwrap();
    assert_eq!(pki.judge(&plc).unwrap(), Trust::Trusted);
    pki.put(Trust::Rejected, &plc).unwrap();
    assert_eq!(pki.judge(&plc).unwrap(), Trust::Rejected);
    pki.decide(plc.thumbprint, Trust::Trusted).unwrap();
    assert_eq!(pki.judge(&plc).unwrap(), Trust::Trusted);
}

/// A name in a directory proves nothing: the certificate itself is compared.
#[test]
fn another_certificate_under_a_trusted_name_is_not_trusted() {
    let (_dir, pki) = pki();
    let (plc, other) = (certificate("plc.der"), certificate("other.der"));
    pki.put(Trust::Trusted, &plc).unwrap();
    let path = pki.dir().join("trusted").join(file_name(&plc));
    std::fs::write(&path, &other.der).unwrap();
    assert_eq!(pki.judge(&plc).unwrap(), Trust::Rejected);
}

#[test]
fn strangers_do_not_fill_the_disk() {
    let (_dir, pki) = pki();
    let plc = certificate("plc.der");
    let rejected = pki.dir().join("rejected");
    secret::private_dir(&rejected).unwrap();
    for n in 0..MOST_REJECTED {
        std::fs::write(rejected.join(format!("{n}.der")), b"x").unwrap();
    }
    assert_eq!(pki.judge(&plc).unwrap(), Trust::Rejected);
    assert_eq!(pki.files(Trust::Rejected).unwrap().len(), MOST_REJECTED);
}

#[test]
fn our_certificate_is_made_for_a_key_and_kept() {
    let (_dir, pki) = pki();
    assert_eq!(pki.own_if_made().unwrap(), None);
    let key = pki.dir().join(OWN_KEY);
    secret::private_dir(key.parent().unwrap()).unwrap();
    secret::put(&key, &std::fs::read(case("own.key.pem")).unwrap(), 0o600).unwrap();
    let made = pki.own(NOW_S).unwrap();
    let uri = made.application_uri().unwrap();
    assert!(uri.starts_with("urn:") && uri.ends_with(":capline"), "{uri}");
    assert!(made.names[0].starts_with("URI:"), "{:?}", made.names);
    assert!(made.not_before_s < NOW_S && made.not_after_s > NOW_S + 9 * 365 * 86_400);
    assert_eq!(pki.own(NOW_S + 1_000_000).unwrap(), made);
    assert_eq!(pki.own_if_made().unwrap(), Some(made.clone()));
    // The library can use the pair.
    let x509 = X509::from_der(&made.der).unwrap();
    assert_eq!(x509.key_length().unwrap(), 2_048);
    assert!(x509.is_application_uri_valid(uri).is_ok());

    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o640)).unwrap();
    let open = pki.own(NOW_S).unwrap_err();
    assert!(matches!(open, PkiError::OpenKey(SecretError::Open { mode: 0o640, .. })), "{open}");
    std::fs::remove_file(&key).unwrap();
    assert!(matches!(pki.own(NOW_S), Err(PkiError::KeyMissing { .. })));
}
