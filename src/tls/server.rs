//! The certificate that our screens show. It is exchanged while they are served: connections that are open go on under the
//! one they began with.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::SystemTime;

use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use tracing::{info, warn};

use super::{Certificate, certificates, made, provider};
use crate::secret::{read_private, resolve};

/// From so many seconds before its end a certificate is warned about.
const WARN_S: i64 = 30 * 86_400;
const DAY_S: i64 = 86_400;

/// Where the certificate comes from.
#[derive(Clone, Debug)]
pub(crate) enum Source {
    /// The plant gave one.
    Own {
        /// The certificate and those that lead to its authority, PEM.
        cert: PathBuf,
        /// Its key, PEM, or `credential:NAME`.
        key: PathBuf,
    },
    /// It is made by ourselves and kept.
    Made {
        /// Where.
        dir: PathBuf,
        /// Names and addresses of this machine, beside its own name and `localhost`.
        names: Vec<String>,
    },
}

/// The certificate that our screens show, and what serves with it.
pub(crate) struct Server {
    source: Source,
    shown: Arc<Shown>,
    config: Arc<ServerConfig>,
    /// What is known of the files as they were last read.
    tried: Mutex<Tried>,
}

/// A certificate that was read and can be shown.
pub(crate) struct Ready {
    key: Arc<CertifiedKey>,
    pub(crate) certificate: Certificate,
    stamps: Vec<Option<Stamp>>,
}

#[derive(Default)]
struct Tried {
    stamps: Vec<Option<Stamp>>,
    /// UTC day of the last warning about the end.
    warned: i64,
    /// UTC day on which a new one was last made in good time.
    made: i64,
}

/// What changes when a file does.
type Stamp = (SystemTime, u64, u64);

/// Hands out the certificate of the moment.
struct Shown(RwLock<(Arc<CertifiedKey>, Certificate)>);

impl fmt::Debug for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Shown")
    }
}

impl ResolvesServerCert for Shown {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.0.read().unwrap_or_else(PoisonError::into_inner).0.clone())
    }
}

impl Server {
    /// Reads the certificate, or makes it. `now_s` are UTC seconds.
    ///
    /// # Errors
    /// One sentence: a file cannot be read or is something else, others can read the key, or it belongs to another
    /// certificate.
    pub(crate) fn open(source: Source, now_s: i64) -> Result<Server, String> {
        let stamps = stamps(&source);
        let shown = Arc::new(Shown(RwLock::new(read(&source, now_s)?)));
        let builder = ServerConfig::builder_with_provider(provider());
        // TLS 1.3, and 1.2 for old screens; a cipher without forward secrecy or with SHA-1 is in neither.
        let builder =
            builder.with_safe_default_protocol_versions().map_err(|error| error.to_string())?;
        let mut config = builder.with_no_client_auth().with_cert_resolver(shown.clone());
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        let tried = Mutex::new(Tried { stamps, warned: i64::MIN, made: i64::MIN });
        let server = Server { source, shown, config: Arc::new(config), tried };
        server.warn_of_end(now_s);
        Ok(server)
    }

    /// What connections are served with.
    pub(crate) fn config(&self) -> Arc<ServerConfig> {
        self.config.clone()
    }

    /// Whether the plant gave the certificate, so that browsers can know its authority.
    pub(crate) fn is_own(&self) -> bool {
        matches!(self.source, Source::Own { .. })
    }

    /// The certificate of the moment.
    pub(crate) fn certificate(&self) -> Certificate {
        self.shown.0.read().unwrap_or_else(PoisonError::into_inner).1.clone()
    }

    /// Reads the files again: what they hold where that is another certificate. Nothing is shown of it yet.
    ///
    /// # Errors
    /// As [`Server::open`]; the one before stays.
    pub(crate) fn read_again(&self, now_s: i64) -> Result<Option<Ready>, String> {
        // Looked at before they are read: what changes meanwhile is read another time.
        let stamps = stamps(&self.source);
        let (key, certificate) = read(&self.source, now_s).inspect_err(|_| self.tried(&stamps))?;
        let is_shown = self.certificate() == certificate;
        if is_shown {
            self.tried(&stamps);
        }
        Ok((!is_shown).then_some(Ready { key, certificate, stamps }))
    }

    /// Shows what was read: new connections get it.
    pub(crate) fn show(&self, ready: Ready) {
        self.tried(&ready.stamps);
        *self.shown.0.write().unwrap_or_else(PoisonError::into_inner) =
            (ready.key, ready.certificate);
    }

    fn tried(&self, stamps: &[Option<Stamp>]) {
        self.tried.lock().unwrap_or_else(PoisonError::into_inner).stamps = stamps.to_vec();
    }

