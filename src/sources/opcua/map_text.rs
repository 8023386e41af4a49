//! What a server has → the text of a map to begin with. Pure.
//!
//! No role is guessed: a wrong one would count wrong. What looks like a counter is marked for a person to decide.

use std::collections::HashSet;

use domain::plc_map::import::INSIDE;

use super::browse::{Found, Shape, Variable};

/// Longest name of a tag.
const NAME: usize = 80;
/// Longest array of which every element becomes a tag.
const ELEMENTS: u32 = 32;
/// Words in the names of counters, in the languages of the machines we have met.
const COUNTERS: [&str; 16] = [
    "count",
    "total",
    "good",
    "bad",
    "reject",
    "produced",
    "processed",
    "defective",
    "consumed",
    "cnt",
    "qty",
    "quantity",
    "stueck",
    "zaehler",
    "piece",
    "计数",
];

/// Name of a machine that nobody named.
pub(crate) const STATION: &str = "PLC1";

/// What the map is called.
#[derive(Clone, Debug)]
pub struct MapHead {
    /// Name of the machine. Without it the folder that the filter names, or else [`STATION`].
    pub station: Option<String>,
    /// Address that was browsed.
    pub address: String,
}

/// The map of the variables in one namespace; the one with most of them unless another is given by its URI. `filter`
/// keeps what has the text in its path or its node id, whatever the case.
///
/// # Errors
/// There is no such namespace, or nothing is left.
pub fn map_text(
    found: &Found,
    head: &MapHead,
    filter: Option<&str>,
    namespace: Option<&str>,
) -> Result<String, String> {
    let wanted = filter.map(str::to_lowercase);
    let fits = |variable: &&Variable| match &wanted {
        None => variable.namespace != 0,
        Some(text) => {
            let path = variable.path.join(".").to_lowercase();
            path.contains(text) || variable.node.to_lowercase().contains(text)
        }
    };
    let fitting: Vec<&Variable> = found.variables.iter().filter(fits).collect();
    let counts = |index: u16| fitting.iter().filter(|v| v.namespace == index).count();
    let index = match namespace {
        Some(uri) => {
            let position = found.namespaces.iter().position(|known| known == uri);
            let position = position.and_then(|position| u16::try_from(position).ok());
            position.ok_or_else(|| {
                format!(
                    "the server does not know the namespace {uri}; it has {}",
                    found.namespaces.join(", ")
                )
            })?
        }
        None => {
            let indices = 0..u16::try_from(found.namespaces.len()).unwrap_or(u16::MAX);
            // The first of equals.
            indices.rev().max_by_key(|index| counts(*index)).unwrap_or(0)
        }
    };
    let variables: Vec<&Variable> =
        fitting.iter().copied().filter(|variable| variable.namespace == index).collect();
    if variables.is_empty() {
        let all = found.variables.len();
        return Err(format!(
            "none of the {all} variables fits; try another --filter or --namespace"
        ));
    }
    let uri = found.namespaces.get(usize::from(index)).map_or("", String::as_str);
    let station = match &head.station {
        Some(station) => station.as_str(),
        None => filter.and_then(|filter| folder(&variables, filter)).unwrap_or(STATION),
    };
    let elsewhere = fitting.len() - variables.len();
    let mut text = top((station, &head.address), uri, variables.len(), elsewhere);
    let mut names = HashSet::new();
    for variable in variables {
        tags(&mut text, variable, &mut names);
    }
    Ok(text)
}

/// The folder above all these variables whose name is the filter, as the server writes it.
fn folder<'a>(variables: &[&'a Variable], filter: &str) -> Option<&'a str> {
    let is_name = |name: &str| {
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        (1..=32).contains(&name.len()) && name.chars().all(plain)
    };
    let of = |variable: &&'a Variable| -> Option<&'a str> {
        let (_, folders) = variable.path.split_last()?;
        let named = |name: &&String| name.eq_ignore_ascii_case(filter) && is_name(name);
        folders.iter().find(named).map(String::as_str)
    };
    let first = of(variables.first()?)?;
    variables.iter().all(|variable| of(variable) == Some(first)).then_some(first)
}

