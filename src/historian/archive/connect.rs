//! A connection: address, password, TLS with the name of the server verified.

use std::path::PathBuf;
use std::time::Duration;

use rustls::ClientConfig;
use tokio::task::JoinHandle;
use tokio_postgres::config::SslMode;
use tokio_postgres::{Client, NoTls};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::reaction::Trouble;
use crate::secret::Secret;
use crate::tls;

/// Time for a connection to be made.
const CONNECT_WITHIN: Duration = Duration::from_secs(5);
/// A link that died without a word is found out after this.
const USER_TIMEOUT: Duration = Duration::from_secs(20);
const KEEPALIVE: Duration = Duration::from_secs(10);

/// Which database, and as whom.
#[derive(Clone, Debug)]
pub struct Address {
    /// Name of the server as its certificate has it, or a directory of sockets.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// The database.
    pub database: String,
    /// The role to log in as.
    pub user: String,
    /// Its password, where one is asked for.
    pub password: Option<Secret>,
    /// How the way there is protected.
    pub tls: Tls,
}

/// How the way to the database is protected.
#[derive(Clone, Debug)]
pub enum Tls {
    /// Not at all: for a server on this machine.
    Off,
    /// TLS 1.2 or newer. The certificate must lead to one of this file and name the host.
    VerifyFull {
        /// Certificates of the authorities, PEM.
        ca: PathBuf,
    },
}

/// An open connection.
pub(in crate::historian) struct Plant {
    /// Whom to ask.
    pub(in crate::historian) client: Client,
    /// Carries the bytes. It ends with the client; a hard end is for those who do not wait.
    carrier: JoinHandle<()>,
}

impl Drop for Plant {
    fn drop(&mut self) {
        self.carrier.abort();
    }
}

/// Connects.
pub(in crate::historian) async fn connect(address: &Address) -> Result<Plant, Trouble> {
    let work = async {
        match &address.tls {
            Tls::Off => {
                let (client, connection) = config(address, SslMode::Disable).connect(NoTls).await?;
                Ok(Plant { client, carrier: carry(connection) })
            }
            Tls::VerifyFull { ca } => {
                let tls = MakeRustlsConnect::new(client_config(ca)?);
                let (client, connection) = config(address, SslMode::Require).connect(tls).await?;
                Ok(Plant { client, carrier: carry(connection) })
            }
        }
    };
    // The limit of the driver ends with the handshake of TCP; this one spans the whole greeting.
    match tokio::time::timeout(CONNECT_WITHIN * 2, work).await {
        Ok(done) => done,
        Err(_) => Err(Trouble::Silent(CONNECT_WITHIN.as_secs() * 2)),
    }
}

fn config(address: &Address, mode: SslMode) -> tokio_postgres::Config {
    let mut config = tokio_postgres::Config::new();
    config
        .host(&address.host)
        .port(address.port)
        .dbname(&address.database)
        .user(&address.user)
        .application_name(concat!("capline ", env!("CARGO_PKG_VERSION")))
        .ssl_mode(mode)
        .connect_timeout(CONNECT_WITHIN)
        .tcp_user_timeout(USER_TIMEOUT)
        .keepalives_idle(KEEPALIVE);
    if let Some(password) = &address.password {
        config.password(password.expose());
    }
    config
}

fn carry<S, T>(connection: tokio_postgres::Connection<S, T>) -> JoinHandle<()>
where
    S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin + Send + 'static,
    T: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin + Send + 'static,
{
    tokio::spawn(async move {
        // Whoever asks the client next is told the same.
        if let Err(error) = connection.await {
            tracing::debug!(%error, "the connection to the plant database ended");
        }
    })
}

fn client_config(ca: &std::path::Path) -> Result<ClientConfig, Trouble> {
    let client = tls::client(ca).map_err(|why| {
        let ca = ca.display();
        Trouble::Schema(format!("{ca}: {why}; name the plant's authority as PEM in [database] ca"))
    })?;
    Ok(client.with_no_client_auth())
}
