//! How an OPC UA server is reached: security policy, mode and user. Never a secret itself.

use std::path::{Path, PathBuf};

use domain::plc_map::document::Section;

use super::place;

/// How an OPC UA server is reached.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OpcUaAccess {
    /// Security of the connection.
    pub security: Security,
    /// Who we say we are.
    pub user: User,
    /// Whether broken policies, and a password that others could read, were accepted in words.
    pub accepts_weak: bool,
    /// Directory of our own certificate and of those of servers.
    pub pki: PathBuf,
}

/// Security of a connection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Security {
    /// Everybody on the network can read and change what is sent.
    #[default]
    None,
    /// Messages are signed, and encrypted unless the configuration says otherwise.
    Secured {
        /// Algorithms.
        policy: Policy,
        /// Whether messages are encrypted too.
        encrypted: bool,
    },
}

/// A security policy of OPC 10000-7.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Policy {
    /// Basic256Sha256.
    Basic256Sha256,
    /// Aes128_Sha256_RsaOaep.
    Aes128Sha256RsaOaep,
    /// Aes256_Sha256_RsaPss.
    Aes256Sha256RsaPss,
    /// Basic256, withdrawn because of SHA-1.
    Basic256,
    /// Basic128Rsa15, withdrawn because of SHA-1 and PKCS #1 v1.5 padding.
    Basic128Rsa15,
}

impl Policy {
    /// All of them, the ones to prefer first.
    pub const ALL: [Policy; 5] = [
        Policy::Aes256Sha256RsaPss,
        Policy::Basic256Sha256,
        Policy::Aes128Sha256RsaOaep,
        Policy::Basic256,
        Policy::Basic128Rsa15,
    ];

    /// The name in the specification.
    pub fn word(self) -> &'static str {
        match self {
            Policy::Basic256Sha256 => "Basic256Sha256",
            Policy::Aes128Sha256RsaOaep => "Aes128_Sha256_RsaOaep",
            Policy::Aes256Sha256RsaPss => "Aes256_Sha256_RsaPss",
            Policy::Basic256 => "Basic256",
            Policy::Basic128Rsa15 => "Basic128Rsa15",
        }
    }

    /// Whether the specification has withdrawn it.
    pub fn is_weak(self) -> bool {
        matches!(self, Policy::Basic256 | Policy::Basic128Rsa15)
    }
}

/// Who we say we are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum User {
    /// Nobody.
    #[default]
    Anonymous,
    /// A name and a password.
    Named {
        /// The name.
        name: String,
        /// Where the password is.
        password: PasswordPlace,
    },
    /// A certificate of a user.
    Certificate {
        /// The certificate, `.der` or `.pem`.
        certificate: PathBuf,
        /// Its private key, PEM, readable by us alone.
        key: PathBuf,
    },
}

/// Where a password is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PasswordPlace {
    /// In a variable of the environment.
    Variable(String),
    /// In a file that only we can read.
    File(PathBuf),
}

/// Keys of a device that only an OPC UA server has.
const KEYS: [&str; 4] = ["security", "mode", "user", "weak_security"];
const POLICIES: &str = "None, Basic256Sha256, Aes128_Sha256_RsaOaep or Aes256_Sha256_RsaPss";
const USER: &str = "{ name = \"capline\", password_file = \"cw04-password\" }";

/// Marks the keys as known while nobody can say whether they belong there: the map was refused.
pub(super) fn pass_over(device: &Section<'_, '_>) {
    for key in KEYS {
        device.has(key);
    }
}

/// Reads the keys of a device. Paths start at `base`; certificates are in `pki`.
pub(super) fn read(device: &Section<'_, '_>, base: &Path, pki: &Path) -> Option<OpcUaAccess> {
    let accepts_weak = read_weak(device);
    let security = read_security(device, accepts_weak);
    let user = match device.section("user") {
        Some(user) => read_user(&user, base),
        None => (!device.has("user")).then_some(User::Anonymous),
    };
    Some(OpcUaAccess { security: security?, user: user?, accepts_weak, pki: pki.to_owned() })
}

fn read_weak(device: &Section<'_, '_>) -> bool {
    let Some(at) = device.text("weak_security") else { return false };
    if at.value != "accepted" {
        let found = at.value;
        device.report_at(
            at.line,
            format!("weak_security = \"{found}\" says nothing; write \"accepted\" or leave it out"),
        );
    }
    at.value == "accepted"
}

fn read_security(device: &Section<'_, '_>, accepts_weak: bool) -> Option<Security> {
    let mode = device.text("mode");
    let policy = match device.text("security") {
        Some(at) if at.value == "None" => None,
        Some(at) => {
            let found = at.value;
            let Some(policy) = Policy::ALL.into_iter().find(|policy| policy.word() == found) else {
                device.report_at(
                    at.line,
                    format!("security = \"{found}\" is not known; use {POLICIES}"),
                );
                return None;
            };
            if policy.is_weak() && !accepts_weak {
                device.report_at(
                    at.line,
                    format!("security = \"{found}\" was withdrawn because it can be broken; use {POLICIES}, or add weak_security = \"accepted\""),
                );
                return None;
            }
            Some(policy)
        }
        None if device.has("security") => return None,
        None => None,
    };
    let Some(policy) = policy else {
        if let Some(at) = mode {
            let found = at.value;
            device.report_at(
                at.line,
                format!("mode = \"{found}\" needs a policy; write for instance security = \"Basic256Sha256\""),
            );
            return None;
        }
        return Some(Security::None);
    };
    let encrypted = match mode.map(|at| at.value) {
        None | Some("SignAndEncrypt") => true,
        Some("Sign") => false,
        Some(other) => {
            device.report(
                "mode",
                format!("mode = \"{other}\" is not known; use Sign or SignAndEncrypt"),
            );
            return None;
        }
    };
    Some(Security::Secured { policy, encrypted })
}

fn read_user(user: &Section<'_, '_>, base: &Path) -> Option<User> {
    let text = |key| user.text(key).map(|at| at.value);
    let path = |key| user.text(key).map(|at| place(base, at.value));
    let (name, variable, file) = (text("name"), text("password_env"), path("password_file"));
    let (certificate, key) = (path("certificate"), path("key"));
    if user.has("password") {
        user.report("password", "a password does not belong into a configuration; write password_env = \"CAPLINE_CW04_PASSWORD\" or password_file = \"cw04-password\"");
        return None;
    }
    user.finish();
    match (name, variable, file, certificate, key) {
        (Some(name), Some(variable), None, None, None) => {
            let password = PasswordPlace::Variable(variable.to_owned());
            Some(User::Named { name: name.to_owned(), password })
        }
        (Some(name), None, Some(file), None, None) => {
            Some(User::Named { name: name.to_owned(), password: PasswordPlace::File(file) })
        }
        (None, None, None, Some(certificate), Some(key)) => {
            Some(User::Certificate { certificate, key })
        }
        _ => {
            user.report_at(
                user.line,
                format!("a user has a name and one place of a password, or a certificate and a key; write for instance user = {USER} or user = {{ certificate = \"user.der\", key = \"user.pem\" }}"),
            );
            None
        }
    }
}
