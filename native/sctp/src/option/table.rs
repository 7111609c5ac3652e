//! The table itself. Offsets are those of `linux/sctp.h`; tests/layout.rs compares them with it.

use libc::{IPPROTO_IP, IPPROTO_IPV6, SOL_SOCKET};

use super::spec::{
    Access, DefaultValue, Effect, Field, GetRole, Kind, OptionSpec, Record, SetRole, Shape,
};
use crate::abi::{SOL_SCTP, optname, sndrcvinfo};
use crate::types::{Family, flags};

use DefaultValue::{AnyAddress, EmptyFlags, Mandatory, True, Zero};

/// All options, but those that never reach the kernel (`active`, `buffer` and their like).
pub static OPTIONS: &[OptionSpec] = &[
    socket("linger", libc::SO_LINGER, Shape::Linger),
    socket("reuseaddr", libc::SO_REUSEADDR, Shape::Bool),
    socket("reuseport", libc::SO_REUSEPORT, Shape::Bool),
    // Linux' SO_REUSEPORT does balance the load.
    socket("reuseport_lb", libc::SO_REUSEPORT, Shape::Bool),
    socket("dontroute", libc::SO_DONTROUTE, Shape::Bool),
    socket("priority", libc::SO_PRIORITY, Shape::Int),
    socket("recbuf", libc::SO_RCVBUF, Shape::Int).with(Effect::ReadBuffer),
    socket("sndbuf", libc::SO_SNDBUF, Shape::Int),
    socket("bind_to_device", libc::SO_BINDTODEVICE, Shape::DeviceName),
    // The kernel takes the IPv4 options on IPv6 sockets as well.
    ip("tos", libc::IP_TOS, Shape::Int).with(Effect::Priority),
    ip("ttl", libc::IP_TTL, Shape::Int),
    ip("recvtos", libc::IP_RECVTOS, Shape::Bool),
    ip("recvttl", libc::IP_RECVTTL, Shape::Bool),
    ipv6("tclass", libc::IPV6_TCLASS, Shape::Int),
    ipv6("recvtclass", libc::IPV6_RECVTCLASS, Shape::Bool),
    ipv6("ipv6_v6only", libc::IPV6_V6ONLY, Shape::Bool),
    sctp("sctp_rtoinfo", optname::RTOINFO, Shape::Record(&RTOINFO)),
    sctp("sctp_associnfo", optname::ASSOCINFO, Shape::Record(&ASSOCPARAMS)),
    sctp("sctp_initmsg", optname::INITMSG, Shape::Record(&INITMSG)),
    sctp("sctp_autoclose", optname::AUTOCLOSE, Shape::UInt),
    sctp("sctp_nodelay", optname::NODELAY, Shape::Bool),
    sctp("sctp_disable_fragments", optname::DISABLE_FRAGMENTS, Shape::Bool),
    sctp("sctp_i_want_mapped_v4_addr", optname::I_WANT_MAPPED_V4_ADDR, Shape::Bool),
    // A plain int is taken too, but deprecated: the kernel logs a warning.
    sctp("sctp_maxseg", optname::MAXSEG, Shape::AssocUInt),
    sctp("sctp_primary_addr", optname::PRIMARY_ADDR, Shape::Record(&PRIM)),
    OptionSpec {
        access: Access::WriteOnly,
        ..sctp(
            "sctp_set_peer_primary_addr",
            optname::SET_PEER_PRIMARY_ADDR,
            Shape::Record(&SETPEERPRIM),
        )
    },
    sctp("sctp_adaptation_layer", optname::ADAPTATION_LAYER, Shape::Record(&SETADAPTATION)),
    sctp("sctp_peer_addr_params", optname::PEER_ADDR_PARAMS, Shape::Record(&PADDRPARAMS)),
    sctp("sctp_default_send_param", optname::DEFAULT_SEND_PARAM, Shape::Record(&SNDRCVINFO))
        .with(Effect::SendDefaults),
    sctp("sctp_events", optname::EVENTS, Shape::Record(&EVENT_SUBSCRIBE)).with(Effect::Events),
    // Erlang's record for this option is the two-field form, deprecated by the kernel but taken.
    sctp("sctp_delayed_ack_time", optname::DELAYED_ACK_TIME, Shape::Record(&ASSOC_VALUE)),
    OptionSpec {
        access: Access::ReadOnly,
        ..sctp("sctp_status", optname::STATUS, Shape::Record(&STATUS))
    },
    OptionSpec {
        access: Access::ReadOnly,
        ..sctp("sctp_get_peer_addr_info", optname::GET_PEER_ADDR_INFO, Shape::Record(&PADDRINFO))
    },
];

