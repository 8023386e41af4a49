//! Attempts to sign in, counted by the address that they come from.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

use super::displays::Bucket;
use super::error::WebError;
use crate::clock::boot_us;

/// Attempts to sign in from one address: so many at once, and so many a second in the long run.
const TRIES: (f64, f64) = (10.0, 0.1);
/// Addresses remembered at once.
const ADDRESSES: usize = 1_000;

/// Attempts to sign in by address.
#[derive(Debug, Default)]
pub(super) struct Attempts(Mutex<HashMap<IpAddr, Bucket>>);

impl Attempts {
    /// Whether another attempt from an address is looked at.
    pub(super) fn lets_pass(&self, address: IpAddr) -> Result<(), WebError> {
        let mut attempts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let now_us = boot_us();
        if attempts.len() >= ADDRESSES && !attempts.contains_key(&address) {
            // Those that have rested long enough to begin anew are forgotten.
            attempts.retain(|_, bucket| !bucket.has_rested(TRIES, now_us));
            if attempts.len() >= ADDRESSES {
                return Err(WebError::TooOften);
            }
        }
        match attempts.entry(address).or_default().lets_pass(TRIES, now_us) {
            true => Ok(()),
            false => Err(WebError::TooOften),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_that_guesses_is_held_up_and_others_are_not() {
        let attempts = Attempts::default();
        let [one, other] = ["192.0.2.1", "192.0.2.2"].map(|text| text.parse::<IpAddr>().unwrap());
        let passed = (0..50).filter(|_| attempts.lets_pass(one).is_ok()).count();
        assert!((10..20).contains(&passed), "{passed}");
        assert!(attempts.lets_pass(other).is_ok());
    }
}
