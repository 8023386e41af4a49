use domain::plc_map::Protocol;
use proptest::prelude::*;

use super::*;
use crate::sources::tests::{holding, map, modbus, tag};

/// The requests for tags at `(first, kind)` of the holding registers, as `(first, count)`.
fn check(options: &ModbusOptions, tags: &[(u16, Kind)], expected: &[(u16, u16)]) {
    let tags = tags.iter().map(|&(first, kind)| holding(first, kind, 0)).collect();
    let map = map(Protocol::Modbus(options.clone()), &[10], tags);
    let plan = plan(&map, options, 0).unwrap();
    let found: Vec<_> = plan.requests.iter().map(|r| (r.first, r.count)).collect();
    assert_eq!(found, expected);
}

const U16: Kind = Kind::Unsigned(16);
const U32: Kind = Kind::Unsigned(32);

#[test]
fn neighbours_and_small_gaps_share_a_request() {
    check(&modbus(), &[], &[]);
    check(&modbus(), &[(7, U16)], &[(7, 1)]);
    check(&modbus(), &[(0, U32), (2, U16), (3, U32)], &[(0, 5)]);
    check(&modbus(), &[(3, U32), (0, U32)], &[(0, 5)]);
    check(&modbus(), &[(0, U16), (5, U16)], &[(0, 6)]);
    check(&modbus(), &[(0, U16), (6, U16)], &[(0, 1), (6, 1)]);
}

/// Shows: ACQ-08
#[test]
fn a_request_is_never_longer_than_the_device_allows_and_splits_on_tag_borders() {
    let options = ModbusOptions { max_registers: 5, ..modbus() };
    check(&options, &[(0, U32), (2, U32), (4, U32)], &[(0, 4), (4, 2)]);
    check(&options, &[(0, U32), (2, U32), (4, U16)], &[(0, 5)]);
    let wide: Vec<_> = (0..130).map(|i| (i, U16)).collect();
    check(&modbus(), &wide, &[(0, 125), (125, 5)]);
}

#[test]
fn forbidden_registers_are_not_even_read_along() {
    let options = ModbusOptions { forbidden: vec![(Table::Holding, 2, 3)], ..modbus() };
    check(&options, &[(0, U32), (4, U16), (5, U16)], &[(0, 2), (4, 2)]);
    let elsewhere = ModbusOptions { forbidden: vec![(Table::Input, 2, 3)], ..modbus() };
    check(&elsewhere, &[(0, U32), (4, U16)], &[(0, 5)]);
}

#[test]
fn tags_that_overlap_share_their_registers() {
    check(&modbus(), &[(10, Kind::Bit(0)), (10, Kind::Bit(7)), (10, U16)], &[(10, 1)]);
    check(&modbus(), &[(10, U32), (11, U16), (11, U32)], &[(10, 3)]);
}

#[test]
fn tables_and_groups_stay_apart() {
    let coil = |first| tag("c", Address::Register { table: Table::Coil, first }, Kind::Bit(0), 0);
    let tags = vec![holding(0, U16, 0), coil(0), holding(1, U16, 1), coil(60), coil(200)];
    let map = map(Protocol::Modbus(modbus()), &[10, 1_000], tags);
    let requests = plan(&map, &modbus(), 0).unwrap().requests;
    let found: Vec<_> =
        requests.iter().map(|r| (r.table, r.first, r.count, r.tags.clone())).collect();
    assert_eq!(
        found,
        [
            (Table::Coil, 0, 61, vec![(1, 0), (3, 60)]),
            (Table::Coil, 200, 1, vec![(4, 0)]),
            (Table::Holding, 0, 1, vec![(0, 0)]),
        ]
    );
}

#[test]
fn what_cannot_be_fetched_is_a_mistake_in_the_map() {
    let message = |tag: Tag, options: &ModbusOptions| {
        let map = map(Protocol::Modbus(options.clone()), &[10], vec![tag]);
        plan(&map, options, 0).unwrap_err().to_string()
    };
    let options = ModbusOptions {
        max_registers: 10,
        forbidden: vec![(Table::Holding, 100, 200)],
        ..modbus()
    };
    assert_eq!(
        message(holding(0, Kind::Text(20), 0), &options),
        "test.toml: tag h0: takes 20 registers but a request may have 10; raise max_registers"
    );
    let out = "lies in a forbidden range or beyond register 65535; move one of them";
    assert_eq!(message(holding(99, U32, 0), &options), format!("test.toml: tag h99: {out}"));
    assert_eq!(message(holding(65_535, U32, 0), &options), format!("test.toml: tag h65535: {out}"));
    let node = tag("n", Address::Node("i=1".into()), U16, 0);
    assert!(message(node, &options).contains("does not belong to the protocol"));
    let coil = tag("c", Address::Register { table: Table::Coil, first: 0 }, U16, 0);
    assert!(message(coil, &options).contains("use type bool"));
    let head = Tag { role: Role::SequenceHead, ..holding(0, U16, 0) };
    assert_eq!(
        message(head, &options),
        "test.toml: group g0: 1 sequence heads and 0 tails; each needs the other"
    );
}

