//! What to do next where nothing was ever read: the commands for the devices of this line, as they are configured.

use domain::plc_map::Protocol;
use maud::{Markup, html};

use crate::config::DeviceConfig;
use crate::web::App;
use crate::web::i18n::{Key, Lang};

/// In the page from the start and hidden: the script shows it while a device of the line was never heard.
pub(super) fn first_run(app: &App, lang: Lang, line: usize) -> Markup {
    let Some(feed) = app.parts().lines.get(line) else { return html! {} };
    let file = shell(&app.parts().config_file);
    html! {
        section.note.first-run #first-run aria-labelledby="first-run-title" hidden {
            h2 #first-run-title { (lang.mark(Key::FirstRun)) }
            ol {
                li { (lang.mark(Key::FirstRunCheck)) " " code { "capline check " (file) } }
                @for device in &feed.config.devices {
                    li data-station=(device.map.station) {
                        b { (device.map.station) } " " (lang.title(&device.map.title)) " (" (device.address) "): "
                        span.told data-up=(lang.say(Key::FirstRunUp)) data-down=(lang.say(Key::FirstRunDown)) {}
                        " " (lang.mark(Key::FirstRunAsk)) " " code { (command(device)) }
                    }
                }
                li { (lang.mark(Key::FirstRunGo)) " " code { "capline run " (file) } }
            }
            p { (lang.mark(Key::FirstRunAlone)) }
        }
    }
}

/// A path as a word of a command line.
fn shell(path: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "/._-+:\\".contains(c);
    if path.chars().all(plain) { path.to_owned() } else { format!("\"{path}\"") }
}

/// The command that asks a device without the service.
fn command(device: &DeviceConfig) -> String {
    match &device.map.protocol {
        Protocol::Modbus(options) => {
            format!("capline probe modbus {} --unit {}", device.address, options.unit)
        }
        Protocol::OpcUa(_) => format!("capline browse opcua {}", device.address),
    }
}
