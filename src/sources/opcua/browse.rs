//! What a server has: a walk from its Objects folder that ends, whatever the server's references look like.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};

use opcua::types::{
    AttributeId, DataValue, EUInformation, Error, NodeClass, NodeId, ObjectId, ReferenceTypeId,
    StatusCode, Variant,
};

use super::session::Explorer;

/// Nodes that are asked about in one request.
const BATCH: usize = 100;
/// Longest way up from a data type to a built-in one.
const MOST_SUPERTYPES: usize = 16;
/// The bit of an access level that allows reading.
const CAN_READ: u8 = 1;

/// Where a walk ends.
#[derive(Clone, Copy, Debug)]
pub struct BrowseLimits {
    /// Steps from the Objects folder.
    pub depth: usize,
    /// Nodes that are looked at.
    pub nodes: usize,
}

/// What was found.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Found {
    /// Namespace URIs by index.
    pub namespaces: Vec<String>,
    /// Variables that can be read, in the order in which they were met.
    pub variables: Vec<Variable>,
    /// Nodes that were looked at.
    pub n_nodes: usize,
    /// Whether a limit ended the walk.
    pub cut_short: bool,
}

/// A variable.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Variable {
    /// Index of its namespace.
    pub namespace: u16,
    /// Identifier part of its node id: `s=CW04.Mean`.
    pub node: String,
    /// Browse names from the Objects folder.
    pub path: Vec<String>,
    /// What the server says of it.
    pub description: String,
    /// Engineering unit.
    pub unit: String,
    /// What its value is.
    pub shape: Shape,
}

