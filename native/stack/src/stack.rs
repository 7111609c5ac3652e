//! Endpoints, ports, and to which association a packet belongs.

mod calls;
mod input;
mod options;
mod peers;
mod settle;
mod used;

use std::collections::{BTreeMap, VecDeque};

use crate::assoc::context::Context;
use crate::assoc::state::Assoc;
use crate::endpoint::Endpoint;
pub use crate::entropy::Entropy;
pub use crate::error::Error;
pub use crate::params::Limits;
use crate::ports::{BindingId, Ports};
use crate::status::Counters;
pub use crate::status::Ready;
use crate::timer::Deadlines;
use crate::types::{AssocId, EndpointId, Time, Transmit};
use peers::Peers;
use used::{PeerTag, UsedTags};

/// All endpoints of one node: no socket, no clock, no thread.
pub struct Stack {
    limits: Limits,
    cx: Context,
    endpoints: BTreeMap<EndpointId, Endpoint>,
    assocs: BTreeMap<AssocId, Entry>,
    ports: Ports,
    peers: Peers,
    /// Our tags.
    used: UsedTags<u32>,
    /// Peers' tags.
    used_by_peers: UsedTags<PeerTag>,
    deadlines: Deadlines<AssocId>,
    /// Associations that may have a packet to send.
    sending: VecDeque<AssocId>,
    /// Endpoints that have become ready.
    ready: VecDeque<EndpointId>,
    last_endpoint: u32,
    last_assoc: u32,
}

/// An association, and to whom it belongs.
struct Entry {
    assoc: Assoc,
    /// None: it was closed, and the association lives on until its end.
    endpoint: Option<EndpointId>,
    binding: BindingId,
    /// The tag under which it is found.
    tag: u32,
    /// Its part of the endpoint's `unacked`.
    unacked: usize,
    /// It is in `sending`.
    sending: bool,
}

impl Stack {
    /// A stack without endpoints.
    pub fn new(limits: Limits, entropy: Box<dyn Entropy>) -> Stack {
        Stack {
            limits,
            cx: Context::new(entropy, limits.answers_per_second),
            endpoints: BTreeMap::new(),
            assocs: BTreeMap::new(),
            ports: Ports::default(),
            peers: Peers::default(),
            used: UsedTags::default(),
            used_by_peers: UsedTags::default(),
            deadlines: Deadlines::new(),
            sending: VecDeque::new(),
            ready: VecDeque::new(),
            last_endpoint: 0,
            last_assoc: 0,
        }
    }

    /// A packet to be sent. Ask until there is none, after each call that is given the time.
    pub fn output(&mut self) -> Option<Transmit> {
        let transmit = self.next_packet()?;
        self.cx.counters.packets_out += 1;
        Some(transmit)
    }

    fn next_packet(&mut self) -> Option<Transmit> {
        loop {
            if let Some(transmit) = self.cx.outbox.pop_front() {
                return Some(transmit);
            }
            let id = self.sending.pop_front()?;
            let packet = match self.assocs.get_mut(&id) {
                Some(entry) => entry.assoc.output(&mut self.cx),
                None => None,
            };
            if let Some(entry) = self.assocs.get_mut(&id) {
                entry.sending = packet.is_some();
                if entry.sending {
                    // The others first: each in its turn.
                    self.sending.push_back(id);
                }
            }
            // Sending starts timers, gives up messages, and can be the last step to SHUTDOWN.
            self.settle(id);
            if packet.is_some() {
                return packet;
            }
        }
    }

    /// When `advance` is to be called, if nothing happens before.
    pub fn timeout(&self) -> Option<Time> {
        self.deadlines.first()
    }

    /// Does what is due.
    pub fn advance(&mut self, now: Time) {
        self.set_time(now);
        while let Some(id) = self.deadlines.take_due(self.cx.now) {
            self.with(id, |assoc, cx| assoc.advance(cx));
        }
    }

    /// An endpoint that has become ready.
    pub fn ready(&mut self) -> Option<(EndpointId, Ready)> {
        loop {
            let id = self.ready.pop_front()?;
            if let Some(endpoint) = self.endpoints.get_mut(&id) {
                return Some((id, std::mem::take(&mut endpoint.ready)));
            }
        }
    }

    /// What the stack counted.
    pub fn counters(&self) -> Counters {
        self.cx.counters
    }

    /// Time does not go back.
    fn set_time(&mut self, now: Time) {
        self.cx.now = self.cx.now.max(now);
    }

    fn endpoint(&self, id: EndpointId) -> Result<&Endpoint, Error> {
        self.endpoints.get(&id).ok_or(Error::Invalid)
    }

    fn endpoint_mut(&mut self, id: EndpointId) -> Result<&mut Endpoint, Error> {
        self.endpoints.get_mut(&id).ok_or(Error::Invalid)
    }
}