fn any_kind() -> impl Strategy<Value = Kind> {
    prop_oneof![
        Just(U16),
        Just(U32),
        Just(Kind::Float(64)),
        (0_u8..16).prop_map(Kind::Bit),
        (1_u16..8).prop_map(Kind::Text)
    ]
}

/// What a plan must be whatever the map: every tag fetched once and whole, no request too long, nothing forbidden.
fn check_plan(tags: &[(Table, u16, Kind)], options: &ModbusOptions) {
    let address = |&(table, first, kind): &(Table, u16, Kind)| {
        tag("t", Address::Register { table, first }, kind, 0)
    };
    let map = map(Protocol::Modbus(options.clone()), &[10], tags.iter().map(address).collect());
    let can = |&(table, first, kind): &(Table, u16, Kind)| {
        let range = u32::from(first)..u32::from(first) + u32::from(kind.registers());
        let bits = !table.is_of_bits() || matches!(kind, Kind::Bit(_));
        let free = !super::forbidden(table, &range, options);
        bits && free && range.end <= 65_536 && range.len() <= super::most(table, options) as usize
    };
    let Ok(plan) = plan(&map, options, 0) else {
        assert!(!tags.iter().all(can), "every tag can be fetched: {tags:?} with {options:?}");
        return;
    };
    let mut times = vec![0; tags.len()];
    for request in &plan.requests {
        assert!(
            request.count > 0 && u32::from(request.count) <= super::most(request.table, options)
        );
        assert!(u32::from(request.first) + u32::from(request.count) <= 65_536);
        for &(table, from, to) in &options.forbidden {
            let clear =
                to < request.first || request.first + (request.count - 1) < from || from > to;
            assert!(table != request.table || clear, "{request:?} reads {from} to {to}");
        }
        for &(at, offset) in &request.tags {
            let (table, first, kind) = tags[usize::from(at)];
            times[usize::from(at)] += 1;
            assert_eq!(
                (table, usize::from(first)),
                (request.table, usize::from(request.first) + offset)
            );
            assert!(offset + usize::from(kind.registers()) <= usize::from(request.count));
        }
    }
    assert!(times.iter().all(|&n| n == 1), "{times:?}: {tags:?} with {options:?}");
}

/// Two seconds; `CAPLINE_FUZZ_SECONDS` gives more, and `cargo bolero test` lets the coverage lead.
/// Shows: EVI-07
#[test]
fn fuzz_plans() {
    const TABLES: [Table; 4] = [Table::Coil, Table::Discrete, Table::Holding, Table::Input];
    let kind = |n: u8, wide: u8| match n % 6 {
        0 => Kind::Bit(n / 16),
        1 => U16,
        2 => U32,
        3 => Kind::Float(64),
        4 => Kind::Bcd(32),
        _ => Kind::Text(1 + u16::from(wide)),
    };
    // Most tags lie close together; some at the end of the table.
    let place = |table: u8, first: u16| match table / 64 {
        0 => first,
        1 => 65_535 - first % 40,
        _ => first % 400,
    };
    let target = bolero::check!().with_test_time(crate::sources::tests::fuzz_time());
    let target = target.with_iterations(usize::MAX);
    type Tags = Vec<(u8, u16, u8, u8)>;
    type Holes = Vec<(u8, u16, u16)>;
    target.with_type::<(Tags, Holes, [u16; 3], bool)>().for_each(
        |(tags, holes, most, separate)| {
            let tags: Vec<_> = tags
                .iter()
                .map(|&(t, first, k, wide)| {
                    (TABLES[usize::from(t % 4)], place(t, first), kind(k, wide % 130))
                })
                .collect();
            let hole = |&(t, at, n): &(u8, u16, u16)| {
                let from = place(t, at);
                (TABLES[usize::from(t % 4)], from, from.saturating_add(n % 12))
            };
            let options = ModbusOptions {
                max_registers: most[0] % 130,
                max_bits: most[1],
                max_gap: most[2] % 200,
                forbidden: holes.iter().take(4).map(hole).collect(),
                separate: *separate,
                ..modbus()
            };
            check_plan(&tags, &options);
        },
    );
}

