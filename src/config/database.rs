//! `[database]`: where the plant database is, without any secret.

use std::path::{Path, PathBuf};

use domain::plc_map::document::Section;

use super::place;

/// The plant database that rows are forwarded to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DatabaseConfig {
    /// Name of the server as its certificate has it, or a directory of sockets.
    pub host: String,
    /// Port.
    pub port: u16,
    /// Database.
    pub name: String,
    /// Role to log in as.
    pub user: String,
    /// Name of this box in the database.
    pub edge: String,
    /// Certificates that the server's must lead to, PEM; none for a server on this machine, which is reached in clear.
    pub ca: Option<PathBuf>,
    /// File that holds the password.
    pub password_file: Option<PathBuf>,
}

impl DatabaseConfig {
    /// What an address alone says, for a box of that name: `postgres://user@host:port/name`.
    ///
    /// # Errors
    /// What is wrong with it and how it is written. A password in it is refused, and not repeated.
    pub fn of_url(url: &str, edge: &str, ca: Option<PathBuf>) -> Result<DatabaseConfig, String> {
        let Parts { host, port, name, user } = parts(url)
            .map_err(|what| format!("the address {what}; write for instance {EXAMPLE}"))?;
        if ca.is_none() && !is_here(&host) {
            return Err(format!(
                "{host} is not this machine and needs TLS; name the authority of its certificate"
            ));
        }
        Ok(DatabaseConfig {
            host,
            port,
            name,
            user,
            edge: edge.to_owned(),
            ca,
            password_file: None,
        })
    }
}

const EXAMPLE: &str = "\"postgres://capline_writer@db.plant.example:5432/plant\"";

pub(super) fn read(section: &Section<'_, '_>, base: &Path) -> Option<DatabaseConfig> {
    let url = section.required_text("url", EXAMPLE);
    let edge = section.required_text("edge", "\"edge-1\"");
    let path = |key| section.text(key).map(|at| place(base, at.value));
    let (ca, password_file) = (path("ca"), path("password_file"));
    section.finish();
    let url = url?;
    let parts = match parts(url.value) {
        Ok(parts) => parts,
        Err(what) => {
            // The address itself is not repeated: it may hold a password.
            section.report_at(url.line, format!("url {what}; write for instance {EXAMPLE}"));
            return None;
        }
    };
    if ca.is_none() && !is_here(&parts.host) {
        let host = &parts.host;
        section.report_at(
            url.line,
            format!("{host} is not this machine and needs TLS; name the authority of its certificate: ca = \"plant-ca.pem\""),
        );
        return None;
    }
    let Parts { host, port, name, user } = parts;
    Some(DatabaseConfig { host, port, name, user, edge: edge?.value.to_owned(), ca, password_file })
}

#[derive(Debug, PartialEq, Eq)]
struct Parts {
    host: String,
    port: u16,
    name: String,
    user: String,
}

/// `postgres://user@host:port/name`; a directory of sockets is written as `postgres://user@/name?host=/run/postgresql`.
fn parts(url: &str) -> Result<Parts, &'static str> {
    let rest = url
        .strip_prefix("postgres://")
        .or_else(|| url.strip_prefix("postgresql://"))
        .ok_or("does not begin with postgres://")?;
    let (authority, path) = rest.split_once('/').ok_or("names no database")?;
    let (user, server) = authority.rsplit_once('@').ok_or("names no user")?;
    if user.contains(':') {
        return Err("holds a password; put that into CAPLINE_DATABASE_PASSWORD or a password_file");
    }
    let (name, socket) = match path.split_once("?host=") {
        Some((name, socket)) => (name, Some(socket)),
        None => (path, None),
    };
    let (host, port) = match (socket, server.rsplit_once(':')) {
        (Some(socket), _) if server.is_empty() => (socket, "5432"),
        (Some(_), _) => return Err("names two hosts"),
        (None, Some((host, port))) => (host, port),
        (None, None) => (server, "5432"),
    };
    let port = port.parse().map_err(|_| "has no number as port")?;
    let plain = |part: &str| !part.is_empty() && !part.contains(['/', '?', '#', '%', ' ', '@']);
    if !plain(user) || !plain(name) || !(plain(host) || socket.is_some_and(|s| s.starts_with('/')))
    {
        return Err("has an empty or a strange part");
    }
    let host = host.trim_start_matches('[').trim_end_matches(']');
    Ok(Parts { host: host.to_owned(), port, name: name.to_owned(), user: user.to_owned() })
}

/// Whether the way there does not leave this machine.
pub(super) fn is_here(host: &str) -> bool {
    host.starts_with('/') || ["localhost", "127.0.0.1", "::1"].contains(&host)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_taken_apart() {
        let parts =
            |url| parts(url).map(|p| format!("{} {} {} {}", p.user, p.host, p.port, p.name));
        assert_eq!(parts("postgres://w@db.x:5433/plant").unwrap(), "w db.x 5433 plant");
        assert_eq!(parts("postgresql://w@db.x/plant").unwrap(), "w db.x 5432 plant");
        assert_eq!(parts("postgres://w@[::1]:5432/plant").unwrap(), "w ::1 5432 plant");
        assert_eq!(parts("postgres://w@/plant?host=/run/pg").unwrap(), "w /run/pg 5432 plant");
        for (url, what) in [
            ("http://w@db/plant", "does not begin with postgres://"),
            ("postgres://w@db", "names no database"),
            ("postgres://db/plant", "names no user"),
            ("postgres://w@db:x/plant", "has no number as port"),
            ("postgres://w@db:5432/", "has an empty or a strange part"),
            ("postgres://w@db/plant?sslmode=disable", "has an empty or a strange part"),
            ("postgres://w@db/plant?host=/run", "names two hosts"),
        ] {
            assert_eq!(parts(url), Err(what), "{url}");
        }
        assert!(parts("postgres://w:secret@db/plant").unwrap_err().starts_with("holds a password"));
    }

    #[test]
    fn only_this_machine_is_spoken_to_in_clear() {
        for (host, here) in [
            ("localhost", true),
            ("/run/postgresql", true),
            ("10.0.0.1", false),
            ("localhost.x", false),
        ] {
            assert_eq!(is_here(host), here, "{host}");
        }
    }
}
