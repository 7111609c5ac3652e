//! Hosts, and what a user of an endpoint knows.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;

use fastrand::Rng;
use stack::event::SendInfo;
use stack::params::{Params, Style};
use stack::stack::{Entropy, Limits, Stack};
use stack::types::{AssocId, EndpointId, Time};

/// Random bytes that are the same for the same seed.
#[derive(Debug)]
pub(crate) struct Seeded(pub(crate) Rng);

impl Entropy for Seeded {
    fn fill(&mut self, bytes: &mut [u8]) {
        self.0.fill(bytes);
    }
}

pub(crate) struct Host {
    /// None: it is off.
    pub(crate) stack: Option<Stack>,
    /// How often it has been started.
    pub(crate) life: u32,
    pub(crate) users: Vec<User>,
}

impl Host {
    pub(crate) fn off() -> Host {
        Host { stack: None, life: 0, users: Vec::new() }
    }

    pub(crate) fn start(&mut self, rng: &mut Rng) {
        self.life += 1;
        self.users.clear();
        self.stack = Some(Stack::new(Limits::default(), Box::new(Seeded(rng.fork()))));
    }

    /// The user of an endpoint that is open.
    pub(crate) fn user_of(&mut self, endpoint: EndpointId) -> Option<usize> {
        self.users.iter().position(|user| user.endpoint == endpoint && !user.closed)
    }
}

/// What the user of an endpoint knows of an association.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Peer {
    pub(crate) up: bool,
    pub(crate) outbound: u16,
    /// It was shut down or aborted from here, or the peer has said SHUTDOWN.
    pub(crate) ending: bool,
}

/// A message that `send` refused for want of room.
#[derive(Clone, Debug)]
pub(crate) struct Refused {
    pub(crate) assoc: AssocId,
    pub(crate) info: SendInfo,
    pub(crate) length: usize,
}

#[derive(Debug)]
pub(crate) struct User {
    pub(crate) endpoint: EndpointId,
    /// The service whose endpoint it is, but for accepted and peeled off ones.
    pub(crate) service: Option<usize>,
    pub(crate) style: Style,
    pub(crate) params: Params,
    pub(crate) local: SocketAddr,
    /// Gives associations by `accept`.
    pub(crate) accepts: bool,
    pub(crate) peers: BTreeMap<AssocId, Peer>,
    /// All that it ever had: their last events may still be to come.
    pub(crate) known: BTreeSet<AssocId>,
    pub(crate) refused: Option<Refused>,
    /// It was told that there is room since then.
    pub(crate) room: bool,
    pub(crate) readable: bool,
    /// A turn to read is in the queue.
    pub(crate) reading: bool,
    pub(crate) paused_till: Time,
    /// Messages at a turn, bytes at a call, microseconds between two turns.
    pub(crate) pace: usize,
    pub(crate) most: usize,
    pub(crate) gap: u64,
    pub(crate) closed: bool,
    /// At the end: closes at once, leaving the shutdown to `close`.
    pub(crate) hasty: bool,
}

impl User {
    pub(crate) fn describe(&self) -> String {
        format!(
            "{:?} {:?}: {:?}, refused {:?}, room {}, readable {}, reading {}, till {:?}",
            self.endpoint,
            self.local,
            self.peers,
            self.refused,
            self.room,
            self.readable,
            self.reading,
            self.paused_till
        )
    }

    /// It has an association from now on.
    pub(crate) fn knows(&mut self, assoc: AssocId, peer: Peer) {
        self.peers.insert(assoc, peer);
        self.known.insert(assoc);
    }

    pub(crate) fn new(
        rng: &mut Rng,
        endpoint: EndpointId,
        service: Option<usize>,
        (style, params): (Style, Params),
        local: SocketAddr,
    ) -> User {
        let slow = rng.u32(0..3) == 0;
        User {
            endpoint,
            service,
            style,
            params,
            local,
            accepts: false,
            peers: BTreeMap::new(),
            known: BTreeSet::new(),
            refused: None,
            room: false,
            readable: false,
            reading: false,
            paused_till: Time(0),
            pace: if slow { rng.usize(1..=4) } else { usize::MAX },
            most: *super::scenario::pick(rng, &[1 << 20, 1 << 20, 65_536, 1_000, 100]),
            gap: if slow { rng.u64(0..50_000) } else { 0 },
            closed: false,
            hasty: rng.bool(),
        }
    }
}
