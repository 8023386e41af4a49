//! Rejects of a machine that counts nothing else, of one station, and the way to their charts.

use domain::line::minute::{Counted, Tally};
use domain::plc_map::PlcMap;
use domain::quality::characteristic::Characteristic;
use domain::units::{Reason, StationId};

use super::*;
use crate::web::fixture::Memory;
use crate::web::fixture::kept::{self, Kept};

const REJECTS: &str = "/api/v1/lines/L1/rejects?window=day";

/// The morning with a metal detector in place of the polisher, which counts what falls through its flap and, where
/// `counts` says so, good capsules.
fn app(counts: bool) -> App {
    let mut config = kept::line();
    let text = include_str!("../../../plc-maps/md03-modbus.toml");
    let map = PlcMap::parse("plc-maps/md03-modbus.toml", text).expect("the shipped map is whole");
    config.devices[2].map = Arc::new(map);
    let maps: Vec<_> = config.devices.iter().map(|device| device.map.clone()).collect();
    config.characteristics = Characteristic::defaults(&config.output, &maps);
    let mut record = Kept::morning();
    let tally = |counted, count| Tally { station: StationId::new("MD03"), counted, count };
    for period in &mut record.periods {
        let metal = Counted::Reject(Reason::new("metal"));
        period.counts.push(tally(metal, Count::between(20, 70, 120)));
        if counts {
            period.counts.push(tally(Counted::Good, Count::exact(300_000)));
        }
    }
    let (clock, memory) = (kept::clock(), Arc::new(Memory::default()));
    let (app, sender) = fixture::app_of(config, clock, Arc::new(record), memory, true);
    sender.send_replace(Some(Arc::new(fixture::status(clock.now(), Case::Running))));
    app
}

fn row<'a>(rejects: &'a Value, station: &str) -> &'a Value {
    let rows = rejects["rows"].as_array().unwrap();
    rows.iter().find(|row| row["station"] == station).unwrap_or_else(|| panic!("{rejects}"))
}

#[tokio::test]
async fn a_machine_that_counts_only_its_rejects_has_no_fraction_of_them() {
    let detector = app(false);
    let rejects = get(&detector, REJECTS).await.json();
    let metal = row(&rejects, "MD03");
    for name in ["total", "ppm", "wilson", "before_ppm", "difference_ppm", "p_value"] {
        assert_eq!(metal[name], Value::Null, "{name}: {metal}");
    }
    // How many there were is known all the same, hour by hour too.
    assert_eq!((&metal["verdict"], &metal["rejected"]["best"]), (&"none".into(), &280.into()));
    let cells = |name: &str| metal[name].as_array().unwrap().clone();
    assert!(cells("heat_ppm").iter().all(Value::is_null), "{metal}");
    assert!(cells("heat").contains(&70.into()), "{metal}");
    assert!(row(&rejects, "CF01")["ppm"].as_f64() > Some(0.0));
    // The negative control: with a counter of what is good it has all of that.
    let counted = get(&app(true), REJECTS).await.json();
    let ppm = row(&counted, "MD03")["ppm"].as_f64().unwrap();
    assert!((200.0..300.0).contains(&ppm), "{ppm}");

    for query in ["station=MD03", "station=MD03&reason=metal"] {
        let path = |value: &str| format!("/api/v1/lines/L1/explain/{value}?{query}");
        let told = get(&detector, &path("reject_fraction")).await.json();
        assert_eq!((&told["result"], &told["worked"]), (&Value::Null, &"70 / (70 + –) = –".into()));
        assert!(told["left_out"].to_string().contains("no_flow"), "{told}");
        let other = get(&app(true), &path("reject_fraction")).await.json();
        assert!(other["result"]["best"].as_f64() > Some(0.0), "{other}");
        assert!(!other["left_out"].to_string().contains("no_flow"), "{other}");
    }
    let sheet =
        get(&detector, &format!("/report/shift?start={}&lang=en", kept::DAY_US / 1_000)).await;
    let text = sheet.text().split("id=\"texts\"").next().unwrap();
    // A scale elsewhere may have a million, too.
    let table = text.split("aria-labelledby=\"rejects\"").nth(1).expect("the rejects are there");
    let table = table.split("</section>").next().unwrap();
    assert!(table.contains("No ppm for MD03") && !table.contains("1,000,000"), "{table}");
}

#[tokio::test]
async fn rejects_can_be_those_of_one_station_and_lead_to_their_charts() {
    let app = app(false);
    let all = get(&app, REJECTS).await.json();
    assert_eq!(all["stations"], serde_json::json!(["CF01", "MD03"]));
    let of = |view: &Value| -> BTreeSet<String> {
        view["rows"].as_array().unwrap().iter().map(|row| row["station"].to_string()).collect()
    };
    assert_eq!(of(&all).len(), 2);
    let one = get(&app, &format!("{REJECTS}&station=CF01")).await.json();
    assert_eq!((of(&one).len(), &one["stations"]), (1, &all["stations"]));
    // What other stations reject is told beside the total, which it is no part of.
    let elsewhere = &all["elsewhere"];
    assert_eq!((&elsewhere[0]["station"], &elsewhere[1]), (&"MD03".into(), &Value::Null));
    assert_eq!(elsewhere[0]["rejected"]["best"], 280, "{elsewhere}");
    let counting: u64 = all["rows"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|row| row["station"] == "CF01")
        .filter_map(|row| row["rejected"]["best"].as_u64())
        .sum();
    assert_eq!(all["total"]["rejected"]["best"], counting, "{all}");
    assert_eq!(one["elsewhere"], serde_json::json!([]));
    let last = one["rows"].as_array().unwrap().last().unwrap();
    assert_eq!(last["cumulative_percent"], 100.0);
    let metal = get(&app, &format!("{REJECTS}&station=MD03")).await.json();
    assert_eq!(
        (&metal["total"]["station"], &metal["total"]["ppm"]),
        (&"MD03".into(), &Value::Null)
    );
    let none = get(&app, &format!("{REJECTS}&station=XX")).await;
    assert_eq!(none.status, StatusCode::BAD_REQUEST);
    assert!(none.text().contains("CF01, MD03"), "{}", none.text());
    // A reason leads to its chart where it has one; without a flow there is none.
    let charts = all["charts"].as_array().unwrap();
    assert!(
        charts.iter().any(|chart| chart["characteristic"] == "reject.CF01.dented"),
        "{charts:?}"
    );
    assert!(charts.iter().all(|chart| chart["station"] == "CF01"), "{charts:?}");
    for chart in charts {
        let page = get(&app, &format!("/spc/{}", chart["characteristic"].as_str().unwrap())).await;
        assert_eq!(page.status, StatusCode::OK, "{chart}");
    }
}
