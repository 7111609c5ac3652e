//! Notifications: each type at any length, and with a length that lies.

use proptest::prelude::*;
use sctp::abi::notification_type as ty;
use sctp::bytes::{i32_at, put_u16, put_u32};
use sctp::notification::{Notification, causes, parse};
use sctp::types::AssocId;

use crate::{config, edge, noise};

/// Types, with the length that they have at least and where the association is.
const KINDS: &[(u16, usize, usize)] = &[
    (ty::ASSOC_CHANGE, 20, 16),
    (ty::PEER_ADDR_CHANGE, 148, 144),
    (ty::SEND_FAILED, 48, 44),
    (ty::REMOTE_ERROR, 16, 12),
    (ty::SHUTDOWN_EVENT, 12, 8),
    // 24 since 4.16.
    (ty::PARTIAL_DELIVERY_EVENT, 16, 12),
    (ty::ADAPTATION_INDICATION, 16, 12),
    (ty::AUTHENTICATION_EVENT, 20, 16),
    (ty::SENDER_DRY_EVENT, 12, 8),
    (ty::STREAM_RESET_EVENT, 12, 8),
    (ty::ASSOC_RESET_EVENT, 20, 12 - 4),
    (ty::STREAM_CHANGE_EVENT, 16, 8),
    (ty::SEND_FAILED_EVENT, 32, 28),
];

/// A known type with any fields, at least as long as it must be.
fn well_made() -> impl Strategy<Value = (usize, Vec<u8>)> {
    (0..KINDS.len(), noise(400)).prop_map(|(which, mut bytes)| {
        let (kind, least, _) = KINDS[which];
        bytes.resize(bytes.len().max(least), 0xa5);
        put_u16(&mut bytes, 0, kind);
        let length = u32::try_from(bytes.len()).expect("some hundred bytes");
        put_u32(&mut bytes, 4, length);
        (which, bytes)
    })
}

/// The bytes that a notification has of its own.
fn carried(notification: &Notification) -> &[u8] {
    match notification {
        Notification::AssocChange { info, .. } => info,
        Notification::SendFailed { data, .. }
        | Notification::RemoteError { data, .. }
        | Notification::SendFailedEvent { data, .. } => data,
        Notification::Unknown { bytes, .. } => bytes,
        _ => &[],
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn a_known_type_is_read((which, bytes) in well_made()) {
        let (_, least, assoc) = KINDS[which];
        let found = parse(&bytes);
        prop_assert!(found.is_some());
        let found = found.unwrap();
        prop_assert_eq!(found.assoc(), i32_at(&bytes, assoc).map(AssocId));
        let own = carried(&found);
        prop_assert!(own.is_empty() || own == &bytes[least..]);
    }

    /// What it says of itself is all that counts, and all that is read.
    #[test]
    fn its_length_is_its_end((which, mut bytes) in well_made(), length in edge(32)) {
        let (_, least, _) = KINDS[which];
        put_u32(&mut bytes, 4, u32::try_from(length).unwrap_or(u32::MAX));
        let found = parse(&bytes);
        if length > bytes.len() || length < least {
            prop_assert_eq!(found, None);
        } else {
            prop_assert!(found.is_some());
            prop_assert_eq!(found, parse(&bytes[..length]));
        }
    }

    #[test]
    fn cut_short_it_is_nothing((_, bytes) in well_made(), cut in any::<prop::sample::Index>()) {
        prop_assert_eq!(parse(&bytes[..cut.index(bytes.len())]), None);
    }

    #[test]
    fn what_follows_does_not_matter((_, bytes) in well_made(), more in noise(40)) {
        let longer = [&bytes[..], &more].concat();
        prop_assert_eq!(parse(&bytes), parse(&longer));
    }

    /// The kernel widens the two bytes of a cause, in network order, to a number.
    #[test]
    fn a_cause_is_in_host_order(cause in any::<u16>(), mut bytes in noise(64)) {
        bytes.resize(bytes.len().max(32), 0);
        put_u16(&mut bytes, 0, ty::SEND_FAILED_EVENT);
        let length = u32::try_from(bytes.len()).expect("at most 64");
        put_u32(&mut bytes, 4, length);
        put_u32(&mut bytes, 8, cause.to_be().into());
        let found = parse(&bytes);
        let is_it = matches!(found, Some(Notification::SendFailedEvent { error, .. }) if error == cause);
        prop_assert!(is_it, "{:?}", found);
    }

    #[test]
    fn an_unknown_type_is_kept(
        kind in prop_oneof![0..0x8001_u16, 0x8010..=u16::MAX],
        mut bytes in noise(64),
    ) {
        prop_assert!(!KINDS.iter().any(|(known, ..)| *known == kind));
        bytes.resize(bytes.len().max(8), 0);
        put_u16(&mut bytes, 0, kind);
        let length = u32::try_from(bytes.len()).expect("at most 64");
        put_u32(&mut bytes, 4, length);
        prop_assert_eq!(parse(&bytes), Some(Notification::Unknown { kind, bytes: bytes.clone() }));
    }

    #[test]
    fn noise_is_survived(bytes in noise(300), kind in 0..KINDS.len(), length in edge(300)) {
        let _ = parse(&bytes);
        let mut bytes = bytes;
        if bytes.len() >= 8 {
            put_u16(&mut bytes, 0, KINDS[kind].0);
            put_u32(&mut bytes, 4, u32::try_from(length).unwrap_or(u32::MAX));
            if let Some(found) = parse(&bytes) {
                prop_assert!(carried(&found).len() <= length);
                prop_assert!(found.assoc().is_some());
            }
        }
    }

    /// Causes lie one after the other in the chunk, and are what was put in.
    #[test]
    fn causes_are_found(
        made in proptest::collection::vec((any::<u16>(), noise(20)), 0..6),
        rest in noise(3),
    ) {
        let mut chunk = Vec::new();
        for (code, info) in &made {
            let length = u16::try_from(info.len() + 4).expect("at most 24");
            chunk.extend(code.to_be_bytes());
            chunk.extend(length.to_be_bytes());
            chunk.extend(info);
            chunk.resize(chunk.len().next_multiple_of(4), 0);
        }
        chunk.extend(rest);
        let found: Vec<_> = causes(&chunk).map(|(code, info)| (code, info.to_vec())).collect();
        prop_assert_eq!(found, made);
    }

    #[test]
    fn causes_of_noise_are_within_it(chunk in noise(100)) {
        let found: usize = causes(&chunk).map(|(_, info)| 4 + info.len()).sum();
        prop_assert!(found <= chunk.len());
    }
}
