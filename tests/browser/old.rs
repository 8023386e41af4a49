//! The oldest browser that the screens are for, Chromium 90 of 2021, as wall displays and tablets have it for years. It comes
//! from npm: `tests/run.sh` puts it where it is looked for here.

use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;

use crate::CORES;
use crate::demo::Demo;

/// Shows: SCR-22
#[tokio::test]
async fn every_page_works_in_chromium_90() {
    let _shared = CORES.shared().await;
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let modules = root.join("target/old-browser");
    if !modules.join("node_modules/chrome-aws-lambda/bin/chromium.br").exists() {
        let missing = "needs Chromium 90 of npm in target/old-browser; tests/run.sh installs it";
        let refuses = std::env::var("CI").is_ok_and(|ci| !matches!(&*ci, "" | "0" | "false"));
        assert!(!refuses, "{missing}");
        eprintln!("skipped: {missing}");
        return;
    }
    let pictures = root.join("target/screenshots");
    std::fs::create_dir_all(&pictures).expect("a directory for the pictures");
    let demo = Demo::start();
    let mut node = Command::new("node");
    node.arg(root.join("tests/browser/old/look.mjs"))
        .arg(&modules)
        .arg(&pictures)
        .arg(&demo.origin);
    let pages =
        ["/", "/wall/L1", "/line", "/stops", "/rejects", "/spc", "/reports", "/data", "/sim"];
    node.args(pages.iter().map(|page| format!("{page}?lang=en")));
    let told = tokio::task::spawn_blocking(move || node.output()).await.expect("it ends");
    let told = told.expect("node runs");
    assert!(told.status.success(), "{}", String::from_utf8_lossy(&told.stderr));
    let seen: Value = serde_json::from_slice(&told.stdout).expect("it is JSON");
    let version = seen["version"].as_str().unwrap_or_default();
    assert!(version.contains("Chrome/90."), "{version}");
    let opened = seen["pages"].as_array().expect("a list");
    assert_eq!(opened.len(), pages.len());
    for page in opened {
        let path = &page["path"];
        // The control: it is a browser that lacks what newer ones have, and not a newer one with an old name.
        assert_eq!(page["lacks"], true, "{path}");
        assert_eq!(page["errors"], Value::Array(Vec::new()), "{path}");
        assert_eq!(page["is_ready"], true, "{path}: {}", page["text"]);
    }
}
