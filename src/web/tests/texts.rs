//! Texts and languages.

use domain::line::stop::Cause;

use super::*;

/// Shows: SCR-03
#[test]
fn every_word_of_the_data_has_a_text() {
    let names: BTreeSet<&str> = Key::all().map(|key| key.id()).collect();
    assert_eq!(names.len(), Key::all().count(), "two texts have one name");
    let states = State::ALL.map(|state| format!("state.{}", state.word()));
    let classes = TimeClass::ALL.map(|class| format!("class.{}", class.word()));
    let kinds = EventKind::ALL.map(|kind| format!("kind.{}", kind.word()));
    let causes = Cause::ALL.map(|cause| format!("cause.{}", cause.word()));
    let verdicts = ["more", "less", "chance", "too_few", "none"].map(|v| format!("verdict.{v}"));
    let forward = ["connecting", "forwarding", "waiting", "refused", "stopped"];
    let forward = forward.map(|state| format!("forward.{state}"));
    let did: Vec<String> =
        domain::audit::What::ALL.iter().map(|what| format!("did.{}", what.word())).collect();
    let meanings: Vec<String> =
        domain::audit::Meaning::ALL.iter().map(|one| format!("meaning.{}", one.word())).collect();
    let all = did.iter().chain(&meanings);
    let all = all.chain(
        states.iter().chain(&classes).chain(&kinds).chain(&causes).chain(&verdicts).chain(&forward),
    );
    for name in all {
        assert!(names.contains(name.as_str()), "{name}");
    }
}

#[test]
fn both_languages_have_the_same_blanks() {
    let blanks = |text: &str| -> BTreeSet<String> {
        text.split('{')
            .skip(1)
            .filter_map(|rest| Some(rest.split_once('}')?.0.to_owned()))
            .collect()
    };
    for key in Key::all() {
        assert_eq!(blanks(key.en()), blanks(key.zh()), "{}", key.id());
        assert!(!key.en().is_empty() && !key.zh().is_empty(), "{}", key.id());
    }
}

#[test]
fn scripts_ask_only_for_texts_that_exist() {
    let names: BTreeSet<&str> = Key::all().map(|key| key.id()).collect();
    for asset in assets::ASSETS.iter().filter(|asset| asset.name.ends_with(".mjs")) {
        let script = std::str::from_utf8(asset.bytes).unwrap();
        for call in [" t('", "(t('", "${t('", "[t('"] {
            for rest in script.split(call).skip(1) {
                let name = rest.split('\'').next().unwrap();
                assert!(names.contains(name), "{}: t('{name}')", asset.name);
            }
        }
    }
}

#[test]
fn both_at_once_says_the_blanks_once_where_it_can() {
    assert_eq!(Lang::Both.say(Key::Plan), "计划 plan {n}");
    assert_eq!(Lang::Both.say(Key::StateExecute), "运行 RUNNING");
    assert_eq!(Lang::Both.say(Key::VerdictP), "p {p}");
}

#[test]
fn scripts_get_a_text_in_each_language_where_both_are_shown() {
    let text = |lang: Lang, name| serde_json::to_value(lang.table().remove(name).unwrap()).unwrap();
    let running = serde_json::json!({ "en": "RUNNING", "zh": "运行" });
    assert_eq!(text(Lang::Both, "state.execute"), running);
    assert_eq!(text(Lang::Both, "plan")["both"], "计划 plan {n}");
    assert_eq!(text(Lang::Both, "trouble").get("both"), None);
    assert_eq!(
        (text(Lang::En, "plan"), text(Lang::Zh, "plan")),
        ("plan {n}".into(), "计划 {n}".into())
    );
}

#[tokio::test]
async fn the_language_is_taken_from_address_cookie_and_browser_in_this_order() {
    let (app, _sender) = running();
    let lang = |answer: &Answer| {
        let rest = answer.text().split("data-lang=\"").nth(1).unwrap();
        rest.split('"').next().unwrap().to_owned()
    };
    assert_eq!(lang(&get(&app, OVERVIEW).await), "en");
    let browser = get_with(&app, OVERVIEW, "accept-language", "zh-CN,zh;q=0.9,en;q=0.8").await;
    assert_eq!(lang(&browser), "zh");
    let other = get_with(&app, OVERVIEW, "accept-language", "de-DE,fr").await;
    assert_eq!(lang(&other), "en");
    assert_eq!(lang(&get_with(&app, OVERVIEW, "cookie", "theme=dark; lang=both").await), "both");
    let asked = get_with(&app, "/?lang=zh", "cookie", "lang=en").await;
    assert_eq!(lang(&asked), "zh");
    assert!(asked.header(header::SET_COOKIE).starts_with("lang=zh;"));
    assert!(asked.text().contains("<html lang=\"zh-CN\""));
}

#[tokio::test]
async fn the_theme_of_the_cookie_is_in_the_page_before_any_script_runs() {
    let (app, _sender) = running();
    let dark = get_with(&app, OVERVIEW, "cookie", "theme=dark").await;
    assert!(dark.text().contains("data-theme=\"dark\""));
    let odd = get_with(&app, OVERVIEW, "cookie", "theme=\"><script>").await;
    assert!(odd.text().contains("data-theme=\"auto\"") && !odd.text().contains("\"><script>"));
}

/// Shows: SIM-04
#[tokio::test]
async fn a_simulated_plant_is_marked_on_the_page() {
    let (app, _sender) = running();
    assert!(get(&app, OVERVIEW).await.text().contains("SIM simulated data"));
}

/// Shows: SCR-03
#[test]
fn every_refusal_has_a_text_and_a_way_out() {
    let source = include_str!("../error.rs");
    let (_, rest) = source.split_once("fn code(").unwrap();
    let (codes, _) = rest.split_once("fn hint(").unwrap();
    let codes: Vec<&str> =
        codes.split('"').skip(1).step_by(2).filter(|word| !word.is_empty()).collect();
    assert!(codes.len() > 20 && codes.contains(&"role"), "{codes:?}");
    let names: BTreeSet<&str> = Key::all().map(|key| key.id()).collect();
    for name in codes.iter().flat_map(|code| [format!("error.{code}"), format!("way.{code}")]) {
        assert!(names.contains(name.as_str()), "{name}");
    }
}
