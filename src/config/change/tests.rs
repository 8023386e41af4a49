//! Two configurations compared.

use std::path::Path;

use domain::units::LineId;

use super::{ConfigChange, Difference};
use crate::config::Config;

const PLANT: &str = r#"
[site]
name = "Plant 1"
zone = "Asia/Shanghai"
[web]
listen = "127.0.0.1:8080"
[store]
dir = "data"
[[line]]
id = "L1"
title = { en = "Line 1", zh = "一线" }
counting_station = "CF01"
target_per_minute = 6500
[[line.device]]
map = "cf01-modbus.toml"
address = "192.168.1.10:502"
[[line.device]]
map = "cw04-opcua.toml"
address = "opc.tcp://192.168.1.14:4840"
"#;

/// Reads a configuration whose map of the filler has a text replaced.
fn read(text: &str, edit: (&str, &str)) -> Config {
    let maps = Path::new(env!("CARGO_MANIFEST_DIR")).join("plc-maps");
    let read = |path: &Path| {
        let name = path.file_name().unwrap_or_default();
        let text = std::fs::read_to_string(maps.join(name))?;
        let filler = name == "cf01-modbus.toml";
        assert!(!filler || text.contains(edit.0), "{} is not in the map", edit.0);
        Ok(if filler { text.replacen(edit.0, edit.1, 1) } else { text })
    };
    let config = Config::parse("plant.toml", text, Path::new("etc"), &read);
    let config = config.unwrap_or_else(|error| panic!("{error}"));
    Config { file: Some("plant.toml".into()), ..config }
}

fn change(edits: &[(&str, &str)]) -> ConfigChange {
    let mut text = PLANT.to_owned();
    for (from, to) in edits {
        assert!(text.contains(from), "{from} is not in the configuration");
        text = text.replace(from, to);
    }
    ConfigChange::between(&read(PLANT, ("", "")), &read(&text, ("", "")))
}

fn change_of_map(from: &str, to: &str) -> ConfigChange {
    ConfigChange::between(&read(PLANT, ("", "")), &read(PLANT, (from, to)))
}

#[test]
fn nothing_that_a_person_would_not_call_a_change_is_one() {
    assert_eq!(change(&[]), ConfigChange::default());
    assert_eq!(change(&[("[[line]]", "# a remark\n\n[[line]]")]), ConfigChange::default());
    let remark = change_of_map("[machine]", "# a remark\n[machine]");
    assert_eq!(remark, ConfigChange::default(), "lines of tags moved, and nothing else");
}

#[test]
fn keys_of_a_line_touch_no_device() {
    for (from, to, told, followed) in [
        ("= 6500", "= 5000", "line L1: target_per_minute changed", true),
        ("一线", "一号线", "line L1: title changed", false),
        ("= 6500", "= 6500\nmicro_stop = \"2min\"", "line L1: micro_stop changed", false),
        ("= 6500", "= 6500\nbalance_low = 97.0", "line L1: material_balance changed", false),
        (
            "= 6500",
            "= 6500\n[[line.shift]]\nname = \"A\"\nstart = \"08:00\"\nend = \"20:00\"",
            "line L1: calendar changed",
            true,
        ),
        (
            "= 6500",
            "= 6500\n[[line.characteristic]]\nid = \"reject_fraction\"\nbudget = 2",
            "line L1: characteristic changed",
            false,
        ),
    ] {
        let change = change(&[(from, to)]);
        assert_eq!(change.tell(), [told]);
        let [line] = &change.lines[..] else { panic!("{change:?}") };
        assert_eq!((line.devices.len(), line.followed), (0, followed), "{told}");
        assert_eq!(line.charts, told.contains("characteristic"));
    }
}

#[test]
fn a_map_or_an_address_touches_its_device_alone() {
    let map = change_of_map("fast = \"10ms\"", "fast = \"20ms\"");
    assert_eq!(map.tell(), ["line L1: device CF01 read by another map"]);
    let [line] = &map.lines[..] else { panic!("{map:?}") };
    assert!(line.followed && !line.charts);
    assert!(line.stopped().eq(line.started()));
    for (from, to) in [
        ("10:502", "11:502"),
        ("10:502\"", "10:502\"\nunit = 7"),
        ("10:502\"", "10:502\"\nreply_timeout = \"300ms\""),
        ("10:502\"", "10:502\"\nbackoff_max = \"9s\""),
    ] {
        assert_eq!(change(&[(from, to)]).tell(), ["line L1: device CF01 reached another way"]);
    }
}

