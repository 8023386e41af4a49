//! The commands as a person or a script meets them: the built binary, its output, its exit code.

use std::path::{Path, PathBuf};
use std::process::Command;

use expect_test::expect;
use serde_json::{Value, json};

/// What a run of the binary gave.
struct Run {
    code: Option<i32>,
    out: String,
    err: String,
}

impl Run {
    /// The JSON line of a run that went well.
    #[track_caller]
    fn json(&self) -> Value {
        assert_eq!((self.code, self.err.as_str()), (Some(0), ""));
        assert_eq!(self.out.lines().count(), 1, "one line: {}", self.out);
        serde_json::from_str(&self.out).expect("JSON")
    }

    /// The sentences of a refusal: exit code 2 and nothing on stdout.
    #[track_caller]
    fn refusal(&self) -> &str {
        assert_eq!((self.code, self.out.as_str()), (Some(2), ""), "{}", self.err);
        &self.err
    }
}

fn capline(folder: &Path, args: &[&str]) -> Run {
    let output = Command::new(env!("CARGO_BIN_EXE_capline"))
        .args(args)
        .current_dir(folder)
        .env_remove("RUST_LOG")
        .output()
        .expect("the binary runs");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
    Run { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_owned()
}

/// A folder with one file in it.
fn with_file(name: &str, text: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join(name), text).expect("a file");
    folder
}

/// Shows: CNT-03
#[test]
fn count_knows_a_wrap_from_a_reset() {
    let folder = with_file("r.csv", "t,value,uptime\n0,65500,1000\n1,14,1001\n2,,\n3,60,1003\n");
    for modulus in ["65536", "2^16"] {
        let found = capline(folder.path(), &["count", "r.csv", "--modulus", modulus]).json();
        assert_eq!(found["total"], json!({ "best": 96, "low": 96, "high": 96 }));
        assert_eq!(found["segments"], 1);
        let causes: Vec<&Value> = found["deltas"]
            .as_array()
            .expect("deltas")
            .iter()
            .map(|delta| &delta["cause"])
            .collect();
        assert_eq!(causes, ["first", "wrap", "gap"]);
    }
    let folder = with_file("r.csv", "t,value,uptime\n0,65500,1000\n1,14,0\n");
    let found = capline(folder.path(), &["count", "r.csv", "--modulus", "2^16"]).json();
    assert_eq!(found["total"], json!({ "best": 14, "low": 14, "high": 169 }));
}

#[test]
fn every_form_of_modulus_is_understood() {
    let folder = with_file("r.csv", "t,value\n0,9900\n2,100\n");
    let best = |modulus: &str| {
        let found = capline(folder.path(), &["count", "r.csv", "--modulus", modulus]).json();
        found["total"]["high"].as_u64().expect("a count")
    };
    assert_eq!(best("10000"), best("10^4"));
    assert_eq!(best("none"), best("2^32"), "9,900 to 100 is no wrap of 32 bits");
    assert_eq!(best("2^64"), best("18446744073709551616"));
    for wrong in ["0", "1", "2^65", "2^999", "ten", "-5", "2^"] {
        let run = capline(folder.path(), &["count", "r.csv", &format!("--modulus={wrong}")]);
        assert!(run.refusal().contains("65536, 2^16 or 10^4, or none"), "{}", run.err);
    }
}

