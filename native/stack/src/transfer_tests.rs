//! An `Outbound` and an `Inbound`, joined by a network that loses, repeats and reorders.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use proptest::prelude::*;

use crate::event::SendInfo;
use crate::params::{PathParams, RtoParams};
use crate::path::Path;
use crate::rx::{self, Delivered, Inbound, Message, Verdict};
use crate::tx::{self, Outbound, Refused};
use crate::types::{Route, Ssn, StreamId, Time, Tsn};
use crate::wire::{Data, Gap, Header, Skipped};

/// A run: all that chance does not decide.
#[derive(Clone, Debug)]
struct Plan {
    seed: u64,
    first: u32,
    mtu: usize,
    max_segment: usize,
    nodelay: bool,
    sack_frequency: u32,
    receive_buffer: usize,
    send_buffer: usize,
    partial_delivery_point: usize,
    streams: u16,
    messages: u32,
    /// The longest message.
    longest: usize,
    /// Of 1000 packets: how many are lost, repeated, late.
    lost: u64,
    repeated: u64,
    late: u64,
    /// One way, in ms.
    latency: u64,
    forward_tsn: bool,
    /// Of 1000 messages, how many have one; in ms, at most.
    with_lifetime: u64,
    lifetime: u64,
    /// Of 1000 ms, in how many the user does not read.
    lazy: u64,
    /// The MTU becomes so much after a while.
    shrunk: usize,
    /// The sender takes windows for wider than they are.
    greedy: bool,
}

fn plan() -> impl Strategy<Value = Plan> {
    let sizes = (
        prop_oneof![512..1500_usize, 1500..9000_usize],
        prop_oneof![3 => Just(0), 1 => 20..600_usize],
        prop_oneof![1500..10_000_usize, 10_000..100_000_usize],
        prop_oneof![2000..10_000_usize, 10_000..100_000_usize],
        prop_oneof![3 => Just(0), 1 => 1000..20_000_usize],
        prop_oneof![1..200_usize, 200..20_000_usize, 20_000..100_000_usize],
        prop_oneof![3 => Just(0), 1 => 512..1500_usize],
    );
    let faults = (
        prop_oneof![Just(0), 1..100_u64, 100..400_u64],
        prop_oneof![Just(0), 1..200_u64],
        prop_oneof![Just(0), 1..400_u64],
        prop_oneof![0..3_u64, 10..300_u64],
        prop_oneof![Just(0), 1..1000_u64],
    );
    let rest = (
        any::<(u64, u32, bool, bool)>(),
        prop::bool::weighted(0.2),
        1..4_u32,
        1..5_u16,
        1..60_u32,
        prop_oneof![2 => Just(0), 1 => 1..1000_u64],
        1..3000_u64,
    );
    (sizes, faults, rest).prop_map(|(sizes, faults, rest)| {
        let (mtu, max_segment, receive_buffer, send_buffer, point, longest, shrunk) = sizes;
        let (lost, repeated, late, latency, lazy) = faults;
        let (
            (seed, first, nodelay, forward_tsn),
            greedy,
            frequency,
            streams,
            messages,
            with,
            lifetime,
        ) = rest;
        Plan {
            seed,
            // Often near the end of all numbers.
            first: if seed % 2 == 0 { first } else { u32::MAX - first % 50 },
            mtu,
            max_segment,
            nodelay,
            sack_frequency: frequency,
            receive_buffer,
            send_buffer,
            partial_delivery_point: point,
            streams,
            // Many, if they are small.
            messages: if longest < 200 { 10 * messages } else { messages },
            longest: longest.min(send_buffer),
            lost,
            repeated,
            late,
            latency,
            forward_tsn,
            with_lifetime: with,
            lifetime,
            lazy,
            shrunk,
            greedy,
        }
    })
}

/// SplitMix64.
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, n: u64) -> u64 {
        self.next() % n.max(1)
    }

    /// Any shift of some of them shows.
    fn bytes(&mut self, len: usize) -> Vec<u8> {
        let words = len.div_ceil(8).min(150);
        let some: Vec<u8> = (0..words).flat_map(|_| self.next().to_ne_bytes()).collect();
        let mut bytes = some.repeat(len.div_ceil(some.len()));
        bytes.truncate(len);
        // The pattern's length is no fragment's, but let its repetitions differ, too.
        for (count, byte) in bytes.iter_mut().step_by(97).enumerate() {
            *byte = count as u8;
        }
        bytes
    }

    fn happens(&mut self, of_1000: u64) -> bool {
        self.below(1000) < of_1000
    }
}

