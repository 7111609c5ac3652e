//! Arbitrary packets for a stack in each state: no panic, an end to what it sends, and no growth.

use std::net::SocketAddr;
use std::time::Duration;

use proptest::prelude::*;
use stack::event::SendInfo;
use stack::params::{Params, PathParams, Style};
use stack::stack::{Entropy, Limits, Stack};
use stack::status::State;
use stack::types::{AssocId, EndpointId, Route, Time, Transmit, Tsn};
use stack::wire::{Builder, Chunk, Header, Packet};

use crate::mutate::mutate;
use crate::packets::{CHUNKS, with_checksum};
use crate::source::Source;
use crate::{config, decisions, feed};

struct Numbers(u64);

impl Entropy for Numbers {
    fn fill(&mut self, bytes: &mut [u8]) {
        for byte in bytes {
            self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            *byte = (self.0 >> 56) as u8;
        }
    }
}

/// Where the one of whom we speak is, and its peer.
const OURS: &str = "10.0.0.1:5000";
const PEERS: &str = "10.0.0.2:6000";

const RECEIVE_BUFFER: usize = 8000;
const EVENTS: usize = 50;

/// One stack in the state that is wanted, and its peer, who helps to get there.
struct Scene {
    now: Time,
    ours: Stack,
    endpoint: EndpointId,
    assoc: AssocId,
    peer: Stack,
    peer_endpoint: EndpointId,
    /// Tags: in packets to us, and to the peer.
    tags: (u32, u32),
    /// First TSNs, ours and the peer's.
    tsns: (Tsn, Tsn),
    cookie: Vec<u8>,
}

impl Scene {
    fn new() -> Scene {
        let limits = Limits { events_per_endpoint: EVENTS, ..Limits::default() };
        let open = |seed, at: &str| {
            let mut stack = Stack::new(limits, Box::new(Numbers(seed)));
            let path = PathParams { mtu: 600, ..PathParams::default() };
            let receive_buffer = RECEIVE_BUFFER;
            let params = Params { path, receive_buffer, ..Params::default() };
            let endpoint = stack.open(Style::OneToMany, params);
            let at: SocketAddr = at.parse().unwrap();
            stack.bind(endpoint, at.ip(), at.port(), 0).unwrap();
            stack.listen(endpoint, 5).unwrap();
            (stack, endpoint)
        };
        let ((ours, endpoint), (peer, peer_endpoint)) = (open(1, OURS), open(2, PEERS));
        Scene {
            now: Time(1_000_000),
            ours,
            endpoint,
            assoc: AssocId(0),
            peer,
            peer_endpoint,
            tags: (7, 7),
            tsns: (Tsn(1), Tsn(1)),
            cookie: vec![1; 100],
        }
    }

    /// One packet there and back again; false: there was none.
    fn exchange(&mut self) -> bool {
        let mut any = false;
        while let Some(transmit) = self.ours.output() {
            self.learn(&transmit, true);
            self.peer.input(self.now, turned(transmit.route), &transmit.bytes);
            any = true;
        }
        while let Some(transmit) = self.peer.output() {
            self.learn(&transmit, false);
            self.ours.input(self.now, turned(transmit.route), &transmit.bytes);
            any = true;
        }
        any
    }

    fn learn(&mut self, transmit: &Transmit, from_us: bool) {
        let packet = Packet::parse(&transmit.bytes).expect("a packet that a stack made");
        for chunk in packet.chunks() {
            match chunk.expect("a chunk that a stack made") {
                Chunk::Init(init) | Chunk::InitAck(init) if from_us => {
                    (self.tags.0, self.tsns.0) = (init.tag, init.tsn);
                }
                Chunk::Init(init) | Chunk::InitAck(init) => {
                    (self.tags.1, self.tsns.1) = (init.tag, init.tsn);
                }
                Chunk::CookieEcho(cookie) => self.cookie = cookie.to_vec(),
                _ => {}
            }
        }
    }

