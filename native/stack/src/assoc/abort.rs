//! Ends without ceremony: ABORT (RFC 9260, sections 3.3.7 and 9.1), and a peer that does not answer
//! (8.1).

use crate::assoc::context::Context;
use crate::assoc::proposal::Ports;
use crate::assoc::state::{Assoc, End};
use crate::event::{AssocChange, Event};
use crate::status::State;
use crate::types::Transmit;
use crate::wire::{Builder, Cause, Causes, Chunk, Header};

impl Assoc {
    /// The user aborts it; `reason` is for the peer's user.
    pub(crate) fn abort(&mut self, cx: &mut Context, reason: &[u8]) {
        // More would not fit a packet.
        let room = self.path().mtu() - Header::SIZE - 4 - 4;
        let reason = &reason[..reason.len().min(room)];
        self.abort_with(cx, &Cause::UserInitiatedAbort(reason));
    }

    /// Ends it because the peer does what it must not, or for want of something.
    pub(crate) fn abort_with(&mut self, cx: &mut Context, cause: &Cause<'_>) {
        self.give_up(cx, cause.to_bytes());
    }

    /// Sends an ABORT and ends.
    pub(crate) fn give_up(&mut self, cx: &mut Context, causes: Vec<u8>) {
        self.send_abort(cx, &causes);
        self.aborted(cx, causes);
    }

    /// Before INIT ACK the peer knows nothing that it could end, and no tag is known.
    pub(crate) fn send_abort(&self, cx: &mut Context, causes: &[u8]) {
        if self.peer_tag != 0 {
            let bytes = abort_packet(self.ports, self.peer_tag, false, causes);
            cx.outbox.push_back(Transmit { route: self.path().route, bytes });
        }
    }

    /// An ABORT came (9.1). Its tag was verified.
    pub(crate) fn on_abort(&mut self, cx: &mut Context, reflected: bool, causes: Causes<'_>) {
        if reflected && self.state == State::ShutdownAckSent {
            // The peer has no association any more: it has all, has sent SHUTDOWN COMPLETE, and takes
            // something that came late as out of the blue (8.4, step 8).
            return self.complete(cx);
        }
        self.aborted(cx, causes.as_bytes().to_vec());
    }

    fn aborted(&mut self, cx: &mut Context, causes: Vec<u8>) {
        let error = first_code(&causes);
        match self.state {
            State::CookieWait | State::CookieEchoed => self.fail_to_begin(cx, End::Refused, error),
            _ => self.lose(cx, End::Aborted, error, causes),
        }
    }

    /// It does not come up.
    pub(crate) fn fail_to_begin(&mut self, cx: &mut Context, end: End, error: u16) {
        self.tell(Event::AssocChange(AssocChange::CannotStart { error }));
        self.finish(cx, end, error);
    }

    /// It was up, and is lost.
    pub(crate) fn lose(&mut self, cx: &mut Context, end: End, error: u16, causes: Vec<u8>) {
        self.stop_partial_delivery();
        self.tell(Event::AssocChange(AssocChange::Lost { error, causes }));
        self.finish(cx, end, error);
    }

    /// Ends it. What the peer did not get for certain is reported.
    pub(crate) fn finish(&mut self, cx: &mut Context, end: End, error: u16) {
        match end {
            End::Complete => cx.counters.shut_down += 1,
            End::Aborted | End::Refused => cx.counters.aborted += 1,
            End::Unreachable => cx.counters.lost += 1,
        }
        self.fail_all(error);
        self.end = Some(end);
    }
}

/// The code of the first cause; 0: there is none.
fn first_code(causes: &[u8]) -> u16 {
    match Causes::new(causes).iter().next() {
        Some(Ok(cause)) => cause.code(),
        _ => 0,
    }
}

/// A packet with nothing but an ABORT. `reflected`: the tag is one that came from its receiver.
pub(crate) fn abort_packet(ports: Ports, tag: u32, reflected: bool, causes: &[u8]) -> Vec<u8> {
    alone(ports, tag, &Chunk::Abort { reflected_tag: reflected, causes: Causes::new(causes) })
}

/// A packet with nothing but this chunk.
pub(crate) fn alone(ports: Ports, tag: u32, chunk: &Chunk<'_>) -> Vec<u8> {
    let mut packet = Builder::new(ports.header(tag), usize::from(u16::MAX));
    let pushed = packet.push(chunk);
    debug_assert_eq!(pushed, Ok(()));
    packet.finish()
}