    /// Looks whether the files have changed, and takes them if they can be taken; to be called now and then. Files that do
    /// not fit to each other are in the middle of being exchanged, or wrong: said once for each change. `note` is told which
    /// certificate is followed by which, and what it cannot keep is not shown.
    pub(crate) fn look(
        &self,
        now_s: i64,
        note: impl FnOnce(&Certificate, &Certificate) -> Result<(), String>,
    ) {
        let ends = !self.is_own() && self.certificate().not_after_s - now_s < WARN_S;
        let is_due = {
            let mut tried = self.tried.lock().unwrap_or_else(PoisonError::into_inner);
            let today = now_s.div_euclid(DAY_S);
            // What cannot be made today is tried again tomorrow.
            let is_tried = !ends || std::mem::replace(&mut tried.made, today) == today;
            !is_tried || tried.stamps != stamps(&self.source)
        };
        if is_due {
            let taken = self.read_again(now_s).and_then(|ready| {
                let Some(ready) = ready else { return Ok(()) };
                note(&self.certificate(), &ready.certificate)?;
                let Certificate { thumbprint, subject, .. } = &ready.certificate;
                info!(sha256 = %thumbprint, subject, "the screens show a new certificate");
                self.show(ready);
                Ok(())
            });
            match taken {
                Ok(()) => {}
                Err(why) => {
                    warn!("the certificate of the screens stays as it was: {why}");
                }
            }
        }
        self.warn_of_end(now_s);
    }

    /// Warns of an end that is near, once a day.
    fn warn_of_end(&self, now_s: i64) {
        let Some(words) = end(&self.certificate(), now_s) else { return };
        let mut tried = self.tried.lock().unwrap_or_else(PoisonError::into_inner);
        let today = now_s.div_euclid(DAY_S);
        if std::mem::replace(&mut tried.warned, today) != today {
            warn!("{words}");
        }
    }
}

/// What is to be said of the time in which a certificate is good; none while it is for long.
pub(super) fn end(certificate: &Certificate, now_s: i64) -> Option<String> {
    let Certificate { subject, not_before_s, not_after_s, .. } = certificate;
    let left_s = not_after_s - now_s;
    let what = match (left_s, *not_before_s > now_s) {
        (..=0, _) => format!("has expired {} days ago: browsers refuse it", -left_s / DAY_S),
        (_, true) => {
            "is not good yet: the clock of this machine, or the certificate, is wrong".into()
        }
        (..WARN_S, _) => format!("expires in {} days", left_s / DAY_S),
        _ => return None,
    };
    Some(format!("the certificate of the screens ({subject}) {what}; put a new one in its place"))
}

/// The files of the certificate and its key.
fn files(source: &Source, now_s: i64) -> Result<(PathBuf, PathBuf), String> {
    match source {
        Source::Own { cert, key } => Ok((cert.clone(), key.clone())),
        Source::Made { dir, names } => made::ensure(dir, names, now_s),
    }
}

fn read(source: &Source, now_s: i64) -> Result<(Arc<CertifiedKey>, Certificate), String> {
    let (cert, key) = files(source, now_s)?;
    let cert = resolve(&cert).map_err(|error| error.to_string())?;
    let name = cert.display();
    let chain = certificates(&cert).map_err(|why| {
        format!("{name}: {why}; name a PEM file: our certificate, then its chain")
    })?;
    let first = chain.first().map(AsRef::as_ref).unwrap_or_default();
    let certificate = Certificate::from_der(first).map_err(|why| format!("{name}: {why}"))?;
    let pem = read_private(&key).map_err(|error| error.to_string())?;
    // What the library says of a key is not repeated: it may quote it.
    let parsed = PrivateKeyDer::from_pem_slice(&pem)
        .map_err(|_| format!("{}: holds no private key in PEM form", key.display()))?;
    let pair = CertifiedKey::from_der(chain, parsed, &provider()).map_err(|error| match error {
        rustls::Error::InconsistentKeys(_) => format!(
            "{} is the key of another certificate than {name}; put the two that belong together there",
            key.display()
        ),
        _ => format!("{} or {name} cannot be used: {error}", key.display()),
    })?;
    Ok((Arc::new(pair), certificate))
}

fn stamps(source: &Source) -> Vec<Option<Stamp>> {
    let stamp = |path: &Path| -> Option<Stamp> {
        let data = std::fs::metadata(resolve(path).ok()?).ok()?;
        let node = std::os::unix::fs::MetadataExt::ino(&data);
        Some((data.modified().ok()?, data.len(), node))
    };
    match source {
        Source::Own { cert, key } => vec![stamp(cert), stamp(key)],
        // Nobody else has to do with them.
        Source::Made { .. } => Vec::new(),
    }
}
