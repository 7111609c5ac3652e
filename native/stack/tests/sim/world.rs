//! Hosts, the network between them, and time.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::net::{IpAddr, SocketAddr};

use fastrand::Rng;
use stack::types::{Route, Time, Transmit};

use super::host::Host;
use super::ledger::Ledger;
use super::scenario::{SECOND, Scenario};
use super::tap::Tap;
use super::trace::{Keep, Trace};
use crate::packet::describe::describe;

/// More steps than any honest run needs.
const MOST_STEPS: u64 = 3_000_000;

/// More packets than a window of 1 MiB has in the smallest chunks.
const MOST_AT_ONCE: u32 = 200_000;

/// Microseconds for which nothing is to happen but heartbeats.
const IDLE: u64 = 100 * SECOND;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd)]
pub(crate) enum Phase {
    /// All that can go wrong does.
    Chaos,
    /// The network is perfect, users read: what was sent arrives.
    Calm,
    /// Nothing is to be done.
    Idle,
    /// Users say goodbye.
    End,
}

#[derive(Debug)]
pub(crate) enum What {
    Arrival {
        to: usize,
        route: Route,
        bytes: Vec<u8>,
        intact: bool,
    },
    /// A user's turn to do something, or to read.
    Act {
        host: usize,
        life: u32,
        user: usize,
    },
    Read {
        host: usize,
        life: u32,
        user: usize,
    },
    Start {
        host: usize,
    },
    Stop {
        host: usize,
    },
    Open {
        host: usize,
        life: u32,
        service: usize,
    },
    Cut {
        from: usize,
        to: usize,
        cut: bool,
    },
    Check,
}

struct Entry {
    at: Time,
    order: u64,
    what: What,
}

impl PartialEq for Entry {
    fn eq(&self, other: &Entry) -> bool {
        self.order == other.order
    }
}

impl Eq for Entry {}

impl PartialOrd for Entry {
    fn partial_cmp(&self, other: &Entry) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Entry {
    fn cmp(&self, other: &Entry) -> std::cmp::Ordering {
        (self.at, self.order).cmp(&(other.at, other.order))
    }
}

pub(crate) struct World {
    pub(crate) now: Time,
    pub(crate) rng: Rng,
    pub(crate) scenario: Scenario,
    pub(crate) hosts: Vec<Host>,
    pub(crate) ledger: Ledger,
    pub(crate) tap: Tap,
    pub(crate) trace: Trace,
    pub(crate) phase: Phase,
    pub(crate) messages_left: u32,
    pub(crate) bytes_left: usize,
    queue: BinaryHeap<Reverse<Entry>>,
    order: u64,
    steps: u64,
    /// When the phase must be over.
    deadline: Time,
    packets_at_idle: u64,
    most_at_idle: u64,
}

impl World {
    pub(crate) fn new(seed: u64, keep: Keep) -> World {
        let mut rng = Rng::with_seed(seed);
        let scenario = Scenario::new(&mut rng);
        let mut world = World {
            now: Time(0),
            hosts: scenario.hosts.iter().map(|_| Host::off()).collect(),
            ledger: Ledger::new(scenario.strict),
            tap: Tap::new(!scenario.timed),
            trace: Trace::new(keep),
            phase: Phase::Chaos,
            messages_left: scenario.messages,
            bytes_left: scenario.bytes,
            queue: BinaryHeap::new(),
            order: 0,
            steps: 0,
            deadline: Time(u64::MAX),
            packets_at_idle: 0,
            most_at_idle: 0,
            rng,
            scenario,
        };
        world.plan();
        world
    }

    /// What happens whatever users do.
    fn plan(&mut self) {
        let chaos = self.scenario.chaos;
        let count = self.scenario.hosts.len();
        for host in 0..count {
            let late = if self.scenario.strict || self.rng.bool() { 0 } else { chaos / 4 };
            let at = self.rng.u64(0..=late);
            self.at(Time(at), What::Start { host });
        }
        let accidents = self.scenario.accidents;
        for number in 0..accidents.restarts + accidents.vanishings {
            let host = self.rng.usize(0..count);
            let at = self.rng.u64(0..chaos);
            self.at(Time(at), What::Stop { host });
            if number < accidents.restarts {
                // At once, or when the others may have noticed.
                let off = if self.rng.bool() { 1 } else { self.rng.u64(0..chaos) };
                self.at(Time(at + off), What::Start { host });
            }
        }
        for _ in 0..accidents.cuts {
            let (from, to) = (self.rng.usize(0..count), self.rng.usize(0..count));
            let at = self.rng.u64(0..chaos);
            self.at(Time(at), What::Cut { from, to, cut: true });
            let healed = at + self.rng.u64(0..chaos);
            self.at(Time(healed), What::Cut { from, to, cut: false });
        }
        self.at(Time(chaos), What::Check);
    }

