//! The records of options that Erlang does not have; `include/gen_sctp_nif.hrl` has them for users.

use super::field::{key, value};
use super::spec::{DefaultValue, Kind, Record, assoc_value};
use crate::abi::{event, notification_type as ty, paddrparams, spp_flags};
use crate::bytes::u32_at;

use DefaultValue::{AnyAddress, Mandatory, Present, Zero};

/// `struct sctp_event` (RFC 6458 section 6.2.2).
pub static EVENT: Record = Record {
    tag: "sctp_event",
    size: 8,
    fields: &[
        key("assoc_id", event::ASSOC_ID, Kind::AssocIds, Zero),
        key("type", event::TYPE, Kind::Enum { names: EVENT_TYPES, width: 2 }, Mandatory),
        value("on", event::ON, Kind::Bool8, Mandatory),
    ],
};

const EVENT_TYPES: &[(u32, &str)] = &[
    (ty::ASSOC_CHANGE as u32, "association"),
    (ty::PEER_ADDR_CHANGE as u32, "address"),
    (ty::SEND_FAILED as u32, "send_failure"),
    (ty::REMOTE_ERROR as u32, "peer_error"),
    (ty::SHUTDOWN_EVENT as u32, "shutdown"),
    (ty::PARTIAL_DELIVERY_EVENT as u32, "partial_delivery"),
    (ty::ADAPTATION_INDICATION as u32, "adaptation"),
    (ty::AUTHENTICATION_EVENT as u32, "authentication"),
    (ty::SENDER_DRY_EVENT as u32, "sender_dry"),
    (ty::STREAM_RESET_EVENT as u32, "stream_reset"),
    (ty::ASSOC_RESET_EVENT as u32, "assoc_reset"),
    (ty::STREAM_CHANGE_EVENT as u32, "stream_change"),
    (ty::SEND_FAILED_EVENT as u32, "send_failed_event"),
];

/// `struct sctp_assoc_value` of an option that is also set for several associations.
pub static ASSOC_VALUES: Record = Record {
    tag: "sctp_assoc_value",
    size: assoc_value::SIZE,
    fields: &[
        key("assoc_id", 0, Kind::AssocIds, Zero),
        value("assoc_value", assoc_value::VALUE, Kind::U32, Mandatory),
    ],
};

/// The same, whether paths that are potentially failed (RFC 7829 section 7.1) are told of.
pub static EXPOSE: Record = Record {
    tag: "sctp_assoc_value",
    size: assoc_value::SIZE,
    fields: &[
        key("assoc_id", 0, Kind::AssocIds, Zero),
        value(
            "assoc_value",
            assoc_value::VALUE,
            Kind::Enum { names: &[(0, "unset"), (1, "disable"), (2, "enable")], width: 4 },
            Mandatory,
        ),
    ],
};

/// `struct sctp_paddrthlds_v2` (RFC 7829 section 7.2, 7.3), not packed: timeouts in a row that a path
/// may have. The kernel always writes the last two.
pub static PADDRTHLDS: Record = Record {
    tag: "sctp_paddrthlds",
    size: 144,
    fields: &[
        key("assoc_id", 0, Kind::AssocIds, Zero),
        key("address", 8, Kind::PathAddress, AnyAddress),
        value("pathmaxrxt", 136, Kind::U16, Present),
        value("pathpfthld", 138, Kind::U16, Present),
        value("pathcpthld", 140, Kind::U16, Present),
    ],
};

/// `struct sctp_paddrparams` of kernel 4.19, for its DSCP alone.
pub static PADDRPARAMS_DSCP: Record = Record {
    tag: "sctp_dscp",
    size: 156,
    fields: &[
        key("assoc_id", 0, Kind::AssocIds, Zero),
        key("address", 4, Kind::PathAddress, AnyAddress),
        value("dscp", 154, Kind::Dscp { flags: paddrparams::FLAGS }, Mandatory),
    ],
};

/// `struct sctp_sack_info`: milliseconds, and packets; 0 keeps the value.
pub static SACK_INFO: Record = Record {
    tag: "sctp_sack_info",
    size: 12,
    fields: &[
        key("assoc_id", 0, Kind::AssocIds, Zero),
        value("delay", 4, Kind::U32, Zero),
        value("freq", 8, Kind::U32, Zero),
    ],
};

/// Does a `struct sctp_sack_info` ask for anything?
pub(super) fn asks_for_a_delay(bytes: &[u8]) -> bool {
    [4, 8].into_iter().any(|at| u32_at(bytes, at) != Some(0))
}

/// Is an interval of 0 one of heartbeats, in a `struct sctp_paddrparams`?
pub(super) fn asks_for_heartbeats(bytes: &[u8]) -> bool {
    let flags = u32_at(bytes, paddrparams::FLAGS).unwrap_or_default();
    flags & spp_flags::HB_TIME_IS_ZERO == 0 || flags & spp_flags::HB_ENABLE != 0
}
