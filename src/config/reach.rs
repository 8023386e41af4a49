//! `[web]` beyond its address: certificate of the screens, and how many may connect.

use std::net::IpAddr;
use std::path::{Path, PathBuf};

use domain::plc_map::document::Section;

use super::{must_be_there, place};

/// How the screens are reached beyond their address.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WebReach {
    /// With which certificate; none for plain HTTP.
    pub tls: Option<WebTls>,
    /// How many may connect.
    pub limits: WebLimits,
}

/// Where the certificate of the screens comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WebTls {
    /// The plant gave one, PEM. Read again when the files change.
    Own {
        /// Our certificate, then those that lead to its authority.
        cert: PathBuf,
        /// Its key, readable by us alone, or `credential:NAME`.
        key: PathBuf,
    },
    /// It is made at the first start and kept in the journal directory.
    Made {
        /// Names and addresses of this machine, beside its own name and `localhost`.
        names: Vec<String>,
    },
}

/// How many may connect to the screens at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WebLimits {
    /// Connections in all.
    pub connections: usize,
    /// Connections from one address.
    pub per_address: usize,
}

impl Default for WebLimits {
    /// Below the 1,024 descriptors that a service has by default; all screens of a hall behind one proxy fit.
    fn default() -> WebLimits {
        WebLimits { connections: 512, per_address: 256 }
    }
}

impl WebReach {
    /// Its certificate in words.
    pub(super) fn told(&self) -> String {
        match &self.tls {
            None => "none".to_owned(),
            Some(WebTls::Own { cert, .. }) => cert.display().to_string(),
            Some(WebTls::Made { names }) => format!("one made for {names:?}"),
        }
    }
}

/// Most connections that can be allowed: each takes a descriptor and some memory.
const MOST: i64 = 10_000;
const OWN: &str = "cert = \"web-cert.pem\" and key = \"web-key.pem\", or neither for one that is made at the first start";

/// Reads the keys of `[web]` that are about connections. Paths start at `base`.
pub(super) fn read(web: &Section<'_, '_>, base: &Path) -> WebReach {
    let default = WebLimits::default();
    let number = |key| web.integer(key, 1, MOST);
    let (total, each) = (number("connections"), number("connections_per_address"));
    let of = |n: i64| usize::try_from(n).unwrap_or(1);
    let connections = total.map_or(default.connections, |at| of(at.value));
    let per_address = match each {
        Some(at) if of(at.value) > connections => {
            let message = format!(
                "connections_per_address = {} is more than connections = {connections}; lower it",
                at.value
            );
            web.report_at(at.line, message);
            connections
        }
        Some(at) => of(at.value),
        None => default.per_address.min(connections),
    };
    let tls = web.section("tls").and_then(|tls| {
        let read = read_tls(&tls, base);
        tls.finish();
        read
    });
    WebReach { tls, limits: WebLimits { connections, per_address } }
}

fn read_tls(tls: &Section<'_, '_>, base: &Path) -> Option<WebTls> {
    let file = |key| {
        let at = tls.text(key)?;
        let path = place(base, at.value);
        must_be_there(tls, at.line, key, &path);
        Some(path)
    };
    let (cert, key) = (file("cert"), file("key"));
    let names = tls.texts("names");
    for name in &names {
        let is_name = |name: &str| {
            let label = |part: &str| {
                !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
            };
            name.len() <= 253 && name.split('.').all(label)
        };
        if name.value.parse::<IpAddr>().is_err() && !is_name(name.value) {
            let message = format!(
                "\"{}\" is neither a name nor an address of a machine; write for instance \"capline.plant.example\"",
                name.value
            );
            tls.report_at(name.line, message);
            return None;
        }
    }
    match (cert, key) {
        (Some(_), Some(_)) if !names.is_empty() => {
            tls.report(
                "names",
                "names are for a certificate that is made; your own has its names in it",
            );
            None
        }
        (Some(cert), Some(key)) => Some(WebTls::Own { cert, key }),
        (None, None) if tls.has("cert") || tls.has("key") => None,
        (None, None) => {
            Some(WebTls::Made { names: names.iter().map(|at| at.value.to_owned()).collect() })
        }
        _ => {
            tls.report_at(tls.line, format!("cert and key belong together; write {OWN}"));
            None
        }
    }
}
