//! This crate's stack.

use std::collections::VecDeque;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use fastrand::Rng;
use stack::event::{AssocChange, Event, Received, SendInfo};
use stack::params::{Params, Style};
use stack::stack::{Entropy, Limits, Stack};
use stack::types::{AssocId, EndpointId, Route, Time};

use super::{MTU, Message, Peer, Seat, View};

const UDP: u16 = 9899;

struct Seeded(Rng);

impl Entropy for Seeded {
    fn fill(&mut self, bytes: &mut [u8]) {
        self.0.fill(bytes);
    }
}

pub(crate) struct Ours {
    stack: Stack,
    endpoint: EndpointId,
    assoc: Option<AssocId>,
    seat: Seat,
    view: View,
    restarts: u32,
    part: Vec<u8>,
    messages: VecDeque<Message>,
}

fn address(port: u16) -> IpAddr {
    IpAddr::V4(Ipv4Addr::new(10, 0, 0, u8::try_from(port % 100 + 1).expect("a small number")))
}

impl Ours {
    pub(crate) fn new(seat: Seat, seed: u64) -> Ours {
        let mut params = Params::default();
        params.path.mtu = MTU;
        Ours::with_params(seat, seed, params)
    }

    pub(crate) fn with_params(seat: Seat, seed: u64, params: Params) -> Ours {
        let mut stack = Stack::new(Limits::default(), Box::new(Seeded(Rng::with_seed(seed))));
        let endpoint = stack.open(Style::OneToMany, params);
        let (port, _) = seat.ports();
        stack.bind(endpoint, address(port), port, UDP).expect("a free port");
        if seat == Seat::Passive {
            stack.listen(endpoint, 5).expect("a bound endpoint listens");
        }
        Ours {
            stack,
            endpoint,
            assoc: None,
            seat,
            view: View::NotYet,
            restarts: 0,
            part: Vec::new(),
            messages: VecDeque::new(),
        }
    }

    pub(crate) fn stack(&self) -> &Stack {
        &self.stack
    }

    /// Takes all that can be received.
    fn drain(&mut self, now: Time) {
        while self.stack.ready().is_some() {}
        while let Ok(received) = self.stack.receive(now, self.endpoint, usize::MAX) {
            match received {
                Received::Data { info, bytes, end } => {
                    if end && self.part.is_empty() {
                        self.part = bytes;
                    } else {
                        self.part.extend(bytes);
                    }
                    if end {
                        self.messages.push_back(Message {
                            stream: info.stream,
                            ppid: info.ppid,
                            unordered: info.unordered,
                            bytes: std::mem::take(&mut self.part),
                        });
                    }
                }
                Received::Event(assoc, Event::AssocChange(change)) => {
                    self.assoc = Some(assoc);
                    self.view = match change {
                        AssocChange::Up { .. } => View::Up,
                        AssocChange::Restart { .. } => {
                            self.restarts += 1;
                            View::Up
                        }
                        AssocChange::ShutdownComplete => View::Over,
                        AssocChange::Lost { .. } | AssocChange::CannotStart { .. } => View::Lost,
                    };
                }
                Received::Event(..) => {}
            }
        }
    }
}

impl Peer for Ours {
    fn connect(&mut self, now: Time) {
        let (_, port) = self.seat.ports();
        let remote = SocketAddr::new(address(port), port);
        let assoc = self.stack.connect(now, self.endpoint, remote, UDP);
        self.assoc = Some(assoc.expect("there is none yet"));
    }

    fn send(&mut self, now: Time, message: &Message) -> bool {
        let info = SendInfo {
            stream: message.stream,
            ppid: message.ppid,
            unordered: message.unordered,
            ..SendInfo::default()
        };
        let assoc = self.assoc.expect("an association");
        self.stack.send(now, self.endpoint, assoc, info, &message.bytes).is_ok()
    }

    fn receive(&mut self, now: Time) -> Option<Message> {
        self.drain(now);
        self.messages.pop_front()
    }

    fn shutdown(&mut self, now: Time) {
        let assoc = self.assoc.expect("an association");
        self.stack.shutdown(now, self.endpoint, assoc).expect("it is up");
    }

    fn abort(&mut self, now: Time) {
        let assoc = self.assoc.expect("an association");
        self.stack.abort(now, self.endpoint, assoc, b"enough").expect("it is up");
        self.drain(now);
    }

    fn input(&mut self, now: Time, packet: &[u8]) {
        let (own, other) = self.seat.ports();
        let route = Route {
            local: SocketAddr::new(address(own), UDP),
            remote: SocketAddr::new(address(other), UDP),
        };
        self.stack.input(now, route, packet);
        self.drain(now);
    }

    fn output(&mut self, _now: Time) -> Option<Vec<u8>> {
        self.stack.output().map(|transmit| transmit.bytes)
    }

    fn timeout(&self) -> Option<Time> {
        self.stack.timeout()
    }

    fn advance(&mut self, now: Time) {
        self.stack.advance(now);
        self.drain(now);
    }

    fn view(&self) -> View {
        self.view
    }

    fn restarts(&self) -> u32 {
        self.restarts
    }
}
