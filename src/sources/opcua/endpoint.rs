//! Which of the endpoints that a server offers is used, and how the user is shown to it. Pure.
//!
//! The list of endpoints comes over an unsecured channel, so whoever sits between could shorten or change it. What is
//! configured is therefore taken or nothing: there is no falling back.

use opcua::types::{EndpointDescription, MessageSecurityMode, UserTokenPolicy, UserTokenType};

use crate::config::{OpcUaAccess, Policy, Security, User};

const URI: &str = "http://opcfoundation.org/UA/SecurityPolicy#";

/// Why none of the endpoints can be used.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum NoEndpoint {
    #[error("the server offers no endpoint with {wanted}; it offers {offered}")]
    Security { wanted: String, offered: String },
    #[error("the server takes no {wanted} at its endpoint with {security}; it takes {offered}")]
    User { wanted: &'static str, security: String, offered: String },
    #[error(
        "the password would be sent so that others can read it; use security = \"Basic256Sha256\" with mode = \"SignAndEncrypt\", or accept it with weak_security = \"accepted\""
    )]
    PasswordInClear,
}

/// The endpoint that is configured, with the one way of showing the user that is to be used.
pub(super) fn choose(
    offered: &[EndpointDescription],
    access: &OpcUaAccess,
) -> Result<EndpointDescription, NoEndpoint> {
    let (uri, mode) = wanted(access.security);
    let fits = |endpoint: &&EndpointDescription| {
        endpoint.security_policy_uri.as_ref() == uri && endpoint.security_mode == mode
    };
    let fitting: Vec<&EndpointDescription> = offered.iter().filter(fits).collect();
    if fitting.is_empty() {
        let mut known: Vec<String> = offered
            .iter()
            .map(|endpoint| said(endpoint.security_policy_uri.as_ref(), endpoint.security_mode))
            .collect();
        known.dedup();
        return Err(NoEndpoint::Security {
            wanted: said(&uri, mode),
            offered: if known.is_empty() { "none at all".to_owned() } else { known.join(", ") },
        });
    }
    let (kind, word) = token(&access.user);
    let tokens = |endpoint: &EndpointDescription| -> Vec<UserTokenPolicy> {
        endpoint.user_identity_tokens.clone().unwrap_or_default()
    };
    let best = fitting
        .iter()
        .flat_map(|endpoint| tokens(endpoint).into_iter().map(move |token| (*endpoint, token)))
        .filter(|(_, token)| token.token_type == kind)
        .map(|(endpoint, token)| (endpoint, effective(endpoint, token)))
        // The first of equals, as the server prefers it.
        .rev()
        .max_by_key(|(_, token)| rank(token.security_policy_uri.as_ref(), access.accepts_weak));
    let Some((endpoint, token)) = best else {
        let mut known: Vec<&str> = fitting
            .iter()
            .flat_map(|endpoint| tokens(endpoint))
            .map(|token| token_word(token.token_type))
            .collect();
        known.sort_unstable();
        known.dedup();
        return Err(NoEndpoint::User {
            wanted: word,
            security: said(&uri, mode),
            offered: if known.is_empty() { "nobody".to_owned() } else { known.join(", ") },
        });
    };
    let strength = rank(token.security_policy_uri.as_ref(), access.accepts_weak);
    let readable = strength == 0 && mode != MessageSecurityMode::SignAndEncrypt;
    if kind == UserTokenType::UserName && readable && !access.accepts_weak {
        return Err(NoEndpoint::PasswordInClear);
    }
    Ok(EndpointDescription { user_identity_tokens: Some(vec![token]), ..endpoint.clone() })
}

/// Whether the server must prove to be one that we trust: where the connection is secured, and where a password or
/// a signature is made for the key that it shows.
pub(super) fn needs_trust(endpoint: &EndpointDescription) -> bool {
    let of_user = endpoint.user_identity_tokens.iter().flatten().any(|token| {
        token.token_type != UserTokenType::Anonymous
            && name(token.security_policy_uri.as_ref()) != "None"
    });
    endpoint.security_mode != MessageSecurityMode::None || of_user
}

