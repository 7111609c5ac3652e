//! The vocabulary: socket families and styles, association ids, what goes with a message.

use std::net::SocketAddr;

use crate::abi::sndrcvinfo as layout;
use crate::bytes::{i32_at, put_i32, put_u16, put_u32, put_u32_be, u16_at, u32_at, u32_be_at};

/// Address family of a socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Family {
    /// IPv4.
    Inet,
    /// IPv6, which also reaches IPv4 peers unless `IPV6_V6ONLY` is set.
    Inet6,
}

/// How associations relate to sockets (RFC 6458 sections 3 and 4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Style {
    /// `SOCK_SEQPACKET`: one socket carries any number of associations.
    OneToMany,
    /// `SOCK_STREAM`, or peeled off: one socket is one association and ignores association ids.
    OneToOne,
}

/// Association id (`sctp_assoc_t`), unique in the whole kernel while the association lives.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AssocId(pub i32);

impl AssocId {
    /// The endpoint itself, that is associations to come (`SCTP_FUTURE_ASSOC`).
    pub const FUTURE: Self = Self(0);

    /// The id as Erlang shows it: the same 32 bits without a sign.
    pub const fn from_u32(id: u32) -> Self {
        Self(id.cast_signed())
    }

    /// The same 32 bits without a sign.
    pub const fn to_u32(self) -> u32 {
        self.0.cast_unsigned()
    }
}

/// Bits of [`SndInfo::flags`] and [`RcvInfo::flags`] (`enum sctp_sinfo_flags`).
pub mod flags {
    /// Send, or received, outside the order of the stream.
    pub const UNORDERED: u16 = 0x0001;
    /// Send to the given address, not the primary one: of [`super::To::Path`] only.
    pub const ADDR_OVER: u16 = 0x0002;
    /// Abort the association; the payload is the reason.
    pub const ABORT: u16 = 0x0004;
    /// Ask the peer to acknowledge at once (RFC 7053).
    pub const SACK_IMMEDIATELY: u16 = 0x0008;
    /// When a message is given up, one of the three that follow, or never (RFC 7496): what the
    /// lifetime stands for then.
    pub const PR_MASK: u16 = 0x0030;
    /// After so many milliseconds.
    pub const PR_TTL: u16 = 0x0010;
    /// After it was sent so many times again.
    pub const PR_RTX: u16 = 0x0020;
    /// For another with a smaller number, when the buffer is full.
    pub const PR_PRIO: u16 = 0x0030;
    /// Send to all associations: of [`super::To::All`] only. Kernel 4.17.
    pub const SENDALL: u16 = 0x0040;
    /// Shut the association down gracefully; the payload must be empty.
    pub const EOF: u16 = 0x0200;
}

/// What the sender says about a message (the sender's part of `sctp_sndrcvinfo`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SndInfo {
    /// Outgoing stream.
    pub stream: u16,
    /// Bits of [`flags`].
    pub flags: u16,
    /// Payload protocol identifier, host order (big endian on the wire).
    pub ppid: u32,
    /// Given back in the notification of a failed send; never transmitted.
    pub context: u32,
    /// Lifetime in milliseconds, 0 forever; or as [`flags::PR_MASK`] says.
    pub timetolive: u32,
    /// The association, ignored on one-to-one sockets.
    pub assoc: AssocId,
    /// The number of the key that signs it instead of the active one, if the peer wants data signed
    /// (`struct sctp_authinfo`, RFC 6458 section 5.3.8). Kernel 4.17.
    pub key: Option<u16>,
}

/// Whom a message is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum To {
    /// The association, by the path that the kernel picks.
    Assoc,
    /// The association, by the path to this address of its peer.
    Path(SocketAddr),
    /// All associations of a one-to-many socket.
    All,
}

impl SndInfo {
    /// As `struct sctp_sndrcvinfo`, the fields only a receiver sees being zero. It has no place for
    /// the key.
    pub fn encode(&self) -> [u8; layout::SIZE] {
        let mut out = [0; layout::SIZE];
        put_u16(&mut out, layout::STREAM, self.stream);
        put_u16(&mut out, layout::FLAGS, self.flags);
        put_u32_be(&mut out, layout::PPID, self.ppid);
        put_u32(&mut out, layout::CONTEXT, self.context);
        put_u32(&mut out, layout::TIMETOLIVE, self.timetolive);
        put_i32(&mut out, layout::ASSOC_ID, self.assoc.0);
        out
    }

    /// The sender's part of a `struct sctp_sndrcvinfo`; `None` if the bytes are too few.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        SndRcvInfo::decode(bytes).map(Self::from)
    }
}

impl From<SndRcvInfo> for SndInfo {
    fn from(info: SndRcvInfo) -> Self {
        Self {
            stream: info.stream,
            flags: info.flags,
            ppid: info.ppid,
            context: info.context,
            timetolive: info.timetolive,
            assoc: info.assoc,
            key: None,
        }
    }
}

