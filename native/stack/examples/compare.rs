//! What a message costs, and an association that has nothing to do: this stack beside dcsctp and
//! sctp-proto, two ends in one process and one thread.
//!
//! `cargo run --release -p stack --example compare` prints three tables. Messages go in virtual time
//! through a network that carries everything at once, then through two UDP sockets on the loopback
//! interface. A packet is read when it is sent, in both. Times are the processor's, the kernel's part and
//! acknowledgements too; allocations, packets and bytes are counted. Each stack gets all messages that
//! there are before its packets are taken, so that it can put many into one.

#[path = "../tests/foreign/mod.rs"]
mod foreign;
#[path = "../tests/sim/network.rs"]
#[expect(dead_code, reason = "the simulator uses all of it")]
mod network;
#[path = "../tests/packet/mod.rs"]
mod packet;
mod wire;

use std::net::IpAddr;
use std::time::Duration;

use foreign::{Make, Message, Peer, Seat, View};
use stack::event::{Received, SendInfo};
use stack::params::{Params, Style};
use stack::stack::{Entropy, Limits, Stack};
use stack::types::{Route, Time, Transmit};
use wire::Wire;

/// Time of the processor that is looked at.
const ENOUGH: Duration = Duration::from_secs(1);

/// Messages under way.
const QUEUED: usize = 50;

/// Associations whose memory is looked at.
const IDLE: usize = 500;

/// The active end and the passive one.
struct Pair {
    peers: [Box<dyn Peer>; 2],
    wire: Wire,
    now: Time,
    /// Packets that were sent, and those that came.
    sent: u64,
    came: u64,
}

impl Pair {
    fn up(make: Make, seed: u64, wire: Wire) -> Pair {
        let peers = [make.peer(Seat::Active, seed), make.peer(Seat::Passive, seed + 1)];
        let now = wire.now();
        let mut pair = Pair { peers, wire, now, sent: 0, came: 0 };
        pair.peers[0].connect(pair.now);
        while pair.peers.iter().any(|peer| peer.view() != View::Up) {
            pair.go_on();
        }
        pair
    }

    /// All packets there are, each read when it is sent; false: there are none.
    fn carry(&mut self) -> bool {
        let before = self.sent + self.came;
        for from in 0..2 {
            while let Some(packet) = self.peers[from].output(self.now) {
                self.sent += 1;
                self.wire.send(1 - from, packet);
                self.read(1 - from);
            }
            // What was late.
            while self.read(1 - from) {}
        }
        self.sent + self.came > before
    }

    fn read(&mut self, to: usize) -> bool {
        let Some(packet) = self.wire.receive(to) else { return false };
        self.came += 1;
        self.peers[to].input(self.now, &packet);
        true
    }

    /// All packets there are; if there are none, time goes by until something is due.
    fn go_on(&mut self) {
        if !self.carry() {
            let due = self.peers.iter().filter_map(|peer| peer.timeout()).min();
            self.wire.wait(due.expect("something is due"));
        }
        self.advance();
    }

    /// What is due by now.
    fn advance(&mut self) {
        self.now = self.wire.now();
        for peer in &mut self.peers {
            if peer.timeout().is_some_and(|due| due <= self.now) {
                peer.advance(self.now);
            }
        }
    }

    /// All from one end to the other.
    fn transfer(&mut self, from: usize, messages: &[Message]) {
        let (mut sent, mut received) = (0, 0);
        while received < messages.len() {
            while let Some(message) = self.peers[1 - from].receive(self.now) {
                assert_eq!(message.bytes.len(), messages[received].bytes.len());
                received += 1;
            }
            // Long queues are not what is compared.
            let more = &messages[sent..messages.len().min(received + QUEUED)];
            sent += self.peers[from].send_many(self.now, more);
            if received < messages.len() {
                self.go_on();
            }
        }
    }

    /// Acknowledgements that wait, and the like: in virtual time.
    fn rest(&mut self) {
        for _ in 0..10 {
            self.wire.wait(self.now + Duration::from_millis(100));
            self.advance();
            self.carry();
        }
    }
}

fn messages(count: usize, length: usize) -> Vec<Message> {
    let message = Message { stream: 0, ppid: 51, unordered: false, bytes: vec![7; length] };
    vec![message; count]
}

/// For how long this thread has had a processor, the kernel's work for it too. It counts in hundredths
/// of a second.
fn busy() -> Duration {
    let stat = std::fs::read_to_string("/proc/thread-self/stat").expect("Linux");
    let after_name = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
    let user_and_system = after_name.skip(11).take(2);
    let ticks: u64 = user_and_system.map(|ticks| ticks.parse::<u64>().expect("a number")).sum();
    Duration::from_millis(10 * ticks)
}

/// What one message costs, both ends together.
struct Cost {
    micros: f64,
    allocations: f64,
    packets: f64,
    /// Packets that did not come, of all messages.
    lost: u64,
}

fn cost(make: Make, wire: Wire, count: usize, length: usize) -> Cost {
    let mut pair = Pair::up(make, 1, wire);
    let messages = messages(count, length);
    pair.transfer(0, &messages);
    let before = pair.sent;
    let mut rounds = 0;
    let begin = busy();
    let counted = allocation_counter::measure(|| {
        while busy() < begin + ENOUGH {
            pair.transfer(0, &messages);
            rounds += 1;
        }
    });
    let all = (rounds * count) as f64;
    Cost {
        micros: (busy() - begin).as_secs_f64() * 1e6 / all,
        // What asks for the time allocates a little.
        allocations: counted.count_total as f64 / all,
        packets: (pair.sent - before) as f64 / all,
        lost: pair.sent - pair.came,
    }
}

