//! Traces: what is recorded is what is shown again, and a bad file says where it is bad.

use std::time::Duration;

use tokio::time::timeout;
use tokio_modbus::{
    Slave,
    client::{Context, Reader, tcp},
};

use crate::{
    Image, Model, ModelConfig, Plant, PlantConfig, Recorder, Replay, Table, Trace,
    registers::{FILLER_REGISTERS, address},
    tests::MINUTE_US,
};

/// The registers of the filler now.
fn image(model: &Model) -> Image {
    let values = model.holding_registers(1);
    Image { at_us: model.plant_us(), unit: 1, table: Table::Holding, first: 0, values }
}

async fn connect(replay: &Replay) -> Context {
    tcp::connect_slave(replay.addr(), Slave(1)).await.unwrap()
}

async fn read(client: &mut Context) -> Vec<u16> {
    let asked = client.read_holding_registers(0, FILLER_REGISTERS as u16);
    timeout(Duration::from_secs(5), asked).await.unwrap().unwrap().unwrap()
}

#[tokio::test]
async fn a_recorded_minute_is_shown_again() {
    let dir = std::env::temp_dir().join(format!("capline-sim-trace-{}", std::process::id()));
    std::fs::create_dir_all(&dir).unwrap();
    let file = dir.join("minute.csv");
    let mut model = Model::new(ModelConfig::default());
    let mut recorder = Recorder::create(&file).unwrap();
    for second in 0..=60 {
        model.advance_to(MINUTE_US + second * 1_000_000);
        recorder.look(&image(&model)).unwrap();
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

#[tokio::test]
async fn only_what_exists_is_recorded() {
    let plant = Plant::start(PlantConfig::default()).await.unwrap();
    let images = plant.registers();
    let named: Vec<_> =
        images.iter().map(|it| (it.unit, it.table, it.first, it.values.len())).collect();
    let holding = Table::Holding;
    assert_eq!(
        named,
        [
            (1, holding, 0, 51),
            (2, holding, 100, 11),
            (3, Table::Input, 0, 6),
            (4, holding, 200, 88),
            (5, holding, 300, 18)
        ]
    );
    let file = std::env::temp_dir().join(format!("{}-exists.csv", std::process::id()));
    let mut recorder = Recorder::create(&file).unwrap();
    recorder.look(&images[1]).unwrap();
    assert_eq!(recorder.finish().unwrap(), 11);
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::remove_file(&file).unwrap();
    assert!(text.contains("\n0,2,holding,100,") && text.contains("\n0,2,holding,110,"), "{text}");
}

/// Who writes a trace can be ended at any moment: what was flushed is there, and half a row is none.
#[test]
fn what_was_flushed_of_a_trace_is_there_and_an_unfinished_row_is_left_out() {
    let file = std::env::temp_dir().join(format!("{}-cut.csv", std::process::id()));
    let mut recorder = Recorder::create(&file).unwrap();
    recorder.look(&image(&Model::new(ModelConfig::default()))).unwrap();
    assert!(Trace::load(&file).is_err(), "the rows are still on their way");
    recorder.flush().unwrap();
    let whole = Trace::load(&file).unwrap();
    assert_eq!((whole.len(), whole.unfinished()), (FILLER_REGISTERS, None));
    // 65 is the beginning of 6500: the row can be read, and is wrong.
    let mut text = std::fs::read_to_string(&file).unwrap();
    text.push_str("1000000,1,holding,20,65");
    std::fs::write(&file, &text).unwrap();
    let cut = Trace::load(&file).unwrap();
    // A remark and the columns stand before the rows.
    assert_eq!(
        (cut.len(), cut.unfinished()),
        (FILLER_REGISTERS, Some(3 + FILLER_REGISTERS as u64))
    );
    assert_eq!(cut.length_us(), 0);
    // The negative control: with the end of its line it counts.
    std::fs::write(&file, text + "\n").unwrap();
    let ended = Trace::load(&file).unwrap();
    assert_eq!((ended.len(), ended.unfinished()), (FILLER_REGISTERS + 1, None));
    std::fs::remove_file(&file).unwrap();
}

/// What is said of a file.
fn refused(name: &str, text: &str) -> String {
    let file = std::env::temp_dir().join(format!("{}-{name}", std::process::id()));
    std::fs::write(&file, text).unwrap();
    let error = Trace::load(&file).unwrap_err().to_string();
    std::fs::remove_file(&file).unwrap();
    error.rsplit_once(name).unwrap().1.to_owned()
}

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