    pub(crate) fn at(&mut self, at: Time, what: What) {
        self.order += 1;
        self.queue.push(Reverse(Entry { at, order: self.order, what }));
    }

    pub(crate) fn after(&mut self, micros: u64, what: What) {
        self.at(Time(self.now.0 + micros), what);
    }

    /// The host with an address.
    pub(crate) fn host_of(&self, address: IpAddr) -> Option<usize> {
        self.scenario.hosts.iter().position(|host| host.address == address)
    }

    /// To the end, when all is checked.
    pub(crate) fn run(&mut self) {
        while self.step() {
            self.steps += 1;
            assert!(self.steps < MOST_STEPS, "no end after {MOST_STEPS} steps");
        }
        self.finish();
    }

    /// The next event or deadline; false: there is none.
    fn step(&mut self) -> bool {
        let queued = self.queue.peek().map(|Reverse(entry)| entry.at);
        let mut due: Option<(Time, usize)> = None;
        for (index, host) in self.hosts.iter().enumerate() {
            let Some(timeout) = host.stack.as_ref().and_then(|stack| stack.timeout()) else {
                continue;
            };
            // A driver may be late.
            let at = Time(timeout.0.saturating_add(self.scenario.hosts[index].lazy)).max(self.now);
            if due.is_none_or(|(before, _)| at < before) {
                due = Some((at, index));
            }
        }
        match (queued, due) {
            (None, None) => return false,
            (queued, Some((at, host))) if queued.is_none_or(|queued| at < queued) => {
                self.now = at;
                self.advance(host);
            }
            _ => {
                let Some(Reverse(entry)) = self.queue.pop() else { return false };
                self.now = self.now.max(entry.at);
                self.happen(entry.what);
            }
        }
        if self.phase == Phase::End && self.all_over() {
            return false;
        }
        assert!(
            self.now <= self.deadline,
            "the phase {:?} does not end: {}",
            self.phase,
            self.stuck()
        );
        true
    }

    fn advance(&mut self, index: usize) {
        let now = self.now;
        let host = &mut self.hosts[index];
        let Some(stack) = &mut host.stack else { return };
        stack.advance(now);
        let next = stack.timeout();
        assert!(
            next.is_none_or(|next| next > now),
            "host {index} wants to be called at {next:?}, at {now:?} and after that"
        );
        self.trace.mark(index as u64 + 1);
        self.trace.note(now, || format!("{index} timer; next {:?}", next.map(|next| next.0)));
        self.pump(index);
    }

    fn happen(&mut self, what: What) {
        match what {
            What::Arrival { to, route, bytes, intact } => self.arrive(to, route, &bytes, intact),
            What::Act { host, life, user } if self.lives(host, life) => self.act(host, user),
            What::Read { host, life, user } if self.lives(host, life) => self.read(host, user),
            What::Open { host, life, service } if self.lives(host, life) => {
                self.open(host, service);
            }
            What::Act { .. } | What::Read { .. } | What::Open { .. } => {}
            What::Start { host } => self.start(host),
            What::Stop { host } => self.stop(host),
            What::Cut { from, to, cut } => {
                if self.phase == Phase::Chaos {
                    self.trace.note(self.now, || format!("from {from} to {to} cut: {cut}"));
                    self.scenario.links[from][to].cut = cut;
                }
            }
            What::Check => self.check(),
        }
    }

    pub(crate) fn lives(&self, host: usize, life: u32) -> bool {
        self.hosts[host].stack.is_some() && self.hosts[host].life == life
    }

    fn arrive(&mut self, to: usize, route: Route, bytes: &[u8], intact: bool) {
        self.trace.note(self.now, || {
            format!("{to} gets {}{}", describe(bytes), if intact { "" } else { " (altered)" })
        });
        let Some(stack) = &mut self.hosts[to].stack else { return };
        if intact {
            self.tap.arrived(bytes);
        }
        let before = stack.counters();
        stack.input(self.now, route, bytes);
        let after = stack.counters();
        if !intact && !bytes.is_empty() {
            assert!(after.malformed > before.malformed, "an altered packet is taken as a good one");
        }
        self.pump(to);
    }

