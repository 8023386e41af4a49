//! One OPC UA session on one TCP connection, for reading only.

use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use domain::plc_map::part::Step;
use domain::plc_map::{Address, OpcUaOptions, PlcMap};
use domain::reading::Reading;
use domain::units::Moment;
use opcua::client::custom_types::DataTypeTreeBuilder;
use opcua::client::{
    Client, ClientBuilder, MonitoredItemMap, OnSubscriptionNotificationCore, Session,
};
use opcua::types::custom::DynamicTypeLoader;
use opcua::types::{
    AttributeId, BrowseDescription, BrowseDirection, BrowseResultMaskFlags, DataChangeFilter,
    DataChangeTrigger, DataValue, Error, ExtensionObject, MonitoredItemCreateRequest,
    MonitoringMode, MonitoringParameters, NodeClassMask, NodeId, NotificationMessage, ReadValueId,
    ReferenceDescription, ReferenceTypeId, StatusCode, TimestampsToReturn, VariableId, Variant,
};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::access::{self, AccessError, Own};
use super::dial::{Dial, dialer};
use super::endpoint::{self, NoEndpoint};
use super::values::{self, Structures};
use crate::clock::Clock;
use crate::config::{OpcUaAccess, Security};
use crate::sources::Label;
use crate::sources::pki::{Certificate, OWN_CERTIFICATE, OWN_KEY};
use crate::sources::plan::tags_of;
use crate::sources::throttle::Throttle;

/// Shortest publishing interval that is asked for.
pub(super) const SHORTEST_PUBLISHING: Duration = Duration::from_millis(10);
/// Most items in one request: an S7-1200 takes fifty times as long for more than 200.
const ITEMS_PER_CALL: usize = 200;
/// An idle subscription says that it lives at least this often.
pub(super) const KEEP_ALIVE: Duration = Duration::from_millis(500);
/// A server may forget a subscription that nobody has asked for in this time.
const LIFETIME: Duration = Duration::from_secs(10);
/// Values that a server keeps for each item while the line is down for a moment: a second at the fastest source.
const QUEUE: u32 = 100;
/// What we call ourselves without a certificate.
const APPLICATION_URI: &str = "urn:capline:edge";
/// The arithmetic of a secured session takes a small PLC this long.
const SECURED: Duration = Duration::from_secs(5);
/// Time for closing a session of which nothing came.
const CLOSE: Duration = Duration::from_secs(1);
/// References of one node in one answer, and how many such answers are asked for.
const REFERENCES: u32 = 1_000;
const ROUNDS: usize = 100;
/// Messages between the library and the supervisor.
const MESSAGES: usize = 1_024;

/// A session that can subscribe and read.
///
/// The library's session can also write values and call methods. It is locked up in here, private to this file, so
/// that nothing else in the service can express a change to a machine.
///
/// It is never reused: after a reconnect the library's subscriptions stay silent for good (0.19.0), so a new
/// connection gets a new session. Dropping it drops the socket at once.
pub(super) struct ReadOnly {
    session: Arc<Session>,
    event_loop: Abort,
    ended: Option<StatusCode>,
    nodes: Vec<Node>,
    messages: mpsc::Receiver<Message>,
    /// What the server made of the wishes of each group; none for a group without usable nodes.
    pub(super) revised: Vec<Option<Revised>>,
    /// Readings of tags that the server does not give, by group.
    pub(super) unavailable: Vec<Vec<Reading>>,
    /// Whose certificates the session rests on.
    pub(super) certificates: Certificates,
    /// Structures that the session has learnt.
    pub(super) structures: Structures,
}

/// Certificates that a session rests on; none for one without security.
pub(super) struct Certificates {
    pub(super) own: Option<Certificate>,
    pub(super) server: Option<Certificate>,
}

/// What a server made of the wishes of a group.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Revised {
    /// Publishing interval that was asked for.
    pub(super) wanted: Duration,
    /// Publishing interval that it keeps.
    pub(super) publishing: Duration,
    /// Longest sampling interval of an item.
    pub(super) sampling: Duration,
    /// Values that were to be kept for an item between two messages.
    pub(super) queue_wanted: u32,
    /// Shortest queue of an item.
    pub(super) queue: u32,
}

/// A session for looking around. It reads what nodes there are, and what the server says of them.
pub(super) struct Explorer {
    session: Arc<Session>,
    _event_loop: Abort,
}

/// A tag and its node on this server.
struct Node {
    group: u16,
    tag: u16,
    id: NodeId,
}

