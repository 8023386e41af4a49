//! Traces: what is recorded is what is shown again, and a bad file says where it is bad.

use std::time::Duration;

use tokio::time::timeout;
use tokio_modbus::{
    Slave,
    client::{Context, Reader, tcp},
};

use crate::{
    Model, ModelConfig, Recorder, Replay, Trace,
    registers::{FILLER_REGISTERS, address},
    tests::MINUTE_US,
    trace::Table,
};

async fn connect(replay: &Replay) -> Context {
    tcp::connect_slave(replay.addr(), Slave(1)).await.unwrap()
}

async fn read(client: &mut Context) -> Vec<u16> {
    let asked = client.read_holding_registers(0, FILLER_REGISTERS as u16);
    timeout(Duration::from_secs(5), asked).await.unwrap().unwrap().unwrap()
}

/// Shows: SIM-11
#[tokio::test]
async fn a_recorded_minute_is_shown_again() {
    let dir = std::env::temp_dir().join(format!("capline-sim-trace-{}", std::process::id()));
    std::fs::create_dir_all(&dir).unwrap();
    let file = dir.join("minute.csv");
    let mut model = Model::new(ModelConfig::default());
    let mut recorder = Recorder::create(&file).unwrap();
    for second in 0..=60 {
        model.advance_to(MINUTE_US + second * 1_000_000);
        let registers = model.holding_registers(1);
        recorder.look(model.plant_us(), 1, Table::Holding, &registers).unwrap();
    }
    let rows = recorder.finish().unwrap();
    let trace = Trace::load(&file).unwrap();
    assert_eq!((trace.len() as u64, trace.length_us()), (rows, 60_000_000));

    let replay = Replay::start(([127, 0, 0, 1], 0).into(), trace, 600.0).await.unwrap();
    let mut client = connect(&replay).await;
    let first = read(&mut client).await;
    let shown_last = async {
        while read(&mut client).await != model.holding_registers(1) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(Duration::from_secs(10), shown_last).await.unwrap();
    assert_ne!(first[address::SEQ_HEAD], model.holding_registers(1)[address::SEQ_HEAD]);
    assert!(replay.answers() > 1);
    let beyond = client.read_holding_registers(FILLER_REGISTERS as u16, 1).await.unwrap();
    assert!(beyond.is_err(), "a register without a row does not exist");
    std::fs::remove_dir_all(dir).unwrap();
}

/// What is said of a file.
fn refused(name: &str, text: &str) -> String {
    let file = std::env::temp_dir().join(format!("{}-{name}", std::process::id()));
    std::fs::write(&file, text).unwrap();
    let error = Trace::load(&file).unwrap_err().to_string();
    std::fs::remove_file(&file).unwrap();
    error.rsplit_once(name).unwrap().1.to_owned()
}

/// Shows: SIM-11
#[test]
fn a_bad_trace_says_its_line_its_column_and_the_way_out() {
    const HEAD: &str = "at_us,unit,table,register,value\n";
    for (text, said) in [
        (
            "time,unit\n0,1\n".to_owned(),
            ": line 1: the columns are \"time,unit\"; write at_us,unit,table,register,value",
        ),
        (HEAD.to_owned(), ": line 1: there is no row; record a trace with --record"),
        (
            format!("# made by hand\n{HEAD}0,1,holding,0,70000\n"),
            ": line 3: value \"70000\": a number from 0 to 65535",
        ),
        (format!("{HEAD}0,1,coil,0,1\n"), ": line 2: table \"coil\": holding or input"),
        (format!("{HEAD}-5,1,holding,0,1\n"), ": line 2: at_us -5: a trace begins at 0"),
        (
            format!("{HEAD}9,1,input,0,1\n8,1,input,0,2\n"),
            ": line 3: at_us 8: the row before is at 9; sort the rows by time",
        ),
    ] {
        assert_eq!(refused("bad.csv", &text), said);
    }
    let short = refused("short.csv", &format!("{HEAD}0,1,holding\n"));
    assert!(short.starts_with(": line 2: no row of a trace: "), "{short}");
}
