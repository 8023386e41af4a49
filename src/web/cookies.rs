//! The two cookies that let a browser in.

use axum::http::HeaderValue;

/// How long a browser keeps the token of a display: as long as browsers keep anything. It is renewed by each wall.
const DISPLAY_KEPT: &str = "; Max-Age=34560000";

/// Names of the two cookies. Over TLS browsers keep them to this host and to TLS.
pub(super) fn cookie_names(secure: bool) -> [&'static str; 2] {
    match secure {
        true => ["__Host-capline", "__Host-capline-display"],
        false => ["capline-session", "capline-display"],
    }
}

/// A cookie that scripts cannot read and other sites cannot use; an empty token takes it away.
fn cookie(name: &str, token: &str, secure: bool, kept: &str) -> Option<HeaderValue> {
    let secure = if secure { "; Secure" } else { "" };
    let kept = if token.is_empty() { "; Max-Age=0" } else { kept };
    format!("{name}={token}; Path=/; HttpOnly; SameSite=Strict{secure}{kept}").parse().ok()
}

/// The cookie of a session; it goes with the browser, and an empty token takes it away.
pub(super) fn session_cookie(token: &str, secure: bool) -> Option<HeaderValue> {
    cookie(cookie_names(secure)[0], token, secure, "")
}

/// The cookie of a display, which stays.
pub(super) fn display_cookie(token: &str, secure: bool) -> Option<HeaderValue> {
    cookie(cookie_names(secure)[1], token, secure, DISPLAY_KEPT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cookies_belong_to_this_host_and_to_no_script() {
        let secure = session_cookie("00ff", true).unwrap();
        let told = "__Host-capline=00ff; Path=/; HttpOnly; SameSite=Strict; Secure";
        assert_eq!(secure, told);
        let plain = session_cookie("00ff", false).unwrap();
        assert_eq!(plain, "capline-session=00ff; Path=/; HttpOnly; SameSite=Strict");
        assert!(session_cookie("", false).unwrap().to_str().unwrap().ends_with("Max-Age=0"));
        assert!(session_cookie("a\nb", false).is_none());
    }
}
