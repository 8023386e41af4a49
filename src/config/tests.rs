//! Configurations as files: what is wrong in them and their maps comes out together; what is shipped is right.

use domain::line::oee::Ratio;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use expect_test::expect_file;
use proptest::prelude::*;

use super::{Config, ConfigError, OpcUaAccess, PasswordPlace, Policy, Security, User, WebAccess};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn files(folder: &str, ending: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(root().join(folder)).expect("the folder");
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.expect("a file").path()).collect();
    paths.retain(|path| path.to_string_lossy().ends_with(ending));
    paths.sort();
    paths
}

/// Parses with messages that name files as seen from the folder of the cases.
fn parse(path: &Path) -> Result<Config, ConfigError> {
    let text = fs::read_to_string(path).expect("a text");
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let folder = path.parent().expect("a folder").to_owned();
    Config::parse(&name, &text, Path::new(""), &|map| fs::read_to_string(folder.join(map)))
}

/// Each `*.bad.toml` is refused with the report beside it: file, line, place, value and way out of all mistakes.
/// Shows: ACQ-09
#[test]
fn all_mistakes_of_a_configuration_and_its_maps_are_reported_together() {
    let cases = files("tests/cases/config", ".bad.toml");
    assert!(cases.len() >= 5, "only {} cases were found", cases.len());
    for path in cases {
        let error = parse(&path).expect_err(&path.to_string_lossy());
        expect_file![path.with_extension("expected")].assert_eq(&format!("{error}\n"));
    }
}

#[test]
fn shipped_configurations_are_right() {
    let shipped = files("config", ".toml");
    assert!(shipped.len() >= 2, "only {} configurations were found", shipped.len());
    for path in shipped {
        let config = Config::load(&path).unwrap_or_else(|error| panic!("{error}"));
        let (lines, machines) = match path.file_name().and_then(|name| name.to_str()) {
            Some("line.toml") => (1, 5),
            Some("line-two-fillers.toml") => (1, 6),
            Some("two-lines.toml") => (2, 5),
            _ => (1, 2),
        };
        let devices: Vec<usize> = config.lines.iter().map(|line| line.devices.len()).collect();
        assert_eq!(devices, vec![machines; lines], "{}", path.display());
    }
}

/// Shows: CNT-12
#[test]
fn machines_side_by_side_are_one_output_in_the_order_of_the_devices() {
    let shipped = root().join("config/line-two-fillers.toml");
    let line = &Config::load(&shipped).unwrap_or_else(|error| panic!("{error}")).lines[0];
    assert_eq!((line.output.to_string().as_str(), line.counting()), ("CF01 + CF02", 0..2));
    let reversed = fs::read_to_string(&shipped).expect("a text");
    let reversed = reversed.replace("[\"CF01\", \"CF02\"]", "[\"CF02\", \"CF01\"]");
    let folder = root().join("config");
    let read = |map: &Path| fs::read_to_string(folder.join(map));
    let again = Config::parse("reversed.toml", &reversed, Path::new(""), &read);
    assert_eq!(again.unwrap_or_else(|error| panic!("{error}")).lines[0].output, line.output);
    let ids: Vec<&str> = line.characteristics.iter().map(|chart| &*chart.id).collect();
    assert_eq!(ids.iter().filter(|id| **id == "reject_fraction" || **id == "speed").count(), 2);
    assert!(ids.contains(&"reject.CF01.no_dose") && ids.contains(&"reject.CF02.no_dose"));
}

#[test]
fn what_is_left_out_has_the_default_that_the_example_shows() {
    let config = Config::load(&root().join("config/plant.toml")).unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(config.web.listen.to_string(), "127.0.0.1:8080");
    assert_eq!(config.commit_every, Duration::from_millis(250));
    assert_eq!(config.keep_raw, Duration::from_secs(30 * 86_400));
    assert_eq!(config.keep_seconds, Duration::from_secs(8 * 24 * 3_600));
    assert_eq!(config.data, root().join("config").join("data"));
    let line = &config.lines[0];
    assert_eq!(line.micro_stop, Duration::from_secs(5 * 60));
    assert_eq!(Some(line.material_balance.low), Ratio::new(980, 1000));
    assert_eq!(Some(line.material_balance.high), Ratio::new(101, 100));
    let device = &config.lines[0].devices[0];
    assert_eq!(device.connect_timeout, Duration::from_secs(1));
    assert_eq!(device.reply_timeout, Duration::from_millis(100));
    assert_eq!(device.backoff, (Duration::from_millis(60), Duration::from_secs(5)));
}

