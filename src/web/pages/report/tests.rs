//! What paper leaves out it says, and the file that is kept leaves out nothing.

use std::sync::Arc;

use domain::audit::{Actor, Head};
use domain::line::event::{Event, EventKind};
use domain::line::report::FinalReport;
use domain::line::rollup::PeriodKind;
use domain::line::weight::Series;
use domain::quality::characteristic::{Characteristic, Measure};
use domain::quality::limits::{Baseline, Decision, Evidence, Limits, LimitsLaw, Verdict};
use domain::quality::record::{StoredIncident, Work, WorkKind};
use domain::quality::signal::{Incident, Level};
use domain::spc::rules::{Hits, RuleId};
use domain::units::StationId;

use super::gather::{Facts, gather};
use super::panel::Writer;
use super::paper::{Final, Made, sheet};
use super::signals::Charted;
use crate::web::fixture::kept::{self, Kept};
use crate::web::fixture::{self, Memory};
use crate::web::i18n::Lang;
use crate::web::{App, Who};

/// A shift with this many stops of some seconds, events and charts more.
async fn shift(app: &App, n: usize) -> Facts {
    let mut facts = gather(app, 0, PeriodKind::Shift, None).await.expect("it is stored");
    let stop =
        facts.losses.stops.iter().find(|stop| stop.cause == "internal").expect("one").clone();
    facts.losses.stops = vec![stop; n];
    // The last one is short and nobody said why.
    if let Some(last) = facts.losses.stops.last_mut() {
        (last.micro, last.reason, last.title) = (true, String::new(), None);
    }
    let event = Event {
        at_us: facts.span.0,
        from_us: None,
        kind: EventKind::Service,
        station: None,
        tag: None,
        word: "started".to_owned(),
        count: None,
        detail: String::new(),
    };
    facts.alarms.clear();
    facts.gaps = (0..n as i64).map(|number| (number, event.clone())).collect();
    let chart = |i| Charted { id: format!("chart{i}"), judged: Vec::new() };
    facts.charts = (0..n).map(chart).collect();
    facts
}

fn rows(page: &str, section: &str) -> usize {
    let rest = page.split(&format!("aria-labelledby=\"{section}\"")).nth(1).expect("it is there");
    let body = rest.split("</section>").next().unwrap_or_default();
    body.split("<tbody>").nth(1).map_or(0, |body| body.matches("<tr>").count())
}

/// Limits of the means of samples: 500 mg, and so much from subgroup to subgroup.
fn limits_of(characteristic: &Characteristic, sigma: f64) -> Limits {
    Limits {
        version: 3,
        characteristic: characteristic.id.clone(),
        kind: characteristic.kind,
        subgroup_minutes: characteristic.subgroup_minutes,
        law: LimitsLaw::ThreeWay { center: 500.0, sigma, sigma_within: 2.0 },
        ewma_l: 2.8,
        arl0: None,
        rules: characteristic.rules.clone(),
        baseline: Baseline { n_used: 120, ..Baseline::default() },
        evidence: Evidence::default(),
        author: "an".to_owned(),
        reason: "first baseline".to_owned(),
        made_us: kept::DAY_US,
        decision: Some(Decision {
            verdict: Verdict::Approved,
            by: "bo".to_owned(),
            reason: "seen".to_owned(),
            at_us: kept::DAY_US,
        }),
    }
}

/// Ten bores of two weights each quarter of an hour, the seventh 6 mg too light: the mean is 499.4 mg in each of them.
#[tokio::test]
async fn weights_are_compared_with_their_limits_too() {
    let (station, series) = (StationId::new("CW04"), Series::Sample);
    let weight = Characteristic::new(Measure::Weight { station, series });
    let facts = async |sigma: Option<f64>| {
        let mut config = kept::line();
        config.characteristics = vec![weight.clone()];
        let memory = Memory::default();
        memory.limits.lock().unwrap().extend(sigma.map(|sigma| limits_of(&weight, sigma)));
        let (app, _sender) = fixture::app_of(
            config,
            kept::clock(),
            Arc::new(Kept::morning()),
            Arc::new(memory),
            true,
        );
        let facts = gather(&app, 0, PeriodKind::Shift, None).await.expect("it is stored");
        let made = Made::Screen(Writer::of(&app, &Who::open()));
        let page = sheet(&app, Lang::En, 0, &facts, &made).expect("a page");
        (facts, page)
    };
    let (far, page) = facts(Some(0.3)).await;
    let [row] = &far.compared[..] else { panic!("{:?}", far.compared) };
    assert!(row.judged >= 6 && row.differs, "{row:?}");
    // −2 in each of m subgroups is −2 √m of all together.
    assert!((row.z + 2.0 * (row.judged as f64).sqrt()).abs() < 1e-9, "{row:?}");
    let weights = row.weights.as_ref().expect("what was weighed");
    assert_eq!((weights.n, weights.mean_mg), (row.judged as u64 * 20, 499.4));
    assert!(page.contains(&format!("n {} · mean 499.40 mg · σ ", weights.n)), "{page}");

    // Where subgroups differ more by themselves, the same weights are no more than chance.
    let (near, _) = facts(Some(30.0)).await;
    assert!(!near.compared[0].differs && near.compared[0].weights == row.weights);
    assert_ne!(near.sha256, far.sha256);
    // Without limits there is nothing to be compared with.
    assert!(facts(None).await.0.compared.is_empty());
}

