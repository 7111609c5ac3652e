//! The events a socket delivers between its messages (RFC 6458 section 6.1, `linux/sctp.h`).
//!
//! A notification starts with a `u16` type, `u16` flags and a `u32` length that counts everything.
//! [`parse`] takes any bytes: what is too short for its type or shorter than it claims is malformed,
//! what has an unknown type is [`Notification::Unknown`].

use std::net::SocketAddr;

use crate::abi::{notification_type as ty, sndrcvinfo};
use crate::address;
use crate::bytes::{i32_at, u16_at, u16_be_at, u32_at, u32_be_at};
use crate::types::{AssocId, SndInfo, SndRcvInfo};

/// A notification.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notification {
    /// An association came up, went away or restarted.
    AssocChange {
        /// What happened.
        state: AssocState,
        /// Cause of a loss (RFC 9260 section 3.3.10) as the kernel stores it: in network order, so
        /// that on a little endian machine cause 12 reads as 3072. Erlang users know it so.
        error: u16,
        /// Outgoing streams, when it came up.
        outbound_streams: u16,
        /// Incoming streams, when it came up.
        inbound_streams: u16,
        /// The association; 0 if it failed before it had an id.
        assoc: AssocId,
        /// Error causes of the ABORT chunk that ended it, as on the wire.
        info: Vec<u8>,
    },
    /// An address of the peer changed state.
    PeerAddrChange {
        /// The address; `None` if the kernel gave none.
        addr: Option<SocketAddr>,
        /// What happened.
        state: PeerAddrState,
        /// Why (`enum sctp_sn_error`, host order).
        error: i32,
        /// The association.
        assoc: AssocId,
    },
    /// A message, or one fragment of it, did not reach the peer. Comes once for each fragment.
    SendFailed {
        /// Whether it had been sent, in vain; else it never was.
        sent: bool,
        /// Cause, in network order as with [`Notification::AssocChange`].
        error: u32,
        /// What the sender said about it; `flags` are those of the chunk.
        info: SndRcvInfo,
        /// The association.
        assoc: AssocId,
        /// The fragment.
        data: Vec<u8>,
    },
    /// The peer reported an error (ERROR chunk).
    RemoteError {
        /// Cause (RFC 9260 section 3.3.10), host order.
        error: u16,
        /// The association.
        assoc: AssocId,
        /// Body of the error cause, without its header.
        data: Vec<u8>,
    },
    /// The peer shuts the association down; nothing more can be sent.
    Shutdown {
        /// The association.
        assoc: AssocId,
    },
    /// Delivery of a message in parts was given up: what came of it is to be thrown away.
    PartialDelivery {
        /// 0 for aborted, the only one there is.
        indication: u32,
        /// The association.
        assoc: AssocId,
        /// Stream of the message; 0 before kernel 4.16.
        stream: u32,
        /// Its stream sequence number; 0 before kernel 4.16.
        sequence: u32,
        /// Is it one of the unordered ones? These three are 0 and false unless messages are
        /// interleaved (RFC 8260).
        unordered: bool,
    },
    /// The peer's adaptation layer indication (RFC 5061).
    Adaptation {
        /// The indication, the kernel's number read as big endian: so stock Erlang shows it, which
        /// also sets the option that way, so that between two Erlang nodes it arrives unchanged.
        indication: u32,
        /// The association.
        assoc: AssocId,
    },
    /// Something about authentication keys (RFC 4895).
    Authentication {
        /// The key.
        key: u16,
        /// 0 new key, 1 key no longer used, 2 the peer does not authenticate.
        indication: u32,
        /// The association.
        assoc: AssocId,
    },
    /// Nothing is left to be sent or acknowledged.
    SenderDry {
        /// The association.
        assoc: AssocId,
    },
    /// Streams were reset, or not (RFC 6525).
    StreamReset {
        /// 1 incoming, 2 outgoing, 4 denied, 8 failed.
        flags: u16,
        /// The association.
        assoc: AssocId,
        /// The streams; none means all.
        streams: Vec<u16>,
    },
    /// The association's sequence numbers were reset, or not (RFC 6525).
    AssocReset {
        /// 4 denied, 8 failed.
        flags: u16,
        /// The association.
        assoc: AssocId,
        /// Next TSN of ours by the RFC, but of the peer's by Linux up to 7.2.
        local_tsn: u32,
        /// Next TSN of the peer's, or of ours.
        remote_tsn: u32,
    },
    /// Streams were added, or not (RFC 6525).
    StreamChange {
        /// 4 denied, 8 failed.
        flags: u16,
        /// The association.
        assoc: AssocId,
        /// How many incoming streams were added.
        inbound_streams: u16,
        /// How many outgoing streams were added.
        outbound_streams: u16,
    },
    /// As [`Notification::SendFailed`], in the form of RFC 6458.
    SendFailedEvent {
        /// As above.
        sent: bool,
        /// Cause (RFC 9260 section 3.3.10), host order; 0 for none.
        error: u16,
        /// As above; the form has no lifetime, which is 0.
        info: SndInfo,
        /// The association.
        assoc: AssocId,
        /// As above.
        data: Vec<u8>,
    },
    /// A type this crate does not know.
    Unknown {
        /// The type.
        kind: u16,
        /// The whole notification.
        bytes: Vec<u8>,
    },
}