/// A DATA chunk with its bytes.
#[derive(Clone, Debug)]
struct Chunk {
    data: Data<'static>,
    payload: Vec<u8>,
}

#[derive(Clone, Debug, Default)]
struct Packet {
    forward: Option<(Tsn, Vec<Skipped>)>,
    chunks: Vec<Chunk>,
    sack: Option<(Tsn, u32, Vec<Gap>)>,
}

struct World {
    plan: Plan,
    chance: Chance,
    now: Time,
    tx: Outbound,
    paths: Vec<Path>,
    rx: Inbound,
    /// When and in which order packets arrive.
    network: BTreeMap<(Time, u64), Packet>,
    sent_packets: u64,
    faults_end: Time,
    pushed: u32,
    /// What was taken by `push` and not received or failed, of each stream.
    ordered: BTreeMap<StreamId, VecDeque<(u32, Vec<u8>)>>,
    unordered: Vec<(u32, Vec<u8>)>,
    received: BTreeSet<u32>,
    failed: BTreeSet<u32>,
    /// What the user could read.
    inbox: VecDeque<Message>,
    part: Vec<u8>,
    errors: u32,
}

impl World {
    fn new(plan: Plan) -> World {
        let params = PathParams { mtu: plan.mtu, ..PathParams::default() };
        let address = "127.0.0.1:9899".parse().unwrap();
        let route = Route { local: address, remote: address };
        let settings = tx::Settings {
            nodelay: plan.nodelay,
            disable_fragments: false,
            max_segment: plan.max_segment,
            send_buffer: plan.send_buffer,
        };
        let mut tx = Outbound::new(settings, Tsn(plan.first), plan.streams, plan.mtu);
        let window = u32::try_from(plan.receive_buffer).unwrap();
        tx.establish(window, plan.streams, plan.forward_tsn);
        let settings = rx::Settings {
            sack_delay: Duration::from_millis(200),
            sack_frequency: plan.sack_frequency,
            receive_buffer: plan.receive_buffer,
            partial_delivery_point: plan.partial_delivery_point,
            mtu: plan.mtu,
        };
        World {
            chance: Chance(plan.seed),
            now: Time(0),
            tx,
            paths: vec![Path::new(route, &params, &RtoParams::default(), true)],
            rx: Inbound::new(settings, Tsn(plan.first), plan.streams),
            network: BTreeMap::new(),
            sent_packets: 0,
            faults_end: Time(60_000_000),
            pushed: 0,
            ordered: BTreeMap::new(),
            unordered: Vec::new(),
            received: BTreeSet::new(),
            failed: BTreeSet::new(),
            inbox: VecDeque::new(),
            part: Vec::new(),
            errors: 0,
            plan,
        }
    }

    fn is_done(&self) -> bool {
        self.pushed == self.plan.messages
            && self.tx.is_empty()
            && self.inbox.is_empty()
            && self.network.is_empty()
    }

    fn run(&mut self) {
        for _ in 0..200_000 {
            self.push();
            self.read();
            self.transmit();
            while let Some(failed) = self.tx.take_failed() {
                assert!(failed.info.lifetime.is_some());
                self.failed.insert(failed.info.context);
            }
            if self.is_done() {
                return;
            }
            let writable = self.tx.buffered() < self.plan.send_buffer;
            if writable && self.pushed < self.plan.messages {
                // Lifetimes were over.
                continue;
            }
            self.step();
            self.look();
        }
        panic!("it does not end: {:?} {:?} {}", self.tx, self.rx, self.now.0);
    }

    /// What holds at any time.
    fn look(&self) {
        let charged = self.rx.charged();
        assert!(charged <= 2 * self.plan.receive_buffer + 65_536 + 128, "{charged}");
        let most = self.plan.send_buffer + self.plan.longest + 128;
        assert!(self.tx.buffered() <= most, "{}", self.tx.buffered());
        let flight = self.paths[0].flight();
        assert!(flight == 0 || self.paths[0].t3_runs(), "T3-rtx does not run");
    }

