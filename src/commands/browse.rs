//! `capline browse`: what a server has, as a map to begin with.

use std::path::PathBuf;
use std::process::ExitCode;

use capline::clock::Clock;
use capline::config::{OpcUaAccess, PasswordPlace, Policy, Security, User, pki_dir};
use capline::sources::{BrowseLimits, MapHead, browse, map_text};
use clap::{Args, Subcommand};

use super::{Refusal, print};

/// Look around in a machine, and print a map of what it has
#[derive(Args)]
#[command(
    subcommand_value_name = "opcua",
    after_help = "\
Example:
  capline browse opcua opc.tcp://192.168.1.14:4840 --filter CW04 > plc-maps/cw04-opcua.toml"
)]
pub(crate) struct BrowseArgs {
    #[command(subcommand)]
    protocol: BrowseProtocol,
}

#[derive(Subcommand)]
enum BrowseProtocol {
    Opcua(OpcUaArgs),
}

/// Walk through an OPC UA server from its Objects folder
///
/// Prints a map with every variable that can be read, its type, and what the server says of it. No role is guessed;
/// what looks like a counter is marked. Progress goes to stderr. Nothing is written to the server.
#[derive(Args)]
#[command(after_help = "\
Example:
  capline browse opcua opc.tcp://192.168.1.14:4840 --filter CW04 > plc-maps/cw04-opcua.toml

Exit code 0: printed. 2: the server cannot be browsed, or nothing fits; why is on stderr.")]
struct OpcUaArgs {
    /// Address of the server, such as opc.tcp://192.168.1.14:4840
    #[arg(value_name = "URL")]
    url: String,
    /// Only what has this text in its path or node id, whatever the case
    #[arg(long, value_name = "TEXT")]
    filter: Option<String>,
    /// URI of the namespace; without it the one with most variables
    #[arg(long, value_name = "URI")]
    namespace: Option<String>,
    /// Name of the machine in the map; without it the folder that --filter names, or else PLC1
    #[arg(long)]
    station: Option<String>,
    /// Security policy: None, Basic256Sha256, Aes128_Sha256_RsaOaep or Aes256_Sha256_RsaPss
    #[arg(long, value_name = "POLICY", default_value = "None", value_parser = policy)]
    security: PolicyChoice,
    /// With a policy: sign only, do not encrypt
    #[arg(long)]
    sign_only: bool,
    /// User name; the password comes from CAPLINE_OPCUA_PASSWORD or --password-file
    #[arg(long, value_name = "NAME")]
    user: Option<String>,
    /// File that holds the password, readable by us alone
    #[arg(long, value_name = "FILE", requires = "user")]
    password_file: Option<PathBuf>,
    /// Directory of the certificates, as in `capline pki`
    #[arg(long, value_name = "DIR")]
    pki: Option<PathBuf>,
    /// Steps from the Objects folder
    #[arg(long, default_value_t = 20)]
    depth: usize,
    /// Nodes that are looked at
    #[arg(long, value_name = "N", default_value_t = 20_000)]
    limit: usize,
}

/// A policy, or none.
#[derive(Clone, Copy)]
struct PolicyChoice(Option<Policy>);

fn policy(text: &str) -> Result<PolicyChoice, String> {
    let strong = || Policy::ALL.into_iter().filter(|policy| !policy.is_weak());
    match strong().find(|policy| policy.word() == text) {
        Some(policy) => Ok(PolicyChoice(Some(policy))),
        None if text == "None" => Ok(PolicyChoice(None)),
        None => {
            let known: Vec<&str> = strong().map(Policy::word).collect();
            Err(format!("use None or {}", known.join(", ")))
        }
    }
}

/// Variable of the environment that holds the password.
const VARIABLE: &str = "CAPLINE_OPCUA_PASSWORD";

pub(crate) async fn run(args: &BrowseArgs) -> Result<ExitCode, Refusal> {
    let BrowseProtocol::Opcua(args) = &args.protocol;
    let limits = BrowseLimits { depth: args.depth, nodes: args.limit };
    let mut said = 0;
    let progress = |nodes: usize, variables: usize| {
        if nodes >= said + 1_000 {
            said = nodes;
            eprintln!("{nodes} nodes, {variables} variables so far");
        }
    };
    let refused = |error: String| Refusal(error);
    let found = browse(&args.url, access(args), limits, Clock::real(), progress)
        .await
        .map_err(|error| refused(error.to_string()))?;
    eprintln!("{} nodes, {} variables that can be read", found.n_nodes, found.variables.len());
    if found.cut_short {
        eprintln!(
            "not all was looked at: the walk ends at {} nodes and {} steps; raise --limit or --depth",
            args.limit, args.depth
        );
    }
    let head = MapHead { station: args.station.clone(), address: args.url.clone() };
    let text = map_text(&found, &head, args.filter.as_deref(), args.namespace.as_deref());
    Ok(print(&text.map_err(|error| refused(format!("{}: {error}", args.url)))?))
}

fn access(args: &OpcUaArgs) -> OpcUaAccess {
    let user = match (&args.user, &args.password_file) {
        (None, _) => User::Anonymous,
        (Some(name), Some(file)) => {
            User::Named { name: name.clone(), password: PasswordPlace::File(file.clone()) }
        }
        (Some(name), None) => {
            let password = PasswordPlace::Variable(VARIABLE.to_owned());
            User::Named { name: name.clone(), password }
        }
    };
    let security = match args.security.0 {
        None => Security::None,
        Some(policy) => Security::Secured { policy, encrypted: !args.sign_only },
    };
    let pki = args.pki.clone().unwrap_or_else(|| pki_dir(std::path::Path::new("config/data")));
    OpcUaAccess { security, user, accepts_weak: false, pki }
}
