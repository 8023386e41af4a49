//! The tables: made once, by steps with a checksum, with no more rights than needed; the way there is protected.

use std::path::Path;
use std::process::Command;

use capline::historian::archive::{Secret, SecretError, Tls, Variant, migrate, script};
use capline::historian::forward::ForwardState;

use super::book::{Book, comes_to, drained, sums};
use super::cluster::Cluster;

/// Shows: HIS-11
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn steps_are_applied_once_and_an_edited_one_is_found() {
    let Some(cluster) = Cluster::start("migrations").await else { return };
    let admin = cluster.admin().await;
    let address = cluster.address("postgres");
    // Two at the same time: one waits for the other.
    let (one, two) = tokio::join!(migrate(&address), migrate(&address));
    let (one, two) = (one.expect("it migrates"), two.expect("so does the other"));
    let mut applied = [one.applied, two.applied].concat();
    applied.sort_unstable();
    assert_eq!(
        applied,
        ["audit", "partitions", "records", "records_partitions", "roles", "tables"]
    );
    assert_eq!(migrate(&address).await.expect("again").applied, Vec::<&str>::new());
    let edit = "update capline.migration set sha256 = 'edited' where step = 2";
    admin.batch_execute(edit).await.expect("an administrator may do so");
    let refused = migrate(&address).await.expect_err("an edited step");
    assert!(refused.starts_with("step 2 (tables) is not the tables of this version"), "{refused}");
    // A box does not write into such tables either.
    let dir = tempfile::tempdir().expect("there is room");
    let book = Book::open(dir.path());
    let mut settings = cluster.settings("edge-1", None);
    settings.address = address;
    let (forwarder, _alarms) = book.forward(settings);
    let said = comes_to(&forwarder, ForwardState::Refused).await.trouble.expect("it says why");
    assert!(said.starts_with("step 2 (tables)"), "{said}");
}

/// Shows: HIS-11
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_printed_script_makes_the_same_tables() {
    let Some(cluster) = Cluster::start("--print-sql").await else { return };
    let printed = Command::new(env!("CARGO_BIN_EXE_capline"))
        .args(["migrate", "--print-sql"])
        .output()
        .expect("the command runs");
    let printed = String::from_utf8(printed.stdout).expect("it is text");
    assert_eq!(printed, script(Variant::Partitions));
    cluster.admin().await.batch_execute(&printed).await.expect("the script runs");
    let done = migrate(&cluster.address("postgres")).await.expect("it migrates");
    assert_eq!((done.variant, done.applied), (Variant::Partitions, Vec::new()));
}