/// A signal that began in the morning, with what was done about it.
fn signal(work: &[(WorkKind, &str)], over: bool) -> StoredIncident {
    let done = |(kind, text): &(WorkKind, &str)| Work {
        at_us: kept::BEGIN_US + 1,
        author: "Li Wei".to_owned(),
        kind: *kind,
        text: (*text).to_owned(),
    };
    StoredIncident {
        id: 1,
        incident: Incident {
            characteristic: "reject_fraction".into(),
            version: 3,
            opened_us: kept::BEGIN_US,
            last_us: kept::BEGIN_US,
            rules: Hits::default().with(RuleId::N1),
            companion: Hits::default(),
            n_points: 1,
            level: Level::Notice,
            over,
        },
        work: work.iter().map(done).collect(),
    }
}

#[tokio::test]
async fn signals_of_the_period_stand_on_its_sheet_with_what_was_done() {
    let app = kept::app(Kept::morning());
    let mut facts = gather(&app, 0, PeriodKind::Shift, None).await.expect("it is stored");
    let section = |facts: &Facts, lang: Lang| {
        let made = Made::Screen(Writer::of(&app, &Who::open()));
        let page = sheet(&app, lang, 0, facts, &made).expect("a page");
        let rest = page.split("aria-labelledby=\"incidents\"").nth(1).expect("it is there");
        rest.split("</section>").next().unwrap_or_default().to_owned()
    };
    let config = kept::line();
    let bare = facts.hash(&config);
    assert_eq!(bare, facts.sha256);
    assert!(section(&facts, Lang::En).contains("No signal of a control chart"));

    let work = [
        (WorkKind::Acknowledge, ""),
        (WorkKind::Owner, "Bo"),
        (WorkKind::Owner, "An"),
        (WorkKind::Cause, "worn seal"),
        (WorkKind::Action, "seal <changed>"),
    ];
    facts.incidents = vec![signal(&work, false)];
    let open = section(&facts, Lang::En);
    for words in ["N1 one point outside the limits", ">An<", "worn seal", "goes on", "acknowledged"]
    {
        assert!(open.contains(words), "{words} in {open}");
    }
    assert!(open.contains("seal &lt;changed&gt;") && !open.contains(">Bo<"), "{open}");
    let zh = section(&facts, Lang::Zh);
    assert!(
        zh.contains("1 点落在控制限外") && zh.contains("持续中") && zh.contains("负责人"),
        "{zh}"
    );
    // What people did is part of the figures; that a signal is over comes by itself and is not.
    let worked = facts.hash(&config);
    assert_ne!(worked, bare);
    facts.incidents = vec![signal(&work, true)];
    assert_eq!(facts.hash(&config), worked);
    assert!(!section(&facts, Lang::En).contains("goes on"));
    facts.incidents = vec![signal(&[], false)];
    assert_eq!(facts.hash(&config), bare);
    assert!(section(&facts, Lang::En).contains("not acknowledged"));

    // Paper leaves out old ones that are over, and says how many; one that goes on stands there.
    facts.incidents = vec![signal(&[], true); 60];
    facts.incidents.insert(0, signal(&work, false));
    let long = section(&facts, Lang::En);
    assert!(long.contains("and 21 more.") && long.contains("worn seal"), "{long}");
    assert_eq!(long.matches("<th scope=\"row\">").count(), 40);
}

#[tokio::test]
async fn the_kept_file_has_all_and_paper_says_what_it_lacks() {
    let app = kept::app(Kept::morning());
    let facts = shift(&app, 70).await;
    // Behind the sheet of a screen stand the texts of its scripts.
    let cut = |page: String| page.split("id=\"texts\"").next().unwrap_or_default().to_owned();
    let page = |made: &Made<'_>| cut(sheet(&app, Lang::En, 0, &facts, made).expect("a page"));
    let paper = page(&Made::Screen(Writer::of(&app, &Who::open())));
    let (report, by, head) = (final_report(&facts), Actor::default(), Head::default());
    let file = page(&Made::File(&Final { report: &report, by: &by, head: &head }));
    // What was not recorded at all is a row of the gaps too.
    let missing = usize::from(facts.missing_us() > 0);
    assert_eq!(["stops", "gaps"].map(|part| rows(&paper, part)), [60, 60 + missing]);
    assert_eq!(["stops", "gaps"].map(|part| rows(&file, part)), [70, 70 + missing]);
    assert_eq!([&paper, &file].map(|page| page.matches("<figure>").count()), [6, 70]);
    for words in
        ["60 of 70, the longest", "and 10 more.", "6 of 70, those furthest from their limits"]
    {
        assert!(paper.contains(words), "{words}");
        assert!(!file.contains(words), "{words}");
    }
    // Links to files are of a screen.
    assert_eq!([&paper, &file].map(|page| page.matches("data-csv=").count()), [3, 0]);
    // Times by state and times by cause stand on one sheet.
    assert!(paper.contains("By the state that the counting machine told"));

    // With few there is nothing to say.
    let facts = shift(&app, 3).await;
    let made = Made::Screen(Writer::of(&app, &Who::open()));
    let paper = cut(sheet(&app, Lang::En, 0, &facts, &made).expect("a page"));
    assert!(!paper.contains("furthest from") && paper.contains("2 of 3, the longest"));
}

fn final_report(facts: &Facts) -> FinalReport {
    FinalReport {
        number: 1,
        kind: facts.period.kind,
        start_us: facts.period.start_us,
        version: 1,
        made_us: facts.made_us,
        author: "An".to_owned(),
        lang: "en".to_owned(),
        data_sha256: facts.sha256.clone(),
        page_sha256: String::new(),
    }
}
