//! Certificates of OPC UA: our own, and the servers' that a person trusts one by one.
//!
//! There is no authority to ask. A server's certificate that nobody has seen is laid aside as rejected and the
//! connection refused, until a person has compared its thumbprint and moves it to the trusted ones. A server with a
//! new certificate is a stranger again. The directories are laid out and the files named as the OPC UA library does
//! it, which compares the certificate of each session with the trusted ones a second time.

mod own;

#[cfg(test)]
mod tests;

use std::io;
use std::path::{Path, PathBuf};

use opcua::crypto::{CertificateStore, X509};

use crate::secret::{self, SecretError};
pub use crate::tls::{Certificate, Thumbprint};

/// Our certificate, below the directory.
pub(super) const OWN_CERTIFICATE: &str = "own/cert.der";
/// Our private key, below the directory.
pub(super) const OWN_KEY: &str = "own/key.pem";
/// Rejected certificates that are kept: who sends another one each time must not fill the disk.
const MOST_REJECTED: usize = 100;

/// A directory of certificates.
#[derive(Clone, Debug)]
pub struct Pki {
    dir: PathBuf,
}

/// What is thought of a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trust {
    /// A person vouches for it.
    Trusted,
    /// Nobody does yet, or somebody has refused it.
    Rejected,
}

impl Trust {
    /// The word in listings, and the name of the directory.
    pub fn word(self) -> &'static str {
        match self {
            Trust::Trusted => "trusted",
            Trust::Rejected => "rejected",
        }
    }
}

/// Why certificates could not be read or kept.
#[derive(Debug, thiserror::Error)]
pub enum PkiError {
    /// A file or a directory that cannot be used.
    #[error("{}: {cause}; it must belong to the user that Capline runs as", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// What the system said.
        cause: io::Error,
    },
    /// A file that is something else.
    #[error("{}: {what}; remove it", path.display())]
    Strange {
        /// The file.
        path: PathBuf,
        /// What it is.
        what: String,
    },
    /// Our key is lost.
    #[error("{}: is missing, but {} is there; put the key back, or remove both to make a new pair that every server has to be told of", key.display(), certificate.display())]
    KeyMissing {
        /// Our certificate.
        certificate: PathBuf,
        /// Where its key should be.
        key: PathBuf,
    },
    /// Others could read our key.
    #[error(transparent)]
    OpenKey(SecretError),
    /// Our pair could not be made.
    #[error("our certificate could not be made: {what}")]
    NotMade {
        /// Why.
        what: String,
    },
    /// No such certificate.
    #[error("{thumbprint} is the thumbprint of no certificate in {}; `capline pki list` shows them", dir.display())]
    Unknown {
        /// Whose.
        thumbprint: Thumbprint,
        /// Where it was looked for.
        dir: PathBuf,
    },
}

impl PkiError {
    fn at(path: &Path) -> impl FnOnce(io::Error) -> PkiError {
        move |cause| PkiError::File { path: path.to_owned(), cause }
    }
}

impl Pki {
    /// The certificates in a directory, which need not be there yet.
    pub fn new(dir: impl Into<PathBuf>) -> Pki {
        Pki { dir: dir.into() }
    }

    /// Where they are.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// The file of our own certificate.
    pub fn own_certificate(&self) -> PathBuf {
        self.dir.join(OWN_CERTIFICATE)
    }

    /// Our own certificate. It is made, together with its key, when there is none; that takes a second.
    ///
    /// # Errors
    /// Unwritable, a key that others can read, or a certificate without its key.
    pub fn own(&self, now_s: i64) -> Result<Certificate, PkiError> {
        own::ensure(&self.dir, now_s)
    }

