//! A packet for an association: whether it is the peer's (RFC 9260, section 8.5), and what its
//! chunks do in which state.

use crate::assoc::abort::alone;
use crate::assoc::context::Context;
use crate::assoc::state::Assoc;
use crate::assoc::stateless::Incoming;
use crate::event::Event;
use crate::rx::Verdict;
use crate::status::State;
use crate::tx::Acked;
use crate::types::{Transmit, Tsn};
use crate::violation::Violation;
use crate::wire::{Cause, Causes, Chunk, Data, ForwardTsn, Malformed, Packet, Sack};

/// Causes of one ERROR that a user is told.
const ERRORS_MAX: usize = 16;

impl Assoc {
    /// A packet from the peer's address and port.
    pub(crate) fn input(&mut self, cx: &mut Context, incoming: Incoming, packet: &Packet<'_>) {
        let mut chunks = packet.chunks();
        let Some(Ok(first)) = chunks.next() else { return };
        let alone = chunks.is_empty();
        match first {
            // 8.5.1 A; INIT is never bundled (6.10).
            Chunk::Init(init) => {
                if incoming.tag == 0 && alone {
                    self.on_init(cx, incoming, &init);
                }
                return;
            }
            // 8.5.1 D: the cookie says which tag is right.
            Chunk::CookieEcho(cookie) => {
                if self.on_cookie_echo(cx, incoming, cookie) {
                    self.input_after_cookie(cx, incoming, packet);
                }
                return;
            }
            // 8.5.1 E
            Chunk::ShutdownAck if !self.is_up() => return self.answer_shutdown_ack(cx, &incoming),
            _ => {}
        }
        if !self.has_right_tag(&first, incoming.tag) {
            cx.counters.wrong_tag += 1;
            return;
        }
        // 6.10: these are never bundled.
        if matches!(first, Chunk::InitAck(_) | Chunk::ShutdownComplete { .. }) && !alone {
            return;
        }
        self.came(&incoming);
        self.chunks(cx, incoming, packet, 0);
    }

    /// What follows in the packet with the COOKIE ECHO that made this association (5.1, step D).
    pub(crate) fn input_after_cookie(
        &mut self,
        cx: &mut Context,
        incoming: Incoming,
        packet: &Packet<'_>,
    ) {
        self.came(&incoming);
        self.chunks(cx, incoming, packet, 1);
    }

    /// 8.5, and 8.5.1 B and C: where the T bit is set, the tag is the peer's.
    fn has_right_tag(&self, first: &Chunk<'_>, tag: u32) -> bool {
        match first {
            Chunk::Abort { reflected_tag: true, .. }
            | Chunk::ShutdownComplete { reflected_tag: true } => {
                tag == self.peer_tag && self.peer_tag != 0
            }
            _ => tag == self.local_tag,
        }
    }

    /// A packet of the peer's came, for certain.
    fn came(&mut self, incoming: &Incoming) {
        self.counters.packets_in += 1;
        let path = self.path_mut();
        // Bound to any address, we learn which one the peer uses.
        if path.route.local.ip().is_unspecified() {
            path.route.local.set_ip(incoming.route.local.ip());
        }
        // RFC 6951, section 5.4: the peer's UDP port is the one of its last packet.
        if path.route.remote.ip() == incoming.route.remote.ip() {
            path.route.remote.set_port(incoming.route.remote.port());
        }
    }

    /// What a SHUTDOWN ACK gets that belongs to an association before this one (8.4, step 5).
    fn answer_shutdown_ack(&self, cx: &mut Context, incoming: &Incoming) {
        if cx.may_answer() {
            let chunk = Chunk::ShutdownComplete { reflected_tag: true };
            let bytes = alone(self.ports, incoming.tag, &chunk);
            cx.outbox.push_back(Transmit { route: incoming.route, bytes });
        }
    }

    /// The chunks of a packet, but for the first few.
    fn chunks(&mut self, cx: &mut Context, incoming: Incoming, packet: &Packet<'_>, skip: usize) {
        let mut carries = false;
        for chunk in packet.chunks().skip(skip) {
            let go_on = match chunk {
                Ok(chunk) => {
                    carries |= matches!(chunk, Chunk::Data(_) | Chunk::ForwardTsn(_));
                    self.chunk(cx, incoming, chunk)
                }
                // Where the next chunk would begin is not known.
                Err(Malformed::Length { .. } | Malformed::Short | Malformed::Checksum) => false,
                Err(Malformed::Contents { .. }) => {
                    if self.is_up() {
                        self.abort_with(cx, &Cause::ProtocolViolation(b"contents of a chunk"));
                    }
                    false
                }
            };
            if !go_on || self.end.is_some() {
                break;
            }
        }
        if carries && self.end.is_none() {
            self.end_of_data(cx);
        }
    }

