//! Constants and layouts of the kernel's interface (`linux/sctp.h`).
//!
//! Structs are described by size and offsets, and read and written as byte strings: several of them
//! are packed in a way Rust's `repr` cannot say.

/// Level of the SCTP options and ancillary data; the libc crate has it for other targets only.
pub const SOL_SCTP: i32 = 132;

/// `sizeof(struct sockaddr_storage)`.
pub const STORAGE_SIZE: usize = 128;

/// Socket option names at [`SOL_SCTP`].
pub mod optname {
    /// Bounds of the retransmission timeout.
    pub const RTOINFO: i32 = 0;
    /// Retransmission limit, windows, cookie life.
    pub const ASSOCINFO: i32 = 1;
    /// What the INIT chunk offers and how often it is sent.
    pub const INITMSG: i32 = 2;
    /// No bundling delay.
    pub const NODELAY: i32 = 3;
    /// Seconds of idleness after which an association is shut down.
    pub const AUTOCLOSE: i32 = 4;
    /// Asks the peer to use an address of ours as primary.
    pub const SET_PEER_PRIMARY_ADDR: i32 = 5;
    /// The peer's primary address.
    pub const PRIMARY_ADDR: i32 = 6;
    /// Adaptation layer indication, sent in INIT.
    pub const ADAPTATION_LAYER: i32 = 7;
    /// Refuse to send what needs fragmenting.
    pub const DISABLE_FRAGMENTS: i32 = 8;
    /// Heartbeats, path MTU, delayed acknowledgements of a peer address.
    pub const PEER_ADDR_PARAMS: i32 = 9;
    /// Defaults for sends that carry no information of their own.
    pub const DEFAULT_SEND_PARAM: i32 = 10;
    /// Which notifications are delivered.
    pub const EVENTS: i32 = 11;
    /// Show IPv4 peers of an IPv6 socket as mapped addresses.
    pub const I_WANT_MAPPED_V4_ADDR: i32 = 12;
    /// Fragment size limit.
    pub const MAXSEG: i32 = 13;
    /// State of an association.
    pub const STATUS: i32 = 14;
    /// State of a peer address.
    pub const GET_PEER_ADDR_INFO: i32 = 15;
    /// Delay of acknowledgements.
    pub const DELAYED_ACK_TIME: i32 = 16;
    /// A message that comes in parts does not hold up those of other associations.
    pub const FRAGMENT_INTERLEAVE: i32 = 18;
    /// Packets that may be sent at a time.
    pub const MAX_BURST: i32 = 20;
    /// A type of chunk that the peer has to authenticate (RFC 4895).
    pub const AUTH_CHUNK: i32 = 21;
    /// The message authentication codes that are understood.
    pub const HMAC_IDENT: i32 = 22;
    /// A shared key.
    pub const AUTH_KEY: i32 = 23;
    /// The key that is used to send.
    pub const AUTH_ACTIVE_KEY: i32 = 24;
    /// Forgets a key.
    pub const AUTH_DELETE_KEY: i32 = 25;
    /// The types of chunks that the peer wants authenticated.
    pub const PEER_AUTH_CHUNKS: i32 = 26;
    /// The types of chunks that the peer has to authenticate.
    pub const LOCAL_AUTH_CHUNKS: i32 = 27;
    /// Number of associations on a one-to-many socket.
    pub const GET_ASSOC_NUMBER: i32 = 28;
    /// Their ids.
    pub const GET_ASSOC_ID_LIST: i32 = 29;
    /// Tell peers of addresses that the machine gets or loses.
    pub const AUTO_ASCONF: i32 = 30;
    /// Ask for `struct sctp_rcvinfo` with every message.
    pub const RECVRCVINFO: i32 = 32;
    /// Sends nothing more by a key. Kernel 4.17.
    pub const AUTH_DEACTIVATE_KEY: i32 = 35;
    /// Share a port with others who say so. Kernel 4.19.
    pub const REUSE_PORT: i32 = 36;
    /// A number of the receiver's that comes with every message.
    pub const CONTEXT: i32 = 17;
    /// What is said of messages whose sender does not, in the form of RFC 6458.
    pub const DEFAULT_SNDINFO: i32 = 34;
    /// When messages are given up whose sender does not say.
    pub const DEFAULT_PRINFO: i32 = 114;
    /// Messages of an association that were given up.
    pub const PR_ASSOC_STATUS: i32 = 115;
    /// The same of a stream. Kernel 4.12.
    pub const PR_STREAM_STATUS: i32 = 116;
    /// When a path counts as failing, with all three thresholds. Kernel 5.5.
    pub const PEER_ADDR_THLDS_V2: i32 = 37;
    /// Adds addresses to the endpoint.
    pub const SOCKOPT_BINDX_ADD: i32 = 100;
    /// Removes addresses from the endpoint.
    pub const SOCKOPT_BINDX_REM: i32 = 101;
    /// Addresses of the peer.
    pub const GET_PEER_ADDRS: i32 = 108;
    /// Addresses of the endpoint.
    pub const GET_LOCAL_ADDRS: i32 = 109;
    /// Starts an association and gives its id; a get option in spite of what it does.
    pub const SOCKOPT_CONNECTX3: i32 = 111;
    /// Counters of an association.
    pub const GET_ASSOC_STATS: i32 = 112;
    /// Whether messages may be given up (RFC 3758).
    pub const PR_SUPPORTED: i32 = 113;
    /// Whether streams may be reset (RFC 6525). Kernel 4.12.
    pub const RECONFIG_SUPPORTED: i32 = 117;
    /// What the peer may ask for (RFC 6525). Kernel 4.11, as the next three.
    pub const ENABLE_STREAM_RESET: i32 = 118;
    /// Begins the numbers of streams anew.
    pub const RESET_STREAMS: i32 = 119;
    /// Begins all numbers of an association anew.
    pub const RESET_ASSOC: i32 = 120;
    /// Adds streams to an association.
    pub const ADD_STREAMS: i32 = 121;
    /// Branches an association off into a socket of its own; a get option too. Kernel 4.13.
    pub const SOCKOPT_PEELOFF_FLAGS: i32 = 122;
    /// In which order the messages of several streams are sent. Kernel 4.15, as the next one.
    pub const STREAM_SCHEDULER: i32 = 123;
    /// A stream's place in it.
    pub const STREAM_SCHEDULER_VALUE: i32 = 124;
    /// Long messages do not hold up other streams (I-DATA chunks). Kernel 4.16.
    pub const INTERLEAVING_SUPPORTED: i32 = 125;
    /// Whether one notification is delivered. Kernel 5.0.
    pub const EVENT: i32 = 127;
    /// Whether addresses may change (RFC 5061). Kernel 5.4.
    pub const ASCONF_SUPPORTED: i32 = 128;
    /// Whether chunks may be signed (RFC 4895). Kernel 5.4.
    pub const AUTH_SUPPORTED: i32 = 129;
    /// Whether routers may mark packets (RFC 3168). Kernel 5.4.
    pub const ECN_SUPPORTED: i32 = 130;
    /// Whether the state "potentially failed" is shown. Kernel 5.5.
    pub const EXPOSE_POTENTIALLY_FAILED_STATE: i32 = 131;
    /// The peer's port for packets in UDP. Kernel 5.11.
    pub const REMOTE_UDP_ENCAPS_PORT: i32 = 132;
    /// How often larger packets are tried. Kernel 5.14.
    pub const PLPMTUD_PROBE_INTERVAL: i32 = 133;
}

