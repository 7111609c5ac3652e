//! The pipe, the time, and what happened.

use std::collections::VecDeque;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use stack::error::Error;
use stack::event::{AssocChange, Event, Received, SendInfo};
use stack::params::{Params, Style};
use stack::stack::{Entropy, Limits, Stack};
use stack::types::{AssocId, EndpointId, Route, Time, Transmit};
use stack::wire::{Chunk, Packet, chunk_type};

/// A node of this network.
pub(crate) const A: usize = 0;
/// Another one.
pub(crate) const B: usize = 1;

/// The SCTP port on which B listens, by default.
pub(crate) const PORT: u16 = 5000;

/// Repeatable random numbers (xorshift64).
struct Numbers(u64);

impl Entropy for Numbers {
    fn fill(&mut self, bytes: &mut [u8]) {
        for byte in bytes {
            self.0 ^= self.0 << 13;
            self.0 ^= self.0 >> 7;
            self.0 ^= self.0 << 17;
            *byte = (self.0 >> 32) as u8;
        }
    }
}

pub(crate) fn stack(seed: u64, limits: Limits) -> Stack {
    Stack::new(limits, Box::new(Numbers((seed + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15))))
}

/// A packet on its way.
#[derive(Clone, Debug)]
pub(crate) struct Sent {
    pub(crate) from: usize,
    pub(crate) at: Time,
    pub(crate) transmit: Transmit,
}

impl Sent {
    /// The types of its chunks.
    pub(crate) fn kinds(&self) -> Vec<u8> {
        kinds(&self.transmit.bytes)
    }
}

pub(crate) fn kinds(packet: &[u8]) -> Vec<u8> {
    let packet = Packet::parse(packet).expect("a packet that a stack made");
    packet.chunks().map(|chunk| chunk.expect("a chunk that a stack made").kind()).collect()
}

type Filter = Box<dyn FnMut(&Sent) -> bool>;

pub(crate) struct World {
    pub(crate) now: Time,
    pub(crate) stacks: Vec<Stack>,
    ips: Vec<IpAddr>,
    /// Sent and not delivered yet.
    pub(crate) wire: VecDeque<Sent>,
    /// All that was ever sent.
    pub(crate) log: Vec<Sent>,
    /// Which packets arrive.
    pub(crate) passes: Filter,
}

impl World {
    pub(crate) fn new() -> World {
        World::with_limits(Limits::default())
    }

    pub(crate) fn with_limits(limits: Limits) -> World {
        World {
            now: Time(1_000_000),
            stacks: vec![stack(1, limits), stack(2, limits)],
            ips: vec!["10.0.0.1".parse().unwrap(), "10.0.0.2".parse().unwrap()],
            wire: VecDeque::new(),
            log: Vec::new(),
            passes: Box::new(|_| true),
        }
    }

    pub(crate) fn ip(&self, node: usize) -> IpAddr {
        self.ips[node]
    }

    /// The same nodes with IPv6 addresses.
    pub(crate) fn use_ipv6(&mut self) {
        self.ips = vec!["fd00::1".parse().unwrap(), "fd00::2".parse().unwrap()];
    }

    /// A node dies, and comes back without memory.
    pub(crate) fn reboot(&mut self, node: usize, seed: u64) {
        self.stacks[node] = stack(seed, Limits::default());
    }

    /// From now on no packet arrives that has a chunk of this type.
    pub(crate) fn drop_chunks(&mut self, kind: u8) {
        self.passes = Box::new(move |sent| !sent.kinds().contains(&kind));
    }

    pub(crate) fn drop_nothing(&mut self) {
        self.passes = Box::new(|_| true);
    }

    pub(crate) fn drop_all(&mut self) {
        self.passes = Box::new(|_| false);
    }

    /// Takes what the stacks want to send.
    pub(crate) fn collect(&mut self) {
        for node in 0..self.stacks.len() {
            while let Some(transmit) = self.stacks[node].output() {
                let sent = Sent { from: node, at: self.now, transmit };
                self.log.push(sent.clone());
                if (self.passes)(&sent) {
                    self.wire.push_back(sent);
                }
            }
        }
    }

