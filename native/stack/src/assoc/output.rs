//! What goes into a packet, and in which order (RFC 9260, section 6.10).

use crate::assoc::context::Context;
use crate::assoc::state::Assoc;
use crate::params::MTU_MAX;
use crate::status::State;
use crate::types::{Route, Transmit};
use crate::wire::{Builder, Causes, Chunk, Data, Full, Header, padded};

/// The header of a chunk.
const CHUNK: usize = 4;
/// The header of a parameter.
const PARAMETER: usize = 4;
/// A SACK without gap blocks and duplicates.
const SACK: usize = 16;
/// SHUTDOWN; SHUTDOWN ACK is shorter.
const SHUTDOWN: usize = 8;

impl Assoc {
    /// The next packet. Ask until there is none.
    pub(crate) fn output(&mut self, cx: &mut Context) -> Option<Transmit> {
        if self.end.is_some() {
            return None;
        }
        let transmit = match self.state {
            State::CookieWait => self.init_packet(cx),
            State::CookieEchoed => self.cookie_packet(cx).or_else(|| self.heartbeat_answer(true)),
            _ => self.heartbeat_answer(false).or_else(|| self.any_packet(cx)),
        }?;
        self.counters.packets_out += 1;
        Some(transmit)
    }

    /// A packet to the peer, without chunks.
    fn packet(&self) -> Builder {
        Builder::new(self.ports.header(self.peer_tag), self.path().mtu())
    }

    /// One in which a chunk with such a value fits in any case.
    fn packet_with(&self, length: usize) -> Builder {
        let needed = padded(Header::SIZE + CHUNK + length);
        Builder::new(self.ports.header(self.peer_tag), self.path().mtu().max(needed))
    }

    /// INIT goes alone.
    fn init_packet(&mut self, cx: &mut Context) -> Option<Transmit> {
        if !std::mem::take(&mut self.due.init) {
            return None;
        }
        self.init_sent = cx.now;
        let route = self.path().route;
        let preservative = self.due.preservative;
        let bytes = self.proposal().init(self.ports, route.remote.ip(), preservative);
        Some(Transmit { route, bytes })
    }

    /// COOKIE ECHO, and whatever may go with it: before COOKIE ACK no other packet is sent (5.1, C), but
    /// for the answers to HEARTBEATs.
    fn cookie_packet(&mut self, cx: &mut Context) -> Option<Transmit> {
        if !std::mem::take(&mut self.due.cookie_echo) {
            return None;
        }
        let mut packet = self.packet_with(self.due.cookie.len());
        push(&mut packet, &Chunk::CookieEcho(&self.due.cookie));
        // Once is enough: it is only a hint.
        let errors = std::mem::take(&mut self.due.errors);
        if !errors.is_empty() && packet.fits(errors.len() + CHUNK) {
            push(&mut packet, &Chunk::Error(Causes::new(&errors)));
        }
        self.push_data(cx, &mut packet);
        Some(Transmit { route: self.path().route, bytes: packet.finish() })
    }

    /// The answer to a HEARTBEAT that came on another way, or that is too long to go with others; or
    /// any, where nothing else may go.
    fn heartbeat_answer(&mut self, any: bool) -> Option<Transmit> {
        let (route, info) = self.due.heartbeat_ack.as_ref()?;
        let long = info.len() + PARAMETER + CHUNK > self.path().mtu() / 4;
        if *route == self.path().route && !long && !any {
            return None;
        }
        let route: Route = *route;
        let mut packet = self.packet_with(PARAMETER + info.len());
        push(&mut packet, &Chunk::HeartbeatAck(info));
        self.due.heartbeat_ack = None;
        Some(Transmit { route, bytes: packet.finish() })
    }

