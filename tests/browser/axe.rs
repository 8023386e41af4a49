//! axe-core in the page: what a machine can find of WCAG 2.2 A and AA. It is a tool of the tests only and comes from
//! npm: `tests/run.sh` puts it where it is looked for here.

use std::path::PathBuf;

use crate::browser::Browser;

/// What finds violations in the page that is open.
pub(crate) struct Axe(String);

impl Axe {
    /// The script, or a reason why there is none: an error where tests must not be left out.
    pub(crate) fn load() -> Option<Axe> {
        let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
        let script =
            std::fs::read_to_string(root.join("target/axe/node_modules/axe-core/axe.min.js"));
        if script.is_err() {
            let missing = "needs axe-core: npm install --prefix target/axe --no-save axe-core";
            let refuses = std::env::var("CI").is_ok_and(|ci| !matches!(&*ci, "" | "0" | "false"));
            assert!(!refuses, "{missing}");
            eprintln!("skipped: {missing}");
        }
        script.ok().map(Axe)
    }

    /// Violations of the page, one sentence each.
    pub(crate) async fn violations(&self, browser: &Browser) -> Vec<String> {
        browser.run(&self.0).await;
        let start = "(window.violations = undefined,
            axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] })
              .then((found) => { window.violations = found.violations.map((one) =>
                `${one.id}: ${one.help}: ${one.nodes.map((node) => node.target).join(', ')}`); }), true)";
        browser.value(start).await;
        browser.until("window.violations !== undefined", crate::SOON).await;
        browser.texts("window.violations").await
    }
}