    /// The user sends as much as it can.
    fn push(&mut self) {
        while self.pushed < self.plan.messages {
            let id = self.pushed;
            let mut dice = Chance(self.plan.seed ^ (u64::from(id) << 20));
            let len = 1 + dice.below(self.plan.longest as u64) as usize;
            let bytes = dice.bytes(len);
            let lifetime = dice
                .happens(self.plan.with_lifetime)
                .then(|| Duration::from_millis(dice.below(self.plan.lifetime)));
            let info = SendInfo {
                stream: u16::try_from(dice.below(self.plan.streams.into())).unwrap(),
                ppid: id,
                context: id,
                unordered: dice.happens(300),
                lifetime,
            };
            match self.tx.push(self.now, info, &bytes) {
                Ok(charge) => assert_eq!(charge, bytes.len() + 128),
                Err(Refused::Full) => return,
                Err(other) => panic!("{other:?}"),
            }
            self.pushed += 1;
            if info.unordered {
                self.unordered.push((id, bytes));
            } else {
                self.ordered.entry(info.stream).or_default().push_back((id, bytes));
            }
        }
    }

    fn transmit(&mut self) {
        loop {
            let mut packet = Packet::default();
            if self.rx.sack_is_due(self.now) {
                let sack = self.rx.take_sack();
                let gaps = self.rx.gaps().take(40).collect();
                self.rx.take_duplicates();
                let window = if self.plan.greedy { 30_000 } else { sack.window };
                packet.sack = Some((sack.cumulative, window, gaps));
                self.send(std::mem::take(&mut packet));
            }
            let mtu = self.paths[0].mtu();
            let mut room = (mtu - Header::SIZE) / 4 * 4;
            packet.forward = self.tx.take_forward(self.now, &mut self.paths, 0, room);
            if let Some((_, streams)) = &packet.forward {
                room -= 8 + 4 * streams.len();
            }
            let empty = packet.forward.is_none();
            let wants = self.tx.wants_to_send(&self.paths, 0);
            let (flight, cwnd) = (self.paths[0].flight(), self.paths[0].cwnd());
            let again = self.tx.counts().retransmissions;
            let chunks = &mut packet.chunks;
            let count = self.tx.produce(self.now, &mut self.paths, 0, room, empty, &mut |data| {
                chunks.push(Chunk {
                    payload: data.payload.to_vec(),
                    data: Data { payload: &[], ..*data },
                });
            });
            assert_eq!(count, packet.chunks.len());
            let again = self.tx.counts().retransmissions > again;
            assert!(count == 0 || flight < cwnd || again, "{flight} is on its way, of {cwnd}");
            // It may have expired since.
            assert!(wants || count == 0 || self.plan.with_lifetime > 0, "is asked for in vain");
            let size: usize = packet.chunks.iter().map(|chunk| size_of(&chunk.payload)).sum();
            assert!(size <= room || count == 1 && self.plan.shrunk > 0, "{size} in {room}");
            if count == 0 && packet.forward.is_none() {
                assert!(!self.tx.wants_to_send(&self.paths, 0), "something was forgotten");
                return;
            }
            self.send(packet);
        }
    }

    fn send(&mut self, packet: Packet) {
        self.sent_packets += 1;
        let faulty = self.now < self.faults_end;
        if faulty && self.chance.happens(self.plan.lost) {
            return;
        }
        let copies = 1 + u64::from(faulty && self.chance.happens(self.plan.repeated));
        for copy in 0..copies {
            let mut delay = Duration::from_millis(self.plan.latency);
            if faulty && self.chance.happens(self.plan.late) {
                delay += Duration::from_millis(self.chance.below(1000));
            }
            let key = (self.now + delay, 2 * self.sent_packets + copy);
            self.network.insert(key, packet.clone());
        }
    }

