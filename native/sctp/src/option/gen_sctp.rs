//! The records of `inet_sctp.hrl`. Offsets are those of `linux/sctp.h`; tests/layout.rs compares them
//! with it.

use super::field::{key, output, value};
use super::spec::{DefaultValue, Kind, Record};
use crate::abi::{PATH_POTENTIALLY_FAILED, paddrinfo, paddrparams, sndrcvinfo, spp_flags, status};
use crate::types::flags;

use DefaultValue::{AnyAddress, EmptyFlags, Mandatory, True, Zero};

/// `struct sctp_rtoinfo`; times in milliseconds, 0 keeps the value.
pub static RTOINFO: Record = Record {
    tag: "sctp_rtoinfo",
    size: 16,
    fields: &[
        key("assoc_id", 0, Kind::AssocId, Zero),
        value("initial", 4, Kind::U32, Zero),
        value("max", 8, Kind::U32, Zero),
        value("min", 12, Kind::U32, Zero),
    ],
};

/// `struct sctp_assocparams`; windows in bytes, cookie life in milliseconds, 0 keeps the value.
pub static ASSOCPARAMS: Record = Record {
    tag: "sctp_assocparams",
    size: 20,
    fields: &[
        key("assoc_id", 0, Kind::AssocId, Zero),
        value("asocmaxrxt", 4, Kind::U16, Zero),
        value("number_peer_destinations", 6, Kind::U16, Zero),
        value("peer_rwnd", 8, Kind::U32, Zero),
        value("local_rwnd", 12, Kind::U32, Zero),
        value("cookie_life", 16, Kind::U32, Zero),
    ],
};

/// `struct sctp_initmsg`; the time in milliseconds, 0 keeps the value.
pub static INITMSG: Record = Record {
    tag: "sctp_initmsg",
    size: 8,
    fields: &[
        value("num_ostreams", 0, Kind::U16, Zero),
        value("max_instreams", 2, Kind::U16, Zero),
        value("max_attempts", 4, Kind::U16, Zero),
        value("max_init_timeo", 6, Kind::U16, Zero),
    ],
};

/// `struct sctp_prim`.
pub static PRIM: Record = Record {
    tag: "sctp_prim",
    size: 132,
    fields: &[
        key("assoc_id", 0, Kind::AssocId, Mandatory),
        value("addr", 4, Kind::Address, Mandatory),
    ],
};

/// `struct sctp_setpeerprim`.
pub static SETPEERPRIM: Record = Record {
    tag: "sctp_setpeerprim",
    size: 132,
    fields: &[
        key("assoc_id", 0, Kind::AssocId, Mandatory),
        value("addr", 4, Kind::Address, Mandatory),
    ],
};

/// `struct sctp_setadaptation`. The kernel takes it for a number in host order, but stock Erlang gives
/// it in network order (and reads the peer's so): to send the bytes that one sends, so do we.
pub static SETADAPTATION: Record = Record {
    tag: "sctp_setadaptation",
    size: 4,
    fields: &[value("adaptation_ind", 0, Kind::Be32, Zero)],
};

/// `struct sctp_paddrparams` without the flow label and DSCP of kernel 4.19, and packed so that
/// `pathmtu` lies at 138. Times in milliseconds.
pub static PADDRPARAMS: Record = Record {
    tag: "sctp_paddrparams",
    size: paddrparams::SIZE,
    fields: &[
        key("assoc_id", paddrparams::ASSOC_ID, Kind::AssocId, Zero),
        key("address", 4, Kind::Address, AnyAddress),
        value("hbinterval", 132, Kind::U32, Zero),
        value("pathmaxrxt", 136, Kind::U16, Zero),
        value("pathmtu", 138, Kind::U32, Zero),
        value("sackdelay", 142, Kind::U32, Zero),
        value("flags", paddrparams::FLAGS, PADDRPARAMS_FLAGS, EmptyFlags),
    ],
};

const PADDRPARAMS_FLAGS: Kind = Kind::Flags {
    bits: &[
        ("hb_enable", spp_flags::HB_ENABLE),
        ("hb_disable", 0x02),
        ("hb_demand", spp_flags::HB_DEMAND),
        ("pmtud_enable", 0x08),
        ("pmtud_disable", 0x10),
        ("sackdelay_enable", 0x20),
        ("sackdelay_disable", 0x40),
        // Erlang does not have it, and the kernel does not tell it.
        ("hb_time_is_zero", spp_flags::HB_TIME_IS_ZERO),
    ],
    width: 4,
};

