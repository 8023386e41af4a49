//! Every scenario file, end to end. The short ones are played at each run, the long ones by `tests/run.sh --all`.

use simulators::{Scenario, Summary};

use crate::stage::{Played, folder, play, scenario};

/// Plays a scenario; what is not as its file wants it fails the test with the whole score.
async fn plays(name: &str) {
    let Played { scenario, score, wrong, told, .. } = play(scenario(name)).await;
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
    comms_loss_5_s
    comms_loss_60_s
    double_count
    duplicate_replies
    exception
    freeze
    heartbeat_stuck
    jam
    late_replies
    mute
    plc_restart
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
    wrong_transaction
    wrong_unit
    wrong_word_order
    zero_glitch
}

fn all() -> Vec<Scenario> {
    Scenario::all(&folder()).unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn every_file_is_played() {
    let files = all();
    let short = files.iter().filter(|scenario| !scenario.long);
    let short: Vec<&str> = short.map(|scenario| scenario.name.as_str()).collect();
    assert_eq!(short, SHORT, "a short scenario is a line of this file");
    assert!(files.len() > SHORT.len(), "the long ones are there too");
}

/// With `CAPLINE_ALL` set every scenario is played, or those that it names with commas between them, and a table of all scores is printed: of the service, and of the
/// naive reader on the same wire.
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
    let mut rows = vec![Summary::HEAD.to_owned()];
    let mut wrong = Vec::new();
    for scenario in files {
        let Played { scenario, score, naive, wrong: found, .. } = play(scenario).await;
        rows.push(score.summary().row(&scenario.name));
        rows.push(naive.summary().row(&format!("{}, naive", scenario.name)));
        wrong.extend(found.into_iter().map(|found| format!("{}: {found}", scenario.name)));
    }
    crate::skip::say(&rows.join("\n"));
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
