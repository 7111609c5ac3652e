//! Records of options about what goes over the wire: flow labels, probes for the size of packets,
//! encapsulation.

use super::field::{key, value};
use super::spec::{DefaultValue, Kind, Record};
use crate::abi::paddrparams;
use crate::address;
use crate::bytes::u16_be_at;

use DefaultValue::{AnyAddress, Mandatory, Zero};

/// `struct sctp_paddrparams` of kernel 4.19, for its flow label alone.
pub static PADDRPARAMS_FLOWLABEL: Record = Record {
    tag: "sctp_ipv6_flowlabel",
    size: 156,
    fields: &[
        key("assoc_id", 0, Kind::AssocIds, Zero),
        key("address", PADDRPARAMS_ADDRESS, Kind::PathAddress, AnyAddress),
        value("flowlabel", 150, Kind::FlowLabel { flags: paddrparams::FLAGS }, Mandatory),
    ],
};

const PADDRPARAMS_ADDRESS: usize = 4;

/// `struct sctp_probeinterval` (RFC 8899), not packed: milliseconds, 0 for no probes.
pub static PROBEINTERVAL: Record = Record {
    tag: "sctp_probeinterval",
    size: 144,
    fields: &[
        key("assoc_id", 0, Kind::AssocIds, Zero),
        key("address", 8, Kind::PathAddress, AnyAddress),
        value("interval", 136, Kind::U32, Mandatory),
    ],
};

/// `struct sctp_udpencaps` (RFC 6951 section 6.1), not packed; 0 for no encapsulation.
pub static UDPENCAPS: Record = Record {
    tag: "sctp_udpencaps",
    size: 144,
    fields: &[
        key("assoc_id", 0, Kind::AssocIds, Zero),
        key("address", 8, Kind::PathAddress, AnyAddress),
        value("port", UDPENCAPS_PORT, Kind::Be16, Mandatory),
    ],
};

const UDPENCAPS_PORT: usize = 136;

/// Is a `struct sctp_paddrparams` of paths that may have a flow label? IPv4 has none.
pub(super) fn is_of_ipv6(bytes: &[u8]) -> bool {
    address::get_storage(bytes, PADDRPARAMS_ADDRESS)
        .is_none_or(|addr| addr.is_ipv6() && addr.ip().to_canonical().is_ipv6())
}

/// Does a `struct sctp_udpencaps` ask for encapsulation?
pub fn asks_for_encapsulation(bytes: &[u8]) -> bool {
    u16_be_at(bytes, UDPENCAPS_PORT) != Some(0)
}