/// `struct sctp_sndrcvinfo`.
pub static SNDRCVINFO: Record = Record {
    tag: "sctp_sndrcvinfo",
    size: sndrcvinfo::SIZE,
    fields: &[
        value("stream", sndrcvinfo::STREAM, Kind::U16, Zero),
        output("ssn", sndrcvinfo::SSN, Kind::U16),
        value("flags", sndrcvinfo::FLAGS, SNDRCVINFO_FLAGS, EmptyFlags),
        value("ppid", sndrcvinfo::PPID, Kind::Ppid, Zero),
        value("context", sndrcvinfo::CONTEXT, Kind::U32, Zero),
        value("timetolive", sndrcvinfo::TIMETOLIVE, Kind::U32, Zero),
        output("tsn", sndrcvinfo::TSN, Kind::U32),
        output("cumtsn", sndrcvinfo::CUMTSN, Kind::U32),
        key("assoc_id", sndrcvinfo::ASSOC_ID, Kind::AssocId, Zero),
    ],
};

const SNDRCVINFO_FLAGS: Kind = Kind::Flags {
    bits: &[
        ("unordered", flags::UNORDERED as u32),
        ("addr_over", flags::ADDR_OVER as u32),
        ("abort", flags::ABORT as u32),
        ("eof", flags::EOF as u32),
    ],
    width: 2,
};

/// The first eight bytes of `struct sctp_event_subscribe`, which grew from 10 to 14: the kernel
/// takes and gives fewer, and leaves alone what it is not given.
///
/// The byte of `data_io_event` switches the older form of the information that comes with a message
/// on; this crate uses the newer one, so that byte is to be kept 0 and the field to be kept apart.
pub static EVENT_SUBSCRIBE: Record = Record {
    tag: "sctp_event_subscribe",
    size: 8,
    fields: &[
        value("data_io_event", 0, Kind::Bool8, True),
        value("association_event", 1, Kind::Bool8, True),
        value("address_event", 2, Kind::Bool8, True),
        value("send_failure_event", 3, Kind::Bool8, True),
        value("peer_error_event", 4, Kind::Bool8, True),
        value("shutdown_event", 5, Kind::Bool8, True),
        value("partial_delivery_event", 6, Kind::Bool8, True),
        value("adaptation_layer_event", 7, Kind::Bool8, Zero),
        // Erlang has never passed it on.
        value("authentication_event", 0, Kind::Absent, Zero),
    ],
};

/// `struct sctp_assoc_value`; for `sctp_delayed_ack_time` milliseconds, 0 disables the delay.
pub static ASSOC_VALUE: Record = Record {
    tag: "sctp_assoc_value",
    size: 8,
    fields: &[key("assoc_id", 0, Kind::AssocId, Zero), value("assoc_value", 4, Kind::U32, Zero)],
};

/// `struct sctp_paddrinfo`; `srtt` in jiffies, `rto` in milliseconds.
pub static PADDRINFO: Record = Record {
    tag: "sctp_paddrinfo",
    size: paddrinfo::SIZE,
    fields: &[
        key("assoc_id", paddrinfo::ASSOC_ID, Kind::AssocId, Zero),
        key("address", paddrinfo::ADDRESS, Kind::Address, AnyAddress),
        output("state", paddrinfo::STATE, Kind::State(PATH_STATES)),
        output("cwnd", paddrinfo::CWND, Kind::U32),
        output("srtt", paddrinfo::SRTT, Kind::U32),
        output("rto", paddrinfo::RTO, Kind::U32),
        output("mtu", paddrinfo::MTU, Kind::U32),
    ],
};

/// `enum sctp_spinfo_state`. Erlang has no name for the second (RFC 7829): it is for those who know of it.
pub const PATH_STATES: &[(i32, &str)] = &[
    (0, "inactive"),
    (PATH_POTENTIALLY_FAILED, "potentially_failed"),
    (2, "active"),
    (3, "unconfirmed"),
];

/// `struct sctp_status`.
pub static STATUS: Record = Record {
    tag: "sctp_status",
    size: status::SIZE,
    fields: &[
        key("assoc_id", status::ASSOC_ID, Kind::AssocId, Mandatory),
        output("state", status::STATE, Kind::State(ASSOC_STATES)),
        output("rwnd", status::RWND, Kind::U32),
        output("unackdata", status::UNACKDATA, Kind::U16),
        output("penddata", status::PENDDATA, Kind::U16),
        output("instrms", status::INSTRMS, Kind::U16),
        output("outstrms", status::OUTSTRMS, Kind::U16),
        output("fragmentation_point", status::FRAGMENTATION_POINT, Kind::U32),
        output("primary", status::PRIMARY, Kind::Record(&PADDRINFO)),
    ],
};

/// `enum sctp_sstat_state`.
pub const ASSOC_STATES: &[(i32, &str)] = &[
    (0, "empty"),
    (1, "closed"),
    (2, "cookie_wait"),
    (3, "cookie_echoed"),
    (4, "established"),
    (5, "shutdown_pending"),
    (6, "shutdown_sent"),
    (7, "shutdown_received"),
    (8, "shutdown_ack_sent"),
];
