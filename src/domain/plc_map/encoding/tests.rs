//! Expectations written by hand from the layouts, not computed with the code under test.

use super::*;
use ByteOrder::{Abcd, Badc, Cdab, Dcba};

fn check(registers: &[u16], kind: Kind, order: ByteOrder, expected: Value) {
    let found = decode(registers, Encoding { kind, order });
    assert_eq!(found, Ok(expected), "{registers:04x?} as {kind:?} {order:?}");
}

#[test]
fn thirty_two_bits_in_four_orders() {
    // 0x12345678 = 305419896.
    let unsigned = Value::Unsigned(305_419_896);
    check(&[0x1234, 0x5678], Kind::Unsigned(32), Abcd, unsigned.clone());
    check(&[0x5678, 0x1234], Kind::Unsigned(32), Cdab, unsigned.clone());
    check(&[0x3412, 0x7856], Kind::Unsigned(32), Badc, unsigned.clone());
    check(&[0x7856, 0x3412], Kind::Unsigned(32), Dcba, unsigned);
    // -2 = 0xFFFFFFFE.
    check(&[0xFFFF, 0xFFFE], Kind::Signed(32), Abcd, Value::Signed(-2));
    check(&[0xFFFE, 0xFFFF], Kind::Signed(32), Cdab, Value::Signed(-2));
    check(&[0xFFFF, 0xFEFF], Kind::Signed(32), Badc, Value::Signed(-2));
    check(&[0xFEFF, 0xFFFF], Kind::Signed(32), Dcba, Value::Signed(-2));
    // 1.5 = 0x3FC00000.
    check(&[0x3FC0, 0x0000], Kind::Float(32), Abcd, Value::Float(1.5));
    check(&[0x0000, 0x3FC0], Kind::Float(32), Cdab, Value::Float(1.5));
    check(&[0xC03F, 0x0000], Kind::Float(32), Badc, Value::Float(1.5));
    check(&[0x0000, 0xC03F], Kind::Float(32), Dcba, Value::Float(1.5));
}

#[test]
fn sixty_four_bits_in_four_orders() {
    // 0x0102030405060708 = 72623859790382856.
    let unsigned = Value::Unsigned(72_623_859_790_382_856);
    check(&[0x0102, 0x0304, 0x0506, 0x0708], Kind::Unsigned(64), Abcd, unsigned.clone());
    check(&[0x0708, 0x0506, 0x0304, 0x0102], Kind::Unsigned(64), Cdab, unsigned.clone());
    check(&[0x0201, 0x0403, 0x0605, 0x0807], Kind::Unsigned(64), Badc, unsigned.clone());
    check(&[0x0807, 0x0605, 0x0403, 0x0201], Kind::Unsigned(64), Dcba, unsigned);
    check(&[0xFFFF, 0xFFFF, 0xFFFF, 0xFFFD], Kind::Signed(64), Abcd, Value::Signed(-3));
    check(&[0xFDFF, 0xFFFF, 0xFFFF, 0xFFFF], Kind::Signed(64), Dcba, Value::Signed(-3));
    // 100.25 = 0x4059100000000000.
    check(&[0x4059, 0x1000, 0, 0], Kind::Float(64), Abcd, Value::Float(100.25));
    check(&[0, 0, 0x1000, 0x4059], Kind::Float(64), Cdab, Value::Float(100.25));
    check(&[0x5940, 0x0010, 0, 0], Kind::Float(64), Badc, Value::Float(100.25));
    check(&[0, 0, 0x0010, 0x5940], Kind::Float(64), Dcba, Value::Float(100.25));
}

#[test]
fn sixteen_bits_know_only_the_byte_order() {
    for order in [Abcd, Cdab] {
        check(&[0xFF00], Kind::Unsigned(16), order, Value::Unsigned(65_280));
        check(&[0xFF00], Kind::Signed(16), order, Value::Signed(-256));
        check(&[0x0004], Kind::Bit(2), order, Value::Bool(true));
    }
    for order in [Badc, Dcba] {
        check(&[0xFF00], Kind::Unsigned(16), order, Value::Unsigned(255));
        check(&[0x0400], Kind::Bit(2), order, Value::Bool(true));
    }
}

#[test]
fn the_edges_of_every_width() {
    check(&[0], Kind::Unsigned(16), Abcd, Value::Unsigned(0));
    check(&[0xFFFF], Kind::Unsigned(16), Abcd, Value::Unsigned(65_535));
    check(&[0x8000], Kind::Signed(16), Abcd, Value::Signed(-32_768));
    check(&[0x8000, 0], Kind::Signed(32), Abcd, Value::Signed(-2_147_483_648));
    check(&[0xFFFF; 2], Kind::Unsigned(32), Abcd, Value::Unsigned(4_294_967_295));
    check(&[0xFFFF; 4], Kind::Unsigned(64), Abcd, Value::Unsigned(u64::MAX));
    check(&[0x8000, 0, 0, 0], Kind::Signed(64), Abcd, Value::Signed(i64::MIN));
}

#[test]
fn bits_of_a_register_count_from_the_least_significant() {
    for bit in 0..16 {
        check(&[1 << bit], Kind::Bit(bit), Abcd, Value::Bool(true));
        check(&[!(1 << bit)], Kind::Bit(bit), Abcd, Value::Bool(false));
    }
}

#[test]
fn bcd_is_four_digits_a_register() {
    check(&[0x1234], Kind::Bcd(16), Abcd, Value::Unsigned(1_234));
    check(&[0x3412], Kind::Bcd(16), Badc, Value::Unsigned(1_234));
    check(&[0x0065, 0x0099], Kind::Bcd(32), Abcd, Value::Unsigned(650_099));
    check(&[0x0099, 0x0065], Kind::Bcd(32), Cdab, Value::Unsigned(650_099));
    check(&[0x9999, 0x9999], Kind::Bcd(32), Dcba, Value::Unsigned(99_999_999));
}