    /// Takes what a stack has to say, after each call.
    pub(crate) fn pump(&mut self, index: usize) {
        let mut packets = 0;
        while let Some(Transmit { route, bytes }) =
            self.hosts[index].stack.as_mut().and_then(|stack| stack.output())
        {
            packets += 1;
            assert!(packets < MOST_AT_ONCE, "{packets} packets at once");
            self.trace.mark_bytes(&bytes);
            self.trace.note(self.now, || format!("{index} sends {}", describe(&bytes)));
            let from = self.host_of(route.local.ip());
            assert_eq!(from, Some(index), "a packet from a foreign address: {route:?}");
            let mtu = self.mtu_of(index, u16::from_be_bytes([bytes[0], bytes[1]]));
            self.tap.sent(&bytes, mtu);
            let Some(to) = self.host_of(route.remote.ip()) else {
                panic!("a packet to nobody: {route:?}")
            };
            let link = &mut self.scenario.links[index][to];
            let arrivals = link.carry(self.now, bytes, &mut self.rng);
            let route = Route { local: route.remote, remote: route.local };
            for arrival in arrivals {
                let (bytes, intact) = (arrival.bytes, arrival.intact);
                self.at(arrival.at, What::Arrival { to, route, bytes, intact });
            }
        }
        while let Some((endpoint, ready)) =
            self.hosts[index].stack.as_mut().and_then(|stack| stack.ready())
        {
            self.trace.mark(u64::from(endpoint.0) << 2 | u64::from(ready.readable));
            self.trace.note(self.now, || format!("{index} {endpoint:?} {ready:?}"));
            // An endpoint that nobody has accepted yet is looked at when it is.
            if let Some(user) = self.hosts[index].user_of(endpoint) {
                self.woken(index, user, ready);
            }
        }
        self.check_bounds(index);
    }

    /// The largest of an endpoint with that port.
    fn mtu_of(&self, index: usize, port: u16) -> usize {
        let users = self.hosts[index].users.iter().filter(|user| user.local.port() == port);
        users.map(|user| user.params.path.mtu).max().unwrap_or(stack::params::MTU_MAX)
    }

    /// No more is held than users allow.
    fn check_bounds(&self, index: usize) {
        let host = &self.hosts[index];
        let Some(stack) = &host.stack else { return };
        for user in host.users.iter().filter(|user| !user.closed) {
            let Ok((received, sent)) = stack.buffered(user.endpoint) else {
                panic!("{:?} is open and tells no buffers", user.endpoint);
            };
            // Twice the buffer for each association, with the accounting of small messages, and two
            // chunks: the head of `rx`. Of one that begins its user may not know yet, nor may the
            // stack of one that has ended.
            let begun = stack.associations(user.endpoint).map_or(0, |assocs| assocs.len());
            let associations = user.peers.len().max(begun) + 1;
            let each = 2 * user.params.receive_buffer + 2 * stack::params::MTU_MAX;
            let most = each * associations;
            assert!(received <= most, "{received} bytes are held of a buffer of {most}");
            let most = user.params.send_buffer;
            // One message more than fits, with its overhead.
            assert!(sent <= most * 2 + 256, "{sent} bytes wait to be sent in a buffer of {most}");
        }
    }

    /// Goes on to the next phase when this one has done its work.
    fn check(&mut self) {
        let now = self.now;
        match self.phase {
            Phase::Chaos => {
                self.scenario.links.iter_mut().flatten().for_each(|link| link.heal());
                self.deadline = Time(now.0 + self.patience());
                self.enter(Phase::Calm);
                self.wake_all();
            }
            Phase::Calm if self.settled() => {
                self.packets_at_idle = self.tap.counts.packets;
                self.most_at_idle = self.idle_packets();
                self.deadline = Time(u64::MAX);
                self.enter(Phase::Idle);
                return self.after(IDLE, What::Check);
            }
            Phase::Calm => {}
            Phase::Idle => {
                let sent = self.tap.counts.packets - self.packets_at_idle;
                let most = self.most_at_idle;
                assert!(sent <= most, "{sent} packets for nothing, at most {most} are");
                self.deadline = Time(now.0 + self.patience());
                self.enter(Phase::End);
                self.wake_all();
            }
            Phase::End => return,
        }
        self.after(SECOND, What::Check);
    }

    fn enter(&mut self, phase: Phase) {
        self.phase = phase;
        self.trace.note(self.now, || format!("== {phase:?}"));
    }

