//! `[[webhook]]` and `[[alert]]`: who is told what, without any secret.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use domain::alert::{CALM_US, Condition, Rule};
use domain::plc_map::document::{At, Section};
use domain::units::{HOUR_US, LineId};

use super::database::is_here;
use super::{must_be_there, place, read_span};

/// A webhook.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebhookConfig {
    /// Its name.
    pub name: Arc<str>,
    /// Name of the server as its certificate has it, or its address.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// Path and query.
    pub path: String,
    /// Certificates that the server's must lead to, PEM; none for a server on this machine, which is reached in clear.
    pub ca: Option<PathBuf>,
    /// File that holds the secret.
    pub secret_file: Option<PathBuf>,
}

const URL: &str = "\"https://andon.plant.example/capline\"";
const NAME: &str = "\"maintenance\"";
/// Longest time that something may last before it is an alert.
const LONGEST_US: i64 = 7 * 24 * HOUR_US;
/// Names of parameters that hold secrets in the addresses of many services.
const SECRETS: [&str; 6] = ["key", "token", "secret", "sign", "pass", "auth"];

/// Reads all webhooks and alerts. The names of lines and webhooks are known by then.
pub(super) fn read(
    root: &Section<'_, '_>,
    base: &Path,
    lines: &[LineId],
) -> (Vec<WebhookConfig>, Vec<Rule>) {
    let mut hooks: Vec<WebhookConfig> = Vec::new();
    // A webhook with a mistake in it is there all the same, or every alert that names it would be one more mistake.
    let mut names: Vec<String> = Vec::new();
    for section in root.sections("webhook") {
        let name = name(&section);
        if let Some(name) = &name {
            if names.iter().any(|known| known == name.value) {
                let message = format!("there are two webhooks {}; rename one", name.value);
                section.report_at(name.line, message);
            } else {
                names.push(name.value.to_owned());
            }
        }
        hooks.extend(hook(&section, base, name.map(|name| name.value)));
        section.finish();
    }
    let mut rules: Vec<Rule> = Vec::new();
    for section in root.sections("alert") {
        if let Some(rule) = rule(&section, lines, &names) {
            if rules.iter().any(|known| known.name == rule.name) {
                let name = &rule.name;
                section.report(
                    "name",
                    format!("there are two alerts {name}; give one of them a name of its own: name = \"{name} long\""),
                );
            }
            rules.push(rule);
        }
        section.finish();
    }
    (hooks, rules)
}

fn name<'d>(section: &Section<'d, '_>) -> Option<At<&'d str>> {
    let name = section.required_text("name", NAME)?;
    let is_name = (1..=32).contains(&name.value.len())
        && name.value.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b));
    if !is_name {
        let message = format!("name = \"{}\" must be 1 to 32 of A-Z a-z 0-9 - _", name.value);
        section.report_at(name.line, message);
    }
    is_name.then_some(name)
}

fn hook(section: &Section<'_, '_>, base: &Path, name: Option<&str>) -> Option<WebhookConfig> {
    let url = section.required_text("url", URL);
    let ca = section.text("ca").map(|at| (at.line, place(base, at.value)));
    let secret_file = section.text("secret_file").map(|at| place(base, at.value));
    let url = url?;
    let parts = match parts(url.value) {
        Ok(parts) => parts,
        Err(what) => {
            // The address itself is not repeated: it may hold a secret.
            section.report_at(url.line, format!("url {what}; write for instance {URL}"));
            return None;
        }
    };
    let Parts { tls, host, port, path } = parts;
    match &ca {
        None if tls => {
            section.report_at(
                url.line,
                "https needs the authority of the server's certificate: ca = \"plant-ca.pem\"",
            );
            return None;
        }
        None if !is_here(&host) => {
            section.report_at(
                url.line,
                format!("{host} is not this machine and needs TLS; write https:// and name the authority of its certificate: ca = \"plant-ca.pem\""),
            );
            return None;
        }
        Some((line, _)) if !tls => {
            section.report_at(*line, "ca belongs to an address that begins with https://");
            return None;
        }
        Some((line, path)) => must_be_there(section, *line, "ca", path),
        None => {}
    }
    let ca = ca.map(|(_, path)| path);
    Some(WebhookConfig { name: name?.into(), host, port, path, ca, secret_file })
}

#[derive(Debug, PartialEq, Eq)]
struct Parts {
    tls: bool,
    host: String,
    port: u16,
    path: String,
}