    fn connect(&mut self) {
        let peer = PEERS.parse().unwrap();
        self.assoc = self.ours.connect(self.now, self.endpoint, peer, 6000).unwrap();
    }

    fn send(&mut self, length: usize) {
        let info = SendInfo::default();
        let _ = self.ours.send(self.now, self.endpoint, self.assoc, info, &vec![5; length]);
    }

    /// Gets into a state; None: without association.
    fn enter(&mut self, state: Option<State>) {
        let Some(state) = state else { return };
        self.connect();
        match state {
            State::CookieWait => while self.ours.output().is_some() {},
            State::CookieEchoed => {
                let init = self.ours.output().unwrap();
                self.learn(&init, true);
                self.peer.input(self.now, turned(init.route), &init.bytes);
                let ack = self.peer.output().unwrap();
                self.learn(&ack, false);
                self.send(100);
                self.ours.input(self.now, turned(ack.route), &ack.bytes);
                while self.ours.output().is_some() {}
            }
            _ => {
                while self.exchange() {}
                self.enter_from_established(state);
            }
        }
        let status = self.ours.status(self.endpoint, self.assoc).unwrap();
        assert_eq!(status.state, state);
    }

    fn enter_from_established(&mut self, state: State) {
        let (now, theirs) = (self.now, self.peer.associations(self.peer_endpoint).unwrap()[0]);
        match state {
            State::ShutdownPending => {
                self.send(3000);
                self.ours.shutdown(now, self.endpoint, self.assoc).unwrap();
            }
            State::ShutdownSent => {
                self.ours.shutdown(now, self.endpoint, self.assoc).unwrap();
                while self.ours.output().is_some() {}
            }
            State::ShutdownReceived | State::ShutdownAckSent => {
                if state == State::ShutdownReceived {
                    self.send(3000);
                }
                self.peer.shutdown(now, self.peer_endpoint, theirs).unwrap();
                let shutdown = self.peer.output().unwrap();
                self.ours.input(now, turned(shutdown.route), &shutdown.bytes);
            }
            _ => {}
        }
    }

    /// One arbitrary thing.
    fn happen(&mut self, source: &mut Source<'_>) {
        match source.below(10) {
            0 => {
                self.now = self.now + Duration::from_millis(source.u16().into());
                self.ours.advance(self.now);
                assert!(self.ours.timeout().is_none_or(|time| time > self.now));
            }
            1 => {
                let _ = self.ours.receive(self.now, self.endpoint, 1 + source.below(2000));
            }
            2 => self.send(source.below(1500)),
            3 if source.below(8) == 0 => {
                let _ = self.ours.shutdown(self.now, self.endpoint, self.assoc);
            }
            _ => self.packet(source),
        }
    }

    fn packet(&mut self, source: &mut Source<'_>) {
        let tag = match source.below(8) {
            0 => source.u32(),
            1 => self.tags.1,
            2 => 0,
            _ => self.tags.0,
        };
        let header = Header { source: 6000, destination: 5000, tag };
        let mut builder = Builder::new(header, 4000);
        for _ in 0..1 + source.below(3) {
            let kind = CHUNKS[source.below(CHUNKS.len())];
            let tlvs = if source.bool() { source.parameters().1 } else { source.causes().1 };
            let cookie = self.cookie.clone();
            let chunk = source.chunk(kind, &tlvs);
            let chunk = self.near(source, chunk, &cookie);
            let _ = builder.push(&chunk);
        }
        let mut bytes = builder.finish();
        if source.below(4) == 0 {
            mutate(source, &mut bytes, 12);
            bytes = with_checksum(bytes);
        }
        let mut route = Route { local: OURS.parse().unwrap(), remote: PEERS.parse().unwrap() };
        if source.below(16) == 0 {
            route.remote.set_port(source.u16());
        }
        self.ours.input(self.now, route, &bytes);
    }

