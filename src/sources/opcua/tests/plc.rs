//! The PLC of these tests: a server of the same library.

use std::sync::Arc;

use opcua::server::address_space::VariableBuilder;
use opcua::server::diagnostics::NamespaceMetadata;
use opcua::server::node_manager::memory::{SimpleNodeManager, simple_node_manager};
use opcua::server::{ANONYMOUS_USER_TOKEN_ID, ServerBuilder, ServerEndpoint, ServerHandle};
use opcua::types::{DataTypeId, DataValue, DateTime, NodeId, ObjectId, StatusCode, VariableId};
use tokio::net::TcpListener;

use super::NAMESPACE;

/// A server with variables `s=0`, `s=1`, … of 32 bits.
pub(super) struct Plc {
    pub(super) handle: ServerHandle,
    pub(super) manager: Arc<SimpleNodeManager>,
    pub(super) ids: Vec<NodeId>,
    pub(super) address: String,
    _pki: tempfile::TempDir,
}

impl Plc {
    pub(super) async fn start(variables: u32) -> Plc {
        Plc::start_with(variables, open).await
    }

    pub(super) async fn start_with(
        variables: u32,
        change: impl FnOnce(ServerBuilder) -> ServerBuilder,
    ) -> Plc {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let pki = tempfile::tempdir().unwrap();
        let namespace = NamespaceMetadata { namespace_uri: NAMESPACE.into(), ..Default::default() };
        let mut builder = ServerBuilder::new()
            .application_name("Test PLC")
            .application_uri("urn:capline:test:plc")
            .product_uri("urn:capline:test")
            // The address that it advertises leads nowhere, as that of a PLC behind a router does.
            .host("plc.invalid")
            .port(4840)
            .pki_dir(pki.path())
            .discovery_urls(vec!["opc.tcp://plc.invalid:4840/".into()])
            .with_node_manager(simple_node_manager(namespace, "test"))
            .diagnostics_enabled(true)
            .max_sessions(2_000)
            .subscription_poll_interval_ms(5);
        let limits = builder.limits_mut();
        limits.max_array_length = 100_000;
        limits.max_chunk_count = 1_000;
        limits.max_message_size = 64 << 20;
        limits.subscriptions.min_sampling_interval_ms = 0.0;
        limits.subscriptions.min_publishing_interval_ms = 5.0;
        limits.subscriptions.max_monitored_item_queue_size = 1_000;
        limits.subscriptions.max_monitored_items_per_sub = 10_000;
        let (server, handle) = change(builder).build().unwrap();
        let manager = handle.node_managers().get_of_type::<SimpleNodeManager>().unwrap();
        let index = handle.get_namespace_index(NAMESPACE).unwrap();
        let ids: Vec<NodeId> = (0..variables).map(|i| NodeId::new(index, i.to_string())).collect();
        for id in &ids {
            VariableBuilder::new(id, "value", "value")
                .data_type(DataTypeId::UInt32)
                .organized_by(ObjectId::ObjectsFolder)
                .value(0_u32)
                .insert(&mut *manager.address_space().write());
        }
        tokio::spawn(server.run_with(listener));
        Plc { handle, manager, ids, address, _pki: pki }
    }

    /// Sessions that the server holds.
    pub(super) fn sessions(&self) -> u32 {
        let id = VariableId::Server_ServerDiagnostics_ServerDiagnosticsSummary_CurrentSessionCount;
        let value = self.handle.info().diagnostics.get(id).unwrap();
        value.value.unwrap().try_cast_to().unwrap()
    }

    pub(super) fn set(&self, variable: usize, value: u32, status: StatusCode) {
        let now = DateTime::now();
        let value = DataValue {
            value: Some(value.into()),
            status: Some(status),
            source_timestamp: Some(now),
            server_timestamp: Some(now),
            source_picoseconds: None,
            server_picoseconds: None,
        };
        let values = [(&self.ids[variable], None, value)];
        self.manager.set_values(self.handle.subscriptions(), values.into_iter()).unwrap();
    }
}

/// An endpoint without security.
pub(super) fn open(builder: ServerBuilder) -> ServerBuilder {
    let tokens = [ANONYMOUS_USER_TOKEN_ID.into()];
    builder.add_endpoint("none", ServerEndpoint::new_none("/", &tokens))
}

impl Drop for Plc {
    fn drop(&mut self) {
        self.handle.cancel();
    }
}