/// What came with a received message (`struct sctp_rcvinfo`, RFC 6458 section 5.3.5).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RcvInfo {
    /// Incoming stream.
    pub stream: u16,
    /// Stream sequence number. Of unordered messages it is what the sender likes; Linux sends 0.
    pub ssn: u16,
    /// [`flags::UNORDERED`] or nothing.
    pub flags: u16,
    /// Payload protocol identifier, host order.
    pub ppid: u32,
    /// TSN of the message's first fragment.
    pub tsn: u32,
    /// Cumulative TSN, for unordered messages only, else 0.
    pub cumtsn: u32,
    /// Receive context (`SCTP_CONTEXT`), not the sender's.
    pub context: u32,
    /// The association.
    pub assoc: AssocId,
}

/// What [`crate::Socket::shutdown`] ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Half {
    /// Receiving: what still comes is dropped.
    Read,
    /// Sending: what was sent is delivered, then the association ends (RFC 6458, section 4.1.7).
    Write,
    /// Both.
    Both,
}

/// What [`crate::Socket::bindx`] does with the addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bindx {
    /// Adds them to the endpoint.
    Add,
    /// Removes them from the endpoint.
    Remove,
}

/// What comes along with a message, besides its bytes and where it comes from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ancillary {
    /// Comes with every message, never with a notification.
    pub info: Option<RcvInfo>,
    /// The IPv4 header's type of service, if asked for. Linux up to 7.2 never delivers it for SCTP; so
    /// with the next two.
    pub tos: Option<u8>,
    /// IPv4 time to live or IPv6 hop limit, likewise.
    pub ttl: Option<i32>,
    /// IPv6 traffic class, likewise.
    pub tclass: Option<i32>,
}

/// What [`crate::Socket::recv`] gives besides the bytes in the buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Received {
    /// Bytes written to the buffer.
    pub len: usize,
    /// Whether they end the message or notification; else more of it is to be received.
    pub end_of_record: bool,
    /// Whether they are of a notification.
    pub notification: bool,
    /// Source of the message, or primary address of the association a notification is about.
    pub from: Option<SocketAddr>,
    /// What came along.
    pub anc: Ancillary,
}

impl Received {
    /// Nothing received.
    pub const NOTHING: Received = Received {
        len: 0,
        end_of_record: false,
        notification: false,
        from: None,
        anc: Ancillary { info: None, tos: None, ttl: None, tclass: None },
    };

    /// Whether the peer of a one-to-one socket has shut down and nothing more will come: SCTP has
    /// no empty messages.
    pub fn is_end_of_stream(&self) -> bool {
        self.len == 0 && !self.notification
    }
}

/// The whole of `struct sctp_sndrcvinfo`, as a notification of a failed send carries it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SndRcvInfo {
    /// Stream.
    pub stream: u16,
    /// Stream sequence number.
    pub ssn: u16,
    /// Bits of [`flags`]; in a failed send the flags of the DATA chunk instead (1 last fragment,
    /// 2 first fragment, 4 unordered, 8 immediate; RFC 9260 section 3.3.1).
    pub flags: u16,
    /// Payload protocol identifier, host order.
    pub ppid: u32,
    /// The sender's context.
    pub context: u32,
    /// Lifetime in milliseconds.
    pub timetolive: u32,
    /// TSN.
    pub tsn: u32,
    /// Cumulative TSN.
    pub cumtsn: u32,
    /// The association.
    pub assoc: AssocId,
}

impl SndRcvInfo {
    /// Reads `struct sctp_sndrcvinfo`; `None` if the bytes are too few.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        Some(Self {
            stream: u16_at(bytes, layout::STREAM)?,
            ssn: u16_at(bytes, layout::SSN)?,
            flags: u16_at(bytes, layout::FLAGS)?,
            ppid: u32_be_at(bytes, layout::PPID)?,
            context: u32_at(bytes, layout::CONTEXT)?,
            timetolive: u32_at(bytes, layout::TIMETOLIVE)?,
            tsn: u32_at(bytes, layout::TSN)?,
            cumtsn: u32_at(bytes, layout::CUMTSN)?,
            assoc: AssocId(i32_at(bytes, layout::ASSOC_ID)?),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn assoc_ids_keep_their_bits() {
        assert_eq!(AssocId::from_u32(u32::MAX), AssocId(-1));
        assert_eq!(AssocId(-2).to_u32(), u32::MAX - 1);
        assert_eq!(AssocId::from_u32(7).to_u32(), 7);
    }

    #[test]
    fn snd_info_lands_where_the_kernel_looks() {
        let info = SndInfo {
            stream: 0x0102,
            flags: flags::EOF,
            ppid: 0x0304_0506,
            context: 0x0708_090a,
            timetolive: 1000,
            assoc: AssocId(-3),
            key: None,
        };
        let bytes = info.encode();
        assert_eq!(bytes[0..2], 0x0102u16.to_ne_bytes());
        assert_eq!(bytes[4..6], 0x0200u16.to_ne_bytes());
        assert_eq!(bytes[8..12], [3, 4, 5, 6], "the identifier is big endian");
        assert_eq!(bytes[12..16], 0x0708_090au32.to_ne_bytes());
        assert_eq!(bytes[16..20], 1000u32.to_ne_bytes());
        assert_eq!(bytes[28..32], (-3i32).to_ne_bytes());
        assert_eq!(SndInfo::decode(&bytes), Some(info));
        assert_eq!(SndInfo::decode(&bytes[..31]), None);
    }
}