    /// Numbers that mean something here, most of the time.
    fn near<'a>(&self, source: &mut Source<'_>, chunk: Chunk<'a>, cookie: &'a [u8]) -> Chunk<'a> {
        if source.below(8) == 0 {
            return chunk;
        }
        let after = |tsn: Tsn, source: &mut Source<'_>| {
            Tsn(tsn.0.wrapping_add(source.below(12) as u32).wrapping_sub(2))
        };
        match chunk {
            Chunk::Data(mut data) => {
                data.tsn = after(self.tsns.1, source);
                data.stream %= 12;
                data.ssn.0 %= 4;
                Chunk::Data(data)
            }
            Chunk::ForwardTsn(mut forward) => {
                forward.cumulative = after(self.tsns.1, source);
                Chunk::ForwardTsn(forward)
            }
            Chunk::Sack(mut sack) => {
                sack.cumulative = after(self.tsns.0, source);
                Chunk::Sack(sack)
            }
            Chunk::Shutdown(_) => Chunk::Shutdown(after(self.tsns.0, source)),
            Chunk::CookieEcho(_) => Chunk::CookieEcho(cookie),
            Chunk::Init(mut init) | Chunk::InitAck(mut init) => {
                init.window |= 0x1000;
                init.outbound = init.outbound.max(1);
                init.inbound = init.inbound.max(1);
                init.tsn = if source.bool() { self.tsns.1 } else { init.tsn };
                if matches!(chunk, Chunk::Init(_)) {
                    Chunk::Init(init)
                } else {
                    Chunk::InitAck(init)
                }
            }
            chunk => chunk,
        }
    }

    /// It sends so much, and holds so much.
    fn check(&mut self) {
        let mut packets = 0;
        while let Some(transmit) = self.ours.output() {
            packets += 1;
            assert!(packets < 500, "no end of packets");
            self.learn(&transmit, true);
        }
        let memory = self.ours.memory();
        // One association for each source port, and one that was peeled off nothing.
        assert!(memory.associations <= 2);
        assert!(memory.receive_bytes <= 2 * (2 * RECEIVE_BUFFER + 4000), "{memory:?}");
        // Those that must be told may be more: ends, and messages of our own that failed.
        assert!(memory.queued_events <= EVENTS + 500, "{memory:?}");
        assert_eq!(memory.queued_packets, 0);
    }
}

fn turned(route: Route) -> Route {
    Route { local: route.remote, remote: route.local }
}

const STATES: [Option<State>; 8] = [
    None,
    Some(State::CookieWait),
    Some(State::CookieEchoed),
    Some(State::Established),
    Some(State::ShutdownPending),
    Some(State::ShutdownSent),
    Some(State::ShutdownReceived),
    Some(State::ShutdownAckSent),
];

/// What happens to a stack in one state. Returns whether its association has outlived it.
fn play(state: Option<State>, bytes: &[u8]) -> bool {
    let mut scene = Scene::new();
    scene.enter(state);
    let mut source = Source(bytes);
    while !source.0.is_empty() {
        scene.happen(&mut source);
        scene.check();
    }
    scene.ours.association_count() > 0
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn whatever_comes_in_whichever_state(state in 0..STATES.len(), bytes in decisions()) {
        play(STATES[state], &bytes);
    }
}

#[test]
fn many_packets_in_each_state() {
    let (mut outlived, mut cases) = ([0_u64; STATES.len()], 0_usize);
    feed(|bytes| {
        // A scene costs more than a packet: one in eight.
        cases += 1;
        if cases.is_multiple_of(8) {
            let state = cases / 8 % STATES.len();
            outlived[state] += u64::from(play(STATES[state], bytes));
        }
    });
    // Not all is aborted at once: then the states would not be tested.
    for (state, outlived) in STATES.iter().zip(outlived).skip(1) {
        assert!(outlived > cases as u64 / 64 / 50, "{state:?}: {outlived} of {}", cases / 64);
    }
}
