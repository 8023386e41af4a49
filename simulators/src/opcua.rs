//! All machines on OPC UA: nodes `nsu=urn:tjt:caps:L1;s=CF01.…` to `s=BC05.…`, pushed when they change.
//!
//! Values are pushed and not sampled: the server's own sampler is no faster than 100 ms and an
//! update that comes earlier than a sampling interval would get a rewritten source time.

use std::{net::SocketAddr, path::Path, sync::Arc, time::Duration};

use opcua::{
    server::{
        ANONYMOUS_USER_TOKEN_ID, Server, ServerBuilder, ServerEndpoint, ServerHandle,
        address_space::{AccessLevel, AddressSpace, ReferenceDirection, VariableBuilder},
        diagnostics::NamespaceMetadata,
        node_manager::memory::{SimpleNodeManager, simple_node_manager},
    },
    types::{
        DataTypeId, DataValue, DateTime, NodeId, ObjectId, ReferenceTypeId, StatusCode, UAString,
        Variant,
    },
};
use tokio::{net::TcpListener, time::MissedTickBehavior};

use crate::{
    faults::OpcUaFaults,
    plant::{Core, PlantError},
    registers::NodeValue,
};

/// Namespace of all nodes, of every line: a map of a machine is that of the same machine of another line. Which line a server
/// is of tells its application URI.
pub const NAMESPACE: &str = "urn:tjt:caps:L1";

/// Between two values of a queue that overflows, in microseconds of plant time.
const LOST_US: i64 = 1_000_000;

/// A server that is built and not yet running.
pub(crate) struct Plc {
    core: Arc<Core>,
    listener: std::net::TcpListener,
    addr: SocketAddr,
    options: Options,
    built: Built,
}

/// What a restart of the server needs again.
pub(crate) struct Options {
    /// Number of the line, from 1.
    pub(crate) line: u16,
    pub(crate) pki_dir: std::path::PathBuf,
    pub(crate) push_every: Duration,
}

impl Plc {
    pub(crate) fn new(
        core: Arc<Core>,
        listener: std::net::TcpListener,
        options: Options,
    ) -> Result<Plc, PlantError> {
        let addr = listener.local_addr().map_err(PlantError::Socket)?;
        let built = build(&core, addr, &options)?;
        Ok(Plc { core, listener, addr, options, built })
    }

    /// Serves until the task is aborted.
    pub(crate) async fn serve(self) {
        let Plc { core, listener, addr, options, mut built } = self;
        let mut drops = core.faults.session_drops();
        loop {
            // Every run of the server consumes a listener; the clone keeps the port open between.
            let listener = match listener.try_clone().and_then(TcpListener::from_std) {
                Ok(listener) => listener,
                Err(error) => return tracing::error!(%error, "the OPC UA server has no listener"),
            };
            while core.faults_now().opcua.refuse_connections {
                refuse(&listener).await;
                // Who waits until the nodes show the plant waits for nothing.
                core.pushed_us.send_replace(core.clock.now_us());
            }
            let Built { server, nodes } = built;
            tokio::select! {
                result = server.run_with(listener) => {
                    return tracing::error!(?result, "the OPC UA server ended");
                }
                () = push(&core, nodes, options.push_every) => {}
                _ = drops.changed() => {}
            }
            built = match build(&core, addr, &options) {
                Ok(built) => built,
                Err(error) => return tracing::error!(%error, "the OPC UA server did not restart"),
            };
        }
    }
}

/// How long a fault that has ended may still refuse.
const REFUSE_FOR: Duration = Duration::from_millis(20);

/// Closes every connection that comes within a moment.
async fn refuse(listener: &TcpListener) {
    let closing = async {
        loop {
            // What cannot be accepted is not there either; it must not be asked for without a rest.
            if listener.accept().await.is_err() {
                tokio::time::sleep(REFUSE_FOR).await;
            }
        }
    };
    let _over = tokio::time::timeout(REFUSE_FOR, closing).await;
}

struct Built {
    server: Server,
    nodes: Nodes,
}