/// What happened to an association (`enum sctp_sac_state`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AssocState {
    /// It is established.
    CommUp,
    /// It failed.
    CommLost,
    /// The peer restarted it; the id stays.
    Restart,
    /// It ended gracefully.
    ShutdownComp,
    /// It could not be set up.
    CantStrAssoc,
    /// A value this crate does not know.
    Unknown(u16),
}

impl From<u16> for AssocState {
    fn from(raw: u16) -> Self {
        match raw {
            0 => Self::CommUp,
            1 => Self::CommLost,
            2 => Self::Restart,
            3 => Self::ShutdownComp,
            4 => Self::CantStrAssoc,
            other => Self::Unknown(other),
        }
    }
}

/// What happened to an address (`enum sctp_spc_state`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PeerAddrState {
    /// Reachable again.
    Available,
    /// Unreachable.
    Unreachable,
    /// Removed from the association.
    Removed,
    /// Added to the association.
    Added,
    /// Now the primary destination.
    MadePrim,
    /// Answered for the first time.
    Confirmed,
    /// May be failing (RFC 7829). Kernel 5.5, and only where it was asked for.
    PotentiallyFailed,
    /// A value this crate does not know.
    Unknown(i32),
}

impl From<i32> for PeerAddrState {
    fn from(raw: i32) -> Self {
        match raw {
            0 => Self::Available,
            1 => Self::Unreachable,
            2 => Self::Removed,
            3 => Self::Added,
            4 => Self::MadePrim,
            5 => Self::Confirmed,
            6 => Self::PotentiallyFailed,
            other => Self::Unknown(other),
        }
    }
}

impl Notification {
    /// The association it is about, unless its type is unknown.
    pub fn assoc(&self) -> Option<AssocId> {
        match *self {
            Self::AssocChange { assoc, .. }
            | Self::PeerAddrChange { assoc, .. }
            | Self::SendFailed { assoc, .. }
            | Self::RemoteError { assoc, .. }
            | Self::Shutdown { assoc }
            | Self::PartialDelivery { assoc, .. }
            | Self::Adaptation { assoc, .. }
            | Self::Authentication { assoc, .. }
            | Self::SenderDry { assoc }
            | Self::StreamReset { assoc, .. }
            | Self::AssocReset { assoc, .. }
            | Self::StreamChange { assoc, .. }
            | Self::SendFailedEvent { assoc, .. } => Some(assoc),
            Self::Unknown { .. } => None,
        }
    }
}

/// The error causes of an ABORT chunk (RFC 9260 section 3.3.10), each its code and what is said of it.
/// Ends at the first one that is not wholly there.
pub fn causes(chunk: &[u8]) -> impl Iterator<Item = (u16, &[u8])> {
    /// Code and length, which counts both; the next one starts at a multiple of as much.
    const HEADER: usize = 4;
    let mut rest = chunk;
    std::iter::from_fn(move || {
        let (code, length) = (u16_be_at(rest, 0)?, usize::from(u16_be_at(rest, 2)?));
        let info = rest.get(HEADER..length)?;
        rest = rest.get(length.next_multiple_of(HEADER)..).unwrap_or_default();
        Some((code, info))
    })
}

