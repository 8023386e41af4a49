//! The certificate of the screens as files: made, given, exchanged, and what is wrong with them.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use rcgen::{CertificateParams, KeyPair};

use super::server::end;
use super::*;

/// 2026-11-24, UTC seconds.
const NOW_S: i64 = 1_795_478_400;
const DAY_S: i64 = 86_400;

fn put(path: &Path, text: &str, mode: u32) -> PathBuf {
    std::fs::write(path, text).unwrap();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    path.to_owned()
}

/// A certificate and its key as files of a plant.
fn pair(dir: &Path) -> (PathBuf, PathBuf) {
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(vec!["capline.test".to_owned()]).unwrap();
    let cert = params.self_signed(&key).unwrap();
    let cert = put(&dir.join("cert.pem"), &cert.pem(), 0o644);
    (cert, put(&dir.join("key.pem"), &key.serialize_pem(), 0o600))
}

fn made(dir: &Path) -> Source {
    Source::Made { dir: dir.join("web"), names: vec!["10.0.0.7".to_owned()] }
}

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn a_certificate_is_made_once_and_anew_before_it_expires() {
    let dir = tempfile::tempdir().unwrap();
    let first = Server::open(made(dir.path()), NOW_S).unwrap();
    let certificate = first.certificate();
    assert!(!first.is_own());
    assert_eq!(mode(&dir.path().join("web/key.pem")), 0o600);
    assert_eq!(mode(&dir.path().join("web")), 0o700);
    for name in ["DNS:localhost", "IP:127.0.0.1", "IP:10.0.0.7"] {
        assert!(certificate.names.contains(&name.to_owned()), "{name}: {:?}", certificate.names);
    }
    // No browser takes more than 825 days.
    assert!((certificate.not_after_s - certificate.not_before_s) / DAY_S <= 825);
    let again = Server::open(made(dir.path()), NOW_S + 700 * DAY_S).unwrap();
    assert_eq!(again.certificate(), certificate);
    assert!(matches!(again.read_again(NOW_S + 700 * DAY_S), Ok(None)));
    // A month before its end there is a new one under the same key.
    let key = std::fs::read(dir.path().join("web/key.pem")).unwrap();
    again.look(NOW_S + 800 * DAY_S, |_, _| Ok(()));
    assert_ne!(again.certificate(), certificate);
    assert_eq!(std::fs::read(dir.path().join("web/key.pem")).unwrap(), key);
}

#[test]
fn files_that_do_not_fit_are_refused_and_the_old_ones_stay() {
    let (dir, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (cert, key) = pair(dir.path());
    let source = Source::Own { cert: cert.clone(), key: key.clone() };
    let server = Server::open(source.clone(), NOW_S).unwrap();
    let before = server.certificate();
    assert!(server.is_own());
    let refused = |words: &str| {
        let error = Server::open(source.clone(), NOW_S).map(drop).unwrap_err();
        assert!(error.contains(words), "{error}");
        assert!(!error.contains("BEGIN"), "{error}");
        assert!(server.read_again(NOW_S).err().unwrap().contains(words));
        assert_eq!(server.certificate(), before);
    };
    let (_, foreign) = pair(other.path());
    let own = std::fs::read_to_string(&key).unwrap();
    std::fs::copy(&foreign, &key).unwrap();
    refused("key.pem is the key of another certificate than");
    put(&key, &own, 0o644);
    refused("is open to others (mode 644); chmod 600 it");
    put(&key, "s3cret", 0o600);
    refused("key.pem: holds no private key in PEM form");
    put(&key, &own, 0o600);
    let chain = std::fs::read_to_string(&cert).unwrap();
    put(&cert, "", 0o644);
    refused("cert.pem: holds no certificate");
    put(&cert, &chain, 0o644);
    assert!(matches!(server.read_again(NOW_S), Ok(None)));
}

#[test]
fn files_that_are_exchanged_one_after_the_other_are_taken_when_they_fit() {
    let (dir, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (cert, key) = pair(dir.path());
    let source = Source::Own { cert: cert.clone(), key: key.clone() };
    let server = Server::open(source, NOW_S).unwrap();
    let before = server.certificate();
    let (new_cert, new_key) = pair(other.path());
    let new = std::fs::read(&new_cert).unwrap();
    std::fs::rename(&new_cert, &cert).unwrap();
    server.look(NOW_S, |_, _| Ok(()));
    assert_eq!(server.certificate(), before, "the key is still that of the old one");
    std::fs::rename(&new_key, &key).unwrap();
    // Read is not shown, and what cannot be noted is not shown either.
    assert!(matches!(server.read_again(NOW_S), Ok(Some(_))));
    server.look(NOW_S, |_, _| Err("the disk is full".to_owned()));
    assert_eq!(server.certificate(), before);
    server.look(NOW_S, |_, _| Ok(()));
    let after = server.certificate();
    assert_ne!(after, before);
    assert!(matches!(server.read_again(NOW_S), Ok(None)), "it is the one that is shown");
    assert_eq!(std::fs::read(&cert).unwrap(), new);
    // Without a change nothing is read: what is asked for is the same.
    server.look(NOW_S, |_, _| Ok(()));
    assert_eq!(server.certificate(), after);
}

#[test]
fn an_end_is_told_in_good_time() {
    let dir = tempfile::tempdir().unwrap();
    let certificate = Server::open(made(dir.path()), NOW_S).unwrap().certificate();
    let at = |days: i64| end(&certificate, certificate.not_after_s + days * DAY_S);
    assert_eq!(at(-60), None);
    assert!(at(-7).unwrap().contains("expires in 7 days"));
    assert!(at(3).unwrap().contains("has expired 3 days ago"));
    let early = end(&certificate, certificate.not_before_s - 1).unwrap();
    assert!(early.contains("is not good yet"), "{early}");
}
