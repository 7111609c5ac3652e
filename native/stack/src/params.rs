//! What users set: typed options of a stack, an endpoint, an association and a path (RFC 6458, section 8).

use std::time::Duration;

/// Bounds on what peers can make this stack hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Associations of one endpoint.
    pub associations_per_endpoint: usize,
    /// Associations of all endpoints.
    pub associations: usize,
    /// Answers a second to INITs and to packets that belong to no association.
    pub answers_per_second: u32,
    /// Events of one endpoint that wait for its user. While there are more, nobody can begin an
    /// association with it, and events that tell nothing of a message or of an association's end
    /// are left out.
    pub events_per_endpoint: usize,
    /// Bytes of one endpoint that wait for its user and that no receive buffer bounds: data of
    /// associations that have ended, with its accounting, and what events carry. While there are
    /// more, it is as with too many events. An endpoint can hold so much, and what the associations
    /// that it had when this was reached leave behind.
    pub unread_per_endpoint: usize,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            associations_per_endpoint: 16_384,
            associations: 65_536,
            answers_per_second: 10_000,
            events_per_endpoint: 65_536,
            unread_per_endpoint: 64 << 20,
        }
    }
}

/// One-to-many or one-to-one (RFC 6458, sections 3 and 4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// Many associations, which begin with the first message or by `connect`.
    OneToMany,
    /// One association, as a TCP socket has one connection.
    OneToOne,
}

/// What an endpoint proposes when an association begins (SCTP_INITMSG).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InitParams {
    /// Streams out; the peer may allow fewer. Default 10.
    pub outbound_streams: u16,
    /// Streams in, at most. Default 65535.
    pub inbound_streams: u16,
    /// How often INIT is sent again. Default 8 (Max.Init.Retransmits).
    pub attempts: u16,
    /// The longest time between two INITs. Default 60 s.
    pub longest_timeout: Duration,
}

impl Default for InitParams {
    fn default() -> InitParams {
        InitParams {
            outbound_streams: 10,
            inbound_streams: u16::MAX,
            attempts: 8,
            longest_timeout: Duration::from_secs(60),
        }
    }
}

/// Retransmission timeouts (SCTP_RTOINFO; RFC 9260, section 16).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RtoParams {
    /// Before a round trip was measured. Default 1 s here as in RFC 9260; Linux has 3 s.
    pub initial: Duration,
    /// The shortest. Default 1 s.
    pub min: Duration,
    /// The longest. Default 60 s.
    pub max: Duration,
}

impl Default for RtoParams {
    fn default() -> RtoParams {
        RtoParams {
            initial: Duration::from_secs(1),
            min: Duration::from_secs(1),
            max: Duration::from_secs(60),
        }
    }
}

/// Heartbeats and failures of a path (SCTP_PEER_ADDR_PARAMS).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PathParams {
    /// Time between heartbeats on an idle path, to which the timeout is added; None: no heartbeats.
    /// Default 30 s.
    pub heartbeat_interval: Option<Duration>,
    /// Timeouts in a row after which the path is inactive. Default 5 (Path.Max.Retrans).
    pub max_retransmissions: u16,
    /// Bytes of a UDP datagram's payload that the path carries: SCTP header and chunks. Default
    /// 1400; at least 512.
    pub mtu: usize,
}

impl Default for PathParams {
    fn default() -> PathParams {
        PathParams {
            heartbeat_interval: Some(Duration::from_secs(30)),
            max_retransmissions: 5,
            mtu: 1400,
        }
    }
}

/// All of an endpoint: what its associations begin with. An association has a copy of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Params {
    /// See there.
    pub init: InitParams,
    /// See there.
    pub rto: RtoParams,
    /// See there.
    pub path: PathParams,
    /// Timeouts in a row after which the association is lost. Default 10 (Association.Max.Retrans).
    pub max_retransmissions: u16,
    /// For how long a state cookie is valid. Default 60 s (Valid.Cookie.Life).
    pub cookie_life: Duration,
    /// How long a SACK is put off. Default 200 ms; zero: never.
    pub sack_delay: Duration,
    /// A SACK after so many packets with DATA. Default 2.
    pub sack_frequency: u32,
    /// Send small chunks at once (SCTP_NODELAY). Default false: Nagle's algorithm.
    pub nodelay: bool,
    /// Refuse messages that do not fit one chunk (SCTP_DISABLE_FRAGMENTS). Default false.
    pub disable_fragments: bool,
    /// Longest data of one DATA chunk; 0: as the path's MTU allows (SCTP_MAXSEG). Default 0.
    pub max_segment: usize,
    /// Close associations that are idle for so long (SCTP_AUTOCLOSE). Default: never.
    pub autoclose: Option<Duration>,
    /// The layer's own number for the peer (SCTP_ADAPTATION_LAYER; RFC 5061, section 4.2.6).
    pub adaptation: Option<u32>,
    /// Bytes of received data and of its accounting that wait for the user. Default 212992; at least 1500. With the
    /// overhead of small messages it may be twice as much.
    pub receive_buffer: usize,
    /// Bytes that were sent and are not acknowledged. Default 212992.
    pub send_buffer: usize,
    /// A message is delivered in parts when so many bytes of it have come; 0: when the window
    /// would close otherwise. Default 0 (SCTP_PARTIAL_DELIVERY_POINT).
    pub partial_delivery_point: usize,
    /// Tell when all that was sent is acknowledged (SCTP_SENDER_DRY_EVENT). Default false: it is told
    /// often.
    pub sender_dry: bool,
    /// An endpoint of `::` takes no IPv4 (IPV6_V6ONLY). Default false.
    pub v6_only: bool,
}

impl Default for Params {
    fn default() -> Params {
        Params {
            init: InitParams::default(),
            rto: RtoParams::default(),
            path: PathParams::default(),
            max_retransmissions: 10,
            cookie_life: Duration::from_secs(60),
            sack_delay: Duration::from_millis(200),
            sack_frequency: 2,
            nodelay: false,
            disable_fragments: false,
            max_segment: 0,
            autoclose: None,
            adaptation: None,
            receive_buffer: 212_992,
            send_buffer: 212_992,
            partial_delivery_point: 0,
            sender_dry: false,
            v6_only: false,
        }
    }
}

impl Params {
    /// The values make sense: what setting them asks for.
    pub fn are_valid(&self) -> bool {
        let rto = &self.rto;
        rto.min <= rto.initial
            && rto.initial <= rto.max
            && !rto.min.is_zero()
            && self.path.mtu >= MTU_MIN
            && self.path.mtu <= MTU_MAX
            && self.init.outbound_streams > 0
            && self.init.inbound_streams > 0
            && !self.cookie_life.is_zero()
            && self.sack_frequency > 0
            && self.receive_buffer >= RECEIVE_BUFFER_MIN
            && self.send_buffer > 0
            && self.sack_delay <= SACK_DELAY_MAX
    }
}

/// The smallest MTU that `Params` takes, as Linux has it.
pub const MTU_MIN: usize = 512;

/// A UDP datagram carries no more.
pub const MTU_MAX: usize = 65_507;

/// A smaller window must not be advertised (RFC 9260, section 3.3.2).
pub const RECEIVE_BUFFER_MIN: usize = 1500;

/// A SACK MUST NOT be put off for longer (RFC 9260, section 6.2).
pub const SACK_DELAY_MAX: Duration = Duration::from_millis(500);