/// What Linux derives from the type of service, where Erlang keeps the two apart.
pub static PRIORITY: OptionSpec = socket("priority", libc::SO_PRIORITY, Shape::Int);

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
    size: 152,
    fields: &[
        key("assoc_id", 0, Kind::AssocId, Zero),
        key("address", 4, Kind::Address, AnyAddress),
        value("hbinterval", 132, Kind::U32, Zero),
        value("pathmaxrxt", 136, Kind::U16, Zero),
        value("pathmtu", 138, Kind::U32, Zero),
        value("sackdelay", 142, Kind::U32, Zero),
        value("flags", 146, PADDRPARAMS_FLAGS, EmptyFlags),
    ],
};

const PADDRPARAMS_FLAGS: Kind = Kind::Flags {
    bits: &[
        ("hb_enable", 0x01),
        ("hb_disable", 0x02),
        ("hb_demand", 0x04),
        ("pmtud_enable", 0x08),
        ("pmtud_disable", 0x10),
        ("sackdelay_enable", 0x20),
        ("sackdelay_disable", 0x40),
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
    size: 152,
    fields: &[
        key("assoc_id", 0, Kind::AssocId, Zero),
        key("address", 4, Kind::Address, AnyAddress),
        // 1, potentially failed (RFC 7829), has no name in Erlang.
        output("state", 132, Kind::State(&[(0, "inactive"), (2, "active"), (3, "unconfirmed")])),
        output("cwnd", 136, Kind::U32),
        output("srtt", 140, Kind::U32),
        output("rto", 144, Kind::U32),
        output("mtu", 148, Kind::U32),
    ],
};

/// `struct sctp_status`.
pub static STATUS: Record = Record {
    tag: "sctp_status",
    size: 176,
    fields: &[
        key("assoc_id", 0, Kind::AssocId, Mandatory),
        output("state", 4, Kind::State(ASSOC_STATES)),
        output("rwnd", 8, Kind::U32),
        output("unackdata", 12, Kind::U16),
        output("penddata", 14, Kind::U16),
        output("instrms", 16, Kind::U16),
        output("outstrms", 18, Kind::U16),
        output("fragmentation_point", 20, Kind::U32),
        output("primary", 24, Kind::Record(&PADDRINFO)),
    ],
};

const ASSOC_STATES: &[(i32, &str)] = &[
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

/// Settable, and selects what is got.
const fn key(name: &'static str, offset: usize, kind: Kind, default: DefaultValue) -> Field {
    let (get_role, set_role) = (GetRole::Key, SetRole::Settable);
    Field { name, offset, kind, default, get_role, set_role }
}

/// Settable and got.
const fn value(name: &'static str, offset: usize, kind: Kind, default: DefaultValue) -> Field {
    let (get_role, set_role) = (GetRole::MustBeUndefined, SetRole::Settable);
    Field { name, offset, kind, default, get_role, set_role }
}

/// Only got.
const fn output(name: &'static str, offset: usize, kind: Kind) -> Field {
    let (get_role, set_role) = (GetRole::MustBeUndefined, SetRole::MustBeUndefined);
    Field { name, offset, kind, default: Zero, get_role, set_role }
}

impl OptionSpec {
    const fn with(self, effect: Effect) -> Self {
        Self { effect, ..self }
    }
}

const fn option(name: &'static str, level: i32, optname: i32, shape: Shape) -> OptionSpec {
    let (access, effect) = (Access::ReadWrite, Effect::None);
    OptionSpec { name, level, optname, shape, access, family: None, effect }
}

const fn socket(name: &'static str, optname: i32, shape: Shape) -> OptionSpec {
    option(name, SOL_SOCKET, optname, shape)
}

const fn ip(name: &'static str, optname: i32, shape: Shape) -> OptionSpec {
    option(name, IPPROTO_IP, optname, shape)
}

const fn ipv6(name: &'static str, optname: i32, shape: Shape) -> OptionSpec {
    OptionSpec { family: Some(Family::Inet6), ..option(name, IPPROTO_IPV6, optname, shape) }
}

const fn sctp(name: &'static str, optname: i32, shape: Shape) -> OptionSpec {
    option(name, SOL_SCTP, optname, shape)
}
