use super::*;
use crate::bytes::{put_i32, put_u16, put_u16_be, put_u32, put_u32_be};
use crate::testing::Prng;

/// A notification of `size` bytes, zero after the header.
fn header(kind: u16, flags: u16, size: usize) -> Vec<u8> {
    let mut out = vec![0; size];
    put_u16(&mut out, 0, kind);
    put_u16(&mut out, 2, flags);
    put_u32(&mut out, 4, size as u32);
    out
}

#[test]
fn assoc_change() {
    let mut bytes = header(0x8001, 0, 31);
    put_u16(&mut bytes, 8, 1);
    put_u16_be(&mut bytes, 10, 12);
    put_u16(&mut bytes, 12, 10);
    put_u16(&mut bytes, 14, 11);
    put_i32(&mut bytes, 16, 7);
    bytes[20..].copy_from_slice(b"\x00\x0c\x00\x0breason!");
    let expected = Notification::AssocChange {
        state: AssocState::CommLost,
        error: u16::from_ne_bytes([0, 12]),
        outbound_streams: 10,
        inbound_streams: 11,
        assoc: AssocId(7),
        info: b"\x00\x0c\x00\x0breason!".to_vec(),
    };
    assert_eq!(parse(&bytes), Some(expected));
}

#[test]
fn bytes_after_the_length_are_not_part_of_it() {
    let mut bytes = header(0x8001, 0, 20);
    bytes.extend_from_slice(b"left over");
    let Some(Notification::AssocChange { state, info, .. }) = parse(&bytes) else {
        panic!("not an association change");
    };
    assert_eq!((state, info), (AssocState::CommUp, Vec::new()));
}

#[test]
fn peer_addr_change() {
    let addr: SocketAddr = "[fe80::1%3]:36412".parse().unwrap();
    let mut bytes = header(0x8002, 0, 148);
    address::put_storage(&mut bytes, 8, &addr);
    put_i32(&mut bytes, 136, 5);
    put_i32(&mut bytes, 140, 2);
    put_i32(&mut bytes, 144, 9);
    let expected = Notification::PeerAddrChange {
        addr: Some(addr),
        state: PeerAddrState::Confirmed,
        error: 2,
        assoc: AssocId(9),
    };
    assert_eq!(parse(&bytes), Some(expected));
}

#[test]
fn send_failed() {
    let mut bytes = header(0x8003, 0, 52);
    put_u32(&mut bytes, 8, 3072);
    put_u16(&mut bytes, 12, 4);
    put_u16(&mut bytes, 16, 3);
    put_u32_be(&mut bytes, 20, 46);
    put_u32(&mut bytes, 24, 99);
    put_u32(&mut bytes, 28, 50);
    put_i32(&mut bytes, 40, 5);
    put_i32(&mut bytes, 44, 6);
    bytes[48..].copy_from_slice(b"data");
    let expected = Notification::SendFailed {
        sent: false,
        error: 3072,
        info: SndRcvInfo {
            stream: 4,
            flags: 3,
            ppid: 46,
            context: 99,
            timetolive: 50,
            assoc: AssocId(5),
            ..SndRcvInfo::default()
        },
        assoc: AssocId(6),
        data: b"data".to_vec(),
    };
    assert_eq!(parse(&bytes), Some(expected));
    put_u16(&mut bytes, 2, 1);
    assert!(matches!(parse(&bytes), Some(Notification::SendFailed { sent: true, .. })));
}

#[test]
fn remote_error() {
    let mut bytes = header(0x8004, 0, 20);
    put_u16_be(&mut bytes, 8, 6);
    put_i32(&mut bytes, 12, 3);
    bytes[16..].copy_from_slice(&[1, 2, 3, 4]);
    let expected =
        Notification::RemoteError { error: 6, assoc: AssocId(3), data: vec![1, 2, 3, 4] };
    assert_eq!(parse(&bytes), Some(expected));
}

#[test]
fn shutdown_and_sender_dry() {
    let mut bytes = header(0x8005, 0, 12);
    put_i32(&mut bytes, 8, 4);
    assert_eq!(parse(&bytes), Some(Notification::Shutdown { assoc: AssocId(4) }));
    put_u16(&mut bytes, 0, 0x8009);
    assert_eq!(parse(&bytes), Some(Notification::SenderDry { assoc: AssocId(4) }));
}

#[test]
fn partial_delivery_of_old_and_new_kernels() {
    let mut bytes = header(0x8006, 0, 24);
    put_i32(&mut bytes, 12, 5);
    put_u32(&mut bytes, 16, 2);
    put_u32(&mut bytes, 20, 8);
    let event = |stream, sequence, unordered| {
        let (indication, assoc) = (0, AssocId(5));
        Some(Notification::PartialDelivery { indication, assoc, stream, sequence, unordered })
    };
    assert_eq!(parse(&bytes), event(2, 8, false));
    put_u16(&mut bytes, 2, 1);
    assert_eq!(parse(&bytes), event(2, 8, true));
    put_u16(&mut bytes, 2, 0);
    put_u32(&mut bytes, 4, 16);
    assert_eq!(parse(&bytes[..16]), event(0, 0, false));
}

#[test]
fn adaptation() {
    let mut bytes = header(0x8007, 0, 16);
    put_u32_be(&mut bytes, 8, 0x0102_0304);
    put_i32(&mut bytes, 12, 2);
    let expected = Notification::Adaptation { indication: 0x0102_0304, assoc: AssocId(2) };
    assert_eq!(parse(&bytes), Some(expected));
}

