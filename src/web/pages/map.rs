//! `/maps/{station}`: the text of a map as it runs, with the numbers of its lines. `#L12` leads to a line.

use axum::extract::{Path, State};
use axum::response::Response;
use axum::routing::get;
use maud::{Markup, html};

use super::layout::{Choice, First, Look, Page, page};
use super::parts::{heading, style};
use super::replay::present_only;
use crate::config::DeviceConfig;
use crate::web::address::escaped;
use crate::web::error::{Params, WebError};
use crate::web::i18n::{Key, Lang};
use crate::web::{App, Routes};

/// Routes of this page.
pub(crate) fn routes() -> Routes {
    vec![("/maps/{station}", get(map))]
}

async fn map(
    State(app): State<App>,
    Path(station): Path<String>,
    look: Look,
    Params(choice): Params<Choice>,
) -> Result<Response, WebError> {
    let line = app.position(choice.line())?;
    let feed = app.parts().lines.get(line).ok_or(WebError::NotFound)?;
    let device = feed.config.devices.iter().find(|one| one.map.station.as_str() == station);
    let device = device.ok_or(WebError::NotFound)?;
    let text = text_of(&app, device).ok_or(WebError::NotFound)?;
    if let Some(refused) = present_only(&app, &look, (Key::MapText, line), &choice).await? {
        return Ok(refused);
    }
    let (body, first) = (body(look.lang, device, text), First::of(&app, line).await?);
    // It stands still: only its frame is live.
    Ok(page(&app, &look, &Page { title: Key::MapText, line, script: "reports.mjs", body, first }))
}

/// The text of the map of a device, as it was read.
pub(super) fn text_of<'a>(app: &'a App, device: &DeviceConfig) -> Option<&'a str> {
    let mut maps = app.parts().map_texts.iter();
    maps.find(|(file, _)| *file == device.map.file).map(|(_, text)| &**text)
}

/// The way to the text of the map of a device; to one of its lines where that is known.
pub(super) fn link(line: &str, device: &DeviceConfig, at: Option<usize>) -> Markup {
    let station = escaped(device.map.station.as_str());
    let place = at.map_or_else(String::new, |at| format!("#L{at}"));
    let number = at.map_or_else(String::new, |at| format!(":{at}"));
    html! {
        a.map-line href={ "/maps/" (station) "?line=" (line) (place) } translate="no" { (file_name(&device.map.file)) (number) }
    }
}

/// A file without its directories.
fn file_name(file: &str) -> &str {
    file.rsplit(['/', '\\']).next().unwrap_or(file)
}

fn body(lang: Lang, device: &DeviceConfig, text: &str) -> Markup {
    let title = lang.say(Key::MapOf).replace("{station}", device.map.station.as_str());
    html! {
        (style())
        (heading(lang, Key::MapText, Key::MapTextAbout))
        div.card.list {
            header {
                h2 #map-title { (title) " " (lang.title(&device.map.title)) }
                span.dim.map-file translate="no" { (device.map.file) }
            }
            div.scroll role="region" aria-labelledby="map-title" tabindex="0" {
                ol.map-text translate="no" {
                    @for (i, line) in text.lines().enumerate() {
                        li id={ "L" (i + 1) } { code { (line) } }
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_named_without_its_place() {
        assert_eq!(file_name("/etc/capline/plc-maps/cf01.toml"), "cf01.toml");
        assert_eq!(file_name("C:\\maps\\cf01.toml"), "cf01.toml");
        assert_eq!(file_name("cf01.toml"), "cf01.toml");
    }
}