    /// One chunk. Returns whether the next one is to be looked at.
    fn chunk(&mut self, cx: &mut Context, incoming: Incoming, chunk: Chunk<'_>) -> bool {
        match chunk {
            Chunk::Data(data) => self.on_data(cx, &data),
            Chunk::Sack(sack) => self.on_sack(cx, &sack),
            Chunk::ForwardTsn(forward) => self.on_forward_tsn(cx, &forward),
            Chunk::InitAck(init) => self.on_init_ack(cx, &init),
            Chunk::CookieAck => self.on_cookie_ack(cx),
            // 8.3: in COOKIE-ECHOED, too, where COOKIE ACK was lost.
            Chunk::Heartbeat(info) if self.is_up() || self.state == State::CookieEchoed => {
                self.on_heartbeat(incoming.route, info);
            }
            Chunk::HeartbeatAck(info) if self.is_up() => self.on_heartbeat_ack(cx, info),
            Chunk::Abort { reflected_tag, causes } => self.on_abort(cx, reflected_tag, causes),
            Chunk::Error(causes) => self.on_error(cx, causes),
            Chunk::Shutdown(cumulative) => self.on_shutdown(cx, cumulative),
            Chunk::ShutdownAck => self.on_shutdown_ack(cx),
            Chunk::ShutdownComplete { .. } => self.on_shutdown_complete(cx),
            // Not the first chunk, or not in this state.
            Chunk::Init(_) | Chunk::CookieEcho(_) => return false,
            Chunk::Heartbeat(_) | Chunk::HeartbeatAck(_) => {}
            // Never offered here.
            Chunk::Ecne(_) | Chunk::Cwr(_) => {}
            Chunk::Unknown { bytes, .. } => {
                // 3.2
                if chunk.action().reports() && self.is_up() {
                    self.report(&Cause::UnrecognizedChunk(bytes));
                }
                return !chunk.action().stops();
            }
        }
        self.heard |= self.is_up() && !matches!(chunk, Chunk::CookieAck);
        true
    }

    /// In these states the peer may still send data (9.2).
    fn takes_data(&self) -> bool {
        matches!(self.state, State::Established | State::ShutdownPending | State::ShutdownSent)
    }

    fn on_data(&mut self, cx: &mut Context, data: &Data<'_>) {
        if !self.takes_data() {
            return;
        }
        let Some(rx) = &mut self.rx else { return };
        let verdict = rx.data(data);
        self.judge(cx, verdict);
    }

    fn on_forward_tsn(&mut self, cx: &mut Context, forward: &ForwardTsn<'_>) {
        // RFC 3758, section 3.3: only if both have said that they know it.
        if !self.takes_data() || !self.forward_tsn {
            return;
        }
        let Some(rx) = &mut self.rx else { return };
        let verdict = rx.forward(forward.cumulative, forward.skipped.iter());
        self.judge(cx, verdict);
    }

    fn judge(&mut self, cx: &mut Context, verdict: Verdict) {
        match verdict {
            Verdict::Fine => {}
            Verdict::InvalidStream(stream) => self.report(&Cause::InvalidStream(stream)),
            Verdict::NoUserData(tsn) => self.abort_with(cx, &Cause::NoUserData(tsn)),
            Verdict::Violation(violation) => self.violated(cx, violation),
        }
    }

    fn violated(&mut self, cx: &mut Context, Violation(text): Violation) {
        self.abort_with(cx, &Cause::ProtocolViolation(text.as_bytes()));
    }

    /// After the last chunk of a packet with data.
    fn end_of_data(&mut self, cx: &mut Context) {
        if !self.takes_data() {
            return;
        }
        let Some(rx) = &mut self.rx else { return };
        rx.packet_end(cx.now);
        // 9.2: SHUTDOWN acknowledges what is complete. A SACK besides says what is not, and tells of
        // the window: SHUTDOWN does not.
        if self.state == State::ShutdownSent {
            rx.want_sack();
        }
        self.on_data_after_shutdown(cx);
        self.idle_since = cx.now;
    }

    fn on_sack(&mut self, cx: &mut Context, sack: &Sack<'_>) {
        let (gaps, now) = (sack.gaps.iter(), cx.now);
        match self.state {
            State::Established | State::ShutdownPending | State::ShutdownReceived => {}
            // Nothing is outstanding, or nothing may be acknowledged yet.
            _ => return,
        }
        let acked = self.tx.sack(now, &mut self.paths, sack.cumulative, sack.window, gaps);
        if self.acknowledged(cx, acked) {
            self.advance_shutdown(cx);
        }
    }

    /// The cumulative TSN of a SHUTDOWN. Returns false if that ended the association.
    pub(crate) fn acknowledge(&mut self, cx: &mut Context, cumulative: Tsn) -> bool {
        let acked = self.tx.shutdown_ack(cx.now, &mut self.paths, cumulative);
        self.acknowledged(cx, acked)
    }

    fn acknowledged(&mut self, cx: &mut Context, acked: Result<Acked, Violation>) -> bool {
        match acked {
            Ok(acked) => {
                if acked.news {
                    self.errors = 0;
                }
                if acked.freed > 0 {
                    self.progressed = cx.now;
                }
                true
            }
            Err(violation) => {
                self.violated(cx, violation);
                false
            }
        }
    }

    /// An ERROR (3.3.10).
    fn on_error(&mut self, cx: &mut Context, causes: Causes<'_>) {
        for cause in causes.iter().take(ERRORS_MAX) {
            let Ok(cause) = cause else { return };
            if !self.is_up() {
                // 5.2.6. Of anything else the user of what is not up yet is not told.
                match cause {
                    Cause::StaleCookie(by) => return self.on_stale_cookie(cx, by),
                    _ => continue,
                }
            }
            let mut bytes = Vec::new();
            cause.write(&mut bytes);
            self.tell(Event::RemoteError { error: cause.code(), cause: bytes });
        }
    }
}
