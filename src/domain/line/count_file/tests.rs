use expect_test::{Expect, expect};
use proptest::prelude::*;

use super::*;

fn check(modulus: Option<u128>, text: &str, expected: Expect) {
    let options = Options { modulus, ..Options::default() };
    let found = match count(text, &options) {
        Ok(report) => {
            let mut lines = format!(
                "{} [{}, {}] segments {} flags {:?}\n",
                report.total.best,
                report.total.low,
                report.total.high,
                report.segments,
                report.flags
            );
            for entry in &report.deltas {
                let Entry { t, best, low, high, cause } = entry;
                let t = serde_json::to_string(t).unwrap();
                lines += &format!("{t}: {best} [{low}, {high}] {cause}\n");
            }
            lines
        }
        Err(problems) => format!("{problems}\n"),
    };
    expected.assert_eq(&found);
}

/// "At 2,147,483,647" is one count of doubt; no other modulus has any.
#[test]
fn a_signed_register_may_wrap_one_count_earlier() {
    let text = "t,value,uptime\n0,2147483640,10\n1,42,11\n";
    let total = |modulus| {
        let options = Options { modulus: Some(modulus), ..Options::default() };
        let total = count(text, &options).unwrap().total;
        (total.best, total.low, total.high)
    };
    assert_eq!(total(1 << 31), (50, 49, 50));
    assert_eq!(total((1 << 31) + 2), (52, 52, 52));
}

#[test]
fn the_report_is_the_contract() {
    let report = count("t,value\n0,100\n1.5,150\n", &Options::default()).unwrap();
    expect![[
        r#"{"total":{"best":50,"low":50,"high":50},"segments":1,"deltas":[{"t":0,"best":0,"low":0,"high":0,"cause":"first"},{"t":1.5,"best":50,"low":50,"high":50,"cause":"step"}],"flags":["unverified"]}"#
    ]]
    .assert_eq(&serde_json::to_string(&report).unwrap());
}