fn top((station, address): (&str, &str), uri: &str, n: usize, elsewhere: usize) -> String {
    let quote = |text: &str| toml::Value::from(text).to_string();
    let mut text = format!(
        "# {n} variables of {}. Before it is used: set max_per_minute, delete what nobody needs, and give the tags\n\
         # that mean something to the line their roles; what looks like a counter is marked.\n",
        line(address)
    );
    if elsewhere > 0 {
        text +=
            &format!("# {elsewhere} more are in other namespaces; --namespace URI shows them.\n");
    }
    let station = quote(station);
    text += &format!(
        "\n[machine]\nstation = {station}\ntitle = {{ en = {station}, zh = {station} }}\nprotocol = \"opcua\"\n\
         max_per_minute = 6500                 # fastest rate that the machine can make or pass, capsules a minute\n\
         {INSIDE}\n[opcua]\nnamespace = {}\n\n[groups]\nfast = \"100ms\"\n",
        quote(uri)
    );
    text
}

fn tags(text: &mut String, variable: &Variable, names: &mut HashSet<String>) {
    let about = [&variable.description, &variable.unit]
        .into_iter()
        .filter(|part| !part.is_empty())
        .map(|part| line(part))
        .collect::<Vec<_>>()
        .join("; ");
    let about = if about.is_empty() { about } else { format!("# {about}\n") };
    match &variable.shape {
        Shape::Scalar(kind) => tag(text, variable, &about, kind, None, names),
        Shape::Array(kind, Some(length)) if *length <= ELEMENTS => {
            for element in 0..*length {
                tag(text, variable, &about, kind, Some(element), names);
            }
        }
        Shape::Array(kind, _) => {
            *text += &format!(
                "\n{about}# {}: an array of {kind}; a tag with part = \"[0]\" reads its first element, node = {}\n",
                line(&variable.path.join(".")),
                toml::Value::from(line(&variable.node)),
            );
        }
        Shape::Other => {
            *text += &format!(
                "\n{about}# {}: a structure or another type; a tag with part = \"Field\" reads a field, node = {}\n",
                line(&variable.path.join(".")),
                toml::Value::from(line(&variable.node)),
            );
        }
    }
}

fn tag(
    text: &mut String,
    variable: &Variable,
    about: &str,
    kind: &str,
    element: Option<u32>,
    names: &mut HashSet<String>,
) {
    let part = element.map(|element| format!("[{element}]"));
    let name = name(variable, part.as_deref().unwrap_or(""), names);
    let candidate = match is_counter(variable, kind) {
        true => {
            "                     # counter? role = \"good\" or \"reject:reason\", with resets and retentive"
        }
        false => "",
    };
    *text += &format!(
        "\n{about}[[tag]]\nid = \"{name}\"\nnode = {}\n",
        toml::Value::from(variable.node.as_str())
    );
    if let Some(part) = part {
        *text += &format!("part = \"{part}\"\n");
    }
    *text += &format!("type = \"{kind}\"\nrole = \"condition\"{candidate}\n");
    if !variable.unit.is_empty() {
        *text += &format!("unit = {}\n", toml::Value::from(line(&variable.unit)));
    }
}

fn is_counter(variable: &Variable, kind: &str) -> bool {
    let last = variable.path.last().map_or_else(String::new, |name| name.to_lowercase());
    matches!(kind, "u16" | "u32" | "u64" | "i16" | "i32" | "i64")
        && COUNTERS.iter().any(|word| last.contains(word))
}

/// A name that no other tag has: as much of the end of the path as fits, in the letters that a tag may have.
fn name(variable: &Variable, part: &str, names: &mut HashSet<String>) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() || "_-.".contains(c) { c } else { '_' };
    let path: Vec<String> =
        variable.path.iter().map(|name| name.chars().map(plain).collect()).collect();
    let room = NAME - 12;
    let mut whole = path.join(".");
    if whole.len() > room {
        whole = whole[whole.len() - room..].trim_start_matches(['.', '_']).to_owned();
    }
    if whole.is_empty() {
        whole = "variable".to_owned();
    }
    let mut name = format!("{whole}{part}");
    let mut n = 2;
    while !names.insert(name.clone()) {
        name = format!("{whole}-{n}{part}");
        n += 1;
    }
    name
}

