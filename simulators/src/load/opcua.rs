//! An OPC UA server with many counters, each one higher at each step of the clock.

use std::{net::SocketAddr, path::Path, time::Duration};

use opcua::{
    server::address_space::{AccessLevel, ReferenceDirection, VariableBuilder},
    types::{DataTypeId, NodeId, ObjectId, ReferenceTypeId, StatusCode},
};
use tokio::{net::TcpListener, time::MissedTickBehavior};

use crate::{
    clock::utc_now_us,
    opcua::{Bare, bare, data_value},
    plant::PlantError,
    registers::NodeValue,
};

/// Serves `items` counters and steps them all by one each `every`, until the future is dropped. A step that is missed is
/// left out, and no counter leaves out a number: a number that a client does not see was lost on the way.
///
/// # Errors
/// The server cannot be built.
pub async fn serve(
    listener: TcpListener,
    items: usize,
    every: Duration,
    pki_dir: &Path,
) -> Result<(), PlantError> {
    let addr: SocketAddr = listener.local_addr().map_err(PlantError::Socket)?;
    let Bare { server, handle, manager, namespace } = bare("load", addr, pki_dir)?;
    let ids: Vec<NodeId> = (0..items).map(|n| NodeId::new(namespace, super::item(n))).collect();
    {
        let mut space = manager.address_space().write();
        let folder: NodeId = ObjectId::ObjectsFolder.into();
        for (n, id) in ids.iter().enumerate() {
            let variable = VariableBuilder::new(id, super::item(n), super::item(n))
                .data_type(DataTypeId::UInt32)
                .access_level(AccessLevel::CURRENT_READ)
                .user_access_level(AccessLevel::CURRENT_READ)
                .value(0_u32)
                .build();
            let by = [(&folder, &ReferenceTypeId::Organizes, ReferenceDirection::Inverse)];
            space.insert(variable, Some(&by));
        }
    }
    let steps = async {
        let mut ticks = tokio::time::interval(every);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
        for count in 1_u32.. {
            ticks.tick().await;
            let now_us = utc_now_us();
            let value = || data_value(NodeValue::U32(count), now_us, StatusCode::Good);
            let all = ids.iter().map(|id| (id, None, value()));
            if let Err(status) = manager.set_values(handle.subscriptions(), all) {
                tracing::warn!(%status, "the OPC UA server refused new values");
            }
        }
    };
    tokio::select! {
        ended = server.run_with(listener) => ended.map_err(PlantError::OpcUa),
        () = steps => Ok(()),
    }
}