#[test]
fn a_wrap_with_steady_uptime_is_exact() {
    check(
        Some(65_536),
        "t,value,uptime\n0,65500,1000\n1,14,1001\n2,,\n3,60,1003\n",
        expect![[r#"
        96 [96, 96] segments 1 flags ["after_miss"]
        0: 0 [0, 0] first
        1: 50 [50, 50] wrap
        3: 46 [46, 46] gap
    "#]],
    );
}

#[test]
fn a_wrap_without_evidence_is_an_interval() {
    check(
        Some(65_536),
        "t,value\n0,65500\n1,14\n",
        expect![[r#"
        50 [14, 169] segments 1 flags []
        0: 0 [0, 0] first
        1: 50 [14, 169] wrap
    "#]],
    );
}

#[test]
fn a_restart_is_a_reset() {
    check(
        Some(65_536),
        "t,value,uptime\n0,65500,1000\n1,14,0\n",
        expect![[r#"
        14 [14, 169] segments 2 flags []
        0: 0 [0, 0] first
        1: 14 [14, 169] reset
    "#]],
    );
}

#[test]
fn a_batch_that_does_not_change_excludes_its_reset_but_a_later_id_does_not() {
    let steady = "t,value,uptime,batch\n0,65500,9,B1\n1,14,10,B1\n2,64,11,B1\n";
    check(
        Some(65_536),
        steady,
        expect![[r#"
        100 [100, 100] segments 1 flags []
        0: 0 [0, 0] first
        1: 50 [50, 50] wrap
        2: 50 [50, 50] step
    "#]],
    );
    let late = "t,value,uptime,batch\n0,65500,9,B1\n1,14,10,B1\n2,64,11,B1\n3,164,12,B2\n";
    check(
        Some(65_536),
        late,
        expect![[r#"
        200 [164, 319] segments 1 flags ["unverified"]
        0: 0 [0, 0] first
        1: 50 [14, 169] wrap
        2: 50 [50, 50] step
        3: 100 [100, 100] step
    "#]],
    );
}

#[test]
fn the_row_of_a_bad_reading_says_so() {
    check(
        Some(1 << 32),
        "t,value\n0,131071\n1,196607\n2,131121\n",
        expect![[r#"
        50 [50, 50] segments 1 flags []
        0: 0 [0, 0] first
        1: 0 [0, 0] torn
        2: 50 [50, 50] step
    "#]],
    );
    check(
        Some(1 << 32),
        "t,value\n0,1000\n1,50000\n2,50100\n",
        expect![[r#"
        100 [100, 269] segments 2 flags []
        0: 0 [0, 0] first
        1: 0 [0, 169] preset
        2: 100 [100, 100] step
    "#]],
    );
    check(
        None,
        "t,value\n0,10\n1,0\n2,4\n",
        expect![[r#"
        4 [4, 173] segments 2 flags ["unverified"]
        0: 0 [0, 0] first
        1: 0 [0, 169] reset
        2: 4 [4, 4] step
    "#]],
    );
}

#[test]
fn a_reading_that_waits_at_the_end_widens_the_total() {
    check(
        None,
        "t,value\n0,1000\n1,0\n",
        expect![[r#"
        0 [0, 169] segments 1 flags ["undecided"]
        0: 0 [0, 0] first
        1: 0 [0, 169] quarantined
    "#]],
    );
}

#[test]
fn times_are_echoed_as_given_and_late_rows_never_subtract() {
    let text = "t,value\n2026-01-31T08:00:00Z,100\n2026-01-31T08:00:02+00:00,250\n\
                2026-01-31T08:00:01Z,150\n2026-01-31T08:00:02Z,250\n2026-01-31T08:00:03Z,300\n";
    check(
        None,
        text,
        expect![[r#"
        200 [200, 200] segments 1 flags ["unverified", "late"]
        "2026-01-31T08:00:00Z": 0 [0, 0] first
        "2026-01-31T08:00:02+00:00": 150 [150, 150] step
        "2026-01-31T08:00:01Z": 0 [0, 0] duplicate
        "2026-01-31T08:00:02Z": 0 [0, 0] duplicate
        "2026-01-31T08:00:03Z": 50 [50, 50] step
    "#]],
    );
}

#[test]
fn all_problems_are_reported_together() {
    check(
        None,
        "",
        expect![[r#"
            line 1: t: "" is all there is: the file is empty; begin it with t,value[,uptime][,batch]
        "#]],
    );
    check(
        None,
        "time,value,value\n0,1,1\n",
        expect![[r#"
        line 1: time: "time,value,value" has an unknown column; use t,value[,uptime][,batch]
        line 1: value: "time,value,value" has this column twice; keep one
        line 1: t: "time,value,value" lacks this column; the header is t,value[,uptime][,batch]
    "#]],
    );
    check(
        None,
        "t,value\n",
        expect![[r#"
        line 1: value: "" has no rows below the header; add one row for each poll
    "#]],
    );
    let text =
        "t,value,uptime\n0,12x,1\nnoon,-5,x\n1\n1,2,3,4\n2026-01-31T08:00:00Z,7,\n3,8,\n4,1e-3,\n";
    check(
        None,
        text,
        expect![[r#"
            line 2: value: "12x" is no whole number from 0 to 18446744073709551615; leave it empty for a missed poll
            line 3: t: "noon" is no time; write seconds like 12.5 or RFC 3339 like 2026-01-31T08:00:00Z
            line 3: value: "-5" is no whole number from 0 to 18446744073709551615; leave it empty for a missed poll
            line 3: uptime: "x" is no number of seconds; leave it empty if unknown
            line 4: row: "1" has another number of fields than the header; write one comma between fields
            line 5: row: "1,2,3,4" has another number of fields than the header; write one comma between fields
            line 8: value: "1e-3" is no whole number from 0 to 18446744073709551615; leave it empty for a missed poll
            line 2: t: "seconds and RFC 3339 times" are mixed in one file; use one of them throughout
        "#]],
    );
    check(
        None,
        "t,value\n0,1\n2026-01-31T08:00:00Z,7\n",
        expect![[r#"
        line 2: t: "seconds and RFC 3339 times" are mixed in one file; use one of them throughout
    "#]],
    );
}

proptest! {
    /// Any text is either counted or refused with words.
    #[test]
    fn any_text_is_counted_or_refused(
        head in prop_oneof![Just("t,value\n"), Just("t,value,uptime,batch\n"), Just("")],
        cells in prop::collection::vec(("[0-9a-z.:\"TZ-]{0,21}", prop_oneof![Just(","), Just("\n")]), 0..40),
        modulus in any::<Option<u64>>(),
    ) {
        let text: String = cells.iter().fold(head.to_owned(), |text, (cell, end)| text + cell + end);
        let options = Options { modulus: modulus.map(u128::from), ..Options::default() };
        match count(&text, &options) {
            Ok(report) => prop_assert!(report.total.low <= report.total.high),
            Err(problems) => prop_assert!(!problems.to_string().is_empty()),
        }
    }
}

/// Total of a file, or its problems.
fn total(text: &str, modulus: Option<u128>) -> Result<(u64, u64, u64), String> {
    let report = count(text, &Options { modulus, ..Options::default() });
    report.map(|r| (r.total.best, r.total.low, r.total.high)).map_err(|p| p.to_string())
}

#[test]
fn files_as_programs_write_them_are_understood() {
    let plain = Ok((100, 100, 100));
    let dated = |zone: &str| {
        format!("t,value\n2026-01-31T08:00:00{zone},0\n2026-01-31T08:00:01{zone},100\n")
    };
    for (what, text) in [
        ("as written", "t,value\n0,0\n1,100\n".to_owned()),
        ("lines of Windows", "t,value\r\n0,0\r\n1,100\r\n".to_owned()),
        ("a byte order mark", "\u{feff}t,value\n0,0\n1,100\n".to_owned()),
        ("blank lines", "\n\nt,value\n\n0,0\n  \n1,100\n\n".to_owned()),
        ("no end of the last line", "t,value\n0,0\n1,100".to_owned()),
        ("quotes", "\"t\",\"value\"\n\"0\",\"0\"\n\"1\",\"100\"\n".to_owned()),
        ("blanks", " t , value \n 0 , 0 \n 1 , 100 \n".to_owned()),
        ("decimals", "t,value\n0,0.0\n1,100.000\n".to_owned()),
        ("exponents", "t,value\n0,0e0\n1e0,1e2\n".to_owned()),
        ("another order", "value,t\n0,0\n100,1\n".to_owned()),
        ("UTC", dated("Z")),
        ("an offset", dated("+08:00")),
        ("times before 1970", "t,value\n-1,0\n0,100\n".to_owned()),
    ] {
        assert_eq!(total(&text, None), plain, "{what}");
    }
    // A comma inside quotes belongs to the batch id.
    let text = "t,value,batch\n0,0,\"B,1\"\n1,100,\"B,1\"\n";
    assert_eq!(total(text, None), plain);
    // Two zones, one moment.
    let text = "t,value\n2026-01-31T08:00:00+08:00,0\n2026-01-31T00:00:01Z,100\n";
    assert_eq!(total(text, None), plain);
}

#[test]
fn numbers_at_the_edges_are_exact() {
    let most = u64::MAX;
    let text = format!("t,value,uptime\n0,{},10\n1,{most},11\n2,9,12\n", most - 40);
    assert_eq!(total(&text, Some(1 << 64)), Ok((50, 50, 50)), "64 bits wrap to 0");
    let text = format!("t,value\n0,{}\n1,{most}\n", most - 40);
    assert_eq!(total(&text, None), Ok((40, 40, 40)));
    for (modulus, from) in [(65_536, 65_500), (10_000, 9_964), (1 << 32, (1u64 << 32) - 36)] {
        let text = format!("t,value,uptime\n0,{from},10\n1,14,11\n");
        assert_eq!(total(&text, Some(modulus)), Ok((50, 50, 50)), "{modulus}");
    }
    let text = "t,value,uptime\n0,2147483612,10\n1,14,11\n";
    assert_eq!(total(text, Some(1 << 31)), Ok((50, 49, 50)), "at 2^31 one count stays open");
    // Time that goes back is late news: it takes nothing away and adds nothing.
    let text = "t,value\n0,0\n5,100\n3,60\n6,150\n";
    assert_eq!(total(text, None), Ok((150, 150, 150)));
}

#[test]
fn what_is_no_reading_is_named_with_its_line() {
    for (text, place) in [
        ("", "line 1: t"),
        ("t,value\n", "line 1: value"),
        ("t,value\r\n\r\n", "line 1: value"),
        ("t\n0\n", "line 1: value"),
        ("t,value,speed\n0,0,1\n", "line 1: speed"),
        ("t,value,value\n0,0,1\n", "line 1: value"),
        ("t,value\n0,0\n1,-5\n", "line 3: value"),
        ("t,value\n0,NaN\n", "line 2: value"),
        ("t,value\n0,inf\n", "line 2: value"),
        ("t,value\n0,1.5\n", "line 2: value"),
        ("t,value\n0,1e-3\n", "line 2: value"),
        ("t,value\n0,1e19\n", "line 2: value"),
        ("t,value\n0,18446744073709551616\n", "line 2: value"),
        ("t,value\nNaN,1\n", "line 2: t"),
        ("t,value\n1e300,1\n", "line 2: t"),
        ("t,value\n,1\n", "line 2: t"),
        ("t,value\n2026-01-31T08:00:00,1\n", "line 2: t"),
        ("t,value\n0\n", "line 2: row"),
        ("t,value\n0,1,2\n", "line 2: row"),
        ("t,value,uptime\n0,1,-1\n", "line 2: uptime"),
    ] {
        let problems = total(text, None).expect_err(text);
        assert!(problems.starts_with(place), "{text:?}: {problems}");
    }
    let many = "t,value\n".to_owned() + &"0,x\n".repeat(10_000);
    assert_eq!(total(&many, None).expect_err("all are wrong").lines().count(), 100);
}

proptest! {
    /// Whatever is in the file and whatever the modulus: a report or problems, never a panic.
    #[test]
    fn no_file_panics(text in "(t,value,uptime,batch\n)?([0-9eE.,+\\-\"NaTZ:\n \u{feff}]{0,12}\n?){0,8}", modulus in any::<u64>()) {
        for modulus in [None, Some(u128::from(modulus).max(2)), Some(1 << 64)] {
            let report = total(&text, modulus);
            if let Ok((best, low, high)) = report {
                prop_assert!(low <= best && best <= high);
            }
        }
    }
}