/// Ancillary data types at [`SOL_SCTP`] (`enum sctp_cmsg_type`).
pub mod cmsg_type {
    /// `struct sctp_sndrcvinfo`.
    pub const SNDRCV: i32 = 1;
    /// `struct sctp_rcvinfo`.
    pub const RCVINFO: i32 = 3;
    /// `struct sctp_authinfo`, which is one number of 16 bits. Kernel 4.17.
    pub const AUTHINFO: i32 = 6;
}

/// Notification types (`enum sctp_sn_type`).
pub mod notification_type {
    /// An association came up, went away or restarted.
    pub const ASSOC_CHANGE: u16 = 0x8001;
    /// A peer address changed state.
    pub const PEER_ADDR_CHANGE: u16 = 0x8002;
    /// A message, or a fragment of one, was not sent.
    pub const SEND_FAILED: u16 = 0x8003;
    /// The peer sent an ERROR chunk.
    pub const REMOTE_ERROR: u16 = 0x8004;
    /// The peer is shutting the association down.
    pub const SHUTDOWN_EVENT: u16 = 0x8005;
    /// Delivery of a message in parts was given up.
    pub const PARTIAL_DELIVERY_EVENT: u16 = 0x8006;
    /// The peer's adaptation layer indication.
    pub const ADAPTATION_INDICATION: u16 = 0x8007;
    /// Authentication keys.
    pub const AUTHENTICATION_EVENT: u16 = 0x8008;
    /// Nothing is left to be sent or acknowledged.
    pub const SENDER_DRY_EVENT: u16 = 0x8009;
    /// Streams were reset (RFC 6525).
    pub const STREAM_RESET_EVENT: u16 = 0x800a;
    /// The association was reset (RFC 6525).
    pub const ASSOC_RESET_EVENT: u16 = 0x800b;
    /// Streams were added (RFC 6525).
    pub const STREAM_CHANGE_EVENT: u16 = 0x800c;
    /// As `SEND_FAILED`, in the form of RFC 6458. Kernel 5.5.
    pub const SEND_FAILED_EVENT: u16 = 0x800d;
}