fn wanted(security: Security) -> (String, MessageSecurityMode) {
    match security {
        Security::None => (format!("{URI}None"), MessageSecurityMode::None),
        Security::Secured { policy, encrypted } => {
            let mode = match encrypted {
                true => MessageSecurityMode::SignAndEncrypt,
                false => MessageSecurityMode::Sign,
            };
            (format!("{URI}{}", policy.word()), mode)
        }
    }
}

/// An empty policy of a token means that of its endpoint; the library takes it for none.
fn effective(endpoint: &EndpointDescription, token: UserTokenPolicy) -> UserTokenPolicy {
    match token.security_policy_uri.is_empty() {
        true => {
            UserTokenPolicy { security_policy_uri: endpoint.security_policy_uri.clone(), ..token }
        }
        false => token,
    }
}

/// How well a secret is kept under a policy: 0 for not at all or not known.
fn rank(uri: &str, accepts_weak: bool) -> usize {
    let known = Policy::ALL.into_iter().rev().position(|policy| policy.word() == name(uri));
    let is_weak = Policy::ALL.into_iter().any(|p| p.word() == name(uri) && p.is_weak());
    match known {
        Some(rank) if !is_weak || accepts_weak => rank + 1,
        _ => 0,
    }
}

fn name(uri: &str) -> &str {
    uri.strip_prefix(URI).unwrap_or(uri)
}

fn said(uri: &str, mode: MessageSecurityMode) -> String {
    match mode {
        MessageSecurityMode::None => "security None".to_owned(),
        MessageSecurityMode::Sign => format!("{} Sign", name(uri)),
        MessageSecurityMode::SignAndEncrypt => format!("{} SignAndEncrypt", name(uri)),
        MessageSecurityMode::Invalid => format!("{} in no mode", name(uri)),
    }
}

fn token(user: &User) -> (UserTokenType, &'static str) {
    let kind = match user {
        User::Anonymous => UserTokenType::Anonymous,
        User::Named { .. } => UserTokenType::UserName,
        User::Certificate { .. } => UserTokenType::Certificate,
    };
    (kind, token_word(kind))
}

