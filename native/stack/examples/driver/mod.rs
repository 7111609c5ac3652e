//! A stack over a real UDP socket, for one association: what an application's loop looks like.

// Each program uses a part of it.
#![allow(dead_code)]

use std::io::ErrorKind;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::time::{Duration, Instant};

use stack::error::Error;
use stack::event::{AssocChange, Event, Received, SendInfo};
use stack::params::{Params, Style};
use stack::stack::{Entropy, Limits, Stack};
use stack::types::{AssocId, EndpointId, Route, Time};

/// Random bytes for an experiment: not for a network with strangers in it.
struct Random(fastrand::Rng);

impl Entropy for Random {
    fn fill(&mut self, bytes: &mut [u8]) {
        self.0.fill(bytes);
    }
}

/// What became of the association.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    NotYet,
    Up,
    Over,
    Lost,
}

/// A whole message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Message {
    pub(crate) info: SendInfo,
    pub(crate) bytes: Vec<u8>,
}

pub(crate) struct Driver {
    pub(crate) stack: Stack,
    pub(crate) endpoint: EndpointId,
    pub(crate) assoc: Option<AssocId>,
    pub(crate) state: State,
    pub(crate) restarts: u32,
    /// Of 10,000 packets, each way, so many are thrown away.
    pub(crate) loss: u32,
    /// Packets that came and were thrown away.
    pub(crate) lost: u32,
    socket: UdpSocket,
    begin: Instant,
    rng: fastrand::Rng,
    part: Vec<u8>,
    buffer: Vec<u8>,
}

impl Driver {
    /// At an SCTP port of `address` whose packets go through `udp_port`.
    pub(crate) fn new(address: IpAddr, port: u16, udp_port: u16) -> std::io::Result<Driver> {
        let socket = UdpSocket::bind((address, udp_port))?;
        let mut stack = Stack::new(Limits::default(), Box::new(Random(fastrand::Rng::new())));
        let mut params = Params::default();
        params.path.mtu = 1_452;
        params.rto.initial = Duration::from_millis(500);
        params.rto.min = Duration::from_millis(100);
        let endpoint = stack.open(Style::OneToMany, params);
        let bound = stack.bind(endpoint, address, port, socket.local_addr()?.port());
        bound.map_err(|error| std::io::Error::other(format!("{error:?}")))?;
        Ok(Driver {
            stack,
            endpoint,
            assoc: None,
            state: State::NotYet,
            restarts: 0,
            loss: 0,
            lost: 0,
            socket,
            begin: Instant::now(),
            rng: fastrand::Rng::new(),
            part: Vec::new(),
            buffer: vec![0; 65_536],
        })
    }

    pub(crate) fn now(&self) -> Time {
        Time(1 + self.begin.elapsed().as_micros() as u64)
    }

    pub(crate) fn listen(&mut self) {
        self.stack.listen(self.endpoint, 5).expect("a bound endpoint listens");
    }

    pub(crate) fn connect(&mut self, remote: SocketAddr, udp_port: u16) -> Result<(), Error> {
        let assoc = self.stack.connect(self.now(), self.endpoint, remote, udp_port)?;
        self.assoc = Some(assoc);
        Ok(())
    }

    pub(crate) fn send(&mut self, info: SendInfo, bytes: &[u8]) -> Result<(), Error> {
        let assoc = self.assoc.ok_or(Error::NotConnected)?;
        self.stack.send(self.now(), self.endpoint, assoc, info, bytes)
    }

    pub(crate) fn shutdown(&mut self) -> Result<(), Error> {
        let assoc = self.assoc.ok_or(Error::NotConnected)?;
        self.stack.shutdown(self.now(), self.endpoint, assoc)
    }

    pub(crate) fn abort(&mut self) -> Result<(), Error> {
        let assoc = self.assoc.ok_or(Error::NotConnected)?;
        self.stack.abort(self.now(), self.endpoint, assoc, b"enough")
    }

    /// The peer has all of it.
    pub(crate) fn all_sent(&self) -> bool {
        self.stack.buffered(self.endpoint).is_ok_and(|(_, unacked)| unacked == 0)
    }

    /// The next whole message; events on the way are noted.
    pub(crate) fn receive(&mut self) -> Option<Message> {
        while let Ok(received) = self.stack.receive(self.now(), self.endpoint, usize::MAX) {
            match received {
                Received::Data { info, bytes, end } => {
                    self.part.extend(bytes);
                    if end {
                        let (stream, ppid, unordered) = (info.stream, info.ppid, info.unordered);
                        let info = SendInfo { stream, ppid, unordered, ..SendInfo::default() };
                        return Some(Message { info, bytes: std::mem::take(&mut self.part) });
                    }
                }
                Received::Event(assoc, Event::AssocChange(change)) => {
                    self.assoc = Some(assoc);
                    self.state = match change {
                        AssocChange::Up { .. } => State::Up,
                        AssocChange::Restart { .. } => {
                            self.restarts += 1;
                            State::Up
                        }
                        AssocChange::ShutdownComplete => State::Over,
                        AssocChange::Lost { .. } | AssocChange::CannotStart { .. } => State::Lost,
                    };
                }
                Received::Event(..) => {}
            }
        }
        None
    }

    fn flush(&mut self) {
        while let Some(transmit) = self.stack.output() {
            if self.rng.u32(0..10_000) < self.loss {
                continue;
            }
            // What cannot be sent is lost, as on any network.
            let _ = self.socket.send_to(&transmit.bytes, transmit.route.remote);
        }
    }

    /// One packet, or one deadline, or nothing for so long.
    pub(crate) fn turn(&mut self, most: Duration) -> std::io::Result<()> {
        self.flush();
        let due = self.stack.timeout().map(|due| due - self.now());
        let wait = due.map_or(most, |due| due.min(most)).max(Duration::from_micros(1));
        self.socket.set_read_timeout(Some(wait))?;
        match self.socket.recv_from(&mut self.buffer) {
            Ok((length, remote)) => {
                let local = self.socket.local_addr()?;
                let now = self.now();
                if self.rng.u32(0..10_000) < self.loss {
                    self.lost += 1;
                } else {
                    self.stack.input(now, Route { local, remote }, &self.buffer[..length]);
                }
            }
            Err(error) => match error.kind() {
                // A port that nobody has is told by ICMP: only time tells who is there.
                ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::ConnectionRefused => {}
                _ => return Err(error),
            },
        }
        let now = self.now();
        if self.stack.timeout().is_some_and(|due| due <= now) {
            self.stack.advance(now);
        }
        self.flush();
        while self.stack.ready().is_some() {}
        Ok(())
    }
}
