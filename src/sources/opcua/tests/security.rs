//! Secured sessions against a server of the same library: who is trusted, who is refused, and what is said of it.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use opcua::crypto::SecurityPolicy;
use opcua::server::{ANONYMOUS_USER_TOKEN_ID, ServerEndpoint, ServerUserToken};
use opcua::types::MessageSecurityMode;
use tempfile::TempDir;

use super::*;
use crate::config::{OpcUaAccess, PasswordPlace, Policy, Security, User};
use crate::sources::Label;
use crate::sources::opcua::session::{OpenError, Opening, Reach};
use crate::sources::pki::{Pki, Trust};

const USER: &str = "edge";
const ENCRYPTED: Security = Security::Secured { policy: Policy::Basic256Sha256, encrypted: true };

fn case(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/pki").join(name)
}

/// A server with this certificate, which takes the name `edge` and the fixture user, secured and not.
async fn plc(pair: &str) -> Plc {
    let tokens = ["name".to_owned(), "certificate".to_owned(), ANONYMOUS_USER_TOKEN_ID.to_owned()];
    let endpoint = |policy, mode| ServerEndpoint::new("/", policy, mode, &tokens);
    let (certificate, key) = (case(&format!("{pair}.der")), case(&format!("{pair}.key.pem")));
    let weak = endpoint(SecurityPolicy::Basic256, MessageSecurityMode::SignAndEncrypt);
    let signed = endpoint(SecurityPolicy::Basic256Sha256, MessageSecurityMode::Sign);
    Plc::start_with(1, move |builder| {
        builder
            .certificate_path(certificate)
            .private_key_path(key)
            .trust_client_certs(true)
            .add_user_token("name", ServerUserToken::user_pass(USER, "s3cret"))
            .add_user_token("certificate", ServerUserToken::x509("user", &case("user.der")))
            .add_endpoint("none", ServerEndpoint::new_none("/", &tokens))
            .add_endpoint("b", ServerEndpoint::new_basic256sha256_sign_encrypt("/", &tokens))
            .add_endpoint("s", signed)
            .add_endpoint(
                "a1",
                ServerEndpoint::new_aes128_sha256_rsaoaep_sign_encrypt("/", &tokens),
            )
            .add_endpoint("a2", ServerEndpoint::new_aes256_sha256_rsapss_sign_encrypt("/", &tokens))
            .add_endpoint("w", weak)
    })
    .await
}

/// An edge box with the fixture pair.
struct Edge {
    dir: TempDir,
}

impl Edge {
    fn new() -> Edge {
        let dir = tempfile::tempdir().unwrap();
        let own = dir.path().join("pki/own");
        std::fs::create_dir_all(&own).unwrap();
        std::fs::copy(case("own.der"), own.join("cert.der")).unwrap();
        std::fs::copy(case("own.key.pem"), own.join("key.pem")).unwrap();
        let private = std::fs::Permissions::from_mode(0o600);
        std::fs::set_permissions(own.join("key.pem"), private).unwrap();
        let edge = Edge { dir };
        edge.password("s3cret");
        edge
    }

    fn pki(&self) -> Pki {
        Pki::new(self.dir.path().join("pki"))
    }

    fn file(&self) -> PathBuf {
        self.dir.path().join("password")
    }

    fn password(&self, password: &str) {
        std::fs::write(self.file(), password).unwrap();
        let private = std::fs::Permissions::from_mode(0o600);
        std::fs::set_permissions(self.file(), private).unwrap();
    }

    fn named(&self) -> User {
        User::Named { name: USER.into(), password: PasswordPlace::File(self.file()) }
    }

    fn access(&self, security: Security, user: User) -> OpcUaAccess {
        let pki = self.pki().dir().to_owned();
        OpcUaAccess { security, user, accepts_weak: false, pki }
    }

    fn opening(&self, plc: &Plc, access: OpcUaAccess) -> Opening {
        let config = config(&plc.address, &[50], vec![node("0", 0)]);
        Opening {
            label: Label::of(&config),
            reach: Reach {
                url: config.address.clone(),
                access,
                request_timeout: Duration::from_secs(10),
                // RSA of an unoptimised build takes its time.
                connect_timeout: Duration::from_secs(20),
                clock: Clock::real(),
            },
            map: config.map.clone(),
            options: OpcUaOptions { namespace: NAMESPACE.into() },
        }
    }

    /// Opens a session, reads through it and closes it.
    async fn read(&self, plc: &Plc, access: OpcUaAccess) -> Result<Value, OpenError> {
        let session = self.opening(plc, access).open().await?;
        let values = session.read().await?;
        session.close(Duration::from_secs(5)).await;
        let value = values.into_iter().next().and_then(|(_, _, value)| value.value);
        Ok(Value::Unsigned(value.unwrap().try_cast_to::<u64>().unwrap()))
    }