/// Bytes of one end of an association that has nothing to do: fresh, and after messages both ways.
fn idle(make: Make) -> (i64, i64) {
    let mut pairs = Vec::with_capacity(IDLE);
    let used = messages(20, 1_000);
    let each = |bytes: i64| bytes / (2 * IDLE as i64);
    let fresh = allocation_counter::measure(|| {
        for seed in 0..IDLE as u64 {
            let mut pair = Pair::up(make, 2 * seed, Wire::memory());
            pair.rest();
            pairs.push(pair);
        }
    });
    let more = allocation_counter::measure(|| {
        for pair in &mut pairs {
            pair.transfer(0, &used);
            pair.transfer(1, &used);
            pair.rest();
        }
    });
    (each(fresh.bytes_current), each(fresh.bytes_current + more.bytes_current))
}

/// Bytes of an association of one endpoint that has many: fresh, and after messages both ways.
fn idle_of_many() -> (i64, i64) {
    let each = |used: bool| {
        let mut kept = None;
        let counted = allocation_counter::measure(|| kept = Some(server_of_many(used)));
        counted.bytes_current / IDLE as i64
    };
    (each(false), each(true))
}

struct Seeded(fastrand::Rng);

impl Entropy for Seeded {
    fn fill(&mut self, bytes: &mut [u8]) {
        self.0.fill(bytes);
    }
}

/// The end that took many associations; those that began them are gone.
fn server_of_many(used: bool) -> Stack {
    let mut now = Time(1_000_000);
    let stack =
        |seed| Stack::new(Limits::default(), Box::new(Seeded(fastrand::Rng::with_seed(seed))));
    let (mut client, mut server) = (stack(1), stack(2));
    let (from, to): (IpAddr, IpAddr) = ([10, 0, 0, 1].into(), [10, 0, 0, 2].into());
    let listener = server.open(Style::OneToMany, Params::default());
    server.bind(listener, to, 5_000, 5_000).expect("a free port");
    server.listen(listener, 5).expect("a bound endpoint listens");
    let mut clients = Vec::new();
    for port in 0..IDLE as u16 {
        let endpoint = client.open(Style::OneToMany, Params::default());
        client.bind(endpoint, from, 10_000 + port, 0).expect("a free port");
        let assoc = client.connect(now, endpoint, (to, 5_000).into(), 5_000);
        clients.push((endpoint, assoc.expect("nothing is in the way")));
    }
    let mut messages = 0;
    for turn in 0..30 {
        if turn == 10 && used {
            let assocs = server.associations(listener).expect("an open endpoint");
            for _ in 0..20 {
                let info = SendInfo::default();
                for (endpoint, assoc) in &clients {
                    let sent = client.send(now, *endpoint, *assoc, info, &[7; 1_000]);
                    sent.expect("there is room");
                }
                // The buffer is of all associations of the endpoint.
                for assoc in assocs.iter().take(1) {
                    let sent = server.send(now, listener, *assoc, info, &[7; 1_000]);
                    sent.expect("there is room");
                }
            }
        }
        loop {
            let mut quiet = true;
            while let Some(Transmit { route, bytes }) = client.output() {
                let route = Route { local: route.remote, remote: route.local };
                server.input(now, route, &bytes);
                quiet = false;
            }
            while let Some(Transmit { route, bytes }) = server.output() {
                let route = Route { local: route.remote, remote: route.local };
                client.input(now, route, &bytes);
                quiet = false;
            }
            while server.ready().is_some() || client.ready().is_some() {}
            while let Ok(received) = server.receive(now, listener, usize::MAX) {
                messages += usize::from(matches!(received, Received::Data { .. }));
                quiet = false;
            }
            if quiet {
                break;
            }
        }
        now = now + Duration::from_millis(100);
        client.advance(now);
        server.advance(now);
    }
    assert_eq!(server.association_count(), IDLE);
    assert_eq!(messages, if used { 20 * IDLE } else { 0 });
    server
}

fn costs(title: &str, wire: fn() -> Wire) {
    println!("| {title}: us, allocations and packets a message | 100 B | 1400 B | 64 KiB |");
    println!("| --- | --- | --- | --- |");
    let mut missing = 0;
    for make in Make::ALL {
        let sizes = [(1_000, 100), (300, 1_400), (30, 65_535)];
        let cells = sizes.map(|(count, length)| {
            let Cost { micros, allocations, packets, lost } = cost(make, wire(), count, length);
            missing += lost;
            format!("{micros:.2} us, {allocations:.1}, {packets:.2}")
        });
        println!("| {} | {} |", make.name(), cells.join(" | "));
    }
    if missing > 0 {
        println!("\n{missing} packets were lost.");
    }
    println!();
}

fn main() {
    costs("virtual time", Wire::memory);
    costs("UDP on loopback", Wire::udp);
    // With all that belongs to a stack and to an endpoint: there is one for each association here.
    println!("| bytes of one end with nothing to do | fresh | after 20 messages each way |");
    println!("| --- | --- | --- |");
    for make in Make::ALL {
        let (fresh, used) = idle(make);
        println!("| {} | {fresh} | {used} |", make.name());
    }
    let (fresh, used) = idle_of_many();
    println!("| ours, {IDLE} of one endpoint | {fresh} | {used} |");
}