/// Shows: EVI-06
#[test]
fn count_names_every_mistake_with_its_line() {
    let folder = with_file("r.csv", "t,value\n0,many\nsoon,4\n");
    let run = capline(folder.path(), &["count", "r.csv"]);
    expect![[r#"
        r.csv: line 2: value: "many" is no whole number from 0 to 18446744073709551615; leave it empty for a missed poll
        r.csv: line 3: t: "soon" is no time; write seconds like 12.5 or RFC 3339 like 2026-01-31T08:00:00Z
    "#]]
    .assert_eq(run.refusal());
    let run = capline(folder.path(), &["count", "no.csv"]);
    expect![[r#"
        no.csv: cannot be read: No such file or directory (os error 2); give the path of a text file in UTF-8
    "#]]
    .assert_eq(run.refusal());
}

#[test]
fn oee_is_printed_with_its_interval() {
    let bucket =
        json!({ "planned_s": 3600, "run_s": 2400, "unknown_s": 600, "total": 260_000, "bad": 0 });
    let input = json!({ "ideal_cycle_s": "60/6500", "buckets": [bucket] });
    let folder = with_file("o.json", &input.to_string());
    let found = capline(folder.path(), &["oee", "o.json"]).json();
    assert_eq!(found["total"]["performance"], 1.0);
    assert_eq!(found["total"]["oee_low"].as_f64(), Some(2.0 / 3.0));
    assert!(found["total"]["oee_high"].as_f64() > Some(0.83));
    assert!(found["buckets"][0]["coverage"].as_f64() < Some(0.84));
}

#[test]
fn oee_says_what_it_cannot_use() {
    let folder = with_file("o.json", "{\"buckets\":[{\"planned_s\":-100,\"run_s\":200}]}");
    let run = capline(folder.path(), &["oee", "o.json"]);
    assert!(run.refusal().starts_with("o.json: buckets[0]"), "{}", run.err);
    let folder = with_file("o.json", "{\n\"buckets\": 3}");
    let run = capline(folder.path(), &["oee", "o.json"]);
    assert!(run.refusal().starts_with("o.json: line 2: "), "{}", run.err);
}

#[test]
fn spc_prints_a_case_with_the_keys_that_are_expected() {
    for (id, summary) in [("pprime_nhs_accidents", false), ("day_a_pprime", true)] {
        let path = format!("tests/cases/spc/{id}.json");
        let found = capline(&root(), &["spc", &path]).json();
        let case: Value =
            serde_json::from_str(&std::fs::read_to_string(root().join(&path)).expect("a case"))
                .expect("JSON");
        for key in
            case["expected"].as_object().expect("keys").keys().filter(|key| *key != "published")
        {
            assert!(found.get(key).is_some(), "{id}: {key} is missing");
        }
        assert_eq!(found["status"], case["expected"]["status"]);
        if summary {
            assert!(found["rules_summary"]["N1"]["sha256"].is_string());
        }
    }
}

#[test]
fn spc_says_what_it_cannot_use() {
    let refused = |text: &str| {
        let folder = with_file("c.json", text);
        let run = capline(folder.path(), &["spc", "c.json"]);
        run.refusal().to_owned()
    };
    assert!(refused("[").starts_with("c.json: line 1: "));
    let wrong = refused("{\"schema\":\"spc-case/1\",\"chart\":\"q\"}");
    assert!(wrong.contains("c.json: chart:") && wrong.contains("p_prime"), "{wrong}");
    let outside = refused("{\"chart\":\"p\",\"data\":{\"csv\":\"../../etc/passwd\"}}");
    assert!(outside.contains("a file beside the case"), "{outside}");
    let absent = refused("{\"chart\":\"p\",\"data\":{\"csv\":\"none.csv\"}}");
    assert!(absent.starts_with("none.csv: cannot be read"), "{absent}");
}

/// Thirty quiet subgroups, a gap, and a burst.
fn table() -> String {
    let mut text = String::from("minute,rejected,total\n");
    for i in 0..30 {
        text += &format!("08:{i:02},{},6500\n", [18, 21, 16, 20, 19][i % 5]);
    }
    text + "08:30,,\n08:31,90,6500\n"
}

#[test]
fn spc_shows_a_chart_of_a_table() {
    let folder = with_file("m.csv", &table());
    let args = [
        "spc",
        "--chart",
        "p-prime",
        "--csv",
        "m.csv",
        "--count-column",
        "rejected",
        "--size-column",
        "total",
        "--baseline",
        "1..30",
        "--rules",
        "N1,N2",
        "--svg",
        "chart.svg",
    ];
    let run = capline(folder.path(), &args);
    assert_eq!((run.code, run.err.as_str()), (Some(0), ""));
    assert!(
        run.out.starts_with(
            "p\u{2032} chart of m.csv: 32 points, limits from points 1 to 30, status ok\n"
        ),
        "{}",
        run.out
    );
    assert!(run.out.contains("  N1, one point beyond three sigma: 32\n"), "{}", run.out);
    let last = run.out.lines().find(|line| line.contains("08:31")).expect("the burst");
    assert!(last.ends_with("N1") && last.contains("0.0138462"), "{last}");
    let gap = run.out.lines().find(|line| line.contains("08:30")).expect("the gap");
    assert!(gap.contains('\u{2013}'), "{gap}");

    let svg = std::fs::read_to_string(folder.path().join("chart.svg")).expect("the chart");
    assert!(svg.starts_with("<svg ") && svg.ends_with("</svg>\n"));
    assert_eq!(svg.matches("<circle").count(), 31, "the gap has no point");
    assert_eq!(svg.matches("<circle class=\"h\"").count(), 1, "one signal");
    assert!(!svg.contains("NaN") && !svg.contains("inf"));
}

/// What each chart type signals in a table of 30 quiet points and a jump, and the rules of every school. Point 30 lies on
/// the centre line, so that runs above it begin with point 31.
#[test]
fn every_chart_for_people_finds_the_jump() {
    let mut text = String::from("t,batch,x,n\n");
    for i in 0..40 {
        let jump = if i < 30 { 0 } else { 12 };
        text += &format!("{i},B{},{},100\n", i / 4, 20 + [0, 3, 1, 4, 2][i % 5] + jump);
    }
    let folder = with_file("m.csv", &text);
    let value = ["--value-column", "x"].as_slice();
    let count = ["--count-column", "x"].as_slice();
    let sized = ["--count-column", "x", "--size-column", "n"].as_slice();
    let grouped = ["--value-column", "x", "--group-column", "batch"].as_slice();
    for (kind, columns, baseline, found) in [
        ("p", sized, "1..30", "N2, nine points in a row on one side of the centre line: 39, 40"),
        ("np", sized, "1..30", "N2, nine points"),
        (
            "c",
            count,
            "1..30",
            "WE4, eight points in a row on one side of the centre line: 38, 39, 40",
        ),
        (
            "u",
            sized,
            "1..30",
            "AIAG2, seven points in a row on one side of the centre line: 37, 38",
        ),
        ("u-prime", sized, "1..30", "N1, one point beyond three sigma: 31, 32"),
        ("i-mr", value, "1..30", "WE1, one point beyond three sigma: 31, 32"),
        ("xbar-s", grouped, "1..7", "N1, one point beyond three sigma: 8, 9, 10"),
        ("xbar-r", grouped, "1..7", "N1, one point beyond three sigma: 8, 9, 10"),
        ("ewma", value, "1..30", "LIMIT, a point outside the drawn limits: 3"),
        ("cusum", value, "1..30", "UPPER, the upper cumulative sum above its decision interval: 3"),
        ("ma", value, "1..30", "N1, one point beyond three sigma: 3"),
    ] {
        let args =
            ["spc", "--chart", kind, "--csv", "m.csv", "--baseline", baseline, "--svg", "o.svg"];
        let rules = ["--rules", "N1,N2,WE1,WE2,WE3,WE4,AIAG2"];
        let run = capline(folder.path(), &[args.as_slice(), &rules, columns].concat());
        assert_eq!((run.code, run.err.as_str()), (Some(0), ""), "{kind}");
        assert!(run.out.contains(found), "{kind}: {found} in\n{}", run.out);
        let svg = std::fs::read_to_string(folder.path().join("o.svg")).expect("the chart");
        assert!(svg.contains("<circle class=\"h\""), "{kind} draws its signals");
    }
    let refused = |args: &[&str]| {
        capline(folder.path(), &[&["spc", "--csv", "m.csv", "--chart"], args].concat())
            .refusal()
            .to_owned()
    };
    expect![[r#"
        m.csv: this chart needs --group-column; the columns are t, batch, x, n
    "#]]
    .assert_eq(&refused(&["xbar-s", "--value-column", "x"]));
    expect![[r#"
        --lambda: a cusum chart has none; leave it out
    "#]]
    .assert_eq(&refused(&["cusum", "--value-column", "x", "--lambda", "0.2"]));
    assert!(refused(&["ewma", "--value-column", "x", "--lambda", "7"]).contains("params.lam"));
}

#[test]
fn a_chart_says_what_it_cannot_use() {
    let folder = with_file("m.csv", "minute,rejected,total\n1,x,6500\n2,3\n");
    let chart = |args: &[&str]| {
        let run =
            capline(folder.path(), &[&["spc", "--chart", "p", "--csv", "m.csv"], args].concat());
        run.refusal().to_owned()
    };
    expect![[r#"
        m.csv: line 3: found 2 cells; the header has 3, make them equal
    "#]]
    .assert_eq(&chart(&["--count-column", "rejected", "--size-column", "total"]));
    std::fs::write(folder.path().join("m.csv"), "minute,rejected,total\n1,x,6500\n2,3,6500\n")
        .expect("a file");
    expect![[r#"
        m.csv: line 2: rejected: "x" is no number; write one, or nothing for a gap
    "#]]
    .assert_eq(&chart(&["--count-column", "rejected", "--size-column", "total"]));
    expect![[r#"
        m.csv: this chart needs --size-column; the columns are minute, rejected, total
    "#]]
    .assert_eq(&chart(&["--count-column", "total"]));
    std::fs::write(folder.path().join("m.csv"), table()).expect("a file");
    let far =
        chart(&["--count-column", "rejected", "--size-column", "total", "--baseline", "1..100"]);
    expect![[r#"
        m.csv: --baseline 1..100 ends after the last point, which is 32; end it there
    "#]]
    .assert_eq(&far);
    assert!(chart(&["--rules", "N9"]).contains("known rules are N1"));
    assert!(chart(&["--baseline", "5..2"]).contains("write two points such as 1..100"));
}

/// Shows: EVI-01
#[test]
fn selftest_reports_every_case_with_its_hash() {
    let run = capline(&root(), &["selftest"]);
    assert_eq!(run.code, Some(0), "{}{}", run.out, run.err);
    assert!(
        run.out.starts_with(&format!("capline {}\nbinary  sha256 ", env!("CARGO_PKG_VERSION"))),
        "{}",
        run.out
    );
    let agreed = run.out.lines().filter(|line| line.starts_with("agrees  ")).count();
    assert!(agreed >= 111, "{agreed} cases agree");
    assert!(run.out.trim_end().ends_with(" 0 cases failed"), "{}", run.out);
    assert!(run.out.lines().all(|line| !line.starts_with("FAILED")));
}

#[test]
fn check_shows_the_requests_that_would_be_sent() {
    let run = capline(&root(), &["check", "config/demo.toml"]);
    assert_eq!((run.code, run.err.as_str()), (Some(0), ""));
    expect![[r#"
        config/demo.toml: Demo plant, Asia/Shanghai; screens on http://127.0.0.1:8080; journal in config/data

        line L1: Capsule line 1, target 6500 capsules/min, counted at CF01
          shifts: A 08:00 to 20:00, B 20:00 to 08:00, every day

          CF01 Capsule filler: Modbus TCP 127.0.0.1:5020, unit 1, a reply within 100ms, 28 tags of config/../plc-maps/cf01-modbus.toml
            fast every 10 ms  FC03 holding registers  0 to 49   50 registers
                CF01.SeqHead CF01.Status.StateCurrent CF01.Status.UnitModeCurrent CF01.Admin.StopReason CF01.Heartbeat
                CF01.PlcUptime CF01.StrokeTotal CF01.Admin.ProdConsumedCount[0].Count
                CF01.Admin.ProdProcessedCount[0].AccCount CF01.Rej.Unseparated CF01.Rej.EmptyPocket
                CF01.Rej.DentedTelescoped CF01.Rej.Startup CF01.Samples CF01.Status.CurMachSpeed CF01.Status.MachSpeed
                CF01.BatchId CF01.AccTimeSinceReset CF01.SeqTail CF01.Rej.NoDose CF01.Rej.DoubleCap
            slow every 1 s    FC03 holding registers  22 to 30  9 registers
                CF01.StrokeRate CF01.Vacuum CF01.PowderLevel CF01.MotorCurrent CF01.RoomTemp CF01.RoomRH
                CF01.DoseSetpoint
            in all 101 requests/s, 5009 registers/s; at most 50 of 125 registers in one request
            fast takes 1 request, at worst 200 ms
            slow takes 1 request, at worst 100 ms

          CW04 Checkweigher: OPC UA opc.tcp://127.0.0.1:4840, namespace urn:tjt:caps:L1, a reply within 500ms, 57 tags of config/../plc-maps/cw04-opcua.toml
            fast  published every 100 ms  sampled as fast as the server can  54 items
                CW04.StateCurrent CW04.Heartbeat CW04.PlcUptime CW04.Statistic.TotalPackages.ItemCount
                CW04.Statistic.TotalPackagesAccepted.ItemCount CW04.Rej.Under CW04.Rej.Over CW04.Rej.DistanceFault
                CW04.Interval.Sequence CW04.Interval.ItemCount CW04.Interval.Mean CW04.Interval.StdDev
                CW04.Sample.Sequence CW04.Sample[0].Bore CW04.Sample[1].Bore CW04.Sample[2].Bore CW04.Sample[3].Bore
                CW04.Sample[4].Bore CW04.Sample[5].Bore CW04.Sample[6].Bore CW04.Sample[7].Bore CW04.Sample[8].Bore
                CW04.Sample[9].Bore CW04.Sample[10].Bore CW04.Sample[11].Bore CW04.Sample[12].Bore CW04.Sample[13].Bore
                CW04.Sample[14].Bore CW04.Sample[15].Bore CW04.Sample[16].Bore CW04.Sample[17].Bore CW04.Sample[18].Bore
                CW04.Sample[19].Bore CW04.Sample[0].Weight CW04.Sample[1].Weight CW04.Sample[2].Weight
                CW04.Sample[3].Weight CW04.Sample[4].Weight CW04.Sample[5].Weight CW04.Sample[6].Weight
                CW04.Sample[7].Weight CW04.Sample[8].Weight CW04.Sample[9].Weight CW04.Sample[10].Weight
                CW04.Sample[11].Weight CW04.Sample[12].Weight CW04.Sample[13].Weight CW04.Sample[14].Weight
                CW04.Sample[15].Weight CW04.Sample[16].Weight CW04.Sample[17].Weight CW04.Sample[18].Weight
                CW04.Sample[19].Weight CW04.Sample.SequenceTail
            slow  published every 1 s     sampled as fast as the server can  3 items
                CW04.Mean CW04.StdDev CW04.TareShell
            in all at most 11 messages/s
    "#]].assert_eq(&run.out);
}

#[test]
fn check_tells_whether_a_serial_line_has_the_time() {
    let map = root().join("plc-maps/cf01-modbus.toml");
    let text = format!(
        "[site]\nname = \"P\"\nzone = \"UTC\"\n[store]\ndir = \"data\"\n[[line]]\nid = \"L1\"\n\
         title = {{ en = \"L\", zh = \"L\" }}\ncounting_station = \"CF01\"\ntarget_per_minute = 6500\n\
         [[line.device]]\nmap = \"{}\"\naddress = \"serial:/dev/ttyUSB0\"\n[line.device.serial]\nbaud = 9600\n",
        map.display()
    );
    let folder = with_file("plant.toml", &text);
    let run = capline(folder.path(), &["check", "plant.toml"]);
    assert_eq!((run.code, run.err.as_str()), (Some(0), ""));
    // 8 + 5 + 100 bytes of 11 bits at 9,600 Bd are 129.5 ms, and 3.5 characters 4 ms.
    let cycle = "fast takes 1 request, at worst 208 ms, at least 133.5 ms at 9600 Bd";
    assert!(run.out.contains(cycle), "{}", run.out);
    assert!(run.out.contains("more than it has, polls will be skipped"), "{}", run.out);
}

#[test]
fn check_passes_the_whole_simulated_line() {
    let run = capline(&root(), &["check", "config/line.toml"]);
    assert_eq!((run.code, run.err.as_str()), (Some(0), ""));
    for request in [
        "CF01 Capsule filler: Modbus TCP 127.0.0.1:5020, unit 1",
        "FC03 holding registers  100 to 110",
        "FC04 input registers  0 to 3",
        "FC03 holding registers  300 to 317",
    ] {
        assert!(run.out.contains(request), "{request}: {}", run.out);
    }
    for machine in ["cf01", "ps02", "md03", "cw04", "bc05"] {
        for protocol in ["modbus", "opcua"] {
            let map = format!("plc-maps/{machine}-{protocol}.toml");
            let run = capline(&root(), &["check", &map]);
            assert_eq!((run.code, run.err.as_str()), (Some(0), ""), "{map}");
        }
    }
}

#[test]
fn check_passes_two_simulated_lines_each_at_ports_of_its_own() {
    let run = capline(&root(), &["check", "config/two-lines.toml"]);
    assert_eq!((run.code, run.err.as_str()), (Some(0), ""));
    for machine in [
        "CF01 Capsule filler: Modbus TCP 127.0.0.1:5020, unit 1",
        "CF01 Capsule filler: Modbus TCP 127.0.0.1:5021, unit 1",
        "opc.tcp://127.0.0.1:4840",
        "opc.tcp://127.0.0.1:4841",
    ] {
        assert!(run.out.contains(machine), "{machine}: {}", run.out);
    }
}

#[test]
fn check_takes_a_map_alone() {
    let run = capline(&root(), &["check", "plc-maps/cf01-modbus.toml"]);
    assert_eq!((run.code, run.err.as_str()), (Some(0), ""));
    assert!(
        run.out.starts_with("CF01 Capsule filler: Modbus TCP (no address), unit 1"),
        "{}",
        run.out
    );
    let run = capline(&root(), &["check", "tests/cases/plc-maps/tags.bad.toml"]);
    assert_eq!((run.code, run.out.as_str()), (Some(1), ""));
    assert!(run.err.lines().count() > 10, "{}", run.err);
}

/// Shows: ACQ-09
#[test]
fn check_says_what_an_hour_without_a_shift_means() {
    let shipped = std::fs::read_to_string(root().join("config/plant.toml")).expect("a text");
    let maps = format!("map = \"{}/plc-maps/", root().display());
    let shipped = shipped.replace("map = \"../plc-maps/", &maps);
    let told = |config: &str| {
        let folder = with_file("plant.toml", config);
        let run = capline(folder.path(), &["check", "plant.toml"]);
        assert_eq!((run.code, run.err.as_str()), (Some(0), ""));
        run.out
    };
    let whole = told(&shipped);
    assert!(
        whole.contains("\n  shifts: A 08:00 to 20:00, B 20:00 to 08:00, every day\n"),
        "{whole}"
    );
    assert!(!whole.contains("no shift from"), "{whole}");
    let gap = told(&shipped.replace("start = \"20:00\"", "start = \"21:00\""));
    assert!(gap.contains("\n  no shift from 20:00 to 21:00: nothing is planned"), "{gap}");
}

#[test]
fn import_refuses_a_list_with_mistakes_and_says_where() {
    let folder = with_file("list.csv", "id,register,type,role\nA,holding 1,u17,good\n");
    let run = capline(folder.path(), &["import", "list.csv", "--station", "CF01"]);
    assert!(
        run.refusal().starts_with("list.csv:2: tag A: type = \"u17\" is not known;"),
        "{}",
        run.err
    );
}

#[test]
fn probe_says_that_nobody_is_there() {
    let args = ["probe", "modbus", "127.0.0.1:1", "--once", "--timeout", "200ms"];
    let run = capline(&root(), &args);
    assert!(run.refusal().starts_with("127.0.0.1:1, unit 1: cannot connect:"), "{}", run.err);
}

#[test]
fn check_reports_all_mistakes_on_stderr() {
    let run = capline(&root(), &["check", "tests/cases/config/map.bad.toml"]);
    assert_eq!((run.code, run.out.as_str()), (Some(1), ""));
    assert!(run.err.lines().count() > 10, "{}", run.err);
    assert!(run.err.lines().all(|line| line.starts_with("tests/cases/config/")), "{}", run.err);
}

/// Shows: EVI-06
#[test]
fn every_command_has_help_with_an_example() {
    let all = [
        "run", "adopt", "audit", "backup", "browse", "check", "count", "import", "oee", "pki",
        "probe", "restore", "spc", "selftest",
    ];
    for command in all {
        let run = capline(&root(), &[command, "--help"]);
        assert_eq!(run.code, Some(0));
        assert!(run.out.contains("Example"), "{command}: {}", run.out);
    }
    assert_eq!(
        capline(&root(), &["--version"]).out,
        format!("capline {}\n", env!("CARGO_PKG_VERSION"))
    );
}
