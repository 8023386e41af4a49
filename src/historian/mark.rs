//! Whose journal it is: site, zone, configuration, and whether its plant is simulated. Kept in the journal, so that what
//! is read out of it says so without the configuration.

use serde::{Deserialize, Serialize};

use super::extract::Extract;
use super::{Historian, StoreError};

/// The setting that holds it.
pub(super) const KEY: &str = "plant";

/// Whose journal it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlantMark {
    /// Name of the site.
    pub site: String,
    /// Its time zone, an IANA name.
    pub zone: String,
    /// SHA-256 of the configuration that ran last, with its maps.
    pub config_sha256: String,
    /// Whether anything in it comes from a simulated plant. Once so, always so.
    pub simulated: bool,
}

impl PlantMark {
    /// That of a journal which is read; none where no service has left one that can be read.
    ///
    /// # Errors
    /// The journal cannot be read.
    pub fn read(extract: &Extract) -> Result<Option<PlantMark>, StoreError> {
        Ok(extract.setting(KEY)?.and_then(PlantMark::parse))
    }

    pub(super) fn parse(text: String) -> Option<PlantMark> {
        serde_json::from_str(&text).ok()
    }
}

impl Historian {
    /// Keeps whose journal it is; nothing takes the mark of a simulated plant away. Durable on return. Blocks.
    ///
    /// # Errors
    /// Those of the store.
    pub fn mark(&self, mark: PlantMark) -> Result<(), StoreError> {
        let known = self.setting(KEY)?.and_then(PlantMark::parse);
        let was = known.as_ref().is_some_and(|known| known.simulated);
        let mark = PlantMark { simulated: mark.simulated || was, ..mark };
        if known.as_ref() == Some(&mark) {
            return Ok(());
        }
        // A struct of texts and a flag is always JSON.
        let text = serde_json::json!(mark).to_string();
        self.set_setting(KEY, &text)
    }
}