    /// Control chunks first, then SACK, FORWARD TSN and DATA, at last SHUTDOWN.
    fn any_packet(&mut self, cx: &mut Context) -> Option<Transmit> {
        let mut packet = self.packet();
        if std::mem::take(&mut self.due.cookie_ack) {
            push(&mut packet, &Chunk::CookieAck);
        }
        if let Some((_, info)) = self.due.heartbeat_ack.take() {
            push(&mut packet, &Chunk::HeartbeatAck(&info));
        }
        if !self.due.errors.is_empty() && packet.fits(self.due.errors.len() + CHUNK) {
            let errors = std::mem::take(&mut self.due.errors);
            push(&mut packet, &Chunk::Error(Causes::new(&errors)));
        }
        if packet.fits(CHUNK + PARAMETER + 8)
            && let Some(nonce) = self.due.heartbeat.take()
        {
            push(&mut packet, &Chunk::Heartbeat(&nonce.to_be_bytes()));
        }
        self.push_sack(cx, &mut packet);
        if matches!(
            self.state,
            State::Established | State::ShutdownPending | State::ShutdownReceived
        ) {
            self.push_forward_tsn(cx, &mut packet);
            self.push_data(cx, &mut packet);
            // Messages may have been given up just now.
            self.advance_shutdown(cx);
        }
        self.push_shutdown(&mut packet);
        if packet.is_empty() {
            return None;
        }
        Some(Transmit { route: self.path().route, bytes: packet.finish() })
    }

    /// A SACK if one is due, or if another chunk goes anyway (6.2).
    fn push_sack(&mut self, cx: &mut Context, packet: &mut Builder) {
        // The peer has all that it wanted to have acknowledged.
        if matches!(self.state, State::ShutdownReceived | State::ShutdownAckSent) {
            return;
        }
        let Some(rx) = &mut self.rx else { return };
        let due = rx.sack_is_due(cx.now)
            || (rx.sack_is_pending()
                && (!packet.is_empty() || self.tx.wants_to_send(&self.paths, 0)));
        if !due || !packet.fits(SACK) {
            return;
        }
        let sack = rx.take_sack();
        let duplicates = rx.take_duplicates();
        let pushed = packet.push_sack(sack.cumulative, sack.window, rx.gaps(), duplicates);
        debug_assert_eq!(pushed, Ok(()));
    }

    fn push_forward_tsn(&mut self, cx: &mut Context, packet: &mut Builder) {
        let room = packet.room();
        if let Some((cumulative, skipped)) = self.tx.take_forward(cx.now, &mut self.paths, 0, room)
        {
            let pushed = packet.push_forward_tsn(cumulative, skipped.into_iter());
            debug_assert_eq!(pushed, Ok(()));
        }
    }

    fn push_data(&mut self, cx: &mut Context, packet: &mut Builder) {
        let (room, empty) = (packet.room(), packet.is_empty());
        let header = self.ports.header(self.peer_tag);
        let chunks = self.tx.produce(cx.now, &mut self.paths, 0, room, empty, &mut |data| {
            if empty && packet.is_empty() && !packet.fits(Data::OVERHEAD + data.payload.len()) {
                // The MTU has shrunk since it was cut: IP has to fragment it (6.9).
                *packet = Builder::new(header, MTU_MAX);
            }
            let pushed = packet.push_data(data);
            debug_assert_eq!(pushed, Ok(()));
        });
        if chunks > 0 {
            self.idle_since = cx.now;
        }
    }

    fn push_shutdown(&mut self, packet: &mut Builder) {
        if !packet.fits(SHUTDOWN) {
            return;
        }
        if std::mem::take(&mut self.due.shutdown_ack) {
            push(packet, &Chunk::ShutdownAck);
        } else if std::mem::take(&mut self.due.shutdown)
            && let Some(rx) = &self.rx
        {
            push(packet, &Chunk::Shutdown(rx.cumulative()));
        }
    }
}

/// Control chunks are small, so they fit.
fn push(packet: &mut Builder, chunk: &Chunk<'_>) {
    let pushed: Result<(), Full> = packet.push(chunk);
    debug_assert_eq!(pushed, Ok(()));
}