/// A text of a stranger on one line of a comment.
fn line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use domain::plc_map::{Address, PlcMap};

    use super::*;

    fn variable(path: &[&str], node: &str, shape: Shape) -> Variable {
        Variable {
            namespace: 2,
            node: node.to_owned(),
            path: path.iter().map(|&name| name.to_owned()).collect(),
            shape,
            ..Default::default()
        }
    }

    fn found(variables: Vec<Variable>) -> Found {
        let namespaces = ["http://opcfoundation.org/UA/", "urn:own", "urn:\"machine\""];
        let namespaces = namespaces.map(str::to_owned).into();
        Found { namespaces, variables, ..Default::default() }
    }

    fn head() -> MapHead {
        MapHead { station: Some("CW04".to_owned()), address: "opc.tcp://plc:4840".to_owned() }
    }

    fn parsed(text: &str) -> PlcMap {
        PlcMap::parse("browsed.toml", text).unwrap_or_else(|e| panic!("{e:?}\n{text}"))
    }

    #[test]
    fn the_map_can_be_read_whatever_the_server_calls_its_nodes() {
        let long = "x".repeat(200);
        let mut odd = variable(&["Lini\"e\n", "Zähler"], "s=a\"b\\c\n", Shape::Scalar("u32"));
        odd.description = "first line\n[[tag]]".to_owned();
        odd.unit = "°C\n".to_owned();
        let text = map_text(
            &found(vec![
                odd,
                variable(&["A", "Good"], "i=7", Shape::Scalar("u16")),
                variable(&["A", "Good"], "i=8", Shape::Scalar("bool")),
                variable(&[&long, &long], "i=9", Shape::Scalar("text80")),
                variable(&[""], "g=72962b91-fa75-4ae6-8d28-b404dc7daf63", Shape::Scalar("f64")),
                variable(&["Arr"], "s=Arr", Shape::Array("u32", Some(2))),
                variable(&["Big"], "s=Big", Shape::Array("u32", None)),
                variable(&["Struct"], "s=S", Shape::Other),
            ]),
            &head(),
            None,
            None,
        );
        let text = text.unwrap();
        let map = parsed(&text);
        let ids: Vec<&str> = map.tags.iter().map(|tag| tag.id.as_str()).collect();
        assert_eq!(ids[1..3], ["A.Good", "A.Good-2"]);
        assert_eq!(ids[5..], ["Arr[0]", "Arr[1]"]);
        assert_eq!(map.tags[0].address, Address::Node("s=a\"b\\c\n".into()));
        assert_eq!(text.matches("# counter?").count(), 1, "{text}");
        assert!(text.contains("# Struct: a structure"), "{text}");
    }

    #[test]
    fn the_station_is_the_folder_that_the_filter_names() {
        let all = found(vec![
            variable(&["Line", "CW04", "Good"], "s=G", Shape::Scalar("u32")),
            variable(&["Line", "CW04", "Mean"], "s=M", Shape::Scalar("f32")),
            variable(&["Line", "CF01", "Good"], "s=F", Shape::Scalar("f32")),
        ]);
        let station = |station: Option<&str>, filter| {
            let head = MapHead { station: station.map(str::to_owned), ..head() };
            let map = parsed(&map_text(&all, &head, filter, None).expect("a map"));
            (map.station.as_str().to_owned(), map.title.en.to_string())
        };
        let named = |name: &str| (name.to_owned(), name.to_owned());
        assert_eq!(station(None, Some("cw04")), named("CW04"));
        assert_eq!(station(Some("W1"), Some("cw04")), named("W1"));
        assert_eq!(station(None, Some("good")), named(STATION), "a variable is no machine");
        assert_eq!(station(None, None), named(STATION));
    }

    #[test]
    fn one_namespace_makes_a_map_and_a_filter_narrows_it() {
        let mut other = variable(&["Other"], "i=1", Shape::Scalar("u16"));
        other.namespace = 1;
        let all = found(vec![
            other,
            variable(&["Line", "Good"], "s=G", Shape::Scalar("u32")),
            variable(&["Line", "Mean"], "s=M", Shape::Scalar("f32")),
        ]);
        let tags = |filter, namespace| {
            map_text(&all, &head(), filter, namespace).map(|text| parsed(&text).tags.len())
        };
        assert_eq!(tags(None, None), Ok(2));
        assert_eq!(tags(Some("MEAN"), None), Ok(1));
        assert_eq!(tags(None, Some("urn:own")), Ok(1));
        assert!(tags(Some("nothing"), None).unwrap_err().contains("none of the 3 variables"));
        assert!(tags(None, Some("urn:else")).unwrap_err().contains("urn:own"));
    }
}
