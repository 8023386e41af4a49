//! What positions in snapshots mean ↔ JSON.

use domain::units::{StationId, TagId};
use serde::{Deserialize, Serialize};

use crate::historian::DeviceTags;

#[derive(Serialize, Deserialize)]
struct Form {
    station: String,
    tags: Vec<String>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    beside: bool,
}

/// Devices as they are stored.
pub(in crate::historian) fn devices_json(devices: &[DeviceTags]) -> String {
    let form = |device: &DeviceTags| Form {
        station: device.station.to_string(),
        tags: device.tags.iter().map(TagId::to_string).collect(),
        beside: device.beside,
    };
    serde_json::json!(devices.iter().map(form).collect::<Vec<_>>()).to_string()
}

/// The devices of a stored text.
pub(in crate::historian) fn devices(json: &str) -> Result<Vec<DeviceTags>, String> {
    let forms: Vec<Form> = serde_json::from_str(json).map_err(|e| format!("layout: {e}"))?;
    let device = |form: Form| DeviceTags {
        station: StationId::new(form.station),
        tags: form.tags.into_iter().map(TagId::new).collect(),
        beside: form.beside,
    };
    Ok(forms.into_iter().map(device).collect())
}
