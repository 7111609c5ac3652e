//! The socket options, as data: to add one is to add one entry to [`OPTIONS`].
//!
//! A record option is described field by field, in the order of its record in Erlang's
//! `inet_sctp.hrl`, with the offset of each field in the kernel's struct. Whoever converts values
//! walks that description; this module has no notion of a term.

mod added;
mod auth;
mod field;
mod gen_sctp;
mod list;
mod sending;
mod spec;
mod streams;
mod table;
mod toggle;
mod wire;

pub use added::{ASSOC_VALUES, EVENT, EXPOSE, PADDRPARAMS_DSCP, PADDRTHLDS, SACK_INFO};
pub use auth::{AUTHCHUNKS, AUTHKEY, AUTHKEYID, CHUNKS, HMACALGO};
pub use gen_sctp::{
    ASSOC_STATES, ASSOC_VALUE, ASSOCPARAMS, EVENT_SUBSCRIBE, INITMSG, PADDRINFO, PADDRPARAMS,
    PATH_STATES, PRIM, RTOINFO, SETADAPTATION, SETPEERPRIM, SNDRCVINFO, STATUS,
};
pub use list::{List, number, put_number};
pub use sending::{DEFAULT_PRINFO, PRSTATUS, PRSTATUS_STREAM, SNDINFO};
pub use spec::{
    Access, DEVICE_NAME_MAX, DefaultValue, Effect, Field, GetRole, Kind, OptionSpec, Place, Record,
    SetRole, Shape, assoc_value, linger,
};
pub use streams::{
    ADD_STREAMS, ENABLE_STREAM_RESET, RESET_STREAMS, SCHEDULER, SCHEDULERS, SCHEDULERS_BY_VALUE,
    STREAM_VALUE,
};
pub use table::{OPTIONS, PR_INFO, PRIORITY, RECONFIG_SUPPORTED, STREAM_SCHEDULER};
pub use toggle::TOGGLE;
pub use wire::{PADDRPARAMS_FLOWLABEL, PROBEINTERVAL, UDPENCAPS, asks_for_encapsulation};

#[cfg(test)]
mod tests {
    use super::*;