#[test]
fn devices_come_go_and_exchange_their_places() {
    let weigher =
        "[[line.device]]\nmap = \"cw04-opcua.toml\"\naddress = \"opc.tcp://192.168.1.14:4840\"\n";
    let gone = change(&[(weigher, "")]);
    let [line] = &gone.lines[..] else { panic!("{gone:?}") };
    assert_eq!(line.devices[0].what, Difference::Removed);
    assert!(line.charts, "its weights are charted no more");
    assert_eq!((line.stopped().count(), line.started().count()), (1, 0));
    let back =
        ConfigChange::between(&read(&PLANT.replace(weigher, ""), ("", "")), &read(PLANT, ("", "")));
    assert_eq!((back.lines[0].stopped().count(), back.lines[0].started().count()), (0, 1));
    let first = "counting_station = \"CF01\"\ntarget_per_minute = 6500\n";
    let turned = PLANT.replace(weigher, "").replace(first, &format!("{first}{weigher}"));
    let turned = ConfigChange::between(&read(PLANT, ("", "")), &read(&turned, ("", "")));
    assert!(turned.lines[0].followed && turned.lines[0].devices.is_empty(), "{turned:?}");
}

#[test]
fn lines_come_and_go() {
    let (head, line) = PLANT.split_once("[[line]]").unwrap();
    let two = format!("{head}[[line]]{line}[[line]]{}", line.replace("\"L1\"", "\"L2\""));
    let (one, two) = (read(PLANT, ("", "")), read(&two, ("", "")));
    assert_eq!(ConfigChange::between(&one, &two).tell(), ["line L2 added"]);
    assert_eq!(ConfigChange::between(&two, &one).tell(), ["line L2 removed"]);
    // A line hears of itself, and of what concerns all.
    let mut opened = two;
    let writes = opened.web.writes;
    opened.web.writes = !writes;
    let opened = ConfigChange::between(&one, &opened);
    assert_eq!(opened.tell_of(&LineId::new("L1")), [format!("web writes = {}", !writes)]);
    assert_eq!(opened.tell_of(&LineId::new("L2")).first().unwrap(), "line L2 added");
}

#[test]
fn devices_on_one_serial_port_change_together() {
    let serial = |baud: &str, pause: &str| {
        let port = format!("[line.device.serial]\nbaud = {baud}\n");
        PLANT
            .replace("map = \"cw04-opcua.toml\"", "map = \"cf02.toml\"")
            .replace("opc.tcp://192.168.1.14:4840\"", &format!("serial:/dev/ttyS1\"\n{port}"))
            .replace(
                "192.168.1.10:502\"",
                &format!("serial:/dev/ttyS1\"\npause = \"{pause}\"\n{port}"),
            )
    };
    let read = |text: &str| {
        let map = |path: &Path| {
            let text = include_str!("../../../plc-maps/cf01-modbus.toml");
            let second = path.ends_with("cf02.toml");
            Ok(if second { text.replace("CF01", "CF02") } else { text.to_owned() })
        };
        Config::parse("plant.toml", text, Path::new("etc"), &map).unwrap_or_else(|e| panic!("{e}"))
    };
    let paused =
        ConfigChange::between(&read(&serial("9600", "5ms")), &read(&serial("9600", "9ms")));
    let told = [
        "line L1: device CF01 reached another way",
        "line L1: device CF02 connected anew with its serial port",
    ];
    assert_eq!(paused.tell(), told);
}

#[test]
fn what_rests_on_the_start_needs_a_restart() {
    for (from, to, place) in [
        ("\"Plant 1\"", "\"Plant 2\"", "plant.toml:3: [site]: needs a restart: name"),
        ("Asia/Shanghai", "Asia/Tokyo", "plant.toml:4: [site]: needs a restart: zone"),
        ("8080", "8081", "plant.toml:6: [web]: needs a restart: listen"),
        (
            "[web]\n",
            "[quality]\ntwo_persons = false\n[web]\naccess = \"users\"\n",
            "plant.toml:8: [web]: needs a restart: access",
        ),
        ("\"data\"", "\"other\"", "plant.toml:8: [store]: needs a restart: dir"),
        (
            "dir = \"data\"",
            "dir = \"data\"\ncommit = \"1s\"",
            "plant.toml:9: [store]: needs a restart: commit",
        ),
        (
            "dir = \"data\"",
            "dir = \"data\"\nbudget_mb = 900",
            "plant.toml:9: [store]: needs a restart: budget_mb",
        ),
        (
            "[[line]]",
            "[database]\nurl = \"postgres://a@localhost:5432/p\"\nedge = \"e\"\n[[line]]",
            "plant.toml:9: [database]: needs a restart: database",
        ),
    ] {
        let change = change(&[(from, to)]);
        let [problem] = &change.needs_restart[..] else { panic!("{change:?}") };
        assert!(problem.to_string().starts_with(place), "{problem}");
        assert!(problem.to_string().ends_with("put it back, or restart the service"), "{problem}");
    }
    let two = "[quality]\ntwo_persons = true\n[web]\naccess = \"users\"\n";
    let told: Vec<String> =
        change(&[("[web]\n", two)]).needs_restart.iter().map(|p| p.to_string()).collect();
    assert!(
        told.len() == 2
            && told[1].starts_with("plant.toml:6: [quality]: needs a restart: two_persons"),
        "{told:?}"
    );
    assert_eq!(change(&[("[web]", "[web]\nwrites = true")]).web_writes, Some(true));
}
