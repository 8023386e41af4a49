//! Hashes of passwords: argon2id, as text that names its own parameters (PHC form).
//!
//! They are made on one thread. A hash takes 19 MiB, and an allocator that keeps memory by thread would keep that much for
//! each thread of a pool that ever made one: wrong passwords would cost memory that does not come back. What passwords are
//! compared in is taken once and kept.

use std::cell::RefCell;
use std::sync::{LazyLock, mpsc};
use std::thread;

use argon2::password_hash::phc::{Output, PasswordHash};
use argon2::{Algorithm, Argon2, Block, Params, PasswordHasher, Version};

/// Memory of one hash in KiB, passes over it, lanes: the least that OWASP's cheat sheet on storing passwords asks for.
const COST: (u32, u32, u32) = (19 * 1_024, 2, 1);

/// Something that no account has, hashed at the same cost: looked at where there is no account, so that an answer takes
/// as long.
static NOBODY: LazyLock<Option<String>> = LazyLock::new(|| hash("nobody has this password").ok());

thread_local! {
    /// What a password is compared in.
    static MEMORY: RefCell<Vec<Block>> = const { RefCell::new(Vec::new()) };
}

type Job = Box<dyn FnOnce() + Send>;

/// The thread on which hashes are made; none if the system gives no thread.
static THREAD: LazyLock<Option<mpsc::Sender<Job>>> = LazyLock::new(|| {
    let (sender, jobs) = mpsc::channel::<Job>();
    let work = move || jobs.iter().for_each(|job| job());
    thread::Builder::new().name("passwords".to_owned()).spawn(work).ok().map(|_| sender)
});

/// Does something on that thread and waits for it; none where there is no thread.
fn there<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    let (told, made) = mpsc::sync_channel(1);
    let job = move || {
        // Whoever asked waits for it.
        let _ = told.send(work());
    };
    THREAD.as_ref()?.send(Box::new(job)).ok()?;
    made.recv().ok()
}

fn hasher() -> Argon2<'static> {
    let (memory, passes, lanes) = COST;
    // The library's own default has the same figures; ours are stated so that they cannot change by an update.
    let params = Params::new(memory, passes, lanes, None).unwrap_or_default();
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
}

/// The hash of a password, with a salt of its own.
///
/// # Errors
/// In words: the system gives no random numbers, or no thread.
pub(super) fn hash(password: &str) -> Result<String, String> {
    let password = password.as_bytes().to_vec();
    let made = there(move || {
        let hash = hasher().hash_password(&password);
        hash.map(|hash: PasswordHash| hash.to_string()).map_err(|error| error.to_string())
    });
    made.unwrap_or_else(|| Err("the system gives no thread for passwords".to_owned()))
}

/// Whether a password is the one of a hash. What cannot be read as a hash has no password.
pub(super) fn fits(password: &str, hash: &str) -> bool {
    let (password, hash) = (password.as_bytes().to_vec(), hash.to_owned());
    there(move || compare(&password, &hash)).flatten().unwrap_or(false)
}

/// The same on the thread that has the memory; none where the hash is none.
fn compare(password: &[u8], hash: &str) -> Option<bool> {
    let hash = PasswordHash::new(hash).ok()?;
    let (salt, expected) = (hash.salt.as_ref()?, hash.hash.as_ref()?);
    let algorithm = Algorithm::try_from(hash.algorithm.as_str()).ok()?;
    let version = Version::try_from(hash.version?).ok()?;
    let params = Params::try_from(&hash).ok()?;
    let (n_blocks, mut out) = (params.block_count(), vec![0; expected.len()]);
    let made = MEMORY.with_borrow_mut(|memory| {
        memory.resize(n_blocks.max(memory.len()), Block::default());
        let argon = Argon2::new(algorithm, version, params);
        argon
            .hash_password_into_with_memory(password, salt, &mut out, memory.get_mut(..n_blocks)?)
            .ok()
    });
    made?;
    // Outputs are compared in constant time.
    Some(Output::new(&out).ok()? == *expected)
}

/// Takes as long as a look at a password that is wrong, and says that it is.
pub(super) fn pretend(password: &str) -> bool {
    if let Some(hash) = &*NOBODY {
        fits(password, hash);
    }
    false
}

/// Whether a hash was made at another cost than today's.
pub(super) fn is_dated(hash: &str) -> bool {
    let (memory, passes, lanes) = COST;
    !hash.starts_with(&format!("$argon2id$v=19$m={memory},t={passes},p={lanes}$"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_names_its_cost_and_fits_its_password_alone() {
        let hashed = hash("correct horse").unwrap();
        assert!(hashed.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hashed}");
        assert!(fits("correct horse", &hashed) && !fits("correct hors", &hashed));
        assert!(!is_dated(&hashed));
        assert_ne!(hash("correct horse").unwrap(), hashed, "salted");
        for damaged in ["", "correct horse", &hashed[..40]] {
            assert!(!fits("correct horse", damaged), "{damaged}");
        }
        assert!(NOBODY.as_deref().is_some_and(|hash| !is_dated(hash)));
    }

    #[test]
    fn a_hash_of_another_cost_still_fits_and_is_dated() {
        let params = Params::new(8 * 1_024, 1, 1, None).unwrap();
        let cheap = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        let hash: PasswordHash = cheap.hash_password(b"correct horse").unwrap();
        let hash = hash.to_string();
        assert!(fits("correct horse", &hash) && is_dated(&hash), "{hash}");
    }
}