    /// Our own certificate if it has been made.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn own_if_made(&self) -> Result<Option<Certificate>, PkiError> {
        let path = self.dir.join(OWN_CERTIFICATE);
        match path.exists() {
            true => read(&path).map(Some),
            false => Ok(None),
        }
    }

    /// All certificates of servers, by trust and subject.
    ///
    /// # Errors
    /// A directory or a file cannot be read, or is no certificate.
    pub fn list(&self) -> Result<Vec<(Trust, Certificate)>, PkiError> {
        let mut all = Vec::new();
        for trust in [Trust::Trusted, Trust::Rejected] {
            let found = self.files(trust)?;
            let mut found: Vec<_> =
                found.iter().map(|path| read(path)).collect::<Result<_, PkiError>>()?;
            found.sort_by(|a, b| (&a.subject, a.thumbprint).cmp(&(&b.subject, b.thumbprint)));
            all.extend(found.into_iter().map(|certificate| (trust, certificate)));
        }
        Ok(all)
    }

    /// What is thought of this very certificate. One that is in both directories is rejected, one in none of them is
    /// laid aside as rejected.
    ///
    /// # Errors
    /// The directory cannot be read or written. A certificate of which nothing is known is not trusted, whatever
    /// happens.
    pub fn judge(&self, certificate: &Certificate) -> Result<Trust, PkiError> {
        let is = |path: &PathBuf| std::fs::read(path).is_ok_and(|der| der == certificate.der);
        let rejected = self.files(Trust::Rejected)?;
        if rejected.iter().any(is) {
            return Ok(Trust::Rejected);
        }
        if self.files(Trust::Trusted)?.iter().any(is) {
            return Ok(Trust::Trusted);
        }
        if rejected.len() < MOST_REJECTED {
            self.put(Trust::Rejected, certificate)?;
        }
        Ok(Trust::Rejected)
    }

    /// Whether another certificate with the subject of this one is trusted: the server may have been given a new one.
    pub fn trusts_namesake(&self, certificate: &Certificate) -> bool {
        let of = |(trust, other): &(Trust, Certificate)| {
            *trust == Trust::Trusted
                && other.subject == certificate.subject
                && other.thumbprint != certificate.thumbprint
        };
        self.list().is_ok_and(|all| all.iter().any(of))
    }

    /// Moves a certificate to the trusted or the rejected ones.
    ///
    /// # Errors
    /// There is none with this thumbprint, or it cannot be moved.
    pub fn decide(&self, thumbprint: Thumbprint, trust: Trust) -> Result<Certificate, PkiError> {
        let mut found = None;
        for from in [Trust::Trusted, Trust::Rejected] {
            for path in self.files(from)? {
                let der = std::fs::read(&path).map_err(PkiError::at(&path))?;
                if Thumbprint::of(&der) == thumbprint {
                    let certificate = read(&path)?;
                    // Written before it is removed elsewhere: a crash between leaves it in both, which is rejected.
                    self.put(trust, &certificate)?;
                    if from != trust {
                        std::fs::remove_file(&path).map_err(PkiError::at(&path))?;
                    }
                    found = Some(certificate);
                }
            }
        }
        found.ok_or_else(|| PkiError::Unknown { thumbprint, dir: self.dir.clone() })
    }

    fn put(&self, trust: Trust, certificate: &Certificate) -> Result<(), PkiError> {
        let dir = self.dir.join(trust.word());
        secret::private_dir(&dir).map_err(PkiError::at(&dir))?;
        let path = dir.join(file_name(certificate));
        secret::put(&path, &certificate.der, 0o644).map_err(PkiError::at(&path))
    }

    /// Certificates of one kind. A directory that is not there is empty.
    fn files(&self, trust: Trust) -> Result<Vec<PathBuf>, PkiError> {
        let dir = self.dir.join(trust.word());
        let entries = match std::fs::read_dir(&dir) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries.map_err(PkiError::at(&dir))?,
        };
        let mut files = Vec::new();
        for entry in entries {
            let path = entry.map_err(PkiError::at(&dir))?.path();
            if path.extension().is_some_and(|end| end == "der") {
                files.push(path);
            }
        }
        Ok(files)
    }
}

fn read(path: &Path) -> Result<Certificate, PkiError> {
    let der = std::fs::read(path).map_err(PkiError::at(path))?;
    Certificate::from_der(&der).map_err(|what| PkiError::Strange { path: path.to_owned(), what })
}

/// The name under which the library looks for a certificate.
fn file_name(certificate: &Certificate) -> String {
    match X509::from_der(&certificate.der) {
        Ok(x509) => CertificateStore::cert_file_name(&x509),
        Err(_) => format!("{}.der", certificate.thumbprint),
    }
}
