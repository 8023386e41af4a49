//! A certificate for the screens, made by ourselves where nobody gave one: browsers warn of it until it is compared.

use std::error::Error;
use std::path::{Path, PathBuf};

use rcgen::{
    CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    KeyUsagePurpose,
};

use super::{Certificate, certificates, host_name};
use crate::secret::{private_dir, put};

/// Browsers of Apple take no certificate of a server for longer than 825 days.
const DAYS: i64 = 820;
/// It is made anew when less is left: screens that hang on a wall for years are asked about it in good time.
const LEFT_S: i64 = 30 * 86_400;
const CERTIFICATE: &str = "cert.pem";
const KEY: &str = "key.pem";

/// The files of the pair in `dir`. What is missing, or about to expire, is made; `names` are those of this machine beside
/// its own name and `localhost`. `now_s` are UTC seconds.
///
/// # Errors
/// The directory cannot be written, or the key cannot be read.
pub(super) fn ensure(
    dir: &Path,
    names: &[String],
    now_s: i64,
) -> Result<(PathBuf, PathBuf), String> {
    let (cert, key) = (dir.join(CERTIFICATE), dir.join(KEY));
    let wrong = |path: &Path, why: String| {
        format!("{}: {why}; it must belong to the user that Capline runs as", path.display())
    };
    if key.exists() && is_good(&cert, now_s) {
        return Ok((cert, key));
    }
    private_dir(dir).map_err(|error| wrong(dir, error.to_string()))?;
    if !key.exists() {
        let made = KeyPair::generate().map_err(|error| wrong(&key, error.to_string()))?;
        put(&key, made.serialize_pem().as_bytes(), 0o600)
            .map_err(|error| wrong(&key, error.to_string()))?;
    }
    // A key that stays lets who has pinned it go on.
    let pem = std::fs::read_to_string(&key).map_err(|error| wrong(&key, error.to_string()))?;
    let made = new_certificate(&pem, names, now_s)
        .map_err(|error| wrong(&key, format!("no certificate can be made of it ({error})")))?;
    put(&cert, made.as_bytes(), 0o644).map_err(|error| wrong(&cert, error.to_string()))?;
    Ok((cert, key))
}

fn is_good(cert: &Path, now_s: i64) -> bool {
    let read = certificates(cert).ok();
    let first = read.as_ref().and_then(|chain| Certificate::from_der(chain.first()?).ok());
    first.is_some_and(|certificate| certificate.not_after_s - now_s > LEFT_S)
}

fn new_certificate(key_pem: &str, names: &[String], now_s: i64) -> Result<String, Box<dyn Error>> {
    let key = KeyPair::from_pem(key_pem)?;
    let host = host_name();
    let mut all = vec![host.clone(), "localhost".to_owned(), "127.0.0.1".to_owned(), "::1".into()];
    all.extend(names.iter().cloned());
    all.sort();
    all.dedup();
    let mut name = DistinguishedName::new();
    name.push(DnType::CommonName, format!("Capline screens on {host}"));
    let mut params = CertificateParams::new(all)?;
    params.distinguished_name = name;
    [params.not_before, params.not_after] =
        around(now_s, jiff::Span::new().days(DAYS), rcgen::date_time_ymd)?;
    // Not an authority: who trusts it trusts these names and no others.
    params.is_ca = IsCa::ExplicitNoCa;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    Ok(params.self_signed(&key)?.pem())
}

/// The days from which and until which a new certificate is good, each as `date` makes it of year, month and day: a clock
/// may be behind by a day.
///
/// # Errors
/// A moment beyond the calendar.
pub(crate) fn around<T>(
    now_s: i64,
    life: jiff::Span,
    date: impl Fn(i32, u8, u8) -> T,
) -> Result<[T; 2], jiff::Error> {
    let today = jiff::tz::TimeZone::UTC.to_datetime(jiff::Timestamp::from_second(now_s)?).date();
    let days = [today.checked_sub(jiff::Span::new().days(1))?, today.checked_add(life)?];
    Ok(days.map(|day| date(day.year().into(), day.month() as u8, day.day() as u8)))
}
