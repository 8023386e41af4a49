//! Names: of accounts, and those that stand on records. A name that is read is the name that is meant: nothing in it is
//! invisible, and none is that of the service.

use super::{LONGEST_NAME, LONGEST_PRINTED, NotTaken};
use crate::audit::SYSTEM;

/// Names that stand in the audit trail for something else than an account: the service itself, and whoever was at a
/// command line that knows no user.
const RESERVED: [&str; 4] = [SYSTEM, "系统", "capline", "unknown"];

/// Characters that show nothing, or turn the order of others: `Default_Ignorable_Code_Point` and the general category
/// `Cf` of Unicode 16, and the separators of lines and paragraphs.
const INVISIBLE: [(char, char); 22] = [
    ('\u{ad}', '\u{ad}'),
    ('\u{34f}', '\u{34f}'),
    ('\u{600}', '\u{605}'),
    ('\u{61c}', '\u{61c}'),
    ('\u{6dd}', '\u{6dd}'),
    ('\u{70f}', '\u{70f}'),
    ('\u{115f}', '\u{1160}'),
    ('\u{17b4}', '\u{17b5}'),
    ('\u{180b}', '\u{180f}'),
    ('\u{200b}', '\u{200f}'),
    ('\u{2028}', '\u{202e}'),
    ('\u{2060}', '\u{206f}'),
    ('\u{3164}', '\u{3164}'),
    ('\u{fe00}', '\u{fe0f}'),
    ('\u{feff}', '\u{feff}'),
    ('\u{ffa0}', '\u{ffa0}'),
    ('\u{fff0}', '\u{fffb}'),
    ('\u{110bd}', '\u{110cd}'),
    ('\u{13430}', '\u{1343f}'),
    ('\u{1bca0}', '\u{1bca3}'),
    ('\u{1d173}', '\u{1d17a}'),
    ('\u{e0000}', '\u{e0fff}'),
];

/// Whether all of a name can be seen, in the order in which it is written.
///
/// # Errors
/// It cannot.
pub fn is_plain(name: &str) -> Result<(), NotTaken> {
    let hidden = |c: char| INVISIBLE.iter().any(|(from, to)| (*from..=*to).contains(&c));
    match name.chars().any(|c| hidden(c) || (c.is_control() && !c.is_whitespace())) {
        true => Err(NotTaken(
            "a name has a character that cannot be seen, such as one that turns the direction of writing; type it anew",
        )),
        false => Ok(()),
    }
}

/// Whether a name is nobody's in the audit trail.
///
/// # Errors
/// It stands there for the service, or for somebody unknown.
pub fn is_free(name: &str) -> Result<(), NotTaken> {
    match RESERVED.contains(&printed_key(name).as_str()) {
        true => Err(NotTaken(
            "the name stands in the audit trail for the service itself, or for nobody known; choose another",
        )),
        false => Ok(()),
    }
}

/// The name of an account: lower-case letters, digits, `.`, `-` and `_`, at most 40. What a person types with capitals
/// is the same name.
///
/// # Errors
/// What a name may consist of.
pub fn account_name(given: &str) -> Result<Box<str>, NotTaken> {
    let name = given.trim().to_ascii_lowercase();
    let known = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || ".-_".contains(c);
    let first = name.chars().next().is_some_and(|c| c.is_ascii_alphanumeric());
    match first && name.len() <= LONGEST_NAME && name.chars().all(known) {
        true => Ok(name.into()),
        false => Err(NotTaken(
            "the name of an account has 1 to 40 letters a to z, digits, dots, hyphens and underscores, and begins with a letter or digit",
        )),
    }
}

/// The name that stands on records, without needless blanks.
///
/// # Errors
/// Empty, longer than 80 characters, or with a character that cannot be seen.
pub fn printed_name(given: &str) -> Result<Box<str>, NotTaken> {
    is_plain(given)?;
    let printed = given.split_whitespace().collect::<Vec<_>>().join(" ");
    match printed.chars().count() {
        1..=LONGEST_PRINTED => Ok(printed.into()),
        _ => Err(NotTaken("the name on records has 1 to 80 characters")),
    }
}

/// By what two names on records are told apart: no two accounts share it, so that a name on a record is one account.
pub fn printed_key(printed: &str) -> String {
    printed.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase()
}