/// Handles of the nodes, in the order of [`crate::Model::nodes`].
struct Nodes {
    handle: ServerHandle,
    manager: Arc<SimpleNodeManager>,
    ids: Vec<NodeId>,
}

fn build(core: &Core, addr: SocketAddr, options: &Options) -> Result<Built, PlantError> {
    let name = format!("L{}", options.line);
    let Bare { server, handle, manager, namespace } = bare(&name, addr, &options.pki_dir)?;
    let ids = add_nodes(core, &manager, namespace);
    Ok(Built { server, nodes: Nodes { handle, manager, ids } })
}

/// A server without a node of ours.
pub(crate) struct Bare {
    pub(crate) server: Server,
    pub(crate) handle: ServerHandle,
    pub(crate) manager: Arc<SimpleNodeManager>,
    /// Index of [`NAMESPACE`].
    pub(crate) namespace: u16,
}

/// A server of this name that loses no value of a fast signal.
pub(crate) fn bare(name: &str, addr: SocketAddr, pki_dir: &Path) -> Result<Bare, PlantError> {
    let anonymous = [ANONYMOUS_USER_TOKEN_ID.to_owned()];
    let namespace =
        NamespaceMetadata { namespace_uri: NAMESPACE.to_owned(), ..NamespaceMetadata::default() };
    let mut builder = ServerBuilder::new()
        .application_name(format!("Capline simulator {name}"))
        .application_uri(format!("urn:capline:simulator:{name}"))
        .product_uri("urn:capline:simulator")
        .host(addr.ip().to_string())
        .port(addr.port())
        .pki_dir(pki_dir)
        .add_endpoint("none", ServerEndpoint::new_none("/", &anonymous))
        .discovery_urls(vec![url(addr)])
        .with_node_manager(simple_node_manager(namespace, name))
        .subscription_poll_interval_ms(5);
    set_limits(&mut builder);
    let (server, handle) = builder.build().map_err(PlantError::OpcUa)?;
    let manager = handle
        .node_managers()
        .get_of_type::<SimpleNodeManager>()
        .ok_or_else(|| PlantError::OpcUa("the node manager is missing".to_owned()))?;
    let namespace = handle
        .get_namespace_index(NAMESPACE)
        .ok_or_else(|| PlantError::OpcUa(format!("namespace {NAMESPACE} is missing")))?;
    Ok(Bare { server, handle, manager, namespace })
}

/// URL of the server at an address.
pub(crate) fn url(addr: SocketAddr) -> String {
    format!("opc.tcp://{addr}/")
}

/// With the library's defaults a signal of 100 Hz loses nine values of ten.
fn set_limits(builder: &mut ServerBuilder) {
    let limits = builder.limits_mut();
    limits.max_array_length = 100_000;
    limits.max_chunk_count = 1_000;
    limits.max_message_size = 64 << 20;
    limits.subscriptions.min_sampling_interval_ms = 0.0;
    limits.subscriptions.min_publishing_interval_ms = 5.0;
    limits.subscriptions.max_monitored_item_queue_size = 1_000;
    limits.subscriptions.max_monitored_items_per_sub = 10_000;
    limits.subscriptions.max_queued_notifications = 200;
}

fn add_nodes(core: &Core, manager: &SimpleNodeManager, namespace: u16) -> Vec<NodeId> {
    let (values, utc_us) = core.at_now(|model| (model.nodes(), model.plc_utc_us()));
    let mut space = manager.address_space().write();
    let mut ids = Vec::with_capacity(values.len());
    for (tag, value) in values {
        let tag = &*tag;
        let id = NodeId::new(namespace, tag);
        let data_type = data_type(&value);
        let folder = folder_of(&mut space, namespace, tag);
        let name = tag.rsplit('.').next().unwrap_or(tag);
        let mut variable = VariableBuilder::new(&id, name, tag)
            .data_type(data_type)
            .access_level(AccessLevel::CURRENT_READ)
            .user_access_level(AccessLevel::CURRENT_READ)
            .build();
        variable.set_data_value(data_value(value, utc_us, StatusCode::Good));
        let by = [(&folder, &ReferenceTypeId::Organizes, ReferenceDirection::Inverse)];
        space.insert(variable, Some(&by));
        ids.push(id);
    }
    ids
}

