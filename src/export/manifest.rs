//! What an export says of itself: its files with hashes, rows and sums, and the account of each line.

use std::fs::File;
use std::io::Write;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::{ExportError, Format};
use crate::historian::extract::{Account, What};
use crate::table::{Bound, Column, Figures};

/// The form of manifest that this version writes.
pub(super) const FORM: u32 = 1;
pub(super) const NAME: &str = "manifest.json";
pub(super) const SUMS: &str = "SHA256SUMS";

/// An export.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// The form of this text.
    pub form: u32,
    /// Version of Capline that wrote it.
    pub capline: String,
    /// When, UTC.
    pub made_utc: String,
    /// Whether the data are those of a simulated plant.
    pub simulated: bool,
    /// Name of the site, where it is known.
    pub site: Option<String>,
    /// Time zone of the columns `local` and of the days.
    pub zone: String,
    /// SHA-256 of the configuration and its maps, where it is known.
    pub config_sha256: Option<String>,
    /// Identity of the journal.
    pub journal: String,
    /// The last step of its schema.
    pub schema: u32,
    /// Beginning of the span.
    pub from_utc: String,
    /// Its end, exclusive.
    pub to_utc: String,
    /// The form of the tables.
    pub format: Format,
    /// The tables that were asked for.
    pub what: Vec<String>,
    /// The account of each line.
    pub lines: Vec<LineEntry>,
    /// Its files.
    pub files: Vec<FileEntry>,
}

/// A line of an export.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LineEntry {
    /// The line.
    pub line: String,
    /// What it counted before, in and after the span: minutes and gaps are what the counter went on.
    pub account: Account,
}

/// A file of an export.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileEntry {
    /// Its name in the directory.
    pub name: String,
    /// The line it is of.
    pub line: String,
    /// The table it holds; `page` for the page of a final report.
    pub what: String,
    /// Its size.
    pub bytes: u64,
    /// SHA-256 of its bytes, hexadecimal.
    pub sha256: String,
    /// Its columns; none of a page.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub columns: Vec<Column>,
    /// What its rows add up to; none of a page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub figures: Option<Figures>,
}

impl Manifest {
    /// Puts it and the list of hashes into the directory.
    pub(super) fn write(&self, dir: &Path) -> Result<(), ExportError> {
        let path = dir.join(NAME);
        let text = serde_json::to_string_pretty(self)
            .map_err(|error| ExportError::io(&path, std::io::Error::from(error)))?;
        put(&path, format!("{text}\n").as_bytes())?;
        let own = domain::digest::sha256(format!("{text}\n"));
        let others = self.files.iter().map(|file| (file.sha256.as_str(), file.name.as_str()));
        let lines = others.chain([(own.as_str(), NAME)]);
        let list: String = lines.map(|(hash, name)| format!("{hash}  {name}\n")).collect();
        put(&dir.join(SUMS), list.as_bytes())
    }

    /// Where its own figures contradict each other: what files add up to against the accounts, and these in themselves.
    pub(super) fn contradictions(&self) -> Vec<(String, String)> {
        let mut found = Vec::new();
        for LineEntry { line, account } in &self.lines {
            let of = |what: What| {
                self.files.iter().find(|file| file.line == *line && file.what == what.word())
            };
            if let Some(file) = of(What::Minutes) {
                let sums = Bound::ALL.map(|bound| good(file, &account.station, bound));
                let told = account.within.minutes.wide();
                if sums != told {
                    let (sum, told) = (sums[0], told[0]);
                    let text = format!(
                        "its minutes hold {sum} good capsules of {} where the account has {told}",
                        account.station
                    );
                    found.push((file.name.clone(), text));
                }
            }
            if let Some(file) = of(What::Events) {
                let counter = format!("{} {}", account.station, account.tag);
                let gaps = file.figures.as_ref().and_then(|figures| figures.gaps.get(&counter));
                let (sums, told) = (gaps.copied().unwrap_or_default(), account.within.gaps.wide());
                // Without a gap anywhere the account names no counter.
                if sums != told && !account.tag.is_empty() {
                    let (sum, told) = (sums[0], told[0]);
                    let text = format!(
                        "its gaps of {counter} hold {sum} capsules where the account has {told}"
                    );
                    found.push((file.name.clone(), text));
                }
            }
            if account.adds_up != account.is_sound() {
                let text = format!("the account of line {line} does not say whether it adds up");
                found.push((NAME.to_owned(), text));
            }
        }
        found
    }
}

/// The good capsules of a station in a table of minutes.
fn good(file: &FileEntry, station: &str, bound: Bound) -> i128 {
    let Some(figures) = &file.figures else { return 0 };
    let columns = file.columns.iter().filter(|column| column.is_good(station, bound));
    columns.filter_map(|column| figures.sums.get(&column.name)).sum()
}

/// Writes a small file and syncs it.
pub(super) fn put(path: &Path, bytes: &[u8]) -> Result<(), ExportError> {
    let write = || {
        let mut file = File::create(path)?;
        file.write_all(bytes)?;
        file.sync_all()
    };
    write().map_err(|cause| ExportError::io(path, cause))
}