    /// Delivers one packet.
    pub(crate) fn deliver_one(&mut self) -> bool {
        let Some(Sent { from, transmit: Transmit { route, bytes }, .. }) = self.wire.pop_front()
        else {
            return false;
        };
        let source = SocketAddr::new(self.ips[from], route.local.port());
        if let Some(to) = self.ips.iter().position(|ip| *ip == route.remote.ip()) {
            let route = Route { local: route.remote, remote: source };
            self.stacks[to].input(self.now, route, &bytes);
        }
        true
    }

    /// Until nobody has anything to send.
    pub(crate) fn settle(&mut self) {
        self.collect();
        while self.deliver_one() {
            self.collect();
        }
    }

    /// Time goes on, and all happens that is due until then.
    pub(crate) fn run(&mut self, duration: Duration) {
        let end = self.now + duration;
        loop {
            self.settle();
            let next = self.stacks.iter().filter_map(Stack::timeout).min();
            match next {
                Some(next) if next <= end => {
                    assert!(next > self.now, "a deadline that is over");
                    self.now = next;
                }
                _ => break,
            }
            for stack in &mut self.stacks {
                stack.advance(self.now);
            }
        }
        self.now = end;
        for stack in &mut self.stacks {
            stack.advance(end);
        }
        self.settle();
    }

    /// An endpoint of `node`, bound to a port of all addresses, or to any.
    pub(crate) fn open_with(
        &mut self,
        node: usize,
        style: Style,
        port: u16,
        params: Params,
    ) -> EndpointId {
        let any = match self.ips[node] {
            IpAddr::V4(_) => "0.0.0.0",
            IpAddr::V6(_) => "::",
        };
        let endpoint = self.stacks[node].open(style, params);
        self.stacks[node].bind(endpoint, any.parse().unwrap(), port, 0).unwrap();
        endpoint
    }

    pub(crate) fn open(&mut self, node: usize, style: Style, port: u16) -> EndpointId {
        self.open_with(node, style, port, Params::default())
    }

    /// One-to-many, and it listens.
    pub(crate) fn listen(&mut self, node: usize, port: u16) -> EndpointId {
        let endpoint = self.open(node, Style::OneToMany, port);
        self.stacks[node].listen(endpoint, 5).unwrap();
        endpoint
    }

    /// Begins an association with `to`, and does not wait for it.
    pub(crate) fn connect(
        &mut self,
        from: usize,
        endpoint: EndpointId,
        to: usize,
        port: u16,
    ) -> AssocId {
        let remote = SocketAddr::new(self.ips[to], port);
        self.stacks[from].connect(self.now, endpoint, remote, port).unwrap()
    }

    /// All that waits for the user of an endpoint.
    pub(crate) fn received(&mut self, node: usize, endpoint: EndpointId) -> Vec<Received> {
        let mut all = Vec::new();
        loop {
            match self.stacks[node].receive(self.now, endpoint, usize::MAX) {
                Ok(received) => all.push(received),
                Err(Error::Again) => return all,
                Err(error) => panic!("{error:?} after {all:?}"),
            }
        }
    }

    /// The events among it.
    pub(crate) fn events(&mut self, node: usize, endpoint: EndpointId) -> Vec<Event> {
        let events = self.received(node, endpoint).into_iter().map(|received| match received {
            Received::Event(_, event) => event,
            Received::Data { .. } => panic!("data: {received:?}"),
        });
        events.collect()
    }

    /// The messages, whole, and nothing else.
    pub(crate) fn messages(&mut self, node: usize, endpoint: EndpointId) -> Vec<Vec<u8>> {
        let mut messages = vec![Vec::new()];
        for received in self.received(node, endpoint) {
            match received {
                Received::Data { bytes, end, .. } => {
                    messages.last_mut().unwrap().extend(bytes);
                    if end {
                        messages.push(Vec::new());
                    }
                }
                Received::Event(..) => panic!("no data: {received:?}"),
            }
        }
        assert_eq!(messages.pop(), Some(Vec::new()), "a message without end");
        messages
    }