/// A cause that the kernel has widened as it stood, in network order.
fn cause(widened: u32) -> u16 {
    let [a, b, c, d] = widened.to_ne_bytes();
    // Its two bytes are the lower half of the number.
    u16::from_be_bytes(if cfg!(target_endian = "big") { [c, d] } else { [a, b] })
}

/// Reads one whole notification, that is everything up to `MSG_EOR`; `None` if it is malformed.
pub fn parse(bytes: &[u8]) -> Option<Notification> {
    let kind = u16_at(bytes, 0)?;
    let flags = u16_at(bytes, 2)?;
    let length = usize::try_from(u32_at(bytes, 4)?).ok()?;
    let bytes = bytes.get(..length)?;
    let assoc = |offset| i32_at(bytes, offset).map(AssocId);
    Some(match kind {
        ty::ASSOC_CHANGE => Notification::AssocChange {
            state: u16_at(bytes, 8)?.into(),
            error: u16_at(bytes, 10)?,
            outbound_streams: u16_at(bytes, 12)?,
            inbound_streams: u16_at(bytes, 14)?,
            assoc: assoc(16)?,
            info: bytes.get(20..)?.to_vec(),
        },
        ty::PEER_ADDR_CHANGE => Notification::PeerAddrChange {
            addr: address::get_storage(bytes, 8),
            state: i32_at(bytes, 136)?.into(),
            error: i32_at(bytes, 140)?,
            assoc: assoc(144)?,
        },
        ty::SEND_FAILED => Notification::SendFailed {
            sent: flags != 0,
            error: u32_at(bytes, 8)?,
            info: SndRcvInfo::decode(bytes.get(12..12 + sndrcvinfo::SIZE)?)?,
            assoc: assoc(44)?,
            data: bytes.get(48..)?.to_vec(),
        },
        ty::REMOTE_ERROR => Notification::RemoteError {
            error: u16_be_at(bytes, 8)?,
            assoc: assoc(12)?,
            data: bytes.get(16..)?.to_vec(),
        },
        ty::SHUTDOWN_EVENT => Notification::Shutdown { assoc: assoc(8)? },
        ty::PARTIAL_DELIVERY_EVENT => Notification::PartialDelivery {
            indication: u32_at(bytes, 8)?,
            assoc: assoc(12)?,
            stream: u32_at(bytes, 16).unwrap_or_default(),
            sequence: u32_at(bytes, 20).unwrap_or_default(),
            unordered: flags & 1 != 0,
        },
        ty::ADAPTATION_INDICATION => {
            Notification::Adaptation { indication: u32_be_at(bytes, 8)?, assoc: assoc(12)? }
        }
        ty::AUTHENTICATION_EVENT => Notification::Authentication {
            key: u16_at(bytes, 8)?,
            indication: u32_at(bytes, 12)?,
            assoc: assoc(16)?,
        },
        ty::SENDER_DRY_EVENT => Notification::SenderDry { assoc: assoc(8)? },
        ty::STREAM_RESET_EVENT => Notification::StreamReset {
            flags,
            assoc: assoc(8)?,
            streams: bytes
                .get(12..)?
                .as_chunks()
                .0
                .iter()
                .map(|s| u16::from_ne_bytes(*s))
                .collect(),
        },
        ty::ASSOC_RESET_EVENT => Notification::AssocReset {
            flags,
            assoc: assoc(8)?,
            local_tsn: u32_at(bytes, 12)?,
            remote_tsn: u32_at(bytes, 16)?,
        },
        ty::STREAM_CHANGE_EVENT => Notification::StreamChange {
            flags,
            assoc: assoc(8)?,
            inbound_streams: u16_at(bytes, 12)?,
            outbound_streams: u16_at(bytes, 14)?,
        },
        ty::SEND_FAILED_EVENT => Notification::SendFailedEvent {
            sent: flags != 0,
            error: cause(u32_at(bytes, 8)?),
            info: SndInfo {
                stream: u16_at(bytes, 12)?,
                flags: u16_at(bytes, 14)?,
                ppid: u32_be_at(bytes, 16)?,
                context: u32_at(bytes, 20)?,
                timetolive: 0,
                assoc: assoc(24)?,
                key: None,
            },
            assoc: assoc(28)?,
            data: bytes.get(32..)?.to_vec(),
        },
        kind => Notification::Unknown { kind, bytes: bytes.to_vec() },
    })
}

#[cfg(test)]
#[path = "notification_tests.rs"]
mod tests;
