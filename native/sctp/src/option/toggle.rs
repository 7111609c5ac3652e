//! What an endpoint offers its peers in the handshake, or not.

use super::field::{key, value};
use super::spec::{DefaultValue, Kind, Record, assoc_value};
use crate::bytes::u32_at;

/// `struct sctp_assoc_value` with a boolean. Set, it is the endpoint's, for associations to come; got
/// of an association it is whether both ends have it.
pub static TOGGLE: Record = Record {
    tag: "sctp_assoc_value",
    size: assoc_value::SIZE,
    fields: &[
        key("assoc_id", 0, Kind::AssocIds, DefaultValue::Zero),
        value(
            "assoc_value",
            assoc_value::VALUE,
            Kind::Enum { names: &[(0, "false"), (1, "true")], width: 4 },
            DefaultValue::Mandatory,
        ),
    ],
};

/// Is it the endpoint's? The kernel takes an association's id, and sets the endpoint's all the same.
pub(super) fn is_of_the_endpoint(bytes: &[u8]) -> bool {
    u32_at(bytes, 0) == Some(0)
}
