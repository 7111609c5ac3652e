//! The records of options that say what becomes of messages.

use super::field::{key, output, value};
use super::spec::{DefaultValue, Kind, Record};
use crate::abi::{default_prinfo, sndinfo};
use crate::bytes::{u16_at, u32_at};
use crate::types::flags;

use DefaultValue::{EmptyFlags, Mandatory, Zero};

/// `struct sctp_sndinfo` (RFC 6458 section 8.1.31). The kernel refuses a default that the peer is to
/// acknowledge at once.
pub static SNDINFO: Record = Record {
    tag: "sctp_sndinfo",
    size: sndinfo::SIZE,
    fields: &[
        value("sid", sndinfo::SID, Kind::U16, Zero),
        value("flags", sndinfo::FLAGS, SNDINFO_FLAGS, EmptyFlags),
        value("ppid", sndinfo::PPID, Kind::Ppid, Zero),
        value("context", sndinfo::CONTEXT, Kind::U32, Zero),
        key("assoc_id", sndinfo::ASSOC_ID, Kind::AssocIds, Zero),
    ],
};

const SNDINFO_FLAGS: Kind = Kind::Flags {
    bits: &[
        ("unordered", flags::UNORDERED as u32),
        ("sack_immediately", flags::SACK_IMMEDIATELY as u32),
        ("abort", flags::ABORT as u32),
        ("eof", flags::EOF as u32),
    ],
    width: 2,
};

/// `struct sctp_default_prinfo` (RFC 6458 section 8.1.32): milliseconds, times, or a priority.
pub static DEFAULT_PRINFO: Record = Record {
    tag: "sctp_default_prinfo",
    size: default_prinfo::SIZE,
    fields: &[
        key("assoc_id", default_prinfo::ASSOC_ID, Kind::AssocIds, Zero),
        value("policy", default_prinfo::POLICY, DEFAULT_POLICIES, Mandatory),
        value("value", default_prinfo::VALUE, Kind::U32, Zero),
    ],
};

const DEFAULT_POLICIES: Kind = Kind::Enum {
    names: &[
        (0, "none"),
        (flags::PR_TTL as u32, "ttl"),
        (flags::PR_RTX as u32, "rtx"),
        (flags::PR_PRIO as u32, "prio"),
    ],
    width: 2,
};

/// Does a `struct sctp_default_prinfo` say something that a policy goes by? Of none there is nothing
/// to say, and a time of 0 is none.
pub(super) fn can_be_given_up(bytes: &[u8]) -> bool {
    let value = u32_at(bytes, default_prinfo::VALUE).unwrap_or_default();
    match u16_at(bytes, default_prinfo::POLICY) {
        Some(0) => value == 0,
        Some(flags::PR_TTL) => value != 0,
        _ => true,
    }
}

/// `struct sctp_prstatus` of an association (RFC 7496 section 4): how many messages it has given
/// up. `sid` is not looked at.
pub static PRSTATUS: Record = Record {
    tag: "sctp_prstatus",
    size: 24,
    fields: &[
        key("assoc_id", 0, Kind::AssocId, Zero),
        output("sid", 4, Kind::U16),
        key("policy", 6, POLICIES, Mandatory),
        output("abandoned_unsent", 8, Kind::U64),
        output("abandoned_sent", 16, Kind::U64),
    ],
};

/// The same of one of its streams.
pub static PRSTATUS_STREAM: Record = Record {
    tag: "sctp_prstatus",
    size: 24,
    fields: &[
        key("assoc_id", 0, Kind::AssocId, Zero),
        key("sid", 4, Kind::U16, Mandatory),
        key("policy", 6, POLICIES, Mandatory),
        output("abandoned_unsent", 8, Kind::U64),
        output("abandoned_sent", 16, Kind::U64),
    ],
};

const POLICIES: Kind = Kind::Enum {
    names: &[
        (flags::PR_TTL as u32, "ttl"),
        (flags::PR_RTX as u32, "rtx"),
        (flags::PR_PRIO as u32, "prio"),
        (PR_ALL, "all"),
    ],
    width: 2,
};

/// `SCTP_PR_SCTP_ALL`: the sum over all policies. Kernel 4.20.
const PR_ALL: u32 = 0x80;
