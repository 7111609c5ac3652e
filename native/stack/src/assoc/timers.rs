//! What is due when (RFC 9260, section 16 names the timers).

use crate::assoc::context::Context;
use crate::assoc::state::Assoc;
use crate::path::Path;
use crate::rx::Inbound;
use crate::status::State;
use crate::types::Time;

impl Assoc {
    /// When `advance` is to be called.
    pub(crate) fn timeout(&self, now: Time) -> Option<Time> {
        if self.end.is_some() {
            return None;
        }
        if !self.is_up() {
            // What has gone along with COOKIE ECHO goes with it again: T1-cookie counts, T3-rtx does
            // not (5.1, step C).
            return self.t1.deadline();
        }
        let all = [
            self.t2.deadline(),
            self.t5,
            self.deserted_at(),
            self.autoclose_at(),
            self.tx.timeout(),
            // A SACK that is due already waits for `output` only.
            self.rx.as_ref().and_then(Inbound::timeout).filter(|time| *time > now),
            self.paths.iter().filter_map(Path::timeout).min(),
        ];
        all.into_iter().flatten().min()
    }

    fn autoclose_at(&self) -> Option<Time> {
        let after = self.params.autoclose?;
        (self.state == State::Established).then(|| self.idle_since + after)
    }

    /// Does what is due.
    pub(crate) fn advance(&mut self, cx: &mut Context) {
        if !self.is_up() {
            if self.t1.is_due(cx.now) {
                self.on_t1(cx);
            }
            return;
        }
        if self.t5.into_iter().chain(self.deserted_at()).any(|time| time <= cx.now) {
            return self.on_t5(cx);
        }
        if self.t2.is_due(cx.now) {
            self.on_t2(cx);
        }
        if self.autoclose_at().is_some_and(|time| time <= cx.now) {
            self.shut_down(cx);
        }
        self.tx.advance(cx.now);
        self.advance_shutdown(cx);
        for on in 0..self.paths.len() {
            if self.end.is_none()
                && self.paths[on].t3_is_due(cx.now)
                && self.tx.t3_expired(cx.now, &mut self.paths, on)
            {
                self.count_error(cx);
            }
        }
        if self.end.is_none() && self.path().beat_is_due(cx.now) {
            self.on_beat(cx);
        }
    }
}
