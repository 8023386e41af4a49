//! Where the password comes from: the environment or a file that only we can read, never the configuration.

use std::fmt;
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// Variable of the environment that holds the password.
const VARIABLE: &str = "CAPLINE_DATABASE_PASSWORD";
/// Its name among the credentials of systemd (`LoadCredential=`).
const CREDENTIAL: &str = "database-password";
/// Whoever is neither the owner nor in the group.
const OTHERS: u32 = 0o007;

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
    #[error("{}: cannot be read ({cause}); name a file that holds nothing but the password", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        cause: std::io::Error,
    },
    /// Everybody on this machine could read it.
    #[error("{}: may be read by everybody (mode {mode:03o}); chmod 600 it", path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// Its mode.
        mode: u32,
    },
}

impl Secret {
    /// A password that is known already.
    pub fn new(password: impl Into<String>) -> Secret {
        Secret(password.into())
    }

    /// The password: from the environment, else from the named file, else from the credentials directory of systemd;
    /// none where none of them is there, as with peer authentication on a socket.
    ///
    /// # Errors
    /// A named file cannot be read, or everybody can read it.
    pub fn find(file: Option<&Path>) -> Result<Option<Secret>, SecretError> {
        if let Ok(password) = std::env::var(VARIABLE) {
            return Ok(Some(Secret(password)));
        }
        if let Some(file) = file {
            return Secret::read(file).map(Some);
        }
        let credential = std::env::var_os("CREDENTIALS_DIRECTORY")
            .map(|dir| Path::new(&dir).join(CREDENTIAL))
            .filter(|path| path.exists());
        credential.map(|path| Secret::read(&path)).transpose()
    }

    /// The password in a file, without the line end.
    ///
    /// # Errors
    /// It cannot be read, or everybody can read it.
    pub fn read(path: &Path) -> Result<Secret, SecretError> {
        let unreadable = |cause| SecretError::Unreadable { path: path.to_owned(), cause };
        // The open file is what is looked at, so that nobody can exchange it in between.
        let mut file = std::fs::File::open(path).map_err(unreadable)?;
        let mode = file.metadata().map_err(unreadable)?.permissions().mode() & 0o777;
        if mode & OTHERS != 0 {
            return Err(SecretError::Open { path: path.to_owned(), mode });
        }
        let mut text = String::new();
        file.read_to_string(&mut text).map_err(unreadable)?;
        Ok(Secret(text.trim_end_matches(['\r', '\n']).to_owned()))
    }

    pub(super) fn expose(&self) -> &str {
        &self.0
    }
}