#[test]
fn a_line_charts_its_rejects_its_speed_and_its_weights_unless_told_otherwise() {
    let config = Config::load(&root().join("config/demo.toml")).unwrap_or_else(|e| panic!("{e}"));
    let charts = &config.lines[0].characteristics;
    let ids: Vec<&str> = charts.iter().map(|chart| &*chart.id).collect();
    assert_eq!(ids[0], "reject_fraction");
    assert_eq!(
        ids[ids.len() - 4..],
        ["speed", "weight.CW04", "weight_sd.CW04", "weight.CW04.sample"]
    );
    let specs = |id: &str| charts.iter().find(|c| &*c.id == id).map(|c| c.tolerance.lsl);
    assert_eq!(
        (specs("weight.CW04.sample"), specs("weight_sd.CW04")),
        (Some(Some(462.5)), Some(None))
    );
    assert!(ids.contains(&"reject.CF01.no_dose") && ids.contains(&"reject.CW04.underweight"));
    assert!(!ids.iter().any(|id| id.contains("startup_discard")), "ejected on purpose");
    assert!(charts.iter().all(|chart| chart.budget_per_week == 1.0));
    // What every minute weighs resembles the minute before: an hour keeps the alarms within the budget.
    let hourly: Vec<&str> =
        charts.iter().filter(|c| c.subgroup_minutes != 15).map(|c| &*c.id).collect();
    assert_eq!(hourly, ["weight.CW04", "weight_sd.CW04"]);
    assert!(charts.iter().all(|chart| [15, 60].contains(&chart.subgroup_minutes)));
}

#[test]
fn the_poll_thread_is_like_any_other_unless_told_otherwise() {
    let text =
        fs::read_to_string(root().join("tests/cases/config/acquisition.bad.toml")).expect("a text");
    let priority = |section: &str| {
        let text = text.replace("[acquisition]\nrealtime_priority = 100\n", section);
        let map = fs::read_to_string(root().join("tests/cases/config/good.toml"));
        let map = map.expect("a map");
        let config = Config::parse("t.toml", &text, Path::new(""), &|_| Ok(map.clone()));
        config.unwrap_or_else(|error| panic!("{error}")).realtime_priority
    };
    assert_eq!(priority(""), None);
    assert_eq!(priority("[acquisition]\n"), None);
    assert_eq!(priority("[acquisition]\nrealtime_priority = 1\n"), Some(1));
    assert_eq!(priority("[acquisition]\nrealtime_priority = 99\n"), Some(99));
}

#[test]
fn a_file_that_is_not_there_is_one_sentence() {
    let error = Config::load(Path::new("no/such.toml")).expect_err("no such file");
    assert_eq!(
        error.to_string(),
        "no/such.toml: cannot be read: No such file or directory (os error 2); give the path of a file like config/plant.toml"
    );
}

proptest! {
    #[test]
    fn no_text_panics_the_reader(
        at in any::<proptest::sample::Index>(),
        length in 0..40_usize,
        graft in prop_oneof![Just(String::new()), "[ -~\n]{0,12}", "\\PC{0,6}", Just("[[line]]\n".to_owned())],
    ) {
        let text = include_str!("../../config/demo.toml");
        let chars: Vec<char> = text.chars().collect();
        let start = at.index(chars.len());
        let end = (start + length).min(chars.len());
        let tail = &chars[end..];
        let text: String = chars[..start].iter().copied().chain(graft.chars()).chain(tail.iter().copied()).collect();
        let map = include_str!("../../plc-maps/cf01-modbus.toml").to_owned();
        let config = Config::parse("any.toml", &text, Path::new(""), &|_| Ok(map.clone()));
        if let Err(error) = config {
            prop_assert!(!error.problems.is_empty(), "a refusal says why");
        }
    }
}

#[test]
fn security_and_user_of_an_opc_ua_server_are_read() {
    let text =
        fs::read_to_string(root().join("tests/cases/config/opcua.bad.toml")).expect("a text");
    // The beginning up to the keys of the first device.
    let head = text.split("security").next().expect("a head");
    let access = |keys: &str| {
        let text = format!("{head}{keys}");
        let folder = root().join("tests/cases/config");
        let read = |map: &Path| fs::read_to_string(folder.join(map.file_name().expect("a name")));
        let config = Config::parse("t.toml", &text, Path::new("etc"), &read);
        config.unwrap_or_else(|e| panic!("{e}")).lines[0].devices[0].opcua.clone()
    };
    let pki = Path::new("etc/data/pki").to_owned();
    assert_eq!(access(""), OpcUaAccess { pki: pki.clone(), ..Default::default() });
    let policy = Policy::Aes256Sha256RsaPss;
    let named = |password| User::Named { name: "edge".to_owned(), password };
    assert_eq!(
        access(
            "security = \"Aes256_Sha256_RsaPss\"\nuser = { name = \"edge\", password_file = \"pw\" }"
        ),
        OpcUaAccess {
            security: Security::Secured { policy, encrypted: true },
            user: named(PasswordPlace::File("etc/pw".into())),
            accepts_weak: false,
            pki: pki.clone(),
        }
    );
    assert_eq!(
        access(
            "security = \"Basic128Rsa15\"\nmode = \"Sign\"\nweak_security = \"accepted\"\nuser = { name = \"edge\", password_env = \"PW\" }"
        ),
        OpcUaAccess {
            security: Security::Secured { policy: Policy::Basic128Rsa15, encrypted: false },
            user: named(PasswordPlace::Variable("PW".to_owned())),
            accepts_weak: true,
            pki: pki.clone(),
        }
    );
    let user = User::Certificate { certificate: "etc/u.der".into(), key: "etc/u.pem".into() };
    assert_eq!(
        access("security = \"None\"\nuser = { certificate = \"u.der\", key = \"u.pem\" }"),
        OpcUaAccess { user, pki, ..Default::default() }
    );
}