/// `struct sctp_sndrcvinfo`.
pub mod sndrcvinfo {
    #![allow(missing_docs)]
    pub const SIZE: usize = 32;
    pub const STREAM: usize = 0;
    pub const SSN: usize = 2;
    pub const FLAGS: usize = 4;
    pub const PPID: usize = 8;
    pub const CONTEXT: usize = 12;
    pub const TIMETOLIVE: usize = 16;
    pub const TSN: usize = 20;
    pub const CUMTSN: usize = 24;
    pub const ASSOC_ID: usize = 28;
}

/// `struct sctp_sndinfo`.
pub mod sndinfo {
    #![allow(missing_docs)]
    pub const SIZE: usize = 16;
    pub const SID: usize = 0;
    pub const FLAGS: usize = 2;
    pub const PPID: usize = 4;
    pub const CONTEXT: usize = 8;
    pub const ASSOC_ID: usize = 12;
}

/// `struct sctp_default_prinfo`.
pub mod default_prinfo {
    #![allow(missing_docs)]
    pub const SIZE: usize = 12;
    pub const ASSOC_ID: usize = 0;
    pub const VALUE: usize = 4;
    pub const POLICY: usize = 8;
}

/// `struct sctp_rcvinfo`.
pub mod rcvinfo {
    #![allow(missing_docs)]
    pub const SIZE: usize = 28;
    pub const STREAM: usize = 0;
    pub const SSN: usize = 2;
    pub const FLAGS: usize = 4;
    pub const PPID: usize = 8;
    pub const TSN: usize = 12;
    pub const CUMTSN: usize = 16;
    pub const CONTEXT: usize = 20;
    pub const ASSOC_ID: usize = 24;
}

/// `struct sctp_event_subscribe`: a byte for each kind of event. The first is not an event but the
/// older form of [`rcvinfo`].
pub mod event_subscribe {
    #![allow(missing_docs)]
    pub const DATA_IO: usize = 0;
    pub const ASSOCIATION: usize = 1;
    pub const PARTIAL_DELIVERY: usize = 6;
}

