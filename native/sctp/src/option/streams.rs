//! What is done with the streams of an association: reset, added (RFC 6525), scheduled (RFC 8260).

use super::field::{key, value};
use super::spec::{DefaultValue, Kind, Record, assoc_value};

use DefaultValue::{Mandatory, Zero};

/// `struct sctp_assoc_value`: what the two ends may ask of each other (RFC 6525 section 6.3.1).
pub static ENABLE_STREAM_RESET: Record = Record {
    tag: "sctp_assoc_value",
    size: assoc_value::SIZE,
    fields: &[
        key("assoc_id", 0, Kind::AssocIds, Zero),
        value(
            "assoc_value",
            assoc_value::VALUE,
            Kind::Flags {
                bits: &[("reset_streams", 0x01), ("reset_assoc", 0x02), ("change_assoc", 0x04)],
                width: 4,
            },
            Mandatory,
        ),
    ],
};

/// `struct sctp_reset_streams` (RFC 6525 section 6.3.2), and after it the streams.
pub static RESET_STREAMS: Record = Record {
    tag: "sctp_reset_streams",
    size: 8,
    fields: &[
        key("assoc_id", 0, Kind::AssocId, Zero),
        value(
            "flags",
            4,
            Kind::Flags { bits: &[("incoming", 0x01), ("outgoing", 0x02)], width: 2 },
            Mandatory,
        ),
        value("streams", 6, Kind::Streams, Mandatory),
    ],
};

/// `struct sctp_add_streams` (RFC 6525 section 6.3.4): how many more.
pub static ADD_STREAMS: Record = Record {
    tag: "sctp_add_streams",
    size: 8,
    fields: &[
        key("assoc_id", 0, Kind::AssocId, Zero),
        value("instrms", 4, Kind::U16, Zero),
        value("outstrms", 6, Kind::U16, Zero),
    ],
};

/// `struct sctp_assoc_value` (RFC 8260 section 4.3.2).
pub static SCHEDULER: Record = Record {
    tag: "sctp_assoc_value",
    size: assoc_value::SIZE,
    fields: &[
        key("assoc_id", 0, Kind::AssocIds, Zero),
        value(
            "assoc_value",
            assoc_value::VALUE,
            Kind::Enum { names: SCHEDULERS, width: 4 },
            Mandatory,
        ),
    ],
};

/// `enum sctp_sched_type`; the last two came with kernel 6.4.
pub const SCHEDULERS: &[(u32, &str)] =
    &[(0, "fcfs"), (SCHED_PRIO, "prio"), (2, "rr"), (3, "fc"), (SCHED_WFQ, "wfq")];

const SCHED_PRIO: u32 = 1;
const SCHED_WFQ: u32 = 4;

/// Those that look at the values of streams.
pub const SCHEDULERS_BY_VALUE: &[u32] = &[SCHED_PRIO, SCHED_WFQ];

/// `struct sctp_stream_value` (RFC 8260 section 4.3.3).
pub static STREAM_VALUE: Record = Record {
    tag: "sctp_stream_value",
    size: 8,
    fields: &[
        key("assoc_id", 0, Kind::AssocIds, Zero),
        key("sid", 4, Kind::U16, Mandatory),
        value("value", 6, Kind::U16, Mandatory),
    ],
};
