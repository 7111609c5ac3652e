//! dcsctp: WebRTC's, in Rust.

use std::collections::VecDeque;
use std::time::Duration;

use dcsctp::api::{
    DcSctpSocket, ErrorKind, Message as TheirMessage, Options, PpId, SendOptions, SocketEvent,
    SocketTime, StreamId,
};
use stack::types::Time;

use super::{MTU, Message, Peer, Seat, View};

pub(crate) struct Dcsctp {
    socket: Box<dyn DcSctpSocket>,
    packets: VecDeque<Vec<u8>>,
    view: View,
    restarts: u32,
}

fn theirs(message: &Message) -> TheirMessage {
    TheirMessage::new(StreamId(message.stream), PpId(message.ppid), message.bytes.clone())
}

fn options(message: &Message) -> SendOptions {
    SendOptions { unordered: message.unordered, ..SendOptions::default() }
}

impl Dcsctp {
    pub(crate) fn new(seat: Seat) -> Dcsctp {
        let (own, other) = seat.ports();
        let options = Options {
            local_port: own,
            remote_port: other,
            mtu: MTU,
            // As ours: else an association lives on where another one's is lost.
            rto_initial: Duration::from_secs(1),
            rto_min: Duration::from_secs(1),
            ..Options::default()
        };
        let socket = dcsctp::new_socket("peer", &options);
        Dcsctp { socket, packets: VecDeque::new(), view: View::NotYet, restarts: 0 }
    }

    fn at(now: Time) -> SocketTime {
        SocketTime::zero() + Duration::from_micros(now.0)
    }

    fn drain(&mut self) {
        while let Some(event) = self.socket.poll_event() {
            match event {
                SocketEvent::SendPacket(packet) => self.packets.push_back(packet),
                SocketEvent::OnConnected() => self.view = View::Up,
                SocketEvent::OnConnectionRestarted() => {
                    self.view = View::Up;
                    self.restarts += 1;
                }
                SocketEvent::OnClosed() => self.view = View::Over,
                // Told for the one who aborts as well.
                SocketEvent::OnAborted(kind, _) => {
                    self.view = if kind == ErrorKind::NoError { View::Over } else { View::Lost };
                }
                _ => {}
            }
        }
    }
}

impl Peer for Dcsctp {
    fn connect(&mut self, now: Time) {
        self.socket.advance_time(Dcsctp::at(now));
        self.socket.connect();
        self.drain();
    }

    fn send(&mut self, now: Time, message: &Message) -> bool {
        self.socket.advance_time(Dcsctp::at(now));
        let taken = self.socket.send(theirs(message), &options(message)).is_ok();
        self.drain();
        taken
    }

    fn send_many(&mut self, now: Time, messages: &[Message]) -> usize {
        let Some(first) = messages.first() else { return 0 };
        self.socket.advance_time(Dcsctp::at(now));
        let sent = self.socket.send_many(messages.iter().map(theirs).collect(), &options(first));
        self.drain();
        messages.len() - sent.map_or_else(|refused| refused.0.len(), |()| 0)
    }

    fn receive(&mut self, _now: Time) -> Option<Message> {
        let message = self.socket.get_next_message()?;
        Some(Message {
            stream: message.stream_id.0,
            ppid: message.ppid.0,
            unordered: false,
            bytes: message.payload,
        })
    }

    fn shutdown(&mut self, now: Time) {
        self.socket.advance_time(Dcsctp::at(now));
        self.socket.shutdown();
        self.drain();
    }

    fn abort(&mut self, now: Time) {
        self.socket.advance_time(Dcsctp::at(now));
        self.socket.close();
        self.drain();
    }

    fn input(&mut self, now: Time, packet: &[u8]) {
        self.socket.advance_time(Dcsctp::at(now));
        self.socket.handle_input(packet);
        self.drain();
    }

    fn output(&mut self, _now: Time) -> Option<Vec<u8>> {
        self.packets.pop_front()
    }

    fn timeout(&self) -> Option<Time> {
        let due = self.socket.poll_timeout();
        if due == SocketTime::infinite_future() {
            return None;
        }
        // Rounded up: called a moment early it does nothing, and asks again.
        let nanos = (due - SocketTime::zero()).as_nanos();
        Some(Time(u64::try_from(nanos.div_ceil(1_000)).expect("not so late")))
    }

    fn advance(&mut self, now: Time) {
        self.socket.advance_time(Dcsctp::at(now));
        self.drain();
    }

    fn view(&self) -> View {
        self.view
    }

    fn restarts(&self) -> u32 {
        self.restarts
    }
}
