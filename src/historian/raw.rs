//! Files of raw readings beside the journal, one for each day.

use std::path::Path;

/// Whether a name is that of such a file.
pub(super) fn is_name(name: &str) -> bool {
    let day = name.strip_prefix("raw-").and_then(|rest| rest.strip_suffix(".db"));
    day.is_some_and(|day| day.len() == 8 && day.bytes().all(|c| c.is_ascii_digit()))
}

/// The files in a directory, oldest first.
pub(super) fn names(dir: &Path) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(dir) else { return Vec::new() };
    let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let mut names: Vec<String> = names.filter(|name| is_name(name)).collect();
    names.sort_unstable();
    names
}
