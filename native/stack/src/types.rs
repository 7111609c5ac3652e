//! Numbers with a meaning.

use std::cmp::Ordering;
use std::net::SocketAddr;
use std::ops::{Add, Sub};
use std::time::Duration;

/// Microseconds since an origin that the caller chooses. The stack has no clock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Time(pub u64);

impl Add<Duration> for Time {
    type Output = Time;

    fn add(self, duration: Duration) -> Time {
        let micros = u64::try_from(duration.as_micros()).unwrap_or(u64::MAX);
        Time(self.0.saturating_add(micros))
    }
}

impl Sub for Time {
    type Output = Duration;

    /// Zero where `earlier` is not earlier.
    fn sub(self, earlier: Time) -> Duration {
        Duration::from_micros(self.0.saturating_sub(earlier.0))
    }
}

/// A transmission sequence number. It compares by serial arithmetic (RFC 9260, section 1.6).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Tsn(pub u32);

impl Tsn {
    /// The number after this one.
    pub fn next(self) -> Tsn {
        Tsn(self.0.wrapping_add(1))
    }

    /// The number before this one.
    pub fn previous(self) -> Tsn {
        Tsn(self.0.wrapping_sub(1))
    }

    /// How far `self` is after `earlier`.
    pub fn since(self, earlier: Tsn) -> u32 {
        self.0.wrapping_sub(earlier.0)
    }
}

impl PartialOrd for Tsn {
    /// None for numbers that are just half of all numbers apart.
    fn partial_cmp(&self, other: &Tsn) -> Option<Ordering> {
        match self.0.wrapping_sub(other.0) {
            0 => Some(Ordering::Equal),
            0x8000_0000 => None,
            1..0x8000_0000 => Some(Ordering::Greater),
            _ => Some(Ordering::Less),
        }
    }
}

/// A stream sequence number. It compares by serial arithmetic.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Ssn(pub u16);

impl Ssn {
    /// The number after this one.
    pub fn next(self) -> Ssn {
        Ssn(self.0.wrapping_add(1))
    }
}

impl PartialOrd for Ssn {
    /// None for numbers that are just half of all numbers apart.
    fn partial_cmp(&self, other: &Ssn) -> Option<Ordering> {
        match self.0.wrapping_sub(other.0) {
            0 => Some(Ordering::Equal),
            0x8000 => None,
            1..0x8000 => Some(Ordering::Greater),
            _ => Some(Ordering::Less),
        }
    }
}

/// The number of a stream.
pub type StreamId = u16;

/// A payload protocol identifier, in host order: the IANA's number. The stack does not look at it.
pub type Ppid = u32;

/// An endpoint of a [`crate::stack::Stack`]: what a socket is to a kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EndpointId(pub u32);

/// An association of a [`crate::stack::Stack`]. Never 0, and not used again soon after its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AssocId(pub u32);

/// The same address with another port. A scope stays: `fe80::1` is a host on each link.
pub(crate) fn at_port(mut address: SocketAddr, port: u16) -> SocketAddr {
    address.set_port(port);
    address
}

/// How a packet travels: two IP addresses, and two UDP ports (RFC 6951).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Route {
    /// Our address and UDP port.
    pub local: SocketAddr,
    /// The peer's address and UDP port.
    pub remote: SocketAddr,
}

/// A packet to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transmit {
    /// Where to, and from where.
    pub route: Route,
    /// The SCTP packet: what goes into one UDP datagram.
    pub bytes: Vec<u8>,
}