/// Shows: ACC-04
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_role_may_do_what_it_is_for_and_no_more() {
    let Some(cluster) = Cluster::migrated("roles").await else { return };
    let refused = "42501";
    for (role, sql, code) in [
        ("capline_writer", "select count(*) from capline.event", None),
        ("capline_writer", "select capline.tend()", None),
        ("capline_writer", "update capline.event set word = 'other'", Some(refused)),
        ("capline_writer", "delete from capline.event", Some(refused)),
        ("capline_writer", "delete from capline.minute", Some(refused)),
        ("capline_writer", "delete from capline.edge_stream", Some(refused)),
        ("capline_writer", "truncate capline.minute_count", Some(refused)),
        ("capline_writer", "update capline.limits set reason = 'other'", Some(refused)),
        ("capline_writer", "update capline.report set page = ''", Some(refused)),
        ("capline_writer", "delete from capline.stop_revision", Some(refused)),
        ("capline_writer", "delete from capline.superseded", Some(refused)),
        ("capline_writer", "select count(*) from capline.audit_head", None),
        ("capline_writer", "update capline.audit_head set hash = ''", Some(refused)),
        ("capline_writer", "delete from capline.audit_head", Some(refused)),
        ("capline_reader", "select count(*) from capline.limits_by_name", None),
        ("capline_reader", "select capline.supersede('edge-1', 'event', 0, 0)", Some(refused)),
        ("capline_writer", "drop table capline.event", Some(refused)),
        ("capline_writer", "create table capline.mine (n int)", Some(refused)),
        ("capline_writer", "update capline.migration set sha256 = ''", Some(refused)),
        ("capline_reader", "select count(*) from capline.hour_count_by_name", None),
        ("capline_reader", "set transaction read write; delete from capline.event", Some(refused)),
        ("capline_reader", "select capline.tend()", Some(refused)),
        ("capline_migrator", "set role capline_owner; select count(*) from capline.event", None),
    ] {
        let client = cluster.client(role).await.expect("the role may log in");
        let found = client.batch_execute(sql).await.err();
        let found = found.as_ref().and_then(|error| error.code()).map(|code| code.code());
        assert_eq!(found, code, "{role}: {sql}");
    }
    let owner = cluster.client("capline_owner").await.expect_err("nobody logs in as the owner");
    assert!(owner.code().is_some(), "{owner}");
    let again = migrate(&cluster.address("capline_migrator")).await.expect("the migrator may");
    assert!(again.applied.is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_month_is_a_partition_and_old_ones_go() {
    let Some(cluster) = Cluster::migrated("partitions").await else { return };
    let (admin, dir) = (cluster.admin().await, tempfile::tempdir().expect("there is room"));
    let mut book = Book::open(dir.path());
    book.tick(10);
    let (forwarder, _alarms) = book.forward(cluster.settings("edge-1", None));
    drained(&forwarder, &book).await;
    forwarder.stop().await;
    let count = async |relation: &str| -> i64 {
        let sql = format!("select count(*) from {relation}");
        admin.query_one(&sql, &[]).await.expect("it is there").get(0)
    };
    assert_eq!(count("capline.event_202601").await, 10);
    assert_eq!(count("capline.minute_202601").await, 1);
    admin
        .batch_execute(
            "update capline.retention set keep = '1 day' where relation = 'minute';
             select capline.tend()",
        )
        .await
        .expect("an administrator may do so");
    let gone = "select to_regclass('capline.minute_202601') is null";
    assert!(admin.query_one(gone, &[]).await.expect("an answer").get::<_, bool>(0));
    assert_eq!(sums(&admin, "edge-1").await.events, 10);
}

/// A certificate of an authority of the test, for a server that is called `localhost`.
fn certificates(dir: &Path) -> String {
    use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
    let key = KeyPair::generate().expect("a key");
    let mut params = CertificateParams::new(Vec::new()).expect("parameters");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let ca = params.self_signed(&key).expect("an authority");
    let issuer = Issuer::from_params(&params, &key);
    let server_key = KeyPair::generate().expect("a key");
    let server = CertificateParams::new(vec!["localhost".to_owned()]).expect("parameters");
    let server = server.signed_by(&server_key, &issuer).expect("a certificate");
    let other = CertificateParams::new(Vec::new()).expect("parameters");
    let other = other.self_signed(&KeyPair::generate().expect("a key")).expect("another authority");
    for (name, text) in [
        ("ca.pem", ca.pem()),
        ("other.pem", other.pem()),
        ("server.pem", server.pem()),
        ("server.key", server_key.serialize_pem()),
    ] {
        std::fs::write(dir.join(name), text).expect("it is writable");
    }
    use std::os::unix::fs::PermissionsExt;
    let private = std::fs::Permissions::from_mode(0o600);
    std::fs::set_permissions(dir.join("server.key"), private).expect("it is ours");
    let (certificate, key) = (dir.join("server.pem"), dir.join("server.key"));
    let (certificate, key) = (certificate.display(), key.display());
    format!("ssl = on\nssl_cert_file = '{certificate}'\nssl_key_file = '{key}'\n")
}

/// Shows: ACC-04
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_must_be_who_its_certificate_says() {
    let mut place = std::path::PathBuf::new();
    let started = Cluster::start_with("TLS", |dir| {
        place = dir.to_owned();
        certificates(dir)
    });
    let Some(cluster) = started.await else { return };
    let address = |host: &str, ca: &str| {
        let mut address = cluster.address("postgres");
        address.host = host.to_owned();
        address.tls = Tls::VerifyFull { ca: place.join(ca) };
        address
    };
    migrate(&address("localhost", "ca.pem")).await.expect("this is the server");
    for (host, ca, why) in [
        ("127.0.0.1", "ca.pem", "certificate not valid for name"),
        ("localhost", "other.pem", "invalid peer certificate"),
        ("localhost", "missing.pem", "missing.pem"),
    ] {
        let refused = migrate(&address(host, ca)).await.expect_err("this is not the server");
        assert!(refused.contains(why), "{host} {ca}: {refused}");
    }
}

#[test]
fn a_password_that_others_can_read_is_refused() {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::tempdir().expect("there is room");
    let file = dir.path().join("secret");
    std::fs::write(&file, "secret\n").expect("it is writable");
    for (mode, refused) in [(0o600, false), (0o640, true), (0o644, true), (0o602, true)] {
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(mode)).expect("it is ours");
        let found = Secret::read(&file);
        assert_eq!(matches!(found, Err(SecretError::Open { .. })), refused, "{mode:o}");
    }
    assert_eq!(format!("{:?}", Secret::new("secret")), "Secret");
}
