//! `[web]`: where the screens are served and who may ask. What would show the plant or its passwords to a network is
//! taken only in words.

use std::net::SocketAddr;
use std::time::Duration;

use domain::plc_map::document::Section;

use super::read_span;

/// What has to be written where anybody on the network may look.
const READ: &str = "anybody on this network may read everything";
/// What has to be written where anybody on the network may write, too.
const WRITE: &str = "anybody on this network may change limits and reasons";
/// What has to be written where people sign in over a network without TLS.
const PLAIN: &str = "passwords cross this network unencrypted";
/// Shortest and longest time without use: a minute and a day.
const IDLE_US: (i64, i64) = (60_000_000, 86_400_000_000);
/// Shortest and longest session: a minute and a month.
const LONGEST_US: (i64, i64) = (60_000_000, 31 * 86_400_000_000);

/// Where the screens are served and who may ask.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebConfig {
    /// Address and port.
    pub listen: SocketAddr,
    /// Who may ask.
    pub access: WebAccess,
    /// Whether limits, signals and causes may be written where anybody may ask, on more than this machine.
    pub writes: bool,
    /// A session ends without use after this.
    pub session_idle: Duration,
    /// A session ends after this, whatever is done.
    pub session_longest: Duration,
}

/// Who may ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WebAccess {
    /// Anybody who reaches the address.
    Open,
    /// Users who sign in.
    Users,
}

impl WebAccess {
    /// The word in the configuration.
    pub fn word(self) -> &'static str {
        match self {
            WebAccess::Open => "open",
            WebAccess::Users => "users",
        }
    }
}

impl Default for WebConfig {
    fn default() -> WebConfig {
        WebConfig {
            listen: SocketAddr::from(([127, 0, 0, 1], 8080)),
            access: WebAccess::Open,
            writes: false,
            session_idle: Duration::from_secs(15 * 60),
            session_longest: Duration::from_secs(12 * 3_600),
        }
    }
}

impl WebConfig {
    /// Whether browsers reach the service over TLS. Asked here alone.
    pub fn has_tls(&self) -> bool {
        false
    }

    /// Whether only this machine reaches the address.
    pub fn is_local(&self) -> bool {
        self.listen.ip().is_loopback()
    }
}

/// Reads `[web]`. Everything has a default.
pub(super) fn read(web: &Section<'_, '_>) -> WebConfig {
    let usual = WebConfig::default();
    let listen = web.parsed::<SocketAddr>("listen", "an address and port such as 127.0.0.1:8080");
    let (line, listen) = listen.map_or((web.line, usual.listen), |at| (at.line, at.value));
    let writes = web.boolean("writes");
    let access = web.text("access").and_then(|at| match at.value {
        "open" => Some(WebAccess::Open),
        "users" => Some(WebAccess::Users),
        other => {
            let message = format!("access = \"{other}\" is not known; use \"users\" or \"open\"");
            web.report_at(at.line, message);
            None
        }
    });
    let local = listen.ip().is_loopback();
    let access = access.unwrap_or(if local { WebAccess::Open } else { WebAccess::Users });
    if let (Some(at), WebAccess::Users) = (&writes, access) {
        let message = "writes belongs to access = \"open\"; where users sign in their roles decide, leave it out";
        web.report_at(at.line, message);
    }
    let config = WebConfig {
        listen,
        access,
        writes: writes.is_some_and(|at| at.value),
        session_idle: read_span(web, "session_idle", IDLE_US.0, IDLE_US.1)
            .unwrap_or(usual.session_idle),
        session_longest: read_span(web, "session_longest", LONGEST_US.0, LONGEST_US.1)
            .unwrap_or(usual.session_longest),
    };
    if config.session_idle > config.session_longest {
        web.report("session_idle", "session_idle is longer than session_longest; swap them");
    }
    in_words(web, line, &config);
    web.finish();
    config
}

/// Refuses what is seen from a network unless its price is written down.
fn in_words(web: &Section<'_, '_>, line: usize, config: &WebConfig) {
    let (open, plain) = (web.text("open_to_network"), web.text("without_tls"));
    let listen = config.listen;
    let wanted = match (config.access, config.writes) {
        _ if config.is_local() => None,
        (WebAccess::Open, false) => Some(("open_to_network", READ)),
        (WebAccess::Open, true) => Some(("open_to_network", WRITE)),
        (WebAccess::Users, _) if !config.has_tls() => Some(("without_tls", PLAIN)),
        (WebAccess::Users, _) => None,
    };
    let way_out = match config.access {
        WebAccess::Open => "write access = \"users\", or listen on 127.0.0.1",
        WebAccess::Users => "listen on 127.0.0.1 behind a proxy with TLS",
    };
    for (key, given) in [("open_to_network", open), ("without_tls", plain)] {
        match (given, wanted.filter(|(wanted, _)| *wanted == key)) {
            (Some(at), Some((_, words))) if at.value != words => {
                let found = at.value;
                let message = format!(
                    "{key} = \"{found}\" is not what has to be said on {listen}; write \"{words}\", or {way_out}"
                );
                web.report_at(at.line, message);
            }
            (None, Some((_, words))) => {
                let access = config.access.word();
                let message = format!(
                    "listen = \"{listen}\" is seen from the network with access = \"{access}\"; {way_out}, or say in words {key} = \"{words}\""
                );
                web.report_at(line, message);
            }
            (Some(at), None) => {
                let message = format!(
                    "{key} says nothing about access = \"{}\" on {listen}; leave it out",
                    config.access.word()
                );
                web.report_at(at.line, message);
            }
            (Some(_), Some(_)) | (None, None) => {}
        }
    }
}