#[test]
fn authentication() {
    let mut bytes = header(0x8008, 0, 20);
    put_u16(&mut bytes, 8, 1);
    put_u32(&mut bytes, 12, 2);
    put_i32(&mut bytes, 16, 3);
    let expected = Notification::Authentication { key: 1, indication: 2, assoc: AssocId(3) };
    assert_eq!(parse(&bytes), Some(expected));
}

#[test]
fn reconfiguration() {
    let mut bytes = header(0x800a, 6, 16);
    put_i32(&mut bytes, 8, 3);
    put_u16(&mut bytes, 12, 7);
    put_u16(&mut bytes, 14, 9);
    let reset = Notification::StreamReset { flags: 6, assoc: AssocId(3), streams: vec![7, 9] };
    assert_eq!(parse(&bytes), Some(reset));

    put_u16(&mut bytes, 0, 0x800c);
    let change = Notification::StreamChange {
        flags: 6,
        assoc: AssocId(3),
        inbound_streams: 7,
        outbound_streams: 9,
    };
    assert_eq!(parse(&bytes), Some(change));

    let mut bytes = header(0x800b, 4, 20);
    put_i32(&mut bytes, 8, 3);
    put_u32(&mut bytes, 12, 100);
    put_u32(&mut bytes, 16, 200);
    let reset =
        Notification::AssocReset { flags: 4, assoc: AssocId(3), local_tsn: 100, remote_tsn: 200 };
    assert_eq!(parse(&bytes), Some(reset));
}

#[test]
fn send_failed_event() {
    let mut bytes = header(0x800d, 1, 34);
    put_u32(&mut bytes, 8, u16::to_be(5).into());
    put_u16(&mut bytes, 12, 1);
    put_u16(&mut bytes, 14, 3);
    put_u32_be(&mut bytes, 16, 46);
    put_u32(&mut bytes, 20, 9);
    put_i32(&mut bytes, 24, 4);
    put_i32(&mut bytes, 28, 4);
    bytes[32..].copy_from_slice(b"hi");
    let expected = Notification::SendFailedEvent {
        sent: true,
        error: 5,
        info: SndInfo {
            stream: 1,
            flags: 3,
            ppid: 46,
            context: 9,
            timetolive: 0,
            assoc: AssocId(4),
            key: None,
        },
        assoc: AssocId(4),
        data: b"hi".to_vec(),
    };
    assert_eq!(parse(&bytes), Some(expected));
}

#[test]
fn unknown_types_and_states_are_kept() {
    let bytes = header(0x80ff, 0, 10);
    let parsed = parse(&bytes).unwrap();
    assert_eq!(parsed, Notification::Unknown { kind: 0x80ff, bytes: bytes.clone() });
    assert_eq!(parsed.assoc(), None);
    assert_eq!(AssocState::from(5), AssocState::Unknown(5));
    assert_eq!(PeerAddrState::from(-1), PeerAddrState::Unknown(-1));
}

#[test]
fn cut_short_is_malformed() {
    // The sizes without a tail; partial delivery as before kernel 4.16.
    let sizes = [
        (0x8001, 20),
        (0x8002, 148),
        (0x8003, 48),
        (0x8004, 16),
        (0x8005, 12),
        (0x8006, 16),
        (0x8007, 16),
        (0x8008, 20),
        (0x8009, 12),
        (0x800a, 12),
        (0x800b, 20),
        (0x800c, 16),
        (0x800d, 32),
        (0x80ff, 8),
    ];
    for (kind, size) in sizes {
        let bytes = header(kind, 0, size);
        assert!(parse(&bytes).is_some(), "{kind:#x} of {size} bytes");
        assert_eq!(parse(&bytes[..size - 1]), None, "{kind:#x}: shorter than it claims");
        if kind != 0x80ff {
            assert_eq!(parse(&header(kind, 0, size - 1)), None, "{kind:#x}: too short");
        }
    }
    assert_eq!(parse(&[]), None);
}

#[test]
fn any_bytes_are_survived() {
    let mut prng = Prng::new(3);
    let mut parsed = 0;
    for _ in 0..50_000 {
        let mut bytes = prng.bytes(256);
        if bytes.len() >= 8 {
            put_u16(&mut bytes, 0, 0x8000 + prng.below(16) as u16);
            let length = prng.below(bytes.len() + 4) as u32;
            put_u32(&mut bytes, 4, length);
        }
        if let Some(notification) = parse(&bytes) {
            parsed += 1;
            let known = !matches!(notification, Notification::Unknown { .. });
            assert_eq!(notification.assoc().is_some(), known);
        }
    }
    assert!(parsed > 10_000, "the loop must reach the parser: {parsed}");
}

#[test]
fn causes_of_an_abort() {
    let told = |chunk: &[u8]| -> Vec<(u16, Vec<u8>)> {
        causes(chunk).map(|(code, info)| (code, info.to_vec())).collect()
    };
    assert_eq!(told(b""), []);
    assert_eq!(told(b"\0\x0c\0\x0breason!"), [(12, b"reason!".to_vec())], "without padding");
    let two = b"\0\x0c\0\x05x\0\0\0\0\x0d\0\x04";
    assert_eq!(told(two), [(12, b"x".to_vec()), (13, vec![])]);
    for cut in 1..4 {
        assert_eq!(told(&two[..8 + cut]), [(12, b"x".to_vec())], "a header in part");
    }
    assert_eq!(told(b"\0\x0c\0\x09x\0\0\0"), [], "longer than there is");
    for length in 0..4 {
        assert_eq!(told(&[0, 12, 0, length, 0, 0, 0, 0]), [], "shorter than its header");
    }
}
