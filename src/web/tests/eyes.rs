//! For people.

use super::*;

/// Serves the made-up line for a person to look at, when an address is given:
/// `CAPLINE_WEB_SERVE=127.0.0.1:8099 cargo test --lib serves_for_eyes`.
#[tokio::test]
async fn serves_for_eyes() {
    let Ok(address) = std::env::var("CAPLINE_WEB_SERVE") else { return };
    let clock = Clock::real();
    let (app, sender) = fixture::app(clock, Arc::new(Record));
    let listener = TcpListener::bind(address).await.unwrap();
    let feed = async {
        loop {
            let word = fixture::case_file().and_then(|file| std::fs::read_to_string(file).ok());
            let word = word.unwrap_or_default();
            let case = CASES.iter().find(|(name, _)| *name == word.trim());
            let case = case.map_or(Case::Running, |(_, case)| *case);
            match word.trim() {
                "stalled" => {}
                "waiting" => drop(sender.send_replace(None)),
                _ => drop(sender.send_replace(Some(Arc::new(fixture::status(clock.now(), case))))),
            }
            tokio::time::sleep(Duration::from_millis(250)).await;
        }
    };
    tokio::select! {
        () = feed => {}
        served = crate::web::serve(listener, app.into(), std::future::pending()) => served.unwrap(),
    }
}
