//! INIT and COOKIE ECHO for an association that is there already: duplicates, both ends beginning at
//! once, and a peer that begins anew (RFC 9260, section 5.2).

use std::net::IpAddr;

use crate::assoc::abort::alone;
use crate::assoc::context::Context;
use crate::assoc::offer::{Offer, Refusal};
use crate::assoc::proposal::Proposal;
use crate::assoc::retry::Retry;
use crate::assoc::state::{Assoc, Due};
use crate::assoc::stateless::{Incoming, answer_init, cookie_life, open, refuse, refuse_stale};
use crate::cookie::{Cookie, Opened, TieTags};
use crate::event::{AssocChange, Event};
use crate::params::Params;
use crate::path::Path;
use crate::status::State;
use crate::tx::{Outbound, Settings};
use crate::types::{Time, Transmit};
use crate::wire::{Cause, Causes, Chunk, Init, Parameter};

impl Assoc {
    /// An INIT of our peer's (5.2.1, 5.2.2). But for the tie-tags nothing changes here before
    /// its cookie comes.
    pub(crate) fn on_init(&mut self, cx: &mut Context, incoming: Incoming, init: &Init<'_>) {
        if self.state == State::ShutdownAckSent {
            // 9.2: the SHUTDOWN COMPLETE was lost.
            self.due.shutdown_ack = true;
            return;
        }
        if !cx.may_answer() {
            return;
        }
        let offer = match Offer::of_init(init) {
            Ok(offer) => offer,
            Err(refusal) => return refuse(cx, &incoming, init.tag, refusal),
        };
        if self.state != State::CookieWait
            && let Some(causes) = self.forbids_restart(&incoming, &offer)
        {
            return refuse(cx, &incoming, offer.tag, Refusal::Abort(causes));
        }
        let (proposal, ties) = match self.state {
            // 5.2.1: both begin at once: the same tag and TSN as in our own INIT.
            State::CookieWait => (self.proposal(), None),
            State::CookieEchoed => (self.proposal(), Some(self.tie_tags(cx))),
            // 5.2.2: it seems that the peer has lost the association.
            _ => {
                let proposal = Proposal::new(cx.new_tag(), cx.new_tsn(), &self.params);
                (proposal, Some(self.tie_tags(cx)))
            }
        };
        if proposal.tag == self.local_tag {
            let until = cx.now + cookie_life(&self.params, &offer);
            self.cookie_until = self.cookie_until.max(Some(until));
        }
        answer_init(cx, &incoming, &self.params, &proposal, &offer, ties);
    }

    /// They go into a cookie that anybody can read who sees it: random numbers, which do "not reveal
    /// the true Verification Tags" (1.3). The same ones for all cookies.
    fn tie_tags(&mut self, cx: &mut Context) -> TieTags {
        *self.tie_tags.get_or_insert_with(|| TieTags { local: cx.new_tag(), peer: cx.new_tag() })
    }

    /// Why this INIT must not lead to a restart.
    fn forbids_restart(&self, incoming: &Incoming, offer: &Offer) -> Option<Vec<u8>> {
        let mut new = Vec::new();
        for address in &offer.addresses {
            if !self.addresses.contains(address) {
                let parameter = match *address {
                    IpAddr::V4(address) => Parameter::Ipv4Address(address),
                    IpAddr::V6(address) => Parameter::Ipv6Address(address),
                };
                parameter.write(&mut new);
            }
        }
        let current = self.path().route.remote.port();
        let cause = if !new.is_empty() {
            // 5.2.2: somebody might take over the association by adding an address.
            Cause::RestartWithNewAddresses(&new)
        } else if incoming.route.remote.port() != current {
            // draft-tuexen-tsvwg-sctp-udp-encaps-cons, section 4.
            let new = incoming.route.remote.port();
            Cause::RestartWithNewEncapsulationPort { current, new }
        } else {
            return None;
        };
        Some(cause.to_bytes())
    }

