//! Addresses that differ from that of a page in one choice: whatever else is chosen stays as it is.

use axum::http::Uri;

/// What the address of a page asks for, as it stands there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Query(String);

impl Query {
    /// The query of an address.
    pub(super) fn of(uri: &Uri) -> Query {
        Query(uri.query().unwrap_or_default().to_owned())
    }

    /// The same of the line that is shown, with another value of one choice, or without that choice. `value` is as it
    /// may stand in an address.
    pub(super) fn with(&self, line: &str, name: &str, value: Option<&str>) -> String {
        let is_kept = |pair: &&str| {
            let known = pair.split('=').next().unwrap_or_default();
            !known.is_empty() && known != name && known != "line"
        };
        let mut query = format!("?line={line}");
        for pair in self.0.split('&').filter(is_kept) {
            query.push('&');
            query.push_str(pair);
        }
        if let Some(value) = value {
            query.push_str(&format!("&{name}={value}"));
        }
        query
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_choice_changes_and_the_others_stay() {
        let query = |address: &'static str| Query::of(&Uri::from_static(address));
        let asked = query("/stops?window=week&lang=en&line=L1&micro=60&at=2026-11-24T07:30:00Z");
        let kept = "?line=L1&window=week&micro=60&at=2026-11-24T07:30:00Z&lang=zh";
        assert_eq!(asked.with("L1", "lang", Some("zh")), kept);
        let live = "?line=L1&window=week&lang=en&micro=60";
        assert_eq!(asked.with("L1", "at", None), live);
        // A name that only begins alike is another choice, and a blank line is the one that is shown.
        assert_eq!(
            query("/rejects?line=&language=x&&station=CW04").with("L2", "lang", Some("both")),
            "?line=L2&language=x&station=CW04&lang=both"
        );
        assert_eq!(query("/stops").with("L1", "lang", Some("en")), "?line=L1&lang=en");
    }
}