fn token_word(kind: UserTokenType) -> &'static str {
    match kind {
        UserTokenType::Anonymous => "anonymous user",
        UserTokenType::UserName => "user name",
        UserTokenType::Certificate => "certificate of a user",
        UserTokenType::IssuedToken => "issued token",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::PasswordPlace;

    fn offer(
        policy: &str,
        mode: MessageSecurityMode,
        tokens: &[(UserTokenType, &str)],
    ) -> EndpointDescription {
        let tokens = tokens.iter().zip(0..).map(|((kind, policy), n)| UserTokenPolicy {
            policy_id: n.to_string().into(),
            token_type: *kind,
            security_policy_uri: match *policy {
                "" => Default::default(),
                policy => format!("{URI}{policy}").into(),
            },
            ..Default::default()
        });
        EndpointDescription {
            security_policy_uri: format!("{URI}{policy}").into(),
            security_mode: mode,
            user_identity_tokens: Some(tokens.collect()),
            ..Default::default()
        }
    }

    fn access(security: Security, user: User) -> OpcUaAccess {
        OpcUaAccess { security, user, ..Default::default() }
    }

    fn named() -> User {
        User::Named { name: "edge".into(), password: PasswordPlace::Variable("X".into()) }
    }

    const ENCRYPTED: Security =
        Security::Secured { policy: Policy::Basic256Sha256, encrypted: true };
    const SIGNED: Security = Security::Secured { policy: Policy::Basic256Sha256, encrypted: false };

    use MessageSecurityMode::{None as Open, Sign, SignAndEncrypt as Both};
    use UserTokenType::{Anonymous, Certificate, UserName};

    #[test]
    fn what_is_configured_is_taken_or_nothing() {
        let offers = [
            offer("None", Open, &[(Anonymous, "")]),
            offer("Basic256Sha256", Sign, &[(Anonymous, "")]),
            offer("Aes256_Sha256_RsaPss", Both, &[(Anonymous, "")]),
        ];
        let of = |security| choose(&offers, &access(security, User::Anonymous));
        assert_eq!(of(Security::None).unwrap().security_mode, Open);
        assert_eq!(of(SIGNED).unwrap().security_mode, Sign);
        assert_eq!(
            of(ENCRYPTED).unwrap_err().to_string(),
            "the server offers no endpoint with Basic256Sha256 SignAndEncrypt; it offers security None, Basic256Sha256 Sign, Aes256_Sha256_RsaPss SignAndEncrypt"
        );
        // A stripped list leads to no weaker connection.
        assert!(choose(&offers[..1], &access(ENCRYPTED, User::Anonymous)).is_err());
        assert!(choose(&[], &access(Security::None, User::Anonymous)).is_err());
    }

    #[test]
    fn the_user_is_shown_in_the_best_way_that_is_offered() {
        let tokens = [(UserName, "None"), (UserName, "Basic256Sha256"), (UserName, "Basic256")];
        let chosen = choose(&[offer("None", Open, &tokens)], &access(Security::None, named()));
        let tokens = chosen.unwrap().user_identity_tokens.unwrap();
        assert_eq!((tokens.len(), tokens[0].policy_id.as_ref()), (1, "1"));
        let refused = choose(
            &[offer("None", Open, &[(Anonymous, ""), (Certificate, "")])],
            &access(Security::None, named()),
        );
        assert_eq!(
            refused.unwrap_err().to_string(),
            "the server takes no user name at its endpoint with security None; it takes anonymous user, certificate of a user"
        );
    }

    #[test]
    fn an_empty_policy_of_a_token_is_that_of_the_endpoint() {
        let offer = offer("Basic256Sha256", Sign, &[(Certificate, "")]);
        let user = User::Certificate { certificate: "c".into(), key: "k".into() };
        let chosen = choose(&[offer], &access(SIGNED, user)).unwrap();
        let token = &chosen.user_identity_tokens.unwrap()[0];
        assert_eq!(name(token.security_policy_uri.as_ref()), "Basic256Sha256");
    }

    #[test]
    fn a_password_is_never_readable_on_the_way_unless_that_was_accepted() {
        for (mode, channel, policy, goes) in [
            (Open, "None", "None", false),
            (Open, "None", "", false),
            (Open, "None", "Basic256", false),
            (Open, "None", "Basic256Sha256", true),
            (Sign, "Basic256Sha256", "None", false),
            (Sign, "Basic256Sha256", "", true),
            (Both, "Basic256Sha256", "None", true),
        ] {
            let security = match mode {
                Open => Security::None,
                Sign => SIGNED,
                _ => ENCRYPTED,
            };
            let offers = [offer(channel, mode, &[(UserName, policy)])];
            let strict = access(security, named());
            assert_eq!(choose(&offers, &strict).is_ok(), goes, "{mode:?} {policy}");
            let lenient = OpcUaAccess { accepts_weak: true, ..strict };
            assert!(choose(&offers, &lenient).is_ok(), "{mode:?} {policy}");
        }
    }

    #[test]
    fn a_server_must_be_trusted_where_its_key_is_relied_on() {
        for (offer, needs) in [
            (offer("None", Open, &[(Anonymous, "None")]), false),
            (offer("None", Open, &[(UserName, "None")]), false),
            (offer("None", Open, &[(UserName, "Basic256Sha256")]), true),
            (offer("Basic256Sha256", Sign, &[(Anonymous, "None")]), true),
        ] {
            assert_eq!(needs_trust(&offer), needs);
        }
    }
}