/// `struct sctp_event`.
pub mod event {
    #![allow(missing_docs)]
    pub const ASSOC_ID: usize = 0;
    pub const TYPE: usize = 4;
    pub const ON: usize = 6;
}

/// Association ids that stand for several (`SCTP_FUTURE_ASSOC` and so on). Kernel 5.1.
pub mod assoc {
    /// The endpoint: associations to come.
    pub const FUTURE: u32 = 0;
    /// All that there are.
    pub const CURRENT: u32 = 1;
    /// Both.
    pub const ALL: u32 = 2;
}

/// `enum sctp_spinfo_state`: a path that may be failing (RFC 7829).
pub const PATH_POTENTIALLY_FAILED: i32 = 1;

/// `SCTP_PF_EXPOSE_ENABLE`: that state is shown, and told of.
pub const EXPOSE_ENABLE: u32 = 2;

/// Bits of the flags of `struct sctp_paddrparams` that decide what else in it counts.
pub mod spp_flags {
    /// Heartbeats, at the interval given.
    pub const HB_ENABLE: u32 = 0x01;
    /// A heartbeat now.
    pub const HB_DEMAND: u32 = 0x04;
    /// An interval of 0 is meant.
    pub const HB_TIME_IS_ZERO: u32 = 0x80;
    /// The flow label is meant. Kernel 4.19.
    pub const IPV6_FLOWLABEL: u32 = 0x100;
    /// The DSCP is meant. Kernel 4.19.
    pub const DSCP: u32 = 0x200;
}

/// `struct sctp_paddrparams`, without the fields of kernel 4.19. With no address it is about all paths.
pub mod paddrparams {
    #![allow(missing_docs)]
    pub const ASSOC_ID: usize = 0;
    pub const FLAGS: usize = 146;
    pub const SIZE: usize = 152;
}

/// `struct sctp_getaddrs`: an association id, the number of addresses, then the addresses.
pub mod getaddrs {
    #![allow(missing_docs)]
    pub const ASSOC_ID: usize = 0;
    pub const ADDR_NUM: usize = 4;
    pub const ADDRS: usize = 8;
}

/// `struct sctp_assoc_ids`: the number of ids, then the ids.
pub mod assoc_ids {
    #![allow(missing_docs)]
    pub const IDS: usize = 4;
}

/// `enum sctp_sstat_state`. The states before this one are those of the handshake.
pub mod sstat_state {
    /// The handshake is through.
    pub const ESTABLISHED: i32 = 4;
}

/// `struct sctp_paddrinfo`.
pub mod paddrinfo {
    #![allow(missing_docs)]
    pub const SIZE: usize = 152;
    pub const ASSOC_ID: usize = 0;
    pub const ADDRESS: usize = 4;
    pub const STATE: usize = 132;
    pub const CWND: usize = 136;
    pub const SRTT: usize = 140;
    pub const RTO: usize = 144;
    pub const MTU: usize = 148;
}

/// `struct sctp_status`.
pub mod status {
    #![allow(missing_docs)]
    pub const SIZE: usize = 176;
    pub const ASSOC_ID: usize = 0;
    pub const STATE: usize = 4;
    pub const RWND: usize = 8;
    pub const UNACKDATA: usize = 12;
    pub const PENDDATA: usize = 14;
    pub const INSTRMS: usize = 16;
    pub const OUTSTRMS: usize = 18;
    pub const FRAGMENTATION_POINT: usize = 20;
    pub const PRIMARY: usize = 24;
}

/// `struct sctp_assoc_stats`; the counters, 64 bits each, are in [`crate::look::COUNTERS`]. Not
/// packed: these are the offsets where `u64` is aligned to 8 bytes.
pub mod assoc_stats {
    #![allow(missing_docs)]
    pub const SIZE: usize = 256;
    pub const ASSOC_ID: usize = 0;
    pub const OBS_RTO_IPADDR: usize = 8;
    pub const MAXRTO: usize = 136;
}