#[test]
fn a_device_that_answers_single_tags_is_asked_for_single_tags() {
    let options = ModbusOptions { separate: true, ..modbus() };
    let bits = [(10, Kind::Bit(0)), (10, Kind::Bit(7))];
    check(&options, &bits, &[(10, 1)]);
    check(&options, &[(0, U16), (1, U16), (2, U32), (3, U16)], &[(0, 1), (1, 1), (2, 2), (3, 1)]);
}

#[test]
fn the_elements_of_an_array_are_of_one_moment() {
    // Twenty elements of one register at every second one: 39 registers.
    let elements = |first: u16, group| -> Vec<Tag> {
        (0..20).map(|i| Tag { array: Some(0), ..holding(first + 2 * i, U16, group) }).collect()
    };
    let options = ModbusOptions { max_registers: 40, max_gap: 0, ..modbus() };
    let mut tags = elements(240, 0);
    tags.push(holding(280, U16, 0));
    let map = map(Protocol::Modbus(options.clone()), &[10], tags);
    let requests = plan(&map, &options, 0).unwrap().requests;
    assert_eq!(
        requests.iter().map(|r| (r.first, r.count)).collect::<Vec<_>>(),
        [(240, 39), (280, 1)]
    );
    assert_eq!(requests[0].tags[19], (19, 38));
    let narrow = ModbusOptions { max_registers: 38, ..options };
    let error = plan(&map, &narrow, 0).unwrap_err().to_string();
    assert!(error.contains("takes 39 registers but a request may have 38"), "{error}");
}

#[test]
fn coils_have_a_limit_of_their_own() {
    let coil = |first| tag("c", Address::Register { table: Table::Coil, first }, Kind::Bit(0), 0);
    let tags = (0..30).map(coil).collect();
    let options = ModbusOptions { max_bits: 16, ..modbus() };
    let map = map(Protocol::Modbus(options.clone()), &[10], tags);
    let requests = plan(&map, &options, 0).unwrap().requests;
    assert_eq!(requests.iter().map(|r| r.count).collect::<Vec<_>>(), [16, 14]);
}

/// Whether one request may fetch exactly these tags.
fn may_share(tags: &[(u16, Kind)], options: &ModbusOptions) -> bool {
    let mut ranges: Vec<Range<u32>> = tags
        .iter()
        .map(|&(first, kind)| u32::from(first)..u32::from(first + kind.registers()))
        .collect();
    ranges.sort_by_key(|range| range.start);
    let mut end = ranges[0].end;
    for range in &ranges {
        if range.start.saturating_sub(end) > u32::from(options.max_gap) {
            return false;
        }
        end = end.max(range.end);
    }
    let whole = ranges[0].start..end;
    whole.len() <= usize::from(options.max_registers)
        && whole.clone().all(|register| {
            options
                .forbidden
                .iter()
                .all(|&(_, a, b)| !(u32::from(a)..=u32::from(b)).contains(&register))
        })
}

/// The fewest requests by trying every partition of the tags.
fn fewest(
    tags: &[(u16, Kind)],
    options: &ModbusOptions,
    shares: &mut Vec<Vec<(u16, Kind)>>,
) -> usize {
    let Some((&tag, rest)) = tags.split_first() else {
        let fit = shares.iter().all(|share| may_share(share, options));
        return if fit { shares.len() } else { usize::MAX };
    };
    let mut best = usize::MAX;
    for i in 0..=shares.len() {
        if i == shares.len() {
            shares.push(Vec::new());
        }
        shares[i].push(tag);
        best = best.min(fewest(rest, options, shares));
        shares[i].pop();
        if shares[i].is_empty() {
            shares.pop();
        }
    }
    best
}

proptest! {
    /// Shows: ACQ-08
    #[test]
    fn no_other_plan_has_fewer_requests(
        tags in prop::collection::vec((0_u16..24, any_kind()), 0..7),
        max_registers in 8_u16..=14,
        max_gap in 0_u16..6,
        hole in prop::option::of((0_u16..24, 0_u16..3)),
    ) {
        let forbidden: Vec<_> = hole.iter().map(|&(at, n)| (Table::Holding, at, at + n)).collect();
        let options = ModbusOptions { max_registers, max_gap, forbidden, ..modbus() };
        let mut tags = tags;
        tags.retain(|tag| may_share(&[*tag], &options));
        let made = tags.iter().map(|&(first, kind)| holding(first, kind, 0)).collect();
        let map = map(Protocol::Modbus(options.clone()), &[10], made);
        let plan = plan(&map, &options, 0).unwrap();
        prop_assert_eq!(plan.requests.len(), fewest(&tags, &options, &mut Vec::new()));
    }
}