    /// Goes on to what happens next.
    fn step(&mut self) {
        let times = [
            self.network.first_key_value().map(|((time, _), _)| *time),
            self.paths[0].timeout(),
            self.tx.timeout(),
            self.rx.timeout(),
            // The user looks again.
            (!self.inbox.is_empty()).then(|| self.now + Duration::from_millis(20)),
        ];
        let Some(next) = times.into_iter().flatten().min() else {
            panic!("nothing will ever happen: {:?} {:?}", self.tx, self.rx);
        };
        self.now = self.now.max(next);
        if self.plan.shrunk > 0 && self.now > Time(2_000_000) {
            let mtu = self.plan.mtu.min(self.plan.shrunk);
            let params = PathParams { mtu, ..PathParams::default() };
            self.paths[0].configure(self.now, &params, &RtoParams::default());
            self.tx.set_mtu(mtu);
        }
        while let Some(entry) = self.network.first_entry()
            && entry.key().0 <= self.now
        {
            let packet = entry.remove();
            self.arrive(&packet);
        }
        self.tx.advance(self.now);
        if self.paths[0].t3_is_due(self.now) && self.tx.t3_expired(self.now, &mut self.paths, 0) {
            self.errors += 1;
            assert!(self.errors < 30 || self.now < self.faults_end, "the association is lost");
        }
    }

    fn arrive(&mut self, packet: &Packet) {
        if let Some((cumulative, window, gaps)) = &packet.sack {
            let gaps = gaps.iter().copied();
            let acked = self.tx.sack(self.now, &mut self.paths, *cumulative, *window, gaps);
            if acked.unwrap().news {
                self.errors = 0;
            }
            return;
        }
        if let Some((cumulative, skipped)) = &packet.forward {
            assert_eq!(self.rx.forward(*cumulative, skipped.iter().copied()), Verdict::Fine);
        }
        for chunk in &packet.chunks {
            let data = Data { payload: &chunk.payload, ..chunk.data };
            assert_eq!(self.rx.data(&data), Verdict::Fine);
        }
        self.rx.packet_end(self.now);
        self.collect();
    }

    fn collect(&mut self) {
        while let Some(delivered) = self.rx.take() {
            match delivered {
                Delivered::Data(message) => self.inbox.push_back(message),
                Delivered::Aborted { .. } => {
                    // What came of it is in the inbox: an end of nothing, as nobody can send it.
                    self.inbox.push_back(end_of_nothing());
                }
            }
        }
    }

    fn read(&mut self) {
        let millis = self.now.0 / 1000;
        if millis % 1000 < self.plan.lazy && self.now < self.faults_end {
            return;
        }
        while let Some(message) = self.inbox.pop_front() {
            if message.charge > 0 {
                self.rx.release(message.charge);
            }
            self.check(message);
            // It may have handed up more.
            self.collect();
        }
    }

    /// Each message once, whole, and in its order.
    fn check(&mut self, message: Message) {
        if message.charge == 0 {
            self.part.clear();
            return;
        }
        self.part.extend_from_slice(&message.bytes);
        if !message.end {
            return;
        }
        let bytes = std::mem::take(&mut self.part);
        let id = message.ppid;
        if message.unordered {
            let at = self.unordered.iter().position(|(other, _)| *other == id);
            let (_, expected) = self.unordered.swap_remove(at.expect("not sent, or not once"));
            assert!(bytes == expected, "message {id} was changed");
        } else {
            let queue = self.ordered.get_mut(&message.stream).expect("a stream nobody used");
            while let Some((other, expected)) = queue.pop_front() {
                if other == id {
                    assert!(bytes == expected, "message {id} was changed");
                    break;
                }
                assert!(self.plan.with_lifetime > 0, "{other} comes after {id}");
            }
        }
        assert!(self.received.insert(id));
    }

    fn end(&self) {
        for id in 0..self.plan.messages {
            assert!(self.received.contains(&id) || self.failed.contains(&id), "{id} is missing");
        }
        assert!(self.part.is_empty());
        assert_eq!(self.rx.charged(), 0);
        assert_eq!(self.tx.buffered(), 0);
        assert_eq!(self.paths[0].flight(), 0);
        assert_eq!(self.tx.next_tsn(), self.rx.cumulative().next());
    }
}

fn size_of(payload: &[u8]) -> usize {
    (Data::OVERHEAD + payload.len()).next_multiple_of(4)
}

fn end_of_nothing() -> Message {
    Message {
        stream: 0,
        ssn: Ssn(0),
        unordered: false,
        ppid: 0,
        tsn: Tsn(0),
        cumulative: Tsn(0),
        bytes: Vec::new(),
        end: true,
        charge: 0,
    }
}

proptest! {
    #[test]
    fn all_messages_get_there(plan in plan()) {
        let mut world = World::new(plan);
        world.run();
        world.end();
    }
}
