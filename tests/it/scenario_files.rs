//! Every scenario file, end to end. The short ones are played at each run, the long ones by `tests/run.sh --all`.

use std::time::Duration;

use capline::bench::machine::Machine;
use simulators::{Scenario, Summary};

use crate::harness::{PATIENCE, repository, until};
use crate::service_side::ServiceSide;
use crate::stage::{Played, Stage, folder, play, scenario};

/// Plays a scenario; what is not as its file wants it fails the test with the whole score.
async fn plays(name: &str) {
    let Some(played) = play(scenario(name)).await else { return };
    let Played { scenario, score, wrong, told, .. } = played;
    assert!(wrong.is_empty(), "{}\n{}\n\n{score}\n{told}", scenario.title, wrong.join("\n"));
}

macro_rules! short {
    ($($name:ident)*) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                plays(stringify!($name)).await;
            }
        )*

        /// The scenarios that are played at each run.
        const SHORT: &[&str] = &[$(stringify!($name)),*];
    };
}

short! {
    bad_status
    batch_change
    batch_id_early
    batch_id_late
    clock_step_back
    clock_step_forward
    comms_loss_12_min
    comms_loss_12_min_16_bits
    comms_loss_12_min_whole_line
    comms_loss_5_s
    comms_loss_60_s
    database_loss
    disk_full
    double_count
    duplicate_replies
    exception
    freeze
    heartbeat_stuck
    jam
    late_replies
    mute
    opcua_loss
    plc_restart
    polisher_restart
    queue_overflow
    reordered_replies
    reset_and_restart_in_a_gap
    reset_in_the_batch
    rollover_10000
    rollover_2_31
    rollover_2_32
    rollover_u16
    session_loss
    shift_change_in_a_gap
    shift_change_in_a_stop
    slow_replies
    steady
    torn_replies
    two_fillers
    wrong_transaction
    wrong_unit
    wrong_word_order
    zero_glitch
}

fn all() -> Vec<Scenario> {
    Scenario::all(&folder()).unwrap_or_else(|error| panic!("{error}"))
}

/// Shows: SIM-12
#[test]
fn every_file_is_played() {
    let files = all();
    let short = files.iter().filter(|scenario| !scenario.long);
    let short: Vec<&str> = short.map(|scenario| scenario.name.as_str()).collect();
    assert_eq!(short, SHORT, "a short scenario is a line of this file");
    assert!(files.len() > SHORT.len(), "the long ones are there too");
}

/// The negative control of the two scenarios whose faults are those of the service: nothing is said of a disk that is not
/// full and of a database that is there, and a database that lacks a row or has one more is noticed.
/// Shows: SIM-15
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_their_faults_disk_and_database_are_not_talked_of() {
    for (name, word) in [("disk_full", "disk"), ("database_loss", "database")] {
        let mut scenario = scenario(name);
        let Some(mut side) = ServiceSide::of(&scenario).await else { continue };
        side.spare();
        scenario.length_us = 30_000_000;
        let mut stage = Stage::set(&scenario, side).await;
        stage.run_to(scenario.length_us).await;
        let (_, wrong) = stage.judge(&scenario).await;
        let missed = |what: &String| {
            what.starts_with("shown was ") && what.ends_with(&format!(" without [{word:?}]"))
        };
        assert!(wrong.iter().any(missed), "{name}: {wrong:#?}");
        let lacks = async || {
            let wrong = stage.side.wrong(&stage.site).await;
            wrong.into_iter().find(|what| what.starts_with("the database holds"))
        };
        until("all rows once", PATIENCE, async || lacks().await.map_or(Ok(()), Err)).await;
        if stage.side.lose_a_row().await {
            for _ in 0..10 {
                assert!(lacks().await.is_some(), "a row is gone, and nobody misses it");
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
        stage.end().await;
    }
}

/// The negative control of scenarios whose faults change no count: of machines that lose nothing, keep their connections and
/// answer what they are asked it is not said that they did not.
/// Shows: SIM-12
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_their_faults_what_changes_no_count_is_not_shown() {
    for (name, word) in [
        ("queue_overflow", "uncertain"),
        ("session_loss", "missed CW04 broken"),
        ("plc_restart", "missed CF01 broken"),
        ("duplicate_replies", "missed CF01 mismatch"),
    ] {
        let mut scenario = scenario(name);
        scenario.inject.clear();
        scenario.length_us /= 2;
        let Played { wrong, .. } = play(scenario).await.expect("it needs nothing more");
        let [lacks] = &wrong[..] else { panic!("{name}: {wrong:#?}") };
        assert!(lacks.starts_with("shown was "), "{name}: {lacks}");
        assert!(lacks.ends_with(&format!(" without [{word:?}]")), "{name}: {lacks}");
    }
}

/// The negative control of counters that flash to zero: without it no count is torn, and a naive reader is right.
/// Shows: SIM-12
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_zeros_nothing_is_torn_and_a_naive_reader_is_right() {
    let mut scenario = scenario("zero_glitch");
    scenario.inject.clear();
    scenario.length_us /= 2;
    let causes = scenario.expect.causes.len();
    let Played { wrong, .. } = play(scenario).await.expect("it needs nothing more");
    let torn = wrong.iter().filter(|what| what.contains(": no torn among")).count();
    let naive = wrong.iter().filter(|what| what.starts_with("a naive reader is right")).count();
    assert_eq!((torn, naive, wrong.len()), (causes, 1, causes + 1), "{wrong:#?}");
}

/// With `CAPLINE_ALL` set every scenario is played, or those that it names with commas between them. A table of all scores,
/// of the service and of the naive reader on the same wire, is printed and kept in `target/scores.md`.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_long_ones_are_played_when_all_are_wanted() {
    let wanted = std::env::var("CAPLINE_ALL").ok();
    let named: Vec<&str> = wanted.iter().flat_map(|names| names.split(',')).collect();
    let mut files = all();
    assert!(
        named.iter().all(|name| *name == "1" || files.iter().any(|file| file.name == *name)),
        "CAPLINE_ALL={wanted:?}: write 1, or names of scenarios with commas between them"
    );
    files.retain(|file| named.contains(&"1") || named.contains(&file.name.as_str()));
    let mut table = format!("{}\n\n{}\n", Machine::read(), Summary::HEAD);
    let mut wrong = Vec::new();
    for scenario in files {
        let name = scenario.name.clone();
        let Some(Played { score, naive, wrong: found, told, .. }) = play(scenario).await else {
            continue;
        };
        for (summary, who) in [(score.summary(), ""), (naive.summary(), ", naive")] {
            table += &format!("{}\n", summary.row(&format!("{name}{who}")));
        }
        // What was played is kept, whatever becomes of the rest.
        std::fs::write(repository("target/scores.md"), &table).expect("target can be written");
        if !found.is_empty() {
            wrong.push(format!("{name}: {}\n{told}", found.join("\n")));
        }
    }
    if wanted.is_some() {
        crate::skip::say(&table);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