    /// Trusts the server after it was refused once, as a person does.
    async fn trust(&self, plc: &Plc) {
        let refused = self.read(plc, self.access(ENCRYPTED, User::Anonymous)).await;
        refused.expect_err("a stranger is refused");
        for (_, certificate) in self.pki().list().unwrap() {
            self.pki().decide(certificate.thumbprint, Trust::Trusted).unwrap();
        }
    }
}

/// Shows: ACQ-11
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stranger_is_refused_with_the_command_that_trusts_it() {
    let (plc, edge) = (plc("plc").await, Edge::new());
    let access = edge.access(ENCRYPTED, User::Anonymous);
    for _ in 0..2 {
        let refusal = edge.read(&plc, access.clone()).await.expect_err("nobody trusts it");
        let listed = edge.pki().list().unwrap();
        let [(Trust::Rejected, certificate)] = &listed[..] else { panic!("{listed:?}") };
        let command = format!(
            "capline pki trust --dir {} {}",
            edge.pki().dir().display(),
            certificate.thumbprint
        );
        assert!(refusal.to_string().ends_with(&command), "{refusal}");
        assert_eq!(plc.sessions(), 0);
    }
    let thumbprint = edge.pki().list().unwrap()[0].1.thumbprint;
    edge.pki().decide(thumbprint, Trust::Trusted).unwrap();
    plc.set(0, 17, StatusCode::Good);
    assert_eq!(edge.read(&plc, access.clone()).await.unwrap(), Value::Unsigned(17));
    edge.pki().decide(thumbprint, Trust::Rejected).unwrap();
    edge.read(&plc, access).await.expect_err("it is trusted no more");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_with_a_new_certificate_is_a_stranger_again() {
    let edge = Edge::new();
    edge.trust(&plc("plc").await).await;
    let refusal = edge
        .read(&plc("renewed").await, edge.access(ENCRYPTED, User::Anonymous))
        .await
        .expect_err("another key");
    assert!(refusal.to_string().contains("not the trusted one of that name"), "{refusal}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_policy_and_every_user_gets_in() {
    let (plc, edge) = (plc("plc").await, Edge::new());
    edge.trust(&plc).await;
    let secured = |policy, encrypted| Security::Secured { policy, encrypted };
    let certificate = User::Certificate {
        certificate: case("user.der"),
        key: {
            let key = edge.dir.path().join("user.key.pem");
            std::fs::copy(case("user.key.pem"), &key).unwrap();
            std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o600)).unwrap();
            key
        },
    };
    for (security, user, accepts_weak) in [
        (secured(Policy::Basic256Sha256, false), User::Anonymous, false),
        (secured(Policy::Aes128Sha256RsaOaep, true), edge.named(), false),
        (secured(Policy::Aes256Sha256RsaPss, true), edge.named(), false),
        (secured(Policy::Basic256, true), User::Anonymous, true),
        (ENCRYPTED, edge.named(), false),
        (ENCRYPTED, certificate, false),
        (Security::None, User::Anonymous, false),
    ] {
        let access = OpcUaAccess { accepts_weak, ..edge.access(security, user.clone()) };
        let read = edge.read(&plc, access).await;
        assert!(read.is_ok(), "{security:?} {user:?}: {}", read.unwrap_err());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_user_is_told_what_to_look_at() {
    let (plc, edge) = (plc("plc").await, Edge::new());
    edge.trust(&plc).await;
    let access = edge.access(ENCRYPTED, edge.named());
    edge.password("wrong");
    let refusal = edge.read(&plc, access.clone()).await.expect_err("a wrong password");
    assert!(refusal.to_string().ends_with("check the user and the password"), "{refusal}");
    assert!(!refusal.to_string().contains("wrong"), "a password is never shown: {refusal}");
    std::fs::set_permissions(edge.file(), std::fs::Permissions::from_mode(0o644)).unwrap();
    let refusal = edge.read(&plc, access.clone()).await.expect_err("others can read it");
    assert!(refusal.to_string().ends_with("chmod 600 it"), "{refusal}");
    let password = PasswordPlace::Variable("CAPLINE_TEST_NO_SUCH_VARIABLE".into());
    let user = User::Named { name: USER.into(), password };
    let refusal = edge.read(&plc, OpcUaAccess { user, ..access }).await.expect_err("no password");
    assert!(refusal.to_string().contains("CAPLINE_TEST_NO_SUCH_VARIABLE"), "{refusal}");
}