#[test]
fn a_wrong_bcd_digit_is_an_error_and_never_a_number() {
    let bcd = Encoding { kind: Kind::Bcd(32), order: Abcd };
    assert_eq!(decode(&[0x0001, 0x12A4], bcd), Err(DecodeError::Digit { word: 0x12A4 }));
    assert_eq!(
        decode(&[0xF000, 0x0000], bcd).map_err(|e| e.to_string()),
        Err("0xf000 is not binary coded decimal; check the type and the order of the tag".into())
    );
}

#[test]
fn text_ends_at_nul_and_loses_its_blanks() {
    // "CAP-7" and a stale tail behind the NUL.
    check(&[0x4341, 0x502D, 0x3700, 0x5858], Kind::Text(4), Abcd, Value::Text("CAP-7".into()));
    check(&[0x4143, 0x2D50, 0x2037, 0x2020], Kind::Text(4), Badc, Value::Text("CAP-7".into()));
    check(&[0x4143, 0x2D50, 0x2037, 0x2020], Kind::Text(4), Dcba, Value::Text("CAP-7".into()));
    check(&[0x4341, 0x5020], Kind::Text(2), Cdab, Value::Text("CAP".into()));
    check(&[0, 0], Kind::Text(2), Abcd, Value::Text("".into()));
}

#[test]
fn a_float_that_is_no_number_is_handed_on() {
    let float = Encoding { kind: Kind::Float(32), order: Abcd };
    assert_eq!(decode(&[0x7F80, 0], float), Ok(Value::Float(f64::INFINITY)));
    assert!(matches!(decode(&[0x7FC0, 0], float), Ok(Value::Float(x)) if x.is_nan()));
}

#[test]
fn wrong_lengths_and_widths_are_errors() {
    let wide = Encoding { kind: Kind::Unsigned(32), order: Abcd };
    assert_eq!(decode(&[1], wide), Err(DecodeError::Length { wanted: 2, found: 1 }));
    assert_eq!(decode(&[], wide), Err(DecodeError::Length { wanted: 2, found: 0 }));
    let odd = Kind::Float(16);
    assert_eq!(
        decode(&[1], Encoding { kind: odd, order: Abcd }),
        Err(DecodeError::Width { kind: odd })
    );
}

/// One row of `tests/cases/encoding`: what it says of its registers, or why it is wrong.
fn check_row(row: &str) -> Result<(), String> {
    let (layout, expected) = row.split_once('=').ok_or("no =")?;
    let mut words = layout.split_whitespace();
    let kind = words.next().and_then(Kind::from_word).ok_or("no type")?;
    let order = words.next().and_then(ByteOrder::from_word).ok_or("no order")?;
    let registers: Vec<u16> = words
        .map(|word| u16::from_str_radix(word, 16).map_err(|error| format!("{word}: {error}")))
        .collect::<Result<_, _>>()?;
    let found = match decode(&registers, Encoding { kind, order }) {
        Ok(Value::Bool(b)) => b.to_string(),
        Ok(Value::Unsigned(n)) => n.to_string(),
        Ok(Value::Signed(n)) => n.to_string(),
        Ok(Value::Float(x)) => x.to_string(),
        Ok(Value::Text(text)) => format!("{text:?}"),
        Err(error) => format!("bad {error}"),
    };
    let expected = expected.trim();
    let equal = match (expected.parse::<f64>(), found.parse::<f64>()) {
        (Ok(a), Ok(b)) if matches!(kind, Kind::Float(_)) => a == b || (a.is_nan() && b.is_nan()),
        _ => found == expected || expected.starts_with("bad") && found.starts_with(expected),
    };
    if equal { Ok(()) } else { Err(format!("found {found}")) }
}

#[test]
fn registers_hold_what_the_tables_say() {
    for (file, text) in [
        ("numbers.txt", include_str!("../../../../tests/cases/encoding/numbers.txt")),
        ("others.txt", include_str!("../../../../tests/cases/encoding/others.txt")),
    ] {
        let rows = text.lines().enumerate().filter(|(_, row)| {
            let row = row.trim();
            !row.is_empty() && !row.starts_with('#')
        });
        let (mut wrong, mut n) = (Vec::new(), 0);
        for (line, row) in rows {
            n += 1;
            wrong.extend(
                check_row(row).err().map(|why| format!("{file}:{}: {row}: {why}", line + 1)),
            );
        }
        assert!(n > 30, "only {n} rows in {file}");
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }
}

/// The control: a wrong order, a wrong value and a value where none is are all found.
#[test]
fn a_wrong_row_is_found() {
    for row in ["u32 CDAB 1234 5678 = 305419896", "u16 ABCD 0001 = 2", "bcd16 ABCD 000a = 10"] {
        assert!(check_row(row).is_err(), "{row}");
    }
}

#[test]
fn every_kind_and_order_is_read_as_it_is_written() {
    let kinds = [
        Kind::Bit(3),
        Kind::Field(4, 7),
        Kind::Unsigned(32),
        Kind::Signed(16),
        Kind::Float(64),
        Kind::Bcd(16),
        Kind::Text(8),
    ];
    for kind in kinds {
        assert_eq!(Kind::from_word(&kind.to_string()), Some(kind));
    }
    for order in ByteOrder::ALL {
        assert_eq!(ByteOrder::from_word(order.word()), Some(order));
    }
    for word in ["bit16", "bits7-4", "bits3-3", "bits0-16", "bit+3", "text0", "text251", "u8", ""] {
        assert_eq!(Kind::from_word(word), None, "{word}");
    }
}