/// `https://host:port/path`.
fn parts(url: &str) -> Result<Parts, &'static str> {
    let uri: hyper::Uri = url.parse().map_err(|_| "is no address")?;
    let tls = match uri.scheme_str() {
        Some("https") => true,
        Some("http") => false,
        _ => return Err("does not begin with https://"),
    };
    let authority = uri.authority().ok_or("names no server")?;
    if authority.as_str().contains('@') {
        return Err("holds a password; messages are signed with the secret instead");
    }
    let query = uri.query().unwrap_or_default().to_ascii_lowercase();
    let is_secret = |pair: &str| {
        let name = pair.split('=').next().unwrap_or_default();
        SECRETS.iter().any(|secret| name.contains(secret))
    };
    if query.split('&').any(is_secret) {
        return Err("holds a secret; messages are signed with the secret instead");
    }
    let host = authority.host().trim_start_matches('[').trim_end_matches(']');
    if host.is_empty() {
        return Err("names no server");
    }
    let port = match authority.as_str().strip_prefix(authority.host()).unwrap_or_default() {
        "" if tls => 443,
        "" => 80,
        written => {
            let port = written.strip_prefix(':').and_then(|port| port.parse().ok());
            port.filter(|port| *port > 0).ok_or("has no number as port")?
        }
    };
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    Ok(Parts { tls, host: host.to_owned(), port, path: path.to_owned() })
}

fn rule(section: &Section<'_, '_>, lines: &[LineId], hooks: &[String]) -> Option<Rule> {
    let condition = section.required_text("when", "\"stopped\"").and_then(|at| {
        let condition = Condition::from_word(at.value);
        if condition.is_none() {
            let known = Condition::ALL.map(Condition::word).join(", ");
            let message = format!("when = \"{}\" is not known; use {known}", at.value);
            section.report_at(at.line, message);
        }
        condition
    });
    let name = section.text("name").map(|at| at.value);
    // Nothing is too short: a full disk is one at once.
    let longer_us = match section.text("longer").map(|at| at.value) {
        Some("0s") => Some(0),
        _ => read_span(section, "longer", 1_000_000, LONGEST_US).map(|d| d.as_micros() as i64),
    };
    let calm = read_span(section, "calm", 1_000_000, 24 * HOUR_US);
    let of_lines: Vec<LineId> = section
        .texts("lines")
        .iter()
        .filter_map(|at| known(section, at, "line", lines.iter().map(LineId::as_str)))
        .map(LineId::new)
        .collect();
    let send: Vec<Arc<str>> = section
        .texts("send")
        .iter()
        .filter_map(|at| known(section, at, "webhook", hooks.iter().map(String::as_str)))
        .map(Arc::from)
        .collect();
    let condition = condition?;
    if !condition.is_of_a_line() && section.has("lines") {
        let word = condition.word();
        section.report("lines", format!("{word} is not about a line; leave lines out"));
    }
    Some(Rule {
        name: name.unwrap_or(condition.word()).into(),
        condition,
        longer_us: longer_us.unwrap_or(condition.longer_us()),
        calm_us: calm.map_or(CALM_US, |calm| calm.as_micros() as i64),
        lines: of_lines,
        hooks: send,
    })
}

/// A name that has to be among those that are there.
fn known<'d, 'n>(
    section: &Section<'_, '_>,
    at: &At<&'d str>,
    what: &str,
    names: impl Iterator<Item = &'n str>,
) -> Option<&'d str> {
    let names: Vec<&str> = names.collect();
    if names.contains(&at.value) {
        return Some(at.value);
    }
    let there = match names.is_empty() {
        true => format!("there is none; add [[{what}]]"),
        false => format!("there are {}", names.join(", ")),
    };
    section.report_at(at.line, format!("\"{}\" is no {what}; {there}", at.value));
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_taken_apart() {
        let parts = |url| parts(url).map(|p| format!("{} {} {} {}", p.tls, p.host, p.port, p.path));
        assert_eq!(parts("https://a.x/hook").unwrap(), "true a.x 443 /hook");
        assert_eq!(parts("https://a.x:8443").unwrap(), "true a.x 8443 /");
        assert_eq!(parts("http://127.0.0.1:9000/a?to=b").unwrap(), "false 127.0.0.1 9000 /a?to=b");
        assert_eq!(parts("http://[::1]/").unwrap(), "false ::1 80 /");
        for (url, what) in [
            ("ftp://a.x/", "does not begin with https://"),
            ("/hook", "does not begin with https://"),
            ("a b", "is no address"),
            ("https://a.x:0/", "has no number as port"),
            ("https://a.x:/", "has no number as port"),
            ("https://a.x:99999/", "has no number as port"),
            ("https://me:pw@a.x/", "holds a password; messages are signed with the secret instead"),
            (
                "https://a.x/?access_TOKEN=1",
                "holds a secret; messages are signed with the secret instead",
            ),
        ] {
            assert_eq!(parts(url), Err(what), "{url}");
        }
    }
}