/// What the value of a variable is.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Shape {
    /// One value, of this type of a map.
    Scalar(&'static str),
    /// An array of values of this type, with its length where the server fixes it.
    Array(&'static str, Option<u32>),
    /// A structure, or something else that a tag cannot hold as a whole.
    #[default]
    Other,
}

/// A node that waits to be looked at.
struct Open {
    id: NodeId,
    path: Vec<String>,
}

/// A variable of which only the place is known.
struct Met {
    id: NodeId,
    path: Vec<String>,
    unit: Option<NodeId>,
}

/// Walks through a server. `progress` hears of the nodes and variables so far.
pub(super) async fn walk(
    explorer: &Explorer,
    limits: BrowseLimits,
    mut progress: impl FnMut(usize, usize),
) -> Result<Found, Error> {
    let namespaces = explorer.namespaces().await?;
    let root: NodeId = ObjectId::ObjectsFolder.into();
    let mut seen = HashSet::from([root.clone(), ObjectId::Server.into()]);
    let mut open = VecDeque::from([Open { id: root, path: Vec::new() }]);
    let mut met: Vec<Met> = Vec::new();
    let mut of_variable: HashMap<NodeId, usize> = HashMap::new();
    let mut cut_short = false;
    while !open.is_empty() {
        let batch: Vec<Open> = open.drain(..open.len().min(BATCH)).collect();
        let ids: Vec<NodeId> = batch.iter().map(|open| open.id.clone()).collect();
        for (parent, children) in batch.iter().zip(explorer.children(&ids).await?) {
            for child in children {
                let id = child.node_id.node_id;
                if child.node_id.server_index != 0 {
                    continue;
                }
                let is_property = child.reference_type_id == ReferenceTypeId::HasProperty;
                if is_property && child.browse_name.namespace_index == 0 {
                    // Properties of the specification describe a variable; they are no data of the machine.
                    if child.browse_name.name.as_ref() == "EngineeringUnits"
                        && let Some(&variable) = of_variable.get(&parent.id)
                    {
                        met[variable].unit = Some(id);
                    }
                    continue;
                }
                // A node is entered once, by whatever way it is met first: references may run in circles.
                if !seen.insert(id.clone()) {
                    continue;
                }
                if seen.len() > limits.nodes || parent.path.len() >= limits.depth {
                    cut_short = true;
                    continue;
                }
                let mut path = parent.path.clone();
                path.push(child.browse_name.name.as_ref().to_owned());
                if child.node_class == NodeClass::Variable {
                    of_variable.insert(id.clone(), met.len());
                    met.push(Met { id: id.clone(), path: path.clone(), unit: None });
                }
                open.push_back(Open { id, path });
            }
        }
        progress(seen.len(), met.len());
    }
    let variables = describe(explorer, met).await?;
    Ok(Found { namespaces, variables, n_nodes: seen.len(), cut_short })
}

/// Reads what the server says of each variable; those that cannot be read are left out.
async fn describe(explorer: &Explorer, met: Vec<Met>) -> Result<Vec<Variable>, Error> {
    const ATTRIBUTES: [AttributeId; 5] = [
        AttributeId::DataType,
        AttributeId::ValueRank,
        AttributeId::ArrayDimensions,
        AttributeId::UserAccessLevel,
        AttributeId::Description,
    ];
    let mut types = BTreeMap::new();
    let mut variables = Vec::new();
    for batch in met.chunks(BATCH) {
        let wanted = batch
            .iter()
            .flat_map(|met| ATTRIBUTES.map(|attribute| (met.id.clone(), attribute)))
            .collect();
        let answers = explorer.attributes(wanted).await?;
        let units: Vec<NodeId> = batch.iter().filter_map(|met| met.unit.clone()).collect();
        let wanted = units.iter().map(|id| (id.clone(), AttributeId::Value)).collect();
        let values = explorer.attributes(wanted).await?;
        let units: HashMap<NodeId, String> =
            units.into_iter().zip(values.iter().map(unit)).collect();
        for (met, answers) in batch.iter().zip(answers.chunks(ATTRIBUTES.len())) {
            let [data_type, rank, dimensions, access, description] = answers else { continue };
            let readable = match value(access) {
                Some(Variant::Byte(level)) => level & CAN_READ != 0,
                // A server that does not say lets one try.
                _ => true,
            };
            if !readable {
                continue;
            }
            let kind = match value(data_type) {
                Some(Variant::NodeId(id)) => kind(explorer, id, &mut types).await?,
                _ => None,
            };
            variables.push(Variable {
                namespace: met.id.namespace,
                node: met.id.identifier.to_string(),
                path: met.path.clone(),
                description: text(description),
                unit: met.unit.as_ref().and_then(|id| units.get(id)).cloned().unwrap_or_default(),
                shape: shape(kind, value(rank), value(dimensions)),
            });
        }
    }
    Ok(variables)
}

fn value(answer: &DataValue) -> Option<&Variant> {
    answer.value.as_ref().filter(|_| !answer.status.unwrap_or(StatusCode::Good).is_bad())
}

fn text(answer: &DataValue) -> String {
    match value(answer) {
        Some(Variant::LocalizedText(text)) => text.text.as_ref().to_owned(),
        Some(Variant::String(text)) => text.as_ref().to_owned(),
        _ => String::new(),
    }
}

fn unit(answer: &DataValue) -> String {
    match value(answer) {
        Some(Variant::ExtensionObject(object)) => object
            .inner_as::<EUInformation>()
            .map_or_else(String::new, |unit| unit.display_name.text.as_ref().to_owned()),
        _ => String::new(),
    }
}

fn shape(
    kind: Option<&'static str>,
    rank: Option<&Variant>,
    dimensions: Option<&Variant>,
) -> Shape {
    let Some(kind) = kind else { return Shape::Other };
    match rank {
        // Scalar, or scalar or anything; a server that does not say means a scalar.
        Some(Variant::Int32(-3..=-1)) | None => Shape::Scalar(kind),
        Some(Variant::Int32(0 | 1)) => {
            let length = match dimensions {
                Some(Variant::Array(array)) => match &array.values[..] {
                    [Variant::UInt32(length)] if *length > 0 => Some(*length),
                    _ => None,
                },
                _ => None,
            };
            Shape::Array(kind, length)
        }
        _ => Shape::Other,
    }
}

/// The type of a map for a data type: that of the built-in type which it comes from.
async fn kind(
    explorer: &Explorer,
    id: &NodeId,
    known: &mut BTreeMap<String, Option<&'static str>>,
) -> Result<Option<&'static str>, Error> {
    let key = id.to_string();
    if let Some(kind) = known.get(&key) {
        return Ok(*kind);
    }
    let mut at = id.clone();
    let mut found = None;
    for _ in 0..MOST_SUPERTYPES {
        if let Some(kind) = built_in(&at) {
            found = Some(kind);
            break;
        }
        match explorer.supertype(&at).await? {
            Some(above) => at = above,
            None => break,
        }
    }
    known.insert(key, found);
    Ok(found)
}

/// OPC 10000-6 table 1, and the enumerations, which travel as Int32. Times are microseconds since 1970.
fn built_in(id: &NodeId) -> Option<&'static str> {
    if id.namespace != 0 {
        return None;
    }
    Some(match id.as_u32()? {
        1 => "bool",
        2 | 4 => "i16",
        3 | 5 => "u16",
        6 | 29 => "i32",
        7 => "u32",
        8 | 13 => "i64",
        9 => "u64",
        10 => "f32",
        11 => "f64",
        12 | 21 => "text80",
        _ => return None,
    })
}