/// `struct sctp_getaddrs_old`, the argument of `SCTP_SOCKOPT_CONNECTX3`: an association id, the
/// length of the address list in bytes, a pointer to it.
pub mod connectx3_arg {
    #![allow(missing_docs)]
    pub const SIZE: usize = 8 + size_of::<usize>();
    pub const ASSOC_ID: usize = 0;
    pub const LENGTH: usize = 4;
    pub const ADDRS: usize = 8;
}

/// `sctp_peeloff_flags_arg_t`: an association id, the new descriptor, flags of socket(2).
pub mod peeloff_flags_arg {
    #![allow(missing_docs)]
    pub const SIZE: usize = 12;
    pub const ASSOC_ID: usize = 0;
    pub const SD: usize = 4;
    pub const FLAGS: usize = 8;
}

// The libc crate describes these few; the rest is compared with the C header in tests/layout.rs.
const _: () = {
    use std::mem::offset_of;
    assert!(SOL_SCTP == libc::IPPROTO_SCTP);
    assert!(STORAGE_SIZE == size_of::<libc::sockaddr_storage>());

    assert!(sndrcvinfo::SIZE == size_of::<libc::sctp_sndrcvinfo>());
    assert!(sndrcvinfo::STREAM == offset_of!(libc::sctp_sndrcvinfo, sinfo_stream));
    assert!(sndrcvinfo::SSN == offset_of!(libc::sctp_sndrcvinfo, sinfo_ssn));
    assert!(sndrcvinfo::FLAGS == offset_of!(libc::sctp_sndrcvinfo, sinfo_flags));
    assert!(sndrcvinfo::PPID == offset_of!(libc::sctp_sndrcvinfo, sinfo_ppid));
    assert!(sndrcvinfo::CONTEXT == offset_of!(libc::sctp_sndrcvinfo, sinfo_context));
    assert!(sndrcvinfo::TIMETOLIVE == offset_of!(libc::sctp_sndrcvinfo, sinfo_timetolive));
    assert!(sndrcvinfo::TSN == offset_of!(libc::sctp_sndrcvinfo, sinfo_tsn));
    assert!(sndrcvinfo::CUMTSN == offset_of!(libc::sctp_sndrcvinfo, sinfo_cumtsn));
    assert!(sndrcvinfo::ASSOC_ID == offset_of!(libc::sctp_sndrcvinfo, sinfo_assoc_id));

    assert!(rcvinfo::SIZE == size_of::<libc::sctp_rcvinfo>());
    assert!(rcvinfo::STREAM == offset_of!(libc::sctp_rcvinfo, rcv_sid));
    assert!(rcvinfo::SSN == offset_of!(libc::sctp_rcvinfo, rcv_ssn));
    assert!(rcvinfo::FLAGS == offset_of!(libc::sctp_rcvinfo, rcv_flags));
    assert!(rcvinfo::PPID == offset_of!(libc::sctp_rcvinfo, rcv_ppid));
    assert!(rcvinfo::TSN == offset_of!(libc::sctp_rcvinfo, rcv_tsn));
    assert!(rcvinfo::CUMTSN == offset_of!(libc::sctp_rcvinfo, rcv_cumtsn));
    assert!(rcvinfo::CONTEXT == offset_of!(libc::sctp_rcvinfo, rcv_context));
    assert!(rcvinfo::ASSOC_ID == offset_of!(libc::sctp_rcvinfo, rcv_assoc_id));

    assert!(cmsg_type::SNDRCV == libc::SCTP_SNDRCV);
    assert!(cmsg_type::RCVINFO == libc::SCTP_RCVINFO);
    assert!(optname::DELAYED_ACK_TIME == libc::SCTP_DELAYED_ACK_TIME);
    assert!(optname::RECVRCVINFO == libc::SCTP_RECVRCVINFO);
};
