//! From where the number of a tag is read, as one mark: two maps that read it alike have the same.

use super::{Address, PlcMap, Protocol, Role, Tag};
use crate::digest::sha256;

impl PlcMap {
    /// The mark of a tag: its place in the device, how its number is written there, and where it wraps. 0 for no tag.
    ///
    /// It is stored with every baseline, so that what it is made of must not change from one version to the next. Neither
    /// the address of the device nor its unit is in it: which machine is meant is what its station says.
    pub fn mapping(&self, tag: u16) -> u32 {
        let Some(tag) = self.tags.get(usize::from(tag)) else { return 0 };
        let digest = sha256(self.reads(tag));
        // The first eight of 64 hexadecimal digits.
        u32::from_str_radix(digest.get(..8).unwrap_or("0"), 16).unwrap_or(0).max(1)
    }

    fn reads(&self, tag: &Tag) -> String {
        let namespace = match &self.protocol {
            Protocol::Modbus(_) => "",
            Protocol::OpcUa(options) => &options.namespace,
        };
        let place = match &tag.address {
            Address::Register { table, first } => format!("{} {first}", table.function()),
            Address::Node(node) => format!("{namespace} {node}"),
            Address::Part { node, part } => format!("{namespace} {node} {part}"),
        };
        let (kind, order) = (tag.encoding.kind, tag.encoding.order.word());
        let states = tag.counter.as_ref().map_or_else(String::new, |counter| {
            use crate::line::counter::Modulus;
            match counter.modulus {
                Modulus::None => "none".to_owned(),
                Modulus::At(states) => states.to_string(),
                Modulus::Full64 => "2^64".to_owned(),
                Modulus::Float32 => "f32".to_owned(),
            }
        });
        let (scale, offset) = (tag.scale.to_bits(), tag.offset.to_bits());
        format!("{place}|{kind}|{order}|{states}|{scale}|{offset}")
    }

    /// Whether what is read beside the counters comes from where it does in `other`: uptime, batch, odometers and what
    /// else tells of a reset.
    pub fn tells_like(&self, other: &PlcMap) -> bool {
        let told = |map: &PlcMap| {
            let mut marks: Vec<(u8, u32)> = map
                .tags
                .iter()
                .zip(0..)
                .filter_map(|(tag, at)| Some((evidence(&tag.role)?, map.mapping(at))))
                .collect();
            marks.sort_unstable();
            marks
        };
        told(self) == told(other)
    }
}

/// The number of a role that tells something of resets.
fn evidence(role: &Role) -> Option<u8> {
    match role {
        Role::Uptime => Some(0),
        Role::BatchId => Some(1),
        Role::SinceReset => Some(2),
        Role::Heartbeat => Some(3),
        Role::Odometer { .. } => Some(4),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plc_map::filler_map;

    const MAP: &str = filler_map!(
        r#"[modbus]
unit = 1
[groups]
fast = "500ms"
[states]
3 = "execute"
[[tag]]
id = "state"
register = "holding 1"
type = "u16"
role = "state"
[[tag]]
id = "good"
register = "holding 7"
type = "u32"
role = "good"
[[tag]]
id = "uptime"
register = "holding 9"
type = "u32"
role = "uptime"
"#
    );

    fn parse(text: &str) -> PlcMap {
        PlcMap::parse("test.toml", text).unwrap_or_else(|problems| panic!("{problems:?}"))
    }

    #[test]
    fn a_mark_is_the_same_from_version_to_version() {
        // Stored in journals: if this number changes, every counter begins a segment at the next update.
        assert_eq!(parse(MAP).mapping(1), 986_187_766);
        assert_eq!(parse(MAP).mapping(9), 0, "no such tag");
    }

    #[test]
    fn what_changes_the_number_changes_the_mark() {
        let base = parse(MAP).mapping(1);
        for (from, to) in [
            ("holding 7", "holding 6"),
            ("holding 7", "input 7"),
            (
                "register = \"holding 7\"\ntype = \"u32\"",
                "register = \"holding 7\"\ntype = \"i32\"",
            ),
            (
                "type = \"u32\"\nrole = \"good\"",
                "type = \"u32\"\norder = \"CDAB\"\nrole = \"good\"",
            ),
            ("role = \"good\"", "role = \"good\"\nmodulus = 100000"),
        ] {
            assert_ne!(parse(&MAP.replace(from, to)).mapping(1), base, "{from} -> {to}");
        }
        for (from, to) in [
            ("id = \"good\"", "id = \"capsules\""),
            ("max_per_minute = 6500", "max_per_minute = 7000"),
            ("unit = 1", "unit = 2"),
            ("role = \"good\"", "role = \"good\"\nretentive = true"),
            ("fast = \"500ms\"", "fast = \"100ms\""),
        ] {
            assert_eq!(parse(&MAP.replace(from, to)).mapping(1), base, "{from} -> {to}");
        }
    }

    #[test]
    fn evidence_from_another_place_is_other_evidence() {
        let map = parse(MAP);
        assert!(map.tells_like(&parse(&MAP.replace("holding 7", "holding 5"))));
        assert!(!map.tells_like(&parse(&MAP.replace("holding 9", "holding 11"))));
        assert!(!map.tells_like(&parse(&MAP.replace("\"uptime\"", "\"condition\""))));
    }
}
