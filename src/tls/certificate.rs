//! A certificate as people compare it: subject, names, validity, thumbprint. Pure.

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use sha2::{Digest, Sha256};
use x509_cert::der::{Decode, Encode};
use x509_cert::ext::pkix::SubjectAltName;
use x509_cert::ext::pkix::name::GeneralName;

/// SHA-256 of the whole certificate, shown as 64 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Thumbprint([u8; 32]);

impl Thumbprint {
    /// Of the DER form of a certificate.
    pub fn of(der: &[u8]) -> Thumbprint {
        Thumbprint(Sha256::digest(der).into())
    }
}

impl fmt::Display for Thumbprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Thumbprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Thumbprint {
    type Err = String;

    /// Reads the 64 digits, in either case and with `:` or spaces between them as other programs show them.
    fn from_str(text: &str) -> Result<Thumbprint, String> {
        let wrong =
            || format!("{text} is no thumbprint; give the 64 digits that `capline pki list` shows");
        let digits: Option<Vec<u8>> = text
            .chars()
            .filter(|c| !matches!(c, ':' | ' '))
            .map(|c| c.to_digit(16).and_then(|digit| u8::try_from(digit).ok()))
            .collect();
        let digits = digits.filter(|digits| digits.len() == 64).ok_or_else(wrong)?;
        let mut bytes = [0; 32];
        for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
            *byte = pair[0] << 4 | pair[1];
        }
        Ok(Thumbprint(bytes))
    }
}

/// What a certificate says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate {
    /// The certificate itself.
    pub der: Vec<u8>,
    /// Its thumbprint.
    pub thumbprint: Thumbprint,
    /// Subject: `CN=PLC 4,O=Plant`.
    pub subject: String,
    /// Alternative names: `URI:urn:plc4`, `DNS:plc4`, `IP:10.0.0.4`.
    pub names: Vec<String>,
    /// Valid from, UTC seconds.
    pub not_before_s: i64,
    /// Valid until, UTC seconds.
    pub not_after_s: i64,
}

impl Certificate {
    /// Reads the DER form.
    ///
    /// # Errors
    /// No certificate; also a chain of several, of which OPC UA servers send only the first.
    pub fn from_der(der: &[u8]) -> Result<Certificate, String> {
        let parsed = x509_cert::Certificate::from_der(der)
            .map_err(|error| format!("no certificate in DER form ({error})"))?;
        let content = &parsed.tbs_certificate;
        let names = content.get::<SubjectAltName>().ok().flatten();
        let seconds = |time: x509_cert::time::Time| {
            i64::try_from(time.to_unix_duration().as_secs()).unwrap_or(i64::MAX)
        };
        // Encoding again must give the same bytes, or two files could pass for one certificate.
        if parsed.to_der().ok().as_deref() != Some(der) {
            return Err("a certificate that is not in the canonical DER form".to_owned());
        }
        Ok(Certificate {
            der: der.to_owned(),
            thumbprint: Thumbprint::of(der),
            subject: printable(&content.subject.to_string()),
            names: names.iter().flat_map(|(_, names)| &names.0).filter_map(name).collect(),
            not_before_s: seconds(content.validity.not_before),
            not_after_s: seconds(content.validity.not_after),
        })
    }

    /// The URI among its names, which an OPC UA application must call itself by.
    pub fn application_uri(&self) -> Option<&str> {
        self.names.iter().find_map(|name| name.strip_prefix("URI:"))
    }
}

fn name(name: &GeneralName) -> Option<String> {
    match name {
        GeneralName::UniformResourceIdentifier(uri) => {
            Some(format!("URI:{}", printable(uri.as_str())))
        }
        GeneralName::DnsName(dns) => Some(format!("DNS:{}", printable(dns.as_str()))),
        GeneralName::IpAddress(ip) => {
            let bytes = ip.as_bytes();
            let v4 = <[u8; 4]>::try_from(bytes).map(|b| Ipv4Addr::from(b).to_string());
            let v6 = || <[u8; 16]>::try_from(bytes).map(|b| Ipv6Addr::from(b).to_string());
            v4.or_else(|_| v6()).ok().map(|ip| format!("IP:{ip}"))
        }
        _ => None,
    }
}

/// A name as it may stand on a terminal: a stranger wrote it.
fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thumbprint_is_read_as_it_is_shown_and_as_others_show_it() {
        let thumbprint = Thumbprint::of(b"a certificate");
        let shown = thumbprint.to_string();
        let pairs: Vec<&str> = (0..32).map(|i| &shown[2 * i..2 * i + 2]).collect();
        for text in [shown.clone(), shown.to_uppercase(), pairs.join(":"), pairs.join(" ")] {
            assert_eq!(text.parse(), Ok(thumbprint), "{text}");
        }
        for text in ["", "abc", &shown[1..], &format!("{shown}0"), &"g".repeat(64), &"é".repeat(32)]
        {
            assert!(text.parse::<Thumbprint>().is_err(), "{text}");
        }
    }

    #[test]
    fn what_is_no_certificate_is_refused() {
        for der in [&b""[..], b"\x30\x03\x02\x01\x01", b"-----BEGIN CERTIFICATE-----"] {
            assert!(Certificate::from_der(der).is_err());
        }
    }

    #[test]
    fn what_a_stranger_wrote_cannot_steer_a_terminal() {
        assert_eq!(printable("CN=\u{1b}[2Jx\n"), "CN=\u{fffd}[2Jx\u{fffd}");
    }
}
