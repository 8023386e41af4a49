//! The hash of a file, by which a copy or an export is known again.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use domain::digest::hex;
use sha2::{Digest, Sha256};

/// Bytes of a file and their SHA-256, hexadecimal; `done` is told how many have been read.
///
/// # Errors
/// The file cannot be read.
pub fn digest_file(path: &Path, done: &dyn Fn(u64)) -> io::Result<(u64, String)> {
    let (mut file, mut hash, mut bytes) = (File::open(path)?, Sha256::new(), 0);
    let mut buffer = vec![0; 1 << 20];
    loop {
        let n = file.read(&mut buffer)?;
        if n == 0 {
            break;
        }
        hash.update(&buffer[..n]);
        bytes += n as u64;
        done(bytes);
    }
    Ok((bytes, hex(hash.finalize())))
}
