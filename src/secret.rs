//! Passwords and keys: from the environment or a file that only we can read, never from a configuration; and files that
//! only we can read.

use std::fmt;
use std::fs::{Metadata, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// Whoever is not the owner of a file.
const OTHERS: u32 = 0o077;

/// The same of a credential of systemd. It lets the user of the unit in by a list of access, whose mask stands in the mode
/// where the group else stands; no group can read the file.
const OTHERS_OF_CREDENTIAL: u32 = 0o007;

/// What a path begins with that is the name of a credential of systemd.
const CREDENTIAL: &str = "credential:";

/// Where systemd puts the credentials of a unit.
const CREDENTIALS: &str = "CREDENTIALS_DIRECTORY";

/// A password. It is never shown.
#[derive(Clone)]
pub struct Secret(String);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

/// Why there is no password to be had.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// The file cannot be read.
    #[error("{}: cannot be read ({cause}); name a file that holds nothing but the secret", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        cause: std::io::Error,
    },
    /// Others than its owner could read or change it.
    #[error("{}: is open to others (mode {mode:03o}); chmod 600 it", path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// Its mode.
        mode: u32,
    },
    /// Systemd gave no such credential.
    #[error(
        "there is no credential {0:?}; add LoadCredential={0}:/etc/capline/{0} to the unit, or name a file instead"
    )]
    NoCredential(String),
}

/// Where a file is that a configuration names: `credential:NAME` is a credential of systemd (`LoadCredential=NAME:…`), all
/// else the path itself.
///
/// # Errors
/// There is no such credential.
pub fn resolve(path: &Path) -> Result<PathBuf, SecretError> {
    let Some(name) = credential(path) else { return Ok(path.to_owned()) };
    given(name).ok_or_else(|| SecretError::NoCredential(name.to_owned()))
}

/// The name of a credential that a path stands for.
pub fn credential(path: &Path) -> Option<&str> {
    path.to_str()?.strip_prefix(CREDENTIAL)
}

/// Where a credential is that systemd has given. A name is no path.
fn given(name: &str) -> Option<PathBuf> {
    let dir = std::env::var_os(CREDENTIALS)?;
    let path = Path::new(&dir).join(name);
    (!name.is_empty() && !name.contains('/') && path.exists()).then_some(path)
}

/// What is in a file that others may not read, or in a credential.
///
/// # Errors
/// It cannot be read, or it is open to others.
pub(crate) fn read_private(path: &Path) -> Result<Vec<u8>, SecretError> {
    let path = &resolve(path)?;
    let unreadable = |cause| SecretError::Unreadable { path: path.to_owned(), cause };
    // The open file is what is looked at, so that nobody can exchange it in between.
    let mut file = std::fs::File::open(path).map_err(unreadable)?;
    keep_private(path, &file.metadata().map_err(unreadable)?)?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes).map_err(unreadable)?;
    Ok(bytes)
}

/// Refuses a file that others than its owner could read or change.
///
/// # Errors
/// It is open to others.
pub(crate) fn keep_private(path: &Path, metadata: &Metadata) -> Result<(), SecretError> {
    let directory = std::env::var_os(CREDENTIALS);
    let mode = metadata.permissions().mode() & 0o777;
    match mode & others(path, directory.as_deref().map(Path::new)) {
        0 => Ok(()),
        _ => Err(SecretError::Open { path: path.to_owned(), mode }),
    }
}

/// The bits of a mode that a file at `path` may not have, where credentials are in `directory`.
fn others(path: &Path, directory: Option<&Path>) -> u32 {
    match directory.is_some() && path.parent() == directory {
        true => OTHERS_OF_CREDENTIAL,
        false => OTHERS,
    }
}

/// A directory that only we can look into.
pub(crate) fn private_dir(dir: &Path) -> io::Result<()> {
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(dir)
}

/// Puts a file in its place whole or not at all.
pub(crate) fn put(path: &Path, bytes: &[u8], mode: u32) -> io::Result<()> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".new");
    let temporary = path.with_file_name(name);
    // What a crash left behind; it may be there or not.
    let _ = std::fs::remove_file(&temporary);
    let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(&temporary)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    std::fs::rename(&temporary, path)
}

impl Secret {
    /// A password that is known already.
    pub fn new(password: impl Into<String>) -> Secret {
        Secret(password.into())
    }

    /// The password: from a variable of the environment, else from the named file, else from the credentials of
    /// systemd (`LoadCredential=`); none where none of them is there.
    ///
    /// # Errors
    /// A named file cannot be read, or it is open to others.
    pub fn find(
        variable: &str,
        file: Option<&Path>,
        credential: &str,
    ) -> Result<Option<Secret>, SecretError> {
        if let Ok(password) = std::env::var(variable) {
            return Ok(Some(Secret(password)));
        }
        if let Some(file) = file {
            return Secret::read(file).map(Some);
        }
        given(credential).map(|path| Secret::read(&path)).transpose()
    }

    /// The password in a file or a credential, without the line end.
    ///
    /// # Errors
    /// It cannot be read, or it is open to others.
    pub fn read(path: &Path) -> Result<Secret, SecretError> {
        let text = String::from_utf8(read_private(path)?).map_err(|_| SecretError::Unreadable {
            path: path.to_owned(),
            cause: io::Error::new(io::ErrorKind::InvalidData, "it is no text"),
        })?;
        Ok(Secret(text.trim_end_matches(['\r', '\n']).to_owned()))
    }

    /// The password itself, for whoever logs in with it.
    pub(crate) fn expose(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Shows: ACC-03
    #[test]
    fn a_file_that_is_open_to_others_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("password");
        std::fs::write(&path, "s3cret\n").unwrap();
        for (mode, refused) in [
            (0o600, false),
            (0o400, false),
            (0o640, true),
            (0o620, true),
            (0o644, true),
            (0o602, true),
        ] {
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
            match Secret::read(&path) {
                Ok(secret) => assert_eq!((secret.expose(), refused), ("s3cret", false)),
                Err(error) => {
                    assert!(refused, "{mode:o}");
                    assert!(error.to_string().ends_with("chmod 600 it"), "{error}");
                }
            }
        }
        assert_eq!(format!("{:?}", Secret::new("s3cret")), "Secret");
    }

    /// What systemd gives to a user of its own has 0440: the mask of its list of access.
    #[test]
    fn a_credential_alone_may_have_bits_of_the_group() {
        let given = Path::new("/run/credentials/capline.service");
        let of = |path: &str, directory| others(Path::new(path), directory) & 0o440;
        assert_eq!(of("/run/credentials/capline.service/web-key", Some(given)), 0);
        // The negative controls: a file elsewhere, one further down, and no credentials at all.
        assert_eq!(of("/etc/capline/web.key", Some(given)), 0o040);
        assert_eq!(of("/run/credentials/capline.service/of/web-key", Some(given)), 0o040);
        assert_eq!(of("/run/credentials/capline.service/web-key", None), 0o040);
        assert_eq!(others(&given.join("web-key"), Some(given)) & 0o004, 0o004);
    }

    #[test]
    fn a_credential_is_named_and_not_a_path() {
        let path = Path::new("credential:web-key");
        assert_eq!(credential(path), Some("web-key"));
        assert_eq!(credential(Path::new("/etc/capline/web.key")), None);
        // Nothing was given to a test; the integration tests give some to the binary.
        let error = resolve(path).unwrap_err().to_string();
        assert!(error.contains("LoadCredential=web-key:/etc/capline/web-key"), "{error}");
        assert!(resolve(Path::new("credential:../../etc/shadow")).is_err());
    }
}