/// What a session has to say.
pub(super) enum Report {
    /// A subscription reports.
    Message(Message),
    /// The connection has ended.
    Ended(StatusCode),
}

/// One notification of one subscription.
pub(super) struct Message {
    /// Position of the group.
    pub(super) group: u16,
    /// When it came.
    pub(super) at: Moment,
    /// As received.
    pub(super) notification: NotificationMessage,
}

/// Why a session could not be made.
#[derive(Debug, thiserror::Error)]
pub(super) enum OpenError {
    #[error("no answer in {0:?}")]
    Timeout(Duration),
    /// Nobody is there who speaks OPC UA.
    #[error("{0}")]
    Silent(Error),
    #[error("the session was not made in {0:?}; raise connect_timeout")]
    Unfinished(Duration),
    #[error("the client cannot be made: {0}")]
    Client(String),
    #[error(transparent)]
    NoEndpoint(#[from] NoEndpoint),
    #[error(transparent)]
    Access(#[from] AccessError),
    #[error("the server refused the session: {0}{1}")]
    Refused(StatusCode, &'static str),
    #[error("the server does not know the namespace {0}; check the namespace of the map")]
    Namespace(Arc<str>),
    #[error(transparent)]
    Ua(#[from] Error),
}

impl OpenError {
    /// Whether the server may be back at any moment, and nothing of it is used up by asking again.
    pub(super) fn is_absence(&self) -> bool {
        matches!(self, OpenError::Timeout(_) | OpenError::Silent(_))
    }
}

/// A task that ends with its owner.
struct Abort(JoinHandle<StatusCode>);

impl Drop for Abort {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Makes the client with the limits that a line needs. The library's own are far too small: a publish response of
/// more than 1,000 values closes the connection.
fn client(timeout: Duration, own: Option<&Own>) -> Result<Client, OpenError> {
    let uri = own.and_then(|own| own.certificate.application_uri()).unwrap_or(APPLICATION_URI);
    let builder = ClientBuilder::new()
        .application_name("Capline")
        .application_uri(uri)
        .product_uri("urn:capline")
        .session_name("Capline");
    let builder = match own {
        Some(own) => builder
            .pki_dir(own.dir.clone())
            .certificate_path(OWN_CERTIFICATE)
            .private_key_path(OWN_KEY)
            // The very certificate is compared all the same. Dates are watched by us, and a PLC that is addressed
            // by a number has seldom a certificate that says so.
            .verify_server_certs(false),
        // A path where no folder can be made keeps the library from leaving one behind in the working directory.
        None => builder.pki_dir("/dev/null"),
    };
    builder
        .max_array_length(1_000_000)
        .max_string_length(1 << 20)
        .max_byte_string_length(1 << 20)
        .max_chunk_count(0)
        .max_message_size(64 << 20)
        .min_publish_interval(SHORTEST_PUBLISHING)
        .request_timeout(timeout)
        .publish_timeout(Duration::from_secs(10))
        .keep_alive_interval(Duration::from_secs(2))
        .session_timeout(15_000)
        .session_retry_limit(0)
        .recreate_subscriptions(false)
        .ignore_clock_skew(true)
        .client()
        .map_err(|problems| OpenError::Client(problems.join(", ")))
}

/// How a server is reached.
#[derive(Clone)]
pub(super) struct Reach {
    pub(super) url: String,
    pub(super) access: OpcUaAccess,
    /// Time for the answer to a request.
    pub(super) request_timeout: Duration,
    pub(super) connect_timeout: Duration,
    pub(super) clock: Clock,
}

/// A session that was just made.
struct Made {
    session: Arc<Session>,
    event_loop: Abort,
    certificates: Certificates,
}

impl Reach {
    /// A session at the address that was configured: the one a server advertises is often a name that is known only
    /// in the PLC's own network.
    async fn connect(&self) -> Result<Made, OpenError> {
        let own = access::own(&self.access, self.clock.now()).await?;
        let client = client(self.request_timeout, own.as_ref())?;
        let limit = self.connect_timeout;
        let offered = timeout(limit, client.get_endpoints(dialer(&self.url), &[], &[]));
        let offered = offered.await.map_err(|_| OpenError::Timeout(limit))?;
        let offered = offered.map_err(OpenError::Silent)?;
        let mut endpoint = endpoint::choose(&offered, &self.access)?;
        endpoint.endpoint_url = self.url.as_str().into();
        let server = access::check_server(&self.access, &endpoint)?;
        let (session, event_loop) = client
            .session_builder()
            .with_connector(Dial)
            .connect_to_endpoint_directly(endpoint)?
            .user_identity_token(access::identity(&self.access.user)?)
            .build(client.certificate_store().clone())?;
        session.disable_reconnects();
        let mut event_loop = Abort(event_loop.spawn());
        let limit = match self.access.security {
            Security::None => limit,
            Security::Secured { .. } => limit.max(SECURED),
        };
        tokio::select! {
            connected = timeout(limit, session.wait_for_connection()) => {
                connected.map_err(|_| OpenError::Unfinished(limit))?;
            }
            // Waiting alone would never end if the loop has died.
            status = &mut event_loop.0 => {
                let status = status.unwrap_or(StatusCode::BadUnexpectedError);
                return Err(OpenError::Refused(status, hint(status)));
            }
        }
        let certificates = Certificates { own: own.map(|own| own.certificate), server };
        Ok(Made { session, event_loop, certificates })
    }

    /// A session for looking around.
    pub(super) async fn explore(&self) -> Result<Explorer, OpenError> {
        let Made { session, event_loop, .. } = self.connect().await?;
        Ok(Explorer { session, _event_loop: event_loop })
    }
}

/// Everything that making a session of a line takes.
#[derive(Clone)]
pub(super) struct Opening {
    pub(super) label: Label,
    pub(super) reach: Reach,
    pub(super) map: Arc<PlcMap>,
    pub(super) options: OpcUaOptions,
}

impl Opening {
    /// Connects, subscribes to every group and returns a session that reports.
    pub(super) async fn open(self) -> Result<ReadOnly, OpenError> {
        let Made { session, event_loop, certificates } = self.reach.connect().await?;
        let (sender, messages) = mpsc::channel(MESSAGES);
        let mut made = ReadOnly {
            session,
            event_loop,
            ended: None,
            nodes: Vec::new(),
            messages,
            revised: Vec::new(),
            unavailable: Vec::new(),
            certificates,
            structures: Structures::default(),
        };
        match self.prepare(&mut made, &sender).await {
            Ok(()) => Ok(made),
            Err(error) => {
                // A PLC has few sessions, and this one is of no use.
                made.close(CLOSE).await;
                Err(error)
            }
        }
    }

    /// Finds the namespace, learns what there is to learn, and subscribes.
    async fn prepare(
        &self,
        made: &mut ReadOnly,
        sender: &mpsc::Sender<Message>,
    ) -> Result<(), OpenError> {
        let namespace = &self.options.namespace;
        let known = namespaces(&made.session).await?;
        let index = known.iter().position(|uri| **uri == **namespace);
        let index = index
            .and_then(|index| u16::try_from(index).ok())
            .ok_or_else(|| OpenError::Namespace(namespace.clone()))?;
        if reads_fields(&self.map) {
            made.structures = learn_types(&made.session).await?;
        }
        for group in 0..self.map.groups.len() as u16 {
            self.subscribe(made, group, index, sender).await?;
        }
        Ok(())
    }

    /// One subscription for one group.
    async fn subscribe(
        &self,
        made: &mut ReadOnly,
        group: u16,
        index: u16,
        sender: &mpsc::Sender<Message>,
    ) -> Result<(), OpenError> {
        let mut unavailable = Vec::new();
        let mut nodes = Vec::new();
        for (tag, entry) in tags_of(&self.map, group) {
            let (Address::Node(id) | Address::Part { node: id, .. }) = &entry.address else {
                continue;
            };
            match NodeId::from_str(&format!("ns={index};{id}")) {
                Ok(id) => nodes.push(Node { group, tag, id }),
                Err(status) => unavailable.push((tag, status)),
            }
        }
        let revised = match nodes.is_empty() {
            true => None,
            false => {
                let wanted = publishing(self.map.groups[usize::from(group)].period_us);
                let clock = self.reach.clock;
                let id = create(&made.session, wanted, group, sender, clock).await?;
                let publishing = made
                    .session
                    .subscription_state()
                    .lock()
                    .get(id)
                    .map_or(wanted, |s| s.publishing_interval());
                let mut revised = Revised { wanted, publishing, ..Revised::default() };
                unavailable.extend(self.monitor(&made.session, id, &nodes, &mut revised).await?);
                Some(revised)
            }
        };
        for &(tag, status) in &unavailable {
            let entry = &self.map.tags[usize::from(tag)];
            tracing::warn!(label = %self.label, tag = %entry.id, node = ?entry.address, %status, "the server does not give this node; check the map");
        }
        nodes.retain(|node| !unavailable.iter().any(|&(tag, _)| tag == node.tag));
        made.nodes.extend(nodes);
        made.revised.push(revised);
        made.unavailable.push(
            unavailable
                .into_iter()
                .map(|(tag, status)| {
                    values::unavailable(tag, self.map.tags[usize::from(tag)].encoding.kind, status)
                })
                .collect(),
        );
        Ok(())
    }

    /// Creates the items of a group; returns the tags that the server refused and why. One bad node never stops
    /// the others.
    async fn monitor(
        &self,
        session: &Session,
        subscription: u32,
        nodes: &[Node],
        revised: &mut Revised,
    ) -> Result<Vec<(u16, StatusCode)>, OpenError> {
        let mut refused = Vec::new();
        let publishing = revised.publishing;
        revised.queue_wanted = queue(publishing);
        revised.queue = u32::MAX;
        for nodes in nodes.chunks(ITEMS_PER_CALL) {
            let mut results = items(session, subscription, nodes, publishing, true).await?;
            // Small PLCs know no filter. Without one, a value that only turns bad is not reported by some servers.
            let plain: Vec<usize> =
                (0..nodes.len()).filter(|&i| refuses_filter(results[i].status)).collect();
            if !plain.is_empty() {
                tracing::warn!(label = %self.label, n = plain.len(), "the server takes no filter: a value that turns bad without changing may be reported late");
                let again: Vec<Node> = plain.iter().map(|&i| nodes[i].clone()).collect();
                for (i, result) in plain
                    .into_iter()
                    .zip(items(session, subscription, &again, publishing, false).await?)
                {
                    results[i] = result;
                }
            }
            for (node, result) in nodes.iter().zip(results) {
                match result.status.is_bad() {
                    true => refused.push((node.tag, result.status)),
                    false => {
                        revised.sampling = revised.sampling.max(result.sampling);
                        revised.queue = revised.queue.min(result.queue);
                    }
                }
            }
        }
        Ok(refused)
    }
}

impl Clone for Node {
    fn clone(&self) -> Node {
        Node { group: self.group, tag: self.tag, id: self.id.clone() }
    }
}

impl ReadOnly {
    /// The next report; messages that came before the end are given before it.
    pub(super) async fn next(&mut self) -> Report {
        tokio::select! {
            biased;
            Some(message) = self.messages.recv() => Report::Message(message),
            status = ended(&mut self.event_loop, &mut self.ended) => Report::Ended(status),
        }
    }

    /// Reads all usable nodes: position of group and tag, and the value.
    pub(super) async fn read(&self) -> Result<Vec<(u16, u16, DataValue)>, Error> {
        let mut values = Vec::new();
        for nodes in self.nodes.chunks(ITEMS_PER_CALL) {
            let ids: Vec<ReadValueId> = nodes.iter().map(|node| node.id.clone().into()).collect();
            let read = self.session.read(&ids, TimestampsToReturn::Both, 0.0).await?;
            if read.len() != nodes.len() {
                return Err(Error::new(
                    StatusCode::BadUnknownResponse,
                    "the server read fewer nodes than asked",
                ));
            }
            values
                .extend(nodes.iter().zip(read).map(|(node, value)| (node.group, node.tag, value)));
        }
        Ok(values)
    }

    /// Closes the session on the server too: a PLC has few of them, and keeps one that was only dropped for a while.
    pub(super) async fn close(self, limit: Duration) {
        match timeout(limit, self.session.disconnect()).await {
            Ok(Ok(())) => {}
            Ok(Err(e)) => tracing::debug!(error = %e, "a session was closed by the server first"),
            Err(_) => tracing::debug!("a session could not be closed in time"),
        }
    }
}

impl Explorer {
    /// Namespace URIs by index.
    pub(super) async fn namespaces(&self) -> Result<Vec<String>, Error> {
        namespaces(&self.session).await
    }

    /// Objects and variables directly below each of the nodes.
    pub(super) async fn children(
        &self,
        nodes: &[NodeId],
    ) -> Result<Vec<Vec<ReferenceDescription>>, Error> {
        let below = nodes.iter().map(|node| BrowseDescription {
            node_id: node.clone(),
            browse_direction: BrowseDirection::Forward,
            reference_type_id: ReferenceTypeId::HierarchicalReferences.into(),
            include_subtypes: true,
            node_class_mask: (NodeClassMask::OBJECT | NodeClassMask::VARIABLE).bits(),
            result_mask: BrowseResultMaskFlags::all().bits(),
        });
        let results = self.session.browse(&below.collect::<Vec<_>>(), REFERENCES, None).await?;
        let mut children = Vec::new();
        for mut result in results {
            let mut found = result.references.take().unwrap_or_default();
            let mut rounds = 0;
            // A node that answers without end is left after as many references as any machine has.
            while !result.continuation_point.is_null() && rounds < ROUNDS {
                let next = self.session.browse_next(false, &[result.continuation_point]).await?;
                result = next.into_iter().next().unwrap_or_default();
                found.extend(result.references.take().unwrap_or_default());
                rounds += 1;
            }
            children.push(found);
        }
        children.resize(nodes.len(), Vec::new());
        Ok(children)
    }

    /// The type that a type comes from.
    pub(super) async fn supertype(&self, node: &NodeId) -> Result<Option<NodeId>, Error> {
        let above = BrowseDescription {
            node_id: node.clone(),
            browse_direction: BrowseDirection::Inverse,
            reference_type_id: ReferenceTypeId::HasSubtype.into(),
            include_subtypes: false,
            node_class_mask: 0,
            result_mask: BrowseResultMaskFlags::all().bits(),
        };
        let results = self.session.browse(&[above], 1, None).await?;
        let found = results.into_iter().next().and_then(|result| result.references);
        Ok(found.and_then(|found| Some(found.into_iter().next()?.node_id.node_id)))
    }

    /// Attributes of nodes, in the order asked.
    pub(super) async fn attributes(
        &self,
        wanted: Vec<(NodeId, AttributeId)>,
    ) -> Result<Vec<DataValue>, Error> {
        let mut values = Vec::with_capacity(wanted.len());
        for wanted in wanted.chunks(ITEMS_PER_CALL) {
            let ids: Vec<ReadValueId> = wanted
                .iter()
                .map(|(id, attribute)| ReadValueId {
                    node_id: id.clone(),
                    attribute_id: *attribute as u32,
                    ..ReadValueId::default()
                })
                .collect();
            let mut read = self.session.read(&ids, TimestampsToReturn::Neither, 0.0).await?;
            read.resize(wanted.len(), DataValue::default());
            values.extend(read);
        }
        Ok(values)
    }

    /// Closes the session on the server too.
    pub(super) async fn close(self, limit: Duration) {
        // Whoever looked around has seen what he wanted.
        let _ = timeout(limit, self.session.disconnect()).await;
    }
}

/// Namespace URIs by index. The library's own reader falls over an answer without values.
async fn namespaces(session: &Session) -> Result<Vec<String>, Error> {
    let id = NodeId::from(VariableId::Server_NamespaceArray);
    let read = session.read(&[id.into()], TimestampsToReturn::Neither, 0.0).await?;
    match read.into_iter().next().and_then(|answer| answer.value) {
        Some(Variant::Array(array)) => Ok(array.values.iter().map(|v| v.to_string()).collect()),
        _ => Err(Error::new(StatusCode::BadNoValue, "the server tells no namespaces")),
    }
}

/// Whether a tag of the map is a field of a structure.
fn reads_fields(map: &PlcMap) -> bool {
    map.tags.iter().any(|tag| match &tag.address {
        Address::Part { part, .. } => {
            part.steps().iter().any(|step| matches!(step, Step::Field(_)))
        }
        _ => false,
    })
}

/// Teaches the session the structures of the server, as their DataTypeDefinition has them. Those of the specification
/// are known already.
async fn learn_types(session: &Session) -> Result<Structures, OpenError> {
    session.read_namespace_array().await?;
    let types = DataTypeTreeBuilder::new(|_| true).build(session).await?;
    let structures = Structures::of(&types);
    session.add_type_loader(Arc::new(DynamicTypeLoader::new(Arc::new(types))));
    Ok(structures)
}

/// Waits for the end of the loop, and remembers it, since a task can be waited for only once.
async fn ended(event_loop: &mut Abort, ended: &mut Option<StatusCode>) -> StatusCode {
    match ended {
        Some(status) => *status,
        None => {
            let status = (&mut event_loop.0).await.unwrap_or(StatusCode::BadUnexpectedError);
            *ended.insert(status)
        }
    }
}

/// What to look at when a server refuses a session.
fn hint(status: StatusCode) -> &'static str {
    match status {
        StatusCode::BadUserAccessDenied
        | StatusCode::BadIdentityTokenRejected
        | StatusCode::BadIdentityTokenInvalid => "; check the user and the password",
        StatusCode::BadSecurityChecksFailed
        | StatusCode::BadCertificateUntrusted
        | StatusCode::BadCertificateInvalid
        | StatusCode::BadCertificateUseNotAllowed
        | StatusCode::BadCertificateUriInvalid => {
            "; let the server trust our certificate, which `capline pki own` shows"
        }
        StatusCode::BadTooManySessions => "; the server has no session left, close one",
        _ => "",
    }
}

/// The publishing interval to ask for.
pub(super) fn publishing(period_us: i64) -> Duration {
    Duration::from_micros(period_us.unsigned_abs()).max(SHORTEST_PUBLISHING)
}

async fn create(
    session: &Session,
    publishing: Duration,
    group: u16,
    sender: &mpsc::Sender<Message>,
    clock: Clock,
) -> Result<u32, Error> {
    let intervals = |time: Duration| (time.as_micros() / publishing.as_micros()).max(1) as u32;
    let keep_alive = intervals(KEEP_ALIVE).min(10);
    let lifetime = intervals(LIFETIME).max(3 * keep_alive);
    let listener = Listener { group, clock, sender: sender.clone(), losses: Throttle::default() };
    session.create_subscription(publishing, lifetime, keep_alive, 1_000, 0, true, listener).await
}

/// What the server made of one item.
struct Created {
    status: StatusCode,
    sampling: Duration,
    queue: u32,
}

async fn items(
    session: &Session,
    subscription: u32,
    nodes: &[Node],
    publishing: Duration,
    filtered: bool,
) -> Result<Vec<Created>, Error> {
    let filter = || match filtered {
        // Without a filter servers compare values only, and a good value that turns bad is not reported.
        true => ExtensionObject::from_message(DataChangeFilter {
            trigger: DataChangeTrigger::StatusValueTimestamp,
            deadband_type: 0,
            deadband_value: 0.0,
        }),
        false => ExtensionObject::null(),
    };
    let requests = nodes.iter().map(|node| MonitoredItemCreateRequest {
        item_to_monitor: node.id.clone().into(),
        monitoring_mode: MonitoringMode::Reporting,
        requested_parameters: MonitoringParameters {
            // Handle zero would be replaced by the library.
            client_handle: u32::from(node.tag) + 1,
            // Zero means every update. With an interval, updates that come early by jitter are held back.
            sampling_interval: 0.0,
            filter: filter(),
            queue_size: queue(publishing),
            discard_oldest: true,
        },
    });
    let created = session
        .create_monitored_items(subscription, TimestampsToReturn::Both, requests.collect())
        .await?;
    Ok(created
        .into_iter()
        .map(|item| Created {
            status: item.result.status_code,
            sampling: Duration::try_from_secs_f64(item.result.revised_sampling_interval / 1_000.0)
                .unwrap_or_default(),
            queue: item.result.revised_queue_size,
        })
        .collect())
}

/// Twice what a source at 100 Hz writes between two messages, and no less than a second of it.
fn queue(publishing: Duration) -> u32 {
    let twice = 2 * publishing.as_millis() / 10;
    QUEUE.max(u32::try_from(twice).unwrap_or(QUEUE)).min(1_000)
}

fn refuses_filter(status: StatusCode) -> bool {
    matches!(
        status,
        StatusCode::BadMonitoredItemFilterUnsupported
            | StatusCode::BadMonitoredItemFilterInvalid
            | StatusCode::BadFilterNotAllowed
    )
}

/// The tag that a handle was given for.
pub(super) fn tag_of(client_handle: u32) -> Option<u16> {
    client_handle.checked_sub(1).and_then(|tag| u16::try_from(tag).ok())
}

/// Hands notifications on. It runs inside the library's loop with a lock held, so it does nothing else.
struct Listener {
    group: u16,
    clock: Clock,
    sender: mpsc::Sender<Message>,
    losses: Throttle,
}

impl OnSubscriptionNotificationCore for Listener {
    fn on_subscription_notification(
        &mut self,
        notification: NotificationMessage,
        _: MonitoredItemMap<'_>,
    ) {
        let message = Message { group: self.group, at: self.clock.now(), notification };
        let full = matches!(self.sender.try_send(message), Err(mpsc::error::TrySendError::Full(_)));
        if full && let Some(held) = self.losses.pass(std::time::Instant::now()) {
            tracing::error!(
                group = self.group,
                held,
                "the service is too slow for the server and messages are dropped"
            );
        }
    }
}
