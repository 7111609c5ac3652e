//! The handshake of the end that begins it (RFC 9260, sections 5.1 and 5.2.6).

use std::time::Duration;

use crate::assoc::context::Context;
use crate::assoc::offer::{Offer, Refusal};
use crate::assoc::proposal::Proposal;
use crate::assoc::state::{Assoc, End};
use crate::event::{AssocChange, Event};
use crate::status::State;
use crate::types::Time;
use crate::wire::{Cause, Init};

/// A cookie was stale so often: the peer's clock or the way there is of no use (section 5.2.6).
const STALE_MAX: u32 = 3;

impl Assoc {
    /// Sends INIT and waits for INIT ACK.
    pub(crate) fn begin(&mut self, now: Time) {
        self.state = State::CookieWait;
        self.due.init = true;
        self.t1.start(now, self.first_timeout());
    }

    fn first_timeout(&self) -> Duration {
        self.path().rto().min(self.params.init.longest_timeout)
    }

    /// What we propose in INIT, and in INIT ACK while we wait ourselves (5.2.1): always the same.
    pub(crate) fn proposal(&self) -> Proposal {
        Proposal::new(self.local_tag, self.local_tsn, &self.params)
    }

    /// An INIT ACK (5.1, step C).
    pub(crate) fn on_init_ack(&mut self, cx: &mut Context, init: &Init<'_>) {
        // 5.2.3: what comes late or twice is of no interest.
        if self.state != State::CookieWait {
            return;
        }
        let offer = match Offer::of_init_ack(init) {
            Ok(offer) => offer,
            Err(Refusal::Silent) => return,
            Err(Refusal::Abort(causes)) => {
                // The peer has no association yet: it is told by the tag that it asked for.
                self.peer_tag = init.tag;
                return self.give_up(cx, causes);
            }
        };
        if self.t1.expired() == 0 {
            // 6.3.1: INIT and INIT ACK measure a round trip as DATA and SACK do.
            let round_trip = cx.now - self.init_sent;
            self.path_mut().measured(round_trip);
        }
        self.errors = 0;
        self.accept(&offer);
        // 3.2.1: what we do not know of an INIT ACK is reported with the COOKIE ECHO.
        if !offer.unrecognized.is_empty() {
            self.report(&Cause::UnrecognizedParameters(&offer.unrecognized.concat()));
        }
        self.due.cookie = offer.cookie;
        self.due.cookie_echo = true;
        self.state = State::CookieEchoed;
        self.t1.start(cx.now, self.first_timeout());
    }

    /// Takes what the peer proposed.
    fn accept(&mut self, offer: &Offer) {
        let (outbound, inbound) = self.proposal().streams(offer);
        self.peer_tag = offer.tag;
        self.forward_tsn = offer.forward_tsn;
        self.peer_adaptation = offer.adaptation;
        self.inbound = inbound;
        self.take_addresses(&offer.addresses);
        self.meet(offer.window, outbound, offer.tsn);
    }

    /// A COOKIE ACK (5.1, step E).
    pub(crate) fn on_cookie_ack(&mut self, cx: &mut Context) {
        // 5.2.5: a duplicate.
        if self.state == State::CookieEchoed {
            self.establish(cx);
        }
    }

    /// ESTABLISHED, with what the user is told then.
    pub(crate) fn establish(&mut self, cx: &mut Context) {
        cx.counters.established += 1;
        self.state = State::Established;
        self.errors = 0;
        self.t1.stop();
        self.due.init = false;
        self.due.cookie_echo = false;
        self.due.cookie = Vec::new();
        self.idle_since = cx.now;
        self.progressed = cx.now;
        let (outbound, inbound) = (self.outbound, self.inbound);
        self.tell(Event::AssocChange(AssocChange::Up { outbound, inbound }));
        if let Some(indication) = self.peer_adaptation {
            self.tell(Event::Adaptation(indication));
        }
        self.start_beats(cx);
        if self.ending {
            self.shut_down(cx);
        }
    }

    /// The cookie was too old: asks for one that lives longer (5.2.6).
    pub(crate) fn on_stale_cookie(&mut self, cx: &mut Context, by: Duration) {
        if self.state != State::CookieEchoed {
            return;
        }
        self.stale += 1;
        if self.stale > STALE_MAX {
            return self.fail_to_begin(cx, End::Unreachable, 3);
        }
        self.state = State::CookieWait;
        self.due.cookie_echo = false;
        self.due.init = true;
        // "the Cookie Preservative should be ... the measure of staleness" and a round trip.
        self.due.preservative = Some(by + self.path().rto());
        self.tx.cookie_refused(cx.now, &mut self.paths, 0);
        self.t1.start(cx.now, self.first_timeout());
    }

    /// T1 expired (5.1, steps A and C).
    pub(crate) fn on_t1(&mut self, cx: &mut Context) {
        let expired = self.t1.expire(cx.now, self.params.init.longest_timeout);
        if expired > u32::from(self.params.init.attempts) {
            return self.fail_to_begin(cx, End::Unreachable, 0);
        }
        match self.state {
            State::CookieWait => self.due.init = true,
            State::CookieEchoed => {
                self.due.cookie_echo = true;
                // 5.1, step C: DATA went along with the cookie, and goes along with it again.
                self.tx.cookie_expired(cx.now, &mut self.paths, 0);
            }
            _ => self.t1.stop(),
        }
    }
}
