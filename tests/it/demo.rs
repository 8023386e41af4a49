//! What `capline demo` shows is what is tested: made by the plant, counted by the service.

use std::time::Duration;

use capline::demo::{Demo, DemoOptions};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_capsule_that_was_made_is_counted() {
    let options = DemoOptions { speed: 10.0, ..DemoOptions::new() };
    let demo = Demo::start(&options).await.expect("the demo starts");
    tokio::time::sleep(Duration::from_secs(6)).await;
    let summary = demo.stop().await.expect("the demo stops");
    assert!(summary.made > 0, "the plant ran a minute of its time: {summary:?}");
    assert_eq!(summary.counted.best, summary.made, "{summary:?}");
    assert_eq!(
        (summary.counted.low, summary.counted.high),
        (summary.made, summary.made),
        "{summary:?}"
    );
    assert!(summary.polls > 100, "{summary:?}");
}
