//! sctp-proto: str0m's. Its only PPIDs are WebRTC's.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use sctp_proto::{
    Association, AssociationError, AssociationHandle, ClientConfig, DatagramEvent, Endpoint,
    EndpointConfig, Event, Payload, PayloadProtocolIdentifier, ReliabilityType, ServerConfig,
    StreamEvent, TransportConfig,
};
use stack::types::Time;

use super::{MTU, Message, Peer, Seat, View};

pub(crate) struct Proto {
    endpoint: Endpoint,
    transport: Arc<TransportConfig>,
    association: Option<(AssociationHandle, Association)>,
    /// Its clock is the machine's; ours begins here.
    begin: Instant,
    remote: SocketAddr,
    packets: VecDeque<Vec<u8>>,
    messages: VecDeque<Message>,
    view: View,
    shut_down: bool,
}

impl Proto {
    pub(crate) fn new(seat: Seat) -> Proto {
        let (own, other) = seat.ports();
        let transport = TransportConfig::default()
            .with_local_port(own)
            .with_remote_port(other)
            .with_max_send_message_size(1 << 20)
            .with_max_receive_message_size(1 << 20);
        let transport = Arc::new(transport);
        let mut config = EndpointConfig::new();
        config.max_payload_size(MTU as u32 - 12);
        let mut server = ServerConfig::new();
        server.transport = Arc::clone(&transport);
        let server = (seat == Seat::Passive).then(|| Arc::new(server));
        Proto {
            endpoint: Endpoint::new(Arc::new(config), server),
            transport,
            association: None,
            begin: Instant::now(),
            remote: SocketAddr::new([10, 0, 0, 1].into(), 9899),
            packets: VecDeque::new(),
            messages: VecDeque::new(),
            view: View::NotYet,
            shut_down: false,
        }
    }

    fn at(&self, now: Time) -> Instant {
        self.begin + Duration::from_micros(now.0)
    }

    fn stream_of<'a>(
        association: &'a mut Association,
        message: &Message,
    ) -> Option<sctp_proto::Stream<'a>> {
        let ppid = PayloadProtocolIdentifier::from(message.ppid);
        if association.stream(message.stream).is_err() {
            association.open_stream(message.stream, ppid).ok()?;
        }
        let mut stream = association.stream(message.stream).ok()?;
        stream.set_reliability_params(message.unordered, ReliabilityType::Reliable, 0).ok()?;
        Some(stream)
    }

    fn drain(&mut self, now: Time) {
        let at = self.at(now);
        while let Some(transmit) = self.endpoint.poll_transmit() {
            if let Payload::RawEncode(parts) = transmit.payload {
                self.packets.extend(parts.into_iter().map(|part| part.to_vec()));
            }
        }
        let Some((_, association)) = &mut self.association else { return };
        // It says "drained" at the beginning of a shutdown; told so, its endpoint would forget it.
        while association.poll_endpoint_event().is_some() {}
        while let Some(event) = association.poll() {
            match event {
                Event::Connected => self.view = View::Up,
                Event::HandshakeFailed { .. } => self.view = View::Lost,
                Event::AssociationLost { reason } => {
                    let graceful =
                        self.shut_down || matches!(reason, AssociationError::AssociationClosed);
                    self.view = if graceful { View::Over } else { View::Lost };
                }
                Event::Stream(StreamEvent::Readable { id } | StreamEvent::Opened { id }) => {
                    let Ok(mut stream) = association.stream(id) else { continue };
                    while let Ok(Some(chunks)) = stream.read_sctp() {
                        let mut bytes = vec![0; chunks.len()];
                        chunks.read(&mut bytes).expect("room for all");
                        let ppid = chunks.ppi as u32;
                        self.messages.push_back(Message {
                            stream: id,
                            ppid,
                            unordered: false,
                            bytes,
                        });
                    }
                }
                _ => {}
            }
        }
        while let Some(transmit) = association.poll_transmit(at) {
            if let Payload::RawEncode(parts) = transmit.payload {
                self.packets.extend(parts.into_iter().map(|part| part.to_vec()));
            }
        }
        if self.view == View::Up && association.is_closed() {
            self.view = View::Over;
        }
    }
}

impl Peer for Proto {
    fn connect(&mut self, now: Time) {
        let mut config = ClientConfig::new();
        config.transport = Arc::clone(&self.transport);
        let connected = self.endpoint.connect(config, self.remote);
        self.association = Some(connected.expect("there is none yet"));
        self.drain(now);
    }

    fn send(&mut self, _now: Time, message: &Message) -> bool {
        let Some((_, association)) = &mut self.association else { return false };
        let ppid = PayloadProtocolIdentifier::from(message.ppid);
        let Some(mut stream) = Proto::stream_of(association, message) else { return false };
        // It would take everything.
        if stream.buffered_amount().is_ok_and(|amount| amount > 200_000) {
            return false;
        }
        let bytes = Bytes::copy_from_slice(&message.bytes);
        // `output` makes the packets.
        stream.write_sctp(&bytes, ppid).is_ok()
    }

    fn receive(&mut self, now: Time) -> Option<Message> {
        self.drain(now);
        self.messages.pop_front()
    }

    fn shutdown(&mut self, now: Time) {
        let (_, association) = self.association.as_mut().expect("an association");
        association.shutdown().expect("it is up");
        self.shut_down = true;
        self.drain(now);
    }

    fn abort(&mut self, _now: Time) {
        panic!("sctp-proto cannot abort");
    }

    fn input(&mut self, now: Time, packet: &[u8]) {
        let at = self.at(now);
        let data = Bytes::copy_from_slice(packet);
        match self.endpoint.handle(at, self.remote, None, None, data) {
            Some((handle, DatagramEvent::NewAssociation(association))) => {
                self.association = Some((handle, association));
            }
            Some((of, DatagramEvent::AssociationEvent(event))) => {
                if let Some((handle, association)) = &mut self.association
                    && *handle == of
                {
                    association.handle_event(event);
                }
            }
            None => {}
        }
        self.drain(now);
    }

    fn output(&mut self, now: Time) -> Option<Vec<u8>> {
        if self.packets.is_empty() {
            self.drain(now);
        }
        self.packets.pop_front()
    }

    fn timeout(&self) -> Option<Time> {
        let (_, association) = self.association.as_ref()?;
        let due = association.poll_timeout()?.saturating_duration_since(self.begin);
        Some(Time(u64::try_from(due.as_nanos().div_ceil(1_000)).expect("not so late")))
    }

    fn advance(&mut self, now: Time) {
        let at = self.at(now);
        if let Some((_, association)) = &mut self.association {
            association.handle_timeout(at);
        }
        self.drain(now);
    }

    fn view(&self) -> View {
        self.view
    }

    fn restarts(&self) -> u32 {
        0
    }
}
