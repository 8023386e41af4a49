//! A server whose address space is walked through.

use opcua::server::address_space::VariableBuilder;
use opcua::types::{DataTypeId, NodeId, ObjectId};

use super::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_is_walked_through_to_its_end() {
    use crate::sources::{BrowseLimits, MapHead, Shape, browse, map_text};
    let plc = Plc::start(5).await;
    // Two folders that hold each other: a walk must not run in their circle.
    let namespace = plc.ids[0].namespace;
    let [circle, back] = ["circle", "back"].map(|name| NodeId::new(namespace, name));
    {
        use opcua::server::address_space::ObjectBuilder;
        use opcua::types::ReferenceTypeId::Organizes;
        let mut space = plc.manager.address_space().write();
        ObjectBuilder::new(&circle, "circle", "circle")
            .organized_by(ObjectId::ObjectsFolder)
            .insert(&mut *space);
        ObjectBuilder::new(&back, "back", "back").organized_by(circle.clone()).insert(&mut *space);
        space.insert_reference(&back, &circle, Organizes);
        space.insert_reference(&plc.ids[4], &circle, Organizes);
        VariableBuilder::new(&NodeId::new(namespace, "lanes"), "lanes", "lanes")
            .data_type(DataTypeId::UInt16)
            .value_rank(1)
            .array_dimensions(&[3])
            .organized_by(circle.clone())
            .value(vec![1_u16, 2, 3])
            .insert(&mut *space);
    }
    let url = format!("opc.tcp://{}/", plc.address);
    let look = async |limits| {
        browse(&url, Default::default(), limits, Clock::real(), |_, _| ()).await.unwrap()
    };
    let all = look(BrowseLimits { depth: 20, nodes: 1_000 }).await;
    let ours: Vec<_> = all.variables.iter().filter(|v| v.namespace == namespace).collect();
    assert_eq!((ours.len(), all.cut_short), (6, false), "{all:#?}");
    assert!(ours.iter().any(|v| v.shape == Shape::Array("u16", Some(3))), "{ours:?}");
    assert!(ours.iter().filter(|v| v.shape == Shape::Scalar("u32")).count() == 5);
    assert!(look(BrowseLimits { depth: 20, nodes: 3 }).await.cut_short);
    assert!(look(BrowseLimits { depth: 1, nodes: 1_000 }).await.cut_short);
    let head = MapHead { station: Some("CW04".to_owned()), address: url.clone() };
    let text = map_text(&all, &head, None, Some(NAMESPACE)).unwrap();
    let read = domain::plc_map::PlcMap::parse("map.toml", &text);
    let mut browsed = read.unwrap_or_else(|e| panic!("{e:?}\n{text}"));
    // What was browsed can be read: the elements of the array too.
    browsed.groups[0].period_us = 50_000;
    let at = browsed.tags.iter().position(|tag| tag.id.as_str().ends_with("lanes[2]")).unwrap();
    let mut line = Line::start(device(browsed, url));
    assert_eq!(line.value(u16::try_from(at).unwrap(), 3).await.quality, Quality::Good);
    line.stop().await;
}
