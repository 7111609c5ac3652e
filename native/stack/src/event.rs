//! What users are told: the notifications of RFC 6458, section 6.1, typed.

use std::net::SocketAddr;

use crate::types::{AssocId, Ppid, Ssn, StreamId, Tsn};

/// What comes out of an endpoint, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Received {
    /// A message, or a part of one.
    Data {
        /// What is known of it.
        info: RcvInfo,
        /// Its bytes.
        bytes: Vec<u8>,
        /// The message ends with these bytes (MSG_EOR).
        end: bool,
    },
    /// Something else happened.
    Event(AssocId, Event),
}

/// About a received message (struct sctp_rcvinfo).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RcvInfo {
    /// The association.
    pub assoc: AssocId,
    /// The peer's address and SCTP port.
    pub from: SocketAddr,
    /// The stream it came on.
    pub stream: StreamId,
    /// Its number in the stream; of no meaning if unordered.
    pub ssn: Ssn,
    /// It did not wait for others.
    pub unordered: bool,
    /// As the sender said.
    pub ppid: Ppid,
    /// Of the message's first chunk.
    pub tsn: Tsn,
    /// The cumulative TSN when the message was complete.
    pub cumulative: Tsn,
}

/// About a message to be sent (struct sctp_sndinfo, and the lifetime of RFC 3758).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SendInfo {
    /// The stream.
    pub stream: StreamId,
    /// For the peer's user.
    pub ppid: Ppid,
    /// Comes back if the message fails.
    pub context: u32,
    /// Need not wait for others of the stream.
    pub unordered: bool,
    /// Given up when it is not acknowledged so long after it was sent.
    pub lifetime: Option<std::time::Duration>,
}

/// A notification.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// SCTP_ASSOC_CHANGE.
    AssocChange(AssocChange),
    /// SCTP_PEER_ADDR_CHANGE: the address, and its new state.
    PathChange {
        /// The peer's address and SCTP port.
        address: SocketAddr,
        /// What became of it.
        state: PathChange,
    },
    /// SCTP_SEND_FAILED: a message, or the rest of one, that the peer did not get for certain.
    SendFailed {
        /// False: no byte of `bytes` was ever sent.
        sent: bool,
        /// Why: an error cause's code, or 0.
        error: u16,
        /// As sent.
        info: SendInfo,
        /// What is not acknowledged.
        bytes: Vec<u8>,
    },
    /// SCTP_REMOTE_ERROR: an ERROR chunk's cause.
    RemoteError {
        /// The cause's code.
        error: u16,
        /// The cause as it came, with its header.
        cause: Vec<u8>,
    },
    /// SCTP_SHUTDOWN_EVENT: the peer has sent SHUTDOWN; nothing more can be sent.
    Shutdown,
    /// SCTP_PARTIAL_DELIVERY_EVENT: the rest of the message that was delivered in parts never comes.
    PartialDeliveryAborted {
        /// Its stream.
        stream: StreamId,
        /// Its number.
        ssn: Ssn,
    },
    /// SCTP_ADAPTATION_INDICATION: the peer's number.
    Adaptation(u32),
    /// SCTP_SENDER_DRY_EVENT: all that was sent is acknowledged.
    SenderDry,
}

impl Event {
    /// Bytes that it carries, of the peer or of messages that failed.
    pub(crate) fn carried(&self) -> usize {
        match self {
            Event::AssocChange(AssocChange::Lost { causes: bytes, .. })
            | Event::SendFailed { bytes, .. }
            | Event::RemoteError { cause: bytes, .. } => bytes.len(),
            _ => 0,
        }
    }
}

/// What became of an association.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AssocChange {
    /// It is up.
    Up {
        /// Streams out.
        outbound: u16,
        /// Streams in.
        inbound: u16,
    },
    /// It failed, or one of the two aborted it.
    Lost {
        /// The code of the first cause of the peer's ABORT, or 0.
        error: u16,
        /// The ABORT's causes as they came; empty if none came.
        causes: Vec<u8>,
    },
    /// The peer began anew (RFC 9260, section 5.2).
    Restart {
        /// Streams out.
        outbound: u16,
        /// Streams in.
        inbound: u16,
    },
    /// Both ends have all; it is over.
    ShutdownComplete,
    /// It never came up.
    CannotStart {
        /// The code of the first cause of the peer's ABORT, or 0.
        error: u16,
    },
}

/// The state of a peer's address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PathChange {
    /// It answers again.
    Available,
    /// It does not answer.
    Unreachable,
    /// It answered for the first time.
    Confirmed,
}