    /// How many bytes of messages wait, ended or not; nothing else may.
    pub(crate) fn messages_or_parts(&mut self, node: usize, endpoint: EndpointId) -> usize {
        let lengths = self.received(node, endpoint).into_iter().map(|received| match received {
            Received::Data { bytes, .. } => bytes.len(),
            Received::Event(..) => panic!("no data: {received:?}"),
        });
        lengths.sum()
    }

    pub(crate) fn send(&mut self, node: usize, endpoint: EndpointId, assoc: AssocId, data: &[u8]) {
        self.send_on(node, endpoint, assoc, 0, data);
    }

    pub(crate) fn send_on(
        &mut self,
        node: usize,
        endpoint: EndpointId,
        assoc: AssocId,
        stream: u16,
        data: &[u8],
    ) {
        let info = SendInfo { stream, ppid: 46, ..SendInfo::default() };
        self.stacks[node].send(self.now, endpoint, assoc, info, data).unwrap();
    }

    /// How many packets with a chunk of this type were sent.
    pub(crate) fn sent(&self, kind: u8) -> usize {
        self.log.iter().filter(|sent| sent.kinds().contains(&kind)).count()
    }

    /// An answer to the last packet: its causes if it was an ABORT with such.
    pub(crate) fn last(&self) -> &Sent {
        self.log.last().expect("a packet")
    }
}

/// Two one-to-many endpoints with an association that is up, its events received.
pub(crate) struct Pair {
    pub(crate) world: World,
    pub(crate) a: EndpointId,
    pub(crate) b: EndpointId,
    pub(crate) at_a: AssocId,
    pub(crate) at_b: AssocId,
}

impl Pair {
    pub(crate) fn new() -> Pair {
        Pair::with(World::new(), Params::default(), Params::default())
    }

    pub(crate) fn with(mut world: World, of_a: Params, of_b: Params) -> Pair {
        let a = world.open_with(A, Style::OneToMany, 0, of_a);
        let b = world.open_with(B, Style::OneToMany, PORT, of_b);
        world.stacks[B].listen(b, 5).unwrap();
        let at_a = world.connect(A, a, B, PORT);
        world.settle();
        assert!(matches!(world.events(A, a)[..], [up!()]));
        assert!(matches!(world.events(B, b)[..], [up!()]));
        let at_b = world.stacks[B].associations(b).unwrap()[0];
        Pair { world, a, b, at_a, at_b }
    }

    pub(crate) fn send_a(&mut self, data: &[u8]) {
        self.world.send(A, self.a, self.at_a, data);
    }

    pub(crate) fn send_b(&mut self, data: &[u8]) {
        self.world.send(B, self.b, self.at_b, data);
    }

    pub(crate) fn shutdown_a(&mut self) {
        self.world.stacks[A].shutdown(self.world.now, self.a, self.at_a).unwrap();
    }

    pub(crate) fn shutdown_b(&mut self) {
        self.world.stacks[B].shutdown(self.world.now, self.b, self.at_b).unwrap();
    }
}

macro_rules! up {
    () => {
        stack::event::Event::AssocChange(stack::event::AssocChange::Up { .. })
    };
}
pub(crate) use up;

pub(crate) fn complete() -> Event {
    Event::AssocChange(AssocChange::ShutdownComplete)
}

pub(crate) fn cannot_start(error: u16) -> Event {
    Event::AssocChange(AssocChange::CannotStart { error })
}

/// The code of a `Lost`.
pub(crate) fn lost(event: &Event) -> Option<u16> {
    match event {
        Event::AssocChange(AssocChange::Lost { error, .. }) => Some(*error),
        _ => None,
    }
}

/// What a packet's first chunk is.
pub(crate) fn first(packet: &[u8]) -> Chunk<'_> {
    let packet = Packet::parse(packet).expect("a packet");
    packet.chunks().next().expect("a chunk").expect("a chunk that can be read")
}

pub(crate) fn is_abort(sent: &Sent) -> bool {
    sent.kinds() == [chunk_type::ABORT]
}
