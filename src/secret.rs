//! Passwords: from the environment or a file that only we can read, never from a configuration.

use std::fmt;
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

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
    #[error("{}: cannot be read ({cause}); name a file that holds nothing but the secret", path.display())]
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

    /// The password: from a variable of the environment, else from the named file, else from the credentials of
    /// systemd (`LoadCredential=`); none where none of them is there.
    ///
    /// # Errors
    /// A named file cannot be read, or everybody can read it.
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
        let credential = std::env::var_os("CREDENTIALS_DIRECTORY")
            .map(|dir| Path::new(&dir).join(credential))
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
    fn a_file_that_everybody_can_read_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("password");
        std::fs::write(&path, "s3cret\n").unwrap();
        for (mode, refused) in [(0o600, false), (0o640, false), (0o644, true), (0o602, true)] {
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
}
