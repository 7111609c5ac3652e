//! Stacks of others beside ours, behind one set of calls, and two of them with a network between.

// Each program uses a part of it.
#![allow(dead_code)]

pub(crate) mod dcsctp;
pub(crate) mod ours;
pub(crate) mod pair;
pub(crate) mod proto;

use stack::types::Time;

/// A whole message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Message {
    pub(crate) stream: u16,
    pub(crate) ppid: u32,
    pub(crate) unordered: bool,
    pub(crate) bytes: Vec<u8>,
}

/// How far an association is, as its user knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum View {
    NotYet,
    Up,
    /// Shut down: all has arrived.
    Over,
    /// Aborted, by one of the two, or the other one does not answer.
    Lost,
}

/// One end, of one association.
pub(crate) trait Peer {
    fn connect(&mut self, now: Time);
    /// False: not now.
    fn send(&mut self, now: Time, message: &Message) -> bool;
    /// All that it takes now, before packets are made of them; how many those are. They are alike.
    fn send_many(&mut self, now: Time, messages: &[Message]) -> usize {
        messages.iter().take_while(|message| self.send(now, message)).count()
    }
    /// Unordered messages may not be marked as such.
    fn receive(&mut self, now: Time) -> Option<Message>;
    fn shutdown(&mut self, now: Time);
    fn abort(&mut self, now: Time);
    fn input(&mut self, now: Time, packet: &[u8]);
    fn output(&mut self, now: Time) -> Option<Vec<u8>>;
    fn timeout(&self) -> Option<Time>;
    fn advance(&mut self, now: Time);
    fn view(&self) -> View;
    /// How often the other one has begun anew.
    fn restarts(&self) -> u32;
}

/// SCTP ports, and an MTU that all take.
pub(crate) const PORTS: [u16; 2] = [5000, 5001];
pub(crate) const MTU: usize = 1_400;

/// The one at the first port, which begins, or the one at the second, which waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Seat {
    Active,
    Passive,
}

impl Seat {
    /// Own port, and the other's.
    pub(crate) fn ports(self) -> (u16, u16) {
        match self {
            Seat::Active => (PORTS[0], PORTS[1]),
            Seat::Passive => (PORTS[1], PORTS[0]),
        }
    }
}

/// Whose stack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Make {
    Ours,
    Dcsctp,
    Proto,
}

impl Make {
    pub(crate) const ALL: [Make; 3] = [Make::Ours, Make::Dcsctp, Make::Proto];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Make::Ours => "ours",
            Make::Dcsctp => "dcsctp",
            Make::Proto => "sctp-proto",
        }
    }

    pub(crate) fn peer(self, seat: Seat, seed: u64) -> Box<dyn Peer> {
        match self {
            Make::Ours => Box::new(ours::Ours::new(seat, seed)),
            Make::Dcsctp => Box::new(dcsctp::Dcsctp::new(seat)),
            Make::Proto => Box::new(proto::Proto::new(seat)),
        }
    }
}
