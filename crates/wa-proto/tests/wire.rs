//! The field walker on every wire type and on malformed bytes (chapter 08 §3.1).

use wa_proto::wire::{Fields, Value, WireError};

fn all(bytes: &[u8]) -> Result<Vec<(u32, Value<'_>)>, WireError> {
    let mut fields = Fields::new(bytes);
    let mut found = Vec::new();
    while let Some(field) = fields.next_field()? {
        found.push(field);
    }
    Ok(found)
}

#[test]
fn every_wire_type_is_walked() {
    let bytes = [
        0x08, 0x96, 0x01, // 1: 150
        0x11, 1, 0, 0, 0, 0, 0, 0, 0, // 2: fixed64
        0x1a, 2, b'h', b'i', // 3: bytes
        0x23, 0x08, 0x01, 0x2b, 0x2c, 0x24, // 4: group with a field and a group
        0x35, 7, 0, 0, 0, // 6: fixed32
    ];
    let expected = [
        (1, Value::Varint(150)),
        (2, Value::Fixed64(1)),
        (3, Value::Bytes(b"hi")),
        (4, Value::Group),
        (6, Value::Fixed32(7)),
    ];
    assert_eq!(all(&bytes).unwrap(), expected);
    for end in 0..bytes.len() {
        let between_fields = [0, 3, 12, 16, 22].contains(&end);
        assert_eq!(all(&bytes[..end]).is_ok(), between_fields, "cut at {end}");
    }
}

#[test]
fn malformed_bytes_are_typed_errors() {
    assert_eq!(all(&[0x00, 0]), Err(WireError::Number(0)));
    assert_eq!(all(&[0x0e]), Err(WireError::WireType(6)));
    assert_eq!(all(&[0x0f]), Err(WireError::WireType(7)));
    assert_eq!(all(&[0x0c]), Err(WireError::Group));
    assert_eq!(all(&[0x0b, 0x14]), Err(WireError::Group));
    assert_eq!(all(&[0x0b]), Err(WireError::Truncated));
    assert_eq!(all(&[0x0b; 101]), Err(WireError::Group));
    assert_eq!(all(&[0x0b; 100]), Err(WireError::Truncated));
    let most = [&[0x08][..], &[0xff; 9], &[0x01]].concat();
    assert_eq!(all(&most).unwrap(), [(1, Value::Varint(u64::MAX))]);
    assert_eq!(all(&[&[0x08][..], &[0xff; 9], &[0x02]].concat()), Err(WireError::Varint));
    assert_eq!(all(&[&[0x08][..], &[0xff; 10], &[0x01]].concat()), Err(WireError::Varint));
    assert_eq!(
        all(&[0x0a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01]),
        Err(WireError::Truncated)
    );
}