    /// Everybody has a turn now.
    fn wake_all(&mut self) {
        for host in 0..self.hosts.len() {
            let life = self.hosts[host].life;
            for user in 0..self.hosts[host].users.len() {
                self.hosts[host].users[user].paused_till = self.now;
                self.after(0, What::Act { host, life, user });
            }
        }
    }

    /// Microseconds in which whatever is under way must be settled: each end tries as long as it may,
    /// one after another.
    fn patience(&self) -> u64 {
        let services = self.scenario.hosts.iter().flat_map(|host| &host.services);
        let longest = services
            .map(|service| {
                let params = &service.params;
                let tries = u64::from(params.max_retransmissions.max(5)) + 2;
                let begin = u64::from(params.init.attempts) + 1;
                let heartbeat = params.path.heartbeat_interval.unwrap_or_default();
                let timeout = params.rto.max + heartbeat;
                tries * timeout.as_micros() as u64
                    + begin * params.init.longest_timeout.max(params.rto.max).as_micros() as u64
            })
            .max()
            .unwrap_or(0);
        3 * longest + 60 * SECOND
    }

    /// Nothing is under way.
    fn settled(&self) -> bool {
        let settled = |host: &Host| {
            let Some(stack) = &host.stack else { return true };
            let mut users = host.users.iter().filter(|user| !user.closed);
            let known: usize = users.clone().map(|user| user.peers.len()).sum();
            // None lives on without its endpoint, none waits to be accepted.
            known == stack.association_count()
                && users.all(|user| {
                    user.refused.is_none()
                        && user.peers.values().all(|peer| peer.up && !peer.ending)
                })
        };
        self.hosts.iter().all(settled) && self.ledger.open().iter().all(|id| self.is_idle(*id))
    }

    /// Nothing more will be heard of a message: its sender has nothing left to send, and the receiver's
    /// user is gone. Without heartbeats nobody notices.
    fn is_idle(&self, id: u32) -> bool {
        let sender = self.ledger.sender(id);
        let host = &self.hosts[sender.host];
        let users = host.users.iter().filter(|user| user.peers.contains_key(&sender.assoc));
        let mut buffered = users.filter_map(|user| {
            host.stack.as_ref().and_then(|stack| stack.buffered(user.endpoint).ok())
        });
        buffered.all(|(_, sent)| sent == 0)
            && self.ledger.excuses(id, |peer| self.host_of(peer.ip()))
    }

    /// What is heard of associations that have nothing to do: heartbeats, and their answers.
    fn idle_packets(&self) -> u64 {
        // Some were on their way, to associations that there are no more.
        let mut most = 50;
        for host in &self.hosts {
            let Some(stack) = &host.stack else { continue };
            let interval = host
                .users
                .iter()
                .filter_map(|user| user.params.path.heartbeat_interval)
                .min()
                .map_or(u64::MAX, |interval| interval.as_micros() as u64);
            let each = 20 + 2 * IDLE / interval.max(1);
            most += each * stack.association_count() as u64;
        }
        // Each of them is answered.
        most * 2
    }

    fn all_over(&self) -> bool {
        self.hosts.iter().all(|host| {
            host.stack.as_ref().is_none_or(|stack| stack.association_count() == 0)
                && host.users.iter().all(|user| user.closed)
        })
    }

    fn stuck(&self) -> String {
        let mut text = String::new();
        for (index, host) in self.hosts.iter().enumerate() {
            let Some(stack) = &host.stack else { continue };
            text += &format!(
                "\nhost {index}: {} associations, timeout {:?}",
                stack.association_count(),
                stack.timeout()
            );
            for user in host.users.iter().filter(|user| !user.closed) {
                text += &format!("\n  {}", user.describe());
                for assoc in user.peers.keys() {
                    text += &format!("\n    {:?}", stack.status(user.endpoint, *assoc));
                }
            }
        }
        for id in self.ledger.open().iter().take(3) {
            text += &format!("\n{}", self.ledger.describe(*id));
        }
        text
    }

    fn finish(&self) {
        assert!(self.phase == Phase::End, "it ended in {:?}: {}", self.phase, self.stuck());
        for (index, host) in self.hosts.iter().enumerate() {
            let Some(stack) = &host.stack else { continue };
            assert!(stack.timeout().is_none(), "host {index} has a deadline and nothing to do");
        }
        let host_of = |peer: SocketAddr| self.host_of(peer.ip());
        self.ledger.finish(host_of);
        if self.scenario.perfect {
            assert_eq!(self.tap.repeated, 0, "DATA is sent again though nothing was lost");
        }
    }
}
