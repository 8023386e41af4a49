//! A real Chromium, driven through a chromedriver of our own.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use fantoccini::actions::{InputSource, KeyAction, KeyActions};
use fantoccini::wd::{WebDriverCompatibleCommand, WindowHandle};
use fantoccini::{Client, ClientBuilder};
use hyper::http::Method;
use hyper_util::client::legacy::connect::HttpConnector;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

/// Names under which distributions install the browser.
const CHROMIUMS: [&str; 4] = ["chromium", "chromium-browser", "google-chrome", "chrome"];

/// Pause between two looks at a page.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// A browser with one page. Driver and browser end when it is dropped.
pub(crate) struct Browser {
    client: Client,
    session: String,
    driver: Driver,
}

/// The process behind the WebDriver protocol.
struct Driver {
    child: Child,
    /// Host and port.
    address: String,
}

impl Browser {
    /// Starts a browser in which every new page first runs `before`; none when there is no browser on this machine.
    pub(crate) async fn start(before: &str) -> Option<Browser> {
        let chromium = CHROMIUMS.iter().find_map(|name| installed(name))?;
        let driver = Driver::start(installed("chromedriver")?);
        let capabilities = json!({
            "goog:chromeOptions": {
                "binary": chromium,
                // As root and without a display, as build machines are.
                "args": ["--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--hide-scrollbars",
                         "--lang=en", "--window-size=1920,1080"],
            },
            "goog:loggingPrefs": { "browser": "ALL" },
        });
        let mut builder = ClientBuilder::new(HttpConnector::new());
        builder.capabilities(capabilities.as_object().cloned().unwrap_or_default());
        let client = builder
            .connect(&format!("http://{}", driver.address))
            .await
            .expect("the browser starts");
        let session = client.session_id().await.ok().flatten().unwrap_or_default();
        let browser = Browser { client, session, driver };
        browser
            .devtools("Page.addScriptToEvaluateOnNewDocument", json!({ "source": before }))
            .await;
        Some(browser)
    }

    /// Opens an address.
    pub(crate) async fn open(&self, address: &str) {
        self.client.goto(address).await.expect("the page opens");
    }

    /// Value of an expression in the page.
    pub(crate) async fn value(&self, expression: &str) -> Value {
        let script = format!("return ({expression});");
        self.client.execute(&script, vec![]).await.expect("the expression is one")
    }

    /// Value of an expression that is a text.
    pub(crate) async fn text(&self, expression: &str) -> String {
        self.value(expression).await.as_str().unwrap_or_default().to_owned()
    }

    /// Value of an expression that is a list of texts.
    pub(crate) async fn texts(&self, expression: &str) -> Vec<String> {
        let value = self.value(expression).await;
        let texts = value.as_array().into_iter().flatten().filter_map(Value::as_str);
        texts.map(str::to_owned).collect()
    }

