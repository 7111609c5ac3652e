//! The table itself.

use libc::{IPPROTO_IP, IPPROTO_IPV6, SOL_SOCKET};

use super::added::{
    ASSOC_VALUES, EVENT, EXPOSE, PADDRPARAMS_DSCP, PADDRTHLDS, SACK_INFO, asks_for_a_delay,
    asks_for_heartbeats,
};
use super::auth::{AUTHCHUNKS, AUTHKEY, AUTHKEYID, HMACALGO};
use super::gen_sctp::{
    ASSOC_VALUE, ASSOCPARAMS, EVENT_SUBSCRIBE, INITMSG, PADDRINFO, PADDRPARAMS, PRIM, RTOINFO,
    SETADAPTATION, SETPEERPRIM, SNDRCVINFO, STATUS,
};
use super::sending::{DEFAULT_PRINFO, PRSTATUS, PRSTATUS_STREAM, SNDINFO, can_be_given_up};
use super::spec::{Access, Effect, OptionSpec, Place, Record, Shape};
use super::streams::{ADD_STREAMS, ENABLE_STREAM_RESET, RESET_STREAMS, SCHEDULER, STREAM_VALUE};
use super::toggle::{TOGGLE, is_of_the_endpoint};
use super::wire::{PADDRPARAMS_FLOWLABEL, PROBEINTERVAL, UDPENCAPS, is_of_ipv6};
use crate::abi::{SOL_SCTP, optname, paddrinfo, status};
use crate::types::Family;

/// All options, but those that never reach the kernel (`active`, `buffer` and their like).
pub static OPTIONS: &[OptionSpec] = &[
    socket("linger", libc::SO_LINGER, Shape::Linger),
    socket("reuseaddr", libc::SO_REUSEADDR, Shape::Bool),
    socket("reuseport", libc::SO_REUSEPORT, Shape::Bool),
    // Linux' SO_REUSEPORT does balance the load.
    socket("reuseport_lb", libc::SO_REUSEPORT, Shape::Bool),
    socket("dontroute", libc::SO_DONTROUTE, Shape::Bool),
    PRIORITY,
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
    OptionSpec {
        effective: asks_for_heartbeats,
        ..sctp("sctp_peer_addr_params", optname::PEER_ADDR_PARAMS, Shape::Record(&PADDRPARAMS))
    },
    sctp("sctp_default_send_param", optname::DEFAULT_SEND_PARAM, Shape::Record(&SNDRCVINFO))
        .with(Effect::SendDefaults),
    sctp("sctp_events", optname::EVENTS, Shape::Record(&EVENT_SUBSCRIBE)).with(Effect::Events),
    // Erlang's record for this option is the two-field form, deprecated by the kernel but taken.
    sctp("sctp_delayed_ack_time", optname::DELAYED_ACK_TIME, Shape::Record(&ASSOC_VALUE)),
    OptionSpec {
        access: Access::ReadOnly,
        ..sctp("sctp_status", optname::STATUS, Shape::Record(&STATUS))
            .with(Effect::PathState(status::PRIMARY + paddrinfo::STATE))
    },
    OptionSpec {
        access: Access::ReadOnly,
        ..sctp("sctp_get_peer_addr_info", optname::GET_PEER_ADDR_INFO, Shape::Record(&PADDRINFO))
            .with(Effect::PathState(paddrinfo::STATE))
    },
    added("sctp_event", optname::EVENT, &EVENT).with(Effect::Subscription).at(Place::Event),
    added("sctp_max_burst", optname::MAX_BURST, &ASSOC_VALUES),
    OptionSpec {
        effective: asks_for_a_delay,
        ..added("sctp_delayed_sack", optname::DELAYED_ACK_TIME, &SACK_INFO)
    },
    added("sctp_dscp", optname::PEER_ADDR_PARAMS, &PADDRPARAMS_DSCP),
    added("sctp_peer_addr_thlds", optname::PEER_ADDR_THLDS_V2, &PADDRTHLDS),
    added(
        "sctp_expose_potentially_failed_state",
        optname::EXPOSE_POTENTIALLY_FAILED_STATE,
        &EXPOSE,
    )
    .with(Effect::ExposePotentiallyFailed),
    toggle("sctp_pr_supported", optname::PR_SUPPORTED),
    toggle("sctp_ecn_supported", optname::ECN_SUPPORTED),
    RECONFIG_SUPPORTED,
    toggle("sctp_auth_supported", optname::AUTH_SUPPORTED),
    toggle("sctp_asconf_supported", optname::ASCONF_SUPPORTED),
    OptionSpec {
        access: Access::WriteOnly,
        added: true,
        ..sctp("sctp_auth_chunk", optname::AUTH_CHUNK, Shape::Chunk)
    },
    added("sctp_hmac_ident", optname::HMAC_IDENT, &HMACALGO),
    set_only("sctp_auth_key", optname::AUTH_KEY, &AUTHKEY),
    added("sctp_auth_active_key", optname::AUTH_ACTIVE_KEY, &AUTHKEYID).at(Place::KeyInUse),
    set_only("sctp_auth_deactivate_key", optname::AUTH_DEACTIVATE_KEY, &AUTHKEYID)
        .at(Place::KeyOutOfUse),
    set_only("sctp_auth_delete_key", optname::AUTH_DELETE_KEY, &AUTHKEYID).at(Place::KeyOutOfUse),
    get_only("sctp_local_auth_chunks", optname::LOCAL_AUTH_CHUNKS, &AUTHCHUNKS),
    get_only("sctp_peer_auth_chunks", optname::PEER_AUTH_CHUNKS, &AUTHCHUNKS),
    // What goes over the wire.
    OptionSpec { added: true, ..sctp("sctp_reuse_port", optname::REUSE_PORT, Shape::Bool) },
    OptionSpec { added: true, ..sctp("sctp_auto_asconf", optname::AUTO_ASCONF, Shape::Bool) },
    OptionSpec {
        family: Some(Family::Inet6),
        effective: is_of_ipv6,
        ..added("sctp_ipv6_flowlabel", optname::PEER_ADDR_PARAMS, &PADDRPARAMS_FLOWLABEL)
    },
    added("sctp_remote_udp_encaps_port", optname::REMOTE_UDP_ENCAPS_PORT, &UDPENCAPS)
        .with(Effect::Encapsulation),
    added("sctp_plpmtud_probe_interval", optname::PLPMTUD_PROBE_INTERVAL, &PROBEINTERVAL),
    OptionSpec {
        added: true,
        ..sctp("sctp_fragment_interleave", optname::FRAGMENT_INTERLEAVE, Shape::Bool)
    },
    toggle("sctp_interleaving_supported", optname::INTERLEAVING_SUPPORTED).at(Place::OnOther),
    added("sctp_enable_stream_reset", optname::ENABLE_STREAM_RESET, &ENABLE_STREAM_RESET)
        .with(Effect::EnableStreamReset),
    set_only("sctp_reset_streams", optname::RESET_STREAMS, &RESET_STREAMS),
    OptionSpec {
        access: Access::WriteOnly,
        added: true,
        ..sctp("sctp_reset_assoc", optname::RESET_ASSOC, Shape::AssocId)
    },
    set_only("sctp_add_streams", optname::ADD_STREAMS, &ADD_STREAMS),
    STREAM_SCHEDULER,
    added("sctp_stream_scheduler_value", optname::STREAM_SCHEDULER_VALUE, &STREAM_VALUE)
        .with(Effect::StreamValue)
        .at(Place::OnOther),
    added("sctp_context", optname::CONTEXT, &ASSOC_VALUES),
    get_only("sctp_pr_assoc_status", optname::PR_ASSOC_STATUS, &PRSTATUS),
    get_only("sctp_pr_stream_status", optname::PR_STREAM_STATUS, &PRSTATUS_STREAM),
    added("sctp_default_sndinfo", optname::DEFAULT_SNDINFO, &SNDINFO).with(Effect::DefaultSndInfo),
    PR_INFO,
];

