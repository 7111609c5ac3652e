//! What an association and a path tell of themselves (RFC 6458, sections 8.2.1, 8.2.2).

use std::net::SocketAddr;
use std::time::Duration;

use crate::types::AssocId;

/// An association's state (RFC 9260, section 4). One that is CLOSED is not there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// INIT was sent.
    CookieWait,
    /// The cookie was sent back.
    CookieEchoed,
    /// It is up.
    Established,
    /// The user ended it; data is still on its way.
    ShutdownPending,
    /// SHUTDOWN was sent.
    ShutdownSent,
    /// SHUTDOWN came; data is still on its way.
    ShutdownReceived,
    /// SHUTDOWN ACK was sent.
    ShutdownAckSent,
}

/// SCTP_STATUS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    /// The association.
    pub assoc: AssocId,
    /// Its state.
    pub state: State,
    /// Bytes that the peer still takes.
    pub rwnd: u32,
    /// DATA chunks that were sent and are not acknowledged.
    pub unacked: usize,
    /// DATA chunks received, of which the user has not taken all.
    pub pending: usize,
    /// Streams in.
    pub inbound_streams: u16,
    /// Streams out.
    pub outbound_streams: u16,
    /// The longest data of one DATA chunk.
    pub fragmentation_point: usize,
    /// The primary path.
    pub primary: PathStatus,
}

/// The state of a path (RFC 9260, section 8.2; RFC 6458, section 8.2.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PathState {
    /// Its address was never confirmed (RFC 9260, section 5.4).
    Unconfirmed,
    /// It answers.
    Active,
    /// It does not answer.
    Inactive,
}

/// SCTP_GET_PEER_ADDR_INFO.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PathStatus {
    /// The peer's address and SCTP port.
    pub address: SocketAddr,
    /// The peer's UDP port, as last learnt (RFC 6951, section 5.4).
    pub udp_port: u16,
    /// See there.
    pub state: PathState,
    /// The congestion window in bytes.
    pub cwnd: usize,
    /// The smoothed round trip; zero if none was measured.
    pub srtt: Duration,
    /// The retransmission timeout.
    pub rto: Duration,
    /// Bytes of a packet that it carries.
    pub mtu: usize,
}

/// What one association sent and received, since its begin.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AssocCounters {
    /// Packets out.
    pub packets_out: u64,
    /// Packets in that belong to it.
    pub packets_in: u64,
    /// Bytes of user data in messages that the user sent.
    pub bytes_out: u64,
    /// Bytes of user data that the user received.
    pub bytes_in: u64,
    /// Messages that the user sent.
    pub messages_out: u64,
    /// Messages that the user received.
    pub messages_in: u64,
    /// DATA chunks sent again.
    pub retransmissions: u64,
}

/// What a stack counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Packets out.
    pub packets_out: u64,
    /// Packets in, all.
    pub packets_in: u64,
    /// Packets that are none: too short, wrong lengths, or the checksum does not match (RFC 9260,
    /// section 6.8).
    pub malformed: u64,
    /// Packets with a verification tag that is not the association's (section 8.5).
    pub wrong_tag: u64,
    /// Packets that belong to no association (section 8.4).
    pub out_of_the_blue: u64,
    /// Answers to INITs and to packets out of the blue that were not given for the limit's sake.
    pub unanswered: u64,
    /// COOKIE ECHOs with a cookie that is not ours, was changed or is too old.
    pub bad_cookies: u64,
    /// Associations that came up.
    pub established: u64,
    /// Associations that ended in an ABORT, sent or received.
    pub aborted: u64,
    /// Associations that ended in a SHUTDOWN COMPLETE.
    pub shut_down: u64,
    /// Associations that were lost because the peer did not answer.
    pub lost: u64,
}

/// What an endpoint is ready for; told when it begins, not again and again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ready {
    /// `receive` or `accept` has something.
    pub readable: bool,
    /// `send` has room again, after it was refused for want of it.
    pub writable: bool,
}

/// What a stack holds just now, in numbers and bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Memory {
    /// Endpoints, those that wait for `accept` included.
    pub endpoints: usize,
    /// Associations, those without endpoint included.
    pub associations: usize,
    /// Data that was received and waits for its user or for the rest of it, with its accounting.
    pub receive_bytes: usize,
    /// Data that was sent and is not acknowledged, with its accounting.
    pub send_bytes: usize,
    /// Events that wait for a user.
    pub queued_events: usize,
    /// Bytes that these events carry.
    pub event_bytes: usize,
    /// Packets that wait for `output`, besides those that associations make then.
    pub queued_packets: usize,
}