    /// Every record, those within records included.
    fn records() -> Vec<&'static Record> {
        fn add(record: &'static Record, found: &mut Vec<&'static Record>) {
            found.push(record);
            for field in record.fields {
                if let Kind::Record(inner) = field.kind {
                    add(inner, found);
                }
            }
        }
        let mut found = Vec::new();
        for option in OPTIONS {
            if let Shape::Record(record) = option.shape {
                add(record, &mut found);
            }
        }
        found
    }

    #[test]
    fn names_are_distinct() {
        for option in OPTIONS {
            let same = OPTIONS.iter().filter(|other| other.name == option.name).count();
            assert_eq!(same, 1, "{}", option.name);
        }
        assert_eq!(OPTIONS.len(), 70);
    }

    #[test]
    fn fields_lie_apart_within_the_struct() {
        for record in records() {
            let mut used = vec![false; record.size];
            for field in record.fields {
                let place = field.offset..field.offset + field.kind.width();
                assert!(place.end <= record.size, "{}.{}", record.tag, field.name);
                for byte in &mut used[place] {
                    assert!(!*byte, "{}.{} overlaps", record.tag, field.name);
                    *byte = true;
                }
            }
        }
        assert!(records().len() == 45);
    }

    #[test]
    fn flags_fit_and_do_not_share_bits() {
        let mut seen = 0;
        for record in records() {
            for field in record.fields {
                if let Kind::Flags { bits, width } = field.kind {
                    let sum: u64 = bits.iter().map(|(_, bit)| u64::from(*bit)).sum();
                    let all = bits.iter().fold(0, |all, (_, bit)| all | u64::from(*bit));
                    assert_eq!(sum, all, "{}.{}", record.tag, field.name);
                    assert!(all < 1 << (8 * width), "{}.{}", record.tag, field.name);
                    let default = [DefaultValue::EmptyFlags, DefaultValue::Mandatory];
                    assert!(default.contains(&field.default));
                    seen += 1;
                }
            }
        }
        assert!(seen >= 2);
    }

    /// What the kernel would accept without effect.
    #[test]
    fn values_without_effect_are_known() {
        let find = |name| OPTIONS.iter().find(|option| option.name == name).unwrap();
        let params = find("sctp_peer_addr_params");
        // (flags, can have an effect)
        for (flags, expected) in
            [(0, true), (0x29, true), (0x80, false), (0x82, false), (0x81, true)]
        {
            let mut bytes = [0; 152];
            crate::bytes::put_u32(&mut bytes, 146, flags);
            assert_eq!((params.effective)(&bytes), expected, "{flags:x}");
        }
        let sack = find("sctp_delayed_sack");
        // (delay, frequency, can have an effect)
        for (delay, freq, expected) in [(0, 0, false), (200, 0, true), (0, 1, true), (1, 1, true)] {
            let mut bytes = [0; 12];
            crate::bytes::put_u32(&mut bytes, 4, delay);
            crate::bytes::put_u32(&mut bytes, 8, freq);
            assert_eq!((sack.effective)(&bytes), expected);
        }
        assert!((find("sctp_nodelay").effective)(&[0; 4]));
        let ecn = find("sctp_ecn_supported");
        for (id, expected) in [(0, true), (1, false), (7, false), (u32::MAX, false)] {
            let mut bytes = [0; 8];
            crate::bytes::put_u32(&mut bytes, 0, id);
            assert_eq!((ecn.effective)(&bytes), expected, "{id}");
        }
        let interleaving = find("sctp_interleaving_supported");
        assert!((interleaving.effective)(&[0; 8]));
        assert!(!(interleaving.effective)(&[1; 8]), "of an association that is up");
        let label = find("sctp_ipv6_flowlabel");
        // (address, can have an effect)
        for (ip, expected) in [("::", true), ("fd67::1", true), ("::ffff:10.0.0.1", false)] {
            let mut bytes = [0; 156];
            let addr = std::net::SocketAddr::new(ip.parse().unwrap(), 80);
            crate::address::put_storage(&mut bytes, 4, &addr);
            assert_eq!((label.effective)(&bytes), expected, "{ip}");
        }
        let mut bytes = [0; 144];
        assert!(!asks_for_encapsulation(&bytes));
        bytes[137] = 1;
        assert!(asks_for_encapsulation(&bytes));
    }

    /// Of one list `sctp_events`, which says all at once, comes before `sctp_event`; what is offered
    /// before all that belongs to it; a scheduler before its values; a key
    /// before it is used, and another in use before it is not.
    #[test]
    fn what_is_undone_by_another_comes_after_it() {
        for option in OPTIONS {
            let expected = match option.name {
                "sctp_interleaving_supported" | "sctp_stream_scheduler_value" => Place::OnOther,
                name if name.ends_with("_supported") => Place::Gate,
                "sctp_event" => Place::Event,
                "sctp_auth_active_key" => Place::KeyInUse,
                "sctp_auth_deactivate_key" | "sctp_auth_delete_key" => Place::KeyOutOfUse,
                _ => Place::Any,
            };
            assert_eq!(option.place, expected, "{}", option.name);
        }
    }

    #[test]
    fn what_cannot_be_set_is_not_settable() {
        for option in OPTIONS {
            let Shape::Record(record) = option.shape else {
                continue;
            };
            for field in record.fields {
                if matches!(field.kind, Kind::State(_) | Kind::Record(_)) {
                    assert_eq!(option.access, Access::ReadOnly, "{}", option.name);
                    assert_eq!(field.set_role, SetRole::MustBeUndefined, "{}", field.name);
                    assert_eq!(field.get_role, GetRole::MustBeUndefined, "{}", field.name);
                }
            }
        }
    }
}
