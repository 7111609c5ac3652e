//! Two ends, a network between them, and time.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use fastrand::Rng;
use stack::types::Time;

use super::{Make, Message, Peer, Seat};
use crate::network::Link;
use crate::packet::describe::describe;

/// Microseconds from one to the other.
pub(crate) const LATENCY: u64 = 5_000;

/// When it arrives, its number, to whom, and what.
type Flight = (Time, u64, usize, Vec<u8>);

pub(crate) struct Pair {
    /// The active one, and the passive one.
    pub(crate) peers: [Box<dyn Peer>; 2],
    pub(crate) now: Time,
    links: [Link; 2],
    on_their_way: BinaryHeap<Reverse<Flight>>,
    order: u64,
    rng: Rng,
    pub(crate) packets: u64,
}

impl Pair {
    /// `loss` of 10,000 packets do not arrive.
    pub(crate) fn new(active: Make, passive: Make, loss: u32, seed: u64) -> Pair {
        // dcsctp takes its tags from the thread's generator.
        fastrand::seed(seed);
        let mut link = Link::perfect(LATENCY);
        link.loss = loss;
        Pair {
            peers: [active.peer(Seat::Active, seed), passive.peer(Seat::Passive, seed + 1)],
            now: Time(1_000_000),
            links: [link.clone(), link],
            on_their_way: BinaryHeap::new(),
            order: 0,
            rng: Rng::with_seed(seed),
            packets: 0,
        }
    }

    /// What the two have to say goes on its way.
    pub(crate) fn carry(&mut self) {
        for from in 0..2 {
            while let Some(packet) = self.peers[from].output(self.now) {
                self.packets += 1;
                if std::env::var_os("STACK_TRACE").is_some() {
                    println!("{:>12} {from} sends {}", self.now.0, describe(&packet));
                }
                for arrival in self.links[from].carry(self.now, packet, &mut self.rng) {
                    self.order += 1;
                    let entry = (arrival.at, self.order, 1 - from, arrival.bytes);
                    self.on_their_way.push(Reverse(entry));
                }
            }
        }
    }

    /// The next packet or deadline, not after `end`; false: there is none.
    pub(crate) fn step(&mut self, end: Time) -> bool {
        self.carry();
        let arrival = self.on_their_way.peek().map(|Reverse((at, ..))| *at);
        let timeouts = [self.peers[0].timeout(), self.peers[1].timeout()];
        let due = timeouts.into_iter().flatten().min();
        let next = arrival.into_iter().chain(due).min();
        let Some(next) = next.filter(|next| *next <= end) else { return false };
        self.now = self.now.max(next);
        if arrival == Some(next) {
            let Some(Reverse((_, _, to, packet))) = self.on_their_way.pop() else { return false };
            self.peers[to].input(self.now, &packet);
        } else {
            for (peer, timeout) in self.peers.iter_mut().zip(timeouts) {
                if timeout.is_some_and(|timeout| timeout <= self.now) {
                    peer.advance(self.now);
                }
            }
        }
        self.carry();
        true
    }

    /// Until it is so; an error after `seconds`.
    pub(crate) fn until(
        &mut self,
        seconds: u64,
        what: &str,
        mut so: impl FnMut(&mut Pair) -> bool,
    ) -> Result<(), String> {
        let end = Time(self.now.0 + seconds * 1_000_000);
        let mut steps = 0;
        while !so(self) {
            steps += 1;
            if !self.step(end) || steps > 2_000_000 {
                let views = [self.peers[0].view(), self.peers[1].view()];
                return Err(format!("{what}: not in {seconds} s; {views:?}"));
            }
        }
        Ok(())
    }

    /// A new stack instead of one of the two; what was on its way to it still arrives.
    pub(crate) fn replace(&mut self, which: usize, peer: Box<dyn Peer>) {
        self.peers[which] = peer;
    }

    /// Sends messages from one to the other; all must arrive as they were, on each stream in order.
    pub(crate) fn transfer(&mut self, from: usize, messages: &[Message]) -> Result<(), String> {
        let to = 1 - from;
        let mut sent = 0;
        let mut expected: Vec<&Message> = messages.iter().collect();
        let mut fault = None;
        self.until(600, "all messages", |pair| {
            while let Some(message) = messages.get(sent) {
                if !pair.peers[from].send(pair.now, message) {
                    break;
                }
                sent += 1;
            }
            while let Some(message) = pair.peers[to].receive(pair.now) {
                let same_stream = |other: &&Message| other.stream == message.stream;
                let at = if messages.iter().any(|message| message.unordered) {
                    expected.iter().position(|other| other.bytes == message.bytes)
                } else {
                    expected.iter().position(same_stream)
                };
                let Some(at) = at else {
                    fault = Some("a message that was not sent".to_string());
                    return true;
                };
                let other = expected.remove(at);
                let alike = other.bytes == message.bytes
                    && other.ppid == message.ppid
                    && other.stream == message.stream;
                if !alike {
                    fault = Some(format!(
                        "stream {}, ppid {}, {} bytes arrive as {}, {}, {}",
                        other.stream,
                        other.ppid,
                        other.bytes.len(),
                        message.stream,
                        message.ppid,
                        message.bytes.len()
                    ));
                    return true;
                }
            }
            expected.is_empty()
        })?;
        fault.map_or(Ok(()), Err)
    }
}