    /// Whether an expression became true within a time.
    pub(crate) async fn becomes(&self, expression: &str, within: Duration) -> bool {
        let end = Instant::now() + within;
        loop {
            if self.value(expression).await == Value::Bool(true) {
                return true;
            }
            if Instant::now() > end {
                return false;
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    /// Waits until an expression is true, and says what the page showed when it did not become so.
    pub(crate) async fn until(&self, expression: &str, within: Duration) {
        if !self.becomes(expression, within).await {
            let page = self.text("document.body.innerText").await;
            panic!("not within {within:?}: {expression}\n{page}\n{:?}", self.complaints().await);
        }
    }

    /// Clicks what a selector finds. What was drawn anew between finding and clicking is looked for again, as a person would.
    pub(crate) async fn click(&self, selector: &str) {
        let mut clicked = Ok(());
        for _ in 0..5 {
            let element = self.client.find(fantoccini::Locator::Css(selector)).await;
            clicked = element.expect("it is there").click().await;
            if !clicked.as_ref().is_err_and(|error| error.is_stale_element_reference()) {
                break;
            }
        }
        clicked.expect("it can be clicked");
    }

    /// Types into what a selector finds.
    pub(crate) async fn keys(&self, selector: &str, text: &str) {
        let element = self.client.find(fantoccini::Locator::Css(selector)).await;
        element.expect("it is there").send_keys(text).await.expect("it takes keys");
    }

    /// Runs a script in the page.
    pub(crate) async fn run(&self, script: &str) {
        self.client.execute(script, vec![]).await.expect("the script runs");
    }

    /// The page as it would be printed.
    pub(crate) async fn pdf(&self) -> Vec<u8> {
        let wish = json!({ "preferCSSPageSize": true, "printBackground": true });
        let printed = self.devtools("Page.printToPDF", wish).await;
        let data = printed["data"].as_str().unwrap_or_default();
        base64(data)
    }

    /// Warnings and errors of the console since the last call: failed requests and broken policy among them.
    pub(crate) async fn complaints(&self) -> Vec<String> {
        let entries = self.command("se/log", json!({ "type": "browser" })).await;
        let entries = entries.as_array().cloned().unwrap_or_default();
        let grave = |entry: &&Value| matches!(entry["level"].as_str(), Some("SEVERE" | "WARNING"));
        entries.iter().filter(grave).map(|entry| entry["message"].to_string()).collect()
    }

    /// Makes the page as large as a screen.
    pub(crate) async fn resize(&self, size: (u32, u32)) {
        self.zoom(size, 1).await;
    }

    /// The same, with everything so many times as large: `size` is in the pixels of the page.
    pub(crate) async fn zoom(&self, (width, height): (u32, u32), factor: u32) {
        let size = json!({ "width": width, "height": height, "deviceScaleFactor": factor, "mobile": false });
        self.devtools("Emulation.setDeviceMetricsOverride", size).await;
    }

    /// A picture of what a screen of the present size shows, as PNG.
    pub(crate) async fn picture(&self) -> Vec<u8> {
        self.client.screenshot().await.expect("the page can be drawn")
    }

    /// Presses one key, where the focus is.
    pub(crate) async fn press(&self, key: impl Into<char>) {
        let value = key.into();
        let press = [KeyAction::Down { value }, KeyAction::Up { value }];
        let keys = press.into_iter().fold(KeyActions::new("keys".to_owned()), KeyActions::then);
        self.client.perform_actions(keys).await.expect("the key is pressed");
    }

    /// Taps with a finger in the middle of what a selector finds.
    pub(crate) async fn tap(&self, selector: &str) {
        self.touch(selector, Duration::ZERO).await;
    }

    /// Rests a finger for a time in the middle of what a selector finds.
    pub(crate) async fn touch(&self, selector: &str, held: Duration) {
        let middle = format!(
            "(() => {{ const e = document.querySelector(\"{selector}\"); e.scrollIntoView({{ block: 'center' }}); \
             const box = e.getBoundingClientRect(); return [box.x + box.width / 2, box.y + box.height / 2]; }})()"
        );
        let middle = self.value(&middle).await;
        let point = json!({ "x": middle[0], "y": middle[1] });
        let touch = |kind: &str, points: Value| json!({ "type": kind, "touchPoints": points });
        self.devtools("Emulation.setTouchEmulationEnabled", json!({ "enabled": true })).await;
        self.devtools("Input.dispatchTouchEvent", touch("touchStart", json!([point]))).await;
        tokio::time::sleep(held).await;
        self.devtools("Input.dispatchTouchEvent", touch("touchEnd", json!([]))).await;
        self.devtools("Emulation.setTouchEmulationEnabled", json!({ "enabled": false })).await;
    }

    /// Has the page seen as by people of this kind: `protanopia`, `deuteranopia`, `achromatopsia`, or `none`.
    pub(crate) async fn eyes(&self, kind: &str) {
        self.devtools("Emulation.setEmulatedVisionDeficiency", json!({ "type": kind })).await;
    }

    /// What the device is set to, such as `("prefers-reduced-motion", "reduce")`; all else is as it was.
    pub(crate) async fn device(&self, features: &[(&str, &str)]) {
        let features: Vec<Value> =
            features.iter().map(|(name, value)| json!({ "name": name, "value": value })).collect();
        self.devtools("Emulation.setEmulatedMedia", json!({ "features": features })).await;
    }

    /// A part of the page as it is seen, PNG in base64.
    pub(crate) async fn part(&self, (width, height): (u32, u32)) -> String {
        let clip = json!({ "x": 0, "y": 0, "width": width, "height": height, "scale": 1 });
        let taken = self.devtools("Page.captureScreenshot", json!({ "clip": clip })).await;
        taken["data"].as_str().unwrap_or_default().to_owned()
    }

    /// Opens another tab in front of the present one, and what leads back to that.
    pub(crate) async fn new_tab(&self) -> WindowHandle {
        let present = self.client.window().await.expect("there is a tab");
        let tab = self.client.new_window(true).await.expect("a tab opens");
        self.client.switch_to_window(tab.handle).await.expect("it is there");
        self.devtools("Page.bringToFront", json!({})).await;
        present
    }

    /// Opens a window beside the present one, and goes on in it: both are seen.
    pub(crate) async fn new_window(&self) {
        let window = self.client.new_window(false).await.expect("a window opens");
        self.client.switch_to_window(window.handle).await.expect("it is there");
    }

    /// The present window.
    pub(crate) async fn window(&self) -> WindowHandle {
        self.client.window().await.expect("there is a window")
    }

    /// Goes on in a window. It changes nothing of what is seen.
    pub(crate) async fn turn_to(&self, window: &WindowHandle) {
        self.client.switch_to_window(window.clone()).await.expect("it is there");
    }

    /// Goes back to a tab, in front of all others.
    pub(crate) async fn back_to(&self, tab: WindowHandle) {
        self.client.switch_to_window(tab).await.expect("it is there");
        self.devtools("Page.bringToFront", json!({})).await;
    }

    /// Stops the processes that draw the pages of this browser, or lets them go on. A page that is stopped answers
    /// nothing, so that no other command may be given meanwhile.
    pub(crate) fn renderers(&self, signal: Signal) -> usize {
        let renderers = descendants(self.driver.child.id()).into_iter().filter(|pid| {
            let command = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
            String::from_utf8_lossy(&command).contains("--type=renderer")
        });
        let signalled = renderers.filter(|pid| {
            let pid = i32::try_from(*pid).ok().and_then(Pid::from_raw);
            pid.is_some_and(|pid| kill_process(pid, signal).is_ok())
        });
        signalled.count()
    }

    /// A command of the DevTools protocol.
    pub(crate) async fn devtools(&self, name: &str, parameters: Value) -> Value {
        self.command("goog/cdp/execute", json!({ "cmd": name, "params": parameters })).await
    }

    async fn command(&self, path: &'static str, body: Value) -> Value {
        let answer = self.client.issue_cmd(Extension { path, body }).await;
        answer.unwrap_or_else(|error| panic!("{path}: {error}"))
    }
}

impl Drop for Browser {
    /// Ends the browser, also when a test fails: killing the driver alone would leave it running.
    fn drop(&mut self) {
        let end = format!("DELETE /session/{} HTTP/1.1\r\nHost: localhost\r\n\r\n", self.session);
        let ended = TcpStream::connect(&self.driver.address).and_then(|mut stream| {
            stream.set_read_timeout(Some(Duration::from_secs(10)))?;
            stream.write_all(end.as_bytes())?;
            stream.read(&mut [0; 512])
        });
        if let Err(error) = ended {
            eprintln!("the browser may still run: {error}");
        }
    }
}

impl Driver {
    fn start(program: PathBuf) -> Driver {
        let mut child = Command::new(program)
            .arg("--port=0")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("chromedriver starts");
        let log = BufReader::new(child.stdout.take().expect("its log is piped"));
        let (sender, receiver) = mpsc::channel();
        std::thread::spawn(move || {
            for line in log.lines().map_while(Result::ok) {
                // "ChromeDriver was started successfully on port 38475."
                if let Some((_, port)) = line.rsplit_once("started successfully on port ") {
                    let _ = sender.send(port.trim_end_matches('.').to_owned());
                }
            }
        });
        let port = receiver.recv_timeout(Duration::from_secs(20)).expect("chromedriver has a port");
        Driver { child, address: format!("127.0.0.1:{port}") }
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A command that chromedriver understands beyond the standard.
#[derive(Debug)]
struct Extension {
    path: &'static str,
    body: Value,
}

impl WebDriverCompatibleCommand for Extension {
    fn endpoint(
        &self,
        base: &url::Url,
        session: Option<&str>,
    ) -> Result<url::Url, url::ParseError> {
        base.join(&format!("session/{}/{}", session.unwrap_or_default(), self.path))
    }

    fn method_and_body(&self, _: &url::Url) -> (Method, Option<String>) {
        (Method::POST, Some(self.body.to_string()))
    }
}

/// The bytes of a base64 text; what is no digit of it is passed over.
fn base64(text: &str) -> Vec<u8> {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let digit = |byte: u8| DIGITS.iter().position(|known| *known == byte).map(|i| i as u32);
    let digits: Vec<u32> = text.bytes().filter_map(digit).collect();
    let group = |four: &[u32]| {
        let bits = four.iter().fold(0, |bits, digit| bits << 6 | digit) << (6 * (4 - four.len()));
        bits.to_be_bytes()[1..four.len()].to_vec()
    };
    digits.chunks(4).flat_map(group).collect()
}

/// All processes that come from one, itself left out.
fn descendants(root: u32) -> Vec<u32> {
    let parent = |pid: u32| -> Option<u32> {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        // The name in brackets may hold blanks; after it come the state and the parent.
        stat.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse().ok()
    };
    let running = std::fs::read_dir("/proc")
        .into_iter()
        .flatten()
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<u32>().ok());
    let pairs: Vec<(u32, u32)> = running.filter_map(|pid| Some((pid, parent(pid)?))).collect();
    let mut found = vec![root];
    let mut next = 0;
    while let Some(of) = found.get(next).copied() {
        found.extend(pairs.iter().filter(|(_, parent)| *parent == of).map(|(pid, _)| *pid));
        next += 1;
    }
    found.split_off(1)
}

/// Where a program is, if it is installed.
fn installed(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|dir| dir.join(name)).find(|file| file.is_file())
}
