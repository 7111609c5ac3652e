//! Answers that cost no memory: to an INIT, to a cookie that is too old, and to packets out of the
//! blue (RFC 9260, sections 5.1.3, 5.1.5 and 8.4).

use std::time::Duration;

use crate::assoc::abort::{abort_packet, alone};
use crate::assoc::context::Context;
use crate::assoc::offer::{Offer, Refusal};
use crate::assoc::proposal::{Ports, Proposal};
use crate::assoc::state::{Assoc, Origin};
use crate::cookie::{Cookie, Opened, TieTags};
use crate::event::SendInfo;
use crate::params::Params;
use crate::types::{AssocId, Route, Transmit};
use crate::wire::{Cause, Causes, Chunk};

/// How a packet came.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Incoming {
    pub(crate) route: Route,
    pub(crate) ports: Ports,
    /// Its verification tag.
    pub(crate) tag: u32,
    /// Its length.
    pub(crate) length: usize,
}

impl Incoming {
    /// It came on the way on which the cookie was sent (5.1.5, step 3). The peer's UDP port may be
    /// another one since (RFC 6951, section 5.4).
    fn fits(&self, cookie: &Cookie) -> bool {
        cookie.local_port == self.ports.local
            && cookie.peer_port == self.ports.peer
            && cookie.local_tag == self.tag
            && cookie.route.remote.ip() == self.route.remote.ip()
            && cookie.route.local.ip() == self.route.local.ip()
    }

    /// An answer's greatest length: three times what came, IP and UDP headers counted. So nobody can
    /// make us send much more to somebody else than they send themselves.
    fn answer_max(&self) -> usize {
        let headers = if self.route.remote.is_ipv4() { 20 + 8 } else { 40 + 8 };
        3 * (self.length + headers) - headers
    }

    fn answer(&self, cx: &mut Context, bytes: Vec<u8>) {
        cx.outbox.push_back(Transmit { route: self.route, bytes });
    }
}

/// Sends INIT ACK (5.1, step B). All that is known of the peer goes into the cookie.
pub(crate) fn answer_init(
    cx: &mut Context,
    incoming: &Incoming,
    params: &Params,
    proposal: &Proposal,
    offer: &Offer,
    tie_tags: Option<TieTags>,
) {
    let (outbound, inbound) = proposal.streams(offer);
    let cookie = Cookie {
        local_port: incoming.ports.local,
        peer_port: incoming.ports.peer,
        route: incoming.route,
        addresses: offer.addresses.clone(),
        local_tag: proposal.tag,
        peer_tag: offer.tag,
        local_tsn: proposal.tsn,
        peer_tsn: offer.tsn,
        peer_window: offer.window,
        outbound,
        inbound,
        tie_tags,
        forward_tsn: offer.forward_tsn,
        adaptation: offer.adaptation,
        made: cx.now,
        life: cookie_life(params, offer),
    };
    let entropy = &mut *cx.entropy;
    let sealed = cx.secrets.seal(cx.now, &cookie, |bytes| entropy.fill(bytes));
    let limit = incoming.answer_max();
    if let Some(bytes) = proposal.init_ack(incoming.ports, offer, &sealed, limit) {
        incoming.answer(cx, bytes);
    }
}

/// 5.2.6: the peer may ask for more than usual, but not for any length of time.
pub(crate) fn cookie_life(params: &Params, offer: &Offer) -> Duration {
    params.cookie_life + offer.preservative.min(params.cookie_life)
}

/// What is in a COOKIE ECHO: forged if it does not belong to the packet.
pub(crate) fn open(cx: &mut Context, incoming: &Incoming, bytes: &[u8]) -> Opened {
    match cx.secrets.open(cx.now, bytes) {
        Opened::Fresh(ref cookie) | Opened::Stale { ref cookie, .. } if !incoming.fits(cookie) => {
            cx.counters.bad_cookies += 1;
            Opened::Forged
        }
        Opened::Forged => {
            cx.counters.bad_cookies += 1;
            Opened::Forged
        }
        opened => opened,
    }
}

/// Answers a cookie that is too old (5.1.5, step 4).
pub(crate) fn refuse_stale(cx: &mut Context, incoming: &Incoming, cookie: &Cookie, by: Duration) {
    cx.counters.bad_cookies += 1;
    if cx.may_answer() {
        let causes = Cause::StaleCookie(by).to_bytes();
        let chunk = Chunk::Error(Causes::new(&causes));
        incoming.answer(cx, alone(incoming.ports, cookie.peer_tag, &chunk));
    }
}

/// The association that a cookie of ours is for (5.1.5, step 5).
pub(crate) fn assoc_of(
    cx: &mut Context,
    id: AssocId,
    incoming: &Incoming,
    cookie: &Cookie,
    params: Params,
    send_info: SendInfo,
) -> Assoc {
    let mut assoc = Assoc::new(
        cx.now,
        Origin {
            id,
            ports: incoming.ports,
            route: incoming.route,
            local_tag: cookie.local_tag,
            local_tsn: cookie.local_tsn,
            params,
            send_info,
        },
    );
    assoc.take(cookie);
    assoc.due.cookie_ack = true;
    assoc.establish(cx);
    assoc
}

/// Answers an INIT that cannot be taken (5.1, 8.4 step 3). `tag`: the one that it asks for.
pub(crate) fn refuse(cx: &mut Context, incoming: &Incoming, tag: u32, refusal: Refusal) {
    if let Refusal::Abort(causes) = refusal {
        let mut bytes = abort_packet(incoming.ports, tag, false, &causes);
        if bytes.len() > incoming.answer_max() {
            bytes = abort_packet(incoming.ports, tag, false, &[]);
        }
        incoming.answer(cx, bytes);
    }
}

/// Answers a packet that belongs to no association (8.4), unless it is an INIT or COOKIE ECHO that
/// somebody takes.
pub(crate) fn out_of_the_blue<'a>(
    cx: &mut Context,
    incoming: &Incoming,
    chunks: impl Iterator<Item = Chunk<'a>>,
) {
    let (mut first, mut shutdown_ack) = (None, false);
    for chunk in chunks {
        match chunk {
            // 2, 6, 7
            Chunk::Abort { .. } | Chunk::ShutdownComplete { .. } | Chunk::CookieAck => return,
            Chunk::Error(causes) => {
                let stale = |cause| matches!(cause, Ok(Cause::StaleCookie(_)));
                if causes.iter().any(stale) {
                    return;
                }
            }
            Chunk::ShutdownAck => shutdown_ack = true,
            _ => {}
        }
        first.get_or_insert(chunk);
    }
    let Some(first) = first else { return };
    if !cx.may_answer() {
        return;
    }
    let bytes = match first {
        // 3: by the tag that the peer wants to see; 0 is none (3.3.2).
        Chunk::Init(init) if init.tag == 0 => return,
        Chunk::Init(init) => abort_packet(incoming.ports, init.tag, false, &[]),
        // 5
        _ if shutdown_ack => {
            alone(incoming.ports, incoming.tag, &Chunk::ShutdownComplete { reflected_tag: true })
        }
        // 8
        _ => abort_packet(incoming.ports, incoming.tag, true, &[]),
    };
    incoming.answer(cx, bytes);
}