/// Whether streams may be reset, as two ends have agreed on.
pub const RECONFIG_SUPPORTED: OptionSpec =
    toggle("sctp_reconfig_supported", optname::RECONFIG_SUPPORTED);

/// In which order the messages of several streams are sent.
pub const STREAM_SCHEDULER: OptionSpec =
    added("sctp_stream_scheduler", optname::STREAM_SCHEDULER, &SCHEDULER);

/// What Linux derives from the type of service, where Erlang keeps the two apart.
pub const PRIORITY: OptionSpec = socket("priority", libc::SO_PRIORITY, Shape::Int);

/// When messages are given up whose sender does not say, which another option forgets.
pub const PR_INFO: OptionSpec = OptionSpec {
    effective: can_be_given_up,
    ..added("sctp_default_prinfo", optname::DEFAULT_PRINFO, &DEFAULT_PRINFO)
        .with(Effect::SendDefaults)
};

impl OptionSpec {
    const fn with(self, effect: Effect) -> Self {
        Self { effect, ..self }
    }

    const fn at(self, place: Place) -> Self {
        Self { place, ..self }
    }
}

const fn option(name: &'static str, level: i32, optname: i32, shape: Shape) -> OptionSpec {
    OptionSpec {
        name,
        level,
        optname,
        shape,
        access: Access::ReadWrite,
        family: None,
        effect: Effect::None,
        added: false,
        place: Place::Any,
        effective: always,
    }
}

fn always(_: &[u8]) -> bool {
    true
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

const fn set_only(name: &'static str, optname: i32, record: &'static Record) -> OptionSpec {
    OptionSpec { access: Access::WriteOnly, ..added(name, optname, record) }
}

const fn get_only(name: &'static str, optname: i32, record: &'static Record) -> OptionSpec {
    OptionSpec { access: Access::ReadOnly, ..added(name, optname, record) }
}

const fn added(name: &'static str, optname: i32, record: &'static Record) -> OptionSpec {
    OptionSpec { added: true, ..sctp(name, optname, Shape::Record(record)) }
}

const fn toggle(name: &'static str, optname: i32) -> OptionSpec {
    OptionSpec { effective: is_of_the_endpoint, ..added(name, optname, &TOGGLE).at(Place::Gate) }
}
