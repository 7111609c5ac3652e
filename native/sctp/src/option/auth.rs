//! The records of authentication (RFC 4895; RFC 6458 sections 8.1.17 f., 8.2.3 f., 8.3.2 to 8.3.5).

use super::field::{key, output, value};
use super::list::List;
use super::spec::{DefaultValue, Kind, Record};

use DefaultValue::{Mandatory, Zero};

/// `struct sctp_hmacalgo`: what is understood, the preferred one first.
pub static HMACALGO: Record = Record {
    tag: "sctp_hmacalgo",
    size: 4 + HMACS.most * HMACS.width,
    fields: &[value("idents", 4, Kind::List(&HMACS), Mandatory)],
};

/// The kernel has room for four.
static HMACS: List =
    List { count: 0, count_width: 4, width: 2, most: 8, names: &[(1, "sha1"), (3, "sha256")] };

/// `struct sctp_authkey`.
pub static AUTHKEY: Record = Record {
    tag: "sctp_authkey",
    size: 8,
    fields: &[
        key("assoc_id", 0, Kind::AssocIds, Zero),
        value("keynumber", 4, Kind::U16, Mandatory),
        value("key", 8, Kind::Secret { length: 6 }, Mandatory),
    ],
};

/// `struct sctp_authkeyid`.
pub static AUTHKEYID: Record = Record {
    tag: "sctp_authkeyid",
    size: 8,
    fields: &[
        key("assoc_id", 0, Kind::AssocIds, Zero),
        value("keynumber", 4, Kind::U16, Mandatory),
    ],
};

/// `struct sctp_authchunks`.
pub static AUTHCHUNKS: Record = Record {
    tag: "sctp_authchunks",
    size: 8 + CHUNK_LIST.most,
    fields: &[
        key("assoc_id", 0, Kind::AssocId, Zero),
        output("chunks", 8, Kind::List(&CHUNK_LIST)),
    ],
};

static CHUNK_LIST: List = List { count: 4, count_width: 4, width: 1, most: 256, names: CHUNKS };

/// The types of chunks (RFC 9260, and the extensions that it knows of).
pub const CHUNKS: &[(u32, &str)] = &[
    (0, "data"),
    (1, "init"),
    (2, "init_ack"),
    (3, "sack"),
    (4, "heartbeat"),
    (5, "heartbeat_ack"),
    (6, "abort"),
    (7, "shutdown"),
    (8, "shutdown_ack"),
    (9, "error"),
    (10, "cookie_echo"),
    (11, "cookie_ack"),
    (12, "ecne"),
    (13, "cwr"),
    (14, "shutdown_complete"),
    (15, "auth"),
    (64, "i_data"),
    (128, "asconf_ack"),
    (130, "reconfig"),
    (132, "pad"),
    (192, "forward_tsn"),
    (193, "asconf"),
    (194, "i_forward_tsn"),
];