    /// A COOKIE ECHO while there is an association (5.2.4). Returns whether the chunks that follow it
    /// are for the association as it is then.
    pub(crate) fn on_cookie_echo(
        &mut self,
        cx: &mut Context,
        incoming: Incoming,
        bytes: &[u8],
    ) -> bool {
        let (cookie, stale_by) = match open(cx, &incoming, bytes) {
            Opened::Fresh(cookie) => (cookie, None),
            Opened::Stale { by, cookie } => (cookie, Some(by)),
            Opened::Forged => return false,
        };
        let local = cookie.local_tag == self.local_tag;
        let peer = cookie.peer_tag == self.peer_tag;
        if let Some(by) = stale_by
            && !(local && peer)
        {
            refuse_stale(cx, &incoming, &cookie, by);
            return false;
        }
        let tied = cookie.tie_tags.is_some() && cookie.tie_tags == self.tie_tags;
        match (local, peer) {
            // D
            (true, true) => self.confirm(cx),
            // B
            (true, false) => return self.collide(cx, &cookie),
            // A
            (false, false) if tied => {
                return self.restart(cx, incoming, &cookie);
            }
            // C, and all that is not in the table
            _ => return false,
        }
        true
    }

    /// Action D: a duplicate, or the peer's way of the handshake was the faster one.
    fn confirm(&mut self, cx: &mut Context) {
        self.due.cookie_ack = true;
        if self.state == State::CookieEchoed {
            self.establish(cx);
        }
    }

    /// Action B: both ends began at once.
    fn collide(&mut self, cx: &mut Context, cookie: &Cookie) -> bool {
        // While up, this would be a peer that has begun twice: what it says of its first TSN is of no
        // use any more, once data has come or was acknowledged.
        if self.is_up() && self.heard {
            return false;
        }
        self.due.cookie_ack = true;
        self.take(cookie);
        if !self.is_up() {
            self.establish(cx);
        }
        true
    }

    /// Takes from a cookie what the peer proposed in its INIT.
    pub(crate) fn take(&mut self, cookie: &Cookie) {
        self.cookie_until = self.cookie_until.max(Some(cookie.made + cookie.life));
        self.peer_tag = cookie.peer_tag;
        self.forward_tsn = cookie.forward_tsn;
        self.peer_adaptation = cookie.adaptation;
        self.inbound = cookie.inbound;
        self.take_addresses(&cookie.addresses);
        self.meet(cookie.peer_window, cookie.outbound, cookie.peer_tsn);
    }

    /// Action A: the peer has begun anew, and knows nothing of this association any more.
    fn restart(&mut self, cx: &mut Context, incoming: Incoming, cookie: &Cookie) -> bool {
        if self.state == State::ShutdownAckSent {
            // "it MUST NOT set up a new association". The old tag: its new end takes the SHUTDOWN
            // ACK as out of the blue, and answers it.
            self.due.shutdown_ack = true;
            let causes = Cause::CookieWhileShuttingDown.to_bytes();
            let chunk = Chunk::Error(Causes::new(&causes));
            let bytes = alone(self.ports, cookie.peer_tag, &chunk);
            cx.outbox.push_back(Transmit { route: incoming.route, bytes });
            return false;
        }
        self.stop_partial_delivery();
        self.fail_all(0);
        self.begin_anew(cx.now, &incoming, cookie);
        self.take(cookie);
        let (outbound, inbound) = (self.outbound, self.inbound);
        self.tell(Event::AssocChange(AssocChange::Restart { outbound, inbound }));
        if let Some(indication) = self.peer_adaptation {
            self.tell(Event::Adaptation(indication));
        }
        self.due.cookie_ack = true;
        self.start_beats(cx);
        true
    }

    /// "All congestion control parameters ... MUST be reset to their initial values."
    fn begin_anew(&mut self, now: Time, incoming: &Incoming, cookie: &Cookie) {
        let params: &Params = &self.params;
        let path = Path::new(incoming.route, &params.path, &params.rto, true);
        self.local_tag = cookie.local_tag;
        self.local_tsn = cookie.local_tsn;
        self.tx =
            Outbound::new(Settings::from(params), cookie.local_tsn, cookie.outbound, path.mtu());
        self.paths = vec![path];
        self.addresses = vec![incoming.route.remote.ip()];
        self.state = State::Established;
        self.errors = 0;
        self.heard = false;
        self.due = Due::default();
        self.t1 = Retry::default();
        self.t2 = Retry::default();
        self.t5 = None;
        self.idle_since = now;
        self.progressed = now;
    }
}