/// The configuration of the demo with another `[web]` at its top.
fn served(web: &str) -> Result<Config, ConfigError> {
    let folder = root().join("config");
    let demo = fs::read_to_string(folder.join("demo.toml")).expect("a text");
    let rest = demo.replace("[web]\nlisten = \"127.0.0.1:8080\"\n", "");
    assert_ne!(rest, demo, "the case brings its own");
    let text = format!("[web]\n{web}\n{rest}");
    Config::parse("plant.toml", &text, &folder, &|map| fs::read_to_string(map))
}

/// Shows: ACC-09
#[test]
fn what_a_network_sees_has_to_be_said_in_words() {
    let sees = "listen = \"10.1.2.3:80\"\n";
    let read = "open_to_network = \"anybody on this network may read everything\"\n";
    let write = "open_to_network = \"anybody on this network may change limits and reasons\"\n";
    let plain = "without_tls = \"passwords cross this network unencrypted\"\n";
    let open = "access = \"open\"\n";
    let all = [sees, open, read, write, plain, "writes = true\n"];
    let [sees, open, read, write, plain, writes] = all;
    for (web, access) in [
        (String::new(), WebAccess::Open),
        ("listen = \"[::1]:80\"".to_owned(), WebAccess::Open),
        ("access = \"users\"\nsession_idle = \"5min\"".to_owned(), WebAccess::Users),
        (format!("{sees}{plain}"), WebAccess::Users),
        (format!("{sees}{open}{read}"), WebAccess::Open),
        (format!("{sees}{open}{write}{writes}"), WebAccess::Open),
    ] {
        let config = served(&web).unwrap_or_else(|error| panic!("{web}: {error}"));
        assert_eq!(config.web.access, access, "{web}");
    }
    for (web, line, words) in [
        (
            sees.to_owned(),
            2,
            "is seen from the network with access = \"users\"; add [web.tls], or say in words without_tls = \"passwords",
        ),
        (
            format!("{sees}{open}"),
            2,
            "or say in words open_to_network = \"anybody on this network may read everything\"",
        ),
        (format!("{sees}{open}{writes}"), 2, "may change limits and reasons\""),
        // Words that say too little, too much, or something else.
        (
            format!("{sees}{open}{read}{writes}"),
            4,
            "write \"anybody on this network may change limits and reasons\"",
        ),
        (
            format!("{sees}{open}{write}"),
            4,
            "write \"anybody on this network may read everything\"",
        ),
        (
            format!("{sees}{open}open_to_network = \"yes\""),
            4,
            "open_to_network = \"yes\" is not what has to be said",
        ),
        (
            format!("{sees}{open}{read}{plain}"),
            5,
            "without_tls says nothing about access = \"open\"",
        ),
        (format!("{open}{read}"), 3, "leave it out"),
        ("access = \"anybody\"".to_owned(), 2, "use \"users\" or \"open\""),
        ("access = \"users\"\nwrites = true".to_owned(), 3, "their roles decide"),
        ("session_idle = \"13h\"".to_owned(), 2, "swap them"),
        ("session_idle = \"1s\"".to_owned(), 2, "session_idle must be from"),
    ] {
        let error = served(&web).expect_err(&web).to_string();
        let at = format!("plant.toml:{line}: [web]: ");
        assert!(
            error.starts_with(&at) && error.contains(words) && !error.contains('\n'),
            "{web}: {error}"
        );
    }
}

#[test]
fn two_persons_sign_where_there_are_users() {
    let two = |of: &str| format!("[quality]\n{of}\n");
    let users = "access = \"users\"\n";
    for (web, two_persons) in [
        (String::new(), false),
        (users.to_owned(), false),
        (format!("{users}{}", two("two_persons = false")), false),
        (two("two_persons = false"), false),
        (format!("{users}{}", two("two_persons = true")), true),
    ] {
        let config = served(&web).unwrap_or_else(|error| panic!("{web}: {error}"));
        assert_eq!(config.quality.two_persons, two_persons, "{web}");
    }
    let true_ = two("two_persons = true");
    for (web, line, words) in [
        (
            true_.clone(),
            3,
            "with access = \"open\" nobody signs; write access = \"users\" in [web]",
        ),
        (format!("access = \"open\"\n{true_}"), 4, "nobody signs"),
        (format!("{users}{}", two("two_persons = \"yes\"")), 4, "two_persons"),
        (format!("{users}{}", two("three_persons = true")), 4, "three_persons"),
    ] {
        let error = served(&web).expect_err(&web).to_string();
        let at = format!("plant.toml:{line}: [quality]");
        assert!(error.starts_with(&at) && error.contains(words), "{web}: {error}");
    }
}
