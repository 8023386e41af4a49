//! PostgreSQL of the Debian package, in a directory of its own and as a process of its own.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use capline::historian::archive::{Address, Secret, Settings, Tls, migrate};
use rustix::process::{Pid, Signal, geteuid, kill_process};
use tokio_postgres::{Client, NoTls};

use crate::harness::{PATIENCE, until};
use crate::skip::skipped;

/// Password of every role of the tests.
const PASSWORD: &str = "of the tests alone";

/// A running server with an empty database. It ends with this value.
pub(crate) struct Cluster {
    server: Child,
    dir: tempfile::TempDir,
    port: u16,
}

/// The commands of the newest PostgreSQL here, none before 15.
fn commands() -> Option<PathBuf> {
    let versions = fs::read_dir("/usr/lib/postgresql").ok()?;
    let version = |entry: fs::DirEntry| entry.file_name().to_str()?.parse::<u32>().ok();
    let newest = versions.flatten().filter_map(version).max().filter(|version| *version >= 15)?;
    Some(PathBuf::from(format!("/usr/lib/postgresql/{newest}/bin")))
}

/// A command as the user of the database: the server refuses to be root.
fn as_postgres(command: &Path) -> Command {
    if !geteuid().is_root() {
        return Command::new(command);
    }
    let mut wrapped = Command::new("setpriv");
    wrapped.args(["--reuid=postgres", "--regid=postgres", "--clear-groups"]).arg(command);
    wrapped
}

fn run(command: &mut Command) {
    let done = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(done.status.success(), "{command:?}: {}", String::from_utf8_lossy(&done.stderr));
}

/// The server of a directory that is set up.
fn serve(commands: &Path, dir: &Path) -> Child {
    let log = fs::OpenOptions::new().create(true).append(true).open(dir.join("log"));
    as_postgres(&commands.join("postgres"))
        .arg("-D")
        .arg(dir.join("data"))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(log.expect("it is writable"))
        .spawn()
        .expect("the server starts")
}

impl Cluster {
    /// A server, or none where the package is not installed.
    pub(crate) async fn start(test: &str) -> Option<Cluster> {
        Cluster::start_with(test, |_| String::new()).await
    }

    /// The same with more settings. What they name is made in the directory that is given.
    pub(crate) async fn start_with(
        test: &str,
        settings: impl FnOnce(&Path) -> String,
    ) -> Option<Cluster> {
        let Some(commands) = commands() else {
            skipped(
                test,
                "no PostgreSQL 15 or newer in /usr/lib/postgresql; tests/run.sh installs it",
            );
            return None;
        };
        let dir = tempfile::tempdir().expect("there is room for a test");
        fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755)).expect("it is ours");
        fs::write(dir.path().join("password"), PASSWORD).expect("it is writable");
        let settings = settings(dir.path());
        if geteuid().is_root() {
            run(Command::new("chown").args(["-R", "postgres:postgres"]).arg(dir.path()));
        }
        let data = dir.path().join("data");
        let mut initdb = as_postgres(&commands.join("initdb"));
        initdb.args(["-U", "postgres", "-A", "scram-sha-256", "-E", "UTF8", "--no-sync", "-D"]);
        run(initdb.arg(&data).arg("--pwfile").arg(dir.path().join("password")));
        let port = free_port();
        let own = format!(
            "port = {port}\nlisten_addresses = '127.0.0.1'\nunix_socket_directories = ''\n"
        );
        let file = data.join("postgresql.auto.conf");
        fs::write(&file, own + &settings).expect("it is writable");
        let cluster = Cluster { server: serve(&commands, dir.path()), dir, port };
        cluster.answers().await;
        Some(cluster)
    }

    async fn answers(&self) {
        until("a database that answers", PATIENCE * 3, async || {
            self.try_admin().await.map(drop).map_err(|error| {
                let log = fs::read_to_string(self.dir.path().join("log")).unwrap_or_default();
                format!("{error}: {log}")
            })
        })
        .await;
    }

    /// Ends the server at once, as a power cut would: its connections are gone, and nothing listens any more.
    pub(crate) fn stop(&mut self) {
        // The number of a process that has ended may be another's by now.
        if !matches!(self.server.try_wait(), Ok(None)) {
            return;
        }
        // SIGQUIT: without a checkpoint.
        let _ = kill_process(Pid::from_child(&self.server), Signal::QUIT);
        let _ = self.server.wait();
    }

    /// Starts a server that was stopped, with all it had.
    pub(crate) async fn start_again(&mut self) {
        let commands = commands().expect("it was started before");
        self.server = serve(&commands, self.dir.path());
        self.answers().await;
    }

    /// The same with the tables made.
    pub(crate) async fn migrated(test: &str) -> Option<Cluster> {
        let cluster = Cluster::start(test).await?;
        migrate(&cluster.address("postgres")).await.expect("the tables are made");
        let admin = cluster.admin().await;
        for role in ["capline_writer", "capline_reader", "capline_migrator"] {
            let sql = format!("alter role {role} password '{PASSWORD}'");
            admin.batch_execute(&sql).await.expect("an administrator may do so");
        }
        Some(cluster)
    }

    /// How a role gets to it.
    pub(crate) fn address(&self, user: &str) -> Address {
        Address {
            host: "127.0.0.1".to_owned(),
            port: self.port,
            database: "postgres".to_owned(),
            user: user.to_owned(),
            password: Some(Secret::new(PASSWORD)),
            tls: Tls::Off,
        }
    }

    /// What a box forwards with, over this port or that of a proxy.
    pub(crate) fn settings(&self, edge: &str, port: Option<u16>) -> Settings {
        let mut address = self.address("capline_writer");
        address.port = port.unwrap_or(self.port);
        Settings { address, site: "Test".to_owned(), edge: edge.to_owned() }
    }

    /// Its port.
    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// A connection of the administrator.
    pub(crate) async fn admin(&self) -> Client {
        self.try_admin().await.expect("the database answers")
    }

    async fn try_admin(&self) -> Result<Client, tokio_postgres::Error> {
        self.client("postgres").await
    }

    /// A connection of a role.
    pub(crate) async fn client(&self, user: &str) -> Result<Client, tokio_postgres::Error> {
        let mut config = tokio_postgres::Config::new();
        config.host("127.0.0.1").port(self.port).dbname("postgres").user(user).password(PASSWORD);
        let (client, connection) = config.connect(NoTls).await?;
        tokio::spawn(connection);
        Ok(client)
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        self.stop();
    }
}

/// The password, where a test hands it on in a file or in the environment.
pub(crate) fn password() -> &'static str {
    PASSWORD
}

fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("there is a free port");
    listener.local_addr().expect("it has an address").port()
}
