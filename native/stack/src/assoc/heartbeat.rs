//! HEARTBEAT and HEARTBEAT ACK, and how often a peer may fail to answer (RFC 9260, sections 8.1 to
//! 8.3).

use crate::assoc::context::Context;
use crate::assoc::state::{Assoc, End, Happened};
use crate::event::Event;
use crate::status::State;
use crate::types::{Route, at_port};
use crate::wire::Cause;

impl Assoc {
    /// The association is up.
    pub(crate) fn start_beats(&mut self, cx: &mut Context) {
        let random = cx.random();
        self.path_mut().start_beats(cx.now, random as u32);
    }

    /// The heartbeat timer has expired.
    pub(crate) fn on_beat(&mut self, cx: &mut Context) {
        let (nonce, jitter) = (cx.random(), cx.random() as u32);
        let beat = self.path_mut().beat(cx.now, nonce, jitter);
        if beat.send {
            self.due.heartbeat = Some(nonce);
        }
        if beat.missed {
            self.count_error(cx);
        }
    }

    /// After SHUTDOWN and SHUTDOWN ACK there are none: the peer may be done already, and would take
    /// it as out of the blue.
    pub(crate) fn takes_heartbeats(&self) -> bool {
        matches!(self.state, State::Established | State::ShutdownPending | State::ShutdownReceived)
    }

    /// The user wants a HEARTBEAT now.
    pub(crate) fn beat_now(&mut self, cx: &mut Context) {
        let nonce = cx.random();
        self.path_mut().beat_now(cx.now, nonce);
        self.due.heartbeat = Some(nonce);
    }

    /// A HEARTBEAT: is answered to where it came from. One answer waits at a time.
    pub(crate) fn on_heartbeat(&mut self, route: Route, info: &[u8]) {
        self.due.heartbeat_ack = Some((route, info.to_vec()));
    }

    /// A HEARTBEAT ACK.
    pub(crate) fn on_heartbeat_ack(&mut self, cx: &mut Context, info: &[u8]) {
        let Ok(nonce) = info.try_into().map(u64::from_be_bytes) else { return };
        if self.path_mut().beat_answered(cx.now, nonce) {
            self.errors = 0;
        }
    }

    /// Something that is not data was not answered in time.
    pub(crate) fn timed_out(&mut self, cx: &mut Context) {
        self.path_mut().timed_out();
        self.count_error(cx);
    }

    /// What became of the paths.
    pub(crate) fn collect_changes(&mut self) {
        for path in &mut self.paths {
            if let Some(state) = path.take_change() {
                let address = at_port(path.route.remote, self.ports.peer);
                let event = Event::PathChange { address, state };
                self.happened.push_back(Happened::Event(event));
            }
        }
    }

    /// One more timeout in a row (8.1).
    pub(crate) fn count_error(&mut self, cx: &mut Context) {
        self.collect_changes();
        self.errors += 1;
        if self.errors > u32::from(self.params.max_retransmissions) {
            // Where only our way back is broken, the peer learns that it is over.
            let cause = Cause::ProtocolViolation(b"too many timeouts");
            self.send_abort(cx, &cause.to_bytes());
            self.lose(cx, End::Unreachable, 0, Vec::new());
        }
    }
}
