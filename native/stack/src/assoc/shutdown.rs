//! The graceful end (RFC 9260, section 9.2).

use crate::assoc::abort::alone;
use crate::assoc::context::Context;
use crate::assoc::state::{Assoc, End};
use crate::event::{AssocChange, Event};
use crate::params::Params;
use crate::status::State;
use crate::types::{Time, Transmit, Tsn};
use crate::wire::{Cause, Chunk};

impl Assoc {
    /// The user ends it.
    pub(crate) fn shut_down(&mut self, cx: &mut Context) {
        match self.state {
            // The peer has no association yet, and nothing was promised to it.
            State::CookieWait if self.tx.is_empty() => {
                self.fail_to_begin(cx, End::Refused, 0);
            }
            // As soon as it is up: what was sent until then is still delivered.
            State::CookieWait | State::CookieEchoed => self.ending = true,
            State::Established => {
                self.state = State::ShutdownPending;
                self.tx.finish();
                self.advance_shutdown(cx);
            }
            // It is ending already: "MUST ignore further SHUTDOWN requests".
            _ => {}
        }
    }

    /// Goes on as soon as all that was sent is acknowledged.
    pub(crate) fn advance_shutdown(&mut self, cx: &mut Context) {
        if !self.tx.is_empty() {
            return;
        }
        match self.state {
            State::ShutdownPending => {
                self.state = State::ShutdownSent;
                self.due.shutdown = true;
                self.start_t2(cx);
            }
            State::ShutdownReceived => self.send_shutdown_ack(cx),
            _ => {}
        }
    }

    fn start_t2(&mut self, cx: &mut Context) {
        self.path_mut().stop_beats();
        self.t2.start(cx.now, self.path().rto());
        if self.t5.is_none() {
            self.start_t5(cx);
        }
    }

    /// T5-shutdown-guard: "the recommended value of 5 times RTO.Max".
    fn start_t5(&mut self, cx: &mut Context) {
        self.t5 = Some(cx.now + self.params.rto.max * 5);
    }

    fn send_shutdown_ack(&mut self, cx: &mut Context) {
        self.state = State::ShutdownAckSent;
        self.due.shutdown = false;
        self.due.shutdown_ack = true;
        self.start_t2(cx);
    }

    /// A SHUTDOWN.
    pub(crate) fn on_shutdown(&mut self, cx: &mut Context, cumulative: Tsn) {
        match self.state {
            State::CookieWait | State::CookieEchoed => {}
            State::Established | State::ShutdownPending => {
                if !self.acknowledge(cx, cumulative) {
                    return;
                }
                self.state = State::ShutdownReceived;
                self.tx.finish();
                // What came before it in the same packet is told before it.
                self.collect();
                self.tell(Event::Shutdown);
                self.advance_shutdown(cx);
            }
            // The cumulative TSN of a SHUTDOWN that is sent again has grown.
            State::ShutdownReceived => {
                if self.acknowledge(cx, cumulative) {
                    self.advance_shutdown(cx);
                }
            }
            // Both end it: each answers the other's.
            State::ShutdownSent => self.send_shutdown_ack(cx),
            State::ShutdownAckSent => self.due.shutdown_ack = true,
        }
    }

    /// A SHUTDOWN ACK.
    pub(crate) fn on_shutdown_ack(&mut self, cx: &mut Context) {
        match self.state {
            State::ShutdownSent | State::ShutdownAckSent => {
                let chunk = Chunk::ShutdownComplete { reflected_tag: false };
                let bytes = alone(self.ports, self.peer_tag, &chunk);
                cx.outbox.push_back(Transmit { route: self.path().route, bytes });
                self.complete(cx);
            }
            _ => {}
        }
    }

    /// A SHUTDOWN COMPLETE. Its tag was verified.
    pub(crate) fn on_shutdown_complete(&mut self, cx: &mut Context) {
        // 9.2 and 8.5.1 C: in any other state it is none of ours.
        if self.state == State::ShutdownAckSent {
            self.complete(cx);
        }
    }

    /// Both have all.
    pub(crate) fn complete(&mut self, cx: &mut Context) {
        self.stop_partial_delivery();
        self.tell(Event::AssocChange(AssocChange::ShutdownComplete));
        self.finish(cx, End::Complete, 0);
    }

    /// DATA came while we wait for SHUTDOWN ACK: the peer gets a SHUTDOWN at once.
    pub(crate) fn on_data_after_shutdown(&mut self, cx: &mut Context) {
        if self.state == State::ShutdownSent {
            self.due.shutdown = true;
            self.t2.restart(cx.now);
            // The peer is there.
            self.errors = 0;
            self.path_mut().answered();
            // It goes on, and somebody here wants to have it, be it slowly.
            if !self.orphan {
                self.start_t5(cx);
            }
        }
    }

    /// T2 expired.
    pub(crate) fn on_t2(&mut self, cx: &mut Context) {
        self.t2.expire(cx.now, self.params.rto.max);
        match self.state {
            State::ShutdownSent => self.due.shutdown = true,
            State::ShutdownAckSent => self.due.shutdown_ack = true,
            _ => return self.t2.stop(),
        }
        if !self.holds_up_peer() {
            self.timed_out(cx);
        }
    }

    /// A peer with data left cannot answer SHUTDOWN while our user leaves no room for that: it is our
    /// user who takes too long, not the peer.
    fn holds_up_peer(&self) -> bool {
        let closed = self.rx.as_ref().is_some_and(|rx| rx.window() == 0);
        self.state == State::ShutdownSent && closed && self.delivered > 0 && !self.orphan
    }

    /// The endpoint is closed.
    pub(crate) fn orphaned(&mut self, now: Time) {
        self.orphan = true;
        self.progressed = now;
    }

    /// When a closed one is given up that has data left, though its peer answers: that has no room
    /// (6.1, A), or takes back what it has acknowledged. There is no user who could lose patience.
    /// One that does not answer is lost before that, by its error count.
    pub(crate) fn deserted_at(&self) -> Option<Time> {
        let Params { rto, max_retransmissions, .. } = &self.params;
        let rtos = (u32::from(*max_retransmissions) + 1).max(5);
        let waits = matches!(self.state, State::ShutdownPending | State::ShutdownReceived);
        (self.orphan && waits).then(|| self.progressed + rto.max.saturating_mul(rtos))
    }

    /// T5 expired: "the sender SHOULD abort the association".
    pub(crate) fn on_t5(&mut self, cx: &mut Context) {
        if self.holds_up_peer() {
            return self.start_t5(cx);
        }
        self.abort_with(cx, &Cause::ProtocolViolation(b"the shutdown takes too long"));
    }
}
