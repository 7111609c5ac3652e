//! What carries packets between two ends in one process, and the clock that goes with it.

use std::borrow::Cow;
use std::io::ErrorKind;
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::thread::sleep;
use std::time::{Duration, Instant};

use stack::types::Time;

/// A datagram may come late, after both ends were found quiet: nobody sleeps for longer.
const NAP: Duration = Duration::from_millis(10);

pub(crate) enum Wire {
    /// A network that carries everything at once, so a packet at a time, and virtual time.
    Memory { now: Time, packet: Option<Vec<u8>> },
    /// UDP on the loopback interface, and the machine's clock.
    Udp { begin: Instant, ends: [(UdpSocket, SocketAddr); 2], buffer: Vec<u8> },
}

impl Wire {
    pub(crate) fn memory() -> Wire {
        Wire::Memory { now: Time(1_000_000), packet: None }
    }

    pub(crate) fn udp() -> Wire {
        let ends = [(); 2].map(|()| {
            let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
            socket.set_nonblocking(true).expect("a socket");
            let address = socket.local_addr().expect("a bound socket");
            (socket, address)
        });
        Wire::Udp { begin: Instant::now(), ends, buffer: vec![0; 65_536] }
    }

    pub(crate) fn now(&self) -> Time {
        match self {
            Wire::Memory { now, .. } => *now,
            Wire::Udp { begin, .. } => Time(1) + begin.elapsed(),
        }
    }

    /// A packet to one end from the other one.
    pub(crate) fn send(&mut self, to: usize, bytes: Vec<u8>) {
        match self {
            Wire::Memory { packet, .. } => *packet = Some(bytes),
            Wire::Udp { ends, .. } => {
                let sent = ends[1 - to].0.send_to(&bytes, ends[to].1);
                // What finds no room is lost, as on any network.
                if let Err(error) = sent
                    && error.kind() != ErrorKind::WouldBlock
                {
                    panic!("send_to: {error}");
                }
            }
        }
    }

    /// The next packet that has come to one end.
    pub(crate) fn receive(&mut self, to: usize) -> Option<Cow<'_, [u8]>> {
        match self {
            Wire::Memory { packet, .. } => packet.take().map(Cow::Owned),
            Wire::Udp { ends, buffer, .. } => match ends[to].0.recv_from(buffer) {
                Ok((length, _)) => Some(Cow::Borrowed(&buffer[..length])),
                Err(error) if error.kind() == ErrorKind::WouldBlock => None,
                Err(error) => panic!("recv_from: {error}"),
            },
        }
    }

    /// Time goes by: in memory until then, else a bit of it.
    pub(crate) fn wait(&mut self, until: Time) {
        let left = until - self.now();
        match self {
            Wire::Memory { now, .. } => *now = *now + left,
            Wire::Udp { .. } => sleep(left.min(NAP)),
        }
    }
}