/// The folder that a tag lies in, `CW04.Statistic` for `CW04.Statistic.Mean`, made with those around it where it is new.
fn folder_of(space: &mut AddressSpace, namespace: u16, tag: &str) -> NodeId {
    let mut parent: NodeId = ObjectId::ObjectsFolder.into();
    for (end, _) in tag.match_indices('.') {
        let path = &tag[..end];
        let folder = NodeId::new(namespace, path);
        if !space.node_exists(&folder) {
            let name = path.rsplit('.').next().unwrap_or(path);
            space.add_folder(&folder, name, name, &parent);
        }
        parent = folder;
    }
    parent
}

/// Sends what has changed, at a fixed pace, until the server is to be away.
async fn push(core: &Core, nodes: Nodes, every: Duration) {
    let mut ticks = tokio::time::interval(every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    let (mut sent, mut sent_us) = (Vec::new(), i64::MIN / 2);
    loop {
        ticks.tick().await;
        let faults = core.faults_now().opcua;
        if faults.refuse_connections {
            return;
        }
        let status = match faults {
            OpcUaFaults { bad_status: true, .. } => StatusCode::BadNoCommunication,
            OpcUaFaults { overflow: true, .. } => StatusCode::Good.set_overflow(true),
            _ => StatusCode::Good,
        };
        let (values, utc_us, plant_us) =
            core.at_now(|model| (model.nodes(), model.plc_utc_us(), model.plant_us()));
        // What comes within a second is lost in a queue of one.
        if faults.overflow && plant_us < sent_us + LOST_US {
            continue;
        }
        sent_us = plant_us;
        let now: Vec<_> = values.into_iter().map(|(_, value)| (value, status)).collect();
        let changed = nodes.ids.iter().zip(&now).enumerate().filter_map(|(i, (id, new))| {
            let (value, status) = new;
            let is_new = sent.get(i) != Some(new);
            is_new.then(|| (id, None, data_value(value.clone(), utc_us, *status)))
        });
        if let Err(status) = nodes.manager.set_values(nodes.handle.subscriptions(), changed) {
            tracing::warn!(%status, "the OPC UA server refused new values");
        }
        core.pushed_us.send_replace(plant_us);
        sent = now;
    }
}

pub(crate) fn data_value(value: NodeValue, utc_us: i64, status: StatusCode) -> DataValue {
    let time = date_time(utc_us);
    DataValue {
        value: Some(variant(value)),
        status: Some(status),
        source_timestamp: Some(time),
        source_picoseconds: None,
        server_timestamp: Some(time),
        server_picoseconds: None,
    }
}

/// OPC UA counts 100 ns from the year 1601.
fn date_time(utc_us: i64) -> DateTime {
    const FROM_1601_TO_1970_US: i64 = 11_644_473_600_000_000;
    DateTime::from((utc_us + FROM_1601_TO_1970_US) * 10)
}

fn variant(value: NodeValue) -> Variant {
    match value {
        NodeValue::Bool(value) => value.into(),
        NodeValue::I16(value) => value.into(),
        NodeValue::U16(value) => value.into(),
        NodeValue::I32(value) => value.into(),
        NodeValue::U32(value) => value.into(),
        NodeValue::U64(value) => value.into(),
        NodeValue::F32(value) => value.into(),
        NodeValue::Text(text) => UAString::from(text).into(),
    }
}

fn data_type(value: &NodeValue) -> DataTypeId {
    match value {
        NodeValue::Bool(_) => DataTypeId::Boolean,
        NodeValue::I16(_) => DataTypeId::Int16,
        NodeValue::U16(_) => DataTypeId::UInt16,
        NodeValue::I32(_) => DataTypeId::Int32,
        NodeValue::U32(_) => DataTypeId::UInt32,
        NodeValue::U64(_) => DataTypeId::UInt64,
        NodeValue::F32(_) => DataTypeId::Float,
        NodeValue::Text(_) => DataTypeId::String,
    }
}
